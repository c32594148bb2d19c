//! Which of the nodes that will do is best.

use super::filter::{Asking, Kept};
use super::fit::{Fit, MOST};
use super::nodes::Nodes;
use super::offers::Offers;
use super::topology::NOWHERE;
use super::window::Window;
use crate::environment::bits::{Bits, ones};
use crate::rng::Draws;
use std::cmp::Reverse;

/// How much each way of comparing nodes counts.
///
/// Upstream: `pkg/scheduler/apis/config/v1/default_plugins.go getDefaultPlugins`
const SPREAD: i64 = 2;
const WISHES: i64 = 2;

/// Which of equally good nodes is taken. kube-scheduler leaves it to the
/// order in which its threads finish.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ties {
    /// The one that a single thread would take.
    InOrder,
    /// One of them by lot.
    Drawn(Draws),
}

/// Space for what is found out about the candidates, used again and again.
#[derive(Clone, Debug, Default)]
pub(super) struct Scratch {
    /// The candidates.
    pub(super) window: Window,
    parts: Vec<Part>,
    /// The nodes of each part, as many words for each as the window has.
    bits: Vec<u64>,
    /// The grades of nodes with their points.
    grades: Vec<(i32, u32)>,
    /// The best of all.
    tied: Vec<u64>,
    seen: Vec<u32>,
    stamp: u32,
}

/// Candidates that score the same as far as other pods matter.
#[derive(Clone, Copy, Debug, Default)]
struct Part {
    /// Where its nodes are among the bits.
    at: usize,
    is_empty: bool,
    /// One of its nodes.
    slot: u32,
    /// Whether it does not take part in the comparison of spread.
    is_left_out: bool,
    raw: i64,
    points: i32,
}

impl Scratch {
    /// The place of the best candidate. `subject` and `nth` are whose draw it
    /// is.
    pub(super) fn best(
        &mut self,
        fit: &Fit,
        asking: &Asking<'_>,
        nodes: &Nodes,
        ties: Ties,
        draw: (&str, u64),
    ) -> Option<usize> {
        let (offers, order) = (&fit.offers, nodes.order());
        if self.window.nodes() <= 1 {
            return self.window.places(self.window.words()).next();
        }
        self.sort_out(asking, order);
        if self.parts.len() > 1 {
            self.weigh_spread(asking, order);
            self.weigh_wishes(asking);
            self.parts.sort_by_key(|part| Reverse(part.points));
        }
        let images = |there| nodes.stock.points(&fit.wanted, there, order.len());
        offers.compare(&self.window, images, &mut self.grades);
        self.find_best(offers);
        self.winner(ties, draw)
    }

    /// Sorts the candidates into parts, by group and by how many of the pods
    /// that matter are in the domains of their own.
    fn sort_out(&mut self, asking: &Asking<'_>, order: &[u32]) {
        self.parts.clear();
        self.bits.clear();
        self.bits.extend_from_slice(self.window.words());
        self.parts.push(Part::default());
        if asking.soft.is_empty() && asking.wishes.is_empty() {
            return;
        }
        let groups = asking.groups();
        for group in 1..groups.len() {
            self.carve(0, groups.set(group));
        }
        for kept in asking.sorting() {
            for part in 0..self.parts.len() {
                kept.topology.nowhere().into_iter().for_each(|nowhere| self.carve(part, nowhere));
                kept.tally.levels().for_each(|level| self.carve(part, &level.nodes));
            }
        }
        self.parts.retain(|part| !part.is_empty);
        let (window, bits) = (&self.window, &self.bits);
        for part in &mut self.parts {
            let place = window.places(&bits[part.at..part.at + window.words().len()]).next();
            part.slot = place.map_or(0, |place| order[place]);
        }
    }

    /// Makes a part of their own of the nodes of a part that are in a set.
    fn carve(&mut self, from: usize, set: &Bits) {
        let (at, len) = (self.parts[from].at, self.window.words().len());
        if !self.window.meets(&self.bits[at..at + len], set) {
            return;
        }
        let new = self.bits.len();
        self.bits.resize(new + len, 0);
        let (old, into) = self.bits.split_at_mut(new);
        self.window.collect(&old[at..at + len], set, into);
        self.parts[from].is_empty = !self.window.remove(&mut old[at..at + len], set);
        self.parts.push(Part { at: new, ..Part::default() });
    }

    fn nodes(&self, part: &Part) -> &[u64] {
        &self.bits[part.at..part.at + self.window.words().len()]
    }

    /// Upstream: `pkg/scheduler/framework/plugins/podtopologyspread/scoring.go`
    fn weigh_spread(&mut self, asking: &Asking<'_>, order: &[u32]) {
        if asking.soft.is_empty() {
            return;
        }
        let mut taking_part = self.window.nodes();
        for at in 0..self.parts.len() {
            let slot = self.parts[at].slot;
            let lacks_label = || asking.soft.iter().any(|(_, kept)| kept.topology.domain(slot) == NOWHERE);
            if asking.wants_all_labels && lacks_label() {
                self.parts[at].is_left_out = true;
                taking_part -= self.nodes(&self.parts[at]).iter().map(|word| word.count_ones() as usize).sum::<usize>();
            }
        }
        let mut weighed: Vec<(f64, f64, Kept<'_>)> = Vec::with_capacity(asking.soft.len());
        for (ask, kept) in &asking.soft {
            let size = if ask.by_host { taking_part } else { self.distinct(kept, order) };
            weighed.push((libm::log((size + 2) as f64), f64::from(ask.max_skew - 1), *kept));
        }
        let (mut least, mut most) = (i64::MAX, 0);
        for part in self.parts.iter_mut().filter(|part| !part.is_left_out) {
            let mut score = 0.0;
            for (weight, skew, kept) in &weighed {
                let domain = kept.topology.domain(part.slot);
                if domain != NOWHERE {
                    score += f64::from(kept.tally.count(domain)) * weight + skew;
                }
            }
            part.raw = libm::round(score) as i64;
            least = least.min(part.raw);
            most = most.max(part.raw);
        }
        for part in self.parts.iter_mut().filter(|part| !part.is_left_out) {
            let score = if most == 0 { MOST } else { MOST * (most + least - part.raw) / most };
            part.points += (SPREAD * score) as i32;
        }
    }

    /// How many different domains there are. A node without the label counts
    /// as one of its own, the same for all such nodes.
    fn distinct(&mut self, kept: &Kept<'_>, order: &[u32]) -> usize {
        self.stamp += 1;
        let Scratch { parts, bits, window, seen, stamp, .. } = self;
        let mut count = 0;
        let mut see = |slot: u32| {
            // Those without the label are the first, the others follow.
            let at = kept.topology.domain(slot).wrapping_add(1) as usize;
            if seen.len() <= at {
                seen.resize(at + 1, 0);
            }
            count += usize::from(seen[at] != *stamp);
            seen[at] = *stamp;
        };
        for part in parts.iter().filter(|part| !part.is_left_out) {
            if kept.is_by_group() {
                see(part.slot);
            } else {
                let nodes = &bits[part.at..part.at + window.words().len()];
                window.places(nodes).for_each(|place| see(order[place]));
            }
        }
        count
    }

    /// Upstream: `pkg/scheduler/framework/plugins/interpodaffinity/scoring.go NormalizeScore`
    fn weigh_wishes(&mut self, asking: &Asking<'_>) {
        if asking.wishes.is_empty() {
            return;
        }
        let (mut least, mut most) = (i64::MAX, i64::MIN);
        for part in &mut self.parts {
            part.raw = asking.wishes.iter().map(|(weight, kept)| weight * i64::from(kept.at(part.slot))).sum();
            least = least.min(part.raw);
            most = most.max(part.raw);
        }
        let range = most - least;
        if range > 0 {
            for part in &mut self.parts {
                let share = (part.raw - least) as f64 / range as f64;
                part.points += (WISHES * (MOST as f64 * share) as i64) as i32;
            }
        }
    }

    /// Finds the nodes that have the most points: in each part those of the
    /// best grade, unless another part is better with what it has.
    fn find_best(&mut self, offers: &Offers) {
        self.tied.clear();
        self.tied.resize(self.window.words().len(), 0);
        let mut most = i32::MIN;
        for part in &self.parts {
            let nodes = &self.bits[part.at..part.at + self.window.words().len()];
            for (points, grade) in &self.grades {
                let total = points + part.points;
                if total < most {
                    break;
                }
                let set = offers.nodes(*grade);
                if self.window.meets(nodes, set) {
                    if total > most {
                        self.tied.fill(0);
                        most = total;
                    }
                    self.window.collect(nodes, set, &mut self.tied);
                }
            }
        }
    }

    fn winner(&self, ties: Ties, draw: (&str, u64)) -> Option<usize> {
        match ties {
            Ties::InOrder => {
                let ranked = self.window.places(&self.tied).zip(self.indices().map(heap_rank));
                ranked.min_by_key(|(_, rank)| *rank).map(|(place, _)| place)
            }
            Ties::Drawn(draws) => {
                let nth = match self.tied.iter().map(|word| word.count_ones() as usize).sum() {
                    0 | 1 => 0,
                    several => draws.index("place", draw.0, draw.1, several),
                };
                self.window.nth(&self.tied, nth)
            }
        }
    }

    /// Where among the candidates the best ones are.
    fn indices(&self) -> impl Iterator<Item = usize> {
        let words = self.window.words().iter().zip(&self.tied);
        let counted = words.scan(0, |before, (word, tied)| {
            let first = *before;
            *before += word.count_ones() as usize;
            Some((first, *word, *tied))
        });
        counted.flat_map(|(first, word, tied)| {
            ones(tied).map(move |bit| first + (word & ((1 << bit) - 1)).count_ones() as usize)
        })
    }
}

/// The candidates go into a binary heap that never swaps equals, so that of
/// several best ones the first stays on top that is met going down it, left
/// before right.
///
/// Upstream: `pkg/scheduler/schedule_one.go newSortedNodeScores`
pub(super) const fn heap_rank(index: usize) -> (u64, u32) {
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

    /// The best of these scores, of nodes that are not next to each other.
    fn winner(scores: &[i32], ties: Ties, draw: (&str, u64)) -> usize {
        let best = scores.iter().max();
        let mut scratch = Scratch::default();
        scratch.window.begin(0, scores.len() * 3);
        let places = |some: &mut dyn Iterator<Item = usize>| {
            some.map(|index| index as u32 * 3).fold(Bits::none(scores.len() * 3), |mut bits, place| {
                bits.insert(place);
                bits
            })
        };
        for word in places(&mut (0..scores.len())).words() {
            scratch.window.push(*word);
        }
        scratch.tied = places(&mut (0..scores.len()).filter(|i| Some(&scores[*i]) == best)).words().to_vec();
        scratch.winner(ties, draw).expect("there is one") / 3
    }

    #[test]
    fn ties_in_order_are_those_of_a_heap() {
        let draws = Draws::new(3);
        for n in 1..40_usize {
            for nth in 0..50 {
                let scores: Vec<i32> =
                    (0..n).map(|i| draws.index("score", "test", nth * 40 + i as u64, 3) as i32).collect();
                assert_eq!(winner(&scores, Ties::InOrder, ("", 0)), top(&scores), "{scores:?}");
            }
        }
    }

    #[test]
    fn drawn_ties_are_among_the_best() {
        let scores = [1, 5, 2, 5, 5];
        let picks: Vec<usize> =
            (0..60).map(|nth| winner(&scores, Ties::Drawn(Draws::new(1)), ("web#0", nth))).collect();
        for wanted in [1, 3, 4] {
            assert!(picks.contains(&wanted));
        }
        assert!(picks.iter().all(|i| [1, 3, 4].contains(i)));
    }
}
