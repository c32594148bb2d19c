//! What every object has: a name, an owner, versions and a fate.

use super::Labels;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// The kinds that seatrial knows.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum Kind {
    /// `v1` Node.
    Node,
    /// `v1` Pod.
    Pod,
    /// `apps/v1` ReplicaSet.
    ReplicaSet,
    /// `apps/v1` Deployment.
    Deployment,
    /// `apps/v1` ControllerRevision.
    ControllerRevision,
    /// `apps/v1` StatefulSet.
    StatefulSet,
    /// `v1` PersistentVolumeClaim.
    PersistentVolumeClaim,
    /// `apps/v1` DaemonSet.
    DaemonSet,
    /// `batch/v1` Job.
    Job,
    /// `batch/v1` CronJob.
    CronJob,
    /// `v1` PersistentVolume.
    PersistentVolume,
    /// `storage.k8s.io/v1` StorageClass.
    StorageClass,
    /// `v1` Service.
    Service,
    /// `policy/v1` PodDisruptionBudget.
    PodDisruptionBudget,
    /// `autoscaling/v2` HorizontalPodAutoscaler.
    HorizontalPodAutoscaler,
    /// `coordination.k8s.io/v1` Lease, of nodes.
    Lease,
    /// Not an object: what a trace says of the cluster as a whole.
    Cluster,
}

impl Kind {
    /// The kind as a bit, for sets of kinds.
    #[inline]
    pub const fn bit(self) -> u32 {
        1 << self as u32
    }

    /// All kinds of objects, in the order of their declaration.
    pub const ALL: [Kind; 16] = [
        Kind::Node,
        Kind::Pod,
        Kind::ReplicaSet,
        Kind::Deployment,
        Kind::ControllerRevision,
        Kind::StatefulSet,
        Kind::PersistentVolumeClaim,
        Kind::DaemonSet,
        Kind::Job,
        Kind::CronJob,
        Kind::PersistentVolume,
        Kind::StorageClass,
        Kind::Service,
        Kind::PodDisruptionBudget,
        Kind::HorizontalPodAutoscaler,
        Kind::Lease,
    ];

    /// The kind as manifests spell it.
    pub const fn name(self) -> &'static str {
        match self {
            Kind::Node => "Node",
            Kind::Pod => "Pod",
            Kind::ReplicaSet => "ReplicaSet",
            Kind::Deployment => "Deployment",
            Kind::ControllerRevision => "ControllerRevision",
            Kind::StatefulSet => "StatefulSet",
            Kind::PersistentVolumeClaim => "PersistentVolumeClaim",
            Kind::DaemonSet => "DaemonSet",
            Kind::Job => "Job",
            Kind::CronJob => "CronJob",
            Kind::PersistentVolume => "PersistentVolume",
            Kind::StorageClass => "StorageClass",
            Kind::Service => "Service",
            Kind::PodDisruptionBudget => "PodDisruptionBudget",
            Kind::HorizontalPodAutoscaler => "HorizontalPodAutoscaler",
            Kind::Lease => "Lease",
            Kind::Cluster => "Cluster",
        }
    }

    /// Whether objects of this kind are in no namespace.
    pub const fn is_cluster_wide(self) -> bool {
        matches!(self, Kind::Node | Kind::PersistentVolume | Kind::StorageClass | Kind::Cluster)
    }

    /// The API group as messages of the API server put it after a kind or a
    /// resource, `.apps`; empty for the core group.
    pub const fn group_suffix(self) -> &'static str {
        match self {
            Kind::Deployment | Kind::ReplicaSet | Kind::StatefulSet | Kind::DaemonSet | Kind::ControllerRevision => {
                ".apps"
            }
            Kind::Job | Kind::CronJob => ".batch",
            Kind::PodDisruptionBudget => ".policy",
            Kind::HorizontalPodAutoscaler => ".autoscaling",
            Kind::StorageClass => ".storage.k8s.io",
            _ => "",
        }
    }

    /// Whether it has pods or makes them: what scenarios are about.
    pub const fn is_workload(self) -> bool {
        matches!(
            self,
            Kind::Pod
                | Kind::ReplicaSet
                | Kind::Deployment
                | Kind::StatefulSet
                | Kind::DaemonSet
                | Kind::Job
                | Kind::CronJob
        )
    }

    /// The kind that manifests spell this way, upper and lower case alike,
    /// with kubectl's short names.
    pub fn parse(text: &str) -> Option<Kind> {
        match text.to_ascii_lowercase().as_str() {
            "node" | "nodes" | "no" => Some(Kind::Node),
            "pod" | "pods" | "po" => Some(Kind::Pod),
            "replicaset" | "replicasets" | "rs" => Some(Kind::ReplicaSet),
            "deployment" | "deployments" | "deploy" => Some(Kind::Deployment),
            "controllerrevision" | "controllerrevisions" => Some(Kind::ControllerRevision),
            "statefulset" | "statefulsets" | "sts" => Some(Kind::StatefulSet),
            "persistentvolumeclaim" | "persistentvolumeclaims" | "pvc" => Some(Kind::PersistentVolumeClaim),
            "daemonset" | "daemonsets" | "ds" => Some(Kind::DaemonSet),
            "job" | "jobs" => Some(Kind::Job),
            "cronjob" | "cronjobs" | "cj" => Some(Kind::CronJob),
            "persistentvolume" | "persistentvolumes" | "pv" => Some(Kind::PersistentVolume),
            "storageclass" | "storageclasses" | "sc" => Some(Kind::StorageClass),
            "service" | "services" | "svc" => Some(Kind::Service),
            "poddisruptionbudget" | "poddisruptionbudgets" | "pdb" => Some(Kind::PodDisruptionBudget),
            "horizontalpodautoscaler" | "horizontalpodautoscalers" | "hpa" => Some(Kind::HorizontalPodAutoscaler),
            _ => None,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// An object's identity for the length of a run. UIDs count up, so the
/// smaller one belongs to the older object.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Uid(pub u32);

/// Where an object is kept, guarded by its UID against reuse of the slot.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Key {
    /// The table.
    pub kind: Kind,
    /// The row.
    pub slot: u32,
    /// Whose row it was when this key was made.
    pub uid: Uid,
}

// No two objects have the same UID.
impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.uid.hash(state);
    }
}

/// A reference from a dependent to its owner.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OwnerRef {
    /// The owner.
    pub key: Key,
    /// Whether the owner manages the dependent; at most one owner does.
    pub controller: bool,
    /// Whether foreground deletion of the owner waits for the dependent.
    pub blocks_deletion: bool,
}

/// A reference to an owner as a manifest has it: by name. The UID that goes
/// with it is one of another cluster.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NamedOwner {
    /// The owner's kind.
    pub kind: Kind,
    /// Its name; it is in the same namespace, or in none.
    pub name: Arc<str>,
    /// Whether the owner manages the dependent; at most one owner does.
    pub controller: bool,
    /// Whether foreground deletion of the owner waits for the dependent.
    pub blocks_deletion: bool,
}

/// A deletion that has been asked for and not finished.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Deletion {
    /// `metadata.deletionTimestamp`.
    pub at: Timestamp,
    /// `metadata.deletionGracePeriodSeconds`.
    pub grace_seconds: u32,
}

/// How dependents follow their owner.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Propagation {
    /// The owner goes at once, the dependents after it.
    #[default]
    Background,
    /// The dependents go first.
    Foreground,
    /// The dependents stay.
    Orphan,
}

/// The finalizers that seatrial knows, as a set.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Finalizers(u8);

impl Finalizers {
    /// None at all.
    pub const NONE: Finalizers = Finalizers(0);
    /// `orphan`: dependents stay when the object goes.
    pub const ORPHAN: Finalizers = Finalizers(1);
    /// `foregroundDeletion`: the object stays until its dependents are gone.
    pub const FOREGROUND: Finalizers = Finalizers(2);
    /// `batch.kubernetes.io/job-tracking`: the Job has not counted this pod.
    pub const JOB_TRACKING: Finalizers = Finalizers(4);

    /// `kubernetes.io/pvc-protection`: pods still use this claim.
    pub const CLAIM_IN_USE: Finalizers = Finalizers(8);

    /// Whether all of `other` are set.
    pub const fn has(self, other: Finalizers) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether none is set.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// These and `other`.
    #[must_use]
    pub const fn with(self, other: Finalizers) -> Finalizers {
        Finalizers(self.0 | other.0)
    }

    /// These without `other`.
    #[must_use]
    pub const fn without(self, other: Finalizers) -> Finalizers {
        Finalizers(self.0 & !other.0)
    }
}

/// `metadata.annotations`; most objects have none and share the empty map.
pub type Annotations = Arc<BTreeMap<String, String>>;

/// `metadata` of any object.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Meta {
    /// `metadata.namespace`; empty for nodes.
    pub namespace: Arc<str>,
    /// `metadata.name`.
    pub name: Arc<str>,
    /// `metadata.uid`.
    pub uid: Uid,
    /// The store's revision at the last write that changed the object.
    pub resource_version: u64,
    /// Counts changes of the spec.
    pub generation: i64,
    /// `metadata.creationTimestamp`.
    pub created: Timestamp,
    /// Set once deletion has been asked for.
    pub deletion: Option<Deletion>,
    /// `metadata.labels`.
    pub labels: Arc<Labels>,
    /// `metadata.annotations`.
    pub annotations: Annotations,
    /// `metadata.ownerReferences`.
    pub owners: Vec<OwnerRef>,
    /// The same as its manifest has it, for what was applied with owners.
    pub named_owners: Option<Arc<[NamedOwner]>>,
    /// `metadata.finalizers`.
    pub finalizers: Finalizers,
}

impl Meta {
    /// Metadata as a client sends it: named, and nothing the server fills in.
    pub fn named(namespace: &str, name: &str) -> Meta {
        Meta::labelled(&namespace.into(), name.into(), &Arc::default(), &Arc::default())
    }

    /// The same with labels and annotations that others have too.
    pub fn labelled(namespace: &Arc<str>, name: Arc<str>, labels: &Arc<Labels>, annotations: &Annotations) -> Meta {
        Meta {
            namespace: namespace.clone(),
            name,
            uid: Uid(0),
            resource_version: 0,
            generation: 0,
            created: Timestamp(0),
            deletion: None,
            labels: labels.clone(),
            annotations: annotations.clone(),
            owners: Vec::new(),
            named_owners: None,
            finalizers: Finalizers::default(),
        }
    }

    /// The owner that manages this object, if any.
    pub fn controller(&self) -> Option<Key> {
        self.owners.iter().find(|o| o.controller).map(|o| o.key)
    }

    /// Whether deletion has been asked for.
    pub const fn is_deleting(&self) -> bool {
        self.deletion.is_some()
    }

    /// Writes one annotation and says whether that changed anything.
    pub fn annotate(&mut self, name: &str, value: &str) -> bool {
        if self.annotations.get(name).is_some_and(|old| old == value) {
            return false;
        }
        Arc::make_mut(&mut self.annotations).insert(name.to_string(), value.to_string());
        true
    }
}

/// The three values of a condition's status.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum ConditionStatus {
    /// It holds.
    True,
    /// It does not hold.
    False,
    /// Nobody can say.
    Unknown,
}

impl ConditionStatus {
    /// The status as the API spells it.
    pub const fn name(self) -> &'static str {
        match self {
            ConditionStatus::True => "True",
            ConditionStatus::False => "False",
            ConditionStatus::Unknown => "Unknown",
        }
    }
}

impl fmt::Display for ConditionStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
