//! Every scenario of the gallery is one test: its assertions hold, and
//! `seatrial run` prints what stands in its golden file, to the last byte.
//!
//! `scenario.yaml` belongs to `expected.txt`, a variant such as `fixed.yaml`
//! to `expected-fixed.txt`. `UPDATE=1` rewrites the golden files and removes
//! those that belong to nothing.

use libtest_mimic::{Arguments, Failed, Trial};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// What editors check scenario files with; written by `seatrial schema`.
const SCHEMA: &str = "scenarios/scenario.schema.json";
/// The first line of every scenario file.
const MODELINE: &str = "# yaml-language-server: $schema=../../scenario.schema.json";

fn main() -> io::Result<ExitCode> {
    let arguments = Arguments::from_args();
    let mut trials = Vec::new();
    let mut goldens = Vec::new();
    let mut folders = Vec::new();
    for group in folders_in(Path::new("scenarios"))? {
        for folder in folders_in(&root().join(&group))? {
            let folder = folder.strip_prefix(root()).unwrap_or(&folder).to_path_buf();
            for file in scenario_files(&folder)? {
                goldens.push(golden_of(&file));
                let name = file.with_extension("").to_string_lossy().replace("scenarios/", "").replace('/', "::");
                let (run, read) = (file.clone(), file.clone());
                trials.push(Trial::test(name.clone(), move || is_as_expected(&run)));
                trials.push(Trial::test(format!("{name}::form"), move || has_its_form(&read)));
            }
            folders.push(folder);
        }
    }
    let known = goldens.clone();
    let all = folders.clone();
    trials.push(Trial::test("goldens::every_one_belongs_to_a_scenario", move || no_strays(&folders, &known)));
    trials.push(Trial::test("readme::names_every_scenario_and_nothing_else", move || readme_names(&all)));
    trials.push(Trial::test("topics::lead_to_scenarios", topics_lead_to_scenarios));
    trials.push(Trial::test("schema::is_what_the_command_prints", || {
        let output = Command::new(env!("CARGO_BIN_EXE_seatrial")).arg("schema").output()?;
        same_as_golden(Path::new(SCHEMA), &String::from_utf8(output.stdout)?)
    }));
    Ok(libtest_mimic::run(&arguments, trials).exit_code())
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn updating() -> bool {
    std::env::var_os("UPDATE").is_some()
}

/// The folders in a folder of the crate, sorted.
fn folders_in(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut all: Vec<PathBuf> =
        fs::read_dir(root().join(folder))?.map(|e| e.map(|e| e.path())).collect::<Result<_, _>>()?;
    all.retain(|path| path.is_dir());
    all.sort();
    Ok(all)
}

/// The files of a folder whose names end so, relative to the crate, sorted.
fn files_in(folder: &Path, extension: &str) -> io::Result<Vec<PathBuf>> {
    let names: Vec<_> =
        fs::read_dir(root().join(folder))?.map(|e| e.map(|e| e.file_name())).collect::<Result<_, _>>()?;
    let mut all: Vec<PathBuf> = names.iter().map(|name| folder.join(name)).collect();
    all.retain(|path| path.extension().is_some_and(|e| e == extension));
    all.sort();
    Ok(all)
}

/// The scenarios of a folder; manifests lie one folder below.
fn scenario_files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    files_in(folder, "yaml")
}

fn golden_of(scenario: &Path) -> PathBuf {
    let stem = scenario.file_stem().unwrap_or_default().to_string_lossy();
    scenario.with_file_name(match &*stem {
        "scenario" => "expected.txt".to_string(),
        variant => format!("expected-{variant}.txt"),
    })
}

/// Compares with a golden file, or writes it if `UPDATE` is set.
fn same_as_golden(golden: &Path, text: &str) -> Result<(), Failed> {
    let path = root().join(golden);
    if updating() {
        return Ok(fs::write(path, text)?);
    }
    let expected = fs::read_to_string(path).map_err(|e| format!("{}: {e}", golden.display()))?;
    if expected == text {
        return Ok(());
    }
    let (line, (old, new)) = expected
        .lines()
        .chain(std::iter::repeat("(nothing)"))
        .zip(text.lines().chain(["(nothing)"]))
        .enumerate()
        .find(|(_, (old, new))| old != new)
        .unwrap_or((0, ("(something)", "(less)")));
    let first = format!("line {}\n  expected {old}\n  found    {new}", line + 1);
    Err(format!("{} differs, first in {first}\nUPDATE=1 rewrites it; now it is\n\n{text}", golden.display()).into())
}

/// Runs the command as a newcomer would.
fn is_as_expected(scenario: &Path) -> Result<(), Failed> {
    let output = Command::new(env!("CARGO_BIN_EXE_seatrial")).current_dir(root()).arg("run").arg(scenario).output()?;
    let text = String::from_utf8(output.stdout)?;
    if !output.status.success() {
        let problems = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(format!("{}\n{text}{problems}", output.status).into());
    }
    same_as_golden(&golden_of(scenario), &text)
}

/// Every scenario tells editors its schema, says in three lines what it
/// teaches, is called as its folder and claims something.
fn has_its_form(scenario: &Path) -> Result<(), Failed> {
    let text = fs::read_to_string(root().join(scenario))?;
    let value: serde_json::Value = serde_yaml::from_str(&text)?;
    let folder = scenario.parent().and_then(Path::file_name).unwrap_or_default().to_string_lossy().into_owned();
    let at = |path: &str| value.pointer(path).and_then(|v| v.as_str()).unwrap_or_default().to_string();
    let claims = ["/assert", "/expects"].iter().filter_map(|list| value.pointer(list)?.as_array()).flatten().count();
    let rules = [
        (text.lines().next() == Some(MODELINE), "the first line is the modeline"),
        (at("/metadata/name").starts_with(&folder), "metadata.name begins with the folder's name"),
        (at("/spec/about").lines().count() == 3, "spec.about has three lines"),
        (
            at("/spec/about").lines().all(|l| l.chars().count() <= 110),
            "lines of spec.about have at most 110 characters",
        ),
        (claims > 0, "there is an assertion"),
    ];
    let broken: Vec<&str> = rules.iter().filter(|(kept, _)| !kept).map(|(_, rule)| *rule).collect();
    if broken.is_empty() { Ok(()) } else { Err(format!("not kept: {}", broken.join("; ")).into()) }
}

/// A golden file without its scenario would never be compared again.
fn no_strays(folders: &[PathBuf], known: &[PathBuf]) -> Result<(), Failed> {
    let mut strays = Vec::new();
    for folder in folders {
        strays.extend(files_in(folder, "txt")?.into_iter().filter(|file| !known.contains(file)));
    }
    if updating() {
        for stray in &strays {
            fs::remove_file(root().join(stray))?;
        }
        return Ok(());
    }
    if strays.is_empty() { Ok(()) } else { Err(format!("no scenario belongs to {strays:?}").into()) }
}

/// Every link of the list of topics leads to a scenario of the name that it
/// shows, and a topic without one says why.
fn topics_lead_to_scenarios() -> Result<(), Failed> {
    let text = fs::read_to_string(root().join("scenarios/TOPICS.md"))?;
    let rows = text.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| topic "));
    let mut wrong = Vec::new();
    for row in rows {
        let shown = row.trim_end_matches(" |").rsplit_once(" | ").map_or("", |(_, shown)| shown);
        let leads = |link: &str| {
            let parts = link.strip_prefix('[').and_then(|l| l.strip_suffix(')')).and_then(|l| l.split_once("]("));
            parts.is_some_and(|(name, path)| {
                path.ends_with(&format!("/{name}"))
                    && root().join("scenarios").join(path).join("scenario.yaml").exists()
            })
        };
        let says_why = shown.strip_prefix("no run: ").is_some_and(|why| why.ends_with('.'));
        if !says_why && !shown.split(", ").all(leads) {
            wrong.push(row);
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(format!("lead nowhere: {wrong:#?}").into()) }
}

/// The table in the gallery's README has one row for each folder.
fn readme_names(folders: &[PathBuf]) -> Result<(), Failed> {
    let text = fs::read_to_string(root().join("scenarios/README.md"))?;
    let links: Vec<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("| [")?.split_once("](")?.1.split_once(')').map(|(link, _)| link))
        .collect();
    let names: Vec<String> = folders.iter().map(|f| f.to_string_lossy().replace("scenarios/", "")).collect();
    let missing: Vec<&String> = names.iter().filter(|n| !links.contains(&n.as_str())).collect();
    let unknown: Vec<&&str> = links.iter().filter(|l| !names.iter().any(|n| n == **l)).collect();
    if missing.is_empty() && unknown.is_empty() && links.len() == names.len() {
        return Ok(());
    }
    Err(format!("without a row: {missing:?}; rows without a folder or given twice: {unknown:?}").into())
}
