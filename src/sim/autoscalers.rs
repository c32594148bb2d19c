//! HorizontalPodAutoscalers: what is recorded of them.

use super::fields::{Fields, Raw, Recorded};
use crate::api::{HorizontalPodAutoscaler, ScalingCondition};
use crate::trace::Field;

impl Recorded for HorizontalPodAutoscaler {
    fn fields(fields: &mut impl Fields<Self>) {
        fields.status(Field::CurrentReplicas, |_, status| Raw::count(status.current_replicas));
        fields.status(Field::DesiredReplicas, |_, status| Raw::count(status.desired_replicas));
        fields.status(Field::LastScaleTime, |_, status| Raw::time(status.last_scale_time));
        fields.status(Field::ConditionAbleToScale, |_, status| condition(status.able_to_scale.as_ref()));
        fields.status(Field::ConditionScalingActive, |_, status| condition(status.scaling_active.as_ref()));
        fields.status(Field::ConditionScalingLimited, |_, status| condition(status.scaling_limited.as_ref()));
        fields.spec(Field::MinReplicas, |row| Raw::Int(row.spec.min_replicas.into()));
        fields.spec(Field::MaxReplicas, |row| Raw::Int(row.spec.max_replicas.into()));
    }
}

fn condition(condition: Option<&ScalingCondition>) -> Raw<'_> {
    condition.map_or(Raw::Absent, |c| Raw::Condition(c.status, &c.reason))
}
