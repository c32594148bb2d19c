//! What batch work does.

use super::scalars::{DelayEntry, Duration, FromMap, OneOrMany, text_or_map};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

/// A container that works and exits.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RunEntry {
    /// How long each start works.
    pub duration: DelayEntry,
    /// The exit code of each attempt, the last one repeated (default 0).
    #[serde(default)]
    pub exits: Vec<i32>,
    /// How long each attempt works instead, the last one repeated.
    #[serde(default)]
    pub durations: Vec<DelayEntry>,
    /// What is different for single completion indexes, by index.
    #[serde(default)]
    pub indexes: BTreeMap<String, IndexEntry>,
    /// Some runs end badly by chance.
    #[serde(default)]
    pub fails: Option<ChanceEntry>,
    /// While one of these lasts, what runs fails: something that all runs
    /// depend on is gone.
    #[serde(default)]
    pub outages: Vec<OutageEntry>,
}

/// What is different for one completion index.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IndexEntry {
    /// How long its pods work.
    #[serde(default)]
    pub duration: Option<DelayEntry>,
    /// The exit code of each of its attempts, the last one repeated.
    #[serde(default)]
    pub exits: Option<Vec<i32>>,
}

/// Runs end badly by chance: `5%`, or that with an exit code.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct ChanceEntry {
    /// Of each run.
    pub probability: Probability,
    /// The exit code (default 1).
    pub exit: Option<i32>,
}

/// [`ChanceEntry`] in full.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ChanceInFull {
    /// Of each run, drawn for itself.
    probability: Probability,
    /// The exit code (default 1).
    #[serde(default)]
    exit: Option<i32>,
}

impl FromMap for ChanceEntry {
    fn from_map<'de, A: MapAccess<'de>>(map: MapAccessDeserializer<A>) -> Result<Self, A::Error> {
        ChanceInFull::deserialize(map).map(|full| ChanceEntry { probability: full.probability, exit: full.exit })
    }
}

impl<'de> Deserialize<'de> for ChanceEntry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text_or_map(deserializer, "a share such as 5%, or {probability: 5%, exit: 1}", |text| {
            percent(text).map(|probability| ChanceEntry { probability, exit: None })
        })
    }
}

impl JsonSchema for ChanceEntry {
    fn schema_name() -> Cow<'static, str> {
        "Chance".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let (share, full) = (generator.subschema_for::<Probability>(), generator.subschema_for::<ChanceInFull>());
        json_schema!({"description": "The share of runs that end badly, or that with an exit code.", "anyOf": [share, full]})
    }
}

/// While it lasts, what runs fails.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OutageEntry {
    /// When it begins.
    pub from: Duration,
    /// When it is over.
    pub until: Duration,
    /// How long a run holds out (default 0).
    #[serde(default)]
    pub after: Duration,
    /// Which share of the runs is hit (default 100%).
    #[serde(default)]
    pub probability: Option<Probability>,
    /// How they exit (default 1).
    #[serde(default)]
    pub exit: Option<i32>,
}

/// A share from 0 to 1: `5%` or `0.05`.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Probability(pub f64);

fn percent(text: &str) -> Result<Probability, String> {
    let number = match text.strip_suffix('%') {
        Some(number) => number.trim().parse::<f64>().map(|n| n / 100.0),
        None => text.parse::<f64>(),
    };
    match number {
        Ok(share) if (0.0..=1.0).contains(&share) => Ok(Probability(share)),
        Ok(_) => Err(format!("`{text}` is not between 0 and 100%")),
        Err(_) => Err(format!("`{text}` is not a share; write one such as 5%")),
    }
}

impl<'de> Deserialize<'de> for Probability {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Share;
        impl Visitor<'_> for Share {
            type Value = Probability;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a share such as 5% or 0.05")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Probability, E> {
                percent(text).map_err(E::custom)
            }

            fn visit_u64<E: Error>(self, n: u64) -> Result<Probability, E> {
                self.visit_str(&n.to_string())
            }

            fn visit_f64<E: Error>(self, n: f64) -> Result<Probability, E> {
                self.visit_str(&n.to_string())
            }
        }
        deserializer.deserialize_any(Share)
    }
}

impl JsonSchema for Probability {
    fn schema_name() -> Cow<'static, str> {
        "Probability".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A share such as 5% or 0.05.",
            "anyOf": [
                {"type": "number", "minimum": 0, "maximum": 1},
                {"type": "string", "pattern": "^[0-9.]+%?$"},
            ],
        })
    }
}

/// Something that each run writes outside the cluster: its key, or that with
/// when it is written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EffectEntry {
    /// Such as `ledger {schedule}`.
    pub key: String,
    /// When in the run (default: at its end).
    pub at: Option<When>,
    /// Whether only runs that end well write it (default: no).
    pub on_success: bool,
}

/// [`EffectEntry`] in full.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct EffectInFull {
    /// Such as `ledger {schedule}`: a second write of one key is a duplicate.
    /// Known places are `{schedule}`, `{index}`, `{job}`, `{workload}`,
    /// `{pod}`, `{node}`, `{attempt}` and `{namespace}`.
    key: String,
    /// When in the run: a share of it such as `60%`, or a duration (default:
    /// at its end).
    #[serde(default)]
    at: Option<When>,
    /// Only runs that end with exit code 0 write it (default false).
    #[serde(default)]
    on_success: bool,
}

impl FromMap for EffectEntry {
    fn from_map<'de, A: MapAccess<'de>>(map: MapAccessDeserializer<A>) -> Result<Self, A::Error> {
        let EffectInFull { key, at, on_success } = EffectInFull::deserialize(map)?;
        Ok(EffectEntry { key, at, on_success })
    }
}

impl<'de> Deserialize<'de> for EffectEntry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text_or_map(deserializer, "a key such as `ledger {schedule}`, or {key: …, at: 60%, onSuccess: true}", |text| {
            Ok(EffectEntry { key: text.to_string(), at: None, on_success: false })
        })
    }
}

impl JsonSchema for EffectEntry {
    fn schema_name() -> Cow<'static, str> {
        "Effect".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let full = generator.subschema_for::<EffectInFull>();
        json_schema!({"description": "What each run writes outside the cluster.", "anyOf": [{"type": "string"}, full]})
    }
}

/// All of a pod's effects.
pub type Effects = OneOrMany<EffectEntry>;

/// When in a run: a share of it, or so long after its start.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum When {
    /// Whole per cent of the run.
    Percent(u32),
    /// So long after the start.
    After(Duration),
}

impl FromMap for When {
    fn from_map<'de, A: MapAccess<'de>>(_: MapAccessDeserializer<A>) -> Result<Self, A::Error> {
        Err(Error::custom("expected a share of the run such as 60%, or a duration"))
    }
}

impl<'de> Deserialize<'de> for When {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text_or_map(deserializer, "a share of the run such as 60%, or a duration", |text| {
            match text.strip_suffix('%') {
                Some(number) => match number.parse() {
                    Ok(percent @ 0..=100) => Ok(When::Percent(percent)),
                    _ => Err(format!("`{text}` is not between 0% and 100%")),
                },
                None => crate::scenario::duration::parse(text).map(|span| When::After(Duration(span))),
            }
        })
    }
}

impl JsonSchema for When {
    fn schema_name() -> Cow<'static, str> {
        "When".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let duration = generator.subschema_for::<Duration>();
        json_schema!({
            "description": "A share of the run such as 60%, or a duration since its start.",
            "anyOf": [{"type": "string", "pattern": "^[0-9]+%$"}, duration],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_between_none_and_all() {
        for (text, share) in [("5%", 0.05), ("0.25", 0.25), ("100%", 1.0), ("0", 0.0)] {
            assert_eq!(percent(text), Ok(Probability(share)), "{text}");
        }
        for text in ["", "5", "-1%", "101%", "NaN", "many"] {
            assert!(percent(text).is_err(), "{text}");
        }
    }
}
