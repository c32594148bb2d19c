//! How many pods of each ReplicaSet there should be next: the arithmetic of
//! rollouts, without any writes.

use crate::api::{IntOrPercent, Rounding, Strategy};

/// The size of a ReplicaSet as these rules see it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Size {
    /// `spec.replicas`.
    pub replicas: i32,
    /// `status.availableReplicas`.
    pub available: i32,
}

/// `maxSurge` and `maxUnavailable` as numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fenceposts {
    /// Pods above `replicas`.
    pub surge: i32,
    /// Pods below `replicas`.
    pub unavailable: i32,
}

/// Resolves both limits together: surge rounds up, unavailable rounds down,
/// and if both come to zero one pod may be missing, or nothing could ever
/// move.
///
/// Upstream: `deployment/util/deployment_util.go ResolveFenceposts`
#[must_use]
pub fn resolve_fenceposts(surge: IntOrPercent, unavailable: IntOrPercent, desired: i32) -> Fenceposts {
    let surge = surge.scaled(desired, Rounding::Up);
    let unavailable = unavailable.scaled(desired, Rounding::Down);
    if surge == 0 && unavailable == 0 {
        return Fenceposts { surge, unavailable: 1 };
    }
    Fenceposts { surge, unavailable }
}

/// The limits that hold for a Deployment: none for Recreate, and no more
/// missing than there are wanted.
///
/// Upstream: `deployment/util/deployment_util.go MaxSurge`, `MaxUnavailable`
#[must_use]
pub fn limits(strategy: Strategy, desired: i32) -> Fenceposts {
    match strategy {
        Strategy::Recreate => Fenceposts { surge: 0, unavailable: 0 },
        Strategy::RollingUpdate { max_surge, max_unavailable } => {
            let posts = resolve_fenceposts(max_surge, max_unavailable, desired);
            Fenceposts {
                surge: posts.surge,
                unavailable: if desired == 0 { 0 } else { posts.unavailable.min(desired) },
            }
        }
    }
}

/// How large the new ReplicaSet may be now: as large as wanted, while all
/// ReplicaSets together stay within `replicas + maxSurge`. Terminating pods
/// do not count, so more than that may be on the nodes.
///
/// Upstream: `deployment/util/deployment_util.go NewRSNewReplicas`
#[must_use]
pub fn new_set_size(strategy: Strategy, desired: i32, new: i32, all: i32) -> i32 {
    match strategy {
        Strategy::Recreate => desired,
        Strategy::RollingUpdate { max_surge, .. } => {
            let max_total = desired + max_surge.scaled(desired, Rounding::Up);
            if all >= max_total { new } else { new + (max_total - all).min(desired - new) }
        }
    }
}

/// How many old pods may go now without dropping below the floor.
///
/// The new ReplicaSet's unavailable pods count against the budget: otherwise
/// a crash-looping rollout would keep eating healthy old pods.
///
/// Upstream: `deployment/rolling.go reconcileOldReplicaSets`
#[must_use]
pub fn scale_down_budget(desired: i32, max_unavailable: i32, new: Size, all: i32) -> i32 {
    let new_unavailable = new.replicas - new.available;
    all - (desired - max_unavailable) - new_unavailable
}

/// A ReplicaSet that is to shrink.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Shrink {
    /// Its place in the list of old ReplicaSets.
    pub index: usize,
    /// Its size before.
    pub from: i32,
    /// Its size after.
    pub to: i32,
}

/// Takes old pods that are not available out first, oldest ReplicaSet first:
/// they serve nobody, and left alone they would hold the rollout up.
///
/// `old` is in order of creation and is changed to the sizes after. `None`
/// after the shrinks so far if a ReplicaSet has more available pods than it
/// wants: then its own controller has not caught up, and nothing more is done.
///
/// Upstream: `deployment/rolling.go cleanupUnhealthyReplicas`
fn clean_up_unhealthy(old: &mut [Size], budget: i32, shrinks: &mut Vec<Shrink>) -> Option<()> {
    let mut removed = 0;
    for (index, set) in old.iter_mut().enumerate() {
        if removed >= budget {
            break;
        }
        if set.replicas == 0 || set.replicas == set.available {
            continue;
        }
        if set.available > set.replicas {
            return None;
        }
        let count = (budget - removed).min(set.replicas - set.available);
        shrinks.push(Shrink { index, from: set.replicas, to: set.replicas - count });
        set.replicas -= count;
        removed += count;
    }
    Some(())
}

/// Takes healthy old pods out, oldest ReplicaSet first, as many as are
/// available above the floor.
///
/// `old` is in order of creation and is changed to the sizes after.
///
/// Upstream: `deployment/rolling.go scaleDownOldReplicaSetsForRollingUpdate`
fn scale_down_old(old: &mut [Size], new: Size, min_available: i32) -> Vec<Shrink> {
    let available: i32 = old.iter().map(|set| set.available).sum::<i32>() + new.available;
    let (mut shrinks, mut removed) = (Vec::new(), 0);
    let allowed = available - min_available;
    for (index, set) in old.iter_mut().enumerate() {
        if removed >= allowed {
            break;
        }
        if set.replicas == 0 {
            continue;
        }
        let count = set.replicas.min(allowed - removed);
        shrinks.push(Shrink { index, from: set.replicas, to: set.replicas - count });
        set.replicas -= count;
        removed += count;
    }
    shrinks
}

/// What becomes of the old ReplicaSets in one sync.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct OldSteps {
    /// Unhealthy pods, first.
    pub unhealthy: Vec<Shrink>,
    /// Healthy pods, after that.
    pub healthy: Vec<Shrink>,
    /// Whether the sync counts as having scaled down.
    pub scaled: bool,
}

/// How the old ReplicaSets shrink now. `old` are those that want pods, in
/// order of creation.
///
/// Upstream: `deployment/rolling.go reconcileOldReplicaSets`
#[must_use]
pub fn reconcile_old(desired: i32, max_unavailable: i32, new: Size, old: &[Size]) -> OldSteps {
    let all = old.iter().map(|set| set.replicas).sum::<i32>() + new.replicas;
    let budget = scale_down_budget(desired, max_unavailable, new, all);
    let mut steps = OldSteps::default();
    if old.is_empty() || budget <= 0 {
        return steps;
    }
    let mut sizes = old.to_vec();
    if clean_up_unhealthy(&mut sizes, budget, &mut steps.unhealthy).is_some() {
        steps.healthy = scale_down_old(&mut sizes, new, desired - max_unavailable);
        steps.scaled = !(steps.unhealthy.is_empty() && steps.healthy.is_empty());
    }
    steps
}

/// A ReplicaSet as scaling sees it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Share {
    /// `spec.replicas`.
    pub replicas: i32,
    /// `status.availableReplicas`.
    pub available: i32,
    /// The desired-replicas note.
    pub desired_before: Option<i32>,
    /// The max-replicas note: how many pods there could be when it was sized.
    pub max_before: Option<i32>,
    /// Rank by creation; larger is newer.
    pub created: u32,
    /// Whether it is the one of the current template.
    pub is_new: bool,
}

/// What scaling comes to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Scaling {
    /// Places in the list of ReplicaSets and their new sizes, in the order
    /// of writing.
    pub sizes: Vec<(usize, i32)>,
    /// Whether notes are renewed even where the size stays.
    pub force: bool,
}

/// The sizes of all ReplicaSets when `spec.replicas` changed: the only active
/// one (or the newest) takes it all; one that has taken over makes the others
/// go; in the middle of a rollout each gets its share.
///
/// Upstream: `deployment/sync.go scale`, `deployment/util/deployment_util.go FindActiveOrLatest`, `IsSaturated`
#[must_use]
pub fn scale(sets: &[Share], strategy: Strategy, desired: i32, status_replicas: i32) -> Scaling {
    let plain = |sizes| Scaling { sizes, force: false };
    let mut active: Vec<usize> = (0..sets.len()).filter(|&i| sets[i].replicas > 0).collect();
    let newest = || (0..sets.len()).max_by_key(|&i| (sets[i].is_new, sets[i].created));
    let only = match active.as_slice() {
        [] => newest(),
        [only] => Some(*only),
        _ => None,
    };
    if let Some(only) = only {
        return plain(vec![(only, desired)]);
    }
    if active.is_empty() {
        return plain(Vec::new());
    }
    // Newest first among the old ones, the current one last.
    active.sort_by_key(|&i| (sets[i].is_new, std::cmp::Reverse(sets[i].created)));
    let saturated = |set: &Share| {
        set.is_new && set.replicas == desired && set.desired_before == Some(desired) && set.available == desired
    };
    if sets.iter().any(saturated) {
        return plain(active.into_iter().filter(|&i| !sets[i].is_new).map(|i| (i, 0)).collect());
    }
    if strategy == Strategy::Recreate {
        return plain(Vec::new());
    }
    let surge = limits(strategy, desired).surge;
    let mut shares: Vec<(Share, usize)> = active.into_iter().map(|i| (sets[i], i)).collect();
    let all: i32 = shares.iter().map(|(set, _)| set.replicas).sum();
    sort_by_size(&mut shares, most_pods(desired, surge) - all);
    let ordered: Vec<Share> = shares.iter().map(|(set, _)| *set).collect();
    let sizes = proportional_sizes(&ordered, desired, surge, status_replicas);
    Scaling { sizes: shares.into_iter().map(|(_, i)| i).zip(sizes).collect(), force: true }
}

/// How many pods scaling distributes.
#[must_use]
pub fn most_pods(desired: i32, surge: i32) -> i32 {
    if desired > 0 { desired + surge } else { 0 }
}

/// The order in which proportional scaling treats ReplicaSets: the largest
/// first; of equal ones the newest first when growing, the oldest when
/// shrinking.
///
/// Upstream: `controller_utils.go ReplicaSetsBySizeNewer`, `ReplicaSetsBySizeOlder`
fn sort_by_size<T>(sets: &mut [(Share, T)], to_add: i32) {
    match to_add {
        1.. => sets.sort_by_key(|(set, _)| (-set.replicas, std::cmp::Reverse(set.created))),
        0 => {}
        _ => sets.sort_by_key(|(set, _)| (-set.replicas, set.created)),
    }
}

/// The sizes that active ReplicaSets get when `spec.replicas` changes in the
/// middle of a rollout: each in proportion, what rounding leaves to the first.
///
/// `sets` is in the order of [`sort_by_size`].
///
/// Upstream: `deployment/sync.go scale`, `deployment/util/deployment_util.go GetReplicaSetProportion`
#[must_use]
fn proportional_sizes(sets: &[Share], desired: i32, surge: i32, status_replicas: i32) -> Vec<i32> {
    let all: i32 = sets.iter().map(|set| set.replicas).sum();
    let to_add = most_pods(desired, surge) - all;
    let mut added = 0;
    let mut sizes: Vec<i32> = sets
        .iter()
        .map(|set| {
            let share = proportion(set, desired, surge, status_replicas, to_add, added);
            added += share;
            set.replicas + share
        })
        .collect();
    if to_add != 0
        && let Some(first) = sizes.first_mut()
    {
        *first = (*first + to_add - added).max(0);
    }
    sizes
}

fn proportion(set: &Share, desired: i32, surge: i32, status_replicas: i32, to_add: i32, added: i32) -> i32 {
    if set.replicas == 0 || to_add == 0 || to_add == added {
        return 0;
    }
    let share = fraction(set, desired, surge, status_replicas);
    let left = to_add - added;
    if to_add > 0 { share.min(left) } else { share.max(left) }
}

/// What one ReplicaSet gains or loses, rounded to the nearest whole pod.
///
/// Upstream: `deployment/util/deployment_util.go getReplicaSetFraction`
fn fraction(set: &Share, desired: i32, surge: i32, status_replicas: i32) -> i32 {
    if desired == 0 {
        return -set.replicas;
    }
    let before = match set.max_before {
        Some(noted) if noted != 0 => noted,
        _ if status_replicas == 0 => return 0,
        _ => status_replicas,
    };
    let size = f64::from(set.replicas.wrapping_mul(desired + surge)) / f64::from(before);
    let rounded = if size < 0.0 { size - 0.5 } else { size + 0.5 };
    rounded as i32 - set.replicas
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rolling(surge: &str, unavailable: &str) -> Strategy {
        let read =
            |text: &str| text.parse().map_or_else(|_| IntOrPercent::parse_percent(text).unwrap(), IntOrPercent::Int);
        Strategy::RollingUpdate { max_surge: read(surge), max_unavailable: read(unavailable) }
    }

    #[test]
    fn a_quarter_is_nothing_below_four_replicas() {
        for (desired, surge, unavailable) in
            [(1, 1, 0), (3, 1, 0), (4, 1, 1), (7, 2, 1), (8, 2, 2), (9, 3, 2), (10, 3, 2), (15, 4, 3), (20, 5, 5)]
        {
            assert_eq!(limits(rolling("25%", "25%"), desired), Fenceposts { surge, unavailable });
        }
        assert_eq!(limits(rolling("0", "25%"), 1).unavailable, 1, "something must be able to move");
        assert_eq!(limits(rolling("0", "25%"), 0).unavailable, 0);
        assert_eq!(limits(Strategy::Recreate, 5), Fenceposts { surge: 0, unavailable: 0 });
    }

    #[test]
    fn a_broken_rollout_stalls_with_the_old_pods_it_still_has() {
        // Ten wanted, three above, two below: new pods crash, eight old stay.
        let strategy = rolling("3", "2");
        assert_eq!(new_set_size(strategy, 10, 0, 10), 3);
        let new = Size { replicas: 5, available: 0 };
        assert_eq!(scale_down_budget(10, 2, new, 13), 0);
        // Undo: the crashing set is the old one now, and four of it may go.
        let back = Size { replicas: 8, available: 7 };
        assert_eq!(scale_down_budget(10, 2, back, 13), 4);
        let steps = reconcile_old(10, 2, back, &[Size { replicas: 5, available: 0 }]);
        assert_eq!(steps.unhealthy, [Shrink { index: 0, from: 5, to: 1 }]);
    }

    #[test]
    fn scaling_keeps_the_mix() {
        let set = |replicas, created| Share {
            replicas,
            available: 0,
            desired_before: Some(10),
            max_before: Some(13),
            created,
            is_new: created == 2,
        };
        assert_eq!(proportional_sizes(&[set(8, 1), set(5, 2)], 20, 6, 13), [16, 10]);
        assert_eq!(proportional_sizes(&[set(8, 1), set(5, 2)], 0, 0, 13), [0, 0]);
    }
}
