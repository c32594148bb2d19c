//! The Job controller.
//!
//! Pods are counted with finalizers: a pod that has ended stays until the
//! Job's status has noted it, loses its finalizer, and is counted in a second
//! write. That way no pod is counted twice or not at all, even if the
//! controller stops in between.

pub mod backoff;
mod indexes;
mod manage;
mod orphans;
mod policies;
mod status;
mod sync;
mod tracking;

pub use orphans::OrphanPods;

use super::owners::{self, is_known};
use super::{Controller, Expectations, Notice, Plan, Planned, Reaction, SyncError, Version, View, WorkQueue, Write};
use crate::api::{Finalizers, Gate, Job, JobStatus, Key, KeyMap, Kind, Phase, Pod, PodReplacement, Uid};
use crate::cluster::{ApiError, Change, Verb};
use crate::time::Span;
use backoff::BackoffRecord;
use std::cmp::Ordering;

/// How long changes of pods are collected before a Job is looked at.
///
/// Upstream: `job/job_controller.go SyncJobBatchPeriod`
const BATCH: Span = Span::from_secs(1);

/// The controller that looks after Jobs without `spec.managedBy`.
const OWN_NAME: &str = "kubernetes.io/job-controller";

/// A pod and its key.
type Entry<'a> = (Key, &'a Pod);

/// The memory of one Job controller process.
#[derive(Clone, Debug, Default)]
pub struct JobController {
    expectations: Expectations,
    of_jobs: KeyMap<Memory>,
}

/// What one process remembers of a Job.
#[derive(Clone, Debug, Default)]
struct Memory {
    /// Pods whose finalizer this process took off and still sees in its
    /// cache, in order.
    released: Vec<Uid>,
    /// The failures that the Job waits for.
    backoff: Option<BackoffRecord>,
    /// This process has finished the Job and not seen it finished yet.
    finished: bool,
    /// The newest versions of pods and of the Job itself that this process
    /// wrote and has not seen in its caches yet.
    written: Option<(u64, u64)>,
    /// What the sync under way will have brought about.
    in_hand: InHand,
}

/// What becomes true once the status writes of a sync are done.
#[derive(Clone, Debug, Default)]
struct InHand {
    /// Pods that lose their finalizer because they are too many, in order.
    discarded: Vec<Uid>,
    /// The back-off record that the first one makes valid, if there is a
    /// first one.
    record: Option<BackoffRecord>,
    /// Whether the last one ends the Job.
    finishes: bool,
}

impl Controller for JobController {
    fn kind(&self) -> Kind {
        Kind::Job
    }

    fn watches(&self, kind: Kind) -> bool {
        matches!(kind, Kind::Job | Kind::Pod)
    }

    fn pods_belong_to(&self) -> Option<Kind> {
        Some(Kind::Job)
    }

    fn observe(&mut self, change: &Change, view: View<'_>, queue: &mut WorkQueue) {
        match change.key.kind {
            Kind::Job => self.observe_job(change, view, queue),
            _ => self.observe_pod(change, view, queue),
        }
    }

    /// Upstream: `job/job_controller.go syncJob`
    fn sync(&mut self, key: Key, view: View<'_>, plan: &mut Plan, queue: &mut WorkQueue) -> Result<(), SyncError> {
        self.ensure_seen(key, view)?;
        let Some(job) = view.cache.jobs.get(key) else {
            self.forget(key);
            return Ok(());
        };
        if is_managed_elsewhere(job) {
            return Ok(());
        }
        let memory = self.of_jobs.entry(key);
        if job.status.finished().is_some() {
            let released = std::mem::take(&mut memory.released);
            *memory = Memory { released, ..Memory::default() };
            return Ok(());
        }
        if !memory.finished {
            return sync::run(self, key, job, view, plan, queue);
        }
        Ok(())
    }

    fn written(&mut self, key: Key, write: &Write, object: Key, version: u64) {
        let memory = self.of_jobs.entry(key);
        let newest = match write {
            Write::CreatePod(_) => &mut memory.written.get_or_insert_default().0,
            Write::RemoveFinalizer { .. } => {
                // Of pods that are deleted uncounted, nothing is remembered.
                if memory.in_hand.discarded.binary_search(&object.uid).is_err() {
                    memory.release(object.uid);
                }
                &mut memory.written.get_or_insert_default().0
            }
            // Adopted.
            Write::SetOwner { present: true, .. } => &mut memory.written.get_or_insert_default().0,
            Write::JobStatus { .. } => {
                match memory.in_hand.record.take() {
                    Some(record) => memory.backoff = Some(record),
                    None => memory.finished |= memory.in_hand.finishes,
                }
                &mut memory.written.get_or_insert_default().1
            }
            _ => return,
        };
        *newest = (*newest).max(version);
    }

    /// Upstream: `job/job_controller.go manageJob`, `controller_utils.go RealPodControl`
    fn failed(&mut self, key: Key, write: &Write, error: &ApiError, _view: View<'_>, plan: &mut Plan) -> Reaction {
        match write {
            Write::CreatePod(_) => {
                self.expectations.creation_observed(key);
                plan.announce(key, Notice::warning("FailedCreate", format!("Error creating: {error}")));
                return Reaction::Finish;
            }
            Write::DeletePod { pod, .. } => {
                self.expectations.deletion_observed(key, pod.uid);
                if *error != ApiError::NotFound {
                    plan.announce(key, Notice::warning("FailedDelete", format!("Error deleting: {error}")));
                }
            }
            _ => {}
        }
        let gone = *error == ApiError::NotFound && write.kind() == Kind::Pod;
        if gone { Reaction::Ignore } else { Reaction::Fail }
    }

    /// The batches after one with a failure are given up, and the status
    /// counts what there is. Pods that have ended are counted all the same.
    ///
    /// Upstream: `job/job_controller.go manageJob`, `syncJob`
    fn salvage(&mut self, key: Key, _write: &Write, _error: &ApiError, view: View<'_>, rest: &mut Vec<Planned>) {
        let planned = rest.len();
        rest.retain(|planned| !matches!(planned.write, Write::CreatePod(_)));
        let given_up = planned - rest.len();
        (0..given_up).for_each(|_| self.expectations.creation_observed(key));
        let missing = given_up as i32 + 1;
        let mut statuses = rest.iter_mut().filter_map(|planned| match &mut planned.write {
            Write::JobStatus { status, .. } => Some(status),
            _ => None,
        });
        if statuses.by_ref().map(|status| status.active -= missing).count() > 0 {
            return;
        }
        // What was planned comes to what is stored, and now it does not.
        let Some(job) = view.cache.jobs.get(key) else { return };
        let status = Box::new(JobStatus { active: job.status.active - missing, ..job.status.clone() });
        let version = Version::Cached(job.meta.resource_version);
        let write = Write::JobStatus { job: key, version, status, notices: Vec::new() };
        rest.insert(0, Planned { write, together: false, why: None });
    }

    /// Expectations are kept by name until a sync finds no Job there.
    fn renamed(&mut self, old: Key, new: Key) {
        self.expectations.rename(old, new);
    }

    /// Upstream: `job/job_controller.go DefaultJobApiBackOff`, `MaxJobApiBackOff`
    fn new_queue(&self) -> WorkQueue {
        WorkQueue::with_retries(Span::from_secs(1), Span::from_secs(60))
    }

    /// Upstream: `cmd/kube-controller-manager/app/options` `--concurrent-job-syncs`
    fn workers(&self) -> u8 {
        5
    }

    fn boxed_clone(&self) -> Box<dyn Controller + Send + Sync> {
        Box::new(self.clone())
    }
}

impl JobController {
    /// Changes of the spec are acted upon at once, others with the next batch.
    ///
    /// Upstream: `job/job_controller.go addJob`, `updateJob`, `deleteJob`
    fn observe_job(&mut self, change: &Change, view: View<'_>, queue: &mut WorkQueue) {
        match change.verb {
            Verb::Deleted => {
                if let Some(memory) = self.of_jobs.get_mut(change.key) {
                    (memory.finished, memory.written, memory.backoff) = (false, None, None);
                }
                queue.add(change.key);
            }
            Verb::Modified if is_finished(change.key, view) => {}
            Verb::Modified if !change.generation_changed => queue.add_after(change.key, BATCH),
            _ => queue.add(change.key),
        }
    }

    fn observe_pod(&mut self, change: &Change, view: View<'_>, queue: &mut WorkQueue) {
        match change.verb {
            Verb::Deleted => self.pod_gone(change, view, queue),
            _ if change.deleting => self.pod_gone(change, view, queue),
            Verb::Added => self.pod_added(change, view, queue),
            Verb::Modified => self.pod_updated(change, view, queue),
        }
    }

    /// Upstream: `job/job_controller.go addPod`
    fn pod_added(&mut self, change: &Change, view: View<'_>, queue: &mut WorkQueue) {
        match change.owner {
            Some(job) if is_known::<Job>(job, view) => {
                self.expectations.creation_observed(job);
                queue.add_after(job, BATCH);
            }
            Some(_) => {}
            None => enqueue_adopters(change.key, view, queue),
        }
    }

    /// Upstream: `job/job_controller.go updatePod`
    fn pod_updated(&mut self, change: &Change, view: View<'_>, queue: &mut WorkQueue) {
        let before = change.old_owner.filter(|_| change.owner_changed);
        for job in before.into_iter().chain(change.owner).filter(|&job| is_known::<Job>(job, view)) {
            if !change.finalizers.has(Finalizers::JOB_TRACKING) {
                self.release_observed(job, change.key.uid);
            }
            queue.add_after(job, BATCH);
        }
        if change.owner.is_none() && (change.labels_changed || change.owner_changed) {
            enqueue_adopters(change.key, view, queue);
        }
    }

    /// A pod is gone, or its deletion has been asked for.
    ///
    /// Upstream: `job/job_controller.go deletePod`
    fn pod_gone(&mut self, change: &Change, view: View<'_>, queue: &mut WorkQueue) {
        let Some(job) = change.owner.filter(|&job| is_known::<Job>(job, view) && !is_finished(job, view)) else {
            return;
        };
        self.expectations.deletion_observed(job, change.key.uid);
        if change.verb == Verb::Deleted || !change.finalizers.has(Finalizers::JOB_TRACKING) {
            self.release_observed(job, change.key.uid);
        }
        queue.add_after(job, BATCH);
    }

    fn release_observed(&mut self, job: Key, pod: Uid) {
        if let Some(memory) = self.of_jobs.get_mut(job)
            && let Ok(at) = memory.released.binary_search(&pod)
        {
            memory.released.remove(at);
        }
    }

    /// Whether the caches have caught up with this process's own writes.
    ///
    /// Upstream: `util/consistency/consistency.go EnsureReady`
    fn ensure_seen(&mut self, key: Key, view: View<'_>) -> Result<(), SyncError> {
        let Some(memory) = self.of_jobs.get_mut(key) else { return Ok(()) };
        let Some((pods, jobs)) = memory.written else { return Ok(()) };
        if view.is_behind(Gate::StaleControllerConsistencyJob, &[(Kind::Pod, pods), (Kind::Job, jobs)]) {
            return Err(SyncError::StaleCache);
        }
        memory.written = None;
        Ok(())
    }

    fn forget(&mut self, key: Key) {
        self.expectations.forget(key);
        self.of_jobs.remove(key);
    }
}

impl Memory {
    /// A pod's finalizer was taken off.
    fn release(&mut self, pod: Uid) {
        if let Err(at) = self.released.binary_search(&pod) {
            self.released.insert(at, pod);
        }
    }
}

fn is_finished(job: Key, view: View<'_>) -> bool {
    view.cache.jobs.get(job).is_some_and(|job| job.status.finished().is_some())
}

/// Enqueues every Job that would adopt a pod.
fn enqueue_adopters(pod: Key, view: View<'_>, queue: &mut WorkQueue) {
    for key in owners::adopters_of_pod::<Job>(pod, view) {
        queue.add_after(key, BATCH);
    }
}

/// Whether somebody else's controller looks after the Job.
fn is_managed_elsewhere(job: &Job) -> bool {
    job.spec.managed_by.as_deref().is_some_and(|manager| manager != OWN_NAME)
}

/// Whether a pod's place is only free once it has ended. A policy for
/// failures can only judge pods that have.
///
/// Upstream: `job/job_controller.go onlyReplaceFailedPods`
fn replaces_only_failed(job: &Job) -> bool {
    job.spec.pod_replacement == PodReplacement::Failed || job.spec.pod_failure_policy.is_some()
}

/// Whether a pod counts as failed: one that is being deleted does too, as it
/// might never come to an end on a dead node.
///
/// Upstream: `job/job_controller.go isPodFailed`
fn is_failed(job: &Job, pod: &Pod) -> bool {
    match pod.phase {
        Phase::Failed => true,
        Phase::Succeeded => false,
        _ => pod.meta.is_deleting() && !replaces_only_failed(job),
    }
}

fn is_tracked(pod: &Pod) -> bool {
    pod.meta.finalizers.has(Finalizers::JOB_TRACKING)
}

/// Which of two active pods goes first when there are too many: the one that
/// has got less far.
///
/// Upstream: `controller_utils.go ActivePods.Less`
fn removal_order(a: &Pod, b: &Pod) -> Ordering {
    let progress = |pod: &Pod| match pod.phase {
        Phase::Pending => 0,
        Phase::Unknown => 1,
        _ => 2,
    };
    let ready_since = |pod: &Pod| pod.ready.then_some(pod.ready_since);
    (a.node.is_some().cmp(&b.node.is_some()))
        .then_with(|| progress(a).cmp(&progress(b)))
        .then_with(|| a.ready.cmp(&b.ready))
        .then_with(|| ready_since(b).cmp(&ready_since(a)))
        .then_with(|| b.restarts.cmp(&a.restarts))
        .then_with(|| b.meta.created.cmp(&a.meta.created))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Meta;
    use crate::time::Timestamp;

    /// A pod of that UID, running on a node.
    pub(super) fn pod(uid: u32) -> Pod {
        Pod { node: Some(Key { kind: Kind::Node, slot: 0, uid: Uid(0) }), ..Pod::running(uid) }
    }

    #[test]
    fn pods_that_have_got_less_far_go_first() {
        let keep = pod(1);
        for sooner in [
            Pod { node: None, ..pod(2) },
            Pod { phase: Phase::Pending, ..pod(2) },
            Pod { ready: false, ..pod(2) },
            Pod { ready_since: Timestamp(101), ..pod(2) },
            Pod { restarts: 1, ..pod(2) },
            Pod { meta: Meta { created: Timestamp(1), ..pod(2).meta }, ..pod(2) },
        ] {
            assert_eq!(removal_order(&sooner, &keep), Ordering::Less, "{sooner:?}");
            assert_eq!(removal_order(&keep, &sooner), Ordering::Greater);
        }
        assert_eq!(removal_order(&keep, &pod(2)), Ordering::Equal);
    }
}
