//! The one place where a controller's request changes the store.

use super::Simulation;
use super::fields::Recorded;
use crate::api::{
    Annotations, ControllerRevision, DaemonSet, Deployment, DeploymentStatus, Finalizers, HorizontalPodAutoscaler, Job,
    JobStatus, Key, Kind, Labels, Meta, OwnerRef, PersistentVolumeClaim, Phase, Pod, PodDisruptionBudget, PodTemplate,
    ReplicaSet, RolloutMarks, StatefulSet,
};
use crate::cluster::{ApiError, PodDeletion, Store, WithStatus, jobs};
use crate::controllers::{NewPod, Notice, ObjectNotice, PodMark, PodName, Write};
use crate::time::Timestamp;
use crate::trace::{Emitted, Field, RecordId, SubjectId, Value, What};
use std::sync::Arc;

/// The label of pods of Indexed Jobs with their index.
const INDEX_LABEL: &str = "batch.kubernetes.io/job-completion-index";

/// The object that was written and its new version.
pub(super) type Written = (Key, u64);

impl Simulation {
    /// Sends one request and records what it changed.
    ///
    /// # Errors
    /// What the API server refuses.
    pub(super) fn apply(
        &mut self,
        write: &mut Write,
        version: Option<u64>,
        cause: RecordId,
    ) -> Result<Written, ApiError> {
        match write {
            Write::CreatePod(pod) => self.create_pod(pod, cause),
            Write::DeletePod { pod, owner } => self.delete_owned_pod(*pod, *owner, cause),
            Write::DeleteNewPod { namespace, name, owner } => self.delete_new_pod(namespace, name, *owner, cause),
            Write::CreateReplicaSet { set, deployment } => self.create_replica_set(set, *deployment, cause),
            Write::ScaleReplicaSet { set, from, to, marks, deployment, .. } => {
                self.scale_replica_set(*set, version, (*from, *to), *marks, *deployment, cause)
            }
            Write::UpdateReplicaSet { set, marks, annotations, min_ready_seconds, .. } => {
                let (marks, notes, seconds) = (*marks, annotations, *min_ready_seconds);
                self.update_replica_set(*set, version, cause, |row| row.take_notes(marks, notes, seconds))
            }
            Write::DeleteReplicaSet(object) | Write::DeleteRevision(object) => {
                self.delete(*object, crate::api::Propagation::Background, cause)
            }
            Write::CreateRevision { revision, owner } => self.create_revision(revision, *owner, cause),
            Write::NumberRevision { revision, number, .. } => self.number_revision(*revision, version, *number, cause),
            Write::Delete { object, .. } if object.kind == Kind::Pod => self.delete_pod(*object, None, cause),
            Write::Delete { object, propagation } => self.delete(*object, *propagation, cause),
            Write::ReplicaSetStatus { set, status, .. } => {
                self.write_status::<ReplicaSet>(*set, version, status, cause)
            }
            Write::DaemonSetStatus { set, status, .. } => self.write_status::<DaemonSet>(*set, version, status, cause),
            Write::RollBack { deployment, template, annotations, .. } => {
                self.put_back(*deployment, version, template, annotations, cause)
            }
            Write::DeploymentStatus { deployment, status, revision, .. } => {
                self.write_deployment_status(*deployment, version, status, *revision, cause)
            }
            Write::StatefulSetStatus { set, status, .. } => {
                self.write_status::<StatefulSet>(*set, version, status, cause)
            }
            Write::CreateClaim { claim, set, pod } => self.create_claim(claim, *set, pod, cause),
            Write::OwnClaim { namespace, name, owners, .. } => self.own_claim(namespace, name, owners, cause),
            Write::RelabelPod { pod, owner, labels } => self.relabel_pod(*pod, *owner, labels, cause),
            Write::JobStatus { job, status, notices, .. } => {
                self.write_job_status(*job, version, status, notices, cause)
            }
            Write::CreateJob { job, cron_job } => self.start_job(job, *cron_job, cause),
            Write::DeleteJob { job, cron_job, .. } => self.delete_job(*job, *cron_job, cause),
            Write::CronJobStatus { cron_job, status, started, .. } => {
                self.write_cron_job_status(*cron_job, version, status, started.as_ref(), cause)
            }
            Write::ScaleTarget { target, replicas, .. } => self.set_replicas(*target, version, *replicas, cause),
            Write::AutoscalerStatus { autoscaler, status, .. } => {
                self.write_status::<HorizontalPodAutoscaler>(*autoscaler, version, status, cause)
            }
            Write::BudgetStatus { budget, status, .. } => {
                self.write_status::<PodDisruptionBudget>(*budget, version, status, cause)
            }
            Write::NodeUnknown { node } => self.give_node_up(*node, cause),
            Write::Taint { node, taint, present } => self.write_taint(*node, taint, *present, cause),
            Write::PodUnready { pod, .. } => self.mark_pod_unready(*pod, version, cause),
            Write::PodDisruption { pod, reason } => self.mark_pod_disrupted(*pod, reason, false, cause),
            Write::PodSpared { pod, .. } => self.spare_pod(*pod, version, cause),
            Write::FailPod { pod, disruption } => {
                self.mark_pod_disrupted(*pod, disruption.unwrap_or_default(), true, cause)
            }
            Write::ForceDelete(pod) => self.delete_pod(*pod, Some(0), cause),
            Write::Announce { about, notice } => self.announce_if_there(*about, notice, cause),
            Write::SetOwner { object, owner, present, finalizers } => {
                self.set_owner(*object, *owner, *present, *finalizers, cause)
            }
            Write::RemoveFinalizer { object, finalizer, .. } => {
                self.remove_finalizer(*object, version, *finalizer, cause)
            }
        }
    }

    /// Deletes a pod, of which its owner tells in an Event.
    fn delete_owned_pod(&mut self, pod: Key, owner: Key, cause: RecordId) -> Result<Written, ApiError> {
        let subject = self.known_subject(pod)?;
        let written = self.delete_pod(pod, None, cause)?;
        let emitted = match owner.kind {
            Kind::StatefulSet => self.about_pod("Delete", subject, owner),
            _ => Emitted::DeletedPod(subject),
        };
        self.emit(owner, emitted);
        Ok(written)
    }

    /// The same for a pod whose key its owner did not know yet.
    fn delete_new_pod(
        &mut self,
        namespace: &Arc<str>,
        name: &Arc<str>,
        owner: Key,
        cause: RecordId,
    ) -> Result<Written, ApiError> {
        let pod = self.store.objects().pods.find(namespace, name).ok_or(ApiError::NotFound)?;
        self.delete_owned_pod(pod, owner, cause)
    }

    fn create_replica_set(&mut self, set: &ReplicaSet, deployment: Key, cause: RecordId) -> Result<Written, ApiError> {
        let (replicas, revision) = (set.spec.replicas, set.marks.revision.unwrap_or(0) as u32);
        let key = self.store.create(set.clone())?;
        self.register(key, Some(deployment), revision);
        self.created::<ReplicaSet>(key, cause);
        self.tell_scaled(key, (0, replicas), deployment);
        Ok((key, self.version(key)))
    }

    fn scale_replica_set(
        &mut self,
        set: Key,
        version: Option<u64>,
        (from, to): (i32, i32),
        marks: RolloutMarks,
        deployment: Key,
        cause: RecordId,
    ) -> Result<Written, ApiError> {
        let written = self.update_replica_set(set, version, cause, |row| {
            row.spec.replicas = to;
            row.marks = marks;
        })?;
        self.tell_scaled(set, (from, to), deployment);
        Ok(written)
    }

    /// The Event by which a Deployment tells that it has scaled a ReplicaSet,
    /// if it has.
    fn tell_scaled(&mut self, set: Key, (from, to): (i32, i32), deployment: Key) {
        if from != to {
            let replica_set = self.recorder.subject(set.uid);
            self.emit(deployment, Emitted::Scaled { replica_set, from, to });
        }
    }

    fn create_revision(
        &mut self,
        revision: &ControllerRevision,
        owner: Key,
        cause: RecordId,
    ) -> Result<Written, ApiError> {
        let key = self.store.create(revision.clone())?;
        self.register(key, Some(owner), revision.revision as u32);
        self.created::<ControllerRevision>(key, cause);
        Ok((key, self.version(key)))
    }

    fn number_revision(
        &mut self,
        revision: Key,
        version: Option<u64>,
        number: i64,
        cause: RecordId,
    ) -> Result<Written, ApiError> {
        let write = |row: &mut ControllerRevision| row.revision = number;
        self.recorded(revision, cause, |store| store.update(revision, version, write))
    }

    /// Gives a claim other owners.
    fn own_claim(
        &mut self,
        namespace: &Arc<str>,
        name: &Arc<str>,
        owners: &[OwnerRef],
        cause: RecordId,
    ) -> Result<Written, ApiError> {
        let claim = self.store.objects().claims.find(namespace, name).ok_or(ApiError::NotFound)?;
        self.store.set_owners(claim, owners.to_vec())?;
        self.recorder.last = cause;
        Ok((claim, self.version(claim)))
    }

    /// Gives a pod other labels, of which a StatefulSet tells in an Event.
    fn relabel_pod(
        &mut self,
        pod: Key,
        owner: Key,
        labels: &Arc<Labels>,
        cause: RecordId,
    ) -> Result<Written, ApiError> {
        let subject = self.known_subject(pod)?;
        if self.store.objects().pods.get(pod).is_some_and(|row| row.meta.labels != *labels) {
            self.store.update_pod(pod, |row| row.meta.labels = labels.clone())?;
        }
        self.recorder.last = cause;
        if owner.kind == Kind::StatefulSet {
            let emitted = self.about_pod("Update", subject, owner);
            self.emit(owner, emitted);
        }
        Ok((pod, self.version(pod)))
    }

    /// Sends an Event about an object that must still be there.
    fn announce_if_there(&mut self, about: Key, notice: &Notice, cause: RecordId) -> Result<Written, ApiError> {
        self.store.objects().meta(about).ok_or(ApiError::NotFound)?;
        self.recorder.last = cause;
        self.announce(about, notice);
        Ok((about, self.version(about)))
    }

    /// Gives an object an owner or takes it away, with these finalizers.
    fn set_owner(
        &mut self,
        object: Key,
        owner: OwnerRef,
        present: bool,
        finalizers: Finalizers,
        cause: RecordId,
    ) -> Result<Written, ApiError> {
        self.store.set_owner(object, owner, present, finalizers)?;
        self.recorder.last = cause;
        if self.store.objects().meta(object).is_none() {
            self.note_gone(object, cause);
        }
        Ok((object, self.version(object)))
    }

    /// Takes a finalizer off an object, which may be its end.
    fn remove_finalizer(
        &mut self,
        object: Key,
        version: Option<u64>,
        finalizer: Finalizers,
        cause: RecordId,
    ) -> Result<Written, ApiError> {
        if self.store.remove_finalizer(object, version, finalizer)? {
            self.note_gone(object, cause);
        }
        Ok((object, self.version(object)))
    }

    /// Records that an object has lost the last finalizer that held it.
    fn note_gone(&mut self, object: Key, cause: RecordId) {
        let what = if object.kind == Kind::Pod { What::Removed } else { What::Deleted };
        self.recorder.note(cause, object.uid, what);
    }

    /// Writes a Job's status if it is valid, and sends the Events.
    fn write_job_status(
        &mut self,
        key: Key,
        version: Option<u64>,
        status: &mut JobStatus,
        notices: &[Notice],
        cause: RecordId,
    ) -> Result<Written, ApiError> {
        let old = self.store.objects().jobs.get(key).ok_or(ApiError::NotFound)?;
        if version.is_none_or(|version| version == old.meta.resource_version) {
            jobs::check_status(old, status).map_err(ApiError::Invalid)?;
        }
        let written = self.write_status::<Job>(key, version, status, cause)?;
        for notice in notices {
            self.announce(key, notice);
        }
        Ok(written)
    }

    /// Writes a Deployment's status, and its revision if that is another one.
    fn write_deployment_status(
        &mut self,
        key: Key,
        version: Option<u64>,
        status: &mut DeploymentStatus,
        revision: Option<i64>,
        cause: RecordId,
    ) -> Result<Written, ApiError> {
        if self.store.objects().deployments.get(key).is_some_and(|row| row.revision == revision) {
            return self.write_status::<Deployment>(key, version, status, cause);
        }
        self.recorded(key, cause, |store| {
            store.update(key, version, |row: &mut Deployment| {
                row.status = status.clone();
                row.revision = revision;
            })
        })
    }

    /// Gives a Deployment the template and the annotations of a revision, which
    /// is not asked for any more.
    fn put_back(
        &mut self,
        key: Key,
        version: Option<u64>,
        template: &Arc<PodTemplate>,
        annotations: &Annotations,
        cause: RecordId,
    ) -> Result<Written, ApiError> {
        self.recorded(key, cause, |store| {
            store.update(key, version, |row: &mut Deployment| {
                row.spec.template = template.clone();
                row.spec.rollback_to = None;
                row.meta.annotations = annotations.clone();
            })
        })
    }

    /// Sends an Event in words of its own.
    pub(super) fn announce(&mut self, about: Key, notice: &Notice) {
        let (reason, message) = (self.recorder.intern(&notice.reason), self.recorder.intern(&notice.message));
        self.emit(about, Emitted::Other { reason, message, warning: notice.warning });
    }

    fn update_replica_set(
        &mut self,
        set: Key,
        version: Option<u64>,
        cause: RecordId,
        write: impl FnOnce(&mut ReplicaSet),
    ) -> Result<Written, ApiError> {
        self.recorded(set, cause, |store| store.update(set, version, write))
    }

    /// Runs a write of an existing object and records the fields it changed.
    pub(super) fn recorded<T: Recorded>(
        &mut self,
        key: Key,
        cause: RecordId,
        write: impl FnOnce(&mut Store) -> Result<Option<T>, ApiError>,
    ) -> Result<Written, ApiError> {
        let old = write(&mut self.store)?;
        self.recorder.last = cause;
        let now = T::table(self.store.objects()).get(key).ok_or(ApiError::NotFound)?;
        if let Some(old) = &old {
            self.recorder.diff(cause, key.uid, old, now);
        }
        Ok((key, now.meta().resource_version))
    }

    /// Writes the status of an object, in whose place comes the one before,
    /// and records the fields that are others now.
    pub(super) fn write_status<T: Recorded + WithStatus>(
        &mut self,
        key: Key,
        version: Option<u64>,
        status: &mut T::Status,
        cause: RecordId,
    ) -> Result<Written, ApiError> {
        let changed = self.store.update_status::<T>(key, version, status)?;
        self.recorder.last = cause;
        let now = T::table(self.store.objects()).get(key).ok_or(ApiError::NotFound)?;
        if changed {
            self.recorder.diff_status(cause, key.uid, status, now);
        }
        Ok((key, now.meta().resource_version))
    }

    /// Deletes an object that is not a pod and records it.
    pub(super) fn delete(
        &mut self,
        key: Key,
        propagation: crate::api::Propagation,
        cause: RecordId,
    ) -> Result<Written, ApiError> {
        let known = self.store.objects().meta(key).is_some_and(Meta::is_deleting);
        if self.store.delete(key, propagation)? {
            self.recorder.note(cause, key.uid, What::Deleted);
        } else if !known && self.shows_deletion(key) {
            self.recorder.note(cause, key.uid, What::Set { field: Field::Deleting, value: Value::Bool(true) });
        }
        Ok((key, self.version(key)))
    }

    /// Whether it is recorded of an object that it waits for its end.
    fn shows_deletion(&self, key: Key) -> bool {
        match key.kind {
            Kind::PersistentVolumeClaim => {
                let claim = self.store.objects().claims.get(key);
                claim.is_some_and(|claim| claim.meta.finalizers.has(Finalizers::CLAIM_IN_USE))
            }
            Kind::ReplicaSet | Kind::Deployment | Kind::StatefulSet | Kind::DaemonSet | Kind::Job | Kind::CronJob => {
                true
            }
            _ => false,
        }
    }

    /// Creates a pod from a template and records it.
    fn create_pod(&mut self, new: &NewPod, cause: RecordId) -> Result<Written, ApiError> {
        let (PodName::Prefix(called) | PodName::Exact(called)) = &new.name;
        self.admit_pod(&new.namespace, called, &new.template)?;
        let count = self.recorder.next_number(new.owner.key.uid);
        let number = if let PodMark::Number(number) = new.mark { number } else { count };
        let name = match &new.name {
            PodName::Prefix(prefix) => self.store.generate_name(prefix),
            PodName::Exact(name) => name.clone(),
        };
        let pod = Pod {
            meta: Meta {
                finalizers: new.finalizers,
                owners: vec![new.owner],
                ..Meta::labelled(&new.namespace, name, &labels_of(new), &new.template.annotations)
            },
            claims: new.claims.clone().unwrap_or_else(|| new.template.claims.clone()),
            template: new.template.clone(),
            number,
            pinned: new.pinned.clone(),
            index: new.index,
            node: None,
            started: None,
            phase: Phase::Pending,
            ready: false,
            ready_since: Timestamp(0),
            unschedulable: false,
            gates: new.template.placement.all_gates(),
            restarts: 0,
            deletion_cost: deletion_cost(&new.template.annotations),
            disruption: None,
            evicted: false,
            terminated: None,
        };
        let key = self.store.create(pod)?;
        let subject = self.register_pod(key, new, number);
        let created = self.recorder.push(cause, subject, What::Created);
        if !new.template.placement.gates.is_empty() {
            self.note_gates(key, created);
        }
        let emitted = match new.owner.key.kind {
            Kind::StatefulSet => self.about_pod("Create", subject, new.owner.key),
            _ => Emitted::CreatedPod(subject),
        };
        self.emit(new.owner.key, emitted);
        Ok((key, self.version(key)))
    }

    /// Creates a claim for a pod that is not there yet.
    fn create_claim(
        &mut self,
        claim: &PersistentVolumeClaim,
        set: Key,
        pod: &str,
        cause: RecordId,
    ) -> Result<Written, ApiError> {
        let key = self.store.create(self.protected(claim))?;
        self.register(key, None, 0);
        self.created::<PersistentVolumeClaim>(key, cause);
        let set_name = &self.recorder.trace.subject(self.recorder.subject(set.uid)).name;
        let message = format!("Create Claim {} Pod {pod} in StatefulSet {set_name} success", claim.meta.name);
        let emitted = self.other("SuccessfulCreate", &message);
        self.emit(set, emitted);
        Ok((key, self.version(key)))
    }

    /// The Event by which a StatefulSet says what it has done to a pod.
    ///
    /// Upstream: `statefulset/stateful_pod_control.go recordPodEvent`
    fn about_pod(&mut self, verb: &str, pod: SubjectId, set: Key) -> Emitted {
        let name = |id| &self.recorder.trace.subject(id).name;
        let (pod, set) = (name(pod), name(self.recorder.subject(set.uid)));
        let message = format!("{verb} Pod {pod} in StatefulSet {set} successful");
        self.other(&format!("Successful{verb}"), &message)
    }

    fn other(&mut self, reason: &str, message: &str) -> Emitted {
        let (reason, message) = (self.recorder.intern(reason), self.recorder.intern(message));
        Emitted::Other { reason, message, warning: false }
    }

    /// Names a new pod in the trace.
    fn register_pod(&mut self, key: Key, new: &NewPod, number: u32) -> SubjectId {
        let owner = new.owner.key;
        let objects = self.store.objects();
        let meta = objects.meta(key).expect("just created");
        let revision =
            new.revision.as_ref().and_then(|name| objects.find(Kind::ControllerRevision, &new.namespace, name));
        let revision = self.recorder.revision_of(revision.unwrap_or(owner).uid);
        let mark = match &new.mark {
            PodMark::Count => None,
            PodMark::Number(n) => Some(n.to_string().into()),
            PodMark::Text(text) => Some(text.clone()),
        };
        self.recorder.register_pod(meta, owner, revision, number, mark.as_ref())
    }

    /// Deletes a pod and records it.
    pub(super) fn delete_pod(
        &mut self,
        key: Key,
        grace_seconds: Option<u32>,
        cause: RecordId,
    ) -> Result<Written, ApiError> {
        match self.store.delete_pod(key, grace_seconds)? {
            PodDeletion::Removed { first } => {
                if first {
                    self.recorder.note(cause, key.uid, What::Deleting { grace_seconds: 0 });
                }
                self.recorder.note(cause, key.uid, What::Removed);
            }
            PodDeletion::Marked(grace_seconds) => {
                self.recorder.note(cause, key.uid, What::Deleting { grace_seconds });
            }
            PodDeletion::AlreadyDeleting => {}
        }
        Ok((key, self.version(key)))
    }

    /// Names a new object in the trace.
    pub(super) fn register(&mut self, key: Key, owner: Option<Key>, revision: u32) -> SubjectId {
        let objects = self.store.objects();
        let meta = objects.meta(key).expect("just created");
        self.recorder.register(meta, key.kind, owner, revision)
    }

    /// Records a new object with its fields.
    pub(super) fn created<T: Recorded>(&mut self, key: Key, cause: RecordId) {
        let id = self.recorder.note(cause, key.uid, What::Created);
        if let Some(row) = T::table(self.store.objects()).get(key) {
            self.recorder.all(cause, key.uid, row);
        }
        self.recorder.last = id;
    }

    /// Sends an Event of type `Warning`.
    pub(super) fn warn(&mut self, about: Key, reason: &str, message: &str) {
        let (reason, message) = (self.recorder.intern(reason), self.recorder.intern(message));
        self.emit(about, Emitted::Other { reason, message, warning: true });
    }

    /// Sends an Event of type `Normal`.
    pub(super) fn tell(&mut self, about: Key, reason: &str, message: &str) {
        let emitted = self.other(reason, message);
        self.emit(about, emitted);
    }

    pub(super) fn emit(&mut self, about: Key, emitted: Emitted) {
        let cause = self.recorder.last;
        let id = self.recorder.note(cause, about.uid, What::Emitted(emitted));
        self.post_event(about.uid);
        debug_assert!(id > cause);
        // What is observed next is observed because of the write, not
        // because an Event told of it.
        self.recorder.last = cause;
    }

    /// Sends an Event that no request brings about.
    pub(super) fn send_notice(&mut self, notice: &ObjectNotice) {
        // Events about nodes and pods may tell of their end.
        let outlives = matches!(notice.about.kind, Kind::Node | Kind::Pod);
        if !outlives && self.store.objects().meta(notice.about).is_none() {
            return;
        }
        let object = self.recorder.subject(notice.object.uid);
        let message = notice.message.replace("{}", &self.recorder.trace.subject(object).name);
        let (reason, message) = (self.recorder.intern(notice.reason), self.recorder.intern(&message));
        self.emit(notice.about, Emitted::Other { reason, message, warning: notice.warning });
    }

    fn known_subject(&self, key: Key) -> Result<SubjectId, ApiError> {
        self.store.objects().meta(key).ok_or(ApiError::NotFound)?;
        Ok(self.recorder.subject(key.uid))
    }

    pub(super) fn version(&self, key: Key) -> u64 {
        self.store.objects().meta(key).map_or(0, |meta| meta.resource_version)
    }
}

/// The labels of a new pod: those of its template and that of its index.
fn labels_of(new: &NewPod) -> Arc<Labels> {
    match new.index {
        None => new.labels.clone(),
        Some(index) => Arc::new(new.labels.with(INDEX_LABEL, &index.index.to_string())),
    }
}

/// The pod-deletion-cost annotation; what is not a number counts as 0.
pub(super) fn deletion_cost(annotations: &crate::api::Annotations) -> i32 {
    annotations.get("controller.kubernetes.io/pod-deletion-cost").and_then(|text| text.parse().ok()).unwrap_or(0)
}
