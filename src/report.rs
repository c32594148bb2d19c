//! The report: one HTML file with everything in it, to look at a run, or at
//! several variants of it, and to ask of anything why it happened.
//!
//! The file needs nothing from anywhere: data, style and program stand in it.

mod data;
mod ground;
mod nodes;
mod sweep;
mod timelines;

pub use timelines::Again;

use crate::assertion::Verdict;
use crate::campaign::{Advice, Part, Summary};
use crate::error::{Error, Problem};
use crate::plot::{self, Format, PlotOptions};
use crate::timeline::Timeline;
use crate::trace::Trace;
use serde_json::Value;

const PAGE: &str = include_str!("../assets/report/page.html");
const STYLE: &str = include_str!("../assets/report/style.css");
const RUNS_MAIN: &str = include_str!("../assets/report/runs.html");
const SWEEP_MAIN: &str = include_str!("../assets/report/sweep.html");
const COMMON: &str = include_str!("../assets/report/common.js");
const RUNS: &str = concat!(
    include_str!("../assets/report/plot.js"),
    include_str!("../assets/report/ground.js"),
    include_str!("../assets/report/chart.js"),
    include_str!("../assets/report/nodes.js"),
    include_str!("../assets/report/runs.js")
);
const SWEEP: &str = include_str!("../assets/report/sweep.js");
const START: &str = include_str!("../assets/report/start.js");

/// A run that a report tells of.
#[derive(Clone, Copy, Debug)]
pub struct Variant<'a> {
    /// What tells it from the others, such as `Forbid`; empty if it is the
    /// only one.
    pub name: &'a str,
    /// What happened.
    pub trace: &'a Trace,
    /// The same as step functions.
    pub timeline: &'a Timeline,
    /// What became of the claims.
    pub verdicts: &'a [Verdict],
    /// What the scenario shows, if it says so.
    pub about: Option<&'a str>,
    /// The command that gives the same run.
    pub command: &'a str,
}

/// A row of the table that compares variants.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Comparison {
    /// What is compared, such as `runs stopped`.
    pub name: String,
    /// A value for each variant.
    pub values: Vec<String>,
}

/// Writes the report; the same variants give the same bytes.
///
/// # Errors
/// None that is known.
pub fn html(title: &str, variants: &[Variant<'_>], compared: &[Comparison]) -> Result<String, Error> {
    let mut still = String::new();
    for variant in variants {
        let svg = plot::draw_svg(variant.trace, variant.timeline, &PlotOptions::default())?;
        still.push_str(&svg);
    }
    page(title, &data::report(title, variants, compared), &still, (RUNS_MAIN, RUNS))
}

/// Writes the report of a sweep, to be explored by moving its parameters; the
/// same sweep gives the same bytes. `replay` is the command that gives a run
/// of a point with a seed again, `again` its trace: without it the report has
/// no timelines of single runs.
///
/// # Errors
/// None that is known.
pub fn sweep(
    part: &Part,
    summary: &Summary,
    advice: &Advice,
    replay: &dyn Fn(usize, u64) -> String,
    again: Option<Again<'_>>,
) -> Result<String, Error> {
    let title = format!("{}: {}", summary.title, summary.workload);
    let still = plot::draw_tradeoff(summary, advice, &PlotOptions::default(), Format::Svg)?;
    let still = String::from_utf8_lossy(&still).into_owned();
    let mut data = sweep::data(&title, part, summary, advice, replay);
    let timelines = again.map(|again| timelines::drawn(part, summary, advice, again)).transpose()?;
    data["sweep"]["timelines"] = timelines.into();
    page(&title, &data, &still, (SWEEP_MAIN, SWEEP))
}

/// Puts a page together from its data and the program that shows it.
fn page(title: &str, data: &Value, still: &str, (main, program): (&str, &str)) -> Result<String, Error> {
    let json = serde_json::to_string(data).map_err(|e| Problem::new(format!("the report cannot be written: {e}")))?;
    // No text of a manifest may end the script or begin a comment in it.
    let json = json.replace('<', "\\u003c");
    let program = format!("'use strict';\n(() => {{\n{COMMON}{program}{START}}})();\n");
    let mut page = String::with_capacity(PAGE.len() + STYLE.len() + program.len() + json.len() + still.len());
    let mut rest = PAGE;
    for (mark, text) in [
        ("{{title}}", escape(title).as_str()),
        ("{{style}}", STYLE),
        ("{{main}}", main),
        ("{{still}}", still),
        ("{{data}}", &json),
        ("{{program}}", &program),
    ] {
        let (before, after) = rest.split_once(mark).unwrap_or((rest, ""));
        page.push_str(before);
        page.push_str(text);
        rest = after;
    }
    page.push_str(rest);
    Ok(page)
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn a_report_stands_alone_and_is_the_same_each_time() {
        let trace = fixture::rollout();
        let timeline = Timeline::of(&trace);
        let variant = Variant {
            name: "",
            trace: &trace,
            timeline: &timeline,
            verdicts: &[],
            about: None,
            command: "seatrial run",
        };
        let title = "</script><b>";
        let page = html(title, &[variant], &[]).expect("it can be written");
        assert_eq!(page, html(title, &[variant], &[]).expect("it can be written"));
        assert!(!page.contains("{{"), "every mark is replaced");
        assert_eq!(page.matches("</script>").count(), 2, "nothing ends a script before its end");
        for remote in ["src=\"http", "href=\"http", "url(http", "@import", "fetch("] {
            assert!(!page.contains(remote), "{remote}");
        }
    }
}
