//! One cell of a sweep: a ten-replica rollout from its setup to its row. The
//! goal is 14,400 of them in 4 s on two cores: 0.55 ms each.

use criterion::{Criterion, criterion_group, criterion_main};
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

criterion_group!(benches, cell);
criterion_main!(benches);
