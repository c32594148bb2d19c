//! A lane for each node, in the form that lanes of pods have.

use super::data::{ms, points};
use crate::api::Kind;
use crate::plot::node_lanes::{self, NodeLane, NodeLanes, Standing};
use crate::time::SimTime;
use crate::timeline::{NodeLoad, Timeline};
use crate::trace::{Field, RecordId, Trace, What};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The most lanes that a report has; it begins with far fewer of them.
const MOST_LANES: usize = 10_000;
/// Of so many lanes, those in which most happens, the pods are told at every
/// moment, of the others how many there were at most and at the end.
const MOST_COUNTED: usize = 1_000;

/// All nodes from the beginning to the end of the run, with a sentence about
/// a range of time; nothing where there are none.
pub(super) fn lanes(trace: &Trace, timeline: &Timeline, (from, end): (SimTime, SimTime)) -> Value {
    let nodes = NodeLanes::at_most(MOST_LANES, trace, timeline, (SimTime::ZERO, timeline.end()));
    if nodes.lanes.is_empty() || timeline.workloads().is_empty() {
        return Value::Null;
    }
    let changes = changes(trace);
    let mut ranks = vec![0; nodes.lanes.len()];
    for (rank, place) in node_lanes::ranking(&nodes.lanes).into_iter().enumerate() {
        ranks[place] = rank;
    }
    let of = |(lane, rank): (&NodeLane, &usize)| {
        let changes = changes.get(lane.name.as_str()).map_or(&[][..], Vec::as_slice);
        drawn(trace, timeline.until, (lane, *rank), changes)
    };
    let seen = Standing::ALL.into_iter().filter(|&standing| nodes.has(standing));
    let mut legend: Vec<Value> = seen.map(|standing| entry(tone(standing), standing.name(), false)).collect();
    if nodes.has_moments() {
        legend.push(entry("moment", "something is done to it", true));
    }
    if nodes.most_pods > 0 {
        legend.push(entry("pods", &format!("pods on it, at most {}", nodes.most_pods), true));
    }
    json!({
        "path": "nodes", "name": "", "open": timeline.nodes().iter().any(NodeLoad::tells),
        "headline": node_lanes::headline(timeline.nodes(), from, end),
        "mostPods": nodes.most_pods, "zoned": nodes.begins_zone(0),
        "all": nodes.lanes.len() + nodes.left_out, "rest": nodes.rest(),
        "conditions": [], "series": [], "layers": [], "runs": true,
        "lanes": {
            "lanes": nodes.lanes.iter().zip(&ranks).map(of).collect::<Vec<Value>>(),
            "legend": legend, "leftOut": 0, "moments": null, "limits": [], "count": null,
        },
    })
}

fn entry(tone: &str, name: &str, thin: bool) -> Value {
    json!({"tone": tone, "revision": 0, "thin": thin, "name": name})
}

const fn tone(standing: Standing) -> &'static str {
    match standing {
        Standing::Ready => "sound",
        Standing::Cordoned => "cordoned",
        Standing::Unready => "unready",
        Standing::Evicting => "evicting",
    }
}

/// Of each node the records that may have made it stand otherwise.
fn changes(trace: &Trace) -> BTreeMap<&str, Vec<RecordId>> {
    let mut changes: BTreeMap<&str, Vec<RecordId>> = BTreeMap::new();
    for (i, record) in trace.records.iter().enumerate() {
        let stands = match record.what {
            What::Created | What::Deleted => true,
            What::Set { field, .. } => matches!(field, Field::ConditionReady | Field::Unschedulable | Field::Taints),
            _ => false,
        };
        if stands {
            let subject = trace.subject(record.subject);
            if subject.kind == Kind::Node {
                changes.entry(&*subject.name).or_default().push(RecordId(i as u32));
            }
        }
    }
    changes
}

/// Its bars are from, to, how it stands, and the record that says so.
fn drawn(trace: &Trace, until: SimTime, (lane, rank): (&NodeLane, usize), changes: &[RecordId]) -> Value {
    let bars = lane.stretches.iter().map(|&(from, to, standing)| {
        let before = changes.partition_point(|id| trace.records[id.0 as usize].at <= from);
        let record = before.checked_sub(1).map_or(-1, |place| i64::from(changes[place].0));
        // What lasts until the end does not end a moment later.
        json!([ms(from), ms(to.min(until)), tone(standing), record])
    });
    let ticks = lane.moments.iter().map(|&(at, id)| {
        let said = trace.describe(&trace.records[id.0 as usize]);
        json!([ms(at), "moment", said, id.0])
    });
    json!({
        "name": lane.name, "zone": lane.zone, "note": lane.note, "rank": rank,
        "bars": bars.collect::<Vec<Value>>(), "ticks": ticks.collect::<Vec<Value>>(),
        "pods": (rank < MOST_COUNTED).then(|| points(&lane.pods)),
    })
}
