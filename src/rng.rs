//! Keyed draws: random numbers that belong to a purpose and a subject.
//!
//! A generator that is shared, or one per component, hands out its numbers in
//! the order in which they are asked for. One more pod, or one more draw, then
//! moves every later number, and two runs that differ in one setting differ
//! in all their luck. Here a draw is a function of (seed, purpose, subject,
//! nth) alone: the third start of a pod takes the same time whatever else
//! happens, so that two policies are compared on the same luck, and a change
//! in the code changes only the draws that it means to change.
//!
//! The function is fixed: `ChaCha8` with the seed in its key, the hash of
//! purpose and subject as its stream and `nth` as the position in it. All of
//! it is integer arithmetic, so it is the same on every platform.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// The last 24 bytes of every key, so that nobody else's use of `ChaCha8` with
/// a small seed gives the same numbers.
const KEY: &[u8; 24] = b"seatrial keyed draws, 1.";

/// The source of all random numbers of a run.
///
/// ```
/// use seatrial::rng::Draws;
///
/// let draws = Draws::new(42);
/// let start = draws.uniform("start", "shop/web pod 3", 0);
/// assert!(0.0 < start && start < 1.0);
/// draws.uniform("start", "shop/db pod 0", 0);
/// assert_eq!(start, draws.uniform("start", "shop/web pod 3", 0));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Draws {
    seed: u64,
}

impl Draws {
    /// The draws of a seed.
    pub const fn new(seed: u64) -> Draws {
        Draws { seed }
    }

    /// 64 random bits.
    ///
    /// `purpose` says what is drawn ("start"), `subject` for whom, by a name
    /// that stays the same when others come and go ("shop/web pod 3"), and
    /// `nth` counts the draws for both, from 0.
    pub fn bits(&self, purpose: &str, subject: &str, nth: u64) -> u64 {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&self.seed.to_le_bytes());
        key[8..].copy_from_slice(KEY);
        let mut generator = ChaCha8Rng::from_seed(key);
        generator.set_stream(stream(purpose, subject));
        // Positions count words of 32 bits.
        generator.set_word_pos(2 * u128::from(nth));
        generator.next_u64()
    }

    /// A number between 0 and 1, never one of them: an odd multiple of 2⁻⁵³.
    ///
    /// Inverse distribution functions are infinite at 0 and 1.
    pub fn uniform(&self, purpose: &str, subject: &str, nth: u64) -> f64 {
        to_unit(self.bits(purpose, subject, nth))
    }

    /// One of `0..count`, equally likely; 0 if there is nothing to choose.
    pub fn index(&self, purpose: &str, subject: &str, nth: u64, count: usize) -> usize {
        // The upper half of the product; its bias is below count / 2⁶⁴.
        ((u128::from(self.bits(purpose, subject, nth)) * count as u128) >> 64) as usize
    }
}

/// The upper 53 bits, the last of them set, as a fraction.
fn to_unit(bits: u64) -> f64 {
    (bits >> 11 | 1) as f64 / (1_u64 << 53) as f64
}

/// FNV-1a over purpose and subject, with a byte between them that UTF-8 never
/// contains.
fn stream(purpose: &str, subject: &str) -> u64 {
    let bytes = purpose.bytes().chain([0xff]).chain(subject.bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Computed by an independent implementation of `ChaCha8` and FNV-1a.
    #[test]
    fn the_draws_are_these_forever() {
        for (seed, purpose, subject, nth, bits) in [
            (0, "", "", 0, 0x8525_fde6_5125_cbb7),
            (42, "start", "shop/web pod 3", 0, 0x4ba4_a121_f4dc_09c3),
            (42, "start", "shop/web pod 3", 1, 0x45ff_636f_b571_1f53),
            (42, "start", "shop/web pod 3", 8, 0x1049_e285_7429_b831),
            (42, "ready", "shop/web pod 3", 1_000_003, 0xf1c6_ec63_47fd_72d8),
            (u64::MAX, "Zeit", "büro/web", 1 << 60, 0x321b_eeea_3f65_105f),
        ] {
            assert_eq!(Draws::new(seed).bits(purpose, subject, nth), bits, "{seed} {purpose} {subject} {nth}");
        }
    }

    #[test]
    fn every_part_of_the_key_counts() {
        let bits = |seed, purpose, subject, nth| Draws::new(seed).bits(purpose, subject, nth);
        let all = [
            bits(1, "ab", "c", 0),
            bits(2, "ab", "c", 0),
            bits(1, "a", "bc", 0),
            bits(1, "ab", "d", 0),
            bits(1, "ab", "c", 1),
        ];
        for (i, one) in all.iter().enumerate() {
            assert!(!all[..i].contains(one), "{all:x?}");
        }
    }

    #[test]
    fn uniform_is_never_0_or_1() {
        for (bits, unit) in [
            (0, 1.0 / 9_007_199_254_740_992.0),
            (u64::MAX, 1.0 - 1.0 / 9_007_199_254_740_992.0),
            (1 << 63, 0.5 + 1.0 / 9_007_199_254_740_992.0),
        ] {
            assert_eq!(to_unit(bits).to_bits(), f64::to_bits(unit));
        }
    }

    #[test]
    fn draws_are_spread_evenly() {
        let draws = Draws::new(7);
        let mut counts = [0; 10];
        for nth in 0..10_000 {
            counts[draws.index("test", "spread", nth, 10)] += 1;
        }
        // Five standard deviations of a binomial count.
        assert!(counts.iter().all(|count| (850..=1_150).contains(count)), "{counts:?}");
        assert_eq!(draws.index("test", "nothing", 0, 0), 0);
        let mean = (0..10_000).map(|nth| draws.uniform("test", "mean", nth)).sum::<f64>() / 10_000.0;
        assert!((0.485..0.515).contains(&mean), "{mean}");
    }
}
