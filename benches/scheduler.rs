//! The cost of placing a pod, on few nodes and on many: Deployments of 30
//! pods with requests. It must not grow with the number of nodes.
//!
//! `place` is all that happens from the moment the scheduler begins to look at
//! the pods that wait until each has its node: its queue, the choice, the
//! binding and what follows from it at once, divided by the number of pods.
//! `create_and_place` is the whole run, with the creation of everything.
//!
//! `cargo bench --bench scheduler` runs 100 and 1,000 nodes; with `FLEET=1`
//! 5,000 nodes with 150,000 pods too. `MIMALLOC_PURGE_DELAY=-1` keeps the
//! memory of the rounds before: else only the large cluster gives it back to
//! the system each time, and pays for it being cleared and mapped again.

use criterion::{BatchSize, BenchmarkId, Criterion, SamplingMode, Throughput, criterion_group, criterion_main};
use seatrial::sim::setup::{Action, Component, SchedulerChoice};
use seatrial::sim::{self, Setup, Simulation};
use seatrial::time::{SimTime, Span};
use serde_json::{Value, json};
use std::hint::black_box;
use std::time::Duration;

#[path = "../tests/common/mod.rs"]
mod common;

#[cfg(all(feature = "mimalloc", not(target_family = "wasm")))]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

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

/// The same with a scheduler that stands still until all pods are there.
fn waiting(setup: &Setup) -> Simulation {
    let mut setup = setup.clone();
    setup.until = BEGINS;
    let pause = Action::Pause { component: Component::Scheduler, span: Span(BEGINS.0) };
    common::at(&mut setup, 0, pause);
    let mut simulation = Simulation::new(&setup);
    simulation.run_until(SimTime(BEGINS.0 - Span::from_ms(1).0));
    simulation
}

/// When the scheduler that stood still begins.
const BEGINS: SimTime = SimTime::from_secs(30);

fn scheduler(criterion: &mut Criterion) {
    let with_fleet = std::env::var_os("FLEET").is_some();
    for (name, choice, particular) in [
        ("simple", SchedulerChoice::Simple, false),
        ("kube", SchedulerChoice::Kube, false),
        ("kube_spread_and_affinity", SchedulerChoice::Kube, true),
    ] {
        for whole in [false, true] {
            let what = if whole { "create_and_place" } else { "place" };
            let mut group = criterion.benchmark_group(format!("{what}/{name}"));
            group.sample_size(10).sampling_mode(SamplingMode::Flat);
            group.warm_up_time(Duration::from_millis(200)).measurement_time(Duration::from_secs(3));
            for nodes in [100, 1_000, 5_000].into_iter().filter(|&nodes| nodes < 5_000 || with_fleet) {
                group.throughput(Throughput::Elements((nodes * PODS_PER_NODE) as u64));
                group.bench_function(BenchmarkId::from_parameter(nodes), |bencher| {
                    let setup = fleet(nodes, choice, particular);
                    if whole {
                        bencher.iter(|| black_box(sim::run(&setup)));
                        return;
                    }
                    let waiting = waiting(&setup);
                    let place = |mut simulation: Simulation| {
                        simulation.run_until(BEGINS);
                        simulation
                    };
                    bencher.iter_batched(|| waiting.clone(), place, BatchSize::PerIteration);
                });
            }
            group.finish();
        }
    }
}

criterion_group!(benches, scheduler);
criterion_main!(benches);
