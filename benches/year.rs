//! A long life: ten CronJobs that run every minute, streamed. A year of it is
//! 5.3 million runs; the memory it needs is that of a day, as the history
//! limits keep the number of Jobs small and the records are handed on.
//!
//! `cargo bench --bench year` measures a day at the beginning, after a
//! month and after four: the time per run must not grow. With `YEAR=1` it
//! simulates the whole year once, and says how long that took, the digest and
//! the greatest size of the process.

#![allow(clippy::print_stdout, reason = "the whole year is told, not sampled")]

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use seatrial::environment::Delay;
use seatrial::sim::setup::{PodProfile, Run};
use seatrial::sim::{Setup, Simulation};
use seatrial::time::{SimTime, Span};
use serde_json::json;
use std::hint::black_box;
use std::time::{Duration, Instant};

#[path = "../tests/common/mod.rs"]
mod common;

#[cfg(all(feature = "mimalloc", not(target_family = "wasm")))]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const CRON_JOBS: u64 = 10;
const DAY: u64 = 24 * 3_600;

fn minutely(days: u64) -> Setup {
    let mut setup = common::cluster(3, days * DAY);
    for n in 0..CRON_JOBS {
        let container = json!({"name": "app", "image": "app:v1"});
        let template = json!({"spec": {"restartPolicy": "Never", "containers": [container]}});
        common::add(
            &mut setup,
            &json!({
                "apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": format!("tick-{n}")},
                "spec": {"schedule": "* * * * *", "jobTemplate": {"spec": {"template": template}}},
            }),
        );
    }
    let run = Run { duration: Delay::Constant(Span::from_secs(20)), ..Run::default() };
    setup.profiles.push(PodProfile { run: Some(run), ..PodProfile::default() });
    setup
}

fn records(simulation: &mut Simulation, days: u64) -> u64 {
    let mut records = 0;
    simulation.stream_until(SimTime::from_secs(days * DAY), &mut |piece| records += piece.trace.records.len() as u64);
    records
}

/// The most memory that the process has had, in MiB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|l| l.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) / 1_024
}

fn whole_year() {
    let setup = minutely(365);
    let mut simulation = Simulation::streamed(&setup);
    let begun = Instant::now();
    let mut all = 0;
    for month in 1..=12 {
        let month_begun = Instant::now();
        all += records(&mut simulation, if month == 12 { 365 } else { month * 30 });
        let took = month_begun.elapsed().as_secs_f64();
        println!("month {month:>2}: {took:.2} s, {} MiB at most so far", peak());
    }
    let runs = 365 * DAY / 60 * CRON_JOBS;
    let took = begun.elapsed().as_secs_f64();
    println!("{runs} runs, {all} records in {took:.1} s: {:.2} us a run", took * 1e6 / runs as f64);
}

fn year(criterion: &mut Criterion) {
    if std::env::var_os("YEAR").is_some() {
        return whole_year();
    }
    let mut group = criterion.benchmark_group("ten_minutely_cron_jobs_for_a_day");
    group.sample_size(10).warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(3));
    group.throughput(Throughput::Elements(DAY / 60 * CRON_JOBS));
    for after in [1, 30, 120] {
        let mut simulation = Simulation::streamed(&minutely(365));
        records(&mut simulation, after);
        group.bench_function(format!("after_{after}_days"), |bencher| {
            let one_more = |mut s: Simulation| black_box(records(&mut s, after + 1));
            bencher.iter_batched(|| simulation.clone(), one_more, BatchSize::PerIteration);
        });
    }
    group.finish();
}

criterion_group!(benches, year);
criterion_main!(benches);
