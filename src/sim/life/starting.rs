//! What comes before a pod's containers: images, init containers, sidecars.

use super::super::event::{LifeStep, PodRef};
use super::Simulation;
use crate::api::{InitContainer, Phase, ProbeKind, PullPolicy, RestartPolicy};
use crate::environment::{Life, Prober};
use crate::time::Span;
use crate::trace::{Stage, What};
use std::sync::Arc;

/// A step on the way to a pod's containers.
enum Step {
    /// An image is needed.
    Pull(Arc<str>, PullPolicy),
    /// An init container runs, or a sidecar starts.
    Run(InitContainer),
    /// Nothing is missing any more.
    Containers,
}

impl Simulation {
    /// Goes on with what a pod needs before its containers run: one init
    /// container after the other, each with its image, then the images of the
    /// containers.
    ///
    /// Upstream: `pkg/kubelet/kuberuntime/kuberuntime_manager.go SyncPod`
    pub(in crate::sim) fn go_on_starting(&mut self, pod: PodRef) {
        while let Some(step) = self.step_ahead(pod) {
            let done = match step {
                Step::Pull(image, policy) => self.ensure_image(pod, &image, policy),
                Step::Run(container) => self.run_init(pod, &container),
                Step::Containers => return self.start_all(pod),
            };
            let Some(life) = self.life_mut(pod).filter(|_| done) else { return };
            life.step += 1;
            life.tries = 0;
        }
    }

    fn step_ahead(&self, pod: PodRef) -> Option<Step> {
        let (life, row) = (self.life(pod)?, self.pod(pod)?);
        let init = if life.plays_init() { &life.spec.init[..] } else { &[] };
        let step = life.step as usize;
        if let Some(container) = init.get(step / 2) {
            return Some(match step % 2 {
                0 => Step::Pull(container.image.clone(), container.life.pull),
                _ => Step::Run(container.clone()),
            });
        }
        let mut containers = row.template.containers.iter().zip(&life.spec.containers);
        let next = containers.nth(step - 2 * init.len());
        Some(next.map_or(Step::Containers, |(c, life)| Step::Pull(c.image.as_str().into(), life.pull)))
    }

    /// Whether a pod still has to go through steps before its containers.
    pub(in crate::sim) fn has_steps_ahead(&self, pod: PodRef) -> bool {
        self.step_ahead(pod).is_some_and(|step| !matches!(step, Step::Containers))
    }

    /// The step that took time is done.
    pub(super) fn step_done(&mut self, pod: PodRef) {
        if let Some(life) = self.life_mut(pod) {
            life.step += 1;
            life.tries = 0;
            self.go_on_starting(pod);
        }
    }

    fn start_all(&mut self, pod: PodRef) {
        let Some(again) = self.runtime(pod).map(|runtime| runtime.starts > 0) else { return };
        let cause = self.latest(pod);
        match self.pod(pod) {
            Some(row) if again => self.start_again(pod, row.restarts + 1, cause),
            _ => self.run_containers(pod, cause, &[What::Running], |row| row.phase = Phase::Running),
        }
    }

    /// Runs an init container, or starts a sidecar. Answers whether the next
    /// one may start at once.
    ///
    /// Upstream: `pkg/kubelet/kuberuntime/kuberuntime_container.go computeInitContainerActions`
    fn run_init(&mut self, pod: PodRef, container: &InitContainer) -> bool {
        let now = self.now;
        let Some(life) = self.life_mut(pod) else { return false };
        let (run, tries) = (life.init_run(&container.life.name), life.tries);
        let startup = container.life.probe(ProbeKind::Startup);
        if container.sidecar {
            life.sidecars += 1;
            if startup.is_none() {
                return true;
            }
        }
        self.enter_stage(pod, Stage::Init, &container.life.name);
        self.kubelet_tells(pod, false, "Started", &format!("Container {} started", container.life.name));
        let Some(takes) = self.ask_delay(pod, &run.takes, &purpose(container), tries) else { return false };
        match startup {
            Some(probe) if container.sidecar => {
                let origin = self.runtime(pod).map_or(now, |runtime| runtime.taken_in);
                let at = Prober::new(ProbeKind::Startup, probe, origin).first_tick(now, now.after(takes));
                self.live_at(pod, at, LifeStep::SidecarUp);
            }
            _ => self.live_later(pod, takes, LifeStep::InitEnds),
        }
        false
    }

    /// An init container has exited.
    pub(super) fn init_ends(&mut self, pod: PodRef) {
        let Some(Step::Run(container)) = self.step_ahead(pod) else { return };
        let Some(life) = self.life(pod) else { return };
        let (run, tries) = (life.init_run(&container.life.name), life.tries);
        let code = run.exits.get(tries as usize).or_else(|| run.exits.last()).copied().unwrap_or(0);
        if code == 0 {
            return self.step_done(pod);
        }
        if self.pod(pod).is_some_and(|row| row.template.restart_policy == RestartPolicy::Never) {
            return self.finish_pod(pod, code, false, self.latest(pod));
        }
        let ran = self.ask_delay(pod, &run.takes, &purpose(&container), tries).unwrap_or_default();
        let Some(life) = self.life_mut(pod) else { return };
        life.tries += 1;
        let wait = life.init_loop.next_wait(ran);
        let name = &container.life.name;
        if wait > Span::ZERO {
            self.kubelet_tells(
                pod,
                true,
                "BackOff",
                &format!("Back-off restarting failed container {name} (exit {code})"),
            );
            self.enter_stage(pod, Stage::InitBackOff, name);
        }
        self.live_later(pod, wait, LifeStep::TryAgain);
    }

    /// The application starts: when it will listen and serve, and its probes.
    pub(in crate::sim) fn start_app(&mut self, pod: PodRef) {
        let Some(app) = self.life(pod).and_then(|life| life.app.clone()) else { return };
        let Some((starts, now)) = self.runtime(pod).map(|runtime| (runtime.starts, runtime.started_at)) else { return };
        let boot = self.ask_delay(pod, &app.boot, "boot", starts);
        let warm_up = self.ask_delay(pod, &app.warm_up, "warm up", starts);
        let hangs = self.ask_delay(pod, &app.deadlock, "deadlock", starts);
        let Some(life) = self.life_mut(pod) else { return };
        begin_start(life, |life| {
            life.listens_at = boot.map(|boot| now.after(boot));
            life.warm_at = life.listens_at.zip(warm_up).map(|(at, warm_up)| at.after(warm_up));
        });
        let warm_at = life.warm_at;
        let cause = self.latest(pod);
        self.app_answers(pod, false, cause);
        match warm_at {
            Some(at) if at > now => self.live_at(pod, at, LifeStep::Warm),
            _ => self.look_at_app(pod, cause),
        }
        if let Some(after) = hangs {
            self.live_later(pod, after, LifeStep::Hangs);
        }
        self.begin_probing(pod);
    }
}

fn begin_start(life: &mut Life, times: impl FnOnce(&mut Life)) {
    life.deadlocked = false;
    life.draining = false;
    life.being_killed = None;
    for prober in life.probers.iter_mut().flatten() {
        prober.new_container();
    }
    times(life);
}

fn purpose(container: &InitContainer) -> String {
    format!("init {}", container.life.name)
}
