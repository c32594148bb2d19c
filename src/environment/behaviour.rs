//! Which profile fits which pod, and what that makes of its delays.

use super::{Delay, MemoryUse};
use crate::api::Pod;
use crate::cluster::Objects;
use crate::rng::Draws;
use crate::sim::setup::{App, Chance, Effect, EffectTime, InitRun, PodMatch, PodProfile, Run};
use crate::time::{SimTime, Span};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What profiles look at, and the name under which a pod's delays are drawn.
#[derive(Clone, Debug)]
pub struct Identity<'a> {
    /// The pod; what it refers to is only looked at if a profile asks.
    pub pod: &'a Pod,
    /// Where its node is.
    pub objects: &'a Objects,
    /// The top-level owner's name.
    pub workload: &'a str,
    /// Which Job of its CronJob it works for.
    pub job: Option<u32>,
    /// A name that does not depend on other workloads: `default/web/2#0`.
    pub subject: &'a str,
}

/// One start of a pod's containers.
#[derive(Clone, Copy, Debug)]
pub struct Start {
    /// How often they were started before.
    pub nth: u64,
    /// What exit codes and durations are counted by.
    pub attempt: usize,
    /// The pod's completion index.
    pub index: Option<u32>,
    /// When they were started.
    pub at: SimTime,
}

impl Effect {
    /// How long after the start it comes, in a run that takes `whole` if
    /// nothing happens.
    #[must_use]
    pub fn after(&self, whole: Option<Span>) -> Option<Span> {
        match self.at {
            EffectTime::After(span) => Some(span),
            EffectTime::Percent(0) => Some(Span::ZERO),
            EffectTime::Percent(percent) => {
                whole.map(|whole| Span((u128::from(whole.0) * u128::from(percent) / 100) as u64).floor_ms())
            }
        }
    }
}

/// The profiles of a setup, and the draws for their distributions.
#[derive(Clone, Debug)]
pub struct Behaviour {
    profiles: Arc<[PodProfile]>,
    draws: Draws,
}

impl Behaviour {
    /// The behaviour that these profiles describe, drawn with this seed.
    pub fn new(profiles: &[PodProfile], seed: u64) -> Behaviour {
        Behaviour { profiles: profiles.into(), draws: Draws::new(seed) }
    }

    /// The last profile that fits and says something about a field.
    fn find<T>(&self, pod: &Identity<'_>, field: impl Fn(&PodProfile) -> Option<&T>) -> Option<&T> {
        self.profiles.iter().rev().find_map(|profile| field(profile).filter(|_| fits(&profile.matches, pod)))
    }

    fn draw(&self, delay: Option<&Delay>, default: Span, purpose: &str, pod: &Identity<'_>, nth: u64) -> Option<Span> {
        match delay {
            None => Some(default),
            Some(Delay::Constant(span)) => Some(*span),
            Some(delay) => delay.draw(&self.draws, purpose, pod.subject, nth),
        }
    }

    /// Creation until the scheduler considers the pod; `None` is never.
    pub fn schedule(&self, pod: &Identity<'_>) -> Option<Span> {
        self.draw(self.find(pod, |p| p.schedule.as_ref()), Span::from_ms(10), "schedule", pod, 0)
    }

    /// Binding, or a reboot, until the containers run; `None` is never.
    pub fn start(&self, pod: &Identity<'_>, nth: u64) -> Option<Span> {
        self.draw(self.find(pod, |p| p.start.as_ref()), Span::from_ms(1_000), "start", pod, nth)
    }

    /// The `nth` start until ready; `None` is never.
    pub fn ready(&self, pod: &Identity<'_>, nth: u64) -> Option<Span> {
        self.draw(self.find(pod, |p| p.ready.as_ref()), Span::ZERO, "ready", pod, nth)
    }

    /// SIGTERM until exit; `None` is never.
    pub fn terminate(&self, pod: &Identity<'_>) -> Option<Span> {
        self.draw(self.find(pod, |p| p.terminate.as_ref()), Span::from_ms(1_000), "terminate", pod, 0)
    }

    /// How and when a start ends by itself, if it does.
    pub fn exit(&self, pod: &Identity<'_>, start: &Start) -> Option<(Span, i32)> {
        if let Some(run) = self.find(pod, |p| p.run.as_ref()) {
            let whole = self.duration_of(run, pod, start)?;
            return Some(self.hit(run, pod, start, whole).unwrap_or_else(|| (whole, self.code(run, pod, start))));
        }
        let crash = self.find(pod, |p| p.crash.as_ref())?;
        let crashes = crash.times == 0 || start.nth < u64::from(crash.times);
        let after = self.draw(Some(&crash.after), Span::ZERO, "crash", pod, start.nth)?;
        crashes.then_some((after, crash.exit))
    }

    /// How long a start works if nothing happens, if it ends at all.
    pub fn duration(&self, pod: &Identity<'_>, start: &Start) -> Option<Span> {
        self.duration_of(self.find(pod, |p| p.run.as_ref())?, pod, start)
    }

    fn duration_of(&self, run: &Run, pod: &Identity<'_>, start: &Start) -> Option<Span> {
        let of_index = start.index.and_then(|index| run.index_durations.get(&index));
        let duration = of_index.or_else(|| nth_or_last(&run.durations, start.attempt)).unwrap_or(&run.duration);
        self.draw(Some(duration), Span::ZERO, "run", pod, start.nth)
    }

    /// The exit code of a run that comes to its end.
    fn code(&self, run: &Run, pod: &Identity<'_>, start: &Start) -> i32 {
        if let Some(chance) = &run.fails
            && self.comes_true(chance, "fails", pod, start.nth)
        {
            return chance.exit;
        }
        let exits = start.index.and_then(|index| run.index_exits.get(&index)).unwrap_or(&run.exits);
        nth_or_last(exits, start.attempt).copied().unwrap_or(0)
    }

    /// When the first outage ends a run, and how.
    fn hit(&self, run: &Run, pod: &Identity<'_>, start: &Start, whole: Span) -> Option<(Span, i32)> {
        let hits = run.outages.iter().enumerate().filter_map(|(i, outage)| {
            let at = outage.hit(start.at, start.at.after(whole))?;
            let purpose = format!("outage {i}");
            self.comes_true(&outage.hits, &purpose, pod, start.nth).then_some((at.since(start.at), outage.hits.exit))
        });
        hits.min_by_key(|(after, _)| *after)
    }

    fn comes_true(&self, chance: &Chance, purpose: &str, pod: &Identity<'_>, nth: u64) -> bool {
        chance.probability >= 1.0
            || (chance.probability > 0.0 && self.draws.uniform(purpose, pod.subject, nth) < chance.probability)
    }

    /// Whether anything is known of any application.
    pub fn has_apps(&self) -> bool {
        self.profiles.iter().any(|profile| profile.app.is_some())
    }

    /// Whether anything is known of any application or init container.
    pub fn has_lives(&self) -> bool {
        self.profiles.iter().any(|profile| profile.app.is_some() || profile.init.is_some())
    }

    /// What is known of a pod's application.
    pub fn app(&self, pod: &Identity<'_>) -> Option<&Arc<App>> {
        self.find(pod, |p| p.app.as_ref())
    }

    /// What is known of a pod's init containers and sidecars.
    pub fn init(&self, pod: &Identity<'_>) -> Option<&Arc<BTreeMap<Arc<str>, InitRun>>> {
        self.find(pod, |p| p.init.as_ref())
    }

    /// One of the delays of a model, the `nth` for its purpose; `None` is
    /// never.
    pub fn delay(&self, delay: &Delay, purpose: &str, pod: &Identity<'_>, nth: u64) -> Option<Span> {
        self.draw(Some(delay), Span::ZERO, purpose, pod, nth)
    }

    /// Whether anything is said of any pod's memory.
    pub fn has_memory(&self) -> bool {
        self.profiles.iter().any(|profile| profile.memory.is_some())
    }

    /// How much memory a pod uses.
    pub fn memory(&self, pod: &Identity<'_>) -> Option<&MemoryUse> {
        self.find(pod, |p| p.memory.as_ref())
    }

    /// Whether any pod writes anything.
    pub fn has_effects(&self) -> bool {
        self.profiles.iter().any(|profile| profile.effects.is_some())
    }

    /// What each start of a pod writes.
    pub fn effects(&self, pod: &Identity<'_>) -> Option<Arc<[Effect]>> {
        self.find(pod, |p| p.effects.as_ref()).cloned()
    }
}

fn nth_or_last<T>(list: &[T], n: usize) -> Option<&T> {
    list.get(n).or_else(|| list.last())
}

fn fits(wanted: &PodMatch, of: &Identity<'_>) -> bool {
    let same = |wanted: &Option<Arc<str>>, is: &str| wanted.as_deref().is_none_or(|w| w == is);
    let is_on = |wanted: &str| {
        let node = of.pod.node.and_then(|key| of.objects.nodes.get(key));
        node.is_some_and(|node| *node.meta.name == *wanted)
    };
    same(&wanted.namespace, &of.pod.meta.namespace)
        && same(&wanted.workload, of.workload)
        && wanted.image.as_deref().is_none_or(|image| image == of.pod.template.image())
        && wanted.node.as_deref().is_none_or(is_on)
        && wanted.n.is_none_or(|n| n == of.pod.number)
        && wanted.job.is_none_or(|job| of.job == Some(job))
}
