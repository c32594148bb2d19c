//! One cell of a sweep: a ten-replica rollout from its setup to its row. The
//! goal is 14,400 of them in 4 s on two cores: 0.55 ms each.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use seatrial::api::Kind;
use seatrial::campaign::{self, Measured, Subject};
use seatrial::scenario;
use seatrial::sim;
use std::hint::black_box;
use std::sync::Arc;

const WEB: &str = include_str!("../tests/manifests/web.yaml");

fn cell(criterion: &mut Criterion) {
    let rehearsal = scenario::from_text(WEB).expect("a manifest").remove(0);
    let subject = Subject { kind: Kind::Deployment, namespace: "default".into(), name: "web".into() };
    let measured = Measured { subject: &subject, figures: &[], assertions: &rehearsal.assertions };
    let mut setup = Arc::new(rehearsal.setup);
    criterion.bench_function("cell_of_a_sweep", |bencher| {
        bencher.iter(|| {
            let setup_of_cell = Arc::make_mut(&mut setup);
            setup_of_cell.seed += 1;
            let trace = sim::run_shared(&setup);
            black_box(campaign::measure(&trace, &measured))
        });
    });
    let trace = sim::run_shared(&setup);
    criterion.bench_function("row_of_a_trace", |bencher| {
        bencher.iter(|| black_box(campaign::measure(&trace, &measured)));
    });
}

/// The same on one thread and on two: nothing is shared, so two cores do
/// nearly twice as much.
fn threads(criterion: &mut Criterion) {
    const CELLS: u64 = 1_000;
    let rehearsal = scenario::from_text(WEB).expect("a manifest").remove(0);
    let subject = Subject { kind: Kind::Deployment, namespace: "default".into(), name: "web".into() };
    let measured = Measured { subject: &subject, figures: &[], assertions: &rehearsal.assertions };
    let mut group = criterion.benchmark_group("cells_on_threads");
    group.sample_size(10).throughput(Throughput::Elements(CELLS));
    for threads in [1, 2] {
        let run = |first: u64| {
            let mut setup = Arc::new(rehearsal.setup.clone());
            for seed in (first..CELLS).step_by(threads) {
                Arc::make_mut(&mut setup).seed = seed;
                black_box(campaign::measure(&sim::run_shared(&setup), &measured));
            }
        };
        group.bench_function(threads.to_string(), |bencher| {
            bencher.iter(|| {
                let run = &run;
                std::thread::scope(|scope| {
                    for first in 0..threads as u64 {
                        scope.spawn(move || run(first));
                    }
                });
            });
        });
    }
    group.finish();
}

criterion_group!(benches, cell, threads);
criterion_main!(benches);
