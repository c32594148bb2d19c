//! `rollout_step`: the four decisions of a rolling update.

use super::Answer;
use crate::api::IntOrPercent;
use serde::Deserialize;
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;

/// What one decision is made from.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RolloutStep {
    /// The Deployment.
    pub deployment: StepDeployment,
    /// The newest ReplicaSet; absent where the decision does not need one.
    pub new_replica_set: Option<StepReplicaSet>,
    /// The others, not sorted.
    #[serde(default)]
    pub old_replica_sets: Vec<StepReplicaSet>,
}

/// What the decisions read of a Deployment.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StepDeployment {
    /// `spec.replicas`.
    pub replicas: i32,
    /// `maxSurge`.
    pub max_surge: IntOrPercent,
    /// `maxUnavailable`.
    pub max_unavailable: IntOrPercent,
    /// `status.replicas`; only proportional scaling reads it.
    #[serde(default)]
    pub status_replicas: i32,
}

/// What the decisions read of a ReplicaSet.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StepReplicaSet {
    /// Its name.
    pub name: String,
    /// Its age: larger is newer.
    pub created: i64,
    /// `spec.replicas`, and `status.replicas` as well.
    pub replicas: i32,
    /// `status.availableReplicas`.
    pub available_replicas: i32,
    /// The `max-replicas` annotation; the `desired-replicas` one is the same.
    pub max_replicas_annotation: Option<i32>,
}

/// `spec.replicas` of every ReplicaSet afterwards, by name.
pub type Sizes = BTreeMap<String, i32>;

/// How large the new ReplicaSet shall be; `None` while there is no such rule.
///
/// Upstream: `pkg/controller/deployment/util/deployment_util.go NewRSNewReplicas`
fn new_replicas(_step: &RolloutStep) -> Option<i32> {
    None
}

/// The sizes after old pods went, and whether any did.
///
/// Upstream: `pkg/controller/deployment/rolling.go reconcileOldReplicaSets`
fn reconcile_old(_step: &RolloutStep) -> Option<(Sizes, bool)> {
    None
}

/// `maxSurge` and `maxUnavailable` as numbers.
///
/// Upstream: `pkg/controller/deployment/util/deployment_util.go ResolveFenceposts`
fn fenceposts(_deployment: &StepDeployment) -> Option<(i32, i32)> {
    None
}

/// The sizes after the Deployment was scaled.
///
/// Upstream: `pkg/controller/deployment/sync.go scale`
fn scale(_step: &RolloutStep) -> Option<Sizes> {
    None
}

#[derive(Deserialize)]
struct Line {
    #[serde(rename = "fn")]
    function: String,
    result: Json,
    scaled: Option<bool>,
    #[serde(flatten)]
    step: RolloutStep,
}

pub(super) fn answers(json: &Json) -> Result<(Answer, Answer), serde_json::Error> {
    let Line { function, result, scaled, step } = Line::deserialize(json)?;
    Ok(match function.as_str() {
        "NewRSNewReplicas" => (Answer::Value(result), Answer::from_option(new_replicas(&step))),
        "reconcileOldReplicaSets" => {
            let ours = reconcile_old(&step).map(|(sizes, scaled)| json!([sizes, scaled]));
            (Answer::Value(json!([result, scaled])), Answer::from_option(ours))
        }
        "ResolveFenceposts" => {
            let ours = fenceposts(&step.deployment)
                .map(|(surge, unavailable)| json!({"maxSurge": surge, "maxUnavailable": unavailable}));
            (Answer::Value(result), Answer::from_option(ours))
        }
        "scale" => (Answer::Value(result), Answer::from_option(scale(&step).map(|sizes| json!(sizes)))),
        _ => (Answer::Value(result), Answer::NotModelled),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_read_whole() {
        let line = json!({
            "deployment": {"maxSurge": 4, "maxUnavailable": "100%", "replicas": 15, "statusReplicas": 14},
            "fn": "scale",
            "newReplicaSet": {
                "name": "rs3", "created": 3, "replicas": 0, "availableReplicas": 0, "maxReplicasAnnotation": 19
            },
            "oldReplicaSets": [{"name": "rs1", "created": 1, "replicas": 10, "availableReplicas": 9}],
            "result": {"rs1": 15, "rs3": 0}
        });
        let Line { step, .. } = Line::deserialize(&line).expect("a step");
        assert_eq!(step.deployment.max_unavailable, IntOrPercent::Percent(100));
        assert_eq!(step.deployment.status_replicas, 14);
        assert_eq!(step.new_replica_set.expect("a new one").max_replicas_annotation, Some(19));
        assert_eq!(step.old_replica_sets[0].available_replicas, 9);
        assert_eq!(step.old_replica_sets[0].max_replicas_annotation, None);
    }
}
