//! PodDisruptionBudgets.

use super::{ConditionStatus, IntOrPercent, Labels, Meta, Selector};
use crate::time::Timestamp;
use std::collections::BTreeMap;
use std::sync::Arc;

/// How many pods must stay, or may go.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Budget {
    /// `spec.minAvailable`.
    MinAvailable(IntOrPercent),
    /// `spec.maxUnavailable`.
    MaxUnavailable(IntOrPercent),
    /// Neither: no pod is needed, and as none is expected none may go.
    Unset,
}

/// `spec.unhealthyPodEvictionPolicy`: when pods that are not ready may go.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum UnhealthyPods {
    /// As long as the healthy ones are enough.
    #[default]
    IfHealthyBudget,
    /// Always.
    AlwaysAllow,
}

impl UnhealthyPods {
    /// All policies, in the order in which the API server names them.
    pub const ALL: [UnhealthyPods; 2] = [UnhealthyPods::AlwaysAllow, UnhealthyPods::IfHealthyBudget];

    /// The policy as manifests spell it.
    pub const fn name(self) -> &'static str {
        match self {
            UnhealthyPods::IfHealthyBudget => "IfHealthyBudget",
            UnhealthyPods::AlwaysAllow => "AlwaysAllow",
        }
    }
}

/// `spec` of a PodDisruptionBudget.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PodDisruptionBudgetSpec {
    /// Which pods of its namespace it guards; without a selector none, with
    /// an empty one all.
    pub selector: Option<Arc<Selector>>,
    /// How many.
    pub budget: Budget,
    /// `spec.unhealthyPodEvictionPolicy`, if it was given.
    pub unhealthy: Option<UnhealthyPods>,
}

/// The `DisruptionAllowed` condition.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DisruptionAllowed {
    /// Whether a pod may go now.
    pub status: ConditionStatus,
    /// `SufficientPods`, `InsufficientPods` or `SyncFailed`.
    pub reason: &'static str,
    /// Why the sync failed; else empty.
    pub message: Arc<str>,
}

/// `status` of a PodDisruptionBudget.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct PodDisruptionBudgetStatus {
    /// The generation that the figures are of.
    pub observed_generation: i64,
    /// Pods that the API server has let go and that are not being deleted
    /// yet, by name, with the time of the eviction.
    pub disrupted: BTreeMap<Arc<str>, Timestamp>,
    /// How many pods may go now.
    pub disruptions_allowed: i32,
    /// Ready pods that are not about to go.
    pub current_healthy: i32,
    /// How many of them there must be.
    pub desired_healthy: i32,
    /// How many pods there should be.
    pub expected_pods: i32,
    /// The condition, once there is one.
    pub allowed: Option<DisruptionAllowed>,
}

impl PodDisruptionBudgetStatus {
    /// Brings the condition in line with the figures.
    ///
    /// Upstream: `staging/src/k8s.io/component-helpers/apps/poddisruptionbudget/helpers.go UpdateDisruptionAllowedCondition`
    pub fn update_condition(&mut self) {
        let (status, reason) = match self.disruptions_allowed {
            ..=0 => (ConditionStatus::False, "InsufficientPods"),
            _ => (ConditionStatus::True, "SufficientPods"),
        };
        self.allowed = Some(DisruptionAllowed { status, reason, message: "".into() });
    }
}

/// A stored PodDisruptionBudget.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PodDisruptionBudget {
    /// Its metadata.
    pub meta: Meta,
    /// What is wanted.
    pub spec: PodDisruptionBudgetSpec,
    /// What is.
    pub status: PodDisruptionBudgetStatus,
}

impl PodDisruptionBudget {
    /// Whether it guards pods with these labels. Its namespace is not asked.
    pub fn guards(&self, labels: &Labels) -> bool {
        self.spec.selector.as_ref().is_some_and(|selector| selector.matches(labels))
    }
}
