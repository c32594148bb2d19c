//! The rules of the cluster autoscaler: when a pool grows, by how much, and
//! which of its machines may go.

use super::Delay;
use super::admission::{self, Refusal};
use crate::api::{Extras, Kind, NodeSpec, Pod, Resources, Taint};
use crate::time::{SimTime, Span};

/// How a pool follows its pods.
#[derive(Clone, PartialEq, Debug)]
pub struct Autoscale {
    /// It never has fewer machines than this.
    pub min: u32,
    /// It never has more.
    pub max: u32,
    /// How often the autoscaler looks; it goes by the smallest of all pools.
    pub scan_interval: Span,
    /// From the order until a machine joins.
    pub provisioning: Delay,
    /// For how long a machine must have been unneeded before it goes.
    pub unneeded_time: Span,
    /// For how long after a machine was ordered none goes.
    pub delay_after_add: Span,
    /// A machine of which less than this share is requested may be unneeded.
    pub utilization: f64,
    /// The longest grace period that a pod gets when its machine goes.
    pub max_grace: Span,
    /// Whether the requests of daemons count as nothing.
    pub ignore_daemons: bool,
    /// Which of several pools that would help grows.
    pub expander: Expander,
    /// Whether pools of equal machines, whatever their zone, are kept at the
    /// same size.
    pub balance: bool,
}

/// Which of several pools that would help grows.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Expander {
    /// The first by name.
    First,
    /// The one that leaves the smallest share of its new machines unused.
    #[default]
    LeastWaste,
}

impl Autoscale {
    /// Upstream's defaults for a pool of `min` to `max` machines, which join
    /// 90 s after they were ordered.
    pub fn new(min: u32, max: u32) -> Autoscale {
        Autoscale {
            min,
            max,
            scan_interval: Span::from_secs(10),
            provisioning: Delay::Constant(Span::from_secs(90)),
            unneeded_time: Span::from_secs(600),
            delay_after_add: Span::from_secs(600),
            utilization: 0.5,
            max_grace: Span::from_secs(600),
            ignore_daemons: false,
            expander: Expander::default(),
            balance: false,
        }
    }
}

/// How long nothing is ordered of a pool whose machines do not come.
///
/// Upstream: `cluster-autoscaler/utils/backoff/exponential_backoff.go Backoff`
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BackOff {
    /// How long it is this time.
    pub long: Span,
    /// Until when.
    pub until: SimTime,
    /// When the last failure was noticed.
    failed: SimTime,
}

impl BackOff {
    const FIRST: Span = Span::from_secs(300);
    const LONGEST: Span = Span::from_secs(1_800);
    const FORGOTTEN_AFTER: Span = Span::from_secs(3 * 3_600);

    /// The wait after a failure: twice as long as the one before, unless that
    /// is not over yet.
    #[must_use]
    pub fn after(before: Option<BackOff>, now: SimTime) -> BackOff {
        let long = match before.filter(|old| !old.is_stale(now)) {
            Some(old) if old.until < now => Span((old.long.0 * 2).min(BackOff::LONGEST.0)),
            _ => BackOff::FIRST,
        };
        BackOff { long, until: now.after(long), failed: now }
    }

    /// Whether it has been over for so long that it does not count any more.
    #[must_use]
    pub fn is_stale(&self, now: SimTime) -> bool {
        now.since(self.failed) > BackOff::FORGOTTEN_AFTER
    }
}

/// How machines are spread over pools of `(size, most)`: each goes to the
/// smallest pool that may grow.
///
/// Upstream: `cluster-autoscaler/processors/nodegroupset/balancing_processor.go BalanceScaleUpBetweenGroups`
#[must_use]
pub fn balance(pools: &[(usize, usize)], machines: u32) -> Vec<u32> {
    let mut more = vec![0_u32; pools.len()];
    for _ in 0..machines {
        let size = |i: &usize| pools[*i].0 + more[*i] as usize;
        let Some(smallest) = (0..pools.len()).filter(|i| size(i) < pools[*i].1).min_by_key(size) else { break };
        more[smallest] += 1;
    }
    more
}

/// Whether two pools have equal machines, but for where they stand.
///
/// Upstream: `cluster-autoscaler/processors/nodegroupset/compare_nodegroups.go`
#[must_use]
pub fn are_similar(a: &NodeSpec, b: &NodeSpec) -> bool {
    const OF_THE_PLACE: [&str; 3] =
        ["kubernetes.io/hostname", "topology.kubernetes.io/zone", "topology.kubernetes.io/region"];
    let labels = |spec: &NodeSpec| {
        let all = spec.all_labels();
        let mut rest: Vec<(String, String)> = all.0.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect();
        rest.retain(|(name, _)| !OF_THE_PLACE.contains(&name.as_str()));
        rest
    };
    a.allocatable == b.allocatable && a.extras == b.extras && a.taints == b.taints && labels(a) == labels(b)
}

/// A pool that could grow.
#[derive(Clone, PartialEq, Debug)]
pub struct Growth {
    /// Its place among the pools.
    pub pool: usize,
    /// By how many machines.
    pub machines: u32,
    /// What the pods that it would help ask for together.
    pub wanted: Resources,
    /// How many pods it would help.
    pub pods: usize,
}

/// Which pool grows; the first by name of those that are equally good.
///
/// Upstream: `cluster-autoscaler/expander/waste/waste.go BestOptions`
#[must_use]
pub fn best(expander: Expander, options: &[Growth], machine: impl Fn(usize) -> Resources) -> Option<usize> {
    let waste = |growth: &Growth| {
        let unused = |offered: i64, wanted: i64| match offered * i64::from(growth.machines) {
            0 => 0.0,
            offered => (offered - wanted) as f64 / offered as f64,
        };
        let each = machine(growth.pool);
        unused(each.cpu_milli, growth.wanted.cpu_milli) + unused(each.memory_milli, growth.wanted.memory_milli)
    };
    match expander {
        Expander::First => (!options.is_empty()).then_some(0),
        Expander::LeastWaste => {
            (0..options.len()).min_by(|a, b| waste(&options[*a]).total_cmp(&waste(&options[*b])).then(a.cmp(b)))
        }
    }
}

/// The larger of the requested shares of CPU and memory.
///
/// Upstream: `cluster-autoscaler/simulator/utilization/info.go Calculate`
#[must_use]
pub fn utilization(offered: &Resources, requested: &Resources) -> f64 {
    let share = |requested: i64, offered: i64| if offered == 0 { 0.0 } else { requested as f64 / offered as f64 };
    share(requested.cpu_milli, offered.cpu_milli).max(share(requested.memory_milli, offered.memory_milli))
}

/// The requested share of a machine's GPUs, by which those that have some are
/// judged.
///
/// Upstream: `cluster-autoscaler/simulator/utilization/info.go Calculate`
#[must_use]
pub fn gpu_utilization(offered: &Extras, requested: &Extras) -> Option<f64> {
    const GPU: &str = "nvidia.com/gpu";
    let gpus = offered.get(GPU).filter(|gpus| *gpus > 0)?;
    Some(requested.get(GPU).unwrap_or(0) as f64 / gpus as f64)
}

/// What becomes of a pod whose machine is to go.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fate {
    /// It goes with its machine, or is gone already.
    Ignored,
    /// It must find another place.
    Moves,
    /// It keeps the machine.
    Blocks,
}

/// The annotation that decides for a pod.
const SAFE_TO_EVICT: &str = "cluster-autoscaler.kubernetes.io/safe-to-evict";

/// Whether a pod lets its machine go. Pods without a controller, with files
/// on the machine, or of the system without a budget hold it, unless an
/// annotation says that they are safe to evict; another says that one is not.
///
/// Upstream: `cluster-autoscaler/simulator/drainability/rules/rules.go Default`
#[must_use]
pub fn fate(pod: &Pod, has_budget: bool) -> Fate {
    let owner = pod.meta.controller().map(|owner| owner.kind);
    let annotated = pod.meta.annotations.get(SAFE_TO_EVICT).or_else(|| pod.template.annotations.get(SAFE_TO_EVICT));
    if pod.is_finished() || pod.meta.is_deleting() || owner == Some(Kind::DaemonSet) {
        return Fate::Ignored;
    }
    match annotated.map(|value| &**value) {
        Some("true") => return Fate::Moves,
        Some("false") => return Fate::Blocks,
        _ => {}
    }
    let of_the_system = &*pod.meta.namespace == "kube-system" && !has_budget;
    if owner.is_none() || of_the_system || has_local_files(pod) { Fate::Blocks } else { Fate::Moves }
}

fn has_local_files(pod: &Pod) -> bool {
    let volumes = pod.template.raw.value().pointer("/spec/volumes").and_then(|v| v.as_array());
    let local = |volume: &serde_json::Value| {
        let in_memory = volume.pointer("/emptyDir/medium").and_then(|m| m.as_str()) == Some("Memory");
        (volume.get("emptyDir").is_some() && !in_memory) || volume.get("hostPath").is_some()
    };
    volumes.into_iter().flatten().any(local)
}

/// Why a new machine would not help a pod, in the autoscaler's words.
#[must_use]
pub fn objection(pod: &Pod, machine: &NodeSpec) -> String {
    let template = &pod.template;
    let short = machine.allocatable.shortage(&Resources::default(), &template.requests);
    let lacks = machine.extras.shortage(&Extras::default(), &template.placement.extras);
    match admission::objection(machine, template) {
        Some(Refusal::Cordoned) => "node(s) were unschedulable".to_string(),
        Some(Refusal::Tainted(Taint { key, value, .. })) => format!("node(s) had untolerated taint {{{key}: {value}}}"),
        Some(Refusal::NotSelected) => "node(s) didn't match Pod's node affinity/selector".to_string(),
        None if short.cpu => "Insufficient cpu".to_string(),
        None if short.memory => "Insufficient memory".to_string(),
        None if lacks.which != 0 => {
            let first = template.placement.extras.iter().nth(lacks.which.trailing_zeros() as usize);
            format!("Insufficient {}", first.map_or("", |(name, _)| name))
        }
        None => "node(s) didn't satisfy what the pod asks of other pods".to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn amount(cpu_milli: i64, memory_milli: i64) -> Resources {
        Resources { cpu_milli, memory_milli, pods: 110 }
    }

    #[test]
    fn the_pool_that_wastes_least_grows() {
        let growth = |pool, machines, cpu, memory| Growth { pool, machines, wanted: amount(cpu, memory), pods: 1 };
        let machines = [amount(16_000, 64), amount(4_000, 16), amount(4_000, 16)];
        let best = |expander, options: &[Growth]| best(expander, options, |pool| machines[pool]);
        let options = [growth(0, 1, 3_000, 8), growth(1, 1, 3_000, 8), growth(2, 1, 3_000, 8)];
        assert_eq!(best(Expander::First, &options), Some(0));
        assert_eq!(best(Expander::LeastWaste, &options), Some(1), "the first of those that are as good");
        assert_eq!(best(Expander::LeastWaste, &[growth(0, 1, 15_000, 60), growth(1, 4, 15_000, 60)]), Some(0));
        assert_eq!(best(Expander::LeastWaste, &[]), None);
    }

    #[test]
    fn a_pool_that_fails_again_waits_longer() {
        let at = |seconds| SimTime::from_secs(seconds);
        let first = BackOff::after(None, at(0));
        assert_eq!((first.long, first.until), (Span::from_secs(300), at(300)));
        assert_eq!(BackOff::after(Some(first), at(100)).long, Span::from_secs(300), "both failures are one");
        let mut waits = Vec::new();
        let mut last = first;
        for _ in 0..4 {
            last = BackOff::after(Some(last), SimTime(last.until.0 + 1));
            waits.push(last.long.as_ms() / 1_000);
        }
        assert_eq!(waits, [600, 1_200, 1_800, 1_800]);
        let later = SimTime(last.until.0 + Span::from_secs(3 * 3_600).0);
        assert_eq!(BackOff::after(Some(last), later).long, Span::from_secs(300), "it is forgotten");
    }

    #[test]
    fn the_smallest_pool_grows_first() {
        for (pools, machines, more) in [
            (vec![(1, 9), (1, 9), (1, 9)], 3, vec![1, 1, 1]),
            (vec![(3, 9), (1, 9), (2, 9)], 4, vec![1, 2, 1]),
            (vec![(0, 1), (0, 9)], 4, vec![1, 3]),
            (vec![(1, 1)], 2, vec![0]),
        ] {
            assert_eq!(balance(&pools, machines), more, "{pools:?}");
        }
    }

    #[test]
    fn utilization_is_that_of_what_is_scarce() {
        for (requested, wanted) in [(amount(0, 0), 0.0), (amount(8_000, 16), 0.5), (amount(1_000, 48), 0.75)] {
            assert!((utilization(&amount(16_000, 64), &requested) - wanted).abs() < 1.0e-9);
        }
        assert!(utilization(&amount(0, 0), &amount(1, 1)) < 1.0e-9);
    }
}
