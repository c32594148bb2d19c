//! What wakes the DaemonSet controller.

use super::{DaemonSetController, SeenNode, rules};
use crate::api::{DaemonSet, Key, Kind};
use crate::cluster::{Change, Verb};
use crate::controllers::owners::{self, is_known};
use crate::controllers::{View, WorkQueue};
use crate::time::Span;

impl DaemonSetController {
    pub(super) fn observe_set(&mut self, change: &Change, queue: &mut WorkQueue) {
        if change.verb == Verb::Deleted {
            self.expectations.forget(change.key);
            self.backoff.forget(change.key);
            self.censuses.remove(&change.key);
            self.written.remove(&change.key);
        }
        queue.add(change.key);
    }

    pub(super) fn observe_pod(&mut self, change: &Change, view: View<'_>, queue: &mut WorkQueue) {
        self.keep_count(change, view);
        match change.verb {
            Verb::Added if !change.deleting => match change.owner {
                Some(owner) if is_known::<DaemonSet>(owner, view) => {
                    self.expectations.creation_observed(owner);
                    queue.add(owner);
                }
                Some(_) => {}
                None => owners::enqueue_adopters::<DaemonSet>(change.key, view, queue),
            },
            Verb::Modified if !change.deleting => pod_updated(change, view, queue),
            // A pod that is being deleted counts as gone, though its place on
            // the node is taken until it is.
            _ => {
                if let Some(owner) = change.owner.filter(|&owner| is_known::<DaemonSet>(owner, view)) {
                    self.expectations.deletion_observed(owner, change.key.uid);
                    queue.add(owner);
                }
            }
        }
    }

    /// Tells the censuses of a change of a pod.
    fn keep_count(&mut self, change: &Change, view: View<'_>) {
        let owner = change.owner.filter(|_| change.verb != Verb::Deleted);
        if change.verb == Verb::Deleted || change.owner_changed {
            for (&set, census) in &mut self.censuses {
                if Some(set) != owner {
                    census.pod_gone(change.key);
                }
            }
        }
        if let Some(census) = owner.and_then(|owner| self.censuses.get_mut(&owner)) {
            census.pod_changed(change.key, view);
        }
    }

    /// Only labels and taints decide about daemon pods. What follows from a
    /// change of them is seen when the node's turn in the queue comes.
    ///
    /// Upstream: `daemon/daemon_controller.go updateNode`, `shouldIgnoreNodeUpdate`
    pub(super) fn observe_node(&mut self, change: &Change, view: View<'_>, queue: &mut WorkQueue) {
        let Some(node) = view.cache.nodes.get(change.key) else {
            // No DaemonSet is woken: what ran there is found missing later.
            if let Some(gone) = self.nodes.remove(&change.key) {
                self.censuses.values_mut().for_each(|census| census.node_changed(&gone.name));
            }
            return;
        };
        let (name, labels) = (node.meta.name.clone(), node.meta.labels.clone());
        let seen = SeenNode { name, labels, taints: node.taints.clone() };
        let is_news = self.nodes.get(&change.key) != Some(&seen);
        if is_news {
            self.censuses.values_mut().for_each(|census| census.node_changed(&seen.name));
            self.nodes.insert(change.key, seen);
            queue.add(change.key);
        }
    }

    /// Wakes the DaemonSets to which a changed node matters.
    ///
    /// Upstream: `daemon/daemon_controller.go syncNodeUpdate`
    pub(super) fn sync_node(&self, key: Key, view: View<'_>, queue: &mut WorkQueue) {
        let Some(node) = view.cache.nodes.get(key) else { return };
        for set_key in view.cache.keys_by_name(Kind::DaemonSet) {
            let Some(set) = view.cache.daemon_sets.get(set_key) else { continue };
            let fit = rules::fit(node, &set.spec.template, &rules::tolerations_of(set));
            let scheduled = match self.censuses.get(&set_key) {
                Some(census) => census.has_bound_pod(&node.meta.name, view),
                None => view.cache.pods_of(set_key).any(|(_, pod)| pod.node == Some(key)),
            };
            if rules::node_change_matters(fit, scheduled, set.status.misscheduled) {
                queue.add(set_key);
            }
        }
    }
}

fn pod_updated(change: &Change, view: View<'_>, queue: &mut WorkQueue) {
    if let Some((key, set)) = owners::pod_updated::<DaemonSet>(change, view, queue)
        && change.became_ready
        && set.spec.min_ready_seconds > 0
    {
        queue.add_after(key, Span::from_secs(set.spec.min_ready_seconds as u64 + 1));
    }
}

/// Upstream: `daemon/daemon_controller.go addHistory, updateHistory, deleteHistory`
pub(super) fn revision(change: &Change, view: View<'_>, queue: &mut WorkQueue) {
    if change.verb == Verb::Modified {
        owners::enqueue_old_owner::<DaemonSet>(change, view, queue);
    }
    let is_gone = change.verb == Verb::Deleted || (change.verb == Verb::Added && change.deleting);
    if let Some(owner) = change.owner {
        if is_known::<DaemonSet>(owner, view) && (is_gone || change.verb == Verb::Modified) {
            queue.add(owner);
        }
        return;
    }
    let is_news = change.verb == Verb::Added || change.labels_changed || change.owner_changed;
    if !is_gone
        && is_news
        && let Some(revision) = view.cache.controller_revisions.get(change.key)
    {
        for key in owners::adopters::<DaemonSet>(&revision.meta.namespace, &revision.meta.labels, view) {
            queue.add(key);
        }
    }
}
