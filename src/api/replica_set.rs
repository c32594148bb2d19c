//! ReplicaSets.

use super::{Meta, PodTemplate, Selector};
use std::sync::Arc;

/// `spec` of a ReplicaSet.
#[derive(Clone, PartialEq, Debug)]
pub struct ReplicaSetSpec {
    /// How many pods there shall be.
    pub replicas: i32,
    /// How long a pod must be ready to count as available, in seconds.
    pub min_ready_seconds: i32,
    /// Which pods it owns or adopts.
    pub selector: Arc<Selector>,
    /// What its pods are stamped from.
    pub template: Arc<PodTemplate>,
}

/// `status` of a ReplicaSet.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ReplicaSetStatus {
    /// Active pods.
    pub replicas: i32,
    /// Active pods that carry all labels of the template.
    pub fully_labeled: i32,
    /// Active pods that are ready.
    pub ready: i32,
    /// Active pods that have been ready for long enough.
    pub available: i32,
    /// Pods that are being deleted and still run; absent before the first sync.
    pub terminating: Option<i32>,
    /// The generation that the controller has acted upon.
    pub observed_generation: i64,
    /// The `ReplicaFailure` condition: reason and message.
    pub failure: Option<(Arc<str>, Arc<str>)>,
}

/// What the Deployment controller notes on a ReplicaSet, as annotations.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct RolloutMarks {
    /// `deployment.kubernetes.io/revision`.
    pub revision: Option<i64>,
    /// `deployment.kubernetes.io/desired-replicas`: the Deployment's
    /// `spec.replicas` when it last sized this ReplicaSet.
    pub desired_replicas: Option<i32>,
    /// `deployment.kubernetes.io/max-replicas`: the same with surge.
    pub max_replicas: Option<i32>,
}

/// A stored ReplicaSet.
#[derive(Clone, PartialEq, Debug)]
pub struct ReplicaSet {
    /// Its metadata.
    pub meta: Meta,
    /// What is wanted.
    pub spec: ReplicaSetSpec,
    /// What is.
    pub status: ReplicaSetStatus,
    /// The Deployment controller's notes.
    pub marks: RolloutMarks,
}

impl ReplicaSet {
    /// Writes down what its Deployment notes on it.
    pub fn take_notes(&mut self, marks: RolloutMarks, annotations: &super::Annotations, min_ready_seconds: i32) {
        self.marks = marks;
        self.meta.annotations = annotations.clone();
        self.spec.min_ready_seconds = min_ready_seconds;
    }
}
