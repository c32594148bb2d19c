//! The life of pods as their manifests describe it: probes, hooks, grace,
//! init containers, sidecars and images.

use seatrial::scenario::from_text;
use seatrial::sim;
use seatrial::trace::{Emitted, RecordId, Trace, What};

/// A Deployment of one pod with this in its spec, and this in its container.
fn web(pod: &str, container: &str) -> String {
    format!(
        "apiVersion: apps/v1
kind: Deployment
metadata: {{name: web}}
spec:
  replicas: 1
  selector: {{matchLabels: {{app: web}}}}
  template:
    metadata: {{labels: {{app: web}}}}
    spec: {{{pod} containers: [{{name: app, image: 'web:1', {container}}}]}}
"
    )
}

const PROBE: &str = "httpGet: {path: /, port: 80}";

fn run(manifests: &str, spec: &str) -> Trace {
    let head = "apiVersion: seatrial/v1alpha1\nkind: Scenario\n";
    let cluster = "cluster: {zones: {a: {nodes: 1}}}";
    let text = format!("{manifests}---\n{head}spec: {{{cluster}, {spec}}}\n");
    let compiled = from_text(&text).unwrap_or_else(|error| panic!("{spec}: {error}"));
    sim::run(&compiled[0].setup)
}

/// What happens to a pod, by the names of traces: when, in milliseconds.
fn times(trace: &Trace, pod: &str, event: &str) -> Vec<u64> {
    let fits = |r: &&seatrial::trace::Record| r.what.event() == event && &*trace.subject(r.subject).name == pod;
    trace.records.iter().filter(fits).map(|r| r.at.as_ms()).collect()
}

/// When Kubernetes Events with this reason were sent.
fn events(trace: &Trace, reason: &str) -> Vec<u64> {
    let fits = |r: &&seatrial::trace::Record| match r.what {
        What::Emitted(Emitted::Other { reason: r, .. }) => trace.symbols.get(r) == reason,
        _ => false,
    };
    trace.records.iter().filter(fits).map(|r| r.at.as_ms()).collect()
}

#[test]
fn nothing_is_played_of_an_unknown_application() {
    let probed = web("", &format!("livenessProbe: {{{PROBE}}}, readinessProbe: {{{PROBE}, initialDelaySeconds: 20}}"));
    let spec = "duration: 5m, pods: {'*': {schedule: 0s, start: 1s, ready: 8s}}";
    let trace = run(&probed, spec);
    assert_eq!(times(&trace, "web/1#0", "ready"), [9_000]);
    for event in ["answers", "silent", "stage", "killed", "restarted"] {
        assert_eq!(times(&trace, "web/1#0", event), [] as [u64; 0], "{event}");
    }
}

#[test]
fn probes_keep_to_their_numbers() {
    let start = "schedule: 0s, start: 1s";
    let liveness = |more: &str| format!("livenessProbe: {{{PROBE}, {more}}}");
    let readiness = |more: &str| format!("readinessProbe: {{{PROBE}, {more}}}");
    let startup = |more: &str| format!("startupProbe: {{{PROBE}, {more}}}");
    for (name, container, app, ready, restarts) in [
        // Without probes a container is ready once it runs.
        ("none", String::new(), "{boot: 45s}", vec![1_000], 0),
        // Readiness is tried at once, then every period: 1 s, 6 s, 11 s.
        ("readiness", readiness("periodSeconds: 5"), "{boot: 8s}", vec![11_000], 0),
        ("a delay", readiness("periodSeconds: 5, initialDelaySeconds: 7"), "{}", vec![11_000], 0),
        ("three times", readiness("periodSeconds: 5, successThreshold: 3"), "{}", vec![11_000], 0),
        // A probe that takes 3 s of its 2 never succeeds.
        ("too slow", readiness("periodSeconds: 5, timeoutSeconds: 2"), "{answers: 3s}", vec![], 0),
        ("slow", readiness("periodSeconds: 5, timeoutSeconds: 2"), "{answers: 1500ms}", vec![2_500], 0),
        (
            "looks at the warm-up",
            readiness("periodSeconds: 5"),
            "{warmUp: 8s, checks: {readiness: warmUp}}",
            vec![11_000],
            0,
        ),
        // Liveness is tried since the kubelet took the pod in: 10, 20, 30 s.
        ("liveness", liveness("failureThreshold: 3"), "{boot: 45s, drain: 0s}", vec![1_000, 30_000, 60_000], 2),
        // Startup at 5, 10, 15, 20: the boot of 16 s is over at 17 s.
        ("startup", startup("periodSeconds: 5, failureThreshold: 24"), "{boot: 16s}", vec![20_000], 0),
        (
            "startup holds the others back",
            format!("{}, {}", startup("periodSeconds: 5, failureThreshold: 24"), liveness("failureThreshold: 1")),
            "{boot: 44s}",
            vec![45_000],
            0,
        ),
    ] {
        let spec = format!("duration: 65s, pods: {{'*': {{{start}, app: {app}}}}}");
        let trace = run(&web("", &container), &spec);
        assert_eq!(times(&trace, "web/1#0", "ready"), ready, "{name}");
        assert_eq!(times(&trace, "web/1#0", "restarted").len(), restarts, "{name}");
    }
}

#[test]
fn a_hung_process_is_found_by_its_liveness_probe_and_killed() {
    let container =
        format!("livenessProbe: {{{PROBE}, terminationGracePeriodSeconds: 4}}, readinessProbe: {{{PROBE}}}");
    let spec = "duration: 2m, pods: {'*': {schedule: 0s, start: 1s, app: {drain: 1s}}},
      actions: [{at: 15s, podDeadlock: 'web/1#0'}]";
    let trace = run(&web("", &container), spec);
    // Tried at 20, 30 and 40 s, each time a second for nothing; killed after 4 s.
    assert_eq!(times(&trace, "web/1#0", "silent"), [1_000, 15_000, 45_000]);
    assert_eq!(times(&trace, "web/1#0", "killed"), [45_000]);
    assert_eq!(times(&trace, "web/1#0", "answers"), [1_000, 45_000]);
    let restarted = trace.records.iter().position(|r| matches!(r.what, What::Restarted { .. })).expect("a restart");
    let chain = trace.why_chain(RecordId(restarted as u32));
    let said: Vec<String> = chain.iter().map(|id| trace.describe(&trace.records[id.0 as usize])).collect();
    assert!(said.iter().any(|s| s.contains("Liveness probe failed: no answer within 1s (3 of 3)")), "{said:#?}");
    assert!(said.iter().any(|s| s.contains("pod web/1#0 hangs")), "{said:#?}");
}

#[test]
fn readiness_is_lost_with_the_container() {
    let spec = "duration: 1m, pods: {'*': {schedule: 0s, start: 1s, app: {boot: 5s}}},
      actions: [{at: 30s, podCrash: 'web/1#0'}]";
    let container = format!("readinessProbe: {{{PROBE}, periodSeconds: 2}}");
    let trace = run(&web("", &container), spec);
    assert_eq!(times(&trace, "web/1#0", "ready"), [7_000, 36_000]);
    assert_eq!(times(&trace, "web/1#0", "unready"), [30_000]);
}

#[test]
fn the_hook_the_requests_and_the_sidecars_share_one_grace_period() {
    let sidecar = "{name: proxy, image: 'proxy:1', restartPolicy: Always}";
    for (hook, drain, stop, gone) in [
        ("sleep: {seconds: 5}", "10s", "0s", 15),
        ("sleep: {seconds: 25}", "10s", "0s", 30),
        ("exec: {command: [drain]}", "1s", "0s", 8),
        // The proxy stops after the application, with what is left.
        ("sleep: {seconds: 5}", "10s", "4s", 19),
        ("sleep: {seconds: 5}", "20s", "9s", 30),
    ] {
        let pod = format!("initContainers: [{sidecar}], terminationGracePeriodSeconds: 30,");
        let manifest = web(&pod, &format!("lifecycle: {{preStop: {{{hook}}}}}"));
        let spec = format!(
            "duration: 2m, pods: {{'*': {{start: 1s, app: {{drain: {drain}, preStop: 7s}}, init: {{proxy: {{stop: {stop}}}}}}}}},
             actions: [{{at: 10s, delete: pod/web/1#0}}]"
        );
        let trace = run(&manifest, &spec);
        assert_eq!(times(&trace, "web/1#0", "removed"), [10_000 + gone * 1_000], "{hook} {drain} {stop}");
    }
}

#[test]
fn a_sidecar_has_its_own_hook_and_may_be_killed() {
    for (hook, stop, gone, killed) in [
        // Told when the application is out after 15 s, by then its hook is over.
        ("sleep: {seconds: 3}", "4s", 19, 0),
        // Its hook lasts longer than the application.
        ("sleep: {seconds: 20}", "4s", 24, 0),
        ("exec: {command: [quit]}", "4s", 22, 0),
        ("sleep: {seconds: 3}", "20s", 30, 1),
        ("sleep: {seconds: 29}", "20s", 31, 1),
    ] {
        let sidecar =
            format!("{{name: proxy, image: 'proxy:1', restartPolicy: Always, lifecycle: {{preStop: {{{hook}}}}}}}");
        let pod = format!("initContainers: [{sidecar}], terminationGracePeriodSeconds: 30,");
        let spec = format!(
            "duration: 2m, pods: {{'*': {{start: 1s, app: {{drain: 15s}}, init: {{proxy: {{preStop: 18s, stop: {stop}}}}}}}}},
             actions: [{{at: 10s, delete: pod/web/1#0}}]"
        );
        let trace = run(&web(&pod, ""), &spec);
        assert_eq!(times(&trace, "web/1#0", "removed"), [10_000 + gone * 1_000], "{hook} {stop}");
        assert_eq!(times(&trace, "web/1#0", "killed").len(), killed, "{hook} {stop}");
    }
}

#[test]
fn init_containers_run_one_after_the_other_and_again_if_they_fail() {
    let init = "initContainers: [{name: wait, image: 'tool:1'}, {name: proxy, image: 'proxy:1', restartPolicy: Always,
      startupProbe: {periodSeconds: 1, tcpSocket: {port: 1}}}, {name: migrate, image: 'tool:2'}],";
    let spec = "duration: 2m, pods: {'*': {schedule: 0s, start: 1s, app: {},
      init: {wait: {takes: 3s}, proxy: {takes: 2500ms}, migrate: {takes: 4s, exits: [1, 1, 0]}}}}";
    let trace = run(&web(init, ""), spec);
    // 1 + 3, the proxy until 7 s, then 4 s, 4 s, a wait of 10 s, 4 s.
    assert_eq!(times(&trace, "web/1#0", "running"), [29_000]);
    assert_eq!(events(&trace, "Started"), [1_000, 4_000, 7_000, 11_000, 25_000]);
}

#[test]
fn images_are_pulled_once_for_each_node_and_again_after_a_while() {
    let images = "images: {'web:1': {pull: 20s}, 'web:2': {missing: 50s, pull: 5s}}";
    let spec = format!(
        "duration: 5m, pods: {{'*': {{schedule: 0s, start: 1s, ready: 0s, terminate: 0s}}}}, {images},
         actions: [{{at: 30s, delete: pod/web/1#0}}, {{at: 40s, setImage: {{deployment/web: 'web:2'}}}}]"
    );
    let trace = run(&web("", ""), &spec);
    assert_eq!(times(&trace, "web/1#0", "running"), [21_000]);
    assert_eq!(times(&trace, "web/1#1", "running"), [31_000], "the node has it");
    // Refused at 41, then tried at 51 s.
    assert_eq!(events(&trace, "Failed"), [41_000]);
    assert_eq!(events(&trace, "BackOff"), [41_000]);
    assert_eq!(times(&trace, "web/2#0", "running"), [56_000]);
}

#[test]
fn what_one_application_does_moves_no_draw_of_another() {
    let other = web("", "").replace("web", "other");
    let both = format!("{}---\n{other}", web("", &format!("readinessProbe: {{{PROBE}}}")));
    let drawn = "{uniform: {low: 1s, high: 9s}}";
    let run_with = |app: &str| {
        let spec =
            format!("duration: 1m, pods: {{'*': {{start: {drawn}, ready: {drawn}}}, deployment/web: {{{app}}}}}");
        times(&run(&both, &spec), "other/1#0", "ready")
    };
    assert_eq!(run_with(""), run_with(&format!("app: {{boot: {drawn}, answers: {drawn}}}")));
}

#[test]
fn mistakes_are_named() {
    for (spec, wanted) in [
        ("pods: {'*': {app: {dependsOn: db, checks: {liveness: dp}}}}", "did you mean db?"),
        ("actions: [{at: 1s, dependencyDown: db}]", "no app says in `dependsOn` that it needs db"),
        ("pods: {'*': {app: {boots: 3s}}}", "did you mean `boot`?"),
    ] {
        let head = "apiVersion: seatrial/v1alpha1\nkind: Scenario\n";
        let text = format!("{}---\n{head}spec: {{duration: 1m, {spec}}}\n", web("", ""));
        let error = from_text(&text).expect_err(spec).to_string();
        assert!(error.contains(wanted), "{error}");
    }
}
