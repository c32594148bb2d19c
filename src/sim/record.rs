//! Turning writes into records: names for objects, fields that changed.

use super::pages::Pages;
use super::stream::{Forgetting, Piece};
use crate::api::{
    ConditionStatus, ControllerRevision, DaemonSet, DaemonSetUpdate, Deployment, DeploymentCondition, Key, Kind, Meta,
    Node, PodTemplate, ReplicaSet, StatefulSet, StatefulStrategy, Strategy, Uid,
};
use crate::cluster::Objects;
use crate::controllers::daemon_set;
use crate::controllers::deployment::rules;
use crate::controllers::stateful_set;
use crate::time::{SimTime, Timestamp};
use crate::trace::{Field, Header, RecordId, Subject, SubjectId, Symbol, Trace, Value, What, Why};
use rustc_hash::FxHashMap;
use std::mem::Discriminant;
use std::sync::Arc;

/// What is known of an object.
#[derive(Clone, Copy, Debug)]
struct Known {
    subject: SubjectId,
    /// How many pods it has created.
    pods: u32,
}

/// Writes the trace.
#[derive(Clone, Debug)]
pub(super) struct Recorder {
    pub(super) trace: Trace,
    pub(super) now: SimTime,
    /// The newest record: what is observed now is observed because of it.
    pub(super) last: RecordId,
    by_uid: Pages<Known>,
    /// The newest record of each subject.
    latest: Vec<RecordId>,
    /// What a streamed run forgets.
    pub(super) forgetting: Option<Forgetting>,
    cluster: Option<SubjectId>,
    /// How many pods of a name there have been.
    names: FxHashMap<Arc<str>, u32>,
    /// Who has had a name, oldest first: ReplicaSets and Jobs, whose pods are
    /// counted.
    holders: FxHashMap<(Arc<str>, Arc<str>), Vec<Uid>>,
    /// The earlier holders of an object's name, where there were any.
    namesakes: FxHashMap<Uid, Vec<Uid>>,
    /// The sorts of refusals recorded since something was done, so that each
    /// is said once.
    refusals: FxHashMap<SubjectId, Vec<Discriminant<Why>>>,
    /// The number that each ControllerRevision had at its creation, by
    /// namespace and name.
    revisions: FxHashMap<(Arc<str>, Arc<str>), u32>,
}

/// A recorded field's value before it is known whether it changed. Strings
/// are only looked at, not yet interned.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Raw {
    Absent,
    Int(i64),
    Bool(bool),
    Text(Arc<str>),
    /// A time, not yet written out.
    Time(Timestamp),
    /// Names in order, not yet joined by commas.
    Names(Vec<Arc<str>>),
    /// `status/reason`.
    Condition(ConditionStatus, Arc<str>),
    /// The image of a template.
    Image(Arc<PodTemplate>),
    /// The ControllerRevision of this namespace and name.
    Revision(Arc<str>, Arc<str>),
}

/// The recorded fields of an object, in a fixed order.
pub(super) type Fields = Vec<(Field, Raw)>;

impl Recorder {
    pub(super) fn new(header: Header) -> Recorder {
        Recorder {
            trace: Trace { header, ..Trace::default() },
            now: SimTime::ZERO,
            last: RecordId::NONE,
            by_uid: Pages::new(),
            latest: Vec::new(),
            forgetting: None,
            cluster: None,
            names: FxHashMap::default(),
            holders: FxHashMap::default(),
            namesakes: FxHashMap::default(),
            refusals: FxHashMap::default(),
            revisions: FxHashMap::default(),
        }
    }

    /// The subject of an object that was registered when it was created.
    pub(super) fn subject(&self, uid: Uid) -> SubjectId {
        // Every object is registered at its creation and forgotten long after
        // its end; the first subject is better than none.
        self.by_uid.get(uid).map_or(SubjectId(0), |known| known.subject)
    }

    /// The subject of what is about no object in particular.
    pub(super) fn cluster(&mut self) -> SubjectId {
        if let Some(id) = self.cluster {
            return id;
        }
        let id = self.new_subject(Subject {
            kind: Kind::Cluster,
            namespace: "".into(),
            name: "cluster".into(),
            api_name: "cluster".into(),
            owner: None,
            revision: 0,
        });
        self.cluster = Some(id);
        id
    }

    /// Counts the pods that an owner has created.
    pub(super) fn next_number(&mut self, owner: Uid) -> u32 {
        let Some(known) = self.by_uid.get_mut(owner) else { return 0 };
        known.pods += 1;
        known.pods - 1
    }

    /// The revision that an object had when it was created.
    pub(super) fn revision_of(&self, uid: Uid) -> u32 {
        self.trace.subject(self.subject(uid)).revision
    }

    pub(super) fn intern(&mut self, text: &str) -> Symbol {
        self.trace.symbols.intern(text)
    }

    /// Adds a record.
    pub(super) fn push(&mut self, cause: RecordId, subject: SubjectId, what: What) -> RecordId {
        self.last = self.trace.push(self.now, cause, subject, what);
        self.latest[subject.0 as usize] = self.last;
        self.last
    }

    /// The number of a new subject: one that was forgotten, or the next.
    fn new_subject(&mut self, subject: Subject) -> SubjectId {
        let Some(forgetting) = &mut self.forgetting else {
            self.trace.subjects.push(subject);
            self.latest.push(RecordId::NONE);
            return SubjectId(self.trace.subjects.len() as u32 - 1);
        };
        let id = forgetting.number(self.trace.subjects.len(), &subject);
        if let Some(place) = self.trace.subjects.get_mut(id.0 as usize) {
            *place = subject;
            self.latest[id.0 as usize] = RecordId::NONE;
        } else {
            self.trace.subjects.push(subject);
            self.latest.push(RecordId::NONE);
        }
        id
    }

    /// An object is gone for good. What may come again under its name, and
    /// would then be told apart from it, is not forgotten.
    pub(super) fn gone(&mut self, uid: Uid) {
        let subject = self.subject(uid);
        let scheduled = |owner| self.trace.subject(owner).kind == Kind::CronJob;
        let Subject { kind, owner, .. } = *self.trace.subject(subject);
        let returns = match kind {
            Kind::ReplicaSet => true,
            Kind::Job => !owner.is_some_and(scheduled),
            _ => false,
        };
        if let Some(forgetting) = self.forgetting.as_mut().filter(|_| !returns) {
            forgetting.gone(uid, subject, self.now, self.last);
        }
    }

    /// Hands on the records so far and forgets them, and the objects that
    /// were gone before the piece began.
    pub(super) fn hand_on(&mut self, sink: &mut impl FnMut(&Piece<'_>)) {
        let Some(forgetting) = &mut self.forgetting else { return };
        sink(&Piece { trace: &self.trace, new_subjects: &forgetting.new });
        for (uid, id) in forgetting.forget(&self.trace, self.now) {
            self.by_uid.remove(uid);
            self.refusals.remove(&id);
            let subject = self.trace.subject(id);
            if subject.kind == Kind::Job {
                self.namesakes.remove(&uid);
                self.holders.remove(&(subject.namespace.clone(), subject.name.clone()));
            }
        }
        self.trace.before += self.trace.records.len() as u32;
        self.trace.records.clear();
        self.trace.symbols.clear();
    }

    /// Adds a record about a stored object.
    pub(super) fn note(&mut self, cause: RecordId, uid: Uid, what: What) -> RecordId {
        self.push(cause, self.subject(uid), what)
    }

    /// The newest record about an object: what its machine does next, it does
    /// because of that.
    pub(super) fn latest_of(&self, uid: Uid) -> RecordId {
        self.latest[self.subject(uid).0 as usize]
    }

    /// Adds a decision that leads to writes.
    pub(super) fn decide(&mut self, cause: RecordId, uid: Uid, why: Why) -> RecordId {
        self.refusals.remove(&self.subject(uid));
        self.note(cause, uid, What::Decided(why))
    }

    /// Adds a decision to do nothing: the first of its sort since something
    /// was done, not each time that it is made again.
    pub(super) fn refuse(&mut self, cause: RecordId, uid: Uid, why: Why) {
        let (subject, sort) = (self.subject(uid), std::mem::discriminant(&why));
        let said = self.refusals.entry(subject).or_default();
        if !said.contains(&sort) {
            said.push(sort);
            self.trace.push(self.now, cause, subject, What::Decided(why));
        }
    }

    /// Gives a new object its name in the trace.
    pub(super) fn register(&mut self, meta: &Meta, kind: Kind, owner: Option<Key>, revision: u32) -> SubjectId {
        let owner = owner.map(|key| self.subject(key.uid));
        let plain: Arc<str> = match (kind, owner.map(|id| &self.trace.subjects[id.0 as usize])) {
            (Kind::ReplicaSet | Kind::ControllerRevision, Some(owner)) => format!("{}/{revision}", owner.name).into(),
            _ => meta.name.clone(),
        };
        if kind == Kind::ControllerRevision {
            self.revisions.insert((meta.namespace.clone(), meta.name.clone()), revision);
        }
        // Only pods are told apart; a workload that is deleted and applied
        // again goes on under its name.
        let name = if kind == Kind::Pod { self.distinguish(meta, plain) } else { plain };
        // A CronJob never gives a name twice.
        if kind == Kind::ReplicaSet || kind == Kind::Job && owner.is_none() {
            self.note_namesakes(meta, &name);
        }
        self.enter(meta, kind, owner, revision, name)
    }

    /// Remembers which earlier ReplicaSets and Jobs had the name of a new one,
    /// so that their counted pods are told apart.
    fn note_namesakes(&mut self, meta: &Meta, name: &Arc<str>) {
        let holders = self.holders.entry((meta.namespace.clone(), name.clone())).or_default();
        if !holders.is_empty() {
            self.namesakes.insert(meta.uid, holders.clone());
        }
        holders.push(meta.uid);
    }

    /// How many pods with this number the earlier owners of the same name had.
    fn earlier_pods(&self, owner: Uid, number: u32) -> usize {
        let Some(namesakes) = self.namesakes.get(&owner) else { return 0 };
        let made = |uid: &&Uid| self.by_uid.get(**uid).is_some_and(|known| known.pods > number);
        namesakes.iter().filter(made).count()
    }

    /// Gives a new pod of an owner its name in the trace: `web/1#0`.
    ///
    /// A ReplicaSet's name has the revision in it already. Pods of other
    /// owners say it themselves if they have one, and what marks them may
    /// come again in a later pod.
    pub(super) fn register_pod(
        &mut self,
        meta: &Meta,
        owner: Key,
        revision: u32,
        number: u32,
        mark: Option<&Arc<str>>,
    ) -> SubjectId {
        let subject = self.subject(owner.uid);
        let whose = &self.trace.subject(subject).name;
        let name: Arc<str> = match mark {
            // The count makes the name unique among one owner's pods.
            None => match self.earlier_pods(owner.uid, number) {
                0 => format!("{whose}#{number}").into(),
                earlier => format!("{whose}#{number}~{}", earlier + 1).into(),
            },
            Some(mark) => {
                let plain = match revision {
                    0 => format!("{whose}#{mark}"),
                    revision => format!("{whose}/{revision}#{mark}"),
                };
                self.distinguish(meta, plain.into())
            }
        };
        self.enter(meta, Kind::Pod, Some(subject), revision, name)
    }

    fn enter(&mut self, meta: &Meta, kind: Kind, owner: Option<SubjectId>, revision: u32, name: Arc<str>) -> SubjectId {
        let id = self.new_subject(Subject {
            kind,
            namespace: meta.namespace.clone(),
            name,
            api_name: meta.name.clone(),
            owner,
            revision,
        });
        self.by_uid.insert(meta.uid, Known { subject: id, pods: 0 });
        id
    }

    /// A second pod of the same name gets `~2`, a third one `~3`.
    fn distinguish(&mut self, meta: &Meta, plain: Arc<str>) -> Arc<str> {
        let full: Arc<str> = format!("{}/{plain}", meta.namespace).into();
        let seen = self.names.entry(full).or_insert(0);
        *seen += 1;
        if *seen == 1 { plain } else { format!("{plain}~{seen}").into() }
    }

    /// Records the fields that differ.
    pub(super) fn diff(&mut self, cause: RecordId, uid: Uid, before: &Fields, after: &Fields) {
        debug_assert!(before.is_empty() || before.len() == after.len());
        let subject = self.subject(uid);
        for (i, (field, value)) in after.iter().enumerate() {
            let old = before.get(i).map_or(&Raw::Absent, |(_, old)| old);
            if !old.is_same(value) {
                let (field, value) = (*field, self.value(value));
                self.push(cause, subject, What::Set { field, value });
            }
        }
    }

    fn value(&mut self, raw: &Raw) -> Value {
        let text = match raw {
            Raw::Absent => return Value::Absent,
            Raw::Int(n) => return Value::Int(*n),
            Raw::Bool(on) => return Value::Bool(*on),
            Raw::Text(text) => self.intern(text),
            Raw::Time(time) => self.intern(&time.to_string()),
            Raw::Names(names) => self.intern(&names.join(",")),
            Raw::Condition(status, reason) => self.intern(&format!("{status}/{reason}")),
            Raw::Image(template) => self.intern(template.image()),
            Raw::Revision(namespace, name) => {
                let number = self.revisions.get(&(namespace.clone(), name.clone())).copied().unwrap_or(0);
                self.intern(&number.to_string())
            }
        };
        Value::Text(text)
    }
}

impl Raw {
    pub(super) fn text(text: &str) -> Raw {
        if text.is_empty() { Raw::Absent } else { Raw::Text(text.into()) }
    }

    pub(super) fn shared(text: &Arc<str>) -> Raw {
        if text.is_empty() { Raw::Absent } else { Raw::Text(text.clone()) }
    }

    pub(super) fn time(time: Option<Timestamp>) -> Raw {
        time.map_or(Raw::Absent, Raw::Time)
    }

    pub(super) fn count(n: i32) -> Raw {
        if n == 0 { Raw::Absent } else { Raw::Int(n.into()) }
    }

    pub(super) fn flag(on: bool) -> Raw {
        if on { Raw::Bool(true) } else { Raw::Absent }
    }

    fn condition(condition: Option<&DeploymentCondition>) -> Raw {
        condition.map_or(Raw::Absent, |c| Raw::Condition(c.status, c.reason.clone()))
    }

    fn named_revision(set: &StatefulSet, name: &Arc<str>) -> Raw {
        if name.is_empty() { Raw::Absent } else { Raw::Revision(set.meta.namespace.clone(), name.clone()) }
    }

    fn revision(revision: Option<i64>) -> Raw {
        revision.map_or(Raw::Absent, |r| Raw::text(&r.to_string()))
    }

    fn is_same(&self, other: &Raw) -> bool {
        match (self, other) {
            (Raw::Image(a), Raw::Image(b)) => Arc::ptr_eq(a, b) || a.image() == b.image(),
            _ => self == other,
        }
    }
}

/// The recorded fields of an object as it is now; none if it is gone.
pub(super) fn fields(key: Key, objects: &Objects) -> Fields {
    match key.kind {
        Kind::Pod | Kind::Lease | Kind::Cluster => Fields::new(),
        Kind::Node => objects.nodes.get(key).map_or_else(Fields::new, node),
        Kind::ReplicaSet => objects.replica_sets.get(key).map_or_else(Fields::new, replica_set),
        Kind::Deployment => objects.deployments.get(key).map_or_else(Fields::new, deployment),
        Kind::ControllerRevision => objects.controller_revisions.get(key).map_or_else(Fields::new, controller_revision),
        Kind::StatefulSet => objects.stateful_sets.get(key).map_or_else(Fields::new, stateful_set_fields),
        Kind::DaemonSet => objects.daemon_sets.get(key).map_or_else(Fields::new, daemon_set_fields),
        Kind::PersistentVolumeClaim => objects.claims.get(key).map_or_else(Fields::new, super::volumes::claim_fields),
        Kind::PersistentVolume => objects.volumes.get(key).map_or_else(Fields::new, super::volumes::volume_fields),
        // Only that they come and go is recorded.
        Kind::StorageClass | Kind::Service => Fields::new(),
        Kind::Job => objects.jobs.get(key).map_or_else(Fields::new, super::jobs::fields),
        Kind::CronJob => objects.cron_jobs.get(key).map_or_else(Fields::new, super::cron_jobs::fields),
        Kind::PodDisruptionBudget => {
            objects.disruption_budgets.get(key).map_or_else(Fields::new, super::budgets::fields)
        }
        Kind::HorizontalPodAutoscaler => {
            objects.autoscalers.get(key).map_or_else(Fields::new, super::autoscalers::fields)
        }
    }
}

fn deployment(d: &Deployment) -> Fields {
    let (spec, status) = (&d.spec, &d.status);
    // Recreate has no limits: it may lose all its pods.
    let limits = match spec.strategy {
        Strategy::Recreate => None,
        Strategy::RollingUpdate { .. } => Some(rules::limits(spec.strategy, spec.replicas)),
    };
    let limit = |n: Option<i32>| n.map_or(Raw::Absent, |n| Raw::Int(n.into()));
    vec![
        (Field::SpecReplicas, Raw::Int(spec.replicas.into())),
        (Field::SpecPaused, Raw::flag(spec.paused)),
        (Field::Revision, Raw::revision(d.revision)),
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
        (Field::Deleting, Raw::flag(d.meta.is_deleting())),
        (Field::MaxSurge, limit(limits.as_ref().map(|l| l.surge))),
        (Field::MaxUnavailable, limit(limits.as_ref().map(|l| l.unavailable))),
        (Field::Image, Raw::Image(spec.template.clone())),
    ]
}

fn replica_set(set: &ReplicaSet) -> Fields {
    let status = &set.status;
    vec![
        (Field::SpecReplicas, Raw::Int(set.spec.replicas.into())),
        (Field::Revision, Raw::revision(set.marks.revision)),
        (Field::Replicas, Raw::count(status.replicas)),
        (Field::FullyLabeledReplicas, Raw::count(status.fully_labeled)),
        (Field::ReadyReplicas, Raw::count(status.ready)),
        (Field::AvailableReplicas, Raw::count(status.available)),
        (Field::TerminatingReplicas, Raw::count(status.terminating.unwrap_or(0))),
        (Field::Deleting, Raw::flag(set.meta.is_deleting())),
        (Field::Image, Raw::Image(set.spec.template.clone())),
    ]
}

fn daemon_set_fields(set: &DaemonSet) -> Fields {
    let status = &set.status;
    let (surge, unavailable) = match set.spec.update {
        DaemonSetUpdate::OnDelete => (Raw::Absent, Raw::Absent),
        update @ DaemonSetUpdate::RollingUpdate { .. } => {
            let limits = daemon_set::rules::limits(update, status.desired);
            (Raw::Int(limits.surge.into()), Raw::Int(limits.unavailable.into()))
        }
    };
    vec![
        (Field::ObservedGeneration, Raw::Int(status.observed_generation)),
        (Field::CurrentNumberScheduled, Raw::count(status.current)),
        (Field::NumberMisscheduled, Raw::count(status.misscheduled)),
        (Field::DesiredNumberScheduled, Raw::count(status.desired)),
        (Field::NumberReady, Raw::count(status.ready)),
        (Field::UpdatedNumberScheduled, Raw::count(status.updated)),
        (Field::NumberAvailable, Raw::count(status.available)),
        (Field::NumberUnavailable, Raw::count(status.unavailable)),
        (Field::Deleting, Raw::flag(set.meta.is_deleting())),
        (Field::MaxSurge, surge),
        (Field::MaxUnavailable, unavailable),
        (Field::Image, Raw::Image(set.spec.template.clone())),
    ]
}

fn controller_revision(revision: &ControllerRevision) -> Fields {
    vec![(Field::Revision, Raw::Int(revision.revision))]
}

fn stateful_set_fields(set: &StatefulSet) -> Fields {
    let (spec, status) = (&set.spec, &set.status);
    let (surge, unavailable) = match spec.strategy {
        StatefulStrategy::RollingUpdate(rolling) => {
            let most = stateful_set::rules::max_unavailable(rolling, spec.replicas);
            (Raw::Int(0), Raw::Int(most.into()))
        }
        StatefulStrategy::OnDelete => (Raw::Absent, Raw::Absent),
    };
    vec![
        (Field::SpecReplicas, Raw::Int(spec.replicas.into())),
        (Field::ObservedGeneration, Raw::Int(status.observed_generation)),
        (Field::Replicas, Raw::count(status.replicas)),
        (Field::ReadyReplicas, Raw::count(status.ready)),
        (Field::CurrentReplicas, Raw::count(status.current)),
        (Field::UpdatedReplicas, Raw::count(status.updated)),
        (Field::AvailableReplicas, Raw::count(status.available)),
        (Field::CurrentRevision, Raw::named_revision(set, &status.current_revision)),
        (Field::UpdateRevision, Raw::named_revision(set, &status.update_revision)),
        (Field::CollisionCount, Raw::count(status.collision_count)),
        (Field::Deleting, Raw::flag(set.meta.is_deleting())),
        (Field::MaxSurge, surge),
        (Field::MaxUnavailable, unavailable),
        (Field::Image, Raw::Image(spec.template.clone())),
    ]
}

fn node(node: &Node) -> Fields {
    let mut taints: Vec<String> = node.taints.iter().map(ToString::to_string).collect();
    taints.sort();
    vec![
        (Field::Unschedulable, Raw::flag(node.unschedulable)),
        (Field::Taints, Raw::text(&taints.join(","))),
        (Field::ConditionReady, Raw::text(&node.ready.to_string())),
    ]
}
