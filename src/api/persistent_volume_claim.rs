//! PersistentVolumeClaims. Nothing binds them and no pod waits for them; they
//! come and go with the pods of StatefulSets.

use super::Meta;

/// A stored PersistentVolumeClaim.
#[derive(Clone, PartialEq, Debug)]
pub struct PersistentVolumeClaim {
    /// Its metadata.
    pub meta: Meta,
}
