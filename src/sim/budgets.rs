//! PodDisruptionBudgets: what is recorded of them.

use super::fields::{Raw, Recorded};
use crate::api::PodDisruptionBudget;
use crate::trace::Field;

impl Recorded for PodDisruptionBudget {
    fn fields<'a>(&'a self, status: &'a Self::Status) -> impl Iterator<Item = (Field, Raw<'a>)> {
        [
            (
                Field::ObservedGeneration,
                match status.observed_generation {
                    0 => Raw::Absent,
                    generation => Raw::Int(generation),
                },
            ),
            (Field::CurrentHealthy, Raw::count(status.current_healthy)),
            (Field::DesiredHealthy, Raw::count(status.desired_healthy)),
            (Field::DisruptionsAllowed, Raw::count(status.disruptions_allowed)),
            (Field::ExpectedPods, Raw::count(status.expected_pods)),
            (Field::ConditionDisruptionAllowed, {
                status.allowed.as_ref().map_or(Raw::Absent, |c| Raw::Condition(c.status, c.reason))
            }),
        ]
        .into_iter()
    }
}
