//! Probes, and what follows from them.

use super::super::event::{LifeStep, PodRef};
use super::Simulation;
use crate::api::ProbeKind;
use crate::sim::setup::Check;
use crate::time::{SimTime, Span};

/// Why a probe fails, and how long it takes to know.
struct Failure {
    why: String,
    takes: Span,
}

impl Simulation {
    /// A container has started: its startup probe comes first, if it has one.
    pub(super) fn begin_probing(&mut self, pod: PodRef) {
        let Some(life) = self.life_mut(pod) else { return };
        life.started = !life.has_probe(ProbeKind::Startup);
        if life.started {
            self.past_startup(pod);
        } else {
            self.plan_probe(pod, ProbeKind::Startup);
        }
    }

    /// The first try of a probe in the present start.
    fn plan_probe(&mut self, pod: PodRef, kind: ProbeKind) {
        let Some(started) = self.runtime(pod).map(|runtime| runtime.started_at) else { return };
        // What the kubelet has just seen, the other workers see a moment later.
        let from = if kind == ProbeKind::Readiness { self.now.floor_ms() } else { SimTime(self.now.0 + 1) };
        if let Some(at) = self.life_mut(pod).and_then(|life| Some(life.prober(kind)?.first_tick(started, from))) {
            self.live_at(pod, at, LifeStep::Probe(kind));
        }
    }

    /// The container counts as started. Its readiness is looked at right away.
    ///
    /// Upstream: `pkg/kubelet/prober/prober_manager.go UpdatePodStatus`
    fn past_startup(&mut self, pod: PodRef) {
        let now = self.now;
        let Some(life) = self.life_mut(pod) else { return };
        life.started = true;
        if let Some(readiness) = life.prober(ProbeKind::Readiness) {
            readiness.trigger(now);
            self.plan_probe(pod, ProbeKind::Readiness);
        } else {
            self.set_ready(pod, true, self.latest(pod));
        }
        self.plan_probe(pod, ProbeKind::Liveness);
    }

    /// A probe is tried.
    ///
    /// Upstream: `pkg/kubelet/prober/worker.go doProbe`
    pub(super) fn probe(&mut self, pod: PodRef, kind: ProbeKind) {
        let now = self.now;
        let deleting = self.pod(pod).is_some_and(|row| row.meta.is_deleting());
        let Some(life) = self.life_mut(pod) else { return };
        // Startup is probed until the container counts as started, the others
        // from then on; of a pod that is going only its readiness.
        let rests = (kind == ProbeKind::Startup) == life.started || deleting && kind != ProbeKind::Readiness;
        let Some(prober) = life.prober(kind).filter(|prober| !rests && !prober.on_hold) else { return };
        prober.tries += 1;
        prober.began = now;
        match self.outcome(pod, kind) {
            Ok(Span::ZERO) => self.probed(pod, kind, None),
            Ok(takes) => self.live_later(pod, takes, LifeStep::Probed(kind, true)),
            Err(Failure { why, takes: Span::ZERO }) => self.probed(pod, kind, Some(&why)),
            Err(Failure { takes, .. }) => self.live_later(pod, takes, LifeStep::Probed(kind, false)),
        }
    }

    /// What the application answers to a probe, and after how long.
    fn outcome(&self, pod: PodRef, kind: ProbeKind) -> Result<Span, Failure> {
        let at_once = |why: String| Err(Failure { why, takes: Span::ZERO });
        let Some((life, app)) = self.life(pod).and_then(|life| Some((life, life.app.as_ref()?))) else {
            return Ok(Span::ZERO);
        };
        let Some(prober) = life.probers[kind as usize] else { return Ok(Span::ZERO) };
        if !life.listens(self.now) {
            return at_once("connection refused".to_string());
        }
        let timeout = Span::from_secs(u64::from(prober.spec.timeout_seconds));
        let late = || Err(Failure { why: String::new(), takes: timeout });
        if life.deadlocked {
            return late();
        }
        for check in &*app.checks[kind as usize] {
            match check {
                Check::WarmUp if life.warm_at.is_none_or(|at| at > self.now) => {
                    return at_once("statuscode 503, it is still warming up".to_string());
                }
                Check::Dependency(name) if self.down.contains(name) => {
                    return at_once(format!("statuscode 503, it cannot reach {name}"));
                }
                _ => {}
            }
        }
        let purpose = format!("answers {}", kind.name());
        match self.ask_delay(pod, &app.answers, &purpose, prober.tries as u32) {
            Some(takes) if takes <= timeout => Ok(takes),
            _ => late(),
        }
    }

    /// The result of a probe that took time.
    pub(super) fn probed_late(&mut self, pod: PodRef, kind: ProbeKind, success: bool) {
        let timeout = self.life(pod).and_then(|life| life.probers[kind as usize]).map(|p| p.spec.timeout_seconds);
        let why = format!("no answer within {}s", timeout.unwrap_or(1));
        self.probed(pod, kind, (!success).then_some(why.as_str()));
    }

    /// A probe has a result: how it failed, or nothing.
    fn probed(&mut self, pod: PodRef, kind: ProbeKind, failure: Option<&str>) {
        let now = self.now;
        let Some(prober) = self.life_mut(pod).and_then(|life| life.prober(kind)) else { return };
        let settled = prober.settle(failure.is_none());
        let (most, next) = (prober.spec.failure_threshold, prober.next_tick(prober.began, now));
        let (failures, on_hold) = (prober.failures(), prober.on_hold);
        // Of a probe that has failed for good the run was reset.
        let failures = if on_hold && failure.is_some() { most } else { failures };
        if let Some(why) = failure
            && failures <= most
        {
            let text = format!("{} probe failed: {why} ({failures} of {most})", kind.name());
            self.kubelet_tells(pod, true, "Unhealthy", &text);
        }
        if !on_hold {
            self.live_at(pod, next, LifeStep::Probe(kind));
        }
        match (kind, settled) {
            (ProbeKind::Readiness, Some(ready)) => self.set_ready(pod, ready, self.latest(pod)),
            (ProbeKind::Startup, Some(true)) => self.past_startup(pod),
            (ProbeKind::Startup | ProbeKind::Liveness, Some(false)) => self.kill_for_probe(pod, kind),
            _ => {}
        }
    }
}
