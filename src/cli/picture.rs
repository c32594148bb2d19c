//! `seatrial plot`, and drawings of runs.

use super::Outcome;
use super::arguments::{Colours, Look, Plot, Shown};
use super::compare::Variant;
use super::output::{self, Failure};
use super::{table, trace};
use seatrial::error::Problem;
use seatrial::plot::table::folded;
use seatrial::plot::text::TextOptions;
use seatrial::plot::{self, Format, Picture, PlotOptions, Theme, Window};
use seatrial::report::{self, Comparison};
use seatrial::time::SimTime;
use seatrial::timeline::Timeline;
use seatrial::trace::Trace;
use std::io::IsTerminal as _;
use std::path::Path;

/// The width of drawings in characters where there is no terminal.
const WIDTH: u32 = 100;

/// Draws a trace into a file or the terminal.
pub(super) fn plot(arguments: &Plot) -> Result<Outcome, Failure> {
    let format = arguments.file.as_deref().map(format).transpose()?;
    let trace = trace::read(&arguments.trace)?;
    let timeline = Timeline::of(&trace);
    let window = match (arguments.from, arguments.until) {
        (None, None) => Window::Auto,
        (from, until) => {
            let (from, until) = (from.unwrap_or(SimTime::ZERO), until.unwrap_or(timeline.until));
            if from >= until.min(timeline.until) {
                let message = format!("nothing lies between {from} and {until}; the run ends at {}", timeline.until);
                return Err(Problem::new(message).into());
            }
            Window::Between(from, until)
        }
    };
    if let (Some(path), Some(format)) = (&arguments.file, format) {
        write(&trace, &timeline, path, format, window, &arguments.look)?;
        return Ok(Outcome::Passed);
    }
    let drawing = plot::text::waveform(&trace, &timeline, &text_options(&arguments.look, window));
    let width = columns(&arguments.look);
    let text = format!("{drawing}\n{}", plot::summary::summary_within(&timeline, window, width));
    output::print(&folded(&text, width), Outcome::Passed)
}

/// The whole interesting part of a run.
pub(super) fn auto() -> Window {
    Window::Auto
}

/// What a file is drawn as, by its name.
pub(super) fn format(path: &Path) -> Result<Format, Failure> {
    let extension = path.extension().and_then(|e| e.to_str()).unwrap_or_default();
    Format::of_extension(extension).ok_or_else(|| {
        let message = format!("{} is neither .svg nor .png", path.display());
        Problem::new(message).with_hint("the end of the file's name says what is drawn").into()
    })
}

/// Draws a run into a file.
pub(super) fn write(
    trace: &Trace,
    timeline: &Timeline,
    path: &Path,
    format: Format,
    window: Window,
    look: &Look,
) -> Result<(), Failure> {
    output::write_file(path, &plot::draw(trace, timeline, &options(window, look), format)?)
}

/// How a drawing in a file looks.
pub(super) fn options(window: Window, look: &Look) -> PlotOptions {
    let default = PlotOptions::default();
    let theme = match look.theme {
        Colours::Light => Theme::Light,
        Colours::Dark => Theme::Dark,
    };
    let width = look.width.unwrap_or(default.width);
    PlotOptions { width, theme, picture: chosen(look.picture), window, ..default }
}

/// Writes a report of one run or several.
pub(super) fn write_report(
    path: &Path,
    title: &str,
    variants: &[Variant],
    compared: &[Comparison],
) -> Result<(), Failure> {
    let command = |v: &Variant| table::reproduce(&v.finished.rehearsal.arguments, v.finished.rehearsal.setup.seed);
    let commands: Vec<String> = variants.iter().map(command).collect();
    let told: Vec<report::Variant<'_>> = variants
        .iter()
        .zip(&commands)
        .map(|(v, command)| report::Variant {
            name: &v.name,
            trace: &v.finished.trace,
            timeline: &v.finished.timeline,
            verdicts: &v.finished.verdicts,
            about: v.finished.rehearsal.about.as_deref(),
            command,
        })
        .collect();
    output::write_file(path, report::html(title, &told, compared)?.as_bytes())
}

fn chosen(picture: Shown) -> Picture {
    match picture {
        Shown::Auto => Picture::Auto,
        Shown::Availability => Picture::Availability,
        Shown::Lanes => Picture::Lanes,
        Shown::Overlap => Picture::Overlap,
        Shown::Completion => Picture::Completion,
        Shown::Load => Picture::Load,
        Shown::Capacity => Picture::Capacity,
        Shown::Zones => Picture::Zones,
        Shown::Nodes => Picture::Nodes,
    }
}

/// How drawings look in this terminal.
pub(super) fn text_options(look: &Look, window: Window) -> TextOptions {
    let width = known_width(look).unwrap_or(WIDTH);
    TextOptions {
        width: width as usize,
        ascii: look.ascii,
        colour: output::takes_colour(),
        window,
        picture: chosen(look.picture),
        ..TextOptions::default()
    }
}

/// The width that was asked for or that the terminal has.
pub(super) fn known_width(look: &Look) -> Option<u32> {
    look.width.or_else(terminal_width)
}

/// Where lines are broken: at the width that was asked for or that the terminal
/// has; not in what goes into a pipe or a file.
pub(super) fn columns(look: &Look) -> Option<usize> {
    look.width.map(|width| width as usize).or_else(terminal_columns)
}

/// The terminal's width, if standard output is one.
pub(super) fn terminal_columns() -> Option<usize> {
    if std::io::stdout().is_terminal() { terminal_width().map(|width| width as usize) } else { None }
}

/// The terminal's width, at most what eyes can follow.
fn terminal_width() -> Option<u32> {
    terminal_size::terminal_size().map(|(width, _)| u32::from(width.0).min(160))
}
