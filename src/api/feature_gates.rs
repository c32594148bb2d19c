//! Feature gates: parts of Kubernetes that a cluster may have switched on.

/// The gates whose state makes a difference here. The default is that of
/// Kubernetes v1.36.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct FeatureGates {
    /// `MaxUnavailableStatefulSet`: rolling updates of StatefulSets may take
    /// several pods at once. Off by default; the API server then drops the
    /// field `maxUnavailable`.
    pub max_unavailable_stateful_set: bool,
}

impl FeatureGates {
    /// The names of all gates.
    pub const NAMES: [&str; 1] = ["MaxUnavailableStatefulSet"];

    /// Switches the gate of this name. Answers whether there is such a gate.
    #[must_use]
    pub fn set(&mut self, name: &str, on: bool) -> bool {
        match name {
            "MaxUnavailableStatefulSet" => self.max_unavailable_stateful_set = on,
            _ => return false,
        }
        true
    }
}
