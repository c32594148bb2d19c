//! The DaemonSet controller's decisions as functions of numbers and facts:
//! which nodes run a pod, which pods a node is rid of, and how far a rolling
//! update may go.
//!
//! Everything is decided node by node and then summed up, so that a change of
//! one pod asks for one node and not for all of them.

use crate::api::{DaemonSet, DaemonSetUpdate, Effect, Node, Phase, PodTemplate, Rounding, Taint, Toleration};
use crate::time::Timestamp;
use std::cmp::Reverse;
use std::ops::{AddAssign, SubAssign};

/// What a DaemonSet wants of a node.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Fit {
    /// A pod shall run there; it is created if it is not there.
    pub run: bool,
    /// A pod that is there may stay.
    pub keep: bool,
}

/// What is looked at of a daemon pod.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DaemonPod {
    /// Deletion has been asked for.
    pub deleting: bool,
    /// Its phase.
    pub phase: Phase,
    /// Whether it is bound to its node.
    pub bound: bool,
    /// Creation.
    pub created: Timestamp,
    /// The `Ready` condition.
    pub ready: bool,
    /// Ready for `minReadySeconds`.
    pub available: bool,
    /// Its label says the hash of the present revision.
    pub current: bool,
    /// The same, or its label says the present template generation.
    pub updated: bool,
}

/// The tolerations of daemon pods: the template's and those by which they
/// stay where other pods are evicted or kept away.
///
/// A DaemonSet's pods belong to the node and not to the work on it, so they
/// live through everything that is only a state of the node. A toleration of
/// the template that differs only in its seconds is replaced.
///
/// Upstream: `daemon/util/daemonset_util.go AddOrUpdateDaemonPodTolerations`
#[must_use]
pub fn tolerations(template: &[Toleration], host_network: bool) -> Vec<Toleration> {
    let mut all = template.to_vec();
    let network = [("node.kubernetes.io/network-unavailable", Effect::NoSchedule)];
    let always = [
        ("node.kubernetes.io/not-ready", Effect::NoExecute),
        ("node.kubernetes.io/unreachable", Effect::NoExecute),
        ("node.kubernetes.io/disk-pressure", Effect::NoSchedule),
        ("node.kubernetes.io/memory-pressure", Effect::NoSchedule),
        ("node.kubernetes.io/pid-pressure", Effect::NoSchedule),
        ("node.kubernetes.io/unschedulable", Effect::NoSchedule),
    ];
    for &(key, effect) in always.iter().chain(network.iter().filter(|_| host_network)) {
        let added = Toleration {
            key: key.to_string(),
            exists: true,
            value: String::new(),
            effect: Some(effect),
            seconds: None,
        };
        let same = |t: &&mut Toleration| t.key == key && t.exists && t.effect == Some(effect) && t.value.is_empty();
        match all.iter_mut().find(same) {
            Some(old) => *old = added,
            None => all.push(added),
        }
    }
    all
}

/// The tolerations of a DaemonSet's pods.
#[must_use]
pub fn tolerations_of(set: &DaemonSet) -> Vec<Toleration> {
    let template = &set.spec.template;
    let host_network = template.raw.value().pointer("/spec/hostNetwork").and_then(serde_json::Value::as_bool);
    tolerations(&template.tolerations, host_network == Some(true))
}

/// Whether a node runs a DaemonSet's pod.
///
/// A node that is tainted `NoSchedule` gets no new pod and keeps the one it
/// has; `NoExecute` sends that one away as well. `tolerations` are the pods'
/// own, see [`tolerations`].
///
/// Upstream: `daemon/daemon_controller.go NodeShouldRunDaemonPod`
#[must_use]
pub fn fit(node: &Node, template: &PodTemplate, tolerations: &[Toleration]) -> Fit {
    if !template.selects(&node.meta.labels, &node.meta.name) {
        return Fit::default();
    }
    let untolerated = |effect: Effect| {
        let refuses = |taint: &Taint| taint.effect == effect && !taint.is_tolerated_by(tolerations);
        node.taints.iter().any(refuses)
    };
    let keep = !untolerated(Effect::NoExecute);
    Fit { run: keep && !untolerated(Effect::NoSchedule), keep }
}

/// Whether a pod is past all care: finished, and its deletion asked for. It
/// takes no place on its node any more.
///
/// Upstream: `daemon/daemon_controller.go getNodesToDaemonPods`
#[must_use]
pub const fn is_past(pod: &DaemonPod) -> bool {
    pod.deleting && matches!(pod.phase, Phase::Succeeded | Phase::Failed)
}

/// The pods of a node, given by name, from the one that counts to the one
/// that counts least: bound ones before others, then the older, then by name.
///
/// Upstream: `daemon/daemon_controller.go podByCreationTimestampAndPhase`
#[must_use]
pub fn by_age(pods: &[DaemonPod]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..pods.len()).collect();
    order.sort_by_key(|&i| (Reverse(pods[i].bound), pods[i].created));
    order
}

/// What is due on a node, rolling updates aside. Numbers are places in the
/// list of its pods.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Upkeep {
    /// A pod is to be created.
    pub create: bool,
    /// Pods that failed: deleted and replaced, after a back-off.
    pub failed: Vec<usize>,
    /// Pods that succeeded, which daemons should not: deleted and replaced.
    pub succeeded: Vec<usize>,
    /// Pods that are not wanted or too many.
    pub excess: Vec<usize>,
}

/// What is due on a node whose pods are given by name.
///
/// A pod that is being deleted holds its place, so that two daemons never
/// fight for the node's ports. Only with surge does the next one come at once.
///
/// Upstream: `daemon/daemon_controller.go podsShouldBeOnNode`
#[must_use]
pub fn upkeep(fit: Fit, pods: &[DaemonPod], surge: bool) -> Upkeep {
    let alive = |i: &usize| !pods[*i].deleting;
    let mut due = Upkeep::default();
    if fit.run && pods.is_empty() {
        due.create = true;
    } else if fit.keep {
        let in_phase = |phase| (0..pods.len()).filter(alive).filter(|&i| pods[i].phase == phase).collect();
        due.failed = in_phase(Phase::Failed);
        due.succeeded = in_phase(Phase::Succeeded);
        let mut running = by_age(pods);
        running.retain(|i| alive(i) && !due.failed.contains(i) && !due.succeeded.contains(i));
        if running.is_empty() {
            due.create = surge && fit.run;
        } else if surge {
            due.excess = surplus_while_surging(pods, &running);
        } else {
            due.excess = running.split_off(1);
        }
    } else {
        due.excess = (0..pods.len()).filter(alive).collect();
    }
    due
}

/// What is due where there is no node any more: pods that no scheduler ever
/// bound, which nobody else would remove.
///
/// Upstream: `daemon/daemon_controller.go getUnscheduledPodsWithoutNode`
#[must_use]
pub fn upkeep_without_node(pods: &[DaemonPod]) -> Upkeep {
    let waits = |i: &usize| !pods[*i].bound && !pods[*i].deleting;
    Upkeep { excess: (0..pods.len()).filter(waits).collect(), ..Upkeep::default() }
}

/// With surge a node may have two pods, but only while an old one that is
/// ready waits for a new one that is not available yet.
fn surplus_while_surging(pods: &[DaemonPod], running: &[usize]) -> Vec<usize> {
    let oldest = |current: bool| running.iter().copied().find(|&i| pods[i].current == current);
    let (new, old) = (oldest(true), oldest(false));
    let mut excess: Vec<usize> = running.iter().copied().filter(|&i| Some(i) != new && Some(i) != old).collect();
    if let (Some(new), Some(old)) = (new, old)
        && (!pods[old].ready || pods[new].available)
    {
        excess.push(old);
    }
    excess
}

/// Where a node stands in a rolling update.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stage {
    /// Nothing there but perhaps pods that are being deleted.
    Empty,
    /// Only a new pod.
    Done {
        /// Whether it is available.
        available: bool,
    },
    /// Only an old pod.
    Old {
        /// Its place in the list.
        pod: usize,
        /// Whether it is available.
        available: bool,
    },
    /// An old pod and a new one.
    Both {
        /// The old pod's place in the list.
        old: usize,
        /// Whether the old one is available.
        old_available: bool,
        /// Whether the new one is.
        new_available: bool,
    },
    /// More than that: first the surplus must go.
    Crowded,
}

/// Where a node with these pods stands.
///
/// Upstream: `daemon/update.go findUpdatedPodsOnNode`
#[must_use]
pub fn stage(pods: &[DaemonPod]) -> Stage {
    let (mut new, mut old) = (None, None);
    for (i, pod) in pods.iter().enumerate().filter(|(_, pod)| !pod.deleting) {
        let place = if pod.updated { &mut new } else { &mut old };
        if place.replace((i, pod.available)).is_some() {
            return Stage::Crowded;
        }
    }
    match (old, new) {
        (None, None) => Stage::Empty,
        (None, Some((_, available))) => Stage::Done { available },
        (Some((pod, available)), None) => Stage::Old { pod, available },
        (Some((old, old_available)), Some((_, new_available))) => Stage::Both { old, old_available, new_available },
    }
}

/// What a rolling update may do to a node.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Step {
    /// The old pod goes, whatever the budget.
    Delete,
    /// The old pod goes if the budget of unavailable pods allows it.
    DeleteInBudget,
    /// A new pod comes beside the old one, whatever the budget.
    Create,
    /// A new pod comes beside the old one if the surge allows it.
    CreateInSurge,
    /// The old pod is on a node that shall not run one any more. It goes when
    /// there are enough others.
    DeleteIfSpare,
}

impl Step {
    /// All steps, in the order of their declaration.
    pub const ALL: [Step; 5] =
        [Step::Delete, Step::DeleteInBudget, Step::Create, Step::CreateInSurge, Step::DeleteIfSpare];
}

/// What a node counts for in a rolling update, and what may be done to it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Share {
    /// It counts against `maxUnavailable`.
    pub unavailable: bool,
    /// It counts against `maxSurge`.
    pub surging: bool,
    /// Its pod counts as available, for sparing others.
    pub available: bool,
    /// What may be done, and to which pod of the list.
    pub step: Option<(Step, usize)>,
}

/// Whether a rolling update counts a node at all: it shall run a pod, or it
/// has one.
///
/// Upstream: `daemon/update.go updatedDesiredNodeCounts`
#[must_use]
pub const fn takes_part(fit: Fit, pods: &[DaemonPod]) -> bool {
    fit.run || !pods.is_empty()
}

/// What a node that takes part counts for; `surging` says that the limit on
/// surge is above zero.
#[must_use]
pub fn share(fit: Fit, pods: &[DaemonPod], surging: bool) -> Share {
    if surging { share_surging(stage(pods), fit.run) } else { share_in_place(stage(pods)) }
}

/// A node's share in an update without surge, where old pods go first.
///
/// An old pod that is not available is replaced whatever the budget: nothing
/// is lost with it, and a broken update could not be repaired otherwise. It
/// still counts as unavailable.
///
/// Upstream: `daemon/update.go rollingUpdate`
#[must_use]
pub const fn share_in_place(stage: Stage) -> Share {
    let (unavailable, step) = match stage {
        Stage::Empty | Stage::Both { .. } | Stage::Crowded => (true, None),
        Stage::Done { available } => (!available, None),
        Stage::Old { pod, available: false } => (true, Some((Step::Delete, pod))),
        Stage::Old { pod, available: true } => (false, Some((Step::DeleteInBudget, pod))),
    };
    Share { unavailable, surging: false, available: false, step }
}

/// A node's share in an update with surge, where new pods come first.
///
/// Upstream: `daemon/update.go rollingUpdate`
#[must_use]
pub const fn share_surging(stage: Stage, run: bool) -> Share {
    let (available, surging, step) = match stage {
        Stage::Empty => (false, false, None),
        Stage::Crowded => (false, true, None),
        Stage::Done { available } => (available, false, None),
        Stage::Old { pod, available: false } => {
            (false, false, Some((if run { Step::Create } else { Step::Delete }, pod)))
        }
        Stage::Old { pod, available: true } => {
            (true, false, Some((if run { Step::CreateInSurge } else { Step::DeleteIfSpare }, pod)))
        }
        Stage::Both { old_available, new_available: false, .. } => (old_available, true, None),
        Stage::Both { old, old_available, new_available: true } => (old_available, false, Some((Step::Delete, old))),
    };
    Share { unavailable: false, surging, available, step }
}

/// The shares of all nodes together.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Shares {
    /// Nodes that count against `maxUnavailable`.
    pub unavailable: i32,
    /// Nodes that count against `maxSurge`.
    pub surging: i32,
    /// Nodes with an available pod.
    pub available: i32,
}

impl AddAssign<Share> for Shares {
    fn add_assign(&mut self, share: Share) {
        self.unavailable += i32::from(share.unavailable);
        self.surging += i32::from(share.surging);
        self.available += i32::from(share.available);
    }
}

impl SubAssign<Share> for Shares {
    fn sub_assign(&mut self, share: Share) {
        self.unavailable -= i32::from(share.unavailable);
        self.surging -= i32::from(share.surging);
        self.available -= i32::from(share.available);
    }
}

/// `maxSurge` and `maxUnavailable` as numbers of nodes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Limits {
    /// How many nodes may have a new pod beside an available old one.
    pub surge: i32,
    /// How many nodes may be without an available pod.
    pub unavailable: i32,
}

/// The limits for this many nodes. Both are rounded up, so that a percentage
/// above zero never stalls an update; were both zero, one node may be
/// unavailable.
///
/// Upstream: `daemon/update.go updatedDesiredNodeCounts`
#[must_use]
pub fn limits(update: DaemonSetUpdate, desired: i32) -> Limits {
    let DaemonSetUpdate::RollingUpdate { max_surge, max_unavailable } = update else { return Limits::default() };
    let limits = Limits {
        surge: max_surge.scaled(desired, Rounding::Up),
        unavailable: max_unavailable.scaled(desired, Rounding::Up),
    };
    if desired > 0 && limits == Limits::default() { Limits { unavailable: 1, ..limits } } else { limits }
}

/// Whether a node may ever have a second pod.
///
/// Upstream: `daemon/util/daemonset_util.go AllowsSurge`
#[must_use]
pub fn allows_surge(update: DaemonSetUpdate) -> bool {
    match update {
        DaemonSetUpdate::OnDelete { .. } => false,
        DaemonSetUpdate::RollingUpdate { max_surge, .. } => max_surge.scaled(1, Rounding::Up) > 0,
    }
}

/// On how many of the nodes that wait for a step it may be taken now, the
/// first ones by name.
///
/// Upstream: `daemon/update.go rollingUpdate`
#[must_use]
pub fn allowance(step: Step, limits: Limits, shares: Shares, desired: i32) -> usize {
    let room = match step {
        Step::Delete | Step::Create => return usize::MAX,
        Step::DeleteInBudget => limits.unavailable - shares.unavailable,
        Step::CreateInSurge => limits.surge - shares.surging,
        Step::DeleteIfSpare => shares.available - desired,
    };
    usize::try_from(room).unwrap_or(0)
}

/// What a node counts for in the status.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counts {
    /// Nodes that shall run a pod.
    pub desired: i32,
    /// Of those, nodes that have one.
    pub current: i32,
    /// Nodes that have one and shall not.
    pub misscheduled: i32,
    /// Nodes whose first pod is ready.
    pub ready: i32,
    /// Nodes whose first pod is available.
    pub available: i32,
    /// Nodes whose first pod is up to date.
    pub updated: i32,
}

/// What one node counts for. Of several pods the oldest speaks for it.
///
/// Upstream: `daemon/daemon_controller.go updateDaemonSetStatus`
#[must_use]
pub fn counts(fit: Fit, pods: &[DaemonPod]) -> Counts {
    let first = by_age(pods).first().map(|&i| pods[i]);
    if !fit.run {
        return Counts { misscheduled: i32::from(first.is_some()), ..Counts::default() };
    }
    let first_is = |holds: fn(&DaemonPod) -> bool| i32::from(first.as_ref().is_some_and(holds));
    Counts {
        desired: 1,
        current: i32::from(first.is_some()),
        misscheduled: 0,
        ready: first_is(|pod| pod.ready),
        available: first_is(|pod| pod.available),
        updated: first_is(|pod| pod.updated),
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Counts) {
        self.desired += other.desired;
        self.current += other.current;
        self.misscheduled += other.misscheduled;
        self.ready += other.ready;
        self.available += other.available;
        self.updated += other.updated;
    }
}

impl SubAssign for Counts {
    fn sub_assign(&mut self, other: Counts) {
        self.desired -= other.desired;
        self.current -= other.current;
        self.misscheduled -= other.misscheduled;
        self.ready -= other.ready;
        self.available -= other.available;
        self.updated -= other.updated;
    }
}

/// Whether a change of a node is worth a look at the DaemonSet. `scheduled`
/// means that one of its pods is bound there.
///
/// A `NoSchedule` taint on a node that has its pod is not: the status goes on
/// counting the node as desired until something else happens.
///
/// Upstream: `daemon/daemon_controller.go syncNodeUpdate`
#[must_use]
pub const fn node_change_matters(fit: Fit, scheduled: bool, misscheduled: i32) -> bool {
    if scheduled { !fit.keep || misscheduled > 0 } else { fit.run }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{ConditionStatus, Extras, IntOrPercent, Labels, Meta, NodeMatch, Operator, Resources};
    use std::sync::Arc;

    const RUN: Fit = Fit { run: true, keep: true };
    const KEEP: Fit = Fit { run: false, keep: true };
    const AWAY: Fit = Fit { run: false, keep: false };

    /// A pod in a letter: `n`ew, `N`ew and available, `o`ld, `O`ld and
    /// available, `r` old and ready but not available, `p` new and ready but
    /// not available, `d` deleting, `f` failed, `s` succeeded.
    fn pod(letter: char) -> DaemonPod {
        let new = matches!(letter, 'n' | 'N' | 'p');
        DaemonPod {
            deleting: letter == 'd',
            phase: match letter {
                'f' => Phase::Failed,
                's' => Phase::Succeeded,
                _ => Phase::Running,
            },
            bound: true,
            created: Timestamp(0),
            ready: matches!(letter, 'N' | 'O' | 'r' | 'p'),
            available: matches!(letter, 'N' | 'O'),
            current: new,
            updated: new,
        }
    }

    fn pods(letters: &str) -> Vec<DaemonPod> {
        letters.chars().map(pod).collect()
    }

    fn node(taints: &[(&str, Effect)]) -> Node {
        let taint = |&(key, effect): &(&str, Effect)| Taint { key: key.to_string(), value: String::new(), effect };
        Node {
            meta: Meta { labels: Arc::new(Labels::from([("disk", "ssd")])), ..Meta::named("", "node-a") },
            unschedulable: false,
            taints: taints.iter().map(taint).collect(),
            allocatable: Resources::default(),
            extras: Extras::default(),
            zone: "".into(),
            ready: ConditionStatus::True,
            heartbeat: crate::time::Timestamp(0),
            pressures: crate::api::Pressures::default(),
        }
    }

    #[test]
    fn taints_keep_away_and_send_away() {
        use Effect::{NoExecute, NoSchedule, PreferNoSchedule};
        for (taints, expected) in [
            (&[][..], RUN),
            (&[("x", NoSchedule)], KEEP),
            (&[("x", NoExecute)], AWAY),
            (&[("x", PreferNoSchedule)], RUN),
            (&[("x", NoSchedule), ("y", NoExecute)], AWAY),
            (&[("node.kubernetes.io/not-ready", NoExecute)], RUN),
            (&[("node.kubernetes.io/not-ready", NoSchedule)], KEEP),
            (&[("node.kubernetes.io/unschedulable", NoSchedule)], RUN),
            (&[("node.kubernetes.io/network-unavailable", NoSchedule)], KEEP),
        ] {
            assert_eq!(fit(&node(taints), &PodTemplate::empty(), &tolerations(&[], false)), expected, "{taints:?}");
        }
    }

    #[test]
    fn cordoned_nodes_run_daemons() {
        let cordoned = Node { unschedulable: true, ..node(&[]) };
        assert_eq!(fit(&cordoned, &PodTemplate::empty(), &tolerations(&[], false)), RUN);
    }

    #[test]
    fn selector_and_affinity_choose_nodes() {
        let wants =
            |value: &str| PodTemplate { node_selector: Labels::from([("disk", value)]), ..PodTemplate::empty() };
        assert_eq!(fit(&node(&[]), &wants("ssd"), &[]), RUN);
        assert_eq!(fit(&node(&[]), &wants("hdd"), &[]), AWAY);
        let near = |name: &str| PodTemplate {
            node_affinity: vec![vec![NodeMatch {
                key: "metadata.name".to_string(),
                operator: Operator::In,
                values: vec![name.to_string()],
                field: true,
            }]],
            ..PodTemplate::empty()
        };
        assert_eq!(fit(&node(&[]), &near("node-a"), &[]), RUN);
        assert_eq!(fit(&node(&[]), &near("node-b"), &[]), AWAY);
    }

    #[test]
    fn tolerations_are_added_once_and_for_ever() {
        let for_a_minute = Toleration {
            key: "node.kubernetes.io/not-ready".to_string(),
            exists: true,
            value: String::new(),
            effect: Some(Effect::NoExecute),
            seconds: Some(60),
        };
        let own = Toleration { key: "mine".to_string(), ..for_a_minute.clone() };
        let all = tolerations(&[for_a_minute, own.clone()], false);
        assert_eq!(all.len(), 7);
        assert_eq!((all[0].seconds, &all[1]), (None, &own));
        assert_eq!(tolerations(&[], true).len(), 7);
    }

    #[test]
    fn a_node_is_rid_of_what_it_should_not_have() {
        // fit, pods, surge: create, failed, succeeded, excess
        let none = Vec::<usize>::new;
        for (fit, letters, surge, create, failed, succeeded, excess) in [
            (RUN, "", false, true, none(), none(), none()),
            (KEEP, "", false, false, none(), none(), none()),
            (RUN, "N", false, false, none(), none(), none()),
            (RUN, "d", false, false, none(), none(), none()),
            (RUN, "d", true, true, none(), none(), none()),
            (KEEP, "d", true, false, none(), none(), none()),
            (RUN, "f", false, false, vec![0], none(), none()),
            (RUN, "f", true, true, vec![0], none(), none()),
            (RUN, "sN", false, false, none(), vec![0], none()),
            (RUN, "NON", false, false, none(), none(), vec![1, 2]),
            (AWAY, "NdO", false, false, none(), none(), vec![0, 2]),
            (AWAY, "f", false, false, none(), none(), vec![0]),
            (RUN, "On", true, false, none(), none(), none()),
            (RUN, "rn", true, false, none(), none(), none()),
            (RUN, "on", true, false, none(), none(), vec![0]),
            (RUN, "ON", true, false, none(), none(), vec![0]),
            (RUN, "Op", true, false, none(), none(), none()),
            (RUN, "OOn", true, false, none(), none(), vec![1]),
            (RUN, "nN", true, false, none(), none(), vec![1]),
        ] {
            let expected = Upkeep { create, failed, succeeded, excess };
            assert_eq!(upkeep(fit, &pods(letters), surge), expected, "{fit:?} {letters} {surge}");
        }
    }

    #[test]
    fn without_a_node_only_unbound_pods_go() {
        let unbound = DaemonPod { bound: false, ..pod('n') };
        assert_eq!(upkeep_without_node(&[pod('n'), unbound]).excess, [1]);
    }

    #[test]
    fn bound_pods_count_before_older_ones() {
        let at = |bound, created| DaemonPod { bound, created: Timestamp(created), ..pod('n') };
        let list = [at(false, 1), at(true, 9), at(true, 3), at(true, 3)];
        assert_eq!(by_age(&list), [2, 3, 1, 0]);
    }

    #[test]
    fn only_finished_pods_that_are_deleted_are_past() {
        assert!(!is_past(&pod('f')));
        assert!(!is_past(&pod('d')));
        assert!(is_past(&DaemonPod { deleting: true, ..pod('f') }));
    }

    #[test]
    fn stages_of_a_node() {
        for (letters, expected) in [
            ("", Stage::Empty),
            ("d", Stage::Empty),
            ("dN", Stage::Done { available: true }),
            ("p", Stage::Done { available: false }),
            ("do", Stage::Old { pod: 1, available: false }),
            ("nO", Stage::Both { old: 1, old_available: true, new_available: false }),
            ("NN", Stage::Crowded),
            ("oNO", Stage::Crowded),
        ] {
            assert_eq!(stage(&pods(letters)), expected, "{letters}");
        }
    }

    #[test]
    fn the_template_generation_makes_a_pod_new_too() {
        let adopted = DaemonPod { updated: true, ..pod('O') };
        assert_eq!(stage(&[adopted]), Stage::Done { available: true });
    }

    #[test]
    fn shares_without_surge() {
        for (letters, unavailable, step) in [
            ("", true, None),
            ("N", false, None),
            ("n", true, None),
            ("o", true, Some((Step::Delete, 0))),
            ("O", false, Some((Step::DeleteInBudget, 0))),
            ("ON", true, None),
            ("OO", true, None),
        ] {
            let share = share_in_place(stage(&pods(letters)));
            assert_eq!((share.unavailable, share.step), (unavailable, step), "{letters}");
            assert!(!share.surging && !share.available);
        }
    }

    #[test]
    fn shares_with_surge() {
        for (letters, run, available, surging, step) in [
            ("", true, false, false, None),
            ("N", true, true, false, None),
            ("O", true, true, false, Some((Step::CreateInSurge, 0))),
            ("O", false, true, false, Some((Step::DeleteIfSpare, 0))),
            ("o", true, false, false, Some((Step::Create, 0))),
            ("o", false, false, false, Some((Step::Delete, 0))),
            ("On", true, true, true, None),
            ("oN", true, false, false, Some((Step::Delete, 0))),
            ("OOn", true, false, true, None),
        ] {
            let share = share_surging(stage(&pods(letters)), run);
            assert_eq!((share.available, share.surging, share.step), (available, surging, step), "{letters} {run}");
        }
    }

    #[test]
    fn limits_are_rounded_up_and_never_both_zero() {
        use IntOrPercent::{Int, Percent};
        for (max_surge, max_unavailable, desired, surge, unavailable) in [
            (Int(0), Percent(30), 6, 0, 2),
            (Percent(34), Int(0), 6, 3, 0),
            (Percent(1), Int(0), 3, 1, 0),
            (Int(0), Int(0), 3, 0, 1),
            (Int(0), Percent(10), 0, 0, 0),
        ] {
            let update = DaemonSetUpdate::RollingUpdate { max_surge, max_unavailable };
            assert_eq!(limits(update, desired), Limits { surge, unavailable }, "{update:?} {desired}");
        }
        let on_delete = DaemonSetUpdate::OnDelete { max_surge: Some(IntOrPercent::Int(1)), max_unavailable: None };
        assert_eq!(limits(on_delete, 5), Limits::default());
        assert!(!allows_surge(on_delete), "what is written for rolling updates means nothing");
    }

    #[test]
    fn budgets_are_what_is_left_of_the_limits() {
        let limits = Limits { surge: 3, unavailable: 2 };
        let shares = Shares { unavailable: 1, surging: 3, available: 7 };
        for (step, desired, expected) in [
            (Step::Delete, 6, usize::MAX),
            (Step::DeleteInBudget, 6, 1),
            (Step::CreateInSurge, 6, 0),
            (Step::DeleteIfSpare, 5, 2),
            (Step::DeleteIfSpare, 9, 0),
        ] {
            assert_eq!(allowance(step, limits, shares, desired), expected, "{step:?}");
        }
    }

    #[test]
    fn the_oldest_pod_speaks_for_its_node() {
        let both = counts(RUN, &pods("On"));
        assert_eq!((both.ready, both.available, both.updated), (1, 1, 0));
        let waiting = counts(RUN, &pods("p"));
        assert_eq!((waiting.current, waiting.ready, waiting.available, waiting.updated), (1, 1, 0, 1));
        assert_eq!(counts(RUN, &[]), Counts { desired: 1, ..Counts::default() });
        assert_eq!(counts(KEEP, &pods("N")), Counts { misscheduled: 1, ..Counts::default() });
        assert_eq!(counts(AWAY, &[]), Counts::default());
    }

    #[test]
    fn a_taint_on_a_node_with_its_pod_goes_unnoticed() {
        for (fit, scheduled, misscheduled, expected) in [
            (RUN, false, 0, true),
            (RUN, true, 0, false),
            (KEEP, true, 0, false),
            (KEEP, false, 0, false),
            (KEEP, true, 1, true),
            (AWAY, true, 0, true),
            (AWAY, false, 3, false),
        ] {
            assert_eq!(node_change_matters(fit, scheduled, misscheduled), expected, "{fit:?} {scheduled}");
        }
    }
}
