//! What pods use, as a metrics server reads it: the average between its last
//! two looks.
//!
//! Pods that stand alike use the same, so that sums are kept for groups of
//! pods; a pod only keeps by how much it is apart from its group.

use crate::time::{SimTime, Span};

/// How often a metrics server looks at the kubelets.
///
/// Upstream: `--metric-resolution` of kubernetes-sigs/metrics-server
pub const SCRAPE_PERIOD: Span = Span::from_secs(15);

/// Containers that have run for less have no reading yet.
const FRESH: Span = Span::from_secs(10);

/// What is measured: billionths of a CPU, and millionths of a request a
/// second; as sums, each times nanoseconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Amounts {
    pub(super) cpu: i128,
    pub(super) requests: i128,
}

impl Amounts {
    fn plus(self, other: Amounts) -> Amounts {
        Amounts { cpu: self.cpu + other.cpu, requests: self.requests + other.requests }
    }

    fn minus(self, other: Amounts) -> Amounts {
        Amounts { cpu: self.cpu - other.cpu, requests: self.requests - other.requests }
    }

    fn times(self, span: Span) -> Amounts {
        let ns = i128::from(span.0);
        Amounts { cpu: self.cpu * ns, requests: self.requests * ns }
    }
}

/// The number of the latest look at a moment.
const fn look(now: SimTime) -> u64 {
    now.0 / SCRAPE_PERIOD.0
}

/// What a pod of a group has used so far, had it always been there.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct GroupMeter {
    rate: Amounts,
    at: SimTime,
    sum: Amounts,
    /// The sums at the last two looks up to `at`.
    looks: [Amounts; 2],
}

impl GroupMeter {
    /// The sum at a moment that is not before the last change.
    fn sum(&self, at: SimTime) -> Amounts {
        self.sum.plus(self.rate.times(at.since(self.at)))
    }

    /// The sums at the last two looks up to a moment.
    fn looks(&self, now: SimTime) -> [Amounts; 2] {
        let (before, last) = (look(self.at), look(now));
        let at = |number: u64| self.sum(SimTime(number * SCRAPE_PERIOD.0));
        match last - before {
            0 => self.looks,
            1 => [self.looks[1], at(last)],
            _ => [at(last - 1), at(last)],
        }
    }

    /// From now on it is used at another rate.
    pub(super) fn set(&mut self, now: SimTime, rate: Amounts) {
        self.looks = self.looks(now);
        self.sum = self.sum(now);
        self.at = now;
        self.rate = rate;
    }
}

/// What a pod has used.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct PodMeter {
    /// By how much it is apart from its group.
    apart: Amounts,
    joined: SimTime,
    /// Its sums at the last two looks before it joined.
    looks: [Amounts; 2],
    /// Since when its containers have run.
    started: Option<SimTime>,
}

/// What a metrics server shows of a pod.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reading {
    /// When it was taken.
    pub at: SimTime,
    /// Over how long.
    pub window: Span,
    /// Billionths of a CPU.
    pub cpu_nano: u64,
    /// Millionths of a request a second.
    pub requests_micro: u64,
}

impl PodMeter {
    /// Its sums at the last two looks.
    fn looks(&self, group: &GroupMeter, now: SimTime) -> [Amounts; 2] {
        let (before, last) = (look(self.joined), look(now));
        let [early, late] = group.looks(now).map(|sum| sum.plus(self.apart));
        match last - before {
            0 => self.looks,
            1 => [self.looks[1], late],
            _ => [early, late],
        }
    }

    /// It goes from one group to another.
    pub(super) fn moved(&mut self, from: Option<&GroupMeter>, to: &GroupMeter, now: SimTime) {
        let sum = match from {
            Some(group) => {
                self.looks = self.looks(group, now);
                group.sum(now).plus(self.apart)
            }
            None => Amounts::default(),
        };
        self.apart = sum.minus(to.sum(now));
        self.joined = now;
    }

    /// Its containers run from now on, or do not.
    pub fn runs(&mut self, now: SimTime, runs: bool) {
        self.started = runs.then(|| self.started.unwrap_or(now));
    }

    /// The newest reading, if there is one.
    ///
    /// A container that started between the last two looks is taken to have
    /// used nothing before.
    ///
    /// Upstream: kubernetes-sigs/metrics-server `pkg/storage/pod.go Store`
    pub(super) fn read(&self, group: &GroupMeter, now: SimTime) -> Option<Reading> {
        let at = SimTime(look(now) * SCRAPE_PERIOD.0);
        let started = self.started.filter(|started| started.after(FRESH) <= at)?;
        let since = SimTime(at.0.saturating_sub(SCRAPE_PERIOD.0)).max(started);
        let [early, late] = self.looks(group, now);
        let (window, used) = (at.since(since), late.minus(early));
        let mean = |sum: i128| u64::try_from(sum / i128::from(window.0.max(1))).unwrap_or(0);
        Some(Reading { at, window, cpu_nano: mean(used.cpu), requests_micro: mean(used.requests) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn s(seconds: u64) -> SimTime {
        SimTime::from_secs(seconds)
    }

    const fn cpu(cpu: i128) -> Amounts {
        Amounts { cpu, requests: 0 }
    }

    #[test]
    fn readings_are_averages_between_looks() {
        let mut group = GroupMeter::default();
        let mut pod = PodMeter::default();
        pod.moved(None, &group, s(0));
        pod.runs(s(0), true);
        group.set(s(0), cpu(100));
        assert_eq!(pod.read(&group, s(14)), None, "nobody has looked yet");
        let read = |pod: &PodMeter, group: &GroupMeter, at| {
            pod.read(group, s(at)).map(|r| (r.cpu_nano, r.window.0 / 1_000_000_000))
        };
        assert_eq!(read(&pod, &group, 15), Some((100, 15)));
        group.set(s(20), cpu(400));
        assert_eq!(read(&pod, &group, 29), Some((100, 15)), "between looks nothing is new");
        assert_eq!(read(&pod, &group, 30), Some((300, 15)), "5 s at 100 and 10 s at 400");
        assert_eq!(read(&pod, &group, 100), Some((400, 15)));
    }

    #[test]
    fn a_pod_takes_its_sum_along() {
        let (mut busy, mut idle) = (GroupMeter::default(), GroupMeter::default());
        busy.set(s(0), cpu(300));
        idle.set(s(0), cpu(0));
        let mut pod = PodMeter::default();
        pod.moved(None, &idle, s(18));
        pod.runs(s(18), true);
        pod.moved(Some(&idle), &busy, s(20));
        let read = |pod: &PodMeter, group: &GroupMeter, at| {
            pod.read(group, s(at)).map(|r| (r.cpu_nano, r.window.0 / 1_000_000_000))
        };
        assert_eq!(read(&pod, &busy, 30), Some((250, 12)), "10 of its 12 s it was busy");
        pod.moved(Some(&busy), &idle, s(40));
        assert_eq!(read(&pod, &idle, 45), Some((200, 15)), "10 of 15 s it was busy");
        assert_eq!(read(&pod, &idle, 60), Some((0, 15)));
        pod.runs(s(61), false);
        assert_eq!(read(&pod, &idle, 75), None);
    }

    #[test]
    fn fresh_containers_have_no_reading() {
        let mut group = GroupMeter::default();
        group.set(s(0), cpu(100));
        let mut pod = PodMeter::default();
        pod.moved(None, &group, s(21));
        pod.runs(s(21), true);
        assert_eq!(pod.read(&group, s(30)), None);
        assert!(pod.read(&group, s(45)).is_some());
    }
}
