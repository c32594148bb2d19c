//! A number or a share of a total: `3` or `25%`.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// `intstr.IntOrString` where the string is a percentage.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum IntOrPercent {
    /// An absolute number.
    Int(i32),
    /// A percentage of some total.
    Percent(i32),
}

/// Which way a share is rounded to a whole number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rounding {
    /// Towards more, as `maxSurge`.
    Up,
    /// Towards less, as `maxUnavailable`.
    Down,
}

impl IntOrPercent {
    /// Reads `"25%"`; a number in quotes is refused, as the API server does.
    ///
    /// # Errors
    /// The message of the API server for strings that are not percentages.
    pub fn parse_percent(text: &str) -> Result<IntOrPercent, String> {
        let Some(digits) = text.strip_suffix('%') else {
            return Err(format!("invalid value for IntOrString: invalid type: string is not a percentage ({text:?})"));
        };
        digits
            .parse::<i32>()
            .map(IntOrPercent::Percent)
            .map_err(|_| format!("invalid value for IntOrString: invalid value {text:?}: not a whole percentage"))
    }

    /// The whole number this stands for, out of `total`.
    ///
    /// A percentage multiplies before it divides, so 1 % of 100 is exactly 1
    /// and 33 % of 100 exactly 33, whichever way the rest is rounded.
    ///
    /// Upstream: `staging/src/k8s.io/apimachinery/pkg/util/intstr/intstr.go GetScaledValueFromIntOrPercent`
    #[must_use]
    pub fn scaled(self, total: i32, rounding: Rounding) -> i32 {
        match self {
            IntOrPercent::Int(n) => n,
            IntOrPercent::Percent(p) => {
                let product = i64::from(p) * i64::from(total);
                let whole = match rounding {
                    Rounding::Up => -((-product).div_euclid(100)),
                    Rounding::Down => product.div_euclid(100),
                };
                whole as i32
            }
        }
    }
}

impl fmt::Display for IntOrPercent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            IntOrPercent::Int(n) => write!(f, "{n}"),
            IntOrPercent::Percent(p) => write!(f, "{p}%"),
        }
    }
}

impl Serialize for IntOrPercent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            IntOrPercent::Int(n) => serializer.serialize_i32(*n),
            IntOrPercent::Percent(_) => serializer.collect_str(self),
        }
    }
}

impl<'de> Deserialize<'de> for IntOrPercent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = IntOrPercent;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number or a percentage such as \"25%\"")
            }

            fn visit_i64<E: serde::de::Error>(self, n: i64) -> Result<IntOrPercent, E> {
                i32::try_from(n)
                    .map(IntOrPercent::Int)
                    .map_err(|_| E::invalid_value(serde::de::Unexpected::Signed(n), &self))
            }

            fn visit_u64<E: serde::de::Error>(self, n: u64) -> Result<IntOrPercent, E> {
                i32::try_from(n)
                    .map(IntOrPercent::Int)
                    .map_err(|_| E::invalid_value(serde::de::Unexpected::Unsigned(n), &self))
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<IntOrPercent, E> {
                IntOrPercent::parse_percent(text).map_err(E::custom)
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn surge_rounds_up_and_unavailable_down() {
        for (percent, total, up, down) in [(25, 3, 1, 0), (25, 10, 3, 2), (33, 100, 33, 33), (0, 7, 0, 0)] {
            let share = IntOrPercent::Percent(percent);
            assert_eq!(share.scaled(total, Rounding::Up), up);
            assert_eq!(share.scaled(total, Rounding::Down), down);
        }
    }
}
