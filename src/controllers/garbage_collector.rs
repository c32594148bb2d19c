//! The garbage collector: what has lost its owners goes, and an owner that
//! is deleted in the foreground waits for its dependents.

use super::{Controller, Plan, Reaction, SyncError, Version, View, WorkQueue, Write};
use crate::api::{Finalizers, Key, Kind, Meta, OwnerRef, Propagation, Uid};
use crate::cluster::{ApiError, Change, Verb};
use crate::time::Span;
use crate::trace::Why;
use rustc_hash::FxHashMap;

/// The indexes of the cache are the garbage collector's graph. It remembers
/// only what they cannot tell it once an object is gone.
#[derive(Clone, Debug, Default)]
pub(super) struct GarbageCollector {
    /// Owners that wait for their dependents, under those of them that they
    /// do not control.
    awaited: FxHashMap<Uid, Vec<Key>>,
}

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
        if change.verb == Verb::Deleted {
            dependents().for_each(|&dependent| queue.add(dependent));
            let others = if change.other_owners { self.awaited.remove(&change.key.uid) } else { None };
            let owners = change.owner.into_iter().chain(others.into_iter().flatten());
            return owners.filter(|&owner| waits(owner, view)).for_each(|owner| queue.add(owner));
        }
        if change.references_changed {
            self.observe_references(change, view, queue);
        }
        if starts(change, Finalizers::ORPHAN) {
            queue.add(change.key);
        } else if starts(change, Finalizers::FOREGROUND) {
            for &dependent in dependents() {
                self.await_dependent(dependent, change.key, view);
                queue.add(dependent);
            }
            queue.add(change.key);
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

impl GarbageCollector {
    /// An object that names an owner which is not there is looked at, and so
    /// is an owner that waited for it and that it does not hold any more.
    ///
    /// Upstream: `garbagecollector/graph_builder.go addDependentToOwners`, `addUnblockedOwnersToDeleteQueue`
    fn observe_references(&mut self, change: &Change, view: View<'_>, queue: &mut WorkQueue) {
        if let Some(old) = change.old_owner.filter(|&old| change.owner_changed && waits(old, view)) {
            queue.add(old);
        }
        let owners = view.cache.meta(change.key).map_or(&[][..], |meta| &meta.owners);
        let holds = |owner: Key| owners.iter().any(|o| o.key == owner && o.blocks_deletion);
        let before = self.awaited.remove(&change.key.uid).into_iter().flatten();
        before.filter(|&owner| waits(owner, view) && !holds(owner)).for_each(|owner| queue.add(owner));
        for owner in owners {
            match view.cache.meta(owner.key) {
                None => queue.add(change.key),
                Some(meta) if is_waiting(meta) => self.await_dependent(change.key, owner.key, view),
                Some(_) => {}
            }
        }
    }

    /// Notes that an owner waits for a dependent, unless the owner controls
    /// it and is known by that.
    fn await_dependent(&mut self, dependent: Key, owner: Key, view: View<'_>) {
        if view.cache.meta(dependent).is_some_and(|meta| meta.controller() != Some(owner)) {
            self.awaited.entry(dependent.uid).or_default().push(owner);
        }
    }
}

/// Whether an object is being deleted and this finalizer holds it, one of
/// which is news.
///
/// Upstream: `garbagecollector/graph_builder.go deletionStartsWithFinalizer`
const fn starts(change: &Change, finalizer: Finalizers) -> bool {
    let news = change.deletion_started || change.new_finalizers.has(finalizer);
    change.deleting && change.finalizers.has(finalizer) && news
}

fn waits(owner: Key, view: View<'_>) -> bool {
    view.cache.meta(owner).is_some_and(is_waiting)
}

/// Whether an object is held only until its dependents are gone.
fn is_waiting(meta: &Meta) -> bool {
    meta.is_deleting() && meta.finalizers.has(Finalizers::FOREGROUND)
}

/// Deletes an object none of whose owners is there to stay. If one is, the
/// object loses the others: else those that wait for it would wait for ever.
///
/// Upstream: `garbagecollector/garbagecollector.go attemptToDeleteItem`, `classifyReferences`
fn delete_unowned(key: Key, meta: &Meta, view: View<'_>, plan: &mut Plan) {
    let (mut solid, mut waiting) = (0, 0);
    let mut others: Vec<OwnerRef> = Vec::new();
    for owner in &meta.owners {
        match view.live.meta(owner.key) {
            Some(found) if !is_waiting(found) => solid += 1,
            found => {
                others.push(*owner);
                waiting += usize::from(found.is_some());
            }
        }
    }
    if solid > 0 {
        for owner in others {
            plan.write(Write::SetOwner { object: key, owner, present: false, finalizers: Finalizers::NONE });
        }
        return;
    }
    let has_dependents = !view.cache.owned(key.uid).dependents.is_empty();
    let propagation = match meta.finalizers {
        _ if waiting > 0 && has_dependents => Propagation::Foreground,
        f if f.has(Finalizers::ORPHAN) => Propagation::Orphan,
        f if f.has(Finalizers::FOREGROUND) => Propagation::Foreground,
        _ => Propagation::Background,
    };
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

    fn key(uid: u32) -> Key {
        Key { kind: Kind::PersistentVolumeClaim, slot: uid - 1, uid: Uid(uid) }
    }

    fn to(uid: u32) -> OwnerRef {
        OwnerRef { key: key(uid), controller: false, blocks_deletion: false }
    }

    fn holding(uid: u32) -> OwnerRef {
        OwnerRef { blocks_deletion: true, ..to(uid) }
    }

    fn claim(uid: u32, owners: Vec<OwnerRef>, finalizers: Finalizers, deleting: bool) -> Row {
        let deletion = deleting.then_some(crate::api::Deletion { at: crate::time::Timestamp(0), grace_seconds: 0 });
        let meta =
            Meta { uid: Uid(uid), owners, finalizers, deletion, ..Meta::named("default", &format!("claim-{uid}")) };
        let claim = PersistentVolumeClaim { meta, spec: crate::api::ClaimSpec::default(), bound: false };
        Row::PersistentVolumeClaim(Box::new(claim))
    }

    fn plain(uid: u32, owners: Vec<OwnerRef>) -> Row {
        claim(uid, owners, Finalizers::NONE, false)
    }

    /// Brings a row into the cache and answers who is looked at for it.
    fn woken(collector: &mut GarbageCollector, cache: &mut Objects, slot: u32, row: Row) -> Vec<u32> {
        let change = deliver(cache, slot, row).expect("it is there");
        let mut queue = WorkQueue::default();
        collector.observe(&change, View::up_to_date(cache, Instant(0)), &mut queue);
        std::iter::from_fn(|| queue.get()).map(|(key, _)| key.uid.0).collect()
    }

    #[test]
    fn any_reference_to_an_owner_that_is_not_there_is_looked_at() {
        for (before, after, looked_at) in [
            (vec![], vec![to(7)], true),
            (vec![], vec![to(1)], false),
            (vec![to(7)], vec![to(7)], false),
            (vec![to(1)], vec![to(1), to(7)], true),
        ] {
            let (mut collector, mut cache) = (GarbageCollector::default(), Objects::default());
            deliver(&mut cache, 0, plain(1, Vec::new()));
            deliver(&mut cache, 1, plain(2, before.clone()));
            let seen = woken(&mut collector, &mut cache, 1, plain(2, after.clone()));
            assert_eq!(!seen.is_empty(), looked_at, "{before:?} {after:?}");
        }
    }

    #[test]
    fn an_owner_waits_for_dependents_that_it_does_not_control() {
        let waiting = || claim(1, Vec::new(), Finalizers::FOREGROUND, true);
        for (dependent, then) in [
            (holding(1), Row::Gone(key(2))),
            (to(1), Row::Gone(key(2))),
            (holding(1), plain(2, Vec::new())),
            (holding(1), plain(2, vec![to(1)])),
        ] {
            let (mut collector, mut cache) = (GarbageCollector::default(), Objects::default());
            deliver(&mut cache, 0, plain(1, Vec::new()));
            deliver(&mut cache, 1, plain(2, vec![dependent]));
            assert_eq!(woken(&mut collector, &mut cache, 0, waiting()), [2, 1]);
            assert_eq!(woken(&mut collector, &mut cache, 1, then), [1], "{dependent:?}");
        }
        // One that comes later is waited for as well.
        let (mut collector, mut cache) = (GarbageCollector::default(), Objects::default());
        deliver(&mut cache, 0, waiting());
        assert!(woken(&mut collector, &mut cache, 1, plain(2, vec![holding(1)])).is_empty());
        assert_eq!(woken(&mut collector, &mut cache, 1, Row::Gone(key(2))), [1]);
    }

    #[test]
    fn a_finalizer_that_comes_after_the_deletion_counts_as_well() {
        let (mut collector, mut cache) = (GarbageCollector::default(), Objects::default());
        deliver(&mut cache, 0, claim(1, Vec::new(), Finalizers::CLAIM_IN_USE, true));
        for (finalizer, looked_at) in [(Finalizers::NONE, vec![]), (Finalizers::FOREGROUND, vec![1])] {
            let row = claim(1, Vec::new(), Finalizers::CLAIM_IN_USE.with(finalizer), true);
            assert_eq!(woken(&mut collector, &mut cache, 0, row), looked_at);
        }
    }

    #[test]
    fn what_has_an_owner_loses_the_others_and_what_has_none_goes() {
        for (owners, finalizers, written) in [
            (vec![to(1)], Finalizers::NONE, vec![]),
            (vec![to(1), to(3), to(9)], Finalizers::NONE, vec!["-3", "-9"]),
            (vec![to(9)], Finalizers::NONE, vec!["Background"]),
            (vec![to(9)], Finalizers::ORPHAN, vec!["Orphan"]),
            (vec![to(9)], Finalizers::FOREGROUND, vec!["Foreground"]),
            (vec![to(3)], Finalizers::NONE, vec!["Background"]),
        ] {
            let mut cache = Objects::default();
            deliver(&mut cache, 0, plain(1, Vec::new()));
            deliver(&mut cache, 1, claim(2, owners.clone(), finalizers, false));
            deliver(&mut cache, 2, claim(3, Vec::new(), Finalizers::FOREGROUND, true));
            let (mut plan, mut queue) = (Plan::default(), WorkQueue::default());
            let view = View::up_to_date(&cache, Instant(0));
            GarbageCollector::default().sync(key(2), view, &mut plan, &mut queue).expect("it answers");
            let words: Vec<String> = plan.writes.iter().map(|planned| word(&planned.write)).collect();
            assert_eq!(words, written, "{owners:?} {finalizers:?}");
        }
    }

    fn word(write: &Write) -> String {
        match write {
            Write::SetOwner { owner, present: false, .. } => format!("-{}", owner.key.uid.0),
            Write::Delete { propagation, .. } => format!("{propagation:?}"),
            other => format!("{other:?}"),
        }
    }
}
