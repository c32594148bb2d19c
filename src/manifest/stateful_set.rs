//! `apps/v1` StatefulSet, from and to JSON.

use super::deployment::int_or_percent;
use super::fields::Fields;
use super::pod_template::{Purpose, Words};
use super::problems::{Problems, invalid};
use super::shape::Shape::{Any, Int32, IntOrText, Opt, Ptr, Struct, Structs, Text};
use super::shape::common::{LABEL_SELECTOR, OBJECT_META};
use super::shape::pod::POD_TEMPLATE_SPEC;
use super::shape::shapes;
use super::shape::volume::PERSISTENT_VOLUME_CLAIM_SPEC;
use super::workload::{Head, read_head};
use super::{Loaded, meta, pod_template, selector, storage, syntax};
use crate::api::{
    ClaimRetention, ClaimTemplate, IntOrPercent, Object, PodManagement, Retention, StatefulRolling, StatefulSet,
    StatefulSetSpec, StatefulSetStatus, StatefulStrategy,
};
use crate::error::Problem;
use serde_json::{Value, json};
use std::sync::Arc;

shapes! {
    ROLLING_UPDATE {
        partition: Opt(&Int32), maxUnavailable: Opt(&IntOrText),
    }
    STRATEGY {
        type: Text, rollingUpdate: Ptr(&ROLLING_UPDATE),
    }
    RETENTION {
        whenDeleted: Text, whenScaled: Text,
    }
    ORDINALS {
        start: Int32,
    }
    CLAIM {
        apiVersion: Text, kind: Text, metadata: Struct(&OBJECT_META),
        spec: Struct(&PERSISTENT_VOLUME_CLAIM_SPEC), status: Any,
    }
    SPEC {
        replicas: Opt(&Int32), selector: Ptr(&LABEL_SELECTOR),
        template: Struct(&POD_TEMPLATE_SPEC), volumeClaimTemplates: Structs(&CLAIM),
        serviceName: Text, podManagementPolicy: Text, updateStrategy: Struct(&STRATEGY),
        revisionHistoryLimit: Opt(&Int32), minReadySeconds: Int32,
        persistentVolumeClaimRetentionPolicy: Ptr(&RETENTION), ordinals: Ptr(&ORDINALS),
    }
    STATEFUL_SET {
        apiVersion: Text, kind: Text, metadata: Struct(&OBJECT_META), spec: Struct(&SPEC),
        status: Any,
    }
}

const STATEFUL_SET_WORDS: Words = Words { selector: "statefulset", pods: "StatefulSet" };

/// Upstream: `pkg/apis/apps/validation/validation.go ValidateStatefulSet`
pub(super) fn read(value: &Value) -> Result<Loaded, Vec<Problem>> {
    let mut problems = Problems::default();
    let Head { document, meta, not_modelled } = read_head(value, &STATEFUL_SET, "spec.template", &mut problems);
    let f = Fields::new(&document, "");
    let name = f.object("metadata").text("name");
    // Its pods are called after it and take part in host names.
    for wrong in syntax::dns_label(name) {
        if syntax::dns_subdomain(name).is_empty() {
            problems.invalid("metadata.name", name, &wrong);
        }
    }
    let checked = with_claims_as_volumes(&document);
    let spec = read_spec(&f.object("spec"), &Fields::new(&checked, "").object("spec"), &mut problems);
    let set = StatefulSet { meta, spec, status: StatefulSetStatus::default() };
    problems.finish(Loaded { object: Object::StatefulSet(Box::new(set)), not_modelled })
}

/// The document as its template is checked: containers may mount claims as if
/// they were volumes, and the controller writes host names.
///
/// Upstream: `pkg/apis/apps/validation/validation.go volumesToAddForTemplates`
fn with_claims_as_volumes(document: &Value) -> Value {
    let mut document = document.clone();
    let claims = document.pointer("/spec/volumeClaimTemplates").and_then(Value::as_array);
    let names: Vec<Value> = claims.into_iter().flatten().filter_map(|c| c.pointer("/metadata/name").cloned()).collect();
    let Some(pod) = document.pointer_mut("/spec/template/spec").and_then(Value::as_object_mut) else {
        return document;
    };
    pod.shift_remove("hostname");
    pod.shift_remove("subdomain");
    if !names.is_empty() {
        let volume = |name: Value| json!({"persistentVolumeClaim": {"claimName": name}, "name": name});
        let own = pod.get("volumes").and_then(Value::as_array).cloned().unwrap_or_default();
        let own = own.into_iter().filter(|v| !names.iter().any(|name| v.get("name") == Some(name)));
        let all: Vec<Value> = own.chain(names.iter().cloned().map(volume)).collect();
        pod.insert("volumes".to_string(), Value::Array(all));
    }
    document
}

/// Reads the spec; `checked` is the same as its template is checked.
///
/// Upstream: `pkg/apis/apps/validation/validation.go ValidateStatefulSetSpec`,
/// `pkg/apis/apps/v1/defaults.go SetDefaults_StatefulSet`
fn read_spec(f: &Fields, checked: &Fields, problems: &mut Problems) -> StatefulSetSpec {
    let pod_management = read_pod_management(f, problems);
    let strategy = read_strategy(&f.object("updateStrategy"), problems);
    let policy = f.object("persistentVolumeClaimRetentionPolicy");
    let retention = ClaimRetention {
        when_deleted: read_retention(&policy, "whenDeleted", problems),
        when_scaled: read_retention(&policy, "whenScaled", problems),
    };
    let claims = read_claims(f, problems);
    let replicas = f.int32("replicas", 1);
    problems.not_negative(&f.path("replicas"), replicas.into());
    let min_ready_seconds = f.int32("minReadySeconds", 0);
    problems.not_negative(&f.path("minReadySeconds"), min_ready_seconds.into());
    let start = f.object("ordinals").int32("start", 0);
    problems.not_negative(&f.object("ordinals").path("start"), start.into());
    let service_name = f.text("serviceName");
    if !service_name.is_empty() {
        problems.invalid_text(&f.path("serviceName"), service_name, &syntax::dns_label(service_name));
    }
    let (selector, _) = pod_template::read_selected(checked, STATEFUL_SET_WORDS, problems);
    let template = pod_template::read(&f.object("template"), Purpose::Template, &mut Problems::default());
    StatefulSetSpec {
        replicas,
        start,
        selector: Arc::new(selector),
        template: Arc::new(template),
        claims: Arc::new(claims),
        retention,
        service_name: service_name.into(),
        pod_management,
        strategy,
        min_ready_seconds,
        revision_history_limit: f.int32("revisionHistoryLimit", 10),
    }
}

fn read_pod_management(f: &Fields, problems: &mut Problems) -> PodManagement {
    match f.text("podManagementPolicy") {
        "" | "OrderedReady" => PodManagement::OrderedReady,
        "Parallel" => PodManagement::Parallel,
        other => {
            problems.invalid(&f.path("podManagementPolicy"), other, "must be 'OrderedReady' or 'Parallel'");
            PodManagement::OrderedReady
        }
    }
}

fn read_retention(policy: &Fields, name: &str, problems: &mut Problems) -> Retention {
    match policy.text(name) {
        "" | "Retain" => Retention::Retain,
        "Delete" => Retention::Delete,
        other => {
            problems.one_of(&policy.path(name), other, &["Retain", "Delete"]);
            Retention::Retain
        }
    }
}

/// Where only the type is written, `rollingUpdate` stays absent: the defaults
/// fill it in only where nothing is written.
fn read_strategy(f: &Fields, problems: &mut Problems) -> StatefulStrategy {
    let rolling = f.object("rollingUpdate");
    match f.text("type") {
        "OnDelete" => {
            if f.has("rollingUpdate") {
                let value = f.get("rollingUpdate").cloned().unwrap_or_default();
                let message = invalid(value, "only allowed for updateStrategy 'RollingUpdate'");
                problems.add_with_hint(rolling.here(), message, "remove it, or set it to null in a patch");
            }
            StatefulStrategy::OnDelete
        }
        kind @ ("" | "RollingUpdate") => {
            let written = kind.is_empty() || f.has("rollingUpdate");
            StatefulStrategy::RollingUpdate(written.then(|| read_rolling(&rolling, problems)))
        }
        other => {
            problems.invalid(f.here(), other, "must be 'RollingUpdate' or 'OnDelete'");
            StatefulStrategy::OnDelete
        }
    }
}

/// Upstream: `pkg/apis/apps/validation/validation.go validateRollingUpdateStatefulSet`
fn read_rolling(f: &Fields, problems: &mut Problems) -> StatefulRolling {
    let partition = f.int32("partition", 0);
    problems.not_negative(&f.path("partition"), partition.into());
    let max_unavailable =
        f.has("maxUnavailable").then(|| int_or_percent(f, "maxUnavailable", IntOrPercent::Int(1), problems));
    let path = f.path("maxUnavailable");
    match max_unavailable {
        Some(IntOrPercent::Int(0) | IntOrPercent::Percent(0)) if !problems.is_broken(&path) => {
            problems.add(&path, invalid(json!(max_unavailable), "cannot be 0"));
        }
        Some(IntOrPercent::Percent(p)) if p > 100 => {
            problems.add(&path, invalid(json!(max_unavailable), "must not be greater than 100%"));
        }
        _ => {}
    }
    StatefulRolling { partition, max_unavailable }
}

/// Upstream: `pkg/apis/core/validation/validation.go ValidatePersistentVolumeClaimSpec`
fn read_claims(f: &Fields, problems: &mut Problems) -> Vec<ClaimTemplate> {
    let mut templates = Vec::new();
    for (claim, value) in f.objects("volumeClaimTemplates").iter().zip(f.list("volumeClaimTemplates")) {
        let spec = storage::claim_spec(&claim.object("spec"), problems);
        let metadata = claim.object("metadata");
        let mut raw = value.clone();
        if let Some(spec) = raw.get_mut("spec").and_then(Value::as_object_mut) {
            spec.entry("volumeMode").or_insert_with(|| json!("Filesystem"));
        }
        raw.sort_all_objects();
        templates.push(ClaimTemplate {
            name: metadata.text("name").into(),
            labels: metadata.labels("labels"),
            annotations: Arc::new(metadata.entries("annotations")),
            spec,
            raw: Arc::new(raw),
        });
    }
    templates
}

/// The StatefulSet as a client would send it.
pub(super) fn to_json(set: &StatefulSet) -> Value {
    let spec = &set.spec;
    let mut out = json!({
        "replicas": spec.replicas,
        "revisionHistoryLimit": spec.revision_history_limit,
        "minReadySeconds": spec.min_ready_seconds,
        "serviceName": &*spec.service_name,
        "podManagementPolicy": match spec.pod_management {
            PodManagement::OrderedReady => "OrderedReady",
            PodManagement::Parallel => "Parallel",
        },
        "updateStrategy": strategy_to_json(spec.strategy),
        "persistentVolumeClaimRetentionPolicy": {
            "whenDeleted": retention_name(spec.retention.when_deleted),
            "whenScaled": retention_name(spec.retention.when_scaled),
        },
        "selector": selector::to_json(&spec.selector),
        "template": pod_template::to_json(&spec.template),
    });
    if !spec.claims.is_empty() {
        out["volumeClaimTemplates"] = spec.claims.iter().map(|claim| (*claim.raw).clone()).collect();
    }
    if spec.start != 0 {
        out["ordinals"] = json!({"start": spec.start});
    }
    json!({
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": meta::to_json(&set.meta, &[]),
        "spec": out,
    })
}

fn strategy_to_json(strategy: StatefulStrategy) -> Value {
    match strategy {
        StatefulStrategy::OnDelete => json!({"type": "OnDelete"}),
        StatefulStrategy::RollingUpdate(None) => json!({"type": "RollingUpdate"}),
        StatefulStrategy::RollingUpdate(Some(rolling)) => {
            let mut inner = json!({"partition": rolling.partition});
            if let Some(share) = rolling.max_unavailable {
                inner["maxUnavailable"] = json!(share);
            }
            json!({"type": "RollingUpdate", "rollingUpdate": inner})
        }
    }
}

const fn retention_name(retention: Retention) -> &'static str {
    match retention {
        Retention::Retain => "Retain",
        Retention::Delete => "Delete",
    }
}
