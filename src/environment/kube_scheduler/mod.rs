//! The scheduler of real clusters, kube-scheduler with its default settings:
//! what it asks of nodes, how it compares them, in which order it takes pods
//! and what makes it look at a pod again.
//!
//! Nothing is counted when a pod is placed. What a node offers is kept per
//! template until the node changes, and how many pods are where is kept in
//! tallies that every binding brings up to date.

mod attempt;
mod class;
mod filter;
mod fit;
mod hints;
mod images;
mod levels;
mod nodes;
mod offers;
mod preempt;
mod priority;
mod queue;
mod reasons;
#[cfg(test)]
mod scan;
mod score;
mod tallies;
mod topology;
mod volumes;
mod window;

pub use attempt::Attempt;
pub use priority::PriorityClasses;
pub use reasons::Reasons;
pub use score::Ties;
pub use volumes::ClaimRules;

use crate::api::{Extras, Key, Node, Pod, Resources, Selector};
use crate::time::{SimTime, Span, Timestamp};
use attempt::Memo;
use class::{Asks, ClassId, Classes};
use fit::Fits;
use hints::{Happened, Other};
use nodes::{NodeRow, Nodes};
use queue::Queue;
use rustc_hash::{FxHashMap, FxHashSet};
use score::Scratch;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use tallies::{Counted, Eligible, Tallies};

/// How often pods that have waited for long are looked at.
const FLUSH_PERIOD: Span = Span::from_secs(30);

/// Of so many classes the tallies are kept although none of their pods waits.
const KEPT_CLASSES: usize = 64;

/// What a disruption budget allows at the moment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Budget {
    /// Its namespace.
    pub namespace: Arc<str>,
    /// The pods it protects; an empty one protects none here.
    pub selector: Selector,
    /// How many of them may go.
    pub allowed: i32,
    /// Pods whose eviction it has counted already.
    pub disrupted: Vec<Key>,
}

/// Tells what all disruption budgets allow.
pub type Budgets<'a> = &'a dyn Fn() -> Vec<Budget>;

/// A pod that the scheduler knows.
#[derive(Clone, Copy, Debug)]
struct Known {
    pod: Key,
    class: ClassId,
    priority: i32,
    /// The node it takes room on.
    slot: Option<u32>,
    /// Its deletion has not been asked for.
    live: bool,
    /// It had scheduling gates when it was last looked at.
    gated: bool,
    /// When it was bound, which is when its node says that it started.
    since: Timestamp,
}

/// A pod that expects to get a place on a node.
#[derive(Clone, Copy, Debug)]
struct Nominated {
    pod: Key,
    class: ClassId,
    priority: i32,
}

/// kube-scheduler's memory.
#[derive(Clone, Debug)]
pub struct KubeScheduler {
    nodes: Nodes,
    tallies: Tallies,
    classes: Classes,
    fits: Fits,
    asks: FxHashMap<ClassId, Asks>,
    /// The classes of `asks`, the one used last at the end.
    recent: VecDeque<ClassId>,
    /// By the pod's slot.
    pods: Vec<Option<Known>>,
    queue: Queue,
    /// By the node's slot.
    nominations: BTreeMap<u32, Vec<Nominated>>,
    /// Pods that were made to go and are not gone yet.
    preempted: FxHashSet<Key>,
    priority_classes: PriorityClasses,
    ties: Ties,
    /// Where the search for nodes begins.
    start: usize,
    /// Counts what may change the outcome of an attempt.
    state: u64,
    memos: FxHashMap<(ClassId, i32), Memo>,
    scratch: Scratch,
}

impl KubeScheduler {
    /// A scheduler that knows no node and no pod.
    pub fn new(priority_classes: PriorityClasses, ties: Ties) -> KubeScheduler {
        KubeScheduler {
            nodes: Nodes::default(),
            tallies: Tallies::default(),
            classes: Classes::default(),
            fits: Fits::default(),
            asks: FxHashMap::default(),
            recent: VecDeque::new(),
            pods: Vec::new(),
            queue: Queue::default(),
            nominations: BTreeMap::new(),
            preempted: FxHashSet::default(),
            priority_classes,
            ties,
            start: 0,
            state: 0,
            memos: FxHashMap::default(),
            scratch: Scratch::default(),
        }
    }

    /// A node has joined.
    pub fn node_comes(&mut self, key: Key, node: &Node, now: SimTime) {
        let row = NodeRow::new(key, node);
        self.tallies.node_comes(&row);
        self.nodes.put(row.clone());
        self.happens(Happened::NodeCame(&row), now);
    }

    /// How large an image is, in bytes.
    pub fn know_image(&mut self, name: Arc<str>, size: i64) {
        self.nodes.stock.know(name, size);
    }

    /// A node has an image from now on.
    pub fn image_arrives(&mut self, node: Key, name: &str) {
        self.nodes.stock_up(node.slot, name);
    }

    /// A node's labels, taints or room have changed.
    pub fn node_changes(&mut self, key: Key, node: &Node, now: SimTime) {
        let Some(before) = self.nodes.get(key.slot).filter(|row| row.key == key) else { return };
        let same = before.taints == node.taints
            && before.cordoned == node.unschedulable
            && before.allocatable == node.allocatable
            && before.extras == node.extras
            && (Arc::ptr_eq(&before.labels, &node.meta.labels) || before.labels == node.meta.labels);
        if same {
            return;
        }
        let before = before.clone();
        self.count_pods(&before, -1);
        self.tallies.node_goes(key.slot);
        self.nodes.refresh(key.slot, node);
        if let Some(after) = self.nodes.get(key.slot).cloned() {
            self.tallies.node_comes(&after);
            self.count_pods(&after, 1);
            self.happens(Happened::NodeChanged { before: &before, after: &after }, now);
        }
    }

    /// A node is gone from the API. Pods that are still bound to it no longer
    /// count.
    pub fn node_goes(&mut self, key: Key, now: SimTime) {
        let Some(row) = self.nodes.get(key.slot).filter(|row| row.key == key).cloned() else { return };
        self.count_pods(&row, -1);
        for slot in self.nodes.pods_on(key.slot) {
            if let Some(known) = &mut self.pods[slot as usize] {
                known.slot = None;
            }
        }
        self.tallies.node_goes(key.slot);
        self.nodes.remove(key.slot);
        self.nominations.remove(&key.slot);
        self.happens(Happened::NodeWent(&row), now);
    }

    /// Counts the pods of a node in or out.
    fn count_pods(&mut self, row: &NodeRow, by: i32) {
        for known in self.nodes.pods_on(row.key.slot).into_iter().filter_map(|slot| self.pods[slot as usize]) {
            self.classes.settle(known.class, row.key.slot, by, known.live, &mut self.tallies);
        }
    }

    /// The pods on a node.
    fn known_on(&self, slot: u32) -> impl Iterator<Item = Known> {
        self.nodes.pods_on(slot).into_iter().filter_map(|slot| self.pods[slot as usize])
    }

    /// A pod was created, written or removed; `selector` is what its owner
    /// selects pods by, asked for once per sort of pods.
    pub fn pod_changes(
        &mut self,
        key: Key,
        pod: Option<&Pod>,
        selector: impl Fn() -> Option<Selector>,
        now: SimTime,
        wall: Timestamp,
    ) {
        let Some(pod) = pod.filter(|pod| !pod.is_finished()) else {
            self.forget(key, now);
            return;
        };
        match self.known(key) {
            None => self.meet(key, pod, selector, now),
            Some(known) if !Arc::ptr_eq(&self.classes.get(known.class).labels, &pod.meta.labels) => {
                self.relabel(known, pod, selector, now);
            }
            Some(_) => {}
        }
        let Some(known) = self.known(key) else { return };
        if known.gated && !pod.is_gated() {
            self.ungate(key);
        }
        match pod.node {
            Some(node) if known.slot.is_none() => self.bind(known, node, pod, now, wall),
            _ if known.live && pod.meta.is_deleting() => self.condemn(known),
            _ => {}
        }
    }

    fn meet(&mut self, key: Key, pod: &Pod, selector: impl Fn() -> Option<Selector>, now: SimTime) {
        let class = self.join(pod, selector);
        let priority = self.priority_classes.of(&pod.template.placement);
        let slot = key.slot as usize;
        if self.pods.len() <= slot {
            self.pods.resize_with(slot + 1, || None);
        }
        self.nodes.expect(key.slot);
        let gated = pod.is_gated();
        self.pods[slot] = Some(Known { pod: key, class, priority, slot: None, live: true, gated, since: Timestamp(0) });
        if pod.node.is_none() {
            self.queue.add(key, class, priority, gated, now);
        }
    }

    /// Finds the class of a pod; a new one is told what it adds to tallies.
    fn join(&mut self, pod: &Pod, selector: impl Fn() -> Option<Selector>) -> ClassId {
        let (id, is_new) = self.classes.join(pod, selector);
        if is_new {
            let class = self.classes.get(id);
            let counting = self.tallies.counting(&class.namespace, &class.labels);
            let held = class.held();
            for tally in counting {
                let live_only = self.tallies.counts_live_only(tally);
                self.classes.give(id, class::Give { tally, weight: 1, live_only }, &mut self.tallies);
            }
            for (kind, scope, key, weight) in held {
                let counted = Counted::Holders(kind, scope);
                let (tally, _) = self.tallies.open(counted, &key, Eligible::default(), false, &self.nodes);
                self.classes.give(id, class::Give { tally, weight, live_only: false }, &mut self.tallies);
            }
        }
        id
    }

    /// A member of a class less.
    fn leave(&mut self, class: ClassId) {
        if !self.classes.leave(class) {
            return;
        }
        self.recent.retain(|other| *other != class);
        self.drop_asks(class);
        self.memos.retain(|(other, _), _| *other != class);
    }

    fn bind(&mut self, known: Known, node: Key, pod: &Pod, now: SimTime, wall: Timestamp) {
        self.queue.remove(known.pod);
        self.forget_nomination(known.pod);
        let live = !pod.meta.is_deleting();
        if !self.nodes.take(node, known.pod.slot, &pod.template) {
            return;
        }
        self.classes.settle(known.class, node.slot, 1, live, &mut self.tallies);
        if let Some(known) = self.known_mut(known.pod) {
            (known.slot, known.live, known.since) = (Some(node.slot), live, wall);
        }
        self.state += 1;
        if self.queue.is_waiting() {
            let class = self.classes.get(known.class).clone();
            self.happens(Happened::PodCame(Other::of(&class)), now);
        }
    }

    fn condemn(&mut self, known: Known) {
        if let Some(known) = self.known_mut(known.pod) {
            known.live = false;
        }
        let Some(slot) = known.slot else {
            self.queue.remove(known.pod);
            return;
        };
        self.classes.condemn(known.class, slot, &mut self.tallies);
        self.state += 1;
    }

    /// A pod is gone or finished.
    fn forget(&mut self, key: Key, now: SimTime) {
        let Some(known) = self.known(key) else { return };
        self.pods[key.slot as usize] = None;
        self.queue.remove(key);
        self.preempted.remove(&key);
        let gave_up = self.forget_nomination(key);
        if let Some(slot) = known.slot {
            self.unbind(known, slot);
        }
        if known.slot.is_some() || gave_up {
            self.state += 1;
            if self.queue.is_waiting() {
                let class = self.classes.get(known.class).clone();
                // A pod that only expected its place stood in the way of those
                // that are no more important.
                let most = if known.slot.is_some() { i32::MAX } else { known.priority };
                self.wake(Happened::PodWent(Other::of(&class)), most, now);
            }
        }
        self.leave(known.class);
    }

    fn unbind(&mut self, known: Known, slot: u32) {
        let template = &self.classes.get(known.class).template;
        if self.nodes.give_back(slot, known.pod.slot, template) {
            self.classes.settle(known.class, slot, -1, known.live, &mut self.tallies);
        }
    }

    /// A pod has other labels now, and so belongs to another class.
    fn relabel(&mut self, known: Known, pod: &Pod, selector: impl Fn() -> Option<Selector>, now: SimTime) {
        let class = self.join(pod, selector);
        let old = self.classes.get(known.class).clone();
        if let Some(slot) = known.slot {
            self.classes.settle(known.class, slot, -1, known.live, &mut self.tallies);
            self.classes.settle(class, slot, 1, known.live, &mut self.tallies);
        } else {
            // Of what concerns a pod without a node, its labels only change what
            // pod affinity says.
            let refused_for = self.queue.reclass(known.pod, class);
            if refused_for.has(hints::AFFINITY) {
                self.queue.try_again(known.pod, now);
            }
        }
        if let Some(known) = self.known_mut(known.pod) {
            known.class = class;
        }
        self.state += 1;
        let new = self.classes.get(class).clone();
        if known.slot.is_some() {
            self.happens(Happened::PodRelabelled { before: Other::of(&old), after: Other::of(&new) }, now);
        }
        self.leave(known.class);
    }

    /// Tells the pods that wait what has happened.
    fn happens(&mut self, happened: Happened<'_>, now: SimTime) {
        self.state += 1;
        self.wake(happened, i32::MAX, now);
    }

    fn wake(&mut self, happened: Happened<'_>, most: i32, now: SimTime) {
        let classes = &self.classes;
        let helped: Vec<_> =
            self.queue.groups().filter(|(class, why)| hints::may_help(happened, classes.get(*class), *why)).collect();
        for group in helped {
            self.queue.wake(group, most, now);
        }
    }

    /// The next pod to look at.
    pub fn pop(&mut self) -> Option<Key> {
        self.queue.pop()
    }

    /// Whether there is a pod to look at.
    pub fn has_work(&self) -> bool {
        self.queue.has_work()
    }

    /// Whether any pod waits because no node was found for it.
    pub fn is_waiting(&self) -> bool {
        self.queue.is_waiting()
    }

    /// When [`KubeScheduler::flush`] has something to do, at the earliest.
    pub fn next_flush(&self, now: SimTime) -> Option<SimTime> {
        let left_over = || SimTime((now.0 / FLUSH_PERIOD.0 + 1) * FLUSH_PERIOD.0);
        let waiting = self.queue.is_waiting().then(left_over);
        waiting.into_iter().chain(self.queue.next_end()).min()
    }

    /// Looks again at pods whose back-off is over, and every 30 s at those that
    /// have waited for five minutes.
    ///
    /// Upstream: `pkg/scheduler/backend/queue/scheduling_queue.go Run`
    pub fn flush(&mut self, now: SimTime) {
        self.queue.end_errors(now);
        if now.0.is_multiple_of(FLUSH_PERIOD.0) {
            self.queue.flush(now);
        }
    }

    /// A node was chosen for a pod that cannot be bound yet: its room is taken.
    pub fn assume(&mut self, key: Key, node: Key, pod: &Pod, now: SimTime, wall: Timestamp) {
        if let Some(known) = self.known(key) {
            self.bind(known, node, pod, now, wall);
        }
    }

    /// The node that was chosen for a pod will not do after all.
    pub fn give_up(&mut self, key: Key, now: SimTime) {
        let Some(known) = self.known(key) else { return };
        if let Some(slot) = known.slot {
            self.unbind(known, slot);
        }
        if let Some(known) = self.known_mut(key) {
            known.slot = None;
        }
        self.state += 1;
        self.queue.add(key, known.class, known.priority, false, now);
    }

    /// No node will do for a pod as long as its claims are not settled;
    /// `words` say what is wrong with them.
    ///
    /// Upstream: `pkg/scheduler/framework/plugins/volumebinding/volume_binding.go PreFilter`
    pub fn refuse(&mut self, key: Key, words: &str, now: SimTime) -> Attempt {
        self.queue.park(key, Reasons::VOLUMES, now);
        let message = format!(
            "0/{nodes} nodes are available: {words}. no new claims to \
             deallocate, preemption: 0/{nodes} nodes are available: {nodes} Preemption is not helpful for scheduling.",
            nodes = self.nodes.len()
        );
        Attempt::Fail { message, victims: None }
    }

    /// Claims or volumes are there that were not, or have been bound; or only
    /// a pod has gone that may have had a claim to itself.
    ///
    /// Upstream: `pkg/scheduler/framework/plugins/volumebinding/volume_binding.go EventsToRegister`,
    /// `pkg/scheduler/framework/plugins/volumerestrictions/volume_restrictions.go isSchedulableAfterPodDeleted`
    pub fn volumes_change(&mut self, are_new: bool, now: SimTime) {
        if !self.queue.is_waiting() {
            return;
        }
        let about = if are_new { Reasons::ABOUT_VOLUMES } else { Reasons::CLAIM_IN_USE };
        let waiting: Vec<_> = self.queue.groups().filter(|(_, why)| why.has(about)).collect();
        for group in waiting {
            self.state += 1;
            self.queue.wake(group, i32::MAX, now);
        }
    }

    /// The gates of a pod were taken away.
    ///
    /// Upstream: `pkg/scheduler/framework/plugins/schedulinggates/scheduling_gates.go isSchedulableAfterUpdatePodSchedulingGatesEliminated`
    fn ungate(&mut self, pod: Key) {
        if let Some(known) = self.known_mut(pod) {
            known.gated = false;
        }
        self.queue.ungate(pod);
    }

    /// A pod is made to go for a more important one.
    pub fn note_preempted(&mut self, pod: Key) {
        self.preempted.insert(pod);
    }

    /// What a node offers and what of it is taken: the figures by which nodes
    /// are filled.
    pub fn room(&self, node: Key) -> Option<(Resources, Resources)> {
        let row = self.nodes.get(node.slot).filter(|row| row.key == node)?;
        let room = self.nodes.room(row.key.slot);
        Some((room.allocatable, room.used))
    }

    /// What of a node is taken beside CPU and memory.
    pub fn extras_used(&self, node: Key) -> Extras {
        let row = self.nodes.get(node.slot).filter(|row| row.key == node);
        row.map_or_else(Extras::default, |row| row.extras_used.clone())
    }

    /// The slots of the pods that take room on a node, in the order in which
    /// they came.
    pub fn pods_on(&self, node: Key) -> Vec<u32> {
        self.nodes.key(node.slot).filter(|key| *key == node).map_or_else(Vec::new, |_| self.nodes.pods_on(node.slot))
    }

    fn known(&self, pod: Key) -> Option<Known> {
        self.pods.get(pod.slot as usize).copied().flatten().filter(|known| known.pod == pod)
    }

    fn known_mut(&mut self, pod: Key) -> Option<&mut Known> {
        self.pods.get_mut(pod.slot as usize)?.as_mut().filter(|known| known.pod == pod)
    }

    fn nominated_node(&self, pod: Key) -> Option<u32> {
        if self.nominations.is_empty() {
            return None;
        }
        self.nominations.iter().find(|(_, there)| there.iter().any(|n| n.pod == pod)).map(|(slot, _)| *slot)
    }

    /// The pod expects to get a place on this node; less important ones that
    /// did so no longer do. Those that stood in nobody's way any more are told.
    fn nominate(&mut self, pod: Key, class: ClassId, priority: i32, slot: u32, now: SimTime) {
        let moved = self.nominated_node(pod).is_some_and(|before| before != slot) && self.forget_nomination(pod);
        let there = self.nominations.entry(slot).or_default();
        let mut dropped: Vec<Nominated> = there.extract_if(.., |other| other.priority < priority).collect();
        if there.iter().all(|other| other.pod != pod) {
            there.push(Nominated { pod, class, priority });
        }
        self.state += 1;
        if moved {
            dropped.push(Nominated { pod, class, priority });
        }
        for nominated in dropped {
            self.expects_no_more(nominated, now);
        }
    }

    /// A pod no longer expects a place that it had expected: that may help
    /// those that are no more important, as if it had left.
    ///
    /// Upstream: `pkg/scheduler/eventhandlers.go hasNominatedNodeNameChanged`
    fn expects_no_more(&mut self, nominated: Nominated, now: SimTime) {
        let class = self.classes.get(nominated.class).clone();
        self.wake(Happened::PodWent(Other::of(&class)), nominated.priority, now);
    }

    /// Whether it had expected a place.
    fn forget_nomination(&mut self, pod: Key) -> bool {
        let Some(slot) = self.nominated_node(pod) else { return false };
        if let Some(there) = self.nominations.get_mut(&slot) {
            there.retain(|other| other.pod != pod);
            if there.is_empty() {
                self.nominations.remove(&slot);
            }
        }
        self.state += 1;
        true
    }

    /// What a class asks; of classes not asked for lately it is forgotten.
    fn take_asks(&mut self, class: ClassId) -> Asks {
        if self.recent.back() != Some(&class) {
            self.recent.retain(|other| *other != class);
            self.recent.push_back(class);
        }
        let known = self.asks.remove(&class);
        let mut asks = known.unwrap_or_else(|| Asks::new(class, &mut self.classes, &mut self.tallies, &self.nodes));
        while self.recent.len() > KEPT_CLASSES {
            if let Some(oldest) = self.recent.pop_front() {
                self.drop_asks(oldest);
            }
        }
        asks.refresh(self.classes.get(class), &self.tallies);
        asks
    }

    fn drop_asks(&mut self, class: ClassId) {
        let Some(asks) = self.asks.remove(&class) else { return };
        for tally in asks.opened() {
            if let Some(scopes) = self.tallies.close(tally) {
                self.classes.forget(&scopes, tally);
            }
        }
    }
}
