//! Which pods the API server lets in: quotas of namespaces, and a webhook
//! that may not answer.

use super::Simulation;
use crate::api::{Key, PodTemplate};
use crate::cluster::{ApiError, Change, Verb};
use crate::environment::quota::{Charge, Quota};
use rustc_hash::FxHashMap;

/// What admission remembers.
#[derive(Clone, Debug, Default)]
pub(super) struct Admission {
    /// Whether the webhook that every new pod must pass does not answer.
    pub(super) webhook_down: bool,
    /// What is taken of each quota, in the order of the setup.
    used: Vec<Charge>,
    /// The pods that count: for which quotas, and what each takes.
    counted: FxHashMap<Key, (Vec<usize>, Charge)>,
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
        let quotas = self.quotas_of(namespace, template);
        let unsaid = quotas.iter().find_map(|(_, quota)| quota.unsaid(template));
        let why = unsaid.or_else(|| {
            let wanted = Charge::of_template(template);
            let used = |nth: usize| self.admission.used.get(nth).copied().unwrap_or_default();
            quotas.iter().find_map(|&(nth, quota)| quota.excess(&used(nth), &wanted))
        });
        why.map_or(Ok(()), |why| Err(ApiError::Forbidden(format!("pods {name:?} is forbidden: {why}"))))
    }

    /// The quotas that count pods of a template in a namespace.
    fn quotas_of(&self, namespace: &str, template: &PodTemplate) -> Vec<(usize, &Quota)> {
        let all = self.setup.quotas.iter().enumerate();
        all.filter(|(_, quota)| *quota.namespace == *namespace && quota.counts(template)).collect()
    }

    /// Keeps count of the pods of namespaces with a quota: those that have
    /// ended take nothing any more, those that are being deleted do.
    ///
    /// Upstream: `pkg/quota/v1/evaluator/core/pods.go QuotaV1Pod`
    pub(super) fn quotas_see(&mut self, change: &Change) {
        if self.setup.quotas.is_empty() {
            return;
        }
        let pod = self.store.objects().pods.get(change.key).filter(|_| change.verb != Verb::Deleted);
        let known = self.admission.counted.get(&change.key);
        let new = pod.map(|pod| {
            let quotas = known.map(|(quotas, _)| quotas.clone());
            let found = || self.quotas_of(&pod.meta.namespace, &pod.template).into_iter().map(|(nth, _)| nth).collect();
            (quotas.unwrap_or_else(found), Charge::of_pod(pod))
        });
        let before = known.map_or(Charge::default(), |(_, charge)| *charge);
        let after = new.as_ref().map_or(Charge::default(), |(_, charge)| *charge);
        if known.is_some() && new.is_some() && before == after {
            return;
        }
        let admission = &mut self.admission;
        admission.used.resize(self.setup.quotas.len(), Charge::default());
        let quotas = match new {
            Some((quotas, charge)) => {
                admission.counted.insert(change.key, (quotas.clone(), charge));
                quotas
            }
            None => admission.counted.remove(&change.key).map(|(quotas, _)| quotas).unwrap_or_default(),
        };
        for nth in quotas {
            admission.used[nth] = admission.used[nth].plus(after).minus(before);
        }
    }
}
