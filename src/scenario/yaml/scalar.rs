//! What an unquoted word means. kubectl reads YAML 1.1, most other tools 1.2,
//! so `010`, `yes` and `1_000` are not the same everywhere. seatrial reads
//! them as kubectl does and says so.

use serde_json::{Number, Value};

/// What an unquoted scalar is, and whether YAML 1.2 would read it otherwise.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Scalar {
    /// The value.
    pub(super) value: Value,
    /// Whether the reading is a surprise to users of YAML 1.2.
    pub(super) surprising: bool,
}

/// Reads an unquoted scalar.
///
/// # Errors
/// A message for the numbers that JSON cannot say: `.inf`, `.nan` and whole
/// numbers beyond 64 bits.
///
/// Upstream: `sigs.k8s.io/yaml goyaml.v2/resolve.go resolve`
pub(super) fn resolve(text: &str) -> Result<Scalar, String> {
    let plain = |value| Ok(Scalar { value, surprising: false });
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return plain(Value::Null),
        "true" | "True" | "TRUE" => return plain(Value::Bool(true)),
        "false" | "False" | "FALSE" => return plain(Value::Bool(false)),
        "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => {
            return Ok(Scalar { value: Value::Bool(true), surprising: true });
        }
        "n" | "N" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => {
            return Ok(Scalar { value: Value::Bool(false), surprising: true });
        }
        ".nan" | ".NaN" | ".NAN" | ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" | "-.inf"
        | "-.Inf" | "-.INF" => return Err(format!("`{text}` is not a number that a manifest can hold")),
        _ => {}
    }
    if !text.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c)) {
        return plain(Value::String(text.to_string()));
    }
    if text.starts_with('.') {
        return plain(float(text).map_or_else(|| Value::String(text.to_string()), whole_if_possible));
    }
    let without_underscores = text.replace('_', "");
    if let Some(number) = integer(&without_underscores)? {
        let surprising = number.to_string() != text.strip_prefix('+').unwrap_or(text);
        return Ok(Scalar { value: Value::Number(number), surprising });
    }
    match float(&without_underscores) {
        Some(value) => {
            Ok(Scalar { value: whole_if_possible(value), surprising: without_underscores != text })
        }
        None => plain(Value::String(text.to_string())),
    }
}

/// Reads a whole number as Go does with base 0: `0x` hexadecimal, `0b`
/// binary, `0o` or a leading `0` octal. `None` if it is not one.
fn integer(text: &str) -> Result<Option<Number>, String> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let lower = digits.to_ascii_lowercase();
    let (radix, digits) = match lower.as_bytes() {
        [b'0', b'x', ..] => (16, &lower[2..]),
        [b'0', b'b', ..] => (2, &lower[2..]),
        [b'0', b'o', ..] => (8, &lower[2..]),
        [b'0', _, ..] => (8, &lower[1..]),
        _ => (10, &lower[..]),
    };
    if digits.is_empty() || !digits.chars().all(|c| c.is_digit(radix)) {
        return Ok(None);
    }
    let magnitude = u64::from_str_radix(digits, radix);
    match (negative, magnitude) {
        (false, Ok(n)) => Ok(Some(Number::from(n))),
        (true, Ok(n)) if n <= i64::MIN.unsigned_abs() => Ok(Some(Number::from(0_i64.wrapping_sub_unsigned(n)))),
        _ => Err(format!("`{text}` does not fit in 64 bits")),
    }
}

/// Reads a decimal fraction such as `1.5`, `.5`, `2.` or `1e3`.
fn float(text: &str) -> Option<f64> {
    let body = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = match body.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent.strip_prefix(['+', '-']).unwrap_or(exponent))),
        None => (body, None),
    };
    let digits = |t: &str| t.chars().all(|c| c.is_ascii_digit());
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let sound = digits(whole)
        && digits(fraction)
        && !(whole.is_empty() && fraction.is_empty())
        && exponent.is_none_or(|e| !e.is_empty() && digits(e));
    if sound { text.parse().ok().filter(|f: &f64| f.is_finite()) } else { None }
}

/// The JSON that Go writes for a float: without a fraction if there is none.
fn whole_if_possible(value: f64) -> Value {
    if value.fract() == 0.0 && value.abs() < 9.0e15 {
        return Value::Number(Number::from(value as i64));
    }
    Number::from_f64(value).map_or(Value::Null, Value::Number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// Every reading was compared with `kubectl annotate --local -o json`.
    #[test]
    fn words_are_read_as_kubectl_reads_them() {
        for (text, value, surprising) in [
            ("010", json!(8), true),
            ("0o10", json!(8), true),
            ("0x1F", json!(31), true),
            ("0b101", json!(5), true),
            ("-010", json!(-8), true),
            ("1_0", json!(10), true),
            ("08", json!(8), false),
            ("3.0", json!(3), false),
            ("1e3", json!(1000), false),
            ("1.5", json!(1.5), false),
            (".5", json!(0.5), false),
            ("+7", json!(7), false),
            ("-7", json!(-7), false),
            ("0", json!(0), false),
            ("yes", json!(true), true),
            ("Off", json!(false), true),
            ("y", json!(true), true),
            ("n", json!(false), true),
            ("true", json!(true), false),
            ("~", json!(null), false),
            ("", json!(null), false),
            ("1.2.3", json!("1.2.3"), false),
            ("2026-01-05", json!("2026-01-05"), false),
            ("12s", json!("12s"), false),
            ("25%", json!("25%"), false),
            ("-", json!("-"), false),
            ("1:30", json!("1:30"), false),
            ("0x", json!("0x"), false),
            ("e3", json!("e3"), false),
            ("18446744073709551615", json!(u64::MAX), false),
            ("-9223372036854775808", json!(i64::MIN), false),
        ] {
            assert_eq!(resolve(text), Ok(Scalar { value, surprising }), "{text}");
        }
        for text in [".inf", "-.INF", ".nan", "18446744073709551616", "-9223372036854775809"] {
            assert!(resolve(text).is_err(), "{text}");
        }
    }
}
