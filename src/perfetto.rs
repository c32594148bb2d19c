//! A run for <https://ui.perfetto.dev>: a track for each pod, grouped by
//! workload, and a counter for each number.

use crate::timeline::{Lives, Phase, Series, Timeline};
use crate::trace::Trace;
use serde_json::{Value, json};

/// The run in the trace-event format of Chrome, times in microseconds. A
/// workload is a process and a pod is a thread of it, since slices of one
/// thread must not overlap.
pub fn events(trace: &Trace, timeline: &Timeline) -> Value {
    let lives = Lives::of(trace, timeline);
    let us = |at: crate::time::SimTime| at.0 as f64 / 1e3;
    let mut events: Vec<Value> = Vec::new();
    for (i, workload) in timeline.workloads().iter().enumerate() {
        let pid = i + 1;
        events.push(json!({"ph": "M", "name": "process_name", "pid": pid, "args": {"name": workload.path()}}));
        for series in [Series::Available, Series::Ready, Series::OnNode, Series::Desired, Series::Terminating] {
            for &(at, value) in workload.series(series).lasting(crate::plot::SHORTEST).points() {
                events.push(json!({
                    "ph": "C", "name": series.name(), "pid": pid, "ts": us(at), "args": {"pods": value},
                }));
            }
        }
        for action in workload.actions() {
            let ts = us(action.at);
            events.push(json!({"ph": "i", "s": "p", "name": action.text, "pid": pid, "tid": 0, "ts": ts}));
        }
    }
    for (i, life) in lives.pods.iter().enumerate() {
        let (pid, tid) = (life.workload + 1, i + 1);
        let subject = trace.subject(life.subject);
        let name = format!("{} ({})", subject.name, subject.api_name);
        events.push(json!({"ph": "M", "name": "thread_name", "pid": pid, "tid": tid, "args": {"name": name}}));
        for (from, to, stretch) in life.pieces(timeline.until) {
            let why = stretch.record.some().and_then(|r| trace.record(r)).map(|r| trace.describe(r));
            events.push(json!({
                "ph": "X", "name": stretch.phase.name(), "cat": if stretch.phase == Phase::Ready { "ready" } else { "other" },
                "pid": pid, "tid": tid, "ts": us(from), "dur": to.since(from).0 as f64 / 1e3,
                "args": {"why": why, "node": life.node.map(|n| trace.subject(n).name.to_string())},
            }));
        }
        for &(at, _) in &life.restarts {
            events.push(json!({"ph": "i", "s": "t", "name": "restarted", "pid": pid, "tid": tid, "ts": us(at)}));
        }
    }
    json!({"traceEvents": events, "displayTimeUnit": "ms", "otherData": {"title": timeline.title, "start": timeline.start.to_string()}})
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use std::collections::BTreeMap;

    #[test]
    fn slices_of_a_thread_do_not_overlap() {
        for (name, trace) in fixture::all() {
            let value = events(&trace, &Timeline::of(&trace));
            let mut ends: BTreeMap<(u64, u64), f64> = BTreeMap::new();
            let list = value["traceEvents"].as_array().expect("a list");
            for event in list.iter().filter(|e| e["ph"] == "X") {
                let thread = (event["pid"].as_u64().expect("a pid"), event["tid"].as_u64().expect("a tid"));
                let (from, long) = (event["ts"].as_f64().expect("a time"), event["dur"].as_f64().expect("a length"));
                let end = ends.entry(thread).or_insert(0.0);
                assert!(from >= *end - 1e-6, "{name}: {event}");
                *end = from + long;
            }
            assert!(!ends.is_empty() || trace.subjects.is_empty(), "{name} has slices");
        }
    }
}
