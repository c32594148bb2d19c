//! What several controllers ask of pods: availability, and who goes first.

use crate::api::{Phase, Pod, Uid};
use crate::sort::go_sort;
use crate::time::{Instant, Timestamp};
use std::cmp::Ordering;

/// Whether a pod counts as available: ready, and for long enough.
///
/// `lastTransitionTime` is whole seconds, so a pod that became ready at 4.7 s
/// with `minReadySeconds: 10` is available at 14.0 s, not at 14.7 s.
///
/// Upstream: `pkg/api/v1/pod/util.go IsPodAvailable`
#[must_use]
pub fn is_available(ready: bool, ready_since: Timestamp, min_ready_seconds: i32, now: Instant) -> bool {
    ready && (min_ready_seconds == 0 || available_at(ready_since, min_ready_seconds) <= now)
}

/// When a ready pod becomes available.
#[must_use]
pub fn available_at(ready_since: Timestamp, min_ready_seconds: i32) -> Instant {
    ready_since.instant().plus_seconds(i64::from(min_ready_seconds))
}

/// What the deletion order looks at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Candidate {
    /// Whether it has a node.
    pub assigned: bool,
    /// Its phase.
    pub phase: Phase,
    /// The `Ready` condition.
    pub ready: bool,
    /// Since when, for ready pods.
    pub ready_since: Timestamp,
    /// The pod-deletion-cost annotation.
    pub deletion_cost: i32,
    /// Active pods of the same Deployment on the same node, this one too.
    pub rank: u32,
    /// Restart count.
    pub restarts: u32,
    /// Creation.
    pub created: Timestamp,
    /// Decides between pods of about the same age.
    pub uid: Uid,
}

impl Candidate {
    /// What the order looks at of a stored pod.
    pub fn of(pod: &Pod, rank: u32) -> Candidate {
        Candidate {
            assigned: pod.node.is_some(),
            phase: pod.phase,
            ready: pod.ready,
            ready_since: pod.ready_since,
            deletion_cost: pod.deletion_cost,
            rank,
            restarts: pod.restarts,
            created: pod.meta.created,
            uid: pod.meta.uid,
        }
    }

    fn phase_order(&self) -> u8 {
        match self.phase {
            Phase::Pending => 0,
            Phase::Unknown => 1,
            _ => 2,
        }
    }
}

/// Which of two pods goes first when a ReplicaSet shrinks: the one whose loss
/// hurts less. Equal pods stay in the order they came.
///
/// Ages are compared by the power of two they fall into, and within one by
/// UID, so that it is not always the youngest pod that goes.
///
/// Upstream: `controller_utils.go ActivePodsWithRanks.Less`
#[must_use]
pub fn deletion_order(a: &Candidate, b: &Candidate, now: Instant) -> Ordering {
    let younger_first = |a_time: Timestamp, b_time: Timestamp| {
        if a_time == b_time {
            Ordering::Equal
        } else {
            age_bucket(a_time, now).cmp(&age_bucket(b_time, now)).then(a.uid.cmp(&b.uid))
        }
    };
    a.assigned
        .cmp(&b.assigned)
        .then_with(|| a.phase_order().cmp(&b.phase_order()))
        .then_with(|| a.ready.cmp(&b.ready))
        .then_with(|| a.deletion_cost.cmp(&b.deletion_cost))
        .then_with(|| b.rank.cmp(&a.rank))
        .then_with(|| if a.ready && b.ready { younger_first(a.ready_since, b.ready_since) } else { Ordering::Equal })
        .then_with(|| b.restarts.cmp(&a.restarts))
        .then_with(|| younger_first(a.created, b.created))
}

/// The power of two of an age in nanoseconds; -1 for what is not past.
///
/// Upstream: `controller_utils.go logarithmicRankDiff`
fn age_bucket(since: Timestamp, now: Instant) -> i64 {
    match now.nanos_since(since.instant()) {
        age @ 1.. => i64::from(age.ilog2()),
        _ => -1,
    }
}

/// Sorts so that the first pods are deleted first, ties as Go's sort leaves
/// them: with more than twelve pods that is not the order they came in.
pub fn sort_for_deletion<T>(pods: &mut [(Candidate, T)], now: Instant) {
    go_sort(pods, |(a, _), (b, _)| deletion_order(a, b, now) == Ordering::Less);
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Instant = Timestamp(1_000_000).instant();

    fn pod(uid: u32) -> Candidate {
        Candidate {
            assigned: true,
            phase: Phase::Running,
            ready: true,
            ready_since: Timestamp(999_000),
            deletion_cost: 0,
            rank: 1,
            restarts: 0,
            created: Timestamp(999_000),
            uid: Uid(uid),
        }
    }

    #[test]
    fn the_cheaper_loss_goes_first() {
        let keep = pod(1);
        let cheaper = [
            Candidate { assigned: false, ..pod(2) },
            Candidate { phase: Phase::Pending, ..pod(2) },
            Candidate { ready: false, ..pod(2) },
            Candidate { deletion_cost: -1, ..pod(2) },
            Candidate { rank: 2, ..pod(2) },
            Candidate { ready_since: Timestamp(999_999), ..pod(2) },
            Candidate { restarts: 1, ..pod(2) },
            Candidate { created: Timestamp(999_999), ..pod(2) },
        ];
        for candidate in cheaper {
            assert_eq!(deletion_order(&candidate, &keep, NOW), Ordering::Less, "{candidate:?}");
            assert_eq!(deletion_order(&keep, &candidate, NOW), Ordering::Greater);
        }
    }

    #[test]
    fn about_the_same_age_is_decided_by_uid() {
        let older = Candidate { created: Timestamp(998_990), ..pod(1) };
        assert_eq!(deletion_order(&older, &pod(2), NOW), Ordering::Less);
    }

    #[test]
    fn readiness_is_counted_from_the_whole_second() {
        let since = Timestamp(100);
        let at = |ms: i64| Instant(ms * 1_000_000);
        assert!(!is_available(true, since, 10, at(109_999)));
        assert!(is_available(true, since, 10, at(110_000)));
        assert!(!is_available(false, since, 0, at(110_000)));
    }
}
