//! Traces and recordings from files.

use super::Outcome;
use super::arguments::Conformance;
use super::output::{self, Failure};
use seatrial::error::{Error, Problem};
use seatrial::trace::Trace;
use std::fs::File;
use std::io::{BufReader, stdin};
use std::path::Path;

/// Reads a trace from a file or, as `-`, from standard input.
pub(super) fn read(path: &Path) -> Result<Trace, Failure> {
    let in_file = |error: Error| {
        let problems = error.problems.into_iter().map(|p| p.in_file(path)).map(explained);
        Failure::Input(problems.collect())
    };
    if path == Path::new("-") {
        return seatrial::trace_file::read(stdin().lock()).map_err(in_file);
    }
    let file = File::open(path).map_err(|e| Problem::new(format!("cannot read this file: {e}")).in_file(path))?;
    seatrial::trace_file::read(BufReader::new(file)).map_err(in_file)
}

/// Tells those who pass a scenario where a trace comes from.
fn explained(mut problem: Problem) -> Problem {
    let is_trace = problem.file.as_ref().and_then(|f| f.extension()).is_some_and(|e| e == "jsonl");
    if problem.hint.is_none() && !is_trace {
        problem.hint = Some("a trace is what `seatrial run … --trace FILE` writes".to_string());
    }
    problem
}

/// Compares recordings of the real controllers with runs of ours.
pub(super) fn conformance(arguments: &Conformance) -> Result<Outcome, Failure> {
    if !arguments.dir.is_dir() {
        return Err(Problem::new("there is no such folder").in_file(&arguments.dir).into());
    }
    let options =
        seatrial::conformance::Options { only: arguments.only.clone(), quiet: arguments.quiet };
    let mut text = Vec::new();
    let summary = seatrial::conformance::run(&arguments.dir, &options, &mut text)
        .map_err(|e| Problem::new(format!("cannot read these recordings: {e}")).in_file(&arguments.dir))?;
    let outcome = if summary.all_agree() { Outcome::Passed } else { Outcome::Failed };
    output::print(&String::from_utf8_lossy(&text), outcome)
}
