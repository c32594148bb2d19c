//! PodDisruptionBudgets: what is recorded of them.

use super::record::{Fields, Raw};
use crate::api::PodDisruptionBudget;
use crate::trace::Field;

/// The recorded fields of a PodDisruptionBudget.
pub(super) fn fields(budget: &PodDisruptionBudget) -> Fields {
    let status = &budget.status;
    let allowed = status.allowed.as_ref();
    vec![
        (
            Field::ObservedGeneration,
            if status.observed_generation == 0 { Raw::Absent } else { Raw::Int(status.observed_generation) },
        ),
        (Field::CurrentHealthy, Raw::count(status.current_healthy)),
        (Field::DesiredHealthy, Raw::count(status.desired_healthy)),
        (Field::DisruptionsAllowed, Raw::count(status.disruptions_allowed)),
        (Field::ExpectedPods, Raw::count(status.expected_pods)),
        (Field::ConditionDisruptionAllowed, allowed.map_or(Raw::Absent, |c| Raw::Condition(c.status, c.reason.into()))),
    ]
}
