//! The moments at which the ground moved under a workload: its nodes were
//! given up and tainted, its pods were evicted, and it was whole again.

use super::cast::top;
use super::{Series, Workload};
use crate::api::Kind;
use crate::time::{SimTime, Span};
use crate::trace::{Field, Record, SubjectId, Trace, Value, What};
use std::collections::{BTreeMap, BTreeSet};

/// What comes so soon after something else came with it.
const AT_ONCE: Span = Span::from_secs(1);
/// What follows so soon after another of its kind is told together with it:
/// nodes are given up one each 10 s.
const TOGETHER: Span = Span::from_secs(15);

/// Something that nobody ordered happened to the workload's nodes or pods.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Turn {
    /// When.
    pub at: SimTime,
    /// In words: `b-1 NotReady`, `2 pods evicted from b-1`.
    pub text: String,
}

/// What happens to a node or to the pods on it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Turning {
    NotReady,
    /// Pods that do not tolerate it must go.
    Tainted,
    Evicted,
    ReadyAgain,
}

/// Several of a kind that came one after the other.
#[derive(Debug)]
struct Group {
    at: SimTime,
    last: SimTime,
    turning: Turning,
    nodes: BTreeSet<SubjectId>,
    pods: usize,
}

/// What the trace has said of a node so far.
#[derive(Default)]
struct Node {
    not_ready: bool,
    tainted: bool,
    /// How many pods of which workload are on it.
    pods: BTreeMap<usize, usize>,
}

/// Tells the workloads of their turns.
pub(super) fn tell(trace: &Trace, workloads: &mut [Workload]) {
    let mut reader = Reader::new(trace, workloads);
    for record in &trace.records {
        reader.read(record);
    }
    for (groups, workload) in reader.groups.iter().zip(workloads) {
        let mut turns: Vec<Turn> = joined(groups).map(|(group, tainted)| group.tell(trace, tainted)).collect();
        turns.extend(whole_again(groups, workload));
        turns.sort_by_key(|turn| turn.at);
        workload.turns = turns;
    }
}

struct Reader<'a> {
    trace: &'a Trace,
    by_path: BTreeMap<(Kind, String, String), usize>,
    nodes: BTreeMap<SubjectId, Node>,
    /// Where each pod is and whose it is, as long as it is there.
    places: BTreeMap<SubjectId, (SubjectId, usize)>,
    groups: Vec<Vec<Group>>,
}

impl<'a> Reader<'a> {
    fn new(trace: &'a Trace, workloads: &[Workload]) -> Reader<'a> {
        let path = |w: &Workload| (w.kind, w.namespace.clone(), w.name.clone());
        Reader {
            trace,
            by_path: workloads.iter().enumerate().map(|(i, w)| (path(w), i)).collect(),
            nodes: BTreeMap::new(),
            places: BTreeMap::new(),
            groups: workloads.iter().map(|_| Vec::new()).collect(),
        }
    }

    fn read(&mut self, record: &Record) {
        let subject = record.subject;
        match record.what {
            What::Bound { node } => self.come(subject, node),
            What::Removed | What::Succeeded { .. } | What::Failed { .. } => self.go(subject),
            What::DisruptionTarget { .. } => {
                if let Some(&(node, workload)) = self.places.get(&subject) {
                    self.turn(record.at, Turning::Evicted, node, workload);
                }
            }
            What::Set { field: Field::ConditionReady, value } => {
                let not_ready = !self.text(value).starts_with("True");
                let node = self.nodes.entry(subject).or_default();
                if std::mem::replace(&mut node.not_ready, not_ready) != not_ready {
                    let turning = if not_ready { Turning::NotReady } else { Turning::ReadyAgain };
                    self.turn_all(record.at, turning, subject);
                }
            }
            What::Set { field: Field::Taints, value } => {
                let tainted = self.text(value).contains(":NoExecute");
                let node = self.nodes.entry(subject).or_default();
                if !std::mem::replace(&mut node.tainted, tainted) && tainted {
                    self.turn_all(record.at, Turning::Tainted, subject);
                }
            }
            _ => {}
        }
    }

    fn text(&self, value: Value) -> &'a str {
        match value {
            Value::Text(symbol) => self.trace.symbols.get(symbol),
            _ => "",
        }
    }

    fn come(&mut self, pod: SubjectId, node: SubjectId) {
        let owner = self.trace.subject(top(self.trace, pod));
        let path = (owner.kind, owner.namespace.to_string(), owner.name.to_string());
        if let Some(&workload) = self.by_path.get(&path) {
            self.places.insert(pod, (node, workload));
            *self.nodes.entry(node).or_default().pods.entry(workload).or_insert(0) += 1;
        }
    }

    fn go(&mut self, pod: SubjectId) {
        let Some((node, workload)) = self.places.remove(&pod) else { return };
        let pods = &mut self.nodes.entry(node).or_default().pods;
        if let Some(count) = pods.get_mut(&workload) {
            *count -= 1;
            if *count == 0 {
                pods.remove(&workload);
            }
        }
    }

    /// Something happens to a node: it concerns the workloads with pods there.
    fn turn_all(&mut self, at: SimTime, turning: Turning, node: SubjectId) {
        let concerned: Vec<usize> = self.nodes.get(&node).map(|n| n.pods.keys().copied().collect()).unwrap_or_default();
        for workload in concerned {
            self.turn(at, turning, node, workload);
        }
    }

    fn turn(&mut self, at: SimTime, turning: Turning, node: SubjectId, workload: usize) {
        let groups = &mut self.groups[workload];
        let open = groups.iter_mut().rev().find(|g| g.turning == turning);
        if let Some(group) = open.filter(|g| at.since(g.last) <= TOGETHER) {
            group.last = at;
            group.nodes.insert(node);
            group.pods += 1;
        } else {
            groups.push(Group { at, last: at, turning, nodes: BTreeSet::from([node]), pods: 1 });
        }
    }
}

/// Each group, and whether the taint that it is followed by at once is told
/// with it.
fn joined(groups: &[Group]) -> impl Iterator<Item = (&Group, bool)> {
    let pair = |a: &Group, b: &Group| {
        let soon = b.last.since(a.at) <= AT_ONCE;
        a.turning == Turning::NotReady && b.turning == Turning::Tainted && a.nodes == b.nodes && soon
    };
    groups.iter().enumerate().filter_map(move |(i, group)| {
        let told = i > 0 && pair(&groups[i - 1], group);
        (!told).then(|| (group, groups.get(i + 1).is_some_and(|next| pair(group, next))))
    })
}

impl Group {
    fn tell(&self, trace: &Trace, tainted: bool) -> Turn {
        let nodes = match (self.nodes.len(), self.nodes.first()) {
            (1, Some(&node)) => trace.subject(node).name.to_string(),
            (several, _) => format!("{several} nodes"),
        };
        let pods = if self.pods == 1 { "1 pod".to_string() } else { format!("{} pods", self.pods) };
        let text = match self.turning {
            Turning::NotReady if tainted => format!("{nodes} NotReady and tainted"),
            Turning::NotReady => format!("{nodes} NotReady"),
            Turning::Tainted => format!("{nodes} tainted"),
            Turning::Evicted => format!("{pods} evicted from {nodes}"),
            Turning::ReadyAgain => format!("{nodes} Ready again"),
        };
        let lasted = self.last.since(self.at);
        let text = if lasted > AT_ONCE { format!("{text} in {lasted}") } else { text };
        Turn { at: self.at, text }
    }
}

/// When all wanted pods were available again that turns had taken away.
fn whole_again(groups: &[Group], workload: &Workload) -> Vec<Turn> {
    let (available, desired) = (workload.series(Series::Available), workload.series(Series::Desired));
    let short = available.zip_with(desired, |available, desired| i64::from(available < desired));
    let takes = |g: &Group, at| g.at <= at && at.since(g.last) <= AT_ONCE;
    let losses: Vec<&Group> =
        groups.iter().filter(|g| matches!(g.turning, Turning::NotReady | Turning::Evicted)).collect();
    let dips = short.points().windows(2).filter(|pair| pair[0].1 == 1 && losses.iter().any(|g| takes(g, pair[0].0)));
    let ends = dips.map(|pair| pair[1].0).filter(|&at| desired.at(at) > 0);
    ends.map(|at| Turn { at, text: format!("{} available again", available.at(at)) }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::{RecordId, Subject, Symbol};

    const NODES: [&str; 3] = ["a-1", "b-1", "b-2"];

    /// Three nodes (0 to 2), a Deployment (3) and its two pods (4, 5).
    fn world() -> Trace {
        let mut trace = Trace::default();
        let subject = |kind, name: &str, owner| Subject {
            kind,
            namespace: "default".into(),
            name: name.into(),
            api_name: name.into(),
            owner,
            revision: 0,
            room: crate::api::Resources::default(),
            zone: None,
        };
        trace.subjects.extend(NODES.map(|name| subject(Kind::Node, name, None)));
        trace.subjects.push(subject(Kind::Deployment, "web", None));
        trace.subjects.extend(["web#0", "web#1"].map(|name| subject(Kind::Pod, name, Some(SubjectId(3)))));
        trace
    }

    fn turns(told: &[(u64, u32, What)], mut trace: Trace) -> Vec<String> {
        let mut all = vec![(0, 3, What::Created)];
        for (pod, node) in [(4, 1), (5, 2)] {
            all.extend([(0, pod, What::Created), (0, pod, What::Bound { node: SubjectId(node) })]);
        }
        for &(at, subject, what) in all.iter().chain(told) {
            trace.push(SimTime::from_ms(at), RecordId::NONE, SubjectId(subject), what);
        }
        let timeline = crate::timeline::Timeline::of(&trace);
        timeline.workloads()[0].turns().iter().map(|turn| format!("{} {}", turn.at, turn.text)).collect()
    }

    fn set(field: Field, text: Symbol) -> What {
        What::Set { field, value: Value::Text(text) }
    }

    #[test]
    fn a_lost_node_is_told_from_its_silence_to_the_last_replacement() {
        let mut trace = world();
        let [lost, back, taints, soft] =
            ["Unknown", "True", "x:NoExecute", "x:NoSchedule"].map(|t| trace.symbols.intern(t));
        let (size, sound) = (
            |n| What::Set { field: Field::SpecReplicas, value: Value::Int(n) },
            |n| What::Set { field: Field::AvailableReplicas, value: Value::Int(n) },
        );
        let told = [
            (1_000, 3, size(2)),
            (1_000, 3, sound(2)),
            (41_000, 1, set(Field::ConditionReady, lost)),
            (41_000, 0, set(Field::ConditionReady, lost)), // nothing of the workload is there
            (41_000, 3, sound(1)),
            (41_000, 1, set(Field::Taints, soft)),
            (41_100, 1, set(Field::Taints, taints)),
            (341_000, 4, What::DisruptionTarget { reason: lost }),
            (351_000, 3, sound(2)),
            (400_000, 1, set(Field::ConditionReady, back)),
        ];
        assert_eq!(
            turns(&told, trace),
            [
                "41s b-1 NotReady and tainted",
                "5m41s 1 pod evicted from b-1",
                "5m51s 2 available again",
                "6m40s b-1 Ready again"
            ]
        );
    }

    #[test]
    fn what_comes_together_is_told_together_and_what_does_not_is_not() {
        let mut trace = world();
        let [lost, taints] = ["Unknown", "x:NoExecute"].map(|t| trace.symbols.intern(t));
        let told = [
            (40_000, 1, set(Field::ConditionReady, lost)),
            (40_500, 2, set(Field::ConditionReady, lost)),
            (50_000, 1, set(Field::Taints, taints)),
            (60_000, 2, set(Field::Taints, taints)),
            (120_000, 5, What::DisruptionTarget { reason: lost }),
            (180_000, 4, What::DisruptionTarget { reason: lost }),
        ];
        assert_eq!(
            turns(&told, trace),
            [
                "40s 2 nodes NotReady",
                "50s 2 nodes tainted in 10s",
                "2m 1 pod evicted from b-2",
                "3m 1 pod evicted from b-1"
            ]
        );
    }
}
