//! What the labels of nodes make of them: domains, and groups of nodes that
//! are alike.

use super::nodes::{NodeRow, Nodes};
use crate::environment::bits::Bits;
use rustc_hash::FxHashMap;

/// Which topology: the index of a node label that makes domains.
pub(super) type TopologyId = u32;

/// A node without the label.
pub(super) const NOWHERE: u32 = u32::MAX;

/// The domains of all nodes by one label.
#[derive(Clone, Debug)]
pub(super) struct Topology {
    pub(super) key: String,
    /// The domain of each node, by slot.
    of: Vec<u32>,
    values: FxHashMap<String, u32>,
    layout: Layout,
}

/// Where the domains are in the order of the nodes.
#[derive(Clone, Debug, Default)]
struct Layout {
    /// Which order it is; none if a node has moved to another domain since.
    order: Option<u64>,
    /// Counts the layouts.
    number: u64,
    /// By domain, where its places begin in `places`.
    starts: Vec<u32>,
    places: Vec<u32>,
    /// Places of nodes without the label.
    nowhere: Bits,
    is_partial: bool,
    /// How many places there are.
    len: usize,
}

impl Topology {
    pub(super) fn new(key: &str, nodes: &Nodes) -> Topology {
        let (of, values) = (Vec::new(), FxHashMap::default());
        let mut topology = Topology { key: key.to_string(), of, values, layout: Layout::default() };
        nodes.slots().filter_map(|slot| nodes.get(slot)).for_each(|node| topology.place(node));
        topology
    }

    /// The domain of a node, or [`NOWHERE`].
    #[inline]
    pub(super) fn domain(&self, slot: u32) -> u32 {
        self.of.get(slot as usize).copied().unwrap_or(NOWHERE)
    }

    /// How many different values the label has had.
    fn len(&self) -> usize {
        self.values.len()
    }

    /// Notes the domain of a node.
    pub(super) fn place(&mut self, node: &NodeRow) {
        let slot = node.key.slot as usize;
        if self.of.len() <= slot {
            self.of.resize(slot + 1, NOWHERE);
        }
        let domain = node.labels.get(&self.key).map_or(NOWHERE, |value| {
            self.values.get(value).copied().unwrap_or_else(|| {
                let domain = self.values.len() as u32;
                self.values.insert(value.to_string(), domain);
                domain
            })
        });
        if self.of[slot] != domain {
            self.of[slot] = domain;
            self.layout.order = None;
        }
    }

    /// Finds out where the domains are in the order of the nodes.
    pub(super) fn lay_out(&mut self, nodes: &Nodes) {
        if self.layout.order == Some(nodes.orders()) {
            return;
        }
        let order = nodes.order();
        let mut starts = vec![0; self.len() + 1];
        let mut nowhere = Bits::none(order.len());
        for (place, slot) in order.iter().enumerate() {
            match self.domain(*slot) {
                NOWHERE => nowhere.insert(place as u32),
                domain => starts[domain as usize + 1] += 1,
            }
        }
        for domain in 1..starts.len() {
            starts[domain] += starts[domain - 1];
        }
        let mut next = starts.clone();
        let mut places = vec![0; starts[self.len()] as usize];
        for (place, slot) in order.iter().enumerate() {
            let domain = self.domain(*slot);
            if domain != NOWHERE {
                places[next[domain as usize] as usize] = place as u32;
                next[domain as usize] += 1;
            }
        }
        let (len, order, number) = (order.len(), Some(nodes.orders()), self.layout.number + 1);
        let is_partial = !nowhere.is_empty();
        self.layout = Layout { order, number, starts, places, nowhere, is_partial, len };
    }

    /// Which layout it is: another number, other places.
    pub(super) const fn layout(&self) -> u64 {
        self.layout.number
    }

    /// The places of a domain in the order of the nodes, as it was laid out.
    pub(super) fn places(&self, domain: u32) -> &[u32] {
        let start = |domain: usize| self.layout.starts.get(domain).map(|start| *start as usize);
        let domain = domain as usize;
        let range = start(domain).zip(start(domain + 1));
        range.map_or(&[][..], |(from, to)| &self.layout.places[from..to])
    }

    /// How many places there are.
    pub(super) const fn places_len(&self) -> usize {
        self.layout.len
    }

    /// The places of nodes without the label if there are any.
    pub(super) const fn nowhere(&self) -> Option<&Bits> {
        if self.layout.is_partial { Some(&self.layout.nowhere) } else { None }
    }
}

/// Labels of no more values than this put nodes into groups.
const MOST_VALUES: usize = 32;
/// No more groups than this are told apart.
const MOST_GROUPS: usize = 256;

/// Groups of nodes that are alike in every label that makes few domains, such
/// as the zone. What holds for a node as far as those labels go holds for its
/// group, and is found out once for all of it.
#[derive(Clone, Debug, Default)]
pub(super) struct Groups {
    /// The labels.
    by: Vec<TopologyId>,
    /// The group of each node, by slot.
    of: Vec<u16>,
    /// By group, the domain for each of the labels.
    domains: Vec<Vec<u32>>,
    known: FxHashMap<Vec<u32>, u16>,
    /// By group, the places of its nodes.
    sets: Vec<Bits>,
    /// The order that the places are of; none if a node has moved since.
    order: Option<u64>,
}

impl Groups {
    /// How many groups there are.
    pub(super) fn len(&self) -> usize {
        self.domains.len()
    }

    /// Which of the labels a topology is, if it is one of them.
    pub(super) fn index(&self, topology: TopologyId) -> Option<usize> {
        self.by.iter().position(|by| *by == topology)
    }

    /// The domain of a group for one of the labels.
    pub(super) fn domain(&self, group: usize, index: usize) -> u32 {
        self.domains.get(group).and_then(|domains| domains.get(index)).copied().unwrap_or(NOWHERE)
    }

    /// The places of a group's nodes.
    pub(super) fn set(&self, group: usize) -> &Bits {
        &self.sets[group]
    }

    /// Finds out where the groups are in the order of the nodes.
    pub(super) fn lay_out(&mut self, nodes: &Nodes) {
        if self.order == Some(nodes.orders()) {
            return;
        }
        let order = nodes.order();
        self.sets = vec![Bits::none(order.len()); self.len()];
        for (place, slot) in order.iter().enumerate() {
            let group = self.of.get(*slot as usize).copied().unwrap_or(0);
            if let Some(set) = self.sets.get_mut(usize::from(group)) {
                set.insert(place as u32);
            }
        }
        self.order = Some(nodes.orders());
    }

    fn place(&mut self, slot: u32, topologies: &[Topology]) {
        let domains: Vec<u32> = self.by.iter().map(|by| topologies[*by as usize].domain(slot)).collect();
        let next = self.domains.len() as u16;
        let group = *self.known.entry(domains).or_insert_with_key(|domains| {
            self.domains.push(domains.clone());
            next
        });
        let slot = slot as usize;
        if self.of.len() <= slot {
            self.of.resize(slot + 1, u16::MAX);
        }
        if self.of[slot] != group {
            self.of[slot] = group;
            self.order = None;
        }
    }

    /// Puts all nodes into groups anew.
    pub(super) fn regroup(&mut self, slots: impl Iterator<Item = u32>, topologies: &[Topology]) {
        let few = |(_, topology): &(usize, &Topology)| topology.len() <= MOST_VALUES;
        let by = topologies.iter().enumerate().filter(few).map(|(i, _)| i as TopologyId);
        let slots: Vec<u32> = slots.collect();
        for groups in [Groups { by: by.collect(), ..Groups::default() }, Groups::default()] {
            *self = groups;
            for slot in &slots {
                self.place(*slot, topologies);
            }
            if self.len() <= MOST_GROUPS {
                break;
            }
        }
    }

    /// Puts a node into its group; all of them if there are too many now.
    pub(super) fn join(&mut self, slot: u32, topologies: &[Topology]) {
        let is_many = |by: &TopologyId| topologies[*by as usize].len() > MOST_VALUES;
        if self.len() >= MOST_GROUPS || self.by.iter().any(is_many) {
            let slots = 0..topologies.iter().map(|t| t.of.len()).max().unwrap_or(0) as u32;
            self.regroup(slots, topologies);
        } else {
            self.place(slot, topologies);
        }
    }
}
