//! Pod templates: what the simulator reads of them, what is checked, and the
//! canonical form by which revisions are told apart.

mod containers;
mod coverage;
mod defaults;
mod life;
mod placement;
mod requests;
mod scheduling;
mod spec;
mod volumes;

pub(super) use coverage::not_modelled;
pub(super) use defaults::apply as apply_defaults;
pub(super) use scheduling::{selector_terms, term_to_json};
pub(super) use spec::deletion_cost;

use super::fields::Fields;
use super::problems::Problems;
use super::{meta, selector};
use crate::api::{Container, PodTemplate, RawTemplate, RestartPolicy, Selector};
use serde_json::{Map, Value};
use std::sync::Arc;

/// The label that the Deployment controller adds to tell its ReplicaSets apart.
const HASH_LABEL: &str = "pod-template-hash";

/// What the template is for; the rules differ a little.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// The template of a workload.
    Template,
    /// A pod itself.
    Pod,
}

/// Reads and checks a template, or a pod as its own template. Defaults have
/// been applied.
///
/// Upstream: `pkg/apis/core/validation/validation.go ValidatePodTemplateSpec`
pub(super) fn read(template: &Fields, purpose: Purpose, problems: &mut Problems) -> PodTemplate {
    let metadata = template.object("metadata");
    if purpose == Purpose::Template {
        meta::check_labels(&metadata, "labels", problems);
    }
    let annotations = match purpose {
        Purpose::Template => meta::annotations(&metadata, problems),
        Purpose::Pod => metadata.entries("annotations"),
    };
    spec::check_annotations(&metadata, problems);
    let f = template.object("spec");
    spec::check(&f, purpose, problems);
    let containers = f.objects("containers");
    PodTemplate {
        labels: Arc::new(metadata.labels("labels")),
        annotations: Arc::new(annotations),
        containers: containers
            .iter()
            .map(|c| Container { name: c.text("name").to_string(), image: c.text("image").to_string() })
            .collect(),
        restart_policy: restart_policy(&f),
        grace_seconds: grace_seconds(&f),
        node_selector: f.labels("nodeSelector"),
        node_affinity: scheduling::node_affinity(&f),
        tolerations: scheduling::tolerations(&f),
        requests: requests::of(&f),
        claims: volumes::claims(&f),
        placement: Arc::new(placement::of(&f)),
        life: life::of(&f),
        raw: RawTemplate::new(raw(template)),
    }
}

/// What the API server calls a workload in its messages.
#[derive(Clone, Copy)]
pub(super) struct Words {
    /// Whose selector may not be empty.
    pub(super) selector: &'static str,
    /// Whose pods may not have a deadline.
    pub(super) pods: &'static str,
}

/// The words for Deployments and ReplicaSets.
pub(super) const DEPLOYMENT_WORDS: Words = Words { selector: "deployment", pods: "ReplicaSet" };

/// Reads selector and template of a workload whose pods always restart.
///
/// Upstream: `pkg/apis/apps/validation/validation.go ValidatePodTemplateSpecForReplicaSet`
pub(super) fn read_selected(spec: &Fields, words: Words, problems: &mut Problems) -> (Selector, PodTemplate) {
    let selector = selector::read(spec, words.selector, problems);
    let f = spec.object("template");
    let labels = f.object("metadata").labels("labels");
    if let Some(selector) = &selector
        && !selector.matches(&labels)
    {
        mismatch(&f, selector, problems);
    }
    let template = read(&f, Purpose::Template, problems);
    let pod = f.object("spec");
    if template.restart_policy != RestartPolicy::Always {
        problems.one_of(&pod.path("restartPolicy"), pod.text("restartPolicy"), &["Always"]);
    }
    if pod.has("activeDeadlineSeconds") {
        problems.forbidden(
            &pod.path("activeDeadlineSeconds"),
            &format!("activeDeadlineSeconds in {} is not Supported", words.pods),
        );
    }
    (selector.unwrap_or_default(), template)
}

fn mismatch(template: &Fields, selector: &Selector, problems: &mut Problems) {
    let metadata = template.object("metadata");
    let labels = metadata.labels("labels");
    let missing: Vec<String> = selector
        .match_labels
        .0
        .iter()
        .filter(|(name, value)| labels.get(name) != Some(value))
        .map(|(name, value)| format!("{name}: {value}"))
        .collect();
    let shown = if labels.0.is_empty() { Value::Null } else { serde_json::json!(labels.0) };
    let message = super::problems::invalid(shown, "`selector` does not match template `labels`");
    let path = metadata.path("labels");
    if missing.is_empty() {
        problems.add(&path, message);
    } else {
        problems.add_with_hint(&path, message, format!("the selector asks for {}", missing.join(", ")));
    }
}

fn restart_policy(spec: &Fields) -> RestartPolicy {
    match spec.text("restartPolicy") {
        "OnFailure" => RestartPolicy::OnFailure,
        "Never" => RestartPolicy::Never,
        _ => RestartPolicy::Always,
    }
}

/// A negative grace period counts as one second.
///
/// Upstream: `staging/src/k8s.io/apiserver/pkg/registry/rest/delete.go BeforeDelete`
fn grace_seconds(spec: &Fields) -> u32 {
    let seconds = spec.int("terminationGracePeriodSeconds").unwrap_or(30);
    if seconds < 0 { 1 } else { u32::try_from(seconds).unwrap_or(u32::MAX) }
}

/// The canonical template. The hash label is left out: it is the Deployment
/// controller's own and must not make two templates different.
fn raw(template: &Fields) -> Value {
    let mut metadata = Map::new();
    let written = template.get("metadata").and_then(Value::as_object).into_iter().flatten();
    for (name, value) in written.filter(|(name, _)| *name == "labels" || *name == "annotations") {
        metadata.insert(name.clone(), value.clone());
    }
    if let Some(Value::Object(labels)) = metadata.get_mut("labels") {
        labels.shift_remove(HASH_LABEL);
    }
    metadata.retain(|_, v| v.as_object().is_none_or(|m| !m.is_empty()));
    let mut raw = Map::new();
    if !metadata.is_empty() {
        raw.insert("metadata".to_string(), Value::Object(metadata));
    }
    raw.insert("spec".to_string(), template.get("spec").cloned().unwrap_or_default());
    let mut raw = Value::Object(raw);
    raw.sort_all_objects();
    raw
}

/// The template as JSON, with all of its labels.
pub(super) fn to_json(template: &PodTemplate) -> Value {
    let mut json = template.raw.value().clone();
    if !template.labels.0.is_empty() {
        json["metadata"]["labels"] = serde_json::json!(template.labels.0);
    }
    json.sort_all_objects();
    json
}
