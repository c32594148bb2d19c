//! Clocks, and what happens to the hosts of components.

use super::scalars::{Duration, FromMap, text_or_map};
use crate::scenario::duration;
use crate::time::Drift;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

/// How far a clock is ahead of true time: `30s`, or `-30s` if it is behind.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Offset {
    /// Nanoseconds.
    pub ns: i64,
}

impl FromMap for Offset {
    fn from_map<'de, A: MapAccess<'de>>(_: MapAccessDeserializer<A>) -> Result<Self, A::Error> {
        Err(serde::de::Error::custom("expected a duration with a sign, such as -30s"))
    }
}

impl<'de> Deserialize<'de> for Offset {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text_or_map(deserializer, "a duration with a sign, such as 30s or -1m30s", signed)
    }
}

fn signed(text: &str) -> Result<Offset, String> {
    let (negative, plain) = match text.strip_prefix('-') {
        Some(plain) => (true, plain),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let ns = i64::try_from(duration::parse(plain)?.0).map_err(|_| format!("`{text}` is longer than 292 years"))?;
    Ok(Offset { ns: if negative { -ns } else { ns } })
}

impl JsonSchema for Offset {
    fn schema_name() -> Cow<'static, str> {
        "Offset".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A length of time with a sign, such as 30s or -1m30s.",
            "type": "string",
            "pattern": "^[+-]?(0|(([0-9]+(\\.[0-9]*)?|\\.[0-9]+)(ns|us|µs|ms|s|m|h))+)$",
        })
    }
}

/// How much too fast a clock runs: `50ppm`, or `-50ppm` if it is slow.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct DriftEntry(pub Drift);

impl FromMap for DriftEntry {
    fn from_map<'de, A: MapAccess<'de>>(_: MapAccessDeserializer<A>) -> Result<Self, A::Error> {
        Err(serde::de::Error::custom("expected parts per million, such as 50ppm"))
    }
}

impl<'de> Deserialize<'de> for DriftEntry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text_or_map(deserializer, "parts per million such as 50ppm, or a percentage such as -1%", parts)
    }
}

/// Clocks that are wrong by more than this are no clocks: half of a second in
/// each second.
const MOST_PPB: f64 = 500_000_000.0;

fn parts(text: &str) -> Result<DriftEntry, String> {
    let explain = || format!("`{text}` is not a drift; write parts per million such as 50ppm, or 1%");
    let (number, scale) = match text.strip_suffix("ppm") {
        Some(number) => (number, 1e3),
        None => (text.strip_suffix('%').ok_or_else(explain)?, 1e7),
    };
    let ppb = number.trim().parse::<f64>().map_err(|_| explain())? * scale;
    if ppb.is_finite() && ppb.abs() <= MOST_PPB {
        return Ok(DriftEntry(Drift(libm::round(ppb) as i64)));
    }
    Err(format!("`{text}` is more than half; no clock drifts so much"))
}

impl JsonSchema for DriftEntry {
    fn schema_name() -> Cow<'static, str> {
        "Drift".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "How much too fast a clock runs: 50ppm, -50ppm if it is slow, or 1%.",
            "type": "string",
            "pattern": "^[+-]?[0-9.]+(ppm|%)$",
        })
    }
}

/// A clock that is wrong: how far it is ahead, or that with a drift.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ClockEntry {
    /// Ahead of true time.
    pub offset: Offset,
    /// How much too fast it runs.
    pub drift: DriftEntry,
    /// Each host differs from `offset` by up to this much.
    pub spread: Duration,
    /// The time zone of the controller manager's host.
    pub zone: Option<String>,
}

/// [`ClockEntry`] in full.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ClockInFull {
    /// How far it is ahead of true time (default 0).
    #[serde(default)]
    offset: Offset,
    /// How much too fast it runs (default 0ppm).
    #[serde(default)]
    drift: DriftEntry,
    /// Each host differs from `offset` by up to this much, drawn once
    /// (default 0).
    #[serde(default)]
    spread: Duration,
    /// Of the controller manager only: the time zone of its host, such as
    /// `Asia/Seoul`, in which schedules without `timeZone` are read (default
    /// UTC).
    zone: Option<String>,
}

impl FromMap for ClockEntry {
    fn from_map<'de, A: MapAccess<'de>>(map: MapAccessDeserializer<A>) -> Result<Self, A::Error> {
        let ClockInFull { offset, drift, spread, zone } = ClockInFull::deserialize(map)?;
        Ok(ClockEntry { offset, drift, spread, zone })
    }
}

impl<'de> Deserialize<'de> for ClockEntry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let expecting = "an offset such as -30s, or {offset: …, drift: …, spread: …, zone: …}";
        text_or_map(deserializer, expecting, |text| {
            signed(text).map(|offset| ClockEntry { offset, ..ClockEntry::default() })
        })
    }
}

impl JsonSchema for ClockEntry {
    fn schema_name() -> Cow<'static, str> {
        "Clock".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let (offset, full) = (generator.subschema_for::<Offset>(), generator.subschema_for::<ClockInFull>());
        json_schema!({"description": "How far a clock is ahead, or that with drift and spread.", "anyOf": [offset, full]})
    }
}

/// A leader that dies.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FailedOver {
    /// `controllerManager` or `scheduler`.
    pub component: String,
    /// How long there is none.
    pub gap: Option<Duration>,
    /// The clock of the new one.
    pub clock: ClockEntry,
}

/// [`FailedOver`] in full.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct FailedOverInFull {
    /// `controllerManager` or `scheduler`.
    component: String,
    /// How long there is no leader (default 15s: until the old leader's lease
    /// has run out).
    #[serde(default)]
    gap: Option<Duration>,
    /// The clock of the new one (default: right).
    #[serde(default)]
    clock: ClockEntry,
}

impl FromMap for FailedOver {
    fn from_map<'de, A: MapAccess<'de>>(map: MapAccessDeserializer<A>) -> Result<Self, A::Error> {
        let FailedOverInFull { component, gap, clock } = FailedOverInFull::deserialize(map)?;
        Ok(FailedOver { component, gap, clock })
    }
}

impl<'de> Deserialize<'de> for FailedOver {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text_or_map(deserializer, "controllerManager, or {component: …, gap: …, clock: …}", |text| {
            Ok(FailedOver { component: text.to_string(), gap: None, clock: ClockEntry::default() })
        })
    }
}

impl JsonSchema for FailedOver {
    fn schema_name() -> Cow<'static, str> {
        "Failover".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let full = generator.subschema_for::<FailedOverInFull>();
        json_schema!({"description": "Which leader dies: controllerManager or scheduler.", "anyOf": [{"type": "string"}, full]})
    }
}

/// What is held: rollouts, or whole hosts for a while.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Paused {
    /// `kubectl rollout pause`.
    Rollouts(Vec<String>),
    /// Hosts stand still: component to duration.
    Hosts(BTreeMap<String, Duration>),
}

impl<'de> Deserialize<'de> for Paused {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Paused;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a Deployment such as deployment/web, a list of them, or {controllerManager: 10m}")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Paused, E> {
                Ok(Paused::Rollouts(vec![text.to_string()]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Paused, A::Error> {
                let mut all = Vec::new();
                while let Some(item) = items.next_element()? {
                    all.push(item);
                }
                Ok(Paused::Rollouts(all))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Paused, A::Error> {
                BTreeMap::deserialize(MapAccessDeserializer::new(map)).map(Paused::Hosts)
            }
        }
        deserializer.deserialize_any(Either)
    }
}

impl JsonSchema for Paused {
    fn schema_name() -> Cow<'static, str> {
        "Paused".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let span = generator.subschema_for::<Duration>();
        json_schema!({
            "description": "Deployments whose rollout is paused, or hosts that stand still for a while.",
            "anyOf": [
                {"type": "string"},
                {"type": "array", "items": {"type": "string"}},
                {"type": "object", "additionalProperties": span},
            ],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_have_signs() {
        for (text, seconds) in [("30s", 30), ("-1m30s", -90), ("+2h", 7200), ("0", 0)] {
            assert_eq!(signed(text), Ok(Offset { ns: seconds * 1_000_000_000 }), "{text}");
        }
        for text in ["", "-", "5", "--5s"] {
            assert!(signed(text).is_err(), "{text}");
        }
    }

    #[test]
    fn drifts_are_parts_per_million() {
        for (text, ppb) in [("50ppm", 50_000), ("-0.5ppm", -500), ("1%", 10_000_000)] {
            assert_eq!(parts(text).map(|d| d.0), Ok(Drift(ppb)), "{text}");
        }
        for text in ["", "50", "ppm", "60%", "NaN%", "infppm"] {
            assert!(parts(text).is_err(), "{text}");
        }
    }
}
