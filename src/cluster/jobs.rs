//! What the API server accepts as a change of a Job.

use crate::api::{Job, JobConditionType, PodTemplate};
use serde_json::Value;

/// Whether a suspended Job has no pods and never had any, or has got rid of
/// them: then its template may still be changed a little.
///
/// Upstream: `pkg/registry/batch/job/strategy.go shouldAllowMutablePodTemplate`
fn template_is_open(job: &Job) -> bool {
    let rested = job.status.start_time.is_none() || job.status.is(JobConditionType::Suspended);
    job.spec.suspend && rested && job.status.active == 0
}

/// Checks a new spec against the one that is stored.
///
/// Upstream: `pkg/apis/batch/validation/validation.go ValidateJobSpecUpdate`
///
/// # Errors
/// The API server's text.
pub fn check_update(old: &Job, new: &Job) -> Result<(), String> {
    let (before, after) = (&old.spec, &new.spec);
    if before.completions != after.completions {
        let word = |n: Option<i32>| n.map_or_else(|| "null".to_string(), |n| n.to_string());
        if !after.indexed {
            return Err(immutable("completions", &word(after.completions)));
        }
        if after.completions != Some(after.parallelism) {
            let shown = word(after.completions);
            return Err(format!(
                "spec.completions: Invalid value: {shown}: can only be modified in tandem with parallelism"
            ));
        }
    }
    let open = template_is_open(old);
    for (name, same) in [
        ("selector", before.selector == after.selector),
        ("template", same_template(&before.template, &after.template, open)),
        ("completionMode", before.indexed == after.indexed),
        ("podFailurePolicy", before.pod_failure_policy == after.pod_failure_policy),
        ("backoffLimitPerIndex", before.backoff_limit_per_index == after.backoff_limit_per_index),
        ("managedBy", before.managed_by == after.managed_by),
        ("successPolicy", before.success_policy == after.success_policy),
    ] {
        if !same {
            return Err(immutable(name, "{…}"));
        }
    }
    Ok(())
}

fn immutable(name: &str, shown: &str) -> String {
    format!("spec.{name}: Invalid value: {shown}: field is immutable")
}

/// Whether two templates differ at most in what may be changed: where the
/// pods go, their labels and annotations, and how much they ask for.
///
/// Upstream: `pkg/apis/batch/validation/validation.go validatePodTemplateUpdate`
fn same_template(old: &PodTemplate, new: &PodTemplate, open: bool) -> bool {
    if !open {
        return old.labels == new.labels && old.raw.value()["spec"] == new.raw.value()["spec"] && old.annotations == new.annotations;
    }
    fixed_part(old) == fixed_part(new)
}

fn fixed_part(template: &PodTemplate) -> Value {
    let mut spec = template.raw.value()["spec"].clone();
    if let Some(spec) = spec.as_object_mut() {
        for name in ["nodeSelector", "tolerations", "schedulingGates"] {
            spec.shift_remove(name);
        }
        let affinity = spec.get_mut("affinity").and_then(Value::as_object_mut);
        let none_left = affinity.is_some_and(|affinity| {
            affinity.shift_remove("nodeAffinity");
            affinity.is_empty()
        });
        if none_left {
            spec.shift_remove("affinity");
        }
        for list in ["containers", "initContainers"] {
            for container in spec.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten() {
                if let Some(container) = container.as_object_mut() {
                    container.shift_remove("resources");
                }
            }
        }
    }
    spec
}
