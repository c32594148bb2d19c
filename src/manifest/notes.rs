//! Names what a document says and the simulator does not hear.

use serde_json::Value;

/// Which fields are read, by path; list indices are written `[]`.
pub(super) struct Coverage {
    /// Fields that are read, with all that is in them.
    pub read: &'static [&'static str],
    /// Fields that decide nothing, whatever they say or if they say this.
    pub quiet: &'static [(&'static str, Option<&'static str>)],
    /// Why a field is not read and what that means.
    pub reasons: &'static [(&'static str, &'static str)],
}

/// The paths that are not read, each once, sorted, with their reasons.
pub(super) fn notes(value: &Value, prefix: &str, coverage: &Coverage) -> Vec<String> {
    let mut found = Vec::new();
    visit(value, "", coverage, true, &mut found);
    let mut found: Vec<String> = found.into_iter().map(|note| super::problems::join(prefix, &note)).collect();
    found.sort();
    found.dedup();
    found
}

/// `may_note` is false inside a field that has been noted already: there only
/// fields with reasons of their own are worth a word.
fn visit(value: &Value, path: &str, coverage: &Coverage, may_note: bool, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (name, child) in fields {
                field(child, &super::problems::join(path, name), coverage, may_note, found);
            }
        }
        Value::Array(items) => {
            for item in items {
                visit(item, &format!("{path}[]"), coverage, may_note, found);
            }
        }
        _ => {}
    }
}

fn field(value: &Value, path: &str, coverage: &Coverage, may_note: bool, found: &mut Vec<String>) {
    if coverage.read.contains(&path) || is_empty(value) {
        return;
    }
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_string);
    if coverage.quiet.iter().any(|(quiet, said)| *quiet == path && said.is_none_or(|s| s == text)) {
        return;
    }
    if let Some((_, reason)) = coverage.reasons.iter().find(|(known, _)| *known == path) {
        found.push(format!("{path}: {reason}"));
        return;
    }
    let leads_to =
        |known: &&str| known.strip_prefix(path).is_some_and(|rest| rest.starts_with('.') || rest.starts_with("[]"));
    let partly_read = coverage.read.iter().any(leads_to);
    if may_note && !partly_read {
        found.push(path.to_string());
    }
    visit(value, path, coverage, may_note && partly_read, found);
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        _ => false,
    }
}
