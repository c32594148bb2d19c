//! A difference for people: both sides, where it is, and what led to ours.

use super::compare::{Difference, EventDifference, Way};
use super::entry::Entry;
use crate::trace::{RecordId, Trace};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// How wide a column may become; what is longer is cut.
const WIDTH: usize = 88;

/// How many records of a why-chain are shown.
const CHAIN: usize = 12;

/// The difference side by side, a few entries before it, and the why-chain.
pub fn entries(trace: &Trace, difference: &Difference) -> String {
    let (expected, ours) = (difference.expected.as_ref(), difference.ours.as_ref());
    let (headline, rows) = match (difference.way, expected, ours) {
        (Way::Content, Some(theirs), Some(own)) => ("says something else", both(theirs, own)),
        (Way::Missing, Some(theirs), _) => ("is missing", beside(&full(theirs), &next(ours))),
        (_, _, Some(own)) => ("was not recorded", beside(&next(expected), &full(own))),
        _ => ("is not there", Vec::new()),
    };
    let about = if difference.way == Way::Extra { ours } else { expected };
    let place = about.map_or(String::new(), |e| format!("{} {} {} ", e.t_ms, e.object, e.event));
    let mut text = format!("{place}{headline}\n");
    for entry in &difference.before {
        let _ = writeln!(text, "    {entry}");
    }
    columns(&mut text, &rows);
    why(&mut text, trace, difference.record, difference.way == Way::Missing);
    text
}

/// The first Event that only one side has.
pub fn events(trace: &Trace, difference: &EventDifference) -> String {
    let (t_ms, object, reason) = &difference.key;
    let headline = if difference.missing { "is missing" } else { "was not recorded" };
    let mut text = format!("Event {t_ms} {object} {reason} {headline} ({} differ)\n", difference.count);
    why(&mut text, trace, difference.record, false);
    text
}

/// A row: marked if it differs, what was recorded, what is ours.
type Row = (bool, String, String);

/// Header and details of an entry, a line each.
fn full(entry: &Entry) -> Vec<String> {
    let header = format!("{} {} {}", entry.t_ms, entry.object, entry.event);
    let details = entry.details().into_iter().map(|(name, value)| format!("  {name} = {value}"));
    std::iter::once(header).chain(details).collect()
}

/// The side that lacks the entry: what comes there instead.
fn next(entry: Option<&Entry>) -> Vec<String> {
    let next = entry.map_or_else(|| "the end".to_string(), ToString::to_string);
    vec!["(nothing)".to_string(), format!("next: {next}")]
}

fn beside(left: &[String], right: &[String]) -> Vec<Row> {
    let line = |of: &[String], i: usize| of.get(i).cloned().unwrap_or_default();
    let height = left.len().max(right.len());
    (0..height).map(|i| (i == 0, line(left, i), line(right, i))).collect()
}

/// Two versions of one entry, detail by detail.
fn both(theirs: &Entry, own: &Entry) -> Vec<Row> {
    let header = |e: &Entry| format!("{} {} {}", e.t_ms, e.object, e.event);
    let mut details: BTreeMap<String, [Option<String>; 2]> = BTreeMap::new();
    for (side, entry) in [theirs, own].into_iter().enumerate() {
        for (name, value) in entry.details() {
            details.entry(name).or_default()[side] = Some(value);
        }
    }
    let header = (header(theirs) != header(own), header(theirs), header(own));
    let rows = details.into_iter().map(|(name, [left, right])| {
        let side = |value: &Option<String>| match value {
            Some(value) => format!("  {name} = {value}"),
            None => format!("  {name} unchanged"),
        };
        (left != right, side(&left), side(&right))
    });
    std::iter::once(header).chain(rows).collect()
}

fn columns(text: &mut String, rows: &[Row]) {
    let rows: Vec<Row> = rows.iter().map(|(differs, left, right)| (*differs, cut(left), cut(right))).collect();
    let width = rows.iter().map(|(_, left, _)| left.chars().count()).max().unwrap_or(0).max("recorded".len());
    let title = (false, "recorded".to_string(), "ours".to_string());
    for (differs, left, right) in std::iter::once(&title).chain(&rows) {
        let mark = if *differs { '!' } else { ' ' };
        let line = format!("  {mark} {left:width$} | {right}");
        let _ = writeln!(text, "{}", line.trim_end());
    }
}

fn cut(text: &str) -> String {
    if text.chars().count() <= WIDTH {
        return text.to_string();
    }
    text.chars().take(WIDTH - 1).chain(['…']).collect()
}

fn why(text: &mut String, trace: &Trace, record: Option<RecordId>, before: bool) {
    let Some(record) = record else { return };
    text.push_str(if before { "  our last record of it:\n" } else { "  why ours:\n" });
    let chain = trace.why_chain(record);
    for id in chain.iter().take(CHAIN) {
        let _ = writeln!(text, "    {}", line(trace, *id));
    }
    if chain.len() > CHAIN {
        let _ = writeln!(text, "    … and {} before", chain.len() - CHAIN);
    }
}

/// When, and what happened.
fn line(trace: &Trace, id: RecordId) -> String {
    let record = &trace.records[id.0 as usize];
    format!("{} {}", record.at, trace.describe(record))
}

#[cfg(test)]
mod tests {
    use super::super::by_hand::{hand_made, ms};
    use super::super::{canonical, compare};
    use super::*;
    use crate::trace::{Field, SubjectId, Value, What};
    use serde_json::json;

    fn recorded(all: &[serde_json::Value]) -> Vec<Entry> {
        all.iter().map(|json| Entry::read(json).expect("an entry")).collect()
    }

    fn explained(trace: &Trace, expected: &[Entry]) -> String {
        let ours = canonical::entries(trace, &[]);
        let difference = compare::traces(expected, &ours, &compare::Freedom::default());
        entries(trace, &difference.expect("they differ"))
    }

    fn small_run() -> Trace {
        let mut trace = hand_made(&["Deployment/web", "Pod/web/1#0"]);
        let made = trace.push(ms(0), RecordId::NONE, SubjectId(0), What::Created);
        let replicas = What::Set { field: Field::Replicas, value: Value::Int(2) };
        let set = trace.push(ms(0), made, SubjectId(0), replicas);
        trace.push(ms(5), set, SubjectId(1), What::Created);
        trace
    }

    #[test]
    fn two_versions_stand_side_by_side_with_the_chain_of_ours() {
        let expected = recorded(&[json!({"event": "created", "object": "Deployment/web", "t_ms": 0,
            "set": {"spec.replicas": 3, "status.replicas": 3}})]);
        assert_eq!(
            explained(&small_run(), &expected),
            "0 Deployment/web created says something else
    recorded                 | ours
    0 Deployment/web created | 0 Deployment/web created
  !   spec.replicas = 3      |   spec.replicas unchanged
  !   status.replicas = 3    |   status.replicas = 2
  why ours:
    0s Deployment web reports 2 pods
    0s Deployment web was created
"
        );
    }

    #[test]
    fn a_missing_entry_shows_what_comes_instead_and_our_last_of_that_object() {
        let expected = recorded(&[
            json!({"event": "created", "object": "Deployment/web", "t_ms": 0, "set": {"status.replicas": 2}}),
            json!({"event": "deleted", "object": "Deployment/web", "t_ms": 4}),
        ]);
        assert_eq!(
            explained(&small_run(), &expected),
            "4 Deployment/web deleted is missing
    0 Deployment/web created status.replicas=2
    recorded                 | ours
  ! 4 Deployment/web deleted | (nothing)
                             | next: 5 Pod/web/1#0 created
  our last record of it:
    0s Deployment web reports 2 pods
    0s Deployment web was created
"
        );
    }

    #[test]
    fn an_extra_entry_shows_what_was_recorded_instead() {
        let expected = recorded(&[
            json!({"event": "created", "object": "Deployment/web", "t_ms": 0, "set": {"status.replicas": 2}}),
        ]);
        let text = explained(&small_run(), &expected);
        assert!(text.starts_with("5 Pod/web/1#0 created was not recorded\n"), "{text}");
        assert!(text.contains("! (nothing)     | 5 Pod/web/1#0 created\n    next: the end |"), "{text}");
        assert!(text.ends_with("    0.005s pod web/1#0 was created\n    0s Deployment web reports 2 pods\n    0s Deployment web was created\n"), "{text}");
    }
}
