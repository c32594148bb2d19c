//! Whether a node admits a pod at all, room and other pods aside: one rule for
//! both schedulers, for pools of machines and for the autoscaler.

use crate::api::{Labels, Node, NodeSpec, PodTemplate, Taint, Toleration};

/// Why a node does not admit pods.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusal<'a> {
    /// It is cordoned.
    Cordoned,
    /// It has a taint that they do not tolerate.
    Tainted(&'a Taint),
    /// Their node selector or required node affinity is about others.
    NotSelected,
}

/// What is wrong with a node for pods of a template: the first thing, in the
/// order of kube-scheduler's plugins.
///
/// Upstream: `pkg/scheduler/apis/config/v1/default_plugins.go getDefaultPlugins`
pub(super) fn refusal<'a>(
    is_cordoned: bool,
    taints: &'a [Taint],
    (labels, name): (&Labels, &str),
    pod: &PodTemplate,
) -> Option<Refusal<'a>> {
    if is_cordoned && !Taint::unschedulable().is_tolerated_by(&pod.tolerations) {
        return Some(Refusal::Cordoned);
    }
    match untolerated(taints, &pod.tolerations) {
        Some(taint) => Some(Refusal::Tainted(taint)),
        None => (!pod.selects(labels, name)).then_some(Refusal::NotSelected),
    }
}

/// The first taint that keeps pods with these tolerations away.
///
/// Upstream: `pkg/scheduler/framework/plugins/tainttoleration/taint_toleration.go Filter`
pub(super) fn untolerated<'a>(taints: &'a [Taint], tolerations: &[Toleration]) -> Option<&'a Taint> {
    taints.iter().find(|taint| taint.keeps_away(tolerations))
}

/// Whether a node admits pods of a template.
pub(super) fn admits(node: &Node, pod: &PodTemplate) -> bool {
    refusal(node.unschedulable, &node.taints, (&node.meta.labels, &node.meta.name), pod).is_none()
}

/// Why a machine, once it is a node, would not admit pods of a template.
#[must_use]
pub fn objection<'a>(machine: &'a NodeSpec, pod: &PodTemplate) -> Option<Refusal<'a>> {
    refusal(false, &machine.taints, (&machine.all_labels(), &machine.name), pod)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{Effect, Extras, Resources};

    fn selecting(node_selector: Labels) -> PodTemplate {
        PodTemplate { node_selector, ..PodTemplate::empty() }
    }

    #[test]
    fn the_first_thing_that_is_wrong() {
        let own = Taint::new("own", Effect::NoSchedule);
        let soft = Taint::new("soft", Effect::PreferNoSchedule);
        let (fast, slow) = (Labels::from([("disk", "fast")]), Labels::from([("disk", "slow")]));
        let everything =
            Toleration { key: String::new(), exists: true, value: String::new(), effect: None, seconds: None };
        let picky = selecting(fast.clone());
        let brave = PodTemplate { tolerations: vec![everything], ..picky.clone() };
        let taints = [soft, own.clone()];
        for (cordoned, taints, labels, pod, wrong) in [
            (true, &taints[..], &slow, &picky, Some(Refusal::Cordoned)),
            (false, &taints, &slow, &picky, Some(Refusal::Tainted(&own))),
            (false, &taints[..1], &slow, &picky, Some(Refusal::NotSelected)),
            (false, &taints[..1], &fast, &picky, None),
            (true, &taints, &fast, &brave, None),
        ] {
            assert_eq!(refusal(cordoned, taints, (labels, "n"), pod), wrong);
        }
    }

    #[test]
    fn a_machine_has_the_labels_that_its_node_will_have() {
        let machine = NodeSpec {
            name: "m-1".into(),
            zone: "a".into(),
            labels: Labels::default(),
            taints: Vec::new(),
            allocatable: Resources::default(),
            extras: Extras::default(),
        };
        for (zone, wrong) in [("a", None), ("b", Some(Refusal::NotSelected))] {
            let pod = selecting(Labels::from([("topology.kubernetes.io/zone", zone)]));
            assert_eq!(objection(&machine, &pod), wrong);
        }
    }
}
