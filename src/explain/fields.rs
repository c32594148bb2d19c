//! Changes of fields in plain words.

use super::{disruption, traffic};
use crate::trace::Field;

/// What a field of a subject became; nothing if it is not set any more.
pub(super) fn describe(subject: &str, field: Field, value: Option<&str>) -> String {
    let Some(value) = value else { return absence(subject, field) };
    match topic(field) {
        Topic::Batch => batch(subject, field, value),
        Topic::Pods => format!("{subject} reports {}", reported(field, value)),
        Topic::Nodes => format!("{subject} reports {}", reported_nodes(field, value)),
        Topic::Condition => condition(subject, field, value),
        Topic::Traffic => traffic::describe_change(subject, field, value),
        Topic::Disruption => disruption::describe_change(subject, field, value),
        Topic::Else => other(subject, field, value),
    }
}

/// What changed about a Job or a CronJob.
fn batch(subject: &str, field: Field, value: &str) -> String {
    match field {
        Field::SpecSuspend if value == "true" => format!("{subject} was suspended"),
        Field::Parallelism => format!("{subject} may run {value} pods at a time"),
        Field::Completions => format!("{subject} needs {value} pods to succeed"),
        Field::Schedule => format!("{subject} has the schedule {value}"),
        Field::TimeZone => format!("{subject} goes by the clocks of {value}"),
        Field::LastScheduleTime => format!("{subject} has started the Job of {value}"),
        Field::LastSuccessfulTime => format!("{subject} was successful at {value}"),
        Field::Active if subject.starts_with("CronJob ") => format!("{subject} has the active Jobs {value}"),
        Field::Active | Field::ReadyPods | Field::TerminatingPods | Field::Succeeded | Field::FailedPods => {
            format!("{subject} reports {}", reported(field, value))
        }
        Field::CompletedIndexes => format!("{subject} has completed the indexes {value}"),
        Field::FailedIndexes if value.is_empty() => format!("{subject} has failed no index"),
        Field::FailedIndexes => format!("{subject} has failed the indexes {value}"),
        Field::StartTime => format!("{subject} was started at {value}"),
        Field::CompletionTime => format!("{subject} was complete at {value}"),
        other => format!("{subject}: {} is {value}", other.name()),
    }
}

/// What a field tells of, by which its changes are worded.
enum Topic {
    Batch,
    Pods,
    Nodes,
    Condition,
    Disruption,
    Traffic,
    Else,
}

fn topic(field: Field) -> Topic {
    match field {
        Field::SpecSuspend
        | Field::Parallelism
        | Field::Completions
        | Field::Schedule
        | Field::TimeZone
        | Field::LastScheduleTime
        | Field::LastSuccessfulTime
        | Field::Active
        | Field::ReadyPods
        | Field::TerminatingPods
        | Field::Succeeded
        | Field::FailedPods
        | Field::CompletedIndexes
        | Field::FailedIndexes
        | Field::StartTime
        | Field::CompletionTime => Topic::Batch,
        Field::Replicas
        | Field::UpdatedReplicas
        | Field::ReadyReplicas
        | Field::AvailableReplicas
        | Field::UnavailableReplicas
        | Field::TerminatingReplicas
        | Field::CurrentReplicas
        | Field::FullyLabeledReplicas => Topic::Pods,
        Field::CurrentNumberScheduled
        | Field::NumberMisscheduled
        | Field::DesiredNumberScheduled
        | Field::NumberReady
        | Field::UpdatedNumberScheduled
        | Field::NumberAvailable
        | Field::NumberUnavailable => Topic::Nodes,
        Field::CurrentHealthy
        | Field::DesiredHealthy
        | Field::DisruptionsAllowed
        | Field::ExpectedPods
        | Field::DesiredReplicas
        | Field::LastScaleTime
        | Field::MinReplicas
        | Field::MaxReplicas => Topic::Disruption,
        Field::Endpoints
        | Field::RoutablePods
        | Field::ServingPods
        | Field::DeadEnds
        | Field::Requests
        | Field::RequestCapacity
        | Field::RefusedRequests
        | Field::ShedRequests
        | Field::ErrorAnswers
        | Field::FailedRequests
        | Field::CutRequests => Topic::Traffic,
        field if field.name().starts_with(CONDITION) => Topic::Condition,
        _ => Topic::Else,
    }
}

/// What the names of conditions begin with.
const CONDITION: &str = "condition.";

fn other(subject: &str, field: Field, value: &str) -> String {
    match field {
        Field::SpecReplicas if value == "1" => format!("{subject} was set to 1 replica"),
        Field::SpecReplicas => format!("{subject} was set to {value} replicas"),
        Field::SpecPaused if value == "true" => format!("{subject} was paused"),
        Field::Revision => format!("{subject} is revision {value} now"),
        Field::ObservedGeneration => format!("{subject}: its controller has seen generation {value}"),
        Field::Deleting => format!("deletion of {subject} was asked for"),
        Field::Unschedulable if value == "true" => format!("{subject} was cordoned"),
        Field::Taints => format!("{subject} has the taints {value}"),
        Field::MaxSurge => format!("{subject} may add {value} pods during a rolling update"),
        Field::MaxUnavailable => format!("{subject} may miss {value} pods during a rolling update"),
        Field::Image => format!("{subject} runs {value}"),
        Field::Phase => format!("{subject} is {value}"),
        Field::VolumeName => format!("{subject} got the volume {value}"),
        Field::AttachedTo => format!("{subject} was attached to node {value}"),
        Field::ActiveDeadline => format!("{subject} may run for {value} s"),
        Field::Indexed => format!("{subject}: its pods have indexes"),
        Field::CurrentRevision => format!("{subject}: its pods count as revision {value}"),
        Field::UpdateRevision => format!("{subject} rolls out revision {value}"),
        other => format!("{subject}: {} is {value}", other.name()),
    }
}

/// A condition from `status/reason`.
fn condition(subject: &str, field: Field, value: &str) -> String {
    let (status, reason) = value.split_once('/').unwrap_or((value, ""));
    let name = field.name().trim_start_matches(CONDITION);
    match reason {
        "" => format!("{subject}: {name} is {status}"),
        reason => format!("{subject}: {name} is {status} ({reason})"),
    }
}

fn absence(subject: &str, field: Field) -> String {
    match field {
        Field::SpecPaused | Field::SpecSuspend => format!("{subject} was resumed"),
        Field::Unschedulable => format!("{subject} was uncordoned"),
        Field::Taints => format!("{subject} has no taints any more"),
        Field::Active if subject.starts_with("CronJob ") => format!("{subject} has no active Jobs"),
        Field::Active | Field::ReadyPods | Field::TerminatingPods | Field::Succeeded | Field::FailedPods => {
            format!("{subject} reports {}", reported(field, "no"))
        }
        field => match topic(field) {
            Topic::Pods => format!("{subject} reports {}", reported(field, "no")),
            Topic::Nodes => format!("{subject} reports {}", reported_nodes(field, "no")),
            _ => format!("{subject}: {} is not set any more", field.name()),
        },
    }
}

/// `3 nodes with a ready pod`, `1 node that shall have a pod`, `no nodes …`.
fn reported_nodes(field: Field, count: &str) -> String {
    let which = match field {
        Field::CurrentNumberScheduled => "with the pod they shall have",
        Field::NumberMisscheduled => "with a pod they shall not have",
        Field::NumberReady => "with a ready pod",
        Field::UpdatedNumberScheduled => "with an updated pod",
        Field::NumberAvailable => "with an available pod",
        Field::NumberUnavailable => "without an available pod",
        _ => "that shall have a pod",
    };
    format!("{count} node{} {which}", if count == "1" { "" } else { "s" })
}

/// `8 available pods`, `1 updated pod`, `no pods`.
fn reported(field: Field, count: &str) -> String {
    let kind = match field {
        Field::UpdatedReplicas => "updated ",
        Field::ReadyReplicas | Field::ReadyPods => "ready ",
        Field::Active => "active ",
        Field::Succeeded => "succeeded ",
        Field::FailedPods => "failed ",
        Field::AvailableReplicas => "available ",
        Field::UnavailableReplicas => "unavailable ",
        Field::CurrentReplicas => "current ",
        Field::TerminatingReplicas | Field::TerminatingPods => "terminating ",
        Field::FullyLabeledReplicas => "fully labelled ",
        _ => "",
    };
    format!("{count} {kind}pod{}", if count == "1" { "" } else { "s" })
}
