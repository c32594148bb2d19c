//! Kubernetes' nouns: what the API server stores of each kind, and nothing
//! that acts on it.

mod chains;
mod controller_revision;
mod cron_job;
mod daemon_set;
mod deployment;
mod extras;
mod feature_gates;
mod horizontal_pod_autoscaler;
mod indexes;
mod int_or_percent;
mod job;
mod key_map;
mod labels;
mod lease;
mod meta;
mod node;
mod object;
mod placement;
mod pod;
mod pod_disruption_budget;
mod pod_life;
mod quantity;
mod replica_set;
mod service;
mod stateful_set;
mod text;
mod volume;

pub use chains::Chains;
pub use controller_revision::ControllerRevision;
pub use cron_job::{ActiveJob, Concurrency, CronJob, CronJobSpec, CronJobStatus, JobTemplate};
pub use daemon_set::{DaemonSet, DaemonSetSpec, DaemonSetStatus, DaemonSetUpdate};
pub use deployment::{Deployment, DeploymentCondition, DeploymentSpec, DeploymentStatus, Strategy};
pub use extras::{EPHEMERAL_STORAGE, ExtraShortage, Extras, MOST_EXTRAS};
pub use feature_gates::{FeatureGates, Gate, Version};
pub use horizontal_pod_autoscaler::{
    HorizontalPodAutoscaler, HorizontalPodAutoscalerSpec, HorizontalPodAutoscalerStatus, MetricName, MetricSource,
    MetricSpec, MetricTarget, MetricValue, ObjectRef, PolicyType, ScalingBehavior, ScalingCondition, ScalingPolicy,
    ScalingRules, SelectPolicy,
};
pub use indexes::Indexes;
pub use int_or_percent::{IntOrPercent, Rounding};
pub use job::{
    FailureAction, FailureMatch, FailureRule, Job, JobCondition, JobConditionType, JobSpec, JobStatus, PodIndex,
    PodReplacement, SuccessRule, UncountedPods, is_generated_label,
};
pub use key_map::KeyMap;
pub use labels::{Labels, Requirement, Selector};
pub use lease::Lease;
pub use meta::{
    Annotations, ConditionStatus, Deletion, Finalizers, Key, Kind, Meta, NamedOwner, OwnerRef, Propagation, Uid,
};
pub use node::{Effect, NOT_READY, Node, NodeSpec, Pressure, Pressures, Resources, Shortage, Taint, UNREACHABLE};
pub use object::Object;
pub use placement::{
    HostPort, MOST_GATES, Placement, PodAffinity, PodTerm, PreferredNodes, PriorityClass, SpreadConstraint, merged,
};
pub use pod::{
    Container, NodeMatch, Operator, Phase, Pod, PodClaim, PodTemplate, RawTemplate, RestartPolicy, Toleration,
};
pub use pod_disruption_budget::{
    Budget, DisruptionAllowed, PodDisruptionBudget, PodDisruptionBudgetSpec, PodDisruptionBudgetStatus, UnhealthyPods,
};
pub use pod_life::{ContainerLife, Hook, InitContainer, PodLife, Probe, ProbeKind, PullPolicy};
pub use quantity::{parse_nanos, parse_quantity};
pub use replica_set::{ReplicaSet, ReplicaSetSpec, ReplicaSetStatus, RolloutMarks};
pub use service::Service;
pub use stateful_set::{
    ClaimRetention, ClaimTemplate, PodManagement, Retention, StatefulRolling, StatefulSet, StatefulSetSpec,
    StatefulSetStatus, StatefulStrategy,
};
pub use text::{Pairs, Text, TextMap};
pub use volume::{
    AccessModes, BindingMode, ClaimRef, ClaimSpec, PersistentVolume, PersistentVolumeClaim, Reclaim, StorageClass,
    VolumePhase,
};
