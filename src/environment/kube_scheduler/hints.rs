//! What may help pods that no node was found for. Each reason for a refusal
//! names the changes that may undo it; other changes leave the pods alone.

use super::class::{Class, Term};
use super::fit::fits_empty;
use super::nodes::NodeRow;
use super::reasons::Reasons;
use crate::api::{HostPort, Labels, PodTemplate};
use crate::environment::admission::untolerated;

/// A pod that came to a node, left it, or changed its labels there.
#[derive(Clone, Copy)]
pub(super) struct Other<'a> {
    pub(super) namespace: &'a str,
    pub(super) labels: &'a Labels,
    /// The required anti-affinity that it has.
    pub(super) away: &'a [Term],
    pub(super) ports: &'a [HostPort],
}

impl<'a> Other<'a> {
    pub(super) fn of(class: &'a Class) -> Other<'a> {
        Other {
            namespace: &class.namespace,
            labels: &class.labels,
            away: &class.away,
            ports: &class.template.placement.host_ports,
        }
    }
}

/// Something that happened to the cluster.
#[derive(Clone, Copy)]
pub(super) enum Happened<'a> {
    /// A pod was bound.
    PodCame(Other<'a>),
    /// A bound pod is gone or finished.
    PodWent(Other<'a>),
    /// A bound pod has other labels now.
    PodRelabelled {
        before: Other<'a>,
        after: Other<'a>,
    },
    NodeCame(&'a NodeRow),
    NodeChanged {
        before: &'a NodeRow,
        after: &'a NodeRow,
    },
    NodeWent(&'a NodeRow),
}

/// Whether pods of a class that were refused for these reasons are worth
/// another look.
///
/// Upstream: `pkg/scheduler/backend/queue/scheduling_queue.go isPodWorthRequeuing`
pub(super) fn may_help(happened: Happened<'_>, class: &Class, reasons: Reasons) -> bool {
    match happened {
        Happened::PodCame(other) => {
            (reasons.has(SPREADING) && selects_for_spread(class, other))
                || (reasons.has(AFFINITY) && matches_all(&class.near, other))
        }
        Happened::PodWent(other) => pod_went(other, class, reasons),
        Happened::PodRelabelled { before, after } => relabelled(before, after, class, reasons),
        Happened::NodeCame(node) => node_came(node, class, reasons),
        Happened::NodeChanged { before, after } => node_changed(before, after, class, reasons),
        Happened::NodeWent(node) => reasons.has(SPREADING) && has_spread_labels(class, node),
    }
}

/// What required pod affinity and anti-affinity refuse for.
pub(super) const AFFINITY: Reasons = Reasons::NEAR.with(Reasons::AWAY).with(Reasons::KEPT_AWAY);
const SPREADING: Reasons = Reasons::SPREAD.with(Reasons::NO_DOMAIN);
const ROOM: Reasons = Reasons::PODS.with(Reasons::CPU).with(Reasons::MEMORY).with(Reasons::EXTRAS);
const BY_NODES: Reasons = Reasons::NODE_AFFINITY.with(Reasons::NOT_NAMED);

/// Upstream: `pkg/scheduler/framework/plugins/podtopologyspread/plugin.go isSchedulableAfterPodChange`
fn selects_for_spread(class: &Class, other: Other<'_>) -> bool {
    let hard = class.spread.iter().filter(|spread| spread.constraint.required);
    *class.namespace == *other.namespace && hard.into_iter().any(|s| s.scope.covers(other.namespace, other.labels))
}

fn matches_all(terms: &[Term], other: Other<'_>) -> bool {
    !terms.is_empty() && terms.iter().all(|term| term.scope.covers(other.namespace, other.labels))
}

fn pod_went(other: Other<'_>, class: &Class, reasons: Reasons) -> bool {
    let ports = &class.template.placement.host_ports;
    // Anti-affinity of the pod that went, which may have kept this one away.
    let kept_away = matches_all(other.away, Other::of(class));
    reasons.has(ROOM)
        || (reasons.has(Reasons::PORTS) && ports.iter().any(|p| other.ports.iter().any(|o| o.collides_with(p))))
        || (reasons.has(SPREADING) && selects_for_spread(class, other))
        || (reasons.has(AFFINITY) && (matches_all(&class.away, other) || kept_away))
}

fn relabelled(before: Other<'_>, after: Other<'_>, class: &Class, reasons: Reasons) -> bool {
    let hard = class.spread.iter().filter(|spread| spread.constraint.required);
    let moved = |s: &super::class::Spread| {
        s.scope.covers(before.namespace, before.labels) != s.scope.covers(after.namespace, after.labels)
    };
    (reasons.has(SPREADING) && hard.into_iter().any(moved))
        || (reasons.has(AFFINITY)
            && ((!matches_all(&class.near, before) && matches_all(&class.near, after))
                || (matches_all(&class.away, before) && !matches_all(&class.away, after))))
}

/// Upstream: `pkg/scheduler/framework/plugins/*/*.go isSchedulableAfterNodeChange`
fn node_came(node: &NodeRow, class: &Class, reasons: Reasons) -> bool {
    let template = &class.template;
    reasons.has(Reasons::PORTS)
        || (reasons.has(Reasons::CORDONED) && !node.cordoned)
        || (reasons.has(Reasons::TAINTED) && untolerated(&node.taints, &template.tolerations).is_none())
        || (reasons.has(BY_NODES) && template.selects(&node.labels, &node.name))
        || (reasons.has(ROOM) && fits_empty(node, template))
        || (reasons.has(SPREADING) && has_spread_labels(class, node))
        || (reasons.has(AFFINITY)
            && (!class.away.is_empty() || class.near.iter().any(|term| node.labels.get(&term.key).is_some())))
        || reasons.has(Reasons::ABOUT_VOLUMES)
}

fn node_changed(before: &NodeRow, after: &NodeRow, class: &Class, reasons: Reasons) -> bool {
    let template = &class.template;
    let tolerated = |node: &NodeRow| untolerated(&node.taints, &template.tolerations).is_none();
    let chosen = |node: &NodeRow| template.selects(&node.labels, &node.name);
    let uncordoned = before.cordoned && !after.cordoned;
    let (relabelled, retainted) = (before.labels != after.labels, before.taints != after.taints);
    (reasons.has(Reasons::CORDONED) && uncordoned)
        || (reasons.has(Reasons::TAINTED) && (retainted || uncordoned) && !tolerated(before) && tolerated(after))
        || (reasons.has(BY_NODES) && relabelled && !chosen(before) && chosen(after))
        || (reasons.has(ROOM) && has_grown(before, after, template) && fits_empty(after, template))
        || (reasons.has(SPREADING) && (relabelled || retainted || uncordoned) && spread_changes(before, after, class))
        || (reasons.has(AFFINITY) && relabelled && affinity_changes(before, after, class))
        || (reasons.has(Reasons::ABOUT_VOLUMES) && relabelled)
}

/// Upstream: `pkg/scheduler/framework/plugins/noderesources/fit.go haveAnyRequestedResourcesIncreased`
fn has_grown(before: &NodeRow, after: &NodeRow, template: &PodTemplate) -> bool {
    let (old, new, wanted) = (&before.allocatable, &after.allocatable, &template.requests);
    new.pods > old.pods
        || (wanted.cpu_milli > 0 && new.cpu_milli > old.cpu_milli)
        || (wanted.memory_milli > 0 && new.memory_milli > old.memory_milli)
        || template.placement.extras.iter().any(|(name, _)| after.extras.get(name) > before.extras.get(name))
}

fn has_spread_labels(class: &Class, node: &NodeRow) -> bool {
    let mut hard = class.spread.iter().filter(|spread| spread.constraint.required);
    hard.all(|spread| node.labels.get(&spread.constraint.topology_key).is_some())
}

fn spread_changes(before: &NodeRow, after: &NodeRow, class: &Class) -> bool {
    let has = has_spread_labels(class, after);
    let mut hard = class.spread.iter().filter(|spread| spread.constraint.required);
    let moved = |key: &str| before.labels.get(key) != after.labels.get(key);
    has_spread_labels(class, before) != has
        || (has && (before.taints != after.taints || hard.any(|s| moved(&s.constraint.topology_key))))
}

/// Upstream: `pkg/scheduler/framework/plugins/interpodaffinity/plugin.go isSchedulableAfterNodeChange`
fn affinity_changes(before: &NodeRow, after: &NodeRow, class: &Class) -> bool {
    let (old, new) = (|term: &Term| before.labels.get(&term.key), |term: &Term| after.labels.get(&term.key));
    class.near.iter().any(|term| new(term).is_some() && old(term) != new(term))
        || class.away.iter().any(|term| old(term).is_some() && old(term) != new(term))
}
