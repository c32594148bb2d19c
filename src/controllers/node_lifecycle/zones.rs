//! Zones: how much of each is down, and how fast its nodes are given up.

use super::health::{taints_of, zone_key};
use super::timed_queue::{Limiter, TimedQueue};
use super::{NodeSettings, Watched, clock, no_execute};
use crate::api::{ConditionStatus, Key, Node};
use crate::controllers::{Plan, View, Write};
use crate::time::Instant;
use crate::trace::Why;
use std::collections::BTreeMap;
use std::sync::Arc;

/// How much of a zone is down.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ZoneState {
    /// Not worked out yet.
    Initial,
    /// Little or nothing.
    Normal,
    /// Much, and more than two nodes.
    PartialDisruption,
    /// Everything.
    FullDisruption,
}

/// The state of a zone with so many ready and other nodes.
///
/// Upstream: `nodelifecycle/node_lifecycle_controller.go ComputeZoneState`
#[must_use]
pub fn zone_state(ready: u32, not_ready: u32, threshold: f32) -> ZoneState {
    if ready == 0 && not_ready > 0 {
        return ZoneState::FullDisruption;
    }
    let part = not_ready as f32 / (not_ready + ready) as f32;
    if not_ready > 2 && part >= threshold { ZoneState::PartialDisruption } else { ZoneState::Normal }
}

/// What a pass means for the cluster as a whole.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Turn {
    /// Nothing.
    None,
    /// No zone has a ready node any more. That is rather the control plane's
    /// fault than the nodes', so nothing is evicted.
    EverythingLost,
    /// After that, some node is ready again.
    SomethingIsBack,
}

#[derive(Clone, Debug)]
struct Zone {
    /// `None` once it has no nodes.
    state: Option<ZoneState>,
    queue: TimedQueue,
    limiter: Limiter,
    ready: u32,
    not_ready: u32,
}

/// The zones of a cluster.
#[derive(Clone, Debug)]
pub(super) struct Zones {
    settings: NodeSettings,
    zones: BTreeMap<Arc<str>, Zone>,
}

impl Zones {
    pub(super) fn new(settings: &NodeSettings) -> Zones {
        Zones { settings: settings.clone(), zones: BTreeMap::new() }
    }

    fn fresh(&self) -> Zone {
        Zone {
            state: Some(ZoneState::Initial),
            queue: TimedQueue::default(),
            limiter: Limiter::new(self.settings.eviction_rate),
            ready: 0,
            not_ready: 0,
        }
    }

    /// Sees to it that a zone is known. One that had lost all its nodes
    /// begins anew.
    ///
    /// Upstream: `nodelifecycle/node_lifecycle_controller.go addPodEvictorForNewZone`
    pub(super) fn ensure(&mut self, zone: &Arc<str>) {
        match self.zones.get(zone) {
            Some(known) if known.state.is_some() => {}
            known => {
                let (ready, not_ready) = known.map_or((0, 0), |z| (z.ready, z.not_ready));
                let fresh = Zone { ready, not_ready, ..self.fresh() };
                self.zones.insert(zone.clone(), fresh);
            }
        }
    }

    /// Counts a node.
    pub(super) fn count(&mut self, zone: &Arc<str>, ready: bool, sign: i32) {
        let Some(zone) = self.zones.get_mut(zone) else { return };
        let count = if ready { &mut zone.ready } else { &mut zone.not_ready };
        *count = count.saturating_add_signed(sign);
    }

    /// Every zone is in the state that its nodes put it in, and was before.
    pub(super) fn settle_in(&mut self) {
        for zone in self.zones.values_mut() {
            zone.state = Some(zone_state(zone.ready, zone.not_ready, self.settings.unhealthy_zone));
        }
    }

    /// Queues a node for its taint, or sees to it that it has none. Answers
    /// whether there is nothing left to do for it.
    ///
    /// Upstream: `nodelifecycle/node_lifecycle_controller.go processTaintBaseEviction`, `markNodeForTainting`
    pub(super) fn evict(
        &mut self,
        key: Key,
        node: &Node,
        current: ConditionStatus,
        now: Instant,
        plan: &mut Plan,
    ) -> bool {
        let Some((taint, opposite)) = taints_of(current) else {
            self.mark_reachable(key, node, Why::NodeReachable, plan);
            return true;
        };
        if node.has_taint(&opposite) {
            plan.because_of(key, key, Why::NodeTaintSwapped);
            plan.write(Write::Taint { node: key, taint, present: true });
            plan.write(Write::Taint { node: key, taint: opposite, present: false });
            return true;
        }
        let Some(zone) = self.zones.get_mut(&zone_key(node)) else { return true };
        let tainted = node.has_taint(&taint);
        if !tainted {
            zone.queue.remove(&node.meta.name);
        }
        // Writes take time, so a node that is queued after some is queued
        // later than one before them; nodes queued without any are equal.
        let at = Instant(now.0 + plan.writes.len() as i64);
        zone.queue.add(&node.meta.name, at);
        tainted
    }

    /// Takes the taints off a node that can be reached.
    ///
    /// Upstream: `nodelifecycle/node_lifecycle_controller.go markNodeAsReachable`
    pub(super) fn mark_reachable(&mut self, key: Key, node: &Node, why: Why, plan: &mut Plan) {
        let on: Vec<_> = [crate::api::UNREACHABLE, crate::api::NOT_READY]
            .map(no_execute)
            .into_iter()
            .filter(|t| node.has_taint(t))
            .collect();
        if !on.is_empty() {
            plan.because_of(key, key, why);
        }
        for taint in on {
            plan.write(Write::Taint { node: key, taint, present: false });
        }
        if let Some(zone) = self.zones.get_mut(&zone_key(node)) {
            zone.queue.remove(&node.meta.name);
        }
    }

    /// Works out every zone's state and sets its rate.
    ///
    /// Upstream: `nodelifecycle/node_lifecycle_controller.go handleDisruption`
    pub(super) fn judge(&mut self, now: Instant) -> Turn {
        let threshold = self.settings.unhealthy_zone;
        let state_of = |zone: &Zone| zone_state(zone.ready, zone.not_ready, threshold);
        let mut all_are = true;
        for zone in self.zones.values_mut().filter(|zone| zone.ready + zone.not_ready > 0) {
            all_are &= state_of(zone) == ZoneState::FullDisruption;
            zone.state = zone.state.or(Some(ZoneState::Initial));
        }
        let mut all_were = true;
        for zone in self.zones.values_mut() {
            match zone.state {
                None => {}
                Some(_) if zone.ready + zone.not_ready == 0 => zone.state = None,
                Some(ZoneState::FullDisruption) => {}
                Some(_) => {
                    all_were = false;
                    break;
                }
            }
        }
        if all_are && all_were {
            return Turn::None;
        }
        let settings = &self.settings;
        for zone in self.zones.values_mut().filter(|zone| zone.state.is_some()) {
            let new = state_of(zone);
            if all_are {
                zone.limiter.swap(0.0, now);
                zone.state = Some(ZoneState::FullDisruption);
            } else if all_were || zone.state != Some(new) {
                zone.limiter.swap(rate(new, zone.ready + zone.not_ready, settings), now);
                zone.state = Some(new);
            }
        }
        match (all_are, all_were) {
            (true, _) => Turn::EverythingLost,
            (false, true) => Turn::SomethingIsBack,
            (false, false) => Turn::None,
        }
    }

    /// When a node that waits may be tainted.
    pub(super) fn next_turn(&self) -> Option<Instant> {
        let turn = |zone: &Zone| Some(zone.limiter.available_at()?.max(zone.queue.head()?.0));
        self.zones.values().filter_map(turn).min()
    }

    /// Taints the nodes whose turn it is.
    ///
    /// Upstream: `nodelifecycle/node_lifecycle_controller.go doNoExecuteTaintingPass`
    pub(super) fn taint(&mut self, nodes: &BTreeMap<Arc<str>, Watched>, view: View<'_>, plan: &mut Plan) {
        let now = clock(view);
        for zone in self.zones.values_mut() {
            while let Some((at, name)) = zone.queue.head().cloned() {
                if !zone.limiter.try_accept(now) || now < at {
                    break;
                }
                zone.queue.done(&name);
                let node = nodes.get(&name).and_then(|w| w.present);
                let Some((key, node)) = node.and_then(|key| Some((key, view.cache.nodes.get(key)?))) else { continue };
                let Some((taint, opposite)) = taints_of(node.ready) else { continue };
                plan.because_of(key, key, Why::NodeTaintTurn);
                plan.write(Write::Taint { node: key, taint, present: true });
                if node.has_taint(&opposite) {
                    plan.write(Write::Taint { node: key, taint: opposite, present: false });
                }
            }
        }
    }
}

/// Nodes a second that may be given up in a zone.
///
/// Upstream: `nodelifecycle/node_lifecycle_controller.go setLimiterInZone`, `ReducedQPSFunc`
fn rate(state: ZoneState, nodes: u32, settings: &NodeSettings) -> f32 {
    match state {
        ZoneState::PartialDisruption if nodes > settings.large_cluster_size => settings.secondary_eviction_rate,
        ZoneState::PartialDisruption => 0.0,
        ZoneState::Initial | ZoneState::Normal | ZoneState::FullDisruption => settings.eviction_rate,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_is_disrupted_by_part_and_by_number() {
        for (ready, not_ready, state) in [
            (3, 0, ZoneState::Normal),
            (0, 1, ZoneState::FullDisruption),
            (1, 2, ZoneState::Normal),
            (2, 3, ZoneState::PartialDisruption),
            (9, 11, ZoneState::PartialDisruption),
            (10, 10, ZoneState::Normal),
            (0, 0, ZoneState::Normal),
        ] {
            assert_eq!(zone_state(ready, not_ready, 0.55), state, "{ready} {not_ready}");
        }
    }

    #[test]
    fn only_large_zones_are_evicted_when_much_is_down() {
        let settings = NodeSettings::default();
        for (state, nodes, expected) in [
            (ZoneState::Normal, 10, 0.1),
            (ZoneState::FullDisruption, 10, 0.1),
            (ZoneState::PartialDisruption, 50, 0.0),
            (ZoneState::PartialDisruption, 51, 0.01),
        ] {
            assert!((rate(state, nodes, &settings) - expected).abs() < f32::EPSILON, "{state:?} {nodes}");
        }
    }
}
