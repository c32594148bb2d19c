//! What a pod asks of the scheduler beside room, a node selector, required
//! node affinity and tolerations.

use super::{Extras, Labels, NodeMatch, Operator, Requirement, Resources, Selector};

/// A pod may have so many scheduling gates here.
pub const MOST_GATES: usize = 32;

/// The scheduler's part of a pod template.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Placement {
    /// What it asks for beside CPU and memory.
    pub extras: Extras,
    /// The requests with a little for each container that asks for nothing,
    /// by which nodes are compared: 100 millicores and 200 MiB.
    pub scored: Resources,
    /// `nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution`.
    pub preferred_nodes: Vec<PreferredNodes>,
    /// Required pod affinity and anti-affinity, and the preferred ones.
    pub pods: PodAffinity,
    /// `topologySpreadConstraints`.
    pub spread: Vec<SpreadConstraint>,
    /// Ports of the node that the pod takes.
    pub host_ports: Vec<HostPort>,
    /// `priorityClassName`; empty for the default class.
    pub priority_class: String,
    /// `preemptionPolicy: Never`: others are not made to go for this pod.
    pub never_preempts: bool,
    /// `schedulingGates`: the pod waits until somebody takes them away.
    pub gates: Vec<String>,
}

/// A `scheduling.k8s.io/v1` PriorityClass.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PriorityClass {
    /// The name by which pods ask for it.
    pub name: std::sync::Arc<str>,
    /// Higher is more important.
    pub value: i32,
    /// Pods without a class have this one.
    pub global_default: bool,
    /// `preemptionPolicy: Never`.
    pub never_preempts: bool,
}

/// Nodes that are liked better.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PreferredNodes {
    /// From 1 to 100.
    pub weight: i32,
    /// All of these must hold; none at all matches no node.
    pub term: Vec<NodeMatch>,
}

/// Which pods a pod wants to be near, and which not.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct PodAffinity {
    /// Near pods that all of these select.
    pub near: Vec<PodTerm>,
    /// Away from the pods that any of these selects.
    pub away: Vec<PodTerm>,
    /// Wishes with their weights, those for distance negative.
    pub wishes: Vec<(i32, PodTerm)>,
}

/// One pod affinity term.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct PodTerm {
    /// The pods; `None` selects none, an empty selector all.
    pub selector: Option<Selector>,
    /// The namespaces; with none, and no selector of them, the pod's own.
    pub namespaces: Vec<String>,
    /// Namespaces by their labels; an empty one selects all.
    pub namespace_selector: Option<Selector>,
    /// The node label whose value must be the same, or must not.
    pub topology_key: String,
    /// Labels in which the pods must have the incoming pod's value.
    pub match_label_keys: Vec<String>,
    /// Labels in which the pods must not have the incoming pod's value.
    pub mismatch_label_keys: Vec<String>,
}

/// One topology spread constraint.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SpreadConstraint {
    /// How many more pods one domain may have than the emptiest.
    pub max_skew: i32,
    /// The node label that makes domains.
    pub topology_key: String,
    /// `DoNotSchedule`; otherwise it is a wish.
    pub required: bool,
    /// The pods that are counted.
    pub selector: Option<Selector>,
    /// With fewer domains than this the emptiest counts as having none.
    pub min_domains: i32,
    /// Whether only nodes count that the pod's node affinity allows.
    pub honors_affinity: bool,
    /// Whether only nodes count whose taints the pod tolerates.
    pub honors_taints: bool,
    /// Labels in which the counted pods have the incoming pod's value.
    pub match_label_keys: Vec<String>,
}

/// A port of the node.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HostPort {
    /// The address; empty stands for all of them.
    pub address: String,
    /// `TCP`, `UDP` or `SCTP`.
    pub protocol: String,
    /// The port.
    pub port: u16,
}

impl HostPort {
    /// Whether two pods with these ports cannot be on one node.
    ///
    /// Upstream: `staging/src/k8s.io/kube-scheduler/framework/types.go CheckConflict`
    pub fn collides_with(&self, other: &HostPort) -> bool {
        let any = |address: &str| address.is_empty() || address == "0.0.0.0";
        self.port == other.port
            && self.protocol == other.protocol
            && (any(&self.address) || any(&other.address) || self.address == other.address)
    }
}

/// A selector that also asks for the values that a pod has in some labels, or
/// for other ones. Labels that the pod lacks are left out.
///
/// Upstream: `pkg/registry/core/pod/strategy.go applyMatchLabelKeysAndMismatchLabelKeys`
pub fn merged(selector: Option<&Selector>, pod: &Labels, same: &[String], other: &[String]) -> Option<Selector> {
    let mut all = selector?.clone();
    for (keys, operator) in [(same, Operator::In), (other, Operator::NotIn)] {
        for key in keys {
            if let Some(value) = pod.get(key) {
                let values = vec![value.to_string()];
                all.match_expressions.push(Requirement { key: key.clone(), operator, values });
            }
        }
    }
    Some(all)
}

impl Placement {
    /// Whether it takes more of a node than CPU, memory and a pod's place.
    pub fn asks_more_than_room(&self) -> bool {
        !self.host_ports.is_empty() || !self.extras.is_empty()
    }

    /// All its gates, a bit each.
    pub const fn all_gates(&self) -> u32 {
        match self.gates.len() as u32 {
            0 => 0,
            few => u32::MAX >> 32_u32.saturating_sub(few),
        }
    }

    /// The gates of these names, a bit each.
    pub fn gates_named(&self, names: &[String]) -> u32 {
        let bit = |(i, name): (usize, &String)| u32::from(names.contains(name)) << i;
        self.gates.iter().enumerate().take(MOST_GATES).map(bit).sum()
    }

    /// Whether only the real scheduler's rules tell where the pod goes.
    pub fn is_particular(&self) -> bool {
        !self.preferred_nodes.is_empty()
            || self.pods != PodAffinity::default()
            || !self.spread.is_empty()
            || !self.host_ports.is_empty()
            || !self.priority_class.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_collide_on_the_same_address() {
        let port = |address: &str, protocol: &str, port| HostPort {
            address: address.to_string(),
            protocol: protocol.to_string(),
            port,
        };
        for (a, b, collide) in [
            (port("", "TCP", 80), port("", "TCP", 80), true),
            (port("", "TCP", 80), port("", "UDP", 80), false),
            (port("", "TCP", 80), port("", "TCP", 81), false),
            (port("10.0.0.1", "TCP", 80), port("0.0.0.0", "TCP", 80), true),
            (port("10.0.0.1", "TCP", 80), port("10.0.0.2", "TCP", 80), false),
            (port("10.0.0.1", "TCP", 80), port("10.0.0.1", "TCP", 80), true),
        ] {
            assert_eq!(a.collides_with(&b), collide, "{a:?} {b:?}");
            assert_eq!(b.collides_with(&a), collide, "{b:?} {a:?}");
        }
    }

    #[test]
    fn label_keys_take_the_pods_own_values() {
        let own = Labels::from([("app", "web"), ("hash", "1")]);
        let base = Selector { match_labels: Labels::from([("app", "web")]), ..Selector::default() };
        let same = ["hash".to_string(), "absent".to_string()];
        let selector = merged(Some(&base), &own, &same, &[]).expect("a selector");
        assert!(selector.matches(&own));
        assert!(!selector.matches(&own.with("hash", "2")));
        let other = merged(Some(&base), &own, &[], &same).expect("a selector");
        assert!(!other.matches(&own));
        assert!(other.matches(&own.with("hash", "2")));
        assert_eq!(merged(None, &own, &same, &same), None);
    }
}
