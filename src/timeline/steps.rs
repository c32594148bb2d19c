//! A whole number that changes at points in time.

use crate::time::{SimTime, Span};

/// A step function: each value holds from its point until the next one.
///
/// Conventions, the same for every method:
///
/// * Before its first point the value is 0.
/// * Ranges are half open: `from` belongs to the range and `to` does not. A
///   range that is empty or turned around means the single moment `from`.
/// * Of several changes in one instant only the last is kept. A value that
///   was gone again in the same instant was never seen by anybody, so it is
///   neither a minimum nor a maximum.
/// * Neighbouring points differ, so every point but the first is a change.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Steps(Vec<(SimTime, i64)>);

impl Steps {
    /// Sets the value from `at` on. Points must come in order of time; an
    /// earlier one counts as the time of the last.
    pub fn set(&mut self, at: SimTime, value: i64) {
        let at = self.0.last().map_or(at, |&(last, _)| at.max(last));
        if self.0.last().is_some_and(|&(last, _)| last == at) {
            self.0.pop();
        }
        if self.0.last().is_none_or(|&(_, before)| before != value) {
            self.0.push((at, value));
        }
    }

    /// The points: when, and which value from then on.
    pub fn points(&self) -> &[(SimTime, i64)] {
        &self.0
    }

    /// Whether no value was ever set.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The value at a moment; at a point, the new one.
    pub fn at(&self, time: SimTime) -> i64 {
        match self.upto(time) {
            0 => 0,
            n => self.0[n - 1].1,
        }
    }

    /// The value at the end of the run.
    pub fn last(&self) -> i64 {
        self.0.last().map_or(0, |&(_, value)| value)
    }

    /// How many points lie at or before a moment.
    fn upto(&self, time: SimTime) -> usize {
        self.0.partition_point(|&(at, _)| at <= time)
    }

    /// The pieces of a range: since when, until when and which value. Always
    /// at least one piece.
    pub fn pieces(&self, from: SimTime, to: SimTime) -> impl Iterator<Item = (SimTime, SimTime, i64)> + '_ {
        let first = self.upto(from);
        let after = self.0[first..].partition_point(|&(at, _)| at < to) + first;
        (first..=after.max(first)).map(move |i| {
            let (since, value) = match i.checked_sub(1) {
                Some(before) if i > first => self.0[before],
                Some(before) => (from, self.0[before].1),
                None => (from, 0),
            };
            let until = if i < after { self.0[i].0 } else { to };
            (since, until.max(since), value)
        })
    }

    /// The least value in a range.
    pub fn min_over(&self, from: SimTime, to: SimTime) -> i64 {
        self.first_min(from, to).1
    }

    /// The greatest value in a range.
    pub fn max_over(&self, from: SimTime, to: SimTime) -> i64 {
        self.first_max(from, to).1
    }

    /// The least value in a range and when it was first reached there.
    pub fn first_min(&self, from: SimTime, to: SimTime) -> (SimTime, i64) {
        self.extreme(from, to, |new, old| new < old)
    }

    /// The greatest value in a range and when it was first reached there.
    pub fn first_max(&self, from: SimTime, to: SimTime) -> (SimTime, i64) {
        self.extreme(from, to, |new, old| new > old)
    }

    fn extreme(&self, from: SimTime, to: SimTime, better: impl Fn(i64, i64) -> bool) -> (SimTime, i64) {
        self.pieces(from, to)
            .map(|(since, _, value)| (since, value))
            .reduce(|best, new| if better(new.1, best.1) { new } else { best })
            .unwrap_or((from, 0))
    }

    /// The sum of value times time over a range, in units of one for a
    /// nanosecond.
    pub fn integral(&self, from: SimTime, to: SimTime) -> i128 {
        self.pieces(from, to).map(|(since, until, value)| i128::from(value) * i128::from(until.since(since).0)).sum()
    }

    /// The average over a range, weighted by time; of an empty range the
    /// value at `from`.
    pub fn mean(&self, from: SimTime, to: SimTime) -> f64 {
        match to.since(from).0 {
            0 => self.at(from) as f64,
            length => self.integral(from, to) as f64 / length as f64,
        }
    }

    /// How much of a range the value fulfils a condition.
    pub fn duration_where(&self, from: SimTime, to: SimTime, holds: impl Fn(i64) -> bool) -> Span {
        let nanoseconds = self
            .pieces(from, to)
            .filter(|&(_, _, value)| holds(value))
            .map(|(since, until, _)| until.since(since).0)
            .sum();
        Span::from_ns(nanoseconds)
    }

    /// The first moment at or after `from` at which the value fulfils a
    /// condition.
    pub fn first_where(&self, from: SimTime, holds: impl Fn(i64) -> bool) -> Option<SimTime> {
        self.pieces(from, SimTime::MAX).find(|&(_, _, value)| holds(value)).map(|(since, _, _)| since)
    }

    /// The moments in a range at which the value changes.
    pub fn changes(&self, from: SimTime, to: SimTime) -> impl Iterator<Item = SimTime> + '_ {
        let first = self.0.partition_point(|&(at, _)| at < from);
        self.0[first..].iter().map(|&(at, _)| at).take_while(move |&at| at < to)
    }

    /// The same without the values that lasted for less than a span; the
    /// value at the end stays.
    ///
    /// Controllers answer each other within microseconds; pictures show what
    /// remains, as recordings of real controllers do.
    #[must_use]
    pub fn lasting(&self, least: Span) -> Steps {
        let next = |i: usize| self.0.get(i + 1).map_or(SimTime::MAX, |p| p.0);
        let lasts = |&(i, &(at, _)): &(usize, &(SimTime, i64))| next(i).since(at) >= least;
        self.0.iter().enumerate().filter(lasts).map(|(_, &point)| point).collect()
    }

    /// Two step functions put together value by value.
    #[must_use]
    pub fn zip_with(&self, other: &Steps, put: impl Fn(i64, i64) -> i64) -> Steps {
        let mut result = Steps::default();
        let (mut a, mut b) = (0, 0);
        while a < self.0.len() || b < other.0.len() {
            let next = |points: &[(SimTime, i64)], i: usize| points.get(i).map(|p| p.0);
            let at = match (next(&self.0, a), next(&other.0, b)) {
                (Some(x), Some(y)) => x.min(y),
                (Some(x), None) | (None, Some(x)) => x,
                (None, None) => break,
            };
            a += usize::from(next(&self.0, a) == Some(at));
            b += usize::from(next(&other.0, b) == Some(at));
            let value = |points: &[(SimTime, i64)], i: usize| if i == 0 { 0 } else { points[i - 1].1 };
            result.set(at, put(value(&self.0, a), value(&other.0, b)));
        }
        result
    }
}

impl FromIterator<(SimTime, i64)> for Steps {
    fn from_iter<I: IntoIterator<Item = (SimTime, i64)>>(points: I) -> Steps {
        let mut steps = Steps::default();
        for (at, value) in points {
            steps.set(at, value);
        }
        steps
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn s(seconds: u64) -> SimTime {
        SimTime::from_secs(seconds)
    }

    fn steps(points: &[(u64, i64)]) -> Steps {
        points.iter().map(|&(at, value)| (s(at), value)).collect()
    }

    #[test]
    fn a_value_holds_from_its_point() {
        let x = steps(&[(10, 4), (20, 2)]);
        for (at, value) in [(0, 0), (9, 0), (10, 4), (19, 4), (20, 2), (99, 2)] {
            assert_eq!(x.at(s(at)), value, "at {at}");
        }
        assert_eq!(x.last(), 2);
        assert_eq!(Steps::default().at(s(5)), 0);
        assert!(Steps::default().is_empty());
        assert!(!steps(&[(0, 0)]).is_empty());
    }

    #[test]
    fn only_the_last_value_of_an_instant_stays() {
        assert_eq!(steps(&[(1, 5), (2, 7), (2, 5), (3, 6)]), steps(&[(1, 5), (3, 6)]));
        assert_eq!(steps(&[(1, 5), (2, 7), (2, 8)]), steps(&[(1, 5), (2, 8)]));
        assert_eq!(steps(&[(1, 5), (1, 6), (2, 6)]), steps(&[(1, 6)]));
        assert_eq!(steps(&[(5, 1), (3, 2)]), steps(&[(5, 2)]), "time does not go back");
    }

    #[test]
    fn ranges_are_half_open() {
        let x = steps(&[(10, 4), (20, 2), (30, 6)]);
        for (from, to, min, max) in [
            (0, 10, (0, 0), (0, 0)),
            (0, 11, (0, 0), (10, 4)),
            (10, 20, (10, 4), (10, 4)),
            (10, 21, (20, 2), (10, 4)),
            (15, 99, (20, 2), (30, 6)),
            (20, 20, (20, 2), (20, 2)),
            (25, 20, (25, 2), (25, 2)),
            (99, 100, (99, 6), (99, 6)),
        ] {
            assert_eq!(x.first_min(s(from), s(to)), (s(min.0), min.1), "min {from}..{to}");
            assert_eq!(x.first_max(s(from), s(to)), (s(max.0), max.1), "max {from}..{to}");
        }
    }

    #[test]
    fn pieces_cover_the_range() {
        let x = steps(&[(10, 4), (20, 2)]);
        let pieces = |a, b| x.pieces(s(a), s(b)).collect::<Vec<_>>();
        assert_eq!(pieces(0, 30), [(s(0), s(10), 0), (s(10), s(20), 4), (s(20), s(30), 2)]);
        assert_eq!(pieces(10, 20), [(s(10), s(20), 4)]);
        assert_eq!(pieces(12, 12), [(s(12), s(12), 4)]);
        assert_eq!(pieces(20, 10), [(s(20), s(20), 2)]);
    }

    #[test]
    fn averages_and_durations_weigh_by_time() {
        let x = steps(&[(10, 4), (20, 2)]);
        for (from, to, mean) in [(0, 20, 2.0), (10, 30, 3.0), (15, 15, 4.0)] {
            assert!((x.mean(s(from), s(to)) - mean).abs() < 1e-12, "{from}..{to}");
        }
        assert_eq!(x.duration_where(s(0), s(30), |v| v >= 2), Span::from_secs(20));
        assert_eq!(x.duration_where(s(0), s(30), |v| v > 9), Span::ZERO);
        assert_eq!(x.first_where(s(0), |v| v == 2), Some(s(20)));
        assert_eq!(x.first_where(s(12), |v| v == 4), Some(s(12)));
        assert_eq!(x.first_where(s(0), |v| v > 4), None);
        assert_eq!(x.changes(s(10), s(20)).collect::<Vec<_>>(), [s(10)]);
    }

    #[test]
    fn short_values_can_be_left_out() {
        let ns = |points: &[(u64, i64)]| -> Steps { points.iter().map(|&(at, value)| (SimTime(at), value)).collect() };
        let spikes = ns(&[(0, 8), (1_999_999, 9), (2_000_001, 8), (7_400_000, 3), (8_400_000, 4), (8_400_001, 5)]);
        let calm = ns(&[(0, 8), (7_400_000, 3), (8_400_001, 5)]);
        assert_eq!(spikes.lasting(Span::from_ms(1)), calm);
        assert_eq!(Steps::default().lasting(Span::from_ms(1)), Steps::default());
    }

    #[test]
    fn zipping_takes_every_change() {
        let sum = steps(&[(0, 1), (10, 2)]).zip_with(&steps(&[(5, 10), (10, 9)]), |a, b| a + b);
        assert_eq!(sum, steps(&[(0, 1), (5, 11)]));
    }
}
