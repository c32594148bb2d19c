//! Pictures and tables of a [`Timeline`]: a waveform for terminals, a summary
//! table, and timelines as SVG or PNG: availability, lanes, overlap and
//! completion.
//!
//! All of them are pure functions of the timeline: the same input gives the
//! same bytes.

pub(crate) mod actions;
mod axis;
mod batch;
mod clock_band;
mod columns;
pub(crate) mod conditions;
mod fitted;
mod font;
pub(crate) mod ground;
mod ground_panel;
mod ground_text;
mod labels;
mod lane_panel;
mod lane_text;
pub(crate) mod lanes;
mod load_panel;
mod load_text;
mod marks;
pub(crate) mod node_lanes;
mod node_panel;
mod node_text;
mod page;
mod panel;
#[cfg(feature = "png")]
mod png;
mod scale;
mod scene;
mod sentence;
pub mod summary;
mod svg;
pub mod table;
pub mod text;
mod theme;
mod tradeoff;
mod window;

pub use load_text::headline as load_headline;
pub use sentence::headline;
pub(crate) use sentence::outcome;
pub use theme::{Rgb, Theme};
pub use window::Window;

use crate::campaign::{Advice, Summary};
use crate::error::Error;
#[cfg(not(feature = "png"))]
use crate::error::Problem;
use crate::fit::Fitted;
use crate::time::{SimTime, Span};
use crate::timeline::{Revision, Timeline, Workload};
use crate::trace::Trace;

/// What lasts for less is not drawn.
pub(crate) const SHORTEST: Span = Span::from_ms(1);

/// How the availability timeline is drawn.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PlotOptions {
    /// The width in pixels, 480 to 10,000.
    pub width: u32,
    /// The height in pixels. Without it, or where it is too small for what
    /// must be drawn, the picture is as high as it needs.
    pub height: Option<u32>,
    /// Light or dark.
    pub theme: Theme,
    /// What is drawn of each workload.
    pub picture: Picture,
    /// Which part of the run.
    pub window: Window,
    /// Instead of the run's own title.
    pub title: Option<String>,
    /// The most workloads to draw, 1 to 50; the picture says how many more
    /// there are.
    pub panels: usize,
    /// How many pixels of a PNG one pixel of the sizes above becomes, 1 to 8.
    pub scale: u32,
}

impl Default for PlotOptions {
    fn default() -> PlotOptions {
        PlotOptions {
            width: 1_200,
            height: None,
            theme: Theme::Light,
            picture: Picture::Auto,
            window: Window::Auto,
            title: None,
            panels: 6,
            scale: 2,
        }
    }
}

/// What is drawn of each workload.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Picture {
    /// What suits its kind: availability of Deployments, lanes and
    /// availability of StatefulSets and DaemonSets, the completion of Jobs,
    /// the overlap of a CronJob's runs. And the load of Services.
    #[default]
    Auto,
    /// How many pods were available, by revision, within which limits.
    Availability,
    /// What became of each ordinal, node or slot.
    Lanes,
    /// What ran at the same time.
    Overlap,
    /// Attempts and completions of a Job.
    Completion,
    /// What becomes of the requests for each Service, against what its pods
    /// could serve.
    Load,
    /// What the machines offer and what is asked of them, of all workloads
    /// together.
    Capacity,
    /// How many pods were ready in each zone.
    Zones,
    /// A lane for each node: whether it was there, ready and open to pods.
    Nodes,
}

/// What a picture is written as.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// Scalable Vector Graphics, as UTF-8.
    Svg,
    /// Portable Network Graphics; needs the feature `png`.
    Png,
}

impl Format {
    /// The format of a file by the end of its name: `svg` or `png`, upper and
    /// lower case alike.
    pub fn of_extension(extension: &str) -> Option<Format> {
        match extension.to_ascii_lowercase().as_str() {
            "svg" => Some(Format::Svg),
            "png" => Some(Format::Png),
            _ => None,
        }
    }
}

/// Draws a run: for each workload the picture that suits it or that was asked
/// for. `timeline` is the trace's own.
///
/// The same trace and options give the same bytes.
///
/// # Errors
/// If a PNG would have more than a hundred million pixels, or was asked for
/// without the feature `png`.
pub fn draw(trace: &Trace, timeline: &Timeline, options: &PlotOptions, format: Format) -> Result<Vec<u8>, Error> {
    paint(&page::scene(trace, timeline, options), options, format)
}

/// A run among others.
#[derive(Clone, Copy, Debug)]
pub struct Run<'a> {
    /// What tells it from the others.
    pub name: &'a str,
    /// What happened.
    pub trace: &'a Trace,
    /// The same as step functions.
    pub timeline: &'a Timeline,
}

/// Draws several runs in one picture, one below the other, on one axis of
/// time and with one scale. The first run's title is the picture's.
///
/// # Errors
/// The same as of [`draw`].
pub fn draw_side_by_side(runs: &[Run<'_>], options: &PlotOptions, format: Format) -> Result<Vec<u8>, Error> {
    let windows: Vec<(SimTime, SimTime)> = runs.iter().map(|r| options.window.of(r.timeline)).collect();
    let from = windows.iter().map(|w| w.0).min().unwrap_or_default();
    let to = windows.iter().map(|w| w.1).max().unwrap_or_default();
    paint(&page::side_by_side(runs, (from, to), options), options, format)
}

/// Draws a run as SVG; see [`draw`].
///
/// # Errors
/// None that is known.
pub fn draw_svg(trace: &Trace, timeline: &Timeline, options: &PlotOptions) -> Result<String, Error> {
    svg::paint(&page::scene(trace, timeline, options))
}

/// Draws what the settings of a campaign cost and give: the time of the
/// rollout against the fewest available and the most extra pods.
///
/// # Errors
/// As [`draw`].
pub fn draw_tradeoff(
    summary: &Summary,
    advice: &Advice,
    options: &PlotOptions,
    format: Format,
) -> Result<Vec<u8>, Error> {
    paint(&tradeoff::scene(summary, advice, options), options, format)
}

/// Draws observed delays and the curves that were fitted to them.
///
/// # Errors
/// As [`draw`].
pub fn draw_fitted(fitted: &[Fitted], options: &PlotOptions, format: Format) -> Result<Vec<u8>, Error> {
    paint(&fitted::scene(fitted, options), options, format)
}

/// Paints a scene as a file.
fn paint(scene: &scene::Scene, options: &PlotOptions, format: Format) -> Result<Vec<u8>, Error> {
    match format {
        Format::Svg => svg::paint(scene).map(String::into_bytes),
        Format::Png => paint_png(scene, options),
    }
}

#[cfg(feature = "png")]
fn paint_png(scene: &scene::Scene, options: &PlotOptions) -> Result<Vec<u8>, Error> {
    png::paint(scene, options.scale.clamp(1, 8))
}

#[cfg(not(feature = "png"))]
fn paint_png(_: &scene::Scene, _: &PlotOptions) -> Result<Vec<u8>, Error> {
    let problem = Problem::new("this seatrial was built without PNG");
    Err(problem.with_hint("draw an SVG, or build it with the feature `png`").into())
}

/// The workload's name as pictures print it: with its namespace where the
/// timeline has several.
fn name_of(timeline: &Timeline, workload: &Workload) -> String {
    let several = timeline.workloads().iter().any(|w| w.namespace != workload.namespace);
    if several { format!("{}/{}", workload.namespace, workload.path()) } else { workload.path() }
}

/// The image of a revision without its registry and path, unless another
/// revision's image would then look the same.
pub(crate) fn image_of<'a>(workload: &Workload, revision: &'a Revision) -> &'a str {
    let image = revision.image.as_str();
    let short = last_part(image);
    let alike = |other: &Revision| other.image != image && last_part(&other.image) == short;
    if workload.revisions().iter().any(alike) { image } else { short }
}

fn last_part(image: &str) -> &str {
    image.rsplit('/').next().unwrap_or(image)
}
