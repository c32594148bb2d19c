//! Whole runs of CronJobs: no time is served twice, and policies hold.

use seatrial::api::{Extras, Kind, NodeSpec, Object, Resources};
use seatrial::environment::Delay;
use seatrial::manifest;
use seatrial::sim::setup::{Action, PatchType, PodProfile, Propagation, Run, Target, TimedAction};
use seatrial::sim::{Setup, Simulation};
use seatrial::time::{SimTime, Span, Timestamp};
use seatrial::trace::{Trace, What};
use serde_json::{Value, json};

fn setup(spec: &Value, run_seconds: u64) -> Setup {
    let document = json!({
        "apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "tick"},
        "spec": manifest::patch::apply(PatchType::Merge, spec, &json!({
            "jobTemplate": {"spec": {"template": {"spec": {
                "restartPolicy": "Never", "containers": [{"name": "app", "image": "app:v1"}]
            }}}},
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
    let run = Run { duration: Delay::Constant(Span::from_secs(run_seconds)), exits: vec![0], ..Run::default() };
    Setup {
        nodes: vec![node],
        objects: vec![manifest::read(&document).expect("a CronJob").object],
        profiles: vec![PodProfile { run: Some(run), ..PodProfile::default() }],
        ..Setup::new(Timestamp(0), SimTime::from_secs(900))
    }
}

fn tick() -> Target {
    Target { kind: Kind::CronJob, namespace: "default".into(), name: "tick".into() }
}

fn at(seconds: u64, action: Action) -> TimedAction {
    TimedAction { at: SimTime::from_secs(seconds), action }
}

/// The seconds at which Jobs were created, with their minutes.
fn starts(trace: &Trace) -> Vec<(u64, String)> {
    let created = trace.records.iter().filter(|record| record.what == What::Created);
    let jobs = created.filter(|record| trace.subject(record.subject).kind == Kind::Job);
    jobs.map(|record| {
        let name = &trace.subject(record.subject).name;
        (record.at.as_ms() / 1_000, name.trim_start_matches("tick-").to_string())
    })
    .collect()
}

/// The most Jobs that were not over at a time.
fn most_at_a_time(setup: &Setup) -> usize {
    let mut simulation = Simulation::new(setup);
    let mut most = 0;
    for second in 0..=setup.until.as_ms() / 1_000 {
        simulation.run_until(SimTime::from_secs(second));
        let running = simulation.objects().jobs.iter().filter(|(_, job)| job.status.finished().is_none());
        most = most.max(running.count());
    }
    most
}

#[test]
fn forbid_and_replace_never_overlap_however_late_the_caches_are() {
    for (policy, most) in [("Allow", 3), ("Forbid", 1), ("Replace", 1)] {
        for lag_ms in [0, 1, 400, 3_000] {
            let mut setup = setup(&json!({"schedule": "* * * * *", "concurrencyPolicy": policy}), 150);
            setup.control_plane.informer_lag = Span::from_ms(lag_ms);
            assert_eq!(most_at_a_time(&setup), most, "{policy} {lag_ms}");
        }
    }
}

#[test]
fn no_time_is_served_twice() {
    for down in 50..70 {
        let mut setup = setup(&json!({"schedule": "* * * * *"}), 5);
        setup.control_plane.informer_lag = Span::from_ms(700);
        setup.actions = vec![at(down, Action::ControllersDown), at(down + 3, Action::ControllersUp)];
        let starts = starts(&seatrial::sim::run(&setup));
        let minutes: Vec<&str> = starts.iter().map(|(_, minute)| minute.as_str()).collect();
        let expected: Vec<String> = (1..15).map(|minute| minute.to_string()).collect();
        assert_eq!(minutes, expected, "down at {down} s");
    }
}

#[test]
fn after_an_outage_only_the_newest_missed_time_is_served() {
    for (deadline, expected) in [(None, Some(8)), (Some(30), Some(8)), (Some(5), None)] {
        let mut spec = json!({"schedule": "* * * * *"});
        if let Some(seconds) = deadline {
            spec["startingDeadlineSeconds"] = json!(seconds);
        }
        let mut setup = setup(&spec, 5);
        setup.actions = vec![at(90, Action::ControllersDown), at(500, Action::ControllersUp)];
        let starts = starts(&seatrial::sim::run(&setup));
        let late: Vec<u64> =
            starts.iter().filter(|(at, _)| *at == 500).map(|(_, minute)| minute.parse().expect("a minute")).collect();
        assert_eq!(late, Vec::from_iter(expected), "{deadline:?}");
        assert_eq!(starts.iter().filter(|(at, _)| *at > 60 && *at < 500).count(), 0, "{deadline:?}");
    }
}

#[test]
fn a_suspended_schedule_rests_and_catches_up_once() {
    let patch = |suspend: bool| Action::Patch {
        target: tick(),
        patch_type: PatchType::Merge,
        patch: json!({"spec": {"suspend": suspend}}),
    };
    let mut setup = setup(&json!({"schedule": "* * * * *"}), 5);
    setup.actions = vec![at(90, patch(true)), at(330, patch(false))];
    setup.until = SimTime::from_secs(420);
    let starts = starts(&seatrial::sim::run(&setup));
    let expected = [(60, "1"), (330, "5"), (360, "6")];
    assert_eq!(starts, expected.map(|(at, minute)| (at, minute.to_string())));
}

#[test]
fn what_is_deleted_takes_its_jobs_along_or_not() {
    for (propagation, left) in [(Propagation::Background, 0), (Propagation::Foreground, 0), (Propagation::Orphan, 2)] {
        let mut setup = setup(&json!({"schedule": "* * * * *"}), 200);
        setup.actions = vec![at(150, Action::Delete { target: tick(), propagation, grace_seconds: None })];
        let mut simulation = Simulation::new(&setup);
        simulation.run_until(setup.until);
        let objects = simulation.objects();
        assert_eq!(objects.cron_jobs.iter().count(), 0, "{propagation:?}");
        assert_eq!(objects.jobs.iter().count(), left, "{propagation:?}");
        assert_eq!(objects.pods.iter().count(), left, "{propagation:?}");
    }
}

#[test]
fn a_patch_that_makes_the_schedule_unreadable_is_refused() {
    for patch in [
        json!({"spec": {"schedule": "0 0 31 feb fri 7"}}),
        json!({"spec": {"schedule": "TZ=UTC 0 0 * * *"}}),
        json!({"spec": {"timeZone": "Mars/Base"}}),
        json!({"spec": {"concurrencyPolicy": "Queue"}}),
    ] {
        let mut setup = setup(&json!({"schedule": "* * * * *"}), 5);
        let action = Action::Patch { target: tick(), patch_type: PatchType::Merge, patch };
        setup.actions = vec![at(30, action)];
        let trace = seatrial::sim::run(&setup);
        let refused = trace.records.iter().filter(|record| matches!(record.what, What::Rejected { .. }));
        assert_eq!(refused.count(), 1);
        assert_eq!(starts(&trace).len(), 14);
    }
}

#[test]
fn a_job_made_by_hand_belongs_to_its_cron_job() {
    let by_hand = json!({
        "apiVersion": "batch/v1", "kind": "Job",
        "metadata": {
            "name": "by-hand", "annotations": {"cronjob.kubernetes.io/instantiate": "manual"},
            "ownerReferences": [{
                "apiVersion": "batch/v1", "kind": "CronJob", "name": "tick", "uid": "f00", "controller": true,
            }],
        },
        "spec": {"template": {"spec": {
            "restartPolicy": "Never", "containers": [{"name": "app", "image": "app:v1"}]
        }}},
    });
    let by_hand = manifest::read(&by_hand).expect("a Job").object;
    let mut setup = setup(&json!({"schedule": "* * * * *", "concurrencyPolicy": "Forbid"}), 90);
    setup.actions = vec![at(50, Action::Apply(by_hand))];
    setup.until = SimTime::from_secs(70);
    let mut simulation = Simulation::new(&setup);
    simulation.run_until(setup.until);
    let minutes: Vec<String> = starts(simulation.trace()).into_iter().map(|(_, name)| name).collect();
    assert_eq!(minutes, ["by-hand", "1"], "it does not stand in the way");
    let objects = simulation.objects();
    let (cron_job, _) = objects.cron_jobs.iter().next().expect("the CronJob");
    assert!(objects.jobs.iter().all(|(_, job)| job.meta.controller() == Some(cron_job)));
    let json = manifest::to_json(&Object::Job(Box::new(objects.jobs.iter().next().expect("a Job").1.clone())));
    assert_eq!(json["metadata"]["ownerReferences"][0]["name"], "tick");
}

#[test]
fn a_job_is_made_from_the_template_as_it_is_then() {
    let mut setup = setup(&json!({"schedule": "* * * * *", "concurrencyPolicy": "Forbid"}), 90);
    let patch = json!({"spec": {"jobTemplate": {"spec": {"backoffLimit": 1}}}});
    let create = |name: &str| Action::CreateJob { name: name.into(), from: tick() };
    setup.actions = vec![
        at(40, Action::Patch { target: tick(), patch_type: PatchType::Merge, patch }),
        at(50, create("by-hand")),
        at(51, create("by-hand")),
    ];
    setup.until = SimTime::from_secs(70);
    let mut simulation = Simulation::new(&setup);
    simulation.run_until(setup.until);
    let objects = simulation.objects();
    let (cron_job, _) = objects.cron_jobs.iter().next().expect("the CronJob");
    let (_, job) = objects.jobs.iter().find(|(_, job)| &*job.meta.name == "by-hand").expect("the Job");
    assert_eq!(job.meta.controller(), Some(cron_job));
    assert_eq!(job.spec.backoff_limit, 1);
    assert_eq!(job.meta.annotations.get("cronjob.kubernetes.io/instantiate").map(String::as_str), Some("manual"));
    assert_eq!(starts(simulation.trace()).len(), 2, "Forbid does not count it");
    // The second one has its name: refused, and said of the CronJob.
    let trace = simulation.trace();
    let refused = |r: &&seatrial::trace::Record| matches!(r.what, What::Rejected { .. });
    let about = trace.records.iter().find(refused).map(|r| trace.subject(r.subject).kind);
    assert_eq!(about, Some(seatrial::api::Kind::CronJob));
}
