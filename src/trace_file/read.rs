//! From lines to a trace, with nothing taken on trust.

use super::VERSION;
use super::lines::{HeaderLine, RecordLine, SubjectLine};
use super::write::usual_namespace;
use crate::api::{Kind, Resources};
use crate::error::{Error, Position, Problem};
use crate::time::{SimTime, Timestamp};
use crate::trace::{Emitted, Field, Header, RecordId, Stage, Subject, SubjectId, Symbol, Trace, Value, What, Why};
use rustc_hash::FxHashMap;
use serde::Deserialize;
use std::io::BufRead;

/// How much of a bad line an error shows.
const SHOWN: usize = 120;

/// Reads a trace that was [written](super::write()) as JSON Lines.
///
/// Objects get the numbers they had; interned strings may get others.
///
/// # Errors
/// One problem with its line, if the input cannot be read, is not a trace, is
/// of another version, is cut off, or contradicts itself.
pub fn read(mut input: impl BufRead) -> Result<Trace, Error> {
    let mut reader = Reader::default();
    let mut line = Vec::new();
    loop {
        line.clear();
        reader.line += 1;
        let length = input.read_until(b'\n', &mut line);
        let length = length.map_err(|e| Problem::new(format!("the trace cannot be read: {e}")))?;
        if length == 0 {
            break;
        }
        let text = line.trim_ascii();
        if !text.is_empty() {
            reader.line(text).map_err(|fault| reader.problem(fault, text))?;
        }
    }
    reader.finish().map_err(|fault| reader.problem(fault, b"").into()).map(|()| reader.trace)
}

/// What is wrong with a line, and where in it if that is known.
#[derive(Debug)]
struct Fault {
    message: String,
    column: usize,
    hint: Option<&'static str>,
}

impl From<String> for Fault {
    fn from(message: String) -> Fault {
        Fault { message, column: 1, hint: None }
    }
}

impl From<&str> for Fault {
    fn from(message: &str) -> Fault {
        message.to_string().into()
    }
}

impl From<serde_json::Error> for Fault {
    fn from(error: serde_json::Error) -> Fault {
        let text = error.to_string();
        let message = text.split(" at line ").next().unwrap_or_default();
        Fault {
            message: format!("not a line of a trace: {message}"),
            column: error.column().max(1),
            hint: error.is_eof().then_some("the file may have been cut off while it was written"),
        }
    }
}

#[derive(Default)]
struct Reader {
    trace: Trace,
    line: usize,
    /// How many subjects and records the header promises.
    promised: Option<(usize, usize)>,
    /// The latest subject of each namespace and path.
    latest: FxHashMap<String, u32>,
    key: String,
}

impl Reader {
    fn problem(&self, fault: Fault, text: &[u8]) -> Problem {
        let shown: String = String::from_utf8_lossy(text).chars().take(SHOWN).collect();
        Problem {
            position: Some(Position { line: self.line, column: fault.column }),
            line_text: (!shown.is_empty()).then_some(shown),
            hint: fault.hint.map(str::to_string),
            ..Problem::new(fault.message)
        }
    }

    fn line(&mut self, text: &[u8]) -> Result<(), Fault> {
        if self.promised.is_none() {
            return self.header(text);
        }
        let line: RecordLine<'_> = serde_json::from_slice(text)?;
        match line.n {
            Some(n) => self.record(n, &line, text),
            None => self.subject(text),
        }
    }

    fn header(&mut self, text: &[u8]) -> Result<(), Fault> {
        /// Only what tells a trace of another version from no trace at all.
        #[derive(Deserialize)]
        struct Mark {
            seatrial: String,
            version: u32,
        }
        let no_trace = "this is not a trace of seatrial: its first line is not a header";
        let mark: Mark = serde_json::from_slice(text).map_err(|_| no_trace)?;
        if mark.seatrial != "trace" {
            return Err(no_trace.into());
        }
        if mark.version != VERSION {
            let version = mark.version;
            let message = format!("version {version} of the trace format is not known here");
            let hint = Some("run the scenario again, or use the seatrial that wrote the trace");
            return Err(Fault { hint, ..message.into() });
        }
        let line: HeaderLine<'_> = serde_json::from_slice(text)?;
        self.trace.header = Header {
            start: start(&line.start)?,
            until: SimTime(line.until_ns),
            seed: line.seed,
            title: line.title.into_owned(),
            actions: line.actions.into_iter().map(|a| (SimTime(a.t_ns), a.action.into_owned())).collect(),
            triggers: line.triggers.into_iter().map(|t| (t.trigger.into_owned(), t.t_ns.map(SimTime))).collect(),
            assumptions: line.assumptions.into_owned(),
            kubernetes: line.kubernetes.into_owned(),
        };
        self.promised = Some((line.subjects, line.records));
        Ok(())
    }

    fn subject(&mut self, text: &[u8]) -> Result<(), Fault> {
        let line: SubjectLine<'_> = serde_json::from_slice(text)?;
        let next = self.trace.subjects.len();
        if line.subject as usize != next {
            return Err(format!("subject {} stands where {next} should", line.subject).into());
        }
        let kind = kind(&line.kind)?;
        let promised = self.promised.map_or(0, |p| p.0);
        if let Some(owner) = line.owner.filter(|&o| o as usize >= promised) {
            return Err(format!("the owner {owner} is not one of {promised} subjects").into());
        }
        self.trace.subjects.push(Subject {
            kind,
            namespace: (&*line.namespace).into(),
            name: (&*line.name).into(),
            api_name: (&*line.api_name).into(),
            owner: line.owner.map(SubjectId),
            revision: line.revision,
            room: Resources { cpu_milli: line.room[0], memory_milli: line.room[1], pods: line.room[2] },
            zone: (!line.zone.is_empty()).then(|| (&*line.zone).into()),
        });
        self.latest.insert(format!("{}\n{kind}/{}", line.namespace, line.name), line.subject);
        Ok(())
    }

    fn record(&mut self, n: u32, line: &RecordLine<'_>, text: &[u8]) -> Result<(), Fault> {
        let next = self.trace.records.len();
        if n as usize != next {
            return Err(format!("record {n} stands where {next} should").into());
        }
        let at = SimTime(line.t_ns);
        if self.trace.records.last().is_some_and(|last| last.at > at) {
            return Err("time goes back".into());
        }
        if let Some(cause) = line.cause.filter(|&c| c >= n) {
            return Err(format!("the cause {cause} does not come before its effect {n}").into());
        }
        let namespace = match &line.namespace {
            Some(namespace) => namespace,
            None => usual_namespace(&line.object),
        };
        let subject = self.find(line.subject, namespace, &line.object)?;
        let what = self.what(line, subject, namespace, text)?;
        let cause = line.cause.map_or(RecordId::NONE, RecordId);
        self.trace.push(at, cause, subject, what);
        Ok(())
    }

    /// The subject of a number, or else the latest of a path.
    fn find(&mut self, number: Option<u32>, namespace: &str, path: &str) -> Result<SubjectId, Fault> {
        if let Some(number) = number {
            let known = (number as usize) < self.trace.subjects.len();
            return if known { Ok(SubjectId(number)) } else { Err(format!("there is no subject {number} yet").into()) };
        }
        self.key.clear();
        self.key.extend([namespace, "\n", path]);
        match self.latest.get(&self.key) {
            Some(&id) => Ok(SubjectId(id)),
            None => Err(format!("nothing called {path:?} has been introduced").into()),
        }
    }

    fn find_kind(
        &mut self,
        line: &RecordLine<'_>,
        kind: Kind,
        namespace: &str,
        name: &str,
    ) -> Result<SubjectId, Fault> {
        self.find(line.reference, namespace, &format!("{kind}/{name}"))
    }

    fn what(&mut self, line: &RecordLine<'_>, subject: SubjectId, namespace: &str, text: &[u8]) -> Result<What, Fault> {
        Ok(match &*line.event {
            "created" => What::Created,
            "deleted" => What::Deleted,
            "changed" => self.change(line)?,
            "unschedulable" => What::Unschedulable,
            "gated" => What::Gated { gates: self.key(line)? },
            "ungated" => What::Ungated,
            "bound" => {
                let name = need(line.node.as_deref(), "node")?;
                What::Bound { node: self.find_kind(line, Kind::Node, "", name)? }
            }
            "attaching" => What::Attaching,
            "attached" => What::Attached,
            "named" => What::Named,
            "unnamed" => What::Unnamed,
            "answers" => What::Answers,
            "silent" => What::Silent,
            "stage" => {
                let stage = need(line.stage.as_deref(), "stage")?;
                let known = Stage::ALL.into_iter().find(|known| known.name() == stage);
                let stage = known.ok_or_else(|| format!("there is no stage {stage:?}"))?;
                What::Stage { stage, name: self.key(line)? }
            }
            "killed" => What::Killed,
            "routable" => What::Routable { service: self.service(line, namespace)? },
            "unroutable" => What::Unroutable { service: self.service(line, namespace)? },
            "running" => What::Running,
            "ready" => What::Ready,
            "unready" => What::Unready,
            "restarted" => What::Restarted { count: need(line.restart_count, "restartCount")? },
            "disruptionTarget" => {
                let reason = need(line.reason.as_deref(), "reason")?;
                What::DisruptionTarget { reason: self.trace.symbols.intern(reason) }
            }
            "deleting" => What::Deleting { grace_seconds: need(line.grace_seconds, "graceSeconds")? },
            "succeeded" => What::Succeeded { exit_code: need(line.exit_code, "exitCode")? },
            "failed" => {
                let reason = line.reason.as_deref().map(|r| self.trace.symbols.intern(r));
                What::Failed { exit_code: line.exit_code, reason }
            }
            "removed" => What::Removed,
            "emitted" => What::Emitted(self.emitted(line, subject, namespace)?),
            "decided" => What::Decided(serde_json::from_slice::<Why>(text)?),
            "action" => What::Action(need(line.action, "action")?),
            "rejected" => What::Rejected {
                action: need(line.action, "action")?,
                object: line.initial.unwrap_or(false),
                reason: self.trace.symbols.intern(need(line.reason.as_deref(), "reason")?),
                message: self.trace.symbols.intern(need(line.message.as_deref(), "message")?),
            },
            "clock" => What::Clock {
                component: self.component(line)?,
                offset_ns: need(line.offset_ns, "offset_ns")?,
                drift_ppb: need(line.drift_ppb, "drift_ppb")?,
            },
            "process" => What::Process { component: self.component(line)?, runs: need(line.runs, "runs")? },
            "wrote" => What::Wrote { key: self.key(line)? },
            "lost" => What::Lost { key: self.key(line)? },
            other => return Err(format!("the event {other:?} is not known").into()),
        })
    }

    fn service(&mut self, line: &RecordLine<'_>, namespace: &str) -> Result<SubjectId, Fault> {
        let name = need(line.service.as_deref(), "service")?;
        self.find_kind(line, Kind::Service, namespace, name)
    }

    fn component(&mut self, line: &RecordLine<'_>) -> Result<Symbol, Fault> {
        Ok(self.trace.symbols.intern(need(line.component.as_deref(), "component")?))
    }

    fn key(&mut self, line: &RecordLine<'_>) -> Result<Symbol, Fault> {
        Ok(self.trace.symbols.intern(need(line.key.as_deref(), "key")?))
    }

    fn change(&mut self, line: &RecordLine<'_>) -> Result<What, Fault> {
        let name = need(line.field.as_deref(), "field")?;
        let field = Field::parse(name).ok_or_else(|| format!("the field {name:?} is not known"))?;
        let value = match &line.value {
            None | Some(serde_json::Value::Null) => Value::Absent,
            Some(serde_json::Value::Bool(truth)) => Value::Bool(*truth),
            Some(serde_json::Value::String(text)) => Value::Text(self.trace.symbols.intern(text)),
            Some(serde_json::Value::Number(number)) if number.as_i64().is_some() => {
                Value::Int(number.as_i64().unwrap_or_default())
            }
            Some(other) => return Err(format!("{name} cannot be {other}").into()),
        };
        Ok(What::Set { field, value })
    }

    fn emitted(&mut self, line: &RecordLine<'_>, subject: SubjectId, namespace: &str) -> Result<Emitted, Fault> {
        let reason = need(line.reason.as_deref(), "reason")?;
        if let Some(name) = line.replica_set.as_deref() {
            let replica_set = self.find_kind(line, Kind::ReplicaSet, namespace, name)?;
            let (from, to) = (need(line.from, "from")?, need(line.to, "to")?);
            return Ok(Emitted::Scaled { replica_set, from, to });
        }
        if let Some(name) = line.pod.as_deref() {
            let pod = self.find_kind(line, Kind::Pod, namespace, name)?;
            return match reason {
                "SuccessfulCreate" => Ok(Emitted::CreatedPod(pod)),
                "SuccessfulDelete" => Ok(Emitted::DeletedPod(pod)),
                other => Err(format!("{other} is not about a pod").into()),
            };
        }
        if let Some(name) = line.node.as_deref() {
            return Ok(Emitted::Scheduled { pod: subject, node: self.find_kind(line, Kind::Node, "", name)? });
        }
        let message = need(line.message.as_deref(), "message")?;
        Ok(Emitted::Other {
            reason: self.trace.symbols.intern(reason),
            message: self.trace.symbols.intern(message),
            warning: line.event_type.as_deref() == Some("Warning"),
        })
    }

    /// Whether everything that the header promises has come.
    fn finish(&self) -> Result<(), Fault> {
        let Some((subjects, records)) = self.promised else {
            return Err("the trace is empty: not even a header".into());
        };
        let (seen, hint) = (&self.trace, Some("the file may have been cut off while it was written"));
        if (seen.subjects.len(), seen.records.len()) == (subjects, records) {
            return Ok(());
        }
        let message = format!(
            "the header promises {subjects} subjects and {records} records, but {} and {} are there",
            seen.subjects.len(),
            seen.records.len()
        );
        Err(Fault { hint, ..message.into() })
    }
}

fn need<T>(value: Option<T>, key: &str) -> Result<T, Fault> {
    value.ok_or_else(|| format!("{key:?} is missing").into())
}

fn kind(name: &str) -> Result<Kind, Fault> {
    let exact = Kind::ALL.into_iter().chain([Kind::Cluster]).find(|k| k.name() == name);
    exact.ok_or_else(|| format!("the kind {name:?} is not known").into())
}

/// RFC 3339, or `@` and seconds for years that RFC 3339 cannot write.
fn start(text: &str) -> Result<Timestamp, Fault> {
    match text.strip_prefix('@').and_then(|seconds| seconds.parse().ok()) {
        Some(seconds) => Ok(Timestamp(seconds)),
        None => Timestamp::parse(text).map_err(|e| format!("start: {e}").into()),
    }
}
