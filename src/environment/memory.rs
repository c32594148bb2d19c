//! Which pod a kubelet evicts when its node is short of memory.

use crate::time::Span;
use std::cmp::Reverse;
use std::sync::Arc;

/// From this priority on pods are critical: no kubelet evicts them.
///
/// Upstream: `pkg/kubelet/types/pod_update.go IsCriticalPodBasedOnPriority`
const CRITICAL: i32 = 2_000_000_000;

/// How much memory a container uses: from so long after its start on so many
/// bytes, in order of time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MemoryUse(Arc<[(Span, i64)]>);

impl MemoryUse {
    /// From these steps; the first one counts from the start.
    pub fn new(steps: &[(Span, i64)]) -> MemoryUse {
        MemoryUse(steps.into())
    }

    /// The bytes so long after the start.
    pub fn at(&self, age: Span) -> i64 {
        let past = self.0.partition_point(|(from, _)| *from <= age);
        self.0.get(past.saturating_sub(1)).map_or(0, |(_, bytes)| *bytes)
    }

    /// How long after the start it first uses more than so many bytes, and
    /// how many that is.
    pub fn exceeds(&self, limit: i64) -> Option<(Span, i64)> {
        self.0.iter().find(|(_, bytes)| *bytes > limit).copied()
    }
}

/// A running pod in the kubelet's eyes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MemoryUser {
    /// Its name, which decides between those that are alike.
    pub name: Arc<str>,
    /// Its priority.
    pub priority: i32,
    /// Bytes that it uses.
    pub usage: i64,
    /// Bytes that it has asked for.
    pub request: i64,
}

impl MemoryUser {
    /// Whether it uses more than it has asked for.
    pub const fn exceeds_request(&self) -> bool {
        self.usage > self.request
    }

    /// Whether it stays whatever it uses.
    pub const fn is_critical(&self) -> bool {
        self.priority >= CRITICAL
    }
}

/// Which of the pods of a node is evicted: of those that use more than they
/// have asked for, or else of all, those of the lowest priority, and of these
/// the one that is furthest above its request. Critical pods are left out.
///
/// Upstream: `pkg/kubelet/eviction/helpers.go rankMemoryPressure`,
/// `eviction_manager.go evictPod`
pub fn first_to_go(pods: &[MemoryUser]) -> Option<usize> {
    let candidates = pods.iter().enumerate().filter(|(_, pod)| !pod.is_critical());
    let rank = |pod: &MemoryUser| (!pod.exceeds_request(), pod.priority, Reverse(pod.usage - pod.request));
    candidates.min_by(|(_, a), (_, b)| rank(a).cmp(&rank(b)).then_with(|| a.name.cmp(&b.name))).map(|(i, _)| i)
}

/// Bytes as the API writes them, `300Mi`: in the largest unit that leaves a
/// whole number.
///
/// Upstream: `staging/src/k8s.io/apimachinery/pkg/api/resource/quantity.go CanonicalizeBytes`
pub fn in_binary_units(bytes: i64) -> String {
    let units = ["", "Ki", "Mi", "Gi", "Ti"];
    let fits = |n: &usize| bytes % (1_i64 << (10 * n)) == 0;
    let unit = if bytes == 0 { 0 } else { (0..units.len()).rev().find(fits).unwrap_or(0) };
    format!("{}{}", bytes >> (10 * unit), units[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(name: &str, priority: i32, usage: i64, request: i64) -> MemoryUser {
        MemoryUser { name: name.into(), priority, usage, request }
    }

    #[test]
    fn requests_come_first_then_priority_then_what_is_above() {
        for (pods, goes, why) in [
            (vec![user("a", 0, 500, 400), user("b", 0, 900, 900)], Some(0), "only a is above its request"),
            (vec![user("a", 9, 500, 400), user("b", 1, 410, 400)], Some(1), "b has the lower priority"),
            (vec![user("a", 0, 500, 400), user("b", 0, 450, 100)], Some(1), "b is further above"),
            (vec![user("b", 0, 5, 4), user("a", 0, 5, 4)], Some(1), "by name"),
            (vec![user("a", 5, 1, 4), user("b", 5, 3, 4)], Some(1), "nobody is above: the least below"),
            (vec![user("a", CRITICAL, 9, 0), user("b", 1000, 1, 2)], Some(1), "a is critical"),
            (vec![user("a", CRITICAL + 1000, 9, 0)], None, "nobody may go"),
            (vec![], None, "nobody is there"),
        ] {
            assert_eq!(first_to_go(&pods), goes, "{why}");
        }
    }

    #[test]
    fn usage_is_read_step_by_step() {
        let steps = MemoryUse::new(&[(Span::ZERO, 5), (Span::from_secs(60), 9)]);
        for (age, bytes) in [(0, 5), (59, 5), (60, 9), (600, 9)] {
            assert_eq!(steps.at(Span::from_secs(age)), bytes, "{age} s");
        }
        for (limit, exceeded) in [(4, Some((0, 5))), (5, Some((60, 9))), (8, Some((60, 9))), (9, None)] {
            let exceeded = exceeded.map(|(age, bytes)| (Span::from_secs(age), bytes));
            assert_eq!(steps.exceeds(limit), exceeded, "{limit}");
        }
    }

    #[test]
    fn bytes_are_written_as_the_api_does() {
        for (bytes, text) in [(0, "0"), (100 << 20, "100Mi"), (1 << 30, "1Gi"), (3 << 29, "1536Mi"), (1025, "1025")] {
            assert_eq!(in_binary_units(bytes), text);
        }
    }
}
