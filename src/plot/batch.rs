//! Jobs and CronJobs in words: what ended and how, instead of what is
//! available.

use super::sentence::pods;
use crate::api::Kind;
use crate::time::{SimTime, Span};
use crate::timeline::{ConditionChange, Series, Workload};

/// What happened to a Job or a CronJob between two moments (the second not
/// included), such as `10 Jobs, 9 completed, 1 active, at most 2 run at a
/// time`, or `failed (BackoffLimitExceeded) after 35s, 3 attempts`.
pub(super) fn headline(workload: &Workload, from: SimTime, end: SimTime) -> String {
    let parts = if workload.kind == Kind::CronJob { of_cron_job(workload, from, end) } else { of_job(workload, end) };
    parts.join(", ")
}

fn of_cron_job(workload: &Workload, from: SimTime, end: SimTime) -> Vec<String> {
    let so_far = |series: Series| workload.series(series).at(last(end));
    let mut parts = vec![match so_far(Series::StartedJobs) {
        0 => "no Job".to_string(),
        1 => "1 Job".to_string(),
        n => format!("{n} Jobs"),
    }];
    let ended = [(Series::Completions, "completed"), (Series::FailedJobs, "failed"), (Series::ActiveJobs, "active")];
    parts.extend(ended.iter().filter(|e| so_far(e.0) > 0).map(|e| format!("{} {}", so_far(e.0), e.1)));
    let sum: i64 = ended.iter().map(|e| so_far(e.0)).sum();
    let gone = so_far(Series::StartedJobs) - sum;
    if gone > 0 {
        parts.push(format!("{gone} deleted unfinished"));
    }
    if so_far(Series::StartedJobs) > 0 {
        parts.push(match workload.series(Series::Overlap).max_over(from, end) {
            0 => "none ran".to_string(),
            1 => "never two at a time".to_string(),
            n => format!("at most {n} run at a time"),
        });
    }
    parts
}

fn of_job(workload: &Workload, end: SimTime) -> Vec<String> {
    let (ending, at) = ending(workload, end);
    let mut parts = vec![format!("{ending} after {}", at.since(workload.created))];
    let so_far = |series: Series| workload.series(series).at(last(end));
    let count = |n: i64, what: &str| if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") };
    parts.push(count(so_far(Series::Attempts), "attempt"));
    if so_far(Series::Completions) != 1 || ending != "complete" {
        parts.push(format!("{} ended well", pods(so_far(Series::Completions))));
    }
    let most = workload.series(Series::Overlap).max_over(SimTime::ZERO, end);
    if most > 1 {
        parts.push(format!("at most {most} at a time"));
    }
    parts
}

/// How a Job ended and when; where it has not, the last moment.
fn ending(workload: &Workload, end: SimTime) -> (String, SimTime) {
    let seen = workload.conditions().iter().filter(|c| c.at < end);
    let over = |c: &&ConditionChange| matches!(c.condition, "Complete" | "Failed") && c.status == "True";
    match seen.clone().rfind(over) {
        Some(c) if c.condition == "Complete" => ("complete".to_string(), c.at),
        Some(c) => (format!("failed ({})", c.reason), c.at),
        None if suspended(workload, end) => ("suspended".to_string(), last(end)),
        None if workload.series(Series::Jobs).at(last(end)) == 0 => {
            ("deleted unfinished".to_string(), workload.last_change().min(last(end)))
        }
        None => ("not over".to_string(), last(end)),
    }
}

fn suspended(workload: &Workload, end: SimTime) -> bool {
    let mut changes = workload.conditions().iter().filter(|c| c.at < end && c.condition == "Suspended");
    changes.next_back().is_some_and(|c| c.status == "True")
}

/// The last moment before the end of a half-open range.
fn last(end: SimTime) -> SimTime {
    SimTime(end.0.saturating_sub(1))
}

/// The columns of a table of Jobs and CronJobs.
pub(super) const COLUMNS: [&str; 7] = ["NAME", "STATUS", "ACTIVE", "STARTED", "SUCCEEDED", "FAILED", "AGE"];

/// A row of that table, without its name: of a CronJob its Jobs are counted,
/// of a Job its attempts.
pub(super) fn row(workload: &Workload, at: SimTime) -> [String; 6] {
    let end = at.after(Span::from_ns(1));
    let now = |series: Series| workload.series(series).at(at);
    let (status, started, failed) = if workload.kind == Kind::CronJob {
        let status = if now(Series::ActiveJobs) > 0 { "Active" } else { "Idle" };
        (status.to_string(), now(Series::StartedJobs), now(Series::FailedJobs))
    } else {
        let status = match ending(workload, end).0.as_str() {
            "complete" => "Complete",
            "suspended" => "Suspended",
            "not over" => "Running",
            "deleted unfinished" => "Deleted",
            _ => "Failed",
        };
        let attempts = now(Series::Attempts);
        // A pod that is deleted by a suspension has not failed.
        (status.to_string(), attempts, now(Series::Restarts) + workload.failed_pods().at(at))
    };
    [
        status,
        now(if workload.kind == Kind::CronJob { Series::ActiveJobs } else { Series::Running }).to_string(),
        started.to_string(),
        now(Series::Completions).to_string(),
        failed.to_string(),
        age(workload, at),
    ]
}

/// How old it is, or since when it is not there any more.
pub(super) fn age(workload: &Workload, at: SimTime) -> String {
    match workload.deleted().filter(|&gone| gone <= at) {
        Some(gone) => format!("gone at {gone}"),
        None => at.since(workload.created).to_string(),
    }
}

/// What a summary says of a Job or a CronJob.
pub(super) fn lines(workload: &Workload, from: SimTime, end: SimTime) -> Vec<String> {
    let mut lines = vec![headline(workload, from, end)];
    let (at, most) = workload.series(Series::Overlap).first_max(from, end);
    if most > 1 {
        let together = workload.series(Series::Overlap).duration_where(from, end, |n| n > 1).floor_ms();
        lines.push(format!("more than one at a time for {together}, first {most} at {at}"));
    }
    let terminating = workload.series(Series::Terminating).duration_where(from, end, |n| n > 0).floor_ms();
    if terminating >= Span::from_secs(1) {
        lines.push(format!("pods that were told to stop still ran for {terminating}"));
    }
    let jobs = workload.series(Series::Jobs).max_over(from, end);
    if workload.kind == Kind::CronJob && jobs > 0 {
        let s = if jobs == 1 { "" } else { "s" };
        lines.push(format!("at most {jobs} Job{s} in the API"));
    }
    lines
}
