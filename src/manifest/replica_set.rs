//! `apps/v1` ReplicaSet, from and to JSON.

use super::deployment::REVISION;
use super::fields::Fields;
use super::problems::Problems;
use super::shape::Shape::{Any, Int32, Opt, Ptr, Struct, Text};
use super::shape::common::{LABEL_SELECTOR, OBJECT_META};
use super::shape::pod::POD_TEMPLATE_SPEC;
use super::shape::shapes;
use super::workload::{Head, read_head};
use super::{Loaded, meta, pod_template, selector};
use crate::api::{Object, ReplicaSet, ReplicaSetSpec, ReplicaSetStatus, RolloutMarks};
use crate::error::Problem;
use serde_json::{Value, json};
use std::sync::Arc;

shapes! {
    SPEC {
        replicas: Opt(&Int32), minReadySeconds: Int32, selector: Ptr(&LABEL_SELECTOR),
        template: Struct(&POD_TEMPLATE_SPEC),
    }
    REPLICA_SET {
        apiVersion: Text, kind: Text, metadata: Struct(&OBJECT_META), spec: Struct(&SPEC),
        status: Any,
    }
}

const DESIRED: &str = "deployment.kubernetes.io/desired-replicas";
const MAX: &str = "deployment.kubernetes.io/max-replicas";

/// Upstream: `pkg/apis/apps/validation/validation.go ValidateReplicaSet`
pub(super) fn read(value: &Value) -> Result<Loaded, Vec<Problem>> {
    let mut problems = Problems::default();
    let Head { document, mut meta, not_modelled } = read_head(value, &REPLICA_SET, "spec.template", &mut problems);
    let f = Fields::new(&document, "");
    let marks = RolloutMarks {
        revision: meta::take_number(&mut meta, REVISION),
        desired_replicas: meta::take_number(&mut meta, DESIRED),
        max_replicas: meta::take_number(&mut meta, MAX),
    };
    let spec = read_spec(&f.object("spec"), &mut problems);
    let set = ReplicaSet { meta, spec, status: ReplicaSetStatus::default(), marks };
    problems.finish(Loaded { object: Object::ReplicaSet(Box::new(set)), not_modelled })
}

/// Upstream: `pkg/apis/apps/validation/validation.go ValidateReplicaSetSpec`,
/// `pkg/apis/apps/v1/defaults.go SetDefaults_ReplicaSet`
fn read_spec(f: &Fields, problems: &mut Problems) -> ReplicaSetSpec {
    let replicas = f.int32("replicas", 1);
    problems.not_negative(&f.path("replicas"), replicas.into());
    let min_ready_seconds = f.int32("minReadySeconds", 0);
    problems.not_negative(&f.path("minReadySeconds"), min_ready_seconds.into());
    let (selector, template) = pod_template::read_selected(f, pod_template::DEPLOYMENT_WORDS, problems);
    ReplicaSetSpec { replicas, min_ready_seconds, selector: Arc::new(selector), template: Arc::new(template) }
}

/// The ReplicaSet as a client would send it.
pub(super) fn to_json(set: &ReplicaSet) -> Value {
    let notes = [
        (REVISION, set.marks.revision),
        (DESIRED, set.marks.desired_replicas.map(i64::from)),
        (MAX, set.marks.max_replicas.map(i64::from)),
    ];
    json!({
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": meta::to_json(&set.meta, &notes),
        "spec": {
            "replicas": set.spec.replicas,
            "minReadySeconds": set.spec.min_ready_seconds,
            "selector": selector::to_json(&set.spec.selector),
            "template": pod_template::to_json(&set.spec.template),
        },
    })
}
