//! ResourceQuotas: which pods they count, and what those take of them.

use crate::api::{Pod, PodTemplate, parse_quantity};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What may be limited, in the order in which messages name it.
///
/// Upstream: `pkg/quota/v1/evaluator/core/pods.go podResources`
pub const LIMITED: [&str; 8] =
    ["count/pods", "cpu", "limits.cpu", "limits.memory", "memory", "pods", "requests.cpu", "requests.memory"];

/// A ResourceQuota: what the pods of a namespace may take together.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Quota {
    /// The namespace.
    pub namespace: Arc<str>,
    /// The name of its ResourceQuota; empty if it has none.
    pub name: Arc<str>,
    /// How much there may be of each of [`LIMITED`], in thousandths.
    pub hard: BTreeMap<&'static str, i64>,
    /// Of which pods only; all must hold.
    pub scopes: Vec<Scope>,
}

/// A sort of pods.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Scope {
    /// With `activeDeadlineSeconds`, or without.
    Terminating(bool),
    /// Without any request or limit of CPU or memory, or with one.
    BestEffort(bool),
    /// With affinity to pods of other namespaces.
    CrossNamespacePodAffinity,
    /// By their priority class.
    PriorityClass(ClassMatch),
}

/// Which priority classes are meant.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ClassMatch {
    /// Any, or none at all.
    Exists(bool),
    /// One of these.
    In(Vec<String>),
    /// None of these.
    NotIn(Vec<String>),
}

impl ClassMatch {
    fn holds(&self, class: &str) -> bool {
        let is_one_of = |classes: &[String]| !class.is_empty() && classes.iter().any(|other| other == class);
        match self {
            ClassMatch::Exists(exists) => class.is_empty() != *exists,
            ClassMatch::In(classes) => is_one_of(classes),
            ClassMatch::NotIn(classes) => !is_one_of(classes),
        }
    }
}

impl Quota {
    /// Whether pods of this template count.
    ///
    /// Upstream: `pkg/quota/v1/evaluator/core/pods.go podMatchesScopeFunc`
    #[must_use]
    pub fn counts(&self, template: &PodTemplate) -> bool {
        self.scopes.iter().all(|scope| match scope {
            Scope::Terminating(yes) => spec(template).get("activeDeadlineSeconds").is_some_and(Value::is_i64) == *yes,
            Scope::BestEffort(yes) => is_best_effort(spec(template)) == *yes,
            Scope::CrossNamespacePodAffinity => minds_other_namespaces(spec(template)),
            Scope::PriorityClass(classes) => classes.holds(&template.placement.priority_class),
        })
    }

    /// Why a pod may not be created because it does not say what it takes: of
    /// CPU and memory each of its containers must.
    ///
    /// Upstream: `pkg/quota/v1/evaluator/core/pods.go Constraints`
    #[must_use]
    pub fn unsaid(&self, template: &PodTemplate) -> Option<String> {
        let spec = spec(template);
        if !amounts_of_pod(spec).is_empty() {
            return None;
        }
        let missing = |name: &&'static str| {
            let silent: Vec<&str> = containers(spec).filter(|c| said(c, name).is_none()).map(name_of).collect();
            (!silent.is_empty()).then(|| format!("{name} for: {}", silent.join(",")))
        };
        let must_be_said = self.hard.keys().filter(|name| !name.ends_with("pods"));
        let all: Vec<String> = must_be_said.filter_map(missing).collect();
        let said = || format!("failed quota{}: must specify {}", self.title(), all.join("; "));
        (!all.is_empty()).then(said)
    }

    /// Why a pod may not be created because it would be too much.
    ///
    /// Upstream: `staging/src/k8s.io/apiserver/pkg/admission/plugin/resourcequota/controller.go CheckRequest`
    #[must_use]
    pub fn excess(&self, used: &Charge, wanted: &Charge) -> Option<String> {
        let is_over = |(name, hard): &(&&str, &i64)| wanted.of(name) > 0 && used.of(name) + wanted.of(name) > **hard;
        let over: Vec<(&str, i64)> = self.hard.iter().filter(is_over).map(|(name, hard)| (*name, *hard)).collect();
        let list = |amount: &dyn Fn(&str, i64) -> i64| {
            let items = over.iter().map(|&(name, hard)| format!("{name}={}", in_short(amount(name, hard))));
            items.collect::<Vec<_>>().join(",")
        };
        let (wanted, used, hard) =
            (list(&|name, _| wanted.of(name)), list(&|name, _| used.of(name)), list(&|_, hard| hard));
        let said = || format!("exceeded quota{}, requested: {wanted}, used: {used}, limited: {hard}", self.title());
        (!over.is_empty()).then(said)
    }

    fn title(&self) -> String {
        if self.name.is_empty() { String::new() } else { format!(": {}", self.name) }
    }
}

/// What pods take of quotas, in thousandths.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Charge {
    /// Pods that there are.
    objects: i64,
    /// Those that have not ended.
    pods: i64,
    requests: (i64, i64),
    limits: (i64, i64),
}

impl Charge {
    /// What a new pod takes.
    #[must_use]
    pub fn of_template(template: &PodTemplate) -> Charge {
        let requests = (template.requests.cpu_milli, template.requests.memory_milli);
        let limits = (limit(spec(template), "cpu"), limit(spec(template), "memory"));
        Charge { objects: 1_000, pods: 1_000, requests, limits }
    }

    /// What a pod takes: once it has ended, only that it is there.
    ///
    /// Upstream: `pkg/quota/v1/evaluator/core/pods.go PodUsageFunc`
    #[must_use]
    pub fn of_pod(pod: &Pod) -> Charge {
        match pod.is_finished() {
            true => Charge { objects: 1_000, ..Charge::default() },
            false => Charge::of_template(&pod.template),
        }
    }

    /// These and others.
    #[must_use]
    pub const fn plus(self, other: Charge) -> Charge {
        self.combine(other, 1)
    }

    /// These without others.
    #[must_use]
    pub const fn minus(self, other: Charge) -> Charge {
        self.combine(other, -1)
    }

    const fn combine(self, other: Charge, sign: i64) -> Charge {
        Charge {
            objects: self.objects + sign * other.objects,
            pods: self.pods + sign * other.pods,
            requests: (self.requests.0 + sign * other.requests.0, self.requests.1 + sign * other.requests.1),
            limits: (self.limits.0 + sign * other.limits.0, self.limits.1 + sign * other.limits.1),
        }
    }

    fn of(&self, name: &str) -> i64 {
        match name {
            "count/pods" => self.objects,
            "pods" => self.pods,
            "limits.cpu" => self.limits.0,
            "limits.memory" => self.limits.1,
            "cpu" | "requests.cpu" => self.requests.0,
            _ => self.requests.1,
        }
    }
}

fn spec(template: &PodTemplate) -> &Value {
    template.raw.value().get("spec").unwrap_or(&Value::Null)
}

fn list<'a>(spec: &'a Value, field: &str) -> impl Iterator<Item = &'a Value> {
    spec.get(field).and_then(Value::as_array).into_iter().flatten()
}

fn containers(spec: &Value) -> impl Iterator<Item = &Value> {
    list(spec, "containers").chain(list(spec, "initContainers"))
}

fn name_of(container: &Value) -> &str {
    container.get("name").and_then(Value::as_str).unwrap_or_default()
}

fn amount(of: &Value, list: &str, resource: &str) -> Option<i64> {
    parse_quantity(of.get("resources")?.get(list)?.get(resource)?.as_str()?).ok()
}

/// What a container says of something that a quota limits; a limit is a
/// request as well.
fn said(container: &Value, name: &str) -> Option<i64> {
    let (list, resource) = name.split_once('.').unwrap_or(("requests", name));
    let limit = amount(container, "limits", resource);
    if list == "limits" { limit } else { amount(container, "requests", resource).or(limit) }
}

/// The requests and limits of the pod as a whole.
fn amounts_of_pod(spec: &Value) -> Vec<i64> {
    let all = [("requests", "cpu"), ("requests", "memory"), ("limits", "cpu"), ("limits", "memory")];
    all.into_iter().filter_map(|(list, resource)| amount(spec, list, resource)).collect()
}

/// Upstream: `pkg/apis/core/v1/helper/qos/qos.go ComputePodQOS`
fn is_best_effort(spec: &Value) -> bool {
    let of_containers = containers(spec).flat_map(amounts_of_pod);
    of_containers.chain(amounts_of_pod(spec)).all(|amount| amount == 0)
}

/// The limits of a pod: its containers and sidecars together, or its hungriest
/// init container if that is more, or that of the whole; and the overhead.
///
/// Upstream: `staging/src/k8s.io/component-helpers/resource/helpers.go PodLimits`
fn limit(spec: &Value, resource: &str) -> i64 {
    let own = |c: &Value| amount(c, "limits", resource).unwrap_or(0);
    let mut total: i64 = list(spec, "containers").map(own).sum();
    let (mut sidecars, mut initial) = (0, 0);
    for init in list(spec, "initContainers") {
        if init.get("restartPolicy").and_then(Value::as_str) == Some("Always") {
            total += own(init);
            sidecars += own(init);
            initial = initial.max(sidecars);
        } else {
            initial = initial.max(sidecars + own(init));
        }
    }
    let counted = amount(spec, "limits", resource).unwrap_or_else(|| total.max(initial));
    let overhead = spec.pointer(&format!("/overhead/{resource}")).and_then(Value::as_str);
    let overhead = overhead.and_then(|text| parse_quantity(text).ok()).filter(|_| counted > 0);
    counted + overhead.unwrap_or(0)
}

/// Upstream: `pkg/quota/v1/evaluator/core/pods.go usesCrossNamespacePodAffinity`
fn minds_other_namespaces(spec: &Value) -> bool {
    const PREFERRED: &str = "preferredDuringSchedulingIgnoredDuringExecution";
    const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";
    let elsewhere = |term: &Value| {
        list(term, "namespaces").next().is_some() || term.get("namespaceSelector").is_some_and(|s| !s.is_null())
    };
    ["podAffinity", "podAntiAffinity"].into_iter().any(|kind| {
        let affinity = spec.pointer(&format!("/affinity/{kind}")).unwrap_or(&Value::Null);
        list(affinity, REQUIRED).any(elsewhere)
            || list(affinity, PREFERRED).filter_map(|term| term.get("podAffinityTerm")).any(elsewhere)
    })
}

/// Thousandths as a quantity: whole units, Mi where it comes out even, or
/// thousandths.
fn in_short(milli: i64) -> String {
    match milli {
        n if n % 1_000 != 0 => format!("{n}m"),
        n if n != 0 && n % (1_000 << 20) == 0 => format!("{}Mi", n / (1_000 << 20)),
        n => (n / 1_000).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{Placement, RawTemplate};
    use serde_json::json;

    fn template(spec: &Value) -> PodTemplate {
        PodTemplate { raw: RawTemplate::new(json!({ "spec": spec })), ..PodTemplate::empty() }
    }

    fn quota(hard: &[(&'static str, i64)], scopes: Vec<Scope>) -> Quota {
        Quota { namespace: "shop".into(), name: "".into(), hard: hard.iter().copied().collect(), scopes }
    }

    #[test]
    fn a_quota_limits_what_is_taken_together() {
        let quota = quota(&[("pods", 3_000), ("requests.cpu", 1_000)], Vec::new());
        let of = |pods: i64, cpu| Charge { pods: pods * 1_000, requests: (cpu, 5), ..Charge::default() };
        for (used, wanted, why) in [
            (of(2, 500), of(1, 500), None),
            (of(3, 500), of(1, 500), Some("exceeded quota, requested: pods=1, used: pods=3, limited: pods=3")),
            (
                of(1, 600),
                of(1, 500),
                Some("exceeded quota, requested: requests.cpu=500m, used: requests.cpu=600m, limited: requests.cpu=1"),
            ),
        ] {
            assert_eq!(quota.excess(&used, &wanted).as_deref(), why);
        }
        assert_eq!(in_short(64 * (1_000 << 20)), "64Mi");
    }

    #[test]
    fn every_container_must_say_what_is_limited() {
        let quota = quota(&[("limits.memory", 1), ("pods", 1), ("requests.cpu", 1)], Vec::new());
        let said = |resources: Value| json!({"name": "a", "resources": resources});
        for (spec, why) in [
            (json!({"containers": [said(json!({"limits": {"cpu": "1", "memory": "1Gi"}}))]}), None),
            (
                json!({"containers": [said(json!({"requests": {"cpu": "1", "memory": "1Gi"}}))]}),
                Some("failed quota: must specify limits.memory for: a"),
            ),
            (
                json!({"containers": [said(json!({"limits": {"memory": "1"}}))], "initContainers": [{"name": "i"}]}),
                Some("failed quota: must specify limits.memory for: i; requests.cpu for: a,i"),
            ),
            (json!({"containers": [{"name": "a"}], "resources": {"requests": {"cpu": "1"}}}), None),
        ] {
            assert_eq!(quota.unsaid(&template(&spec)).as_deref(), why, "{spec}");
        }
    }

    #[test]
    fn scopes_say_which_pods_count() {
        let asks = json!([{"name": "a", "resources": {"limits": {"cpu": "1"}}}]);
        let elsewhere = json!({"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [
            {"weight": 1, "podAffinityTerm": {"topologyKey": "zone", "namespaceSelector": {}}}
        ]}});
        let classes = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
        for (scope, spec, counts) in [
            (Scope::Terminating(true), json!({"activeDeadlineSeconds": 5}), true),
            (Scope::Terminating(true), json!({}), false),
            (Scope::Terminating(false), json!({}), true),
            (Scope::BestEffort(true), json!({"containers": [{"name": "a"}]}), true),
            (Scope::BestEffort(true), json!({"containers": asks}), false),
            (Scope::BestEffort(false), json!({"containers": asks}), true),
            (Scope::CrossNamespacePodAffinity, json!({"affinity": elsewhere}), true),
            (Scope::CrossNamespacePodAffinity, json!({"affinity": {"podAffinity": {}}}), false),
            (Scope::PriorityClass(ClassMatch::Exists(true)), json!({}), true),
            (Scope::PriorityClass(ClassMatch::Exists(false)), json!({}), false),
            (Scope::PriorityClass(ClassMatch::In(classes(&["high", "low"]))), json!({}), true),
            (Scope::PriorityClass(ClassMatch::In(classes(&["low"]))), json!({}), false),
            (Scope::PriorityClass(ClassMatch::NotIn(classes(&["low"]))), json!({}), true),
        ] {
            let plain = template(&spec);
            let placement = Arc::new(Placement { priority_class: "high".into(), ..(*plain.placement).clone() });
            let pod = PodTemplate { placement, ..plain };
            assert_eq!(quota(&[], vec![scope.clone()]).counts(&pod), counts, "{scope:?} {spec}");
        }
    }

    #[test]
    fn limits_are_summed_as_requests_are() {
        let c = |cpu: &str| json!({"resources": {"limits": {"cpu": cpu}}});
        for (spec, milli) in [
            (json!({"containers": [c("100m"), c("1")]}), 1_100),
            (json!({"containers": [c("1")], "initContainers": [c("2")]}), 2_000),
            (json!({"containers": [c("1")], "resources": {"limits": {"cpu": "4"}}, "overhead": {"cpu": "1"}}), 5_000),
            (json!({"containers": [{}], "overhead": {"cpu": "1"}}), 0),
        ] {
            assert_eq!(limit(&spec, "cpu"), milli, "{spec}");
        }
    }
}
