//! The three notions of time, kept apart by type.
//!
//! [`SimTime`] orders the simulation, [`Instant`] is what a component's wall
//! clock shows, and [`Timestamp`] is what the API server stores: whole
//! seconds, because `metav1.Time` loses its fraction when it is written.

mod clock;

pub use clock::{Clock, Drift};

use serde::{Deserialize, Serialize};
use std::fmt;

/// Nanoseconds in a second.
pub const SECOND: u64 = 1_000_000_000;
/// Nanoseconds in a millisecond.
pub const MILLISECOND: u64 = 1_000_000;

/// Nanoseconds since the run began. Only the kernel orders by it.
///
/// 2⁶⁴ ns are 584 years, so a run of years is far from the end of the range.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug, Serialize, Deserialize)]
pub struct SimTime(pub u64);

impl SimTime {
    /// The beginning of every run.
    pub const ZERO: SimTime = SimTime(0);
    /// Later than any event.
    pub const MAX: SimTime = SimTime(u64::MAX);

    /// A time given in milliseconds since the run began.
    pub const fn from_ms(ms: u64) -> SimTime {
        SimTime(ms * MILLISECOND)
    }

    /// A time given in whole seconds since the run began.
    pub const fn from_secs(seconds: u64) -> SimTime {
        SimTime(seconds * SECOND)
    }

    /// Whole milliseconds since the run began, rounded down.
    pub const fn as_ms(self) -> u64 {
        self.0 / MILLISECOND
    }

    /// Seconds since the run began, for drawing only.
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / SECOND as f64
    }

    /// The same time on the millisecond grid, rounded down.
    #[must_use]
    pub const fn floor_ms(self) -> SimTime {
        SimTime(self.0 - self.0 % MILLISECOND)
    }

    /// This time and `span` more, never past the end of the range.
    #[must_use]
    pub const fn after(self, span: Span) -> SimTime {
        SimTime(self.0.saturating_add(span.0))
    }

    /// How long after `earlier` this is; zero if it is not after it.
    #[must_use]
    pub const fn since(self, earlier: SimTime) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }
}

/// Prints like `kubectl` prints ages, with milliseconds where they matter:
/// `0s`, `1.5s`, `2m31s`, `1h05m`.
impl fmt::Display for SimTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Span(self.0).fmt(f)
    }
}

/// A length of simulated time in nanoseconds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug, Serialize, Deserialize)]
pub struct Span(pub u64);

impl Span {
    /// No time at all.
    pub const ZERO: Span = Span(0);

    /// A span given in nanoseconds.
    pub const fn from_ns(ns: u64) -> Span {
        Span(ns)
    }

    /// A span given in microseconds.
    pub const fn from_us(us: u64) -> Span {
        Span(us * 1_000)
    }

    /// A span given in milliseconds.
    pub const fn from_ms(ms: u64) -> Span {
        Span(ms.saturating_mul(MILLISECOND))
    }

    /// A span given in whole seconds.
    pub const fn from_secs(seconds: u64) -> Span {
        Span(seconds.saturating_mul(SECOND))
    }

    /// Whole milliseconds, rounded down.
    pub const fn as_ms(self) -> u64 {
        self.0 / MILLISECOND
    }

    /// The same span on the millisecond grid, rounded down.
    #[must_use]
    pub const fn floor_ms(self) -> Span {
        Span(self.0 - self.0 % MILLISECOND)
    }

    /// Seconds, for drawing only.
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / SECOND as f64
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = self.as_ms();
        let (hours, minutes) = (ms / 3_600_000, ms / 60_000 % 60);
        let (seconds, millis) = (ms / 1_000 % 60, ms % 1_000);
        let fraction =
            if millis == 0 { String::new() } else { format!(".{millis:03}").trim_end_matches('0').to_string() };
        match (hours, minutes) {
            (0, 0) => write!(f, "{seconds}{fraction}s"),
            (0, _) if seconds == 0 && millis == 0 => write!(f, "{minutes}m"),
            (0, _) => write!(f, "{minutes}m{seconds:02}{fraction}s"),
            _ if seconds == 0 && millis == 0 => write!(f, "{hours}h{minutes:02}m"),
            _ => write!(f, "{hours}h{minutes:02}m{seconds:02}{fraction}s"),
        }
    }
}

/// What the API server stores: whole seconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug, Serialize, Deserialize)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// The same second as an [`Instant`], its fraction zero.
    pub const fn instant(self) -> Instant {
        Instant(self.0 * SECOND as i64)
    }

    /// Parses RFC 3339, as in a manifest's `creationTimestamp`.
    ///
    /// # Errors
    /// The parser's own message if the text is not RFC 3339.
    pub fn parse(text: &str) -> Result<Timestamp, String> {
        text.parse::<jiff::Timestamp>().map(|t| Timestamp(t.as_second())).map_err(|e| e.to_string())
    }

    /// How it is written, from the year 0 on.
    fn digits(self) -> Option<[u8; 20]> {
        let moment = jiff::Timestamp::from_second(self.0).ok()?;
        let time = jiff::tz::Offset::UTC.to_datetime(moment);
        let year = u32::try_from(time.year()).ok()?;
        let mut text = *b"0000-00-00T00:00:00Z";
        let mut write = |at: usize, number: u32| {
            text[at] = b'0' + (number / 10 % 10) as u8;
            text[at + 1] = b'0' + (number % 10) as u8;
        };
        write(0, year / 100);
        write(2, year);
        write(5, time.month() as u32);
        write(8, time.day() as u32);
        write(11, time.hour() as u32);
        write(14, time.minute() as u32);
        write(17, time.second() as u32);
        Some(text)
    }
}

/// Prints RFC 3339 in UTC, as the API server does.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.digits() {
            Some(text) => f.write_str(std::str::from_utf8(&text).unwrap_or_default()),
            None => match jiff::Timestamp::from_second(self.0) {
                Ok(moment) => write!(f, "{moment}"),
                Err(_) => write!(f, "@{}", self.0),
            },
        }
    }
}

/// A reading of a component's wall clock: nanoseconds since 1970.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug, Serialize, Deserialize)]
pub struct Instant(pub i64);

impl Instant {
    /// What remains of this reading once it has been through the API server.
    pub const fn truncate(self) -> Timestamp {
        Timestamp(self.0.div_euclid(SECOND as i64))
    }

    /// This reading and `seconds` more.
    #[must_use]
    pub const fn plus_seconds(self, seconds: i64) -> Instant {
        Instant(self.0 + seconds * SECOND as i64)
    }

    /// Signed nanoseconds from `earlier` to this reading.
    pub const fn nanos_since(self, earlier: Instant) -> i64 {
        self.0 - earlier.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_print_like_ages() {
        for (ms, text) in [
            (0, "0s"),
            (1_500, "1.5s"),
            (20_010, "20.01s"),
            (60_000, "1m"),
            (151_000, "2m31s"),
            (3_900_000, "1h05m"),
            (3_901_250, "1h05m01.25s"),
        ] {
            assert_eq!(SimTime::from_ms(ms).to_string(), text);
        }
    }

    #[test]
    fn the_api_server_truncates_towards_the_past() {
        assert_eq!(Instant(1_999_999_999).truncate(), Timestamp(1));
        assert_eq!(Instant(-1).truncate(), Timestamp(-1));
    }
}
