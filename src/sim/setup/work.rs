//! What batch work does: how it ends, and what it leaves behind outside the
//! cluster.

use crate::environment::Delay;
use crate::time::{SimTime, Span};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A container that works and exits.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Run {
    /// How long each start works.
    pub duration: Delay,
    /// Exit code per attempt, the last one repeated; empty means 0.
    pub exits: Vec<i32>,
    /// Duration per attempt instead of `duration`, the last one repeated.
    pub durations: Vec<Delay>,
    /// Exit codes of pods of single completion indexes, instead of `exits`.
    pub index_exits: BTreeMap<u32, Vec<i32>>,
    /// Durations for single completion indexes, instead of all others.
    pub index_durations: BTreeMap<u32, Delay>,
    /// Some runs end badly by chance, at their end.
    pub fails: Option<Chance>,
    /// Whatever runs while one of these lasts may be hit.
    pub outages: Vec<Outage>,
}

/// A run may end badly.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Chance {
    /// From 0 to 1, drawn for each run.
    pub probability: f64,
    /// The exit code if it does.
    pub exit: i32,
}

/// Something that runs depend on is gone for a while: they fail together.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Outage {
    /// Its first moment.
    pub from: SimTime,
    /// The first moment after it.
    pub until: SimTime,
    /// How long a run holds out.
    pub after: Span,
    /// Which share of the runs is hit, and how they exit.
    pub hits: Chance,
}

impl Outage {
    /// When a run from `start` to `end` is hit, if it is.
    #[must_use]
    pub fn hit(&self, start: SimTime, end: SimTime) -> Option<SimTime> {
        let at = start.max(self.from).after(self.after);
        (start < self.until && end > self.from && at < end).then_some(at)
    }
}

/// Something that a run writes outside the cluster. A second write of one key
/// is a duplicate.
#[derive(Clone, PartialEq, Debug)]
pub struct Effect {
    /// Under which key.
    pub key: KeyTemplate,
    /// When in the run.
    pub at: EffectTime,
    /// Only runs that end with exit code 0 write it.
    pub on_success: bool,
}

/// When in a run something happens.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EffectTime {
    /// So long after the start.
    After(Span),
    /// After so many per cent of the run.
    Percent(u32),
}

/// What a key is made of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum KeyPart {
    /// `{schedule}`: the schedule time that a CronJob started the Job for; of
    /// other Jobs their name.
    Schedule,
    /// `{index}`: the completion index.
    Index,
    /// `{job}`: the Job's name.
    Job,
    /// `{workload}`: the name of the object at the top.
    Workload,
    /// `{pod}`: the pod as traces name it.
    Pod,
    /// `{node}`: the node.
    Node,
    /// `{attempt}`: which try at the same work, from 0.
    Attempt,
    /// `{namespace}`: the namespace.
    Namespace,
}

impl KeyPart {
    /// All parts and their names.
    pub const ALL: [(&'static str, KeyPart); 8] = [
        ("schedule", KeyPart::Schedule),
        ("index", KeyPart::Index),
        ("job", KeyPart::Job),
        ("workload", KeyPart::Workload),
        ("pod", KeyPart::Pod),
        ("node", KeyPart::Node),
        ("attempt", KeyPart::Attempt),
        ("namespace", KeyPart::Namespace),
    ];
}

/// A key with places to be filled in: `ledger {schedule}`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeyTemplate(Arc<[(Arc<str>, Option<KeyPart>)]>);

impl KeyTemplate {
    /// Reads a template; a place is a name in braces.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn parse(text: &str) -> Result<KeyTemplate, String> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let (name, after) = after.split_once('}').ok_or_else(|| format!("a brace of `{text}` is not closed"))?;
            let part = KeyPart::ALL.iter().find(|(known, _)| *known == name).map(|(_, part)| *part);
            let known: Vec<String> = KeyPart::ALL.iter().map(|(known, _)| format!("{{{known}}}")).collect();
            let part = part.ok_or_else(|| format!("there is no {{{name}}}; there is {}", known.join(", ")))?;
            parts.push((before.into(), Some(part)));
            rest = after;
        }
        parts.push((rest.into(), None));
        Ok(KeyTemplate(parts.into()))
    }

    /// The key, each place filled by what `fill` answers.
    #[must_use]
    pub fn filled(&self, fill: impl Fn(KeyPart) -> String) -> String {
        let mut key = String::new();
        for (text, part) in &*self.0 {
            key.push_str(text);
            key.extend(part.map(&fill));
        }
        key
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_filled_in() {
        for (text, key) in
            [("plain", "plain"), ("{job}", "<Job>"), ("shard {index} of {job}.", "shard <Index> of <Job>.")]
        {
            let template = KeyTemplate::parse(text).expect(text);
            assert_eq!(template.filled(|part| format!("<{part:?}>")), key);
        }
        for text in ["{", "{jobs}", "{}", "a {job"] {
            assert!(KeyTemplate::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_outage_hits_what_runs_while_it_lasts() {
        let s = SimTime::from_secs;
        let hits = Chance { probability: 1.0, exit: 1 };
        let outage = Outage { from: s(10), until: s(20), after: Span::from_secs(2), hits };
        for (start, end, hit) in [
            (0, 10, None),
            (0, 11, None),
            (0, 60, Some(12)),
            (15, 60, Some(17)),
            (19, 60, Some(21)),
            (20, 60, None),
            (15, 16, None),
        ] {
            assert_eq!(outage.hit(s(start), s(end)), hit.map(s), "{start} {end}");
        }
    }
}
