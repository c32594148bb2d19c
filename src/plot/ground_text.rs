//! The ground that pods stand on, in block characters and in words.

use super::columns::{Columns, Keep};
use super::ground::{Ground, Ink, Layer, Row, amount};
use super::text::{TextOptions, painted};
use super::theme::{self, Rgb};
use super::{SHORTEST, axis, name_of};
use crate::time::{SimTime, Span};
use crate::timeline::{Timeline, Workload};
use std::fmt::Write as _;

/// What the machines offer and what is asked of them.
pub(super) fn capacity(timeline: &Timeline, options: &TextOptions) -> String {
    let (from, end) = shown(timeline, options);
    let told = options.window.told_until(timeline, end);
    draw("capacity", &Ground::capacity(timeline, (from, end), told), timeline, options)
}

/// A workload's pods by zone.
pub(super) fn zones(timeline: &Timeline, workload: &Workload, options: &TextOptions) -> String {
    let (from, end) = shown(timeline, options);
    let name = format!("{} by zone", name_of(timeline, workload));
    let told = options.window.told_until(timeline, end);
    draw(&name, &Ground::zones(timeline, workload, (from, end), told), timeline, options)
}

fn shown(timeline: &Timeline, options: &TextOptions) -> (SimTime, SimTime) {
    let (from, to) = options.window.of(timeline);
    (from, to.after(Span::from_ns(1)))
}

/// A line of blocks.
struct Line {
    label: String,
    layer: Layer,
    /// What all of a block is.
    top: i64,
    note: String,
}

const fn colour(ink: Ink) -> Rgb {
    match ink {
        Ink::Requested => theme::BLUE,
        Ink::Pending => theme::VERMILLION,
        Ink::Offered => theme::SKY_BLUE,
        Ink::Sound => theme::GREEN,
        Ink::Unsound => theme::ORANGE,
    }
}

/// Of what there should be much the least counts, of the rest the most.
const fn keep(ink: Ink) -> Keep {
    match ink {
        Ink::Offered | Ink::Sound => Keep::Least,
        Ink::Requested | Ink::Pending | Ink::Unsound => Keep::Greatest,
    }
}

fn draw(name: &str, ground: &Ground, timeline: &Timeline, options: &TextOptions) -> String {
    let (from, end) = shown(timeline, options);
    let lines: Vec<Line> = ground.rows.iter().flat_map(|row| lines_of(row, from, end)).collect();
    let labels = lines.iter().map(|line| line.label.chars().count()).max().unwrap_or(0).max(9);
    let notes = lines.iter().map(|line| line.note.chars().count()).max().unwrap_or(0);
    let room = options.width.max(40).saturating_sub(labels + 2 + notes + 2);
    let columns = Columns::fit(from, options.window.of(timeline).1, room);
    let full = if options.ascii { '@' } else { '█' };
    let mut text = String::new();
    let _ = writeln!(text, "{name}  ({full} = {}, a column = {})", units(ground), axis::clock(SimTime(columns.each.0)));
    let _ = writeln!(text, "{}", format!("{:labels$}  {}", "", columns.axis()).trim_end());
    for line in &lines {
        let ink = line.layer.ink;
        let blocks = columns.blocks(&line.layer.steps, keep(ink), line.top, options.blocks());
        let blocks = painted(&blocks, colour(ink), options.colour);
        let _ = writeln!(text, "{}", format!("{:<labels$}  {blocks}  {}", line.label, line.note).trim_end());
    }
    let _ = writeln!(text, "{}", ground.headline);
    text
}

/// What a full block is: `4 cores, 16 GiB, 3 nodes`.
fn units(ground: &Ground) -> String {
    let zoned = |row: &Row| row.name.starts_with("zone ");
    match ground.rows.first() {
        Some(first) if zoned(first) => super::sentence::pods(first.most),
        _ => {
            let unit = |row: &Row| match (row.name.as_str(), row.most / row.unit) {
                ("nodes", 1) => "1 node".to_string(),
                _ => format!("{} {}", amount(row.most, row.unit), row.name),
            };
            ground.rows.iter().map(unit).collect::<Vec<String>>().join(", ")
        }
    }
}

/// A row's line and its layers, those left out that are never more than
/// nothing; the first has the row's name.
fn lines_of(row: &Row, from: SimTime, end: SimTime) -> Vec<Line> {
    let layers = row.line.iter().chain(&row.layers);
    let last = |layer: &Layer| layer.steps.lasting(SHORTEST).max_over(from, end) == 0;
    let kept = layers.enumerate().filter(|(i, layer)| *i == 0 || !last(layer));
    let named = row.line.is_some() || row.name != "nodes";
    kept.map(|(i, layer)| {
        let steps = layer.steps.lasting(SHORTEST);
        let (word, (at, value)) = match keep(layer.ink) {
            Keep::Least => ("min", steps.first_min(from, end)),
            Keep::Greatest => ("max", steps.first_max(from, end)),
        };
        let when = if at > from { format!(" at {at}") } else { String::new() };
        let name = if i == 0 { row.name.as_str() } else { "" };
        let part = if i == 0 && !named { "" } else { layer.name };
        let label = format!("{name:<width$}  {part}", width = row.name.chars().count());
        Line {
            label: label.trim_end().to_string(),
            layer: Layer { steps, ..layer.clone() },
            top: row.most,
            note: format!("{word} {}{when}", amount(value, row.unit)),
        }
    })
    .collect()
}
