//! `podFailurePolicy`, `successPolicy` and `podReplacementPolicy`.

use super::limits::is_indexed;
use crate::api::{ConditionStatus, FailureAction, FailureMatch, FailureRule, Indexes, PodReplacement, SuccessRule};
use crate::manifest::fields::Fields;
use crate::manifest::problems::{Problems, invalid};
use crate::manifest::syntax;
use serde_json::{Value, json};
use std::sync::Arc;

const MAX_RULES: usize = 20;
const MAX_VALUES: usize = 255;
const MAX_PATTERNS: usize = 20;
const ACTIONS: [(&str, FailureAction); 4] = [
    ("Count", FailureAction::Count),
    ("FailIndex", FailureAction::FailIndex),
    ("FailJob", FailureAction::FailJob),
    ("Ignore", FailureAction::Ignore),
];
const STATUSES: [(&str, ConditionStatus); 3] =
    [("False", ConditionStatus::False), ("True", ConditionStatus::True), ("Unknown", ConditionStatus::Unknown)];

fn too_many(path: &str, count: usize, limit: usize, problems: &mut Problems) {
    if count > limit {
        problems.add(path, format!("Too many: {count}: must have at most {limit} items"));
    }
}

/// Upstream: `pkg/apis/batch/validation/validation.go validatePodFailurePolicy`
pub(super) fn failure(spec: &Fields, problems: &mut Problems) -> Option<Arc<[FailureRule]>> {
    if !spec.has("podFailurePolicy") {
        return None;
    }
    let policy = spec.object("podFailurePolicy");
    let rules = policy.objects("rules");
    too_many(&policy.path("rules"), rules.len(), MAX_RULES, problems);
    let pod = spec.object("template").object("spec");
    let containers: Vec<&str> =
        ["containers", "initContainers"].iter().flat_map(|list| pod.objects(list)).map(|c| c.text("name")).collect();
    Some(rules.iter().filter_map(|rule| failure_rule(rule, spec, &containers, problems)).collect())
}

/// Upstream: `pkg/apis/batch/validation/validation.go validatePodFailurePolicyRule`
fn failure_rule(rule: &Fields, spec: &Fields, containers: &[&str], problems: &mut Problems) -> Option<FailureRule> {
    let text = rule.text("action");
    let path = rule.path("action");
    if text.is_empty() {
        problems.required(&path, "valid values: [\"Count\" \"FailIndex\" \"FailJob\" \"Ignore\"]");
    } else if text == "FailIndex" && !spec.has("backoffLimitPerIndex") {
        problems.invalid(&path, text, "requires the backoffLimitPerIndex to be set");
    } else {
        problems.one_of(&path, text, &ACTIONS.map(|(name, _)| name));
    }
    let exits = rule.has("onExitCodes").then(|| exit_codes(&rule.object("onExitCodes"), containers, problems));
    let patterns = rule.objects("onPodConditions");
    too_many(&rule.path("onPodConditions"), patterns.len(), MAX_PATTERNS, problems);
    let conditions: Vec<_> = patterns.iter().filter_map(|p| condition(p, problems)).collect();
    let matches = match (exits, patterns.is_empty()) {
        (Some(exits), true) => exits,
        (None, false) => FailureMatch::Conditions(conditions),
        (Some(_), false) => {
            let message = "Invalid value: specifying both OnExitCodes and OnPodConditions is not supported";
            problems.add(rule.here(), message);
            return None;
        }
        (None, true) => {
            let message = "Invalid value: specifying one of OnExitCodes and OnPodConditions is required";
            problems.add(rule.here(), message);
            return None;
        }
    };
    let (_, action) = ACTIONS.iter().find(|(name, _)| *name == text)?;
    Some(FailureRule { action: *action, matches })
}

/// Upstream: `pkg/apis/batch/validation/validation.go validatePodFailurePolicyRuleOnExitCodes`
fn exit_codes(f: &Fields, containers: &[&str], problems: &mut Problems) -> FailureMatch {
    let operator = f.text("operator");
    if operator.is_empty() {
        problems.required(&f.path("operator"), "valid values: [\"In\" \"NotIn\"]");
    } else {
        problems.one_of(&f.path("operator"), operator, &["In", "NotIn"]);
    }
    let container = f.has("containerName").then(|| f.text("containerName"));
    if let Some(name) = container.filter(|name| !containers.contains(name)) {
        let detail = "must be one of the container or initContainer names in the pod template";
        problems.invalid(&f.path("containerName"), name, detail);
    }
    let path = f.path("values");
    let values: Vec<i32> = f.list("values").iter().filter_map(|v| i32::try_from(v.as_i64()?).ok()).collect();
    if values.is_empty() {
        problems.add(&path, invalid(Value::Null, "at least one value is required"));
    }
    too_many(&path, values.len(), MAX_VALUES, problems);
    for (i, value) in values.iter().enumerate() {
        let item = format!("{path}[{i}]");
        if operator == "In" && *value == 0 {
            problems.invalid(&item, 0, "must not be 0 for the In operator");
        }
        if values[..i].contains(value) {
            problems.add(&item, format!("Duplicate value: {value}"));
        }
    }
    if !values.is_sorted() {
        problems.invalid(&path, json!(values), "must be ordered");
    }
    FailureMatch::ExitCodes { container: container.map(Into::into), not_in: operator == "NotIn", values }
}

/// Upstream: `pkg/apis/batch/validation/validation.go validatePodFailurePolicyRuleOnPodConditions`,
/// `pkg/apis/batch/v1/defaults.go SetDefaults_PodFailurePolicyOnPodConditionsPattern`
fn condition(f: &Fields, problems: &mut Problems) -> Option<(Arc<str>, ConditionStatus)> {
    let kind = f.text("type");
    problems.invalid_text(&f.path("type"), kind, &syntax::label_key(kind));
    let status = match f.text("status") {
        "" => "True",
        given => given,
    };
    problems.one_of(&f.path("status"), status, &STATUSES.map(|(name, _)| name));
    let (_, status) = STATUSES.iter().find(|(name, _)| *name == status)?;
    Some((kind.into(), *status))
}

/// Upstream: `pkg/apis/batch/validation/validation.go validateSuccessPolicy`
pub(super) fn success(spec: &Fields, completions: Option<i32>, problems: &mut Problems) -> Option<Arc<[SuccessRule]>> {
    if !spec.has("successPolicy") {
        return None;
    }
    let policy = spec.object("successPolicy");
    if !is_indexed(spec) {
        let shown = spec.get("successPolicy").cloned().unwrap_or_default();
        problems.invalid(policy.here(), shown, "requires indexed completion mode");
        return None;
    }
    let (rules, path) = (policy.objects("rules"), policy.path("rules"));
    if rules.is_empty() {
        problems.required(&path, "at least one rules must be specified when the successPolicy is specified");
    }
    too_many(&path, rules.len(), MAX_RULES, problems);
    Some(rules.iter().map(|rule| success_rule(rule, completions.unwrap_or(0), problems)).collect())
}

/// Upstream: `pkg/apis/batch/validation/validation.go validateSuccessPolicyRule`
fn success_rule(f: &Fields, completions: i32, problems: &mut Problems) -> SuccessRule {
    const LONGEST: usize = 64 * 1024;
    let count = f.int("succeededCount").and_then(|n| i32::try_from(n).ok());
    if count.is_none() && !f.has("succeededIndexes") {
        problems.required(f.here(), "at least one of succeededCount or succeededIndexes must be specified");
    }
    let mut indexes = None;
    if f.has("succeededIndexes") {
        let (path, text) = (f.path("succeededIndexes"), f.text("succeededIndexes"));
        if text.len() > LONGEST {
            problems.add(&path, format!("Too long: may not be more than {LONGEST} bytes"));
        }
        match Indexes::parse(text, completions.max(0) as u32) {
            Ok(set) => indexes = Some(set),
            Err(why) => {
                problems.broken_by(&path, invalid(text, &format!("error parsing succeededIndexes: {why}")), None);
            }
        }
    }
    if let Some(count) = count {
        let path = f.path("succeededCount");
        problems.not_negative(&path, count.into());
        if count > completions {
            let detail = format!("must be less than or equal to {completions} (the number of specified completions)");
            problems.invalid(&path, count, &detail);
        }
        if let Some(total) = indexes.as_ref().map(Indexes::len).filter(|&total| i64::from(count) > total as i64) {
            let detail = format!(
                "must be less than or equal to {total} (the number of indexes in the specified succeededIndexes field)"
            );
            problems.invalid(&path, count, &detail);
        }
    }
    SuccessRule { indexes, count }
}

/// With a policy for failures pods are only replaced once they have failed:
/// before that the policy could not judge them.
///
/// Upstream: `pkg/apis/batch/validation/validation.go validatePodReplacementPolicy`,
/// `pkg/apis/batch/v1/defaults.go SetDefaults_Job`
pub(super) fn replacement(spec: &Fields, problems: &mut Problems) -> PodReplacement {
    let judged = spec.has("podFailurePolicy");
    let default = if judged { PodReplacement::Failed } else { PodReplacement::TerminatingOrFailed };
    if !spec.has("podReplacementPolicy") {
        return default;
    }
    let text = spec.text("podReplacementPolicy");
    let allowed: &[&str] = if judged { &["Failed"] } else { &["Failed", "TerminatingOrFailed"] };
    problems.one_of(&spec.path("podReplacementPolicy"), text, allowed);
    if text == "Failed" { PodReplacement::Failed } else { PodReplacement::TerminatingOrFailed }
}

/// The policy for failures as JSON.
pub(super) fn failure_to_json(rules: &[FailureRule]) -> Value {
    let rules: Vec<Value> = rules
        .iter()
        .map(|rule| {
            let action = ACTIONS.iter().find(|(_, action)| *action == rule.action).map(|(name, _)| name);
            let mut json = json!({"action": action});
            match &rule.matches {
                FailureMatch::ExitCodes { container, not_in, values } => {
                    let operator = if *not_in { "NotIn" } else { "In" };
                    json["onExitCodes"] = json!({"operator": operator, "values": values});
                    if let Some(name) = container {
                        json["onExitCodes"]["containerName"] = json!(**name);
                    }
                }
                FailureMatch::Conditions(patterns) => {
                    let pattern = |(kind, status): &(Arc<str>, ConditionStatus)| {
                        json!({"type": **kind, "status": status.to_string()})
                    };
                    json["onPodConditions"] = patterns.iter().map(pattern).collect();
                }
            }
            json
        })
        .collect();
    json!({"rules": rules})
}

/// The policy for successes as JSON.
pub(super) fn success_to_json(rules: &[SuccessRule]) -> Value {
    let rule = |rule: &SuccessRule| {
        let mut json = json!({});
        if let Some(indexes) = &rule.indexes {
            json["succeededIndexes"] = json!(indexes.to_string());
        }
        if let Some(count) = rule.count {
            json["succeededCount"] = json!(count);
        }
        json
    };
    json!({"rules": rules.iter().map(rule).collect::<Vec<_>>()})
}
