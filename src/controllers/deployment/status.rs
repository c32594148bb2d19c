//! What a Deployment says about itself.

use super::revisions::{NewSet, set_condition};
use super::{Pass, Sets};
use crate::api::{ConditionStatus, DeploymentCondition, DeploymentStatus, ReplicaSet, ReplicaSetStatus};
use crate::time::SECOND;
use crate::trace::Why;

/// The reason of `Progressing` once a rollout is over.
const NEW_SET_AVAILABLE: &str = "NewReplicaSetAvailable";
/// The reason of `Progressing` when nothing has moved for too long.
const TIMED_OUT: &str = "ProgressDeadlineExceeded";

impl<'a> Pass<'a> {
    /// While paused, standing still is no failure: the condition says so and
    /// the deadline starts anew on resuming.
    ///
    /// Upstream: `deployment/sync.go checkPausedConditions`
    pub(super) fn note_pause(&mut self) {
        if !self.deployment.has_progress_deadline() {
            return;
        }
        let reason = self.status.progressing.as_ref().map(|c| &*c.reason);
        if reason == Some(TIMED_OUT) {
            return;
        }
        let noted = reason == Some("DeploymentPaused");
        match (self.deployment.spec.paused, noted) {
            (true, false) => self.set_progressing(ConditionStatus::Unknown, "DeploymentPaused"),
            (false, true) => self.set_progressing(ConditionStatus::Unknown, "DeploymentResumed"),
            _ => return,
        }
        self.write_status();
    }

    /// Writes the counters and `Available`, if anything changed.
    ///
    /// Upstream: `deployment/sync.go syncDeploymentStatus`
    pub(super) fn write_plain_status(&mut self, sets: &Sets<'a>) {
        let status = self.calculate_status(sets);
        if status != self.status {
            self.status = status;
            self.write_status();
        }
    }

    /// Writes the status in the course of a rollout: the same and whether it
    /// progresses.
    ///
    /// Upstream: `deployment/progress.go syncRolloutStatus`
    pub(super) fn write_rollout_status(&mut self, sets: &Sets<'a>) {
        let mut status = self.calculate_status(sets);
        let current = self.status.progressing.clone();
        if !self.deployment.has_progress_deadline() {
            status.progressing = None;
        }
        let settled =
            status.replicas == status.updated && current.as_ref().is_some_and(|c| &*c.reason == NEW_SET_AVAILABLE);
        if self.deployment.has_progress_deadline() && !settled {
            self.judge_progress(&mut status, current.as_ref());
        }
        status.replica_failure = self.replica_failure(sets);
        if status == self.status {
            self.plan_progress_check(&status);
            return;
        }
        self.status = status;
        self.write_status();
    }

    fn judge_progress(&mut self, status: &mut DeploymentStatus, current: Option<&DeploymentCondition>) {
        if self.is_complete(status) {
            self.plan.because(Why::RolloutComplete);
            set_condition(&mut status.progressing, ConditionStatus::True, NEW_SET_AVAILABLE, self.view);
        } else if self.has_progressed(status) {
            // Every step renews the time, even if status and reason stay: the
            // deadline is one of standing still, not of the whole rollout.
            let now = self.view.now.truncate();
            let last_transition =
                current.filter(|c| c.status == ConditionStatus::True).map_or(now, |c| c.last_transition);
            status.progressing = Some(DeploymentCondition {
                status: ConditionStatus::True,
                reason: "ReplicaSetUpdated".into(),
                last_update: now,
                last_transition,
            });
        } else if self.has_timed_out(status) {
            let seconds = self.deployment.spec.progress_deadline_seconds;
            self.plan.because(Why::DeadlineExceeded { seconds });
            set_condition(&mut status.progressing, ConditionStatus::False, TIMED_OUT, self.view);
        }
    }

    /// Upstream: `deployment/util/deployment_util.go DeploymentComplete`
    pub(super) fn is_complete(&self, status: &DeploymentStatus) -> bool {
        let desired = self.deployment.spec.replicas;
        status.updated == desired
            && status.replicas == desired
            && status.available == desired
            && status.observed_generation >= self.deployment.meta.generation
    }

    /// Upstream: `deployment/util/deployment_util.go DeploymentProgressing`
    fn has_progressed(&self, new: &DeploymentStatus) -> bool {
        let old = &self.status;
        new.updated > old.updated
            || new.replicas - new.updated < old.replicas - old.updated
            || new.ready > old.ready
            || new.available > old.available
    }

    /// Upstream: `deployment/util/deployment_util.go DeploymentTimedOut`
    fn has_timed_out(&self, status: &DeploymentStatus) -> bool {
        let Some(condition) = &status.progressing else { return false };
        match &*condition.reason {
            NEW_SET_AVAILABLE => false,
            TIMED_OUT => true,
            _ => {
                let seconds = i64::from(self.deployment.spec.progress_deadline_seconds);
                condition.last_update.instant().plus_seconds(seconds) < self.view.now
            }
        }
    }

    /// Comes back when the deadline would have passed. A second is added
    /// because the stored time has lost its fraction.
    ///
    /// Upstream: `deployment/progress.go requeueStuckDeployment`
    fn plan_progress_check(&mut self, status: &DeploymentStatus) {
        let Some(condition) = &self.status.progressing else { return };
        let settled = self.is_complete(status) || &*condition.reason == TIMED_OUT;
        if !self.deployment.has_progress_deadline() || settled {
            return;
        }
        let seconds = i64::from(self.deployment.spec.progress_deadline_seconds);
        let deadline = condition.last_update.instant().plus_seconds(seconds);
        if deadline.nanos_since(self.view.now) < SECOND as i64 {
            self.queue.add_rate_limited(self.key);
        } else {
            self.plan.look_again_at(deadline.plus_seconds(1));
        }
    }

    /// Upstream: `deployment/sync.go calculateStatus`
    fn calculate_status(&mut self, sets: &Sets<'a>) -> DeploymentStatus {
        let new = sets.new.as_ref().map(NewSet::status).unwrap_or_default();
        let old = || sets.old.iter().map(|(_, set)| &set.status);
        let sum = |field: fn(&ReplicaSetStatus) -> i32| old().map(field).sum::<i32>() + field(&new);
        let available = sum(|s| s.available);
        let wanted = super::total_replicas(sets);
        let mut status = DeploymentStatus {
            observed_generation: self.deployment.meta.generation,
            replicas: sum(|s| s.replicas),
            updated: new.replicas,
            ready: sum(|s| s.ready),
            available,
            unavailable: (wanted - available).max(0),
            terminating: old().chain([&new]).try_fold(0, |total, s| match s.terminating {
                Some(n) => Some(total + n),
                // One that was never synced does not count; one that was and
                // says nothing leaves the sum unknown.
                None if s.observed_generation == 0 => Some(total),
                None => None,
            }),
            ..self.status.clone()
        };
        let enough = available >= self.deployment.spec.replicas - self.limits.unavailable;
        let (condition, reason) = if enough {
            (ConditionStatus::True, "MinimumReplicasAvailable")
        } else {
            (ConditionStatus::False, "MinimumReplicasUnavailable")
        };
        set_condition(&mut status.available_condition, condition, reason, self.view);
        status
    }

    /// Upstream: `deployment/progress.go getReplicaFailures`
    fn replica_failure(&self, sets: &Sets<'a>) -> Option<DeploymentCondition> {
        let failure = |set: &ReplicaSet| set.status.failure.clone();
        let new = match &sets.new {
            Some(NewSet::Existing((_, set))) => failure(set),
            _ => None,
        };
        let (reason, _message) = new.or_else(|| sets.old.iter().find_map(|(_, set)| failure(set)))?;
        let now = self.view.now.truncate();
        let since = self.status.replica_failure.as_ref().map_or(now, |c| c.last_transition);
        Some(DeploymentCondition { status: ConditionStatus::True, reason, last_update: since, last_transition: since })
    }
}
