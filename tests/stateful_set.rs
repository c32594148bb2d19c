//! StatefulSets: their manifests, and what they do that no recording shows.

mod common;

use common::{add, at, cluster};
use proptest::prelude::*;
use seatrial::api::{
    ClaimRetention, FeatureGates, Gate, IntOrPercent, Kind, Object, PodManagement, Retention, StatefulRolling,
    StatefulSet, StatefulStrategy,
};
use seatrial::environment::Delay;
use seatrial::manifest::{self, patch};
use seatrial::sim::setup::{Action, ControlPlane, PatchType, PodProfile, Propagation, Target};
use seatrial::sim::{self, Setup, Simulation};
use seatrial::time::{SimTime, Span};
use seatrial::timeline::{Series, Timeline};
use seatrial::trace::{Trace, What};
use serde_json::{Value, json};

/// A StatefulSet with fields of its spec laid over a plain one.
fn db(replicas: i32, more: &Value) -> Value {
    let plain = json!({
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": {"name": "db"},
        "spec": {
            "replicas": replicas,
            "serviceName": "db",
            "selector": {"matchLabels": {"app": "db"}},
            "template": {
                "metadata": {"labels": {"app": "db"}},
                "spec": {"containers": [{"name": "app", "image": "app:v1"}]},
            },
        },
    });
    patch::apply(PatchType::Merge, &plain, &json!({"spec": more})).unwrap()
}

fn claim(name: &str) -> Value {
    json!({
        "metadata": {"name": name},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    })
}

fn read(document: &Value) -> StatefulSet {
    match manifest::read(document).map(|loaded| loaded.object) {
        Ok(Object::StatefulSet(set)) => *set,
        other => panic!("expected a StatefulSet, found {other:?}"),
    }
}

fn problems(document: &Value) -> String {
    match manifest::read(document) {
        Ok(_) => "no problem".to_string(),
        Err(problems) => problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"),
    }
}

#[test]
fn defaults_are_the_api_servers() {
    let spec =
        read(&patch::apply(PatchType::Merge, &db(1, &json!({})), &json!({"spec": {"replicas": null}})).unwrap()).spec;
    assert_eq!((spec.replicas, spec.start, spec.min_ready_seconds, spec.revision_history_limit), (1, 0, 0, 10));
    assert_eq!(spec.pod_management, PodManagement::OrderedReady);
    assert_eq!(spec.retention, ClaimRetention::default());
    let rolling = StatefulRolling { partition: 0, max_unavailable: None };
    assert_eq!(spec.strategy, StatefulStrategy::RollingUpdate(Some(rolling)));
    // Where the type is written, the rest is not filled in.
    let spec = read(&db(1, &json!({"updateStrategy": {"type": "RollingUpdate"}}))).spec;
    assert_eq!(spec.strategy, StatefulStrategy::RollingUpdate(None));
}

#[test]
fn what_is_written_is_read_and_comes_back() {
    let document = db(
        3,
        &json!({
            "ordinals": {"start": 5},
            "podManagementPolicy": "Parallel",
            "minReadySeconds": 7,
            "revisionHistoryLimit": -1,
            "updateStrategy": {"rollingUpdate": {"partition": 2, "maxUnavailable": "40%"}},
            "persistentVolumeClaimRetentionPolicy": {"whenScaled": "Delete"},
            "volumeClaimTemplates": [claim("data"), claim("logs")],
            // Containers may mount what the claims bring.
            "template": {"spec": {"containers": [{
                "name": "app", "image": "app:v1", "volumeMounts": [{"name": "logs", "mountPath": "/logs"}],
            }]}},
        }),
    );
    let set = read(&document);
    let spec = &set.spec;
    assert_eq!((spec.start, spec.min_ready_seconds, spec.revision_history_limit), (5, 7, -1));
    assert_eq!(spec.retention.when_scaled, Retention::Delete);
    let rolling = StatefulRolling { partition: 2, max_unavailable: Some(IntOrPercent::Percent(40)) };
    assert_eq!(spec.strategy, StatefulStrategy::RollingUpdate(Some(rolling)));
    assert_eq!(spec.claims.iter().map(|claim| &*claim.name).collect::<Vec<_>>(), ["data", "logs"]);
    let again = read(&manifest::to_json(&Object::StatefulSet(Box::new(set.clone()))));
    assert_eq!(again, set);
}

#[test]
fn refusals_are_worded_as_the_api_servers() {
    for (change, expected) in [
        (
            json!({"podManagementPolicy": "Random"}),
            "spec.podManagementPolicy: Invalid value: \"Random\": must be 'OrderedReady' or 'Parallel'",
        ),
        (
            json!({"updateStrategy": {"rollingUpdate": {"maxUnavailable": 0}}}),
            "spec.updateStrategy.rollingUpdate.maxUnavailable: Invalid value: 0: cannot be 0",
        ),
        (
            json!({"updateStrategy": {"rollingUpdate": {"partition": -1}}}),
            "spec.updateStrategy.rollingUpdate.partition: Invalid value: -1: must be greater than or equal to 0",
        ),
        (
            json!({"persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Keep"}}),
            "spec.persistentVolumeClaimRetentionPolicy.whenDeleted: Unsupported value: \"Keep\": supported values: \"Retain\", \"Delete\"",
        ),
        (
            json!({"ordinals": {"start": -2}}),
            "spec.ordinals.start: Invalid value: -2: must be greater than or equal to 0",
        ),
        (
            json!({"template": {"spec": {"activeDeadlineSeconds": 5}}}),
            "spec.template.spec.activeDeadlineSeconds: Forbidden: activeDeadlineSeconds in StatefulSet is not Supported",
        ),
        (
            json!({"volumeClaimTemplates": [{"metadata": {"name": "data"}, "spec": {"accessModes": ["ReadWriteOnce"]}}]}),
            "spec.volumeClaimTemplates[0].spec.resources[storage]: Required value",
        ),
    ] {
        assert_eq!(problems(&db(1, &change)), expected);
    }
    let mut on_delete = db(1, &json!({"updateStrategy": {"type": "OnDelete", "rollingUpdate": {"partition": 1}}}));
    assert!(
        problems(&on_delete).contains("only allowed for updateStrategy 'RollingUpdate'"),
        "{}",
        problems(&on_delete)
    );
    on_delete["metadata"]["name"] = json!("db.main");
    assert!(problems(&on_delete).contains("metadata.name: Invalid value: \"db.main\""), "{}", problems(&on_delete));
}

/// A cluster with a StatefulSet whose pods are ready after two seconds.
fn setup(manifest: &Value, until_seconds: u64) -> Setup {
    let mut setup = cluster(3, until_seconds);
    setup.profiles.push(PodProfile { ready: Some(Delay::Constant(Span::from_secs(1))), ..PodProfile::default() });
    add(&mut setup, manifest);
    setup
}

fn target() -> Target {
    Target { kind: Kind::StatefulSet, namespace: "default".into(), name: "db".into() }
}

fn set_image(image: &str) -> Action {
    Action::SetImage { target: target(), container: None, image: image.into() }
}

/// The pods that were created, in order, by their names in the trace.
fn created(trace: &Trace, kind: Kind) -> Vec<String> {
    let records = trace.records.iter().filter(|record| record.what == What::Created);
    let subjects = records.map(|record| trace.subject(record.subject)).filter(|subject| subject.kind == kind);
    subjects.map(|subject| subject.name.to_string()).collect()
}

fn refusals(trace: &Trace) -> Vec<String> {
    let refused = trace.records.iter().filter_map(|record| match record.what {
        What::Rejected { message, .. } => Some(trace.symbols.get(message).to_string()),
        _ => None,
    });
    refused.collect()
}

#[test]
fn on_delete_leaves_pods_until_somebody_deletes_them() {
    let mut setup = setup(&db(2, &json!({"updateStrategy": {"type": "OnDelete"}})), 100);
    at(&mut setup, 20, set_image("app:v2"));
    at(&mut setup, 60, Action::DeletePods { pod: "db/1#0".into(), grace_seconds: None });
    let trace = sim::run(&setup);
    assert_eq!(created(&trace, Kind::Pod), ["db/1#0", "db/1#1", "db/2#0"]);
}

#[test]
fn without_the_gate_max_unavailable_is_dropped() {
    let strategy =
        json!({"updateStrategy": {"rollingUpdate": {"maxUnavailable": 2}}, "podManagementPolicy": "Parallel"});
    for (on, expected) in [(false, 1), (true, 2)] {
        let mut setup = setup(&db(4, &strategy), 60);
        setup.control_plane.feature_gates = FeatureGates::default().with(Gate::MaxUnavailableStatefulSet, on);
        at(&mut setup, 20, set_image("app:v2"));
        let trace = sim::run(&setup);
        let at_once = |record: &&seatrial::trace::Record| {
            record.at < SimTime::from_secs(21) && matches!(record.what, What::Deleting { .. })
        };
        assert_eq!(trace.records.iter().filter(at_once).count(), expected, "gate {on}");
    }
}

#[test]
fn most_of_the_spec_cannot_be_changed() {
    let mut setup = setup(&db(1, &json!({})), 40);
    let change = |field: &str, value: Value| Action::Patch {
        target: target(),
        patch_type: PatchType::Merge,
        patch: json!({"spec": {field: value}}),
    };
    at(&mut setup, 10, change("serviceName", json!("other")));
    at(&mut setup, 11, change("podManagementPolicy", json!("Parallel")));
    at(&mut setup, 12, change("volumeClaimTemplates", json!([claim("data")])));
    at(&mut setup, 13, change("minReadySeconds", json!(3)));
    at(&mut setup, 14, change("ordinals", json!({"start": 1})));
    let trace = sim::run(&setup);
    let refused = refusals(&trace);
    assert_eq!(refused.len(), 3, "{refused:?}");
    assert!(refused.iter().all(|text| text.starts_with("spec: Forbidden: updates to statefulset spec")), "{refused:?}");
    assert_eq!(created(&trace, Kind::Pod), ["db/1#0", "db/1#1"]);
}

#[test]
fn a_pod_whose_labels_no_longer_fit_is_let_go_and_blocks_its_place() {
    let mut setup = setup(&db(2, &json!({})), 60);
    let labels = |value: &str| seatrial::api::Labels::from([("app", value)]);
    at(&mut setup, 20, Action::LabelPods { pod: "db/1#1".into(), labels: labels("loose") });
    at(&mut setup, 40, Action::LabelPods { pod: "db/1#1".into(), labels: labels("db") });
    let mut simulation = Simulation::new(&setup);
    simulation.run_until(SimTime::from_secs(30));
    let owned = |simulation: &Simulation| {
        let objects = simulation.objects();
        let (key, set) = objects.stateful_sets.iter().next().expect("the StatefulSet");
        (objects.pods_of(key).count(), set.status.replicas, objects.pods.iter().count())
    };
    // Its name is taken, so no other pod can take its place.
    assert_eq!(owned(&simulation), (1, 1, 2));
    simulation.run_until(SimTime::from_secs(60));
    assert_eq!(owned(&simulation), (2, 2, 2));
    assert_eq!(created(simulation.trace(), Kind::Pod), ["db/1#0", "db/1#1"]);
}

#[test]
fn the_history_of_an_orphaned_set_is_taken_over() {
    let mut setup = setup(&db(2, &json!({})), 90);
    let delete = Action::Delete { target: target(), propagation: Propagation::Orphan, grace_seconds: None };
    at(&mut setup, 20, delete);
    at(&mut setup, 40, Action::Apply(manifest::read(&db(2, &json!({}))).expect("valid").object));
    at(&mut setup, 60, set_image("app:v2"));
    let trace = sim::run(&setup);
    assert_eq!(created(&trace, Kind::Pod), ["db/1#0", "db/1#1", "db/2#1", "db/2#0"]);
    assert_eq!(created(&trace, Kind::ControllerRevision), ["db/1", "db/2"]);
}

#[test]
fn foreground_deletion_ends_with_the_set_itself() {
    let policy = json!({
        "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Delete"},
        "volumeClaimTemplates": [claim("data")],
    });
    let mut setup = setup(&db(2, &policy), 60);
    let delete = Action::Delete { target: target(), propagation: Propagation::Foreground, grace_seconds: None };
    at(&mut setup, 20, delete);
    let mut simulation = Simulation::new(&setup);
    simulation.run_until(SimTime::from_secs(60));
    let objects = simulation.objects();
    for kind in [Kind::StatefulSet, Kind::Pod, Kind::PersistentVolumeClaim, Kind::ControllerRevision] {
        assert_eq!(objects.keys_by_name(kind).len(), 0, "{kind}");
    }
}

#[test]
fn a_new_controller_manager_goes_on() {
    let mut setup = setup(&db(3, &json!({})), 120);
    at(&mut setup, 20, set_image("app:v2"));
    at(&mut setup, 22, Action::ControllersDown);
    at(&mut setup, 50, Action::ControllersUp);
    let trace = sim::run(&setup);
    assert_eq!(created(&trace, Kind::Pod), ["db/1#0", "db/1#1", "db/1#2", "db/2#2", "db/2#1", "db/2#0"]);
}

#[test]
fn a_rollback_gives_the_old_revision_the_next_number() {
    let mut setup = setup(&db(2, &json!({})), 120);
    at(&mut setup, 20, set_image("app:v2"));
    at(&mut setup, 60, Action::Rollback { target: target(), to_revision: 0 });
    let trace = sim::run(&setup);
    assert_eq!(refusals(&trace), Vec::<String>::new());
    assert_eq!(created(&trace, Kind::Pod), ["db/1#0", "db/1#1", "db/2#1", "db/2#0", "db/1#1~2", "db/1#0~2"]);
    assert_eq!(created(&trace, Kind::ControllerRevision), ["db/1", "db/2"]);
}

#[test]
fn the_timeline_tells_revisions_and_rollouts_apart() {
    let claims = json!({"volumeClaimTemplates": [claim("data")], "revisionHistoryLimit": 0});
    let mut setup = setup(&db(3, &claims), 120);
    at(&mut setup, 30, set_image("app:v2"));
    let timeline = Timeline::of(&sim::run(&setup));
    let [workload] = timeline.workloads() else { panic!("one workload") };
    let revisions: Vec<_> = workload.revisions().iter().map(|r| (&*r.name, r.number, &*r.image)).collect();
    assert_eq!(revisions, [("db/1", 1, "app:v1"), ("db/2", 2, "app:v2")]);
    let rollouts: Vec<_> = workload.rollouts().iter().map(|r| (r.number, r.start.as_ms(), r.end.is_some())).collect();
    assert_eq!(rollouts, [(1, 0, true), (2, 30_000, true)]);
    for (series, expected) in [(Series::Desired, 3), (Series::Available, 3), (Series::Updated, 3), (Series::Floor, 2)] {
        assert_eq!(workload.series(series).last(), expected, "{series:?}");
    }
}

/// The StatefulSets and DaemonSets that people write, as they are, all in one
/// cluster.
#[test]
fn manifests_run_as_they_are() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/manifests/identity").to_string();
    let input = seatrial::scenario::load::load(&[folder], false, &mut std::io::empty()).expect("readable");
    let loaded = &input.scenarios[0];
    let rehearsal = seatrial::scenario::compile::compile(loaded, seatrial::scenario::Overrides::default());
    let setup = rehearsal.expect("all of them are modelled").setup;
    let timeline = Timeline::of(&sim::run(&setup));
    let mut seen: Vec<(Kind, &str, i64, i64)> = timeline
        .workloads()
        .iter()
        .filter(|w| matches!(w.kind, Kind::StatefulSet | Kind::DaemonSet))
        .map(|w| (w.kind, &*w.name, w.series(Series::Desired).last(), w.series(Series::Available).last()))
        .collect();
    seen.sort_unstable_by_key(|(_, name, ..)| *name);
    let nodes = setup.nodes.len() as i64;
    assert_eq!(
        seen,
        [
            (Kind::DaemonSet, "gpu-monitor", nodes, nodes),
            (Kind::StatefulSet, "kafka", 3, 3),
            (Kind::StatefulSet, "ledger-db", 3, 3),
            (Kind::DaemonSet, "node-exporter", nodes, nodes),
            (Kind::DaemonSet, "node-log-agent", nodes, nodes),
            (Kind::StatefulSet, "postgres", 3, 3),
            (Kind::DaemonSet, "promtail", nodes, nodes),
            (Kind::DaemonSet, "shuffle-service", nodes, nodes),
            (Kind::StatefulSet, "web", 3, 3),
        ]
    );
    let tax = seatrial::tax::of(&setup).expect("there are DaemonSets");
    assert_eq!((tax.levies.len(), tax.taken.cpu_milli, tax.taken.pods), (5, 100 * nodes, 5 * nodes));
    assert_eq!(tax.left().cpu_milli, tax.allocatable.cpu_milli - 100 * nodes);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    /// However far the caches lag: no ordinal exists twice, the size is never
    /// exceeded, and in the end all is as it was asked for.
    #[test]
    fn each_ordinal_exists_once(
        replicas in 0..6_i32,
        later in 0..6_i32,
        parallel in any::<bool>(),
        lag_ms in 0..400_u64,
        second in 5..30_u64,
    ) {
        let policy = if parallel { "Parallel" } else { "OrderedReady" };
        let mut setup = setup(&db(replicas, &json!({"podManagementPolicy": policy})), 600);
        setup.control_plane = ControlPlane {
            informer_lag: Span::from_ms(lag_ms),
            write_latency: Span::from_ms(lag_ms / 3),
            ..ControlPlane::default()
        };
        at(&mut setup, second, set_image("app:v2"));
        at(&mut setup, second + 3, Action::Scale { target: target(), replicas: later });
        let mut simulation = Simulation::new(&setup);
        for seconds in 1..600 {
            simulation.run_until(SimTime::from_secs(seconds));
            let pods = simulation.objects().pods.iter().count() as i32;
            prop_assert!(pods <= replicas.max(later), "{pods} pods at {seconds} s");
        }
        let objects = simulation.objects();
        let (_, set) = objects.stateful_sets.iter().next().expect("the StatefulSet");
        prop_assert_eq!((set.status.replicas, set.status.available, set.status.updated), (later, later, later));
        prop_assert_eq!(&set.status.current_revision, &set.status.update_revision);
        prop_assert!(objects.pods.iter().all(|(_, pod)| pod.template.image() == "app:v2"));
    }
}
