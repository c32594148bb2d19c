//! What a controller still expects to see of its own writes.
//!
//! Caches lag, so a controller that counted pods right after creating some
//! would create them again. It waits until its watch has shown what it did.

use crate::api::{Key, KeyMap, Uid};
use crate::time::Instant;
use rustc_hash::FxHashSet;

/// How long an expectation is waited for, in seconds.
///
/// Upstream: `controller_utils.go ExpectationsTimeout`
const TIMEOUT_SECONDS: i64 = 5 * 60;

#[derive(Clone, Debug)]
struct Expected {
    creations: i64,
    deletions: FxHashSet<Uid>,
    /// Deletions of whichever pods.
    any_deletions: i64,
    since: Instant,
}

/// Outstanding creations and deletions, by owner.
#[derive(Clone, Debug, Default)]
pub struct Expectations {
    by_owner: KeyMap<Expected>,
}

impl Expectations {
    /// This many creations will be seen.
    pub fn expect_creations(&mut self, owner: Key, count: usize, now: Instant) {
        let creations = count as i64;
        self.by_owner
            .insert(owner, Expected { creations, deletions: FxHashSet::default(), any_deletions: 0, since: now });
    }

    /// These deletions will be seen.
    pub fn expect_deletions(&mut self, owner: Key, pods: impl Iterator<Item = Uid>, now: Instant) {
        self.by_owner.insert(owner, Expected { creations: 0, deletions: pods.collect(), any_deletions: 0, since: now });
    }

    /// This many creations and deletions will be seen, of whichever pods.
    pub fn expect_counts(&mut self, owner: Key, creations: usize, deletions: usize, now: Instant) {
        let (creations, any_deletions) = (creations as i64, deletions as i64);
        self.by_owner.insert(owner, Expected { creations, deletions: FxHashSet::default(), any_deletions, since: now });
    }

    /// A creation was seen, or will not come.
    pub fn creation_observed(&mut self, owner: Key) {
        if let Some(expected) = self.by_owner.get_mut(owner) {
            expected.creations -= 1;
        }
    }

    /// A deletion was seen, or will not come.
    pub fn deletion_observed(&mut self, owner: Key, pod: Uid) {
        if let Some(expected) = self.by_owner.get_mut(owner) {
            expected.deletions.remove(&pod);
            expected.any_deletions -= 1;
        }
    }

    /// Whether everything has been seen, or waited for too long.
    ///
    /// Upstream: `controller_utils.go SatisfiedExpectations`
    pub fn satisfied(&self, owner: Key, now: Instant) -> bool {
        self.by_owner.get(owner).is_none_or(|expected| {
            (expected.creations <= 0 && expected.any_deletions <= 0 && expected.deletions.is_empty())
                || now > expected.since.plus_seconds(TIMEOUT_SECONDS)
        })
    }

    /// The owner has come again under its name before anybody noticed that it
    /// was gone: what was expected of the old one is expected of the new one.
    pub fn rename(&mut self, old: Key, new: Key) {
        if let Some(expected) = self.by_owner.remove(old) {
            self.by_owner.insert(new, expected);
        }
    }

    /// The owner is gone.
    pub fn forget(&mut self, owner: Key) {
        self.by_owner.remove(owner);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Kind;

    #[test]
    fn an_owner_waits_for_what_it_did_but_not_for_ever() {
        let owner = Key { kind: Kind::ReplicaSet, slot: 0, uid: Uid(1) };
        let start = Instant(0);
        let mut expectations = Expectations::default();
        assert!(expectations.satisfied(owner, start));
        expectations.expect_creations(owner, 2, start);
        expectations.creation_observed(owner);
        assert!(!expectations.satisfied(owner, start.plus_seconds(300)));
        assert!(expectations.satisfied(owner, start.plus_seconds(301)));
        expectations.creation_observed(owner);
        assert!(expectations.satisfied(owner, start));
        expectations.expect_deletions(owner, [Uid(7)].into_iter(), start);
        expectations.deletion_observed(owner, Uid(8));
        assert!(!expectations.satisfied(owner, start));
        expectations.deletion_observed(owner, Uid(7));
        assert!(expectations.satisfied(owner, start));
    }
}
