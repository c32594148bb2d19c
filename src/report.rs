//! The report: one HTML file with everything in it, to look at a run, or at
//! several variants of it, and to ask of anything why it happened.
//!
//! The file needs nothing from anywhere: data, style and program stand in it.

mod data;

use crate::assertion::Verdict;
use crate::error::{Error, Problem};
use crate::plot::{self, PlotOptions};
use crate::timeline::Timeline;
use crate::trace::Trace;

const PAGE: &str = include_str!("../assets/report/page.html");
const STYLE: &str = include_str!("../assets/report/style.css");
const PROGRAM: &str = include_str!("../assets/report/program.js");

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
    let value = data::report(title, variants, compared);
    let json = serde_json::to_string(&value).map_err(|e| Problem::new(format!("the report cannot be written: {e}")))?;
    let mut still = String::new();
    for variant in variants {
        let svg = plot::draw_svg(variant.trace, variant.timeline, &PlotOptions::default())?;
        still.push_str(&svg);
    }
    // No text of a manifest may end the script or begin a comment in it.
    let json = json.replace('<', "\\u003c");
    let mut page = String::with_capacity(PAGE.len() + STYLE.len() + PROGRAM.len() + json.len() + still.len());
    let mut rest = PAGE;
    for (mark, text) in [
        ("{{title}}", escape(title).as_str()),
        ("{{style}}", STYLE),
        ("{{still}}", &still),
        ("{{data}}", &json),
        ("{{program}}", PROGRAM),
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
