//! DaemonSets.

use super::{IntOrPercent, Meta, PodTemplate, Selector};
use std::sync::Arc;

/// `spec.updateStrategy`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DaemonSetUpdate {
    /// New pods only where somebody deletes the old one. What is written
    /// under `rollingUpdate` means nothing, but stays for when the type
    /// changes back.
    OnDelete {
        /// `rollingUpdate.maxSurge`
        max_surge: Option<IntOrPercent>,
        /// `rollingUpdate.maxUnavailable`
        max_unavailable: Option<IntOrPercent>,
    },
    /// Node by node, within bounds. Exactly one of the two is above zero.
    RollingUpdate {
        /// How many nodes may have a new pod beside an available old one.
        max_surge: IntOrPercent,
        /// How many nodes may be without an available pod.
        max_unavailable: IntOrPercent,
    },
}

/// `spec` of a DaemonSet.
#[derive(Clone, PartialEq, Debug)]
pub struct DaemonSetSpec {
    /// Which pods it owns or adopts.
    pub selector: Arc<Selector>,
    /// What its pods are stamped from.
    pub template: Arc<PodTemplate>,
    /// How pods of an older template are replaced.
    pub update: DaemonSetUpdate,
    /// How long a pod must be ready to count as available, in seconds.
    pub min_ready_seconds: i32,
    /// How many old ControllerRevisions are kept.
    pub revision_history_limit: i32,
}

/// `status` of a DaemonSet. All counts are of nodes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct DaemonSetStatus {
    /// The generation that the controller has acted upon.
    pub observed_generation: i64,
    /// Nodes that shall run a pod.
    pub desired: i32,
    /// Nodes that shall run a pod and have one.
    pub current: i32,
    /// Nodes that have a pod and shall not.
    pub misscheduled: i32,
    /// Nodes whose pod is ready.
    pub ready: i32,
    /// Nodes whose pod is of the present template.
    pub updated: i32,
    /// Nodes whose pod has been ready for long enough.
    pub available: i32,
    /// Nodes that shall run a pod and have no available one.
    pub unavailable: i32,
    /// How often the name of a revision was taken already.
    pub collision_count: i32,
}

/// A stored DaemonSet.
#[derive(Clone, PartialEq, Debug)]
pub struct DaemonSet {
    /// Its metadata.
    pub meta: Meta,
    /// What is wanted.
    pub spec: DaemonSetSpec,
    /// What is.
    pub status: DaemonSetStatus,
    /// `deprecated.daemonset.template.generation`: counts the changes of the
    /// template, from 1. Pods carry it as a label beside the revision's hash,
    /// and either of the two makes a pod count as updated.
    pub template_generation: i64,
}

impl DaemonSet {
    /// Replaces the spec, and counts the change if the template is another.
    ///
    /// Upstream: `pkg/registry/apps/daemonset/strategy.go PrepareForUpdate`
    pub fn set_spec(&mut self, spec: DaemonSetSpec) {
        let same = PodTemplate::same_revision(&self.spec.template, &spec.template);
        self.template_generation += i64::from(!same);
        self.spec = spec;
    }

    /// Replaces the template.
    pub fn set_template(&mut self, template: Arc<PodTemplate>) {
        self.set_spec(DaemonSetSpec { template, ..self.spec.clone() });
    }
}
