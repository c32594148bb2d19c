//! Requests that clients send to Services: how many, which way they take to
//! the pods, and what pods can do with them.
//!
//! Requests are a fluid: between two events every rate is constant, so that
//! sums are exact whatever the rates are. All rates are in millionths of a
//! request a second.

mod demand;
mod flow;
mod meter;

pub use demand::Demand;
pub use flow::{Flow, Rates, RevisionRates, Standing, Way};
pub use meter::{PodMeter, Reading, SCRAPE_PERIOD};

use super::Delay;
use crate::time::Span;
use std::sync::Arc;

/// One request a second.
pub const ONE: u64 = 1_000_000;

/// The requests for one Service and what becomes of them.
#[derive(Clone, PartialEq, Debug)]
pub struct Traffic {
    /// The Service's namespace.
    pub namespace: Arc<str>,
    /// The Service's name.
    pub service: Arc<str>,
    /// How many requests clients send.
    pub demand: Demand,
    /// What a pod can do.
    pub pod: PodPower,
    /// From a change of a pod until it stands in the EndpointSlice.
    pub endpoints: Delay,
    /// From there until requests go elsewhere.
    pub route: Route,
}

/// What one pod can do with requests.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct PodPower {
    /// How many it can serve; absent for as many as come.
    pub capacity: Option<u64>,
    /// How long a request takes: what is under way when a pod is cut off
    /// fails.
    pub latency: Span,
    /// The CPU that a pod uses.
    pub cpu: Option<Cpu>,
    /// A pod is slow at first.
    pub warm_up: Option<WarmUp>,
    /// Millionths of the answers of an image that are errors; without an
    /// image of all that no other entry is for.
    pub errors: Vec<(Option<Arc<str>>, u32)>,
}

/// The CPU that a pod uses.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Cpu {
    /// Thousandths of a CPU second for each request that is served.
    pub per_request_milli: u64,
    /// Thousandths of a CPU while the containers run.
    pub idle_milli: u64,
}

/// A pod is slow at first: caches are cold, code is not compiled.
#[derive(Clone, PartialEq, Debug)]
pub struct WarmUp {
    /// For how long after it has begun to answer.
    pub lasts: Delay,
    /// How many requests it can serve meanwhile, if less.
    pub capacity: Option<u64>,
    /// Thousandths of a CPU that it uses on top, from the start of its
    /// containers on.
    pub cpu_milli: u64,
}

/// Who sends requests to pods.
#[derive(Clone, PartialEq, Debug)]
pub enum Route {
    /// The kube-proxies of the clients' nodes, which learn of a change so much
    /// later.
    Proxies(Delay),
    /// A load balancer that sends to the pods themselves.
    LoadBalancer {
        /// From a change in the EndpointSlice until it acts.
        delay: Delay,
        /// Whether it looks itself whether pods answer.
        checks: Option<HealthChecks>,
    },
}

/// A load balancer asks each pod at intervals whether it answers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HealthChecks {
    /// From one check to the next.
    pub interval: Span,
    /// So many answers in a row bring a pod back.
    pub healthy: u32,
    /// So many failures in a row put it out.
    pub unhealthy: u32,
}

impl PodPower {
    /// Millionths of the answers of an image that are errors.
    pub fn error_share(&self, image: &str) -> u32 {
        let of = |entry: &&(Option<Arc<str>>, u32)| entry.0.as_deref() == Some(image);
        let own = self.errors.iter().rfind(of);
        own.or_else(|| self.errors.iter().rfind(|entry| entry.0.is_none())).map_or(0, |entry| entry.1)
    }

    /// How many requests a pod can serve.
    pub fn capacity(&self, cold: bool) -> Option<u64> {
        let slow = self.warm_up.as_ref().filter(|_| cold).and_then(|warm_up| warm_up.capacity);
        match (self.capacity, slow) {
            (Some(capacity), Some(slow)) => Some(capacity.min(slow)),
            (capacity, slow) => capacity.or(slow),
        }
    }

    /// The CPU of a pod that serves so many requests, in billionths.
    pub fn cpu(&self, runs: bool, cold: bool, served: u64) -> u64 {
        let Some(cpu) = self.cpu.filter(|_| runs) else { return 0 };
        let warm_up = self.warm_up.as_ref().filter(|_| cold).map_or(0, |warm_up| warm_up.cpu_milli);
        (cpu.idle_milli + warm_up) * 1_000_000 + served * cpu.per_request_milli
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_entry_counts() {
        let errors = vec![(None, 1_000), (Some("app:v2".into()), 50_000)];
        let power = PodPower { errors, ..PodPower::default() };
        assert_eq!(power.error_share("app:v2"), 50_000);
        assert_eq!(power.error_share("app:v1"), 1_000);
        assert_eq!(PodPower::default().error_share("app:v1"), 0);
    }

    #[test]
    fn cold_pods_are_slower_and_use_more() {
        let warm_up = WarmUp { lasts: Delay::Constant(Span::from_secs(30)), capacity: Some(10 * ONE), cpu_milli: 500 };
        let power = PodPower {
            capacity: Some(50 * ONE),
            cpu: Some(Cpu { per_request_milli: 5, idle_milli: 20 }),
            warm_up: Some(warm_up),
            ..PodPower::default()
        };
        assert_eq!((power.capacity(false), power.capacity(true)), (Some(50 * ONE), Some(10 * ONE)));
        assert_eq!(power.cpu(true, false, 40 * ONE), 220_000_000, "20m and 40 times 5m");
        assert_eq!(power.cpu(true, true, 0), 520_000_000);
        assert_eq!(power.cpu(false, true, 0), 0);
    }
}
