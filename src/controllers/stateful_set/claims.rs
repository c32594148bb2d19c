//! Who owns a pod's claims, so that the garbage collector takes them along or
//! leaves them.

use crate::api::{ClaimRetention, Key, Kind, OwnerRef, Retention};

/// A claim's pod and StatefulSet, and whether the pod is beyond the
/// StatefulSet's size.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place {
    /// The StatefulSet.
    pub set: Key,
    /// The pod; `None` if it is not there yet.
    pub pod: Option<Key>,
    /// Whether the pod is to be scaled away.
    pub condemned: bool,
    /// What the StatefulSet wants of its claims.
    pub retention: ClaimRetention,
}

impl Place {
    /// Whether a reference is to this StatefulSet or this pod.
    fn is_us(&self, owner: &OwnerRef) -> bool {
        owner.key == self.set || Some(owner.key) == self.pod
    }

    /// Who should own the claim. A claim that is to go with its StatefulSet
    /// is owned by it, one that is to go with its pod by the pod, but by that
    /// only once the pod is condemned: a pod that is merely replaced must
    /// find its claim again.
    ///
    /// Upstream: `statefulset/stateful_set_utils.go updateClaimOwnerRefForSetAndPod`
    #[must_use]
    pub fn wanted_owner(&self) -> Option<Key> {
        match (self.retention.when_scaled, self.retention.when_deleted) {
            (Retention::Delete, _) if self.condemned => self.pod,
            (_, Retention::Delete) => Some(self.set),
            (_, Retention::Retain) => None,
        }
    }
}

/// Whether a claim belongs to a pod of the same name that is gone. It will be
/// deleted any moment, so no new pod may begin to use it. References are by
/// UID; a claim's name has its pod's and its StatefulSet's name in it, so any
/// other pod among its owners is an earlier one.
///
/// Upstream: `statefulset/stateful_pod_control.go PodClaimIsStale`
#[must_use]
pub fn is_stale(owners: &[OwnerRef], place: &Place) -> bool {
    place.retention.when_scaled == Retention::Delete && has_stale(owners, Kind::Pod, place.pod)
}

fn has_stale(owners: &[OwnerRef], kind: Kind, now: Option<Key>) -> bool {
    owners.iter().any(|owner| owner.key.kind == kind && Some(owner.key) != now)
}

/// Whether somebody else manages the claim. That is no concern of a
/// StatefulSet that retains its claims anyway.
///
/// Upstream: `statefulset/stateful_set_utils.go hasUnexpectedController`
#[must_use]
pub fn has_unexpected_controller(owners: &[OwnerRef], place: &Place) -> bool {
    if place.retention == ClaimRetention::default() {
        return false;
    }
    owners
        .iter()
        .filter(|owner| !place.is_us(owner))
        .any(|owner| owner.controller || matches!(owner.key.kind, Kind::Pod | Kind::StatefulSet))
}

/// The owners that a claim should have instead of the ones that it has, or
/// `None` if it may stay as it is. What other controllers have done to a
/// claim is left alone.
///
/// Upstream: `statefulset/stateful_set_utils.go isClaimOwnerUpToDate`,
/// `updateClaimOwnerRefForSetAndPod`
#[must_use]
pub fn corrected_owners(owners: &[OwnerRef], place: &Place) -> Option<Vec<OwnerRef>> {
    if has_stale(owners, Kind::StatefulSet, Some(place.set)) || has_stale(owners, Kind::Pod, place.pod) {
        return None;
    }
    let mut others: Vec<OwnerRef> = owners.iter().copied().filter(|owner| !place.is_us(owner)).collect();
    let ours = owners.len() - others.len();
    if has_unexpected_controller(owners, place) {
        return (ours > 0).then_some(others);
    }
    let wanted = place.wanted_owner();
    let controlled = |key| owners.iter().any(|owner| owner.key == key && owner.controller);
    let fits = match wanted {
        Some(key) => ours == 1 && controlled(key),
        None => ours == 0,
    };
    if fits {
        return None;
    }
    others.extend(wanted.map(|key| OwnerRef { key, controller: true, blocks_deletion: true }));
    Some(others)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Uid;

    const fn key(kind: Kind, n: u32) -> Key {
        Key { kind, slot: n, uid: Uid(n) }
    }

    const SET: Key = key(Kind::StatefulSet, 1);
    const POD: Key = key(Kind::Pod, 2);
    const OLD_POD: Key = key(Kind::Pod, 3);
    const OTHER: Key = key(Kind::Deployment, 4);

    fn owned(by: &[Key]) -> Vec<OwnerRef> {
        by.iter().map(|&key| OwnerRef { key, controller: true, blocks_deletion: true }).collect()
    }

    fn place(when_scaled: Retention, when_deleted: Retention, condemned: bool) -> Place {
        Place { set: SET, pod: Some(POD), condemned, retention: ClaimRetention { when_deleted, when_scaled } }
    }

    #[test]
    fn a_claim_is_owned_by_whom_it_shall_go_with() {
        use Retention::{Delete, Retain};
        for (scaled, deleted, condemned, expected) in [
            (Retain, Retain, false, None),
            (Retain, Retain, true, None),
            (Retain, Delete, false, Some(SET)),
            (Retain, Delete, true, Some(SET)),
            (Delete, Retain, false, None),
            (Delete, Retain, true, Some(POD)),
            (Delete, Delete, false, Some(SET)),
            (Delete, Delete, true, Some(POD)),
        ] {
            let place = place(scaled, deleted, condemned);
            assert_eq!(place.wanted_owner(), expected, "{place:?}");
            let wanted = owned(&expected.into_iter().collect::<Vec<_>>());
            assert_eq!(corrected_owners(&wanted, &place), None, "{place:?}");
            let wrong = owned(if expected == Some(SET) { &[POD] } else { &[SET] });
            assert_eq!(corrected_owners(&wrong, &place), Some(wanted), "{place:?}");
        }
    }

    #[test]
    fn claims_of_others_are_left_alone() {
        let mine = place(Retention::Delete, Retention::Delete, true);
        assert_eq!(corrected_owners(&owned(&[OLD_POD]), &mine), None);
        assert!(is_stale(&owned(&[OLD_POD]), &mine));
        assert!(!is_stale(&owned(&[POD]), &mine));
        assert!(!is_stale(&owned(&[OLD_POD]), &place(Retention::Retain, Retention::Delete, true)));
        assert_eq!(corrected_owners(&owned(&[OTHER]), &mine), None);
        assert_eq!(corrected_owners(&owned(&[OTHER, SET]), &mine), Some(owned(&[OTHER])));
        let by_hand = vec![OwnerRef { key: POD, controller: false, blocks_deletion: false }];
        assert_eq!(corrected_owners(&by_hand, &mine), Some(owned(&[POD])));
    }
}
