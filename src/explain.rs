//! Records in plain words: what happened, and why.
//!
//! `seatrial explain` prints what [`chain`] says about a record that [`find`]
//! found.

mod disruption;
mod nodes;
mod search;
mod traffic;

pub use search::find;

use crate::api::Kind;
use crate::time::Span;
use crate::trace::{Emitted, Field, Record, RecordId, Stage, Subject, SubjectId, Symbol, Trace, Value, What, Why};

/// A decision in plain words.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reason {
    /// What was decided and from which numbers, without a full stop.
    pub text: String,
    /// The function of Kubernetes that decides so: file and name.
    pub upstream: &'static str,
}

/// What a decision means.
pub fn reason(why: Why) -> Reason {
    let (text, upstream) = match why {
        Why::SurgeAllows { .. }
        | Why::ScaleDownBudget { .. }
        | Why::TooFewAvailable { .. }
        | Why::RecreateStops
        | Why::RecreateWaits => rollout_reason(why),
        Why::Scaling { allowed, all } => (
            format!("the size changed: its ReplicaSets ask for {}, {allowed} are allowed", pods(all)),
            "deployment/sync.go scale",
        ),
        Why::NewTemplate { revision } => (
            format!("a new template needs a ReplicaSet of its own, revision {revision}"),
            "deployment/sync.go getNewReplicaSet",
        ),
        Why::RolloutComplete => (
            "the rollout is complete: every pod is updated and available".to_string(),
            "deployment/util/deployment_util.go DeploymentComplete",
        ),
        Why::Paused => (
            "the rollout is paused, nothing is rolled out".to_string(),
            "deployment/deployment_controller.go syncDeployment",
        ),
        Why::DeadlineExceeded { seconds } => (
            format!("no progress for {seconds} s, the rollout counts as stuck"),
            "deployment/util/deployment_util.go DeploymentTimedOut",
        ),
        Why::HistoryLimit { limit } => {
            (format!("old revisions beyond revisionHistoryLimit {limit} go"), "deployment/sync.go cleanupDeployment")
        }
        Why::TooFewPods { have, want } => (
            format!("{} missing: have {have}, want {want}", pods(want - have)),
            "replicaset/replica_set.go manageReplicas",
        ),
        Why::TooManyPods { have, want } => (
            format!("{} too many: have {have}, want {want}", pods(have - want)),
            "replicaset/replica_set.go manageReplicas",
        ),
        Why::NewRevision { .. }
        | Why::RevisionLimit { .. }
        | Why::DaemonsMissing { .. }
        | Why::DaemonsUnwanted { .. }
        | Why::DaemonBudget { .. }
        | Why::DaemonSurge { .. } => daemon_reason(why),
        Why::AwaitingExpectations => (
            "waits: its own earlier creations or deletions are not in its cache yet".to_string(),
            "controller_utils.go SatisfiedExpectations",
        ),
        Why::MissingPod { .. }
        | Why::FinishedPod { .. }
        | Why::CondemnedPod { .. }
        | Why::OutdatedPod { .. }
        | Why::WaitsForPod { .. }
        | Why::WaitsForClaim { .. }
        | Why::RolloutWaitsForPod { .. } => ordinal_reason(why),
        Why::JobOver
        | Why::JobSuspended
        | Why::JobTooFewPods { .. }
        | Why::JobTooManyPods { .. }
        | Why::JobBackoff { .. }
        | Why::PodsEnded { .. }
        | Why::TtlExpired => job_reason(why),
        Why::OwnerGone | Why::ForegroundDeletion | Why::DependentsGone | Why::Orphaned => garbage_reason(why),
        Why::ScheduleDue { .. }
        | Why::TooLateToStart { .. }
        | Why::JobStillActive
        | Why::ScheduleSuspended
        | Why::JobHistoryLimit { .. } => schedule_reason(why),
        other => nodes::reason(why).unwrap_or_else(|| disruption::reason(other)),
    };
    Reason { text, upstream }
}

/// Decisions of the DaemonSet controller.
fn daemon_reason(why: Why) -> (String, &'static str) {
    match why {
        Why::NewRevision { revision } => (
            format!("a new template needs a ControllerRevision of its own, number {revision}"),
            "daemon/update.go constructHistory",
        ),
        Why::RevisionLimit { limit } => (
            format!("old ControllerRevisions beyond revisionHistoryLimit {limit} go"),
            "daemon/update.go cleanupHistory",
        ),
        Why::DaemonsMissing { nodes } => (
            format!("{} without the pod that it shall run", count_of(nodes, "node")),
            "daemon/daemon_controller.go podsShouldBeOnNode",
        ),
        Why::DaemonsUnwanted { pods } => (
            format!("{} ended, too many or where none shall be", count_of(pods, "pod")),
            "daemon/daemon_controller.go podsShouldBeOnNode",
        ),
        Why::DaemonBudget { unavailable, limit } => (
            format!(
                "a rolling update: {} without an available pod, maxUnavailable allows {limit}",
                count_of(unavailable, "node")
            ),
            "daemon/update.go rollingUpdate",
        ),
        Why::DaemonSurge { surging, limit } => (
            format!(
                "a rolling update: {} with a new pod that is not available yet, maxSurge allows {limit}",
                count_of(surging, "node")
            ),
            "daemon/update.go rollingUpdate",
        ),
        _ => (String::new(), ""),
    }
}

fn count_of(count: i32, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

fn rollout_reason(why: Why) -> (String, &'static str) {
    match why {
        Why::SurgeAllows { all, max_total } => (
            match max_total - all {
                n if n > 0 => {
                    format!("{} may be added: {max_total} allowed - {all} there = {n}", pods(n))
                }
                n => format!("no pod may be added: {max_total} allowed - {all} there = {n}"),
            },
            "deployment/rolling.go reconcileNewReplicaSet",
        ),
        Why::ScaleDownBudget { all, min_available, new_unavailable } => {
            let budget = all - min_available - new_unavailable;
            let sum = format!(
                "{all} there - {min_available} must stay available - {new_unavailable} new ones not available yet = {budget}"
            );
            let text = match budget {
                n if n > 0 => format!("up to {} may go: {sum}", old_pods(n)),
                _ => format!("no old pod may go: {sum}"),
            };
            (text, "deployment/rolling.go reconcileOldReplicaSets")
        }
        Why::TooFewAvailable { available, min_available } => (
            format!("no healthy old pod may go: {available} available, {min_available} must stay"),
            "deployment/rolling.go scaleDownOldReplicaSetsForRollingUpdate",
        ),
        Why::RecreateStops => (
            "Recreate: all old pods go before any new one comes".to_string(),
            "deployment/recreate.go scaleDownOldReplicaSetsForRecreate",
        ),
        _ => ("Recreate: waits until the last old pod is gone".to_string(), "deployment/recreate.go oldPodsRunning"),
    }
}

fn ordinal_reason(why: Why) -> (String, &'static str) {
    match why {
        Why::MissingPod { ordinal } => {
            (format!("pod {ordinal} is missing"), "statefulset/stateful_set_control.go processReplica")
        }
        Why::FinishedPod { ordinal } => (
            format!("pod {ordinal} has ended and makes room for a new one"),
            "statefulset/stateful_set_control.go processReplica",
        ),
        Why::CondemnedPod { ordinal } => {
            (format!("pod {ordinal} is beyond the size"), "statefulset/stateful_set_control.go processCondemned")
        }
        Why::OutdatedPod { ordinal } => (
            format!("pod {ordinal} has an old template and is replaced"),
            "statefulset/stateful_set_control.go updateStatefulSet",
        ),
        Why::WaitsForClaim { ordinal } => (
            format!("waits until the claim of the former pod {ordinal} is gone"),
            "statefulset/stateful_pod_control.go PodClaimIsStale",
        ),
        Why::RolloutWaitsForPod { ordinal } => (
            format!("the rollout waits until pod {ordinal} is available"),
            "statefulset/stateful_set_control.go updateStatefulSet",
        ),
        Why::WaitsForPod { ordinal } => (
            format!("nothing else is done until pod {ordinal} is available or gone"),
            "statefulset/stateful_set_control.go processReplica",
        ),
        _ => (String::new(), ""),
    }
}

fn job_reason(why: Why) -> (String, &'static str) {
    match why {
        Why::JobOver => ("the Job is over, its pods go".to_string(), "job/job_controller.go deleteActivePods"),
        Why::JobSuspended => ("the Job is suspended, its pods go".to_string(), "job/job_controller.go manageJob"),
        Why::JobTooFewPods { have, want } => {
            (format!("{} missing: {have} active, want {want}", pods(want - have)), "job/job_controller.go manageJob")
        }
        Why::JobTooManyPods { have, want } => {
            (format!("{} too many: {have} active, want {want}", pods(have - want)), "job/job_controller.go manageJob")
        }
        Why::JobBackoff { seconds } => {
            (format!("pods have failed, no new one for {seconds} s"), "job/backoff_utils.go getRemainingTime")
        }
        Why::PodsEnded { pods: ended } => (
            match ended {
                1 => "1 pod has ended and is counted".to_string(),
                n => format!("{n} pods have ended and are counted"),
            },
            "job/job_controller.go trackJobStatusAndRemoveFinalizers",
        ),
        _ => (
            "finished for ttlSecondsAfterFinished, so it goes".to_string(),
            "ttlafterfinished/ttlafterfinished_controller.go processJob",
        ),
    }
}

fn garbage_reason(why: Why) -> (String, &'static str) {
    match why {
        Why::OwnerGone => (
            "its owner is gone, so it goes too".to_string(),
            "garbagecollector/garbagecollector.go attemptToDeleteItem",
        ),
        Why::ForegroundDeletion => (
            "foreground deletion: what it owns goes first".to_string(),
            "garbagecollector/garbagecollector.go processDeletingDependentsItem",
        ),
        Why::DependentsGone => (
            "foreground deletion: nothing it owned is left, so it may go".to_string(),
            "garbagecollector/garbagecollector.go processDeletingDependentsItem",
        ),
        _ => (
            "its owner was deleted with --cascade=orphan and lets it go".to_string(),
            "garbagecollector/garbagecollector.go orphanDependents",
        ),
    }
}

fn schedule_reason(why: Why) -> (String, &'static str) {
    match why {
        Why::ScheduleDue { scheduled } => (
            format!("{scheduled} has come and no Job was started for it yet"),
            "cronjob/cronjob_controllerv2.go syncCronJob",
        ),
        Why::TooLateToStart { deadline_seconds } => (
            format!("too late to start a Job: its time came more than {deadline_seconds} s ago"),
            "cronjob/cronjob_controllerv2.go syncCronJob",
        ),
        Why::JobStillActive => (
            "Forbid: the Job before is not over; once it is, the newest missed time is served".to_string(),
            "cronjob/cronjob_controllerv2.go syncCronJob",
        ),
        Why::ScheduleSuspended => {
            ("suspended: no Job is started".to_string(), "cronjob/cronjob_controllerv2.go syncCronJob")
        }
        Why::JobHistoryLimit { limit } => (
            format!("finished Jobs beyond the newest {limit} go"),
            "cronjob/cronjob_controllerv2.go cleanupFinishedJobs",
        ),
        _ => (String::new(), ""),
    }
}

fn pods(n: i32) -> String {
    if n == 1 { "1 pod".to_string() } else { format!("{n} pods") }
}

fn old_pods(n: i32) -> String {
    if n == 1 { "1 old pod".to_string() } else { format!("{n} old pods") }
}

/// `pod web/2#0`, `Deployment web`, `node node-a`: kinds that are everyday
/// words are written like them.
pub(crate) fn called(subject: &Subject) -> String {
    match subject.kind {
        Kind::Pod => format!("pod {}", subject.name),
        Kind::Node => format!("node {}", subject.name),
        kind => format!("{kind} {}", subject.name),
    }
}

impl Trace {
    /// A record as one sentence without its time: `pod web/2#0 became ready`.
    pub fn describe(&self, record: &Record) -> String {
        let subject = self.called(record.subject);
        match record.what {
            What::Created => format!("{subject} was created"),
            What::Deleted | What::Removed => format!("{subject} is gone"),
            What::Set { field, value } => self.describe_change(&subject, field, value),
            What::Unschedulable => format!("{subject} fits on no node"),
            What::Bound { node } => format!("{subject} was bound to {}", self.called(node)),
            What::Attaching => format!("{subject} waits for its disks"),
            What::Attached => format!("{subject} has its disks"),
            What::Named => format!("the name of {subject} answers"),
            What::Unnamed => format!("the name of {subject} answers no more"),
            What::Answers => format!("{subject} serves requests"),
            What::Silent => format!("{subject} does not serve requests"),
            What::Stage { stage, name } => {
                let name = self.text(name);
                match stage {
                    Stage::Pulling => format!("{subject} pulls the image {name}"),
                    Stage::PullBackOff => format!("{subject} waits before it pulls {name} again"),
                    Stage::Init => format!("{subject} runs its init container {name}"),
                    Stage::InitBackOff => format!("{subject} waits before it starts its init container {name} again"),
                }
            }
            What::Killed => format!("{subject} was killed: its grace was over"),
            What::Routable { service } => format!("requests for {} go to {subject}", self.called(service)),
            What::Unroutable { service } => format!("requests for {} go to {subject} no more", self.called(service)),
            What::Running => format!("{subject} started"),
            What::Ready => format!("{subject} became ready"),
            What::Unready => format!("{subject} stopped being ready"),
            What::Restarted { count: 1 } => format!("{subject} was restarted in place"),
            What::Restarted { count } => {
                format!("{subject} was restarted in place, the {} time", ordinal(count))
            }
            What::DisruptionTarget { reason } => {
                format!("{subject} was marked for disruption ({})", self.text(reason))
            }
            What::Deleting { grace_seconds: 0 } => format!("{subject} was deleted without grace"),
            What::Deleting { grace_seconds } => {
                format!("{subject} was asked to go within {grace_seconds} s")
            }
            What::Succeeded { exit_code } => format!("{subject} succeeded (exit code {exit_code})"),
            What::Failed { exit_code, reason } => {
                let code = exit_code.map(|code| format!("exit code {code}"));
                let reason = reason.map(|r| self.text(r).to_string());
                let details: Vec<String> = code.into_iter().chain(reason).collect();
                if details.is_empty() {
                    format!("{subject} failed")
                } else {
                    format!("{subject} failed ({})", details.join(", "))
                }
            }
            What::Emitted(emitted) => self.describe_emitted(&subject, emitted),
            What::Decided(why) => {
                let Reason { text, upstream } = reason(why);
                format!("{subject}: {text} [{upstream}]")
            }
            What::Action(action) => format!("somebody: {}", self.action_text(action)),
            What::Rejected { action, object, reason, message } => {
                let what =
                    if object { format!("applying object {action}") } else { self.action_text(action).to_string() };
                let (reason, message) = (self.text(reason), self.text(message));
                format!("the API server refused {what}: {reason}: {message}")
            }
            What::Clock { component, offset_ns, drift_ppb } => {
                describe_clock(self.text(component), offset_ns, drift_ppb)
            }
            What::Process { component, runs: true } => format!("{} runs again", self.text(component)),
            What::Process { component, runs: false } => format!("{} stopped", self.text(component)),
            What::Wrote { key } => format!("{subject} wrote {}", self.text(key)),
            What::Lost { key } => format!("{subject} was cut off before it wrote {}", self.text(key)),
        }
    }

    fn called(&self, id: SubjectId) -> String {
        called(self.subject(id))
    }

    fn text(&self, symbol: Symbol) -> &str {
        self.symbols.get(symbol)
    }

    fn action_text(&self, action: u32) -> &str {
        let text = self.header.actions.get(action as usize).map(|(_, text)| text.as_str());
        text.unwrap_or("an action")
    }

    fn describe_change(&self, subject: &str, field: Field, value: Value) -> String {
        let value = match value {
            Value::Absent => None,
            Value::Int(number) => Some(number.to_string()),
            Value::Bool(truth) => Some(truth.to_string()),
            Value::Text(symbol) => Some(self.text(symbol).to_string()),
        };
        let Some(value) = value else { return describe_absence(subject, field) };
        match topic(field) {
            Topic::Batch => describe_batch_change(subject, field, &value),
            Topic::Pods => format!("{subject} reports {}", reported(field, &value)),
            Topic::Nodes => format!("{subject} reports {}", reported_nodes(field, &value)),
            Topic::Condition => describe_condition(subject, field, &value),
            Topic::Traffic => traffic::describe_change(subject, field, &value),
            Topic::Disruption => disruption::describe_change(subject, field, &value),
            Topic::Else => describe_other_change(subject, field, &value),
        }
    }

    fn describe_emitted(&self, subject: &str, emitted: Emitted) -> String {
        match emitted {
            Emitted::Scaled { replica_set, from, to } => {
                let way = if to > from { "up" } else { "down" };
                format!("{subject} scaled {} {way} from {from} to {to}", self.called(replica_set))
            }
            Emitted::CreatedPod(pod) => format!("{subject} created {}", self.called(pod)),
            Emitted::DeletedPod(pod) => format!("{subject} deleted {}", self.called(pod)),
            Emitted::Scheduled { node, .. } => format!("{subject} was assigned to {}", self.called(node)),
            Emitted::Other { reason, message, .. } => {
                format!("{subject} reports {}: {}", self.text(reason), self.text(message))
            }
        }
    }
}

/// `the clock of node/a-1 is 1m ahead, 50 ppm fast`.
fn describe_clock(component: &str, offset_ns: i64, drift_ppb: i32) -> String {
    let apart = Span(offset_ns.unsigned_abs());
    let offset = match offset_ns {
        0 => "right".to_string(),
        1.. => format!("{apart} ahead"),
        _ => format!("{apart} behind"),
    };
    let rate = match drift_ppb {
        0 => String::new(),
        1.. => format!(", {} ppm fast", f64::from(drift_ppb) / 1000.0),
        _ => format!(", {} ppm slow", -f64::from(drift_ppb) / 1000.0),
    };
    format!("the clock of {component} is {offset}{rate}")
}

/// What changed about a Job or a CronJob.
fn describe_batch_change(subject: &str, field: Field, value: &str) -> String {
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

fn describe_other_change(subject: &str, field: Field, value: &str) -> String {
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
fn describe_condition(subject: &str, field: Field, value: &str) -> String {
    let (status, reason) = value.split_once('/').unwrap_or((value, ""));
    let name = field.name().trim_start_matches(CONDITION);
    match reason {
        "" => format!("{subject}: {name} is {status}"),
        reason => format!("{subject}: {name} is {status} ({reason})"),
    }
}

fn describe_absence(subject: &str, field: Field) -> String {
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

fn ordinal(n: u32) -> String {
    let suffix = match (n % 10, n % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{n}{suffix}")
}

/// A record and what led to it, a line each, the record first and its causes
/// below it, with times and numbers:
///
/// ```text
/// 1m20s  #242  pod web/1#7 was asked to go within 30 s
/// 1m20s  #238    because ReplicaSet web/1: 5 pods too many: have 8, want 3 […]
/// 1m     #61     because somebody: set image deployment/web app:v2
/// ```
///
/// Empty if there is no such record.
pub fn chain(trace: &Trace, id: RecordId) -> Vec<String> {
    if trace.record(id).is_none() {
        return Vec::new();
    }
    let ids = trace.why_chain(id);
    let row = |(i, id): (usize, &RecordId)| {
        let record = &trace.records[id.0 as usize];
        let because = if i == 0 { "" } else { "  because " };
        let text = format!("{because}{}", trace.describe(record));
        (record.at.to_string(), format!("#{}", id.0), text)
    };
    let rows: Vec<(String, String, String)> = ids.iter().enumerate().map(row).collect();
    let times = rows.iter().map(|r| r.0.len()).max().unwrap_or(0);
    let numbers = rows.iter().map(|r| r.1.len()).max().unwrap_or(0);
    rows.into_iter().map(|(at, number, text)| format!("{at:<times$}  {number:<numbers$}  {text}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decisions_show_their_sums() {
        for (why, text) in [
            (
                Why::ScaleDownBudget { all: 13, min_available: 8, new_unavailable: 5 },
                "no old pod may go: 13 there - 8 must stay available - 5 new ones not available yet = 0",
            ),
            (
                Why::ScaleDownBudget { all: 13, min_available: 8, new_unavailable: 4 },
                "up to 1 old pod may go: 13 there - 8 must stay available - 4 new ones not available yet = 1",
            ),
            (Why::SurgeAllows { all: 10, max_total: 13 }, "3 pods may be added: 13 allowed - 10 there = 3"),
            (Why::SurgeAllows { all: 13, max_total: 13 }, "no pod may be added: 13 allowed - 13 there = 0"),
            (Why::TooFewPods { have: 4, want: 5 }, "1 pod missing: have 4, want 5"),
        ] {
            assert_eq!(reason(why).text, text);
        }
    }

    #[test]
    fn ordinals_are_english() {
        for (n, text) in [(1, "1st"), (2, "2nd"), (3, "3rd"), (11, "11th"), (112, "112th"), (21, "21st")] {
            assert_eq!(ordinal(n), text);
        }
    }
}
