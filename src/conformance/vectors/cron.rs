//! `cron_next`, `cron_invalid` and `cron_missed`: schedules.

use super::Answer;
use crate::controllers::cron_job::rules::{self, Missed, NeverFires, Past};
use crate::cron::{self, Schedule};
use crate::time::{Instant, Timestamp};
use jiff::fmt::temporal::DateTimePrinter;
use jiff::tz::TimeZone;
use serde::Deserialize;
use serde_json::{Value as Json, json};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NextLine {
    spec: String,
    tz: String,
    from: Moment,
    next: Option<String>,
}

/// The first time after another.
pub(super) fn next(json: &Json) -> Result<(Answer, Answer), serde_json::Error> {
    let line = NextLine::deserialize(json)?;
    let schedule = zoned(&line.spec, &line.tz);
    let ours = schedule.map(|s| json!(s.next(line.from.0).at().map(text)));
    Ok((Answer::Value(json!(line.next)), Answer::from_result(ours)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct InvalidLine {
    spec: String,
    error: String,
}

/// What the API server says to a schedule. The words matter here.
pub(super) fn invalid(json: &Json) -> Result<(Answer, Answer), serde_json::Error> {
    let line = InvalidLine::deserialize(json)?;
    let said: Vec<String> = cron::complaints(&line.spec)
        .iter()
        .map(|c| format!("spec.schedule: Invalid value: {:?}: {c}", line.spec))
        .collect();
    Ok((Answer::Value(json!(line.error)), Answer::Value(json!(said.join("; ")))))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct MissedLine {
    schedule: String,
    time_zone: String,
    now: Moment,
    creation_timestamp: Moment,
    last_schedule_time: Option<Moment>,
    starting_deadline_seconds: Option<i64>,
    include_starting_deadline_seconds: bool,
    result: Json,
}

/// The newest missed time, and when to look again.
pub(super) fn missed(json: &Json) -> Result<(Answer, Answer), serde_json::Error> {
    let line = MissedLine::deserialize(json)?;
    let schedule = zoned(&line.schedule, &line.time_zone);
    let past = Past {
        created: line.creation_timestamp.0.truncate(),
        last_schedule: line.last_schedule_time.as_ref().map(|m| m.0.truncate()),
        starting_deadline_seconds: line.starting_deadline_seconds,
    };
    let ours = schedule.map(|schedule| {
        let now = line.now.0;
        let standing = rules::standing(past, now, &mut &schedule, line.include_starting_deadline_seconds);
        let mut ours = json!({
            "earliestTime": text(standing.earliest),
            "missedSchedules": match standing.missed {
                Missed::None => "none",
                Missed::Few => "few",
                Missed::Many => "many",
            },
            "mostRecentTime": standing.most_recent.unwrap_or(None).map(text),
            "nextScheduleTimeDurationMs": rules::next_look(past, now, &mut &schedule).map_or_else(
                || json!(LONG_PAST_MS),
                |at| json!(at.nanos_since(now).div_euclid(1_000_000)),
            ),
        });
        if standing.most_recent == Err(NeverFires) {
            ours["error"] = NeverFires::MESSAGE.into();
        }
        ours
    });
    Ok((Answer::Value(line.result), Answer::from_result(ours)))
}

/// Morocco as it was when the vectors were recorded. It has since given up
/// its summer time, which the bundled database knows.
const MOROCCO_2025: &[u8] = include_bytes!("zones/africa-casablanca-2025b.tzif");

/// A schedule in a time zone of the time of the recording.
fn zoned(spec: &str, zone: &str) -> Result<Schedule, String> {
    let zone = match zone {
        "Africa/Casablanca" => TimeZone::tzif(zone, MOROCCO_2025).map_err(|e| e.to_string()),
        _ => cron::zone(zone),
    };
    Schedule::parse_in(spec, Some(&zone?))
}

/// How upstream says that there is no next time: the longest time ago that
/// it can express.
const LONG_PAST_MS: f64 = -9_223_372_036_854.775;

/// A moment with its fraction of a second.
struct Moment(Instant);

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Moment, D::Error> {
        let text = String::deserialize(deserializer)?;
        let at: jiff::Timestamp = text.parse().map_err(serde::de::Error::custom)?;
        i64::try_from(at.as_nanosecond()).map(|n| Moment(Instant(n))).map_err(serde::de::Error::custom)
    }
}

fn text(at: Instant) -> String {
    match jiff::Timestamp::from_nanosecond(at.0.into()) {
        Ok(at) => DateTimePrinter::new().timestamp_to_string(&at),
        Err(_) => Timestamp(0).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_and_answered() {
        let line = json!({
            "creationTimestamp": "2026-11-06T21:19:29Z", "includeStartingDeadlineSeconds": true,
            "lastScheduleTime": null, "now": "2026-11-06T21:32:50.604Z", "schedule": "14 * * * *",
            "startingDeadlineSeconds": 0, "timeZone": "UTC",
            "result": {
                "earliestTime": "2026-11-06T21:32:50.604Z", "missedSchedules": "none",
                "mostRecentTime": null, "nextScheduleTimeDurationMs": 2_469_496
            }
        });
        let (theirs, ours) = missed(&line).expect("a line");
        assert_eq!(ours, theirs);
        let line = json!({"from": "2026-01-05T00:00:00Z", "next": "2026-01-05T05:00:00Z", "spec": "0 6 * * *", "tz": "Europe/Berlin"});
        let (theirs, ours) = next(&line).expect("a line");
        assert_eq!(ours, theirs);
    }

    #[test]
    fn words_matter() {
        let line = json!({"error": "spec.schedule: Invalid value: \"@x\": unrecognized descriptor: @y", "spec": "@x"});
        let (theirs, ours) = invalid(&line).expect("a line");
        assert_ne!(ours, theirs);
    }
}
