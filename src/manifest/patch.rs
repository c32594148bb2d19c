//! Patches: RFC 7386, RFC 6902 and Kubernetes' strategic merge, on the JSON that
//! [`to_json`](super::to_json) writes.

use super::shape::{Members, Shape};
use crate::api::Object;
use crate::error::Problem;
use crate::sim::setup::PatchType;
use json_patch::PatchOperation;
use serde::Deserialize;
use serde_json::{Map, Value};

type Fields = Map<String, Value>;

const DIRECTIVE: &str = "$patch";
const RETAIN: &str = "$retainKeys";
const ORDER: &str = "$setElementOrder/";
const DELETE_FROM: &str = "$deleteFromPrimitiveList/";

/// The target with the patch merged into it. What comes out has yet to be
/// [`read`](super::read), which finds what a patch has broken. Strategic
/// merge needs to know the target's kind; lists of unknown kinds are replaced.
///
/// # Errors
/// What a JSON patch asks for that is not there, or is no operation at all.
pub fn apply(patch_type: PatchType, target: &Value, patch: &Value) -> Result<Value, String> {
    let mut merged = target.clone();
    match (patch_type, &mut merged, patch) {
        (PatchType::Strategic, Value::Object(fields), Value::Object(patch)) => {
            let kind = target.get("kind").and_then(Value::as_str).unwrap_or_default();
            merge_object(fields, patch, super::members_of(kind));
        }
        (PatchType::Json, ..) => {
            let patch = Vec::<PatchOperation>::deserialize(patch).map_err(|e| format!("not a JSON patch: {e}"))?;
            json_patch::patch(&mut merged, &patch).map_err(|e| e.to_string())?;
        }
        _ => merge(&mut merged, patch),
    }
    Ok(merged)
}

/// The object after a patch, defaulted and checked again.
///
/// # Errors
/// What the API server says to an object that is no longer valid.
pub fn patched(object: &Object, patch_type: PatchType, patch: &Value) -> Result<Object, String> {
    let merged = apply(patch_type, &super::to_json(object), patch)?;
    super::read(&merged).map(|loaded| loaded.object).map_err(|problems| {
        let words = problems.into_iter().map(|p| Problem { hint: None, ..p }.to_string());
        let words = match words.collect::<Vec<_>>().as_slice() {
            [one] => one.clone(),
            several => format!("[{}]", several.join(", ")),
        };
        let group = object.kind().group_suffix();
        format!("{}{group} {:?} is invalid: {words}", object.kind(), object.meta().name)
    })
}

/// RFC 7386: objects are merged, null removes, all else replaces.
fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Some(target) = target.as_object_mut() else { return };
    for (name, value) in patch {
        if value.is_null() {
            target.shift_remove(name);
        } else {
            merge(target.entry(name.clone()).or_insert(Value::Null), value);
        }
    }
}

/// Upstream: `staging/src/k8s.io/apimachinery/pkg/util/strategicpatch/patch.go mergeMap`
fn merge_object(original: &mut Fields, patch: &Fields, members: Option<&'static Members>) {
    match patch.get(DIRECTIVE).and_then(Value::as_str) {
        Some("replace") => {
            *original = stripped_object(patch);
            return;
        }
        Some("delete") => {
            original.clear();
            return;
        }
        _ => {}
    }
    if let Some(Value::Array(kept)) = patch.get(RETAIN) {
        original.retain(|name, _| kept.iter().any(|k| k == name));
    }
    for (name, value) in patch {
        if let Some(list) = name.strip_prefix(DELETE_FROM) {
            if let (Some(Value::Array(items)), Value::Array(gone)) = (original.get_mut(list), value) {
                items.retain(|item| !gone.contains(item));
            }
        } else if !name.starts_with('$') {
            let shape = members.and_then(|m| m.get(name));
            merge_field(original, name, value, shape, patch.get(&format!("{ORDER}{name}")));
        }
    }
    // An order alone sorts a list that the patch does not touch.
    for (name, order) in patch {
        let Some(list) = name.strip_prefix(ORDER).filter(|list| !patch.contains_key(*list)) else { continue };
        let key = members.and_then(|m| m.get(list)).and_then(merge_key);
        if let (Some(Value::Array(items)), Value::Array(order)) = (original.get_mut(list), order) {
            let server_order = items.clone();
            *items = in_order(std::mem::take(items), order, &server_order, key);
        }
    }
}

fn merge_field(original: &mut Fields, name: &str, patch: &Value, shape: Option<Shape>, order: Option<&Value>) {
    match (original.get_mut(name), patch) {
        (_, Value::Null) => {
            original.shift_remove(name);
        }
        (Some(Value::Object(mine)), Value::Object(theirs)) => {
            merge_object(mine, theirs, shape.and_then(Shape::members));
        }
        (Some(Value::Array(mine)), Value::Array(theirs)) => {
            let order = order.and_then(Value::as_array);
            *mine = match shape {
                Some(Shape::Keyed(key, members)) => merge_keyed(mine, theirs, key, members, order),
                Some(Shape::Set(_)) => {
                    let server_order = mine.clone();
                    let mut all = server_order.clone();
                    all.extend(theirs.iter().filter(|v| !server_order.contains(v)).cloned());
                    in_order(all, order.unwrap_or(theirs), &server_order, None)
                }
                _ => theirs.iter().filter_map(stripped).collect(),
            };
        }
        _ => match stripped(patch) {
            Some(value) => {
                original.insert(name.to_string(), value);
            }
            None => {
                original.shift_remove(name);
            }
        },
    }
}

const fn merge_key(shape: Shape) -> Option<&'static str> {
    match shape {
        Shape::Keyed(key, _) => Some(key),
        _ => None,
    }
}

/// Merges two lists of objects, an item with an item of the same key.
///
/// Upstream: `staging/src/k8s.io/apimachinery/pkg/util/strategicpatch/patch.go mergeSlice`
fn merge_keyed(
    original: &[Value],
    patch: &[Value],
    key: &'static str,
    members: &'static Members,
    order: Option<&Vec<Value>>,
) -> Vec<Value> {
    let directive = |item: &Value| item.get(DIRECTIVE).and_then(Value::as_str).map(str::to_string);
    let same = |a: &Value, b: &Value| a.get(key).is_some() && a.get(key) == b.get(key);
    let (special, plain): (Vec<&Value>, Vec<&Value>) = patch.iter().partition(|i| directive(i).is_some());
    if special.iter().any(|item| directive(item).as_deref() == Some("replace")) {
        return plain.into_iter().filter_map(stripped).collect();
    }
    let deleted = |item: &Value| special.iter().any(|s| directive(s).as_deref() == Some("delete") && same(s, item));
    let server: Vec<Value> = original.iter().filter(|item| !deleted(item)).cloned().collect();
    let mut merged = server.clone();
    for item in &plain {
        let found = merged.iter_mut().find(|mine| same(mine, item));
        match (found, item) {
            (Some(Value::Object(mine)), Value::Object(theirs)) => merge_object(mine, theirs, Some(members)),
            _ => merged.extend(stripped(item)),
        }
    }
    let plain: Vec<Value> = plain.into_iter().cloned().collect();
    let merged = in_order(merged, &plain, &server, Some(key));
    match order {
        Some(order) => in_order(merged, order, original, Some(key)),
        None => merged,
    }
}

/// Sorts what the patch names as the patch has it and the rest as the server
/// had it, and merges the two: an item goes before another if the server had
/// them so, and else what the patch names goes first. (That is why a sidecar
/// added by a patch becomes the first container.)
///
/// Upstream: `staging/src/k8s.io/apimachinery/pkg/util/strategicpatch/patch.go normalizeElementOrder`
fn in_order(items: Vec<Value>, order: &[Value], server_order: &[Value], key: Option<&str>) -> Vec<Value> {
    let place = |list: &[Value], item: &Value| {
        list.iter().position(|other| match key {
            Some(key) => item.get(key).is_some() && item.get(key) == other.get(key),
            None => item == other,
        })
    };
    let (mut named, mut rest): (Vec<Value>, Vec<Value>) =
        items.into_iter().partition(|item| place(order, item).is_some());
    named.sort_by_key(|item| place(order, item));
    rest.sort_by_key(|item| place(server_order, item).unwrap_or(usize::MAX));
    let mut merged = Vec::with_capacity(named.len() + rest.len());
    let mut named = named.into_iter().peekable();
    for item in rest {
        let mine = place(server_order, &item);
        while let Some(next) = named.peek() {
            match (mine, place(server_order, next)) {
                (Some(mine), Some(theirs)) if mine < theirs => break,
                _ => merged.extend(named.next()),
            }
        }
        merged.push(item);
    }
    merged.extend(named);
    merged
}

/// A value of a patch as it is stored where nothing was: without directives
/// and nulls. None if it only asks for deletion.
fn stripped(value: &Value) -> Option<Value> {
    match value {
        Value::Object(fields) if fields.get(DIRECTIVE).and_then(Value::as_str) == Some("delete") => None,
        Value::Object(fields) => Some(Value::Object(stripped_object(fields))),
        Value::Array(items) => Some(Value::Array(items.iter().filter_map(stripped).collect())),
        other => Some(other.clone()),
    }
}

fn stripped_object(fields: &Fields) -> Fields {
    let kept = fields.iter().filter(|(name, value)| !name.starts_with('$') && !value.is_null());
    kept.filter_map(|(name, value)| Some((name.clone(), stripped(value)?))).collect()
}
