//! The controllers: each reads a [`View`], writes a [`Plan`] and touches
//! nothing else.
//!
//! A controller's `self` is only that process's memory (expectations, records
//! of its own writes), so a restart of the controller manager is a new value.

pub mod cron_job;
pub mod daemon_set;
pub mod deployment;
pub mod disruption;
mod expectations;
mod garbage_collector;
pub mod history;
pub mod horizontal_pod_autoscaler;
pub mod job;
mod metrics;
pub mod node_lifecycle;
mod owners;
mod plan;
pub mod pod_gc;
pub mod pods;
mod replica_set;
pub mod stateful_set;
pub mod taint_eviction;
mod template_hash;
mod ticks;
mod token_bucket;
pub mod ttl_after_finished;
mod work_queue;

pub use expectations::Expectations;
pub use metrics::{MetricsApi, NoMetrics, PodMetric, PodMetrics};
pub use plan::{
    CONFLICT_BACKOFF, NewPod, Notice, ObjectNotice, OnConflict, Plan, Planned, PodMark, PodName, Started, Version,
    Write,
};
pub use token_bucket::TokenBucket;
pub use work_queue::{Timer, WorkQueue};

use crate::api::{FeatureGates, Gate, Key, Kind};
use crate::cluster::{ApiError, Change, Objects};
use crate::time::{Instant, Span};
use std::sync::Arc;

/// What a controller can see: its informer caches, the API server itself for
/// the few reads that go past them, and its own clock.
#[derive(Clone, Copy)]
pub struct View<'a> {
    /// The informer caches.
    pub cache: &'a Objects,
    /// The API server. Upstream reads it only where a stale answer would do
    /// harm; so must we.
    pub live: &'a Objects,
    /// Whether the API server answers. What is `live` may not be looked at
    /// while it does not.
    pub answers: bool,
    /// The metrics APIs.
    pub metrics: &'a dyn MetricsApi,
    /// The controller manager's wall clock: for what is stamped into the API
    /// or compared with its times.
    pub now: Instant,
    /// Its monotonic clock, which nobody sets: for what it keeps in memory.
    /// Only differences of two readings mean anything.
    pub monotonic: Instant,
    /// The feature gates that it was started with.
    pub gates: FeatureGates,
}

impl View<'_> {
    /// Whether the caches may not be used because they are behind what this
    /// process itself wrote: the newest versions of its writes, by kind.
    /// Acting on them would do the same again. Without the gate nobody looks.
    ///
    /// Upstream: `util/consistency/consistency.go EnsureReady`
    #[must_use]
    pub fn is_behind(&self, gate: Gate, written: &[(Kind, u64)]) -> bool {
        self.gates.has(gate) && written.iter().any(|&(kind, version)| self.cache.synced(kind) < version)
    }

    /// Whether an owner may adopt what nobody controls. The cache may not
    /// know yet that it is being deleted, so the API server is asked.
    ///
    /// # Errors
    /// If it is being deleted, or if the API server does not answer.
    ///
    /// Upstream: `controller_ref_manager.go RecheckDeletionTimestamp`
    pub fn may_adopt(&self, owner: Key) -> Result<(), SyncError> {
        if !self.answers {
            return Err(SyncError::Unavailable);
        }
        match self.live.meta(owner) {
            Some(meta) if !meta.is_deleting() => Ok(()),
            _ => Err(SyncError::BeingDeleted),
        }
    }
}

/// A sync that could not be done now and is tried again after a back-off.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SyncError {
    /// The caches have not seen the controller's own writes yet.
    StaleCache,
    /// The object is being deleted and cannot adopt what it would have to.
    BeingDeleted,
    /// The API server does not answer.
    Unavailable,
}

/// What to do about a write that failed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reaction {
    /// Give the sync up; the key comes back after a back-off.
    Fail,
    /// As if it had succeeded: go on with the plan.
    Ignore,
    /// The same, but the object is not looked at again unless it changes.
    Rest,
    /// The sync fails, but what goes out beside the write and what
    /// [`Controller::salvage`] leaves of the plan is written before.
    Finish,
}

impl Reaction {
    /// For those who only take away: nothing is left to do about an object
    /// that is gone.
    const fn unless_gone(error: &ApiError) -> Reaction {
        if matches!(error, ApiError::NotFound) { Reaction::Ignore } else { Reaction::Fail }
    }
}

/// One controller process.
pub trait Controller {
    /// The kind whose keys it syncs.
    fn kind(&self) -> Kind;

    /// Whether its informers watch a kind.
    fn watches(&self, kind: Kind) -> bool;

    /// A kind without any object of which changes of pods mean nothing to it,
    /// neither now nor later.
    fn pods_belong_to(&self) -> Option<Kind> {
        None
    }

    /// The informers' event handlers: what a change puts into the queue.
    fn observe(&mut self, change: &Change, view: View<'_>, queue: &mut WorkQueue);

    /// One pass over one object: reads the view, adds to the plan.
    ///
    /// # Errors
    /// If the object cannot be looked at now.
    fn sync(&mut self, key: Key, view: View<'_>, plan: &mut Plan, queue: &mut WorkQueue) -> Result<(), SyncError>;

    /// Its workers begin. `since` is when: at the beginning of a run that is a
    /// little before the present, and the controller is to be as if it had
    /// worked since then.
    fn start(&mut self, _since: Instant, _view: View<'_>, _queue: &mut WorkQueue) {}

    /// A sync is over, with everything that it had to write.
    fn finished(&mut self, _key: Key, _view: View<'_>, _queue: &mut WorkQueue) {}

    /// A write of the plan was done; `version` is the object's new one.
    fn written(&mut self, _key: Key, _write: &Write, _object: Key, _version: u64) {}

    /// A write of the plan was refused. What must be written because of it
    /// may be added to `plan`.
    fn failed(&mut self, _key: Key, _write: &Write, _error: &ApiError, _view: View<'_>, _plan: &mut Plan) -> Reaction {
        Reaction::Fail
    }

    /// A sync fails, and this is what it would still have written: takes out
    /// what comes to nothing now, and corrects what is left.
    fn salvage(&mut self, _key: Key, _write: &Write, _error: &ApiError, _view: View<'_>, _rest: &mut Vec<Planned>) {}

    /// Whether its queue's keys are names upstream, so that an object that
    /// comes again under its name inherits delays and failures.
    fn keys_are_names(&self) -> bool {
        true
    }

    /// An object of this controller has come again under its name, and nobody
    /// has looked in between: what is kept by name is now about the new one.
    fn renamed(&mut self, _old: Key, _new: Key) {}

    /// How often a failing key is tried again before it is dropped.
    fn max_retries(&self) -> Option<u32> {
        None
    }

    /// The queue of a new process.
    fn new_queue(&self) -> WorkQueue {
        WorkQueue::default()
    }

    /// How many workers it has if nobody says otherwise, as
    /// `--concurrent-…-syncs` of kube-controller-manager has them.
    fn workers(&self) -> u8 {
        1
    }

    /// How long a new process takes to begin, after it has listed everything.
    fn start_up(&self) -> Span {
        Span::from_ms(100)
    }

    /// How long one of its writes takes. The figures only order what happens
    /// within one instant: a ReplicaSet's status must not be written faster
    /// than a Deployment is synced again.
    fn write_latency(&self) -> Span {
        Span::from_ns(2_000)
    }

    /// How many requests a write takes: with what is read from the API server
    /// right before it.
    fn requests(&self, write: &Write) -> u32 {
        1 + u32::from(write.version() == Version::Live)
    }

    /// A copy of the process, memory and all.
    fn boxed_clone(&self) -> Box<dyn Controller + Send + Sync>;
}

/// Which controllers run beside the workloads' own, and how.
#[derive(Clone, PartialEq, Debug)]
pub struct Switches {
    /// Whether the garbage collector runs: without it, what has lost its
    /// owner stays.
    pub garbage_collector: bool,
    /// The node lifecycle and taint eviction controllers; without them nobody
    /// notices that a machine is down.
    pub node_lifecycle: Option<NodeLifecycleSwitch>,
    /// The pod garbage collector, with the number of finished pods that it
    /// leaves.
    pub pod_gc: Option<usize>,
    /// The IANA name of the time zone of their host; UTC if there is none.
    pub time_zone: Option<Arc<str>>,
}

/// Settings of the node lifecycle and taint eviction controllers.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct NodeLifecycleSwitch {
    /// How fast a lost node is noticed and left.
    pub nodes: node_lifecycle::NodeSettings,
    /// How long pods stay there.
    pub tolerations: taint_eviction::DefaultTolerations,
}

/// All controllers, freshly started.
pub fn all(switches: &Switches) -> Vec<Box<dyn Controller + Send + Sync>> {
    let mut all: Vec<Box<dyn Controller + Send + Sync>> = vec![
        Box::new(deployment::DeploymentController),
        Box::new(replica_set::ReplicaSetController::default()),
        Box::new(daemon_set::DaemonSetController::default()),
        Box::new(stateful_set::StatefulSetController::default()),
        Box::new(job::JobController::default()),
        Box::new(job::OrphanPods),
        Box::new(ttl_after_finished::TtlAfterFinished),
        Box::new(cron_job::CronJobController::in_zone(switches.time_zone.clone())),
        Box::new(disruption::DisruptionController::default()),
        Box::new(horizontal_pod_autoscaler::HorizontalPodAutoscalerController::default()),
    ];
    if switches.garbage_collector {
        all.push(Box::<garbage_collector::GarbageCollector>::default());
    }
    if let Some(lifecycle) = &switches.node_lifecycle {
        all.push(Box::new(node_lifecycle::NodeLifecycle::new(lifecycle.nodes.clone())));
        all.push(Box::new(node_lifecycle::NodeTaints));
        all.push(Box::new(taint_eviction::TaintEviction::new(lifecycle.tolerations)));
    }
    if let Some(threshold) = switches.pod_gc {
        all.push(Box::new(pod_gc::PodGc::new(threshold)));
    }
    all
}

#[cfg(test)]
impl<'a> View<'a> {
    /// Caches that are up to date and clocks that agree, for unit tests.
    fn up_to_date(objects: &'a Objects, now: Instant) -> View<'a> {
        View {
            cache: objects,
            live: objects,
            answers: true,
            metrics: &NoMetrics,
            now,
            monotonic: now,
            gates: FeatureGates::default(),
        }
    }
}
