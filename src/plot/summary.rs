//! How a run ended, as kubectl would print it, and what happened on the way.

use super::sentence::{outcome, pods};
use super::table::{folded, table};
use super::{Window, batch, image_of, load_text, name_of};
use crate::time::{SimTime, Span};
use crate::timeline::{Rollout, Series, Timeline, Workload};
use std::fmt::Write as _;

/// The most rollouts listed for a workload.
const MOST_ROLLOUTS: usize = 10;

/// A table in kubectl's columns, the state at the end of the window (of the
/// automatic one: at the end of the run), followed
/// by a line for each rollout and for what was extreme.
///
/// ```text
/// NAME             READY   UP-TO-DATE   AVAILABLE   AGE
/// deployment/web   10/10   10           10          2m30s
///
/// deployment/web
///   rollout of revision 2 (app:v2) took 40s, from 1m to 1m40s
///   available at least 8 of 10, first at 1m
///   on nodes at most 20 pods, first at 1m20s
///   Progressing True, NewReplicaSetAvailable since 1m40s
/// ```
pub fn summary(timeline: &Timeline, window: Window) -> String {
    summary_within(timeline, window, None)
}

/// The same for a terminal of a width in characters: tables that are wider
/// become lists, and lines go on in the next one.
pub fn summary_within(timeline: &Timeline, window: Window, width: Option<usize>) -> String {
    if timeline.workloads().is_empty() {
        return "no workloads\n".to_string();
    }
    let (from, to) = window.of(timeline);
    let end = to.after(Span::from_ns(1));
    let told = window.told_until(timeline, end);
    let mut text = tables(timeline, SimTime(told.0 - 1), width);
    for workload in timeline.workloads() {
        let _ = writeln!(text, "\n{}", name_of(timeline, workload));
        for line in lines(workload, from, told) {
            let _ = writeln!(text, "  {line}");
        }
    }
    for service in timeline.services() {
        let _ = writeln!(text, "\n{}\n  {}", service.path(), load_text::headline(service, from, told));
    }
    folded(&(text + &awaited(timeline)), width)
}

/// What waited for something, and when that came.
fn awaited(timeline: &Timeline) -> String {
    if timeline.triggers.is_empty() {
        return String::new();
    }
    let line = |(name, at): &(String, Option<SimTime>)| match at {
        Some(at) => format!("  {name}: {at}\n"),
        None => format!("  {name}: never\n"),
    };
    format!("\nactions that waited\n{}", timeline.triggers.iter().map(line).collect::<String>())
}

/// A table of what serves and one of what ends, each if there is any.
fn tables(timeline: &Timeline, at: SimTime, width: Option<usize>) -> String {
    let (ending, serving): (Vec<&Workload>, Vec<&Workload>) = timeline.workloads().iter().partition(|w| w.is_batch());
    let now = |workload: &Workload, series| workload.series(series).at(at);
    let of_serving = |w: &&Workload| {
        vec![
            name_of(timeline, w),
            format!("{}/{}", now(w, Series::Ready), now(w, Series::Desired)),
            now(w, Series::Updated).to_string(),
            now(w, Series::Available).to_string(),
            batch::age(w, at),
        ]
    };
    let of_ending =
        |w: &&Workload| std::iter::once(name_of(timeline, w)).chain(batch::row(w, at)).collect::<Vec<String>>();
    let below = |heads: &[&str], rows: Vec<Vec<String>>| {
        let heads: Vec<String> = heads.iter().map(|head| (*head).to_string()).collect();
        let rows: Vec<Vec<String>> = std::iter::once(heads).chain(rows).collect();
        if rows.len() > 1 { table(&rows, width) } else { String::new() }
    };
    let serving = below(&["NAME", "READY", "UP-TO-DATE", "AVAILABLE", "AGE"], serving.iter().map(of_serving).collect());
    let ending = below(&batch::COLUMNS, ending.iter().map(of_ending).collect());
    if serving.is_empty() || ending.is_empty() { serving + &ending } else { format!("{serving}\n{ending}") }
}

fn lines(workload: &Workload, from: SimTime, end: SimTime) -> Vec<String> {
    if workload.is_batch() {
        let mut lines = batch::lines(workload, from, end);
        lines.extend(condition_lines(workload, end));
        return lines;
    }
    let mut lines = rollout_lines(workload, from, end);
    lines.push(available_line(workload, from, end));
    let (at, most) = workload.series(Series::OnNode).first_max(from, end);
    lines.push(format!("on nodes at most {}{}", pods(most), first_at(at, from)));
    let pending = workload.series(Series::Pending).at(end);
    if pending > 0 {
        lines.push(format!("{} without a node at the end", pods(pending)));
        if let Some(last) = workload.unplaced().iter().rev().find(|said| said.at < end) {
            // What preemption would have come to is in the trace.
            let (nodes, _) = last.message.split_once(" no new claims to deallocate").unwrap_or((&last.message, ""));
            lines.push(format!("  {nodes}"));
        }
    }
    let restarts = workload.series(Series::Restarts);
    match restarts.at(end) - restarts.at(from) {
        0 => {}
        1 => lines.push("1 restart".to_string()),
        n => lines.push(format!("{n} restarts")),
    }
    lines.extend(condition_lines(workload, end));
    lines
}

fn rollout_lines(workload: &Workload, from: SimTime, end: SimTime) -> Vec<String> {
    let seen: Vec<&Rollout> = workload.rollouts().iter().filter(|r| r.start >= from && r.start < end).collect();
    let older = seen.len().saturating_sub(MOST_ROLLOUTS);
    let mut lines = Vec::new();
    if older > 0 {
        lines.push(format!("{older} earlier rollouts"));
    }
    for rollout in &seen[older..] {
        let revision = &workload.revisions()[rollout.revision];
        let image = match image_of(workload, revision) {
            "" => String::new(),
            image => format!(" ({image})"),
        };
        let what = if rollout.initial { "creation" } else { "rollout" };
        let until = rollout.end.filter(|&at| at < end);
        let span = match until {
            Some(at) => format!(", from {} to {at}", rollout.start),
            None => format!(", begun at {}", rollout.start),
        };
        let outcome = outcome(rollout, end);
        lines.push(format!("{what} of revision {}{image} {outcome}{span}", rollout.number));
    }
    lines
}

/// When an extreme was reached, unless it was there from the beginning.
fn first_at(at: SimTime, from: SimTime) -> String {
    if at > from { format!(", first at {at}") } else { String::new() }
}

fn available_line(workload: &Workload, from: SimTime, end: SimTime) -> String {
    let desired = workload.series(Series::Desired);
    if let Some((at, least)) = workload.least_available(from, end) {
        let from = workload.settled().map_or(from, |settled| settled.max(from));
        return format!("available at least {least} of {}{}", desired.at(at), first_at(at, from));
    }
    let (at, most) = workload.series(Series::Available).first_max(from, end);
    format!("available at most {most} of {}{}", desired.at(at), first_at(at, from))
}

/// The conditions as they stood at the end, in order of their names.
fn condition_lines(workload: &Workload, end: SimTime) -> Vec<String> {
    let mut lines = Vec::new();
    for condition in ["Available", "Progressing", "ReplicaFailure", "Complete", "Failed", "Suspended"] {
        let last = workload.conditions().iter().rev().find(|c| c.condition == condition && c.at < end);
        if let Some(change) = last.filter(|c| !c.status.is_empty()) {
            let comma = if change.reason.is_empty() { "" } else { ", " };
            let (status, reason, at) = (&change.status, &change.reason, change.at);
            lines.push(format!("{condition} {status}{comma}{reason} since {at}"));
        }
    }
    lines
}
