//! `metadata`, from and to JSON.

use super::fields::Fields;
use super::problems::Problems;
use super::syntax;
use crate::api::{Finalizers, Meta};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What `kubectl apply` keeps for itself; it decides nothing.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

const FINALIZERS: [(&str, Finalizers); 3] = [
    ("orphan", Finalizers::ORPHAN),
    ("foregroundDeletion", Finalizers::FOREGROUND),
    ("batch.kubernetes.io/job-tracking", Finalizers::JOB_TRACKING),
];

/// Reads and checks the metadata of a document. What the server fills in is
/// left at zero, owners are dropped: they lived in another cluster.
///
/// Upstream: `staging/src/k8s.io/apimachinery/pkg/api/validation/objectmeta.go ValidateObjectMeta`
pub(super) fn read(document: &Fields, problems: &mut Problems) -> Meta {
    let f = document.object("metadata");
    let name = f.text("name");
    if !name.is_empty() {
        check_name(&f.path("name"), name, syntax::dns_subdomain, problems);
    } else if f.has("generateName") {
        problems.add_with_hint(
            &f.path("name"),
            "Required value: generateName is not modelled",
            "give the object a name",
        );
    } else {
        problems.required(&f.path("name"), "name or generateName is required");
    }
    let namespace = match f.text("namespace") {
        "" => "default",
        other => other,
    };
    check_name(&f.path("namespace"), namespace, syntax::dns_label, problems);
    let mut meta = Meta::named(namespace, name);
    check_labels(&f, "labels", problems);
    meta.labels = Arc::new(f.labels("labels"));
    meta.annotations = Arc::new(annotations(&f, problems));
    for finalizer in f.texts("finalizers") {
        problems.invalid_text(&f.path("finalizers"), &finalizer, &syntax::label_key(&finalizer));
        if let Some((_, known)) = FINALIZERS.iter().find(|(name, _)| *name == finalizer) {
            meta.finalizers = meta.finalizers.with(*known);
        }
    }
    if meta.finalizers.has(Finalizers::ORPHAN.with(Finalizers::FOREGROUND)) {
        problems.invalid(
            &f.path("finalizers"),
            f.texts("finalizers"),
            "finalizer orphan and foregroundDeletion cannot be both set",
        );
    }
    meta
}

/// Names the finalizers that are not modelled.
pub(super) fn foreign_finalizers(document: &Fields) -> Vec<String> {
    let all = document.object("metadata").texts("finalizers");
    let foreign = all.iter().filter(|f| FINALIZERS.iter().all(|(known, _)| known != f));
    foreign.map(|f| format!("metadata.finalizers: {f} is dropped, nobody would ever remove it")).collect()
}

fn check_name(path: &str, name: &str, rule: fn(&str) -> Vec<String>, problems: &mut Problems) {
    for wrong in rule(name) {
        let message = super::problems::invalid(name, &wrong);
        match syntax::lower_case_hint(name, |better| rule(better).is_empty()) {
            Some(hint) => problems.add_with_hint(path, message, hint),
            None => problems.add(path, message),
        }
    }
}

/// Checks a mapping of label names to label values.
///
/// Upstream: `staging/src/k8s.io/apimachinery/pkg/apis/meta/v1/validation/validation.go ValidateLabels`
pub(super) fn check_labels(f: &Fields, name: &str, problems: &mut Problems) {
    for (key, value) in f.entries(name) {
        problems.invalid_text(&f.path(name), &key, &syntax::label_key(&key));
        for wrong in syntax::label_value(&value) {
            let message = super::problems::invalid(value.clone(), &wrong);
            problems.add_with_hint(&f.path(name), message, format!("this is the value of {key:?}"));
        }
    }
}

/// Reads and checks annotations; the last applied manifest is dropped.
///
/// Upstream: `staging/src/k8s.io/apimachinery/pkg/api/validation/objectmeta.go ValidateAnnotations`
pub(super) fn annotations(f: &Fields, problems: &mut Problems) -> BTreeMap<String, String> {
    const LIMIT: usize = 256 << 10;
    let mut all = f.entries("annotations");
    for key in all.keys() {
        problems.invalid_text(&f.path("annotations"), key, &syntax::label_key(&key.to_lowercase()));
    }
    if all.iter().map(|(k, v)| k.len() + v.len()).sum::<usize>() > LIMIT {
        problems.add(&f.path("annotations"), format!("Too long: may not be more than {LIMIT} bytes"));
    }
    all.remove(LAST_APPLIED);
    all
}

/// Takes an annotation that holds a whole number; one that does not is dropped.
pub(super) fn take_number<T: std::str::FromStr>(meta: &mut Meta, name: &str) -> Option<T> {
    meta.annotations.get(name)?;
    Arc::make_mut(&mut meta.annotations).remove(name)?.parse().ok()
}

/// The metadata as a client would send it, with some annotations added.
pub(super) fn to_json(meta: &Meta, more: &[(&str, Option<i64>)]) -> Value {
    let mut annotations = (*meta.annotations).clone();
    for (name, number) in more {
        if let Some(number) = number {
            annotations.insert((*name).to_string(), number.to_string());
        }
    }
    let mut out = Map::new();
    out.insert("name".to_string(), json!(&*meta.name));
    out.insert("namespace".to_string(), json!(&*meta.namespace));
    if !meta.labels.0.is_empty() {
        out.insert("labels".to_string(), json!(meta.labels.0));
    }
    if !annotations.is_empty() {
        out.insert("annotations".to_string(), json!(annotations));
    }
    let held: Vec<&str> = FINALIZERS.iter().filter(|(_, f)| meta.finalizers.has(*f)).map(|(name, _)| *name).collect();
    if !held.is_empty() {
        out.insert("finalizers".to_string(), json!(held));
    }
    Value::Object(out)
}
