//! What DaemonSets and claims come to, as text.

use super::run::Finished;
use seatrial::api::{Kind, Resources};
use seatrial::tax::{self, Tax};
use seatrial::time::SimTime;
use seatrial::trace::{SubjectId, Trace, What};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The platform tax, if there is any.
pub(super) fn tax(finished: &Finished, text: &mut String) {
    let Some(tax) = tax::of(&finished.rehearsal.setup) else { return };
    let sets = plural(tax.levies.len(), "DaemonSet");
    let _ = writeln!(text, "platform tax: {sets} on {}", plural(tax.nodes, "node"));
    let names: Vec<String> = tax.levies.iter().map(|levy| format!("daemonset/{}", levy.name)).collect();
    let width = names.iter().map(String::len).max().unwrap_or(0);
    for (levy, name) in tax.levies.iter().zip(&names) {
        let _ = writeln!(text, "  {name:width$}  {} on {} of {} nodes", amounts(&levy.each), levy.nodes, tax.nodes);
    }
    if let Some((node, most)) = &tax.heaviest {
        let _ = writeln!(text, "  most of one node: {} on {node}", amounts(most));
    }
    let left = tax.left();
    let _ = writeln!(
        text,
        "  in all {} of {} ({}); left to schedule on: {}\n",
        amounts(&tax.taken),
        amounts(&tax.allocatable),
        shares(&tax),
        amounts(&left)
    );
}

fn plural(n: usize, what: &str) -> String {
    if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") }
}

const GIB: f64 = (1_u64 << 30) as f64;
const MIB: f64 = (1_u64 << 20) as f64;

/// `1.5 CPU, 2 GiB, 3 pods`.
fn amounts(of: &Resources) -> String {
    let cpu = trimmed(of.cpu_milli as f64 / 1_000.0);
    let memory = of.memory_milli as f64 / 1_000.0;
    let memory =
        if memory >= GIB { format!("{} GiB", trimmed(memory / GIB)) } else { format!("{} MiB", trimmed(memory / MIB)) };
    let pods = if of.pods == 1 { "1 pod".to_string() } else { format!("{} pods", of.pods) };
    format!("{cpu} CPU, {memory}, {pods}")
}

fn trimmed(n: f64) -> String {
    let text = format!("{n:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_string()
}

fn shares(tax: &Tax) -> String {
    let share = |part: i64, of: i64| if of == 0 { 0.0 } else { part as f64 * 100.0 / of as f64 };
    format!(
        "{:.1} % of CPU, {:.1} % of memory",
        share(tax.taken.cpu_milli, tax.allocatable.cpu_milli),
        share(tax.taken.memory_milli, tax.allocatable.memory_milli)
    )
}

/// One life of a claim.
struct Life {
    created: SimTime,
    volume: Option<(SimTime, String)>,
    deleted: Option<SimTime>,
}

/// The claims and how old their data is, if there are any.
pub(super) fn claims(finished: &Finished, text: &mut String) {
    if finished.rehearsal.setup.volumes.is_none() {
        return;
    }
    let lives = lives(&finished.trace);
    if lives.is_empty() {
        return;
    }
    let end = finished.timeline.until;
    let width = lives.keys().map(String::len).max().unwrap_or(0).max("CLAIM".len());
    let _ = writeln!(text, "{:width$}  {:14}  {:10}  DATA", "CLAIM", "VOLUME", "CREATED");
    for (name, lives) in &lives {
        for life in lives {
            let volume = life.volume.as_ref().map_or("none", |(_, name)| name.as_str());
            let data = match (&life.volume, life.deleted) {
                (_, Some(at)) => format!("deleted at {at}"),
                (None, None) => "waits for a volume".to_string(),
                (Some((since, _)), None) => format!("{} old", end.since(*since)),
            };
            let _ = writeln!(text, "{name:width$}  {volume:14}  {:10}  {data}", life.created.to_string());
        }
    }
    text.push('\n');
}

/// The lives of all claims, by name.
fn lives(trace: &Trace) -> BTreeMap<String, Vec<Life>> {
    let mut all: BTreeMap<String, Vec<Life>> = BTreeMap::new();
    let mut latest: BTreeMap<SubjectId, usize> = BTreeMap::new();
    for record in &trace.records {
        let subject = trace.subject(record.subject);
        if subject.kind != Kind::PersistentVolumeClaim {
            continue;
        }
        let lives = all.entry(subject.name.to_string()).or_default();
        if record.what == What::Created {
            latest.insert(record.subject, lives.len());
            lives.push(Life { created: record.at, volume: None, deleted: None });
        }
        let Some(life) = latest.get(&record.subject).and_then(|&i| lives.get_mut(i)) else { continue };
        match record.what {
            What::Set { field: seatrial::trace::Field::VolumeName, value: seatrial::trace::Value::Text(name) } => {
                life.volume = Some((record.at, trace.symbols.get(name).to_string()));
            }
            What::Deleted => life.deleted = Some(record.at),
            _ => {}
        }
    }
    all
}
