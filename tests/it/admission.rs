//! Pods that the API server does not let in: what their owners do about it.

use seatrial::api::Kind;
use seatrial::scenario::from_text;
use seatrial::sim;
use seatrial::trace::{Emitted, Field, Trace, Value, What};

fn run(manifest: &str, spec: &str) -> Trace {
    let head = "apiVersion: seatrial/v1alpha1\nkind: Scenario\n";
    let text = format!("{manifest}---\n{head}spec: {{duration: 5m, {spec}}}");
    let compiled = from_text(&text).unwrap_or_else(|error| panic!("{spec}: {error}"));
    sim::run(&compiled[0].setup)
}

fn workload(kind: &str, more: &str) -> String {
    format!(
        "apiVersion: apps/v1
kind: {kind}
metadata: {{name: web}}
spec:
  {more}
  selector: {{matchLabels: {{app: web}}}}
  template:
    metadata: {{labels: {{app: web}}}}
    spec: {{containers: [{{name: app, image: 'app:v1', resources: {{requests: {{cpu: 100m}}}}}}]}}
"
    )
}

const JOB: &str = "apiVersion: batch/v1
kind: Job
metadata: {name: batch}
spec:
  parallelism: 4
  completions: 6
  template:
    spec: {restartPolicy: Never, containers: [{name: app, image: 'app:v1'}]}
";

/// The values of a field of objects of a kind, with their times in seconds.
fn values(trace: &Trace, kind: Kind, field: Field) -> Vec<(u64, String)> {
    let of_kind = trace.records.iter().filter(|r| trace.subject(r.subject).kind == kind);
    of_kind
        .filter_map(|r| match &r.what {
            What::Set { field: f, value } if *f == field => {
                let text = match value {
                    Value::Text(id) => trace.symbols.get(*id).to_string(),
                    Value::Int(n) => n.to_string(),
                    other => format!("{other:?}"),
                };
                Some((r.at.as_ms() / 1000, text))
            }
            _ => None,
        })
        .collect()
}

/// The times in seconds at which Events of a reason were sent about a kind.
fn events(trace: &Trace, kind: Kind, reason: &str) -> Vec<u64> {
    let of_kind = trace.records.iter().filter(|r| trace.subject(r.subject).kind == kind);
    of_kind
        .filter(
            |r| matches!(&r.what, What::Emitted(Emitted::Other { reason: id, .. }) if trace.symbols.get(*id) == reason),
        )
        .map(|r| r.at.as_ms() / 1000)
        .collect()
}

fn created(trace: &Trace) -> Vec<u64> {
    let pods = trace.records.iter().filter(|r| trace.subject(r.subject).kind == Kind::Pod);
    pods.filter(|r| r.what == What::Created).map(|r| r.at.as_ms() / 1000).collect()
}

const UPDATE: &str = "actions: [{at: 10s, setImage: {deployment/web: 'app:v2'}}]";

#[test]
fn a_surge_beyond_the_quota_fails_and_says_so() {
    let web = workload("Deployment", "replicas: 3\n  strategy: {rollingUpdate: {maxSurge: 2, maxUnavailable: 0}}");
    let trace = run(&web, &format!("cluster: {{quotas: {{default: {{pods: 3}}}}}}, {UPDATE}"));
    assert_eq!(created(&trace), [0, 0, 0], "nothing of the new version comes");
    for kind in [Kind::ReplicaSet, Kind::Deployment] {
        let said = values(&trace, kind, Field::ConditionReplicaFailure);
        assert_eq!(said, [(10, "True/FailedCreate".to_string())], "{kind}");
    }
    // One pod of the first batch is tried, and then with a back-off.
    let tries = events(&trace, Kind::ReplicaSet, "FailedCreate");
    assert!(tries.len() > 12 && tries.iter().filter(|at| **at > 60).count() < 4, "{tries:?}");
    let within = run(&web, &format!("cluster: {{quotas: {{default: {{pods: 4, cpu: 400m}}}}}}, {UPDATE}"));
    assert!(created(&within).len() > 4, "one at a time, as pods go: {:?}", created(&within));
}

#[test]
fn pods_come_soon_after_the_webhook_is_back() {
    let down = "actions: [{at: 20s, webhook: down, recover: 30s}, {at: 21s, podFail: 'web/*'}]";
    for (kind, more) in
        [("Deployment", "replicas: 3"), ("StatefulSet", "replicas: 3\n  serviceName: web"), ("DaemonSet", "")]
    {
        let trace = run(&workload(kind, more), &format!("cluster: {{zones: {{a: {{nodes: 3}}}}}}, {down}"));
        let late: Vec<u64> = created(&trace).into_iter().filter(|at| *at > 20).collect();
        assert!(late.len() >= 3 && late[0] >= 50 && late[0] < 95, "{kind}: {late:?}");
        let said = values(&trace, Kind::ReplicaSet, Field::ConditionReplicaFailure);
        let expected = if kind == "Deployment" { vec!["True/FailedCreate", "Absent"] } else { Vec::new() };
        assert_eq!(said.iter().map(|(_, value)| value.as_str()).collect::<Vec<_>>(), expected, "{kind}");
    }
}

#[test]
fn what_was_expected_of_a_server_that_was_down_is_forgotten() {
    // Creations are paced, so some are under way when the server goes down.
    let down = "controlPlane: realistic,
        actions: [{at: 19s, scale: {deployment/web: 150}}, {at: 22s, apiServer: down, recover: 10s}]";
    let trace = run(&workload("Deployment", "replicas: 3"), down);
    let made = created(&trace);
    assert!(made.contains(&21) && made.contains(&40), "{made:?}");
    assert_eq!(made.len(), 150);
    assert!(made.iter().all(|at| *at < 100), "{made:?}");
}

#[test]
fn a_job_counts_the_pods_that_it_could_create() {
    let spec = "pods: {'*': {run: {duration: 20s}}}, cluster: {quotas: {default: {pods: 2}}}";
    let trace = run(JOB, spec);
    let active = values(&trace, Kind::Job, Field::Active);
    assert!(active.iter().all(|(_, n)| matches!(n.as_str(), "0" | "1" | "2" | "Absent")), "{active:?}");
    let succeeded = values(&trace, Kind::Job, Field::Succeeded);
    assert_eq!(succeeded.last().map(|(_, n)| n.as_str()), Some("6"), "{succeeded:?}");
    assert!(!events(&trace, Kind::Job, "FailedCreate").is_empty());
}

#[test]
fn what_a_quota_limits_must_be_asked_for() {
    let trace = run(JOB, "cluster: {quotas: {default: {memory: 1Gi}, other: {pods: 0}}}");
    assert!(created(&trace).is_empty());
    assert!(run(JOB, "cluster: {quotas: {other: {pods: 0}}}").records.iter().any(|r| r.what == What::Running));
}

#[test]
fn the_next_leader_may_be_in_another_time_zone() {
    let daily = "apiVersion: batch/v1
kind: CronJob
metadata: {name: daily}
spec:
  schedule: '2 9 * * *'
  jobTemplate:
    spec:
      template: {spec: {restartPolicy: Never, containers: [{name: app, image: 'app:v1'}]}}
";
    let jobs = |zone: &str| {
        let failover = format!("actions: [{{at: 10s, failover: {{component: controllerManager, clock: {{{zone}}}}}}}]");
        let trace = run(daily, &failover);
        trace.records.iter().filter(|r| trace.subject(r.subject).kind == Kind::Job && r.what == What::Created).count()
    };
    assert_eq!((jobs("offset: 0s"), jobs("zone: Asia/Tokyo")), (0, 1), "midnight in UTC is nine o'clock in Tokyo");
}
