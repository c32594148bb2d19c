//! Two runs beside each other: the first decision that differs, and what
//! followed from it.
//!
//! Runs of equal input are equal, so whatever differs later has its reason in
//! what differs first.

use crate::figures::{self, Unit};
use crate::time::Span;
use crate::timeline::{Timeline, Workload};
use crate::trace::{Record, RecordId, Trace, What};
use std::collections::BTreeMap;

/// What differs between two runs, `A` and `B`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Difference {
    /// What somebody asked for in only one of them, such as another
    /// `maxSurge`.
    pub input: [Vec<String>; 2],
    /// The first thing that happened in only one of them, whatever it was.
    pub record: [Option<RecordId>; 2],
    /// The first decision that one of them has and the other has not in its
    /// place.
    pub decision: [Option<RecordId>; 2],
    /// What each run did because of its side of that decision.
    pub followed: [Vec<RecordId>; 2],
    /// The figures that differ.
    pub figures: Vec<Figure>,
}

/// A figure of a workload in both runs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Figure {
    /// The workload, such as `deployment/web`.
    pub workload: String,
    /// What it is.
    pub name: &'static str,
    /// Its value in each of them; empty where the workload is not.
    pub values: [String; 2],
}

/// Compares two runs. `None` if they are the same to the last record.
pub fn difference(a: &Trace, b: &Trace) -> Option<Difference> {
    let record = first(a, b, |_| true)?;
    let decision = first(a, b, |r| matches!(r.what, What::Decided(_))).unwrap_or([None, None]);
    // Without a decision that differs, all follows from what happened.
    let roots = if decision == [None, None] { record } else { decision };
    Some(Difference {
        input: input(a, b),
        record,
        decision,
        followed: [followers(a, roots[0]), followers(b, roots[1])],
        figures: figures_that_differ([a, b]),
    })
}

/// The first place in which the wanted records of two runs differ, and what
/// each run has there. Records are compared in words and by their time:
/// Kubernetes' names of objects hang on hashes, the words do not.
pub fn first(a: &Trace, b: &Trace, wanted: impl Fn(&Record) -> bool) -> Option<[Option<RecordId>; 2]> {
    let line = |trace: &Trace, (i, r): (usize, &Record)| ((r.at, trace.describe(r)), RecordId(i as u32));
    let of_a = a.records.iter().enumerate().filter(|(_, r)| wanted(r)).map(|r| line(a, r));
    let of_b = b.records.iter().enumerate().filter(|(_, r)| wanted(r)).map(|r| line(b, r));
    part(of_a, of_b)
}

/// The first place in which two lists differ.
fn part<T: PartialEq>(
    mut a: impl Iterator<Item = (T, RecordId)>,
    mut b: impl Iterator<Item = (T, RecordId)>,
) -> Option<[Option<RecordId>; 2]> {
    loop {
        match (a.next(), b.next()) {
            (None, None) => return None,
            (Some((mine, _)), Some((its, _))) if mine == its => {}
            (mine, its) => return Some([mine.map(|m| m.1), its.map(|i| i.1)]),
        }
    }
}

/// What nothing but the input led to, in only one of the runs.
fn input(a: &Trace, b: &Trace) -> [Vec<String>; 2] {
    let asked = |trace: &Trace| -> Vec<String> {
        let by_action = |r: &Record| match r.cause.some().and_then(|id| trace.record(id)) {
            None => true,
            Some(cause) => matches!(cause.what, What::Action(_)),
        };
        let spec = |what| matches!(what, What::Set { .. } | What::Action(_) | What::Rejected { .. });
        let records = trace.records.iter().filter(|r| spec(r.what) && by_action(r));
        records.map(|r| trace.describe(r)).collect()
    };
    let (a, b) = (asked(a), asked(b));
    [without(&a, &b), without(&b, &a)]
}

/// The lines that are more often in one list than in another, each once.
fn without(lines: &[String], others: &[String]) -> Vec<String> {
    let mut counts: BTreeMap<&str, i64> = BTreeMap::new();
    for line in others {
        *counts.entry(line).or_default() += 1;
    }
    let mut rest: Vec<String> = Vec::new();
    for line in lines {
        let left = counts.entry(line).or_default();
        *left -= 1;
        if *left < 0 && !rest.contains(line) {
            rest.push(line.clone());
        }
    }
    rest
}

/// What a record led to and people care about: decisions, and what became of
/// pods.
fn followers(trace: &Trace, root: Option<RecordId>) -> Vec<RecordId> {
    let Some(root) = root else { return Vec::new() };
    let mut led = vec![false; trace.records.len()];
    let mut all = Vec::new();
    // A cause stands before what it led to.
    for (i, record) in trace.records.iter().enumerate().skip(root.0 as usize) {
        let id = RecordId(i as u32);
        led[i] = id == root || record.cause.some().is_some_and(|cause| led[cause.0 as usize]);
        let tells = !matches!(record.what, What::Set { .. } | What::Emitted(_) | What::Bound { .. } | What::Running);
        if led[i] && id != root && tells {
            all.push(id);
        }
    }
    all
}

/// The figures of workloads that differ.
fn figures_that_differ(traces: [&Trace; 2]) -> Vec<Figure> {
    let timelines = traces.map(Timeline::of);
    let mut names: Vec<&Workload> = Vec::new();
    for workload in timelines.iter().flat_map(Timeline::workloads) {
        let same =
            |w: &&Workload| (w.kind, &w.namespace, &w.name) == (workload.kind, &workload.namespace, &workload.name);
        if !names.iter().any(same) {
            names.push(workload);
        }
    }
    let mut all = Vec::new();
    for workload in names {
        let [left, right] = [0, 1].map(|i| values(traces[i], &timelines[i], workload));
        for (k, figure) in figures::of_kind(workload.kind).iter().enumerate() {
            let values = [&left, &right].map(|side| side.get(k).map_or_else(String::new, |v| said(figure.unit, *v)));
            if values[0] != values[1] {
                all.push(Figure { workload: workload.path(), name: figure.words, values });
            }
        }
    }
    all
}

/// The figures of the workload of this name; none where it is not.
fn values(trace: &Trace, timeline: &Timeline, of: &Workload) -> Vec<Option<i64>> {
    let is = |w: &Workload| (w.kind, &w.namespace, &w.name) == (of.kind, &of.namespace, &of.name);
    let found = timeline.workloads().iter().position(is);
    let measured = |i| figures::measure(trace, timeline, i, figures::beginning(timeline));
    found.map(measured).unwrap_or_default()
}

/// A value in words.
fn said(unit: Unit, value: Option<i64>) -> String {
    match (unit, value) {
        (_, None) => "never".to_string(),
        (Unit::Count, Some(n)) => n.to_string(),
        (Unit::Ms, Some(ms)) => Span::from_ms(u64::try_from(ms).unwrap_or(0)).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use crate::time::SimTime;

    #[test]
    fn equal_runs_do_not_differ() {
        let trace = fixture::rollout();
        assert_eq!(difference(&trace, &trace.clone()), None);
    }

    #[test]
    fn lists_differ_where_they_part() {
        let line = |at, text, id| ((SimTime::from_secs(at), text), RecordId(id));
        let first = |a: &[_], b: &[_]| part(a.iter().copied(), b.iter().copied());
        let a = [line(1, "x", 3), line(2, "y", 5)];
        assert_eq!(first(&a, &a), None);
        assert_eq!(first(&a, &a[..1]), Some([Some(RecordId(5)), None]));
        assert_eq!(first(&a, &[line(1, "x", 9), line(3, "y", 11)]), Some([Some(RecordId(5)), Some(RecordId(11))]));
    }

    #[test]
    fn only_what_is_more_is_left() {
        let texts = |all: &[&str]| all.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(without(&texts(&["a", "b", "a"]), &texts(&["a", "c"])), texts(&["b", "a"]));
    }
}
