//! One probe of a container: when it is tried, and from when on it counts as
//! succeeded or failed.

use crate::api::{Probe, ProbeKind};
use crate::time::{SECOND, SimTime, Span};

/// A worker of the kubelet's prober.
///
/// Upstream: `pkg/kubelet/prober/worker.go doProbe`
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Prober {
    /// Which probe.
    pub kind: ProbeKind,
    /// Its numbers.
    pub spec: Probe,
    /// One of the moments at which it is tried; all others are whole periods
    /// away from it.
    origin: SimTime,
    last: Option<bool>,
    run: u32,
    /// What counts; `None` before anything is known of this start.
    pub result: Option<bool>,
    /// It rests until the container is started again.
    pub on_hold: bool,
    /// How often it was tried, for draws.
    pub tries: u64,
    /// When it was last tried.
    pub began: SimTime,
}

impl Prober {
    /// A worker begins when the kubelet takes the pod in, long before its
    /// container may be there.
    pub const fn new(kind: ProbeKind, spec: Probe, origin: SimTime) -> Prober {
        // Tries are due at whole milliseconds, so their grid has to be there.
        let origin = origin.floor_ms();
        Prober { kind, spec, origin, last: None, run: 0, result: None, on_hold: false, tries: 0, began: origin }
    }

    /// Another start of the container. How often the last result came in a
    /// row is not forgotten.
    pub const fn new_container(&mut self) {
        self.result = None;
        self.on_hold = false;
    }

    /// It is tried at once, and every period from then on.
    pub const fn trigger(&mut self, now: SimTime) {
        self.origin = now.floor_ms();
    }

    fn period(&self) -> Span {
        Span::from_secs(u64::from(self.spec.period_seconds.max(1)))
    }

    /// The first moment not before `from` at which it is tried.
    pub fn tick_from(&self, from: SimTime) -> SimTime {
        let period = self.period().0;
        match from.0.checked_sub(self.origin.0) {
            None => SimTime(self.origin.0 - (self.origin.0 - from.0) / period * period),
            Some(past) => SimTime(self.origin.0.saturating_add(past.div_ceil(period).saturating_mul(period))),
        }
    }

    /// The first moment at which a container that was started at `started` is
    /// tried, not before `from`. The start counts in whole seconds.
    pub fn first_tick(&self, started: SimTime, from: SimTime) -> SimTime {
        let whole = SimTime(started.0 / SECOND * SECOND);
        let delay = Span::from_secs(u64::from(self.spec.initial_delay_seconds));
        self.tick_from(whole.after(delay).max(from))
    }

    /// The next moment after a try that began at `began` and had its result
    /// at `ended`: of the moments that passed meanwhile one is made up for.
    pub fn next_tick(&self, began: SimTime, ended: SimTime) -> SimTime {
        self.tick_from(SimTime(began.0 + 1)).max(ended)
    }

    /// Counts a result. Answers it if it is settled by that, for the first
    /// time or once more.
    pub fn settle(&mut self, success: bool) -> Option<bool> {
        self.run = match self.last {
            Some(last) if last == success => self.run + 1,
            _ => 1,
        };
        self.last = Some(success);
        let threshold = if success { self.spec.success_threshold } else { self.spec.failure_threshold };
        if self.run < threshold {
            return None;
        }
        self.result = Some(success);
        if self.kind == ProbeKind::Startup || (self.kind == ProbeKind::Liveness && !success) {
            self.on_hold = true;
            self.run = 0;
        }
        Some(success)
    }

    /// How many failures in a row there have been.
    pub const fn failures(&self) -> u32 {
        match self.last {
            Some(false) => self.run,
            _ => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prober(kind: ProbeKind, initial: u32, period: u32, failures: u32) -> Prober {
        let spec = Probe {
            initial_delay_seconds: initial,
            timeout_seconds: 1,
            period_seconds: period,
            success_threshold: 1,
            failure_threshold: failures,
            grace_seconds: None,
        };
        Prober::new(kind, spec, SimTime::from_secs(2))
    }

    #[test]
    fn tries_keep_to_the_grid_of_their_worker() {
        let s = SimTime::from_secs;
        let liveness = prober(ProbeKind::Liveness, 0, 10, 3);
        assert_eq!(liveness.first_tick(s(3), s(3)), s(12), "the worker began at 2 s");
        assert_eq!(liveness.next_tick(s(12), s(12)), s(22));
        assert_eq!(liveness.next_tick(s(12), s(25)), s(25), "a missed one is made up for");
        assert_eq!(liveness.first_tick(s(2), s(2)), s(2));
        let later = prober(ProbeKind::Liveness, 15, 10, 3);
        assert_eq!(later.first_tick(SimTime::from_ms(3_900), s(3)), s(22), "3.9 s counts as 3 s");
        let mut triggered = prober(ProbeKind::Readiness, 0, 10, 3);
        triggered.trigger(s(7));
        assert_eq!(triggered.first_tick(s(7), s(7)), s(7));
        assert_eq!(triggered.next_tick(s(7), s(7)), s(17));
    }

    #[test]
    fn results_settle_at_their_thresholds() {
        for (kind, results, settled, on_hold) in [
            (ProbeKind::Liveness, &[false, false, false][..], Some(false), true),
            (ProbeKind::Liveness, &[false, false, true, false, false], None, false),
            (ProbeKind::Liveness, &[true], Some(true), false),
            (ProbeKind::Startup, &[false, true], Some(true), true),
            (ProbeKind::Readiness, &[true, false, false], None, false),
            (ProbeKind::Readiness, &[true, false, false, false], Some(false), false),
        ] {
            let mut prober = prober(kind, 0, 10, 3);
            let last = results.iter().map(|&r| prober.settle(r)).last().flatten();
            assert_eq!((last, prober.on_hold), (settled, on_hold), "{kind:?} {results:?}");
        }
    }
}
