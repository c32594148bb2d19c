//! PodDisruptionBudgets: what is recorded of them.

use super::fields::{Getter, Raw, Recorded};
use crate::api::PodDisruptionBudget;
use crate::trace::Field;

impl Recorded for PodDisruptionBudget {
    const FIELDS: &'static [(Field, Getter<Self>)] = &[
        (Field::ObservedGeneration, |_, status| match status.observed_generation {
            0 => Raw::Absent,
            generation => Raw::Int(generation),
        }),
        (Field::CurrentHealthy, |_, status| Raw::count(status.current_healthy)),
        (Field::DesiredHealthy, |_, status| Raw::count(status.desired_healthy)),
        (Field::DisruptionsAllowed, |_, status| Raw::count(status.disruptions_allowed)),
        (Field::ExpectedPods, |_, status| Raw::count(status.expected_pods)),
        (Field::ConditionDisruptionAllowed, |_, status| {
            status.allowed.as_ref().map_or(Raw::Absent, |c| Raw::Condition(c.status, c.reason))
        }),
    ];
}
