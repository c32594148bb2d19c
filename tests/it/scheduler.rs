//! The simple scheduler's index against a scan of all nodes.

use seatrial::api::{ConditionStatus, Extras, Pressures};
use seatrial::api::{Effect, Key, Labels, Meta, Node, Object, Pod, Resources, Taint};
use seatrial::cluster::Store;
use seatrial::environment::Scheduler;
use seatrial::environment::volumes::Reach;
use seatrial::manifest;
use seatrial::rng::Draws;
use seatrial::time::Timestamp;
use serde_json::{Value, json};

/// Nodes and pods that come, go and change by lot.
struct World {
    store: Store,
    scheduler: Scheduler,
    draws: Draws,
    drawn: u64,
    /// By node, what is on it.
    nodes: Vec<(Key, Vec<(Key, Resources)>)>,
    named: u32,
}

impl World {
    fn new(seed: u64) -> World {
        World {
            store: Store::default(),
            scheduler: Scheduler::default(),
            draws: Draws::new(seed),
            drawn: 0,
            nodes: Vec::new(),
            named: 0,
        }
    }

    fn index(&mut self, count: usize) -> usize {
        self.drawn += 1;
        self.draws.index("test", "world", self.drawn, count)
    }

    fn add_node(&mut self) {
        self.named += 1;
        // Names that are not in the order of creation.
        let name = format!("node-{:03}", self.named * 37 % 1_000);
        let kind = ["small", "large"][self.index(2)];
        let taints = if self.index(4) == 0 { vec![Taint::new("own", Effect::NoSchedule)] } else { Vec::new() };
        let node = Node {
            meta: Meta { labels: Labels::from([("kind", kind)]).into(), ..Meta::named("", &name) },
            unschedulable: false,
            taints,
            allocatable: Resources { cpu_milli: 1_000, memory_milli: 1 << 40, pods: 6 },
            extras: Extras::default(),
            zone: "".into(),
            ready: ConditionStatus::True,
            heartbeat: Timestamp(0),
            pressures: Pressures::default(),
        };
        let key = self.store.create(node.clone()).expect("a new name");
        self.scheduler.node_comes(key, &node);
        self.nodes.push((key, Vec::new()));
    }

    fn change_node(&mut self) {
        let i = self.index(self.nodes.len().max(1));
        let Some((key, _)) = self.nodes.get(i) else { return };
        let version = self.store.objects().nodes.get(*key).map(|node| node.meta.resource_version);
        self.store.update(*key, version, |node: &mut Node| node.unschedulable ^= true).expect("there");
        self.scheduler.node_changes(*key);
    }

    fn remove_node(&mut self) {
        if self.nodes.len() > 3 {
            let i = self.index(self.nodes.len());
            let (key, _) = self.nodes.swap_remove(i);
            self.store.remove(key);
            self.scheduler.node_goes(key);
        }
    }

    fn add_pod(&mut self) {
        let spec = [
            json!({}),
            json!({"nodeSelector": {"kind": "large"}}),
            json!({"tolerations": [{"operator": "Exists"}]}),
            json!({"tolerations": [{"key": "own", "operator": "Exists"}], "nodeSelector": {"kind": "small"}}),
        ][self.index(4)]
        .clone();
        let cpu = [0, 150, 400][self.index(3)];
        self.named += 1;
        let pod = pod(&format!("pod-{}", self.named), cpu, spec);
        let chosen = self.scheduler.choose(&pod, &Reach::default(), self.store.objects());
        assert_eq!(chosen, self.scan(&pod), "{}", pod.meta.name);
        if let Some(node) = chosen {
            let requests = pod.template.requests;
            let key = self.store.create(pod).expect("a new name");
            self.scheduler.occupy(node, key, &requests, &Extras::default());
            let there = self.nodes.iter_mut().find(|(key, _)| *key == node).expect("a node that is there");
            there.1.push((key, requests));
        }
    }

    fn remove_pod(&mut self) {
        let i = self.index(self.nodes.len().max(1));
        if let Some((node, pods)) = self.nodes.get_mut(i)
            && let Some((pod, requests)) = pods.pop()
        {
            self.scheduler.vacate(*node, pod, &requests);
        }
    }

    /// What the scheduler promises, by looking at every node.
    fn scan(&self, pod: &Pod) -> Option<Key> {
        let template = &pod.template;
        let may = self.nodes.iter().filter_map(|(key, pods)| {
            let node = self.store.objects().nodes.get(*key)?;
            let mut used = Resources::default();
            for (_, requests) in pods {
                used.add(requests);
            }
            let tolerates = |taint: &Taint| taint.is_tolerated_by(&template.tolerations);
            let will_do = (!node.unschedulable || tolerates(&Taint::unschedulable()))
                && node.taints.iter().all(tolerates)
                && template.selects(&node.meta.labels, &node.meta.name)
                && node.allocatable.fits(&used, &template.requests);
            will_do.then(|| (pods.len(), node.meta.name.clone(), *key))
        });
        may.min_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1))).map(|(_, _, key)| key)
    }
}

fn pod(name: &str, cpu: i64, mut spec: Value) -> Pod {
    let requests = if cpu == 0 { json!({}) } else { json!({"cpu": format!("{cpu}m")}) };
    spec["containers"] = json!([{"name": "app", "image": "app:v1", "resources": {"requests": requests}}]);
    let manifest = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec});
    match manifest::read(&manifest).expect("a valid manifest").object {
        Object::Pod(pod) => *pod,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_index_finds_what_a_scan_finds() {
    for seed in 0..30 {
        let mut world = World::new(seed);
        (0..10).for_each(|_| world.add_node());
        for _ in 0..400 {
            match world.index(20) {
                0 => world.add_node(),
                1 => world.remove_node(),
                2 | 3 => world.change_node(),
                4..=8 => world.remove_pod(),
                _ => world.add_pod(),
            }
        }
    }
}
