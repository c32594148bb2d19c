//! Actions that wait for something, and what happens at random.

use super::manifests::{self, APP};
use seatrial::assertion::judge;
use seatrial::scenario::{Rehearsal, from_text};
use seatrial::sim;
use seatrial::time::SimTime;
use seatrial::timeline::Timeline;
use seatrial::trace::{Subject, Trace, What};

/// A Deployment that stays on the nodes of its own name.
fn deployment(name: &str, replicas: u32) -> String {
    manifests::deployment(name, replicas, &format!("      nodeSelector: {{for: {name}}}\n{APP}"))
}

fn compiled(manifests: &str, rest: &str) -> Rehearsal {
    let text = format!("{manifests}apiVersion: seatrial/v1alpha1\nkind: Scenario\n{rest}");
    from_text(&text).unwrap_or_else(|error| panic!("{rest}: {error}")).remove(0)
}

const SPEC: &str = "spec:
  duration: 15m
  cluster: {zones: {a: {nodes: 3, labels: {for: web}}}}
  pods: {'*': {start: 1s, ready: 9s, terminate: 1s}}
";

/// When each action happened, in seconds.
fn actions(trace: &Trace) -> Vec<(u64, String)> {
    let timeline = Timeline::of(trace);
    timeline.actions.iter().map(|a| (a.at.0 / 1_000_000_000, a.text.clone())).collect()
}

fn ran(actions_of_spec: &str) -> Vec<(u64, String)> {
    let rehearsal = compiled(&deployment("web", 4), &format!("{SPEC}  actions:\n{actions_of_spec}"));
    actions(&sim::run(&rehearsal.setup))
}

#[test]
fn actions_wait_for_claims_and_for_each_other() {
    let happened = ran("  - {at: 30s, name: ship, setImage: {deployment/web: 'app:v2'}}
  - {at: ship + 5s, cordon: a-3}
  - {when: 'ready(web/2) >= 2', plus: 3s, name: enough, cordon: a-2}
  - {at: enough + 1m, uncordon: a-2}
  - {after: enough, when: complete(deployment/web), uncordon: a-3}
");
    let wanted = [
        (30, "set image deployment/web app:v2"),
        (35, "cordon a-3"),
        // maxSurge 1 and maxUnavailable 1: two at once, ready after 10 s.
        (43, "cordon a-2"),
        (50, "uncordon a-3"),
        (103, "uncordon a-2"),
    ];
    assert_eq!(happened.iter().map(|(at, text)| (*at, text.as_str())).collect::<Vec<_>>(), wanted);
}

#[test]
fn what_waits_from_the_beginning_sees_the_first_rollout() {
    let happened = ran("  - {when: complete(deployment/web), plus: 1m, setImage: {deployment/web: 'app:v2'}}
  - {when: 'created(web/2)', nodeFail: a-1}
");
    assert_eq!(happened.iter().map(|a| a.0).collect::<Vec<_>>(), [70, 70]);
}

#[test]
fn what_never_comes_is_said() {
    let rest = format!(
        "{SPEC}  actions:
  - {{at: 30s, setImage: {{deployment/web: 'app:v2'}}}}
  - {{when: 'ready(deployment/web) > 100', plus: 30s, name: reboot, nodeFail: a-1}}
assert:
- {{always: ready(deployment/web) >= 0, after: reboot}}
- {{check: 'count(created(web/2)) == 4'}}
"
    );
    let rehearsal = compiled(&deployment("web", 4), &rest);
    let trace = sim::run(&rehearsal.setup);
    assert_eq!(trace.header.triggers, [("reboot, 30s after ready(deployment/web) > 100".to_string(), None)]);
    let verdicts = judge(&rehearsal.assertions, &trace, &Timeline::of(&trace));
    assert!(!verdicts[0].passed && verdicts[0].found.contains("never happened: reboot"), "{}", verdicts[0].found);
    assert!(verdicts[1].passed);
}

#[test]
fn windows_begin_with_what_waited() {
    let rest = format!(
        "{SPEC}  actions:
  - {{at: 30s, setImage: {{deployment/web: 'app:v2'}}}}
  - {{when: complete(deployment/web), plus: 30s, name: reboot, nodeFail: one of zone/a, recover: 20s}}
assert:
- {{check: 'at(ready(deployment/web), reboot) == 4'}}
- {{eventually: ready(deployment/web) < 4, after: reboot}}
- {{check: 'count(created(web/2) before reboot) == 4'}}
"
    );
    let rehearsal = compiled(&deployment("web", 4), &rest);
    let trace = sim::run(&rehearsal.setup);
    for verdict in judge(&rehearsal.assertions, &trace, &Timeline::of(&trace)) {
        assert!(verdict.passed, "{}: {}", verdict.text, verdict.found);
    }
    let happened = actions(&trace);
    let (dies, recovers) = (&happened[1], &happened[2]);
    assert!(dies.1.ends_with("dies") && recovers.1.ends_with("recovers"), "{happened:?}");
    assert_eq!(recovers.0 - dies.0, 20);
    assert_eq!(dies.1.split(' ').nth(1), recovers.1.split(' ').nth(1), "the same node");
    let mut saved = Vec::new();
    seatrial::trace_file::write(&trace, &mut saved).expect("a file");
    let read = seatrial::trace_file::read(&mut saved.as_slice()).expect("a trace");
    assert_eq!(read.header, trace.header);
}

/// What happened to everything whose name begins with one of these, without
/// the order of what happened to others.
fn life_of(trace: &Trace, names: &[&str]) -> Vec<String> {
    let about = |subject: &Subject| names.iter().any(|name| subject.name.starts_with(name));
    let told = |record: &seatrial::trace::Record| {
        let what = match record.what {
            What::Bound { node } => format!("bound to {}", trace.subject(node).name),
            What::Action(action) => trace.header.actions[action as usize].1.clone(),
            What::Emitted(_) | What::Decided(_) => return None,
            what => what.event().to_string(),
        };
        Some((trace.subject(record.subject).path(), format!("{} {what}", record.at.floor_ms())))
    };
    let all = trace.records.iter().filter(|r| about(trace.subject(r.subject)));
    let mut lives: Vec<(String, String)> = all.filter_map(told).collect();
    lives.sort_by(|a, b| a.0.cmp(&b.0));
    lives.into_iter().map(|(who, what)| format!("{who} at {what}")).collect()
}

/// A world with everything that is drawn: pods, a pool that is taken back, and
/// a disturbance. What is added stands on machines of its own.
fn world(manifests: &str, zones: &str, pools: &str, disturbances: &str, actions: &str) -> Trace {
    let rest = format!(
        "spec:
  seed: 7
  duration: 4h
  cluster:
    scheduler: simple
    nodeLifecycle: {{enabled: false}}
    zones: {{a: {{nodes: 4, labels: {{for: web}}}}{zones}}}
    pools:
      spot: {{machines: 3, zone: s, labels: {{for: spot}}, reclaim: {{cloud: aws, handler: true, lifetime: {{exponential: {{mean: 1h}}}}}}}}{pools}
  pods: {{'*': {{start: {{uniform: {{low: 1s, high: 9s}}}}, ready: {{lognormal: {{median: 8s, p99: 60s}}}}, terminate: {{exponential: {{mean: 3s}}}}}}}}
  actions:
  - {{at: 10m, setImage: {{deployment/web: 'app:v2'}}}}
  - {{at: 30m, name: unlucky, podCrash: one of web/2#*}}{actions}
  disturbances:
  - {{name: reboots, every: {{exponential: {{mean: 40m}}}}, nodeFail: one of zone/a, recover: {{uniform: {{low: 1m, high: 9m}}}}}}{disturbances}
"
    );
    let manifests = format!("{}{}{manifests}", deployment("web", 6), deployment("spot", 3));
    sim::run(&compiled(&manifests, &rest).setup)
}

#[test]
fn an_addition_moves_no_draw_of_anything_else() {
    let ours = ["web", "spot", "a-"];
    let alone = life_of(&world("", "", "", "", ""), &ours);
    assert!(alone.iter().filter(|line| line.contains("dies")).count() > 4, "the world is not at rest");
    let other = deployment("other", 5);
    let pool =
        "\n      far: {machines: 4, zone: f, labels: {for: other}, reclaim: {lifetime: {exponential: {mean: 30m}}}}";
    let zone = ", b: {nodes: 3, labels: {for: other}}";
    let disturbance = "\n  - {name: more, every: {exponential: {mean: 10m}}, nodeFail: one of zone/b, recover: 2m}";
    let unnamed = "\n  - {every: {exponential: {mean: 10m}}, podCrash: half of other/*}";
    let action = "\n  - {at: 50m, nodeFail: one of zone/b, recover: {exponential: {mean: 5m}}}";
    for (what, added) in [
        ("pods", world(&other, zone, "", "", "")),
        ("a pool", world("", "", pool, "", "")),
        ("a disturbance", world("", zone, "", disturbance, "")),
        ("a disturbance without a name", world(&other, zone, "", unnamed, "")),
        ("an action", world("", zone, "", "", action)),
        ("everything", world(&other, zone, pool, &format!("{disturbance}{unnamed}"), action)),
    ] {
        let now = life_of(&added, &ours);
        let parts = alone.iter().zip(&now).find(|(a, b)| a != b);
        assert_eq!((parts, alone.len()), (None, now.len()), "{what}");
    }
}

#[test]
fn seeds_differ_and_one_seed_does_not() {
    let rest = format!(
        "{SPEC}  disturbances:
  - {{every: {{exponential: {{mean: 2m}}}}, from: 1m, until: 10m, podCrash: '30% of web/*'}}
"
    );
    let rehearsal = compiled(&deployment("web", 6), &rest);
    let with = |seed| sim::run(&sim::Setup { seed, ..rehearsal.setup.clone() });
    assert_eq!(with(1).digest(), with(1).digest());
    assert_ne!(with(1).digest(), with(2).digest());
    let times = actions(&with(1)).iter().map(|a| a.0).collect::<Vec<_>>();
    assert!(times.iter().all(|at| (60..=600).contains(at)), "{times:?}");
}

/// A pool whose machines go only if somebody says so.
fn pool_of_three(rest: &str) -> Vec<(u64, String)> {
    let rest = format!(
        "spec:
  duration: 30m
  cluster:
    zones: {{a: {{nodes: 1, labels: {{for: web}}}}}}
    pools: {{spot: {{machines: 3, replacement: 90s, reclaim: {{cloud: gcp, handler: true, shutdownGrace: 10s}}}}}}
  pods: {{'*': {{start: 1s, ready: 9s, terminate: 1s}}}}
{rest}"
    );
    actions(&sim::run(&compiled(&deployment("web", 2), &rest).setup))
}

#[test]
fn machines_that_are_taken_back_may_be_drawn() {
    let one = pool_of_three("  actions: [{at: 5m, spotReclaim: one of pool/spot}]\n");
    let (times, texts): (Vec<u64>, Vec<&str>) = one.iter().map(|(at, text)| (*at, text.as_str())).unzip();
    assert_eq!(times, [300, 320, 330, 335, 420]);
    let machine = texts[0].split(' ').next().unwrap_or_default();
    let wanted = [
        format!("{machine} will be taken back in 30s and is drained"),
        format!("node {machine} shuts down within 10s"),
        format!("node {machine} dies"),
        format!("node {machine} is deleted"),
        format!("node {machine}-r joins"),
    ];
    assert_eq!(texts, wanted);
    let joins = |all: &[(u64, String)]| all.iter().filter(|(_, text)| text.ends_with("joins")).count();
    let whole = pool_of_three("  actions: [{when: 'ready(deployment/web) >= 2', plus: 1m, spotReclaim: pool/spot}]\n");
    assert_eq!((whole[0].0, joins(&whole)), (70, 3), "{whole:?}");
    // Each time another machine, and successors as well.
    let again = pool_of_three("  disturbances: [{every: 4m, spotReclaim: one of pool/spot}]\n");
    assert_eq!(joins(&again), 7, "{again:?}");
    // Who knows of it already is not drawn again.
    let twice = pool_of_three("  actions: [{at: 5m, spotReclaim: 2 of pool/spot}, {at: 5m, spotReclaim: pool/spot}]\n");
    assert_eq!(joins(&twice), 3, "{twice:?}");
}

/// Finished pods go at once when they are evicted. That is not the end of the
/// drain, which waits for the others and asks again for what a budget refuses.
#[test]
fn a_drain_goes_on_after_pods_that_are_finished() {
    let job = "apiVersion: batch/v1
kind: Job
metadata: {name: batch}
spec: {completions: 3, template: {spec: {restartPolicy: Never, containers: [{name: app, image: 'batch:1'}]}}}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: web}
spec: {maxUnavailable: 1, selector: {matchLabels: {app: web}}}
---
";
    let rest = "spec:
  duration: 10m
  cluster: {zones: {a: {nodes: 1, labels: {for: web}}}}
  pods: {'*': {start: 1s, ready: 4s, terminate: 7s}, job/batch: {run: {duration: 5s}}}
  actions: [{at: 1m, drain: a-1}, {at: 2m, nodeAdd: {name: b-1, labels: {for: web}}}]
assert:
- {check: 'count(drained(node/a-1) before 2m) == 0 and count(drained(node/a-1)) == 1'}
- {check: 'count(deleted(deployment/web)) == 3'}
";
    let rehearsal = compiled(&format!("{}{job}", deployment("web", 3)), rest);
    let trace = sim::run(&rehearsal.setup);
    let verdicts = judge(&rehearsal.assertions, &trace, &Timeline::of(&trace));
    assert!(verdicts.iter().all(|verdict| verdict.passed), "{verdicts:?}");
}

#[test]
fn pools_hosts_and_dependencies_may_be_disturbed() {
    let died = pool_of_three("  actions: [{at: 5m, nodeFail: pool/spot, recover: 1m}]\n");
    assert_eq!(died.iter().filter(|(at, text)| *at == 360 && text.ends_with("recovers")).count(), 3, "{died:?}");
    let hosts = pool_of_three(
        "  actions: [{at: 5m, clockStep: {one of pool/spot: -2m}, recover: 1m}, {at: 9m, pause: {all of pool/spot: 9s}}]\n",
    );
    let texts: Vec<&str> = hosts.iter().map(|(_, text)| text.as_str()).collect();
    assert!(texts[0].starts_with("clock of node/spot-") && texts[0].ends_with("-2m"), "{texts:?}");
    assert_eq!(texts[1], texts[0].replace("-2m", "+2m"));
    assert_eq!(texts.iter().filter(|text| text.ends_with("stands still for 9s")).count(), 3, "{texts:?}");
    let rest = format!("{SPEC}  disturbances: [{{every: 5m, times: 2, dependencyDown: db, recover: 30s}}]\n")
        .replace("ready: 9s", "app: {dependsOn: db}");
    let happened = actions(&sim::run(&compiled(&deployment("web", 2), &rest).setup));
    assert_eq!(happened.iter().map(|a| a.0).collect::<Vec<_>>(), [300, 330, 600, 630], "{happened:?}");
}

#[test]
fn mistakes_about_times_are_explained() {
    for (actions, wrong) in [
        ("actions: [{cordon: a-1}]", "this has no time"),
        ("actions: [{at: shpi + 3s, cordon: a-1}, {at: 1s, name: ship, cordon: a-2}]", "did you mean ship?"),
        ("actions: [{at: two, name: one, cordon: a-1}, {at: one, name: two, cordon: a-1}]", "waits for itself"),
        ("actions: [{at: 1s, when: complete(deployment/web), cordon: a-1}]", "several times"),
        ("actions: [{when: complete(deployment/wbe), cordon: a-1}]", "did you mean deployment/web?"),
        ("actions: [{at: 1s, every: 3s, cordon: a-1}]", "spec.disturbances"),
        ("actions: [{at: 1s, cordon: some of zone/a}]", "no share"),
        ("actions: [{at: 1s, cordon: one of zone/q}]", "no node zone/q"),
        ("actions: [{at: 1s, scale: {deployment/web: 3}, recover: 3s}]", "nothing takes this back"),
        ("disturbances: [{cordon: a-1}]", "how often"),
        ("disturbances: [{every: 3s, at: 5s, cordon: a-1}]", "random times"),
        ("disturbances: [{every: 0s, cordon: a-1}]", "no time lies between"),
        ("disturbances: [{every: never, cordon: a-1}]", "never happens"),
        ("disturbances: [{every: 1m, times: 0, cordon: a-1}]", "never happens"),
        ("disturbances: [{every: 1m, from: 5m, until: 5m, cordon: a-1}]", "not after `from`"),
        ("disturbances: [{every: 1m, from: 1h, cordon: a-1}]", "the run ends before that"),
        ("disturbances: [{every: 1m, spotReclaim: one of pool/q}]", "no pool q"),
        ("actions: [{at: 1s, spotReclaim: one of zone/a}]", "cannot be taken back"),
        ("actions: [{at: 1s, nodeFail: pool/spot}]", "this scenario has no pools"),
        ("actions: [{at: 1s, cordon: 0 of zone/a}]", "nobody"),
        ("actions: [{at: 1s, podCrash: wbe/*}]", "did you mean web/*?"),
        ("actions: [{at: 1s, evict: one of api/*}]", "no workload api"),
        ("actions: [{at: 1s, podCrash: {pod: web/*, exit: 256}}]", "0 to 255"),
        ("actions: [{at: 1s, podDeadlock: web/*}]", "app: {}"),
        ("actions: [{at: 1s, pause: {scheduler: 0s}}]", "longer than 0"),
        ("disturbances: [{every: {uniform: {low: 0s, high: 0s}}, cordon: a-1}]", "no time lies between"),
        ("actions: [{at: 1s, createJob: {Again: deployment/web}}]", "cannot be the name of a Job"),
        ("actions: [{at: 1s, createJob: {again: deployment/web}}]", "has no template of Jobs"),
    ] {
        let text =
            format!("{}apiVersion: seatrial/v1alpha1\nkind: Scenario\n{SPEC}  {actions}\n", deployment("web", 4));
        let error = from_text(&text).map(|_| ()).unwrap_err().to_string();
        assert!(error.contains(wrong), "{actions}: {error}");
    }
}

#[test]
fn a_clone_waits_on_its_own() {
    let rest = format!("{SPEC}  actions: [{{when: complete(deployment/web), plus: 1m, cordon: a-1}}]\n");
    let rehearsal = compiled(&deployment("web", 4), &rest);
    let mut first = sim::Simulation::new(&rehearsal.setup);
    first.run_until(SimTime::from_secs(5));
    let mut second = first.clone();
    first.run_until(rehearsal.setup.until);
    second.run_until(rehearsal.setup.until);
    assert_eq!(first.into_trace().digest(), second.into_trace().digest());
}
