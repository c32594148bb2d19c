//! Streamed runs: the same records, and no more memory than the cluster needs.

use super::manifests::{APP, deployment};
use seatrial::digest::Digest;
use seatrial::scenario::from_text;
use seatrial::sim::{self, Setup};

const MINUTELY: &str = "apiVersion: batch/v1
kind: CronJob
metadata: {name: tick}
spec:
  schedule: '* * * * *'
  concurrencyPolicy: Replace
  jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: app, image: 'app:v1'}]}}}}
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: flaky}
spec:
  schedule: '*/5 * * * *'
  jobTemplate:
    spec:
      completions: 3
      parallelism: 2
      completionMode: Indexed
      template: {spec: {restartPolicy: Never, containers: [{name: app, image: 'app:v1'}]}}
---
";

const SCENARIO: &str = "apiVersion: seatrial/v1alpha1
kind: Scenario
spec:
  duration: 16h
  pods:
    cronjob/tick: {run: {duration: {uniform: {low: 20s, high: 80s}}}}
    cronjob/flaky: {run: {duration: 30s, exits: [1, 0]}}
  actions:
  - {at: 3h, setImage: {deployment/web: 'app:v2'}}
  - {at: 5h, controllers: down}
  - {at: 5h30m, controllers: up}
";

fn setup() -> Setup {
    from_text(&format!("{MINUTELY}{}{SCENARIO}", deployment("web", 4, APP))).expect("valid")[0].setup.clone()
}

#[test]
fn the_records_are_those_of_a_run_that_is_kept() {
    let setup = setup();
    let trace = sim::run(&setup);
    let (mut digest, mut records, mut next) = (Digest::default(), 0, 0);
    sim::stream(&setup, |piece| {
        assert_eq!(piece.trace.before, next, "the pieces follow each other");
        next += piece.trace.records.len() as u32;
        records += piece.trace.records.len();
        digest.add(piece.trace, piece.new_subjects.iter().copied());
    });
    assert_eq!(records, trace.records.len());
    assert_eq!(digest.to_string(), trace.digest());
}

#[test]
fn objects_that_are_gone_are_forgotten() {
    let mut setup = setup();
    setup.until = seatrial::time::SimTime::from_secs(48 * 3_600);
    setup.control_plane.informer_lag = seatrial::time::Span::from_ms(300);
    let all = sim::run(&setup).subjects.len();
    let (mut most, mut new) = (0, 0);
    sim::stream(&setup, |piece| {
        most = most.max(piece.trace.subjects.len());
        new += piece.new_subjects.len();
    });
    assert_eq!(new, all);
    assert!(all > 9_000 && most < all / 3, "{most} of {all} at a time");
}
