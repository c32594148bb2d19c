//! What a write tells those who watch.

use super::objects::Objects;
use crate::api::{
    ControllerRevision, CronJob, DaemonSet, Deployment, Finalizers, HorizontalPodAutoscaler, Job, Key, Lease, Meta,
    Node, OwnerRef, PersistentVolume, PersistentVolumeClaim, Pod, PodDisruptionBudget, ReplicaSet, Service,
    StatefulSet, StorageClass,
};

/// The three kinds of watch events.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verb {
    /// The object is new.
    Added,
    /// It was written.
    Modified,
    /// It is gone.
    Deleted,
}

/// One watch event, reduced to what handlers compare between the old and the
/// new object.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Change {
    /// What kind of event.
    pub verb: Verb,
    /// Which object.
    pub key: Key,
    /// Its controller now (for `Deleted`: at the end).
    pub owner: Option<Key>,
    /// Its controller before, where it was another or none.
    pub old_owner: Option<Key>,
    /// Whether its controller is another one now.
    pub owner_changed: bool,
    /// Whether any of its owner references differs, that of its controller
    /// or another.
    pub references_changed: bool,
    /// Whether its labels differ.
    pub labels_changed: bool,
    /// Whether its deletion has been asked for.
    pub deleting: bool,
    /// Whether that was news.
    pub deletion_started: bool,
    /// Whether it is a pod that was not ready and is.
    pub became_ready: bool,
    /// Whether it is a pod that is bound to another node than before.
    pub node_changed: bool,
    /// Whether its spec differs, or its deletion was asked for.
    pub generation_changed: bool,
    /// Finalizers it has now.
    pub finalizers: Finalizers,
    /// Those of them that it did not have before.
    pub new_finalizers: Finalizers,
    /// Whether it has owners besides its controller (for `Deleted`: had at
    /// the end).
    pub other_owners: bool,
}

/// What is compared of an object before and after a write.
#[derive(Clone, Copy)]
pub(super) struct Facts {
    owner: Option<Key>,
    /// A fingerprint of its owner references.
    references: u64,
    labels: *const crate::api::Labels,
    deleting: bool,
    ready: bool,
    pub(super) node: Option<Key>,
    generation: i64,
    finalizers: Finalizers,
    other_owners: bool,
}

impl Facts {
    pub(super) const fn none() -> Facts {
        Facts {
            owner: None,
            references: 0,
            labels: std::ptr::null(),
            deleting: false,
            ready: false,
            node: None,
            generation: 0,
            finalizers: Finalizers::NONE,
            other_owners: false,
        }
    }

    pub(super) fn of(meta: &Meta, ready: bool) -> Facts {
        Facts {
            owner: meta.controller(),
            references: fingerprint(&meta.owners),
            labels: std::sync::Arc::as_ptr(&meta.labels),
            deleting: meta.is_deleting(),
            ready,
            node: None,
            generation: meta.generation,
            finalizers: meta.finalizers,
            other_owners: meta.owners.iter().any(|owner| !owner.controller),
        }
    }

    pub(super) const fn on(mut self, node: Option<Key>) -> Facts {
        self.node = node;
        self
    }
}

/// Tells lists of owner references apart; 0 only for none.
fn fingerprint(owners: &[OwnerRef]) -> u64 {
    owners.iter().fold(0, |sum: u64, owner| {
        let flags = 1 + u64::from(owner.controller) * 2 + u64::from(owner.blocks_deletion) * 4;
        sum.wrapping_mul(0x0100_0000_01b3).wrapping_add((u64::from(owner.key.uid.0) << 3) + flags)
    })
}

impl Change {
    pub(super) fn added(key: Key, new: Facts) -> Change {
        Change {
            verb: Verb::Added,
            key,
            owner: new.owner,
            old_owner: None,
            owner_changed: false,
            references_changed: new.references != 0,
            labels_changed: false,
            deleting: new.deleting,
            deletion_started: new.deleting,
            became_ready: new.ready,
            node_changed: new.node.is_some(),
            generation_changed: false,
            finalizers: new.finalizers,
            new_finalizers: new.finalizers,
            other_owners: new.other_owners,
        }
    }

    pub(super) fn modified(key: Key, old: Facts, new: Facts) -> Change {
        Change {
            verb: Verb::Modified,
            key,
            owner: new.owner,
            old_owner: old.owner,
            owner_changed: old.owner != new.owner,
            references_changed: old.references != new.references,
            labels_changed: !std::ptr::eq(old.labels, new.labels),
            deleting: new.deleting,
            deletion_started: new.deleting && !old.deleting,
            became_ready: new.ready && !old.ready,
            node_changed: new.node != old.node,
            generation_changed: new.generation != old.generation,
            finalizers: new.finalizers,
            new_finalizers: new.finalizers.without(old.finalizers),
            other_owners: new.other_owners,
        }
    }

    pub(super) fn deleted(key: Key, last: Facts) -> Change {
        Change {
            verb: Verb::Deleted,
            key,
            owner: last.owner,
            old_owner: last.owner,
            owner_changed: false,
            references_changed: false,
            labels_changed: false,
            deleting: last.deleting,
            deletion_started: false,
            became_ready: false,
            node_changed: false,
            generation_changed: false,
            finalizers: last.finalizers,
            new_finalizers: Finalizers::NONE,
            other_owners: last.other_owners,
        }
    }
}

/// A copy of an object on its way to a cache that lags behind.
#[derive(Clone, Debug)]
pub enum Row {
    /// A pod.
    Pod(Box<Pod>),
    /// A node.
    Node(Box<Node>),
    /// A ReplicaSet.
    ReplicaSet(Box<ReplicaSet>),
    /// A Deployment.
    Deployment(Box<Deployment>),
    /// A ControllerRevision.
    ControllerRevision(Box<ControllerRevision>),
    /// A StatefulSet.
    StatefulSet(Box<StatefulSet>),
    /// A PersistentVolumeClaim.
    PersistentVolumeClaim(Box<PersistentVolumeClaim>),
    /// A DaemonSet.
    DaemonSet(Box<DaemonSet>),
    /// A Job.
    Job(Box<Job>),
    /// A CronJob.
    CronJob(Box<CronJob>),
    /// A PersistentVolume.
    PersistentVolume(Box<PersistentVolume>),
    /// A StorageClass.
    StorageClass(Box<StorageClass>),
    /// A Service.
    Service(Box<Service>),
    /// A PodDisruptionBudget.
    PodDisruptionBudget(Box<PodDisruptionBudget>),
    /// A HorizontalPodAutoscaler.
    HorizontalPodAutoscaler(Box<HorizontalPodAutoscaler>),
    /// A Lease.
    Lease(Box<Lease>),
    /// The object is gone.
    Gone(Key),
}

/// Brings one watch event into a lagging cache and says what it changed
/// there. This is the only function that changes such a cache.
pub fn deliver(cache: &mut Objects, slot: u32, row: Row) -> Option<Change> {
    match row {
        Row::Pod(pod) => Some(cache.put(slot, *pod)),
        Row::Node(node) => Some(cache.put(slot, *node)),
        Row::ReplicaSet(set) => Some(cache.put(slot, *set)),
        Row::Deployment(deployment) => Some(cache.put(slot, *deployment)),
        Row::ControllerRevision(revision) => Some(cache.put(slot, *revision)),
        Row::StatefulSet(set) => Some(cache.put(slot, *set)),
        Row::PersistentVolumeClaim(claim) => Some(cache.put(slot, *claim)),
        Row::DaemonSet(set) => Some(cache.put(slot, *set)),
        Row::Job(job) => Some(cache.put(slot, *job)),
        Row::CronJob(cron_job) => Some(cache.put(slot, *cron_job)),
        Row::PersistentVolume(volume) => Some(cache.put(slot, *volume)),
        Row::StorageClass(class) => Some(cache.put(slot, *class)),
        Row::Service(service) => Some(cache.put(slot, *service)),
        Row::PodDisruptionBudget(budget) => Some(cache.put(slot, *budget)),
        Row::HorizontalPodAutoscaler(autoscaler) => Some(cache.put(slot, *autoscaler)),
        Row::Lease(lease) => Some(cache.put(slot, *lease)),
        Row::Gone(key) => cache.remove(key),
    }
}
