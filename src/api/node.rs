//! Nodes: labels, taints and room.

use super::{ConditionStatus, Extras, Labels, Meta, Toleration};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;

/// `node.kubernetes.io/unreachable`, of nodes that are not heard of.
pub const UNREACHABLE: &str = "node.kubernetes.io/unreachable";
/// `node.kubernetes.io/not-ready`, of nodes that say so themselves.
pub const NOT_READY: &str = "node.kubernetes.io/not-ready";

/// What a taint does to pods that do not tolerate it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub enum Effect {
    /// Keeps new pods away.
    NoSchedule,
    /// Keeps new pods away if there is somewhere else.
    PreferNoSchedule,
    /// Keeps new pods away and evicts the ones that are there.
    NoExecute,
}

/// `spec.taints[]` of a node.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Taint {
    /// The taint's name.
    pub key: String,
    /// Its value, often empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub value: String,
    /// What it does.
    pub effect: Effect,
}

impl Taint {
    /// The taint that cordoning stands for.
    pub fn unschedulable() -> Taint {
        Taint { key: "node.kubernetes.io/unschedulable".to_string(), value: String::new(), effect: Effect::NoSchedule }
    }

    /// A taint without a value.
    pub fn new(key: &str, effect: Effect) -> Taint {
        Taint { key: key.to_string(), value: String::new(), effect }
    }

    /// Whether this is the same taint: what tells taints apart is key and
    /// effect, not the value.
    pub fn is(&self, other: &Taint) -> bool {
        self.effect == other.effect && self.key == other.key
    }

    /// Whether one of the tolerations covers this taint.
    pub fn is_tolerated_by(&self, tolerations: &[Toleration]) -> bool {
        tolerations.iter().any(|t| t.covers(self))
    }

    /// Whether a scheduler keeps pods with these tolerations off a node that
    /// has this taint.
    ///
    /// Every pod tolerates a lost node for a while, as admission sees to: once
    /// such a node is heard of again, pods may come before its last taint goes.
    ///
    /// Upstream: `plugin/pkg/admission/defaulttolerationseconds/admission.go Admit`
    pub fn keeps_away(&self, tolerations: &[Toleration]) -> bool {
        let for_a_while = self.effect == Effect::NoExecute && [NOT_READY, UNREACHABLE].contains(&&*self.key);
        self.effect != Effect::PreferNoSchedule && !for_a_while && !self.is_tolerated_by(tolerations)
    }
}

/// `key=value:effect`, as kubectl prints it.
impl fmt::Display for Taint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.value.is_empty() {
            write!(f, "{}:{:?}", self.key, self.effect)
        } else {
            write!(f, "{}={}:{:?}", self.key, self.value, self.effect)
        }
    }
}

/// Amounts of CPU, memory and pods: what a node offers or a pod asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Resources {
    /// Millicores.
    pub cpu_milli: i64,
    /// Thousandths of a byte.
    pub memory_milli: i64,
    /// Pods: a node's limit, or 1.
    pub pods: i64,
}

impl Resources {
    /// Whether `wanted` more fits beside what is `used`.
    pub const fn fits(&self, used: &Resources, wanted: &Resources) -> bool {
        let Shortage { pods, cpu, memory } = self.shortage(used, wanted);
        !pods && !cpu && !memory
    }

    /// What is too little for `wanted` more beside what is `used`. What is not
    /// asked for is never too little.
    ///
    /// Upstream: `pkg/scheduler/framework/plugins/noderesources/fit.go fitsRequest`
    pub const fn shortage(&self, used: &Resources, wanted: &Resources) -> Shortage {
        Shortage {
            pods: used.pods + wanted.pods > self.pods,
            cpu: wanted.cpu_milli > 0 && wanted.cpu_milli > self.cpu_milli - used.cpu_milli,
            memory: wanted.memory_milli > 0 && wanted.memory_milli > self.memory_milli - used.memory_milli,
        }
    }

    /// Adds another amount.
    pub const fn add(&mut self, other: &Resources) {
        self.cpu_milli += other.cpu_milli;
        self.memory_milli += other.memory_milli;
        self.pods += other.pods;
    }

    /// Takes another amount away.
    pub const fn remove(&mut self, other: &Resources) {
        self.cpu_milli -= other.cpu_milli;
        self.memory_milli -= other.memory_milli;
        self.pods -= other.pods;
    }
}

/// What of a node's room is too little.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Shortage {
    /// It has as many pods as it takes.
    pub pods: bool,
    /// CPU.
    pub cpu: bool,
    /// Memory.
    pub memory: bool,
}

/// How a node is described before it exists.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NodeSpec {
    /// The node's name.
    pub name: Arc<str>,
    /// `topology.kubernetes.io/zone`; empty for none.
    pub zone: Arc<str>,
    /// Labels beside the ones every node gets from its name and zone.
    pub labels: Labels,
    /// Taints it starts with.
    pub taints: Vec<Taint>,
    /// What its pods may ask for together.
    pub allocatable: Resources,
    /// What else it has.
    pub extras: Extras,
}

/// A node's conditions beside `Ready`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub enum Pressure {
    /// `MemoryPressure`
    Memory,
    /// `DiskPressure`
    Disk,
    /// `PIDPressure`
    Pid,
    /// `NetworkUnavailable`
    Network,
}

impl Pressure {
    /// All of them.
    pub const ALL: [Pressure; 4] = [Pressure::Memory, Pressure::Disk, Pressure::Pid, Pressure::Network];

    /// The condition's type.
    pub const fn name(self) -> &'static str {
        match self {
            Pressure::Memory => "MemoryPressure",
            Pressure::Disk => "DiskPressure",
            Pressure::Pid => "PIDPressure",
            Pressure::Network => "NetworkUnavailable",
        }
    }

    /// The key of the taint that it stands for.
    pub const fn taint(self) -> &'static str {
        match self {
            Pressure::Memory => "node.kubernetes.io/memory-pressure",
            Pressure::Disk => "node.kubernetes.io/disk-pressure",
            Pressure::Pid => "node.kubernetes.io/pid-pressure",
            Pressure::Network => "node.kubernetes.io/network-unavailable",
        }
    }
}

/// The statuses of a node's conditions beside `Ready`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pressures([ConditionStatus; 4]);

impl Default for Pressures {
    fn default() -> Self {
        Pressures([ConditionStatus::False; 4])
    }
}

impl Pressures {
    /// The status of one.
    pub const fn get(&self, pressure: Pressure) -> ConditionStatus {
        self.0[pressure as usize]
    }

    /// Sets one.
    pub const fn set(&mut self, pressure: Pressure, status: ConditionStatus) {
        self.0[pressure as usize] = status;
    }
}

impl NodeSpec {
    /// All labels of the node: the ones the kubelet sets and its own.
    pub fn all_labels(&self) -> Labels {
        let mut labels = Labels::from([
            ("kubernetes.io/hostname", &*self.name),
            ("kubernetes.io/os", "linux"),
            ("kubernetes.io/arch", "amd64"),
        ]);
        if !self.zone.is_empty() {
            labels = labels.with("topology.kubernetes.io/zone", &self.zone).with("topology.kubernetes.io/region", "r1");
        }
        labels.0.extend(self.labels.0.clone());
        labels
    }
}

/// A stored node.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Node {
    /// Its metadata; the name is the machine's.
    pub meta: Meta,
    /// Set by `kubectl cordon`.
    pub unschedulable: bool,
    /// `spec.taints`, sorted.
    pub taints: Vec<Taint>,
    /// `status.allocatable`: CPU, memory and pods.
    pub allocatable: Resources,
    /// `status.allocatable`: what else it has.
    pub extras: Extras,
    /// The zone label's value; empty for none.
    pub zone: Arc<str>,
    /// The `Ready` condition.
    pub ready: ConditionStatus,
    /// `lastHeartbeatTime` of the `Ready` condition, as of the kubelet's last
    /// post that was not a matter of routine.
    pub heartbeat: Timestamp,
    /// The other conditions.
    pub pressures: Pressures,
}

impl Node {
    /// Whether it has a taint of this key and effect.
    pub fn has_taint(&self, taint: &Taint) -> bool {
        self.taints.iter().any(|t| t.is(taint))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pod_bears_a_lost_node_for_a_while() {
        for (key, effect, kept_away) in [
            (UNREACHABLE, Effect::NoExecute, false),
            (NOT_READY, Effect::NoExecute, false),
            (UNREACHABLE, Effect::NoSchedule, true),
            ("spot", Effect::NoExecute, true),
            ("spot", Effect::PreferNoSchedule, false),
        ] {
            assert_eq!(Taint::new(key, effect).keeps_away(&[]), kept_away, "{key}:{effect:?}");
        }
    }
}
