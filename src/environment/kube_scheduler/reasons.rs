//! Why nodes are refused, and how kube-scheduler puts it.

use crate::api::{MOST_EXTRAS, PodTemplate};

/// Why a node will not do for a pod: a set, as a node may lack several things.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Reasons(u32);

/// All reasons with the words of kube-scheduler.
const WORDS: [(Reasons, &str); 20] = [
    (Reasons::CORDONED, "node(s) were unschedulable"),
    (Reasons::TAINTED, "node(s) had untolerated taint(s)"),
    (Reasons::NODE_AFFINITY, "node(s) didn't match Pod's node affinity/selector"),
    (Reasons::PORTS, "node(s) didn't have free ports for the requested pod ports"),
    (Reasons::PODS, "Too many pods"),
    (Reasons::CPU, "Insufficient cpu"),
    (Reasons::MEMORY, "Insufficient memory"),
    (
        Reasons::CLAIM_IN_USE,
        "node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode already in-use by another pod",
    ),
    (Reasons::VOLUMES, "node(s) didn't match PersistentVolume's node affinity"),
    (Reasons::NOTHING_TO_BIND, "node(s) didn't find available persistent volumes to bind"),
    (Reasons::NO_VOLUME, "node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)"),
    (Reasons::VOLUME_ZONE, "node(s) had no available volume zone"),
    (Reasons::SPREAD, "node(s) didn't match pod topology spread constraints"),
    (Reasons::NO_DOMAIN, "node(s) didn't match pod topology spread constraints (missing required label)"),
    (Reasons::NEAR, "node(s) didn't match pod affinity rules"),
    (Reasons::AWAY, "node(s) didn't match pod anti-affinity rules"),
    (Reasons::KEPT_AWAY, "node(s) didn't satisfy existing pods anti-affinity rules"),
    (Reasons::NOT_NAMED, "node(s) didn't satisfy plugin(s) [NodeAffinity]"),
    (Reasons::NO_VICTIMS, "No preemption victims found for incoming pod"),
    (Reasons::NOT_HELPFUL, "Preemption is not helpful for scheduling"),
];

/// Where the bits of other resources begin.
const FIRST_EXTRA: usize = 21;

impl Reasons {
    /// Nothing is wrong with the node.
    pub const NONE: Reasons = Reasons(0);
    /// It is cordoned.
    pub const CORDONED: Reasons = Reasons(1);
    /// It has a taint that the pod does not tolerate.
    pub const TAINTED: Reasons = Reasons(1 << 1);
    /// Node selector or required node affinity.
    pub const NODE_AFFINITY: Reasons = Reasons(1 << 2);
    /// A port of the node is taken.
    pub const PORTS: Reasons = Reasons(1 << 3);
    /// It has as many pods as it takes.
    pub const PODS: Reasons = Reasons(1 << 4);
    /// CPU.
    pub const CPU: Reasons = Reasons(1 << 5);
    /// Memory.
    pub const MEMORY: Reasons = Reasons(1 << 6);
    /// Even empty it is too small. Has no words of its own.
    pub const TOO_SMALL: Reasons = Reasons(1 << 7);
    /// A volume of the pod is elsewhere.
    pub const VOLUMES: Reasons = Reasons(1 << 8);
    /// A topology spread constraint.
    pub const SPREAD: Reasons = Reasons(1 << 9);
    /// It lacks the label of a topology spread constraint.
    pub const NO_DOMAIN: Reasons = Reasons(1 << 10);
    /// Required pod affinity.
    pub const NEAR: Reasons = Reasons(1 << 11);
    /// Required pod anti-affinity.
    pub const AWAY: Reasons = Reasons(1 << 12);
    /// Anti-affinity of a pod that is there.
    pub const KEPT_AWAY: Reasons = Reasons(1 << 13);
    /// The pod may only run on nodes that it names, and this is none of them.
    pub const NOT_NAMED: Reasons = Reasons(1 << 14);
    /// No pod there is less important.
    pub const NO_VICTIMS: Reasons = Reasons(1 << 15);
    /// No pod's end would make it fit.
    pub const NOT_HELPFUL: Reasons = Reasons(1 << 16);
    /// By its labels a volume of the pod is in another zone.
    pub const VOLUME_ZONE: Reasons = Reasons(1 << 17);
    /// No volume can be had there for a claim.
    pub const NOTHING_TO_BIND: Reasons = Reasons(1 << 18);
    /// A claim's volume is not there.
    pub const NO_VOLUME: Reasons = Reasons(1 << 19);
    /// A claim is for one pod at a time, and another one has it.
    pub const CLAIM_IN_USE: Reasons = Reasons(1 << 20);
    /// What the pod asks for beside CPU and memory, a bit each.
    pub const EXTRAS: Reasons = Reasons(((1 << MOST_EXTRAS) - 1) << FIRST_EXTRA);
    /// What claims and volumes may change.
    pub(super) const ABOUT_VOLUMES: Reasons = Reasons::VOLUMES
        .with(Reasons::NOTHING_TO_BIND)
        .with(Reasons::NO_VOLUME)
        .with(Reasons::CLAIM_IN_USE)
        .with(Reasons::VOLUME_ZONE);

    /// What the end of other pods cannot mend.
    const FOR_GOOD: Reasons = Reasons(
        Reasons::CORDONED.0
            | Reasons::TAINTED.0
            | Reasons::NODE_AFFINITY.0
            | Reasons::TOO_SMALL.0
            | Reasons::VOLUMES.0
            | Reasons::VOLUME_ZONE.0
            | Reasons::NOTHING_TO_BIND.0
            | Reasons::NO_VOLUME.0
            | Reasons::NO_DOMAIN.0
            | Reasons::NEAR.0
            | Reasons::NOT_NAMED.0
            | Reasons::NO_VICTIMS.0
            | Reasons::NOT_HELPFUL.0,
    );

    /// Too little of these of the resources that the pod asks for beside CPU
    /// and memory, by name, a bit each.
    pub(super) const fn extras(which: u8) -> Reasons {
        Reasons((which as u32) << FIRST_EXTRA)
    }

    /// Whether there is none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether one of these is among them.
    pub const fn has(self, any: Reasons) -> bool {
        self.0 & any.0 != 0
    }

    /// These and others.
    #[must_use]
    pub const fn with(self, other: Reasons) -> Reasons {
        Reasons(self.0 | other.0)
    }

    /// These if it is so, otherwise none.
    #[must_use]
    pub const fn when(self, so: bool) -> Reasons {
        if so { self } else { Reasons::NONE }
    }

    /// Whether making other pods go could help.
    ///
    /// Upstream: `pkg/scheduler/framework/preemption/preemption.go findCandidates`
    pub const fn may_be_mended(self) -> bool {
        !self.is_empty() && !self.has(Reasons::FOR_GOOD)
    }
}

/// How many nodes are refused for which reasons.
#[derive(Clone, Debug, Default)]
pub(super) struct Refusals {
    counts: [u32; WORDS.len()],
    extras: [u32; MOST_EXTRAS],
    /// All reasons of all nodes.
    pub(super) all: Reasons,
}

impl Refusals {
    pub(super) fn add(&mut self, reasons: Reasons, nodes: u32) {
        if nodes == 0 {
            return;
        }
        self.all = self.all.with(reasons);
        for (count, (reason, _)) in self.counts.iter_mut().zip(WORDS) {
            if reasons.has(reason) {
                *count += nodes;
            }
        }
        if reasons.has(Reasons::EXTRAS) {
            for (i, count) in self.extras.iter_mut().enumerate() {
                *count += nodes * u32::from(reasons.has(Reasons::extras(1 << i)));
            }
        }
    }

    /// `0/3 nodes are available: 1 Insufficient cpu, 2 Too many pods.`
    ///
    /// Upstream: `pkg/scheduler/framework/types.go FitError.Error`
    pub(super) fn sentence(&self, nodes: usize, template: &PodTemplate) -> String {
        let mut parts: Vec<String> = self
            .counts
            .iter()
            .zip(WORDS)
            .filter(|(count, _)| **count > 0)
            .map(|(count, (_, words))| format!("{count} {words}"))
            .collect();
        let extras = template.placement.extras.iter().zip(self.extras).filter(|(_, count)| *count > 0);
        parts.extend(extras.map(|((name, _), count)| format!("{count} Insufficient {name}")));
        parts.sort();
        let head = format!("0/{nodes} nodes are available:");
        if parts.is_empty() { head } else { format!("{head} {}.", parts.join(", ")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{Extras, Placement};

    #[test]
    fn refusals_read_as_upstream() {
        let mut refusals = Refusals::default();
        refusals.add(Reasons::SPREAD, 2);
        refusals.add(Reasons::CORDONED, 1);
        assert_eq!(
            refusals.sentence(3, &PodTemplate::empty()),
            "0/3 nodes are available: 1 node(s) were unschedulable, \
             2 node(s) didn't match pod topology spread constraints."
        );
        let mut both = Refusals::default();
        both.add(Reasons::CPU.with(Reasons::PODS), 1);
        assert_eq!(
            both.sentence(1, &PodTemplate::empty()),
            "0/1 nodes are available: 1 Insufficient cpu, 1 Too many pods."
        );
        let extras = Extras::from([("hugepages-2Mi", 1), ("nvidia.com/gpu", 1)]);
        let placement = Placement { extras, ..Placement::default() }.into();
        let mut gpus = Refusals::default();
        gpus.add(Reasons::extras(0b10).with(Reasons::MEMORY), 2);
        gpus.add(Reasons::extras(0b11), 1);
        assert_eq!(
            gpus.sentence(3, &PodTemplate { placement, ..PodTemplate::empty() }),
            "0/3 nodes are available: 1 Insufficient hugepages-2Mi, 2 Insufficient memory, 3 Insufficient nvidia.com/gpu."
        );
    }

    #[test]
    fn what_the_end_of_others_may_mend() {
        for (reasons, may) in [
            (Reasons::NONE, false),
            (Reasons::CPU, true),
            (Reasons::CPU.with(Reasons::TOO_SMALL), false),
            (Reasons::AWAY, true),
            (Reasons::NEAR, false),
            (Reasons::SPREAD, true),
            (Reasons::NO_DOMAIN, false),
            (Reasons::TAINTED, false),
        ] {
            assert_eq!(reasons.may_be_mended(), may, "{reasons:?}");
        }
    }
}
