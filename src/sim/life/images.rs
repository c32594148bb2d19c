//! Images: which node has which, and how they get there.

use super::super::event::{LifeStep, PodRef};
use super::Simulation;
use crate::api::{Key, PullPolicy};
use crate::sim::setup::Image;
use crate::time::{SimTime, Span};
use crate::trace::{Stage, What};
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The waits between tries to pull an image.
///
/// Upstream: `pkg/kubelet/kubelet.go imageBackOffPeriod, MaxImageBackOff`
const FIRST_WAIT: u64 = 10;
const LONGEST_WAIT: u64 = 300;

/// What nodes have, or will have once they have pulled it.
#[derive(Clone, Debug, Default)]
pub(in crate::sim) struct Images {
    nodes: FxHashMap<Key, Cache>,
}

#[derive(Clone, Debug, Default)]
struct Cache {
    /// Images and from when on they are there.
    images: Vec<(Arc<str>, SimTime)>,
    /// When the pulls so far are over: a node does one after the other.
    free_at: SimTime,
}

impl Images {
    /// A node of the beginning has the images that are said to be there.
    pub(in crate::sim) fn joins(&mut self, node: Key, known: &BTreeMap<Arc<str>, Image>) {
        let cached = known.iter().filter(|(_, image)| image.cached);
        let images: Vec<_> = cached.map(|(name, _)| (name.clone(), SimTime::ZERO)).collect();
        if !images.is_empty() {
            self.nodes.insert(node, Cache { images, free_at: SimTime::ZERO });
        }
    }

    /// From when on a node has an image, if it has or will have it.
    fn there_at(&self, node: Key, image: &str) -> Option<SimTime> {
        let cache = self.nodes.get(&node)?;
        cache.images.iter().find(|(name, _)| **name == *image).map(|(_, at)| *at)
    }

    /// Puts a pull behind those that the node has to do. Answers when it is
    /// over.
    fn pull(&mut self, node: Key, image: &Arc<str>, now: SimTime, takes: Span) -> SimTime {
        let coming = self.there_at(node, image).is_some();
        let cache = self.nodes.entry(node).or_default();
        let takes = if coming { Span::ZERO } else { takes };
        cache.free_at = cache.free_at.max(now).after(takes);
        if !coming {
            cache.images.push((image.clone(), cache.free_at));
        }
        cache.free_at
    }
}

impl Simulation {
    /// Sees to it that an image is on a pod's node. Answers whether it is
    /// there already.
    ///
    /// Upstream: `pkg/kubelet/images/image_manager.go EnsureImageExists`
    pub(super) fn ensure_image(&mut self, pod: PodRef, image: &Arc<str>, policy: PullPolicy) -> bool {
        let setup = self.setup.clone();
        let Some(model) = setup.images.get(image) else { return true };
        let Some(node) = self.pod(pod).and_then(|row| row.node) else { return true };
        let there = self.images.there_at(node, image).is_some_and(|at| at <= self.now);
        match policy {
            PullPolicy::IfNotPresent | PullPolicy::Never if there => return true,
            PullPolicy::Never => {
                self.pull_fails(pod, image, "is not present with pull policy of Never");
                return false;
            }
            _ => {}
        }
        if self.now < model.missing_until {
            self.pull_fails(pod, image, "not found");
            return false;
        }
        if there {
            // The registry has nothing newer.
            return true;
        }
        let tries = self.life(pod).map_or(0, |life| life.tries);
        self.enter_stage(pod, Stage::Pulling, image);
        self.kubelet_tells(pod, false, "Pulling", &format!("Pulling image {image:?}"));
        if let Some(takes) = self.ask_delay(pod, &model.pull, &format!("pull {image}"), tries) {
            let at = self.images.pull(node, image, self.now.floor_ms(), takes);
            self.live_at(pod, at, LifeStep::Pulled);
        }
        false
    }

    /// Tells the scheduler which images a node has. A kubelet would do so in
    /// its next status, up to 10 s later.
    pub(in crate::sim) fn show_images(&mut self, node: Key) {
        let (Some(kube), Some(cache)) = (&mut self.kube, self.images.nodes.get(&node)) else { return };
        for (name, _) in cache.images.iter().filter(|(_, at)| *at <= self.now) {
            kube.image_arrives(node, name);
        }
    }

    /// An image has come.
    pub(super) fn pulled(&mut self, pod: PodRef) {
        if let Some(node) = self.pod(pod).and_then(|row| row.node) {
            self.show_images(node);
        }
        self.kubelet_tells(pod, false, "Pulled", "Successfully pulled image");
        self.step_done(pod);
    }

    /// An image cannot be had now.
    ///
    /// Upstream: `pkg/kubelet/images/image_manager.go pullImage`
    fn pull_fails(&mut self, pod: PodRef, image: &Arc<str>, why: &str) {
        let Some(life) = self.life_mut(pod) else { return };
        let tries = life.tries;
        life.tries += 1;
        let wait = FIRST_WAIT.checked_shl(tries.min(8)).map_or(LONGEST_WAIT, |wait| wait.min(LONGEST_WAIT));
        self.kubelet_tells(pod, true, "Failed", &format!("Failed to pull image {image:?}: {why}"));
        self.enter_stage(pod, Stage::PullBackOff, image);
        self.kubelet_tells(pod, false, "BackOff", &format!("Back-off pulling image {image:?}"));
        self.live_later(pod, Span::from_secs(wait), LifeStep::TryAgain);
    }

    pub(super) fn enter_stage(&mut self, pod: PodRef, stage: Stage, name: &str) {
        let name = self.recorder.intern(name);
        let cause = self.latest(pod);
        self.kubelet_notes(pod, cause, What::Stage { stage, name });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{Kind, Uid};

    #[test]
    fn a_node_pulls_one_image_after_the_other_and_each_once() {
        let s = SimTime::from_secs;
        let node = Key { kind: Kind::Node, slot: 0, uid: Uid(1) };
        let (app, tool): (Arc<str>, Arc<str>) = ("app".into(), "tool".into());
        let mut images = Images::default();
        assert_eq!(images.pull(node, &app, s(0), Span::from_secs(20)), s(20));
        assert_eq!(images.pull(node, &tool, s(1), Span::from_secs(5)), s(25), "behind the first");
        assert_eq!(images.pull(node, &app, s(2), Span::from_secs(20)), s(25), "it comes anyway, but in its turn");
        assert_eq!(images.there_at(node, "app"), Some(s(20)));
        assert_eq!(images.there_at(node, "other"), None);
    }
}
