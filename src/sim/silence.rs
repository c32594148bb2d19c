//! Kubelets that are not heard of though they live: their machine stood still,
//! or its clock was set back.

use super::Simulation;
use super::event::{Event, PodRef};
use crate::api::{ConditionStatus, Key, Lease, Pressure};
use crate::sim::Urgency;
use crate::time::{SimTime, Span};

/// How often a kubelet compares its node's status with what it knows.
///
/// Upstream: `pkg/kubelet/apis/config/v1beta1/defaults.go NodeStatusUpdateFrequency`
const STATUS_PERIOD: Span = Span::from_secs(10);

impl Simulation {
    /// The clock of a machine was set. If it was set back, renewals of its
    /// Lease are older than the newest one and count for nothing until the
    /// clock is where it was.
    ///
    /// Upstream: `nodelifecycle/node_lifecycle_controller.go tryUpdateNodeHealth`
    pub(super) fn renewals_after_step(&mut self, node: Key, by_ns: i64) {
        let by = Span(by_ns.unsigned_abs());
        let behind = self.hosts.behind.get(&node).copied();
        let until = match behind {
            None if by_ns >= 0 => return,
            Some(until) if by_ns >= 0 => SimTime(until.0.saturating_sub(by.0)).max(self.now),
            earlier => earlier.unwrap_or(self.now).after(by),
        };
        self.hosts.behind.insert(node, until);
        self.fall_silent(node);
        self.queue.push(until, Urgency::First, Event::CaughtUp(PodRef::of(node)));
    }

    /// A clock that was set back is where it was, unless it was set again.
    pub(super) fn catch_up(&mut self, node: Key) {
        if self.hosts.behind.get(&node).is_some_and(|&until| until <= self.now) {
            self.hosts.behind.remove(&node);
            self.speak_again(node);
        }
    }

    /// Whether renewals of a node's Lease are heard.
    pub(super) fn is_heard(&self, node: Key) -> bool {
        !self.dead.contains(&node) && !self.hosts.behind.contains_key(&node) && !self.hosts.is_frozen(node)
    }

    /// A node was given up. If its kubelet lives, it will not leave it at
    /// that: it sees so the next time that it compares.
    pub(super) fn expect_contradiction(&mut self, node: Key) {
        if self.dead.contains(&node) || self.hosts.is_frozen(node) {
            return;
        }
        let leases = &self.store.objects().leases;
        let name = self.store.objects().meta(node).map(|meta| meta.name.clone());
        let lease = name.and_then(|name| leases.get(leases.find(&Lease::NAMESPACE.into(), &name)?));
        let age = lease.map_or(0, |lease| self.true_time().nanos_since(lease.since).max(0) as u64);
        let wait = Span(STATUS_PERIOD.0 - age % STATUS_PERIOD.0);
        self.queue.push(self.now.after(wait), Urgency::First, Event::Contradict(PodRef::of(node)));
    }

    /// A kubelet whose node is said to be lost says how it is, and of which of
    /// its pods the controllers were wrong.
    ///
    /// Upstream: `pkg/kubelet/kubelet_node_status.go tryUpdateNodeStatus`,
    /// `pkg/kubelet/status/status_manager.go needsReconcile`
    pub(super) fn contradict(&mut self, node: Key) {
        let lost = self.store.objects().nodes.get(node).is_some_and(|row| row.ready == ConditionStatus::Unknown);
        if !lost || self.dead.contains(&node) || self.hosts.is_frozen(node) {
            return;
        }
        if !self.api_answers() {
            return self.later(STATUS_PERIOD, Event::Contradict(PodRef::of(node)));
        }
        let cause = self.recorder.latest_of(node.uid);
        let ready = if self.hosts.unwell.contains(&node) { ConditionStatus::False } else { ConditionStatus::True };
        self.post_status(node, cause, |row| {
            row.ready = ready;
            for pressure in Pressure::ALL {
                if row.pressures.get(pressure) == ConditionStatus::Unknown {
                    row.pressures.set(pressure, ConditionStatus::False);
                }
            }
        });
        let cause = self.recorder.last;
        let pods: Vec<Key> = self.store.objects().pods_on(node).into_iter().map(|(key, _)| key).collect();
        for pod in pods.into_iter().map(PodRef::of) {
            if self.runtime(pod).is_some_and(|runtime| runtime.overruled) {
                self.set_ready(pod, true, cause);
            }
        }
    }
}
