//! Who places the pods, and how important they are.

use super::Compiler;
use crate::api::{Object, PodTemplate, PriorityClass, parse_quantity};
use crate::environment::PriorityClasses;
use crate::environment::quota::{ClassMatch, LIMITED, Quota, Scope};
use crate::error::Problem;
use crate::manifest;
use crate::scenario::file::{Applied, SchedulerName, Spec};
use crate::scenario::load::Loaded;
use crate::sim::setup::SchedulerChoice;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What kube-scheduler's rules leave out here.
const SIMPLIFIED: &str = "pods are placed by kube-scheduler's rules, at once; ties are drawn";

impl Compiler<'_> {
    /// The scheduler, and what is worth saying about it.
    pub(super) fn scheduler(
        &mut self,
        chosen: Option<SchedulerName>,
        objects: &[Object],
        later: &[Object],
    ) -> (SchedulerChoice, Option<String>) {
        let templates = || objects.iter().chain(later).filter_map(Object::template);
        self.unknown_classes(templates());
        let counts_more = templates().any(|template| !template.placement.extras.is_empty());
        let counted = if counts_more { "what pods ask for is" } else { "only cpu, memory and pods are" };
        let simplified = || Some(format!("{SIMPLIFIED}; {counted} counted"));
        let particular = templates().any(|template| template.placement.is_particular());
        match chosen {
            Some(SchedulerName::Kube) => (SchedulerChoice::Kube, simplified()),
            None if particular => (SchedulerChoice::Kube, simplified()),
            Some(SchedulerName::Simple) if particular => {
                let left_out = "the simple scheduler places pods without regard to each other, to preferences, \
                                priorities and host ports";
                (SchedulerChoice::Simple, Some(left_out.to_string()))
            }
            _ => (SchedulerChoice::Simple, None),
        }
    }

    /// Reads a PriorityClass; whether it is one.
    pub(super) fn priority_class(&mut self, value: &Value, locate: &dyn Fn(Problem) -> Problem) -> bool {
        let text = |path: &str| value.pointer(path).and_then(Value::as_str).unwrap_or_default();
        if text("/kind") != "PriorityClass" || text("/apiVersion") != "scheduling.k8s.io/v1" {
            return false;
        }
        let number = value.get("value").and_then(Value::as_i64).unwrap_or(0);
        match i32::try_from(number) {
            Ok(number) if number <= HIGHEST => self.priority_classes.push(PriorityClass {
                name: text("/metadata/name").into(),
                value: number,
                global_default: value.get("globalDefault").and_then(Value::as_bool).unwrap_or(false),
                never_preempts: text("/preemptionPolicy") == "Never",
            }),
            _ => {
                let message = format!("Invalid value: {number}: must be at most {HIGHEST}");
                self.problems.push(locate(Problem::new(message).in_field("value")));
            }
        }
        true
    }

    /// Reads a ResourceQuota; whether it is one.
    pub(super) fn quota(&mut self, value: &Value, locate: &dyn Fn(Problem) -> Problem) -> bool {
        let text = |path: &str| value.pointer(path).and_then(Value::as_str).unwrap_or_default();
        if text("/kind") != "ResourceQuota" || text("/apiVersion") != "v1" {
            return false;
        }
        let namespace = if text("/metadata/namespace").is_empty() { "default" } else { text("/metadata/namespace") };
        let (namespace, name): (Arc<str>, Arc<str>) = (namespace.into(), text("/metadata/name").into());
        if self.applying {
            if !self.quotas.iter().any(|known| known.namespace == namespace && known.name == name) {
                let problem = Problem::new("a ResourceQuota is there from the beginning").in_field("kind");
                self.problems.push(locate(problem.with_hint("name it under `manifests` or `objects`")));
            }
            return true;
        }
        let scopes = self.scopes(value, locate);
        let mut quota = Quota { namespace, name, hard: BTreeMap::new(), scopes };
        let mut not_modelled = Vec::new();
        for (key, amount) in value.pointer("/spec/hard").and_then(Value::as_object).into_iter().flatten() {
            let Some(&limited) = LIMITED.iter().find(|name| *name == key) else {
                not_modelled.push(format!("\nspec.hard.{key}"));
                continue;
            };
            match parse_quantity(&amount.as_str().map_or_else(|| amount.to_string(), str::to_string)) {
                Ok(milli) => {
                    quota.hard.insert(limited, milli);
                }
                Err(message) => {
                    self.problems.push(locate(Problem::new(message).in_field(format!("spec.hard.{key}"))));
                }
            }
        }
        if !not_modelled.is_empty() {
            let message =
                format!("ResourceQuota {} has fields that are not modelled{}", quota.name, not_modelled.concat());
            self.notes.push(locate(Problem::new(message)));
        }
        self.quotas.push(quota);
        true
    }

    /// Reads which pods a ResourceQuota counts.
    ///
    /// Upstream: `pkg/apis/core/validation/validation.go validateResourceQuotaScopes`, `validateScopeSelector`
    fn scopes(&mut self, value: &Value, locate: &dyn Fn(Problem) -> Problem) -> Vec<Scope> {
        let list = |path: &str| value.pointer(path).and_then(Value::as_array).into_iter().flatten();
        let named = list("/spec/scopes").map(|name| json!({"scopeName": name, "operator": "Exists"}));
        let mut scopes = Vec::new();
        for entry in named.chain(list("/spec/scopeSelector/matchExpressions").cloned()) {
            match read_scope(&entry) {
                Ok(scope) => scopes.push(scope),
                Err(message) => self.problems.push(locate(Problem::new(message).in_field("spec"))),
            }
        }
        for opposite in
            [[Scope::Terminating(true), Scope::Terminating(false)], [Scope::BestEffort(true), Scope::BestEffort(false)]]
        {
            if opposite.iter().all(|scope| scopes.contains(scope)) {
                self.problems.push(locate(Problem::new("Invalid value: conflicting scopes").in_field("spec")));
            }
        }
        scopes
    }

    fn unknown_classes<'a>(&mut self, templates: impl Iterator<Item = &'a PodTemplate>) {
        let known = PriorityClasses::new(&self.priority_classes);
        let mut unknown: Vec<String> = templates
            .map(|template| &template.placement.priority_class)
            .filter(|name| !name.is_empty() && !known.names().any(|other| other == *name))
            .cloned()
            .collect();
        unknown.sort();
        unknown.dedup();
        for name in unknown {
            let message = format!("there is no PriorityClass {name} among the manifests: its pods have priority 0");
            self.notes.push(Problem::new(message));
        }
    }
}

/// One scope, or what is wrong with it.
fn read_scope(entry: &Value) -> Result<Scope, String> {
    let text = |field: &str| entry.get(field).and_then(Value::as_str).unwrap_or_default();
    let values = entry.get("values").and_then(Value::as_array).into_iter().flatten();
    let values: Vec<String> = values.filter_map(Value::as_str).map(str::to_string).collect();
    let (name, operator) = (text("scopeName"), text("operator"));
    let scope = match name {
        "Terminating" | "NotTerminating" => Scope::Terminating(name == "Terminating"),
        "BestEffort" | "NotBestEffort" => Scope::BestEffort(name == "BestEffort"),
        "CrossNamespacePodAffinity" => Scope::CrossNamespacePodAffinity,
        "PriorityClass" => {
            return match (operator, values.is_empty()) {
                ("Exists", true) => Ok(Scope::PriorityClass(ClassMatch::Exists(true))),
                ("DoesNotExist", true) => Ok(Scope::PriorityClass(ClassMatch::Exists(false))),
                ("In", false) => Ok(Scope::PriorityClass(ClassMatch::In(values))),
                ("NotIn", false) => Ok(Scope::PriorityClass(ClassMatch::NotIn(values))),
                ("In" | "NotIn", true) => Err(format!("Required value: {operator} needs `values`")),
                ("Exists" | "DoesNotExist", false) => Err(format!("Invalid value: {operator} takes no `values`")),
                _ => Err(format!("Invalid value: {operator:?}: not a valid selector operator")),
            };
        }
        _ => return Err(format!("Invalid value: {name:?}: unsupported scope")),
    };
    match operator {
        "Exists" => Ok(scope),
        _ => Err(format!("Invalid value: {operator:?}: must be 'Exists' when scope is {name}")),
    }
}

/// Higher values are the system's.
///
/// Upstream: `pkg/apis/scheduling/types.go HighestUserDefinablePriority`
const HIGHEST: i32 = 1_000_000_000;

/// The objects that actions apply.
pub(super) fn applied(loaded: &Loaded, spec: &Spec) -> Vec<Object> {
    let read = |value: &Value| manifest::read(value).ok().map(|l| l.object);
    let mut objects: Vec<Object> = loaded.applied.values().flatten().filter_map(|d| read(&d.value)).collect();
    for what in spec.actions.iter().flat_map(|a| &a.apply).flat_map(|all| &all.0) {
        if let Applied::Object(value) = what {
            objects.extend(read(value));
        }
    }
    objects
}
