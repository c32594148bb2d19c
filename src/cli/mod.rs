//! Arguments in, exit code out.
//!
//! Exit codes: 0 everything passed, 1 an assertion failed, 2 bad input or
//! usage, 3 anything else. Data goes to standard output, everything said
//! about it to standard error.

mod arguments;
mod campaign;
mod compare;
mod diff;
mod explain;
mod fit;
mod output;
mod picture;
mod platform;
mod problems;
mod report;
mod run;
mod table;
mod trace;
mod upkeep;

use arguments::{Arguments, Command};
use clap::{CommandFactory, Parser};
use output::Failure;
use std::process::ExitCode;

/// How a command ended, if it could do its work.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// Everything held.
    Passed,
    /// An assertion failed, or a case does not agree.
    Failed,
}

/// Parses the arguments, runs the command and says how it went.
pub(crate) fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version are data, everything else is a mistake.
            let code = if error.use_stderr() { 2 } else { 0 };
            let _unwritable = error.print();
            return ExitCode::from(code);
        }
    };
    match dispatch(arguments.command) {
        Ok(Outcome::Passed) => ExitCode::SUCCESS,
        Ok(Outcome::Failed) => ExitCode::from(1),
        Err(Failure::Input(problems)) => {
            problems::print_errors(&problems);
            ExitCode::from(2)
        }
        Err(Failure::ClosedPipe(outcome)) => ExitCode::from(u8::from(outcome == Outcome::Failed)),
        Err(Failure::Other(message)) => {
            problems::print_failure(&message);
            ExitCode::from(3)
        }
    }
}

fn dispatch(command: Command) -> Result<Outcome, Failure> {
    match command {
        Command::Run(arguments) => run::run(&arguments),
        Command::Compare(arguments) => compare::compare(&arguments),
        Command::Test(arguments) => campaign::test(&arguments),
        Command::Sweep(arguments) => campaign::sweep(&arguments),
        Command::Merge(arguments) => campaign::merge(&arguments),
        Command::Diff(arguments) => diff::diff(&arguments),
        Command::Fit(arguments) => fit::fit(&arguments),
        Command::Plot(arguments) => picture::plot(&arguments),
        Command::Explain(arguments) => explain::explain(&arguments),
        Command::Schema => {
            let text = serde_json::to_string_pretty(&seatrial::scenario::file::schema());
            let text = text.map_err(|e| Failure::Other(e.to_string()))?;
            output::print(&format!("{text}\n"), Outcome::Passed)
        }
        Command::Conformance(arguments) => trace::conformance(&arguments),
        Command::Completion { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Arguments::command(), "seatrial", &mut script);
            output::print(&String::from_utf8_lossy(&script), Outcome::Passed)
        }
    }
}
