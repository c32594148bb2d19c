//! The life of pods as their manifests describe it, where the scenario knows
//! enough to play it: images, init containers and sidecars, probes, hooks and
//! grace.

mod images;
mod probing;
mod starting;
mod stopping;

pub(super) use images::Images;

use super::event::{Event, LifeStep, PodRef};
use super::{Simulation, Urgency};
use crate::api::{ContainerLife, PodLife, ProbeKind};
use crate::environment::{Delay, Life};
use crate::time::{SimTime, Span};
use crate::trace::{Emitted, RecordId, What};
use std::sync::Arc;

impl Simulation {
    pub(super) fn life(&self, pod: PodRef) -> Option<&Life> {
        self.runtime(pod)?.life.as_deref()
    }

    pub(super) fn life_mut(&mut self, pod: PodRef) -> Option<&mut Life> {
        self.runtime_mut(pod)?.life.as_deref_mut()
    }

    /// The kubelet has taken a pod in.
    pub(super) fn begin_life(&mut self, pod: PodRef) {
        let life = self.new_life(pod).map(Box::new);
        if let Some(runtime) = self.runtime_mut(pod) {
            runtime.life = life;
        }
    }

    /// What is played of a pod's life, if anything is.
    fn new_life(&self, pod: PodRef) -> Option<Life> {
        if !self.behaviour.has_lives() && self.setup.images.is_empty() {
            return None;
        }
        let (identity, row) = (self.identity(pod)?, self.pod(pod)?);
        let spec = row.template.life.clone();
        let app = self.behaviour.app(&identity).cloned();
        let has_init = spec.as_ref().is_some_and(|spec| !spec.init.is_empty());
        let init = self.behaviour.init(&identity).filter(|_| has_init).cloned();
        let mut images = row.template.containers.iter().map(|c| c.image.as_str());
        let pulls = images.any(|image| self.setup.images.contains_key(image));
        if app.is_none() && init.is_none() && !pulls {
            return None;
        }
        let plain = || {
            let container =
                |c: &crate::api::Container| ContainerLife { name: c.name.as_str().into(), ..Default::default() };
            let containers = row.template.containers.iter().map(container).collect();
            Arc::new(PodLife { containers, ..PodLife::default() })
        };
        Some(Life::new(spec.unwrap_or_else(plain), app, init, self.now))
    }

    /// A pod's life begins again with its machine, whose kubelet spreads its
    /// first probes over their periods.
    ///
    /// Upstream: `pkg/kubelet/prober/worker.go run`
    pub(super) fn begin_life_again(&mut self, pod: PodRef) {
        let now = self.now;
        let Some(subject) = self.runtime(pod).map(|runtime| runtime.subject.clone()) else { return };
        let starts = self.runtime(pod).map_or(0, |runtime| u64::from(runtime.starts));
        let draws = crate::rng::Draws::new(self.setup.seed);
        let Some(life) = self.life_mut(pod) else { return };
        life.begin_again(now);
        for prober in life.probers.iter_mut().flatten() {
            let share = draws.uniform(prober.kind.name(), &subject, starts);
            let period = Span::from_secs(u64::from(prober.spec.period_seconds));
            prober.trigger(now.after(Span((period.0 as f64 * share) as u64).floor_ms()));
        }
    }

    /// A container without startup and readiness probe is ready as soon as it
    /// runs; others when their probes say so.
    pub(super) fn ready_unprobed(&self, pod: PodRef) -> Option<Span> {
        let life = self.life(pod)?;
        let probed = life.has_probe(ProbeKind::Startup) || life.has_probe(ProbeKind::Readiness);
        (!probed).then_some(Span::ZERO)
    }

    /// A container waits before it is started again.
    pub(super) fn tell_back_off(&mut self, pod: PodRef) {
        let Some(name) = self.life(pod).and_then(|life| Some(life.spec.app()?.name.clone())) else { return };
        self.kubelet_tells(pod, true, "BackOff", &format!("Back-off restarting failed container {name}"));
    }

    /// A step of a pod's life is due.
    pub(super) fn live(&mut self, pod: PodRef, epoch: u16, step: LifeStep) {
        if !self.is_due(pod, epoch) || self.pod(pod).is_none_or(crate::api::Pod::is_finished) {
            return;
        }
        match step {
            LifeStep::Pulled => self.pulled(pod),
            LifeStep::TryAgain => self.go_on_starting(pod),
            LifeStep::InitEnds => self.init_ends(pod),
            LifeStep::SidecarUp => self.step_done(pod),
            LifeStep::Warm => self.look_at_app(pod, self.latest(pod)),
            LifeStep::Hangs => self.hang(pod, self.latest(pod)),
            LifeStep::Probe(kind) => self.probe(pod, kind),
            LifeStep::Probed(kind, success) => self.probed_late(pod, kind, success),
            LifeStep::Told => self.told_to_stop(pod),
            LifeStep::Killed => self.killed(pod),
            LifeStep::SidecarKilled => self.sidecar_killed(pod),
            LifeStep::SidecarsDown => self.sidecars_down(pod),
        }
    }

    /// A step comes after a while.
    fn live_later(&mut self, pod: PodRef, after: Span, step: LifeStep) {
        let Some(epoch) = self.runtime(pod).map(|runtime| runtime.epoch) else { return };
        self.later(after, Event::Life(pod, epoch, step));
    }

    /// A step comes at a moment.
    fn live_at(&mut self, pod: PodRef, at: SimTime, step: LifeStep) {
        let Some(epoch) = self.runtime(pod).map(|runtime| runtime.epoch) else { return };
        self.queue.push(at.floor_ms().max(self.now), Urgency::First, Event::Life(pod, epoch, step));
    }

    /// One of a pod's delays, the `nth` for its purpose.
    fn ask_delay(&self, pod: PodRef, delay: &Delay, purpose: &str, nth: u32) -> Option<Span> {
        self.behaviour.delay(delay, purpose, &self.identity(pod)?, u64::from(nth))
    }

    /// A kubelet tells of a pod, and does what follows because of that.
    fn kubelet_tells(&mut self, pod: PodRef, warning: bool, reason: &str, message: &str) -> RecordId {
        let cause = self.latest(pod);
        let (reason, message) = (self.recorder.intern(reason), self.recorder.intern(message));
        self.kubelet_notes(pod, cause, What::Emitted(Emitted::Other { reason, message, warning }))
    }

    /// A record about a pod that no write of a controller leads to.
    fn kubelet_notes(&mut self, pod: PodRef, cause: RecordId, what: What) -> RecordId {
        let last = self.recorder.last;
        let record = self.recorder.note(cause, pod.key().uid, what);
        self.recorder.last = last;
        record
    }
}
