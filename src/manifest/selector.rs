//! Label selectors.

use super::fields::Fields;
use super::meta::check_labels;
use super::problems::{Problems, invalid};
use super::{suggest, syntax};
use crate::api::{Operator, Requirement, Selector};
use serde_json::json;

/// Reads and checks the selector of a workload. None if there is no selector
/// that could be compared with the template's labels.
///
/// Upstream: `staging/src/k8s.io/apimachinery/pkg/apis/meta/v1/validation/validation.go ValidateLabelSelector`
pub(super) fn read(spec: &Fields, workload: &str, problems: &mut Problems) -> Option<Selector> {
    let path = spec.path("selector");
    if !spec.has("selector") {
        problems.add_with_hint(&path, "Required value", "write matchLabels with labels that the template has too");
        return None;
    }
    let f = spec.object("selector");
    let selector = read_any(&f, problems);
    let wanted = f.list("matchExpressions").len();
    if wanted == 0 && selector.is_empty() {
        let message = invalid(json!({}), &format!("empty selector is invalid for {workload}"));
        problems.add_with_hint(&path, message, "write matchLabels with labels that the template has too");
    }
    let complete = wanted == selector.match_expressions.len() && !selector.is_empty();
    (complete && !problems.is_broken(&path)).then_some(selector)
}

/// Reads and checks a selector that may be empty.
pub(super) fn read_any(f: &Fields, problems: &mut Problems) -> Selector {
    check_labels(f, "matchLabels", problems);
    let expressions = f.objects("matchExpressions");
    Selector {
        match_labels: f.labels("matchLabels"),
        match_expressions: expressions.iter().filter_map(|e| requirement(e, problems)).collect(),
    }
}

fn requirement(f: &Fields, problems: &mut Problems) -> Option<Requirement> {
    let values = f.texts("values");
    let operator = operator(f, &["In", "NotIn", "Exists", "DoesNotExist"], problems);
    match operator {
        Some(Operator::In | Operator::NotIn) if values.is_empty() => {
            problems.required(&f.path("values"), "must be specified when `operator` is 'In' or 'NotIn'");
        }
        Some(Operator::Exists | Operator::DoesNotExist) if !values.is_empty() => {
            problems.forbidden(&f.path("values"), "may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
        }
        _ => {}
    }
    let key = f.text("key").to_string();
    problems.invalid_text(&f.path("key"), &key, &syntax::label_key(&key));
    for (i, value) in values.iter().enumerate() {
        problems.invalid_text(&format!("{}[{i}]", f.path("values")), value, &syntax::label_value(value));
    }
    Some(Requirement { key, operator: operator?, values })
}

/// Reads the `operator` of a requirement.
pub(super) fn operator(f: &Fields, known: &[&str], problems: &mut Problems) -> Option<Operator> {
    let text = f.text("operator");
    let operator = match text {
        "In" => Operator::In,
        "NotIn" => Operator::NotIn,
        "Exists" => Operator::Exists,
        "DoesNotExist" => Operator::DoesNotExist,
        "Gt" => Operator::Gt,
        "Lt" => Operator::Lt,
        _ => {
            let message = invalid(text, "not a valid selector operator");
            match suggest::closest(text, known.iter().copied()) {
                Some(near) => {
                    problems.add_with_hint(&f.path("operator"), message, format!("did you mean {near:?}?"));
                }
                None => problems.add_with_hint(&f.path("operator"), message, format!("one of {}", known.join(", "))),
            }
            return None;
        }
    };
    if known.contains(&text) {
        return Some(operator);
    }
    problems.invalid(&f.path("operator"), text, "not a valid selector operator");
    None
}

/// The selector as JSON.
pub(super) fn to_json(selector: &Selector) -> serde_json::Value {
    serde_json::to_value(selector).unwrap_or_default()
}
