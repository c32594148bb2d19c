//! From a trace to its lines.

use super::VERSION;
use super::lines::{ActionLine, HeaderLine, RecordLine, SubjectLine, TriggerLine};
use crate::api::Kind;
use crate::trace::{Emitted, Message, Record, RecordId, Subject, SubjectId, Symbol, Trace, Value, What, Why};
use rustc_hash::FxHashMap;
use serde::Serialize;
use std::borrow::Cow;
use std::io::{self, Write};

/// How many bytes are collected before they are handed on.
const CHUNK: usize = 64 * 1024;

/// Writes a trace as JSON Lines.
///
/// The output is handed on in large pieces, so `out` need not be buffered; it
/// is flushed at the end, so that a full disk is noticed here and not later.
///
/// # Errors
/// Whatever `out` answers.
pub fn write(trace: &Trace, out: &mut impl Write) -> io::Result<()> {
    let mut buffer = Vec::with_capacity(CHUNK + 1024);
    push_line(&mut buffer, &header(trace))?;
    let mut names = Names { trace, introduced: 0, latest: FxHashMap::default() };
    for (i, record) in trace.records.iter().enumerate() {
        names.introduce(highest_subject(record), &mut buffer)?;
        names.record(RecordId(i as u32), record, &mut buffer)?;
        if buffer.len() >= CHUNK {
            out.write_all(&buffer)?;
            buffer.clear();
        }
    }
    names.introduce(trace.subjects.len(), &mut buffer)?;
    out.write_all(&buffer)?;
    out.flush()
}

/// One record as it stands in a trace file, without the line's end; `None` if
/// there is no such record.
pub fn line(trace: &Trace, id: RecordId) -> Option<String> {
    let record = trace.record(id)?;
    let mut names = Names { trace, introduced: 0, latest: FxHashMap::default() };
    names.know(highest_subject(record));
    names.line(id, record)
}

/// The lines of all records, in order.
pub(super) fn lines(trace: &Trace) -> impl Iterator<Item = String> + '_ {
    let mut names = Names { trace, introduced: 0, latest: FxHashMap::default() };
    trace.records.iter().enumerate().filter_map(move |(i, record)| {
        names.know(highest_subject(record));
        names.line(RecordId(i as u32), record)
    })
}

fn push_line(buffer: &mut Vec<u8>, line: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *buffer, line)?;
    buffer.push(b'\n');
    Ok(())
}

fn header(trace: &Trace) -> HeaderLine<'_> {
    let header = &trace.header;
    let action =
        |(at, text): &'_ (crate::time::SimTime, String)| ActionLine { t_ns: at.0, action: text.clone().into() };
    let trigger = |(name, at): &'_ (String, Option<crate::time::SimTime>)| TriggerLine {
        trigger: name.clone().into(),
        t_ns: at.map(|at| at.0),
    };
    HeaderLine {
        seatrial: "trace".into(),
        version: VERSION,
        start: header.start.to_string(),
        until_ns: header.until.0,
        seed: header.seed,
        title: header.title.as_str().into(),
        actions: header.actions.iter().map(action).collect(),
        triggers: header.triggers.iter().map(trigger).collect(),
        assumptions: header.assumptions.as_slice().into(),
        kubernetes: header.kubernetes.as_str().into(),
        subjects: trace.subjects.len(),
        records: trace.records.len(),
    }
}

/// One more than the highest number of a subject that a record names.
fn highest_subject(record: &Record) -> usize {
    let other = match record.what {
        What::Bound { node } | What::Emitted(Emitted::Scheduled { node, .. }) => node.0,
        What::Routable { service } | What::Unroutable { service } => service.0,
        What::Emitted(Emitted::Scaled { replica_set, .. }) => replica_set.0,
        What::Emitted(Emitted::CreatedPod(pod) | Emitted::DeletedPod(pod)) => pod.0,
        _ => 0,
    };
    record.subject.0.max(other) as usize + 1
}

/// The namespace that a record's line does not mention.
pub(super) fn usual_namespace(path: &str) -> &'static str {
    if path.starts_with("Node/") { "" } else { "default" }
}

/// A decision's line: the common fields, then its own.
#[derive(Serialize)]
struct DecidedLine<'a> {
    #[serde(flatten)]
    record: RecordLine<'a>,
    #[serde(flatten)]
    why: Why,
}

/// Knows which subject a path means at this point of the file.
struct Names<'a> {
    trace: &'a Trace,
    introduced: usize,
    latest: FxHashMap<(Kind, &'a str, &'a str), u32>,
}

impl<'a> Names<'a> {
    /// Writes the lines of all subjects below `count` that have none yet.
    fn introduce(&mut self, count: usize, buffer: &mut Vec<u8>) -> io::Result<()> {
        for i in self.introduced..count.min(self.trace.subjects.len()) {
            let subject = &self.trace.subjects[i];
            push_line(buffer, &subject_line(i as u32, subject))?;
        }
        self.know(count);
        Ok(())
    }

    fn know(&mut self, count: usize) {
        let trace = self.trace;
        while self.introduced < count.min(trace.subjects.len()) {
            let subject = &trace.subjects[self.introduced];
            let path = (subject.kind, &*subject.namespace, &*subject.name);
            self.latest.insert(path, self.introduced as u32);
            self.introduced += 1;
        }
    }

    /// The number, if the path alone would mean another subject.
    fn number(&self, id: SubjectId, kind: Kind, namespace: &str) -> Option<u32> {
        let name = &*self.trace.subject(id).name;
        (self.latest.get(&(kind, namespace, name)) != Some(&id.0)).then_some(id.0)
    }

    fn record(&self, id: RecordId, record: &Record, buffer: &mut Vec<u8>) -> io::Result<()> {
        let mut line = self.common(id, record);
        match record.what {
            What::Decided(why) => push_line(buffer, &DecidedLine { record: line, why }),
            what => {
                self.fill(&mut line, record.subject, what);
                push_line(buffer, &line)
            }
        }
    }

    fn line(&self, id: RecordId, record: &Record) -> Option<String> {
        let mut buffer = Vec::new();
        self.record(id, record, &mut buffer).ok()?;
        buffer.pop();
        String::from_utf8(buffer).ok()
    }

    fn common(&self, id: RecordId, record: &Record) -> RecordLine<'a> {
        let subject = self.trace.subject(record.subject);
        let path = subject.path();
        let usual = usual_namespace(&path) == &*subject.namespace;
        RecordLine {
            n: Some(id.0),
            t_ns: record.at.0,
            object: path.into(),
            namespace: (!usual).then(|| Cow::Borrowed(&*subject.namespace)),
            subject: self.number(record.subject, subject.kind, &subject.namespace),
            event: record.what.event().into(),
            cause: record.cause.some().map(|c| c.0),
            ..RecordLine::default()
        }
    }

    fn fill(&self, line: &mut RecordLine<'a>, subject: SubjectId, what: What) {
        match what {
            What::Set { field, value } => {
                line.field = Some(field.name().into());
                line.value = Some(self.value(value));
            }
            What::Bound { node } => {
                line.node = Some((&*self.trace.subject(node).name).into());
                line.reference = self.number(node, Kind::Node, "");
            }
            What::Routable { service } | What::Unroutable { service } => {
                let Subject { name, namespace, .. } = self.trace.subject(service);
                line.service = Some((&**name).into());
                line.reference = self.number(service, Kind::Service, namespace);
            }
            What::Restarted { count } => line.restart_count = Some(count),
            What::DisruptionTarget { reason } => line.reason = Some(self.text(reason)),
            What::Deleting { grace_seconds } => line.grace_seconds = Some(grace_seconds),
            What::Succeeded { exit_code } => line.exit_code = Some(exit_code),
            What::Failed { exit_code, reason } => {
                line.exit_code = exit_code;
                line.reason = reason.map(|r| self.text(r));
            }
            What::Emitted(emitted) => self.fill_emitted(line, subject, emitted),
            What::Action(action) => {
                line.action = Some(action);
                let texts = &self.trace.header.actions;
                line.what = texts.get(action as usize).map(|(_, text)| text.as_str().into());
            }
            What::Rejected { action, object, reason, message } => {
                line.action = Some(action);
                line.initial = object.then_some(true);
                line.reason = Some(self.text(reason));
                line.message = Some(self.text(message));
            }
            What::Clock { component, offset_ns, drift_ppb } => {
                line.component = Some(self.text(component));
                (line.offset_ns, line.drift_ppb) = (Some(offset_ns), Some(drift_ppb));
            }
            What::Process { component, runs } => {
                line.component = Some(self.text(component));
                line.runs = Some(runs);
            }
            What::Stage { stage, name } => {
                line.stage = Some(stage.name().into());
                line.key = Some(self.text(name));
            }
            What::Gated { gates: key } | What::Wrote { key } | What::Lost { key } => line.key = Some(self.text(key)),
            What::Created
            | What::Deleted
            | What::Unschedulable
            | What::Ungated
            | What::Attaching
            | What::Attached
            | What::Named
            | What::Unnamed
            | What::Answers
            | What::Silent
            | What::Killed
            | What::Running
            | What::Ready
            | What::Unready
            | What::Removed
            | What::Decided(_) => {}
        }
    }

    fn fill_emitted(&self, line: &mut RecordLine<'a>, subject: SubjectId, emitted: Emitted) {
        let namespace = &*self.trace.subject(subject).namespace;
        let Message { reason, message, warning } = self.trace.message(&emitted);
        line.reason = Some(reason.into());
        line.message = Some(message.into());
        line.event_type = Some(if warning { "Warning" } else { "Normal" }.into());
        match emitted {
            Emitted::Scaled { replica_set, from, to } => {
                line.replica_set = Some((&*self.trace.subject(replica_set).name).into());
                line.reference = self.number(replica_set, Kind::ReplicaSet, namespace);
                (line.from, line.to) = (Some(from), Some(to));
            }
            Emitted::CreatedPod(pod) | Emitted::DeletedPod(pod) => {
                line.pod = Some((&*self.trace.subject(pod).name).into());
                line.reference = self.number(pod, Kind::Pod, namespace);
            }
            // The pod is what the record is about.
            Emitted::Scheduled { node, .. } => {
                line.node = Some((&*self.trace.subject(node).name).into());
                line.reference = self.number(node, Kind::Node, "");
            }
            Emitted::Other { .. } => {}
        }
    }

    fn text(&self, symbol: Symbol) -> Cow<'a, str> {
        self.trace.symbols.get(symbol).into()
    }

    fn value(&self, value: Value) -> serde_json::Value {
        match value {
            Value::Absent => serde_json::Value::Null,
            Value::Int(number) => number.into(),
            Value::Bool(truth) => truth.into(),
            Value::Text(symbol) => self.trace.symbols.get(symbol).into(),
        }
    }
}

fn subject_line(number: u32, subject: &Subject) -> SubjectLine<'_> {
    SubjectLine {
        subject: number,
        kind: subject.kind.name().into(),
        namespace: (&*subject.namespace).into(),
        name: (&*subject.name).into(),
        api_name: (&*subject.api_name).into(),
        owner: subject.owner.map(|o| o.0),
        revision: subject.revision,
        room: [subject.room.cpu_milli, subject.room.memory_milli, subject.room.pods],
        zone: subject.zone.as_deref().unwrap_or_default().into(),
    }
}
