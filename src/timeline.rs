//! A [`Trace`] as step functions of time: how many pods of each workload were
//! available, ready, on nodes and so on at every moment.
//!
//! A *workload* is an object that nobody owns together with everything below
//! it: a Deployment with its ReplicaSets and their pods, a CronJob with its
//! Jobs and theirs, or a ReplicaSet or a pod on its own. If an object is
//! deleted and made again under its name, both lives are one workload.

mod capacity;
mod cast;
mod components;
mod effects;
mod executions;
mod fold;
mod growing;
mod lives;
mod services;
mod steps;
mod turns;

pub use capacity::{Band, Capacity, ZoneLoad};
pub use components::{ClockPiece, Component};
pub use effects::Write;
pub use growing::Growing;
pub use lives::{Ending, JobLife, Life, Lives, Phase, Stretch};
pub use services::{Flows, Service, rate};
pub use steps::Steps;
pub use turns::Turn;

use crate::api::Kind;
use crate::time::{SimTime, Span, Timestamp};
use crate::trace::Trace;

/// What is counted about a workload.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Series {
    /// Available pods as the controller reports them: `status.availableReplicas`
    /// of the workload, its lag and its truncated seconds included. Of a pod on
    /// its own: 1 while it is ready.
    Available,
    /// Pods that are ready and not being deleted, counted from the pods.
    Ready,
    /// Pods that take up room on a node: bound, not finished and not removed;
    /// pods being deleted count until they are gone.
    OnNode,
    /// Pods in the API: created and not removed, finished ones too.
    Existing,
    /// Pods that are being deleted and still run.
    Terminating,
    /// `spec.replicas`; 1 for a pod on its own.
    Desired,
    /// `spec.replicas` of all its ReplicaSets together: the pods that the
    /// Deployment controller counts against its limits.
    Counted,
    /// Pods of the newest revision that are neither finished nor being deleted.
    Updated,
    /// Pods without a node.
    Pending,
    /// Pods that schedulers leave alone because of their gates.
    Gated,
    /// Pods that have a node and wait there for their disks.
    Attaching,
    /// Pods that are found by their own name, as headless Services give it.
    Dns,
    /// Ready pods that are not being deleted and whose application really
    /// serves requests. Where the trace does not say when applications do,
    /// these are the ready ones. Of a Service its pods that answer, those being
    /// deleted included.
    Serving,
    /// Container restarts so far, of removed pods too.
    Restarts,
    /// How many of its containers were ended by force so far, because they
    /// were not done when their grace was over. Only pods with a known
    /// application count.
    Killed,
    /// The most pods a rolling update may ask for: desired + maxSurge. Empty
    /// if the trace does not say.
    Ceiling,
    /// The fewest available pods a rolling update may leave by its own doing:
    /// desired - maxUnavailable. Empty if the trace does not say.
    Floor,
    /// What its runs have written outside the cluster so far.
    Effects,
    /// How many of these were not the first under their key.
    Duplicates,
    /// What its runs have not written because they were cut off.
    Lost,
    /// Pods whose containers have started and that have not ended: waiting for
    /// a restart in place counts, and being deleted does too.
    Running,
    /// How many executions of the same work run at one time. Of a CronJob its
    /// Jobs with a running pod; of an Indexed Job, a StatefulSet and a
    /// DaemonSet the most running pods of one index, ordinal or node; of
    /// anything else its running pods.
    Overlap,
    /// Starts of pods and restarts in place so far.
    Attempts,
    /// Of a Job the pods that ended well and were counted
    /// (`status.succeeded`); of a CronJob its Jobs that completed so far.
    Completions,
    /// Jobs that are neither complete nor failed nor gone.
    ActiveJobs,
    /// Jobs in the API, finished ones too.
    Jobs,
    /// Jobs created so far.
    StartedJobs,
    /// Jobs that failed so far.
    FailedJobs,
    /// Pods that requests for a Service go to, whether they answer or not.
    Routable,
    /// Those of them that do not answer: what goes there fails.
    DeadEnds,
    /// Of a Service: pods in its EndpointSlices as ready.
    Endpoints,
    /// Requests a second, like all that follow, in [millionths](Series::scale).
    Requests,
    /// What the pods could serve that requests go to and that answer. Empty if
    /// that is without limit.
    Capacity,
    /// Requests that are answered well.
    Served,
    /// Requests that fail, for any of the three reasons that follow.
    FailedRequests,
    /// Requests that nobody answers.
    Refused,
    /// Requests that are more than pods can serve.
    Shed,
    /// Requests that are answered with an error.
    Errors,
    /// Requests that were under way when their pod was cut off, so far.
    CutRequests,
}

impl Series {
    /// All series.
    pub const ALL: [Series; 39] = [
        Series::Available,
        Series::Ready,
        Series::OnNode,
        Series::Existing,
        Series::Terminating,
        Series::Desired,
        Series::Counted,
        Series::Updated,
        Series::Pending,
        Series::Gated,
        Series::Attaching,
        Series::Dns,
        Series::Serving,
        Series::Restarts,
        Series::Killed,
        Series::Ceiling,
        Series::Floor,
        Series::Effects,
        Series::Duplicates,
        Series::Lost,
        Series::Running,
        Series::Overlap,
        Series::Attempts,
        Series::Completions,
        Series::ActiveJobs,
        Series::Jobs,
        Series::StartedJobs,
        Series::FailedJobs,
        Series::Routable,
        Series::DeadEnds,
        Series::Endpoints,
        Series::Requests,
        Series::Capacity,
        Series::Served,
        Series::FailedRequests,
        Series::Refused,
        Series::Shed,
        Series::Errors,
        Series::CutRequests,
    ];

    /// The name that assertions and tables use, such as `on-node`.
    pub const fn name(self) -> &'static str {
        match self {
            Series::Available => "available",
            Series::Ready => "ready",
            Series::OnNode => "on-node",
            Series::Existing => "existing",
            Series::Terminating => "terminating",
            Series::Desired => "desired",
            Series::Counted => "counted",
            Series::Updated => "updated",
            Series::Pending => "pending",
            Series::Gated => "gated",
            Series::Attaching => "attaching",
            Series::Dns => "dns",
            Series::Serving => "serving",
            Series::Restarts => "restarts",
            Series::Killed => "killed",
            Series::Ceiling => "ceiling",
            Series::Floor => "floor",
            Series::Effects => "effects",
            Series::Duplicates => "duplicates",
            Series::Lost => "lost",
            Series::Running => "running",
            Series::Overlap => "overlap",
            Series::Attempts => "attempts",
            Series::Completions => "completions",
            Series::ActiveJobs => "active-jobs",
            Series::Jobs => "jobs",
            Series::StartedJobs => "started-jobs",
            Series::FailedJobs => "failed-jobs",
            Series::Routable => "routable",
            Series::DeadEnds => "dead-ends",
            Series::Endpoints => "endpoints",
            Series::Requests => "requests",
            Series::Capacity => "capacity",
            Series::Served => "served",
            Series::FailedRequests => "failed-requests",
            Series::Refused => "refused",
            Series::Shed => "shed",
            Series::Errors => "errors",
            Series::CutRequests => "cut",
        }
    }

    /// Whether Services have it.
    pub const fn is_of_services(self) -> bool {
        matches!(self, Series::Serving | Series::Routable | Series::DeadEnds | Series::Endpoints) || self.scale() > 1
    }

    /// Whether workloads have it.
    pub const fn is_of_workloads(self) -> bool {
        self.scale() == 1 && !matches!(self, Series::Endpoints)
    }

    /// Whether revisions of a Deployment have it.
    pub const fn is_of_revisions(self) -> bool {
        matches!(
            self,
            Series::Ready
                | Series::OnNode
                | Series::Routable
                | Series::Requests
                | Series::FailedRequests
                | Series::Errors
        )
    }

    /// How many of its units are one: requests are counted in millionths.
    pub const fn scale(self) -> i64 {
        match self {
            Series::Requests
            | Series::Capacity
            | Series::Served
            | Series::FailedRequests
            | Series::Refused
            | Series::Shed
            | Series::Errors
            | Series::CutRequests => 1_000_000,
            _ => 1,
        }
    }

    /// The series of that name.
    pub fn parse(name: &str) -> Option<Series> {
        Series::ALL.into_iter().find(|s| s.name() == name)
    }
}

/// The pods of one ReplicaSet.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Revision {
    /// The ReplicaSet as traces name it, such as `web/2`.
    pub name: String,
    /// Its revision when it was made; 0 if it has none.
    pub number: u32,
    /// Later revisions: a rollback gives an old ReplicaSet a new number.
    pub renumbered: Vec<(SimTime, u32)>,
    /// The image of its first container; empty if the trace does not say.
    pub image: String,
    /// Its ready pods that are not being deleted.
    pub ready: Steps,
    /// Its pods on nodes, those being deleted included.
    pub on_node: Steps,
    /// Its pods on nodes that are being deleted.
    pub terminating: Steps,
    /// Its pods that requests go to.
    pub routable: Steps,
    /// Requests a second that go to its pods, in millionths.
    pub requests: Steps,
    /// Those of them that fail.
    pub failed_requests: Steps,
    /// Those of them that are answered with an error.
    pub errors: Steps,
}

impl Revision {
    /// One of its step functions, if revisions have it.
    pub fn series(&self, series: Series) -> Option<&Steps> {
        Some(match series {
            Series::Ready => &self.ready,
            Series::OnNode => &self.on_node,
            Series::Routable => &self.routable,
            Series::Requests => &self.requests,
            Series::FailedRequests => &self.failed_requests,
            Series::Errors => &self.errors,
            _ => return None,
        })
    }
}

/// A condition of a workload got a new value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConditionChange {
    /// When.
    pub at: SimTime,
    /// Which: `Available`, `Progressing` or `ReplicaFailure`, of a Job
    /// `Complete`, `Failed`, `FailureTarget`, `SuccessCriteriaMet` or
    /// `Suspended`.
    pub condition: &'static str,
    /// `True`, `False` or `Unknown`; empty if the condition went away.
    pub status: String,
    /// Why, in one word; may be empty.
    pub reason: String,
}

/// A timed action of the scenario.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ActionMark {
    /// When.
    pub at: SimTime,
    /// In words: `set image deployment/web app:v2`.
    pub text: String,
    /// The reason for which the API server refused it, if it did.
    pub rejected: Option<String>,
}

/// A revision of a Deployment taking over.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rollout {
    /// Index into [`Workload::revisions`].
    pub revision: usize,
    /// The number that the revision got.
    pub number: u32,
    /// Whether these are the first pods of the workload.
    pub initial: bool,
    /// When it was asked for: the time of the action that led to it.
    pub start: SimTime,
    /// When all pods were updated and available; `None` if it was not
    /// finished when the run ended or another rollout took over.
    pub end: Option<SimTime>,
    /// When another rollout took over, if this one was not finished.
    pub superseded: Option<SimTime>,
    /// When the controller first reported `ProgressDeadlineExceeded`.
    pub stalled: Option<SimTime>,
}

impl Rollout {
    /// How long it took, if it was finished.
    pub fn duration(&self) -> Option<Span> {
        self.end.map(|end| end.since(self.start))
    }
}

/// What the scheduler said when it found no node for a pod.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Unplaced {
    /// When it first said so.
    pub at: SimTime,
    /// `0/3 nodes are available: 3 Insufficient cpu. …`
    pub message: String,
}

/// Everything about one workload over time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Workload {
    /// The kind of its top object.
    pub kind: Kind,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// When it was created.
    pub created: SimTime,
    deleted: Option<SimTime>,
    failed_pods: Steps,
    series: [Steps; Series::ALL.len()],
    revisions: Vec<Revision>,
    conditions: Vec<ConditionChange>,
    unplaced: Vec<Unplaced>,
    rollouts: Vec<Rollout>,
    actions: Vec<ActionMark>,
    writes: Vec<Write>,
    zones: Vec<ZoneLoad>,
    turns: Vec<Turn>,
}

impl Workload {
    /// One of its step functions.
    pub fn series(&self, series: Series) -> &Steps {
        match series {
            Series::Serving if !self.tells_serving() => &self.series[Series::Ready as usize],
            _ => &self.series[series as usize],
        }
    }

    /// Whether the trace says when its applications serve requests.
    pub fn tells_serving(&self) -> bool {
        !self.series[Series::Serving as usize].is_empty()
    }

    /// When it was gone from the API, if it did not come again.
    pub const fn deleted(&self) -> Option<SimTime> {
        self.deleted
    }

    /// Of a Job its failed pods, as its status says.
    pub const fn failed_pods(&self) -> &Steps {
        &self.failed_pods
    }

    /// Its ReplicaSets in order of creation; of a pod on its own, one nameless
    /// revision.
    pub fn revisions(&self) -> &[Revision] {
        &self.revisions
    }

    /// Changes of its conditions in order of time; of several changes of one
    /// condition in one instant only the last.
    pub fn conditions(&self) -> &[ConditionChange] {
        &self.conditions
    }

    /// What the scheduler said of its pods that it found no node for, in order
    /// of time.
    pub fn unplaced(&self) -> &[Unplaced] {
        &self.unplaced
    }

    /// Its rollouts in order of time, the first creation included.
    pub fn rollouts(&self) -> &[Rollout] {
        &self.rollouts
    }

    /// The actions that touched it or the whole cluster, in order of time.
    pub fn actions(&self) -> &[ActionMark] {
        &self.actions
    }

    /// What its runs wrote outside the cluster, in order of time.
    pub fn writes(&self) -> &[Write] {
        &self.writes
    }

    /// What happened to its nodes and pods without anybody ordering it, in
    /// order of time.
    pub fn turns(&self) -> &[Turn] {
        &self.turns
    }

    /// Its pods by zone, of the zones that it was ever in.
    pub fn zones(&self) -> &[ZoneLoad] {
        &self.zones
    }

    /// The most pods in one zone less the fewest, those being deleted left
    /// out, of the zones that have nodes at that moment.
    #[must_use]
    pub fn skew(&self, timeline: &Timeline) -> Steps {
        let from_zero = |steps: &Steps| -> Steps {
            std::iter::once((SimTime::ZERO, 0)).chain(steps.points().iter().copied()).collect()
        };
        let of = |zone: &String| {
            let load = self.zones.iter().find(|load| load.zone == *zone);
            let pods = load.map_or_else(Steps::default, |load| load.active.clone());
            let nodes = timeline.nodes.iter().filter(|node| node.zone == *zone);
            let nodes = nodes.fold(Steps::default(), |sum, node| sum.zip_with(&node.present, |a, b| a + b));
            from_zero(&pods).zip_with(&from_zero(&nodes), |pods, nodes| if nodes > 0 { pods } else { NOWHERE })
        };
        let all: Vec<Steps> = timeline.capacity.zones.iter().map(of).collect();
        let put =
            |pick: fn(i64, i64) -> i64| all.iter().cloned().reduce(|a, b| a.zip_with(&b, pick)).unwrap_or_default();
        put(i64::max).zip_with(&put(fewest), |most, least| (most - least).max(0))
    }

    /// Whether its work ends: a Job or a CronJob.
    pub const fn is_batch(&self) -> bool {
        matches!(self.kind, Kind::Job | Kind::CronJob)
    }

    /// `deployment/web`, as kubectl prints it.
    pub fn path(&self) -> String {
        format!("{}/{}", self.kind.name().to_lowercase(), self.name)
    }

    /// The first moment at which all desired pods were available, from which
    /// on a minimum says something.
    pub fn settled(&self) -> Option<SimTime> {
        self.series(Series::Available)
            .zip_with(self.series(Series::Desired), |available, desired| i64::from(desired > 0 && available >= desired))
            .first_where(SimTime::ZERO, |full| full == 1)
    }

    /// Its available pods while any are wanted, and `i64::MAX` while none are.
    fn wanted_available(&self) -> Steps {
        let wanted = |available, desired| if desired > 0 { available } else { i64::MAX };
        self.series(Series::Available).zip_with(self.series(Series::Desired), wanted)
    }

    /// The fewest available pods in a range and when that was first so. Only
    /// time counts in which pods are wanted and after all of them were
    /// available once; `None` if there is no such time.
    pub fn least_available(&self, from: SimTime, to: SimTime) -> Option<(SimTime, i64)> {
        let from = self.settled()?.max(from);
        let least = self.wanted_available().first_min(from, to);
        (from < to && least.1 != i64::MAX).then_some(least)
    }

    /// For how much of a range no pod was available, with the same exceptions
    /// as [`least_available`](Workload::least_available).
    pub fn outage(&self, from: SimTime, to: SimTime) -> Span {
        match self.settled() {
            Some(settled) => self.wanted_available().duration_where(settled.max(from), to, |n| n <= 0),
            None => Span::ZERO,
        }
    }

    /// The last moment at which anything about it changed.
    pub fn last_change(&self) -> SimTime {
        let of_series = self.series.iter().filter_map(|s| s.points().last()).map(|p| p.0);
        let of_conditions = self.conditions.last().map(|c| c.at);
        of_series.chain(of_conditions).max().unwrap_or_default()
    }
}

/// The number of pods in a zone without nodes.
pub(crate) const NOWHERE: i64 = -1;

/// The smaller of two numbers of pods, zones without nodes left out.
pub(crate) fn fewest(a: i64, b: i64) -> i64 {
    match (a, b) {
        (NOWHERE, other) | (other, NOWHERE) => other,
        (a, b) => a.min(b),
    }
}

/// The pods on one node over time.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct NodeLoad {
    /// The node's name.
    pub name: String,
    /// Its zone; empty for none.
    pub zone: String,
    /// Pods of all workloads that take up room on it.
    pub pods: Steps,
    /// 1 while it is in the API.
    pub present: Steps,
    /// 1 while it is in the API and ready.
    pub ready: Steps,
    /// 1 while it is cordoned.
    pub cordoned: Steps,
    /// 1 while it has a taint with the effect `NoExecute`.
    pub evicting: Steps,
}

/// A whole run as step functions.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Timeline {
    /// The run's title; may be empty.
    pub title: String,
    /// The wall time at which it began.
    pub start: Timestamp,
    /// Its last moment; what happened at this very moment still counts.
    pub until: SimTime,
    /// All actions that happened, in order of time.
    pub actions: Vec<ActionMark>,
    /// What waited for something: what it was, and when that came.
    pub triggers: Vec<(String, Option<SimTime>)>,
    workloads: Vec<Workload>,
    nodes: Vec<NodeLoad>,
    services: Vec<Service>,
    components: Vec<Component>,
    capacity: Capacity,
}

impl Timeline {
    /// Reads a trace once from front to back.
    pub fn of(trace: &Trace) -> Timeline {
        let mut timeline = fold::fold(trace);
        turns::tell(trace, &mut timeline.workloads);
        timeline
    }

    /// The workloads in order of creation.
    pub fn workloads(&self) -> &[Workload] {
        &self.workloads
    }

    /// The workload of that kind, namespace and name.
    pub fn workload(&self, kind: Kind, namespace: &str, name: &str) -> Option<&Workload> {
        let fits = |w: &&Workload| w.kind == kind && w.namespace == namespace && w.name == name;
        self.workloads.iter().find(fits)
    }

    /// The nodes in order of creation.
    pub fn nodes(&self) -> &[NodeLoad] {
        &self.nodes
    }

    /// The Services that requests are sent to, in order of creation.
    pub fn services(&self) -> &[Service] {
        &self.services
    }

    /// The Service of that namespace and name, if requests are sent to it.
    pub fn service(&self, namespace: &str, name: &str) -> Option<&Service> {
        self.services.iter().find(|s| s.namespace == namespace && s.name == name)
    }

    /// What the machines offer and what is asked of them.
    pub const fn capacity(&self) -> &Capacity {
        &self.capacity
    }

    /// The components whose clock was ever wrong or that did not run all the
    /// time, in the order in which that was first so.
    pub fn components(&self) -> &[Component] {
        &self.components
    }

    /// The end of the run as the end of a half-open range: just after
    /// [`until`](Timeline::until).
    pub fn end(&self) -> SimTime {
        self.until.after(Span::from_ns(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn series_are_found_by_name_and_by_place() {
        for (i, series) in Series::ALL.into_iter().enumerate() {
            assert_eq!(Series::parse(series.name()), Some(series));
            assert_eq!(series as usize, i);
        }
        assert_eq!(Series::parse("on_node"), None);
    }
}
