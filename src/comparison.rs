//! Runs side by side: what differs, and where they parted.
//!
//! Runs of one seed share their random draws, so what differs between them
//! comes from what was set differently and from nothing else.

use crate::api::Kind;
use crate::difference::first;
use crate::figures::{self, Unit};
use crate::plot::lanes;
use crate::time::{SimTime, Span};
use crate::timeline::{Series, Timeline, Workload};
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

/// The figures by which runs are compared, of all workloads.
pub fn figures(trace: &Trace, timeline: &Timeline) -> Vec<Figure> {
    let all = timeline.workloads().iter().enumerate();
    all.flat_map(|(i, workload)| of_workload(trace, timeline, i, workload)).collect()
}

fn of_workload(trace: &Trace, timeline: &Timeline, index: usize, workload: &Workload) -> Vec<Figure> {
    let values = figures::measure(trace, timeline, index, figures::beginning(timeline));
    let path = workload.path();
    let of = |name: &'static str, value: String| Figure { workload: path.clone(), name, value };
    let mut all: Vec<Figure> = Vec::new();
    if workload.kind == Kind::Job {
        all.push(of("outcome", outcome(workload)));
    }
    let wrote = workload.series(Series::Effects).last() + workload.series(Series::Lost).last() > 0;
    for (figure, value) in figures::of_kind(workload.kind).iter().zip(values) {
        let text = match (figure.name, value) {
            ("rollout_ms", _) => rollout(workload, timeline),
            // What never happens here would only be read in vain.
            ("restarts", Some(0)) if workload.kind != Kind::Job => continue,
            // What a Job came to is said in words.
            ("desired" | "job_failed" | "no_result", _) => continue,
            ("duplicates" | "lost", _) if !wrote => continue,
            (_, None) => "-".to_string(),
            (_, Some(ms)) if figure.unit == Unit::Ms => {
                lanes::round(Span::from_ms(u64::try_from(ms).unwrap_or(0))).to_string()
            }
            (_, Some(n)) => n.to_string(),
        };
        all.push(of(figure.words, text));
    }
    all
}

/// How the latest rollout ended, or did not.
fn rollout(workload: &Workload, timeline: &Timeline) -> String {
    let latest = workload.rollouts().iter().rev().find(|r| !r.initial);
    latest.map_or_else(|| "none".to_string(), |r| crate::plot::outcome(r, timeline.end()))
}

/// How a Job ended, as its conditions say.
fn outcome(job: &Workload) -> String {
    let holds = |name: &str| job.conditions().iter().rfind(|c| c.condition == name && c.status == "True");
    match (holds("Failed"), holds("Complete")) {
        (Some(failed), _) => format!("failed: {}", failed.reason),
        (None, Some(_)) => "complete".to_string(),
        (None, None) => "not over".to_string(),
    }
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
        let figures = super::figures(&left, &Timeline::of(&left));
        let of = |name: &str| figures.iter().find(|f| f.name == name).map(|f| f.value.clone());
        assert_eq!(of("fewest available").as_deref(), Some("8"));
        assert_eq!(of("most on nodes").as_deref(), Some("20"));
    }
}
