//! The Recreate strategy: first all old pods go, then the new ones come.

use super::revisions::NewSet;
use super::{Pass, Set, Sets};
use crate::trace::Why;

impl<'a> Pass<'a> {
    /// Upstream: `deployment/recreate.go rolloutRecreate`
    pub(super) fn roll_out_recreate(&mut self, all: &[Set<'a>]) {
        let mut sets = self.existing(all);
        if self.stop_old(&sets) {
            return self.write_rollout_status(&sets);
        }
        if self.old_pods_exist(&sets) {
            self.plan.because(Why::RecreateWaits);
            return self.write_rollout_status(&sets);
        }
        if sets.new.is_none() {
            sets = self.existing_or_new(all);
        }
        if let Some(NewSet::Existing(new)) = &sets.new {
            let desired = self.deployment.spec.replicas;
            if new.1.spec.replicas != desired {
                self.plan.because(Why::Scaling { allowed: desired, all: new.1.spec.replicas });
                self.resize(*new, desired, false);
            }
        }
        if self.is_complete(&self.deployment.status) {
            self.clean_up_history(&sets.old);
        }
        self.write_rollout_status(&sets);
    }

    fn stop_old(&mut self, sets: &Sets<'a>) -> bool {
        let active: Vec<Set<'a>> = sets.old.iter().filter(|(_, set)| set.spec.replicas > 0).copied().collect();
        if !active.is_empty() {
            self.plan.because(Why::RecreateStops);
        }
        let mut stopped = false;
        for set in active {
            stopped |= self.resize(set, 0, false);
        }
        stopped
    }

    /// Whether a pod of an old ReplicaSet is still there. Terminating pods
    /// count: one that is stuck on a lost node holds the new version up.
    ///
    /// Upstream: `deployment/recreate.go oldPodsRunning`
    fn old_pods_exist(&self, sets: &Sets<'a>) -> bool {
        sets.old.iter().any(|(_, set)| set.status.replicas > 0)
            || sets.old.iter().any(|(key, _)| self.view.cache.pods_of(*key).any(|(_, pod)| !pod.is_finished()))
    }
}
