//! The only output of a run: what was written to the API, what was emitted
//! and why, in order, each record with the record that led to it.
//!
//! Every picture, table and verdict is computed from a [`Trace`], so a trace
//! that was saved gives what the run gave.

mod field;
mod records;
mod text;
mod why;

pub use field::Field;
pub use records::Records;
pub use text::Message;
pub use why::Why;

use crate::api::{Kind, Resources};
use crate::time::{SimTime, Timestamp};
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// Index of a [`Record`] in [`Trace::records`]; `NONE` for no record.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct RecordId(pub u32);

impl RecordId {
    /// Nothing led here: the scenario itself did.
    pub const NONE: RecordId = RecordId(u32::MAX);

    /// This id, or `None` for [`RecordId::NONE`].
    pub fn some(self) -> Option<RecordId> {
        (self != RecordId::NONE).then_some(self)
    }
}

/// Index of a [`Subject`] in [`Trace::subjects`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct SubjectId(pub u32);

/// Index of an interned string in [`Trace::symbols`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Symbol(pub u32);

/// What a record is about.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Subject {
    /// The kind of object.
    pub kind: Kind,
    /// Its namespace; empty for nodes.
    pub namespace: Arc<str>,
    /// A name that says whose it is and does not depend on hashes:
    /// `web` (Deployment), `web/2` (the ReplicaSet of revision 2),
    /// `web/2#0` (its first pod).
    pub name: Arc<str>,
    /// The name in the API, such as `web-bd6f4c9f8-bbbbc`.
    pub api_name: Arc<str>,
    /// The object that controls it.
    pub owner: Option<SubjectId>,
    /// Revision at creation: of a ReplicaSet its own, of a pod its owner's;
    /// 0 where there is none.
    pub revision: u32,
    /// What a node offers or a pod asks for; nothing where that is not known.
    pub room: Resources,
    /// The zone of a node.
    pub zone: Option<Arc<str>>,
}

impl Subject {
    /// `Kind/name`, the way records name it.
    pub fn path(&self) -> String {
        format!("{}/{}", self.kind, self.name)
    }
}

/// The value of a [`Field`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Value {
    /// The field is not there.
    Absent,
    /// A number.
    Int(i64),
    /// True or false.
    Bool(bool),
    /// A string.
    Text(Symbol),
}

impl Value {
    /// The number, if it is one; absent counts as 0.
    pub const fn as_int(self) -> Option<i64> {
        match self {
            Value::Int(n) => Some(n),
            Value::Absent => Some(0),
            _ => None,
        }
    }
}

/// A Kubernetes Event that a controller sent, its message not yet written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Emitted {
    /// `ScalingReplicaSet`: the Deployment set a ReplicaSet's size.
    Scaled {
        /// The ReplicaSet.
        replica_set: SubjectId,
        /// Its size before.
        from: i32,
        /// Its size after.
        to: i32,
    },
    /// `SuccessfulCreate`: a pod was created.
    CreatedPod(SubjectId),
    /// `SuccessfulDelete`: a pod was deleted.
    DeletedPod(SubjectId),
    /// `Scheduled`: the pod was bound to a node.
    Scheduled {
        /// The pod itself.
        pod: SubjectId,
        /// The node.
        node: SubjectId,
    },
    /// Any other: reason and message as they are, and whether it is a warning.
    Other {
        /// The Event's reason.
        reason: Symbol,
        /// Its message.
        message: Symbol,
        /// `type: Warning` instead of `Normal`.
        warning: bool,
    },
}

/// What a pod does before its containers run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stage {
    /// An image is pulled.
    Pulling,
    /// An image could not be pulled, and it is tried again after a while.
    PullBackOff,
    /// An init container runs.
    Init,
    /// An init container has failed, and is started again after a while.
    InitBackOff,
}

impl Stage {
    /// All stages.
    pub const ALL: [Stage; 4] = [Stage::Pulling, Stage::PullBackOff, Stage::Init, Stage::InitBackOff];

    /// Its name in traces.
    pub const fn name(self) -> &'static str {
        match self {
            Stage::Pulling => "pulling",
            Stage::PullBackOff => "pullBackOff",
            Stage::Init => "init",
            Stage::InitBackOff => "initBackOff",
        }
    }
}

/// What happened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum What {
    /// The object was created. For other kinds than pods its fields follow
    /// as [`What::Set`] records of the same instant.
    Created,
    /// The object was removed from the API (of pods: [`What::Removed`]).
    Deleted,
    /// A field got a new value (all kinds but pods).
    Set {
        /// The field.
        field: Field,
        /// Its new value.
        value: Value,
    },
    /// Pod: the scheduler found no node.
    Unschedulable,
    /// Pod: schedulers leave it alone as long as it has these gates.
    Gated {
        /// Their names, with spaces between them.
        gates: Symbol,
    },
    /// Pod: its last scheduling gate was taken away.
    Ungated,
    /// Pod: bound to a node.
    Bound {
        /// The node.
        node: SubjectId,
    },
    /// Pod: it waits on its node for its disks.
    Attaching,
    /// Pod: all its disks are there.
    Attached,
    /// Pod: the name that a headless Service gives it answers.
    Named,
    /// Pod: that name answers no more.
    Unnamed,
    /// Pod: its application accepts requests from now on and serves them.
    Answers,
    /// Pod: its application runs and does not serve requests, or has ended.
    Silent,
    /// Pod: on its way to running, it has come to something that takes time.
    Stage {
        /// To what.
        stage: Stage,
        /// The image or the init container that it is about.
        name: Symbol,
    },
    /// Pod: its container was ended by force, its grace was over.
    Killed,
    /// Pod: requests for a Service go to it from now on.
    Routable {
        /// The Service.
        service: SubjectId,
    },
    /// Pod: they go to it no more.
    Unroutable {
        /// The Service.
        service: SubjectId,
    },
    /// Pod: its containers run.
    Running,
    /// Pod: became ready.
    Ready,
    /// Pod: stopped being ready while running.
    Unready,
    /// Pod: a container was started again in place.
    Restarted {
        /// Restarts so far.
        count: u32,
    },
    /// Pod: the `DisruptionTarget` condition became true.
    DisruptionTarget {
        /// Its reason.
        reason: Symbol,
    },
    /// Pod: deletion was asked for.
    Deleting {
        /// The grace period.
        grace_seconds: u32,
    },
    /// Pod: ended well.
    Succeeded {
        /// The exit code.
        exit_code: i32,
    },
    /// Pod: ended badly.
    Failed {
        /// The exit code, if a container was there to exit.
        exit_code: Option<i32>,
        /// `status.reason`.
        reason: Option<Symbol>,
    },
    /// Pod: gone from the API.
    Removed,
    /// A controller sent a Kubernetes Event about the object.
    Emitted(Emitted),
    /// A controller decided something about the object.
    Decided(Why),
    /// A scenario action touched the object: index into [`Header::actions`].
    Action(u32),
    /// The API server refused a scenario action.
    Rejected {
        /// Index into [`Header::actions`], or of the object if `object`.
        action: u32,
        /// Whether `action` counts the initial objects instead.
        object: bool,
        /// The status reason, such as `Invalid`.
        reason: Symbol,
        /// The API server's text.
        message: Symbol,
    },
    /// A component's wall clock: a new one, or one that was set. Until the
    /// next such record it gains `drift_ppb` nanoseconds a second.
    Clock {
        /// Such as `controllerManager` or `node/a-1`.
        component: Symbol,
        /// Nanoseconds ahead of true time; negative if it is behind.
        offset_ns: i64,
        /// Billionths that it runs too fast; negative if too slow.
        drift_ppb: i32,
    },
    /// A component stops (or stands still) or runs again.
    Process {
        /// Such as `apiServer`.
        component: Symbol,
        /// Whether it runs from now on.
        runs: bool,
    },
    /// Pod: its work had an effect outside the cluster.
    Wrote {
        /// What was written: two writes of one key are a duplicate.
        key: Symbol,
    },
    /// Pod: its run was cut off before it had this effect.
    Lost {
        /// What would have been written.
        key: Symbol,
    },
}

impl What {
    /// The name of the event in trace files and recordings, such as `ready`.
    pub const fn event(self) -> &'static str {
        match self {
            What::Created => "created",
            What::Deleted => "deleted",
            What::Set { .. } => "changed",
            What::Unschedulable => "unschedulable",
            What::Gated { .. } => "gated",
            What::Ungated => "ungated",
            What::Bound { .. } => "bound",
            What::Attaching => "attaching",
            What::Attached => "attached",
            What::Named => "named",
            What::Unnamed => "unnamed",
            What::Answers => "answers",
            What::Silent => "silent",
            What::Stage { .. } => "stage",
            What::Killed => "killed",
            What::Routable { .. } => "routable",
            What::Unroutable { .. } => "unroutable",
            What::Running => "running",
            What::Ready => "ready",
            What::Unready => "unready",
            What::Restarted { .. } => "restarted",
            What::DisruptionTarget { .. } => "disruptionTarget",
            What::Deleting { .. } => "deleting",
            What::Succeeded { .. } => "succeeded",
            What::Failed { .. } => "failed",
            What::Removed => "removed",
            What::Emitted(_) => "emitted",
            What::Decided(_) => "decided",
            What::Action(_) => "action",
            What::Rejected { .. } => "rejected",
            What::Clock { .. } => "clock",
            What::Process { .. } => "process",
            What::Wrote { .. } => "wrote",
            What::Lost { .. } => "lost",
        }
    }
}

/// One thing that happened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Record {
    /// When.
    pub at: SimTime,
    /// The record that led to this one.
    pub cause: RecordId,
    /// To what.
    pub subject: SubjectId,
    /// What.
    pub what: What,
}

/// What a reader of the trace must know beside its records.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Header {
    /// The wall time at [`SimTime::ZERO`].
    pub start: Timestamp,
    /// Where the run ended.
    pub until: SimTime,
    /// The seed of all random draws.
    pub seed: u64,
    /// A title for pictures.
    pub title: String,
    /// The actions of the scenario: when, and in words
    /// (`setImage deployment/web app=app:v2`). The timed ones in order of time,
    /// then those that followed from what happened, as they came up.
    pub actions: Vec<(SimTime, String)>,
    /// What waited for something: what it was, and when that came.
    pub triggers: Vec<(String, Option<SimTime>)>,
    /// What was assumed because nobody said it, a sentence each.
    pub assumptions: Vec<String>,
    /// Version and feature gates, where they are not the default ones:
    /// `v1.35.2 MaxUnavailableStatefulSet=false`.
    pub kubernetes: String,
}

/// Interned strings.
#[derive(Clone, Debug, Default)]
pub struct Symbols {
    names: Vec<Arc<str>>,
    ids: FxHashMap<Arc<str>, u32>,
}

impl Symbols {
    /// The symbol of a string, made if need be.
    pub fn intern(&mut self, text: &str) -> Symbol {
        if let Some(&id) = self.ids.get(text) {
            return Symbol(id);
        }
        let (id, name): (u32, Arc<str>) = (self.names.len() as u32, text.into());
        self.names.push(name.clone());
        self.ids.insert(name, id);
        Symbol(id)
    }

    /// Forgets all strings. What records refer to must be gone too.
    pub(crate) fn clear(&mut self) {
        self.names.clear();
        self.ids.clear();
    }

    /// The string of a symbol.
    pub fn get(&self, symbol: Symbol) -> &str {
        &self.names[symbol.0 as usize]
    }
}

/// A whole run, or the newest stretch of one that is streamed.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    /// What the records do not say.
    pub header: Header,
    /// What the records are about, in order of creation.
    pub subjects: Vec<Subject>,
    /// What happened, in order.
    pub records: Records,
    /// The strings that records refer to.
    pub symbols: Symbols,
    /// How many records there were before the first of [`Trace::records`]:
    /// 0 unless the run is [streamed](crate::sim::stream).
    pub before: u32,
}

impl Trace {
    /// The subject of a record.
    pub fn subject(&self, id: SubjectId) -> &Subject {
        &self.subjects[id.0 as usize]
    }

    /// Adds a record and says which it is.
    pub fn push(&mut self, at: SimTime, cause: RecordId, subject: SubjectId, what: What) -> RecordId {
        let id = RecordId(self.before + self.records.len() as u32);
        self.records.push(Record { at, cause, subject, what });
        id
    }

    /// A record by its id, if there is one.
    pub fn record(&self, id: RecordId) -> Option<&Record> {
        self.records.get(id.0.checked_sub(self.before)? as usize)
    }

    /// The record and what led to it, latest first, as far back as the
    /// records go.
    pub fn why_chain(&self, id: RecordId) -> Vec<RecordId> {
        let mut chain = Vec::new();
        let mut next = id.some();
        while let Some((id, record)) = next.and_then(|id| Some((id, self.record(id)?))) {
            chain.push(id);
            next = record.cause.some();
        }
        chain
    }
}
