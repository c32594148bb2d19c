//! DaemonSets: their manifests, and what they do that no recording shows.

mod common;

use common::{at, cluster};
use proptest::prelude::*;
use seatrial::api::{DaemonSet, DaemonSetUpdate, Effect, IntOrPercent, Kind, Labels, Object, Taint};
use seatrial::environment::Delay;
use seatrial::manifest::{self, patch};
use seatrial::sim::setup::{Action, ControlPlane, PatchType, PodProfile, Propagation, Target};
use seatrial::sim::{self, Setup, Simulation};
use seatrial::time::{SimTime, Span};
use seatrial::trace::{Trace, What};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A DaemonSet with fields of its spec laid over a plain one.
fn agent(more: &Value) -> Value {
    let plain = json!({
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": "agent"},
        "spec": {
            "selector": {"matchLabels": {"app": "agent"}},
            "template": {
                "metadata": {"labels": {"app": "agent"}},
                "spec": {"containers": [{"name": "app", "image": "app:v1"}]},
            },
        },
    });
    patch::apply(PatchType::Merge, &plain, &json!({"spec": more})).unwrap()
}

fn rolling(surge: &Value, unavailable: &Value) -> Value {
    json!({"updateStrategy": {"rollingUpdate": {"maxSurge": surge, "maxUnavailable": unavailable}}})
}

fn read(document: &Value) -> DaemonSet {
    match manifest::read(document).map(|loaded| loaded.object) {
        Ok(Object::DaemonSet(set)) => *set,
        other => panic!("expected a DaemonSet, found {other:?}"),
    }
}

fn problems(document: &Value) -> String {
    match manifest::read(document) {
        Ok(_) => "no problem".to_string(),
        Err(problems) => problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"),
    }
}

fn target() -> Target {
    Target { kind: Kind::DaemonSet, namespace: "default".into(), name: "agent".into() }
}

fn set_image(image: &str) -> Action {
    Action::SetImage { target: target(), container: None, image: image.into() }
}

/// Three nodes, and pods that are ready two seconds after they were bound.
fn setup(manifest: &Value, until_seconds: u64) -> Setup {
    let mut setup = cluster(3, until_seconds);
    common::add(&mut setup, manifest);
    let ready = Some(Delay::Constant(Span::from_secs(1)));
    setup.profiles.push(PodProfile { ready, ..PodProfile::default() });
    setup
}

/// The names of pods in the order in which they were created.
fn created(trace: &Trace) -> Vec<String> {
    let pods = trace.records.iter().filter(|record| record.what == What::Created);
    let pods = pods.map(|record| trace.subject(record.subject)).filter(|subject| subject.kind == Kind::Pod);
    pods.map(|subject| subject.name.to_string()).collect()
}

fn in_the_end(setup: &Setup) -> Simulation {
    let mut simulation = Simulation::new(setup);
    simulation.run_until(setup.until);
    simulation
}

#[test]
fn defaults_are_the_api_servers() {
    let set = read(&agent(&json!({})));
    let update =
        DaemonSetUpdate::RollingUpdate { max_surge: IntOrPercent::Int(0), max_unavailable: IntOrPercent::Int(1) };
    assert_eq!((set.spec.update, set.spec.min_ready_seconds, set.spec.revision_history_limit), (update, 0, 10));
    assert_eq!(set.template_generation, 1);
}

#[test]
fn refusals_are_the_api_servers() {
    for (more, expected) in [
        (json!({"updateStrategy": {"type": "OnDelete"}, "minReadySeconds": 3}), "no problem"),
        (rolling(&json!("10%"), &json!(0)), "no problem"),
        (rolling(&json!(null), &json!("1%")), "no problem"),
        (
            rolling(&json!(0), &json!(0)),
            "spec.updateStrategy.rollingUpdate.maxUnavailable: Required value: cannot be 0 when maxSurge is 0 \
             (raise one of them: pods could neither be added nor removed)",
        ),
        (
            rolling(&json!(1), &json!(null)),
            "spec.updateStrategy.rollingUpdate.maxSurge: Invalid value: 1: may not be set when maxUnavailable is \
             non-zero (maxUnavailable is 1 unless it is written: set it to 0 to surge)",
        ),
        (
            rolling(&json!("101%"), &json!(0)),
            "spec.updateStrategy.rollingUpdate.maxSurge: Invalid value: \"101%\": must not be greater than 100%",
        ),
        (json!({"minReadySeconds": -1}), "spec.minReadySeconds: Invalid value: -1: must be greater than or equal to 0"),
        (
            json!({"template": {"spec": {"restartPolicy": "OnFailure"}}}),
            "spec.template.spec.restartPolicy: Unsupported value: \"OnFailure\": supported values: \"Always\"",
        ),
    ] {
        assert_eq!(problems(&agent(&more)), expected, "{more}");
    }
}

#[test]
fn what_is_written_is_read_again() {
    for more in [json!({}), rolling(&json!("34%"), &json!(0)), json!({"updateStrategy": {"type": "OnDelete"}})] {
        let set = read(&agent(&more));
        assert_eq!(read(&manifest::to_json(&Object::DaemonSet(Box::new(set.clone())))), set);
    }
}

#[test]
fn updates_go_from_node_to_node_by_name() {
    let mut setup = setup(&agent(&json!({})), 60);
    at(&mut setup, 10, set_image("app:v2"));
    assert_eq!(
        created(&sim::run(&setup)),
        [
            "agent/1#node-0000",
            "agent/1#node-0001",
            "agent/1#node-0002",
            "agent/2#node-0000",
            "agent/2#node-0001",
            "agent/2#node-0002",
        ]
    );
}

#[test]
fn on_delete_waits_for_somebody_to_delete() {
    let mut setup = setup(&agent(&json!({"updateStrategy": {"type": "OnDelete"}})), 60);
    at(&mut setup, 10, set_image("app:v2"));
    at(&mut setup, 30, Action::DeletePods { pod: "agent/1#node-0001".to_string(), grace_seconds: None });
    let simulation = in_the_end(&setup);
    assert_eq!(created(simulation.trace())[3..], ["agent/2#node-0001"]);
    let (_, set) = simulation.objects().daemon_sets.iter().next().expect("the DaemonSet");
    assert_eq!((set.status.updated, set.status.available), (1, 3));
}

#[test]
fn going_back_to_an_old_template_makes_no_new_revision() {
    let mut setup = setup(&agent(&json!({})), 90);
    at(&mut setup, 10, set_image("app:v2"));
    at(&mut setup, 15, set_image("app:v1"));
    let simulation = in_the_end(&setup);
    let revisions: Vec<i64> = simulation.objects().controller_revisions.iter().map(|(_, r)| r.revision).collect();
    assert_eq!(revisions, [3, 2]);
    assert!(simulation.objects().pods.iter().all(|(_, pod)| pod.template.image() == "app:v1"));
}

#[test]
fn labels_of_nodes_decide() {
    let wants = json!({"template": {"spec": {"nodeSelector": {"disk": "ssd"}}}});
    let mut setup = setup(&agent(&wants), 60);
    let label = |value: &str| Action::LabelNode("node-0001".into(), Labels::from([("disk", value)]));
    at(&mut setup, 10, label("ssd"));
    at(&mut setup, 30, label("hdd"));
    let mut simulation = Simulation::new(&setup);
    for (seconds, pods) in [(5, 0), (20, 1), (60, 0)] {
        simulation.run_until(SimTime::from_secs(seconds));
        assert_eq!(simulation.objects().pods.iter().count(), pods, "{seconds} s");
    }
}

/// A second DaemonSet of the same name adopts the first one's pods. Their
/// template generation is 1 and so is its own, so they count as updated
/// although they run something else: so it is in Kubernetes.
#[test]
fn adopted_pods_of_the_same_generation_count_as_updated() {
    let mut setup = setup(&agent(&json!({})), 90);
    let other = json!({"template": {"spec": {"containers": [{"name": "app", "image": "app:v2"}]}}});
    let delete = Action::Delete { target: target(), propagation: Propagation::Orphan, grace_seconds: None };
    at(&mut setup, 20, delete);
    at(&mut setup, 40, Action::Apply(Object::DaemonSet(Box::new(read(&agent(&other))))));
    let simulation = in_the_end(&setup);
    assert_eq!(created(simulation.trace()).len(), 3);
    let (key, set) = simulation.objects().daemon_sets.iter().next().expect("the DaemonSet");
    assert_eq!(simulation.objects().pods_of(key).count(), 3);
    assert_eq!(set.status.updated, 3);
}

#[test]
fn a_pod_whose_labels_no_longer_fit_is_let_go_and_replaced() {
    let mut setup = setup(&agent(&json!({})), 60);
    let labels = Labels::from([("app", "loose")]);
    at(&mut setup, 20, Action::LabelPods { pod: "agent/1#node-0001".to_string(), labels });
    let simulation = in_the_end(&setup);
    let (key, set) = simulation.objects().daemon_sets.iter().next().expect("the DaemonSet");
    assert_eq!((simulation.objects().pods_of(key).count(), simulation.objects().pods.iter().count()), (3, 4));
    assert_eq!(set.status.available, 3);
}

#[test]
fn a_new_controller_manager_goes_on() {
    let mut setup = setup(&agent(&json!({})), 120);
    at(&mut setup, 20, set_image("app:v2"));
    at(&mut setup, 21, Action::ControllersDown);
    at(&mut setup, 30, Action::NodeDelete("node-0002".into()));
    at(&mut setup, 50, Action::ControllersUp);
    let simulation = in_the_end(&setup);
    assert_eq!(created(simulation.trace())[3..], ["agent/2#node-0000", "agent/2#node-0001"]);
    let (_, set) = simulation.objects().daemon_sets.iter().next().expect("the DaemonSet");
    assert_eq!((set.status.desired, set.status.updated, set.status.available), (2, 2, 2));
}

#[test]
fn deletion_takes_everything_along() {
    for propagation in [Propagation::Background, Propagation::Foreground] {
        let mut setup = setup(&agent(&json!({})), 60);
        at(&mut setup, 20, Action::Delete { target: target(), propagation, grace_seconds: None });
        let simulation = in_the_end(&setup);
        for kind in [Kind::DaemonSet, Kind::Pod, Kind::ControllerRevision] {
            assert_eq!(simulation.objects().keys_by_name(kind).len(), 0, "{kind} {propagation:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    /// However far the caches lag: no node has more pods than it may have,
    /// and in the end all is as it was asked for.
    #[test]
    fn each_node_has_its_pod(
        surge in 0..3_i32,
        lag_ms in 0..400_u64,
        second in 5..30_u64,
        taint in any::<bool>(),
    ) {
        let more = if surge > 0 { rolling(&json!(surge), &json!(0)) } else { json!({}) };
        let mut setup = setup(&agent(&more), 600);
        setup.control_plane = ControlPlane {
            informer_lag: Span::from_ms(lag_ms),
            write_latency: Span::from_ms(lag_ms / 3),
            ..ControlPlane::default()
        };
        at(&mut setup, second, set_image("app:v2"));
        if taint {
            let taint = Taint { key: "x".to_string(), value: String::new(), effect: Effect::NoExecute };
            at(&mut setup, second + 1, Action::Taint("node-0001".into(), taint));
        }
        let mut simulation = Simulation::new(&setup);
        for seconds in 1..=600 {
            simulation.run_until(SimTime::from_secs(seconds));
            let mut alive: BTreeMap<_, i32> = BTreeMap::new();
            for (_, pod) in simulation.objects().pods.iter() {
                let place = pod.pinned.clone().expect("every daemon pod is pinned");
                *alive.entry(place).or_default() += i32::from(surge == 0 || !pod.meta.is_deleting());
            }
            let most = 1 + i32::from(surge > 0);
            prop_assert!(alive.values().all(|&pods| pods <= most), "{alive:?} at {seconds} s");
        }
        let (_, set) = simulation.objects().daemon_sets.iter().next().expect("the DaemonSet");
        let nodes = 3 - i32::from(taint);
        prop_assert_eq!((set.status.desired, set.status.available, set.status.updated), (nodes, nodes, nodes));
        prop_assert_eq!(set.status.misscheduled, 0);
        prop_assert!(simulation.objects().pods.iter().all(|(_, pod)| pod.template.image() == "app:v2"));
    }
}
