//! The same input gives the same trace: run twice, run in threads, cloned in
//! the middle, beside other work.

mod common;

use seatrial::sim::setup::PodProfile;
use seatrial::sim::{self, Setup, Simulation};
use seatrial::time::SimTime;
use seatrial::trace::Trace;
use std::thread;

/// Fails with the first record that differs.
fn assert_same(a: &Trace, b: &Trace, what: &str) {
    for (i, (left, right)) in a.records.iter().zip(&b.records).enumerate() {
        assert!(
            left == right && a.subject(left.subject) == b.subject(right.subject),
            "{what}: record {i} differs:\n  {left:?}\n  {right:?}"
        );
    }
    assert_eq!(a.records.len(), b.records.len(), "{what}: one trace goes on after the other ends");
    assert_eq!(a.digest(), b.digest(), "{what}: digests");
}

#[test]
fn twice_gives_the_same() {
    for seed in 0..20 {
        let setup = common::rollout(seed);
        assert_same(&sim::run(&setup), &sim::run(&setup), "run again");
    }
}

#[test]
fn seeds_give_different_runs() {
    let digests: Vec<String> = (0..5).map(|seed| sim::run(&common::rollout(seed)).digest()).collect();
    for (i, digest) in digests.iter().enumerate() {
        assert!(!digests[..i].contains(digest), "seed {i} repeats an earlier run");
    }
}

#[test]
fn threads_make_no_difference() {
    let alone: Vec<String> = (0..16).map(|seed| sim::run(&common::rollout(seed)).digest()).collect();
    let workers: Vec<_> = (0..8)
        .map(|worker| {
            thread::spawn(move || {
                (0..16)
                    .filter(|seed| seed % 8 == worker)
                    .map(|seed| (seed, sim::run(&common::rollout(seed)).digest()))
                    .collect::<Vec<_>>()
            })
        })
        .collect();
    for (seed, digest) in workers.into_iter().flat_map(|worker| worker.join().expect("a worker")) {
        assert_eq!(digest, alone[usize::try_from(seed).expect("small")], "seed {seed} in a thread");
    }
}

#[test]
fn a_clone_runs_on_alike() {
    let setup = common::rollout(3);
    let whole = sim::run(&setup);
    for seconds in [0, 1, 61, 75, 299] {
        let mut first = Simulation::new(&setup);
        first.run_until(SimTime::from_secs(seconds));
        let mut second = first.clone();
        first.run_until(setup.until);
        second.run_until(setup.until);
        assert_same(&whole, first.trace(), "interrupted");
        assert_same(&whole, second.trace(), "cloned");
    }
}

/// What the pods of a Deployment do, and when.
fn story(trace: &Trace, name: &str) -> Vec<String> {
    let prefix = format!("{name}/");
    trace
        .records
        .iter()
        .filter(|record| trace.subject(record.subject).name.starts_with(&prefix))
        .filter(|record| trace.subject(record.subject).kind == seatrial::api::Kind::Pod)
        .filter(|record| !matches!(record.what, seatrial::trace::What::Bound { .. }))
        .map(|record| format!("{} {} {:?}", record.at.as_ms(), trace.subject(record.subject).name, record.what))
        .collect()
}

#[test]
fn another_deployment_moves_no_draw() {
    // On one node, so that the other pods do not change who shares a node
    // with whom: that decides who goes first.
    let on_one_node = || {
        let mut setup = common::rollout(7);
        setup.nodes.truncate(1);
        setup
    };
    let alone = on_one_node();
    let mut beside: Setup = on_one_node();
    common::add(&mut beside, &common::deployment("api", 6, &serde_json::Value::Null));
    common::at(&mut beside, 62, common::set_image("api", "app:v9"));
    assert_eq!(story(&sim::run(&alone), "web"), story(&sim::run(&beside), "web"));
}

#[test]
fn a_profile_that_fits_nobody_changes_nothing() {
    let plain = common::rollout(9);
    let mut more = common::rollout(9);
    more.profiles.push(PodProfile {
        matches: seatrial::sim::setup::PodMatch { workload: Some("other".into()), ..Default::default() },
        ..common::varied_pods()
    });
    assert_same(&sim::run(&plain), &sim::run(&more), "a profile for nobody");
}
