//! What is kept of a run: one row.

use super::column::Amount;
use super::plan::{Cell, Plan};
use crate::api::Kind;
use crate::assertion::{self, Assertion, Figure};
use crate::figures;
use crate::timeline::Timeline;
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
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Row {
    /// The cell's number.
    pub cell: u64,
    /// Its seed: `seatrial run … --seed` with it gives this run again.
    pub seed: u64,
    /// A value for each of the plan's columns; none for what never came, and
    /// of workloads that were never there.
    pub values: Vec<Option<Amount>>,
    /// How many claims under `assert` did not hold.
    pub failed: u32,
    /// Whether there was no run, as Kubernetes or seatrial refuses the
    /// settings. There are no values then.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub refused: bool,
}

/// What is read off a run.
#[derive(Clone, Copy, Debug)]
pub struct Measured<'a> {
    /// The workload.
    pub subject: &'a Subject,
    /// The figures that somebody asked for beside the workload's own.
    pub figures: &'a [Figure],
    /// What must hold.
    pub assertions: &'a [Assertion],
}

/// Reads the figures off a run.
pub fn measure(trace: &Trace, of: &Measured<'_>) -> Row {
    let timeline = Timeline::of(trace);
    let failed = if of.assertions.is_empty() {
        0
    } else {
        let verdicts = assertion::judge(of.assertions, trace, &timeline);
        verdicts.iter().filter(|v| !v.passed && v.fix.is_none()).count() as u32
    };
    let subject = of.subject;
    let is = |w: &crate::timeline::Workload| {
        (w.kind, w.name.as_str(), w.namespace.as_str()) == (subject.kind, &subject.name, &subject.namespace)
    };
    let own = match timeline.workloads().iter().position(is) {
        Some(place) => figures::measure(trace, &timeline, place, figures::beginning(&timeline)),
        None => vec![None; figures::of_kind(subject.kind).len()],
    };
    let mut values: Vec<Option<Amount>> = own.into_iter().map(|v| v.map(Amount::from)).collect();
    let asked = of.figures.iter().map(|figure| assertion::measure(figure, trace, &timeline).and_then(Amount::new));
    values.extend(asked);
    Row { seed: trace.header.seed, values, failed, ..Row::default() }
}

/// What stands in tables behind the plan's columns.
const LAST: [&str; 2] = ["failed", "refused"];

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
        for (i, column) in plan.columns.iter().enumerate() {
            map.insert(column.name.clone(), json!(self.value(i)));
        }
        for (name, value) in LAST.iter().zip(self.last()) {
            map.insert((*name).to_string(), json!(value));
        }
        Value::Object(map).to_string()
    }

    /// The value of a column.
    pub fn value(&self, column: usize) -> Option<Amount> {
        self.values.get(column).copied().flatten()
    }

    fn last(&self) -> [Option<u32>; 2] {
        [(!self.refused).then_some(self.failed), Some(self.refused.into())]
    }

    /// The first record of a table: `cell,point,replicate,seed,` the fields
    /// that are set, and the columns.
    pub fn csv_head(plan: &Plan) -> Vec<String> {
        let before = ["cell", "point", "replicate", "seed"].map(str::to_string);
        let columns = plan.columns.iter().map(|c| c.name.clone());
        before.into_iter().chain(plan.fields.iter().cloned()).chain(columns).chain(LAST.map(str::to_string)).collect()
    }

    /// The row as a record of a table.
    pub fn csv(&self, plan: &Plan, cell: Cell) -> Vec<String> {
        let before = [self.cell, cell.point as u64, cell.replicate.into(), self.seed].map(|n| n.to_string());
        let set = plan.points[cell.point].values.iter().map(|v| v.clone().unwrap_or_default());
        let values = (0..plan.columns.len()).map(|i| self.value(i).map(|n| n.to_string()).unwrap_or_default());
        let last = self.last().into_iter().map(|n| n.map(|n| n.to_string()).unwrap_or_default());
        before.into_iter().chain(set).chain(values).chain(last).collect()
    }
}
