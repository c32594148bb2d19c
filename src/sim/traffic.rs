//! Requests on their way to pods: which pods stand in the EndpointSlices of
//! a Service, which of them proxies and load balancers know of, and which
//! answer.
//!
//! Only Services that somebody sends requests to are kept account of. A
//! change of a pod costs a look at that pod and, once the instant is over, at
//! the groups of its Services.

use super::event::{Event, PodRef};
use super::{Simulation, Urgency};
use crate::api::{Key, Kind, Labels, Phase, Pod, Selector, Service, Uid};
use crate::cluster::{Change, Verb};
use crate::environment::traffic::{Flow, HealthChecks, PodMeter, Rates, Reading, RevisionRates, Route, Standing, Way};
use crate::rng::Draws;
use crate::time::{SECOND, SimTime, Span};
use crate::trace::{Field, RecordId, Value, What};
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// How a pod stands in an EndpointSlice.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) enum Endpoint {
    /// Not at all, or as one that is not ready.
    #[default]
    Closed,
    /// Ready.
    Open,
    /// Being deleted, and still ready.
    Leaving,
}

/// All that is known of requests.
#[derive(Clone, Debug, Default)]
pub(super) struct TrafficState {
    /// In the order of the setup.
    services: Vec<Tracked>,
    pods: FxHashMap<Key, TrackedPod>,
    /// Services whose requests divide otherwise from now on.
    unsettled: Vec<u16>,
    /// Changes that no controller could write down yet.
    held: Vec<(PodRef, u16)>,
}

/// A Service that requests are sent to.
#[derive(Clone, Debug, Default)]
struct Tracked {
    /// The Service, while it exists.
    service: Option<Key>,
    /// Under which it is recorded.
    uid: Option<Uid>,
    flow: Flow,
    /// Revisions by owner and share of errors.
    revisions: FxHashMap<(Option<Uid>, u32), u32>,
    /// The ReplicaSet of each revision.
    replica_sets: Vec<Option<Uid>>,
    endpoints: u32,
    /// Millionths of requests that were under way when their pod was cut off.
    cut: u64,
    /// What the trace says already.
    said: [i64; FIELDS.len()],
    said_of_revisions: Vec<RevisionRates>,
    /// What led to the newest change.
    cause: Option<RecordId>,
}

/// A pod that a tracked Service selects, or did.
#[derive(Clone, Debug)]
struct TrackedPod {
    labels: Arc<Labels>,
    /// The stable name under which delays are drawn.
    subject: Arc<str>,
    members: Vec<Member>,
}

/// A pod as a part of one Service.
#[derive(Clone, Debug, Default)]
#[allow(clippy::struct_excessive_bools, reason = "independent facts")]
struct Member {
    service: u16,
    revision: u32,
    /// Whether the Service still selects it.
    selected: bool,
    /// What the EndpointSlice controller was told last.
    told: Endpoint,
    /// What stands in the slice.
    written: Endpoint,
    /// What those know who send requests on.
    known: Endpoint,
    /// No news reach them before.
    due: SimTime,
    /// Counts news, for draws.
    news: u32,
    health: Health,
    /// It has warmed up since its containers started.
    warm: bool,
    /// It is warming up.
    warming: bool,
    group: Option<usize>,
    meter: PodMeter,
    /// It served so much until then, and ends what it has begun.
    closing: Option<(SimTime, u64)>,
}

/// What a load balancer thinks of a pod.
#[derive(Clone, Copy, Debug, Default)]
struct Health {
    since: SimTime,
    healthy: bool,
    /// Whether it was ever healthy.
    passed: bool,
    /// What it will be soon, if nothing changes.
    next: Option<bool>,
    /// Makes checks stale.
    ticket: u16,
}

/// What is recorded of a Service, in this order.
const FIELDS: [Field; 10] = [
    Field::Endpoints,
    Field::RoutablePods,
    Field::ServingPods,
    Field::DeadEnds,
    Field::Requests,
    Field::RequestCapacity,
    Field::RefusedRequests,
    Field::ShedRequests,
    Field::ErrorAnswers,
    Field::CutRequests,
];

/// Their values; -1 for what is without limit.
fn values(tracked: &Tracked) -> [i64; FIELDS.len()] {
    let Rates { routable, dead_ends, serving, requests, capacity, refused, shed, errors } = *tracked.flow.rates();
    [
        tracked.endpoints.into(),
        routable.into(),
        serving.into(),
        dead_ends.into(),
        requests as i64,
        capacity.map_or(-1, |capacity| i64::try_from(capacity).unwrap_or(i64::MAX)),
        refused as i64,
        shed as i64,
        errors as i64,
        tracked.cut as i64,
    ]
}

/// How a pod belongs into an EndpointSlice.
///
/// Upstream: `staging/src/k8s.io/endpointslice/utils.go podToEndpoint` and
/// `staging/src/k8s.io/endpointslice/util/controller_utils.go ShouldPodBeInEndpoints`
fn endpoint_of(pod: &Pod, service: &Service) -> Endpoint {
    let has_address = pod.phase == Phase::Running;
    match (pod.ready || service.publish_not_ready_addresses, pod.meta.is_deleting()) {
        _ if !has_address || !service.selects(&pod.meta.labels) => Endpoint::Closed,
        (true, false) => Endpoint::Open,
        (true, true) if service.publish_not_ready_addresses => Endpoint::Open,
        (true, true) => Endpoint::Leaving,
        (false, _) => Endpoint::Closed,
    }
}

impl TrafficState {
    /// Whether there is anything to do before time goes on.
    pub(super) const fn is_unsettled(&self) -> bool {
        !self.unsettled.is_empty()
    }

    fn unsettle(&mut self, service: u16, cause: Option<RecordId>) {
        self.services[usize::from(service)].cause = cause;
        if !self.unsettled.contains(&service) {
            self.unsettled.push(service);
        }
    }

    /// What a metrics server shows of a pod, with whether its CPU is known.
    pub(super) fn read(&self, pod: Key, now: SimTime) -> Vec<(u16, Reading)> {
        let members = self.pods.get(&pod).into_iter().flat_map(|pod| &pod.members);
        let readings = members.filter_map(|member| {
            let flow = &self.services[usize::from(member.service)].flow;
            Some((member.service, flow.read(member.group?, &member.meter, now)?))
        });
        readings.collect()
    }

    /// What clients send to a Service of the setup now.
    pub(super) fn requests(&self, service: usize) -> u64 {
        self.services.get(service).map_or(0, |tracked| tracked.flow.rates().requests)
    }
}

impl Simulation {
    /// Clients begin to send requests.
    pub(super) fn begin_traffic(&mut self) {
        self.traffic.services = self.setup.traffic.iter().map(|_| Tracked::default()).collect();
        for service in 0..self.setup.traffic.len() as u16 {
            self.change_demand(service);
        }
    }

    /// Clients send another number of requests, from now on.
    pub(super) fn change_demand(&mut self, service: u16) {
        let demand = &self.setup.traffic[usize::from(service)].demand;
        let (rate, next) = (demand.at(self.now), demand.next_change(self.now));
        self.traffic.services[usize::from(service)].flow.set_demand(rate);
        self.traffic.unsettle(service, None);
        if let Some(next) = next.filter(|next| *next <= self.setup.until) {
            self.queue.push(next, Urgency::First, Event::Demand(service));
        }
    }

    /// A watch event about anything that requests depend on.
    pub(super) fn traffic_sees(&mut self, change: &Change) {
        if self.traffic.services.is_empty() {
            return;
        }
        match change.key.kind {
            Kind::Service => self.traffic_sees_service(change),
            Kind::Pod => {
                if change.verb != Verb::Deleted {
                    self.enlist(change.key);
                }
                self.traffic_looks_at(change.key);
            }
            _ => {}
        }
    }

    fn traffic_sees_service(&mut self, change: &Change) {
        let Some(service) = self.store.objects().services.get(change.key) else {
            return self.lose_service(change.key);
        };
        let is = |t: &crate::environment::traffic::Traffic| {
            t.namespace == service.meta.namespace && t.service == service.meta.name
        };
        let Some(index) = self.setup.traffic.iter().position(is) else { return };
        let selector = Selector { match_labels: service.selector.clone(), ..Selector::default() };
        let tracked = &mut self.traffic.services[index];
        tracked.service = Some(change.key);
        tracked.uid = Some(change.key.uid);
        let cause = self.recorder.last.some();
        self.traffic.unsettle(index as u16, cause);
        let of_now = self.store.objects().pods_selected(&service.meta.namespace, &selector);
        let mut pods: Vec<Key> = of_now.into_iter().map(|(key, _)| key).collect();
        pods.extend(self.members_of(index as u16));
        pods.sort_by_key(|pod| pod.uid);
        pods.dedup();
        for pod in pods {
            self.traffic.pods.entry(pod).and_modify(|tracked| tracked.labels = Arc::default());
            self.enlist(pod);
            self.traffic_looks_at(pod);
        }
    }

    /// A Service is gone, and its EndpointSlices with it.
    fn lose_service(&mut self, key: Key) {
        let Some(index) = self.traffic.services.iter().position(|tracked| tracked.service == Some(key)) else { return };
        self.traffic.services[index].service = None;
        for pod in self.members_of(index as u16) {
            self.traffic_looks_at(pod);
        }
    }

    /// The pods of a Service, in order of creation.
    fn members_of(&self, service: u16) -> Vec<Key> {
        let member = |(_, pod): &(&Key, &TrackedPod)| pod.members.iter().any(|member| member.service == service);
        let mut pods: Vec<Key> = self.traffic.pods.iter().filter(member).map(|(key, _)| *key).collect();
        pods.sort_by_key(|pod| pod.uid);
        pods
    }

    /// Finds the Services that select a pod whose labels are new.
    fn enlist(&mut self, key: Key) {
        let objects = self.store.objects();
        let Some(pod) = objects.pods.get(key) else { return };
        let known = self.traffic.pods.get(&key);
        if known.is_some_and(|known| Arc::ptr_eq(&known.labels, &pod.meta.labels)) {
            return;
        }
        let mut new = Vec::new();
        for (index, tracked) in self.traffic.services.iter().enumerate() {
            let service = tracked.service.and_then(|service| objects.services.get(service));
            let selects =
                |service: &Service| service.meta.namespace == pod.meta.namespace && service.selects(&pod.meta.labels);
            if service.is_some_and(selects) {
                new.push(index as u16);
            }
        }
        if new.is_empty() && known.is_none() {
            return;
        }
        let owner = pod.meta.controller();
        let (labels, image) = (pod.meta.labels.clone(), pod.template.image().to_string());
        let subject = self.runtime(PodRef::of(key)).map_or_else(|| "".into(), |runtime| runtime.subject.clone());
        let revisions: Vec<u32> = new.iter().map(|&service| self.revision_in(service, owner, &image)).collect();
        let tracked = self.traffic.pods.entry(key).or_insert_with(|| TrackedPod {
            labels: labels.clone(),
            subject,
            members: Vec::new(),
        });
        tracked.labels = labels;
        tracked.members.iter_mut().for_each(|member| member.selected = new.contains(&member.service));
        for (&service, &revision) in new.iter().zip(&revisions) {
            if !tracked.members.iter().any(|member| member.service == service) {
                tracked.members.push(Member { service, revision, selected: true, ..Member::default() });
            }
        }
    }

    /// The number of a pod's revision in a Service.
    fn revision_in(&mut self, service: u16, owner: Option<Key>, image: &str) -> u32 {
        let share = self.setup.traffic[usize::from(service)].pod.error_share(image);
        let tracked = &mut self.traffic.services[usize::from(service)];
        let Tracked { flow, replica_sets, said_of_revisions, .. } = tracked;
        *tracked.revisions.entry((owner.map(|owner| owner.uid), share)).or_insert_with(|| {
            replica_sets.push(owner.filter(|owner| owner.kind == Kind::ReplicaSet).map(|owner| owner.uid));
            said_of_revisions.push(RevisionRates::default());
            flow.add_revision(share)
        })
    }

    /// Whether a pod takes requests and serves them.
    fn answers(&self, key: Key) -> bool {
        let pod = PodRef::of(key);
        let (Some(row), Some(runtime)) = (self.pod(pod), self.runtime(pod)) else { return false };
        let machine_runs =
            row.node.is_some_and(|node| !self.dead.contains(&node)) && self.until_awake(row.node) == Span::ZERO;
        runtime.answers && runtime.running && machine_runs
    }

    /// The pods of a machine that goes on, or does not.
    pub(super) fn traffic_looks_at_machine(&mut self, node: Key) {
        if self.traffic.services.is_empty() {
            return;
        }
        for pod in self.pods_in_hand(node) {
            self.traffic_looks_at(pod.key());
        }
    }

    /// Something about a pod may be otherwise.
    pub(super) fn traffic_looks_at(&mut self, key: Key) {
        if self.traffic.pods.is_empty() {
            return;
        }
        let Some(mut tracked) = self.traffic.pods.remove(&key) else { return };
        let answers = self.answers(key);
        let runs = self.runtime(PodRef::of(key)).is_some_and(|runtime| runtime.running)
            && self.pod(PodRef::of(key)).is_some_and(|row| row.node.is_none_or(|node| !self.dead.contains(&node)));
        for member in &mut tracked.members {
            self.tell_endpoint(key, member, &tracked.subject);
            self.warm_up(key, member, &tracked.subject, answers, runs);
            self.check_health(key, member, answers);
            self.place_member(key, member, answers, runs);
        }
        let over = |member: &Member| member.group.is_none();
        tracked.members.retain(|member| !over(member));
        if !tracked.members.is_empty() {
            self.traffic.pods.insert(key, tracked);
        }
    }

    /// Tells the EndpointSlice controller how a pod is.
    fn tell_endpoint(&mut self, key: Key, member: &mut Member, subject: &str) {
        let wanted = self.endpoint(key, member.service);
        if wanted == member.told {
            return;
        }
        member.told = wanted;
        member.news += 1;
        let lag = &self.setup.traffic[usize::from(member.service)].endpoints;
        let draws = Draws::new(self.setup.seed);
        if let Some(lag) = lag.draw(&draws, "endpoints", subject, u64::from(member.news)) {
            self.later(lag, Event::Endpoint(PodRef::of(key), member.service));
        }
    }

    /// How a pod belongs into the slices of a Service now.
    fn endpoint(&self, key: Key, service: u16) -> Endpoint {
        let objects = self.store.objects();
        let service = self.traffic.services[usize::from(service)].service.and_then(|key| objects.services.get(key));
        match (objects.pods.get(key), service) {
            (Some(pod), Some(service)) => endpoint_of(pod, service),
            _ => Endpoint::Closed,
        }
    }

    /// The EndpointSlice controller writes down how a pod is, if it can.
    pub(super) fn write_endpoint(&mut self, pod: PodRef, service: u16) {
        if self.processes.is_empty() || self.hosts.is_deaf() {
            self.traffic.held.push((pod, service));
            return;
        }
        let endpoint = self.endpoint(pod.key(), service);
        let draws = Draws::new(self.setup.seed);
        let Some(tracked) = self.traffic.pods.get_mut(&pod.key()) else { return };
        let subject = tracked.subject.clone();
        let Some(member) = tracked.members.iter_mut().find(|member| member.service == service) else { return };
        if endpoint == member.written {
            return;
        }
        let listed = |endpoint: Endpoint| u32::from(endpoint == Endpoint::Open);
        let count = &mut self.traffic.services[usize::from(service)].endpoints;
        *count = *count + listed(endpoint) - listed(member.written);
        member.written = endpoint;
        let (Route::Proxies(lag) | Route::LoadBalancer { delay: lag, .. }) =
            &self.setup.traffic[usize::from(service)].route;
        let drawn = lag.draw(&draws, "route", &subject, u64::from(member.news));
        let at = drawn.map(|lag| self.now.floor_ms().after(lag).max(self.now).max(member.due));
        if let Some(at) = at {
            member.due = at;
            self.queue.push(at, Urgency::First, Event::Routed(pod, service, endpoint));
        }
        let cause = self.recorder.latest_of(pod.key().uid).some();
        self.traffic.unsettle(service, cause);
    }

    /// The EndpointSlice controller catches up.
    pub(super) fn write_held_endpoints(&mut self) {
        for (pod, service) in std::mem::take(&mut self.traffic.held) {
            self.write_endpoint(pod, service);
        }
    }

    /// Those who send requests on hear of a change.
    pub(super) fn route(&mut self, pod: PodRef, service: u16, endpoint: Endpoint) {
        let now = self.now;
        if let Some(member) = self.member(pod, service) {
            if endpoint == Endpoint::Open && member.known != Endpoint::Open {
                let ticket = member.health.ticket.wrapping_add(1);
                member.health = Health { since: now, ticket, ..Health::default() };
            }
            member.known = endpoint;
        }
        self.traffic_looks_at(pod.key());
    }

    fn member(&mut self, pod: PodRef, service: u16) -> Option<&mut Member> {
        let tracked = self.traffic.pods.get_mut(&pod.key())?;
        tracked.members.iter_mut().find(|member| member.service == service)
    }

    fn checks(&self, service: u16) -> Option<HealthChecks> {
        match self.setup.traffic[usize::from(service)].route {
            Route::Proxies(_) => None,
            Route::LoadBalancer { checks, .. } => checks,
        }
    }

    /// Plans when a load balancer will think otherwise of a pod.
    fn check_health(&mut self, key: Key, member: &mut Member, answers: bool) {
        let Some(checks) = self.checks(member.service) else {
            member.health.healthy = true;
            return;
        };
        let health = &mut member.health;
        if member.known != Endpoint::Open {
            *health = Health { ticket: health.ticket.wrapping_add(1), ..Health::default() };
        } else if answers == health.healthy {
            health.next = None;
            health.ticket = health.ticket.wrapping_add(1);
        } else if health.next != Some(answers) {
            let needed = match answers {
                // A pod that is new has to pass once.
                true if !health.passed => 1,
                true => checks.healthy,
                false => checks.unhealthy,
            };
            health.next = Some(answers);
            health.ticket = health.ticket.wrapping_add(1);
            let interval = checks.interval.0.max(SECOND / 1_000);
            let passed = self.now.since(health.since).0 / interval;
            let at = health.since.after(Span(interval.saturating_mul(passed + u64::from(needed.max(1)))));
            self.queue.push(at, Urgency::First, Event::Checked(PodRef::of(key), member.service, health.ticket));
        }
    }

    /// A load balancer has checked a pod often enough.
    pub(super) fn checked(&mut self, pod: PodRef, service: u16, ticket: u16) {
        let Some(member) = self.member(pod, service).filter(|member| member.health.ticket == ticket) else { return };
        if let Some(healthy) = member.health.next.take() {
            member.health.healthy = healthy;
            member.health.passed |= healthy;
            self.traffic_looks_at(pod.key());
        }
    }

    /// A pod that begins to answer warms up.
    fn warm_up(&mut self, key: Key, member: &mut Member, subject: &str, answers: bool, runs: bool) {
        if !runs {
            (member.warm, member.warming) = (false, false);
        }
        let Some(warm_up) = &self.setup.traffic[usize::from(member.service)].pod.warm_up else {
            member.warm = true;
            return;
        };
        if answers && !member.warm && !member.warming {
            member.warming = true;
            let starts = self.runtime(PodRef::of(key)).map_or(0, |runtime| runtime.starts);
            let lasts = warm_up.lasts.draw(&Draws::new(self.setup.seed), "warm-up", subject, u64::from(starts));
            if let Some(lasts) = lasts {
                self.later(lasts, Event::Warm(PodRef::of(key), member.service, starts as u16));
            }
        }
    }

    /// A pod has warmed up, if it is still in the same start.
    pub(super) fn warmed_up(&mut self, pod: PodRef, service: u16, start: u16) {
        let same = self.runtime(pod).is_some_and(|runtime| runtime.starts as u16 == start && runtime.running);
        if let Some(member) = self.member(pod, service).filter(|member| same && member.warming) {
            (member.warm, member.warming) = (true, false);
            self.traffic_looks_at(pod.key());
        }
    }

    /// Puts a pod among those that stand alike.
    fn place_member(&mut self, key: Key, member: &mut Member, answers: bool, runs: bool) {
        let service = usize::from(member.service);
        let by_proxies = matches!(self.setup.traffic[service].route, Route::Proxies(_));
        let way = match member.known {
            Endpoint::Open if member.health.healthy => Way::Open,
            Endpoint::Leaving if by_proxies => Way::Last,
            _ => Way::None,
        };
        let there = self.store.objects().pods.get(key).is_some() && member.selected;
        let pending = member.written != Endpoint::Closed || member.known != Endpoint::Closed;
        let standing = (there || pending || way != Way::None).then_some(Standing {
            revision: member.revision,
            way,
            answers,
            cold: runs && !member.warm,
            runs,
        });
        let now = self.now;
        let flow = &mut self.traffic.services[service].flow;
        let before = member.group.map(|group| flow.standing(group));
        member.meter.runs(now, runs);
        if before == standing {
            return;
        }
        let latency = self.setup.traffic[service].pod.latency;
        let cut = member.cut_off(flow, before, standing, (now, latency));
        member.group = flow.place(member.group, standing, &mut member.meter, now);
        self.traffic.services[service].cut += cut;
        let cause = self.recorder.latest_of(key.uid);
        let opened = before.is_some_and(|before| before.way == Way::Open);
        self.tell_way(key, service, opened, way == Way::Open, cause);
        self.traffic.unsettle(service as u16, cause.some());
    }

    /// Records that requests go to a pod from now on, or no more. That is
    /// nothing that the pod's own life follows from.
    fn tell_way(&mut self, key: Key, service: usize, before: bool, now: bool, cause: RecordId) {
        let Some(uid) = self.traffic.services[service].uid.filter(|_| before != now) else { return };
        let (service, subject) = (self.recorder.subject(uid), self.recorder.subject(key.uid));
        let what = if now { What::Routable { service } } else { What::Unroutable { service } };
        self.recorder.trace.push(self.now, cause, subject, what);
    }

    /// Divides requests anew where something changed, before time goes on.
    pub(super) fn settle_traffic(&mut self) {
        for service in std::mem::take(&mut self.traffic.unsettled) {
            let index = usize::from(service);
            let tracked = &mut self.traffic.services[index];
            tracked.flow.settle(&self.setup.traffic[index].pod, self.now);
            let cause = tracked.cause.take().unwrap_or(RecordId::NONE);
            let Some(uid) = tracked.uid else { continue };
            let subject = self.recorder.subject(uid);
            let new = values(tracked);
            let said = std::mem::replace(&mut tracked.said, new);
            for (field, (value, said)) in FIELDS.into_iter().zip(new.into_iter().zip(said)) {
                if value != said {
                    let value = if value < 0 { Value::Absent } else { Value::Int(value) };
                    self.recorder.trace.push(self.now, cause, subject, What::Set { field, value });
                }
            }
            self.tell_revisions(index, cause);
        }
    }

    fn tell_revisions(&mut self, service: usize, cause: RecordId) {
        let tracked = &mut self.traffic.services[service];
        for (revision, rates) in tracked.flow.of_revisions().iter().enumerate() {
            let Some(uid) = tracked.replica_sets[revision] else { continue };
            let said = std::mem::replace(&mut tracked.said_of_revisions[revision], *rates);
            let subject = self.recorder.subject(uid);
            for (field, value, said) in [
                (Field::Requests, rates.requests, said.requests),
                (Field::FailedRequests, rates.failed, said.failed),
                (Field::ErrorAnswers, rates.errors, said.errors),
            ] {
                if value != said {
                    let value = Value::Int(value as i64);
                    self.recorder.trace.push(self.now, cause, subject, What::Set { field, value });
                }
            }
        }
    }
}

impl Member {
    /// What was under way when a pod ended before it could answer, in
    /// millionths of a request.
    fn cut_off(
        &mut self,
        flow: &Flow,
        before: Option<Standing>,
        after: Option<Standing>,
        (now, latency): (SimTime, Span),
    ) -> u64 {
        let under_way = |rate: u64, time: Span| (u128::from(rate) * u128::from(time.0) / u128::from(SECOND)) as u64;
        let gets = |standing: Option<Standing>| standing.is_some_and(|s| s.answers && s.way != Way::None);
        if gets(after) {
            self.closing = None;
            return 0;
        }
        if gets(before) {
            // It gets no more from now on, and ends what it has begun.
            self.closing = Some((now, self.group.map_or(0, |group| flow.served_by_each(group))));
        }
        if after.is_some_and(|after| after.runs) {
            return 0;
        }
        self.closing.take().map_or(0, |(since, rate)| {
            // Ends are on the grid of milliseconds, which is no reason to cut.
            let passed = now.floor_ms().since(since.floor_ms());
            under_way(rate, Span(latency.0.saturating_sub(passed.0)))
        })
    }
}
