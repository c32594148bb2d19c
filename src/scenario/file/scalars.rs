//! The small values of a scenario file: durations, delays, quantities.

use crate::api::parse_quantity;
use crate::environment::Delay;
use crate::scenario::duration;
use crate::time::Span;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor};
use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

/// A length of time such as `90s`, `1m30s` or `250ms`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Duration(pub Span);

impl<'de> Deserialize<'de> for Duration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = Duration;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a duration such as 90s or 1m30s")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Duration, E> {
                duration::parse(text).map(Duration).map_err(E::custom)
            }

            fn visit_u64<E: Error>(self, n: u64) -> Result<Duration, E> {
                self.visit_str(&n.to_string())
            }

            fn visit_i64<E: Error>(self, n: i64) -> Result<Duration, E> {
                self.visit_str(&n.to_string())
            }
        }
        deserializer.deserialize_any(Text)
    }
}

impl JsonSchema for Duration {
    fn schema_name() -> Cow<'static, str> {
        "Duration".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A length of time such as 90s, 1m30s or 250ms.",
            "type": "string",
            "pattern": "^0$|^(([0-9]+(\\.[0-9]*)?|\\.[0-9]+)(ns|us|µs|ms|s|m|h))+$",
        })
    }
}

/// How long something takes: a duration, `never`, or a distribution.
#[derive(Clone, PartialEq, Debug)]
pub enum DelayEntry {
    /// Always the same.
    Fixed(Duration),
    /// It does not happen.
    Never,
    /// A draw.
    Drawn(Distribution),
}

impl DelayEntry {
    /// Whether it can be nothing but 0.
    pub fn is_always_zero(&self) -> bool {
        let zero = |duration: &Duration| duration.0 == Span::ZERO;
        match self {
            DelayEntry::Never => false,
            DelayEntry::Fixed(duration) => zero(duration),
            DelayEntry::Drawn(distribution) => match distribution {
                Distribution::Uniform { high, .. } => zero(high),
                Distribution::Normal { mean, deviation } => zero(mean) && zero(deviation),
                Distribution::LogNormal { p99, .. } => zero(p99),
                Distribution::Exponential { mean } => zero(mean),
                Distribution::Empirical(all) => all.iter().all(zero),
            },
        }
    }
}

/// What a random delay is drawn from.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum Distribution {
    /// Anything between, equally likely.
    Uniform {
        /// The least.
        low: Duration,
        /// The most.
        high: Duration,
    },
    /// Bell-shaped, cut off at zero.
    Normal {
        /// The middle.
        mean: Duration,
        /// The standard deviation.
        deviation: Duration,
    },
    /// Skewed to the right, as start-up times are.
    LogNormal {
        /// Half of the draws are below.
        median: Duration,
        /// 99 of 100 draws are below.
        p99: Duration,
    },
    /// Memoryless.
    Exponential {
        /// The average.
        mean: Duration,
    },
    /// One of these, equally likely.
    Empirical(Vec<Duration>),
}

impl From<&DelayEntry> for Delay {
    fn from(entry: &DelayEntry) -> Delay {
        match entry {
            DelayEntry::Never => Delay::Never,
            DelayEntry::Fixed(d) => Delay::Constant(d.0),
            DelayEntry::Drawn(d) => match d {
                Distribution::Uniform { low, high } => Delay::Uniform { low: low.0, high: high.0 },
                Distribution::Normal { mean, deviation } => Delay::Normal { mean: mean.0, deviation: deviation.0 },
                Distribution::LogNormal { median, p99 } => Delay::LogNormal { median: median.0, p99: p99.0 },
                Distribution::Exponential { mean } => Delay::Exponential { mean: mean.0 },
                Distribution::Empirical(all) => Delay::Empirical(all.iter().map(|d| d.0).collect()),
            },
        }
    }
}

impl<'de> Deserialize<'de> for DelayEntry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = DelayEntry;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a duration such as 12s, `never`, or a distribution such as {uniform: {low: 1s, high: 3s}}")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<DelayEntry, E> {
                if text == "never" {
                    return Ok(DelayEntry::Never);
                }
                duration::parse(text).map(|d| DelayEntry::Fixed(Duration(d))).map_err(E::custom)
            }

            fn visit_u64<E: Error>(self, n: u64) -> Result<DelayEntry, E> {
                self.visit_str(&n.to_string())
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<DelayEntry, A::Error> {
                Distribution::deserialize(MapAccessDeserializer::new(map)).map(DelayEntry::Drawn)
            }
        }
        deserializer.deserialize_any(Any)
    }
}

impl JsonSchema for DelayEntry {
    fn schema_name() -> Cow<'static, str> {
        "Delay".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "How long something takes: a duration, `never`, or a distribution.",
            "anyOf": [
                generator.subschema_for::<Duration>(),
                {"const": "never"},
                generator.subschema_for::<Distribution>(),
            ],
        })
    }
}

/// An amount of CPU or memory such as `16`, `500m` or `64Gi`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Quantity {
    /// Thousandths of the unit.
    pub milli: i64,
}

impl<'de> Deserialize<'de> for Quantity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Amount;
        impl Visitor<'_> for Amount {
            type Value = Quantity;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a quantity such as 16, 500m or 64Gi")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Quantity, E> {
                match parse_quantity(text) {
                    Ok(milli) if milli >= 0 => Ok(Quantity { milli }),
                    Ok(_) => Err(E::custom(format!("`{text}` is negative"))),
                    Err(message) => Err(E::custom(message)),
                }
            }

            fn visit_u64<E: Error>(self, n: u64) -> Result<Quantity, E> {
                self.visit_str(&n.to_string())
            }

            fn visit_i64<E: Error>(self, n: i64) -> Result<Quantity, E> {
                self.visit_str(&n.to_string())
            }

            fn visit_f64<E: Error>(self, n: f64) -> Result<Quantity, E> {
                self.visit_str(&n.to_string())
            }
        }
        deserializer.deserialize_any(Amount)
    }
}

impl JsonSchema for Quantity {
    fn schema_name() -> Cow<'static, str> {
        "Quantity".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "An amount of CPU or memory such as 16, 500m or 64Gi.",
            "type": ["string", "number"],
        })
    }
}

/// One value or a list of values.
#[derive(Clone, PartialEq, Debug)]
pub struct OneOrMany<T>(pub Vec<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for OneOrMany<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Either<T> {
            type Value = OneOrMany<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("one value or a list of values")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                T::deserialize(serde::de::value::StrDeserializer::new(text)).map(|v| OneOrMany(vec![v]))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(|v| OneOrMany(vec![v]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
                let mut all = Vec::new();
                while let Some(item) = items.next_element()? {
                    all.push(item);
                }
                Ok(OneOrMany(all))
            }
        }
        deserializer.deserialize_any(Either(PhantomData))
    }
}

impl<T: JsonSchema> JsonSchema for OneOrMany<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("OneOrMany_{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let one = generator.subschema_for::<T>();
        json_schema!({"anyOf": [one, {"type": "array", "items": one}]})
    }
}

/// Reads a text, or a mapping in full: the two spellings of one thing.
pub(super) fn text_or_map<'de, T, D>(
    deserializer: D,
    expecting: &'static str,
    from_text: fn(&str) -> Result<T, String>,
) -> Result<T, D::Error>
where
    T: FromMap,
    D: Deserializer<'de>,
{
    struct Both<T> {
        expecting: &'static str,
        from_text: fn(&str) -> Result<T, String>,
    }
    impl<'de, T: FromMap> Visitor<'de> for Both<T> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.expecting)
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
            (self.from_text)(text).map_err(E::custom)
        }

        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
            T::from_map(MapAccessDeserializer::new(map))
        }
    }
    deserializer.deserialize_any(Both { expecting, from_text })
}

/// A thing with a spelling in full.
pub(super) trait FromMap: Sized {
    /// Reads the spelling in full.
    fn from_map<'de, A: MapAccess<'de>>(map: MapAccessDeserializer<A>) -> Result<Self, A::Error>;
}
