//! `v1` Pod that nothing controls, from and to JSON.

use super::fields::Fields;
use super::problems::Problems;
use super::shape::Shape::{Any, Struct, Text};
use super::shape::common::OBJECT_META;
use super::shape::pod::POD_SPEC;
use super::shape::{decode, shapes};
use super::{Loaded, meta, pod_template};
use crate::api::{Object, Phase, Pod};
use crate::error::Problem;
use crate::time::Timestamp;
use serde_json::{Value, json};
use std::sync::Arc;

shapes! {
    POD {
        apiVersion: Text, kind: Text, metadata: Struct(&OBJECT_META), spec: Struct(&POD_SPEC),
        status: Any,
    }
}

/// Upstream: `pkg/apis/core/validation/validation.go ValidatePodCreate`
pub(super) fn read(value: &Value) -> Result<Loaded, Vec<Problem>> {
    let mut problems = Problems::default();
    let mut document = decode(value, &POD, &mut problems);
    let only_spec = json!({"spec": document["spec"]});
    let mut not_modelled = pod_template::not_modelled(&only_spec, "");
    pod_template::apply_defaults(&mut document);
    let f = Fields::new(&document, "");
    not_modelled.extend(meta::foreign_holders(&f));
    not_modelled.sort();
    let meta = meta::read(&f, &mut problems);
    let template = pod_template::read(&f, pod_template::Purpose::Pod, &mut problems);
    let gates = template.placement.all_gates();
    let pod = Pod {
        meta,
        claims: template.claims.clone(),
        template: Arc::new(template),
        number: 0,
        pinned: None,
        index: None,
        node: None,
        started: None,
        phase: Phase::Pending,
        ready: false,
        ready_since: Timestamp::default(),
        unschedulable: false,
        gates,
        restarts: 0,
        deletion_cost: pod_template::deletion_cost(&f.object("metadata")).unwrap_or(0),
        disruption: None,
        evicted: false,
        terminated: None,
    };
    problems.finish(Loaded { object: Object::Pod(Box::new(pod)), not_modelled })
}

/// The pod as a client would send it, with the gates that are still there.
pub(super) fn to_json(pod: &Pod) -> Value {
    let mut spec = pod.template.raw.value()["spec"].clone();
    if let Some(Value::Array(gates)) = spec.get_mut("schedulingGates") {
        let left: Vec<&str> = pod.gate_names().collect();
        gates.retain(|gate| gate["name"].as_str().is_some_and(|name| left.contains(&name)));
    }
    json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": meta::to_json(&pod.meta, &[]),
        "spec": spec,
    })
}
