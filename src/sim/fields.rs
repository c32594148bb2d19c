//! Which fields of objects are recorded, and how their values are read.

use crate::api::{
    ActiveJob, ConditionStatus, ControllerRevision, DaemonSet, DaemonSetUpdate, Deployment, DeploymentCondition,
    Indexes, Node, PodTemplate, ReplicaSet, Service, StatefulSet, StatefulStrategy, StorageClass, Strategy, Taint,
};
use crate::cluster::Stored;
use crate::controllers::daemon_set;
use crate::controllers::deployment::rules;
use crate::controllers::stateful_set;
use crate::time::Timestamp;
use crate::trace::Field;
use std::fmt::{self, Write};
use std::sync::Arc;

/// An object whose fields are recorded.
pub(super) trait Recorded: Stored {
    /// Names the recorded fields, in order, and how each is read. That
    /// deletion has been asked for is recorded by itself.
    fn fields(fields: &mut impl Fields<Self>);
}

/// What is done with each recorded field of a kind. Nothing is read that need
/// not be: a write of a status cannot change what is only in the spec.
pub(super) trait Fields<T: Stored> {
    /// A field that does not depend on the status.
    fn spec(&mut self, field: Field, read: impl for<'a> Fn(&'a T) -> Raw<'a>);
    /// A field that depends on the status, which may be an earlier one.
    fn status(&mut self, field: Field, read: impl for<'a> Fn(&'a T, &'a T::Status) -> Raw<'a>);
}

/// A recorded field's value before it is known whether it changed. It only
/// looks at the object; nothing is written out or interned yet.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Raw<'a> {
    Absent,
    Int(i64),
    Bool(bool),
    Text(&'a str),
    /// A number that is recorded as text.
    Numeral(i64),
    Time(Timestamp),
    /// `status/reason`.
    Condition(ConditionStatus, &'a str),
    Indexes(&'a Indexes),
    /// The names of Jobs, in order and joined by commas.
    Jobs(&'a [ActiveJob]),
    /// Taints, in order and joined by commas.
    Taints(&'a [Taint]),
    /// The number of the ControllerRevision of this namespace and name.
    Revision(&'a Arc<str>, &'a Arc<str>),
}

impl<'a> Raw<'a> {
    /// A text that is recorded unless it is empty.
    pub(super) const fn text(text: &'a str) -> Raw<'a> {
        if text.is_empty() { Raw::Absent } else { Raw::Text(text) }
    }

    pub(super) fn time(time: Option<Timestamp>) -> Raw<'a> {
        time.map_or(Raw::Absent, Raw::Time)
    }

    pub(super) fn int(n: Option<i32>) -> Raw<'a> {
        n.map_or(Raw::Absent, |n| Raw::Int(n.into()))
    }

    pub(super) fn count(n: i32) -> Raw<'a> {
        if n == 0 { Raw::Absent } else { Raw::Int(n.into()) }
    }

    pub(super) const fn flag(on: bool) -> Raw<'a> {
        if on { Raw::Bool(true) } else { Raw::Absent }
    }

    /// The image by which people tell versions of a template apart.
    pub(super) fn image(template: &'a PodTemplate) -> Raw<'a> {
        Raw::Text(template.image())
    }

    fn condition(condition: Option<&'a DeploymentCondition>) -> Raw<'a> {
        condition.map_or(Raw::Absent, |c| Raw::Condition(c.status, &c.reason))
    }

    /// A condition that is there only while it holds.
    fn holds(reason: Option<&'a str>) -> Raw<'a> {
        reason.map_or(Raw::Absent, |reason| Raw::Condition(ConditionStatus::True, reason))
    }

    fn named_revision(set: &'a StatefulSet, name: &'a Arc<str>) -> Raw<'a> {
        if name.is_empty() { Raw::Absent } else { Raw::Revision(&set.meta.namespace, name) }
    }

    fn numeral(n: Option<i64>) -> Raw<'a> {
        n.map_or(Raw::Absent, Raw::Numeral)
    }

    /// Whether the two are recorded alike. What is recorded in order may be
    /// kept in another.
    #[expect(clippy::inline_always, reason = "which sort of value a field has is known only where it is read")]
    #[inline(always)]
    pub(super) fn is_same(self, other: Raw<'_>) -> bool {
        match (self, other) {
            (Raw::Absent, Raw::Absent) => true,
            (Raw::Int(a), Raw::Int(b)) => a == b,
            (Raw::Bool(a), Raw::Bool(b)) => a == b,
            (Raw::Time(a), Raw::Time(b)) => a == b,
            (Raw::Text(a), Raw::Text(b)) => a == b,
            (Raw::Condition(a, why), Raw::Condition(b, why_now)) => a == b && why == why_now,
            _ => self == other || self.is_same_in_order(other),
        }
    }

    #[inline(never)]
    fn is_same_in_order(self, other: Raw<'_>) -> bool {
        let is_ordered = |raw| matches!(raw, Raw::Jobs(_) | Raw::Taints(_));
        is_ordered(self) && is_ordered(other) && self.to_string() == other.to_string()
    }
}

fn join<'a>(texts: impl Iterator<Item = &'a str>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut texts: Vec<&str> = texts.collect();
    texts.sort_unstable();
    for (i, text) in texts.into_iter().enumerate() {
        if i > 0 {
            f.write_char(',')?;
        }
        f.write_str(text)?;
    }
    Ok(())
}

/// What is recorded of values that are recorded as text.
impl fmt::Display for Raw<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Raw::Absent | Raw::Bool(_) | Raw::Revision(..) => Ok(()),
            Raw::Int(n) | Raw::Numeral(n) => n.fmt(f),
            Raw::Text(text) => f.write_str(text),
            Raw::Time(time) => time.fmt(f),
            Raw::Condition(status, reason) => {
                f.write_str(status.name())?;
                f.write_char('/')?;
                f.write_str(reason)
            }
            Raw::Indexes(indexes) => indexes.fmt(f),
            Raw::Jobs(jobs) => join(jobs.iter().map(|job| &*job.name), f),
            Raw::Taints(taints) => {
                let taints: Vec<String> = taints.iter().map(ToString::to_string).collect();
                join(taints.iter().map(String::as_str), f)
            }
        }
    }
}

impl Recorded for Deployment {
    fn fields(fields: &mut impl Fields<Self>) {
        fields.spec(Field::SpecReplicas, |row| Raw::Int(row.spec.replicas.into()));
        fields.spec(Field::SpecPaused, |row| Raw::flag(row.spec.paused));
        fields.spec(Field::Revision, |row| Raw::numeral(row.revision));
        fields.status(Field::ObservedGeneration, |_, status| Raw::Int(status.observed_generation));
        fields.status(Field::Replicas, |_, status| Raw::count(status.replicas));
        fields.status(Field::UpdatedReplicas, |_, status| Raw::count(status.updated));
        fields.status(Field::ReadyReplicas, |_, status| Raw::count(status.ready));
        fields.status(Field::AvailableReplicas, |_, status| Raw::count(status.available));
        fields.status(Field::UnavailableReplicas, |_, status| Raw::count(status.unavailable));
        fields.status(Field::TerminatingReplicas, |_, status| Raw::count(status.terminating.unwrap_or(0)));
        fields.status(Field::CollisionCount, |_, status| Raw::count(status.collision_count));
        fields.status(Field::ConditionAvailable, |_, status| Raw::condition(status.available_condition.as_ref()));
        fields.status(Field::ConditionProgressing, |_, status| Raw::condition(status.progressing.as_ref()));
        fields.status(Field::ConditionReplicaFailure, |_, status| Raw::condition(status.replica_failure.as_ref()));
        fields.spec(Field::MaxSurge, |row| Raw::int(limits(row).map(|l| l.surge)));
        fields.spec(Field::MaxUnavailable, |row| Raw::int(limits(row).map(|l| l.unavailable)));
        fields.spec(Field::Image, |row| Raw::image(&row.spec.template));
    }
}

/// Recreate has no limits: it may lose all its pods.
fn limits(deployment: &Deployment) -> Option<rules::Fenceposts> {
    match deployment.spec.strategy {
        Strategy::Recreate => None,
        Strategy::RollingUpdate { .. } => Some(rules::limits(deployment.spec.strategy, deployment.spec.replicas)),
    }
}

impl Recorded for ReplicaSet {
    fn fields(fields: &mut impl Fields<Self>) {
        fields.spec(Field::SpecReplicas, |row| Raw::Int(row.spec.replicas.into()));
        fields.spec(Field::Revision, |row| Raw::numeral(row.marks.revision));
        fields.status(Field::Replicas, |_, status| Raw::count(status.replicas));
        fields.status(Field::FullyLabeledReplicas, |_, status| Raw::count(status.fully_labeled));
        fields.status(Field::ReadyReplicas, |_, status| Raw::count(status.ready));
        fields.status(Field::AvailableReplicas, |_, status| Raw::count(status.available));
        fields.status(Field::TerminatingReplicas, |_, status| Raw::count(status.terminating.unwrap_or(0)));
        fields.status(Field::ConditionReplicaFailure, |_, status| {
            Raw::holds(status.failure.as_ref().map(|(reason, _)| &**reason))
        });
        fields.spec(Field::Image, |row| Raw::image(&row.spec.template));
    }
}

impl Recorded for DaemonSet {
    fn fields(fields: &mut impl Fields<Self>) {
        fields.status(Field::ObservedGeneration, |_, status| Raw::Int(status.observed_generation));
        fields.status(Field::CurrentNumberScheduled, |_, status| Raw::count(status.current));
        fields.status(Field::NumberMisscheduled, |_, status| Raw::count(status.misscheduled));
        fields.status(Field::DesiredNumberScheduled, |_, status| Raw::count(status.desired));
        fields.status(Field::NumberReady, |_, status| Raw::count(status.ready));
        fields.status(Field::UpdatedNumberScheduled, |_, status| Raw::count(status.updated));
        fields.status(Field::NumberAvailable, |_, status| Raw::count(status.available));
        fields.status(Field::NumberUnavailable, |_, status| Raw::count(status.unavailable));
        fields.status(Field::MaxSurge, |row, status| Raw::int(daemon_limits(row, status.desired).map(|l| l.surge)));
        fields.status(Field::MaxUnavailable, |row, status| {
            Raw::int(daemon_limits(row, status.desired).map(|l| l.unavailable))
        });
        fields.spec(Field::Image, |row| Raw::image(&row.spec.template));
    }
}

fn daemon_limits(set: &DaemonSet, desired: i32) -> Option<daemon_set::rules::Limits> {
    match set.spec.update {
        DaemonSetUpdate::OnDelete { .. } => None,
        update @ DaemonSetUpdate::RollingUpdate { .. } => Some(daemon_set::rules::limits(update, desired)),
    }
}

impl Recorded for ControllerRevision {
    fn fields(fields: &mut impl Fields<Self>) {
        fields.spec(Field::Revision, |row| Raw::Int(row.revision));
    }
}

impl Recorded for StatefulSet {
    fn fields(fields: &mut impl Fields<Self>) {
        fields.spec(Field::SpecReplicas, |row| Raw::Int(row.spec.replicas.into()));
        fields.status(Field::ObservedGeneration, |_, status| Raw::Int(status.observed_generation));
        fields.status(Field::Replicas, |_, status| Raw::count(status.replicas));
        fields.status(Field::ReadyReplicas, |_, status| Raw::count(status.ready));
        fields.status(Field::CurrentReplicas, |_, status| Raw::count(status.current));
        fields.status(Field::UpdatedReplicas, |_, status| Raw::count(status.updated));
        fields.status(Field::AvailableReplicas, |_, status| Raw::count(status.available));
        fields.status(Field::CurrentRevision, |row, status| Raw::named_revision(row, &status.current_revision));
        fields.status(Field::UpdateRevision, |row, status| Raw::named_revision(row, &status.update_revision));
        fields.status(Field::CollisionCount, |_, status| Raw::count(status.collision_count));
        fields.spec(Field::MaxSurge, |row| Raw::int(most_unavailable(row).map(|_| 0)));
        fields.spec(Field::MaxUnavailable, |row| Raw::int(most_unavailable(row)));
        fields.spec(Field::Image, |row| Raw::image(&row.spec.template));
    }
}

fn most_unavailable(set: &StatefulSet) -> Option<i32> {
    match set.spec.strategy {
        StatefulStrategy::RollingUpdate(rolling) => {
            Some(stateful_set::rules::max_unavailable(rolling, set.spec.replicas))
        }
        StatefulStrategy::OnDelete => None,
    }
}

impl Recorded for Node {
    fn fields(fields: &mut impl Fields<Self>) {
        fields.spec(Field::Unschedulable, |row| Raw::flag(row.unschedulable));
        fields.spec(Field::Taints, |row| if row.taints.is_empty() { Raw::Absent } else { Raw::Taints(&row.taints) });
        fields.spec(Field::ConditionReady, |row| Raw::Text(row.ready.name()));
    }
}

/// Only that they come and go is recorded.
macro_rules! without_fields {
    ($($kind:ident),*) => {$(
        impl Recorded for $kind {
            fn fields(_fields: &mut impl Fields<Self>) {}
        }
    )*};
}
without_fields!(Service, StorageClass);
