//! Claims about a run that goes on: which of them hold now.

use super::evaluate::{condition_is, is_among};
use super::matching::{Run, Source, condition_field};
use super::{Curve, Ground, Level, Predicate, Resource, Target};
use crate::api::Kind;
use crate::timeline::{Growing, Series, Timeline, Workload, ZoneLoad};
use crate::trace::{Record, Trace, Value, What};

/// Looks at the records of a run as they come. Nothing is gone through again:
/// each record is looked at once, and a claim only reads what is so now.
#[derive(Clone, Debug, Default)]
pub struct Live {
    claims: Vec<Predicate>,
    growing: Growing,
    /// The conditions that claims read, and their values.
    conditions: Vec<(Target, String, String)>,
    /// The names of pods that claims read, and whether they answer.
    names: Vec<(String, bool)>,
    /// Of each claim, whether what it is about happened among the records
    /// that were taken in last.
    happened: Vec<Vec<bool>>,
}

impl Live {
    /// Claims about a run of which nothing is known yet.
    pub fn new(claims: Vec<Predicate>) -> Live {
        let (mut conditions, mut names) = (Vec::new(), Vec::new());
        for claim in &claims {
            let mut sources = Vec::new();
            claim.sources(&mut sources);
            for source in sources {
                match source {
                    Source::Condition(target, condition) => {
                        conditions.push((target.clone(), condition.to_string(), String::new()));
                    }
                    Source::Complete(target @ Target::Workload { kind: Kind::Job, .. }) => {
                        conditions.push((target.clone(), "Complete".to_string(), String::new()));
                    }
                    Source::Name(pod) => names.push((pod.to_string(), false)),
                    _ => {}
                }
            }
        }
        let happened = claims.iter().map(|claim| vec![false; occurrences(claim).len()]).collect();
        Live { claims, growing: Growing::default(), conditions, names, happened }
    }

    /// Takes in the records that have come since the last time.
    pub fn follow(&mut self, trace: &Trace) {
        let timeline = Timeline::default();
        let run = Run { trace, timeline: &timeline };
        self.happened.iter_mut().flatten().for_each(|happened| *happened = false);
        for record in self.growing.follow(trace) {
            for (claim, happened) in self.claims.iter().zip(&mut self.happened) {
                for (occurrence, happened) in occurrences(claim).into_iter().zip(happened) {
                    *happened |= run.is_occurrence(record, occurrence);
                }
            }
            note_condition(&mut self.conditions, trace, record);
            let answers = match record.what {
                What::Named => true,
                What::Unnamed => false,
                _ => continue,
            };
            let pod = &trace.subject(record.subject).api_name;
            for (_, known) in self.names.iter_mut().filter(|(name, _)| **name == **pod) {
                *known = answers;
            }
        }
    }

    /// Whether a claim holds now.
    pub fn holds(&self, claim: usize) -> bool {
        let Some(predicate) = self.claims.get(claim) else { return false };
        let mut happened = self.happened[claim].iter().copied();
        self.is_so(predicate, &mut happened)
    }

    fn is_so(&self, predicate: &Predicate, happened: &mut impl Iterator<Item = bool>) -> bool {
        match predicate {
            Predicate::Compare(a, how, b) => how.holds(self.value(a).cmp(&self.value(b))),
            Predicate::Condition { target, condition, equal, value } => {
                condition_is(self.condition(target, condition), value) == *equal
            }
            Predicate::Complete(target @ Target::Workload { kind: Kind::Job, .. }) => {
                condition_is(self.condition(target, "Complete"), "True")
            }
            Predicate::Complete(target) => self.workload(target).is_some_and(Workload::is_complete),
            Predicate::Resolves { pod, .. } => self.names.iter().any(|(name, answers)| name == pod && *answers),
            Predicate::Occurs(_) => happened.next().unwrap_or(false),
            Predicate::Not(p) => !self.is_so(p, happened),
            // Both sides, as each takes its share of what happened.
            Predicate::And(a, b) => self.is_so(a, happened) & self.is_so(b, happened),
            Predicate::Or(a, b) => self.is_so(a, happened) | self.is_so(b, happened),
        }
    }

    fn condition(&self, target: &Target, condition: &str) -> &str {
        let known = self.conditions.iter().find(|(of, name, _)| of == target && name == condition);
        known.map_or("", |(_, _, value)| value)
    }

    fn workload(&self, target: &Target) -> Option<&Workload> {
        match target {
            Target::Workload { kind, namespace, name } => self.growing.workload(*kind, namespace, name),
            _ => None,
        }
    }

    /// A curve's value now, in hundredths.
    fn value(&self, curve: &Curve) -> i64 {
        match curve {
            Curve::Constant(value) => *value,
            Curve::Level(level) => self.level(level).saturating_mul(100),
            Curve::Ground(ground) => self.ground(ground),
            Curve::Percent(p, of) => (i128::from(self.value(of)) * i128::from(*p) / 100) as i64,
            Curve::Times(n, of) => self.value(of).saturating_mul(*n),
            Curve::Sum(a, b) => self.value(a).saturating_add(self.value(b)),
            Curve::Difference(a, b) => self.value(a).saturating_sub(self.value(b)),
        }
    }

    fn ground(&self, ground: &Ground) -> i64 {
        let Some(capacity) = self.growing.capacity() else { return 0 };
        let band = |resource: &Resource| match resource {
            Resource::Cpu => &capacity.cpu,
            Resource::Memory => &capacity.memory,
        };
        let zones = |target: &Target| self.workload(target).map(Workload::zones).unwrap_or_default();
        match ground {
            Ground::Nodes(of) => {
                let nodes = self.growing.nodes().iter().filter(|node| is_among(node, of));
                100 * nodes.map(|node| node.present.last()).sum::<i64>()
            }
            Ground::Allocatable(of) => band(of).allocatable.last(),
            Ground::Requested(of) => band(of).requested.last(),
            Ground::Pending(of) => band(of).pending.last(),
            Ground::InZone(level, zone) => {
                let load = zones(&level.target).iter().find(|load| load.zone == *zone);
                let of = |load: &ZoneLoad| {
                    if level.series == Series::Ready { load.ready.last() } else { load.on_node.last() }
                };
                100 * load.map_or(0, of)
            }
            Ground::Skew(target) => {
                let nodes = self.growing.nodes();
                let has_nodes = |zone: &str| nodes.iter().any(|node| node.zone == zone && node.present.last() == 1);
                let there = capacity.zones.iter().filter(|zone| has_nodes(zone));
                let load =
                    |zone: &String| zones(target).iter().find(|l| l.zone == *zone).map_or(0, |l| l.active.last());
                let loads: Vec<i64> = there.map(load).collect();
                100 * (loads.iter().max().unwrap_or(&0) - loads.iter().min().unwrap_or(&0))
            }
        }
    }

    fn level(&self, level: &Level) -> i64 {
        match &level.target {
            Target::Workload { .. } => self.workload(&level.target).map_or(0, |w| w.series(level.series).last()),
            Target::Node(name) => {
                self.growing.nodes().iter().find(|n| n.name == *name).map_or(0, |node| node.pods.last())
            }
            Target::Revision { namespace, name } => {
                let workloads = self.growing.workloads().iter().filter(|w| w.namespace == *namespace);
                let revision = workloads.flat_map(Workload::revisions).find(|r| r.name == *name);
                revision.map_or(0, |r| if level.series == Series::Ready { r.ready.last() } else { r.on_node.last() })
            }
            Target::Any => 0,
        }
    }
}

/// Everything that a claim waits to happen, in the order in which it is read.
fn occurrences(claim: &Predicate) -> Vec<&super::Occurrence> {
    let mut sources = Vec::new();
    claim.sources(&mut sources);
    let happens = |source| if let Source::Occurrence(occurrence) = source { Some(occurrence) } else { None };
    sources.into_iter().filter_map(happens).collect()
}

fn note_condition(conditions: &mut [(Target, String, String)], trace: &Trace, record: &Record) {
    let What::Set { field, value } = record.what else { return };
    for (target, condition, known) in conditions {
        if condition_field(condition) == Some(field) && target.is(trace.subject(record.subject)) {
            *known = if let Value::Text(text) = value { trace.symbols.get(text).to_string() } else { String::new() };
        }
    }
}
