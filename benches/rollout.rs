//! A ten-replica rollout from its text to its verdict, without pictures: what
//! a sweep does thousands of times.

use criterion::{Criterion, criterion_group, criterion_main};
use seatrial::api::Kind;
use seatrial::manifest;
use seatrial::sim;
use seatrial::time::SimTime;
use seatrial::timeline::{Series, Timeline};
use std::hint::black_box;

#[path = "../tests/common/mod.rs"]
mod common;

#[cfg(all(feature = "mimalloc", not(target_family = "wasm")))]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const MANIFEST: &str = r#"{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"},
  "spec": {"replicas": 10, "selector": {"matchLabels": {"app": "web"}},
    "template": {"metadata": {"labels": {"app": "web"}},
      "spec": {"containers": [{"name": "app", "image": "app:v1"}]}}}}"#;

fn load_to_verdict() -> bool {
    let json = serde_json::from_str(MANIFEST).expect("JSON");
    let mut setup = common::cluster(6, 300);
    setup.profiles.push(common::varied_pods());
    setup.objects.push(manifest::read(&json).expect("a manifest").object);
    common::at(&mut setup, 60, common::set_image("web", "app:v2"));
    let trace = sim::run(&setup);
    let timeline = Timeline::of(&trace);
    let web = timeline.workload(Kind::Deployment, "default", "web").expect("it was applied");
    web.series(Series::Available).min_over(SimTime::from_secs(60), setup.until) >= 8
}

fn rollout(criterion: &mut Criterion) {
    criterion.bench_function("rollout_of_ten_load_to_verdict", |bencher| {
        bencher.iter(|| assert!(black_box(load_to_verdict())));
    });
    let setup = common::rollout(1);
    criterion.bench_function("rollout_of_ten_run_only", |bencher| {
        bencher.iter(|| black_box(sim::run(&setup)));
    });
}

criterion_group!(benches, rollout);
criterion_main!(benches);
