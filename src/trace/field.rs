//! The fields of objects that traces keep.

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
    /// `status.currentHealthy` of a PodDisruptionBudget
    CurrentHealthy,
    /// `status.desiredHealthy`
    DesiredHealthy,
    /// `status.disruptionsAllowed`
    DisruptionsAllowed,
    /// `status.expectedPods`
    ExpectedPods,
    /// The `DisruptionAllowed` condition.
    ConditionDisruptionAllowed,
    /// `status.desiredReplicas` of a HorizontalPodAutoscaler
    DesiredReplicas,
    /// `status.lastScaleTime`
    LastScaleTime,
    /// The `AbleToScale` condition.
    ConditionAbleToScale,
    /// The `ScalingActive` condition.
    ConditionScalingActive,
    /// The `ScalingLimited` condition.
    ConditionScalingLimited,
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
    /// `status.phase` of a claim or a volume.
    Phase,
    /// `spec.volumeName` of a claim.
    VolumeName,
    /// The node that a volume is attached to. In the API a VolumeAttachment
    /// says so.
    AttachedTo,
    /// The image of the first container of the template. Not a field of its
    /// own in the API: kept so that people can tell revisions apart.
    Image,
    /// The fewest replicas that a HorizontalPodAutoscaler sets.
    MinReplicas,
    /// The most replicas that a HorizontalPodAutoscaler sets.
    MaxReplicas,
    /// `spec.activeDeadlineSeconds` of a Job, kept for pictures.
    ActiveDeadline,
    /// Whether a Job's pods have indexes, kept for pictures.
    Indexed,
    /// Pods that stand in a Service's EndpointSlices as ready. Of requests and
    /// what is sent to Services nothing is in the API.
    Endpoints,
    /// Pods that requests for a Service go to.
    RoutablePods,
    /// Pods of a Service that answer.
    ServingPods,
    /// Pods that requests go to and that do not answer.
    DeadEnds,
    /// Requests for a Service, or those of them that go to the pods of a
    /// ReplicaSet, in millionths of a request a second like all that follow.
    Requests,
    /// What the pods could serve that requests go to and that answer; absent if
    /// that is without limit.
    RequestCapacity,
    /// Requests that nobody answers.
    RefusedRequests,
    /// Requests that are more than pods can serve.
    ShedRequests,
    /// Requests that are answered with an error.
    ErrorAnswers,
    /// Requests to a ReplicaSet's pods that fail, for whatever reason.
    FailedRequests,
    /// Millionths of requests that were under way when their pod was cut off,
    /// so far.
    CutRequests,
}

impl Field {
    /// All fields.
    pub const ALL: [Field; 81] = [
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
        Field::CurrentHealthy,
        Field::DesiredHealthy,
        Field::DisruptionsAllowed,
        Field::ExpectedPods,
        Field::ConditionDisruptionAllowed,
        Field::DesiredReplicas,
        Field::LastScaleTime,
        Field::ConditionAbleToScale,
        Field::ConditionScalingActive,
        Field::ConditionScalingLimited,
        Field::Deleting,
        Field::Unschedulable,
        Field::Taints,
        Field::MaxSurge,
        Field::MaxUnavailable,
        Field::Phase,
        Field::VolumeName,
        Field::AttachedTo,
        Field::Image,
        Field::MinReplicas,
        Field::MaxReplicas,
        Field::ActiveDeadline,
        Field::Indexed,
        Field::Endpoints,
        Field::RoutablePods,
        Field::ServingPods,
        Field::DeadEnds,
        Field::Requests,
        Field::RequestCapacity,
        Field::RefusedRequests,
        Field::ShedRequests,
        Field::ErrorAnswers,
        Field::FailedRequests,
        Field::CutRequests,
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
            Field::CurrentHealthy => "status.currentHealthy",
            Field::DesiredHealthy => "status.desiredHealthy",
            Field::DisruptionsAllowed => "status.disruptionsAllowed",
            Field::ExpectedPods => "status.expectedPods",
            Field::ConditionDisruptionAllowed => "condition.DisruptionAllowed",
            Field::DesiredReplicas => "status.desiredReplicas",
            Field::LastScaleTime => "status.lastScaleTime",
            Field::ConditionAbleToScale => "condition.AbleToScale",
            Field::ConditionScalingActive => "condition.ScalingActive",
            Field::ConditionScalingLimited => "condition.ScalingLimited",
            Field::Deleting => "deleting",
            Field::Unschedulable => "spec.unschedulable",
            Field::Taints => "taints",
            Field::MaxSurge => "seatrial.maxSurge",
            Field::MaxUnavailable => "seatrial.maxUnavailable",
            Field::Phase => "status.phase",
            Field::VolumeName => "spec.volumeName",
            Field::AttachedTo => "seatrial.attachedTo",
            Field::Image => "seatrial.image",
            Field::MinReplicas => "seatrial.minReplicas",
            Field::MaxReplicas => "seatrial.maxReplicas",
            Field::ActiveDeadline => "seatrial.activeDeadlineSeconds",
            Field::Indexed => "seatrial.indexed",
            other => other.name_of_requests(),
        }
    }

    /// The same of what is told of requests.
    const fn name_of_requests(self) -> &'static str {
        match self {
            Field::Endpoints => "seatrial.endpoints",
            Field::RoutablePods => "seatrial.routable",
            Field::ServingPods => "seatrial.serving",
            Field::DeadEnds => "seatrial.deadEnds",
            Field::Requests => "seatrial.requests",
            Field::RequestCapacity => "seatrial.capacity",
            Field::RefusedRequests => "seatrial.refused",
            Field::ShedRequests => "seatrial.shed",
            Field::ErrorAnswers => "seatrial.errors",
            Field::FailedRequests => "seatrial.failedRequests",
            Field::CutRequests => "seatrial.cut",
            _ => "",
        }
    }

    /// The field of that name in traces.
    pub fn parse(name: &str) -> Option<Field> {
        Field::ALL.into_iter().find(|f| f.name() == name)
    }

    /// Whether the field is one of the API's own, so that recordings of real
    /// controllers have it too.
    pub const fn is_api(self) -> bool {
        !matches!(
            self,
            Field::MaxSurge
                | Field::MaxUnavailable
                | Field::AttachedTo
                | Field::Image
                | Field::MinReplicas
                | Field::MaxReplicas
                | Field::ActiveDeadline
                | Field::Indexed
        ) && self.name_of_requests().is_empty()
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
