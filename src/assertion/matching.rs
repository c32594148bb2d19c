//! Which records are about a target.

use super::{Ground, Happening, Level, Occurrence, Predicate, Target};
use crate::api::Kind;
use crate::time::SimTime;
use crate::timeline::{Series, Timeline, Workload};
use crate::trace::{Emitted, Field, Record, RecordId, Subject, SubjectId, Trace, Value, What, Why};

/// A run under judgement.
#[derive(Clone, Copy)]
pub(super) struct Run<'a> {
    /// What happened.
    pub(super) trace: &'a Trace,
    /// The same as step functions.
    pub(super) timeline: &'a Timeline,
}

/// Something that a predicate or figure reads, for finding what changed it.
pub(super) enum Source<'a> {
    /// A series.
    Level(&'a Level),
    /// A condition of a target.
    Condition(&'a Target, &'a str),
    /// Whether a rollout is over.
    Complete(&'a Target),
    /// Whether a pod is found by its name.
    Name(&'a str),
    /// Something about the machines.
    Ground(&'a Ground),
    /// Happenings.
    Occurrence(&'a Occurrence),
}

/// The field that a condition's changes are recorded under.
pub(super) fn condition_field(condition: &str) -> Option<Field> {
    match condition {
        "Available" => Some(Field::ConditionAvailable),
        "Progressing" => Some(Field::ConditionProgressing),
        "ReplicaFailure" => Some(Field::ConditionReplicaFailure),
        "Ready" => Some(Field::ConditionReady),
        "Complete" => Some(Field::ConditionComplete),
        "Failed" => Some(Field::ConditionFailed),
        "FailureTarget" => Some(Field::ConditionFailureTarget),
        "SuccessCriteriaMet" => Some(Field::ConditionSuccessCriteriaMet),
        "Suspended" => Some(Field::ConditionSuspended),
        _ => None,
    }
}

impl Target {
    /// Whether the subject is the target itself.
    pub(super) fn is(&self, subject: &Subject) -> bool {
        match self {
            Target::Workload { kind, namespace, name } => {
                subject.kind == *kind && *subject.namespace == **namespace && *subject.name == **name
            }
            Target::Revision { namespace, name } => {
                subject.kind == Kind::ReplicaSet && *subject.namespace == **namespace && *subject.name == **name
            }
            Target::Node(name) => subject.kind == Kind::Node && *subject.name == **name,
            Target::Any => true,
        }
    }
}

impl<'a> Run<'a> {
    /// Whether a subject is the target or something below it.
    pub(super) fn belongs(&self, id: SubjectId, target: &Target) -> bool {
        let mut next = Some(id);
        // Owners never form a circle; the count guards against bad trace files.
        for _ in 0..8 {
            let Some(id) = next else { return false };
            let subject = self.trace.subject(id);
            if target.is(subject) {
                return true;
            }
            next = subject.owner;
        }
        false
    }

    /// The workload of a target, if the run had it.
    pub(super) fn workload(&self, target: &Target) -> Option<&'a Workload> {
        match target {
            Target::Workload { kind, namespace, name } => self.timeline.workload(*kind, namespace, name),
            _ => None,
        }
    }

    /// The records of an occurrence, in order.
    pub(super) fn occurrences(&self, occurrence: &Occurrence) -> Vec<(RecordId, SimTime)> {
        let fits = |(_, r): &(usize, &Record)| self.is_occurrence(r, occurrence);
        let all = self.trace.records.iter().enumerate().filter(fits);
        all.map(|(i, r)| (RecordId(i as u32), r.at.floor_ms())).collect()
    }

    pub(super) fn is_occurrence(&self, record: &Record, occurrence: &Occurrence) -> bool {
        let kind = self.trace.subject(record.subject).kind;
        let is_pod = kind == Kind::Pod;
        // Claims come and go as well, for whoever asks about one.
        let is_claim = kind == Kind::PersistentVolumeClaim
            && matches!(occurrence.target, Target::Workload { kind: Kind::PersistentVolumeClaim, .. });
        let fits = match (&occurrence.what, record.what) {
            (Happening::Created, What::Created) | (Happening::Removed, What::Deleted) if is_claim => true,
            (Happening::Created, What::Created)
            | (Happening::Bound, What::Bound { .. })
            | (Happening::Started, What::Running)
            | (Happening::Restarted, What::Restarted { .. })
            | (Happening::Deleted, What::Deleting { .. })
            | (Happening::Removed, What::Removed)
            | (Happening::Succeeded, What::Succeeded { .. })
            | (Happening::Failed, What::Failed { .. })
            | (Happening::Unschedulable, What::Unschedulable)
            | (Happening::Ungated, What::Ungated) => is_pod,
            (Happening::Bound, What::Set { field: Field::VolumeName, value: Value::Text(_) }) => is_claim,
            (Happening::Rejected, What::Rejected { .. }) => true,
            (Happening::Refused, What::Decided(Why::BudgetRefuses { .. } | Why::SeveralBudgets { .. }))
            | (Happening::Drained, What::Decided(Why::Drained { .. })) => true,
            (Happening::Wrote(wanted), What::Wrote { key }) => {
                wanted.as_ref().is_none_or(|wanted| is_key(self.trace.symbols.get(key), wanted))
            }
            (Happening::JobCreated, What::Created) | (Happening::JobDeleted, What::Deleted) => kind == Kind::Job,
            (Happening::JobCompleted, What::Set { field: Field::ConditionComplete, value })
            | (Happening::JobFailed, What::Set { field: Field::ConditionFailed, value }) => self.is_true(value),
            (Happening::Event(reason), What::Emitted(emitted)) => self.reason(emitted) == reason,
            (Happening::Event(reason), What::Set { value: Value::Text(text), field }) => {
                let is_condition = field.name().starts_with("condition.");
                is_condition && self.trace.symbols.get(text).split_once('/').is_some_and(|(_, r)| r == reason)
            }
            _ => false,
        };
        fits && self.belongs(record.subject, &occurrence.target)
    }

    /// Whether a condition's value is `True`.
    fn is_true(&self, value: Value) -> bool {
        matches!(value, Value::Text(text) if self.trace.symbols.get(text).starts_with("True"))
    }

    /// The reason of a Kubernetes Event.
    fn reason(&self, emitted: Emitted) -> &str {
        match emitted {
            Emitted::Scaled { .. } => "ScalingReplicaSet",
            Emitted::CreatedPod(_) => "SuccessfulCreate",
            Emitted::DeletedPod(_) => "SuccessfulDelete",
            Emitted::Scheduled { .. } => "Scheduled",
            Emitted::Other { reason, .. } => self.trace.symbols.get(reason),
        }
    }

    /// The values of a condition: since when, and which.
    pub(super) fn condition(&self, target: &Target, condition: &str) -> Vec<(SimTime, &'a str)> {
        let Some(wanted) = condition_field(condition) else { return Vec::new() };
        let trace = self.trace;
        let changes = trace.records.iter().filter_map(|r| match r.what {
            What::Set { field, value } if field == wanted && target.is(trace.subject(r.subject)) => {
                let text = if let Value::Text(text) = value { trace.symbols.get(text) } else { "" };
                Some((r.at, text))
            }
            _ => None,
        });
        let mut values: Vec<(SimTime, &str)> = Vec::new();
        for (at, text) in changes {
            values.pop_if(|last| last.0.floor_ms() == at.floor_ms());
            values.push((at, text));
        }
        values
    }

    /// The latest record up to `at` that changed one of the sources.
    pub(super) fn decisive(&self, sources: &[Source<'_>], at: SimTime) -> Option<RecordId> {
        let upto = self.trace.records.partition_point(|r| r.at.floor_ms() <= at);
        let changed = |r: &Record| sources.iter().any(|s| self.changes(r, s));
        let index = self.trace.records.iter().take(upto).rposition(changed)?;
        Some(RecordId(index as u32))
    }

    fn changes(&self, record: &Record, source: &Source<'_>) -> bool {
        let subject = self.trace.subject(record.subject);
        match source {
            Source::Occurrence(occurrence) => self.is_occurrence(record, occurrence),
            Source::Ground(ground) => self.changes_ground(record, ground),
            Source::Name(pod) => matches!(record.what, What::Named | What::Unnamed) && *subject.api_name == **pod,
            Source::Condition(target, condition) => {
                let field = condition_field(condition);
                matches!(record.what, What::Set { field: f, .. } if Some(f) == field) && target.is(subject)
            }
            Source::Complete(target) => {
                let tells = matches!(
                    record.what,
                    What::Decided(Why::RolloutComplete | Why::DeadlineExceeded { .. } | Why::TooFewAvailable { .. })
                        | What::Set {
                            field: Field::AvailableReplicas
                                | Field::SpecReplicas
                                | Field::ConditionProgressing
                                | Field::ConditionComplete
                                | Field::ConditionFailed,
                            ..
                        }
                );
                tells && target.is(subject)
            }
            Source::Level(level) => {
                changes_series(level.series, record.what, subject.kind)
                    && match &level.target {
                        Target::Node(name) => self.is_on_node(record, name),
                        target if is_spec_of_top(level.series) => target.is(subject),
                        target => self.belongs(record.subject, target),
                    }
            }
        }
    }

    fn changes_ground(&self, record: &Record, ground: &Ground) -> bool {
        let kind = self.trace.subject(record.subject).kind;
        let comes_or_goes = matches!(record.what, What::Created | What::Deleted);
        match ground {
            Ground::Nodes(_) | Ground::Allocatable(_) => kind == Kind::Node && comes_or_goes,
            Ground::Requested(_) => changes_series(Series::OnNode, record.what, kind),
            Ground::Pending(_) => changes_series(Series::Pending, record.what, kind),
            Ground::InZone(level, _) => {
                changes_series(level.series, record.what, kind) && self.belongs(record.subject, &level.target)
            }
            Ground::Skew(target) => {
                changes_series(Series::OnNode, record.what, kind) && self.belongs(record.subject, target)
            }
        }
    }

    /// Whether a record is about a pod of a node. Only a binding names it, so
    /// other changes are looked up at the pod's latest binding.
    fn is_on_node(&self, record: &Record, node: &str) -> bool {
        let binding = |r: &&Record| r.subject == record.subject && matches!(r.what, What::Bound { .. });
        let bound = match record.what {
            What::Bound { .. } => Some(record),
            _ => self.trace.records.iter().find(binding),
        };
        matches!(bound.map(|r| r.what), Some(What::Bound { node: n }) if *self.trace.subject(n).name == *node)
    }
}

/// Whether a key is the wanted one, or begins like one with `*` at its end.
fn is_key(key: &str, wanted: &str) -> bool {
    key == wanted || wanted.strip_suffix('*').is_some_and(|start| key.starts_with(start))
}

/// Whether a series is read from fields of the top object alone.
const fn is_spec_of_top(series: Series) -> bool {
    matches!(series, Series::Available | Series::Desired | Series::Ceiling | Series::Floor)
}

/// Whether a record of a pod can change how many are ready.
const fn is_of_ready(what: What) -> bool {
    matches!(
        what,
        What::Ready
            | What::Unready
            | What::Deleting { .. }
            | What::Removed
            | What::Failed { .. }
            | What::Succeeded { .. }
    )
}

/// Whether a kind of record can change a series.
fn changes_series(series: Series, what: What, kind: Kind) -> bool {
    let field = if let What::Set { field, .. } = what { Some(field) } else { None };
    let pod = kind == Kind::Pod;
    match series {
        Series::Available if pod => {
            matches!(what, What::Ready | What::Unready | What::Deleting { .. } | What::Removed | What::Failed { .. })
        }
        Series::Available => field == Some(Field::AvailableReplicas),
        Series::Desired => field == Some(Field::SpecReplicas),
        Series::Ceiling => matches!(field, Some(Field::SpecReplicas | Field::MaxSurge)),
        Series::Floor => matches!(field, Some(Field::SpecReplicas | Field::MaxUnavailable)),
        Series::Counted => field == Some(Field::SpecReplicas) && kind == Kind::ReplicaSet,
        Series::Ready => pod && is_of_ready(what),
        Series::OnNode => {
            pod && matches!(what, What::Bound { .. } | What::Removed | What::Failed { .. } | What::Succeeded { .. })
        }
        Series::Attaching => {
            pod && matches!(what, What::Attaching | What::Attached | What::Removed | What::Failed { .. })
        }
        Series::Dns => pod && matches!(what, What::Named | What::Unnamed),
        Series::Existing => pod && matches!(what, What::Created | What::Removed),
        Series::Terminating => pod && matches!(what, What::Deleting { .. } | What::Removed),
        Series::Updated => pod && matches!(what, What::Created | What::Deleting { .. } | What::Failed { .. }),
        Series::Pending => pod && matches!(what, What::Created | What::Bound { .. } | What::Removed),
        Series::Gated => pod && matches!(what, What::Gated { .. } | What::Ungated | What::Removed),
        Series::Restarts => pod && matches!(what, What::Restarted { .. }),
        Series::Killed => what == What::Killed,
        Series::Effects | Series::Duplicates => matches!(what, What::Wrote { .. }),
        Series::Lost => matches!(what, What::Lost { .. }),
        Series::Running | Series::Overlap => {
            pod && matches!(what, What::Running | What::Removed | What::Failed { .. } | What::Succeeded { .. })
        }
        Series::Attempts => pod && matches!(what, What::Running | What::Restarted { .. }),
        Series::Completions => kind == Kind::Job && matches!(field, Some(Field::Succeeded | Field::ConditionComplete)),
        Series::ActiveJobs => {
            kind == Kind::Job
                && (matches!(what, What::Created | What::Deleted)
                    || matches!(field, Some(Field::ConditionComplete | Field::ConditionFailed)))
        }
        Series::Jobs => kind == Kind::Job && matches!(what, What::Created | What::Deleted),
        Series::StartedJobs => kind == Kind::Job && what == What::Created,
        Series::FailedJobs => kind == Kind::Job && field == Some(Field::ConditionFailed),
        Series::Serving if kind == Kind::Service => field == Some(Field::ServingPods),
        Series::Serving => matches!(what, What::Answers | What::Silent) || pod && is_of_ready(what),
        Series::Routable if kind == Kind::Service => field == Some(Field::RoutablePods),
        Series::Routable => matches!(what, What::Routable { .. } | What::Unroutable { .. }),
        Series::DeadEnds => field == Some(Field::DeadEnds),
        Series::Endpoints => field == Some(Field::Endpoints),
        Series::Requests => field == Some(Field::Requests),
        Series::Capacity => field == Some(Field::RequestCapacity),
        Series::Refused => field == Some(Field::RefusedRequests),
        Series::Shed => field == Some(Field::ShedRequests),
        Series::Errors => field == Some(Field::ErrorAnswers),
        Series::CutRequests => field == Some(Field::CutRequests),
        Series::Served | Series::FailedRequests => matches!(
            field,
            Some(
                Field::FailedRequests
                    | Field::RefusedRequests
                    | Field::ShedRequests
                    | Field::ErrorAnswers
                    | Field::CutRequests
            )
        ),
    }
}

impl Predicate {
    /// Everything the predicate reads.
    pub(super) fn sources<'p>(&'p self, into: &mut Vec<Source<'p>>) {
        match self {
            Predicate::Compare(a, _, b) => {
                a.sources(into);
                b.sources(into);
            }
            Predicate::Condition { target, condition, .. } => into.push(Source::Condition(target, condition)),
            Predicate::Complete(target) => into.push(Source::Complete(target)),
            Predicate::Resolves { pod, .. } => into.push(Source::Name(pod)),
            Predicate::Occurs(occurrence) => into.push(Source::Occurrence(occurrence)),
            Predicate::Not(p) => p.sources(into),
            Predicate::And(a, b) | Predicate::Or(a, b) => {
                a.sources(into);
                b.sources(into);
            }
        }
    }
}

impl super::Curve {
    /// Everything the curve reads.
    pub(super) fn sources<'c>(&'c self, into: &mut Vec<Source<'c>>) {
        match self {
            super::Curve::Constant(_) => {}
            super::Curve::Level(level) => into.push(Source::Level(level)),
            super::Curve::Ground(ground) => into.push(Source::Ground(ground)),
            super::Curve::Percent(_, of) | super::Curve::Times(_, of) => of.sources(into),
            super::Curve::Sum(a, b) | super::Curve::Difference(a, b) => {
                a.sources(into);
                b.sources(into);
            }
        }
    }
}
