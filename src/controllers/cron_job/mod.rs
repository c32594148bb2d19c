//! The CronJob controller: starts a Job when its time has come, and keeps
//! account of those that it has started.
//!
//! It wakes up a little after each time of the schedule and looks which times
//! have come since the last Job. However many they are, it starts one Job for
//! the newest of them.

mod pass;
pub mod rules;

use super::{Controller, Notice, Plan, Reaction, SyncError, View, WorkQueue, Write};
use crate::api::{CronJob, Key, KeyMap, Kind};
use crate::cluster::{ApiError, Change, Verb};
use crate::cron::{self, Schedule};
use crate::time::{Instant, Span};
use pass::Pass;
use rules::{Past, Remembered};
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// The CronJob controller remembers the schedules that it has seen, to know
/// a change of schedule from any other.
#[derive(Clone, Debug, Default)]
pub(super) struct CronJobController {
    known: KeyMap<Known>,
    /// CronJobs that are gone, under the one that has their name now: Jobs
    /// are matched by the names of their controllers.
    earlier: FxHashMap<Key, Vec<Key>>,
    /// The time zone of its host, in which schedules without one are read.
    zone: Option<Arc<str>>,
}

/// A schedule as it was last seen.
#[derive(Clone, Debug)]
struct Known {
    schedule: Arc<str>,
    time_zone: Option<Arc<str>>,
    parsed: Result<Remembered, String>,
}

impl Known {
    /// Reads a schedule; one without a time zone is in that of the host.
    ///
    /// Upstream: `cronjob/cronjob_controllerv2.go formatSchedule`
    fn of(cron_job: &CronJob, host: Option<&str>) -> Known {
        let spec = &cron_job.spec;
        let known = |name: &str| cron::zone(name).ok();
        let zone = spec.time_zone.as_deref().and_then(known).or_else(|| host.and_then(known));
        Known {
            schedule: spec.schedule.clone(),
            time_zone: spec.time_zone.clone(),
            parsed: Schedule::parse_in(&spec.schedule, zone.as_ref()).map(Remembered::new),
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
    fn sync(&mut self, key: Key, view: View<'_>, plan: &mut Plan, _queue: &mut WorkQueue) -> Result<(), SyncError> {
        let Some(cron_job) = view.cache.cron_jobs.get(key) else { return Ok(()) };
        if !self.known.contains(key) {
            self.known.insert(key, Known::of(cron_job, self.zone.as_deref()));
        }
        let Some(known) = self.known.get_mut(key) else { return Ok(()) };
        let earlier = match self.earlier.get_mut(&key) {
            None => &[][..],
            Some(keys) => {
                keys.retain(|&key| pass::jobs_of(key, view).next().is_some());
                keys
            }
        };
        let mut pass = Pass::new(key, cron_job, earlier, view, plan);
        pass.clean_up();
        let then = pass.reconcile(known.parsed.as_mut());
        pass.finish(then);
        Ok(())
    }

    /// A Job of that name may be there already: whether it is one of ours is
    /// for the status write to find out.
    ///
    /// Upstream: `cronjob/cronjob_controllerv2.go syncCronJob`, `deleteJob`
    fn failed(&mut self, key: Key, write: &Write, error: &ApiError, view: View<'_>, plan: &mut Plan) -> Reaction {
        match (write, error) {
            (Write::CreateJob { job, .. }, ApiError::AlreadyExists) => {
                let live = &view.live.jobs;
                let found = live.find(&job.meta.namespace, &job.meta.name).and_then(|found| live.get(found));
                let own = found.is_some_and(|found| found.meta.controller() == Some(key));
                // Upstream leaves somebody else's Job alone, and the schedule too.
                if own { Reaction::Ignore } else { Reaction::Rest }
            }
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

    fn renamed(&mut self, old: Key, new: Key) {
        let mut earlier = self.earlier.remove(&old).unwrap_or_default();
        earlier.push(old);
        self.earlier.insert(new, earlier);
    }

    /// Upstream: `cmd/kube-controller-manager/app/options` `--concurrent-cron-job-syncs`
    fn workers(&self) -> u8 {
        5
    }

    fn boxed_clone(&self) -> Box<dyn Controller + Send + Sync> {
        Box::new(self.clone())
    }
}

impl CronJobController {
    /// A process on a host in a time zone; UTC if there is none.
    pub(super) fn in_zone(zone: Option<Arc<str>>) -> CronJobController {
        CronJobController { zone, ..CronJobController::default() }
    }

    /// A new schedule is looked at when its next time comes, and at once if
    /// such a time has passed since the last Job; any other change is looked
    /// at now.
    ///
    /// Upstream: `cronjob/cronjob_controllerv2.go updateCronJob`
    fn observe_cron_job(&mut self, change: &Change, view: View<'_>, queue: &mut WorkQueue) {
        let key = change.key;
        let Some(cron_job) = view.cache.cron_jobs.get(key) else {
            self.known.remove(key);
            if self.earlier.get(&key).is_some_and(Vec::is_empty) {
                self.earlier.remove(&key);
            }
            return queue.add(key);
        };
        if self.known.get(key).is_some_and(|known| known.is_of(cron_job)) {
            return queue.add(key);
        }
        let mut known = Known::of(cron_job, self.zone.as_deref());
        match &mut known.parsed {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{
        ActiveJob, ConditionStatus, CronJobStatus, Job, JobCondition, JobConditionType, Meta, Object, OwnerRef,
    };
    use crate::cluster::{Objects, Store};
    use crate::manifest;
    use crate::time::Timestamp;
    use crate::trace::Why;
    use serde_json::{Value, json};

    /// A CronJob of every minute, created at the beginning of 2026, and Jobs
    /// that it owns.
    struct World {
        store: Store,
        key: Key,
        /// As it was created.
        spare: CronJob,
    }

    fn second(n: i64) -> Timestamp {
        Timestamp(Timestamp::parse("2026-01-01T00:00:00Z").expect("a time").0 + n)
    }

    impl World {
        fn new(spec: &Value) -> World {
            let mut document = json!({
                "apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "tick"},
                "spec": {"schedule": "* * * * *", "jobTemplate": {"spec": {"template": {"spec": {
                    "restartPolicy": "Never", "containers": [{"name": "app", "image": "app:v1"}]
                }}}}}
            });
            for (name, value) in spec.as_object().into_iter().flatten() {
                document["spec"][name] = value.clone();
            }
            let object = manifest::read(&document).expect("a CronJob").object;
            let Object::CronJob(cron_job) = object else { panic!("not a CronJob") };
            let mut store = Store::default();
            store.now = second(0);
            let spare = (*cron_job).clone();
            let key = store.create(*cron_job).expect("new");
            World { store, key, spare }
        }

        fn cron_job(&self) -> &CronJob {
            self.store.objects().cron_jobs.get(self.key).expect("there")
        }

        /// Adds a Job of the CronJob, one that ended at this second if given.
        fn job(&mut self, name: &str, complete_at: Option<i64>) -> Key {
            let spec = self.cron_job().spec.template.spec.clone();
            let owner = OwnerRef { key: self.key, controller: true, blocks_deletion: true };
            let meta = Meta { owners: vec![owner], ..Meta::named("default", name) };
            let status = crate::api::JobStatus::default();
            let job = self.store.create(Job { meta, spec, status }).expect("new");
            self.store
                .update(job, None, |row: &mut Job| {
                    row.status.start_time = Some(second(complete_at.unwrap_or(0)));
                    row.status.completion_time = complete_at.map(second);
                    row.status.conditions.extend(complete_at.map(|at| JobCondition {
                        kind: JobConditionType::Complete,
                        status: ConditionStatus::True,
                        reason: "CompletionsReached".into(),
                        message: "".into(),
                        since: second(at),
                    }));
                })
                .expect("there");
            job
        }

        /// Enters Jobs into `status.active`.
        fn activate(&mut self, jobs: &[Key]) {
            let name = |job: &Key| self.store.objects().meta(*job).map(|meta| meta.name.clone());
            let active: Vec<ActiveJob> =
                jobs.iter().filter_map(|job| Some(ActiveJob { uid: job.uid, name: name(job)? })).collect();
            let write = |row: &mut CronJob| row.status.active = active;
            self.store.update(self.key, None, write).expect("there");
        }

        /// What a sync at a second writes: Events by their reasons, Jobs by
        /// their names, and the status.
        fn sync(&self, at: i64) -> (Vec<String>, Plan) {
            self.sync_with(self.store.objects(), at)
        }

        fn view(&self, at: i64) -> View<'_> {
            View::up_to_date(self.store.objects(), second(at).instant())
        }

        fn sync_with(&self, cache: &Objects, at: i64) -> (Vec<String>, Plan) {
            let view = View { cache, ..self.view(at) };
            let (mut plan, mut queue) = (Plan::default(), WorkQueue::default());
            let mut controller = CronJobController::default();
            controller.sync(self.key, view, &mut plan, &mut queue).expect("no error");
            (plan.writes.iter().map(|planned| word(&planned.write, cache)).collect(), plan)
        }
    }

    fn word(write: &Write, cache: &Objects) -> String {
        match write {
            Write::Announce { notice, .. } => notice.reason.to_string(),
            Write::CreateJob { job, .. } => format!("+{}", job.meta.name),
            Write::DeleteJob { job, .. } => format!("-{}", cache.meta(*job).map_or("?", |meta| &meta.name)),
            Write::CronJobStatus { status, .. } => {
                let names: Vec<&str> = status.active.iter().map(|job| &*job.name).collect();
                format!("active={}", names.join(","))
            }
            other => format!("{other:?}"),
        }
    }

    const MINUTE_1: &str = "+tick-29453761";

    #[test]
    fn a_due_time_starts_a_job_and_one_to_come_is_waited_for() {
        let world = World::new(&json!({}));
        let (written, plan) = world.sync(59);
        assert!(written.is_empty());
        assert_eq!(plan.requeue_at, Some(Instant(second(60).instant().0 + 100_000_000)));
        let (written, plan) = world.sync(61);
        assert_eq!(written, [MINUTE_1, "active="]);
        assert_eq!(plan.requeue_at, Some(Instant(second(120).instant().0 + 100_000_000)));
        let Write::CreateJob { job, .. } = &plan.writes[0].write else { panic!("no Job") };
        assert_eq!(job.meta.controller(), Some(world.key));
        assert_eq!(
            job.meta.annotations.get("batch.kubernetes.io/cronjob-scheduled-timestamp").map(String::as_str),
            Some("2026-01-01T00:01:00Z")
        );
    }

    #[test]
    fn jobs_made_by_hand_are_noticed_and_do_not_count() {
        for policy in ["Allow", "Forbid", "Replace"] {
            let mut world = World::new(&json!({"concurrencyPolicy": policy}));
            world.job("by-hand", None);
            let (written, _) = world.sync(61);
            assert_eq!(written, ["UnexpectedJob", MINUTE_1, "active="], "{policy}");
        }
        let mut world = World::new(&json!({}));
        world.job("by-hand", Some(30));
        let (written, plan) = world.sync(50);
        assert_eq!(written, ["active="]);
        let Write::CronJobStatus { status, .. } = &plan.writes[0].write else { panic!("no status") };
        assert_eq!(status.last_successful, Some(second(30)));
    }

    #[test]
    fn a_running_job_matters_by_policy() {
        for (policy, expected) in [
            ("Allow", &[MINUTE_1, "active=old"][..]),
            ("Forbid", &["JobAlreadyActive"]),
            ("Replace", &["-old", MINUTE_1, "active="]),
        ] {
            let mut world = World::new(&json!({"concurrencyPolicy": policy}));
            let old = world.job("old", None);
            world.activate(&[old]);
            assert_eq!(world.sync(61).0, expected, "{policy}");
        }
    }

    #[test]
    fn a_finished_job_leaves_the_status_and_the_history_is_limited() {
        let mut world = World::new(&json!({"successfulJobsHistoryLimit": 1, "suspend": true}));
        world.job("b", Some(20));
        let newest = world.job("a", Some(40));
        world.job("c", Some(20));
        world.activate(&[newest]);
        let (written, plan) = world.sync(50);
        assert_eq!(written, ["-b", "-c", "SawCompletedJob", "active="]);
        assert_eq!((plan.requeue_at, plan.decisions.last()), (None, Some(&Why::ScheduleSuspended)));
    }

    #[test]
    fn only_what_is_gone_live_is_missing() {
        let mut world = World::new(&json!({"suspend": true}));
        let job = world.job("old", None);
        world.activate(&[job]);
        let mut cache = world.store.clone();
        cache.remove(job);
        assert!(world.sync_with(cache.objects(), 61).0.is_empty());
        world.store.remove(job);
        assert_eq!(world.sync(61).0, ["MissingJob", "active="]);
    }

    #[test]
    fn a_cached_status_that_is_behind_is_looked_up() {
        let mut world = World::new(&json!({"suspend": true}));
        let job = world.job("tick-29453761", None);
        let before = world.store.clone();
        world.activate(&[job]);
        assert!(world.sync_with(before.objects(), 62).0.is_empty());
    }

    #[test]
    fn a_job_to_be_replaced_that_is_gone_makes_the_sync_fail() {
        let mut world = World::new(&json!({"concurrencyPolicy": "Replace"}));
        let job = world.job("old", None);
        world.activate(&[job]);
        let before = world.store.clone();
        world.store.remove(job);
        let (written, plan) = world.sync_with(before.objects(), 61);
        assert_eq!((written, plan.fails), (vec!["FailedGet".to_string()], true));
    }

    #[test]
    fn too_late_is_said_and_nothing_is_started() {
        let world = World::new(&json!({"schedule": "1 0 * * *", "startingDeadlineSeconds": 10}));
        let (written, plan) = world.sync(71);
        assert!(written.is_empty());
        assert_eq!(plan.decisions, [Why::TooLateToStart { deadline_seconds: 10 }]);
        assert_eq!(world.sync(70).0, Vec::<String>::new());
        assert_eq!(world.sync(69).0, [MINUTE_1, "active="]);
    }

    #[test]
    fn odd_schedules_are_warned_about() {
        for (spec, second, expected) in [
            (json!({"schedule": "59 23 31 2 *"}), 61, &["InvalidSchedule"][..]),
            (json!({}), 60 * 101 + 1, &["TooManyMissedTimes", "+tick-29453861", "active="]),
        ] {
            assert_eq!(World::new(&spec).sync(second).0, expected, "{spec}");
        }
    }

    #[test]
    fn jobs_of_an_earlier_cron_job_of_the_name_are_seen() {
        let mut world = World::new(&json!({"suspend": true}));
        world.job("old", None);
        let old = world.key;
        world.store.remove(old);
        let cron_job = world.spare.clone();
        world.key = world.store.create(cron_job).expect("new");
        let (mut plan, mut queue) = (Plan::default(), WorkQueue::default());
        let mut controller = CronJobController::default();
        controller.renamed(old, world.key);
        controller.sync(world.key, world.view(61), &mut plan, &mut queue).expect("no error");
        let written: Vec<_> = plan.writes.iter().map(|w| word(&w.write, world.store.objects())).collect();
        assert_eq!(written, ["UnexpectedJob"]);
    }

    #[test]
    fn a_name_that_somebody_else_has_stops_the_schedule() {
        let mut world = World::new(&json!({}));
        let (_, plan) = world.sync(61);
        let write = &plan.writes[0].write;
        let Write::CreateJob { job, .. } = write else { panic!("no Job") };
        for (owners, reaction) in [(Vec::new(), Reaction::Rest), (job.meta.owners.clone(), Reaction::Ignore)] {
            let found = Job { meta: Meta { owners, ..job.meta.clone() }, ..(**job).clone() };
            let key = world.store.create(found).expect("new");
            let mut more = Plan::default();
            let answer = CronJobController::default().failed(
                world.key,
                write,
                &ApiError::AlreadyExists,
                world.view(61),
                &mut more,
            );
            assert_eq!(answer, reaction);
            world.store.remove(key);
        }
    }

    #[test]
    fn nothing_is_known_while_the_api_server_is_down() {
        let mut world = World::new(&json!({"suspend": true}));
        let job = world.job("old", None);
        world.activate(&[job]);
        world.store.remove(job);
        let (mut plan, mut queue) = (Plan::default(), WorkQueue::default());
        let view = View { answers: false, ..world.view(61) };
        CronJobController::default().sync(world.key, view, &mut plan, &mut queue).expect("no error");
        assert!(plan.fails && plan.writes.is_empty());
    }

    #[test]
    fn a_time_is_served_once() {
        let mut world = World::new(&json!({}));
        let status = CronJobStatus { last_schedule: Some(second(60)), ..CronJobStatus::default() };
        world.store.update(world.key, None, |row: &mut CronJob| row.status = status).expect("there");
        assert!(world.sync(61).0.is_empty());
        assert_eq!(world.sync(121).0, ["+tick-29453762", "active="]);
    }

    #[test]
    fn another_schedule_is_waited_for_and_any_other_change_is_looked_at() {
        let mut world = World::new(&json!({}));
        let mut controller = CronJobController::default();
        let mut changes = Vec::new();
        world.store.take_changes(&mut changes);
        for (schedule, expected) in [("* * * * *", true), ("30 * * * *", false), ("30 * * * *", true)] {
            let write = |row: &mut CronJob| {
                row.spec.schedule = schedule.into();
                row.spec.starting_deadline_seconds = Some(row.meta.generation);
            };
            world.store.update(world.key, None, write).expect("there");
            world.store.take_changes(&mut changes);
            let view = world.view(5);
            let mut queue = WorkQueue::default();
            for change in changes.drain(..) {
                controller.observe(&change, view, &mut queue);
            }
            assert_eq!(!queue.is_empty(), expected, "{schedule}");
        }
    }
}
