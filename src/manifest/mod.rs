//! Kubernetes manifests: from JSON to the typed rows of [`api`](crate::api)
//! and back, and the patches in between.
//!
//! Reading does what the API server does: it decodes against the fields that
//! each kind has, fills in the defaults, checks, and refuses with *all*
//! problems at once. Fields that are valid and that the simulator does not
//! read are named in [`Loaded::not_modelled`].
//!
//! A kind is one file: the shape of its spec, `read` and `to_json`. `read`
//! decodes against the shape, which finds unknown fields and wrong types, and
//! then reads the clean document with `Fields`, which cannot fail; what is
//! wrong beyond types goes into `Problems`. A new kind also needs an arm in
//! `kinds.rs` and in the three matches below.

mod cron_job;
mod daemon_set;
mod deployment;
mod fields;
mod horizontal_pod_autoscaler;
mod image;
mod job;
mod kinds;
mod meta;
mod notes;
pub mod patch;
mod pod;
mod pod_disruption_budget;
mod pod_template;
mod problems;
mod quantity;
mod replica_set;
mod selector;
mod service;
mod shape;
mod stateful_set;
mod storage;
mod suggest;
mod syntax;
mod workload;

pub use image::set_image;
pub use kinds::{KnownKind, kind_of};
pub use patch::patched;

use crate::api::{Kind, Object};
use crate::error::Problem;
use serde_json::Value;

/// How long the value of a label may be.
const MAX_LABEL_VALUE: usize = 63;

/// An object and what was not taken from its manifest.
#[derive(Clone, PartialEq, Debug)]
pub struct Loaded {
    /// The object after defaulting, as a client sends it: identity, versions
    /// and status are still empty.
    pub object: Object,
    /// Valid fields that the simulator does not read: paths with `[]` for
    /// list indices, each once and sorted, some with `: ` and what that means.
    pub not_modelled: Vec<String>,
}

/// Reads a manifest.
///
/// # Errors
/// Everything that is wrong with it: first what could not be decoded in the
/// order of the document, then what the API server would refuse, in its
/// order and words. Every problem names its field; entries of mappings are
/// written `metadata.labels[app]`.
pub fn read(value: &Value) -> Result<Loaded, Vec<Problem>> {
    match kind_of(value).map_err(|problem| vec![problem])? {
        KnownKind::Modelled(Kind::Deployment) => deployment::read(value),
        KnownKind::Modelled(Kind::ReplicaSet) => replica_set::read(value),
        KnownKind::Modelled(Kind::StatefulSet) => stateful_set::read(value),
        KnownKind::Modelled(Kind::DaemonSet) => daemon_set::read(value),
        KnownKind::Modelled(Kind::Job) => job::read(value),
        KnownKind::Modelled(Kind::CronJob) => cron_job::read(value),
        KnownKind::Modelled(Kind::Pod) => pod::read(value),
        KnownKind::Modelled(Kind::PersistentVolumeClaim) => storage::read_claim(value),
        KnownKind::Modelled(Kind::PersistentVolume) => storage::read_volume(value),
        KnownKind::Modelled(Kind::StorageClass) => storage::read_class(value),
        KnownKind::Modelled(Kind::Service) => service::read(value),
        KnownKind::Modelled(Kind::PodDisruptionBudget) => pod_disruption_budget::read(value),
        KnownKind::Modelled(Kind::HorizontalPodAutoscaler) => horizontal_pod_autoscaler::read(value),
        KnownKind::Modelled(kind) => Err(vec![not_simulated(kind.name())]),
        KnownKind::NotSimulated { kind, .. } => Err(vec![not_simulated(&kind)]),
        KnownKind::List => {
            Err(vec![Problem::new("expected one object, found a list").in_field("kind").with_hint("read its items")])
        }
    }
}

fn not_simulated(kind: &str) -> Problem {
    Problem::new(format!("{kind} is not simulated")).in_field("kind")
}

/// The documents in a list as `kubectl get -o yaml` prints it, or the document
/// itself if it is none.
pub fn items(value: &Value) -> Vec<&Value> {
    match kind_of(value) {
        Ok(KnownKind::List) => value.get("items").and_then(Value::as_array).into_iter().flatten().collect(),
        _ => vec![value],
    }
}

/// What the API server says to a name that a Job cannot have: it is also the
/// value of a label of its pods.
///
/// # Errors
/// Why not, in the API server's words.
pub fn check_job_name(name: &str) -> Result<(), String> {
    let mut wrong = syntax::dns_subdomain(name);
    if wrong.is_empty() && name.len() > MAX_LABEL_VALUE {
        wrong.push(format!("must be no more than {MAX_LABEL_VALUE} characters"));
    }
    match &wrong[..] {
        [] => Ok(()),
        words => Err(format!("{name:?} cannot be the name of a Job: {}", words.join(", "))),
    }
}

/// The object as a client would send it: `read(&to_json(o))` gives an object
/// that is equal in all that clients may say.
pub fn to_json(object: &Object) -> Value {
    match object {
        Object::Deployment(d) => deployment::to_json(d),
        Object::ReplicaSet(set) => replica_set::to_json(set),
        Object::StatefulSet(set) => stateful_set::to_json(set),
        Object::DaemonSet(set) => daemon_set::to_json(set),
        Object::Job(job) => job::to_json(job),
        Object::CronJob(c) => cron_job::to_json(c),
        Object::Pod(p) => pod::to_json(p),
        Object::PersistentVolumeClaim(claim) => storage::claim_to_json(claim),
        Object::PersistentVolume(volume) => storage::volume_to_json(volume),
        Object::StorageClass(class) => storage::class_to_json(class),
        Object::Service(service) => service::to_json(service),
        Object::PodDisruptionBudget(b) => pod_disruption_budget::to_json(b),
        Object::HorizontalPodAutoscaler(a) => horizontal_pod_autoscaler::to_json(a),
    }
}

/// The fields of a kind, for patches.
fn members_of(kind: &str) -> Option<&'static shape::Members> {
    match kind {
        "Deployment" => Some(&deployment::DEPLOYMENT),
        "ReplicaSet" => Some(&replica_set::REPLICA_SET),
        "StatefulSet" => Some(&stateful_set::STATEFUL_SET),
        "DaemonSet" => Some(&daemon_set::DAEMON_SET),
        "Job" => Some(&job::JOB),
        "CronJob" => Some(&cron_job::CRON_JOB),
        "Pod" => Some(&pod::POD),
        "PodDisruptionBudget" => Some(&pod_disruption_budget::BUDGET),
        "HorizontalPodAutoscaler" => Some(&horizontal_pod_autoscaler::AUTOSCALER),
        _ => None,
    }
}
