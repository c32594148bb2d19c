//! The command: what it prints, where, and how it exits.

use super::manifests::WEB;
use assert_cmd::Command;
use std::fs;
use std::path::Path;
use tempfile::TempDir;

const SCENARIO: &str = "apiVersion: seatrial/v1alpha1
kind: Scenario
metadata: {name: a crash in a rollout}
spec:
  about: One old pod crashes while a new version comes.
  manifests: [web.yaml]
  seed: 42
  duration: 5m
  cluster: {zones: {a: {nodes: 3}, b: {nodes: 3}}}
  pods:
    deployment/web: {start: 2s, ready: {uniform: {low: 5s, high: 9s}}, terminate: 3s}
    image/app:v2: {ready: 12s}
  actions:
  - {at: 30s, setImage: {deployment/web: 'app:v2'}}
  - {at: 40s, podCrash: 'web/1#3'}
assert:
- name: never below 8 available
  always: available(deployment/web) >= 8
- eventually: complete(deployment/web) within 2m
expects:
- name: surge ignores terminating pods
  check: max(on-node(deployment/web)) > 13
  fix: set maxUnavailable to 0
";

/// A folder with these files.
pub(crate) fn folder(files: &[(&str, &str)]) -> TempDir {
    let dir = tempfile::tempdir().expect("a temporary folder");
    for (name, text) in files {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(path, text).expect("a file");
    }
    dir
}

pub(crate) fn seatrial(dir: &TempDir, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_seatrial"));
    command.current_dir(dir.path()).args(arguments);
    command.env_remove("CLICOLOR_FORCE").env_remove("NO_COLOR").env_remove("COLUMNS");
    command
}

/// Runs to the end: exit code, standard output, standard error.
fn run(dir: &TempDir, arguments: &[&str]) -> (i32, String, String) {
    let output = seatrial(dir, arguments).output().expect("the command runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    (output.status.code().expect("no signal"), text(output.stdout), text(output.stderr))
}

/// Compares with the golden file of that name, or rewrites it if `UPDATE` is
/// set.
fn check_golden(name: &str, text: &str) {
    check_file(&Path::new("tests/it/golden/cli").join(name), text);
}

fn check_file(path: &Path, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, text).expect("goldens can be written");
        return;
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(text, expected, "\n{text}\ndiffers from {}; UPDATE=1 rewrites it", path.display());
}

#[test]
fn manifests_alone_are_rehearsed() {
    let dir = folder(&[("web.yaml", WEB)]);
    let (code, out, err) = run(&dir, &["run", "web.yaml"]);
    assert_eq!((code, err.as_str()), (0, ""));
    check_golden("rehearsal.txt", &out);
    assert_eq!(run(&dir, &["run", "web.yaml"]).1, out, "the same again");
    assert_ne!(run(&dir, &["run", "web.yaml", "--seed", "1"]).1, out, "another seed, another run");
}

#[test]
fn scenarios_are_judged() {
    let dir = folder(&[("web.yaml", WEB), ("scenario.yaml", SCENARIO)]);
    let (code, out, err) = run(&dir, &["run", "scenario.yaml"]);
    assert_eq!((code, err.as_str()), (1, ""));
    check_golden("scenario.txt", &out);
    check_golden("scenario-quiet.txt", &run(&dir, &["run", "-q", "--ascii", "scenario.yaml"]).1);
    check_golden("scenario.json", &run(&dir, &["run", "-f", "scenario.yaml", "-o", "json"]).1);
    check_golden("scenario.report.yaml", &run(&dir, &["run", "-o", "yaml", "scenario.yaml"]).1);
    let good = SCENARIO.replace(">= 8", ">= 7");
    let dir = folder(&[("web.yaml", WEB), ("scenario.yaml", &good)]);
    assert_eq!(run(&dir, &["run", "."]).0, 0);
}

#[test]
fn traces_give_what_the_run_gave() {
    let dir = folder(&[("web.yaml", WEB), ("scenario.yaml", SCENARIO)]);
    let (code, out, _) = run(&dir, &["run", "scenario.yaml", "--trace", "t.jsonl", "--plot", "p.svg"]);
    assert_eq!(code, 1);
    let (code, plot, _) = run(&dir, &["plot", "t.jsonl"]);
    assert_eq!(code, 0);
    for line in plot.lines().filter(|l| !l.is_empty()) {
        assert!(out.contains(line), "{line}");
    }
    assert_eq!(run(&dir, &["plot", "t.jsonl", "-o", "q.svg"]).0, 0);
    let read = |name: &str| fs::read(dir.path().join(name)).expect("a drawing");
    assert_eq!(read("p.svg"), read("q.svg"));
    assert_eq!(run(&dir, &["plot", "t.jsonl", "--plot", "q.png", "--theme", "dark", "--width", "600"]).0, 0);
    assert!(read("q.png").starts_with(b"\x89PNG"));
    let (code, part, _) = run(&dir, &["plot", "t.jsonl", "--from", "40s", "--until", "50s", "--ascii"]);
    assert!(code == 0 && part.is_ascii(), "{part}");
    check_golden("explain.txt", &run(&dir, &["explain", "t.jsonl", "deployment/web", "--at", "41s"]).1);
    check_golden("explain-pod.txt", &run(&dir, &["explain", "t.jsonl", "pod/web/1#3"]).1);
    check_golden("explain-all.txt", &run(&dir, &["explain", "t.jsonl"]).1);
    let piped = seatrial(&dir, &["explain", "-", "#0"]).write_stdin(read("t.jsonl")).output().expect("runs");
    assert_eq!(piped.status.code(), Some(0));
}

#[test]
fn input_comes_from_everywhere() {
    let api = WEB.replace("web", "api");
    let list = format!("{{\"apiVersion\": \"v1\", \"kind\": \"List\", \"items\": [{}]}}", json_of(WEB));
    let files = [
        ("all/web.yaml", WEB),
        ("all/deep/api.yml", api.as_str()),
        ("all/notes.txt", "no YAML: ["),
        ("list.json", &list),
    ];
    let dir = folder(&files);
    let titles = |arguments: &[&str]| {
        let (code, out, err) = run(&dir, arguments);
        assert_eq!(code, 0, "{arguments:?} {err}");
        out.lines().next().unwrap_or_default().to_string()
    };
    assert_eq!(titles(&["run", "all"]), "web");
    assert_eq!(titles(&["run", "-R", "all"]), "api and web");
    assert_eq!(titles(&["run", "all/*.yaml", "all/deep/*"]), "web and api");
    assert_eq!(titles(&["run", "-f", "all/web.yaml", "-f", "all/web.yaml"]), "web");
    assert_eq!(titles(&["run", "list.json"]), "web");
    let scenario = SCENARIO.replace(">= 8", ">= 7").replace("  manifests: [web.yaml]\n", "");
    for stream in [
        format!("{WEB}---\n{scenario}"),
        format!("{scenario}---\n{WEB}"),
        format!("---\n\n---\n{WEB}---\n{scenario}---\n"),
    ] {
        let output = seatrial(&dir, &["run", "-"]).write_stdin(stream).output().expect("runs");
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let from_pipe = scenario.replace("spec:\n", "spec:\n  manifests: ['-']\n");
    fs::write(dir.path().join("s.yaml"), from_pipe).expect("a file");
    let output = seatrial(&dir, &["run", "s.yaml"]).write_stdin(WEB).output().expect("runs");
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
}

/// The same document as JSON.
fn json_of(yaml: &str) -> String {
    let reading = seatrial::scenario::yaml::read(Path::new("x"), yaml).expect("YAML");
    reading.documents[0].value.to_string()
}

#[test]
fn several_scenarios_are_run_one_by_one() {
    let good = SCENARIO.replace(">= 8", ">= 7").replace("a crash in a rollout", "good");
    let dir = folder(&[("web.yaml", WEB), ("a.yaml", &good), ("b.yaml", SCENARIO)]);
    let (code, out, _) = run(&dir, &["run", "-q", "."]);
    assert_eq!(code, 1);
    assert!(out.ends_with("\n2 scenarios: 1 passed, 1 failed\n"), "{out}");
    let (code, _, err) = run(&dir, &["run", ".", "--trace", "t.jsonl"]);
    assert!(code == 2 && err.contains("take one scenario"), "{err}");
    fs::write(dir.path().join("stray.yaml"), WEB.replace("web", "stray")).expect("a file");
    let (code, _, err) = run(&dir, &["run", "."]);
    assert!(code == 2 && err.contains("none of them names this manifest"), "{err}");
}

#[test]
fn what_is_wrong_is_shown() {
    let web = WEB.replace("  replicas: 10", "  replicas: ten\n  strategy: {rollingUpdate: {maxSurgee: 1}}");
    let scenario = SCENARIO.replace("available(", "avialable(").replace("podCrash: 'web/1#3'", "cordon: c-1");
    let service = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\n";
    let dir = folder(&[("web.yaml", &web), ("scenario.yaml", &scenario), ("config.yaml", service)]);
    let (code, out, err) = run(&dir, &["run", "scenario.yaml"]);
    assert_eq!((code, out.as_str()), (2, ""));
    check_golden("problems.txt", &err);
    let odd = WEB.replace("replicas: 10", "replicas: 010\n  paused: no") + "---\n" + service;
    fs::write(dir.path().join("odd.yaml"), odd).expect("a file");
    let (code, _, err) = run(&dir, &["run", "odd.yaml"]);
    assert_eq!(code, 0);
    check_golden("warnings.txt", &err);
}

#[test]
fn mistakes_exit_with_2() {
    let dir = folder(&[
        ("web.yaml", WEB),
        ("empty.yaml", ""),
        ("broken.yaml", "a: [1, 2\n"),
        ("words.txt", "hello"),
        ("config.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\n"),
        ("old.yaml", "apiVersion: extensions/v1beta1\nkind: Deployment\n"),
        ("typo.yaml", "apiVersion: apps/v1\nkind: Deploymnet\n"),
        ("future.yaml", "apiVersion: seatrial/v2\nkind: Scenario\n"),
        ("bare.yaml", "apiVersion: seatrial/v1alpha1\nkind: Scenario\nspec:\nassert:\n"),
        ("none/x.txt", ""),
    ]);
    fs::write(dir.path().join("latin1.yaml"), b"a: \xe9\n").expect("a file");
    for (arguments, message) in [
        (&["run"][..], "required"),
        (&[], "Usage"),
        (&["frobnicate"], "unrecognized subcommand"),
        (&["run", "web.yaml", "--seed", "x"], "invalid value"),
        (&["run", "web.yaml", "-o", "xml"], "invalid value"),
        (&["run", "nothing.yaml"], "there is no file `nothing.yaml`"),
        (&["run", "wbe.yaml"], "did you mean `web.yaml`?"),
        (&["run", "*.json"], "no file fits `*.json`"),
        (&["run", "none"], "this folder has no .yaml, .yml or .json files"),
        (&["run", "empty.yaml"], "there is nothing to simulate"),
        (&["run", "config.yaml"], "there is nothing to simulate"),
        (&["run", "bare.yaml"], "there is nothing to simulate"),
        (&["run", "broken.yaml"], "not YAML"),
        (&["run", "words.txt"], "a document must be a mapping"),
        (&["run", "latin1.yaml"], "line 1 is not UTF-8"),
        (&["run", "old.yaml"], "no matches for kind"),
        (&["run", "typo.yaml"], "no matches for kind"),
        (&["run", "future.yaml"], "unknown variant `seatrial/v2`"),
        (&["run", "web.yaml", "--plot", "x.gif"], "neither .svg nor .png"),
        (&["plot", "web.yaml"], "a trace is what `seatrial run … --trace FILE` writes"),
        (&["plot", "nothing.jsonl"], "cannot read this file"),
        (&["explain", "web.yaml"], "a trace is what"),
        (&["conformance", "nothing"], "there is no such folder"),
        (&["completion", "tcl"], "invalid value"),
    ] {
        let (code, out, err) = run(&dir, arguments);
        assert_eq!(code, 2, "{arguments:?}: {err}");
        assert!(err.contains(message), "{arguments:?}: {err}");
        assert_eq!(out, "", "{arguments:?}: data on standard output");
    }
    let (code, out, err) = run(&dir, &["--help"]);
    assert!(code == 0 && out.contains("Exit codes") && err.is_empty());
}

#[test]
fn files_are_written_whole_or_not_at_all() {
    let dir = folder(&[("web.yaml", WEB)]);
    let (code, out, err) = run(&dir, &["run", "web.yaml", "--trace", "no/such/folder/t.jsonl"]);
    assert_eq!((code, out.as_str()), (3, ""), "{err}");
    assert!(err.starts_with("error: cannot write no/such/folder/t.jsonl"), "{err}");
    let (code, _, err) = run(&dir, &["run", "web.yaml", "--trace", "."]);
    assert_eq!(code, 3, "{err}");
    fs::write(dir.path().join("t.jsonl"), "old").expect("a file");
    assert_eq!(run(&dir, &["run", "web.yaml", "--trace", "t.jsonl"]).0, 0);
    let mut names: Vec<_> =
        fs::read_dir(dir.path()).expect("a folder").map(|e| e.expect("an entry").file_name()).collect();
    names.sort();
    assert_eq!(names, ["t.jsonl", "web.yaml"], "nothing is left behind");
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_3_and_a_closed_pipe_is_quiet() {
    use std::process::Stdio;
    let dir = folder(&[("web.yaml", WEB), ("scenario.yaml", SCENARIO)]);
    let start = |arguments: &[&str], out: Stdio| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_seatrial"));
        command.current_dir(dir.path()).args(arguments).stdout(out).stderr(Stdio::piped());
        command.spawn().expect("the command starts")
    };
    let full = || fs::File::options().write(true).open("/dev/full").expect("/dev/full");
    let output = start(&["run", "web.yaml"], full().into()).wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&output.stderr).contains("cannot write to standard output"));
    let output =
        start(&["run", "web.yaml", "--trace", "/dev/full"], Stdio::null()).wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(3));
    let mut child = start(&["run", "scenario.yaml"], Stdio::piped());
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("it ends");
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(1), &b""[..]));
}

#[test]
fn colours_are_for_terminals() {
    let dir = folder(&[("web.yaml", WEB), ("broken.yaml", "a: [")]);
    for (file, forced) in [("web.yaml", false), ("web.yaml", true), ("broken.yaml", false), ("broken.yaml", true)] {
        let mut command = seatrial(&dir, &["run", file]);
        if forced {
            command.env("CLICOLOR_FORCE", "1");
        }
        let output = command.output().expect("runs");
        let coloured = output.stdout.contains(&0x1b) || output.stderr.contains(&0x1b);
        assert_eq!(coloured, forced, "{file}");
    }
}

#[test]
fn the_schema_is_current() {
    let dir = folder(&[]);
    let (code, out, _) = run(&dir, &["schema"]);
    assert_eq!(code, 0);
    assert!(out.contains("http://json-schema.org/draft-07/schema#"));
    check_file(Path::new("docs/scenario.schema.json"), &out);
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let (code, out, _) = run(&dir, &["completion", shell]);
        assert!(code == 0 && out.contains("seatrial"), "{shell}");
    }
}
