//! The nodes that a search has found, as bits in the order of the search.

use crate::environment::bits::{Bits, WORD, nth_one, ones};

/// Which of the nodes will do, from where the search began to where it ended.
/// Its words are those of sets by place, beginning with the one that the search
/// began in, and going round.
#[derive(Clone, Debug, Default)]
pub(super) struct Window {
    /// The word that the search began in.
    first: usize,
    /// How many words a whole round has.
    round: usize,
    words: Vec<u64>,
    nodes: usize,
}

impl Window {
    /// An empty one, for a search from a place on among so many nodes.
    pub(super) fn begin(&mut self, place: usize, nodes: usize) {
        self.first = place / WORD as usize;
        self.round = nodes.div_ceil(WORD as usize);
        self.words.clear();
        self.nodes = 0;
    }

    /// The word of a set by place that comes next.
    pub(super) fn next(&self) -> usize {
        self.at(self.words.len())
    }

    /// Puts in the next word.
    pub(super) fn push(&mut self, word: u64) {
        self.words.push(word);
        self.nodes += word.count_ones() as usize;
    }

    /// How many nodes are in it.
    pub(super) const fn nodes(&self) -> usize {
        self.nodes
    }

    pub(super) fn words(&self) -> &[u64] {
        &self.words
    }

    const fn at(&self, word: usize) -> usize {
        (self.first + word) % self.round
    }

    /// The place of a bit in one of its words.
    pub(super) const fn place(&self, word: usize, bit: u32) -> usize {
        self.at(word) * WORD as usize + bit as usize
    }

    /// The places in some words like its own, in the order of the search.
    pub(super) fn places<'a>(&'a self, words: &'a [u64]) -> impl Iterator<Item = usize> + 'a {
        let some = words.iter().enumerate().filter(|(_, word)| **word != 0);
        some.flat_map(move |(at, word)| ones(*word).map(move |bit| self.place(at, bit)))
    }

    /// The n-th place in some words like its own, counted from 0.
    pub(super) fn nth(&self, words: &[u64], mut n: usize) -> Option<usize> {
        for (at, word) in words.iter().enumerate() {
            match nth_one(*word, n) {
                Some(bit) => return Some(self.place(at, bit)),
                None => n -= word.count_ones() as usize,
            }
        }
        None
    }

    /// The words of a set by place that match its own: up to the end of the
    /// round, and from its beginning.
    fn pieces<'a>(&self, set: &'a Bits) -> [&'a [u64]; 2] {
        let head = (self.round - self.first).min(self.words.len());
        let set = set.words();
        [&set[self.first..self.first + head], &set[..self.words.len() - head]]
    }

    /// Whether any node of a part of it is in a set.
    pub(super) fn meets(&self, part: &[u64], set: &Bits) -> bool {
        let [head, tail] = self.pieces(set);
        let (before, after) = part.split_at(head.len());
        let common = |a: &[u64], b: &[u64]| a.iter().zip(b).fold(0, |any, (a, b)| any | a & b);
        common(before, head) | common(after, tail) != 0
    }

    /// Adds to `into` the nodes of a part of it that are in a set.
    pub(super) fn collect(&self, part: &[u64], set: &Bits, into: &mut [u64]) {
        let [head, tail] = self.pieces(set);
        let words = part.iter().zip(head.iter().chain(tail));
        for (into, (part, set)) in into.iter_mut().zip(words) {
            *into |= part & set;
        }
    }

    /// Takes the nodes out of a part of it that are in a set; whether any are
    /// left.
    pub(super) fn remove(&self, part: &mut [u64], set: &Bits) -> bool {
        let [head, tail] = self.pieces(set);
        let mut left = 0;
        for (part, set) in part.iter_mut().zip(head.iter().chain(tail)) {
            *part &= !set;
            left |= *part;
        }
        left != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_goes_round() {
        let mut window = Window::default();
        window.begin(130, 150);
        for _ in 0..4 {
            let word = if window.next() == 2 { 0b1100 } else { u64::MAX };
            window.push(word);
        }
        assert_eq!(window.nodes(), 2 + 64 + 64 + 2);
        assert_eq!(window.places(window.words()).take(3).collect::<Vec<_>>(), [130, 131, 0]);
        let places = [(2, Some(0)), (66, Some(64)), (131, Some(131)), (132, None)];
        assert!(places.into_iter().all(|(n, place)| window.nth(window.words(), n) == place));
        let set: Bits = [131, 149, 3, 4].into_iter().collect();
        let mut part = window.words().to_vec();
        let mut common = vec![0; 4];
        window.collect(&part, &set, &mut common);
        assert_eq!(window.places(&common).collect::<Vec<_>>(), [131, 3, 4, 131]);
        assert!(window.meets(&part, &set) && window.remove(&mut part, &set) && !window.meets(&part, &set));
    }
}
