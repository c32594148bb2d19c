//! What the runs of a workload wrote outside the cluster.

use super::{Series, Steps};
use crate::time::SimTime;
use crate::trace::{Symbol, What};
use rustc_hash::FxHashMap;

/// One write.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Write {
    /// When.
    pub at: SimTime,
    /// Under which key.
    pub key: String,
    /// How often the key had been written before, by anybody.
    pub before: u32,
}

/// Counts writes by key; the keys of all workloads are of one world.
#[derive(Clone, Default)]
pub(super) struct Ledger {
    writes: FxHashMap<Symbol, u32>,
}

impl Ledger {
    /// Counts a write or a loss, and answers which series of its workload it
    /// raises, and how often the key was written before.
    pub(super) fn count(&mut self, what: What) -> (&'static [Series], u32) {
        match what {
            What::Wrote { key } => {
                let count = self.writes.entry(key).or_insert(0);
                *count += 1;
                match *count {
                    1 => (&[Series::Effects], 0),
                    n => (&[Series::Effects, Series::Duplicates], n - 1),
                }
            }
            What::Lost { .. } => (&[Series::Lost], 0),
            _ => (&[], 0),
        }
    }
}

/// One more from a moment on.
pub(super) fn raise(steps: &mut Steps, at: SimTime) {
    let next = steps.last() + 1;
    steps.set(at, next);
}
