//! The machines, or enough of them if nobody says which.

use super::Compiler;
use super::pools::{machines, says_machines};
use crate::api::{
    Deployment, EPHEMERAL_STORAGE, Extras, Labels, NodeSpec, Object, Resources, Rounding, Strategy, Taint,
};
use crate::environment::quota::Quota;
use crate::environment::spot::Pool;
use crate::manifest;
use crate::scenario::file::{Cluster, NodeEntry, QuotaEntry, Shape, Spec};
use crate::scenario::yaml::Document;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a node offers if nobody says otherwise: 16 CPU, 64 GiB, 110 pods.
pub(super) const NODE: Resources = Resources { cpu_milli: 16_000, memory_milli: (64 << 30) * 1_000, pods: 110 };
/// More nodes than anybody runs in one cluster.
const MAX_NODES: usize = 20_000;

/// What the pods of namespaces may take.
pub(super) fn quotas(cluster: &Cluster) -> Vec<Quota> {
    let quota = |(namespace, entry): (&String, &QuotaEntry)| Quota {
        namespace: namespace.as_str().into(),
        name: "".into(),
        hard: [
            ("pods", entry.pods.map(|pods| i64::from(pods) * 1_000)),
            ("requests.cpu", entry.cpu.map(|cpu| cpu.milli)),
            ("requests.memory", entry.memory.map(|memory| memory.milli)),
        ]
        .into_iter()
        .filter_map(|(name, milli)| Some((name, milli?)))
        .collect(),
        scopes: Vec::new(),
    };
    cluster.quotas.iter().map(quota).collect()
}

impl Compiler<'_> {
    /// The nodes, and what was assumed about them.
    pub(super) fn cluster(
        &mut self,
        spec: &Spec,
        objects: &[Object],
        applied: &BTreeMap<String, Vec<Document>>,
        pools: &[Pool],
    ) -> (Vec<NodeSpec>, Option<String>) {
        match &spec.cluster {
            Some(cluster) if says_machines(cluster) => (self.given(cluster, pools), None),
            _ => {
                let read = |d: &Document| manifest::read(&d.value).ok().map(|l| l.object);
                let later: Vec<Object> = applied.values().flatten().filter_map(read).collect();
                let scaled = spec.actions.iter().filter_map(|a| a.scale.as_ref());
                let largest = scaled.flat_map(BTreeMap::values).copied().max().unwrap_or(0);
                let all: Vec<&Object> = objects.iter().chain(&later).collect();
                let (nodes, text) = enough(&all, largest);
                (nodes, Some(text))
            }
        }
    }

    fn given(&mut self, cluster: &Cluster, pools: &[Pool]) -> Vec<NodeSpec> {
        let mut nodes: Vec<NodeSpec> = Vec::new();
        let wanted =
            cluster.zones.values().map(|z| z.nodes as usize).sum::<usize>() + cluster.nodes.len() + machines(cluster);
        if wanted > MAX_NODES {
            self.problem(
                "spec.cluster",
                format!("{wanted} nodes are more than the {MAX_NODES} that are possible"),
                None,
            );
            return nodes;
        }
        for (zone, of) in &cluster.zones {
            self.check_shape(&format!("spec.cluster.zones.{zone}"), of.shape());
            for i in 1..=of.nodes {
                nodes.push(node(&format!("{zone}-{i}"), zone, of.shape()));
            }
        }
        for (i, entry) in cluster.nodes.iter().enumerate() {
            if nodes.iter().any(|n| *n.name == entry.name) {
                let field = format!("spec.cluster.nodes[{i}].name");
                self.problem(&field, format!("there is already a node {}", entry.name), None);
            }
            self.check_shape(&format!("spec.cluster.nodes[{i}]"), entry.shape());
            nodes.push(from_entry(entry));
        }
        for (name, pool) in &cluster.pools {
            self.check_shape(&format!("spec.cluster.pools.{name}"), pool.shape());
        }
        for machine in pools.iter().flat_map(Pool::first_machines) {
            if nodes.iter().any(|n| n.name == machine.name) {
                self.problem("spec.cluster.pools", format!("there is already a node {}", machine.name), None);
            }
            nodes.push(machine);
        }
        nodes
    }
}

/// Whether a node can have a resource of this name beside CPU and memory.
fn is_other_resource(name: &str) -> bool {
    name == EPHEMERAL_STORAGE
        || name.starts_with("hugepages-")
        || (name.contains('/') && !name.contains("kubernetes.io/"))
}

impl Compiler<'_> {
    /// Refuses resources that no container could ask for.
    fn check_shape(&mut self, field: &str, shape: Shape<'_>) {
        for name in shape.resources.keys().filter(|name| !is_other_resource(name)) {
            let hint = match name.as_str() {
                "cpu" | "memory" | "pods" => format!("write {name} beside resources, not in it"),
                _ => "extended resources have a prefix, such as example.com/gpu".to_string(),
            };
            let message = format!("{name} is no resource that nodes have beside cpu, memory and pods");
            self.problem(&format!("{field}.resources.{name}"), message, Some(hint));
        }
    }
}

/// Adds the nodes that join later to the known ones.
pub(super) fn joining_nodes(spec: &Spec, into: &mut Vec<(String, String)>) {
    for entry in spec.actions.iter().filter_map(|a| a.node_add.as_ref()).flat_map(|all| &all.0) {
        let named = (entry.name.clone(), entry.zone.clone().unwrap_or_default());
        if !into.contains(&named) {
            into.push(named);
        }
    }
}

/// A node as a scenario describes it.
pub(super) fn from_entry(entry: &NodeEntry) -> NodeSpec {
    node(&entry.name, entry.zone.as_deref().unwrap_or(""), entry.shape())
}

/// A machine of this shape.
pub(super) fn node(name: &str, zone: &str, shape: Shape<'_>) -> NodeSpec {
    let mut taints: Vec<Taint> = shape.taints.iter().map(|t| t.0.clone()).collect();
    taints.sort();
    let allocatable = Resources {
        cpu_milli: shape.cpu.map_or(NODE.cpu_milli, |q| q.milli),
        memory_milli: shape.memory.map_or(NODE.memory_milli, |q| q.milli),
        pods: shape.pods.map_or(NODE.pods, i64::from),
    };
    NodeSpec {
        name: name.into(),
        zone: zone.into(),
        labels: Labels(shape.labels.clone().into_iter().collect()),
        taints,
        allocatable,
        extras: Extras::new(shape.resources.iter().map(|(name, q)| (name.as_str().into(), q.milli / 1_000)).collect()),
    }
}

/// How many runs of a CronJob there is room for at a time: slow ones pile up.
const RUNS: i64 = 10;

/// Three zones with room for twice the replicas and the surge, so that room
/// is never the reason for anything, and what that comes to in words.
pub(super) fn enough(objects: &[&Object], largest: u32) -> (Vec<NodeSpec>, String) {
    let mut needed = Resources::default();
    let mut biggest = Resources { pods: 1, ..Resources::default() };
    let mut labels = Labels::default();
    let mut extras: BTreeMap<Arc<str>, i64> = BTreeMap::new();
    for object in objects {
        let (pods, template) = match object {
            Object::Deployment(d) => (pods_of(d, largest), &d.spec.template),
            Object::ReplicaSet(r) => (2 * i64::from(r.spec.replicas.max(largest as i32)), &r.spec.template),
            Object::StatefulSet(s) => (2 * i64::from(s.spec.replicas.max(largest as i32)), &s.spec.template),
            // What takes room on every node is added below.
            Object::DaemonSet(s) => (0, &s.spec.template),
            Object::Job(j) => (2 * i64::from(j.spec.parallelism.max(1)), &j.spec.template),
            Object::CronJob(c) => {
                let job = &c.spec.template.spec;
                (RUNS * i64::from(job.parallelism), &job.template)
            }
            Object::Pod(p) => (1, &p.template),
            _ => continue,
        };
        let each = template.requests;
        needed.pods += pods;
        needed.cpu_milli = needed.cpu_milli.saturating_add(each.cpu_milli.saturating_mul(pods));
        needed.memory_milli = needed.memory_milli.saturating_add(each.memory_milli.saturating_mul(pods));
        biggest.cpu_milli = biggest.cpu_milli.max(each.cpu_milli);
        biggest.memory_milli = biggest.memory_milli.max(each.memory_milli);
        labels.0.extend(template.node_selector.0.clone());
        // Of what else there is, each node has enough for all, and two daemons.
        for (name, each) in template.placement.extras.iter().filter(|(name, _)| ***name != *EPHEMERAL_STORAGE) {
            let there = extras.entry(name.clone()).or_default();
            *there = there.saturating_add(each.saturating_mul(pods.max(2)));
        }
    }
    labels.0.retain(|key, _| !key.starts_with("topology.kubernetes.io/") && !key.starts_with("kubernetes.io/"));
    let each = Resources {
        cpu_milli: NODE.cpu_milli.max(biggest.cpu_milli),
        memory_milli: NODE.memory_milli.max(biggest.memory_milli),
        pods: NODE.pods,
    };
    let whole = |need: i64, one: i64| need.div_euclid(one) + i64::from(need.rem_euclid(one) > 0);
    let nodes = whole(needed.pods, each.pods)
        .max(whole(needed.cpu_milli, each.cpu_milli))
        .max(whole(needed.memory_milli, each.memory_milli));
    let each = with_room_for_daemons(each, objects);
    // One more per zone, as pods of different sizes leave gaps.
    let per_zone = (whole(nodes, 3) + 1).clamp(1, MAX_NODES as i64 / 3);
    let name = |zone: &str, i: i64| -> Arc<str> { format!("{zone}-{i}").into() };
    let all = ["a", "b", "c"].iter().flat_map(|zone| (1..=per_zone).map(move |i| (*zone, i)));
    let nodes: Vec<NodeSpec> = all
        .map(|(zone, i)| NodeSpec {
            name: name(zone, i),
            zone: zone.into(),
            labels: labels.clone(),
            taints: Vec::new(),
            allocatable: each,
            extras: Extras::new(extras.clone()),
        })
        .collect();
    let labelled = if labels.0.is_empty() { "" } else { " and the labels that node selectors ask for" };
    let others: Vec<String> = extras.iter().map(|(name, amount)| format!(", {amount} {name}")).collect();
    let others = others.concat();
    let text = format!(
        "the cluster has {} nodes in 3 zones, each with {} CPU, {} GiB, {} pods{others}{labelled}",
        nodes.len(),
        each.cpu_milli / 1_000,
        each.memory_milli / 1_000 / (1 << 30),
        each.pods
    );
    (nodes, text)
}

/// A node's room with two more pods for each DaemonSet: with surge, a new one
/// comes beside the old one.
fn with_room_for_daemons(node: Resources, objects: &[&Object]) -> Resources {
    let daemons = objects.iter().filter_map(|object| match object {
        Object::DaemonSet(s) => Some(s.spec.template.requests),
        _ => None,
    });
    daemons.fold(node, |room, each| Resources {
        cpu_milli: room.cpu_milli.saturating_add(each.cpu_milli.saturating_mul(2)),
        memory_milli: room.memory_milli.saturating_add(each.memory_milli.saturating_mul(2)),
        pods: room.pods + 2,
    })
}

/// The most pods that a Deployment may have at a time, those that still
/// terminate included.
fn pods_of(deployment: &Deployment, largest: u32) -> i64 {
    let replicas = deployment.spec.replicas.max(i32::try_from(largest).unwrap_or(i32::MAX));
    let surge = match deployment.spec.strategy {
        Strategy::RollingUpdate { max_surge, .. } => max_surge.scaled(replicas, Rounding::Up),
        Strategy::Recreate => 0,
    };
    2 * i64::from(replicas) + i64::from(surge)
}
