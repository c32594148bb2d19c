//! What kubelets and the scheduler do, step by step. Times are on the
//! millisecond grid: a delay counts from the millisecond it begins in.

use super::event::{Event, PodRef};
use super::memory::Overuse;
use super::{Simulation, Urgency};
use crate::api::{Extras, Key, Kind, Meta, Phase, Pod, Resources, RestartPolicy};
use crate::cluster::{Change, Verb};
use crate::environment::{Ending, Identity, Life, Runtime, Start};
use crate::time::{SimTime, Span};
use crate::trace::{Emitted, RecordId, What};
use std::sync::Arc;

/// How long after a change of a node or the end of a pod the scheduler looks
/// again at the pods it found no node for.
const RETRY_AFTER: Span = Span::from_ms(10);

/// Which of the behaviour's delays is asked for.
pub(super) enum Ask {
    Schedule,
    Start,
    Ready,
    Terminate,
}

impl Simulation {
    /// The moment `delay` after this millisecond, but not before now.
    pub(super) fn on_grid(&self, delay: Span) -> SimTime {
        self.now.floor_ms().after(delay).max(self.now)
    }

    pub(super) fn later(&mut self, delay: Span, event: Event) {
        let at = self.on_grid(delay);
        self.queue.push(at, Urgency::First, event);
    }

    pub(super) fn runtime(&self, pod: PodRef) -> Option<&Runtime> {
        self.runtimes.get(pod.slot as usize)?.as_ref().filter(|runtime| runtime.uid.0 == pod.uid)
    }

    pub(super) fn runtime_mut(&mut self, pod: PodRef) -> Option<&mut Runtime> {
        self.runtimes.get_mut(pod.slot as usize)?.as_mut().filter(|runtime| runtime.uid.0 == pod.uid)
    }

    /// Whether a step of a pod comes later because its machine stood still.
    pub(super) fn is_put_off(&mut self, event: Event) -> bool {
        let Some((pod, epoch)) = event.step() else { return false };
        let Some(runtime) = self.runtime_mut(pod) else { return false };
        let (by, event) = match event {
            Event::Terminated(..) => (runtime.take_end_put_off(), event),
            _ => match runtime.was_put_off(epoch) {
                Some((epoch, by)) => (by, event.renumbered(epoch)),
                None => return false,
            },
        };
        if by > Span::ZERO {
            self.queue.push(self.now.after(by), Urgency::First, event);
        }
        by > Span::ZERO
    }

    /// Whether the pod is there, this step of it is still due and its machine
    /// runs.
    pub(super) fn is_due(&self, pod: PodRef, epoch: u16) -> bool {
        let alive = self.pod(pod).is_some_and(|pod| pod.node.is_none_or(|n| !self.dead.contains(&n)));
        alive && self.runtime(pod).is_some_and(|runtime| runtime.epoch == epoch)
    }

    /// What profiles look at.
    pub(super) fn identity(&self, pod: PodRef) -> Option<Identity<'_>> {
        let (runtime, row) = (self.runtime(pod)?, self.pod(pod)?);
        Some(Identity {
            pod: row,
            objects: self.store.objects(),
            workload: &runtime.workload,
            job: runtime.job,
            subject: &runtime.subject,
        })
    }

    pub(super) fn ask(&self, pod: PodRef, what: &Ask) -> Option<Span> {
        let identity = self.identity(pod)?;
        let nth = u64::from(self.runtime(pod)?.starts);
        match what {
            Ask::Schedule => self.behaviour.schedule(&identity),
            Ask::Start => self.behaviour.start(&identity, nth),
            Ask::Ready => self.behaviour.ready(&identity, nth),
            Ask::Terminate => self.behaviour.terminate(&identity),
        }
    }

    /// The start in progress.
    fn start(&self, pod: PodRef) -> Option<Start> {
        let (runtime, row) = (self.runtime(pod)?, self.pod(pod)?);
        // A pod that is started again tries again itself; one that is not is
        // another attempt of its Job.
        let attempt = match row.template.restart_policy {
            RestartPolicy::Never => runtime.attempt,
            _ => row.restarts,
        };
        Some(Start {
            nth: u64::from(row.restarts),
            attempt: attempt as usize,
            index: row.index.map(|index| index.index),
            at: runtime.started_at,
        })
    }

    /// How the start in progress will end by itself, if it will; and the
    /// memory that it will be killed for, if it will.
    fn ask_exit(&self, pod: PodRef) -> Option<(Span, i32, Option<Overuse>)> {
        let own = self.behaviour.exit(&self.identity(pod)?, &self.start(pod)?);
        match self.overuse(pod).filter(|overuse| own.is_none_or(|(after, _)| overuse.after < after)) {
            Some(overuse) => Some((overuse.after, 137, Some(overuse))),
            None => own.map(|(after, code)| (after, code, None)),
        }
    }

    /// How long the start in progress would work if nothing happened.
    pub(super) fn ask_duration(&self, pod: PodRef) -> Option<Span> {
        self.behaviour.duration(&self.identity(pod)?, &self.start(pod)?)
    }

    /// Writes a pod's status and records what that means. The first record's
    /// cause is `cause`, each other one's the one before.
    pub(super) fn pod_status(&mut self, pod: PodRef, cause: RecordId, whats: &[What], write: impl FnOnce(&mut Pod)) {
        if self.store.update_pod(pod.key(), write).is_err() {
            return;
        }
        let mut cause = cause;
        for &what in whats {
            cause = self.recorder.note(cause, pod.key().uid, what);
        }
        if whats.is_empty() {
            self.recorder.last = cause;
        }
        self.publish();
    }

    /// The newest record about a pod's life, for causes.
    pub(super) fn latest(&self, pod: PodRef) -> RecordId {
        self.recorder.latest_of(pod.key().uid)
    }

    /// A watch event about a pod, as kubelets and scheduler see it.
    pub(super) fn machines_see_pod(&mut self, change: &Change) {
        let pod = PodRef::of(change.key);
        match change.verb {
            Verb::Added => {
                self.storage_meets(change.key);
                self.meet_pod(change.key);
            }
            Verb::Modified => {
                self.settle_room(pod);
                if self.pod(pod).is_some_and(Pod::is_finished) {
                    self.storage_loses(change.key, false);
                    self.fleet_sees_end(change.key);
                }
                if change.deletion_started {
                    self.begin_termination(pod);
                }
            }
            Verb::Deleted => {
                self.settle_room(pod);
                self.storage_loses(change.key, true);
                self.fleet_sees_end(change.key);
                if let Some(runtime) = self.runtimes.get_mut(pod.slot as usize)
                    && runtime.as_ref().is_some_and(|runtime| runtime.uid.0 == pod.uid)
                {
                    *runtime = None;
                }
                self.retry_unschedulable();
                self.drains_see_removal();
            }
        }
    }

    fn meet_pod(&mut self, key: Key) {
        let objects = self.store.objects();
        let Some(row) = objects.pods.get(key) else { return };
        let workload = top_owner(objects, &row.meta);
        let name = &self.recorder.trace.subject(self.recorder.subject(key.uid)).name;
        let subject: Arc<str> = [&*row.meta.namespace, "/", name].concat().into();
        let (requests, gated) = (row.template.requests, row.is_gated());
        let slot = key.slot as usize;
        if self.runtimes.len() <= slot {
            self.runtimes.resize_with(slot + 1, || None);
        }
        let mut runtime = Runtime::new(key.uid, workload, subject);
        if let Some(job) = row.meta.controller().filter(|owner| owner.kind == Kind::Job) {
            let history = self.jobs.entry(job.uid).or_default();
            runtime.attempt = history.next_attempt(row.index.map(|index| index.index));
            runtime.job = history.number;
        }
        self.runtimes[slot] = Some(runtime);
        self.recorder.has_room(key.uid, requests, None);
        let pod = PodRef::of(key);
        if !gated {
            self.line_up(pod);
        }
    }

    /// The simple scheduler will look at a pod. kube-scheduler looks at pods
    /// as they come.
    pub(super) fn line_up(&mut self, pod: PodRef) {
        if self.kube.is_none()
            && let Some(delay) = self.ask(pod, &Ask::Schedule)
        {
            self.later(delay, Event::Schedule(pod));
        }
    }

    /// Keeps the account of what the pod takes of its node.
    pub(super) fn settle_room(&mut self, pod: PodRef) {
        let row = self.store.objects().pods.get(pod.key());
        // Room is kept for a pod whose volumes are still being made.
        let promised = || self.promised_node(pod.key());
        let wanted = row.filter(|row| !row.is_finished()).and_then(|row| row.node.or_else(promised));
        let Some(runtime) = self.runtimes.get_mut(pod.slot as usize).and_then(Option::as_mut) else { return };
        if runtime.uid.0 != pod.uid || runtime.takes_room_on == wanted {
            return;
        }
        let finished = row.is_some() && wanted.is_none();
        let requests = row.map_or(runtime.requests, |row| row.template.requests);
        runtime.requests = requests;
        let before = std::mem::replace(&mut runtime.takes_room_on, wanted);
        // kube-scheduler keeps its own account.
        if self.kube.is_none() {
            if let Some(node) = before {
                self.scheduler.vacate(node, pod.key(), &requests);
            }
            if let Some(node) = wanted {
                let none = Extras::default();
                let extras = row.map_or(&none, |row| &row.template.placement.extras);
                self.scheduler.occupy(node, pod.key(), &requests, extras);
            }
        }
        if finished {
            self.retry_unschedulable();
        }
    }

    /// The pods that take room on a node: those that its machine has in hand.
    pub(super) fn pods_in_hand(&self, node: Key) -> Vec<PodRef> {
        let pods = match &self.kube {
            Some(kube) => kube.pods_on(node),
            None => self.scheduler.pods_on(node),
        };
        let runtimes = pods.into_iter().filter_map(|slot| Some((slot, self.runtimes[slot as usize].as_ref()?)));
        runtimes.map(|(slot, runtime)| PodRef { slot, uid: runtime.uid.0 }).collect()
    }

    /// What the pods of a node ask for together, and what beside CPU and memory.
    pub(super) fn taken_of(&self, node: Key) -> (Resources, Extras) {
        match &self.kube {
            Some(kube) => (kube.room(node).map_or_else(Resources::default, |(_, used)| used), kube.extras_used(node)),
            None => (self.scheduler.used(node), self.scheduler.extras_used(node)),
        }
    }

    /// Looks again, soon, at the pods that no node was found for.
    pub(super) fn retry_unschedulable(&mut self) {
        self.kube_sees_volumes(false);
        let at = self.on_grid(RETRY_AFTER);
        if self.scheduler.has_waiting() && self.retry_at != Some(at) {
            self.retry_at = Some(at);
            self.queue.push(at, Urgency::First, Event::Reschedule);
        }
    }

    /// The scheduler considers a pod.
    pub(super) fn schedule(&mut self, pod: PodRef) {
        if self.kube.is_some() {
            self.place_again(pod.key());
            return;
        }
        let Some(row) = self.pod(pod) else { return };
        if row.node.is_some()
            || row.meta.is_deleting()
            || row.is_gated()
            || self.holds_back_scheduling(Event::Schedule(pod))
        {
            return;
        }
        if self.promised_node(pod.key()).is_some() {
            return;
        }
        let cause = self.latest(pod);
        let reach = self.reach_of(pod.key());
        let objects = self.store.objects();
        let Some(row) = objects.pods.get(pod.key()) else { return };
        let chosen = reach.ok().and_then(|reach| self.scheduler.choose(row, &reach, objects));
        let Some(node) = chosen else {
            let first = !row.unschedulable;
            let (namespace, name) = (row.meta.namespace.clone(), row.meta.name.clone());
            self.scheduler.wait(namespace, name, pod.key());
            if first {
                self.pod_status(pod, cause, &[What::Unschedulable], |row| row.unschedulable = true);
                self.fleet_hears(pod.key());
            }
            return;
        };
        if self.promise(pod.key(), node) {
            self.bind_pod(pod, node);
        } else {
            self.settle_room(pod);
        }
    }

    /// A pod gets its node.
    pub(super) fn bind_pod(&mut self, pod: PodRef, node: Key) {
        let cause = self.latest(pod);
        let on = self.recorder.subject(node.uid);
        let now = self.kubelet_now(Some(node));
        let seen = !self.dead.contains(&node);
        self.pod_status(pod, cause, &[What::Bound { node: on }], |row| {
            row.node = Some(node);
            row.ready_since = now;
            row.started = seen.then_some(now);
        });
        if self.kube.is_some() {
            let about = self.recorder.subject(pod.key().uid);
            self.emit(pod.key(), Emitted::Scheduled { pod: about, node: on });
        }
        self.fleet_sees_binding(pod.key(), node);
        self.bound(pod);
    }

    pub(super) fn reschedule(&mut self) {
        self.retry_at = self.retry_at.filter(|&at| at > self.now);
        for key in self.scheduler.take_waiting() {
            self.schedule(PodRef::of(key));
        }
    }

    /// The kubelet takes a pod in that was bound to its node.
    pub(super) fn bound(&mut self, pod: PodRef) {
        let Some(node) = self.pod(pod).and_then(|row| row.node) else { return };
        if self.has_disks(pod.key(), node) {
            self.take_in(pod);
        }
    }

    /// The kubelet begins to start a pod that has its disks.
    pub(super) fn take_in(&mut self, pod: PodRef) {
        let node = self.pod(pod).and_then(|row| row.node);
        if node.is_some_and(|node| self.dead.contains(&node)) {
            return;
        }
        if let Some(delay) = self.ask(pod, &Ask::Start) {
            let now = self.now;
            let epoch = self.runtime_mut(pod).map_or(0, |runtime| {
                runtime.taken_in = now;
                runtime.next_epoch()
            });
            self.begin_life(pod);
            let delay = Span(delay.0 + self.until_awake(node).0);
            self.later(delay, Event::Start(pod, epoch));
        }
    }

    /// The containers start for the first time.
    pub(super) fn start_containers(&mut self, pod: PodRef, epoch: u16) {
        if self.is_due(pod, epoch) && !self.pod(pod).is_some_and(Pod::is_finished) {
            if self.life(pod).is_some() {
                return self.go_on_starting(pod);
            }
            let cause = self.latest(pod);
            self.run_containers(pod, cause, &[What::Running], |row| row.phase = Phase::Running);
        }
    }

    /// The containers run: ready at once or later, and perhaps they exit.
    pub(super) fn run_containers(
        &mut self,
        pod: PodRef,
        cause: RecordId,
        whats: &[What],
        write: impl FnOnce(&mut Pod),
    ) {
        let probed = self.life(pod).is_some_and(Life::plays_probes);
        let ready = if probed { self.ready_unprobed(pod) } else { self.ask(pod, &Ask::Ready) };
        let now = self.now;
        let Some(runtime) = self.runtime_mut(pod) else { return };
        let epoch = runtime.next_epoch();
        (runtime.running, runtime.overruled) = (true, false);
        runtime.starts += 1;
        runtime.started_at = now;
        let (at_once, wall) = (ready == Some(Span::ZERO), self.wall_of(pod));
        let mut whats = whats.to_vec();
        if at_once {
            whats.push(What::Ready);
        }
        self.pod_status(pod, cause, &whats, |row| {
            write(row);
            row.started.get_or_insert(wall);
            if at_once {
                row.ready = true;
                row.ready_since = wall;
            }
        });
        if let Some(delay) = ready.filter(|_| !at_once) {
            self.later(delay, Event::Ready(pod, epoch));
        }
        match probed {
            true => self.start_app(pod),
            false => self.app_answers(pod, at_once, self.latest(pod)),
        }
        self.uses_memory(pod);
        let ends = self.ask_exit(pod).map(|(after, code, _)| (after, code));
        self.plan_effects(pod, epoch, ends);
        if let Some((delay, _)) = ends {
            self.later(delay, Event::Exit(pod, epoch));
        }
    }

    pub(super) fn become_ready(&mut self, pod: PodRef, epoch: u16) {
        if self.is_due(pod, epoch) {
            self.set_ready(pod, true, self.latest(pod));
        }
    }

    /// Sets the `Ready` condition, unless it is so already.
    pub(super) fn set_ready(&mut self, pod: PodRef, ready: bool, cause: RecordId) {
        if let Some(runtime) = self.runtime_mut(pod) {
            runtime.overruled = false;
        }
        let Some(row) = self.pod(pod) else { return };
        if row.ready == ready {
            return;
        }
        let shown = row.phase == Phase::Running;
        let what = if ready { What::Ready } else { What::Unready };
        let whats: &[What] = if ready || shown { &[what] } else { &[] };
        let now = self.wall_of(pod);
        self.pod_status(pod, cause, whats, |row| {
            row.ready = ready;
            row.ready_since = now;
        });
        let by_itself = |runtime: &Runtime| runtime.running && !runtime.life.as_deref().is_some_and(Life::plays_probes);
        if ready && self.runtime(pod).is_some_and(by_itself) {
            self.app_answers(pod, true, self.latest(pod));
        }
    }

    /// A container exits as its profile says.
    pub(super) fn container_exits(&mut self, pod: PodRef, epoch: u16) {
        if self.is_due(pod, epoch)
            && let Some((_, code, overuse)) = self.ask_exit(pod)
        {
            let cause = self.note_overuse(pod, overuse);
            self.exit(pod, code, cause);
        }
    }

    /// A container exits: the pod is over, or it starts again in place.
    pub(super) fn exit(&mut self, pod: PodRef, code: i32, cause: RecordId) {
        let (now, wall) = (self.now, self.wall_of(pod));
        let Some(row) = self.store.objects().pods.get(pod.key()) else { return };
        let (was_ready, restarts) = (row.ready, row.restarts);
        let Some(runtime) = self.runtimes.get_mut(pod.slot as usize).and_then(Option::as_mut) else { return };
        let ending = runtime.after_exit(row, code, now);
        (runtime.running, runtime.overruled) = (false, false);
        let epoch = runtime.next_epoch();
        self.app_falls_silent(pod, cause);
        self.lose_effects(pod, cause);
        match ending {
            Ending::Terminated => self.end_pod(pod, code, cause),
            Ending::Finished { succeeded } if self.outlives_app(pod, code, succeeded, cause) => {}
            Ending::Finished { succeeded } => self.finish_pod(pod, code, succeeded, cause),
            Ending::RestartAfter(wait) => {
                let whats: &[What] = if was_ready { &[What::Unready] } else { &[] };
                self.pod_status(pod, cause, whats, |row| {
                    row.ready = false;
                    row.ready_since = if was_ready { wall } else { row.ready_since };
                    row.terminated = Some((code, wall));
                });
                if wait == Span::ZERO {
                    let cause = self.recorder.last;
                    self.start_again(pod, restarts + 1, cause);
                } else {
                    self.tell_back_off(pod);
                    self.later(wait, Event::Restart(pod, epoch));
                }
            }
        }
    }

    /// A container exits because somebody makes it; one that waits for its
    /// restart, or whose machine is down, has nothing to exit.
    pub(super) fn crash(&mut self, pod: PodRef, code: i32, cause: RecordId) {
        let on_live_machine = self.pod(pod).is_some_and(|row| row.node.is_some_and(|node| !self.dead.contains(&node)));
        if on_live_machine && self.runtime(pod).is_some_and(|runtime| runtime.running) {
            self.exit(pod, code, cause);
        }
    }

    pub(super) fn restart_container(&mut self, pod: PodRef, epoch: u16) {
        if self.is_due(pod, epoch)
            && let Some(restarts) = self.pod(pod).filter(|row| !row.meta.is_deleting()).map(|row| row.restarts)
        {
            if self.has_steps_ahead(pod) {
                return self.go_on_starting(pod);
            }
            self.start_again(pod, restarts + 1, self.latest(pod));
        }
    }

    pub(super) fn start_again(&mut self, pod: PodRef, count: u32, cause: RecordId) {
        self.run_containers(pod, cause, &[What::Restarted { count }], |row| row.restarts = count);
    }

    /// The pod's containers have all ended for good.
    pub(super) fn finish_pod(&mut self, pod: PodRef, code: i32, succeeded: bool, cause: RecordId) {
        let (wall, what) = (
            self.wall_of(pod),
            if succeeded {
                What::Succeeded { exit_code: code }
            } else {
                What::Failed { exit_code: Some(code), reason: None }
            },
        );
        self.pod_status(pod, cause, &[what], |row| {
            row.phase = if succeeded { Phase::Succeeded } else { Phase::Failed };
            row.ready = false;
            row.terminated = Some((code, wall));
        });
    }

    /// Deletion of a pod has been asked for: its kubelet stops it.
    fn begin_termination(&mut self, pod: PodRef) {
        let Some(row) = self.pod(pod) else { return };
        let (Some(node), Some(deletion), false) = (row.node, row.meta.deletion, row.is_finished()) else {
            return;
        };
        if self.dead.contains(&node) {
            return;
        }
        let Some(end) = self.plan_termination(pod, deletion.grace_seconds) else { return };
        let Some(runtime) = self.runtime_mut(pod) else { return };
        runtime.end_code = Some(end.exit_code);
        let after = Span(end.after.0 + self.until_awake(Some(node)).0);
        self.later(after, Event::Terminated(pod, 0));
        self.app_hears_sigterm(pod);
    }

    /// A termination is over, unless the pod has ended by itself meanwhile.
    pub(super) fn terminate(&mut self, pod: PodRef, _epoch: u16) {
        let Some(row) = self.pod(pod) else { return };
        let alive = row.node.is_none_or(|node| !self.dead.contains(&node));
        if alive
            && !row.is_finished()
            && let Some(code) = self.runtime(pod).and_then(|runtime| runtime.end_code)
        {
            let deleting = row.meta.is_deleting();
            let cause = self.note_kill(pod, code);
            if deleting {
                self.end_pod(pod, code, cause);
            } else {
                self.end_by_kubelet(pod, code);
            }
        }
    }

    /// The last status of a pod that was being deleted, and its removal.
    pub(super) fn end_pod(&mut self, pod: PodRef, code: i32, cause: RecordId) {
        // The object may stay, held by a finalizer.
        self.stop_runtime(pod);
        let succeeded = code == 0;
        self.finish_pod(pod, code, succeeded, cause);
        let cause = self.recorder.last;
        if self.delete_pod(pod.key(), Some(0), cause).is_ok() {
            self.publish();
        }
    }

    /// Nothing of the pod runs any more, and none of its timers counts.
    pub(super) fn stop_runtime(&mut self, pod: PodRef) {
        if let Some(runtime) = self.runtime_mut(pod) {
            (runtime.running, runtime.overruled) = (false, false);
            runtime.next_epoch();
        }
        self.app_falls_silent(pod, self.latest(pod));
        self.lose_effects(pod, self.latest(pod));
    }
}

/// The name of the object at the top of the chain of controllers.
fn top_owner(objects: &crate::cluster::Objects, meta: &Meta) -> Arc<str> {
    let mut top = meta;
    while let Some(owner) = top.controller().and_then(|key| objects.meta(key)) {
        top = owner;
    }
    top.name.clone()
}
