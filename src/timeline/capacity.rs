//! What the machines offer, what is asked of them, and where pods are ready.

use super::{NodeLoad, Series, Steps, Timeline, Workload};
use crate::api::{Kind, Resources};
use crate::time::{SimTime, Span};
use crate::trace::{Record, Trace, What};
use std::collections::BTreeSet;

/// Of one resource, in hundredths: of a core, or of a GiB.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Band {
    /// What the nodes in the API offer.
    pub allocatable: Steps,
    /// What the pods on nodes ask for.
    pub requested: Steps,
    /// What the pods without a node ask for.
    pub pending: Steps,
}

/// The cluster as a whole over time.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Capacity {
    /// Nodes in the API.
    pub nodes: Steps,
    /// Those of them that are not ready.
    pub unready: Steps,
    /// Cores.
    pub cpu: Band,
    /// Memory.
    pub memory: Band,
    /// The zones that nodes are in, by name.
    pub zones: Vec<String>,
    /// Until when that is known; nothing while the run goes on.
    pub(super) until: Option<SimTime>,
}

/// Who waits for less has not waited for room.
const AT_ONCE: Span = Span::from_secs(1);

impl Capacity {
    /// Whether the machines are part of what happened: nodes came or went
    /// after the beginning, or pods waited for room.
    pub fn tells(&self) -> bool {
        self.moves() || self.waited()
    }

    /// Whether nodes came or went after the beginning.
    fn moves(&self) -> bool {
        self.nodes.points().iter().any(|point| point.0 > SimTime::ZERO)
    }

    fn waited(&self) -> bool {
        // What is asked for at the very end has not waited yet.
        let end = self.until.unwrap_or(SimTime::MAX);
        let waited = |band: &&Band| {
            let pending = band.pending.lasting(AT_ONCE);
            pending.pieces(SimTime::ZERO, end).any(|(from, to, asked)| asked > 0 && to.since(from) >= AT_ONCE)
        };
        [&self.cpu, &self.memory].iter().any(waited)
    }

    /// The last moment at which anything about it changed.
    pub(crate) fn last_change(&self) -> SimTime {
        let all = [&self.nodes, &self.unready, &self.cpu.pending, &self.memory.pending];
        all.iter().filter_map(|steps| steps.points().last()).map(|point| point.0).max().unwrap_or_default()
    }
}

impl NodeLoad {
    /// Whether anything became of it after the beginning: it came or went, it
    /// was cordoned or not ready, or its pods had to go.
    pub fn tells(&self) -> bool {
        self.last_change().is_some()
    }

    /// Of how it stands, leaving out what does not last, the last change after
    /// the beginning.
    pub(crate) fn last_change(&self) -> Option<SimTime> {
        let all = [&self.present, &self.ready, &self.cordoned, &self.evicting];
        let last = |steps: &&Steps| steps.lasting(AT_ONCE).points().last().map(|point| point.0);
        all.iter().filter_map(last).filter(|&at| at > SimTime::ZERO).max()
    }

    /// When it was first cordoned, not ready, gone or tainted so that its pods
    /// had to go. That nodes come while a cluster is set up is no trouble.
    pub(crate) fn first_trouble(&self) -> Option<SimTime> {
        let good = [(&self.present, 0), (&self.ready, 0), (&self.cordoned, 1), (&self.evicting, 1)];
        let bad = |(steps, value): (&Steps, i64)| {
            let lasting = steps.lasting(AT_ONCE);
            let mut points = lasting.points().iter().skip_while(|point| value == 0 && point.1 == 0);
            points.find(|point| point.1 == value && point.0 > SimTime::ZERO).map(|point| point.0)
        };
        good.into_iter().filter_map(bad).min()
    }
}

/// A workload's pods in one zone.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ZoneLoad {
    /// The zone.
    pub zone: String,
    /// Its ready pods that are not being deleted.
    pub ready: Steps,
    /// Its pods on nodes, those being deleted included.
    pub on_node: Steps,
    /// Its pods on nodes that are not being deleted.
    pub active: Steps,
}

impl Workload {
    /// Whether zones are part of what happened to it: one that lost several
    /// nodes had two of its ready pods or more and lost all of them, while
    /// other zones kept some.
    pub fn tells_zones(&self, timeline: &Timeline) -> bool {
        let Some(settled) = self.settled().filter(|_| self.zones.len() > 1) else { return false };
        let (desired, ready) = (self.series(Series::Desired), self.series(Series::Ready));
        let wanted = desired.at(settled);
        let emptied = |load: &&ZoneLoad| {
            let alone = load.ready.zip_with(ready, |here, all| i64::from(here == 0 && all > 0)).lasting(AT_ONCE);
            let mut empty = alone.pieces(settled, timeline.end()).filter(|piece| piece.2 == 1);
            load.ready.at(settled) >= 2 && empty.any(|(since, _, _)| desired.at(since) >= wanted)
        };
        self.zones.iter().filter(emptied).any(|load| {
            let of_zone = timeline.nodes.iter().filter(|node| node.zone == load.zone);
            let sound = |node: &NodeLoad| node.ready.zip_with(&node.cordoned, |ready, cordoned| ready - cordoned);
            let sound = of_zone.fold(Steps::default(), |sum, node| sum.zip_with(&sound(node), |a, b| a + b));
            sound.at(settled) - sound.min_over(settled, timeline.end()) >= 2
        })
    }
}

/// Running sums of [`Capacity`].
#[derive(Clone, Default)]
pub(super) struct Sums {
    nodes: i64,
    allocatable: Resources,
    requested: Resources,
    pending: Resources,
}

/// Millicores and thousandths of a byte as hundredths of a core and of a GiB.
const fn hundredths(of: &Resources) -> (i64, i64) {
    (of.cpu_milli / 10, of.memory_milli / 10 / (1 << 30))
}

impl Capacity {
    /// A node comes or goes.
    pub(super) fn node(&mut self, sums: &mut Sums, room: &Resources, comes: bool, at: SimTime) {
        if comes {
            sums.allocatable.add(room);
        } else {
            sums.allocatable.remove(room);
        }
        sums.nodes += if comes { 1 } else { -1 };
        self.nodes.set(at, sums.nodes);
        let (cpu, memory) = hundredths(&sums.allocatable);
        self.cpu.allocatable.set(at, cpu);
        self.memory.allocatable.set(at, memory);
    }

    /// A pod's requests come to nodes, or leave them.
    pub(super) fn requests(&mut self, sums: &mut Sums, room: &Resources, (on, pending): (i64, i64), at: SimTime) {
        let step = |sum: &mut Resources, by: i64| match by {
            1.. => sum.add(room),
            0 => {}
            _ => sum.remove(room),
        };
        step(&mut sums.requested, on);
        step(&mut sums.pending, pending);
        if on != 0 {
            let (cpu, memory) = hundredths(&sums.requested);
            self.cpu.requested.set(at, cpu);
            self.memory.requested.set(at, memory);
        }
        if pending != 0 {
            let (cpu, memory) = hundredths(&sums.pending);
            self.cpu.pending.set(at, cpu);
            self.memory.pending.set(at, memory);
        }
    }
}

/// The subjects whose creation is among the records; the other nodes have been
/// there before.
pub(super) fn made<'t>(trace: &Trace, records: impl Iterator<Item = &'t Record>) -> BTreeSet<u32> {
    let made = records.filter(|record| record.what == What::Created);
    made.map(|record| record.subject.0).filter(|id| trace.subjects[*id as usize].kind == Kind::Node).collect()
}
