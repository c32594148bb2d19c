//! Pools of machines, and what the cloud does to them.

use super::Compiler;
use super::actions::Context;
use super::cluster::node;
use crate::environment::Delay;
use crate::environment::autoscaler::{Autoscale, Expander};
use crate::environment::spot::{Notice, Pool, Reclaim, Waves};
use crate::scenario::file::{AutoscaleEntry, Cloud, Cluster, DelayEntry, ExpanderName, PoolEntry, ReclaimEntry};
use crate::sim::setup::{Action, Among, DRAWN, Share, TimedAction};
use crate::time::{SimTime, Span};

/// From the end of a machine until another one joins, if nobody says.
const REPLACEMENT: Span = Span::from_secs(90);
/// What a machine is told ahead, if nobody says.
const NOTICE: Span = Span::from_secs(120);

/// When the cloud deletes the Node of a machine that said that it goes.
const NOTICED_AT_ONCE: Span = Span::from_secs(5);
/// When it deletes the Node of one that fell silent: once it is not ready.
const NOTICED_LATE: Span = Span::from_secs(55);

impl Compiler<'_> {
    /// The pools of a cluster.
    pub(super) fn pools(&mut self, cluster: Option<&Cluster>) -> Vec<Pool> {
        let pools = cluster.iter().flat_map(|cluster| &cluster.pools);
        pools.map(|(name, entry)| self.pool(name, entry)).collect()
    }

    fn pool(&mut self, name: &str, entry: &PoolEntry) -> Pool {
        let field = format!("spec.cluster.pools.{name}");
        let zone = entry.zone.as_deref().unwrap_or("");
        self.kinds_of_pool(entry, &field);
        if let Some(replacement) = &entry.replacement {
            self.distribution(replacement, &format!("{field}.replacement"));
        }
        Pool {
            name: name.into(),
            machine: node(name, zone, entry.shape()),
            machines: machines_of(entry),
            replacement: entry.replacement.as_ref().map_or(Delay::Constant(REPLACEMENT), Delay::from),
            reclaim: entry.reclaim.as_ref().map(|reclaim| self.reclaim(reclaim, &format!("{field}.reclaim"))),
            autoscale: entry.autoscale.as_ref().map(|scale| self.autoscale(scale, &format!("{field}.autoscale"))),
            serverless: entry.serverless.as_ref().map(|serverless| {
                self.distribution(&serverless.start, &format!("{field}.serverless.start"));
                Delay::from(&serverless.start)
            }),
        }
    }

    /// Refuses what makes no sense together.
    fn kinds_of_pool(&mut self, entry: &PoolEntry, field: &str) {
        let machines = entry.machines.unwrap_or_default();
        match (&entry.autoscale, &entry.serverless) {
            (Some(_), Some(_)) => {
                self.problem(field, "a pool is autoscaled or serverless, not both", None);
            }
            (None, None) if entry.machines.is_none() => {
                let hint = "write `machines: 3`, or `autoscale` or `serverless`".to_string();
                self.problem(field, "how many machines this pool has is not said", Some(hint));
            }
            (Some(scale), None) if entry.machines.is_some() && !(scale.min..=scale.max).contains(&machines) => {
                let message = format!("{machines} is not from {} to {}", scale.min, scale.max);
                self.problem(&format!("{field}.machines"), message, None);
            }
            (None, Some(_)) if machines > 0 => {
                self.problem(&format!("{field}.machines"), "serverless machines come with their pods", None);
            }
            (None, Some(_)) if entry.labels.is_empty() => {
                let hint = "give the pool `labels` that its pods select".to_string();
                self.problem(field, "no pod can select these machines", Some(hint));
            }
            _ => {}
        }
    }

    fn autoscale(&mut self, entry: &AutoscaleEntry, field: &str) -> Autoscale {
        let usual = Autoscale::new(entry.min, entry.max);
        if let Some(provisioning) = &entry.provisioning {
            self.distribution(provisioning, &format!("{field}.provisioning"));
        }
        if entry.min > entry.max {
            self.problem(&format!("{field}.min"), "`min` is above `max`", None);
        }
        if entry.scan_interval.is_some_and(|interval| interval.0 < Span::from_ms(100)) {
            self.problem(&format!("{field}.scanInterval"), "this is at least 100ms", None);
        }
        if entry.utilization.is_some_and(|share| !(0.0..=1.0).contains(&share)) {
            self.problem(&format!("{field}.utilization"), "this is a number from 0 to 1", None);
        }
        Autoscale {
            scan_interval: entry.scan_interval.map_or(usual.scan_interval, |d| d.0),
            provisioning: entry.provisioning.as_ref().map_or(usual.provisioning, Delay::from),
            unneeded_time: entry.unneeded_time.map_or(usual.unneeded_time, |d| d.0),
            delay_after_add: entry.delay_after_add.map_or(usual.delay_after_add, |d| d.0),
            utilization: entry.utilization.unwrap_or(usual.utilization),
            max_grace: entry.max_grace.map_or(usual.max_grace, |d| d.0),
            ignore_daemons: entry.ignore_daemon_sets,
            balance: entry.balance_similar,
            expander: match entry.expander {
                Some(ExpanderName::First) => Expander::First,
                Some(ExpanderName::LeastWaste) | None => Expander::LeastWaste,
            },
            ..usual
        }
    }

    fn reclaim(&mut self, entry: &ReclaimEntry, field: &str) -> Reclaim {
        let preset = entry.cloud.map_or(NOTICE, notice_of);
        let ahead = entry.notice.map_or(preset, |notice| notice.0);
        let shutdown_grace = entry.shutdown_grace.map_or(Span::ZERO, |grace| grace.0);
        if shutdown_grace > ahead {
            self.problem(&format!("{field}.shutdownGrace"), format!("this is longer than the notice of {ahead}"), None);
        }
        for (delay, name) in
            [(entry.lifetime.as_ref(), "lifetime"), (entry.waves.as_ref().map(|waves| &waves.every), "waves.every")]
        {
            if let Some(delay) = delay {
                self.distribution(delay, &format!("{field}.{name}"));
                if delay.is_always_zero() {
                    self.problem(&format!("{field}.{name}"), "this must be longer than 0", None);
                }
            }
        }
        let deregistration = match &entry.deregistration {
            None if shutdown_grace > Span::ZERO => Some(NOTICED_AT_ONCE),
            None => Some(NOTICED_LATE),
            Some(DelayEntry::Fixed(after)) => Some(after.0),
            Some(DelayEntry::Never) => None,
            Some(DelayEntry::Drawn(_)) => {
                self.problem(&format!("{field}.deregistration"), "this is a duration or `never`", None);
                None
            }
        };
        let waves = entry.waves.as_ref().map(|waves| {
            if !(0.0..=1.0).contains(&waves.part) {
                self.problem(&format!("{field}.waves.part"), "this is a number from 0 to 1", None);
            }
            Waves { every: Delay::from(&waves.every), part: waves.part }
        });
        Reclaim {
            lifetime: entry.lifetime.as_ref().map_or(Delay::Never, Delay::from),
            waves,
            notice: Notice { ahead, handled: entry.handler, shutdown_grace, deregistration },
        }
    }

    /// The cloud takes machines back at a time that the scenario gives.
    pub(super) fn spot_reclaim(&mut self, names: &[String], at: SimTime, c: &Context<'_>) -> Vec<TimedAction> {
        let mut all = Vec::new();
        for name in names {
            if let Some(lot) = self.drawn_reclaim(name, c) {
                all.extend(lot.into_iter().map(|action| TimedAction { at, action }));
                continue;
            }
            for node in self.check(&c.field, c.scope.nodes(name)).unwrap_or_default() {
                let found = c.pools.iter().find_map(|pool| {
                    let machine = pool.first_machines().into_iter().find(|machine| *machine.name == *node)?;
                    Some((pool, machine, pool.reclaim.as_ref()?))
                });
                let Some((pool, machine, reclaim)) = found else {
                    let hint = "give its pool a `reclaim`, which may be {}".to_string();
                    self.problem(&c.field, format!("{node} is not of a pool that can be taken back"), Some(hint));
                    continue;
                };
                all.extend(reclaim.notice.actions(&machine.name, at));
                let successor = pool.successor(&machine.name, at, c.seed);
                all.extend(successor.map(|(spec, at)| TimedAction { at, action: Action::NodeAdd(spec) }));
            }
        }
        all.retain(|timed| timed.at <= c.scope.until);
        all
    }

    /// Machines that are taken back and that only the run knows: a share of
    /// some, or all of a pool.
    fn drawn_reclaim(&mut self, text: &str, c: &Context<'_>) -> Option<Vec<Action>> {
        let (share, of) = self.lot_of(text, &c.field).or_else(|| Some((Share::All, text)).filter(|_| of_pool(text)))?;
        self.check(&c.field, c.scope.could_be_nodes(of))?;
        let pool = |pool: &&Pool| of.strip_prefix("pool/").is_none_or(|name| *name == *pool.name);
        if !c.pools.iter().filter(pool).any(|pool| pool.reclaim.is_some()) {
            let hint = "give its pool a `reclaim`, which may be {}".to_string();
            self.problem(&c.field, format!("{of} cannot be taken back"), Some(hint));
            return Some(Vec::new());
        }
        let actions = vec![(Span::ZERO, Action::SpotReclaim(DRAWN.into()))];
        Some(vec![c.lot(share, Among::Nodes(of.to_string()), actions)])
    }

    /// Machines that a disturbance takes back.
    pub(super) fn spot_reclaims(&mut self, names: &[String], c: &Context<'_>) -> Vec<Action> {
        let mut all = Vec::new();
        for name in names {
            match self.drawn_reclaim(name, c) {
                Some(lot) => all.extend(lot),
                None => {
                    let nodes = self.check(&c.field, c.scope.nodes(name)).unwrap_or_default();
                    all.extend(nodes.into_iter().map(|node| Action::SpotReclaim(node.into())));
                }
            }
        }
        all
    }
}

/// Whether a text means the machines of a pool.
pub(super) fn of_pool(text: &str) -> bool {
    text.starts_with("pool/")
}

/// The notice that a cloud gives.
const fn notice_of(cloud: Cloud) -> Span {
    match cloud {
        Cloud::Aws => Span::from_secs(120),
        Cloud::Gcp | Cloud::Azure => Span::from_secs(30),
    }
}

/// How many machines a pool begins with.
fn machines_of(pool: &PoolEntry) -> u32 {
    pool.machines.or(pool.autoscale.as_ref().map(|scale| scale.min)).unwrap_or_default()
}

/// How many machines all pools of a cluster have.
pub(super) fn machines(cluster: &Cluster) -> usize {
    cluster.pools.values().map(|pool| machines_of(pool) as usize).sum()
}

/// Whether a cluster says which machines it has.
pub(super) fn says_machines(cluster: &Cluster) -> bool {
    !cluster.zones.is_empty() || !cluster.nodes.is_empty() || !cluster.pools.is_empty()
}
