//! What a pod's volume claims say about where it may run.

use crate::api::{Labels, NodeMatch};
use crate::environment::volumes::Reach;

/// For each claim of a pod that ties it to nodes, the terms of which one must
/// hold for a node.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ClaimRules {
    /// By claim: the node affinity of its volume, or the topologies that its
    /// storage class allows. No term at all allows no node.
    pub claims: Vec<Vec<Vec<NodeMatch>>>,
}

impl ClaimRules {
    /// Whether the pod may run anywhere as far as its claims go.
    pub fn is_empty(&self) -> bool {
        self.claims.is_empty()
    }

    /// Whether a node with these labels and this name will do.
    ///
    /// Upstream: `pkg/scheduler/framework/plugins/volumebinding/binder.go FindPodVolumes`
    pub fn allow(&self, labels: &Labels, name: &str) -> bool {
        self.claims.iter().all(|terms| NodeMatch::any_term(terms, labels, name))
    }
}

impl From<Reach> for ClaimRules {
    fn from(reach: Reach) -> ClaimRules {
        ClaimRules { claims: reach.into_terms() }
    }
}
