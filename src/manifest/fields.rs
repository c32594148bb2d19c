//! A reader of decoded objects that knows where it is.

use super::problems::join;
use crate::api::Labels;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The fields of one decoded object and its path. Types have been checked by
/// [`decode`](super::shape::decode), so that reading cannot fail: what is not
/// there reads as zero.
#[derive(Clone)]
pub(super) struct Fields<'a> {
    map: Option<&'a Map<String, Value>>,
    path: String,
}

impl<'a> Fields<'a> {
    /// Reads an object at a path; the top of a document has an empty one.
    pub(super) fn new(value: &'a Value, path: impl Into<String>) -> Fields<'a> {
        Fields { map: value.as_object(), path: path.into() }
    }

    /// The object's own path.
    pub(super) fn here(&self) -> &str {
        &self.path
    }

    /// The path of one of its fields.
    pub(super) fn path(&self, name: &str) -> String {
        join(&self.path, name)
    }

    /// The path of an entry of one of its mappings.
    pub(super) fn entry_path(&self, name: &str, key: &str) -> String {
        format!("{}[{key}]", self.path(name))
    }

    /// The field as it is.
    pub(super) fn get(&self, name: &str) -> Option<&'a Value> {
        self.map.and_then(|m| m.get(name))
    }

    /// The names of the fields that are there.
    pub(super) fn names(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.map.into_iter().flat_map(|m| m.keys().map(String::as_str))
    }

    /// Whether the field is there.
    pub(super) fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// A string; empty if it is not there.
    pub(super) fn text(&self, name: &str) -> &'a str {
        self.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// A whole number, if it is there.
    pub(super) fn int(&self, name: &str) -> Option<i64> {
        self.get(name).and_then(Value::as_i64)
    }

    /// A whole number of 32 bits, or the default.
    pub(super) fn int32(&self, name: &str, default: i32) -> i32 {
        self.int(name).and_then(|n| i32::try_from(n).ok()).unwrap_or(default)
    }

    /// True or false; false if it is not there.
    pub(super) fn bool(&self, name: &str) -> bool {
        self.get(name).and_then(Value::as_bool).unwrap_or_default()
    }

    /// An object in this one, empty if it is not there.
    pub(super) fn object(&self, name: &str) -> Fields<'a> {
        Fields { map: self.get(name).and_then(Value::as_object), path: self.path(name) }
    }

    /// The objects of a list, each with its index in its path.
    pub(super) fn objects(&self, name: &str) -> Vec<Fields<'a>> {
        let items = self.list(name).iter().enumerate();
        items.map(|(i, v)| Fields::new(v, format!("{}[{i}]", self.path(name)))).collect()
    }

    /// The items of a list.
    pub(super) fn list(&self, name: &str) -> &'a [Value] {
        self.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    /// The strings of a list.
    pub(super) fn texts(&self, name: &str) -> Vec<String> {
        self.list(name).iter().filter_map(Value::as_str).map(str::to_string).collect()
    }

    /// The entries of a mapping to strings.
    pub(super) fn entries(&self, name: &str) -> BTreeMap<String, String> {
        let map = self.get(name).and_then(Value::as_object).into_iter().flatten();
        map.filter_map(|(k, v)| Some((k.clone(), v.as_str()?.to_string()))).collect()
    }

    /// A mapping that is a set of labels.
    pub(super) fn labels(&self, name: &str) -> Labels {
        Labels(self.entries(name).into_iter().collect())
    }
}
