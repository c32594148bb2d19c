//! How many requests clients send, over time.

use super::ONE;
use crate::time::{SECOND, SimTime, Span};
use std::sync::Arc;

/// A day.
const DAY: Span = Span::from_secs(86_400);

/// Requests over time, in millionths of a request a second. What rises and
/// falls does so in steps.
#[derive(Clone, PartialEq, Debug)]
pub enum Demand {
    /// Each value from its time on, none before the first; in order of time.
    Steps(Arc<[(SimTime, u64)]>),
    /// Straight lines between points, level before the first and after the
    /// last.
    Ramp {
        /// In order of time.
        points: Arc<[(SimTime, u64)]>,
        /// From one step to the next.
        every: Span,
    },
    /// Up from `low` to `high` in a straight line, and down at once.
    Sawtooth {
        /// At the beginning of each tooth.
        low: u64,
        /// At its end.
        high: u64,
        /// The length of a tooth.
        period: Span,
        /// From one step to the next.
        every: Span,
    },
    /// A sine over each day.
    Daily {
        /// Twelve hours from the peak.
        low: u64,
        /// At the peak.
        high: u64,
        /// When the first peak is, less than a day after the beginning.
        peak: Span,
        /// From one step to the next.
        every: Span,
    },
}

impl Demand {
    /// The same at all times.
    #[must_use]
    pub fn constant(rate: u64) -> Demand {
        Demand::Steps(Arc::new([(SimTime::ZERO, rate)]))
    }

    /// The rate at a moment.
    #[must_use]
    pub fn at(&self, now: SimTime) -> u64 {
        match self {
            Demand::Steps(points) => {
                let upto = points.partition_point(|point| point.0 <= now);
                upto.checked_sub(1).map_or(0, |last| points[last].1)
            }
            Demand::Ramp { points, every } => on_ramp(points, step_of(now, *every)),
            Demand::Sawtooth { low, high, period, every } => {
                let at = Span(step_of(now, *every).0 % period.0.max(1));
                between(*low, *high, at, *period)
            }
            Demand::Daily { low, high, peak, every } => {
                let at = step_of(now, *every);
                let turn = (at.0 as f64 - peak.0 as f64) / DAY.0 as f64;
                let height = f64::midpoint(libm::cos(turn * std::f64::consts::TAU), 1.0);
                // Whole thousandths of a request: no platform differs there.
                let thousandths = libm::round((*high as f64 - *low as f64) * height / 1_000.0) as i64;
                low.saturating_add_signed(thousandths * (ONE as i64 / 1_000))
            }
        }
    }

    /// When the rate may next be another.
    #[must_use]
    pub fn next_change(&self, now: SimTime) -> Option<SimTime> {
        let step = |every: &Span| step_of(now, *every).after(*every);
        match self {
            Demand::Steps(points) => points.iter().map(|point| point.0).find(|at| *at > now),
            Demand::Ramp { points, every } => {
                let (first, last) = (points.first()?.0, points.last()?.0);
                match now {
                    _ if now < first => Some(step_of(first, *every).after(*every)),
                    // The step after the last point is the level at its end.
                    _ if now < last.after(*every) => Some(step(every)),
                    _ => None,
                }
            }
            Demand::Sawtooth { every, .. } | Demand::Daily { every, .. } => Some(step(every)),
        }
    }
}

/// The beginning of the step that a moment is in.
fn step_of(now: SimTime, every: Span) -> SimTime {
    let every = every.0.max(SECOND / 1_000);
    SimTime(now.0 / every * every)
}

fn on_ramp(points: &[(SimTime, u64)], at: SimTime) -> u64 {
    let upto = points.partition_point(|point| point.0 <= at);
    match (upto.checked_sub(1).map(|i| points[i]), points.get(upto)) {
        (None, next) => next.map_or(0, |next| next.1),
        (Some(last), None) => last.1,
        (Some(last), Some(next)) => between(last.1, next.1, at.since(last.0), next.0.since(last.0)),
    }
}

/// So far on the way from one rate to another.
fn between(from: u64, to: u64, passed: Span, whole: Span) -> u64 {
    let part = |distance: u64| (u128::from(distance) * u128::from(passed.0) / u128::from(whole.0.max(1))) as u64;
    if to >= from { from + part(to - from) } else { from - part(from - to) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn s(seconds: u64) -> SimTime {
        SimTime::from_secs(seconds)
    }

    #[test]
    fn rates_follow_their_curve() {
        let points: Arc<[_]> = Arc::new([(s(60), 100 * ONE), (s(120), 400 * ONE)]);
        let every = Span::from_secs(15);
        let steps = Demand::Steps(points.clone());
        let ramp = Demand::Ramp { points, every };
        let saw = Demand::Sawtooth { low: 0, high: 60 * ONE, period: Span::from_secs(60), every };
        let day = Demand::Daily { low: 10 * ONE, high: 90 * ONE, peak: Span::from_secs(14 * 3_600), every };
        for (demand, at, rate) in [
            (&steps, 0, 0),
            (&steps, 60, 100),
            (&steps, 119, 100),
            (&steps, 500, 400),
            (&ramp, 0, 100),
            (&ramp, 75, 175),
            (&ramp, 89, 175),
            (&ramp, 120, 400),
            (&ramp, 900, 400),
            (&saw, 0, 0),
            (&saw, 45, 45),
            (&saw, 60, 0),
            (&day, 14 * 3_600, 90),
            (&day, 2 * 3_600, 10),
            (&day, 8 * 3_600, 50),
            (&day, 38 * 3_600, 90),
        ] {
            assert_eq!(demand.at(s(at)), rate * ONE, "{demand:?} at {at}");
        }
    }

    #[test]
    fn changes_come_when_they_come() {
        let points: Arc<[_]> = Arc::new([(s(60), 100 * ONE), (s(120), 400 * ONE)]);
        let ramp = Demand::Ramp { points: points.clone(), every: Span::from_secs(15) };
        let steps = Demand::Steps(points);
        for (demand, at, next) in [
            (&steps, 0, Some(60)),
            (&steps, 60, Some(120)),
            (&steps, 120, None),
            (&ramp, 0, Some(75)),
            (&ramp, 75, Some(90)),
            (&ramp, 120, Some(135)),
            (&ramp, 135, None),
        ] {
            assert_eq!(demand.next_change(s(at)), next.map(s), "{demand:?} at {at}");
        }
        assert_eq!(Demand::constant(5).next_change(s(0)), None);
    }
}
