//! Storage as machines see it: claims and volumes.

use super::Simulation;
use super::actions::Outcome;
use super::record::Fields;
use crate::api::{PersistentVolume, PersistentVolumeClaim};
use crate::trace::RecordId;

impl Simulation {
    /// Somebody applies a claim that no StatefulSet made.
    pub(super) fn create_claim_by_hand(&mut self, claim: &PersistentVolumeClaim, cause: RecordId) -> Outcome {
        self.create_object(claim.clone(), cause)
    }
}

/// The recorded fields of a claim.
pub(super) fn claim_fields(_claim: &PersistentVolumeClaim) -> Fields {
    Fields::new()
}

/// The recorded fields of a volume.
pub(super) fn volume_fields(_volume: &PersistentVolume) -> Fields {
    Fields::new()
}
