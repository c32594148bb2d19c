//! What a PodDisruptionBudget amounts to, as pure functions.

use crate::api::{Budget, Pod, PodDisruptionBudgetStatus, Rounding};
use crate::time::{Instant, Timestamp};
use std::collections::BTreeMap;
use std::sync::Arc;

/// How long a pod that was let go may take until its deletion is seen; after
/// that it is taken for one that stays.
///
/// Upstream: `disruption/disruption.go DeletionTimeout`
pub const DELETION_TIMEOUT_SECONDS: i64 = 120;

/// How many pods a budget needs healthy, out of the `expected` ones.
///
/// Shares round up both ways: of 3 pods, `maxUnavailable: 30%` lets one go,
/// and `minAvailable: 50%` needs two.
///
/// Upstream: `disruption/disruption.go getExpectedPodCount`
#[must_use]
pub fn desired_healthy(budget: Budget, expected: i32) -> i32 {
    match budget {
        Budget::MaxUnavailable(share) => (expected - share.scaled(expected, Rounding::Up)).max(0),
        Budget::MinAvailable(share) => share.scaled(expected, Rounding::Up),
        Budget::Unset => 0,
    }
}

/// How many pods may go now. A budget that expects no pod lets none go, so
/// that its first pods are safe before it has counted them.
///
/// Upstream: `disruption/disruption.go updatePdbStatus`
#[must_use]
pub fn disruptions_allowed(healthy: i32, desired: i32, expected: i32) -> i32 {
    if expected <= 0 { 0 } else { (healthy - desired).max(0) }
}

/// How many pods are ready, not being deleted and not about to be.
///
/// Upstream: `disruption/disruption.go countHealthyPods`
#[must_use]
pub fn count_healthy<'a>(
    pods: impl Iterator<Item = &'a Pod>,
    disrupted: &BTreeMap<Arc<str>, Timestamp>,
    now: Instant,
) -> i32 {
    let is_about_to_go = |pod: &Pod| disrupted.get(&pod.meta.name).is_some_and(|at| deadline(*at) > now);
    pods.filter(|pod| pod.ready && !pod.meta.is_deleting() && !is_about_to_go(pod)).count() as i32
}

/// Until when the deletion of a pod that was let go must have been seen.
#[must_use]
pub const fn deadline(let_go_at: Timestamp) -> Instant {
    let_go_at.instant().plus_seconds(DELETION_TIMEOUT_SECONDS)
}

/// Whether two statuses say the same, the condition included.
///
/// Upstream: `disruption/disruption.go updatePdbStatus`,
/// `staging/src/k8s.io/component-helpers/apps/poddisruptionbudget/helpers.go ConditionsAreUpToDate`
#[must_use]
pub fn is_up_to_date(old: &PodDisruptionBudgetStatus, new: &PodDisruptionBudgetStatus) -> bool {
    let same_condition = match (&old.allowed, &new.allowed) {
        (Some(old), Some(new)) => (old.status, old.reason) == (new.status, new.reason),
        (old, _) => old.is_some(),
    };
    let figures = |s: &PodDisruptionBudgetStatus| {
        (s.observed_generation, s.disruptions_allowed, s.current_healthy, s.desired_healthy, s.expected_pods)
    };
    same_condition && figures(old) == figures(new) && old.disrupted == new.disrupted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::IntOrPercent::{Int, Percent};

    #[test]
    fn shares_round_up_both_ways() {
        for (budget, expected, desired) in [
            (Budget::MinAvailable(Percent(50)), 1, 1),
            (Budget::MinAvailable(Percent(50)), 3, 2),
            (Budget::MinAvailable(Percent(50)), 5, 3),
            (Budget::MinAvailable(Percent(50)), 7, 4),
            (Budget::MaxUnavailable(Percent(25)), 4, 3),
            (Budget::MaxUnavailable(Percent(25)), 5, 3),
            (Budget::MaxUnavailable(Percent(25)), 9, 6),
            (Budget::MaxUnavailable(Int(3)), 2, 0),
            (Budget::MinAvailable(Int(3)), 2, 3),
            (Budget::Unset, 2, 0),
        ] {
            assert_eq!(desired_healthy(budget, expected), desired, "{budget:?} of {expected}");
        }
    }

    #[test]
    fn what_is_beyond_the_desired_may_go() {
        for (healthy, desired, expected, allowed) in
            [(5, 3, 5, 2), (3, 3, 5, 0), (2, 3, 5, 0), (0, 0, 0, 0), (1, 0, 0, 0)]
        {
            assert_eq!(disruptions_allowed(healthy, desired, expected), allowed, "{healthy} {desired} {expected}");
        }
    }
}
