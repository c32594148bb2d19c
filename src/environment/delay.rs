//! How long things take: a constant, or a draw from a distribution.
//!
//! Every distribution is drawn by its inverse from a single uniform number,
//! so that a draw never shifts the next one and a larger number never gives a
//! shorter time. Logarithms and the like come from `libm`, in Rust, because
//! those of the platforms differ in their last bits.

use crate::rng::Draws;
use crate::time::{SECOND, Span};
use std::fmt;

/// How long something takes.
#[derive(Clone, PartialEq, Debug, Default)]
pub enum Delay {
    /// It never happens.
    #[default]
    Never,
    /// Always the same.
    Constant(Span),
    /// Anything between, equally likely.
    Uniform {
        /// The least.
        low: Span,
        /// The most.
        high: Span,
    },
    /// Bell-shaped, cut off at zero.
    Normal {
        /// The middle.
        mean: Span,
        /// The standard deviation.
        deviation: Span,
    },
    /// Skewed to the right, as start-up times are.
    LogNormal {
        /// Half of the draws are below.
        median: Span,
        /// 99 of 100 draws are below.
        p99: Span,
    },
    /// Memoryless.
    Exponential {
        /// The average.
        mean: Span,
    },
    /// One of these, equally likely.
    Empirical(Vec<Span>),
}

/// No delay is longer: 100 years of 365.25 days.
const LONGEST: Span = Span(3_155_760_000 * SECOND);

/// The standard normal distribution is below this in 99 of 100 cases.
const Z99: f64 = 2.326_347_874_040_840_8;

impl Delay {
    /// The `nth` delay for a purpose and a subject; see
    /// [`Draws::bits`](crate::rng::Draws::bits) for the three.
    ///
    /// `None` for [`Delay::Never`] and for an empty [`Delay::Empirical`].
    /// Whole nanoseconds from zero to 100 years.
    pub fn draw(&self, draws: &Draws, purpose: &str, subject: &str, nth: u64) -> Option<Span> {
        match self {
            // Nothing is drawn where nothing is random.
            Delay::Never | Delay::Constant(_) => self.quantile(0.5),
            _ => self.quantile(draws.uniform(purpose, subject, nth)),
        }
    }

    /// The delay that a share `u` of the draws does not exceed.
    ///
    /// `u` is between 0 and 1; outside it counts as 2⁻⁵³ or 1 − 2⁻⁵³, the ends
    /// of what is ever drawn. `None` as in [`Delay::draw`].
    pub fn quantile(&self, u: f64) -> Option<Span> {
        const END: f64 = f64::EPSILON / 2.0;
        let u = u.clamp(END, 1.0 - END);
        let ns = |span: &Span| span.0 as f64;
        let span = match self {
            Delay::Never => return None,
            Delay::Constant(span) => *span,
            Delay::Uniform { low, high } => {
                let among = high.0.saturating_sub(low.0).saturating_add(1);
                low.0.checked_add(pick(u, among)).map_or(LONGEST, Span)
            }
            Delay::Normal { mean, deviation } => from_ns(ns(mean) + ns(deviation) * normal_quantile(u)),
            Delay::LogNormal { median, p99 } => {
                // Below its median a 99th percentile cannot be: no spread.
                let spread = libm::log(ns(p99).max(1.0) / ns(median).max(1.0)).max(0.0) / Z99;
                from_ns(ns(median) * libm::exp(spread * normal_quantile(u)))
            }
            Delay::Exponential { mean } => from_ns(-ns(mean) * libm::log1p(-u)),
            Delay::Empirical(spans) => *spans.get(pick(u, spans.len() as u64) as usize)?,
        };
        Some(span.min(LONGEST))
    }
}

/// One of `0..count` for a share of 1.
fn pick(u: f64, count: u64) -> u64 {
    ((u * count as f64) as u64).min(count.saturating_sub(1))
}

/// The nearest whole number of nanoseconds that is not negative.
fn from_ns(ns: f64) -> Span {
    // The cast ends at the ends of the range.
    Span(libm::round(ns) as u64)
}

/// What a standard normal number does not exceed in a share `u` of cases.
///
/// Wichura's algorithm AS 241 (PPND16), good to 16 digits: one rational
/// function for the middle, two for the tails.
fn normal_quantile(u: f64) -> f64 {
    let middle = u - 0.5;
    if libm::fabs(middle) <= 0.425 {
        let r = 0.180_625 - middle * middle;
        return middle * polynomial(r, &MIDDLE.0) / polynomial(r, &MIDDLE.1);
    }
    let tail = if middle < 0.0 { u } else { 1.0 - u };
    let r = libm::sqrt(-libm::log(tail));
    let z = if r <= 5.0 {
        polynomial(r - 1.6, &TAIL.0) / polynomial(r - 1.6, &TAIL.1)
    } else {
        polynomial(r - 5.0, &FAR_TAIL.0) / polynomial(r - 5.0, &FAR_TAIL.1)
    };
    if middle < 0.0 { -z } else { z }
}

/// The constant term comes last.
fn polynomial(x: f64, coefficients: &[f64; 8]) -> f64 {
    coefficients.iter().fold(0.0, |sum, c| sum * x + c)
}

/// Numerator and denominator.
type Rational = ([f64; 8], [f64; 8]);

/// For `u` within 0.425 of a half, in 0.425² less the distance squared.
const MIDDLE: Rational = (
    [
        2_509.080_928_730_122_7,
        33_430.575_583_588_13,
        67_265.770_927_008_7,
        45_921.953_931_549_87,
        13_731.693_765_509_46,
        1_971.590_950_306_551_3,
        133.141_667_891_784_38,
        3.387_132_872_796_366_5,
    ],
    [
        5_226.495_278_852_854,
        28_729.085_735_721_943,
        39_307.895_800_092_71,
        21_213.794_301_586_597,
        5_394.196_021_424_751,
        687.187_007_492_057_9,
        42.313_330_701_600_91,
        1.0,
    ],
);

/// For shares from e⁻²⁵, in the root of minus their logarithm, less 1.6.
const TAIL: Rational = (
    [
        0.000_774_545_014_278_341_4,
        0.022_723_844_989_269_184,
        0.241_780_725_177_450_6,
        1.270_458_252_452_368_4,
        3.647_848_324_763_204_5,
        5.769_497_221_460_691,
        4.630_337_846_156_546,
        1.423_437_110_749_683_5,
    ],
    [
        1.050_750_071_644_416_9e-9,
        0.000_547_593_808_499_534_5,
        0.015_198_666_563_616_457,
        0.148_103_976_427_480_08,
        0.689_767_334_985_1,
        1.676_384_830_183_803_8,
        2.053_191_626_637_759,
        1.0,
    ],
);

/// For lesser shares, in the same less 5.
const FAR_TAIL: Rational = (
    [
        2.010_334_399_292_288_1e-7,
        2.711_555_568_743_487_6e-5,
        0.001_242_660_947_388_078_4,
        0.026_532_189_526_576_124,
        0.296_560_571_828_504_87,
        1.784_826_539_917_291_3,
        5.463_784_911_164_114,
        6.657_904_643_501_103,
    ],
    [
        2.044_263_103_389_939_7e-15,
        1.421_511_758_316_446e-7,
        1.846_318_317_510_054_8e-5,
        0.000_786_869_131_145_613_3,
        0.014_875_361_290_850_615,
        0.136_929_880_922_735_8,
        0.599_832_206_555_888,
        1.0,
    ],
);

/// In words: `12s`, `2s to 5s`, `log-normal, median 12s, p99 45s`.
impl fmt::Display for Delay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Delay::Never => f.write_str("never"),
            Delay::Constant(span) => short(*span).fmt(f),
            Delay::Uniform { low, high } => write!(f, "{} to {}", short(*low), short(*high)),
            Delay::Normal { mean, deviation } => {
                write!(f, "normal, mean {}, deviation {}", short(*mean), short(*deviation))
            }
            Delay::LogNormal { median, p99 } => {
                write!(f, "log-normal, median {}, p99 {}", short(*median), short(*p99))
            }
            Delay::Exponential { mean } => write!(f, "exponential, mean {}", short(*mean)),
            Delay::Empirical(spans) => {
                f.write_str("one of ")?;
                spans.iter().enumerate().try_for_each(|(i, span)| {
                    let comma = if i == 0 { "" } else { ", " };
                    write!(f, "{comma}{}", short(*span))
                })
            }
        }
    }
}

/// A span as it is usually printed, and below a millisecond exactly: latencies
/// may be so short, and `0s` would be wrong.
fn short(span: Span) -> String {
    match span.0 {
        0 | 1_000_000.. => span.to_string(),
        ns if ns.is_multiple_of(1_000) => format!("{}us", ns / 1_000),
        ns => format!("{ns}ns"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn s(seconds: u64) -> Span {
        Span::from_secs(seconds)
    }

    /// One of each that draws, and their spellings.
    fn kinds() -> [(Delay, &'static str); 5] {
        [
            (Delay::Uniform { low: s(2), high: s(5) }, "2s to 5s"),
            (Delay::Normal { mean: s(12), deviation: s(3) }, "normal, mean 12s, deviation 3s"),
            (Delay::LogNormal { median: s(12), p99: s(45) }, "log-normal, median 12s, p99 45s"),
            (Delay::Exponential { mean: Span::from_ms(1_500) }, "exponential, mean 1.5s"),
            (Delay::Empirical(vec![s(1), s(2), s(40)]), "one of 1s, 2s, 40s"),
        ]
    }

    #[test]
    fn delays_in_words() {
        for (delay, words) in kinds().into_iter().chain([
            (Delay::Never, "never"),
            (Delay::Constant(s(12)), "12s"),
            (Delay::Constant(Span::ZERO), "0s"),
            (Delay::Constant(Span::from_us(250)), "250us"),
            (Delay::Constant(Span(1_400)), "1400ns"),
        ]) {
            assert_eq!(delay.to_string(), words);
        }
    }

    /// Against `statistics.NormalDist().inv_cdf` of Python 3.
    #[test]
    fn normal_quantiles_are_right_to_the_last_digits() {
        for (u, z) in [
            (1e-300, -37.047_096_299_361_2),
            (1.110_223_024_625_156_5e-16, -8.209_536_151_601_386),
            (1e-09, -5.997_807_015_007_686_5),
            (0.01, -2.326_347_874_040_840_8),
            (0.05, -1.644_853_626_951_472_6),
            (0.25, -0.674_489_750_196_081_7),
            (0.5, 0.0),
            (0.75, 0.674_489_750_196_081_7),
            (0.9, 1.281_551_565_544_600_8),
            (0.925, 1.439_531_470_938_456),
            (0.99, 2.326_347_874_040_840_8),
            (0.999_999, 4.753_424_308_817_089),
            (0.999_999_999_999_999_9, 8.209_536_151_601_386),
        ] {
            let got = normal_quantile(u);
            assert!((got - z).abs() <= 4.0 * f64::EPSILON * z.abs(), "{u}: {got} is not {z}");
        }
    }

    #[test]
    fn quantiles() {
        let [uniform, normal, log_normal, exponential, empirical] = kinds().map(|(delay, _)| delay);
        for (delay, u, ns) in [
            (&Delay::Constant(s(3)), 0.9, 3_000_000_000),
            (&Delay::Constant(Span(u64::MAX)), 0.9, LONGEST.0),
            (&uniform, 0.0, 2_000_000_000),
            (&uniform, 0.5, 3_500_000_000),
            (&uniform, 1.0, 5_000_000_000),
            (&normal, 0.5, 12_000_000_000),
            (&normal, 0.99, 18_979_043_622),
            (&normal, 1e-9, 0),
            (&log_normal, 0.5, 12_000_000_000),
            (&log_normal, 0.99, 45_000_000_000),
            (&log_normal, 0.01, 3_200_000_000),
            (&exponential, 0.5, 1_039_720_771),
            (&exponential, f64::NAN, 0),
            (&empirical, 0.33, 1_000_000_000),
            (&empirical, 0.34, 2_000_000_000),
            (&empirical, 1.0, 40_000_000_000),
            (&Delay::Uniform { low: Span(0), high: Span(u64::MAX) }, 0.99, LONGEST.0),
            (&Delay::Uniform { low: s(5), high: s(2) }, 0.9, 5_000_000_000),
            (&Delay::LogNormal { median: s(1), p99: Span(u64::MAX) }, 1.0, LONGEST.0),
            (&Delay::LogNormal { median: s(2), p99: s(1) }, 0.9, 2_000_000_000),
            (&Delay::LogNormal { median: s(0), p99: s(1) }, 0.9, 0),
            (&Delay::Exponential { mean: Span(u64::MAX) }, 0.9, LONGEST.0),
        ] {
            assert_eq!(delay.quantile(u), Some(Span(ns)), "{delay} at {u}");
        }
        for delay in [Delay::Never, Delay::Empirical(vec![])] {
            assert_eq!(delay.quantile(0.5), None);
        }
    }

    #[test]
    fn quantiles_never_fall() {
        for (delay, words) in kinds() {
            let spans: Vec<_> = (0..=10_000).map(|i| delay.quantile(f64::from(i) / 10_000.0)).collect();
            assert!(spans.is_sorted(), "{words}");
        }
    }

    #[test]
    fn many_draws_have_their_median_and_99th_percentile() {
        let draws = Draws::new(1);
        for (delay, words) in kinds() {
            let mut spans: Vec<_> = (0..20_000).filter_map(|nth| delay.draw(&draws, "test", words, nth)).collect();
            spans.sort_unstable();
            // Four standard errors of a share on either side.
            for (share, error) in [(0.5, 0.0142), (0.99, 0.0029)] {
                let got = spans[(share * 20_000.0) as usize];
                let (low, high) = (delay.quantile(share - error), delay.quantile(share + error));
                assert!(low <= Some(got) && Some(got) <= high, "{words}: {got} at {share}");
            }
        }
    }

    /// FNV-1a over the nanoseconds. It must not change, on any platform: old
    /// seeds would give other runs.
    #[test]
    fn the_draws_are_these_forever() {
        let draws = Draws::new(42);
        let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
        for (delay, words) in kinds() {
            for nth in 0..2_000 {
                let span = delay.draw(&draws, "golden", words, nth).unwrap_or_default();
                hash = (hash ^ span.0).wrapping_mul(0x0000_0100_0000_01b3);
            }
        }
        assert_eq!(hash, 0x5036_499a_72d1_1143, "{hash:#x}");
    }
}
