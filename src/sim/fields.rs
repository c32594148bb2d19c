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
    /// The recorded fields, in order, with a status that may be an earlier
    /// one. That deletion has been asked for is recorded by itself.
    fn fields<'a>(&'a self, status: &'a Self::Status) -> impl Iterator<Item = (Field, Raw<'a>)>;
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

    fn named_revision(set: &'a StatefulSet, name: &'a Arc<str>) -> Raw<'a> {
        if name.is_empty() { Raw::Absent } else { Raw::Revision(&set.meta.namespace, name) }
    }

    fn numeral(n: Option<i64>) -> Raw<'a> {
        n.map_or(Raw::Absent, Raw::Numeral)
    }

    /// Whether the two are recorded alike. What is recorded in order may be
    /// kept in another.
    #[inline]
    pub(super) fn is_same(self, other: Raw<'_>) -> bool {
        self == other || self.is_ordered() && other.is_ordered() && self.to_string() == other.to_string()
    }

    const fn is_ordered(self) -> bool {
        matches!(self, Raw::Jobs(_) | Raw::Taints(_))
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
    fn fields<'a>(&'a self, status: &'a Self::Status) -> impl Iterator<Item = (Field, Raw<'a>)> {
        [
            (Field::SpecReplicas, Raw::Int(self.spec.replicas.into())),
            (Field::SpecPaused, Raw::flag(self.spec.paused)),
            (Field::Revision, Raw::numeral(self.revision)),
            (Field::ObservedGeneration, Raw::Int(status.observed_generation)),
            (Field::Replicas, Raw::count(status.replicas)),
            (Field::UpdatedReplicas, Raw::count(status.updated)),
            (Field::ReadyReplicas, Raw::count(status.ready)),
            (Field::AvailableReplicas, Raw::count(status.available)),
            (Field::UnavailableReplicas, Raw::count(status.unavailable)),
            (Field::TerminatingReplicas, Raw::count(status.terminating.unwrap_or(0))),
            (Field::CollisionCount, Raw::count(status.collision_count)),
            (Field::ConditionAvailable, Raw::condition(status.available_condition.as_ref())),
            (Field::ConditionProgressing, Raw::condition(status.progressing.as_ref())),
            (Field::ConditionReplicaFailure, Raw::condition(status.replica_failure.as_ref())),
            (Field::MaxSurge, Raw::int(limits(self).map(|l| l.surge))),
            (Field::MaxUnavailable, Raw::int(limits(self).map(|l| l.unavailable))),
            (Field::Image, Raw::image(&self.spec.template)),
        ]
        .into_iter()
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
    fn fields<'a>(&'a self, status: &'a Self::Status) -> impl Iterator<Item = (Field, Raw<'a>)> {
        [
            (Field::SpecReplicas, Raw::Int(self.spec.replicas.into())),
            (Field::Revision, Raw::numeral(self.marks.revision)),
            (Field::Replicas, Raw::count(status.replicas)),
            (Field::FullyLabeledReplicas, Raw::count(status.fully_labeled)),
            (Field::ReadyReplicas, Raw::count(status.ready)),
            (Field::AvailableReplicas, Raw::count(status.available)),
            (Field::TerminatingReplicas, Raw::count(status.terminating.unwrap_or(0))),
            (Field::Image, Raw::image(&self.spec.template)),
        ]
        .into_iter()
    }
}

impl Recorded for DaemonSet {
    fn fields<'a>(&'a self, status: &'a Self::Status) -> impl Iterator<Item = (Field, Raw<'a>)> {
        [
            (Field::ObservedGeneration, Raw::Int(status.observed_generation)),
            (Field::CurrentNumberScheduled, Raw::count(status.current)),
            (Field::NumberMisscheduled, Raw::count(status.misscheduled)),
            (Field::DesiredNumberScheduled, Raw::count(status.desired)),
            (Field::NumberReady, Raw::count(status.ready)),
            (Field::UpdatedNumberScheduled, Raw::count(status.updated)),
            (Field::NumberAvailable, Raw::count(status.available)),
            (Field::NumberUnavailable, Raw::count(status.unavailable)),
            (Field::MaxSurge, Raw::int(daemon_limits(self, status.desired).map(|l| l.surge))),
            (Field::MaxUnavailable, Raw::int(daemon_limits(self, status.desired).map(|l| l.unavailable))),
            (Field::Image, Raw::image(&self.spec.template)),
        ]
        .into_iter()
    }
}

fn daemon_limits(set: &DaemonSet, desired: i32) -> Option<daemon_set::rules::Limits> {
    match set.spec.update {
        DaemonSetUpdate::OnDelete => None,
        update @ DaemonSetUpdate::RollingUpdate { .. } => Some(daemon_set::rules::limits(update, desired)),
    }
}

impl Recorded for ControllerRevision {
    fn fields<'a>(&'a self, (): &'a ()) -> impl Iterator<Item = (Field, Raw<'a>)> {
        [(Field::Revision, Raw::Int(self.revision))].into_iter()
    }
}

impl Recorded for StatefulSet {
    fn fields<'a>(&'a self, status: &'a Self::Status) -> impl Iterator<Item = (Field, Raw<'a>)> {
        [
            (Field::SpecReplicas, Raw::Int(self.spec.replicas.into())),
            (Field::ObservedGeneration, Raw::Int(status.observed_generation)),
            (Field::Replicas, Raw::count(status.replicas)),
            (Field::ReadyReplicas, Raw::count(status.ready)),
            (Field::CurrentReplicas, Raw::count(status.current)),
            (Field::UpdatedReplicas, Raw::count(status.updated)),
            (Field::AvailableReplicas, Raw::count(status.available)),
            (Field::CurrentRevision, Raw::named_revision(self, &status.current_revision)),
            (Field::UpdateRevision, Raw::named_revision(self, &status.update_revision)),
            (Field::CollisionCount, Raw::count(status.collision_count)),
            (Field::MaxSurge, Raw::int(most_unavailable(self).map(|_| 0))),
            (Field::MaxUnavailable, Raw::int(most_unavailable(self))),
            (Field::Image, Raw::image(&self.spec.template)),
        ]
        .into_iter()
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
    fn fields<'a>(&'a self, (): &'a ()) -> impl Iterator<Item = (Field, Raw<'a>)> {
        [
            (Field::Unschedulable, Raw::flag(self.unschedulable)),
            (Field::Taints, if self.taints.is_empty() { Raw::Absent } else { Raw::Taints(&self.taints) }),
            (Field::ConditionReady, Raw::Text(self.ready.name())),
        ]
        .into_iter()
    }
}

/// Only that they come and go is recorded.
macro_rules! without_fields {
    ($($kind:ident),*) => {$(
        impl Recorded for $kind {
            fn fields<'a>(&'a self, (): &'a ()) -> impl Iterator<Item = (Field, Raw<'a>)> {
                std::iter::empty()
            }
        }
    )*};
}
without_fields!(Service, StorageClass);
