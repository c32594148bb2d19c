//! A timeline that grows with its trace.

use super::fold::Fold;
use super::{Capacity, NodeLoad, Series, Workload};
use crate::api::Kind;
use crate::trace::{Record, Trace};
use std::fmt;

/// Step functions of a run that goes on: the last value of each is what holds
/// now.
#[derive(Clone, Default)]
pub struct Growing {
    fold: Option<Fold>,
    seen: usize,
}

impl Growing {
    /// Takes in the records that have come since the last time, and returns
    /// them. The trace must be the same each time, and nothing of it may have
    /// been forgotten.
    pub fn follow<'t>(&mut self, trace: &'t Trace) -> impl Iterator<Item = &'t Record> + use<'t> {
        let fold = self.fold.get_or_insert_with(|| Fold::new(trace));
        let new = trace.records.iter().skip(self.seen);
        fold.cast(trace, new.clone());
        for record in new.clone() {
            fold.advance(record.at);
            fold.record(trace, record);
        }
        fold.finish_instant();
        self.seen = trace.records.len();
        new
    }

    /// The workload of that kind, namespace and name, if there has been one.
    pub fn workload(&self, kind: Kind, namespace: &str, name: &str) -> Option<&Workload> {
        let fits = |w: &&Workload| w.kind == kind && w.namespace == namespace && w.name == name;
        self.workloads().iter().find(fits)
    }

    /// All workloads there have been.
    pub fn workloads(&self) -> &[Workload] {
        self.fold.as_ref().map_or(&[], |fold| &fold.workloads)
    }

    /// What the machines offer and what is asked of them.
    pub fn capacity(&self) -> Option<&Capacity> {
        self.fold.as_ref().map(|fold| &fold.capacity)
    }

    /// The nodes there have been.
    pub fn nodes(&self) -> &[NodeLoad] {
        self.fold.as_ref().map_or(&[], |fold| &fold.nodes)
    }
}

impl fmt::Debug for Growing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Growing").field("seen", &self.seen).finish_non_exhaustive()
    }
}

impl Workload {
    /// Whether the latest rollout is over now: every wanted pod is updated and
    /// available, no other is wanted, and nothing newer was asked for.
    ///
    /// Upstream: `staging/src/k8s.io/kubectl/pkg/polymorphichelpers/rollout_status.go Status`
    pub fn is_complete(&self) -> bool {
        let now = |series: Series| self.series(series).last();
        let desired = now(Series::Desired);
        let settled = now(Series::Updated) >= desired && now(Series::Available) >= desired;
        settled && now(Series::Counted) <= desired && self.rollouts().last().is_none_or(|r| r.end.is_some())
    }
}
