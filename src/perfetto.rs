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
    for (i, service) in timeline.services().iter().enumerate() {
        let pid = timeline.workloads().len() + i + 1;
        events.push(json!({"ph": "M", "name": "process_name", "pid": pid, "args": {"name": service.path()}}));
        for series in [Series::Routable, Series::DeadEnds, Series::Requests, Series::Capacity, Series::FailedRequests] {
            let steps = service.series(series).map(|steps| steps.lasting(crate::plot::SHORTEST)).unwrap_or_default();
            for &(at, value) in steps.points() {
                let value = value as f64 / series.scale() as f64;
                let args = json!({ (series.name()): value });
                events.push(json!({"ph": "C", "name": series.name(), "pid": pid, "ts": us(at), "args": args}));
            }
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

    /// What the trace-event format asks of every event, by its phase.
    #[test]
    fn every_event_is_as_the_format_wants_it() {
        for (name, trace) in fixture::all() {
            let value = events(&trace, &Timeline::of(&trace));
            let end = trace.header.until.0 as f64 / 1e3;
            let mut counters: BTreeMap<(u64, String), f64> = BTreeMap::new();
            let mut named: Vec<(u64, Option<u64>)> = Vec::new();
            for event in value["traceEvents"].as_array().expect("a list") {
                let wrong = || format!("{name}: {event}");
                let pid = event["pid"].as_u64().unwrap_or_else(|| panic!("a pid: {}", wrong()));
                let tid = event["tid"].as_u64();
                assert!(event["name"].as_str().is_some_and(|n| !n.is_empty()), "{}", wrong());
                let phase = event["ph"].as_str().unwrap_or_default();
                if phase == "M" {
                    assert!(event["args"]["name"].is_string() && event["ts"].is_null(), "{}", wrong());
                    named.push((pid, tid));
                    continue;
                }
                let at = event["ts"].as_f64().unwrap_or_else(|| panic!("a time: {}", wrong()));
                assert!((0.0..=end).contains(&at), "{}", wrong());
                match phase {
                    "X" => {
                        assert!(event["dur"].as_f64().is_some_and(|long| long >= 0.0 && at + long <= end + 1e-3));
                        assert!(named.contains(&(pid, tid)), "a thread without a name: {}", wrong());
                    }
                    "C" => {
                        let args = event["args"].as_object().expect("numbers");
                        assert!(args.values().all(Value::is_number), "{}", wrong());
                        let key = (pid, event["name"].as_str().unwrap_or_default().to_string());
                        let before = counters.insert(key, at).unwrap_or(0.0);
                        assert!(before <= at, "a counter goes back: {}", wrong());
                    }
                    "i" => {
                        assert!(["g", "p", "t"].iter().any(|scope| event["s"] == *scope), "{}", wrong());
                        assert!(tid.is_some(), "{}", wrong());
                    }
                    other => panic!("phase {other}: {}", wrong()),
                }
            }
        }
    }

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
