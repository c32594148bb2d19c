//! The taint eviction controller: deletes pods from nodes with `NoExecute`
//! taints, at once or when they have tolerated them for long enough.

use super::{Controller, ObjectNotice, Plan, Planned, Reaction, SyncError, View, WorkQueue, Write};
use crate::api::{Effect, Key, Kind, Node, Pod, Propagation, Taint, Toleration, Uid};
use crate::cluster::{ApiError, Change, Verb};
use crate::time::{Instant, Span};
use crate::trace::Why;
use rustc_hash::FxHashMap;
use std::collections::BTreeSet;
use std::sync::Arc;

/// How long pods tolerate a lost node if they do not say so themselves, as
/// the API server's admission writes it into every pod.
///
/// Upstream: `plugin/pkg/admission/defaulttolerationseconds/admission.go`
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DefaultTolerations {
    /// `--default-not-ready-toleration-seconds`
    pub not_ready_seconds: i64,
    /// `--default-unreachable-toleration-seconds`
    pub unreachable_seconds: i64,
}

impl Default for DefaultTolerations {
    fn default() -> Self {
        DefaultTolerations { not_ready_seconds: 300, unreachable_seconds: 300 }
    }
}

impl DefaultTolerations {
    /// The tolerations of a pod as it is stored.
    #[must_use]
    pub fn lay_over(&self, own: &[Toleration]) -> Vec<Toleration> {
        let mut all = own.to_vec();
        for (key, seconds) in
            [(crate::api::NOT_READY, self.not_ready_seconds), (crate::api::UNREACHABLE, self.unreachable_seconds)]
        {
            let says_so = |t: &Toleration| {
                (t.key.is_empty() || t.key == key) && t.effect.is_none_or(|effect| effect == Effect::NoExecute)
            };
            if !own.iter().any(says_so) {
                all.push(Toleration {
                    key: key.to_string(),
                    exists: true,
                    value: String::new(),
                    effect: Some(Effect::NoExecute),
                    seconds: Some(seconds),
                });
            }
        }
        all
    }
}

/// How long a pod stays on a node.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stay {
    /// It goes now.
    Not,
    /// It goes after so many seconds.
    For(i64),
    /// It tolerates everything for ever.
    Forever,
}

/// How long a pod with these tolerations stays on a node with these taints:
/// the shortest time of the tolerations that are needed.
///
/// Upstream: `tainteviction/taint_eviction.go processPodOnNode`, `getMinTolerationTime`
#[must_use]
pub fn stay(taints: &[Taint], tolerations: &[Toleration]) -> Stay {
    let used = |taint: &Taint| tolerations.iter().find(|toleration| toleration.covers(taint));
    let Some(used) = taints.iter().map(used).collect::<Option<Vec<_>>>() else { return Stay::Not };
    let shortest = used.into_iter().filter_map(|toleration| toleration.seconds).min();
    shortest.map_or(Stay::Forever, |seconds| Stay::For(seconds.max(0)))
}

/// The key by which the work queue knows that a pod's time is up.
const TIME_IS_UP: Key = Key { kind: Kind::Cluster, slot: 0, uid: Uid(0) };

/// The reason of the condition that evicted pods get.
const DELETION: &str = "DeletionByTaintManager";

/// A pod that will be evicted.
#[derive(Clone, Debug)]
struct Work {
    namespace: Arc<str>,
    node: Key,
    created: Instant,
    due: Instant,
}

/// The taint eviction controller's memory: the countdowns. They begin anew
/// when it is restarted.
#[derive(Clone, Debug, Default)]
pub struct TaintEviction {
    defaults: DefaultTolerations,
    /// The `NoExecute` taints of the nodes that have some.
    tainted: FxHashMap<Uid, Vec<Taint>>,
    work: FxHashMap<Key, Work>,
    due: BTreeSet<(Instant, Key)>,
    /// Pods that go as soon as this sync writes.
    at_once: Vec<(Key, Work)>,
}

impl TaintEviction {
    /// A new process.
    pub fn new(defaults: DefaultTolerations) -> TaintEviction {
        TaintEviction { defaults, ..TaintEviction::default() }
    }

    /// Upstream: `tainteviction/taint_eviction.go handleNodeUpdate`
    fn see_node(&mut self, key: Key, view: View<'_>, plan: &mut Plan) {
        let Some(node) = view.cache.nodes.get(key) else {
            self.tainted.remove(&key.uid);
            return;
        };
        let taints = no_execute(node);
        let pods = view.cache.pods_on(key);
        if taints.is_empty() {
            self.tainted.remove(&key.uid);
            for (pod, _) in pods {
                self.cancel(pod, plan);
            }
            return;
        }
        for (pod, row) in pods {
            self.see_pod_on(pod, row, key, &taints, clock(view), plan);
        }
        self.tainted.insert(key.uid, taints);
    }

    /// Upstream: `tainteviction/taint_eviction.go handlePodUpdate`
    fn see_pod(&mut self, key: Key, view: View<'_>, plan: &mut Plan) {
        let Some(pod) = view.cache.pods.get(key) else { return self.cancel(key, plan) };
        let Some(node) = pod.node else { return };
        if let Some(taints) = self.tainted.get(&node.uid).cloned() {
            self.see_pod_on(key, pod, node, &taints, clock(view), plan);
        }
    }

    /// Upstream: `tainteviction/taint_eviction.go processPodOnNode`
    fn see_pod_on(&mut self, key: Key, pod: &Pod, node: Key, taints: &[Taint], now: Instant, plan: &mut Plan) {
        let tolerations = self.defaults.lay_over(&pod.template.tolerations);
        let mut work = Work { namespace: pod.meta.namespace.clone(), node, created: now, due: now };
        match stay(taints, &tolerations) {
            Stay::Not => {
                self.cancel(key, plan);
                self.at_once.push((key, work));
            }
            Stay::Forever => self.cancel(key, plan),
            Stay::For(seconds) => {
                work.due = now.plus_seconds(seconds);
                if let Some(old) = self.work.get(&key) {
                    if old.created < now {
                        return;
                    }
                    work.created = old.created;
                    self.cancel(key, plan);
                }
                if seconds <= 0 {
                    self.at_once.push((key, work));
                } else {
                    self.due.insert((work.due, key));
                    self.work.insert(key, work);
                }
            }
        }
    }

    fn cancel(&mut self, pod: Key, plan: &mut Plan) {
        if let Some(work) = self.work.remove(&pod) {
            self.due.remove(&(work.due, pod));
            announce(plan, pod, &work, "Cancelling deletion of Pod");
        }
    }

    fn take_due(&mut self, now: Instant) {
        while let Some(&(due, pod)) = self.due.first().filter(|(due, _)| *due <= now) {
            self.due.remove(&(due, pod));
            if let Some(work) = self.work.remove(&pod) {
                self.at_once.push((pod, work));
            }
        }
    }

    /// Marks the pods whose time is up as disrupted, all at once, and then
    /// deletes them.
    ///
    /// Upstream: `tainteviction/taint_eviction.go deletePodHandler`, `addConditionAndDeletePod`
    fn evict(&mut self, view: View<'_>, plan: &mut Plan) {
        let mut deletions = Vec::new();
        for (pod, work) in self.at_once.drain(..) {
            announce(plan, pod, &work, "Marking for deletion Pod");
            let Some(row) = view.live.pods.get(pod) else { continue };
            let seconds = work.due.nanos_since(work.created) / crate::time::SECOND as i64;
            plan.because_of(pod, work.node, Why::TaintNotTolerated { seconds });
            let why = plan.decisions.len().checked_sub(1).map(|i| i as u16);
            if row.disruption.as_deref() != Some(DELETION) {
                let together = !plan.writes.is_empty();
                plan.writes.push(Planned { write: Write::PodDisruption { pod, reason: DELETION }, together, why });
            }
            deletions.push((Write::Delete { object: pod, propagation: Propagation::Background }, why));
        }
        for (i, (write, why)) in deletions.into_iter().enumerate() {
            plan.writes.push(Planned { write, together: i > 0, why });
        }
    }
}

impl Controller for TaintEviction {
    fn kind(&self) -> Kind {
        Kind::Pod
    }

    fn watches(&self, kind: Kind) -> bool {
        matches!(kind, Kind::Node | Kind::Pod)
    }

    /// Upstream: `tainteviction/taint_eviction.go PodUpdated`, `NodeUpdated`
    fn observe(&mut self, change: &Change, view: View<'_>, queue: &mut WorkQueue) {
        let key = change.key;
        let relevant = if key.kind == Kind::Node {
            let taints = view.cache.nodes.get(key).map(no_execute).unwrap_or_default();
            self.tainted.get(&key.uid).map_or(&[][..], Vec::as_slice) != taints
        } else if change.verb == Verb::Deleted {
            self.work.contains_key(&key)
        } else {
            let node = view.cache.pods.get(key).filter(|_| change.node_changed).and_then(|pod| pod.node);
            node.is_some_and(|node| self.tainted.contains_key(&node.uid))
        };
        if relevant {
            queue.add(key);
        }
    }

    fn sync(&mut self, key: Key, view: View<'_>, plan: &mut Plan, queue: &mut WorkQueue) -> Result<(), SyncError> {
        match key.kind {
            Kind::Node => self.see_node(key, view, plan),
            Kind::Pod => self.see_pod(key, view, plan),
            _ => self.take_due(clock(view)),
        }
        self.evict(view, plan);
        if let Some(&(due, _)) = self.due.first() {
            queue.add_after(TIME_IS_UP, Span((due.0 - clock(view).0).max(0) as u64));
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

/// The clock by which the controller measures time.
const fn clock(view: View<'_>) -> Instant {
    view.monotonic
}

fn no_execute(node: &Node) -> Vec<Taint> {
    node.taints.iter().filter(|taint| taint.effect == Effect::NoExecute).cloned().collect()
}

fn announce(plan: &mut Plan, pod: Key, work: &Work, text: &str) {
    plan.notices.push(ObjectNotice {
        about: pod,
        reason: "TaintManagerEviction",
        message: format!("{text} {}/{{}}", work.namespace),
        object: pod,
        warning: false,
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{NOT_READY, UNREACHABLE};

    fn toleration(key: &str, seconds: Option<i64>) -> Toleration {
        Toleration {
            key: key.to_string(),
            exists: true,
            value: String::new(),
            effect: Some(Effect::NoExecute),
            seconds,
        }
    }

    #[test]
    fn the_shortest_toleration_that_is_needed_counts() {
        let taint = |key: &str| Taint::new(key, Effect::NoExecute);
        for (taints, tolerations, expected) in [
            (vec!["a"], vec![], Stay::Not),
            (vec!["a"], vec![("a", Some(60))], Stay::For(60)),
            (vec!["a", "b"], vec![("a", Some(60)), ("b", Some(30)), ("c", Some(1))], Stay::For(30)),
            (vec!["a", "b"], vec![("a", Some(60)), ("b", None)], Stay::For(60)),
            (vec!["a", "b"], vec![("a", Some(60))], Stay::Not),
            (vec!["a"], vec![("a", Some(0))], Stay::For(0)),
            (vec!["a"], vec![("a", Some(-5))], Stay::For(0)),
            (vec!["a", "b"], vec![("a", Some(0))], Stay::Not),
            (vec!["a"], vec![("a", None)], Stay::Forever),
            (vec!["a"], vec![("", None), ("a", Some(5))], Stay::Forever),
        ] {
            let taints: Vec<_> = taints.into_iter().map(taint).collect();
            let tolerations: Vec<_> = tolerations.into_iter().map(|(k, s)| toleration(k, s)).collect();
            assert_eq!(stay(&taints, &tolerations), expected, "{taints:?} {tolerations:?}");
        }
    }

    #[test]
    fn the_defaults_stand_back_behind_what_a_pod_says() {
        let defaults = DefaultTolerations { not_ready_seconds: 300, unreachable_seconds: 200 };
        let all = defaults.lay_over(&[toleration(UNREACHABLE, Some(10))]);
        let seconds: Vec<_> = all.iter().map(|t| (t.key.as_str(), t.seconds)).collect();
        assert_eq!(seconds, [(UNREACHABLE, Some(10)), (NOT_READY, Some(300))]);
        assert_eq!(defaults.lay_over(&[toleration("", None)]).len(), 1, "everything is tolerated already");
    }
}
