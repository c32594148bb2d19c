//! The garbage collector: what has lost its owners goes, and an owner that
//! is deleted in the foreground waits for its dependents.

use super::{Controller, Plan, Reaction, SyncError, Version, View, WorkQueue, Write};
use crate::api::{Finalizers, Key, Kind, Meta, OwnerRef, Propagation};
use crate::cluster::{ApiError, Change, Verb};
use crate::time::Span;
use crate::trace::Why;

/// The garbage collector needs no memory of its own: the indexes of the
/// cache are its graph.
#[derive(Clone, Debug, Default)]
pub(super) struct GarbageCollector;

impl Controller for GarbageCollector {
    fn kind(&self) -> Kind {
        Kind::Pod
    }

    fn watches(&self, _kind: Kind) -> bool {
        true
    }

    /// Upstream: `garbagecollector/graph_builder.go processGraphChanges`
    fn observe(&mut self, change: &Change, view: View<'_>, queue: &mut WorkQueue) {
        let dependents = || view.cache.owned(change.key.uid).dependents.iter();
        match change.verb {
            Verb::Deleted => {
                dependents().for_each(|&dependent| queue.add(dependent));
                let waiting = |owner: &Key| view.cache.meta(*owner).is_some_and(is_waiting);
                if let Some(owner) = change.owner.filter(waiting) {
                    queue.add(owner);
                }
            }
            _ if change.deletion_started && change.finalizers.has(Finalizers::FOREGROUND) => {
                dependents().for_each(|&dependent| queue.add(dependent));
                queue.add(change.key);
            }
            _ if change.deletion_started && change.finalizers.has(Finalizers::ORPHAN) => {
                queue.add(change.key);
            }
            _ if change.references_changed => observe_references(change, view, queue),
            _ => {}
        }
    }

    /// Upstream: `garbagecollector/garbagecollector.go attemptToDeleteItem`,
    /// `attemptToOrphanWorker`
    fn sync(&mut self, key: Key, view: View<'_>, plan: &mut Plan, queue: &mut WorkQueue) -> Result<(), SyncError> {
        if !view.answers {
            return Err(SyncError::Unavailable);
        }
        let Some(meta) = view.live.meta(key) else { return Ok(()) };
        if meta.is_deleting() {
            if meta.finalizers.has(Finalizers::ORPHAN) {
                orphan_dependents(key, view, plan);
            } else if is_waiting(meta) {
                await_dependents(key, view, plan, queue);
            }
            return Ok(());
        }
        if !meta.owners.is_empty() {
            delete_unowned(key, meta, view, plan);
        }
        Ok(())
    }

    /// Its nodes are known by their UIDs.
    fn keys_are_names(&self) -> bool {
        false
    }

    fn failed(&mut self, _key: Key, _write: &Write, error: &ApiError, _view: View<'_>, _plan: &mut Plan) -> Reaction {
        Reaction::unless_gone(error)
    }

    /// Its graph is built from the lists first.
    fn start_up(&self) -> Span {
        Span::from_ms(200)
    }

    /// It looks at an object itself before it deletes it.
    fn requests(&self, _write: &Write) -> u32 {
        2
    }

    /// Upstream: `cmd/kube-controller-manager/app/options` `--concurrent-gc-syncs`
    fn workers(&self) -> u8 {
        20
    }

    fn boxed_clone(&self) -> Box<dyn Controller + Send + Sync> {
        Box::new(self.clone())
    }
}

/// An object that names an owner which is not there is looked at, and so is
/// an owner that waited for it and is not named any more.
///
/// Upstream: `garbagecollector/graph_builder.go addDependentToOwners`, `addUnblockedOwnersToDeleteQueue`
fn observe_references(change: &Change, view: View<'_>, queue: &mut WorkQueue) {
    let waiting = |owner: &Key| view.cache.meta(*owner).is_some_and(is_waiting);
    if let Some(old) = change.old_owner.filter(|_| change.owner_changed).filter(waiting) {
        queue.add(old);
    }
    let owners = view.cache.meta(change.key).map_or(&[][..], |meta| &meta.owners);
    if owners.iter().any(|owner| view.cache.meta(owner.key).is_none()) {
        queue.add(change.key);
    }
}

/// Whether an object is held only until its dependents are gone.
fn is_waiting(meta: &Meta) -> bool {
    meta.is_deleting() && meta.finalizers.has(Finalizers::FOREGROUND)
}

/// Deletes an object none of whose owners is there to stay.
fn delete_unowned(key: Key, meta: &Meta, view: View<'_>, plan: &mut Plan) {
    let (mut solid, mut waiting) = (0, 0);
    let mut dangling: Vec<OwnerRef> = Vec::new();
    for owner in &meta.owners {
        match view.live.meta(owner.key) {
            None => dangling.push(*owner),
            Some(found) if is_waiting(found) => waiting += 1,
            Some(_) => solid += 1,
        }
    }
    if solid > 0 {
        for owner in dangling {
            plan.write(Write::SetOwner { object: key, owner, present: false, finalizers: Finalizers::NONE });
        }
        return;
    }
    let has_dependents = !view.cache.owned(key.uid).dependents.is_empty();
    let propagation = if waiting > 0 && has_dependents { Propagation::Foreground } else { Propagation::Background };
    plan.because(if waiting > 0 { Why::ForegroundDeletion } else { Why::OwnerGone });
    plan.write(Write::Delete { object: key, propagation });
}

/// Lets an owner go once nothing that blocks its deletion is left. What blocks
/// it is looked at again: it may have come after the deletion began, as the
/// revision that a StatefulSet makes anew when its history is gone.
///
/// Upstream: `garbagecollector/garbagecollector.go processDeletingDependentsItem`
fn await_dependents(key: Key, view: View<'_>, plan: &mut Plan, queue: &mut WorkQueue) {
    let mut blocked = false;
    for &dependent in &view.cache.owned(key.uid).dependents {
        let Some(meta) = view.cache.meta(dependent) else { continue };
        if meta.owners.iter().any(|owner| owner.key == key && owner.blocks_deletion) {
            blocked = true;
            if !is_waiting(meta) {
                queue.add(dependent);
            }
        }
    }
    if !blocked {
        plan.because(Why::DependentsGone);
        plan.write(Write::RemoveFinalizer { object: key, version: Version::Live, finalizer: Finalizers::FOREGROUND });
    }
}

/// Sets an owner's dependents free and then lets it go.
///
/// Upstream: `garbagecollector/garbagecollector.go orphanDependents`
fn orphan_dependents(key: Key, view: View<'_>, plan: &mut Plan) {
    plan.because(Why::Orphaned);
    for &dependent in &view.cache.owned(key.uid).dependents {
        let owners = view.cache.meta(dependent).map_or(&[][..], |d| &d.owners);
        if let Some(owner) = owners.iter().find(|o| o.key == key) {
            plan.write(Write::SetOwner {
                object: dependent,
                owner: *owner,
                present: false,
                finalizers: Finalizers::NONE,
            });
        }
    }
    plan.write(Write::RemoveFinalizer { object: key, version: Version::Live, finalizer: Finalizers::ORPHAN });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{PersistentVolumeClaim, Uid};
    use crate::cluster::{Objects, Row, deliver};
    use crate::time::Instant;

    fn claim(uid: u32, owners: Vec<OwnerRef>) -> Row {
        let meta = Meta { uid: Uid(uid), owners, ..Meta::named("default", &format!("claim-{uid}")) };
        let claim = PersistentVolumeClaim { meta, spec: crate::api::ClaimSpec::default(), bound: false };
        Row::PersistentVolumeClaim(Box::new(claim))
    }

    #[test]
    fn any_reference_to_an_owner_that_is_not_there_is_looked_at() {
        let key = |uid| Key { kind: Kind::PersistentVolumeClaim, slot: uid - 1, uid: Uid(uid) };
        let to = |uid| OwnerRef { key: key(uid), controller: false, blocks_deletion: false };
        for (before, after, woken) in [
            (vec![], vec![to(7)], true),
            (vec![], vec![to(1)], false),
            (vec![to(7)], vec![to(7)], false),
            (vec![to(1)], vec![to(1), to(7)], true),
        ] {
            let mut cache = Objects::default();
            deliver(&mut cache, 0, claim(1, Vec::new()));
            deliver(&mut cache, 1, claim(2, before.clone()));
            let change = deliver(&mut cache, 1, claim(2, after.clone())).expect("it is there");
            let view = View::up_to_date(&cache, Instant(0));
            let mut queue = WorkQueue::default();
            GarbageCollector.observe(&change, view, &mut queue);
            assert_eq!(queue.get().is_some(), woken, "{before:?} {after:?}");
        }
    }
}
