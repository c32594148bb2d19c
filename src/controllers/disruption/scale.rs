//! How many pods the owners of some pods want.

use super::View;
use crate::api::{Key, Kind, Pod};
use std::collections::BTreeMap;

/// The sum of the sizes of everything that controls one of the pods. Pods
/// that nothing controls do not count.
///
/// # Errors
/// If the owner of a pod has no size, such as a DaemonSet or a Job, or is
/// gone.
///
/// Upstream: `disruption/disruption.go getExpectedScale`
pub(super) fn expected_scale(pods: &[(Key, &Pod)], view: View<'_>) -> Result<i32, String> {
    let mut scales: BTreeMap<Key, i32> = BTreeMap::new();
    let mut known: Option<Key> = None;
    for (_, pod) in pods {
        let Some(owner) = pod.meta.controller() else { continue };
        // Pods stand by name, those of an owner next to each other.
        if known == Some(owner) {
            continue;
        }
        match scale_of(owner, view)? {
            Some((controller, replicas)) => scales.insert(controller, replicas),
            None => return Err(format!("found no controllers for pod {:?}", pod.meta.name)),
        };
        known = Some(owner);
    }
    Ok(scales.values().sum())
}

/// The object that decides how many pods an owner has, and how many.
///
/// Upstream: `disruption/disruption.go finders`, `getPodDeployment`, `getPodReplicaSet`,
/// `getPodStatefulSet`, `getScaleController`
fn scale_of(owner: Key, view: View<'_>) -> Result<Option<(Key, i32)>, String> {
    match owner.kind {
        Kind::ReplicaSet => {
            if let Some(set) = view.cache.replica_sets.get(owner) {
                let deployment = set.meta.controller().filter(|key| key.kind == Kind::Deployment);
                let Some(key) = deployment else { return Ok(Some((owner, set.spec.replicas))) };
                if let Some(row) = view.cache.deployments.get(key) {
                    return Ok(Some((key, row.spec.replicas)));
                }
            }
            // The Deployment is gone, or the cache does not know the
            // ReplicaSet yet: the API server is asked for its size.
            Ok(view.live.replica_sets.get(owner).map(|set| (owner, set.spec.replicas)))
        }
        Kind::StatefulSet => {
            let set = view.cache.stateful_sets.get(owner).or_else(|| view.live.stateful_sets.get(owner));
            Ok(set.map(|set| (owner, set.spec.replicas)))
        }
        Kind::Deployment => Ok(view.live.deployments.get(owner).map(|row| (owner, row.spec.replicas))),
        kind => {
            let resource = format!("{}s", kind.name().to_lowercase());
            let group = match kind {
                Kind::Job | Kind::CronJob => "batch",
                _ => "apps",
            };
            Err(format!("{resource}.{group} does not implement the scale subresource"))
        }
    }
}
