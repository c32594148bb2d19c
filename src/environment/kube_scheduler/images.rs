//! Which nodes have which images already, and what that is worth. Only images
//! whose size is known count.

use crate::api::PodTemplate;
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// Images of up to 23 MiB are worth nothing, those of 1000 MiB for each
/// container everything.
///
/// Upstream: `pkg/scheduler/framework/plugins/imagelocality/image_locality.go minThreshold, maxContainerThreshold`
const LEAST: i64 = 23 << 20;
const MOST_EACH: i64 = 1_000 << 20;

/// An image whose size is known.
#[derive(Clone, Debug)]
struct Image {
    size: i64,
    /// How many nodes have it.
    nodes: u32,
}

/// What the nodes have.
#[derive(Clone, Debug, Default)]
pub(super) struct Stock {
    images: Vec<Image>,
    by_name: FxHashMap<Arc<str>, u32>,
    /// By the node's slot.
    on: FxHashMap<u32, Vec<u32>>,
}

/// Of so many images of a pod it is known which node has them.
const MOST_IMAGES: usize = 8;

/// Which of the images a pod wants.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Wanted {
    /// Images, and how many containers run each.
    images: Vec<(u32, i64)>,
    containers: i64,
}

impl Stock {
    /// An image is so large, in bytes.
    pub(super) fn know(&mut self, name: Arc<str>, size: i64) {
        self.by_name.insert(name, self.images.len() as u32);
        self.images.push(Image { size, nodes: 0 });
    }

    /// A node has an image from now on; whether that is news.
    pub(super) fn arrives(&mut self, slot: u32, name: &str) -> bool {
        let Some(&id) = self.by_name.get(name) else { return false };
        let there = self.on.entry(slot).or_default();
        let news = !there.contains(&id);
        if news {
            there.push(id);
            self.images[id as usize].nodes += 1;
        }
        news
    }

    /// A node is gone with all that it had.
    pub(super) fn node_goes(&mut self, slot: u32) {
        for id in self.on.remove(&slot).into_iter().flatten() {
            self.images[id as usize].nodes -= 1;
        }
    }

    /// What a pod wants of it.
    pub(super) fn wanted(&self, template: &PodTemplate) -> Wanted {
        let mut wanted = Wanted::default();
        if self.images.is_empty() {
            return wanted;
        }
        for name in names(template) {
            wanted.containers += 1;
            let Some(&id) = self.by_name.get(name) else { continue };
            match wanted.images.iter().position(|(other, _)| *other == id) {
                Some(at) => wanted.images[at].1 += 1,
                None if wanted.images.len() < MOST_IMAGES => wanted.images.push((id, 1)),
                None => {}
            }
        }
        wanted
    }

    /// Which of the images a node has, a bit each.
    pub(super) fn there(&self, slot: u32, wanted: &Wanted) -> u8 {
        let Some(there) = self.on.get(&slot).filter(|_| !wanted.is_empty()) else { return 0 };
        let bit = |(i, (id, _)): (usize, &(u32, i64))| u8::from(there.contains(id)) << i;
        wanted.images.iter().enumerate().map(bit).sum()
    }

    /// What it is worth that a node has these images: what more nodes have
    /// counts for more, so that not all pods go to the first that has it.
    ///
    /// Upstream: `pkg/scheduler/framework/plugins/imagelocality/image_locality.go sumImageScores, calculatePriority`
    pub(super) fn points(&self, wanted: &Wanted, there: u8, nodes: usize) -> i32 {
        let has = wanted.images.iter().enumerate().filter(|(i, _)| there >> i & 1 == 1);
        let scaled = has.map(|(_, (id, containers))| {
            let image = &self.images[*id as usize];
            let spread = f64::from(image.nodes) / nodes as f64;
            containers * (image.size as f64 * spread) as i64
        });
        let most = MOST_EACH * wanted.containers;
        let sum = scaled.sum::<i64>().min(most).max(LEAST);
        (super::fit::MOST * (sum - LEAST) / (most - LEAST).max(1)) as i32
    }
}

impl Wanted {
    /// Whether no image of a known size is among them.
    pub(super) const fn is_empty(&self) -> bool {
        self.images.is_empty()
    }
}

/// The images of all containers, those of init containers included.
fn names(template: &PodTemplate) -> impl Iterator<Item = &str> {
    let raw = template.raw.value();
    let lists = ["/spec/initContainers", "/spec/containers"].into_iter().filter_map(|list| raw.pointer(list));
    let containers = lists.filter_map(serde_json::Value::as_array).flatten();
    containers.filter_map(|container| container.get("image")?.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::RawTemplate;
    use serde_json::json;

    fn pod(images: &[&str]) -> PodTemplate {
        let containers: Vec<_> = images.iter().map(|image| json!({"image": image})).collect();
        PodTemplate { raw: RawTemplate::new(json!({"spec": {"containers": containers}})), ..PodTemplate::empty() }
    }

    /// The examples of upstream's own tests, sizes in MiB.
    #[test]
    fn large_images_on_many_nodes_are_worth_most() {
        let mut stock = Stock::default();
        for (name, size) in [("g40", 40), ("g140", 140), ("g250", 250), ("g2000", 2_000), ("small", 10)] {
            stock.know(name.into(), size << 20);
        }
        for (slot, name) in [(0, "g40"), (0, "g140"), (0, "g2000"), (1, "g250"), (1, "small")] {
            assert!(stock.arrives(slot, name));
        }
        assert!(!stock.arrives(0, "g40") && !stock.arrives(0, "unknown"));
        for (images, points) in [
            // 0: 40 / 2 is below the threshold, 1: 250 / 2 - 23 of 2000 - 23.
            (&["g40", "g250"][..], [0, 5]),
            // 0: (40 + 140) / 2 - 23 of 2000 - 23.
            (&["g40", "g140"], [3, 0]),
            (&["g2000", "small"], [49, 0]),
            (&["g2000"], [100, 0]),
            (&["other"], [0, 0]),
        ] {
            let wanted = stock.wanted(&pod(images));
            let of = |slot| stock.points(&wanted, stock.there(slot, &wanted), 2);
            assert_eq!([of(0), of(1)], points, "{images:?}");
        }
        stock.node_goes(0);
        let wanted = stock.wanted(&pod(&["g2000"]));
        assert_eq!(stock.there(0, &wanted), 0);
        assert!(stock.arrives(0, "g2000"));
        assert_eq!(Stock::default().wanted(&pod(&["g2000"])), Wanted::default());
    }
}
