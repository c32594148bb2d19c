//! Deployments.

use super::{ConditionStatus, IntOrPercent, Meta, PodTemplate, Selector};
use crate::time::Timestamp;
use std::sync::Arc;

/// `spec.strategy`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Strategy {
    /// Old pods go first, all of them; then the new ones come.
    Recreate,
    /// New and old overlap within these limits.
    RollingUpdate {
        /// How many pods there may be above `replicas`.
        max_surge: IntOrPercent,
        /// How many pods may be missing below `replicas`.
        max_unavailable: IntOrPercent,
    },
}

/// `spec` of a Deployment after defaulting.
#[derive(Clone, PartialEq, Debug)]
pub struct DeploymentSpec {
    /// How many pods there shall be.
    pub replicas: i32,
    /// Which ReplicaSets and pods are its own.
    pub selector: Arc<Selector>,
    /// What its pods are stamped from.
    pub template: Arc<PodTemplate>,
    /// How a new template takes over.
    pub strategy: Strategy,
    /// How long a pod must be ready to count as available, in seconds.
    pub min_ready_seconds: i32,
    /// How long a rollout may stand still before it is reported, in seconds;
    /// `i32::MAX` means never.
    pub progress_deadline_seconds: i32,
    /// How many old ReplicaSets are kept; `i32::MAX` means all.
    pub revision_history_limit: i32,
    /// Whether rollouts are held.
    pub paused: bool,
    /// The revision whose template the controller shall put back, 0 for the
    /// one before: what is left of `spec.rollbackTo`, today an annotation.
    pub rollback_to: Option<i64>,
}

/// One of a Deployment's conditions.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DeploymentCondition {
    /// True, False or Unknown.
    pub status: ConditionStatus,
    /// Why, in one word.
    pub reason: Arc<str>,
    /// When the controller last wrote it.
    pub last_update: Timestamp,
    /// When its status last changed.
    pub last_transition: Timestamp,
}

/// `status` of a Deployment.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct DeploymentStatus {
    /// The generation that the controller has acted upon.
    pub observed_generation: i64,
    /// Pods of all its ReplicaSets.
    pub replicas: i32,
    /// Pods of the newest one.
    pub updated: i32,
    /// Ready pods.
    pub ready: i32,
    /// Available pods.
    pub available: i32,
    /// Pods still missing from being available.
    pub unavailable: i32,
    /// Pods that are being deleted and still run; absent while some
    /// ReplicaSet has not reported yet.
    pub terminating: Option<i32>,
    /// How often a template hash met another template's ReplicaSet.
    pub collision_count: i32,
    /// The `Available` condition.
    pub available_condition: Option<DeploymentCondition>,
    /// The `Progressing` condition.
    pub progressing: Option<DeploymentCondition>,
    /// The `ReplicaFailure` condition.
    pub replica_failure: Option<DeploymentCondition>,
}

/// A stored Deployment.
#[derive(Clone, PartialEq, Debug)]
pub struct Deployment {
    /// Its metadata.
    pub meta: Meta,
    /// What is wanted.
    pub spec: DeploymentSpec,
    /// What is.
    pub status: DeploymentStatus,
    /// `deployment.kubernetes.io/revision`, the newest ReplicaSet's number.
    pub revision: Option<i64>,
}

impl Deployment {
    /// Whether new and old pods may overlap.
    pub const fn is_rolling(&self) -> bool {
        matches!(self.spec.strategy, Strategy::RollingUpdate { .. })
    }

    /// Whether standing still is to be reported.
    pub const fn has_progress_deadline(&self) -> bool {
        self.spec.progress_deadline_seconds != i32::MAX
    }
}
