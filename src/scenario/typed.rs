//! Values to scenario files, with every mistake found at once.
//!
//! serde stops at the first mistake. So a mistake is noted, cut out of the
//! value, and the rest is read again, until nothing is wrong any more.

use super::file::{self, ScenarioFile};
use super::{form, suggest};
use crate::error::Problem;
use serde_json::Value;
use serde_path_to_error::Segment;
use std::collections::BTreeMap;

/// More mistakes than this in one document are not worth reading.
const MAX_PROBLEMS: usize = 20;

/// Reads a scenario file.
///
/// # Errors
/// What is wrong, with the fields' paths but not yet their positions.
pub(super) fn parse(value: &Value) -> Result<ScenarioFile, Vec<Problem>> {
    let mut value = value.clone();
    drop_empty(&mut value);
    let mut cuts = Cuts::default();
    let mut problems = Vec::new();
    loop {
        let error = match serde_path_to_error::deserialize::<_, ScenarioFile>(&value) {
            Ok(parsed) if problems.is_empty() => return Ok(parsed),
            Ok(_) => return Err(problems),
            Err(error) => error,
        };
        let path: Vec<Step> = error.path().iter().filter_map(Step::of).collect();
        let message = error.inner().to_string();
        let consequence = missing(&message).is_some_and(|field| cuts.has(&path, field));
        if !consequence {
            problems.push(problem(&cuts.original(&path), &message));
        }
        if problems.len() >= MAX_PROBLEMS || !cuts.cut(&mut value, &path) {
            return Err(problems);
        }
    }
}

/// Drops what stands there without a value, such as `actions:` with nothing
/// below it, at the top and under `spec`. Deeper down null may mean something.
fn drop_empty(value: &mut Value) {
    let Some(top) = value.as_object_mut() else { return };
    top.retain(|_, v| !v.is_null());
    if let Some(spec) = top.get_mut("spec").and_then(Value::as_object_mut) {
        spec.retain(|_, v| !v.is_null());
    }
}

/// One step of a field's path.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Step {
    Key(String),
    Index(usize),
}

impl Step {
    fn of(segment: &Segment) -> Option<Step> {
        match segment {
            Segment::Seq { index } => Some(Step::Index(*index)),
            Segment::Map { key } => Some(Step::Key(key.clone())),
            Segment::Enum { .. } | Segment::Unknown => None,
        }
    }
}

/// A path as people write it: `spec.pods[0].ready`.
fn render(path: &[Step]) -> String {
    let mut text = String::new();
    for step in path {
        match step {
            Step::Index(i) => text.push_str(&format!("[{i}]")),
            Step::Key(key) if text.is_empty() => text.push_str(key),
            Step::Key(key) => text.push_str(&format!(".{key}")),
        }
    }
    text
}

/// What has been cut out so far. Lists get shorter, so their indices move.
#[derive(Default)]
struct Cuts {
    /// Original indices that are gone, by the list's original path.
    items: BTreeMap<Vec<Step>, Vec<usize>>,
    /// Names that are gone, with their original path.
    names: Vec<Vec<Step>>,
}

impl Cuts {
    /// The path before anything was cut out.
    fn original(&self, path: &[Step]) -> Vec<Step> {
        let mut original: Vec<Step> = Vec::new();
        for step in path {
            let step = match step {
                Step::Key(key) => Step::Key(key.clone()),
                Step::Index(now) => {
                    let mut index = *now;
                    for gone in self.items.get(&original).into_iter().flatten() {
                        index += usize::from(*gone <= index);
                    }
                    Step::Index(index)
                }
            };
            original.push(step);
        }
        original
    }

    /// Whether this field was cut out.
    fn has(&self, parent: &[Step], field: &str) -> bool {
        let mut path = self.original(parent);
        path.push(Step::Key(field.to_string()));
        self.names.contains(&path)
    }

    /// Cuts one value out and says whether there was one.
    fn cut(&mut self, value: &mut Value, path: &[Step]) -> bool {
        let original = self.original(path);
        let Some((last, parents)) = path.split_last() else { return false };
        let mut holder = value;
        for step in parents {
            let next = match step {
                Step::Key(key) => holder.get_mut(key),
                Step::Index(index) => holder.get_mut(index),
            };
            let Some(next) = next else { return false };
            holder = next;
        }
        match (last, holder) {
            (Step::Key(key), Value::Object(map)) => {
                self.names.push(original);
                map.shift_remove(key).is_some()
            }
            (Step::Index(index), Value::Array(items)) if *index < items.len() => {
                items.remove(*index);
                let gone = self.items.entry(original[..original.len() - 1].to_vec()).or_default();
                if let Some(Step::Index(at)) = original.last() {
                    gone.push(*at);
                    gone.sort_unstable();
                }
                true
            }
            _ => false,
        }
    }
}

/// The field that serde says is missing.
fn missing(message: &str) -> Option<&str> {
    message.strip_prefix("missing field `")?.strip_suffix('`')
}

/// A problem in plain words, with a hint if a name is nearly right.
fn problem(path: &[Step], message: &str) -> Problem {
    let mut problem = Problem::new(plain(message));
    if !path.is_empty() {
        problem.field = Some(render(path));
    }
    problem.hint = hint(message).or_else(|| what_belongs_there(path, message));
    problem
}

/// Advice for a place where a mapping or a list should stand.
fn what_belongs_there(path: &[Step], message: &str) -> Option<String> {
    let (_, wanted) = message.strip_prefix("invalid type: ")?.rsplit_once(", expected ")?;
    if !(wanted.starts_with("struct ") || ["a map", "a sequence"].contains(&wanted)) {
        return None;
    }
    let steps: Vec<String> = path.iter().map(|step| render(std::slice::from_ref(step))).collect();
    let steps: Vec<&str> = steps.iter().map(|step| step.trim_matches(['[', ']'])).collect();
    form::advice(&file::schema(), &steps)
}

/// serde's words for types, in words that users of YAML know.
fn plain(message: &str) -> String {
    if let Some(rest) = message.strip_prefix("invalid value: integer `")
        && let Some((number, _)) = rest.split_once('`')
    {
        return format!("{number} is out of range");
    }
    if message.starts_with("unknown ") {
        return message.split(", expected").next().unwrap_or(message).to_string();
    }
    let Some(rest) = message.strip_prefix("invalid type: ") else { return message.to_string() };
    let (found, wanted) = rest.rsplit_once(", expected ").unwrap_or((rest, "something else"));
    let wanted = match wanted {
        "u32" | "u64" | "usize" => "a whole number from 0",
        "i32" | "i64" => "a whole number",
        "a sequence" => "a list",
        "a map" => "a mapping",
        "a string" => "a string (a text)",
        other if other.starts_with("struct ") => "a mapping",
        other => other,
    };
    let found = found.replace("sequence", "a list").replace("map", "a mapping").replace("string ", "the text ");
    let found =
        found.replace("boolean ", "").replace("integer ", "the number ").replace("floating point ", "the number ");
    format!("expected {wanted}, found {found}")
}

/// Advice for names that do not exist.
fn hint(message: &str) -> Option<String> {
    let known = message.strip_prefix("unknown field `").or_else(|| message.strip_prefix("unknown variant `"))?;
    let (name, rest) = known.split_once('`')?;
    let elsewhere = match name {
        _ if name.contains(')') => Some("within {…} a claim with a comma needs quotes"),
        "events" => Some("timed actions stand under `actions`"),
        "expect" => Some("documented bad outcomes stand under `expects`, everything else under `assert`"),
        "assert" | "expects" if message.contains("`controlPlane`") => {
            Some("`assert` and `expects` stand beside `spec`, not in it")
        }
        "true" | "false" => Some("an unquoted y, n, yes, no, on or off is read as true or false"),
        _ => None,
    };
    if let Some(advice) = elsewhere {
        return Some(advice.to_string());
    }
    let candidates = rest.split('`').skip(1).step_by(2);
    match suggest::nearest(name, candidates) {
        Some(near) => Some(format!("did you mean `{near}`?")),
        None => rest.strip_prefix(", ").map(str::to_string),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(spec: &Value, wanted: &[&str]) {
        let value = json!({"apiVersion": "seatrial/v1alpha1", "kind": "Scenario", "spec": spec});
        let found = match parse(&value) {
            Ok(_) => Vec::new(),
            Err(problems) => problems.iter().map(ToString::to_string).collect(),
        };
        assert_eq!(found, wanted);
    }

    #[test]
    fn every_mistake_is_found_at_once() {
        check(&json!({"seed": 3, "pods": [{"ready": "8s"}]}), &[]);
        check(
            &json!({
                "sede": 3,
                "duration": "5",
                "cluster": {"zones": {"a": {"nodes": "three"}, "b": {"cpu": 1}}},
                "actions": [
                    {"at": "5x"},
                    {"at": "1s", "setImgae": {}},
                    {"at": "1s", "scale": {"deployment/web": -1}},
                    {"at": "2s", "delete": {"object": "a", "cascade": "orphans"}},
                ],
            }),
            &[
                "spec.sede: unknown field `sede` (did you mean `seed`?)",
                "spec.duration: `5` has no unit; write 5s for seconds",
                "spec.cluster.zones.a.nodes: expected a whole number from 0, found the text \"three\"",
                "spec.cluster.zones.b: missing field `nodes`",
                "spec.actions[0].at: `5x` is not a duration; write one such as 90s, 1m30s or 250ms",
                "spec.actions[1].setImgae: unknown field `setImgae` (did you mean `setImage`?)",
                "spec.actions[2].scale.deployment/web: -1 is out of range",
                "spec.actions[3].delete.cascade: unknown variant `orphans` (did you mean `orphan`?)",
            ],
        );
    }

    #[test]
    fn advice_fits() {
        for (spec, wanted) in [
            (json!({"events": []}), "timed actions stand under `actions`"),
            (json!({"assert": []}), "stand beside `spec`"),
            (json!({"pods": {"*": {"raedy": "1s"}}}), "did you mean `ready`?"),
            (json!({"pods": [{"start": {"lognormla": {}}}]}), "did you mean `lognormal`?"),
            (json!({"cluster": {"zones": [1]}}), "expected a mapping, found a list"),
            (json!({"pods": {"*": {"Available) == True": null}}}), "within {…} a claim with a comma needs quotes"),
            (json!({"pods": "x"}), "expected a list of pod entries"),
        ] {
            let value = json!({"apiVersion": "seatrial/v1alpha1", "kind": "Scenario", "spec": spec});
            let found = parse(&value).unwrap_err()[0].to_string();
            assert!(found.contains(wanted), "{found}");
        }
    }
}
