//! As many pods as the Job wants now.

use super::policies::judge;
use super::sync::{Pass, kept_places};
use super::{BATCH, Entry, backoff, indexes, removal_order, replaces_only_failed};
use crate::api::{Finalizers, Job, OwnerRef, PodIndex};
use crate::controllers::{NewPod, PodMark, PodName, Version, Write};
use crate::sort::go_sort;
use crate::time::Span;
use crate::trace::Why;
use std::sync::Arc;

/// The most pods that one sync creates or deletes.
///
/// Upstream: `job/job_controller.go MaxPodCreateDeletePerSync`
const MOST_PER_SYNC: usize = 500;

/// The longest beginning of a generated name.
///
/// Upstream: `staging/src/k8s.io/apiserver/pkg/storage/names/generate.go MaxGeneratedNameLength`
const LONGEST_PREFIX: usize = 58;

/// How many pods shall be active: as many as may run at a time, but no more
/// than there is work left. Once a pod of a work queue has succeeded, what
/// runs runs on and nothing is begun.
///
/// Upstream: `job/job_controller.go manageJob`
#[must_use]
fn wanted(parallelism: i32, completions: Option<i32>, succeeded: i32, active: i32) -> i32 {
    match completions {
        None if succeeded > 0 => active,
        None => parallelism,
        Some(completions) => (completions - succeeded).min(parallelism).max(0),
    }
}

impl<'a> Pass<'a> {
    /// Creates or deletes pods, but never both in one sync.
    ///
    /// Upstream: `job/job_controller.go manageJob`
    pub(super) fn manage(&mut self) {
        let spec = &self.job.spec;
        if spec.suspend {
            if self.active > 0 {
                self.plan.because(Why::JobSuspended);
            }
            let doomed = self.too_many(self.active_pods.len());
            self.delete(&doomed);
            return;
        }
        let want = wanted(spec.parallelism, spec.completions, self.succeeded, self.active);
        let mut doomed = self.too_many((self.active - want).max(0) as usize);
        doomed.truncate(MOST_PER_SYNC);
        if !doomed.is_empty() {
            self.plan.because(Why::JobTooManyPods { have: self.active, want });
            self.delete(&doomed);
            return;
        }
        let missing = want - kept_places(self.job, self.terminating) - self.active;
        if missing > 0 {
            self.create((missing as usize).min(MOST_PER_SYNC), want);
        }
    }

    /// The pods to remove: those that an index has too many of, and then as
    /// many as it takes.
    ///
    /// Upstream: `job/job_controller.go activePodsForRemoval`
    fn too_many(&mut self, at_least: usize) -> Vec<Entry<'a>> {
        let completions = self.completions();
        let (mut doomed, mut left) = match self.job.spec.indexed {
            true => indexes::split_duplicates(&mut self.active_pods, completions),
            false if at_least == 0 => return Vec::new(),
            false => (Vec::new(), self.active_pods.clone()),
        };
        if doomed.len() < at_least {
            go_sort(&mut left, |(_, a), (_, b)| removal_order(a, b).is_lt());
            left.truncate(at_least - doomed.len());
            doomed.append(&mut left);
        }
        doomed
    }

    /// Deletes pods without counting them.
    ///
    /// Upstream: `job/job_controller.go deleteJobPods`
    fn delete(&mut self, doomed: &[Entry<'a>]) {
        // Upstream counts deletions of whichever pods.
        self.controller.expectations.expect_counts(self.key, 0, doomed.len(), self.view.monotonic);
        let owner = self.key;
        let mut discarded: Vec<_> = doomed.iter().map(|(pod, _)| pod.uid).collect();
        discarded.sort_unstable();
        self.in_hand().discarded = discarded;
        let held: Vec<_> =
            doomed.iter().filter(|(_, pod)| self.is_tracked(pod)).map(|&(pod, _)| release(pod)).collect();
        self.plan.batch(held);
        self.plan.batch(doomed.iter().map(|&(pod, _)| Write::DeletePod { pod, owner }));
        let removed = doomed.len() as i32;
        self.active -= removed;
        self.terminating += removed;
        self.ready -= doomed.iter().filter(|(_, pod)| pod.ready).count() as i32;
    }

    /// Creates pods, unless recent failures are to be waited for. While it
    /// waits, the status says that no pod is active, whatever runs.
    fn create(&mut self, missing: usize, want: i32) {
        let per_index = self.job.spec.backoff_limit_per_index.is_some();
        let wait = if per_index { Span::ZERO } else { self.backoff.remaining(self.view.now) };
        if wait > Span::ZERO {
            return self.wait(wait);
        }
        let mut indexes = Vec::new();
        let mut missing = missing;
        if self.job.spec.indexed {
            indexes = indexes::first_pending(missing, self.completions(), &self.taken_indexes());
            if per_index {
                let wait = self.drop_waiting(&mut indexes);
                if wait > Span::ZERO {
                    return self.wait(wait);
                }
            }
            missing = indexes.len();
        }
        self.controller.expectations.expect_creations(self.key, missing, self.view.monotonic);
        if missing > 0 {
            self.plan.because(Why::JobTooFewPods { have: self.active, want });
        }
        self.active += missing as i32;
        let pods: Vec<Arc<NewPod>> = if self.job.spec.indexed {
            indexes.iter().map(|&index| Arc::new(self.new_pod(Some(index)))).collect()
        } else {
            // All alike, so they share what they are made from.
            let pod = Arc::new(self.new_pod(None));
            std::iter::repeat_n(pod, missing).collect()
        };
        self.create_slowly(&pods);
    }

    fn wait(&mut self, wait: Span) {
        self.plan.because(Why::JobBackoff { seconds: (wait.as_ms() / 1000) as i32 });
        self.queue.add_after(self.key, wait.max(BATCH));
        self.active = 0;
    }

    fn taken_indexes(&self) -> crate::api::Indexes {
        let mut taken = self.succeeded_indexes.with(&indexes::of_pods(&self.active_pods));
        if replaces_only_failed(self.job) {
            taken = taken.with(&indexes::of_pods(self.pods.iter().filter(|(_, pod)| pod.is_terminating())));
        }
        match &self.failed_indexes {
            Some(failed) => taken.with(failed),
            None => taken,
        }
    }

    /// Leaves out the indexes that must wait for their last failure. If none
    /// is left, answers how long the first of them waits.
    ///
    /// Upstream: `job/job_controller.go getPodCreationInfoForIndependentIndexes`
    fn drop_waiting(&self, indexes: &mut Vec<u32>) -> Span {
        let now = self.view.now;
        let wait = |index: &u32| {
            self.predecessors.get(index).map_or(Span::ZERO, |(_, pod)| {
                let failures = pod.index.map_or(0, |i| i.failures + i.ignored_failures) + 1;
                backoff::remaining(failures, backoff::finished_at(pod), now)
            })
        };
        let shortest = indexes.iter().map(wait).filter(|wait| *wait > Span::ZERO).min();
        indexes.retain(|index| wait(index) == Span::ZERO);
        if indexes.is_empty() { shortest.unwrap_or(Span::ZERO) } else { Span::ZERO }
    }

    fn new_pod(&self, index: Option<u32>) -> NewPod {
        let name = &self.job.meta.name;
        let (name_prefix, index) = match index {
            None => ([&**name, "-"].concat(), None),
            Some(index) => {
                let suffix = format!("-{index}-");
                let kept = name.len().min(LONGEST_PREFIX - suffix.len());
                (format!("{}{suffix}", &name[..kept]), Some(self.pod_index(index)))
            }
        };
        NewPod {
            owner: OwnerRef { key: self.key, controller: true, blocks_deletion: true },
            namespace: self.job.meta.namespace.clone(),
            name: PodName::Prefix(name_prefix.into()),
            mark: index.map_or(PodMark::Count, |index| PodMark::Number(index.index)),
            labels: self.job.spec.template.labels.clone(),
            template: self.job.spec.template.clone(),
            revision: None,
            claims: None,
            pinned: None,
            finalizers: Finalizers::JOB_TRACKING,
            index,
        }
    }

    /// What a new pod is told of its index.
    ///
    /// Upstream: `job/indexed_job_utils.go getNewIndexFailureCounts`
    fn pod_index(&self, index: u32) -> PodIndex {
        let new = PodIndex { index, failures: 0, ignored_failures: 0 };
        let Some((_, before)) = self.predecessors.get(&index) else { return new };
        let old = before.index.unwrap_or(new);
        let counts = judge(policy(self.job), before).counts();
        PodIndex {
            index,
            failures: old.failures + i32::from(counts),
            ignored_failures: old.ignored_failures + i32::from(!counts),
        }
    }

    /// Plans creations in batches of 1, 2, 4, …: if pods cannot be created,
    /// few are tried in vain.
    fn create_slowly(&mut self, pods: &[Arc<NewPod>]) {
        let (mut left, mut size) = (pods, 1);
        while !left.is_empty() {
            let (batch, rest) = left.split_at(size.min(left.len()));
            self.plan.batch(batch.iter().cloned().map(Write::CreatePod));
            left = rest;
            size *= 2;
        }
    }
}

const fn policy(job: &Job) -> Option<&Arc<[crate::api::FailureRule]>> {
    job.spec.pod_failure_policy.as_ref()
}

/// Takes the finalizer off a pod.
pub(super) const fn release(pod: crate::api::Key) -> Write {
    Write::RemoveFinalizer { object: pod, version: Version::Any, finalizer: Finalizers::JOB_TRACKING }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_pods_as_there_is_work() {
        for (parallelism, completions, succeeded, active, want) in [
            (3, Some(5), 0, 0, 3),
            (3, Some(5), 4, 1, 1),
            (3, Some(5), 6, 0, 0),
            (0, Some(5), 1, 2, 0),
            (3, None, 0, 1, 3),
            (3, None, 1, 2, 2),
        ] {
            assert_eq!(wanted(parallelism, completions, succeeded, active), want);
        }
    }
}
