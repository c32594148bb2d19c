//! How many pods the owners of some pods want.

use super::{SyncError, View};
use crate::api::{Key, Kind, Pod};
use std::collections::BTreeMap;

/// The sum of the sizes of everything that controls one of the pods. Pods
/// that nothing controls do not count.
///
/// # Errors
/// If the API server does not answer where it must be asked. The answer says
/// so in words if the owner of a pod has no size, such as a DaemonSet or a
/// Job, or is gone.
///
/// Upstream: `disruption/disruption.go getExpectedScale`
pub(super) fn expected_scale(pods: &[(Key, &Pod)], view: View<'_>) -> Result<Result<i32, String>, SyncError> {
    let mut scales: BTreeMap<Key, i32> = BTreeMap::new();
    let mut known: Option<Key> = None;
    for (_, pod) in pods {
        let Some(owner) = pod.meta.controller() else { continue };
        // Pods stand by name, those of an owner next to each other.
        if known == Some(owner) {
            continue;
        }
        match scale_of(owner, view)? {
            Ok(Some((controller, replicas))) => scales.insert(controller, replicas),
            Ok(None) => return Ok(Err(format!("found no controllers for pod {:?}", pod.meta.name))),
            Err(error) => return Ok(Err(error)),
        };
        known = Some(owner);
    }
    Ok(Ok(scales.values().sum()))
}

/// What is found of an owner: the object that decides how many pods it has,
/// and how many; or why that cannot be said.
type Found = Result<Option<(Key, i32)>, String>;

/// The object that decides how many pods an owner has, and how many.
///
/// # Errors
/// If the API server must be asked and does not answer.
///
/// Upstream: `disruption/disruption.go finders`, `getPodDeployment`, `getPodReplicaSet`,
/// `getPodStatefulSet`, `getScaleController`
fn scale_of(owner: Key, view: View<'_>) -> Result<Found, SyncError> {
    let live = || if view.answers { Ok(view.live) } else { Err(SyncError::Unavailable) };
    match owner.kind {
        Kind::ReplicaSet => {
            if let Some(set) = view.cache.replica_sets.get(owner) {
                let deployment = set.meta.controller().filter(|key| key.kind == Kind::Deployment);
                let Some(key) = deployment else { return Ok(Ok(Some((owner, set.spec.replicas)))) };
                if let Some(row) = view.cache.deployments.get(key) {
                    return Ok(Ok(Some((key, row.spec.replicas))));
                }
            }
            // The Deployment is gone, or the cache does not know the
            // ReplicaSet yet: the API server is asked for its size.
            Ok(Ok(live()?.replica_sets.get(owner).map(|set| (owner, set.spec.replicas))))
        }
        Kind::StatefulSet => {
            let set = match view.cache.stateful_sets.get(owner) {
                Some(set) => Some(set),
                None => live()?.stateful_sets.get(owner),
            };
            Ok(Ok(set.map(|set| (owner, set.spec.replicas))))
        }
        Kind::Deployment => Ok(Ok(live()?.deployments.get(owner).map(|row| (owner, row.spec.replicas)))),
        kind => {
            let resource = format!("{}s", kind.name().to_lowercase());
            let group = match kind {
                Kind::Job | Kind::CronJob => "batch",
                _ => "apps",
            };
            Ok(Err(format!("{resource}.{group} does not implement the scale subresource")))
        }
    }
}
