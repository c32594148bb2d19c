//! What is kept of a run: one row.

use super::plan::{Cell, Plan};
use crate::api::Kind;
use crate::assertion::{self, Assertion};
use crate::time::SimTime;
use crate::timeline::{Series, Timeline, Workload};
use crate::trace::Trace;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// The workload that a campaign measures.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Subject {
    /// Its kind.
    pub kind: Kind,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl Subject {
    /// `deployment/web`, with its namespace if that is not the default one.
    pub fn path(&self) -> String {
        let plain = format!("{}/{}", self.kind.name().to_lowercase(), self.name);
        if self.namespace == "default" { plain } else { format!("{}/{plain}", self.namespace) }
    }
}

/// The figures of one run, from the first action to the end.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Row {
    /// The cell's number.
    pub cell: u64,
    /// Its seed: `seatrial run … --seed` with it gives this run again.
    pub seed: u64,
    /// How long the latest rollout took, in milliseconds; none if it was not
    /// over when the run ended.
    pub rollout_ms: Option<u64>,
    /// The pods that were wanted at the end.
    pub desired: i64,
    /// The fewest available pods; `desired` if none were ever wanted.
    pub min_available: i64,
    /// For how long no pod was available, in milliseconds.
    pub outage_ms: u64,
    /// The most pods on nodes at a time.
    pub max_on_node: i64,
    /// The most pods on nodes beyond those that were wanted then.
    pub max_extra: i64,
    /// How many claims under `assert` did not hold.
    pub failed: u32,
    /// Whether there was no run, as Kubernetes or seatrial refuses the
    /// settings. All figures are zero then.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub refused: bool,
}

/// The names of a row's figures in tables, in order.
const FIGURES: [&str; 8] =
    ["rollout_ms", "desired", "min_available", "outage_ms", "max_on_node", "max_extra", "failed", "refused"];

/// Reads the figures off a run.
pub fn measure(trace: &Trace, subject: &Subject, assertions: &[Assertion]) -> Row {
    let timeline = Timeline::of(trace);
    let verdicts = assertion::judge(assertions, trace, &timeline);
    let failed = verdicts.iter().filter(|v| !v.passed && v.fix.is_none()).count() as u32;
    let seed = trace.header.seed;
    let Some(workload) = timeline.workload(subject.kind, &subject.namespace, &subject.name) else {
        return Row { seed, failed, ..Row::default() };
    };
    let first = timeline.actions.first().map_or(SimTime::ZERO, |a| a.at).max(workload.created);
    Row { seed, failed, ..figures(workload, first, timeline.end()) }
}

fn figures(workload: &Workload, from: SimTime, end: SimTime) -> Row {
    let desired = workload.series(Series::Desired);
    let on_node = workload.series(Series::OnNode);
    let extra = on_node.zip_with(desired, i64::saturating_sub);
    let latest = workload.rollouts().iter().rev().find(|r| r.start >= from);
    Row {
        rollout_ms: latest.and_then(|r| r.end.map(|end| end.as_ms().saturating_sub(r.start.as_ms()))),
        desired: desired.last(),
        min_available: workload.least_available(from, end).map_or(desired.last(), |(_, least)| least),
        outage_ms: workload.outage(from, end).as_ms(),
        max_on_node: on_node.max_over(from, end),
        max_extra: extra.max_over(from, end).max(0),
        ..Row::default()
    }
}

impl Row {
    /// The row as one line of JSON, with the point's settings.
    pub fn json(&self, plan: &Plan, cell: Cell) -> String {
        let mut map = Map::new();
        map.insert("cell".into(), self.cell.into());
        map.insert("point".into(), cell.point.into());
        map.insert("replicate".into(), cell.replicate.into());
        map.insert("seed".into(), self.seed.into());
        let values = &plan.points[cell.point].values;
        let set: Map<String, Value> = plan.fields.iter().cloned().zip(values.iter().map(|v| json!(v))).collect();
        map.insert("set".into(), Value::Object(set));
        for (name, value) in FIGURES.iter().zip(self.figures()) {
            map.insert((*name).to_string(), json!(value));
        }
        Value::Object(map).to_string()
    }

    fn figures(&self) -> [Option<i64>; 8] {
        let whole = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
        if self.refused {
            return [None, None, None, None, None, None, None, Some(1)];
        }
        [
            self.rollout_ms.map(whole),
            Some(self.desired),
            Some(self.min_available),
            Some(whole(self.outage_ms)),
            Some(self.max_on_node),
            Some(self.max_extra),
            Some(self.failed.into()),
            Some(0),
        ]
    }

    /// The first record of a table: `point,replicate,seed,` the fields that
    /// are set, and the figures.
    pub fn csv_head(plan: &Plan) -> Vec<String> {
        let before = ["cell", "point", "replicate", "seed"].map(str::to_string);
        let fields = plan.fields.iter().cloned();
        before.into_iter().chain(fields).chain(FIGURES.map(str::to_string)).collect()
    }

    /// The row as a record of a table.
    pub fn csv(&self, plan: &Plan, cell: Cell) -> Vec<String> {
        let before = [self.cell, cell.point as u64, cell.replicate.into(), self.seed].map(|n| n.to_string());
        let values = plan.points[cell.point].values.iter().map(|v| v.clone().unwrap_or_default());
        let figures = self.figures().into_iter().map(|f| f.map(|n| n.to_string()).unwrap_or_default());
        before.into_iter().chain(values).chain(figures).collect()
    }
}
