//! Counting pods, and ending the Job once all are counted.

use super::manage::release;
use super::status::{count_released, ensure_condition};
use super::sync::Pass;
use super::{Entry, InHand, indexes, is_failed, policies};
use crate::api::{ConditionStatus, Indexes, JobCondition, JobConditionType, JobStatus, Phase, Pod, Uid};
use crate::controllers::{Notice, Version, Write};
use crate::trace::Why;
use rustc_hash::FxHashSet;

/// The most pods that are noted and not counted at a time, so that the status
/// stays small.
///
/// Upstream: `job/job_controller.go MaxUncountedPods`
const MOST_UNCOUNTED: usize = 500;

/// Pods to be counted in this sync.
#[derive(Default)]
struct Ended<'a> {
    release: Vec<Entry<'a>>,
    new_indexes: Vec<u32>,
    /// Whether there are more than one sync counts.
    more: bool,
    changed: bool,
}

impl<'a> Pass<'a> {
    /// Notes the pods that have ended, lets them go and counts them; ends the
    /// Job if it is over and nothing is left.
    ///
    /// Upstream: `job/job_controller.go trackJobStatusAndRemoveFinalizers`
    pub(super) fn track(&mut self, mut changed: bool) {
        if self.job.spec.indexed {
            indexes::sort_by_index(&mut self.pods);
        }
        changed |= self.count_released(&[]);
        let ended = self.note_ended();
        changed |= ended.changed;
        if self.job.spec.indexed {
            changed |= self.note_indexes(&ended.new_indexes);
        }
        changed |= self.note_decision();
        let mut version = Version::Cached(self.job.meta.resource_version);
        if !ended.release.is_empty() {
            self.plan.because(Why::PodsEnded { pods: ended.release.len() as i32 });
        }
        if changed {
            let status = self.status.clone();
            self.write_status(version, status);
            self.in_hand().record = Some(self.backoff);
            version = Version::Returned;
        }
        self.plan.batch(ended.release.iter().map(|&(pod, _)| release(pod)));
        let mut changed = self.count_released(&ended.release);
        if !ended.more && self.end_job() {
            self.in_hand().finishes = true;
            changed = true;
        }
        if changed {
            let status = std::mem::take(&mut self.status);
            self.write_status(version, status);
        }
    }

    pub(super) fn in_hand(&mut self) -> &mut InHand {
        &mut self.controller.of_jobs.entry(self.key).in_hand
    }

    fn write_status(&mut self, version: Version, status: JobStatus) {
        self.plan.write(Write::JobStatus {
            job: self.key,
            version,
            status: Box::new(status),
            notices: std::mem::take(&mut self.notices),
        });
    }

    /// Counts the noted pods that have lost their finalizer, and those that
    /// are about to.
    fn count_released(&mut self, about_to: &[Entry<'_>]) -> bool {
        if self.status.uncounted.is_empty() {
            return false;
        }
        let held = self.pods.iter().filter(|(_, pod)| self.is_counted_here(pod));
        let mut held: FxHashSet<Uid> = held.map(|(key, _)| key.uid).collect();
        for (key, _) in about_to {
            held.remove(&key.uid);
        }
        count_released(&mut self.status, &held)
    }

    /// Whether the pod's finalizer is still on, as far as this process knows.
    fn is_counted_here(&self, pod: &Pod) -> bool {
        self.is_tracked(pod) && self.released.binary_search(&pod.meta.uid).is_err()
    }

    fn note_ended(&mut self) -> Ended<'a> {
        let mut ended = Ended::default();
        let known = &self.job.status.uncounted;
        let known_succeeded: FxHashSet<Uid> = known.succeeded.iter().copied().collect();
        let known_failed: FxHashSet<Uid> = known.failed.iter().copied().collect();
        for i in 0..self.pods.len() {
            let (key, pod) = self.pods[i];
            let failed = is_failed(self.job, pod);
            if !self.is_counted_here(pod) || !self.may_release(key.uid, pod, failed) {
                continue;
            }
            ended.release.push((key, pod));
            if pod.phase == Phase::Succeeded && !known_failed.contains(&key.uid) {
                self.note_success(pod, known_succeeded.contains(&key.uid), &mut ended);
            } else if failed || self.finished.as_ref().is_some_and(|c| c.kind != JobConditionType::SuccessCriteriaMet) {
                // When a Job has failed, what still runs has failed too.
                let policy = self.job.spec.pod_failure_policy.as_ref();
                if !known_failed.contains(&key.uid) && self.is_valid(pod) && policies::judge(policy, pod).counts() {
                    self.status.uncounted.failed.push(key.uid);
                    ended.changed = true;
                }
            }
            let uncounted = &self.status.uncounted;
            if ended.new_indexes.len() + uncounted.succeeded.len() + uncounted.failed.len() >= MOST_UNCOUNTED {
                ended.more = true;
                break;
            }
        }
        ended
    }

    /// A succeeded pod is noted by its index or, if it has none, by its UID.
    fn note_success(&mut self, pod: &Pod, known: bool, ended: &mut Ended<'a>) {
        if self.job.spec.indexed {
            let wanted = pod.index.map(|i| i.index).filter(|&i| i < self.completions());
            if let Some(index) = wanted.filter(|&i| !self.counted_indexes.has(i)) {
                ended.new_indexes.push(index);
                ended.changed = true;
            }
        } else if !known {
            self.status.uncounted.succeeded.push(pod.meta.uid);
            ended.changed = true;
        }
    }

    /// Whether a pod may lose its finalizer: it has ended, or the whole Job
    /// has; but a failed pod that its successor has yet to learn from stays.
    ///
    /// Upstream: `job/job_controller.go canRemoveFinalizer`
    fn may_release(&self, uid: Uid, pod: &Pod, failed: bool) -> bool {
        if self.job.meta.is_deleting() || self.finished.is_some() || pod.phase == Phase::Succeeded {
            return true;
        }
        let predecessor = pod.index.and_then(|i| self.predecessors.get(&i.index));
        failed && predecessor.is_none_or(|(key, _)| key.uid != uid)
    }

    fn note_indexes(&mut self, new: &[u32]) -> bool {
        let completed = self.succeeded_indexes.with(&Indexes::of(new.iter().copied()));
        let changed = completed != self.status.completed_indexes || self.failed_indexes != self.status.failed_indexes;
        self.status.succeeded = completed.len() as i32;
        self.status.completed_indexes = completed;
        self.status.failed_indexes = self.failed_indexes.clone();
        changed
    }

    /// Writes down how the Job will end before its pods are let go.
    fn note_decision(&mut self) -> bool {
        let Some(decision) = self.finished.take() else { return false };
        let now = self.now();
        let turn_into = |kind| JobCondition { kind, status: ConditionStatus::True, since: now, ..decision.clone() };
        let (end, known) = match decision.kind {
            JobConditionType::FailureTarget => (turn_into(JobConditionType::Failed), false),
            JobConditionType::SuccessCriteriaMet => {
                let known = self.status.is(JobConditionType::SuccessCriteriaMet);
                (turn_into(JobConditionType::Complete), known)
            }
            _ => (decision.clone(), true),
        };
        self.finished = Some(end);
        if !known {
            self.status.conditions.push(decision);
        }
        !known
    }

    /// Ends the Job if it is over, every pod is counted and none is being
    /// deleted.
    ///
    /// Upstream: `job/job_controller.go enactJobFinished`, `recordJobFinished`
    fn end_job(&mut self) -> bool {
        let Some(end) = self.finished.clone() else { return false };
        if !self.status.uncounted.is_empty() || self.terminating > 0 {
            return false;
        }
        self.announce(&end);
        if end.kind == JobConditionType::Complete {
            self.status.completion_time = Some(end.since);
        }
        ensure_condition(&mut self.status.conditions, end);
        true
    }

    fn announce(&mut self, end: &JobCondition) {
        if end.kind == JobConditionType::Failed {
            let (reason, message) = (end.reason.to_string(), end.message.to_string());
            return self.notices.push(Notice::warning(reason, message));
        }
        if self.job.spec.completions.is_some_and(|completions| self.status.succeeded > completions) {
            let message = "Too many succeeded pods running after completion count reached";
            self.notices.push(Notice::warning("TooManySucceededPods", message));
        }
        self.notices.push(Notice::normal("Completed", "Job completed"));
    }
}
