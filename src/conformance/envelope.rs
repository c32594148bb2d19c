//! Curves of pods within an envelope.
//!
//! With limited API clients it is a race which of several waiting requests
//! goes first, so single writes differ from run to run while the curves do
//! not. Such recordings keep the smallest and the largest value per second.

use crate::api::Kind;
use crate::time::SimTime;
use crate::trace::{Trace, What};
use serde::Deserialize;

/// The smallest and the largest value over the runs at 0, 1, 2, … seconds.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Band {
    /// The smallest values.
    pub min: Vec<i64>,
    /// The largest values.
    pub max: Vec<i64>,
}

/// The recorded curves.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Envelope {
    /// Pods that exist, terminating ones too.
    pub exist: Band,
    /// Pods that are ready and not terminating.
    pub ready: Band,
    /// Pods that are terminating.
    pub terminating: Band,
}

/// The same curves of our trace, a value per second.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Curves {
    /// Pods that exist, terminating ones too.
    pub exist: Vec<i64>,
    /// Pods that are ready and not terminating.
    pub ready: Vec<i64>,
    /// Pods that are terminating.
    pub terminating: Vec<i64>,
}

#[derive(Clone, Copy, Default)]
struct PodState {
    exists: bool,
    ready: bool,
    terminating: bool,
}

impl PodState {
    const fn after(mut self, what: &What) -> PodState {
        match what {
            What::Created => self.exists = true,
            What::Ready => self.ready = true,
            What::Unready | What::Succeeded { .. } | What::Failed { .. } => self.ready = false,
            What::Deleting { .. } => self.terminating = true,
            What::Removed => {
                self = PodState { exists: false, ready: false, terminating: false };
            }
            _ => {}
        }
        self
    }

    fn counts(self) -> [i64; 3] {
        [i64::from(self.exists), i64::from(self.ready && !self.terminating), i64::from(self.exists && self.terminating)]
    }
}

impl Curves {
    /// Counts the pods of a trace at 0, 1, 2, … seconds, writes of that very
    /// millisecond included.
    pub fn of(trace: &Trace, seconds: usize) -> Curves {
        let mut states = vec![PodState::default(); trace.subjects.len()];
        let (mut counts, mut curves) = ([0_i64; 3], Curves::default());
        let mut records = trace.records.iter().peekable();
        for second in 0..seconds {
            let at = SimTime::from_secs(second as u64);
            while let Some(record) = records.next_if(|r| r.at.floor_ms() <= at) {
                if trace.subject(record.subject).kind == Kind::Pod {
                    let state = &mut states[record.subject.0 as usize];
                    let before = std::mem::replace(state, state.after(&record.what)).counts();
                    let after = state.counts();
                    for i in 0..counts.len() {
                        counts[i] += after[i] - before[i];
                    }
                }
            }
            curves.exist.push(counts[0]);
            curves.ready.push(counts[1]);
            curves.terminating.push(counts[2]);
        }
        curves
    }
}

impl Envelope {
    /// How many seconds it covers.
    pub fn seconds(&self) -> usize {
        self.exist.min.len()
    }

    /// The first place where a curve leaves its band by more than two pods and
    /// more than 2 %, in words.
    pub fn check(&self, curves: &Curves) -> Option<String> {
        let named = [
            ("exist", &self.exist, &curves.exist),
            ("ready", &self.ready, &curves.ready),
            ("terminating", &self.terminating, &curves.terminating),
        ];
        let outside = named.iter().flat_map(|(name, band, ours)| {
            let bounds = band.min.iter().zip(&band.max).enumerate();
            bounds.filter_map(move |(second, (&min, &max))| {
                let pods = ours.get(second).copied().unwrap_or(0);
                let within = pods >= min - slack(min) && pods <= max + slack(max);
                (!within).then(|| (second, format!("{name} at {second} s: recorded {min} to {max}, ours {pods}")))
            })
        });
        outside.min_by_key(|(second, _)| *second).map(|(_, text)| text)
    }
}

/// Two pods, or 2 % where that is more.
fn slack(bound: i64) -> i64 {
    (bound / 50).max(2)
}

#[cfg(test)]
mod tests {
    use super::super::by_hand::{hand_made, ms};
    use super::*;
    use crate::trace::{RecordId, SubjectId};

    #[test]
    fn pods_are_counted_at_whole_seconds() {
        let mut trace = hand_made(&["Pod/a", "Pod/b"]);
        for (at, pod, what) in [
            (ms(0), 0, What::Created),
            (ms(900), 1, What::Created),
            (ms(1000), 0, What::Ready),
            (SimTime(1_000_400_000), 1, What::Ready),
            (ms(1500), 0, What::Deleting { grace_seconds: 30 }),
            (ms(3000), 0, What::Failed { exit_code: Some(143), reason: None }),
            (ms(3000), 0, What::Removed),
            (ms(3500), 1, What::Unready),
        ] {
            trace.push(at, RecordId::NONE, SubjectId(pod), what);
        }
        let curves = Curves::of(&trace, 5);
        assert_eq!(curves.exist, [1, 2, 2, 1, 1]);
        assert_eq!(curves.ready, [0, 2, 1, 1, 0]);
        assert_eq!(curves.terminating, [0, 0, 1, 0, 0]);
    }

    #[test]
    fn two_pods_or_two_percent_are_allowed() {
        let band = |min: i64, max: i64| Band { min: vec![0, min], max: vec![0, max] };
        for (min, max, ours, agrees) in
            [(10, 12, 8, true), (10, 12, 7, false), (10, 12, 14, true), (10, 12, 15, false), (200, 200, 204, true)]
        {
            let envelope = Envelope { exist: band(min, max), ready: band(0, 0), terminating: band(0, 0) };
            let curves = Curves { exist: vec![0, ours], ready: vec![0, 0], terminating: vec![0, 0] };
            assert_eq!(envelope.check(&curves).is_none(), agrees, "{min}..{max} {ours}");
        }
        let envelope = Envelope { exist: band(10, 12), ready: band(0, 0), terminating: band(0, 0) };
        let text = envelope.check(&Curves::default()).expect("no pods at all");
        assert_eq!(text, "exist at 1 s: recorded 10 to 12, ours 0");
    }
}
