//! What becomes of the requests for a Service, over time.

use super::{Series, Steps};
use crate::time::{SECOND, SimTime};
use crate::trace::{Field, Value};
use std::collections::BTreeSet;

/// A Service that requests are sent to.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Service {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    endpoints: Steps,
    routable: Steps,
    serving: Steps,
    dead_ends: Steps,
    requests: Steps,
    capacity: Steps,
    served: Steps,
    failed: Steps,
    refused: Steps,
    shed: Steps,
    errors: Steps,
    cut: Steps,
    /// The workloads whose pods ever got its requests, as places in
    /// [`Timeline::workloads`](super::Timeline::workloads).
    pub(super) workloads: BTreeSet<usize>,
}

/// How many requests there were in a time and what became of them, in
/// millionths of a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Flows {
    /// All of them.
    pub requests: i128,
    /// Those that failed, for whatever reason.
    pub failed: i128,
    /// Those that nobody answered.
    pub refused: i128,
    /// Those that were more than pods could serve.
    pub shed: i128,
    /// Those that were answered with an error.
    pub errors: i128,
    /// Those that were under way when their pod was cut off.
    pub cut: i128,
}

impl Service {
    pub(super) fn new(namespace: &str, name: &str) -> Service {
        Service { namespace: namespace.to_string(), name: name.to_string(), ..Service::default() }
    }

    /// One of its step functions, if Services have it. Those of requests are
    /// in millionths of a request a second.
    pub fn series(&self, series: Series) -> Option<&Steps> {
        Some(match series {
            Series::Endpoints => &self.endpoints,
            Series::Routable => &self.routable,
            Series::Serving => &self.serving,
            Series::DeadEnds => &self.dead_ends,
            Series::Requests => &self.requests,
            Series::Capacity => &self.capacity,
            Series::Served => &self.served,
            Series::FailedRequests => &self.failed,
            Series::Refused => &self.refused,
            Series::Shed => &self.shed,
            Series::Errors => &self.errors,
            Series::CutRequests => &self.cut,
            _ => return None,
        })
    }

    /// The workloads whose pods ever got its requests, as places in
    /// [`Timeline::workloads`](super::Timeline::workloads).
    pub fn workloads(&self) -> impl Iterator<Item = usize> + '_ {
        self.workloads.iter().copied()
    }

    /// `service/web`, as kubectl prints it.
    pub fn path(&self) -> String {
        format!("service/{}", self.name)
    }

    /// Whether requests are sent to it at all.
    pub fn has_requests(&self) -> bool {
        self.requests.points().iter().any(|point| point.1 > 0)
    }

    /// The last moment at which anything about its load or its pods changed.
    pub fn last_change(&self) -> SimTime {
        let all = [
            &self.endpoints,
            &self.routable,
            &self.serving,
            &self.dead_ends,
            &self.requests,
            &self.capacity,
            &self.refused,
            &self.shed,
            &self.errors,
            &self.cut,
        ];
        all.iter().filter_map(|steps| steps.points().last()).map(|point| point.0).max().unwrap_or_default()
    }

    /// What became of its requests in a range.
    pub fn flows(&self, from: SimTime, to: SimTime) -> Flows {
        let sum = |steps: &Steps| steps.integral(from, to) / i128::from(SECOND);
        let before = self.cut.at(SimTime(from.0.saturating_sub(1)));
        let cut = i128::from(self.cut.at(SimTime(to.0.saturating_sub(1))) - before);
        Flows {
            requests: sum(&self.requests),
            failed: sum(&self.failed) + cut,
            refused: sum(&self.refused),
            shed: sum(&self.shed),
            errors: sum(&self.errors),
            cut,
        }
    }

    /// Keeps a recorded change.
    pub(super) fn change(&mut self, at: SimTime, field: Field, value: Value) {
        let steps = match field {
            Field::Endpoints => &mut self.endpoints,
            Field::RoutablePods => &mut self.routable,
            Field::ServingPods => &mut self.serving,
            Field::DeadEnds => &mut self.dead_ends,
            Field::Requests => &mut self.requests,
            Field::RequestCapacity => &mut self.capacity,
            Field::RefusedRequests => &mut self.refused,
            Field::ShedRequests => &mut self.shed,
            Field::ErrorAnswers => &mut self.errors,
            Field::CutRequests => &mut self.cut,
            _ => return,
        };
        // A capacity without limit has no number.
        if field != Field::RequestCapacity || value != Value::Absent {
            steps.set(at, value.as_int().unwrap_or(0));
        }
    }

    /// Adds up what follows from the rest.
    pub(super) fn finish(&mut self) {
        let plus = |a: &Steps, b: &Steps| a.zip_with(b, i64::saturating_add);
        self.failed = plus(&plus(&self.refused, &self.shed), &self.errors);
        self.served = self.requests.zip_with(&self.failed, |all, failed| (all - failed).max(0));
    }
}

/// Millionths as a number with at most three digits after the point; what is
/// not nothing never looks like nothing.
pub fn rate(millionths: i64) -> String {
    let size = millionths.unsigned_abs();
    let thousandths = if size >= 1_000_000 { (size + 500) / 1_000 } else { size.div_ceil(1_000) };
    let sign = if millionths < 0 { "-" } else { "" };
    match thousandths % 1_000 {
        0 => format!("{sign}{}", thousandths / 1_000),
        rest => format!("{sign}{}.{rest:03}", thousandths / 1_000).trim_end_matches('0').to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_have_few_digits() {
        for (millionths, text) in [
            (0, "0"),
            (1, "0.001"),
            (200_000_000, "200"),
            (33_333_333, "33.333"),
            (1_500_000, "1.5"),
            (-2_000_000, "-2"),
        ] {
            assert_eq!(rate(millionths), text);
        }
    }

    #[test]
    fn flows_are_sums_over_time() {
        let s = SimTime::from_secs;
        let mut service = Service::new("default", "web");
        for (at, field, value) in [
            (0, Field::Requests, 100_000_000),
            (10, Field::RefusedRequests, 25_000_000),
            (13, Field::RefusedRequests, 0),
            (20, Field::CutRequests, 4_000_000),
        ] {
            service.change(s(at), field, Value::Int(value));
        }
        service.finish();
        let flows = service.flows(s(5), s(25));
        assert_eq!((flows.requests, flows.refused, flows.cut), (2_000_000_000, 75_000_000, 4_000_000));
        assert_eq!(flows.failed, 79_000_000);
        assert_eq!(service.flows(s(20), s(21)).cut, 4_000_000, "the moment belongs to the range");
        assert_eq!(service.flows(s(21), s(30)).failed, 0);
        assert_eq!(service.series(Series::Served).map(|s| s.at(SimTime::from_secs(11))), Some(75_000_000));
    }
}
