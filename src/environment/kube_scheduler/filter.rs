//! Whether a node will do for a pod, other pods considered.

use super::class::{AskSpread, Asks, ClassId, Classes};
use super::reasons::Reasons;
use super::tallies::{Tallies, Tally, TallyId};
use super::topology::{Groups, NOWHERE, Topology};
use crate::environment::bits::Bits;

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

    /// Whether nodes of a group are all in the same domain.
    pub(super) const fn is_by_group(&self) -> bool {
        self.by_group.is_some()
    }

    /// How many there are in the domain of a node; none if it is in none.
    pub(super) fn at(&self, slot: u32) -> i32 {
        self.tally.count(self.topology.domain(slot))
    }
}

/// What a number of pods in a domain means to a pod that would come there.
#[derive(Clone, Copy)]
enum Rule {
    /// There may be so many, by a spread constraint.
    Most(i64),
    /// There must be some.
    Some,
    /// It does not matter how many there are, but there must be a domain.
    Any,
    /// There must be none.
    None,
}

impl Rule {
    /// Upstream: `pkg/scheduler/framework/plugins/podtopologyspread/filtering.go Filter`
    fn spread(ask: &AskSpread, least: i32) -> Rule {
        Rule::Most(i64::from(ask.max_skew) + i64::from(least) - i64::from(ask.own))
    }

    const fn lets(self, count: i32) -> bool {
        match self {
            Rule::Most(most) => count as i64 <= most,
            Rule::Some => count > 0,
            Rule::Any => true,
            Rule::None => count <= 0,
        }
    }

    /// Whether a node without the label is let.
    const fn lets_nowhere(self) -> bool {
        matches!(self, Rule::None)
    }
}

/// A constraint that must hold, and the count of the emptiest domain.
struct Hard<'a> {
    ask: AskSpread,
    kept: Kept<'a>,
    least: i32,
}

/// The nodes that other pods let a pod onto, by places.
#[derive(Default)]
pub(super) struct Open<'a> {
    /// Who is in one of these is not let.
    shut: Vec<&'a Bits>,
    /// Nobody else is let than who is in one of each of these.
    only: Vec<Vec<&'a Bits>>,
}

impl Open<'_> {
    /// A word of the set.
    #[inline]
    pub(super) fn word(&self, at: usize) -> u64 {
        let any = |sets: &[&Bits]| sets.iter().fold(0, |word, set| word | set.word(at));
        self.only.iter().fold(!any(&self.shut), |word, sets| word & any(sets))
    }
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
        Asking {
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
                .filter(|kept| kept.tally.inhabited() > 0)
                .collect(),
            soft: asks.soft.iter().map(|ask| (*ask, Kept::new(ask.tally, tallies))).collect(),
            wants_all_labels: asks.wants_all_labels,
            wishes: own.chain(others).filter(|(_, kept)| kept.tally.inhabited() > 0).collect(),
        }
    }

    /// The groups that nodes are in.
    pub(super) fn groups(&self) -> &'a Groups {
        &self.tallies.groups
    }

    /// What must hold, other pods considered.
    fn rules(&self) -> impl Iterator<Item = (Rule, &Kept<'a>)> {
        let near = if self.is_first(None) { Rule::Any } else { Rule::Some };
        let hard = self.hard.iter().map(|hard| (Rule::spread(&hard.ask, hard.least), &hard.kept));
        let near = self.near.iter().map(move |kept| (near, kept));
        hard.chain(near).chain(self.away.iter().chain(&self.keeping_away).map(|kept| (Rule::None, kept)))
    }

    /// The nodes that other pods let the pod onto.
    pub(super) fn open(&self) -> Open<'a> {
        let mut open = Open::default();
        let groups = self.groups();
        for (rule, kept) in self.rules() {
            if let Some(index) = kept.by_group {
                let lets = |group| match groups.domain(group, index) {
                    NOWHERE => rule.lets_nowhere(),
                    domain => rule.lets(kept.tally.count(domain)),
                };
                open.shut.extend((0..groups.len()).filter(|group| !lets(*group)).map(|group| groups.set(group)));
                continue;
            }
            let levels = |lets: bool| {
                let levels = kept.tally.levels().filter(move |level| rule.lets(level.count) == lets);
                levels.map(|level| &level.nodes)
            };
            if rule.lets(0) {
                open.shut.extend(levels(false));
            } else {
                open.only.push(levels(true).chain(kept.topology.nowhere()).collect());
            }
            open.shut.extend(kept.topology.nowhere().filter(|_| !rule.lets_nowhere()));
        }
        open
    }

    /// What the wishes about other pods set nodes apart by, beside groups.
    pub(super) fn sorting(&self) -> impl Iterator<Item = &Kept<'a>> {
        let wished = self.wishes.iter().map(|(_, kept)| kept);
        self.soft.iter().map(|(_, kept)| kept).chain(wished).filter(|kept| !kept.is_by_group())
    }

    /// What other pods mean to a node: the first thing that is wrong.
    pub(super) fn against(&self, slot: u32) -> Reasons {
        self.judge(slot, None)
    }

    /// The same if some pods came to the node or left it.
    pub(super) fn against_if(&self, suppose: Suppose<'_>) -> Reasons {
        self.judge(suppose.slot, Some(suppose))
    }

    fn judge(&self, slot: u32, suppose: Option<Suppose<'_>>) -> Reasons {
        let spread = self.spread(slot, suppose);
        if !spread.is_empty() {
            return spread;
        }
        let there = |kept: &Kept<'_>| {
            let domain = kept.topology.domain(slot);
            domain != NOWHERE && !Rule::None.lets(self.count(kept, domain, suppose))
        };
        if !self.is_near(slot, suppose) {
            Reasons::NEAR
        } else if self.away.iter().any(there) {
            Reasons::AWAY
        } else if self.keeping_away.iter().any(there) {
            Reasons::KEPT_AWAY
        } else {
            Reasons::NONE
        }
    }

    fn spread(&self, slot: u32, suppose: Option<Suppose<'_>>) -> Reasons {
        for hard in &self.hard {
            let domain = hard.kept.topology.domain(slot);
            if domain == NOWHERE {
                return Reasons::NO_DOMAIN;
            }
            let least = match self.change(&hard.kept, suppose) {
                None => hard.least,
                change => hard.kept.tally.least(hard.ask.min_domains, change),
            };
            let count = self.count(&hard.kept, domain, suppose);
            if !Rule::spread(&hard.ask, least).lets(count) {
                return Reasons::SPREAD;
            }
        }
        Reasons::NONE
    }

    /// A pod that wants to be near pods of its own sort may be the first.
    ///
    /// Upstream: `pkg/scheduler/framework/plugins/interpodaffinity/filtering.go satisfyPodAffinity`
    fn is_near(&self, slot: u32, suppose: Option<Suppose<'_>>) -> bool {
        if self.near.is_empty() {
            return true;
        }
        let rule = if self.is_first(suppose) { Rule::Any } else { Rule::Some };
        self.near.iter().all(|kept| match kept.topology.domain(slot) {
            NOWHERE => rule.lets_nowhere(),
            domain => rule.lets(self.count(kept, domain, suppose)),
        })
    }

    /// Whether the pod would be the first of those that it wants to be near.
    fn is_first(&self, suppose: Option<Suppose<'_>>) -> bool {
        self.near_itself && self.near.iter().all(|kept| self.is_empty(kept, suppose))
    }

    fn is_empty(&self, kept: &Kept<'_>, suppose: Option<Suppose<'_>>) -> bool {
        match self.change(kept, suppose) {
            None => kept.tally.inhabited() == 0,
            Some((domain, by)) => {
                let before = kept.tally.count(domain);
                kept.tally.inhabited() == usize::from(before != 0) && before + by == 0
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
