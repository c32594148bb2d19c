//! Pods and their readings, as the rules look at them.

use super::rules::Sample;
use crate::api::{Key, Pod, PodTemplate, parse_quantity};
use crate::controllers::metrics::PodMetrics;
use rustc_hash::FxHashMap;
use serde_json::Value;

/// The pods with their readings. What they request is filled in later, as it
/// may be missing and need not be known.
pub(super) fn samples(pods: &[(Key, &Pod)], metrics: &PodMetrics) -> Vec<Sample> {
    let by_pod: FxHashMap<Key, _> = metrics.iter().map(|(key, metric)| (*key, *metric)).collect();
    pods.iter()
        .map(|(key, pod)| Sample {
            phase: pod.phase,
            deleting: pod.meta.is_deleting(),
            ready: pod.started.map(|_| (pod.ready, pod.ready_since)),
            started: pod.started,
            metric: by_pod.get(key).copied(),
            request: 0,
        })
        .collect()
}

/// Fills in what the pods request of a resource.
///
/// # Errors
/// If one of them, or one of its containers, does not say.
///
/// Upstream: `podautoscaler/replica_calculator.go calculateRequests`
pub(super) fn fill_in_requests(
    samples: &mut [Sample],
    pods: &[(Key, &Pod)],
    resource: &str,
    container: Option<&str>,
) -> Result<(), String> {
    // Pods of a revision share their template.
    let mut known: Option<(*const PodTemplate, i64)> = None;
    for (sample, (_, pod)) in samples.iter_mut().zip(pods) {
        let template = std::sync::Arc::as_ptr(&pod.template);
        sample.request = match known {
            Some((same, request)) if same == template => request,
            _ => request_of(pod, resource, container)?,
        };
        known = Some((template, sample.request));
    }
    Ok(())
}

/// Upstream: `podautoscaler/replica_calculator.go calculatePodLevelRequests`,
/// `calculatePodRequestsFromContainers`
fn request_of(pod: &Pod, resource: &str, container: Option<&str>) -> Result<i64, String> {
    let spec = pod.template.raw.value().get("spec");
    let name = &pod.meta.name;
    let amount = |of: &Value| of.get(resource).and_then(Value::as_str).and_then(|text| parse_quantity(text).ok());
    if let (None, Some(requests)) = (container, spec.and_then(|s| s.pointer("/resources/requests")))
        && let Some(request) = amount(requests)
    {
        return Ok(request);
    }
    let list = |field: &str| spec.and_then(|s| s.get(field)).and_then(Value::as_array).into_iter().flatten();
    let sidecars = list("initContainers").filter(|c| c.get("restartPolicy").and_then(Value::as_str) == Some("Always"));
    let mut total = 0;
    for c in list("containers").chain(sidecars) {
        let own = c.get("name").and_then(Value::as_str).unwrap_or_default();
        if container.is_some_and(|wanted| wanted != own) {
            continue;
        }
        let request = c.pointer("/resources/requests").and_then(amount);
        let request =
            request.ok_or_else(|| format!("missing request for {resource} in container {own} of Pod {name}"))?;
        if container.is_some() {
            return Ok(request);
        }
        total += request;
    }
    match container {
        Some(container) => Err(format!("container {container} not found in Pod {name}")),
        None => Ok(total),
    }
}
