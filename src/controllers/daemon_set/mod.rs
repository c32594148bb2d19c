//! The DaemonSet controller: one pod on every node that shall have one.

mod backoff;
mod census;
mod observe;
mod revisions;
pub mod rules;

use super::history::REVISION_LABEL;
use super::{
    Controller, Expectations, NewPod, Notice, ObjectNotice, Plan, Planned, PodMark, PodName, Reaction, SyncError,
    Version, View, WorkQueue, Write,
};
use crate::api::{
    DaemonSet, DaemonSetStatus, DaemonSetUpdate, Finalizers, Gate, Key, Kind, Labels, OwnerRef, PodTemplate, Taint,
};
use crate::cluster::{ApiError, Change};
use crate::trace::Why;
use backoff::BackOff;
use census::{Census, Due, GENERATION_LABEL, Lens};
use revisions::History;
use rules::{Limits, Step};
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// The most pods that one sync creates, and the most that it deletes.
///
/// Upstream: `daemon/daemon_controller.go BurstReplicas`
const BURST: usize = 250;

/// The memory of one DaemonSet controller process.
#[derive(Clone, Debug, Default)]
pub struct DaemonSetController {
    expectations: Expectations,
    backoff: BackOff,
    censuses: FxHashMap<Key, Census>,
    nodes: FxHashMap<Key, SeenNode>,
    /// The newest versions of pods and of the DaemonSet itself that this
    /// process wrote and has not seen in its caches yet.
    written: FxHashMap<Key, (u64, u64)>,
}

/// A node as it was last seen: its name and what decides about pods.
#[derive(Clone, PartialEq, Debug)]
struct SeenNode {
    name: Arc<str>,
    labels: Arc<Labels>,
    taints: Vec<Taint>,
}

/// One sync of one DaemonSet.
struct Pass<'a> {
    key: Key,
    set: &'a DaemonSet,
    view: View<'a>,
    /// The hash that pods of the present revision carry.
    hash: Arc<str>,
    /// The name of the present revision.
    revision: Arc<str>,
    plan: &'a mut Plan,
}

/// What is to be done about pods.
#[derive(Default)]
struct Orders {
    /// Nodes that get a pod.
    create: Vec<Arc<str>>,
    /// Pods that go.
    delete: Vec<Key>,
}

impl Controller for DaemonSetController {
    fn kind(&self) -> Kind {
        Kind::DaemonSet
    }

    fn watches(&self, kind: Kind) -> bool {
        matches!(kind, Kind::DaemonSet | Kind::ControllerRevision | Kind::Pod | Kind::Node)
    }

    fn pods_belong_to(&self) -> Option<Kind> {
        Some(Kind::DaemonSet)
    }

    fn observe(&mut self, change: &Change, view: View<'_>, queue: &mut WorkQueue) {
        match change.key.kind {
            Kind::DaemonSet => self.observe_set(change, queue),
            Kind::ControllerRevision => observe::revision(change, view, queue),
            Kind::Pod => self.observe_pod(change, view, queue),
            Kind::Node => self.observe_node(change, view, queue),
            _ => {}
        }
    }

    /// Upstream: `daemon/daemon_controller.go syncDaemonSet`
    fn sync(&mut self, key: Key, view: View<'_>, plan: &mut Plan, queue: &mut WorkQueue) -> Result<(), SyncError> {
        if key.kind == Kind::Node {
            self.sync_node(key, view, queue);
            return Ok(());
        }
        self.ensure_seen(key, view)?;
        let Some(set) = view.cache.daemon_sets.get(key) else {
            self.expectations.forget(key);
            return Ok(());
        };
        // Its revisions may be gone already, so nothing can be said of it.
        if set.meta.is_deleting() {
            return Ok(());
        }
        let History { hash, name, old } = revisions::construct(key, set, view, plan)?;
        let mut pass = Pass { key, set, view, hash, revision: name, plan };
        let mut census = self.censuses.remove(&key).unwrap_or_else(|| Census::of(key, view));
        pass.claim_pods(&mut census)?;
        let hash = pass.hash.clone();
        let limits = census.refresh(&Lens::new(set, &hash, view));
        let satisfied = self.expectations.satisfied(key, view.monotonic);
        if satisfied {
            self.update(&mut pass, &census, limits, queue);
            if !pass.plan.fails {
                revisions::clean_up(key, set, &old, view, pass.plan);
            }
        } else {
            pass.plan.because(Why::AwaitingExpectations);
        }
        pass.write_status(&census, satisfied);
        self.censuses.insert(key, census);
        Ok(())
    }

    fn written(&mut self, key: Key, write: &Write, _object: Key, version: u64) {
        let (pods, sets) = self.written.entry(key).or_default();
        match write {
            Write::CreatePod(_) => *pods = version.max(*pods),
            Write::SetOwner { object, present: true, .. } if object.kind == Kind::Pod => *pods = version.max(*pods),
            Write::DaemonSetStatus { .. } => *sets = version.max(*sets),
            _ => {}
        }
    }

    fn failed(&mut self, key: Key, write: &Write, error: &ApiError, view: View<'_>, plan: &mut Plan) -> Reaction {
        let reaction = match (write, error) {
            (Write::DeletePod { pod, .. }, _) => {
                self.expectations.deletion_observed(key, pod.uid);
                if *error == ApiError::NotFound {
                    return Reaction::Ignore;
                }
                plan.announce(key, Notice::warning("FailedDelete", format!("Error deleting: {error}")));
                Reaction::Finish
            }
            (Write::CreatePod(_), _) => {
                self.expectations.creation_observed(key);
                plan.announce(key, Notice::warning("FailedCreate", format!("Error creating: {error}")));
                Reaction::Finish
            }
            (Write::CreateRevision { revision, .. }, ApiError::AlreadyExists) => {
                revisions::met_existing(key, revision, view, plan)
            }
            (Write::DeleteRevision(_) | Write::SetOwner { .. }, ApiError::NotFound) => Reaction::Ignore,
            _ => Reaction::Fail,
        };
        if reaction == Reaction::Fail {
            // The rest of the plan is given up, so it will not be seen.
            self.expectations.forget(key);
        }
        reaction
    }

    /// The batches after one with a failure are given up, and the history is
    /// not tidied up; pods are deleted all the same.
    ///
    /// Upstream: `daemon/daemon_controller.go syncNodes`, `updateDaemonSet`
    fn salvage(&mut self, key: Key, _write: &Write, _error: &ApiError, _view: View<'_>, rest: &mut Vec<Planned>) {
        rest.retain(|planned| match planned.write {
            Write::CreatePod(_) => {
                self.expectations.creation_observed(key);
                false
            }
            Write::DeleteRevision(_) => false,
            _ => true,
        });
    }

    /// Upstream: `cmd/kube-controller-manager/app/options` `--concurrent-daemonset-syncs`
    fn workers(&self) -> u8 {
        2
    }

    fn boxed_clone(&self) -> Box<dyn Controller + Send + Sync> {
        Box::new(self.clone())
    }
}

impl DaemonSetController {
    /// Whether the caches have caught up with this process's own writes.
    /// Acting before would repeat them.
    ///
    /// Upstream: `util/consistency/consistency.go EnsureReady`
    fn ensure_seen(&mut self, key: Key, view: View<'_>) -> Result<(), SyncError> {
        let Some(&(pods, sets)) = self.written.get(&key) else { return Ok(()) };
        if view.is_behind(Gate::StaleControllerConsistencyDaemonSet, &[(Kind::Pod, pods), (Kind::DaemonSet, sets)]) {
            return Err(SyncError::StaleCache);
        }
        self.written.remove(&key);
        Ok(())
    }

    /// Sees to it that every node has what it shall have; where nothing is
    /// amiss, goes on with the rolling update.
    ///
    /// Upstream: `daemon/daemon_controller.go updateDaemonSet`
    fn update(&mut self, pass: &mut Pass<'_>, census: &Census, limits: Limits, queue: &mut WorkQueue) {
        let orders = self.upkeep(pass, census, queue);
        if self.carry_out(pass, orders) {
            return;
        }
        if matches!(pass.set.spec.update, DaemonSetUpdate::RollingUpdate { .. }) {
            if limits.surge > 0 && census.has_lost_node() {
                // Upstream asks for the node of every old pod and gives the
                // sync up when there is none.
                pass.plan.fails = true;
                return;
            }
            let orders = pass.next_steps(census, limits);
            self.carry_out(pass, orders);
        }
    }

    /// What is amiss on nodes. Failed pods wait for their back-off.
    ///
    /// Upstream: `daemon/daemon_controller.go manage`
    fn upkeep(&mut self, pass: &mut Pass<'_>, census: &Census, queue: &mut WorkQueue) -> Orders {
        let mut orders = Orders::default();
        let generation = pass.set.status.observed_generation;
        for Due { node, upkeep, pods } in census.due() {
            if upkeep.create {
                orders.create.push(node.clone());
            }
            for &place in &upkeep.failed {
                if let Some(wait) = self.backoff.waiting(pass.key, generation, node, pass.view.monotonic) {
                    queue.add_after(pass.key, wait);
                    continue;
                }
                self.backoff.replaced(pass.key, generation, node, pass.view.monotonic);
                pass.report(pods[place], node, true);
                orders.delete.push(pods[place]);
            }
            for &place in &upkeep.succeeded {
                pass.report(pods[place], node, false);
                orders.delete.push(pods[place]);
            }
            orders.delete.extend(upkeep.excess.iter().map(|&place| pods[place]));
        }
        if !orders.create.is_empty() {
            pass.plan.because(Why::DaemonsMissing { nodes: orders.create.len() as i32 });
        } else if !orders.delete.is_empty() {
            pass.plan.because(Why::DaemonsUnwanted { pods: orders.delete.len() as i32 });
        }
        orders
    }

    /// Plans creations and deletions and remembers to wait for them. Answers
    /// whether there are any.
    ///
    /// Creations go in batches of 1, 2, 4, …: if pods cannot be created, few
    /// are tried in vain.
    ///
    /// Upstream: `daemon/daemon_controller.go syncNodes`
    fn carry_out(&mut self, pass: &mut Pass<'_>, mut orders: Orders) -> bool {
        orders.create.truncate(BURST);
        orders.delete.truncate(BURST);
        if orders.create.is_empty() && orders.delete.is_empty() {
            return false;
        }
        let (creations, deletions) = (orders.create.len(), orders.delete.len());
        self.expectations.expect_counts(pass.key, creations, deletions, pass.view.monotonic);
        pass.create_pods(&orders.create);
        let pods = &pass.view.cache.pods;
        orders.delete.sort_by_key(|&pod| pods.get(pod).map(|pod| pod.meta.name.clone()));
        let owner = pass.key;
        pass.plan.batch(orders.delete.into_iter().map(|pod| Write::DeletePod { pod, owner }));
        true
    }
}

impl Pass<'_> {
    const fn owner(&self) -> OwnerRef {
        OwnerRef { key: self.key, controller: true, blocks_deletion: true }
    }

    /// Plans to adopt and to release pods where labels and selector say so.
    /// What is adopted counts at once.
    ///
    /// Upstream: `daemon/daemon_controller.go getDaemonPods`
    fn claim_pods(&mut self, census: &mut Census) -> Result<(), SyncError> {
        let (cache, selector, owner) = (self.view.cache, &self.set.spec.selector, self.owner());
        if cache.owned(self.key.uid).pods.relabeled > 0 {
            for (pod, row) in cache.pods_of(self.key) {
                if !selector.matches(&row.meta.labels) {
                    self.plan.write(Write::SetOwner {
                        object: pod,
                        owner,
                        present: false,
                        finalizers: Finalizers::NONE,
                    });
                }
            }
        }
        if !cache.has_stray_pods() {
            return Ok(());
        }
        for (pod, row) in cache.stray_pods(&self.set.meta.namespace) {
            if !row.meta.is_deleting() && selector.matches(&row.meta.labels) {
                self.view.may_adopt(self.key)?;
                self.plan.write(Write::SetOwner { object: pod, owner, present: true, finalizers: Finalizers::NONE });
                census.pod_changed(pod, self.view);
            }
        }
        Ok(())
    }

    /// Says that a daemon pod has ended, which none should.
    fn report(&mut self, pod: Key, node: &str, failed: bool) {
        let (how, what) = if failed { ("failed", "kill") } else { ("succeeded", "delete") };
        let namespace = &self.set.meta.namespace;
        self.plan.notices.push(ObjectNotice {
            about: self.key,
            reason: if failed { "FailedDaemonPod" } else { "SucceededDaemonPod" },
            message: format!("Found {how} daemon pod {namespace}/{{}} on node {node}, will try to {what} it"),
            object: pod,
            warning: failed,
        });
    }

    /// How the rolling update goes on.
    ///
    /// Upstream: `daemon/update.go rollingUpdate`
    fn next_steps(&mut self, census: &Census, limits: Limits) -> Orders {
        let mut orders = Orders::default();
        let (shares, desired) = (census.shares(), census.counts().desired);
        for step in Step::ALL {
            let most = rules::allowance(step, limits, shares, desired);
            for (node, pod) in census.next(step, most) {
                match step {
                    Step::Create | Step::CreateInSurge => orders.create.push(node.clone()),
                    Step::Delete | Step::DeleteInBudget | Step::DeleteIfSpare => orders.delete.push(pod),
                }
            }
        }
        if Step::ALL.into_iter().any(|step| census.is_waited_for(step)) {
            self.plan.because(if limits.surge > 0 {
                Why::DaemonSurge { surging: shares.surging, limit: limits.surge }
            } else {
                Why::DaemonBudget { unavailable: shares.unavailable, limit: limits.unavailable }
            });
        }
        orders
    }

    fn create_pods(&mut self, nodes: &[Arc<str>]) {
        if nodes.is_empty() {
            return;
        }
        let template = Arc::new(stamped(self.set, &self.hash));
        let prefix = PodName::Prefix(format!("{}-", self.set.meta.name).into());
        let (mut rest, mut size) = (nodes, 1);
        while !rest.is_empty() {
            let (batch, later) = rest.split_at(size.min(rest.len()));
            let pods = batch.iter().map(|node| {
                Write::CreatePod(Arc::new(NewPod {
                    finalizers: Finalizers::NONE,
                    index: None,
                    owner: self.owner(),
                    namespace: self.set.meta.namespace.clone(),
                    name: prefix.clone(),
                    mark: PodMark::Text(node.clone()),
                    labels: template.labels.clone(),
                    template: template.clone(),
                    revision: Some(self.revision.clone()),
                    claims: None,
                    pinned: Some(node.clone()),
                }))
            });
            let pods: Vec<Write> = pods.collect();
            self.plan.batch(pods);
            rest = later;
            size *= 2;
        }
    }

    /// Plans to write the status if it differs, and looks again when ready
    /// pods may have become available.
    ///
    /// Upstream: `daemon/daemon_controller.go updateDaemonSetStatus`
    fn write_status(&mut self, census: &Census, observed: bool) {
        let (counts, old) = (census.counts(), &self.set.status);
        let status = DaemonSetStatus {
            observed_generation: if observed { self.set.meta.generation } else { old.observed_generation },
            desired: counts.desired,
            current: counts.current,
            misscheduled: counts.misscheduled,
            ready: counts.ready,
            updated: counts.updated,
            available: counts.available,
            unavailable: counts.desired - counts.available,
            collision_count: old.collision_count,
        };
        if status != *old {
            self.plan.write(Write::DaemonSetStatus {
                set: self.key,
                version: Version::Cached(self.set.meta.resource_version),
                status: Box::new(status),
            });
        }
        let min_ready_seconds = self.set.spec.min_ready_seconds;
        if min_ready_seconds > 0 && counts.ready != counts.available {
            self.plan.look_again_at(self.view.now.plus_seconds(i64::from(min_ready_seconds)));
        }
    }
}

/// What a DaemonSet's pods are stamped from. The node is not in it: each pod
/// is pinned to its own, in place of the template's affinity.
///
/// Upstream: `daemon/util/daemonset_util.go CreatePodTemplate`,
/// `ReplaceDaemonSetPodNodeNameNodeAffinity`
fn stamped(set: &DaemonSet, hash: &str) -> PodTemplate {
    let template = &set.spec.template;
    let labels = template.labels.with(REVISION_LABEL, hash);
    PodTemplate {
        labels: Arc::new(labels.with(GENERATION_LABEL, &set.template_generation.to_string())),
        node_affinity: Vec::new(),
        tolerations: rules::tolerations_of(set),
        ..(**template).clone()
    }
}
