//! The result of a run in one sentence.

use super::batch;
use crate::time::{MILLISECOND, SimTime, Span};
use crate::timeline::{Rollout, Series, Workload};

/// What happened to a workload between two moments (the second not included),
/// such as `rollout took 40s, available never below 8 of 10, at most 20 pods
/// on nodes`. Minima count from the first moment at which all desired pods
/// were available.
pub fn headline(workload: &Workload, from: SimTime, end: SimTime) -> String {
    if workload.is_batch() {
        return batch::headline(workload, from, end);
    }
    let mut parts = Vec::new();
    parts.extend(rollouts(workload, from, end));
    parts.push(availability(workload, from, end));
    let most = workload.series(Series::OnNode).max_over(from, end);
    parts.push(format!("at most {} on nodes", pods(most)));
    let restarts = workload.series(Series::Restarts);
    match restarts.at(end) - restarts.at(from) {
        0 => {}
        1 => parts.push("1 restart".to_string()),
        n => parts.push(format!("{n} restarts")),
    }
    parts.join(", ")
}

pub(super) fn pods(n: i64) -> String {
    if n == 1 { "1 pod".to_string() } else { format!("{n} pods") }
}

/// How long something has lasted before the end of a half-open range, to the
/// millisecond.
fn lasted(start: SimTime, end: SimTime) -> Span {
    let ns = end.since(start).0.saturating_sub(1);
    Span::from_ms((ns + MILLISECOND / 2) / MILLISECOND)
}

/// How a rollout ended or did not, as it was known just before a moment.
pub(crate) fn outcome(rollout: &Rollout, end: SimTime) -> String {
    let before = |at: Option<SimTime>| at.filter(|&at| at < end);
    let took = |at: SimTime| at.since(rollout.start);
    match (before(rollout.end), before(rollout.superseded), before(rollout.stalled)) {
        (Some(at), _, _) => format!("took {}", took(at)),
        (None, _, Some(at)) => format!("was stuck after {}", took(at)),
        (None, Some(at), None) => format!("was replaced after {}", took(at)),
        (None, None, None) => format!("not finished after {}", lasted(rollout.start, end)),
    }
}

fn rollouts(workload: &Workload, from: SimTime, end: SimTime) -> Option<String> {
    let seen = |r: &&Rollout| r.start >= from && r.start < end;
    let all: Vec<&Rollout> = workload.rollouts().iter().filter(seen).collect();
    let updates: Vec<&Rollout> = all.iter().copied().filter(|r| !r.initial).collect();
    match (updates.as_slice(), all.first()) {
        ([], Some(first)) => Some(match first.end.filter(|&at| at < end) {
            Some(at) => format!("complete after {}", at.since(first.start)),
            None => format!("not complete after {}", lasted(first.start, end)),
        }),
        ([], None) => None,
        ([one], _) => Some(format!("rollout {}", outcome(one, end))),
        ([.., last], _) => {
            let stuck = updates.iter().filter(|r| r.end.is_none() && r.stalled.is_some_and(|at| at < end));
            let (count, outcome) = (updates.len(), outcome(last, end));
            Some(match stuck.count() {
                0 => format!("{count} rollouts, the last {outcome}"),
                stuck => format!("{count} rollouts, {stuck} stuck, the last {outcome}"),
            })
        }
    }
}

fn availability(workload: &Workload, from: SimTime, end: SimTime) -> String {
    let desired = workload.series(Series::Desired);
    match workload.least_available(from, end) {
        Some((at, ..=0)) => {
            let outage = workload.outage(from, end).floor_ms();
            format!("none of {} available for {outage}", desired.at(at))
        }
        Some((at, least)) => {
            // Who rolls out before all pods were there once hears from when on.
            let early = |settled: &SimTime| {
                workload.rollouts().iter().any(|r| !r.initial && r.start >= from && r.start < *settled)
            };
            let since = workload.settled().filter(early).map_or(String::new(), |at| format!(" from {at} on"));
            format!("available never below {least} of {}{since}", desired.at(at))
        }
        None => {
            let (at, most) = workload.series(Series::Available).first_max(from, end);
            match most {
                0 => format!("none of {} was ever available", desired.at(end)),
                _ => format!("never more than {most} of {} available", desired.at(at)),
            }
        }
    }
}
