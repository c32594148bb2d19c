//! Curves through observations.

use super::span;
use libm::{erfc, exp, log, sqrt};

/// The 99th percentile of a standard normal variable.
const Z99: f64 = 2.326_347_874_040_841;
/// What spreads by less is one value and the rounding to whole seconds.
const ROUNDING: f64 = 1.0;
/// How far the rounding alone moves an observation, at most.
const SHORTEST: f64 = 0.25;

/// How much better than a log-normal curve another must be.
const NEARLY: f64 = 0.03;

/// A distribution of a delay, in seconds.
#[derive(Clone, PartialEq, Debug)]
pub enum Curve {
    /// Always the same.
    Constant(f64),
    /// Skewed to the right.
    LogNormal {
        /// Half are below.
        median: f64,
        /// 99 of 100 are below.
        p99: f64,
    },
    /// Bell-shaped.
    Normal {
        /// The middle.
        mean: f64,
        /// The standard deviation.
        deviation: f64,
    },
    /// Memoryless.
    Exponential {
        /// The average.
        mean: f64,
    },
    /// What was seen and nothing else, as no curve fits.
    Empirical(Vec<f64>),
}

impl Curve {
    /// The share of delays up to a time, from 0 to 1.
    pub fn share(&self, seconds: f64) -> f64 {
        let normal = |z: f64| 0.5 * erfc(-z / std::f64::consts::SQRT_2);
        match self {
            Curve::Constant(value) => f64::from(u8::from(seconds >= *value)),
            Curve::LogNormal { .. } if seconds <= 0.0 => 0.0,
            Curve::LogNormal { median, p99 } => {
                let sigma = log(p99 / median) / Z99;
                if sigma > 0.0 {
                    normal(log(seconds / median) / sigma)
                } else {
                    Curve::Constant(*median).share(seconds)
                }
            }
            Curve::Normal { mean, deviation } => normal((seconds - mean) / deviation),
            Curve::Exponential { mean } => (1.0 - exp(-seconds / mean)).max(0.0),
            Curve::Empirical(all) => all.iter().filter(|v| **v <= seconds).count() as f64 / all.len().max(1) as f64,
        }
    }

    /// The curve as a scenario file has it.
    pub fn yaml(&self) -> String {
        let s = |seconds: &f64| span(*seconds).to_string();
        match self {
            Curve::Constant(value) => s(value),
            Curve::LogNormal { median, p99 } => format!("{{lognormal: {{median: {}, p99: {}}}}}", s(median), s(p99)),
            Curve::Normal { mean, deviation } => {
                format!("{{normal: {{mean: {}, deviation: {}}}}}", s(mean), s(deviation))
            }
            Curve::Exponential { mean } => format!("{{exponential: {{mean: {}}}}}", s(mean)),
            Curve::Empirical(all) => format!("{{empirical: [{}]}}", all.iter().map(s).collect::<Vec<_>>().join(", ")),
        }
    }

    /// The greatest distance between the curve and the observations' own
    /// shares, from 0 to 1, as Kolmogorov and Smirnov measure it. An
    /// observation stands for any time within the rounding around it.
    fn distance(&self, sorted: &[f64]) -> f64 {
        let count = sorted.len() as f64;
        let mut most: f64 = 0.0;
        for (i, &value) in sorted.iter().enumerate() {
            let last_of_its_value = sorted.get(i + 1).is_none_or(|next| *next > value);
            if last_of_its_value {
                most = most.max(((i + 1) as f64 / count - self.share(value + ROUNDING / 2.0)).abs());
            }
        }
        most
    }
}

/// The curve that fits sorted observations best. A log-normal one is taken
/// where it is nearly as good as the best, as start-up times are so.
pub fn fit(sorted: &[f64]) -> Curve {
    let count = sorted.len() as f64;
    let mean = sorted.iter().sum::<f64>() / count.max(1.0);
    let spread = sorted.last().zip(sorted.first()).map_or(0.0, |(high, low)| high - low);
    if spread <= ROUNDING {
        return Curve::Constant(mean.max(0.0));
    }
    let logs = sorted.iter().map(|v| log(v.max(SHORTEST)));
    let log_mean = logs.clone().sum::<f64>() / count;
    let variance = |sum: f64| sum / (count - 1.0).max(1.0);
    let sigma = sqrt(variance(logs.map(|l| (l - log_mean) * (l - log_mean)).sum()));
    // Two cuts to whole seconds add a sixth of a second squared.
    let square = variance(sorted.iter().map(|v| (v - mean) * (v - mean)).sum()) - ROUNDING / 6.0;
    let median = exp(log_mean);
    let skewed = Curve::LogNormal { median, p99: median * exp(sigma * Z99) };
    let bell = Curve::Normal { mean, deviation: sqrt(square.max(0.01)) };
    let memoryless = Curve::Exponential { mean };
    let shaped = if bell.distance(sorted) < skewed.distance(sorted) - NEARLY { bell } else { skewed };
    // One number that says as much as two is worth more.
    let best = if memoryless.distance(sorted) < shaped.distance(sorted) { memoryless } else { shaped };
    // At the usual level of 5 of 100, and with enough to repeat.
    let refused = best.distance(sorted) > 1.36 / sqrt(count);
    if refused && sorted.len() >= super::FEW { Curve::Empirical(thinned(sorted)) } else { best }
}

/// At most 50 of the observations, evenly from all ranks.
fn thinned(sorted: &[f64]) -> Vec<f64> {
    const MOST: usize = 50;
    let count = sorted.len().min(MOST);
    (0..count).map(|i| sorted[(2 * i + 1) * sorted.len() / (2 * count)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::Delay;
    use crate::rng::Draws;
    use crate::time::Span;

    /// Delays as the API shows them: both ends cut to whole seconds.
    fn seen(delay: &Delay, count: u64) -> Vec<f64> {
        let draws = Draws::new(5);
        let mut all: Vec<f64> = (0..count)
            .map(|n| {
                let begin = draws.uniform("begin", "x", n);
                let length = delay.draw(&draws, "delay", "x", n).map_or(0.0, |s: Span| s.as_secs_f64());
                (begin + length).floor()
            })
            .collect();
        all.sort_by(f64::total_cmp);
        all
    }

    #[test]
    fn what_was_drawn_is_found_again() {
        let s = Span::from_secs;
        let near = |found: f64, wanted: f64| (found / wanted - 1.0).abs() < 0.15;
        match fit(&seen(&Delay::LogNormal { median: s(8), p99: s(30) }, 400)) {
            Curve::LogNormal { median, p99 } => assert!(near(median, 8.0) && near(p99, 30.0), "{median} {p99}"),
            other => panic!("{other:?}"),
        }
        match fit(&seen(&Delay::Normal { mean: s(60), deviation: s(4) }, 400)) {
            Curve::Normal { mean, deviation } => {
                assert!(near(mean, 60.0) && near(deviation, 4.0), "{mean} {deviation}");
            }
            // At so small a deviation both are alike.
            Curve::LogNormal { median, .. } => assert!(near(median, 60.0), "{median}"),
            other => panic!("{other:?}"),
        }
        match fit(&seen(&Delay::Exponential { mean: s(20) }, 400)) {
            Curve::Exponential { mean } => assert!(near(mean, 20.0), "{mean}"),
            other => panic!("{other:?}"),
        }
        match fit(&seen(&Delay::Constant(Span::from_ms(3_500)), 400)) {
            Curve::Constant(value) => assert!(near(value, 3.5), "{value}"),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn two_humps_are_no_curve() {
        let mut all = vec![2.0; 30];
        all.extend([60.0; 30]);
        assert!(matches!(fit(&all), Curve::Empirical(v) if v.len() == 50));
        assert_eq!(fit(&[4.0]), Curve::Constant(4.0));
    }
}
