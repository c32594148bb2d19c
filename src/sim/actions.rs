//! What people do to the cluster: requests from outside, and mishaps.

use super::Simulation;
use super::apply::Written;
use super::event::PodRef;
use super::fields::Recorded;
use crate::api::{
    Annotations, DaemonSet, Deployment, Gate, HorizontalPodAutoscaler, Key, Kind, Labels, Meta, NamedOwner, Node,
    Object, OwnerRef, Phase, PodDisruptionBudget, PodTemplate, ReplicaSet, Selector, Service, StatefulSet,
    StatefulStrategy,
};
use crate::cluster::ApiError;
use crate::sim::setup::{Action, Component, PatchType, Target};
use crate::trace::{RecordId, SubjectId, What};
use std::sync::Arc;

/// Why an action was refused.
pub(super) struct Refusal {
    reason: &'static str,
    message: String,
}

impl Refusal {
    fn not_found(target: &Target) -> Refusal {
        let resource = format!("{}s", target.kind.name().to_lowercase());
        let group = target.kind.group_suffix();
        Refusal { reason: "NotFound", message: format!("{resource}{group} \"{}\" not found", target.name) }
    }

    pub(super) fn of(reason: &'static str, message: impl Into<String>) -> Refusal {
        Refusal { reason, message: message.into() }
    }

    pub(super) fn invalid(message: impl Into<String>) -> Refusal {
        Refusal { reason: "Invalid", message: message.into() }
    }
}

impl From<ApiError> for Refusal {
    fn from(error: ApiError) -> Refusal {
        let message = match &error {
            ApiError::Invalid(message)
            | ApiError::Forbidden(message)
            | ApiError::TooManyRequests(message)
            | ApiError::Internal(message) => message.clone(),
            other => format!("{other:?}"),
        };
        Refusal { reason: error.reason(), message }
    }
}

pub(super) type Outcome = Result<(), Refusal>;

impl Simulation {
    /// Applies the objects of the beginning, in their order.
    pub(super) fn apply_objects(&mut self, objects: &[Object]) {
        for (index, object) in objects.iter().enumerate() {
            if let Err(refusal) = self.apply_object(object, RecordId::NONE) {
                let nobody = self.recorder.cluster();
                self.record_refusal(index as u32, true, &refusal, nobody);
            }
            self.publish();
        }
    }

    /// The action of this index happens.
    pub(super) fn act(&mut self, index: u32) {
        let setup = self.setup.clone();
        let planned = (index as usize).checked_sub(setup.actions.len()).and_then(|i| self.planned.get(i).cloned());
        let timed = setup.actions.get(index as usize).map(|timed| &timed.action);
        match timed.or(planned.as_deref()) {
            Some(Action::Lot(lot)) => self.draw_lot(index, lot),
            Some(action) => self.carry_out(index, action),
            None => {}
        }
    }

    /// Does what the action of this index is, and keeps a record of it.
    pub(super) fn carry_out(&mut self, index: u32, action: &Action) {
        let subject = self.subject_of(action);
        let cause = self.record_action(index, subject);
        let done = match action {
            Action::SpotReclaim(node) => self.take_back(node).and_then(|notice| {
                self.recorder.trace.header.actions[index as usize].1 = notice.describe();
                self.perform(&notice, cause)
            }),
            _ => self.perform(action, cause),
        };
        if let Err(refusal) = done {
            self.record_refusal(index, false, &refusal, subject);
        }
        self.publish();
    }

    /// The object that an action is about; the cluster, if it is about none
    /// in particular or its object is not there.
    fn subject_of(&mut self, action: &Action) -> SubjectId {
        let objects = self.store.objects();
        let node = |name: &Arc<str>| objects.find(Kind::Node, &"".into(), name);
        let key = match action {
            Action::Apply(object) => objects.find(object.kind(), &object.meta().namespace, &object.meta().name),
            Action::Patch { target, .. }
            | Action::SetImage { target, .. }
            | Action::Scale { target, .. }
            | Action::Delete { target, .. }
            | Action::Rollback { target, .. }
            | Action::CreateJob { from: target, .. } => objects.find(target.kind, &target.namespace, &target.name),
            Action::Cordon(name)
            | Action::Uncordon(name)
            | Action::Drain(name, _)
            | Action::Taint(name, _)
            | Action::Untaint(name, _)
            | Action::LabelNode(name, _)
            | Action::NodeDelete(name)
            | Action::NodeFail(name)
            | Action::NodeReady(name, _)
            | Action::NodePressure(name, ..)
            | Action::SpotReclaim(name)
            | Action::SpotNotice { node: name, .. }
            | Action::NodeShutdown { node: name, .. }
            | Action::NodeRecover(name) => node(name),
            Action::PodReady(pod)
            | Action::PodUnready(pod)
            | Action::PodDeadlock(pod)
            | Action::LabelPods { pod, .. }
            | Action::PodCrash { pod, .. }
            | Action::PodFail { pod, .. }
            | Action::PodUngate { pod, .. }
            | Action::EvictPods { pod, .. }
            | Action::DeletePods { pod, .. } => self.matching_pods(pod).first().copied(),
            Action::ClockStep { component, .. }
            | Action::Pause { component, .. }
            | Action::Failover { component, .. } => match component {
                Component::Node(name) => node(name),
                _ => None,
            },
            Action::NodeAdd(_)
            | Action::Dependency { .. }
            | Action::ControllersDown
            | Action::ControllersUp
            | Action::ApiServerDown
            | Action::ApiServerUp
            | Action::Webhook { .. }
            | Action::Lot(_) => None,
        };
        match key {
            Some(key) => self.recorder.subject(key.uid),
            None => self.recorder.cluster(),
        }
    }

    /// Records the action on the object it is about, so that what follows
    /// can name it as its cause.
    pub(super) fn record_action(&mut self, index: u32, subject: SubjectId) -> RecordId {
        self.recorder.push(RecordId::NONE, subject, What::Action(index))
    }

    /// Records what the API server answers, on the object that was asked for.
    pub(super) fn record_refusal(&mut self, action: u32, object: bool, refusal: &Refusal, subject: SubjectId) {
        let (reason, message) = (self.recorder.intern(refusal.reason), self.recorder.intern(&refusal.message));
        let cause = self.recorder.last;
        self.recorder.push(cause, subject, What::Rejected { action, object, reason, message });
    }

    fn perform(&mut self, action: &Action, cause: RecordId) -> Outcome {
        if is_request(action) && !self.api_answers() {
            return Err(ApiError::Unavailable.into());
        }
        match action {
            Action::Apply(object) => self.apply_object(object, cause),
            Action::Patch { target, patch_type, patch } => self.patch(target, *patch_type, patch, cause),
            Action::SetImage { target, container, image } => self.set_image(target, container.as_deref(), image, cause),
            Action::Scale { target, replicas } => self.scale(target, *replicas, cause),
            Action::Delete { target, propagation, grace_seconds } => {
                let key = self.find(target)?;
                match key.kind {
                    Kind::Pod => self.delete_pod(key, *grace_seconds, cause)?,
                    _ => self.delete(key, *propagation, cause)?,
                };
                Ok(())
            }
            Action::Rollback { target, to_revision } => self.roll_back(target, *to_revision, cause),
            Action::CreateJob { name, from } => self.create_job_by_hand(name, from, cause),
            Action::Cordon(node) => self.write_node(node, cause, |node| node.unschedulable = true),
            Action::Uncordon(node) => self.write_node(node, cause, |node| node.unschedulable = false),
            Action::Drain(node, options) => self.drain(node, options, cause),
            Action::Taint(node, taint) => self.write_node(node, cause, |node| {
                node.taints.retain(|t| (&t.key, t.effect) != (&taint.key, taint.effect));
                node.taints.push(taint.clone());
                node.taints.sort();
            }),
            Action::Untaint(node, taint) => self.write_node(node, cause, |node| {
                node.taints.retain(|t| (&t.key, t.effect) != (&taint.key, taint.effect));
            }),
            Action::LabelNode(node, labels) => self.write_node(node, cause, |node| {
                node.meta.labels = relabel(&node.meta.labels, labels);
            }),
            Action::NodeAdd(spec) => self.add_node(spec, cause),
            Action::NodeFail(node) => self.node(node).map(|key| self.fail_node(key, cause)),
            Action::SpotNotice { node, ahead, handled } => self.warn_of_reclaim(node, *ahead, *handled, cause),
            Action::NodeShutdown { node, grace } => self.node(node).map(|key| self.shut_down(key, *grace, cause)),
            Action::NodeReady(node, ready) => self.node(node).map(|key| self.report_ready(key, *ready, cause)),
            Action::NodePressure(node, pressure, on) => {
                self.node(node).map(|key| self.report_pressure(key, *pressure, *on, cause))
            }
            Action::NodeRecover(node) => self.node(node).map(|key| self.recover_node(key, cause)),
            Action::NodeDelete(node) => {
                let key = self.node(node)?;
                self.remove_node(key, cause)
            }
            Action::ControllersDown
            | Action::ControllersUp
            | Action::ApiServerDown
            | Action::ApiServerUp
            | Action::Webhook { .. }
            | Action::ClockStep { .. }
            | Action::Failover { .. }
            | Action::Dependency { .. }
            | Action::Pause { .. } => {
                self.perform_on_hosts(action, cause);
                Ok(())
            }
            Action::EvictPods { pod, grace_seconds } => self.evict_pods(pod, *grace_seconds, cause),
            Action::DeletePods { pod, .. } if !pod.contains('*') && self.matching_pods(pod).is_empty() => {
                Err(Refusal::not_found(&Target {
                    kind: Kind::Pod,
                    namespace: "default".into(),
                    name: pod.as_str().into(),
                }))
            }
            pods => self.perform_on_pods(pods, cause),
        }
    }

    fn perform_on_hosts(&mut self, action: &Action, cause: RecordId) {
        match action {
            Action::ControllersDown => self.stop_controllers(cause),
            Action::ControllersUp => self.controllers_up(cause),
            Action::ApiServerDown => self.api_server_down(cause),
            Action::ApiServerUp => self.api_server_up(cause),
            Action::Webhook { up } => self.admission.webhook_down = !up,
            Action::ClockStep { component, by_ns } => self.step_clock(component, *by_ns, cause),
            Action::Failover { component, gap, clock, zone } => {
                if let Some(zone) = zone {
                    self.hosts.manager_zone = Some(zone.clone());
                }
                self.fail_over(component, *gap, clock, cause);
            }
            Action::Dependency { name, up } => self.dependency(name, *up, cause),
            Action::Pause { component, span } => self.pause(component, *span, cause),
            _ => {}
        }
    }

    /// Evicts every pod whose name fits; what is refused is not tried again.
    fn evict_pods(&mut self, pattern: &str, grace_seconds: Option<u32>, cause: RecordId) -> Outcome {
        let mut outcome = Ok(());
        for key in self.pods_like(pattern)? {
            if let Err(error) = self.evict(key, grace_seconds, cause) {
                outcome = outcome.and(Err(error.into()));
            }
        }
        outcome
    }

    fn perform_on_pods(&mut self, action: &Action, cause: RecordId) -> Outcome {
        let (Action::PodReady(pattern)
        | Action::PodUnready(pattern)
        | Action::PodDeadlock(pattern)
        | Action::LabelPods { pod: pattern, .. }
        | Action::PodCrash { pod: pattern, .. }
        | Action::PodFail { pod: pattern, .. }
        | Action::PodUngate { pod: pattern, .. }
        | Action::DeletePods { pod: pattern, .. }) = action
        else {
            return Ok(());
        };
        for key in self.pods_like(pattern)? {
            let pod = PodRef::of(key);
            match action {
                Action::PodReady(_) => self.set_ready(pod, true, cause),
                Action::PodUnready(_) => self.set_ready(pod, false, cause),
                Action::LabelPods { labels, .. } => {
                    let written = self.store.update_pod(key, |row| {
                        row.meta.labels = relabel(&row.meta.labels, labels);
                    });
                    self.recorder.last = cause;
                    debug_assert!(written.is_ok());
                }
                Action::PodDeadlock(_) => self.hang(pod, cause),
                Action::PodUngate { gates, .. } => self.ungate(key, gates, cause),
                Action::PodCrash { exit, .. } => self.crash(pod, *exit, cause),
                Action::PodFail { disruption, .. } => self.fail_pod(pod, disruption.as_deref(), cause),
                Action::DeletePods { grace_seconds, .. } => {
                    let _gone_already = self.delete_pod(key, *grace_seconds, cause);
                }
                _ => {}
            }
            self.publish();
        }
        Ok(())
    }

    /// The pods that a pattern fits now, of which there must be some if anybody
    /// wants to know.
    fn pods_like(&self, pattern: &str) -> Result<Vec<Key>, Refusal> {
        let found = self.matching_pods(pattern);
        if found.is_empty() && self.setup.tell_misses {
            return Err(Refusal::of("NotFound", format!("no pod is called {pattern} now")));
        }
        Ok(found)
    }

    pub(super) fn find(&self, target: &Target) -> Result<Key, Refusal> {
        self.store
            .objects()
            .find(target.kind, &target.namespace, &target.name)
            .ok_or_else(|| Refusal::not_found(target))
    }

    pub(super) fn node(&self, name: &Arc<str>) -> Result<Key, Refusal> {
        self.find(&Target { kind: Kind::Node, namespace: "".into(), name: name.clone() })
    }

    pub(super) fn write_node(&mut self, name: &Arc<str>, cause: RecordId, write: impl FnOnce(&mut Node)) -> Outcome {
        let key = self.node(name)?;
        self.recorded(key, cause, |store| store.update(key, None, write))?;
        Ok(())
    }

    /// Creates an object, or replaces the spec of the one that is there and
    /// merges its labels and annotations.
    fn apply_object(&mut self, object: &Object, cause: RecordId) -> Outcome {
        let meta = object.meta();
        let existing = self.store.objects().find(object.kind(), &meta.namespace, &meta.name);
        match (object, existing) {
            (Object::Deployment(new), None) => self.create_object((**new).clone(), cause),
            (Object::Deployment(new), Some(key)) => self.write_deployment(key, new, cause),
            (Object::ReplicaSet(new), None) => self.create_object((**new).clone(), cause),
            (Object::ReplicaSet(new), Some(key)) => {
                let old = self.store.objects().replica_sets.get(key).ok_or(ApiError::NotFound)?;
                keeps_selector(Kind::ReplicaSet, &old.spec.selector, &new.spec.selector)?;
                self.rewrite(key, &new.meta, cause, |row: &mut ReplicaSet| row.spec = new.spec.clone())
            }
            (Object::DaemonSet(new), None) => self.create_object((**new).clone(), cause),
            (Object::DaemonSet(new), Some(key)) => self.write_daemon_set(key, new, cause),
            (Object::StatefulSet(new), None) => {
                self.create_object(self.without_disabled_fields((**new).clone(), None), cause)
            }
            (Object::StatefulSet(new), Some(key)) => self.write_stateful_set(key, new, cause),
            (Object::Job(new), None) => self.create_object((**new).clone(), cause),
            (Object::Job(new), Some(key)) => self.write_job(key, new, cause),
            (Object::CronJob(new), None) => self.create_object((**new).clone(), cause),
            (Object::CronJob(new), Some(key)) => self.write_cron_job(key, new, cause),
            (Object::PersistentVolumeClaim(new), None) => self.create_claim_by_hand(new, cause),
            (Object::PersistentVolume(new), None) => self.create_object((**new).clone(), cause),
            (Object::StorageClass(new), None) => self.create_object((**new).clone(), cause),
            (Object::Service(new), None) => self.create_object((**new).clone(), cause),
            (Object::PersistentVolumeClaim(_) | Object::PersistentVolume(_) | Object::StorageClass(_), Some(_)) => {
                // Applied again as they are; of their specs next to nothing may change.
                Ok(())
            }
            (Object::Service(new), Some(key)) => {
                self.recorded(key, cause, |store| {
                    store.update(key, None, |row: &mut Service| {
                        row.selector = new.selector.clone();
                        row.publish_not_ready_addresses = new.publish_not_ready_addresses;
                        row.meta.labels = relabel(&row.meta.labels, &new.meta.labels);
                    })
                })?;
                Ok(())
            }
            (Object::Pod(new), None) => {
                let mut pod = (**new).clone();
                let owner = self.find_owners(&mut pod.meta);
                self.admit_pod(&pod.meta.namespace, &pod.meta.name, &pod.template)?;
                let key = self.store.create(pod)?;
                let subject = self.register(key, owner, 0);
                let created = self.recorder.push(cause, subject, What::Created);
                self.note_gates(key, created);
                Ok(())
            }
            (Object::PodDisruptionBudget(new), None) => self.create_object((**new).clone(), cause),
            (Object::PodDisruptionBudget(new), Some(key)) => {
                self.rewrite(key, &new.meta, cause, |row: &mut PodDisruptionBudget| row.spec = new.spec.clone())
            }
            (Object::HorizontalPodAutoscaler(new), None) => self.create_object((**new).clone(), cause),
            (Object::HorizontalPodAutoscaler(new), Some(key)) => {
                self.rewrite(key, &new.meta, cause, |row: &mut HorizontalPodAutoscaler| row.spec = new.spec.clone())
            }
            (Object::Pod(new), Some(key)) => self.write_pod(key, new, cause),
        }
    }

    /// Writes an object anew; labels and annotations are laid over those that
    /// are there.
    fn rewrite<T: Recorded>(&mut self, key: Key, new: &Meta, cause: RecordId, write: impl FnOnce(&mut T)) -> Outcome {
        self.recorded(key, cause, |store| {
            store.update(key, None, |row: &mut T| {
                write(row);
                merge_metadata(row.meta_mut(), new);
            })
        })?;
        Ok(())
    }

    pub(super) fn create_object<T: Recorded>(&mut self, mut row: T, cause: RecordId) -> Outcome {
        let owner = self.find_owners(row.meta_mut());
        let key = self.store.create(row)?;
        let sets = &self.store.objects().replica_sets;
        let revision =
            if key.kind == Kind::ReplicaSet { sets.get(key).and_then(|set| set.marks.revision) } else { None };
        self.register(key, owner, revision.unwrap_or(0) as u32);
        self.created::<T>(key, cause);
        Ok(())
    }

    /// Makes references of the owners that a manifest names, as far as they
    /// are there, and answers which of them controls the object. The garbage
    /// collector of another cluster would have seen to the others.
    fn find_owners(&self, meta: &mut Meta) -> Option<Key> {
        let named = meta.named_owners.clone()?;
        let find = |owner: &NamedOwner| {
            let namespace = if owner.kind.is_cluster_wide() { "".into() } else { meta.namespace.clone() };
            let key = self.store.objects().find(owner.kind, &namespace, &owner.name)?;
            Some(OwnerRef { key, controller: owner.controller, blocks_deletion: owner.blocks_deletion })
        };
        meta.owners = named.iter().filter_map(find).collect();
        meta.controller()
    }

    fn write_deployment(&mut self, key: Key, new: &Deployment, cause: RecordId) -> Outcome {
        let old = self.deployment(key)?;
        keeps_selector(Kind::Deployment, &old.spec.selector, &new.spec.selector)?;
        self.rewrite(key, &new.meta, cause, |row: &mut Deployment| row.spec = new.spec.clone())
    }

    /// Replaces the spec of a StatefulSet, most of which must stay as it was.
    ///
    /// Upstream: `pkg/apis/apps/validation/validation.go ValidateStatefulSetUpdate`
    fn write_stateful_set(&mut self, key: Key, new: &StatefulSet, cause: RecordId) -> Outcome {
        let old = self.stateful_set(key)?;
        let new = self.without_disabled_fields(new.clone(), Some(old));
        if old.spec.with_mutable_of(&new.spec) != new.spec {
            return Err(Refusal::invalid(
                "spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', \
                 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' \
                 and 'minReadySeconds' are forbidden",
            ));
        }
        self.rewrite(key, &new.meta, cause, |row: &mut StatefulSet| row.spec = new.spec)
    }

    /// Without the feature gate the API server drops `maxUnavailable`, unless
    /// it is in use already.
    ///
    /// Upstream: `pkg/registry/apps/statefulset/strategy.go dropStatefulSetDisabledFields`
    fn without_disabled_fields(&self, mut set: StatefulSet, old: Option<&StatefulSet>) -> StatefulSet {
        let in_use = |set: &StatefulSet| matches!(set.spec.strategy, StatefulStrategy::RollingUpdate(Some(r)) if r.max_unavailable.is_some());
        let enabled = self.setup.control_plane.feature_gates.has(Gate::MaxUnavailableStatefulSet);
        if !enabled
            && !old.is_some_and(in_use)
            && let StatefulStrategy::RollingUpdate(Some(rolling)) = &mut set.spec.strategy
        {
            rolling.max_unavailable = None;
        }
        set
    }

    fn stateful_set(&self, key: Key) -> Result<&StatefulSet, Refusal> {
        self.store.objects().stateful_sets.get(key).ok_or_else(|| ApiError::NotFound.into())
    }

    fn write_daemon_set(&mut self, key: Key, new: &DaemonSet, cause: RecordId) -> Outcome {
        let old = self.daemon_set(key)?;
        keeps_selector(Kind::DaemonSet, &old.spec.selector, &new.spec.selector)?;
        self.rewrite(key, &new.meta, cause, |row: &mut DaemonSet| row.set_spec(new.spec.clone()))
    }

    fn daemon_set(&self, key: Key) -> Result<&DaemonSet, Refusal> {
        self.store.objects().daemon_sets.get(key).ok_or_else(|| ApiError::NotFound.into())
    }

    fn deployment(&self, key: Key) -> Result<&Deployment, Refusal> {
        self.store.objects().deployments.get(key).ok_or_else(|| ApiError::NotFound.into())
    }

    fn patch(&mut self, target: &Target, how: PatchType, patch: &serde_json::Value, cause: RecordId) -> Outcome {
        let key = self.find(target)?;
        let current = match key.kind {
            Kind::Deployment => Object::Deployment(Box::new(self.deployment(key)?.clone())),
            Kind::DaemonSet => Object::DaemonSet(Box::new(self.daemon_set(key)?.clone())),
            Kind::ReplicaSet => {
                let set = self.store.objects().replica_sets.get(key).ok_or(ApiError::NotFound)?;
                Object::ReplicaSet(Box::new(set.clone()))
            }
            Kind::StatefulSet => Object::StatefulSet(Box::new(self.stateful_set(key)?.clone())),
            Kind::Job => Object::Job(Box::new(self.job(key)?)),
            Kind::CronJob => Object::CronJob(Box::new(self.cron_job(key)?)),
            Kind::PodDisruptionBudget => {
                let row = self.store.objects().disruption_budgets.get(key).ok_or(ApiError::NotFound)?;
                Object::PodDisruptionBudget(Box::new(row.clone()))
            }
            Kind::HorizontalPodAutoscaler => {
                let row = self.store.objects().autoscalers.get(key).ok_or(ApiError::NotFound)?;
                Object::HorizontalPodAutoscaler(Box::new(row.clone()))
            }
            Kind::Pod => {
                let row = self.store.objects().pods.get(key).ok_or(ApiError::NotFound)?;
                Object::Pod(Box::new(row.clone()))
            }
            kind => return Err(Refusal::invalid(format!("patching a {kind} is not modelled"))),
        };
        let object = crate::manifest::patched(&current, how, patch).map_err(Refusal::invalid)?;
        self.apply_object(&object, cause)
    }

    fn set_image(&mut self, target: &Target, container: Option<&str>, image: &str, cause: RecordId) -> Outcome {
        let key = self.find(target)?;
        let with_image = |template: &Arc<PodTemplate>| {
            template.with_image(container, image).map(Arc::new).ok_or_else(|| Refusal {
                reason: "NotFound",
                message: format!("unable to find container named {:?}", container.unwrap_or("*")),
            })
        };
        let objects = self.store.objects();
        let template = match key.kind {
            Kind::Deployment => objects.deployments.get(key).map(|row| &row.spec.template),
            Kind::ReplicaSet => objects.replica_sets.get(key).map(|row| &row.spec.template),
            Kind::StatefulSet => objects.stateful_sets.get(key).map(|row| &row.spec.template),
            Kind::DaemonSet => objects.daemon_sets.get(key).map(|row| &row.spec.template),
            Kind::Job => {
                let mut job = self.job(key)?;
                job.spec.template = with_image(&job.spec.template)?;
                return self.write_job(key, &job, cause);
            }
            kind => return Err(Refusal::invalid(format!("a {kind} has no template"))),
        };
        let template = with_image(template.ok_or(ApiError::NotFound)?)?;
        self.write_template(key, template, cause)
    }

    fn scale(&mut self, target: &Target, replicas: i32, cause: RecordId) -> Outcome {
        let key = self.find(target)?;
        if replicas < 0 {
            return Err(Refusal::invalid(format!(
                "spec.replicas: Invalid value: {replicas}: must be greater than or equal to 0"
            )));
        }
        self.set_replicas(key, None, replicas, cause)?;
        Ok(())
    }

    /// Writes the scale subresource.
    pub(super) fn set_replicas(
        &mut self,
        key: Key,
        version: Option<u64>,
        replicas: i32,
        cause: RecordId,
    ) -> Result<Written, ApiError> {
        match key.kind {
            Kind::Deployment => self.recorded(key, cause, |store| {
                store.update(key, version, |row: &mut Deployment| row.spec.replicas = replicas)
            }),
            Kind::ReplicaSet => self.recorded(key, cause, |store| {
                store.update(key, version, |row: &mut ReplicaSet| row.spec.replicas = replicas)
            }),
            Kind::StatefulSet => self.recorded(key, cause, |store| {
                store.update(key, version, |row: &mut StatefulSet| row.spec.replicas = replicas)
            }),
            kind => Err(ApiError::Invalid(format!("a {kind} cannot be scaled"))),
        }
    }

    /// Puts the template of an earlier revision back. Revision 0 is the one
    /// before the present one.
    ///
    /// Upstream: `staging/src/k8s.io/kubectl/pkg/polymorphichelpers/rollback.go Rollback`
    fn roll_back(&mut self, target: &Target, to_revision: u32, cause: RecordId) -> Outcome {
        let key = self.find(target)?;
        let objects = self.store.objects();
        let revision = |&dependent: &Key| match dependent.kind {
            Kind::ReplicaSet => {
                let set = objects.replica_sets.get(dependent)?;
                Some((set.marks.revision.unwrap_or(0), set.spec.template.clone()))
            }
            Kind::ControllerRevision => {
                let row = objects.controller_revisions.get(dependent)?;
                Some((row.revision, row.data.clone()))
            }
            _ => None,
        };
        let mut revisions: Vec<_> = objects.owned(key.uid).dependents.iter().filter_map(revision).collect();
        revisions.sort_by_key(|(number, _)| std::cmp::Reverse(*number));
        let found = match to_revision {
            0 => revisions.get(1),
            wanted => revisions.iter().find(|(number, _)| *number == i64::from(wanted)),
        };
        let Some((_, template)) = found else {
            let kind = target.kind.name().to_lowercase();
            let message = match to_revision {
                0 => format!("no rollout history found for {kind} \"{}\"", target.name),
                _ => "unable to find specified revision".to_string(),
            };
            return Err(Refusal { reason: "NotFound", message });
        };
        let template = template.without_label("pod-template-hash");
        self.write_template(key, Arc::new(template), cause)
    }

    /// Gives a workload another template.
    fn write_template(&mut self, key: Key, template: Arc<PodTemplate>, cause: RecordId) -> Outcome {
        match key.kind {
            Kind::Deployment => self.recorded(key, cause, |store| {
                store.update(key, None, |row: &mut Deployment| row.spec.template = template)
            }),
            Kind::ReplicaSet => self.recorded(key, cause, |store| {
                store.update(key, None, |row: &mut ReplicaSet| row.spec.template = template)
            }),
            Kind::StatefulSet => self.recorded(key, cause, |store| {
                store.update(key, None, |row: &mut StatefulSet| row.spec.template = template)
            }),
            Kind::DaemonSet => self.recorded(key, cause, |store| {
                store.update(key, None, |row: &mut DaemonSet| row.set_template(template))
            }),
            kind => Err(ApiError::Invalid(format!("a {kind} has no template"))),
        }?;
        Ok(())
    }

    /// The pods whose name in the trace or in the API fits, by name.
    pub(super) fn matching_pods(&self, pattern: &str) -> Vec<Key> {
        let objects = self.store.objects();
        let fits = |key: &Key| {
            let subject = self.recorder.trace.subject(self.recorder.subject(key.uid));
            matches_pattern(pattern, &subject.name) || matches_pattern(pattern, &subject.api_name)
        };
        objects.keys_by_name(Kind::Pod).into_iter().filter(fits).collect()
    }

    /// A pod fails as if its kubelet had evicted it.
    fn fail_pod(&mut self, pod: PodRef, disruption: Option<&str>, cause: RecordId) {
        let wall = self.wall_of(pod);
        let reason = self.recorder.intern("Evicted");
        let mut whats = Vec::new();
        // Of a pod that has failed before, the same is only written again.
        if self.pod(pod).is_some_and(|row| row.phase != Phase::Failed) {
            whats.push(What::Failed { exit_code: Some(137), reason: Some(reason) });
        }
        if let Some(why) = disruption {
            whats.push(What::DisruptionTarget { reason: self.recorder.intern(why) });
        }
        self.stop_runtime(pod);
        self.pod_status(pod, cause, &whats, |row| {
            row.phase = Phase::Failed;
            row.ready = false;
            row.terminated = Some((137, wall));
            row.evicted = true;
            row.disruption = disruption.map(Into::into).or_else(|| row.disruption.take());
        });
        if self.pod(pod).is_some_and(|row| row.meta.is_deleting()) {
            let cause = self.recorder.last;
            let _gone_already = self.delete_pod(pod.key(), Some(0), cause);
        }
    }
}

/// Whether an action is a request to the API server, not a mishap.
const fn is_request(action: &Action) -> bool {
    matches!(
        action,
        Action::Apply(_)
            | Action::Patch { .. }
            | Action::SetImage { .. }
            | Action::Scale { .. }
            | Action::Delete { .. }
            | Action::Rollback { .. }
            | Action::CreateJob { .. }
            | Action::LabelPods { .. }
            | Action::PodUngate { .. }
            | Action::Cordon(_)
            | Action::Uncordon(_)
            | Action::Drain(..)
            | Action::EvictPods { .. }
            | Action::Taint(..)
            | Action::Untaint(..)
            | Action::LabelNode(..)
            | Action::DeletePods { .. }
    )
}

/// A workload keeps the selector that it was made with.
///
/// Upstream: `pkg/apis/apps/validation/validation.go ValidateDeploymentUpdate`,
/// `ValidateReplicaSetUpdate`, `ValidateDaemonSetSpecUpdate`
fn keeps_selector(kind: Kind, old: &Selector, new: &Selector) -> Outcome {
    if old == new {
        return Ok(());
    }
    Err(Refusal::invalid(format!("spec.selector: Invalid value: field is immutable (delete the {kind} first)")))
}

/// Labels and annotations of an apply laid over those that are there.
pub(super) fn merge_metadata(old: &mut Meta, new: &Meta) {
    old.labels = relabel(&old.labels, &new.labels);
    old.annotations = annotate(&old.annotations, &new.annotations);
}

/// Annotations with others laid over them.
fn annotate(old: &Annotations, new: &Annotations) -> Annotations {
    let mut annotations = old.clone();
    if !new.is_empty() {
        let pairs = new.iter().map(|(name, value)| (name.clone(), value.clone()));
        Arc::make_mut(&mut annotations).extend(pairs);
    }
    annotations
}

/// Labels with others laid over them; an empty value takes one away.
pub(super) fn relabel(old: &Arc<Labels>, new: &Labels) -> Arc<Labels> {
    let mut labels = (**old).clone();
    for (name, value) in &new.0 {
        if value.is_empty() {
            labels.0.remove(name);
        } else {
            labels.0.insert(name.clone(), value.clone());
        }
    }
    if labels == **old { old.clone() } else { Arc::new(labels) }
}

/// Whether `*` in a pattern can stand for what the text has in its place.
pub(super) fn matches_pattern(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((before, after)) => text.strip_prefix(before).is_some_and(|rest| {
            (0..=rest.len()).filter(|&i| rest.is_char_boundary(i)).any(|i| matches_pattern(after, &rest[i..]))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_anything() {
        for (pattern, text, fits) in [
            ("web/1#0", "web/1#0", true),
            ("web/1#*", "web/1#10", true),
            ("*", "db/1#0", true),
            ("web/*#0", "web/12#0", true),
            ("web/1#1", "web/1#10", false),
            ("*#9", "web/1#8", false),
        ] {
            assert_eq!(matches_pattern(pattern, text), fits, "{pattern} {text}");
        }
    }
}
