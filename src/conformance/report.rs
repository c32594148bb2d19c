//! Everything below a directory: what agrees, what does not and how.

use super::case::Case;
use super::check::{Outcome, check};
use super::{files, pattern, vectors};
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;

/// What to look at and how much to say.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Options {
    /// Only what has this in its name (`deployment/grid-r3-s0-u1`,
    /// `vectors/rollout_step`), or with `*` what fits as a whole.
    pub only: Option<String>,
    /// Only the table, not the differences.
    pub quiet: bool,
}

impl Options {
    fn wants(&self, name: &str) -> bool {
        self.only.as_ref().is_none_or(|only| {
            if only.contains('*') { pattern::matches(only, name) } else { name.contains(only.as_str()) }
        })
    }
}

/// How many cases and vectors agree.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Summary {
    /// Cases and lines of vectors that agree.
    pub agree: usize,
    /// Cases and lines of vectors.
    pub total: usize,
    /// Cases whose Kubernetes Events agree.
    pub events_agree: usize,
    /// Cases whose Kubernetes Events were recorded.
    pub cases: usize,
}

impl Summary {
    /// Whether every trace and every vector agrees; Events do not count.
    pub const fn all_agree(&self) -> bool {
        self.agree == self.total
    }

    fn add(&mut self, other: Summary) {
        self.agree += other.agree;
        self.total += other.total;
        self.events_agree += other.events_agree;
        self.cases += other.cases;
    }
}

/// What a file gave: its part of the table, its numbers, its differences.
struct FileResult {
    group: String,
    summary: Summary,
    differences: Vec<String>,
}

/// Checks all cases (`*.json`) and vectors (`*.jsonl`) below a directory and
/// writes the differences, a line per group and the sum.
///
/// # Errors
/// A file that cannot be read, or `out` that cannot be written.
pub fn run(dir: &Path, options: &Options, out: &mut impl Write) -> io::Result<Summary> {
    let mut groups: BTreeMap<String, Summary> = BTreeMap::new();
    for path in files::list(dir)? {
        let Some(result) = file(&path, options)? else { continue };
        if !options.quiet {
            for difference in &result.differences {
                writeln!(out, "{}", difference.trim_end())?;
            }
        }
        groups.entry(result.group).or_default().add(result.summary);
    }
    let width = groups.keys().map(|g| g.chars().count()).max().unwrap_or(0);
    let mut sum = Summary::default();
    for (group, part) in &groups {
        let events = match part.cases {
            0 => String::new(),
            cases => format!(", events {} of {cases}", part.events_agree),
        };
        writeln!(out, "{group:width$}  {} of {} agree{events}", part.agree, part.total)?;
        sum.add(*part);
    }
    writeln!(out, "{} of {} agree, events {} of {}", sum.agree, sum.total, sum.events_agree, sum.cases)?;
    Ok(sum)
}

/// Checks one file; `None` if it is no case and no vectors, or not wanted.
fn file(path: &Path, options: &Options) -> io::Result<Option<FileResult>> {
    let stem = path.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
    match path.extension().and_then(|e| e.to_str()) {
        Some("json") => {
            let folder = path.parent().and_then(Path::file_name).map(|f| f.to_string_lossy().into_owned());
            let named = [folder.unwrap_or_default(), stem];
            Ok(case(&named, &files::read(path)?, options))
        }
        Some("jsonl") if options.wants(&format!("vectors/{stem}")) => Ok(Some(vector_file(&stem, &files::read(path)?))),
        _ => Ok(None),
    }
}

/// Checks a case; `named` are group and name if the file does not tell.
fn case(named: &[String; 2], text: &str, options: &Options) -> Option<FileResult> {
    let case = match Case::parse(text) {
        Ok(case) => case,
        Err(error) => {
            let [group, name] = named;
            let title = format!("{group}/{name}");
            return options.wants(&title).then(|| FileResult {
                group: group.clone(),
                summary: Summary { total: 1, ..Summary::default() },
                differences: vec![format!("{title}: not a valid case: {error}")],
            });
        }
    };
    let title = case.title();
    if !options.wants(&title) {
        return None;
    }
    let checked = check(&case);
    let events = checked.events.as_ref();
    let both = std::iter::once(&checked.trace).chain(events);
    let mut differences: Vec<String> = both
        .filter_map(|outcome| match outcome {
            Outcome::Agrees => None,
            Outcome::Differs(how) => Some(format!("{title}: {how}")),
        })
        .collect();
    differences.dedup();
    let summary = Summary {
        agree: usize::from(checked.trace.agrees()),
        total: 1,
        events_agree: usize::from(events.is_some_and(Outcome::agrees)),
        cases: usize::from(events.is_some()),
    };
    Some(FileResult { group: case.group, summary, differences })
}

fn vector_file(stem: &str, text: &str) -> FileResult {
    let tally = vectors::check(stem, text);
    let group = format!("vectors/{stem}");
    FileResult {
        differences: tally.first.iter().map(|first| format!("{group}: {first}")).collect(),
        summary: Summary { agree: tally.agree, total: tally.lines, ..Summary::default() },
        group,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named() -> [String; 2] {
        ["group".to_string(), "name".to_string()]
    }

    #[test]
    fn a_broken_case_counts_as_a_difference() {
        let result = case(&named(), "{", &Options::default()).expect("wanted");
        assert_eq!(result.summary, Summary { total: 1, ..Summary::default() });
        assert!(result.differences[0].starts_with("group/name: not a valid case: "), "{:?}", result.differences);
    }

    #[test]
    fn a_case_that_is_not_modelled_differs_once() {
        let text = r#"{"name": "n", "group": "g", "objects": [{"kind": "Gadget"}], "until_ms": 1,
            "environment": {"start": "2026-01-05T00:00:00Z", "nodes": []}, "trace": [], "events": []}"#;
        let result = case(&named(), text, &Options::default()).expect("wanted");
        assert_eq!(result.differences, ["g/n: not modelled: kind Gadget"]);
        assert_eq!(result.summary, Summary { agree: 0, total: 1, events_agree: 0, cases: 1 });
        assert!(!result.summary.all_agree());
    }

    #[test]
    fn only_part_of_it_can_be_wanted() {
        for (only, name, wanted) in [
            (None, "deployment/a", true),
            (Some("ployment/"), "deployment/a", true),
            (Some("job"), "deployment/a", false),
            (Some("deployment/*"), "deployment/a", true),
            (Some("ployment/*"), "deployment/a", false),
        ] {
            let options = Options { only: only.map(str::to_string), quiet: false };
            assert_eq!(options.wants(name), wanted, "{only:?} {name}");
        }
    }

    #[test]
    fn vectors_are_counted_by_line() {
        let result = vector_file("nothing_known", "{}\n{}\n");
        assert_eq!((result.summary.agree, result.summary.total, result.summary.cases), (0, 2, 0));
        assert_eq!(result.group, "vectors/nothing_known");
    }
}
