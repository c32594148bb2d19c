//! `job_backoff`: how long a Job waits before it replaces failed pods.

use super::Answer;
use crate::controllers::job::backoff::{BackoffRecord, remaining};
use crate::time::{Instant, Timestamp};
use serde::{Deserialize, Deserializer};
use serde_json::{Value as Json, json};

#[derive(Deserialize)]
#[serde(tag = "fn", deny_unknown_fields)]
enum Line {
    #[serde(rename = "newBackoffRecord+getRemainingTime", rename_all = "camelCase")]
    Record {
        record: Option<Record>,
        new_failed_finished_at: Option<Vec<Moment>>,
        new_succeeded_finished_at: Option<Vec<Moment>>,
        now: Moment,
        result: Json,
    },
    #[serde(rename = "getRemainingTimePerIndex", rename_all = "camelCase")]
    PerIndex { index_failure_count_of_last_failed_pod: i32, finished_at: Moment, now: Moment, result: Json },
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Record {
    failures_after_last_success: i32,
    last_failure_time: Option<Moment>,
}

/// A moment in RFC 3339, with a fraction where it is a clock's.
#[derive(Clone, Copy)]
struct Moment(Instant);

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Moment, D::Error> {
        let text = String::deserialize(deserializer)?;
        let at: jiff::Timestamp = text.parse().map_err(serde::de::Error::custom)?;
        Ok(Moment(Instant(at.as_nanosecond() as i64)))
    }
}

fn seconds(moments: Option<Vec<Moment>>) -> Vec<Timestamp> {
    moments.unwrap_or_default().into_iter().map(|m| m.0.truncate()).collect()
}

pub(super) fn answers(json: &Json) -> Result<(Answer, Answer), serde_json::Error> {
    let (theirs, ours) = match Line::deserialize(json)? {
        Line::Record { record, new_failed_finished_at, new_succeeded_finished_at, now, result } => {
            let old = record.map_or_else(BackoffRecord::default, |r| BackoffRecord {
                failures: r.failures_after_last_success,
                last_failure: r.last_failure_time.map(|m| m.0.truncate()),
            });
            let new = old.after(&seconds(new_succeeded_finished_at), &seconds(new_failed_finished_at));
            let ours = json!({
                "failuresAfterLastSuccess": new.failures,
                "lastFailureTime": new.last_failure.map(|at| at.to_string()),
                "remainingMs": new.remaining(now.0).as_ms(),
            });
            (result, ours)
        }
        Line::PerIndex { index_failure_count_of_last_failed_pod, finished_at, now, result } => {
            let wait = remaining(index_failure_count_of_last_failed_pod + 1, finished_at.0.truncate(), now.0);
            (result, json!({"remainingMs": wait.as_ms()}))
        }
    };
    Ok((Answer::Value(theirs), Answer::Value(ours)))
}

#[cfg(test)]
mod tests {
    use super::super::check;

    #[test]
    fn both_sorts_of_lines_are_read() {
        let text = concat!(
            r#"{"fn":"getRemainingTimePerIndex","finishedAt":"2026-01-05T11:59:50Z","#,
            r#""indexFailureCountOfLastFailedPod":1,"now":"2026-01-05T12:00:00Z","result":{"remainingMs":10000}}"#,
            "\n",
            r#"{"fn":"newBackoffRecord+getRemainingTime","newFailedFinishedAt":["2026-01-05T11:59:58Z"],"#,
            r#""newSucceededFinishedAt":null,"now":"2026-01-05T12:00:00.5Z","record":null,"result":"#,
            r#"{"failuresAfterLastSuccess":1,"lastFailureTime":"2026-01-05T11:59:58Z","remainingMs":7500}}"#,
        );
        assert_eq!(check("job_backoff", text).first, None);
    }
}
