//! One attempt to find a node for a pod.

use super::class::{Asks, ClassId};
use super::filter::{Asking, Suppose, Supposed};
use super::fit::{Fit, examine};
use super::preempt::Preemption;
use super::reasons::{Reasons, Refusals};
use super::volumes::ClaimRules;
use super::window::Window;
use super::{Budgets, KubeScheduler, Nominated};
use crate::api::{Key, Pod, PodTemplate};
use crate::environment::bits::{Bits, WORD, nth_one, ones};
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

impl Cycle {
    /// What the pod asks.
    pub(super) fn template(&self) -> &PodTemplate {
        &self.fit.template
    }
}

/// A failure that holds for all pods of a class until something changes.
#[derive(Clone, Debug)]
pub(super) struct Memo {
    state: u64,
    message: String,
    reasons: Reasons,
}

/// What looking at the nodes has given.
#[derive(Default)]
struct Found {
    /// The only node that it may be, as the pod names it or expects its place
    /// there.
    only: Option<u32>,
    /// What speaks against nodes, if none will do.
    refused: Vec<(u32, Reasons)>,
    refusals: Refusals,
    /// How many nodes were looked at.
    seen: usize,
}

/// What nodes are looked at for.
struct Search<'a> {
    asking: &'a Asking<'a>,
    claims: &'a ClaimRules,
    pod: Key,
    priority: i32,
}

/// How many nodes that will do are enough: half of them in a small cluster,
/// a smaller share in a larger one, 5 % at least.
///
/// Upstream: `pkg/scheduler/schedule_one.go numFeasibleNodesToFind`
pub(super) fn enough(nodes: usize) -> usize {
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
            self.queue.err(key, now);
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
        let (fit, asks) = (self.fits.take(&pod.template, &self.nodes.stock), self.take_asks(class));
        let mut cycle = Cycle { pod: key, class, priority, never_preempts, fit, asks, claims };
        let draw = (&*pod.meta.name, u64::from(self.queue.failures(key)));
        let outcome = self.run(&mut cycle, pod, draw, budgets, now, plain);
        self.fits.put(cycle.fit);
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
        let named = self.named_nodes(pod);
        let asked = cycle.asks.opened().chain(cycle.asks.of_others());
        self.tallies.lay_out(asked, &self.nodes);
        let mut scratch = std::mem::take(&mut self.scratch);
        let asking = Asking::new(&cycle.asks, &self.tallies, &self.classes);
        let found = self.look(cycle, &asking, named.as_deref(), &mut scratch.window);
        let order = self.nodes.order();
        let mut best = || scratch.best(&cycle.fit, &asking, &self.nodes, self.ties, draw);
        let slot = found.only.or_else(|| best().map(|place| order[place]));
        self.scratch = scratch;
        self.start = (self.start + found.seen) % self.nodes.len();
        match slot.and_then(|slot| self.nodes.key(slot)) {
            Some(node) => Attempt::Bind(node),
            None => self.fail(cycle, &found, (budgets, draw), now, plain && named.is_none()),
        }
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
            let first = fields.next()?;
            let others: Vec<_> = fields.collect();
            names.extend(first.values.iter().filter(|name| others.iter().all(|other| other.values.contains(name))));
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
    fn look(&self, cycle: &mut Cycle, asking: &Asking<'_>, named: Option<&[u32]>, window: &mut Window) -> Found {
        let search = Search { asking, claims: &cycle.claims, pod: cycle.pod, priority: cycle.priority };
        if let Some(slot) = self.nominated_node(cycle.pod)
            && self.judge(slot, &mut cycle.fit, &search).is_ok()
        {
            return Found { only: Some(slot), ..Found::default() };
        }
        if let Some(&[slot]) = named {
            if self.judge(slot, &mut cycle.fit, &search).is_ok() {
                return Found { only: Some(slot), seen: 1, ..Found::default() };
            }
        } else {
            let seen = self.skim(named, &mut cycle.fit, &search, window);
            if window.nodes() > 0 {
                return Found { seen, ..Found::default() };
            }
        }
        window.begin(0, 0);
        let mut found = Found::default();
        let order = named.unwrap_or_else(|| self.nodes.order());
        let (before, after) = order.split_at(self.start % order.len().max(1));
        for &slot in after.iter().chain(before) {
            if let Err(reasons) = self.judge(slot, &mut cycle.fit, &search) {
                found.refused.push((slot, reasons));
                found.refusals.add(reasons, 1);
            }
        }
        found.seen = found.refused.len();
        if named.is_some() {
            found.refusals.add(Reasons::NOT_NAMED, (self.nodes.len() - order.len()) as u32);
            found.refusals.all = found.refusals.all.with(Reasons::NODE_AFFINITY);
        }
        found
    }

    /// Looks for nodes that will do, and not at what is wrong with others;
    /// tells how many it has looked at.
    fn skim(&self, named: Option<&[u32]>, fit: &mut Fit, search: &Search<'_>, window: &mut Window) -> usize {
        let nodes = self.nodes.order().len();
        let wanted = enough(named.map_or(nodes, <[u32]>::len));
        let named = named.map(|slots| self.places_of(slots.iter()));
        let nominated = (!self.nominations.is_empty()).then(|| self.places_of(self.nominations.keys()));
        let open = search.asking.open();
        let start = self.start % nodes;
        let (word, bit) = (start / WORD as usize, start as u32 % WORD);
        fit.offers.catch_up(&self.nodes);
        window.begin(start, nodes);
        let mut seen = 0;
        for turn in 0..=nodes.div_ceil(WORD as usize) {
            let at = window.next();
            let mut asked = if turn == 0 { u64::MAX << bit } else { u64::MAX };
            if turn > 0 && at == word {
                asked = (1 << bit) - 1;
            }
            if (at + 1) * WORD as usize > nodes {
                asked &= (1 << (nodes as u32 % WORD)) - 1;
            }
            if let Some(named) = &named {
                asked &= named.word(at);
            }
            let mut good = fit.will_do(&self.nodes, at, asked & open.word(at));
            let doubtful = if search.claims.is_empty() { nominated.as_ref().map_or(0, |n| n.word(at)) } else { good };
            for bit in ones(good & doubtful) {
                let slot = self.nodes.order()[at * WORD as usize + bit as usize];
                if self.judge(slot, fit, search).is_err() {
                    good &= !(1 << bit);
                }
            }
            let missing = wanted - window.nodes();
            if let Some(end) = nth_one(good, missing) {
                let looked_at = (1 << end) - 1;
                window.push(good & looked_at);
                return seen + (asked & looked_at).count_ones() as usize;
            }
            window.push(good);
            seen += asked.count_ones() as usize;
        }
        seen
    }

    /// Where nodes are in the order of the search.
    fn places_of<'a>(&self, slots: impl Iterator<Item = &'a u32>) -> Bits {
        slots.filter_map(|slot| self.nodes.place(*slot)).collect()
    }

    /// Whether a node will do. Pods that are at least as important and expect
    /// to get a place on it count as if they were there.
    ///
    /// Upstream: `pkg/scheduler/framework/runtime/framework.go RunFilterPluginsWithNominatedPods`
    fn judge(&self, slot: u32, fit: &mut Fit, search: &Search<'_>) -> Result<(), Reasons> {
        fit.entry(&self.nodes, slot).offer()?;
        if !self.nominations.is_empty() && self.nominations.contains_key(&slot) {
            let supposed = self.nominated_there(slot, search.pod, search.priority);
            let reasons = self.against(&fit.template, search.asking, search.claims, slot, &supposed);
            if !supposed.is_empty() && !reasons.is_empty() {
                return Err(reasons);
            }
        }
        if !search.claims.is_empty()
            && let Some(row) = self.nodes.get(slot)
        {
            let reasons = search.claims.against(&row.labels, &row.name);
            if !reasons.is_empty() {
                return Err(reasons);
            }
        }
        let reasons = search.asking.against(slot);
        if reasons.is_empty() { Ok(()) } else { Err(reasons) }
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
        let (mut row, mut room) = (row.clone(), *self.nodes.room(slot));
        for pod in pods {
            let template = &self.classes.get(pod.class).template;
            if pod.by > 0 {
                row.take(template);
                room.take(template);
            } else {
                row.give_back(template);
                room.give_back(template);
            }
        }
        let mut reasons = examine(&row, &room, template).reasons;
        if reasons.is_empty() {
            reasons = claims.against(&row.labels, &row.name);
        }
        if reasons.is_empty() { asking.against_if(Suppose { slot, pods }) } else { reasons }
    }

    fn fail(
        &mut self,
        cycle: &Cycle,
        Found { refused, refusals, .. }: &Found,
        (budgets, draw): (Budgets<'_>, (&str, u64)),
        now: SimTime,
        plain: bool,
    ) -> Attempt {
        let head = refusals.sentence(self.nodes.len(), &cycle.fit.template);
        self.queue.park(cycle.pod, refusals.all, now);
        match self.preempt(cycle, refused, budgets, draw) {
            Preemption::Victims { slot, pods } => {
                let node = self.nodes.get(slot).map(|row| row.key);
                self.nominate(cycle.pod, cycle.class, cycle.priority, slot, now);
                Attempt::Fail { message: head, victims: node.map(|node| (node, pods)) }
            }
            Preemption::Nothing(words) => {
                if self.forget_nomination(cycle.pod) {
                    let (pod, class, priority) = (cycle.pod, cycle.class, cycle.priority);
                    self.expects_no_more(Nominated { pod, class, priority }, now);
                }
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
