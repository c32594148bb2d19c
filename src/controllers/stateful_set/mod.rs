//! The StatefulSet controller.
//!
//! A sync walks over the places for pods from the lowest ordinal to the
//! highest, then over the pods beyond the size, then over the outdated ones.
//! Ordered StatefulSets stop at the first pod that is not well.

pub mod claims;
mod pass;
pub mod rules;

use super::history;
use super::owners;
use super::{Controller, Notice, Plan, Planned, PodName, Reaction, SyncError, Version, View, WorkQueue, Write};
use crate::api::{Finalizers, Gate, Key, Kind, OwnerRef, Pod, PodTemplate, StatefulSet};
use crate::cluster::{ApiError, Change, Verb};
use crate::time::Span;
use pass::Pass;
use rustc_hash::FxHashMap;

/// The newest versions of its own writes: pods, claims, the StatefulSet.
#[derive(Clone, Copy, Debug, Default)]
struct Written {
    pods: u64,
    claims: u64,
    sets: u64,
}

/// The StatefulSet controller and what it remembers.
#[derive(Clone, Debug, Default)]
pub struct StatefulSetController {
    written: FxHashMap<Key, Written>,
    /// How much the syncs in hand write at their end even if they fail: status
    /// and history.
    endings: FxHashMap<Key, usize>,
}

impl StatefulSetController {
    /// Whether the caches have caught up with this process's own writes.
    ///
    /// Upstream: `util/consistency/consistency.go EnsureReady`
    fn ensure_seen(&mut self, key: Key, view: View<'_>) -> Result<(), SyncError> {
        let Some(written) = self.written.get(&key) else { return Ok(()) };
        let newest = [
            (Kind::Pod, written.pods),
            (Kind::PersistentVolumeClaim, written.claims),
            (Kind::StatefulSet, written.sets),
        ];
        if view.is_behind(Gate::StaleControllerConsistencyStatefulSet, &newest) {
            return Err(SyncError::StaleCache);
        }
        self.written.remove(&key);
        Ok(())
    }
}

impl Controller for StatefulSetController {
    fn kind(&self) -> Kind {
        Kind::StatefulSet
    }

    fn watches(&self, kind: Kind) -> bool {
        matches!(kind, Kind::StatefulSet | Kind::Pod)
    }

    fn pods_belong_to(&self) -> Option<Kind> {
        Some(Kind::StatefulSet)
    }

    fn observe(&mut self, change: &Change, view: View<'_>, queue: &mut WorkQueue) {
        if change.key.kind == Kind::Pod {
            observe_pod(change, view, queue);
            return;
        }
        if change.verb == Verb::Deleted {
            self.written.remove(&change.key);
            self.endings.remove(&change.key);
        }
        queue.add(change.key);
    }

    /// Upstream: `statefulset/stateful_set.go sync`
    fn sync(&mut self, key: Key, view: View<'_>, plan: &mut Plan, _queue: &mut WorkQueue) -> Result<(), SyncError> {
        self.ensure_seen(key, view)?;
        let Some(set) = view.cache.stateful_sets.get(key) else { return Ok(()) };
        adopt_revisions(key, set, view, plan)?;
        let pods = claim_pods(key, set, view, plan)?;
        let mut pass = Pass::new(key, set, view, &pods, plan);
        let ending = pass.run();
        self.endings.insert(key, plan.writes.len() - ending);
        Ok(())
    }

    fn written(&mut self, key: Key, write: &Write, _object: Key, version: u64) {
        let written = self.written.entry(key).or_default();
        let newest = match write {
            Write::CreatePod(_) | Write::RelabelPod { .. } => &mut written.pods,
            Write::CreateClaim { .. } | Write::OwnClaim { .. } => &mut written.claims,
            Write::StatefulSetStatus { .. } => &mut written.sets,
            _ => return,
        };
        *newest = (*newest).max(version);
    }

    /// The status is written even if something went wrong before.
    ///
    /// Upstream: `statefulset/stateful_set_control.go performUpdate`
    fn failed(&mut self, key: Key, write: &Write, error: &ApiError, view: View<'_>, plan: &mut Plan) -> Reaction {
        match (write, error) {
            (Write::DeletePod { owner, .. } | Write::DeleteNewPod { owner, .. }, ApiError::NotFound) => {
                // That it is gone is what was wanted.
                plan.announce(*owner, Notice::normal("SuccessfulDelete", "delete Pod successful: it was gone already"));
                Reaction::Ignore
            }
            (Write::SetOwner { .. }, ApiError::NotFound) => Reaction::Ignore,
            (Write::CreateRevision { revision, .. }, ApiError::AlreadyExists) => {
                let existing = view
                    .live
                    .controller_revisions
                    .find(&revision.meta.namespace, &revision.meta.name)
                    .and_then(|key| view.live.controller_revisions.get(key));
                let same = existing.is_some_and(|found| PodTemplate::same_revision(&found.data, &revision.data));
                if same { Reaction::Ignore } else { Reaction::Fail }
            }
            (Write::CreatePod(pod), _) => {
                if let (PodName::Exact(name), Some(set)) = (&pod.name, owners::find::<StatefulSet>(key, view)) {
                    let set = &set.meta.name;
                    let message = format!("create Pod {name} in StatefulSet {set} failed error: {error}");
                    plan.announce(key, Notice::warning("FailedCreate", message));
                }
                Reaction::Finish
            }
            (
                Write::CreateClaim { .. } | Write::OwnClaim { .. } | Write::RelabelPod { .. } | Write::DeletePod { .. },
                _,
            ) => Reaction::Finish,
            _ => Reaction::Fail,
        }
    }

    /// Places that are handled beside the one with the failure are handled
    /// still; then follow only status and history.
    ///
    /// Upstream: `statefulset/stateful_set_control.go slowStartBatch`, `performUpdate`
    fn salvage(&mut self, key: Key, _write: &Write, _error: &ApiError, _view: View<'_>, rest: &mut Vec<Planned>) {
        let ending = self.endings.get(&key).copied().unwrap_or(0);
        rest.drain(..rest.len().saturating_sub(ending));
    }

    /// Upstream: `cmd/kube-controller-manager/app/options` `--concurrent-statefulset-syncs`
    fn workers(&self) -> u8 {
        5
    }

    fn boxed_clone(&self) -> Box<dyn Controller + Send + Sync> {
        Box::new(self.clone())
    }
}

/// Upstream: `statefulset/stateful_set.go addPod, updatePod, deletePod`
fn observe_pod(change: &Change, view: View<'_>, queue: &mut WorkQueue) {
    if change.verb == Verb::Modified {
        if let Some((key, set)) = owners::pod_updated::<StatefulSet>(change, view, queue)
            && change.became_ready
            && set.spec.min_ready_seconds > 0
        {
            queue.add_after(key, Span::from_secs(set.spec.min_ready_seconds as u64));
        }
        return;
    }
    match change.owner {
        Some(owner) if owners::is_known::<StatefulSet>(owner, view) => queue.add(owner),
        None if change.verb == Verb::Added && !change.deleting => {
            owners::enqueue_adopters::<StatefulSet>(change.key, view, queue);
        }
        _ => {}
    }
}

/// Plans to adopt the history that an earlier StatefulSet of this name left
/// behind. One that is being deleted must not, and its sync fails until
/// either it or that history is gone.
///
/// Upstream: `statefulset/stateful_set.go adoptOrphanRevisions`
fn adopt_revisions(key: Key, set: &StatefulSet, view: View<'_>, plan: &mut Plan) -> Result<(), SyncError> {
    let strays = view.cache.stray_controller_revisions(&set.meta.namespace);
    let owner = OwnerRef { key, controller: true, blocks_deletion: true };
    for (revision, row) in strays {
        if !set.spec.selector.matches(&row.meta.labels) {
            continue;
        }
        view.may_adopt(key)?;
        plan.write(Write::SetOwner { object: revision, owner, present: true, finalizers: Finalizers::NONE });
    }
    Ok(())
}

/// The pods that the StatefulSet owns, by name, with plans to adopt and to
/// release where labels, selector and names say so.
///
/// Upstream: `statefulset/stateful_set.go getPodsForStatefulSet`
fn claim_pods<'a>(
    key: Key,
    set: &StatefulSet,
    view: View<'a>,
    plan: &mut Plan,
) -> Result<Vec<(Key, &'a Pod)>, SyncError> {
    let is_member = |pod: &Pod| {
        let parent = rules::parent_and_ordinal(&pod.meta.name).map(|(parent, _)| parent);
        parent == Some(&*set.meta.name) && set.spec.selector.matches(&pod.meta.labels)
    };
    let owner = OwnerRef { key, controller: true, blocks_deletion: true };
    let alive = !set.meta.is_deleting();
    let mut claimed = Vec::new();
    for (pod_key, pod) in view.cache.pods_of(key) {
        if is_member(pod) {
            claimed.push((pod_key, pod));
        } else if alive {
            plan.write(Write::SetOwner { object: pod_key, owner, present: false, finalizers: Finalizers::NONE });
        }
    }
    for (pod_key, pod) in view.cache.stray_pods(&set.meta.namespace).filter(|_| alive) {
        if !pod.meta.is_deleting() && is_member(pod) {
            view.may_adopt(key)?;
            plan.write(Write::SetOwner { object: pod_key, owner, present: true, finalizers: Finalizers::NONE });
            claimed.push((pod_key, pod));
        }
    }
    Ok(claimed)
}

/// The revision of the present template and of the pods that have not been
/// updated, with plans to make or to renumber the former.
///
/// Upstream: `statefulset/stateful_set_control.go getStatefulSetRevisions`
fn revisions(
    key: Key,
    set: &StatefulSet,
    all: &[history::Revision<'_>],
    plan: &mut Plan,
) -> (pass::Template, pass::Template) {
    let template = |index: usize| pass::Template::of(all[index].1);
    let update = match history::present(all, &set.spec.template) {
        history::Present::Newest(index) => template(index),
        history::Present::Reverted(index, number) => {
            let (revision, row) = all[index];
            let version = Version::Cached(row.meta.resource_version);
            plan.write(Write::NumberRevision { revision, version, number });
            template(index)
        }
        history::Present::Unknown(number) => {
            let collisions = set.status.collision_count;
            let revision = history::new_revision(key, &set.meta, &set.spec.template, number, collisions);
            let made = pass::Template::of(&revision);
            plan.write(Write::CreateRevision { revision: Box::new(revision), owner: key });
            made
        }
    };
    let current = all.iter().position(|(_, row)| row.meta.name == set.status.current_revision);
    let current = current.map_or_else(|| update.clone(), template);
    (current, update)
}
