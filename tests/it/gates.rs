//! Scheduling gates: who waits for them, and who takes them away.

use seatrial::scenario::from_text;
use seatrial::sim;
use seatrial::trace::{Record, Trace, What};

/// A Deployment of two pods with two gates.
const WEB: &str = "apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      schedulingGates: [{name: a.io/quota}, {name: b.io/data}]
      containers: [{name: app, image: 'web:1'}]
";

/// A pod of its own with a gate.
const LONELY: &str = "apiVersion: v1
kind: Pod
metadata: {name: lonely}
spec:
  schedulingGates: [{name: a.io/quota}]
  containers: [{name: app, image: 'web:1'}]
";

fn run(manifest: &str, scheduler: &str, actions: &str) -> Trace {
    let cluster = format!("cluster: {{scheduler: {scheduler}, zones: {{a: {{nodes: 1}}}}}}");
    let pods = "pods: {'*': {schedule: 10ms, start: 1s, ready: 2s}}";
    let head = "apiVersion: seatrial/v1alpha1\nkind: Scenario\n";
    let text = format!("{manifest}---\n{head}spec: {{duration: 5m, {cluster}, {pods}, actions: [{actions}]}}\n");
    let compiled = from_text(&text).unwrap_or_else(|error| panic!("{actions}: {error}"));
    sim::run(&compiled[0].setup)
}

/// What happens to a pod before it starts, with the time in milliseconds.
fn told(trace: &Trace, pod: &str) -> Vec<(u64, String)> {
    let early = |r: &&Record| matches!(r.what, What::Gated { .. } | What::Ungated | What::Bound { .. });
    let own = trace.records.iter().filter(|r| &*trace.subject(r.subject).name == pod);
    own.filter(early).map(|r| (r.at.as_ms(), trace.describe(r))).collect()
}

#[test]
fn both_schedulers_hold_gated_pods_back() {
    for (scheduler, delay) in [("simple", 10), ("kube", 0)] {
        let actions = "{at: 1m, podUngate: {pod: 'web/1#0', gates: [b.io/data]}}, {at: 2m, podUngate: 'web/*'}";
        let trace = run(WEB, scheduler, actions);
        let of = |at: u64, words: &str| (at, words.to_string());
        assert_eq!(
            told(&trace, "web/1#0"),
            [
                of(0, "pod web/1#0 waits for its scheduling gates: a.io/quota b.io/data"),
                of(60_000, "pod web/1#0 waits for its scheduling gates: a.io/quota"),
                of(120_000, "the last scheduling gate of pod web/1#0 was taken away"),
                of(120_000 + delay, "pod web/1#0 was bound to node a-1"),
            ],
            "{scheduler}"
        );
        assert!(!trace.records.iter().any(|r| r.what == What::Unschedulable), "{scheduler}");
    }
}

#[test]
fn a_patch_takes_gates_away_and_adds_none() {
    let patch = |gates: &str| format!("{{at: 1m, mergePatch: {{pod/lonely: {{spec: {{schedulingGates: {gates}}}}}}}}}");
    for (gates, bound, refusal) in [
        ("null", true, None),
        ("[]", true, None),
        ("[{name: a.io/quota}]", false, None),
        (
            "[{name: a.io/quota}, {name: new}]",
            false,
            Some(
                "Pod \"lonely\" is invalid: spec.schedulingGates[1].name: Forbidden: only deletion is allowed, but \
                 found new scheduling gate 'new'",
            ),
        ),
    ] {
        let trace = run(LONELY, "kube", &patch(gates));
        let refused = trace.records.iter().find_map(|r| match r.what {
            What::Rejected { message, .. } => Some(trace.symbols.get(message)),
            _ => None,
        });
        assert_eq!(refused, refusal, "{gates}");
        let at: Vec<u64> = told(&trace, "lonely").into_iter().map(|(at, _)| at).collect();
        assert_eq!(at, if bound { vec![0, 60_000, 60_000] } else { vec![0] }, "{gates}");
    }
}

#[test]
fn a_gated_pod_is_pending_to_budgets() {
    let budget = "apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: web}
spec: {minAvailable: 1, selector: {matchLabels: {app: web}}}
";
    let actions = "{at: 10s, podUngate: 'web/1#0'}, {at: 1m, evict: 'web/1#0'}, {at: 2m, evict: 'web/1#1'}";
    let trace = run(&format!("{WEB}---\n{budget}"), "kube", actions);
    let deleted = |pod: &str| {
        let own = trace.records.iter().filter(|r| &*trace.subject(r.subject).name == pod);
        own.filter(|r| matches!(r.what, What::Deleting { .. } | What::Removed)).map(|r| r.at.as_ms()).next()
    };
    // Of the one that is ready the budget lets none go; the gated one does not count.
    assert_eq!((deleted("web/1#0"), deleted("web/1#1")), (None, Some(120_000)));
    assert!(trace.records.iter().any(|r| matches!(r.what, What::Rejected { .. }) && r.at.as_ms() == 60_000));
}
