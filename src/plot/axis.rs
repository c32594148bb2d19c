//! Round times and round numbers.

use crate::time::{MILLISECOND, SECOND, SimTime, Span};
use std::fmt::Write as _;

const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// Lengths of time that people count in, in nanoseconds.
const ROUND_SPANS: [u64; 42] = [
    MILLISECOND,
    2 * MILLISECOND,
    5 * MILLISECOND,
    10 * MILLISECOND,
    20 * MILLISECOND,
    50 * MILLISECOND,
    100 * MILLISECOND,
    200 * MILLISECOND,
    500 * MILLISECOND,
    SECOND,
    2 * SECOND,
    3 * SECOND,
    5 * SECOND,
    10 * SECOND,
    15 * SECOND,
    20 * SECOND,
    30 * SECOND,
    MINUTE,
    2 * MINUTE,
    3 * MINUTE,
    5 * MINUTE,
    10 * MINUTE,
    15 * MINUTE,
    20 * MINUTE,
    30 * MINUTE,
    HOUR,
    2 * HOUR,
    3 * HOUR,
    6 * HOUR,
    12 * HOUR,
    DAY,
    2 * DAY,
    5 * DAY,
    10 * DAY,
    20 * DAY,
    50 * DAY,
    100 * DAY,
    200 * DAY,
    500 * DAY,
    1_000 * DAY,
    10_000 * DAY,
    100_000 * DAY,
];

/// The shortest round length of time that is at least this long.
pub(super) fn round_span(at_least: Span) -> Span {
    let round = ROUND_SPANS.into_iter().find(|&s| s >= at_least.0);
    Span::from_ns(round.unwrap_or(ROUND_SPANS[ROUND_SPANS.len() - 1]))
}

/// All multiples of a step in a closed range.
pub(super) fn multiples(step: Span, from: SimTime, to: SimTime) -> impl Iterator<Item = SimTime> {
    let step = step.0.max(1);
    let first = from.0.div_ceil(step);
    (first..=to.0 / step).map(move |i| SimTime(i * step))
}

/// A round time as axes print it: only the parts that are not zero, such as
/// `0s`, `1m30s`, `1d12h`, `250ms`, `1m0.5s`.
pub(super) fn clock(time: SimTime) -> String {
    if time.0 < SECOND && time.0 > 0 {
        return format!("{}ms", time.as_ms());
    }
    let (mut rest, mut text) = (time.0, String::new());
    for (unit, name) in [(DAY, "d"), (HOUR, "h"), (MINUTE, "m")] {
        if rest >= unit {
            let _ = write!(text, "{}{name}", rest / unit);
            rest %= unit;
        }
    }
    if rest > 0 || text.is_empty() {
        let _ = write!(text, "{}", Span(rest));
    }
    text
}

/// A round distance between the ticks of numbers from 0 to `max`, so that
/// there are at most `ticks` above 0.
pub(super) fn round_step(max: i64, ticks: i64) -> i64 {
    let at_least = (max.max(1) as u64).div_ceil(ticks.max(1) as u64) as i64;
    let mut power = 1_i64;
    loop {
        for digit in [1, 2, 5] {
            let step = digit * power;
            if step >= at_least || power > i64::MAX / 100 {
                return step;
            }
        }
        power *= 10;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_round_up() {
        for (at_least, round) in [(0, 1), (1, 1), (999, 1_000), (4_000, 5_000), (61_000, 120_000)] {
            assert_eq!(round_span(Span::from_ms(at_least)), Span::from_ms(round), "{at_least}");
        }
        assert!(ROUND_SPANS.is_sorted());
        assert_eq!(round_span(Span::from_ns(u64::MAX)).0, 100_000 * DAY);
    }

    #[test]
    fn clocks_leave_out_zeros() {
        for (ms, text) in [
            (0, "0s"),
            (250, "250ms"),
            (1_500, "1.5s"),
            (60_500, "1m0.5s"),
            (30_000, "30s"),
            (90_000, "1m30s"),
            (3_600_000, "1h"),
            (129_600_000, "1d12h"),
        ] {
            assert_eq!(clock(SimTime::from_ms(ms)), text);
        }
    }

    #[test]
    fn multiples_stay_in_range() {
        let of = |from, to| {
            multiples(Span::from_secs(10), SimTime::from_secs(from), SimTime::from_secs(to))
                .map(|t| t.as_ms() / 1_000)
                .collect::<Vec<_>>()
        };
        assert_eq!(of(0, 30), [0, 10, 20, 30]);
        assert_eq!(of(1, 29), [10, 20]);
        assert!(of(11, 19).is_empty());
    }

    #[test]
    fn steps_of_numbers_are_round() {
        for (max, ticks, step) in [(0, 5, 1), (1, 5, 1), (5, 5, 1), (13, 5, 5), (20, 8, 5), (500, 6, 100)] {
            assert_eq!(round_step(max, ticks), step, "{max} in {ticks}");
        }
        assert!(round_step(i64::MAX, 1) > 0);
    }
}
