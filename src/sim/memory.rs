//! What kubelets do when their nodes are short of memory.
//!
//! Only nodes with a pod of which the scenario says how much memory it uses
//! are looked at; all other pods use what they have asked for.

use super::event::{Event, PodRef};
use super::queue::Urgency;
use super::{RecordId, Simulation};
use crate::api::{Key, Pod, Pressure};
use crate::controllers::Notice;
use crate::environment::{MemoryUser, first_to_go, in_binary_units};
use crate::time::{SECOND, SimTime, Span};
use crate::trace::{What, Why};

/// How often a kubelet looks.
///
/// Upstream: `pkg/kubelet/kubelet.go evictionMonitoringPeriod`
const PERIOD: u64 = 10 * SECOND;

/// How often it looks whether a pod that it evicts is gone, and for how long.
///
/// Upstream: `pkg/kubelet/eviction/eviction_manager.go waitForPodsCleanup`
const POLL: Span = Span::from_secs(1);
const PATIENCE: Span = Span::from_secs(30);

/// For how long a node stays under pressure after the last time that it was.
///
/// Upstream: `pkg/kubelet/apis/config/v1beta1/defaults.go` `EvictionPressureTransitionPeriod`
const TRANSITION: Span = Span::from_secs(300);

/// The grace of a pod that is evicted because a hard threshold is met.
///
/// Upstream: `pkg/kubelet/eviction/eviction_manager.go immediateEvictionGracePeriodSeconds`
const GRACE_SECONDS: u32 = 1;

/// What must be left of the memory that pods may use, beyond the node's
/// allocatable: the threshold that is met when they use all of that.
///
/// Upstream: `pkg/kubelet/eviction/defaults_linux.go DefaultEvictionHard`
const THRESHOLD: i64 = 100 << 20;

/// What a kubelet remembers of its memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Watched {
    /// When there was too little the last time, if the node is under pressure.
    short_at: Option<SimTime>,
    /// The pod that is being evicted, and since when.
    evicting: Option<(PodRef, SimTime)>,
}

/// A container that uses more memory than it may.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Overuse {
    /// How long after its start it does.
    pub(super) after: Span,
    /// Bytes that it uses then.
    used: i64,
    /// Bytes that it may use.
    limit: i64,
}

/// What a node's pods use.
struct Usage {
    pods: Vec<(PodRef, MemoryUser)>,
    total: i64,
    /// Whether the scenario says anything of one of them.
    measured: bool,
}

impl Simulation {
    /// When the start in progress comes to use more memory than its limit: the
    /// kernel kills it then.
    ///
    /// Upstream: `pkg/kubelet/kuberuntime/kuberuntime_container_linux.go generateLinuxContainerResources`
    pub(super) fn overuse(&self, pod: PodRef) -> Option<Overuse> {
        if !self.behaviour.has_memory() {
            return None;
        }
        let limit = self.pod(pod)?.template.memory_limit()?;
        let (after, used) = self.behaviour.memory(&self.identity(pod)?)?.exceeds(limit)?;
        Some(Overuse { after, used, limit })
    }

    /// Notes why a container is killed, if it is for its memory. Answers what
    /// its end comes of.
    pub(super) fn note_overuse(&mut self, pod: PodRef, overuse: Option<Overuse>) -> RecordId {
        let cause = self.latest(pod);
        let Some(Overuse { used, limit, .. }) = overuse else { return cause };
        let why = Why::OverMemoryLimit { used_mebibytes: used >> 20, limit_mebibytes: limit >> 20 };
        self.recorder.note(cause, pod.key().uid, What::Decided(why))
    }

    /// A pod's containers run: its kubelet keeps an eye on the memory.
    pub(super) fn uses_memory(&mut self, pod: PodRef) {
        if !self.behaviour.has_memory() {
            return;
        }
        let Some(node) = self.pod(pod).and_then(|row| row.node) else { return };
        let measured = self.identity(pod).is_some_and(|identity| self.behaviour.memory(&identity).is_some());
        if measured && !self.memory.contains_key(&node) {
            self.memory.insert(node, Watched::default());
            self.look_at_memory_in_turn(node);
        }
    }

    fn look_at_memory_in_turn(&mut self, node: Key) {
        let turn = SimTime((self.now.0 / PERIOD + 1) * PERIOD);
        self.queue.push(turn, Urgency::First, Event::Memory(PodRef::of(node)));
    }

    /// A kubelet looks whether its pods use more than they may, and evicts
    /// one of them if so.
    ///
    /// Upstream: `pkg/kubelet/eviction/eviction_manager.go synchronize`
    pub(super) fn look_at_memory(&mut self, node: Key) {
        let Some(mut watched) = self.memory.remove(&node) else { return };
        let Some(row) = self.store.objects().nodes.get(node) else { return };
        let may_use = row.allocatable.memory_milli / 1000;
        if self.dead.contains(&node) {
            return;
        }
        let asleep = self.until_awake(Some(node));
        let waits = watched.evicting.is_some_and(|(pod, since)| {
            self.now < since.after(PATIENCE) && self.pod(pod).is_some_and(|row| !row.is_finished())
        });
        if asleep > Span::ZERO || waits {
            self.memory.insert(node, watched);
            let wait = asleep.max(POLL);
            self.queue.push(self.now.after(wait), Urgency::First, Event::Memory(PodRef::of(node)));
            return;
        }
        watched.evicting = None;
        let usage = self.memory_of(node);
        if usage.total > may_use {
            self.is_short(node, &mut watched, &usage, may_use);
        } else if watched.short_at.is_some_and(|at| self.now >= at.after(TRANSITION)) {
            watched.short_at = None;
            let cause = usage.pods.first().map_or(RecordId::NONE, |(pod, _)| self.latest(*pod));
            self.report_pressure(node, Pressure::Memory, false, cause);
        }
        if watched.evicting.is_some() {
            self.queue.push(self.now.after(POLL), Urgency::First, Event::Memory(PodRef::of(node)));
        } else if usage.measured || watched.short_at.is_some() {
            self.look_at_memory_in_turn(node);
        } else {
            return;
        }
        self.memory.insert(node, watched);
    }

    fn memory_of(&self, node: Key) -> Usage {
        let mut usage = Usage { pods: Vec::new(), total: 0, measured: false };
        for (key, row) in self.store.objects().pods_on(node) {
            let pod = PodRef::of(key);
            let Some(runtime) = self.runtime(pod).filter(|runtime| runtime.running && !row.is_finished()) else {
                continue;
            };
            let request = row.template.requests.memory_milli / 1000;
            let model = self.identity(pod).and_then(|identity| self.behaviour.memory(&identity).cloned());
            usage.measured |= model.is_some();
            let bytes = model.map_or(request, |model| model.at(self.now.since(runtime.started_at)));
            usage.total += bytes;
            // One that ends already is not evicted as well.
            if runtime.end_code.is_none() {
                let priority = self.priorities.of(&row.template.placement);
                let user = MemoryUser { name: row.meta.name.clone(), priority, usage: bytes, request };
                usage.pods.push((pod, user));
            }
        }
        usage
    }

    /// The node is under pressure, and one of its pods has to go.
    fn is_short(&mut self, node: Key, watched: &mut Watched, usage: &Usage, may_use: i64) {
        // The pod that uses most has brought this about.
        let Some((most, _)) = usage.pods.iter().max_by_key(|(_, user)| user.usage) else { return };
        let cause = self.latest(*most);
        if watched.short_at.replace(self.now).is_none() {
            self.report_pressure(node, Pressure::Memory, true, cause);
        }
        self.recorder.last = cause;
        self.announce(node, &Notice::warning("EvictionThresholdMet", "Attempting to reclaim memory"));
        let users: Vec<MemoryUser> = usage.pods.iter().map(|(_, user)| user.clone()).collect();
        let Some(chosen) = first_to_go(&users) else { return };
        let left = (may_use + THRESHOLD - usage.total).max(0);
        let (pod, user) = &usage.pods[chosen];
        let words = self.pod(*pod).map(|row| why_evicted(row, user, left)).unwrap_or_default();
        self.announce(pod.key(), &Notice::warning("Evicted", words));
        self.evict_by_kubelet(*pod);
        watched.evicting = Some((*pod, self.now));
    }

    fn evict_by_kubelet(&mut self, pod: PodRef) {
        let Some(end) = self.plan_termination(pod, GRACE_SECONDS) else { return };
        let Some(runtime) = self.runtime_mut(pod) else { return };
        runtime.end_code = Some(end.exit_code);
        runtime.evicted = true;
        self.later(end.after, Event::Terminated(pod, 0));
        self.app_hears_sigterm(pod);
    }
}

/// Upstream: `pkg/kubelet/eviction/helpers.go evictionMessage`
fn why_evicted(row: &Pod, user: &MemoryUser, left: i64) -> String {
    let threshold = in_binary_units(THRESHOLD);
    let left = in_binary_units(left);
    let low = format!("The node was low on resource: memory. Threshold quantity: {threshold}, available: {left}. ");
    if !user.exceeds_request() {
        return low;
    }
    let container = row.template.containers.first().map_or("", |container| &container.name);
    let (usage, request) = (in_binary_units(user.usage), in_binary_units(user.request));
    format!("{low}Container {container} was using {usage}, request is {request}, has larger consumption of memory. ")
}
