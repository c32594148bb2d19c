//! From the text of a schedule to sets of numbers.

use super::{Times, duration, whole_seconds};
use crate::time::Span;

/// The numbers of one field as bits, with [`STAR`].
type Set = u64;

/// The field was left open. It is kept beside the numbers because days of the
/// month and days of the week are joined by *or* unless one of them is open.
const STAR: Set = 1 << 63;

/// Which civil times a schedule means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Fields {
    minutes: Set,
    hours: Set,
    days: Set,
    months: Set,
    weekdays: Set,
}

const fn contains(set: Set, number: i8) -> bool {
    set & (1 << number) != 0
}

impl Fields {
    pub(super) const fn has_minute(&self, minute: i8) -> bool {
        contains(self.minutes, minute)
    }

    pub(super) const fn has_hour(&self, hour: i8) -> bool {
        contains(self.hours, hour)
    }

    pub(super) const fn has_month(&self, month: i8) -> bool {
        contains(self.months, month)
    }

    /// Whether a day fits; weekdays count from Sunday, which is 0.
    pub(super) const fn has_day(&self, day: i8, weekday: i8) -> bool {
        let (by_month, by_week) = (contains(self.days, day), contains(self.weekdays, weekday));
        if (self.days | self.weekdays) & STAR != 0 { by_month && by_week } else { by_month || by_week }
    }
}

/// What one field may say.
struct Field {
    least: u64,
    most: u64,
    /// Names for the numbers from `least` on.
    names: &'static [&'static str],
}

const MINUTE: Field = Field { least: 0, most: 59, names: &[] };
const HOUR: Field = Field { least: 0, most: 23, names: &[] };
const DAY: Field = Field { least: 1, most: 31, names: &[] };
const MONTH: Field = Field {
    least: 1,
    most: 12,
    names: &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
};
const WEEKDAY: Field = Field { least: 0, most: 6, names: &["sun", "mon", "tue", "wed", "thu", "fri", "sat"] };

/// Reads a schedule without a time zone.
pub(super) fn times(text: &str) -> Result<Times, String> {
    if text.starts_with('@') {
        return descriptor(text);
    }
    let words: Vec<&str> = text.split_whitespace().collect();
    let [minute, hour, day, month, weekday] = words[..] else {
        let found = words.len();
        return Err(format!("expected exactly 5 fields, found {found}: [{}]", words.join(" ")));
    };
    Ok(Times::Matching(Fields {
        minutes: MINUTE.read(minute)?,
        hours: HOUR.read(hour)?,
        days: DAY.read(day)?,
        months: MONTH.read(month)?,
        weekdays: WEEKDAY.read(weekday)?,
    }))
}

/// Reads one of the words that begin with `@`. Case matters here.
fn descriptor(text: &str) -> Result<Times, String> {
    let midnight = Fields { minutes: 1, hours: 1, days: DAY.all(), months: MONTH.all(), weekdays: WEEKDAY.all() };
    Ok(Times::Matching(match text {
        "@yearly" | "@annually" => Fields { days: 1 << 1, months: 1 << 1, ..midnight },
        "@monthly" => Fields { days: 1 << 1, ..midnight },
        "@weekly" => Fields { weekdays: 1, ..midnight },
        "@daily" | "@midnight" => midnight,
        "@hourly" => Fields { hours: HOUR.all(), ..midnight },
        _ => {
            let Some(every) = text.strip_prefix("@every ") else {
                return Err(format!("unrecognized descriptor: {text}"));
            };
            let nanos = duration::parse(every).map_err(|error| format!("failed to parse duration {text}: {error}"))?;
            return Ok(Times::Every(whole_seconds(Span(nanos.max(0) as u64))));
        }
    }))
}

impl Field {
    /// Every number of the field, left open.
    fn all(&self) -> Set {
        range(self.least, self.most, 1) | STAR
    }

    /// Reads a list of ranges. Empty items are passed over, so a lone comma
    /// is a field that nothing matches.
    fn read(&self, text: &str) -> Result<Set, String> {
        let items = text.split(',').filter(|item| !item.is_empty());
        items.map(|item| self.read_item(item)).try_fold(0, |set, item| Ok(set | item?))
    }

    /// Reads `*`, `5`, `1-5`, each with or without `/step`.
    fn read_item(&self, item: &str) -> Result<Set, String> {
        let parts: Vec<&str> = item.split('/').collect();
        let ends: Vec<&str> = parts[0].split('-').collect();
        let open = matches!(ends[0], "*" | "?");
        // Whatever follows an open beginning is not looked at.
        let (low, mut high) = if open { (self.least, self.most) } else { self.ends(&ends, item)? };
        let step = match parts[..] {
            [_] => 1,
            [_, step] => number(step)?,
            _ => return Err(format!("too many slashes: {item}")),
        };
        // A step from a single number goes on to the end of the field.
        if parts.len() == 2 && ends.len() == 1 {
            high = self.most;
        }
        self.check(low, high, step, item)?;
        let star = if open && step <= 1 { STAR } else { 0 };
        Ok(range(low, high, step) | star)
    }

    fn ends(&self, ends: &[&str], item: &str) -> Result<(u64, u64), String> {
        let low = self.number(ends[0])?;
        match ends {
            [_] => Ok((low, low)),
            [_, high] => Ok((low, self.number(high)?)),
            _ => Err(format!("too many hyphens: {item}")),
        }
    }

    fn check(&self, low: u64, high: u64, step: u64, item: &str) -> Result<(), String> {
        let Field { least, most, .. } = *self;
        if low < least {
            return Err(format!("beginning of range ({low}) below minimum ({least}): {item}"));
        }
        if high > most {
            return Err(format!("end of range ({high}) above maximum ({most}): {item}"));
        }
        if low > high {
            return Err(format!("beginning of range ({low}) beyond end of range ({high}): {item}"));
        }
        if step == 0 {
            return Err(format!("step of range should be a positive number: {item}"));
        }
        Ok(())
    }

    /// Reads a number or, in upper and lower case alike, a name.
    fn number(&self, text: &str) -> Result<u64, String> {
        let lower = text.to_lowercase();
        match self.names.iter().position(|name| *name == lower) {
            Some(index) => Ok(self.least + index as u64),
            None => number(text),
        }
    }
}

/// The numbers from `low` to `high` in steps.
fn range(low: u64, high: u64, step: u64) -> Set {
    let step = usize::try_from(step).unwrap_or(usize::MAX).max(1);
    (low..=high).step_by(step).fold(0, |set, number| set | 1 << number)
}

/// Reads a number that is not negative.
fn number(text: &str) -> Result<u64, String> {
    let number =
        atoi(text).map_err(|why| format!("failed to parse int from {text}: strconv.Atoi: parsing {text:?}: {why}"))?;
    u64::try_from(number).map_err(|_| format!("negative number ({number}) not allowed: {text}"))
}

/// Reads a number with its sign; says whether it is none or too large,
/// whichever shows first from the left.
fn atoi(text: &str) -> Result<i64, &'static str> {
    const SYNTAX: &str = "invalid syntax";
    const RANGE: &str = "value out of range";
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() {
        return Err(SYNTAX);
    }
    let mut magnitude: u64 = 0;
    for c in digits.bytes() {
        if !c.is_ascii_digit() {
            return Err(SYNTAX);
        }
        let longer = magnitude.checked_mul(10).and_then(|n| n.checked_add(u64::from(c - b'0')));
        magnitude = longer.ok_or(RANGE)?;
    }
    let signed = if text.starts_with('-') { -i128::from(magnitude) } else { i128::from(magnitude) };
    i64::try_from(signed).map_err(|_| RANGE)
}

#[cfg(test)]
mod tests {
    use super::super::Schedule;

    #[test]
    fn what_is_wrong_is_said_in_the_parsers_words() {
        for (spec, error) in [
            ("", "empty spec string"),
            ("* * * *", "expected exactly 5 fields, found 4: [* * * *]"),
            ("0 * * * * *", "expected exactly 5 fields, found 6: [0 * * * * *]"),
            ("60 * * * *", "end of range (60) above maximum (59): 60"),
            ("* * * * 7", "end of range (7) above maximum (6): 7"),
            ("* * 0 * *", "beginning of range (0) below minimum (1): 0"),
            ("* * * * fri-mon", "beginning of range (5) beyond end of range (1): fri-mon"),
            ("x-2-3 * * * *", "failed to parse int from x: strconv.Atoi: parsing \"x\": invalid syntax"),
            ("1-2-3 * * * *", "too many hyphens: 1-2-3"),
            ("1/2/3 * * * *", "too many slashes: 1/2/3"),
            ("*/0 * * * *", "step of range should be a positive number: */0"),
            ("x * * * *", "failed to parse int from x: strconv.Atoi: parsing \"x\": invalid syntax"),
            ("-1 * * * *", "failed to parse int from : strconv.Atoi: parsing \"\": invalid syntax"),
            ("*/-1 * * * *", "negative number (-1) not allowed: -1"),
            (
                "99999999999999999999x * * * *",
                "failed to parse int from 99999999999999999999x: strconv.Atoi: parsing \"99999999999999999999x\": value out of range",
            ),
            ("@reboot", "unrecognized descriptor: @reboot"),
            ("@Daily", "unrecognized descriptor: @Daily"),
            ("@every 1x", "failed to parse duration @every 1x: time: unknown unit \"x\" in duration \"1x\""),
            ("TZ=Mars/Base * * * * *", "provided bad location Mars/Base: unknown time zone Mars/Base"),
            ("TZ=UTC", "invalid schedule format: runtime error: slice bounds out of range [3:-1]"),
        ] {
            assert_eq!(Schedule::parse(spec).expect_err(spec), error, "{spec}");
        }
    }

    #[test]
    fn odd_spellings_are_accepted() {
        for (spec, plain) in [
            ("+5 * * * *", "5 * * * *"),
            ("07 * * * *", "7 * * * *"),
            ("*-nonsense * * * *", "* * * * *"),
            ("5/20 * * * *", "5-59/20 * * * *"),
            ("?/1 * * * *", "* * * * *"),
            (",1,,2, * * * *", "1,2 * * * *"),
            ("0 0 * JAN-Mar Mon", "0 0 * 1-3 1"),
            ("@annually", "0 0 1 1 *"),
            ("@hourly", "0 * * * *"),
        ] {
            assert_eq!(Schedule::parse(spec), Schedule::parse(plain), "{spec}");
        }
    }
}
