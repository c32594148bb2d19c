//! `pod_delete_rank`: which pods a ReplicaSet deletes first.

use super::Answer;
use crate::api::{Phase, Uid};
use crate::controllers::pods::{Candidate, sort_for_deletion};
use crate::time::Timestamp;
use serde::{Deserialize, Deserializer};
use serde_json::{Value as Json, json};

/// What the order is made from.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Ranking {
    /// When the order is asked for.
    #[serde(deserialize_with = "time")]
    pub now: Timestamp,
    /// The pods, not sorted.
    pub pods: Vec<RankedPod>,
}

/// What the order reads of a pod.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RankedPod {
    /// Its name.
    pub name: String,
    /// Its UID, compared as a string.
    pub uid: String,
    /// The node; absent while unassigned.
    pub node_name: Option<String>,
    /// `status.phase`.
    pub phase: Phase,
    /// The `Ready` condition.
    pub ready: bool,
    /// When it changed last; absent if it never did.
    #[serde(default, deserialize_with = "some_time")]
    pub ready_last_transition_time: Option<Timestamp>,
    /// Restarts of its containers.
    pub restart_count: u32,
    /// `metadata.creationTimestamp`.
    #[serde(deserialize_with = "time")]
    pub creation_timestamp: Timestamp,
    /// The deletion cost annotation; absent is 0.
    #[serde(default)]
    pub pod_deletion_cost: i32,
    /// Active pods of the same owner on its node; more go first.
    pub rank: u32,
}

/// The pods' names, first to go first.
fn deletion_order(ranking: &Ranking) -> Vec<String> {
    // Our UIDs are numbers: what counts is only which is smaller.
    let mut uids: Vec<&str> = ranking.pods.iter().map(|pod| &*pod.uid).collect();
    uids.sort_unstable();
    let mut pods: Vec<(Candidate, &str)> = ranking
        .pods
        .iter()
        .map(|pod| (candidate(pod, uids.partition_point(|uid| *uid < &*pod.uid)), &*pod.name))
        .collect();
    sort_for_deletion(&mut pods, ranking.now.instant());
    pods.into_iter().map(|(_, name)| name.to_string()).collect()
}

fn candidate(pod: &RankedPod, uid: usize) -> Candidate {
    Candidate {
        assigned: pod.node_name.is_some(),
        phase: pod.phase,
        ready: pod.ready,
        ready_since: pod.ready_last_transition_time.unwrap_or_default(),
        deletion_cost: pod.pod_deletion_cost,
        rank: pod.rank,
        restarts: pod.restart_count,
        created: pod.creation_timestamp,
        uid: Uid(uid as u32),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    deletion_order: Vec<String>,
    #[serde(flatten)]
    ranking: Ranking,
}

pub(super) fn answers(json: &Json) -> Result<(Answer, Answer), serde_json::Error> {
    let line = Line::deserialize(json)?;
    Ok((Answer::Value(json!(line.deletion_order)), Answer::Value(json!(deletion_order(&line.ranking)))))
}

fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
    Timestamp::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
}

fn some_time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    time(deserializer).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pods_are_read_whole() {
        let line = json!({
            "deletionOrder": ["p1", "p0"],
            "now": "2026-01-05T12:00:00Z",
            "pods": [
                {"creationTimestamp": "2026-01-05T11:59:00Z", "name": "p0", "nodeName": "n1", "phase": "Running",
                 "podDeletionCost": -10, "rank": 2, "ready": true,
                 "readyLastTransitionTime": "2026-01-05T11:59:10Z", "restartCount": 1, "uid": "uid-01"},
                {"creationTimestamp": "2026-01-05T11:59:01Z", "name": "p1", "phase": "Unknown", "rank": 0,
                 "ready": false, "restartCount": 0, "uid": "uid-00"}
            ]
        });
        let line = Line::deserialize(&line).expect("a line");
        let [first, second] = &line.ranking.pods[..] else { panic!("two pods") };
        assert_eq!((first.pod_deletion_cost, second.pod_deletion_cost), (-10, 0));
        assert_eq!(line.ranking.now.0 - first.ready_last_transition_time.expect("ready").0, 50);
        assert_eq!(second.ready_last_transition_time, None);
        assert_eq!((second.node_name.as_deref(), second.phase), (None, Phase::Unknown));
    }
}
