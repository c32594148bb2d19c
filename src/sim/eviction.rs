//! The eviction subresource: a pod goes if its budget lets it.

use super::Simulation;
use super::event::PodRef;
use crate::api::{Key, Phase, Pod, PodDisruptionBudget, PodDisruptionBudgetStatus, UnhealthyPods};
use crate::cluster::ApiError;
use crate::trace::{RecordId, What, Why};

/// More pods than this that were let go and have not gone are not trusted.
///
/// Upstream: `pkg/registry/core/pod/storage/eviction.go MaxDisruptedPodSize`
const MOST_DISRUPTED: usize = 2_000;

/// The reason of the condition that an evicted pod carries.
const REASON: &str = "EvictionByEvictionAPI";

/// What the API server says about the budget of a pod.
enum Verdict {
    /// The pod may go; no budget counts it.
    Free,
    /// The pod may go, and its budget shrinks.
    Counted(Key),
}

impl Simulation {
    /// Asks for the eviction of a pod.
    ///
    /// # Errors
    /// 429 if its budget does not let it go now, 500 if it has several
    /// budgets, 404 if it is gone.
    ///
    /// Upstream: `pkg/registry/core/pod/storage/eviction.go Create`
    pub(super) fn evict(&mut self, pod: Key, grace_seconds: Option<u32>, cause: RecordId) -> Result<(), ApiError> {
        let row = self.store.objects().pods.get(pod).ok_or(ApiError::NotFound)?;
        let verdict = match is_beyond_disruption(row) {
            true => Ok(Verdict::Free),
            false => self.verdict(row),
        };
        match verdict {
            Ok(Verdict::Free) => {}
            Ok(Verdict::Counted(budget)) => self.let_go(budget, pod, cause)?,
            Err((error, why)) => {
                self.recorder.note(cause, pod.uid, What::Decided(why));
                return Err(error);
            }
        }
        let reason = self.recorder.intern(REASON);
        let news = self.store.objects().pods.get(pod).is_some_and(|row| row.disruption.is_none());
        let whats: &[What] = if news { &[What::DisruptionTarget { reason }] } else { &[] };
        self.pod_status(PodRef::of(pod), cause, whats, |row| row.disruption = Some(REASON.into()));
        let cause = self.recorder.last;
        self.delete_pod(pod, grace_seconds, cause)?;
        self.publish();
        Ok(())
    }

    fn verdict(&self, pod: &Pod) -> Result<Verdict, (ApiError, Why)> {
        let budgets = self.store.objects().budgets_guarding(&pod.meta.namespace, &pod.meta.labels);
        let (key, budget) = match budgets.as_slice() {
            [] => return Ok(Verdict::Free),
            [one] => *one,
            several => {
                let message =
                    "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.";
                let why = Why::SeveralBudgets { budgets: several.len() as i32 };
                return Err((ApiError::Internal(message.to_string()), why));
            }
        };
        if !pod.ready && unhealthy_may_go(budget) {
            return Ok(Verdict::Free);
        }
        match refusal(budget) {
            None => Ok(Verdict::Counted(key)),
            Some(error) => {
                let PodDisruptionBudgetStatus { current_healthy, desired_healthy, .. } = budget.status;
                Err((error, Why::BudgetRefuses { healthy: current_healthy, desired: desired_healthy }))
            }
        }
    }

    /// Takes one disruption off a budget, and notes for its controller which
    /// pod is about to go.
    ///
    /// Upstream: `pkg/registry/core/pod/storage/eviction.go checkAndDecrement`
    fn let_go(&mut self, budget: Key, pod: Key, cause: RecordId) -> Result<(), ApiError> {
        let name = self.store.objects().meta(pod).map(|meta| meta.name.clone()).ok_or(ApiError::NotFound)?;
        let now = self.store.now;
        self.recorded(budget, cause, |store| {
            store.update(budget, None, |row: &mut PodDisruptionBudget| {
                row.status.disruptions_allowed -= 1;
                if row.status.disruptions_allowed == 0 {
                    row.status.update_condition();
                }
                row.status.disrupted.insert(name, now);
            })
        })?;
        self.publish();
        Ok(())
    }
}

/// Pods that have ended, have not begun or are going already are no loss.
///
/// Upstream: `pkg/registry/core/pod/storage/eviction.go canIgnorePDB`
fn is_beyond_disruption(pod: &Pod) -> bool {
    pod.is_finished() || pod.phase == Phase::Pending || pod.meta.is_deleting()
}

/// Whether a pod that is not ready may go without being counted.
fn unhealthy_may_go(budget: &PodDisruptionBudget) -> bool {
    let status = &budget.status;
    budget.spec.unhealthy == Some(UnhealthyPods::AlwaysAllow)
        || (status.current_healthy >= status.desired_healthy && status.desired_healthy > 0)
}

/// Why a budget lets no pod go, if it does not.
fn refusal(budget: &PodDisruptionBudget) -> Option<ApiError> {
    let (status, name) = (&budget.status, &budget.meta.name);
    let too_many = |why: String| {
        let message = "Cannot evict pod as it would violate the pod's disruption budget.";
        Some(ApiError::TooManyRequests(format!("{message} {why}")))
    };
    if status.observed_generation < budget.meta.generation {
        return too_many(format!("The disruption budget {name} is still being processed by the server."));
    }
    if status.disrupted.len() > MOST_DISRUPTED {
        let why = "DisruptedPods map too big - too many evictions not confirmed by PDB controller";
        return Some(ApiError::Forbidden(format!("poddisruptionbudgets.policy {name:?} is forbidden: {why}")));
    }
    if status.disruptions_allowed > 0 {
        return None;
    }
    match &status.allowed {
        Some(c) if c.reason == "SyncFailed" && !c.message.is_empty() => too_many(format!(
            "The disruption budget {name} does not allow evicting pods currently because it failed sync: {}",
            c.message
        )),
        _ if status.current_healthy <= status.desired_healthy => too_many(format!(
            "The disruption budget {name} needs {} healthy pods and has {} currently",
            status.desired_healthy, status.current_healthy
        )),
        _ => too_many(format!("The disruption budget {name} does not allow evicting pods currently")),
    }
}
