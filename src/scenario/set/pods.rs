//! `pods.ready.p99`: how pods behave, set for all entries or for one.

use super::path;
use crate::scenario::compile;
use serde_json::{Map, Value, json};

/// The distributions, by which `ready.p99` finds its way into
/// `ready: {lognormal: {p99: …}}`.
const DISTRIBUTIONS: [&str; 5] = ["uniform", "normal", "lognormal", "exponential", "empirical"];

/// Sets a field of `pods`: `.deployment/web.ready` and `[1].ready` in one
/// entry, `.ready` in all entries that have the field and do not say `never`,
/// or in an entry for all pods if there is none. Where nothing is said of pods
/// they are the usual ones, and those of `batch` work for a while.
///
/// # Errors
/// Why there is no such place.
pub(super) fn set(pods: &mut Value, path: &str, value: &Value, batch: &[String]) -> Result<(), String> {
    if !pods.is_null() {
        return set_in(pods, path, value);
    }
    let (general, work) = compile::typical_entries();
    let usual = |with: &Value| {
        let entries = batch.iter().map(|key| (key.clone(), with.clone()));
        Value::Object(std::iter::once(("*".to_string(), general.clone())).chain(entries).collect())
    };
    // That their work is to be something else does not make them wait to be
    // ready, which they are at once.
    let mut all = usual(&json!({"run": work["run"]}));
    set_in(&mut all, path, value)?;
    for key in batch {
        let entry = path::child(&mut all, key);
        if entry.get("ready").is_none() {
            path::set(entry, "ready", &work["ready"])?;
        }
    }
    *pods = all;
    Ok(())
}

fn set_in(pods: &mut Value, path: &str, value: &Value) -> Result<(), String> {
    let path = path.strip_prefix('.').unwrap_or(path);
    if let Some((entry, rest)) = entry(pods, path) {
        return delay(entry, rest, value);
    }
    let field = path.split(['.', '[']).next().unwrap_or(path);
    let mut found = false;
    for entry in entries(pods) {
        if entry.get(field).is_some_and(|v| v != "never") {
            found = true;
            delay(entry, path, value)?;
        }
    }
    if found { Ok(()) } else { delay(general(pods), path, value) }
}

/// What stands in a field of `pods`, of all entries the first that has it.
pub(super) fn written(pods: &Value, path: &str) -> Option<Value> {
    let (mut pods, path) = (pods.clone(), path.strip_prefix('.').unwrap_or(path));
    if let Some((entry, rest)) = entry(&mut pods, path) {
        return read(entry, rest).cloned();
    }
    entries(&mut pods).into_iter().find_map(|entry| read(entry, path).cloned())
}

fn entries(pods: &mut Value) -> Vec<&mut Value> {
    match pods {
        Value::Object(map) => map.iter_mut().map(|(_, entry)| entry).collect(),
        Value::Array(items) => items.iter_mut().collect(),
        _ => Vec::new(),
    }
}

/// The one entry that a path begins with, made if it is not there yet.
fn entry<'v, 'p>(pods: &'v mut Value, path: &'p str) -> Option<(&'v mut Value, &'p str)> {
    match pods {
        Value::Object(map) => {
            let (key, rest) = match path::key(map, path).ok()? {
                (key, rest) if map.contains_key(key) => (key, rest),
                // The field's name has no dots, so the last slash ends the kind.
                _ => {
                    let slash = path.find('/')?;
                    let dot = path[slash..].find('.')? + slash;
                    (&path[..dot], &path[dot..])
                }
            };
            Some((map.entry(key.to_string()).or_insert(Value::Null), rest))
        }
        Value::Array(items) => {
            if let Some((index, rest)) = path.strip_prefix('[').and_then(|p| p.split_once(']')) {
                return Some((items.get_mut(index.parse::<usize>().ok()?)?, rest));
            }
            let slash = path.find('/')?;
            let dot = path[slash..].find('.')? + slash;
            let matches = matches(&path[..dot]);
            let at = items.iter().position(|item| item.get("match") == Some(&matches)).unwrap_or_else(|| {
                items.push(json!({"match": matches}));
                items.len() - 1
            });
            Some((&mut items[at], &path[dot..]))
        }
        _ => None,
    }
}

/// A key such as `image/app:v2` as the `match` of an entry.
fn matches(key: &str) -> Value {
    match key.split_once('/') {
        Some(("image", image)) => json!({"image": image}),
        Some(("node", node)) => json!({"node": node}),
        _ => json!({"workload": key}),
    }
}

/// The entry for all pods, before all others so that they still override it.
fn general(pods: &mut Value) -> &mut Value {
    match pods {
        Value::Array(items) => {
            if items.first().is_none_or(|first| first.get("match").is_some()) {
                items.insert(0, Value::Null);
            }
            &mut items[0]
        }
        other => {
            if !other.is_object() {
                *other = Value::Object(Map::new());
            }
            if let Value::Object(map) = &mut *other
                && !map.contains_key("*")
            {
                let rest = std::mem::take(map);
                map.insert("*".to_string(), Value::Null);
                map.extend(rest);
            }
            &mut other["*"]
        }
    }
}

/// The parameters of an entry's distribution, if a path goes on into it.
fn parameters<'v>(value: &'v Value, rest: &str) -> &'v Value {
    let first = rest.trim_start_matches('.').split(['.', '[']).next().unwrap_or_default();
    match value {
        Value::Object(map) if map.len() == 1 && !first.is_empty() && !map.contains_key(first) => {
            DISTRIBUTIONS.iter().find_map(|d| map.get(*d)).unwrap_or(value)
        }
        _ => value,
    }
}

fn read<'v>(entry: &'v Value, path: &str) -> Option<&'v Value> {
    let (field, rest) = cut(path);
    path::get(parameters(entry.get(field)?, rest), rest)
}

/// A path's first name and the rest.
fn cut(path: &str) -> (&str, &str) {
    let path = path.strip_prefix('.').unwrap_or(path);
    path.split_at(path.find(['.', '[']).unwrap_or(path.len()))
}

/// Sets a field of an entry. A parameter of a distribution is found within
/// it, and a fixed time becomes a log-normal one if its median or its 99th
/// percentile is set.
fn delay(entry: &mut Value, path: &str, value: &Value) -> Result<(), String> {
    let (field, rest) = cut(path);
    if field.is_empty() {
        *entry = value.clone();
        return Ok(());
    }
    if rest.is_empty() {
        return path::set(entry, field, value);
    }
    let slot = path::child(entry, field);
    if ["crash", "run"].contains(&field) {
        return delay(slot, rest, value);
    }
    let parameter = rest.trim_start_matches('.');
    if slot.is_string() && ["median", "p99"].contains(&parameter) {
        let fixed = slot.clone();
        *slot = json!({"lognormal": {"median": fixed, "p99": fixed}});
    }
    if let Value::Object(map) = slot
        && map.len() == 1
        && !map.contains_key(parameter)
        && let Some(name) = DISTRIBUTIONS.iter().find(|d| map.contains_key(**d))
    {
        return path::set(&mut map[*name], rest, value);
    }
    path::set(slot, rest, value)
}
