//! A controller process: its queue, its worker, and the plan in hand.

use super::client::Client;
use super::event::Event;
use super::meters::Meters;
use super::namesakes::Departed;
use super::queue::{EventQueue, Urgency};
use super::setup::ControlPlane;
use super::{RecordId, Simulation};
use crate::api::{Key, Kind};
use crate::cluster::ApiError;
use crate::controllers::{
    self, CONFLICT_BACKOFF, Controller, OnConflict, Plan, Planned, Reaction, Timer, Version, WorkQueue, Write,
};
use crate::time::{Drift, Instant, SimTime, Span};

/// How long a worker takes to fetch a key. Like the latency of writes it
/// only orders what happens within one instant.
const GET: Span = Span::from_ns(100);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Worker {
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
    /// The kinds that it watches, as bits.
    watches: u32,
    worker: Worker,
    plan: Plan,
    cursor: usize,
    pub(super) key: Option<Key>,
    /// What is gone and still in the queue.
    pub(super) departed: Departed,
    /// What led to the sync in hand.
    trigger: RecordId,
    /// The records of the plan's decisions.
    decisions: Vec<RecordId>,
    /// Versions that the plan's writes returned.
    returned: Vec<(Key, u64)>,
    /// The version read for the write at the cursor.
    live: Option<u64>,
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
            watches: self.watches,
            worker: self.worker,
            plan: self.plan.clone(),
            cursor: self.cursor,
            key: self.key,
            departed: self.departed.clone(),
            trigger: self.trigger,
            decisions: self.decisions.clone(),
            returned: self.returned.clone(),
            live: self.live,
            conflicts: self.conflicts,
            failing: self.failing,
        }
    }
}

impl Process {
    /// The controllers that run, with nothing in memory.
    pub(super) fn start_all(control_plane: &ControlPlane, drift: Drift) -> Vec<Process> {
        controllers::all(&control_plane.switches())
            .into_iter()
            .map(|controller| Process {
                queue: controller.new_queue().with_drift(drift),
                client: Client::new(control_plane.client_limit),
                watches: watched(&*controller),
                controller,
                worker: Worker::Idle,
                plan: Plan { paced: control_plane.client_limit.is_some(), ..Plan::default() },
                cursor: 0,
                key: None,
                departed: Departed::default(),
                trigger: RecordId::NONE,
                decisions: Vec::new(),
                returned: Vec::new(),
                live: None,
                conflicts: 0,
                failing: false,
            })
            .collect()
    }

    /// Whether its informers watch a kind.
    pub(super) const fn watches(&self, kind: Kind) -> bool {
        self.watches & (1 << kind as u32) != 0
    }

    /// Hands new timers to the kernel, and wakes the worker if there is work.
    #[inline]
    pub(super) fn wind_up(&mut self, process: u8, epoch: u8, now: SimTime, events: &mut EventQueue<Event>) {
        if self.queue.has_new_timers() || self.worker == Worker::Idle && !self.queue.is_empty() {
            self.wind_up_now(process, epoch, now, events);
        }
    }

    fn wind_up_now(&mut self, process: u8, epoch: u8, now: SimTime, events: &mut EventQueue<Event>) {
        if self.queue.has_new_timers() {
            for Timer { at, key } in self.queue.take_timers() {
                events.push(at, Urgency::Normal, Event::Timer { process, epoch, key });
            }
        }
        if self.worker == Worker::Idle && !self.queue.is_empty() {
            self.worker = Worker::Fetching;
            events.push(now.after(GET), Urgency::Normal, Event::Work { process, epoch });
        }
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
}

/// The kinds that a controller watches, as bits.
fn watched(controller: &dyn Controller) -> u32 {
    Kind::ALL.into_iter().filter(|&kind| controller.watches(kind)).map(|kind| 1 << kind as u32).sum()
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
    pub(super) fn work(&mut self, index: u8, epoch: u8) {
        if epoch != self.epoch {
            return;
        }
        let process = &mut self.processes[index as usize];
        process.queue.now = self.now;
        match process.worker {
            Worker::Fetching => self.begin_sync(index),
            Worker::Writing => self.send_writes(index),
            Worker::Idle | Worker::Stopped => {}
        }
    }

    fn begin_sync(&mut self, index: u8) {
        let process = &mut self.processes[index as usize];
        let Some((key, trigger)) = process.queue.get() else {
            process.worker = Worker::Idle;
            return;
        };
        let meters = Meters::new(&self.setup, &self.store, self.cache.as_ref(), self.now, &self.hosts);
        process.plan.clear();
        process.decisions.clear();
        process.returned.clear();
        process.cursor = 0;
        process.conflicts = 0;
        process.failing = false;
        process.key = Some(key);
        process.trigger = trigger.unwrap_or(RecordId::NONE);
        process.queue.cause = trigger;
        let outcome = process.controller.sync(key, meters.view(), &mut process.plan, &mut process.queue);
        process.failing = process.plan.fails;
        self.record_decisions(index, key);
        self.send_notices(index);
        if outcome.is_err() {
            self.finish_sync(index, false);
        } else {
            self.continue_plan(index, Span::ZERO);
        }
    }

    /// Decisions that lead to writes become the writes' cause; what leads to
    /// nothing is recorded when it is news.
    fn record_decisions(&mut self, index: u8, key: Key) {
        let process = &mut self.processes[index as usize];
        // The writes stand in the order of their decisions.
        let mut used = process.plan.writes.iter().filter_map(|planned| planned.why).peekable();
        let mut abouts = process.plan.abouts.iter().peekable();
        for (i, &why) in process.plan.decisions.iter().enumerate() {
            let about = abouts.next_if(|(index, ..)| *index == i as u16);
            let (object, cause) = about.map_or((key.uid, process.trigger), |(_, object, source)| {
                (object.uid, self.recorder.latest_of(source.uid))
            });
            let id = if used.peek() == Some(&(i as u16)) {
                while used.next_if_eq(&(i as u16)).is_some() {}
                self.recorder.decide(cause, object, why)
            } else {
                self.recorder.refuse(cause, object, why);
                cause
            };
            process.decisions.push(id);
        }
    }

    fn send_notices(&mut self, index: u8) {
        let process = &mut self.processes[index as usize];
        if process.plan.notices.is_empty() {
            return;
        }
        self.recorder.last = process.trigger;
        let notices = std::mem::take(&mut process.plan.notices);
        self.at_work = Some(index);
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
    fn continue_plan(&mut self, index: u8, wait: Span) {
        let latency = self.latency(index);
        let process = &mut self.processes[index as usize];
        if process.cursor >= process.plan.writes.len() {
            let ok = !process.failing && !process.plan.fails;
            return self.finish_sync(index, ok);
        }
        process.worker = Worker::Writing;
        let write = &process.plan.writes[process.cursor].write;
        if write.version() == Version::Live {
            let object = write.object();
            process.live = self.store.objects().meta(object).map(|meta| meta.resource_version);
        }
        let step = &process.plan.writes[process.cursor..];
        let rest = step.iter().skip(1).take_while(|planned| planned.together);
        // After a conflict the object is read again first.
        let again = u32::from(process.conflicts > 0);
        let requests = |planned: &Planned| process.controller.requests(&planned.write);
        let together = step.iter().take(1).map(|planned| requests(planned) + again).chain(rest.map(requests));
        let at = process.client.reserve(self.now.after(wait), together).after(latency);
        self.queue.push(at, Urgency::Normal, Event::Work { process: index, epoch: self.epoch });
    }

    /// Sends the write at the cursor and the ones that go together with it.
    fn send_writes(&mut self, index: u8) {
        let mut failed = false;
        loop {
            match self.send_one(index) {
                Step::Done => {
                    let process = &mut self.processes[index as usize];
                    process.cursor += 1;
                    process.conflicts = 0;
                }
                Step::Again(wait) => return self.continue_plan(index, wait),
                Step::Skip(step) => {
                    let process = &mut self.processes[index as usize];
                    process.cursor = process.after_step(step);
                    process.conflicts = 0;
                }
                Step::Failed => {
                    failed = true;
                    let process = &mut self.processes[index as usize];
                    process.cursor += 1;
                    process.failing = true;
                }
            }
            let latency = self.latency(index);
            let process = &mut self.processes[index as usize];
            if !process.plan.writes.get(process.cursor).is_some_and(|planned| planned.together) {
                break;
            }
            // The others wait for their own tokens.
            if let Some(at) = process.client.next_due(self.now) {
                let work = Event::Work { process: index, epoch: self.epoch };
                self.queue.push(at.after(latency), Urgency::Normal, work);
                return;
            }
        }
        if failed { self.fail_plan(index) } else { self.continue_plan(index, Span::ZERO) }
    }

    fn send_one(&mut self, index: u8) -> Step {
        let process = &self.processes[index as usize];
        let (cursor, Some(key)) = (process.cursor, process.key) else { return Step::Failed };
        let (version, cause) = (process.version_of(&process.plan.writes[cursor].write), process.cause_of(cursor));
        let mut write = self.processes[index as usize].take_write(cursor);
        let answer =
            if self.api_answers() { self.send(index, &mut write, version, cause) } else { Err(ApiError::Unavailable) };
        let process = &mut self.processes[index as usize];
        let error = match answer {
            Ok((object, version)) => {
                process.returned.push((object, version));
                process.controller.written(key, &write, object, version);
                self.publish();
                return Step::Done;
            }
            Err(error) => error,
        };
        process.plan.writes[cursor].write = write.clone();
        if error == ApiError::Conflict {
            let process = &mut self.processes[index as usize];
            let tries = process.conflicts;
            process.conflicts += 1;
            match write.on_conflict() {
                OnConflict::RetryOnce if tries == 0 => return Step::Again(Span::ZERO),
                OnConflict::BackOff if tries < CONFLICT_BACKOFF.len() => {
                    return Step::Again(CONFLICT_BACKOFF[tries]);
                }
                OnConflict::SkipStep(step) => return Step::Skip(step),
                _ => {}
            }
        }
        self.refused(index, key, &write, &error)
    }

    /// Sends a request, with the Kubernetes Events that go with it.
    fn send(
        &mut self,
        index: u8,
        write: &mut Write,
        version: Option<u64>,
        cause: RecordId,
    ) -> Result<(Key, u64), ApiError> {
        self.at_work = Some(index);
        let answer = self.apply(write, version, cause);
        self.at_work = None;
        answer
    }

    /// Asks the controller about a write that was refused. What it adds is
    /// written before the sync fails.
    fn refused(&mut self, index: u8, key: Key, write: &Write, error: &ApiError) -> Step {
        let meters = Meters::new(&self.setup, &self.store, self.cache.as_ref(), self.now, &self.hosts);
        let process = &mut self.processes[index as usize];
        let mut more = Plan::default();
        let reaction = process.controller.failed(key, write, error, meters.view(), &mut more);
        match reaction {
            Reaction::Ignore | Reaction::Rest => {
                if reaction == Reaction::Rest {
                    process.plan.requeue_at = None;
                }
                let next = process.cursor + 1;
                process.plan.writes.splice(next..next, more.writes);
                Step::Done
            }
            Reaction::Fail => {
                process.plan.writes.truncate(process.cursor + 1);
                process.plan.writes.append(&mut more.writes);
                Step::Failed
            }
        }
    }

    fn fail_plan(&mut self, index: u8) {
        self.processes[index as usize].failing = true;
        self.continue_plan(index, Span::ZERO);
    }

    /// The sync is over: forgets or backs off, and turns to the next key.
    fn finish_sync(&mut self, index: u8, ok: bool) {
        let clock = self.hosts.manager;
        let process = &mut self.processes[index as usize];
        let Some(key) = process.key.take() else { return };
        process.queue.cause = process.trigger.some();
        let most = process.controller.max_retries().unwrap_or(u32::MAX);
        let again = !ok && process.queue.failures(key) < most;
        if again {
            process.queue.add_rate_limited(key);
        } else if ok && let Some(at) = process.plan.requeue_at {
            process.queue.add_at(key, clock.sim_time(at));
        }
        process.queue.done(key, !again && !process.plan.keeps_failures);
        process.queue.now = self.now;
        let meters = Meters::new(&self.setup, &self.store, self.cache.as_ref(), self.now, &self.hosts);
        process.controller.finished(key, meters.view(), &mut process.queue);
        process.note_end_of_sync(key);
        process.worker = Worker::Idle;
        process.wind_up(index, self.epoch, self.now, &mut self.queue);
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

    /// What the controllers remembered is lost.
    pub(super) fn forget_controllers(&mut self) {
        self.epoch = self.epoch.wrapping_add(1);
        self.processes.clear();
    }

    /// New controllers list everything and begin a little later.
    pub(super) fn start_controllers(&mut self) {
        self.epoch = self.epoch.wrapping_add(1);
        if let Some(cache) = &mut self.cache {
            cache.clone_from(self.store.objects());
            self.watch.iter_mut().for_each(|watched| watched.stale = true);
        }
        self.processes = Process::start_all(&self.setup.control_plane, self.hosts.manager.drift());
        for process in &mut self.processes {
            process.worker = Worker::Stopped;
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
        for index in 0..self.processes.len() {
            let (process, epoch) = (index as u8, self.epoch);
            let (wait, event) = match self.processes[index].worker {
                Worker::Idle => continue,
                Worker::Fetching => (GET, Event::Work { process, epoch }),
                Worker::Writing => (self.latency(process), Event::Work { process, epoch }),
                Worker::Stopped => (self.processes[index].controller.start_up(), Event::WorkersUp { process, epoch }),
            };
            self.queue.push(self.now.after(wait), Urgency::Normal, event);
        }
    }

    /// A controller begins, or is to be as if it had begun at `since`.
    pub(super) fn start_controller(&mut self, index: u8, since: Instant) {
        let process = &mut self.processes[index as usize];
        process.queue.now = self.now;
        let meters = Meters::new(&self.setup, &self.store, self.cache.as_ref(), self.now, &self.hosts);
        process.controller.start(since, meters.view(), &mut process.queue);
        process.wind_up(index, self.epoch, self.now, &mut self.queue);
    }

    pub(super) fn workers_up(&mut self, index: u8, epoch: u8) {
        if epoch != self.epoch {
            return;
        }
        let process = &mut self.processes[index as usize];
        process.worker = Worker::Idle;
        self.start_controller(index, self.hosts.manager.monotonic(self.now));
    }
}
