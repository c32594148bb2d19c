//! Jobs: work that ends.

use super::{ConditionStatus, Indexes, Meta, PodTemplate, Selector, Text, Uid};
use crate::time::Timestamp;
use std::sync::Arc;

/// `spec.podReplacementPolicy`: when the place of a pod is free again.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum PodReplacement {
    /// As soon as it is being deleted or has failed.
    #[default]
    TerminatingOrFailed,
    /// Only once it has failed.
    Failed,
}

/// What a rule of `spec.podFailurePolicy` does with a failed pod.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FailureAction {
    /// It is counted against `backoffLimit`, as it would be without a policy.
    Count,
    /// Its index fails and is not tried again.
    FailIndex,
    /// The whole Job fails.
    FailJob,
    /// It is replaced and not counted.
    Ignore,
}

/// Which failed pods a rule of `spec.podFailurePolicy` is for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum FailureMatch {
    /// Pods with a container that ended with one of these codes.
    ExitCodes {
        /// Only this container.
        container: Option<Arc<str>>,
        /// `NotIn` instead of `In`: any code but these.
        not_in: bool,
        /// The codes, in order.
        values: Vec<i32>,
    },
    /// Pods with one of these conditions: type and status.
    Conditions(Vec<(Arc<str>, ConditionStatus)>),
}

/// `spec.podFailurePolicy.rules[]`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FailureRule {
    /// What is done.
    pub action: FailureAction,
    /// With which pods.
    pub matches: FailureMatch,
}

/// `spec.successPolicy.rules[]`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SuccessRule {
    /// `succeededIndexes`: the indexes that count; all if absent.
    pub indexes: Option<Indexes>,
    /// `succeededCount`: how many of them must succeed; all if absent.
    pub count: Option<i32>,
}

/// `spec` of a Job, defaulted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct JobSpec {
    /// How many pods may run at a time.
    pub parallelism: i32,
    /// How many pods must succeed; absent for a work queue, where the first
    /// success means that there is nothing left to start.
    pub completions: Option<i32>,
    /// `completionMode: Indexed`: each pod does the work of one index.
    pub indexed: bool,
    /// How many failures are forgiven.
    pub backoff_limit: i32,
    /// How many failures are forgiven of each index, instead.
    pub backoff_limit_per_index: Option<i32>,
    /// How many indexes may fail before the whole Job does.
    pub max_failed_indexes: Option<i32>,
    /// How long the Job may run, in seconds.
    pub active_deadline_seconds: Option<i64>,
    /// How long a finished Job is kept, in seconds.
    pub ttl_seconds_after_finished: Option<i32>,
    /// No pods at present.
    pub suspend: bool,
    /// When the place of a pod is free again.
    pub pod_replacement: PodReplacement,
    /// What failures mean.
    pub pod_failure_policy: Option<Arc<[FailureRule]>>,
    /// When enough has succeeded.
    pub success_policy: Option<Arc<[SuccessRule]>>,
    /// `spec.managedBy`: somebody else's controller, which is not there.
    pub managed_by: Option<Arc<str>>,
    /// The user's own selector and not one by UID.
    pub manual_selector: bool,
    /// Which pods it owns or adopts. The API server makes it up when the Job
    /// is created, unless it is `manual_selector`.
    pub selector: Arc<Selector>,
    /// What its pods are stamped from.
    pub template: Arc<PodTemplate>,
}

impl JobSpec {
    /// Whether this is a work queue: it does not say how many must succeed.
    pub const fn is_work_queue(&self) -> bool {
        self.completions.is_none()
    }
}

/// The types of a Job's conditions.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum JobConditionType {
    /// It is over and went well.
    Complete,
    /// It is over and failed.
    Failed,
    /// It will fail once its pods are gone.
    FailureTarget,
    /// It will be complete once its pods are gone.
    SuccessCriteriaMet,
    /// It is suspended.
    Suspended,
}

impl JobConditionType {
    /// The type as the API spells it.
    pub const fn name(self) -> &'static str {
        match self {
            JobConditionType::Complete => "Complete",
            JobConditionType::Failed => "Failed",
            JobConditionType::FailureTarget => "FailureTarget",
            JobConditionType::SuccessCriteriaMet => "SuccessCriteriaMet",
            JobConditionType::Suspended => "Suspended",
        }
    }
}

/// `status.conditions[]`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct JobCondition {
    /// Its type.
    pub kind: JobConditionType,
    /// Whether it holds.
    pub status: ConditionStatus,
    /// Why, in a word.
    pub reason: Text,
    /// Why, in a sentence.
    pub message: Text,
    /// When it came to hold or ceased to.
    pub since: Timestamp,
}

/// `status.uncountedTerminatedPods`: pods that have ended, are about to lose
/// their finalizer and are not in the counters yet.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct UncountedPods {
    /// Those that succeeded, in the order in which they were noted.
    pub succeeded: Vec<Uid>,
    /// Those that failed.
    pub failed: Vec<Uid>,
}

impl UncountedPods {
    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.succeeded.is_empty() && self.failed.is_empty()
    }
}

/// `status` of a Job.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct JobStatus {
    /// Pods that are neither finished nor being deleted.
    pub active: i32,
    /// Active pods that are ready; absent before the first sync.
    pub ready: Option<i32>,
    /// Pods that are being deleted and still run; absent before the first sync.
    pub terminating: Option<i32>,
    /// Pods that succeeded.
    pub succeeded: i32,
    /// Pods that failed.
    pub failed: i32,
    /// When the Job was first seen, or resumed.
    pub start_time: Option<Timestamp>,
    /// When it was complete.
    pub completion_time: Option<Timestamp>,
    /// Indexes that succeeded.
    pub completed_indexes: Indexes,
    /// Indexes that failed; absent without `backoffLimitPerIndex`.
    pub failed_indexes: Option<Indexes>,
    /// Pods that are being taken into account.
    pub uncounted: UncountedPods,
    /// The conditions, in order of their first appearance.
    pub conditions: Vec<JobCondition>,
}

impl JobStatus {
    /// A condition, whatever its status.
    pub fn condition(&self, kind: JobConditionType) -> Option<&JobCondition> {
        self.conditions.iter().find(|c| c.kind == kind)
    }

    /// Whether a condition holds.
    pub fn is(&self, kind: JobConditionType) -> bool {
        self.condition(kind).is_some_and(|c| c.status == ConditionStatus::True)
    }

    /// The condition by which the Job is over, if it is.
    ///
    /// Upstream: `job/util/utils.go FinishedCondition`
    pub fn finished(&self) -> Option<&JobCondition> {
        let ends = |c: &&JobCondition| matches!(c.kind, JobConditionType::Complete | JobConditionType::Failed);
        self.conditions.iter().filter(|c| c.status == ConditionStatus::True).find(ends)
    }
}

/// A stored Job.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Job {
    /// Its metadata.
    pub meta: Meta,
    /// What is wanted.
    pub spec: JobSpec,
    /// What is.
    pub status: JobStatus,
}

/// The labels by which a Job's pods are told from all others: with the Job's
/// UID and with its name, under the present and the older name.
const UID_LABELS: [&str; 2] = ["batch.kubernetes.io/controller-uid", "controller-uid"];
const NAME_LABELS: [&str; 2] = ["batch.kubernetes.io/job-name", "job-name"];

impl Job {
    /// Gives the Job a selector that fits its own pods and no others, and
    /// its template the labels for it. Its UID must be known.
    ///
    /// Upstream: `pkg/registry/batch/job/strategy.go generateSelector`
    pub fn generate_selector(&mut self) {
        if self.spec.manual_selector {
            return;
        }
        let uid = Text::from(format!("{:08x}-0000-4000-8000-000000000000", self.meta.uid.0));
        let template = Arc::make_mut(&mut self.spec.template);
        let labels = &mut Arc::make_mut(&mut template.labels).0;
        for name in UID_LABELS {
            labels.insert(Text::Known(name), uid.clone());
        }
        for name in NAME_LABELS {
            labels.insert(Text::Known(name), self.meta.name.clone());
        }
        Arc::make_mut(&mut self.spec.selector).match_labels.0.insert(Text::Known(UID_LABELS[0]), uid);
    }
}

/// Whether the API server makes a label of pod templates up itself.
pub fn is_generated_label(name: &str) -> bool {
    UID_LABELS.contains(&name) || NAME_LABELS.contains(&name)
}

/// What a pod of an Indexed Job knows of its index.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PodIndex {
    /// `batch.kubernetes.io/job-completion-index`.
    pub index: u32,
    /// `batch.kubernetes.io/job-index-failure-count`: counted failures of the
    /// index before this pod.
    pub failures: i32,
    /// `batch.kubernetes.io/job-index-ignored-failure-count`.
    pub ignored_failures: i32,
}
