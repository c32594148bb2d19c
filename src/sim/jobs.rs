//! What people do to Jobs.

use super::Simulation;
use super::actions::{Outcome, Refusal, relabel};
use super::fields::{Fields, Raw, Recorded};
use crate::api::{Job, JobConditionType, JobStatus, Key};
use crate::cluster::{ApiError, jobs};
use crate::trace::{Field, RecordId};
use std::sync::Arc;

impl Simulation {
    /// A copy of a stored Job.
    pub(super) fn job(&self, key: Key) -> Result<Job, Refusal> {
        Ok(self.store.objects().jobs.get(key).ok_or(ApiError::NotFound)?.clone())
    }

    /// Replaces the spec of a Job and merges its labels and annotations.
    pub(super) fn write_job(&mut self, key: Key, new: &Job, cause: RecordId) -> Outcome {
        let mut next = self.job(key)?;
        next.spec = new.spec.clone();
        next.meta.labels = relabel(&next.meta.labels, &new.meta.labels);
        let annotations = Arc::make_mut(&mut next.meta.annotations);
        annotations.extend(new.meta.annotations.iter().map(|(k, v)| (k.clone(), v.clone())));
        next.generate_selector();
        if let Some(old) = self.store.objects().jobs.get(key) {
            jobs::check_update(old, &next).map_err(Refusal::invalid)?;
        }
        self.recorded(key, cause, |store| store.update(key, None, |row: &mut Job| *row = next))?;
        Ok(())
    }
}

impl Recorded for Job {
    fn fields(fields: &mut impl Fields<Self>) {
        fields.spec(Field::Parallelism, |row| Raw::Int(row.spec.parallelism.into()));
        fields.spec(Field::Completions, |row| Raw::int(row.spec.completions));
        fields.spec(Field::SpecSuspend, |row| Raw::flag(row.spec.suspend));
        fields.status(Field::Active, |_, status| Raw::count(status.active));
        fields.status(Field::ReadyPods, |_, status| Raw::count(status.ready.unwrap_or(0)));
        fields.status(Field::TerminatingPods, |_, status| Raw::count(status.terminating.unwrap_or(0)));
        fields.status(Field::Succeeded, |_, status| Raw::count(status.succeeded));
        fields.status(Field::FailedPods, |_, status| Raw::count(status.failed));
        fields.status(Field::CompletedIndexes, |_, status| match &status.completed_indexes {
            none if none.is_empty() => Raw::Absent,
            some => Raw::Indexes(some),
        });
        // An empty set of failed indexes is not the same as none at all.
        fields
            .status(Field::FailedIndexes, |_, status| status.failed_indexes.as_ref().map_or(Raw::Absent, Raw::Indexes));
        fields.status(Field::StartTime, |_, status| Raw::time(status.start_time));
        fields.status(Field::CompletionTime, |_, status| Raw::time(status.completion_time));
        fields.status(Field::ConditionComplete, |_, status| condition(status, JobConditionType::Complete));
        fields.status(Field::ConditionFailed, |_, status| condition(status, JobConditionType::Failed));
        fields.status(Field::ConditionFailureTarget, |_, status| condition(status, JobConditionType::FailureTarget));
        fields.status(Field::ConditionSuccessCriteriaMet, |_, status| {
            condition(status, JobConditionType::SuccessCriteriaMet)
        });
        fields.status(Field::ConditionSuspended, |_, status| condition(status, JobConditionType::Suspended));
        fields.spec(Field::Image, |row| Raw::image(&row.spec.template));
        fields.spec(Field::ActiveDeadline, |row| row.spec.active_deadline_seconds.map_or(Raw::Absent, Raw::Int));
        fields.spec(Field::Indexed, |row| Raw::flag(row.spec.indexed));
    }
}

fn condition(status: &JobStatus, kind: JobConditionType) -> Raw<'_> {
    status.condition(kind).map_or(Raw::Absent, |c| Raw::Condition(c.status, &c.reason))
}
