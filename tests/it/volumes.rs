//! Storage and names: where disks bind their pods, what waits for what, and
//! which names answer.

use seatrial::scenario::from_text;
use seatrial::sim;
use seatrial::time::SimTime;
use seatrial::timeline::{Series, Timeline, Workload};
use seatrial::trace::{Field, Trace, Value, What};

/// A StatefulSet with one disk per pod, its Service, and the class of the
/// disks.
fn db(class: &str, service: &str) -> String {
    format!(
        "apiVersion: apps/v1
kind: StatefulSet
metadata: {{name: db}}
spec:
  serviceName: db
  replicas: 2
  selector: {{matchLabels: {{app: db}}}}
  template:
    metadata: {{labels: {{app: db}}}}
    spec: {{containers: [{{name: db, image: 'db:16'}}]}}
  volumeClaimTemplates:
  - metadata: {{name: data}}
    spec: {{accessModes: [ReadWriteOnce], storageClassName: disks, resources: {{requests: {{storage: 1Gi}}}}}}
---
apiVersion: v1
kind: Service
metadata: {{name: db}}
spec: {{clusterIP: None, selector: {{app: db}}{service}}}
---
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {{name: disks}}
provisioner: disks.example.com
{class}
"
    )
}

const WAITS: &str = "volumeBindingMode: WaitForFirstConsumer";

const PODS: &str = "pods: {'*': {start: 1s, ready: 2s, terminate: 1s}}";
const DISKS: &str = "volumes: {provision: 3s, attach: 10s, detach: 10s}";

fn run(manifests: &str, spec: &str) -> Trace {
    let head = "apiVersion: seatrial/v1alpha1\nkind: Scenario\n";
    let text = format!("{manifests}---\n{head}spec: {{{PODS}, {DISKS}, {spec}}}\n");
    let compiled = from_text(&text).unwrap_or_else(|error| panic!("{spec}: {error}"));
    sim::run(&compiled[0].setup)
}

fn only(timeline: &Timeline) -> &Workload {
    let [workload] = timeline.workloads() else { panic!("one workload") };
    workload
}

/// When something is recorded of a pod, in milliseconds.
fn times(trace: &Trace, pod: &str, what: What) -> Vec<u64> {
    let fits = |r: &&seatrial::trace::Record| r.what == what && &*trace.subject(r.subject).api_name == pod;
    trace.records.iter().filter(fits).map(|r| r.at.as_ms()).collect()
}

/// Where disks were attached: when, and to which node.
fn places(trace: &Trace) -> Vec<(u64, &str)> {
    let place = |r: &seatrial::trace::Record| match r.what {
        What::Set { field: Field::AttachedTo, value: Value::Text(node) } => {
            Some((r.at.as_ms(), trace.symbols.get(node)))
        }
        _ => None,
    };
    trace.records.iter().filter_map(place).collect()
}

#[test]
fn a_pod_waits_for_its_volume_and_then_for_its_disk() {
    let trace = run(&db(WAITS, ""), "duration: 2m, cluster: {zones: {a: {nodes: 1}, b: {nodes: 1}}}");
    // Scheduled after 10 ms, provisioned 3 s, attached 10 s, started 1 s, ready 2 s.
    assert_eq!(times(&trace, "db-0", What::Attaching), [3_010]);
    assert_eq!(times(&trace, "db-0", What::Attached), [13_010]);
    assert_eq!(times(&trace, "db-0", What::Running), [14_010]);
    assert_eq!(times(&trace, "db-0", What::Ready), [16_010]);
    assert_eq!(places(&trace).len(), 2, "a disk for each pod");
}

#[test]
fn claims_of_an_immediate_class_need_no_pod() {
    let trace = run(&db("volumeBindingMode: Immediate", ""), "duration: 2m, cluster: {zones: {a: {nodes: 1}}}");
    assert_eq!(times(&trace, "db-0", What::Unschedulable).len(), 1, "not before its claim is bound");
    assert_eq!(times(&trace, "db-0", What::Attaching), [3_010], "looked at again 10 ms later");
}

#[test]
fn a_disk_binds_its_pod_to_its_zone() {
    let spec = "duration: 10m, cluster: {zones: {a: {nodes: 1}, b: {nodes: 1}}}, actions: [
        {at: 2m, cordon: a-1}, {at: 2m, delete: pod/db/1#0}, {at: 6m, uncordon: a-1}]";
    let trace = run(&db(WAITS, ""), spec);
    let timeline = Timeline::of(&trace);
    let pending = only(&timeline).series(Series::Pending);
    assert_eq!(pending.at(SimTime::from_secs(5 * 60)), 1, "there is room in zone b, but not the disk");
    assert_eq!(only(&timeline).series(Series::Ready).last(), 2);
    assert!(places(&trace).iter().all(|(at, node)| *at < 120_000 || *node == "a-1"), "{:?}", places(&trace));
}

#[test]
fn a_pod_that_comes_back_at_once_finds_its_disk_still_attached() {
    let spec = "duration: 5m, cluster: {zones: {a: {nodes: 1}}}, actions: [{at: 2m, delete: pod/db/1#0}]";
    let trace = run(&db(WAITS, ""), spec);
    assert_eq!(times(&trace, "db-0", What::Attaching).len(), 1, "only the first time");
    assert_eq!(times(&trace, "db-0", What::Ready).last(), Some(&124_010));
}

#[test]
fn a_lost_node_keeps_its_disk_for_six_minutes_or_until_it_is_given_up() {
    for (taint, attached) in [
        ("", 3 * 60_000 + 6 * 60_000),
        (", {at: 4m, taint: {a-1: 'node.kubernetes.io/out-of-service=nodeshutdown:NoExecute'}}", 4 * 60_000),
    ] {
        let spec = format!(
            "duration: 15m, cluster: {{zones: {{a: {{nodes: 2}}}}}}, actions: [
            {{at: 2m, nodeFail: a-1}}, {{at: 2m, cordon: a-1}},
            {{at: 3m, delete: {{object: pod/db/1#0, gracePeriod: 0s}}}}{taint}]"
        );
        let trace = run(&db(WAITS, ""), &spec);
        let places = places(&trace);
        let after: Vec<_> = places.iter().filter(|(at, _)| *at > 120_000).collect();
        // Detached in 10 s, then attached in 10 s.
        let [(at, "a-2")] = after[..] else { panic!("{places:?}") };
        assert_eq!(*at, attached + 20_000, "{taint}");
    }
}

#[test]
fn a_claim_in_use_goes_with_its_pod() {
    let spec = "duration: 5m, cluster: {zones: {a: {nodes: 1}}}, actions: [
        {at: 1m, delete: pvc/data-db-1}, {at: 2m, delete: pod/db/1#1}]";
    let trace = run(&db(WAITS, ""), spec);
    let claim = |what: What| times(&trace, "data-db-1", what);
    assert!(claim(What::Deleted)[0] >= 120_000, "it waits for its pod: {:?}", claim(What::Deleted));
    assert_eq!(claim(What::Created).len(), 2, "and is made anew");
    assert_eq!(only(&Timeline::of(&trace)).series(Series::Ready).last(), 2);
}

#[test]
fn volumes_made_by_hand_are_taken_as_they_are() {
    let volume = |name: &str, node: &str| {
        format!(
            "---
apiVersion: v1
kind: PersistentVolume
metadata: {{name: {name}}}
spec:
  capacity: {{storage: 5Gi}}
  accessModes: [ReadWriteOnce]
  storageClassName: disks
  local: {{path: /mnt/{name}}}
  nodeAffinity:
    required:
      nodeSelectorTerms:
      - matchExpressions: [{{key: kubernetes.io/hostname, operator: In, values: [{node}]}}]
"
        )
    };
    let class = format!("{WAITS}\n").replace("volumeBinding", "reclaimPolicy: Retain\nvolumeBinding");
    let manifests = db(&class, "").replace("disks.example.com", "kubernetes.io/no-provisioner")
        + &volume("one", "a-2")
        + &volume("two", "a-3");
    let trace = run(&manifests, "duration: 2m, cluster: {zones: {a: {nodes: 3}}}");
    let bound = |pod: &str| {
        let record = trace.records.iter().find_map(|r| match r.what {
            What::Bound { node } if &*trace.subject(r.subject).api_name == pod => Some(node),
            _ => None,
        });
        record.map(|node| trace.subject(node).name.to_string())
    };
    assert_eq!((bound("db-0").as_deref(), bound("db-1").as_deref()), (Some("a-2"), Some("a-3")));
    assert!(times(&trace, "db-0", What::Attaching).is_empty(), "what is there already is not attached");
}

#[test]
fn names_answer_when_pods_are_ready_unless_the_service_does_not_care() {
    for (service, first) in [("", 16_010), (", publishNotReadyAddresses: true", 14_010)] {
        let trace = run(&db(WAITS, service), "duration: 2m, cluster: {zones: {a: {nodes: 1}}}");
        assert_eq!(times(&trace, "db-0", What::Named), [first], "{service}");
    }
    let spec = "duration: 3m, cluster: {zones: {a: {nodes: 1}}}, actions: [
        {at: 1m, podUnready: 'db/1#0'}, {at: 90s, podReady: 'db/1#0'}, {at: 2m, delete: pod/db/1#1}]";
    let trace = run(&db(WAITS, ""), spec);
    assert_eq!(times(&trace, "db-0", What::Unnamed), [60_000]);
    assert_eq!(times(&trace, "db-0", What::Named)[1..], [90_000]);
    assert_eq!(times(&trace, "db-1", What::Unnamed), [120_000], "a pod that is being deleted is not found any more");
}

#[test]
fn without_claims_nothing_of_it_happens() {
    let web = db(WAITS, "");
    let web = web.split("  volumeClaimTemplates").next().expect("the set");
    let text = format!("{web}---\napiVersion: seatrial/v1alpha1\nkind: Scenario\nspec: {{{PODS}, duration: 1m}}\n");
    let compiled = from_text(&text).expect("a scenario");
    assert!(compiled[0].setup.volumes.is_none());
    let trace = sim::run(&compiled[0].setup);
    assert_eq!(times(&trace, "db-0", What::Running), [1_010]);
}
