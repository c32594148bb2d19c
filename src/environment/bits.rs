//! Sets of places in an order of nodes, one bit each, so that 5,000 nodes are
//! 80 words.

/// A set of small numbers.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Bits(Vec<u64>);

/// The bits of a word.
pub(super) const WORD: u32 = u64::BITS;

impl Bits {
    /// All numbers below `len`.
    pub(super) fn all(len: usize) -> Bits {
        let mut bits = Bits(vec![u64::MAX; len.div_ceil(64)]);
        if let Some(last) = bits.0.last_mut().filter(|_| !len.is_multiple_of(64)) {
            *last = (1 << (len % 64)) - 1;
        }
        bits
    }

    /// No number, with room for those below `len`.
    pub(super) fn none(len: usize) -> Bits {
        Bits(vec![0; len.div_ceil(64)])
    }

    /// Its words, the one of the lowest numbers first.
    pub(super) fn words(&self) -> &[u64] {
        &self.0
    }

    /// One of its words; one that it has no room for has no numbers.
    #[inline]
    pub(super) fn word(&self, at: usize) -> u64 {
        self.0.get(at).copied().unwrap_or(0)
    }

    /// Whether there is no number in it.
    pub(super) fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    pub(super) fn insert(&mut self, number: u32) {
        let word = number as usize / 64;
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        self.0[word] |= 1 << (number % 64);
    }

    pub(super) fn remove(&mut self, number: u32) {
        if let Some(word) = self.0.get_mut(number as usize / 64) {
            *word &= !(1 << (number % 64));
        }
    }

    pub(super) fn contains(&self, number: u32) -> bool {
        self.0.get(number as usize / 64).is_some_and(|word| word >> (number % 64) & 1 == 1)
    }

    /// What is in both sets, the least first.
    pub(super) fn and<'a>(&'a self, other: &'a Bits) -> impl Iterator<Item = u32> + 'a {
        let words = self.0.iter().zip(&other.0).map(|(a, b)| a & b).enumerate();
        words.filter(|(_, word)| *word != 0).flat_map(|(at, word)| ones(word).map(move |bit| at as u32 * 64 + bit))
    }
}

/// The place of the n-th one of a word, counted from 0, if it has so many.
pub(super) const fn nth_one(mut word: u64, n: usize) -> Option<u32> {
    if word.count_ones() as usize <= n {
        return None;
    }
    // Half of what is left is passed over if it has too few.
    let (mut left, mut place, mut width) = (n as u32, 0, WORD / 2);
    while width > 0 {
        let few = (word & ((1 << width) - 1)).count_ones();
        if left >= few {
            left -= few;
            word >>= width;
            place += width;
        }
        width /= 2;
    }
    Some(place)
}

impl FromIterator<u32> for Bits {
    fn from_iter<I: IntoIterator<Item = u32>>(numbers: I) -> Bits {
        let mut bits = Bits::default();
        numbers.into_iter().for_each(|number| bits.insert(number));
        bits
    }
}

/// The places of the ones of a word, the lowest first.
pub(super) fn ones(mut word: u64) -> impl Iterator<Item = u32> {
    std::iter::from_fn(move || {
        let bit = word.trailing_zeros();
        (bit < 64).then(|| {
            word &= word - 1;
            bit
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nth_one() {
        for (word, n, place) in
            [(0b1, 0, Some(0)), (0b1, 1, None), (0b1011_0000, 2, Some(7)), (0, 0, None), (u64::MAX, 63, Some(63))]
        {
            assert_eq!(nth_one(word, n), place, "{word:b} {n}");
        }
        let mut word = 0x9e37_79b9_7f4a_7c15_u64;
        for turn in 0..64 {
            word = word.rotate_left(7) ^ (word >> turn);
            assert!((0..64).map_while(|n| nth_one(word, n)).eq(ones(word)), "{word:b}");
        }
    }

    #[test]
    fn words_of_sets() {
        let mut some = Bits::none(130);
        assert!(some.is_empty());
        some.insert(64);
        assert_eq!((some.words(), some.word(1), some.word(7), some.is_empty()), (&[0, 1, 0][..], 1, 0, false));
    }

    #[test]
    fn sets_of_numbers() {
        for len in [0, 1, 63, 64, 65, 130] {
            let all = Bits::all(len);
            assert_eq!(all.and(&all).collect::<Vec<_>>(), (0..len as u32).collect::<Vec<_>>());
        }
        let mut some: Bits = [200, 3, 64, 63].into_iter().collect();
        some.remove(64);
        some.remove(9_999);
        assert_eq!(some.and(&Bits::all(201)).collect::<Vec<_>>(), [3, 63, 200]);
        assert_eq!(some.and(&Bits::all(100)).collect::<Vec<_>>(), [3, 63]);
        assert!(some.contains(200) && !some.contains(64) && !some.contains(9_999));
    }
}
