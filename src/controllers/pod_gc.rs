//! The pod garbage collector: pods whose node is gone, pods that cannot end
//! because their machine is out of service, and finished pods beyond number.

use super::ticks::Ticks;
use super::{Controller, Plan, Planned, Reaction, SyncError, View, WorkQueue, Write};
use crate::api::{ConditionStatus, Key, Kind, Node, Pod, Uid};
use crate::cluster::{ApiError, Change, Verb};
use crate::time::{Instant, Span};
use crate::trace::Why;
use rustc_hash::FxHashMap;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The default of `--terminated-pod-gc-threshold`.
pub const FINISHED_PODS: usize = 12_500;

/// Time between passes.
const PERIOD: Span = Span::from_secs(20);
/// How long a pass takes that does nothing.
const IDLE_PASS: Span = Span::from_us(1);
/// How long a node must have been missing.
const QUARANTINE_SECONDS: i64 = 40;
/// The taint by which people say that a machine will not come back.
const OUT_OF_SERVICE: &str = "node.kubernetes.io/out-of-service";

/// The key by which the work queue knows the passes.
const PASS: Key = Key { kind: Kind::Cluster, slot: 0, uid: Uid(0) };

/// A node that is gone, or was.
#[derive(Clone, Copy, Debug)]
struct Missing {
    /// The last one of that name.
    node: Key,
    /// When it is certain that it is gone, once that has begun to be counted.
    certain: Option<Instant>,
}

/// The pod garbage collector's memory. Passes that would find nothing are
/// left out.
#[derive(Clone, Debug)]
pub struct PodGc {
    /// `--terminated-pod-gc-threshold`; 0 for no limit.
    threshold: usize,
    ticks: Option<Ticks>,
    in_pass: Option<Instant>,
    /// The names of nodes there are or were, by which pods go.
    names: FxHashMap<Uid, Arc<str>>,
    /// Nodes that are gone and may have left pods, by name: what is counted of
    /// one goes on if it comes again and goes once more.
    missing: BTreeMap<Arc<str>, Missing>,
    /// Nodes that are out of service.
    out_of_service: BTreeSet<Key>,
    /// Pods that are being deleted and were never bound.
    unbound: BTreeSet<Key>,
}

impl PodGc {
    /// A new process that keeps at most `threshold` finished pods; 0 keeps
    /// them all.
    pub fn new(threshold: usize) -> PodGc {
        PodGc {
            threshold,
            ticks: None,
            in_pass: None,
            names: FxHashMap::default(),
            missing: BTreeMap::new(),
            out_of_service: BTreeSet::new(),
            unbound: BTreeSet::new(),
        }
    }

    /// Asks for the next pass at which there is something to do.
    fn arm(&self, view: View<'_>, queue: &mut WorkQueue) {
        let Some(ticks) = self.ticks.as_ref().filter(|_| self.in_pass.is_none()) else { return };
        let now = clock(view);
        let at_once = !self.unbound.is_empty()
            || self.missing.values().any(|missing| missing.certain.is_none())
            || self.has_excess(view)
            || self.out_of_service.iter().any(|&node| !stuck(node, view).is_empty());
        let next = ticks.after(now);
        let at = if at_once {
            Some(next)
        } else {
            self.missing.values().filter_map(|missing| missing.certain).min().map(|at| next.max(ticks.not_before(at)))
        };
        if let Some(at) = at {
            queue.add_after(PASS, Span((at.0 - now.0).max(0) as u64));
        }
    }

    fn has_excess(&self, view: View<'_>) -> bool {
        self.threshold > 0 && view.cache.finished_pods() > self.threshold
    }

    /// Upstream: `podgc/gc_controller.go gcTerminated`
    fn collect_finished(&self, view: View<'_>, plan: &mut Plan) {
        if !self.has_excess(view) {
            return;
        }
        let mut finished: Vec<(Key, &Pod)> = view.cache.pods.iter().filter(|(_, pod)| pod.is_finished()).collect();
        finished.sort_by(|(_, a), (_, b)| deletion_order(a, b));
        let excess = finished.len().saturating_sub(self.threshold);
        let doomed: Vec<(Key, &Pod)> = finished.into_iter().take(excess).collect();
        end_all(&doomed, Why::TooManyFinished { limit: self.threshold as i64 }, plan);
    }

    /// Upstream: `podgc/gc_controller.go gcTerminating`
    fn collect_terminating(&self, view: View<'_>, plan: &mut Plan) {
        let mut pods: Vec<(Key, &Pod)> = self.out_of_service.iter().flat_map(|&node| stuck(node, view)).collect();
        pods.sort_by(|(_, a), (_, b)| deletion_order(a, b));
        end_all(&pods, Why::NodeOutOfService, plan);
    }

    /// Upstream: `podgc/gc_controller.go gcOrphaned`, `discoverDeletedNodes`
    fn collect_orphans(&mut self, view: View<'_>, plan: &mut Plan) {
        let now = clock(view);
        let mut orphans = Vec::new();
        self.missing.retain(|name, missing| {
            let is_gone = view.cache.find(Kind::Node, &"".into(), name).is_none();
            let pods = if is_gone { view.cache.pods_on(missing.node) } else { Vec::new() };
            if missing.certain.is_some_and(|at| at <= now) {
                orphans.extend(pods.iter().copied());
                missing.certain = None;
            }
            // Nodes are asked about again as long as they have pods.
            if !pods.is_empty() {
                missing.certain = missing.certain.or(Some(now.plus_seconds(QUARANTINE_SECONDS)));
            }
            missing.certain.is_some()
        });
        orphans.sort_by(|(_, a), (_, b)| (&a.meta.namespace, &a.meta.name).cmp(&(&b.meta.namespace, &b.meta.name)));
        for (key, pod) in orphans {
            let node = pod.node.unwrap_or(key);
            plan.because_of(key, node, Why::NodeGone { seconds: QUARANTINE_SECONDS });
            end(key, pod, Some("DeletionByPodGC"), plan);
        }
    }

    /// Upstream: `podgc/gc_controller.go gcUnscheduledTerminating`
    fn collect_unbound(&mut self, view: View<'_>, plan: &mut Plan) {
        self.unbound.retain(|&key| view.cache.pods.get(key).is_some_and(is_unbound));
        let mut pods: Vec<(Key, &Pod)> =
            self.unbound.iter().filter_map(|&key| Some((key, view.cache.pods.get(key)?))).collect();
        pods.sort_by(|(_, a), (_, b)| (&a.meta.namespace, &a.meta.name).cmp(&(&b.meta.namespace, &b.meta.name)));
        for (key, pod) in pods {
            plan.because_of(key, key, Why::NeverBound);
            end(key, pod, None, plan);
        }
    }

    /// A node is gone that has pods. If nobody has seen it, its name is not
    /// known, and it goes by its UID.
    fn misses(&mut self, node: Key) {
        let name = self.names.remove(&node.uid).unwrap_or_else(|| node.uid.0.to_string().into());
        self.missing.entry(name).or_insert(Missing { node, certain: None }).node = node;
    }

    fn observe_pod(&mut self, change: &Change, view: View<'_>) -> bool {
        let Some(pod) = view.cache.pods.get(change.key) else { return false };
        if let Some(node) = pod.node.filter(|&node| change.node_changed && view.cache.nodes.get(node).is_none()) {
            self.misses(node);
            return true;
        }
        if change.deletion_started && is_unbound(pod) {
            return self.unbound.insert(change.key);
        }
        let stuck = change.deletion_started && pod.node.is_some_and(|node| self.out_of_service.contains(&node));
        stuck || (pod.is_finished() && self.has_excess(view))
    }

    fn observe_node(&mut self, change: &Change, view: View<'_>) -> bool {
        if let Some(node) = view.cache.nodes.get(change.key) {
            self.names.entry(change.key.uid).or_insert_with(|| node.meta.name.clone());
        }
        let is_out = |node: &Node| node.taints.iter().any(|taint| taint.key == OUT_OF_SERVICE);
        match view.cache.nodes.get(change.key) {
            Some(node) if is_out(node) => {
                self.out_of_service.insert(change.key);
                true
            }
            Some(_) => {
                self.out_of_service.remove(&change.key);
                false
            }
            None => {
                self.out_of_service.remove(&change.key);
                let has_pods = view.cache.has_pods_on(change.key);
                if has_pods {
                    self.misses(change.key);
                } else {
                    self.names.remove(&change.key.uid);
                }
                has_pods
            }
        }
    }
}

impl Controller for PodGc {
    fn kind(&self) -> Kind {
        Kind::Pod
    }

    fn watches(&self, kind: Kind) -> bool {
        matches!(kind, Kind::Node | Kind::Pod)
    }

    fn start(&mut self, since: Instant, view: View<'_>, queue: &mut WorkQueue) {
        self.ticks = Some(Ticks::new(since, PERIOD, IDLE_PASS));
        if since < clock(view) {
            self.arm(view, queue);
        } else {
            queue.add(PASS);
        }
    }

    fn observe(&mut self, change: &Change, view: View<'_>, queue: &mut WorkQueue) {
        let news = match change.key.kind {
            Kind::Node => self.observe_node(change, view),
            _ => change.verb != Verb::Deleted && self.observe_pod(change, view),
        };
        if news {
            self.arm(view, queue);
        }
    }

    /// Upstream: `podgc/gc_controller.go gc`
    fn sync(&mut self, _key: Key, view: View<'_>, plan: &mut Plan, _queue: &mut WorkQueue) -> Result<(), SyncError> {
        self.in_pass = Some(clock(view));
        self.collect_finished(view, plan);
        self.collect_terminating(view, plan);
        self.collect_orphans(view, plan);
        self.collect_unbound(view, plan);
        Ok(())
    }

    fn failed(&mut self, _key: Key, _write: &Write, _error: &ApiError, _view: View<'_>, _plan: &mut Plan) -> Reaction {
        Reaction::Ignore
    }

    fn finished(&mut self, _key: Key, view: View<'_>, queue: &mut WorkQueue) {
        if let (Some(begin), Some(ticks)) = (self.in_pass.take(), &mut self.ticks) {
            ticks.ran(begin, clock(view));
        }
        self.arm(view, queue);
    }

    fn boxed_clone(&self) -> Box<dyn Controller + Send + Sync> {
        Box::new(self.clone())
    }
}

/// The clock by which the controller measures time.
const fn clock(view: View<'_>) -> Instant {
    view.monotonic
}

const fn is_unbound(pod: &Pod) -> bool {
    pod.meta.is_deleting() && pod.node.is_none()
}

/// The pods that are being deleted from a node that is out of service and
/// not ready.
fn stuck(node: Key, view: View<'_>) -> Vec<(Key, &Pod)> {
    if view.cache.nodes.get(node).is_none_or(|node| node.ready == ConditionStatus::True) {
        return Vec::new();
    }
    view.cache.pods_on(node).into_iter().filter(|(_, pod)| pod.meta.is_deleting()).collect()
}

/// Who goes first: the older pod.
///
/// Upstream: `podgc/gc_controller.go byEvictionAndCreationTimestamp`
fn deletion_order(a: &Pod, b: &Pod) -> std::cmp::Ordering {
    (!a.is_evicted(), a.meta.created, &a.meta.name).cmp(&(!b.is_evicted(), b.meta.created, &b.meta.name))
}

/// Ends pods side by side.
fn end_all(pods: &[(Key, &Pod)], why: Why, plan: &mut Plan) {
    let mut deletions = Vec::new();
    for (i, &(key, pod)) in pods.iter().enumerate() {
        plan.because_of(key, pod.node.unwrap_or(key), why);
        let why = plan.decisions.len().checked_sub(1).map(|i| i as u16);
        if !pod.is_finished() {
            plan.writes.push(Planned { write: Write::FailPod { pod: key, disruption: None }, together: i > 0, why });
        }
        deletions.push((key, why));
    }
    for (i, (key, why)) in deletions.into_iter().enumerate() {
        plan.writes.push(Planned { write: Write::ForceDelete(key), together: i > 0, why });
    }
}

/// Marks a pod failed, if it is not over, and removes it.
///
/// Upstream: `podgc/gc_controller.go markFailedAndDeletePodWithCondition`
fn end(key: Key, pod: &Pod, disruption: Option<&'static str>, plan: &mut Plan) {
    if !pod.is_finished() {
        plan.write(Write::FailPod { pod: key, disruption });
    }
    plan.write(Write::ForceDelete(key));
}
