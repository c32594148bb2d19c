//! The words for what stands in a trace: Kubernetes Events as controllers
//! write them, and one line per record for people.

use super::{Emitted, Field, RecordId, Trace, Value, What, Why};

/// A Kubernetes Event with its message written out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Message {
    /// The reason, such as `ScalingReplicaSet`.
    pub reason: String,
    /// The message, with the names that do not depend on hashes.
    pub message: String,
    /// `type: Warning` instead of `Normal`.
    pub warning: bool,
}

impl Message {
    /// `Warning` or `Normal`, as the API spells it.
    pub const fn type_name(&self) -> &'static str {
        if self.warning { "Warning" } else { "Normal" }
    }
}

impl Trace {
    /// Reason, message and type of an emitted Event.
    ///
    /// Upstream: `pkg/controller/deployment/sync.go scaleReplicaSet`,
    /// `pkg/controller/controller_utils.go createPods, DeletePod`
    pub fn message(&self, emitted: &Emitted) -> Message {
        let normal = |reason: &str, message: String| Message {
            reason: reason.to_string(),
            message,
            warning: false,
        };
        match *emitted {
            Emitted::Scaled { replica_set, from, to } => {
                let name = &self.subject(replica_set).name;
                let way = if to < from { "down" } else { "up" };
                normal("ScalingReplicaSet", format!("Scaled {way} replica set {name} from {from} to {to}"))
            }
            Emitted::CreatedPod(pod) => {
                normal("SuccessfulCreate", format!("Created pod: {}", self.subject(pod).name))
            }
            Emitted::DeletedPod(pod) => {
                normal("SuccessfulDelete", format!("Deleted pod: {}", self.subject(pod).name))
            }
            Emitted::Other { reason, message, warning } => Message {
                reason: self.symbols.get(reason).to_string(),
                message: self.symbols.get(message).to_string(),
                warning,
            },
        }
    }

    /// What a record says about its subject, in words, such as
    /// `bound to node-a` or `status.readyReplicas = 2`.
    pub fn describe(&self, what: &What) -> String {
        match *what {
            What::Created => "created".to_string(),
            What::Deleted => "deleted".to_string(),
            What::Set { field, value } => self.describe_set(field, value),
            What::Unschedulable => "unschedulable".to_string(),
            What::Bound { node } => format!("bound to {}", self.subject(node).name),
            What::Running => "running".to_string(),
            What::Ready => "ready".to_string(),
            What::Unready => "not ready".to_string(),
            What::Restarted { count } => format!("restarted ({count})"),
            What::DisruptionTarget { reason } => {
                format!("to be disrupted: {}", self.symbols.get(reason))
            }
            What::Deleting { grace_seconds } => format!("deleting, {grace_seconds} s of grace"),
            What::Succeeded { exit_code } => format!("succeeded (exit {exit_code})"),
            What::Failed { exit_code, reason } => {
                let exit = exit_code.map(|code| format!(" (exit {code})")).unwrap_or_default();
                let reason = reason.map(|r| format!(": {}", self.symbols.get(r))).unwrap_or_default();
                format!("failed{exit}{reason}")
            }
            What::Removed => "removed".to_string(),
            What::Emitted(ref emitted) => {
                let said = self.message(emitted);
                format!("emitted {}: {}", said.reason, said.message)
            }
            What::Decided(ref why) => format!("decided: {}", why.sentence()),
            What::Action(action) => format!("action: {}", self.action_text(action)),
            What::Rejected { action, object, reason, message } => {
                let what = if object { format!("object {action}") } else { self.action_text(action) };
                let (reason, message) = (self.symbols.get(reason), self.symbols.get(message));
                format!("refused {what}: {reason}: {message}")
            }
        }
    }

    /// One line for a record: when, what it is about, what happened.
    pub fn line(&self, id: RecordId) -> String {
        let record = &self.records[id.0 as usize];
        let (subject, what) = (self.subject(record.subject), self.describe(&record.what));
        format!("{} {} {what}", record.at, subject.path())
    }

    fn describe_set(&self, field: Field, value: Value) -> String {
        let name = field.name();
        match value {
            Value::Absent => format!("{name} is gone"),
            Value::Int(n) => format!("{name} = {n}"),
            Value::Bool(b) => format!("{name} = {b}"),
            Value::Text(symbol) => format!("{name} = {}", self.symbols.get(symbol)),
        }
    }

    fn action_text(&self, action: u32) -> String {
        let action = self.header.actions.get(action as usize);
        action.map_or_else(|| "an action".to_string(), |(_, text)| text.clone())
    }
}

impl Why {
    /// The decision and its numbers as a sentence without full stop.
    pub fn sentence(&self) -> String {
        match *self {
            Why::SurgeAllows { all, max_total } => {
                format!("the new ReplicaSet may grow: {all} pods of at most {max_total}")
            }
            Why::ScaleDownBudget { all, min_available, new_unavailable } => format!(
                "old pods may go: {all} pods, {min_available} must stay available, \
                 {new_unavailable} new ones are not available yet"
            ),
            Why::TooFewAvailable { available, min_available } => {
                format!("old pods must stay: {available} available, {min_available} needed")
            }
            Why::Scaling { allowed, all } => {
                format!("every ReplicaSet gets its share: {all} pods, {allowed} allowed")
            }
            Why::NewTemplate { revision } => format!("a new template makes revision {revision}"),
            Why::RecreateStops => "Recreate: the old pods go first".to_string(),
            Why::RecreateWaits => "Recreate: old pods still exist".to_string(),
            Why::RolloutComplete => "the rollout is complete".to_string(),
            Why::Paused => "rollouts are held".to_string(),
            Why::DeadlineExceeded { seconds } => format!("no progress for {seconds} s"),
            Why::HistoryLimit { limit } => format!("only {limit} old ReplicaSets are kept"),
            Why::TooFewPods { have, want } => format!("too few pods: {have} of {want}"),
            Why::TooManyPods { have, want } => format!("too many pods: {have} for {want}"),
            Why::AwaitingExpectations => "earlier writes have not come back through the cache".to_string(),
            Why::JobOver => "the Job is over: its pods go".to_string(),
            Why::JobSuspended => "the Job is suspended: its pods go".to_string(),
            Why::JobBackoff { seconds } => format!("pods failed: no new ones for {seconds} s"),
            Why::PodsEnded { pods: 1 } => "a pod has ended and is counted".to_string(),
            Why::PodsEnded { pods } => format!("{pods} pods have ended and are counted"),
            Why::TtlExpired => "the Job has been finished for ttlSecondsAfterFinished".to_string(),
            Why::OwnerGone => "the owner is gone".to_string(),
            Why::ForegroundDeletion => "foreground deletion: dependents go before the owner".to_string(),
            Why::DependentsGone => "all dependents are gone".to_string(),
            Why::Orphaned => "the owner was deleted and its dependents stay".to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Kind;
    use crate::time::SimTime;
    use crate::trace::{Subject, SubjectId};

    #[test]
    fn messages_read_like_the_controllers_own() {
        let mut trace = Trace::default();
        for (kind, name) in [(Kind::ReplicaSet, "web/1"), (Kind::Pod, "web/1#0")] {
            trace.subjects.push(Subject {
                kind,
                namespace: "default".into(),
                name: name.into(),
                api_name: "web-abc".into(),
                owner: None,
                revision: 1,
            });
        }
        let (set, pod) = (SubjectId(0), SubjectId(1));
        let (reason, message) = (trace.symbols.intern("Odd"), trace.symbols.intern("something odd"));
        for (emitted, kind, said, type_name) in [
            (
                Emitted::Scaled { replica_set: set, from: 0, to: 3 },
                "ScalingReplicaSet",
                "Scaled up replica set web/1 from 0 to 3",
                "Normal",
            ),
            (
                Emitted::Scaled { replica_set: set, from: 3, to: 2 },
                "ScalingReplicaSet",
                "Scaled down replica set web/1 from 3 to 2",
                "Normal",
            ),
            (Emitted::CreatedPod(pod), "SuccessfulCreate", "Created pod: web/1#0", "Normal"),
            (Emitted::DeletedPod(pod), "SuccessfulDelete", "Deleted pod: web/1#0", "Normal"),
            (Emitted::Other { reason, message, warning: true }, "Odd", "something odd", "Warning"),
        ] {
            let got = trace.message(&emitted);
            assert_eq!((&*got.reason, &*got.message, got.type_name()), (kind, said, type_name));
        }
    }

    #[test]
    fn a_line_says_when_who_and_what() {
        let mut trace = Trace::default();
        trace.subjects.push(Subject {
            kind: Kind::Deployment,
            namespace: "default".into(),
            name: "web".into(),
            api_name: "web".into(),
            owner: None,
            revision: 0,
        });
        let set = What::Set { field: Field::SpecReplicas, value: Value::Int(3) };
        let id = trace.push(SimTime::from_ms(20_010), RecordId::NONE, SubjectId(0), set);
        assert_eq!(trace.line(id), "20.01s Deployment/web spec.replicas = 3");
        let why = What::Decided(Why::TooFewAvailable { available: 7, min_available: 8 });
        let id = trace.push(SimTime::from_secs(21), id, SubjectId(0), why);
        assert_eq!(trace.line(id), "21s Deployment/web decided: old pods must stay: 7 available, 8 needed");
    }
}
