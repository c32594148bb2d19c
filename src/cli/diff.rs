//! `seatrial diff`

use super::Outcome;
use super::arguments::Diff;
use super::output::{self, Failure};
use super::{picture, problems, trace};
use seatrial::difference::{self, Difference};
use seatrial::error::Problem;
use seatrial::explain;
use seatrial::plot::table::folded;
use seatrial::scenario::set::{self, Setting};
use seatrial::scenario::{Overrides, compile, load};
use seatrial::sim;
use seatrial::trace::{RecordId, Trace};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::Path;

/// Compares two runs; they fail to be the same if they differ.
pub(super) fn diff(arguments: &Diff) -> Result<Outcome, Failure> {
    let right = arguments.right.as_ref().unwrap_or(&arguments.left);
    if *right == arguments.left && arguments.set_left == arguments.set_right {
        let problem = Problem::new("a run does not differ from itself");
        return Err(problem.with_hint("name two inputs, or settings with --set-a and --set-b").into());
    }
    let traces =
        [run(&arguments.left, &arguments.set_left, arguments.seed)?, run(right, &arguments.set_right, arguments.seed)?];
    let names = [named(&arguments.left, &arguments.set_left), named(right, &arguments.set_right)];
    let found = difference::difference(&traces[0], &traces[1]);
    let outcome = if found.is_none() { Outcome::Passed } else { Outcome::Failed };
    let text = if arguments.json {
        format!("{:#}\n", report(&traces, &names, found.as_ref(), arguments.most))
    } else {
        folded(&people(&traces, &names, found.as_ref(), arguments.most), picture::terminal_columns())
    };
    output::print(&text, outcome)
}

fn named(path: &str, settings: &[String]) -> String {
    settings.iter().fold(path.to_string(), |text, set| format!("{text} --set {set}"))
}

/// A trace from its file, or from a run of a scenario or of manifests.
fn run(path: &str, settings: &[String], seed: Option<u64>) -> Result<Trace, Failure> {
    if Path::new(path).extension().is_some_and(|e| e == "jsonl") {
        if !settings.is_empty() {
            let problem = Problem::new("a trace is over: nothing can be set any more").in_file(path);
            return Err(problem.into());
        }
        return trace::read(Path::new(path));
    }
    let input = load::load(&[path.to_string()], false, &mut std::io::stdin().lock()).map_err(Failure::Input)?;
    problems::print_warnings(&input.warnings);
    let [scenario] = &input.scenarios[..] else {
        let message = format!("two runs are compared, and these are {} scenarios", input.scenarios.len());
        return Err(Problem::new(message).in_file(path).into());
    };
    let settings: Vec<Setting> = settings.iter().map(|s| Setting::parse(s)).collect::<Result<_, _>>()?;
    let compiled = set::apply_each(scenario, &settings).and_then(|s| compile::compile(&s, Overrides { seed }));
    Ok(sim::run(&compiled.map_err(Failure::Input)?.setup))
}

const SIDES: [&str; 2] = ["A", "B"];

fn people(traces: &[Trace; 2], names: &[String; 2], found: Option<&Difference>, most: usize) -> String {
    let mut text = format!("A  {}\nB  {}\n\n", names[0], names[1]);
    let Some(found) = found else {
        let _ = writeln!(text, "the runs are the same: digest {}", traces[0].digest());
        return text;
    };
    if found.input.iter().any(|side| !side.is_empty()) {
        text.push_str("what was asked for\n");
        for (name, lines) in SIDES.iter().zip(&found.input) {
            for line in lines {
                text.push_str(&format!("  {name}  {line}\n"));
            }
        }
        text.push('\n');
    }
    let decided = found.decision != [None, None];
    let (title, sides) = if decided {
        ("the first decision that differs", &found.decision)
    } else {
        ("all decisions are the same; the first thing that differs", &found.record)
    };
    let _ = writeln!(text, "{title}");
    for ((name, trace), id) in SIDES.iter().zip(traces).zip(sides) {
        let lines = id.map_or_else(|| vec!["nothing more".to_string()], |id| explain::chain(trace, id));
        for (i, line) in lines.iter().take(8).enumerate() {
            let _ = writeln!(text, "  {}  {line}", if i == 0 { name } else { " " });
        }
    }
    for ((name, trace), ids) in SIDES.iter().zip(traces).zip(&found.followed) {
        if ids.is_empty() || most == 0 {
            continue;
        }
        let _ = writeln!(text, "\nwhat followed in {name}");
        followed(trace, ids, most, &mut text);
    }
    figures(found, &mut text);
    text
}

/// The first things that followed, with their times in one column.
fn followed(trace: &Trace, ids: &[RecordId], most: usize, text: &mut String) {
    let shown: Vec<_> = ids.iter().take(most).filter_map(|id| trace.record(*id)).collect();
    let width = shown.iter().map(|r| r.at.to_string().len()).max().unwrap_or(0);
    for record in shown {
        let _ = writeln!(text, "  {:<width$}  {}", record.at.to_string(), trace.describe(record));
    }
    if ids.len() > most {
        let _ = writeln!(text, "  and {} more", ids.len() - most);
    }
}

/// The figures that differ, in columns.
fn figures(found: &Difference, text: &mut String) {
    if found.figures.is_empty() {
        text.push_str("\nno figure of a workload differs in the end\n");
        return;
    }
    let mut rows = vec![["in the end".to_string(), "A".to_string(), "B".to_string()]];
    for figure in &found.figures {
        let [a, b] = figure.values.clone();
        rows.push([format!("{} {}", figure.workload, figure.name), a, b]);
    }
    let width = |i: usize| rows.iter().map(|r| r[i].chars().count()).max().unwrap_or(0);
    let (first, second) = (width(0), width(1));
    text.push('\n');
    for [name, a, b] in &rows {
        let _ = writeln!(text, "{}", format!("{name:<first$}  {a:<second$}  {b}").trim_end());
    }
}

/// The same for programs.
fn report(traces: &[Trace; 2], names: &[String; 2], found: Option<&Difference>, most: usize) -> Value {
    let side = |i: usize| {
        let trace = &traces[i];
        let chain = |id: Option<RecordId>| id.map(|id| explain::chain(trace, id));
        let at = |id: Option<RecordId>| id.and_then(|id| trace.record(id)).map(|r| r.at.as_ms());
        let followed = found.map(|f| {
            let ids = f.followed[i].iter().take(most).filter_map(|id| trace.record(*id));
            ids.map(|r| json!({"atMs": r.at.as_ms(), "text": trace.describe(r)})).collect::<Vec<_>>()
        });
        json!({
            "input": names[i],
            "digest": trace.digest(),
            "asked": found.map(|f| &f.input[i]),
            "decisionAtMs": at(found.and_then(|f| f.decision[i])),
            "decision": chain(found.and_then(|f| f.decision[i])),
            "recordAtMs": at(found.and_then(|f| f.record[i])),
            "record": chain(found.and_then(|f| f.record[i])),
            "followed": followed,
        })
    };
    let figures = found.map(|f| {
        let one = |g: &difference::Figure| json!({"workload": g.workload, "figure": g.name, "a": g.values[0], "b": g.values[1]});
        f.figures.iter().map(one).collect::<Vec<_>>()
    });
    json!({"same": found.is_none(), "a": side(0), "b": side(1), "figures": figures})
}
