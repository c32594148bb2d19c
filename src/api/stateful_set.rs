//! StatefulSets.

use super::{Annotations, ClaimSpec, IntOrPercent, Labels, Meta, PodTemplate, Selector};
use std::sync::Arc;

/// `spec.updateStrategy`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StatefulStrategy {
    /// Pods take over a new template when somebody deletes them.
    OnDelete,
    /// The controller replaces pods, the highest ordinal first. The inner
    /// value is `rollingUpdate`, which may be absent.
    RollingUpdate(Option<StatefulRolling>),
}

/// `spec.updateStrategy.rollingUpdate`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct StatefulRolling {
    /// Pods below this ordinal keep the old template.
    pub partition: i32,
    /// How many pods may be unavailable. `None` is 1; the API server keeps it
    /// only if the feature gate is on.
    pub max_unavailable: Option<IntOrPercent>,
}

/// `spec.podManagementPolicy`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum PodManagement {
    /// One pod after the other, each only when all before it are available.
    #[default]
    OrderedReady,
    /// All at once.
    Parallel,
}

/// What becomes of a claim when its pod or its StatefulSet goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Retention {
    /// It stays.
    #[default]
    Retain,
    /// It goes too.
    Delete,
}

/// `spec.persistentVolumeClaimRetentionPolicy`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ClaimRetention {
    /// When the StatefulSet is deleted.
    pub when_deleted: Retention,
    /// When its pod is scaled away.
    pub when_scaled: Retention,
}

/// One of `spec.volumeClaimTemplates`.
#[derive(Clone, PartialEq, Debug)]
pub struct ClaimTemplate {
    /// Its name; claims are called `<this>-<set>-<ordinal>`.
    pub name: Arc<str>,
    /// Its labels.
    pub labels: Labels,
    /// Its annotations.
    pub annotations: Annotations,
    /// What the claims ask for.
    pub spec: ClaimSpec,
    /// The whole template after defaulting.
    pub raw: Arc<serde_json::Value>,
}

/// `spec` of a StatefulSet.
#[derive(Clone, PartialEq, Debug)]
pub struct StatefulSetSpec {
    /// How many pods there shall be.
    pub replicas: i32,
    /// `ordinals.start`: the first pod's number.
    pub start: i32,
    /// Which pods it owns or adopts.
    pub selector: Arc<Selector>,
    /// What its pods are stamped from.
    pub template: Arc<PodTemplate>,
    /// What its pods' claims are stamped from.
    pub claims: Arc<Vec<ClaimTemplate>>,
    /// What becomes of the claims.
    pub retention: ClaimRetention,
    /// The service that governs the pods' network names.
    pub service_name: Arc<str>,
    /// In what order pods come and go.
    pub pod_management: PodManagement,
    /// How a new template reaches the pods.
    pub strategy: StatefulStrategy,
    /// How long a pod must be ready to count as available, in seconds.
    pub min_ready_seconds: i32,
    /// How many old revisions are kept; negative keeps them all.
    pub revision_history_limit: i32,
}

impl StatefulSetSpec {
    /// Pods below this ordinal keep the old template, if `rollingUpdate` says
    /// so at all.
    pub const fn partition(&self) -> Option<i32> {
        match self.strategy {
            StatefulStrategy::RollingUpdate(Some(rolling)) => Some(rolling.partition),
            _ => None,
        }
    }

    /// The same spec with everything that may be changed later taken from
    /// `other`: if that is not equal to `other`, something else was changed.
    #[must_use]
    pub fn with_mutable_of(&self, other: &StatefulSetSpec) -> StatefulSetSpec {
        StatefulSetSpec {
            replicas: other.replicas,
            start: other.start,
            template: other.template.clone(),
            retention: other.retention,
            strategy: other.strategy,
            min_ready_seconds: other.min_ready_seconds,
            revision_history_limit: other.revision_history_limit,
            ..self.clone()
        }
    }
}

/// `status` of a StatefulSet.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct StatefulSetStatus {
    /// The generation that the controller has acted upon.
    pub observed_generation: i64,
    /// Pods that exist.
    pub replicas: i32,
    /// Pods that run and are ready.
    pub ready: i32,
    /// Of those, the ones that have been ready for long enough.
    pub available: i32,
    /// Pods of the current revision that are not being deleted.
    pub current: i32,
    /// Pods of the update revision that are not being deleted.
    pub updated: i32,
    /// The name of the revision that pods below the partition have.
    pub current_revision: Arc<str>,
    /// The name of the revision of the present template.
    pub update_revision: Arc<str>,
    /// How often two templates had the same hash.
    pub collision_count: i32,
}

/// A stored StatefulSet.
#[derive(Clone, PartialEq, Debug)]
pub struct StatefulSet {
    /// Its metadata.
    pub meta: Meta,
    /// What is wanted.
    pub spec: StatefulSetSpec,
    /// What is.
    pub status: StatefulSetStatus,
}
