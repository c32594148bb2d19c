//! What applications do inside their containers, and what images take.

use super::scalars::{DelayEntry, Duration, OneOrMany, Quantity};
use crate::scenario::duration;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::{Deserializer, Error, SeqAccess, Visitor};
use std::borrow::Cow;
use std::fmt;

/// What the application of a pod does. With it, even if it is empty, the
/// manifest's probes, `preStop` hooks, init containers and sidecars are
/// played.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AppEntry {
    /// The start of its process until it listens (default 0).
    #[serde(default)]
    pub boot: Option<DelayEntry>,
    /// From then until it really serves requests (default 0).
    #[serde(default)]
    pub warm_up: Option<DelayEntry>,
    /// How long it takes to answer a probe (default 0).
    #[serde(default)]
    pub answers: Option<DelayEntry>,
    /// What it cannot serve requests without, such as `db`.
    #[serde(default)]
    pub depends_on: Option<OneOrMany<String>>,
    /// What its probes look at beside the process itself.
    #[serde(default)]
    pub checks: ChecksEntry,
    /// It hangs a while after each start.
    #[serde(default)]
    pub deadlock: Option<DeadlockEntry>,
    /// How long a command or a request in `preStop` takes (default 0).
    #[serde(default)]
    pub pre_stop: Option<DelayEntry>,
    /// SIGTERM until it has finished its work and exits (default: as
    /// `terminate`).
    #[serde(default)]
    pub drain: Option<DelayEntry>,
}

/// How much memory a container uses: `300Mi`, or steps from its start on.
#[derive(Clone, Debug)]
pub struct MemoryEntry(pub Vec<(Duration, Quantity)>);

impl<'de> Deserialize<'de> for MemoryEntry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = MemoryEntry;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an amount of memory such as 300Mi, or steps such as [[0s, 200Mi], [10m, 900Mi]]")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<MemoryEntry, E> {
                let quantity = Quantity::deserialize(serde::de::value::StrDeserializer::new(text))?;
                Ok(MemoryEntry(vec![(Duration::default(), quantity)]))
            }

            fn visit_u64<E: Error>(self, n: u64) -> Result<MemoryEntry, E> {
                self.visit_str(&n.to_string())
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<MemoryEntry, A::Error> {
                let mut all = Vec::new();
                while let Some(item) = items.next_element()? {
                    all.push(item);
                }
                Ok(MemoryEntry(all))
            }
        }
        deserializer.deserialize_any(Either)
    }
}

impl JsonSchema for MemoryEntry {
    fn schema_name() -> Cow<'static, str> {
        "Memory".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "How much memory a container uses: 300Mi, or steps such as [[0s, 200Mi], [10m, 900Mi]].",
            "anyOf": [
                generator.subschema_for::<Quantity>(),
                {"type": "array", "items": {"type": "array", "minItems": 2, "maxItems": 2, "prefixItems": [
                    generator.subschema_for::<Duration>(),
                    generator.subschema_for::<Quantity>(),
                ]}},
            ],
        })
    }
}

/// What probes look at: `warmUp`, or something from `dependsOn`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChecksEntry {
    /// The startup probe.
    #[serde(default)]
    pub startup: Option<OneOrMany<String>>,
    /// The readiness probe.
    #[serde(default)]
    pub readiness: Option<OneOrMany<String>>,
    /// The liveness probe.
    #[serde(default)]
    pub liveness: Option<OneOrMany<String>>,
}

/// When an application hangs.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeadlockEntry {
    /// From each start.
    pub after: DelayEntry,
}

/// What an init container or a sidecar does.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InitEntry {
    /// How long an init container works; of a sidecar, how long until its
    /// startup probe can succeed (default 1s).
    #[serde(default)]
    pub takes: Option<DelayEntry>,
    /// Exit codes of an init container by try, the last one repeated (default
    /// 0).
    #[serde(default)]
    pub exits: Vec<i32>,
    /// How long a command or a request in a sidecar's `preStop` takes
    /// (default 0).
    #[serde(default, rename = "preStop")]
    pub pre_stop: Option<DelayEntry>,
    /// SIGTERM until a sidecar exits (default 0).
    #[serde(default)]
    pub stop: Option<DelayEntry>,
}

/// What an image takes.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ImageEntry {
    /// From the registry to a node that does not have it (default 5s).
    #[serde(default)]
    pub pull: Option<DelayEntry>,
    /// The registry does not have it: at all (`true`), or until so long after
    /// the run began.
    #[serde(default)]
    pub missing: Option<Missing>,
    /// The nodes of the beginning have it already (default: none has).
    #[serde(default)]
    pub cached: bool,
    /// How large it is, such as `800Mi`: kube-scheduler prefers nodes that
    /// have large images already (default: it does not know).
    #[serde(default)]
    pub size: Option<Quantity>,
}

/// Until when an image cannot be had.
#[derive(Clone, Copy, Debug, JsonSchema)]
#[schemars(untagged)]
pub enum Missing {
    /// Always, or never.
    Whether(bool),
    /// Until then.
    Until(Duration),
}

impl<'de> Deserialize<'de> for Missing {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl Visitor<'_> for Either {
            type Value = Missing;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("true, or a duration such as 7m")
            }

            fn visit_bool<E: Error>(self, whether: bool) -> Result<Missing, E> {
                Ok(Missing::Whether(whether))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Missing, E> {
                duration::parse(text).map(|until| Missing::Until(Duration(until))).map_err(E::custom)
            }
        }
        deserializer.deserialize_any(Either)
    }
}
