//! Any object that a user may hand to the API server.

use super::{
    CronJob, DaemonSet, Deployment, HorizontalPodAutoscaler, Job, Kind, Meta, PersistentVolume, PersistentVolumeClaim,
    Pod, PodDisruptionBudget, PodTemplate, ReplicaSet, Service, StatefulSet, StorageClass,
};

/// One object as a client sends it, after defaulting and validation.
#[derive(Clone, PartialEq, Debug)]
pub enum Object {
    /// A Deployment.
    Deployment(Box<Deployment>),
    /// A Job.
    Job(Box<Job>),
    /// A CronJob.
    CronJob(Box<CronJob>),
    /// A ReplicaSet without a Deployment.
    ReplicaSet(Box<ReplicaSet>),
    /// A StatefulSet.
    StatefulSet(Box<StatefulSet>),
    /// A DaemonSet.
    DaemonSet(Box<DaemonSet>),
    /// A pod that nothing controls.
    Pod(Box<Pod>),
    /// A claim that no StatefulSet made.
    PersistentVolumeClaim(Box<PersistentVolumeClaim>),
    /// A volume made by hand.
    PersistentVolume(Box<PersistentVolume>),
    /// A StorageClass.
    StorageClass(Box<StorageClass>),
    /// A Service.
    Service(Box<Service>),
    /// A PodDisruptionBudget.
    PodDisruptionBudget(Box<PodDisruptionBudget>),
    /// A HorizontalPodAutoscaler.
    HorizontalPodAutoscaler(Box<HorizontalPodAutoscaler>),
}

impl Object {
    /// Its kind.
    pub const fn kind(&self) -> Kind {
        match self {
            Object::Deployment(_) => Kind::Deployment,
            Object::Job(_) => Kind::Job,
            Object::CronJob(_) => Kind::CronJob,
            Object::ReplicaSet(_) => Kind::ReplicaSet,
            Object::StatefulSet(_) => Kind::StatefulSet,
            Object::DaemonSet(_) => Kind::DaemonSet,
            Object::Pod(_) => Kind::Pod,
            Object::PersistentVolumeClaim(_) => Kind::PersistentVolumeClaim,
            Object::PersistentVolume(_) => Kind::PersistentVolume,
            Object::StorageClass(_) => Kind::StorageClass,
            Object::Service(_) => Kind::Service,
            Object::PodDisruptionBudget(_) => Kind::PodDisruptionBudget,
            Object::HorizontalPodAutoscaler(_) => Kind::HorizontalPodAutoscaler,
        }
    }

    /// The template of its pods, if it has any.
    pub fn template(&self) -> Option<&PodTemplate> {
        match self {
            Object::Deployment(o) => Some(&o.spec.template),
            Object::Job(o) => Some(&o.spec.template),
            Object::CronJob(o) => Some(&o.spec.template.spec.template),
            Object::ReplicaSet(o) => Some(&o.spec.template),
            Object::StatefulSet(o) => Some(&o.spec.template),
            Object::DaemonSet(o) => Some(&o.spec.template),
            Object::Pod(o) => Some(&o.template),
            Object::PersistentVolumeClaim(_)
            | Object::PersistentVolume(_)
            | Object::StorageClass(_)
            | Object::Service(_)
            | Object::PodDisruptionBudget(_)
            | Object::HorizontalPodAutoscaler(_) => None,
        }
    }

    /// Its metadata.
    pub const fn meta(&self) -> &Meta {
        match self {
            Object::Deployment(o) => &o.meta,
            Object::Job(o) => &o.meta,
            Object::CronJob(o) => &o.meta,
            Object::ReplicaSet(o) => &o.meta,
            Object::StatefulSet(o) => &o.meta,
            Object::DaemonSet(o) => &o.meta,
            Object::Pod(o) => &o.meta,
            Object::PersistentVolumeClaim(o) => &o.meta,
            Object::PersistentVolume(o) => &o.meta,
            Object::StorageClass(o) => &o.meta,
            Object::Service(o) => &o.meta,
            Object::PodDisruptionBudget(o) => &o.meta,
            Object::HorizontalPodAutoscaler(o) => &o.meta,
        }
    }
}
