//! A recorded case as the simulator's input.

use super::case::{Case, CaseAction, CaseCrash, CaseMetrics, CaseNode, CaseProfile, CaseRun, Environment, Expected};
use crate::api::{Extras, FeatureGates, Kind, Labels, NodeSpec, Object, Resources, Taint, parse_quantity};
use crate::controllers::NodeLifecycleSwitch;
use crate::controllers::pod_gc::FINISHED_PODS;
use crate::environment::Delay;
use crate::error::{Error, Problem};
use crate::manifest;
use crate::sim::Setup;
use crate::sim::setup::{
    Action, ClientLimit, ControlPlane, Crash, DrainOptions, MetricPoint, PatchType, PodMatch, PodProfile, Propagation,
    Run, SchedulerChoice, Target, TimedAction,
};
use crate::time::{SimTime, Span, Timestamp};
use serde_json::Value as Json;
use std::fmt;
use std::sync::Arc;

/// The controllers that run when a case names none.
const USUAL_CONTROLLERS: [&str; 8] =
    ["deployment", "replicaset", "statefulset", "daemonset", "job", "cronjob", "ttl", "gc"];

/// Controllers that run if a case names them, beside the usual ones.
const MORE_CONTROLLERS: [&str; 4] = ["nodelifecycle", "podgc", "disruption", "hpa"];

/// The container of the recordings' pod templates, which their `setImage`
/// means without saying so.
const CONTAINER: &str = "app";

/// Why a case cannot be run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum NotRun {
    /// It needs something that the simulator does not have yet.
    NotModelled(String),
    /// It is not as a case should be.
    Invalid(Error),
}

impl fmt::Display for NotRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NotRun::NotModelled(what) => write!(f, "not modelled: {what}"),
            NotRun::Invalid(error) => write!(f, "not a valid case: {error}"),
        }
    }
}

impl From<Problem> for NotRun {
    fn from(problem: Problem) -> NotRun {
        NotRun::Invalid(problem.into())
    }
}

fn not_modelled<T>(what: impl Into<String>) -> Result<T, NotRun> {
    Err(NotRun::NotModelled(what.into()))
}

impl Case {
    /// The simulator's input.
    ///
    /// # Errors
    /// The first thing that is not modelled yet, or that is wrong.
    pub fn setup(&self) -> Result<Setup, NotRun> {
        let start =
            Timestamp::parse(&self.environment.start).map_err(|e| Problem::new(e).in_field("environment.start"))?;
        let objects = self.objects.iter().map(object).collect::<Result<_, _>>()?;
        self.unusual()?;
        Ok(Setup {
            title: self.title(),
            nodes: self.environment.nodes.iter().map(node).collect::<Result<_, _>>()?,
            objects,
            profiles: self.environment.pods.iter().map(profile).collect::<Result<_, _>>()?,
            actions: self.actions.iter().map(timed_action).collect::<Result<_, _>>()?,
            scheduler: match self.environment.scheduler {
                Some(_) => SchedulerChoice::KubeInOrder,
                None => SchedulerChoice::Simple,
            },
            control_plane: ControlPlane {
                feature_gates: gates(&self.environment)?,
                garbage_collector: runs(&self.environment, "gc"),
                client_limit: matches!(self.expected, Expected::Envelope(_)).then_some(ClientLimit::DEFAULT),
                node_lifecycle: listed(&self.environment, "nodelifecycle").then(NodeLifecycleSwitch::default),
                pod_gc: listed(&self.environment, "podgc").then_some(FINISHED_PODS),
                ..ControlPlane::default()
            },
            metrics: self.environment.metrics.iter().map(metric_point).collect(),
            ..Setup::new(start, SimTime::from_ms(self.until_ms))
        })
    }
}

fn metric_point(metrics: &CaseMetrics) -> MetricPoint {
    MetricPoint {
        at: SimTime::from_ms(metrics.at_ms),
        cpu_milli: metrics.total_cpu_milli.filter(|_| !metrics.missing),
        external_milli: metrics.external_milli.filter(|_| !metrics.missing),
    }
}

/// Whether a case has a controller run.
fn runs(environment: &Environment, controller: &str) -> bool {
    (environment.controllers.is_empty() && USUAL_CONTROLLERS.contains(&controller))
        || environment.controllers.iter().any(|c| c == controller)
}

/// Whether a case names a controller that does not usually run.
fn listed(environment: &Environment, controller: &str) -> bool {
    environment.controllers.iter().any(|c| c == controller)
}

/// What must not occur in a case without a controller, so that the simulator,
/// which has it run, does the same.
const WITHOUT: [(&str, &str); 9] = [
    ("disruption", "\"PodDisruptionBudget\""),
    ("hpa", "\"HorizontalPodAutoscaler\""),
    ("deployment", "\"Deployment\""),
    ("replicaset", "\"ReplicaSet\""),
    ("statefulset", "\"StatefulSet\""),
    ("daemonset", "\"DaemonSet\""),
    ("job", "Job\""),
    ("cronjob", "\"CronJob\""),
    ("ttl", "\"ttlSecondsAfterFinished\""),
];

impl Case {
    /// Refuses the settings that the simulator does not have.
    fn unusual(&self) -> Result<(), NotRun> {
        let environment = &self.environment;
        let listed = &environment.controllers;
        let modelled = |c: &str| USUAL_CONTROLLERS.contains(&c) || MORE_CONTROLLERS.contains(&c);
        if let Some(other) = listed.iter().find(|c| !modelled(c)) {
            return not_modelled(format!("controller {other}"));
        }
        let applied = self.actions.iter().filter_map(|action| action.keys.get("object"));
        let mentions = |word: &str| self.objects.iter().chain(applied.clone()).any(|o| o.to_string().contains(word));
        let mut missed = WITHOUT.iter().filter(|(controller, word)| !runs(environment, controller) && mentions(word));
        if let Some((absent, _)) = missed.next() {
            return not_modelled(format!("a run without controller {absent}"));
        }
        if let Some(scheduler) = environment.scheduler.as_deref().filter(|name| *name != "kube-scheduler") {
            return not_modelled(format!("scheduler {scheduler}"));
        }
        Ok(())
    }
}

fn gates(environment: &Environment) -> Result<FeatureGates, NotRun> {
    let mut gates = FeatureGates::default();
    match environment.feature_gates.iter().find(|(name, on)| !gates.set(name, **on)) {
        Some((unknown, _)) => not_modelled(format!("feature gate {unknown}")),
        None => Ok(gates),
    }
}

fn kind(text: &str) -> Result<Kind, NotRun> {
    Kind::parse(text).map_or_else(|| not_modelled(format!("kind {text}")), Ok)
}

fn object(json: &Json) -> Result<Object, NotRun> {
    kind(json.get("kind").and_then(Json::as_str).unwrap_or("without a name"))?;
    // A field that is not modelled and matters shows as a difference anyway.
    manifest::read(json).map(|loaded| loaded.object).map_err(|problems| NotRun::Invalid(Error { problems }))
}

fn node(node: &CaseNode) -> Result<NodeSpec, NotRun> {
    let quantity = |field: &str, text: &str| -> Result<i64, NotRun> {
        parse_quantity(text).map_err(|e| Problem::new(e).in_field(format!("node {}: {field}", node.name)).into())
    };
    Ok(NodeSpec {
        name: node.name.as_str().into(),
        zone: node.zone.as_str().into(),
        labels: Labels(node.labels.clone().into_iter().collect()),
        taints: node.taints.clone(),
        allocatable: Resources {
            cpu_milli: quantity("cpu", &node.cpu)?,
            memory_milli: quantity("memory", &node.memory)?,
            pods: i64::from(node.pods),
        },
        extras: Extras::default(),
    })
}

/// A delay in milliseconds; negative means never.
fn delay(ms: i64) -> Delay {
    u64::try_from(ms).map_or(Delay::Never, |ms| Delay::Constant(Span::from_ms(ms)))
}

/// A delay in seconds, cut to whole milliseconds.
fn delay_of_seconds(seconds: f64) -> Delay {
    delay((seconds * 1000.0).trunc() as i64)
}

fn profile(profile: &CaseProfile) -> Result<PodProfile, NotRun> {
    let name = |text: &Option<String>| text.as_deref().map(Arc::from);
    Ok(PodProfile {
        app: None,
        init: None,
        matches: PodMatch {
            namespace: None,
            workload: name(&profile.matches.workload),
            image: name(&profile.matches.image),
            node: name(&profile.matches.node),
            n: profile.matches.n,
            job: None,
        },
        schedule: profile.schedule_ms.map(delay),
        start: profile.start_ms.map(delay),
        ready: profile.ready_ms.map(delay),
        terminate: profile.terminate_ms.map(delay),
        crash: profile.crash.as_ref().map(crash),
        run: profile.run.as_ref().map(run).transpose()?,
        effects: None,
        memory: None,
    })
}

fn crash(crash: &CaseCrash) -> Crash {
    Crash { after: delay(crash.after_ms), exit: crash.exit, times: crash.times }
}

fn run(run: &CaseRun) -> Result<Run, NotRun> {
    let index = |text: &String| -> Result<u32, NotRun> {
        text.parse().map_err(|_| Problem::new("expected an index").in_field(format!("run: {text:?}")).into())
    };
    Ok(Run {
        duration: delay_of_seconds(run.seconds),
        exits: run.exit.clone(),
        durations: run.seconds_by_attempt.iter().copied().map(delay_of_seconds).collect(),
        index_exits: run.index_exit.iter().map(|(i, e)| Ok((index(i)?, e.clone()))).collect::<Result<_, NotRun>>()?,
        index_durations: run
            .index_seconds
            .iter()
            .map(|(i, &seconds)| Ok((index(i)?, delay_of_seconds(seconds))))
            .collect::<Result<_, NotRun>>()?,
        ..Run::default()
    })
}

fn timed_action(action: &CaseAction) -> Result<TimedAction, NotRun> {
    Ok(TimedAction { at: SimTime::from_ms(action.at_ms), action: Keys(action).action()? })
}

/// Reads the keys of an action.
struct Keys<'a>(&'a CaseAction);

impl Keys<'_> {
    fn action(&self) -> Result<Action, NotRun> {
        Ok(match self.0.verb.as_str() {
            "apply" => Action::Apply(object(self.need("object")?)?),
            "patch" => self.patch()?,
            "setImage" => Action::SetImage {
                target: self.target()?,
                container: Some(CONTAINER.to_string()),
                image: self.text("image")?,
            },
            "scale" => Action::Scale { target: self.target()?, replicas: self.read("replicas")? },
            "delete" => self.delete()?,
            "rollback" => Action::Rollback {
                target: Target { kind: Kind::Deployment, namespace: "default".into(), name: self.text("name")?.into() },
                to_revision: self.optional("toRevision")?.unwrap_or(0),
            },
            "cordon" => Action::Cordon(self.node()?),
            "uncordon" => Action::Uncordon(self.node()?),
            "drain" => Action::Drain(
                self.node()?,
                DrainOptions {
                    ignore_daemon_sets: true,
                    force: true,
                    delete_empty_dir_data: true,
                    ..Default::default()
                },
            ),
            "taint" => Action::Taint(self.node()?, self.read::<Taint>("taint")?),
            "untaint" => Action::Untaint(self.node()?, self.read::<Taint>("taint")?),
            "label" => Action::LabelNode(self.node()?, self.labels()?),
            "nodeAdd" => Action::NodeAdd(node(&self.read("spec")?)?),
            "nodeDelete" => Action::NodeDelete(self.node()?),
            "nodeFail" => Action::NodeFail(self.node()?),
            "nodeRecover" => Action::NodeRecover(self.node()?),
            "nodeReady" => Action::NodeReady(self.node()?, true),
            "nodeNotReady" => Action::NodeReady(self.node()?, false),
            "podReady" => Action::PodReady(self.text("pod")?),
            "podUnready" => Action::PodUnready(self.text("pod")?),
            "podCrash" => Action::PodCrash { pod: self.text("pod")?, exit: self.optional("exit")?.unwrap_or(1) },
            "podFail" => Action::PodFail { pod: self.text("pod")?, disruption: self.optional("disruption")? },
            "kcmDown" => Action::ControllersDown,
            "kcmUp" => Action::ControllersUp,
            other => return not_modelled(format!("action {other}")),
        })
    }

    fn patch(&self) -> Result<Action, NotRun> {
        if let Some(subresource) = self.optional::<String>("subresource")? {
            return not_modelled(format!("patch of subresource {subresource}"));
        }
        let patch_type = match self.optional::<String>("type")?.as_deref() {
            None | Some("strategic") => PatchType::Strategic,
            Some("merge") => PatchType::Merge,
            Some("json") => PatchType::Json,
            Some(other) => return not_modelled(format!("patch type {other}")),
        };
        Ok(Action::Patch { target: self.target()?, patch_type, patch: self.need("patch")?.clone() })
    }

    fn delete(&self) -> Result<Action, NotRun> {
        let grace_seconds = self.optional("gracePeriodSeconds")?;
        // Pods are named as in traces, not as in the API.
        if self.text("kind")? == "Pod" {
            return Ok(Action::DeletePods { pod: self.text("name")?, grace_seconds });
        }
        let propagation = match self.optional::<String>("propagation")?.as_deref() {
            None | Some("Background") => Propagation::Background,
            Some("Foreground") => Propagation::Foreground,
            Some("Orphan") => Propagation::Orphan,
            Some(other) => return Err(self.wrong("propagation", format!("no such policy: {other}"))),
        };
        Ok(Action::Delete { target: self.target()?, propagation, grace_seconds })
    }

    fn target(&self) -> Result<Target, NotRun> {
        let kind = kind(&self.text("kind")?)?;
        let namespace = if kind == Kind::Node { "" } else { "default" };
        Ok(Target { kind, namespace: namespace.into(), name: self.text("name")?.into() })
    }

    fn node(&self) -> Result<Arc<str>, NotRun> {
        Ok(self.text("node")?.into())
    }

    /// Labels to set; null takes one away, which our actions say by an empty
    /// value.
    fn labels(&self) -> Result<Labels, NotRun> {
        let labels: std::collections::BTreeMap<String, Option<String>> = self.read("labels")?;
        Ok(Labels(labels.into_iter().map(|(name, value)| (name, value.unwrap_or_default())).collect()))
    }

    fn text(&self, key: &str) -> Result<String, NotRun> {
        self.read(key)
    }

    fn need(&self, key: &str) -> Result<&Json, NotRun> {
        self.0.keys.get(key).ok_or_else(|| self.wrong(key, "is missing".to_string()))
    }

    fn read<T: serde::de::DeserializeOwned>(&self, key: &str) -> Result<T, NotRun> {
        serde_json::from_value(self.need(key)?.clone()).map_err(|e| self.wrong(key, e.to_string()))
    }

    fn optional<T: serde::de::DeserializeOwned>(&self, key: &str) -> Result<Option<T>, NotRun> {
        if self.0.keys.contains_key(key) { self.read(key).map(Some) } else { Ok(None) }
    }

    fn wrong(&self, key: &str, message: String) -> NotRun {
        Problem::new(message).in_field(format!("{} at {} ms: {key}", self.0.verb, self.0.at_ms)).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn case(change: impl FnOnce(&mut Json)) -> Case {
        let mut file = json!({
            "name": "small", "group": "deployment", "objects": [],
            "environment": {
                "start": "2026-01-05T00:00:00Z",
                "nodes": [{"name": "node-a", "zone": "z1", "cpu": "16", "memory": "1Ki", "pods": 110}],
                "pods": [{"match": {"image": "app:v2", "n": 1}, "start_ms": -1, "ready_ms": 10}]
            },
            "actions": [], "until_ms": 1000, "trace": [], "events": []
        });
        change(&mut file);
        Case::parse(&file.to_string()).expect("a case")
    }

    fn action(json: &Json) -> Result<Action, NotRun> {
        case(|file| file["actions"] = json!([json])).setup().map(|mut s| s.actions.remove(0).action)
    }

    #[test]
    fn the_environment_becomes_nodes_and_profiles() {
        let setup = case(|_| ()).setup().expect("a setup");
        assert_eq!(setup.until, SimTime::from_ms(1000));
        assert_eq!(setup.nodes[0].allocatable, Resources { cpu_milli: 16_000, memory_milli: 1_024_000, pods: 110 });
        let profile = &setup.profiles[0];
        assert_eq!((profile.matches.image.as_deref(), profile.matches.n), (Some("app:v2"), Some(1)));
        assert_eq!((&profile.start, &profile.ready), (&Some(Delay::Never), &Some(Delay::Constant(Span::from_ms(10)))));
        assert_eq!(profile.terminate, None);
    }

    #[test]
    fn seconds_are_cut_to_milliseconds() {
        let with_run = case(|f| f["environment"]["pods"][0]["run"] = json!({"seconds": 1.0019, "exit": [1, 0]}));
        let run = with_run.setup().expect("a setup").profiles.remove(0).run.expect("a run");
        assert_eq!((run.duration, run.exits), (Delay::Constant(Span::from_ms(1001)), vec![1, 0]));
    }

    #[test]
    fn actions_are_read() {
        let web = Target { kind: Kind::Deployment, namespace: "default".into(), name: "web".into() };
        for (json, want) in [
            (
                json!({"at_ms": 1, "do": "setImage", "kind": "Deployment", "name": "web", "image": "app:v2"}),
                Action::SetImage {
                    target: web.clone(),
                    container: Some("app".to_string()),
                    image: "app:v2".to_string(),
                },
            ),
            (
                json!({"at_ms": 1, "do": "delete", "kind": "Deployment", "name": "web", "propagation": "Orphan"}),
                Action::Delete { target: web, propagation: Propagation::Orphan, grace_seconds: None },
            ),
            (
                json!({"at_ms": 1, "do": "delete", "kind": "Pod", "name": "web/1#0", "gracePeriodSeconds": 0}),
                Action::DeletePods { pod: "web/1#0".to_string(), grace_seconds: Some(0) },
            ),
            (
                json!({"at_ms": 1, "do": "podCrash", "pod": "web/1#*"}),
                Action::PodCrash { pod: "web/1#*".to_string(), exit: 1 },
            ),
            (
                json!({"at_ms": 1, "do": "label", "node": "a", "labels": {"x": "1", "y": null}}),
                Action::LabelNode("a".into(), Labels::from([("x", "1"), ("y", "")])),
            ),
        ] {
            assert_eq!(action(&json), Ok(want));
        }
    }

    #[test]
    fn what_is_not_modelled_is_named() {
        for (key, value, what) in [
            ("objects", json!([{"kind": "Gadget"}]), "not modelled: kind Gadget"),
            ("/environment/controllers", json!(["dns"]), "not modelled: controller dns"),
            ("/environment/scheduler", json!("other"), "not modelled: scheduler other"),
            ("actions", json!([{"at_ms": 1, "do": "dance"}]), "not modelled: action dance"),
            (
                "actions",
                json!([{"at_ms": 1, "do": "scale", "kind": "Gadget", "name": "g", "replicas": 1}]),
                "not modelled: kind Gadget",
            ),
            ("actions", json!([{"at_ms": 1, "do": "cordon"}]), "not a valid case: cordon at 1 ms: node: is missing"),
        ] {
            let changed = case(|file| match key.strip_prefix("/environment/") {
                Some(key) => file["environment"][key] = value,
                None => file[key] = value,
            });
            assert_eq!(changed.setup().expect_err(key).to_string(), what);
        }
    }
}
