//! Turning writes into records: names for objects, fields that changed.

use crate::api::{Deployment, DeploymentCondition, Key, Kind, Meta, Node, ReplicaSet, Uid};
use crate::cluster::Objects;
use crate::controllers::deployment::rules;
use crate::time::SimTime;
use crate::trace::{Field, Header, RecordId, Subject, SubjectId, Symbol, Trace, Value, What, Why};
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// Writes the trace.
#[derive(Clone, Debug)]
pub(super) struct Recorder {
    pub(super) trace: Trace,
    pub(super) now: SimTime,
    /// The newest record: what is observed now is observed because of it.
    pub(super) last: RecordId,
    by_uid: Vec<SubjectId>,
    /// The newest record of each subject.
    latest: Vec<RecordId>,
    cluster: Option<SubjectId>,
    /// How many objects of a name there have been.
    names: FxHashMap<(Kind, Arc<str>), u32>,
    /// How many pods each owner has created, by its UID.
    created: Vec<u32>,
    /// The last refusal recorded of a subject, so that it is said once.
    refusals: FxHashMap<SubjectId, Why>,
}

/// The recorded fields of an object, in a fixed order.
pub(super) type Fields = Vec<(Field, Value)>;

impl Recorder {
    pub(super) fn new(header: Header) -> Recorder {
        Recorder {
            trace: Trace { header, ..Trace::default() },
            now: SimTime::ZERO,
            last: RecordId::NONE,
            by_uid: Vec::new(),
            latest: Vec::new(),
            cluster: None,
            names: FxHashMap::default(),
            created: Vec::new(),
            refusals: FxHashMap::default(),
        }
    }

    /// The subject of an object that was registered when it was created.
    pub(super) fn subject(&self, uid: Uid) -> SubjectId {
        self.by_uid[uid.0 as usize]
    }

    /// The subject of what is about no object in particular.
    pub(super) fn cluster(&mut self) -> SubjectId {
        if let Some(id) = self.cluster {
            return id;
        }
        let id = SubjectId(self.trace.subjects.len() as u32);
        self.trace.subjects.push(Subject {
            kind: Kind::Cluster,
            namespace: "".into(),
            name: "cluster".into(),
            api_name: "cluster".into(),
            owner: None,
            revision: 0,
        });
        self.latest.push(RecordId::NONE);
        self.cluster = Some(id);
        id
    }

    /// Counts the pods that an owner has created.
    pub(super) fn next_number(&mut self, owner: Uid) -> u32 {
        let index = owner.0 as usize;
        if self.created.len() <= index {
            self.created.resize(index + 1, 0);
        }
        self.created[index] += 1;
        self.created[index] - 1
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

    /// Adds a record about a stored object.
    pub(super) fn note(&mut self, cause: RecordId, uid: Uid, what: What) -> RecordId {
        self.push(cause, self.subject(uid), what)
    }

    /// The newest record about an object: what its machine does next, it does
    /// because of that.
    pub(super) fn latest_of(&self, uid: Uid) -> RecordId {
        self.latest[self.subject(uid).0 as usize]
    }

    /// Adds a refusal, unless it is the one that was recorded last.
    pub(super) fn refuse(&mut self, cause: RecordId, uid: Uid, why: Why) {
        let subject = self.subject(uid);
        if self.refusals.insert(subject, why) != Some(why) {
            self.trace.push(self.now, cause, subject, What::Decided(why));
        }
    }

    /// Gives a new object its name in the trace.
    pub(super) fn register(&mut self, meta: &Meta, kind: Kind, owner: Option<Key>, revision: u32, number: u32) -> SubjectId {
        let owner = owner.map(|key| self.subject(key.uid));
        let plain: Arc<str> = match (kind, owner.map(|id| &self.trace.subjects[id.0 as usize])) {
            (Kind::ReplicaSet, Some(owner)) => format!("{}/{revision}", owner.name).into(),
            (Kind::Pod, Some(owner)) => format!("{}#{number}", owner.name).into(),
            _ => meta.name.clone(),
        };
        // A pod's number makes its name unique already.
        let name = if kind == Kind::Pod && owner.is_some() { plain } else { self.distinguish(kind, meta, plain) };
        let id = SubjectId(self.trace.subjects.len() as u32);
        self.trace.subjects.push(Subject {
            kind,
            namespace: meta.namespace.clone(),
            name,
            api_name: meta.name.clone(),
            owner,
            revision,
        });
        self.latest.push(RecordId::NONE);
        let index = meta.uid.0 as usize;
        if self.by_uid.len() <= index {
            self.by_uid.resize(index + 1, SubjectId(u32::MAX));
        }
        self.by_uid[index] = id;
        id
    }

    /// A second object of the same name gets `~2`, a third one `~3`.
    fn distinguish(&mut self, kind: Kind, meta: &Meta, plain: Arc<str>) -> Arc<str> {
        let full: Arc<str> = format!("{}/{plain}", meta.namespace).into();
        let seen = self.names.entry((kind, full)).or_insert(0);
        *seen += 1;
        // Only pods are told apart; a workload that is deleted and applied
        // again goes on under its name.
        if *seen == 1 || kind != Kind::Pod { plain } else { format!("{plain}~{seen}").into() }
    }

    /// Records the fields that differ.
    pub(super) fn diff(&mut self, cause: RecordId, uid: Uid, before: &Fields, after: &Fields) {
        debug_assert!(before.is_empty() || before.len() == after.len());
        let subject = self.subject(uid);
        for (i, &(field, value)) in after.iter().enumerate() {
            let old = before.get(i).map_or(Value::Absent, |(_, old)| *old);
            if old != value {
                self.push(cause, subject, What::Set { field, value });
            }
        }
    }

    /// The recorded fields of an object as it is now; none if it is gone.
    pub(super) fn fields(&mut self, key: Key, objects: &Objects) -> Fields {
        match key.kind {
            Kind::Pod | Kind::Cluster => Fields::new(),
            Kind::Node => objects.nodes.get(key).map_or_else(Fields::new, |node| self.node(node)),
            Kind::ReplicaSet => {
                objects.replica_sets.get(key).map_or_else(Fields::new, |set| self.replica_set(set))
            }
            Kind::Deployment => {
                objects.deployments.get(key).map_or_else(Fields::new, |d| self.deployment(d))
            }
        }
    }

    fn text(&mut self, text: &str) -> Value {
        if text.is_empty() { Value::Absent } else { Value::Text(self.intern(text)) }
    }

    fn condition(&mut self, condition: Option<&DeploymentCondition>) -> Value {
        condition.map_or(Value::Absent, |c| self.text(&format!("{}/{}", c.status, c.reason)))
    }

    fn revision(&mut self, revision: Option<i64>) -> Value {
        revision.map_or(Value::Absent, |r| self.text(&r.to_string()))
    }

    fn deployment(&mut self, d: &Deployment) -> Fields {
        let (spec, status) = (&d.spec, &d.status);
        let limits = rules::limits(spec.strategy, spec.replicas);
        vec![
            (Field::SpecReplicas, Value::Int(spec.replicas.into())),
            (Field::SpecPaused, flag(spec.paused)),
            (Field::Revision, self.revision(d.revision)),
            (Field::ObservedGeneration, Value::Int(status.observed_generation)),
            (Field::Replicas, count(status.replicas)),
            (Field::UpdatedReplicas, count(status.updated)),
            (Field::ReadyReplicas, count(status.ready)),
            (Field::AvailableReplicas, count(status.available)),
            (Field::UnavailableReplicas, count(status.unavailable)),
            (Field::TerminatingReplicas, count(status.terminating.unwrap_or(0))),
            (Field::CollisionCount, count(status.collision_count)),
            (Field::ConditionAvailable, self.condition(status.available_condition.as_ref())),
            (Field::ConditionProgressing, self.condition(status.progressing.as_ref())),
            (Field::ConditionReplicaFailure, self.condition(status.replica_failure.as_ref())),
            (Field::Deleting, flag(d.meta.is_deleting())),
            (Field::MaxSurge, Value::Int(limits.surge.into())),
            (Field::MaxUnavailable, Value::Int(limits.unavailable.into())),
            (Field::Image, self.text(spec.template.image())),
        ]
    }

    fn replica_set(&mut self, set: &ReplicaSet) -> Fields {
        let status = &set.status;
        vec![
            (Field::SpecReplicas, Value::Int(set.spec.replicas.into())),
            (Field::Revision, self.revision(set.marks.revision)),
            (Field::Replicas, count(status.replicas)),
            (Field::FullyLabeledReplicas, count(status.fully_labeled)),
            (Field::ReadyReplicas, count(status.ready)),
            (Field::AvailableReplicas, count(status.available)),
            (Field::TerminatingReplicas, count(status.terminating.unwrap_or(0))),
            (Field::Deleting, flag(set.meta.is_deleting())),
            (Field::Image, self.text(set.spec.template.image())),
        ]
    }

    fn node(&mut self, node: &Node) -> Fields {
        let taints: Vec<String> = node.taints.iter().map(ToString::to_string).collect();
        vec![
            (Field::Unschedulable, flag(node.unschedulable)),
            (Field::Taints, self.text(&taints.join(","))),
            (Field::ConditionReady, self.text(&node.ready.to_string())),
        ]
    }
}

const fn flag(on: bool) -> Value {
    if on { Value::Bool(true) } else { Value::Absent }
}

const fn count(n: i32) -> Value {
    if n == 0 { Value::Absent } else { Value::Int(n as i64) }
}
