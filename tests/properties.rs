//! What must hold whatever the setup: promises of the controllers, checked
//! over random rollouts with random disturbances.

mod common;

use common::{add, at, cluster, deployment, set_image, target, varied_pods};
use proptest::prelude::*;
use seatrial::api::Kind;
use seatrial::sim::setup::{Action, ControlPlane};
use seatrial::sim::{Setup, Simulation};
use seatrial::time::{SimTime, Span};
use seatrial::timeline::{Series, Timeline};
use serde_json::{Value, json};

/// A rolling update with limits, perhaps of a version that crashes.
#[derive(Clone, Debug)]
struct Rollout {
    seed: u64,
    replicas: i32,
    surge: Value,
    unavailable: Value,
    min_ready_seconds: u64,
    changes: Vec<(u64, Step)>,
}

#[derive(Clone, Debug)]
enum Step {
    Image(u8),
    Scale(i32),
    CrashPod(u8),
    Undo,
}

fn limit() -> impl Strategy<Value = Value> {
    prop_oneof![(0..4).prop_map(Value::from), (0..100).prop_map(|p: i32| Value::from(format!("{p}%")))]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (2..6_u8).prop_map(Step::Image),
        2 => (0..14).prop_map(Step::Scale),
        2 => (0..6_u8).prop_map(Step::CrashPod),
        1 => Just(Step::Undo),
    ]
}

fn rollouts() -> impl Strategy<Value = Rollout> {
    let changes = prop::collection::vec((30..200_u64, step()), 1..5);
    (any::<u64>(), 0..14, limit(), limit(), 0..15_u64, changes)
        .prop_map(|(seed, replicas, surge, unavailable, min_ready_seconds, changes)| Rollout {
            seed,
            replicas,
            surge,
            unavailable,
            min_ready_seconds,
            changes,
        })
        .prop_filter("both zero is refused", |r| {
            let zero = |v: &Value| *v == json!(0) || *v == json!("0%");
            !(zero(&r.surge) && zero(&r.unavailable))
        })
}

fn setup(rollout: &Rollout, lag_ms: u64) -> Setup {
    let mut setup = cluster(5, 3_600);
    setup.seed = rollout.seed;
    setup.profiles.push(varied_pods());
    setup.control_plane = ControlPlane {
        informer_lag: Span::from_ms(lag_ms),
        write_latency: Span::from_ms(lag_ms / 3),
        ..ControlPlane::default()
    };
    let limits = json!({"type": "RollingUpdate", "rollingUpdate": {
        "maxSurge": rollout.surge, "maxUnavailable": rollout.unavailable,
    }});
    let more = json!({"strategy": limits, "minReadySeconds": rollout.min_ready_seconds});
    add(&mut setup, &deployment("web", rollout.replicas, &more));
    let mut changes = rollout.changes.clone();
    changes.sort_by_key(|(seconds, _)| *seconds);
    for (seconds, change) in changes {
        let action = match change {
            Step::Image(n) => set_image("web", &format!("app:v{n}")),
            Step::Scale(replicas) => Action::Scale { target: target("web"), replicas },
            Step::CrashPod(n) => Action::PodCrash { pod: format!("web/1#{n}"), exit: 1 },
            Step::Undo => Action::Rollback { target: target("web"), to_revision: 0 },
        };
        at(&mut setup, seconds, action);
    }
    setup
}

fn ends_as_wanted(simulation: &Simulation) -> Result<(), TestCaseError> {
    for (key, deployment) in simulation.objects().deployments.iter() {
        let (status, wanted) = (&deployment.status, deployment.spec.replicas);
        prop_assert_eq!(status.updated, wanted, "every pod is of the newest revision");
        prop_assert_eq!(status.available, wanted, "every pod is available");
        prop_assert_eq!(status.observed_generation, deployment.meta.generation);
        for &set in &simulation.objects().owned(key.uid).dependents {
            let counted = simulation.objects().owned(set.uid).pods;
            let pods: Vec<_> = simulation.objects().pods_of(set).map(|(_, pod)| pod).collect();
            let active = pods.iter().filter(|pod| pod.is_active()).count();
            let ready = pods.iter().filter(|pod| pod.is_active() && pod.ready).count();
            prop_assert_eq!(usize::try_from(counted.active).unwrap_or(usize::MAX), active, "index = scan");
            prop_assert_eq!(usize::try_from(counted.ready).unwrap_or(usize::MAX), ready, "index = scan");
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// By specification there are never more pods than replicas + maxSurge
    /// wants, and in the end there is what was asked for.
    #[test]
    fn rollouts_stay_within_the_surge_and_come_to_an_end(rollout in rollouts()) {
        let scales = rollout.changes.iter().any(|(_, step)| matches!(step, Step::Scale(_)));
        let setup = setup(&rollout, 0);
        let mut simulation = Simulation::new(&setup);
        simulation.run_until(setup.until);
        ends_as_wanted(&simulation)?;
        let timeline = Timeline::of(simulation.trace());
        let web = timeline.workload(Kind::Deployment, "default", "web").expect("it was applied");
        if !scales {
            let (most, ceiling) = (web.series(Series::Counted), web.series(Series::Ceiling));
            let end = setup.until;
            prop_assert!(
                most.max_over(SimTime::ZERO, end) <= ceiling.max_over(SimTime::ZERO, end),
                "at most {:?}, there were {:?}",
                ceiling.max_over(SimTime::ZERO, end),
                most.max_over(SimTime::ZERO, end)
            );
        }
    }

    /// Caches that lag and writes that take time delay the end and do not
    /// change it: nothing is created twice for good, nothing is forgotten.
    #[test]
    fn lagging_caches_come_to_the_same_end(rollout in rollouts(), lag_ms in 1..2_000_u64) {
        let setup = setup(&rollout, lag_ms);
        let mut simulation = Simulation::new(&setup);
        simulation.run_until(setup.until);
        ends_as_wanted(&simulation)?;
    }
}
