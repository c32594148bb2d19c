//! Which of the nodes that will do is best.

use super::filter::{Asking, Kept, Place};
use super::fit::MOST;
use super::tallies::{Groups, NOWHERE};
use crate::rng::Draws;

/// How much each way of comparing nodes counts; room counts once.
///
/// Upstream: `pkg/scheduler/apis/config/v1/default_plugins.go getDefaultPlugins`
const TAINTS: i64 = 3;
const LIKES: i64 = 2;
const SPREAD: i64 = 2;
const WISHES: i64 = 2;

/// A node that will do, and what is known of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Candidate {
    pub(super) slot: u32,
    /// Least-allocated and balanced allocation together, from 0 to 200.
    pub(super) room: u16,
    /// Taints of effect `PreferNoSchedule` that the pod does not tolerate.
    pub(super) taints: u16,
    /// The weights of the preferred node affinity terms that hold.
    pub(super) likes: i32,
}

/// Which of equally good nodes is taken. kube-scheduler leaves it to the
/// order in which its threads finish.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ties {
    /// The one that a single thread would take.
    InOrder,
    /// One of them by lot.
    Drawn(Draws),
}

/// Space for numbers about the candidates, used again and again.
#[derive(Clone, Debug, Default)]
pub(super) struct Scratch {
    totals: Vec<i32>,
    /// One for each group of nodes, then one for each node that scores apart.
    kinds: Vec<Kind>,
    /// By candidate.
    kind_of: Vec<u32>,
    seen: Vec<u32>,
    stamp: u32,
}

/// Candidates that score the same as far as other pods matter.
#[derive(Clone, Copy, Debug, Default)]
struct Kind {
    /// The node, unless it is a group.
    only: Option<u32>,
    nodes: u32,
    /// Whether it does not take part in the comparison of spread.
    is_left_out: bool,
    raw: i64,
    points: i32,
}

impl Kind {
    const fn place<'a>(&self, index: usize, groups: &'a Groups) -> Place<'a> {
        match self.only {
            Some(slot) => Place::Node(slot),
            None => Place::Group(groups, index),
        }
    }

    const fn takes_part(&self) -> bool {
        self.nodes > 0 && !self.is_left_out
    }
}

impl Scratch {
    /// The index of the best candidate. `subject` and `nth` are whose draw it
    /// is.
    pub(super) fn best(&mut self, nodes: &[Candidate], asking: &Asking<'_>, ties: Ties, draw: (&str, u64)) -> usize {
        if nodes.len() <= 1 {
            return 0;
        }
        self.totals.clear();
        self.totals.extend(nodes.iter().map(|node| i32::from(node.room)));
        self.add_taints_and_likes(nodes);
        self.add_pods(nodes, asking);
        self.winner(ties, draw)
    }

    /// Upstream: `pkg/scheduler/framework/plugins/helper/normalize_score.go DefaultNormalizeScore`
    fn add_taints_and_likes(&mut self, nodes: &[Candidate]) {
        let worst = nodes.iter().map(|n| n.taints).max().map_or(0, i64::from);
        if worst > 0 {
            for (total, node) in self.totals.iter_mut().zip(nodes) {
                *total += (TAINTS * (MOST - MOST * i64::from(node.taints) / worst)) as i32;
            }
        }
        let most = nodes.iter().map(|n| n.likes).max().map_or(0, i64::from);
        if most > 0 {
            for (total, node) in self.totals.iter_mut().zip(nodes) {
                *total += (LIKES * (MOST * i64::from(node.likes) / most)) as i32;
            }
        }
    }

    /// Sorts the candidates: those that score as their group does as far as
    /// other pods matter, and those that score by themselves.
    fn sort_out(&mut self, nodes: &[Candidate], asking: &Asking<'_>) {
        let groups = asking.groups();
        self.kinds.clear();
        self.kinds.resize(groups.len().max(1), Kind::default());
        self.kind_of.clear();
        for node in nodes {
            if asking.scores_apart(node.slot) {
                self.kind_of.push(self.kinds.len() as u32);
                self.kinds.push(Kind { only: Some(node.slot), nodes: 1, ..Kind::default() });
            } else {
                let group = groups.group(node.slot);
                self.kind_of.push(group as u32);
                self.kinds[group].nodes += 1;
            }
        }
    }

    /// Adds what the pods that are there make of the candidates.
    fn add_pods(&mut self, nodes: &[Candidate], asking: &Asking<'_>) {
        if asking.soft.is_empty() && asking.wishes.is_empty() {
            return;
        }
        self.sort_out(nodes, asking);
        self.weigh_spread(nodes, asking);
        self.weigh_wishes(asking);
        for (total, kind) in self.totals.iter_mut().zip(&self.kind_of) {
            *total += self.kinds[*kind as usize].points;
        }
    }

    /// Upstream: `pkg/scheduler/framework/plugins/podtopologyspread/scoring.go`
    fn weigh_spread(&mut self, nodes: &[Candidate], asking: &Asking<'_>) {
        if asking.soft.is_empty() {
            return;
        }
        let groups = asking.groups();
        let lacks_label = |place| asking.soft.iter().any(|(_, kept)| kept.domain(place) == NOWHERE);
        for (index, kind) in self.kinds.iter_mut().enumerate() {
            kind.is_left_out = asking.wants_all_labels && lacks_label(kind.place(index, groups));
        }
        let taking_part = self.kinds.iter().filter(|kind| !kind.is_left_out).map(|kind| kind.nodes as usize).sum();
        let mut weighed: Vec<(f64, f64, Kept<'_>)> = Vec::with_capacity(asking.soft.len());
        for (ask, kept) in &asking.soft {
            let size = if ask.by_host { taking_part } else { self.distinct(nodes, kept, groups) };
            weighed.push((libm::log((size + 2) as f64), f64::from(ask.max_skew - 1), *kept));
        }
        let (mut least, mut most) = (i64::MAX, 0);
        for (index, kind) in self.kinds.iter_mut().enumerate().filter(|(_, kind)| kind.takes_part()) {
            let place = kind.place(index, groups);
            let mut score = 0.0;
            for (weight, skew, kept) in &weighed {
                let domain = kept.domain(place);
                if domain != NOWHERE {
                    score += f64::from(kept.tally.count(domain)) * weight + skew;
                }
            }
            kind.raw = libm::round(score) as i64;
            least = least.min(kind.raw);
            most = most.max(kind.raw);
        }
        for kind in self.kinds.iter_mut().filter(|kind| kind.takes_part()) {
            let score = if most == 0 { MOST } else { MOST * (most + least - kind.raw) / most };
            kind.points += (SPREAD * score) as i32;
        }
    }

    /// How many different domains there are. A node without the label counts
    /// as one of its own, the same for all such nodes.
    fn distinct(&mut self, nodes: &[Candidate], kept: &Kept<'_>, groups: &Groups) -> usize {
        self.stamp += 1;
        let mut count = 0;
        let mut see = |domain: u32| {
            // Those without the label are the first, the others follow.
            let at = domain.wrapping_add(1) as usize;
            if self.seen.len() <= at {
                self.seen.resize(at + 1, 0);
            }
            count += usize::from(self.seen[at] != self.stamp);
            self.seen[at] = self.stamp;
        };
        if kept.is_by_group() {
            for (index, kind) in self.kinds.iter().enumerate().filter(|(_, kind)| kind.takes_part()) {
                see(kept.domain(kind.place(index, groups)));
            }
        } else {
            let taking_part = |kind: &&u32| !self.kinds[**kind as usize].is_left_out;
            for (node, _) in nodes.iter().zip(&self.kind_of).filter(|(_, kind)| taking_part(kind)) {
                see(kept.topology.domain(node.slot));
            }
        }
        count
    }

    /// Upstream: `pkg/scheduler/framework/plugins/interpodaffinity/scoring.go NormalizeScore`
    fn weigh_wishes(&mut self, asking: &Asking<'_>) {
        if asking.wishes.is_empty() {
            return;
        }
        let groups = asking.groups();
        let (mut least, mut most) = (i64::MAX, i64::MIN);
        for (index, kind) in self.kinds.iter_mut().enumerate().filter(|(_, kind)| kind.nodes > 0) {
            let place = kind.place(index, groups);
            kind.raw = asking.wishes.iter().map(|(weight, kept)| weight * i64::from(kept.at(place))).sum();
            least = least.min(kind.raw);
            most = most.max(kind.raw);
        }
        let range = most - least;
        if range > 0 {
            for kind in self.kinds.iter_mut().filter(|kind| kind.nodes > 0) {
                let share = (kind.raw - least) as f64 / range as f64;
                kind.points += (WISHES * (MOST as f64 * share) as i64) as i32;
            }
        }
    }

    fn winner(&self, ties: Ties, draw: (&str, u64)) -> usize {
        let best = self.totals.iter().copied().max().unwrap_or(0);
        let mut tied = self.totals.iter().enumerate().filter(|(_, total)| **total == best).map(|(i, _)| i);
        let chosen = match ties {
            Ties::InOrder => tied.min_by_key(|i| heap_rank(*i)),
            Ties::Drawn(draws) => match self.totals.iter().filter(|total| **total == best).count() {
                1 => tied.next(),
                several => tied.nth(draws.index("place", draw.0, draw.1, several)),
            },
        };
        chosen.unwrap_or(0)
    }
}

/// The candidates go into a binary heap that never swaps equals, so that of
/// several best ones the first stays on top that is met going down it, left
/// before right.
///
/// Upstream: `pkg/scheduler/schedule_one.go newSortedNodeScores`
const fn heap_rank(index: usize) -> (u64, u32) {
    let place = index as u64 + 1;
    (place << place.leading_zeros(), 64 - place.leading_zeros())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What Go's `container/heap` leaves on top.
    fn top(scores: &[i32]) -> usize {
        let mut heap: Vec<usize> = (0..scores.len()).collect();
        let better = |heap: &[usize], a: usize, b: usize| scores[heap[a]] > scores[heap[b]];
        for start in (0..heap.len() / 2).rev() {
            let mut at = start;
            loop {
                let left = 2 * at + 1;
                if left >= heap.len() {
                    break;
                }
                let right = left + 1;
                let child = if right < heap.len() && better(&heap, right, left) { right } else { left };
                if !better(&heap, child, at) {
                    break;
                }
                heap.swap(at, child);
                at = child;
            }
        }
        heap[0]
    }

    #[test]
    fn ties_in_order_are_those_of_a_heap() {
        let draws = Draws::new(3);
        for n in 1..40_usize {
            for nth in 0..50 {
                let scores: Vec<i32> =
                    (0..n).map(|i| draws.index("score", "test", nth * 40 + i as u64, 3) as i32).collect();
                let scratch = Scratch { totals: scores.clone(), ..Scratch::default() };
                assert_eq!(scratch.winner(Ties::InOrder, ("", 0)), top(&scores), "{scores:?}");
            }
        }
    }

    #[test]
    fn drawn_ties_are_among_the_best() {
        let scratch = Scratch { totals: vec![1, 5, 2, 5, 5], ..Scratch::default() };
        let picks: Vec<usize> = (0..60).map(|nth| scratch.winner(Ties::Drawn(Draws::new(1)), ("web#0", nth))).collect();
        for wanted in [1, 3, 4] {
            assert!(picks.contains(&wanted));
        }
        assert!(picks.iter().all(|i| [1, 3, 4].contains(i)));
    }
}
