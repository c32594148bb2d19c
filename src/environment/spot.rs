//! Spot capacity: machines that are taken back, and what replaces them.
//!
//! When a machine is taken back does not depend on what the cluster does, so
//! it is worked out before the run: a pool becomes actions at times. Every
//! time is a draw of its own, keyed by pool and machine, or by zone, so that
//! another pool or another disturbance moves none of them.

use super::Delay;
use super::autoscaler::Autoscale;
use crate::api::NodeSpec;
use crate::rng::Draws;
use crate::sim::setup::{Action, TimedAction};
use crate::time::{SimTime, Span};
use std::sync::Arc;

/// A number of equal machines that somebody keeps at that number.
#[derive(Clone, PartialEq, Debug)]
pub struct Pool {
    /// Its name; machines are called `name-1`, their successors `name-1-2`.
    pub name: Arc<str>,
    /// What each machine is like; the name does not count.
    pub machine: NodeSpec,
    /// How many there are.
    pub machines: u32,
    /// How machines are taken back; `None` if they are not.
    pub reclaim: Option<Reclaim>,
    /// How long after a machine is gone another one joins. Those of a pool
    /// that follows its pods are not replaced.
    pub replacement: Delay,
    /// How the pool follows its pods, if it does.
    pub autoscale: Option<Autoscale>,
    /// If each machine is for one pod alone, how long after no node was found
    /// for a pod its machine joins.
    pub serverless: Option<Delay>,
}

/// How the cloud takes machines back.
#[derive(Clone, PartialEq, Debug)]
pub struct Reclaim {
    /// How long each machine lasts, on its own.
    pub lifetime: Delay,
    /// Times at which many machines of a zone are taken back at once.
    pub waves: Option<Waves>,
    /// What the machines are told before.
    pub notice: Notice,
}

/// Reclaims that hit a zone.
#[derive(Clone, PartialEq, Debug)]
pub struct Waves {
    /// From one to the next.
    pub every: Delay,
    /// Which part of the machines each takes, between 0 and 1.
    pub part: f64,
}

/// What a machine is told before it is taken back, and what it makes of that.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Notice {
    /// How long before.
    pub ahead: Span,
    /// Whether a termination handler hears of it, and drains the node.
    pub handled: bool,
    /// How long before the end the kubelet shuts down gracefully: its
    /// `shutdownGracePeriod`, or 0.
    pub shutdown_grace: Span,
    /// How long after the end the cloud deletes the Node, if it does.
    pub deregistration: Option<Span>,
}

impl Reclaim {
    /// When a machine is told that it will be taken back, if that is before
    /// the run ends.
    fn told_at(
        &self,
        machine: &str,
        joined: SimTime,
        waves: &[SimTime],
        draws: Draws,
        until: SimTime,
    ) -> Option<SimTime> {
        let alone = self.lifetime.draw(&draws, "spot lifetime", machine, 0);
        let part = self.waves.as_ref().map_or(0.0, |waves| waves.part);
        let in_wave = waves
            .iter()
            .enumerate()
            .find(|(wave, at)| **at > joined && draws.uniform("spot wave hits", machine, *wave as u64) < part);
        let times = alone.map(|span| joined.after(span)).into_iter().chain(in_wave.map(|(_, at)| *at));
        times.min().filter(|at| *at <= until)
    }
}

impl Notice {
    /// The actions of one reclaim of which is told at `at`.
    #[must_use]
    pub fn actions(&self, node: &Arc<str>, at: SimTime) -> Vec<TimedAction> {
        let end = at.after(self.ahead);
        let grace = Span(self.shutdown_grace.0.min(self.ahead.0));
        let mut all = vec![TimedAction {
            at,
            action: Action::SpotNotice { node: node.clone(), ahead: self.ahead, handled: self.handled },
        }];
        if grace > Span::ZERO {
            let at = SimTime(end.0 - grace.0);
            all.push(TimedAction { at, action: Action::NodeShutdown { node: node.clone(), grace } });
        }
        if self.deregistration == Some(Span::ZERO) {
            all.push(TimedAction { at: end, action: Action::NodeDelete(node.clone()) });
            return all;
        }
        all.push(TimedAction { at: end, action: Action::NodeFail(node.clone()) });
        if let Some(later) = self.deregistration {
            all.push(TimedAction { at: end.after(later), action: Action::NodeDelete(node.clone()) });
        }
        all
    }
}

impl Pool {
    /// The machines of the beginning.
    #[must_use]
    pub fn first_machines(&self) -> Vec<NodeSpec> {
        (1..=self.machines).map(|place| self.machine_of(place, 1)).collect()
    }

    /// The machine that is the `nth` in its place.
    fn machine_of(&self, place: u32, nth: u64) -> NodeSpec {
        let name = match nth {
            1 => format!("{}-{place}", self.name),
            nth => format!("{}-{place}-{nth}", self.name),
        };
        NodeSpec { name: name.into(), ..self.machine.clone() }
    }

    /// What happens to the pool's machines until the run ends, place by place.
    #[must_use]
    pub fn actions(&self, seed: u64, until: SimTime) -> Vec<TimedAction> {
        let Some(reclaim) = &self.reclaim else { return Vec::new() };
        let draws = Draws::new(seed);
        let waves = self.waves(reclaim, draws, until);
        let mut all = Vec::new();
        for place in 1..=self.machines {
            let mut joined = SimTime::ZERO;
            for nth in 1.. {
                let machine = self.machine_of(place, nth);
                let Some(at) = reclaim.told_at(&machine.name, joined, &waves, draws, until) else { break };
                all.extend(reclaim.notice.actions(&machine.name, at));
                if self.autoscale.is_some() {
                    break;
                }
                let Some(delay) = self.replacement.draw(&draws, "replacement", &machine.name, 0) else { break };
                joined = at.after(reclaim.notice.ahead).after(delay);
                if joined > until {
                    break;
                }
                all.push(TimedAction { at: joined, action: Action::NodeAdd(self.machine_of(place, nth + 1)) });
            }
        }
        all.retain(|timed| timed.at <= until);
        all
    }

    /// The machine of this number; the numbers go on after the first ones.
    #[must_use]
    pub fn machine_called(&self, number: u32) -> NodeSpec {
        self.machine_of(number, 1)
    }

    /// What happens to a machine that joined later than the first ones.
    #[must_use]
    pub fn reclaim_of(&self, machine: &Arc<str>, joined: SimTime, seed: u64, until: SimTime) -> Vec<TimedAction> {
        let Some(reclaim) = &self.reclaim else { return Vec::new() };
        let draws = Draws::new(seed);
        let waves = self.waves(reclaim, draws, until);
        let told = reclaim.told_at(machine, joined, &waves, draws, until);
        told.map_or_else(Vec::new, |at| reclaim.notice.actions(machine, at))
    }

    /// The pool and how it loses machines, if the cloud may take back a machine
    /// of this name.
    #[must_use]
    pub fn takes_back(&self, machine: &str) -> Option<(&Pool, &Reclaim)> {
        let reclaim = self.reclaim.as_ref().filter(|_| is_of_pool(machine, &self.name))?;
        Some((self, reclaim))
    }

    /// The machine that replaces one that is told at `told` that it goes, and
    /// when it joins. A pool that follows its pods replaces none.
    #[must_use]
    pub fn successor(&self, machine: &Arc<str>, told: SimTime, seed: u64) -> Option<(NodeSpec, SimTime)> {
        let reclaim = self.reclaim.as_ref().filter(|_| self.autoscale.is_none() && self.serverless.is_none())?;
        let delay = self.replacement.draw(&Draws::new(seed), "replacement", machine, 0)?;
        let name = format!("{machine}-r").as_str().into();
        Some((NodeSpec { name, ..self.machine.clone() }, told.after(reclaim.notice.ahead).after(delay)))
    }

    /// When a machine that joined at some time is told that it goes, if that
    /// is before the run ends.
    #[must_use]
    pub fn taken_back_at(&self, machine: &str, joined: SimTime, seed: u64, until: SimTime) -> Option<SimTime> {
        let reclaim = self.reclaim.as_ref()?;
        let draws = Draws::new(seed);
        reclaim.told_at(machine, joined, &self.waves(reclaim, draws, until), draws, until)
    }

    /// The waves that hit the pool's zone. Pools of one zone are hit together.
    fn waves(&self, reclaim: &Reclaim, draws: Draws, until: SimTime) -> Vec<SimTime> {
        let Some(waves) = &reclaim.waves else { return Vec::new() };
        let mut times = Vec::new();
        let mut at = SimTime::ZERO;
        for nth in 0.. {
            let Some(pause) = waves.every.draw(&draws, "spot wave", &self.machine.zone, nth) else { break };
            // At least a moment, so that the waves come to an end.
            at = at.after(pause.max(Span::from_ms(1)));
            if at > until {
                break;
            }
            times.push(at);
        }
        times
    }
}

/// The actions of pools among those that people take, by time; at one time
/// people come first.
#[must_use]
pub fn with_pools(actions: &[TimedAction], pools: &[Pool], seed: u64, until: SimTime) -> Vec<TimedAction> {
    let mut all = actions.to_vec();
    all.extend(pools.iter().flat_map(|pool| pool.actions(seed, until)));
    all.sort_by_key(|timed| timed.at);
    all
}

/// Whether a node's name is one that its pool gives: `spot-3`, `spot-3-2`,
/// `spot-3-r`.
#[must_use]
pub fn is_of_pool(name: &str, pool: &str) -> bool {
    let number = name.strip_prefix(pool).and_then(|rest| rest.strip_prefix('-'));
    number.is_some_and(|rest| rest.split('-').all(|part| part == "r" || part.parse::<u32>().is_ok()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{Extras, Labels, Resources};

    fn pool(name: &str, zone: &str, machines: u32, waves: bool) -> Pool {
        Pool {
            name: name.into(),
            machine: NodeSpec {
                name: "".into(),
                zone: zone.into(),
                labels: Labels::default(),
                taints: Vec::new(),
                allocatable: Resources::default(),
                extras: Extras::default(),
            },
            machines,
            reclaim: Some(Reclaim {
                lifetime: Delay::Exponential { mean: Span::from_secs(3_600) },
                waves: waves.then_some(Waves { every: Delay::Exponential { mean: Span::from_secs(7_200) }, part: 0.5 }),
                notice: Notice {
                    ahead: Span::from_secs(120),
                    handled: true,
                    shutdown_grace: Span::from_secs(30),
                    deregistration: Some(Span::from_secs(5)),
                },
            }),
            replacement: Delay::Constant(Span::from_secs(90)),
            autoscale: None,
            serverless: None,
        }
    }

    const UNTIL: SimTime = SimTime::from_secs(20_000);

    #[test]
    fn a_reclaim_is_notice_shutdown_end_and_replacement() {
        let mut pool = pool("spot", "a", 1, false);
        if let Some(reclaim) = &mut pool.reclaim {
            reclaim.lifetime = Delay::Constant(Span::from_secs(600));
        }
        let lines: Vec<String> = pool
            .actions(7, SimTime::from_secs(900))
            .iter()
            .map(|timed| format!("{} {}", timed.at, timed.action.describe()))
            .collect();
        assert_eq!(
            lines,
            [
                "10m spot-1 will be taken back in 2m and is drained",
                "11m30s node spot-1 shuts down within 30s",
                "12m node spot-1 dies",
                "12m05s node spot-1 is deleted",
                "13m30s node spot-1-2 joins",
            ]
        );
    }

    #[test]
    fn another_pool_and_another_machine_move_no_draw() {
        let alone = pool("spot", "a", 3, true).actions(7, UNTIL);
        let beside = with_pools(&[], &[pool("other", "b", 5, true), pool("spot", "a", 4, true)], 7, UNTIL);
        let ours = |timed: &&TimedAction| timed.action.describe().contains("spot-");
        for timed in &alone {
            assert!(beside.iter().filter(ours).any(|other| other == timed), "{} moved", timed.action.describe());
        }
        assert_ne!(alone, pool("spot", "a", 3, true).actions(8, UNTIL), "another seed");
    }

    #[test]
    fn waves_hit_the_pools_of_a_zone_together() {
        let waves = |name: &str, zone: &str| {
            let pool = pool(name, zone, 1, true);
            let reclaim = pool.reclaim.clone().expect("a reclaim");
            pool.waves(&reclaim, Draws::new(7), UNTIL)
        };
        assert!(!waves("one", "a").is_empty());
        assert_eq!(waves("one", "a"), waves("two", "a"));
        assert_ne!(waves("one", "a"), waves("one", "b"));
    }

    #[test]
    fn names_of_pools() {
        for (name, pool, of) in [
            ("spot-1", "spot", true),
            ("spot-12-3", "spot", true),
            ("spot-1-r", "spot", true),
            ("spot-large-1", "spot", false),
            ("spot-large-1", "spot-large", true),
            ("spot", "spot", false),
            ("a-1", "spot", false),
        ] {
            assert_eq!(is_of_pool(name, pool), of, "{name} {pool}");
        }
    }
}
