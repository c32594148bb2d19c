//! A recorded case as its file has it.

use super::compare::Freedom;
use super::entry::{Entry, Sent};
use super::envelope::Envelope;
use crate::error::{Error, Position, Problem};
use serde::Deserialize;
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// A case: what was put into the real controllers and what came out.
#[derive(Clone, PartialEq, Debug)]
pub struct Case {
    /// Its name, that of its file.
    pub name: String,
    /// The group of cases it belongs to.
    pub group: String,
    /// What it is about, in a sentence.
    pub about: String,
    /// The manifests that are applied at the beginning, in order.
    pub objects: Vec<Json>,
    /// Nodes, pods and settings.
    pub environment: Environment,
    /// What is done when, in order of time.
    pub actions: Vec<CaseAction>,
    /// Where the recording ends, in milliseconds; inclusive.
    pub until_ms: u64,
    /// What came out.
    pub expected: Expected,
}

/// What came out of the real controllers.
#[derive(Clone, PartialEq, Debug)]
pub enum Expected {
    /// Every write.
    Trace {
        /// The entries, sorted.
        entries: Vec<Entry>,
        /// The Kubernetes Events.
        events: Vec<Sent>,
        /// What the recording leaves open.
        freedom: Freedom,
    },
    /// Curves: with limited clients single writes differ from run to run.
    Envelope(Envelope),
}

/// `environment` of a case.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Environment {
    /// The wall time at the beginning, RFC 3339.
    pub start: String,
    /// The controllers that run; empty for the usual ones.
    #[serde(default)]
    pub controllers: Vec<String>,
    /// Feature gates that differ from the defaults.
    #[serde(default, rename = "featureGates")]
    pub feature_gates: BTreeMap<String, bool>,
    /// `kube-scheduler`, or absent for the simple one.
    #[serde(default)]
    pub scheduler: Option<String>,
    /// The nodes.
    pub nodes: Vec<CaseNode>,
    /// How pods behave.
    #[serde(default)]
    pub pods: Vec<CaseProfile>,
    /// Metrics for the horizontal autoscaler.
    #[serde(default)]
    pub metrics: Vec<CaseMetrics>,
}

/// What the metrics APIs show from a moment on; the whole of it.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseMetrics {
    /// From when, in milliseconds.
    pub at_ms: u64,
    /// CPU of all pods of a target together.
    #[serde(default)]
    pub total_cpu_milli: Option<i64>,
    /// The value of any external metric.
    #[serde(default)]
    pub external_milli: Option<i64>,
    /// Says that there are no metrics; the same as saying nothing.
    #[serde(default)]
    pub missing: bool,
}

/// A node of a case.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseNode {
    /// The name.
    pub name: String,
    /// The zone; empty for none.
    #[serde(default)]
    pub zone: String,
    /// Allocatable CPU, a quantity.
    pub cpu: String,
    /// Allocatable memory, a quantity.
    pub memory: String,
    /// Allocatable pods.
    pub pods: u32,
    /// Labels beside the usual ones.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// Taints.
    #[serde(default)]
    pub taints: Vec<crate::api::Taint>,
}

/// A pod profile of a case; times in milliseconds, -1 for never.
#[derive(Clone, PartialEq, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseProfile {
    /// Which pods.
    #[serde(default, rename = "match")]
    pub matches: CaseMatch,
    /// Creation until scheduling.
    #[serde(default)]
    pub schedule_ms: Option<i64>,
    /// Binding until running.
    #[serde(default)]
    pub start_ms: Option<i64>,
    /// Running until ready.
    #[serde(default)]
    pub ready_ms: Option<i64>,
    /// SIGTERM until the end.
    #[serde(default)]
    pub terminate_ms: Option<i64>,
    /// Exits by itself after each start.
    #[serde(default)]
    pub crash: Option<CaseCrash>,
    /// Works for a while and exits.
    #[serde(default)]
    pub run: Option<CaseRun>,
}

/// `match` of a profile: every given key must fit.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseMatch {
    /// The top-level owner.
    #[serde(default)]
    pub workload: Option<String>,
    /// The first container's image.
    #[serde(default)]
    pub image: Option<String>,
    /// The node.
    #[serde(default)]
    pub node: Option<String>,
    /// Creation number, ordinal or completion index.
    #[serde(default)]
    pub n: Option<u32>,
}

/// `crash` of a profile.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseCrash {
    /// Milliseconds from each start to the exit.
    pub after_ms: i64,
    /// The exit code.
    pub exit: i32,
    /// How many starts end so; 0 for all.
    #[serde(default)]
    pub times: u32,
}

/// `run` of a profile.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseRun {
    /// Seconds from each start to the exit.
    pub seconds: f64,
    /// Exit codes by attempt, the last one repeated.
    #[serde(default)]
    pub exit: Vec<i32>,
    /// Seconds by attempt instead.
    #[serde(default)]
    pub seconds_by_attempt: Vec<f64>,
    /// Exit codes by completion index.
    #[serde(default)]
    pub index_exit: BTreeMap<String, Vec<i32>>,
    /// Seconds by completion index.
    #[serde(default)]
    pub index_seconds: BTreeMap<String, f64>,
}

/// An action of a case; which keys it has depends on `verb`.
#[derive(Clone, PartialEq, Debug, Deserialize)]
pub struct CaseAction {
    /// When, in milliseconds.
    pub at_ms: u64,
    /// What is done, such as `setImage`.
    #[serde(rename = "do")]
    pub verb: String,
    /// The other keys.
    #[serde(flatten)]
    pub keys: BTreeMap<String, Json>,
}

impl CaseAction {
    /// `<do> <kind>/<name>`, the way recordings name a refused action.
    pub fn name(&self) -> String {
        let text = |key: &str| self.keys.get(key).and_then(Json::as_str);
        let object = self.keys.get("object");
        let of_object = |pointer: &str| object.and_then(|o| o.pointer(pointer)).and_then(Json::as_str);
        let (kind, name) = match (text("kind"), text("name"), text("node"), text("pod")) {
            (Some(kind), Some(name), _, _) => (kind, name),
            // Only Deployments are rolled back, so the file does not say so.
            (None, Some(name), _, _) => ("Deployment", name),
            (_, None, Some(node), _) => ("Node", node),
            (_, None, None, Some(pod)) => ("Pod", pod),
            _ => (of_object("/kind").unwrap_or(""), of_object("/metadata/name").unwrap_or("")),
        };
        format!("{} {kind}/{name}", self.verb)
    }
}

/// The file as it is.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    name: String,
    group: String,
    #[serde(default)]
    about: String,
    #[serde(default, rename = "source")]
    _source: String,
    objects: Vec<Json>,
    environment: Environment,
    #[serde(default)]
    actions: Vec<CaseAction>,
    until_ms: u64,
    #[serde(default, rename = "runs")]
    _runs: u32,
    #[serde(default)]
    unstable: Vec<String>,
    #[serde(default)]
    trace: Option<Vec<Json>>,
    #[serde(default)]
    events: Vec<Json>,
    #[serde(default)]
    envelope: Option<Envelope>,
}

impl Case {
    /// Reads a case file.
    ///
    /// # Errors
    /// The first thing that is not as it should be, with its place if it is
    /// the JSON itself.
    pub fn parse(text: &str) -> Result<Case, Error> {
        let file: File = serde_json::from_str(text).map_err(|e| Problem {
            position: (e.line() > 0).then(|| Position { line: e.line(), column: e.column() }),
            ..Problem::new(e.to_string())
        })?;
        let expected = match (file.trace, file.envelope) {
            (Some(trace), None) => {
                let entries = read_all("trace", &trace, Entry::read)?;
                let events = read_all("events", &file.events, Sent::read)?;
                Expected::Trace { entries, events, freedom: freedom(&file.name, &file.group, &file.unstable)? }
            }
            (None, Some(envelope)) => Expected::Envelope(envelope),
            _ => return Err(Problem::new("a case has either a trace or an envelope").into()),
        };
        Ok(Case {
            name: file.name,
            group: file.group,
            about: file.about,
            objects: file.objects,
            environment: file.environment,
            actions: file.actions,
            until_ms: file.until_ms,
            expected,
        })
    }

    /// `group/name`, by which reports call it.
    pub fn title(&self) -> String {
        format!("{}/{}", self.group, self.name)
    }

    /// The actions' names, for refused ones.
    pub fn action_names(&self) -> Vec<String> {
        self.actions.iter().map(CaseAction::name).collect()
    }
}

fn read_all<T>(field: &str, all: &[Json], read: fn(&Json) -> Result<T, String>) -> Result<Vec<T>, Error> {
    let read_one = |(i, json)| read(json).map_err(|e| Problem::new(e).in_field(format!("{field}[{i}]")).into());
    all.iter().enumerate().map(read_one).collect()
}

/// What a recording leaves open, from its `unstable` lines `trace: <JSON>` and
/// `events: <JSON>`, and from what is known of its kind.
fn freedom(name: &str, group: &str, unstable: &[String]) -> Result<Freedom, Error> {
    let mut freedom = Freedom {
        late_deletions: name == "delete-foreground",
        permuted_nodes: group == "scheduler",
        ..Freedom::default()
    };
    for (i, line) in unstable.iter().enumerate() {
        let wrong = |e: String| Problem::new(e).in_field(format!("unstable[{i}]"));
        let (list, json) = line.split_once(": ").ok_or_else(|| wrong("neither trace nor events".into()))?;
        let json: Json = serde_json::from_str(json).map_err(|e| wrong(e.to_string()))?;
        match list {
            "trace" => freedom.unstable.push(Entry::read(&json).map_err(wrong)?),
            "events" => freedom.unstable_events.push(Sent::read(&json).map_err(wrong)?),
            _ => return Err(wrong("neither trace nor events".into()).into()),
        }
    }
    Ok(freedom)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn small() -> Json {
        json!({
            "name": "small", "group": "deployment", "about": "", "source": "", "objects": [],
            "environment": {"start": "2026-01-05T00:00:00Z", "nodes": [], "pods": [{"match": {}, "start_ms": -1}]},
            "actions": [], "until_ms": 1000, "runs": 3,
            "unstable": ["trace: {\"event\": \"deleted\", \"object\": \"A/a\", \"t_ms\": 5}"],
            "trace": [{"event": "deleted", "object": "A/a", "t_ms": 5}],
            "events": [{"message": "m", "object": "A/a", "reason": "R", "t_ms": 0, "type": "Normal"}]
        })
    }

    #[test]
    fn a_case_is_read_whole() {
        let case = Case::parse(&small().to_string()).expect("a case");
        assert_eq!(case.title(), "deployment/small");
        let Expected::Trace { entries, events, freedom } = case.expected else { panic!("a trace") };
        assert_eq!((entries.len(), events.len()), (1, 1));
        assert_eq!(freedom.unstable, entries);
        assert!(!freedom.permuted_nodes && !freedom.late_deletions);
    }

    #[test]
    fn what_is_wrong_in_a_case_is_named() {
        for (key, value, wrong) in [
            ("trace", json!([{"event": "deleted", "t_ms": 5}]), "trace[0]: object is a string"),
            ("trace", json!(null), "a case has either a trace or an envelope"),
            ("unstable", json!(["what"]), "unstable[0]: neither trace nor events"),
            ("until_ms", json!(-1), "invalid value: integer `-1`, expected u64"),
            ("colour", json!(1), "unknown field `colour`"),
        ] {
            let mut file = small();
            file[key] = value;
            let error = Case::parse(&file.to_string()).expect_err(key).to_string();
            assert!(error.contains(wrong), "{error}");
        }
    }

    #[test]
    fn actions_are_named_as_recordings_do() {
        for (action, name) in [
            (json!({"at_ms": 1, "do": "setImage", "kind": "Deployment", "name": "web"}), "setImage Deployment/web"),
            (json!({"at_ms": 1, "do": "rollback", "name": "web", "toRevision": 1}), "rollback Deployment/web"),
            (json!({"at_ms": 1, "do": "cordon", "node": "a"}), "cordon Node/a"),
            (json!({"at_ms": 1, "do": "podFail", "pod": "web/1#0"}), "podFail Pod/web/1#0"),
            (json!({"at_ms": 1, "do": "apply", "object": {"kind": "Job", "metadata": {"name": "j"}}}), "apply Job/j"),
        ] {
            let action: CaseAction = serde_json::from_value(action).expect("an action");
            assert_eq!(action.name(), name);
        }
    }
}
