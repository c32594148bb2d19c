//! Requests of the controllers that look after nodes and their pods.

use super::Simulation;
use super::apply::Written;
use super::event::PodRef;
use crate::api::{ConditionStatus, Key, Node, Phase, Pressure, Taint};
use crate::cluster::ApiError;
use crate::controllers::Notice;
use crate::trace::{RecordId, What};

impl Simulation {
    /// Posts `Unknown` for what only the kubelet can know.
    ///
    /// Upstream: `nodelifecycle/node_lifecycle_controller.go tryUpdateNodeHealth`
    pub(super) fn give_node_up(&mut self, key: Key, cause: RecordId) -> Result<Written, ApiError> {
        let written = self.recorded(key, cause, |store| {
            store.update(key, None, |node: &mut Node| {
                node.ready = ConditionStatus::Unknown;
                for pressure in [Pressure::Memory, Pressure::Disk, Pressure::Pid] {
                    node.pressures.set(pressure, ConditionStatus::Unknown);
                }
            })
        });
        self.expect_contradiction(key);
        written
    }

    /// Puts a taint on a node in the place of the one with its key and
    /// effect, or takes that one off.
    pub(super) fn write_taint(
        &mut self,
        key: Key,
        taint: &Taint,
        present: bool,
        cause: RecordId,
    ) -> Result<Written, ApiError> {
        self.recorded(key, cause, |store| {
            store.update(key, None, |node: &mut Node| {
                node.taints.retain(|other| !other.is(taint));
                if present {
                    node.taints.push(taint.clone());
                    node.taints.sort();
                }
            })
        })
    }

    /// A pod is not ready because its node is lost.
    ///
    /// Upstream: `pkg/controller/util/node/controller_utils.go MarkPodsNotReady`
    pub(super) fn mark_pod_unready(
        &mut self,
        key: Key,
        version: Option<u64>,
        cause: RecordId,
    ) -> Result<Written, ApiError> {
        let row = self.store.objects().pods.get(key).ok_or(ApiError::NotFound)?;
        if version.is_some_and(|version| version != row.meta.resource_version) {
            return Err(ApiError::Conflict);
        }
        let (now, shown) = (self.hosts.manager.wall(self.now).truncate(), row.phase == Phase::Running);
        self.store.update_pod(key, |pod| {
            pod.ready = false;
            pod.ready_since = now;
        })?;
        if let Some(runtime) = self.runtime_mut(PodRef::of(key)) {
            runtime.overruled = true;
        }
        self.recorder.last = cause;
        if shown {
            self.recorder.note(cause, key.uid, What::Unready);
        }
        self.announce(key, &Notice::warning("NodeNotReady", "Node is not ready"));
        Ok((key, self.version(key)))
    }

    /// A pod that was about to go is there still.
    ///
    /// Upstream: `disruption/disruption.go syncStalePodDisruption`
    pub(super) fn spare_pod(&mut self, key: Key, version: Option<u64>, cause: RecordId) -> Result<Written, ApiError> {
        let row = self.store.objects().pods.get(key).ok_or(ApiError::NotFound)?;
        if version.is_some_and(|version| version != row.meta.resource_version) {
            return Err(ApiError::Conflict);
        }
        self.store.update_pod(key, |pod| pod.disruption = None)?;
        self.recorder.last = cause;
        Ok((key, self.version(key)))
    }

    /// Sets a pod's `DisruptionTarget` condition, if a reason is given, and
    /// its phase, if it is over.
    pub(super) fn mark_pod_disrupted(
        &mut self,
        key: Key,
        reason: &str,
        failed: bool,
        cause: RecordId,
    ) -> Result<Written, ApiError> {
        let row = self.store.objects().pods.get(key).ok_or(ApiError::NotFound)?;
        let news = row.disruption.is_none() && !reason.is_empty();
        self.store.update_pod(key, |pod| {
            if !reason.is_empty() {
                pod.disruption = Some(reason.into());
            }
            if failed {
                pod.phase = Phase::Failed;
            }
        })?;
        self.recorder.last = cause;
        if news {
            let reason = self.recorder.intern(reason);
            self.recorder.note(cause, key.uid, What::DisruptionTarget { reason });
        }
        if failed {
            self.recorder.note(cause, key.uid, What::Failed { exit_code: None, reason: None });
        }
        Ok((key, self.version(key)))
    }
}
