//! One sync of one Job.

use super::backoff::{self, BackoffRecord};
use super::status::{condition, ensure_condition};
use super::{Entry, InHand, JobController, indexes, is_failed, is_tracked, policies, replaces_only_failed};
use crate::api::{
    ConditionStatus, FailureAction, Finalizers, Indexes, Job, JobCondition, JobConditionType, JobStatus, Key, Phase,
    Pod, RestartPolicy, Text, Uid,
};
use crate::controllers::{Notice, Plan, SyncError, View, WorkQueue, Write};
use crate::time::{Instant, Span, Timestamp};
use crate::trace::Why;
use rustc_hash::FxHashSet;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What one sync works with and has found out so far.
pub(super) struct Pass<'a> {
    pub(super) controller: &'a mut JobController,
    pub(super) key: Key,
    pub(super) job: &'a Job,
    pub(super) view: View<'a>,
    pub(super) plan: &'a mut Plan,
    pub(super) queue: &'a mut WorkQueue,
    /// All its pods, by name.
    pub(super) pods: Vec<Entry<'a>>,
    /// Those that are neither finished nor being deleted.
    pub(super) active_pods: Vec<Entry<'a>>,
    /// The status as this sync has changed it so far.
    pub(super) status: JobStatus,
    /// `status.startTime`, with its fraction if it is set in this sync.
    pub(super) started: Option<Instant>,
    /// Pods or indexes that have succeeded, those not yet counted included.
    pub(super) succeeded: i32,
    /// Pods that have failed, those not yet counted included.
    pub(super) failed: i32,
    /// Indexes that the status names already.
    pub(super) counted_indexes: Indexes,
    pub(super) succeeded_indexes: Indexes,
    pub(super) failed_indexes: Option<Indexes>,
    pub(super) backoff: BackoffRecord,
    /// Pods that got their finalizer in this sync, though the cache does not
    /// show it yet.
    adopted: FxHashSet<Uid>,
    /// Pods whose finalizer is gone, though the cache does not show it yet; in
    /// order.
    pub(super) released: Vec<Uid>,
    /// The last failed pod of each index that waits for a new one.
    pub(super) predecessors: BTreeMap<u32, Entry<'a>>,
    /// Why the Job is over, if it is.
    pub(super) finished: Option<JobCondition>,
    pub(super) active: i32,
    pub(super) ready: i32,
    pub(super) terminating: i32,
    /// Events for the next status write.
    pub(super) notices: Vec<Notice>,
}

/// Looks at a Job and plans what is to be done.
///
/// Upstream: `job/job_controller.go syncJob`
pub(super) fn run(
    controller: &mut JobController,
    key: Key,
    job: &Job,
    view: View<'_>,
    plan: &mut Plan,
    queue: &mut WorkQueue,
) -> Result<(), SyncError> {
    controller.of_jobs.entry(key).in_hand = InHand::default();
    let satisfied = controller.expectations.satisfied(key, view.monotonic);
    let claimed = claim(key, job, view, plan)?;
    let mut pass = Pass::new(controller, key, job, view, plan, queue, claimed);
    pass.start();
    pass.count_finished();
    pass.judge_pods();
    pass.judge_limits();
    if job.spec.indexed {
        pass.judge_indexes();
    }
    let suspension_changed = if pass.finished.is_some() {
        pass.stop_pods(satisfied);
        false
    } else {
        pass.go_on(satisfied)
    };
    let changed = suspension_changed
        || pass.active != pass.status.active
        || pass.status.ready != Some(pass.ready)
        || pass.status.terminating != Some(pass.terminating);
    pass.status.active = pass.active;
    pass.status.ready = Some(pass.ready);
    pass.status.terminating = Some(pass.terminating);
    pass.track(changed);
    Ok(())
}

impl<'a> Pass<'a> {
    fn new(
        controller: &'a mut JobController,
        key: Key,
        job: &'a Job,
        view: View<'a>,
        plan: &'a mut Plan,
        queue: &'a mut WorkQueue,
        claimed: Claimed<'a>,
    ) -> Pass<'a> {
        let Claimed { pods, adopted } = claimed;
        let mut active_pods = Vec::with_capacity(pods.len());
        active_pods.extend(pods.iter().filter(|(_, pod)| pod.is_active()).copied());
        let terminating = pods.iter().filter(|(_, pod)| pod.is_terminating()).count();
        Pass {
            released: controller.of_jobs.get(key).map_or_else(Vec::new, |memory| memory.released.clone()),
            controller,
            key,
            job,
            view,
            plan,
            queue,
            active: active_pods.len() as i32,
            ready: active_pods.iter().filter(|(_, pod)| pod.ready).count() as i32,
            terminating: terminating as i32,
            pods,
            adopted,
            active_pods,
            status: job.status.clone(),
            started: job.status.start_time.map(Timestamp::instant),
            succeeded: 0,
            failed: 0,
            counted_indexes: Indexes::default(),
            succeeded_indexes: Indexes::default(),
            failed_indexes: None,
            backoff: BackoffRecord::default(),
            predecessors: BTreeMap::new(),
            finished: None,
            notices: Vec::new(),
        }
    }

    pub(super) fn now(&self) -> Timestamp {
        self.view.now.truncate()
    }

    pub(super) fn completions(&self) -> u32 {
        self.job.spec.completions.unwrap_or(0).max(0) as u32
    }

    /// Whether a pod has a finalizer, be it only since this sync.
    pub(super) fn is_tracked(&self, pod: &Pod) -> bool {
        is_tracked(pod) || self.adopted.contains(&pod.meta.uid)
    }

    /// Whether a pod has a finalizer and an index that is still wanted, so
    /// that it may be counted.
    pub(super) fn is_valid(&self, pod: &Pod) -> bool {
        let wanted = || pod.index.is_some_and(|i| i.index < self.completions());
        self.is_tracked(pod)
            && self.released.binary_search(&pod.meta.uid).is_err()
            && (!self.job.spec.indexed || wanted())
    }

    fn start(&mut self) {
        if self.status.start_time.is_none() && !self.job.spec.suspend {
            self.set_start_time();
        }
    }

    fn set_start_time(&mut self) {
        self.started = Some(self.view.now);
        self.status.start_time = Some(self.now());
    }

    fn finish(&mut self, kind: JobConditionType, reason: Text, message: Text) {
        self.finished = Some(condition(kind, ConditionStatus::True, reason, message, self.now()));
    }

    /// Counts what has ended since the status was written.
    ///
    /// Upstream: `job/job_controller.go getNewFinishedPods`
    fn count_finished(&mut self) {
        let uncounted = &self.job.status.uncounted;
        let known_succeeded: FxHashSet<Uid> = uncounted.succeeded.iter().copied().collect();
        let known_failed: FxHashSet<Uid> = uncounted.failed.iter().copied().collect();
        let policy = self.job.spec.pod_failure_policy.as_ref();
        let (mut succeeded, mut failed, mut counting) = (Vec::new(), Vec::new(), 0);
        for (key, pod) in self.pods.iter().filter(|(_, pod)| self.is_valid(pod)) {
            if pod.phase == Phase::Succeeded && !known_succeeded.contains(&key.uid) {
                succeeded.push(backoff::finished_at(pod));
            } else if is_failed(self.job, pod) && !known_failed.contains(&key.uid) {
                failed.push(backoff::finished_at(pod));
                counting += usize::from(policies::judge(policy, pod).counts());
            }
        }
        self.succeeded = self.status.succeeded + (succeeded.len() + uncounted.succeeded.len()) as i32;
        self.failed = self.status.failed + (counting + uncounted.failed.len()) as i32;
        let old = self.controller.of_jobs.get(self.key).and_then(|memory| memory.backoff).unwrap_or_default();
        self.backoff = old.after(&succeeded, &failed);
    }

    /// What was decided before stands; else a pod may fail the whole Job.
    fn judge_pods(&mut self) {
        if self.status.is(JobConditionType::SuccessCriteriaMet) {
            self.finished = self.status.condition(JobConditionType::SuccessCriteriaMet).cloned();
            return;
        }
        if let Some(target) = self.job.status.condition(JobConditionType::FailureTarget)
            && target.status == ConditionStatus::True
        {
            self.finish(JobConditionType::Failed, target.reason.clone(), target.message.clone());
            return;
        }
        let Some(rules) = &self.job.spec.pod_failure_policy else { return };
        let message = self.pods.iter().filter(|(_, pod)| is_failed(self.job, pod)).find_map(|(_, pod)| {
            let verdict = policies::judge(Some(rules), pod);
            (verdict.action == Some(FailureAction::FailJob)).then(|| policies::fail_job_message(rules, verdict, pod))
        });
        if let Some(message) = message {
            self.finish(JobConditionType::FailureTarget, Text::Known("PodFailurePolicy"), message.into());
        }
    }

    /// Too many failures, or too little time.
    fn judge_limits(&mut self) {
        if self.finished.is_some() {
            return;
        }
        let target = JobConditionType::FailureTarget;
        if self.failed > self.job.spec.backoff_limit || restarted_too_often(self.job, &self.pods) {
            self.finish(
                target,
                Text::Known("BackoffLimitExceeded"),
                Text::Known("Job has reached the specified backoff limit"),
            );
            return;
        }
        let (Some(limit), Some(started), false) =
            (self.job.spec.active_deadline_seconds, self.started, self.job.spec.suspend)
        else {
            return;
        };
        let left = started.plus_seconds(limit).nanos_since(self.view.now);
        if left <= 0 {
            self.finish(
                target,
                Text::Known("DeadlineExceeded"),
                Text::Known("Job was active longer than specified deadline"),
            );
        } else {
            self.queue.add_after(self.key, Span::from_ns(left as u64));
        }
    }

    /// Which indexes are done, and whether that is the end.
    fn judge_indexes(&mut self) {
        let limit = self.completions();
        self.counted_indexes = self.status.completed_indexes.below(limit);
        let ended = |pod: &Pod| pod.phase == Phase::Succeeded && self.is_tracked(pod);
        let new = self.indexes_where(ended);
        self.succeeded_indexes = self.counted_indexes.with(&new);
        self.succeeded = self.succeeded_indexes.len() as i32;
        if let Some(forgiven) = self.job.spec.backoff_limit_per_index {
            let before = self.status.failed_indexes.as_ref().map_or_else(Indexes::default, |i| i.below(limit));
            let new = self.indexes_where(|pod| self.is_tracked(pod) && is_index_failed(self.job, pod, forgiven));
            let failed = before.with(&new);
            self.judge_failed_indexes(&failed);
            let settled = self.succeeded_indexes.with(&failed).with(&indexes::of_pods(&self.active_pods));
            let ended: Vec<Entry<'a>> =
                self.pods.iter().filter(|(_, pod)| self.is_valid(pod) && is_failed(self.job, pod)).copied().collect();
            self.predecessors = indexes::predecessors(ended, &settled);
            self.failed_indexes = Some(failed);
        }
        let policy = self.job.spec.success_policy.as_ref();
        if self.finished.is_none()
            && let Some(rule) = policies::enough(policy, limit, &self.succeeded_indexes)
        {
            let message = format!("Matched rules at index {rule}");
            self.finish(JobConditionType::SuccessCriteriaMet, Text::Known("SuccessPolicy"), message.into());
        }
    }

    fn judge_failed_indexes(&mut self, failed: &Indexes) {
        if self.finished.is_some() {
            return;
        }
        let target = JobConditionType::FailureTarget;
        let too_many = self.job.spec.max_failed_indexes.is_some_and(|most| failed.len() as i64 > i64::from(most));
        if too_many {
            let message = "Job has exceeded the specified maximal number of failed indexes";
            self.finish(target, Text::Known("MaxFailedIndexesExceeded"), Text::Known(message));
        } else if !failed.is_empty() && failed.len() + self.succeeded_indexes.len() >= self.completions() as usize {
            self.finish(target, Text::Known("FailedIndexes"), Text::Known("Job has failed indexes"));
        }
    }

    /// The indexes of pods of a sort, without those that are not wanted.
    fn indexes_where(&self, of_sort: impl Fn(&Pod) -> bool) -> Indexes {
        indexes::of_pods(self.pods.iter().filter(|(_, pod)| of_sort(pod))).below(self.completions())
    }

    /// The Job is over: its active pods go, but keep their finalizers so that
    /// they are counted.
    ///
    /// Upstream: `job/job_controller.go deleteActivePods`
    fn stop_pods(&mut self, satisfied: bool) {
        if !self.active_pods.is_empty() {
            self.plan.because(Why::JobOver);
        }
        let owner = self.key;
        self.plan.batch(self.active_pods.iter().map(|&(pod, _)| Write::DeletePod { pod, owner }));
        if !satisfied {
            // There may be pods that the cache does not show yet.
            self.finished = None;
        }
        self.terminating += self.active;
        self.active = 0;
        self.ready = 0;
    }

    /// The Job is not over: keeps the right number of pods. Says whether the
    /// Job was suspended or resumed.
    fn go_on(&mut self, satisfied: bool) -> bool {
        let manages = satisfied && !self.job.meta.is_deleting();
        if manages {
            self.manage();
        } else if !satisfied {
            self.plan.because(Why::AwaitingExpectations);
        }
        let complete = match self.job.spec.completions {
            // One success of a work queue means that nothing is left to begin.
            None => self.succeeded > 0,
            Some(completions) => self.succeeded >= completions,
        };
        if complete && self.active == 0 {
            let message = "Reached expected number of succeeded pods";
            self.finish(JobConditionType::SuccessCriteriaMet, Text::Known("CompletionsReached"), Text::Known(message));
            return false;
        }
        manages && self.note_suspension()
    }

    fn note_suspension(&mut self) -> bool {
        if !self.job.spec.suspend && self.status.condition(JobConditionType::Suspended).is_none() {
            return false;
        }
        let (status, reason, message, event) = if self.job.spec.suspend {
            (ConditionStatus::True, "JobSuspended", "Job suspended", "Suspended")
        } else {
            (ConditionStatus::False, "JobResumed", "Job resumed", "Resumed")
        };
        let now = self.now();
        let new = condition(JobConditionType::Suspended, status, Text::Known(reason), Text::Known(message), now);
        if !ensure_condition(&mut self.status.conditions, new) {
            return false;
        }
        self.notices.push(Notice::normal(event, message));
        // The deadline counts only the time that the Job is not suspended.
        if self.job.spec.suspend {
            self.status.start_time = None;
        } else {
            self.set_start_time();
        }
        true
    }
}

/// The pods that a Job counts.
struct Claimed<'a> {
    /// All of them, by name.
    pods: Vec<Entry<'a>>,
    /// Those that were nobody's and not tracked.
    adopted: FxHashSet<Uid>,
}

/// The Job's pods by name; those that fit its selector and have no owner are
/// adopted, those that do not fit are let go. The finalizer comes and goes
/// with the owner.
///
/// Upstream: `job/job_controller.go getPodsForJob`,
/// `controller_ref_manager.go ClaimObject`
fn claim<'a>(key: Key, job: &Job, view: View<'a>, plan: &mut Plan) -> Result<Claimed<'a>, SyncError> {
    let owner = crate::api::OwnerRef { key, controller: true, blocks_deletion: true };
    let own = |object, present| Write::SetOwner { object, owner, present, finalizers: Finalizers::JOB_TRACKING };
    let most = view.cache.owned(key.uid).dependents.len();
    let mut claimed = Claimed { pods: Vec::with_capacity(most), adopted: FxHashSet::default() };
    for (pod_key, pod) in view.cache.pods_of(key) {
        // Pods that still have their template's labels are the most by far.
        let as_made = Arc::ptr_eq(&pod.meta.labels, &job.spec.template.labels);
        if as_made || job.spec.selector.matches(&pod.meta.labels) {
            claimed.pods.push((pod_key, pod));
        } else if !job.meta.is_deleting() {
            plan.write(own(pod_key, false));
        }
    }
    if job.meta.is_deleting() || !view.cache.has_stray_pods() {
        return Ok(claimed);
    }
    let fits = |pod: &Pod| !pod.meta.is_deleting() && job.spec.selector.matches(&pod.meta.labels);
    let strays = view.cache.stray_pods(&job.meta.namespace).filter(|(_, pod)| fits(pod));
    for (pod_key, pod) in strays {
        view.may_adopt(key)?;
        plan.write(own(pod_key, true));
        claimed.pods.push((pod_key, pod));
        if !is_tracked(pod) {
            claimed.adopted.insert(pod.meta.uid);
        }
    }
    Ok(claimed)
}

/// Whether the containers of pods that restart in place have done so too
/// often.
///
/// Upstream: `job/job_controller.go pastBackoffLimitOnFailure`
fn restarted_too_often(job: &Job, pods: &[Entry<'_>]) -> bool {
    if job.spec.template.restart_policy != RestartPolicy::OnFailure {
        return false;
    }
    let runs = |pod: &Pod| matches!(pod.phase, Phase::Running | Phase::Pending);
    let restarts: i64 = pods.iter().filter(|(_, pod)| runs(pod)).map(|(_, pod)| i64::from(pod.restarts)).sum();
    restarts >= i64::from(job.spec.backoff_limit.max(1))
}

/// Whether a pod's failure is the one too many of its index.
///
/// Upstream: `job/indexed_job_utils.go isIndexFailed`
fn is_index_failed(job: &Job, pod: &Pod, forgiven: i32) -> bool {
    if !is_failed(job, pod) {
        return false;
    }
    let verdict = policies::judge(job.spec.pod_failure_policy.as_ref(), pod);
    let failures = pod.index.map_or(0, |index| index.failures);
    verdict.action == Some(FailureAction::FailIndex) || (verdict.counts() && failures >= forgiven)
}

/// How many pods of a Job that are being deleted still have their place.
pub(super) fn kept_places(job: &Job, terminating: i32) -> i32 {
    if replaces_only_failed(job) { terminating } else { 0 }
}
