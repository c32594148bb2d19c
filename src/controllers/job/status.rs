//! A Job's conditions and counters.

use crate::api::{ConditionStatus, JobCondition, JobConditionType, JobStatus, Text, Uid};
use crate::time::Timestamp;
use rustc_hash::FxHashSet;

/// A condition as of now.
pub(super) fn condition(
    kind: JobConditionType,
    status: ConditionStatus,
    reason: Text,
    message: Text,
    now: Timestamp,
) -> JobCondition {
    JobCondition { kind, status, reason, message, since: now }
}

/// Adds or replaces a condition and says whether that changed anything. One
/// that does not hold and never held is not worth adding.
///
/// Upstream: `job/job_controller.go ensureJobConditionStatus`
pub(super) fn ensure_condition(conditions: &mut Vec<JobCondition>, new: JobCondition) -> bool {
    let same = |old: &JobCondition| old.status == new.status && old.reason == new.reason && old.message == new.message;
    match conditions.iter_mut().find(|old| old.kind == new.kind) {
        Some(old) if same(old) => false,
        Some(old) => {
            *old = new;
            true
        }
        None if new.status == ConditionStatus::False => false,
        None => {
            conditions.push(new);
            true
        }
    }
}

/// Counts the noted pods that have lost their finalizer: they cannot be seen
/// twice any more. Says whether there were any.
///
/// Upstream: `job/job_controller.go cleanUncountedPodsWithoutFinalizers`
pub(super) fn count_released(status: &mut JobStatus, held: &FxHashSet<Uid>) -> bool {
    let settle = |uids: &mut Vec<Uid>, counter: &mut i32| {
        let before = uids.len();
        uids.retain(|uid| held.contains(uid));
        *counter += (before - uids.len()) as i32;
        uids.len() != before
    };
    let succeeded = settle(&mut status.uncounted.succeeded, &mut status.succeeded);
    settle(&mut status.uncounted.failed, &mut status.failed) || succeeded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_are_replaced_when_they_say_something_else() {
        use ConditionStatus::{False, True};
        let mut list = Vec::new();
        let of = |status, reason, now| {
            condition(JobConditionType::Suspended, status, Text::Known(reason), "".into(), Timestamp(now))
        };
        assert!(!ensure_condition(&mut list, of(False, "JobResumed", 1)), "it was never suspended");
        assert!(ensure_condition(&mut list, of(True, "JobSuspended", 2)));
        assert!(!ensure_condition(&mut list, of(True, "JobSuspended", 3)));
        assert!(ensure_condition(&mut list, of(False, "JobResumed", 4)));
        assert_eq!(list, [of(False, "JobResumed", 4)]);
    }

    #[test]
    fn pods_are_counted_once_they_are_released() {
        let mut status = JobStatus { succeeded: 1, ..JobStatus::default() };
        status.uncounted.succeeded = vec![Uid(1), Uid(2)];
        status.uncounted.failed = vec![Uid(3)];
        let held = FxHashSet::from_iter([Uid(2)]);
        assert!(count_released(&mut status, &held));
        assert_eq!((status.succeeded, status.failed), (2, 1));
        assert_eq!(status.uncounted.succeeded, [Uid(2)]);
        assert!(!count_released(&mut status, &held));
    }
}
