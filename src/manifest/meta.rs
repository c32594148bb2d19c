//! `metadata`, from and to JSON.

use super::fields::Fields;
use super::kinds::{self, KnownKind};
use super::problems::Problems;
use super::syntax;
use crate::api::{Finalizers, Kind, Meta, NamedOwner};
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
/// left at zero; owners are kept by their names, since their UIDs are those of
/// another cluster.
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
    meta.named_owners = read_owners(&f, problems);
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

/// Reads the references to owners that are simulated.
///
/// Upstream: `staging/src/k8s.io/apimachinery/pkg/api/validation/objectmeta.go ValidateOwnerReferences`
fn read_owners(f: &Fields, problems: &mut Problems) -> Option<Arc<[NamedOwner]>> {
    let mut owners = Vec::new();
    let mut controller: Option<String> = None;
    for reference in f.objects("ownerReferences") {
        for field in ["apiVersion", "kind", "name"] {
            if reference.text(field).is_empty() {
                problems.invalid(&reference.path(field), "", "must not be empty");
            }
        }
        let shown = format!("{}/{}", reference.text("kind"), reference.text("name"));
        if reference.bool("controller") {
            if let Some(first) = &controller {
                let detail = format!("Only one reference can have Controller set to true, found {first} and {shown}");
                problems.invalid(&f.path("ownerReferences"), Value::Null, &detail);
            }
            controller.get_or_insert(shown);
        }
        if let Some(kind) = kind_of_owner(&reference) {
            owners.push(NamedOwner {
                kind,
                name: reference.text("name").into(),
                controller: reference.bool("controller"),
                blocks_deletion: reference.bool("blockOwnerDeletion"),
            });
        }
    }
    (!owners.is_empty()).then(|| owners.into())
}

fn kind_of_owner(reference: &Fields) -> Option<Kind> {
    let document = json!({"apiVersion": reference.text("apiVersion"), "kind": reference.text("kind")});
    match kinds::kind_of(&document) {
        Ok(KnownKind::Modelled(kind)) => Some(kind),
        _ => None,
    }
}

/// Names the owners and finalizers that are not modelled.
pub(super) fn foreign_holders(document: &Fields) -> Vec<String> {
    let metadata = document.object("metadata");
    let all = metadata.texts("finalizers");
    let foreign = all.iter().filter(|f| FINALIZERS.iter().all(|(known, _)| known != f));
    let finalizers = foreign.map(|f| format!("metadata.finalizers: {f} is dropped, nobody would ever remove it"));
    let owners = metadata.objects("ownerReferences").into_iter().filter(|owner| kind_of_owner(owner).is_none());
    let dropped = |o: Fields| format!("metadata.ownerReferences: {} is dropped, it is not simulated", o.text("kind"));
    finalizers.chain(owners.map(dropped)).collect()
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
    if let Some(owners) = &meta.named_owners {
        let owner = |o: &NamedOwner| {
            json!({
                "apiVersion": kinds::api_version(o.kind), "kind": o.kind.name(), "name": &*o.name,
                "controller": o.controller, "blockOwnerDeletion": o.blocks_deletion,
            })
        };
        out.insert("ownerReferences".to_string(), owners.iter().map(owner).collect());
    }
    Value::Object(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owners(references: &Value) -> (Option<Arc<[NamedOwner]>>, Vec<String>, Vec<String>) {
        let document = json!({"metadata": {"name": "pod", "ownerReferences": references}});
        let mut problems = Problems::default();
        let f = Fields::new(&document, "");
        let meta = read(&f, &mut problems);
        let problems = problems.finish(()).err().unwrap_or_default();
        (meta.named_owners, foreign_holders(&f), problems.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn owners_are_kept_by_name() {
        let set = json!({"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web", "uid": "1", "controller": true});
        let flow = json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "name": "flow", "uid": "2"});
        let (kept, dropped, problems) = owners(&json!([set, flow]));
        let web = NamedOwner { kind: Kind::ReplicaSet, name: "web".into(), controller: true, blocks_deletion: false };
        assert_eq!(kept.as_deref(), Some(&[web][..]));
        assert_eq!(dropped, ["metadata.ownerReferences: Workflow is dropped, it is not simulated"]);
        assert!(problems.is_empty());
        let (_, _, problems) = owners(&json!([set, set, {"apiVersion": "apps/v1", "kind": "ReplicaSet"}]));
        assert_eq!(
            problems,
            [
                "metadata.ownerReferences: Invalid value: null: Only one reference can have Controller set to true, found ReplicaSet/web and ReplicaSet/web",
                "metadata.ownerReferences[2].name: Invalid value: \"\": must not be empty",
            ]
        );
    }
}
