//! The CronJob controller: starts a Job when its time has come, and keeps
//! account of those that it has started.
//!
//! It wakes up a little after each time of the schedule and looks which times
//! have come since the last Job. However many they are, it starts one Job for
//! the newest of them.

mod pass;
pub mod rules;

use super::{Controller, Notice, Plan, Reaction, SyncError, View, WorkQueue, Write};
use crate::api::{CronJob, Key, Kind};
use crate::cluster::{ApiError, Change, Verb};
use crate::cron::{self, Schedule};
use crate::time::{Instant, Span};
use pass::Pass;
use rules::Past;
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// The CronJob controller remembers the schedules that it has seen, to know
/// a change of schedule from any other.
#[derive(Clone, Debug, Default)]
pub(super) struct CronJobController {
    known: FxHashMap<Key, Known>,
}

/// A schedule as it was last seen.
#[derive(Clone, Debug)]
struct Known {
    schedule: Arc<str>,
    time_zone: Option<Arc<str>>,
    parsed: Result<Schedule, String>,
}

impl Known {
    fn of(cron_job: &CronJob) -> Known {
        let spec = &cron_job.spec;
        let zone = spec.time_zone.as_deref().and_then(|name| cron::zone(name).ok());
        Known {
            schedule: spec.schedule.clone(),
            time_zone: spec.time_zone.clone(),
            parsed: Schedule::parse_in(&spec.schedule, zone.as_ref()),
        }
    }

    fn is_of(&self, cron_job: &CronJob) -> bool {
        self.schedule == cron_job.spec.schedule && self.time_zone == cron_job.spec.time_zone
    }
}

impl Controller for CronJobController {
    fn kind(&self) -> Kind {
        Kind::CronJob
    }

    fn watches(&self, kind: Kind) -> bool {
        matches!(kind, Kind::CronJob | Kind::Job)
    }

    fn observe(&mut self, change: &Change, view: View<'_>, queue: &mut WorkQueue) {
        if change.key.kind == Kind::CronJob {
            return self.observe_cron_job(change, view, queue);
        }
        let known = |owner: &Key| owner.kind == Kind::CronJob && view.cache.cron_jobs.get(*owner).is_some();
        let before = change.old_owner.filter(|_| change.owner_changed);
        before.into_iter().chain(change.owner).filter(known).for_each(|owner| queue.add(owner));
    }

    /// Upstream: `cronjob/cronjob_controllerv2.go sync`
    fn sync(
        &mut self,
        key: Key,
        view: View<'_>,
        plan: &mut Plan,
        _queue: &mut WorkQueue,
    ) -> Result<(), SyncError> {
        let Some(cron_job) = view.cache.cron_jobs.get(key) else { return Ok(()) };
        let known = self.known.entry(key).or_insert_with(|| Known::of(cron_job));
        let mut pass = Pass::new(key, cron_job, view, plan);
        pass.clean_up();
        let then = pass.reconcile(&known.parsed);
        pass.finish(then);
        Ok(())
    }

    /// A Job of that name may be there already: whether it is one of ours is
    /// for the status write to find out.
    ///
    /// Upstream: `cronjob/cronjob_controllerv2.go syncCronJob`, `deleteJob`
    fn failed(
        &mut self,
        key: Key,
        write: &Write,
        error: &ApiError,
        _view: View<'_>,
        plan: &mut Plan,
    ) -> Reaction {
        match (write, error) {
            (Write::CreateJob { .. }, ApiError::AlreadyExists) => Reaction::Ignore,
            (Write::CreateJob { .. }, _) => {
                let message = format!("Error creating job: {}", error.reason());
                plan.announce(key, Notice::warning("FailedCreate", message));
                Reaction::Fail
            }
            (Write::DeleteJob { replaced, .. }, _) => {
                plan.announce(key, Notice::warning("FailedDelete", format!("Deleted job: {}", error.reason())));
                if *replaced { Reaction::Fail } else { Reaction::Ignore }
            }
            _ => Reaction::Fail,
        }
    }

    fn boxed_clone(&self) -> Box<dyn Controller + Send + Sync> {
        Box::new(self.clone())
    }
}

impl CronJobController {
    /// A new schedule is looked at when its next time comes, and at once if
    /// such a time has passed since the last Job; any other change is looked
    /// at now.
    ///
    /// Upstream: `cronjob/cronjob_controllerv2.go updateCronJob`
    fn observe_cron_job(&mut self, change: &Change, view: View<'_>, queue: &mut WorkQueue) {
        let key = change.key;
        let Some(cron_job) = view.cache.cron_jobs.get(key) else {
            self.known.remove(&key);
            return queue.add(key);
        };
        if self.known.get(&key).is_some_and(|known| known.is_of(cron_job)) {
            return queue.add(key);
        }
        let known = Known::of(cron_job);
        match &known.parsed {
            _ if change.verb == Verb::Added => queue.add(key),
            Ok(schedule) => {
                let look = rules::next_look(Past::of(cron_job), view.now, schedule);
                queue.add_after(key, until(look, view.now));
            }
            // Upstream complains and leaves it until the next change.
            Err(_) => {}
        }
        self.known.insert(key, known);
    }
}

/// How long it is until a look; none at all if its time has passed.
fn until(look: Option<Instant>, now: Instant) -> Span {
    Span(look.map_or(0, |at| at.nanos_since(now)).max(0) as u64)
}
