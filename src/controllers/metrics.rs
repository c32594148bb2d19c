//! The metrics APIs, as autoscalers ask them.

use crate::api::{Key, MetricName, ObjectRef, Selector};
use crate::time::{Instant, Span};

/// A reading of one pod.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PodMetric {
    /// When it was taken.
    pub at: Instant,
    /// Over how long.
    pub window: Span,
    /// In thousandths: millicores, thousandths of a byte.
    pub value: i64,
}

/// Readings by pod.
pub type PodMetrics = Vec<(Key, PodMetric)>;

/// What can be asked of the metrics APIs. All amounts are in thousandths,
/// and every question may fail with a text that says why.
pub trait MetricsApi {
    /// What pods use of a resource, all their containers or one.
    ///
    /// # Errors
    /// If no metrics are there.
    fn resource(
        &self,
        namespace: &str,
        selector: &Selector,
        resource: &str,
        container: Option<&str>,
    ) -> Result<PodMetrics, String>;

    /// A number that each pod has.
    ///
    /// # Errors
    /// If no metrics are there.
    fn pods(&self, namespace: &str, selector: &Selector, metric: &MetricName) -> Result<PodMetrics, String>;

    /// A number that an object has.
    ///
    /// # Errors
    /// If it has none.
    fn object(&self, namespace: &str, object: &ObjectRef, metric: &MetricName) -> Result<i64, String>;

    /// Numbers from outside the cluster.
    ///
    /// # Errors
    /// If there are none.
    fn external(&self, namespace: &str, metric: &MetricName) -> Result<Vec<i64>, String>;
}

/// A cluster without a metrics server.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoMetrics;

impl MetricsApi for NoMetrics {
    fn resource(&self, _: &str, _: &Selector, _: &str, _: Option<&str>) -> Result<PodMetrics, String> {
        Err("no metrics returned from resource metrics API".to_string())
    }

    fn pods(&self, _: &str, _: &Selector, _: &MetricName) -> Result<PodMetrics, String> {
        Err("no metrics returned from custom metrics API".to_string())
    }

    fn object(&self, _: &str, _: &ObjectRef, _: &MetricName) -> Result<i64, String> {
        Err("no metrics returned from custom metrics API".to_string())
    }

    fn external(&self, _: &str, _: &MetricName) -> Result<Vec<i64>, String> {
        Err("no metrics returned from external metrics API".to_string())
    }
}
