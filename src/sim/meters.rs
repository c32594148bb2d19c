//! The metrics APIs of a run.

use super::hosts::Hosts;
use super::setup::{MetricPoint, Setup};
use crate::api::{Key, MetricName, ObjectRef, Phase, Selector};
use crate::cluster::{Objects, Store};
use crate::controllers::{MetricsApi, NoMetrics, PodMetric, PodMetrics, View};
use crate::time::{SimTime, Span};

/// Over how long a reading is taken.
///
/// Upstream: `podautoscaler/metrics/client.go metricServerDefaultMetricWindow`
const WINDOW: Span = Span::from_secs(30);

/// What is to be read now.
pub(super) struct Meters<'a> {
    setup: &'a Setup,
    store: &'a Store,
    cache: Option<&'a Objects>,
    elapsed: SimTime,
    hosts: &'a Hosts,
}

impl<'a> Meters<'a> {
    pub(super) const fn new(
        setup: &'a Setup,
        store: &'a Store,
        cache: Option<&'a Objects>,
        elapsed: SimTime,
        hosts: &'a Hosts,
    ) -> Meters<'a> {
        Meters { setup, store, cache, elapsed, hosts }
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
        let Some(total) = self.point().and_then(|point| point.cpu_milli) else { return none() };
        let pods = self.running(namespace, selector);
        if pods.is_empty() || resource != "cpu" {
            return none();
        }
        let each = total / pods.len() as i64;
        let reading = PodMetric { at: self.hosts.manager.wall(self.elapsed), window: WINDOW, value: each };
        Ok(pods.into_iter().map(|pod| (pod, reading)).collect())
    }

    fn pods(&self, namespace: &str, selector: &Selector, metric: &MetricName) -> Result<PodMetrics, String> {
        NoMetrics.pods(namespace, selector, metric)
    }

    fn object(&self, namespace: &str, object: &ObjectRef, metric: &MetricName) -> Result<i64, String> {
        NoMetrics.object(namespace, object, metric)
    }

    fn external(&self, namespace: &str, metric: &MetricName) -> Result<Vec<i64>, String> {
        match self.point().and_then(|point| point.external_milli) {
            Some(value) => Ok(vec![value]),
            None => NoMetrics.external(namespace, metric),
        }
    }
}
