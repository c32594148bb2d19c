//! What the clocks of a component show.

use super::{Instant, SECOND, SimTime, Span, Timestamp};
use serde::{Deserialize, Serialize};

/// How much faster than true time a clock runs, in billionths; negative for a
/// slow one. Ordinary quartz is within 50,000 (50 ppm).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug, Serialize, Deserialize)]
pub struct Drift(pub i64);

impl Drift {
    /// A clock that runs as true time does.
    pub const NONE: Drift = Drift(0);

    /// What a clock gains on true time in `span`, in nanoseconds.
    #[inline]
    const fn gained(self, span: Span) -> i64 {
        if self.0 == 0 { 0 } else { (span.0 as i128 * self.0 as i128 / SECOND as i128) as i64 }
    }

    /// How much true time passes while a clock counts `span`: a fast clock's
    /// timers go off early.
    #[must_use]
    pub const fn true_span(self, span: Span) -> Span {
        if self.0 == 0 {
            return span;
        }
        let rate = SECOND as i128 + self.0 as i128;
        let ns = span.0 as i128 * SECOND as i128 / if rate < 1 { 1 } else { rate };
        Span(if ns > u64::MAX as i128 { u64::MAX } else { ns as u64 })
    }
}

/// The clocks of one component instance: a wall clock, which may be wrong and
/// may be set, and a monotonic one, which runs at the same rate and is never
/// set. Times that go through the API are wall readings; what a process keeps
/// in memory (timers, expectations) goes by the monotonic one.
///
/// All clocks agree with the simulation unless a scenario says otherwise.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Clock {
    /// What the wall clock showed at `since`.
    wall: Instant,
    /// What the monotonic clock showed then.
    monotonic: Instant,
    /// Since when nobody has touched this clock.
    since: SimTime,
    drift: Drift,
}

impl Clock {
    /// A clock that shows `start` when the run begins, and is right.
    pub const fn starting_at(start: Timestamp) -> Clock {
        Clock { wall: start.instant(), monotonic: start.instant(), since: SimTime::ZERO, drift: Drift::NONE }
    }

    /// The clock of a new instance: at `at` it is `offset_ns` nanoseconds
    /// ahead of this one and it drifts.
    #[must_use]
    pub const fn another(&self, at: SimTime, offset_ns: i64, drift: Drift) -> Clock {
        let wall = Instant(self.wall(at).0.saturating_add(offset_ns));
        Clock { wall, monotonic: self.monotonic(at), since: at, drift }
    }

    #[inline]
    const fn elapsed(&self, at: SimTime) -> i64 {
        let true_span = at.since(self.since);
        true_span.0 as i64 + self.drift.gained(true_span)
    }

    /// The wall reading at a moment of the simulation.
    #[inline]
    pub const fn wall(&self, at: SimTime) -> Instant {
        Instant(self.wall.0 + self.elapsed(at))
    }

    /// The monotonic reading at a moment: only differences of two of them mean
    /// anything.
    #[inline]
    pub const fn monotonic(&self, at: SimTime) -> Instant {
        Instant(self.monotonic.0 + self.elapsed(at))
    }

    /// How fast it runs.
    pub const fn drift(&self) -> Drift {
        self.drift
    }

    /// The moment of the simulation at which this clock will show `reading`
    /// if nobody sets it; the past counts as the last time that it was set.
    pub const fn sim_time(&self, reading: Instant) -> SimTime {
        let since = reading.0 - self.wall.0;
        self.since.after(self.drift.true_span(Span(if since < 0 { 0 } else { since as u64 })))
    }

    /// Somebody sets the wall clock, forward or back.
    pub const fn step(&mut self, at: SimTime, by_ns: i64) {
        *self = Clock {
            wall: Instant(self.wall(at).0.saturating_add(by_ns)),
            monotonic: self.monotonic(at),
            since: at,
            drift: self.drift,
        };
    }

    /// The host is frozen for `span` from `at` on: the monotonic clock will
    /// not have counted that time, the wall clock will be right again.
    pub const fn freeze(&mut self, span: Span) {
        self.monotonic.0 -= span.0 as i64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: SimTime = SimTime::from_secs(3600);

    #[test]
    fn a_right_clock_shows_true_time() {
        let clock = Clock::starting_at(Timestamp(100));
        assert_eq!(clock.wall(SimTime::from_ms(1_500)), Instant(101_500_000_000));
        assert_eq!(clock.sim_time(Instant(101_500_000_000)), SimTime::from_ms(1_500));
        assert_eq!(clock.sim_time(Instant(0)), SimTime::ZERO, "the past");
    }

    #[test]
    fn a_drifting_clock_gains_and_its_timers_go_off_early() {
        let fast = Clock::starting_at(Timestamp(0)).another(SimTime::ZERO, 0, Drift(50_000));
        assert_eq!(fast.wall(HOUR), Instant(3_600_180_000_000));
        assert_eq!(fast.monotonic(HOUR), Instant(3_600_180_000_000));
        assert_eq!(fast.drift().true_span(Span::from_secs(3600)).as_ms(), 3_599_820);
        assert_eq!(Drift(-500_000_000).true_span(Span::from_secs(1)), Span::from_secs(2));
    }

    #[test]
    fn only_the_wall_clock_is_set() {
        let mut clock = Clock::starting_at(Timestamp(0)).another(SimTime::ZERO, -1_000_000_000, Drift::NONE);
        clock.step(HOUR, 60_000_000_000);
        let later = HOUR.after(Span::from_secs(1));
        assert_eq!(clock.wall(later), Instant(3_660_000_000_000));
        assert_eq!(clock.monotonic(later), Instant(3_601_000_000_000));
        assert_eq!(clock.sim_time(Instant(3_660_000_000_000)), later);
    }

    #[test]
    fn a_frozen_host_does_not_count() {
        let mut clock = Clock::starting_at(Timestamp(0));
        clock.freeze(Span::from_secs(600));
        assert_eq!(clock.wall(HOUR), Instant(3_600_000_000_000));
        assert_eq!(clock.monotonic(HOUR), Instant(3_000_000_000_000));
    }
}
