//! Manifests: what is read, what is refused and in which words, what comes
//! back, and what patches make of it.

#![allow(clippy::needless_pass_by_value, reason = "json! makes values")]

use proptest::prelude::*;
use seatrial::api::{Effect, IntOrPercent, Object, Operator, PodTemplate, RestartPolicy, Strategy as Rollout};
use seatrial::manifest::{self, KnownKind, patch};
use seatrial::sim::setup::PatchType;
use serde::Deserialize;
use serde_json::{Value, json};

fn documents(text: &str) -> Vec<Value> {
    serde_yaml::Deserializer::from_str(text).map(|d| Value::deserialize(d).expect("YAML")).collect()
}

/// A Deployment that is right.
pub(crate) fn web() -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "web"},
        "spec": {
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "app", "image": "nginx:1.27"}]},
            },
        },
    })
}

/// The Deployment with an RFC 7386 patch in it.
pub(crate) fn web_with(change: Value) -> Value {
    patch::apply(PatchType::Merge, &web(), &change).unwrap()
}

/// The Deployment with more fields in its pod template's spec.
pub(crate) fn pod_with(change: Value) -> Value {
    web_with(json!({"spec": {"template": {"spec": change}}}))
}

/// The Deployment with more fields in its only container.
pub(crate) fn container_with(change: Value) -> Value {
    let container = json!({"name": "app", "image": "nginx:1.27"});
    pod_with(json!({"containers": [patch::apply(PatchType::Merge, &container, &change).unwrap()]}))
}

pub(crate) fn problems(document: &Value) -> String {
    match manifest::read(document) {
        Ok(_) => "no problem".to_string(),
        Err(problems) => problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"),
    }
}

pub(crate) fn deployment(document: &Value) -> seatrial::api::Deployment {
    match manifest::read(document).map(|l| l.object) {
        Ok(Object::Deployment(d)) => *d,
        other => panic!("expected a Deployment, found {other:?}"),
    }
}

fn template(pod_spec: Value) -> PodTemplate {
    (*deployment(&pod_with(pod_spec)).spec.template).clone()
}

fn not_modelled(document: &Value) -> Vec<String> {
    manifest::read(document).expect("readable").not_modelled
}

#[test]
fn defaults_are_the_api_servers() {
    let d = deployment(&web());
    assert_eq!((&*d.meta.namespace, &*d.meta.name), ("default", "web"));
    assert_eq!(d.spec.replicas, 1);
    assert_eq!(
        d.spec.strategy,
        Rollout::RollingUpdate { max_surge: IntOrPercent::Percent(25), max_unavailable: IntOrPercent::Percent(25) }
    );
    assert_eq!((d.spec.min_ready_seconds, d.spec.progress_deadline_seconds), (0, 600));
    assert_eq!((d.spec.revision_history_limit, d.spec.paused), (10, false));
    let t = &d.spec.template;
    assert_eq!((t.restart_policy, t.grace_seconds, t.image()), (RestartPolicy::Always, 30, "nginx:1.27"));
    assert_eq!((t.requests.cpu_milli, t.requests.memory_milli, t.requests.pods), (0, 0, 1));
}

#[test]
fn real_manifests_load_as_they_are() {
    let text = include_str!("../manifests/order-api.yaml");
    let loaded = manifest::read(&documents(text)[0]).expect("readable");
    let Object::Deployment(d) = &loaded.object else { panic!("a Deployment") };
    assert_eq!((d.spec.replicas, d.spec.template.grace_seconds), (3, 45));
    assert_eq!(
        d.spec.strategy,
        Rollout::RollingUpdate { max_surge: IntOrPercent::Int(1), max_unavailable: IntOrPercent::Int(0) }
    );
    assert_eq!((d.spec.template.requests.cpu_milli, d.spec.template.requests.memory_milli), (250, 536_870_912_000));
    assert_eq!(
        loaded.not_modelled,
        [
            "spec.template.spec.containers[].livenessProbe: containers fail when the scenario says so, unless it gives an `app`",
            "spec.template.spec.containers[].ports",
            "spec.template.spec.containers[].readinessProbe: pods become ready when the scenario says so, unless it gives an `app`",
            "spec.template.spec.containers[].securityContext",
            "spec.template.spec.containers[].startupProbe: pods become ready when the scenario says so, unless it gives an `app`",
        ]
    );
    let kinds: Vec<KnownKind> = documents(include_str!("../manifests/order-service-platform.yaml"))
        .iter()
        .map(|d| manifest::kind_of(d).expect("a kind"))
        .collect();
    assert_eq!(kinds[0], KnownKind::Modelled(seatrial::api::Kind::Deployment));
    assert_eq!(kinds[1], KnownKind::Modelled(seatrial::api::Kind::HorizontalPodAutoscaler));
    assert_eq!(kinds[2], KnownKind::Modelled(seatrial::api::Kind::PodDisruptionBudget));
    let text = include_str!("../manifests/order-service-platform.yaml");
    assert_eq!(
        not_modelled(&documents(text)[0]),
        [
            "spec.template.spec.initContainers: not run, but their requests count, unless the scenario gives an `app` or `init`"
        ]
    );
}

#[test]
fn what_kubectl_get_prints_loads() {
    let list = &documents(include_str!("../manifests/kubectl-get.yaml"))[0];
    let items = manifest::items(list);
    let loaded: Vec<_> = items.iter().map(|d| manifest::read(d).expect("readable")).collect();
    let [a, b, c] = loaded.as_slice() else { panic!("three objects") };
    let (Object::Deployment(d), Object::ReplicaSet(set), Object::Pod(pod)) = (&a.object, &b.object, &c.object) else {
        panic!("one of each kind")
    };
    assert_eq!(d.revision, Some(3));
    assert_eq!(d.meta.annotations.keys().collect::<Vec<_>>(), ["team"]);
    assert_eq!((set.marks.revision, set.marks.desired_replicas, set.marks.max_replicas), (Some(3), Some(3), Some(4)));
    assert!(set.meta.annotations.is_empty() && set.meta.owners.is_empty());
    assert_eq!(set.spec.template.labels.get("pod-template-hash"), Some("7c5ddbdf54"));
    assert!(PodTemplate::same_revision(&d.spec.template, &set.spec.template), "the hash makes no revision");
    assert_eq!(&*pod.meta.name, "web-7c5ddbdf54-abcde");
    assert!(a.not_modelled.is_empty() && b.not_modelled.is_empty());
    assert_eq!(c.not_modelled, ["spec.nodeName: the scheduler chooses a node", "spec.serviceAccountName",]);
}

#[test]
fn templates_are_equal_whatever_their_spelling() {
    let plain = template(json!({"containers": [{
        "name": "app", "image": "nginx:1.27", "resources": {"requests": {"cpu": "500m", "memory": "1Gi"}},
        "ports": [{"containerPort": 80}], "readinessProbe": {"httpGet": {"port": 80}},
    }]}));
    let wordy = template(json!({
        "restartPolicy": "Always", "terminationGracePeriodSeconds": 30, "nodeSelector": {}, "hostNetwork": false,
        "volumes": [], "affinity": null,
        "containers": [{
            "resources": {"requests": {"memory": "1024Mi", "cpu": 0.5}, "limits": {}},
            "ports": [{"protocol": "TCP", "containerPort": 80.0}], "args": [], "stdin": false,
            "readinessProbe": {"periodSeconds": 10, "httpGet": {"path": "/", "port": 80, "scheme": "HTTP"}},
            "imagePullPolicy": "IfNotPresent", "image": "nginx:1.27", "name": "app",
        }],
    }));
    assert_eq!(plain, wordy);
    for other in [
        json!({"containers": [{"name": "app", "image": "nginx:1.28"}]}),
        json!({"securityContext": {"runAsNonRoot": false}}),
        json!({"terminationGracePeriodSeconds": 31}),
        json!({"containers": [{"name": "app", "image": "nginx:1.27", "securityContext": {}}]}),
    ] {
        assert_ne!(template(json!({})).raw, template(other.clone()).raw, "{other}");
    }
}

#[test]
fn scheduling_fields_are_read() {
    let t = template(json!({
        "nodeSelector": {"disk": "ssd"},
        "tolerations": [
            {"operator": "Exists"},
            {"key": "spot", "value": "yes", "effect": "NoExecute", "tolerationSeconds": 60},
        ],
        "affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
            {"matchExpressions": [{"key": "zone", "operator": "In", "values": ["a", "b"]}]},
            {"matchFields": [{"key": "metadata.name", "operator": "NotIn", "values": ["n1"]}]},
            {},
        ]}}},
    }));
    assert_eq!(t.node_selector.get("disk"), Some("ssd"));
    assert_eq!(t.node_affinity.len(), 2, "a term that asks for nothing matches nothing");
    assert!(t.node_affinity[0][0].operator == Operator::In && !t.node_affinity[0][0].field);
    assert!(t.node_affinity[1][0].field && t.node_affinity[1][0].values == ["n1"]);
    assert!(t.tolerations[0].exists && t.tolerations[0].effect.is_none());
    assert_eq!((t.tolerations[1].effect, t.tolerations[1].seconds), (Some(Effect::NoExecute), Some(60)));
    let none = template(json!({
        "affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [{}]}}},
    }));
    let never = &none.node_affinity[0][0];
    assert!(!never.operator.holds(Some("x"), &never.values) && !never.operator.holds(None, &never.values));
}

#[test]
fn what_is_not_modelled_is_named_once() {
    let document = pod_with(json!({
        "containers": [
            {"name": "a", "image": "a:1", "env": [{"name": "A"}], "ports": [{"containerPort": 80, "hostPort": 80}]},
            {"name": "b", "image": "b:1", "env": [{"name": "B"}], "imagePullPolicy": "Always",
             "resources": {"requests": {"cpu": 1, "ephemeral-storage": "1Gi"}}},
        ],
        "topologySpreadConstraints": [{"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule"}],
        "priorityClassName": "high",
        "dnsPolicy": "Default",
        "affinity": {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [{"topologyKey": "zone"}]}},
    }));
    assert_eq!(
        not_modelled(&document),
        [
            "spec.template.spec.containers[].env",
            "spec.template.spec.containers[].ports",
            "spec.template.spec.dnsPolicy",
        ]
    );
    let finalizers = web_with(json!({"metadata": {"finalizers": ["foregroundDeletion", "example.com/x"]}}));
    assert_eq!(
        not_modelled(&finalizers),
        ["metadata.finalizers: example.com/x is dropped, nobody would ever remove it"]
    );
}

fn quantity() -> impl Strategy<Value = Value> {
    prop_oneof![
        (1..9_000_i64).prop_map(|n| json!(format!("{n}m"))),
        (1..64_i64).prop_map(|n| json!(n)),
        (1..4_096_i64).prop_map(|n| json!(format!("{n}Mi"))),
        (1..99_i64).prop_map(|n| json!(format!("{}.{n:02}", n % 7))),
    ]
}

prop_compose! {
    fn container(i: usize)(
        version in 0..30_u32,
        cpu in proptest::option::of(quantity()),
        memory in proptest::option::of(quantity()),
        env in proptest::option::of("[A-Z]{1,4}"),
        port in proptest::option::of(1..9_000_u16),
    ) -> Value {
        let mut c = json!({"name": format!("c{i}"), "image": format!("app:{version}"), "stdin": false});
        if let Some(cpu) = cpu {
            c["resources"]["requests"]["cpu"] = cpu;
        }
        if let Some(memory) = memory {
            c["resources"]["limits"]["memory"] = memory;
        }
        if let Some(name) = env {
            c["env"] = json!([{"name": name, "value": "x"}, {"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}]);
        }
        if let Some(port) = port {
            c["ports"] = json!([{"containerPort": port}]);
            c["readinessProbe"] = json!({"httpGet": {"port": port}});
        }
        c
    }
}

prop_compose! {
    fn pod_spec()(
        containers in (container(0), proptest::option::of(container(1))),
        grace in proptest::option::of(-5..500_i64),
        zones in proptest::collection::vec("[a-c]", 0..3),
        tolerated in proptest::option::of(0..600_i64),
        disk in proptest::option::of("[a-z]{1,5}"),
        host_network in any::<bool>(),
        account in proptest::option::of("[a-z]{3}"),
    ) -> Value {
        let mut spec = json!({"hostNetwork": host_network, "volumes": [{"name": "tmp"}]});
        spec["containers"] = std::iter::once(containers.0).chain(containers.1).collect();
        if !zones.is_empty() {
            spec["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"] =
                json!([{"matchExpressions": [{"key": "zone", "operator": "In", "values": zones}]}]);
        }
        if let Some(seconds) = tolerated {
            spec["tolerations"] = json!([{"key": "a", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": seconds}]);
        }
        for (name, value) in [("terminationGracePeriodSeconds", grace.map(Value::from)), ("serviceAccount", account.map(Value::from))] {
            if let Some(value) = value {
                spec[name] = value;
            }
        }
        if let Some(disk) = disk {
            spec["nodeSelector"] = json!({"disk": disk});
        }
        spec
    }
}

prop_compose! {
    fn document()(
        kind in prop_oneof![Just("Deployment"), Just("ReplicaSet"), Just("Pod")],
        spec in pod_spec(),
        replicas in proptest::option::of(0..50_i32),
        surge in prop_oneof![(1..9_i32).prop_map(|n| json!(n)), (1..150_i32).prop_map(|n| json!(format!("{n}%")))],
        recreate in any::<bool>(),
        min_ready in 0..60_i32,
        paused in any::<bool>(),
        namespace in proptest::option::of("[a-z]{1,8}"),
        annotation in proptest::option::of("[ -~]{0,12}"),
        finalizer in proptest::option::of(Just("foregroundDeletion")),
        cost in -9..9_i32,
    ) -> Value {
        let mut metadata = json!({"name": "web", "labels": {"app": "web"}});
        metadata["namespace"] = namespace.map_or(Value::Null, Value::from);
        metadata["finalizers"] = finalizer.map_or(Value::Null, |f| json!([f]));
        metadata["annotations"] = annotation.map_or(Value::Null, |a| json!({
            "note": a, "deployment.kubernetes.io/revision": "7",
            "controller.kubernetes.io/pod-deletion-cost": cost.to_string(),
        }));
        if kind == "Pod" {
            return json!({"apiVersion": "v1", "kind": kind, "metadata": metadata, "spec": spec});
        }
        let mut workload = json!({
            "replicas": replicas,
            "minReadySeconds": min_ready,
            "selector": {"matchLabels": {"app": "web"}, "matchExpressions": [{"key": "tier", "operator": "DoesNotExist"}]},
            "template": {"metadata": {"labels": {"app": "web", "pod-template-hash": "abc"}}, "spec": spec},
        });
        if kind == "Deployment" {
            workload["paused"] = json!(paused);
            workload["strategy"] = if recreate {
                json!({"type": "Recreate"})
            } else {
                json!({"rollingUpdate": {"maxSurge": surge}})
            };
        }
        json!({"apiVersion": "apps/v1", "kind": kind, "metadata": metadata, "spec": workload})
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// What is written reads as what it was written from.
    #[test]
    fn objects_survive_the_round_trip(document in document()) {
        let object = manifest::read(&document).expect("valid").object;
        let written = manifest::to_json(&object);
        let again = manifest::read(&written).expect("what was written is valid");
        prop_assert_eq!(&again.object, &object);
        prop_assert_eq!(manifest::to_json(&again.object).to_string(), written.to_string());
    }

    /// The order of fields decides nothing.
    #[test]
    fn the_order_of_fields_decides_nothing(document in document()) {
        let mut sorted = document.clone();
        sorted.sort_all_objects();
        prop_assert_eq!(manifest::read(&document), manifest::read(&sorted));
    }

    /// Whatever stands in a field, there is an answer.
    #[test]
    fn nothing_makes_it_panic(
        document in document(),
        at in 0..400_usize,
        with in prop_oneof![
            Just(Value::Null), Just(json!("")), Just(json!("é")), Just(json!(-1)), Just(json!(0.5)), Just(json!([])),
            Just(json!({})), Just(json!([null])), Just(json!({"": null})), Just(json!(true)), Just(json!(u64::MAX)),
        ],
    ) {
        let mut places = Vec::new();
        pointers(&document, String::new(), &mut places);
        let mut broken = document.clone();
        *broken.pointer_mut(&places[at % places.len()]).expect("a place") = with;
        let answer = manifest::read(&broken);
        prop_assert_eq!(manifest::read(&broken), answer);
        let _ = patch::apply(PatchType::Strategic, &document, &broken).unwrap();
        let _ = patch::apply(PatchType::Strategic, &broken, &document).unwrap();
    }
}

fn pointers(value: &Value, path: String, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => fields.iter().for_each(|(name, v)| {
            pointers(v, format!("{path}/{}", name.replace('~', "~0").replace('/', "~1")), found);
        }),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(i, v)| pointers(v, format!("{path}/{i}"), found));
        }
        _ => {}
    }
    found.push(path);
}
