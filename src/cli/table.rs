//! The results of runs, for people.

use super::arguments::Look;
use super::run::Finished;
use super::{picture, platform, upkeep};
use anstyle::{AnsiColor, Style};
use seatrial::assertion::Verdict;
use seatrial::plot::table::{folded, prose};
use seatrial::plot::{self, Window};
use seatrial::trace::{RecordId, What};
use std::fmt::Write as _;

const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default().bold();
const DIM: Style = Style::new().dimmed();

/// The most lines of a chain of causes.
const MOST_CAUSES: usize = 12;

/// The most refusals that are printed.
const MOST_REFUSALS: usize = 20;

/// Everything about all runs, broken into lines that fit the terminal.
pub(super) fn table(all: &[Finished], quiet: bool, look: &Look) -> String {
    let mut text = String::new();
    for (i, finished) in all.iter().enumerate() {
        if i > 0 {
            text.push('\n');
        }
        if quiet {
            let _ = writeln!(text, "{}", finished.timeline.title);
        } else {
            drawing(finished, look, &mut text);
        }
        for verdict in &finished.verdicts {
            self::verdict(finished, verdict, look.ascii, &mut text);
        }
        closing(finished, &mut text);
    }
    if all.len() > 1 {
        let failed = all.iter().filter(|f| !f.passed()).count();
        let _ = writeln!(text, "\n{} scenarios: {} passed, {failed} failed", all.len(), all.len() - failed);
    }
    folded(&text, picture::columns(look))
}

/// The picture, the figures and what was assumed.
fn drawing(finished: &Finished, look: &Look, text: &mut String) {
    let options = picture::text_options(look, Window::Auto);
    let waveform = plot::text::waveform(&finished.trace, &finished.timeline, &options);
    match (&finished.rehearsal.about, waveform.split_once("\n\n")) {
        (Some(about), Some((title, rest))) => {
            let about = prose(about.trim(), picture::columns(look));
            let _ = write!(text, "{title}\n\n{about}\n\n{rest}\n");
        }
        _ => {
            let _ = writeln!(text, "{waveform}");
        }
    }
    let summary = plot::summary::summary_within(&finished.timeline, Window::Auto, picture::columns(look));
    let _ = writeln!(text, "{summary}");
    upkeep::autoscalers(finished, text);
    upkeep::drains(finished, text);
    platform::claims(finished, text);
    platform::tax(finished, text);
    let assumptions = &finished.rehearsal.setup.assumptions;
    if !assumptions.is_empty() {
        let _ = writeln!(text, "assumed, because nothing says otherwise");
        for assumption in assumptions {
            let _ = writeln!(text, "  {assumption}");
        }
        text.push('\n');
    }
    refusals(finished, text);
}

/// What the API server refused: nobody should overlook that.
fn refusals(finished: &Finished, text: &mut String) {
    let trace = &finished.trace;
    let refused: Vec<String> = trace
        .records
        .iter()
        .filter(|r| matches!(r.what, What::Rejected { .. }))
        .map(|r| format!("{BAD}refused{BAD:#} at {}: {}", r.at, trace.describe(r)))
        .collect();
    for line in refused.iter().take(MOST_REFUSALS) {
        let _ = writeln!(text, "{line}");
    }
    if refused.len() > MOST_REFUSALS {
        let _ = writeln!(text, "and {} more were refused", refused.len() - MOST_REFUSALS);
    }
    if !refused.is_empty() {
        text.push('\n');
    }
}

/// A verdict: what, when first, why, where in the file.
fn verdict(finished: &Finished, verdict: &Verdict, ascii: bool, text: &mut String) {
    let (mark, style) = match (verdict.passed, ascii) {
        (true, false) => ("✓", GOOD),
        (false, false) => ("✗", BAD),
        (true, true) => ("ok", GOOD),
        (false, true) => ("FAILED", BAD),
    };
    let purpose = if verdict.fix.is_some() { "expects " } else { "" };
    let place = match &verdict.place {
        Some((file, at)) if !verdict.passed => format!("  {DIM}{}:{}:{}{DIM:#}", file.display(), at.line, at.column),
        _ => String::new(),
    };
    let _ = writeln!(text, "{style}{mark}{style:#} {purpose}{}{place}", verdict.name);
    if verdict.name != verdict.text && !verdict.passed {
        let _ = writeln!(text, "    {}", verdict.text);
    }
    let found = match (verdict.passed, verdict.at) {
        (_, _) if verdict.found.is_empty() => String::new(),
        // Figures of a check say for themselves when they were.
        (false, Some(at)) if !verdict.text.starts_with("check ") => format!("first at {at}: {}", verdict.found),
        _ => verdict.found.clone(),
    };
    if !found.is_empty() {
        let _ = writeln!(text, "    {found}");
    }
    if !verdict.passed {
        if let Some(record) = verdict.record {
            causes(finished, record, text);
        } else if let Some(record) = verdict.nearest {
            let _ = writeln!(text, "    what came last");
            causes(finished, record, text);
        }
        if verdict.fix.is_some() {
            let _ = writeln!(text, "    the documented bad outcome does not happen any more");
        }
    }
    if let Some(fix) = &verdict.fix {
        let _ = writeln!(text, "    fix: {}", fix.trim());
    }
}

/// A record and what led to it.
fn causes(finished: &Finished, record: RecordId, text: &mut String) {
    let chain = seatrial::explain::chain(&finished.trace, record);
    for line in chain.iter().take(MOST_CAUSES) {
        let _ = writeln!(text, "      {line}");
    }
    if chain.len() > MOST_CAUSES {
        let (more, last) = (chain.len() - MOST_CAUSES, record.0);
        let _ = writeln!(text, "      and {more} more causes; see `seatrial explain TRACE '#{last}'`");
    }
}

/// The sum, and what gives the same run again.
fn closing(finished: &Finished, text: &mut String) {
    if !finished.verdicts.is_empty() {
        let failed = finished.verdicts.iter().filter(|v| !v.passed).count();
        let _ = writeln!(text, "{} passed, {failed} failed", finished.verdicts.len() - failed);
    }
    let seed = finished.rehearsal.setup.seed;
    let _ = writeln!(text, "digest {}  seed {seed}", finished.trace.digest());
    if !finished.passed() {
        let _ = writeln!(text, "reproduce: {}", reproduce(&finished.rehearsal.arguments, seed));
    }
}

/// The command that gives the same run.
pub(super) fn reproduce(arguments: &[String], seed: u64) -> String {
    let quoted: Vec<String> = arguments.iter().map(|a| quote(a)).collect();
    format!("seatrial run {} --seed {seed}", quoted.join(" "))
}

/// An argument as a shell takes it.
pub(super) fn quote(argument: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./:=,+@%".contains(c);
    if !argument.is_empty() && argument.chars().all(plain) {
        argument.to_string()
    } else {
        format!("'{}'", argument.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_quoted_for_shells() {
        let arguments = ["a.yaml", "my file.yaml", "it's", "*.yaml"].map(str::to_string);
        assert_eq!(reproduce(&arguments, 7), r"seatrial run a.yaml 'my file.yaml' 'it'\''s' '*.yaml' --seed 7");
    }
}
