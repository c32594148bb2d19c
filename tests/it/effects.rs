//! What runs leave behind outside the cluster, and how they fail.

use seatrial::scenario::from_text;
use seatrial::sim;
use seatrial::timeline::{Series, Timeline};
use seatrial::trace::{Trace, What};

fn job(spec: &str) -> String {
    format!(
        "apiVersion: batch/v1
kind: Job
metadata: {{name: work}}
spec: {{{spec}template: {{spec: {{restartPolicy: Never, containers: [{{name: app, image: 'app:v1'}}]}}}}}}
"
    )
}

fn cron(policy: &str) -> String {
    format!(
        "apiVersion: batch/v1
kind: CronJob
metadata: {{name: ledger}}
spec:
  schedule: '* * * * *'
  concurrencyPolicy: {policy}
  jobTemplate: {{spec: {{template: {{spec: {{restartPolicy: Never, containers: [{{name: app, image: 'app:v1'}}]}}}}}}}}
"
    )
}

fn run(manifest: &str, spec: &str) -> (Trace, Timeline) {
    let text = format!("{manifest}---\napiVersion: seatrial/v1alpha1\nkind: Scenario\nspec: {{duration: 10m, {spec}}}");
    let compiled = from_text(&text).unwrap_or_else(|error| panic!("{spec}: {error}"));
    let trace = sim::run(&compiled[0].setup);
    let timeline = Timeline::of(&trace);
    (trace, timeline)
}

/// Effects, duplicates and losses at the end.
fn totals(timeline: &Timeline) -> [i64; 3] {
    [Series::Effects, Series::Duplicates, Series::Lost].map(|series| timeline.workloads()[0].series(series).last())
}

#[test]
fn runs_that_are_cut_off_lose_their_work() {
    let pods = "pods: {'*': {start: 0s, terminate: 1s, run: {duration: 90s}, effects: 'ledger {schedule}'}}";
    let early = pods.replace("'ledger {schedule}'", "{key: 'ledger {schedule}', at: 50%}");
    for (policy, pods, wanted) in [
        ("Allow", pods, [8, 0, 0]),
        ("Forbid", pods, [5, 0, 0]),
        ("Replace", pods, [0, 0, 8]),
        ("Replace", &early, [9, 0, 0]),
    ] {
        let (_, timeline) = run(&cron(policy), pods);
        assert_eq!(totals(&timeline), wanted, "{policy} {pods}");
    }
    let (_, timeline) = run(&cron("Allow"), pods);
    assert_eq!(timeline.workloads()[0].writes()[0].key, "ledger 2026-01-05T00:01:00Z");
}

#[test]
fn a_deleted_pod_may_do_its_work_twice() {
    let spec = "pods: {'*': {start: 0s, terminate: never, run: {duration: 40s}, effects: '{job}'}}, \
                actions: [{at: 20s, delete: pod/work#0}]";
    let (_, both) = run(&job(""), spec);
    assert_eq!(totals(&both), [2, 1, 0], "the successor runs beside the terminating pod");
    let (_, one) = run(&job("podReplacementPolicy: Failed, "), spec);
    assert_eq!(totals(&one), [1, 0, 0]);
}

#[test]
fn an_outage_hits_what_runs_at_the_time() {
    let spec =
        "pods: {'*': {start: 0s, run: {duration: 30s, outages: [{from: 5s, until: 6s, exit: 7}]}, effects: '{index}'}}";
    let (trace, timeline) =
        run(&job("completionMode: Indexed, completions: 10, parallelism: 10, backoffLimit: 5, "), spec);
    let failures: Vec<_> = trace.records.iter().filter(|r| matches!(r.what, What::Failed { .. })).collect();
    assert!(
        failures.iter().all(|r| r.at.as_ms() == 5_000 && matches!(r.what, What::Failed { exit_code: Some(7), .. }))
    );
    assert_eq!((failures.len(), totals(&timeline)), (10, [0, 0, 10]));
}

#[test]
fn chance_is_drawn_for_each_run() {
    let spec = "pods: {'*': {start: 0s, run: {duration: 1s, fails: 25%}, effects: {key: '{index}', onSuccess: true}}}";
    let manifest = job(
        "completionMode: Indexed, completions: 200, parallelism: 200, backoffLimit: 1000, backoffLimitPerIndex: 0, ",
    );
    let (_, timeline) = run(&manifest, spec);
    let [written, duplicates, lost] = totals(&timeline);
    assert_eq!((written + lost, duplicates), (200, 0));
    assert!((30..=70).contains(&lost), "{lost} of 200 failed");
    assert_eq!(totals(&run(&manifest, spec).1), [written, duplicates, lost]);
}

#[test]
fn single_indexes_and_single_jobs_may_differ() {
    let spec = "pods: {'*': {start: 0s, run: {duration: 1s, indexes: {'1': {exits: [3, 0], duration: 4s}}}, effects: '{index} {attempt}'}}";
    let (trace, timeline) = run(&job("completionMode: Indexed, completions: 2, parallelism: 2, "), spec);
    let failed = trace.records.iter().find(|r| matches!(r.what, What::Failed { .. })).expect("one fails");
    assert!(matches!(failed.what, What::Failed { exit_code: Some(3), .. }));
    assert!(failed.at.as_ms() >= 4_000);
    let keys: Vec<_> = timeline.workloads()[0].writes().iter().map(|w| w.key.as_str()).collect();
    assert_eq!(keys, ["0 0", "1 0", "1 1"]);

    let spec = "pods: [{start: 0s, run: {duration: 1s}}, {match: {job: 1}, run: {duration: 100s}}]";
    let (trace, _) = run(&cron("Allow"), spec);
    let ended = |r: &&seatrial::trace::Record| matches!(r.what, What::Succeeded { .. });
    let ends: Vec<_> = trace.records.iter().filter(ended).map(|r| r.at.as_ms() / 1000).take(4).collect();
    assert_eq!(ends, [61, 181, 220, 241]);
}

#[test]
fn assertions_count_effects() {
    let text = format!(
        "{}---\napiVersion: seatrial/v1alpha1\nkind: Scenario
spec: {{duration: 5m, pods: {{'*': {{run: {{duration: 10s}}, effects: 'ledger {{schedule}}'}}}}}}
assert:
- {{always: duplicates(cronjob/ledger) == 0}}
- {{check: last(effects(cronjob/ledger)) == 4}}
- {{check: 'count(wrote(\"ledger 2026-01-05T00:02:00Z\", cronjob/ledger)) == 1'}}
- {{check: 'count(wrote(\"ledger*\", cronjob/ledger)) == 4'}}
- {{check: 'count(wrote(cronjob/ledger)) + last(lost(cronjob/ledger)) == 4'}}
",
        cron("Forbid")
    );
    let compiled = from_text(&text).unwrap_or_else(|error| panic!("{error}"));
    let trace = sim::run(&compiled[0].setup);
    let timeline = Timeline::of(&trace);
    for verdict in seatrial::assertion::judge(&compiled[0].assertions, &trace, &timeline) {
        assert!(verdict.passed, "{}: {}", verdict.text, verdict.found);
    }
}

#[test]
fn a_key_with_an_unknown_place_is_refused() {
    let text = format!(
        "{}---\napiVersion: seatrial/v1alpha1\nkind: Scenario\nspec: {{pods: {{'*': {{effects: '{{tick}}'}}}}}}",
        job("")
    );
    let error = from_text(&text).map(|_| ()).expect_err("no such place").to_string();
    assert!(error.contains("there is no {tick}") && error.contains("{schedule}"), "{error}");
}
