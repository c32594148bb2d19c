//! Nodes that are short of memory.

use super::manifests;
use seatrial::assertion::judge;
use seatrial::scenario::from_text;
use seatrial::sim;
use seatrial::timeline::Timeline;

/// A Deployment whose pods ask for 512 MiB, and what is said of it.
fn deployment(name: &str, replicas: u32, class: &str) -> String {
    let pod = format!(
        "      priorityClassName: {class}
      terminationGracePeriodSeconds: 60
      containers: [{{name: app, image: 'app:v1', resources: {{requests: {{memory: 512Mi}}}}}}]"
    );
    manifests::deployment(name, replicas, &pod)
}

/// Runs the Deployments on machines of 2 GiB; all claims must hold.
fn holds(nodes: u32, deployments: &[String], pods: &str, claims: &[&str]) {
    let claims: Vec<String> = claims.iter().map(|claim| format!("- check: {claim}\n")).collect();
    let claims = claims.concat();
    let text = format!(
        "{}apiVersion: seatrial/v1alpha1
kind: Scenario
spec:
  duration: 15m
  cluster: {{zones: {{a: {{nodes: {nodes}, memory: 2Gi}}}}}}
  pods:
    '*': {{schedule: 0s, start: 0s, terminate: 30s}}
{pods}
assert:
{claims}",
        deployments.concat()
    );
    let rehearsal = from_text(&text).unwrap_or_else(|error| panic!("{text}: {error}")).remove(0);
    let trace = sim::run(&rehearsal.setup);
    for verdict in judge(&rehearsal.assertions, &trace, &Timeline::of(&trace)) {
        assert!(verdict.passed, "{}: {}", verdict.text, verdict.found);
    }
}

#[test]
fn who_grows_above_its_request_is_evicted_and_its_node_closed_for_five_minutes() {
    holds(
        1,
        &[deployment("web", 2, "''")],
        "    deployment/web: {memory: [[0s, 512Mi], [33s, 1200Mi]]}",
        &[
            // Seen at the next look, and killed after a second of grace.
            "first(event(EvictionThresholdMet, node/a-1)) == 40s",
            "first(event(Evicted, deployment/web)) == 40s",
            "first(failed(deployment/web)) == 41s",
            "count(event(Evicted, deployment/web) before 5m) == 1",
            // Its successor waits until the pressure is over, and grows again.
            "first(created(deployment/web) after 1s) == 41s",
            "first(bound(deployment/web) after 1s) >= 340s",
            "first(bound(deployment/web) after 1s) <= 342s",
            "nth(event(Evicted, deployment/web), 2) == 380s",
        ],
    );
}

#[test]
fn what_is_critical_stays_and_the_next_one_goes() {
    holds(
        1,
        &[deployment("agent", 1, "system-node-critical"), deployment("web", 2, "''")],
        "    deployment/agent: {memory: [[0s, 512Mi], [33s, 1600Mi]]}",
        &[
            "count(event(Evicted, deployment/agent)) == 0",
            // 1600 and 512 MiB are still too much, so both go, one after the other.
            "count(event(Evicted, deployment/web) before 5m) == 2",
            "first(event(Evicted, deployment/web)) == 40s",
            "nth(event(Evicted, deployment/web), 2) == 41s",
        ],
    );
}

#[test]
fn nobody_looks_where_nothing_is_said() {
    holds(
        2,
        &[deployment("web", 4, "''")],
        "    deployment/web: {ready: 1s}",
        &["count(event(EvictionThresholdMet, *)) == 0", "last(available(deployment/web)) == 4"],
    );
}
