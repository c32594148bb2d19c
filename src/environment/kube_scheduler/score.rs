//! Which of the nodes that will do is best.

use super::filter::{Asking, Kept};
use super::fit::{Entry, MOST};
use super::tallies::NOWHERE;
use crate::rng::Draws;

/// How much each way of comparing nodes counts; room counts once.
///
/// Upstream: `pkg/scheduler/apis/config/v1/default_plugins.go getDefaultPlugins`
const TAINTS: i64 = 3;
const LIKES: i64 = 2;
const SPREAD: i64 = 2;
const WISHES: i64 = 2;

/// A node that will do.
#[derive(Clone, Copy, Debug)]
pub(super) struct Candidate {
    pub(super) slot: u32,
    pub(super) fit: Entry,
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
    totals: Vec<i64>,
    raw: Vec<i64>,
    tied: Vec<usize>,
    seen: Vec<u32>,
    stamp: u32,
}

/// A node that does not take part in a comparison.
const LEFT_OUT: i64 = -1;

impl Scratch {
    /// The index of the best candidate. `has_likes`: the pod prefers some
    /// nodes; `subject` and `nth` are whose draw it is.
    pub(super) fn best(
        &mut self,
        nodes: &[Candidate],
        asking: &Asking<'_>,
        has_likes: bool,
        ties: Ties,
        draw: (&str, u64),
    ) -> usize {
        if nodes.len() <= 1 {
            return 0;
        }
        self.room_and_taints(nodes);
        if has_likes {
            let most = i64::from(nodes.iter().map(|n| n.fit.likes).max().unwrap_or(0));
            if most > 0 {
                for (total, node) in self.totals.iter_mut().zip(nodes) {
                    *total += LIKES * (MOST * i64::from(node.fit.likes) / most);
                }
            }
        }
        self.add_spread(nodes, asking);
        self.add_wishes(nodes, asking);
        self.winner(ties, draw)
    }

    /// Upstream: `pkg/scheduler/framework/plugins/helper/normalize_score.go DefaultNormalizeScore`
    fn room_and_taints(&mut self, nodes: &[Candidate]) {
        let worst = i64::from(nodes.iter().map(|n| n.fit.taints).max().unwrap_or(0));
        let welcome = |taints: u16| if worst == 0 { MOST } else { MOST - MOST * i64::from(taints) / worst };
        self.totals.clear();
        self.totals.extend(nodes.iter().map(|n| i64::from(n.fit.room) + TAINTS * welcome(n.fit.taints)));
    }

    /// Upstream: `pkg/scheduler/framework/plugins/podtopologyspread/scoring.go`
    fn add_spread(&mut self, nodes: &[Candidate], asking: &Asking<'_>) {
        if asking.soft.is_empty() {
            return;
        }
        self.raw.clear();
        self.raw.resize(nodes.len(), 0);
        if asking.wants_all_labels {
            for (raw, node) in self.raw.iter_mut().zip(nodes) {
                if asking.soft.iter().any(|(_, kept)| kept.topology.domain(node.slot) == NOWHERE) {
                    *raw = LEFT_OUT;
                }
            }
        }
        let mut weights: Vec<f64> = Vec::with_capacity(asking.soft.len());
        for (ask, kept) in &asking.soft {
            let size = if ask.by_host {
                self.raw.iter().filter(|raw| **raw != LEFT_OUT).count()
            } else {
                self.distinct(nodes, kept)
            };
            weights.push(libm::log((size + 2) as f64));
        }
        let (mut least, mut most) = (i64::MAX, 0);
        for (raw, node) in self.raw.iter_mut().zip(nodes).filter(|(raw, _)| **raw != LEFT_OUT) {
            let mut score = 0.0;
            for ((ask, kept), weight) in asking.soft.iter().zip(&weights) {
                let domain = kept.topology.domain(node.slot);
                if domain != NOWHERE {
                    score += f64::from(kept.tally.count(domain)) * weight + f64::from(ask.max_skew - 1);
                }
            }
            *raw = libm::round(score) as i64;
            least = least.min(*raw);
            most = most.max(*raw);
        }
        for (total, raw) in self.totals.iter_mut().zip(&self.raw).filter(|(_, raw)| **raw != LEFT_OUT) {
            *total += SPREAD * if most == 0 { MOST } else { MOST * (most + least - raw) / most };
        }
    }

    /// How many different domains there are. A node without the label counts
    /// as one of its own, the same for all such nodes.
    fn distinct(&mut self, nodes: &[Candidate], kept: &Kept<'_>) -> usize {
        self.stamp += 1;
        let (mut count, mut nowhere) = (0, false);
        for (node, _) in nodes.iter().zip(&self.raw).filter(|(_, raw)| **raw != LEFT_OUT) {
            let domain = kept.topology.domain(node.slot);
            if domain == NOWHERE {
                nowhere = true;
                continue;
            }
            let at = domain as usize;
            if self.seen.len() <= at {
                self.seen.resize(at + 1, 0);
            }
            if self.seen[at] != self.stamp {
                self.seen[at] = self.stamp;
                count += 1;
            }
        }
        count + usize::from(nowhere)
    }

    /// Upstream: `pkg/scheduler/framework/plugins/interpodaffinity/scoring.go NormalizeScore`
    fn add_wishes(&mut self, nodes: &[Candidate], asking: &Asking<'_>) {
        if asking.wishes.is_empty() {
            return;
        }
        let wish = |node: &Candidate, (weight, kept): &(i64, Kept<'_>)| weight * i64::from(kept.at(node.slot));
        let sum = |node: &Candidate| asking.wishes.iter().map(|w| wish(node, w)).sum::<i64>();
        self.raw.clear();
        self.raw.extend(nodes.iter().map(sum));
        let least = self.raw.iter().copied().min().unwrap_or(0);
        let range = self.raw.iter().copied().max().unwrap_or(0) - least;
        if range > 0 {
            for (total, raw) in self.totals.iter_mut().zip(&self.raw) {
                *total += WISHES * (MOST as f64 * ((raw - least) as f64 / range as f64)) as i64;
            }
        }
    }

    fn winner(&mut self, ties: Ties, draw: (&str, u64)) -> usize {
        let best = self.totals.iter().copied().max().unwrap_or(0);
        self.tied.clear();
        self.tied.extend(self.totals.iter().enumerate().filter(|(_, total)| **total == best).map(|(i, _)| i));
        match ties {
            _ if self.tied.len() == 1 => self.tied[0],
            Ties::InOrder => self.tied.iter().copied().min_by_key(|i| heap_rank(*i)).unwrap_or(0),
            Ties::Drawn(draws) => self.tied[draws.index("place", draw.0, draw.1, self.tied.len())],
        }
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
    fn top(scores: &[i64]) -> usize {
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
                let scores: Vec<i64> =
                    (0..n).map(|i| draws.index("score", "test", nth * 40 + i as u64, 3) as i64).collect();
                let mut scratch = Scratch { totals: scores.clone(), ..Scratch::default() };
                assert_eq!(scratch.winner(Ties::InOrder, ("", 0)), top(&scores), "{scores:?}");
            }
        }
    }

    #[test]
    fn drawn_ties_are_among_the_best() {
        let mut scratch = Scratch { totals: vec![1, 5, 2, 5, 5], ..Scratch::default() };
        let picks: Vec<usize> = (0..60).map(|nth| scratch.winner(Ties::Drawn(Draws::new(1)), ("web#0", nth))).collect();
        for wanted in [1, 3, 4] {
            assert!(picks.contains(&wanted));
        }
        assert!(picks.iter().all(|i| [1, 3, 4].contains(i)));
    }
}
