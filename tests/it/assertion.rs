//! Verdicts on one rollout whose every moment is known: 10 replicas, surge 3,
//! unavailable 2, started 1 s after binding, ready 9 s later, gone 5 s after
//! SIGTERM.

use super::manifests::WEB;
use seatrial::assertion::{Verdict, judge};
use seatrial::scenario::from_text;
use seatrial::timeline::Timeline;

const SCENARIO: &str = "---
apiVersion: seatrial/v1alpha1
kind: Scenario
metadata: {name: judged}
spec:
  duration: 20m
  cluster: {zones: {a: {nodes: 2}}}
  pods:
    '*': {schedule: 0s, start: 1s, ready: 9s, terminate: 5s}
    image/app:v3: {ready: never}
  actions:
  - {at: 30s, setImage: {deployment/web: 'app:v2'}}
  - {at: 2m, name: broken, setImage: {deployment/web: 'app:v3'}}
  - {at: 15m, undo: deployment/web}
";

fn verdict(assertion: &str) -> Verdict {
    let rehearsals = from_text(&format!("{WEB}{SCENARIO}assert:\n- {assertion}\n")).map_err(|e| e.to_string()).unwrap();
    let trace = seatrial::sim::run(&rehearsals[0].setup);
    let mut verdicts = judge(&rehearsals[0].assertions, &trace, &Timeline::of(&trace));
    let verdict = verdicts.remove(0);
    if let (Some(record), Some(at)) = (verdict.record, verdict.at) {
        assert!(
            trace.records[record.0 as usize].at.floor_ms() <= at,
            "{assertion}: the cause is not before its effect"
        );
    }
    verdict
}

/// Compares verdicts in the form `held 50s: found`.
fn check(table: &[(&str, &str)]) {
    let mut wrong = Vec::new();
    for (assertion, wanted) in table {
        let v = verdict(assertion);
        let at = v.at.map_or("-".to_string(), |at| at.to_string());
        let found = format!("{} {at}: {}", if v.passed { "held" } else { "failed" }, v.found);
        if found != *wanted {
            wrong.push(format!("{assertion}\n  found  {found}\n  wanted {wanted}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn always_and_never() {
    check(&[
        ("always: available(deployment/web) >= 8", "held -: min(available(deployment/web)) = 8 at 30s"),
        ("always: available(deployment/web) > 8", "failed 30s: available(deployment/web) = 8, for 20s"),
        ("{always: available(deployment/web) >= 8, from: 0s}", "failed 0s: available(deployment/web) = 0, for 10s"),
        ("always: on-node(deployment/web) <= 13", "failed 30s: on-node(deployment/web) = 15, for 5s"),
        ("{always: on-node(deployment/web) <= 13, after: broken}", "failed 2m: on-node(deployment/web) = 15, for 5s"),
        (
            "always: available(deployment/web) >= 80% of desired(deployment/web)",
            "held -: min(available(deployment/web)) = 8 at 30s",
        ),
        (
            "always: available(deployment/web) >= 81% of desired(deployment/web)",
            "failed 30s: available(deployment/web) = 8, desired(deployment/web) = 10, for 20s",
        ),
        (
            "always: available(deployment/web) >= floor(deployment/web) and counted(deployment/web) <= ceiling(deployment/web)",
            "held -: ",
        ),
        ("never: ready(web/3) > 0", "held -: "),
        (
            "never: complete(deployment/web)",
            "failed 50s: deployment/web complete: 10 of 10 updated, 10 available, for 1m10s",
        ),
        ("{never: complete(deployment/web), for: 2m, before: broken}", "held -: "),
        (
            "never: event(ProgressDeadlineExceeded, deployment/web)",
            "failed 12m01s: event(ProgressDeadlineExceeded, deployment/web)",
        ),
        ("{never: 'event(ProgressDeadlineExceeded, deployment/web)', until: 12m}", "held -: "),
    ]);
}

#[test]
fn eventually_and_sometimes() {
    check(&[
        ("eventually: complete(deployment/web) within 20s", "held 50s: after 20s"),
        (
            "eventually: complete(deployment/web) within 19s",
            "failed 50s: only after 20s: deployment/web complete: 10 of 10 updated, 10 available",
        ),
        (
            "{eventually: complete(deployment/web), after: broken, until: 15m}",
            "failed -: not by 14m59.999s: deployment/web not complete: 5 of 10 updated, 8 available",
        ),
        ("{eventually: complete(deployment/web), after: undo, within: 11s}", "held 15m10s: after 10s"),
        (
            "eventually: complete(deployment/web) for 2m within 10m",
            "failed 15m10s: only after 16m40s: deployment/web complete: 10 of 10 updated, 10 available",
        ),
        ("sometimes: terminating(deployment/web) == 5", "held 40s: after 10s"),
        ("sometimes: unschedulable(deployment/web)", "failed -: not by 20m: unschedulable(deployment/web)"),
        (
            "eventually: condition(deployment/web, Progressing) == False/ProgressDeadlineExceeded",
            "held 12m01s: after 11m31s",
        ),
        ("eventually: condition(deployment/web, Progressing) == \"False\"", "held 12m01s: after 11m31s"),
        (
            "sometimes: condition(deployment/web, Available) != True",
            "failed -: not by 20m: condition(deployment/web, Available) = \"True/MinimumReplicasAvailable\"",
        ),
    ]);
}

#[test]
fn checks() {
    check(&[
        ("check: min(available(deployment/web)) == 8", "held 30s: min(available(deployment/web)) = 8 at 30s"),
        ("check: max(on-node(deployment/web)) <= 13", "failed 40s: max(on-node(deployment/web)) = 18 at 40s"),
        (
            "check: mean(available(deployment/web) before broken) > 8.5",
            "held -: mean(available(deployment/web)) = 9.56",
        ),
        ("check: last(available(deployment/web)) == 10", "held 15m10s: last(available(deployment/web)) = 10 at 15m10s"),
        ("check: at(available(deployment/web), 40s) == 8", "held 40s: at(available(deployment/web), 40s) = 8"),
        ("check: count(created(web/2)) == 12", "held 15m: count(created(web/2)) = 12 at 15m"),
        ("check: count(created(web/1)) == 0", "held -: count(created(web/1)) = 0"),
        ("{check: count(created(web/1)) == 10, from: 0s}", "held 0s: count(created(web/1)) = 10 at 0s"),
        (
            "check: duration(available(deployment/web) < 10 before broken) <= 20s",
            "held -: duration(available(deployment/web) < 10) = 20s",
        ),
        (
            "check: first(ready(web/2) > 0) < first(ready(web/3) > 0)",
            "held 40s: first(ready(web/2) > 0) = 40s, first(ready(web/3) > 0) = never",
        ),
        ("check: first(ready(web/3) > 0) < 10m", "failed -: first(ready(web/3) > 0) = never"),
        ("check: rollout-time(deployment/web) <= 15s", "held 15m10s: rollout-time(deployment/web) = 10s at 15m10s"),
        (
            "check: rollout-time(deployment/web before broken) == 20s",
            "held 50s: rollout-time(deployment/web) = 20s at 50s",
        ),
        (
            "check: rollout-time(deployment/web after broken before undo) < 15m",
            "failed -: rollout-time(deployment/web) = never",
        ),
        (
            "check: count(available(deployment/web) < 10) == 2",
            "held 2m: count(available(deployment/web) < 10) = 2 at 2m",
        ),
        (
            "check: min(available(deployment/web)) >= 9 or max(counted(deployment/web)) <= 13",
            "held 30s: max(counted(deployment/web)) = 13 at 30s",
        ),
        (
            "check: min(available(deployment/web)) >= 8 and max(counted(deployment/web)) <= 12",
            "failed 30s: max(counted(deployment/web)) = 13 at 30s",
        ),
        ("check: not max(restarts(deployment/web)) > 0", "held 30s: max(restarts(deployment/web)) = 0 at 30s"),
        ("check: max(on-node(node/a-1)) > 8", "held 40s: max(on-node(node/a-1)) = 9 at 40s"),
        (
            "check: first(complete(deployment/web)) - 30s <= 20s",
            "held 50s: first(complete(deployment/web)) - 30s = 20s at 50s",
        ),
    ]);
}

#[test]
fn what_never_happened_has_a_nearest_record() {
    for (assertion, explained) in [
        ("{check: 'count(event(NoSuchReason, deployment/web)) == 1'}", true),
        ("{check: 'nth(restarted(deployment/web), 2) < 5m'}", true),
        ("{check: 'count(event(NoSuchReason, deployment/web)) == 0'}", false),
        ("{always: 'available(deployment/web) >= 20'}", false),
    ] {
        let verdict = verdict(assertion);
        assert_eq!(verdict.nearest.is_some(), explained, "{assertion}: {verdict:?}");
        assert_eq!(verdict.passed || verdict.record.is_some(), !explained, "{assertion}");
    }
}
