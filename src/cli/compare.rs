//! `seatrial compare`: variants of a scenario side by side.

use super::arguments::{Compare, Format};
use super::output::{self, Failure};
use super::run::Finished;
use super::{Outcome, picture, problems, table};
use seatrial::comparison::{self, Figure};
use seatrial::error::Problem;
use seatrial::plot::{self, Window};
use seatrial::report::Comparison;
use seatrial::scenario::load::{self, Loaded};
use seatrial::scenario::set::{self, Choice, Setting};
use seatrial::scenario::{Overrides, compile};
use serde_json::json;
use std::fmt::Write as _;

/// More than these nobody compares by eye.
const MOST: usize = 24;
/// The most lines of a chain of causes.
const MOST_CAUSES: usize = 6;

/// Fields and the values that they get.
type Chosen = Vec<(String, Choice)>;

/// A variant that was run.
pub(super) struct Variant {
    pub(super) name: String,
    pub(super) finished: Finished,
}

/// Runs the variants and says what differs.
pub(super) fn compare(arguments: &Compare) -> Result<Outcome, Failure> {
    let format = arguments.plot.as_deref().map(picture::format).transpose()?;
    let variants = run_all(arguments)?;
    let compared = rows(&variants);
    if let (Some(path), Some(format)) = (&arguments.plot, format) {
        let runs: Vec<plot::Run<'_>> = variants
            .iter()
            .map(|v| plot::Run { name: &v.name, trace: &v.finished.trace, timeline: &v.finished.timeline })
            .collect();
        let options = picture::options(Window::Auto, &arguments.look);
        output::write_file(path, &plot::draw_side_by_side(&runs, &options, format)?)?;
    }
    if let Some(path) = &arguments.report {
        let mut compared = compared.clone();
        compared.push(partings(&variants));
        picture::write_report(path, &title(&variants), &variants, &compared)?;
    }
    let passed = variants.iter().all(|v| v.finished.passed());
    let outcome = if passed { Outcome::Passed } else { Outcome::Failed };
    let text = match arguments.output {
        Format::Table => for_people(&variants, &compared, arguments),
        Format::Json => format!("{:#}\n", for_programs(&variants, &compared)),
        Format::Yaml => {
            let value = for_programs(&variants, &compared);
            serde_yaml::to_string(&value).map_err(|e| Failure::Other(e.to_string()))?
        }
    };
    output::print(&text, outcome)
}

fn title(variants: &[Variant]) -> String {
    variants.first().map_or_else(String::new, |v| v.finished.timeline.title.clone())
}

fn run_all(arguments: &Compare) -> Result<Vec<Variant>, Failure> {
    let input = load::load(&arguments.paths, false, &mut std::io::stdin().lock()).map_err(Failure::Input)?;
    problems::print_warnings(&input.warnings);
    let settings: Vec<Setting> = arguments.set.iter().map(|s| Setting::parse(s)).collect::<Result<_, _>>()?;
    let (mut variants, mut wrong) = (Vec::new(), Vec::new());
    let several = input.scenarios.len() > 1;
    for scenario in &input.scenarios {
        for (name, chosen) in choices(scenario, &settings, several) {
            if variants.len() == MOST {
                let message = format!("these are more than {MOST} variants");
                return Err(Problem::new(message).with_hint("`seatrial sweep` tries many settings").into());
            }
            let chosen: Vec<(&str, &Choice)> = chosen.iter().map(|(f, c)| (f.as_str(), c)).collect();
            let compiled = set::apply(scenario, &chosen)
                .and_then(|loaded| compile::compile(&loaded, Overrides { seed: arguments.seed }));
            match compiled {
                Ok(rehearsal) => {
                    if variants.is_empty() {
                        problems::print_notes(&rehearsal.notes);
                    }
                    variants.push(Variant { name, finished: Finished::of(rehearsal) });
                }
                Err(problems) => wrong.extend(problems),
            }
        }
    }
    if !wrong.is_empty() {
        return Err(Failure::Input(wrong));
    }
    if variants.len() < 2 {
        let hint = "say what differs, such as --set cronjob/report.concurrencyPolicy=Allow,Forbid,Replace, \
                    with `variants` in the scenario, or with several scenarios";
        return Err(Problem::new("there is only one variant").with_hint(hint).into());
    }
    Ok(variants)
}

/// The names of variants and what is set in each.
fn choices(scenario: &Loaded, settings: &[Setting], several: bool) -> Vec<(String, Chosen)> {
    let own = scenario.file.as_ref().map(|f| f.spec.variants.as_slice()).unwrap_or_default();
    let mut all: Vec<(Vec<String>, Chosen)> = if own.is_empty() {
        vec![(Vec::new(), Vec::new())]
    } else {
        let choice = |value: &serde_json::Value| {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_string);
            Choice { text, value: value.clone() }
        };
        own.iter()
            .map(|v| (vec![v.name.clone()], v.set.iter().map(|(f, value)| (f.clone(), choice(value))).collect()))
            .collect()
    };
    for setting in settings {
        let short = setting.field.rsplit('.').next().unwrap_or(&setting.field);
        let mut next = Vec::new();
        for (names, chosen) in &all {
            for choice in &setting.values {
                let (mut names, mut chosen) = (names.clone(), chosen.clone());
                // A word says what it is; a number needs its field's name.
                let word = choice.text.chars().next().is_some_and(char::is_alphabetic);
                if setting.values.len() > 1 {
                    names.push(if word { choice.text.clone() } else { format!("{short}={}", choice.text) });
                }
                chosen.push((setting.field.clone(), choice.clone()));
                next.push((names, chosen));
            }
        }
        all = next;
    }
    let title = scenario.file.as_ref().and_then(|f| f.metadata.name.clone());
    let named = |(mut names, chosen): (Vec<String>, Chosen)| {
        if several || names.is_empty() {
            names.insert(0, title.clone().unwrap_or_else(|| scenario.arguments.join(" ")));
        }
        (names.join(", "), chosen)
    };
    all.into_iter().map(named).collect()
}

/// The figures of all variants, by workload and name.
fn rows(variants: &[Variant]) -> Vec<Comparison> {
    let of = |v: &Variant| comparison::figures(&v.finished.trace, &v.finished.timeline);
    let figures: Vec<Vec<Figure>> = variants.iter().map(of).collect();
    let mut keys: Vec<(&str, &str)> = Vec::new();
    for figure in figures.iter().flatten() {
        let key = (figure.workload.as_str(), figure.name);
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    let alone = keys.iter().all(|k| k.0 == keys[0].0);
    let value = |all: &Vec<Figure>, key: (&str, &str)| {
        let found = all.iter().find(|f| (f.workload.as_str(), f.name) == key);
        found.map_or_else(|| "-".to_string(), |f| f.value.clone())
    };
    let mut rows: Vec<Comparison> = keys
        .into_iter()
        .map(|key| Comparison {
            name: if alone { key.1.to_string() } else { format!("{} {}", key.0, key.1) },
            values: figures.iter().map(|all| value(all, key)).collect(),
        })
        .collect();
    if variants.iter().any(|v| !v.finished.verdicts.is_empty()) {
        let held = |v: &Variant| {
            let held = v.finished.verdicts.iter().filter(|v| v.passed).count();
            format!("{held} of {}", v.finished.verdicts.len())
        };
        rows.push(Comparison { name: "claims that held".to_string(), values: variants.iter().map(held).collect() });
    }
    rows
}

fn for_people(variants: &[Variant], compared: &[Comparison], arguments: &Compare) -> String {
    let mut text = String::new();
    let _ = writeln!(text, "{}\n", title(variants));
    for variant in variants {
        let _ = writeln!(text, "== {}", variant.name);
        let options = picture::text_options(&arguments.look, Window::Auto);
        let drawing = plot::text::waveform(&variant.finished.trace, &variant.finished.timeline, &options);
        // All have one title, and it stands above.
        let drawing = drawing.split_once("\n\n").map_or(drawing.as_str(), |(_, rest)| rest);
        let _ = writeln!(text, "{drawing}");
        let failed: Vec<&str> =
            variant.finished.verdicts.iter().filter(|v| !v.passed).map(|v| v.name.as_str()).collect();
        if !failed.is_empty() {
            let _ = writeln!(text, "failed: {}\n", failed.join("; "));
        }
    }
    let width = picture::columns(&arguments.look);
    text.push_str(&table_of(variants, compared, width));
    for other in &variants[1..] {
        text.push_str(&parting(&variants[0], other));
    }
    plot::table::folded(&text, width)
}

/// The table of figures; rows in which variants differ are marked.
fn table_of(variants: &[Variant], compared: &[Comparison], width: Option<usize>) -> String {
    let mut rows: Vec<Vec<String>> = Vec::new();
    rows.push(std::iter::once(String::new()).chain(variants.iter().map(|v| v.name.clone())).collect());
    for row in compared {
        let differs = row.values.iter().any(|v| *v != row.values[0]);
        let name = format!("{} {}", if differs { "*" } else { " " }, row.name);
        rows.push(std::iter::once(name).chain(row.values.iter().cloned()).collect());
    }
    format!("what differs (*)\n{}", plot::table::table(&rows, width))
}

/// What each variant did first otherwise than the first one, in a row.
fn partings(variants: &[Variant]) -> Comparison {
    let first = &variants[0].finished.trace;
    let of = |other: &Variant| {
        let trace = &other.finished.trace;
        let Some(found) = comparison::parting(first, trace) else { return "nothing".to_string() };
        let did = found.right.and_then(|id| trace.record(id)).map(|r| trace.describe(r));
        let instead = found.left.and_then(|id| first.record(id)).map(|r| first.describe(r));
        let did = did.unwrap_or_else(|| "nothing".to_string());
        let instead = instead.map(|i| format!(" (there: {i})")).unwrap_or_default();
        format!("at {}: {did}{instead}", found.at)
    };
    let values = std::iter::once("-".to_string()).chain(variants[1..].iter().map(of)).collect();
    Comparison { name: format!("first does otherwise than {}", variants[0].name), values }
}

/// The first thing that one did and the other did not, and why.
fn parting(first: &Variant, other: &Variant) -> String {
    let (left, right) = (&first.finished.trace, &other.finished.trace);
    let Some(found) = comparison::parting(left, right) else {
        return format!("\n{} and {} do the same\n", first.name, other.name);
    };
    let mut text = format!("\n{} and {} part at {}\n", first.name, other.name, found.at);
    for (variant, record) in [(first, found.left), (other, found.right)] {
        let Some(record) = record else {
            let _ = writeln!(text, "  {}: nothing then", variant.name);
            continue;
        };
        let chain = seatrial::explain::chain(&variant.finished.trace, record);
        let _ = writeln!(text, "  {}:", variant.name);
        for line in chain.iter().take(MOST_CAUSES) {
            let _ = writeln!(text, "    {line}");
        }
    }
    text
}

fn for_programs(variants: &[Variant], compared: &[Comparison]) -> serde_json::Value {
    let part = |other: &Variant| {
        let found = comparison::parting(&variants[0].finished.trace, &other.finished.trace)?;
        let chain = |v: &Variant, record: Option<seatrial::trace::RecordId>| {
            record.map(|r| seatrial::explain::chain(&v.finished.trace, r))
        };
        Some(json!({
            "with": other.name, "atMs": found.at.as_ms(),
            "first": chain(&variants[0], found.left), "other": chain(other, found.right),
        }))
    };
    let variants_json: Vec<_> = variants
        .iter()
        .map(|v| {
            json!({
                "name": v.name,
                "digest": v.finished.trace.digest(),
                "passed": v.finished.passed(),
                "command": table::reproduce(&v.finished.rehearsal.arguments, v.finished.rehearsal.setup.seed),
            })
        })
        .collect();
    let figures: Vec<_> = compared.iter().map(|c| json!({"name": c.name, "values": c.values})).collect();
    json!({
        "variants": variants_json,
        "figures": figures,
        "partings": variants[1..].iter().filter_map(part).collect::<Vec<_>>(),
    })
}
