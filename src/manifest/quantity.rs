//! One spelling for every amount, so that `0.5` and `500m` are equal.

use crate::api::parse_quantity;

const RULE: &str = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";

/// Whether the resource is counted in bytes, where powers of 1024 are usual.
pub(super) fn is_bytes(resource: &str) -> bool {
    !resource.contains('/') && resource != "cpu" && resource != "divisor"
}

/// The amount written with the largest suffix that leaves a whole number:
/// powers of 1000, or of 1024 where bytes are counted and that is shorter.
/// What is finer than a thousandth is rounded up.
///
/// Upstream: `pkg/apis/core/v1/defaults.go SetDefaults_ResourceList`
///
/// # Errors
/// The API server's message if the text is not a quantity.
pub(super) fn canonical(text: &str, bytes: bool) -> Result<String, String> {
    let milli = parse_quantity(text).map_err(|_| RULE.to_string())?;
    let decimal = decimal(milli);
    let binary = if bytes { binary(milli) } else { None };
    Ok(match binary {
        Some(binary) if binary.len() <= decimal.len() => binary,
        _ => decimal,
    })
}

fn decimal(milli: i64) -> String {
    let mut number = milli;
    let mut suffix = "m";
    for next in ["", "k", "M", "G", "T", "P"] {
        if number % 1_000 != 0 || number == 0 {
            break;
        }
        number /= 1_000;
        suffix = next;
    }
    if number == 0 { "0".to_string() } else { format!("{number}{suffix}") }
}

fn binary(milli: i64) -> Option<String> {
    if milli % 1_000 != 0 {
        return None;
    }
    let mut number = milli / 1_000;
    let mut suffix = "";
    for next in ["Ki", "Mi", "Gi", "Ti", "Pi"] {
        if number % 1_024 != 0 || number == 0 {
            break;
        }
        number /= 1_024;
        suffix = next;
    }
    (!suffix.is_empty()).then(|| format!("{number}{suffix}"))
}

/// What to write instead of something that is not a quantity.
pub(super) fn hint(text: &str) -> String {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = (&text[..digits], text[digits..].trim());
    let suffix = match unit.to_ascii_lowercase().as_str() {
        "kb" | "kib" | "ki" => Some("Ki"),
        "mb" | "mib" | "mi" => Some("Mi"),
        "gb" | "gib" | "gi" | "g" => Some("Gi"),
        "tb" | "tib" | "ti" | "t" => Some("Ti"),
        "b" | "byte" | "bytes" | "core" | "cores" | "cpu" | "cpus" => Some(""),
        "millicores" | "millicpu" => Some("m"),
        _ => None,
    };
    match suffix {
        Some(suffix) if !number.is_empty() => format!("did you mean {number}{suffix}?"),
        _ => "write a number with a suffix, such as 500m or 512Mi".to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_amounts_are_spelled_alike() {
        for (bytes, spellings, one) in [
            (false, &["500m", "0.5", "5e-1", "500000u"][..], "500m"),
            (false, &["1", "1000m", "1.0"], "1"),
            (false, &["2000"], "2k"),
            (true, &["1Gi", "1024Mi", "1073741824"], "1Gi"),
            (true, &["512Mi", "0.5Gi"], "512Mi"),
            (true, &["1G", "1000M"], "1G"),
            (true, &["1T"], "1T"),
            (true, &["0", "0Gi"], "0"),
        ] {
            for spelling in spellings {
                assert_eq!(canonical(spelling, bytes).as_deref(), Ok(one), "{spelling}");
            }
        }
    }

    #[test]
    fn what_is_not_a_quantity_is_explained() {
        for (text, advice) in [
            ("512MB", "did you mean 512Mi?"),
            ("1 Gi", "did you mean 1Gi?"),
            ("2cores", "did you mean 2?"),
            ("much", "write a number with a suffix, such as 500m or 512Mi"),
        ] {
            assert!(canonical(text, true).is_err(), "{text}");
            assert_eq!(hint(text), advice);
        }
    }
}
