//! The rolling update.

use super::revisions::NewSet;
use super::rules::{Shrink, Size, new_set_size, reconcile_old};
use super::{Pass, Set, Sets, total_replicas};
use crate::controllers::{OnConflict, Version};
use crate::trace::Why;

/// The writes of scaling down; a conflict in one skips the others and the
/// sync goes on.
const SCALE_DOWN_STEP: u8 = 1;

impl<'a> Pass<'a> {
    /// One step of a rolling update: up, or down, or tidy up.
    ///
    /// Upstream: `deployment/rolling.go rolloutRolling`
    pub(super) fn roll_out_rolling(&mut self, sets: &[Set<'a>]) {
        let sets = self.existing_or_new(sets);
        let scaled = self.grow_new(&sets) || self.shrink_old(&sets);
        if !scaled && self.is_complete(&self.deployment.status) {
            self.clean_up_history(&sets.old);
        }
        self.write_rollout_status(&sets);
    }

    /// Upstream: `deployment/rolling.go reconcileNewReplicaSet`
    fn grow_new(&mut self, sets: &Sets<'a>) -> bool {
        let Some(NewSet::Existing(new)) = &sets.new else { return false };
        let (desired, have) = (self.deployment.spec.replicas, new.1.spec.replicas);
        if have == desired {
            return false;
        }
        if have > desired {
            self.plan.because(Why::Scaling { allowed: desired, all: have });
            return self.resize(*new, desired, false);
        }
        let all = total_replicas(sets);
        let size = new_set_size(self.deployment.spec.strategy, desired, have, all);
        self.plan.because(Why::SurgeAllows { all, max_total: desired + self.limits.surge });
        self.resize(*new, size, false)
    }

    /// Upstream: `deployment/rolling.go reconcileOldReplicaSets`
    fn shrink_old(&mut self, sets: &Sets<'a>) -> bool {
        let Some(new) = &sets.new else { return false };
        let active: Vec<Set<'a>> = sets.old.iter().filter(|(_, set)| set.spec.replicas > 0).copied().collect();
        if active.is_empty() {
            return false;
        }
        let new = Size { replicas: new.replicas(), available: new.status().available };
        let (desired, max_unavailable) = (self.deployment.spec.replicas, self.limits.unavailable);
        let sizes: Vec<Size> = active
            .iter()
            .map(|(_, set)| Size { replicas: set.spec.replicas, available: set.status.available })
            .collect();
        let steps = reconcile_old(desired, max_unavailable, new, &sizes);
        let (all, min_available) = (total_replicas(sets), desired - max_unavailable);
        let new_unavailable = new.replicas - new.available;
        self.plan.because(Why::ScaleDownBudget { all, min_available, new_unavailable });
        for shrink in &steps.unhealthy {
            self.shrink(&active, *shrink, false);
        }
        for shrink in &steps.healthy {
            let again = steps.unhealthy.iter().any(|first| first.index == shrink.index);
            self.shrink(&active, *shrink, again);
        }
        if all - min_available - new_unavailable > 0 && !steps.scaled {
            let available = sizes.iter().map(|size| size.available).sum::<i32>() + new.available;
            self.plan.because(Why::TooFewAvailable { available, min_available });
        }
        steps.scaled
    }

    fn shrink(&mut self, sets: &[Set<'a>], shrink: Shrink, again: bool) {
        let set = sets[shrink.index];
        let version = if again { Version::Returned } else { Version::Cached(set.1.meta.resource_version) };
        let on_conflict = OnConflict::SkipStep(SCALE_DOWN_STEP);
        self.resize_from(set, shrink.from, shrink.to, version, false, on_conflict);
    }
}
