//! What people do to Jobs.

use super::Simulation;
use super::actions::{Outcome, Refusal, relabel};
use super::record::{Fields, Raw};
use crate::api::{Job, JobConditionType, Key};
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

/// The recorded fields of a Job.
pub(super) fn fields(job: &Job) -> Fields {
    let (spec, status) = (&job.spec, &job.status);
    let condition = |kind: JobConditionType| {
        status.condition(kind).map_or(Raw::Absent, |c| Raw::Condition(c.status, c.reason.clone()))
    };
    // An empty set of failed indexes is not the same as none at all.
    let failed_indexes = status.failed_indexes.as_ref();
    let completed_indexes = match &status.completed_indexes {
        none if none.is_empty() => Raw::Absent,
        some => Raw::text(&some.to_string()),
    };
    vec![
        (Field::Parallelism, Raw::Int(spec.parallelism.into())),
        (Field::Completions, spec.completions.map_or(Raw::Absent, |n| Raw::Int(n.into()))),
        (Field::SpecSuspend, Raw::flag(spec.suspend)),
        (Field::Active, Raw::count(status.active)),
        (Field::ReadyPods, Raw::count(status.ready.unwrap_or(0))),
        (Field::TerminatingPods, Raw::count(status.terminating.unwrap_or(0))),
        (Field::Succeeded, Raw::count(status.succeeded)),
        (Field::FailedPods, Raw::count(status.failed)),
        (Field::CompletedIndexes, completed_indexes),
        (Field::FailedIndexes, failed_indexes.map_or(Raw::Absent, |i| Raw::Text(i.to_string().into()))),
        (Field::StartTime, Raw::time(status.start_time)),
        (Field::CompletionTime, Raw::time(status.completion_time)),
        (Field::ConditionComplete, condition(JobConditionType::Complete)),
        (Field::ConditionFailed, condition(JobConditionType::Failed)),
        (Field::ConditionFailureTarget, condition(JobConditionType::FailureTarget)),
        (Field::ConditionSuccessCriteriaMet, condition(JobConditionType::SuccessCriteriaMet)),
        (Field::ConditionSuspended, condition(JobConditionType::Suspended)),
        (Field::Deleting, Raw::flag(job.meta.is_deleting())),
        (Field::Image, Raw::Image(spec.template.clone())),
        (Field::ActiveDeadline, spec.active_deadline_seconds.map_or(Raw::Absent, Raw::Int)),
        (Field::Indexed, Raw::flag(spec.indexed)),
    ]
}
