//! Which schedule times were missed and when to look again.

use crate::api::Job;
use crate::cron::Schedule;
use crate::time::{Instant, SECOND, Span, Timestamp};
use std::sync::Arc;

/// How long after a schedule time the controller wakes up, so that a clock
/// that is a little behind does not wake it too early.
///
/// Upstream: `cronjob/cronjob_controllerv2.go nextScheduleDelta`
pub const WAKE_UP_DELAY: Span = Span::from_ms(100);

/// From how many missed times on the controller warns.
const MANY: i64 = 100;

/// What a CronJob remembers of the time before now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Past {
    /// `metadata.creationTimestamp`.
    pub created: Timestamp,
    /// `status.lastScheduleTime`.
    pub last_schedule: Option<Timestamp>,
    /// `spec.startingDeadlineSeconds`.
    pub starting_deadline_seconds: Option<i64>,
}

/// How many times were missed, as far as it matters.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Missed {
    /// None, or none but the one that is due.
    None,
    /// Up to a hundred.
    Few,
    /// More: something is wrong, so there is a warning.
    Many,
}

/// The schedule has no two times a second or more apart: it never fires.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NeverFires;

impl NeverFires {
    /// The words of the warning.
    pub const MESSAGE: &str = "time difference between two schedules is less than 1 second";
}

/// The times at which a schedule fires.
pub trait Times {
    /// The first one after a moment, if there is any.
    fn next(&mut self, after: Instant) -> Option<Instant>;
}

impl Times for &Schedule {
    fn next(&mut self, after: Instant) -> Option<Instant> {
        Schedule::next(self, after).at()
    }
}

/// A schedule that knows its last answers: a CronJob is looked at many times
/// between two of its times, and asks for the same ones each time.
#[derive(Clone, Debug)]
pub struct Remembered {
    schedule: Schedule,
    /// The last answers, and what they are answers to.
    answers: [Option<(Instant, Option<Instant>)>; 2],
    /// Which of them is the older one.
    older: usize,
}

impl Remembered {
    /// A schedule that has not been asked yet.
    pub const fn new(schedule: Schedule) -> Remembered {
        Remembered { schedule, answers: [None; 2], older: 0 }
    }
}

impl Times for Remembered {
    fn next(&mut self, after: Instant) -> Option<Instant> {
        if let Some((_, answer)) = self.answers.iter().flatten().find(|(asked, _)| *asked == after) {
            return *answer;
        }
        let answer = self.schedule.next(after).at();
        self.answers[self.older] = Some((after, answer));
        self.older = 1 - self.older;
        answer
    }
}

/// Where a CronJob stands in its schedule.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Standing {
    /// What is looked at begins after this moment.
    pub earliest: Instant,
    /// The newest time that has come and not been served.
    pub most_recent: Result<Option<Instant>, NeverFires>,
    /// How many times have come since `earliest`, roughly.
    pub missed: Missed,
}

/// The newest schedule time since the last run that is not in the future.
///
/// Only one is ever found, however many were missed: after an outage a
/// CronJob catches up with a single run. Times are not counted one by one,
/// because there may be millions of them; the distance of the first two says
/// about how many there were and where to begin with the search for the last.
///
/// Upstream: `cronjob/utils.go mostRecentScheduleTime`
#[must_use]
pub fn standing(past: Past, now: Instant, schedule: &mut impl Times, within_deadline: bool) -> Standing {
    let mut earliest = past.last_schedule.unwrap_or(past.created).instant();
    if let Some(seconds) = past.starting_deadline_seconds.filter(|_| within_deadline) {
        earliest = earliest.max(plus_seconds(now, seconds.saturating_neg()));
    }
    let stand = |most_recent, missed| Standing { earliest, most_recent, missed };
    let Some(first) = schedule.next(earliest) else {
        return stand(Err(NeverFires), Missed::None);
    };
    if now < first {
        return stand(Ok(None), Missed::None);
    }
    let Some(second) = schedule.next(first) else {
        return stand(Err(NeverFires), Missed::None);
    };
    if now < second {
        return stand(Ok(Some(first)), Missed::None);
    }
    // Whole seconds, rounded; a schedule is never finer.
    let apart = (second.nanos_since(first) + SECOND as i64 / 2) / SECOND as i64;
    if apart < 1 {
        return stand(Err(NeverFires), Missed::None);
    }
    let count = now.nanos_since(first) / SECOND as i64 / apart + 1;
    // One step further back than the count says, because steps need not be
    // equal; a multiple of the step away from the first, because the times of
    // `@every` are counted from it.
    let start = plus_seconds(first, (count - 2) * apart);
    let mut newest = None;
    let mut next = schedule.next(start);
    while let Some(at) = next.filter(|&at| at <= now) {
        newest = Some(at);
        next = schedule.next(at);
    }
    stand(Ok(newest), if count > MANY { Missed::Many } else { Missed::Few })
}

/// When the controller looks again; `None` if there is no next time, which
/// upstream takes for a time long past, so that it looks at once.
///
/// Without a missed time the next one counts from the last run, so that a
/// sync that comes early does not step over it. It is not shortened by
/// `startingDeadlineSeconds`.
///
/// Upstream: `cronjob/utils.go nextScheduleTimeDuration`
#[must_use]
pub fn next_look(past: Past, now: Instant, schedule: &mut impl Times) -> Option<Instant> {
    let standing = standing(past, now, schedule, false);
    let from = match (standing.most_recent, standing.missed) {
        (Ok(Some(at)), _) => at,
        (Ok(None), Missed::None) => standing.earliest,
        _ => now,
    };
    let next = schedule.next(from)?;
    Some(Instant(next.0.saturating_add(WAKE_UP_DELAY.0 as i64)))
}

/// The name of the Job for a schedule time. The same time always gives the
/// same name, so that no time can be served twice, whatever the cache says.
///
/// Upstream: `cronjob/cronjob_controllerv2.go getJobName`
#[must_use]
pub fn job_name(cron_job: &str, scheduled: Instant) -> Arc<str> {
    // Unix time is cut towards zero and so are the minutes.
    format!("{cron_job}-{}", scheduled.truncate().0 / 60).into()
}

/// Whether a run would begin after its `startingDeadlineSeconds`. With a
/// deadline of 0 every run would, because the controller wakes up late.
///
/// Upstream: `cronjob/cronjob_controllerv2.go syncCronJob`
#[must_use]
pub fn is_too_late(scheduled: Instant, starting_deadline_seconds: Option<i64>, now: Instant) -> bool {
    starting_deadline_seconds.is_some_and(|seconds| plus_seconds(scheduled, seconds) < now)
}

/// What finished Jobs are sorted by, those to be deleted first: the start,
/// then the name. Jobs that never started come last.
///
/// Upstream: `cronjob/utils.go byJobStartTime`
pub fn age_order(job: &Job) -> (bool, Option<Timestamp>, Arc<str>) {
    let start = job.status.start_time;
    (start.is_none(), start, job.meta.name.clone())
}

/// A moment as warnings write it: `Mon, 05 Jan 2026 00:01:00 +0000`.
#[must_use]
pub fn rfc1123(at: Instant) -> String {
    jiff::Timestamp::from_second(at.truncate().0)
        .map_or_else(|_| at.truncate().to_string(), |t| t.strftime("%a, %d %b %Y %H:%M:%S +0000").to_string())
}

fn plus_seconds(at: Instant, seconds: i64) -> Instant {
    Instant(at.0.saturating_add(seconds.saturating_mul(SECOND as i64)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Instant {
        Timestamp::parse(text).expect("a time").instant()
    }

    fn past(last: &str, deadline: Option<i64>) -> Past {
        let last_schedule = Some(Timestamp::parse(last).expect("a time"));
        Past { created: Timestamp(0), last_schedule, starting_deadline_seconds: deadline }
    }

    #[test]
    fn only_the_newest_missed_time_is_caught_up() {
        for (spec, deadline, now, expected, missed) in [
            ("0 * * * *", None, "2026-01-05T00:59:59Z", None, Missed::None),
            ("0 * * * *", None, "2026-01-05T01:00:00Z", Some("2026-01-05T01:00:00Z"), Missed::None),
            ("0 * * * *", None, "2026-01-05T05:20:00Z", Some("2026-01-05T05:00:00Z"), Missed::Few),
            ("* * * * *", None, "2026-01-05T02:00:30Z", Some("2026-01-05T02:00:00Z"), Missed::Many),
            ("0 * * * *", Some(600), "2026-01-05T05:20:00Z", None, Missed::None),
            ("0 * * * *", Some(1_500), "2026-01-05T05:20:00Z", Some("2026-01-05T05:00:00Z"), Missed::None),
            // Counted from the last run, not from the clock.
            ("@every 7m", None, "2026-01-05T00:30:00Z", Some("2026-01-05T00:28:00Z"), Missed::Few),
            // The guess goes past the end of the day, so none is found.
            ("*/55 21 * * *", None, "2026-01-05T23:50:00Z", None, Missed::Few),
        ] {
            let schedule = Schedule::parse(spec).expect("a schedule");
            let found = standing(past("2026-01-05T00:00:00Z", deadline), at(now), &mut &schedule, true);
            assert_eq!((found.most_recent, found.missed), (Ok(expected.map(at)), missed), "{spec} {now}");
        }
    }

    #[test]
    fn what_is_remembered_is_what_the_schedule_says() {
        let schedule = Schedule::parse("*/7 * * * *").expect("a schedule");
        let mut remembered = Remembered::new(schedule.clone());
        for minute in [0, 7, 0, 7, 14, 7, 0, 3, 14, 14, 59] {
            let after = at(&format!("2026-01-05T00:{minute:02}:00Z"));
            assert_eq!(Times::next(&mut remembered, after), schedule.next(after).at(), "{minute}");
        }
        let never = Schedule::parse("59 23 31 2 *").expect("a schedule");
        let mut remembered = Remembered::new(never);
        assert_eq!([0, 0].map(|_| Times::next(&mut remembered, at("2026-01-05T00:00:00Z"))), [None, None]);
    }

    #[test]
    fn a_schedule_that_never_fires_is_an_error() {
        let schedule = Schedule::parse("59 23 31 2 *").expect("a schedule");
        let (past, now) = (past("2026-01-05T00:00:00Z", None), at("2026-01-06T00:00:00Z"));
        assert_eq!(standing(past, now, &mut &schedule, true).most_recent, Err(NeverFires));
        assert_eq!(next_look(past, now, &mut &schedule), None);
    }

    #[test]
    fn the_next_look_is_a_little_after_the_next_time() {
        let schedule = Schedule::parse("0 * * * *").expect("a schedule");
        for (now, expected) in [
            ("2026-01-05T00:00:00Z", "2026-01-05T01:00:00Z"),
            ("2026-01-05T01:00:00Z", "2026-01-05T02:00:00Z"),
            ("2026-01-05T05:20:00Z", "2026-01-05T06:00:00Z"),
        ] {
            let look = next_look(past("2026-01-05T00:00:00Z", None), at(now), &mut &schedule);
            assert_eq!(look, Some(Instant(at(expected).0 + 100_000_000)), "{now}");
        }
    }

    #[test]
    fn a_run_100_ms_late_is_too_late_for_a_deadline_of_zero() {
        let scheduled = at("2026-01-05T00:00:00Z");
        let now = Instant(scheduled.0 + 100_000_000);
        for (deadline, late) in [(None, false), (Some(0), true), (Some(1), false)] {
            assert_eq!(is_too_late(scheduled, deadline, now), late, "{deadline:?}");
        }
    }

    #[test]
    fn warnings_name_a_moment_in_full() {
        assert_eq!(rfc1123(at("2026-01-05T00:01:00Z")), "Mon, 05 Jan 2026 00:01:00 +0000");
    }

    #[test]
    fn jobs_are_named_after_the_minute() {
        assert_eq!(&*job_name("tick", at("2026-01-05T00:01:59Z")), "tick-29459521");
    }
}
