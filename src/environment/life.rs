//! The life of one pod as its manifest describes it: how far it has come, its
//! application, its probes, and how long it takes to stop.

use super::{CrashLoop, Prober};
use crate::api::{PodLife, ProbeKind};
use crate::sim::setup::{App, InitRun};
use crate::time::{SECOND, SimTime, Span};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What the kubelet leaves a container at least once its hook has run.
///
/// Upstream: `pkg/kubelet/kuberuntime/kuberuntime_manager.go minimumGracePeriodInSeconds`
const LEAST_GRACE: u64 = 2;

/// What is known of a pod whose life is played.
#[derive(Clone, Debug)]
#[allow(clippy::struct_excessive_bools, reason = "independent facts")]
pub struct Life {
    /// What its template says.
    pub spec: Arc<PodLife>,
    /// What its application does; absent if only images or init containers
    /// are played.
    pub app: Option<Arc<App>>,
    /// What its init containers do; absent if they are not played.
    pub init: Option<Arc<BTreeMap<Arc<str>, InitRun>>>,
    /// How many steps on the way to its containers are done: two for each init
    /// container, to pull it and to run it, then one for each container.
    pub step: u32,
    /// How often the step was tried.
    pub tries: u32,
    /// The waits of an init container that fails.
    pub init_loop: CrashLoop,
    /// How many of the sidecars run: always the first ones.
    pub sidecars: u32,
    /// Its probes, in the order of [`ProbeKind::ALL`].
    pub probers: [Option<Prober>; 3],
    /// Whether the present start has passed its startup probe.
    pub started: bool,
    /// When the present start listens; `None` is never.
    pub listens_at: Option<SimTime>,
    /// When it serves.
    pub warm_at: Option<SimTime>,
    /// It hangs.
    pub deadlocked: bool,
    /// It has been told to stop.
    pub draining: bool,
    /// A probe has failed: it is being killed, and with this exit code.
    pub being_killed: Option<i32>,
    /// Its exit was the end of a kill.
    pub killed: bool,
    /// Its last container has exited and its sidecars have not: how.
    pub finishing: Option<(i32, bool)>,
}

impl Life {
    /// A pod that has just been taken in.
    pub fn new(
        spec: Arc<PodLife>,
        app: Option<Arc<App>>,
        init: Option<Arc<BTreeMap<Arc<str>, InitRun>>>,
        now: SimTime,
    ) -> Life {
        let probers = ProbeKind::ALL.map(|kind| {
            let probe = spec.app().filter(|_| app.is_some()).and_then(|c| c.probe(kind));
            probe.map(|probe| Prober::new(kind, probe, now))
        });
        Life {
            spec,
            app,
            init,
            step: 0,
            tries: 0,
            init_loop: CrashLoop::default(),
            sidecars: 0,
            probers,
            started: false,
            listens_at: None,
            warm_at: None,
            deadlocked: false,
            draining: false,
            being_killed: None,
            killed: false,
            finishing: None,
        }
    }

    /// Everything begins again, as after a reboot.
    pub fn begin_again(&mut self, now: SimTime) {
        *self = Life::new(self.spec.clone(), self.app.clone(), self.init.clone(), now);
    }

    /// Whether its init containers and sidecars are played.
    pub const fn plays_init(&self) -> bool {
        self.app.is_some() || self.init.is_some()
    }

    /// Whether readiness is the scenario's `ready` and not a probe's.
    pub const fn plays_probes(&self) -> bool {
        self.app.is_some()
    }

    /// The prober of a kind, if the template has such a probe.
    pub const fn prober(&mut self, kind: ProbeKind) -> Option<&mut Prober> {
        self.probers[kind as usize].as_mut()
    }

    /// Whether there is such a probe.
    pub const fn has_probe(&self, kind: ProbeKind) -> bool {
        self.probers[kind as usize].is_some()
    }

    /// How an init container or a sidecar of this name behaves.
    pub fn init_run(&self, name: &str) -> InitRun {
        self.init.as_ref().and_then(|all| all.get(name)).cloned().unwrap_or_default()
    }

    /// Whether its application listens and does not hang.
    pub fn listens(&self, now: SimTime) -> bool {
        !self.draining && self.listens_at.is_some_and(|at| at <= now)
    }

    /// Whether it serves requests, as far as it is up to itself.
    pub fn serves(&self, now: SimTime) -> bool {
        self.listens(now) && !self.deadlocked && self.warm_at.is_some_and(|at| at <= now)
    }

    /// How many containers run beside the application and never exit by
    /// themselves.
    pub fn companions(&self) -> usize {
        self.spec.containers.len().saturating_sub(1)
    }
}

/// How a container is stopped.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stop {
    /// When it is told to: its hook has run.
    pub told_after: Span,
    /// When it has exited.
    pub after: Span,
    /// Its exit code; 137 if it was not done when its grace was over.
    pub exit_code: i32,
}

/// How a container is stopped within a grace period, if its hook takes `hook`
/// and it takes `drain` itself, once it has been told; `None` is never.
///
/// Upstream: `pkg/kubelet/kuberuntime/kuberuntime_container.go killContainer`
pub fn stop(grace_seconds: u64, hook: Option<Span>, drain: Option<Span>) -> Stop {
    let grace = Span::from_secs(grace_seconds);
    // A hook is cut off when the grace is over.
    let hook = hook.unwrap_or(grace).min(grace);
    let left = Span::from_secs(grace_seconds.saturating_sub(hook.0 / SECOND).max(LEAST_GRACE));
    let (takes, exit_code) = match drain {
        Some(drain) if drain < left => (drain, 143),
        _ => (left, 137),
    };
    Stop { told_after: hook, after: Span(hook.0 + takes.0), exit_code }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hook_eats_of_the_grace() {
        let s = Span::from_secs;
        for (grace, hook, drain, told, after, code) in [
            (30, Some(s(0)), Some(s(10)), 0, 10, 143),
            (30, Some(s(25)), Some(s(10)), 25, 30, 137),
            (30, Some(s(15)), Some(s(10)), 15, 25, 143),
            (30, Some(s(29)), Some(s(10)), 29, 31, 137),
            (30, Some(s(60)), Some(s(1)), 30, 31, 143),
            (30, None, Some(s(10)), 30, 32, 137),
            (30, Some(s(0)), None, 0, 30, 137),
            (30, Some(Span::from_ms(24_900)), Some(s(5)), 24, 29, 143),
        ] {
            let stop = stop(grace, hook, drain);
            let found = (stop.told_after.as_ms() / 1000, stop.after.as_ms() / 1000, stop.exit_code);
            assert_eq!(found, (told, after, code), "{grace} {hook:?} {drain:?}");
        }
    }
}
