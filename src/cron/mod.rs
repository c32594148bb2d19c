//! Cron schedules as Kubernetes reads them: five fields, names, steps, the
//! `@` words, and time zones with their skipped and repeated hours.
//!
//! The upstream parser is lenient in odd places and its search for the next
//! time is a walk over the fields; what it makes of a change of the clock
//! follows from how that walk steps. Both are kept here observably the same,
//! because schedules in the field rely on them.

mod duration;
mod parse;
mod walk;

use crate::time::{Instant, SECOND, Span, Timestamp};
use jiff::tz::TimeZone;
use parse::Fields;

/// When a schedule fires next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Next {
    /// At this moment.
    At(Instant),
    /// Not within about five years, so never.
    Never,
    /// Upstream's search would not end: it waits for a day that its time zone
    /// left out, such as 30 December 2011 in Samoa.
    Stuck,
}

impl Next {
    /// The moment, if there is one.
    pub const fn at(self) -> Option<Instant> {
        match self {
            Next::At(at) => Some(at),
            Next::Never | Next::Stuck => None,
        }
    }
}

/// A schedule in its time zone.
#[derive(Clone, PartialEq, Debug)]
pub struct Schedule {
    times: Times,
    zone: TimeZone,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Times {
    /// Seconds after the last time.
    Every(i64),
    /// Civil times that match.
    Matching(Fields),
}

impl Schedule {
    /// Reads a schedule such as `30 2 * * mon-fri`, `@daily` or
    /// `@every 90s`. One that begins with `TZ=<zone> ` or `CRON_TZ=<zone> `
    /// is in that zone, any other in UTC.
    ///
    /// # Errors
    /// The words of the parser that Kubernetes uses.
    ///
    /// # Examples
    /// ```
    /// use seatrial::cron::Schedule;
    /// use seatrial::time::Timestamp;
    ///
    /// let nightly = Schedule::parse("TZ=Europe/Berlin 30 2 * * *").unwrap();
    /// // 02:30 does not exist on the day the clocks go forward: no run that day.
    /// let eve = Timestamp::parse("2026-03-28T12:00:00Z").unwrap();
    /// let next = nightly.next(eve.instant()).at().unwrap();
    /// assert_eq!(next.truncate().to_string(), "2026-03-30T00:30:00Z");
    /// ```
    pub fn parse(text: &str) -> Result<Schedule, String> {
        if text.is_empty() {
            return Err("empty spec string".to_string());
        }
        let (zone, times) = match text.strip_prefix("CRON_").unwrap_or(text).strip_prefix("TZ=") {
            None => (TimeZone::UTC, text),
            Some(rest) => split_zone(text, rest)?,
        };
        Ok(Schedule { times: parse::times(times)?, zone })
    }

    /// Reads a schedule that is meant in a time zone; one that names a zone
    /// itself stays in its own.
    ///
    /// Upstream: `pkg/controller/cronjob/cronjob_controllerv2.go formatSchedule`
    ///
    /// # Errors
    /// As [`Schedule::parse`].
    pub fn parse_in(text: &str, zone: Option<&TimeZone>) -> Result<Schedule, String> {
        let schedule = Schedule::parse(text)?;
        Ok(match zone {
            Some(zone) if !text.contains("TZ") => Schedule { zone: zone.clone(), ..schedule },
            _ => schedule,
        })
    }

    /// The first time after a moment.
    pub fn next(&self, after: Instant) -> Next {
        match &self.times {
            Times::Every(seconds) => after_whole_second(after, *seconds).map_or(Next::Never, Next::At),
            Times::Matching(fields) => walk::next(fields, &self.zone, after),
        }
    }
}

/// The whole second at or before a moment, and a number of seconds more.
fn after_whole_second(at: Instant, seconds: i64) -> Option<Instant> {
    let second = at.truncate().0.checked_add(seconds)?;
    second.checked_mul(SECOND as i64).map(Instant)
}

/// Takes the zone off a schedule that names it.
fn split_zone<'a>(text: &str, rest: &'a str) -> Result<(TimeZone, &'a str), String> {
    let Some((name, times)) = rest.split_once(' ') else {
        // Upstream cuts the text at a space that is not there and survives it.
        let start = text.len() - rest.len();
        return Err(format!("invalid schedule format: runtime error: slice bounds out of range [{start}:-1]"));
    };
    let zone = zone(name).map_err(|error| format!("provided bad location {name}: {error}"))?;
    Ok((zone, times.trim()))
}

/// The time zone of an IANA name, as it is in the bundled database.
///
/// `Local` is the controller manager's own zone, which is UTC.
///
/// # Errors
/// `unknown time zone …` or what else Go says to the name.
pub fn zone(name: &str) -> Result<TimeZone, String> {
    if matches!(name, "" | "UTC" | "Local") {
        return Ok(TimeZone::UTC);
    }
    if name.contains("..") || name.starts_with(['/', '\\']) {
        return Err("time: invalid location name".to_string());
    }
    // Upstream looks for a file of that name, so case matters.
    TimeZone::get(name)
        .ok()
        .filter(|zone| zone.iana_name() == Some(name))
        .ok_or_else(|| format!("unknown time zone {name}"))
}

/// A moment in RFC 3339 as clocks in a zone show it; one that is not known
/// is taken to be UTC.
pub fn written_in(zone_name: &str, at: Timestamp) -> String {
    if zone_name.is_empty() {
        return at.to_string();
    }
    let zone = zone(zone_name).unwrap_or(TimeZone::UTC);
    match jiff::Timestamp::from_second(at.0) {
        Ok(moment) if zone.to_offset(moment).seconds() != 0 => {
            moment.display_with_offset(zone.to_offset(moment)).to_string()
        }
        _ => at.to_string(),
    }
}

/// The zone that is spelt like this name but for upper and lower case.
pub fn zone_spelt_like(name: &str) -> Option<String> {
    TimeZone::get(name).ok()?.iana_name().map(str::to_string)
}

/// What the API server says to the schedule of a new CronJob; nothing if it
/// is fine.
///
/// Upstream: `pkg/apis/batch/validation/validation.go validateScheduleFormat`
pub fn complaints(schedule: &str) -> Vec<String> {
    let mut complaints: Vec<String> = Schedule::parse(schedule).err().into_iter().collect();
    if schedule.contains("TZ") {
        complaints.push("cannot use TZ or CRON_TZ in schedule, use timeZone field instead".to_string());
    }
    complaints
}

/// A length in whole seconds as `@every` uses it, never less than one.
const fn whole_seconds(span: Span) -> i64 {
    if span.0 < SECOND { 1 } else { (span.0 / SECOND) as i64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Instant {
        Timestamp::parse(text).expect("a time").instant()
    }

    /// The next three times after a moment.
    fn next_three(spec: &str, from: &str) -> String {
        let schedule = Schedule::parse(spec).expect("a schedule");
        let mut moment = at(from);
        let mut times = Vec::new();
        while let Some(next) = schedule.next(moment).at().filter(|_| times.len() < 3) {
            times.push(next.truncate().to_string());
            moment = next;
        }
        times.join(" ")
    }

    #[test]
    fn schedules_fire_when_their_fields_match() {
        for (spec, from, expected) in [
            ("* * * * *", "2026-01-05T00:00:00Z", "2026-01-05T00:01:00Z 2026-01-05T00:02:00Z 2026-01-05T00:03:00Z"),
            ("*/20 9 * * *", "2026-01-05T09:30:10Z", "2026-01-05T09:40:00Z 2026-01-06T09:00:00Z 2026-01-06T09:20:00Z"),
            // Day of month or day of week, if neither is a star.
            ("0 12 13 * 5", "2026-02-05T00:00:00Z", "2026-02-06T12:00:00Z 2026-02-13T12:00:00Z 2026-02-20T12:00:00Z"),
            // A step takes the star from a star, a step of one does not.
            ("0 0 */2 * 1", "2026-06-01T00:00:00Z", "2026-06-03T00:00:00Z 2026-06-05T00:00:00Z 2026-06-07T00:00:00Z"),
            ("0 0 */1 * 1", "2026-06-01T00:00:00Z", "2026-06-08T00:00:00Z 2026-06-15T00:00:00Z 2026-06-22T00:00:00Z"),
            (
                "0 22/1 ? DEC Sun",
                "2026-12-26T00:00:00Z",
                "2026-12-27T22:00:00Z 2026-12-27T23:00:00Z 2027-12-05T22:00:00Z",
            ),
            ("0 0 29 2 *", "2026-01-01T00:00:00Z", "2028-02-29T00:00:00Z 2032-02-29T00:00:00Z 2036-02-29T00:00:00Z"),
            ("@weekly", "2026-01-05T00:00:00Z", "2026-01-11T00:00:00Z 2026-01-18T00:00:00Z 2026-01-25T00:00:00Z"),
            ("@every 500ms", "2026-01-05T00:00:00Z", "2026-01-05T00:00:01Z 2026-01-05T00:00:02Z 2026-01-05T00:00:03Z"),
            (
                "@every 1m30.7s",
                "2026-01-05T00:00:00Z",
                "2026-01-05T00:01:30Z 2026-01-05T00:03:00Z 2026-01-05T00:04:30Z",
            ),
            ("59 23 31 2 *", "2026-01-05T00:00:00Z", ""),
            (", * * * *", "2026-01-05T00:00:00Z", ""),
        ] {
            assert_eq!(next_three(spec, from), expected, "{spec}");
        }
    }

    #[test]
    fn a_skipped_time_is_skipped_and_a_repeated_one_fires_twice() {
        for (spec, from, expected) in [
            (
                "TZ=America/New_York 30 2 * * *",
                "2026-03-07T12:00:00Z",
                "2026-03-09T06:30:00Z 2026-03-10T06:30:00Z 2026-03-11T06:30:00Z",
            ),
            (
                "CRON_TZ=America/New_York 30 1 * * *",
                "2026-10-31T12:00:00Z",
                "2026-11-01T05:30:00Z 2026-11-01T06:30:00Z 2026-11-02T06:30:00Z",
            ),
            // The change at midnight makes the walk begin the day an hour
            // early: it fires on a Sunday that was asked for Saturday.
            (
                "TZ=America/Santiago 47 8 * 8-10/5 6",
                "2017-08-12T00:00:00Z",
                "2017-08-12T12:47:00Z 2017-08-13T11:47:00Z 2017-08-19T11:47:00Z",
            ),
        ] {
            assert_eq!(next_three(spec, from), expected, "{spec}");
        }
    }

    #[test]
    fn a_day_that_never_was_is_reported() {
        let schedule = Schedule::parse("TZ=Pacific/Apia 0 0 30 * *").expect("a schedule");
        assert_eq!(schedule.next(at("2011-12-01T00:00:00Z")), Next::Stuck);
        assert_ne!(schedule.next(at("2012-12-01T00:00:00Z")), Next::Stuck);
    }

    #[test]
    fn zones_are_known_by_their_exact_names() {
        for (name, known) in [
            ("Europe/Berlin", true),
            ("Etc/UTC", true),
            ("US/Pacific", true),
            ("", true),
            ("europe/berlin", false),
            ("utc", false),
            ("Nowhere/City", false),
            ("../etc/passwd", false),
        ] {
            assert_eq!(zone(name).is_ok(), known, "{name}");
        }
    }

    #[test]
    fn moments_are_written_in_their_zone() {
        let at = Timestamp::parse("2026-07-05T06:00:00Z").expect("a time");
        for (zone, expected) in [
            ("", "2026-07-05T06:00:00Z"),
            ("Europe/Berlin", "2026-07-05T08:00:00+02:00"),
            ("Africa/Abidjan", "2026-07-05T06:00:00Z"),
        ] {
            assert_eq!(written_in(zone, at), expected, "{zone}");
        }
    }

    #[test]
    fn a_zone_of_its_own_wins() {
        let berlin = zone("Europe/Berlin").expect("known");
        let times = |text| Schedule::parse_in(text, Some(&berlin)).map(|s| s.next(at("2026-01-05T00:00:00Z")));
        assert_eq!(times("0 6 * * *"), Ok(Next::At(at("2026-01-05T05:00:00Z"))));
        assert_eq!(times("TZ=UTC 0 6 * * *"), Ok(Next::At(at("2026-01-05T06:00:00Z"))));
    }
}
