//! Decisions in plain words.

use super::{disruption, nodes};
use crate::trace::Why;

/// A decision in plain words.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reason {
    /// What was decided and from which numbers, without a full stop.
    pub text: String,
    /// The function of Kubernetes that decides so: file and name.
    pub upstream: &'static str,
}

/// What a decision means.
pub fn reason(why: Why) -> Reason {
    let (text, upstream) = match why {
        Why::SurgeAllows { .. }
        | Why::ScaleDownBudget { .. }
        | Why::TooFewAvailable { .. }
        | Why::RecreateStops
        | Why::RecreateWaits => rollout_reason(why),
        Why::Scaling { allowed, all } => (
            format!("the size changed: its ReplicaSets ask for {}, {allowed} are allowed", pods(all)),
            "deployment/sync.go scale",
        ),
        Why::NewTemplate { revision } => (
            format!("a new template needs a ReplicaSet of its own, revision {revision}"),
            "deployment/sync.go getNewReplicaSet",
        ),
        Why::RolloutComplete => (
            "the rollout is complete: every pod is updated and available".to_string(),
            "deployment/util/deployment_util.go DeploymentComplete",
        ),
        Why::Paused => (
            "the rollout is paused, nothing is rolled out".to_string(),
            "deployment/deployment_controller.go syncDeployment",
        ),
        Why::DeadlineExceeded { seconds } => (
            format!("no progress for {seconds} s, the rollout counts as stuck"),
            "deployment/util/deployment_util.go DeploymentTimedOut",
        ),
        Why::HistoryLimit { limit } => {
            (format!("old revisions beyond revisionHistoryLimit {limit} go"), "deployment/sync.go cleanupDeployment")
        }
        Why::TooFewPods { have, want } => (
            format!("{} missing: have {have}, want {want}", pods(want - have)),
            "replicaset/replica_set.go manageReplicas",
        ),
        Why::TooManyPods { have, want } => (
            format!("{} too many: have {have}, want {want}", pods(have - want)),
            "replicaset/replica_set.go manageReplicas",
        ),
        Why::NewRevision { .. }
        | Why::RevisionLimit { .. }
        | Why::DaemonsMissing { .. }
        | Why::DaemonsUnwanted { .. }
        | Why::DaemonBudget { .. }
        | Why::DaemonSurge { .. } => daemon_reason(why),
        Why::AwaitingExpectations => (
            "waits: its own earlier creations or deletions are not in its cache yet".to_string(),
            "controller_utils.go SatisfiedExpectations",
        ),
        Why::MissingPod { .. }
        | Why::FinishedPod { .. }
        | Why::CondemnedPod { .. }
        | Why::OutdatedPod { .. }
        | Why::WaitsForPod { .. }
        | Why::WaitsForClaim { .. }
        | Why::RolloutWaitsForPod { .. } => ordinal_reason(why),
        Why::JobOver
        | Why::JobSuspended
        | Why::JobTooFewPods { .. }
        | Why::JobTooManyPods { .. }
        | Why::JobBackoff { .. }
        | Why::PodsEnded { .. }
        | Why::TtlExpired => job_reason(why),
        Why::OwnerGone | Why::ForegroundDeletion | Why::DependentsGone | Why::Orphaned => garbage_reason(why),
        Why::ScheduleDue { .. }
        | Why::TooLateToStart { .. }
        | Why::JobStillActive
        | Why::ScheduleSuspended
        | Why::JobHistoryLimit { .. } => schedule_reason(why),
        other => nodes::reason(why).unwrap_or_else(|| disruption::reason(other)),
    };
    Reason { text, upstream }
}

/// Decisions of the DaemonSet controller.
fn daemon_reason(why: Why) -> (String, &'static str) {
    match why {
        Why::NewRevision { revision } => (
            format!("a new template needs a ControllerRevision of its own, number {revision}"),
            "daemon/update.go constructHistory",
        ),
        Why::RevisionLimit { limit } => (
            format!("old ControllerRevisions beyond revisionHistoryLimit {limit} go"),
            "daemon/update.go cleanupHistory",
        ),
        Why::DaemonsMissing { nodes } => (
            format!("{} without the pod that it shall run", count_of(nodes, "node")),
            "daemon/daemon_controller.go podsShouldBeOnNode",
        ),
        Why::DaemonsUnwanted { pods } => (
            format!("{} ended, too many or where none shall be", count_of(pods, "pod")),
            "daemon/daemon_controller.go podsShouldBeOnNode",
        ),
        Why::DaemonBudget { unavailable, limit } => (
            format!(
                "a rolling update: {} without an available pod, maxUnavailable allows {limit}",
                count_of(unavailable, "node")
            ),
            "daemon/update.go rollingUpdate",
        ),
        Why::DaemonSurge { surging, limit } => (
            format!(
                "a rolling update: {} with a new pod that is not available yet, maxSurge allows {limit}",
                count_of(surging, "node")
            ),
            "daemon/update.go rollingUpdate",
        ),
        _ => (String::new(), ""),
    }
}

fn count_of(count: i32, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

fn rollout_reason(why: Why) -> (String, &'static str) {
    match why {
        Why::SurgeAllows { all, max_total } => (
            match max_total - all {
                n if n > 0 => {
                    format!("{} may be added: {max_total} allowed - {all} there = {n}", pods(n))
                }
                n => format!("no pod may be added: {max_total} allowed - {all} there = {n}"),
            },
            "deployment/rolling.go reconcileNewReplicaSet",
        ),
        Why::ScaleDownBudget { all, min_available, new_unavailable } => {
            let budget = all - min_available - new_unavailable;
            let sum = format!(
                "{all} there - {min_available} must stay available - {new_unavailable} new ones not available yet = {budget}"
            );
            let text = match budget {
                n if n > 0 => format!("up to {} may go: {sum}", old_pods(n)),
                _ => format!("no old pod may go: {sum}"),
            };
            (text, "deployment/rolling.go reconcileOldReplicaSets")
        }
        Why::TooFewAvailable { available, min_available } => (
            format!("no healthy old pod may go: {available} available, {min_available} must stay"),
            "deployment/rolling.go scaleDownOldReplicaSetsForRollingUpdate",
        ),
        Why::RecreateStops => (
            "Recreate: all old pods go before any new one comes".to_string(),
            "deployment/recreate.go scaleDownOldReplicaSetsForRecreate",
        ),
        _ => ("Recreate: waits until the last old pod is gone".to_string(), "deployment/recreate.go oldPodsRunning"),
    }
}

fn ordinal_reason(why: Why) -> (String, &'static str) {
    match why {
        Why::MissingPod { ordinal } => {
            (format!("pod {ordinal} is missing"), "statefulset/stateful_set_control.go processReplica")
        }
        Why::FinishedPod { ordinal } => (
            format!("pod {ordinal} has ended and makes room for a new one"),
            "statefulset/stateful_set_control.go processReplica",
        ),
        Why::CondemnedPod { ordinal } => {
            (format!("pod {ordinal} is beyond the size"), "statefulset/stateful_set_control.go processCondemned")
        }
        Why::OutdatedPod { ordinal } => (
            format!("pod {ordinal} has an old template and is replaced"),
            "statefulset/stateful_set_control.go updateStatefulSet",
        ),
        Why::WaitsForClaim { ordinal } => (
            format!("waits until the claim of the former pod {ordinal} is gone"),
            "statefulset/stateful_pod_control.go PodClaimIsStale",
        ),
        Why::RolloutWaitsForPod { ordinal } => (
            format!("the rollout waits until pod {ordinal} is available"),
            "statefulset/stateful_set_control.go updateStatefulSet",
        ),
        Why::WaitsForPod { ordinal } => (
            format!("nothing else is done until pod {ordinal} is available or gone"),
            "statefulset/stateful_set_control.go processReplica",
        ),
        _ => (String::new(), ""),
    }
}

fn job_reason(why: Why) -> (String, &'static str) {
    match why {
        Why::JobOver => ("the Job is over, its pods go".to_string(), "job/job_controller.go deleteActivePods"),
        Why::JobSuspended => ("the Job is suspended, its pods go".to_string(), "job/job_controller.go manageJob"),
        Why::JobTooFewPods { have, want } => {
            (format!("{} missing: {have} active, want {want}", pods(want - have)), "job/job_controller.go manageJob")
        }
        Why::JobTooManyPods { have, want } => {
            (format!("{} too many: {have} active, want {want}", pods(have - want)), "job/job_controller.go manageJob")
        }
        Why::JobBackoff { seconds } => {
            (format!("pods have failed, no new one for {seconds} s"), "job/backoff_utils.go getRemainingTime")
        }
        Why::PodsEnded { pods: ended } => (
            match ended {
                1 => "1 pod has ended and is counted".to_string(),
                n => format!("{n} pods have ended and are counted"),
            },
            "job/job_controller.go trackJobStatusAndRemoveFinalizers",
        ),
        _ => (
            "finished for ttlSecondsAfterFinished, so it goes".to_string(),
            "ttlafterfinished/ttlafterfinished_controller.go processJob",
        ),
    }
}

fn garbage_reason(why: Why) -> (String, &'static str) {
    match why {
        Why::OwnerGone => (
            "its owner is gone, so it goes too".to_string(),
            "garbagecollector/garbagecollector.go attemptToDeleteItem",
        ),
        Why::ForegroundDeletion => (
            "foreground deletion: what it owns goes first".to_string(),
            "garbagecollector/garbagecollector.go processDeletingDependentsItem",
        ),
        Why::DependentsGone => (
            "foreground deletion: nothing it owned is left, so it may go".to_string(),
            "garbagecollector/garbagecollector.go processDeletingDependentsItem",
        ),
        _ => (
            "its owner was deleted with --cascade=orphan and lets it go".to_string(),
            "garbagecollector/garbagecollector.go orphanDependents",
        ),
    }
}

fn schedule_reason(why: Why) -> (String, &'static str) {
    match why {
        Why::ScheduleDue { scheduled } => (
            format!("{scheduled} has come and no Job was started for it yet"),
            "cronjob/cronjob_controllerv2.go syncCronJob",
        ),
        Why::TooLateToStart { deadline_seconds } => (
            format!("too late to start a Job: its time came more than {deadline_seconds} s ago"),
            "cronjob/cronjob_controllerv2.go syncCronJob",
        ),
        Why::JobStillActive => (
            "Forbid: the Job before is not over; once it is, the newest missed time is served".to_string(),
            "cronjob/cronjob_controllerv2.go syncCronJob",
        ),
        Why::ScheduleSuspended => {
            ("suspended: no Job is started".to_string(), "cronjob/cronjob_controllerv2.go syncCronJob")
        }
        Why::JobHistoryLimit { limit } => (
            format!("finished Jobs beyond the newest {limit} go"),
            "cronjob/cronjob_controllerv2.go cleanupFinishedJobs",
        ),
        _ => (String::new(), ""),
    }
}

fn pods(n: i32) -> String {
    if n == 1 { "1 pod".to_string() } else { format!("{n} pods") }
}

fn old_pods(n: i32) -> String {
    if n == 1 { "1 old pod".to_string() } else { format!("{n} old pods") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decisions_show_their_sums() {
        for (why, text) in [
            (
                Why::ScaleDownBudget { all: 13, min_available: 8, new_unavailable: 5 },
                "no old pod may go: 13 there - 8 must stay available - 5 new ones not available yet = 0",
            ),
            (
                Why::ScaleDownBudget { all: 13, min_available: 8, new_unavailable: 4 },
                "up to 1 old pod may go: 13 there - 8 must stay available - 4 new ones not available yet = 1",
            ),
            (Why::SurgeAllows { all: 10, max_total: 13 }, "3 pods may be added: 13 allowed - 10 there = 3"),
            (Why::SurgeAllows { all: 13, max_total: 13 }, "no pod may be added: 13 allowed - 13 there = 0"),
            (Why::TooFewPods { have: 4, want: 5 }, "1 pod missing: have 4, want 5"),
        ] {
            assert_eq!(reason(why).text, text);
        }
    }
}
