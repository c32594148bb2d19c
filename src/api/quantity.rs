//! Resource quantities: `500m`, `2`, `1.5Gi`.

/// Reads a quantity in thousandths of its unit: CPU in millicores, memory in
/// thousandths of a byte. Fractions of a thousandth round up, as upstream's
/// `MilliValue` does.
///
/// # Errors
/// The API server's message if the text is not a quantity.
pub fn parse_quantity(text: &str) -> Result<i64, String> {
    parse_in(text, 1_000)
}

/// The same in billionths, which is as fine as upstream keeps an amount.
///
/// # Errors
/// The API server's message if the text is not a quantity.
pub fn parse_nanos(text: &str) -> Result<i64, String> {
    parse_in(text, 1_000_000_000)
}

/// Reads a quantity in `parts` of its unit, rounded up.
fn parse_in(text: &str, parts: i128) -> Result<i64, String> {
    let refuse = || {
        format!(
            "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$' (got {text:?})"
        )
    };
    let digits_end = text
        .char_indices()
        .find(|(i, c)| !(c.is_ascii_digit() || *c == '.' || (*i == 0 && (*c == '+' || *c == '-'))))
        .map_or(text.len(), |(i, _)| i);
    let (number, suffix) = text.split_at(digits_end);
    let (number, sign) = match number.strip_prefix('-') {
        Some(rest) => (rest, -1),
        None => (number.strip_prefix('+').unwrap_or(number), 1),
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') || fraction.len() > 18 {
        return Err(refuse());
    }
    let mantissa: i128 = format!("{whole}{fraction}").parse().map_err(|_| refuse())?;
    let (multiplier, mut divisor): (i128, i128) = match suffix {
        "n" => (1, 1_000_000_000),
        "u" => (1, 1_000_000),
        "m" => (1, 1_000),
        "" => (1, 1),
        "k" => (1_000, 1),
        "M" => (1_000_000, 1),
        "G" => (1_000_000_000, 1),
        "T" => (1_000_000_000_000, 1),
        "P" => (1_000_000_000_000_000, 1),
        "Ki" => (1 << 10, 1),
        "Mi" => (1 << 20, 1),
        "Gi" => (1 << 30, 1),
        "Ti" => (1 << 40, 1),
        "Pi" => (1 << 50, 1),
        _ => match suffix.strip_prefix(['e', 'E']).and_then(|e| e.parse::<i32>().ok()) {
            Some(e @ 0..=18) => (10_i128.pow(e.unsigned_abs()), 1),
            Some(e @ -18..0) => (1, 10_i128.pow(e.unsigned_abs())),
            _ => return Err(refuse()),
        },
    };
    divisor *= 10_i128.pow(fraction.len() as u32);
    let product = mantissa.checked_mul(multiplier * parts).ok_or_else(refuse)?;
    let amount = sign * ((product + divisor - 1) / divisor);
    i64::try_from(amount).map_err(|_| refuse())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_read_in_thousandths() {
        for (text, milli) in [
            ("500m", 500),
            ("2", 2_000),
            ("0.5", 500),
            ("1.5Gi", 1_610_612_736_000),
            ("64Gi", 68_719_476_736_000),
            ("1e3", 1_000_000),
            ("100Mi", 104_857_600_000),
            ("1u", 1),
        ] {
            assert_eq!(parse_quantity(text), Ok(milli), "{text}");
        }
        for text in ["", "x", "1.2.3", "5 Gi", "1Q", "."] {
            assert!(parse_quantity(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_finer_is_kept_where_it_counts() {
        for (text, nanos) in [("0.05", 50_000_000), ("0.0005", 500_000), ("15m", 15_000_000), ("1n", 1), ("0.1n", 1)] {
            assert_eq!(parse_nanos(text), Ok(nanos), "{text}");
        }
    }
}
