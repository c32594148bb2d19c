//! Taints that say what a node's conditions say.

use crate::api::{ConditionStatus, Effect, Key, Kind, Node, Pressure, Taint};
use crate::api::{NOT_READY, UNREACHABLE};
use crate::cluster::{ApiError, Change, Verb};
use crate::controllers::{Controller, Plan, Reaction, SyncError, View, WorkQueue, Write};
use crate::trace::Why;

/// The part of the node lifecycle controller that keeps the `NoSchedule`
/// taints in line with conditions and cordons. It remembers nothing.
#[derive(Clone, Debug, Default)]
pub struct NodeTaints;

impl Controller for NodeTaints {
    fn kind(&self) -> Kind {
        Kind::Node
    }

    fn watches(&self, kind: Kind) -> bool {
        kind == Kind::Node
    }

    fn observe(&mut self, change: &Change, _view: View<'_>, queue: &mut WorkQueue) {
        if change.verb != Verb::Deleted {
            queue.add(change.key);
        }
    }

    /// Upstream: `nodelifecycle/node_lifecycle_controller.go doNoScheduleTaintingPass`
    fn sync(&mut self, key: Key, view: View<'_>, plan: &mut Plan, _queue: &mut WorkQueue) -> Result<(), SyncError> {
        let Some(node) = view.cache.nodes.get(key) else { return Ok(()) };
        let wanted = wanted_taints(node);
        let is_ours = |taint: &&Taint| taint.effect == Effect::NoSchedule && is_managed(&taint.key);
        let missing = wanted.iter().filter(|taint| !node.has_taint(taint));
        let stale = node.taints.iter().filter(is_ours).filter(|taint| !wanted.iter().any(|w| w.is(taint)));
        plan.because(Why::TaintsFollowConditions);
        for taint in missing {
            plan.write(Write::Taint { node: key, taint: taint.clone(), present: true });
        }
        for taint in stale {
            plan.write(Write::Taint { node: key, taint: taint.clone(), present: false });
        }
        if plan.writes.is_empty() {
            plan.decisions.clear();
        }
        Ok(())
    }

    fn failed(&mut self, _key: Key, _write: &Write, _error: &ApiError, _view: View<'_>, _plan: &mut Plan) -> Reaction {
        Reaction::Ignore
    }

    fn boxed_clone(&self) -> Box<dyn Controller + Send + Sync> {
        Box::new(self.clone())
    }
}

/// The taints that a node should have for its conditions and its cordon.
#[must_use]
pub(super) fn wanted_taints(node: &Node) -> Vec<Taint> {
    let no_schedule = |key: &str| Taint::new(key, Effect::NoSchedule);
    let ready = match node.ready {
        ConditionStatus::True => None,
        ConditionStatus::False => Some(no_schedule(NOT_READY)),
        ConditionStatus::Unknown => Some(no_schedule(UNREACHABLE)),
    };
    let under = |pressure: &Pressure| node.pressures.get(*pressure) == ConditionStatus::True;
    let pressed = Pressure::ALL.into_iter().filter(under).map(|pressure| no_schedule(pressure.taint()));
    ready.into_iter().chain(pressed).chain(node.unschedulable.then(Taint::unschedulable)).collect()
}

/// Whether the controller is in charge of `NoSchedule` taints of this key.
fn is_managed(key: &str) -> bool {
    [NOT_READY, UNREACHABLE].contains(&key)
        || key == Taint::unschedulable().key
        || Pressure::ALL.iter().any(|pressure| pressure.taint() == key)
}
