//! How many replicas a metric asks for, as pure functions.

use crate::api::Phase;
use crate::controllers::PodMetric;
use crate::time::{Instant, Span, Timestamp};

/// How long after a pod's start its CPU readings are taken with care.
///
/// Upstream: `podautoscaler/config/v1alpha1/defaults.go CPUInitializationPeriod`
const CPU_INITIALIZATION_SECONDS: i64 = 300;

/// A pod that was never ready was not ready for at most so long after its
/// start.
///
/// Upstream: `podautoscaler/config/v1alpha1/defaults.go InitialReadinessDelay`
const INITIAL_READINESS_SECONDS: i64 = 30;

/// How far the ratio of usage to target may be from 1.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Tolerances {
    /// Below 1.
    pub down: f64,
    /// Above 1.
    pub up: f64,
}

impl Default for Tolerances {
    fn default() -> Self {
        Tolerances { down: 0.1, up: 0.1 }
    }
}

impl Tolerances {
    fn cover(self, ratio: f64) -> bool {
        1.0 - self.down <= ratio && ratio <= 1.0 + self.up
    }
}

/// A pod of the target and its reading.
#[derive(Clone, Debug)]
pub struct Sample {
    /// `status.phase`.
    pub phase: Phase,
    /// Whether it is being deleted.
    pub deleting: bool,
    /// The `Ready` condition and its `lastTransitionTime`; a pod that no
    /// kubelet has seen has none.
    pub ready: Option<(bool, Timestamp)>,
    /// `status.startTime`.
    pub started: Option<Timestamp>,
    /// The reading, if there is one.
    pub metric: Option<PodMetric>,
    /// What the pod requests, in thousandths; 0 where that does not matter.
    pub request: i64,
}

/// How a sample counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Group {
    Counts,
    Unready,
    Missing,
    Ignored,
}

/// What a metric amounts to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Proposal {
    /// How many replicas it asks for.
    pub replicas: i32,
    /// Percent of the requests, for targets that are a share.
    pub utilization: i32,
    /// The average usage of a pod, or the whole usage, in thousandths.
    pub usage: i64,
}

/// Upstream: `podautoscaler/replica_calculator.go groupPods`
fn group(sample: &Sample, is_cpu: bool, now: Instant) -> Group {
    if sample.deleting || sample.phase == Phase::Failed {
        return Group::Ignored;
    }
    if sample.phase == Phase::Pending {
        return Group::Unready;
    }
    let Some(metric) = sample.metric else { return Group::Missing };
    if is_cpu && is_warming_up(sample, metric, now) {
        return Group::Unready;
    }
    Group::Counts
}

/// Whether a pod's CPU reading may be that of its start and not of its work.
fn is_warming_up(sample: &Sample, metric: PodMetric, now: Instant) -> bool {
    let (Some((ready, since)), Some(started)) = (sample.ready, sample.started) else { return true };
    let (since, started) = (since.instant(), started.instant());
    if started.plus_seconds(CPU_INITIALIZATION_SECONDS) > now {
        return !ready || metric.at < plus(since, metric.window);
    }
    !ready && started.plus_seconds(INITIAL_READINESS_SECONDS) > since
}

const fn plus(at: Instant, span: Span) -> Instant {
    Instant(at.0 + span.0 as i64)
}

/// The samples by how they count.
struct Groups<'a> {
    counted: Vec<(&'a Sample, i64)>,
    unready: Vec<&'a Sample>,
    missing: Vec<&'a Sample>,
}

impl<'a> Groups<'a> {
    fn of(samples: &'a [Sample], is_cpu: bool, now: Instant) -> Result<Groups<'a>, String> {
        if samples.is_empty() {
            return Err("no pods returned by selector while calculating replica count".to_string());
        }
        let mut groups = Groups { counted: Vec::new(), unready: Vec::new(), missing: Vec::new() };
        for sample in samples {
            match group(sample, is_cpu, now) {
                Group::Counts => groups.counted.push((sample, sample.metric.map_or(0, |m| m.value))),
                Group::Unready => groups.unready.push(sample),
                Group::Missing => groups.missing.push(sample),
                Group::Ignored => {}
            }
        }
        if groups.counted.is_empty() {
            return Err("did not receive metrics for targeted pods (pods might be unready)".to_string());
        }
        Ok(groups)
    }

    /// The answer from the ratio of usage to target: what is not known is
    /// taken for what holds the change back, and if that turns the change
    /// round, nothing is done.
    fn replicas(
        mut self,
        current: i32,
        tolerances: Tolerances,
        assumed_when_missing: impl Fn(&Sample) -> i64,
        ratio_of: impl Fn(&[(&Sample, i64)]) -> Result<f64, String>,
    ) -> Result<i32, String> {
        let ratio = ratio_of(&self.counted)?;
        let up_with_unready = !self.unready.is_empty() && ratio > 1.0;
        if !up_with_unready && self.missing.is_empty() {
            let counted = self.counted.len() as f64;
            return Ok(if tolerances.cover(ratio) { current } else { (ratio * counted).ceil() as i32 });
        }
        if ratio < 1.0 {
            self.counted.extend(self.missing.iter().map(|sample| (*sample, assumed_when_missing(sample))));
        } else if ratio > 1.0 {
            self.counted.extend(self.missing.iter().map(|sample| (*sample, 0)));
        }
        if up_with_unready {
            self.counted.extend(self.unready.iter().map(|sample| (*sample, 0)));
        }
        let new = ratio_of(&self.counted)?;
        if tolerances.cover(new) || (ratio < 1.0 && new > 1.0) || (ratio > 1.0 && new < 1.0) {
            return Ok(current);
        }
        let replicas = (new * self.counted.len() as f64).ceil() as i32;
        if (new < 1.0 && replicas > current) || (new > 1.0 && replicas < current) {
            return Ok(current);
        }
        Ok(replicas)
    }
}

/// Whether any pod has a reading that counts.
///
/// # Errors
/// If none has.
pub fn check_readings(samples: &[Sample], is_cpu: bool, now: Instant) -> Result<(), String> {
    Groups::of(samples, is_cpu, now).map(drop)
}

/// Replicas for a target that is a share of what the pods request.
///
/// # Errors
/// If no pod has a reading that counts, or none requests anything.
///
/// Upstream: `podautoscaler/replica_calculator.go GetResourceReplicas`
pub fn for_utilization(
    samples: &[Sample],
    current: i32,
    target: i32,
    is_cpu: bool,
    tolerances: Tolerances,
    now: Instant,
) -> Result<Proposal, String> {
    let groups = Groups::of(samples, is_cpu, now)?;
    let (_, utilization, usage) = utilization_of(&groups.counted, target)?;
    let assumed = |sample: &Sample| sample.request * i64::from(target.max(100)) / 100;
    let replicas = groups
        .replicas(current, tolerances, assumed, |counted| utilization_of(counted, target).map(|(ratio, _, _)| ratio))?;
    Ok(Proposal { replicas, utilization, usage })
}

/// Upstream: `podautoscaler/metrics/utilization.go GetResourceUtilizationRatio`
fn utilization_of(counted: &[(&Sample, i64)], target: i32) -> Result<(f64, i32, i64), String> {
    let usage: i64 = counted.iter().map(|(_, value)| value).sum();
    let requested: i64 = counted.iter().map(|(sample, _)| sample.request).sum();
    if requested == 0 {
        return Err("no metrics returned matched known pods".to_string());
    }
    let percent = (usage * 100 / requested) as i32;
    Ok((f64::from(percent) / f64::from(target), percent, usage / counted.len() as i64))
}

/// Replicas for a target that is an average over the pods.
///
/// # Errors
/// If no pod has a reading that counts.
///
/// Upstream: `podautoscaler/replica_calculator.go calcPlainMetricReplicas`
pub fn for_average(
    samples: &[Sample],
    current: i32,
    target: i64,
    is_cpu: bool,
    tolerances: Tolerances,
    now: Instant,
) -> Result<Proposal, String> {
    let groups = Groups::of(samples, is_cpu, now)?;
    let usage = average(&groups.counted);
    let replicas =
        groups.replicas(current, tolerances, |_| target, |counted| Ok(average(counted) as f64 / target as f64))?;
    Ok(Proposal { replicas, utilization: 0, usage })
}

/// Upstream: `podautoscaler/metrics/utilization.go GetMetricUsageRatio`
fn average(counted: &[(&Sample, i64)]) -> i64 {
    counted.iter().map(|(_, value)| value).sum::<i64>() / counted.len() as i64
}

/// Replicas for a number of all pods together, from how many pods are ready.
///
/// # Errors
/// What `ready_pods` says if there are no pods.
///
/// Upstream: `podautoscaler/replica_calculator.go getUsageRatioReplicaCount`
pub fn for_whole(
    usage: i64,
    target: i64,
    current: i32,
    tolerances: Tolerances,
    ready_pods: impl FnOnce() -> Result<usize, String>,
) -> Result<Proposal, String> {
    let ratio = usage as f64 / target as f64;
    let replicas = if current == 0 {
        ratio.ceil() as i32
    } else if tolerances.cover(ratio) {
        current
    } else {
        // A conversion that does not fit stops at the end of the range.
        (ratio * ready_pods()? as f64).ceil() as i32
    };
    Ok(Proposal { replicas, utilization: 0, usage })
}

/// Replicas for a number that is shared by all pods, each its part.
///
/// Upstream: `podautoscaler/replica_calculator.go GetExternalPerPodMetricReplicas`,
/// `GetObjectPerPodMetricReplicas`
pub fn for_share(usage: i64, target: i64, current: i32, tolerances: Tolerances) -> Proposal {
    let ratio = usage as f64 / (target as f64 * f64::from(current));
    let replicas = if tolerances.cover(ratio) { current } else { (usage as f64 / target as f64).ceil() as i32 };
    let each = (usage as f64 / f64::from(current)).ceil() as i64;
    Proposal { replicas, utilization: 0, usage: each }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Instant = Instant(10_000 * 1_000_000_000);

    fn pod(value: Option<i64>) -> Sample {
        let metric = value.map(|value| PodMetric { at: NOW, window: Span::from_secs(30), value });
        Sample {
            phase: Phase::Running,
            deleting: false,
            ready: Some((true, Timestamp(100))),
            started: Some(Timestamp(90)),
            metric,
            request: 1_000,
        }
    }

    fn percent(samples: &[Sample], current: i32, target: i32) -> Result<i32, String> {
        for_utilization(samples, current, target, true, Tolerances::default(), NOW).map(|p| p.replicas)
    }

    #[test]
    fn small_differences_change_nothing() {
        for (value, replicas) in [(500, 2), (549, 2), (550, 2), (560, 3), (440, 2), (400, 2), (200, 1)] {
            assert_eq!(percent(&[pod(Some(value)), pod(Some(value))], 2, 50), Ok(replicas), "{value}");
        }
    }

    #[test]
    fn what_is_not_known_holds_the_change_back() {
        let unready =
            Sample { ready: Some((false, Timestamp(100))), started: Some(Timestamp(9_950)), ..pod(Some(900)) };
        assert_eq!(percent(&[pod(Some(900)), unready.clone()], 2, 50), Ok(2), "up: taken for 0");
        assert_eq!(percent(&[pod(Some(100)), unready], 2, 50), Ok(1), "down: left out");
        assert_eq!(percent(&[pod(Some(100)), pod(None)], 2, 50), Ok(2), "down: taken for all of its request");
        assert_eq!(percent(&[pod(Some(1_000)), pod(None)], 2, 50), Ok(2), "up: taken for 0");
        let gone = Sample { deleting: true, ..pod(Some(5_000)) };
        assert_eq!(percent(&[pod(Some(500)), gone], 2, 50), Ok(2), "not looked at");
    }

    #[test]
    fn without_a_reading_there_is_no_answer() {
        assert!(percent(&[], 2, 50).is_err());
        assert!(percent(&[pod(None)], 2, 50).is_err());
        assert!(percent(&[Sample { request: 0, ..pod(Some(1)) }], 1, 50).is_err());
    }

    #[test]
    fn shares_of_a_whole() {
        assert_eq!(for_share(95_000, 10_000, 2, Tolerances::default()).replicas, 10);
        assert_eq!(for_share(20_500, 10_000, 2, Tolerances::default()).replicas, 2);
        let whole = |usage, current| for_whole(usage, 100_000, current, Tolerances::default(), || Ok(2));
        assert_eq!(whole(250_000, 2).map(|p| p.replicas), Ok(5));
        assert_eq!(whole(105_000, 2).map(|p| p.replicas), Ok(2));
        assert_eq!(whole(150_000, 0).map(|p| p.replicas), Ok(2));
    }
}
