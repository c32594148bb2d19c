//! Manifests of Jobs: defaults, what comes back, what is refused.

use super::manifest::problems;
use seatrial::api::{FailureAction, FailureMatch, Job, Object, PodReplacement};
use seatrial::manifest::{self, patch};
use seatrial::sim::setup::PatchType;
use serde_json::{Value, json};

fn work() -> Value {
    json!({
        "apiVersion": "batch/v1", "kind": "Job",
        "metadata": {"name": "work"},
        "spec": {
            "template": {
                "metadata": {"labels": {"app": "work"}},
                "spec": {"restartPolicy": "Never", "containers": [{"name": "app", "image": "app:v1"}]},
            },
        },
    })
}

#[allow(clippy::needless_pass_by_value, reason = "json! makes values")]
fn with(spec: Value) -> Value {
    patch::apply(PatchType::Merge, &work(), &json!({"spec": spec})).unwrap()
}

fn job(document: &Value) -> Job {
    match manifest::read(document).map(|l| l.object) {
        Ok(Object::Job(job)) => *job,
        other => panic!("expected a Job, found {other:?}"),
    }
}

#[test]
fn defaults_are_the_api_servers() {
    for (spec, parallelism, completions, backoff_limit) in [
        (json!({}), 1, Some(1), 6),
        (json!({"parallelism": 3}), 3, None, 6),
        (json!({"completions": 5}), 1, Some(5), 6),
        (json!({"completions": 5, "completionMode": "Indexed", "backoffLimitPerIndex": 0}), 1, Some(5), i32::MAX),
    ] {
        let spec = job(&with(spec)).spec;
        let read = (spec.parallelism, spec.completions, spec.backoff_limit);
        assert_eq!(read, (parallelism, completions, backoff_limit));
        assert_eq!(spec.pod_replacement, PodReplacement::TerminatingOrFailed);
    }
    let read = job(&work());
    assert_eq!(read.meta.labels.get("app"), Some("work"), "the template's labels are the Job's");
}

#[test]
fn a_policy_for_failures_waits_for_pods_to_fail() {
    let rules = json!([
        {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget"}]},
        {"action": "FailJob", "onExitCodes": {"containerName": "app", "operator": "NotIn", "values": [3, 4]}},
    ]);
    let spec = job(&with(json!({"podFailurePolicy": {"rules": rules}}))).spec;
    assert_eq!(spec.pod_replacement, PodReplacement::Failed);
    let rules = spec.pod_failure_policy.expect("a policy");
    assert_eq!(rules[0].action, FailureAction::Ignore);
    let not_in = FailureMatch::ExitCodes { container: Some("app".into()), not_in: true, values: vec![3, 4] };
    assert_eq!(rules[1].matches, not_in);
}

#[test]
fn jobs_survive_the_round_trip() {
    for spec in [
        json!({"parallelism": 3, "suspend": true, "activeDeadlineSeconds": 60, "ttlSecondsAfterFinished": 0}),
        json!({"completions": 9, "parallelism": 2, "podReplacementPolicy": "Failed", "managedBy": "acme.io/other"}),
        json!({
            "completions": 9, "completionMode": "Indexed", "backoffLimitPerIndex": 1, "maxFailedIndexes": 3,
            "podFailurePolicy": {"rules": [
                {"action": "FailIndex", "onExitCodes": {"operator": "In", "values": [5]}},
                {"action": "Count", "onPodConditions": [{"type": "Ready", "status": "False"}]},
            ]},
            "successPolicy": {"rules": [{"succeededIndexes": "0-2,7", "succeededCount": 2}, {"succeededCount": 4}]},
        }),
        json!({"manualSelector": true, "selector": {"matchLabels": {"app": "work"}}}),
    ] {
        let first = job(&with(spec));
        let again = job(&manifest::to_json(&Object::Job(Box::new(first.clone()))));
        assert_eq!(first, again);
    }
}

#[test]
fn what_the_api_server_makes_up_is_not_sent_back() {
    let mut stored = job(&work());
    stored.generate_selector();
    assert!(stored.spec.selector.matches(&stored.spec.template.labels));
    assert_eq!(job(&manifest::to_json(&Object::Job(Box::new(stored)))), job(&work()));
}

#[test]
fn mistakes_are_refused_in_the_api_servers_words() {
    let indexed = json!({"completionMode": "Indexed", "completions": 4});
    let indexed_with = |more: Value| with(patch::apply(PatchType::Merge, &indexed, &more).unwrap());
    let failure = |rule: Value| with(json!({"podFailurePolicy": {"rules": [rule]}}));
    for (document, expect) in [
        (
            with(json!({"parallelism": -1, "backoffLimit": -2})),
            "spec.parallelism: Invalid value: -1: must be greater than or equal to 0
spec.backoffLimit: Invalid value: -2: must be greater than or equal to 0",
        ),
        (
            with(json!({"template": {"spec": {"restartPolicy": null}}})),
            "spec.template.spec.restartPolicy: Required value: valid values: \"OnFailure\", \"Never\" (pods that always restart never end)",
        ),
        (
            with(json!({"completionMode": "Indexd"})),
            "spec.completionMode: Unsupported value: \"Indexd\": supported values: \"NonIndexed\", \"Indexed\" (did you mean \"Indexed\"?)",
        ),
        (
            with(json!({"completionMode": "Indexed", "parallelism": 1})),
            "spec.completions: Required value: when completion mode is Indexed",
        ),
        (
            with(json!({"backoffLimitPerIndex": 1})),
            "spec.backoffLimitPerIndex: Invalid value: 1: requires indexed completion mode",
        ),
        (
            indexed_with(json!({"maxFailedIndexes": 5, "backoffLimitPerIndex": 1})),
            "spec.maxFailedIndexes: Invalid value: 5: must be less than or equal to completions",
        ),
        (
            indexed_with(json!({"maxFailedIndexes": 1})),
            "spec.backoffLimitPerIndex: Required value: when maxFailedIndexes is specified",
        ),
        (
            indexed_with(json!({"completions": 100_001, "backoffLimitPerIndex": 1, "parallelism": 10_001})),
            "spec.parallelism: Invalid value: 10001: must be less than or equal to 10000 when completions are above 100000 and used with backoff limit per index
spec.maxFailedIndexes: Required value: must be specified when completions is above 100000",
        ),
        (
            failure(json!({"action": "FailIndex", "onExitCodes": {"operator": "In", "values": [1]}})),
            "spec.podFailurePolicy.rules[0].action: Invalid value: \"FailIndex\": requires the backoffLimitPerIndex to be set",
        ),
        (
            failure(json!({"action": "Ignore"})),
            "spec.podFailurePolicy.rules[0]: Invalid value: specifying one of OnExitCodes and OnPodConditions is required",
        ),
        (
            failure(json!({"action": "Ignore", "onExitCodes": {"containerName": "b", "operator": "In", "values": [2, 0, 2]}})),
            "spec.podFailurePolicy.rules[0].onExitCodes.containerName: Invalid value: \"b\": must be one of the container or initContainer names in the pod template
spec.podFailurePolicy.rules[0].onExitCodes.values[1]: Invalid value: 0: must not be 0 for the In operator
spec.podFailurePolicy.rules[0].onExitCodes.values[2]: Duplicate value: 2
spec.podFailurePolicy.rules[0].onExitCodes.values: Invalid value: [2,0,2]: must be ordered",
        ),
        (
            with(json!({
                "podFailurePolicy": {"rules": []}, "podReplacementPolicy": "TerminatingOrFailed",
                "template": {"spec": {"restartPolicy": "OnFailure"}},
            })),
            "spec.podReplacementPolicy: Unsupported value: \"TerminatingOrFailed\": supported values: \"Failed\" (did you mean \"Failed\"?)
spec.template.spec.restartPolicy: Invalid value: \"OnFailure\": only \"Never\" is supported when podFailurePolicy is specified",
        ),
        (
            with(json!({"successPolicy": {"rules": [{"succeededCount": 1}]}})),
            "spec.successPolicy: Invalid value: {\"rules\":[{\"succeededCount\":1}]}: requires indexed completion mode",
        ),
        (
            indexed_with(json!({"successPolicy": {"rules": [{}, {"succeededIndexes": "2-1"}, {"succeededIndexes": "0,3", "succeededCount": 3}]}})),
            "spec.successPolicy.rules[0]: Required value: at least one of succeededCount or succeededIndexes must be specified
spec.successPolicy.rules[1].succeededIndexes: Invalid value: \"2-1\": error parsing succeededIndexes: non-increasing order, previous: 2, current: 1
spec.successPolicy.rules[2].succeededCount: Invalid value: 3: must be less than or equal to 2 (the number of indexes in the specified succeededIndexes field)",
        ),
        (
            with(json!({"managedBy": "other"})),
            "spec.managedBy: Invalid value: \"other\": must be a domain-prefixed path (such as \"acme.io/foo\")",
        ),
        (
            with(json!({"selector": {"matchLabels": {"controller-uid": "123"}}})),
            "spec.selector: Invalid value: {\"matchLabels\":{\"controller-uid\":\"123\"}}: `selector` not auto-generated (remove it: the API server makes selector and labels up for each Job)",
        ),
    ] {
        assert_eq!(problems(&document), expect);
    }
}

#[test]
fn a_name_fits_into_a_label() {
    for (length, refused) in [(63, 0), (64, 1)] {
        let mut document = work();
        document["metadata"]["name"] = json!("n".repeat(length));
        let problems = manifest::read(&document).err().unwrap_or_default();
        assert_eq!(problems.len(), refused, "{problems:?}");
        assert!(problems.iter().all(|problem| problem.to_string().starts_with("spec.template.labels: Invalid value")));
    }
}
