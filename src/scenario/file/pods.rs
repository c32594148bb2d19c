//! How pods behave.

use super::life::{AppEntry, InitEntry, MemoryEntry};
use super::scalars::DelayEntry;
use super::work::{Effects, RunEntry};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

/// Which pods an entry is for; all that is given must fit.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Match {
    /// The workload that the pods belong to: `web` or `deployment/web`.
    #[serde(default)]
    pub workload: Option<String>,
    /// The workload's namespace.
    #[serde(default)]
    pub namespace: Option<String>,
    /// The image of the first container.
    #[serde(default)]
    pub image: Option<String>,
    /// The node that the pod runs on.
    #[serde(default)]
    pub node: Option<String>,
    /// Only this pod of each ReplicaSet, in order of creation from 0: the
    /// number after `#` in its name.
    #[serde(default)]
    pub number: Option<u32>,
    /// Only pods of this Job of each CronJob, in order of creation from 0;
    /// Jobs made by hand do not count.
    #[serde(default)]
    pub job: Option<u32>,
}

/// How some pods behave.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PodEntry {
    /// Which pods; left out, all of them.
    #[serde(default, rename = "match")]
    pub matches: Option<Match>,
    /// From creation until the scheduler looks at the pod (default 10ms).
    #[serde(default)]
    pub schedule: Option<DelayEntry>,
    /// From its node until its containers run (default 1s).
    #[serde(default)]
    pub start: Option<DelayEntry>,
    /// From each start until ready (default 0); `never` for a broken version.
    #[serde(default)]
    pub ready: Option<DelayEntry>,
    /// From SIGTERM until exit (default 1s), cut short by the grace period.
    #[serde(default)]
    pub terminate: Option<DelayEntry>,
    /// The container exits by itself after each start.
    #[serde(default)]
    pub crash: Option<CrashEntry>,
    /// The container works for a while and exits, as batch work does.
    #[serde(default)]
    pub run: Option<RunEntry>,
    /// What each run writes outside the cluster, such as `ledger {schedule}`.
    #[serde(default)]
    pub effects: Option<Effects>,
    /// How much memory the container uses from its start on: `300Mi`, or
    /// steps such as `[[0s, 200Mi], [10m, 900Mi]]`. Left out, what it asks for.
    #[serde(default)]
    pub memory: Option<MemoryEntry>,
    /// What the application does. With it, even if it is empty, the
    /// manifest's probes, `preStop` hooks, init containers and sidecars are
    /// played, and `ready` means nothing.
    #[serde(default)]
    pub app: Option<AppEntry>,
    /// Init containers and sidecars by name. With it, even if it is empty,
    /// those of the manifest are played.
    #[serde(default)]
    pub init: Option<BTreeMap<String, InitEntry>>,
}

/// A container that does not stay up.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CrashEntry {
    /// From each start until the exit.
    pub after: DelayEntry,
    /// The exit code (default 1).
    #[serde(default)]
    pub exit: Option<i32>,
    /// How many starts end so (default: all).
    #[serde(default)]
    pub times: Option<u32>,
}

/// How pods behave: a list, or a mapping from `*`, `deployment/web`,
/// `image/app:v2` or `node/a-1`.
#[derive(Clone, Debug)]
pub enum Pods {
    /// Entries with `match`.
    List(Vec<PodEntry>),
    /// Entries by whom they are for.
    Map(Vec<(String, PodEntry)>),
}

impl<'de> Deserialize<'de> for Pods {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Pods;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of pod entries, or a mapping such as {deployment/web: {ready: 8s}}")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Pods, A::Error> {
                let mut all = Vec::new();
                while let Some(item) = items.next_element()? {
                    all.push(item);
                }
                Ok(Pods::List(all))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pods, A::Error> {
                let mut all = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    all.push(entry);
                }
                Ok(Pods::Map(all))
            }
        }
        deserializer.deserialize_any(Either)
    }
}

impl JsonSchema for Pods {
    fn schema_name() -> Cow<'static, str> {
        "Pods".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let entry = generator.subschema_for::<PodEntry>();
        json_schema!({
            "description": "How pods behave: a list of entries, or a mapping from `*`, `deployment/web`, `image/app:v2` or `node/a-1` to entries. Later entries override earlier ones.",
            "anyOf": [
                {"type": "array", "items": entry},
                {"type": "object", "additionalProperties": entry},
            ],
        })
    }
}
