//! Where results go: standard output and files, whole or not at all.

use super::Outcome;
use seatrial::error::{Error, Problem};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Why a command could not do its work.
#[derive(Debug)]
pub(super) enum Failure {
    /// The input is wrong.
    Input(Vec<Problem>),
    /// The reader of standard output went away; how it would have ended.
    ClosedPipe(Outcome),
    /// Anything else.
    Other(String),
}

impl std::fmt::Debug for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if *self == Outcome::Passed { "passed" } else { "failed" })
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        Failure::Input(error.problems)
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Failure {
        Failure::Input(vec![problem])
    }
}

/// Whether standard output takes colours: a terminal, and nobody said no.
pub(super) fn takes_colour() -> bool {
    anstream::AutoStream::choice(&io::stdout()) != anstream::ColorChoice::Never
}

/// Writes a text to standard output and passes the outcome on.
pub(super) fn print(text: &str, outcome: Outcome) -> Result<Outcome, Failure> {
    let mut out = anstream::AutoStream::auto(io::stdout().lock());
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => Ok(outcome),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(Failure::ClosedPipe(outcome)),
        Err(error) => Err(Failure::Other(format!("cannot write to standard output: {error}"))),
    }
}

/// Writes a file whole or not at all: first beside it, then in its place.
pub(super) fn write_file(path: &Path, content: &[u8]) -> Result<(), Failure> {
    let failed = |error: io::Error| Failure::Other(format!("cannot write {}: {error}", path.display()));
    // A device or a pipe is written to as it is; a link keeps pointing where it does.
    let target = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
    if fs::metadata(&target).is_ok_and(|m| !m.is_file()) {
        if target.is_dir() {
            return Err(failed(io::ErrorKind::IsADirectory.into()));
        }
        return fs::write(&target, content).map_err(failed);
    }
    let beside = temporary(&target);
    let written = File::create_new(&beside).and_then(|mut file| {
        file.write_all(content)?;
        file.sync_all()
    });
    match written.and_then(|()| fs::rename(&beside, &target)) {
        Ok(()) => Ok(()),
        Err(error) => {
            let _nothing_left_to_do = fs::remove_file(&beside);
            Err(failed(error))
        }
    }
}

/// A hidden name in the same folder that nobody else uses.
fn temporary(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{}.tmp", std::process::id()))
}
