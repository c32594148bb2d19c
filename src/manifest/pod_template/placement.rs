//! What a pod asks of the scheduler beside room, node selector, required
//! node affinity and tolerations.

use super::{requests, scheduling};
use crate::api::{HostPort, Placement, PodAffinity, PodTerm, PreferredNodes, Selector, SpreadConstraint};
use crate::manifest::fields::Fields;
use crate::manifest::problems::Problems;
use crate::manifest::selector;

const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";
const PREFERRED: &str = "preferredDuringSchedulingIgnoredDuringExecution";

/// The scheduler's part of a pod's spec.
pub(super) fn of(spec: &Fields) -> Placement {
    let affinity = spec.object("affinity");
    let names = |f: Fields| f.text("name").to_string();
    Placement {
        extras: requests::extras(spec),
        scored: requests::scored(spec),
        preferred_nodes: affinity.object("nodeAffinity").objects(PREFERRED).iter().map(preferred_nodes).collect(),
        pods: pod_affinity(&affinity),
        spread: spec.objects("topologySpreadConstraints").iter().map(spread).collect(),
        host_ports: host_ports(spec),
        priority_class: spec.text("priorityClassName").to_string(),
        never_preempts: spec.text("preemptionPolicy") == "Never",
        gates: spec.objects("schedulingGates").into_iter().map(names).collect(),
    }
}

fn preferred_nodes(f: &Fields) -> PreferredNodes {
    PreferredNodes { weight: f.int32("weight", 0), term: scheduling::term(&f.object("preference")) }
}

fn pod_affinity(affinity: &Fields) -> PodAffinity {
    let (near, away) = (affinity.object("podAffinity"), affinity.object("podAntiAffinity"));
    let required = |f: &Fields| f.objects(REQUIRED).iter().map(pod_term).collect();
    let wish = |f: &Fields, sign: i32| (sign * f.int32("weight", 0), pod_term(&f.object("podAffinityTerm")));
    let closer = near.objects(PREFERRED);
    let apart = away.objects(PREFERRED);
    PodAffinity {
        near: required(&near),
        away: required(&away),
        wishes: closer.iter().map(|f| wish(f, 1)).chain(apart.iter().map(|f| wish(f, -1))).collect(),
    }
}

fn pod_term(f: &Fields) -> PodTerm {
    PodTerm {
        selector: label_selector(f, "labelSelector"),
        namespaces: f.texts("namespaces"),
        namespace_selector: label_selector(f, "namespaceSelector"),
        topology_key: f.text("topologyKey").to_string(),
        match_label_keys: f.texts("matchLabelKeys"),
        mismatch_label_keys: f.texts("mismatchLabelKeys"),
    }
}

fn label_selector(f: &Fields, name: &str) -> Option<Selector> {
    f.has(name).then(|| selector::read_any(&f.object(name), &mut Problems::default()))
}

fn spread(f: &Fields) -> SpreadConstraint {
    SpreadConstraint {
        max_skew: f.int32("maxSkew", 1),
        topology_key: f.text("topologyKey").to_string(),
        required: f.text("whenUnsatisfiable") == "DoNotSchedule",
        selector: label_selector(f, "labelSelector"),
        min_domains: f.int32("minDomains", 1),
        honors_affinity: f.text("nodeAffinityPolicy") != "Ignore",
        honors_taints: f.text("nodeTaintsPolicy") == "Honor",
        match_label_keys: f.texts("matchLabelKeys"),
    }
}

/// The ports of containers and sidecars. In the node's network every port of
/// a container is one.
///
/// Upstream: `pkg/scheduler/util/utils.go GetHostPorts`
fn host_ports(spec: &Fields) -> Vec<HostPort> {
    let on_host = spec.bool("hostNetwork");
    let inits = spec.objects("initContainers");
    let sidecars = inits.iter().filter(|c| c.text("restartPolicy") == "Always");
    let containers = spec.objects("containers");
    let ports = containers.iter().chain(sidecars).flat_map(|c| c.objects("ports"));
    ports
        .filter_map(|p| {
            let own = if on_host { p.int("containerPort") } else { None };
            let port = p.int("hostPort").filter(|n| *n != 0).or(own)?;
            let protocol = if p.text("protocol").is_empty() { "TCP" } else { p.text("protocol") };
            Some(HostPort {
                address: p.text("hostIP").to_string(),
                protocol: protocol.to_string(),
                port: u16::try_from(port).ok()?,
            })
        })
        .collect()
}

/// Upstream: `pkg/apis/core/validation/validation.go validatePodAffinityTerm`
pub(super) fn check_pod_affinity(spec: &Fields, problems: &mut Problems) {
    let affinity = spec.object("affinity");
    for side in [affinity.object("podAffinity"), affinity.object("podAntiAffinity")] {
        for term in side.objects(REQUIRED) {
            check_term(&term, problems);
        }
        for wish in side.objects(PREFERRED) {
            let weight = i64::from(wish.int32("weight", 0));
            if !(1..=100).contains(&weight) {
                problems.invalid(&wish.path("weight"), weight, "must be in the range 1-100");
            }
            check_term(&wish.object("podAffinityTerm"), problems);
        }
    }
}

fn check_term(term: &Fields, problems: &mut Problems) {
    for name in ["labelSelector", "namespaceSelector"] {
        selector::read_any(&term.object(name), problems);
    }
    if term.text("topologyKey").is_empty() {
        problems.required(&term.path("topologyKey"), "can not be empty");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn ports_of_the_node() {
        let port = |n: i64, host: i64| json!({"containerPort": n, "hostPort": host});
        for (spec, wanted) in [
            (json!({"containers": [{"ports": [port(80, 8080), {"containerPort": 81}]}]}), vec![8080]),
            (json!({"hostNetwork": true, "containers": [{"ports": [{"containerPort": 81}]}]}), vec![81]),
            (json!({"containers": [{}], "initContainers": [{"ports": [port(1, 1)]}]}), vec![]),
            (
                json!({"containers": [{}], "initContainers": [{"restartPolicy": "Always", "ports": [port(1, 1)]}]}),
                vec![1],
            ),
        ] {
            let ports: Vec<u16> = of(&Fields::new(&spec, "")).host_ports.iter().map(|p| p.port).collect();
            assert_eq!(ports, wanted, "{spec}");
        }
    }

    #[test]
    fn wishes_for_distance_weigh_less_than_nothing() {
        let term = json!({"topologyKey": "zone", "labelSelector": {"matchLabels": {"app": "web"}}});
        let wish = json!([{"weight": 7, "podAffinityTerm": term}]);
        let spec = json!({"affinity": {"podAffinity": {PREFERRED: wish}, "podAntiAffinity": {PREFERRED: wish}}});
        let wishes = of(&Fields::new(&spec, "")).pods.wishes;
        assert_eq!(wishes.iter().map(|(weight, _)| *weight).collect::<Vec<_>>(), [7, -7]);
        assert!(wishes[0].1.selector.is_some() && wishes[0].1.namespace_selector.is_none());
    }
}
