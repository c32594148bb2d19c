//! The simple scheduler: the feasible node with the fewest pods, the first
//! by name if several have as few.
//!
//! Nodes stand in groups of equally many pods, and each sort of pods knows
//! the nodes that will not do for it: the choice is the first of the lowest
//! group that is not among those, whatever the number of nodes.

mod demand;

use self::demand::Demands;
use super::admission::admits;
use super::bits::Bits;
use super::volumes::Reach;
use crate::api::{Chains, Extras, Key, Kind, Node, Pod, Resources};
use crate::cluster::Objects;
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What is taken of a node.
#[derive(Clone, Debug, Default)]
struct Room {
    used: Resources,
    extras_used: Extras,
    /// Its place by name, if it is ranked.
    rank: Option<u32>,
}

/// The nodes of as many pods, by rank.
#[derive(Clone, Debug, Default)]
struct Group {
    nodes: Bits,
    len: u32,
}

/// The scheduler's view of the nodes, and the pods it found no node for.
#[derive(Clone, Debug, Default)]
pub struct Scheduler {
    /// By the node's slot.
    rooms: Vec<Room>,
    /// The slots of the pods that take room on each node.
    pods: Chains,
    /// All nodes by name: the place is the rank.
    nodes: Vec<(Arc<str>, Key)>,
    /// Nodes have come or gone since they were ranked.
    is_stale: bool,
    /// By the number of pods.
    groups: Vec<Group>,
    demands: Demands,
    /// What pods on nodes take beside CPU and memory, of those that do.
    extras: FxHashMap<Key, Extras>,
    /// Pods that no node was found for, by namespace and name.
    waiting: BTreeMap<(Arc<str>, Arc<str>), Key>,
}

impl Scheduler {
    /// A node has joined.
    pub fn node_comes(&mut self, key: Key, node: &Node) {
        let slot = key.slot as usize;
        if self.rooms.len() <= slot {
            self.rooms.resize_with(slot + 1, Room::default);
        }
        self.is_stale = true;
        let name = &node.meta.name;
        match self.nodes.binary_search_by(|(other, _)| other.cmp(name)) {
            Ok(at) => self.nodes[at].1 = key,
            Err(at) => self.nodes.insert(at, (name.clone(), key)),
        }
    }

    /// A node has changed: it is worth another look.
    pub fn node_changes(&mut self, key: Key) {
        if let Some(rank) = self.rooms.get(key.slot as usize).and_then(|room| room.rank) {
            self.demands.reopen(rank);
        }
    }

    /// A node is gone, and with it what its pods took.
    pub fn node_goes(&mut self, key: Key) {
        if let Some(room) = self.rooms.get_mut(key.slot as usize) {
            *room = Room::default();
        }
        self.pods.clear(key.slot);
        self.is_stale = true;
        self.nodes.retain(|(_, other)| *other != key);
    }

    /// Ranks the nodes anew if any has come or gone.
    fn rank(&mut self) {
        if !std::mem::take(&mut self.is_stale) {
            return;
        }
        self.groups.clear();
        let mut before = Vec::with_capacity(self.nodes.len());
        for rank in 0..self.nodes.len() as u32 {
            let room = &mut self.rooms[self.nodes[rank as usize].1.slot as usize];
            before.push(room.rank.replace(rank));
            let pods = room.used.pods;
            self.group(pods, |group| group.put(rank));
        }
        self.demands.rerank(&before);
    }

    fn group(&mut self, pods: i64, change: impl FnOnce(&mut Group)) {
        let at = usize::try_from(pods).unwrap_or(0);
        if self.groups.len() <= at {
            self.groups.resize_with(at + 1, Group::default);
        }
        change(&mut self.groups[at]);
    }

    /// A pod takes room on a node.
    pub fn occupy(&mut self, node: Key, pod: Key, wanted: &Resources, extras: &Extras) {
        if !extras.is_empty() {
            self.extras.insert(pod, extras.clone());
        }
        let takes = |room: &mut Room| {
            room.used.add(wanted);
            room.extras_used.add(extras);
        };
        if self.change_load(node, takes) {
            self.pods.join(node.slot, pod.slot);
        }
    }

    /// A pod has left its node or finished.
    pub fn vacate(&mut self, node: Key, pod: Key, wanted: &Resources) {
        let extras = if self.extras.is_empty() { None } else { self.extras.remove(&pod) };
        // The node may be gone, and another one in its place.
        if self.pods.of(pod.slot) == Some(node.slot) {
            self.pods.leave(pod.slot);
            let extras = extras.unwrap_or_default();
            self.change_load(node, |room| {
                room.used.remove(wanted);
                room.extras_used.remove(&extras);
            });
            self.node_changes(node);
        }
    }

    /// Whether the node has a place among the others.
    fn change_load(&mut self, node: Key, change: impl FnOnce(&mut Room)) -> bool {
        let Some(room) = self.rooms.get_mut(node.slot as usize) else { return false };
        let before = room.used.pods;
        change(room);
        let after = room.used.pods;
        if let Some(rank) = room.rank.filter(|_| !self.is_stale) {
            self.group(before, |group| group.take(rank));
            self.group(after, |group| group.put(rank));
        }
        true
    }

    /// The node for a pod among those that its claims allow, if there is one.
    pub fn choose(&mut self, pod: &Pod, reach: &Reach, objects: &Objects) -> Option<Key> {
        if let Some(name) = &pod.pinned {
            let key = objects.find(Kind::Node, &"".into(), name)?;
            return self.may_run(key, pod, objects).filter(|node| reach.allows(node)).map(|_| key);
        }
        self.rank();
        let demand = self.demands.of(&pod.template);
        let (chosen, refused) = self.first_that_will_do(self.demands.open(demand), pod, reach, objects);
        for rank in refused {
            self.demands.refuse(demand, rank);
        }
        chosen
    }

    /// Looks at nodes, those with the fewest pods first, until one will do,
    /// and tells which ones will not do for the pod's template.
    fn first_that_will_do(&self, open: &Bits, pod: &Pod, reach: &Reach, objects: &Objects) -> (Option<Key>, Vec<u32>) {
        let mut refused = Vec::new();
        let mut by_load = self.groups.iter().filter(|group| group.len > 0).flat_map(|group| group.nodes.and(open));
        let chosen = by_load.find_map(|rank| {
            let key = self.nodes[rank as usize].1;
            match self.may_run(key, pod, objects) {
                Some(node) => reach.allows(node).then_some(key),
                None => {
                    refused.push(rank);
                    None
                }
            }
        });
        (chosen, refused)
    }

    /// The node, if the pod's template may run on it now.
    fn may_run<'a>(&self, key: Key, pod: &Pod, objects: &'a Objects) -> Option<&'a Node> {
        let node = objects.nodes.get(key)?;
        let room = &self.rooms[key.slot as usize];
        let fits = node.allocatable.fits(&room.used, &pod.template.requests)
            && node.extras.fits(&room.extras_used, &pod.template.placement.extras);
        (fits && admits(node, &pod.template)).then_some(node)
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

    /// What the pods of a node ask for together.
    pub fn used(&self, node: Key) -> Resources {
        self.rooms.get(node.slot as usize).map_or_else(Resources::default, |room| room.used)
    }

    /// What they ask for together beside CPU and memory.
    pub fn extras_used(&self, node: Key) -> Extras {
        self.rooms.get(node.slot as usize).map_or_else(Extras::default, |room| room.extras_used.clone())
    }

    /// The slots of the pods that take room on a node, in the order in which
    /// they came.
    pub fn pods_on(&self, node: Key) -> Vec<u32> {
        self.pods.in_order(node.slot)
    }
}

impl Group {
    fn put(&mut self, rank: u32) {
        self.nodes.insert(rank);
        self.len += 1;
    }

    fn take(&mut self, rank: u32) {
        self.nodes.remove(rank);
        self.len -= 1;
    }
}
