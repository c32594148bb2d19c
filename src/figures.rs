//! The figures by which runs of a workload are told from each other, of every
//! kind those that matter for it: comparisons, differences and sweeps have the
//! same ones.

use crate::api::Kind;
use crate::time::{SimTime, Span};
use crate::timeline::{Ending, Lives, Series, Timeline, Workload};
use crate::trace::{Trace, What, Why};
use serde::{Deserialize, Serialize};

/// What a figure is measured in.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Unit {
    /// A number of something.
    Count,
    /// Milliseconds.
    Ms,
}

/// Which of two values people would rather have.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Better {
    /// The smaller one.
    Less,
    /// The greater one.
    More,
    /// It depends.
    Neither,
}

/// What a figure is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Figure {
    /// Its name in tables for programs, such as `min_available`.
    pub name: &'static str,
    /// The same for people, such as `fewest available`.
    pub words: &'static str,
    /// What it is measured in.
    pub unit: Unit,
    /// Which of two values is better.
    pub better: Better,
}

const fn figure(name: &'static str, words: &'static str, unit: Unit, better: Better) -> Figure {
    Figure { name, words, unit, better }
}

use Better::{Less, More, Neither};
use Unit::{Count, Ms};

/// Of what is rolled out.
const ROLLOUT: [Figure; 8] = [
    figure("rollout_ms", "rollout", Ms, Less),
    figure("desired", "wanted at the end", Count, Neither),
    figure("min_available", "fewest available", Count, More),
    figure("outage_ms", "none available for", Ms, Less),
    figure("max_on_node", "most on nodes", Count, Less),
    figure("max_extra", "most beyond the wanted", Count, Less),
    figure("ready_at_end", "ready at the end", Count, More),
    figure("restarts", "restarts", Count, Less),
];

/// Of a Job.
const JOB: [Figure; 9] = [
    figure("completion_ms", "took", Ms, Less),
    figure("succeeded", "succeeded", Count, More),
    figure("attempts", "attempts", Count, Less),
    figure("pods_failed", "pods failed", Count, Less),
    figure("restarts", "restarts", Count, Less),
    figure("max_running", "most running", Count, Less),
    figure("job_failed", "failed", Count, Less),
    figure("duplicates", "written twice", Count, Less),
    figure("lost", "not written", Count, Less),
];

/// Of a CronJob.
const CRON_JOB: [Figure; 11] = [
    figure("runs", "runs", Count, Neither),
    figure("completed", "runs succeeded", Count, More),
    figure("runs_failed", "runs failed", Count, Less),
    figure("stopped", "runs stopped", Count, Less),
    figure("missed", "held back", Count, Less),
    figure("no_result", "times without a result", Count, Less),
    figure("max_overlap", "most at once", Count, Less),
    figure("overlap_ms", "more than one for", Ms, Less),
    figure("idle_ms", "nothing running for", Ms, Neither),
    figure("duplicates", "written twice", Count, Less),
    figure("lost", "not written", Count, Less),
];

/// The figures of a kind of workload.
pub fn of_kind(kind: Kind) -> &'static [Figure] {
    match kind {
        Kind::Job => &JOB,
        Kind::CronJob => &CRON_JOB,
        _ => &ROLLOUT,
    }
}

/// The values of a workload's figures, in the order of [`of_kind`]; none where
/// there is no such value, such as the time of a rollout that was not over.
///
/// `from` is the first moment that counts for what is rolled out; of Jobs and
/// CronJobs the whole run counts. `workload` is an index into
/// [`Timeline::workloads`]; one that does not exist has no figures.
pub fn measure(trace: &Trace, timeline: &Timeline, workload: usize, from: SimTime) -> Vec<Option<i64>> {
    let Some(seen) = timeline.workloads().get(workload) else { return Vec::new() };
    match seen.kind {
        Kind::Job => job(trace, timeline, workload).to_vec(),
        Kind::CronJob => cron_job(trace, timeline, workload).to_vec(),
        _ => rollout(seen, from.max(seen.created), timeline.end()).to_vec(),
    }
}

/// The moment from which on a workload is measured: the first action, because
/// what happens before is only getting to the start.
pub fn beginning(timeline: &Timeline) -> SimTime {
    timeline.actions.first().map_or(SimTime::ZERO, |a| a.at)
}

fn whole(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

fn ms(span: Span) -> i64 {
    whole(span.as_ms())
}

fn rollout(workload: &Workload, from: SimTime, end: SimTime) -> [Option<i64>; 8] {
    let desired = workload.series(Series::Desired);
    let on_node = workload.series(Series::OnNode);
    let extra = on_node.zip_with(desired, i64::saturating_sub);
    let latest = workload.rollouts().iter().rev().find(|r| r.start >= from);
    let took = latest.and_then(|r| r.end.map(|end| end.as_ms().saturating_sub(r.start.as_ms())));
    [
        took.map(whole),
        Some(desired.last()),
        Some(workload.least_available(from, end).map_or(desired.last(), |(_, least)| least)),
        Some(ms(workload.outage(from, end))),
        Some(on_node.max_over(from, end)),
        Some(extra.max_over(from, end).max(0)),
        Some(workload.series(Series::Ready).last()),
        Some(workload.series(Series::Restarts).last()),
    ]
}

fn job(trace: &Trace, timeline: &Timeline, workload: usize) -> [Option<i64>; 9] {
    let seen = &timeline.workloads()[workload];
    let lives = Lives::of(trace, timeline);
    let last = |series| Some(seen.series(series).last());
    // Of several Jobs of one name the last.
    let latest = lives.jobs.iter().rfind(|j| j.workload == workload);
    let ended = latest.and_then(|j| j.end.as_ref().map(|(at, how, _)| (at.since(j.created.0), how)));
    let failed = |p: &&crate::timeline::Life| matches!(p.end, Some((_, Ending::Failed(_), _)));
    [
        ended.filter(|(_, how)| **how == Ending::Succeeded).map(|(took, _)| ms(took)),
        latest.map(|j| j.succeeded.last()),
        last(Series::Attempts),
        Some(lives.of_workload(workload).filter(failed).count() as i64),
        last(Series::Restarts),
        Some(seen.series(Series::Running).max_over(SimTime::ZERO, timeline.end())),
        Some(i64::from(ended.is_some_and(|(_, how)| matches!(how, Ending::Failed(_))))),
        last(Series::Duplicates),
        last(Series::Lost),
    ]
}

fn cron_job(trace: &Trace, timeline: &Timeline, workload: usize) -> [Option<i64>; 11] {
    let seen = &timeline.workloads()[workload];
    let lives = Lives::of(trace, timeline);
    let last = |series| Some(seen.series(series).last());
    let jobs = || lives.jobs.iter().filter(|j| j.workload == workload);
    let ended =
        |kind: fn(&Ending) -> bool| jobs().filter(|j| j.end.as_ref().is_some_and(|end| kind(&end.1))).count() as i64;
    let failed = ended(|e| matches!(e, Ending::Failed(_)));
    let stopped = ended(|e| *e == Ending::Deleted);
    let missed = held_back(trace, seen);
    let overlap = seen.series(Series::Overlap);
    let end = timeline.end();
    let held = |holds: fn(i64) -> bool| Some(ms(overlap.duration_where(SimTime::ZERO, end, holds)));
    [
        Some(jobs().count() as i64),
        Some(ended(|e| *e == Ending::Succeeded)),
        Some(failed),
        Some(stopped),
        Some(missed),
        Some(failed + stopped + missed),
        Some(overlap.max_over(SimTime::ZERO, end)),
        held(|n| n > 1),
        held(|n| n == 0),
        last(Series::Duplicates),
        last(Series::Lost),
    ]
}

/// Whether a decision means that a CronJob's time had come, and it started no
/// Job.
pub(crate) const fn holds_back(why: Why) -> bool {
    matches!(why, Why::JobStillActive | Why::TooLateToStart { .. } | Why::ScheduleSuspended)
}

/// How often a CronJob's time had come, and it did not start a Job.
fn held_back(trace: &Trace, seen: &Workload) -> i64 {
    let is_it = |id| {
        let subject = trace.subject(id);
        subject.kind == seen.kind && *subject.name == *seen.name && *subject.namespace == *seen.namespace
    };
    let held = trace.records.iter().filter(|r| matches!(r.what, What::Decided(why) if holds_back(why)));
    held.filter(|r| is_it(r.subject)).count() as i64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn every_figure_has_a_value_and_a_name_of_its_own() {
        for (name, trace) in fixture::all() {
            let timeline = Timeline::of(&trace);
            for (i, workload) in timeline.workloads().iter().enumerate() {
                let figures = of_kind(workload.kind);
                assert_eq!(measure(&trace, &timeline, i, SimTime::ZERO).len(), figures.len(), "{name}");
            }
        }
        for kind in [Kind::Deployment, Kind::Job, Kind::CronJob] {
            let mut names: Vec<&str> = of_kind(kind).iter().map(|f| f.name).collect();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), of_kind(kind).len(), "{kind:?}");
        }
    }

    #[test]
    fn a_rollout_is_measured_from_the_first_action_on() {
        let trace = fixture::rollout();
        let timeline = Timeline::of(&trace);
        let values = measure(&trace, &timeline, 0, beginning(&timeline));
        let of = |name: &str| {
            let place = ROLLOUT.iter().position(|f| f.name == name).expect("a figure");
            values[place]
        };
        assert_eq!((of("min_available"), of("max_on_node"), of("desired")), (Some(8), Some(20), Some(10)));
        assert_eq!(of("max_extra"), Some(10));
        assert!(measure(&trace, &timeline, 9, SimTime::ZERO).is_empty());
    }
}
