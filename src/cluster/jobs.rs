//! What the API server accepts as a change of a Job.

use crate::api::{ConditionStatus, Indexes, Job, JobConditionType, JobStatus, PodTemplate, is_generated_label};
use crate::time::Timestamp;
use serde_json::Value;

/// The most characters of a label's value and of a host name.
const LONGEST_LABEL: usize = 63;

/// Checks what a CronJob's own check does not see and its Jobs are refused
/// for: their labels are made up, and their names are longer.
///
/// Upstream: `pkg/apis/batch/validation/validation.go ValidateJob`,
/// `validateGeneratedSelector`
///
/// # Errors
/// The API server's text.
pub fn check_scheduled(job: &Job) -> Result<(), String> {
    let given = job.spec.template.labels.0.keys().find(|name| is_generated_label(name));
    if let Some(name) = given {
        return Err(format!("spec.template.metadata.labels[{name}]: Invalid value: must be this Job's own"));
    }
    let last = job.spec.completions.filter(|&n| job.spec.indexed && n > 0).map(|n| n - 1);
    let longest = last.map(|last| format!("{}-{last}", job.meta.name)).filter(|name| name.len() > LONGEST_LABEL);
    match longest {
        Some(name) => Err(format!(
            "metadata.name: Invalid value: {:?}: will not able to create pod with invalid DNS label: {name}",
            job.meta.name
        )),
        None => Ok(()),
    }
}

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
        return old.labels == new.labels
            && old.raw.value()["spec"] == new.raw.value()["spec"]
            && old.annotations == new.annotations;
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

/// Checks a new status against the Job that is stored.
///
/// Only what changes is checked, so that a status that was spoilt by a change
/// of the spec does not stand in the way of its own repair.
///
/// Upstream: `pkg/registry/batch/job/strategy.go getStatusValidationOptions`,
/// `pkg/apis/batch/validation/validation.go ValidateJobStatusUpdate`
///
/// # Errors
/// The API server's text.
pub fn check_status(job: &Job, new: &JobStatus) -> Result<(), String> {
    let held = Held { old: Held::in_status(&job.status), new: Held::in_status(new) };
    check_pods(&job.status, new, held)?;
    check_finish(job, new, held)?;
    check_indexes(job, new)?;
    check_history(job, new, held)
}

/// The conditions that held and that hold, as bits: the rules ask for them
/// again and again.
#[derive(Clone, Copy)]
struct Held {
    old: u8,
    new: u8,
}

impl Held {
    fn in_status(status: &JobStatus) -> u8 {
        let held = status.conditions.iter().filter(|c| c.status == ConditionStatus::True);
        held.fold(0, |bits, c| bits | 1 << c.kind as u8)
    }

    const fn before(self, kind: JobConditionType) -> bool {
        self.old & (1 << kind as u8) != 0
    }

    const fn now(self, kind: JobConditionType) -> bool {
        self.new & (1 << kind as u8) != 0
    }
}

fn invalid(field: &str, shown: &impl std::fmt::Display, detail: &str) -> String {
    format!("status.{field}: Invalid value: {shown}: {detail}")
}

fn forbid(wrong: bool, field: &str, detail: &str) -> Result<(), String> {
    if wrong { Err(format!("status.{field}: Invalid value: {detail}")) } else { Ok(()) }
}

/// How the numbers of pods go together.
fn check_pods(old: &JobStatus, new: &JobStatus, held: Held) -> Result<(), String> {
    use JobConditionType::{Complete, Failed};
    for (name, n) in [
        ("active", new.active),
        ("succeeded", new.succeeded),
        ("failed", new.failed),
        ("ready", new.ready.unwrap_or(0)),
        ("terminating", new.terminating.unwrap_or(0)),
    ] {
        if n < 0 {
            return Err(invalid(name, &n, "must be greater than or equal to 0"));
        }
    }
    let finished = held.now(Complete) || held.now(Failed);
    let was_finished = held.before(Complete) || held.before(Failed);
    if finished && new.active > 0 && (!was_finished || new.active != old.active) {
        return Err(invalid("active", &new.active, "active>0 is invalid for finished job"));
    }
    let terminating = new.terminating.unwrap_or(0);
    if finished && terminating > 0 && (!was_finished || new.terminating != old.terminating) {
        return Err(invalid("terminating", &terminating, "terminating>0 is invalid for finished job"));
    }
    let uncounted_changed = new.uncounted != old.uncounted;
    forbid(
        finished && !new.uncounted.is_empty() && (!was_finished || uncounted_changed),
        "uncountedTerminatedPods",
        "must be empty for finished job",
    )?;
    let ready = new.ready.unwrap_or(0);
    if ready > new.active && (new.ready != old.ready || new.active != old.active) {
        return Err(invalid("ready", &ready, "cannot set more ready pods than active"));
    }
    Ok(())
}

/// How conditions and times go together.
fn check_finish(job: &Job, new: &JobStatus, held: Held) -> Result<(), String> {
    use JobConditionType::{Complete, Failed, FailureTarget, SuccessCriteriaMet};
    let old = &job.status;
    let changed = |kind| held.before(kind) != held.now(kind);
    let (complete, failed) = (held.now(Complete), held.now(Failed));
    let (enough, doomed) = (held.now(SuccessCriteriaMet), held.now(FailureTarget));
    let ended = changed(Complete) || changed(Failed);
    let rules = [
        (complete && failed && ended, "cannot set Complete=True and Failed=true conditions"),
        (
            complete && doomed && (changed(Complete) || changed(FailureTarget)),
            "cannot set Complete=True and FailureTarget=true conditions",
        ),
        (
            failed && !doomed && (changed(Failed) || old.failed_indexes != new.failed_indexes),
            "cannot set Failed=True condition without the FailureTarget=true condition",
        ),
        (
            complete && !enough && (changed(Complete) || changed(SuccessCriteriaMet)),
            "cannot set Complete=True condition without the SuccessCriteriaMet=true condition",
        ),
        (enough && failed, "cannot set SuccessCriteriaMet=True and Failed=true conditions"),
        (enough && doomed, "cannot set SuccessCriteriaMet=True and FailureTarget=true conditions"),
    ];
    if let Some((_, detail)) = rules.iter().find(|(is_broken, _)| *is_broken) {
        return forbid(true, "conditions", detail);
    }
    let time_changed = old.completion_time != new.completion_time;
    if changed(Complete) || time_changed {
        if !complete && new.completion_time.is_some() {
            let detail = "cannot set completionTime when there is no Complete=True condition";
            return forbid(true, "completionTime", detail);
        }
        if complete && new.completion_time.is_none() {
            return Err("status.completionTime: Required value: completionTime is required for Complete jobs".into());
        }
    }
    let start_changed = old.start_time != new.start_time;
    forbid(
        (start_changed || time_changed)
            && new.completion_time.zip(new.start_time).is_some_and(|(end, start)| end < start),
        "completionTime",
        "must be equal to or after `startTime`",
    )?;
    let nothing_to_do = job.spec.suspend && job.spec.completions == Some(0);
    if (complete || failed) && new.start_time.is_none() && !nothing_to_do && (ended || start_changed) {
        return Err("status.startTime: Required value: startTime is required for finished job".into());
    }
    Ok(())
}

/// How completed and failed indexes go together.
fn check_indexes(job: &Job, new: &JobStatus) -> Result<(), String> {
    let old = &job.status;
    let completed_changed = old.completed_indexes != new.completed_indexes;
    let failed_changed = old.failed_indexes != new.failed_indexes;
    let limit = job.spec.completions.unwrap_or(i32::MAX).max(0) as u32;
    let beyond = |set: &Indexes| set.ranges().any(|(_, last)| last >= limit);
    let done = &new.completed_indexes;
    if completed_changed && beyond(done) {
        return Err(invalid("completedIndexes", done, "error parsing completedIndexes: too large index"));
    }
    if completed_changed && !job.spec.indexed && !done.is_empty() {
        let detail = "cannot set non-empty completedIndexes when non-indexed completion mode";
        return Err(invalid("completedIndexes", done, detail));
    }
    let Some(failed) = &new.failed_indexes else { return Ok(()) };
    if failed_changed && beyond(failed) {
        return Err(invalid("failedIndexes", failed, "error parsing failedIndexes: too large index"));
    }
    if failed_changed && job.spec.backoff_limit_per_index.is_none() {
        let detail = "cannot set non-null failedIndexes when backoffLimitPerIndex is null";
        return Err(invalid("failedIndexes", failed, detail));
    }
    if (failed_changed || completed_changed) && failed.overlaps(done) {
        return Err(invalid("failedIndexes", failed, "failedIndexes and completedIndexes overlap"));
    }
    Ok(())
}

/// What may not be taken back.
fn check_history(job: &Job, new: &JobStatus, held: Held) -> Result<(), String> {
    use JobConditionType::{Complete, Failed, FailureTarget, SuccessCriteriaMet, Suspended};
    let old = &job.status;
    for kind in [Failed, Complete, FailureTarget] {
        if held.before(kind) && !held.now(kind) {
            let detail = format!("cannot disable the terminal {}=True condition", kind.name());
            return forbid(true, "conditions", &detail);
        }
    }
    if new.failed < old.failed {
        return Err(invalid("failed", &new.failed, "cannot decrease the failed counter"));
    }
    // A Job whose completions are lowered together with its parallelism may
    // lose indexes that have succeeded.
    let elastic = job.spec.indexed && job.spec.completions == Some(job.spec.parallelism);
    if !elastic && new.succeeded < old.succeeded {
        return Err(invalid("succeeded", &new.succeeded, "cannot decrease the succeeded counter"));
    }
    let moved = |old: Option<Timestamp>, new: Option<Timestamp>| old.is_some() && old != new;
    forbid(
        new.completion_time.is_some() && moved(old.completion_time, new.completion_time),
        "completionTime",
        "field is immutable",
    )?;
    let resumes =
        held.before(Suspended) && new.condition(Suspended).is_some_and(|c| c.status == ConditionStatus::False);
    forbid(
        moved(old.start_time, new.start_time) && !job.spec.suspend && !resumes,
        "startTime",
        "field is immutable for unsuspended job once set",
    )?;
    forbid(
        held.before(SuccessCriteriaMet) && !held.now(SuccessCriteriaMet),
        "conditions",
        "cannot disable the SuccessCriteriaMet=True condition",
    )?;
    forbid(
        held.before(Complete) && !held.before(SuccessCriteriaMet) && held.now(SuccessCriteriaMet),
        "conditions",
        "cannot set SuccessCriteriaMet=True for Job already has Complete=true conditions",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{JobCondition, Object, Uid};
    use serde_json::{Value, json};

    fn job(change: &Value) -> Job {
        let document = json!({
            "apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "work"},
            "spec": {
                "completions": 4, "parallelism": 2,
                "template": {"spec": {
                    "restartPolicy": "Never", "containers": [{"name": "app", "image": "app:v1"}],
                }},
            },
        });
        let merge = crate::sim::setup::PatchType::Merge;
        match crate::manifest::read(&crate::manifest::patch::apply(merge, &document, change).unwrap()).map(|l| l.object)
        {
            Ok(Object::Job(job)) => *job,
            other => panic!("expected a Job, found {other:?}"),
        }
    }

    fn with(status: &mut JobStatus, kind: JobConditionType) {
        let (reason, message) = ("".into(), "".into());
        let since = Timestamp(0);
        status.conditions.push(JobCondition { kind, status: ConditionStatus::True, reason, message, since });
    }

    #[test]
    fn most_of_a_spec_may_not_be_changed() {
        let indexed = |completions: i32, parallelism: i32| {
            job(&json!({"spec": {
                "completionMode": "Indexed", "completions": completions, "parallelism": parallelism,
            }}))
        };
        let template = |change: Value| job(&json!({"spec": {"template": change}}));
        for (old, new, accepted) in [
            (job(&json!({})), job(&json!({"spec": {"parallelism": 9, "suspend": true, "backoffLimit": 1}})), true),
            (job(&json!({})), job(&json!({"spec": {"completions": 5}})), false),
            (indexed(4, 4), indexed(6, 6), true),
            (indexed(4, 4), indexed(6, 4), false),
            (indexed(4, 2), job(&json!({"spec": {"completions": 4}})), false),
            (job(&json!({})), template(json!({"spec": {"nodeSelector": {"a": "b"}}})), false),
            (
                job(&json!({})),
                job(&json!({"spec": {"podFailurePolicy": {"rules": []}, "podReplacementPolicy": "Failed"}})),
                false,
            ),
        ] {
            assert_eq!(check_update(&old, &new).is_ok(), accepted, "{:?}", new.spec);
        }
    }

    #[test]
    fn a_schedule_can_make_jobs_that_are_refused() {
        let named = |name: &str, spec: Value| {
            let mut job = job(&json!({"spec": spec}));
            job.meta.name = name.into();
            job
        };
        let indexed = |n: i32| json!({"completionMode": "Indexed", "completions": n});
        let long = "n".repeat(61);
        assert!(check_scheduled(&named(&long, json!({}))).is_ok());
        assert!(check_scheduled(&named(&long, indexed(10))).is_ok());
        assert!(check_scheduled(&named(&long, indexed(11))).is_err());
        let mut labelled = job(&json!({}));
        assert!(check_scheduled(&labelled).is_ok());
        let template = std::sync::Arc::make_mut(&mut labelled.spec.template);
        template.labels = std::sync::Arc::new(template.labels.with("job-name", "work"));
        assert!(check_scheduled(&labelled).is_err());
    }

    #[test]
    fn a_suspended_job_may_be_sent_elsewhere() {
        let suspended = |change: Value| job(&json!({"spec": {"suspend": true, "template": {"spec": change}}}));
        let old = suspended(json!({}));
        for (change, accepted) in [
            (json!({"nodeSelector": {"a": "b"}}), true),
            (json!({"tolerations": [{"operator": "Exists"}]}), true),
            (
                json!({"containers": [{"name": "app", "image": "app:v1", "resources": {"requests": {"cpu": "2"}}}]}),
                true,
            ),
            (json!({"containers": [{"name": "app", "image": "app:v2"}]}), false),
        ] {
            assert_eq!(check_update(&old, &suspended(change.clone())).is_ok(), accepted, "{change}");
        }
        let mut busy = old;
        busy.status.active = 1;
        assert!(check_update(&busy, &suspended(json!({"nodeSelector": {"a": "b"}}))).is_err());
    }

    #[test]
    fn a_status_must_add_up() {
        use JobConditionType::{Complete, Failed, FailureTarget, SuccessCriteriaMet};
        let old = job(&json!({}));
        let refused = |change: &dyn Fn(&mut JobStatus)| {
            let mut new = JobStatus { start_time: Some(Timestamp(5)), ..JobStatus::default() };
            change(&mut new);
            check_status(&old, &new).err()
        };
        assert_eq!(refused(&|_| ()), None);
        assert_eq!(refused(&|s| (s.active, s.ready) = (2, Some(2))), None);
        for (change, why) in [
            (
                (&|s: &mut JobStatus| (s.active, s.ready) = (0, Some(1))) as &dyn Fn(&mut JobStatus),
                "status.ready: Invalid value: 1: cannot set more ready pods than active",
            ),
            (&|s| s.failed = -1, "status.failed: Invalid value: -1: must be greater than or equal to 0"),
            (
                &|s| with(s, Failed),
                "status.conditions: Invalid value: cannot set Failed=True condition without the FailureTarget=true condition",
            ),
            (
                &|s| {
                    with(s, FailureTarget);
                    with(s, SuccessCriteriaMet);
                },
                "status.conditions: Invalid value: cannot set SuccessCriteriaMet=True and FailureTarget=true conditions",
            ),
            (
                &|s| {
                    with(s, SuccessCriteriaMet);
                    with(s, Complete);
                    s.completion_time = Some(Timestamp(4));
                },
                "status.completionTime: Invalid value: must be equal to or after `startTime`",
            ),
            (
                &|s| {
                    with(s, FailureTarget);
                    with(s, Failed);
                    s.uncounted.failed.push(Uid(1));
                },
                "status.uncountedTerminatedPods: Invalid value: must be empty for finished job",
            ),
            (
                &|s| s.completed_indexes = Indexes::of([1]),
                "status.completedIndexes: Invalid value: 1: cannot set non-empty completedIndexes when non-indexed completion mode",
            ),
        ] {
            assert_eq!(refused(change).as_deref(), Some(why));
        }
    }

    #[test]
    fn what_has_been_said_stands() {
        let mut old = job(&json!({}));
        old.status = JobStatus { failed: 2, succeeded: 3, start_time: Some(Timestamp(5)), ..JobStatus::default() };
        with(&mut old.status, JobConditionType::FailureTarget);
        let changed = |change: &dyn Fn(&mut JobStatus)| {
            let mut new = old.status.clone();
            change(&mut new);
            check_status(&old, &new).is_ok()
        };
        assert!(changed(&|_| ()));
        assert!(!changed(&|s| s.failed = 1));
        assert!(!changed(&|s| s.succeeded = 1));
        assert!(!changed(&|s| s.conditions.clear()));
        assert!(!changed(&|s| s.start_time = None));
    }
}
