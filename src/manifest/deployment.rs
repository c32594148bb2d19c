//! `apps/v1` Deployment, from and to JSON.

use super::fields::Fields;
use super::problems::{Problems, invalid};
use super::shape::Shape::{Any, Bool, Int32, IntOrText, Opt, Ptr, Struct, Text};
use super::shape::common::{LABEL_SELECTOR, OBJECT_META};
use super::shape::pod::POD_TEMPLATE_SPEC;
use super::shape::shapes;
use super::workload::{Head, read_head};
use super::{Loaded, meta, pod_template, selector, syntax};
use crate::api::{Deployment, DeploymentSpec, DeploymentStatus, IntOrPercent, Meta, Object, Strategy};
use crate::error::Problem;
use serde_json::{Value, json};
use std::sync::Arc;

shapes! {
    ROLLING_UPDATE {
        maxUnavailable: Opt(&IntOrText), maxSurge: Opt(&IntOrText),
    }
    STRATEGY {
        type: Text, rollingUpdate: Ptr(&ROLLING_UPDATE),
    }
    SPEC {
        replicas: Opt(&Int32), selector: Ptr(&LABEL_SELECTOR),
        template: Struct(&POD_TEMPLATE_SPEC), strategy: Struct(&STRATEGY),
        minReadySeconds: Int32, revisionHistoryLimit: Opt(&Int32), paused: Bool,
        progressDeadlineSeconds: Opt(&Int32),
    }
    DEPLOYMENT {
        apiVersion: Text, kind: Text, metadata: Struct(&OBJECT_META), spec: Struct(&SPEC),
        status: Any,
    }
}

/// `deployment.kubernetes.io/revision`: the newest ReplicaSet's number.
pub(super) const REVISION: &str = "deployment.kubernetes.io/revision";

/// Annotations that the controller keeps on ReplicaSets and never copies from
/// the Deployment; here they would be leftovers of another cluster.
const LEFTOVERS: [&str; 3] = [
    "deployment.kubernetes.io/revision-history",
    "deployment.kubernetes.io/desired-replicas",
    "deployment.kubernetes.io/max-replicas",
];

/// Asks the controller to put a revision back, as `spec.rollbackTo` once did.
const ROLLBACK_TO: &str = "deprecated.deployment.rollback.to";

/// Upstream: `pkg/apis/apps/validation/validation.go ValidateDeployment`
pub(super) fn read(value: &Value) -> Result<Loaded, Vec<Problem>> {
    let mut problems = Problems::default();
    let Head { document, mut meta, not_modelled } = read_head(value, &DEPLOYMENT, "spec.template", &mut problems);
    let f = Fields::new(&document, "");
    let revision = meta::take_number(&mut meta, REVISION);
    for leftover in LEFTOVERS {
        meta::take_number::<i64>(&mut meta, leftover);
    }
    let mut spec = read_spec(&f.object("spec"), &mut problems);
    spec.rollback_to = read_rollback(&mut meta, &mut problems);
    let deployment = Deployment { meta, spec, status: DeploymentStatus::default(), revision };
    problems.finish(Loaded { object: Object::Deployment(Box::new(deployment)), not_modelled })
}

/// Upstream: `pkg/apis/apps/v1/conversion.go Convert_v1_Deployment_To_apps_Deployment`,
/// `pkg/apis/apps/validation/validation.go ValidateRollback`
fn read_rollback(meta: &mut Meta, problems: &mut Problems) -> Option<i64> {
    let text = meta.annotations.get(ROLLBACK_TO).filter(|text| !text.is_empty()).cloned();
    let revision = meta::take_number(meta, ROLLBACK_TO);
    match (text, revision) {
        (Some(text), None) => {
            let message = format!("failed to parse annotation[{ROLLBACK_TO}]={text} as int64");
            problems.add("metadata.annotations", message);
        }
        (_, Some(revision)) => problems.not_negative("spec.rollback.version", revision),
        (None, None) => {}
    }
    revision
}

/// Upstream: `pkg/apis/apps/validation/validation.go ValidateDeploymentSpec`,
/// `pkg/apis/apps/v1/defaults.go SetDefaults_Deployment`
fn read_spec(f: &Fields, problems: &mut Problems) -> DeploymentSpec {
    let replicas = f.int32("replicas", 1);
    problems.not_negative(&f.path("replicas"), replicas.into());
    let (selector, template) = pod_template::read_selected(f, pod_template::DEPLOYMENT_WORDS, problems);
    let strategy = read_strategy(&f.object("strategy"), problems);
    let min_ready_seconds = f.int32("minReadySeconds", 0);
    problems.not_negative(&f.path("minReadySeconds"), min_ready_seconds.into());
    let revision_history_limit = f.int32("revisionHistoryLimit", 10);
    problems.not_negative(&f.path("revisionHistoryLimit"), revision_history_limit.into());
    let progress_deadline_seconds = f.int32("progressDeadlineSeconds", 600);
    let deadline = f.path("progressDeadlineSeconds");
    problems.not_negative(&deadline, progress_deadline_seconds.into());
    if progress_deadline_seconds <= min_ready_seconds {
        let message = invalid(progress_deadline_seconds, "must be greater than minReadySeconds");
        problems.add_with_hint(&deadline, message, format!("minReadySeconds is {min_ready_seconds}"));
    }
    DeploymentSpec {
        replicas,
        selector: Arc::new(selector),
        template: Arc::new(template),
        strategy,
        min_ready_seconds,
        progress_deadline_seconds,
        revision_history_limit,
        paused: f.bool("paused"),
        rollback_to: None,
    }
}

/// Upstream: `pkg/apis/apps/validation/validation.go ValidateDeploymentStrategy`
fn read_strategy(f: &Fields, problems: &mut Problems) -> Strategy {
    let kind = match f.text("type") {
        "" => "RollingUpdate",
        other => other,
    };
    let rolling = f.object("rollingUpdate");
    if kind == "Recreate" {
        if f.has("rollingUpdate") {
            let message = "Forbidden: may not be specified when strategy `type` is 'Recreate'";
            problems.add_with_hint(rolling.here(), message, "remove it, or set it to null in a patch");
        }
        return Strategy::Recreate;
    }
    problems.one_of(&f.path("type"), kind, &["Recreate", "RollingUpdate"]);
    let quarter = IntOrPercent::Percent(25);
    let max_unavailable = int_or_percent(&rolling, "maxUnavailable", quarter, problems);
    let max_surge = int_or_percent(&rolling, "maxSurge", quarter, problems);
    let path = rolling.path("maxUnavailable");
    let is_zero = |share: IntOrPercent| matches!(share, IntOrPercent::Int(0) | IntOrPercent::Percent(0));
    if is_zero(max_unavailable) && is_zero(max_surge) && !problems.is_broken(&rolling.path("maxSurge")) {
        problems.add_with_hint(
            &path,
            invalid(json!(max_unavailable), "may not be 0 when `maxSurge` is 0"),
            "raise one of them: pods could neither be added nor removed",
        );
    }
    if matches!(max_unavailable, IntOrPercent::Percent(p) if p > 100) {
        problems.add(&path, invalid(json!(max_unavailable), "must not be greater than 100%"));
    }
    Strategy::RollingUpdate { max_surge, max_unavailable }
}

/// Reads a number or a percentage that is not negative.
///
/// Upstream: `pkg/apis/apps/validation/validation.go ValidatePositiveIntOrPercent`
pub(super) fn int_or_percent(f: &Fields, name: &str, default: IntOrPercent, problems: &mut Problems) -> IntOrPercent {
    let path = f.path(name);
    let Some(value) = f.get(name) else { return default };
    let Some(text) = value.as_str() else {
        let number = f.int32(name, 0);
        problems.not_negative(&path, number.into());
        return IntOrPercent::Int(number);
    };
    let wrong = syntax::percent(text);
    for detail in &wrong {
        let message = invalid(text, detail);
        match text.trim().parse::<i32>() {
            Ok(n) => {
                let hint = format!("write {n} without quotes for pods or \"{n}%\" for a share");
                problems.broken_by(&path, message, Some(hint));
            }
            Err(_) => problems.broken_by(&path, message, None),
        }
    }
    match text.trim_end_matches('%').parse() {
        Ok(percent) if wrong.is_empty() => IntOrPercent::Percent(percent),
        _ => {
            if wrong.is_empty() {
                problems.broken_by(&path, invalid(text, "is too large"), None);
            }
            default
        }
    }
}

/// The Deployment as a client would send it.
pub(super) fn to_json(d: &Deployment) -> Value {
    let strategy = match d.spec.strategy {
        Strategy::Recreate => json!({"type": "Recreate"}),
        Strategy::RollingUpdate { max_surge, max_unavailable } => json!({
            "type": "RollingUpdate",
            "rollingUpdate": {"maxSurge": max_surge, "maxUnavailable": max_unavailable},
        }),
    };
    let mut spec = json!({
        "replicas": d.spec.replicas,
        "revisionHistoryLimit": d.spec.revision_history_limit,
        "progressDeadlineSeconds": d.spec.progress_deadline_seconds,
        "minReadySeconds": d.spec.min_ready_seconds,
        "strategy": strategy,
        "selector": selector::to_json(&d.spec.selector),
        "template": pod_template::to_json(&d.spec.template),
    });
    if d.spec.paused {
        spec["paused"] = json!(true);
    }
    json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": meta::to_json(&d.meta, &[(REVISION, d.revision), (ROLLBACK_TO, d.spec.rollback_to)]),
        "spec": spec,
    })
}
