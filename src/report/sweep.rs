//! What the program of a sweep's report reads.

use crate::campaign::{Advice, Axis, Part, Seen, Summary, Value as Got, Words};
use crate::figures::{Better, Unit};
use serde_json::{Value, json};

/// More values than these are left to the tables beside the report: of every
/// run of every setting each column.
const MOST_VALUES: usize = 600_000;

pub(super) fn data(
    title: &str,
    part: &Part,
    summary: &Summary,
    advice: &Advice,
    replay: &dyn Fn(usize, u64) -> String,
) -> Value {
    let axes: Vec<Axis> = (0..summary.columns.len()).map(|column| sense(summary, column)).collect();
    let columns: Vec<Value> = axes.iter().map(|axis| column(summary, *axis)).collect();
    let upright: Vec<usize> = summary.axes.upright.iter().map(|a| a.column).collect();
    let kept = part.rows.len() * summary.columns.len() <= MOST_VALUES;
    json!({
        "title": title,
        "version": env!("CARGO_PKG_VERSION"),
        "sweep": {
            "workload": summary.workload,
            "seeds": part.plan.seeds.count(),
            "masterSeed": part.plan.master_seed.to_string(),
            "engine": part.plan.engine,
            "scenario": part.plan.scenario,
            "fields": fields(part),
            "columns": columns,
            "across": summary.axes.across.column,
            "upright": upright,
            "floor": number(advice.floor),
            "advice": advice.text,
            "points": points(part, summary, &axes, replay, kept),
            "runsKept": kept,
        },
    })
}

/// A column as an axis: as it is weighed, or as it usually is.
fn sense(summary: &Summary, column: usize) -> Axis {
    let weighed = std::iter::once(summary.axes.across).chain(summary.axes.upright.iter().copied());
    let usual = Axis { column, more: summary.columns[column].better == Better::More };
    weighed.into_iter().find(|a| a.column == column).unwrap_or(usual)
}

fn column(summary: &Summary, axis: Axis) -> Value {
    let column = &summary.columns[axis.column];
    let Words { keep, keeps, takes, up_to, up_to_one, finishes, does_not, across, upright } = summary.words(axis);
    json!({
        "name": column.name, "words": column.words, "figure": column.figure,
        "unit": if column.unit == Unit::Ms { "ms" } else { "count" },
        "more": axis.more,
        "keep": keep, "keeps": keeps, "takes": takes, "upTo": up_to, "upToOne": up_to_one,
        "finishes": finishes, "doesNot": does_not, "across": across, "upright": upright,
    })
}

/// The fields that are set and their values in the order of the grid.
fn fields(part: &Part) -> Vec<Value> {
    let plan = &part.plan;
    let of = |(i, field): (usize, &String)| {
        let mut values: Vec<&String> = Vec::new();
        for value in plan.points.iter().filter_map(|p| p.values[i].as_ref()) {
            if !values.contains(&value) {
                values.push(value);
            }
        }
        json!({"name": field, "short": plan.short(i), "values": values})
    };
    plan.fields.iter().enumerate().map(of).collect()
}

fn number(value: Got) -> Value {
    match value {
        Got::Is(amount) => json!(amount),
        Got::Never => Value::Null,
    }
}

/// Every setting: its values, its figures, and its runs.
fn points(
    part: &Part,
    summary: &Summary,
    axes: &[Axis],
    replay: &dyn Fn(usize, u64) -> String,
    kept: bool,
) -> Vec<Value> {
    let count = part.plan.seeds.count() as usize;
    let of = |(i, point): (usize, &crate::campaign::Point)| {
        let found = summary.points.iter().find(|p| p.point == i);
        let rows = part.rows.get(i * count..(i + 1) * count).unwrap_or_default();
        let seeds: Vec<u64> = rows.iter().map(|r| r.seed).collect();
        let figures = found.map(|p| {
            let columns = p.columns.iter().enumerate();
            columns.map(|(c, seen)| figure(seen, worst_run(part, i * count, count, axes[c]))).collect::<Vec<Value>>()
        });
        let runs = found.filter(|_| kept).map(|p| {
            let values = |c: usize| rows.iter().map(|r| json!(r.value(c))).collect::<Vec<Value>>();
            (0..p.columns.len()).map(values).collect::<Vec<_>>()
        });
        let command = replay(i, 0);
        json!({
            "values": point.values, "label": part.plan.label(i), "own": point.own,
            "failed": found.map_or(0, |p| p.failed),
            "figures": figures, "runs": runs,
            // JavaScript keeps whole numbers of 53 bits, and seeds have no more
            // unless somebody lists greater ones.
            "seeds": seeds.iter().map(u64::to_string).collect::<Vec<_>>(),
            "command": command.strip_suffix('0').unwrap_or(&command),
        })
    };
    part.plan.points.iter().enumerate().map(of).collect()
}

/// Which of a point's runs an axis likes least, the first of those.
fn worst_run(part: &Part, first: usize, count: usize, axis: Axis) -> usize {
    let rows = part.rows.get(first..first + count).unwrap_or_default();
    let cost = |i: usize| axis.cost(rows[i].value(axis.column).map_or(Got::Never, Got::Is));
    (0..rows.len()).max_by_key(|&i| (cost(i), std::cmp::Reverse(i))).unwrap_or(0)
}

/// `[low, median, high, least, most, never, worst run]`
fn figure(seen: &Seen, worst: usize) -> Value {
    let spread = seen.spread;
    let [low, median, high, least, most] = [spread.low, spread.median, spread.high, seen.least, seen.most].map(number);
    json!([low, median, high, least, most, seen.never, worst])
}
