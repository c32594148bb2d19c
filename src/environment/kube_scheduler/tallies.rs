//! How many pods of a sort are in each zone, on each host and the like.
//!
//! A tally is asked for once by the pods that depend on it and kept up to
//! date from then on, so that nobody counts pods when one is placed.

use super::levels::{Level, Levels};
use super::nodes::{NodeRow, Nodes};
use super::topology::{Groups, NOWHERE, Topology, TopologyId};
use crate::api::{Labels, NodeMatch, PodTemplate, Selector, Text, Toleration};
use crate::environment::admission::untolerated;
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Which tally.
pub(super) type TallyId = u32;

/// Pods by labels and namespace.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Scope {
    /// `None` selects nothing.
    pub(super) selector: Option<Selector>,
    /// The namespaces by name.
    pub(super) namespaces: Vec<Arc<str>>,
    /// Namespaces by their labels, of which only their name is known.
    pub(super) by_labels: Option<Selector>,
}

impl Scope {
    /// Whether pods of this namespace with these labels are in it.
    ///
    /// Upstream: `staging/src/k8s.io/kube-scheduler/framework/types.go AffinityTerm.Matches`
    pub(super) fn covers(&self, namespace: &str, labels: &Labels) -> bool {
        let there = self.namespaces.iter().any(|name| &**name == namespace)
            || self
                .by_labels
                .as_ref()
                .is_some_and(|selector| selector.matches(&Labels::from([("kubernetes.io/metadata.name", namespace)])));
        there && self.selector.as_ref().is_some_and(|selector| selector.matches(labels))
    }
}

/// What is counted.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Counted {
    /// Pods that are in all of these scopes.
    Pods(Vec<Scope>),
    /// Pods that have this term themselves, by its weight.
    Holders(HolderKind, Scope),
}

/// What sort of term the holders have.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum HolderKind {
    /// Required anti-affinity: it keeps others away.
    KeepsAway,
    /// A wish, or required affinity, which counts like one.
    Wishes,
}

/// Which nodes count at all.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct Eligible {
    /// Labels that a node must have.
    pub(super) keys: Vec<String>,
    /// Node selector and required node affinity that must hold.
    pub(super) affinity: Option<(Labels, Vec<Vec<NodeMatch>>)>,
    /// Tolerations for all its taints.
    pub(super) tolerations: Option<Vec<Toleration>>,
    /// Not a matter of nodes: only pods count whose deletion has not been
    /// asked for. It tells tallies apart that are otherwise the same.
    pub(super) live_only: bool,
}

impl Eligible {
    fn holds(&self, node: &NodeRow) -> bool {
        self.keys.iter().all(|key| node.labels.get(key).is_some())
            && self
                .affinity
                .as_ref()
                .is_none_or(|(selector, terms)| PodTemplate::selector_holds(selector, terms, &node.labels, &node.name))
            && self.tolerations.as_ref().is_none_or(|tolerations| untolerated(&node.taints, tolerations).is_none())
    }
}

/// The domains that have nodes, for the emptiest of them.
#[derive(Clone, Debug, Default)]
struct Domains {
    /// How many eligible nodes each has.
    nodes: Vec<u32>,
    /// How many domains have how many pods.
    by_count: BTreeMap<i32, u32>,
    len: u32,
}

/// One tally.
#[derive(Clone, Debug)]
pub(super) struct Tally {
    pub(super) counted: Counted,
    pub(super) topology: TopologyId,
    eligible: usize,
    /// By domain, of those that have any.
    counts: FxHashMap<u32, i32>,
    /// The nodes by these counts, once anyone has asked.
    levels: Option<Levels>,
    domains: Option<Domains>,
    /// How many classes of pods ask for it.
    users: u32,
}

impl Tally {
    /// How many there are in a domain.
    #[inline]
    pub(super) fn count(&self, domain: u32) -> i32 {
        self.counts.get(&domain).copied().unwrap_or(0)
    }

    /// How many domains have any.
    pub(super) fn inhabited(&self) -> usize {
        self.counts.len()
    }

    /// The nodes of domains that have any, by how many.
    pub(super) fn levels(&self) -> impl Iterator<Item = &Level> {
        self.levels.iter().flat_map(Levels::iter)
    }

    /// What there was in the domain and what there is.
    fn add(&mut self, domain: u32, by: i32) -> (i32, i32) {
        let before = self.count(domain);
        let after = before + by;
        if after == 0 {
            self.counts.remove(&domain);
        } else {
            self.counts.insert(domain, after);
        }
        if let Some(domains) = &mut self.domains
            && domains.nodes.get(domain as usize).is_some_and(|nodes| *nodes > 0)
        {
            domains.leave(before);
            domains.enter(after);
        }
        (before, after)
    }

    /// A node of the domain comes or goes.
    fn add_node(&mut self, domain: u32, comes: bool) {
        let count = self.count(domain);
        let Some(domains) = &mut self.domains else { return };
        let at = domain as usize;
        if comes {
            if domains.add_node(at) {
                domains.enter(count);
            }
        } else if let Some(nodes) = domains.nodes.get_mut(at).filter(|nodes| **nodes > 0) {
            *nodes -= 1;
            if *nodes == 0 {
                domains.leave(count);
                domains.len -= 1;
            }
        }
    }

    /// The count of the emptiest domain, or 0 if there are fewer domains than
    /// wanted, when one of them has `change` more than it has.
    ///
    /// Upstream: `pkg/scheduler/framework/plugins/podtopologyspread/filtering.go minMatchNum`
    pub(super) fn least(&self, min_domains: i32, change: Option<(u32, i32)>) -> i32 {
        let Some(domains) = &self.domains else { return 0 };
        if i64::from(domains.len) < i64::from(min_domains) {
            return 0;
        }
        let lowest = domains.by_count.keys().next().copied().unwrap_or(0);
        let counts = |domain: &u32| domains.nodes.get(*domain as usize).is_some_and(|nodes| *nodes > 0);
        let Some((domain, by)) = change.filter(|(domain, by)| *by != 0 && counts(domain)) else { return lowest };
        let own = self.count(domain);
        let mut others = domains.by_count.iter().filter(|(count, n)| **count != own || **n > 1);
        let other = others.next().map(|(count, _)| *count);
        other.map_or(own + by, |other| other.min(own + by))
    }
}

impl Domains {
    /// A node of a domain more; whether it is its first.
    fn add_node(&mut self, domain: usize) -> bool {
        if self.nodes.len() <= domain {
            self.nodes.resize(domain + 1, 0);
        }
        self.nodes[domain] += 1;
        let is_first = self.nodes[domain] == 1;
        self.len += u32::from(is_first);
        is_first
    }

    fn enter(&mut self, count: i32) {
        *self.by_count.entry(count).or_insert(0) += 1;
    }

    fn leave(&mut self, count: i32) {
        if let Some(n) = self.by_count.get_mut(&count) {
            *n -= 1;
            if *n == 0 {
                self.by_count.remove(&count);
            }
        }
    }
}

/// One rule about which nodes count, and what it says of each.
#[derive(Clone, Debug)]
struct EligibleNodes {
    rule: Eligible,
    /// By slot.
    holds: Vec<bool>,
}

impl EligibleNodes {
    fn place(&mut self, node: &NodeRow) {
        let slot = node.key.slot as usize;
        if self.holds.len() <= slot {
            self.holds.resize(slot + 1, false);
        }
        self.holds[slot] = self.rule.holds(node);
    }
}

/// All tallies and what they are made of.
#[derive(Clone, Debug, Default)]
pub(super) struct Tallies {
    tallies: Vec<Option<Tally>>,
    free: Vec<TallyId>,
    topologies: Vec<Topology>,
    pub(super) groups: Groups,
    eligible: Vec<EligibleNodes>,
    /// The tallies that know their emptiest domain, by topology and by which
    /// nodes count.
    with_domains: BTreeMap<(TopologyId, usize), Vec<TallyId>>,
    /// The tallies of pods, by one label that the pods must have.
    by_label: FxHashMap<(Text, Text), Vec<TallyId>>,
    /// Those whose pods need not have any label in particular.
    by_no_label: Vec<TallyId>,
    /// The tallies of terms that pods have.
    holders: Vec<TallyId>,
    /// The same by one label of the pods that a term is about.
    holders_by_label: FxHashMap<(Text, Text), Vec<TallyId>>,
    holders_by_no_label: Vec<TallyId>,
}

/// No tally.
static NO_TALLIES: Vec<TallyId> = Vec::new();

/// So many new terms are looked at one by one.
const FEW_TERMS: usize = 4;

impl Tallies {
    /// The topology of a label.
    pub(super) fn topology(&mut self, key: &str, nodes: &Nodes) -> TopologyId {
        if let Some(i) = self.topologies.iter().position(|t| t.key == key) {
            return i as TopologyId;
        }
        self.topologies.push(Topology::new(key, nodes));
        self.groups.regroup(nodes.slots(), &self.topologies);
        self.topologies.len() as TopologyId - 1
    }

    /// The domains of a topology.
    pub(super) fn domains(&self, topology: TopologyId) -> &Topology {
        &self.topologies[topology as usize]
    }

    fn eligible(&mut self, rule: Eligible, nodes: &Nodes) -> usize {
        if let Some(i) = self.eligible.iter().position(|e| e.rule == rule) {
            return i;
        }
        let mut eligible = EligibleNodes { rule, holds: Vec::new() };
        nodes.slots().filter_map(|slot| nodes.get(slot)).for_each(|node| eligible.place(node));
        self.eligible.push(eligible);
        self.eligible.len() - 1
    }

    /// A tally.
    pub(super) fn get(&self, id: TallyId) -> &Tally {
        self.tallies[id as usize].as_ref().expect("tallies that are asked for are kept")
    }

    /// The tally of this, counted from zero if it is new; whether it is.
    pub(super) fn open(
        &mut self,
        counted: Counted,
        key: &str,
        rule: Eligible,
        wants_least: bool,
        nodes: &Nodes,
    ) -> (TallyId, bool) {
        let topology = self.topology(key, nodes);
        let eligible = self.eligible(rule, nodes);
        let known = self.list_of(&counted).iter().copied().find(|id| {
            let tally = self.get(*id);
            (tally.topology, tally.eligible, tally.domains.is_some()) == (topology, eligible, wants_least)
                && tally.counted == counted
        });
        if let Some(id) = known {
            if let Some(tally) = &mut self.tallies[id as usize] {
                tally.users += 1;
            }
            return (id, false);
        }
        let id = self.free.pop().unwrap_or(self.tallies.len() as TallyId);
        if id as usize == self.tallies.len() {
            self.tallies.push(None);
        }
        let counts = FxHashMap::default();
        let mut tally = Tally { counted, topology, eligible, counts, levels: None, domains: None, users: 1 };
        if wants_least {
            tally.domains = Some(self.domains_like(&tally, nodes));
            self.with_domains.entry((topology, eligible)).or_default().push(id);
        }
        match &tally.counted {
            Counted::Pods(scopes) => match sample_label(scopes) {
                Some(label) => self.by_label.entry(label).or_default().push(id),
                None => self.by_no_label.push(id),
            },
            Counted::Holders(_, scope) => {
                self.holders.push(id);
                match sample_label(std::slice::from_ref(scope)) {
                    Some(label) => self.holders_by_label.entry(label).or_default().push(id),
                    None => self.holders_by_no_label.push(id),
                }
            }
        }
        self.tallies[id as usize] = Some(tally);
        (id, true)
    }

    /// The tallies among which that of this is, if there is one.
    fn list_of(&self, counted: &Counted) -> &[TallyId] {
        let (label, labelled, others) = match counted {
            Counted::Pods(scopes) => (sample_label(scopes), &self.by_label, &self.by_no_label),
            Counted::Holders(_, scope) => {
                (sample_label(std::slice::from_ref(scope)), &self.holders_by_label, &self.holders_by_no_label)
            }
        };
        label.map_or(others, |label| labelled.get(&label).unwrap_or(&NO_TALLIES))
    }

    /// The domains that have nodes, none of which has any pods yet: copied from
    /// a tally of the same ones if there is any.
    fn domains_like(&self, tally: &Tally, nodes: &Nodes) -> Domains {
        let alike = self.with_domains.get(&(tally.topology, tally.eligible)).and_then(|ids| ids.first());
        let mut domains = match alike.and_then(|id| self.get(*id).domains.as_ref()) {
            Some(domains) => Domains { nodes: domains.nodes.clone(), by_count: BTreeMap::new(), len: domains.len },
            None => Domains::default(),
        };
        if domains.nodes.is_empty() {
            for domain in nodes.slots().filter_map(|slot| self.domain_of(tally.topology, tally.eligible, slot)) {
                domains.add_node(domain as usize);
            }
        }
        if domains.len > 0 {
            domains.by_count.insert(0, domains.len);
        }
        domains
    }

    /// One user less; what the tally counted if it is gone with it.
    pub(super) fn close(&mut self, id: TallyId) -> Option<Vec<Scope>> {
        let tally = self.tallies[id as usize].as_mut()?;
        tally.users -= 1;
        if tally.users > 0 {
            return None;
        }
        let tally = self.tallies[id as usize].take()?;
        // The terms of pods stay, as others ask about them.
        let Counted::Pods(scopes) = tally.counted else { return None };
        match sample_label(&scopes) {
            Some(label) => {
                if let Some(ids) = self.by_label.get_mut(&label) {
                    ids.retain(|other| *other != id);
                    if ids.is_empty() {
                        self.by_label.remove(&label);
                    }
                }
            }
            None => self.by_no_label.retain(|other| *other != id),
        }
        if let Some(ids) = self.with_domains.get_mut(&(tally.topology, tally.eligible)) {
            ids.retain(|other| *other != id);
        }
        self.free.push(id);
        Some(scopes)
    }

    /// Whether a pod no longer counts when its deletion has been asked for.
    pub(super) fn counts_live_only(&self, id: TallyId) -> bool {
        self.eligible[self.get(id).eligible].rule.live_only
    }

    /// The tallies that count pods of this namespace with these labels.
    pub(super) fn counting(&self, namespace: &str, labels: &Labels) -> Vec<TallyId> {
        let labelled = labels.0.iter().filter_map(|(k, v)| self.by_label.get(&(k.clone(), v.clone()))).flatten();
        let mut ids: Vec<TallyId> = labelled.chain(&self.by_no_label).copied().collect();
        ids.retain(|id| match &self.get(*id).counted {
            Counted::Pods(scopes) => scopes.iter().all(|scope| scope.covers(namespace, labels)),
            Counted::Holders(..) => false,
        });
        ids
    }

    /// How many terms of pods there are.
    pub(super) fn terms(&self) -> usize {
        self.holders.len()
    }

    /// The terms that may be about pods with these labels: those after the
    /// first `seen` ones if they are few, all of them otherwise.
    pub(super) fn terms_about(&self, labels: &Labels, seen: usize) -> (Vec<TallyId>, bool) {
        let new = self.holders.get(seen..).unwrap_or_default();
        if new.len() <= FEW_TERMS {
            return (new.to_vec(), false);
        }
        let labelled = labels.0.iter().filter_map(|(k, v)| self.holders_by_label.get(&(k.clone(), v.clone())));
        (labelled.flatten().chain(&self.holders_by_no_label).copied().collect(), true)
    }

    /// The domain in which a node counts, if it does.
    fn domain_of(&self, topology: TopologyId, eligible: usize, slot: u32) -> Option<u32> {
        let counts = self.eligible[eligible].holds.get(slot as usize).copied().unwrap_or(false);
        let domain = self.domains(topology).domain(slot);
        (counts && domain != NOWHERE).then_some(domain)
    }

    /// Whether a pod on this node would count, and where.
    pub(super) fn where_counted(&self, id: TallyId, slot: u32) -> Option<u32> {
        let tally = self.get(id);
        self.domain_of(tally.topology, tally.eligible, slot)
    }

    /// Counts something on a node.
    pub(super) fn add(&mut self, id: TallyId, slot: u32, by: i32) {
        if let Some(domain) = self.where_counted(id, slot)
            && let Some(tally) = &mut self.tallies[id as usize]
        {
            let (before, after) = tally.add(domain, by);
            let topology = &self.topologies[tally.topology as usize];
            match &mut tally.levels {
                Some(levels) if levels.are_of(topology) => {
                    levels.shift(topology.places(domain), before, after, topology.places_len());
                }
                levels => *levels = None,
            }
        }
    }

    /// Puts nodes into sets by what tallies count, in the order of the nodes:
    /// for labels that make many domains by how many there are, for the
    /// others by groups of nodes.
    pub(super) fn lay_out(&mut self, asked: impl Iterator<Item = TallyId>, nodes: &Nodes) {
        self.groups.lay_out(nodes);
        for id in asked {
            let Some(tally) = &mut self.tallies[id as usize] else { continue };
            if self.groups.index(tally.topology).is_some() {
                tally.levels = None;
                continue;
            }
            let topology = &mut self.topologies[tally.topology as usize];
            topology.lay_out(nodes);
            if !tally.levels.as_ref().is_some_and(|levels| levels.are_of(topology)) {
                let counts = tally.counts.iter().map(|(domain, count)| (*domain, *count));
                tally.levels = Some(Levels::new(counts, topology, nodes.order().len()));
            }
        }
    }

    /// A node is there now: its pods are counted after this.
    pub(super) fn node_comes(&mut self, node: &NodeRow) {
        self.topologies.iter_mut().for_each(|topology| topology.place(node));
        self.groups.join(node.key.slot, &self.topologies);
        self.eligible.iter_mut().for_each(|eligible| eligible.place(node));
        self.each_domain_of(node.key.slot, true);
    }

    /// A node goes: its pods were uncounted before this.
    pub(super) fn node_goes(&mut self, slot: u32) {
        self.each_domain_of(slot, false);
        for eligible in &mut self.eligible {
            if let Some(holds) = eligible.holds.get_mut(slot as usize) {
                *holds = false;
            }
        }
    }

    fn each_domain_of(&mut self, slot: u32, comes: bool) {
        for ((topology, eligible), ids) in &self.with_domains {
            let Some(domain) = self.domain_of(*topology, *eligible, slot) else { continue };
            for id in ids {
                if let Some(tally) = &mut self.tallies[*id as usize] {
                    tally.add_node(domain, comes);
                }
            }
        }
    }
}

/// A label that all pods of the scopes have: the one that tells most.
fn sample_label(scopes: &[Scope]) -> Option<(Text, Text)> {
    let labels = &scopes.first()?.selector.as_ref()?.match_labels.0;
    let telling = labels.iter().find(|(key, _)| key.ends_with("-hash")).or_else(|| labels.iter().next_back());
    telling.map(|(key, value)| (key.clone(), value.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(counts: &[i32], nodes: &[u32]) -> Tally {
        let mut tally = Tally {
            counted: Counted::Pods(Vec::new()),
            topology: 0,
            eligible: 0,
            counts: FxHashMap::default(),
            levels: None,
            domains: Some(Domains::default()),
            users: 1,
        };
        for (domain, n) in nodes.iter().enumerate() {
            (0..*n).for_each(|_| tally.add_node(domain as u32, true));
        }
        for (domain, n) in counts.iter().enumerate() {
            tally.add(domain as u32, *n);
        }
        tally
    }

    #[test]
    fn the_emptiest_domain() {
        for (counts, nodes, min_domains, change, least) in [
            (&[3, 1, 2][..], &[1, 1, 1][..], 1, None, 1),
            (&[3, 1, 2], &[1, 1, 1], 4, None, 0),
            (&[3, 1, 2], &[1, 0, 1], 1, None, 2),
            (&[3, 1, 2], &[1, 1, 1], 1, Some((1, 5)), 2),
            (&[3, 1, 2], &[1, 1, 1], 1, Some((0, -3)), 0),
            (&[1, 1, 2], &[1, 1, 1], 1, Some((0, 4)), 1),
            (&[], &[], 1, None, 0),
        ] {
            assert_eq!(tally(counts, nodes).least(min_domains, change), least, "{counts:?} {nodes:?} {change:?}");
        }
    }

    #[test]
    fn domains_with_nothing_left_are_uninhabited() {
        let mut tally = tally(&[2, 0], &[1, 1]);
        assert_eq!(tally.inhabited(), 1);
        tally.add(0, -2);
        assert_eq!(tally.inhabited(), 0);
        tally.add(1, -5);
        assert_eq!(tally.inhabited(), 1, "weights may be negative");
    }
}
