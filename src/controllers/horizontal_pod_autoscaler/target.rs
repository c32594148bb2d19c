//! What an autoscaler scales: the scale subresource.

use crate::api::{HorizontalPodAutoscaler, Key, Kind, Selector};
use crate::cluster::Objects;
use std::sync::Arc;

/// The scale subresource of an object.
#[derive(Clone, Debug)]
pub(super) struct Scale {
    /// The object.
    pub(super) key: Key,
    /// `spec.replicas`.
    pub(super) replicas: i32,
    /// `status.replicas`.
    pub(super) current: i32,
    /// `status.selector`.
    pub(super) selector: Arc<Selector>,
}

/// Reads the scale of an autoscaler's target.
///
/// # Errors
/// The API server's words if there is none.
///
/// Upstream: `podautoscaler/horizontal.go scaleForResourceMappings`
pub(super) fn scale_of(autoscaler: &HorizontalPodAutoscaler, objects: &Objects) -> Result<Scale, String> {
    let target = &autoscaler.spec.target;
    let group = target.api_version.split_once('/').map_or("", |(group, _)| group);
    let kind = match (group, &*target.kind) {
        ("apps", "Deployment") => Kind::Deployment,
        ("apps", "ReplicaSet") => Kind::ReplicaSet,
        ("apps", "StatefulSet") => Kind::StatefulSet,
        ("apps", "DaemonSet") | ("batch", "Job" | "CronJob") => {
            return Err("the server could not find the requested resource".to_string());
        }
        _ => return Err(format!("no matches for kind {:?} in group {group:?}", target.kind)),
    };
    let found = objects.find(kind, &autoscaler.meta.namespace, &target.name).and_then(|key| scale(key, objects));
    found.ok_or_else(|| format!("{}s.{group} {:?} not found", kind.name().to_lowercase(), target.name))
}

fn scale(key: Key, objects: &Objects) -> Option<Scale> {
    let (replicas, current, selector) = match key.kind {
        Kind::Deployment => {
            objects.deployments.get(key).map(|d| (d.spec.replicas, d.status.replicas, &d.spec.selector))
        }
        Kind::ReplicaSet => {
            objects.replica_sets.get(key).map(|r| (r.spec.replicas, r.status.replicas, &r.spec.selector))
        }
        Kind::StatefulSet => {
            objects.stateful_sets.get(key).map(|s| (s.spec.replicas, s.status.replicas, &s.spec.selector))
        }
        _ => None,
    }?;
    Some(Scale { key, replicas, current, selector: selector.clone() })
}
