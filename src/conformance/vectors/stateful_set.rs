//! `statefulset_update`: which pods a rolling update with `maxUnavailable`
//! replaces in one pass.

use super::Answer;
use crate::api::{IntOrPercent, StatefulRolling};
use crate::controllers::pods;
use crate::controllers::stateful_set::rules::{self, Replica};
use crate::time::Timestamp;
use serde::Deserialize;
use serde_json::{Value as Json, json};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Line {
    deleted_ordinals: Vec<i32>,
    max_unavailable: Option<IntOrPercent>,
    min_ready_seconds: i32,
    ordinals_start: i32,
    partition: i32,
    pods: Vec<LinePod>,
    replicas: i32,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct LinePod {
    ordinal: i32,
    ready: bool,
    #[serde(default)]
    ready_seconds: i64,
    revision: String,
    terminating: bool,
}

/// The moment of the pass.
const NOW: Timestamp = Timestamp(1_000_000);

/// What upstream deletes and what we do.
pub(super) fn answers(json: &Json) -> Result<(Answer, Answer), serde_json::Error> {
    let line = Line::deserialize(json)?;
    let mut places = vec![Replica::default(); line.replicas.max(0) as usize];
    for pod in &line.pods {
        if let Some(place) = places.get_mut((pod.ordinal - line.ordinals_start).max(0) as usize) {
            let since = Timestamp(NOW.0 - pod.ready_seconds);
            *place = Replica {
                created: true,
                finished: false,
                terminating: pod.terminating,
                ready: pod.ready,
                available: pods::is_available(pod.ready, since, line.min_ready_seconds, NOW.instant()),
                current: pod.revision != "new",
                updated: pod.revision == "new",
            };
        }
    }
    let rolling = StatefulRolling { partition: line.partition, max_unavailable: line.max_unavailable };
    let most = rules::max_unavailable(Some(rolling), line.replicas);
    let ours: Vec<i32> = rules::all_to_update(&places, line.partition, most)
        .into_iter()
        .map(|index| line.ordinals_start + index as i32)
        .collect();
    Ok((Answer::Value(json!(line.deleted_ordinals)), Answer::Value(json!(ours))))
}
