//! CronJobs: Jobs by the clock.

use super::{Annotations, JobSpec, Labels, Meta, Uid};
use crate::time::Timestamp;
use std::sync::Arc;

/// `spec.concurrencyPolicy`: what happens when the Job before is not over.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Concurrency {
    /// Both run.
    #[default]
    Allow,
    /// The new one waits, and is skipped if its deadline runs out.
    Forbid,
    /// The old one is deleted.
    Replace,
}

impl Concurrency {
    /// All policies.
    pub const ALL: [Concurrency; 3] = [Concurrency::Allow, Concurrency::Forbid, Concurrency::Replace];

    /// The policy as the API spells it.
    pub const fn name(self) -> &'static str {
        match self {
            Concurrency::Allow => "Allow",
            Concurrency::Forbid => "Forbid",
            Concurrency::Replace => "Replace",
        }
    }
}

/// `spec.jobTemplate`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct JobTemplate {
    /// `metadata.labels`.
    pub labels: Arc<Labels>,
    /// `metadata.annotations`.
    pub annotations: Annotations,
    /// `spec`, without a selector.
    pub spec: JobSpec,
}

/// `spec` of a CronJob, defaulted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CronJobSpec {
    /// When, as five fields or a word such as `@daily`.
    pub schedule: Arc<str>,
    /// The IANA name of the zone that the schedule is meant in; absent for
    /// that of the controller manager, which is UTC.
    pub time_zone: Option<Arc<str>>,
    /// How late a Job may start, in seconds; absent for any time.
    pub starting_deadline_seconds: Option<i64>,
    /// What happens when the Job before is not over.
    pub concurrency: Concurrency,
    /// No new Jobs at present.
    pub suspend: bool,
    /// What its Jobs are stamped from.
    pub template: Arc<JobTemplate>,
    /// How many complete Jobs are kept.
    pub successful_jobs_history_limit: i32,
    /// How many failed Jobs are kept.
    pub failed_jobs_history_limit: i32,
}

/// A reference to a Job that the controller has started and not yet seen end.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ActiveJob {
    /// Its UID.
    pub uid: Uid,
    /// Its name.
    pub name: Arc<str>,
}

/// `status` of a CronJob.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct CronJobStatus {
    /// Jobs that are not over, in the order in which they were started.
    pub active: Vec<ActiveJob>,
    /// The newest schedule time for which a Job was started: the time that
    /// was asked for, not the time of the start.
    pub last_schedule: Option<Timestamp>,
    /// When the Job that was complete last was complete.
    pub last_successful: Option<Timestamp>,
}

/// A stored CronJob.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CronJob {
    /// Its metadata.
    pub meta: Meta,
    /// What is wanted.
    pub spec: CronJobSpec,
    /// What is.
    pub status: CronJobStatus,
}
