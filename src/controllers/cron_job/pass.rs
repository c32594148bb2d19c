//! One sync of one CronJob.

use super::rules::{self, Missed, NeverFires, Past, Remembered};
use crate::api::{
    ActiveJob, Concurrency, CronJob, CronJobStatus, Job, JobCondition, JobConditionType, Key, Kind, Meta, OwnerRef,
};
use crate::controllers::{Notice, Plan, Started, Version, View, Write};
use crate::cron;
use crate::time::Instant;
use crate::trace::Why;
use std::borrow::Cow;
use std::sync::Arc;

/// The annotation of a Job with the time that it was started for.
const SCHEDULED_AT: &str = "batch.kubernetes.io/cronjob-scheduled-timestamp";

/// What comes after the writes of a sync.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Then {
    /// Another look at this time; at once if there is none.
    Look(Option<Instant>),
    /// Nothing until something changes.
    Rest,
    /// Everything once more after a back-off.
    Fail,
}

/// What one sync works with and what it has found so far.
pub(super) struct Pass<'a> {
    key: Key,
    /// The CronJob: the cached one, or the live one if the cache is behind.
    cron_job: &'a CronJob,
    /// The version that the status is written against. It stays that of the
    /// cache, so that a status made from two versions meets a conflict.
    version: Version,
    /// Its status as this sync has changed it.
    status: Cow<'a, CronJobStatus>,
    /// Whether it has.
    changed: bool,
    /// The Job that is started, for the status.
    started: Option<Started>,
    /// The Jobs in the cache that it controls, or that an earlier CronJob of
    /// its name did, by name, with the condition by which each is over.
    jobs: Vec<(Key, &'a Job, Option<&'a JobCondition>)>,
    view: View<'a>,
    plan: &'a mut Plan,
}

impl<'a> Pass<'a> {
    pub(super) fn new(
        key: Key,
        cron_job: &'a CronJob,
        earlier: &[Key],
        view: View<'a>,
        plan: &'a mut Plan,
    ) -> Pass<'a> {
        let over = |(key, job): (Key, &'a Job)| (key, job, job.status.finished());
        let mut jobs = Vec::with_capacity(view.cache.owned(key.uid).dependents.len());
        jobs.extend(jobs_of(key, view).map(over));
        if !earlier.is_empty() {
            jobs.extend(earlier.iter().flat_map(|&key| jobs_of(key, view)).map(over));
            jobs.sort_by(|(_, a, _), (_, b, _)| a.meta.name.cmp(&b.meta.name));
        }
        Pass {
            key,
            cron_job,
            version: Version::Cached(cron_job.meta.resource_version),
            status: Cow::Borrowed(&cron_job.status),
            changed: false,
            started: None,
            jobs,
            view,
            plan,
        }
    }

    /// Deletes the oldest finished Jobs beyond the history limits.
    ///
    /// Upstream: `cronjob/cronjob_controllerv2.go cleanupFinishedJobs`
    pub(super) fn clean_up(&mut self) {
        let spec = &self.cron_job.spec;
        for (end, limit) in [
            (JobConditionType::Complete, spec.successful_jobs_history_limit),
            (JobConditionType::Failed, spec.failed_jobs_history_limit),
        ] {
            let over = self.jobs.iter().filter(|(.., ended)| ended.is_some_and(|c| c.kind == end));
            let excess = over.clone().count().saturating_sub(limit.max(0) as usize);
            if excess == 0 {
                continue;
            }
            let mut jobs: Vec<_> = over.copied().collect();
            jobs.sort_by_key(|(_, job, _)| rules::age_order(job));
            self.plan.because(Why::JobHistoryLimit { limit });
            for (key, ..) in jobs.into_iter().take(excess) {
                self.delete(key, false);
            }
        }
    }

    fn delete(&mut self, job: Key, replaced: bool) {
        self.plan.write(Write::DeleteJob { job, cron_job: self.key, replaced });
        self.forget(|active| active.uid == job.uid);
    }

    fn forget(&mut self, gone: impl Fn(&ActiveJob) -> bool) {
        self.status.to_mut().active.retain(|active| !gone(active));
        self.changed = true;
    }

    fn is_active(&self, job: Key) -> bool {
        self.status.active.iter().any(|active| active.uid == job.uid)
    }

    fn say(&mut self, reason: &'static str, message: impl Into<Cow<'static, str>>) {
        self.plan.announce(self.key, Notice::normal(reason, message));
    }

    fn warn(&mut self, reason: &'static str, message: impl Into<Cow<'static, str>>) {
        self.plan.announce(self.key, Notice::warning(reason, message));
    }

    /// Takes account of the Jobs there are and starts one if it is time.
    ///
    /// Upstream: `cronjob/cronjob_controllerv2.go syncCronJob`
    pub(super) fn reconcile(&mut self, schedule: Result<&mut Remembered, &mut String>) -> Then {
        for i in 0..self.jobs.len() {
            let (key, job, end) = self.jobs[i];
            if !self.take_account(key, job, end) {
                return Then::Fail;
            }
        }
        if !self.miss_lost_jobs() {
            return Then::Fail;
        }
        if self.cron_job.meta.is_deleting() {
            return Then::Rest;
        }
        let spec = &self.cron_job.spec;
        if let Some(name) = &spec.time_zone
            && let Err(error) = cron::zone(name)
        {
            self.warn("UnknownTimeZone", format!("invalid timeZone: {name:?}: {error}"));
            return Then::Rest;
        }
        if spec.suspend {
            self.plan.because(Why::ScheduleSuspended);
            return Then::Rest;
        }
        match schedule {
            Ok(schedule) => self.serve(schedule),
            Err(error) => {
                let message = format!("unparseable schedule: {:?} : {error}", spec.schedule);
                self.warn("UnparseableSchedule", message);
                Then::Rest
            }
        }
    }

    /// Notes what has become of a Job. False if the API server could not say
    /// what the CronJob looks like now.
    fn take_account(&mut self, key: Key, job: &Job, end: Option<&JobCondition>) -> bool {
        let active = self.is_active(key);
        let Some(end) = end else {
            return active || self.meet_unexpected(key, job);
        };
        if active {
            self.forget(|active| active.uid == key.uid);
            let message = ["Saw completed job: ", &job.meta.name, ", condition: ", end.kind.name()].concat();
            self.say("SawCompletedJob", message);
        }
        let completed = job.status.completion_time.filter(|_| end.kind == JobConditionType::Complete);
        // Jobs that nobody waits for count as well.
        if completed > self.status.last_successful {
            self.status.to_mut().last_successful = completed;
            self.changed = true;
        }
        true
    }

    /// A Job that runs and that the status does not know: the cached status
    /// may be behind, or somebody made the Job by hand.
    fn meet_unexpected(&mut self, key: Key, job: &Job) -> bool {
        let live = self.view.live.cron_jobs.get(self.key).filter(|_| self.view.answers);
        let Some(live) = live else { return false };
        if live.status.active.iter().any(|active| active.uid == key.uid) {
            self.cron_job = live;
            self.status = Cow::Borrowed(&live.status);
        } else {
            let message = format!("Saw a job that the controller did not create or forgot: {}", job.meta.name);
            self.warn("UnexpectedJob", message);
        }
        true
    }

    /// Forgets active Jobs that are not there any more: not even live, for
    /// the cache may not have a new one yet. False if the API server could not
    /// say.
    fn miss_lost_jobs(&mut self) -> bool {
        let known = |active: &&ActiveJob| self.jobs.iter().any(|(key, ..)| key.uid == active.uid);
        if self.status.active.iter().all(|active| known(&active)) {
            return true;
        }
        let unknown: Vec<ActiveJob> = self.status.active.iter().filter(|active| !known(active)).cloned().collect();
        if !self.view.answers {
            return false;
        }
        let lost: Vec<ActiveJob> = unknown.into_iter().filter(|active| self.live_job(&active.name).is_none()).collect();
        for lost in lost {
            self.say("MissingJob", format!("Active job went missing: {}", lost.name));
            self.forget(|active| active.uid == lost.uid);
        }
        true
    }

    /// The Job of that name, if the API server has one and says so.
    fn live_job(&self, name: &Arc<str>) -> Option<Key> {
        self.view.live.jobs.find(&self.cron_job.meta.namespace, name).filter(|_| self.view.answers)
    }

    fn past(&self) -> Past {
        let started = self.started.as_ref().map(|started| started.scheduled);
        Past { last_schedule: started.or(self.status.last_schedule), ..Past::of(self.cron_job) }
    }

    /// Starts a Job for the newest time that has come, if it may.
    fn serve(&mut self, schedule: &mut Remembered) -> Then {
        let (now, past, text) = (self.view.now, self.past(), self.cron_job.spec.schedule.clone());
        if text.as_bytes().windows(2).any(|pair| pair == b"TZ") {
            let message = format!(
                "CRON_TZ or TZ used in schedule {text:?} is not officially supported, see https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details"
            );
            self.warn("UnsupportedSchedule", message);
        }
        let standing = rules::standing(past, now, schedule, true);
        let due = match standing.most_recent {
            Ok(due) => due,
            Err(NeverFires) => {
                self.warn("InvalidSchedule", format!("invalid schedule: {text} : {}", NeverFires::MESSAGE));
                return Then::Rest;
            }
        };
        if due.is_none() {
            self.note_too_late(past, schedule);
        }
        if let Some(scheduled) = due {
            if standing.missed == Missed::Many {
                self.warn(
                    "TooManyMissedTimes",
                    "too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew",
                );
            }
            let name = rules::job_name(&self.cron_job.meta.name, scheduled);
            if self.may_start(scheduled, &name) && !self.start(scheduled, name) {
                return Then::Fail;
            }
        }
        Then::Look(rules::next_look(self.past(), now, schedule))
    }

    /// Says once why nothing is started although a time was missed: it is
    /// longer ago than `startingDeadlineSeconds`, and upstream does not even
    /// look there.
    fn note_too_late(&mut self, past: Past, schedule: &mut Remembered) {
        let Some(deadline_seconds) = past.starting_deadline_seconds else { return };
        if matches!(rules::standing(past, self.view.now, schedule, false).most_recent, Ok(Some(_))) {
            self.plan.because(Why::TooLateToStart { deadline_seconds });
        }
    }

    /// Whether a Job is to be started for a time that has come.
    fn may_start(&mut self, scheduled: Instant, name: &str) -> bool {
        let spec = &self.cron_job.spec;
        if let Some(seconds) = spec.starting_deadline_seconds
            && rules::is_too_late(scheduled, Some(seconds), self.view.now)
        {
            self.plan.because(Why::TooLateToStart { deadline_seconds: seconds });
            self.warn("MissSchedule", format!("Missed scheduled time to start a job: {}", rules::rfc1123(scheduled)));
            return false;
        }
        let is_served = self.status.last_schedule == Some(scheduled.truncate())
            || self.status.active.iter().any(|active| &*active.name == name);
        if is_served {
            return false;
        }
        if spec.concurrency == Concurrency::Forbid && !self.status.active.is_empty() {
            // It is the Job that runs which holds this one back.
            let running = self.status.active.last();
            let job = running.and_then(|job| self.view.cache.jobs.find(&self.cron_job.meta.namespace, &job.name));
            self.plan.because_of(self.key, job.unwrap_or(self.key), Why::JobStillActive);
            self.say(
                "JobAlreadyActive",
                "Not starting job because prior execution is running and concurrency policy is Forbid",
            );
            return false;
        }
        true
    }

    /// Starts a Job, in place of those that run if the policy says so. False
    /// if one of them could not be looked up.
    fn start(&mut self, scheduled: Instant, name: Arc<str>) -> bool {
        self.plan.because(Why::ScheduleDue { scheduled: scheduled.truncate() });
        if self.cron_job.spec.concurrency == Concurrency::Replace {
            for active in self.status.active.clone() {
                let Some(job) = self.live_job(&active.name) else {
                    let message = match self.view.answers {
                        true => format!("Get job: jobs.batch {:?} not found", active.name),
                        false => "Get job: the server does not answer".to_string(),
                    };
                    self.warn("FailedGet", message);
                    return false;
                };
                self.delete(job, true);
            }
        }
        let job = self.new_job(scheduled, name);
        self.started = Some(Started { job: job.meta.name.clone(), scheduled: scheduled.truncate() });
        self.changed = true;
        self.plan.write(Write::CreateJob { job: Box::new(job), cron_job: self.key });
        true
    }

    /// Upstream: `cronjob/utils.go getJobFromTemplate2`
    fn new_job(&self, scheduled: Instant, name: Arc<str>) -> Job {
        let CronJob { meta, spec, .. } = self.cron_job;
        let template = &*spec.template;
        // A Job without labels takes those of its pods.
        let labels = if template.labels.0.is_empty() { &template.spec.template.labels } else { &template.labels };
        let mut job = Job {
            meta: Meta {
                owners: vec![OwnerRef { key: self.key, controller: true, blocks_deletion: true }],
                ..Meta::labelled(&meta.namespace, name, labels, &template.annotations)
            },
            spec: template.spec.clone(),
            status: crate::api::JobStatus::default(),
        };
        let zone = spec.time_zone.as_deref().unwrap_or_default();
        job.meta.annotate(SCHEDULED_AT, &cron::written_in(zone, scheduled.truncate()));
        job
    }

    /// Plans the status write and what comes after it.
    pub(super) fn finish(self, then: Then) {
        if self.changed {
            self.plan.write(Write::CronJobStatus {
                cron_job: self.key,
                version: self.version,
                status: Box::new(self.status.into_owned()),
                started: self.started,
            });
        }
        match then {
            Then::Look(at) => self.plan.look_again_at(at.unwrap_or(self.view.now)),
            Then::Rest => self.plan.keeps_failures = true,
            Then::Fail => self.plan.fails = true,
        }
    }
}

/// The Jobs in the cache that a CronJob controls, by name.
pub(super) fn jobs_of(key: Key, view: View<'_>) -> impl Iterator<Item = (Key, &Job)> {
    let owned = view.cache.owned(key.uid).dependents.iter().filter(|d| d.kind == Kind::Job);
    let jobs = owned.filter_map(move |&job| Some((job, view.cache.jobs.get(job)?)));
    jobs.filter(move |(_, job)| job.meta.controller() == Some(key))
}

impl Past {
    /// What a CronJob remembers.
    pub(super) fn of(cron_job: &CronJob) -> Past {
        Past {
            created: cron_job.meta.created,
            last_schedule: cron_job.status.last_schedule,
            starting_deadline_seconds: cron_job.spec.starting_deadline_seconds,
        }
    }
}
