//! When an action happens.

use super::scalars::Duration;
use crate::scenario::duration;
use crate::time::Span;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::{Deserializer, Error, Visitor};
use std::borrow::Cow;
use std::fmt;

/// A time of the run, or one that counts from another action.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum At {
    /// `30s`
    Time(Duration),
    /// `ship + 30s`
    After {
        /// The other action's name or verb.
        action: String,
        /// How long after it.
        plus: Duration,
    },
}

/// Reads `30s`, `ship` or `ship + 30s`.
fn parse(text: &str) -> Result<At, String> {
    if !text.starts_with(|c: char| c.is_alphabetic()) {
        return duration::parse(text).map(|d| At::Time(Duration(d)));
    }
    let (action, plus) = match text.split_once('+') {
        Some((action, plus)) => (action, duration::parse(plus.trim())?),
        None => (text, Span::ZERO),
    };
    let action = action.trim().to_string();
    if action.contains(char::is_whitespace) {
        return Err(format!("`{text}` is not a time; write one such as 90s, or ship + 30s after the action ship"));
    }
    Ok(At::After { action, plus: Duration(plus) })
}

impl<'de> Deserialize<'de> for At {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = At;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a time such as 90s, or an action such as `ship + 30s`")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<At, E> {
                parse(text).map_err(E::custom)
            }

            fn visit_u64<E: Error>(self, n: u64) -> Result<At, E> {
                self.visit_str(&n.to_string())
            }

            fn visit_i64<E: Error>(self, n: i64) -> Result<At, E> {
                self.visit_str(&n.to_string())
            }
        }
        deserializer.deserialize_any(Text)
    }
}

impl JsonSchema for At {
    fn schema_name() -> Cow<'static, str> {
        "At".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A time of the run such as 90s, or one that counts from another action: ship + 30s.",
            "type": "string",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_or_explained() {
        let after =
            |action: &str, seconds| At::After { action: action.to_string(), plus: Duration(Span::from_secs(seconds)) };
        for (text, at) in [
            ("30s", At::Time(Duration(Span::from_secs(30)))),
            ("0", At::Time(Duration(Span::ZERO))),
            ("ship", after("ship", 0)),
            ("ship + 30s", after("ship", 30)),
            ("ship+1m", after("ship", 60)),
        ] {
            assert_eq!(parse(text), Ok(at), "{text}");
        }
        for (text, wrong) in
            [("5x", "not a duration"), ("30", "no unit"), ("ship + 3", "no unit"), ("a b", "not a time")]
        {
            assert!(parse(text).unwrap_err().contains(wrong), "{text}");
        }
    }
}
