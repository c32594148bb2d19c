//! Requests that clients send to Services.

use super::Compiler;
use crate::api::Kind;
use crate::environment::Delay;
use crate::environment::traffic::{Cpu, Demand, HealthChecks, PodPower, Route, Traffic, WarmUp};
use crate::scenario::file::{
    Curve, DelayEntry, DemandEntry, Duration, ErrorsEntry, LoadBalancerEntry, Probability, Rate, TrafficEntry,
};
use crate::scenario::scope::Scope;
use crate::time::{SECOND, SimTime, Span, Timestamp};
use std::collections::BTreeMap;
use std::sync::Arc;

/// From a change of a pod until it is in the EndpointSlice, if nobody says.
const ENDPOINTS: Span = Span::from_ms(100);
/// From there until proxies act, if nobody says: as long as they wait at most.
///
/// Upstream: `pkg/proxy/apis/config/v1alpha1/defaults.go SetDefaults_KubeProxyConfiguration`
const PROXY: Span = Span::from_secs(1);
/// The steps in which requests rise and fall.
const STEP: Span = Span::from_secs(15);
/// The same over a day.
const STEP_OF_DAY: Span = Span::from_secs(300);
/// Seconds of a day.
const DAY: i64 = 86_400;

impl Compiler<'_> {
    /// The requests, and what was assumed about them.
    pub(super) fn traffic(
        &mut self,
        entries: &BTreeMap<String, TrafficEntry>,
        scope: &mut Scope,
        start: Timestamp,
    ) -> Vec<Traffic> {
        let mut all = Vec::new();
        for (name, entry) in entries {
            let field = format!("spec.traffic.{name}");
            let Some(service) = self.check_name(&field, scope.object(name)) else { continue };
            let (namespace, service) = (service.namespace.clone(), (service.kind, service.name.clone()));
            if service.0 != Kind::Service {
                let hint = "requests are sent to a Service, such as service/web".to_string();
                self.problem(&field, format!("{name} is no Service"), Some(hint));
                continue;
            }
            scope.traffic.push((namespace.clone(), service.1.clone()));
            all.push(Traffic {
                namespace: namespace.as_str().into(),
                service: service.1.as_str().into(),
                demand: self.demand(entry.requests.as_ref(), &format!("{field}.requests"), start),
                pod: self.power(entry, &field),
                endpoints: self.delay(entry.endpoints.as_ref(), ENDPOINTS, &format!("{field}.endpoints")),
                route: self.way(entry, &field),
            });
        }
        all
    }

    /// A delay that happens for sure.
    fn delay(&mut self, entry: Option<&DelayEntry>, usual: Span, field: &str) -> Delay {
        let Some(entry) = entry else { return Delay::Constant(usual) };
        self.distribution(entry, field);
        Delay::from(entry)
    }

    fn way(&mut self, entry: &TrafficEntry, field: &str) -> Route {
        let Some(LoadBalancerEntry { delay, health_check }) = &entry.load_balancer else {
            return Route::Proxies(self.delay(entry.proxy.as_ref(), PROXY, &format!("{field}.proxy")));
        };
        if entry.proxy.is_some() {
            let message = "a load balancer sends requests to the pods itself, and no proxy has a part in it";
            self.problem(&format!("{field}.proxy"), message, Some("leave one of them out".to_string()));
        }
        let field = format!("{field}.loadBalancer");
        self.distribution(delay, &field);
        let checks = health_check.map(|check| HealthChecks {
            interval: check.interval.0,
            healthy: check.healthy.unwrap_or(2),
            unhealthy: check.unhealthy.unwrap_or(2),
        });
        if checks.is_some_and(|checks| checks.interval == Span::ZERO) {
            self.problem(&format!("{field}.healthCheck.interval"), "the interval must be above 0", None);
        }
        for (name, of) in [("healthy", checks.map(|c| c.healthy)), ("unhealthy", checks.map(|c| c.unhealthy))] {
            if of == Some(0) {
                self.problem(&format!("{field}.healthCheck.{name}"), "this is at least 1", None);
            }
        }
        Route::LoadBalancer { delay: Delay::from(delay), checks }
    }

    fn power(&mut self, entry: &TrafficEntry, field: &str) -> PodPower {
        let milli = |quantity: crate::scenario::file::Quantity| quantity.milli.unsigned_abs();
        let warm_up = entry.warm_up.as_ref().map(|warm_up| {
            self.distribution(&warm_up.lasts, &format!("{field}.warmUp.lasts"));
            if warm_up.capacity.is_none() && warm_up.cpu.is_none() {
                let hint = "say its `capacity` meanwhile, or the `cpu` that it uses on top".to_string();
                self.problem(&format!("{field}.warmUp"), "this changes nothing", Some(hint));
            }
            WarmUp {
                lasts: Delay::from(&warm_up.lasts),
                capacity: warm_up.capacity.map(|rate| rate.micro),
                cpu_milli: warm_up.cpu.map_or(0, milli),
            }
        });
        PodPower {
            capacity: entry.capacity.map(|rate| rate.micro),
            latency: entry.latency.map_or(Span::ZERO, |latency| latency.0),
            cpu: entry
                .cpu
                .map(|cpu| Cpu { per_request_milli: milli(cpu.request), idle_milli: cpu.idle.map_or(0, milli) }),
            warm_up,
            errors: entry.errors.as_ref().map(|errors| self.errors(errors, field)).unwrap_or_default(),
        }
    }

    fn errors(&mut self, entry: &ErrorsEntry, field: &str) -> Vec<(Option<Arc<str>>, u32)> {
        let millionths = |share: &Probability| (share.0 * 1e6).round() as u32;
        let by_image = match entry {
            ErrorsEntry::All(share) => return vec![(None, millionths(share))],
            ErrorsEntry::ByImage(by_image) => by_image,
        };
        let mut errors = Vec::new();
        for (key, share) in by_image {
            match key.strip_prefix("image/") {
                Some(image) => errors.push((Some(image.into()), millionths(share))),
                None if key == "*" => errors.push((None, millionths(share))),
                None => {
                    let hint = format!("write image/{key}, or * for all others");
                    self.problem(&format!("{field}.errors.{key}"), format!("`{key}` names no image"), Some(hint));
                }
            }
        }
        errors
    }

    fn demand(&mut self, entry: Option<&DemandEntry>, field: &str, start: Timestamp) -> Demand {
        match entry {
            None => Demand::constant(0),
            Some(DemandEntry::Constant(rate)) => Demand::constant(rate.micro),
            Some(DemandEntry::Steps(points) | DemandEntry::Curve(Curve::Steps(points))) => {
                Demand::Steps(self.points(points, field))
            }
            Some(DemandEntry::Curve(Curve::Ramp(points))) => {
                Demand::Ramp { points: self.points(points, field), every: STEP }
            }
            Some(DemandEntry::Curve(Curve::Sawtooth { low, high, period })) => {
                self.rises(*low, *high, &format!("{field}.sawtooth"));
                if period.0 < STEP {
                    self.problem(&format!("{field}.sawtooth.period"), format!("this is shorter than {STEP}"), None);
                }
                Demand::Sawtooth { low: low.micro, high: high.micro, period: period.0, every: STEP }
            }
            Some(DemandEntry::Curve(Curve::Daily { low, high, peak })) => {
                self.rises(*low, *high, &format!("{field}.daily"));
                let peak = (peak.0.0 / SECOND) as i64;
                if peak >= DAY {
                    let hint = "write a time of day, such as 14h or 14h30m".to_string();
                    self.problem(&format!("{field}.daily.peak"), "a day has 24 hours", Some(hint));
                }
                let first = (peak - start.0).rem_euclid(DAY);
                let peak = Span::from_secs(first.unsigned_abs());
                Demand::Daily { low: low.micro, high: high.micro, peak, every: STEP_OF_DAY }
            }
        }
    }

    fn rises(&mut self, low: Rate, high: Rate, field: &str) {
        if low.micro > high.micro {
            self.problem(&format!("{field}.low"), "`low` is above `high`", None);
        }
    }

    fn points(&mut self, points: &[(Duration, Rate)], field: &str) -> Arc<[(SimTime, u64)]> {
        if points.is_empty() {
            self.problem(field, "there must be at least one point", None);
        }
        if points.windows(2).any(|pair| pair[0].0.0 >= pair[1].0.0) {
            self.problem(field, "the points must be in order of time", None);
        }
        points.iter().map(|(at, rate)| (SimTime::ZERO.after(at.0), rate.micro)).collect()
    }
}
