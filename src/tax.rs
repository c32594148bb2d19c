//! The platform tax: what DaemonSets take from every node, and what is left
//! to schedule on.
//!
//! Only requests count, as they do for the scheduler.

use crate::api::{ConditionStatus, DaemonSet, Meta, Node, NodeSpec, Object, Pressures, Resources};
use crate::controllers::daemon_set::rules;
use crate::sim::Setup;
use crate::time::Timestamp;
use std::sync::Arc;

/// What one DaemonSet takes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Levy {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// What each of its pods asks for.
    pub each: Resources,
    /// On how many nodes one runs.
    pub nodes: usize,
}

/// What all DaemonSets of a setup take together.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Tax {
    /// DaemonSet by DaemonSet, as they were applied.
    pub levies: Vec<Levy>,
    /// How many nodes there are.
    pub nodes: usize,
    /// What the nodes offer together.
    pub allocatable: Resources,
    /// What DaemonSets take of it.
    pub taken: Resources,
    /// The node that gives the largest share, and what is taken of it.
    pub heaviest: Option<(Arc<str>, Resources)>,
}

impl Tax {
    /// What is left to schedule on.
    pub fn left(&self) -> Resources {
        let mut left = self.allocatable;
        left.remove(&self.taken);
        left
    }
}

/// The tax on the nodes of the beginning, or `None` if there is no DaemonSet.
/// Nodes that join later pay the same; taints put on later change it.
pub fn of(setup: &Setup) -> Option<Tax> {
    let sets: Vec<&DaemonSet> = setup
        .objects
        .iter()
        .filter_map(|object| match object {
            Object::DaemonSet(set) => Some(&**set),
            _ => None,
        })
        .collect();
    if sets.is_empty() {
        return None;
    }
    let mut tax = Tax { nodes: setup.nodes.len(), ..Tax::default() };
    let levy = |set: &&DaemonSet| Levy {
        namespace: set.meta.namespace.to_string(),
        name: set.meta.name.to_string(),
        each: set.spec.template.requests,
        nodes: 0,
    };
    tax.levies = sets.iter().map(levy).collect();
    let tolerations: Vec<_> = sets.iter().map(|set| rules::tolerations_of(set)).collect();
    for spec in &setup.nodes {
        let node = node(spec);
        let mut here = Resources::default();
        for (i, set) in sets.iter().enumerate() {
            if rules::fit(&node, &set.spec.template, &tolerations[i]).run {
                here.add(&set.spec.template.requests);
                tax.levies[i].nodes += 1;
            }
        }
        tax.allocatable.add(&spec.allocatable);
        tax.taken.add(&here);
        let weight = |of: &Resources| (of.cpu_milli, of.memory_milli, of.pods);
        if tax.heaviest.as_ref().is_none_or(|(_, most)| weight(&here) > weight(most)) {
            tax.heaviest = Some((spec.name.clone(), here));
        }
    }
    Some(tax)
}

/// A node as it is once it has joined.
fn node(spec: &NodeSpec) -> Node {
    Node {
        meta: Meta { labels: Arc::new(spec.all_labels()), ..Meta::named("", &spec.name) },
        unschedulable: false,
        taints: spec.taints.clone(),
        allocatable: spec.allocatable,
        extras: spec.extras.clone(),
        zone: spec.zone.clone(),
        ready: ConditionStatus::True,
        heartbeat: Timestamp(0),
        pressures: Pressures::default(),
    }
}
