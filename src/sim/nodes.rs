//! Machines as a whole: they join, fail, come back, and say how they are.

use super::Simulation;
use super::actions::{Outcome, Refusal};
use super::event::{Event, PodRef};
use super::machines::Ask;
use crate::api::{
    ConditionStatus, Effect, Key, Lease, Meta, NOT_READY, Node, NodeSpec, Phase, Pod, Pressure, Pressures,
    RestartPolicy, Taint,
};
use crate::cluster::ApiError;
use crate::sim::setup::Action;
use crate::time::{Instant, SECOND, Span};
use crate::trace::{RecordId, What};
use std::sync::Arc;

/// Time between a kubelet's renewals of its Lease.
///
/// Upstream: `pkg/kubelet/kubelet.go` (a quarter of the Lease's 40 s)
const RENEWAL_PERIOD: Span = Span::from_secs(10);

/// How long before the run the machines of the beginning joined.
const JOINED_BEFORE: Span = Span::from_secs(10);

impl Simulation {
    /// Somebody adds a machine, of a name that no other has.
    pub(super) fn add_node(&mut self, spec: &NodeSpec, cause: RecordId) -> Outcome {
        if self.node(&spec.name).is_ok() {
            return Err(Refusal::of("AlreadyExists", format!("nodes {:?} already exists", spec.name)));
        }
        // It is another machine than one of this name before.
        self.told.remove(&spec.name);
        self.join_node(spec, cause);
        Ok(())
    }

    /// A machine joins the cluster; one of the beginning if nothing led to it.
    pub(super) fn join_node(&mut self, spec: &NodeSpec, cause: RecordId) {
        let at_the_beginning = cause == RecordId::NONE;
        let watched = self.setup.control_plane.node_lifecycle.is_some();
        let node = self.node_of(spec, at_the_beginning);
        let Ok(key) = self.store.create(node) else { return };
        self.register(key, None, 0);
        let zone = (!spec.zone.is_empty()).then(|| spec.zone.clone());
        self.recorder.has_room(key.uid, spec.allocatable, zone);
        self.set_up_clock(key, &spec.name, cause);
        if at_the_beginning {
            self.images.joins(key, &self.setup.images);
            self.show_images(key);
        }
        // The nodes of the beginning are what the run takes for granted.
        if !at_the_beginning {
            self.created::<Node>(key, cause);
        }
        self.publish();
        if watched {
            let ago = if at_the_beginning { JOINED_BEFORE } else { Span::ZERO };
            let lease = Lease {
                meta: Meta::named(Lease::NAMESPACE, &spec.name),
                node: key,
                since: Instant(self.true_time().0 - ago.0 as i64),
                every: RENEWAL_PERIOD,
                silent: None,
            };
            // A Lease that is left over from a node of this name goes on.
            if let Err(ApiError::AlreadyExists) = self.store.create(lease.clone()) {
                self.write_lease(&spec.name, |old| *old = Lease { meta: old.meta.clone(), ..lease });
            }
            self.publish();
        }
        self.take_over_pods(key, &spec.name, cause);
    }

    /// A machine's Node when it joins, or a while later.
    pub(super) fn node_of(&self, spec: &NodeSpec, known_to_be_ready: bool) -> Node {
        let mut taints = spec.taints.clone();
        if self.setup.control_plane.node_lifecycle.is_some() && !known_to_be_ready {
            // By admission, until the node lifecycle controller has looked.
            taints.push(Taint::new(NOT_READY, Effect::NoSchedule));
        }
        taints.sort();
        Node {
            meta: Meta { labels: Arc::new(spec.all_labels()), ..Meta::named("", &spec.name) },
            unschedulable: false,
            taints,
            allocatable: spec.allocatable,
            extras: spec.extras.clone(),
            zone: spec.zone.clone(),
            ready: ConditionStatus::True,
            heartbeat: self.store.now,
            pressures: Pressures::default(),
        }
    }

    /// A Node is deleted, and its machine with it.
    pub(super) fn remove_node(&mut self, node: Key, cause: RecordId) -> Outcome {
        self.fail_node(node, cause);
        if let Some(name) = self.node_name(node).filter(|_| self.store.objects().has_pods_on(node)) {
            self.departed.insert(name, node);
        }
        self.delete(node, crate::api::Propagation::Background, cause)?;
        Ok(())
    }

    /// Pods are bound to a name: a machine that comes under the name of one
    /// that was deleted has its pods, and starts them anew.
    fn take_over_pods(&mut self, node: Key, name: &Arc<str>, cause: RecordId) {
        let Some(departed) = self.departed.remove(name) else { return };
        let pods = self.store.objects().pods_on(departed);
        let pods: Vec<(Key, bool)> = pods.into_iter().map(|(key, pod)| (key, pod.is_finished())).collect();
        for (key, finished) in pods {
            let pod = PodRef::of(key);
            self.pod_status(pod, cause, &[], |row| row.node = Some(node));
            if !finished {
                self.recover_pod(pod, cause);
            }
        }
    }

    /// The time by which Leases are kept: everybody's, whatever clocks show.
    pub(super) fn true_time(&self) -> Instant {
        self.hosts.truth.wall(self.now)
    }

    fn write_lease(&mut self, node: &str, write: impl FnOnce(&mut Lease)) {
        let leases = &self.store.objects().leases;
        if let Some(key) = leases.find(&Lease::NAMESPACE.into(), &node.into()) {
            let written = self.store.update(key, None, write);
            debug_assert!(written.is_ok());
        }
    }

    fn node_name(&self, node: Key) -> Option<Arc<str>> {
        self.store.objects().nodes.get(node).map(|node| node.meta.name.clone())
    }

    /// A machine dies: nothing on it changes any more.
    pub(super) fn fail_node(&mut self, node: Key, cause: RecordId) {
        if !self.dead.insert(node) {
            return;
        }
        self.recorder.last = cause;
        self.fall_silent(node);
        self.apps_fall_silent_on(node, cause);
        self.lose_effects_on(node, cause);
        self.traffic_looks_at_machine(node);
    }

    /// A kubelet stops renewing its Lease.
    pub(super) fn fall_silent(&mut self, node: Key) {
        let now = self.true_time();
        if let Some(name) = self.node_name(node) {
            self.write_lease(&name, |lease| lease.silent = lease.silent.or(Some(now)));
            self.publish();
        }
    }

    /// A kubelet renews its Lease, from now on, unless its machine is down.
    pub(super) fn speak_again(&mut self, node: Key) {
        let now = self.true_time();
        if let Some(name) = self.node_name(node).filter(|_| self.is_heard(node)) {
            self.write_lease(&name, |lease| (lease.since, lease.silent) = (now, None));
            self.publish();
        }
    }

    /// A machine comes back, rebooted: what ran on it has ended.
    pub(super) fn recover_node(&mut self, node: Key, cause: RecordId) {
        if !self.dead.remove(&node) {
            return;
        }
        self.hosts.unwell.remove(&node);
        self.post_status(node, cause, |node| {
            node.ready = ConditionStatus::True;
            node.pressures = Pressures::default();
        });
        self.speak_again(node);
        let pods = self.store.objects().pods_on(node);
        let alive: Vec<Key> = pods.into_iter().filter(|(_, pod)| !pod.is_finished()).map(|(key, _)| key).collect();
        for key in alive {
            self.recover_pod(PodRef::of(key), cause);
        }
        self.look_at_stuck(node);
        self.traffic_looks_at_machine(node);
    }

    /// A kubelet says whether its node is ready.
    pub(super) fn report_ready(&mut self, node: Key, ready: bool, cause: RecordId) {
        let status = if ready { ConditionStatus::True } else { ConditionStatus::False };
        if ready {
            self.hosts.unwell.remove(&node);
        } else {
            self.hosts.unwell.insert(node);
        }
        self.post_status(node, cause, |node| node.ready = status);
    }

    /// A kubelet says that its node is under pressure, or no longer.
    pub(super) fn report_pressure(&mut self, node: Key, pressure: Pressure, on: bool, cause: RecordId) {
        let status = if on { ConditionStatus::True } else { ConditionStatus::False };
        self.post_status(node, cause, |node| node.pressures.set(pressure, status));
    }

    /// The cloud takes a machine back, and its pool replaces it: what the
    /// machine is told now. What follows from that is planned.
    pub(super) fn take_back(&mut self, node: &Arc<str>) -> Result<Action, Refusal> {
        self.node(node)?;
        let setup = self.setup.clone();
        let Some((pool, reclaim)) = setup.pools.iter().find_map(|pool| pool.takes_back(node)) else {
            return Err(Refusal::invalid(format!("{node} is not of a pool that can be taken back")));
        };
        if self.told.contains(node) {
            return Err(Refusal::invalid(format!("{node} is being taken back already")));
        }
        let now = self.now;
        let mut all = reclaim.notice.actions(node, now).into_iter();
        let notice = all.next().map_or_else(|| Action::NodeFail(node.clone()), |timed| timed.action);
        for timed in all {
            self.plan(timed.at, timed.action);
        }
        if let Some((machine, joins)) = pool.successor(node, now, setup.seed) {
            if let Some(again) = pool.taken_back_at(&machine.name, joins, setup.seed, setup.until) {
                self.plan(again, Action::SpotReclaim(machine.name.clone()));
            }
            self.plan(joins, Action::NodeAdd(machine));
        }
        Ok(notice)
    }

    /// Whether a machine is of a pool that the cloud may take back, and does
    /// not know yet that it will.
    pub(super) fn may_be_taken_back(&self, node: &Arc<str>) -> bool {
        !self.told.contains(node) && self.setup.pools.iter().any(|pool| pool.takes_back(node).is_some())
    }

    /// The cloud says that it will take a machine back.
    pub(super) fn warn_of_reclaim(&mut self, node: &Arc<str>, ahead: Span, handled: bool, cause: RecordId) -> Outcome {
        self.node(node)?;
        self.told.insert(node.clone());
        if !handled {
            return Ok(());
        }
        // As termination handlers do: everything but daemons goes, and there
        // is no use in trying longer than the machine lasts.
        let options = crate::sim::setup::DrainOptions {
            ignore_daemon_sets: true,
            force: true,
            delete_empty_dir_data: true,
            grace_seconds: None,
            timeout: Some(ahead),
        };
        self.drain(node, &options, cause)
    }

    /// A machine shuts down, and its kubelet ends its pods first.
    ///
    /// Upstream: `pkg/kubelet/nodeshutdown/nodeshutdown_manager.go killPods`
    pub(super) fn shut_down(&mut self, node: Key, grace: Span, cause: RecordId) {
        if self.dead.contains(&node) {
            return;
        }
        self.report_ready(node, false, cause);
        let objects = self.store.objects();
        let ends = |pod: &Pod| !pod.is_finished() && !pod.meta.is_deleting();
        let pods = objects.pods_on(node).into_iter().filter(|(_, pod)| ends(pod));
        let pods: Vec<(PodRef, u32)> = pods.map(|(key, pod)| (PodRef::of(key), pod.template.grace_seconds)).collect();
        for (pod, own) in pods {
            let seconds = u64::from(own).min(grace.0 / SECOND);
            let Some(end) = self.plan_termination(pod, seconds as u32) else { continue };
            let Some(runtime) = self.runtime_mut(pod) else { continue };
            runtime.end_code = Some(end.exit_code);
            self.later(end.after, Event::Terminated(pod, 0));
            self.app_hears_sigterm(pod);
        }
    }

    /// A pod has ended because its kubelet wanted it: its machine shuts down,
    /// or is short of memory.
    pub(super) fn end_by_kubelet(&mut self, pod: PodRef, code: i32) {
        const REASON: &str = "TerminationByKubelet";
        let (cause, wall) = (self.latest(pod), self.store.now);
        let evicted = self.runtime(pod).is_some_and(|runtime| runtime.evicted);
        self.stop_runtime(pod);
        let reason = Some(self.recorder.intern(if evicted { "Evicted" } else { "Terminated" }));
        let disrupted = What::DisruptionTarget { reason: self.recorder.intern(REASON) };
        self.pod_status(pod, cause, &[disrupted, What::Failed { exit_code: Some(code), reason }], |row| {
            row.phase = Phase::Failed;
            row.ready = false;
            row.terminated = Some((code, wall));
            row.evicted |= evicted;
            row.disruption = Some(REASON.into());
        });
    }

    pub(super) fn post_status(&mut self, node: Key, cause: RecordId, write: impl FnOnce(&mut Node)) {
        let now = self.kubelet_now(Some(node));
        let written = self.recorded(node, cause, |store| {
            store.update(node, None, |row: &mut Node| {
                write(row);
                row.heartbeat = now;
            })
        });
        if written.is_ok() {
            self.publish();
        }
    }

    fn recover_pod(&mut self, pod: PodRef, cause: RecordId) {
        let Some(row) = self.pod(pod) else { return };
        let (restarts, was_ready) = (row.restarts, row.ready);
        let deleting = row.meta.is_deleting();
        let never = row.template.restart_policy == RestartPolicy::Never;
        let started = self.runtime(pod).is_some_and(|runtime| runtime.starts > 0);
        if let Some(runtime) = self.runtime_mut(pod) {
            (runtime.running, runtime.overruled) = (false, false);
            runtime.crash_loop = crate::environment::CrashLoop::default();
            runtime.next_epoch();
        }
        if deleting {
            self.end_pod(pod, 137, cause);
        } else if !started {
            self.bound(pod);
        } else if never {
            self.finish_pod(pod, 137, false, cause);
        } else {
            let wall = self.wall_of(pod);
            let whats: &[What] = if was_ready { &[What::Unready] } else { &[] };
            self.pod_status(pod, cause, whats, |row| {
                row.ready = false;
                row.terminated = Some((137, wall));
            });
            self.begin_life_again(pod);
            if let (Some(delay), Some(runtime)) = (self.ask(pod, &Ask::Start), self.runtime_mut(pod)) {
                let epoch = runtime.next_epoch();
                self.later(delay, Event::Restart(pod, epoch));
            }
            debug_assert!(self.pod(pod).is_some_and(|row| row.restarts == restarts));
        }
    }
}
