//! Preemption: which less important pods would have to go for a pod that
//! fits nowhere.

use super::attempt::Cycle;
use super::filter::Supposed;
use super::nodes::NodeRow;
use super::reasons::{Reasons, Refusals};
use super::{Budget, Budgets, Known, KubeScheduler};
use crate::api::Key;
use crate::time::Timestamp;
use std::cmp::Reverse;

/// At least this many of the nodes that may do are tried, or a tenth of them
/// if that is more.
///
/// Upstream: `pkg/scheduler/apis/config/v1/defaults.go SetDefaults_DefaultPreemptionArgs`
const LEAST_CANDIDATES: usize = 100;

/// A node and the pods that would have to go.
struct Victims {
    slot: u32,
    /// The most important one first.
    pods: Vec<Known>,
    /// How many of them a disruption budget protects.
    violations: usize,
}

/// What preemption comes to.
pub(super) enum Preemption {
    /// These go, and the pod expects to get their node.
    Victims { slot: u32, pods: Vec<Key> },
    /// Nothing; in kube-scheduler's words.
    Nothing(String),
}

impl KubeScheduler {
    /// Looks for pods to make go.
    ///
    /// Upstream: `pkg/scheduler/framework/preemption/preemption.go Preempt`
    pub(super) fn preempt(
        &self,
        cycle: &Cycle,
        refused: &[(u32, Reasons)],
        budgets: Budgets<'_>,
        draw: (&str, u64),
    ) -> Preemption {
        if let Some(words) = self.is_not_eligible(cycle, refused) {
            return Preemption::Nothing(words.to_string());
        }
        let mut may: Vec<u32> =
            refused.iter().filter(|(_, reasons)| reasons.may_be_mended()).map(|(slot, _)| *slot).collect();
        let wanted = LEAST_CANDIDATES.max(may.len() / 10).min(may.len());
        if !may.is_empty() {
            let offset = self.offset(may.len(), draw);
            may.rotate_left(offset);
        }
        let budgets = if may.is_empty() { Vec::new() } else { budgets() };
        let mut refusals = Refusals::default();
        let (mut found, mut harmless) = (Vec::new(), 0);
        for slot in may {
            match self.select_victims(cycle, slot, &budgets) {
                Ok(victims) => {
                    harmless += usize::from(victims.violations == 0);
                    found.push(victims);
                    if harmless > 0 && found.len() >= wanted {
                        break;
                    }
                }
                Err(reasons) => refusals.add(reasons, 1),
            }
        }
        // Candidates that no budget protects come first.
        found.sort_by_key(|victims| victims.violations > 0);
        match found.into_iter().min_by_key(rank) {
            Some(best) => {
                let pods = best.pods.iter().map(|bound| bound.pod).collect();
                Preemption::Victims { slot: best.slot, pods }
            }
            None => {
                let tried = refused.iter().filter(|(_, reasons)| reasons.may_be_mended()).count();
                refusals.add(Reasons::NOT_HELPFUL, (self.nodes.len() - tried) as u32);
                Preemption::Nothing(refusals.sentence(self.nodes.len(), cycle.template()))
            }
        }
    }

    /// Upstream: `pkg/scheduler/framework/plugins/defaultpreemption/default_preemption.go PodEligibleToPreemptOthers`
    fn is_not_eligible(&self, cycle: &Cycle, refused: &[(u32, Reasons)]) -> Option<&'static str> {
        if cycle.never_preempts {
            return Some("not eligible due to preemptionPolicy=Never.");
        }
        let nominated = self.nominated_node(cycle.pod)?;
        let lost = |(slot, reasons): &(u32, Reasons)| *slot == nominated && !reasons.may_be_mended();
        if refused.iter().any(lost) {
            return None;
        }
        let leaving = |bound: &Known| bound.priority < cycle.priority && self.preempted.contains(&bound.pod);
        self.known_on(nominated)
            .any(|known| leaving(&known))
            .then_some("not eligible due to a terminating pod on the nominated node.")
    }

    /// All less important pods are supposed to go; then as many as possible
    /// may stay, the protected and the more important ones first.
    ///
    /// Upstream: `pkg/scheduler/framework/plugins/defaultpreemption/default_preemption.go SelectVictimsOnNode`
    fn select_victims(&self, cycle: &Cycle, slot: u32, budgets: &[Budget]) -> Result<Victims, Reasons> {
        let Some(row) = self.nodes.get(slot) else { return Err(Reasons::NOT_HELPFUL) };
        let mut lesser: Vec<Known> = self.known_on(slot).filter(|known| known.priority < cycle.priority).collect();
        if lesser.is_empty() {
            return Err(Reasons::NO_VICTIMS);
        }
        let mut gone = vec![true; lesser.len()];
        lesser.sort_by_key(importance);
        let fits = |gone: &[bool]| self.fits_without(cycle, row, &lesser, gone);
        let reasons = fits(&gone);
        if !reasons.is_empty() {
            return Err(reasons);
        }
        let protected = self.protected(&lesser, budgets);
        let (mut violations, order) = (0, [true, false]);
        for by_budget in order {
            for i in (0..lesser.len()).filter(|i| protected[*i] == by_budget) {
                gone[i] = false;
                if !fits(&gone).is_empty() {
                    gone[i] = true;
                    violations += usize::from(by_budget);
                }
            }
        }
        let pods: Vec<Known> = lesser.iter().zip(&gone).filter(|(_, gone)| **gone).map(|(b, _)| *b).collect();
        if pods.is_empty() { Err(Reasons::NOT_HELPFUL) } else { Ok(Victims { slot, pods, violations }) }
    }

    fn fits_without(&self, cycle: &Cycle, row: &NodeRow, lesser: &[Known], gone: &[bool]) -> Reasons {
        let leaving = lesser.iter().zip(gone).filter(|(_, gone)| **gone);
        let supposed: Vec<Supposed> =
            leaving.map(|(bound, _)| Supposed { class: bound.class, live: bound.live, by: -1 }).collect();
        self.against_with_nominated(cycle, row.key.slot, &supposed)
    }

    /// Which pods a disruption budget protects.
    ///
    /// Upstream: `pkg/scheduler/framework/plugins/defaultpreemption/default_preemption.go filterPodsWithPDBViolation`
    fn protected(&self, pods: &[Known], budgets: &[Budget]) -> Vec<bool> {
        let mut left: Vec<i32> = budgets.iter().map(|budget| budget.allowed).collect();
        let mut is_protected = |bound: &Known| {
            let class = self.classes.get(bound.class);
            let mut violated = false;
            for (budget, left) in budgets.iter().zip(&mut left) {
                let meant = budget.namespace == class.namespace
                    && !budget.selector.is_empty()
                    && budget.selector.matches(&class.labels)
                    && !budget.disrupted.contains(&bound.pod);
                if meant {
                    *left -= 1;
                    violated |= *left < 0;
                }
            }
            violated
        };
        pods.iter().map(&mut is_protected).collect()
    }

    fn offset(&self, among: usize, draw: (&str, u64)) -> usize {
        match self.ties {
            super::Ties::InOrder => 0,
            super::Ties::Drawn(draws) => draws.index("preempt", draw.0, draw.1, among),
        }
    }
}

/// More important first: priority, then age.
///
/// Upstream: `pkg/scheduler/util/utils.go MoreImportantPod`
fn importance(bound: &Known) -> (Reverse<i32>, Timestamp) {
    (Reverse(bound.priority), bound.since)
}

/// The least comes first: fewer protected victims, a less important first
/// victim, a lower sum of priorities, fewer victims, and victims that started
/// later.
///
/// Upstream: `pkg/scheduler/framework/preemption/preemption.go pickOneNodeForPreemption`
fn rank(victims: &Victims) -> (usize, i32, i64, usize, Reverse<Timestamp>) {
    let highest = victims.pods.iter().map(|b| b.priority).max().unwrap_or(i32::MIN);
    let sum = victims.pods.iter().map(|b| i64::from(b.priority) + i64::from(i32::MAX) + 1).sum();
    let earliest = victims.pods.iter().filter(|b| b.priority == highest).map(|b| b.since).min();
    (victims.violations, highest, sum, victims.pods.len(), Reverse(earliest.unwrap_or(Timestamp(0))))
}
