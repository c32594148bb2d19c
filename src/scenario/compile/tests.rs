use crate::scenario::from_text;
use crate::sim::setup::Action;
use crate::time::SimTime;

/// A Deployment to put before scenarios.
const WEB: &str = "apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 4
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers: [{name: app, image: 'app:v1'}]
---
apiVersion: seatrial/v1alpha1
kind: Scenario
";

/// The number of the first line after [`WEB`].
const FIRST: usize = 14;

/// Compiles a scenario about `deployment/web` and compares every problem:
/// line (counted from the first line of the text), column, field, message
/// and hint.
fn check(scenario: &str, wanted: &[&str]) {
    let found: Vec<String> = match from_text(&format!("{WEB}{scenario}")) {
        Ok(_) => Vec::new(),
        Err(error) => error
            .problems
            .iter()
            .map(|p| {
                let at = p.position.map(|at| format!("{}:{}", at.line + 1 - FIRST, at.column));
                let hint = p.hint.as_ref().map(|h| format!(" ({h})")).unwrap_or_default();
                format!("{} {}: {}{hint}", at.unwrap_or_default(), p.field.clone().unwrap_or_default(), p.message)
            })
            .collect(),
    };
    assert_eq!(found, wanted, "{scenario}");
}

fn actions(scenario: &str) -> Vec<(SimTime, Action)> {
    let rehearsals = from_text(&format!("{WEB}{scenario}")).map_err(|e| e.to_string()).unwrap();
    rehearsals[0].setup.actions.iter().map(|a| (a.at, a.action.clone())).collect()
}

/// Every verb.
const ACTIONS: &str = "spec:
  cluster: {zones: {a: {nodes: 2}, b: {nodes: 1, taints: ['spot=true:NoSchedule']}}}
  actions:
  - {at: 1m, setImage: {deployment/web: 'app:v2'}}
  - {at: 30s, setImage: {deployment/web: {app: 'app:v3'}}}
  - {at: 1m, scale: {deploy/web: 7}}
  - {at: 1m, patch: {deployment/web: {spec: {minReadySeconds: 5}}}}
  - {at: 1m, mergePatch: {deployment/web: {spec: {paused: true}}}}
  - {at: 1m, jsonPatch: {deployment/web: [{op: replace, path: /spec/replicas, value: 2}]}}
  - {at: 1m, undo: deployment/web}
  - {at: 1m, undo: {deployment/web: 3}}
  - {at: 1m, pause: deployment/web}
  - {at: 1m, resume: [deployment/web]}
  - {at: 1m, restart: deployment/web}
  - {at: 1m, delete: 'pod/web/1#*'}
  - {at: 1m, delete: {object: deployment/web, cascade: orphan, gracePeriod: 5s}}
  - {at: 1m, label: {'pod/web/1#0': {app: null, x: z}, node/a-1: {k: v}}}
  - {at: 1m, cordon: zone/a}
  - {at: 1m, uncordon: [a-1, b-*]}
  - {at: 1m, taint: {a-2: 'k=v:NoExecute'}}
  - {at: 1m, untaint: {a-2: [{key: k, effect: NoExecute}]}}
  - {at: 1m, nodeAdd: {name: c-1, zone: c, cpu: 500m}}
  - {at: 1m, nodeDelete: c-1}
  - {at: 1m, nodeFail: a-*}
  - {at: 1m, nodeRecover: a-1}
  - {at: 1m, podReady: 'web/1#0'}
  - {at: 1m, podUnready: ['web/1#0']}
  - {at: 1m, podCrash: 'web/1#0'}
  - {at: 1m, podCrash: {pod: 'web/*', exit: 3}}
  - {at: 1m, podFail: {pod: 'web/*', disruption: TerminationByKubelet}}
  - {at: 1m, controllers: down}
  - {at: 1m, controllers: up}
";

#[test]
fn actions_become_what_they_say() {
    let all = actions(ACTIONS);
    assert_eq!(all[0].0, SimTime::from_secs(30));
    let described: Vec<String> = all.iter().map(|(_, a)| a.describe()).collect();
    let wanted = [
        "set image deployment/web app:v3",
        "set image deployment/web app:v2",
        "scale deployment/web to 7",
        "patch deployment/web {\"spec\":{\"minReadySeconds\":5}}",
        "patch deployment/web {\"spec\":{\"paused\":true}}",
        "patch deployment/web [{\"op\":\"replace\",\"path\":\"/spec/replicas\",\"value\":2}]",
        "undo deployment/web",
        "undo deployment/web to revision 3",
        "patch deployment/web {\"spec\":{\"paused\":true}}",
        "patch deployment/web {\"spec\":{\"paused\":null}}",
        "patch deployment/web {\"spec\":{\"template\":{\"metadata\":{\"annotations\":{\"kubectl.kubernetes.io/restartedAt\":\"2026-01-05T00:01:00Z\"}}}}}",
        "delete pod web/1#*",
        "delete deployment/web (Orphan)",
        "label node a-1",
        "label pod web/1#0",
        "cordon a-1",
        "cordon a-2",
        "uncordon a-1",
        "uncordon b-1",
        "taint a-2 k=v:NoExecute",
        "untaint a-2 k:NoExecute",
        "node c-1 joins",
        "node c-1 is deleted",
        "node a-1 dies",
        "node a-2 dies",
        "node a-1 recovers",
        "pod web/1#0 ready",
        "pod web/1#0 not ready",
        "pod web/1#0 crashes (1)",
        "pod web/* crashes (3)",
        "pod web/* fails",
        "controllers down",
        "controllers up",
    ];
    assert_eq!(described, wanted);
    let node = all.iter().find_map(|(_, a)| if let Action::NodeAdd(n) = a { Some(n.clone()) } else { None });
    assert_eq!(node.unwrap().allocatable.cpu_milli, 500);
}

#[test]
fn wrong_actions_are_explained() {
    check(
        "spec:
  duration: 2m
  cluster: {zones: {a: {nodes: 1}}}
  actions:
  - at: 30s
  - {at: 3m, scale: {deployment/web: 1}}
  - {at: 1m, scale: {deployment/web: 1}, cordon: a-1}
  - {at: 1m, scale: {deployment/wbe: 1}}
  - {at: 1m, cordon: a-2}
  - {at: 1m, delete: {object: deployment/web, gracePeriod: 1500ms}}
  - {at: 1m, delete: node/a-1}
  - {at: 1m, podCrash: deployment/web}
  - {at: 1m, label: {deployment/web: {a: b}}}
  - {at: 1m, patch: {deployment/web: 3}}
  - {at: 1m, apply: {apiVersion: apps/v1, kind: Deployment, metadata: {name: x}, spec: {replcas: 1}}}
  - {at: 1m, scale: {deployment/web: 4000000000}}
",
        &[
            "5:5 spec.actions[0]: this does nothing (write one action for each, they may have the same time)",
            "6:10 spec.actions[1].at: the run ends before that, at 2m",
            "7:5 spec.actions[2]: this does several things: scale, cordon (write one action for each, they may have the same time)",
            "8:22 spec.actions[3].scale.deployment/wbe: there is no deployment/wbe in this scenario (did you mean deployment/web?)",
            "9:22 spec.actions[4].cordon: there is no node a-2 in this scenario (did you mean a-1?)",
            "10:60 spec.actions[5].delete.gracePeriod: a grace period has whole seconds",
            "11:22 spec.actions[6].delete: a node is not deleted like this (write nodeDelete, which stops the machine and deletes its Node)",
            "12:24 spec.actions[7].podCrash: `deployment/web` is not a pod (write web/* for all its pods, web/1#0 for the first one of revision 1)",
            "13:22 spec.actions[8].label.deployment/web: only pods and nodes are labelled (write pod/web/1#0 or node/a-1)",
            "14:38 spec.actions[9].patch.deployment/web: a patch is a mapping, such as {spec: {paused: true}}",
            "15:82 spec.actions[10].apply.spec.selector: Required value (write matchLabels with labels that the template has too)",
            "15:82 spec.actions[10].apply.spec.template.spec.containers: Required value",
            "15:89 spec.actions[10].apply.spec.replcas: unknown field \"replcas\" (did you mean \"replicas\"?)",
            "16:38 spec.actions[11].scale.deployment/web: 4000000000 replicas are more than the 200000 that can be simulated",
        ],
    );
}

#[test]
fn images_that_no_pod_has_are_noted() {
    let notes = |spec: &str| {
        let rehearsals = from_text(&format!("{WEB}{spec}")).map_err(|e| e.to_string()).unwrap();
        rehearsals[0].notes.iter().map(|note| note.message.clone()).collect::<Vec<_>>()
    };
    let unknown = "no pod of this scenario has the image app:v3";
    assert_eq!(notes("spec: {images: {'app:v1': {pull: 3s}, 'app:v3': {pull: 3s}}}"), [unknown]);
    let later = "actions: [{at: 1m, setImage: {deployment/web: 'app:v3'}}]";
    assert_eq!(notes(&format!("spec: {{images: {{'app:v3': {{pull: 3s}}}}, {later}}}")), [""; 0]);
}

#[test]
fn what_has_no_effect_is_noted() {
    let notes = |spec: &str| {
        let rehearsals = from_text(&format!("{WEB}spec: {{{spec}}}")).map_err(|e| e.to_string()).unwrap();
        rehearsals[0].notes.iter().map(|note| note.message.clone()).collect::<Vec<_>>()
    };
    for (spec, wanted) in [
        ("volumes: {attach: 3s}", "no manifest has claims"),
        ("cluster: {quotas: {shop: {pods: 3}}}", "nothing is in a namespace shop"),
        ("cluster: {scheduler: kube}, pods: {'*': {schedule: 3s}}", "`schedule` has no effect"),
        ("pods: {'*': {ready: 3s, app: {}}}", "`ready` has no effect"),
        ("pods: {'*': {terminate: 3s, app: {drain: 3s}}}", "`terminate` has no effect"),
        ("pods: {'*': {app: {preStop: 3s}}}", "`preStop` of `app` has no effect"),
        ("pods: {'*': {app: {checks: {liveness: warmUp}}}}", "no pod has a livenessProbe"),
        ("pods: {'*': {app: {}, init: {proxy: {takes: 3s}}}}", "no pod has an init container or sidecar proxy"),
        (
            "objects: [{apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {name: b}, \
             spec: {minAvailable: 1, selector: {matchLabels: {app: api}}}}]",
            "PodDisruptionBudget b selects no pod",
        ),
        (
            "objects: [{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, metadata: {name: h}, \
             spec: {maxReplicas: 3, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}}}]",
            "nobody says how much cpu",
        ),
        (
            "objects: [{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, metadata: {name: h}, \
             spec: {maxReplicas: 3, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: api}}}]",
            "there is no deployment/api",
        ),
    ] {
        let found = notes(spec);
        assert!(matches!(&found[..], [one] if one.contains(wanted)), "{spec}: {found:?}");
    }
    let reasons = "duration: 5m}\nassert:\n- {never: 'event(BackOf, web/1)'}\n- {never: 'event(BackOff, web/1)'}\n#";
    assert_eq!(notes(reasons), ["nothing that is simulated gives the reason BackOf"]);
}

#[test]
fn nothing_is_given_twice() {
    let again =
        WEB.split("---").next().unwrap_or_default().replace("kind: Deployment\n", "kind: Deployment\n# again\n");
    check(
        &format!("spec: {{duration: 1m}}\n---\n{again}"),
        &["6:18 metadata.name: Deployment web is given twice, first in line 3 \
          (take one of them away, or let an action apply it later)"],
    );
}

#[test]
fn wrong_surroundings_are_explained() {
    check(
        "spec:
  start: monday
  cluster:
    zones: {a: {nodes: 1}}
    nodes: [{name: a-1}, {name: x, taints: [foo]}]
",
        &[
            "5:45 spec.cluster.nodes[1].taints[0]: `foo` is not a taint; write key=value:Effect with NoSchedule, PreferNoSchedule or NoExecute",
        ],
    );
    check(
        "spec:
  start: monday
  cluster:
    zones: {a: {nodes: 1}}
    nodes: [{name: a-1}]
  pods:
  - match: {workload: wbe}
  - match: {namespace: shop, node: x-1}
  - ready: {uniform: {low: 3s, high: 1s}}
  - ready: {lognormal: {median: 3s, p99: 1s}}
  - ready: {empirical: []}
",
        &[
            "2:10 spec.start: `monday` is not a time: failed to parse four digit integer as year: invalid digit, expected 0-9 but got m (write a time in RFC 3339, such as 2026-01-05T00:00:00Z)",
            "5:20 spec.cluster.nodes[0].name: there is already a node a-1",
            "7:23 spec.pods[0].match.workload: there is no workload wbe in this scenario (did you mean web?)",
            "8:24 spec.pods[1].match.namespace: nothing is in a namespace shop",
            "8:36 spec.pods[1].match.node: there is no node x-1 in this scenario (did you mean a-1?)",
            "9:5 spec.pods[2].ready: `low` is above `high`",
            "10:5 spec.pods[3].ready: `median` is above `p99`",
            "11:5 spec.pods[4].ready: there must be at least one duration",
        ],
    );
    check(
        "spec: {cluster: {zones: {a: {nodes: 4000000000}}}}\n",
        &["1:8 spec.cluster: 4000000000 nodes are more than the 20000 that are possible"],
    );
    check(
        "spec: {pods: {deployment/wbe: {ready: 1s}, '*': {match: {number: 1}}}}\n",
        &[
            "1:15 spec.pods.deployment/wbe: there is no deployment/wbe in this scenario (did you mean deployment/web?)",
            "1:50 spec.pods.*.match: the key says already which pods are meant (use a list of entries if one key is not enough)",
        ],
    );
}

#[test]
fn wrong_assertions_are_explained_where_they_are_wrong() {
    check(
        "spec:
  duration: 2m
  actions: [{at: 30s, name: ship, setImage: {deployment/web: 'app:v2'}}]
assert:
- name: nothing
- always: available(deployment/web) >= 3
  never: complete(deployment/web)
- always: available(deployment/web) => 3
- never: \"avialable(deployment/web) < 3\"
- eventually: complete(deployment/web) within 5m
- always: complete(deployment/web) within 5m
- always: complete(deployment/web)
  for: 3s
- {check: min(available(deployment/web)) >= 8, fix: nothing}
- {sometimes: complete(deployment/web), from: 1m, after: ship}
- {sometimes: complete(deployment/web), after: shp}
- {sometimes: complete(deployment/web), until: 20s}
- {sometimes: complete(deployment/web), until: 20m}
expects:
- check: min(available(deployment/web)) == 0
",
        &[
            "5:3 assert[0]: this claims nothing (write exactly one of always, never, eventually, sometimes, check)",
            "6:3 assert[1]: this claims 2 things at once (write exactly one of always, never, eventually, sometimes, check)",
            "8:37 assert[2].always: `=` is not a comparison (write `==`)",
            "9:11 assert[3].never: there is no series or function `avialable` (did you mean available?)",
            "10:15 assert[4].eventually: the run ends at 2m, before 5m have passed since 30s (make spec.duration longer)",
            "11:11 assert[5].always: only `eventually` has a `within`",
            "12:11 assert[6].always: `for` has no meaning with `always` (to allow short breaks write `never: not (…)` with `for`, or compare duration(…))",
            "14:53 assert[7].fix: only `expects` has fixes (move the claim to `expects` if its outcome is bad)",
            "15:3 assert[8]: write `from` or `after`, not both",
            "16:48 assert[9].after: there is no action shp (did you mean ship?)",
            "17:3 assert[10]: the window from 30s to 20s ends before it begins",
            "18:48 assert[11].until: 20m is after the end of the run at 2m",
            "20:3 expects[0]: a documented bad outcome must say what prevents it (add `fix:` with the change that would prevent it, or move the claim to `assert`)",
        ],
    );
}

#[test]
fn what_nobody_said_is_assumed_and_named() {
    let rehearsals = from_text(&format!("{WEB}spec: {{}}\n")).unwrap();
    let setup = &rehearsals[0].setup;
    assert_eq!(
        setup.assumptions,
        [
            "the cluster has 6 nodes in 3 zones, each with 16 CPU, 64 GiB, 110 pods",
            "pods start about 2s after they got a node (1 in 100 later than 6s), are ready about 8s later (1 in 100 later than 20s) and exit 3s after SIGTERM",
            "the run ends at 15m, 15m after the last action",
        ]
    );
    let said =
        from_text(&format!("{WEB}spec: {{duration: 1m, pods: [], cluster: {{nodes: [{{name: a-1}}]}}}}\n")).unwrap();
    assert!(said[0].setup.assumptions.is_empty());
}

#[test]
fn manifests_alone_are_rehearsed() {
    let text = WEB.split("---").next().unwrap();
    let service = "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\n";
    let rehearsal = &from_text(&format!("{text}{service}")).unwrap()[0];
    assert_eq!(rehearsal.setup.actions[0].action.describe(), "set image deployment/web app:v1-next");
    assert_eq!(rehearsal.setup.until, SimTime::from_secs(930));
    assert_eq!(rehearsal.notes[0].message, "ConfigMap web is not simulated and left out");
    let nothing = from_text(service).unwrap_err();
    assert_eq!(
        nothing.problems[0].message,
        "there is nothing to simulate: ConfigMap web is of a kind that is not simulated"
    );
    assert!(from_text("").is_err());
}
