//! Paths such as `spec.template.spec.containers.app.image` in a value.

use serde_json::{Map, Value};

/// The value at a path, if there is one.
pub(super) fn get<'v>(holder: &'v Value, path: &str) -> Option<&'v Value> {
    let path = path.strip_prefix('.').unwrap_or(path);
    if path.is_empty() {
        return Some(holder);
    }
    match holder {
        Value::Object(map) => {
            let (key, rest) = key(map, path).ok()?;
            get(map.get(key)?, rest)
        }
        Value::Array(items) => {
            let (index, rest) = element(items, path).ok()?;
            get(&items[index], rest)
        }
        _ => None,
    }
}

/// Sets the value at a path; mappings on the way are made where there are
/// none. Null takes the value away.
///
/// # Errors
/// Why there is no such place.
pub(super) fn set(holder: &mut Value, path: &str, value: &Value) -> Result<(), String> {
    let path = path.strip_prefix('.').unwrap_or(path);
    if path.is_empty() {
        *holder = value.clone();
        return Ok(());
    }
    if holder.is_null() {
        *holder = Value::Object(Map::new());
    }
    match holder {
        Value::Object(map) => {
            let (key, rest) = key(map, path)?;
            let key = key.to_string();
            if rest.is_empty() && value.is_null() {
                map.shift_remove(&key);
                return Ok(());
            }
            set(map.entry(key).or_insert(Value::Null), rest, value)
        }
        Value::Array(items) => {
            let (index, rest) = element(items, path)?;
            set(&mut items[index], rest, value)
        }
        other => Err(format!("there is no `{path}` in {other}")),
    }
}

/// A field of a mapping, made if need be.
pub(super) fn child<'v>(holder: &'v mut Value, name: &str) -> &'v mut Value {
    if !holder.is_object() {
        *holder = Value::Object(Map::new());
    }
    &mut holder[name]
}

/// The first name of a path, and the rest. Names that exist may hold dots, the
/// longest one wins; new ones with dots are written `["a.b"]`.
pub(super) fn key<'p>(map: &Map<String, Value>, path: &'p str) -> Result<(&'p str, &'p str), String> {
    if let Some(inner) = path.strip_prefix('[') {
        let (name, rest) = inner.split_once(']').ok_or_else(|| format!("`{path}` lacks its `]`"))?;
        return Ok((name.trim_matches(['"', '\'']), rest));
    }
    let ends = |rest: &str| rest.is_empty() || rest.starts_with(['.', '[']);
    let known = map.keys().filter(|k| path.strip_prefix(k.as_str()).is_some_and(ends)).map(String::len).max();
    let length = known.unwrap_or_else(|| path.find(['.', '[']).unwrap_or(path.len()));
    if length == 0 {
        return Err(format!("`{path}` has an empty name"));
    }
    Ok((&path[..length], &path[length..]))
}

/// The element of a list that a path begins with, by number, `[2]`, or by the
/// name that it has, and the rest.
fn element<'p>(items: &[Value], path: &'p str) -> Result<(usize, &'p str), String> {
    let (word, rest) = match path.strip_prefix('[') {
        Some(inner) => inner.split_once(']').ok_or_else(|| format!("`{path}` lacks its `]`"))?,
        None => path.split_at(path.find(['.', '[']).unwrap_or(path.len())),
    };
    let word = word.trim_matches(['"', '\'']);
    let named = |item: &Value| item.get("name").and_then(Value::as_str) == Some(word);
    let index = word.parse::<usize>().ok().filter(|&i| i < items.len());
    match index.or_else(|| items.iter().position(named)) {
        Some(index) => Ok((index, rest)),
        None => Err(format!("the list has {} elements and none is `{word}`", items.len())),
    }
}
