//! PodDisruptionBudgets: what is recorded of them.

use super::fields::{Fields, Raw, Recorded};
use crate::api::PodDisruptionBudget;
use crate::trace::Field;

impl Recorded for PodDisruptionBudget {
    fn fields(fields: &mut impl Fields<Self>) {
        fields.status(Field::ObservedGeneration, |_, status| match status.observed_generation {
            0 => Raw::Absent,
            generation => Raw::Int(generation),
        });
        fields.status(Field::CurrentHealthy, |_, status| Raw::count(status.current_healthy));
        fields.status(Field::DesiredHealthy, |_, status| Raw::count(status.desired_healthy));
        fields.status(Field::DisruptionsAllowed, |_, status| Raw::count(status.disruptions_allowed));
        fields.status(Field::ExpectedPods, |_, status| Raw::count(status.expected_pods));
        fields.status(Field::ConditionDisruptionAllowed, |_, status| {
            status.allowed.as_ref().map_or(Raw::Absent, |c| Raw::Condition(c.status, c.reason))
        });
    }
}
