//! The cost of placing a pod, on few nodes and on many: Deployments of 30
//! pods with requests, created and run until every pod has its node, divided
//! by the number of pods. It must not grow with the number of nodes.
//!
//! `cargo bench --bench scheduler` runs 100 and 1,000 nodes; with `FLEET=1`
//! 5,000 nodes with 150,000 pods too.

use criterion::{BenchmarkId, Criterion, SamplingMode, Throughput, criterion_group, criterion_main};
use seatrial::sim::setup::SchedulerChoice;
use seatrial::sim::{self, Setup};
use serde_json::{Value, json};
use std::hint::black_box;
use std::time::Duration;

#[path = "../tests/common/mod.rs"]
mod common;

const PODS_PER_NODE: usize = 30;
const REPLICAS: usize = 30;

/// What the pods of the n-th Deployment ask for beside their place.
fn pods(n: usize, particular: bool) -> Value {
    let name = format!("app-{n:05}");
    let cpu = [100, 250, 500][n % 3];
    let mut spec = json!({"containers": [{
        "name": "app",
        "image": "app:v1",
        "resources": {"requests": {"cpu": format!("{cpu}m"), "memory": "256Mi"}},
    }]});
    if particular {
        let selector = json!({"matchLabels": {"app": name}});
        spec["topologySpreadConstraints"] = json!([{
            "maxSkew": 1,
            "topologyKey": "topology.kubernetes.io/zone",
            "whenUnsatisfiable": "DoNotSchedule",
            "labelSelector": selector,
        }]);
        spec["affinity"]["podAntiAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"] = json!([{
            "weight": 100,
            "podAffinityTerm": {"topologyKey": "kubernetes.io/hostname", "labelSelector": selector},
        }]);
    }
    json!({"metadata": {"labels": {"app": name}}, "spec": spec})
}

fn fleet(nodes: usize, scheduler: SchedulerChoice, particular: bool) -> Setup {
    let mut setup = Setup { scheduler, ..common::cluster(nodes, 1) };
    for n in 0..nodes * PODS_PER_NODE / REPLICAS {
        let template = json!({"template": pods(n, particular)});
        let replicas = i32::try_from(REPLICAS).expect("small");
        common::add(&mut setup, &common::deployment(&format!("app-{n:05}"), replicas, &template));
    }
    setup
}

fn scheduler(criterion: &mut Criterion) {
    let with_fleet = std::env::var_os("FLEET").is_some();
    for (name, choice, particular) in [
        ("simple", SchedulerChoice::Simple, false),
        ("kube", SchedulerChoice::Kube, false),
        ("kube_spread_and_affinity", SchedulerChoice::Kube, true),
    ] {
        let mut group = criterion.benchmark_group(format!("place/{name}"));
        group.sample_size(10).sampling_mode(SamplingMode::Flat);
        group.warm_up_time(Duration::from_millis(200)).measurement_time(Duration::from_secs(3));
        for nodes in [100, 1_000, 5_000].into_iter().filter(|&nodes| nodes < 5_000 || with_fleet) {
            let setup = fleet(nodes, choice, particular);
            group.throughput(Throughput::Elements((nodes * PODS_PER_NODE) as u64));
            group.bench_with_input(BenchmarkId::from_parameter(nodes), &setup, |bencher, setup| {
                bencher.iter(|| black_box(sim::run(setup)));
            });
        }
        group.finish();
    }
}

criterion_group!(benches, scheduler);
criterion_main!(benches);
