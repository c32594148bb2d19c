//! Everything that is wrong with an object, in the API server's words.

use crate::error::Problem;
use serde_json::Value;

/// The problems of one object, collected over all passes.
#[derive(Default)]
pub(super) struct Problems {
    list: Vec<Problem>,
    /// Fields whose value was not understood or was written elsewhere by
    /// mistake. What else would be said of them is a consequence, not news.
    broken: Vec<String>,
}

/// `a.b`, or `b` at the top.
pub(super) fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_string() } else { format!("{path}.{name}") }
}

/// Whether `inner` is `outer` or a field in it.
fn within(inner: &str, outer: &str) -> bool {
    inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || outer.is_empty() || rest.starts_with(['.', '[']))
}

impl Problems {
    /// A field that could not be decoded.
    pub(super) fn structural(&mut self, path: &str, message: String, hint: Option<String>) {
        self.broken.push(path.to_string());
        self.list.push(Problem { message, hint, ..Problem::default() }.in_field(path));
    }

    /// A value that is wrong in itself, so that nothing follows from it.
    pub(super) fn broken_by(&mut self, path: &str, message: String, hint: Option<String>) {
        if !self.is_broken(path) {
            self.structural(path, message, hint);
        }
    }

    /// Notes a field that is missing because of a mistake already reported.
    pub(super) fn suspect(&mut self, path: String) {
        self.broken.push(path);
    }

    /// Whether the field, something in it or something around it is broken.
    pub(super) fn is_broken(&self, path: &str) -> bool {
        self.broken.iter().any(|b| within(b, path) || within(path, b))
    }

    /// Adds a problem unless it follows from an earlier one.
    pub(super) fn add(&mut self, path: &str, message: impl Into<String>) {
        self.push(path, message.into(), None);
    }

    /// Adds a problem with advice unless it follows from an earlier one.
    pub(super) fn add_with_hint(&mut self, path: &str, message: impl Into<String>, hint: impl Into<String>) {
        self.push(path, message.into(), Some(hint.into()));
    }

    fn push(&mut self, path: &str, message: String, hint: Option<String>) {
        if !self.is_broken(path) {
            self.list.push(Problem { message, hint, ..Problem::default() }.in_field(path));
        }
    }

    /// `Required value`.
    pub(super) fn required(&mut self, path: &str, detail: &str) {
        self.add(path, required(detail));
    }

    /// `Forbidden`.
    pub(super) fn forbidden(&mut self, path: &str, detail: &str) {
        self.add(path, format!("Forbidden: {detail}"));
    }

    /// `Duplicate value`.
    pub(super) fn duplicate(&mut self, path: &str, value: &str) {
        self.add(path, format!("Duplicate value: {value:?}"));
    }

    /// `Invalid value`.
    pub(super) fn invalid(&mut self, path: &str, value: impl Into<Value>, detail: &str) {
        self.add(path, invalid(value, detail));
    }

    /// `Invalid value` once for each thing that is wrong with a text.
    pub(super) fn invalid_text(&mut self, path: &str, value: &str, details: &[String]) {
        for detail in details {
            self.invalid(path, value, detail);
        }
    }

    /// `Invalid value` for a number below zero.
    ///
    /// Upstream: `pkg/apis/core/validation/validation.go ValidateNonnegativeField`
    pub(super) fn not_negative(&mut self, path: &str, value: i64) {
        if value < 0 {
            self.invalid(path, value, "must be greater than or equal to 0");
        }
    }

    /// `Unsupported value` unless the value is one of the supported ones.
    pub(super) fn one_of(&mut self, path: &str, value: &str, supported: &[&str]) -> bool {
        if supported.contains(&value) {
            return true;
        }
        let list: Vec<String> = supported.iter().map(|s| format!("{s:?}")).collect();
        let hint = super::suggest::closest(value, supported.iter().copied());
        let hint = hint.map(|s| format!("did you mean {s:?}?"));
        self.push(path, format!("Unsupported value: {value:?}: supported values: {}", list.join(", ")), hint);
        false
    }

    /// The problems, or the value if there are none.
    pub(super) fn finish<T>(self, value: T) -> Result<T, Vec<Problem>> {
        if self.list.is_empty() { Ok(value) } else { Err(self.list) }
    }
}

/// `Invalid value: …: detail`.
pub(super) fn invalid(value: impl Into<Value>, detail: &str) -> String {
    format!("Invalid value: {}: {detail}", value.into())
}

/// `Required value`, with its detail if there is one.
pub(super) fn required(detail: &str) -> String {
    if detail.is_empty() { "Required value".to_string() } else { format!("Required value: {detail}") }
}
