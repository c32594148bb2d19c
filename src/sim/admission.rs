//! Which pods the API server lets in: quotas of namespaces, and a webhook
//! that may not answer.

use super::Simulation;
use super::setup::Quota;
use crate::api::{Key, Pod, PodTemplate, Resources};
use crate::cluster::{ApiError, Change, Verb};
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// What admission remembers.
#[derive(Clone, Debug, Default)]
pub(super) struct Admission {
    /// Whether the webhook that every new pod must pass does not answer.
    pub(super) webhook_down: bool,
    /// What the pods of namespaces with a quota take.
    used: FxHashMap<Arc<str>, Resources>,
    /// The pods that count, and what each takes.
    counted: FxHashMap<Key, (Arc<str>, Resources)>,
}

impl Simulation {
    /// Lets a new pod in or not. Without quotas nobody counts.
    ///
    /// # Errors
    /// 500 if the webhook does not answer, 403 if a quota does not allow it.
    ///
    /// Upstream: `staging/src/k8s.io/apiserver/pkg/admission/plugin/resourcequota/controller.go checkRequest`,
    /// `staging/src/k8s.io/apiserver/pkg/admission/plugin/webhook/mutating/dispatcher.go`
    pub(super) fn admit_pod(&self, namespace: &str, name: &str, template: &PodTemplate) -> Result<(), ApiError> {
        if self.admission.webhook_down {
            let message = "Internal error occurred: failed calling webhook \"pods\": connection refused";
            return Err(ApiError::Internal(message.to_string()));
        }
        let used = self.admission.used.get(namespace).copied().unwrap_or_default();
        match self.quotas_of(namespace).find_map(|quota| refusal(quota, &used, &demand(template))) {
            None => Ok(()),
            Some(why) => Err(ApiError::Forbidden(format!("pods {name:?} is forbidden: {why}"))),
        }
    }

    fn quotas_of(&self, namespace: &str) -> impl Iterator<Item = &Quota> {
        self.setup.quotas.iter().filter(move |quota| *quota.namespace == *namespace)
    }

    /// Keeps count of the pods of namespaces with a quota: those that have
    /// ended do not count, those that are being deleted do.
    ///
    /// Upstream: `pkg/quota/v1/evaluator/core/pods.go QuotaV1Pod`
    pub(super) fn quotas_see(&mut self, change: &Change) {
        if self.setup.quotas.is_empty() {
            return;
        }
        let pod = self.store.objects().pods.get(change.key).filter(|_| change.verb != Verb::Deleted);
        let counts = pod.filter(|pod| !pod.is_finished() && self.quotas_of(&pod.meta.namespace).next().is_some());
        let new = counts.map(|pod: &Pod| (pod.meta.namespace.clone(), demand(&pod.template)));
        let admission = &mut self.admission;
        match (new, admission.counted.contains_key(&change.key)) {
            (Some((namespace, demand)), false) => {
                admission.used.entry(namespace.clone()).or_default().add(&demand);
                admission.counted.insert(change.key, (namespace, demand));
            }
            (None, true) => {
                let Some((namespace, demand)) = admission.counted.remove(&change.key) else { return };
                if let Some(used) = admission.used.get_mut(&namespace) {
                    used.remove(&demand);
                }
            }
            _ => {}
        }
    }
}

/// What a pod takes of a quota.
fn demand(template: &PodTemplate) -> Resources {
    Resources { pods: 1, ..template.requests }
}

/// Why a quota does not let a pod in, if it does not. What it limits must be
/// asked for.
fn refusal(quota: &Quota, used: &Resources, wanted: &Resources) -> Option<String> {
    let rows = [
        ("pods", quota.pods, used.pods * 1_000, wanted.pods * 1_000),
        ("requests.cpu", quota.cpu_milli, used.cpu_milli, wanted.cpu_milli),
        ("requests.memory", quota.memory_milli, used.memory_milli, wanted.memory_milli),
    ];
    let name = if quota.name.is_empty() { String::new() } else { format!(": {}", quota.name) };
    let limited = || rows.iter().filter_map(|&(name, hard, used, wanted)| Some((name, hard?, used, wanted)));
    let missing: Vec<&str> = limited().filter(|row| row.3 == 0).map(|row| row.0).collect();
    if !missing.is_empty() {
        return Some(format!("failed quota{name}: must specify {}", missing.join(",")));
    }
    let over: Vec<_> = limited().filter(|&(_, hard, used, wanted)| used + wanted > hard).collect();
    if over.is_empty() {
        return None;
    }
    let list = |amount: fn(&(&str, i64, i64, i64)) -> i64| {
        let items: Vec<String> = over.iter().map(|row| format!("{}={}", row.0, in_short(amount(row)))).collect();
        items.join(",")
    };
    let (wanted, used, hard) = (list(|row| row.3), list(|row| row.2), list(|row| row.1));
    Some(format!("exceeded quota{name}, requested: {wanted}, used: {used}, limited: {hard}"))
}

/// Thousandths as a quantity: whole units, Mi where it comes out even, or
/// thousandths.
fn in_short(milli: i64) -> String {
    match milli {
        n if n % 1_000 != 0 => format!("{n}m"),
        n if n != 0 && n % (1_000 << 20) == 0 => format!("{}Mi", n / (1_000 << 20)),
        n => (n / 1_000).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quota_limits_what_is_taken_together() {
        let quota = Quota {
            namespace: "shop".into(),
            name: "".into(),
            pods: Some(3_000),
            cpu_milli: Some(1_000),
            memory_milli: None,
        };
        let of = |pods, cpu_milli| Resources { pods, cpu_milli, memory_milli: 5 };
        for (used, wanted, why) in [
            (of(2, 500), of(1, 500), None),
            (of(3, 500), of(1, 500), Some("exceeded quota, requested: pods=1, used: pods=3, limited: pods=3")),
            (
                of(1, 600),
                of(1, 500),
                Some("exceeded quota, requested: requests.cpu=500m, used: requests.cpu=600m, limited: requests.cpu=1"),
            ),
            (of(0, 0), of(1, 0), Some("failed quota: must specify requests.cpu")),
        ] {
            assert_eq!(refusal(&quota, &used, &wanted).as_deref(), why);
        }
        assert_eq!(in_short(64 * (1_000 << 20)), "64Mi");
    }
}
