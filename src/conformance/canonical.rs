//! Our trace in the form of a recording.
//!
//! A recording does not tell the writes within one millisecond apart: of all
//! objects but pods it says how the state before the first write differs from
//! the state after the last. Pods are recorded write by write.

use super::entry::{Entry, Sent};
use crate::api::Kind;
use crate::trace::{Field, Record, RecordId, SubjectId, Trace, Value, What};
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// An entry made from our trace, and the last record it was made from.
#[derive(Clone, PartialEq, Debug)]
pub struct Found {
    /// The entry.
    pub entry: Entry,
    /// The record to explain it by.
    pub record: RecordId,
}

/// A Kubernetes Event in our trace, and its record.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FoundSent {
    /// The Event.
    pub sent: Sent,
    /// Its record.
    pub record: RecordId,
}

/// The entries of a trace, sorted as recordings are.
///
/// `actions` names the scenario's actions as recordings do
/// (`setImage Deployment/web`), by their index in the setup.
///
/// Nodes that are there from the beginning are not created in a trace. What
/// their fields were is not known, so the first value is always a change.
pub fn entries(trace: &Trace, actions: &[String]) -> Vec<Found> {
    let mut collector = Collector {
        trace,
        actions,
        fields: vec![BTreeMap::new(); trace.subjects.len()],
        known: vec![false; trace.subjects.len()],
        pending: BTreeMap::new(),
        found: Vec::new(),
    };
    let mut now = 0;
    for (i, record) in trace.records.iter().enumerate() {
        let t_ms = record.at.as_ms();
        if t_ms != now {
            collector.flush(now);
            now = t_ms;
        }
        collector.take(RecordId(i as u32), record);
    }
    collector.flush(now);
    let mut found = collector.found;
    found.sort_by(|a, b| a.entry.sort_key().cmp(&b.entry.sort_key()));
    found
}

/// The Kubernetes Events of a trace, in the order of sending.
pub fn sent(trace: &Trace) -> Vec<FoundSent> {
    let emitted = trace.records.iter().enumerate().filter_map(|(i, record)| match &record.what {
        What::Emitted(emitted) => Some((i, record, trace.message(emitted))),
        _ => None,
    });
    emitted
        .map(|(i, record, said)| FoundSent {
            sent: Sent {
                t_ms: record.at.as_ms(),
                object: trace.subject(record.subject).path(),
                type_name: said.type_name().to_string(),
                reason: said.reason,
                message: said.message,
            },
            record: RecordId(i as u32),
        })
        .collect()
}

/// What happened to one object within the millisecond.
struct Pending {
    created: bool,
    deleted: bool,
    /// The fields that were written, with their values before if known.
    before: BTreeMap<Field, Option<Value>>,
    last: RecordId,
}

struct Collector<'a> {
    trace: &'a Trace,
    actions: &'a [String],
    /// Per subject the current values.
    fields: Vec<BTreeMap<Field, Value>>,
    /// Per subject whether it was created in the trace, so that a field not
    /// yet written was not there.
    known: Vec<bool>,
    pending: BTreeMap<SubjectId, Pending>,
    found: Vec<Found>,
}

impl Collector<'_> {
    fn take(&mut self, id: RecordId, record: &Record) {
        let subject = self.trace.subject(record.subject);
        if subject.kind == Kind::Pod
            && let Some(entry) = pod_entry(self.trace, record)
        {
            self.found.push(Found { entry, record: id });
            return;
        }
        match record.what {
            What::Created => {
                self.known[record.subject.0 as usize] = true;
                self.pending(record.subject, id).created = true;
            }
            What::Deleted => self.pending(record.subject, id).deleted = true,
            What::Set { field, value } => self.set(id, record, field, value),
            What::Rejected { action, object, reason, message } => {
                let entry = Entry::new(record.at.as_ms(), self.action_name(action, object), "rejected")
                    .with("reason", self.trace.symbols.get(reason))
                    .with("message", self.trace.symbols.get(message));
                self.found.push(Found { entry, record: id });
            }
            _ => {}
        }
    }

    fn set(&mut self, id: RecordId, record: &Record, field: Field, value: Value) {
        let slot = record.subject.0 as usize;
        let before = self.fields[slot].insert(field, value);
        let before = before.or_else(|| self.known[slot].then_some(Value::Absent));
        if field.is_api() {
            self.pending(record.subject, id).before.entry(field).or_insert(before);
        }
    }

    fn pending(&mut self, subject: SubjectId, record: RecordId) -> &mut Pending {
        let pending = self.pending.entry(subject).or_insert(Pending {
            created: false,
            deleted: false,
            before: BTreeMap::new(),
            last: record,
        });
        pending.last = record;
        pending
    }

    /// Turns what happened within the millisecond into entries.
    fn flush(&mut self, t_ms: u64) {
        for (subject, pending) in std::mem::take(&mut self.pending) {
            let object = self.trace.subject(subject).path();
            let event = match (pending.created, pending.deleted) {
                (true, true) => "created+deleted",
                (false, true) => "deleted",
                (true, false) => "created",
                (false, false) => "changed",
            };
            let entry = Entry::new(t_ms, object, event);
            let record = pending.last;
            if pending.deleted {
                self.found.push(Found { entry, record });
                continue;
            }
            let set = self.difference(subject, &pending.before);
            if pending.created || !set.is_empty() {
                self.found.push(Found { entry: entry.with_set(set), record });
            }
        }
    }

    fn difference(&self, subject: SubjectId, before: &BTreeMap<Field, Option<Value>>) -> BTreeMap<String, Json> {
        let now = &self.fields[subject.0 as usize];
        let changed = before.iter().filter_map(|(&field, &old)| {
            let new = now.get(&field).copied().unwrap_or(Value::Absent);
            let same = old.is_some_and(|old| old == new || (is_nothing(field, old) && is_nothing(field, new)));
            (!same).then(|| (field.name().to_string(), self.json(field, new)))
        });
        changed.collect()
    }

    fn json(&self, field: Field, value: Value) -> Json {
        match value {
            Value::Int(n) if !is_nothing(field, value) => n.into(),
            Value::Bool(true) => true.into(),
            Value::Text(symbol) => self.trace.symbols.get(symbol).into(),
            Value::Int(_) | Value::Bool(false) | Value::Absent => Json::Null,
        }
    }

    fn action_name(&self, action: u32, object: bool) -> String {
        if object {
            return format!("Action/apply object {action}");
        }
        let name = self.actions.get(action as usize).map_or("?", String::as_str);
        format!("Action/{name}")
    }
}

/// Whether a value is as good as not there: in a status, zero, false and
/// absent are the same.
fn is_nothing(field: Field, value: Value) -> bool {
    match value {
        Value::Absent | Value::Bool(false) => true,
        Value::Int(0) => !field.keeps_zero(),
        Value::Int(_) | Value::Bool(true) | Value::Text(_) => false,
    }
}

/// The entry of a pod's record, if it is one that recordings have.
fn pod_entry(trace: &Trace, record: &Record) -> Option<Entry> {
    let symbol = |s| trace.symbols.get(s);
    let entry = |event| Entry::new(record.at.as_ms(), trace.subject(record.subject).path(), event);
    Some(match record.what {
        What::Created => entry("created"),
        What::Unschedulable => entry("unschedulable"),
        What::Bound { node } => entry("bound").with("node", &*trace.subject(node).name),
        What::Running => entry("running"),
        What::Ready => entry("ready"),
        What::Unready => entry("unready"),
        What::Restarted { count } => entry("restarted").with("restartCount", count),
        What::DisruptionTarget { reason } => entry("disruptionTarget").with("reason", symbol(reason)),
        What::Deleting { grace_seconds } => entry("deleting").with("graceSeconds", grace_seconds),
        What::Succeeded { exit_code } => entry("succeeded").with("exitCode", exit_code),
        What::Failed { exit_code, reason } => {
            let with_code = exit_code.into_iter().fold(entry("failed"), |e, code| e.with("exitCode", code));
            reason.into_iter().fold(with_code, |e, r| e.with("reason", symbol(r)))
        }
        What::Removed => entry("removed"),
        What::Deleted
        | What::Gated { .. }
        | What::Ungated
        | What::Attaching
        | What::Attached
        | What::Named
        | What::Unnamed
        | What::Answers
        | What::Silent
        | What::Stage { .. }
        | What::Killed
        | What::Routable { .. }
        | What::Unroutable { .. }
        | What::Set { .. }
        | What::Emitted(_)
        | What::Decided(_)
        | What::Action(_)
        | What::Rejected { .. }
        | What::Clock { .. }
        | What::Process { .. }
        | What::Wrote { .. }
        | What::Lost { .. } => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::super::by_hand::{hand_made, ms};
    use super::*;
    use crate::time::SimTime;

    fn lines(trace: &Trace, actions: &[&str]) -> Vec<String> {
        let actions: Vec<String> = actions.iter().map(ToString::to_string).collect();
        entries(trace, &actions).iter().map(|f| f.entry.to_string()).collect()
    }

    fn set(field: Field, value: Value) -> What {
        What::Set { field, value }
    }

    #[test]
    fn writes_of_one_millisecond_collapse_to_their_difference() {
        let mut trace = hand_made(&["Deployment/web"]);
        let web = SubjectId(0);
        let again = trace.symbols.intern("True/NewReplicaSetAvailable");
        for (at, what) in [
            (ms(0), What::Created),
            (ms(0), set(Field::SpecReplicas, Value::Int(0))),
            (ms(0), set(Field::SpecPaused, Value::Bool(false))),
            (ms(0), set(Field::Replicas, Value::Int(0))),
            (ms(0), set(Field::Replicas, Value::Int(3))),
            (ms(0), set(Field::Replicas, Value::Int(2))),
            (ms(0), set(Field::MaxSurge, Value::Int(2))),
            // Back to where it was: no entry for this millisecond.
            (ms(5), set(Field::Replicas, Value::Int(7))),
            (SimTime(5_900_000), set(Field::Replicas, Value::Int(2))),
            (ms(6), set(Field::Replicas, Value::Int(0))),
            (ms(6), set(Field::ReadyReplicas, Value::Int(0))),
            (ms(6), set(Field::ConditionProgressing, Value::Text(again))),
            (ms(7), set(Field::ConditionProgressing, Value::Absent)),
            (ms(7), set(Field::Deleting, Value::Bool(true))),
            (ms(8), set(Field::SpecReplicas, Value::Int(1))),
            (ms(8), What::Deleted),
        ] {
            trace.push(at, RecordId::NONE, web, what);
        }
        assert_eq!(
            lines(&trace, &[]),
            [
                "0 Deployment/web created spec.replicas=0 status.replicas=2",
                "6 Deployment/web changed condition.Progressing=\"True/NewReplicaSetAvailable\" status.replicas=null",
                "7 Deployment/web changed condition.Progressing=null deleting=true",
                "8 Deployment/web deleted",
            ]
        );
    }

    #[test]
    fn an_object_that_lives_less_than_a_millisecond_is_created_and_deleted() {
        let mut trace = hand_made(&["ReplicaSet/web/1", "ReplicaSet/web/2"]);
        trace.push(ms(3), RecordId::NONE, SubjectId(0), What::Created);
        trace.push(ms(3), RecordId::NONE, SubjectId(0), set(Field::SpecReplicas, Value::Int(1)));
        trace.push(ms(3), RecordId::NONE, SubjectId(0), What::Deleted);
        trace.push(ms(3), RecordId::NONE, SubjectId(1), What::Created);
        assert_eq!(lines(&trace, &[]), ["3 ReplicaSet/web/1 created+deleted", "3 ReplicaSet/web/2 created"]);
        assert_eq!(entries(&trace, &[])[1].entry.set, Some(BTreeMap::new()));
    }

    #[test]
    fn pods_are_recorded_write_by_write_in_order_of_rank() {
        let mut trace = hand_made(&["Pod/web/1#0", "Node/node-a"]);
        let evicted = trace.symbols.intern("Evicted");
        let (pod, node) = (SubjectId(0), SubjectId(1));
        for (at, what) in [
            (0, What::Created),
            (10, What::Bound { node }),
            (10, What::Running),
            (10, What::Ready),
            (20, What::Restarted { count: 1 }),
            (20, What::Unready),
            (30, What::DisruptionTarget { reason: evicted }),
            (30, What::Failed { exit_code: Some(143), reason: None }),
            (30, What::Deleting { grace_seconds: 0 }),
            (30, What::Removed),
            (31, What::Failed { exit_code: None, reason: Some(evicted) }),
            (32, What::Succeeded { exit_code: 0 }),
        ] {
            trace.push(ms(at), RecordId::NONE, pod, what);
        }
        assert_eq!(
            lines(&trace, &[]),
            [
                "0 Pod/web/1#0 created",
                "10 Pod/web/1#0 bound node=\"node-a\"",
                "10 Pod/web/1#0 running",
                "10 Pod/web/1#0 ready",
                "20 Pod/web/1#0 unready",
                "20 Pod/web/1#0 restarted restartCount=1",
                "30 Pod/web/1#0 disruptionTarget reason=\"Evicted\"",
                "30 Pod/web/1#0 deleting graceSeconds=0",
                "30 Pod/web/1#0 failed exitCode=143",
                "30 Pod/web/1#0 removed",
                "31 Pod/web/1#0 failed reason=\"Evicted\"",
                "32 Pod/web/1#0 succeeded exitCode=0",
            ]
        );
    }

    #[test]
    fn the_first_value_of_a_node_of_the_beginning_is_a_change() {
        let mut trace = hand_made(&["Node/node-a", "Node/node-x"]);
        let yes = trace.symbols.intern("True");
        let ready = set(Field::ConditionReady, Value::Text(yes));
        for (at, node, what) in [
            (1, 0, set(Field::Taints, Value::Absent)),
            (2, 0, set(Field::Taints, Value::Absent)),
            (9, 1, What::Created),
            (9, 1, ready),
            (10, 1, set(Field::Taints, Value::Absent)),
        ] {
            trace.push(ms(at), RecordId::NONE, SubjectId(node), what);
        }
        assert_eq!(
            lines(&trace, &[]),
            ["1 Node/node-a changed taints=null", "9 Node/node-x created condition.Ready=\"True\""]
        );
    }

    #[test]
    fn refusals_are_named_after_the_action() {
        let mut trace = hand_made(&["Deployment/web"]);
        let (reason, message) = (trace.symbols.intern("Invalid"), trace.symbols.intern("no"));
        for (action, object) in [(1, false), (0, true)] {
            let what = What::Rejected { action, object, reason, message };
            trace.push(ms(4), RecordId::NONE, SubjectId(0), what);
        }
        assert_eq!(
            lines(&trace, &["scale Deployment/web", "patch Deployment/web"]),
            [
                "4 Action/apply object 0 rejected message=\"no\" reason=\"Invalid\"",
                "4 Action/patch Deployment/web rejected message=\"no\" reason=\"Invalid\"",
            ]
        );
    }

    #[test]
    fn emitted_events_are_kept_apart_from_the_entries() {
        let mut trace = hand_made(&["ReplicaSet/web/1", "Pod/web/1#0"]);
        let what = What::Emitted(crate::trace::Emitted::CreatedPod(SubjectId(1)));
        trace.push(ms(4), RecordId::NONE, SubjectId(0), what);
        assert!(entries(&trace, &[]).is_empty());
        let sent: Vec<String> = sent(&trace).iter().map(|s| s.sent.to_string()).collect();
        assert_eq!(sent, ["4 ReplicaSet/web/1 SuccessfulCreate Created pod: web/1#0"]);
    }
}
