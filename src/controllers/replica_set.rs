//! The ReplicaSet controller: as many pods as wanted, no more, no fewer.

use super::owners::{self, is_known};
use super::pods::{Candidate, available_at, is_available, sort_for_deletion};
use super::{
    Controller, Expectations, NewPod, Notice, Plan, Planned, PodMark, PodName, Reaction, SyncError, Version, View,
    WorkQueue, Write,
};
use crate::api::{Finalizers, Gate, Key, Kind, OwnerRef, Pod, ReplicaSet, ReplicaSetStatus};
use crate::cluster::{ApiError, Change, Verb};
use crate::time::{Instant, Span};
use crate::trace::Why;
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// The most pods that one sync creates or deletes.
///
/// Upstream: `replicaset/replica_set.go BurstReplicas`
const BURST: i32 = 500;

/// The memory of one ReplicaSet controller process.
#[derive(Clone, Debug, Default)]
pub(super) struct ReplicaSetController {
    expectations: Expectations,
    /// The newest versions of pods and of the ReplicaSet itself that this
    /// process wrote and has not seen in its caches yet.
    written: FxHashMap<Key, (u64, u64)>,
}

/// A ReplicaSet's pods, counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Tally {
    active: i32,
    fully_labeled: i32,
    ready: i32,
    available: i32,
    terminating: i32,
    /// When the next ready pod becomes available.
    next_available: Option<Instant>,
}

impl Tally {
    fn count(&mut self, pod: &Pod, set: &ReplicaSet, now: Instant) {
        self.active += 1;
        self.fully_labeled += i32::from(pod.meta.labels.contains_all(&set.spec.template.labels));
        self.count_ready(pod, set.spec.min_ready_seconds, now);
    }

    fn count_ready(&mut self, pod: &Pod, min_ready_seconds: i32, now: Instant) {
        if !pod.ready {
            return;
        }
        self.ready += 1;
        if is_available(true, pod.ready_since, min_ready_seconds, now) {
            self.available += 1;
        } else {
            let at = available_at(pod.ready_since, min_ready_seconds);
            self.next_available = Some(self.next_available.map_or(at, |next| next.min(at)));
        }
    }
}

impl Controller for ReplicaSetController {
    fn kind(&self) -> Kind {
        Kind::ReplicaSet
    }

    fn watches(&self, kind: Kind) -> bool {
        matches!(kind, Kind::ReplicaSet | Kind::Pod)
    }

    fn pods_belong_to(&self) -> Option<Kind> {
        Some(Kind::ReplicaSet)
    }

    fn observe(&mut self, change: &Change, view: View<'_>, queue: &mut WorkQueue) {
        if change.key.kind == Kind::ReplicaSet {
            if change.verb == Verb::Deleted {
                self.expectations.forget(change.key);
                self.written.remove(&change.key);
            }
            queue.add(change.key);
            return;
        }
        match change.verb {
            Verb::Added if !change.deleting => self.pod_added(change, view, queue),
            Verb::Modified if !change.deleting => pod_updated(change, view, queue),
            _ => self.pod_deleted(change, view, queue),
        }
    }

    fn sync(&mut self, key: Key, view: View<'_>, plan: &mut Plan, _queue: &mut WorkQueue) -> Result<(), SyncError> {
        self.ensure_seen(key, view)?;
        let Some(set) = view.cache.replica_sets.get(key) else {
            self.expectations.forget(key);
            return Ok(());
        };
        let satisfied = self.expectations.satisfied(key, view.monotonic);
        let mut adopted = Vec::new();
        let tally = claim_pods(key, set, view, plan, &mut adopted)?;
        if satisfied && set.meta.deletion.is_none() {
            self.manage(key, set, tally.active, &adopted, view, plan);
        } else if !satisfied {
            plan.because(Why::AwaitingExpectations);
        }
        let status = status_of(set, &tally, view);
        if status != set.status {
            plan.write(Write::ReplicaSetStatus {
                set: key,
                version: Version::Cached(set.meta.resource_version),
                status: Box::new(status),
            });
        }
        if set.spec.min_ready_seconds > 0 && tally.ready != tally.available {
            let latest = view.now.plus_seconds(i64::from(set.spec.min_ready_seconds));
            plan.look_again_at(tally.next_available.unwrap_or(latest));
        }
        Ok(())
    }

    fn written(&mut self, key: Key, write: &Write, _object: Key, version: u64) {
        let newest = match write {
            Write::CreatePod(_) | Write::SetOwner { present: true, .. } => &mut self.written.entry(key).or_default().0,
            Write::ReplicaSetStatus { .. } => &mut self.written.entry(key).or_default().1,
            _ => return,
        };
        *newest = (*newest).max(version);
    }

    /// Upstream: `replicaset/replica_set.go manageReplicas`, `controller_utils.go RealPodControl`
    fn failed(&mut self, key: Key, write: &Write, error: &ApiError, _view: View<'_>, plan: &mut Plan) -> Reaction {
        match write {
            Write::CreatePod(_) => {
                self.expectations.creation_observed(key);
                plan.announce(key, Notice::warning("FailedCreate", format!("Error creating: {error}")));
                Reaction::Finish
            }
            Write::DeletePod { pod, .. } => {
                self.expectations.deletion_observed(key, pod.uid);
                if *error == ApiError::NotFound {
                    return Reaction::Ignore;
                }
                plan.announce(key, Notice::warning("FailedDelete", format!("Error deleting: {error}")));
                Reaction::Finish
            }
            Write::SetOwner { .. } if *error == ApiError::NotFound => Reaction::Ignore,
            _ => Reaction::Fail,
        }
    }

    /// The batches after one with a failure are given up. The status says
    /// that there was one, the first time.
    ///
    /// Upstream: `replicaset/replica_set.go slowStartBatch`, `replica_set_utils.go calculateStatus`
    fn salvage(&mut self, key: Key, write: &Write, error: &ApiError, view: View<'_>, rest: &mut Vec<Planned>) {
        rest.retain(|planned| {
            let given_up = matches!(planned.write, Write::CreatePod(_));
            if given_up {
                self.expectations.creation_observed(key);
            }
            !given_up
        });
        let Some(set) = view.cache.replica_sets.get(key) else { return };
        let reason = if matches!(write, Write::CreatePod(_)) { "FailedCreate" } else { "FailedDelete" };
        let failure = set.status.failure.clone().unwrap_or_else(|| (reason.into(), error.to_string().into()));
        let planned = rest.iter_mut().find_map(|planned| match &mut planned.write {
            Write::ReplicaSetStatus { status, .. } => Some(status),
            _ => None,
        });
        if let Some(status) = planned {
            status.failure.get_or_insert(failure);
            return;
        }
        let status = Box::new(ReplicaSetStatus { failure: Some(failure), ..set.status.clone() });
        let write = Write::ReplicaSetStatus { set: key, version: Version::Cached(set.meta.resource_version), status };
        rest.push(Planned { write, together: false, why: None });
    }

    fn write_latency(&self) -> Span {
        Span::from_ns(1_600)
    }

    /// Upstream: `cmd/kube-controller-manager/app/options` `--concurrent-replicaset-syncs`
    fn workers(&self) -> u8 {
        5
    }

    fn boxed_clone(&self) -> Box<dyn Controller + Send + Sync> {
        Box::new(self.clone())
    }
}

impl ReplicaSetController {
    fn pod_added(&mut self, change: &Change, view: View<'_>, queue: &mut WorkQueue) {
        match change.owner {
            Some(owner) if is_known::<ReplicaSet>(owner, view) => {
                self.expectations.creation_observed(owner);
                queue.add(owner);
            }
            Some(_) => {}
            None => owners::enqueue_adopters::<ReplicaSet>(change.key, view, queue),
        }
    }

    /// A pod that is being deleted counts as gone: the controller replaces it
    /// now and not when its grace period is over.
    fn pod_deleted(&mut self, change: &Change, view: View<'_>, queue: &mut WorkQueue) {
        if let Some(owner) = change.owner.filter(|&owner| is_known::<ReplicaSet>(owner, view)) {
            self.expectations.deletion_observed(owner, change.key.uid);
            queue.add(owner);
        }
    }

    /// Whether the caches have caught up with this process's own writes.
    /// Acting before would repeat them.
    ///
    /// Upstream: `util/consistency/consistency.go EnsureReady`
    fn ensure_seen(&mut self, key: Key, view: View<'_>) -> Result<(), SyncError> {
        let Some(&(pods, sets)) = self.written.get(&key) else { return Ok(()) };
        let gate = Gate::StaleControllerConsistencyReplicaSet;
        if view.is_behind(gate, &[(Kind::Pod, pods), (Kind::ReplicaSet, sets)]) {
            return Err(SyncError::StaleCache);
        }
        self.written.remove(&key);
        Ok(())
    }

    /// Plans the creations or deletions that are due.
    ///
    /// Upstream: `replicaset/replica_set.go manageReplicas`
    fn manage(&mut self, key: Key, set: &ReplicaSet, active: i32, adopted: &[Key], view: View<'_>, plan: &mut Plan) {
        let want = set.spec.replicas;
        if active < want {
            plan.because(Why::TooFewPods { have: active, want });
            let missing = (want - active).min(BURST) as usize;
            self.expectations.expect_creations(key, missing, view.monotonic);
            create_pods(key, set, missing, plan);
        } else if active > want {
            plan.because(Why::TooManyPods { have: active, want });
            let pods = active_pods(key, set, adopted, view);
            let doomed = choose_victims(set, &pods, (active - want).min(BURST) as usize, view, plan.paced);
            self.expectations.expect_deletions(key, doomed.iter().map(|pod| pod.uid), view.monotonic);
            plan.batch(doomed.into_iter().map(|pod| Write::DeletePod { pod, owner: key }));
        }
    }
}

/// Plans creations in batches of 1, 2, 4, …: if pods cannot be created, few
/// are tried in vain.
///
/// Upstream: `replicaset/replica_set.go slowStartBatch`
fn create_pods(key: Key, set: &ReplicaSet, count: usize, plan: &mut Plan) {
    let pod = Arc::new(NewPod {
        owner: OwnerRef { key, controller: true, blocks_deletion: true },
        namespace: set.meta.namespace.clone(),
        name: PodName::Prefix(format!("{}-", set.meta.name).into()),
        mark: PodMark::Count,
        labels: set.spec.template.labels.clone(),
        template: set.spec.template.clone(),
        revision: None,
        claims: None,
        pinned: None,
        finalizers: Finalizers::NONE,
        index: None,
    });
    let (mut left, mut size) = (count, 1);
    while left > 0 {
        let batch = size.min(left);
        plan.batch((0..batch).map(|_| Write::CreatePod(pod.clone())));
        left -= batch;
        size *= 2;
    }
}

/// The active pods of a ReplicaSet, those that this sync adopts last.
fn active_pods<'a>(key: Key, set: &ReplicaSet, adopted: &[Key], view: View<'a>) -> Vec<(Key, &'a Pod)> {
    let own = view.cache.pods_of(key).filter(|(_, p)| p.is_active() && set.spec.selector.matches(&p.meta.labels));
    let adopted = adopted.iter().filter_map(|&pod| Some((pod, view.cache.pods.get(pod)?)));
    own.chain(adopted).collect()
}

/// The pods to delete: in name order, as they reach the API server when all
/// are sent at once, or those first that are chosen first, if the client lets
/// them through one by one.
///
/// Upstream: `replicaset/replica_set.go getPodsToDelete`
fn choose_victims(set: &ReplicaSet, pods: &[(Key, &Pod)], count: usize, view: View<'_>, paced: bool) -> Vec<Key> {
    if count >= pods.len() {
        return pods.iter().map(|(key, _)| *key).collect();
    }
    let on_node = pods_on_nodes(set, view);
    let mut candidates: Vec<(Candidate, Key)> = pods
        .iter()
        .map(|&(key, pod)| {
            let rank = on_node.get(&pod.node).copied().unwrap_or(0);
            (Candidate::of(pod, rank), key)
        })
        .collect();
    sort_for_deletion(&mut candidates, view.now);
    candidates.truncate(count);
    let mut chosen: Vec<Key> = candidates.into_iter().map(|(_, key)| key).collect();
    if paced {
        // Of the tasks that were started together, the last one runs first.
        chosen.rotate_right(1);
    } else {
        chosen.sort_by_key(|&pod| view.cache.pods.get(pod).map(|pod| pod.meta.name.clone()));
    }
    chosen
}

/// How many active pods of all ReplicaSets of the same Deployment each node
/// has. Pods that share a node are the first to go, so that what stays is
/// spread; a ReplicaSet without a Deployment has no relatives and no ranks.
///
/// Upstream: `replicaset/replica_set.go getPodsRankedByRelatedPodsOnSameNode`
fn pods_on_nodes(set: &ReplicaSet, view: View<'_>) -> FxHashMap<Option<Key>, u32> {
    let mut on_node = FxHashMap::default();
    let Some(deployment) = set.meta.controller() else { return on_node };
    for &sibling in &view.cache.owned(deployment.uid).dependents {
        if sibling.kind == Kind::ReplicaSet {
            for (_, pod) in view.cache.pods_of(sibling).filter(|(_, pod)| pod.is_active()) {
                *on_node.entry(pod.node).or_insert(0) += 1;
            }
        }
    }
    on_node
}

/// Counts a ReplicaSet's pods, planning to adopt and to release where labels
/// and selector say so.
///
/// Upstream: `controller_ref_manager.go ClaimPods`
fn claim_pods(
    key: Key,
    set: &ReplicaSet,
    view: View<'_>,
    plan: &mut Plan,
    adopted: &mut Vec<Key>,
) -> Result<Tally, SyncError> {
    let counts = view.cache.owned(key.uid).pods;
    if counts.relabeled == 0 && !view.cache.has_stray_pods() {
        let mut tally = Tally {
            active: counts.active,
            fully_labeled: counts.active,
            ready: counts.ready,
            available: counts.ready,
            terminating: counts.terminating,
            next_available: None,
        };
        if set.spec.min_ready_seconds > 0 {
            (tally.ready, tally.available) = (0, 0);
            for (_, pod) in view.cache.pods_of(key).filter(|(_, pod)| pod.is_active()) {
                tally.count_ready(pod, set.spec.min_ready_seconds, view.now);
            }
        }
        return Ok(tally);
    }
    let mut tally = Tally::default();
    let owner = OwnerRef { key, controller: true, blocks_deletion: true };
    for (pod_key, pod) in view.cache.pods_of(key) {
        let matches = set.spec.selector.matches(&pod.meta.labels);
        if pod.is_terminating() {
            tally.terminating += i32::from(matches);
        } else if pod.is_active() && matches {
            tally.count(pod, set, view.now);
        } else if pod.is_active() && set.meta.deletion.is_none() {
            plan.write(Write::SetOwner { object: pod_key, owner, present: false, finalizers: Finalizers::NONE });
        }
    }
    if set.meta.deletion.is_none() {
        for (pod_key, pod) in view.cache.stray_pods(&set.meta.namespace) {
            if pod.is_active() && set.spec.selector.matches(&pod.meta.labels) {
                view.may_adopt(key)?;
                plan.write(Write::SetOwner { object: pod_key, owner, present: true, finalizers: Finalizers::NONE });
                adopted.push(pod_key);
                tally.count(pod, set, view.now);
            }
        }
    }
    Ok(tally)
}

/// The status that the counts amount to.
///
/// Upstream: `replicaset/replica_set_utils.go calculateStatus`
fn status_of(set: &ReplicaSet, tally: &Tally, view: View<'_>) -> ReplicaSetStatus {
    let counts_terminating = view.gates.has(Gate::DeploymentReplicaSetTerminatingReplicas);
    ReplicaSetStatus {
        replicas: tally.active,
        fully_labeled: tally.fully_labeled,
        ready: tally.ready,
        available: tally.available,
        terminating: counts_terminating.then_some(tally.terminating),
        observed_generation: set.meta.generation,
        failure: None,
    }
}

fn pod_updated(change: &Change, view: View<'_>, queue: &mut WorkQueue) {
    if let Some((key, set)) = owners::pod_updated::<ReplicaSet>(change, view, queue)
        && change.became_ready
        && set.spec.min_ready_seconds > 0
    {
        queue.add_after(key, Span::from_secs(set.spec.min_ready_seconds as u64));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{Labels, Meta, Object, Uid};
    use crate::cluster::{Objects, Row, deliver};
    use crate::manifest;
    use serde_json::json;

    fn set() -> ReplicaSet {
        let document = json!({
            "apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": {"name": "web"},
            "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "web"}}, "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "app", "image": "app:v1"}]}
            }}
        });
        match manifest::read(&document).expect("a ReplicaSet").object {
            Object::ReplicaSet(set) => ReplicaSet { meta: Meta { uid: Uid(9), ..set.meta }, ..*set },
            _ => panic!("not a ReplicaSet"),
        }
    }

    #[test]
    fn a_pod_that_is_adopted_may_be_the_one_too_many() {
        let key = Key { kind: Kind::ReplicaSet, slot: 0, uid: Uid(9) };
        for unready in [1, 3] {
            let mut cache = Objects::default();
            deliver(&mut cache, 0, Row::ReplicaSet(Box::new(set())));
            for uid in 1..=3 {
                let owner = OwnerRef { key, controller: true, blocks_deletion: true };
                let meta = Meta {
                    uid: Uid(uid),
                    owners: if uid < 3 { vec![owner] } else { Vec::new() },
                    labels: Arc::new(Labels::default().with("app", "web")),
                    ..Meta::named("default", &format!("web-{uid}"))
                };
                let pod = Pod { meta, ready: uid != unready, ..Pod::running(uid) };
                deliver(&mut cache, uid - 1, Row::Pod(Box::new(pod)));
            }
            let (mut plan, mut queue) = (Plan::default(), WorkQueue::default());
            let view = View::up_to_date(&cache, Instant(1_000_000_000_000));
            ReplicaSetController::default().sync(key, view, &mut plan, &mut queue).expect("it answers");
            let deleted = plan.writes.iter().find_map(|planned| match &planned.write {
                Write::DeletePod { pod, .. } => Some(pod.uid.0),
                _ => None,
            });
            assert_eq!(deleted, Some(unready));
        }
    }
}
