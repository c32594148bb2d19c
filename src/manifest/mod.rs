<<<<<<< HEAD
//! Manifests to objects (first cut, narrow).

use crate::api::*;
use crate::error::Problem;
use crate::sim::setup::PatchType;
use crate::time::Timestamp;
use serde_json::Value;
use std::sync::Arc;

/// A manifest that was read.
pub struct Loaded {
    /// The object.
    pub object: Object,
    /// Fields that are not modelled.
    pub not_modelled: Vec<String>,
}

fn int(v: &Value, default: i32) -> i32 {
    v.as_i64().map_or(default, |n| n as i32)
}

fn share(v: &Value, default: IntOrPercent) -> IntOrPercent {
    match v {
        Value::Null => default,
        Value::String(s) => IntOrPercent::parse_percent(s).unwrap_or(default),
        v => IntOrPercent::Int(int(v, 0)),
    }
}

fn labels(v: &Value) -> Labels {
    serde_json::from_value(v.clone()).unwrap_or_default()
}

fn template(v: &Value) -> PodTemplate {
    let spec = &v["spec"];
    let mut requests = Resources { pods: 1, ..Resources::default() };
    let mut containers = Vec::new();
    for c in spec["containers"].as_array().into_iter().flatten() {
        let q = |k: &str| c["resources"]["requests"][k].as_str().map_or(0, |s| parse_quantity(s).unwrap_or(0));
        requests.cpu_milli += q("cpu");
        requests.memory_milli += q("memory");
        containers.push(Container {
            name: c["name"].as_str().unwrap_or("").into(),
            image: c["image"].as_str().unwrap_or("").into(),
        });
    }
    PodTemplate {
        labels: Arc::new(labels(&v["metadata"]["labels"])),
        annotations: Arc::default(),
        containers,
        restart_policy: RestartPolicy::Always,
        grace_seconds: int(&spec["terminationGracePeriodSeconds"], 30) as u32,
        node_selector: labels(&spec["nodeSelector"]),
        node_affinity: Vec::new(),
        tolerations: Vec::new(),
        requests,
        raw: Arc::new(v.clone()),
    }
}

/// Reads a manifest.
///
/// # Errors
/// If the kind is not modelled.
pub fn read(value: &Value) -> Result<Loaded, Vec<Problem>> {
    if value["kind"] != "Deployment" {
        return Err(vec![Problem::new("kind not modelled")]);
    }
    let spec = &value["spec"];
    let mut meta = Meta::named(
        value["metadata"]["namespace"].as_str().unwrap_or("default"),
        value["metadata"]["name"].as_str().unwrap_or(""),
    );
    meta.labels = Arc::new(labels(&value["metadata"]["labels"]));
    let quarter = IntOrPercent::Percent(25);
    let rolling = &spec["strategy"]["rollingUpdate"];
    let strategy = if spec["strategy"]["type"] == "Recreate" {
        Strategy::Recreate
    } else {
        Strategy::RollingUpdate {
            max_surge: share(&rolling["maxSurge"], quarter),
            max_unavailable: share(&rolling["maxUnavailable"], quarter),
        }
    };
    let deployment = Deployment {
        meta,
        spec: DeploymentSpec {
            replicas: int(&spec["replicas"], 1),
            selector: Arc::new(serde_json::from_value(spec["selector"].clone()).unwrap_or_default()),
            template: Arc::new(template(&spec["template"])),
            strategy,
            min_ready_seconds: int(&spec["minReadySeconds"], 0),
            progress_deadline_seconds: int(&spec["progressDeadlineSeconds"], 600),
            revision_history_limit: int(&spec["revisionHistoryLimit"], 10),
            paused: spec["paused"] == true,
        },
        status: DeploymentStatus::default(),
        revision: None,
    };
    let _ = Timestamp(0);
    Ok(Loaded { object: Object::Deployment(Box::new(deployment)), not_modelled: Vec::new() })
}

/// Writes a manifest.
pub fn to_json(object: &Object) -> Value {
    let Object::Deployment(d) = object else { return Value::Null };
    let strategy = match d.spec.strategy {
        Strategy::Recreate => serde_json::json!({"type": "Recreate"}),
        Strategy::RollingUpdate { max_surge, max_unavailable } => serde_json::json!({
            "type": "RollingUpdate",
            "rollingUpdate": {"maxSurge": max_surge, "maxUnavailable": max_unavailable},
        }),
    };
    serde_json::json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": &*d.meta.name, "namespace": &*d.meta.namespace},
        "spec": {
            "replicas": d.spec.replicas, "selector": &*d.spec.selector, "template": &*d.spec.template.raw,
            "strategy": strategy, "minReadySeconds": d.spec.min_ready_seconds,
            "progressDeadlineSeconds": d.spec.progress_deadline_seconds,
            "revisionHistoryLimit": d.spec.revision_history_limit, "paused": d.spec.paused,
        },
    })
}

fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(p) = patch else {
        *target = patch.clone();
        return;
    };
    for (k, v) in p {
        if v.is_null() {
            target.as_object_mut().map(|t| t.remove(k));
        } else if k == "containers" {
            let name = v[0]["name"].clone();
            for c in target[k].as_array_mut().into_iter().flatten() {
                if c["name"] == name {
                    merge(c, &v[0]);
                }
            }
        } else {
            merge(&mut target[k], v);
        }
    }
}

/// An object after a patch.
///
/// # Errors
/// What the API server would say.
pub fn patched(object: &Object, _how: PatchType, patch: &Value) -> Result<Object, String> {
    let mut value = to_json(object);
    merge(&mut value, patch);
    read(&value).map(|l| l.object).map_err(|p| p.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
=======
//! Kubernetes manifests: from JSON to the typed rows of [`api`](crate::api)
//! and back, and the patches in between.
//!
//! Reading does what the API server does: it decodes against the fields that
//! each kind has, fills in the defaults, checks, and refuses with *all*
//! problems at once. Fields that are valid and that the simulator does not
//! read are named in [`Loaded::not_modelled`].
//!
//! A kind is one file: the shape of its spec, `read` and `to_json`.

mod deployment;
mod fields;
mod image;
mod kinds;
mod meta;
mod notes;
pub mod patch;
mod pod;
mod pod_template;
mod problems;
mod quantity;
mod replica_set;
mod selector;
mod shape;
mod suggest;
mod syntax;

pub use image::set_image;
pub use kinds::{KnownKind, kind_of};

use crate::api::{Kind, Object};
use crate::error::Problem;
use serde_json::Value;

/// An object and what was not taken from its manifest.
#[derive(Clone, PartialEq, Debug)]
pub struct Loaded {
    /// The object after defaulting, as a client sends it: identity, versions
    /// and status are still empty.
    pub object: Object,
    /// Valid fields that the simulator does not read: paths with `[]` for
    /// list indices, each once and sorted, some with `: ` and what that means.
    pub not_modelled: Vec<String>,
}

/// Reads a manifest.
///
/// # Errors
/// Everything that is wrong with it: first what could not be decoded in the
/// order of the document, then what the API server would refuse, in its
/// order and words. Every problem names its field; entries of mappings are
/// written `metadata.labels[app]`.
pub fn read(value: &Value) -> Result<Loaded, Vec<Problem>> {
    match kind_of(value).map_err(|problem| vec![problem])? {
        KnownKind::Modelled(Kind::Deployment) => deployment::read(value),
        KnownKind::Modelled(Kind::ReplicaSet) => replica_set::read(value),
        KnownKind::Modelled(Kind::Pod) => pod::read(value),
        KnownKind::Modelled(kind) => Err(vec![not_simulated(kind.name())]),
        KnownKind::NotSimulated { kind, .. } => Err(vec![not_simulated(&kind)]),
        KnownKind::List => Err(vec![
            Problem::new("expected one object, found a list").in_field("kind").with_hint("read its items"),
        ]),
    }
}

fn not_simulated(kind: &str) -> Problem {
    Problem::new(format!("{kind} is not simulated")).in_field("kind")
}

/// The documents in a list as `kubectl get -o yaml` prints it, or the document
/// itself if it is none.
pub fn items(value: &Value) -> Vec<&Value> {
    match kind_of(value) {
        Ok(KnownKind::List) => value.get("items").and_then(Value::as_array).into_iter().flatten().collect(),
        _ => vec![value],
    }
}

/// The object as a client would send it: `read(&to_json(o))` gives an object
/// that is equal in all that clients may say.
pub fn to_json(object: &Object) -> Value {
    match object {
        Object::Deployment(d) => deployment::to_json(d),
        Object::ReplicaSet(set) => replica_set::to_json(set),
        Object::Pod(p) => pod::to_json(p),
    }
}

/// The fields of a kind, for patches.
fn members_of(kind: &str) -> Option<&'static shape::Members> {
    match kind {
        "Deployment" => Some(&deployment::DEPLOYMENT),
        "ReplicaSet" => Some(&replica_set::REPLICA_SET),
        "Pod" => Some(&pod::POD),
        _ => None,
    }
>>>>>>> fd147a9 (manifest: from JSON to the typed rows and back, with patches)
}
