//! Disks: the node that each is attached to, the pods that use it or wait
//! for it, and the nodes that a pod's claims allow.

use crate::api::{Key, Labels, Node, NodeMatch, PersistentVolume};
use crate::time::Span;
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// The kubelet says with its next status that it has unmounted a disk; until
/// then nobody begins to detach it, and a new pod on the same node finds it
/// still attached.
pub const UNMOUNT: Span = Span::from_secs(1);

/// How long a disk is left to a node that cannot say whether it still uses it.
///
/// Upstream: `pkg/controller/volume/attachdetach/attach_detach_controller.go DefaultTimerConfig`
pub const FORCE_DETACH_AFTER: Span = Span::from_secs(6 * 60);

/// The taint by which people say that a machine is off for good: what is
/// attached to it may be taken away at once.
pub const OUT_OF_SERVICE: &str = "node.kubernetes.io/out-of-service";

/// Nodes that a claim of a pod allows: one of the terms must hold.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ClaimReach {
    /// The node affinity of its volume, or the topologies that its storage
    /// class allows; no term at all asks for nothing.
    pub terms: Vec<Vec<NodeMatch>>,
    /// The labels of its volume that say in which zones and regions it is.
    pub zones: Vec<(Arc<str>, Vec<Arc<str>>)>,
    /// Whether it has its volume.
    pub is_bound: bool,
}

/// The labels that say where a volume is, the old names first.
///
/// Upstream: `pkg/scheduler/framework/plugins/volumezone/volume_zone.go topologyLabels`
const TOPOLOGY: [&str; 4] = [
    "failure-domain.beta.kubernetes.io/zone",
    "failure-domain.beta.kubernetes.io/region",
    "topology.kubernetes.io/zone",
    "topology.kubernetes.io/region",
];

impl ClaimReach {
    /// Where a volume can be reached that a claim has. A label that names an
    /// empty zone says nothing.
    ///
    /// Upstream: `pkg/scheduler/framework/plugins/volumezone/volume_zone.go getPVTopologies`,
    /// `staging/src/k8s.io/cloud-provider/volume/helpers/zones.go LabelZonesToSet`
    #[must_use]
    pub fn of(volume: &PersistentVolume) -> ClaimReach {
        let values = |label: &str| {
            let zones = volume.meta.labels.get(label)?.split("__").map(str::trim);
            let zones = zones.map(|zone| (!zone.is_empty()).then(|| zone.into()));
            Some((label.into(), zones.collect::<Option<Vec<_>>>()?))
        };
        let zones = TOPOLOGY.into_iter().filter_map(values).collect();
        ClaimReach { terms: volume.node_affinity.clone(), zones, is_bound: true }
    }

    /// Whether a node with these labels and this name is one of its terms'.
    #[must_use]
    pub fn is_reached(&self, labels: &Labels, name: &str) -> bool {
        self.terms.is_empty() || NodeMatch::any_term(&self.terms, labels, name)
    }

    /// Whether its volume is in the zone of a node with these labels. A node
    /// that does not say where it is may be anywhere.
    ///
    /// Upstream: `pkg/scheduler/framework/plugins/volumezone/volume_zone.go Filter`
    #[must_use]
    pub fn is_in_zone(&self, labels: &Labels) -> bool {
        let is_somewhere = || TOPOLOGY.iter().any(|label| labels.get(label).is_some());
        let is_there = |(label, values): &(Arc<str>, Vec<Arc<str>>)| {
            let today = label.replace("failure-domain.beta.kubernetes.io", "topology.kubernetes.io");
            let value = labels.get(label).or_else(|| labels.get(&today));
            value.is_some_and(|value| values.iter().any(|other| **other == *value))
        };
        self.zones.is_empty() || !is_somewhere() || self.zones.iter().all(is_there)
    }
}

/// The nodes that all claims of a pod allow.
///
/// Schedulers ask [`Reach::allows`] for every node they consider.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Reach(Vec<ClaimReach>);

/// Why no node will do for a pod as long as one of its claims is as it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Lack {
    /// There is no claim of this name.
    NoClaim(Arc<str>),
    /// The claim of this name is being deleted.
    ClaimGoes(Arc<str>),
    /// It is bound whatever the pod, and has not been yet.
    Unbound,
    /// It is bound to a volume that is not there.
    NoVolume,
    /// No volume that would do is there, and none is made.
    NothingToBind,
    /// It is for one pod at a time, and another one uses it.
    InUse,
}

impl Reach {
    /// Adds what one claim asks for.
    pub fn restrict(&mut self, claim: ClaimReach) {
        if !claim.terms.is_empty() || !claim.zones.is_empty() {
            self.0.push(claim);
        }
    }

    /// What each claim asks for.
    #[must_use]
    pub fn into_claims(self) -> Vec<ClaimReach> {
        self.0
    }

    /// Whether all claims can be had on a node.
    ///
    /// Upstream: `pkg/scheduler/framework/plugins/volumebinding/binder.go FindPodVolumes`
    #[must_use]
    pub fn allows(&self, node: &Node) -> bool {
        let labels = &node.meta.labels;
        self.0.iter().all(|claim| claim.is_reached(labels, &node.meta.name) && claim.is_in_zone(labels))
    }
}

/// How far a disk is on its way to a node or from it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    Attaching,
    Attached,
    /// Nobody uses it any more, but its node has not said so yet.
    Unmounting,
    Detaching,
}

#[derive(Clone, Debug)]
struct Place {
    node: Key,
    stage: Stage,
    users: Vec<Key>,
}

/// One disk.
#[derive(Clone, Debug, Default)]
struct Disk {
    place: Option<Place>,
    /// Pods that want it elsewhere, and where, in the order they came.
    waiting: Vec<(Key, Key)>,
    /// Counts stages, so that a step of an earlier one is seen to be stale.
    ticket: u16,
}

impl Disk {
    fn next_ticket(&mut self) -> u16 {
        self.ticket = self.ticket.wrapping_add(1);
        self.ticket
    }

    fn in_stage(&mut self, stage: Stage, ticket: u16) -> Option<&mut Place> {
        let current = self.ticket == ticket;
        self.place.as_mut().filter(|place| current && place.stage == stage)
    }

    /// Goes to the node of the pod that has waited longest.
    fn next_place(&mut self) -> Option<(Key, u16)> {
        let node = self.waiting.first()?.1;
        let users = self.waiting.iter().filter(|(_, other)| *other == node).map(|(pod, _)| *pod).collect();
        self.waiting.retain(|(_, other)| *other != node);
        self.place = Some(Place { node, stage: Stage::Attaching, users });
        Some((node, self.next_ticket()))
    }
}

/// What follows when a pod wants a disk on its node.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wanted {
    /// It is there.
    Ready,
    /// It is on its way; with a ticket, it sets out now.
    Comes(Option<u16>),
    /// Another node has it, and it can be at one node only.
    Taken {
        /// The node that has it.
        by: Key,
        /// Whether the pod asks for the first time.
        first: bool,
    },
}

/// All disks that were ever wanted, by their volume.
#[derive(Clone, Debug, Default)]
pub struct Disks {
    disks: FxHashMap<Key, Disk>,
    /// Disks whose node cannot say that they are unmounted, by node.
    stuck: FxHashMap<Key, Vec<(Key, u16)>>,
}

impl Disks {
    /// A pod that was bound to a node wants a disk there. Asking again
    /// changes nothing.
    ///
    /// Upstream: `pkg/controller/volume/attachdetach/reconciler/reconciler.go attachDesiredVolumes`
    pub fn want(&mut self, volume: Key, pod: Key, node: Key) -> Wanted {
        let disk = self.disks.entry(volume).or_default();
        let Some(place) = &mut disk.place else {
            disk.place = Some(Place { node, stage: Stage::Attaching, users: vec![pod] });
            return Wanted::Comes(Some(disk.next_ticket()));
        };
        if place.node != node || place.stage == Stage::Detaching {
            let by = place.node;
            let first = !disk.waiting.iter().any(|(other, _)| *other == pod);
            if first {
                disk.waiting.push((pod, node));
            }
            return if by == node { Wanted::Comes(None) } else { Wanted::Taken { by, first } };
        }
        if !place.users.contains(&pod) {
            place.users.push(pod);
        }
        match place.stage {
            Stage::Attaching => Wanted::Comes(None),
            _ => {
                let unmounting = place.stage == Stage::Unmounting;
                place.stage = Stage::Attached;
                if unmounting {
                    disk.next_ticket();
                    self.unstick(volume, node);
                }
                Wanted::Ready
            }
        }
    }

    /// A disk has come to its node: the pods that waited for it there, and
    /// with nobody left to use it, the ticket of its unmounting.
    pub fn attached(&mut self, volume: Key, ticket: u16) -> Option<(Key, Vec<Key>, Option<u16>)> {
        let disk = self.disks.get_mut(&volume)?;
        let place = disk.in_stage(Stage::Attaching, ticket)?;
        place.stage = Stage::Attached;
        let (node, users) = (place.node, place.users.clone());
        if users.is_empty() {
            place.stage = Stage::Unmounting;
            let ticket = disk.next_ticket();
            return Some((node, users, Some(ticket)));
        }
        Some((node, users, None))
    }

    /// A pod does not want a disk any more. If it was the last one: the node
    /// and the ticket of the unmounting that begins.
    pub fn leave(&mut self, volume: Key, pod: Key) -> Option<(Key, u16)> {
        let disk = self.disks.get_mut(&volume)?;
        disk.waiting.retain(|(other, _)| *other != pod);
        let place = disk.place.as_mut()?;
        let before = place.users.len();
        place.users.retain(|other| *other != pod);
        let last = before > 0 && place.users.is_empty() && place.stage == Stage::Attached;
        if !last {
            return None;
        }
        place.stage = Stage::Unmounting;
        let node = place.node;
        Some((node, disk.next_ticket()))
    }

    /// A disk is unmounted, or need not be any more: it is detached. The
    /// ticket of that, and its node.
    pub fn unmounted(&mut self, volume: Key, ticket: u16) -> Option<(Key, u16)> {
        let disk = self.disks.get_mut(&volume)?;
        let place = disk.in_stage(Stage::Unmounting, ticket)?;
        place.stage = Stage::Detaching;
        let node = place.node;
        let ticket = disk.next_ticket();
        self.unstick(volume, node);
        Some((node, ticket))
    }

    /// A disk is detached. If pods wait for it: the node it goes to next, and
    /// the ticket of that.
    pub fn detached(&mut self, volume: Key, ticket: u16) -> Option<Option<(Key, u16)>> {
        let disk = self.disks.get_mut(&volume)?;
        disk.in_stage(Stage::Detaching, ticket)?;
        disk.place = None;
        Some(disk.next_place())
    }

    /// The node that a disk is at, or on its way to or from.
    pub fn place_of(&self, volume: Key) -> Option<Key> {
        self.disks.get(&volume)?.place.as_ref().map(|place| place.node)
    }

    /// The node of a disk cannot say that it is unmounted.
    pub fn stick(&mut self, volume: Key, node: Key, ticket: u16) {
        self.stuck.entry(node).or_default().push((volume, ticket));
    }

    /// The disks that a node keeps by its silence, with their tickets.
    pub fn stuck_on(&self, node: Key) -> Vec<(Key, u16)> {
        self.stuck.get(&node).cloned().unwrap_or_default()
    }

    fn unstick(&mut self, volume: Key, node: Key) {
        if let Some(list) = self.stuck.get_mut(&node) {
            list.retain(|(other, _)| *other != volume);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{Kind, Uid};

    const fn key(kind: Kind, n: u32) -> Key {
        Key { kind, slot: n, uid: Uid(n) }
    }

    const DISK: Key = key(Kind::PersistentVolume, 1);
    const HERE: Key = key(Kind::Node, 2);
    const THERE: Key = key(Kind::Node, 3);
    const OLD: Key = key(Kind::Pod, 4);
    const NEW: Key = key(Kind::Pod, 5);

    fn attached_here() -> Disks {
        let mut disks = Disks::default();
        assert_eq!(disks.want(DISK, OLD, HERE), Wanted::Comes(Some(1)));
        assert_eq!(disks.want(DISK, OLD, HERE), Wanted::Comes(None), "asked again");
        assert_eq!(disks.attached(DISK, 1), Some((HERE, vec![OLD], None)));
        assert_eq!(disks.attached(DISK, 1), None, "only once");
        disks
    }

    #[test]
    fn a_disk_goes_on_only_when_its_last_pod_has_left() {
        let mut disks = attached_here();
        assert_eq!(disks.want(DISK, NEW, THERE), Wanted::Taken { by: HERE, first: true });
        assert_eq!(disks.want(DISK, NEW, THERE), Wanted::Taken { by: HERE, first: false });
        let (node, ticket) = disks.leave(DISK, OLD).expect("the last one leaves");
        assert_eq!(node, HERE);
        let (_, ticket) = disks.unmounted(DISK, ticket).expect("it is unmounted");
        assert_eq!(disks.detached(DISK, ticket), Some(Some((THERE, ticket + 1))));
        assert_eq!(disks.attached(DISK, ticket + 1), Some((THERE, vec![NEW], None)));
    }

    #[test]
    fn a_pod_on_the_same_node_finds_the_disk_still_there() {
        let mut disks = attached_here();
        assert_eq!(disks.want(DISK, NEW, HERE), Wanted::Ready, "two pods of one node share it");
        assert_eq!(disks.leave(DISK, OLD), None);
        let (_, ticket) = disks.leave(DISK, NEW).expect("the last one leaves");
        assert_eq!(disks.want(DISK, NEW, HERE), Wanted::Ready);
        assert_eq!(disks.unmounted(DISK, ticket), None, "it is in use again");
    }

    #[test]
    fn a_pod_that_leaves_while_its_disk_comes_sends_it_back() {
        let mut disks = Disks::default();
        disks.want(DISK, OLD, HERE);
        assert_eq!(disks.leave(DISK, OLD), None);
        assert_eq!(disks.attached(DISK, 1), Some((HERE, Vec::new(), Some(2))));
        assert!(disks.unmounted(DISK, 2).is_some());
    }

    #[test]
    fn a_silent_node_keeps_its_disks_in_mind() {
        let mut disks = attached_here();
        let (node, ticket) = disks.leave(DISK, OLD).expect("the last one leaves");
        disks.stick(DISK, node, ticket);
        assert_eq!(disks.stuck_on(HERE), [(DISK, ticket)]);
        disks.unmounted(DISK, ticket);
        assert_eq!(disks.stuck_on(HERE), []);
    }
}
