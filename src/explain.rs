//! Records in plain words: what happened, and why.
//!
//! `seatrial explain` prints what [`chain`] says about a record that [`find`]
//! found.

mod disruption;
mod fields;
mod nodes;
mod reasons;
mod search;
mod traffic;

pub use reasons::{Reason, reason};
pub use search::find;

use crate::api::Kind;
use crate::time::Span;
use crate::trace::{Emitted, Field, Record, RecordId, Stage, Subject, SubjectId, Symbol, Trace, Value, What};

/// `pod web/2#0`, `Deployment web`, `node node-a`: kinds that are everyday
/// words are written like them.
pub(crate) fn called(subject: &Subject) -> String {
    match subject.kind {
        Kind::Pod => format!("pod {}", subject.name),
        Kind::Node => format!("node {}", subject.name),
        kind => format!("{kind} {}", subject.name),
    }
}

impl Trace {
    /// A record as one sentence without its time: `pod web/2#0 became ready`.
    pub fn describe(&self, record: &Record) -> String {
        let subject = self.called(record.subject);
        match record.what {
            What::Created => format!("{subject} was created"),
            What::Deleted | What::Removed => format!("{subject} is gone"),
            What::Set { field, value } => self.describe_change(&subject, field, value),
            What::Unschedulable => format!("{subject} fits on no node"),
            What::Gated { gates } => format!("{subject} waits for its scheduling gates: {}", self.text(gates)),
            What::Ungated => format!("the last scheduling gate of {subject} was taken away"),
            What::Bound { node } => format!("{subject} was bound to {}", self.called(node)),
            What::Attaching => format!("{subject} waits for its disks"),
            What::Attached => format!("{subject} has its disks"),
            What::Named => format!("the name of {subject} answers"),
            What::Unnamed => format!("the name of {subject} answers no more"),
            What::Answers => format!("{subject} serves requests"),
            What::Silent => format!("{subject} does not serve requests"),
            What::Stage { stage, name } => {
                let name = self.text(name);
                match stage {
                    Stage::Pulling => format!("{subject} pulls the image {name}"),
                    Stage::PullBackOff => format!("{subject} waits before it pulls {name} again"),
                    Stage::Init => format!("{subject} runs its init container {name}"),
                    Stage::InitBackOff => format!("{subject} waits before it starts its init container {name} again"),
                }
            }
            What::Killed => format!("{subject} was killed: its grace was over"),
            What::Routable { service } => format!("requests for {} go to {subject}", self.called(service)),
            What::Unroutable { service } => format!("requests for {} go to {subject} no more", self.called(service)),
            What::Running => format!("{subject} started"),
            What::Ready => format!("{subject} became ready"),
            What::Unready => format!("{subject} stopped being ready"),
            What::Restarted { count: 1 } => format!("{subject} was restarted in place"),
            What::Restarted { count } => {
                format!("{subject} was restarted in place, the {} time", ordinal(count))
            }
            What::DisruptionTarget { reason } => {
                format!("{subject} was marked for disruption ({})", self.text(reason))
            }
            What::Deleting { grace_seconds: 0 } => format!("{subject} was deleted without grace"),
            What::Deleting { grace_seconds } => {
                format!("{subject} was asked to go within {grace_seconds} s")
            }
            What::Succeeded { exit_code } => format!("{subject} succeeded (exit code {exit_code})"),
            What::Failed { exit_code, reason } => {
                let code = exit_code.map(|code| format!("exit code {code}"));
                let reason = reason.map(|r| self.text(r).to_string());
                let details: Vec<String> = code.into_iter().chain(reason).collect();
                if details.is_empty() {
                    format!("{subject} failed")
                } else {
                    format!("{subject} failed ({})", details.join(", "))
                }
            }
            What::Emitted(emitted) => self.describe_emitted(&subject, emitted),
            What::Decided(why) => {
                let Reason { text, upstream } = reason(why);
                format!("{subject}: {text} [{upstream}]")
            }
            What::Action(action) => format!("somebody: {}", self.action_text(action)),
            What::Rejected { action, object, reason, message } => {
                let what =
                    if object { format!("applying object {action}") } else { self.action_text(action).to_string() };
                let (reason, message) = (self.text(reason), self.text(message));
                format!("the API server refused {what}: {reason}: {message}")
            }
            What::Clock { component, offset_ns, drift_ppb } => {
                describe_clock(self.text(component), offset_ns, drift_ppb)
            }
            What::Process { component, runs: true } => format!("{} runs again", self.text(component)),
            What::Process { component, runs: false } => format!("{} stopped", self.text(component)),
            What::Wrote { key } => format!("{subject} wrote {}", self.text(key)),
            What::Lost { key } => format!("{subject} was cut off before it wrote {}", self.text(key)),
        }
    }

    fn called(&self, id: SubjectId) -> String {
        called(self.subject(id))
    }

    fn text(&self, symbol: Symbol) -> &str {
        self.symbols.get(symbol)
    }

    fn action_text(&self, action: u32) -> &str {
        let text = self.header.actions.get(action as usize).map(|(_, text)| text.as_str());
        text.unwrap_or("an action")
    }

    fn describe_change(&self, subject: &str, field: Field, value: Value) -> String {
        let value = match value {
            Value::Absent => None,
            Value::Int(number) => Some(number.to_string()),
            Value::Bool(truth) => Some(truth.to_string()),
            Value::Text(symbol) => Some(self.text(symbol).to_string()),
        };
        fields::describe(subject, field, value.as_deref())
    }

    fn describe_emitted(&self, subject: &str, emitted: Emitted) -> String {
        match emitted {
            Emitted::Scaled { replica_set, from, to } => {
                let way = if to > from { "up" } else { "down" };
                format!("{subject} scaled {} {way} from {from} to {to}", self.called(replica_set))
            }
            Emitted::CreatedPod(pod) => format!("{subject} created {}", self.called(pod)),
            Emitted::DeletedPod(pod) => format!("{subject} deleted {}", self.called(pod)),
            Emitted::Scheduled { node, .. } => format!("{subject} was assigned to {}", self.called(node)),
            Emitted::Other { reason, message, .. } => {
                format!("{subject} reports {}: {}", self.text(reason), self.text(message))
            }
        }
    }
}

/// `the clock of node/a-1 is 1m ahead, 50 ppm fast`.
fn describe_clock(component: &str, offset_ns: i64, drift_ppb: i32) -> String {
    let apart = Span(offset_ns.unsigned_abs());
    let offset = match offset_ns {
        0 => "right".to_string(),
        1.. => format!("{apart} ahead"),
        _ => format!("{apart} behind"),
    };
    let rate = match drift_ppb {
        0 => String::new(),
        1.. => format!(", {} ppm fast", f64::from(drift_ppb) / 1000.0),
        _ => format!(", {} ppm slow", -f64::from(drift_ppb) / 1000.0),
    };
    format!("the clock of {component} is {offset}{rate}")
}

fn ordinal(n: u32) -> String {
    let suffix = match (n % 10, n % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{n}{suffix}")
}

/// A record and what led to it, a line each, the record first and its causes
/// below it, with times and numbers:
///
/// ```text
/// 1m20s  #242  pod web/1#7 was asked to go within 30 s
/// 1m20s  #238    because ReplicaSet web/1: 5 pods too many: have 8, want 3 […]
/// 1m     #61     because somebody: set image deployment/web app:v2
/// ```
///
/// Empty if there is no such record.
pub fn chain(trace: &Trace, id: RecordId) -> Vec<String> {
    if trace.record(id).is_none() {
        return Vec::new();
    }
    let ids = trace.why_chain(id);
    let row = |(i, id): (usize, &RecordId)| {
        let record = &trace.records[id.0 as usize];
        let because = if i == 0 { "" } else { "  because " };
        let text = format!("{because}{}", trace.describe(record));
        (record.at.to_string(), format!("#{}", id.0), text)
    };
    let rows: Vec<(String, String, String)> = ids.iter().enumerate().map(row).collect();
    let times = rows.iter().map(|r| r.0.len()).max().unwrap_or(0);
    let numbers = rows.iter().map(|r| r.1.len()).max().unwrap_or(0);
    rows.into_iter().map(|(at, number, text)| format!("{at:<times$}  {number:<numbers$}  {text}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinals_are_english() {
        for (n, text) in [(1, "1st"), (2, "2nd"), (3, "3rd"), (11, "11th"), (112, "112th"), (21, "21st")] {
            assert_eq!(ordinal(n), text);
        }
    }
}
