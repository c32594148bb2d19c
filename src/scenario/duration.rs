//! Durations as kubectl and Go spell them: `90s`, `1m30s`, `250ms`, `1.5h`.

use crate::time::Span;

/// Nanoseconds of every unit, longest name first.
const UNITS: [(&str, u64); 7] = [
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

/// Reads a duration.
///
/// # Errors
/// What is wrong with the text, with an example of what would do.
pub fn parse(text: &str) -> Result<Span, String> {
    if text == "0" {
        return Ok(Span::ZERO);
    }
    if text.is_empty() {
        return Err("an empty text is not a duration; write one such as 90s or 1m30s".to_string());
    }
    let mut total: u128 = 0;
    let mut rest = text;
    while !rest.is_empty() {
        let (ns, tail) = term(rest).ok_or_else(|| explain(text))?;
        total += ns;
        rest = tail;
    }
    u64::try_from(total)
        .map(Span::from_ns)
        .map_err(|_| format!("`{text}` is longer than the 584 years that a run can last"))
}

/// The first number with its unit in nanoseconds, and what follows it.
fn term(text: &str) -> Option<(u128, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let (number, rest) = text.split_at(end);
    let unit_end = rest.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(rest.len());
    let (unit, rest) = rest.split_at(unit_end);
    let (_, scale) = UNITS.iter().find(|(name, _)| *name == unit)?;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') || number.len() > 18 {
        return None;
    }
    let digits: u128 = format!("{whole}{fraction}").parse().ok()?;
    Some((digits * u128::from(*scale) / 10_u128.pow(fraction.len() as u32), rest))
}

fn explain(text: &str) -> String {
    if text.starts_with('-') {
        return format!("`{text}` is negative; time only goes forward");
    }
    if text.parse::<f64>().is_ok() {
        return format!("`{text}` has no unit; write {text}s for seconds");
    }
    if let Some(days) = text.strip_suffix('d').and_then(|d| d.parse::<u32>().ok()) {
        return format!("`{text}`: there is no unit for days; write {}h", u64::from(days) * 24);
    }
    format!("`{text}` is not a duration; write one such as 90s, 1m30s or 250ms")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_as_in_go() {
        for (text, ms) in [
            ("0", 0),
            ("0s", 0),
            ("90s", 90_000),
            ("1m30s", 90_000),
            ("1.5h", 5_400_000),
            ("250ms", 250),
            ("1h0m0.5s", 3_600_500),
            (".5s", 500),
            ("2.s", 2_000),
            ("1500us", 1),
            ("1500µs", 1),
        ] {
            assert_eq!(parse(text).map(Span::as_ms), Ok(ms), "{text}");
        }
        for (text, message) in [
            ("", "empty"),
            ("5", "write 5s"),
            ("-5s", "negative"),
            ("2d", "write 48h"),
            ("5 s", "not a duration"),
            ("s", "not a duration"),
            ("1.2.3s", "not a duration"),
            (".s", "not a duration"),
            ("10x", "not a duration"),
            ("9999999h", "584 years"),
            ("99999999999999999999s", "not a duration"),
            ("1é", "not a duration"),
        ] {
            let found = parse(text).unwrap_err();
            assert!(found.contains(message), "{text}: {found}");
        }
    }
}
