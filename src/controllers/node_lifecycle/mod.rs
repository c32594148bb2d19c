//! The node lifecycle controller: notices kubelets that have fallen silent,
//! marks their pods not ready, and has their nodes tainted, so that the pods
//! are evicted; all of it slower, or not at all, where much is broken at once.

mod health;
mod taints;
mod timed_queue;
mod zones;

pub use taints::NodeTaints;
pub use zones::{ZoneState, zone_state};

use super::ticks::Ticks;
use super::{Controller, Plan, Reaction, SyncError, View, WorkQueue, Write};
use crate::api::{ConditionStatus, Effect, Key, Kind, Taint, Uid};
use crate::cluster::{ApiError, Change, Verb};
use crate::time::{Instant, Span, Timestamp};
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use zones::Zones;

/// The settings of kube-controller-manager that decide how fast a lost node
/// is noticed and left.
#[derive(Clone, PartialEq, Debug)]
pub struct NodeSettings {
    /// `--node-monitor-period`
    pub monitor_period: Span,
    /// `--node-monitor-grace-period`
    pub monitor_grace: Span,
    /// `--node-eviction-rate`: nodes a second and zone.
    pub eviction_rate: f32,
    /// `--secondary-node-eviction-rate`: the same in a large zone of which
    /// much is down.
    pub secondary_eviction_rate: f32,
    /// `--large-cluster-size-threshold`: zones of at most so many nodes are
    /// left alone when much of them is down.
    pub large_cluster_size: u32,
    /// `--unhealthy-zone-threshold`: which part of a zone is much.
    pub unhealthy_zone: f32,
}

impl Default for NodeSettings {
    fn default() -> Self {
        NodeSettings {
            monitor_period: Span::from_secs(5),
            monitor_grace: Span::from_secs(50),
            eviction_rate: 0.1,
            secondary_eviction_rate: 0.01,
            large_cluster_size: 50,
            unhealthy_zone: 0.55,
        }
    }
}

/// The key by which the work queue knows the monitor's passes.
const MONITOR: Key = Key { kind: Kind::Cluster, slot: 0, uid: Uid(0) };
/// The key by which the work queue knows the passes that taint nodes.
const TAINTING: Key = Key { kind: Kind::Cluster, slot: 1, uid: Uid(0) };

/// How long a pass of the monitor takes that does nothing.
const IDLE_PASS: Span = Span::from_ns(100);
/// Time between passes that taint nodes.
const TAINTING_PERIOD: Span = Span::from_ms(100);
/// How long after the monitor's first pass the first one that taints comes.
const TAINTING_DELAY: Span = Span::from_us(200);

fn no_execute(key: &str) -> Taint {
    Taint::new(key, Effect::NoExecute)
}

/// What is known of a node.
#[derive(Clone, Debug)]
struct Watched {
    /// The node as it was when it was registered, until its removal is noticed.
    known: Option<Key>,
    /// The node as it is in the cache.
    present: Option<Key>,
    /// Its zone, once it counts in one.
    counted: Option<(Arc<str>, bool)>,
    health: Option<Health>,
    /// When its Lease was last renewed, if that has ended: as long as it goes
    /// on, nothing depends on it.
    last_renewal: Option<Instant>,
    /// When it will be seen to be silent, if its renewals have ended.
    deadline: Option<Instant>,
}

/// Upstream: `nodelifecycle/node_lifecycle_controller.go nodeHealthData`
#[derive(Clone, Copy, Debug)]
struct Health {
    /// When the last sign of life was seen.
    probe: Instant,
    /// The heartbeat that was seen last.
    heartbeat: Timestamp,
    /// The status that came with it.
    ready: ConditionStatus,
}

/// The node lifecycle controller's memory.
///
/// The monitor looks at every node every few seconds. Here it looks at those
/// for which something can have changed, and only at the times when one of
/// them can have: what a healthy node's last pass was follows from its Lease.
#[derive(Clone, Debug)]
pub struct NodeLifecycle {
    settings: NodeSettings,
    /// Its passes, once it has begun.
    ticks: Option<Ticks>,
    /// When its first pass was, and when the present one began.
    first_pass: Instant,
    last_pass: Option<Instant>,
    in_pass: bool,
    nodes: BTreeMap<Arc<str>, Watched>,
    names: FxHashMap<Uid, Arc<str>>,
    /// The nodes that the next pass has to look at.
    attention: BTreeSet<Arc<str>>,
    deadlines: BTreeSet<(Instant, Arc<str>)>,
    zones: Zones,
    /// Nodes whose pods could not all be marked.
    retry: FxHashSet<Arc<str>>,
    /// No sign of life counts as older than this.
    reprieve: Instant,
}

impl NodeLifecycle {
    /// A new process.
    pub fn new(settings: NodeSettings) -> NodeLifecycle {
        NodeLifecycle {
            zones: Zones::new(&settings),
            settings,
            ticks: None,
            first_pass: Instant(0),
            last_pass: None,
            in_pass: false,
            nodes: BTreeMap::new(),
            names: FxHashMap::default(),
            attention: BTreeSet::new(),
            deadlines: BTreeSet::new(),
            retry: FxHashSet::default(),
            reprieve: Instant(i64::MIN),
        }
    }

    /// Asks for the next pass at which something can happen.
    fn arm(&mut self, now: Instant, queue: &mut WorkQueue) {
        let Some(ticks) = self.ticks.as_ref().filter(|_| !self.in_pass) else { return };
        let next = Instant(self.last_pass.map_or(now.0, |last| now.0.max(last.0 + 1)));
        let at = if self.attention.is_empty() {
            self.deadlines.first().map(|(deadline, _)| ticks.after(*deadline))
        } else {
            Some(ticks.not_before(next))
        };
        if let Some(at) = at {
            queue.add_after(MONITOR, until(now, at));
        }
        if let Some(at) = self.zones.next_turn() {
            let first = self.first_pass.0 + TAINTING_DELAY.0 as i64;
            let period = TAINTING_PERIOD.0;
            let passes = ((at.0.max(now.0 + 1) - first).max(0) as u64).div_ceil(period);
            queue.add_after(TAINTING, until(now, Instant(first + (passes * period) as i64)));
        }
    }

    fn observe_node(&mut self, change: &Change, view: View<'_>) {
        let name = match view.cache.nodes.get(change.key) {
            Some(node) => node.meta.name.clone(),
            None => match self.names.get(&change.key.uid) {
                Some(name) => name.clone(),
                None => return,
            },
        };
        let gone = change.verb == Verb::Deleted;
        let watched = self.nodes.entry(name.clone()).or_insert(Watched {
            known: None,
            present: None,
            counted: None,
            health: None,
            last_renewal: None,
            deadline: None,
        });
        if !gone {
            watched.present = Some(change.key);
            self.names.insert(change.key.uid, name.clone());
        } else if watched.present == Some(change.key) {
            watched.present = None;
        }
        if gone {
            self.names.remove(&change.key.uid);
            self.retry.remove(&name);
        }
        self.attention.insert(name);
    }

    /// A pod that comes to a node that is not ready is not ready either.
    ///
    /// Upstream: `nodelifecycle/node_lifecycle_controller.go podUpdated`, `processPod`
    fn observe_pod(&self, change: &Change, view: View<'_>, queue: &mut WorkQueue) {
        let node = view.cache.pods.get(change.key).and_then(|pod| pod.node);
        let health = |node: Key| self.nodes.get(self.names.get(&node.uid)?)?.health;
        if node.and_then(health).is_some_and(|health| health.ready != ConditionStatus::True) {
            queue.add(change.key);
        }
    }
}

impl Controller for NodeLifecycle {
    fn kind(&self) -> Kind {
        Kind::Node
    }

    fn watches(&self, kind: Kind) -> bool {
        matches!(kind, Kind::Node | Kind::Pod | Kind::Lease)
    }

    fn start(&mut self, since: Instant, view: View<'_>, queue: &mut WorkQueue) {
        let now = clock(view);
        self.first_pass = since;
        self.ticks = Some(Ticks::new(since, self.settings.monitor_period, IDLE_PASS));
        if since < now {
            self.know_all(since, view);
            self.arm(now, queue);
        } else {
            queue.add(MONITOR);
        }
    }

    fn observe(&mut self, change: &Change, view: View<'_>, queue: &mut WorkQueue) {
        match change.key.kind {
            Kind::Node => self.observe_node(change, view),
            Kind::Lease => {
                let Some(lease) = view.cache.leases.get(change.key) else { return };
                let Some(name) = self.names.get(&lease.node.uid) else { return };
                let Some(watched) = self.nodes.get_mut(name) else { return };
                let now = clock(view).0;
                watched.last_renewal = lease.silent_after().map(|age| Instant(now - age.0 as i64));
                self.attention.insert(name.clone());
            }
            _ if change.node_changed && change.verb != Verb::Deleted => return self.observe_pod(change, view, queue),
            _ => return,
        }
        self.arm(clock(view), queue);
    }

    fn sync(&mut self, key: Key, view: View<'_>, plan: &mut Plan, queue: &mut WorkQueue) -> Result<(), SyncError> {
        let now = clock(view);
        match key {
            MONITOR => {
                let due = match (&self.ticks, self.last_pass) {
                    (Some(ticks), Some(last)) => ticks.after(last),
                    _ => now,
                };
                if now < due {
                    queue.add_after(MONITOR, until(now, due));
                    return Ok(());
                }
                self.in_pass = true;
                self.last_pass = Some(now);
                self.monitor(view, plan);
            }
            TAINTING => self.zones.taint(&self.nodes, view, plan),
            pod => health::mark_pod(pod, view, plan),
        }
        Ok(())
    }

    fn failed(&mut self, _key: Key, write: &Write, error: &ApiError, view: View<'_>, _plan: &mut Plan) -> Reaction {
        if let Write::PodUnready { pod, .. } = write
            && *error != ApiError::NotFound
            && let Some(node) = view.cache.pods.get(*pod).and_then(|pod| pod.node)
            && let Some(name) = self.names.get(&node.uid)
        {
            self.retry.insert(name.clone());
            self.attention.insert(name.clone());
        }
        Reaction::Ignore
    }

    fn finished(&mut self, key: Key, view: View<'_>, queue: &mut WorkQueue) {
        let now = clock(view);
        if key == MONITOR
            && self.in_pass
            && let (Some(ticks), Some(begin)) = (&mut self.ticks, self.last_pass)
        {
            self.in_pass = false;
            ticks.ran(begin, now);
        }
        self.arm(now, queue);
    }

    fn boxed_clone(&self) -> Box<dyn Controller + Send + Sync> {
        Box::new(self.clone())
    }
}

/// The clock by which the controller measures time.
const fn clock(view: View<'_>) -> Instant {
    view.monotonic
}

const fn until(now: Instant, at: Instant) -> Span {
    let wait = at.0 - now.0;
    Span(if wait > 0 { wait as u64 } else { 0 })
}
