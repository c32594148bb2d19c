//! Clusters for tests, small and plausible.

#![allow(dead_code, unreachable_pub, reason = "each test binary uses its own part")]

use seatrial::api::{Extras, Kind, Labels, NodeSpec, Resources};
use seatrial::environment::Delay;
use seatrial::manifest;
use seatrial::sim::Setup;
use seatrial::sim::setup::{Action, PodProfile, Target, TimedAction};
use seatrial::time::{SimTime, Span, Timestamp};
use serde_json::{Value, json};

/// 2026-01-05T00:00:00Z, a Monday.
pub const START: Timestamp = Timestamp(1_767_571_200);

/// A Deployment with these fields of its spec laid over a plain one.
pub fn deployment(name: &str, replicas: i32, more: &Value) -> Value {
    let mut manifest = json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"containers": [{"name": "app", "image": "app:v1"}]},
            },
        },
    });
    for (field, value) in more.as_object().into_iter().flatten() {
        manifest["spec"][field] = value.clone();
    }
    manifest
}

/// An empty cluster of `nodes` nodes in three zones.
pub fn cluster(nodes: usize, until_seconds: u64) -> Setup {
    let mut setup = Setup::new(START, SimTime::from_secs(until_seconds));
    for n in 0..nodes {
        setup.nodes.push(NodeSpec {
            name: format!("node-{n:04}").into(),
            zone: ["a", "b", "c"][n % 3].into(),
            labels: Labels::default(),
            taints: Vec::new(),
            allocatable: Resources { cpu_milli: 64_000, memory_milli: 1 << 48, pods: 110 },
            extras: Extras::default(),
        });
    }
    setup
}

/// Adds what a manifest describes to the beginning of a run.
pub fn add(setup: &mut Setup, manifest: &Value) {
    let loaded = manifest::read(manifest).expect("a valid manifest");
    setup.objects.push(loaded.object);
}

/// The Deployment of a name.
pub fn target(name: &str) -> Target {
    Target { kind: Kind::Deployment, namespace: "default".into(), name: name.into() }
}

/// Adds an action.
pub fn at(setup: &mut Setup, seconds: u64, action: Action) {
    setup.actions.push(TimedAction { at: SimTime::from_secs(seconds), action });
}

/// A new image for a Deployment.
pub fn set_image(name: &str, image: &str) -> Action {
    Action::SetImage { target: target(name), container: None, image: image.into() }
}

/// Pods that start, become ready and end after random whiles.
pub fn varied_pods() -> PodProfile {
    PodProfile {
        start: Some(Delay::LogNormal { median: Span::from_secs(2), p99: Span::from_secs(9) }),
        ready: Some(Delay::Uniform { low: Span::from_secs(1), high: Span::from_secs(20) }),
        terminate: Some(Delay::Exponential { mean: Span::from_secs(4) }),
        ..PodProfile::default()
    }
}

/// A rollout of ten replicas by default rules, with random delays.
pub fn rollout(seed: u64) -> Setup {
    let mut setup = cluster(6, 300);
    setup.seed = seed;
    setup.profiles.push(varied_pods());
    add(&mut setup, &deployment("web", 10, &Value::Null));
    at(&mut setup, 60, set_image("web", "app:v2"));
    setup
}
