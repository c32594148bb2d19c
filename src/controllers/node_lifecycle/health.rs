//! One pass of the monitor: what has become of each node since the last one.

use super::{Health, NodeLifecycle, Watched, clock, no_execute};
use crate::api::{ConditionStatus, Key, Node};
use crate::api::{NOT_READY, UNREACHABLE};
use crate::controllers::{ObjectNotice, Plan, Version, View, Write};
use crate::time::Instant;
use crate::trace::Why;
use std::sync::Arc;

/// Nodes with this label do not count when the state of a zone is worked out.
const EXCLUDED: &str = "node.kubernetes.io/exclude-disruption";

impl NodeLifecycle {
    /// Upstream: `nodelifecycle/node_lifecycle_controller.go monitorNodeHealth`
    pub(super) fn monitor(&mut self, view: View<'_>, plan: &mut Plan) {
        let now = clock(view);
        while let Some((deadline, name)) = self.deadlines.first().filter(|(deadline, _)| *deadline < now).cloned() {
            self.deadlines.remove(&(deadline, name.clone()));
            self.attention.insert(name);
        }
        let names = std::mem::take(&mut self.attention);
        for name in &names {
            self.classify(name, view, plan);
        }
        for name in &names {
            self.check(name, view, plan);
        }
        self.handle_disruption(view, plan);
    }

    /// As if the controller had watched since before the run: every node is
    /// known, and nothing has been wrong.
    pub(super) fn know_all(&mut self, since: Instant, view: View<'_>) {
        for name in std::mem::take(&mut self.attention) {
            let Some((key, node)) = self.node(&name, view) else { continue };
            let zone = zone_key(node);
            self.zones.ensure(&zone);
            let Some(watched) = self.nodes.get_mut(&name) else { continue };
            watched.known = Some(key);
            watched.health = Some(Health { probe: since, heartbeat: node.heartbeat, ready: node.ready });
            watched.count(&mut self.zones, node, node.ready);
        }
        self.zones.settle_in();
    }

    fn node<'a>(&self, name: &Arc<str>, view: View<'a>) -> Option<(Key, &'a Node)> {
        let key = self.nodes.get(name)?.present?;
        Some((key, view.cache.nodes.get(key)?))
    }

    /// Nodes that have come or gone.
    ///
    /// Upstream: `nodelifecycle/node_lifecycle_controller.go classifyNodes`
    fn classify(&mut self, name: &Arc<str>, view: View<'_>, plan: &mut Plan) {
        let found = self.node(name, view);
        let Some(watched) = self.nodes.get_mut(name) else { return };
        match (watched.known, found) {
            (known, Some((key, node))) => {
                watched.known = Some(key);
                self.zones.ensure(&zone_key(node));
                if known.is_none() {
                    notice(plan, key, "RegisteredNode", "Node {} event: Registered Node {} in Controller");
                    self.zones.mark_reachable(key, node, Why::NodeReachable, plan);
                }
            }
            (known, None) => {
                if let Some(key) = known {
                    notice(plan, key, "RemovingNode", "Node {} event: Removing Node {} from Controller");
                }
                watched.uncount(&mut self.zones);
                if let Some(deadline) = watched.deadline {
                    self.deadlines.remove(&(deadline, name.clone()));
                }
                self.nodes.remove(name);
            }
        }
    }

    /// Looks at one node.
    fn check(&mut self, name: &Arc<str>, view: View<'_>, plan: &mut Plan) {
        let Some((key, node)) = self.node(name, view) else { return };
        let observed = node.ready;
        let current = self.update_health(name, key, node, view, plan);
        let Some(watched) = self.nodes.get_mut(name) else { return };
        watched.count(&mut self.zones, node, current);
        let tainted = self.zones.evict(key, node, current, clock(view), plan);
        if current != ConditionStatus::True && !tainted {
            // It is put into the queue anew by every pass until it is tainted.
            self.attention.insert(name.clone());
        }
        let lost = current != ConditionStatus::True && observed == ConditionStatus::True;
        if lost {
            notice(plan, key, "NodeNotReady", "Node {} status is now: NodeNotReady");
        }
        let again = self.retry.remove(name) && observed != ConditionStatus::True;
        if lost || again {
            for (pod, row) in view.cache.pods_on(key) {
                if row.ready {
                    plan.write(Write::PodUnready { pod, version: Version::Cached(row.meta.resource_version) });
                }
            }
        }
    }

    /// Finds out when the node was last heard of, and gives it up if that is
    /// too long ago. Answers its `Ready` condition after that.
    ///
    /// Upstream: `nodelifecycle/node_lifecycle_controller.go tryUpdateNodeHealth`
    fn update_health(
        &mut self,
        name: &Arc<str>,
        key: Key,
        node: &Node,
        view: View<'_>,
        plan: &mut Plan,
    ) -> ConditionStatus {
        let (now, grace) = (clock(view), self.settings.monitor_grace.0 as i64);
        let Some(watched) = self.nodes.get_mut(name) else { return node.ready };
        let fresh = Health { probe: now, heartbeat: node.heartbeat, ready: node.ready };
        let mut health = watched.health.filter(|old| old.heartbeat == node.heartbeat).unwrap_or(fresh);
        if let (Some(renewed), Some(ticks)) = (watched.last_renewal, &self.ticks) {
            health.probe = health.probe.max(ticks.not_before(renewed).min(now));
        }
        health.probe = health.probe.max(self.reprieve);
        let deadline = Instant(health.probe.0 + grace);
        let silent = watched.last_renewal.is_some();
        let mut current = node.ready;
        if silent && now > deadline {
            current = ConditionStatus::Unknown;
            if node.ready != ConditionStatus::Unknown {
                health.ready = current;
                let seconds = (now.0 - health.probe.0) / crate::time::SECOND as i64;
                plan.because_of(key, key, Why::NodeSilent { seconds: seconds as i32 });
                plan.write(Write::NodeUnknown { node: key });
            }
        }
        watched.health = Some(health);
        if let Some(old) = watched.deadline.take() {
            self.deadlines.remove(&(old, name.clone()));
        }
        if silent && current != ConditionStatus::Unknown {
            watched.deadline = Some(deadline);
            self.deadlines.insert((deadline, name.clone()));
        }
        current
    }

    /// Upstream: `nodelifecycle/node_lifecycle_controller.go handleDisruption`
    fn handle_disruption(&mut self, view: View<'_>, plan: &mut Plan) {
        let now = clock(view);
        match self.zones.judge(now) {
            super::zones::Turn::None => {}
            super::zones::Turn::EverythingLost => {
                for watched in self.nodes.values() {
                    if let Some((key, node)) = watched.present.and_then(|key| Some((key, view.cache.nodes.get(key)?))) {
                        self.zones.mark_reachable(key, node, Why::NoZoneReady, plan);
                    }
                }
            }
            super::zones::Turn::SomethingIsBack => self.reprieve = now,
        }
    }
}

impl Watched {
    /// Counts the node in its zone.
    fn count(&mut self, zones: &mut super::Zones, node: &Node, current: ConditionStatus) {
        self.uncount(zones);
        if node.meta.labels.get(EXCLUDED).is_none() {
            let (zone, ready) = (zone_key(node), current == ConditionStatus::True);
            zones.count(&zone, ready, 1);
            self.counted = Some((zone, ready));
        }
    }

    fn uncount(&mut self, zones: &mut super::Zones) {
        if let Some((zone, ready)) = self.counted.take() {
            zones.count(&zone, ready, -1);
        }
    }
}

/// Marks a pod that came to a node which is not ready.
pub(super) fn mark_pod(pod: Key, view: View<'_>, plan: &mut Plan) {
    if let Some(row) = view.cache.pods.get(pod).filter(|row| row.ready) {
        plan.write(Write::PodUnready { pod, version: Version::Cached(row.meta.resource_version) });
    }
}

fn notice(plan: &mut Plan, node: Key, reason: &'static str, message: &str) {
    plan.notices.push(ObjectNotice { about: node, reason, message: message.to_string(), object: node, warning: false });
}

/// What tells zones apart: region and zone, or nothing if there is neither.
///
/// Upstream: `staging/src/k8s.io/component-helpers/node/topology/helpers.go GetZoneKey`
pub(super) fn zone_key(node: &Node) -> Arc<str> {
    let label = |name: &str, old: &str| {
        let labels = &node.meta.labels;
        labels.get(name).or_else(|| labels.get(old)).unwrap_or("").to_string()
    };
    let region = label("topology.kubernetes.io/region", "failure-domain.beta.kubernetes.io/region");
    let zone = label("topology.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/zone");
    if region.is_empty() && zone.is_empty() { "".into() } else { format!("{region}/{zone}").into() }
}

/// The taint for a state, and the one that must not be beside it.
pub(super) fn taints_of(ready: ConditionStatus) -> Option<(crate::api::Taint, crate::api::Taint)> {
    match ready {
        ConditionStatus::True => None,
        ConditionStatus::False => Some((no_execute(NOT_READY), no_execute(UNREACHABLE))),
        ConditionStatus::Unknown => Some((no_execute(UNREACHABLE), no_execute(NOT_READY))),
    }
}
