//! Services: which pods a name stands for.

use super::{Labels, Meta};

/// A stored Service.
#[derive(Clone, PartialEq, Debug)]
pub struct Service {
    /// Its metadata.
    pub meta: Meta,
    /// `selector`; without one nobody keeps its endpoints.
    pub selector: Labels,
    /// `clusterIP: None`: its name answers with the pods' own addresses, and
    /// every pod has a name of its own.
    pub headless: bool,
    /// Pods get their names before they are ready and keep them to the end.
    pub publish_not_ready_addresses: bool,
}

impl Service {
    /// Whether it stands for pods with these labels.
    pub fn selects(&self, labels: &Labels) -> bool {
        !self.selector.0.is_empty() && labels.contains_all(&self.selector)
    }
}
