//! `apps/v1` DaemonSet, from and to JSON.

use super::deployment::int_or_percent;
use super::fields::Fields;
use super::pod_template::Words;
use super::problems::{Problems, invalid};
use super::shape::Shape::{Any, Int32, IntOrText, Opt, Ptr, Struct, Text};
use super::shape::common::{LABEL_SELECTOR, OBJECT_META};
use super::shape::pod::POD_TEMPLATE_SPEC;
use super::shape::shapes;
use super::workload::{Head, read_head};
use super::{Loaded, meta, pod_template, selector};
use crate::api::{DaemonSet, DaemonSetSpec, DaemonSetStatus, DaemonSetUpdate, IntOrPercent, Object};
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
        selector: Ptr(&LABEL_SELECTOR), template: Struct(&POD_TEMPLATE_SPEC),
        updateStrategy: Struct(&STRATEGY), minReadySeconds: Int32,
        revisionHistoryLimit: Opt(&Int32),
    }
    DAEMON_SET {
        apiVersion: Text, kind: Text, metadata: Struct(&OBJECT_META), spec: Struct(&SPEC),
        status: Any,
    }
}

const WORDS: Words = Words { selector: "daemonset", pods: "DaemonSet" };

/// Written by the API server itself; in a manifest it would be a leftover of
/// another cluster.
const TEMPLATE_GENERATION: &str = "deprecated.daemonset.template.generation";

/// Upstream: `pkg/apis/apps/validation/validation.go ValidateDaemonSet`
pub(super) fn read(value: &Value) -> Result<Loaded, Vec<Problem>> {
    let mut problems = Problems::default();
    let Head { document, mut meta, not_modelled } = read_head(value, &DAEMON_SET, "spec.template", &mut problems);
    let f = Fields::new(&document, "");
    meta::take_number::<i64>(&mut meta, TEMPLATE_GENERATION);
    let spec = read_spec(&f.object("spec"), &mut problems);
    let set = DaemonSet { meta, spec, status: DaemonSetStatus::default(), template_generation: 1 };
    problems.finish(Loaded { object: Object::DaemonSet(Box::new(set)), not_modelled })
}

/// Upstream: `pkg/apis/apps/validation/validation.go ValidateDaemonSetSpec`,
/// `pkg/apis/apps/v1/defaults.go SetDefaults_DaemonSet`
fn read_spec(f: &Fields, problems: &mut Problems) -> DaemonSetSpec {
    let (selector, template) = pod_template::read_selected(f, WORDS, problems);
    let min_ready_seconds = f.int32("minReadySeconds", 0);
    problems.not_negative(&f.path("minReadySeconds"), min_ready_seconds.into());
    let update = read_update(&f.object("updateStrategy"), problems);
    let revision_history_limit = f.int32("revisionHistoryLimit", 10);
    problems.not_negative(&f.path("revisionHistoryLimit"), revision_history_limit.into());
    DaemonSetSpec {
        selector: Arc::new(selector),
        template: Arc::new(template),
        update,
        min_ready_seconds,
        revision_history_limit,
    }
}

/// Upstream: `pkg/apis/apps/validation/validation.go ValidateDaemonSetUpdateStrategy`
fn read_update(f: &Fields, problems: &mut Problems) -> DaemonSetUpdate {
    match f.text("type") {
        "OnDelete" => read_dormant(&f.object("rollingUpdate"), problems),
        kind => {
            if !kind.is_empty() {
                problems.one_of(f.here(), kind, &["RollingUpdate", "OnDelete"]);
            }
            read_rolling(&f.object("rollingUpdate"), problems)
        }
    }
}

/// What nobody looks at now: neither defaulted nor compared.
///
/// Upstream: `pkg/apis/apps/v1/defaults.go SetDefaults_DaemonSet`
fn read_dormant(f: &Fields, problems: &mut Problems) -> DaemonSetUpdate {
    let mut limit = |name| f.has(name).then(|| int_or_percent(f, name, IntOrPercent::Int(0), problems));
    DaemonSetUpdate::OnDelete { max_surge: limit("maxSurge"), max_unavailable: limit("maxUnavailable") }
}

/// Exactly one of the two limits must be above zero. A percentage is above
/// zero by its number, however few the nodes.
///
/// Upstream: `pkg/apis/apps/validation/validation.go ValidateRollingUpdateDaemonSet`
fn read_rolling(f: &Fields, problems: &mut Problems) -> DaemonSetUpdate {
    let max_unavailable = int_or_percent(f, "maxUnavailable", IntOrPercent::Int(1), problems);
    let max_surge = int_or_percent(f, "maxSurge", IntOrPercent::Int(0), problems);
    let (unavailable, surge) = (f.path("maxUnavailable"), f.path("maxSurge"));
    for (path, share) in [(&unavailable, max_unavailable), (&surge, max_surge)] {
        if matches!(share, IntOrPercent::Percent(p) if p > 100) {
            problems.add(path, invalid(json!(share), "must not be greater than 100%"));
        }
    }
    let is_zero = |share: IntOrPercent| matches!(share, IntOrPercent::Int(0) | IntOrPercent::Percent(0));
    if !problems.is_broken(&unavailable) && !problems.is_broken(&surge) {
        match (is_zero(max_unavailable), is_zero(max_surge)) {
            (true, true) => problems.add_with_hint(
                &unavailable,
                "Required value: cannot be 0 when maxSurge is 0",
                "raise one of them: pods could neither be added nor removed",
            ),
            (false, false) => problems.add_with_hint(
                &surge,
                invalid(json!(max_surge), "may not be set when maxUnavailable is non-zero"),
                "maxUnavailable is 1 unless it is written: set it to 0 to surge",
            ),
            _ => {}
        }
    }
    DaemonSetUpdate::RollingUpdate { max_surge, max_unavailable }
}

/// The DaemonSet as a client would send it.
pub(super) fn to_json(set: &DaemonSet) -> Value {
    let update = match set.spec.update {
        DaemonSetUpdate::OnDelete { max_surge: None, max_unavailable: None } => json!({"type": "OnDelete"}),
        DaemonSetUpdate::OnDelete { max_surge, max_unavailable } => json!({
            "type": "OnDelete",
            "rollingUpdate": {"maxSurge": max_surge, "maxUnavailable": max_unavailable},
        }),
        DaemonSetUpdate::RollingUpdate { max_surge, max_unavailable } => json!({
            "type": "RollingUpdate",
            "rollingUpdate": {"maxSurge": max_surge, "maxUnavailable": max_unavailable},
        }),
    };
    json!({
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": meta::to_json(&set.meta, &[]),
        "spec": {
            "revisionHistoryLimit": set.spec.revision_history_limit,
            "minReadySeconds": set.spec.min_ready_seconds,
            "updateStrategy": update,
            "selector": selector::to_json(&set.spec.selector),
            "template": pod_template::to_json(&set.spec.template),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::patch::patched;
    use crate::sim::setup::PatchType;

    #[test]
    fn limits_outlast_a_time_on_delete() {
        let manifest = json!({
            "apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": {"name": "agent"},
            "spec": {
                "selector": {"matchLabels": {"app": "agent"}},
                "updateStrategy": {"rollingUpdate": {"maxUnavailable": "20%"}},
                "template": {
                    "metadata": {"labels": {"app": "agent"}},
                    "spec": {"containers": [{"name": "app", "image": "agent:1"}]},
                },
            },
        });
        let update = |object: &Object| match object {
            Object::DaemonSet(set) => set.spec.update,
            _ => panic!("not a DaemonSet"),
        };
        let of_type = |object: &Object, kind: &str| {
            let patch = json!({"spec": {"updateStrategy": {"type": kind}}});
            patched(object, PatchType::Strategic, &patch).expect("valid")
        };
        let written = read(&manifest).expect("valid").object;
        let manual = of_type(&written, "OnDelete");
        let (max_surge, max_unavailable) = (IntOrPercent::Int(0), IntOrPercent::Percent(20));
        let kept = DaemonSetUpdate::OnDelete { max_surge: Some(max_surge), max_unavailable: Some(max_unavailable) };
        assert_eq!(update(&manual), kept);
        let again = of_type(&manual, "RollingUpdate");
        assert_eq!(update(&again), DaemonSetUpdate::RollingUpdate { max_surge, max_unavailable });
    }
}
