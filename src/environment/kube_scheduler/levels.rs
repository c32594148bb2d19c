//! Where how many pods are, by number: nodes in domains with equally many are
//! one set of bits, so that what is true of one of them is found out once.

use super::topology::Topology;
use crate::environment::bits::Bits;

/// The nodes whose domain has so many.
#[derive(Clone, Debug)]
pub(super) struct Level {
    pub(super) count: i32,
    /// By place.
    pub(super) nodes: Bits,
    domains: u32,
}

/// The levels of a tally, without that of nothing.
#[derive(Clone, Debug, Default)]
pub(super) struct Levels {
    levels: Vec<Level>,
    /// The layout that the places are of.
    layout: u64,
}

impl Levels {
    /// The levels of these counts by domain.
    pub(super) fn new(counts: impl Iterator<Item = (u32, i32)>, topology: &Topology, nodes: usize) -> Levels {
        let mut levels = Levels { levels: Vec::new(), layout: topology.layout() };
        counts.for_each(|(domain, count)| levels.enter(topology.places(domain), count, nodes));
        levels
    }

    /// Whether they are of the places that nodes have now.
    pub(super) fn are_of(&self, topology: &Topology) -> bool {
        self.layout == topology.layout()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Level> {
        self.levels.iter()
    }

    /// The count of a domain at these places has changed, `nodes` being how
    /// many places there are.
    pub(super) fn shift(&mut self, places: &[u32], before: i32, after: i32, nodes: usize) {
        if let Some(at) = self.levels.iter().position(|level| level.count == before) {
            let level = &mut self.levels[at];
            for place in places {
                level.nodes.remove(*place);
            }
            level.domains -= 1;
            if level.domains == 0 {
                self.levels.swap_remove(at);
            }
        }
        self.enter(places, after, nodes);
    }

    fn enter(&mut self, places: &[u32], count: i32, nodes: usize) {
        if count == 0 {
            return;
        }
        let at = self.levels.iter().position(|level| level.count == count).unwrap_or_else(|| {
            self.levels.push(Level { count, nodes: Bits::none(nodes), domains: 0 });
            self.levels.len() - 1
        });
        let level = &mut self.levels[at];
        for place in places {
            level.nodes.insert(*place);
        }
        level.domains += 1;
    }
}
