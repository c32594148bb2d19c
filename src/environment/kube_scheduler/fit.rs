//! What a node and a pod's template alone tell: whether the pod fits, and how
//! well. Kept per template and node until the node changes.

use super::images::{Stock, Wanted};
use super::nodes::{NodeRow, Nodes, Room};
use super::offers::{Offer, Offers};
use super::reasons::Reasons;
use crate::api::{Effect, Extras, NodeMatch, PodTemplate, Resources, Taint, Toleration};
use crate::environment::admission::{Refusal, refusal};
use std::sync::Arc;

/// The best that a node can be in one respect.
pub(super) const MOST: i64 = 100;

/// What is known of a node for one template.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Entry {
    /// The node's version at that time.
    version: u32,
    /// What speaks against it.
    pub(super) reasons: Reasons,
    room: u16,
    taints: u8,
    images: u8,
    likes: i32,
}

impl Entry {
    /// What the node offers, or what speaks against it.
    pub(super) const fn offer(&self) -> Result<Offer, Reasons> {
        if self.reasons.is_empty() {
            Ok(Offer { room: self.room, taints: self.taints, images: self.images, likes: self.likes })
        } else {
            Err(self.reasons)
        }
    }

    /// One that offers this, or has no room.
    #[cfg(test)]
    pub(super) fn of(offer: Option<Offer>) -> Entry {
        let full = Entry { reasons: Reasons::CPU, ..Entry::default() };
        offer.map_or(full, |offer| {
            let Offer { room, taints, images, likes } = offer;
            Entry { room, taints, images, likes, ..Entry::default() }
        })
    }
}

/// A node that is no longer there.
const GONE: Entry = Entry { version: 0, reasons: Reasons::NOT_NAMED, room: 0, taints: 0, images: 0, likes: 0 };

/// What is known of the nodes for pods that ask the same of them.
#[derive(Clone, Debug)]
pub(super) struct Fit {
    /// One of the templates that ask this.
    pub(super) template: Arc<PodTemplate>,
    /// Which images of a known size they want.
    pub(super) wanted: Wanted,
    /// Whether room is all that they ask for of a plain node.
    is_plain: bool,
    /// By slot, of nodes that someone has asked about by themselves.
    entries: Vec<Entry>,
    pub(super) offers: Offers,
    /// When it was used last.
    used: u64,
}

impl Fit {
    /// What is known of a node, found out anew if it has changed.
    pub(super) fn entry(&mut self, nodes: &Nodes, slot: u32) -> Entry {
        let Fit { template, entries, wanted, .. } = self;
        known(entries, (template, wanted), nodes, slot)
    }

    /// Of the places of a word those that will do.
    #[inline]
    pub(super) fn will_do(&mut self, nodes: &Nodes, at: usize, asked: u64) -> u64 {
        let Fit { template, wanted, is_plain, offers, .. } = self;
        offers.will_do(at, asked, |place| {
            let slot = nodes.order()[place];
            if *is_plain && nodes.is_plain(slot) {
                return fill(nodes.room(slot), template);
            }
            look(nodes, slot, (template, wanted))
        })
    }

    /// Whether pods of a template ask the same of nodes.
    fn is_for(&self, template: &PodTemplate, stock: &Stock) -> bool {
        let (own, other) = (&self.template.placement, &template.placement);
        let alike = || {
            Arc::ptr_eq(own, other)
                || (own.scored == other.scored
                    && own.preferred_nodes == other.preferred_nodes
                    && own.host_ports == other.host_ports
                    && own.extras == other.extras)
        };
        self.template.requests == template.requests
            && alike()
            && self.template.tolerations == template.tolerations
            && self.template.node_selector == template.node_selector
            && self.template.node_affinity == template.node_affinity
            && self.wanted == stock.wanted(template)
    }
}

/// What is known of a node, found out anew if it has changed.
fn known(entries: &mut Vec<Entry>, asked: (&PodTemplate, &Wanted), nodes: &Nodes, slot: u32) -> Entry {
    let at = slot as usize;
    if entries.len() <= at {
        entries.resize(nodes.versions.len().max(at + 1), Entry::default());
    }
    let version = nodes.versions.get(at).copied().unwrap_or(0);
    if entries[at].version != version {
        let entry = look(nodes, slot, asked);
        entries[at] = Entry { version, ..entry };
    }
    entries[at]
}

/// Looks at a node, which may be gone.
fn look(nodes: &Nodes, slot: u32, (template, wanted): (&PodTemplate, &Wanted)) -> Entry {
    let Some(node) = nodes.get(slot) else { return GONE };
    Entry { images: nodes.stock.there(slot, wanted), ..examine(node, nodes.room(slot), template) }
}

/// So many sorts of pods are remembered.
const MOST_FITS: usize = 64;

/// What is known of the nodes, for each sort of pods.
#[derive(Clone, Debug, Default)]
pub(super) struct Fits {
    fits: Vec<Fit>,
    uses: u64,
}

impl Fits {
    /// Takes out what is known for a template; [`Fits::put`] puts it back.
    /// Of too many sorts the one not asked about for longest is forgotten.
    pub(super) fn take(&mut self, template: &Arc<PodTemplate>, stock: &Stock) -> Fit {
        let same = self.fits.iter().rposition(|fit| Arc::ptr_eq(&fit.template, template));
        if let Some(at) = same.or_else(|| self.fits.iter().rposition(|fit| fit.is_for(template, stock))) {
            return self.fits.swap_remove(at);
        }
        if self.fits.len() >= MOST_FITS
            && let Some(oldest) = (0..self.fits.len()).min_by_key(|at| self.fits[*at].used)
        {
            self.fits.swap_remove(oldest);
        }
        let placement = &template.placement;
        let wanted = stock.wanted(template);
        let is_plain = wanted.is_empty()
            && template.node_selector.0.is_empty()
            && template.node_affinity.is_empty()
            && placement.host_ports.is_empty()
            && placement.extras.is_empty()
            && placement.preferred_nodes.is_empty();
        let (template, offers) = (template.clone(), Offers::default());
        Fit { template, wanted, is_plain, entries: Vec::new(), offers, used: 0 }
    }

    pub(super) fn put(&mut self, mut fit: Fit) {
        self.uses += 1;
        fit.used = self.uses;
        self.fits.push(fit);
    }
}

/// Looks at a node for a template. Only the first thing that is wrong counts,
/// in the order of kube-scheduler's plugins.
///
/// Upstream: `pkg/scheduler/apis/config/v1/default_plugins.go`
pub(super) fn examine(node: &NodeRow, room: &Room, template: &PodTemplate) -> Entry {
    let reasons = match refusal(node.cordoned, &node.taints, (&node.labels, &node.name), template) {
        Some(Refusal::Cordoned) => Reasons::CORDONED,
        Some(Refusal::Tainted(_)) => Reasons::TAINTED,
        Some(Refusal::NotSelected) => Reasons::NODE_AFFINITY,
        None if takes_ports(node, template) => Reasons::PORTS,
        None => Reasons::NONE,
    };
    if !reasons.is_empty() {
        return Entry { reasons, ..Entry::default() };
    }
    let entry = fill(room, template);
    let extras = lacking_extras(node, &node.extras_used, template);
    if !extras.is_empty() {
        return Entry { reasons: entry.reasons.with(extras), ..Entry::default() };
    }
    let unwelcome = node.taints.iter().filter(|taint| is_unwelcome(taint, &template.tolerations)).count();
    let preferred = template.placement.preferred_nodes.iter();
    Entry {
        taints: unwelcome.min(usize::from(u8::MAX)) as u8,
        likes: preferred
            .filter(|p| NodeMatch::any_term(std::slice::from_ref(&p.term), &node.labels, &node.name))
            .map(|p| p.weight)
            .fold(0, i32::saturating_add),
        ..entry
    }
}

/// What else of a node is too little.
fn lacking_extras(node: &NodeRow, used: &Extras, template: &PodTemplate) -> Reasons {
    let wanted = &template.placement.extras;
    if wanted.is_empty() {
        return Reasons::NONE;
    }
    let short = node.extras.shortage(used, wanted);
    Reasons::extras(short.which).with(Reasons::TOO_SMALL.when(short.for_good))
}

/// Whether a node, if it were empty, would have room for a pod.
pub(super) fn fits_empty(node: &NodeRow, template: &PodTemplate) -> bool {
    let nothing = Resources::default();
    lacking(&node.allocatable, &nothing, &template.requests).is_empty()
        && lacking_extras(node, &Extras::default(), template).is_empty()
}

/// Looks at a node's room alone.
fn fill(room: &Room, template: &PodTemplate) -> Entry {
    let reasons = lacking(&room.allocatable, &room.used, &template.requests);
    let room = if reasons.is_empty() { score(room, template) as u16 } else { 0 };
    Entry { reasons, room, ..Entry::default() }
}

/// Whether a pod wants a port of the node that is taken.
fn takes_ports(node: &NodeRow, template: &PodTemplate) -> bool {
    let mut wanted = template.placement.host_ports.iter();
    wanted.any(|port| node.ports.iter().any(|taken| taken.collides_with(port)))
}

/// Upstream: `pkg/scheduler/framework/plugins/tainttoleration/taint_toleration.go countIntolerableTaintsPreferNoSchedule`
fn is_unwelcome(taint: &Taint, tolerations: &[Toleration]) -> bool {
    taint.effect == Effect::PreferNoSchedule && !taint.is_tolerated_by(tolerations)
}

/// What of a node's room is too little, and whether all of it would be.
fn lacking(offered: &Resources, used: &Resources, wanted: &Resources) -> Reasons {
    let short = offered.shortage(used, wanted);
    let too_small = wanted.cpu_milli > offered.cpu_milli || wanted.memory_milli > offered.memory_milli;
    let reasons = Reasons::PODS.when(short.pods).with(Reasons::CPU.when(short.cpu));
    reasons.with(Reasons::MEMORY.when(short.memory)).with(Reasons::TOO_SMALL.when(too_small))
}

/// How much room there is and how evenly it is used, from 0 to 200.
fn score(room: &Room, template: &PodTemplate) -> i64 {
    let offered = [room.allocatable.cpu_milli, bytes(room.allocatable.memory_milli)];
    let more = &template.placement.scored;
    let scored = [room.scored.0 + more.cpu_milli, bytes(room.scored.1) + bytes(more.memory_milli)];
    let least = least_allocated(scored, offered);
    let requests = &template.requests;
    if requests.cpu_milli == 0 && requests.memory_milli == 0 {
        return least;
    }
    let used = [room.used.cpu_milli, bytes(room.used.memory_milli)];
    let with = balance([used[0] + requests.cpu_milli, used[1] + bytes(requests.memory_milli)], offered);
    least + MOST / 2 + (MOST / 2 + with - balance(used, offered)) / 2
}

/// Whole bytes, rounded up, which is what the scheduler counts in.
const fn bytes(milli: i64) -> i64 {
    (milli + 999) / 1_000
}

/// The share of CPU and memory that stays free, from 0 to 100.
///
/// Upstream: `pkg/scheduler/framework/plugins/noderesources/least_allocated.go`
fn least_allocated(used: [i64; 2], offered: [i64; 2]) -> i64 {
    let (mut sum, mut known) = (0, 0);
    for (used, offered) in used.into_iter().zip(offered).filter(|(_, offered)| *offered != 0) {
        sum += if used > offered { 0 } else { (offered - used) * MOST / offered };
        known += 1;
    }
    if known == 0 { 0 } else { sum / known }
}

/// How alike the used shares of CPU and memory are, from 0 to 100.
///
/// Upstream: `pkg/scheduler/framework/plugins/noderesources/balanced_allocation.go balancedResourceScore`
fn balance(used: [i64; 2], offered: [i64; 2]) -> i64 {
    if offered.contains(&0) {
        return MOST;
    }
    let share = |i: usize| (used[i] as f64 / offered[i] as f64).min(1.0);
    let deviation = libm::fabs((share(0) - share(1)) / 2.0);
    ((1.0 - deviation) * MOST as f64) as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn amount(cpu_milli: i64, memory_milli: i64, pods: i64) -> Resources {
        Resources { cpu_milli, memory_milli, pods }
    }

    #[test]
    fn what_is_too_little() {
        let offered = amount(1_000, 1_000, 2);
        let cpu = Reasons::CPU;
        for (used, wanted, lacks) in [
            (amount(500, 0, 1), amount(500, 1_000, 1), Reasons::NONE),
            (amount(501, 0, 1), amount(500, 0, 1), cpu),
            (amount(2_000, 0, 1), amount(0, 0, 1), Reasons::NONE),
            (amount(0, 0, 0), amount(1_001, 0, 1), cpu.with(Reasons::TOO_SMALL)),
            (amount(1_000, 1, 2), amount(1, 1_000, 1), cpu.with(Reasons::MEMORY).with(Reasons::PODS)),
        ] {
            assert_eq!(lacking(&offered, &used, &wanted), lacks, "{used:?} {wanted:?}");
        }
    }

    /// The examples of upstream's own tests.
    #[test]
    fn scores_of_room() {
        for (used, offered, least, balanced) in [
            ([0, 0], [4_000, 10_000], 100, 100),
            ([3_000, 5_000], [4_000, 10_000], 37, 87),
            ([3_000, 5_000], [6_000, 10_000], 50, 100),
            ([3_000, 5_000], [10_000, 20_000], 72, 97),
            ([6_000, 0], [4_000, 10_000], 50, 50),
            ([100, 100], [0, 0], 0, 100),
        ] {
            assert_eq!(
                (least_allocated(used, offered), balance(used, offered)),
                (least, balanced),
                "{used:?} {offered:?}"
            );
        }
    }
}
