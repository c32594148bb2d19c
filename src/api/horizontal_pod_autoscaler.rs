//! HorizontalPodAutoscalers.

use super::{ConditionStatus, Meta, Selector};
use crate::time::Timestamp;
use std::sync::Arc;

/// A reference to an object by kind and name, in the same namespace.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ObjectRef {
    /// `apiVersion`.
    pub api_version: Arc<str>,
    /// `kind`.
    pub kind: Arc<str>,
    /// `name`.
    pub name: Arc<str>,
}

/// `target` of a metric. Amounts are in thousandths.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct MetricTarget {
    /// `type`: `Utilization`, `Value` or `AverageValue`.
    pub kind: Arc<str>,
    /// `averageUtilization`, in percent of what the pods request.
    pub average_utilization: Option<i32>,
    /// `averageValue`, over all pods.
    pub average_value: Option<i64>,
    /// `value`, of all pods together.
    pub value: Option<i64>,
}

/// `metric`: a metric by its name, perhaps one of several.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MetricName {
    /// `name`.
    pub name: Arc<str>,
    /// `selector`.
    pub selector: Option<Arc<Selector>>,
}

/// Where a metric comes from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum MetricSource {
    /// `Resource`: what the pods use of CPU or memory.
    Resource {
        /// `cpu` or `memory`.
        resource: Arc<str>,
    },
    /// `ContainerResource`: what one container of each pod uses.
    ContainerResource {
        /// `cpu` or `memory`.
        resource: Arc<str>,
        /// The container.
        container: Arc<str>,
    },
    /// `Pods`: a number that each pod has.
    Pods(MetricName),
    /// `Object`: a number that one other object has.
    Object {
        /// The object.
        described: ObjectRef,
        /// The metric.
        metric: MetricName,
    },
    /// `External`: a number from outside the cluster.
    External(MetricName),
}

/// One of `spec.metrics`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MetricSpec {
    /// Where the metric comes from.
    pub source: MetricSource,
    /// What it should be.
    pub target: MetricTarget,
}

/// How a scaling policy counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PolicyType {
    /// So many pods.
    Pods,
    /// So many percent of the pods there are.
    Percent,
}

/// `policies[]`: at most so much change in such a time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ScalingPolicy {
    /// How it counts.
    pub kind: PolicyType,
    /// How much.
    pub value: i32,
    /// In how many seconds.
    pub period_seconds: i32,
}

/// `selectPolicy`: which of several policies counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum SelectPolicy {
    /// The one that allows the most change.
    #[default]
    Max,
    /// The one that allows the least change.
    Min,
    /// None: no change in this direction.
    Disabled,
}

impl SelectPolicy {
    /// All of them, in the order in which the API server names them.
    pub const ALL: [SelectPolicy; 3] = [SelectPolicy::Disabled, SelectPolicy::Max, SelectPolicy::Min];

    /// As manifests spell it.
    pub const fn name(self) -> &'static str {
        match self {
            SelectPolicy::Max => "Max",
            SelectPolicy::Min => "Min",
            SelectPolicy::Disabled => "Disabled",
        }
    }
}

/// `behavior.scaleUp` or `behavior.scaleDown`.
#[derive(Clone, PartialEq, Debug)]
pub struct ScalingRules {
    /// `stabilizationWindowSeconds`; for scaling down, absent means what the
    /// controller was started with.
    pub stabilization_seconds: Option<i32>,
    /// Which policy counts.
    pub select: SelectPolicy,
    /// The policies.
    pub policies: Vec<ScalingPolicy>,
    /// How far the ratio of usage to target may be from 1 before anything is
    /// done, in billionths; absent means what the controller was started with.
    pub tolerance_nanos: Option<i64>,
}

impl ScalingRules {
    /// The tolerance as a share.
    ///
    /// Upstream: `staging/src/k8s.io/apimachinery/pkg/api/resource/quantity.go AsApproximateFloat64`
    #[must_use]
    pub fn tolerance(&self) -> Option<f64> {
        // The stored text has the largest suffix that leaves a whole number,
        // and its last digit decides about the rounding.
        let share = |nanos: i64| match nanos {
            n if n % 1_000_000_000 == 0 => (n / 1_000_000_000) as f64,
            n if n % 1_000_000 == 0 => (n / 1_000_000) as f64 * 1e-3,
            n if n % 1_000 == 0 => (n / 1_000) as f64 * 1e-6,
            n => n as f64 * 1e-9,
        };
        self.tolerance_nanos.map(share)
    }

    /// What applies to scaling up if nothing is said.
    ///
    /// Upstream: `pkg/apis/autoscaling/v2/defaults.go defaultHPAScaleUpRules`
    pub fn default_up() -> ScalingRules {
        ScalingRules {
            stabilization_seconds: Some(0),
            select: SelectPolicy::Max,
            policies: vec![
                ScalingPolicy { kind: PolicyType::Pods, value: 4, period_seconds: 15 },
                ScalingPolicy { kind: PolicyType::Percent, value: 100, period_seconds: 15 },
            ],
            tolerance_nanos: None,
        }
    }

    /// What applies to scaling down if nothing is said.
    ///
    /// Upstream: `pkg/apis/autoscaling/v2/defaults.go defaultHPAScaleDownRules`
    pub fn default_down() -> ScalingRules {
        ScalingRules {
            stabilization_seconds: None,
            select: SelectPolicy::Max,
            policies: vec![ScalingPolicy { kind: PolicyType::Percent, value: 100, period_seconds: 15 }],
            tolerance_nanos: None,
        }
    }
}

/// `spec.behavior`, filled up with the defaults.
#[derive(Clone, PartialEq, Debug)]
pub struct ScalingBehavior {
    /// `scaleUp`.
    pub up: ScalingRules,
    /// `scaleDown`.
    pub down: ScalingRules,
}

/// `spec` of a HorizontalPodAutoscaler.
#[derive(Clone, PartialEq, Debug)]
pub struct HorizontalPodAutoscalerSpec {
    /// What it scales.
    pub target: ObjectRef,
    /// The fewest pods.
    pub min_replicas: i32,
    /// The most pods.
    pub max_replicas: i32,
    /// What it looks at; the metric that asks for the most pods counts.
    pub metrics: Vec<MetricSpec>,
    /// How fast it may go.
    pub behavior: Option<ScalingBehavior>,
}

/// A condition of a HorizontalPodAutoscaler.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ScalingCondition {
    /// Whether it holds.
    pub status: ConditionStatus,
    /// The reason in one word.
    pub reason: Arc<str>,
    /// The reason in words.
    pub message: Arc<str>,
}

/// `status.currentMetrics[].current`, in thousandths. All absent for a
/// metric that could not be had.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct MetricValue {
    /// Percent of what the pods request.
    pub average_utilization: Option<i32>,
    /// Over all pods.
    pub average_value: Option<i64>,
    /// Of all pods together.
    pub value: Option<i64>,
}

/// `status` of a HorizontalPodAutoscaler.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct HorizontalPodAutoscalerStatus {
    /// The target's `spec.replicas` as last seen.
    pub current_replicas: i32,
    /// What they should be.
    pub desired_replicas: i32,
    /// When the target was last scaled.
    pub last_scale_time: Option<Timestamp>,
    /// The metrics as last seen, in the order of the spec.
    pub current_metrics: Vec<MetricValue>,
    /// The `AbleToScale` condition.
    pub able_to_scale: Option<ScalingCondition>,
    /// The `ScalingActive` condition.
    pub scaling_active: Option<ScalingCondition>,
    /// The `ScalingLimited` condition.
    pub scaling_limited: Option<ScalingCondition>,
}

/// A stored HorizontalPodAutoscaler.
#[derive(Clone, PartialEq, Debug)]
pub struct HorizontalPodAutoscaler {
    /// Its metadata.
    pub meta: Meta,
    /// What is wanted.
    pub spec: HorizontalPodAutoscalerSpec,
    /// What is.
    pub status: HorizontalPodAutoscalerStatus,
}
