//! `seatrial explain`

use super::Outcome;
use super::arguments::Explain;
use super::output::{self, Failure};
use super::{picture, trace};
use seatrial::explain;
use seatrial::plot::table::folded;
use seatrial::trace::{RecordId, Trace};
use std::fmt::Write as _;

/// Says what happened to an object, or why one record is there.
pub(super) fn explain(arguments: &Explain) -> Result<Outcome, Failure> {
    let trace = trace::read(&arguments.trace)?;
    let Some(query) = &arguments.query else {
        return output::print(&objects(&trace), Outcome::Passed);
    };
    let found = explain::find(&trace, query, arguments.at)?;
    let text = match found[..] {
        [one] => chain(&trace, one),
        _ => records(&trace, &found),
    };
    output::print(&folded(&text, picture::terminal_columns()), Outcome::Passed)
}

/// A record and what led to it.
fn chain(trace: &Trace, id: RecordId) -> String {
    explain::chain(trace, id).into_iter().fold(String::new(), |text, line| text + &line + "\n")
}

/// Records, a line each.
fn records(trace: &Trace, ids: &[RecordId]) -> String {
    let mut text = String::new();
    let times: Vec<String> = ids.iter().map(|id| trace.records[id.0 as usize].at.to_string()).collect();
    let width = times.iter().map(String::len).max().unwrap_or(0);
    let digits = ids.last().map_or(1, |id| id.0.to_string().len()) + 1;
    for (id, at) in ids.iter().zip(times) {
        let number = format!("#{}", id.0);
        let _ = writeln!(text, "{at:<width$}  {number:<digits$}  {}", trace.describe(&trace.records[id.0 as usize]));
    }
    text
}

/// The objects of a trace, for those who do not know what to ask for.
fn objects(trace: &Trace) -> String {
    let mut counts = vec![0_usize; trace.subjects.len()];
    for record in &trace.records {
        if let Some(count) = counts.get_mut(record.subject.0 as usize) {
            *count += 1;
        }
    }
    let mut text = String::from("OBJECT  RECORDS\n");
    for (subject, count) in trace.subjects.iter().zip(counts) {
        let name = format!("{}/{}", subject.kind.name().to_lowercase(), subject.name);
        let _ = writeln!(text, "{name}  {count}");
    }
    align(&text)
}

/// Puts the second column in line.
fn align(text: &str) -> String {
    let rows: Vec<(&str, &str)> = text.lines().filter_map(|l| l.rsplit_once("  ")).collect();
    let width = rows.iter().map(|r| r.0.chars().count()).max().unwrap_or(0);
    rows.iter().fold(String::new(), |text, (name, count)| text + &format!("{name:<width$}  {count}\n"))
}
