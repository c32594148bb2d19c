//! HorizontalPodAutoscalers: what is recorded of them.

use super::fields::{Raw, Recorded};
use crate::api::{HorizontalPodAutoscaler, ScalingCondition};
use crate::trace::Field;

impl Recorded for HorizontalPodAutoscaler {
    fn fields<'a>(&'a self, status: &'a Self::Status) -> impl Iterator<Item = (Field, Raw<'a>)> {
        [
            (Field::CurrentReplicas, Raw::count(status.current_replicas)),
            (Field::DesiredReplicas, Raw::count(status.desired_replicas)),
            (Field::LastScaleTime, Raw::time(status.last_scale_time)),
            (Field::ConditionAbleToScale, condition(status.able_to_scale.as_ref())),
            (Field::ConditionScalingActive, condition(status.scaling_active.as_ref())),
            (Field::ConditionScalingLimited, condition(status.scaling_limited.as_ref())),
            (Field::MinReplicas, Raw::Int(self.spec.min_replicas.into())),
            (Field::MaxReplicas, Raw::Int(self.spec.max_replicas.into())),
        ]
        .into_iter()
    }
}

fn condition(condition: Option<&ScalingCondition>) -> Raw<'_> {
    condition.map_or(Raw::Absent, |c| Raw::Condition(c.status, &c.reason))
}
