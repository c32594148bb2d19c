//! One attempt to find a node for a pod.

use super::class::{Asks, ClassId};
use super::filter::{Asking, Suppose, Supposed};
use super::fit::{Fit, examine};
use super::preempt::Preemption;
use super::reasons::{Reasons, Refusals};
use super::score::Candidate;
use super::volumes::ClaimRules;
use super::{Budgets, KubeScheduler};
use crate::api::{Key, Pod, PodTemplate};
use crate::time::SimTime;

/// No fewer nodes than this are looked for.
///
/// Upstream: `pkg/scheduler/schedule_one.go minFeasibleNodesToFind`
const LEAST_NODES: usize = 100;

/// What an attempt comes to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Attempt {
    /// The pod goes to this node.
    Bind(Key),
    /// No node will do.
    Fail {
        /// In kube-scheduler's words.
        message: String,
        /// Less important pods that are made to go for it, and from which
        /// node.
        victims: Option<(Key, Vec<Key>)>,
    },
}

/// What an attempt is about.
pub(super) struct Cycle {
    pub(super) pod: Key,
    class: ClassId,
    pub(super) priority: i32,
    pub(super) never_preempts: bool,
    fit: Fit,
    asks: Asks,
    claims: ClaimRules,
}

/// A failure that holds for all pods of a class until something changes.
#[derive(Clone, Debug)]
pub(super) struct Memo {
    state: u64,
    message: String,
    reasons: Reasons,
}

/// What looking at the nodes has given.
#[derive(Clone, Debug, Default)]
pub(super) struct Found {
    candidates: Vec<Candidate>,
    refused: Vec<(u32, Reasons)>,
}

/// How many nodes that will do are enough: half of them in a small cluster,
/// a smaller share in a larger one, 5 % at least.
///
/// Upstream: `pkg/scheduler/schedule_one.go numFeasibleNodesToFind`
fn enough(nodes: usize) -> usize {
    let percentage = 50_usize.saturating_sub(nodes / 125).max(5);
    (nodes * percentage / 100).max(LEAST_NODES).min(nodes)
}

impl KubeScheduler {
    /// Looks for a node for the pod in hand. `budgets` is only asked when
    /// other pods may have to go.
    ///
    /// Upstream: `pkg/scheduler/schedule_one.go schedulingCycle`
    pub fn attempt(&mut self, key: Key, pod: &Pod, claims: ClaimRules, budgets: Budgets<'_>, now: SimTime) -> Attempt {
        let Some(known) = self.known(key) else {
            return Attempt::Fail { message: String::new(), victims: None };
        };
        let (class, priority) = (known.class, known.priority);
        if self.nodes.len() == 0 {
            self.queue.park(key, Reasons::NO_NODES, now);
            let message = "no nodes available to schedule pods".to_string();
            return Attempt::Fail { message, victims: None };
        }
        let plain = claims.is_empty() && pod.pinned.is_none() && self.nominated_node(key).is_none();
        if let Some(memo) = self.memos.get(&(class, priority)).filter(|memo| plain && memo.state == self.state) {
            let (message, reasons) = (memo.message.clone(), memo.reasons);
            self.queue.park(key, reasons, now);
            return Attempt::Fail { message, victims: None };
        }
        self.nodes.sort();
        let never_preempts = self.priority_classes.never_preempts(&pod.template.placement);
        let (fit, asks) = (self.take_fit(&pod.template), self.take_asks(class));
        let mut cycle = Cycle { pod: key, class, priority, never_preempts, fit, asks, claims };
        let subject = (pod.meta.name.clone(), u64::from(self.queue.failures(key)));
        let outcome = self.run(&mut cycle, pod, (&subject.0, subject.1), budgets, now, plain);
        self.fits.insert(std::sync::Arc::as_ptr(&pod.template) as usize, cycle.fit);
        self.asks.insert(class, cycle.asks);
        outcome
    }

    fn run(
        &mut self,
        cycle: &mut Cycle,
        pod: &Pod,
        draw: (&str, u64),
        budgets: Budgets<'_>,
        now: SimTime,
        plain: bool,
    ) -> Attempt {
        let mut found = std::mem::take(&mut self.found);
        found.candidates.clear();
        found.refused.clear();
        let named = self.named_nodes(pod);
        let refusals = self.look(cycle, named.as_deref(), &mut found);
        let outcome = if let Some(slot) = self.pick(cycle, &found, draw) {
            self.nodes.get(slot).map(|row| Attempt::Bind(row.key))
        } else {
            None
        };
        let outcome = outcome
            .unwrap_or_else(|| self.fail(cycle, &found, &refusals, (budgets, draw), now, plain && named.is_none()));
        self.found = found;
        outcome
    }

    /// The nodes that a pod may only run on because it names them.
    ///
    /// Upstream: `pkg/scheduler/framework/plugins/nodeaffinity/node_affinity.go PreFilter`
    fn named_nodes(&self, pod: &Pod) -> Option<Vec<u32>> {
        if let Some(name) = &pod.pinned {
            return Some(self.nodes.find(name).into_iter().collect());
        }
        let terms = &pod.template.node_affinity;
        let mut names: Vec<&String> = Vec::new();
        for term in terms {
            let mut fields = term.iter().filter(|m| m.field && m.operator == crate::api::Operator::In);
            names.extend(&fields.next()?.values);
        }
        let mut slots: Vec<u32> = names.iter().filter_map(|name| self.nodes.find(name)).collect();
        slots.sort_unstable();
        slots.dedup();
        (!terms.is_empty()).then_some(slots)
    }

    /// Looks at nodes until enough of them will do, beginning where the last
    /// pod's search ended.
    ///
    /// Upstream: `pkg/scheduler/schedule_one.go findNodesThatFitPod`
    fn look(&mut self, cycle: &mut Cycle, named: Option<&[u32]>, found: &mut Found) -> Refusals {
        let all = self.nodes.len();
        let mut refusals = Refusals::default();
        if let Some(slot) = self.nominated_node(cycle.pod) {
            let asking = Asking::new(&cycle.asks, &self.tallies, &self.classes);
            if let Ok(candidate) = self.judge(slot, &asking, &mut cycle.fit, &cycle.claims, cycle.pod, cycle.priority) {
                found.candidates.push(candidate);
                return refusals;
            }
        }
        let order = named.unwrap_or_else(|| self.nodes.order());
        let wanted = enough(order.len());
        let asking = Asking::new(&cycle.asks, &self.tallies, &self.classes);
        for i in 0..order.len() {
            let slot = order[(self.start + i) % order.len()];
            match self.judge(slot, &asking, &mut cycle.fit, &cycle.claims, cycle.pod, cycle.priority) {
                Ok(_) if found.candidates.len() == wanted => break,
                Ok(candidate) => found.candidates.push(candidate),
                Err(reasons) => {
                    refusals.add(reasons, 1);
                    found.refused.push((slot, reasons));
                }
            }
        }
        self.start = (self.start + found.candidates.len() + found.refused.len()) % all;
        if named.is_some() {
            refusals.add(Reasons::NOT_NAMED, (all - order.len()) as u32);
            refusals.all = refusals.all.with(Reasons::NODE_AFFINITY);
        }
        refusals
    }

    /// Whether a node will do. Pods that are at least as important and expect
    /// to get a place on it count as if they were there.
    ///
    /// Upstream: `pkg/scheduler/framework/runtime/framework.go RunFilterPluginsWithNominatedPods`
    fn judge(
        &self,
        slot: u32,
        asking: &Asking<'_>,
        fit: &mut Fit,
        claims: &ClaimRules,
        pod: Key,
        priority: i32,
    ) -> Result<Candidate, Reasons> {
        let version = self.nodes.versions[slot as usize];
        let known = fit.known(slot, version);
        let Some(entry) = known.or_else(|| self.nodes.get(slot).map(|row| fit.of(row, version))) else {
            return Err(Reasons::NOT_NAMED);
        };
        if !entry.reasons.is_empty() {
            return Err(entry.reasons);
        }
        if !self.nominations.is_empty() && self.nominations.contains_key(&slot) {
            let supposed = self.nominated_there(slot, pod, priority);
            let reasons = self.against(&fit.template, asking, claims, slot, &supposed);
            if !supposed.is_empty() && !reasons.is_empty() {
                return Err(reasons);
            }
        }
        if !claims.is_empty() && !self.nodes.get(slot).is_some_and(|row| claims.allow(&row.labels, &row.name)) {
            return Err(Reasons::VOLUMES);
        }
        let reasons = asking.against(slot);
        if reasons.is_empty() { Ok(Candidate { slot, fit: entry }) } else { Err(reasons) }
    }

    fn nominated_there(&self, slot: u32, pod: Key, priority: i32) -> Vec<Supposed> {
        let there = self.nominations.get(&slot).map_or(&[][..], Vec::as_slice);
        let counts = there.iter().filter(|n| n.priority >= priority && n.pod != pod);
        counts.map(|n| Supposed { class: n.class, live: true, by: 1 }).collect()
    }

    /// What speaks against a node if some pods left it, with and without the
    /// pods that expect to get a place there.
    pub(super) fn against_with_nominated(&self, cycle: &Cycle, slot: u32, supposed: &[Supposed]) -> Reasons {
        let asking = Asking::new(&cycle.asks, &self.tallies, &self.classes);
        let against = |pods: &[Supposed]| self.against(&cycle.fit.template, &asking, &cycle.claims, slot, pods);
        let mut more = self.nominated_there(slot, cycle.pod, cycle.priority);
        if !more.is_empty() {
            more.extend_from_slice(supposed);
            let reasons = against(&more);
            if !reasons.is_empty() {
                return reasons;
            }
        }
        against(supposed)
    }

    fn against(
        &self,
        template: &PodTemplate,
        asking: &Asking<'_>,
        claims: &ClaimRules,
        slot: u32,
        pods: &[Supposed],
    ) -> Reasons {
        let Some(row) = self.nodes.get(slot) else { return Reasons::NOT_NAMED };
        let mut row = row.clone();
        for pod in pods {
            let template = &self.classes.get(pod.class).template;
            if pod.by > 0 { row.take(template) } else { row.give_back(template) }
        }
        let reasons = examine(&row, template).reasons;
        if !reasons.is_empty() {
            reasons
        } else if !claims.allow(&row.labels, &row.name) {
            Reasons::VOLUMES
        } else {
            asking.against_if(Suppose { slot, pods })
        }
    }

    fn pick(&mut self, cycle: &Cycle, found: &Found, draw: (&str, u64)) -> Option<u32> {
        let asking = Asking::new(&cycle.asks, &self.tallies, &self.classes);
        let has_likes = !cycle.fit.template.placement.preferred_nodes.is_empty();
        let best = self.scratch.best(&found.candidates, &asking, has_likes, self.ties, draw);
        found.candidates.get(best).map(|candidate| candidate.slot)
    }

    fn fail(
        &mut self,
        cycle: &Cycle,
        found: &Found,
        refusals: &Refusals,
        (budgets, draw): (Budgets<'_>, (&str, u64)),
        now: SimTime,
        plain: bool,
    ) -> Attempt {
        let head = refusals.sentence(self.nodes.len());
        self.queue.park(cycle.pod, refusals.all, now);
        match self.preempt(cycle, &found.refused, budgets, draw) {
            Preemption::Victims { slot, pods } => {
                let node = self.nodes.get(slot).map(|row| row.key);
                self.nominate(cycle.pod, cycle.class, cycle.priority, slot);
                Attempt::Fail { message: head, victims: node.map(|node| (node, pods)) }
            }
            Preemption::Nothing(words) => {
                self.forget_nomination(cycle.pod);
                // Resource claims come first in kube-scheduler, and there are none.
                let message = format!("{head} no new claims to deallocate, preemption: {words}");
                if plain {
                    let memo = Memo { state: self.state, message: message.clone(), reasons: refusals.all };
                    self.memos.insert((cycle.class, cycle.priority), memo);
                }
                Attempt::Fail { message, victims: None }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::enough;

    /// The figures of upstream's documentation and tests.
    #[test]
    fn how_many_nodes_are_enough() {
        for (nodes, wanted) in
            [(10, 10), (100, 100), (200, 100), (1_000, 420), (5_000, 500), (6_000, 300), (20_000, 1_000)]
        {
            assert_eq!(enough(nodes), wanted, "{nodes}");
        }
    }
}
