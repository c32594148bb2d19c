//! A fingerprint of a run: two runs with the same digest did the same.

use crate::trace::{Emitted, Record, Subject, SubjectId, Symbol, Trace, Value, What};
use std::fmt;

/// 64-bit FNV-1a: not against malice, but simple enough to be the same
/// everywhere and for ever.
#[derive(Clone, Copy, Debug)]
struct Fnv(u64);

impl Fnv {
    const fn new() -> Fnv {
        Fnv(0xcbf2_9ce4_8422_2325)
    }

    fn bytes(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn number(&mut self, number: u64) {
        self.bytes(&number.to_le_bytes());
    }

    /// A signed number, so that -1 and `u64::MAX` may meet but 0 and 1 do not.
    fn signed(&mut self, number: impl Into<i64>) {
        self.number(number.into() as u64);
    }

    /// A string with its length, so that `ab`, `c` differs from `a`, `bc`.
    fn text(&mut self, text: &str) {
        self.number(text.len() as u64);
        self.bytes(text.as_bytes());
    }
}

/// The fingerprint of some texts: 16 hexadecimal digits.
pub(crate) fn of_texts(texts: &[String]) -> String {
    let mut all = Fnv::new();
    for text in texts {
        all.text(text);
    }
    format!("{:016x}", all.0)
}

impl Trace {
    /// The fingerprint of the records: 16 hexadecimal digits, the same on
    /// every platform.
    ///
    /// It covers everything that records say, in their order, with the names
    /// of objects instead of internal numbers. It does not cover the header:
    /// two seeds that lead to the same records have the same digest.
    pub fn digest(&self) -> String {
        let mut digest = Digest::default();
        digest.add(self, (0..self.subjects.len() as u32).map(SubjectId));
        digest.to_string()
    }
}

/// The fingerprint of a run whose records come in pieces; that of all of them
/// is the [digest](Trace::digest) of the whole trace.
#[derive(Clone, Debug)]
pub struct Digest {
    all: Fnv,
    subjects: Vec<u64>,
}

impl Default for Digest {
    fn default() -> Digest {
        Digest { all: Fnv::new(), subjects: Vec::new() }
    }
}

impl Digest {
    /// Adds the records of the next piece; `new` are the subjects that came
    /// with it.
    pub fn add(&mut self, piece: &Trace, new: impl IntoIterator<Item = SubjectId>) {
        for id in new {
            if self.subjects.len() <= id.0 as usize {
                self.subjects.resize(id.0 as usize + 1, 0);
            }
            self.subjects[id.0 as usize] = subject(piece, piece.subject(id));
        }
        let names = Names { trace: piece, subjects: &self.subjects };
        for record in &piece.records {
            names.record(&mut self.all, record);
        }
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.all.0)
    }
}

fn subject(trace: &Trace, subject: &Subject) -> u64 {
    let mut hash = Fnv::new();
    hash.text(subject.kind.name());
    hash.text(&subject.namespace);
    hash.text(&subject.name);
    hash.text(&subject.api_name);
    hash.number(u64::from(subject.revision));
    let owner = subject.owner.and_then(|o| trace.subjects.get(o.0 as usize));
    hash.text(&owner.map(Subject::path).unwrap_or_default());
    hash.0
}

struct Names<'a> {
    trace: &'a Trace,
    subjects: &'a [u64],
}

impl Names<'_> {
    fn of(&self, id: SubjectId) -> u64 {
        self.subjects[id.0 as usize]
    }

    fn text(&self, symbol: Symbol) -> &str {
        self.trace.symbols.get(symbol)
    }

    fn record(&self, hash: &mut Fnv, record: &Record) {
        hash.number(record.at.0);
        hash.number(u64::from(record.cause.0));
        hash.number(self.of(record.subject));
        hash.text(record.what.event());
        self.what(hash, record.what);
    }

    fn what(&self, hash: &mut Fnv, what: What) {
        match what {
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
            | What::Removed => {}
            What::Stage { stage, name } => {
                hash.text(stage.name());
                hash.text(self.text(name));
            }
            What::Set { field, value } => {
                hash.text(field.name());
                self.value(hash, value);
            }
            What::Gated { gates } => hash.text(self.text(gates)),
            What::Bound { node } => hash.number(self.of(node)),
            What::Routable { service } | What::Unroutable { service } => hash.number(self.of(service)),
            What::Restarted { count } => hash.number(u64::from(count)),
            What::DisruptionTarget { reason } => hash.text(self.text(reason)),
            What::Deleting { grace_seconds } => hash.number(u64::from(grace_seconds)),
            What::Succeeded { exit_code } => hash.signed(exit_code),
            What::Failed { exit_code, reason } => {
                hash.number(u64::from(exit_code.is_some()));
                hash.signed(exit_code.unwrap_or(0));
                hash.text(reason.map_or("", |r| self.text(r)));
            }
            What::Emitted(emitted) => self.emitted(hash, emitted),
            What::Decided(why) => {
                hash.text(&serde_json::to_string(&why).unwrap_or_default());
            }
            What::Action(action) => hash.number(u64::from(action)),
            What::Rejected { action, object, reason, message } => {
                hash.number(u64::from(action));
                hash.number(u64::from(object));
                hash.text(self.text(reason));
                hash.text(self.text(message));
            }
            What::Clock { component, offset_ns, drift_ppb } => {
                hash.text(self.text(component));
                hash.signed(offset_ns);
                hash.signed(drift_ppb);
            }
            What::Process { component, runs } => {
                hash.text(self.text(component));
                hash.number(u64::from(runs));
            }
            What::Wrote { key } | What::Lost { key } => hash.text(self.text(key)),
        }
    }

    fn value(&self, hash: &mut Fnv, value: Value) {
        match value {
            Value::Absent => hash.number(0),
            Value::Int(number) => {
                hash.number(1);
                hash.signed(number);
            }
            Value::Bool(truth) => hash.number(2 + u64::from(truth)),
            Value::Text(symbol) => {
                hash.number(4);
                hash.text(self.text(symbol));
            }
        }
    }

    fn emitted(&self, hash: &mut Fnv, emitted: Emitted) {
        match emitted {
            Emitted::Scaled { replica_set, from, to } => {
                hash.number(0);
                hash.number(self.of(replica_set));
                hash.signed(from);
                hash.signed(to);
            }
            Emitted::CreatedPod(pod) => {
                hash.number(1);
                hash.number(self.of(pod));
            }
            Emitted::DeletedPod(pod) => {
                hash.number(2);
                hash.number(self.of(pod));
            }
            Emitted::Scheduled { pod, node } => {
                hash.number(4);
                hash.number(self.of(pod));
                hash.number(self.of(node));
            }
            Emitted::Other { reason, message, warning } => {
                hash.number(3);
                hash.text(self.text(reason));
                hash.text(self.text(message));
                hash.number(u64::from(warning));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Kind;
    use crate::time::SimTime;
    use crate::trace::{Field, RecordId};

    /// A trace of one pod; `words` are interned before anything else.
    fn pod(words: &[&str], namespace: &str, phase: &str, at: u64) -> Trace {
        let mut trace = Trace::default();
        for word in words {
            trace.symbols.intern(word);
        }
        trace.subjects.push(Subject {
            kind: Kind::Pod,
            namespace: namespace.into(),
            name: "web".into(),
            api_name: "web".into(),
            owner: None,
            revision: 0,
            room: crate::api::Resources::default(),
            zone: None,
        });
        let text = trace.symbols.intern(phase);
        let created = trace.push(SimTime::from_ms(at), RecordId::NONE, SubjectId(0), What::Created);
        let set = What::Set { field: Field::Image, value: Value::Text(text) };
        trace.push(SimTime::from_ms(at), created, SubjectId(0), set);
        trace
    }

    #[test]
    fn the_digest_is_pinned() {
        assert_eq!(Trace::default().digest(), "cbf29ce484222325");
        assert_eq!(pod(&[], "default", "a", 5).digest(), "9f00899d23b0806b");
    }

    #[test]
    fn it_covers_content_and_not_numbering() {
        let one = pod(&[], "default", "a", 5).digest();
        assert_eq!(one, pod(&["x", "y"], "default", "a", 5).digest());
        assert_ne!(one, pod(&[], "other", "a", 5).digest());
        assert_ne!(one, pod(&[], "default", "b", 5).digest());
        assert_ne!(one, pod(&[], "default", "a", 6).digest());
        let mut later = pod(&[], "default", "a", 5);
        later.records[1].cause = RecordId::NONE;
        assert_ne!(one, later.digest());
    }

    #[test]
    fn texts_do_not_run_into_each_other() {
        let hash = |texts: &[&str]| {
            let mut hash = Fnv::new();
            for text in texts {
                hash.text(text);
            }
            hash.0
        };
        assert_ne!(hash(&["ab", "c"]), hash(&["a", "bc"]));
    }
}
