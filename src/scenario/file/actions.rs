//! What happens when.

use super::cluster::{NodeEntry, TaintEntry};
use super::hosts::{FailedOver, Offset, Paused};
use super::scalars::{DelayEntry, Duration, FromMap, OneOrMany, text_or_map};
use super::times::At;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, MapAccess};
use serde_json::Value;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// A timed action: exactly one verb, spelt as kubectl spells it where kubectl
/// has it. Objects are named `deployment/web` or, where that is not unique,
/// `shop/deployment/web`; nodes by name, by pattern (`a-*`) or by zone
/// (`zone/a`); pods as in traces (`web/2#0`), with `*` for anything.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ActionEntry {
    /// When: since the run began, or since another action, `ship + 30s`.
    #[serde(default)]
    pub at: Option<At>,
    /// Which action this waits for.
    #[serde(default)]
    pub after: Option<String>,
    /// A claim that must become true first, once the action that this waits
    /// for, or else the one before it in the list, has happened.
    #[serde(default)]
    pub when: Option<String>,
    /// How long after that.
    #[serde(default)]
    pub plus: Option<Duration>,
    /// How long after that all is as before, for what can be taken back.
    #[serde(default)]
    pub recover: Option<DelayEntry>,
    /// Of a disturbance: from one time to the next.
    #[serde(default)]
    pub every: Option<DelayEntry>,
    /// Of a disturbance: when it begins (default: with the run).
    #[serde(default)]
    pub from: Option<Duration>,
    /// Of a disturbance: when it ends (default: with the run).
    #[serde(default)]
    pub until: Option<Duration>,
    /// Of a disturbance: how often it happens at most.
    #[serde(default)]
    pub times: Option<u32>,
    /// What assertions call it (default: its verb).
    #[serde(default)]
    pub name: Option<String>,
    /// `kubectl apply`: a manifest file, an object, or a list of these.
    #[serde(default)]
    pub apply: Option<OneOrMany<Applied>>,
    /// `kubectl patch`: object to strategic merge patch.
    #[serde(default)]
    pub patch: Option<BTreeMap<String, Value>>,
    /// `kubectl patch --type merge`: object to JSON merge patch.
    #[serde(default)]
    pub merge_patch: Option<BTreeMap<String, Value>>,
    /// `kubectl patch --type json`: object to a list of operations.
    #[serde(default)]
    pub json_patch: Option<BTreeMap<String, Value>>,
    /// `kubectl set image`: workload to image, or to images by container.
    #[serde(default)]
    pub set_image: Option<BTreeMap<String, Images>>,
    /// `kubectl scale`: workload to number of replicas.
    #[serde(default)]
    pub scale: Option<BTreeMap<String, u32>>,
    /// `kubectl create job --from`: name of the Job to the CronJob whose
    /// template it is made of.
    #[serde(default)]
    pub create_job: Option<BTreeMap<String, String>>,
    /// `kubectl delete`: objects, or one with `cascade` and `gracePeriod`.
    #[serde(default)]
    pub delete: Option<OneOrMany<Deleted>>,
    /// `kubectl rollout undo`: Deployments, or Deployment to revision.
    #[serde(default)]
    pub undo: Option<Undone>,
    /// `kubectl rollout pause` of Deployments. Of hosts, by component: they
    /// stand still for so long, their timers stop, their wall clocks do not.
    #[serde(default)]
    pub pause: Option<Paused>,
    /// `kubectl rollout resume`.
    #[serde(default)]
    pub resume: Option<OneOrMany<String>>,
    /// `kubectl rollout restart`.
    #[serde(default)]
    pub restart: Option<OneOrMany<String>>,
    /// `kubectl label --overwrite`: `pod/…` or `node/…` to labels; `null`
    /// removes one.
    #[serde(default)]
    pub label: Option<BTreeMap<String, BTreeMap<String, Option<String>>>>,
    /// `kubectl cordon`: no new pods on these nodes.
    #[serde(default)]
    pub cordon: Option<OneOrMany<String>>,
    /// `kubectl uncordon`.
    #[serde(default)]
    pub uncordon: Option<OneOrMany<String>>,
    /// `kubectl drain`: cordon these nodes and evict their pods, again and
    /// again where a PodDisruptionBudget refuses.
    #[serde(default)]
    pub drain: Option<OneOrMany<Drained>>,
    /// Ask once for the eviction of these pods.
    #[serde(default)]
    pub evict: Option<OneOrMany<String>>,
    /// `kubectl taint`: node to taints.
    #[serde(default)]
    pub taint: Option<BTreeMap<String, OneOrMany<TaintEntry>>>,
    /// Removes taints: node to taints.
    #[serde(default)]
    pub untaint: Option<BTreeMap<String, OneOrMany<TaintEntry>>>,
    /// Machines join.
    #[serde(default)]
    pub node_add: Option<OneOrMany<NodeEntry>>,
    /// Machines die and their Node objects are deleted.
    #[serde(default)]
    pub node_delete: Option<OneOrMany<String>>,
    /// Machines die.
    #[serde(default)]
    pub node_fail: Option<OneOrMany<String>>,
    /// Machines come back, rebooted.
    #[serde(default)]
    pub node_recover: Option<OneOrMany<String>>,
    /// The cloud takes machines of pools back, with the notice of their pool.
    #[serde(default)]
    pub spot_reclaim: Option<OneOrMany<String>>,
    /// Kubelets that are alive say that their nodes are not ready.
    #[serde(default)]
    pub node_not_ready: Option<OneOrMany<String>>,
    /// Kubelets say that their nodes are ready again.
    #[serde(default)]
    pub node_ready: Option<OneOrMany<String>>,
    /// Kubelets say that their nodes are under pressure: node to conditions.
    #[serde(default)]
    pub node_pressure: Option<BTreeMap<String, OneOrMany<Pressed>>>,
    /// Kubelets say that this is over: node to conditions.
    #[serde(default)]
    pub node_relief: Option<BTreeMap<String, OneOrMany<Pressed>>>,
    /// Pods become ready.
    #[serde(default)]
    pub pod_ready: Option<OneOrMany<String>>,
    /// Pods stop being ready.
    #[serde(default)]
    pub pod_unready: Option<OneOrMany<String>>,
    /// The applications of pods hang: they answer nothing and do not stop.
    #[serde(default)]
    pub pod_deadlock: Option<OneOrMany<String>>,
    /// Something from an `app`'s `dependsOn` cannot be reached.
    #[serde(default)]
    pub dependency_down: Option<OneOrMany<String>>,
    /// It can be reached again.
    #[serde(default)]
    pub dependency_up: Option<OneOrMany<String>>,
    /// A container of these pods exits.
    #[serde(default)]
    pub pod_crash: Option<OneOrMany<Crashed>>,
    /// Pods fail as if evicted by the kubelet.
    #[serde(default)]
    pub pod_fail: Option<OneOrMany<Failed>>,
    /// Scheduling gates of pods are taken away: all of them, or those named.
    #[serde(default)]
    pub pod_ungate: Option<OneOrMany<Opened>>,
    /// All controllers stop (`down`) or start again (`up`), with nothing
    /// remembered.
    #[serde(default)]
    pub controllers: Option<UpDown>,
    /// The API server cannot be reached (`down`) or can again (`up`).
    #[serde(default)]
    pub api_server: Option<UpDown>,
    /// The webhook that every new pod must pass does not answer (`down`) or
    /// does again (`up`).
    #[serde(default)]
    pub webhook: Option<UpDown>,
    /// Somebody sets wall clocks: component to how far forward (`-30s` for
    /// back).
    #[serde(default)]
    pub clock_step: Option<BTreeMap<String, Offset>>,
    /// A leader dies and another instance takes over, with another clock and
    /// nothing remembered.
    #[serde(default)]
    pub failover: Option<OneOrMany<FailedOver>>,
}

/// A condition of a node.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Pressed {
    /// `MemoryPressure`
    Memory,
    /// `DiskPressure`
    Disk,
    /// `PIDPressure`
    Pid,
    /// `NetworkUnavailable`
    Network,
}

/// Whether something runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum UpDown {
    /// It starts.
    Up,
    /// It stops.
    Down,
}

/// What is applied.
#[derive(Clone, Debug)]
pub enum Applied {
    /// A manifest file, relative to the scenario file.
    File(String),
    /// An object.
    Object(Value),
}

/// The images that are set.
#[derive(Clone, Debug)]
pub enum Images {
    /// The same for every container.
    All(String),
    /// By container.
    ByContainer(BTreeMap<String, String>),
}

impl Images {
    /// All of them.
    pub fn all(&self) -> Vec<String> {
        match self {
            Images::All(image) => vec![image.clone()],
            Images::ByContainer(images) => images.values().cloned().collect(),
        }
    }
}

/// What is deleted.
#[derive(Clone, Debug)]
pub struct Deleted {
    /// The object.
    pub object: String,
    /// What becomes of its dependents.
    pub cascade: Option<Cascade>,
    /// Instead of the pod's own grace period, in whole seconds.
    pub grace_period: Option<Duration>,
}

/// What becomes of the dependents of a deleted object.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Cascade {
    /// They go after it.
    Background,
    /// They go before it.
    Foreground,
    /// They stay.
    Orphan,
}

/// Which rollouts are undone.
#[derive(Clone, Debug)]
pub enum Undone {
    /// To the revision before.
    Last(Vec<String>),
    /// To a revision.
    To(BTreeMap<String, u32>),
}

/// Which nodes are drained, and how kubectl is called.
#[derive(Clone, Debug)]
pub struct Drained {
    /// The nodes.
    pub node: String,
    /// `--ignore-daemonsets` (default: true).
    pub ignore_daemon_sets: Option<bool>,
    /// `--force` (default: true): pods that nothing controls go, too.
    pub force: Option<bool>,
    /// `--delete-emptydir-data` (default: true).
    pub delete_empty_dir_data: Option<bool>,
    /// Instead of the pods' own grace periods, in whole seconds.
    pub grace_period: Option<Duration>,
    /// When to give up (default: never).
    pub timeout: Option<Duration>,
}

/// Which containers exit.
#[derive(Clone, Debug)]
pub struct Crashed {
    /// The pods.
    pub pod: String,
    /// The exit code (default 1).
    pub exit: Option<i32>,
}

/// Which pods fail.
#[derive(Clone, Debug)]
pub struct Failed {
    /// The pods.
    pub pod: String,
    /// The reason of the `DisruptionTarget` condition, if it is to be set.
    pub disruption: Option<String>,
}

/// Which pods lose which scheduling gates.
#[derive(Clone, Debug)]
pub struct Opened {
    /// The pods.
    pub pod: String,
    /// The gates; none stands for all of them.
    pub gates: Vec<String>,
}

/// Defines how a value is read that has a text form and a form in full.
macro_rules! two_spellings {
    ($type:ident, $expecting:literal, $from_text:expr, $full:ty, $from_full:expr, $schema:literal) => {
        impl FromMap for $type {
            fn from_map<'de, A: MapAccess<'de>>(map: MapAccessDeserializer<A>) -> Result<Self, A::Error> {
                <$full>::deserialize(map).map($from_full)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                text_or_map(deserializer, $expecting, |text| Ok($from_text(text.to_string())))
            }
        }

        impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(generator: &mut SchemaGenerator) -> Schema {
                let full = generator.subschema_for::<$full>();
                json_schema!({"description": $schema, "anyOf": [{"type": "string"}, full]})
            }
        }
    };
}

two_spellings!(
    Applied,
    "a manifest file or an object",
    Applied::File,
    serde_json::Map<String, Value>,
    |map| Applied::Object(Value::Object(map)),
    "A manifest file relative to this one, or an object."
);

two_spellings!(
    Images,
    "an image, or images by container",
    Images::All,
    BTreeMap<String, String>,
    Images::ByContainer,
    "An image, or images by container."
);

/// [`Deleted`] in full.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct DeletedInFull {
    /// The object.
    object: String,
    /// What becomes of its dependents (default: background).
    #[serde(default)]
    cascade: Option<Cascade>,
    /// Instead of the pod's own grace period, in whole seconds.
    #[serde(default)]
    grace_period: Option<Duration>,
}

two_spellings!(
    Deleted,
    "an object such as deployment/web, or {object: …, cascade: …, gracePeriod: …}",
    |object| Deleted { object, cascade: None, grace_period: None },
    DeletedInFull,
    |f| Deleted { object: f.object, cascade: f.cascade, grace_period: f.grace_period },
    "An object such as deployment/web, or that with cascade and gracePeriod."
);

/// [`Drained`] in full.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct DrainedInFull {
    /// The nodes: a name, a pattern (`a-*`) or a zone (`zone/a`).
    node: String,
    /// `--ignore-daemonsets` (default: true). Without it a pod of a DaemonSet
    /// makes kubectl give up before it evicts anything.
    #[serde(default, rename = "ignoreDaemonSets")]
    ignore_daemon_sets: Option<bool>,
    /// `--force` (default: true): pods that nothing controls go, too.
    #[serde(default)]
    force: Option<bool>,
    /// `--delete-emptydir-data` (default: true).
    #[serde(default, rename = "deleteEmptyDirData")]
    delete_empty_dir_data: Option<bool>,
    /// Instead of the pods' own grace periods, in whole seconds.
    #[serde(default)]
    grace_period: Option<Duration>,
    /// When to give up (default: never).
    #[serde(default)]
    timeout: Option<Duration>,
}

two_spellings!(
    Drained,
    "a node such as a-1, or {node: …, timeout: …}",
    |node| Drained {
        node,
        ignore_daemon_sets: None,
        force: None,
        delete_empty_dir_data: None,
        grace_period: None,
        timeout: None
    },
    DrainedInFull,
    |f| Drained {
        node: f.node,
        ignore_daemon_sets: f.ignore_daemon_sets,
        force: f.force,
        delete_empty_dir_data: f.delete_empty_dir_data,
        grace_period: f.grace_period,
        timeout: f.timeout,
    },
    "Nodes such as a-1 or zone/a, or these with the options of kubectl drain."
);

/// [`Crashed`] in full.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CrashedInFull {
    /// The pods.
    pod: String,
    /// The exit code (default 1).
    #[serde(default)]
    exit: Option<i32>,
}

two_spellings!(
    Crashed,
    "a pod such as web/1#0, or {pod: …, exit: …}",
    |pod| Crashed { pod, exit: None },
    CrashedInFull,
    |f| Crashed { pod: f.pod, exit: f.exit },
    "Pods such as web/1#0, or these with an exit code."
);

/// [`Failed`] in full.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct FailedInFull {
    /// The pods.
    pod: String,
    /// The reason of the `DisruptionTarget` condition.
    #[serde(default)]
    disruption: Option<String>,
}

two_spellings!(
    Failed,
    "a pod such as web/1#0, or {pod: …, disruption: …}",
    |pod| Failed { pod, disruption: None },
    FailedInFull,
    |f| Failed { pod: f.pod, disruption: f.disruption },
    "Pods such as web/1#0, or these with the reason of a DisruptionTarget condition."
);

/// [`Opened`] in full.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct OpenedInFull {
    /// The pods.
    pod: String,
    /// The gates (default: all of them).
    #[serde(default)]
    gates: Vec<String>,
}

two_spellings!(
    Opened,
    "a pod such as web/1#0, or {pod: …, gates: […]}",
    |pod| Opened { pod, gates: Vec::new() },
    OpenedInFull,
    |f| Opened { pod: f.pod, gates: f.gates },
    "Pods such as web/1#0, or these with the names of the gates."
);

impl<'de> Deserialize<'de> for Undone {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> serde::de::Visitor<'de> for Any {
            type Value = Undone;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a Deployment such as deployment/web, a list of them, or {deployment/web: REVISION}")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Undone, E> {
                Ok(Undone::Last(vec![text.to_string()]))
            }

            fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut items: A) -> Result<Undone, A::Error> {
                let mut all = Vec::new();
                while let Some(item) = items.next_element()? {
                    all.push(item);
                }
                Ok(Undone::Last(all))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Undone, A::Error> {
                BTreeMap::deserialize(MapAccessDeserializer::new(map)).map(Undone::To)
            }
        }
        deserializer.deserialize_any(Any)
    }
}

impl JsonSchema for Undone {
    fn schema_name() -> Cow<'static, str> {
        "Undone".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A Deployment, a list of them, or Deployments to revisions.",
            "anyOf": [
                {"type": "string"},
                {"type": "array", "items": {"type": "string"}},
                {"type": "object", "additionalProperties": {"type": "integer", "minimum": 1}},
            ],
        })
    }
}
