//! `rollout_step`: the four decisions of a rolling update.

use super::Answer;
use crate::api::{IntOrPercent, Strategy};
use crate::controllers::deployment::rules::{self, Fenceposts, Share, Size};
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

impl RolloutStep {
    fn strategy(&self) -> Strategy {
        let StepDeployment { max_surge, max_unavailable, .. } = self.deployment;
        Strategy::RollingUpdate { max_surge, max_unavailable }
    }

    /// All ReplicaSets, the old ones in order of creation, then the new one.
    fn all(&self) -> Vec<&StepReplicaSet> {
        let mut all: Vec<&StepReplicaSet> = self.old_replica_sets.iter().collect();
        all.sort_by_key(|set| set.created);
        all.extend(&self.new_replica_set);
        all
    }

    fn sizes(&self) -> Sizes {
        self.all().iter().map(|set| (set.name.clone(), set.replicas)).collect()
    }

    fn new_size(&self) -> Size {
        self.new_replica_set.as_ref().map_or_else(Size::default, StepReplicaSet::size)
    }
}

impl StepReplicaSet {
    const fn size(&self) -> Size {
        Size { replicas: self.replicas, available: self.available_replicas }
    }
}

/// How large the new ReplicaSet shall be.
fn new_replicas(step: &RolloutStep) -> i32 {
    let all = step.all().iter().map(|set| set.replicas).sum();
    rules::new_set_size(step.strategy(), step.deployment.replicas, step.new_size().replicas, all)
}

/// The sizes after old pods went, and whether any did.
fn reconcile_old(step: &RolloutStep) -> (Sizes, bool) {
    let desired = step.deployment.replicas;
    let mut active: Vec<&StepReplicaSet> = step.old_replica_sets.iter().filter(|s| s.replicas > 0).collect();
    active.sort_by_key(|set| set.created);
    let old: Vec<Size> = active.iter().map(|set| set.size()).collect();
    let limit = rules::limits(step.strategy(), desired).unavailable;
    let steps = rules::reconcile_old(desired, limit, step.new_size(), &old);
    let mut sizes = step.sizes();
    for shrink in steps.unhealthy.iter().chain(&steps.healthy) {
        sizes.insert(active[shrink.index].name.clone(), shrink.to);
    }
    (sizes, steps.scaled)
}

/// `maxSurge` and `maxUnavailable` as numbers.
fn fenceposts(step: &StepDeployment) -> Fenceposts {
    rules::resolve_fenceposts(step.max_surge, step.max_unavailable, step.replicas)
}

/// The sizes after the Deployment was scaled.
fn scale(step: &RolloutStep) -> Sizes {
    let newest = step.new_replica_set.as_ref().map(|set| &set.name);
    let all = step.all();
    let share = |(rank, set): (usize, &&StepReplicaSet)| Share {
        replicas: set.replicas,
        available: set.available_replicas,
        desired_before: set.max_replicas_annotation,
        max_before: set.max_replicas_annotation,
        created: rank as u32,
        is_new: Some(&set.name) == newest,
    };
    let shares: Vec<Share> = all.iter().enumerate().map(share).collect();
    let StepDeployment { replicas, status_replicas, .. } = step.deployment;
    let scaling = rules::scale(&shares, step.strategy(), replicas, status_replicas);
    let mut sizes = step.sizes();
    sizes.extend(scaling.sizes.into_iter().map(|(index, size)| (all[index].name.clone(), size)));
    sizes
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
    let ours = match function.as_str() {
        "NewRSNewReplicas" => json!(new_replicas(&step)),
        "reconcileOldReplicaSets" => {
            let (sizes, ours) = reconcile_old(&step);
            return Ok((Answer::Value(json!([result, scaled])), Answer::Value(json!([sizes, ours]))));
        }
        "ResolveFenceposts" => {
            let posts = fenceposts(&step.deployment);
            json!({"maxSurge": posts.surge, "maxUnavailable": posts.unavailable})
        }
        "scale" => json!(scale(&step)),
        _ => return Ok((Answer::Value(result), Answer::NotModelled)),
    };
    Ok((Answer::Value(result), Answer::Value(ours)))
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
