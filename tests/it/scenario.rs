//! Scenario files: the reference's examples work, and no text makes reading
//! them panic.

use super::manifests::WEB;
use seatrial::scenario::{from_text, yaml};
use std::path::Path;

const DOCUMENTATION: &str = include_str!("../../docs/scenario.md");

const SERVICES: &str = "---
{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {selector: {app: web}}}
---
{apiVersion: v1, kind: Service, metadata: {name: shop}, spec: {selector: {app: web}}}
";

/// The YAML blocks of the reference.
fn examples() -> Vec<&'static str> {
    DOCUMENTATION.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect()
}

#[test]
fn the_examples_of_the_reference_work() {
    let examples = examples();
    assert!(examples.len() >= 5);
    for example in examples {
        let head = "apiVersion: seatrial/v1alpha1\nkind: Scenario\n";
        let needs_actions = example.starts_with("assert:");
        let actions = "spec: {actions: [{at: 30s, setImage: {deployment/web: 'app:v2'}}]}\n";
        let text = match (example.contains("kind: Scenario"), needs_actions) {
            (true, _) => example.to_string(),
            (false, true) => format!("{head}{actions}{example}"),
            (false, false) => format!("{head}{example}"),
        };
        let text = text.replace("manifests: [web.yaml]", "manifests: []");
        let compiled = from_text(&format!("{WEB}{SERVICES}---\n{text}"));
        assert!(compiled.is_ok(), "{example}\n{}", compiled.unwrap_err());
    }
}

#[test]
fn every_series_and_function_is_in_the_reference() {
    for series in seatrial::timeline::Series::ALL {
        assert!(DOCUMENTATION.contains(&format!("`{}`", series.name())), "{}", series.name());
    }
    for (name, _) in seatrial::scenario::resolve::FUNCTIONS {
        let found = DOCUMENTATION.contains(&format!("`{name}`")) || DOCUMENTATION.contains(&format!("`{name}("));
        assert!(found, "{name}");
    }
}

/// A scenario that uses most of the format.
fn large() -> String {
    let example = examples()[0].replace("manifests: [web.yaml]", "manifests: []");
    format!("{WEB}---\n{example}expects:\n- {{check: 'min(available(deployment/web)) >= 1', fix: none}}\n")
}

#[test]
fn cut_off_files_are_read_or_refused() {
    let text = large();
    assert!(from_text(&text).is_ok(), "{}", from_text(&text).unwrap_err());
    for end in (0..text.len()).filter(|&i| text.is_char_boundary(i)) {
        // What matters is that it returns; a problem must have something to say.
        if let Err(error) = from_text(&text[..end]) {
            assert!(error.problems.iter().all(|p| !p.message.is_empty()), "cut at {end}");
        }
    }
}

#[test]
fn garbled_files_are_read_or_refused() {
    let text: Vec<char> = large().chars().collect();
    let junk = ['\0', '\t', '{', '}', '[', '"', '\'', ':', '-', '&', '*', '!', '|', '%', '\n', 'é', '\u{feff}', '9'];
    let mut state = 1_u64;
    let mut next = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    for _ in 0..1_500 {
        let mut garbled = text.clone();
        for _ in 0..=next(3) {
            let at = next(garbled.len());
            match next(3) {
                0 => garbled[at] = junk[next(junk.len())],
                1 => garbled.insert(at, junk[next(junk.len())]),
                _ => drop(garbled.drain(at..(at + next(20)).min(garbled.len()))),
            }
        }
        let garbled: String = garbled.into_iter().collect();
        if let Err(error) = from_text(&garbled) {
            assert!(!error.problems.is_empty(), "{garbled}");
        }
    }
}

#[test]
fn places_are_within_the_file() {
    let text = large();
    let lines: Vec<&str> = text.lines().collect();
    let broken = text.replace("nodes: 3", "nodes: x").replace("available(", "avail(").replace("app:v1'", "'");
    for problem in from_text(&broken).unwrap_err().problems {
        let at = problem.position.expect("a place");
        assert!(at.line >= 1 && at.line <= lines.len() && at.column >= 1, "{problem}");
        assert!(problem.line_text.is_some() && problem.file.is_some(), "{problem}");
    }
}

/// What kubectl 1.32 makes of unquoted words (`kubectl annotate --local`).
#[test]
fn yaml_is_read_as_kubectl_reads_it() {
    for (text, json) in [
        ("a: 010", r#"{"a":8}"#),
        ("a: 0o10", r#"{"a":8}"#),
        ("a: 0x1F", r#"{"a":31}"#),
        ("a: 1_0", r#"{"a":10}"#),
        ("a: 08", r#"{"a":8}"#),
        ("a: 3.0", r#"{"a":3}"#),
        ("a: 1e3", r#"{"a":1000}"#),
        ("a: \"3\"", r#"{"a":"3"}"#),
        ("a: yes", r#"{"a":true}"#),
        ("a: on", r#"{"a":true}"#),
        ("a: y", r#"{"a":true}"#),
        ("a: n", r#"{"a":false}"#),
        ("a: ~", r#"{"a":null}"#),
        ("a: 1:30", r#"{"a":"1:30"}"#),
        ("a: 1.2.3", r#"{"a":"1.2.3"}"#),
        ("a: 2026-01-05", r#"{"a":"2026-01-05"}"#),
        ("a: 1e400", r#"{"a":"1e400"}"#),
        ("a: _1", r#"{"a":"_1"}"#),
        ("on: 1", r#"{"true":1}"#),
        ("1: x", r#"{"1":"x"}"#),
        ("b: &b {x: 1}\na: {<<: *b, z: 2}", r#"{"b":{"x":1},"a":{"z":2,"x":1}}"#),
    ] {
        let reading = yaml::read(Path::new("a.yaml"), text).expect(text);
        assert_eq!(reading.documents[0].value.to_string(), json, "{text}");
    }
}
