//! ResourceQuotas at the creation of pods.

use seatrial::assertion::judge;
use seatrial::scenario::from_text;
use seatrial::sim;
use seatrial::timeline::Timeline;

const TEMPLATE: &str = "metadata: {labels: {app: x}}, spec: {RESTART containers: [{name: app, image: 'app:v1'}]}";

fn workload(kind: &str, spec: &str) -> String {
    let (version, restart) = match kind {
        "Job" => ("batch/v1", "restartPolicy: Never,"),
        _ => ("apps/v1", ""),
    };
    let selector = if kind == "Job" { "" } else { "selector: {matchLabels: {app: x}}, " };
    let template = TEMPLATE.replace("RESTART", restart);
    format!(
        "apiVersion: {version}\nkind: {kind}\nmetadata: {{name: x}}\nspec: {{{spec}{selector}template: {{{template}}}}}\n---\n"
    )
}

fn text(manifests: &str, hard: &str, rest: &str) -> String {
    format!(
        "apiVersion: v1\nkind: ResourceQuota\nmetadata: {{name: team}}\nspec: {{hard: {hard}}}\n---\n{manifests}\
         apiVersion: seatrial/v1alpha1\nkind: Scenario\nspec:\n  duration: 10m\n\
         \x20 cluster: {{zones: {{a: {{nodes: 4}}}}}}\n{rest}"
    )
}

fn holds(manifests: &str, hard: &str, rest: &str, claims: &[&str]) {
    let claims: Vec<String> = claims.iter().map(|claim| format!("- {{check: '{claim}', from: 0s}}\n")).collect();
    let text = text(manifests, hard, &format!("{rest}assert:\n{}", claims.concat()));
    let rehearsal = from_text(&text).unwrap_or_else(|error| panic!("{text}: {error}")).remove(0);
    let trace = sim::run(&rehearsal.setup);
    for verdict in judge(&rehearsal.assertions, &trace, &Timeline::of(&trace)) {
        assert!(verdict.passed, "{text}\n{}: {}", verdict.text, verdict.found);
    }
}

#[test]
fn every_controller_stops_at_the_quota_and_goes_on_when_there_is_room() {
    let pods = "  pods: {'*': {schedule: 0s, start: 0s, terminate: 1s}}\n";
    let drop = |what: &str| format!("{pods}  actions: [{{at: 5m, name: room, delete: '{what}'}}]\n");
    let other = "apiVersion: v1\nkind: Pod\nmetadata: {name: other}\n\
                 spec: {containers: [{name: a, image: 'other:v1'}]}\n---\n";
    for (kind, spec, object, before) in [
        ("Deployment", "replicas: 3, ", "deployment/x", 2),
        ("StatefulSet", "serviceName: x, replicas: 3, ", "statefulset/x", 2),
        ("DaemonSet", "", "daemonset/x", 2),
    ] {
        let hard = if kind == "DaemonSet" { "{pods: 3}" } else { "{pods: \"3\"}" };
        let manifests = format!("{other}{}", workload(kind, spec));
        let after = before + 1;
        holds(
            &manifests,
            hard,
            &drop("pod/other"),
            &[
                &format!("max(existing({object}) before room) == {before}"),
                &format!("count(event(FailedCreate, {object}) before room) >= 5"),
                &format!("last(ready({object})) == {after}"),
            ],
        );
    }
}

#[test]
fn work_that_ends_makes_room() {
    let pods = "  pods: {'*': {schedule: 0s, start: 0s, run: {duration: 20s}}}\n";
    holds(
        &workload("Job", "completions: 6, parallelism: 4, "),
        "{pods: 2}",
        pods,
        &["max(running(job/x)) == 2", "last(completions(job/x)) == 6", "count(event(FailedCreate, job/x)) >= 1"],
    );
}

#[test]
fn objects_are_counted_as_long_as_they_are_there() {
    let pods = "  pods: {'*': {schedule: 0s, start: 0s, run: {duration: 20s}}}\n";
    let job = workload("Job", "completions: 6, parallelism: 4, ");
    holds(&job, "{count/pods: 2}", pods, &["last(completions(job/x)) == 2"]);
}

#[test]
fn a_quota_with_scopes_counts_some_pods_only() {
    let manifests = workload("Deployment", "replicas: 4, ");
    for (scopes, created) in [
        ("scopes: [BestEffort]", 2),
        ("scopes: [NotBestEffort]", 4),
        ("scopes: [NotTerminating, BestEffort]", 2),
        ("scopeSelector: {matchExpressions: [{scopeName: PriorityClass, operator: In, values: [high]}]}", 4),
        ("scopeSelector: {matchExpressions: [{scopeName: PriorityClass, operator: DoesNotExist}]}", 2),
    ] {
        let hard = format!("{{pods: 2}}, {scopes}");
        holds(&manifests, &hard, "", &[&format!("last(existing(deployment/x)) == {created}")]);
    }
}

#[test]
fn the_condition_comes_and_goes() {
    let failing = "condition(deployment/x, ReplicaFailure) == \"True/FailedCreate\"";
    let rest = "  pods: {'*': {schedule: 0s, start: 0s, terminate: 1s}}\n\
                \x20 actions: [{at: 3m, name: fewer, scale: {deployment/x: 2}}]\n";
    holds(
        &workload("Deployment", "replicas: 9, "),
        "{pods: 4}",
        rest,
        &[
            &format!("first({failing}) <= 1s"),
            &format!("duration({failing} after fewer) <= 1s"),
            // 1 and 2 are created, and of the batch of 4 one. One at a time is
            // tried again when these are seen; the other two of nine are not.
            "count(created(deployment/x) before 1s) == 4",
            "count(event(FailedCreate, deployment/x) before 1ms) <= 8",
        ],
    );
}

#[test]
fn what_is_not_said_is_refused_and_so_are_quotas_that_come_later() {
    let manifests = workload("Deployment", "replicas: 2, ");
    holds(&manifests, "{requests.memory: 1Gi}", "", &["count(created(deployment/x)) == 0"]);
    for (rest, wrong) in [
        (
            "  actions: [{at: 1m, apply: {apiVersion: v1, kind: ResourceQuota, metadata: {name: late}, spec: {}}}]\n",
            "there from the beginning",
        ),
        (
            "  objects: [{apiVersion: v1, kind: ResourceQuota, metadata: {name: b}, spec: {scopes: [Best]}}]\n",
            "unsupported scope",
        ),
        (
            "  objects: [{apiVersion: v1, kind: ResourceQuota, metadata: {name: b}, spec: {hard: {pods: many}}}]\n",
            "quantities must match",
        ),
    ] {
        let error = from_text(&text(&manifests, "{pods: 3}", rest)).map(|_| ()).unwrap_err().to_string();
        assert!(error.contains(wrong), "{rest}: {error}");
    }
}
