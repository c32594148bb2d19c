//! Storage: classes, volumes, and the claims by which pods get them.

use super::{Meta, NodeMatch, Uid};
use std::sync::Arc;

/// `spec.accessModes`, as a set.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct AccessModes(u8);

impl AccessModes {
    /// The names, in the order in which they are written out.
    pub const NAMES: [&str; 4] = ["ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod"];

    /// The mode of that name.
    pub fn parse(name: &str) -> Option<AccessModes> {
        AccessModes::NAMES.iter().position(|known| *known == name).map(|bit| AccessModes(1 << bit))
    }

    /// These and `other`.
    #[must_use]
    pub const fn with(self, other: AccessModes) -> AccessModes {
        AccessModes(self.0 | other.0)
    }

    /// Whether all of `other` are among these.
    pub const fn has(self, other: AccessModes) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether several nodes may have the volume at a time.
    pub const fn is_shared(self) -> bool {
        self.0 & 0b0110 != 0
    }

    /// Whether a single pod may have it at a time.
    pub const fn is_for_one_pod(self) -> bool {
        self.0 & 0b1000 != 0
    }

    /// The modes' names.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        let set = move |(bit, _): &(usize, &&str)| self.0 & (1 << bit) != 0;
        AccessModes::NAMES.iter().enumerate().filter(set).map(|(_, name)| *name)
    }
}

/// What becomes of a volume when its claim goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Reclaim {
    /// Volume and data go too: what provisioned volumes do by default.
    #[default]
    Delete,
    /// It stays, with the data, and nobody gets it any more.
    Retain,
}

/// When a claim gets its volume.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum BindingMode {
    /// As soon as the claim is there, wherever its pod will run.
    #[default]
    Immediate,
    /// When the scheduler has chosen a node for its pod.
    WaitForFirstConsumer,
}

/// What a claim asks for.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ClaimSpec {
    /// `storageClassName`: `None` for the default class, empty for none.
    pub class: Option<Arc<str>>,
    /// `accessModes`.
    pub modes: AccessModes,
    /// `resources.requests.storage`, in thousandths of a byte.
    pub storage_milli: i64,
    /// `volumeName`: the volume that it is bound to, or shall be.
    pub volume: Option<Arc<str>>,
}

/// A stored PersistentVolumeClaim.
#[derive(Clone, PartialEq, Debug)]
pub struct PersistentVolumeClaim {
    /// Its metadata.
    pub meta: Meta,
    /// What it asks for.
    pub spec: ClaimSpec,
    /// `status.phase: Bound`: it has its volume.
    pub bound: bool,
}

/// Whose a volume is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ClaimRef {
    /// The claim's namespace.
    pub namespace: Arc<str>,
    /// The claim's name.
    pub name: Arc<str>,
    /// The claim; `None` while the volume is only reserved for that name.
    pub uid: Option<Uid>,
}

/// `status.phase` of a volume.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum VolumePhase {
    /// Nobody's.
    #[default]
    Available,
    /// Some claim's.
    Bound,
    /// A claim's that is gone; what it wrote is still there.
    Released,
}

impl VolumePhase {
    /// The phase as the API spells it.
    pub const fn name(self) -> &'static str {
        match self {
            VolumePhase::Available => "Available",
            VolumePhase::Bound => "Bound",
            VolumePhase::Released => "Released",
        }
    }
}

/// A stored PersistentVolume.
#[derive(Clone, PartialEq, Debug)]
pub struct PersistentVolume {
    /// Its metadata; volumes have no namespace.
    pub meta: Meta,
    /// `storageClassName`; empty for none.
    pub class: Arc<str>,
    /// `accessModes`.
    pub modes: AccessModes,
    /// `capacity.storage`, in thousandths of a byte.
    pub storage_milli: i64,
    /// `persistentVolumeReclaimPolicy`.
    pub reclaim: Reclaim,
    /// The nodes that can reach it: one of the terms must hold. No term at
    /// all means every node.
    pub node_affinity: Vec<Vec<NodeMatch>>,
    /// Whether it is a disk that must be attached to a node.
    pub attachable: bool,
    /// Whose it is.
    pub claim: Option<ClaimRef>,
    /// `status.phase`.
    pub phase: VolumePhase,
}

/// A stored StorageClass.
#[derive(Clone, PartialEq, Debug)]
pub struct StorageClass {
    /// Its metadata; classes have no namespace.
    pub meta: Meta,
    /// Who makes its volumes.
    pub provisioner: Arc<str>,
    /// `volumeBindingMode`.
    pub binding: BindingMode,
    /// `reclaimPolicy` of the volumes that are made.
    pub reclaim: Reclaim,
    /// `allowedTopologies`: one of the terms must hold for a node that
    /// volumes are made for. No term at all means every node.
    pub topologies: Vec<Vec<NodeMatch>>,
    /// The class of claims that name none.
    pub is_default: bool,
}

impl StorageClass {
    /// The provisioner of classes whose volumes are only made by hand.
    pub const NO_PROVISIONER: &'static str = "kubernetes.io/no-provisioner";

    /// Whether it makes volumes.
    pub fn provisions(&self) -> bool {
        &*self.provisioner != StorageClass::NO_PROVISIONER
    }
}
