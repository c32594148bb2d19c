//! Runs side by side: what differs, and where they parted.
//!
//! Runs of one seed share their random draws, so what differs between them
//! comes from what was set differently and from nothing else.

use crate::api::Kind;
use crate::difference::first;
use crate::plot::lanes::{self, Story};
use crate::time::{SimTime, Span};
use crate::timeline::{Ending, Lives, Series, Timeline, Workload};
use crate::trace::{Record, RecordId, Trace, What};

/// Where two runs parted: the first thing that one did and the other did not.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Parting {
    /// When.
    pub at: SimTime,
    /// What the first run did then, unless it did nothing.
    pub left: Option<RecordId>,
    /// What the second run did then, unless it did nothing.
    pub right: Option<RecordId>,
}

/// Finds the first difference between what two runs did. What merely says
/// what was asked for is no difference: fields of new objects do not count.
pub fn parting(left: &Trace, right: &Trace) -> Option<Parting> {
    let did = |r: &Record| r.at > SimTime::ZERO || !matches!(r.what, What::Set { .. });
    let [mine, its] = first(left, right, did)?;
    let at = |trace: &Trace, id: Option<RecordId>| id.and_then(|id| trace.record(id)).map_or(SimTime::MAX, |r| r.at);
    let (one, other) = (at(left, mine), at(right, its));
    let at = one.min(other);
    Some(Parting { at, left: mine.filter(|_| one == at), right: its.filter(|_| other == at) })
}

/// A figure of a run, such as `runs stopped`: `7`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Figure {
    /// The workload's path.
    pub workload: String,
    /// What it is.
    pub name: &'static str,
    /// How much it is.
    pub value: String,
}

/// The figures by which runs are compared.
pub fn figures(trace: &Trace, timeline: &Timeline) -> Vec<Figure> {
    let lives = Lives::of(trace, timeline);
    let story = Story { trace, timeline, lives: &lives, from: SimTime::ZERO, to: timeline.until };
    let mut figures = Vec::new();
    for (i, workload) in timeline.workloads().iter().enumerate() {
        let of = match workload.kind {
            Kind::CronJob => runs(story, i),
            Kind::Job => attempts(story, i),
            _ => availability(workload, timeline),
        };
        let path = workload.path();
        figures.extend(of.into_iter().map(|(name, value)| Figure { workload: path.clone(), name, value }));
    }
    figures
}

type Named = Vec<(&'static str, String)>;

fn availability(workload: &Workload, timeline: &Timeline) -> Named {
    let end = timeline.end();
    let rollout = workload.rollouts().iter().rev().find(|r| !r.initial);
    let took = rollout.map(|r| crate::plot::outcome(r, end));
    let least = workload.least_available(SimTime::ZERO, end).map_or("-".to_string(), |(_, n)| n.to_string());
    let mut figures = vec![
        ("rollout", took.unwrap_or_else(|| "none".to_string())),
        ("fewest available", least),
        ("none available for", span(workload.outage(SimTime::ZERO, end))),
        ("most on nodes", workload.series(Series::OnNode).max_over(SimTime::ZERO, end).to_string()),
        ("ready at the end", workload.series(Series::Ready).last().to_string()),
    ];
    let restarts = workload.series(Series::Restarts).last();
    if restarts > 0 {
        figures.push(("restarts", restarts.to_string()));
    }
    figures
}

fn span(span: Span) -> String {
    lanes::round(span).to_string()
}

fn runs(story: Story<'_>, workload: usize) -> Named {
    let jobs: Vec<_> = story.lives.jobs.iter().filter(|j| j.workload == workload).collect();
    let ended = |kind: fn(&Ending) -> bool| {
        jobs.iter().filter(|j| j.end.as_ref().is_some_and(|e| kind(&e.1))).count().to_string()
    };
    let chart = lanes::chart(story, workload, lanes::Question::Overlap);
    let held = chart.moments.as_ref().map_or(0, |m| m.1.iter().filter(|t| t.tone == lanes::Tone::Bad).count());
    let end = story.timeline.end();
    let at_once = chart.count.map(|c| c.steps).unwrap_or_default();
    vec![
        ("runs", jobs.len().to_string()),
        ("runs succeeded", ended(|e| *e == Ending::Succeeded)),
        ("runs failed", ended(|e| matches!(e, Ending::Failed(_)))),
        ("runs stopped", ended(|e| *e == Ending::Deleted)),
        ("held back", held.to_string()),
        ("most at once", at_once.max_over(SimTime::ZERO, end).to_string()),
        ("more than one for", span(at_once.duration_where(SimTime::ZERO, end, |n| n > 1))),
        ("nothing running for", span(at_once.duration_where(SimTime::ZERO, end, |n| n == 0))),
    ]
}

fn attempts(story: Story<'_>, workload: usize) -> Named {
    let Some(job) = story.lives.jobs.iter().rfind(|j| j.workload == workload) else { return Vec::new() };
    let pods: Vec<_> = story.lives.of_workload(workload).collect();
    let failed = pods.iter().filter(|p| matches!(p.end, Some((_, Ending::Failed(_), _)))).count();
    let restarts: usize = pods.iter().map(|p| p.restarts.len()).sum();
    let (outcome, at) = match &job.end {
        Some((at, Ending::Succeeded, _)) => ("complete".to_string(), *at),
        Some((at, Ending::Failed(why), _)) => (format!("failed: {why}"), *at),
        Some((at, Ending::Deleted, _)) => ("deleted".to_string(), *at),
        None => ("not over".to_string(), story.timeline.until),
    };
    vec![
        ("outcome", outcome),
        ("took", span(at.since(job.created.0))),
        ("pods", pods.len().to_string()),
        ("pods failed", failed.to_string()),
        ("restarts", restarts.to_string()),
        ("succeeded", job.succeeded.last().to_string()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn a_run_does_not_part_from_itself() {
        for (name, trace) in fixture::all() {
            assert_eq!(parting(&trace, &trace), None, "{name}");
        }
    }

    #[test]
    fn the_first_difference_is_found() {
        let left = fixture::rollout();
        let mut right = left.clone();
        let changed = right.records.len() / 2;
        right.records.truncate(changed);
        let found = parting(&left, &right).expect("one ends earlier");
        assert_eq!((found.at, found.right), (left.records[changed].at, None));
        assert_eq!(found.left.map(|r| r.0 as usize), Some(changed));
        let figures = figures(&left, &Timeline::of(&left));
        let of = |name: &str| figures.iter().find(|f| f.name == name).map(|f| f.value.clone());
        assert_eq!(of("fewest available").as_deref(), Some("8"));
        assert_eq!(of("most on nodes").as_deref(), Some("20"));
    }
}
