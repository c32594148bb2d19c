//! `batch/v1` Job, from and to JSON, and the Job templates of CronJobs.

mod limits;
mod policies;

use super::fields::Fields;
use super::problems::{Problems, invalid};
use super::shape::Shape::{Any, Bool, Int32, Int64, List, Opt, Ptr, Struct, Structs, Text};
use super::shape::common::{LABEL_SELECTOR, OBJECT_META};
use super::shape::pod::POD_TEMPLATE_SPEC;
use super::shape::shapes;
use super::workload::{Head, read_head};
use super::{Loaded, meta, pod_template, selector, syntax};
use crate::api::{
    Job, JobSpec, JobStatus, Labels, Object, PodReplacement, PodTemplate, RestartPolicy, is_generated_label,
};
use crate::error::Problem;
use serde_json::{Value, json};
use std::sync::Arc;

shapes! {
    ON_EXIT_CODES {
        containerName: Opt(&Text), operator: Text, values: List(&Int32),
    }
    ON_POD_CONDITIONS {
        type: Text, status: Text,
    }
    FAILURE_RULE {
        action: Text, onExitCodes: Ptr(&ON_EXIT_CODES), onPodConditions: Structs(&ON_POD_CONDITIONS),
    }
    FAILURE_POLICY {
        rules: Structs(&FAILURE_RULE),
    }
    SUCCESS_RULE {
        succeededIndexes: Opt(&Text), succeededCount: Opt(&Int32),
    }
    SUCCESS_POLICY {
        rules: Structs(&SUCCESS_RULE),
    }
    JOB_SPEC {
        parallelism: Opt(&Int32), completions: Opt(&Int32), activeDeadlineSeconds: Opt(&Int64),
        podFailurePolicy: Ptr(&FAILURE_POLICY), successPolicy: Ptr(&SUCCESS_POLICY),
        backoffLimit: Opt(&Int32), backoffLimitPerIndex: Opt(&Int32), maxFailedIndexes: Opt(&Int32),
        selector: Ptr(&LABEL_SELECTOR), manualSelector: Opt(&Bool),
        template: Struct(&POD_TEMPLATE_SPEC), ttlSecondsAfterFinished: Opt(&Int32),
        completionMode: Opt(&Text), suspend: Opt(&Bool), podReplacementPolicy: Opt(&Text),
        managedBy: Opt(&Text),
    }
    JOB {
        apiVersion: Text, kind: Text, metadata: Struct(&OBJECT_META), spec: Struct(&JOB_SPEC),
        status: Any,
    }
}

/// Upstream: `pkg/apis/batch/validation/validation.go ValidateJob`
pub(super) fn read(value: &Value) -> Result<Loaded, Vec<Problem>> {
    let mut problems = Problems::default();
    let Head { document, mut meta, not_modelled } = read_head(value, &JOB, "spec.template", &mut problems);
    let f = Fields::new(&document, "");
    let spec = f.object("spec");
    let job_spec = read_spec(&spec, &mut problems);
    let job_spec = read_selector(job_spec, &spec, &mut problems);
    if meta.labels.0.is_empty() {
        meta.labels = job_spec.template.labels.clone();
    }
    check_pod_names(&f, &job_spec, &mut problems);
    let job = Job { meta, spec: job_spec, status: JobStatus::default() };
    problems.finish(Loaded { object: Object::Job(Box::new(job)), not_modelled })
}

/// Reads the template of a CronJob's Jobs at `spec.jobTemplate.spec`. Its pod
/// template must have its defaults. Selectors are made up for each Job.
///
/// Upstream: `pkg/apis/batch/validation/validation.go ValidateJobTemplateSpec`
pub(super) fn read_template(f: &Fields, problems: &mut Problems) -> JobSpec {
    let spec = read_spec(f, problems);
    if f.has("selector") {
        let shown = f.get("selector").cloned().unwrap_or_default();
        problems.invalid(&f.path("selector"), shown, "`selector` will be auto-generated");
    }
    if f.bool("manualSelector") {
        problems.add(&f.path("manualSelector"), "Unsupported value: true: supported values: \"nil\", \"false\"");
    }
    spec
}

/// Reads all but the selector.
///
/// Upstream: `pkg/apis/batch/validation/validation.go validateJobSpec`,
/// `pkg/apis/batch/v1/defaults.go SetDefaults_Job`
fn read_spec(f: &Fields, problems: &mut Problems) -> JobSpec {
    let number = |name: &str| f.int(name).and_then(|n| i32::try_from(n).ok());
    let backoff_limit_per_index = number("backoffLimitPerIndex");
    let forgiven = if backoff_limit_per_index.is_some() { i32::MAX } else { 6 };
    let completions = number("completions").or_else(|| (!f.has("parallelism")).then_some(1));
    limits::check(f, completions, problems);
    let pod_failure_policy = policies::failure(f, problems);
    let success_policy = policies::success(f, completions, problems);
    let pod_replacement = policies::replacement(f, problems);
    let template = pod_template::read(&f.object("template"), pod_template::Purpose::Template, problems);
    check_restart_policy(f, &template, problems);
    JobSpec {
        parallelism: f.int32("parallelism", 1),
        completions,
        indexed: limits::is_indexed(f),
        backoff_limit: f.int32("backoffLimit", forgiven),
        backoff_limit_per_index,
        max_failed_indexes: number("maxFailedIndexes"),
        active_deadline_seconds: f.int("activeDeadlineSeconds"),
        ttl_seconds_after_finished: number("ttlSecondsAfterFinished"),
        suspend: f.bool("suspend"),
        pod_replacement,
        pod_failure_policy,
        success_policy,
        managed_by: f.has("managedBy").then(|| f.text("managedBy").into()),
        manual_selector: f.bool("manualSelector"),
        selector: Arc::default(),
        template: Arc::new(template),
    }
}

/// Pods that always restart would never end.
fn check_restart_policy(f: &Fields, template: &PodTemplate, problems: &mut Problems) {
    let pod = f.object("template").object("spec");
    let path = pod.path("restartPolicy");
    match template.restart_policy {
        RestartPolicy::Always => problems.add_with_hint(
            &path,
            "Required value: valid values: \"OnFailure\", \"Never\"",
            "pods that always restart never end",
        ),
        RestartPolicy::OnFailure if f.has("podFailurePolicy") => {
            problems.invalid(&path, "OnFailure", "only \"Never\" is supported when podFailurePolicy is specified");
        }
        _ => {}
    }
}

/// The selector, if the user chose it; else it must not be there, nor the
/// labels that go with it: they belong to a Job of another cluster.
///
/// Upstream: `pkg/apis/batch/validation/validation.go ValidateJobSpec`,
/// `validateGeneratedSelector`
fn read_selector(mut spec: JobSpec, f: &Fields, problems: &mut Problems) -> JobSpec {
    let metadata = f.object("template").object("metadata");
    let labels = metadata.labels("labels");
    if spec.manual_selector {
        let selector = selector::read(f, "job", problems);
        if selector.as_ref().is_some_and(|s| !s.matches(&labels)) {
            let message = invalid(json!(labels.0), "`selector` does not match template `labels`");
            problems.add(&metadata.path("labels"), message);
        }
        spec.selector = Arc::new(selector.unwrap_or_default());
        return spec;
    }
    let hint = "remove it: the API server makes selector and labels up for each Job";
    for name in labels.0.keys().filter(|name| is_generated_label(name)) {
        let message = invalid(json!(labels.0), "must be this Job's own");
        problems.add_with_hint(&metadata.entry_path("labels", name), message, hint);
    }
    let given = f.object("selector");
    if given.names().next().is_some() {
        let shown = f.get("selector").cloned().unwrap_or_default();
        problems.add_with_hint(given.here(), invalid(shown, "`selector` not auto-generated"), hint);
    }
    spec
}

/// A Job's pods have a label with its name, and those of an Indexed one host
/// names with their index in it.
fn check_pod_names(document: &Fields, spec: &JobSpec, problems: &mut Problems) {
    let metadata = document.object("metadata");
    let name = metadata.text("name");
    if !spec.manual_selector && syntax::dns_subdomain(name).is_empty() {
        let path = document.object("spec").object("template").path("labels");
        for wrong in syntax::label_value(name) {
            problems.add_with_hint(&path, invalid(name, &wrong), "pods get a label with the name of their Job");
        }
    }
    let Some(last) = spec.completions.filter(|&n| spec.indexed && n > 0) else { return };
    let longest = format!("{name}-{}", last - 1);
    if !name.is_empty() && !syntax::dns_label(&longest).is_empty() {
        let detail = format!("will not able to create pod with invalid DNS label: {longest}");
        problems.invalid(&metadata.path("name"), name, &detail);
    }
}

/// The Job as a client would send it: without what the API server made up.
pub(super) fn to_json(job: &Job) -> Value {
    json!({
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": meta::to_json(&job.meta, &[]),
        "spec": spec_to_json(&job.spec),
    })
}

fn without_generated(labels: &Arc<Labels>) -> Arc<Labels> {
    let mut labels = labels.clone();
    if labels.0.keys().any(|name| is_generated_label(name)) {
        Arc::make_mut(&mut labels).0.retain(|name, _| !is_generated_label(name));
    }
    labels
}

/// The spec as a client would send it.
pub(super) fn spec_to_json(spec: &JobSpec) -> Value {
    let mut template = (*spec.template).clone();
    if !spec.manual_selector {
        template.labels = without_generated(&template.labels);
    }
    let mut json = json!({
        "parallelism": spec.parallelism,
        "completionMode": if spec.indexed { "Indexed" } else { "NonIndexed" },
        "backoffLimit": spec.backoff_limit,
        "suspend": spec.suspend,
        "podReplacementPolicy": match spec.pod_replacement {
            PodReplacement::TerminatingOrFailed => "TerminatingOrFailed",
            PodReplacement::Failed => "Failed",
        },
        "template": pod_template::to_json(&template),
    });
    for (name, value) in [
        ("completions", spec.completions.map(i64::from)),
        ("backoffLimitPerIndex", spec.backoff_limit_per_index.map(i64::from)),
        ("maxFailedIndexes", spec.max_failed_indexes.map(i64::from)),
        ("activeDeadlineSeconds", spec.active_deadline_seconds),
        ("ttlSecondsAfterFinished", spec.ttl_seconds_after_finished.map(i64::from)),
    ] {
        if let Some(value) = value {
            json[name] = json!(value);
        }
    }
    if let Some(manager) = &spec.managed_by {
        json["managedBy"] = json!(**manager);
    }
    if let Some(rules) = &spec.pod_failure_policy {
        json["podFailurePolicy"] = policies::failure_to_json(rules);
    }
    if let Some(rules) = &spec.success_policy {
        json["successPolicy"] = policies::success_to_json(rules);
    }
    if spec.manual_selector {
        json["manualSelector"] = json!(true);
        json["selector"] = selector::to_json(&spec.selector);
    }
    json
}
