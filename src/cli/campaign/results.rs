//! The results of a sweep: tables, the picture, and what to choose.

use crate::cli::Outcome;
use crate::cli::arguments::{Colours, Results, Rows};
use crate::cli::output::{self, Failure};
use crate::cli::picture;
use anstyle::Style;
use seatrial::campaign::{Advice, Part, PointFigures, Summary};
use seatrial::plot::{self, Format, PlotOptions, Theme};
use std::fmt::Write as _;
use std::path::Path;

const BOLD: Style = Style::new().bold();
/// Grids of at most so many points are printed whole.
const FEW: usize = 16;

/// Refuses what cannot be done before the work begins.
pub(super) fn check(results: &Results) -> Result<(), Failure> {
    results.plot.as_deref().map(picture::format).transpose().map(|_| ())
}

/// Whether claims under `assert` held in all runs.
pub(super) fn outcome(part: &Part) -> Outcome {
    if part.rows.iter().any(|r| r.failed > 0) { Outcome::Failed } else { Outcome::Passed }
}

/// Writes the files of a whole sweep and prints what was asked for.
pub(super) fn show(part: &Part, results: &Results, out: Option<&Path>) -> Result<Outcome, Failure> {
    let summary = Summary::of(part);
    let advice = summary.advice(results.floor);
    let table = table(&summary, &advice);
    let picture = |format| picture_of(&summary, &advice, results, format);
    if let Some(dir) = out {
        output::write_file(&dir.join("sweep.csv"), csv(part)?.as_bytes())?;
        output::write_file(&dir.join("sweep.jsonl"), part.json_lines().as_bytes())?;
        output::write_file(&dir.join("summary.txt"), plain(&table).as_bytes())?;
        output::write_file(&dir.join("tradeoff.svg"), &picture(Format::Svg)?)?;
    }
    if let Some(path) = &results.plot {
        output::write_file(path, &picture(picture::format(path)?)?)?;
    }
    let text = match results.output {
        Rows::Table => table,
        Rows::Csv => csv(part)?,
        Rows::Json => part.json_lines(),
    };
    output::print(&text, outcome(part))
}

fn picture_of(summary: &Summary, advice: &Advice, results: &Results, format: Format) -> Result<Vec<u8>, Failure> {
    let default = PlotOptions::default();
    let theme = match results.look.theme {
        Colours::Light => Theme::Light,
        Colours::Dark => Theme::Dark,
    };
    let options = PlotOptions { width: results.look.width.unwrap_or(default.width), theme, ..default };
    Ok(plot::draw_tradeoff(summary, advice, &options, format)?)
}

fn csv(part: &Part) -> Result<String, Failure> {
    let failed = |e: String| Failure::Other(format!("cannot write the table: {e}"));
    let mut writer = csv::Writer::from_writer(Vec::new());
    for record in part.records() {
        writer.write_record(&record).map_err(|e| failed(e.to_string()))?;
    }
    let bytes = writer.into_inner().map_err(|e| failed(e.to_string()))?;
    String::from_utf8(bytes).map_err(|e| failed(e.to_string()))
}

/// A text without its colours.
fn plain(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}

/// The points that are worth considering, and what to choose.
fn table(summary: &Summary, advice: &Advice) -> String {
    let mut text = String::new();
    let (points, runs) = (summary.points.len(), summary.points.first().map_or(0, |p| p.runs));
    let seeds = if runs == 1 { "seed" } else { "seeds" };
    let _ = writeln!(text, "{}: {}, {points} settings, {runs} {seeds} each\n", summary.title, summary.workload);
    let shown = shown(summary, advice);
    aligned(&rows(&shown, advice), &mut text);
    let front = "no other is as fast with as many available";
    let _ = writeln!(text, "\n→ to choose   • the manifest as it is   * {front}");
    if points > shown.len() {
        text.push_str("the others are slower for as many available and extra pods\n");
    }
    if !summary.refused.is_empty() {
        let _ = writeln!(text, "refused: {}", summary.refused.join(", "));
    }
    let _ = writeln!(text, "\n{BOLD}{}{BOLD:#}", advice.text);
    text
}

/// The points that the table has: all of a small grid; of others what keeps
/// the floor at different costs, what is faster at lower floors, and what the
/// files say.
fn shown<'s>(summary: &'s Summary, advice: &Advice) -> Vec<&'s PointFigures> {
    if summary.points.len() <= FEW {
        return summary.points.iter().collect();
    }
    let mut shown = summary.options(advice.floor);
    shown.truncate(FEW);
    for point in summary.ladder().into_iter().chain(summary.own()) {
        if !shown.iter().any(|p| p.point == point.point) {
            shown.push(point);
        }
    }
    shown
}

/// A head and a row for each point.
fn rows(points: &[&PointFigures], advice: &Advice) -> Vec<[String; 7]> {
    let head = ["", "SETTING", "ROLLOUT", "8 OF 10 RUNS", "MIN AVAILABLE", "MAX EXTRA", "FAILED"];
    let mut rows = vec![head.map(str::to_string)];
    for point in points {
        let mark = match () {
            () if advice.point == Some(point.point) => "→",
            () if point.own => "•",
            () if point.on_availability_front => "*",
            () => "",
        };
        let unfinished = if point.unfinished > 0 { format!(" ({} not over)", point.unfinished) } else { String::new() };
        rows.push([
            mark.to_string(),
            point.label.clone(),
            format!("{}{unfinished}", point.took.median),
            format!("{} to {}", point.took.low, point.took.high),
            format!("{} of {}", point.floor, point.desired),
            point.most_extra.to_string(),
            if point.failed == 0 { "0".to_string() } else { format!("{} of {}", point.failed, point.runs) },
        ]);
    }
    rows
}

/// Columns beside each other.
fn aligned(rows: &[[String; 7]], text: &mut String) {
    let widths: Vec<usize> = (0..7).map(|i| rows.iter().map(|r| r[i].chars().count()).max().unwrap_or(0)).collect();
    for row in rows {
        let mut line = String::new();
        for (i, (cell, width)) in row.iter().zip(&widths).enumerate() {
            let gap = if i == 0 { " " } else { "  " };
            let _ = write!(line, "{cell:<width$}{gap}");
        }
        let _ = writeln!(text, "{}", line.trim_end());
    }
}
