//! Resources beside CPU and memory: who gets them, and who waits.

use seatrial::scenario::from_text;
use seatrial::sim;
use seatrial::trace::{Emitted, Trace, What};

/// Three pods that ask for a GPU each.
fn web(limits: &str) -> String {
    format!(
        "apiVersion: apps/v1
kind: Deployment
metadata: {{name: web}}
spec:
  replicas: 3
  selector: {{matchLabels: {{app: web}}}}
  template:
    metadata: {{labels: {{app: web}}}}
    spec: {{containers: [{{name: app, image: 'web:1', resources: {{limits: {limits}}}}}]}}
"
    )
}

fn run(manifest: &str, spec: &str) -> Trace {
    let head = "apiVersion: seatrial/v1alpha1\nkind: Scenario\n";
    let pods = "pods: {'*': {schedule: 0s, start: 1s, ready: 2s, terminate: 1s}}";
    let text = format!("{manifest}---\n{head}spec: {{duration: 20m, {pods}, {spec}}}\n");
    let compiled = from_text(&text).unwrap_or_else(|error| panic!("{spec}: {error}"));
    sim::run(&compiled[0].setup)
}

/// When pods were bound, in seconds, and to which node.
fn bound(trace: &Trace) -> Vec<(u64, String)> {
    let of = |r: &seatrial::trace::Record| match r.what {
        What::Bound { node } => Some((r.at.as_ms() / 1_000, trace.subject(node).name.to_string())),
        _ => None,
    };
    trace.records.iter().filter_map(of).collect()
}

fn failures(trace: &Trace) -> Vec<&str> {
    let of = |r: &seatrial::trace::Record| match r.what {
        What::Emitted(Emitted::Other { reason, message, .. }) => {
            (trace.symbols.get(reason) == "FailedScheduling").then(|| trace.symbols.get(message))
        }
        _ => None,
    };
    trace.records.iter().filter_map(of).collect()
}

#[test]
fn a_gpu_is_had_by_one_pod_at_a_time() {
    let nodes = "nodes: [{name: n1, resources: {nvidia.com/gpu: 2}}, {name: n2}]";
    for scheduler in ["simple", "kube"] {
        let spec =
            format!("cluster: {{scheduler: {scheduler}, {nodes}}}, actions: [{{at: 5m, delete: 'pod/web/1#0'}}]");
        let trace = run(&web("{nvidia.com/gpu: 1}"), &spec);
        let at: Vec<u64> = bound(&trace).iter().map(|(at, _)| *at).collect();
        assert_eq!(at, [0, 0, 301], "{scheduler}");
        assert!(bound(&trace).iter().all(|(_, node)| node == "n1"), "{scheduler}");
        if scheduler == "kube" {
            assert_eq!(
                failures(&trace).first().copied(),
                Some(
                    "0/2 nodes are available: 2 Insufficient nvidia.com/gpu. no new claims to deallocate, preemption: \
                     0/2 nodes are available: 1 No preemption victims found for incoming pod, \
                     1 Preemption is not helpful for scheduling."
                )
            );
        }
    }
}

#[test]
fn only_a_node_that_has_what_is_missing_helps() {
    let add = |name: &str, has: &str| format!("nodeAdd: {{name: {name}, resources: {{{has}}}}}");
    let actions = format!(
        "{{at: 1m, {}}}, {{at: 2m, {}}}, {{at: 3m, {}}}",
        add("n2", ""),
        add("n3", "hugepages-2Mi: 1Gi"),
        add("n4", "hugepages-2Mi: 3Gi")
    );
    for scheduler in ["simple", "kube"] {
        let spec = format!("cluster: {{scheduler: {scheduler}, nodes: [{{name: n1}}]}}, actions: [{actions}]");
        let trace = run(&web("{hugepages-2Mi: 1Gi, cpu: 1}"), &spec);
        let all = bound(&trace);
        let on = |node: &str| all.iter().filter(|(_, on)| on == node).count();
        assert_eq!((on("n1"), on("n2"), on("n3"), on("n4")), (0, 0, 1, 2), "{scheduler}");
    }
}

#[test]
fn local_disks_count_where_they_are_said() {
    for (nodes, bound_at_once) in [("{name: n1}", 3), ("{name: n1, resources: {ephemeral-storage: 25Gi}}", 2)] {
        let trace = run(&web("{ephemeral-storage: 10Gi}"), &format!("cluster: {{nodes: [{nodes}]}}"));
        assert_eq!(bound(&trace).len(), bound_at_once, "{nodes}");
    }
    // Of a cluster that nobody describes there is enough of everything.
    assert_eq!(bound(&run(&web("{nvidia.com/gpu: 8}"), "actions: []")).len(), 3);
}

#[test]
fn the_pool_that_has_it_grows() {
    let pool = |name: &str, has: &str| format!("{name}: {{resources: {{{has}}}, autoscale: {{min: 0, max: 4}}}}");
    for scheduler in ["simple", "kube"] {
        let pools = format!("{}, {}", pool("plain", ""), pool("gpu", "nvidia.com/gpu: 2"));
        let spec = format!("cluster: {{scheduler: {scheduler}, pools: {{{pools}}}}}");
        let trace = run(&web("{nvidia.com/gpu: 1}"), &spec);
        let nodes: Vec<String> = bound(&trace).into_iter().map(|(_, node)| node).collect();
        assert_eq!(nodes.len(), 3, "{scheduler}: {nodes:?}");
        assert!(nodes.iter().all(|node| node.starts_with("gpu-")), "{scheduler}: {nodes:?}");
        let joined = trace.subjects.iter().filter(|s| s.kind == seatrial::api::Kind::Node).count();
        assert_eq!(joined, 2, "{scheduler}");
    }
}

#[test]
fn a_large_image_draws_pods_to_nodes_that_have_it() {
    // Node n1 is a quarter full, and has the image once the first pod has run there.
    let busy = "apiVersion: v1
kind: Pod
metadata: {name: busy}
spec: {nodeSelector: {disk: ssd}, containers: [{name: app, image: 'web:1', resources: {requests: {cpu: 1}}}]}
";
    for (size, wanted) in [("", "n2"), ("size: 20Mi, ", "n2"), ("size: 4Gi, ", "n1")] {
        let nodes = "nodes: [{name: n1, cpu: 8, labels: {disk: ssd}}, {name: n2, cpu: 8}]";
        let images = format!("images: {{'web:1': {{{size}pull: 30s}}}}");
        let late = "actions: [{at: 1m, scale: {deployment/web: 1}}]";
        let spec = format!("cluster: {{scheduler: kube, {nodes}}}, {images}, {late}");
        let manifests = format!("{}---\n{busy}", web("{cpu: 1}").replace("replicas: 3", "replicas: 0"));
        let all = bound(&run(&manifests, &spec));
        assert_eq!(all[1..], [(60, wanted.to_string())], "{size}");
    }
}

#[test]
fn without_any_node_the_scheduler_tries_again_after_its_back_off() {
    let actions = "actions: [{at: 6s, nodeAdd: {name: n1}}]";
    let spec = format!("cluster: {{scheduler: kube, pools: {{p: {{autoscale: {{min: 0, max: 0}}}}}}}}, {actions}");
    let trace = run(&web("{cpu: 1}"), &spec);
    assert!(failures(&trace).iter().all(|words| *words == "no nodes available to schedule pods"));
    assert_eq!(failures(&trace).len(), 9, "three pods at 0, 2 and 5 s");
    // The node comes at 6 s; nobody looks before the back-off of 4 s is over.
    assert!(bound(&trace).iter().all(|(at, _)| *at == 10));
}
