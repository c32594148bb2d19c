//! Whether a node will do for a pod, other pods considered.

use super::class::{AskSpread, Asks, ClassId, Classes};
use super::reasons::Reasons;
use super::tallies::{Groups, NOWHERE, Tallies, Tally, TallyId, Topology};

/// Pods that are taken to come to a node, or to leave it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Supposed {
    pub(super) class: ClassId,
    pub(super) live: bool,
    pub(super) by: i32,
}

/// What pods are taken to do on one node.
#[derive(Clone, Copy, Debug)]
pub(super) struct Suppose<'a> {
    pub(super) slot: u32,
    pub(super) pods: &'a [Supposed],
}

/// A tally with the domains it is kept by.
#[derive(Clone, Copy)]
pub(super) struct Kept<'a> {
    id: TallyId,
    pub(super) tally: &'a Tally,
    pub(super) topology: &'a Topology,
    /// Which of the labels it is that put nodes into groups.
    by_group: Option<usize>,
}

impl<'a> Kept<'a> {
    fn new(id: TallyId, tallies: &'a Tallies) -> Kept<'a> {
        let tally = tallies.get(id);
        let by_group = tallies.groups.index(tally.topology);
        Kept { id, tally, topology: tallies.domains(tally.topology), by_group }
    }

    /// The domain of a place.
    pub(super) fn domain(&self, place: Place<'_>) -> u32 {
        match place {
            Place::Node(slot) => self.topology.domain(slot),
            Place::Group(groups, group) => self.by_group.map_or(ELSEWHERE, |index| groups.domain(group, index)),
        }
    }

    /// Whether nodes of a group are all in the same domain.
    pub(super) const fn is_by_group(&self) -> bool {
        self.by_group.is_some()
    }

    /// How many there are at a place; none if it is nowhere.
    pub(super) fn at(&self, place: Place<'_>) -> i32 {
        self.tally.count(self.domain(place))
    }

    /// Whether what is true of a node's group is not true of the node,
    /// because something is there that is not everywhere in its group.
    #[inline]
    fn is_special(&self, slot: u32) -> bool {
        let domain = self.topology.domain(slot);
        domain == NOWHERE || self.tally.count(domain) != 0
    }
}

/// A domain that nothing is in.
const ELSEWHERE: u32 = u32::MAX - 1;

/// Where a pod may go: to a node, or to any node of a group that has its
/// label for every other topology and no pods in that domain.
#[derive(Clone, Copy)]
pub(super) enum Place<'a> {
    Node(u32),
    Group(&'a Groups, usize),
}

/// A constraint that must hold, and the count of the emptiest domain.
struct Hard<'a> {
    ask: AskSpread,
    kept: Kept<'a>,
    least: i32,
}

/// What a class of pods asks, looked up.
pub(super) struct Asking<'a> {
    tallies: &'a Tallies,
    classes: &'a Classes,
    hard: Vec<Hard<'a>>,
    near: Vec<Kept<'a>>,
    near_itself: bool,
    away: Vec<Kept<'a>>,
    keeping_away: Vec<Kept<'a>>,
    pub(super) soft: Vec<(AskSpread, Kept<'a>)>,
    pub(super) wants_all_labels: bool,
    pub(super) wishes: Vec<(i64, Kept<'a>)>,
    /// Of what must hold, and of the wishes, what groups say nothing about.
    special: [Vec<Kept<'a>>; 2],
    /// By group, whether its nodes will do.
    lets: Vec<bool>,
}

impl<'a> Asking<'a> {
    pub(super) fn new(asks: &Asks, tallies: &'a Tallies, classes: &'a Classes) -> Asking<'a> {
        let kept = |ids: &[TallyId]| ids.iter().map(|id| Kept::new(*id, tallies)).collect::<Vec<_>>();
        let hard = asks.hard.iter().map(|ask| {
            let kept = Kept::new(ask.tally, tallies);
            Hard { ask: *ask, kept, least: kept.tally.least(ask.min_domains, None) }
        });
        let own = asks.wishes.iter().map(|(id, weight)| (*weight, Kept::new(*id, tallies)));
        // What is never anywhere need not be added up.
        let others = asks.wished.iter().map(|id| (1, Kept::new(*id, tallies)));
        let mut asking = Asking {
            tallies,
            classes,
            hard: hard.collect(),
            near: kept(&asks.near),
            near_itself: asks.near_itself,
            away: kept(&asks.away),
            keeping_away: asks
                .keeping_away
                .iter()
                .map(|id| Kept::new(*id, tallies))
                .filter(|kept| kept.tally.inhabited > 0)
                .collect(),
            soft: asks.soft.iter().map(|ask| (*ask, Kept::new(ask.tally, tallies))).collect(),
            wants_all_labels: asks.wants_all_labels,
            wishes: own.chain(others).filter(|(_, kept)| kept.tally.inhabited > 0).collect(),
            special: [Vec::new(), Vec::new()],
            lets: Vec::new(),
        };
        asking.prepare();
        asking
    }

    /// Finds out what holds for whole groups.
    fn prepare(&mut self) {
        let ungrouped = |kept: &&Kept<'a>| kept.by_group.is_none();
        let hard = self.hard.iter().map(|hard| &hard.kept);
        let musts = hard.chain(&self.near).chain(&self.away).chain(&self.keeping_away);
        let musts: Vec<Kept<'a>> = musts.filter(ungrouped).copied().collect();
        let soft = self.soft.iter().map(|(_, kept)| kept);
        let wishes =
            soft.chain(self.wishes.iter().map(|(_, kept)| kept)).filter(ungrouped).copied().collect::<Vec<_>>();
        // On labels that all nodes have, what no pod counts for sets no node apart.
        self.special = [musts, wishes].map(|all: Vec<Kept<'a>>| {
            all.into_iter().filter(|kept| kept.tally.inhabited > 0 || kept.topology.is_partial()).collect()
        });
        if !self.forbids_nothing() {
            let groups = self.groups();
            self.lets = (0..groups.len()).map(|i| self.judge(Place::Group(groups, i), None).is_empty()).collect();
        }
    }

    /// The groups that nodes are in.
    pub(super) fn groups(&self) -> &'a Groups {
        &self.tallies.groups
    }

    /// Whether other pods let the pod onto a node.
    #[inline]
    pub(super) fn lets(&self, slot: u32) -> bool {
        if self.special[0].iter().any(|kept| kept.is_special(slot)) {
            return self.against(slot).is_empty();
        }
        self.lets.get(self.groups().group(slot)).copied().unwrap_or(true)
    }

    /// Whether a node scores otherwise than its group.
    #[inline]
    pub(super) fn scores_apart(&self, slot: u32) -> bool {
        self.special[1].iter().any(|kept| kept.is_special(slot))
    }

    /// Whether other pods keep the pod off no node.
    pub(super) fn forbids_nothing(&self) -> bool {
        self.hard.is_empty() && self.near.is_empty() && self.away.is_empty() && self.keeping_away.is_empty()
    }

    /// What other pods mean to a node: the first thing that is wrong.
    pub(super) fn against(&self, slot: u32) -> Reasons {
        self.judge(Place::Node(slot), None)
    }

    /// The same if some pods came to the node or left it.
    pub(super) fn against_if(&self, suppose: Suppose<'_>) -> Reasons {
        self.judge(Place::Node(suppose.slot), Some(suppose))
    }

    fn judge(&self, place: Place<'_>, suppose: Option<Suppose<'_>>) -> Reasons {
        let spread = self.spread(place, suppose);
        if !spread.is_empty() {
            return spread;
        }
        let there = |kept: &Kept<'_>| {
            let domain = kept.domain(place);
            domain != NOWHERE && self.count(kept, domain, suppose) > 0
        };
        if !self.is_near(place, suppose) {
            Reasons::NEAR
        } else if self.away.iter().any(there) {
            Reasons::AWAY
        } else if self.keeping_away.iter().any(there) {
            Reasons::KEPT_AWAY
        } else {
            Reasons::NONE
        }
    }

    /// Upstream: `pkg/scheduler/framework/plugins/podtopologyspread/filtering.go Filter`
    fn spread(&self, place: Place<'_>, suppose: Option<Suppose<'_>>) -> Reasons {
        for hard in &self.hard {
            let domain = hard.kept.domain(place);
            if domain == NOWHERE {
                return Reasons::NO_DOMAIN;
            }
            let least = match self.change(&hard.kept, suppose) {
                None => hard.least,
                change => hard.kept.tally.least(hard.ask.min_domains, change),
            };
            let count = self.count(&hard.kept, domain, suppose);
            if i64::from(count) + i64::from(hard.ask.own) - i64::from(least) > i64::from(hard.ask.max_skew) {
                return Reasons::SPREAD;
            }
        }
        Reasons::NONE
    }

    /// A pod that wants to be near pods of its own sort may be the first.
    ///
    /// Upstream: `pkg/scheduler/framework/plugins/interpodaffinity/filtering.go satisfyPodAffinity`
    fn is_near(&self, place: Place<'_>, suppose: Option<Suppose<'_>>) -> bool {
        if self.near.is_empty() {
            return true;
        }
        let domains: Vec<u32> = self.near.iter().map(|kept| kept.domain(place)).collect();
        if domains.contains(&NOWHERE) {
            return false;
        }
        let all = self.near.iter().zip(domains).all(|(kept, domain)| self.count(kept, domain, suppose) > 0);
        let is_first = || self.near_itself && self.near.iter().all(|kept| self.is_empty(kept, suppose));
        all || is_first()
    }

    fn is_empty(&self, kept: &Kept<'_>, suppose: Option<Suppose<'_>>) -> bool {
        match self.change(kept, suppose) {
            None => kept.tally.inhabited == 0,
            Some((domain, by)) => {
                let before = kept.tally.count(domain);
                kept.tally.inhabited == u32::from(before != 0) && before + by == 0
            }
        }
    }

    fn count(&self, kept: &Kept<'_>, domain: u32, suppose: Option<Suppose<'_>>) -> i32 {
        let change = self.change(kept, suppose).filter(|(changed, _)| *changed == domain);
        kept.tally.count(domain) + change.map_or(0, |(_, by)| by)
    }

    /// By how much the supposed pods change a tally, and where.
    fn change(&self, kept: &Kept<'_>, suppose: Option<Suppose<'_>>) -> Option<(u32, i32)> {
        let suppose = suppose?;
        let domain = self.tallies.where_counted(kept.id, suppose.slot)?;
        let by = suppose.pods.iter().map(|pod| pod.by * self.classes.get(pod.class).gives_to(kept.id, pod.live)).sum();
        Some((domain, by))
    }
}
