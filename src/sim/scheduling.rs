//! How kube-scheduler is told of the cluster, and what its decisions do.

use super::event::{Event, PodRef};
use super::setup::SchedulerChoice;
use super::{Setup, Simulation, Urgency};
use crate::api::{Key, Kind, Operator, Pod, PodDisruptionBudget, Requirement, Selector};
use crate::cluster::{Change, Objects, Verb};
use crate::environment::{Attempt, Budget, ClaimRules, KubeScheduler, PriorityClasses, Ties};
use crate::rng::Draws;

use crate::trace::What;

/// kube-scheduler, if the setup asks for it.
pub(super) fn kube_scheduler(setup: &Setup) -> Option<Box<KubeScheduler>> {
    let ties = match setup.scheduler {
        SchedulerChoice::Simple => return None,
        SchedulerChoice::Kube => Ties::Drawn(Draws::new(setup.seed)),
        SchedulerChoice::KubeInOrder => Ties::InOrder,
    };
    let mut kube = KubeScheduler::new(PriorityClasses::new(&setup.priority_classes), ties);
    let sizes = setup.images.iter().filter_map(|(name, image)| Some((name, image.size?)));
    sizes.for_each(|(name, size)| kube.know_image(name.clone(), size));
    Some(Box::new(kube))
}

/// By which labels pods count as alike when nobody says how they are to be
/// spread: those that their Services and their owner select by.
///
/// Upstream: `pkg/scheduler/framework/plugins/helper/spread.go DefaultSelector`
fn default_selector(objects: &Objects, pod: &Pod) -> Option<Selector> {
    let owned = pod.meta.controller().and_then(|owner| match owner.kind {
        Kind::ReplicaSet => objects.replica_sets.get(owner).map(|set| set.spec.selector.clone()),
        Kind::StatefulSet => objects.stateful_sets.get(owner).map(|set| set.spec.selector.clone()),
        _ => None,
    });
    let mut selector = owned.map_or_else(Selector::default, |selector| (*selector).clone());
    let services = objects.services.iter().map(|(_, service)| service);
    for service in services.filter(|s| s.meta.namespace == pod.meta.namespace && s.selects(&pod.meta.labels)) {
        let labels = service.selector.0.iter();
        selector.match_expressions.extend(labels.map(|(key, value)| Requirement {
            key: key.to_string(),
            operator: Operator::In,
            values: vec![value.to_string()],
        }));
    }
    Some(selector).filter(|selector| !selector.is_empty())
}

/// What disruption budgets allow. Few clusters have many, and only a pod that
/// fits nowhere asks.
fn budgets(objects: &Objects) -> Vec<Budget> {
    let budgets = objects.disruption_budgets.iter().map(|(_, budget)| budget);
    let read = |budget: &PodDisruptionBudget| Budget {
        namespace: budget.meta.namespace.clone(),
        selector: budget.spec.selector.as_deref().cloned().unwrap_or_default(),
        allowed: budget.status.disruptions_allowed,
        disrupted: {
            let names = budget.status.disrupted.keys();
            names.filter_map(|name| objects.pods.find(&budget.meta.namespace, name)).collect()
        },
    };
    budgets.map(read).collect()
}

impl Simulation {
    /// Tells kube-scheduler of a change of the API.
    pub(super) fn kube_sees(&mut self, change: &Change) {
        let Some(kube) = &mut self.kube else { return };
        let (objects, key, now) = (self.store.objects(), change.key, self.now);
        match key.kind {
            Kind::Pod => {
                let pod = objects.pods.get(key);
                let selector = || pod.and_then(|pod| default_selector(objects, pod));
                kube.pod_changes(key, pod, selector, now, self.store.now);
            }
            Kind::Node => match (change.verb, objects.nodes.get(key)) {
                (Verb::Added, Some(node)) => kube.node_comes(key, node, now),
                (Verb::Modified, Some(node)) => kube.node_changes(key, node, now),
                _ => kube.node_goes(key, now),
            },
            _ => return,
        }
        self.wake_scheduler();
    }

    /// Sees to it that kube-scheduler runs if it has work.
    fn wake_scheduler(&mut self) {
        let Some(kube) = &self.kube else { return };
        if kube.has_work() && !self.kube_is_told.0 {
            self.kube_is_told.0 = true;
            self.queue.push(self.now, Urgency::First, Event::RunScheduler);
        }
        let due = kube.next_flush(self.now);
        if let Some(at) = due.filter(|at| self.kube_is_told.1.is_none_or(|told| *at < told)) {
            self.kube_is_told.1 = Some(at);
            self.queue.push(at, Urgency::First, Event::FlushScheduler);
        }
    }

    pub(super) fn flush_scheduler(&mut self) {
        self.kube_is_told.1 = None;
        if let Some(kube) = &mut self.kube {
            kube.flush(self.now);
        }
        self.wake_scheduler();
    }

    /// Looks at one pod after the other until none is left to look at.
    pub(super) fn run_scheduler(&mut self) {
        if self.holds_back_scheduling(Event::RunScheduler) {
            return;
        }
        while let Some(key) = self.kube.as_mut().and_then(|kube| kube.pop()) {
            let reach = self.reach_of(key);
            let objects = self.store.objects();
            let (Some(kube), Some(pod)) = (&mut self.kube, objects.pods.get(key)) else { continue };
            let attempt = match ClaimRules::new(reach) {
                Ok(claims) => kube.attempt(key, pod, claims, &|| budgets(objects), self.now),
                Err(words) => kube.refuse(key, &words, self.now),
            };
            match attempt {
                Attempt::Bind(node) => self.place(key, node),
                Attempt::Fail { message, victims } => self.found_no_node(key, &message, victims.as_ref()),
            }
        }
        self.kube_is_told.0 = false;
        self.wake_scheduler();
    }

    /// A pod has its node, unless volumes must be made for it first: then the
    /// node's room is kept for it.
    fn place(&mut self, key: Key, node: Key) {
        if self.promise(key, node) {
            self.bind_pod(PodRef::of(key), node);
            return;
        }
        if let (Some(kube), Some(pod)) = (&mut self.kube, self.store.objects().pods.get(key)) {
            kube.assume(key, node, pod, self.now, self.store.now);
        }
        self.settle_room(PodRef::of(key));
    }

    /// The node that was chosen for a pod is gone before the pod was bound.
    pub(super) fn place_again(&mut self, key: Key) {
        if let (Some(kube), Some(_)) = (&mut self.kube, self.store.objects().pods.get(key)) {
            kube.give_up(key, self.now);
        }
        self.wake_scheduler();
    }

    /// Claims or volumes are there that were not, or only claims may be free.
    pub(super) fn kube_sees_volumes(&mut self, are_new: bool) {
        if let Some(kube) = &mut self.kube {
            kube.volumes_change(are_new, self.now);
            self.wake_scheduler();
        }
    }

    /// Says so, and makes less important pods go if that helps.
    fn found_no_node(&mut self, key: Key, message: &str, victims: Option<&(Key, Vec<Key>)>) {
        let pod = PodRef::of(key);
        let cause = self.latest(pod);
        self.recorder.last = cause;
        self.warn(key, "FailedScheduling", message);
        if self.pod(pod).is_some_and(|row| !row.unschedulable) {
            self.pod_status(pod, cause, &[What::Unschedulable], |row| row.unschedulable = true);
            self.fleet_hears(key);
        }
        let cause = self.recorder.latest_of(key.uid);
        for victim in victims.into_iter().flat_map(|(_, pods)| pods) {
            self.preempt_pod(*victim, key, cause);
        }
    }

    /// Upstream: `pkg/scheduler/framework/preemption/executor.go NewExecutor`
    fn preempt_pod(&mut self, victim: Key, by: Key, cause: crate::trace::RecordId) {
        if self.store.objects().meta(victim).is_none_or(crate::api::Meta::is_deleting) {
            return;
        }
        if let Some(kube) = &mut self.kube {
            kube.note_preempted(victim);
        }
        let reason = self.recorder.intern("PreemptionByScheduler");
        self.pod_status(PodRef::of(victim), cause, &[What::DisruptionTarget { reason }], |row| {
            row.disruption = Some("PreemptionByScheduler".into());
        });
        let name = self.recorder.trace.subject(self.recorder.subject(by.uid)).name.clone();
        self.recorder.last = self.recorder.latest_of(victim.uid);
        self.tell(victim, "Preempted", &format!("Preempted by pod {name}"));
        let cause = self.recorder.latest_of(victim.uid);
        if self.delete_pod(victim, None, cause).is_ok() {
            self.publish();
        }
    }
}
