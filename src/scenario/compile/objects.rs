//! Manifests to objects; what is skipped is said.

use super::Compiler;
use crate::api::{Kind, Object};
use crate::error::Problem;
use crate::manifest::{self, KnownKind};
use crate::scenario::file::Spec;
use crate::scenario::scope::{Named, Scope};
use crate::scenario::yaml::Document;
use serde_json::Value;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

/// More pods than Kubernetes itself is made for.
pub(super) const MAX_REPLICAS: i64 = 200_000;

/// What is said about more than that.
pub(super) fn too_many(replicas: i64) -> String {
    format!("{replicas} replicas are more than the {MAX_REPLICAS} that can be simulated")
}

/// Where something is, as told at another place: the file only if it is
/// another one.
fn whereabouts(place: &Problem, from: &Problem) -> String {
    let file = place.file.as_ref().filter(|file| Some(*file) != from.file.as_ref());
    let line = place.position.map(|at| format!("line {}", at.line));
    let parts = [file.map(|file| file.display().to_string()), line];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

impl Compiler<'_> {
    /// The objects of the beginning: manifests, then those in the scenario.
    pub(super) fn objects(&mut self, manifests: &[Document], inline: &[Value]) -> Vec<Object> {
        let mut objects: Vec<Object> = Vec::new();
        let mut first_of: BTreeMap<(Kind, Arc<str>, Arc<str>), Problem> = BTreeMap::new();
        let mut once = |this: &mut Self, object: Option<Object>, place: Problem| {
            let Some(object) = object else { return };
            let (kind, meta) = (object.kind(), object.meta());
            match first_of.entry((kind, meta.namespace.clone(), meta.name.clone())) {
                Entry::Vacant(entry) => {
                    entry.insert(place);
                    objects.push(object);
                }
                Entry::Occupied(entry) => {
                    let message =
                        format!("{kind} {} is given twice, first in {}", meta.name, whereabouts(entry.get(), &place));
                    let hint = "take one of them away, or let an action apply it later";
                    this.problems.push(Problem { message, ..place }.with_hint(hint));
                }
            }
        };
        for document in manifests {
            let place = document.locate(Problem::default().in_field("metadata.name"));
            let object = self.manifest(document);
            once(self, object, place);
        }
        for (i, value) in inline.iter().enumerate() {
            let field = format!("spec.objects[{i}]");
            let problem = Problem::default().in_field(format!("{field}.metadata.name"));
            let place = self.document.map_or_else(|| problem.clone(), |document| document.locate(problem.clone()));
            let object = self.inline(value, &field);
            once(self, object, place);
        }
        objects
    }

    /// The object of a manifest file.
    pub(super) fn manifest(&mut self, document: &Document) -> Option<Object> {
        self.object(&document.value, &|problem| document.locate(problem))
    }

    /// An object in the scenario file.
    pub(super) fn inline(&mut self, value: &Value, field: &str) -> Option<Object> {
        let scenario = self.document;
        self.object(value, &|problem| {
            let inner = problem.field.clone().unwrap_or_default();
            let field = if inner.is_empty() { field.to_string() } else { format!("{field}.{inner}") };
            let problem = problem.in_field(field);
            match scenario {
                Some(document) => document.locate(problem),
                None => problem,
            }
        })
    }

    /// Refuses sizes that no memory holds.
    fn size(&mut self, object: &Object, locate: &dyn Fn(Problem) -> Problem) {
        let (replicas, field) = match object {
            Object::Deployment(d) => (d.spec.replicas, "spec.replicas"),
            Object::ReplicaSet(r) => (r.spec.replicas, "spec.replicas"),
            Object::StatefulSet(s) => (s.spec.replicas, "spec.replicas"),
            Object::Job(j) => (j.spec.parallelism, "spec.parallelism"),
            _ => return,
        };
        if i64::from(replicas) > MAX_REPLICAS {
            self.problems.push(locate(Problem::new(too_many(i64::from(replicas))).in_field(field)));
        }
    }

    fn object(&mut self, value: &Value, locate: &dyn Fn(Problem) -> Problem) -> Option<Object> {
        let text = |path: &str| value.pointer(path).and_then(Value::as_str).unwrap_or_default();
        if self.priority_class(value, locate) || self.quota(value, locate) {
            return None;
        }
        match manifest::kind_of(value) {
            Err(problem) => {
                self.problems.push(locate(problem));
                None
            }
            Ok(KnownKind::NotSimulated { kind, .. }) => {
                let name = text("/metadata/name");
                self.left_out.push(format!("{kind} {name}"));
                self.notes.push(locate(Problem::new(format!("{kind} {name} is not simulated and left out"))));
                None
            }
            Ok(KnownKind::List) => None,
            Ok(KnownKind::Modelled(kind)) => match manifest::read(value) {
                Ok(loaded) => {
                    let not_modelled = self.not_played(&loaded.object, loaded.not_modelled);
                    if !not_modelled.is_empty() {
                        let object = &loaded.object;
                        let (kind, name) = (object.kind(), &object.meta().name);
                        let fields = not_modelled.join("\n");
                        let message = format!("{kind} {name} has fields that are not modelled\n{fields}");
                        self.notes.push(locate(Problem::new(message)));
                    }
                    self.size(&loaded.object, locate);
                    Some(loaded.object)
                }
                Err(problems) => {
                    let namespace =
                        if text("/metadata/namespace").is_empty() { "default" } else { text("/metadata/namespace") };
                    let (namespace, name) = (namespace.to_string(), text("/metadata/name").to_string());
                    self.broken.push(Named { kind, namespace, name });
                    self.problems.extend(problems.into_iter().map(locate));
                    None
                }
            },
        }
    }
}

/// The names of the objects that actions apply.
pub(super) fn applied_names(objects: &[Object], into: &mut Vec<Named>) {
    for named in super::names(objects) {
        if !into.contains(&named) {
            into.push(named);
        }
    }
}

/// The names of the Jobs that people start.
pub(super) fn names_of_jobs(spec: &Spec, scope: &mut Scope) {
    let started = spec.actions.iter().filter_map(|action| action.create_job.as_ref()).flatten();
    let named = started.filter_map(|(name, from)| {
        let namespace = scope.object(from).ok()?.namespace.clone();
        Some(Named { kind: Kind::Job, namespace, name: name.clone() })
    });
    let new: Vec<Named> = named.filter(|named| !scope.objects.contains(named)).collect();
    scope.objects.extend(new);
}
