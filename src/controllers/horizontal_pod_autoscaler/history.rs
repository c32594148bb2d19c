//! What an autoscaler remembers, and how that holds its changes back.

use crate::api::{PolicyType, ScalingBehavior, ScalingPolicy, ScalingRules, SelectPolicy};
use crate::time::{Instant, Span};

/// How long an earlier, higher recommendation keeps the size up, unless the
/// HorizontalPodAutoscaler says otherwise.
///
/// Upstream: `podautoscaler/config/v1alpha1/defaults.go HorizontalPodAutoscalerDownscaleStabilizationWindow`
const STABILIZATION_SECONDS: i32 = 300;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Recommendation {
    replicas: i32,
    at: Instant,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Scaling {
    change: i32,
    at: Instant,
    outdated: bool,
}

/// Recommendations and changes of one autoscaler. Entries that are too old
/// to matter are overwritten, so that there are never many.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct History {
    recommendations: Vec<Recommendation>,
    ups: Vec<Scaling>,
    downs: Vec<Scaling>,
}

/// What became of a proposal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Verdict {
    /// How many replicas there shall be.
    pub replicas: i32,
    /// Reason and message for the `AbleToScale` condition.
    pub able: (&'static str, &'static str),
    /// Whether limits changed the outcome.
    pub limited: bool,
    /// Reason and message for the `ScalingLimited` condition.
    pub limit: (&'static str, &'static str),
}

/// The sizes that a verdict is made from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sizes {
    /// The target's present size.
    pub current: i32,
    /// What the metrics ask for.
    pub proposed: i32,
    /// `spec.minReplicas`.
    pub min: i32,
    /// `spec.maxReplicas`.
    pub max: i32,
}

const READY: (&str, &str) = ("ReadyForNewScale", "recommended size matches current size");
const UP_STABILIZED: (&str, &str) = (
    "ScaleUpStabilized",
    "recent recommendations were lower than current one, applying the lowest recent recommendation",
);
const DOWN_STABILIZED: (&str, &str) = (
    "ScaleDownStabilized",
    "recent recommendations were higher than current one, applying the highest recent recommendation",
);
const WITHIN: (&str, &str) = ("DesiredWithinRange", "the desired count is within the acceptable range");
const TOO_MANY: (&str, &str) = ("TooManyReplicas", "the desired replica count is more than the maximum replica count");
const TOO_FEW: (&str, &str) = ("TooFewReplicas", "the desired replica count is less than the minimum replica count");
const UP_LIMIT: (&str, &str) =
    ("ScaleUpLimit", "the desired replica count is increasing faster than the maximum scale rate");
const DOWN_LIMIT: (&str, &str) =
    ("ScaleDownLimit", "the desired replica count is decreasing faster than the maximum scale rate");

const fn seconds_before(now: Instant, seconds: i32) -> Instant {
    Instant(now.0 - Span::from_secs(seconds.unsigned_abs() as u64).0 as i64)
}

impl History {
    /// Notes the size that was found first, as if it had been recommended.
    ///
    /// Upstream: `podautoscaler/horizontal.go recordInitialRecommendation`
    pub fn begin(&mut self, current: i32, now: Instant) {
        if self.recommendations.is_empty() {
            self.recommendations.push(Recommendation { replicas: current, at: now });
        }
    }

    /// Puts a new recommendation in the place of the last one that is too old
    /// to matter, or at the end.
    fn remember(&mut self, replicas: i32, now: Instant, is_old: impl Fn(Instant) -> bool) {
        let new = Recommendation { replicas, at: now };
        match self.recommendations.iter().rposition(|r| is_old(r.at)) {
            Some(index) => self.recommendations[index] = new,
            None => self.recommendations.push(new),
        }
    }

    /// What becomes of a proposal without `behavior`: the highest one of the
    /// last five minutes, no more than twice the present size or 4, and
    /// within the limits.
    ///
    /// Upstream: `podautoscaler/horizontal.go normalizeDesiredReplicas`,
    /// `stabilizeRecommendation`, `convertDesiredReplicasWithRules`
    pub fn judge(&mut self, sizes: Sizes, now: Instant) -> Verdict {
        let cutoff = seconds_before(now, STABILIZATION_SECONDS);
        let recent = self.recommendations.iter().filter(|r| r.at >= cutoff);
        let stabilized = recent.map(|r| r.replicas).fold(sizes.proposed, i32::max);
        self.remember(sizes.proposed, now, |at| at < cutoff);
        let up_limit = (2 * i64::from(sizes.current)).max(4).min(i64::from(i32::MAX)) as i32;
        let (most, too_many) = if sizes.max > up_limit { (up_limit, UP_LIMIT) } else { (sizes.max, TOO_MANY) };
        let (replicas, limit) = match stabilized {
            n if n < sizes.min => (sizes.min, TOO_FEW),
            n if n > most => (most, too_many),
            n => (n, WITHIN),
        };
        let able = if stabilized == sizes.proposed { READY } else { DOWN_STABILIZED };
        Verdict { replicas, able, limited: replicas != stabilized, limit }
    }

    /// What becomes of a proposal with `behavior`.
    ///
    /// Upstream: `podautoscaler/horizontal.go normalizeDesiredReplicasWithBehaviors`
    pub fn judge_with(&mut self, behavior: &ScalingBehavior, sizes: Sizes, now: Instant) -> Verdict {
        let stabilized = self.stabilize(behavior, sizes, now);
        let able = match stabilized == sizes.proposed {
            true => READY,
            false if sizes.proposed >= sizes.current => UP_STABILIZED,
            false => DOWN_STABILIZED,
        };
        let (replicas, limit) = self.limit(behavior, Sizes { proposed: stabilized, ..sizes }, now);
        Verdict { replicas, able, limited: replicas != stabilized, limit }
    }

    /// The present size, raised to the lowest recommendation of the window for
    /// going up and lowered to the highest one of the window for going down.
    ///
    /// Upstream: `podautoscaler/horizontal.go stabilizeRecommendationWithBehaviors`
    fn stabilize(&mut self, behavior: &ScalingBehavior, sizes: Sizes, now: Instant) -> i32 {
        let up_cutoff = seconds_before(now, behavior.up.stabilization_seconds.unwrap_or(0));
        let down_cutoff = seconds_before(now, behavior.down.stabilization_seconds.unwrap_or(STABILIZATION_SECONDS));
        let (mut low, mut high) = (sizes.proposed, sizes.proposed);
        for r in &self.recommendations {
            if r.at > up_cutoff {
                low = low.min(r.replicas);
            }
            if r.at > down_cutoff {
                high = high.max(r.replicas);
            }
        }
        self.remember(sizes.proposed, now, |at| at < up_cutoff && at < down_cutoff);
        sizes.current.max(low).min(high)
    }

    /// The size after the limits on the rate of change, and which limit cut it.
    ///
    /// Upstream: `podautoscaler/horizontal.go convertDesiredReplicasWithBehaviorRate`
    fn limit(&self, behavior: &ScalingBehavior, sizes: Sizes, now: Instant) -> (i32, (&'static str, &'static str)) {
        let Sizes { current, proposed, min, max } = sizes;
        if proposed > current {
            let rate = self.up_limit(&behavior.up, current, now).max(current);
            let (most, why) = if max > rate { (rate, UP_LIMIT) } else { (max, TOO_MANY) };
            if proposed > most {
                return (most, why);
            }
        } else if proposed < current {
            let rate = self.down_limit(&behavior.down, current, now).min(current);
            let (fewest, why) = if min < rate { (rate, DOWN_LIMIT) } else { (min, TOO_FEW) };
            if proposed < fewest {
                return (fewest, why);
            }
        }
        (proposed, WITHIN)
    }

    /// The size at the beginning of a policy's period.
    fn at_period_start(&self, policy: &ScalingPolicy, current: i32, now: Instant) -> i32 {
        let cutoff = seconds_before(now, policy.period_seconds);
        let sum = |all: &[Scaling]| -> i32 { all.iter().filter(|s| s.at > cutoff).map(|s| s.change).sum() };
        current - sum(&self.ups) + sum(&self.downs)
    }

    /// Percentages of growth round up: otherwise one pod would stay one for
    /// ever.
    ///
    /// Upstream: `podautoscaler/horizontal.go calculateScaleUpLimitWithScalingRules`
    fn up_limit(&self, rules: &ScalingRules, current: i32, now: Instant) -> i32 {
        let proposals = rules.policies.iter().map(|policy| {
            let start = self.at_period_start(policy, current, now);
            match policy.kind {
                PolicyType::Pods => start.saturating_add(policy.value),
                PolicyType::Percent => (f64::from(start) * (1.0 + f64::from(policy.value) / 100.0)).ceil() as i32,
            }
        });
        match rules.select {
            SelectPolicy::Disabled => current,
            SelectPolicy::Min => proposals.min().unwrap_or(i32::MAX),
            SelectPolicy::Max => proposals.max().unwrap_or(i32::MIN),
        }
    }

    /// Upstream: `podautoscaler/horizontal.go calculateScaleDownLimitWithBehaviors`
    fn down_limit(&self, rules: &ScalingRules, current: i32, now: Instant) -> i32 {
        let proposals = rules.policies.iter().map(|policy| {
            let start = self.at_period_start(policy, current, now);
            match policy.kind {
                PolicyType::Pods => start.saturating_sub(policy.value),
                PolicyType::Percent => (f64::from(start) * (1.0 - f64::from(policy.value) / 100.0)) as i32,
            }
        });
        match rules.select {
            SelectPolicy::Disabled => current,
            SelectPolicy::Min => proposals.max().unwrap_or(i32::MIN),
            SelectPolicy::Max => proposals.min().unwrap_or(i32::MAX),
        }
    }

    /// Notes that the target was scaled.
    ///
    /// Upstream: `podautoscaler/horizontal.go storeScaleEvent`, `markScaleEventsOutdated`
    pub fn scaled(&mut self, behavior: &ScalingBehavior, from: i32, to: i32, now: Instant) {
        let (list, rules, change) = match to > from {
            true => (&mut self.ups, &behavior.up, to - from),
            false => (&mut self.downs, &behavior.down, from - to),
        };
        let longest = rules.policies.iter().map(|policy| policy.period_seconds).max().unwrap_or(0);
        let cutoff = seconds_before(now, longest);
        list.iter_mut().filter(|s| s.at < cutoff).for_each(|s| s.outdated = true);
        let new = Scaling { change, at: now, outdated: false };
        match list.iter().rposition(|s| s.outdated) {
            Some(index) => list[index] = new,
            None => list.push(new),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Instant {
        Instant(seconds * 1_000_000_000)
    }

    fn sizes(current: i32, proposed: i32) -> Sizes {
        Sizes { current, proposed, min: 1, max: 20 }
    }

    #[test]
    fn the_highest_recommendation_of_five_minutes_counts() {
        let mut history = History::default();
        history.begin(4, at(0));
        assert_eq!(history.judge(sizes(4, 2), at(15)).replicas, 4);
        assert_eq!(history.judge(sizes(4, 2), at(300)).able.0, "ScaleDownStabilized");
        assert_eq!(history.judge(sizes(4, 2), at(301)).replicas, 2);
    }

    #[test]
    fn growth_is_at_most_double_or_four() {
        for (current, proposed, replicas, reason) in [
            (1, 9, 4, "ScaleUpLimit"),
            (3, 9, 6, "ScaleUpLimit"),
            (12, 30, 20, "TooManyReplicas"),
            (2, 0, 1, "TooFewReplicas"),
            (2, 3, 3, "DesiredWithinRange"),
        ] {
            let verdict = History::default().judge(sizes(current, proposed), at(0));
            assert_eq!((verdict.replicas, verdict.limit.0), (replicas, reason), "{current} {proposed}");
        }
    }

    #[test]
    fn policies_count_what_was_done_in_their_period() {
        let rules = ScalingRules {
            stabilization_seconds: Some(0),
            policies: vec![ScalingPolicy { kind: PolicyType::Pods, value: 2, period_seconds: 60 }],
            ..ScalingRules::default_down()
        };
        let behavior = ScalingBehavior { up: ScalingRules::default_up(), down: rules };
        let mut history = History::default();
        assert_eq!(history.judge_with(&behavior, sizes(10, 1), at(0)).replicas, 8);
        history.scaled(&behavior, 10, 8, at(0));
        assert_eq!(history.judge_with(&behavior, sizes(8, 1), at(30)).replicas, 8);
        assert_eq!(history.judge_with(&behavior, sizes(8, 1), at(60)).replicas, 6);
    }
}
