//! Deletes Jobs that have been finished for long enough.

use super::{Controller, Plan, Reaction, SyncError, View, WorkQueue, Write};
use crate::api::{Job, Key, Kind, Propagation};
use crate::cluster::{ApiError, Change, Verb};
use crate::time::{Instant, Span};
use crate::trace::Why;

/// The controller of `spec.ttlSecondsAfterFinished`; it remembers nothing.
#[derive(Clone, Debug, Default)]
pub struct TtlAfterFinished;

impl Controller for TtlAfterFinished {
    fn kind(&self) -> Kind {
        Kind::Job
    }

    fn watches(&self, kind: Kind) -> bool {
        kind == Kind::Job
    }

    fn observe(&mut self, change: &Change, view: View<'_>, queue: &mut WorkQueue) {
        let job = view.cache.jobs.get(change.key).filter(|_| change.verb != Verb::Deleted);
        if job.and_then(expires_at).is_some() {
            queue.add(change.key);
        }
    }

    /// Upstream: `ttlafterfinished/ttlafterfinished_controller.go processJob`
    fn sync(&mut self, key: Key, view: View<'_>, plan: &mut Plan, queue: &mut WorkQueue) -> Result<(), SyncError> {
        // The cache may not know yet that the Job shall live longer.
        for (objects, live) in [(view.cache, false), (view.live, true)] {
            if live && !view.answers {
                return Err(SyncError::Unavailable);
            }
            let Some(at) = objects.jobs.get(key).and_then(expires_at) else { return Ok(()) };
            let left = at.nanos_since(view.now);
            if left > 0 {
                queue.add_after(key, Span::from_ns(left as u64));
                return Ok(());
            }
        }
        plan.because(Why::TtlExpired);
        plan.write(Write::Delete { object: key, propagation: Propagation::Foreground });
        Ok(())
    }

    fn failed(&mut self, _key: Key, _write: &Write, error: &ApiError, _view: View<'_>, _plan: &mut Plan) -> Reaction {
        Reaction::unless_gone(error)
    }

    /// Upstream: `cmd/kube-controller-manager/app/options` `--concurrent-ttl-after-finished-syncs`
    fn workers(&self) -> u8 {
        5
    }

    fn boxed_clone(&self) -> Box<dyn Controller + Send + Sync> {
        Box::new(self.clone())
    }
}

/// When a Job's time is up, if it is finished, has a time to live and is not
/// being deleted already. The time counts from the whole second in which the
/// Job was finished.
///
/// Upstream: `ttlafterfinished/ttlafterfinished_controller.go needsCleanup`, `timeLeft`
#[must_use]
pub fn expires_at(job: &Job) -> Option<Instant> {
    let ttl = job.spec.ttl_seconds_after_finished.filter(|_| !job.meta.is_deleting())?;
    Some(job.status.finished()?.since.instant().plus_seconds(ttl.into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{ConditionStatus, Deletion, JobCondition, JobConditionType, Object};
    use crate::time::Timestamp;
    use serde_json::json;

    #[test]
    fn only_a_finished_job_has_its_days_numbered() {
        let document = json!({
            "apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "work"},
            "spec": {
                "ttlSecondsAfterFinished": 30,
                "template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "a", "image": "b"}]}},
            },
        });
        let Ok(Object::Job(mut job)) = crate::manifest::read(&document).map(|l| l.object) else {
            panic!("expected a Job");
        };
        assert_eq!(expires_at(&job), None);
        job.status.conditions.push(JobCondition {
            kind: JobConditionType::Failed,
            status: ConditionStatus::True,
            reason: "".into(),
            message: "".into(),
            since: Timestamp(100),
        });
        assert_eq!(expires_at(&job), Some(Timestamp(130).instant()));
        job.meta.deletion = Some(Deletion { at: Timestamp(110), grace_seconds: 0 });
        assert_eq!(expires_at(&job), None);
    }
}
