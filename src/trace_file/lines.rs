//! The lines of a trace file, as serde sees them.

use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// What the first line says.
#[derive(Serialize, Deserialize)]
pub(super) struct HeaderLine<'a> {
    pub(super) seatrial: Cow<'a, str>,
    pub(super) version: u32,
    pub(super) start: String,
    pub(super) until_ns: u64,
    pub(super) seed: u64,
    pub(super) title: Cow<'a, str>,
    pub(super) actions: Vec<ActionLine<'a>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) triggers: Vec<TriggerLine<'a>>,
    pub(super) assumptions: Cow<'a, [String]>,
    #[serde(default, skip_serializing_if = "is_blank")]
    pub(super) kubernetes: Cow<'a, str>,
    pub(super) subjects: usize,
    pub(super) records: usize,
}

/// One of the header's actions.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct ActionLine<'a> {
    pub(super) t_ns: u64,
    pub(super) action: Cow<'a, str>,
}

/// Something that waited, and when that came for which it did.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct TriggerLine<'a> {
    pub(super) trigger: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) t_ns: Option<u64>,
}

/// Introduces a subject.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SubjectLine<'a> {
    pub(super) subject: u32,
    pub(super) kind: Cow<'a, str>,
    pub(super) namespace: Cow<'a, str>,
    pub(super) name: Cow<'a, str>,
    pub(super) api_name: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) owner: Option<u32>,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(super) revision: u32,
    /// Millicores, thousandths of a byte, pods.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub(super) room: [i64; 3],
    #[serde(default, skip_serializing_if = "is_blank")]
    pub(super) zone: Cow<'a, str>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
fn is_nothing(room: &[i64; 3]) -> bool {
    *room == [0; 3]
}

fn is_blank(text: &str) -> bool {
    text.is_empty()
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
fn is_zero(n: &u32) -> bool {
    *n == 0
}

/// A record; of the fields below `event` only those that its event has.
/// Decisions follow the same form, with the decision's own fields at the end.
#[derive(Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct RecordLine<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) n: Option<u32>,
    #[serde(rename = "t_ns")]
    pub(super) t_ns: u64,
    pub(super) object: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) namespace: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) subject: Option<u32>,
    pub(super) event: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) field: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) value: Option<serde_json::Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) node: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) service: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) pod: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) replica_set: Option<Cow<'a, str>>,
    #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
    pub(super) reference: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) from: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) to: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) restart_count: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) grace_seconds: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) exit_code: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) action: Option<u32>,
    #[serde(rename = "do", skip_serializing_if = "Option::is_none")]
    pub(super) what: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) initial: Option<bool>,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub(super) event_type: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) message: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) component: Option<Cow<'a, str>>,
    #[serde(rename = "offset_ns", skip_serializing_if = "Option::is_none")]
    pub(super) offset_ns: Option<i64>,
    #[serde(rename = "drift_ppb", skip_serializing_if = "Option::is_none")]
    pub(super) drift_ppb: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) runs: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) key: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) stage: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cause: Option<u32>,
}
