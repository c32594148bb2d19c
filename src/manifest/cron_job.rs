//! `batch/v1` CronJob, from and to JSON.

use super::fields::Fields;
use super::job::{JOB_SPEC, read_template, spec_to_json};
use super::problems::{Problems, invalid};
use super::shape::Shape::{Any, Bool, Int32, Int64, Opt, Struct, Text};
use super::shape::common::OBJECT_META;
use super::shape::shapes;
use super::workload::{Head, read_head};
use super::{Loaded, meta};
use crate::api::{Concurrency, CronJob, CronJobSpec, CronJobStatus, JobTemplate, Object};
use crate::cron;
use crate::error::Problem;
use serde_json::{Value, json};
use std::sync::Arc;

shapes! {
    JOB_TEMPLATE {
        metadata: Struct(&OBJECT_META), spec: Struct(&JOB_SPEC),
    }
    SPEC {
        schedule: Text, timeZone: Opt(&Text), startingDeadlineSeconds: Opt(&Int64),
        concurrencyPolicy: Text, suspend: Opt(&Bool), jobTemplate: Struct(&JOB_TEMPLATE),
        successfulJobsHistoryLimit: Opt(&Int32), failedJobsHistoryLimit: Opt(&Int32),
    }
    CRON_JOB {
        apiVersion: Text, kind: Text, metadata: Struct(&OBJECT_META), spec: Struct(&SPEC),
        status: Any,
    }
}

/// The longest name: a Job's name has a hyphen and ten digits more.
const LONGEST_NAME: usize = 52;

/// Upstream: `pkg/apis/batch/validation/validation.go ValidateCronJobCreate`
pub(super) fn read(value: &Value) -> Result<Loaded, Vec<Problem>> {
    let mut problems = Problems::default();
    let template = "spec.jobTemplate.spec.template";
    let Head { document, meta, not_modelled } = read_head(value, &CRON_JOB, template, &mut problems);
    let f = Fields::new(&document, "");
    let spec = read_spec(&f.object("spec"), &mut problems);
    if meta.name.len() > LONGEST_NAME {
        let path = f.object("metadata").path("name");
        problems.add_with_hint(
            &path,
            invalid(&*meta.name, "must be no more than 52 characters"),
            "the names of its Jobs have eleven characters more",
        );
    }
    let cron_job = CronJob { meta, spec, status: CronJobStatus::default() };
    problems.finish(Loaded { object: Object::CronJob(Box::new(cron_job)), not_modelled })
}

/// Upstream: `pkg/apis/batch/validation/validation.go validateCronJobSpec`,
/// `pkg/apis/batch/v1/defaults.go SetDefaults_CronJob`
fn read_spec(f: &Fields, problems: &mut Problems) -> CronJobSpec {
    let schedule = read_schedule(f, problems);
    let starting_deadline_seconds = f.int("startingDeadlineSeconds");
    if let Some(seconds) = starting_deadline_seconds {
        problems.not_negative(&f.path("startingDeadlineSeconds"), seconds);
    }
    let time_zone = read_time_zone(f, problems);
    let concurrency = read_concurrency(f, problems);
    let template = f.object("jobTemplate");
    let spec = read_template(&template.object("spec"), problems);
    let metadata = template.object("metadata");
    let successful_jobs_history_limit = f.int32("successfulJobsHistoryLimit", 3);
    problems.not_negative(&f.path("successfulJobsHistoryLimit"), successful_jobs_history_limit.into());
    let failed_jobs_history_limit = f.int32("failedJobsHistoryLimit", 1);
    problems.not_negative(&f.path("failedJobsHistoryLimit"), failed_jobs_history_limit.into());
    CronJobSpec {
        schedule,
        time_zone,
        starting_deadline_seconds,
        concurrency,
        suspend: f.bool("suspend"),
        template: Arc::new(JobTemplate {
            labels: Arc::new(metadata.labels("labels")),
            annotations: Arc::new(meta::annotations(&metadata, problems)),
            spec,
        }),
        successful_jobs_history_limit,
        failed_jobs_history_limit,
    }
}

/// Reads a schedule. One that names a time zone is refused, because
/// `timeZone` is there for that.
///
/// Upstream: `pkg/apis/batch/validation/validation.go validateScheduleFormat`
fn read_schedule(f: &Fields, problems: &mut Problems) -> Arc<str> {
    let (path, schedule) = (f.path("schedule"), f.text("schedule"));
    if schedule.is_empty() {
        problems.required(&path, "");
        return schedule.into();
    }
    for complaint in cron::complaints(schedule) {
        match hint(schedule) {
            Some(hint) => problems.add_with_hint(&path, invalid(schedule, &complaint), hint),
            None => problems.invalid(&path, schedule, &complaint),
        }
    }
    schedule.into()
}

/// Advice for what other schedulers accept.
fn hint(schedule: &str) -> Option<String> {
    if schedule.contains("TZ=") {
        let (_, rest) = schedule.split_once('=')?;
        let zone = rest.split_whitespace().next()?;
        return Some(format!("write timeZone: {zone} and leave it out here"));
    }
    let words = schedule.split_whitespace().count();
    match schedule.to_lowercase().as_str() {
        "@reboot" => Some("there is no reboot in a cluster".to_string()),
        _ if schedule.starts_with('@') => {
            Some("the words are @yearly, @monthly, @weekly, @daily, @hourly and @every 1h30m".to_string())
        }
        _ if words == 6 => Some("there are no seconds: write minute, hour, day, month, weekday".to_string()),
        lower if words == 5 && lower.split_whitespace().nth(4).is_some_and(|day| day.contains('7')) => {
            Some("Sunday is 0".to_string())
        }
        _ => None,
    }
}

/// Reads the name of a time zone, which must be in the IANA database.
///
/// Upstream: `pkg/apis/batch/validation/validation.go validateTimeZone`
fn read_time_zone(f: &Fields, problems: &mut Problems) -> Option<Arc<str>> {
    let (path, name) = (f.path("timeZone"), f.get("timeZone")?.as_str()?);
    if name.is_empty() {
        problems.invalid(&path, name, "timeZone must be nil or non-empty string");
    } else if !name.split('/').all(is_zone_part) {
        problems.invalid(&path, name, &format!("unknown time zone {name}"));
    } else if name.eq_ignore_ascii_case("Local") {
        let detail = "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones";
        problems.invalid(&path, name, detail);
        if let Err(error) = cron::zone(name) {
            problems.invalid(&path, name, &error);
        }
    } else if let Err(error) = cron::zone(name) {
        match cron::zone_spelt_like(name) {
            Some(near) => problems.add_with_hint(&path, invalid(name, &error), format!("did you mean {near:?}?")),
            None => problems.invalid(&path, name, &error),
        }
    }
    Some(name.into())
}

/// Whether a text can be a part of a zone's name between slashes.
fn is_zone_part(part: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '+');
    !matches!(part, "" | "." | "..") && part.len() <= 14 && !part.starts_with('-') && part.chars().all(allowed)
}

/// Upstream: `pkg/apis/batch/validation/validation.go validateConcurrencyPolicy`
fn read_concurrency(f: &Fields, problems: &mut Problems) -> Concurrency {
    let policy = match f.text("concurrencyPolicy") {
        "" => Concurrency::default().name(),
        other => other,
    };
    problems.one_of(&f.path("concurrencyPolicy"), policy, &Concurrency::ALL.map(Concurrency::name));
    Concurrency::ALL.into_iter().find(|known| known.name() == policy).unwrap_or_default()
}

/// The CronJob as a client would send it.
pub(super) fn to_json(cron_job: &CronJob) -> Value {
    let spec = &cron_job.spec;
    let mut metadata = json!({});
    if !spec.template.labels.0.is_empty() {
        metadata["labels"] = json!(spec.template.labels.0);
    }
    if !spec.template.annotations.is_empty() {
        metadata["annotations"] = json!(spec.template.annotations);
    }
    let mut json = json!({
        "schedule": &*spec.schedule,
        "concurrencyPolicy": spec.concurrency.name(),
        "suspend": spec.suspend,
        "jobTemplate": {"metadata": metadata, "spec": spec_to_json(&spec.template.spec)},
        "successfulJobsHistoryLimit": spec.successful_jobs_history_limit,
        "failedJobsHistoryLimit": spec.failed_jobs_history_limit,
    });
    if let Some(zone) = &spec.time_zone {
        json["timeZone"] = json!(&**zone);
    }
    if let Some(seconds) = spec.starting_deadline_seconds {
        json["startingDeadlineSeconds"] = json!(seconds);
    }
    json!({
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": meta::to_json(&cron_job.meta, &[]),
        "spec": json,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(spec: &Value) -> Value {
        let mut document = json!({
            "apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "tick"},
            "spec": {
                "schedule": "0 3 * * *",
                "jobTemplate": {"spec": {"template": {"spec": {
                    "restartPolicy": "Never", "containers": [{"name": "app", "image": "app:v1"}]
                }}}}
            }
        });
        for (name, value) in spec.as_object().into_iter().flatten() {
            document["spec"][name] = value.clone();
        }
        document
    }

    #[test]
    fn defaults_are_the_api_servers() {
        let loaded = read(&manifest(&json!({}))).expect("valid");
        let Object::CronJob(cron_job) = &loaded.object else { panic!("not a CronJob") };
        let spec = &cron_job.spec;
        assert_eq!((spec.concurrency, spec.suspend, spec.time_zone.as_deref()), (Concurrency::Allow, false, None));
        assert_eq!((spec.successful_jobs_history_limit, spec.failed_jobs_history_limit), (3, 1));
        assert_eq!((&*spec.schedule, spec.starting_deadline_seconds), ("0 3 * * *", None));
        let again = read(&to_json(cron_job)).expect("still valid");
        assert_eq!(again.object, loaded.object);
    }

    #[test]
    fn every_field_survives_a_round_trip() {
        let document = manifest(&json!({
            "timeZone": "Europe/Berlin", "startingDeadlineSeconds": 30, "concurrencyPolicy": "Replace",
            "suspend": true, "successfulJobsHistoryLimit": 0, "failedJobsHistoryLimit": 5,
        }));
        let loaded = read(&document).expect("valid");
        let Object::CronJob(cron_job) = &loaded.object else { panic!("not a CronJob") };
        assert_eq!(cron_job.spec.concurrency, Concurrency::Replace);
        assert_eq!(read(&to_json(cron_job)).expect("still valid").object, loaded.object);
    }

    #[test]
    fn problems_are_told_in_the_api_servers_words() {
        for (spec, expected) in [
            (json!({"schedule": ""}), "spec.schedule: Required value"),
            (
                json!({"schedule": "0 0 3 * * *"}),
                "spec.schedule: Invalid value: \"0 0 3 * * *\": expected exactly 5 fields, found 6: [0 0 3 * * *] (there are no seconds: write minute, hour, day, month, weekday)",
            ),
            (
                json!({"schedule": "TZ=UTC 0 3 * * *"}),
                "spec.schedule: Invalid value: \"TZ=UTC 0 3 * * *\": cannot use TZ or CRON_TZ in schedule, use timeZone field instead (write timeZone: UTC and leave it out here)",
            ),
            (
                json!({"schedule": "0 3 * * 7"}),
                "spec.schedule: Invalid value: \"0 3 * * 7\": end of range (7) above maximum (6): 7 (Sunday is 0)",
            ),
            (
                json!({"timeZone": "Europe/berlin"}),
                "spec.timeZone: Invalid value: \"Europe/berlin\": unknown time zone Europe/berlin (did you mean \"Europe/Berlin\"?)",
            ),
            (json!({"timeZone": ""}), "spec.timeZone: Invalid value: \"\": timeZone must be nil or non-empty string"),
            (json!({"timeZone": "../UTC"}), "spec.timeZone: Invalid value: \"../UTC\": unknown time zone ../UTC"),
            (
                json!({"timeZone": "Local"}),
                "spec.timeZone: Invalid value: \"Local\": timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones",
            ),
            (
                json!({"concurrencyPolicy": "forbid"}),
                "spec.concurrencyPolicy: Unsupported value: \"forbid\": supported values: \"Allow\", \"Forbid\", \"Replace\" (did you mean \"Forbid\"?)",
            ),
            (
                json!({"startingDeadlineSeconds": -1}),
                "spec.startingDeadlineSeconds: Invalid value: -1: must be greater than or equal to 0",
            ),
            (
                json!({"failedJobsHistoryLimit": -1}),
                "spec.failedJobsHistoryLimit: Invalid value: -1: must be greater than or equal to 0",
            ),
        ] {
            let problems = read(&manifest(&spec)).expect_err("not valid");
            let said: Vec<String> = problems.iter().map(ToString::to_string).collect();
            assert_eq!(said, [expected], "{spec}");
        }
    }

    #[test]
    fn a_name_leaves_room_for_the_time() {
        let mut document = manifest(&json!({}));
        for (length, valid) in [(52, true), (53, false)] {
            document["metadata"]["name"] = json!("n".repeat(length));
            assert_eq!(read(&document).is_ok(), valid, "{length}");
        }
    }
}
