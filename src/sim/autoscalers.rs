//! HorizontalPodAutoscalers: what is recorded of them.

use super::fields::{Getter, Raw, Recorded};
use crate::api::{HorizontalPodAutoscaler, ScalingCondition};
use crate::trace::Field;

impl Recorded for HorizontalPodAutoscaler {
    const FIELDS: &'static [(Field, Getter<Self>)] = &[
        (Field::CurrentReplicas, |_, status| Raw::count(status.current_replicas)),
        (Field::DesiredReplicas, |_, status| Raw::count(status.desired_replicas)),
        (Field::LastScaleTime, |_, status| Raw::time(status.last_scale_time)),
        (Field::ConditionAbleToScale, |_, status| condition(status.able_to_scale.as_ref())),
        (Field::ConditionScalingActive, |_, status| condition(status.scaling_active.as_ref())),
        (Field::ConditionScalingLimited, |_, status| condition(status.scaling_limited.as_ref())),
        (Field::MinReplicas, |hpa, _| Raw::Int(hpa.spec.min_replicas.into())),
        (Field::MaxReplicas, |hpa, _| Raw::Int(hpa.spec.max_replicas.into())),
    ];
}

fn condition(condition: Option<&ScalingCondition>) -> Raw<'_> {
    condition.map_or(Raw::Absent, |c| Raw::Condition(c.status, &c.reason))
}
