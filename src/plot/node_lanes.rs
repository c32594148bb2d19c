//! A lane for each node, before it is drawn as a picture or as text: how it
//! stood, how many pods were on it, and what was done to it.

use super::lanes::natural;
use crate::api::Kind;
use crate::time::SimTime;
use crate::timeline::{NodeLoad, Steps, Timeline};
use crate::trace::{RecordId, Trace, What};
use std::collections::BTreeMap;

/// The most lanes that are drawn.
const MOST_LANES: usize = 40;
/// Where there are more nodes, those that were ready all the time fill up to
/// so many lanes: they are all alike.
const FEW_LANES: usize = 12;

/// How a node in the API stands, the worst last.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Standing {
    Ready,
    /// Ready, and no pod is to come.
    Cordoned,
    /// Not ready, or nobody knows.
    Unready,
    /// Tainted so that pods that do not tolerate it have to go.
    Evicting,
}

impl Standing {
    pub(crate) const ALL: [Standing; 4] = [Standing::Ready, Standing::Cordoned, Standing::Unready, Standing::Evicting];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Standing::Ready => "ready",
            Standing::Cordoned => "cordoned",
            Standing::Unready => "not ready or unknown",
            Standing::Evicting => "tainted, pods have to go",
        }
    }
}

/// One node.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct NodeLane {
    pub(crate) name: String,
    /// Empty for none.
    pub(crate) zone: String,
    /// From, to, and how it stood; nothing while it was not in the API.
    pub(crate) stretches: Vec<(SimTime, SimTime, Standing)>,
    /// When something was done to it, and the record that says so.
    pub(crate) moments: Vec<(SimTime, RecordId)>,
    /// Pods on it.
    pub(crate) pods: Steps,
    /// How many pods were on it at most and at the end.
    pub(crate) note: String,
}

/// All nodes on one axis of time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct NodeLanes {
    /// By zone and name.
    pub(crate) lanes: Vec<NodeLane>,
    /// Nodes without a lane, in which less happened.
    pub(crate) left_out: usize,
    /// How many of those were ready all the time.
    pub(crate) calm_left_out: usize,
    /// The most pods on any of them.
    pub(crate) most_pods: i64,
    /// What happened, in a sentence.
    pub(crate) headline: String,
}

impl NodeLanes {
    /// The nodes that were there in a half-open range of time; the sentence
    /// tells until `told`.
    pub(crate) fn of(trace: &Trace, timeline: &Timeline, (from, end): (SimTime, SimTime), told: SimTime) -> NodeLanes {
        let room =
            |all: usize, calm: usize| if all > MOST_LANES { (all - calm).clamp(FEW_LANES, MOST_LANES) } else { all };
        let lanes = NodeLanes::kept(room, trace, timeline, (from, end));
        NodeLanes { headline: headline(timeline.nodes(), from, told), ..lanes }
    }

    /// The same with another number of lanes that are kept.
    pub(crate) fn at_most(most: usize, trace: &Trace, timeline: &Timeline, range: (SimTime, SimTime)) -> NodeLanes {
        NodeLanes::kept(|_, _| most, trace, timeline, range)
    }

    /// Those for which there is room, by how many there are and how many of
    /// them were ready all the time.
    fn kept(
        room: impl Fn(usize, usize) -> usize,
        trace: &Trace,
        timeline: &Timeline,
        (from, end): (SimTime, SimTime),
    ) -> NodeLanes {
        let mut moments = moments(trace, from, end);
        let there = timeline.nodes().iter().filter(|node| node.present.max_over(from, end) > 0);
        let mut lanes: Vec<NodeLane> =
            there.map(|node| lane(node, moments.remove(node.name.as_str()).unwrap_or_default(), from, end)).collect();
        lanes.sort_by_cached_key(|lane| (lane.zone.clone(), natural(&lane.name)));
        let calm = |lanes: &[NodeLane]| lanes.iter().filter(|lane| lane.is_calm()).count();
        let all_calm = calm(&lanes);
        let most = room(lanes.len(), all_calm);
        let left_out = lanes.len().saturating_sub(most);
        if left_out > 0 {
            lanes = busiest(lanes, most);
        }
        let calm_left_out = all_calm - calm(&lanes);
        let most_pods = lanes.iter().map(|lane| lane.pods.max_over(from, end)).max().unwrap_or(0);
        NodeLanes { lanes, left_out, calm_left_out, most_pods, headline: headline(timeline.nodes(), from, end) }
    }

    /// Whether any node ever stood so.
    pub(crate) fn has(&self, standing: Standing) -> bool {
        self.lanes.iter().any(|lane| lane.stretches.iter().any(|stretch| stretch.2 == standing))
    }

    /// Whether anything was done to any of them.
    pub(crate) fn has_moments(&self) -> bool {
        self.lanes.iter().any(|lane| !lane.moments.is_empty())
    }

    /// Whether the lane of that place is the first of its zone; never where
    /// no node has a zone.
    pub(crate) fn begins_zone(&self, place: usize) -> bool {
        let zoned = self.lanes.iter().any(|lane| !lane.zone.is_empty());
        zoned && (place == 0 || self.lanes[place - 1].zone != self.lanes[place].zone)
    }

    /// How many nodes have no lane, in words.
    pub(crate) fn rest(&self) -> Option<String> {
        let s = if self.left_out == 1 { "" } else { "s" };
        let what = if self.left_out == self.calm_left_out { ", ready all the time" } else { " in which less happened" };
        (self.left_out > 0).then(|| format!("and {} more node{s}{what}", self.left_out))
    }
}

impl NodeLane {
    /// `zone a`.
    pub(crate) fn zone_name(&self) -> String {
        if self.zone.is_empty() { "no zone".to_string() } else { format!("zone {}", self.zone) }
    }

    /// Whether it was there and ready all the time.
    fn is_calm(&self) -> bool {
        matches!(self.stretches[..], [(_, _, Standing::Ready)])
    }
}

/// When something was done to each node.
fn moments(trace: &Trace, from: SimTime, end: SimTime) -> BTreeMap<&str, Vec<(SimTime, RecordId)>> {
    let mut moments: BTreeMap<&str, Vec<(SimTime, RecordId)>> = BTreeMap::new();
    for (i, record) in trace.records.iter().enumerate() {
        let done = matches!(record.what, What::Action(_)) && record.at >= from && record.at < end;
        let subject = trace.subject(record.subject);
        if done && subject.kind == Kind::Node {
            let of_node = moments.entry(&*subject.name).or_default();
            if of_node.last().is_none_or(|last| last.0 != record.at) {
                of_node.push((record.at, RecordId(i as u32)));
            }
        }
    }
    moments
}

/// How a node stands as a place in [`Standing::ALL`], from 1; 0 while it is
/// not in the API. What does not last is left out.
fn standing(node: &NodeLoad) -> Steps {
    let base = node.present.zip_with(&node.ready, |present, ready| match (present, ready) {
        (0, _) => 0,
        (_, 0) => 3,
        _ => 1,
    });
    let open = base.zip_with(&node.cordoned, |base, cordoned| if base == 1 && cordoned == 1 { 2 } else { base });
    let all = open.zip_with(&node.evicting, |open, evicting| if open > 0 && evicting == 1 { 4 } else { open });
    all.lasting(super::SHORTEST)
}

fn lane(node: &NodeLoad, moments: Vec<(SimTime, RecordId)>, from: SimTime, end: SimTime) -> NodeLane {
    let state = |value: i64| usize::try_from(value - 1).ok().and_then(|place| Standing::ALL.get(place).copied());
    let stretches = standing(node)
        .pieces(from, end)
        .filter_map(|(since, until, value)| state(value).map(|standing| (since, until, standing)))
        .collect();
    let pods = node.pods.lasting(super::SHORTEST);
    let (most, last) = (pods.max_over(from, end), pods.at(SimTime(end.0.saturating_sub(1))));
    let note = if most == last { super::sentence::pods(most) } else { format!("max {most}, end {last}") };
    NodeLane { name: node.name.clone(), zone: node.zone.clone(), stretches, moments, pods, note }
}

/// The places of lanes, those in which most happens first.
pub(crate) fn ranking(lanes: &[NodeLane]) -> Vec<usize> {
    // That a node stands otherwise says more than that pods come and go.
    let happens =
        |lane: &NodeLane| (!lane.is_calm(), lane.stretches.len() + lane.moments.len(), lane.pods.points().len());
    let mut places: Vec<usize> = (0..lanes.len()).collect();
    places.sort_by_cached_key(|&place| std::cmp::Reverse(happens(&lanes[place])));
    places
}

/// So many lanes in which most happens, in their order.
fn busiest(mut lanes: Vec<NodeLane>, most: usize) -> Vec<NodeLane> {
    let mut places = ranking(&lanes);
    places.truncate(most);
    places.sort_unstable();
    let mut place = 0;
    lanes.retain(|_| {
        place += 1;
        places.binary_search(&(place - 1)).is_ok()
    });
    lanes
}

/// `3 of 15 not ready for a time, 2 cordoned, 1 joined, 1 gone`.
pub(crate) fn headline(nodes: &[NodeLoad], from: SimTime, end: SimTime) -> String {
    let count = |holds: &dyn Fn(&NodeLoad) -> bool| nodes.iter().filter(|node| holds(node)).count();
    let moved = |node: &NodeLoad, to: i64| {
        let mut points = node.present.points().iter();
        points.any(|&(at, value)| value == to && at > SimTime::ZERO && at >= from && at < end)
    };
    let unready = |node: &NodeLoad| node.present.zip_with(&node.ready, |p, r| p - r).lasting(super::SHORTEST);
    let parts = [
        (count(&|node| unready(node).max_over(from, end) > 0), "not ready for a time"),
        (count(&|node| node.cordoned.max_over(from, end) > 0), "cordoned"),
        (count(&|node| node.evicting.max_over(from, end) > 0), "tainted so that pods have to go"),
        (count(&|node| moved(node, 1)), "joined"),
        (count(&|node| moved(node, 0)), "gone"),
    ];
    let all = count(&|node| node.present.max_over(from, end) > 0);
    let told = parts.iter().filter(|part| part.0 > 0).enumerate();
    let words = told.map(|(i, (number, word))| match i {
        0 => format!("{number} of {all} {word}"),
        _ => format!("{number} {word}"),
    });
    match words.collect::<Vec<String>>().join(", ") {
        none if none.is_empty() => format!("all {all} ready all the time"),
        told => told,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(points: &[(u64, i64)]) -> Steps {
        points.iter().map(|&(at, value)| (SimTime::from_secs(at), value)).collect()
    }

    fn node(name: &str, ready: &[(u64, i64)]) -> NodeLoad {
        let always = [(0, 1)];
        NodeLoad { name: name.into(), present: steps(&always), ready: steps(ready), ..NodeLoad::default() }
    }

    #[test]
    fn the_worst_of_how_a_node_stands_is_shown() {
        let sick = NodeLoad {
            present: steps(&[(10, 1), (90, 0)]),
            ready: steps(&[(10, 1), (40, 0), (90, 0)]),
            cordoned: steps(&[(20, 1), (30, 0), (35, 1), (90, 0)]),
            evicting: steps(&[(60, 1), (90, 0)]),
            ..NodeLoad::default()
        };
        let lane = lane(&sick, Vec::new(), SimTime::from_secs(5), SimTime::from_secs(100));
        let told: Vec<(u64, u64, Standing)> =
            lane.stretches.iter().map(|s| (s.0.0 / 1_000_000_000, s.1.0 / 1_000_000_000, s.2)).collect();
        let wanted = [
            (10, 20, Standing::Ready),
            (20, 30, Standing::Cordoned),
            (30, 35, Standing::Ready),
            (35, 40, Standing::Cordoned),
            (40, 60, Standing::Unready),
            (60, 90, Standing::Evicting),
        ];
        assert_eq!(told, wanted);
        let said = headline(&[sick], SimTime::from_secs(5), SimTime::from_secs(100));
        assert_eq!(
            said,
            "1 of 1 not ready for a time, 1 cordoned, 1 tainted so that pods have to go, 1 joined, 1 gone"
        );
        assert_eq!(headline(&[node("a", &[(0, 1)])], SimTime::ZERO, SimTime::from_secs(9)), "all 1 ready all the time");
    }

    #[test]
    fn of_many_nodes_those_are_kept_in_which_something_happens() {
        let (from, end) = (SimTime::ZERO, SimTime::from_secs(100));
        let of = |i: u64| {
            let ready: &[(u64, i64)] = if i == 77 { &[(0, 1), (50, 0)] } else { &[(0, 1)] };
            lane(&node(&format!("a-{i}"), ready), Vec::new(), from, end)
        };
        let kept = busiest((1..=100).map(of).collect(), MOST_LANES);
        assert_eq!(kept.len(), MOST_LANES);
        assert_eq!(kept[MOST_LANES - 1].name, "a-77");
        assert_eq!(kept[0].name, "a-1");
    }
}
