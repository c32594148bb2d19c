//! Where pods may go: node selector, required node affinity, tolerations.

use crate::api::{Effect, NodeMatch, Operator, Toleration};
use crate::manifest::fields::Fields;
use crate::manifest::problems::{Problems, invalid};
use crate::manifest::selector::operator;
use crate::manifest::syntax;

const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";
const NODE_OPERATORS: [&str; 6] = ["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"];

fn required_terms<'a>(spec: &Fields<'a>) -> Vec<Fields<'a>> {
    spec.object("affinity").object("nodeAffinity").object(REQUIRED).objects("nodeSelectorTerms")
}

/// The required node affinity. A term that asks for nothing matches no node,
/// so it is left out, unless there are only such terms.
///
/// Upstream: `staging/src/k8s.io/component-helpers/scheduling/corev1/nodeaffinity/nodeaffinity.go`
pub(super) fn node_affinity(spec: &Fields) -> Vec<Vec<NodeMatch>> {
    terms_of(&required_terms(spec))
}

/// The terms of a node selector.
pub(in crate::manifest) fn selector_terms(selector: &Fields) -> Vec<Vec<NodeMatch>> {
    terms_of(&selector.objects("nodeSelectorTerms"))
}

fn terms_of(terms: &[Fields]) -> Vec<Vec<NodeMatch>> {
    let asked = !terms.is_empty();
    let mut read: Vec<Vec<NodeMatch>> = terms.iter().map(term).filter(|t| !t.is_empty()).collect();
    if asked && read.is_empty() {
        let never = NodeMatch { key: String::new(), operator: Operator::In, values: Vec::new(), field: false };
        read.push(vec![never]);
    }
    read
}

/// One node selector term.
pub(super) fn term(term: &Fields) -> Vec<NodeMatch> {
    let expressions = term.objects("matchExpressions").into_iter().map(|e| (e, false));
    let fields = term.objects("matchFields").into_iter().map(|e| (e, true));
    let read = |(e, field): (Fields, bool)| {
        Some(NodeMatch {
            key: e.text("key").to_string(),
            operator: operator(&e, &NODE_OPERATORS, &mut Problems::default())?,
            values: e.texts("values"),
            field,
        })
    };
    expressions.chain(fields).filter_map(read).collect()
}

/// A term of a node selector as a client would send it.
pub(in crate::manifest) fn term_to_json(term: &[NodeMatch]) -> serde_json::Value {
    let json =
        |m: &NodeMatch| serde_json::json!({"key": m.key, "operator": format!("{:?}", m.operator), "values": m.values});
    let (fields, labels): (Vec<&NodeMatch>, Vec<&NodeMatch>) = term.iter().partition(|m| m.field);
    let all = |matches: Vec<&NodeMatch>| matches.into_iter().map(json).collect::<Vec<_>>();
    serde_json::json!({"matchExpressions": all(labels), "matchFields": all(fields)})
}

/// Upstream: `pkg/apis/core/validation/validation.go ValidateNodeSelector`
pub(super) fn check_node_affinity(spec: &Fields, problems: &mut Problems) {
    let affinity = spec.object("affinity").object("nodeAffinity");
    if affinity.has(REQUIRED) {
        let required = affinity.object(REQUIRED);
        if required.list("nodeSelectorTerms").is_empty() {
            problems.required(&required.path("nodeSelectorTerms"), "must have at least one node selector term");
        }
    }
    for term in required_terms(spec) {
        check_term(&term, problems);
    }
    for preferred in affinity.objects("preferredDuringSchedulingIgnoredDuringExecution") {
        let weight = i64::from(preferred.int32("weight", 0));
        if !(1..=100).contains(&weight) {
            problems.invalid(&preferred.path("weight"), weight, "must be in the range 1-100");
        }
        check_term(&preferred.object("preference"), problems);
    }
}

fn check_term(term: &Fields, problems: &mut Problems) {
    for e in term.objects("matchExpressions") {
        check_expression(&e, problems);
    }
    for e in term.objects("matchFields") {
        check_field(&e, problems);
    }
}

/// Upstream: `pkg/apis/core/validation/validation.go ValidateNodeSelectorRequirement`
fn check_expression(e: &Fields, problems: &mut Problems) {
    let values = e.texts("values");
    let path = e.path("values");
    match operator(e, &NODE_OPERATORS, problems) {
        Some(Operator::In | Operator::NotIn) if values.is_empty() => {
            problems.required(&path, "must be specified when `operator` is 'In' or 'NotIn'");
        }
        Some(Operator::Exists | Operator::DoesNotExist) if !values.is_empty() => {
            problems.forbidden(&path, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
        }
        Some(Operator::Gt | Operator::Lt) if values.len() != 1 => {
            problems.required(&path, "must be specified single value when `operator` is 'Lt' or 'Gt'");
        }
        _ => {}
    }
    problems.invalid_text(&e.path("key"), e.text("key"), &syntax::label_key(e.text("key")));
    for (i, value) in values.iter().enumerate() {
        problems.invalid_text(&format!("{path}[{i}]"), value, &syntax::label_value(value));
    }
}

/// Upstream: `pkg/apis/core/validation/validation.go ValidateNodeFieldSelectorRequirement`
fn check_field(e: &Fields, problems: &mut Problems) {
    let values = e.texts("values");
    if operator(e, &["In", "NotIn"], problems).is_some() && values.len() != 1 {
        problems.required(
            &e.path("values"),
            "must be only one value when `operator` is 'In' or 'NotIn' for node field selector",
        );
    }
    if e.text("key") == "metadata.name" {
        for (i, value) in values.iter().enumerate() {
            problems.invalid_text(&format!("{}[{i}]", e.path("values")), value, &syntax::dns_subdomain(value));
        }
    } else {
        let message = invalid(e.text("key"), "not a valid field selector key");
        problems.add_with_hint(&e.path("key"), message, "only metadata.name is");
    }
}

/// The tolerations.
pub(super) fn tolerations(spec: &Fields) -> Vec<Toleration> {
    let read = |t: Fields| Toleration {
        key: t.text("key").to_string(),
        exists: t.text("operator") == "Exists",
        value: t.text("value").to_string(),
        effect: match t.text("effect") {
            "NoSchedule" => Some(Effect::NoSchedule),
            "PreferNoSchedule" => Some(Effect::PreferNoSchedule),
            "NoExecute" => Some(Effect::NoExecute),
            _ => None,
        },
        seconds: t.int("tolerationSeconds"),
    };
    spec.objects("tolerations").into_iter().map(read).collect()
}

/// Upstream: `pkg/apis/core/validation/validation.go ValidateTolerations`
pub(super) fn check_tolerations(spec: &Fields, problems: &mut Problems) {
    for t in spec.objects("tolerations") {
        let (key, operator, effect) = (t.text("key"), t.text("operator"), t.text("effect"));
        let value = t.text("value");
        if !key.is_empty() {
            problems.invalid_text(&t.path("key"), key, &syntax::label_key(key));
        }
        if key.is_empty() && operator != "Exists" {
            problems.invalid(
                &t.path("operator"),
                operator,
                "operator must be Exists when `key` is empty, which means \"match all values and all keys\"",
            );
        }
        if t.has("tolerationSeconds") && effect != "NoExecute" {
            problems.invalid(&t.path("effect"), effect, "effect must be 'NoExecute' when `tolerationSeconds` is set");
        }
        match operator {
            "" | "Equal" => {
                let wrong = syntax::label_value(value);
                if !wrong.is_empty() {
                    problems.invalid(&t.path("operator"), value, &wrong.join(";"));
                }
            }
            "Exists" if !value.is_empty() => {
                problems.invalid(&t.path("operator"), value, "value must be empty when `operator` is 'Exists'");
            }
            _ => {
                problems.one_of(&t.path("operator"), operator, &["Equal", "Exists"]);
            }
        }
        if !effect.is_empty() {
            problems.one_of(&t.path("effect"), effect, &["NoSchedule", "PreferNoSchedule", "NoExecute"]);
        }
    }
}

/// Upstream: `pkg/apis/core/validation/validation.go validateTopologySpreadConstraints`
pub(super) fn check_topology_spread(spec: &Fields, problems: &mut Problems) {
    let constraints = spec.objects("topologySpreadConstraints");
    for (i, c) in constraints.iter().enumerate() {
        let skew = c.int32("maxSkew", 0);
        if skew <= 0 {
            problems.invalid(&c.path("maxSkew"), skew, "must be greater than zero");
        }
        if c.text("topologyKey").is_empty() {
            problems.required(&c.path("topologyKey"), "can not be empty");
        }
        let action = c.text("whenUnsatisfiable");
        problems.one_of(&c.path("whenUnsatisfiable"), action, &["DoNotSchedule", "ScheduleAnyway"]);
        let same = |other: &&Fields| {
            other.text("topologyKey") == c.text("topologyKey") && other.text("whenUnsatisfiable") == action
        };
        if constraints.get(i + 1..).is_some_and(|rest| rest.iter().any(|other| same(&other))) {
            let pair = format!("{{{}, {action}}}", c.text("topologyKey"));
            problems.duplicate(&c.path("{topologyKey, whenUnsatisfiable}"), &pair);
        }
    }
}
