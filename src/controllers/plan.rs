//! What a sync wants to write, in order.

use crate::api::{
    ControllerRevision, CronJobStatus, DaemonSetStatus, DeploymentStatus, Finalizers, HorizontalPodAutoscalerStatus,
    Job, JobStatus, Key, Kind, Labels, OwnerRef, PersistentVolumeClaim, PodClaim, PodDisruptionBudgetStatus, PodIndex,
    PodTemplate, Propagation, ReplicaSet, ReplicaSetStatus, RolloutMarks, StatefulSetStatus, Taint,
};
use crate::time::{Instant, Span, Timestamp};
use crate::trace::Why;
use std::borrow::Cow;
use std::sync::Arc;

/// Which version of an object a write is based on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Version {
    /// The one in the cache when the sync began.
    Cached(u64),
    /// The one that an earlier write of the same plan returned.
    Returned,
    /// The one that is read from the API server right before the write.
    Live,
    /// Whatever there is: a patch or a delete.
    Any,
}

/// What follows a conflict.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OnConflict {
    /// The sync fails.
    Fail,
    /// Read the object again and write the same once more.
    RetryOnce,
    /// Read again and retry after 10 ms, 50 ms and 250 ms.
    BackOff,
    /// Skip the writes that belong to the same step and go on.
    SkipStep(u8),
}

/// A pod to be created.
#[derive(Clone, PartialEq, Debug)]
pub struct NewPod {
    /// Its controller.
    pub owner: OwnerRef,
    /// Its namespace.
    pub namespace: Arc<str>,
    /// Its name.
    pub name: PodName,
    /// What traces tell it from its siblings by.
    pub mark: PodMark,
    /// Its labels.
    pub labels: Arc<Labels>,
    /// What it is stamped from.
    pub template: Arc<PodTemplate>,
    /// The name of the ControllerRevision that it is of, if its owner has
    /// such revisions.
    pub revision: Option<Arc<str>>,
    /// The only node that it may run on, whatever its template says.
    pub pinned: Option<Arc<str>>,
    /// Its claims, if they are not just its template's.
    pub claims: Option<Arc<[PodClaim]>>,
    /// What holds it once it is deleted.
    pub finalizers: Finalizers,
    /// Its index, for the pods of Indexed Jobs.
    pub index: Option<PodIndex>,
}

/// The name of a pod to be created.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PodName {
    /// This, and letters that the API server finds.
    Prefix(Arc<str>),
    /// This.
    Exact(Arc<str>),
}

/// What stands after the `#` in a pod's name in traces.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PodMark {
    /// How many pods its owner had created before it.
    Count,
    /// Its ordinal or index.
    Number(u32),
    /// Some other text, such as the name of its node.
    Text(Arc<str>),
}

/// A Kubernetes Event: what it says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Notice {
    /// Its reason.
    pub reason: Cow<'static, str>,
    /// Its message.
    pub message: Cow<'static, str>,
    /// `type: Warning` instead of `Normal`.
    pub warning: bool,
}

impl Notice {
    /// A `Normal` Event.
    pub fn normal(reason: impl Into<Cow<'static, str>>, message: impl Into<Cow<'static, str>>) -> Notice {
        Notice { reason: reason.into(), message: message.into(), warning: false }
    }

    /// A `Warning`.
    pub fn warning(reason: impl Into<Cow<'static, str>>, message: impl Into<Cow<'static, str>>) -> Notice {
        Notice { warning: true, ..Notice::normal(reason, message) }
    }
}

/// The Job that a CronJob has just started.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Started {
    /// Its name. Its UID is known once it is there.
    pub job: Arc<str>,
    /// The schedule time that it was started for.
    pub scheduled: Timestamp,
}

/// One request to the API server.
#[derive(Clone, PartialEq, Debug)]
pub enum Write {
    /// Create a pod for an owner, and say so in an Event.
    CreatePod(Arc<NewPod>),
    /// Delete a pod of an owner, and say so in an Event.
    DeletePod {
        /// The pod.
        pod: Key,
        /// Whom the Event is about.
        owner: Key,
    },
    /// Delete a pod that an earlier write of the same plan created and that
    /// is therefore known by name only.
    DeleteNewPod {
        /// Its namespace.
        namespace: Arc<str>,
        /// Its name.
        name: Arc<str>,
        /// Whom the Event is about.
        owner: Key,
    },
    /// Create a ReplicaSet for a Deployment.
    CreateReplicaSet {
        /// The ReplicaSet.
        set: Box<ReplicaSet>,
        /// The Deployment.
        deployment: Key,
    },
    /// Size a ReplicaSet for a Deployment, and say so in an Event.
    ScaleReplicaSet {
        /// The ReplicaSet.
        set: Key,
        /// What the size is based on.
        version: Version,
        /// The size before.
        from: i32,
        /// The size after.
        to: i32,
        /// The notes to leave on it.
        marks: RolloutMarks,
        /// The Deployment.
        deployment: Key,
        /// What follows a conflict.
        on_conflict: OnConflict,
    },
    /// Bring a ReplicaSet's notes, annotations and `minReadySeconds` in line
    /// with its Deployment.
    UpdateReplicaSet {
        /// The ReplicaSet.
        set: Key,
        /// What the write is based on.
        version: Version,
        /// The notes.
        marks: RolloutMarks,
        /// Annotations copied from the Deployment.
        annotations: crate::api::Annotations,
        /// `spec.minReadySeconds`.
        min_ready_seconds: i32,
    },
    /// Delete a ReplicaSet that has become history.
    DeleteReplicaSet(Key),
    /// Create a ControllerRevision.
    CreateRevision {
        /// The revision.
        revision: Box<ControllerRevision>,
        /// Its owner.
        owner: Key,
    },
    /// Give a ControllerRevision another number, as a revert does.
    NumberRevision {
        /// The revision.
        revision: Key,
        /// What the write is based on.
        version: Version,
        /// The new number.
        number: i64,
    },
    /// Delete a ControllerRevision that has become history.
    DeleteRevision(Key),
    /// Write a ReplicaSet's status.
    ReplicaSetStatus {
        /// The ReplicaSet.
        set: Key,
        /// What the status is based on.
        version: Version,
        /// The status.
        status: Box<ReplicaSetStatus>,
    },
    /// Put a Deployment's template and annotations back to those of a
    /// revision, or leave them, and forget that this was asked for.
    RollBack {
        /// The Deployment.
        deployment: Key,
        /// What the write is based on.
        version: Version,
        /// The template.
        template: Arc<crate::api::PodTemplate>,
        /// All of its annotations.
        annotations: crate::api::Annotations,
    },
    /// Write a Deployment's status and revision annotation.
    DeploymentStatus {
        /// The Deployment.
        deployment: Key,
        /// What the status is based on.
        version: Version,
        /// The status.
        status: Box<DeploymentStatus>,
        /// The revision annotation.
        revision: Option<i64>,
    },
    /// Write a DaemonSet's status.
    DaemonSetStatus {
        /// The DaemonSet.
        set: Key,
        /// What the status is based on.
        version: Version,
        /// The status.
        status: Box<DaemonSetStatus>,
    },
    /// Create a claim for a pod of a StatefulSet, and say so in an Event.
    CreateClaim {
        /// The claim.
        claim: Box<PersistentVolumeClaim>,
        /// The StatefulSet.
        set: Key,
        /// The pod's name.
        pod: Arc<str>,
    },
    /// Write the owners of a claim, which may have been created by this very
    /// plan and is therefore known by name only.
    OwnClaim {
        /// The StatefulSet.
        set: Key,
        /// The claim's namespace.
        namespace: Arc<str>,
        /// The claim's name.
        name: Arc<str>,
        /// All of its owners.
        owners: Vec<OwnerRef>,
    },
    /// Write a pod's labels, and say so in an Event.
    RelabelPod {
        /// The pod.
        pod: Key,
        /// Whom the Event is about.
        owner: Key,
        /// All of its labels.
        labels: Arc<Labels>,
    },
    /// Write a StatefulSet's status.
    StatefulSetStatus {
        /// The StatefulSet.
        set: Key,
        /// What the status is based on.
        version: Version,
        /// The status.
        status: Box<StatefulSetStatus>,
    },
    /// Write a Job's status, and say what it means in Events.
    JobStatus {
        /// The Job.
        job: Key,
        /// What the status is based on.
        version: Version,
        /// The status.
        status: Box<JobStatus>,
        /// The Events.
        notices: Vec<Notice>,
    },
    /// Start a Job for a CronJob, and say so in an Event.
    CreateJob {
        /// The Job.
        job: Box<Job>,
        /// The CronJob.
        cron_job: Key,
    },
    /// Delete a Job of a CronJob with its pods, and say so in an Event.
    DeleteJob {
        /// The Job.
        job: Key,
        /// The CronJob.
        cron_job: Key,
        /// Another one is to take its place, not to be started before it is
        /// deleted.
        replaced: bool,
    },
    /// Write a CronJob's status.
    CronJobStatus {
        /// The CronJob.
        cron_job: Key,
        /// What the status is based on.
        version: Version,
        /// The status, without the Job that was started.
        status: Box<CronJobStatus>,
        /// That Job. It is entered if it is there and the CronJob's own.
        started: Option<Started>,
    },
    /// Write a PodDisruptionBudget's status.
    BudgetStatus {
        /// The PodDisruptionBudget.
        budget: Key,
        /// What the status is based on.
        version: Version,
        /// The status.
        status: Box<PodDisruptionBudgetStatus>,
    },
    /// Write the scale subresource of an autoscaler's target.
    ScaleTarget {
        /// The target.
        target: Key,
        /// The HorizontalPodAutoscaler.
        autoscaler: Key,
        /// The new size.
        replicas: i32,
    },
    /// Write a HorizontalPodAutoscaler's status.
    AutoscalerStatus {
        /// The HorizontalPodAutoscaler.
        autoscaler: Key,
        /// What the status is based on.
        version: Version,
        /// The status.
        status: Box<HorizontalPodAutoscalerStatus>,
    },
    /// Post `Unknown` for a node of which nothing is heard.
    NodeUnknown {
        /// The node.
        node: Key,
    },
    /// Put a taint on a node, or take it off.
    Taint {
        /// The node.
        node: Key,
        /// The taint; what tells it from others is key and effect.
        taint: Taint,
        /// Whether it shall be there.
        present: bool,
    },
    /// Set a pod's `Ready` condition to false because its node is lost, and
    /// say so in an Event.
    PodUnready {
        /// The pod.
        pod: Key,
        /// What the write is based on.
        version: Version,
    },
    /// Set a pod's `DisruptionTarget` condition.
    PodDisruption {
        /// The pod.
        pod: Key,
        /// Its reason.
        reason: &'static str,
    },
    /// Set a pod's `DisruptionTarget` condition to false: it is there still.
    PodSpared {
        /// The pod.
        pod: Key,
        /// What the write is based on.
        version: Version,
    },
    /// Declare a pod failed of which no kubelet will say so.
    FailPod {
        /// The pod.
        pod: Key,
        /// Reason of its `DisruptionTarget` condition, if that is set.
        disruption: Option<&'static str>,
    },
    /// Delete a pod without a grace period.
    ForceDelete(Key),
    /// Send an Event and write nothing. It takes no time.
    Announce {
        /// The object that it is about.
        about: Key,
        /// The Event.
        notice: Notice,
    },
    /// Add or remove an owner reference, and finalizers with it.
    SetOwner {
        /// The dependent.
        object: Key,
        /// The reference.
        owner: OwnerRef,
        /// Whether it shall be there.
        present: bool,
        /// Finalizers that come and go with it.
        finalizers: Finalizers,
    },
    /// Delete any object, as the garbage collector does.
    Delete {
        /// The object.
        object: Key,
        /// What becomes of its own dependents.
        propagation: Propagation,
    },
    /// Take a finalizer off.
    RemoveFinalizer {
        /// The object.
        object: Key,
        /// What the patch is based on.
        version: Version,
        /// Which one.
        finalizer: Finalizers,
    },
}

impl Write {
    /// The object that is written; for a creation, the owner.
    pub fn object(&self) -> Key {
        match self {
            Write::CreatePod(pod) => pod.owner.key,
            Write::DeletePod { pod, .. } | Write::RelabelPod { pod, .. } => *pod,
            Write::DeleteNewPod { owner, .. } => *owner,
            Write::CreateReplicaSet { deployment, .. } => *deployment,
            Write::ScaleReplicaSet { set, .. }
            | Write::UpdateReplicaSet { set, .. }
            | Write::ReplicaSetStatus { set, .. }
            | Write::DaemonSetStatus { set, .. }
            | Write::CreateClaim { set, .. }
            | Write::OwnClaim { set, .. }
            | Write::StatefulSetStatus { set, .. }
            | Write::DeleteReplicaSet(set) => *set,
            Write::DeploymentStatus { deployment, .. } | Write::RollBack { deployment, .. } => *deployment,
            Write::CreateRevision { owner, .. } => *owner,
            Write::NumberRevision { revision, .. } | Write::DeleteRevision(revision) => *revision,
            Write::JobStatus { job, .. } | Write::DeleteJob { job, .. } => *job,
            Write::CreateJob { cron_job, .. } | Write::CronJobStatus { cron_job, .. } => *cron_job,
            Write::BudgetStatus { budget, .. } => *budget,
            Write::ScaleTarget { target, .. } => *target,
            Write::AutoscalerStatus { autoscaler, .. } => *autoscaler,
            Write::Announce { about, .. } => *about,
            Write::NodeUnknown { node } | Write::Taint { node, .. } => *node,
            Write::PodUnready { pod, .. } | Write::PodDisruption { pod, .. } => *pod,
            Write::PodSpared { pod, .. } | Write::FailPod { pod, .. } | Write::ForceDelete(pod) => *pod,
            Write::SetOwner { object, .. } | Write::Delete { object, .. } | Write::RemoveFinalizer { object, .. } => {
                *object
            }
        }
    }

    /// The version that the write is based on.
    pub const fn version(&self) -> Version {
        match self {
            Write::ScaleReplicaSet { version, .. }
            | Write::UpdateReplicaSet { version, .. }
            | Write::ReplicaSetStatus { version, .. }
            | Write::DeploymentStatus { version, .. }
            | Write::RollBack { version, .. }
            | Write::DaemonSetStatus { version, .. }
            | Write::StatefulSetStatus { version, .. }
            | Write::NumberRevision { version, .. }
            | Write::JobStatus { version, .. }
            | Write::CronJobStatus { version, .. }
            | Write::BudgetStatus { version, .. }
            | Write::AutoscalerStatus { version, .. }
            | Write::PodUnready { version, .. }
            | Write::PodSpared { version, .. }
            | Write::RemoveFinalizer { version, .. } => *version,
            // Read right before, and read again after a conflict.
            Write::ScaleTarget { .. } => Version::Live,
            _ => Version::Any,
        }
    }

    /// What follows if somebody wrote the object meanwhile.
    pub const fn on_conflict(&self) -> OnConflict {
        match self {
            Write::ScaleReplicaSet { on_conflict, .. } => *on_conflict,
            Write::ReplicaSetStatus { .. } | Write::DaemonSetStatus { .. } | Write::ScaleTarget { .. } => {
                OnConflict::RetryOnce
            }
            Write::RemoveFinalizer { .. } | Write::NumberRevision { .. } | Write::StatefulSetStatus { .. } => {
                OnConflict::BackOff
            }
            _ => OnConflict::Fail,
        }
    }

    /// Whether the write is a deletion, for which an object that is gone
    /// already is as good as one that was deleted.
    pub const fn is_deletion(&self) -> bool {
        matches!(
            self,
            Write::DeletePod { .. }
                | Write::DeleteNewPod { .. }
                | Write::DeleteReplicaSet(_)
                | Write::DeleteRevision(_)
                | Write::DeleteJob { .. }
                | Write::Delete { .. }
                | Write::ForceDelete(_)
        )
    }

    /// The kind of object that is written or created.
    pub fn kind(&self) -> Kind {
        match self {
            Write::CreatePod(_) | Write::DeleteNewPod { .. } => Kind::Pod,
            Write::CreateReplicaSet { .. } => Kind::ReplicaSet,
            Write::CreateRevision { .. } => Kind::ControllerRevision,
            Write::CreateClaim { .. } | Write::OwnClaim { .. } => Kind::PersistentVolumeClaim,
            Write::CreateJob { .. } => Kind::Job,
            _ => self.object().kind,
        }
    }
}

/// A write and how it follows the one before.
#[derive(Clone, PartialEq, Debug)]
pub struct Planned {
    /// The request.
    pub write: Write,
    /// Sent together with the one before, not after its answer.
    pub together: bool,
    /// Index into the plan's decisions; the one that led here.
    pub why: Option<u16>,
}

/// A Kubernetes Event that no request brings about and that names an object.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ObjectNotice {
    /// Whom it is about.
    pub about: Key,
    /// Its reason.
    pub reason: &'static str,
    /// Its message; `{}` stands for the name of `object`.
    pub message: String,
    /// An object that is named in the message.
    pub object: Key,
    /// `type: Warning` instead of `Normal`.
    pub warning: bool,
}

/// The outcome of a sync. The buffer is reused from sync to sync.
#[derive(Clone, Default, Debug)]
pub struct Plan {
    /// The requests, in order.
    pub writes: Vec<Planned>,
    /// Why, in order.
    pub decisions: Vec<Why>,
    /// Of decisions that are about another object than the sync's: their
    /// index, the object, and the one whose latest news led to them.
    pub abouts: Vec<(u16, Key, Key)>,
    /// Events that are sent at once, before any request.
    pub notices: Vec<ObjectNotice>,
    /// Whether the sync fails even if everything was written.
    pub fails: bool,
    /// Whether failures before this sync still count if it succeeds.
    pub keeps_failures: bool,
    /// When to look again, if everything was written.
    pub requeue_at: Option<Instant>,
    /// Whether the API client lets requests that are sent together through one
    /// by one, in the order in which they were planned.
    pub paced: bool,
}

impl Plan {
    /// Empties the plan. How its requests are sent stays.
    pub fn clear(&mut self) {
        self.writes.clear();
        self.decisions.clear();
        self.abouts.clear();
        self.notices.clear();
        self.requeue_at = None;
        self.fails = false;
        self.keeps_failures = false;
    }

    /// Notes why the next writes are made, or why none is.
    pub fn because(&mut self, why: Why) {
        self.decisions.push(why);
    }

    /// Notes why the next writes are made: a decision about `object`, which
    /// the latest news of `source` led to.
    pub fn because_of(&mut self, object: Key, source: Key, why: Why) {
        self.abouts.push((self.decisions.len() as u16, object, source));
        self.decisions.push(why);
    }

    /// Adds a request that waits for the one before.
    pub fn write(&mut self, write: Write) {
        let why = self.decisions.len().checked_sub(1).map(|i| i as u16);
        self.writes.push(Planned { write, together: false, why });
    }

    /// Adds an Event that is sent with what comes before it.
    pub fn announce(&mut self, about: Key, notice: Notice) {
        self.writes.push(Planned { write: Write::Announce { about, notice }, together: true, why: None });
    }

    /// Adds requests that are sent at once, side by side.
    pub fn batch(&mut self, writes: impl IntoIterator<Item = Write>) {
        let why = self.decisions.len().checked_sub(1).map(|i| i as u16);
        for (i, write) in writes.into_iter().enumerate() {
            self.writes.push(Planned { write, together: i > 0, why });
        }
    }

    /// Asks for another look at a moment, the earliest one if asked twice.
    pub fn look_again_at(&mut self, at: Instant) {
        self.requeue_at = Some(self.requeue_at.map_or(at, |old| old.min(at)));
    }
}

/// The waits of a client that retries on conflict.
///
/// Upstream: `staging/src/k8s.io/client-go/util/retry/util.go DefaultBackoff`
pub const CONFLICT_BACKOFF: [Span; 3] = [Span::from_ms(10), Span::from_ms(50), Span::from_ms(250)];
