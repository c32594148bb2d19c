//! Pictures and tables of a [`Timeline`]: a waveform for terminals, a summary
//! table, and the availability timeline as SVG or PNG.
//!
//! All of them are pure functions of the timeline: the same input gives the
//! same bytes.

mod axis;
mod sentence;
pub mod summary;
pub mod text;
mod theme;

pub use sentence::headline;
pub use theme::{Rgb, Theme};

use crate::time::{SimTime, Span};
use crate::timeline::{Timeline, Workload};

/// Which part of a run is shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Window {
    /// From shortly before the first action until shortly after the last
    /// change; without actions from the beginning.
    #[default]
    Auto,
    /// All of it.
    Whole,
    /// From the first moment to the second, cut to the run.
    Between(SimTime, SimTime),
}

impl Window {
    /// The first and the last moment to show. They differ unless the run has
    /// no length.
    pub fn of(self, timeline: &Timeline) -> (SimTime, SimTime) {
        let end = timeline.until;
        match self {
            Window::Whole => (SimTime::ZERO, end),
            Window::Between(from, to) if from < to.min(end) => (from, to.min(end)),
            Window::Between(..) => (SimTime::ZERO, end),
            Window::Auto => interesting(timeline),
        }
    }
}

/// The part of a run in which something happens, with a margin of a twentieth.
fn interesting(timeline: &Timeline) -> (SimTime, SimTime) {
    let end = timeline.until;
    let first = timeline.actions.iter().map(|a| a.at).min().unwrap_or_default();
    let last = timeline.workloads().iter().map(Workload::last_change).max().unwrap_or_default();
    if first >= last {
        return (SimTime::ZERO, end);
    }
    let margin = Span::from_ns((last.since(first).0 / 20).max(Span::from_secs(1).0));
    let from = SimTime(first.0.saturating_sub(margin.0));
    (from, last.after(margin).min(end))
}

/// The workload's name as pictures print it: with its namespace where the
/// timeline has several.
fn name_of(timeline: &Timeline, workload: &Workload) -> String {
    let several = timeline.workloads().iter().any(|w| w.namespace != workload.namespace);
    match several {
        true => format!("{}/{}", workload.namespace, workload.path()),
        false => workload.path(),
    }
}
