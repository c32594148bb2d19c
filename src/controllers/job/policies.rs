//! What a failed pod and a succeeded index mean to their Job.

use crate::api::{ConditionStatus, FailureAction, FailureMatch, FailureRule, Indexes, Pod, SuccessRule};
use std::sync::Arc;

/// What a policy says of one failed pod.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Verdict {
    /// The action of the first rule that fits.
    pub action: Option<FailureAction>,
    /// Which rule that is.
    pub rule: usize,
}

impl Verdict {
    /// Whether the failure counts against the back-off limits.
    pub(super) const fn counts(self) -> bool {
        !matches!(self.action, Some(FailureAction::Ignore))
    }
}

/// What the policy says of a failed pod; no policy and no rule that fits mean
/// that the failure counts.
///
/// Upstream: `job/pod_failure_policy.go matchPodFailurePolicy`
#[must_use]
pub(super) fn judge(policy: Option<&Arc<[FailureRule]>>, pod: &Pod) -> Verdict {
    let rules = policy.map_or(&[][..], |rules| &rules[..]);
    match rules.iter().position(|rule| fits(&rule.matches, pod)) {
        Some(rule) => Verdict { action: Some(rules[rule].action), rule },
        None => Verdict { action: None, rule: 0 },
    }
}

/// Upstream: `job/pod_failure_policy.go matchOnExitCodes`, `matchOnPodConditions`
fn fits(wanted: &FailureMatch, pod: &Pod) -> bool {
    match wanted {
        FailureMatch::ExitCodes { container, not_in, values } => {
            // All containers of a pod end together, with the same code.
            let code = pod.terminated.filter(|_| pod.is_finished()).map(|(code, _)| code);
            let known = |name: &Arc<str>| pod.template.containers.iter().any(|c| *c.name == **name);
            container.as_ref().is_none_or(known)
                && code.is_some_and(|code| code != 0 && values.contains(&code) != *not_in)
        }
        FailureMatch::Conditions(patterns) => patterns.iter().any(|(kind, status)| has_condition(pod, kind, *status)),
    }
}

/// Whether a pod has a condition with this status, of those that are stored.
fn has_condition(pod: &Pod, kind: &str, status: ConditionStatus) -> bool {
    let is = |holds: bool| if holds { ConditionStatus::True } else { ConditionStatus::False };
    match kind {
        "DisruptionTarget" => pod.disruption.is_some() && status == ConditionStatus::True,
        "Ready" | "ContainersReady" => pod.node.is_some() && status == is(pod.ready),
        "PodScheduled" => (pod.node.is_some() || pod.is_known_unscheduled()) && status == is(pod.node.is_some()),
        "Initialized" => pod.node.is_some() && status == ConditionStatus::True,
        _ => false,
    }
}

/// The message of a Job that failed because of one pod.
///
/// Upstream: `job/pod_failure_policy.go matchPodFailurePolicy`
#[must_use]
pub(super) fn fail_job_message(rules: &[FailureRule], verdict: Verdict, pod: &Pod) -> String {
    let name = format!("{}/{}", pod.meta.namespace, pod.meta.name);
    match rules.get(verdict.rule).map(|rule| &rule.matches) {
        Some(FailureMatch::Conditions(patterns)) => {
            let held = patterns.iter().find(|(kind, status)| has_condition(pod, kind, *status));
            let kind = held.map_or("", |(kind, _)| kind);
            format!("Pod {name} has condition {kind} matching FailJob rule at index {}", verdict.rule)
        }
        _ => {
            let named = match rules.get(verdict.rule).map(|rule| &rule.matches) {
                Some(FailureMatch::ExitCodes { container, .. }) => container.as_deref(),
                _ => None,
            };
            let container = named.or_else(|| pod.template.containers.first().map(|c| &*c.name)).unwrap_or("");
            let code = pod.terminated.map_or(0, |(code, _)| code);
            format!(
                "Container {container} for pod {name} failed with exit code {code} matching FailJob rule at index {}",
                verdict.rule
            )
        }
    }
}

/// The first rule by which enough indexes have succeeded.
///
/// Upstream: `job/success_policy.go matchSuccessPolicy`
#[must_use]
pub(super) fn enough(rules: Option<&Arc<[SuccessRule]>>, completions: u32, succeeded: &Indexes) -> Option<usize> {
    if succeeded.is_empty() {
        return None;
    }
    rules?.iter().position(|rule| {
        let at_least = |have: usize| rule.count.is_some_and(|count| have as i64 >= i64::from(count));
        match &rule.indexes {
            None => at_least(succeeded.len()),
            Some(wanted) => {
                let wanted = wanted.below(completions);
                let have = wanted.common(succeeded);
                !wanted.is_empty() && (have == wanted.len() || at_least(have))
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::pod;
    use super::*;
    use crate::api::Phase;
    use crate::time::Timestamp;

    fn exits(action: FailureAction, not_in: bool, values: &[i32]) -> FailureRule {
        FailureRule { action, matches: FailureMatch::ExitCodes { container: None, not_in, values: values.to_vec() } }
    }

    #[test]
    fn the_first_rule_that_fits_decides() {
        let target = FailureMatch::Conditions(vec![("DisruptionTarget".into(), ConditionStatus::True)]);
        let rules: Arc<[FailureRule]> = vec![
            exits(FailureAction::Count, false, &[3, 4]),
            FailureRule { action: FailureAction::Ignore, matches: target },
            exits(FailureAction::FailJob, true, &[7]),
        ]
        .into();
        for (code, disrupted, action, counts) in [
            (3, true, Some(FailureAction::Count), true),
            (5, true, Some(FailureAction::Ignore), false),
            (5, false, Some(FailureAction::FailJob), true),
            (7, false, None, true),
            (0, false, None, true),
        ] {
            let mut pod = pod(1);
            pod.phase = Phase::Failed;
            pod.terminated = Some((code, Timestamp(0)));
            pod.disruption = disrupted.then(|| "Eviction".into());
            let verdict = judge(Some(&rules), &pod);
            assert_eq!((verdict.action, verdict.counts()), (action, counts), "{code} {disrupted}");
            pod.phase = Phase::Running;
            assert_ne!(judge(Some(&rules), &pod).action, Some(FailureAction::Count), "it has not ended");
        }
        assert!(judge(None, &pod(1)).counts());
    }

    #[test]
    fn some_indexes_may_be_enough() {
        let rule = |indexes: Option<&[u32]>, count| SuccessRule {
            indexes: indexes.map(|list| Indexes::of(list.iter().copied())),
            count,
        };
        let rules: Arc<[SuccessRule]> =
            vec![rule(Some(&[0]), None), rule(Some(&[1, 2, 3]), Some(2)), rule(None, Some(4))].into();
        for (succeeded, met) in [
            (vec![], None),
            (vec![0], Some(0)),
            (vec![1], None),
            (vec![1, 3], Some(1)),
            (vec![3, 4, 5], None),
            (vec![3, 4, 5, 6], Some(2)),
        ] {
            assert_eq!(enough(Some(&rules), 10, &Indexes::of(succeeded.clone())), met, "{succeeded:?}");
        }
        assert_eq!(enough(None, 10, &Indexes::of([0])), None);
    }
}
