//! The kernel under a fleet: Deployments of 30 pods, created and then rolled
//! out, on few nodes and on many. The time per record must not grow with the
//! number of nodes: then no list is scanned that a fleet makes long.
//!
//! `cargo bench --bench kernel` runs 100 and 1,000 nodes; with `FLEET=1` the
//! documented limit of Kubernetes too, 5,000 nodes with 150,000 pods.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use seatrial::sim::{self, Setup};
use std::hint::black_box;
use std::time::Duration;

#[path = "../tests/common/mod.rs"]
mod common;

#[cfg(all(feature = "mimalloc", not(target_family = "wasm")))]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const PODS_PER_NODE: usize = 30;
const REPLICAS: usize = 30;

fn fleet(nodes: usize) -> Setup {
    let mut setup = common::cluster(nodes, 240);
    setup.profiles.push(common::varied_pods());
    for n in 0..nodes * PODS_PER_NODE / REPLICAS {
        let name = format!("app-{n:05}");
        common::add(
            &mut setup,
            &common::deployment(&name, i32::try_from(REPLICAS).expect("small"), &serde_json::Value::Null),
        );
        common::at(&mut setup, 90, common::set_image(&name, "app:v2"));
    }
    setup
}

fn kernel(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("create_and_roll_out");
    group.sample_size(10).warm_up_time(Duration::from_millis(200)).measurement_time(Duration::from_secs(3));
    let with_fleet = std::env::var_os("FLEET").is_some();
    for nodes in [100, 1_000, 5_000].into_iter().filter(|&nodes| nodes < 5_000 || with_fleet) {
        let setup = fleet(nodes);
        let records = sim::run(&setup).records.len();
        group.throughput(Throughput::Elements(records as u64));
        group.bench_with_input(BenchmarkId::from_parameter(nodes), &setup, |bencher, setup| {
            bencher.iter(|| black_box(sim::run(setup)));
        });
    }
    group.finish();
}

criterion_group!(benches, kernel);
criterion_main!(benches);
