//! What sets of bits find, against a look at every node.

use super::attempt::enough;
use super::class::{AskSpread, Asks};
use super::filter::{Asking, Kept};
use super::fit::{Entry, examine};
use super::offers::Offer;
use super::score::heap_rank;
use super::topology::NOWHERE;
use super::{Attempt, ClaimRules, KubeScheduler, PriorityClasses, Ties};
use crate::api::{
    ConditionStatus, Effect, Extras, Key, Kind, Labels, Meta, Node, Object, Pod, Pressures, Resources, Taint, Uid,
};
use crate::manifest;
use crate::rng::Draws;
use crate::time::{SimTime, Timestamp};
use serde_json::{Value, json};

/// Nodes and pods that come, go and change by lot.
struct World {
    kube: KubeScheduler,
    draws: Draws,
    drawn: u64,
    nodes: Vec<(Key, Node)>,
    bound: Vec<(Key, Pod)>,
    apps: Vec<Pod>,
    numbers: u32,
}

const HOST: &str = "kubernetes.io/hostname";
const ZONE: &str = "topology.kubernetes.io/zone";

/// Pods that ask for all sorts of things.
fn apps() -> Vec<Pod> {
    let me = |n: usize| json!({"matchLabels": {"app": format!("app-{n}")}});
    let spread = |n: usize, key: &str, skew: i32, when: &str| json!({"maxSkew": skew, "topologyKey": key, "whenUnsatisfiable": when, "labelSelector": me(n)});
    let term = |n: usize, key: &str| json!({"topologyKey": key, "labelSelector": me(n)});
    let (must, wish) =
        ("requiredDuringSchedulingIgnoredDuringExecution", "preferredDuringSchedulingIgnoredDuringExecution");
    let specs = [
        json!({}),
        json!({"topologySpreadConstraints": [spread(1, ZONE, 1, "DoNotSchedule")]}),
        json!({"topologySpreadConstraints": [spread(2, HOST, 1, "ScheduleAnyway"), spread(2, "rack", 2, "ScheduleAnyway")]}),
        json!({"topologySpreadConstraints": [spread(3, "rack", 1, "DoNotSchedule")], "tolerations": [{"operator": "Exists"}]}),
        json!({"affinity": {"podAntiAffinity": {must: [term(4, HOST), term(0, "rack")]}}}),
        json!({"affinity": {"podAffinity": {must: [term(5, "rack")]}}}),
        json!({"affinity": {"podAntiAffinity": {wish: [{"weight": 80, "podAffinityTerm": term(6, HOST)}]},
                            "podAffinity": {wish: [{"weight": 30, "podAffinityTerm": term(1, ZONE)}]}}}),
        json!({"nodeSelector": {"kind": "large"}, "affinity": {"nodeAffinity": {wish: [
            {"weight": 7, "preference": {"matchExpressions": [{"key": "rack", "operator": "In", "values": ["r1", "r2", "r3"]}]}}]}}}),
        json!({"limits": {"example.com/gpu": "1"}}),
    ];
    specs.into_iter().enumerate().map(|(n, spec)| app(n, spec)).collect()
}

fn app(n: usize, mut spec: Value) -> Pod {
    let requests = json!({"cpu": format!("{}m", [0, 100, 300][n % 3]), "memory": "64Mi"});
    let limits = spec.as_object_mut().and_then(|spec| spec.remove("limits")).unwrap_or_default();
    spec["containers"] = json!([{"name": "app", "image": format!("app:v{}", n % 3), "resources": {"requests": requests, "limits": limits}}]);
    let meta = json!({"name": format!("app-{n}"), "labels": {"app": format!("app-{n}")}});
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec});
    match manifest::read(&pod).expect("a valid manifest").object {
        Object::Pod(pod) => *pod,
        other => panic!("{other:?}"),
    }
}

impl World {
    fn new(seed: u64, nodes: usize) -> World {
        let mut kube = KubeScheduler::new(PriorityClasses::default(), Ties::InOrder);
        [200, 3_000].iter().enumerate().for_each(|(i, mib)| kube.know_image(format!("app:v{i}").into(), mib << 20));
        let (nodes_wanted, draws) = (nodes, Draws::new(seed));
        let (nodes, bound) = (Vec::new(), Vec::new());
        let mut world = World { kube, draws, drawn: 0, nodes, bound, apps: apps(), numbers: 0 };
        (0..nodes_wanted).for_each(|_| world.add_node());
        world
    }

    fn index(&mut self, count: usize) -> usize {
        self.drawn += 1;
        self.draws.index("test", "world", self.drawn, count)
    }

    fn add_node(&mut self) {
        self.numbers += 1;
        let name = format!("node-{:03}", self.numbers * 37 % 1_000);
        let mut labels = Labels::from([(HOST, &*name), ("kind", ["small", "large"][self.index(2)])]);
        labels = labels.with(ZONE, ["a", "b", "c"][self.index(3)]);
        // Some racks are nowhere, and there are too many for groups.
        let rack = self.index(44);
        if rack >= 4 {
            labels = labels.with("rack", &format!("r{rack}"));
        }
        let taints = match self.index(8) {
            0 => vec![Taint::new("own", Effect::NoSchedule)],
            1 | 2 => vec![Taint::new("slow", Effect::PreferNoSchedule)],
            _ => Vec::new(),
        };
        let node = Node {
            meta: Meta { labels: labels.into(), ..Meta::named("", &name) },
            unschedulable: self.index(12) == 0,
            taints,
            allocatable: Resources { cpu_milli: [1_000, 2_000][self.index(2)], memory_milli: 1 << 42, pods: 6 },
            extras: [Extras::default(), Extras::from([("example.com/gpu", 2)])][self.index(2)].clone(),
            zone: "".into(),
            ready: ConditionStatus::True,
            heartbeat: Timestamp(0),
            pressures: Pressures::default(),
        };
        let slot = (0..=u32::MAX).find(|slot| self.nodes.iter().all(|(key, _)| key.slot != *slot)).unwrap_or(0);
        let key = Key { kind: Kind::Node, slot, uid: Uid(1_000_000 + self.numbers) };
        self.kube.node_comes(key, &node, SimTime::ZERO);
        self.nodes.push((key, node));
    }

    fn remove_node(&mut self) {
        let at = self.index(self.nodes.len());
        let (key, _) = self.nodes.remove(at);
        self.kube.node_goes(key, SimTime::ZERO);
    }

    fn change_node(&mut self) {
        let (at, rack) = (self.index(self.nodes.len()), self.index(44));
        let (key, node) = &mut self.nodes[at];
        if rack % 2 == 0 {
            node.unschedulable ^= true;
        } else {
            node.meta.labels = node.meta.labels.with("rack", &format!("r{rack}")).into();
        }
        self.kube.node_changes(*key, node, SimTime::ZERO);
    }

    fn remove_pod(&mut self) {
        if !self.bound.is_empty() {
            let at = self.index(self.bound.len());
            let (key, _) = self.bound.remove(at);
            self.kube.pod_changes(key, None, || None, SimTime::ZERO, Timestamp(0));
        }
    }

    fn add_pod(&mut self) {
        self.numbers += 1;
        let at = self.index(self.apps.len());
        let mut pod = self.apps[at].clone();
        pod.meta.name = format!("pod-{}", self.numbers).into();
        let key = Key { kind: Kind::Pod, slot: self.numbers, uid: Uid(self.numbers) };
        self.kube.pod_changes(key, Some(&pod), || None, SimTime::ZERO, Timestamp(0));
        assert_eq!(self.kube.pop(), Some(key));
        let wanted = self.scan(key, &pod);
        let attempt = self.kube.attempt(key, &pod, ClaimRules::default(), &Vec::new, SimTime::ZERO);
        let found = if let Attempt::Bind(node) = attempt { Some(node) } else { None };
        assert_eq!(found, wanted, "{at} {}", self.numbers);
        pod.node = found;
        let kept = found.is_some().then_some(&pod);
        self.kube.pod_changes(key, kept, || None, SimTime::ZERO, Timestamp(0));
        if let Some(node) = found {
            self.kube.image_arrives(node, pod.template.image());
            self.bound.push((key, pod));
        }
    }

    /// The node for a pod, by looking at every node by itself.
    fn scan(&mut self, key: Key, pod: &Pod) -> Option<Key> {
        let kube = &mut self.kube;
        kube.nodes.sort();
        let class = kube.known(key)?.class;
        let asks = kube.take_asks(class);
        let best = find(kube, &asks, pod);
        kube.asks.insert(class, asks);
        best.and_then(|slot| kube.nodes.get(slot)).map(|row| row.key)
    }
}

fn find(kube: &KubeScheduler, asks: &Asks, pod: &Pod) -> Option<u32> {
    let asking = Asking::new(asks, &kube.tallies, &kube.classes);
    let order = kube.nodes.order();
    let look = |slot: u32| -> Entry {
        let row = kube.nodes.get(slot).expect("a node that is in the order");
        examine(row, kube.nodes.room(slot), &pod.template)
    };
    let wanted = kube.nodes.stock.wanted(&pod.template);
    let images = |slot: u32| {
        let there = kube.nodes.stock.there(slot, &wanted);
        i64::from(kube.nodes.stock.points(&wanted, there, order.len()))
    };
    let from = kube.start % order.len();
    let offers = order[from..].iter().chain(&order[..from]).filter(|slot| asking.against(**slot).is_empty());
    let found: Vec<(u32, Offer)> =
        offers.filter_map(|slot| Some((*slot, look(*slot).offer().ok()?))).take(enough(order.len())).collect();
    let slots: Vec<u32> = found.iter().map(|(slot, _)| *slot).collect();
    let (spread, wishes) = (spread(&asking, &slots), wishes(&asking, &slots));
    let worst = found.iter().map(|(_, offer)| i64::from(offer.taints)).max()?;
    let most = found.iter().map(|(_, offer)| i64::from(offer.likes)).max()?;
    let total = |i: usize| {
        let offer = found[i].1;
        let taints = if worst > 0 { 3 * (100 - 100 * i64::from(offer.taints) / worst) } else { 0 };
        let likes = if most > 0 { 2 * (100 * i64::from(offer.likes) / most) } else { 0 };
        i64::from(offer.room) + taints + likes + spread[i] + wishes[i] + images(slots[i])
    };
    let best = (0..found.len()).map(total).max()?;
    (0..found.len()).filter(|i| total(*i) == best).min_by_key(|i| heap_rank(*i)).map(|i| slots[i])
}

fn spread(asking: &Asking<'_>, slots: &[u32]) -> Vec<i64> {
    if asking.soft.is_empty() {
        return vec![0; slots.len()];
    }
    let left_out = |slot: u32| {
        asking.wants_all_labels && asking.soft.iter().any(|(_, kept)| kept.topology.domain(slot) == NOWHERE)
    };
    let taking_part: Vec<u32> = slots.iter().copied().filter(|slot| !left_out(*slot)).collect();
    let size = |ask: &AskSpread, kept: &Kept<'_>| {
        let mut domains: Vec<u32> = taking_part.iter().map(|slot| kept.topology.domain(*slot)).collect();
        domains.sort_unstable();
        domains.dedup();
        if ask.by_host { taking_part.len() } else { domains.len() }
    };
    let raw = |slot: u32| {
        let there = asking.soft.iter().filter(|(_, kept)| kept.topology.domain(slot) != NOWHERE);
        let score = there.map(|(ask, kept)| {
            f64::from(kept.at(slot)) * libm::log((size(ask, kept) + 2) as f64) + f64::from(ask.max_skew - 1)
        });
        libm::round(score.sum()) as i64
    };
    let least = taking_part.iter().map(|slot| raw(*slot)).min().unwrap_or(0);
    let most = taking_part.iter().map(|slot| raw(*slot)).max().unwrap_or(0);
    let points = |slot: u32| match most {
        _ if left_out(slot) => 0,
        0 => 2 * 100,
        most => 2 * (100 * (most + least - raw(slot)) / most),
    };
    slots.iter().map(|slot| points(*slot)).collect()
}

fn wishes(asking: &Asking<'_>, slots: &[u32]) -> Vec<i64> {
    let raw = |slot: &u32| asking.wishes.iter().map(|(weight, kept)| weight * i64::from(kept.at(*slot))).sum::<i64>();
    let least = slots.iter().map(raw).min().unwrap_or(0);
    let range = slots.iter().map(raw).max().unwrap_or(0) - least;
    let points =
        |slot: &u32| if range == 0 { 0 } else { 2 * ((raw(slot) - least) as f64 / range as f64 * 100.0) as i64 };
    slots.iter().map(points).collect()
}

#[test]
fn sets_find_what_a_look_at_every_node_finds() {
    for (seed, nodes) in [(1, 5), (2, 64), (3, 150), (4, 150), (5, 230)] {
        let mut world = World::new(seed, nodes);
        for _ in 0..nodes * 5 {
            match world.index(24) {
                0 => world.add_node(),
                1 if world.nodes.len() > 4 => world.remove_node(),
                2 | 3 => world.change_node(),
                4 | 5 => world.remove_pod(),
                _ => world.add_pod(),
            }
        }
        assert!(world.bound.len() > nodes, "most pods find a node");
    }
}
