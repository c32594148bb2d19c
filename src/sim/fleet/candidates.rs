//! Machines that may go soon are marked, so that new pods rather go elsewhere.

use super::{DELAY_AFTER_FAILURE, Fleet};
use crate::api::{Effect, Key, Taint};
use crate::sim::Simulation;

/// The taint of a machine that is not needed at present.
const CANDIDATE: &str = "DeletionCandidateOfClusterAutoscaler";

/// The most machines that are marked or unmarked in one scan.
///
/// Upstream: `cluster-autoscaler/config/flags/flags.go max-bulk-soft-taint-count`
const MOST: usize = 10;

impl Simulation {
    /// Marks the machines that are not needed and takes the mark off those that
    /// are, unless it is too soon after a change.
    ///
    /// Upstream: `cluster-autoscaler/core/scaledown/actuation/softtaint.go UpdateSoftDeletionTaints`
    pub(super) fn mark_candidates(&mut self, fleet: &Fleet) {
        let since = |at: Option<crate::time::SimTime>, least| at.is_none_or(|at| self.now.since(at) >= least);
        if fleet.leaving.is_some() || !since(fleet.last_failed, DELAY_AFTER_FAILURE) {
            return;
        }
        let mut changes: Vec<(Key, bool)> = Vec::new();
        for group in &fleet.groups {
            let Some((_, scale)) = Fleet::scale(&self.setup, group) else { continue };
            if !since(fleet.last_added, scale.delay_after_add) {
                continue;
            }
            for machine in &group.machines {
                let Some(node) = self.store.objects().nodes.get(machine.node) else { continue };
                let marked = node.taints.iter().any(|taint| taint.key == CANDIDATE);
                if marked != machine.unneeded_since.is_some() {
                    changes.push((machine.node, !marked));
                }
            }
        }
        changes.sort_by_key(|(_, mark)| !mark);
        changes.truncate(MOST);
        for &(node, mark) in &changes {
            let value = self.store.now.0.to_string();
            let taint = Taint { key: CANDIDATE.to_string(), value, effect: Effect::PreferNoSchedule };
            let cause = self.recorder.latest_of(node.uid);
            let _gone_already = self.write_taint(node, &taint, mark, cause);
        }
        if !changes.is_empty() {
            self.publish();
        }
    }
}
