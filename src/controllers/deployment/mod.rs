//! The Deployment controller.
//!
//! One sync does one thing: it grows the new ReplicaSet, or shrinks old ones,
//! or only writes the status; the change that follows wakes it again.

mod recreate;
mod revisions;
mod rollback;
mod rolling;
pub mod rules;
mod scaling;
mod status;

use super::{Controller, Plan, Reaction, SyncError, View, WorkQueue, Write};
use crate::api::{Deployment, DeploymentStatus, Key, Kind, ReplicaSet, Strategy};
use crate::cluster::{ApiError, Change, Verb};
use crate::time::Span;
use crate::trace::Why;
use revisions::{NewSet, Sets};
use rules::Fenceposts;

/// The Deployment controller remembers nothing between syncs.
#[derive(Clone, Debug, Default)]
pub struct DeploymentController;

/// One sync of one Deployment: what it works with and what it has planned.
struct Pass<'a> {
    key: Key,
    deployment: &'a Deployment,
    view: View<'a>,
    /// The status as this sync has changed it so far. The version it is
    /// written against stays the one in the cache, so a second status write
    /// in one sync meets a conflict, as upstream's does.
    status: DeploymentStatus,
    revision: Option<i64>,
    limits: Fenceposts,
    plan: &'a mut Plan,
    queue: &'a mut WorkQueue,
}

/// A ReplicaSet and its key.
type Set<'a> = (Key, &'a ReplicaSet);

impl Controller for DeploymentController {
    fn kind(&self) -> Kind {
        Kind::Deployment
    }

    fn watches(&self, kind: Kind) -> bool {
        matches!(kind, Kind::Deployment | Kind::ReplicaSet | Kind::Pod)
    }

    fn pods_belong_to(&self) -> Option<Kind> {
        Some(Kind::Deployment)
    }

    fn observe(&mut self, change: &Change, view: View<'_>, queue: &mut WorkQueue) {
        match change.key.kind {
            Kind::Deployment => queue.add(change.key),
            Kind::ReplicaSet => observe_replica_set(change, view, queue),
            Kind::Pod if change.verb == Verb::Deleted => observe_pod_gone(change, view, queue),
            _ => {}
        }
    }

    /// Upstream: `deployment/deployment_controller.go syncDeployment`
    fn sync(&mut self, key: Key, view: View<'_>, plan: &mut Plan, queue: &mut WorkQueue) -> Result<(), SyncError> {
        let Some(deployment) = view.cache.deployments.get(key) else { return Ok(()) };
        let mut sync = Pass {
            key,
            deployment,
            view,
            status: deployment.status.clone(),
            revision: deployment.revision,
            limits: rules::limits(deployment.spec.strategy, deployment.spec.replicas),
            plan,
            queue,
        };
        let sets = sync.claim_sets()?;
        if deployment.meta.is_deleting() {
            let sets = sync.existing(&sets);
            sync.write_plain_status(&sets);
            return Ok(());
        }
        sync.note_pause();
        if deployment.spec.paused {
            sync.plan.because(Why::Paused);
            sync.scale_only(&sets);
        } else if let Some(revision) = deployment.spec.rollback_to {
            sync.roll_back(&sets, revision);
        } else if sync.is_scaling_event(&sets) {
            sync.scale_only(&sets);
        } else {
            match deployment.spec.strategy {
                Strategy::Recreate => sync.roll_out_recreate(&sets),
                Strategy::RollingUpdate { .. } => sync.roll_out_rolling(&sets),
            }
        }
        Ok(())
    }

    /// A ReplicaSet of that name may be there already: if it is this
    /// Deployment's own with this very template, all is well; if not, two
    /// templates have the same hash and the next attempt gets another one.
    fn failed(&mut self, key: Key, write: &Write, error: &ApiError, view: View<'_>, plan: &mut Plan) -> Reaction {
        match (write, error) {
            (Write::CreateReplicaSet { set, .. }, ApiError::AlreadyExists) => {
                revisions::met_existing(key, set, view, plan)
            }
            (Write::DeleteReplicaSet(_) | Write::SetOwner { .. }, ApiError::NotFound) => Reaction::Ignore,
            _ => Reaction::Fail,
        }
    }

    /// Upstream: `deployment/deployment_controller.go maxRetries`
    fn max_retries(&self) -> Option<u32> {
        Some(15)
    }

    fn write_latency(&self) -> Span {
        Span::from_ns(1_400)
    }

    /// Upstream: `cmd/kube-controller-manager/app/options` `--concurrent-deployment-syncs`
    fn workers(&self) -> u8 {
        5
    }

    fn boxed_clone(&self) -> Box<dyn Controller + Send + Sync> {
        Box::new(self.clone())
    }
}

fn observe_replica_set(change: &Change, view: View<'_>, queue: &mut WorkQueue) {
    let known = |owner: &Key| owner.kind == Kind::Deployment && view.cache.deployments.get(*owner).is_some();
    if change.verb == Verb::Modified
        && change.owner_changed
        && let Some(old) = change.old_owner.filter(known)
    {
        queue.add(old);
    }
    if change.owner.is_some() {
        if let Some(owner) = change.owner.filter(known) {
            queue.add(owner);
        }
        return;
    }
    let may_be_adopted = match change.verb {
        Verb::Added => !change.deleting,
        Verb::Modified => change.labels_changed || change.owner_changed,
        Verb::Deleted => false,
    };
    if let Some(set) = view.cache.replica_sets.get(change.key).filter(|_| may_be_adopted) {
        let adopters = view
            .cache
            .deployments
            .iter()
            .filter(|(_, d)| d.meta.namespace == set.meta.namespace && d.spec.selector.matches(&set.meta.labels));
        adopters.for_each(|(key, _)| queue.add(key));
    }
}

/// Recreate waits for the last old pod; nothing else would wake it.
///
/// Upstream: `deployment/deployment_controller.go deletePod`
fn observe_pod_gone(change: &Change, view: View<'_>, queue: &mut WorkQueue) {
    let Some(set) = change.owner.filter(|owner| owner.kind == Kind::ReplicaSet) else { return };
    let Some(set) = view.cache.replica_sets.get(set) else { return };
    let Some(key) = set.meta.controller().filter(|owner| owner.kind == Kind::Deployment) else { return };
    let Some(deployment) = view.cache.deployments.get(key) else { return };
    if deployment.spec.strategy == Strategy::Recreate {
        let sets = &view.cache.owned(key.uid).dependents;
        if sets.iter().all(|&set| view.cache.pods_of(set).next().is_none()) {
            queue.add(key);
        }
    }
}

/// The newest ReplicaSet's size and the sum over all, by spec.
fn total_replicas(sets: &Sets<'_>) -> i32 {
    let old: i32 = sets.old.iter().map(|(_, set)| set.spec.replicas).sum();
    old + sets.new.as_ref().map_or(0, NewSet::replicas)
}
