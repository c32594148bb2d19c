//! The owners of pods: who they are, and who would adopt a pod that has none.

use super::{View, WorkQueue};
use crate::api::{DaemonSet, Job, Key, Labels, ReplicaSet, Selector, StatefulSet};
use crate::cluster::{Change, Stored};

/// A kind that owns pods and finds more of them by a selector.
pub(super) trait Owner: Stored {
    fn selector(&self) -> &Selector;
}

macro_rules! owners {
    ($($kind:ident),*) => {$(
        impl Owner for $kind {
            fn selector(&self) -> &Selector {
                &self.spec.selector
            }
        }
    )*};
}

owners!(DaemonSet, Job, ReplicaSet, StatefulSet);

/// The owner of this key, if it is of the kind and still in the cache.
pub(super) fn find<T: Owner>(key: Key, view: View<'_>) -> Option<&T> {
    (key.kind == T::KIND).then(|| T::table(view.cache).get(key)).flatten()
}

/// Whether there is such an owner.
pub(super) fn is_known<T: Owner>(key: Key, view: View<'_>) -> bool {
    find::<T>(key, view).is_some()
}

/// All that would adopt something with these labels.
pub(super) fn adopters<'a, T: Owner>(
    namespace: &'a str,
    labels: &'a Labels,
    view: View<'a>,
) -> impl Iterator<Item = Key> + 'a {
    let fits = move |owner: &T| &*owner.meta().namespace == namespace && owner.selector().matches(labels);
    T::table(view.cache).iter().filter(move |(_, owner)| fits(owner)).map(|(key, _)| key)
}

/// All that would adopt a pod.
pub(super) fn adopters_of_pod<T: Owner>(pod: Key, view: View<'_>) -> impl Iterator<Item = Key> {
    let pod = view.cache.pods.get(pod).into_iter();
    pod.flat_map(move |pod| adopters::<T>(&pod.meta.namespace, &pod.meta.labels, view))
}

/// Enqueues all that would adopt a pod.
pub(super) fn enqueue_adopters<T: Owner>(pod: Key, view: View<'_>, queue: &mut WorkQueue) {
    for key in adopters_of_pod::<T>(pod, view) {
        queue.add(key);
    }
}

/// Enqueues the owner that has lost a pod, if the change took it from one.
pub(super) fn enqueue_old_owner<T: Owner>(change: &Change, view: View<'_>, queue: &mut WorkQueue) {
    if change.owner_changed
        && let Some(old) = change.old_owner.filter(|&old| is_known::<T>(old, view))
    {
        queue.add(old);
    }
}

/// Enqueues those to whom the change of a pod matters: the owner it had, the
/// one it has, or all that would adopt it. Returns the one it has.
///
/// Upstream: `replicaset/replica_set.go updatePod`
pub(super) fn pod_updated<'a, T: Owner>(
    change: &Change,
    view: View<'a>,
    queue: &mut WorkQueue,
) -> Option<(Key, &'a T)> {
    enqueue_old_owner::<T>(change, view, queue);
    let Some(key) = change.owner else {
        if change.labels_changed || change.owner_changed {
            enqueue_adopters::<T>(change.key, view, queue);
        }
        return None;
    };
    let owner = find::<T>(key, view)?;
    queue.add(key);
    Some((key, owner))
}
