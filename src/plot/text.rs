//! The waveform: how a run went, drawn in block characters.
//!
//! ```text
//! deployment/web  desired 10, floor 8, ceiling 13  (█ = 20 pods, a column = 2s)
//!               1m                  1m20s               1m40s
//! actions       A
//! web/1         ▄▄▄▄▃▃▃▃▃▃▃▃▃▃▁▁▁▁▁▁▁▁▁▁                      app:v1
//! web/2                       ▂▂▂▂▂▂▂▂▂▂▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄  app:v2
//! available     ▄▄▄▄▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄  min 8 at 1m
//! ```
//!
//! A column of a row of ready or available pods shows the least value in its
//! time, rounded down, so that no dip is lost; a column of a row of pods on
//! nodes shows the greatest, rounded up. Only 0 is a blank.

use super::columns::{Columns, Keep};
use super::lane_text::LaneText;
use super::lanes::{self, Chart, Story};
use super::theme::{self, Rgb};
use super::{Picture, SHORTEST, Window, axis, ground_text, headline, image_of, load_text, name_of, node_text};
use crate::api::Kind;
use crate::time::{SimTime, Span};
use crate::timeline::{ActionMark, ConditionChange, Lives, Series, Steps, Timeline, Workload};
use crate::trace::Trace;
use std::fmt::Write as _;

/// How a waveform is drawn.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TextOptions {
    /// The width of the terminal in characters; at least 40 are used.
    pub width: usize,
    /// Only ASCII characters.
    pub ascii: bool,
    /// Colours as escape sequences for terminals with 24-bit colour.
    pub colour: bool,
    /// Which part of the run.
    pub window: Window,
    /// What is drawn.
    pub picture: Picture,
    /// The most workloads to show.
    pub workloads: usize,
    /// The only workload to show, an index into
    /// [`Timeline::workloads`]; without it, or where there is none, all.
    pub only: Option<usize>,
}

impl Default for TextOptions {
    fn default() -> TextOptions {
        TextOptions {
            width: 100,
            ascii: false,
            colour: false,
            window: Window::Auto,
            picture: Picture::Auto,
            workloads: 12,
            only: None,
        }
    }
}

impl TextOptions {
    /// The characters for nothing, eighths and all of it.
    pub(super) const fn blocks(&self) -> [char; 9] {
        if self.ascii { ASCII } else { BLOCKS }
    }
}

const BLOCKS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
const ASCII: [char; 9] = [' ', '.', ':', '-', '=', '+', '*', '#', '@'];

/// Characters in a colour, for terminals that have it.
pub(super) fn painted(columns: &str, Rgb(r, g, b): Rgb, colour: bool) -> String {
    let style = anstyle::RgbColor(r, g, b).on_default();
    if colour { format!("{style}{columns}{style:#}") } else { columns.to_string() }
}

/// The most lines below a waveform.
const MOST_NOTES: usize = 20;
/// The most revisions that get a row.
const MOST_REVISIONS: usize = 6;

/// Draws the waveform. Every line ends with a line feed and none has blanks
/// at its end.
pub fn waveform(trace: &Trace, timeline: &Timeline, options: &TextOptions) -> String {
    let mut text = String::new();
    if !timeline.title.is_empty() {
        let _ = writeln!(text, "{}\n", timeline.title);
    }
    if timeline.workloads().is_empty() {
        text.push_str("nothing to draw: the trace has no workloads\n");
        return text;
    }
    let count = timeline.workloads().len();
    let shown: Vec<usize> = match options.only.filter(|only| *only < count) {
        Some(only) => vec![only],
        None => (0..count.min(options.workloads.max(1))).collect(),
    };
    let drawn = parts(trace, timeline, options, &shown);
    text.push_str(&drawn.join("\n"));
    match count - shown.len() {
        0 => {}
        1 => text.push_str("\nand 1 more workload\n"),
        more => {
            let _ = writeln!(text, "\nand {more} more workloads");
        }
    }
    text
}

/// The drawings, one of each workload, Service and so on that is asked for.
fn parts(trace: &Trace, timeline: &Timeline, options: &TextOptions, shown: &[usize]) -> Vec<String> {
    let (picture, auto) = (options.picture, options.picture == Picture::Auto);
    let mut parts = Vec::new();
    if !matches!(picture, Picture::Load | Picture::Capacity | Picture::Zones | Picture::Nodes) {
        let charts = charts(trace, timeline, options);
        let wave = |&i: &usize| Wave::new(timeline, &timeline.workloads()[i], charts[i].as_ref(), options).drawn();
        parts.extend(shown.iter().map(wave));
    }
    let zoned = |&&i: &&usize| picture == Picture::Zones || timeline.workloads()[i].tells_zones(timeline);
    if auto || picture == Picture::Zones {
        let zones = |&i: &usize| ground_text::zones(timeline, &timeline.workloads()[i], options);
        parts.extend(shown.iter().filter(zoned).map(zones));
    }
    let whole = options.only.is_none();
    if whole && (auto || picture == Picture::Load) {
        parts.extend(timeline.services().iter().map(|service| load_text::draw(timeline, service, options)));
    }
    if picture == Picture::Capacity || (whole && auto && timeline.capacity().tells()) {
        parts.push(ground_text::capacity(timeline, options));
    }
    if picture == Picture::Nodes {
        parts.push(node_text::draw(trace, timeline, options));
    }
    parts
}

struct Row {
    label: String,
    /// Without what does not last.
    steps: Steps,
    keep: Keep,
    note: String,
    colour: Rgb,
}

struct Wave<'a> {
    name: String,
    workload: &'a Workload,
    chart: Option<&'a Chart>,
    options: &'a TextOptions,
    rows: Vec<Row>,
    columns: Columns,
    from: SimTime,
    /// The end of what the sentence tells of.
    told_until: SimTime,
    labels: usize,
    top: i64,
}

impl<'a> Wave<'a> {
    fn new(
        timeline: &Timeline,
        workload: &'a Workload,
        chart: Option<&'a Chart>,
        options: &'a TextOptions,
    ) -> Wave<'a> {
        let (from, to) = options.window.of(timeline);
        let end = to.after(Span::from_ns(1));
        let rows = rows(workload, from, end);
        let lanes = chart.iter().flat_map(|c| &c.lanes);
        let names = rows.iter().map(|r| r.label.chars().count());
        let labels = names.chain(lanes.clone().map(|l| l.name.chars().count().min(24))).max().unwrap_or(0).max(9);
        let notes = rows.iter().map(|r| r.note.chars().count());
        let notes = notes.chain(lanes.map(|l| l.note.chars().count())).max().unwrap_or(0);
        let room = options.width.max(40).saturating_sub(labels + 2 + notes + 2);
        let top = rows.iter().map(|r| r.steps.max_over(from, end)).max().unwrap_or(0).max(1);
        Wave {
            name: name_of(timeline, workload),
            workload,
            chart,
            options,
            columns: Columns::fit(from, to, room),
            rows,
            from,
            told_until: options.window.told_until(timeline, end),
            labels,
            top,
        }
    }

    fn drawn(&self) -> String {
        let mut text = String::new();
        self.draw(&mut text);
        text
    }

    fn draw(&self, text: &mut String) {
        let full = if self.options.ascii { '@' } else { '█' };
        let scale = format!("{full} = {}, a column = {}", self.unit(), axis::clock(SimTime(self.columns.each.0)));
        let limits = if self.workload.is_batch() { String::new() } else { format!("  {}", self.limits()) };
        let _ = writeln!(text, "{}{limits}  ({scale})", self.name);
        self.line(text, "", &self.columns.axis(), "", None);
        let actions: Vec<&ActionMark> = self.seen_actions().collect();
        if !actions.is_empty() {
            self.line(text, "actions", &self.marks(&actions), "", None);
        }
        let mut available = String::new();
        for row in &self.rows {
            let blocks = self.blocks(row);
            // Pods that are available as soon as they are ready need no row
            // of their own: it would look the same.
            if row.label == "ready" && blocks == available {
                continue;
            }
            self.line(text, &row.label, &blocks, &row.note, Some(row.colour));
            if row.label == "available" {
                available = blocks;
            }
        }
        if let Some(chart) = self.chart {
            let (columns, colour) = (self.columns, self.options.colour);
            LaneText { chart, workload: self.workload, columns, labels: self.labels, colour }.draw(text);
        }
        let (from, end) = (self.from, self.told_until);
        let plain = || headline(self.workload, from, end);
        let sentence = self.chart.map_or_else(plain, |chart| chart.headline(self.workload, from, end));
        let _ = writeln!(text, "{sentence}");
        self.notes(text, &actions);
    }

    /// What a full block is.
    fn unit(&self) -> String {
        match (self.workload.kind, self.top) {
            (Kind::CronJob, 1) => "1 run".to_string(),
            (Kind::CronJob, top) => format!("{top} runs"),
            (_, top) => super::sentence::pods(top),
        }
    }

    /// One line: label, columns and note, without blanks at its end.
    fn line(&self, text: &mut String, label: &str, columns: &str, note: &str, colour: Option<Rgb>) {
        let mut line = format!("{label:<width$}  ", width = self.labels);
        let missing = self.columns.count.saturating_sub(columns.chars().count());
        match colour.filter(|_| self.options.colour) {
            Some(colour) => line.push_str(&painted(columns, colour, true)),
            None => line.push_str(columns),
        }
        let _ = write!(line, "{:missing$}  {note}", "");
        text.push_str(line.trim_end());
        text.push('\n');
    }

    /// What is wanted: `desired 10, floor 8, ceiling 13`, with ranges where
    /// it changes.
    fn limits(&self) -> String {
        let named = [Series::Desired, Series::Floor, Series::Ceiling];
        let parts = named.into_iter().filter(|&s| !self.workload.series(s).is_empty()).map(|s| {
            let steps = self.workload.series(s);
            let (least, most) =
                (steps.min_over(self.from, self.columns.end), steps.max_over(self.from, self.columns.end));
            if least == most { format!("{} {most}", s.name()) } else { format!("{} {least} to {most}", s.name()) }
        });
        parts.collect::<Vec<_>>().join(", ")
    }

    fn seen_actions(&self) -> impl Iterator<Item = &'a ActionMark> + '_ {
        let (from, end) = (self.from, self.columns.end);
        self.workload.actions().iter().filter(move |a| a.at >= from && a.at < end)
    }

    /// A letter in the column of each action; where several share one, the
    /// first.
    fn marks(&self, actions: &[&ActionMark]) -> String {
        let mut line = vec![' '; self.columns.count];
        for (i, action) in actions.iter().enumerate().rev() {
            line[self.columns.of(action.at)] = letter(i);
        }
        line.into_iter().collect::<String>().trim_end().to_string()
    }

    fn blocks(&self, row: &Row) -> String {
        self.columns.blocks(&row.steps, row.keep, self.top, self.options.blocks())
    }

    /// Actions, turns and changes of conditions in order of time.
    fn notes(&self, text: &mut String, actions: &[&ActionMark]) {
        let mut notes: Vec<(SimTime, char, String)> = Vec::new();
        for (i, action) in actions.iter().enumerate() {
            let refused = action.rejected.as_ref().map(|r| format!(" (refused: {r})"));
            notes.push((action.at, letter(i), format!("{}{}", action.text, refused.unwrap_or_default())));
        }
        let (from, end) = (self.from, self.columns.end);
        let turns = self.workload.turns().iter().filter(|t| t.at >= from && t.at < end);
        notes.extend(turns.map(|t| (t.at, ' ', t.text.clone())));
        for change in lasting(self.workload.conditions()) {
            // The conditions of an object that is deleted need no farewell.
            let deleted = change.status.is_empty() && self.workload.series(Series::Desired).at(change.at) == 0;
            if change.at < from || change.at >= end || deleted {
                continue;
            }
            let status = if change.status.is_empty() { "gone" } else { &change.status };
            let reason = if change.reason.is_empty() { "" } else { ", " };
            let what = format!("{} {status}{reason}{}", change.condition, change.reason);
            notes.push((change.at, ' ', what));
        }
        notes.sort_by_key(|n| n.0);
        let more = notes.len().saturating_sub(MOST_NOTES);
        notes.truncate(MOST_NOTES);
        let times = notes.iter().map(|n| n.0.to_string().len()).max().unwrap_or(0);
        for (at, letter, what) in &notes {
            let _ = writeln!(text, "{letter}  {:<times$}  {what}", at.to_string());
        }
        if more > 0 {
            let _ = writeln!(text, "   and {more} more");
        }
    }
}

/// The changes that were not overtaken by another of the same condition
/// within their millisecond.
fn lasting(changes: &[ConditionChange]) -> impl Iterator<Item = &ConditionChange> {
    let overtaken = |i: usize, change: &ConditionChange| {
        let same_time = |c: &&ConditionChange| c.at.as_ms() == change.at.as_ms();
        let later = changes[i + 1..].iter().take_while(same_time);
        later.into_iter().any(|c| c.condition == change.condition)
    };
    changes.iter().enumerate().filter(move |(i, c)| !overtaken(*i, c)).map(|(_, change)| change)
}

/// The letter of an action; after Z they are all `+`.
fn letter(i: usize) -> char {
    u8::try_from(i).ok().filter(|&i| i < 26).map_or('+', |i| char::from(b'A' + i))
}

/// What runs of a Job or a CronJob. What comes and goes within a column is
/// drawn: a run that is too short to be seen would be a run that is missing.
fn batch_rows(workload: &Workload, from: SimTime, end: SimTime) -> Vec<Row> {
    let row = |series: Series, label: &str, note, colour| Row {
        label: label.to_string(),
        steps: workload.series(series).lasting(SHORTEST),
        keep: Keep::Greatest,
        note,
        colour,
    };
    let most = |series: Series| {
        let (at, most) = workload.series(series).first_max(from, end);
        with_time("max", most, at, from)
    };
    let so_far = |series: Series| format!("{} at the end", workload.series(series).at(end));
    let is_job = workload.kind == Kind::Job;
    let (first, label) = if is_job { (Series::Running, "running") } else { (Series::Overlap, "at a time") };
    let mut rows = vec![row(first, label, most(first), theme::GREEN)];
    // Between restarts in place a pod runs by its phase, and does nothing.
    if is_job && workload.series(Series::Restarts).max_over(from, end) > 0 {
        rows.push(row(Series::Ready, "ready", String::new(), theme::BLUE));
    }
    let lasts = |series: Series| workload.series(series).duration_where(from, end, |n| n > 0) >= Span::from_secs(1);
    if lasts(Series::Terminating) {
        rows.push(row(Series::Terminating, "terminating", most(Series::Terminating), theme::VERMILLION));
    }
    if lasts(Series::Pending) {
        rows.push(row(Series::Pending, "pending", most(Series::Pending), theme::PURPLE));
    }
    if !is_job && workload.series(Series::ActiveJobs) != workload.series(Series::Overlap) {
        let active = workload.series(Series::ActiveJobs).max_over(from, end);
        if active != workload.series(Series::Overlap).max_over(from, end) {
            rows.push(row(Series::ActiveJobs, "active Jobs", most(Series::ActiveJobs), theme::YELLOW));
        }
    }
    if is_job && workload.series(Series::Completions).max_over(from, end) > 1 {
        rows.push(row(Series::Completions, "completions", so_far(Series::Completions), theme::BLUE));
    }
    rows
}

/// The lanes of the workloads that have them.
fn charts(trace: &Trace, timeline: &Timeline, options: &TextOptions) -> Vec<Option<Chart>> {
    let question = |w: &Workload| lanes::question(options.picture, w.kind);
    let questions: Vec<_> = timeline.workloads().iter().map(question).collect();
    if questions.iter().all(Option::is_none) {
        return questions.iter().map(|_| None).collect();
    }
    let lives = Lives::of(trace, timeline);
    let (from, to) = options.window.of(timeline);
    let story = Story { trace, timeline, lives: &lives, from, to };
    questions.into_iter().enumerate().map(|(i, question)| question.map(|q| lanes::chart(story, i, q))).collect()
}

fn rows(workload: &Workload, from: SimTime, end: SimTime) -> Vec<Row> {
    if workload.is_batch() {
        return batch_rows(workload, from, end);
    }
    let mut rows = revision_rows(workload, from, end);
    let available = workload.series(Series::Available);
    let ready = workload.series(Series::Ready);
    let row = |series: Series, label: &str, keep, note, colour| Row {
        label: label.to_string(),
        steps: workload.series(series).lasting(SHORTEST),
        keep,
        note,
        colour,
    };
    let least = least_available(workload, from, end);
    rows.push(row(Series::Available, "available", Keep::Least, least, theme::GREEN));
    if available.lasting(SHORTEST) != ready.lasting(SHORTEST) {
        rows.push(row(Series::Ready, "ready", Keep::Least, String::new(), theme::BLUE));
    }
    let serving = workload.series(Series::Serving);
    if workload.tells_serving() && serving.lasting(SHORTEST) != ready.lasting(SHORTEST) {
        let settled = serving.first_where(from, |n| n >= workload.series(Series::Desired).at(from).max(1));
        let (at, least) = serving.first_min(settled.unwrap_or(from), end);
        let note = with_time("min", least, at, from);
        rows.push(row(Series::Serving, "serving", Keep::Least, note, theme::SKY_BLUE));
    }
    let most = |series: Series| {
        let (at, most) = workload.series(series).first_max(from, end);
        with_time("max", most, at, from)
    };
    if workload.series(Series::DeadEnds).max_over(from, end) > 0 {
        let note = most(Series::DeadEnds);
        rows.push(row(Series::DeadEnds, "dead ends", Keep::Greatest, note, theme::VERMILLION));
    }
    let on_node = most(Series::OnNode);
    rows.push(row(Series::OnNode, "on nodes", Keep::Greatest, on_node, theme::VERMILLION));
    if workload.series(Series::Pending).max_over(from, end) > 0 {
        let lasting = workload.series(Series::Pending).duration_where(from, end, |n| n > 0);
        if lasting >= Span::from_secs(1) {
            let note = most(Series::Pending);
            rows.push(row(Series::Pending, "pending", Keep::Greatest, note, theme::PURPLE));
        }
    }
    let desired = workload.series(Series::Desired);
    if desired.min_over(from, end) != desired.max_over(from, end) {
        let note = format!("{} at the end", desired.at(end));
        rows.push(row(Series::Desired, "desired", Keep::Least, note, theme::YELLOW));
    }
    rows
}

/// A row of ready pods for each revision that has pods; of many only the last
/// ones.
fn revision_rows(workload: &Workload, from: SimTime, end: SimTime) -> Vec<Row> {
    let alive = workload
        .revisions()
        .iter()
        .filter(|r| !r.name.is_empty() && r.ready.max_over(from, end).max(r.on_node.max_over(from, end)) > 0);
    let mut rows: Vec<Row> = alive
        .enumerate()
        .map(|(i, revision)| Row {
            label: revision.name.clone(),
            steps: revision.ready.lasting(SHORTEST),
            keep: Keep::Least,
            note: match revision.ready.max_over(from, end) {
                0 => format!("{} never ready", image_of(workload, revision)).trim_start().to_string(),
                _ => image_of(workload, revision).to_string(),
            },
            colour: theme::revision_colour(i),
        })
        .collect();
    rows.drain(..rows.len().saturating_sub(MOST_REVISIONS));
    rows
}

/// An extreme and when it was reached, unless it was there from the beginning.
fn with_time(name: &str, value: i64, at: SimTime, from: SimTime) -> String {
    if at > from { format!("{name} {value} at {at}") } else { format!("{name} {value}") }
}

fn least_available(workload: &Workload, from: SimTime, end: SimTime) -> String {
    if let Some((at, least)) = workload.least_available(from, end) {
        let from = workload.settled().map_or(from, |settled| settled.max(from));
        return with_time("min", least, at, from);
    }
    format!("max {}", workload.series(Series::Available).max_over(from, end))
}
