//! Pictures of lanes, comparisons and reports, through the command.

use assert_cmd::Command;
use std::fs;
use std::path::Path;
use tempfile::TempDir;

const NIGHTLY: &str = "apiVersion: seatrial/v1alpha1
kind: Scenario
metadata: {name: a CronJob whose runs take too long}
spec:
  duration: 8m
  cluster: {zones: {a: {nodes: 2}}}
  pods:
    '*': {start: 1s, terminate: 20s, run: {duration: {uniform: {low: 40s, high: 150s}}}}
assert:
- check: count(created(cronjob/report)) < 100
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: report}
spec:
  schedule: '* * * * *'
  concurrencyPolicy: Allow
  jobTemplate:
    spec:
      template:
        spec:
          restartPolicy: Never
          containers: [{name: m, image: 'm:v1'}]
";

const MIXED: &str = "apiVersion: seatrial/v1alpha1
kind: Scenario
metadata: {name: lanes of all kinds}
spec:
  duration: 4m
  cluster: {zones: {a: {nodes: 2}, b: {nodes: 1}}}
  pods:
    '*': {start: 1s, ready: 5s, terminate: 4s}
    job/migrate: {run: {duration: 10s, exits: [1, 1, 0]}}
  actions:
  - {at: 30s, setImage: {statefulset/db: 'db:v2'}}
  - {at: 40s, setImage: {daemonset/agent: 'agent:v2'}}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  serviceName: db
  replicas: 3
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec: {containers: [{name: db, image: 'db:v1'}]}
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: agent}
spec:
  selector: {matchLabels: {app: agent}}
  template:
    metadata: {labels: {app: agent}}
    spec: {containers: [{name: agent, image: 'agent:v1'}]}
---
apiVersion: batch/v1
kind: Job
metadata: {name: migrate}
spec:
  activeDeadlineSeconds: 200
  template:
    spec: {restartPolicy: Never, containers: [{name: m, image: 'm:v1'}]}
";

fn folder() -> TempDir {
    let dir = tempfile::tempdir().expect("a temporary folder");
    fs::write(dir.path().join("nightly.yaml"), NIGHTLY).expect("a file");
    fs::write(dir.path().join("mixed.yaml"), MIXED).expect("a file");
    dir
}

fn run(dir: &TempDir, arguments: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_seatrial"));
    command.current_dir(dir.path()).args(arguments);
    command.env_remove("CLICOLOR_FORCE").env_remove("NO_COLOR").env_remove("COLUMNS");
    let output = command.output().expect("the command runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    (output.status.code().expect("no signal"), text(output.stdout), text(output.stderr))
}

fn check_golden(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/golden/cli").join(name);
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, text).expect("goldens can be written");
        return;
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(text, expected, "\n{text}\ndiffers from {name}; UPDATE=1 rewrites it");
}

const POLICIES: &str = "--set=cronjob/report.concurrencyPolicy=Allow,Forbid,Replace";

#[test]
fn variants_stand_side_by_side() {
    let dir = folder();
    let (code, out, err) = run(&dir, &["compare", "nightly.yaml", POLICIES, "--plot", "p.svg", "--report", "r.html"]);
    assert_eq!((code, err.as_str()), (0, ""));
    check_golden("compare.txt", &out);
    let read = |name: &str| fs::read_to_string(dir.path().join(name)).expect("a file");
    for name in ["Allow", "Forbid", "Replace"] {
        assert!(read("p.svg").contains(&format!(">\n{name}\n<")), "{name} is in the picture");
        assert!(read("r.html").contains(&format!("\"name\":\"{name}\"")), "{name} is in the report");
    }
    // The same variants, written in the scenario.
    let policy = |name: &str| format!("  - {{name: {name}, set: {{cronjob/report.concurrencyPolicy: {name}}}}}\n");
    let variants = format!("  variants:\n{}{}{}", policy("Allow"), policy("Forbid"), policy("Replace"));
    let inside = fs::read_to_string(dir.path().join("nightly.yaml")).expect("a file");
    let inside = inside.replacen("  duration: 8m\n", &format!("  duration: 8m\n{variants}"), 1);
    fs::write(dir.path().join("inside.yaml"), inside).expect("a file");
    assert_eq!(run(&dir, &["compare", "inside.yaml"]).1, out);
    assert_eq!(run(&dir, &["run", "-q", "inside.yaml"]).0, 0, "run does without them");
    let value: serde_json::Value =
        serde_json::from_str(&run(&dir, &["compare", "nightly.yaml", POLICIES, "-o", "json"]).1).expect("JSON");
    assert_eq!(value["variants"].as_array().map(Vec::len), Some(3));
    assert_eq!(value["partings"].as_array().map(Vec::len), Some(2));
    let (code, _, err) = run(&dir, &["compare", "nightly.yaml"]);
    assert!(code == 2 && err.contains("there is only one variant"), "{err}");
}

#[test]
fn every_kind_has_its_picture() {
    let dir = folder();
    let (code, out, _) = run(&dir, &["run", "mixed.yaml", "--trace", "t.jsonl", "--perfetto", "p.json"]);
    assert_eq!(code, 0);
    check_golden("lanes.txt", &out);
    let traced: serde_json::Value =
        serde_json::from_slice(&fs::read(dir.path().join("p.json")).expect("a file")).expect("JSON");
    assert!(traced["traceEvents"].as_array().is_some_and(|e| e.len() > 50));
    let mut drawn = Vec::new();
    for picture in ["auto", "availability", "lanes", "overlap", "completion"] {
        assert_eq!(run(&dir, &["plot", "t.jsonl", "-o", "q.svg", "--picture", picture]).0, 0);
        drawn.push(fs::read(dir.path().join("q.svg")).expect("a drawing"));
    }
    for (i, one) in drawn.iter().enumerate() {
        assert!(drawn[..i].iter().all(|other| other != one), "picture {i} is like an earlier one");
    }
}

#[test]
fn the_picture_of_the_readme_is_what_is_drawn() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let dir = folder();
    let scenario = root.join("scenarios/rollouts/terminating-ghosts/scenario.yaml");
    let scenario = scenario.to_str().expect("UTF-8");
    for (theme, name) in [("light", "availability.svg"), ("dark", "availability-dark.svg")] {
        let (code, _, err) = run(&dir, &["run", "-q", scenario, "--theme", theme, "--plot", "drawn.svg"]);
        assert_eq!(code, 0, "{err}");
        let drawn = fs::read(dir.path().join("drawn.svg")).expect("a drawing");
        let kept = root.join("docs/pictures").join(name);
        if std::env::var_os("UPDATE").is_some() {
            fs::write(kept, drawn).expect("pictures can be written");
        } else {
            assert!(fs::read(kept).is_ok_and(|kept| kept == drawn), "{name} is old; UPDATE=1 draws it anew");
        }
    }
}
