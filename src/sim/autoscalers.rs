//! HorizontalPodAutoscalers: what is recorded of them.

use super::record::{Fields, Raw};
use crate::api::{HorizontalPodAutoscaler, ScalingCondition};
use crate::trace::Field;

/// The recorded fields of a HorizontalPodAutoscaler.
pub(super) fn fields(autoscaler: &HorizontalPodAutoscaler) -> Fields {
    let (spec, status) = (&autoscaler.spec, &autoscaler.status);
    let condition = |condition: &Option<ScalingCondition>| {
        condition.as_ref().map_or(Raw::Absent, |c| Raw::Condition(c.status, c.reason.clone()))
    };
    vec![
        (Field::CurrentReplicas, Raw::count(status.current_replicas)),
        (Field::DesiredReplicas, Raw::count(status.desired_replicas)),
        (Field::LastScaleTime, status.last_scale_time.map_or(Raw::Absent, |at| Raw::text(&at.to_string()))),
        (Field::ConditionAbleToScale, condition(&status.able_to_scale)),
        (Field::ConditionScalingActive, condition(&status.scaling_active)),
        (Field::ConditionScalingLimited, condition(&status.scaling_limited)),
        (Field::MinReplicas, Raw::Int(spec.min_replicas.into())),
        (Field::MaxReplicas, Raw::Int(spec.max_replicas.into())),
    ]
}
