//! What people do to Jobs.

use super::Simulation;
use super::actions::{Outcome, Refusal, relabel};
use super::fields::{Raw, Recorded};
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
    fn fields<'a>(&'a self, status: &'a Self::Status) -> impl Iterator<Item = (Field, Raw<'a>)> {
        [
            (Field::Parallelism, Raw::Int(self.spec.parallelism.into())),
            (Field::Completions, Raw::int(self.spec.completions)),
            (Field::SpecSuspend, Raw::flag(self.spec.suspend)),
            (Field::Active, Raw::count(status.active)),
            (Field::ReadyPods, Raw::count(status.ready.unwrap_or(0))),
            (Field::TerminatingPods, Raw::count(status.terminating.unwrap_or(0))),
            (Field::Succeeded, Raw::count(status.succeeded)),
            (Field::FailedPods, Raw::count(status.failed)),
            (
                Field::CompletedIndexes,
                match &status.completed_indexes {
                    none if none.is_empty() => Raw::Absent,
                    some => Raw::Indexes(some),
                },
            ),
            // An empty set of failed indexes is not the same as none at all.
            (Field::FailedIndexes, status.failed_indexes.as_ref().map_or(Raw::Absent, Raw::Indexes)),
            (Field::StartTime, Raw::time(status.start_time)),
            (Field::CompletionTime, Raw::time(status.completion_time)),
            (Field::ConditionComplete, condition(status, JobConditionType::Complete)),
            (Field::ConditionFailed, condition(status, JobConditionType::Failed)),
            (Field::ConditionFailureTarget, condition(status, JobConditionType::FailureTarget)),
            (Field::ConditionSuccessCriteriaMet, condition(status, JobConditionType::SuccessCriteriaMet)),
            (Field::ConditionSuspended, condition(status, JobConditionType::Suspended)),
            (Field::Image, Raw::image(&self.spec.template)),
            (Field::ActiveDeadline, self.spec.active_deadline_seconds.map_or(Raw::Absent, Raw::Int)),
            (Field::Indexed, Raw::flag(self.spec.indexed)),
        ]
        .into_iter()
    }
}

fn condition(status: &JobStatus, kind: JobConditionType) -> Raw<'_> {
    status.condition(kind).map_or(Raw::Absent, |c| Raw::Condition(c.status, &c.reason))
}
