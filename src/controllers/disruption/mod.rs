//! The disruption controller: keeps the figures by which the API server lets
//! pods be evicted or not.

pub mod rules;
mod scale;

use super::{Controller, ObjectNotice, Plan, SyncError, Version, View, WorkQueue, Write};
use crate::api::{
    Budget, ConditionStatus, DisruptionAllowed, IntOrPercent, Key, Kind, Labels, Pod, PodDisruptionBudget,
    PodDisruptionBudgetStatus,
};
use crate::cluster::{Change, Verb};
use crate::time::{Instant, Span, Timestamp};
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;
use std::sync::Arc;

/// How long the queue for second looks holds a budget back when it hands it
/// on: the first step of its back-off.
const RECHECK_NANOS: i64 = 5_000_000;

/// How long a pod that was about to go may be there still before its
/// condition is taken back.
///
/// Upstream: `disruption/disruption.go stalePodDisruptionTimeout`
const STALE_SECONDS: i64 = 120;

/// The reason of pods that their kubelet is about to end, which may take as
/// long as it likes.
const BY_KUBELET: &str = "TerminationByKubelet";

/// The memory of one disruption controller process.
#[derive(Clone, Debug, Default)]
pub(super) struct DisruptionController {
    /// The labels of the pods that a budget guards, so that it is known whose
    /// budget a pod was under when it is gone.
    guarded: FxHashMap<Key, (Arc<str>, Arc<Labels>)>,
}

impl Controller for DisruptionController {
    fn kind(&self) -> Kind {
        Kind::PodDisruptionBudget
    }

    fn watches(&self, kind: Kind) -> bool {
        matches!(kind, Kind::PodDisruptionBudget | Kind::Pod)
    }

    /// Upstream: `disruption/disruption.go addPod`, `updatePod`, `deletePod`, `enqueuePdb`
    fn observe(&mut self, change: &Change, view: View<'_>, queue: &mut WorkQueue) {
        if change.key.kind == Kind::PodDisruptionBudget {
            queue.add(change.key);
            return;
        }
        if view.cache.pods.get(change.key).is_some_and(may_be_stale) {
            let until = view.now.truncate().instant().plus_seconds(STALE_SECONDS);
            queue.add_after(change.key, Span(until.nanos_since(view.now).max(0) as u64));
        }
        if !view.cache.has_any(Kind::PodDisruptionBudget) && self.guarded.is_empty() {
            return;
        }
        let labels = match (change.verb, view.cache.pods.get(change.key)) {
            (Verb::Deleted, _) | (_, None) => self.guarded.remove(&change.key),
            (_, Some(pod)) => Some((pod.meta.namespace.clone(), pod.meta.labels.clone())),
        };
        let Some((namespace, labels)) = labels else { return };
        let budgets = view.cache.budgets_guarding(&namespace, &labels);
        let Some((budget, row)) = budgets.first() else {
            self.guarded.remove(&change.key);
            return;
        };
        if budgets.len() > 1 {
            let message = format!(
                "Pod {namespace:?}/\"{{}}\" matches multiple PodDisruptionBudgets.  Chose {:?} arbitrarily.",
                row.meta.name
            );
            queue.announce(ObjectNotice {
                about: change.key,
                reason: "MultiplePodDisruptionBudgets",
                message,
                object: change.key,
                warning: true,
            });
        }
        queue.add(*budget);
        if change.verb != Verb::Deleted {
            self.guarded.insert(change.key, (namespace, labels));
        }
    }

    /// Upstream: `disruption/disruption.go sync`, `trySync`
    fn sync(&mut self, key: Key, view: View<'_>, plan: &mut Plan, _queue: &mut WorkQueue) -> Result<(), SyncError> {
        if key.kind == Kind::Pod {
            spare(key, view, plan);
            return Ok(());
        }
        let Some(budget) = view.cache.disruption_budgets.get(key) else { return Ok(()) };
        let pods = match &budget.spec.selector {
            Some(selector) => view.cache.pods_selected(&budget.meta.namespace, selector),
            None => Vec::new(),
        };
        for (pod, row) in &pods {
            self.guarded.insert(*pod, (row.meta.namespace.clone(), row.meta.labels.clone()));
        }
        if pods.is_empty() {
            plan.notices.push(notice(key, "NoPods", "No matching pods found".to_string(), false));
        }
        let expected = match expected_pods(budget, &pods, view)? {
            Ok(expected) => expected,
            Err(error) => {
                give_up(key, budget, &error, plan);
                return Ok(());
            }
        };
        if expected.unmanaged {
            plan.notices.push(notice(key, "UnmanagedPods", unmanaged(budget), true));
        }
        let (disrupted, recheck) = disrupted_pods(key, budget, &pods, view.now, plan);
        let healthy = rules::count_healthy(pods.iter().map(|(_, pod)| *pod), &disrupted, view.now);
        let desired = rules::desired_healthy(budget.spec.budget, expected.count);
        let mut status = PodDisruptionBudgetStatus {
            observed_generation: budget.meta.generation,
            disrupted,
            disruptions_allowed: rules::disruptions_allowed(healthy, desired, expected.count),
            current_healthy: healthy,
            desired_healthy: desired,
            expected_pods: expected.count,
            allowed: None,
        };
        status.update_condition();
        if !rules::is_up_to_date(&budget.status, &status) {
            write_status(key, budget, status, plan);
        }
        if let Some(at) = recheck {
            plan.look_again_at(Instant(at.0 + RECHECK_NANOS));
        }
        Ok(())
    }

    /// Long enough for a Deployment's first pods to be there before the second
    /// of two new budgets is looked at.
    fn write_latency(&self) -> Span {
        Span::from_ns(5_300)
    }

    fn boxed_clone(&self) -> Box<dyn Controller + Send + Sync> {
        Box::new(self.clone())
    }
}

/// Whether a pod is marked as one that is about to go, and neither goes nor
/// has ended.
///
/// Upstream: `disruption/disruption.go nonTerminatingPodHasStaleDisruptionCondition`
fn may_be_stale(pod: &Pod) -> bool {
    pod.disruption.as_deref().is_some_and(|reason| reason != BY_KUBELET)
        && !pod.meta.is_deleting()
        && !pod.is_finished()
}

/// Takes the mark off a pod that has had it for long enough.
///
/// Upstream: `disruption/disruption.go syncStalePodDisruption`
fn spare(key: Key, view: View<'_>, plan: &mut Plan) {
    if let Some(pod) = view.cache.pods.get(key).filter(|pod| may_be_stale(pod)) {
        plan.write(Write::PodSpared { pod: key, version: Version::Cached(pod.meta.resource_version) });
    }
}

/// How many pods there should be, and whether some have nobody to say so.
struct Expected {
    count: i32,
    unmanaged: bool,
}

/// Upstream: `disruption/disruption.go getExpectedPodCount`
fn expected_pods(
    budget: &PodDisruptionBudget,
    pods: &[(Key, &Pod)],
    view: View<'_>,
) -> Result<Result<Expected, String>, SyncError> {
    let unmanaged = || pods.iter().any(|(_, pod)| pod.meta.controller().is_none());
    Ok(match budget.spec.budget {
        Budget::Unset => Ok(Expected { count: 0, unmanaged: false }),
        Budget::MinAvailable(IntOrPercent::Int(_)) => Ok(Expected { count: pods.len() as i32, unmanaged: false }),
        Budget::MinAvailable(IntOrPercent::Percent(_)) | Budget::MaxUnavailable(_) => {
            scale::expected_scale(pods, view)?.map(|count| Expected { count, unmanaged: unmanaged() })
        }
    })
}

fn notice(about: Key, reason: &'static str, message: String, warning: bool) -> ObjectNotice {
    ObjectNotice { about, reason, message, object: about, warning }
}

fn unmanaged(budget: &PodDisruptionBudget) -> String {
    let selector = budget.spec.selector.as_ref().map_or_else(String::new, ToString::to_string);
    format!(
        "Pods selected by this PodDisruptionBudget (selector: {selector}) were found to be unmanaged. As a result, the \
         status of the PDB cannot be calculated correctly, which may result in undefined behavior. To account for these \
         pods please set \".spec.minAvailable\" field of the PDB to an integer value."
    )
}

/// The pods that were let go and are not being deleted yet, without those of
/// which that is no longer to be expected, and when the next one of them is
/// not to be expected any more.
///
/// Upstream: `disruption/disruption.go buildDisruptedPodMap`
fn disrupted_pods(
    key: Key,
    budget: &PodDisruptionBudget,
    pods: &[(Key, &Pod)],
    now: Instant,
    plan: &mut Plan,
) -> (BTreeMap<Arc<str>, Timestamp>, Option<Instant>) {
    let (mut left, mut recheck) = (BTreeMap::new(), None::<Instant>);
    for (pod, row) in pods.iter().filter(|(_, row)| !row.meta.is_deleting()) {
        let Some(&at) = budget.status.disrupted.get(&row.meta.name) else { continue };
        let deadline = rules::deadline(at);
        if deadline < now {
            let namespace = &budget.meta.namespace;
            let message = format!("Pod was expected by PDB {namespace}/{namespace} to be deleted but it wasn't");
            plan.notices.push(ObjectNotice { about: *pod, reason: "NotDeleted", message, object: key, warning: true });
            continue;
        }
        recheck = Some(recheck.map_or(deadline, |earlier| earlier.min(deadline)));
        left.insert(row.meta.name.clone(), at);
    }
    (left, recheck)
}

/// What cannot be counted must not be disrupted.
///
/// Upstream: `disruption/disruption.go failSafe`
fn give_up(key: Key, budget: &PodDisruptionBudget, error: &str, plan: &mut Plan) {
    let message = format!("Failed to calculate the number of expected pods: {error}");
    plan.notices.push(notice(key, "CalculateExpectedPodCountFailed", message, true));
    let mut status = budget.status.clone();
    status.disruptions_allowed = 0;
    status.allowed =
        Some(DisruptionAllowed { status: ConditionStatus::False, reason: "SyncFailed", message: error.into() });
    write_status(key, budget, status, plan);
}

fn write_status(key: Key, budget: &PodDisruptionBudget, status: PodDisruptionBudgetStatus, plan: &mut Plan) {
    plan.write(Write::BudgetStatus {
        budget: key,
        version: Version::Cached(budget.meta.resource_version),
        status: Box::new(status),
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::{Objects, Row, deliver};

    fn pod(reason: Option<&str>) -> Pod {
        Pod { disruption: reason.map(Into::into), ..Pod::running(1) }
    }

    #[test]
    fn a_pod_that_was_to_go_and_stays_is_spared_after_two_minutes() {
        for (reason, waits) in [(Some("EvictionByEvictionAPI"), Some(119_700)), (Some(BY_KUBELET), None), (None, None)]
        {
            let mut cache = Objects::default();
            let change = deliver(&mut cache, 0, Row::Pod(Box::new(pod(reason)))).expect("it is new");
            let now = Instant(1_000_300_000_000);
            let view = View::up_to_date(&cache, now);
            let (mut controller, mut queue) = (DisruptionController::default(), WorkQueue::default());
            controller.observe(&change, view, &mut queue);
            assert_eq!(queue.take_timers().next().map(|timer| timer.at.as_ms()), waits, "{reason:?}");
            let mut plan = Plan::default();
            controller.sync(change.key, view, &mut plan, &mut queue).expect("it answers");
            assert_eq!(plan.writes.len(), usize::from(waits.is_some()));
        }
    }
}
