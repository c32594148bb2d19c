//! What the machines offer, what is asked of them, and where pods are ready.

use super::Steps;
use crate::api::{Kind, Resources};
use crate::time::SimTime;
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
    /// Cores.
    pub cpu: Band,
    /// Memory.
    pub memory: Band,
    /// The zones that nodes are in, by name.
    pub zones: Vec<String>,
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
pub(super) fn made(trace: &Trace, records: &[Record]) -> BTreeSet<u32> {
    let made = records.iter().filter(|record| record.what == What::Created);
    made.map(|record| record.subject.0).filter(|id| trace.subjects[*id as usize].kind == Kind::Node).collect()
}
