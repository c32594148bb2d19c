//! A table of objects: rows in slots, found by slot or by name.

use super::objects::Objects;
use super::watch::Row;
use crate::api::{
    ControllerRevision, CronJob, CronJobStatus, DaemonSet, DaemonSetStatus, Deployment, DeploymentStatus,
    HorizontalPodAutoscaler, HorizontalPodAutoscalerStatus, Job, JobStatus, Key, Kind, Lease, Meta, Node,
    PersistentVolume, PersistentVolumeClaim, Pod, PodDisruptionBudget, PodDisruptionBudgetStatus, ReplicaSet,
    ReplicaSetStatus, Service, StatefulSet, StatefulSetStatus, StorageClass,
};
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// A kind of object that is stored.
pub trait Stored: Clone + PartialEq + Sized + 'static {
    /// The kind.
    const KIND: Kind;
    /// Its status, where that is written by itself.
    type Status: PartialEq + 'static;
    /// Its status.
    fn status(&self) -> &Self::Status;
    /// Its metadata.
    fn meta(&self) -> &Meta;
    /// Its metadata, to be changed.
    fn meta_mut(&mut self) -> &mut Meta;
    /// Whether a write counts as a new generation: one of the spec does, one
    /// of the status or the metadata does not.
    fn is_new_generation(&self, old: &Self) -> bool;
    /// Empties what only the server's side may write and fills in what it
    /// makes up itself. The UID is known.
    fn clear_status(&mut self);
    /// Where objects of this kind are kept.
    fn table(objects: &Objects) -> &Table<Self>;
    /// Where objects of this kind are kept, to be changed.
    fn table_mut(objects: &mut Objects) -> &mut Table<Self>;
    /// A copy on its way to a cache that lags.
    fn into_row(self) -> Row;
}

/// A kind of object with a status, which is written by itself.
pub trait WithStatus: Stored {
    /// Its status, to be changed.
    fn status_mut(&mut self) -> &mut Self::Status;
}

macro_rules! stored {
    ($($kind:ident in $table:ident, $status:ty = $get:expr, $new:expr, $clear:expr;)*) => {$(
        impl Stored for $kind {
            const KIND: Kind = Kind::$kind;
            type Status = $status;
            fn status(&self) -> &Self::Status {
                let get: fn(&Self) -> &Self::Status = $get;
                get(self)
            }
            fn meta(&self) -> &Meta {
                &self.meta
            }
            fn meta_mut(&mut self) -> &mut Meta {
                &mut self.meta
            }
            fn is_new_generation(&self, old: &Self) -> bool {
                let differs: fn(&Self, &Self) -> bool = $new;
                differs(self, old)
            }
            fn clear_status(&mut self) {
                let clear: fn(&mut Self) = $clear;
                clear(self);
            }
            fn table(objects: &Objects) -> &Table<Self> {
                &objects.$table
            }
            fn table_mut(objects: &mut Objects) -> &mut Table<Self> {
                &mut objects.$table
            }
            fn into_row(self) -> Row {
                Row::$kind(Box::new(self))
            }
        }
    )*};
}

macro_rules! stored_with_status {
    ($($kind:ident in $table:ident, $status:ty, $new:expr, $clear:expr;)*) => {$(
        stored! { $kind in $table, $status = |row| &row.status, $new, $clear; }
        impl WithStatus for $kind {
            fn status_mut(&mut self) -> &mut Self::Status {
                &mut self.status
            }
        }
    )*};
}

stored! {
    Node in nodes, () = |_| &(), |_, _| false, |_| {};
    Pod in pods, () = |_| &(), |_, _| false, |_| {};
    ControllerRevision in controller_revisions, () = |_| &(), |_, _| false, |_| {};
    PersistentVolumeClaim in claims, () = |_| &(), |_, _| false, |_| {};
    PersistentVolume in volumes, () = |_| &(), |_, _| false, |_| {};
    StorageClass in storage_classes, () = |_| &(), |_, _| false, |_| {};
    Service in services, () = |_| &(), |_, _| false, |_| {};
    Lease in leases, () = |_| &(), |_, _| false, |_| {};
}
stored_with_status! {
    ReplicaSet in replica_sets, ReplicaSetStatus, |new, old| new.spec != old.spec, |set| {
        set.status = ReplicaSetStatus::default();
    };
    StatefulSet in stateful_sets, StatefulSetStatus, |new, old| new.spec != old.spec, |set| {
        set.status = StatefulSetStatus::default();
    };
    DaemonSet in daemon_sets, DaemonSetStatus, |new, old| new.spec != old.spec, |set| {
        set.status = DaemonSetStatus::default();
        set.template_generation = 1;
    };
    // Annotations count too, because they are copied to the ReplicaSet.
    Deployment in deployments, DeploymentStatus,
        |new, old| new.spec != old.spec || new.meta.annotations != old.meta.annotations,
        |d| d.status = DeploymentStatus::default();
    Job in jobs, JobStatus, |new, old| new.spec != old.spec, |job| {
        job.status = JobStatus::default();
        job.generate_selector();
    };
    CronJob in cron_jobs, CronJobStatus, |new, old| new.spec != old.spec, |c| c.status = CronJobStatus::default();
    PodDisruptionBudget in disruption_budgets, PodDisruptionBudgetStatus, |new, old| new.spec != old.spec, |b| {
        b.status = PodDisruptionBudgetStatus::default();
    };
    HorizontalPodAutoscaler in autoscalers, HorizontalPodAutoscalerStatus, |_, _| false, |a| {
        a.status = HorizontalPodAutoscalerStatus::default();
    };
}

/// What can be asked of a table without knowing its kind.
pub trait AnyTable {
    /// The metadata behind a key.
    fn meta(&self, key: Key) -> Option<&Meta>;
    /// The metadata behind a key, to be changed.
    fn meta_mut(&mut self, key: Key) -> Option<&mut Meta>;
    /// The key of a named object.
    fn find(&self, namespace: &Arc<str>, name: &Arc<str>) -> Option<Key>;
    /// The keys of all objects, by namespace and name.
    fn keys_by_name(&self) -> Vec<Key>;
    /// Takes an object out; whether it was there.
    fn discard(&mut self, key: Key) -> bool;
    /// A copy of an object on its way to a cache that lags.
    fn row(&self, key: Key) -> Option<Row>;
}

impl<T: Stored> AnyTable for Table<T> {
    fn meta(&self, key: Key) -> Option<&Meta> {
        self.get(key).map(Stored::meta)
    }

    fn meta_mut(&mut self, key: Key) -> Option<&mut Meta> {
        self.get_mut(key).map(Stored::meta_mut)
    }

    fn find(&self, namespace: &Arc<str>, name: &Arc<str>) -> Option<Key> {
        Table::find(self, namespace, name)
    }

    fn keys_by_name(&self) -> Vec<Key> {
        Table::keys_by_name(self)
    }

    fn discard(&mut self, key: Key) -> bool {
        self.take(key).is_some()
    }

    fn row(&self, key: Key) -> Option<Row> {
        self.get(key).map(|row| row.clone().into_row())
    }
}

/// All objects of one kind.
///
/// A slot is used again after its object is gone; the UID in a [`Key`] tells
/// the two apart, as it does in Kubernetes.
#[derive(Clone, Debug)]
pub struct Table<T> {
    rows: Vec<Option<T>>,
    free: Vec<u32>,
    /// Slots by namespace and name.
    by_name: FxHashMap<Arc<str>, FxHashMap<Arc<str>, u32>>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Table { rows: Vec::new(), free: Vec::new(), by_name: FxHashMap::default() }
    }
}

impl<T: Stored> Table<T> {
    /// The slot that the next new object gets.
    pub fn next_slot(&self) -> u32 {
        self.free.last().copied().unwrap_or(self.rows.len() as u32)
    }

    /// Puts an object where its key says. The slot must be empty.
    pub fn put(&mut self, slot: u32, row: T) -> Key {
        if self.free.last() == Some(&slot) {
            self.free.pop();
        } else if let Some(i) = self.free.iter().position(|&s| s == slot) {
            self.free.swap_remove(i);
        }
        let index = slot as usize;
        while self.rows.len() <= index {
            if self.rows.len() < index {
                self.free.push(self.rows.len() as u32);
            }
            self.rows.push(None);
        }
        debug_assert!(self.rows[index].is_none(), "slot in use");
        let meta = row.meta();
        let key = Key { kind: T::KIND, slot, uid: meta.uid };
        match self.by_name.get_mut(&meta.namespace) {
            Some(names) => names.insert(meta.name.clone(), slot),
            None => self.by_name.entry(meta.namespace.clone()).or_default().insert(meta.name.clone(), slot),
        };
        self.rows[index] = Some(row);
        key
    }

    /// Takes an object out.
    pub fn take(&mut self, key: Key) -> Option<T> {
        self.get(key)?;
        let row = self.rows[key.slot as usize].take()?;
        let meta = row.meta();
        if let Some(names) = self.by_name.get_mut(&meta.namespace) {
            names.remove(&meta.name);
        }
        self.free.push(key.slot);
        Some(row)
    }

    /// The object of a key, if it is still the same one.
    pub fn get(&self, key: Key) -> Option<&T> {
        debug_assert!(key.kind == T::KIND);
        self.rows.get(key.slot as usize)?.as_ref().filter(|row| row.meta().uid == key.uid)
    }

    /// The object in a slot and its key.
    pub(super) fn at(&self, slot: u32) -> Option<(Key, &T)> {
        let row = self.rows.get(slot as usize)?.as_ref()?;
        Some((Key { kind: T::KIND, slot, uid: row.meta().uid }, row))
    }

    /// The object of a key, to be changed in place. Indexes that depend on
    /// what is changed must be kept by the caller.
    pub(super) fn get_mut(&mut self, key: Key) -> Option<&mut T> {
        self.rows.get_mut(key.slot as usize)?.as_mut().filter(|row| row.meta().uid == key.uid)
    }

    /// The key of a named object.
    pub fn find(&self, namespace: &Arc<str>, name: &Arc<str>) -> Option<Key> {
        let slot = *self.by_name.get(namespace)?.get(name)?;
        let uid = self.rows[slot as usize].as_ref()?.meta().uid;
        Some(Key { kind: T::KIND, slot, uid })
    }

    /// All objects, by slot.
    pub fn iter(&self) -> impl Iterator<Item = (Key, &T)> {
        (0..self.rows.len() as u32).filter_map(|slot| self.at(slot))
    }

    /// The keys of all objects, by namespace and name.
    pub fn keys_by_name(&self) -> Vec<Key> {
        let mut rows: Vec<_> = self.iter().collect();
        rows.sort_by(|(_, a), (_, b)| {
            let (a, b) = (a.meta(), b.meta());
            (&a.namespace, &a.name).cmp(&(&b.namespace, &b.name))
        });
        rows.into_iter().map(|(key, _)| key).collect()
    }
}
