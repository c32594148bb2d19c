//! The numbers that people quote, out of whole runs.
//!
//! They were first computed by hand, with syncs that take no time. Where real
//! controllers are slower, what was recorded of them is the truth; each such
//! number says why it differs.

use seatrial::api::Kind;
use seatrial::scenario::from_text;
use seatrial::sim;
use seatrial::time::{SimTime, Span};
use seatrial::timeline::{Series, Timeline, Workload};
use seatrial::trace::{Trace, What};

/// A run of manifests under a scenario without a cluster of its own.
fn run(manifests: &str, spec: &str) -> (Trace, Timeline) {
    let text = format!("{manifests}\n---\napiVersion: seatrial/v1alpha1\nkind: Scenario\nspec:\n{spec}");
    let rehearsals = from_text(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let trace = sim::run(&rehearsals[0].setup);
    let timeline = Timeline::of(&trace);
    (trace, timeline)
}

fn deployment(replicas: i64, surge: &str, unavailable: &str, more: &str) -> String {
    format!(
        "apiVersion: apps/v1
kind: Deployment
metadata: {{name: web}}
spec:
  replicas: {replicas}
  {more}
  strategy: {{rollingUpdate: {{maxSurge: {surge}, maxUnavailable: {unavailable}}}}}
  selector: {{matchLabels: {{app: web}}}}
  template:
    metadata: {{labels: {{app: web}}}}
    spec: {{containers: [{{name: app, image: 'app:v1'}}]}}
"
    )
}

/// A rollout at ten minutes of pods that are ready after 20 s and drain 30 s,
/// without any other delay.
fn rollout(manifest: &str, more: &str) -> Timeline {
    let spec = format!(
        "  duration: 25m
  pods: {{'*': {{schedule: 0s, start: 0s, ready: 20s, terminate: never}}{more}}}
  actions: [{{at: 10m, setImage: {{deployment/web: 'app:v2'}}}}]
"
    );
    run(manifest, &spec).1
}

fn web(timeline: &Timeline) -> &Workload {
    timeline.workload(Kind::Deployment, "default", "web").expect("it was applied")
}

const SHIPPED: SimTime = SimTime::from_secs(600);

#[test]
fn surge_rounds_up_and_unavailable_down() {
    for (replicas, surge, unavailable) in [
        (1, 1, 0),
        (2, 1, 0),
        (3, 1, 0),
        (4, 1, 1),
        (5, 2, 1),
        (6, 2, 1),
        (7, 2, 1),
        (8, 2, 2),
        (9, 3, 2),
        (10, 3, 2),
        (15, 4, 3),
        (20, 5, 5),
    ] {
        let timeline = rollout(&deployment(replicas, "25%", "25%", ""), "");
        let (web, end) = (web(&timeline), timeline.end());
        let most = web.series(Series::Counted).max_over(SHIPPED, end);
        let least = web.series(Series::Available).min_over(SHIPPED, end);
        assert_eq!((most - replicas, replicas - least), (surge, unavailable), "{replicas} replicas");
    }
    // Both would be nothing, so one may be missing: an outage of the only pod.
    let timeline = rollout(&deployment(1, "0", "25%", ""), "");
    assert_eq!(web(&timeline).series(Series::Available).min_over(SHIPPED, timeline.end()), 0);
}

#[test]
fn rollouts_take_as_long_and_as_much_room_as_the_arithmetic_says() {
    // Replicas, surge, unavailable, minReadySeconds: seconds, least available,
    // most counted, most on nodes.
    for (replicas, surge, unavailable, min_ready, expected) in [
        (4, "25%", "25%", 0, (40, 3, 5, 8)),
        (10, "25%", "25%", 0, (40, 8, 13, 20)),
        (10, "25%", "25%", 60, (160, 8, 13, 18)),
        (10, "0", "25%", 0, (100, 8, 10, 14)),
        (10, "100%", "0", 0, (20, 10, 20, 20)),
    ] {
        let min_ready = format!("minReadySeconds: {min_ready}");
        let timeline = rollout(&deployment(replicas, surge, unavailable, &min_ready), "");
        let (web, end) = (web(&timeline), timeline.end());
        let rollout = web.rollouts().last().and_then(seatrial::timeline::Rollout::duration);
        let found = (
            rollout.map(|took| (took.0 + 500_000_000) / 1_000_000_000),
            web.series(Series::Available).min_over(SHIPPED, end),
            web.series(Series::Counted).max_over(SHIPPED, end),
            web.series(Series::OnNode).lasting(Span::from_ms(1)).max_over(SHIPPED, end),
        );
        let (took, least, counted, on_node) = expected;
        assert_eq!(found, (Some(took), least, counted, on_node), "{replicas} at {surge}/{unavailable}, {min_ready}");
    }
}

#[test]
fn a_crash_looping_version_stalls_at_eight_old_and_five_new() {
    let broken = ", image/app:v2: {ready: never, crash: {after: 1s}}";
    let timeline = rollout(&deployment(10, "25%", "25%", ""), broken);
    let web = web(&timeline);
    let on_nodes: Vec<i64> = web.revisions().iter().map(|r| r.on_node.at(timeline.until)).collect();
    assert_eq!(on_nodes, [8, 5]);
    assert_eq!(web.series(Series::Available).min_over(SHIPPED, timeline.end()), 8);
}

#[test]
fn of_a_stateful_set_ten_percent_are_one_at_least() {
    for (replicas, most) in [(1, 1), (9, 1), (10, 1), (20, 2), (29, 2)] {
        let manifest = format!(
            "apiVersion: apps/v1
kind: StatefulSet
metadata: {{name: db}}
spec:
  replicas: {replicas}
  podManagementPolicy: Parallel
  serviceName: db
  updateStrategy: {{rollingUpdate: {{maxUnavailable: 10%}}}}
  selector: {{matchLabels: {{app: db}}}}
  template:
    metadata: {{labels: {{app: db}}}}
    spec: {{containers: [{{name: app, image: 'app:v1'}}]}}
"
        );
        let spec = "  duration: 40m
  pods: {'*': {schedule: 0s, start: 0s, ready: 20s, terminate: 10s}}
  actions: [{at: 10m, setImage: {statefulset/db: 'app:v2'}}]
kubernetes: {featureGates: {MaxUnavailableStatefulSet: true}}
";
        let (_, timeline) = run(&manifest, spec);
        let db = timeline.workload(Kind::StatefulSet, "default", "db").expect("it was applied");
        let least = db.series(Series::Available).min_over(SHIPPED, timeline.end());
        assert_eq!(replicas - least, most, "{replicas} replicas");
    }
}

fn job(policy: &str, limit: u32) -> (Trace, Timeline) {
    let manifest = format!(
        "apiVersion: batch/v1
kind: Job
metadata: {{name: load}}
spec:
  backoffLimit: {limit}
  template:
    spec:
      restartPolicy: {policy}
      containers: [{{name: app, image: 'app:v1'}}]
"
    );
    let pods = "{'*': {schedule: 0s, start: 0s, terminate: 0s, run: {duration: 1s, exits: [1]}}}";
    run(&manifest, &format!("  duration: 20m\n  pods: {pods}\n"))
}

/// The seconds at which something happened.
fn seconds(trace: &Trace, what: impl Fn(What) -> bool) -> Vec<u64> {
    trace.records.iter().filter(|r| what(r.what)).map(|r| r.at.as_ms() / 1_000).collect()
}

/// When a condition of the Job became true.
fn since(timeline: &Timeline, condition: &str) -> Option<u64> {
    let load = timeline.workload(Kind::Job, "default", "load")?;
    let change = load.conditions().iter().find(|c| c.condition == condition && c.status == "True")?;
    Some(change.at.as_ms() / 1_000)
}

#[test]
fn a_job_that_never_succeeds_is_tried_in_pods_ever_further_apart() {
    let starts = [0, 11, 32, 73, 154, 315, 636];
    for (limit, failed) in [(2, 33), (3, 74), (4, 155), (6, 637)] {
        let (trace, timeline) = job("Never", limit);
        assert_eq!(seconds(&trace, |what| what == What::Running), starts[..=limit as usize], "limit {limit}");
        // The controller looks at pods that have changed once a second. The
        // last failure meets a look that is due anyway.
        assert_eq!(since(&timeline, "Failed"), Some(failed), "limit {limit}");
    }
}

#[test]
fn a_job_that_restarts_in_place_has_one_attempt_fewer() {
    // By hand: killed at 1, 12, 33, 74 and 316 s, when the restart that
    // reaches the limit begins. Recordings have it up to a second later: the
    // controller looks at pods that have changed once a second.
    for (limit, restarted) in [(1, 1), (2, 12), (3, 33), (4, 74), (6, 316)] {
        let (trace, timeline) = job("OnFailure", limit);
        let restarts = seconds(&trace, |what| matches!(what, What::Restarted { .. }));
        assert_eq!((restarts.len(), restarts.last()), (limit as usize, Some(&restarted)), "limit {limit}");
        let killed = seconds(&trace, |what| matches!(what, What::Deleting { .. }));
        assert_eq!(killed.len(), 1, "limit {limit}");
        assert!((restarted..=restarted + 1).contains(&killed[0]), "limit {limit}: killed at {killed:?}");
        let failed = since(&timeline, "Failed").expect("it failed");
        assert!((restarted + 1..=restarted + 2).contains(&failed), "limit {limit}: {failed}");
    }
}

#[test]
fn minutely_runs_of_ninety_seconds_by_policy() {
    let manifest = |policy: &str, more: &str| {
        format!(
            "apiVersion: batch/v1
kind: CronJob
metadata: {{name: tick}}
spec:
  schedule: '* * * * *'
  concurrencyPolicy: {policy}
  {more}
  jobTemplate: {{spec: {{template: {{spec: {{restartPolicy: Never, containers: [{{name: app, image: 'app:v1'}}]}}}}}}}}
"
        )
    };
    // A pod that is done at 150.1 s is seen at 151.1 s, so what takes 90 s
    // from Job to Job works for 89 s.
    for (policy, more, work, starts) in [
        ("Allow", "", 90, &[60, 120, 180, 240, 300, 360, 420, 480][..]),
        ("Forbid", "", 89, &[60, 150, 240, 330, 420, 510]),
        ("Forbid", "startingDeadlineSeconds: 20", 89, &[60, 180, 300, 420]),
        ("Replace", "", 90, &[60, 120, 180, 240, 300, 360, 420, 480]),
    ] {
        let spec = format!(
            "  duration: 530s\n  pods: {{'*': {{schedule: 0s, start: 0s, terminate: 0s, run: {{duration: {work}s}}}}}}\n"
        );
        let (_, timeline) = run(&manifest(policy, more), &spec);
        let tick = timeline.workload(Kind::CronJob, "default", "tick").expect("it was applied");
        let created = tick.series(Series::StartedJobs).points().iter().filter(|p| p.1 > 0);
        let created: Vec<u64> = created.map(|p| p.0.as_ms() / 1_000).collect();
        assert_eq!(created, starts, "{policy} {more}");
        let overlap = tick.series(Series::Overlap).lasting(Span::from_ms(1));
        let (from, to) = (SimTime::from_secs(120), SimTime::from_secs(480));
        assert_eq!(overlap.max_over(from, to), if policy == "Allow" { 2 } else { 1 }, "{policy}");
        if policy == "Allow" {
            let twice = overlap.duration_where(from, to, |n| n == 2).0 as f64 / to.since(from).0 as f64;
            assert!((twice - 0.5).abs() < 0.01, "two for half the time, not for {twice}");
        }
        assert_eq!(tick.series(Series::Completions).at(timeline.until) == 0, policy == "Replace", "{policy}");
    }
}
