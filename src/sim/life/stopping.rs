//! How containers are stopped: hooks, SIGTERM, sidecars, and SIGKILL when the
//! grace is over.

use super::super::event::{LifeStep, PodRef};
use super::super::machines::Ask;
use super::Simulation;
use crate::api::{Hook, ProbeKind};
use crate::environment::{End, Stop, stop};
use crate::time::{SECOND, Span};
use crate::trace::{RecordId, What};

/// What the kubelet leaves a sidecar at least.
const LEAST_GRACE: u64 = 2;

impl Simulation {
    /// How the application of a pod is stopped from now on.
    fn stop_of(&self, pod: PodRef, grace_seconds: u64) -> Option<Stop> {
        let life = self.life(pod)?;
        let app = life.app.as_ref()?;
        let nth = self.runtime(pod)?.starts;
        let hook = match life.spec.app().and_then(|c| c.pre_stop) {
            _ if grace_seconds == 0 => Some(Span::ZERO),
            None => Some(Span::ZERO),
            Some(Hook::Sleep(seconds)) => Some(Span::from_secs(u64::from(seconds))),
            Some(Hook::Handler) => self.ask_delay(pod, &app.pre_stop, "preStop", nth),
        };
        let drain = match &app.drain {
            _ if life.deadlocked => None,
            // Nothing handles the signal yet.
            _ if life.listens_at.is_none_or(|at| at > self.now) => Some(Span::ZERO),
            Some(drain) => self.ask_delay(pod, drain, "drain", nth),
            None => self.ask(pod, &Ask::Terminate),
        };
        Some(stop(grace_seconds, hook, drain))
    }

    /// A probe has failed for good: the container is killed, and started again
    /// if the pod's restart policy says so.
    ///
    /// Upstream: `pkg/kubelet/kuberuntime/kuberuntime_manager.go computePodActions`
    pub(super) fn kill_for_probe(&mut self, pod: PodRef, kind: ProbeKind) {
        let Some(own) = self.pod(pod).map(|row| row.template.grace_seconds) else { return };
        let Some(life) = self.life(pod) else { return };
        let name = life.spec.app().map(|c| c.name.clone()).unwrap_or_default();
        let grace = life.probers[kind as usize].and_then(|prober| prober.spec.grace_seconds).unwrap_or(own);
        let Some(stop) = self.stop_of(pod, u64::from(grace)) else { return };
        let text = format!("Container {name} failed {} probe, will be restarted", kind.name().to_lowercase());
        self.kubelet_tells(pod, false, "Killing", &text);
        if let Some(life) = self.life_mut(pod) {
            life.being_killed = Some(stop.exit_code);
        }
        self.live_later(pod, stop.told_after, LifeStep::Told);
        self.live_later(pod, stop.after, LifeStep::Killed);
    }

    /// SIGTERM: the application takes no more requests.
    pub(super) fn told_to_stop(&mut self, pod: PodRef) {
        if let Some(life) = self.life_mut(pod) {
            life.draining = true;
        }
        self.look_at_app(pod, self.latest(pod));
    }

    /// The end of a container that a probe has killed.
    pub(super) fn killed(&mut self, pod: PodRef) {
        let deleting = self.pod(pod).is_some_and(|row| row.meta.is_deleting());
        let Some(life) = self.life_mut(pod).filter(|_| !deleting) else { return };
        let Some(code) = life.being_killed.take() else { return };
        life.killed = true;
        let cause = self.note_kill(pod, code);
        self.exit(pod, code, cause);
    }

    /// Records that a container was ended by force, if it was.
    pub(in crate::sim) fn note_kill(&mut self, pod: PodRef, code: i32) -> RecordId {
        let cause = self.latest(pod);
        let running = self.runtime(pod).is_some_and(|runtime| runtime.running);
        match self.life(pod).is_some_and(|life| life.app.is_some()) && running && code == 137 {
            true => self.kubelet_notes(pod, cause, What::Killed),
            false => cause,
        }
    }

    /// How the termination of a pod goes: its containers, then its sidecars
    /// from the last to the first, all within one grace period.
    ///
    /// Upstream: `pkg/kubelet/kuberuntime/kuberuntime_termination_order.go newTerminationOrdering`
    pub(in crate::sim) fn plan_termination(&mut self, pod: PodRef, grace_seconds: u32) -> Option<End> {
        let takes = self.ask(pod, &Ask::Terminate);
        let last_exit = self.pod(pod)?.terminated.map(|(code, _)| code);
        let runtime = self.runtime(pod)?;
        let mut end = runtime.termination(takes, grace_seconds, last_exit);
        if runtime.life.is_none() {
            return Some(end);
        }
        if runtime.running
            && let Some(stop) = self.stop_of(pod, u64::from(grace_seconds))
        {
            let name = self.life(pod).and_then(|life| Some(life.spec.app()?.name.clone())).unwrap_or_default();
            self.kubelet_tells(pod, false, "Killing", &format!("Stopping container {name}"));
            self.live_later(pod, stop.told_after, LifeStep::Told);
            end = End { after: stop.after, exit_code: stop.exit_code };
        }
        end.after = self.sidecars_stopped(pod, grace_seconds, end.after);
        Some(end)
    }

    /// When a pod's sidecars have stopped, if its containers have after `used`
    /// of the grace period. Their hooks run from the beginning, beside those
    /// of the containers.
    ///
    /// Upstream: `pkg/kubelet/kuberuntime/kuberuntime_container.go killContainer`
    fn sidecars_stopped(&mut self, pod: PodRef, grace_seconds: u32, mut used: Span) -> Span {
        let Some(life) = self.life(pod) else { return used };
        let grace = Span::from_secs(u64::from(grace_seconds));
        let told = life.app.is_some();
        let running = life.spec.init.iter().filter(|c| c.sidecar).take(life.sidecars as usize);
        let running: Vec<_> = running.map(|c| (c.life.name.clone(), c.life.pre_stop)).collect();
        for (name, hook) in running.into_iter().rev() {
            let Some(life) = self.life(pod) else { return used };
            let run = life.init_run(&name);
            let hook = match hook {
                _ if grace_seconds == 0 => Some(Span::ZERO),
                None => Some(Span::ZERO),
                Some(Hook::Sleep(seconds)) => Some(Span::from_secs(u64::from(seconds))),
                Some(Hook::Handler) => self.ask_delay(pod, &run.pre_stop, &format!("preStop {name}"), 0),
            };
            used = used.max(hook.unwrap_or(grace).min(grace));
            let left = u64::from(grace_seconds).saturating_sub(used.0 / SECOND).max(LEAST_GRACE);
            let left = Span::from_secs(left);
            let takes = self.ask_delay(pod, &run.stop, &format!("stop {name}"), 0).filter(|takes| *takes < left);
            used = Span(used.0 + takes.unwrap_or(left).0);
            if takes.is_none() && told {
                self.live_later(pod, used, LifeStep::SidecarKilled);
            }
        }
        used
    }

    /// A sidecar was ended by force.
    pub(super) fn sidecar_killed(&mut self, pod: PodRef) {
        self.kubelet_notes(pod, self.latest(pod), What::Killed);
    }

    /// A pod's application has exited for good. Answers whether the pod is not
    /// over with it: its sidecars have to be stopped first, and other
    /// containers run on.
    pub(in crate::sim) fn outlives_app(&mut self, pod: PodRef, code: i32, succeeded: bool, cause: RecordId) -> bool {
        let Some(life) = self.life_mut(pod).filter(|life| life.plays_init()) else { return false };
        let others = life.app.is_some() && life.companions() > 0;
        if !others && life.sidecars == 0 {
            return false;
        }
        life.finishing = (!others).then_some((code, succeeded));
        self.set_ready(pod, false, cause);
        let grace = self.pod(pod).map_or(0, |row| row.template.grace_seconds);
        if !others {
            self.kubelet_tells(pod, false, "Killing", "Stopping the sidecars");
            let after = self.sidecars_stopped(pod, grace, Span::ZERO);
            self.live_later(pod, after, LifeStep::SidecarsDown);
        }
        true
    }

    /// The last sidecar of a pod has stopped.
    pub(super) fn sidecars_down(&mut self, pod: PodRef) {
        if let Some((code, succeeded)) = self.life_mut(pod).and_then(|life| life.finishing.take()) {
            self.finish_pod(pod, code, succeeded, self.latest(pod));
        }
    }
}
