//! Why controllers decide as they do.

use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

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
    /// Nothing has been heard of a node for so long that it is given up.
    NodeSilent {
        /// Seconds since its last sign of life was seen.
        seconds: i32,
    },
    /// A node has been given up and it is its turn to lose its pods.
    NodeTaintTurn,
    /// A node that was not reachable says that it is not ready, or the other
    /// way round.
    NodeTaintSwapped,
    /// A node is well again.
    NodeReachable,
    /// A node's `NoSchedule` taints say what its conditions say.
    TaintsFollowConditions,
    /// No zone has a ready node, so no node loses its pods.
    NoZoneReady,
    /// A pod does not tolerate its node's taints, or not for longer than this.
    TaintNotTolerated {
        /// For how many seconds it did.
        seconds: i64,
    },
    /// A pod's node has been gone for so long that it will not come back.
    NodeGone {
        /// For how many seconds, at least.
        seconds: i64,
    },
    /// A pod cannot end, because people say that its machine is out of
    /// service.
    NodeOutOfService,
    /// A container uses more memory than its limit, so the kernel kills it.
    OverMemoryLimit {
        /// What it uses, in whole MiB.
        used_mebibytes: i64,
        /// What it may use, in whole MiB.
        limit_mebibytes: i64,
    },
    /// A pod is being deleted and was never bound to a node.
    NeverBound,
    /// More pods have finished than are kept.
    TooManyFinished {
        /// How many are kept.
        limit: i64,
    },
    /// The owner is gone, so the dependent goes.
    OwnerGone,
    /// Foreground deletion: the dependents go before the owner.
    ForegroundDeletion,
    /// All dependents are gone, so the owner may go.
    DependentsGone,
    /// The owner was deleted and its dependents are set free.
    Orphaned,
    /// The API server refuses to evict a pod: its budget allows no disruption.
    BudgetRefuses {
        /// Healthy pods of the budget.
        healthy: i32,
        /// How many of them there must be.
        desired: i32,
    },
    /// The API server refuses to evict a pod: it has several budgets.
    SeveralBudgets {
        /// How many.
        budgets: i32,
    },
    /// All pods that a drain was to evict are gone.
    Drained {
        /// How many.
        pods: i32,
        /// How long it took.
        seconds: i32,
    },
    /// A drain is over and pods are left.
    DrainFailed {
        /// How many.
        left: i32,
        /// How long it tried.
        seconds: i32,
    },
    /// An autoscaler gives its target another size.
    Rescale {
        /// The size before.
        from: i32,
        /// The size after.
        to: i32,
        /// What the metrics ask for.
        proposed: i32,
    },
}
