//! Sets pods free that no Job will ever count.

use super::{is_managed_elsewhere, is_tracked};
use crate::api::{Finalizers, Key, Kind, Meta};
use crate::cluster::{ApiError, Change, Verb};
use crate::controllers::{Controller, Plan, Reaction, SyncError, Version, View, WorkQueue, Write};
use crate::time::Span;

/// The part of the Job controller with a queue of its own, for pods whose Job
/// is gone or finished. It remembers nothing.
#[derive(Clone, Debug, Default)]
pub struct OrphanPods;

impl Controller for OrphanPods {
    fn kind(&self) -> Kind {
        Kind::Pod
    }

    fn watches(&self, kind: Kind) -> bool {
        matches!(kind, Kind::Job | Kind::Pod)
    }

    fn observe(&mut self, change: &Change, view: View<'_>, queue: &mut WorkQueue) {
        if change.key.kind == Kind::Job {
            let over = match change.verb {
                Verb::Added => false,
                Verb::Modified => super::is_finished(change.key, view),
                Verb::Deleted => true,
            };
            if over {
                queue.add(change.key);
            }
            return;
        }
        let tracked = change.finalizers.has(Finalizers::JOB_TRACKING);
        let uncared_for = match change.owner {
            None => change.verb != Verb::Deleted || change.deleting,
            Some(job) => change.deleting && is_uncounted(job, view),
        };
        if tracked && uncared_for {
            queue.add(change.key);
        }
    }

    /// Upstream: `job/job_controller.go syncOrphanPod`
    fn sync(&mut self, key: Key, view: View<'_>, plan: &mut Plan, _queue: &mut WorkQueue) -> Result<(), SyncError> {
        let pods: Vec<(Key, &Meta)> = if key.kind == Kind::Pod {
            view.cache.pods.get(key).filter(|pod| is_tracked(pod)).map(|pod| (key, &pod.meta)).into_iter().collect()
        } else {
            let pods = view.cache.pods_of(key).filter(|(_, pod)| is_tracked(pod));
            pods.map(|(pod_key, pod)| (pod_key, &pod.meta)).collect()
        };
        for (pod, meta) in pods {
            if meta.controller().is_none_or(|owner| is_uncounted(owner, view)) {
                plan.write(Write::RemoveFinalizer {
                    object: pod,
                    version: Version::Any,
                    finalizer: Finalizers::JOB_TRACKING,
                });
            }
        }
        Ok(())
    }

    /// Jobs are keys by their selector, which has their UID in it.
    fn keys_are_names(&self) -> bool {
        false
    }

    fn failed(&mut self, _key: Key, _write: &Write, error: &ApiError, _view: View<'_>, _plan: &mut Plan) -> Reaction {
        Reaction::unless_gone(error)
    }

    fn new_queue(&self) -> WorkQueue {
        WorkQueue::with_retries(Span::from_secs(1), Span::from_secs(60))
    }

    fn boxed_clone(&self) -> Box<dyn Controller + Send + Sync> {
        Box::new(self.clone())
    }
}

/// Whether an owner of pods is a Job that will not count them: it is gone or
/// finished.
fn is_uncounted(owner: Key, view: View<'_>) -> bool {
    owner.kind == Kind::Job
        && view.cache.jobs.get(owner).is_none_or(|job| !is_managed_elsewhere(job) && job.status.finished().is_some())
}
