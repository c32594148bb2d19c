//! The machines.

use super::scalars::{FromMap, Quantity, text_or_map};
use crate::api::{Effect, Taint};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, MapAccess};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// The machines: zones with equal nodes, nodes one by one, or both.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
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

/// The nodes of a zone, all alike.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Zone {
    /// How many.
    pub nodes: u32,
    /// CPU of each (default 16).
    #[serde(default)]
    pub cpu: Option<Quantity>,
    /// Memory of each (default 64Gi).
    #[serde(default)]
    pub memory: Option<Quantity>,
    /// How many pods each takes (default 110).
    #[serde(default)]
    pub pods: Option<u32>,
    /// Labels of each.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// Taints of each, such as `spot=true:NoSchedule`.
    #[serde(default)]
    pub taints: Vec<TaintEntry>,
}

/// A node.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NodeEntry {
    /// Its name.
    pub name: String,
    /// Its zone.
    #[serde(default)]
    pub zone: Option<String>,
    /// Its CPU (default 16).
    #[serde(default)]
    pub cpu: Option<Quantity>,
    /// Its memory (default 64Gi).
    #[serde(default)]
    pub memory: Option<Quantity>,
    /// How many pods it takes (default 110).
    #[serde(default)]
    pub pods: Option<u32>,
    /// Its labels.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// Its taints, such as `spot=true:NoSchedule`.
    #[serde(default)]
    pub taints: Vec<TaintEntry>,
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
