//! `seatrial test`

use super::verdicts::{Claim, Failed, Tested};
use super::{junit, pool};
use crate::cli::Outcome;
use crate::cli::arguments::{Format, SeedRange, Test};
use crate::cli::output::{self, Failure};
use crate::cli::{problems, table};
use anstyle::{AnsiColor, Style};
use seatrial::assertion;
use seatrial::error::Problem;
use seatrial::scenario::file::{API_VERSION, KIND};
use seatrial::scenario::set::{self, Setting};
use seatrial::scenario::{Overrides, Rehearsal, compile, load};
use seatrial::sim;
use seatrial::sim::Setup;
use seatrial::timeline::Timeline;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default().bold();
const DIM: Style = Style::new().dimmed();

/// The most lines of a chain of causes.
const MOST_CAUSES: usize = 12;

/// A scenario that is ready to run.
struct Case {
    file: PathBuf,
    rehearsal: Rehearsal,
    seeds: (u64, u32),
}

/// Judges the claims of all scenarios over all their seeds.
pub(in crate::cli) fn test(arguments: &Test) -> Result<Outcome, Failure> {
    let cases = cases(arguments)?;
    let runs: Vec<(usize, u64)> = cases
        .iter()
        .enumerate()
        .flat_map(|(i, case)| (0..case.seeds.1).map(move |n| (i, case.seeds.0.saturating_add(u64::from(n)))))
        .collect();
    let mut claims: Vec<Vec<Option<Vec<Claim>>>> =
        cases.iter().map(|c| (0..c.seeds.1).map(|_| None).collect()).collect();
    let stop = AtomicBool::new(false);
    let job = |i: usize| judge(&cases[runs[i].0], runs[i].1, arguments.look.ascii);
    pool::work(pool::threads(arguments.threads), runs.len(), &stop, job, |i, found| {
        let (case, seed) = runs[i];
        claims[case][(seed - cases[case].seeds.0) as usize] = Some(found);
    });
    let tested: Vec<Tested> = cases.into_iter().zip(claims).map(|(case, claims)| together(case, claims)).collect();
    if let Some(path) = &arguments.junit {
        output::write_file(path, &junit::report(&tested).map_err(Failure::Other)?)?;
    }
    let mut text = match arguments.output {
        Format::Table => people(&tested, arguments.quiet),
        Format::Json => format!("{:#}\n", report(&tested)),
        Format::Yaml => serde_yaml::to_string(&report(&tested)).map_err(|e| Failure::Other(e.to_string()))?,
    };
    if arguments.annotate || std::env::var_os("GITHUB_ACTIONS").is_some() {
        match arguments.output {
            Format::Table => text.push_str(&annotations(&tested)),
            // What programs read stays what they read.
            Format::Json | Format::Yaml => anstream::eprint!("{}", annotations(&tested)),
        }
    }
    let outcome = if tested.iter().all(Tested::passed) { Outcome::Passed } else { Outcome::Failed };
    output::print(&text, outcome)
}

/// Runs a scenario with one seed.
fn judge(case: &Case, seed: u64, ascii: bool) -> Vec<Claim> {
    let mut setup = Setup::clone(&case.rehearsal.setup);
    setup.seed = seed;
    let trace = sim::run(&setup);
    let timeline = Timeline::of(&trace);
    let verdicts = assertion::judge(&case.rehearsal.assertions, &trace, &timeline);
    let reproduce = table::reproduce(&case.rehearsal.arguments, seed);
    verdicts.iter().map(|v| Claim::of(v, &trace, &timeline, &reproduce, ascii)).collect()
}

/// The claims of a scenario over all its runs.
fn together(case: Case, runs: Vec<Option<Vec<Claim>>>) -> Tested {
    let claims = runs.into_iter().flatten().reduce(|mut all, run| {
        all.iter_mut().zip(run).for_each(|(claim, other)| claim.add(other));
        all
    });
    let name = case.rehearsal.setup.title.clone();
    Tested { file: case.file, name, seeds: case.seeds, claims: claims.unwrap_or_default() }
}

/// The scenarios among the paths, with their settings and seeds.
fn cases(arguments: &Test) -> Result<Vec<Case>, Failure> {
    let settings: Vec<Setting> = arguments.set.iter().map(|s| Setting::parse(s)).collect::<Result<_, _>>()?;
    let (mut cases, mut wrong) = (Vec::new(), Vec::new());
    for file in scenario_files(&arguments.paths)? {
        let name = file.display().to_string();
        let input = match load::load(std::slice::from_ref(&name), false, &mut std::io::empty()) {
            Ok(input) => input,
            Err(problems) => {
                wrong.extend(problems);
                continue;
            }
        };
        problems::print_warnings(&input.warnings);
        for scenario in &input.scenarios {
            let compiled = set::apply_each(scenario, &settings);
            match compiled.and_then(|scenario| compile::compile(&scenario, Overrides::default())) {
                Ok(rehearsal) => cases.push(case(&file, rehearsal, arguments.seeds)),
                Err(problems) => wrong.extend(problems),
            }
        }
    }
    if !wrong.is_empty() {
        return Err(Failure::Input(wrong));
    }
    let wanted = |case: &Case| {
        let known = format!("{} {}", case.file.display(), case.rehearsal.setup.title);
        arguments.filter.is_empty() || arguments.filter.iter().any(|f| known.contains(f.as_str()))
    };
    cases.retain(wanted);
    if cases.is_empty() {
        let hint = "remove --filter, or name other files or folders";
        return Err(Problem::new("there is no such scenario").with_hint(hint).into());
    }
    if let Some(shard) = arguments.shard {
        let mut number = 0;
        cases.retain(|_| {
            number += 1;
            shard.has(number - 1)
        });
    }
    Ok(cases)
}

fn case(file: &Path, rehearsal: Rehearsal, seeds: Option<SeedRange>) -> Case {
    let own = rehearsal.setup.seed;
    let seeds = match seeds {
        None => (own, rehearsal.seeds),
        Some(SeedRange::Count(count)) => (own, count),
        Some(SeedRange::From(first, count)) => (first, count),
    };
    Case { file: file.to_path_buf(), rehearsal, seeds }
}

/// The files that hold scenarios. In folders all of them are looked for, and
/// manifests are passed over; a file that is named must hold one.
fn scenario_files(paths: &[String]) -> Result<Vec<PathBuf>, Failure> {
    let mut files: Vec<PathBuf> = Vec::new();
    for path in paths {
        let named = load::expand(Path::new(""), path, true)?;
        let in_folder = named.len() != 1 || named[0] != Path::new(path);
        let before = files.len();
        for file in named {
            if !files.contains(&file) && (!in_folder || holds_scenario(&file)) {
                files.push(file);
            }
        }
        if files.len() == before && in_folder {
            let problem = Problem::new("there are no scenarios here").in_file(path);
            return Err(problem.with_hint(format!("a scenario has `apiVersion: {API_VERSION}`")).into());
        }
    }
    Ok(files)
}

/// Whether a file looks like a scenario; what is wrong with it is said later.
fn holds_scenario(file: &Path) -> bool {
    let text = std::fs::read(file).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    text.lines().any(|line| {
        let line = line.trim_start();
        line.starts_with("apiVersion: seatrial/") || line.trim_end() == format!("kind: {KIND}")
    })
}

/// The results for people: a line for each scenario, everything about
/// failures, and the sum.
fn people(tested: &[Tested], quiet: bool) -> String {
    let mut text = String::new();
    for scenario in tested {
        let passed = scenario.passed();
        if passed && quiet {
            continue;
        }
        let (mark, style) = if passed { ("✓", GOOD) } else { ("✗", BAD) };
        let claims = scenario.claims.len();
        let count = if claims == 0 { "claims nothing".to_string() } else { counted(claims as u64, "claim") };
        let seeds = if scenario.seeds.1 == 1 { String::new() } else { format!(", {} seeds", scenario.seeds.1) };
        let file = scenario.file.display();
        let _ = writeln!(text, "{style}{mark}{style:#} {}  {DIM}{file}: {count}{seeds}{DIM:#}", scenario.name);
        for (claim, fix) in scenario.documented().filter(|_| !quiet) {
            let _ = writeln!(text, "    expects {}  {DIM}fix: {}{DIM:#}", claim.name, fix.trim());
        }
        for claim in &scenario.claims {
            if let Some(first) = &claim.first {
                failure(claim, first, scenario.seeds.1, &mut text);
            }
        }
    }
    let failed = tested.iter().filter(|t| !t.passed()).count();
    let documented: usize = tested.iter().map(|t| t.documented().count()).sum();
    let runs: u64 = tested.iter().map(|t| u64::from(t.seeds.1)).sum();
    let _ = writeln!(
        text,
        "\n{} in {}: {} passed, {failed} failed; {}",
        counted(tested.len() as u64, "scenario"),
        counted(runs, "run"),
        tested.len() - failed,
        counted(documented as u64, "documented bad outcome"),
    );
    if !tested.is_empty() && tested.iter().all(|t| t.claims.is_empty()) {
        let _ = writeln!(text, "nothing is claimed, so nothing could fail: write claims under spec.assert");
    }
    text
}

/// `1 run`, `2 runs`.
fn counted(count: u64, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// Everything about a failure.
fn failure(claim: &Claim, first: &Failed, seeds: u32, text: &mut String) {
    let expects = if claim.fix.is_some() { "expects " } else { "" };
    let place = claim.place.as_ref().map(|(f, l, c)| format!("  {DIM}{}:{l}:{c}{DIM:#}", f.display()));
    let _ = writeln!(text, "    {BAD}✗{BAD:#} {expects}{}{}", claim.name, place.unwrap_or_default());
    if claim.name != claim.text {
        let _ = writeln!(text, "      claim    {}", claim.text);
    }
    let when = first.at.map(|at| format!(" at {at}")).unwrap_or_default();
    let _ = writeln!(text, "      first   {when} with seed {}: {}", first.seed, first.found);
    if seeds > 1 {
        let _ = writeln!(text, "      in       {} of {seeds} runs", claim.failed);
    }
    if let Some(object) = &first.object {
        let _ = writeln!(text, "      object   {object}");
    }
    if let Some((rule, upstream)) = &first.rule {
        let _ = writeln!(text, "      rule     {rule} [{upstream}]");
    }
    for (i, line) in first.why.iter().take(MOST_CAUSES).enumerate() {
        let _ = writeln!(text, "      {}  {line}", if i == 0 { "why    " } else { "       " });
    }
    if first.why.len() > MOST_CAUSES {
        let _ = writeln!(text, "               and {} more causes", first.why.len() - MOST_CAUSES);
    }
    if let Some(fix) = &claim.fix {
        let fix = fix.trim();
        let _ = writeln!(text, "      the documented bad outcome does not happen any more; its fix was: {fix}");
    }
    let _ = writeln!(text, "      replay   {}\n", first.reproduce);
    for line in first.cut.lines() {
        let _ = writeln!(text, "{}", format!("      {line}").trim_end());
    }
    text.push('\n');
}

/// The results for programs. Fields are added, never renamed or removed.
fn report(tested: &[Tested]) -> Value {
    let failed = |f: &Failed| {
        json!({
            "seed": f.seed,
            "atMs": f.at.map(seatrial::time::SimTime::as_ms),
            "found": f.found,
            "object": f.object,
            "rule": f.rule.as_ref().map(|r| &r.0),
            "upstream": f.rule.as_ref().map(|r| r.1),
            "why": f.why,
            "reproduce": f.reproduce,
            "waveform": f.cut,
        })
    };
    let claim = |c: &Claim| {
        json!({
            "name": c.name,
            "claim": c.text,
            "passed": c.passed(),
            "expects": c.fix.is_some(),
            "fix": c.fix,
            "failedRuns": c.failed,
            "first": c.first.as_ref().map(failed),
            "file": c.place.as_ref().map(|p| p.0.display().to_string()),
            "line": c.place.as_ref().map(|p| p.1),
            "column": c.place.as_ref().map(|p| p.2),
        })
    };
    let scenario = |t: &Tested| {
        json!({
            "name": t.name,
            "file": t.file.display().to_string(),
            "passed": t.passed(),
            "firstSeed": t.seeds.0,
            "seeds": t.seeds.1,
            "claims": t.claims.iter().map(claim).collect::<Vec<_>>(),
        })
    };
    json!({
        "apiVersion": API_VERSION,
        "kind": "TestReport",
        "passed": tested.iter().all(Tested::passed),
        "scenarios": tested.iter().map(scenario).collect::<Vec<_>>(),
    })
}

/// Failures as GitHub shows them beside the lines of a change.
fn annotations(tested: &[Tested]) -> String {
    let mut text = String::new();
    for (scenario, claim) in tested.iter().flat_map(|t| t.claims.iter().map(move |c| (t, c))) {
        let Some(first) = &claim.first else { continue };
        let (file, line, column) = claim.place.clone().unwrap_or((scenario.file.clone(), 1, 1));
        let when = first.at.map(|at| format!(" at {at}")).unwrap_or_default();
        let rule = first.rule.as_ref().map(|(rule, upstream)| format!("\n{rule} [{upstream}]")).unwrap_or_default();
        let message = format!("first{when}: {}{rule}\n{}", first.found, first.reproduce);
        let _ = writeln!(
            text,
            "::error file={},line={line},col={column},title={}::{}",
            property(&file.display().to_string()),
            property(&format!("{}: {}", scenario.name, claim.name)),
            escaped(&message)
        );
    }
    text
}

/// A text as GitHub's commands take it.
fn escaped(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    escaped(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn annotations_stay_on_one_line() {
        assert_eq!(escaped("50%\na:b"), "50%25%0Aa:b");
        assert_eq!(property("a:b,c"), "a%3Ab%2Cc");
    }
}
