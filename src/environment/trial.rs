//! A cluster in which placing pods is tried out before it is done.

use super::admission::admits;
use super::kube_scheduler::{Attempt, ClaimRules, KubeScheduler};
use super::scheduler::Scheduler;
use super::volumes::Reach;
use crate::api::{Extras, Key, Node, Pod, PodTemplate, Resources};
use crate::cluster::Objects;
use crate::time::{SimTime, Timestamp};

/// What the scheduler knows, to be changed without consequences.
pub enum Trial {
    /// With kube-scheduler's rules.
    Kube(Box<KubeScheduler>),
    /// With those of the simple scheduler.
    Simple(Vec<Place>),
}

/// A node and what is taken of it.
#[derive(Clone, Debug)]
pub struct Place {
    key: Key,
    node: Node,
    used: Resources,
    extras_used: Extras,
}

impl Place {
    fn take(&mut self, pod: &PodTemplate) {
        self.used.add(&pod.requests);
        self.extras_used.add(&pod.placement.extras);
    }

    fn give_back(&mut self, pod: &PodTemplate) {
        self.used.remove(&pod.requests);
        self.extras_used.remove(&pod.placement.extras);
    }
}

impl Trial {
    /// The cluster as it is.
    pub fn of(kube: Option<&KubeScheduler>, scheduler: &Scheduler, objects: &Objects) -> Trial {
        match kube {
            Some(kube) => Trial::Kube(Box::new(kube.clone())),
            None => {
                let place = |(key, node): (Key, &Node)| Place {
                    key,
                    node: node.clone(),
                    used: scheduler.used(key),
                    extras_used: scheduler.extras_used(key),
                };
                Trial::Simple(objects.nodes.iter().map(place).collect())
            }
        }
    }

    /// A node joins.
    pub fn join(&mut self, key: Key, node: Node, now: SimTime) {
        match self {
            Trial::Kube(kube) => kube.node_comes(key, &node, now),
            Trial::Simple(places) => {
                places.push(Place { key, node, used: Resources::default(), extras_used: Extras::default() });
            }
        }
    }

    /// A node is as this one now.
    pub fn change(&mut self, key: Key, node: Node, now: SimTime) {
        match self {
            Trial::Kube(kube) => kube.node_changes(key, &node, now),
            Trial::Simple(places) => {
                if let Some(place) = places.iter_mut().find(|place| place.key == key) {
                    place.node = node;
                }
            }
        }
    }

    /// A node goes, and its pods look for other places.
    pub fn leave(&mut self, key: Key, now: SimTime) {
        match self {
            Trial::Kube(kube) => kube.node_goes(key, now),
            Trial::Simple(places) => places.retain(|place| place.key != key),
        }
    }

    /// Finds a place for a pod that has none, and takes it.
    pub fn place(&mut self, key: Key, pod: &Pod, reach: Reach, now: SimTime, wall: Timestamp) -> Option<Key> {
        match self {
            Trial::Kube(kube) => {
                let claims = ClaimRules::new(Ok(reach)).ok()?;
                match kube.attempt(key, pod, claims, &Vec::new, now) {
                    Attempt::Bind(node) => {
                        kube.assume(key, node, pod, now, wall);
                        Some(node)
                    }
                    Attempt::Fail { .. } => None,
                }
            }
            Trial::Simple(places) => {
                let template = &pod.template;
                let place = places.iter_mut().find(|place| {
                    let named = pod.pinned.as_ref().is_none_or(|name| *name == place.node.meta.name);
                    let fits = place.node.allocatable.fits(&place.used, &template.requests)
                        && place.node.extras.fits(&place.extras_used, &template.placement.extras);
                    named && fits && admits(&place.node, &pod.template) && reach.allows(&place.node)
                })?;
                place.take(template);
                Some(place.key)
            }
        }
    }

    /// A node that went comes back with its pods; those that had found other
    /// places leave these.
    pub fn put_back(
        &mut self,
        (key, node): (Key, &Node),
        pods: &[(Key, &Pod)],
        moved: &[(Key, &Pod, Key)],
        (now, wall): (SimTime, Timestamp),
    ) {
        for (pod, row, to) in moved {
            match self {
                Trial::Kube(kube) => kube.give_up(*pod, now),
                Trial::Simple(places) => {
                    if let Some(place) = places.iter_mut().find(|place| place.key == *to) {
                        place.give_back(&row.template);
                    }
                }
            }
        }
        self.join(key, node.clone(), now);
        for (pod, row) in pods.iter().filter(|(_, row)| !row.is_finished()) {
            match self {
                Trial::Kube(kube) => kube.assume(*pod, key, row, now, wall),
                Trial::Simple(places) => {
                    if let Some(place) = places.last_mut() {
                        place.take(&row.template);
                    }
                }
            }
        }
    }
}
