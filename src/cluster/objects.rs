//! All objects with the indexes that keep questions from becoming scans.
//!
//! The same type is the API server's store and, where caches lag, a
//! controller manager's cache.

use super::watch::{Change, Facts};
use super::table::{Table, TableRow};
use crate::api::{Deployment, Key, Kind, Meta, Node, Pod, ReplicaSet, Uid};
use rustc_hash::FxHashMap;
use std::cmp::Ordering;
use std::sync::Arc;

/// How many of an owner's pods are in which state; kept up to date with every
/// write, so that a status costs nothing to count.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct PodCounts {
    /// Neither finished nor being deleted.
    pub active: i32,
    /// Active and ready.
    pub ready: i32,
    /// Being deleted and not finished.
    pub terminating: i32,
    /// Pods whose labels are no longer the template's: as long as there is
    /// one, selectors must be asked pod by pod.
    pub relabeled: i32,
}

impl PodCounts {
    fn count(&mut self, pod: &Pod, sign: i32) {
        if pod.is_active() {
            self.active += sign;
            self.ready += sign * i32::from(pod.ready);
        } else if pod.is_terminating() {
            self.terminating += sign;
        }
        if !Arc::ptr_eq(&pod.meta.labels, &pod.template.labels) {
            self.relabeled += sign;
        }
    }
}

/// What an owner owns.
#[derive(Clone, Debug, Default)]
pub struct Owned {
    /// Its dependents of any kind, by kind and name.
    pub dependents: Vec<Key>,
    /// Counts over the pods it controls.
    pub pods: PodCounts,
}

/// Every object of a cluster.
#[derive(Clone, Debug, Default)]
pub struct Objects {
    /// Nodes.
    pub nodes: Table<Node>,
    /// Pods.
    pub pods: Table<Pod>,
    /// ReplicaSets.
    pub replica_sets: Table<ReplicaSet>,
    /// Deployments.
    pub deployments: Table<Deployment>,
    owned: FxHashMap<Uid, Owned>,
    /// Pods that nothing controls, by namespace and name.
    stray_pods: Vec<Key>,
    /// ReplicaSets that nothing controls, by namespace and name.
    stray_replica_sets: Vec<Key>,
    /// The newest resource version seen of each kind.
    synced: [u64; Kind::ALL.len()],
}

static NOTHING: Owned = Owned {
    dependents: Vec::new(),
    pods: PodCounts { active: 0, ready: 0, terminating: 0, relabeled: 0 },
};

impl Objects {
    /// What an object owns.
    pub fn owned(&self, owner: Uid) -> &Owned {
        self.owned.get(&owner).unwrap_or(&NOTHING)
    }

    /// The pods that an object controls, by name.
    pub fn pods_of(&self, owner: Key) -> impl Iterator<Item = (Key, &Pod)> {
        self.owned(owner.uid)
            .dependents
            .iter()
            .filter(|key| key.kind == Kind::Pod)
            .filter_map(move |&key| Some((key, self.pods.get(key)?)))
            .filter(move |(_, pod)| pod.meta.controller() == Some(owner))
    }

    /// Pods of a namespace that nothing controls, by name.
    pub fn stray_pods(&self, namespace: &str) -> impl Iterator<Item = (Key, &Pod)> {
        self.stray_pods
            .iter()
            .filter_map(|&key| Some((key, self.pods.get(key)?)))
            .filter(move |(_, pod)| &*pod.meta.namespace == namespace)
    }

    /// ReplicaSets of a namespace that nothing controls, by name.
    pub fn stray_replica_sets(&self, namespace: &str) -> impl Iterator<Item = (Key, &ReplicaSet)> {
        self.stray_replica_sets
            .iter()
            .filter_map(|&key| Some((key, self.replica_sets.get(key)?)))
            .filter(move |(_, set)| &*set.meta.namespace == namespace)
    }

    /// Whether any pod is without a controller.
    pub fn has_stray_pods(&self) -> bool {
        !self.stray_pods.is_empty()
    }

    /// The newest resource version seen of a kind.
    pub fn synced(&self, kind: Kind) -> u64 {
        self.synced[kind as usize]
    }

    /// The metadata of any object.
    pub fn meta(&self, key: Key) -> Option<&Meta> {
        Some(match key.kind {
            Kind::Node => &self.nodes.get(key)?.meta,
            Kind::Pod => &self.pods.get(key)?.meta,
            Kind::ReplicaSet => &self.replica_sets.get(key)?.meta,
            Kind::Deployment => &self.deployments.get(key)?.meta,
            Kind::Cluster => return None,
        })
    }

    /// The news of an object to somebody who has just begun to watch.
    pub fn added(&self, key: Key) -> Option<Change> {
        Some(Change::added(key, Facts::of(self.meta(key)?, self.is_ready(key))))
    }

    /// The key of a named object of any kind.
    pub fn find(&self, kind: Kind, namespace: &Arc<str>, name: &Arc<str>) -> Option<Key> {
        match kind {
            Kind::Node => self.nodes.find(namespace, name),
            Kind::Pod => self.pods.find(namespace, name),
            Kind::ReplicaSet => self.replica_sets.find(namespace, name),
            Kind::Deployment => self.deployments.find(namespace, name),
            Kind::Cluster => None,
        }
    }

    /// Keys of all objects of a kind, by namespace and name.
    pub fn keys_by_name(&self, kind: Kind) -> Vec<Key> {
        match kind {
            Kind::Node => self.nodes.keys_by_name(),
            Kind::Pod => self.pods.keys_by_name(),
            Kind::ReplicaSet => self.replica_sets.keys_by_name(),
            Kind::Deployment => self.deployments.keys_by_name(),
            Kind::Cluster => Vec::new(),
        }
    }

    /// Writes or replaces a pod.
    pub(super) fn put_pod(&mut self, slot: u32, pod: Pod) -> Change {
        let key = Key { kind: Kind::Pod, slot, uid: pod.meta.uid };
        if let Some(old) = self.pods.get(key) {
            if old.meta.owners != pod.meta.owners {
                let owners = pod.meta.owners.clone();
                self.update_owners(key, |meta| meta.owners = owners);
            }
            return self.update_pod(key, |old| *old = pod).expect("just seen");
        }
        self.seen(Kind::Pod, pod.meta.resource_version);
        let facts = Facts::of(&pod.meta, pod.ready);
        self.pods.put(slot, pod);
        self.link(key);
        self.recount(key, 1);
        Change::added(key, facts)
    }

    /// Changes a pod in place, but not its owners, and keeps the counts.
    pub(super) fn update_pod(&mut self, key: Key, write: impl FnOnce(&mut Pod)) -> Option<Change> {
        let old = self.pods.get(key)?;
        let before = Facts::of(&old.meta, old.ready);
        self.recount(key, -1);
        let pod = self.pods.get_mut(key)?;
        write(pod);
        let (after, version) = (Facts::of(&pod.meta, pod.ready), pod.meta.resource_version);
        self.recount(key, 1);
        self.seen(Kind::Pod, version);
        Some(Change::modified(key, before, after))
    }

    /// Gives an object other owners, and writes the rest of its metadata.
    pub(super) fn update_owners(&mut self, key: Key, write: impl FnOnce(&mut Meta)) -> Option<Change> {
        let old = self.meta(key)?;
        let (before, old_owners) = (Facts::of(old, self.is_ready(key)), owners_of(old));
        self.unlink(key, &old_owners);
        self.recount(key, -1);
        let meta = match key.kind {
            Kind::Node => self.nodes.get_mut(key)?.meta_mut(),
            Kind::Pod => self.pods.get_mut(key)?.meta_mut(),
            Kind::ReplicaSet => self.replica_sets.get_mut(key)?.meta_mut(),
            Kind::Deployment => self.deployments.get_mut(key)?.meta_mut(),
            Kind::Cluster => return None,
        };
        write(meta);
        let version = meta.resource_version;
        self.seen(key.kind, version);
        self.recount(key, 1);
        self.link(key);
        Some(Change::modified(key, before, Facts::of(self.meta(key)?, self.is_ready(key))))
    }

    fn is_ready(&self, key: Key) -> bool {
        key.kind == Kind::Pod && self.pods.get(key).is_some_and(|pod| pod.ready)
    }

    /// Writes or replaces a node.
    pub(super) fn put_node(&mut self, slot: u32, node: Node) -> Change {
        put_row(&mut self.nodes, &mut self.synced, slot, node)
    }

    /// Writes or replaces a ReplicaSet.
    pub(super) fn put_replica_set(&mut self, slot: u32, set: ReplicaSet) -> Change {
        let key = Key { kind: Kind::ReplicaSet, slot, uid: set.meta.uid };
        if let Some(old) = self.replica_sets.get(key) {
            if old.meta.owners != set.meta.owners {
                let owners = set.meta.owners.clone();
                self.update_owners(key, |meta| meta.owners = owners);
            }
            return self.update_replica_set(key, |old| *old = set).expect("just seen");
        }
        let change = put_row(&mut self.replica_sets, &mut self.synced, slot, set);
        self.link(key);
        change
    }

    /// Writes or replaces a Deployment.
    pub(super) fn put_deployment(&mut self, slot: u32, deployment: Deployment) -> Change {
        put_row(&mut self.deployments, &mut self.synced, slot, deployment)
    }

    /// Changes a ReplicaSet in place, but not its owners.
    pub(super) fn update_replica_set(
        &mut self,
        key: Key,
        write: impl FnOnce(&mut ReplicaSet),
    ) -> Option<Change> {
        update_row(&mut self.replica_sets, &mut self.synced, key, write)
    }

    /// Changes a Deployment in place.
    pub(super) fn update_deployment(
        &mut self,
        key: Key,
        write: impl FnOnce(&mut Deployment),
    ) -> Option<Change> {
        update_row(&mut self.deployments, &mut self.synced, key, write)
    }

    /// Changes a node in place.
    pub(super) fn update_node(&mut self, key: Key, write: impl FnOnce(&mut Node)) -> Option<Change> {
        update_row(&mut self.nodes, &mut self.synced, key, write)
    }

    /// Changes the metadata of any object in place, but not its owners.
    pub(super) fn update_meta(&mut self, key: Key, write: impl FnOnce(&mut Meta)) -> Option<Change> {
        match key.kind {
            Kind::Node => self.update_node(key, |o| write(&mut o.meta)),
            Kind::Pod => self.update_pod(key, |o| write(&mut o.meta)),
            Kind::ReplicaSet => self.update_replica_set(key, |o| write(&mut o.meta)),
            Kind::Deployment => self.update_deployment(key, |o| write(&mut o.meta)),
            Kind::Cluster => None,
        }
    }

    /// Takes any object out. What it owned keeps pointing to it until the
    /// garbage collector has seen to it.
    pub(super) fn remove(&mut self, key: Key) -> Option<Change> {
        let meta = self.meta(key)?;
        let (facts, owners) = (Facts::of(meta, false), owners_of(meta));
        self.recount(key, -1);
        self.unlink(key, &owners);
        match key.kind {
            Kind::Node => drop(self.nodes.take(key)?),
            Kind::Pod => drop(self.pods.take(key)?),
            Kind::ReplicaSet => drop(self.replica_sets.take(key)?),
            Kind::Deployment => drop(self.deployments.take(key)?),
            Kind::Cluster => return None,
        }
        if self.owned.get(&key.uid).is_some_and(|o| o.dependents.is_empty()) {
            self.owned.remove(&key.uid);
        }
        Some(Change::deleted(key, facts))
    }

    fn seen(&mut self, kind: Kind, version: u64) {
        let synced = &mut self.synced[kind as usize];
        *synced = (*synced).max(version);
    }

    fn recount(&mut self, key: Key, sign: i32) {
        if key.kind != Kind::Pod {
            return;
        }
        let Some(pod) = self.pods.get(key) else { return };
        if let Some(owner) = pod.meta.controller() {
            self.owned.entry(owner.uid).or_default().pods.count(pod, sign);
        }
    }

    /// Enters an object under its owners, or among the strays.
    fn link(&mut self, key: Key) {
        let Some(meta) = self.meta(key) else { return };
        let (owners, stray) = (owners_of(meta), meta.controller().is_none());
        for owner in owners {
            let mut list = std::mem::take(&mut self.owned.entry(owner.uid).or_default().dependents);
            self.insert_by_name(&mut list, key);
            self.owned.entry(owner.uid).or_default().dependents = list;
        }
        if stray {
            self.edit_strays(key, Objects::insert_by_name);
        }
    }

    fn unlink(&mut self, key: Key, owners: &[Key]) {
        let stray = self.meta(key).is_some_and(|meta| meta.controller().is_none());
        for owner in owners {
            let Some(owned) = self.owned.get_mut(&owner.uid) else { continue };
            let mut list = std::mem::take(&mut owned.dependents);
            self.remove_by_name(&mut list, key);
            if list.is_empty() && self.meta(*owner).is_none() {
                self.owned.remove(&owner.uid);
            } else if let Some(owned) = self.owned.get_mut(&owner.uid) {
                owned.dependents = list;
            }
        }
        if stray {
            self.edit_strays(key, Objects::remove_by_name);
        }
    }

    fn edit_strays(&mut self, key: Key, edit: fn(&Objects, &mut Vec<Key>, Key)) {
        let mut list = match key.kind {
            Kind::Pod => std::mem::take(&mut self.stray_pods),
            Kind::ReplicaSet => std::mem::take(&mut self.stray_replica_sets),
            _ => return,
        };
        edit(self, &mut list, key);
        match key.kind {
            Kind::Pod => self.stray_pods = list,
            _ => self.stray_replica_sets = list,
        }
    }

    fn name_order(&self, a: Key, b: Key) -> Ordering {
        let name = |key: Key| match key.kind {
            Kind::Pod => self.pods.name(key),
            Kind::ReplicaSet => self.replica_sets.name(key),
            Kind::Deployment => self.deployments.name(key),
            Kind::Node => self.nodes.name(key),
            Kind::Cluster => None,
        };
        let by = |key: Key| (key.kind, name(key).map(|(_, name)| &**name), key.uid);
        by(a).cmp(&by(b))
    }

    fn insert_by_name(&self, list: &mut Vec<Key>, key: Key) {
        // Generated names count up, so the newest object is nearly always last.
        let at = match list.last() {
            Some(&last) if self.name_order(last, key) == Ordering::Less => list.len(),
            _ => list.partition_point(|&other| self.name_order(other, key) == Ordering::Less),
        };
        list.insert(at, key);
    }

    fn remove_by_name(&self, list: &mut Vec<Key>, key: Key) {
        let at = list.partition_point(|&other| self.name_order(other, key) == Ordering::Less);
        if list.get(at) == Some(&key) {
            list.remove(at);
        }
    }
}

fn owners_of(meta: &Meta) -> Vec<Key> {
    meta.owners.iter().map(|o| o.key).collect()
}

fn put_row<T: TableRow>(
    table: &mut Table<T>,
    synced: &mut [u64; Kind::ALL.len()],
    slot: u32,
    row: T,
) -> Change {
    let key = Key { kind: T::KIND, slot, uid: row.meta().uid };
    if table.get(key).is_some() {
        return update_row(table, synced, key, |old| *old = row).expect("just seen");
    }
    let version = &mut synced[T::KIND as usize];
    *version = (*version).max(row.meta().resource_version);
    let facts = Facts::of(row.meta(), false);
    table.put(slot, row);
    Change::added(key, facts)
}

fn update_row<T: TableRow>(
    table: &mut Table<T>,
    synced: &mut [u64; Kind::ALL.len()],
    key: Key,
    write: impl FnOnce(&mut T),
) -> Option<Change> {
    let row = table.get_mut(key)?;
    let before = Facts::of(row.meta(), false);
    write(row);
    let after = Facts::of(row.meta(), false);
    let version = &mut synced[T::KIND as usize];
    *version = (*version).max(row.meta().resource_version);
    Some(Change::modified(key, before, after))
}
