//! How long a Job waits before it replaces a pod that failed.

use crate::api::Pod;
use crate::time::{Instant, SECOND, Span, Timestamp};

/// The wait after the first failure.
///
/// Upstream: `job/job_controller.go DefaultJobPodFailureBackOff`
const FIRST: u64 = 10 * SECOND;

/// The longest wait.
///
/// Upstream: `job/job_controller.go MaxJobPodFailureBackOff`
const LONGEST: u64 = 600 * SECOND;

/// The failures that a Job waits for. Only the controller's memory has it: a
/// restart forgives everything.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct BackoffRecord {
    /// Failures since a pod last succeeded.
    pub failures: i32,
    /// When the last of them was.
    pub last_failure: Option<Timestamp>,
}

impl BackoffRecord {
    /// The record once newly finished pods are counted. A success forgives
    /// all failures before it, but not those that ended after it.
    ///
    /// Upstream: `job/backoff_utils.go newBackoffRecord`
    #[must_use]
    pub fn after(self, succeeded: &[Timestamp], failed: &[Timestamp]) -> BackoffRecord {
        let last = failed.iter().max().copied();
        let Some(&success) = succeeded.iter().max() else {
            return match last {
                None => self,
                last => BackoffRecord { failures: self.failures + failed.len() as i32, last_failure: last },
            };
        };
        let failures = failed.iter().filter(|&&at| at > success).count() as i32;
        BackoffRecord { failures, last_failure: last.filter(|_| failures > 0) }
    }

    /// How long no pod may be created.
    ///
    /// Upstream: `job/backoff_utils.go getRemainingTime`
    #[must_use]
    pub fn remaining(self, now: Instant) -> Span {
        self.last_failure.map_or(Span::ZERO, |at| remaining(self.failures, at, now))
    }
}

/// What is left of the wait after so many failures in a row: 10 s, doubled
/// with each one up to 10 minutes, from the whole second of the last one.
///
/// Upstream: `job/backoff_utils.go getRemainingTimeForFailuresCount`
#[must_use]
pub fn remaining(failures: i32, last_failure: Timestamp, now: Instant) -> Span {
    if failures <= 0 {
        return Span::ZERO;
    }
    let doublings = (failures - 1).min(6) as u32;
    let wait = (FIRST << doublings).min(LONGEST) as i64;
    Span::from_ns((wait - now.nanos_since(last_failure.instant())).max(0) as u64)
}

/// When a pod is taken to have ended: when its containers did; else when it
/// ceased to be ready; else when its deletion was asked for.
///
/// Upstream: `job/backoff_utils.go getFinishedTime`
#[must_use]
pub fn finished_at(pod: &Pod) -> Timestamp {
    let of_containers = pod.terminated.filter(|_| pod.is_finished()).map(|(_, at)| at);
    let unready = || (!pod.ready && pod.node.is_some()).then_some(pod.ready_since);
    let deleted = || pod.meta.deletion.map(|deletion| deletion.at);
    of_containers.or_else(unready).or_else(deleted).unwrap_or(pod.meta.created)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_ten_minutes() {
        let since = Timestamp(1000);
        for (failures, seconds) in
            [(0, 0), (1, 10), (2, 20), (3, 40), (4, 80), (5, 160), (6, 320), (7, 600), (8, 600), (i32::MAX, 600)]
        {
            assert_eq!(remaining(failures, since, since.instant()), Span::from_secs(seconds), "{failures}");
        }
        assert_eq!(remaining(1, since, Timestamp(1009).instant()), Span::from_secs(1));
        assert_eq!(remaining(1, since, Timestamp(1011).instant()), Span::ZERO);
    }

    #[test]
    fn a_success_forgives_what_failed_before_it() {
        let record = |failures, last: Option<i64>| BackoffRecord { failures, last_failure: last.map(Timestamp) };
        let old = record(3, Some(5));
        for (succeeded, failed, after) in [
            (vec![], vec![], old),
            (vec![], vec![9, 7], record(5, Some(9))),
            (vec![8], vec![], record(0, None)),
            (vec![8, 6], vec![9, 7, 8], record(1, Some(9))),
            (vec![8], vec![7], record(0, None)),
        ] {
            let times = |seconds: &[i64]| seconds.iter().copied().map(Timestamp).collect::<Vec<_>>();
            assert_eq!(old.after(&times(&succeeded), &times(&failed)), after, "{succeeded:?} {failed:?}");
        }
    }
}
