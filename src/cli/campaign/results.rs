//! The results of a sweep: tables, the picture, and what to choose.

use crate::cli::Outcome;
use crate::cli::arguments::{Results, Rows};
use crate::cli::output::{self, Failure};
use crate::cli::{picture, table};
use anstyle::Style;
use seatrial::campaign::{Advice, Axes, Axis, Column, Part, PointFigures, Summary};
use seatrial::figures::Unit;
use seatrial::plot::table::{folded, table as list};
use seatrial::plot::{self, Format};
use seatrial::report;
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

/// Writes the files of a whole sweep and prints what was asked for. `again`
/// gives the trace of a run.
pub(super) fn show(
    part: &Part,
    axes: Axes,
    results: &Results,
    out: Option<&Path>,
    again: Option<report::Again<'_>>,
) -> Result<Outcome, Failure> {
    let summary = Summary::of(part, axes);
    summary.check(results.floor)?;
    let advice = summary.advice(results.floor);
    let table = told(&summary, &advice, None);
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
    if let Some(path) = &results.report {
        let command = |point: usize, seed: u64| replay(part, point, seed);
        output::write_file(path, report::sweep(part, &summary, &advice, &command, again)?.as_bytes())?;
    }
    let text = match results.output {
        Rows::Table => {
            let width = picture::columns(&results.look);
            folded(&told(&summary, &advice, width), width)
        }
        Rows::Csv => csv(part)?,
        Rows::Json => part.json_lines(),
    };
    output::print(&text, outcome(part))
}

/// The command that gives a run of a point again.
fn replay(part: &Part, point: usize, seed: u64) -> String {
    let mut words = vec!["seatrial run".to_string(), part.input.clone()];
    for (field, value) in part.plan.fields.iter().zip(&part.plan.points[point].values) {
        if let Some(value) = value {
            words.push(format!("--set {}", table::quote(&format!("{field}={value}"))));
        }
    }
    words.push(format!("--seed {seed}"));
    words.join(" ")
}

fn picture_of(summary: &Summary, advice: &Advice, results: &Results, format: Format) -> Result<Vec<u8>, Failure> {
    let options = picture::options(plot::Window::Auto, &results.look);
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
fn told(summary: &Summary, advice: &Advice, width: Option<usize>) -> String {
    let mut text = String::new();
    let (points, runs) = (summary.points.len(), summary.points.first().map_or(0, |p| p.runs));
    let seeds = if runs == 1 { "seed" } else { "seeds" };
    let _ = writeln!(text, "{}: {}, {points} settings, {runs} {seeds} each\n", summary.title, summary.workload);
    let shown = shown(summary, advice);
    aligned(&rows(summary, &shown, advice), width, &mut text);
    let front = match summary.columns[summary.kept().column].name.as_str() {
        "min_available" => "no other is as fast with as many available".to_string(),
        _ => format!("no other is as good in {} and better in {}", words(summary, 0), words(summary, 1)),
    };
    let _ = writeln!(text, "\n→ to choose   • the manifest as it is   * {front}");
    if points > shown.len() {
        let _ = writeln!(text, "the others cost more, or as much for less");
    }
    if !summary.refused.is_empty() {
        let _ = writeln!(text, "refused: {}", summary.refused.join(", "));
    }
    let _ = writeln!(text, "\n{BOLD}{}{BOLD:#}", advice.text);
    text
}

/// The axes in order: across, then upwards.
fn axes(summary: &Summary) -> impl Iterator<Item = Axis> + '_ {
    std::iter::once(summary.axes.across).chain(summary.axes.upright.iter().copied())
}

fn words(summary: &Summary, axis: usize) -> &str {
    axes(summary).nth(axis).map_or("", |a| summary.columns[a.column].words.as_str())
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

/// The head of a column: what it is called, without its unit.
fn head(column: &Column) -> String {
    if column.figure.is_some() {
        return column.name.clone();
    }
    column.name.strip_suffix("_ms").unwrap_or(&column.name).replace('_', " ").to_uppercase()
}

/// A head and a row for each point.
fn rows(summary: &Summary, points: &[&PointFigures], advice: &Advice) -> Vec<Vec<String>> {
    let across = summary.axes.across;
    let mut first = vec![String::new(), "SETTING".to_string()];
    first.push(head(&summary.columns[across.column]));
    first.push("8 OF 10 RUNS".to_string());
    first.extend(summary.axes.upright.iter().map(|axis| head(&summary.columns[axis.column])));
    first.push("FAILED".to_string());
    let mut rows = vec![first];
    for point in points {
        let mark = match () {
            () if advice.point == Some(point.point) => "→",
            () if point.own => "•",
            () if point.front[0] => "*",
            () => "",
        };
        let seen = &point.columns[across.column];
        let unit = summary.columns[across.column].unit;
        let never = if seen.never > 0 { format!(" ({} not over)", seen.never) } else { String::new() };
        let mut row = vec![mark.to_string(), point.label.clone(), format!("{}{never}", seen.spread.median.said(unit))];
        row.push(format!("{} to {}", seen.spread.low.said(unit), seen.spread.high.said(unit)));
        row.extend(summary.axes.upright.iter().map(|axis| worst(summary, point, *axis)));
        row.push(if point.failed == 0 { "0".to_string() } else { format!("{} of {}", point.failed, point.runs) });
        rows.push(row);
    }
    rows
}

/// The worst of a point's runs.
fn worst(summary: &Summary, point: &PointFigures, axis: Axis) -> String {
    let column = &summary.columns[axis.column];
    let said = point.columns[axis.column].worst(axis).said(column.unit);
    let wanted = summary.columns.iter().position(|c| c.name == "desired");
    match (column.name.as_str(), wanted) {
        ("min_available", Some(place)) => format!("{said} of {}", point.columns[place].most.said(Unit::Count)),
        _ => said,
    }
}

/// Columns beside each other; where the terminal has no room for them, a list.
fn aligned(rows: &[Vec<String>], width: Option<usize>, text: &mut String) {
    let count = rows.first().map_or(0, Vec::len);
    let widths: Vec<usize> = (0..count).map(|i| rows.iter().map(|r| r[i].chars().count()).max().unwrap_or(0)).collect();
    if width.is_some_and(|width| widths.iter().sum::<usize>() + 2 * count > width) {
        // The mark belongs to the setting that it marks.
        let joined = |row: &Vec<String>| -> Vec<String> {
            std::iter::once(format!("{} {}", row[0], row[1])).chain(row[2..].iter().cloned()).collect()
        };
        text.push_str(&list(&rows.iter().map(joined).collect::<Vec<_>>(), width));
        return;
    }
    for row in rows {
        let mut line = String::new();
        for (i, (cell, width)) in row.iter().zip(&widths).enumerate() {
            let gap = if i == 0 { " " } else { "  " };
            let _ = write!(line, "{cell:<width$}{gap}");
        }
        let _ = writeln!(text, "{}", line.trim_end());
    }
}
