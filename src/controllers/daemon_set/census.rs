//! A DaemonSet's pods, node by node.
//!
//! A cluster has thousands of nodes, and every start of a daemon pod is a
//! sync. So nothing is counted over all nodes: each node is looked at when it
//! or one of its pods has changed or comes of age, and what it counts for is
//! kept in sums and lists.

use super::rules::{self, Counts, DaemonPod, Fit, Limits, Share, Shares, Stage, Step, Upkeep};
use crate::api::{DaemonSet, Key, Kind, Pod, Toleration};
use crate::controllers::View;
use crate::controllers::history::REVISION_LABEL;
use crate::controllers::pods::{available_at, is_available};
use crate::time::Instant;
use rustc_hash::FxHashMap;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The label by which pods say the generation of their template.
pub(super) const GENERATION_LABEL: &str = "pod-template-generation";

/// What is known of one DaemonSet's nodes.
#[derive(Clone, Debug, Default)]
pub(super) struct Census {
    /// What the nodes were last looked at with; none before the first time.
    basis: Option<Basis>,
    nodes: BTreeMap<Arc<str>, Entry>,
    /// Which node each pod belongs to.
    homes: FxHashMap<Key, Arc<str>>,
    /// Nodes to look at anew.
    changed: BTreeSet<Arc<str>>,
    /// Nodes with a ready pod that is not available yet, and when it will be.
    maturing: BTreeSet<(Instant, Arc<str>)>,
    /// When they were last looked at by the controller's wall clock, which
    /// may be set back.
    looked_at: Instant,
    /// Nodes on which something is due.
    due: BTreeSet<Arc<str>>,
    /// Nodes that wait for a step of the rolling update, by step.
    steps: [BTreeSet<Arc<str>>; Step::ALL.len()],
    counts: Counts,
    shares: Shares,
    /// Nodes that are gone and stop a rolling update with surge.
    lost: usize,
}

/// A node, whether it is there or only its pods are.
#[derive(Clone, Debug, Default)]
struct Entry {
    pods: Vec<Key>,
    found: Option<Found>,
}

/// What a look at a node found.
#[derive(Clone, PartialEq, Debug, Default)]
struct Found {
    /// Whether the node is there.
    exists: bool,
    /// The pods that count, by name; places are places in this list.
    pods: Vec<Key>,
    counts: Counts,
    share: Share,
    upkeep: Upkeep,
    lost: bool,
    matures: Option<Instant>,
}

/// What findings depend on beside nodes and pods. When it changes, every node
/// is looked at anew.
#[derive(Clone, PartialEq, Debug)]
struct Basis {
    hash: Arc<str>,
    generation: i64,
    surging: bool,
}

/// What is due on one node.
pub(super) struct Due<'a> {
    pub(super) node: &'a Arc<str>,
    pub(super) upkeep: &'a Upkeep,
    /// What the places in `upkeep` mean.
    pub(super) pods: &'a [Key],
}

/// What nodes are looked at with.
pub(super) struct Lens<'a> {
    set: &'a DaemonSet,
    hash: &'a Arc<str>,
    tolerations: Vec<Toleration>,
    generation: String,
    allows_surge: bool,
    view: View<'a>,
}

impl<'a> Lens<'a> {
    pub(super) fn new(set: &'a DaemonSet, hash: &'a Arc<str>, view: View<'a>) -> Lens<'a> {
        Lens {
            set,
            hash,
            tolerations: super::rules::tolerations_of(set),
            generation: set.template_generation.to_string(),
            allows_surge: rules::allows_surge(set.spec.update),
            view,
        }
    }

    fn facts(&self, pod: &Pod) -> DaemonPod {
        let label = |name| pod.meta.labels.get(name);
        let current = label(REVISION_LABEL) == Some(self.hash);
        let min_ready_seconds = self.set.spec.min_ready_seconds;
        DaemonPod {
            deleting: pod.meta.is_deleting(),
            phase: pod.phase,
            bound: pod.node.is_some(),
            created: pod.meta.created,
            ready: pod.ready,
            available: is_available(pod.ready, pod.ready_since, min_ready_seconds, self.view.now),
            current,
            updated: current || label(GENERATION_LABEL) == Some(&self.generation),
        }
    }

    /// The pods of a node that count, by name.
    fn pods(&self, keys: &[Key]) -> Vec<(Key, &'a Pod, DaemonPod)> {
        let mut pods: Vec<(Key, &Pod, DaemonPod)> = keys
            .iter()
            .filter_map(|&key| self.view.cache.pods.get(key).map(|pod| (key, pod, self.facts(pod))))
            .filter(|(_, pod, facts)| !rules::is_past(facts) && self.set.spec.selector.matches(&pod.meta.labels))
            .collect();
        pods.sort_by(|(_, a, _), (_, b, _)| a.meta.name.cmp(&b.meta.name));
        pods
    }

    fn look(&self, name: &Arc<str>, keys: &[Key], surging: bool) -> Found {
        let cache = self.view.cache;
        let node = cache.find(Kind::Node, &"".into(), name).and_then(|key| cache.nodes.get(key));
        let fit = node.map_or(Fit::default(), |node| rules::fit(node, &self.set.spec.template, &self.tolerations));
        let pods = self.pods(keys);
        let facts: Vec<DaemonPod> = pods.iter().map(|(.., facts)| *facts).collect();
        let comes_of_age = |(_, pod, facts): &(Key, &Pod, DaemonPod)| {
            (facts.ready && !facts.available).then(|| available_at(pod.ready_since, self.set.spec.min_ready_seconds))
        };
        let stage = rules::stage(&facts);
        Found {
            exists: node.is_some(),
            counts: if node.is_some() { rules::counts(fit, &facts) } else { Counts::default() },
            share: if rules::takes_part(fit, &facts) { rules::share(fit, &facts, surging) } else { Share::default() },
            upkeep: match node {
                Some(_) => rules::upkeep(fit, &facts, self.allows_surge),
                None => rules::upkeep_without_node(&facts),
            },
            lost: node.is_none() && surging && matches!(stage, Stage::Old { .. }),
            matures: pods.iter().filter_map(comes_of_age).min(),
            pods: pods.into_iter().map(|(key, ..)| key).collect(),
        }
    }
}

impl Census {
    /// A census of everything that the cache shows of a DaemonSet.
    pub(super) fn of(set: Key, view: View<'_>) -> Census {
        let mut census = Census::default();
        for (_, node) in view.cache.nodes.iter() {
            census.node_changed(&node.meta.name);
        }
        for (pod, _) in view.cache.pods_of(set) {
            census.pod_changed(pod, view);
        }
        census
    }

    /// A pod came or changed.
    pub(super) fn pod_changed(&mut self, key: Key, view: View<'_>) {
        let Some(pod) = view.cache.pods.get(key) else { return };
        let Some(home) = target_node(pod, view) else { return };
        if self.homes.get(&key) != Some(&home) {
            self.pod_gone(key);
            self.homes.insert(key, home.clone());
            self.nodes.entry(home.clone()).or_default().pods.push(key);
        }
        self.changed.insert(home);
    }

    /// A pod went, or is no longer this DaemonSet's.
    pub(super) fn pod_gone(&mut self, key: Key) {
        let Some(home) = self.homes.remove(&key) else { return };
        if let Some(entry) = self.nodes.get_mut(&home) {
            entry.pods.retain(|pod| *pod != key);
        }
        self.changed.insert(home);
    }

    /// A node came, went, or changed.
    pub(super) fn node_changed(&mut self, name: &Arc<str>) {
        self.changed.insert(name.clone());
    }

    /// Whether a pod is bound to a node.
    pub(super) fn has_bound_pod(&self, node: &Arc<str>, view: View<'_>) -> bool {
        let bound = |key: &Key| view.cache.pods.get(*key).is_some_and(|pod| pod.node.is_some());
        self.nodes.get(node).is_some_and(|entry| entry.pods.iter().any(bound))
    }

    /// Looks at what has changed, and says how far a rolling update may go.
    pub(super) fn refresh(&mut self, lens: &Lens<'_>) -> Limits {
        let set = lens.set;
        let surging = self.basis.as_ref().is_some_and(|basis| basis.surging);
        if lens.view.now < self.looked_at {
            // What was available may not be any more.
            self.basis = None;
        }
        self.looked_at = lens.view.now;
        self.rebase(Basis { hash: lens.hash.clone(), generation: set.meta.generation, surging });
        while let Some((_, node)) = self.maturing.first().filter(|(at, _)| *at <= lens.view.now) {
            let node = node.clone();
            self.maturing.pop_first();
            self.changed.insert(node);
        }
        self.look_at_changed(lens);
        // Whether there is any surge depends on how many nodes there are.
        let limits = rules::limits(set.spec.update, self.counts.desired);
        if (limits.surge > 0) != surging {
            let generation = set.meta.generation;
            self.rebase(Basis { hash: lens.hash.clone(), generation, surging: limits.surge > 0 });
            self.look_at_changed(lens);
        }
        limits
    }

    fn rebase(&mut self, basis: Basis) {
        if self.basis.as_ref() != Some(&basis) {
            self.changed.extend(self.nodes.keys().cloned());
            self.basis = Some(basis);
        }
    }

    fn look_at_changed(&mut self, lens: &Lens<'_>) {
        let surging = self.basis.as_ref().is_some_and(|basis| basis.surging);
        for name in std::mem::take(&mut self.changed) {
            let entry = self.nodes.entry(name.clone()).or_default();
            let found = lens.look(&name, &entry.pods, surging);
            let forget = !found.exists && entry.pods.is_empty();
            if entry.found.as_ref() == Some(&found) && !forget {
                continue;
            }
            if let Some(old) = entry.found.replace(found.clone()) {
                self.enter(&name, &old, false);
            }
            self.enter(&name, &found, true);
            if forget {
                self.nodes.remove(&name);
            }
        }
    }

    /// Enters a finding into sums and lists, or takes it out.
    fn enter(&mut self, name: &Arc<str>, found: &Found, add: bool) {
        if add {
            self.counts += found.counts;
            self.shares += found.share;
            self.lost += usize::from(found.lost);
        } else {
            self.counts -= found.counts;
            self.shares -= found.share;
            self.lost -= usize::from(found.lost);
        }
        let edit = |list: &mut BTreeSet<Arc<str>>| {
            if add {
                list.insert(name.clone())
            } else {
                list.remove(name)
            };
        };
        if found.upkeep != Upkeep::default() {
            edit(&mut self.due);
        }
        if let Some((step, _)) = found.share.step {
            edit(&mut self.steps[step as usize]);
        }
        if let Some(at) = found.matures {
            let entry = (at, name.clone());
            if add {
                self.maturing.insert(entry)
            } else {
                self.maturing.remove(&entry)
            };
        }
    }

    /// What the status counts.
    pub(super) const fn counts(&self) -> Counts {
        self.counts
    }

    /// What counts against the limits of a rolling update.
    pub(super) const fn shares(&self) -> Shares {
        self.shares
    }

    /// Whether a node that is gone stops a rolling update.
    pub(super) const fn has_lost_node(&self) -> bool {
        self.lost > 0
    }

    /// What is due: by name the nodes that are there, then the others.
    pub(super) fn due(&self) -> Vec<Due<'_>> {
        let due = self.due.iter().filter_map(|node| Some((node, self.nodes.get(node)?.found.as_ref()?)));
        let (mut there, gone): (Vec<_>, Vec<_>) = due.partition(|(_, found)| found.exists);
        there.extend(gone);
        there.into_iter().map(|(node, found)| Due { node, upkeep: &found.upkeep, pods: &found.pods }).collect()
    }

    /// The first nodes by name that wait for a step, with their old pods.
    pub(super) fn next(&self, step: Step, most: usize) -> impl Iterator<Item = (&Arc<str>, Key)> {
        self.steps[step as usize].iter().take(most).filter_map(|name| {
            let found = self.nodes.get(name)?.found.as_ref()?;
            Some((name, *found.pods.get(found.share.step?.1)?))
        })
    }

    /// Whether any node waits for a step.
    pub(super) fn is_waited_for(&self, step: Step) -> bool {
        !self.steps[step as usize].is_empty()
    }
}

/// The node that a pod runs on or is meant for.
///
/// Upstream: `daemon/util/daemonset_util.go GetTargetNodeName`
fn target_node(pod: &Pod, view: View<'_>) -> Option<Arc<str>> {
    let bound = || Some(view.cache.nodes.get(pod.node?)?.meta.name.clone());
    pod.pinned.clone().or_else(bound)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{
        ConditionStatus, DaemonSetSpec, DaemonSetStatus, DaemonSetUpdate, Effect, Extras, IntOrPercent, Labels, Meta,
        Node, OwnerRef, Phase, PodTemplate, Resources, Selector, Taint, Uid,
    };
    use crate::cluster::{Objects, Row, deliver};
    use crate::time::Timestamp;

    const SET: Key = Key { kind: Kind::DaemonSet, slot: 0, uid: Uid(1) };

    fn template() -> Arc<PodTemplate> {
        Arc::new(PodTemplate { labels: Arc::new(Labels::from([("app", "agent")])), ..PodTemplate::empty() })
    }

    fn daemon_set(max_surge: IntOrPercent, max_unavailable: IntOrPercent) -> DaemonSet {
        DaemonSet {
            meta: Meta { uid: SET.uid, generation: 1, ..Meta::named("default", "agent") },
            spec: DaemonSetSpec {
                selector: Arc::new(Selector { match_labels: Labels::from([("app", "agent")]), ..Selector::default() }),
                template: template(),
                update: DaemonSetUpdate::RollingUpdate { max_surge, max_unavailable },
                min_ready_seconds: 5,
                revision_history_limit: 10,
            },
            status: DaemonSetStatus::default(),
            template_generation: 1,
        }
    }

    fn node(n: u32, taint: Option<Effect>) -> Row {
        let taint = taint.map(|effect| Taint { key: "x".to_string(), value: String::new(), effect });
        Row::Node(Box::new(Node {
            meta: Meta { uid: Uid(1_000 + n), ..Meta::named("", &format!("node-{n}")) },
            unschedulable: false,
            taints: taint.into_iter().collect(),
            allocatable: Resources::default(),
            extras: Extras::default(),
            zone: "".into(),
            ready: ConditionStatus::True,
            heartbeat: crate::time::Timestamp(0),
            pressures: crate::api::Pressures::default(),
        }))
    }

    fn pod(n: u32, home: u32, dice: u32) -> Row {
        let hash = ["old", "new", "new"][dice as usize % 3];
        let labels = template().labels.with(REVISION_LABEL, hash);
        let owner = OwnerRef { key: SET, controller: true, blocks_deletion: true };
        let deletion = (dice % 7 == 3).then_some(crate::api::Deletion { at: Timestamp(0), grace_seconds: 30 });
        Row::Pod(Box::new(Pod {
            meta: Meta {
                uid: Uid(2_000 + n),
                labels: Arc::new(labels),
                owners: vec![owner],
                created: Timestamp(i64::from(dice % 4)),
                deletion,
                ..Meta::named("default", &format!("agent-{n:03}"))
            },
            template: template(),
            number: n,
            pinned: Some(format!("node-{home}").into()),
            node: (!dice.is_multiple_of(5)).then_some(Key { kind: Kind::Node, slot: home, uid: Uid(1_000 + home) }),
            phase: [Phase::Running, Phase::Running, Phase::Failed, Phase::Pending][dice as usize / 3 % 4],
            ready: dice.is_multiple_of(2),
            ready_since: Timestamp(i64::from(dice % 11)),
            ..Pod::running(0)
        }))
    }

    /// Everything that anybody asks of a census.
    fn answers(census: &Census) -> String {
        let due: Vec<_> = census.due().iter().map(|d| (d.node.clone(), d.upkeep.clone(), d.pods.to_vec())).collect();
        let steps: Vec<_> = Step::ALL
            .iter()
            .map(|&step| census.next(step, 99).map(|(node, pod)| (node.clone(), pod)).collect::<Vec<_>>())
            .collect();
        let maturing: Vec<_> = census.maturing.iter().collect();
        format!("{:?} {:?} {due:?} {steps:?} {} {maturing:?}", census.counts, census.shares, census.lost)
    }

    /// Random changes: after each the census that was told of it must say
    /// what a new one says that looks at everything.
    #[test]
    fn a_census_that_is_told_of_changes_is_right() {
        use IntOrPercent::{Int, Percent};
        for (seed, set) in [
            (1_u64, daemon_set(Int(0), Int(2))),
            (2, daemon_set(Int(2), Int(0))),
            (3, daemon_set(Percent(40), Int(0))),
            (4, daemon_set(Int(0), Percent(30))),
        ] {
            let (mut cache, live) = (Objects::default(), Objects::default());
            let (mut census, mut state) = (Census::default(), seed);
            let mut roll = |sides: u32| {
                state = state.wrapping_mul(6_364_136_223_846_793_005_u64).wrapping_add(1_442_695_040_888_963_407);
                (state >> 33) as u32 % sides
            };
            for second in 0..600 {
                let (n, home, dice) = (roll(12), roll(5), roll(840));
                let change = match roll(6) {
                    0 => deliver(
                        &mut cache,
                        home,
                        node(home, [None, None, Some(Effect::NoSchedule), Some(Effect::NoExecute)][roll(4) as usize]),
                    ),
                    1 if roll(3) == 0 => deliver(
                        &mut cache,
                        home,
                        Row::Gone(Key { kind: Kind::Node, slot: home, uid: Uid(1_000 + home) }),
                    ),
                    2 => deliver(&mut cache, n, Row::Gone(Key { kind: Kind::Pod, slot: n, uid: Uid(2_000 + n) })),
                    _ => deliver(&mut cache, n, pod(n, n % 5, dice)),
                };
                let now = Timestamp(second / 40).instant();
                let view = View { live: &live, ..View::up_to_date(&cache, now) };
                match change.map(|change| change.key) {
                    Some(key) if key.kind == Kind::Node => census.node_changed(&format!("node-{}", key.slot).into()),
                    Some(key) if cache.pods.get(key).is_some() => census.pod_changed(key, view),
                    Some(key) => census.pod_gone(key),
                    None => {}
                }
                let hash: Arc<str> = if second < 300 { "old" } else { "new" }.into();
                let lens = Lens::new(&set, &hash, view);
                let mut fresh = Census::of(SET, view);
                assert_eq!(census.refresh(&lens), fresh.refresh(&lens));
                assert_eq!(answers(&census), answers(&fresh), "seed {seed}, change {second}");
            }
        }
    }
}
