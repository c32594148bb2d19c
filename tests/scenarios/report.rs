//! What a golden file of a scenario shows: what it is about, the waveform,
//! the figures, what was assumed, the verdicts and the digest.

use seatrial::assertion::{self, Verdict};
use seatrial::plot::Window;
use seatrial::plot::summary::summary;
use seatrial::plot::text::{TextOptions, waveform};
use seatrial::scenario::Rehearsal;
use seatrial::timeline::Timeline;
use std::fmt::Write as _;

/// The report of a run, and the verdicts that did not go as written.
pub(crate) fn report(rehearsal: &Rehearsal) -> (String, Vec<String>) {
    let trace = seatrial::sim::run(&rehearsal.setup);
    let timeline = Timeline::of(&trace);
    let verdicts = assertion::judge(&rehearsal.assertions, &trace, &timeline);
    let wave = waveform(&timeline, &TextOptions::default());
    let (title, drawing) = wave.split_once("\n\n").unwrap_or(("", &wave));
    let about = rehearsal.about.as_deref().unwrap_or_default();
    let figures = summary(&timeline, Window::Auto);
    let mut text = format!("{title}\n\n{about}\n\n{drawing}\n{figures}\n");
    for assumption in &rehearsal.setup.assumptions {
        let _ = writeln!(text, "assumed: {assumption}");
    }
    if !rehearsal.setup.assumptions.is_empty() {
        text.push('\n');
    }
    for verdict in &verdicts {
        describe(verdict, &mut text);
    }
    let _ = writeln!(text, "\ndigest {}", trace.digest());
    let wrong = verdicts.iter().filter(|v| !v.passed).map(|v| format!("{}: {} ({})", v.name, v.found, v.text));
    (text, wrong.collect())
}

fn describe(verdict: &Verdict, text: &mut String) {
    let mark = if verdict.passed { "✓" } else { "✗" };
    let purpose = if verdict.fix.is_some() { "expects " } else { "" };
    let _ = writeln!(text, "{mark} {purpose}{}", verdict.name);
    if verdict.name != verdict.text {
        let _ = writeln!(text, "    {}", verdict.text);
    }
    if !verdict.found.is_empty() {
        let _ = writeln!(text, "    {}", verdict.found);
    }
    if let Some(fix) = &verdict.fix {
        let _ = writeln!(text, "    fix: {}", fix.split_whitespace().collect::<Vec<_>>().join(" "));
    }
}
