//! Every recorded case is one test, and its Kubernetes Events another; every
//! file of vectors is one test.
//!
//! What does not agree yet stands with its reason in
//! `conformance/known_differences.txt`, a name or a pattern with `*` per line.
//! Such a test passes while it differs and fails once it agrees, so the list
//! never says more than is true.

use flate2::read::GzDecoder;
use libtest_mimic::{Arguments, Failed, Trial};
use seatrial::conformance::{Case, Checked, Options, Outcome, check, files, pattern, run, vectors};
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, OnceLock};

/// The list, relative to the crate.
const LIST: &str = "tests/conformance/known_differences.txt";

fn main() -> io::Result<ExitCode> {
    let arguments = Arguments::from_args();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let known = Known::parse(&files::read(&root.join(LIST))?);
    let mut trials = Vec::new();
    for path in files::list(&root.join("tests/conformance"))? {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if let Some(stem) = name.strip_suffix(".json") {
            trials.extend(case_trials(&path, stem, &known));
        } else if let Some(stem) = name.strip_suffix(".jsonl.gz") {
            trials.push(vector_trial(path.clone(), stem.to_string(), &known));
        }
    }
    let unused = known.unused(&trials);
    trials.push(Trial::test("known_differences::every_line_is_about_a_test", move || {
        if unused.is_empty() { Ok(()) } else { Err(format!("no such test: {}", unused.join(", ")).into()) }
    }));
    trials.push(Trial::test("report::the_last_line_is_the_sum", || last_line().map_err(Failed::from)));
    Ok(libtest_mimic::run(&arguments, trials).exit_code())
}

/// What scripts read of a report: its last line.
fn last_line() -> Result<(), String> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance/cases/deployment");
    let options = Options { only: Some("deployment/grid-r3-*".to_string()), quiet: true };
    let mut out = Vec::new();
    let sum = run(&dir, &options, &mut out).map_err(|e| e.to_string())?;
    let out = String::from_utf8_lossy(&out);
    let numbers = format!("{} of {} agree, events {} of {}", sum.agree, sum.total, sum.events_agree, sum.cases);
    let lines: Vec<&str> = out.lines().collect();
    let as_said = lines == [format!("deployment  {numbers}"), numbers] && sum.total > 1;
    if as_said { Ok(()) } else { Err(format!("{sum:?}\n{out}")) }
}

/// A test for the trace and one for the Events; the case is run once.
fn case_trials(path: &Path, stem: &str, known: &Known) -> Vec<Trial> {
    let group = path.parent().and_then(Path::file_name).unwrap_or_default().to_string_lossy().into_owned();
    let run = Arc::new(Lazy { path: path.to_path_buf(), checked: OnceLock::new() });
    let name = format!("{group}::{stem}");
    let mut trials = vec![trial(name.clone(), known, {
        let run = run.clone();
        move || Ok(run.checked()?.trace.clone())
    })];
    // Cases with limited clients have curves and no Events.
    if group != "throttled" {
        trials.push(trial(format!("{name}::events"), known, move || {
            Ok(run.checked()?.events.clone().unwrap_or(Outcome::Agrees))
        }));
    }
    trials
}

struct Lazy {
    path: PathBuf,
    checked: OnceLock<Result<Checked, String>>,
}

impl Lazy {
    fn checked(&self) -> Result<&Checked, Failed> {
        let run = || {
            let text = files::read(&self.path).map_err(|e| e.to_string())?;
            let case = Case::parse(&text).map_err(|e| format!("{}: {e}", self.path.display()))?;
            Ok(check(&case))
        };
        self.checked.get_or_init(run).as_ref().map_err(|e| Failed::from(e.clone()))
    }
}

fn vector_trial(path: PathBuf, stem: String, known: &Known) -> Trial {
    trial(format!("vectors::{stem}"), known, move || {
        let mut text = String::new();
        GzDecoder::new(File::open(&path)?).read_to_string(&mut text)?;
        let tally = vectors::check(&stem, &text);
        let count = format!("{} of {} lines agree", tally.agree, tally.lines);
        Ok(tally.first.map_or(Outcome::Agrees, |first| Outcome::Differs(format!("{count}; {first}"))))
    })
}

/// A test that passes if it agrees, or if it differs and is known to.
fn trial(name: String, known: &Known, check: impl FnOnce() -> Result<Outcome, Failed> + Send + 'static) -> Trial {
    let reason = known.reason(&name);
    Trial::test(name, move || match (check()?, reason) {
        (Outcome::Agrees, None) | (Outcome::Differs(_), Some(_)) => Ok(()),
        (Outcome::Differs(how), None) => Err(how.into()),
        (Outcome::Agrees, Some(line)) => Err(format!("agrees now: remove it from {LIST} ({line})").into()),
    })
}

/// The list of known differences: pattern and reason.
struct Known(Vec<(String, String)>);

impl Known {
    fn parse(text: &str) -> Known {
        let lines = text.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#'));
        let split = lines.map(|l| l.split_once(char::is_whitespace).unwrap_or((l, "")));
        Known(split.map(|(pattern, reason)| (pattern.to_string(), reason.trim().to_string())).collect())
    }

    /// The line that is about this test.
    fn reason(&self, name: &str) -> Option<String> {
        let line = self.0.iter().find(|(pattern, _)| pattern::matches(pattern, name));
        line.map(|(pattern, reason)| format!("{pattern} {reason}"))
    }

    /// Lines that are about no test or have no reason.
    fn unused(&self, trials: &[Trial]) -> Vec<String> {
        let used = |pattern: &str| trials.iter().any(|t| pattern::matches(pattern, t.name()));
        let bad = self.0.iter().filter(|(pattern, reason)| reason.is_empty() || !used(pattern));
        bad.map(|(pattern, _)| pattern.clone()).collect()
    }
}
