//! Fields of a scenario and of its manifests, set from outside:
//! `--set deployment/web.maxSurge=0,1,25%`.
//!
//! A field is named by where it stands. `deployment/web.maxSurge` is a field
//! of an object, the usual ones by their short names; it is set wherever the
//! object is written, so that a later `apply` does not take it back. All
//! other names are fields of the scenario's `spec`: `duration`,
//! `cluster.zones.a.nodes`, `actions.ship.at`, `pods.ready.p99`.

mod path;
mod pods;

use super::compile;
use super::file::{API_VERSION, KIND};
use super::load::Loaded;
use super::suggest;
use super::typed;
use super::yaml;
use crate::api::Kind;
use crate::error::Problem;
use serde_json::{Value, json};
use std::path::Path;

/// More values than this in one range are a slip of the keyboard.
const LONGEST_RANGE: i64 = 10_000;

/// The fields of objects that are set most.
const SHORT_NAMES: [&str; 24] = [
    "activeDeadlineSeconds",
    "backoffLimit",
    "completions",
    "concurrencyPolicy",
    "image",
    "limits",
    "maxSurge",
    "maxUnavailable",
    "minReadySeconds",
    "parallelism",
    "partition",
    "paused",
    "podManagementPolicy",
    "progressDeadlineSeconds",
    "replicas",
    "requests",
    "resources",
    "revisionHistoryLimit",
    "schedule",
    "startingDeadlineSeconds",
    "suspend",
    "terminationGracePeriodSeconds",
    "timeZone",
    "ttlSecondsAfterFinished",
];

/// Where how pods behave is written; its fields are found in ways of their own.
const PODS: &str = "spec.pods";

/// A field and the values that it takes, one after the other.
#[derive(Clone, PartialEq, Debug)]
pub struct Setting {
    /// The field, such as `deployment/web.maxSurge`.
    pub field: String,
    /// At least one value.
    pub values: Vec<Choice>,
}

/// One value of a field.
#[derive(Clone, PartialEq, Debug)]
pub struct Choice {
    /// As it was typed.
    pub text: String,
    /// As a manifest would hold it; null takes the field away.
    pub value: Value,
}

impl Setting {
    /// Reads `FIELD=VALUE,VALUE,…`. Values are YAML; whole numbers may be
    /// given as a range, `1..5`. Commas within brackets and quotes belong to
    /// the value.
    ///
    /// # Errors
    /// What is wrong with the text.
    pub fn parse(text: &str) -> Result<Setting, Problem> {
        let example = "write it as deployment/web.maxSurge=0,1,25%";
        let Some((field, values)) = text.split_once('=') else {
            return Err(Problem::new(format!("`{text}` sets nothing")).with_hint(example));
        };
        let field = field.trim();
        if field.is_empty() {
            return Err(Problem::new(format!("`{text}` names no field")).with_hint(example));
        }
        let mut all = Vec::new();
        for value in split(values) {
            all.extend(choices(value.trim()).map_err(|p| p.in_field(field))?);
        }
        Ok(Setting { field: field.to_string(), values: all })
    }
}

/// The parts between commas that are not within brackets or quotes.
fn split(text: &str) -> Vec<&str> {
    let (mut parts, mut start, mut depth, mut quote) = (Vec::new(), 0, 0_usize, None);
    for (i, c) in text.char_indices() {
        match (quote, c) {
            (Some(open), _) if open == c => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, '{' | '[') => depth += 1,
            (None, '}' | ']') => depth = depth.saturating_sub(1),
            (None, ',') if depth == 0 => {
                parts.push(&text[start..i]);
                start = i + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

/// One value, or all of a range.
fn choices(text: &str) -> Result<Vec<Choice>, Problem> {
    if let Some((low, high)) = text.split_once("..")
        && let (Ok(low), Ok(high)) = (low.parse::<i64>(), high.parse::<i64>())
    {
        if low > high || high - low >= LONGEST_RANGE {
            let message = format!("`{text}` is not a range of at most {LONGEST_RANGE} whole numbers");
            return Err(Problem::new(message).with_hint("write the smaller end first, such as 1..5"));
        }
        return Ok((low..=high).map(|n| Choice { text: n.to_string(), value: n.into() }).collect());
    }
    let wrong = |message: String| Problem::new(format!("`{text}` is not a value: {message}"));
    let value = if text.starts_with(['{', '[', '"', '\'']) {
        let read = yaml::read(Path::new("--set"), &format!("value: {text}"))
            .map_err(|problems| wrong(problems.into_iter().next().map(|p| p.message).unwrap_or_default()))?;
        read.documents.into_iter().next().and_then(|d| d.value.get("value").cloned()).unwrap_or(Value::Null)
    } else {
        yaml::scalar(text).map_err(wrong)?
    };
    Ok(vec![Choice { text: text.to_string(), value }])
}

/// A scenario with fields set to values, later ones over earlier ones. Its
/// arguments give the same scenario again.
///
/// # Errors
/// Fields that do not exist, and values that the scenario file cannot hold.
/// What a manifest cannot hold is found when it is compiled.
pub fn apply(loaded: &Loaded, chosen: &[(&str, &Choice)]) -> Result<Loaded, Vec<Problem>> {
    let mut loaded = loaded.clone();
    let mut scenario = loaded.document.as_ref().map(|d| d.value.clone());
    let (mut problems, mut places) = (Vec::new(), Vec::new());
    for (field, choice) in chosen {
        let said = format!("--set {field}={}", choice.text);
        match set(&mut loaded, &mut scenario, field, &choice.value, &said) {
            Ok(place) => places.push((place, said)),
            Err(problem) => problems.push(problem.in_field(said)),
        }
        loaded.arguments.extend(["--set".to_string(), format!("{field}={}", choice.text)]);
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    if let Some(value) = scenario {
        let said_by = |mut problem: Problem| {
            let field = problem.field.clone().unwrap_or_default();
            let set = places.iter().rev().find(|(place, _)| field.starts_with(place.as_str()) && !place.is_empty());
            if let Some((_, said)) = set {
                problem = problem.in_field(said.clone());
            }
            problem
        };
        let typed = typed::parse(&value).map_err(|problems| problems.into_iter().map(said_by).collect::<Vec<_>>());
        loaded.file = Some(typed?);
        if let Some(document) = &mut loaded.document {
            document.value = value;
        }
    }
    Ok(loaded)
}

/// The same with settings of one value each, as a command line gives them.
///
/// # Errors
/// Settings with several values, and what [`apply`] refuses.
pub fn apply_each(loaded: &Loaded, settings: &[Setting]) -> Result<Loaded, Vec<Problem>> {
    let single = |setting: &Setting| match &setting.values[..] {
        [one] => Ok((setting.field.clone(), one.clone())),
        several => {
            let message = format!("{} gets {} values, and there is one run", setting.field, several.len());
            Err(vec![Problem::new(message).with_hint("`seatrial sweep` tries several values")])
        }
    };
    let chosen: Vec<(String, Choice)> = settings.iter().map(single).collect::<Result<_, _>>()?;
    apply(loaded, &chosen.iter().map(|(field, choice)| (field.as_str(), choice)).collect::<Vec<_>>())
}

/// The kind, namespace and name of the object that a field belongs to, if it
/// belongs to one of a kind that is simulated.
pub fn object_of(loaded: &Loaded, field: &str) -> Option<(Kind, String, String)> {
    let scenario = loaded.document.as_ref().map_or(&Value::Null, |d| &d.value);
    match find(loaded, scenario, field).ok()? {
        Place::Object(object, _) => Some((Kind::parse(&object.kind)?, object.namespace, object.name)),
        Place::Scenario(_) => None,
    }
}

/// What stands in a field as it was written, if it is there.
pub fn written(loaded: &Loaded, field: &str) -> Option<Value> {
    let scenario = loaded.document.as_ref().map(|d| d.value.clone()).unwrap_or_default();
    match find(loaded, &scenario, field).ok()? {
        Place::Scenario(field) => match field.strip_prefix(PODS) {
            Some(rest) => pods::written(scenario.pointer("/spec/pods")?, rest),
            None => path::get(&scenario, &field).cloned(),
        },
        Place::Object(object, rest) => {
            let rest = object.field(&rest);
            let mut all = loaded.manifests.iter().map(|d| &d.value).chain(inline(&scenario));
            all.find(|value| object.is(value)).and_then(|value| path::get(value, &rest)).cloned()
        }
    }
}

/// Where a field stands.
enum Place {
    /// In the scenario file, below this path.
    Scenario(String),
    /// In an object, below this path as it was typed.
    Object(Name, String),
}

/// An object by its name.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Name {
    kind: String,
    namespace: String,
    name: String,
}

impl Name {
    fn of(value: &Value) -> Option<Name> {
        let text = |pointer: &str| value.pointer(pointer).and_then(Value::as_str);
        let namespace = text("/metadata/namespace").unwrap_or("default").to_string();
        Some(Name { kind: text("/kind")?.to_lowercase(), namespace, name: text("/metadata/name")?.to_string() })
    }

    fn is(&self, value: &Value) -> bool {
        Name::of(value).as_ref() == Some(self)
    }

    /// What follows this object's name in a field.
    fn rest<'f>(&self, field: &'f str) -> Option<&'f str> {
        let (first, rest) = field.split_once('/')?;
        let kind = |word: &str| word.to_lowercase() == self.kind || Kind::parse(word) == Kind::parse(&self.kind);
        let known = |word: &str| Kind::parse(word).is_some() || word.to_lowercase() == self.kind;
        let name = if known(first) && kind(first) {
            rest
        } else {
            let (second, name) = rest.split_once('/')?;
            (first == self.namespace && known(second) && kind(second)).then_some(name)?
        };
        name.strip_prefix(&self.name)?.strip_prefix('.')
    }

    /// A field by its place in the manifest, where it was given by its short
    /// name.
    fn field(&self, short: &str) -> String {
        let first = short.split(['.', '[']).next().unwrap_or(short);
        let (spec, template) = match self.kind.as_str() {
            "cronjob" => ("spec.jobTemplate.spec", "spec.jobTemplate.spec.template.spec"),
            "pod" => ("spec", "spec"),
            _ => ("spec", "spec.template.spec"),
        };
        match (self.kind.as_str(), first) {
            (_, "apiVersion" | "kind" | "metadata" | "spec") => short.to_string(),
            ("deployment", "maxSurge" | "maxUnavailable") => format!("spec.strategy.rollingUpdate.{short}"),
            ("statefulset" | "daemonset", "maxSurge" | "maxUnavailable" | "partition") => {
                format!("spec.updateStrategy.rollingUpdate.{short}")
            }
            (_, "image" | "resources") => format!("{template}.containers[0].{short}"),
            (_, "requests" | "limits") => format!("{template}.containers[0].resources.{short}"),
            (_, "terminationGracePeriodSeconds" | "containers" | "nodeSelector" | "affinity" | "tolerations") => {
                format!("{template}.{short}")
            }
            (
                "cronjob",
                "parallelism" | "completions" | "backoffLimit" | "activeDeadlineSeconds" | "ttlSecondsAfterFinished",
            ) => format!("{spec}.{short}"),
            _ => format!("spec.{short}"),
        }
    }

    /// The short name that a misspelt one is nearest to.
    fn advice(&self, short: &str) -> Option<String> {
        let end = short.find(['.', '[']).unwrap_or(short.len());
        let (first, rest) = short.split_at(end);
        let near = suggest::nearest(first, SHORT_NAMES).filter(|near| *near != first)?;
        Some(format!("did you mean {}.{near}{rest}?", self.path()))
    }

    fn path(&self) -> String {
        let plain = format!("{}/{}", self.kind, self.name);
        if self.namespace == "default" { plain } else { format!("{}/{plain}", self.namespace) }
    }
}

/// The objects that stand in the scenario file itself.
fn inline(scenario: &Value) -> impl Iterator<Item = &Value> {
    let list = |pointer: &str| scenario.pointer(pointer).and_then(Value::as_array).into_iter().flatten();
    let applied = list("/spec/actions").filter_map(|a| a.get("apply"));
    let applied = applied.flat_map(|what| what.as_array().map_or(std::slice::from_ref(what), Vec::as_slice));
    list("/spec/objects").chain(applied).filter(|v| v.is_object())
}

/// Finds the object or the part of the scenario that a field belongs to.
fn find(loaded: &Loaded, scenario: &Value, field: &str) -> Result<Place, Problem> {
    if ["spec.", "kubernetes.", "metadata."].iter().any(|top| field.starts_with(top)) {
        return Ok(Place::Scenario(field.to_string()));
    }
    let documents = loaded.manifests.iter().chain(loaded.applied.values().flatten());
    let mut names: Vec<Name> = Vec::new();
    for name in documents.map(|d| &d.value).chain(inline(scenario)).filter_map(Name::of) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    // Names may hold dots, so the longest one that fits is meant.
    let fits = names.iter().filter_map(|name| Some((name, name.rest(field)?)));
    let mut fits: Vec<(&Name, &str)> = fits.collect();
    fits.sort_by_key(|(name, _)| std::cmp::Reverse(name.name.len()));
    match fits[..] {
        [(one, _), (other, _), ..] if one.name == other.name => {
            let message = format!("there are several {}/{}", one.kind, one.name);
            let hint = format!("write {}/{field}", one.namespace);
            Err(Problem::new(message).with_hint(hint))
        }
        [(name, rest), ..] => Ok(Place::Object(name.clone(), rest.to_string())),
        [] => {
            let object = field.split_once('.').map_or(field, |(object, _)| object);
            if !object.contains('/') {
                return Ok(Place::Scenario(format!("spec.{field}")));
            }
            let all: Vec<String> = names.iter().map(Name::path).collect();
            let mut problem = Problem::new(format!("there is no {object} in this scenario"));
            problem.hint = match suggest::nearest(object, all.iter().map(String::as_str)) {
                Some(near) => Some(format!("did you mean {near}?")),
                None => (1..=5).contains(&all.len()).then(|| format!("there is {}", all.join(", "))),
            };
            Err(problem)
        }
    }
}

/// Sets one field everywhere it stands, and answers where that is in the
/// scenario; nowhere if it is in an object.
fn set(
    loaded: &mut Loaded,
    scenario: &mut Option<Value>,
    field: &str,
    value: &Value,
    said: &str,
) -> Result<String, Problem> {
    let place = find(loaded, scenario.as_ref().unwrap_or(&Value::Null), field)?;
    match place {
        Place::Scenario(field) => {
            let scenario = scenario.get_or_insert_with(|| as_scenario(loaded));
            match field.strip_prefix(PODS).filter(|rest| rest.starts_with(['.', '['])) {
                Some(rest) => {
                    let batch = batch_of(loaded, scenario);
                    pods::set(path::child(path::child(scenario, "spec"), "pods"), rest, value, &batch)
                }
                None => path::set(scenario, &field, value),
            }
            .map(|()| field)
        }
        Place::Object(object, short) => {
            let rest = object.field(&short);
            let hint = object.advice(&short);
            let documents = loaded.manifests.iter_mut().chain(loaded.applied.values_mut().flatten());
            for document in documents.filter(|d| object.is(&d.value)) {
                path::set(&mut document.value, &rest, value).map_err(Problem::new)?;
                let (field, said, hint) = (rest.clone(), said.to_string(), hint.clone());
                document.note_set(yaml::SetField { field, said, hint });
            }
            match scenario {
                Some(scenario) => set_inline(scenario, &object, &rest, value),
                None => Ok(()),
            }
            .map(|()| String::new())
        }
    }
    .map_err(Problem::new)
}

/// The Jobs and CronJobs there are, as keys of `pods`.
fn batch_of(loaded: &Loaded, scenario: &Value) -> Vec<String> {
    let documents = loaded.manifests.iter().chain(loaded.applied.values().flatten());
    let names = documents.map(|d| &d.value).chain(inline(scenario)).filter_map(Name::of);
    names.filter(|name| matches!(name.kind.as_str(), "job" | "cronjob")).map(|name| name.path()).collect()
}

/// Sets a field of an object that stands in the scenario file itself.
fn set_inline(scenario: &mut Value, object: &Name, field: &str, value: &Value) -> Result<(), String> {
    let Some(spec) = scenario.get_mut("spec").and_then(Value::as_object_mut) else { return Ok(()) };
    let mut all: Vec<&mut Value> = Vec::new();
    for (key, list) in spec.iter_mut() {
        let Some(items) = list.as_array_mut() else { continue };
        match key.as_str() {
            "objects" => all.extend(items),
            "actions" => {
                for what in items.iter_mut().filter_map(|action| action.get_mut("apply")) {
                    match what {
                        Value::Array(several) => all.extend(several),
                        one => all.push(one),
                    }
                }
            }
            _ => {}
        }
    }
    all.into_iter().filter(|v| object.is(v)).try_for_each(|v| path::set(v, field, value))
}

/// Manifests without a scenario as the scenario that they stand for.
fn as_scenario(loaded: &Loaded) -> Value {
    let (title, actions, duration) = compile::rehearsed(&loaded.manifests);
    json!({
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": {"name": title},
        "spec": {"duration": duration, "actions": actions},
    })
}

#[cfg(test)]
mod tests;
