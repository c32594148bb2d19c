//! `v1` PersistentVolumeClaim and PersistentVolume, and
//! `storage.k8s.io/v1` StorageClass, from and to JSON.

use super::fields::Fields;
use super::problems::Problems;
use super::shape::Shape::{Any, Bool, List, Map, Opt, Ptr, Quantity, Struct, Structs, Text};
use super::shape::common::OBJECT_META;
use super::shape::pod::NODE_SELECTOR;
use super::shape::volume::PERSISTENT_VOLUME_CLAIM_SPEC;
use super::shape::{decode, shapes};
use super::{Loaded, meta, pod_template};
use crate::api::{
    AccessModes, BindingMode, ClaimRef, ClaimSpec, NodeMatch, Object, Operator, PersistentVolume,
    PersistentVolumeClaim, Reclaim, StorageClass, VolumePhase, parse_quantity,
};
use crate::error::Problem;
use serde_json::{Value, json};
use std::sync::Arc;

shapes! {
    CLAIM {
        apiVersion: Text, kind: Text, metadata: Struct(&OBJECT_META),
        spec: Struct(&PERSISTENT_VOLUME_CLAIM_SPEC), status: Any,
    }
    CLAIM_REFERENCE {
        kind: Text, namespace: Text, name: Text, uid: Text, apiVersion: Text, resourceVersion: Text,
        fieldPath: Text,
    }
    VOLUME_NODE_AFFINITY {
        required: Ptr(&NODE_SELECTOR),
    }
    VOLUME_SPEC {
        capacity: Map(&Quantity), accessModes: List(&Text), claimRef: Ptr(&CLAIM_REFERENCE),
        persistentVolumeReclaimPolicy: Text, storageClassName: Text, mountOptions: List(&Text),
        volumeMode: Opt(&Text), nodeAffinity: Ptr(&VOLUME_NODE_AFFINITY),
        volumeAttributesClassName: Opt(&Text), gcePersistentDisk: Opt(&Any),
        awsElasticBlockStore: Opt(&Any), hostPath: Opt(&Any), glusterfs: Opt(&Any), nfs: Opt(&Any),
        rbd: Opt(&Any), iscsi: Opt(&Any), cinder: Opt(&Any), cephfs: Opt(&Any), fc: Opt(&Any),
        flocker: Opt(&Any), flexVolume: Opt(&Any), azureFile: Opt(&Any), vsphereVolume: Opt(&Any),
        quobyte: Opt(&Any), azureDisk: Opt(&Any), photonPersistentDisk: Opt(&Any),
        portworxVolume: Opt(&Any), scaleIO: Opt(&Any), local: Opt(&Any), storageos: Opt(&Any),
        csi: Opt(&Any),
    }
    VOLUME {
        apiVersion: Text, kind: Text, metadata: Struct(&OBJECT_META), spec: Struct(&VOLUME_SPEC),
        status: Any,
    }
    TOPOLOGY_LABEL {
        key: Text, values: List(&Text),
    }
    TOPOLOGY {
        matchLabelExpressions: Structs(&TOPOLOGY_LABEL),
    }
    CLASS {
        apiVersion: Text, kind: Text, metadata: Struct(&OBJECT_META), provisioner: Text,
        parameters: Map(&Text), reclaimPolicy: Opt(&Text), mountOptions: List(&Text),
        allowVolumeExpansion: Opt(&Bool), volumeBindingMode: Opt(&Text),
        allowedTopologies: Structs(&TOPOLOGY),
    }
}

/// Sources that a node reaches without anything being attached to it.
const REACHED: [&str; 8] = ["hostPath", "local", "nfs", "glusterfs", "cephfs", "quobyte", "azureFile", "flocker"];

/// The annotation by which a class is the one for claims that name none.
const DEFAULT_CLASS: &str = "storageclass.kubernetes.io/is-default-class";

/// Reads a claim.
///
/// Upstream: `pkg/apis/core/validation/validation.go ValidatePersistentVolumeClaim`
pub(super) fn read_claim(value: &Value) -> Result<Loaded, Vec<Problem>> {
    let mut problems = Problems::default();
    let document = decode(value, &CLAIM, &mut problems);
    let f = Fields::new(&document, "");
    let meta = meta::read(&f, &mut problems);
    let spec = claim_spec(&f.object("spec"), &mut problems);
    let claim = PersistentVolumeClaim { meta, spec, bound: false };
    problems.finish(loaded(Object::PersistentVolumeClaim(Box::new(claim))))
}

/// What a claim, or the template of one, asks for.
///
/// Upstream: `pkg/apis/core/validation/validation.go ValidatePersistentVolumeClaimSpec`
pub(super) fn claim_spec(spec: &Fields, problems: &mut Problems) -> ClaimSpec {
    let modes = access_modes(spec, problems);
    let requests = spec.object("resources").object("requests");
    if !requests.has("storage") {
        // So the API server says: without `requests`.
        problems.required(&spec.entry_path("resources", "storage"), "");
    }
    let volume = spec.text("volumeName");
    ClaimSpec {
        class: spec.has("storageClassName").then(|| spec.text("storageClassName").into()),
        modes,
        storage_milli: amount(&requests, "storage"),
        volume: (!volume.is_empty()).then(|| volume.into()),
    }
}

fn access_modes(spec: &Fields, problems: &mut Problems) -> AccessModes {
    let names = spec.texts("accessModes");
    if names.is_empty() {
        problems.required(&spec.path("accessModes"), "at least 1 access mode is required");
    }
    let known: Vec<&str> = AccessModes::NAMES.to_vec();
    let mut modes = AccessModes::default();
    for name in &names {
        match AccessModes::parse(name) {
            Some(mode) => modes = modes.with(mode),
            None => {
                problems.one_of(&spec.path("accessModes"), name, &known);
            }
        }
    }
    modes
}

fn amount(f: &Fields, name: &str) -> i64 {
    match f.get(name) {
        Some(Value::String(text)) => parse_quantity(text).unwrap_or_default(),
        Some(Value::Number(number)) => parse_quantity(&number.to_string()).unwrap_or_default(),
        _ => 0,
    }
}

/// Reads a volume.
///
/// Upstream: `pkg/apis/core/validation/validation.go ValidatePersistentVolume`
pub(super) fn read_volume(value: &Value) -> Result<Loaded, Vec<Problem>> {
    let mut problems = Problems::default();
    let document = decode(value, &VOLUME, &mut problems);
    let f = Fields::new(&document, "");
    let meta = without_namespace(meta::read(&f, &mut problems));
    let spec = f.object("spec");
    let modes = access_modes(&spec, &mut problems);
    if !spec.object("capacity").has("storage") {
        problems.required(&spec.path("capacity"), "");
    }
    let held = spec.object("claimRef");
    let claim = (!held.text("name").is_empty()).then(|| ClaimRef {
        namespace: match held.text("namespace") {
            "" => "default".into(),
            other => other.into(),
        },
        name: held.text("name").into(),
        // The claim of another cluster; here only its name says whose it is.
        uid: None,
    });
    let required = spec.object("nodeAffinity").object("required");
    let volume = PersistentVolume {
        meta,
        class: spec.text("storageClassName").into(),
        modes,
        storage_milli: amount(&spec.object("capacity"), "storage"),
        reclaim: reclaim(&spec, "persistentVolumeReclaimPolicy", Reclaim::Retain, &mut problems),
        node_affinity: pod_template::selector_terms(&required),
        attachable: !REACHED.iter().any(|source| spec.has(source)),
        claim,
        phase: VolumePhase::Available,
    };
    problems.finish(loaded(Object::PersistentVolume(Box::new(volume))))
}

fn reclaim(f: &Fields, name: &str, default: Reclaim, problems: &mut Problems) -> Reclaim {
    match f.text(name) {
        "" => default,
        "Delete" => Reclaim::Delete,
        "Retain" => Reclaim::Retain,
        other => {
            problems.one_of(&f.path(name), other, &["Delete", "Retain"]);
            default
        }
    }
}

/// Reads a class.
///
/// Upstream: `pkg/apis/storage/validation/validation.go ValidateStorageClass`
pub(super) fn read_class(value: &Value) -> Result<Loaded, Vec<Problem>> {
    let mut problems = Problems::default();
    let document = decode(value, &CLASS, &mut problems);
    let f = Fields::new(&document, "");
    let meta = without_namespace(meta::read(&f, &mut problems));
    if f.text("provisioner").is_empty() {
        problems.required("provisioner", "");
    }
    let binding = match f.text("volumeBindingMode") {
        "" | "Immediate" => BindingMode::Immediate,
        "WaitForFirstConsumer" => BindingMode::WaitForFirstConsumer,
        other => {
            problems.one_of("volumeBindingMode", other, &["Immediate", "WaitForFirstConsumer"]);
            BindingMode::Immediate
        }
    };
    let label = |f: &Fields| NodeMatch {
        key: f.text("key").to_string(),
        operator: Operator::In,
        values: f.texts("values"),
        field: false,
    };
    let class = StorageClass {
        is_default: meta.annotations.get(DEFAULT_CLASS).is_some_and(|value| value == "true"),
        meta,
        provisioner: f.text("provisioner").into(),
        binding,
        reclaim: reclaim(&f, "reclaimPolicy", Reclaim::Delete, &mut problems),
        topologies: f
            .objects("allowedTopologies")
            .iter()
            .map(|term| term.objects("matchLabelExpressions").iter().map(label).collect())
            .collect(),
    };
    problems.finish(loaded(Object::StorageClass(Box::new(class))))
}

fn without_namespace(mut meta: crate::api::Meta) -> crate::api::Meta {
    meta.namespace = Arc::from("");
    meta
}

fn loaded(object: Object) -> Loaded {
    Loaded { object, not_modelled: Vec::new() }
}

/// The claim as a client would send it.
pub(super) fn claim_to_json(claim: &PersistentVolumeClaim) -> Value {
    let modes: Vec<&str> = claim.spec.modes.names().collect();
    let mut spec = json!({
        "accessModes": modes,
        "resources": {"requests": {"storage": milli(claim.spec.storage_milli)}},
    });
    if let Some(class) = &claim.spec.class {
        spec["storageClassName"] = json!(&**class);
    }
    if let Some(volume) = &claim.spec.volume {
        spec["volumeName"] = json!(&**volume);
    }
    json!({
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": meta::to_json(&claim.meta, &[]),
        "spec": spec,
    })
}

/// The volume as a client would send it. What kind of disk it is has been
/// reduced to whether it must be attached.
pub(super) fn volume_to_json(volume: &PersistentVolume) -> Value {
    let modes: Vec<&str> = volume.modes.names().collect();
    let mut spec = json!({
        "capacity": {"storage": milli(volume.storage_milli)},
        "accessModes": modes,
        "persistentVolumeReclaimPolicy": reclaim_name(volume.reclaim),
        "storageClassName": &*volume.class,
    });
    spec[if volume.attachable { "csi" } else { "nfs" }] = json!({});
    if let Some(claim) = &volume.claim {
        spec["claimRef"] = json!({"namespace": &*claim.namespace, "name": &*claim.name});
    }
    if !volume.node_affinity.is_empty() {
        let terms: Vec<Value> = volume.node_affinity.iter().map(|term| pod_template::term_to_json(term)).collect();
        spec["nodeAffinity"] = json!({"required": {"nodeSelectorTerms": terms}});
    }
    json!({
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": cluster_meta(&volume.meta),
        "spec": spec,
    })
}

/// The class as a client would send it.
pub(super) fn class_to_json(class: &StorageClass) -> Value {
    let topology = |term: &Vec<NodeMatch>| {
        let labels: Vec<Value> = term.iter().map(|m| json!({"key": m.key, "values": m.values})).collect();
        json!({"matchLabelExpressions": labels})
    };
    let topologies: Vec<Value> = class.topologies.iter().map(topology).collect();
    json!({
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": cluster_meta(&class.meta),
        "provisioner": &*class.provisioner,
        "reclaimPolicy": reclaim_name(class.reclaim),
        "volumeBindingMode": match class.binding {
            BindingMode::Immediate => "Immediate",
            BindingMode::WaitForFirstConsumer => "WaitForFirstConsumer",
        },
        "allowedTopologies": topologies,
    })
}

fn cluster_meta(meta: &crate::api::Meta) -> Value {
    let mut json = meta::to_json(meta, &[]);
    if let Some(fields) = json.as_object_mut() {
        fields.shift_remove("namespace");
    }
    json
}

const fn reclaim_name(reclaim: Reclaim) -> &'static str {
    match reclaim {
        Reclaim::Delete => "Delete",
        Reclaim::Retain => "Retain",
    }
}

/// Thousandths of a byte as a quantity.
fn milli(amount: i64) -> String {
    if amount % 1_000 == 0 { (amount / 1_000).to_string() } else { format!("{amount}m") }
}
