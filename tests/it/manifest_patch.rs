//! Patches and `set image` on manifests.

#![allow(clippy::needless_pass_by_value, reason = "json! makes values")]

use super::manifest::{deployment, web};
use seatrial::api::{IntOrPercent, Object, Strategy};
use seatrial::manifest::{self, patch, patched};
use seatrial::sim::setup::PatchType::{self, Json, Merge, Strategic};
use serde_json::{Value, json};

fn apply(how: PatchType, target: &Value, patch: &Value) -> Value {
    patch::apply(how, target, patch).unwrap()
}

/// Patches a bare pod spec inside a Deployment and returns the spec.
fn strategic(spec: Value, change: Value) -> Value {
    let around = |spec: Value| json!({"kind": "Deployment", "spec": {"template": {"spec": spec}}});
    apply(Strategic, &around(spec), &around(change))["spec"]["template"]["spec"].clone()
}

#[track_caller]
fn check(cases: Vec<(Value, Value, Value)>) {
    for (before, change, after) in cases {
        assert_eq!(strategic(before.clone(), change.clone()), after, "{before} patched with {change}");
    }
}

#[test]
fn merge_patches_follow_rfc_7386() {
    for (target, change, result) in [
        (json!({"a": "b"}), json!({"a": "c"}), json!({"a": "c"})),
        (json!({"a": "b"}), json!({"b": "c"}), json!({"a": "b", "b": "c"})),
        (json!({"a": "b"}), json!({"a": null}), json!({})),
        (json!({"a": "b", "b": "c"}), json!({"a": null}), json!({"b": "c"})),
        (json!({"a": ["b"]}), json!({"a": "c"}), json!({"a": "c"})),
        (json!({"a": "c"}), json!({"a": ["b"]}), json!({"a": ["b"]})),
        (json!({"a": {"b": "c"}}), json!({"a": {"b": "d", "c": null}}), json!({"a": {"b": "d"}})),
        (json!({"a": [{"b": "c"}]}), json!({"a": [1]}), json!({"a": [1]})),
        (json!(["a", "b"]), json!(["c", "d"]), json!(["c", "d"])),
        (json!({"a": "b"}), json!(["c"]), json!(["c"])),
        (json!({"a": "foo"}), json!(null), json!(null)),
        (json!({"a": "foo"}), json!("bar"), json!("bar")),
        (json!({"e": null}), json!({"a": 1}), json!({"e": null, "a": 1})),
        (json!([1, 2]), json!({"a": "b", "c": null}), json!({"a": "b"})),
        (json!({}), json!({"a": {"bb": {"ccc": null}}}), json!({"a": {"bb": {}}})),
    ] {
        assert_eq!(apply(Merge, &target, &change), result, "{target} patched with {change}");
    }
}

#[test]
fn lists_are_merged_by_their_keys() {
    check(vec![
        (
            json!({"containers": [{"name": "a", "image": "a:1", "args": ["x", "y"]}, {"name": "b", "image": "b:1"}]}),
            json!({"containers": [{"name": "b", "image": "b:2"}]}),
            json!({"containers": [{"name": "a", "image": "a:1", "args": ["x", "y"]}, {"name": "b", "image": "b:2"}]}),
        ),
        (
            json!({"containers": [{"name": "a", "args": ["x", "y"]}]}),
            json!({"containers": [{"name": "a", "args": ["z"]}]}),
            json!({"containers": [{"name": "a", "args": ["z"]}]}),
        ),
        (
            json!({"containers": [{"name": "a", "ports": [{"containerPort": 80, "name": "http"}],
                "env": [{"name": "A", "value": "1"}], "volumeMounts": [{"mountPath": "/x", "name": "v"}]}]}),
            json!({"containers": [{"name": "a", "ports": [{"containerPort": 80, "name": "web"}],
                "env": [{"name": "A", "value": "2"}], "volumeMounts": [{"mountPath": "/x", "name": "w"}]}]}),
            json!({"containers": [{"name": "a", "ports": [{"containerPort": 80, "name": "web"}],
                "env": [{"name": "A", "value": "2"}], "volumeMounts": [{"mountPath": "/x", "name": "w"}]}]}),
        ),
        (
            json!({"tolerations": [{"key": "a"}, {"key": "b"}]}),
            json!({"tolerations": [{"key": "c"}]}),
            json!({"tolerations": [{"key": "c"}]}),
        ),
        (
            json!({"topologySpreadConstraints": [{"topologyKey": "zone", "maxSkew": 1}]}),
            json!({"topologySpreadConstraints": [{"topologyKey": "zone", "maxSkew": 2}]}),
            json!({"topologySpreadConstraints": [{"topologyKey": "zone", "maxSkew": 2}]}),
        ),
        (
            json!({"volumes": [{"name": "v", "emptyDir": {}}]}),
            json!({"volumes": [{"name": "v", "$retainKeys": ["name", "configMap"], "configMap": {"name": "c"}}]}),
            json!({"volumes": [{"name": "v", "configMap": {"name": "c"}}]}),
        ),
    ]);
}

#[test]
fn new_items_of_a_patch_come_first_unless_an_order_is_given() {
    let before = json!({"containers": [{"name": "a"}, {"name": "b"}]});
    check(vec![
        (
            before.clone(),
            json!({"containers": [{"name": "c"}]}),
            json!({"containers": [{"name": "c"}, {"name": "a"}, {"name": "b"}]}),
        ),
        (
            before.clone(),
            json!({"$setElementOrder/containers": [{"name": "a"}, {"name": "b"}, {"name": "c"}],
                "containers": [{"name": "c"}]}),
            json!({"containers": [{"name": "a"}, {"name": "b"}, {"name": "c"}]}),
        ),
        (
            before.clone(),
            json!({"$setElementOrder/containers": [{"name": "b"}, {"name": "a"}]}),
            json!({"containers": [{"name": "b"}, {"name": "a"}]}),
        ),
        (
            before,
            json!({"containers": [{"name": "b", "image": "b:2"}, {"name": "a", "image": "a:2"}]}),
            json!({"containers": [{"name": "b", "image": "b:2"}, {"name": "a", "image": "a:2"}]}),
        ),
    ]);
}

#[test]
fn directives_delete_and_replace() {
    let before = json!({"containers": [{"name": "a", "image": "a:1"}, {"name": "b", "image": "b:1"}]});
    check(vec![
        (
            before.clone(),
            json!({"containers": [{"name": "a", "$patch": "delete"}]}),
            json!({"containers": [{"name": "b", "image": "b:1"}]}),
        ),
        (
            before.clone(),
            json!({"containers": [{"name": "c", "image": "c:1"}, {"$patch": "replace"}]}),
            json!({"containers": [{"name": "c", "image": "c:1"}]}),
        ),
        (
            before.clone(),
            json!({"containers": [{"name": "a", "image": null}]}),
            json!({"containers": [{"name": "a"}, {"name": "b", "image": "b:1"}]}),
        ),
        (before, json!({"containers": null}), json!({})),
        (
            json!({"securityContext": {"runAsUser": 1, "fsGroup": 2}}),
            json!({"securityContext": {"$patch": "replace", "runAsUser": 3}}),
            json!({"securityContext": {"runAsUser": 3}}),
        ),
        (
            json!({"securityContext": {"runAsUser": 1}, "nodeSelector": {"a": "b"}}),
            json!({"securityContext": {"$patch": "delete"}, "nodeSelector": {"c": "d", "e": null}}),
            json!({"securityContext": {}, "nodeSelector": {"a": "b", "c": "d"}}),
        ),
        (
            json!({}),
            json!({"volumes": [{"name": "v", "$patch": "delete"}, {"name": "w", "emptyDir": null}]}),
            json!({"volumes": [{"name": "w"}]}),
        ),
    ]);
    let finalizers = |list: Value| json!({"kind": "Deployment", "metadata": {"finalizers": list}});
    let added = apply(Strategic, &finalizers(json!(["a"])), &finalizers(json!(["b", "a"])));
    assert_eq!(added, finalizers(json!(["b", "a"])));
    let change = json!({"metadata": {"$deleteFromPrimitiveList/finalizers": ["a"]}});
    assert_eq!(apply(Strategic, &finalizers(json!(["a", "b"])), &change), finalizers(json!(["b"])));
}

#[test]
fn a_merge_patch_replaces_lists() {
    let change = json!({"spec": {"template": {"spec": {"containers": [{"name": "x", "image": "x:1"}]}}}});
    let after = apply(Merge, &web(), &change);
    assert_eq!(after["spec"]["template"]["spec"]["containers"], json!([{"name": "x", "image": "x:1"}]));
}

#[test]
fn a_json_patch_does_all_of_its_operations_or_none() {
    let change = json!([
        {"op": "test", "path": "/metadata/name", "value": "web"},
        {"op": "add", "path": "/spec/replicas", "value": 7},
        {"op": "remove", "path": "/spec/template/spec/containers/0/image"},
    ]);
    let after = apply(Json, &web(), &change);
    assert_eq!(after["spec"]["replicas"], 7);
    assert!(after["spec"]["template"]["spec"]["containers"][0].get("image").is_none());
    for (change, error) in [
        (json!([{"op": "test", "path": "/metadata/name", "value": "other"}]), "value did not match"),
        (json!([{"op": "replace", "path": "/spec/nothing", "value": 1}]), "path is invalid"),
        (json!([{"op": "rename", "path": "/spec"}]), "not a JSON patch"),
        (json!({"spec": {"replicas": 1}}), "not a JSON patch"),
    ] {
        let said = patch::apply(Json, &web(), &change).unwrap_err();
        assert!(said.contains(error), "{said}");
    }
}

#[test]
fn patched_objects_are_checked_again() {
    let before = Object::Deployment(Box::new(deployment(&web())));
    let after = |change: Value| match patched(&before, Strategic, &change) {
        Ok(Object::Deployment(d)) => Ok(*d),
        Ok(other) => panic!("{other:?}"),
        Err(refusal) => Err(refusal),
    };
    let d = after(json!({"spec": {"replicas": 5, "strategy": {"rollingUpdate": {"maxSurge": 2}}}})).unwrap();
    assert_eq!(d.spec.replicas, 5);
    assert_eq!(
        d.spec.strategy,
        Strategy::RollingUpdate { max_surge: IntOrPercent::Int(2), max_unavailable: IntOrPercent::Percent(25) }
    );
    let recreate = json!({"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}});
    assert_eq!(after(recreate).unwrap().spec.strategy, Strategy::Recreate);
    assert_eq!(
        after(json!({"spec": {"strategy": {"type": "Recreate"}}})).unwrap_err(),
        "Deployment.apps \"web\" is invalid: spec.strategy.rollingUpdate: \
         Forbidden: may not be specified when strategy `type` is 'Recreate'"
    );
    assert_eq!(
        after(json!({"spec": {"replicas": -1, "minReadySeconds": -1}})).unwrap_err(),
        "Deployment.apps \"web\" is invalid: [spec.replicas: Invalid value: -1: must be greater than or equal to 0, \
         spec.minReadySeconds: Invalid value: -1: must be greater than or equal to 0]"
    );
    let same = after(json!({"spec": {"template": {"metadata": {"annotations": {"x": null}}}}})).unwrap();
    assert_eq!(same.spec.template.raw, deployment(&web()).spec.template.raw);
}

/// The pull policy was decided by the first image and stays.
#[test]
fn defaults_outlive_the_image_they_came_from() {
    let mut json = web();
    manifest::set_image(&mut json, None, "nginx").unwrap();
    let mut stored = manifest::to_json(&Object::Deployment(Box::new(deployment(&json))));
    manifest::set_image(&mut stored, Some("app"), "nginx:1.28").unwrap();
    let container = &stored["spec"]["template"]["spec"]["containers"][0];
    assert_eq!((&container["image"], &container["imagePullPolicy"]), (&json!("nginx:1.28"), &json!("Always")));
}

#[test]
fn set_image_finds_containers_by_name() {
    let spec = json!({
        "containers": [{"name": "a", "image": "a:1"}, {"name": "b", "image": "b:1"}],
        "initContainers": [{"name": "init", "image": "i:1"}],
    });
    let deployment = || json!({"kind": "Deployment", "spec": {"template": {"spec": spec.clone()}}});
    let images = |container: Option<&str>| {
        let mut value = deployment();
        manifest::set_image(&mut value, container, "new:1").map_err(|p| p.to_string())?;
        let spec = &value["spec"]["template"]["spec"];
        let names = [&spec["containers"][0], &spec["containers"][1], &spec["initContainers"][0]];
        Ok::<String, String>(names.map(|c| c["image"].as_str().unwrap_or_default()).join(" "))
    };
    assert_eq!(images(None).unwrap(), "new:1 new:1 i:1");
    assert_eq!(images(Some("b")).unwrap(), "a:1 new:1 i:1");
    assert_eq!(images(Some("init")).unwrap(), "a:1 b:1 new:1");
    assert_eq!(
        images(Some("intt")).unwrap_err(),
        "container: unable to find container named \"intt\" (did you mean \"init\"?)"
    );
    assert_eq!(
        images(Some("web")).unwrap_err(),
        "container: unable to find container named \"web\" (there is a, b, init)"
    );
    let mut pod = json!({"kind": "Pod", "spec": spec});
    manifest::set_image(&mut pod, Some("a"), "new:1").unwrap();
    assert_eq!(pod["spec"]["containers"][0]["image"], "new:1");
    assert_eq!(manifest::set_image(&mut pod, None, " ").unwrap_err().to_string(), "image: Required value");
    assert!(manifest::set_image(&mut json!(7), None, "x").is_err());
}
