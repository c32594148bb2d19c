//! What people and the controller do to CronJobs.

use super::Simulation;
use super::actions::{Outcome, Refusal, relabel};
use super::apply::Written;
use super::fields::{Fields, Raw, Recorded};
use super::setup::Target;
use crate::api::{ActiveJob, CronJob, CronJobStatus, Job, JobStatus, Key, Kind, Meta, NamedOwner, Propagation};
use crate::cluster::{ApiError, Store, jobs};
use crate::controllers::{Notice, Started};
use crate::trace::{Field, RecordId};
use std::sync::Arc;

/// The annotation of Jobs that people start.
const BY_HAND: &str = "cronjob.kubernetes.io/instantiate";

impl Simulation {
    /// A copy of a stored CronJob.
    pub(super) fn cron_job(&self, key: Key) -> Result<CronJob, Refusal> {
        Ok(self.store.objects().cron_jobs.get(key).ok_or(ApiError::NotFound)?.clone())
    }

    /// Replaces the spec of a CronJob and merges its labels and annotations.
    pub(super) fn write_cron_job(&mut self, key: Key, new: &CronJob, cause: RecordId) -> Outcome {
        self.recorded(key, cause, |store| {
            store.update(key, None, |row: &mut CronJob| {
                row.spec = new.spec.clone();
                row.meta.labels = relabel(&row.meta.labels, &new.meta.labels);
                if !new.meta.annotations.is_empty() {
                    let annotations = Arc::make_mut(&mut row.meta.annotations);
                    annotations.extend(new.meta.annotations.iter().map(|(k, v)| (k.clone(), v.clone())));
                }
            })
        })?;
        Ok(())
    }

    /// Makes a Job of a CronJob's template, as `kubectl create job --from`
    /// does: the CronJob controls it and never enters it among its active
    /// Jobs.
    ///
    /// Upstream: `staging/src/k8s.io/kubectl/pkg/cmd/create/create_job.go createJobFromCronJob`
    pub(super) fn create_job_by_hand(&mut self, name: &Arc<str>, from: &Target, cause: RecordId) -> Outcome {
        let cron_job = self.cron_job(self.find(from)?)?;
        let template = &*cron_job.spec.template;
        // A Job without labels takes those of its pods.
        let labels = if template.labels.0.is_empty() { &template.spec.template.labels } else { &template.labels };
        let mut meta = Meta::labelled(&from.namespace, name.clone(), labels, &template.annotations);
        meta.annotate(BY_HAND, "manual");
        let owner =
            NamedOwner { kind: Kind::CronJob, name: from.name.clone(), controller: true, blocks_deletion: false };
        meta.named_owners = Some([owner].into());
        self.create_object(Job { meta, spec: template.spec.clone(), status: JobStatus::default() }, cause)
    }

    /// Starts a Job for a CronJob.
    pub(super) fn start_job(&mut self, job: &Job, cron_job: Key, cause: RecordId) -> Result<Written, ApiError> {
        jobs::check_scheduled(job).map_err(ApiError::Invalid)?;
        let key = self.store.create(job.clone())?;
        self.register(key, Some(cron_job), 0);
        let number = self.recorder.next_number(cron_job.uid);
        self.jobs.entry(key.uid).or_default().number = Some(number);
        self.created::<Job>(key, cause);
        self.announce(cron_job, &Notice::normal("SuccessfulCreate", ["Created job ", &job.meta.name].concat()));
        Ok((key, self.version(key)))
    }

    /// Deletes a Job of a CronJob; its pods are left to the garbage collector.
    pub(super) fn delete_job(&mut self, job: Key, cron_job: Key, cause: RecordId) -> Result<Written, ApiError> {
        let name = self.store.objects().meta(job).ok_or(ApiError::NotFound)?.name.clone();
        let written = self.delete(job, Propagation::Background, cause)?;
        self.announce(cron_job, &Notice::normal("SuccessfulDelete", ["Deleted job ", &name].concat()));
        Ok(written)
    }

    /// Writes a CronJob's status and enters the Job that was started.
    pub(super) fn write_cron_job_status(
        &mut self,
        key: Key,
        version: Option<u64>,
        status: &mut CronJobStatus,
        started: Option<&Started>,
        cause: RecordId,
    ) -> Result<Written, ApiError> {
        if let Some((started, job)) = started.and_then(|s| Some((s, own_job(&self.store, key, &s.job)?))) {
            status.active.push(ActiveJob { uid: job.uid, name: started.job.clone() });
            status.last_schedule = Some(started.scheduled);
        }
        self.write_status::<CronJob>(key, version, status, cause)
    }
}

/// The Job of this name, if the CronJob controls it.
fn own_job(store: &Store, cron_job: Key, name: &Arc<str>) -> Option<Key> {
    let objects = store.objects();
    let job = objects.jobs.find(&objects.meta(cron_job)?.namespace, name)?;
    (objects.meta(job)?.controller() == Some(cron_job)).then_some(job)
}

impl Recorded for CronJob {
    fn fields(fields: &mut impl Fields<Self>) {
        fields.spec(Field::Schedule, |row| Raw::text(&row.spec.schedule));
        fields.spec(Field::TimeZone, |row| row.spec.time_zone.as_deref().map_or(Raw::Absent, Raw::text));
        fields.spec(Field::SpecSuspend, |row| Raw::flag(row.spec.suspend));
        fields.status(Field::Active, |_, status| match &status.active[..] {
            [] => Raw::Absent,
            jobs => Raw::Jobs(jobs),
        });
        fields.status(Field::LastScheduleTime, |_, status| Raw::time(status.last_schedule));
        fields.status(Field::LastSuccessfulTime, |_, status| Raw::time(status.last_successful));
        fields.spec(Field::Image, |row| Raw::image(&row.spec.template.spec.template));
    }
}
