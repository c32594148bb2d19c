//! Requests that clients send to Services.

use super::scalars::{DelayEntry, Duration, FromMap, Quantity, text_or_map};
use super::work::Probability;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

/// The requests for one Service and what becomes of them.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TrafficEntry {
    /// How many requests clients send a second (default 0: only the ways to
    /// the pods are looked at).
    #[serde(default)]
    pub requests: Option<DemandEntry>,
    /// How many requests a second one pod can serve (default: as many as
    /// come).
    #[serde(default)]
    pub capacity: Option<Rate>,
    /// How long a request takes (default 0): what is under way when a pod is
    /// cut off fails.
    #[serde(default)]
    pub latency: Option<Duration>,
    /// The CPU that a request takes, in CPU seconds such as `5m`, or that with
    /// what a pod uses when idle (default: no CPU is measured).
    #[serde(default)]
    pub cpu: Option<CpuEntry>,
    /// A pod is slow at first.
    #[serde(default)]
    pub warm_up: Option<WarmUpEntry>,
    /// Which share of the answers are errors: `1%`, or by image,
    /// `{'image/app:v2': 5%}`; `*` stands for all other images.
    #[serde(default)]
    pub errors: Option<ErrorsEntry>,
    /// From a change of a pod until it is in the EndpointSlice (default
    /// 100ms).
    #[serde(default)]
    pub endpoints: Option<DelayEntry>,
    /// From there until kube-proxies send requests elsewhere (default 1s, the
    /// most that kube-proxy waits between two updates).
    #[serde(default)]
    pub proxy: Option<DelayEntry>,
    /// A load balancer sends requests to the pods instead: from a change in
    /// the EndpointSlice until it acts, or that with health checks.
    #[serde(default)]
    pub load_balancer: Option<LoadBalancerEntry>,
}

/// Requests a second: `200`, `0.5` or `200/s`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Rate {
    /// Millionths of a request a second.
    pub micro: u64,
}

fn rate(text: &str) -> Result<Rate, String> {
    let number = text.strip_suffix("/s").unwrap_or(text).trim();
    match number.parse::<f64>() {
        Ok(n) if (0.0..=1e9).contains(&n) => Ok(Rate { micro: (n * 1e6).round() as u64 }),
        Ok(_) => Err(format!("`{text}` is not between 0 and 1000000000 requests a second")),
        Err(_) => Err(format!("`{text}` is not a rate; write requests a second, such as 200")),
    }
}

impl<'de> Deserialize<'de> for Rate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Number;
        impl Visitor<'_> for Number {
            type Value = Rate;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("requests a second such as 200")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Rate, E> {
                rate(text).map_err(E::custom)
            }

            fn visit_u64<E: Error>(self, n: u64) -> Result<Rate, E> {
                self.visit_str(&n.to_string())
            }

            fn visit_i64<E: Error>(self, n: i64) -> Result<Rate, E> {
                self.visit_str(&n.to_string())
            }

            fn visit_f64<E: Error>(self, n: f64) -> Result<Rate, E> {
                self.visit_str(&n.to_string())
            }
        }
        deserializer.deserialize_any(Number)
    }
}

impl JsonSchema for Rate {
    fn schema_name() -> Cow<'static, str> {
        "Rate".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "Requests a second, such as 200, 0.5 or 200/s.",
            "anyOf": [{"type": "number", "minimum": 0}, {"type": "string", "pattern": "^[0-9.]+(/s)?$"}],
        })
    }
}

/// How many requests clients send: a rate, or a curve.
#[derive(Clone, PartialEq, Debug)]
pub enum DemandEntry {
    /// Always the same.
    Constant(Rate),
    /// Each rate from its time on.
    Steps(Vec<(Duration, Rate)>),
    /// Something that rises and falls.
    Curve(Curve),
}

/// A curve of requests. What rises and falls does so in steps.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Curve {
    /// Each rate from its time on: `[[0s, 100], [5m, 400]]`.
    Steps(Vec<(Duration, Rate)>),
    /// Straight lines between points: `[[0s, 100], [5m, 400]]`.
    Ramp(Vec<(Duration, Rate)>),
    /// Up from one rate to another in a straight line, and down at once.
    Sawtooth {
        /// At the beginning of each tooth.
        low: Rate,
        /// At its end.
        high: Rate,
        /// The length of a tooth.
        period: Duration,
    },
    /// A sine over each day.
    Daily {
        /// Twelve hours from the peak.
        low: Rate,
        /// At the peak.
        high: Rate,
        /// The time of day of the peak in UTC, such as `14h`.
        peak: Duration,
    },
}

impl<'de> Deserialize<'de> for DemandEntry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = DemandEntry;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("requests a second such as 200, steps such as [[0s, 100], [5m, 400]], or a curve")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<DemandEntry, E> {
                rate(text).map(DemandEntry::Constant).map_err(E::custom)
            }

            fn visit_u64<E: Error>(self, n: u64) -> Result<DemandEntry, E> {
                self.visit_str(&n.to_string())
            }

            fn visit_i64<E: Error>(self, n: i64) -> Result<DemandEntry, E> {
                self.visit_str(&n.to_string())
            }

            fn visit_f64<E: Error>(self, n: f64) -> Result<DemandEntry, E> {
                self.visit_str(&n.to_string())
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<DemandEntry, A::Error> {
                let mut all = Vec::new();
                while let Some(item) = items.next_element()? {
                    all.push(item);
                }
                Ok(DemandEntry::Steps(all))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<DemandEntry, A::Error> {
                Curve::deserialize(MapAccessDeserializer::new(map)).map(DemandEntry::Curve)
            }
        }
        deserializer.deserialize_any(Any)
    }
}

impl JsonSchema for DemandEntry {
    fn schema_name() -> Cow<'static, str> {
        "Demand".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "Requests a second: a rate, steps such as [[0s, 100], [5m, 400]], or a curve.",
            "anyOf": [
                generator.subschema_for::<Rate>(),
                generator.subschema_for::<Vec<(Duration, Rate)>>(),
                generator.subschema_for::<Curve>(),
            ],
        })
    }
}

/// The CPU of requests: `5m` for each, or that with an idle pod's.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct CpuEntry {
    /// CPU seconds for each request.
    pub request: Quantity,
    /// What a pod uses while it runs (default 0).
    pub idle: Option<Quantity>,
}

/// [`CpuEntry`] in full.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CpuInFull {
    /// CPU seconds for each request.
    request: Quantity,
    /// What a pod uses while it runs (default 0).
    #[serde(default)]
    idle: Option<Quantity>,
}

impl FromMap for CpuEntry {
    fn from_map<'de, A: MapAccess<'de>>(map: MapAccessDeserializer<A>) -> Result<Self, A::Error> {
        CpuInFull::deserialize(map).map(|full| CpuEntry { request: full.request, idle: full.idle })
    }
}

impl<'de> Deserialize<'de> for CpuEntry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text_or_map(deserializer, "CPU seconds for each request such as 5m, or {request: 5m, idle: 20m}", |text| {
            let milli = crate::api::parse_quantity(text)?;
            let milli = if milli < 0 { return Err(format!("`{text}` is negative")) } else { milli };
            Ok(CpuEntry { request: Quantity { milli }, idle: None })
        })
    }
}

impl JsonSchema for CpuEntry {
    fn schema_name() -> Cow<'static, str> {
        "RequestCpu".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let full = generator.subschema_for::<CpuInFull>();
        json_schema!({"description": "CPU seconds for each request such as 5m, or that with an idle pod's.", "anyOf": [{"type": "string"}, full]})
    }
}

/// A pod is slow at first.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WarmUpEntry {
    /// For how long after it has begun to answer.
    pub lasts: DelayEntry,
    /// How many requests a second it can serve meanwhile (default: as many as
    /// later).
    #[serde(default)]
    pub capacity: Option<Rate>,
    /// The CPU that it uses on top, from its start on (default 0).
    #[serde(default)]
    pub cpu: Option<Quantity>,
}

/// Shares of answers that are errors.
#[derive(Clone, Debug)]
pub enum ErrorsEntry {
    /// Of all.
    All(Probability),
    /// By `image/app:v2`, or `*` for all others.
    ByImage(BTreeMap<String, Probability>),
}

impl<'de> Deserialize<'de> for ErrorsEntry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = ErrorsEntry;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a share such as 5%, or shares by image such as {'image/app:v2': 5%}")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<ErrorsEntry, E> {
                Probability::deserialize(serde::de::value::StrDeserializer::new(text)).map(ErrorsEntry::All)
            }

            fn visit_u64<E: Error>(self, n: u64) -> Result<ErrorsEntry, E> {
                self.visit_str(&n.to_string())
            }

            fn visit_f64<E: Error>(self, n: f64) -> Result<ErrorsEntry, E> {
                self.visit_str(&n.to_string())
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<ErrorsEntry, A::Error> {
                BTreeMap::deserialize(MapAccessDeserializer::new(map)).map(ErrorsEntry::ByImage)
            }
        }
        deserializer.deserialize_any(Either)
    }
}

impl JsonSchema for ErrorsEntry {
    fn schema_name() -> Cow<'static, str> {
        "Errors".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let share = generator.subschema_for::<Probability>();
        json_schema!({
            "description": "The share of answers that are errors, or shares by image such as {'image/app:v2': 5%}.",
            "anyOf": [share, {"type": "object", "additionalProperties": share}],
        })
    }
}

/// A load balancer: how long it takes, or that with health checks.
#[derive(Clone, Debug)]
pub struct LoadBalancerEntry {
    /// From a change in the EndpointSlice until it acts.
    pub delay: DelayEntry,
    /// Its own checks.
    pub health_check: Option<HealthCheckEntry>,
}

/// [`LoadBalancerEntry`] in full.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct LoadBalancerInFull {
    /// From a change in the EndpointSlice until it acts.
    delay: DelayEntry,
    /// It asks the pods itself whether they answer (default: it does not).
    #[serde(default)]
    health_check: Option<HealthCheckEntry>,
}

/// A load balancer asks each pod at intervals whether it answers.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HealthCheckEntry {
    /// From one check to the next.
    pub interval: Duration,
    /// How many answers in a row bring a pod back (default 2; a new pod needs
    /// one).
    #[serde(default)]
    pub healthy: Option<u32>,
    /// How many failures in a row put it out (default 2).
    #[serde(default)]
    pub unhealthy: Option<u32>,
}

impl FromMap for LoadBalancerEntry {
    fn from_map<'de, A: MapAccess<'de>>(map: MapAccessDeserializer<A>) -> Result<Self, A::Error> {
        LoadBalancerInFull::deserialize(map)
            .map(|full| LoadBalancerEntry { delay: full.delay, health_check: full.health_check })
    }
}

impl<'de> Deserialize<'de> for LoadBalancerEntry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text_or_map(deserializer, "a duration such as 20s, or {delay: 5s, healthCheck: {interval: 10s}}", |text| {
            let delay =
                DelayEntry::deserialize(serde::de::value::StrDeserializer::<serde::de::value::Error>::new(text));
            delay.map(|delay| LoadBalancerEntry { delay, health_check: None }).map_err(|e| e.to_string())
        })
    }
}

impl JsonSchema for LoadBalancerEntry {
    fn schema_name() -> Cow<'static, str> {
        "LoadBalancer".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let (delay, full) = (generator.subschema_for::<Duration>(), generator.subschema_for::<LoadBalancerInFull>());
        json_schema!({"description": "From a change in the EndpointSlice until a load balancer acts, or that with health checks.", "anyOf": [delay, full]})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_a_second() {
        for (text, micro) in [("200", 200_000_000), ("200/s", 200_000_000), ("0.5", 500_000), ("0", 0)] {
            assert_eq!(rate(text), Ok(Rate { micro }), "{text}");
        }
        for text in ["", "-1", "200/m", "many", "NaN", "inf"] {
            assert!(rate(text).is_err(), "{text}");
        }
    }
}
