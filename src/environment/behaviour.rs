//! Which profile fits which pod, and what that makes of its delays.

use super::Delay;
use crate::rng::Draws;
use crate::sim::setup::{PodMatch, PodProfile};
use crate::time::Span;
use std::sync::Arc;

/// What profiles look at, and the name under which a pod's delays are drawn.
#[derive(Clone, Debug)]
pub struct Identity<'a> {
    /// The namespace.
    pub namespace: &'a str,
    /// The top-level owner's name.
    pub workload: &'a str,
    /// The first container's image.
    pub image: &'a str,
    /// The node, once it is bound.
    pub node: Option<&'a str>,
    /// How many pods its owner had created before it.
    pub n: u32,
    /// A name that does not depend on other workloads: `default/web/2#0`.
    pub subject: &'a str,
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

    /// How and when the `nth` start ends by itself, if it does. `attempt` is
    /// what exit codes are counted by, `index` the pod's completion index.
    pub fn exit(&self, pod: &Identity<'_>, nth: u64, attempt: usize, index: Option<u32>) -> Option<(Span, i32)> {
        if let Some(run) = self.find(pod, |p| p.run.as_ref()) {
            let of_index = index.and_then(|index| run.index_durations.get(&index));
            let duration = of_index.or_else(|| nth_or_last(&run.durations, attempt)).unwrap_or(&run.duration);
            let exits = index.and_then(|index| run.index_exits.get(&index)).unwrap_or(&run.exits);
            let code = nth_or_last(exits, attempt).copied().unwrap_or(0);
            return Some((self.draw(Some(duration), Span::ZERO, "run", pod, nth)?, code));
        }
        let crash = self.find(pod, |p| p.crash.as_ref())?;
        let crashes = crash.times == 0 || nth < u64::from(crash.times);
        let after = self.draw(Some(&crash.after), Span::ZERO, "crash", pod, nth)?;
        crashes.then_some((after, crash.exit))
    }
}

fn nth_or_last<T>(list: &[T], n: usize) -> Option<&T> {
    list.get(n).or_else(|| list.last())
}

fn fits(wanted: &PodMatch, pod: &Identity<'_>) -> bool {
    let same = |wanted: &Option<Arc<str>>, is: &str| wanted.as_deref().is_none_or(|w| w == is);
    same(&wanted.namespace, pod.namespace)
        && same(&wanted.workload, pod.workload)
        && same(&wanted.image, pod.image)
        && wanted.node.as_deref().is_none_or(|node| pod.node == Some(node))
        && wanted.n.is_none_or(|n| n == pod.n)
}
