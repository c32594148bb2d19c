//! Sweeps, shards, tests, differences and fits, as people use them.

use super::cli::{folder, seatrial};
use super::manifests::{APP, deployment};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

const SCENARIO: &str = "# yaml
apiVersion: seatrial/v1alpha1
kind: Scenario
metadata: {name: a rollout}
spec:
  manifests: [manifests/web.yaml]
  seed: 3
  duration: 3m
  actions:
  - {at: 30s, setImage: {deployment/web: 'app:v2'}}
assert:
- name: never below 3
  always: available(deployment/web) >= 3
expects:
- name: more pods than are wanted
  check: max(counted(deployment/web)) > 4
  fix: set maxSurge to 0
";

/// The grid of most tests: 3 × 2 settings with 6 seeds.
const GRID: [&str; 8] = [
    "sweep",
    "web.yaml",
    "--set",
    "deployment/web.maxSurge=0,25%,2",
    "--set",
    "deployment/web.maxUnavailable=0,1",
    "--seeds",
    "6",
];

/// Four pods.
fn manifest() -> String {
    deployment("web", 4, APP)
}

fn web() -> TempDir {
    folder(&[("web.yaml", &manifest())])
}

fn run(dir: &TempDir, arguments: &[&str]) -> (i32, String, String) {
    let output = seatrial(dir, arguments).env_remove("GITHUB_ACTIONS").output().expect("it runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    (output.status.code().unwrap_or(-1), text(output.stdout), text(output.stderr))
}

fn sweep(dir: &TempDir, more: &[&str]) -> (i32, String, String) {
    run(dir, &[&GRID[..], more].concat())
}

/// The result files of a sweep in one text.
fn results(dir: &Path) -> String {
    let read = |name: &str| fs::read_to_string(dir.join(name)).expect(name);
    ["sweep.csv", "sweep.jsonl", "summary.txt", "tradeoff.svg"].map(read).join("\n")
}

#[test]
fn threads_and_shards_never_change_a_byte() {
    let dir = web();
    assert_eq!(sweep(&dir, &["--out", "whole", "--threads", "1"]).0, 0);
    let whole = results(&dir.path().join("whole"));
    let table = fs::read_to_string(dir.path().join("whole/sweep.csv")).expect("a table");
    assert_eq!(table.lines().count(), 1 + 36 + 6, "what the manifest says is a point too");
    assert_eq!(sweep(&dir, &["--out", "three", "--threads", "3"]).0, 0);
    assert_eq!(results(&dir.path().join("three")), whole);

    for shard in ["2/4", "0/4", "3/4", "1/4"] {
        assert_eq!(sweep(&dir, &["--out", "four", "--shard", shard]).0, 0);
    }
    assert_eq!(run(&dir, &["merge", "four"]).0, 0);
    assert_eq!(results(&dir.path().join("four")), whole);

    // The index comes from what engines set.
    for index in 0..7 {
        let mut command = seatrial(&dir, &[&GRID[..], &["--out", "seven", "--shards", "7"]].concat());
        let variable = if index % 2 == 0 { "JOB_COMPLETION_INDEX" } else { "SLURM_ARRAY_TASK_ID" };
        command.env(variable, index.to_string()).assert().success();
    }
    assert_eq!(run(&dir, &["merge", "seven"]).0, 0);
    assert_eq!(results(&dir.path().join("seven")), whole);
}

#[test]
fn a_shard_that_was_killed_goes_on() {
    let dir = web();
    let grid = ["sweep", "web.yaml", "--set", "deployment/web.maxSurge=1,2", "--seeds", "600"];
    let whole = run(&dir, &[&grid[..], &["--out", "whole"]].concat());
    assert_eq!(whole.0, 0, "{}", whole.2);
    for shard in ["0/3", "2/3"] {
        assert_eq!(run(&dir, &[&grid[..], &["--out", "parts", "--shard", shard]].concat()).0, 0);
    }
    let missing = run(&dir, &["merge", "parts"]);
    assert_eq!(missing.0, 2);
    assert!(missing.2.contains("cells are missing"), "{}", missing.2);

    // Killed without warning as soon as something was saved.
    let mut child = Command::new(env!("CARGO_BIN_EXE_seatrial"))
        .current_dir(dir.path())
        .args([&grid[..], &["--out", "parts", "--shard", "1/3", "--threads", "1", "--checkpoint", "0s"]].concat())
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts");
    let saved = dir.path().join("parts/part-1-of-3.saved-0.jsonl");
    while !saved.exists() && child.try_wait().expect("a child").is_none() {
        std::thread::sleep(Duration::from_millis(1));
    }
    child.kill().expect("killed");
    child.wait().expect("over");
    let half = fs::read_to_string(&saved).map_or(0, |text| text.lines().count());
    assert!(half > 1 || dir.path().join("parts/part-1-of-3.jsonl").exists());

    assert_eq!(run(&dir, &[&grid[..], &["--out", "parts", "--shard", "1/3"]].concat()).0, 0);
    assert!(!saved.exists(), "what was saved on the way is not needed any more");
    assert_eq!(run(&dir, &["merge", "parts"]).0, 0);
    assert_eq!(results(&dir.path().join("parts")), results(&dir.path().join("whole")));
}

#[test]
fn a_finished_sweep_is_not_run_again_and_not_mixed_with_another() {
    let dir = web();
    assert_eq!(sweep(&dir, &["--out", "o"]).0, 0);
    let part = dir.path().join("o/part-0-of-1.jsonl");
    let before = fs::metadata(&part).and_then(|m| m.modified()).expect("a part");
    let again = sweep(&dir, &["--out", "o", "-o", "csv"]);
    assert_eq!(again.1, fs::read_to_string(dir.path().join("o/sweep.csv")).expect("a table"));
    assert!(fs::metadata(&part).and_then(|m| m.modified()).expect("a part") >= before);
    let other = sweep(&dir, &["--out", "o", "--seed", "9"]);
    assert_eq!(other.0, 2);
    assert!(other.2.contains("results of another sweep"), "{}", other.2);
}

#[test]
fn a_row_is_replayed_by_its_seed() {
    let dir = web();
    let (_, lines, _) = sweep(&dir, &["-o", "json"]);
    let row: serde_json::Value = serde_json::from_str(lines.lines().nth(14).expect("a row")).expect("JSON");
    let seed = row["seed"].to_string();
    let set = |field: &str| format!("{field}={}", row["set"][field].as_str().expect("a value"));
    let (surge, unavailable) = (set("deployment/web.maxSurge"), set("deployment/web.maxUnavailable"));
    let arguments = ["run", "web.yaml", "--set", &surge, "--set", &unavailable, "--seed", &seed, "-o", "json"];
    let report: serde_json::Value = serde_json::from_str(&run(&dir, &arguments).1).expect("JSON");
    let web = &report["scenarios"][0]["workloads"][0];
    assert_eq!(web["minAvailable"]["value"], row["min_available"]);
    assert_eq!(web["maxOnNode"]["value"], row["max_on_node"]);
    let rollout = &web["rollouts"][1];
    assert_eq!(
        rollout["endMs"].as_u64().zip(rollout["startMs"].as_u64()).map(|(e, s)| e - s),
        row["rollout_ms"].as_u64()
    );
}

#[test]
fn the_sentence_says_what_to_choose() {
    let dir = web();
    let (code, text, notes) = sweep(&dir, &["--floor", "100%"]);
    assert_eq!(code, 0, "{notes}");
    assert!(
        text.contains("To keep at least 4 of 4 available in all 6 runs, choose maxSurge=2 maxUnavailable=0:"),
        "{text}"
    );
    assert!(text.contains("• as written "), "{text}");
    // Kubernetes refuses a rollout that may neither add nor take.
    assert!(notes.contains("refused: maxSurge=0 maxUnavailable=0"), "{notes}");
    let (code, text, _) = sweep(&dir, &["--floor", "5"]);
    assert_eq!(code, 0);
    assert!(text.contains("No setting keeps 5 of 4 available"), "{text}");
}

#[test]
fn independent_seeds_differ_between_settings() {
    let dir = web();
    let seeds = |more: &[&str]| -> Vec<String> {
        let (_, text, _) = run(&dir, &[&GRID[..6], &["-o", "csv"], more].concat());
        text.lines().skip(1).map(|l| l.split(',').nth(3).expect("a seed").to_string()).collect()
    };
    let common = seeds(&["--seeds", "6"]);
    assert_eq!(common[..6], common[6..12]);
    let independent = seeds(&["--seeds", "6", "--independent"]);
    assert_ne!(independent[..6], independent[6..12]);
    assert_eq!(seeds(&["--seeds", "8..13"])[..6], ["8", "9", "10", "11", "12", "13"]);
}

#[test]
fn engines_get_the_same_command() {
    let dir = web();
    let (code, line, _) = sweep(&dir, &["--render", "parallel", "--shards", "3", "--out", "o"]);
    assert_eq!(code, 0);
    // The shell's part of the line, without GNU parallel.
    let (_, command) = line.split_once("--retries 3 '").expect("a command");
    let (command, merge) = command.split_once("' && ").expect("a merge");
    let folder = Path::new(env!("CARGO_BIN_EXE_seatrial")).parent().expect("a folder");
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap_or_default());
    let shell = |text: &str| {
        let output = Command::new("sh").args(["-c", text]).current_dir(dir.path()).env("PATH", &path).output();
        assert!(output.expect("a shell").status.success(), "{text}");
    };
    for i in 0..3 {
        shell(&command.replace(r"'\''", "'").replace("{}", &i.to_string()));
    }
    shell(merge);
    assert_eq!(sweep(&dir, &["--out", "whole"]).0, 0);
    assert_eq!(results(&dir.path().join("o")), results(&dir.path().join("whole")));

    let (_, job, _) = sweep(&dir, &["--render", "job", "--shards", "3", "--out", "j"]);
    let job: serde_json::Value = serde_yaml::from_str(&job).expect("YAML");
    assert_eq!(job["spec"]["completionMode"], "Indexed");
    let script = job["spec"]["template"]["spec"]["containers"][0]["command"][2].as_str().expect("a script");
    for i in 0..3 {
        shell(&format!("export JOB_COMPLETION_INDEX={i}; ({script})"));
    }
    shell("seatrial merge j");
    assert_eq!(results(&dir.path().join("j")), results(&dir.path().join("whole")));
}

const JOB: &str = "apiVersion: batch/v1
kind: Job
metadata: {name: load}
spec:
  completions: 6
  parallelism: 2
  template: {spec: {restartPolicy: Never, containers: [{name: app, image: 'app:v1'}]}}
---
apiVersion: seatrial/v1alpha1
kind: Scenario
metadata: {name: a load that may fail}
spec:
  duration: 1h
  pods:
    '*': {start: 1s, run: {duration: {lognormal: {median: 1m, p99: 3m}}, fails: 20%}}
";

const CRON_JOB: &str = "apiVersion: batch/v1
kind: CronJob
metadata: {name: report}
spec:
  schedule: '*/5 * * * *'
  concurrencyPolicy: Forbid
  jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: app, image: 'app:v1'}]}}}}
---
apiVersion: seatrial/v1alpha1
kind: Scenario
metadata: {name: a report that takes long}
spec:
  duration: 1h
  pods:
    '*': {start: 1s, run: {duration: 7m}}
";

/// The records of a table by the names of its columns.
fn records(table: &str) -> Vec<std::collections::BTreeMap<&str, &str>> {
    let mut lines = table.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let head = lines.next().expect("a head");
    lines.map(|line| head.iter().copied().zip(line).collect()).collect()
}

#[test]
fn jobs_are_measured_by_how_they_end() {
    let dir = folder(&[("job.yaml", JOB)]);
    let grid = ["sweep", "job.yaml", "--set", "job/load.parallelism=1,2,6", "--set", "job/load.backoffLimit=0,6"];
    let (code, table, notes) = run(&dir, &[&grid[..], &["--seeds", "10", "-o", "csv"]].concat());
    assert_eq!(code, 0, "{notes}");
    let rows = records(&table);
    for row in &rows {
        let [attempts, failed, most] =
            ["attempts", "pods_failed", "max_running"].map(|name| row[name].parse::<i64>().expect("a number"));
        assert!(most <= row["job/load.parallelism"].parse().unwrap_or(2), "{row:?}");
        let complete = !row["completion_ms"].is_empty();
        assert_eq!(complete, row["job_failed"] == "0", "{row:?}");
        if complete {
            assert_eq!((row["succeeded"], attempts), ("6", 6 + failed), "{row:?}");
        } else {
            assert!(failed > row["job/load.backoffLimit"].parse().unwrap_or(6), "{row:?}");
        }
    }
    assert!(rows.iter().any(|row| row["completion_ms"].is_empty()), "some Job fails");
    let (_, text, _) = run(&dir, &[&grid[..], &["--seeds", "10"]].concat());
    assert!(text.contains("choose parallelism=6 backoffLimit=6: the Job takes "), "{text}");
    let (_, text, _) = run(&dir, &[&grid[..4], &["--set", "job/load.backoffLimit=0", "--seeds", "10"]].concat());
    assert!(text.contains("The manifest as it is") || text.contains("That is what the manifest says"), "{text}");
}

#[test]
fn cron_jobs_are_measured_by_what_overlaps_and_what_is_missed() {
    let dir = folder(&[("cron.yaml", CRON_JOB)]);
    let set = "cronjob/report.concurrencyPolicy=Allow,Forbid,Replace";
    let (code, table, notes) = run(&dir, &["sweep", "cron.yaml", "--set", set, "--seeds", "1", "-o", "csv"]);
    assert_eq!(code, 0, "{notes}");
    let of = |row: &std::collections::BTreeMap<&str, &str>| {
        ["runs", "completed", "stopped", "max_overlap"].map(|name| row[name].parse::<i64>().expect("a number"))
    };
    let rows = records(&table);
    let [allow, forbid, replace] = [0, 1, 2].map(|i| of(&rows[i]));
    // Every five minutes a run of seven: two at a time, or every other one.
    assert_eq!((allow[3], allow[2], rows[0]["missed"]), (2, 0, "0"), "{rows:?}");
    assert_eq!((forbid[3], forbid[2]), (1, 0), "{rows:?}");
    assert!(rows[1]["missed"].parse::<i64>().expect("a number") >= 4 && forbid[0] < allow[0], "{rows:?}");
    assert_eq!((replace[1], replace[0] - replace[2]), (0, 1), "all but the last are stopped: {rows:?}");
    let (_, text, _) = run(&dir, &["sweep", "cron.yaml", "--set", set, "--seeds", "1", "--floor", "1"]);
    assert!(text.contains("To keep most at once at 1 or less in the run, choose concurrencyPolicy=Forbid"), "{text}");
}

#[test]
fn figures_of_the_assertion_language_are_columns_and_axes() {
    let dir = web();
    let figures = ["--figure", "worst=min(ready(deployment/web))", "--figure", "duration(ready(deployment/web) < 4)"];
    let (code, text, notes) = sweep(&dir, &[&figures[..], &["--out", "whole", "--floor", "100%"]].concat());
    assert_eq!(code, 0, "{notes}");
    assert!(text.contains("  worst  duration(ready(deployment/web) < 4)  "), "{text}");
    let table = fs::read_to_string(dir.path().join("whole/sweep.csv")).expect("a table");
    let mut reader = csv_of(&table);
    let head: Vec<String> = reader.remove(0);
    let place = |name: &str| head.iter().position(|h| h == name).unwrap_or_else(|| panic!("{name} in {head:?}"));
    let (worst, available, span) =
        (place("worst"), place("min_available"), place("duration(ready(deployment/web) < 4)"));
    for row in reader.iter().filter(|row| !row[worst].is_empty()) {
        // Nothing is available that is not ready.
        assert!(row[worst].parse::<i64>().expect("a number") <= row[available].parse().expect("a number"), "{row:?}");
        assert!(row[span].parse::<u64>().is_ok(), "{row:?}");
    }
    // Shards measure the same.
    for shard in ["0/2", "1/2"] {
        assert_eq!(sweep(&dir, &[&figures[..], &["--out", "two", "--shard", shard]].concat()).0, 0);
    }
    assert_eq!(run(&dir, &["merge", "two", "--floor", "100%"]).0, 0);
    assert_eq!(results(&dir.path().join("two")), results(&dir.path().join("whole")));
    // Other figures make another sweep.
    assert_eq!(sweep(&dir, &["--out", "whole"]).0, 2);
    let axes = ["--axis", "max_on_node", "--axis", "worst:most", "--floor", "4"];
    let (_, text, _) = sweep(&dir, &[&figures[..], &axes].concat());
    assert!(text.contains("To keep worst at 4 or more in all 6 runs, choose maxSurge=25% maxUnavailable=0"), "{text}");
}

/// A table's records; some names have commas in them.
fn csv_of(table: &str) -> Vec<Vec<String>> {
    let field = |field: &str| field.trim_matches('"').to_string();
    table.lines().map(|line| line.split(',').map(field).collect()).collect()
}

#[test]
fn wrong_sweeps_are_explained() {
    let dir = folder(&[("web.yaml", &manifest()), ("s.yaml", SCENARIO), ("manifests/web.yaml", &manifest())]);
    for (arguments, wanted) in [
        (&["sweep", "web.yaml", "--set", "deployment/web.maxSurgee=1,2"][..], "maxSurgee"),
        (&["run", "web.yaml", "--set", "deployment/web.maxSruge=1"], "did you mean deployment/web.maxSurge?"),
        (&["sweep", "web.yaml", "--set", "deployment/wbe.maxSurge=1"], "did you mean deployment/web?"),
        (&["sweep", "web.yaml", "--shard", "4/4", "--out", "o"], "does not exist"),
        (&["sweep", "web.yaml", "--workload", "deployment/api"], "there is deployment/web"),
        (&["sweep", "web.yaml", "--shards", "4", "--out", "o"], "JOB_COMPLETION_INDEX"),
        (&["sweep", "web.yaml", "--plot", "x.gif"], "neither .svg nor .png"),
        (&["sweep", "web.yaml", "--figure", "min(ready(deployment/wbe))"], "did you mean deployment/web?"),
        (&["sweep", "web.yaml", "--figure", "ready(deployment/web) > 3"], "a claim is not a figure"),
        (&["sweep", "web.yaml", "--figure", "seed=max(ready(deployment/web))"], "there is a column `seed` already"),
        (&["sweep", "web.yaml", "--axis", "rollout_ms", "--axis", "x"], "`x` is not measured"),
        (&["sweep", "web.yaml", "--axis", "rollout_ms", "--axis", "restarts", "--floor", "90%"], "no hundredths"),
        (&["merge", "nothing"], "cannot read"),
        (&["test", "manifests"], "no scenarios here"),
        (&["diff", "s.yaml"], "does not differ from itself"),
        (&["fit", "s.yaml"], "not JSON"),
    ] {
        let mut command = seatrial(&dir, arguments);
        let output =
            command.env_remove("JOB_COMPLETION_INDEX").env_remove("SLURM_ARRAY_TASK_ID").output().expect("runs");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(said.contains(wanted), "{arguments:?}: {said}");
    }
}

#[test]
fn tests_find_scenarios_and_name_fixes() {
    let dir = folder(&[("a/s.yaml", SCENARIO), ("a/manifests/web.yaml", &manifest())]);
    let (code, text, notes) = run(&dir, &["test", ".", "--seeds", "5", "--junit", "junit.xml"]);
    assert_eq!(code, 0, "{text}{notes}");
    assert!(
        text.contains("✓ a rollout  ./a/s.yaml: 2 claims, 5 seeds") || text.contains("a/s.yaml: 2 claims, 5 seeds"),
        "{text}"
    );
    assert!(text.contains("expects more pods than are wanted  fix: set maxSurge to 0"), "{text}");
    assert!(text.contains("1 scenario in 5 runs: 1 passed, 0 failed; 1 documented bad outcome"), "{text}");
    let junit = fs::read_to_string(dir.path().join("junit.xml")).expect("a report");
    assert!(junit.contains(r#"tests="2""#) && junit.contains(r#"failures="0""#), "{junit}");
    assert_eq!(run(&dir, &["test", ".", "--filter", "nothing"]).0, 2);
    let none = run(&dir, &["test", ".", "--shard", "1/2"]);
    assert!(none.1.contains("0 scenarios"), "{}", none.1);
}

#[test]
fn failures_explain_themselves() {
    let dir = folder(&[("s.yaml", SCENARIO), ("manifests/web.yaml", &manifest())]);
    // The fix flips the documented outcome, and one pod less breaks the claim.
    let set = ["--set", "deployment/web.maxSurge=0", "--set", "deployment/web.maxUnavailable=2"];
    let arguments = [&["test", "s.yaml", "--seeds", "4", "--junit", "j.xml", "--annotate"][..], &set].concat();
    let (code, text, _) = run(&dir, &arguments);
    assert_eq!(code, 1);
    for wanted in [
        "✗ never below 3  s.yaml:13:11",
        "with seed 3: available(deployment/web) = 2",
        "in       4 of 4 runs",
        "object   Deployment/web",
        "[deployment/rolling.go reconcileOldReplicaSets]",
        "because somebody: set image deployment/web app:v2",
        "seatrial run s.yaml --set deployment/web.maxSurge=0 --set deployment/web.maxUnavailable=2 --seed 3",
        "✗ expects more pods than are wanted",
        "does not happen any more; its fix was: set maxSurge to 0",
        "available ",
        "::error file=s.yaml,line=13,col=11,title=a rollout%3A never below 3::first at ",
    ] {
        assert!(text.contains(wanted), "{wanted} is not in\n{text}");
    }
    let junit = fs::read_to_string(dir.path().join("j.xml")).expect("a report");
    assert!(junit.contains(r#"failures="2""#) && junit.contains("rule: "), "{junit}");
    let (_, json, _) = run(&dir, &[&["test", "s.yaml", "-o", "json"][..], &set].concat());
    let report: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    let first = &report["scenarios"][0]["claims"][0]["first"];
    assert_eq!(first["seed"], 3);
    assert!(first["upstream"].as_str().is_some_and(|u| u.contains("rolling.go")), "{first}");
}

#[test]
fn differences_are_found_at_their_first_decision() {
    let dir = web();
    let (code, text, _) = run(&dir, &["diff", "web.yaml", "--set-b", "deployment/web.maxSurge=0"]);
    assert_eq!(code, 1, "{text}");
    for wanted in ["what was asked for", "the first decision that differs", "what followed in B", "in the end"] {
        assert!(text.contains(wanted), "{wanted} is not in\n{text}");
    }
    // Traces say the same as runs.
    run(&dir, &["run", "web.yaml", "--trace", "a.jsonl", "-q"]);
    run(&dir, &["run", "web.yaml", "--trace", "b.jsonl", "-q", "--set", "deployment/web.maxSurge=0"]);
    let (_, traces, _) = run(&dir, &["diff", "a.jsonl", "b.jsonl"]);
    assert_eq!(traces.lines().skip(3).collect::<Vec<_>>(), text.lines().skip(3).collect::<Vec<_>>());
    let (code, same, _) = run(&dir, &["diff", "a.jsonl", "web.yaml"]);
    assert_eq!(code, 0, "{same}");
    assert!(same.contains("the runs are the same"));
}

#[test]
fn a_cluster_tells_how_its_pods_behave() {
    let pod = |n: u32| {
        let at = |s: u32| format!("2026-01-05T00:{:02}:{:02}Z", s / 60, s % 60);
        serde_json::json!({
            "kind": "Pod",
            "metadata": {"name": format!("web-5d-{n}"), "namespace": "default", "creationTimestamp": at(n),
                "labels": {"pod-template-hash": "5d"},
                "ownerReferences": [{"kind": "ReplicaSet", "name": "web-5d", "controller": true}]},
            "status": {
                "conditions": [
                    {"type": "PodScheduled", "status": "True", "lastTransitionTime": at(n)},
                    {"type": "Ready", "status": "True", "lastTransitionTime": at(n + 10 + n % 7)}],
                "containerStatuses": [{"restartCount": 0, "state": {"running": {"startedAt": at(n + 3)}}}]},
        })
    };
    let list = serde_json::json!({"kind": "List", "items": (0..20).map(pod).collect::<Vec<_>>()});
    let dir = folder(&[("pods.json", &list.to_string()), ("web.yaml", &manifest())]);
    let (code, section, notes) = run(&dir, &["fit", "pods.json", "--plot", "fit.svg"]);
    assert_eq!(code, 0, "{notes}");
    assert!(section.contains("  deployment/web:\n    schedule: 0s") && section.contains("start: 3s"), "{section}");
    assert!(fs::read_to_string(dir.path().join("fit.svg")).expect("a picture").contains("deployment/web: ready"));
    // What is written can be used as it is.
    let spec = format!("  {}\n", section.trim_end().replace('\n', "\n  "));
    let scenario = format!(
        "apiVersion: seatrial/v1alpha1\nkind: Scenario\nspec:\n  manifests: [web.yaml]\n  duration: 1m\n{spec}"
    );
    fs::write(dir.path().join("s.yaml"), scenario).expect("a scenario");
    let (code, _, notes) = run(&dir, &["run", "s.yaml"]);
    assert_eq!(code, 0, "{notes}");
}
