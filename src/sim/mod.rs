//! The kernel: one loop over one queue of events.

mod actions;
mod admission;
mod applications;
mod apply;
mod autoscalers;
mod budgets;
mod client;
mod cron_jobs;
mod drain;
mod effects;
mod event;
mod eviction;
mod fields;
mod fleet;
mod gates;
mod hosts;
mod jobs;
mod life;
mod machines;
mod memory;
mod meters;
mod names;
mod namesakes;
mod node_writes;
mod nodes;
mod pages;
mod process;
pub mod queue;
mod record;
mod scheduling;
pub mod setup;
mod silence;
mod stream;
mod traffic;
mod triggers;
mod volumes;

pub use queue::{EventId, EventQueue, LaneId, Urgency};
pub use setup::Setup;
pub use stream::{Piece, stream};

use crate::api::{Key, Kind, Pod};
use crate::cluster::{Change, Objects, Row, Store, Verb};
use crate::environment::spot;
use crate::environment::{Behaviour, KubeScheduler, PriorityClasses, Runtime, Scheduler};
use crate::time::{Instant, SimTime, Span};
use crate::trace::{Header, RecordId, Trace};
use event::{Class, Event, PodRef};
use hosts::Hosts;
use meters::Meters;
use names::Names;
use process::{Interest, Process};
use record::Recorder;
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::VecDeque;
use std::sync::Arc;
use traffic::TrafficState;
use volumes::Storage;

/// A simulation in progress. It can be cloned and run on.
#[derive(Clone)]
pub struct Simulation {
    setup: Arc<Setup>,
    queue: EventQueue<Event>,
    now: SimTime,
    store: Store,
    hosts: Hosts,
    /// The caches, where they lag behind the store.
    cache: Option<Objects>,
    /// Watch events on their way to the caches, oldest first.
    watch: VecDeque<Watched>,
    lanes: Lanes,
    processes: Vec<Process>,
    /// What each of them wants to hear of.
    interests: Vec<Interest>,
    /// Which of them is sending something.
    at_work: Option<u8>,
    /// Counts controller managers.
    epoch: u8,
    behaviour: Behaviour,
    scheduler: Scheduler,
    /// kube-scheduler, where it places the pods.
    kube: Option<Box<KubeScheduler>>,
    /// Whether kube-scheduler has been told that there is work, and that it
    /// must look at what waits for long.
    kube_is_told: (bool, Option<SimTime>),
    /// When the scheduler next retries, so that it is not told twice.
    retry_at: Option<SimTime>,
    /// The kubelets' memory, by the pod's slot.
    runtimes: Vec<Option<Runtime>>,
    /// What is remembered of the Jobs there are.
    jobs: effects::Jobs,
    /// All drains that were ever begun.
    drains: Vec<drain::Drain>,
    /// The machines that come and go with the pods.
    fleet: Option<Box<fleet::Fleet>>,
    /// The actions that followed from what happened, after those of the setup.
    planned: Vec<Arc<setup::Action>>,
    /// What waits for something to happen.
    waiting: Option<Box<triggers::Waiting>>,
    /// Nodes that were deleted and may have left pods, by name.
    departed: FxHashMap<Arc<str>, Key>,
    /// Nodes whose machine is down.
    dead: FxHashSet<Key>,
    /// The machines that know that the cloud takes them back.
    told: FxHashSet<Arc<str>>,
    /// What kubelets remember of their nodes' memory, where they look at it.
    memory: FxHashMap<Key, memory::Watched>,
    /// What the classes of pods are worth.
    priorities: PriorityClasses,
    /// What cannot be reached of that which applications depend on.
    down: FxHashSet<Arc<str>>,
    admission: admission::Admission,
    images: life::Images,
    storage: Storage,
    names: Names,
    traffic: TrafficState,
    recorder: Recorder,
    changes: Vec<Change>,
    due: Vec<(Class, Arc<str>, u32, Event)>,
}

/// Events that mostly come in the order in which they are pushed.
#[derive(Clone, Copy, Debug)]
struct Lanes {
    /// Watch events on their way to the caches.
    watch: LaneId,
    /// Workers that fetch keys.
    fetch: LaneId,
    /// Workers that wait for answers.
    write: LaneId,
}

/// A watch event on its way.
#[derive(Clone)]
struct Watched {
    slot: u32,
    row: Row,
    cause: RecordId,
    /// The caches have it from a list already.
    stale: bool,
}

/// Runs a setup to its end.
///
/// # Examples
/// ```
/// use seatrial::sim::{self, Setup};
/// use seatrial::time::{SimTime, Timestamp};
///
/// let trace = sim::run(&Setup::new(Timestamp(0), SimTime::from_secs(60)));
/// assert!(trace.records.is_empty());
/// ```
pub fn run(setup: &Setup) -> Trace {
    run_shared(&Arc::new(setup.clone()))
}

/// The same without a copy of the setup: campaigns run thousands of times.
pub fn run_shared(setup: &Arc<Setup>) -> Trace {
    let mut simulation = Simulation::begun(setup.clone());
    simulation.run_until(setup.until);
    simulation.into_trace()
}

/// The setup with what happens to its pools, and at random, among its actions.
fn with_chance(setup: Arc<Setup>) -> Arc<Setup> {
    if setup.pools.is_empty() && setup.disturbances.is_empty() {
        return setup;
    }
    let mut actions = spot::with_pools(&setup.actions, &setup.pools, setup.seed, setup.until);
    actions.extend(setup.disturbances.iter().flat_map(|d| d.actions(setup.seed, setup.until)));
    actions.sort_by_key(|timed| timed.at);
    Arc::new(Setup { actions, ..(*setup).clone() })
}

impl Simulation {
    /// A simulation that has not begun.
    pub fn new(setup: &Setup) -> Simulation {
        Simulation::begun(Arc::new(setup.clone()))
    }

    /// A simulation with its cluster.
    fn begun(setup: Arc<Setup>) -> Simulation {
        let mut simulation = Simulation::not_begun(setup);
        simulation.begin();
        simulation
    }

    /// A simulation without a cluster.
    fn not_begun(setup: Arc<Setup>) -> Simulation {
        let setup = with_chance(setup);
        let header = Header {
            start: setup.start,
            until: setup.until,
            seed: setup.seed,
            title: setup.title.clone(),
            actions: setup.actions.iter().map(|a| (a.at, a.action.describe())).collect(),
            triggers: setup.triggers.iter().map(|t| (t.name.clone(), None)).collect(),
            assumptions: setup.assumptions.clone(),
            kubernetes: setup.kubernetes.clone(),
        };
        let mut queue = EventQueue::new();
        let lanes = Lanes { watch: queue.lane(), fetch: queue.lane(), write: queue.lane() };
        let lags = setup.control_plane.informer_lag > Span::ZERO;
        let drift = setup.clocks.controller_manager.drift;
        let processes = Process::start_all(&setup.control_plane, drift, lanes.fetch, None);
        Simulation {
            queue,
            now: SimTime::ZERO,
            store: Store::default(),
            hosts: Hosts::new(&setup),
            cache: lags.then(Objects::default),
            watch: VecDeque::new(),
            lanes,
            interests: processes.iter().map(Interest::of).collect(),
            processes,
            at_work: None,
            epoch: 0,
            behaviour: Behaviour::new(&setup.profiles, setup.seed),
            scheduler: Scheduler::default(),
            kube: scheduling::kube_scheduler(&setup),
            kube_is_told: (false, None),
            retry_at: None,
            runtimes: Vec::new(),
            jobs: effects::Jobs::default(),
            drains: Vec::new(),
            fleet: fleet::Fleet::new(&setup),
            planned: Vec::new(),
            waiting: triggers::Waiting::new(&setup),
            departed: FxHashMap::default(),
            dead: FxHashSet::default(),
            told: FxHashSet::default(),
            memory: FxHashMap::default(),
            priorities: PriorityClasses::new(&setup.priority_classes),
            down: FxHashSet::default(),
            admission: admission::Admission::default(),
            images: life::Images::default(),
            storage: Storage::default(),
            names: Names::default(),
            traffic: TrafficState::default(),
            recorder: Recorder::new(header),
            changes: Vec::new(),
            due: Vec::new(),
            setup,
        }
    }

    /// The cluster before the first event: its nodes, and the actions to come.
    fn begin(&mut self) {
        self.store.now = self.hosts.api_server.wall(self.now).truncate();
        self.record_clocks();
        let setup = self.setup.clone();
        // What was there before has long reached the caches.
        let lags = self.cache.take().is_some();
        for spec in &setup.nodes {
            self.join_node(spec, RecordId::NONE);
        }
        self.begin_fleet();
        self.cache = lags.then(|| self.store.objects().clone());
        let since = Instant(self.hosts.manager.monotonic(self.now).0 - setup.control_plane.running_for.0 as i64);
        for index in 0..self.processes.len() {
            self.start_controller(index as u8, since);
        }
        for (index, timed) in setup.actions.iter().enumerate() {
            self.queue.push(timed.at, Urgency::First, Event::Act(index as u32));
        }
        self.begin_traffic();
        self.apply_objects(&setup.objects);
        self.settle_traffic();
    }

    /// Handles every event up to a moment, that moment's whole millisecond
    /// included.
    pub fn run_until(&mut self, until: SimTime) {
        let end = SimTime(until.0.saturating_add(crate::time::MILLISECOND - 1));
        while self.step(end) {}
    }

    /// Handles the next event, or all that the environment does at one
    /// moment; whether there was any before the end.
    fn step(&mut self, end: SimTime) -> bool {
        if self.waiting.is_some() {
            let next = self.queue.peek().filter(|next| next.0 <= end).map(|next| next.0);
            if self.looks_out(next) {
                return true;
            }
        }
        let Some((at, urgency, event)) = self.queue.pop_until(end) else { return false };
        self.now = at;
        self.recorder.now = at;
        self.store.now = self.hosts.api_server.wall(at).truncate();
        match urgency {
            Urgency::First => self.environment_instant(at, event),
            Urgency::Normal => self.handle(event),
        }
        if self.traffic.is_unsettled() {
            self.settle_traffic();
        }
        true
    }

    /// The trace so far.
    pub fn trace(&self) -> &Trace {
        &self.recorder.trace
    }

    /// Ends the simulation.
    pub fn into_trace(self) -> Trace {
        self.recorder.trace
    }

    /// The objects as the API server has them.
    pub fn objects(&self) -> &Objects {
        self.store.objects()
    }

    /// Does everything that the environment does at one moment, in the order
    /// of its classes and then of pod names, before any controller goes on.
    fn environment_instant(&mut self, at: SimTime, first: Event) {
        if self.queue.peek() != Some((at, Urgency::First)) {
            return self.handle(first);
        }
        let mut due = std::mem::take(&mut self.due);
        let mut next = Some(first);
        while let Some(event) = next {
            next = match self.queue.peek() {
                Some((time, Urgency::First)) if time == at => self.queue.pop().map(|(_, event)| event),
                _ => None,
            };
            let name = event.pod().and_then(|pod| self.pod(pod)).map(|pod| pod.meta.name.clone());
            let action = if let Event::Act(index) | Event::Drain(index) = event { index } else { 0 };
            due.push((event.class(), name.unwrap_or_else(|| "".into()), action, event));
        }
        // Stable: what is equal stays in the order it was asked for.
        due.sort_by(|a, b| (a.0, &a.1, a.2).cmp(&(b.0, &b.1, b.2)));
        for (_, _, _, event) in due.drain(..) {
            self.handle(event);
        }
        self.due = due;
    }

    fn handle(&mut self, event: Event) {
        if self.is_put_off(event) {
            return;
        }
        match event {
            Event::Act(index) => self.act(index),
            Event::Drain(index) => self.go_on_draining(index),
            Event::Schedule(pod) => self.schedule(pod),
            Event::Reschedule => self.reschedule(),
            Event::RunScheduler => self.run_scheduler(),
            Event::FlushScheduler => self.flush_scheduler(),
            Event::Start(pod, epoch) => self.start_containers(pod, epoch),
            Event::Ready(pod, epoch) => self.become_ready(pod, epoch),
            Event::Effect(pod, epoch, effect) => self.have_effect(pod, epoch, effect),
            Event::Exit(pod, epoch) => self.container_exits(pod, epoch),
            Event::Restart(pod, epoch) => self.restart_container(pod, epoch),
            Event::Terminated(pod, epoch) => self.terminate(pod, epoch),
            Event::Work { hand, epoch } => self.work(hand, epoch),
            Event::Life(pod, epoch, step) => self.live(pod, epoch, step),
            Event::Timer { process, epoch, key } => self.timer(process, epoch, key),
            Event::Deliver if self.holds_back_delivery() => {}
            Event::Deliver => self.deliver_next(),
            Event::Disk(step, of, ticket) => self.disk_step(step, of, ticket),
            Event::WorkersUp { process, epoch } => self.workers_up(process, epoch),
            Event::Resume(host) => self.resume(host),
            Event::ManagerUp { epoch } => self.manager_up(epoch),
            Event::LeaseLost { epoch } => self.lease_lost(epoch),
            Event::Contradict(node) => self.contradict(node.key_of(Kind::Node)),
            Event::Memory(node) => self.look_at_memory(node.key_of(Kind::Node)),
            Event::CaughtUp(node) => self.catch_up(node.key_of(Kind::Node)),
            Event::Sent { process, epoch } => self.event_sent(process, epoch),
            Event::Demand(service) => self.change_demand(service),
            Event::Endpoint(pod, service) => self.write_endpoint(pod, service),
            Event::Routed(pod, service, endpoint) => self.route(pod, service, endpoint),
            Event::Checked(pod, service, ticket) => self.checked(pod, service, ticket),
            Event::Warm(pod, service, start) => self.warmed_up(pod, service, start),
            Event::Scan => self.scan(),
            Event::Machine { pool, number } => self.machine_joins(pool, number),
            Event::Vacated(node) => self.vacated(node),
        }
    }

    /// Lets everybody see what has been written: the machines at once, the
    /// controllers when their caches do.
    fn publish(&mut self) {
        while self.store.has_changes() {
            let mut changes = std::mem::take(&mut self.changes);
            self.store.take_changes(&mut changes);
            let cause = self.recorder.last;
            for change in changes.drain(..) {
                if self.cache.is_some() {
                    let row = self.store.row(change.key);
                    self.watch.push_back(Watched { slot: change.key.slot, row, cause, stale: false });
                    let at = self.now.after(self.setup.control_plane.informer_lag);
                    self.queue.push_lane(self.lanes.watch, at, Urgency::Normal, Event::Deliver);
                } else {
                    self.observe(&change, cause);
                }
                self.machines_see(&change);
            }
            self.changes = changes;
        }
    }

    fn deliver_next(&mut self) {
        let Some(watched) = self.watch.pop_front() else { return };
        let Some(cache) = self.cache.as_mut().filter(|_| !watched.stale) else { return };
        if let Some(change) = crate::cluster::deliver(cache, watched.slot, watched.row) {
            self.observe(&change, watched.cause);
        }
    }

    /// Runs the informers' handlers.
    fn observe(&mut self, change: &Change, cause: RecordId) {
        if self.processes.is_empty() || self.holds_back(change, cause) {
            return;
        }
        let meters = Meters::new(&self.setup, &self.store, self.cache.as_ref(), &self.traffic, self.now, &self.hosts);
        let view = meters.view();
        let mut notices = Vec::new();
        let present = view.cache.present();
        for (index, interest) in self.interests.iter().enumerate() {
            if !interest.is_in(change.key.kind, present) {
                continue;
            }
            let process = &mut self.processes[index];
            process.queue.now = self.now;
            process.queue.cause = cause.some();
            if change.verb == Verb::Added {
                process.note_arrival(change.key, view.cache);
            }
            process.controller.observe(change, view, &mut process.queue);
            if change.verb == Verb::Deleted {
                process.note_departure(change.key, &self.recorder);
            }
            if process.queue.has_news() {
                process.wind_up(index as u8, self.epoch, self.now, &mut self.queue);
                notices.append(&mut process.queue.take_notices());
            }
        }
        if !notices.is_empty() {
            self.recorder.last = cause;
            for notice in &*notices {
                self.send_notice(notice);
            }
        }
    }

    /// The pod that an event is about, if it is still there.
    fn pod(&self, pod: PodRef) -> Option<&Pod> {
        self.store.objects().pods.get(pod.key())
    }

    /// What the machines do about a change of the API.
    fn machines_see(&mut self, change: &Change) {
        self.storage_sees(change);
        self.names_see(change);
        if change.verb == Verb::Deleted {
            self.recorder.gone(change.key.uid);
        }
        match change.key.kind {
            Kind::Pod => {
                self.quotas_see(change);
                self.machines_see_pod(change);
            }
            Kind::Job if change.verb == Verb::Deleted => {
                self.jobs.remove(&change.key.uid);
            }
            Kind::Node => {
                match (change.verb, self.store.objects().nodes.get(change.key)) {
                    (Verb::Added, Some(node)) => self.scheduler.node_comes(change.key, node),
                    (Verb::Modified, Some(_)) => self.scheduler.node_changes(change.key),
                    _ => self.scheduler.node_goes(change.key),
                }
                self.retry_unschedulable();
            }
            _ => {}
        }
        self.kube_sees(change);
        self.traffic_sees(change);
    }
}

impl PodRef {
    const fn key(self) -> Key {
        self.key_of(Kind::Pod)
    }

    const fn key_of(self, kind: Kind) -> Key {
        Key { kind, slot: self.slot, uid: crate::api::Uid(self.uid) }
    }

    const fn of(key: Key) -> PodRef {
        PodRef { slot: key.slot, uid: key.uid.0 }
    }
}
