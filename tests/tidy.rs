//! The rules of the house that a machine can keep.

use std::fs;
use std::path::{Path, PathBuf};

fn sources(dir: &Path, into: &mut Vec<PathBuf>) {
    let mut entries: Vec<_> = fs::read_dir(dir).expect("a folder").map(|e| e.expect("an entry").path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            sources(&path, into);
        } else if path.extension().is_some_and(|e| e == "rs") {
            into.push(path);
        }
    }
}

fn all_sources() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut paths = Vec::new();
    for dir in ["src", "tests", "benches"] {
        sources(&root.join(dir), &mut paths);
    }
    paths
        .into_iter()
        .map(|path| {
            let name = path.strip_prefix(root).expect("below the root").display().to_string();
            (name, fs::read_to_string(&path).expect("a source file"))
        })
        .collect()
}

/// Who may not use whom. Data flows from manifests to pictures; nothing that
/// decides may see what only the kernel or the reader of a trace knows.
const FORBIDDEN: &[(&str, &[&str])] = &[
    ("src/api/", &["cluster", "controllers", "environment", "sim", "trace", "timeline", "scenario", "plot", "cli"]),
    ("src/cluster/", &["controllers", "environment", "sim", "trace", "timeline", "scenario", "plot", "cli"]),
    ("src/controllers/", &["sim", "rng", "environment", "timeline", "scenario", "plot", "cli", "conformance"]),
    ("src/environment/", &["timeline", "scenario", "plot", "cli", "conformance"]),
    ("src/sim/", &["timeline", "scenario", "plot", "cli", "conformance", "assertion"]),
    ("src/timeline", &["sim", "cluster", "controllers", "environment", "scenario", "plot", "cli"]),
    ("src/plot/", &["sim", "cluster", "controllers", "environment", "scenario", "cli"]),
    ("src/campaign/", &["cluster", "controllers", "environment", "sim", "plot", "cli", "conformance"]),
    ("src/difference", &["cluster", "controllers", "environment", "sim", "scenario", "plot", "cli"]),
    ("src/assertion", &["sim", "cluster", "controllers", "environment", "scenario", "cli"]),
];

/// The part of a file that is not its tests.
fn code(text: &str) -> &str {
    text.split("#[cfg(test)]").next().unwrap_or(text)
}

#[test]
fn modules_use_only_what_they_may() {
    let mut wrong = Vec::new();
    for (name, text) in all_sources() {
        for (prefix, forbidden) in FORBIDDEN {
            if !name.starts_with(prefix) {
                continue;
            }
            for (number, line) in code(&text).lines().enumerate() {
                let line = line.trim_start();
                if line.starts_with("//") {
                    continue;
                }
                for other in *forbidden {
                    if line.contains(&format!("crate::{other}::")) {
                        wrong.push(format!("{name}:{}: uses {other}: {line}", number + 1));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn rooms_stay_small() {
    let long: Vec<String> = all_sources()
        .iter()
        .filter(|(name, _)| name.starts_with("src/"))
        .map(|(name, text)| (name, text.lines().count()))
        .filter(|(_, lines)| *lines > 800)
        .map(|(name, lines)| format!("{name}: {lines} lines"))
        .collect();
    assert!(long.is_empty(), "{}", long.join("\n"));
}

#[test]
fn functions_fit_on_a_screen() {
    let mut long = Vec::new();
    for (name, text) in all_sources().iter().filter(|(name, _)| name.starts_with("src/")) {
        let mut start: Option<(usize, usize, &str)> = None;
        for (number, line) in code(text).lines().enumerate() {
            let indent = line.len() - line.trim_start().len();
            let head = line.trim_start();
            if start.is_none() && (head.starts_with("fn ") || head.contains(" fn ")) && !head.starts_with("//") {
                start = Some((number, indent, head));
            }
            if let Some((first, depth, head)) = start
                && indent == depth
                && (line.trim_start() == "}" || (number == first && line.trim_end().ends_with(['}', ';'])))
            {
                if number - first + 1 > 75 {
                    long.push(format!("{name}:{}: {} lines: {head}", first + 1, number - first + 1));
                }
                start = None;
            }
        }
    }
    assert!(long.is_empty(), "{}", long.join("\n"));
}

#[test]
fn the_core_has_no_clock_no_thread_and_no_global() {
    let core = ["api/", "cluster/", "controllers/", "environment/", "sim/", "trace", "timeline", "rng", "sort"];
    let banned = [
        "std::time::Instant",
        "SystemTime",
        "std::thread",
        "std::env",
        "std::fs",
        "thread_local!",
        "static mut",
        "LazyLock",
        "OnceLock",
        "std::collections::HashMap",
        "std::collections::HashSet",
        ".ln()",
        ".exp()",
        ".powf(",
        ".log2()",
        ".log10()",
    ];
    let mut wrong = Vec::new();
    for (name, text) in all_sources() {
        if !core.iter().any(|part| name.starts_with(&format!("src/{part}"))) {
            continue;
        }
        for (number, line) in code(&text).lines().enumerate() {
            if line.trim_start().starts_with("//") {
                continue;
            }
            for word in banned.iter().filter(|word| line.contains(**word)) {
                wrong.push(format!("{name}:{}: {word}", number + 1));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn threads_are_in_one_place() {
    let elsewhere: Vec<String> = all_sources()
        .into_iter()
        .filter(|(name, text)| name.starts_with("src/") && code(text).contains("std::thread"))
        .map(|(name, _)| name)
        .filter(|name| name != "src/cli/campaign/pool.rs")
        .collect();
    assert!(elsewhere.is_empty(), "{elsewhere:?}");
}

#[test]
fn nothing_is_left_open() {
    // Put together here, so that this file is looked at like all others.
    let marks = [
        concat!("todo", "!("),
        concat!("unimplemented", "!("),
        concat!("dbg", "!("),
        concat!("FIX", "ME"),
        concat!("X", "XX"),
    ];
    let mut open = Vec::new();
    for (name, text) in all_sources() {
        for (number, line) in text.lines().enumerate() {
            if marks.iter().any(|mark| line.contains(mark)) {
                open.push(format!("{name}:{}: {line}", number + 1));
            }
        }
    }
    assert!(open.is_empty(), "{}", open.join("\n"));
}

#[test]
fn rules_name_their_source() {
    let missing: Vec<String> = all_sources()
        .iter()
        .filter(|(name, _)| name.starts_with("src/controllers/") && name.contains("rules"))
        .filter(|(_, text)| !text.contains("/// Upstream: `"))
        .map(|(name, _)| format!("{name} has rules without a source"))
        .collect();
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}
