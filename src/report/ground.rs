//! What the report tells of machines and zones.

use super::data::points;
use crate::plot::ground::{Ground, Ink, Layer, Row};
use crate::time::SimTime;
use crate::timeline::{Band, Timeline, Workload};
use serde_json::{Value, json};

/// What the machines offer and what is asked of them; nothing where nobody
/// asks and nothing changes.
pub(super) fn capacity(timeline: &Timeline, (from, end): (SimTime, SimTime)) -> Value {
    let capacity = timeline.capacity();
    let asks = |band: &Band| band.requested.max_over(SimTime::ZERO, timeline.end()) > 0;
    let asked = asks(&capacity.cpu) || asks(&capacity.memory);
    if !asked && !capacity.tells() {
        return Value::Null;
    }
    let ground = Ground::capacity(timeline, (from, end), end);
    told("capacity", "", &ground, capacity.tells())
}

/// A workload's pods by zone; nothing of what runs to its end, and where it
/// was in one zone at most.
pub(super) fn zones(timeline: &Timeline, workload: &Workload, (from, end): (SimTime, SimTime)) -> Value {
    if workload.is_batch() || workload.zones().len() < 2 {
        return Value::Null;
    }
    let ground = Ground::zones(timeline, workload, (from, end), end);
    let path = format!("{} by zone", workload.path());
    told(&path, &workload.name, &ground, workload.tells_zones(timeline))
}

const fn ink(ink: Ink) -> &'static str {
    match ink {
        Ink::Requested => "requested",
        Ink::Pending => "pending",
        Ink::Offered => "offered",
        Ink::Sound => "sound",
        Ink::Unsound => "unsound",
    }
}

fn layer(layer: &Layer) -> Value {
    json!({"name": layer.name, "ink": ink(layer.ink), "points": points(&layer.steps)})
}

fn row(row: &Row) -> Value {
    json!({
        "name": row.name, "tall": row.tall, "unit": row.unit, "most": row.most,
        "layers": row.layers.iter().map(layer).collect::<Vec<Value>>(),
        "line": row.line.as_ref().map(layer),
    })
}

fn told(path: &str, workload: &str, ground: &Ground, open: bool) -> Value {
    let legend = |(name, part, line): &(&str, Ink, bool)| json!({"name": name, "ink": ink(*part), "line": line});
    json!({
        "path": path, "workload": workload, "headline": ground.headline, "open": open,
        "legend": ground.legend.iter().map(legend).collect::<Vec<Value>>(),
        "rows": ground.rows.iter().map(row).collect::<Vec<Value>>(),
    })
}
