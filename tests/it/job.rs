//! Whole runs of Jobs: nothing is counted twice and nothing is held for ever.

use seatrial::api::{Extras, Finalizers, JobConditionType, Kind, NodeSpec, Object, Phase, Resources};
use seatrial::environment::Delay;
use seatrial::manifest;
use seatrial::sim::setup::{Action, PodProfile, Propagation, Run, Target, TimedAction};
use seatrial::sim::{Setup, Simulation};
use seatrial::time::{SimTime, Span, Timestamp};
use serde_json::{Value, json};

fn setup(spec: &Value, exits: &[i32]) -> Setup {
    let document = json!({
        "apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "work"},
        "spec": manifest::patch::apply(seatrial::sim::setup::PatchType::Merge, spec, &json!({
            "template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "app", "image": "app:v1"}]}},
        })).unwrap(),
    });
    let node = NodeSpec {
        name: "node-a".into(),
        zone: "z1".into(),
        labels: seatrial::api::Labels::default(),
        taints: Vec::new(),
        allocatable: Resources { cpu_milli: 16_000, memory_milli: 1 << 40, pods: 110 },
        extras: Extras::default(),
    };
    Setup {
        nodes: vec![node],
        objects: vec![manifest::read(&document).expect("a Job").object],
        profiles: vec![PodProfile {
            run: Some(Run { duration: Delay::Constant(Span::from_secs(3)), exits: exits.to_vec(), ..Run::default() }),
            ..PodProfile::default()
        }],
        ..Setup::new(Timestamp(0), SimTime::from_secs(900))
    }
}

fn at(seconds: u64, action: Action) -> TimedAction {
    TimedAction { at: SimTime::from_secs(seconds), action }
}

fn run(setup: &Setup) -> Simulation {
    let mut simulation = Simulation::new(setup);
    simulation.run_until(setup.until);
    simulation
}

#[track_caller]
fn check_complete(simulation: &Simulation, succeeded: i32, failed: i32) {
    let objects = simulation.objects();
    let (_, job) = objects.jobs.iter().next().expect("the Job");
    assert!(job.status.is(JobConditionType::Complete), "{:?}", job.status);
    assert_eq!((job.status.succeeded, job.status.failed), (succeeded, failed));
    assert!(job.status.uncounted.is_empty());
    let ended = |phase| objects.pods.iter().filter(|(_, pod)| pod.phase == phase).count() as i32;
    assert_eq!((ended(Phase::Succeeded), ended(Phase::Failed)), (succeeded, failed));
    assert!(objects.pods.iter().all(|(_, pod)| !pod.meta.finalizers.has(Finalizers::JOB_TRACKING)));
}

#[test]
fn every_pod_is_counted_once_however_late_the_caches_are() {
    let indexed = json!({"completions": 7, "parallelism": 3, "completionMode": "Indexed"});
    let per_index = json!({
        "completions": 7, "parallelism": 3, "completionMode": "Indexed", "backoffLimitPerIndex": 2,
    });
    for (spec, exits, failed) in [
        (json!({"completions": 7, "parallelism": 3}), &[0][..], 0),
        (json!({"completions": 7, "parallelism": 3}), &[1, 0, 1, 0], 2),
        (indexed, &[0], 0),
        (per_index, &[1, 0], 7),
    ] {
        for lag_ms in [0, 1, 400, 3_000] {
            let mut setup = setup(&spec, exits);
            setup.control_plane.informer_lag = Span::from_ms(lag_ms);
            check_complete(&run(&setup), 7, failed);
        }
    }
}

#[test]
fn controllers_that_stop_in_between_lose_no_pod() {
    for down in 1..12 {
        let mut setup = setup(&json!({"completions": 7, "parallelism": 3}), &[0]);
        setup.actions = vec![at(down, Action::ControllersDown), at(down + 7, Action::ControllersUp)];
        check_complete(&run(&setup), 7, 0);
    }
}

#[test]
fn pods_of_a_job_that_is_deleted_are_set_free() {
    for (propagation, left) in [(Propagation::Background, 0), (Propagation::Foreground, 0), (Propagation::Orphan, 3)] {
        let mut setup = setup(&json!({"completions": 7, "parallelism": 3}), &[0]);
        let target = Target { kind: Kind::Job, namespace: "default".into(), name: "work".into() };
        setup.actions = vec![at(2, Action::Delete { target, propagation, grace_seconds: None })];
        let simulation = run(&setup);
        let objects = simulation.objects();
        assert_eq!(objects.jobs.iter().count(), 0, "{propagation:?}");
        assert_eq!(objects.pods.iter().count(), left, "{propagation:?}");
        assert!(objects.pods.iter().all(|(_, pod)| pod.meta.finalizers.is_empty() && pod.meta.owners.is_empty()));
    }
}

#[test]
fn somebody_elses_job_is_left_alone() {
    let simulation = run(&setup(&json!({"managedBy": "acme.io/other"}), &[0]));
    assert_eq!(simulation.objects().pods.iter().count(), 0);
}

#[test]
fn a_job_may_be_applied_again() {
    let mut setup = setup(&json!({"completions": 2, "ttlSecondsAfterFinished": 5}), &[0]);
    let again: Object = setup.objects[0].clone();
    setup.actions = vec![at(3, Action::Apply(again.clone())), at(60, Action::Apply(again))];
    setup.until = SimTime::from_secs(73);
    let simulation = run(&setup);
    let refused = |record: &seatrial::trace::Record| matches!(record.what, seatrial::trace::What::Rejected { .. });
    assert!(!simulation.trace().records.iter().any(refused));
    check_complete(&simulation, 2, 0);
}

#[test]
fn pods_of_a_job_that_is_made_again_have_names_of_their_own() {
    let mut setup = setup(&json!({"completions": 1}), &[0]);
    let again = setup.objects[0].clone();
    let target = Target { kind: Kind::Job, namespace: "default".into(), name: "work".into() };
    let delete = Action::Delete { target, propagation: Propagation::Background, grace_seconds: None };
    setup.actions = vec![at(60, delete), at(120, Action::Apply(again))];
    let trace = run(&setup).into_trace();
    let pods = trace.subjects.iter().filter(|subject| subject.kind == Kind::Pod);
    assert_eq!(pods.map(|pod| &*pod.name).collect::<Vec<_>>(), ["work#0", "work#0~2"]);
}

/// The milliseconds at which the Job's status said that one pod was ready.
fn ready_seen_at(simulation: &Simulation) -> Vec<u64> {
    let trace = simulation.trace();
    let ready = |record: &&seatrial::trace::Record| {
        let field = seatrial::trace::Field::ReadyPods;
        matches!(record.what, seatrial::trace::What::Set { field: f, value: seatrial::trace::Value::Int(1) } if f == field)
    };
    trace.records.iter().filter(ready).map(|record| record.at.as_ms()).collect()
}

#[test]
fn a_job_made_anew_inherits_the_delays_of_its_name() {
    let mut setup = setup(&json!({"completions": 1}), &[0]);
    let again = setup.objects[0].clone();
    let target = Target { kind: Kind::Job, namespace: "default".into(), name: "work".into() };
    let delete = Action::Delete { target, propagation: Propagation::Background, grace_seconds: None };
    let later = |ms: u64, action: &Action| TimedAction { at: SimTime::from_ms(ms), action: action.clone() };
    setup.until = SimTime::from_secs(20);
    // The pod is bound 10 ms and ready 1.01 s after the Job is there, which
    // looks after 1 s and then 1 s after the next event.
    setup.actions = vec![later(500, &delete), later(10_000, &Action::Apply(again.clone()))];
    let usual = ready_seen_at(&run(&setup));
    // A look at the old one is due at 1.0 s. It is a look at the new one, so
    // that the next follows 1 s after the binding.
    setup.actions = vec![later(500, &delete), later(995, &Action::Apply(again))];
    let inherited = ready_seen_at(&run(&setup));
    assert_eq!((usual, inherited), (vec![12_010], vec![2_005]));
}

#[test]
fn a_pod_is_held_only_while_it_is_the_jobs() {
    let mut setup = setup(&json!({"completions": 2}), &[0]);
    let labels = |uid: &str| seatrial::api::Labels::from([("batch.kubernetes.io/controller-uid", uid)]);
    let relabel = |uid: &str| Action::LabelPods { pod: "work#0".to_string(), labels: labels(uid) };
    let uid = {
        let simulation = run(&Setup { until: SimTime::ZERO, ..setup.clone() });
        let (_, job) = simulation.objects().jobs.iter().next().expect("the Job");
        job.spec.selector.match_labels.get("batch.kubernetes.io/controller-uid").expect("made up").to_string()
    };
    setup.actions = vec![at(1, relabel("other"))];
    let simulation = run(&Setup { until: SimTime::from_secs(3), ..setup.clone() });
    let (_, pod) = simulation.objects().pods.iter().next().expect("a pod");
    assert!(pod.meta.owners.is_empty() && pod.meta.finalizers.is_empty(), "let go");
    // It has succeeded when it is found again, and is counted all the same.
    setup.actions.push(at(6, relabel(&uid)));
    check_complete(&run(&setup), 2, 0);
}
