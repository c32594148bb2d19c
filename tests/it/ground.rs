//! What the machines offer and what is asked of them, and pods by zone.

use super::manifests::deployment;
use seatrial::assertion::judge;
use seatrial::plot::text::{TextOptions, waveform};
use seatrial::plot::{Picture, PlotOptions, Window, draw_svg};
use seatrial::scenario::from_text;
use seatrial::sim;
use seatrial::timeline::Timeline;

/// The container of its pods.
const APP: &str = "      containers: [{name: app, image: 'app:v1', resources: {requests: {cpu: 1500m, memory: 3Gi}}}]";

const SPEC: &str = "spec:
  duration: 10m
  cluster:
    zones: {a: {nodes: 1, cpu: 3, memory: 8Gi}, b: {nodes: 1, cpu: 3, memory: 8Gi}}
  pods: {'*': {start: 1s, ready: 1s, terminate: 1s}}
  actions:
  - {at: 1m, nodeAdd: {name: c-1, zone: c, cpu: 4, memory: 16Gi}}
  - {at: 2m, nodeDelete: a-1}
  - {when: 'pending-requests(cpu) >= 3', name: short, scale: {deployment/web: 4}}
";

fn text(rest: &str) -> String {
    format!("{}apiVersion: seatrial/v1alpha1\nkind: Scenario\n{SPEC}{rest}", deployment("web", 5, APP))
}

#[test]
fn the_ground_is_counted() {
    let claims = [
        "at(nodes(*), 30s) == 2 and at(nodes(*), 90s) == 3 and at(nodes(*), 3m) == 2",
        "at(nodes(zone/a), 3m) == 0 and max(nodes(\"c-*\")) == 1",
        "at(allocatable(cpu), 30s) == 6 and at(allocatable(cpu), 90s) == 10 and at(allocatable(cpu), end) == 7",
        "at(allocatable(memory), 30s) == 16 and at(allocatable(memory), 90s) == 32",
        "at(requested(cpu), 30s) == 6 and at(requested(memory), 30s) == 12",
        "at(pending-requests(cpu), 30s) == 1.5 and at(pending-requests(memory), 90s) == 0",
        "at(ready(deployment/web, zone/a), 30s) == 2 and at(on-node(deployment/web, zone/c), 90s) == 1",
        "at(skew(deployment/web, zone), 30s) == 0",
        "at(skew(deployment/web, zone), 90s) == 1",
    ];
    let asserts: Vec<String> = claims.iter().map(|claim| format!("- {{check: '{claim}', from: 0s}}\n")).collect();
    let asserts = asserts.concat();
    let compiled = from_text(&text(&format!("assert:\n{asserts}"))).unwrap_or_else(|error| panic!("{error}"));
    let trace = sim::run(&compiled[0].setup);
    let timeline = Timeline::of(&trace);
    for verdict in judge(&compiled[0].assertions, &trace, &timeline) {
        assert!(verdict.passed, "{}: {}", verdict.text, verdict.found);
    }
    // Claims about the ground are waited for like others.
    assert!(trace.header.triggers[0].1.is_some(), "{:?}", trace.header.triggers);
    for (picture, wanted) in [
        (Picture::Capacity, "allocatable"),
        (Picture::Zones, "zone c"),
        (Picture::Nodes, "1 of 3 joined, 1 gone"),
        (Picture::Auto, "1 of 3 joined, 1 gone"),
    ] {
        let options = PlotOptions { picture, ..PlotOptions::default() };
        let svg = draw_svg(&trace, &timeline, &options).expect("a picture");
        assert_eq!(svg, draw_svg(&trace, &timeline, &options).expect("a picture"));
        assert!(svg.contains(wanted), "{wanted}");
    }
    let options = TextOptions { picture: Picture::Nodes, window: Window::Whole, width: 80, ..TextOptions::default() };
    let drawn = waveform(&trace, &timeline, &options);
    let lane = |name: &str| drawn.lines().find(|line| line.contains(name)).map(str::to_string).unwrap_or_default();
    assert!(lane("a-1").starts_with("zone a  a-1  ========|   "), "{drawn}");
    assert!(lane("a-1").ends_with("max 2, end 0"), "{drawn}");
    assert!(lane("c-1").starts_with("zone c  c-1      ="), "{drawn}");
    assert!(!lane("b-1").contains('|'), "{drawn}");
    let mut saved = Vec::new();
    seatrial::trace_file::write(&trace, &mut saved).expect("a file");
    let read = seatrial::trace_file::read(&mut saved.as_slice()).expect("a trace");
    assert_eq!(Timeline::of(&read), timeline);
}

#[test]
fn mistakes_about_the_ground_are_explained() {
    for (claim, wrong) in [
        ("nodes(zone/q) > 1", "no node zone/q"),
        ("allocatable(disk) > 1", "neither cpu nor memory"),
        ("skew(deployment/web) > 1", "skew is used as in"),
        ("ready(deployment/web, a) > 1", "write zone/a"),
        ("ready(deployment/web, zone/q) > 1", "no zone q"),
        ("ready(node/a-1, zone/a) > 1", "only workloads"),
        ("available(deployment/web, zone/a) > 1", "takes one object"),
    ] {
        let error =
            from_text(&text(&format!("assert:\n- {{always: '{claim}'}}\n"))).map(|_| ()).unwrap_err().to_string();
        assert!(error.contains(wrong), "{claim}: {error}");
    }
}
