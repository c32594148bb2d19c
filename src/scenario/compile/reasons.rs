//! Reasons that claims wait for and that nothing here ever gives.

use super::Compiler;
use crate::scenario::expression::{self, Expr, Node};
use crate::scenario::suggest;

/// The reasons of Kubernetes Events and conditions that a run can have.
const REASONS: [&str; 100] = [
    "AmbiguousSelector",
    "BackOff",
    "BackoffLimitExceeded",
    "CalculateExpectedPodCountFailed",
    "Completed",
    "CompletionsReached",
    "DeadlineExceeded",
    "DeletionByPodGC",
    "DeletionByTaintManager",
    "DeploymentPaused",
    "DeploymentResumed",
    "DesiredWithinRange",
    "DisruptionTarget",
    "Evicted",
    "EvictionByEvictionAPI",
    "EvictionThresholdMet",
    "Failed",
    "FailedAttachVolume",
    "FailedComputeMetricsReplicas",
    "FailedCreate",
    "FailedDaemonPod",
    "FailedDelete",
    "FailedGet",
    "FailedGetContainerResourceMetric",
    "FailedGetExternalMetric",
    "FailedGetObjectMetric",
    "FailedGetPodsMetric",
    "FailedGetResourceMetric",
    "FailedGetScale",
    "FailedIndexes",
    "FailedRescale",
    "FailedScheduling",
    "FailedUpdateScale",
    "FailedUpdateStatus",
    "FoundNewReplicaSet",
    "InsufficientPods",
    "Invalid",
    "InvalidSchedule",
    "JobAlreadyActive",
    "JobResumed",
    "JobSuspended",
    "Killing",
    "MaxFailedIndexesExceeded",
    "MinimumReplicasAvailable",
    "MinimumReplicasUnavailable",
    "MissSchedule",
    "MissingJob",
    "MultiplePodDisruptionBudgets",
    "NewReplicaSetAvailable",
    "NewReplicaSetCreated",
    "NoPods",
    "NodeNotReady",
    "NotFound",
    "NotTriggerScaleUp",
    "PodFailurePolicy",
    "Preempted",
    "PreemptionByScheduler",
    "ProgressDeadlineExceeded",
    "Pulled",
    "Pulling",
    "ReadyForNewScale",
    "RegisteredNode",
    "RemovingNode",
    "ReplicaSetUpdated",
    "Resumed",
    "SawCompletedJob",
    "ScaleDown",
    "ScaleDownFailed",
    "ScaleDownLimit",
    "ScaleDownStabilized",
    "ScaleUpLimit",
    "ScaleUpStabilized",
    "ScalingDisabled",
    "ScalingReplicaSet",
    "Scheduled",
    "Started",
    "SucceededDaemonPod",
    "SucceededGetScale",
    "SucceededRescale",
    "SuccessPolicy",
    "SuccessfulCreate",
    "SuccessfulDelete",
    "SuccessfulRescale",
    "SufficientPods",
    "Suspended",
    "SyncFailed",
    "TaintManagerEviction",
    "TerminationByKubelet",
    "TooFewReplicas",
    "TooManyMissedTimes",
    "TooManyReplicas",
    "TooManySucceededPods",
    "TriggeredScaleUp",
    "UnexpectedJob",
    "Unhealthy",
    "UnknownTimeZone",
    "UnmanagedPods",
    "UnparseableSchedule",
    "UnsupportedSchedule",
    "ValidMetricFound",
];

impl Compiler<'_> {
    /// Notes the reasons in a claim that no run has: it would be true, or
    /// false, whatever happens.
    pub(super) fn note_reasons(&mut self, text: &str, field: &str) {
        let Ok(claim) = expression::parse_claim(text) else { return };
        let mut found = Vec::new();
        reasons(&claim.expr, &mut found);
        for reason in found.into_iter().filter(|reason| !REASONS.contains(&reason.as_str())) {
            let near = suggest::nearest(&reason, REASONS).map(|near| format!("did you mean {near}?"));
            self.note(field, format!("nothing that is simulated gives the reason {reason}"), near);
        }
    }
}

/// The reasons that an expression names.
fn reasons(expr: &Expr, into: &mut Vec<String>) {
    match &expr.node {
        Node::Call(name, arguments) => {
            if name == "event"
                && let Some(Node::Word(reason) | Node::Text(reason)) = arguments.first().map(|first| &first.value.node)
            {
                into.push(reason.clone());
            }
            for argument in arguments {
                reasons(&argument.value, into);
            }
        }
        Node::Binary(_, a, b) => {
            if let (Node::Call(name, _), Node::Word(value) | Node::Text(value)) = (&a.node, &b.node)
                && name == "condition"
                && let Some((_, reason)) = value.split_once('/')
            {
                into.push(reason.to_string());
            }
            reasons(a, into);
            reasons(b, into);
        }
        Node::Not(inner) | Node::Percent(_, inner) => reasons(inner, into),
        Node::Number(_) | Node::Time(_) | Node::Text(_) | Node::Word(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::path::Path;

    #[test]
    fn reasons_are_found_in_claims() {
        let found = |text: &str| {
            let mut found = Vec::new();
            reasons(&expression::parse_claim(text).unwrap().expr, &mut found);
            found
        };
        assert_eq!(found("count(event(BackOff, web/1)) == 0 and complete(deployment/web)"), ["BackOff"]);
        assert_eq!(found("not condition(job/x, Failed) == \"True/DeadlineExceeded\""), ["DeadlineExceeded"]);
        assert!(found("condition(job/x, Failed) == \"True\"").is_empty());
    }

    /// The reasons in files of a folder, as JSON writes them.
    fn written_in(folder: &Path, into: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                written_in(&path, into);
            } else {
                let text = std::fs::read_to_string(&path).unwrap_or_default();
                let after = text.split("\"reason\":").skip(1).filter_map(|rest| rest.split('"').nth(1));
                into.extend(after.map(str::to_string));
            }
        }
    }

    #[test]
    fn every_recorded_reason_is_known() {
        let mut all = BTreeSet::new();
        written_in(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance/cases"), &mut all);
        let unknown: Vec<&String> = all.iter().filter(|reason| !REASONS.contains(&reason.as_str())).collect();
        assert!(unknown.is_empty(), "{unknown:?}");
        assert!(REASONS.is_sorted());
    }
}
