//! All objects with the indexes that keep questions from becoming scans.
//!
//! The same type is the API server's store and, where caches lag, a
//! controller manager's cache.

use super::selection::{PodLabels, Selectors};
use super::table::{AnyTable, Stored, Table};
use super::watch::{Change, Facts, Row};
use crate::api::{
    Chains, ControllerRevision, CronJob, DaemonSet, Deployment, HorizontalPodAutoscaler, Job, Key, Kind, Labels, Lease,
    Meta, Node, PersistentVolume, PersistentVolumeClaim, Pod, PodDisruptionBudget, ReplicaSet, Selector, Service,
    StatefulSet, StorageClass, Uid,
};
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
    /// ControllerRevisions.
    pub controller_revisions: Table<ControllerRevision>,
    /// StatefulSets.
    pub stateful_sets: Table<StatefulSet>,
    /// PersistentVolumeClaims.
    pub claims: Table<PersistentVolumeClaim>,
    /// DaemonSets.
    pub daemon_sets: Table<DaemonSet>,
    /// Jobs.
    pub jobs: Table<Job>,
    /// CronJobs.
    pub cron_jobs: Table<CronJob>,
    /// PersistentVolumes.
    pub volumes: Table<PersistentVolume>,
    /// StorageClasses.
    pub storage_classes: Table<StorageClass>,
    /// Services.
    pub services: Table<Service>,
    /// PodDisruptionBudgets.
    pub disruption_budgets: Table<PodDisruptionBudget>,
    /// HorizontalPodAutoscalers.
    pub autoscalers: Table<HorizontalPodAutoscaler>,
    /// Leases of nodes.
    pub leases: Table<Lease>,
    owned: FxHashMap<Uid, Owned>,
    /// The slots of the pods bound to each node, by the node's slot, also
    /// while the node is not there.
    on_node: Chains,
    /// Pods that nothing controls, by namespace and name.
    stray_pods: Vec<Key>,
    /// ReplicaSets that nothing controls, by namespace and name.
    stray_replica_sets: Vec<Key>,
    /// ControllerRevisions that nothing controls, by namespace and name.
    stray_controller_revisions: Vec<Key>,
    /// Pods by their labels, once there is something that selects pods.
    pod_labels: PodLabels,
    /// The selectors of PodDisruptionBudgets.
    budget_selectors: Selectors,
    /// How many pods are finished.
    finished_pods: usize,
    /// The newest resource version seen of each kind.
    synced: [u64; Kind::ALL.len()],
    /// How many objects of each kind there are.
    counts: [u32; Kind::ALL.len()],
    /// The kinds of which there are any, as bits.
    present: u32,
}

static NOTHING: Owned =
    Owned { dependents: Vec::new(), pods: PodCounts { active: 0, ready: 0, terminating: 0, relabeled: 0 } };

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

    /// The pods bound to a node, by namespace and name; the node need not be
    /// there any more.
    pub fn pods_on(&self, node: Key) -> Vec<(Key, &Pod)> {
        let mut pods: Vec<(Key, &Pod)> = self.bound_to(node).collect();
        pods.sort_by(|(_, a), (_, b)| (&a.meta.namespace, &a.meta.name).cmp(&(&b.meta.namespace, &b.meta.name)));
        pods
    }

    /// Whether any pod is bound to a node.
    pub fn has_pods_on(&self, node: Key) -> bool {
        self.bound_to(node).next().is_some()
    }

    /// The pods bound to a node, and not to another one that has or had its
    /// slot.
    fn bound_to(&self, node: Key) -> impl Iterator<Item = (Key, &Pod)> {
        let all = self.on_node.newest_first(node.slot).filter_map(|slot| self.pods.at(slot));
        all.filter(move |(_, pod)| pod.node == Some(node))
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

    /// ControllerRevisions of a namespace that nothing controls, by name.
    pub fn stray_controller_revisions(&self, namespace: &str) -> impl Iterator<Item = (Key, &ControllerRevision)> {
        self.stray_controller_revisions
            .iter()
            .filter_map(|&key| Some((key, self.controller_revisions.get(key)?)))
            .filter(move |(_, revision)| &*revision.meta.namespace == namespace)
    }

    /// How many pods are finished.
    pub const fn finished_pods(&self) -> usize {
        self.finished_pods
    }

    /// Whether any pod is without a controller.
    pub fn has_stray_pods(&self) -> bool {
        !self.stray_pods.is_empty()
    }

    /// Whether there is any object of a kind.
    pub const fn has_any(&self, kind: Kind) -> bool {
        self.present & kind.bit() != 0
    }

    /// The kinds of which there is any object, as bits.
    #[inline]
    pub const fn present(&self) -> u32 {
        self.present
    }

    /// The newest resource version seen of a kind.
    pub fn synced(&self, kind: Kind) -> u64 {
        self.synced[kind as usize]
    }

    /// The table of a kind; there is none of the cluster itself.
    fn table(&self, kind: Kind) -> Option<&dyn AnyTable> {
        Some(match kind {
            Kind::Node => &self.nodes,
            Kind::Pod => &self.pods,
            Kind::ReplicaSet => &self.replica_sets,
            Kind::Deployment => &self.deployments,
            Kind::ControllerRevision => &self.controller_revisions,
            Kind::StatefulSet => &self.stateful_sets,
            Kind::PersistentVolumeClaim => &self.claims,
            Kind::DaemonSet => &self.daemon_sets,
            Kind::Job => &self.jobs,
            Kind::CronJob => &self.cron_jobs,
            Kind::PersistentVolume => &self.volumes,
            Kind::StorageClass => &self.storage_classes,
            Kind::Service => &self.services,
            Kind::PodDisruptionBudget => &self.disruption_budgets,
            Kind::HorizontalPodAutoscaler => &self.autoscalers,
            Kind::Lease => &self.leases,
            Kind::Cluster => return None,
        })
    }

    fn table_mut(&mut self, kind: Kind) -> Option<&mut dyn AnyTable> {
        Some(match kind {
            Kind::Node => &mut self.nodes,
            Kind::Pod => &mut self.pods,
            Kind::ReplicaSet => &mut self.replica_sets,
            Kind::Deployment => &mut self.deployments,
            Kind::ControllerRevision => &mut self.controller_revisions,
            Kind::StatefulSet => &mut self.stateful_sets,
            Kind::PersistentVolumeClaim => &mut self.claims,
            Kind::DaemonSet => &mut self.daemon_sets,
            Kind::Job => &mut self.jobs,
            Kind::CronJob => &mut self.cron_jobs,
            Kind::PersistentVolume => &mut self.volumes,
            Kind::StorageClass => &mut self.storage_classes,
            Kind::Service => &mut self.services,
            Kind::PodDisruptionBudget => &mut self.disruption_budgets,
            Kind::HorizontalPodAutoscaler => &mut self.autoscalers,
            Kind::Lease => &mut self.leases,
            Kind::Cluster => return None,
        })
    }

    /// The metadata of any object.
    pub fn meta(&self, key: Key) -> Option<&Meta> {
        match key.kind {
            // The kinds that are asked for most go without the detour.
            Kind::Pod => self.pods.get(key).map(|pod| &pod.meta),
            Kind::ReplicaSet => self.replica_sets.get(key).map(|set| &set.meta),
            kind => self.table(kind)?.meta(key),
        }
    }

    /// The news of an object to somebody who has just begun to watch.
    pub fn added(&self, key: Key) -> Option<Change> {
        self.meta(key)?;
        Some(Change::added(key, self.facts(key)))
    }

    /// The key of a named object of any kind.
    pub fn find(&self, kind: Kind, namespace: &Arc<str>, name: &Arc<str>) -> Option<Key> {
        self.table(kind)?.find(namespace, name)
    }

    /// Keys of all objects of a kind, by namespace and name.
    pub fn keys_by_name(&self, kind: Kind) -> Vec<Key> {
        self.table(kind).map_or_else(Vec::new, AnyTable::keys_by_name)
    }

    /// A copy of an object on its way to a cache that lags.
    pub(super) fn row(&self, key: Key) -> Row {
        self.table(key.kind).and_then(|table| table.row(key)).unwrap_or(Row::Gone(key))
    }

    /// Writes a new object, or replaces the one that is there.
    pub(super) fn put<T: Stored>(&mut self, slot: u32, row: T) -> Change {
        let key = Key { kind: T::KIND, slot, uid: row.meta().uid };
        let Some(old) = T::table(self).get(key) else {
            self.seen(T::KIND, row.meta().resource_version);
            T::table_mut(self).put(slot, row);
            if T::KIND == Kind::Pod {
                self.on_node.expect(slot);
            }
            self.counts[T::KIND as usize] += 1;
            self.present |= T::KIND.bit();
            self.link(key);
            self.recount(key, 1);
            self.select_anew(key, &Selectable::Nothing);
            let facts = self.facts(key);
            self.move_to_node(key, None, facts.node);
            return Change::added(key, facts);
        };
        let has_new_owners = old.meta().owners != row.meta().owners;
        let before = self.facts(key);
        if has_new_owners {
            let owners = row.meta().owners.clone();
            self.update_owners(key, |meta| meta.owners = owners);
        }
        // To those who watch it is one change.
        self.update(key, |old: &mut T| *old = row);
        Change::modified(key, before, self.facts(key))
    }

    /// Changes an object in place, but not its owners.
    pub(super) fn update<T: Stored>(&mut self, key: Key, write: impl FnOnce(&mut T)) -> Option<Change> {
        if !is_indexed(T::KIND) {
            let row = T::table_mut(self).get_mut(key)?;
            let before = Facts::of(row.meta(), false);
            write(row);
            let (after, version) = (Facts::of(row.meta(), false), row.meta().resource_version);
            self.seen(T::KIND, version);
            return Some(Change::modified(key, before, after));
        }
        let before = self.facts_of::<T>(key)?;
        let selectable = self.selectable(key);
        self.recount(key, -1);
        let row = T::table_mut(self).get_mut(key)?;
        write(row);
        let version = row.meta().resource_version;
        self.recount(key, 1);
        self.select_anew(key, &selectable);
        self.seen(T::KIND, version);
        let after = self.facts_of::<T>(key)?;
        self.move_to_node(key, before.node, after.node);
        Some(Change::modified(key, before, after))
    }

    /// Keeps the index of the pods on each node.
    fn move_to_node(&mut self, pod: Key, from: Option<Key>, to: Option<Key>) {
        if from == to {
            return;
        }
        match to {
            Some(node) => self.on_node.join(node.slot, pod.slot),
            None => {
                self.on_node.leave(pod.slot);
            }
        }
    }

    /// Changes the metadata of any object in place, but not its owners.
    pub(super) fn update_meta(&mut self, key: Key, write: impl FnOnce(&mut Meta)) -> Option<Change> {
        self.meta(key)?;
        let before = self.facts(key);
        let selectable = self.selectable(key);
        self.recount(key, -1);
        let meta = self.table_mut(key.kind)?.meta_mut(key)?;
        write(meta);
        let version = meta.resource_version;
        self.recount(key, 1);
        self.select_anew(key, &selectable);
        self.seen(key.kind, version);
        Some(Change::modified(key, before, self.facts(key)))
    }

    /// Gives an object other owners, and writes the rest of its metadata.
    pub(super) fn update_owners(&mut self, key: Key, write: impl FnOnce(&mut Meta)) -> Option<Change> {
        self.meta(key)?;
        let before = self.facts(key);
        self.unlink(key);
        self.recount(key, -1);
        let meta = self.table_mut(key.kind)?.meta_mut(key)?;
        write(meta);
        let version = meta.resource_version;
        self.seen(key.kind, version);
        self.recount(key, 1);
        self.link(key);
        Some(Change::modified(key, before, self.facts(key)))
    }

    /// Takes any object out. What it owned keeps pointing to it until the
    /// garbage collector has seen to it.
    pub(super) fn remove(&mut self, key: Key) -> Option<Change> {
        self.meta(key)?;
        let facts = self.facts(key);
        self.recount(key, -1);
        self.move_to_node(key, facts.node, None);
        self.unlink(key);
        self.deselect(key, &self.selectable(key));
        if self.table_mut(key.kind)?.discard(key) {
            self.counts[key.kind as usize] -= 1;
            if self.counts[key.kind as usize] == 0 {
                self.present &= !key.kind.bit();
            }
        }
        if self.owned.get(&key.uid).is_some_and(|o| o.dependents.is_empty()) {
            self.owned.remove(&key.uid);
        }
        Some(Change::deleted(key, facts))
    }

    /// What watchers compare of an object.
    fn facts(&self, key: Key) -> Facts {
        if key.kind == Kind::Pod {
            return self.facts_of::<Pod>(key).unwrap_or(Facts::none());
        }
        self.meta(key).map_or_else(Facts::none, |meta| Facts::of(meta, false))
    }

    /// The same for a kind that is known.
    fn facts_of<T: Stored>(&self, key: Key) -> Option<Facts> {
        match T::KIND {
            Kind::Pod => self.pods.get(key).map(|pod| Facts::of(&pod.meta, pod.ready).on(pod.node)),
            _ => T::table(self).get(key).map(|row| Facts::of(row.meta(), false)),
        }
    }

    /// The pods of a namespace that a selector selects, by name.
    pub fn pods_selected(&self, namespace: &str, selector: &Selector) -> Vec<(Key, &Pod)> {
        let keys = match self.pod_labels.is_on() {
            true => self.pod_labels.candidates(namespace, selector),
            false => None,
        };
        let keys = keys.unwrap_or_else(|| self.pods.keys_by_name());
        let pods = keys.into_iter().filter_map(|key| Some((key, self.pods.get(key)?)));
        pods.filter(|(_, pod)| &*pod.meta.namespace == namespace && selector.matches(&pod.meta.labels)).collect()
    }

    /// The PodDisruptionBudgets that guard pods of a namespace with these
    /// labels, by name.
    pub fn budgets_guarding(&self, namespace: &str, labels: &Labels) -> Vec<(Key, &PodDisruptionBudget)> {
        if self.budget_selectors.is_empty() {
            return Vec::new();
        }
        let candidates = self.budget_selectors.candidates(namespace, labels);
        let budgets = candidates.filter_map(|key| Some((key, self.disruption_budgets.get(key)?)));
        let mut guarding: Vec<_> =
            budgets.filter(|(_, b)| &*b.meta.namespace == namespace && b.guards(labels)).collect();
        guarding.sort_by(|(_, a), (_, b)| a.meta.name.cmp(&b.meta.name));
        guarding
    }

    /// What the indexes of labels and selectors have of an object.
    fn selectable(&self, key: Key) -> Selectable {
        match key.kind {
            Kind::Pod if self.pod_labels.is_on() => {
                self.pods.get(key).map_or(Selectable::Nothing, |pod| Selectable::Pod(pod.meta.labels.clone()))
            }
            Kind::PodDisruptionBudget => {
                let selector = self.disruption_budgets.get(key).and_then(|b| b.spec.selector.clone());
                selector.map_or(Selectable::Nothing, Selectable::Budget)
            }
            _ => Selectable::Nothing,
        }
    }

    /// Brings the indexes of labels and selectors up to date with an object
    /// of which they had `before`.
    fn select_anew(&mut self, key: Key, before: &Selectable) {
        if matches!(key.kind, Kind::PodDisruptionBudget | Kind::HorizontalPodAutoscaler) && !self.pod_labels.is_on() {
            self.pod_labels.turn_on();
            for (pod, row) in self.pods.iter() {
                self.pod_labels.insert(&row.meta.namespace, &row.meta.name, &row.meta.labels, pod);
            }
        }
        let now = self.selectable(key);
        if now.is_same(before) {
            return;
        }
        self.deselect(key, before);
        let Some(meta) = self.meta(key) else { return };
        let (namespace, name) = (meta.namespace.clone(), meta.name.clone());
        match now {
            Selectable::Nothing => {}
            Selectable::Pod(labels) => self.pod_labels.insert(&namespace, &name, &labels, key),
            Selectable::Budget(selector) => self.budget_selectors.insert(&namespace, &selector, key),
        }
    }

    fn deselect(&mut self, key: Key, had: &Selectable) {
        if matches!(had, Selectable::Nothing) {
            return;
        }
        let Some(meta) = self.meta(key) else { return };
        let (namespace, name) = (meta.namespace.clone(), meta.name.clone());
        match had {
            Selectable::Nothing => {}
            Selectable::Pod(labels) => self.pod_labels.remove(&namespace, &name, labels),
            Selectable::Budget(selector) => self.budget_selectors.remove(&namespace, selector, key),
        }
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
        if pod.is_finished() {
            self.finished_pods = self.finished_pods.saturating_add_signed(sign as isize);
        }
        if let Some(owner) = pod.meta.controller() {
            self.owned.entry(owner.uid).or_default().pods.count(pod, sign);
        }
    }

    /// Enters an object under its owners, or among the strays.
    fn link(&mut self, key: Key) {
        let mut nth = 0;
        while let Some(owner) = self.nth_owner(key, nth) {
            let mut list = std::mem::take(&mut self.owned.entry(owner.uid).or_default().dependents);
            self.insert_by_name(&mut list, key);
            self.owned.entry(owner.uid).or_default().dependents = list;
            nth += 1;
        }
        if self.is_stray(key) {
            self.edit_strays(key, Objects::insert_by_name);
        }
    }

    /// Takes it out again.
    fn unlink(&mut self, key: Key) {
        let mut nth = 0;
        while let Some(owner) = self.nth_owner(key, nth) {
            nth += 1;
            let Some(owned) = self.owned.get_mut(&owner.uid) else { continue };
            let mut list = std::mem::take(&mut owned.dependents);
            self.remove_by_name(&mut list, key);
            if list.is_empty() && self.meta(owner).is_none() {
                self.owned.remove(&owner.uid);
            } else if let Some(owned) = self.owned.get_mut(&owner.uid) {
                owned.dependents = list;
            }
        }
        if self.is_stray(key) {
            self.edit_strays(key, Objects::remove_by_name);
        }
    }

    fn nth_owner(&self, key: Key, nth: usize) -> Option<Key> {
        self.meta(key)?.owners.get(nth).map(|owner| owner.key)
    }

    fn is_stray(&self, key: Key) -> bool {
        self.meta(key).is_some_and(|meta| meta.controller().is_none())
    }

    fn edit_strays(&mut self, key: Key, edit: fn(&Objects, &mut Vec<Key>, Key)) {
        let Some(strays) = self.strays_mut(key.kind) else { return };
        let mut list = std::mem::take(strays);
        edit(self, &mut list, key);
        if let Some(strays) = self.strays_mut(key.kind) {
            *strays = list;
        }
    }

    /// The strays of a kind that somebody may adopt.
    fn strays_mut(&mut self, kind: Kind) -> Option<&mut Vec<Key>> {
        match kind {
            Kind::Pod => Some(&mut self.stray_pods),
            Kind::ReplicaSet => Some(&mut self.stray_replica_sets),
            Kind::ControllerRevision => Some(&mut self.stray_controller_revisions),
            _ => None,
        }
    }

    fn name_order(&self, a: Key, b: Key) -> Ordering {
        let name = |key: Key| self.meta(key).map(|meta| &*meta.name);
        let by = |key: Key| (key.kind, name(key), key.uid);
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

/// Whether an index depends on what is in the objects of a kind, and not only
/// on their names and owners.
const fn is_indexed(kind: Kind) -> bool {
    matches!(kind, Kind::Pod | Kind::PodDisruptionBudget | Kind::HorizontalPodAutoscaler)
}

/// What the indexes of labels and selectors have of an object.
enum Selectable {
    Nothing,
    Pod(Arc<Labels>),
    Budget(Arc<Selector>),
}

impl Selectable {
    fn is_same(&self, other: &Selectable) -> bool {
        match (self, other) {
            (Selectable::Nothing, Selectable::Nothing) => true,
            (Selectable::Pod(a), Selectable::Pod(b)) => Arc::ptr_eq(a, b),
            (Selectable::Budget(a), Selectable::Budget(b)) => Arc::ptr_eq(a, b),
            _ => false,
        }
    }
}
