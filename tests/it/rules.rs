//! Single rules of the API server and of controllers, in small whole runs that
//! are written like recordings.

use seatrial::api::Kind;
use seatrial::conformance::{Case, canonical};
use seatrial::manifest;
use seatrial::sim::setup::{ControlPlane, Workers};
use seatrial::sim::{self, Setup};
use seatrial::time::{SimTime, Span, Timestamp};
use seatrial::trace::What;
use serde_json::{Value, json};

/// What a run says of objects whose name has this in it, one line an entry.
#[track_caller]
fn entries(of: &str, objects: &Value, actions: &Value, until_ms: u64) -> Vec<String> {
    let case = json!({
        "name": "rule", "group": "rules", "about": "", "source": "", "objects": objects,
        "environment": {
            "start": "2026-01-05T00:00:00Z",
            "nodes": [{"name": "node-a", "zone": "z1", "cpu": "16", "memory": "64Gi", "pods": 110}],
            "controllers": ["deployment", "replicaset", "statefulset", "daemonset", "job", "gc", "disruption", "hpa"],
        },
        "actions": actions, "until_ms": until_ms, "runs": 1, "trace": [], "events": [],
    });
    let case = Case::parse(&case.to_string()).expect("a case");
    let trace = sim::run(&case.setup().expect("a setup"));
    let found = canonical::entries(&trace, &case.action_names());
    found.iter().map(|found| found.entry.to_string()).filter(|line| line.contains(of)).collect()
}

fn workload(kind: &str) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": kind, "metadata": {"name": "web", "namespace": "default"},
        "spec": {
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "app", "image": "app:v1"}]},
            },
        },
    })
}

fn patch(at_ms: u64, kind: &str, patch: &Value) -> Value {
    json!({"at_ms": at_ms, "do": "patch", "kind": kind, "name": "web", "type": "strategic", "patch": patch})
}

/// They are copied to its ReplicaSets, so the API server counts a Deployment
/// with other annotations as another generation; other workloads' are their
/// own affair.
#[test]
fn annotations_are_part_of_a_deployments_generation() {
    let note = json!({"metadata": {"annotations": {"kubernetes.io/change-cause": "a whim"}}});
    for (kind, expected) in [
        ("Deployment", &["20000 Deployment/web changed status.observedGeneration=2"][..]),
        ("StatefulSet", &[]),
        ("DaemonSet", &[]),
    ] {
        let lines = entries("web", &json!([workload(kind)]), &json!([patch(20_000, kind, &note)]), 30_000);
        let later: Vec<_> = lines.iter().filter(|line| line.starts_with("20000")).collect();
        assert_eq!(later, expected, "{kind}");
    }
}

#[test]
fn a_workload_keeps_its_selector() {
    for kind in ["Deployment", "ReplicaSet", "DaemonSet"] {
        let selector = json!({"spec": {"selector": {"matchLabels": {"tier": "front"}},
            "template": {"metadata": {"labels": {"tier": "front"}}}}});
        let lines = entries("Action", &json!([workload(kind)]), &json!([patch(20_000, kind, &selector)]), 30_000);
        let [line] = &lines[..] else { panic!("{kind}: {lines:?}") };
        assert!(line.starts_with(&format!("20000 Action/patch {kind}/web rejected")), "{line}");
    }
}

/// Twenty Deployments at once, each write taking a tenth of a second: how long
/// until all of their pods are there.
fn seconds_until_created(workers: Workers) -> u64 {
    let object = |n| {
        let mut document = workload("Deployment");
        document["metadata"]["name"] = json!(format!("web-{n:02}"));
        manifest::read(&document).expect("a Deployment").object
    };
    let control_plane = ControlPlane { workers, write_latency: Span::from_ms(100), ..ControlPlane::default() };
    let objects = (0..20).map(object).collect();
    let setup = Setup { objects, control_plane, ..Setup::new(Timestamp(0), SimTime::from_secs(300)) };
    let trace = sim::run(&setup);
    let created: Vec<_> = trace.records.iter().filter(|r| r.what == What::Created).collect();
    let mut pods = created.iter().filter(|r| trace.subject(r.subject).kind == Kind::Pod);
    assert_eq!(pods.clone().count(), 20);
    pods.next_back().expect("twenty").at.as_ms() / 1_000
}

#[test]
fn workers_work_side_by_side() {
    let (one, five) = (seconds_until_created(Workers::Same(1)), seconds_until_created(Workers::Upstream));
    assert_eq!((one, five), (5, 1));
}
