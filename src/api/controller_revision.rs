//! ControllerRevisions: the templates that a workload had, numbered.

use super::{Meta, PodTemplate};
use std::sync::Arc;

/// A stored ControllerRevision of a StatefulSet or a DaemonSet.
#[derive(Clone, PartialEq, Debug)]
pub struct ControllerRevision {
    /// Its metadata; the name is the owner's and a hash of `data`.
    pub meta: Meta,
    /// `revision`: counts up from 1. Reverting to an old template gives its
    /// revision the next number.
    pub revision: i64,
    /// `data`: the template.
    pub data: Arc<PodTemplate>,
}
