//! Clocks of components: who stamps, who compares, and what a host that
//! stands still misses.

use seatrial::api::Kind;
use seatrial::scenario::from_text;
use seatrial::sim;
use seatrial::timeline::Timeline;
use seatrial::trace::{Trace, What};

const CRON: &str = "apiVersion: batch/v1
kind: CronJob
metadata: {name: tick}
spec:
  schedule: '* * * * *'
  jobTemplate:
    spec:
      template: {spec: {restartPolicy: Never, containers: [{name: app, image: 'app:v1'}]}}
";

const WEB: &str = "apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 1
  minReadySeconds: 30
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: app, image: 'app:v1'}]}
";

/// Runs a manifest under a scenario of this `spec`.
fn run(manifest: &str, spec: &str) -> Trace {
    run_for("15m", manifest, spec)
}

fn run_for(duration: &str, manifest: &str, spec: &str) -> Trace {
    let head = "apiVersion: seatrial/v1alpha1\nkind: Scenario\n";
    let text = format!(
        "{manifest}---\n{head}spec: {{duration: {duration}, pods: {{'*': {{run: {{duration: 10s}}}}}}, {spec}}}"
    );
    let compiled = from_text(&text).unwrap_or_else(|error| panic!("{spec}: {error}"));
    sim::run(&compiled[0].setup)
}

/// When Jobs were created, in milliseconds.
fn starts(trace: &Trace) -> Vec<u64> {
    let jobs = trace.records.iter().filter(|r| r.what == What::Created && trace.subject(r.subject).kind == Kind::Job);
    jobs.map(|record| record.at.as_ms()).collect()
}

#[test]
fn cron_jobs_go_by_the_clock_of_the_controllers() {
    for (spec, first) in [
        ("", [60_100, 120_100, 180_100, 240_100]),
        ("clocks: {controllerManager: 30s}", [30_100, 90_100, 150_100, 210_100]),
        // Created, so the API server says, before midnight: one time is missed.
        ("clocks: {apiServer: -30s, kubelets: 1h}", [0, 60_100, 120_100, 180_100]),
        ("clocks: {controllerManager: {drift: 1%}}", [59_504, 118_910, 178_316, 237_722]),
        // The step is noticed when the running Job ends; missed times are one.
        ("actions: [{at: 130s, clockStep: {controllerManager: 5m}}]", [60_100, 120_100, 132_110, 180_100]),
        // Silence until the clock has passed the last run again.
        ("actions: [{at: 130s, clockStep: {controllerManager: -5m}}]", [60_100, 120_100, 480_100, 540_100]),
        ("actions: [{at: 130s, pause: {controllerManager: 10m}}]", [60_100, 120_100, 731_000, 780_100]),
        ("actions: [{at: 130s, pause: {all: 10m}}]", [60_100, 120_100, 732_110, 780_100]),
        ("actions: [{at: 60s, failover: controllerManager}]", [75_100, 120_100, 180_100, 240_100]),
        ("actions: [{at: 130s, apiServer: down}, {at: 430s, apiServer: up}]", [60_100, 120_100, 431_000, 480_100]),
    ] {
        assert_eq!(starts(&run(CRON, spec))[..4], first, "{spec}");
    }
}

#[test]
fn a_failover_to_another_clock_starts_no_tick_twice() {
    let spec = "actions: [{at: 121s, failover: {component: controllerManager, gap: 1s, clock: -30s}}]";
    let trace = run(CRON, spec);
    let mut names: Vec<_> = trace.subjects.iter().filter(|s| s.kind == Kind::Job).map(|s| s.name.to_string()).collect();
    let all = names.len();
    names.dedup();
    assert_eq!(names.len(), all);
    assert_eq!(starts(&trace)[..3], [60_100, 120_100, 210_100]);
}

#[test]
fn availability_is_the_kubelets_word_against_the_controllers_clock() {
    // Pods run for 10 s and are ready again at once; the clock decides.
    for (clocks, pods, seconds) in [
        ("{}", "{}", 31),
        ("{kubelets: -20s}", "{}", 11),
        ("{kubelets: 10s}", "{}", 41),
        ("{kubelets: -1m, controllerManager: -1m}", "{}", 31),
        ("{kubelets: 1m, node/a-1: 0s}", "{zones: {a: {nodes: 1}}}", 31),
    ] {
        let cluster = if pods == "{}" { String::new() } else { format!("cluster: {pods}, ") };
        let head = "apiVersion: seatrial/v1alpha1\nkind: Scenario\n";
        let text = format!(
            "{WEB}---\n{head}spec: {{duration: 5m, {cluster}clocks: {clocks}, pods: {{'*': {{start: 990ms}}}}}}"
        );
        let compiled = from_text(&text).unwrap_or_else(|error| panic!("{clocks}: {error}"));
        let timeline = Timeline::of(&sim::run(&compiled[0].setup));
        let available = timeline.workloads()[0].series(seatrial::timeline::Series::Available);
        let at = available.first_where(seatrial::time::SimTime::ZERO, |n| n == 1).expect("available in the end");
        assert_eq!(at.as_ms(), seconds * 1000, "{clocks}");
    }
}

#[test]
fn wrong_clocks_are_in_the_trace_and_right_ones_are_not() {
    assert!(Timeline::of(&run(CRON, "")).components().is_empty());
    let spec = "clocks: {kubelets: {spread: 60s}, scheduler: {offset: -2s, drift: 20ppm}}, \
                actions: [{at: 1m, pause: {node/a-1: 2m}}]";
    let timeline = Timeline::of(&run(CRON, spec));
    let clocks: Vec<_> = timeline.components().iter().filter(|c| c.has_wrong_clock()).collect();
    assert_eq!(clocks.len(), 7, "the scheduler and six nodes");
    assert_eq!(clocks[0].offset_ns(seatrial::time::SimTime::from_secs(100)), -2_000_000_000 + 2_000_000);
    let nodes = &clocks[1..];
    assert!(nodes.iter().all(|c| c.offset_ns(timeline.until).abs() <= 60_000_000_000));
    assert!(nodes.iter().any(|c| c.offset_ns(timeline.until) != nodes[0].offset_ns(timeline.until)));
    let still = timeline.components().iter().find(|c| c.name == "node/a-1").expect("a-1");
    let still: Vec<_> = still.running.points().iter().map(|p| (p.0.as_ms() / 1000, p.1)).collect();
    assert_eq!(still, [(0, 1), (60, 0), (180, 1)]);
}

#[test]
fn a_node_that_stands_still_ends_its_runs_later() {
    let ends = |trace: &Trace| {
        let ended = trace.records.iter().filter(|r| matches!(r.what, What::Succeeded { .. }));
        ended.map(|r| r.at.as_ms()).take(2).collect::<Vec<_>>()
    };
    let calm = ends(&run(CRON, "cluster: {zones: {a: {nodes: 1}}}"));
    let still = ends(&run(CRON, "cluster: {zones: {a: {nodes: 1}}}, actions: [{at: 65s, pause: {node/a-1: 20s}}]"));
    assert_eq!((calm[0] + 20_000, calm[1]), (still[0], still[1]));
}

#[test]
fn components_that_do_not_exist_are_named() {
    for (spec, wanted) in [
        ("clocks: {controlerManager: 1s}", "there is no component or node controlerManager"),
        ("actions: [{at: 1s, clockStep: {apiserver: 1s}}]", "there is no component apiserver"),
        ("actions: [{at: 1s, failover: apiServer}]", "`apiServer` has no leader"),
        ("actions: [{at: 1s, clockStep: {scheduler: 5}}]", "expected a duration with a sign"),
    ] {
        let text = format!("{CRON}---\napiVersion: seatrial/v1alpha1\nkind: Scenario\nspec: {{{spec}}}");
        let error = from_text(&text).map(|_| ()).expect_err(spec).to_string();
        assert!(error.contains(wanted), "{spec}: {error}");
    }
}

/// When pods were said to be not ready, and when they were ready again.
fn blips(action: &str) -> Vec<(&'static str, u64)> {
    let head = "apiVersion: seatrial/v1alpha1\nkind: Scenario\n";
    let text = format!(
        "{WEB}---\n{head}spec: {{duration: 10m, cluster: {{zones: {{a: {{nodes: 1}}}}}}, pods: {{'*': {{start: 1s}}}}, \
         actions: [{{at: 60s, {action}}}]}}"
    );
    let compiled = from_text(&text).unwrap_or_else(|error| panic!("{action}: {error}"));
    let trace = sim::run(&compiled[0].setup);
    let after = trace.records.iter().filter(|record| record.at.as_ms() >= 60_000);
    let named = after.filter_map(|record| match record.what {
        What::Ready => Some(("ready", record.at.as_ms())),
        What::Unready => Some(("unready", record.at.as_ms())),
        What::Created | What::Removed => Some(("another", record.at.as_ms())),
        _ => None,
    });
    named.collect()
}

#[test]
fn a_kubelet_that_lives_does_not_leave_it_at_that() {
    for (action, expected) in [
        // Renewals count again once the clock is where it was, after 3 min.
        (
            "clockStep: {node/a-1: -2m}",
            &[("unready", 101_100), ("ready", 110_000), ("unready", 161_100), ("ready", 170_000)][..],
        ),
        ("clockStep: {node/a-1: -30s}", &[]),
        ("clockStep: {node/a-1: 2m}", &[]),
        ("pause: {node/a-1: 3m}", &[("unready", 101_100), ("ready", 240_000)]),
    ] {
        assert_eq!(blips(action), expected, "{action}");
    }
}

#[test]
fn schedules_without_a_zone_are_in_that_of_the_controller_manager() {
    let nine = CRON.replace("* * * * *", "0 9 * * *");
    let berlin = nine.replace("schedule:", "timeZone: Europe/Berlin\n  schedule:");
    for (manifest, zone, hour) in [(&nine, "UTC", 9), (&nine, "Asia/Seoul", 24), (&berlin, "Asia/Seoul", 8)] {
        let clocks = format!("start: '2026-01-05T00:30:00Z', clocks: {{controllerManager: {{zone: {zone}}}}}");
        let trace = run_for("26h", manifest, &clocks);
        let minute = starts(&trace).first().map(|ms| ms / 60_000);
        assert_eq!(minute, Some(hour * 60 - 30), "{zone}");
    }
}

#[test]
fn zones_and_owners_of_clocks_are_checked() {
    for (clocks, wanted) in [
        ("controllerManger: 30s", "did you mean controllerManager?"),
        ("apiServer: {zone: Asia/Seoul}", "nobody asks for the time zone of apiServer"),
        ("controllerManager: {zone: asia/seoul}", "did you mean Asia/Seoul?"),
    ] {
        let head = "apiVersion: seatrial/v1alpha1\nkind: Scenario\n";
        let text = format!("{CRON}---\n{head}spec: {{duration: 1m, clocks: {{{clocks}}}}}");
        let problem = from_text(&text).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(problem.contains(wanted), "{problem}");
    }
}
