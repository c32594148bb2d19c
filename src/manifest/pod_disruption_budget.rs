//! `policy/v1` PodDisruptionBudget, from and to JSON.

use super::deployment::int_or_percent;
use super::fields::Fields;
use super::problems::{Problems, invalid};
use super::shape::Shape::{Any, IntOrText, Opt, Ptr, Struct, Text};
use super::shape::common::{LABEL_SELECTOR, OBJECT_META};
use super::shape::{decode, shapes};
use super::{Loaded, meta, selector};
use crate::api::{
    Budget, IntOrPercent, Object, PodDisruptionBudget, PodDisruptionBudgetSpec, PodDisruptionBudgetStatus,
    UnhealthyPods,
};
use crate::error::Problem;
use serde_json::{Value, json};
use std::sync::Arc;

shapes! {
    SPEC {
        minAvailable: Opt(&IntOrText), selector: Ptr(&LABEL_SELECTOR), maxUnavailable: Opt(&IntOrText),
        unhealthyPodEvictionPolicy: Opt(&Text),
    }
    BUDGET {
        apiVersion: Text, kind: Text, metadata: Struct(&OBJECT_META), spec: Struct(&SPEC),
        status: Any,
    }
}

/// Upstream: `pkg/apis/policy/validation/validation.go ValidatePodDisruptionBudget`
pub(super) fn read(value: &Value) -> Result<Loaded, Vec<Problem>> {
    let mut problems = Problems::default();
    let document = decode(value, &BUDGET, &mut problems);
    let f = Fields::new(&document, "");
    let not_modelled = meta::foreign_holders(&f);
    let meta = meta::read(&f, &mut problems);
    let spec = read_spec(&f.object("spec"), &mut problems);
    let budget = PodDisruptionBudget { meta, spec, status: PodDisruptionBudgetStatus::default() };
    problems.finish(Loaded { object: Object::PodDisruptionBudget(Box::new(budget)), not_modelled })
}

/// Upstream: `pkg/apis/policy/validation/validation.go ValidatePodDisruptionBudgetSpec`
fn read_spec(f: &Fields, problems: &mut Problems) -> PodDisruptionBudgetSpec {
    if f.has("minAvailable") && f.has("maxUnavailable") {
        problems.add_with_hint(
            f.here(),
            invalid(spec_value(f), "minAvailable and maxUnavailable cannot be both set"),
            "maxUnavailable follows the size of the workload; remove minAvailable",
        );
    }
    let min_available = share(f, "minAvailable", problems);
    let max_unavailable = share(f, "maxUnavailable", problems);
    let selector = f.has("selector").then(|| Arc::new(selector::read_any(&f.object("selector"), problems)));
    let policy = f.get("unhealthyPodEvictionPolicy").and_then(Value::as_str);
    if let Some(policy) = policy {
        problems.one_of(&f.path("unhealthyPodEvictionPolicy"), policy, &UnhealthyPods::ALL.map(UnhealthyPods::name));
    }
    PodDisruptionBudgetSpec {
        selector,
        budget: match (min_available, max_unavailable) {
            // As the controller reads it; both together are refused.
            (_, Some(max)) => Budget::MaxUnavailable(max),
            (Some(min), None) => Budget::MinAvailable(min),
            (None, None) => Budget::Unset,
        },
        unhealthy: policy.and_then(|policy| UnhealthyPods::ALL.into_iter().find(|known| known.name() == policy)),
    }
}

fn spec_value(f: &Fields) -> Value {
    json!({"minAvailable": f.get("minAvailable"), "maxUnavailable": f.get("maxUnavailable")})
}

/// Upstream: `pkg/apis/apps/validation/validation.go IsNotMoreThan100Percent`
fn share(f: &Fields, name: &str, problems: &mut Problems) -> Option<IntOrPercent> {
    let share = f.has(name).then(|| int_or_percent(f, name, IntOrPercent::Int(0), problems))?;
    if matches!(share, IntOrPercent::Percent(percent) if percent > 100) {
        problems.add(&f.path(name), invalid(json!(share), "must not be greater than 100%"));
    }
    Some(share)
}

/// The PodDisruptionBudget as a client would send it.
pub(super) fn to_json(budget: &PodDisruptionBudget) -> Value {
    let mut spec = json!({});
    match budget.spec.budget {
        Budget::MinAvailable(share) => spec["minAvailable"] = json!(share),
        Budget::MaxUnavailable(share) => spec["maxUnavailable"] = json!(share),
        Budget::Unset => {}
    }
    if let Some(selector) = &budget.spec.selector {
        spec["selector"] = selector::to_json(selector);
    }
    if let Some(policy) = budget.spec.unhealthy {
        spec["unhealthyPodEvictionPolicy"] = json!(policy.name());
    }
    json!({
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": meta::to_json(&budget.meta, &[]),
        "spec": spec,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(spec: &Value) -> Value {
        json!({"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "web"}, "spec": spec})
    }

    #[test]
    fn budgets_survive_a_round_trip() {
        let selector = json!({"matchLabels": {"app": "web"}});
        for (spec, budget, unhealthy) in [
            (json!({"minAvailable": 2}), Budget::MinAvailable(IntOrPercent::Int(2)), None),
            (json!({"maxUnavailable": "30%"}), Budget::MaxUnavailable(IntOrPercent::Percent(30)), None),
            (
                json!({"maxUnavailable": 0, "unhealthyPodEvictionPolicy": "AlwaysAllow", "selector": selector}),
                Budget::MaxUnavailable(IntOrPercent::Int(0)),
                Some(UnhealthyPods::AlwaysAllow),
            ),
            (json!({"selector": {}}), Budget::Unset, None),
        ] {
            let loaded = read(&manifest(&spec)).expect("valid");
            let Object::PodDisruptionBudget(row) = &loaded.object else { panic!("not a budget") };
            assert_eq!((row.spec.budget, row.spec.unhealthy), (budget, unhealthy), "{spec}");
            assert_eq!(row.spec.selector.is_some(), spec.get("selector").is_some(), "{spec}");
            assert_eq!(read(&to_json(row)).expect("still valid").object, loaded.object);
        }
    }

    #[test]
    fn problems_are_told_in_the_api_servers_words() {
        for (spec, expected) in [
            (
                json!({"minAvailable": 1, "maxUnavailable": 1}),
                "spec: Invalid value: {\"minAvailable\":1,\"maxUnavailable\":1}: minAvailable and maxUnavailable cannot be both set (maxUnavailable follows the size of the workload; remove minAvailable)",
            ),
            (json!({"minAvailable": -1}), "spec.minAvailable: Invalid value: -1: must be greater than or equal to 0"),
            (
                json!({"maxUnavailable": "120%"}),
                "spec.maxUnavailable: Invalid value: \"120%\": must not be greater than 100%",
            ),
            (
                json!({"maxUnavailable": 1, "unhealthyPodEvictionPolicy": "alwaysAllow"}),
                "spec.unhealthyPodEvictionPolicy: Unsupported value: \"alwaysAllow\": supported values: \"AlwaysAllow\", \"IfHealthyBudget\" (did you mean \"AlwaysAllow\"?)",
            ),
        ] {
            let problems = read(&manifest(&spec)).expect_err("not valid");
            let said: Vec<String> = problems.iter().map(ToString::to_string).collect();
            assert_eq!(said, [expected], "{spec}");
        }
    }
}
