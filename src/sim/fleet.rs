//! Machines that come and go with the pods: the cluster autoscaler, and
//! serverless nodes.

mod candidates;

use super::Simulation;
use super::event::{Event, PodRef};
use super::setup::{DrainOptions, Setup};
use crate::api::{Effect, Extras, Key, Kind, NOT_READY, Node, NodeSpec, Pod, Resources, Taint};
use crate::controllers::daemon_set::rules;
use crate::environment::admission;
use crate::environment::autoscaler::{self, Autoscale, BackOff, Expander, Fate, Growth, are_similar};
use crate::environment::spot::Pool;
use crate::environment::{Delay, Trial};
use crate::rng::Draws;
use crate::sim::Urgency;
use crate::time::{SimTime, Span};
use crate::trace::{Emitted, RecordId, What};
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The taint of a machine that is about to go.
const TO_BE_DELETED: &str = "ToBeDeletedByClusterAutoscaler";
/// How long after a machine could not be emptied none goes.
const DELAY_AFTER_FAILURE: Span = Span::from_secs(180);
/// How long a machine may be down before it is given up.
const UNREADY_TIME: Span = Span::from_secs(1_200);
/// How long a machine may take to join before it is given up.
///
/// Upstream: `cluster-autoscaler/config/autoscaling_options.go MaxNodeProvisionTime`
const PROVISION_TIME: Span = Span::from_secs(900);
/// How long evictions are tried.
const EVICTION_TIME: Span = Span::from_secs(120);
/// The most empty machines that go at once.
const BULK: usize = 10;

/// What is known of the machines that come and go.
#[derive(Clone, Debug)]
pub(super) struct Fleet {
    groups: Vec<Group>,
    /// Pods that no node was found for, by namespace and name.
    waiting: BTreeMap<(Arc<str>, Arc<str>), Key>,
    scan_interval: Span,
    expander: Expander,
    last_added: Option<SimTime>,
    last_failed: Option<SimTime>,
    /// The machine that is being emptied, and its drain.
    leaving: Option<(Key, u32)>,
    /// What pods were told last, so that it is not said at each scan.
    said: FxHashMap<Key, String>,
    /// Serverless nodes by their pod.
    serving: FxHashMap<Key, Key>,
}

/// The machines of a pool.
#[derive(Clone, Debug)]
struct Group {
    /// Its place among the pools of the setup.
    pool: usize,
    /// The number of its next machine.
    next: u32,
    machines: Vec<Machine>,
    coming: Vec<Coming>,
    /// Its machines did not come.
    back_off: Option<BackOff>,
}

#[derive(Clone, Debug)]
struct Machine {
    node: Key,
    unneeded_since: Option<SimTime>,
    down_since: Option<SimTime>,
}

/// A machine that was ordered.
#[derive(Clone, Debug)]
struct Coming {
    number: u32,
    spec: NodeSpec,
    /// The pod that it is for, if it is for one alone.
    pod: Option<Key>,
    cause: RecordId,
    ordered: SimTime,
}

impl Fleet {
    /// `None` where all pools are kept at a number.
    pub(super) fn new(setup: &Setup) -> Option<Box<Fleet>> {
        let varies = |pool: &Pool| pool.autoscale.is_some() || pool.serverless.is_some();
        let pools = || setup.pools.iter().enumerate().filter(|(_, pool)| varies(pool));
        let group = |(place, pool): (usize, &Pool)| Group {
            pool: place,
            next: pool.machines + 1,
            machines: Vec::new(),
            coming: Vec::new(),
            back_off: None,
        };
        let scaled = || setup.pools.iter().filter_map(|pool| pool.autoscale.as_ref());
        let first = scaled().any(|scale| scale.expander == Expander::First);
        let fleet = Fleet {
            groups: pools().map(group).collect(),
            waiting: BTreeMap::new(),
            scan_interval: scaled().map(|scale| scale.scan_interval).min().unwrap_or(Span::ZERO),
            expander: if first { Expander::First } else { Expander::LeastWaste },
            last_added: None,
            last_failed: None,
            leaving: None,
            said: FxHashMap::default(),
            serving: FxHashMap::default(),
        };
        (pools().count() > 0).then(|| Box::new(fleet))
    }

    /// Whether machines of this group come and go by the autoscaler.
    fn scale<'s>(setup: &'s Setup, group: &Group) -> Option<(&'s Pool, &'s Autoscale)> {
        let pool = setup.pools.get(group.pool)?;
        Some((pool, pool.autoscale.as_ref()?))
    }
}

impl Group {
    const fn size(&self) -> usize {
        self.machines.len() + self.coming.len()
    }

    /// Gives machines up that do not come, and orders none for a while. Once
    /// all have come, that is forgotten.
    ///
    /// Upstream: `cluster-autoscaler/clusterstate/clusterstate.go updateScaleRequests`
    fn give_up(&mut self, now: SimTime) {
        let before = self.coming.len();
        self.coming.retain(|coming| coming.pod.is_some() || now.since(coming.ordered) < PROVISION_TIME);
        if self.coming.len() < before {
            self.back_off = Some(BackOff::after(self.back_off, now));
        }
    }

    fn waits(&self, now: SimTime) -> bool {
        self.back_off.is_some_and(|back_off| back_off.until >= now)
    }
}

impl Simulation {
    /// The machines of the beginning have joined.
    pub(super) fn begin_fleet(&mut self) {
        let setup = self.setup.clone();
        let Some(fleet) = &mut self.fleet else { return };
        for group in &mut fleet.groups {
            let first = setup.pools[group.pool].first_machines();
            let nodes = first.iter().filter_map(|m| self.store.objects().find(Kind::Node, &"".into(), &m.name));
            group.machines = nodes.map(Machine::new).collect();
        }
        if fleet.scan_interval > Span::ZERO {
            let at = SimTime(fleet.scan_interval.0);
            self.queue.push(at, Urgency::First, Event::Scan);
        }
    }

    /// No node was found for a pod.
    pub(super) fn fleet_hears(&mut self, pod: Key) {
        let Some(fleet) = &mut self.fleet else { return };
        let Some(row) = self.store.objects().pods.get(pod) else { return };
        fleet.waiting.insert((row.meta.namespace.clone(), row.meta.name.clone()), pod);
        let setup = self.setup.clone();
        let ordered = |group: &Group| group.coming.iter().any(|coming| coming.pod == Some(pod));
        if fleet.groups.iter().any(ordered) {
            return;
        }
        let serves = |group: &&mut Group| {
            let pool = &setup.pools[group.pool];
            pool.serverless.is_some() && admits(&pool.machine, row)
        };
        let Some(group) = fleet.groups.iter_mut().find(serves) else { return };
        let pool = &setup.pools[group.pool];
        let requests = row.template.requests;
        let number = group.next;
        group.next += 1;
        // There is room for this pod and for nothing else.
        let machine = NodeSpec {
            allocatable: Resources { pods: 1, ..requests },
            extras: row.template.placement.extras.clone(),
            ..pool.machine_called(number)
        };
        let delay = pool.serverless.clone().unwrap_or_default();
        let (cause, place) = (self.recorder.latest_of(pod.uid), group.pool);
        group.coming.push(Coming { number, spec: machine.clone(), pod: Some(pod), cause, ordered: self.now });
        self.order(&delay, place, number, &machine.name);
    }

    fn order(&mut self, delay: &Delay, pool: usize, number: u32, name: &str) {
        let draws = Draws::new(self.setup.seed);
        if let Some(delay) = delay.draw(&draws, "provisioning", name, 0) {
            let at = self.on_grid(delay);
            self.queue.push(at, Urgency::First, Event::Machine { pool: pool as u16, number });
        }
    }

    /// A machine that was ordered joins.
    pub(super) fn machine_joins(&mut self, pool: u16, number: u32) {
        let setup = self.setup.clone();
        let Some(fleet) = &mut self.fleet else { return };
        let Some(group) = fleet.groups.iter_mut().find(|group| group.pool == pool as usize) else { return };
        let Some(i) = group.coming.iter().position(|coming| coming.number == number) else { return };
        let coming = group.coming.remove(i);
        let waits = |pod: Key| self.store.objects().pods.get(pod).is_some_and(is_waiting);
        if coming.pod.is_some_and(|pod| !waits(pod)) {
            return;
        }
        let cause = if coming.cause == RecordId::NONE { self.recorder.last } else { coming.cause };
        self.join_node(&coming.spec, cause);
        let Ok(node) = self.node(&coming.spec.name) else { return };
        if let Some(group) = self.fleet.as_mut().and_then(|f| f.groups.iter_mut().find(|g| g.pool == pool as usize)) {
            group.machines.push(Machine::new(node));
            if group.coming.is_empty() {
                group.back_off = None;
            }
        }
        for timed in setup.pools[pool as usize].reclaim_of(&coming.spec.name, self.now, setup.seed, setup.until) {
            self.plan(timed.at, timed.action);
        }
        // A machine for one pod is its own from the beginning: no daemon that
        // tolerates it comes first.
        let waits = |pod: &Key| self.store.objects().pods.get(*pod).is_some_and(|row| row.template.claims.is_empty());
        if let Some(pod) = coming.pod.filter(waits) {
            self.bind_pod(PodRef::of(pod), node);
        }
    }

    /// A pod was bound: perhaps to a machine that is its own.
    pub(super) fn fleet_sees_binding(&mut self, pod: Key, node: Key) {
        let Some(fleet) = &mut self.fleet else { return };
        let setup = &self.setup;
        let own = |group: &Group| setup.pools[group.pool].serverless.is_some();
        if fleet.groups.iter().any(|g| own(g) && g.machines.iter().any(|machine| machine.node == node)) {
            fleet.serving.insert(pod, node);
        }
    }

    /// A pod is over: a machine that was its own goes with it.
    pub(super) fn fleet_sees_end(&mut self, pod: Key) {
        let Some(node) = self.fleet.as_mut().and_then(|fleet| fleet.serving.remove(&pod)) else { return };
        let node = PodRef { slot: node.slot, uid: node.uid.0 };
        self.queue.push(self.now, Urgency::First, Event::Vacated(node));
    }

    /// The machine of a pod that is over goes.
    pub(super) fn vacated(&mut self, node: PodRef) {
        let node = Key { kind: Kind::Node, ..node.key() };
        let cause = self.recorder.latest_of(node.uid);
        self.lose_machine(node, cause);
    }

    fn lose_machine(&mut self, node: Key, cause: RecordId) {
        for group in self.fleet.iter_mut().flat_map(|fleet| &mut fleet.groups) {
            group.machines.retain(|machine| machine.node != node);
        }
        if self.store.objects().meta(node).is_some() {
            let _gone_already = self.remove_node(node, cause);
            self.publish();
        }
    }

    /// The autoscaler looks.
    pub(super) fn scan(&mut self) {
        let Some(mut fleet) = self.fleet.take() else { return };
        let at = self.now.after(fleet.scan_interval);
        self.queue.push(at, Urgency::First, Event::Scan);
        if self.api_answers() {
            let lost = self.look_after(&mut fleet);
            let grew = self.scale_up(&mut fleet);
            let (gone, moves) = self.scale_down(&mut fleet, grew);
            if !grew && gone.is_empty() && moves.is_none() {
                self.mark_candidates(&fleet);
            }
            self.fleet = Some(fleet);
            for node in lost.into_iter().chain(gone) {
                self.mark_leaving(node);
                let cause = self.say(node, "ScaleDown", "node removed by cluster autoscaler");
                self.lose_machine(node, cause);
            }
            if let Some((node, max_grace)) = moves {
                self.mark_leaving(node);
                self.empty_out(node, max_grace);
            }
        } else {
            self.fleet = Some(fleet);
        }
    }

    /// Forgets machines that are gone; those that have been down for too long
    /// are to go.
    fn look_after(&self, fleet: &mut Fleet) -> Vec<Key> {
        let mut lost = Vec::new();
        for group in fleet.groups.iter_mut().filter(|group| Fleet::scale(&self.setup, group).is_some()) {
            group.machines.retain(|machine| self.store.objects().nodes.get(machine.node).is_some());
            group.give_up(self.now);
            for machine in &mut group.machines {
                let down = self.dead.contains(&machine.node);
                machine.down_since = down.then(|| machine.down_since.unwrap_or(self.now));
                if machine.down_since.is_some_and(|since| self.now.since(since) >= UNREADY_TIME) {
                    lost.push(machine.node);
                }
            }
        }
        lost
    }

    fn say(&mut self, about: Key, reason: &str, message: &str) -> RecordId {
        let (reason, message) = (self.recorder.intern(reason), self.recorder.intern(message));
        let cause = self.recorder.latest_of(about.uid);
        self.recorder.note(cause, about.uid, What::Emitted(Emitted::Other { reason, message, warning: false }))
    }
}

/// Growing.
impl Simulation {
    /// Orders machines for pods that fit nowhere; whether it did.
    fn scale_up(&mut self, fleet: &mut Fleet) -> bool {
        let objects = self.store.objects();
        fleet.waiting.retain(|_, pod| objects.pods.get(*pod).is_some_and(is_waiting));
        fleet.said.retain(|pod, _| objects.pods.get(*pod).is_some_and(is_waiting));
        let waiting: Vec<Key> = fleet.waiting.values().copied().collect();
        if waiting.is_empty() {
            return false;
        }
        let mut trial = self.trial(fleet);
        let mut stuck = waiting;
        stuck.retain(|pod| !self.try_out(&mut trial, *pod));
        if stuck.is_empty() {
            return false;
        }
        let setup = self.setup.clone();
        let mut options = Vec::new();
        let mut helped = Vec::new();
        let coming = fleet.groups.iter().map(|group| group.coming.len()).sum();
        for place in 0..fleet.groups.len() {
            if let Some((growth, pods)) = self.growth(fleet, (place, coming), &mut trial, &stuck) {
                options.push(growth);
                helped.push(pods);
            }
        }
        let machine = |place: usize| setup.pools[fleet.groups[place].pool].machine.allocatable;
        let chosen = autoscaler::best(fleet.expander, &options, machine);
        let grew = chosen.map(|i| (options.swap_remove(i), helped.swap_remove(i)));
        let could: FxHashSet<Key> = helped.into_iter().flatten().collect();
        let grows = grew.as_ref().map(|(_, pods)| pods.iter().copied().collect::<FxHashSet<Key>>()).unwrap_or_default();
        for pod in stuck.into_iter().filter(|pod| !could.contains(pod) && !grows.contains(pod)) {
            // Whom another machine of a pool that grows would help is looked
            // at again.
            if grew.is_none() || !self.is_for_some_pool(fleet, pod) {
                self.say_why_not(fleet, pod);
            }
        }
        match grew {
            Some((growth, pods)) => {
                let others: Vec<usize> = options.iter().map(|option| option.pool).collect();
                let growths = self.balanced(fleet, &growth, &others);
                self.grow(fleet, &growths, &pods);
                true
            }
            None => false,
        }
    }

    /// The machines that a pool would get, spread over the pools of equal
    /// machines that could grow too, if they are to be of one size: pools and
    /// numbers.
    ///
    /// Upstream: `cluster-autoscaler/core/scaleup/orchestrator/orchestrator.go balanceScaleUps`
    fn balanced(&self, fleet: &Fleet, growth: &Growth, others: &[usize]) -> Vec<(usize, u32)> {
        let scale = |place: usize| Fleet::scale(&self.setup, &fleet.groups[place]);
        let Some((pool, _)) = scale(growth.pool).filter(|(_, scale)| scale.balance) else {
            return vec![(growth.pool, growth.machines)];
        };
        let similar = |place: &usize| scale(*place).is_some_and(|(p, _)| are_similar(&p.machine, &pool.machine));
        let mut places: Vec<usize> = others.iter().copied().filter(similar).collect();
        places.push(growth.pool);
        places.sort_unstable();
        places.dedup();
        let most = |place: usize| scale(place).map_or(0, |(_, scale)| scale.max as usize);
        let sizes: Vec<_> = places.iter().map(|&place| (fleet.groups[place].size(), most(place))).collect();
        let more = autoscaler::balance(&sizes, growth.machines);
        places.into_iter().zip(more).filter(|(_, more)| *more > 0).collect()
    }

    /// The cluster as it will be once all machines that were ordered are
    /// there and ready.
    fn trial(&self, fleet: &Fleet) -> Trial {
        let objects = self.store.objects();
        let mut trial = Trial::of(self.kube.as_deref(), &self.scheduler, objects);
        for machine in fleet.groups.iter().flat_map(|group| &group.machines) {
            if let Some(node) = objects.nodes.get(machine.node).filter(|node| node.taints.iter().any(is_new)) {
                let mut node = node.clone();
                node.taints.retain(|taint| !is_new(taint));
                trial.change(machine.node, node, self.now);
            }
        }
        for (i, coming) in fleet.groups.iter().flat_map(|group| &group.coming).enumerate() {
            trial.join(self.imagined(i), self.node_with_daemons(&coming.spec), self.now);
        }
        trial
    }

    /// A machine as it will be once its daemons are there.
    ///
    /// Upstream: `cluster-autoscaler/simulator/node_info_utils.go SanitizedTemplateNodeInfoFromNodeGroup`
    fn node_with_daemons(&self, spec: &NodeSpec) -> Node {
        let mut node = self.node_of(spec, true);
        let (room, more) = (node.allocatable, node.extras.clone());
        for (_, set) in self.store.objects().daemon_sets.iter() {
            let template = &set.spec.template;
            let runs = rules::fit(&node, template, &rules::tolerations_of(set)).run;
            let fits = room.fits(&Resources::default(), &template.requests)
                && more.fits(&Extras::default(), &template.placement.extras);
            if runs && !set.meta.is_deleting() && fits {
                node.allocatable.remove(&Resources { pods: 1, ..template.requests });
                node.extras.remove(&template.placement.extras);
            }
        }
        node
    }

    /// A key that no node has.
    fn imagined(&self, nth: usize) -> Key {
        let slots = self.store.objects().nodes.iter().map(|(key, _)| key.slot + 1).max().unwrap_or(0);
        let number = slots + nth as u32;
        Key { kind: Kind::Node, slot: number, uid: crate::api::Uid(u32::MAX - number) }
    }

    /// Whether there is a place for a pod, which it then has.
    fn try_out(&self, trial: &mut Trial, pod: Key) -> bool {
        self.try_node(trial, pod).is_some()
    }

    fn try_node(&self, trial: &mut Trial, pod: Key) -> Option<Key> {
        let row = self.store.objects().pods.get(pod)?;
        trial.place(pod, row, self.reach_of(pod).ok()?, self.now, self.store.now)
    }

    /// By how many machines a pool would have to grow, and whom that would
    /// help. The trial is as before afterwards, but for the pods' places.
    ///
    /// Upstream: `cluster-autoscaler/estimator/binpacking_estimator.go Estimate`
    fn growth(
        &self,
        fleet: &Fleet,
        (place, coming): (usize, usize),
        trial: &mut Trial,
        stuck: &[Key],
    ) -> Option<(Growth, Vec<Key>)> {
        let group = &fleet.groups[place];
        let (pool, scale) = Fleet::scale(&self.setup, group)?;
        if group.waits(self.now) {
            return None;
        }
        let room = (scale.max as usize).saturating_sub(group.size());
        let objects = self.store.objects();
        let mut pods: Vec<(Key, &Pod)> = stuck.iter().filter_map(|key| Some((*key, objects.pods.get(*key)?))).collect();
        pods.retain(|(_, pod)| admits(&pool.machine, pod));
        // The largest first, as they are the hardest to place.
        let size = |pod: &Pod| autoscaler::utilization(&pool.machine.allocatable, &pod.template.requests);
        pods.sort_by(|a, b| size(b.1).total_cmp(&size(a.1)));
        let (mut added, mut helped): (Vec<(Key, usize)>, Vec<Key>) = (Vec::new(), Vec::new());
        let (mut wanted, mut hopeless) = (Resources::default(), FxHashSet::default());
        for (key, pod) in &pods {
            if hopeless.contains(&Arc::as_ptr(&pod.template)) {
                continue;
            }
            let mut found = self.try_node(trial, *key);
            let spare = added.last().is_some_and(|(_, pods)| *pods == 0);
            if found.is_none() && !spare && added.len() < room {
                let number = group.next + added.len() as u32;
                let node = self.imagined(coming + added.len());
                trial.join(node, self.node_with_daemons(&pool.machine_called(number)), self.now);
                added.push((node, 0));
                found = self.try_node(trial, *key);
            }
            match found {
                Some(node) => {
                    added.iter_mut().filter(|(other, _)| *other == node).for_each(|(_, pods)| *pods += 1);
                    wanted.add(&pod.template.requests);
                    helped.push(*key);
                }
                None => {
                    hopeless.insert(Arc::as_ptr(&pod.template));
                }
            }
        }
        for (node, _) in &added {
            trial.leave(*node, self.now);
        }
        let machines = added.iter().filter(|(_, pods)| *pods > 0).count() as u32;
        let growth = Growth { pool: place, machines, wanted, pods: helped.len() };
        (machines > 0).then_some((growth, helped))
    }

    fn grow(&mut self, fleet: &mut Fleet, growths: &[(usize, u32)], pods: &[Key]) {
        let setup = self.setup.clone();
        let in_words = |&(place, machines): &(usize, u32)| {
            let group = &fleet.groups[place];
            let (pool, scale) = Fleet::scale(&setup, group)?;
            let before = group.size();
            Some(format!("{{{} {before}->{} (max: {})}}", pool.name, before + machines as usize, scale.max))
        };
        let words: Vec<String> = growths.iter().filter_map(in_words).collect();
        let message = format!("pod triggered scale-up: [{}]", words.join(" "));
        let mut cause = RecordId::NONE;
        for pod in pods {
            let said = self.say(*pod, "TriggeredScaleUp", &message);
            cause = if cause == RecordId::NONE { said } else { cause };
        }
        fleet.last_added = Some(self.now);
        for &(place, machines) in growths {
            let group = &mut fleet.groups[place];
            let Some((pool, scale)) = Fleet::scale(&setup, group) else { continue };
            for _ in 0..machines {
                let number = group.next;
                group.next += 1;
                let spec = pool.machine_called(number);
                self.order(&scale.provisioning, group.pool, number, &spec.name);
                group.coming.push(Coming { number, spec, pod: None, cause, ordered: self.now });
            }
        }
    }

    fn is_for_some_pool(&self, fleet: &Fleet, pod: Key) -> bool {
        let row = self.store.objects().pods.get(pod);
        let mut pools = fleet.groups.iter().filter_map(|group| Fleet::scale(&self.setup, group));
        row.is_some_and(|row| pools.any(|(pool, _)| admits(&pool.machine, row)))
    }

    /// Tells a pod why nothing is done for it, unless it was told so before.
    ///
    /// Upstream: `cluster-autoscaler/processors/status/eventing_scale_up_processor.go ReasonsMessage`
    fn say_why_not(&mut self, fleet: &mut Fleet, pod: Key) {
        let Some(row) = self.store.objects().pods.get(pod) else { return };
        let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
        for group in &fleet.groups {
            let Some((pool, scale)) = Fleet::scale(&self.setup, group) else { continue };
            let full = group.size() >= scale.max as usize && admits(&pool.machine, row);
            let reason = if group.waits(self.now) {
                "in backoff after failed scale-up".to_string()
            } else if full {
                "max node group size reached".to_string()
            } else {
                autoscaler::objection(row, &pool.machine)
            };
            *reasons.entry(reason).or_insert(0) += 1;
        }
        let reasons: Vec<String> = reasons.into_iter().map(|(reason, count)| format!("{count} {reason}")).collect();
        let message = format!("pod didn't trigger scale-up: {}", reasons.join(", "));
        if !reasons.is_empty() && fleet.said.get(&pod) != Some(&message) {
            self.say(pod, "NotTriggerScaleUp", &message);
            fleet.said.insert(pod, message);
        }
    }
}

/// Shrinking.
impl Simulation {
    /// Keeps account of what is not needed, and begins to empty it once that
    /// has lasted. Answers which machines are empty and go now, or else the one
    /// that is to be emptied, and the longest grace period of its pods.
    ///
    /// Upstream: `cluster-autoscaler/core/static_autoscaler.go RunOnce`
    fn scale_down(&self, fleet: &mut Fleet, grew: bool) -> (Vec<Key>, Option<(Key, Span)>) {
        self.mark_unneeded(fleet);
        let quiet = |since: Option<SimTime>, least: Span| since.is_none_or(|at| self.now.since(at) >= least);
        if grew || fleet.leaving.is_some() || !quiet(fleet.last_failed, DELAY_AFTER_FAILURE) {
            return (Vec::new(), None);
        }
        let setup = self.setup.clone();
        let (mut gone, mut moves) = (Vec::new(), None);
        for group in &fleet.groups {
            let Some((_, scale)) = Fleet::scale(&setup, group) else { continue };
            if !quiet(fleet.last_added, scale.delay_after_add) {
                continue;
            }
            let mut may_go = group.size().saturating_sub(scale.min as usize);
            for machine in &group.machines {
                let due = machine.unneeded_since.is_some_and(|since| self.now.since(since) >= scale.unneeded_time);
                if !due || may_go == 0 {
                    continue;
                }
                let empty = self.movers(machine.node).is_some_and(|pods| pods.is_empty());
                if empty && gone.len() < BULK {
                    gone.push(machine.node);
                    may_go -= 1;
                } else if !empty && moves.is_none() {
                    moves = Some((machine.node, scale.max_grace));
                    may_go -= 1;
                }
            }
        }
        // What is empty goes first; the rest one by one.
        let moves = moves.filter(|_| gone.is_empty());
        (gone, moves)
    }

    /// The pods that would have to move if a node went; `None` if one of them
    /// holds it, or its budget does.
    fn movers(&self, node: Key) -> Option<Vec<(Key, &Pod)>> {
        let objects = self.store.objects();
        let mut movers = Vec::new();
        for (key, pod) in objects.pods_on(node) {
            let budgets = objects.budgets_guarding(&pod.meta.namespace, &pod.meta.labels);
            match autoscaler::fate(pod, !budgets.is_empty()) {
                Fate::Ignored => {}
                Fate::Blocks => return None,
                Fate::Moves if budgets.iter().any(|(_, budget)| budget.status.disruptions_allowed < 1) => return None,
                Fate::Moves => movers.push((key, pod)),
            }
        }
        Some(movers)
    }

    /// What is requested of a node.
    fn requested(&self, node: Key, scale: &Autoscale) -> Resources {
        let (mut used, _) = self.taken_of(node);
        if scale.ignore_daemons {
            let daemon = |pod: &Pod| pod.meta.controller().is_some_and(|owner| owner.kind == Kind::DaemonSet);
            for (_, pod) in self.store.objects().pods_on(node) {
                if daemon(pod) && !pod.is_finished() {
                    used.remove(&pod.template.requests);
                }
            }
        }
        used
    }

    /// Notes since when each machine has not been needed: little of it is
    /// requested, and its pods would find places elsewhere.
    ///
    /// Upstream: `cluster-autoscaler/core/scaledown/planner/planner.go categorizeNodes`
    fn mark_unneeded(&self, fleet: &mut Fleet) {
        let mut trial = None;
        let mut taken: FxHashSet<Key> = FxHashSet::default();
        let mut groups = std::mem::take(&mut fleet.groups);
        for group in &mut groups {
            let Some((_, scale)) = Fleet::scale(&self.setup, group) else { continue };
            let spare = group.size() > scale.min as usize;
            for machine in &mut group.machines {
                let quiet = spare && !taken.contains(&machine.node) && self.is_quiet(machine, scale);
                let unneeded = quiet && {
                    let trial = trial
                        .get_or_insert_with(|| Trial::of(self.kube.as_deref(), &self.scheduler, self.store.objects()));
                    self.others_have_room(machine.node, trial, &mut taken)
                };
                machine.unneeded_since = unneeded.then(|| machine.unneeded_since.unwrap_or(self.now));
            }
        }
        fleet.groups = groups;
    }

    fn is_quiet(&self, machine: &Machine, scale: &Autoscale) -> bool {
        let Some(node) = self.store.objects().nodes.get(machine.node) else { return false };
        let leaving = node.taints.iter().any(|taint| taint.key == TO_BE_DELETED || is_new(taint));
        let gpus = autoscaler::gpu_utilization(&node.extras, &self.taken_of(machine.node).1);
        let used = || autoscaler::utilization(&node.allocatable, &self.requested(machine.node, scale));
        machine.down_since.is_none() && !leaving && gpus.unwrap_or_else(used) < scale.utilization
    }

    /// Whether the pods of a node would find places on others. Then they have
    /// them in the trial, and the nodes that took them cannot go as well.
    fn others_have_room(&self, node: Key, trial: &mut Trial, taken: &mut FxHashSet<Key>) -> bool {
        let Some(movers) = self.movers(node) else { return false };
        if movers.is_empty() {
            return true;
        }
        let objects = self.store.objects();
        let Some(row) = objects.nodes.get(node) else { return false };
        trial.leave(node, self.now);
        let mut moved = Vec::new();
        for (key, pod) in &movers {
            match self.try_node(trial, *key) {
                Some(to) => moved.push((*key, *pod, to)),
                None => {
                    trial.put_back((node, row), &objects.pods_on(node), &moved, (self.now, self.store.now));
                    return false;
                }
            }
        }
        taken.extend(moved.iter().map(|(_, _, to)| *to));
        true
    }

    fn mark_leaving(&mut self, node: Key) {
        let value = self.store.now.0.to_string();
        let cause = self.say(node, "ScaleDown", "marked the node as toBeDeleted/unschedulable");
        let taint = Taint { key: TO_BE_DELETED.to_string(), value, effect: Effect::NoSchedule };
        let _gone_already = self.write_taint(node, &taint, true, cause);
        self.publish();
    }

    /// Evicts the pods of a machine, which goes when they have gone.
    fn empty_out(&mut self, node: Key, max_grace: Span) {
        let options = DrainOptions {
            ignore_daemon_sets: true,
            force: true,
            delete_empty_dir_data: true,
            grace_seconds: None,
            timeout: Some(EVICTION_TIME),
        };
        let cause = self.recorder.latest_of(node.uid);
        let drain = self.drains.len() as u32;
        if let Some(fleet) = &mut self.fleet {
            fleet.leaving = Some((node, drain));
        }
        if self.begin_scale_down(node, &options, max_grace, cause).is_err() {
            self.fleet_sees_drained(drain, false);
        }
    }

    /// A drain is over, perhaps that of a machine that is to go.
    pub(super) fn fleet_sees_drained(&mut self, drain: u32, well: bool) {
        let leaving = self.fleet.as_mut().and_then(|fleet| fleet.leaving.take_if(|(_, of)| *of == drain));
        let Some((node, _)) = leaving else { return };
        let last = self.recorder.last;
        if well {
            self.say(node, "ScaleDown", "node removed by cluster autoscaler");
            self.recorder.last = last;
            let node = PodRef { slot: node.slot, uid: node.uid.0 };
            self.queue.push(self.now, Urgency::First, Event::Vacated(node));
            return;
        }
        if let Some(fleet) = &mut self.fleet {
            fleet.last_failed = Some(self.now);
        }
        let cause = self.say(node, "ScaleDownFailed", "failed to drain the node, aborting ScaleDown");
        let taint = Taint::new(TO_BE_DELETED, Effect::NoSchedule);
        let _gone_already = self.write_taint(node, &taint, false, cause);
        self.publish();
        self.recorder.last = last;
    }
}

impl Machine {
    const fn new(node: Key) -> Machine {
        Machine { node, unneeded_since: None, down_since: None }
    }
}

/// Whether a pod still waits for a node.
fn is_waiting(pod: &Pod) -> bool {
    pod.node.is_none() && pod.unschedulable && !pod.meta.is_deleting() && !pod.is_finished()
}

/// Whether a taint only says that a machine has just joined.
fn is_new(taint: &Taint) -> bool {
    taint.key == NOT_READY
}

/// Whether a machine is one that a pod may run on, if it has the room.
fn admits(machine: &NodeSpec, pod: &Pod) -> bool {
    pod.pinned.is_none() && admission::objection(machine, &pod.template).is_none()
}
