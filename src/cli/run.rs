//! `seatrial run`

use super::Outcome;
use super::arguments::{Format, Run};
use super::compare::Variant;
use super::output::{self, Failure};
use super::{picture, problems, report, table};
use seatrial::assertion::{self, Verdict};
use seatrial::error::Problem;
use seatrial::scenario::set::{self, Setting};
use seatrial::scenario::{Overrides, Rehearsal, compile, load};
use seatrial::timeline::Timeline;
use seatrial::trace::Trace;

/// A scenario that was run and judged.
pub(super) struct Finished {
    /// What was run.
    pub(super) rehearsal: Rehearsal,
    /// What happened.
    pub(super) trace: Trace,
    /// The same as step functions.
    pub(super) timeline: Timeline,
    /// What became of the assertions.
    pub(super) verdicts: Vec<Verdict>,
}

impl Finished {
    /// Runs and judges a scenario.
    pub(super) fn of(rehearsal: Rehearsal) -> Finished {
        let trace = seatrial::sim::run(&rehearsal.setup);
        let timeline = Timeline::of(&trace);
        let verdicts = assertion::judge(&rehearsal.assertions, &trace, &timeline);
        Finished { rehearsal, trace, timeline, verdicts }
    }

    /// Whether everything held.
    pub(super) fn passed(&self) -> bool {
        self.verdicts.iter().all(|v| v.passed)
    }
}

/// Loads, compiles, runs, judges and reports.
pub(super) fn run(arguments: &Run) -> Result<Outcome, Failure> {
    let rehearsals = compiled(arguments)?;
    let files = [&arguments.trace, &arguments.plot, &arguments.perfetto];
    if rehearsals.len() > 1 && files.iter().any(|f| f.is_some()) {
        let message = format!("--trace, --plot and --perfetto take one scenario, these are {}", rehearsals.len());
        return Err(Problem::new(message).with_hint("name the scenario's own file").into());
    }
    let format = arguments.plot.as_deref().map(picture::format).transpose()?;
    let mut all = Vec::new();
    for rehearsal in rehearsals {
        let finished = Finished::of(rehearsal);
        if let Some(path) = &arguments.trace {
            let mut lines = Vec::new();
            seatrial::trace_file::write(&finished.trace, &mut lines).map_err(|e| Failure::Other(e.to_string()))?;
            output::write_file(path, &lines)?;
        }
        if let (Some(path), Some(format)) = (&arguments.plot, format) {
            picture::write(&finished.trace, &finished.timeline, path, format, picture::auto(), &arguments.look)?;
        }
        if let Some(path) = &arguments.perfetto {
            let events = seatrial::perfetto::events(&finished.trace, &finished.timeline);
            output::write_file(path, format!("{events}\n").as_bytes())?;
        }
        all.push(finished);
    }
    let all = match &arguments.report {
        Some(path) => reported(path, all)?,
        None => all,
    };
    let outcome = if all.iter().all(Finished::passed) { Outcome::Passed } else { Outcome::Failed };
    let text = match arguments.output {
        Format::Table => table::table(&all, arguments.quiet, &arguments.look),
        Format::Json => report::json(&all).map_err(Failure::Other)?,
        Format::Yaml => report::yaml(&all).map_err(Failure::Other)?,
    };
    output::print(&text, outcome)
}

/// Writes the report of all runs.
fn reported(path: &std::path::Path, all: Vec<Finished>) -> Result<Vec<Finished>, Failure> {
    let several = all.len() > 1;
    let named = |finished: Finished| Variant {
        name: if several { finished.timeline.title.clone() } else { String::new() },
        finished,
    };
    let variants: Vec<Variant> = all.into_iter().map(named).collect();
    let title = match &variants[..] {
        [one] if !one.finished.timeline.title.is_empty() => one.finished.timeline.title.clone(),
        [_] => "a run".to_string(),
        several => format!("{} scenarios", several.len()),
    };
    picture::write_report(path, &title, &variants, &[])?;
    Ok(variants.into_iter().map(|v| v.finished).collect())
}

/// The scenarios, with everything that is to be said about them said.
fn compiled(arguments: &Run) -> Result<Vec<Rehearsal>, Failure> {
    let paths: Vec<String> = arguments.paths.iter().chain(&arguments.files).cloned().collect();
    let input = load::load(&paths, arguments.recursive, &mut std::io::stdin().lock()).map_err(Failure::Input)?;
    problems::print_warnings(&input.warnings);
    let (mut rehearsals, mut wrong) = (Vec::new(), Vec::new());
    let settings: Vec<Setting> = arguments.set.iter().map(|s| Setting::parse(s)).collect::<Result<_, _>>()?;
    for scenario in &input.scenarios {
        let compiled = set::apply_each(scenario, &settings)
            .and_then(|scenario| compile::compile(&scenario, Overrides { seed: arguments.seed }));
        match compiled {
            Ok(rehearsal) => rehearsals.push(rehearsal),
            Err(problems) => wrong.extend(problems),
        }
    }
    if !wrong.is_empty() {
        return Err(Failure::Input(wrong));
    }
    for rehearsal in &rehearsals {
        problems::print_notes(&rehearsal.notes);
    }
    Ok(rehearsals)
}
