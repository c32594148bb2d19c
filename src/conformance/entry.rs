//! One line of a recording: what happened to an object in one millisecond.

use serde_json::{Map, Value as Json};
use std::collections::BTreeMap;
use std::fmt;

/// The events of pods in the order in which they stand within one
/// millisecond. Other objects have one entry per millisecond.
const POD_EVENTS: [&str; 12] = [
    "created",
    "unschedulable",
    "bound",
    "running",
    "ready",
    "unready",
    "restarted",
    "disruptionTarget",
    "deleting",
    "succeeded",
    "failed",
    "removed",
];

/// An entry of a recorded trace, or of ours in the same form.
#[derive(Clone, PartialEq, Debug)]
pub struct Entry {
    /// Milliseconds since the beginning, rounded down.
    pub t_ms: u64,
    /// `Kind/name`, or `Action/<do> <kind>/<name>` for a refused action.
    pub object: String,
    /// `created`, `changed`, `deleted`, `rejected` or one of a pod's events.
    pub event: String,
    /// What the event says of itself, such as `node` or `exitCode`.
    pub attributes: BTreeMap<String, Json>,
    /// The fields that changed with their new values, null for one that went
    /// away; `None` for events that have no fields.
    pub set: Option<BTreeMap<String, Json>>,
}

impl Entry {
    /// An entry without attributes and fields.
    pub fn new(t_ms: u64, object: impl Into<String>, event: &str) -> Entry {
        Entry { t_ms, object: object.into(), event: event.to_string(), attributes: BTreeMap::new(), set: None }
    }

    /// The same entry with one attribute more.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Json>) -> Entry {
        self.attributes.insert(name.to_string(), value.into());
        self
    }

    /// The same entry with its changed fields.
    #[must_use]
    pub fn with_set(mut self, set: BTreeMap<String, Json>) -> Entry {
        self.set = Some(set);
        self
    }

    /// Reads an entry of a recording.
    ///
    /// # Errors
    /// Says which of the keys that every entry has is missing or no such value.
    pub fn read(json: &Json) -> Result<Entry, String> {
        let map = json.as_object().ok_or("an entry is a mapping")?;
        let mut entry = Entry::new(number(map, "t_ms")?, text(map, "object")?, text(map, "event")?);
        for (name, value) in map {
            match name.as_str() {
                "t_ms" | "object" | "event" => {}
                "set" => {
                    let set = value.as_object().ok_or("set is a mapping")?;
                    entry.set = Some(set.iter().map(|(k, v)| (k.clone(), v.clone())).collect());
                }
                _ => {
                    entry.attributes.insert(name.clone(), value.clone());
                }
            }
        }
        Ok(entry)
    }

    /// Whether it is about a pod.
    pub fn is_pod(&self) -> bool {
        self.object.starts_with("Pod/")
    }

    /// By this recordings are sorted: time, object byte by byte, rank of the
    /// event. Equal keys stand in order of writing.
    pub fn sort_key(&self) -> (u64, &str, usize) {
        let rank = POD_EVENTS.iter().position(|e| self.is_pod() && *e == self.event).unwrap_or(POD_EVENTS.len());
        (self.t_ms, &self.object, rank)
    }

    /// Whether two entries say the same. Of a refused action the text is not
    /// compared: it is the API server's, and clients do not rely on it.
    pub fn agrees_with(&self, other: &Entry) -> bool {
        self.t_ms == other.t_ms && self.same_but_time(other)
    }

    /// Whether two entries say the same, whenever they were.
    pub fn same_but_time(&self, other: &Entry) -> bool {
        if self.object != other.object || self.event != other.event {
            return false;
        }
        if self.event == "rejected" {
            return self.attributes.get("reason") == other.attributes.get("reason");
        }
        self.attributes == other.attributes && self.set == other.set
    }

    /// Attributes and fields as `name = value`, sorted by name within each.
    pub fn details(&self) -> Vec<(String, String)> {
        let fields = self.attributes.iter().chain(self.set.iter().flatten());
        fields.map(|(name, value)| (name.clone(), value.to_string())).collect()
    }
}

/// On one line: `20000 Pod/web/1#0 deleting graceSeconds=30`.
impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.t_ms, self.object, self.event)?;
        self.details().iter().try_for_each(|(name, value)| write!(f, " {name}={value}"))
    }
}

/// A Kubernetes Event that was sent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sent {
    /// Milliseconds since the beginning, rounded down.
    pub t_ms: u64,
    /// `Kind/name` of the object it is about.
    pub object: String,
    /// Its reason.
    pub reason: String,
    /// `Normal` or `Warning`.
    pub type_name: String,
    /// Its message, names as in traces.
    pub message: String,
}

impl Sent {
    /// Reads an Event of a recording.
    ///
    /// # Errors
    /// Says which key is missing or no such value.
    pub fn read(json: &Json) -> Result<Sent, String> {
        let map = json.as_object().ok_or("an event is a mapping")?;
        Ok(Sent {
            t_ms: number(map, "t_ms")?,
            object: text(map, "object")?.to_string(),
            reason: text(map, "reason")?.to_string(),
            type_name: text(map, "type")?.to_string(),
            message: text(map, "message")?.to_string(),
        })
    }
}

impl fmt::Display for Sent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {} {}", self.t_ms, self.object, self.reason, self.message)
    }
}

fn number(map: &Map<String, Json>, key: &str) -> Result<u64, String> {
    map.get(key).and_then(Json::as_u64).ok_or_else(|| format!("{key} is a number from 0 on"))
}

fn text<'a>(map: &'a Map<String, Json>, key: &str) -> Result<&'a str, String> {
    map.get(key).and_then(Json::as_str).ok_or_else(|| format!("{key} is a string"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn entries_are_read_and_printed() {
        for (json, line) in [
            (
                json!({"event": "bound", "node": "node-a", "object": "Pod/web/1#0", "t_ms": 10}),
                "10 Pod/web/1#0 bound node=\"node-a\"",
            ),
            (
                json!({"event": "changed", "object": "Deployment/web", "t_ms": 5,
                       "set": {"status.replicas": 3, "spec.paused": null}}),
                "5 Deployment/web changed spec.paused=null status.replicas=3",
            ),
        ] {
            assert_eq!(Entry::read(&json).expect("an entry").to_string(), line);
        }
        assert!(Entry::read(&json!({"event": "bound", "object": "Pod/a"})).is_err());
    }

    #[test]
    fn objects_sort_byte_by_byte_and_events_by_rank() {
        let key = |o: &str, e: &str| Entry::new(1, o, e);
        let mut all = [
            key("Pod/web/1#2", "created"),
            key("Pod/web/1#10", "removed"),
            key("Pod/web/1#10", "failed"),
            key("Deployment/web", "changed"),
        ];
        all.sort_by(|a, b| a.sort_key().cmp(&b.sort_key()));
        let order: Vec<String> = all.iter().map(ToString::to_string).collect();
        assert_eq!(
            order,
            ["1 Deployment/web changed", "1 Pod/web/1#10 failed", "1 Pod/web/1#10 removed", "1 Pod/web/1#2 created"]
        );
    }

    #[test]
    fn a_refusal_agrees_by_object_and_reason() {
        let refusal = |reason: &str, message: &str| {
            Entry::new(5, "Action/patch Deployment/web", "rejected").with("reason", reason).with("message", message)
        };
        assert!(refusal("Invalid", "a").agrees_with(&refusal("Invalid", "b")));
        assert!(!refusal("Invalid", "a").agrees_with(&refusal("NotFound", "a")));
    }
}
