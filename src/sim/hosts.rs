//! The hosts that components run on: what their clocks show, and when they
//! stand still or cannot be reached.

use super::event::{Event, PodRef};
use super::{Change, Simulation, Urgency};
use crate::api::{Key, Kind, Uid};
use crate::rng::Draws;
use crate::sim::setup::{ClockSpec, Clocks, Component, Setup};
use crate::time::{Clock, SimTime, Span, Timestamp};
use crate::trace::{RecordId, SubjectId, What};
use rustc_hash::{FxHashMap, FxHashSet};
use std::sync::Arc;

/// After this long without a renewal a leader gives up.
///
/// Upstream: `staging/src/k8s.io/component-base/config/v1alpha1/defaults.go RecommendedDefaultLeaderElectionConfiguration`
const RENEW_DEADLINE: Span = Span::from_secs(10);

/// After this long without a renewal others may lead.
const LEASE_DURATION: Span = Span::from_secs(15);

/// How often others look.
const RETRY_PERIOD: Span = Span::from_secs(2);

/// A host that stands still and goes on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Host {
    /// The API server's.
    ApiServer,
    /// The controller manager's, which is this one in the count.
    Manager(u8),
    /// The scheduler's.
    Scheduler,
    /// A node.
    Node { slot: u32, uid: u32 },
}

/// All hosts. As long as no scenario touches them, all clocks are one.
#[derive(Clone)]
pub(super) struct Hosts {
    /// A clock that is always right.
    pub(super) truth: Clock,
    pub(super) api_server: Clock,
    pub(super) manager: Clock,
    /// The time zone of the controller manager's host, if it is not the first
    /// one's.
    pub(super) manager_zone: Option<Arc<str>>,
    scheduler: Clock,
    /// Clocks of nodes that differ from true time.
    kubelets: FxHashMap<Key, Clock>,
    /// Until when nodes stand still.
    frozen: FxHashMap<Key, SimTime>,
    /// Nodes whose clock was set back, and until when it is behind where it
    /// was.
    pub(super) behind: FxHashMap<Key, SimTime>,
    /// Nodes whose kubelet says that they are not ready.
    pub(super) unwell: FxHashSet<Key>,
    /// Until when the controller manager stands still.
    manager_frozen: Option<SimTime>,
    /// Until when the scheduler stands still or there is none.
    scheduler_frozen: Option<SimTime>,
    /// Until when the API server stands still; [`SimTime::MAX`] if somebody
    /// has to bring it back.
    api_down: Option<SimTime>,
    /// When its lease was last renewed, if it cannot be now.
    lease_renewed: SimTime,
    /// Whether a controller manager waits for the API server to start.
    manager_waits: bool,
    /// What the controllers have not been told yet.
    untold: Vec<(Change, RecordId)>,
    /// Watch events that should have reached the caches by now.
    undelivered: usize,
    /// What the scheduler could not do yet.
    unscheduled: Vec<Event>,
}

impl Hosts {
    /// Whether the API server answers requests.
    pub(super) const fn api_answers(&self) -> bool {
        self.api_down.is_none()
    }

    pub(super) fn new(setup: &Setup) -> Hosts {
        let truth = Clock::starting_at(setup.start);
        let draws = Draws::new(setup.seed);
        let clock = |component: Component, spec: &ClockSpec| {
            let (offset, drift) = (offset(spec, draws, &component), spec.drift);
            truth.another(SimTime::ZERO, offset, drift)
        };
        let Clocks { api_server, controller_manager, scheduler, .. } = &setup.clocks;
        Hosts {
            truth,
            api_server: clock(Component::ApiServer, api_server),
            manager: clock(Component::ControllerManager, controller_manager),
            manager_zone: None,
            scheduler: clock(Component::Scheduler, scheduler),
            kubelets: FxHashMap::default(),
            frozen: FxHashMap::default(),
            behind: FxHashMap::default(),
            unwell: FxHashSet::default(),
            manager_frozen: None,
            scheduler_frozen: None,
            api_down: None,
            lease_renewed: SimTime::ZERO,
            manager_waits: false,
            untold: Vec::new(),
            undelivered: 0,
            unscheduled: Vec::new(),
        }
    }

    /// The clock of a kubelet and its containers.
    pub(super) fn kubelet(&self, node: Option<Key>) -> &Clock {
        match node {
            Some(node) if !self.kubelets.is_empty() => self.kubelets.get(&node).unwrap_or(&self.truth),
            _ => &self.truth,
        }
    }

    fn kubelet_mut(&mut self, node: Key) -> &mut Clock {
        let truth = self.truth;
        self.kubelets.entry(node).or_insert(truth)
    }

    /// Whether a machine stands still.
    pub(super) fn is_frozen(&self, node: Key) -> bool {
        self.frozen.contains_key(&node)
    }

    /// Whether controllers hear nothing at present.
    pub(super) const fn is_deaf(&self) -> bool {
        self.manager_frozen.is_some() || self.api_down.is_some()
    }
}

/// How far a new clock is ahead of true time.
fn offset(spec: &ClockSpec, draws: Draws, component: &Component) -> i64 {
    if spec.spread == Span::ZERO {
        return spec.offset_ns;
    }
    let share = 2.0 * draws.uniform("clock", &component.to_string(), 0) - 1.0;
    spec.offset_ns.saturating_add((spec.spread.0 as f64 * share) as i64)
}

/// Clocks.
impl Simulation {
    /// Records the clocks of the control plane that are not right.
    pub(super) fn record_clocks(&mut self) {
        for component in [Component::ApiServer, Component::ControllerManager, Component::Scheduler] {
            self.record_clock(&component, RecordId::NONE, true);
        }
    }

    fn clock_of(&self, component: &Component) -> Clock {
        match component {
            Component::ApiServer => self.hosts.api_server,
            Component::ControllerManager => self.hosts.manager,
            Component::Scheduler => self.hosts.scheduler,
            Component::Node(name) => *self.hosts.kubelet(self.node_called(name)),
        }
    }

    fn node_called(&self, name: &Arc<str>) -> Option<Key> {
        self.store.objects().find(Kind::Node, &"".into(), name)
    }

    fn record_clock(&mut self, component: &Component, cause: RecordId, unless_right: bool) {
        let clock = self.clock_of(component);
        let offset_ns = clock.wall(self.now).nanos_since(self.hosts.truth.wall(self.now));
        let drift_ppb = clock.drift().0 as i32;
        if unless_right && offset_ns == 0 && drift_ppb == 0 {
            return;
        }
        let (subject, name) = (self.host_subject(component), self.recorder.intern(&component.to_string()));
        self.recorder.push(cause, subject, What::Clock { component: name, offset_ns, drift_ppb });
    }

    fn record_process(&mut self, component: &Component, cause: RecordId, runs: bool) {
        let (subject, name) = (self.host_subject(component), self.recorder.intern(&component.to_string()));
        self.recorder.push(cause, subject, What::Process { component: name, runs });
    }

    fn host_subject(&mut self, component: &Component) -> SubjectId {
        let node = if let Component::Node(name) = component { self.node_called(name) } else { None };
        match node {
            Some(key) => self.recorder.subject(key.uid),
            None => self.recorder.cluster(),
        }
    }

    /// A machine that joins brings its clock with it.
    pub(super) fn set_up_clock(&mut self, node: Key, name: &Arc<str>, cause: RecordId) {
        let setup = self.setup.clone();
        let spec = setup.clocks.nodes.get(name).unwrap_or(&setup.clocks.kubelets);
        if spec.is_right() {
            return;
        }
        let component = Component::Node(name.clone());
        let offset = offset(spec, Draws::new(setup.seed), &component);
        let clock = self.hosts.truth.another(self.now, offset, spec.drift);
        self.hosts.kubelets.insert(node, clock);
        self.record_clock(&component, cause, false);
    }

    /// What the clock of a pod's machine shows, as it is written to the API.
    pub(super) fn kubelet_now(&self, node: Option<Key>) -> Timestamp {
        self.hosts.kubelet(node).wall(self.now).truncate()
    }

    /// What the clock of the pod's machine shows.
    pub(super) fn wall_of(&self, pod: PodRef) -> Timestamp {
        self.kubelet_now(self.pod(pod).and_then(|row| row.node))
    }

    /// Somebody sets a clock.
    pub(super) fn step_clock(&mut self, component: &Component, by_ns: i64, cause: RecordId) {
        let now = self.now;
        match component {
            Component::ApiServer => self.hosts.api_server.step(now, by_ns),
            Component::ControllerManager => self.hosts.manager.step(now, by_ns),
            Component::Scheduler => self.hosts.scheduler.step(now, by_ns),
            Component::Node(name) => {
                let Some(node) = self.node_called(name) else { return };
                self.hosts.kubelet_mut(node).step(now, by_ns);
                self.renewals_after_step(node, by_ns);
            }
        }
        self.store.now = self.hosts.api_server.wall(now).truncate();
        self.record_clock(component, cause, false);
    }
}

/// Hosts that stand still, and what becomes of their work.
impl Simulation {
    /// A host stands still from now on.
    pub(super) fn pause(&mut self, component: &Component, span: Span, cause: RecordId) {
        let until = self.now.after(span);
        let Some((host, before)) = self.frozen_until(component) else { return };
        if before.is_some_and(|before| before >= until) {
            return;
        }
        let longer = until.since(before.unwrap_or(self.now));
        match component {
            Component::ApiServer => {
                if before.is_none() {
                    self.watch_lease();
                }
                self.hosts.api_down = Some(until);
            }
            Component::Scheduler => self.hosts.scheduler_frozen = Some(until),
            Component::ControllerManager => {
                if self.loses_lead(span, cause) {
                    return;
                }
                self.hosts.manager_frozen = Some(until);
                self.hosts.manager.freeze(longer);
                self.put_off_controllers(longer);
            }
            Component::Node(name) => {
                let Some(node) = self.node_called(name) else { return };
                self.hosts.frozen.insert(node, until);
                self.hosts.kubelet_mut(node).freeze(longer);
                self.put_off_pods(node, longer);
                self.fall_silent(node);
                self.apps_fall_silent_on(node, cause);
                self.traffic_looks_at_machine(node);
            }
        }
        let host = if let Host::Manager(_) = host { Host::Manager(self.epoch) } else { host };
        self.queue.push(until, Urgency::First, Event::Resume(host));
        if before.is_none() {
            self.record_process(component, cause, false);
        }
    }

    /// With leader election another instance takes over from one that stands
    /// still for longer than its lease lasts.
    fn loses_lead(&mut self, span: Span, cause: RecordId) -> bool {
        let loses = self.setup.control_plane.leader_election && span > LEASE_DURATION;
        if loses {
            self.fail_over(&Component::ControllerManager, LEASE_DURATION, &ClockSpec::default(), cause);
        }
        loses
    }

    /// The host of a component, and until when it stands still already.
    fn frozen_until(&self, component: &Component) -> Option<(Host, Option<SimTime>)> {
        Some(match component {
            Component::ApiServer => (Host::ApiServer, self.hosts.api_down),
            Component::Scheduler => (Host::Scheduler, self.hosts.scheduler_frozen),
            Component::ControllerManager => (Host::Manager(self.epoch), self.hosts.manager_frozen),
            Component::Node(name) => {
                let node = self.node_called(name)?;
                let host = Host::Node { slot: node.slot, uid: node.uid.0 };
                (host, self.hosts.frozen.get(&node).copied())
            }
        })
    }

    /// A host goes on, if it was not frozen again meanwhile.
    pub(super) fn resume(&mut self, host: Host) {
        let over = |until: Option<SimTime>| until.is_some_and(|until| until <= self.now);
        match host {
            Host::ApiServer if over(self.hosts.api_down) => self.api_server_up(RecordId::NONE),
            Host::Scheduler if over(self.hosts.scheduler_frozen) => {
                self.hosts.scheduler_frozen = None;
                self.record_process(&Component::Scheduler, RecordId::NONE, true);
                self.schedule_held();
            }
            Host::Manager(epoch) if epoch == self.epoch && over(self.hosts.manager_frozen) => {
                self.hosts.manager_frozen = None;
                self.record_process(&Component::ControllerManager, RecordId::NONE, true);
                self.tell_held();
                self.wake_workers();
            }
            Host::Node { slot, uid } => {
                let node = Key { kind: Kind::Node, slot, uid: Uid(uid) };
                if over(self.hosts.frozen.get(&node).copied()) {
                    self.hosts.frozen.remove(&node);
                    self.traffic_looks_at_machine(node);
                    self.speak_again(node);
                    self.apps_go_on_on(node, RecordId::NONE);
                    let Some(name) = self.store.objects().meta(node).map(|meta| meta.name.clone()) else { return };
                    self.record_process(&Component::Node(name), RecordId::NONE, true);
                    self.contradict(node);
                }
            }
            _ => {}
        }
    }

    /// Whether requests are answered.
    pub(super) const fn api_answers(&self) -> bool {
        self.hosts.api_answers()
    }

    pub(super) fn api_server_down(&mut self, cause: RecordId) {
        if self.api_answers() {
            self.record_process(&Component::ApiServer, cause, false);
            self.watch_lease();
        }
        self.hosts.api_down = Some(SimTime::MAX);
    }

    /// A leader that cannot renew its lease gives up before it runs out.
    fn watch_lease(&mut self) {
        self.hosts.lease_renewed = self.now;
        if self.setup.control_plane.leader_election {
            let at = self.now.after(RENEW_DEADLINE);
            self.queue.push(at, Urgency::First, Event::LeaseLost { epoch: self.epoch });
        }
    }

    /// The leader has not been able to renew its lease for too long: it exits,
    /// and is started again to wait for the lease.
    ///
    /// Upstream: `staging/src/k8s.io/client-go/tools/leaderelection/leaderelection.go renew`
    pub(super) fn lease_lost(&mut self, epoch: u8) {
        let since = self.now.since(self.hosts.lease_renewed);
        if epoch != self.epoch || self.api_answers() || since < RENEW_DEADLINE {
            return;
        }
        self.controllers_down();
        self.record_process(&Component::ControllerManager, RecordId::NONE, false);
        self.hosts.manager_waits = true;
    }

    /// The API server is back: controllers that wait for it start, with leader
    /// election once the old lease has run out.
    fn start_waiting_controllers(&mut self) {
        if !std::mem::take(&mut self.hosts.manager_waits) {
            return;
        }
        if self.setup.control_plane.leader_election {
            let free = self.hosts.lease_renewed.after(LEASE_DURATION).max(self.now.after(RETRY_PERIOD));
            self.queue.push(free, Urgency::First, Event::ManagerUp { epoch: self.epoch });
        } else {
            self.start_controllers();
        }
    }

    pub(super) fn api_server_up(&mut self, cause: RecordId) {
        if self.hosts.api_down.take().is_none() {
            return;
        }
        self.record_process(&Component::ApiServer, cause, true);
        self.start_waiting_controllers();
        self.tell_held();
        self.schedule_held();
    }

    /// The leader of the controllers or the scheduler dies; another takes
    /// over after a gap.
    pub(super) fn fail_over(&mut self, component: &Component, gap: Span, clock: &ClockSpec, cause: RecordId) {
        let until = self.now.after(gap);
        let offset = offset(clock, Draws::new(self.setup.seed), component);
        let successor = self.hosts.truth.another(self.now, offset, clock.drift);
        match component {
            Component::ControllerManager => {
                self.controllers_down();
                self.hosts.manager = successor;
                let up = Event::ManagerUp { epoch: self.epoch };
                self.queue.push(until, Urgency::First, up);
            }
            Component::Scheduler => {
                self.hosts.scheduler = successor;
                self.hosts.scheduler_frozen = Some(until);
                self.queue.push(until, Urgency::First, Event::Resume(Host::Scheduler));
            }
            Component::ApiServer | Component::Node(_) => return,
        }
        self.record_process(component, cause, false);
        self.record_clock(component, cause, *clock == ClockSpec::default());
    }

    /// A controller manager has become the leader, unless somebody else has
    /// started one.
    pub(super) fn manager_up(&mut self, epoch: u8) {
        if epoch == self.epoch {
            self.controllers_up(RecordId::NONE);
        }
    }

    /// All controllers stop; what they remembered is lost.
    pub(super) fn controllers_down(&mut self) {
        self.forget_controllers();
        self.hosts.manager_frozen = None;
        self.hosts.manager_waits = false;
        self.hosts.untold.clear();
        // The caches of the next one begin with what is there.
        for _ in 0..std::mem::take(&mut self.hosts.undelivered) {
            self.deliver_next();
        }
    }

    /// New controllers start, once the API server answers.
    pub(super) fn controllers_up(&mut self, cause: RecordId) {
        self.controllers_down();
        self.record_process(&Component::ControllerManager, cause, true);
        if self.api_answers() {
            self.start_controllers();
        } else {
            self.hosts.manager_waits = true;
        }
    }

    /// Somebody stops all controllers.
    pub(super) fn stop_controllers(&mut self, cause: RecordId) {
        self.controllers_down();
        self.record_process(&Component::ControllerManager, cause, false);
    }

    /// Keeps what the controllers cannot hear now. Answers whether it did.
    pub(super) fn holds_back(&mut self, change: &Change, cause: RecordId) -> bool {
        let deaf = self.hosts.is_deaf();
        if deaf {
            self.hosts.untold.push((*change, cause));
        }
        deaf
    }

    /// Counts what would have reached the caches. Answers whether it did.
    pub(super) const fn holds_back_delivery(&mut self) -> bool {
        let deaf = self.hosts.is_deaf();
        if deaf {
            self.hosts.undelivered += 1;
        }
        deaf
    }

    /// The watches catch up.
    fn tell_held(&mut self) {
        if self.hosts.is_deaf() {
            return;
        }
        for _ in 0..std::mem::take(&mut self.hosts.undelivered) {
            self.deliver_next();
        }
        for (change, cause) in std::mem::take(&mut self.hosts.untold) {
            self.observe(&change, cause);
        }
        self.write_held_endpoints();
    }

    /// Keeps a step that the scheduler cannot take now. Answers whether it
    /// did.
    pub(super) fn holds_back_scheduling(&mut self, event: Event) -> bool {
        let stands = self.hosts.scheduler_frozen.is_some() || !self.api_answers();
        if stands {
            self.hosts.unscheduled.push(event);
        }
        stands
    }

    fn schedule_held(&mut self) {
        if self.hosts.scheduler_frozen.is_some() || !self.api_answers() {
            return;
        }
        for event in std::mem::take(&mut self.hosts.unscheduled) {
            self.queue.push(self.now, Urgency::First, event);
        }
    }

    /// How long it is until a node that stands still takes notice of anything.
    pub(super) fn until_awake(&self, node: Option<Key>) -> Span {
        let until = node.and_then(|node| self.hosts.frozen.get(&node));
        until.map_or(Span::ZERO, |until| until.since(self.now))
    }

    /// The timers of a node's pods go off so much later.
    fn put_off_pods(&mut self, node: Key, by: Span) {
        for pod in self.pods_in_hand(node) {
            if let Some(runtime) = self.runtime_mut(pod) {
                runtime.put_off(by);
            }
        }
    }
}
