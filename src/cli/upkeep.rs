//! What became of drains and of autoscalers, as text.

use super::run::Finished;
use seatrial::api::Kind;
use seatrial::time::SimTime;
use seatrial::trace::{Field, SubjectId, Trace, Value, What, Why};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The most drains that are told of.
const MOST: usize = 12;

/// One drain.
struct Drain {
    node: SubjectId,
    began: SimTime,
    refusals: u32,
    outcome: Option<String>,
}

/// How drains ended, and how often a budget refused them a pod.
pub(super) fn drains(finished: &Finished, text: &mut String) {
    let all = all_drains(&finished.trace);
    if all.is_empty() {
        return;
    }
    let _ = writeln!(text, "drains");
    let end = finished.rehearsal.setup.until;
    for drain in all.iter().take(MOST) {
        let name = &finished.trace.subject(drain.node).name;
        let outcome = drain.outcome.clone().unwrap_or_else(|| format!("not over after {}", end.since(drain.began)));
        let refused = match drain.refusals {
            0 => String::new(),
            1 => ", a budget refused once".to_string(),
            times => format!(", budgets refused {times} times"),
        };
        let _ = writeln!(text, "  {name} at {}: {outcome}{refused}", drain.began);
    }
    if all.len() > MOST {
        let _ = writeln!(text, "  and {} more", all.len() - MOST);
    }
    text.push('\n');
}

fn all_drains(trace: &Trace) -> Vec<Drain> {
    let mut all: Vec<Drain> = Vec::new();
    let mut nodes: BTreeMap<SubjectId, SubjectId> = BTreeMap::new();
    let is_drain = |action: u32| {
        let of = trace.header.actions.get(action as usize);
        of.is_some_and(|(_, text)| text.starts_with("drain ") || text.ends_with(" and is drained"))
    };
    for record in &trace.records {
        let open = |all: &mut Vec<Drain>, node| all.iter().rposition(|d| d.node == node && d.outcome.is_none());
        match record.what {
            What::Action(action) if is_drain(action) => {
                all.push(Drain { node: record.subject, began: record.at, refusals: 0, outcome: None });
            }
            // It began with a mistake, and nothing was evicted.
            What::Rejected { action, .. } if is_drain(action) => {
                all.pop();
            }
            What::Bound { node } => {
                nodes.insert(record.subject, node);
            }
            What::Decided(Why::BudgetRefuses { .. } | Why::SeveralBudgets { .. }) => {
                let of = nodes.get(&record.subject).and_then(|node| open(&mut all, *node));
                if let Some(drain) = of {
                    all[drain].refusals += 1;
                }
            }
            What::Decided(why @ (Why::Drained { .. } | Why::DrainFailed { .. })) => {
                if let Some(drain) = open(&mut all, record.subject) {
                    let took = record.at.since(all[drain].began);
                    all[drain].outcome = Some(match why {
                        Why::Drained { pods: 1, .. } => format!("over after {took}, 1 pod evicted"),
                        Why::Drained { pods, .. } => format!("over after {took}, {pods} pods evicted"),
                        Why::DrainFailed { left: 1, .. } => format!("given up after {took}, 1 pod is left"),
                        Why::DrainFailed { left, .. } => format!("given up after {took}, {left} pods are left"),
                        _ => String::new(),
                    });
                }
            }
            _ => {}
        }
    }
    all
}

/// What an autoscaler did.
#[derive(Default)]
struct Scaler {
    changes: u32,
    sizes: Option<(i32, i32, i32)>,
    conditions: BTreeMap<&'static str, (SimTime, String)>,
}

/// How often autoscalers changed the size of what they scale, and whether
/// they can.
pub(super) fn autoscalers(finished: &Finished, text: &mut String) {
    let trace = &finished.trace;
    let mut all: BTreeMap<SubjectId, Scaler> = BTreeMap::new();
    let records = trace.records.iter().filter(|r| trace.subject(r.subject).kind == Kind::HorizontalPodAutoscaler);
    for record in records {
        let scaler = all.entry(record.subject).or_default();
        match record.what {
            What::Decided(Why::Rescale { from, to, .. }) => {
                let (least, most, _) = scaler.sizes.unwrap_or((from, from, from));
                scaler.changes += 1;
                scaler.sizes = Some((least.min(to), most.max(to), to));
            }
            What::Set { field, value: Value::Text(value) } => {
                let name = match field {
                    Field::ConditionScalingActive => "ScalingActive",
                    Field::ConditionScalingLimited => "ScalingLimited",
                    _ => continue,
                };
                scaler.conditions.insert(name, (record.at, trace.symbols.get(value).to_string()));
            }
            _ => {}
        }
    }
    for (subject, scaler) in all {
        let _ = writeln!(text, "horizontalpodautoscaler/{}", trace.subject(subject).name);
        match scaler.sizes {
            None => text.push_str("  no change of size\n"),
            Some((least, most, last)) => {
                let changes =
                    if scaler.changes == 1 { "1 change".into() } else { format!("{} changes", scaler.changes) };
                let _ = writeln!(text, "  {changes} of size, between {least} and {most}, at last {last}");
            }
        }
        for (name, (since, value)) in scaler.conditions {
            let _ = writeln!(text, "  {name} {} since {since}", value.replacen('/', ", ", 1));
        }
        text.push('\n');
    }
}
