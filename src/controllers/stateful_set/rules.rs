//! What a StatefulSet does with its pods, decided from a few facts of each.

use crate::api::{IntOrPercent, Rounding, StatefulRolling, StatefulSetSpec, StatefulStrategy};

/// What the rules look at of a pod in its place.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "they are independent facts")]
pub struct Replica {
    /// It is in the API; if not, its place is empty.
    pub created: bool,
    /// `Succeeded` or `Failed`.
    pub finished: bool,
    /// Its deletion has been asked for.
    pub terminating: bool,
    /// It runs and is ready.
    pub ready: bool,
    /// It has been ready for long enough.
    pub available: bool,
    /// It is, or will be, of the current revision.
    pub current: bool,
    /// It is, or will be, of the update revision.
    pub updated: bool,
}

impl Replica {
    /// Whether nobody can count on the pod: it is not there, not available,
    /// or on its way out.
    ///
    /// Upstream: `statefulset/stateful_set_utils.go isUnavailable`
    #[must_use]
    pub const fn is_unavailable(&self) -> bool {
        !self.available || self.terminating
    }

    /// Whether an ordered StatefulSet may turn to the next pod. A pod that
    /// was ready once and is not any more stops everything, deletions and
    /// updates of other pods too: that is why a broken template stays stuck
    /// until somebody deletes the broken pod.
    ///
    /// Upstream: `statefulset/stateful_set_control.go processReplica`
    #[must_use]
    pub const fn lets_next_pass(&self) -> bool {
        self.ready && self.available && !self.terminating && !self.finished
    }
}

/// The parent's name and the ordinal in a pod's name.
///
/// Upstream: `statefulset/stateful_set_utils.go getParentNameAndOrdinal`
#[must_use]
pub fn parent_and_ordinal(pod: &str) -> Option<(&str, i32)> {
    let (parent, digits) = pod.rsplit_once('-')?;
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    Some((parent, digits.parse().ok()?))
}

/// Whether a pod that is made now gets the current revision and not the
/// update revision: below the partition it does, so that a pod that dies there
/// comes back as it was. Without `rollingUpdate` the pods that have not been
/// updated count from below.
///
/// Upstream: `statefulset/stateful_set_utils.go newVersionedStatefulSetPod`
#[must_use]
pub const fn begins_at_current(spec: &StatefulSetSpec, ordinal: i32, current_replicas: i32) -> bool {
    match spec.strategy {
        StatefulStrategy::RollingUpdate(Some(rolling)) => ordinal < spec.start.saturating_add(rolling.partition),
        StatefulStrategy::RollingUpdate(None) => ordinal < spec.start.saturating_add(current_replicas),
        StatefulStrategy::OnDelete => false,
    }
}

/// What becomes of a pod that there should not be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fate {
    /// It goes now.
    Delete,
    /// It is on its way out, or others must be well before it may go.
    Wait,
}

/// Whether an ordered StatefulSet may delete the condemned pod with the
/// highest ordinal. One that is not available may go only if no pod before it
/// is in trouble too: scaling down should not make a bad day worse.
///
/// Upstream: `statefulset/stateful_set_control.go processCondemned`
#[must_use]
pub const fn fate_in_order(pod: &Replica, is_first_unavailable: bool) -> Fate {
    let well = pod.ready && pod.available;
    if pod.terminating || !(well || is_first_unavailable) { Fate::Wait } else { Fate::Delete }
}

/// The same for a parallel StatefulSet, which waits for nobody.
#[must_use]
pub const fn fate_in_parallel(pod: &Replica) -> Fate {
    if pod.terminating { Fate::Wait } else { Fate::Delete }
}

/// What a rolling update does next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rollout {
    /// This pod is replaced.
    Replace(usize),
    /// This pod must be available first.
    Wait(usize),
    /// Nothing is left to update.
    Done,
}

/// The one pod that a rolling update replaces next: the highest ordinal that
/// is not up to date, if all above it are available. Below the partition
/// nothing is replaced.
///
/// Upstream: `statefulset/stateful_set_control.go updateStatefulSet`
#[must_use]
pub fn next_to_update(replicas: &[Replica], partition: i32) -> Rollout {
    let floor = partition.max(0) as usize;
    for (index, pod) in replicas.iter().enumerate().skip(floor).rev() {
        if !pod.updated && !pod.terminating {
            return Rollout::Replace(index);
        }
        if pod.is_unavailable() {
            return Rollout::Wait(index);
        }
    }
    Rollout::Done
}

/// The pods that a rolling update with `maxUnavailable` replaces now, highest
/// ordinal first. Every unavailable pod uses up the budget, wherever it is and
/// whatever its revision; a pod that is replaced while it is unavailable is
/// paid for twice.
///
/// Upstream: `statefulset/stateful_set_control.go updateStatefulSetAfterInvariantEstablished`
#[must_use]
pub fn all_to_update(replicas: &[Replica], partition: i32, max_unavailable: i32) -> Vec<usize> {
    let unavailable = replicas.iter().filter(|pod| pod.is_unavailable()).count();
    let budget = (max_unavailable.max(0) as usize).saturating_sub(unavailable);
    let floor = partition.max(0) as usize;
    let outdated = replicas.iter().enumerate().skip(floor).rev().filter(|(_, pod)| !pod.updated && !pod.terminating);
    outdated.take(budget).map(|(index, _)| index).collect()
}

/// `maxUnavailable` as a number: percentages are rounded down, and it is never
/// less than one, or no update would ever happen.
///
/// Upstream: `statefulset/stateful_set_utils.go getStatefulSetMaxUnavailable`
#[must_use]
pub fn max_unavailable(rolling: Option<StatefulRolling>, replicas: i32) -> i32 {
    let share = rolling.and_then(|rolling| rolling.max_unavailable).unwrap_or(IntOrPercent::Int(1));
    share.scaled(replicas, Rounding::Down).max(1)
}

/// The counters of the status.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counts {
    /// Pods that exist.
    pub replicas: i32,
    /// Pods that run and are ready.
    pub ready: i32,
    /// Of those, the available ones.
    pub available: i32,
    /// Pods of the current revision that stay.
    pub current: i32,
    /// Pods of the update revision that stay.
    pub updated: i32,
}

/// Counts pods for the status. Terminating pods count as replicas, even as
/// ready ones, but no longer as pods of their revision.
///
/// Upstream: `statefulset/stateful_set_control.go computeReplicaStatus`
#[must_use]
pub fn count<'a>(pods: impl Iterator<Item = &'a Replica>) -> Counts {
    let mut counts = Counts::default();
    for pod in pods.filter(|pod| pod.created) {
        counts.replicas += 1;
        counts.ready += i32::from(pod.ready);
        counts.available += i32::from(pod.ready && pod.available);
        counts.current += i32::from(pod.current && !pod.terminating);
        counts.updated += i32::from(pod.updated && !pod.terminating);
    }
    counts
}

/// Whether a rolling update is over, so that the update revision becomes the
/// current one.
///
/// Upstream: `statefulset/stateful_set_utils.go completeRollingUpdate`
#[must_use]
pub const fn is_complete(spec: &StatefulSetSpec, counts: &Counts) -> bool {
    matches!(spec.strategy, StatefulStrategy::RollingUpdate(_))
        && counts.updated == spec.replicas
        && counts.ready == spec.replicas
        && counts.replicas == spec.replicas
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: Replica = Replica {
        created: true,
        finished: false,
        terminating: false,
        ready: true,
        available: true,
        current: true,
        updated: true,
    };
    const OLD: Replica = Replica { updated: false, ..GOOD };
    const BAD: Replica = Replica { ready: false, available: false, ..GOOD };
    const BAD_OLD: Replica = Replica { updated: false, ..BAD };
    const LEAVING: Replica = Replica { terminating: true, ..OLD };
    const EMPTY: Replica = Replica { created: false, ..BAD };

    #[test]
    fn ordinals_are_read_from_names() {
        for (name, expected) in [
            ("db-0", Some(("db", 0))),
            ("my-db-12", Some(("my-db", 12))),
            ("db-007", Some(("db", 7))),
            ("db-", None),
            ("db", None),
            ("db--1", Some(("db-", 1))),
            ("db-+1", None),
            ("db-99999999999", None),
        ] {
            assert_eq!(parent_and_ordinal(name), expected, "{name}");
        }
    }

    #[test]
    fn one_pod_is_updated_at_a_time_from_above() {
        for (replicas, partition, expected) in [
            (&[OLD, OLD, OLD][..], 0, Rollout::Replace(2)),
            (&[OLD, OLD, GOOD], 0, Rollout::Replace(1)),
            (&[OLD, OLD, BAD], 0, Rollout::Wait(2)),
            (&[OLD, LEAVING, GOOD], 0, Rollout::Wait(1)),
            // A broken old pod is replaced although it is not available.
            (&[OLD, BAD_OLD, GOOD], 0, Rollout::Replace(1)),
            (&[OLD, OLD, GOOD], 2, Rollout::Done),
            (&[OLD, OLD, OLD], 1, Rollout::Replace(2)),
            (&[OLD, GOOD, GOOD], 1, Rollout::Done),
            (&[OLD], 5, Rollout::Done),
            (&[GOOD, EMPTY], 0, Rollout::Wait(1)),
            (&[], 0, Rollout::Done),
        ] {
            assert_eq!(next_to_update(replicas, partition), expected, "{replicas:?} {partition}");
        }
    }

    #[test]
    fn several_pods_are_updated_within_the_budget() {
        for (replicas, partition, most, expected) in [
            (&[OLD, OLD, OLD, OLD][..], 0, 2, &[3, 2][..]),
            (&[OLD, OLD, OLD, BAD], 0, 2, &[2]),
            (&[OLD, OLD, LEAVING, BAD], 0, 2, &[]),
            (&[BAD_OLD, OLD, OLD, GOOD], 0, 2, &[2]),
            (&[OLD, OLD, OLD, BAD_OLD], 0, 2, &[3]),
            (&[OLD, OLD, OLD, OLD], 3, 4, &[3]),
            (&[OLD, GOOD, OLD, GOOD], 0, 3, &[2, 0]),
            (&[GOOD, GOOD], 0, 2, &[]),
        ] {
            assert_eq!(all_to_update(replicas, partition, most), expected, "{replicas:?} {partition} {most}");
        }
    }

    #[test]
    fn shares_are_rounded_down_but_never_to_nothing() {
        let rolling = |max_unavailable| Some(StatefulRolling { partition: 0, max_unavailable });
        for (rolling, replicas, expected) in [
            (None, 9, 1),
            (rolling(None), 9, 1),
            (rolling(Some(IntOrPercent::Int(3))), 9, 3),
            (rolling(Some(IntOrPercent::Percent(50))), 9, 4),
            (rolling(Some(IntOrPercent::Percent(10))), 9, 1),
            (rolling(Some(IntOrPercent::Percent(100))), 0, 1),
        ] {
            assert_eq!(max_unavailable(rolling, replicas), expected);
        }
    }

    #[test]
    fn a_condemned_pod_in_trouble_goes_only_if_it_is_the_first_in_trouble() {
        for (pod, first, ordered, parallel) in [
            (GOOD, false, Fate::Delete, Fate::Delete),
            (BAD, false, Fate::Wait, Fate::Delete),
            (BAD, true, Fate::Delete, Fate::Delete),
            (LEAVING, true, Fate::Wait, Fate::Wait),
            (Replica { available: false, ..GOOD }, false, Fate::Wait, Fate::Delete),
        ] {
            assert_eq!(fate_in_order(&pod, first), ordered, "{pod:?}");
            assert_eq!(fate_in_parallel(&pod), parallel, "{pod:?}");
        }
    }

    #[test]
    fn terminating_pods_are_replicas_but_of_no_revision() {
        let counts = count([GOOD, OLD, BAD, LEAVING, EMPTY].iter());
        assert_eq!(counts, Counts { replicas: 4, ready: 3, available: 3, current: 3, updated: 2 });
    }
}
