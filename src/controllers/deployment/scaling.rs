//! Sizing ReplicaSets, and scaling a Deployment as a whole.

use super::revisions::NewSet;
use super::rules::{self, Share};
use super::{Pass, Set, Sets};
use crate::controllers::{OnConflict, Version, Write};
use crate::trace::Why;

impl<'a> Pass<'a> {
    /// Whether `spec.replicas` changed since a ReplicaSet with pods was last
    /// sized. Scaling comes before rolling out, so an update that changes
    /// both the template and the number first makes more old pods.
    ///
    /// Upstream: `deployment/sync.go isScalingEvent`
    pub(super) fn is_scaling_event(&mut self, sets: &[Set<'a>]) -> bool {
        self.existing(sets);
        let desired = self.deployment.spec.replicas;
        sets.iter()
            .filter(|(_, set)| set.spec.replicas > 0)
            .any(|(_, set)| set.marks.desired_replicas.is_some_and(|noted| noted != desired))
    }

    /// Scales without rolling out: while paused, or when only the number
    /// changed.
    ///
    /// Upstream: `deployment/sync.go sync`
    pub(super) fn scale_only(&mut self, sets: &[Set<'a>]) {
        let sets = self.existing(sets);
        self.scale(&sets);
        if self.deployment.spec.paused && self.deployment.spec.rollback_to.is_none() {
            self.clean_up_history(&sets.old);
        }
        self.write_plain_status(&sets);
    }

    /// Upstream: `deployment/sync.go scale`
    fn scale(&mut self, sets: &Sets<'a>) {
        let (desired, strategy) = (self.deployment.spec.replicas, self.deployment.spec.strategy);
        let new = match &sets.new {
            Some(NewSet::Existing(set)) => Some(*set),
            _ => None,
        };
        let all: Vec<Set<'a>> = sets.old.iter().copied().chain(new).collect();
        let shares: Vec<Share> = all
            .iter()
            .enumerate()
            .map(|(created, (key, set))| Share {
                replicas: set.spec.replicas,
                available: set.status.available,
                desired_before: set.marks.desired_replicas,
                max_before: set.marks.max_replicas,
                created: created as u32,
                is_new: new.is_some_and(|(new, _)| new == *key),
            })
            .collect();
        let total = shares.iter().map(|share| share.replicas).sum();
        let allowed = rules::most_pods(desired, self.limits.surge);
        let scaling = rules::scale(&shares, strategy, desired, self.status.replicas);
        self.plan.because(Why::Scaling { allowed, all: total });
        for (index, size) in scaling.sizes {
            self.resize(all[index], size, scaling.force);
        }
    }

    /// Plans a new size for a ReplicaSet, with the notes that go with it.
    /// `force` writes the notes even if the size is right. Answers whether
    /// the size changes.
    ///
    /// Upstream: `deployment/sync.go scaleReplicaSet`
    pub(super) fn resize(&mut self, set: Set<'a>, size: i32, force: bool) -> bool {
        let version = Version::Cached(set.1.meta.resource_version);
        self.resize_from(set, set.1.spec.replicas, size, version, force, OnConflict::Fail)
    }

    pub(super) fn resize_from(
        &mut self,
        (key, set): Set<'a>,
        from: i32,
        to: i32,
        version: Version,
        force: bool,
        on_conflict: OnConflict,
    ) -> bool {
        let marks = self.size_marks(Some(set));
        if from == to && !(force && marks != set.marks) {
            return false;
        }
        self.plan.write(Write::ScaleReplicaSet {
            set: key,
            version,
            from,
            to,
            marks,
            deployment: self.key,
            on_conflict,
        });
        from != to
    }
}
