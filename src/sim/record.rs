//! Turning writes into records: names for objects, fields that changed.

use super::effects::SCHEDULED_AT;
use super::fields::{Fields, Raw, Recorded};
use super::pages::Pages;
use super::stream::{Forgetting, Piece};
use crate::api::{Key, Kind, Meta, Resources, Uid};
use crate::cluster::Stored;
use crate::time::{SimTime, Timestamp};
use crate::trace::{Field, Header, RecordId, Subject, SubjectId, Symbol, Trace, Value, What, Why};
use rustc_hash::{FxHashMap, FxHashSet};
use std::fmt::Write;
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
    /// Which of them are those of Jobs that a streamed run will forget.
    names_of: FxHashMap<Uid, Vec<Arc<str>>>,
    /// Jobs of CronJobs that people made, whose names may come again.
    by_hand: FxHashSet<Uid>,
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
    /// Room to write a value out in.
    text: String,
    /// The time that was written last: what happens together has one time.
    last_time: Option<(Timestamp, Symbol)>,
}

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
            names_of: FxHashMap::default(),
            by_hand: FxHashSet::default(),
            holders: FxHashMap::default(),
            namesakes: FxHashMap::default(),
            refusals: FxHashMap::default(),
            revisions: FxHashMap::default(),
            text: String::new(),
            last_time: None,
        }
    }

    /// The subject of an object that was registered when it was created.
    pub(super) fn subject(&self, uid: Uid) -> SubjectId {
        // Every object is registered at its creation and forgotten long after
        // its end; the first subject is better than none.
        self.by_uid.get(uid).map_or(SubjectId(0), |known| known.subject)
    }

    /// Notes what a node offers or a pod asks for.
    pub(super) fn has_room(&mut self, uid: Uid, room: Resources, zone: Option<Arc<str>>) {
        let id = self.subject(uid);
        let subject = &mut self.trace.subjects[id.0 as usize];
        subject.room = room;
        subject.zone = zone;
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
            room: crate::api::Resources::default(),
            zone: None,
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
            Kind::Job => !owner.is_some_and(scheduled) || self.by_hand.contains(&uid),
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
                for name in self.names_of.remove(&uid).into_iter().flatten() {
                    self.names.remove(&name);
                }
                self.namesakes.remove(&uid);
                self.holders.remove(&(subject.namespace.clone(), subject.name.clone()));
            }
        }
        self.trace.before += self.trace.records.len() as u32;
        self.trace.records.clear();
        self.trace.symbols.clear();
        self.last_time = None;
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
        let name = if kind == Kind::Pod { self.distinguish(meta, plain, None) } else { plain };
        // A CronJob never gives a name twice, but people may.
        let scheduled = owner.is_some() && meta.annotations.contains_key(SCHEDULED_AT);
        let by_hand = kind == Kind::Job && !scheduled;
        if kind == Kind::ReplicaSet || by_hand {
            self.note_namesakes(meta, &name);
        }
        if by_hand && owner.is_some() {
            self.by_hand.insert(meta.uid);
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
            None => {
                let earlier = self.earlier_pods(owner.uid, number);
                let mut text = std::mem::take(&mut self.text);
                text.clear();
                let _infallible = write!(text, "{whose}#{number}");
                if earlier > 0 {
                    let _infallible = write!(text, "~{}", earlier + 1);
                }
                self.text = text;
                self.text.as_str().into()
            }
            Some(mark) => {
                let plain = match revision {
                    0 => format!("{whose}#{mark}"),
                    revision => format!("{whose}/{revision}#{mark}"),
                };
                self.distinguish(meta, plain.into(), Some(owner))
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
            room: crate::api::Resources::default(),
            zone: None,
        });
        self.by_uid.insert(meta.uid, Known { subject: id, pods: 0 });
        id
    }

    /// A second pod of the same name gets `~2`, a third one `~3`.
    fn distinguish(&mut self, meta: &Meta, plain: Arc<str>, owner: Option<Key>) -> Arc<str> {
        let full: Arc<str> = format!("{}/{plain}", meta.namespace).into();
        if let Some(job) = owner.filter(|owner| owner.kind == Kind::Job && self.forgetting.is_some())
            && !self.names.contains_key(&full)
        {
            self.names_of.entry(job.uid).or_default().push(full.clone());
        }
        let seen = self.names.entry(full).or_insert(0);
        *seen += 1;
        if *seen == 1 { plain } else { format!("{plain}~{seen}").into() }
    }

    /// Records the fields that a new object has.
    pub(super) fn all<T: Recorded>(&mut self, cause: RecordId, uid: Uid, now: &T) {
        let subject = self.subject(uid);
        T::fields(&mut Difference { recorder: self, cause, subject, before: Before::<T>::Nothing, now });
    }

    /// Records the fields that differ from those of an object as it was.
    pub(super) fn diff<T: Recorded>(&mut self, cause: RecordId, uid: Uid, before: &T, now: &T) {
        let subject = self.subject(uid);
        T::fields(&mut Difference { recorder: self, cause, subject, before: Before::Object(before), now });
    }

    /// Records the fields that differ from those that an object had with an
    /// earlier status.
    pub(super) fn diff_status<T: Recorded>(&mut self, cause: RecordId, uid: Uid, before: &T::Status, now: &T) {
        let subject = self.subject(uid);
        T::fields(&mut Difference { recorder: self, cause, subject, before: Before::<T>::Status(before), now });
    }

    /// Records the new value of a field.
    #[inline(never)]
    fn set(&mut self, cause: RecordId, subject: SubjectId, field: Field, raw: Raw<'_>) {
        let value = self.value(raw);
        self.push(cause, subject, What::Set { field, value });
    }

    fn time(&mut self, time: Timestamp) -> Symbol {
        if let Some((_, symbol)) = self.last_time.filter(|(last, _)| *last == time) {
            return symbol;
        }
        let symbol = self.trace.symbols.intern(&time.to_string());
        self.last_time = Some((time, symbol));
        symbol
    }

    fn value(&mut self, raw: Raw<'_>) -> Value {
        match raw {
            Raw::Absent => return Value::Absent,
            Raw::Int(n) => return Value::Int(n),
            Raw::Bool(on) => return Value::Bool(on),
            Raw::Text(text) => return Value::Text(self.intern(text)),
            Raw::Time(time) => return Value::Text(self.time(time)),
            _ => {}
        }
        let mut text = std::mem::take(&mut self.text);
        text.clear();
        let _infallible = match raw {
            Raw::Revision(namespace, name) => {
                let number = self.revisions.get(&(namespace.clone(), name.clone())).copied().unwrap_or(0);
                write!(text, "{number}")
            }
            Raw::Condition(status, reason) => {
                text.extend([status.name(), "/", reason]);
                Ok(())
            }
            raw => write!(text, "{raw}"),
        };
        let symbol = self.intern(&text);
        self.text = text;
        Value::Text(symbol)
    }
}

/// An object before a write.
enum Before<'a, T: Stored> {
    Nothing,
    /// All that differs may be the status, which this was.
    Status(&'a T::Status),
    Object(&'a T),
}

/// Records what differs, field by field.
struct Difference<'r, 'a, T: Stored> {
    recorder: &'r mut Recorder,
    cause: RecordId,
    subject: SubjectId,
    before: Before<'a, T>,
    now: &'a T,
}

impl<T: Stored> Difference<'_, '_, T> {
    #[expect(clippy::inline_always, reason = "which sort of value a field has is known only where it is read")]
    #[inline(always)]
    fn compare(&mut self, field: Field, old: Raw<'_>, new: Raw<'_>) {
        if !old.is_same(new) {
            self.recorder.set(self.cause, self.subject, field, new);
        }
    }
}

impl<T: Recorded> Fields<T> for Difference<'_, '_, T> {
    #[expect(clippy::inline_always, reason = "which sort of value a field has is known only where it is read")]
    #[inline(always)]
    fn spec(&mut self, field: Field, read: impl for<'a> Fn(&'a T) -> Raw<'a>) {
        let old = match self.before {
            Before::Nothing => Raw::Absent,
            Before::Status(_) => return,
            Before::Object(object) => read(object),
        };
        self.compare(field, old, read(self.now));
    }

    #[expect(clippy::inline_always, reason = "which sort of value a field has is known only where it is read")]
    #[inline(always)]
    fn status(&mut self, field: Field, read: impl for<'a> Fn(&'a T, &'a T::Status) -> Raw<'a>) {
        let old = match self.before {
            Before::Nothing => Raw::Absent,
            Before::Status(status) => read(self.now, status),
            Before::Object(object) => read(object, object.status()),
        };
        self.compare(field, old, read(self.now, self.now.status()));
    }
}
