//! The metrics APIs of a run.

use super::hosts::Hosts;
use super::setup::{MetricPoint, Setup};
use super::traffic::TrafficState;
use crate::api::{Key, Labels, MetricName, ObjectRef, Phase, Selector};
use crate::cluster::{Objects, Store};
use crate::controllers::{MetricsApi, NoMetrics, PodMetric, PodMetrics, View};
use crate::environment::traffic::{Reading, Traffic};
use crate::time::{Instant, SimTime, Span};

/// Over how long a reading is taken.
///
/// Upstream: `podautoscaler/metrics/client.go metricServerDefaultMetricWindow`
const WINDOW: Span = Span::from_secs(30);

/// What is to be read now.
pub(super) struct Meters<'a> {
    setup: &'a Setup,
    store: &'a Store,
    cache: Option<&'a Objects>,
    traffic: &'a TrafficState,
    elapsed: SimTime,
    hosts: &'a Hosts,
}

impl<'a> Meters<'a> {
    pub(super) const fn new(
        setup: &'a Setup,
        store: &'a Store,
        cache: Option<&'a Objects>,
        traffic: &'a TrafficState,
        elapsed: SimTime,
        hosts: &'a Hosts,
    ) -> Meters<'a> {
        Meters { setup, store, cache, traffic, elapsed, hosts }
    }

    /// What a controller sees now.
    pub(super) fn view(&self) -> View<'_> {
        let live = self.store.objects();
        View {
            cache: self.cache.unwrap_or(live),
            live,
            answers: self.hosts.api_answers(),
            metrics: self,
            now: self.hosts.manager.wall(self.elapsed),
            monotonic: self.hosts.manager.monotonic(self.elapsed),
            gates: self.setup.control_plane.feature_gates,
        }
    }

    /// The point of the setup that counts now.
    fn point(&self) -> Option<&MetricPoint> {
        let points = &self.setup.metrics;
        points[..points.partition_point(|point| point.at <= self.elapsed)].last()
    }

    /// The pods that have readings: those that run and are not being deleted.
    fn running(&self, namespace: &str, selector: &Selector) -> Vec<Key> {
        let pods = self.store.objects().pods_selected(namespace, selector);
        let running = pods.iter().filter(|(_, pod)| pod.phase == Phase::Running && !pod.meta.is_deleting());
        running.map(|(key, _)| *key).collect()
    }

    /// Readings of running pods that requests are sent to. `value` makes one
    /// of what each Service of the setup has to do with a pod.
    fn readings(
        &self,
        namespace: &str,
        selector: &Selector,
        value: impl Fn(usize, &Reading) -> Option<u64>,
    ) -> PodMetrics {
        if self.setup.traffic.is_empty() {
            return Vec::new();
        }
        let read = |pod: Key| {
            let readings = self.traffic.read(pod, self.elapsed);
            let values: Vec<u64> = readings.iter().filter_map(|(service, r)| value(usize::from(*service), r)).collect();
            let (_, Reading { at, window, .. }) = *readings.first().filter(|_| !values.is_empty())?;
            let at = Instant(self.hosts.manager.wall(self.elapsed).0 - self.elapsed.since(at).0 as i64);
            Some((pod, PodMetric { at, window, value: values.iter().sum::<u64>() as i64 }))
        };
        self.running(namespace, selector).into_iter().filter_map(read).collect()
    }

    /// What clients send to Services of a namespace, in thousandths of a
    /// request a second.
    fn requests(&self, namespace: &str, wanted: impl Fn(&str) -> bool) -> Vec<i64> {
        let of = |(index, traffic): (usize, &Traffic)| {
            let fits = &*traffic.namespace == namespace && wanted(&traffic.service);
            fits.then(|| (self.traffic.requests(index) / 1_000) as i64)
        };
        self.setup.traffic.iter().enumerate().filter_map(of).collect()
    }
}

impl MetricsApi for Meters<'_> {
    fn resource(
        &self,
        namespace: &str,
        selector: &Selector,
        resource: &str,
        container: Option<&str>,
    ) -> Result<PodMetrics, String> {
        let none = || NoMetrics.resource(namespace, selector, resource, container);
        let Some(total) = self.point().and_then(|point| point.cpu_milli) else {
            let used = |service: usize, reading: &Reading| {
                self.setup.traffic[service].pod.cpu.map(|_| reading.cpu_nano / 1_000_000)
            };
            let readings = if resource == "cpu" { self.readings(namespace, selector, used) } else { Vec::new() };
            return if readings.is_empty() { none() } else { Ok(readings) };
        };
        let pods = self.running(namespace, selector);
        if pods.is_empty() || resource != "cpu" {
            return none();
        }
        let each = total / pods.len() as i64;
        let reading = PodMetric { at: self.hosts.manager.wall(self.elapsed), window: WINDOW, value: each };
        Ok(pods.into_iter().map(|pod| (pod, reading)).collect())
    }

    fn pods(&self, namespace: &str, selector: &Selector, metric: &MetricName) -> Result<PodMetrics, String> {
        match self.readings(namespace, selector, |_, reading| Some(reading.requests_micro / 1_000)) {
            none if none.is_empty() => NoMetrics.pods(namespace, selector, metric),
            readings => Ok(readings),
        }
    }

    fn object(&self, namespace: &str, object: &ObjectRef, metric: &MetricName) -> Result<i64, String> {
        let is_service = *object.kind == *"Service";
        let found = self.requests(namespace, |service| is_service && *service == *object.name);
        found.first().map_or_else(|| NoMetrics.object(namespace, object, metric), |value| Ok(*value))
    }

    fn external(&self, namespace: &str, metric: &MetricName) -> Result<Vec<i64>, String> {
        match self.point().and_then(|point| point.external_milli) {
            Some(value) => Ok(vec![value]),
            None => {
                let selects = |service: &str| {
                    let labels = Labels::from([("service", service)]);
                    metric.selector.as_ref().is_none_or(|selector| selector.matches(&labels))
                };
                match self.requests(namespace, selects) {
                    none if none.is_empty() => NoMetrics.external(namespace, metric),
                    values => Ok(values),
                }
            }
        }
    }
}
