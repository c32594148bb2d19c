//! Lengths of time as Go writes them: `1h30m`, `500ms`, `-1.5h`.

/// The units with their nanoseconds.
const UNITS: [(&str, u64); 8] = [
    ("ns", 1),
    ("us", 1_000),
    ("\u{b5}s", 1_000),
    ("\u{3bc}s", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

/// Reads a length in nanoseconds.
///
/// # Errors
/// The words of Go's `time.ParseDuration`.
pub(super) fn parse(text: &str) -> Result<i64, String> {
    let invalid = || format!("time: invalid duration {text:?}");
    let (negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Ok(0);
    }
    if rest.is_empty() {
        return Err(invalid());
    }
    let mut total: u64 = 0;
    while !rest.is_empty() {
        let (number, after) = number(rest).ok_or_else(invalid)?;
        let end = after.find(|c: char| c == '.' || c.is_ascii_digit()).unwrap_or(after.len());
        let (unit, after) = after.split_at(end);
        if unit.is_empty() {
            return Err(format!("time: missing unit in duration {text:?}"));
        }
        let known = UNITS.iter().find(|(name, _)| *name == unit);
        let Some(&(_, nanos)) = known else {
            return Err(format!("time: unknown unit {unit:?} in duration {text:?}"));
        };
        let part = number.whole.checked_mul(nanos).filter(|&n| n <= MOST).ok_or_else(invalid)?;
        let fraction = (number.fraction as f64 * (nanos as f64 / number.scale)) as u64;
        let sum = part.checked_add(fraction).and_then(|part| total.checked_add(part));
        total = sum.filter(|&n| n <= MOST).ok_or_else(invalid)?;
        rest = after;
    }
    match i64::try_from(total) {
        Ok(n) => Ok(if negative { -n } else { n }),
        Err(_) if negative => Ok(i64::MIN),
        Err(_) => Err(invalid()),
    }
}

/// The largest magnitude, which only a negative length can have.
const MOST: u64 = 1 << 63;

/// A decimal number in front of a unit.
struct Number {
    whole: u64,
    /// The digits after the point, as far as they fit.
    fraction: u64,
    /// What the fraction is to be divided by.
    scale: f64,
}

/// Reads digits with at most one point; there must be a digit.
fn number(text: &str) -> Option<(Number, &str)> {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let (whole, mut rest) = text.split_at(digits(text));
    let mut number = Number { whole: 0, fraction: 0, scale: 1.0 };
    if !whole.is_empty() {
        number.whole = whole.parse().ok().filter(|&n| n <= MOST)?;
    }
    let mut fraction = "";
    if let Some(after) = rest.strip_prefix('.') {
        (fraction, rest) = after.split_at(digits(after));
    }
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    for digit in fraction.bytes() {
        let longer = number.fraction.checked_mul(10).and_then(|n| n.checked_add(u64::from(digit - b'0')));
        // Digits that no longer fit are too small to matter.
        let Some(longer) = longer.filter(|&n| n <= MOST) else { break };
        number.fraction = longer;
        number.scale *= 10.0;
    }
    Some((number, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_read_like_go_reads_them() {
        for (text, expected) in [
            ("90s", Ok(90_000_000_000)),
            ("1m30.7s", Ok(90_700_000_000)),
            ("1h30m", Ok(5_400_000_000_000)),
            ("-1.5h", Ok(-5_400_000_000_000)),
            ("+.5s", Ok(500_000_000)),
            ("0", Ok(0)),
            ("3\u{b5}s", Ok(3_000)),
            ("2562047h47m16.854775807s", Ok(i64::MAX)),
            ("", Err("time: invalid duration \"\"")),
            ("x", Err("time: invalid duration \"x\"")),
            (".s", Err("time: invalid duration \".s\"")),
            ("5", Err("time: missing unit in duration \"5\"")),
            ("1x", Err("time: unknown unit \"x\" in duration \"1x\"")),
            ("25h * *", Err("time: unknown unit \"h * *\" in duration \"25h * *\"")),
            ("9999999999h", Err("time: invalid duration \"9999999999h\"")),
        ] {
            assert_eq!(parse(text), expected.map_err(str::to_string), "{text}");
        }
    }
}
