//! The nodes as the scheduler sees them: what they offer, what is taken, and
//! in which order they are looked at.

use super::images::Stock;
use crate::api::{Chains, Extras, HostPort, Key, Labels, Node, PodTemplate, Resources, Taint};
use crate::environment::bits::Bits;
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// What a node has and what of it is taken: all that most searches ask, so
/// that it lies together.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[repr(align(64))]
pub(super) struct Room {
    pub(super) allocatable: Resources,
    /// What its pods ask for.
    pub(super) used: Resources,
    /// The same with a little for each container that asks for nothing.
    pub(super) scored: (i64, i64),
}

impl Room {
    /// An empty node's.
    pub(super) fn of(allocatable: Resources) -> Room {
        Room { allocatable, ..Room::default() }
    }

    pub(super) fn take(&mut self, template: &PodTemplate) {
        self.used.add(&template.requests);
        self.scored.0 += template.placement.scored.cpu_milli;
        self.scored.1 += template.placement.scored.memory_milli;
    }

    pub(super) fn give_back(&mut self, template: &PodTemplate) {
        self.used.remove(&template.requests);
        self.scored.0 -= template.placement.scored.cpu_milli;
        self.scored.1 -= template.placement.scored.memory_milli;
    }
}

/// A node and who is on it.
#[derive(Clone, Debug)]
pub(super) struct NodeRow {
    pub(super) key: Key,
    pub(super) name: Arc<str>,
    pub(super) labels: Arc<Labels>,
    pub(super) taints: Vec<Taint>,
    pub(super) cordoned: bool,
    pub(super) allocatable: Resources,
    /// What else it has, and what of that is taken.
    pub(super) extras: Extras,
    pub(super) extras_used: Extras,
    pub(super) ports: Vec<HostPort>,
}

impl NodeRow {
    pub(super) fn new(key: Key, node: &Node) -> NodeRow {
        NodeRow {
            key,
            name: node.meta.name.clone(),
            labels: node.meta.labels.clone(),
            taints: node.taints.clone(),
            cordoned: node.unschedulable,
            allocatable: node.allocatable,
            extras: node.extras.clone(),
            extras_used: Extras::default(),
            ports: Vec::new(),
        }
    }

    /// The region and zone by which nodes take turns.
    ///
    /// Upstream: `staging/src/k8s.io/component-helpers/node/topology/helpers.go GetZoneKey`
    fn zone(&self) -> String {
        let label = |name| self.labels.get(name).unwrap_or_default();
        format!("{}/{}", label("topology.kubernetes.io/region"), label("topology.kubernetes.io/zone"))
    }

    /// Whether it turns nobody away who does not ask for anything special.
    pub(super) fn is_plain(&self) -> bool {
        !self.cordoned && self.taints.is_empty()
    }

    /// A pod takes its ports, and what it asks for beside CPU and memory.
    pub(super) fn take(&mut self, template: &PodTemplate) {
        self.extras_used.add(&template.placement.extras);
        self.ports.extend(template.placement.host_ports.iter().cloned());
    }

    pub(super) fn give_back(&mut self, template: &PodTemplate) {
        self.extras_used.remove(&template.placement.extras);
        for port in &template.placement.host_ports {
            if let Some(i) = self.ports.iter().position(|p| p == port) {
                self.ports.swap_remove(i);
            }
        }
    }
}

/// All nodes.
#[derive(Clone, Debug, Default)]
pub(super) struct Nodes {
    rows: Vec<Option<NodeRow>>,
    /// By slot, as are the next: all that most searches ask of a node.
    keys: Vec<Option<Key>>,
    rooms: Vec<Room>,
    /// The slots of the pods on each node.
    pods: Chains,
    /// The slots of nodes that are plain.
    plain: Bits,
    /// Counts the changes of each node, so that what was found out about it
    /// is seen to be out of date. By slot, beginning at 1.
    pub(super) versions: Vec<u32>,
    by_name: FxHashMap<Arc<str>, u32>,
    /// The nodes of each zone in the order in which they came.
    zones: Vec<(String, Vec<u32>)>,
    order: Vec<u32>,
    /// The place of each node in the order, by slot.
    places: Vec<u32>,
    is_ordered: bool,
    /// Counts the orders.
    orders: u64,
    changes: Changes,
    /// Which images they have.
    pub(super) stock: Stock,
}

/// The nodes that changed, in the order in which they did. What is long ago
/// is forgotten.
#[derive(Clone, Debug, Default)]
struct Changes {
    slots: Vec<u32>,
    forgotten: u64,
}

/// So many changes for each node are remembered.
const CHANGES_PER_NODE: usize = 4;

impl Changes {
    fn add(&mut self, slot: u32, nodes: usize) {
        if self.slots.len() >= CHANGES_PER_NODE * nodes.max(64) {
            self.forgotten += self.slots.len() as u64;
            self.slots.clear();
        }
        self.slots.push(slot);
    }
}

impl Nodes {
    pub(super) fn get(&self, slot: u32) -> Option<&NodeRow> {
        self.rows.get(slot as usize)?.as_ref()
    }

    /// A node's key, if it is there.
    #[inline]
    pub(super) fn key(&self, slot: u32) -> Option<Key> {
        self.keys.get(slot as usize).copied().flatten()
    }

    /// A node's room.
    #[inline]
    pub(super) fn room(&self, slot: u32) -> &Room {
        &self.rooms[slot as usize]
    }

    /// Whether a node is plain.
    #[inline]
    pub(super) fn is_plain(&self, slot: u32) -> bool {
        self.plain.contains(slot)
    }

    /// A node has changed: what was found out about it no longer holds.
    fn note(&mut self, slot: u32) {
        self.versions[slot as usize] += 1;
        self.changes.add(slot, self.rows.len());
    }

    /// A node has an image from now on.
    pub(super) fn stock_up(&mut self, slot: u32, image: &str) {
        if self.stock.arrives(slot, image) && self.get(slot).is_some() {
            self.note(slot);
        }
    }

    /// There is a pod that may come to a node.
    pub(super) fn expect(&mut self, pod: u32) {
        self.pods.expect(pod);
    }

    /// A pod comes to a node; whether the node is still there.
    pub(super) fn take(&mut self, node: Key, pod: u32, template: &PodTemplate) -> bool {
        if self.key(node.slot) != Some(node) {
            return false;
        }
        if template.placement.asks_more_than_room()
            && let Some(row) = &mut self.rows[node.slot as usize]
        {
            row.take(template);
        }
        self.pods.join(node.slot, pod);
        self.rooms[node.slot as usize].take(template);
        self.note(node.slot);
        true
    }

    /// A pod leaves a node; whether it was there.
    pub(super) fn give_back(&mut self, slot: u32, pod: u32, template: &PodTemplate) -> bool {
        let Some(row) = self.rows.get_mut(slot as usize).and_then(Option::as_mut) else { return false };
        if self.pods.of(pod) != Some(slot) {
            return false;
        }
        self.pods.leave(pod);
        row.give_back(template);
        self.rooms[slot as usize].give_back(template);
        self.note(slot);
        true
    }

    /// The slots of the pods on a node, in the order in which they came.
    pub(super) fn pods_on(&self, slot: u32) -> Vec<u32> {
        self.pods.in_order(slot)
    }

    /// The node of a name.
    pub(super) fn find(&self, name: &str) -> Option<u32> {
        self.by_name.get(name).copied()
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.zones.iter().map(|(_, nodes)| nodes.len()).sum()
    }

    /// The slots of all nodes, in no order that means anything.
    pub(super) fn slots(&self) -> impl Iterator<Item = u32> {
        self.zones.iter().flat_map(|(_, nodes)| nodes.iter().copied())
    }

    pub(super) fn put(&mut self, row: NodeRow) {
        let slot = row.key.slot;
        if self.rows.len() <= slot as usize {
            self.rows.resize_with(slot as usize + 1, || None);
            self.keys.resize(slot as usize + 1, None);
            self.rooms.resize(slot as usize + 1, Room::default());
            self.versions.resize(slot as usize + 1, 1);
        }
        self.keys[slot as usize] = Some(row.key);
        self.rooms[slot as usize] = Room::of(row.allocatable);
        self.mark(slot, row.is_plain());
        self.enlist(row.zone(), slot);
        self.by_name.insert(row.name.clone(), slot);
        self.rows[slot as usize] = Some(row);
        self.note(slot);
    }

    fn mark(&mut self, slot: u32, is_plain: bool) {
        if is_plain {
            self.plain.insert(slot);
        } else {
            self.plain.remove(slot);
        }
    }

    /// A node is gone, and with it the account of its pods.
    pub(super) fn remove(&mut self, slot: u32) -> Option<NodeRow> {
        let row = self.rows.get_mut(slot as usize)?.take()?;
        self.strike(&row.zone(), slot);
        self.by_name.remove(&row.name);
        self.stock.node_goes(slot);
        self.keys[slot as usize] = None;
        self.pods.clear(slot);
        self.note(slot);
        Some(row)
    }

    /// Takes over what has changed about a node. One that moves to another
    /// zone is the newest there.
    pub(super) fn refresh(&mut self, slot: u32, node: &Node) {
        let Some(row) = self.rows.get_mut(slot as usize).and_then(Option::as_mut) else { return };
        let before = row.zone();
        row.labels = node.meta.labels.clone();
        row.taints.clone_from(&node.taints);
        row.cordoned = node.unschedulable;
        row.allocatable = node.allocatable;
        row.extras = node.extras.clone();
        let (after, is_plain) = (row.zone(), row.is_plain());
        self.rooms[slot as usize].allocatable = node.allocatable;
        self.mark(slot, is_plain);
        self.note(slot);
        if before != after {
            self.strike(&before, slot);
            self.enlist(after, slot);
        }
    }

    fn enlist(&mut self, zone: String, slot: u32) {
        self.is_ordered = false;
        match self.zones.iter_mut().find(|(known, _)| *known == zone) {
            Some((_, nodes)) => nodes.push(slot),
            None => self.zones.push((zone, vec![slot])),
        }
    }

    fn strike(&mut self, zone: &str, slot: u32) {
        self.is_ordered = false;
        if let Some((_, nodes)) = self.zones.iter_mut().find(|(known, _)| known == zone) {
            nodes.retain(|other| *other != slot);
        }
        self.zones.retain(|(_, nodes)| !nodes.is_empty());
    }

    /// Puts the nodes in the order in which they are looked at: one of each
    /// zone in turn, zones and nodes as they came. The nodes of the beginning
    /// came by name.
    ///
    /// Upstream: `pkg/scheduler/backend/cache/node_tree.go list`
    pub(super) fn sort(&mut self) {
        if self.is_ordered {
            return;
        }
        if self.orders == 0 {
            let rows = &self.rows;
            let name = |slot: &u32| rows[*slot as usize].as_ref().map(|row| row.name.clone());
            for (_, nodes) in &mut self.zones {
                nodes.sort_by_cached_key(name);
            }
            self.zones.sort_by_cached_key(|(_, nodes)| nodes.first().and_then(name));
        }
        self.order.clear();
        let longest = self.zones.iter().map(|(_, nodes)| nodes.len()).max().unwrap_or(0);
        for turn in 0..longest {
            self.order.extend(self.zones.iter().filter_map(|(_, nodes)| nodes.get(turn)));
        }
        self.places.clear();
        self.places.resize(self.rows.len(), u32::MAX);
        for (place, slot) in self.order.iter().enumerate() {
            self.places[*slot as usize] = place as u32;
        }
        self.is_ordered = true;
        self.orders += 1;
    }

    /// The slots in that order; [`Nodes::sort`] comes before.
    pub(super) fn order(&self) -> &[u32] {
        &self.order
    }

    /// Which order it is that nodes are in: another number, other places.
    pub(super) const fn orders(&self) -> u64 {
        self.orders
    }

    /// The place of a node in the order, if it has one.
    #[inline]
    pub(super) fn place(&self, slot: u32) -> Option<u32> {
        self.places.get(slot as usize).copied().filter(|place| *place != u32::MAX)
    }

    /// How many changes of nodes there have been.
    pub(super) const fn now(&self) -> u64 {
        self.changes.forgotten + self.changes.slots.len() as u64
    }

    /// The nodes that have changed since there were `then` changes, some
    /// more than once; nothing if that is forgotten.
    pub(super) fn changed_since(&self, then: u64) -> Option<&[u32]> {
        let from = then.checked_sub(self.changes.forgotten)?;
        self.changes.slots.get(from as usize..)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{Kind, Uid};

    fn row(slot: u32, name: &str, zone: &str) -> NodeRow {
        NodeRow {
            key: Key { kind: Kind::Node, slot, uid: Uid(slot) },
            name: name.into(),
            labels: Arc::new(Labels::from([("topology.kubernetes.io/zone", zone)])),
            taints: Vec::new(),
            cordoned: false,
            allocatable: Resources::default(),
            extras: Extras::default(),
            extras_used: Extras::default(),
            ports: Vec::new(),
        }
    }

    #[test]
    fn zones_take_turns() {
        let mut nodes = Nodes::default();
        for (slot, name, zone) in [(0, "b1", "b"), (1, "a2", "a"), (2, "a1", "a"), (3, "b2", "b"), (4, "a3", "a")] {
            nodes.put(row(slot, name, zone));
        }
        nodes.sort();
        assert_eq!(nodes.order(), [2, 0, 1, 3, 4], "by name at the beginning");
        nodes.put(row(5, "a0", "a"));
        nodes.sort();
        assert_eq!(nodes.order(), [2, 0, 1, 3, 4, 5], "later ones are the last of their zone");
        nodes.remove(2);
        nodes.remove(1);
        nodes.sort();
        assert_eq!(nodes.order(), [4, 0, 5, 3]);
        assert_eq!((nodes.orders(), nodes.place(5), nodes.place(2)), (3, Some(2), None));
    }

    #[test]
    fn changes_are_remembered_for_a_while() {
        let mut nodes = Nodes::default();
        nodes.put(row(0, "a", "a"));
        nodes.put(row(1, "b", "a"));
        nodes.note(1);
        let then = nodes.now();
        assert_eq!(nodes.changed_since(then), Some(&[][..]));
        nodes.note(0);
        nodes.note(1);
        assert_eq!(nodes.changed_since(then), Some(&[0, 1][..]));
        (0..CHANGES_PER_NODE * 64).for_each(|_| nodes.note(0));
        assert_eq!(nodes.changed_since(then), None);
        assert_eq!(nodes.changed_since(nodes.now() - 1), Some(&[0][..]));
    }
}
