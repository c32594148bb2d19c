//! A controller process: its queue, its workers, and the plans in hand.

use super::client::Client;
use super::event::Event;
use super::meters::Meters;
use super::namesakes::Departed;
use super::queue::{EventQueue, LaneId, Urgency};
use super::setup::ControlPlane;
use super::{RecordId, Simulation};
use crate::api::{Key, Kind};
use crate::cluster::ApiError;
use crate::controllers::{
    self, CONFLICT_BACKOFF, Controller, OnConflict, Plan, Planned, Reaction, Timer, Version, WorkQueue, Write,
};
use crate::time::{Drift, Instant, SimTime, Span};
use std::collections::VecDeque;
use std::sync::Arc;

/// How long a worker takes to fetch a key. Like the latency of writes it
/// only orders what happens within one instant.
const GET: Span = Span::from_ns(100);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    /// Nothing to do.
    Idle,
    /// About to fetch a key.
    Fetching,
    /// Waiting for the answer to the writes at the plan's cursor.
    Writing,
    /// Not working yet.
    Stopped,
}

/// A controller with everything that is lost when it stops.
pub(super) struct Process {
    pub(super) controller: Box<dyn Controller + Send + Sync>,
    pub(super) queue: WorkQueue,
    pub(super) client: Client,
    workers: Vec<Worker>,
    /// What is gone and still in the queue.
    pub(super) departed: Departed,
    /// In which its workers wait to fetch keys.
    lane: LaneId,
}

/// Which worker of which controller.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Hand {
    pub(super) process: u8,
    pub(super) worker: u8,
}

/// What takes keys out of the queue, one after the other, and carries out
/// what the controller makes of them.
#[derive(Clone)]
struct Worker {
    state: State,
    plan: Plan,
    cursor: usize,
    key: Option<Key>,
    /// What led to the sync in hand.
    trigger: RecordId,
    /// The records of the plan's decisions.
    decisions: Vec<RecordId>,
    /// Versions that the plan's writes returned.
    returned: Vec<(Key, u64)>,
    /// The version read for the write at the cursor.
    live: Option<u64>,
    /// When the writes that go together with it may go, if there is a limit.
    due: VecDeque<SimTime>,
    /// How often the write at the cursor met a conflict.
    conflicts: usize,
    /// The sync has failed already; what is left is written all the same.
    failing: bool,
}

impl Clone for Process {
    fn clone(&self) -> Process {
        Process {
            controller: self.controller.boxed_clone(),
            queue: self.queue.clone(),
            client: self.client.clone(),
            workers: self.workers.clone(),
            departed: self.departed.clone(),
            lane: self.lane,
        }
    }
}

impl Process {
    /// The controllers that run, with nothing in memory; `zone` is the time
    /// zone of their host, if it is not the first one's.
    pub(super) fn start_all(
        control_plane: &ControlPlane,
        drift: Drift,
        lane: LaneId,
        zone: Option<&Arc<str>>,
    ) -> Vec<Process> {
        let limit = control_plane.client_limit;
        let worker = Worker::new(limit.is_some());
        let switches = control_plane.switches();
        let time_zone = zone.cloned().or_else(|| switches.time_zone.clone());
        controllers::all(&controllers::Switches { time_zone, ..switches })
            .into_iter()
            .map(|controller| Process {
                queue: controller.new_queue().with_drift(drift),
                client: Client::new(limit),
                workers: vec![worker.clone(); control_plane.workers.of(controller.workers()).into()],
                departed: Departed::default(),
                lane,
                controller,
            })
            .collect()
    }

    /// A worker at work on one key is from now on at work on another.
    pub(super) fn rename_in_hand(&mut self, old: Key, new: Key) {
        self.workers
            .iter_mut()
            .filter_map(|worker| worker.key.as_mut())
            .filter(|key| **key == old)
            .for_each(|k| *k = new);
    }

    /// Hands new timers to the kernel, and wakes workers if there is work.
    pub(super) fn wind_up(&mut self, process: u8, epoch: u8, now: SimTime, events: &mut EventQueue<Event>) {
        if self.queue.has_new_timers() {
            for Timer { at, key } in self.queue.take_timers() {
                events.push(at, Urgency::Normal, Event::Timer { process, epoch, key });
            }
        }
        if self.queue.is_empty() {
            return;
        }
        let fetching = self.workers.iter().filter(|worker| worker.state == State::Fetching).count();
        let wanted = self.queue.waiting().saturating_sub(fetching);
        let idle = self.workers.iter_mut().enumerate().filter(|(_, worker)| worker.state == State::Idle);
        for (i, worker) in idle.take(wanted) {
            worker.state = State::Fetching;
            let hand = Hand { process, worker: i as u8 };
            events.push_lane(self.lane, now.after(GET), Urgency::Normal, Event::Work { hand, epoch });
        }
    }
}

impl Worker {
    /// An idle one; `paced` says that its client has a limit.
    fn new(paced: bool) -> Worker {
        Worker {
            state: State::Idle,
            plan: Plan { paced, ..Plan::default() },
            cursor: 0,
            key: None,
            trigger: RecordId::NONE,
            decisions: Vec::new(),
            returned: Vec::new(),
            live: None,
            due: VecDeque::new(),
            conflicts: 0,
            failing: false,
        }
    }

    /// Turns to a key.
    fn begin(&mut self, key: Key, trigger: RecordId) {
        self.plan.clear();
        self.decisions.clear();
        self.returned.clear();
        self.cursor = 0;
        self.conflicts = 0;
        self.failing = false;
        self.key = Some(key);
        self.trigger = trigger;
    }

    /// The version that a write is sent with.
    fn version_of(&self, write: &Write) -> Option<u64> {
        if self.conflicts > 0 {
            return None;
        }
        match write.version() {
            Version::Any => None,
            Version::Cached(version) => Some(version),
            Version::Live => self.live,
            Version::Returned => {
                let object = write.object();
                self.returned.iter().rev().find(|(key, _)| *key == object).map(|(_, version)| *version)
            }
        }
    }

    /// The place after the writes that belong to the same step.
    fn after_step(&self, step: u8) -> usize {
        let in_step =
            |i: &usize| self.plan.writes.get(*i).is_some_and(|p| p.write.on_conflict() == OnConflict::SkipStep(step));
        let mut next = self.cursor;
        while in_step(&next) {
            next += 1;
        }
        next
    }

    /// Takes a write out of the plan while it is sent: some are large.
    fn take_write(&mut self, index: usize) -> Write {
        let place = &mut self.plan.writes[index].write;
        let object = place.object();
        std::mem::replace(place, Write::DeleteRevision(object))
    }

    fn cause_of(&self, index: usize) -> RecordId {
        let why = self.plan.writes[index].why;
        why.and_then(|i| self.decisions.get(i as usize).copied()).unwrap_or(self.trigger)
    }

    /// When the next of the writes that go together may go, if that is not
    /// now.
    fn next_due(&mut self, now: SimTime) -> Option<SimTime> {
        self.due.pop_front().filter(|&at| at > now)
    }
}

/// What a controller wants to hear of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Interest {
    /// The kinds that it watches, as bits.
    kinds: u32,
    /// The kind without which it does not care for pods, as a bit; all bits if
    /// it always does.
    owners: u32,
}

impl Interest {
    pub(super) fn of(process: &Process) -> Interest {
        let watches = |kind: &Kind| process.controller.watches(*kind);
        Interest {
            kinds: Kind::ALL.into_iter().filter(watches).map(Kind::bit).sum(),
            owners: process.controller.pods_belong_to().map_or(u32::MAX, Kind::bit),
        }
    }

    /// Whether a change of a kind can mean anything to it while there are
    /// objects of the `present` kinds.
    #[inline]
    pub(super) const fn is_in(self, kind: Kind, present: u32) -> bool {
        self.kinds & kind.bit() != 0 && (!matches!(kind, Kind::Pod) || self.owners & present != 0)
    }
}

/// What a write came to.
enum Step {
    /// On to the next one.
    Done,
    /// The same once more after a wait.
    Again(Span),
    /// On after the writes of this step.
    Skip(u8),
    /// The sync has failed.
    Failed,
}

impl Simulation {
    /// A worker goes on: fetches a key, or sends the next writes.
    pub(super) fn work(&mut self, hand: Hand, epoch: u8) {
        if epoch != self.epoch {
            return;
        }
        self.processes[hand.process as usize].queue.now = self.now;
        match self.worker(hand).state {
            State::Fetching => self.begin_sync(hand),
            State::Writing => self.send_writes(hand),
            State::Idle | State::Stopped => {}
        }
    }

    fn worker(&mut self, hand: Hand) -> &mut Worker {
        &mut self.processes[hand.process as usize].workers[hand.worker as usize]
    }

    fn begin_sync(&mut self, hand: Hand) {
        let process = &mut self.processes[hand.process as usize];
        let worker = &mut process.workers[hand.worker as usize];
        let Some((key, trigger)) = process.queue.get() else {
            worker.state = State::Idle;
            return;
        };
        let meters = Meters::new(&self.setup, &self.store, self.cache.as_ref(), &self.traffic, self.now, &self.hosts);
        worker.begin(key, trigger.unwrap_or(RecordId::NONE));
        process.queue.cause = trigger;
        let outcome = process.controller.sync(key, meters.view(), &mut worker.plan, &mut process.queue);
        worker.failing = worker.plan.fails;
        self.record_decisions(hand, key);
        self.send_notices(hand);
        if outcome.is_err() {
            self.finish_sync(hand, false);
        } else {
            self.continue_plan(hand, Span::ZERO);
        }
    }

    /// Decisions that lead to writes become the writes' cause; what leads to
    /// nothing is recorded when it is news.
    fn record_decisions(&mut self, hand: Hand, key: Key) {
        let worker = &mut self.processes[hand.process as usize].workers[hand.worker as usize];
        // The writes stand in the order of their decisions.
        let mut used = worker.plan.writes.iter().filter_map(|planned| planned.why).peekable();
        let mut abouts = worker.plan.abouts.iter().peekable();
        for (i, &why) in worker.plan.decisions.iter().enumerate() {
            let about = abouts.next_if(|(index, ..)| *index == i as u16);
            let (object, cause) = about.map_or((key.uid, worker.trigger), |(_, object, source)| {
                (object.uid, self.recorder.latest_of(source.uid))
            });
            let id = if used.peek() == Some(&(i as u16)) {
                while used.next_if_eq(&(i as u16)).is_some() {}
                self.recorder.decide(cause, object, why)
            } else {
                self.recorder.refuse(cause, object, why);
                cause
            };
            worker.decisions.push(id);
        }
    }

    fn send_notices(&mut self, hand: Hand) {
        let worker = &mut self.processes[hand.process as usize].workers[hand.worker as usize];
        if worker.plan.notices.is_empty() {
            return;
        }
        self.recorder.last = worker.trigger;
        let notices = std::mem::take(&mut worker.plan.notices);
        self.at_work = Some(hand.process);
        for notice in notices {
            self.send_notice(&notice);
        }
        self.at_work = None;
    }

    fn latency(&self, index: u8) -> Span {
        let own = self.processes[index as usize].controller.write_latency();
        Span(own.0 + self.setup.control_plane.write_latency.0)
    }

    /// Waits for the answer to the next writes, or finishes.
    fn continue_plan(&mut self, hand: Hand, wait: Span) {
        let latency = self.latency(hand.process);
        let Process { controller, client, workers, .. } = &mut self.processes[hand.process as usize];
        let worker = &mut workers[hand.worker as usize];
        if worker.cursor >= worker.plan.writes.len() {
            let ok = !worker.failing && !worker.plan.fails;
            return self.finish_sync(hand, ok);
        }
        worker.state = State::Writing;
        let write = &worker.plan.writes[worker.cursor].write;
        if write.version() == Version::Live {
            let object = write.object();
            worker.live = self.store.objects().meta(object).map(|meta| meta.resource_version);
        }
        let mut at = self.now.after(wait);
        if client.is_limited() {
            let step = &worker.plan.writes[worker.cursor..];
            let rest = step.iter().skip(1).take_while(|planned| planned.together);
            // After a conflict the object is read again first.
            let again = u32::from(worker.conflicts > 0);
            let requests = |planned: &Planned| controller.requests(&planned.write);
            let together = step.iter().take(1).map(|planned| requests(planned) + again).chain(rest.map(requests));
            at = client.reserve(at, together, &mut worker.due);
        }
        let work = Event::Work { hand, epoch: self.epoch };
        self.queue.push_lane(self.lanes.write, at.after(latency), Urgency::Normal, work);
    }

    /// Sends the write at the cursor and the ones that go together with it.
    fn send_writes(&mut self, hand: Hand) {
        let mut failed = false;
        loop {
            match self.send_one(hand) {
                Step::Done => {
                    let worker = self.worker(hand);
                    worker.cursor += 1;
                    worker.conflicts = 0;
                }
                Step::Again(wait) => return self.continue_plan(hand, wait),
                Step::Skip(step) => {
                    let worker = self.worker(hand);
                    worker.cursor = worker.after_step(step);
                    worker.conflicts = 0;
                }
                Step::Failed => {
                    failed = true;
                    let worker = self.worker(hand);
                    worker.cursor += 1;
                    worker.failing = true;
                }
            }
            let (now, latency) = (self.now, self.latency(hand.process));
            let worker = self.worker(hand);
            if !worker.plan.writes.get(worker.cursor).is_some_and(|planned| planned.together) {
                break;
            }
            // The others wait for their own tokens.
            if let Some(at) = worker.next_due(now) {
                let work = Event::Work { hand, epoch: self.epoch };
                self.queue.push(at.after(latency), Urgency::Normal, work);
                return;
            }
        }
        if failed { self.fail_plan(hand) } else { self.continue_plan(hand, Span::ZERO) }
    }

    fn send_one(&mut self, hand: Hand) -> Step {
        let worker = self.worker(hand);
        let (cursor, Some(key)) = (worker.cursor, worker.key) else { return Step::Failed };
        let (version, cause) = (worker.version_of(&worker.plan.writes[cursor].write), worker.cause_of(cursor));
        let mut write = worker.take_write(cursor);
        // Events are sent in the background, and again until they get through.
        let answer = if self.api_answers() || matches!(write, Write::Announce { .. }) {
            self.send(hand.process, &mut write, version, cause)
        } else {
            Err(ApiError::Unavailable)
        };
        let process = &mut self.processes[hand.process as usize];
        let worker = &mut process.workers[hand.worker as usize];
        let error = match answer {
            Ok((object, version)) => {
                worker.returned.push((object, version));
                process.controller.written(key, &write, object, version);
                self.publish();
                return Step::Done;
            }
            Err(error) => error,
        };
        worker.plan.writes[cursor].write = write.clone();
        if error == ApiError::Conflict {
            let tries = worker.conflicts;
            worker.conflicts += 1;
            match write.on_conflict() {
                OnConflict::RetryOnce if tries == 0 => return Step::Again(Span::ZERO),
                OnConflict::BackOff if tries < CONFLICT_BACKOFF.len() => {
                    return Step::Again(CONFLICT_BACKOFF[tries]);
                }
                OnConflict::SkipStep(step) => return Step::Skip(step),
                _ => {}
            }
        }
        self.refused(hand, key, &write, &error)
    }

    /// Sends a request, with the Kubernetes Events that go with it.
    fn send(
        &mut self,
        process: u8,
        write: &mut Write,
        version: Option<u64>,
        cause: RecordId,
    ) -> Result<(Key, u64), ApiError> {
        self.at_work = Some(process);
        let answer = self.apply(write, version, cause);
        self.at_work = None;
        answer
    }

    /// Asks the controller about a write that was refused. What it adds is
    /// written before the sync fails.
    fn refused(&mut self, hand: Hand, key: Key, write: &Write, error: &ApiError) -> Step {
        let meters = Meters::new(&self.setup, &self.store, self.cache.as_ref(), &self.traffic, self.now, &self.hosts);
        let process = &mut self.processes[hand.process as usize];
        let worker = &mut process.workers[hand.worker as usize];
        let mut more = Plan::default();
        let reaction = process.controller.failed(key, write, error, meters.view(), &mut more);
        match reaction {
            Reaction::Ignore | Reaction::Rest => {
                if reaction == Reaction::Rest {
                    worker.plan.requeue_at = None;
                }
                let next = worker.cursor + 1;
                worker.plan.writes.splice(next..next, more.writes);
                Step::Done
            }
            Reaction::Finish => {
                let next = worker.cursor + 1;
                let beside = worker.plan.writes[next..].iter().take_while(|planned| planned.together).count();
                let mut rest = worker.plan.writes.split_off(next + beside);
                process.controller.salvage(key, write, error, meters.view(), &mut rest);
                worker.plan.writes.append(&mut rest);
                worker.plan.writes.splice(next..next, more.writes);
                Step::Failed
            }
            Reaction::Fail => {
                worker.plan.writes.truncate(worker.cursor + 1);
                worker.plan.writes.append(&mut more.writes);
                Step::Failed
            }
        }
    }

    fn fail_plan(&mut self, hand: Hand) {
        self.worker(hand).failing = true;
        self.continue_plan(hand, Span::ZERO);
    }

    /// The sync is over: forgets or backs off, and turns to the next key.
    fn finish_sync(&mut self, hand: Hand, ok: bool) {
        let clock = self.hosts.manager;
        let process = &mut self.processes[hand.process as usize];
        let worker = &mut process.workers[hand.worker as usize];
        let Some(key) = worker.key.take() else { return };
        process.queue.cause = worker.trigger.some();
        let most = process.controller.max_retries().unwrap_or(u32::MAX);
        let again = !ok && process.queue.failures(key) < most;
        if again {
            process.queue.add_rate_limited(key);
        } else if ok && let Some(at) = worker.plan.requeue_at {
            process.queue.add_at(key, clock.sim_time(at));
        }
        process.queue.done(key, !again && !worker.plan.keeps_failures);
        process.queue.now = self.now;
        let meters = Meters::new(&self.setup, &self.store, self.cache.as_ref(), &self.traffic, self.now, &self.hosts);
        process.controller.finished(key, meters.view(), &mut process.queue);
        worker.state = State::Idle;
        process.note_end_of_sync(key);
        if process.queue.has_news() {
            process.wind_up(hand.process, self.epoch, self.now, &mut self.queue);
        }
    }

    /// A delayed key is due.
    pub(super) fn timer(&mut self, index: u8, epoch: u8, key: Key) {
        if epoch != self.epoch {
            return;
        }
        let process = &mut self.processes[index as usize];
        process.queue.now = self.now;
        process.queue.expire(Timer { at: self.now, key });
        process.wind_up(index, epoch, self.now, &mut self.queue);
    }

    /// Other processes take the place of those there are.
    pub(super) fn set_processes(&mut self, processes: Vec<Process>) {
        self.interests = processes.iter().map(Interest::of).collect();
        self.processes = processes;
    }

    /// What the controllers remembered is lost.
    pub(super) fn forget_controllers(&mut self) {
        self.epoch = self.epoch.wrapping_add(1);
        self.set_processes(Vec::new());
    }

    /// New controllers list everything and begin a little later.
    pub(super) fn start_controllers(&mut self) {
        self.epoch = self.epoch.wrapping_add(1);
        if let Some(cache) = &mut self.cache {
            cache.clone_from(self.store.objects());
            self.watch.iter_mut().for_each(|watched| watched.stale = true);
        }
        let drift = self.hosts.manager.drift();
        let zone = self.hosts.manager_zone.clone();
        self.set_processes(Process::start_all(&self.setup.control_plane, drift, self.lanes.fetch, zone.as_ref()));
        for worker in self.processes.iter_mut().flat_map(|process| &mut process.workers) {
            worker.state = State::Stopped;
        }
        for kind in Kind::ALL {
            for key in self.store.objects().keys_by_name(kind) {
                if let Some(change) = self.store.objects().added(key) {
                    self.observe(&change, self.recorder.last);
                }
            }
        }
        for (index, process) in self.processes.iter().enumerate() {
            let at = self.now.after(process.controller.start_up());
            let up = Event::WorkersUp { process: index as u8, epoch: self.epoch };
            self.queue.push(at, Urgency::Normal, up);
        }
        self.write_held_endpoints();
    }

    /// The host was frozen: every timer goes off so much later, and workers
    /// go on when they are woken.
    pub(super) fn put_off_controllers(&mut self, by: Span) {
        self.epoch = self.epoch.wrapping_add(1);
        for (index, process) in self.processes.iter_mut().enumerate() {
            process.queue.put_off(by);
            process.wind_up(index as u8, self.epoch, self.now, &mut self.queue);
        }
    }

    /// Workers go on with what they were about to do.
    pub(super) fn wake_workers(&mut self) {
        let epoch = self.epoch;
        for index in 0..self.processes.len() {
            let process = index as u8;
            let mut stopped = false;
            for worker in 0..self.processes[index].workers.len() {
                let hand = Hand { process, worker: worker as u8 };
                let wait = match self.worker(hand).state {
                    State::Idle => continue,
                    State::Fetching => GET,
                    State::Writing => self.latency(process),
                    State::Stopped => {
                        stopped = true;
                        continue;
                    }
                };
                self.queue.push(self.now.after(wait), Urgency::Normal, Event::Work { hand, epoch });
            }
            if stopped {
                let at = self.now.after(self.processes[index].controller.start_up());
                self.queue.push(at, Urgency::Normal, Event::WorkersUp { process, epoch });
            }
        }
    }

    /// A controller begins, or is to be as if it had begun at `since`.
    pub(super) fn start_controller(&mut self, index: u8, since: Instant) {
        let process = &mut self.processes[index as usize];
        process.queue.now = self.now;
        let meters = Meters::new(&self.setup, &self.store, self.cache.as_ref(), &self.traffic, self.now, &self.hosts);
        process.controller.start(since, meters.view(), &mut process.queue);
        process.wind_up(index, self.epoch, self.now, &mut self.queue);
    }

    pub(super) fn workers_up(&mut self, index: u8, epoch: u8) {
        if epoch != self.epoch {
            return;
        }
        let process = &mut self.processes[index as usize];
        process.workers.iter_mut().for_each(|worker| worker.state = State::Idle);
        self.start_controller(index, self.hosts.manager.monotonic(self.now));
    }
}
