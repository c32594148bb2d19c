//! The only output of a run: what was written to the API, what was emitted
//! and why, in order, each record with the record that led to it.
//!
//! Every picture, table and verdict is computed from a [`Trace`], so a trace
//! that was saved gives what the run gave.

mod text;

pub use text::Message;

use crate::api::Kind;
use crate::time::{SimTime, Timestamp};
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Index of a [`Record`] in [`Trace::records`]; `NONE` for no record.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct RecordId(pub u32);

impl RecordId {
    /// Nothing led here: the scenario itself did.
    pub const NONE: RecordId = RecordId(u32::MAX);

    /// This id, or `None` for [`RecordId::NONE`].
    pub fn some(self) -> Option<RecordId> {
        (self != RecordId::NONE).then_some(self)
    }
}

/// Index of a [`Subject`] in [`Trace::subjects`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct SubjectId(pub u32);

/// Index of an interned string in [`Trace::symbols`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Symbol(pub u32);

/// What a record is about.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Subject {
    /// The kind of object.
    pub kind: Kind,
    /// Its namespace; empty for nodes.
    pub namespace: Arc<str>,
    /// A name that says whose it is and does not depend on hashes:
    /// `web` (Deployment), `web/2` (the ReplicaSet of revision 2),
    /// `web/2#0` (its first pod).
    pub name: Arc<str>,
    /// The name in the API, such as `web-bd6f4c9f8-bbbbc`.
    pub api_name: Arc<str>,
    /// The object that controls it.
    pub owner: Option<SubjectId>,
    /// Revision at creation: of a ReplicaSet its own, of a pod its owner's;
    /// 0 where there is none.
    pub revision: u32,
}

impl Subject {
    /// `Kind/name`, the way records name it.
    pub fn path(&self) -> String {
        format!("{}/{}", self.kind, self.name)
    }
}

/// A field of an object whose changes are recorded.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Field {
    /// `spec.replicas`
    SpecReplicas,
    /// `spec.paused`
    SpecPaused,
    /// The revision annotation.
    Revision,
    /// `status.observedGeneration`
    ObservedGeneration,
    /// `status.replicas`
    Replicas,
    /// `status.updatedReplicas`
    UpdatedReplicas,
    /// `status.readyReplicas`
    ReadyReplicas,
    /// `status.availableReplicas`
    AvailableReplicas,
    /// `status.unavailableReplicas`
    UnavailableReplicas,
    /// `status.currentReplicas`
    CurrentReplicas,
    /// `status.currentRevision` of a StatefulSet, as the number that the
    /// revision had at its creation.
    CurrentRevision,
    /// `status.updateRevision` of a StatefulSet, likewise.
    UpdateRevision,
    /// `status.terminatingReplicas`
    TerminatingReplicas,
    /// `status.fullyLabeledReplicas`
    FullyLabeledReplicas,
    /// `status.currentNumberScheduled`
    CurrentNumberScheduled,
    /// `status.numberMisscheduled`
    NumberMisscheduled,
    /// `status.desiredNumberScheduled`
    DesiredNumberScheduled,
    /// `status.numberReady`
    NumberReady,
    /// `status.updatedNumberScheduled`
    UpdatedNumberScheduled,
    /// `status.numberAvailable`
    NumberAvailable,
    /// `status.numberUnavailable`
    NumberUnavailable,
    /// `status.collisionCount`
    CollisionCount,
    /// The `Available` condition as `status/reason`.
    ConditionAvailable,
    /// The `Progressing` condition.
    ConditionProgressing,
    /// The `ReplicaFailure` condition.
    ConditionReplicaFailure,
    /// The `Ready` condition of a node.
    ConditionReady,
    /// `spec.parallelism`
    Parallelism,
    /// `spec.schedule`
    Schedule,
    /// `spec.timeZone`
    TimeZone,
    /// `spec.completions`
    Completions,
    /// `spec.suspend`
    SpecSuspend,
    /// `status.active`: of a Job a number, of a CronJob the names of Jobs,
    /// sorted and joined by commas
    Active,
    /// `status.ready`
    ReadyPods,
    /// `status.terminating`
    TerminatingPods,
    /// `status.succeeded`
    Succeeded,
    /// `status.failed`
    FailedPods,
    /// `status.completedIndexes`
    CompletedIndexes,
    /// `status.failedIndexes`
    FailedIndexes,
    /// `status.startTime`
    StartTime,
    /// `status.completionTime`
    CompletionTime,
    /// `status.lastScheduleTime`
    LastScheduleTime,
    /// `status.lastSuccessfulTime`
    LastSuccessfulTime,
    /// The `Complete` condition.
    ConditionComplete,
    /// The `Failed` condition.
    ConditionFailed,
    /// The `FailureTarget` condition.
    ConditionFailureTarget,
    /// The `SuccessCriteriaMet` condition.
    ConditionSuccessCriteriaMet,
    /// The `Suspended` condition.
    ConditionSuspended,
    /// Deletion has been asked for.
    Deleting,
    /// `spec.unschedulable` of a node.
    Unschedulable,
    /// All taints of a node.
    Taints,
    /// How many pods a rolling update may add above `spec.replicas`, resolved
    /// to a number. Not a field of the API: kept so that pictures can draw
    /// the allowed band.
    MaxSurge,
    /// How many pods a rolling update may miss below `spec.replicas`.
    MaxUnavailable,
    /// The image of the first container of the template. Not a field of its
    /// own in the API: kept so that people can tell revisions apart.
    Image,
}

impl Field {
    /// All fields.
    pub const ALL: [Field; 53] = [
        Field::SpecReplicas,
        Field::SpecPaused,
        Field::Revision,
        Field::ObservedGeneration,
        Field::Replicas,
        Field::UpdatedReplicas,
        Field::ReadyReplicas,
        Field::AvailableReplicas,
        Field::UnavailableReplicas,
        Field::CurrentReplicas,
        Field::CurrentRevision,
        Field::UpdateRevision,
        Field::TerminatingReplicas,
        Field::FullyLabeledReplicas,
        Field::CurrentNumberScheduled,
        Field::NumberMisscheduled,
        Field::DesiredNumberScheduled,
        Field::NumberReady,
        Field::UpdatedNumberScheduled,
        Field::NumberAvailable,
        Field::NumberUnavailable,
        Field::CollisionCount,
        Field::ConditionAvailable,
        Field::ConditionProgressing,
        Field::ConditionReplicaFailure,
        Field::ConditionReady,
        Field::Parallelism,
        Field::Completions,
        Field::Schedule,
        Field::TimeZone,
        Field::SpecSuspend,
        Field::Active,
        Field::ReadyPods,
        Field::TerminatingPods,
        Field::Succeeded,
        Field::FailedPods,
        Field::CompletedIndexes,
        Field::FailedIndexes,
        Field::StartTime,
        Field::CompletionTime,
        Field::LastScheduleTime,
        Field::LastSuccessfulTime,
        Field::ConditionComplete,
        Field::ConditionFailed,
        Field::ConditionFailureTarget,
        Field::ConditionSuccessCriteriaMet,
        Field::ConditionSuspended,
        Field::Deleting,
        Field::Unschedulable,
        Field::Taints,
        Field::MaxSurge,
        Field::MaxUnavailable,
        Field::Image,
    ];

    /// The field's name in traces.
    pub const fn name(self) -> &'static str {
        match self {
            Field::SpecReplicas => "spec.replicas",
            Field::SpecPaused => "spec.paused",
            Field::Revision => "revision",
            Field::ObservedGeneration => "status.observedGeneration",
            Field::Replicas => "status.replicas",
            Field::UpdatedReplicas => "status.updatedReplicas",
            Field::ReadyReplicas => "status.readyReplicas",
            Field::AvailableReplicas => "status.availableReplicas",
            Field::UnavailableReplicas => "status.unavailableReplicas",
            Field::CurrentReplicas => "status.currentReplicas",
            Field::CurrentRevision => "status.currentRevision",
            Field::UpdateRevision => "status.updateRevision",
            Field::TerminatingReplicas => "status.terminatingReplicas",
            Field::FullyLabeledReplicas => "status.fullyLabeledReplicas",
            Field::CurrentNumberScheduled => "status.currentNumberScheduled",
            Field::NumberMisscheduled => "status.numberMisscheduled",
            Field::DesiredNumberScheduled => "status.desiredNumberScheduled",
            Field::NumberReady => "status.numberReady",
            Field::UpdatedNumberScheduled => "status.updatedNumberScheduled",
            Field::NumberAvailable => "status.numberAvailable",
            Field::NumberUnavailable => "status.numberUnavailable",
            Field::CollisionCount => "status.collisionCount",
            Field::ConditionAvailable => "condition.Available",
            Field::ConditionProgressing => "condition.Progressing",
            Field::ConditionReplicaFailure => "condition.ReplicaFailure",
            Field::ConditionReady => "condition.Ready",
            Field::Parallelism => "spec.parallelism",
            Field::Completions => "spec.completions",
            Field::Schedule => "spec.schedule",
            Field::TimeZone => "spec.timeZone",
            Field::SpecSuspend => "spec.suspend",
            Field::Active => "status.active",
            Field::ReadyPods => "status.ready",
            Field::TerminatingPods => "status.terminating",
            Field::Succeeded => "status.succeeded",
            Field::FailedPods => "status.failed",
            Field::CompletedIndexes => "status.completedIndexes",
            Field::FailedIndexes => "status.failedIndexes",
            Field::StartTime => "status.startTime",
            Field::CompletionTime => "status.completionTime",
            Field::LastScheduleTime => "status.lastScheduleTime",
            Field::LastSuccessfulTime => "status.lastSuccessfulTime",
            Field::ConditionComplete => "condition.Complete",
            Field::ConditionFailed => "condition.Failed",
            Field::ConditionFailureTarget => "condition.FailureTarget",
            Field::ConditionSuccessCriteriaMet => "condition.SuccessCriteriaMet",
            Field::ConditionSuspended => "condition.Suspended",
            Field::Deleting => "deleting",
            Field::Unschedulable => "spec.unschedulable",
            Field::Taints => "taints",
            Field::MaxSurge => "seatrial.maxSurge",
            Field::MaxUnavailable => "seatrial.maxUnavailable",
            Field::Image => "seatrial.image",
        }
    }

    /// The field of that name in traces.
    pub fn parse(name: &str) -> Option<Field> {
        Field::ALL.into_iter().find(|f| f.name() == name)
    }

    /// Whether the field is one of the API's own, so that recordings of real
    /// controllers have it too.
    pub const fn is_api(self) -> bool {
        !matches!(self, Field::MaxSurge | Field::MaxUnavailable | Field::Image)
    }

    /// Whether zero is worth saying: a spec that asks for nothing is not a
    /// spec that is absent. In a status, zero and absent are the same.
    pub const fn keeps_zero(self) -> bool {
        matches!(
            self,
            Field::SpecReplicas | Field::Parallelism | Field::Completions | Field::MaxSurge | Field::MaxUnavailable
        )
    }
}

/// The value of a [`Field`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Value {
    /// The field is not there.
    Absent,
    /// A number.
    Int(i64),
    /// True or false.
    Bool(bool),
    /// A string.
    Text(Symbol),
}

impl Value {
    /// The number, if it is one; absent counts as 0.
    pub const fn as_int(self) -> Option<i64> {
        match self {
            Value::Int(n) => Some(n),
            Value::Absent => Some(0),
            _ => None,
        }
    }
}

/// A Kubernetes Event that a controller sent, its message not yet written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Emitted {
    /// `ScalingReplicaSet`: the Deployment set a ReplicaSet's size.
    Scaled {
        /// The ReplicaSet.
        replica_set: SubjectId,
        /// Its size before.
        from: i32,
        /// Its size after.
        to: i32,
    },
    /// `SuccessfulCreate`: a pod was created.
    CreatedPod(SubjectId),
    /// `SuccessfulDelete`: a pod was deleted.
    DeletedPod(SubjectId),
    /// Any other: reason and message as they are, and whether it is a warning.
    Other {
        /// The Event's reason.
        reason: Symbol,
        /// Its message.
        message: Symbol,
        /// `type: Warning` instead of `Normal`.
        warning: bool,
    },
}

/// Why a controller did what it did, or did nothing: its decision with the
/// numbers it was made from.
///
/// Trace files keep it by the names of its variants and fields, in camel case.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "why", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Why {
    /// The new ReplicaSet may grow: all pods together stay within
    /// `replicas + maxSurge`.
    SurgeAllows {
        /// Pods of all ReplicaSets by spec.
        all: i32,
        /// The most there may be.
        max_total: i32,
    },
    /// Old pods may go: this many without dropping below the floor.
    ScaleDownBudget {
        /// Pods of all ReplicaSets by spec.
        all: i32,
        /// `replicas - maxUnavailable`.
        min_available: i32,
        /// Pods of the new ReplicaSet that are not available yet.
        new_unavailable: i32,
    },
    /// Old pods may not go: only so many are available.
    TooFewAvailable {
        /// Available pods of all ReplicaSets.
        available: i32,
        /// `replicas - maxUnavailable`.
        min_available: i32,
    },
    /// `spec.replicas` changed: every ReplicaSet gets its share.
    Scaling {
        /// The new total with surge.
        allowed: i32,
        /// Pods of all ReplicaSets by spec.
        all: i32,
    },
    /// A new template: a ReplicaSet of its own is made for it.
    NewTemplate {
        /// The new revision.
        revision: u32,
    },
    /// Recreate: the old ReplicaSets go to zero first.
    RecreateStops,
    /// Recreate: old pods still exist, terminating ones too.
    RecreateWaits,
    /// The rollout is over.
    RolloutComplete,
    /// Rollouts are held.
    Paused,
    /// No progress for `progressDeadlineSeconds`.
    DeadlineExceeded {
        /// The deadline in seconds.
        seconds: i32,
    },
    /// A StatefulSet's pod is not there, so it is made.
    MissingPod {
        /// Its ordinal.
        ordinal: i32,
    },
    /// A StatefulSet's pod has ended, so it is deleted and made again.
    FinishedPod {
        /// Its ordinal.
        ordinal: i32,
    },
    /// A StatefulSet's pod is beyond its size, so it goes.
    CondemnedPod {
        /// Its ordinal.
        ordinal: i32,
    },
    /// A StatefulSet's pod has the old template, so it is replaced.
    OutdatedPod {
        /// Its ordinal.
        ordinal: i32,
    },
    /// An ordered StatefulSet does nothing more until this pod is well.
    WaitsForPod {
        /// Its ordinal.
        ordinal: i32,
    },
    /// The claim of an earlier pod of this ordinal must go first.
    WaitsForClaim {
        /// The ordinal.
        ordinal: i32,
    },
    /// A rolling update does not go on until this pod is available.
    RolloutWaitsForPod {
        /// Its ordinal.
        ordinal: i32,
    },
    /// Old ReplicaSets or revisions beyond `revisionHistoryLimit` are removed.
    HistoryLimit {
        /// The limit.
        limit: i32,
    },
    /// A ReplicaSet has fewer pods than it wants.
    TooFewPods {
        /// Active pods.
        have: i32,
        /// `spec.replicas`.
        want: i32,
    },
    /// A ReplicaSet has more pods than it wants.
    TooManyPods {
        /// Active pods.
        have: i32,
        /// `spec.replicas`.
        want: i32,
    },
    /// A new template: a ControllerRevision of its own is made for it.
    NewRevision {
        /// The new revision.
        revision: u32,
    },
    /// Old ControllerRevisions beyond `revisionHistoryLimit` are removed.
    RevisionLimit {
        /// The limit.
        limit: i32,
    },
    /// Nodes that shall run a daemon have none.
    DaemonsMissing {
        /// How many nodes.
        nodes: i32,
    },
    /// Daemons have ended, are too many, or are where none shall be.
    DaemonsUnwanted {
        /// How many pods.
        pods: i32,
    },
    /// Old daemons go as long as few enough nodes are without one.
    DaemonBudget {
        /// Nodes that count as being without one.
        unavailable: i32,
        /// `maxUnavailable` as a number.
        limit: i32,
    },
    /// New daemons come beside old ones on few enough nodes at a time.
    DaemonSurge {
        /// Nodes with two.
        surging: i32,
        /// `maxSurge` as a number.
        limit: i32,
    },
    /// Earlier creations or deletions have not come back through the cache.
    AwaitingExpectations,
    /// A Job is over, so its pods go.
    JobOver,
    /// A Job is suspended, so its pods go.
    JobSuspended,
    /// A Job has fewer active pods than it wants.
    JobTooFewPods {
        /// Active pods.
        have: i32,
        /// What it wants now.
        want: i32,
    },
    /// A Job has more active pods than it wants.
    JobTooManyPods {
        /// Active pods.
        have: i32,
        /// What it wants now.
        want: i32,
    },
    /// A Job waits before it replaces pods that failed.
    JobBackoff {
        /// How long, in seconds.
        seconds: i32,
    },
    /// Pods of a Job have ended and are counted.
    PodsEnded {
        /// How many.
        pods: i32,
    },
    /// A finished Job has been kept for `ttlSecondsAfterFinished`.
    TtlExpired,
    /// CronJob: the time has come.
    ScheduleDue {
        /// The time of the schedule.
        scheduled: Timestamp,
    },
    /// CronJob: the time has come too long ago.
    TooLateToStart {
        /// `startingDeadlineSeconds`.
        deadline_seconds: i64,
    },
    /// CronJob: the Job before is not over, and `Forbid` lets it end first.
    JobStillActive,
    /// CronJob: no new Jobs at present.
    ScheduleSuspended,
    /// CronJob: finished Jobs beyond the history limit are removed.
    JobHistoryLimit {
        /// The limit.
        limit: i32,
    },
    /// The owner is gone, so the dependent goes.
    OwnerGone,
    /// Foreground deletion: the dependents go before the owner.
    ForegroundDeletion,
    /// All dependents are gone, so the owner may go.
    DependentsGone,
    /// The owner was deleted and its dependents are set free.
    Orphaned,
}

/// What happened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum What {
    /// The object was created. For other kinds than pods its fields follow
    /// as [`What::Set`] records of the same instant.
    Created,
    /// The object was removed from the API (of pods: [`What::Removed`]).
    Deleted,
    /// A field got a new value (all kinds but pods).
    Set {
        /// The field.
        field: Field,
        /// Its new value.
        value: Value,
    },
    /// Pod: the scheduler found no node.
    Unschedulable,
    /// Pod: bound to a node.
    Bound {
        /// The node.
        node: SubjectId,
    },
    /// Pod: its containers run.
    Running,
    /// Pod: became ready.
    Ready,
    /// Pod: stopped being ready while running.
    Unready,
    /// Pod: a container was started again in place.
    Restarted {
        /// Restarts so far.
        count: u32,
    },
    /// Pod: the `DisruptionTarget` condition became true.
    DisruptionTarget {
        /// Its reason.
        reason: Symbol,
    },
    /// Pod: deletion was asked for.
    Deleting {
        /// The grace period.
        grace_seconds: u32,
    },
    /// Pod: ended well.
    Succeeded {
        /// The exit code.
        exit_code: i32,
    },
    /// Pod: ended badly.
    Failed {
        /// The exit code, if a container was there to exit.
        exit_code: Option<i32>,
        /// `status.reason`.
        reason: Option<Symbol>,
    },
    /// Pod: gone from the API.
    Removed,
    /// A controller sent a Kubernetes Event about the object.
    Emitted(Emitted),
    /// A controller decided something about the object.
    Decided(Why),
    /// A scenario action touched the object: index into [`Header::actions`].
    Action(u32),
    /// The API server refused a scenario action.
    Rejected {
        /// Index into [`Header::actions`], or of the object if `object`.
        action: u32,
        /// Whether `action` counts the initial objects instead.
        object: bool,
        /// The status reason, such as `Invalid`.
        reason: Symbol,
        /// The API server's text.
        message: Symbol,
    },
}

impl What {
    /// The name of the event in trace files and recordings, such as `ready`.
    pub const fn event(self) -> &'static str {
        match self {
            What::Created => "created",
            What::Deleted => "deleted",
            What::Set { .. } => "changed",
            What::Unschedulable => "unschedulable",
            What::Bound { .. } => "bound",
            What::Running => "running",
            What::Ready => "ready",
            What::Unready => "unready",
            What::Restarted { .. } => "restarted",
            What::DisruptionTarget { .. } => "disruptionTarget",
            What::Deleting { .. } => "deleting",
            What::Succeeded { .. } => "succeeded",
            What::Failed { .. } => "failed",
            What::Removed => "removed",
            What::Emitted(_) => "emitted",
            What::Decided(_) => "decided",
            What::Action(_) => "action",
            What::Rejected { .. } => "rejected",
        }
    }
}

/// One thing that happened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Record {
    /// When.
    pub at: SimTime,
    /// The record that led to this one.
    pub cause: RecordId,
    /// To what.
    pub subject: SubjectId,
    /// What.
    pub what: What,
}

/// What a reader of the trace must know beside its records.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Header {
    /// The wall time at [`SimTime::ZERO`].
    pub start: Timestamp,
    /// Where the run ended.
    pub until: SimTime,
    /// The seed of all random draws.
    pub seed: u64,
    /// A title for pictures.
    pub title: String,
    /// The scenario's timed actions: when, and in words
    /// (`setImage deployment/web app=app:v2`).
    pub actions: Vec<(SimTime, String)>,
    /// What was assumed because nobody said it, a sentence each.
    pub assumptions: Vec<String>,
}

/// Interned strings.
#[derive(Clone, Debug, Default)]
pub struct Symbols {
    names: Vec<Arc<str>>,
    ids: FxHashMap<Arc<str>, u32>,
}

impl Symbols {
    /// The symbol of a string, made if need be.
    pub fn intern(&mut self, text: &str) -> Symbol {
        if let Some(&id) = self.ids.get(text) {
            return Symbol(id);
        }
        let (id, name): (u32, Arc<str>) = (self.names.len() as u32, text.into());
        self.names.push(name.clone());
        self.ids.insert(name, id);
        Symbol(id)
    }

    /// The string of a symbol.
    pub fn get(&self, symbol: Symbol) -> &str {
        &self.names[symbol.0 as usize]
    }
}

/// A whole run.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    /// What the records do not say.
    pub header: Header,
    /// What the records are about, in order of creation.
    pub subjects: Vec<Subject>,
    /// What happened, in order.
    pub records: Vec<Record>,
    /// The strings that records refer to.
    pub symbols: Symbols,
}

impl Trace {
    /// The subject of a record.
    pub fn subject(&self, id: SubjectId) -> &Subject {
        &self.subjects[id.0 as usize]
    }

    /// Adds a record and says which it is.
    pub fn push(&mut self, at: SimTime, cause: RecordId, subject: SubjectId, what: What) -> RecordId {
        let id = RecordId(self.records.len() as u32);
        self.records.push(Record { at, cause, subject, what });
        id
    }

    /// A record by its id, if there is one.
    pub fn record(&self, id: RecordId) -> Option<&Record> {
        self.records.get(id.0 as usize)
    }

    /// The record and what led to it, latest first.
    pub fn why_chain(&self, id: RecordId) -> Vec<RecordId> {
        let mut chain = Vec::new();
        let mut next = id.some();
        while let Some(id) = next {
            chain.push(id);
            next = self.records[id.0 as usize].cause.some();
        }
        chain
    }
}
