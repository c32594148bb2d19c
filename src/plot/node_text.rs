//! A lane for each node in characters: one for each column of time.

use super::axis;
use super::columns::Columns;
use super::node_lanes::{NodeLane, NodeLanes, Standing};
use super::text::{TextOptions, painted};
use super::theme::{self, Rgb};
use crate::time::{SimTime, Span};
use crate::timeline::Timeline;
use crate::trace::Trace;
use std::fmt::Write as _;

/// What a column shows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cell {
    Absent,
    Stands(Standing),
    /// Something was done to it.
    Moment,
}

impl Cell {
    const fn sign(self) -> char {
        match self {
            Cell::Absent => ' ',
            Cell::Stands(Standing::Ready) => '=',
            Cell::Stands(Standing::Cordoned) => '-',
            Cell::Stands(Standing::Unready) => '!',
            Cell::Stands(Standing::Evicting) => 'x',
            Cell::Moment => '|',
        }
    }

    const fn colour(self) -> Option<Rgb> {
        match self {
            Cell::Stands(Standing::Ready) => Some(theme::GREEN),
            Cell::Stands(Standing::Cordoned) => Some(theme::YELLOW),
            Cell::Stands(Standing::Unready) => Some(theme::ORANGE),
            Cell::Stands(Standing::Evicting) => Some(theme::VERMILLION),
            Cell::Absent | Cell::Moment => None,
        }
    }
}

/// The lanes, what their characters mean, and what happened in a sentence.
pub(super) fn draw(trace: &Trace, timeline: &Timeline, options: &TextOptions) -> String {
    let (from, to) = options.window.of(timeline);
    let end = to.after(Span::from_ns(1));
    let nodes = NodeLanes::of(trace, timeline, (from, end), options.window.told_until(timeline, end));
    let longest = |texts: Vec<usize>| texts.into_iter().max().unwrap_or(0);
    let zones = if nodes.lanes.is_empty() || !nodes.begins_zone(0) {
        0
    } else {
        longest(nodes.lanes.iter().map(|lane| lane.zone_name().chars().count()).collect()) + 2
    };
    let labels = zones + longest(nodes.lanes.iter().map(|lane| lane.name.chars().count()).collect());
    let labels = labels.max(9);
    let notes = longest(nodes.lanes.iter().map(|lane| lane.note.chars().count()).collect());
    let room = options.width.max(40).saturating_sub(labels + 2 + notes + 2);
    let columns = Columns::fit(from, to, room);
    let mut text = String::new();
    let _ = writeln!(text, "nodes  (a column = {})", axis::clock(SimTime(columns.each.0)));
    let _ = writeln!(text, "{}", format!("{:labels$}  {}", "", columns.axis()).trim_end());
    for (place, lane) in nodes.lanes.iter().enumerate() {
        let zone = if nodes.begins_zone(place) { lane.zone_name() } else { String::new() };
        let label = format!("{zone:<zones$}{}", lane.name);
        let row = cells(lane, &columns);
        let drawn: String = row.chunk_by(|a, b| a == b).map(|run| signs(run, options.colour)).collect();
        let _ = writeln!(text, "{}", format!("{label:<labels$}  {drawn}  {}", lane.note).trim_end());
    }
    if let Some(rest) = nodes.rest() {
        let _ = writeln!(text, "{:labels$}  {rest}", "");
    }
    let _ = writeln!(text, "{:labels$}  {}", "", key(&nodes));
    let _ = writeln!(text, "{}", nodes.headline);
    text
}

fn signs(run: &[Cell], colour: bool) -> String {
    let signs: String = run.iter().map(|cell| cell.sign()).collect();
    match run[0].colour() {
        Some(rgb) => painted(&signs, rgb, colour),
        None => signs,
    }
}

/// What each column shows: the worst of it.
fn cells(lane: &NodeLane, columns: &Columns) -> Vec<Cell> {
    let mut cells = vec![Cell::Absent; columns.count];
    for &(from, to, standing) in lane.stretches.iter().filter(|stretch| stretch.1 > stretch.0) {
        let (first, last) = (columns.of(from), columns.of(SimTime(to.0 - 1)));
        for cell in &mut cells[first..=last.max(first)] {
            let worse = match *cell {
                Cell::Stands(other) => other < standing,
                Cell::Absent | Cell::Moment => true,
            };
            if worse {
                *cell = Cell::Stands(standing);
            }
        }
    }
    for at in lane.moments.iter().map(|moment| moment.0).filter(|&at| columns.has(at)) {
        cells[columns.of(at)] = Cell::Moment;
    }
    cells
}

/// What the characters mean that appear.
fn key(nodes: &NodeLanes) -> String {
    let seen = Standing::ALL.into_iter().filter(|&standing| nodes.has(standing));
    let mut parts: Vec<String> =
        seen.map(|standing| format!("{} {}", Cell::Stands(standing).sign(), standing.name())).collect();
    if nodes.has_moments() {
        parts.push(format!("{} something is done to it", Cell::Moment.sign()));
    }
    parts.join("   ")
}
