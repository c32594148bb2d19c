//! The simple scheduler: the feasible node with the fewest pods, the first
//! by name if several have as few.
//!
//! Nodes stand in order of their load, so that the choice for a pod does not
//! look at all of them.

use super::volumes::Reach;
use crate::api::{Key, Kind, Node, Pod, PodTemplate, Resources, Taint};
use crate::cluster::Objects;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What is taken of a node.
#[derive(Clone, Debug, Default)]
struct Room {
    used: Resources,
    rank: u32,
    pods: Vec<Key>,
}

/// The scheduler's view of the nodes, and the pods it found no node for.
#[derive(Clone, Debug, Default)]
pub struct Scheduler {
    rooms: Vec<Room>,
    /// (pods, rank by name), for every node there is.
    by_load: BTreeSet<(i64, u32)>,
    by_rank: Vec<Key>,
    /// Pods that no node was found for, by namespace and name.
    waiting: BTreeMap<(Arc<str>, Arc<str>), Key>,
}

impl Scheduler {
    /// A node came or went: ranks its nodes anew.
    pub fn nodes_changed(&mut self, objects: &Objects) {
        self.by_rank = objects.nodes.keys_by_name();
        self.by_load.clear();
        for (rank, key) in self.by_rank.iter().enumerate() {
            let slot = key.slot as usize;
            if self.rooms.len() <= slot {
                self.rooms.resize_with(slot + 1, Room::default);
            }
            self.rooms[slot].rank = rank as u32;
            self.by_load.insert((self.rooms[slot].used.pods, rank as u32));
        }
    }

    /// A node is gone, and with it what its pods took.
    pub fn node_gone(&mut self, node: Key, objects: &Objects) {
        if let Some(room) = self.rooms.get_mut(node.slot as usize) {
            *room = Room::default();
        }
        self.nodes_changed(objects);
    }

    /// A pod takes room on a node.
    pub fn occupy(&mut self, node: Key, pod: Key, wanted: &Resources) {
        self.change_load(node, |room| {
            room.used.add(wanted);
            room.pods.push(pod);
        });
    }

    /// A pod has left its node or finished.
    pub fn vacate(&mut self, node: Key, pod: Key, wanted: &Resources) {
        // The node may be gone, and another one in its place.
        if !self.pods_on(node).contains(&pod) {
            return;
        }
        self.change_load(node, |room| {
            room.used.remove(wanted);
            room.pods.retain(|other| *other != pod);
        });
    }

    fn change_load(&mut self, node: Key, change: impl FnOnce(&mut Room)) {
        let Some(room) = self.rooms.get_mut(node.slot as usize) else { return };
        let listed = self.by_load.remove(&(room.used.pods, room.rank));
        change(room);
        if listed {
            self.by_load.insert((room.used.pods, room.rank));
        }
    }

    /// The node for a pod among those that its claims allow, if there is one.
    pub fn choose(&self, pod: &Pod, reach: &Reach, objects: &Objects) -> Option<Key> {
        let may_run = |&key: &Key| {
            objects.nodes.get(key).is_some_and(|node| {
                admits(node, &pod.template)
                    && reach.allows(node)
                    && node.allocatable.fits(&self.rooms[key.slot as usize].used, &pod.template.requests)
            })
        };
        if let Some(name) = &pod.pinned {
            return objects.find(Kind::Node, &"".into(), name).filter(may_run);
        }
        self.by_load.iter().map(|&(_, rank)| self.by_rank[rank as usize]).find(may_run)
    }

    /// Remembers a pod that no node was found for.
    pub fn wait(&mut self, namespace: Arc<str>, name: Arc<str>, pod: Key) {
        self.waiting.insert((namespace, name), pod);
    }

    /// Whether any pod waits for a node.
    pub fn has_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// The pods that wait, by namespace and name; none waits any more.
    pub fn take_waiting(&mut self) -> Vec<Key> {
        std::mem::take(&mut self.waiting).into_values().collect()
    }

    /// The pods that take room on a node, in no particular order.
    pub fn pods_on(&self, node: Key) -> &[Key] {
        self.rooms.get(node.slot as usize).map_or(&[], |room| &room.pods)
    }
}

/// Whether a node may run a pod, its room aside.
fn admits(node: &Node, pod: &PodTemplate) -> bool {
    let cordoned = node.unschedulable && !Taint::unschedulable().is_tolerated_by(&pod.tolerations);
    !cordoned
        && !node.taints.iter().any(|taint| taint.keeps_away(&pod.tolerations))
        && pod.selects(&node.meta.labels, &node.meta.name)
}
