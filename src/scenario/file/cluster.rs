//! The machines.

use super::scalars::{DelayEntry, Duration, FromMap, Quantity, text_or_map};
use crate::api::{Effect, Taint};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, MapAccess};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// What a machine is like, beside its name and its zone.
#[derive(Clone, Copy, Debug)]
pub struct Shape<'a> {
    /// CPU.
    pub cpu: Option<Quantity>,
    /// Memory.
    pub memory: Option<Quantity>,
    /// How many pods it takes.
    pub pods: Option<u32>,
    /// What else it has.
    pub resources: &'a BTreeMap<String, Quantity>,
    /// Its labels.
    pub labels: &'a BTreeMap<String, String>,
    /// Its taints.
    pub taints: &'a [TaintEntry],
}

/// Adds to a struct the fields that say what its machines are like. Serde
/// cannot refuse unknown fields of a struct that is put together otherwise.
macro_rules! machines {
    (
        $(#[$about:meta])*
        pub struct $name:ident { $($(#[$meta:meta])* pub $field:ident: $type:ty,)* }
    ) => {
        $(#[$about])*
        pub struct $name {
            $($(#[$meta])* pub $field: $type,)*
            /// CPU of each (default 16).
            #[serde(default)]
            pub cpu: Option<Quantity>,
            /// Memory of each (default 64Gi).
            #[serde(default)]
            pub memory: Option<Quantity>,
            /// How many pods each takes (default 110).
            #[serde(default)]
            pub pods: Option<u32>,
            /// What else each has, such as `nvidia.com/gpu: 4`, `hugepages-2Mi:
            /// 1Gi` or `ephemeral-storage: 100Gi` (default: local disk space
            /// without limit, and nothing else).
            #[serde(default)]
            pub resources: BTreeMap<String, Quantity>,
            /// Labels of each.
            #[serde(default)]
            pub labels: BTreeMap<String, String>,
            /// Taints of each, such as `spot=true:NoSchedule`.
            #[serde(default)]
            pub taints: Vec<TaintEntry>,
        }

        impl $name {
            /// What its machines are like.
            pub fn shape(&self) -> Shape<'_> {
                let (labels, taints, resources) = (&self.labels, &self.taints, &self.resources);
                Shape { cpu: self.cpu, memory: self.memory, pods: self.pods, resources, labels, taints }
            }
        }
    };
}

/// The machines: zones with equal nodes, nodes one by one, or both.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Cluster {
    /// Zones by name; the nodes of zone `a` are called `a-1`, `a-2`, ….
    #[serde(default)]
    pub zones: BTreeMap<String, Zone>,
    /// Nodes one by one.
    #[serde(default)]
    pub nodes: Vec<NodeEntry>,
    /// Who places pods. Without it, the rules of kube-scheduler where a
    /// manifest asks for what only they know (pod affinity, topology spread,
    /// preferences, priorities, host ports), otherwise the simple scheduler.
    #[serde(default)]
    pub scheduler: Option<SchedulerName>,
    /// Pools by name: machines that are kept at a number. Those of pool `spot`
    /// are called `spot-1`, `spot-2`, …, and their successors `spot-1-2`, ….
    #[serde(default)]
    pub pools: BTreeMap<String, PoolEntry>,
    /// How lost nodes are noticed, and how pods leave them.
    #[serde(default)]
    pub node_lifecycle: NodeLifecycle,
    /// What the pods of a namespace may take together, as with a
    /// ResourceQuota, by namespace.
    #[serde(default)]
    pub quotas: BTreeMap<String, QuotaEntry>,
}

/// What the pods of a namespace may take together.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct QuotaEntry {
    /// How many there may be that have not ended.
    #[serde(default)]
    pub pods: Option<u32>,
    /// What they may request of CPU.
    #[serde(default)]
    pub cpu: Option<Quantity>,
    /// What they may request of memory.
    #[serde(default)]
    pub memory: Option<Quantity>,
}

/// Who places pods.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SchedulerName {
    /// The feasible node with the fewest pods, the first by name.
    Simple,
    /// The rules of kube-scheduler.
    Kube,
}

machines! {
    /// Equal machines, each of which is replaced when it is gone, or which come
    /// and go with the pods.
    #[derive(Clone, Debug, Deserialize, JsonSchema)]
    #[serde(rename_all = "camelCase", deny_unknown_fields)]
    pub struct PoolEntry {
        /// How many (default: none, of an autoscaled pool the least).
        #[serde(default)]
        pub machines: Option<u32>,
        /// Their zone.
        #[serde(default)]
        pub zone: Option<String>,
        /// From the end of a machine until its successor joins (default 90 s).
        /// Those of an autoscaled pool have none.
        #[serde(default)]
        pub replacement: Option<DelayEntry>,
        /// How the cloud takes the machines back (default: it does not).
        #[serde(default)]
        pub reclaim: Option<ReclaimEntry>,
        /// A cluster autoscaler keeps as many as the pods need.
        #[serde(default)]
        pub autoscale: Option<AutoscaleEntry>,
        /// Each pod that selects these machines and finds none gets one of its
        /// own, which goes with it.
        #[serde(default)]
        pub serverless: Option<ServerlessEntry>,
    }
}

/// How the cluster autoscaler treats a pool. The defaults are upstream's.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AutoscaleEntry {
    /// The fewest machines (default 0).
    #[serde(default)]
    pub min: u32,
    /// The most machines.
    pub max: u32,
    /// How often the autoscaler looks, the smallest of all pools (default
    /// 10 s).
    #[serde(default)]
    pub scan_interval: Option<Duration>,
    /// From the order until a machine joins (default 90 s).
    #[serde(default)]
    pub provisioning: Option<DelayEntry>,
    /// For how long a machine must be unneeded before it goes (default 10 min).
    #[serde(default)]
    pub unneeded_time: Option<Duration>,
    /// For how long after a machine was ordered none goes (default 10 min).
    #[serde(default)]
    pub delay_after_add: Option<Duration>,
    /// A machine of which less is requested may be unneeded (default 0.5).
    #[serde(default)]
    pub utilization: Option<f64>,
    /// The longest grace period of a pod whose machine goes (default 600 s).
    #[serde(default)]
    pub max_grace: Option<Duration>,
    /// Whether requests of DaemonSets count as nothing (default: no).
    #[serde(default, rename = "ignoreDaemonSets")]
    pub ignore_daemon_sets: bool,
    /// Which of several pools that would help grows (default `least-waste`).
    #[serde(default)]
    pub expander: Option<ExpanderName>,
    /// Whether pools of equal machines, whatever their zone, are kept at the
    /// same size (default: no).
    #[serde(default)]
    pub balance_similar: bool,
}

/// Which of several pools grows.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ExpanderName {
    /// The first by name.
    First,
    /// The one that leaves the smallest share of its new machines unused.
    LeastWaste,
}

/// Machines for one pod each.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ServerlessEntry {
    /// From when no node is found for a pod until its own joins.
    pub start: DelayEntry,
}

/// How the cloud takes machines back.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReclaimEntry {
    /// Whose rules: sets `notice`.
    #[serde(default)]
    pub cloud: Option<Cloud>,
    /// How long before its end a machine is told (default 2 min).
    #[serde(default)]
    pub notice: Option<Duration>,
    /// Whether a termination handler hears of it and drains the node
    /// (default: no).
    #[serde(default)]
    pub handler: bool,
    /// How long before the end the kubelet shuts down gracefully; at most the
    /// notice (default 0: not at all).
    #[serde(default)]
    pub shutdown_grace: Option<Duration>,
    /// From the end of a machine until the cloud deletes its Node, or `never`
    /// (default 5 s after a graceful shutdown, else 55 s: the cloud's
    /// controller looks once the node is not ready).
    #[serde(default)]
    pub deregistration: Option<DelayEntry>,
    /// How long each machine lasts, on its own (default: never taken back).
    #[serde(default)]
    pub lifetime: Option<DelayEntry>,
    /// Times at which much of a zone is taken back at once.
    #[serde(default)]
    pub waves: Option<WavesEntry>,
}

/// Clouds by the notice that they give, as of 2025.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Cloud {
    /// EC2 Spot: 2 minutes.
    Aws,
    /// GCE Spot: 30 seconds.
    Gcp,
    /// Azure Spot: 30 seconds.
    Azure,
}

/// Reclaims that hit a zone.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WavesEntry {
    /// From one to the next.
    pub every: DelayEntry,
    /// Which part of the machines each takes, from 0 to 1.
    pub part: f64,
}

/// How lost nodes are noticed, and how pods leave them. The defaults are those
/// of kube-controller-manager and kube-apiserver.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NodeLifecycle {
    /// Whether anybody notices (default: true).
    #[serde(default)]
    pub enabled: Option<bool>,
    /// How often nodes are looked at (default 5 s).
    #[serde(default)]
    pub monitor_period: Option<Duration>,
    /// How long a node may be silent before it is given up (default 50 s).
    #[serde(default)]
    pub monitor_grace_period: Option<Duration>,
    /// How many nodes a second lose their pods, in each zone (default 0.1).
    #[serde(default)]
    pub eviction_rate: Option<f32>,
    /// The same in a large zone of which much is down (default 0.01).
    #[serde(default)]
    pub secondary_eviction_rate: Option<f32>,
    /// Zones of more nodes than this are large; the others keep their pods
    /// when much is down (default 50).
    #[serde(default)]
    pub large_zone: Option<u32>,
    /// Which part of a zone's nodes is much (default 0.55).
    #[serde(default)]
    pub unhealthy_zone: Option<f32>,
    /// How long pods stay on a node that is not ready, if they do not say so
    /// themselves (default 300 s).
    #[serde(default)]
    pub not_ready_toleration: Option<Duration>,
    /// How long pods stay on a node that is not heard of, if they do not say
    /// so themselves (default 300 s).
    #[serde(default)]
    pub unreachable_toleration: Option<Duration>,
    /// How many finished pods are kept (default 12500; 0 for all).
    #[serde(default)]
    pub finished_pods: Option<usize>,
}

machines! {
    /// The nodes of a zone, all alike.
    #[derive(Clone, Debug, Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields)]
    pub struct Zone {
        /// How many.
        pub nodes: u32,
    }
}

machines! {
    /// A node.
    #[derive(Clone, Debug, Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields)]
    pub struct NodeEntry {
        /// Its name.
        pub name: String,
        /// Its zone.
        #[serde(default)]
        pub zone: Option<String>,
    }
}

/// A taint: `key=value:Effect` or its fields.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TaintEntry(pub Taint);

impl FromMap for TaintEntry {
    fn from_map<'de, A: MapAccess<'de>>(map: MapAccessDeserializer<A>) -> Result<Self, A::Error> {
        Taint::deserialize(map).map(TaintEntry)
    }
}

impl<'de> Deserialize<'de> for TaintEntry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text_or_map(deserializer, "a taint such as spot=true:NoSchedule", parse)
    }
}

/// Reads a taint as `kubectl taint` spells it.
fn parse(text: &str) -> Result<TaintEntry, String> {
    let refuse =
        || format!("`{text}` is not a taint; write key=value:Effect with NoSchedule, PreferNoSchedule or NoExecute");
    let (name, effect) = text.rsplit_once(':').ok_or_else(refuse)?;
    let effect = match effect {
        "NoSchedule" => Effect::NoSchedule,
        "PreferNoSchedule" => Effect::PreferNoSchedule,
        "NoExecute" => Effect::NoExecute,
        _ => return Err(refuse()),
    };
    let (key, value) = name.split_once('=').unwrap_or((name, ""));
    if key.is_empty() {
        return Err(refuse());
    }
    Ok(TaintEntry(Taint { key: key.to_string(), value: value.to_string(), effect }))
}

impl JsonSchema for TaintEntry {
    fn schema_name() -> Cow<'static, str> {
        "Taint".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A taint as kubectl spells it, such as spot=true:NoSchedule, or its fields.",
            "anyOf": [
                {"type": "string", "pattern": "^[^=:]+(=[^:]*)?:(NoSchedule|PreferNoSchedule|NoExecute)$"},
                {
                    "type": "object",
                    "additionalProperties": false,
                    "required": ["key", "effect"],
                    "properties": {
                        "key": {"type": "string"},
                        "value": {"type": "string"},
                        "effect": {"enum": ["NoSchedule", "PreferNoSchedule", "NoExecute"]},
                    },
                },
            ],
        })
    }
}
