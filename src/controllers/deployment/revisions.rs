//! Which ReplicaSet belongs to the current template, which ones to older
//! ones, and how the numbers of revisions move.

use super::{Pass, Set, rules};
use crate::api::{
    ConditionStatus, Deployment, DeploymentCondition, DeploymentStatus, Finalizers, Key, Kind, Meta, OwnerRef,
    PodTemplate, ReplicaSet, ReplicaSetSpec, ReplicaSetStatus, RolloutMarks,
};
use crate::controllers::template_hash::{letter, letters};
use crate::controllers::{Plan, Reaction, SyncError, Version, View, Write};
use crate::trace::Why;
use std::sync::Arc;

/// The label by which pods of different revisions are told apart.
pub(super) const HASH_LABEL: &str = "pod-template-hash";

/// The ReplicaSet of the current template.
pub(super) enum NewSet<'a> {
    /// It is there.
    Existing(Set<'a>),
    /// This sync creates it, of this size.
    Created(i32),
}

impl NewSet<'_> {
    pub(super) fn replicas(&self) -> i32 {
        match self {
            NewSet::Existing((_, set)) => set.spec.replicas,
            NewSet::Created(replicas) => *replicas,
        }
    }

    pub(super) fn status(&self) -> ReplicaSetStatus {
        match self {
            NewSet::Existing((_, set)) => set.status.clone(),
            NewSet::Created(_) => ReplicaSetStatus::default(),
        }
    }
}

/// A Deployment's ReplicaSets: old ones in order of creation, and the new one.
pub(super) struct Sets<'a> {
    pub(super) old: Vec<Set<'a>>,
    pub(super) new: Option<NewSet<'a>>,
}

/// The order of creation. Creation times are whole seconds, so within one
/// second the revision decides, then the UID.
pub(super) fn creation_order(set: &ReplicaSet) -> (i64, i64, u32) {
    (set.meta.created.0, set.marks.revision.unwrap_or(0), set.meta.uid.0)
}

impl<'a> Pass<'a> {
    /// The ReplicaSets that this Deployment owns, in order of creation, with
    /// plans to adopt and to release where labels and selector say so.
    ///
    /// Upstream: `deployment/deployment_controller.go getReplicaSetsForDeployment`
    pub(super) fn claim_sets(&mut self) -> Result<Vec<Set<'a>>, SyncError> {
        let (cache, selector) = (self.view.cache, &self.deployment.spec.selector);
        let owner = OwnerRef { key: self.key, controller: true, blocks_deletion: true };
        let alive = !self.deployment.meta.is_deleting();
        let mut claimed: Vec<Set<'a>> = Vec::new();
        for &key in &cache.owned(self.key.uid).dependents {
            let Some(set) = (key.kind == Kind::ReplicaSet).then(|| cache.replica_sets.get(key)).flatten() else {
                continue;
            };
            if selector.matches(&set.meta.labels) {
                claimed.push((key, set));
            } else if alive {
                self.plan.write(Write::SetOwner { object: key, owner, present: false, finalizers: Finalizers::NONE });
            }
        }
        if alive {
            for (key, set) in cache.stray_replica_sets(&self.deployment.meta.namespace) {
                if !set.meta.is_deleting() && selector.matches(&set.meta.labels) {
                    self.view.may_adopt(self.key)?;
                    self.plan.write(Write::SetOwner {
                        object: key,
                        owner,
                        present: true,
                        finalizers: Finalizers::NONE,
                    });
                    claimed.push((key, set));
                }
            }
        }
        claimed.sort_by_key(|(_, set)| creation_order(set));
        Ok(claimed)
    }

    /// The current ReplicaSets with revision numbers brought up to date, but
    /// without making a new one.
    pub(super) fn existing(&mut self, sets: &[Set<'a>]) -> Sets<'a> {
        self.sync_revisions(sets, false)
    }

    /// The same, making the new ReplicaSet if there is none.
    pub(super) fn existing_or_new(&mut self, sets: &[Set<'a>]) -> Sets<'a> {
        self.sync_revisions(sets, true)
    }

    /// Upstream: `deployment/sync.go getAllReplicaSetsAndSyncRevision`, `getNewReplicaSet`
    fn sync_revisions(&mut self, sets: &[Set<'a>], create: bool) -> Sets<'a> {
        let template = &self.deployment.spec.template;
        // With several ReplicaSets of the same template, the oldest is it.
        let found = sets.iter().position(|(_, set)| PodTemplate::same_revision(&set.spec.template, template));
        let mut old = sets.to_vec();
        let new = found.map(|index| old.remove(index));
        let newest_old = old.iter().filter_map(|(_, set)| set.marks.revision).max().unwrap_or(0).max(0);
        let new = match new {
            Some(set) => {
                self.sync_existing(set, newest_old + 1);
                Some(NewSet::Existing(set))
            }
            None if create => Some(NewSet::Created(self.create_set(&old, newest_old + 1))),
            None => None,
        };
        Sets { old, new }
    }

    /// Brings the notes of the current ReplicaSet, and then the revision of
    /// the Deployment, up to date: one of the two in a sync.
    fn sync_existing(&mut self, (key, set): Set<'a>, next_revision: i64) {
        let annotations = copied_annotations(self.deployment, set);
        let revision = set.marks.revision.unwrap_or(0).max(next_revision);
        let min_ready_seconds = self.deployment.spec.min_ready_seconds;
        let outdated = set.marks.revision.unwrap_or(0) < next_revision
            || annotations != set.meta.annotations
            || set.spec.min_ready_seconds != min_ready_seconds;
        if outdated {
            self.plan.write(Write::UpdateReplicaSet {
                set: key,
                version: Version::Cached(set.meta.resource_version),
                marks: RolloutMarks { revision: Some(revision), ..set.marks },
                annotations,
                min_ready_seconds,
            });
            return;
        }
        let mut outdated = self.revision != set.marks.revision;
        self.revision = set.marks.revision;
        if self.deployment.has_progress_deadline() && self.status.progressing.is_none() {
            self.set_progressing(ConditionStatus::True, "FoundNewReplicaSet");
            outdated = true;
        }
        if outdated {
            self.write_status();
        }
    }

    /// Plans a ReplicaSet for the current template and answers its size.
    fn create_set(&mut self, old: &[Set<'a>], revision: i64) -> i32 {
        let deployment = self.deployment;
        let spec = &deployment.spec;
        let all: i32 = old.iter().map(|(_, set)| set.spec.replicas).sum();
        let replicas = rules::new_set_size(spec.strategy, spec.replicas, 0, all);
        self.plan.because(Why::NewTemplate { revision: revision as u32 });
        let marks = RolloutMarks { revision: Some(revision), ..self.size_marks(None) };
        let set = Box::new(new_replica_set(self.key, deployment, self.status.collision_count, replicas, marks));
        self.plan.write(Write::CreateReplicaSet { set, deployment: self.key });
        let mut outdated = self.revision != Some(revision);
        self.revision = Some(revision);
        if deployment.has_progress_deadline() {
            self.set_progressing(ConditionStatus::True, "NewReplicaSetCreated");
            outdated = true;
        }
        if outdated {
            self.write_status();
        }
        replicas
    }

    /// The notes that sizing leaves on a ReplicaSet.
    pub(super) fn size_marks(&self, set: Option<&ReplicaSet>) -> RolloutMarks {
        let desired = self.deployment.spec.replicas;
        RolloutMarks {
            revision: set.and_then(|set| set.marks.revision),
            desired_replicas: Some(desired),
            max_replicas: Some(desired + self.limits.surge),
        }
    }

    /// Removes old ReplicaSets beyond `revisionHistoryLimit`, the lowest
    /// revisions first, but none that still has pods.
    ///
    /// Upstream: `deployment/sync.go cleanupDeployment`
    pub(super) fn clean_up_history(&mut self, old: &[Set<'a>]) {
        let limit = self.deployment.spec.revision_history_limit;
        if limit == i32::MAX {
            return;
        }
        let mut cleanable: Vec<_> = old.iter().filter(|(_, set)| !set.meta.is_deleting()).collect();
        let Some(excess) = cleanable.len().checked_sub(limit.max(0) as usize).filter(|&n| n > 0) else {
            return;
        };
        cleanable.sort_by_key(|(_, set)| (set.marks.revision.unwrap_or(0), creation_order(set)));
        for (key, set) in cleanable.into_iter().take(excess) {
            let idle = set.status.replicas == 0
                && set.spec.replicas == 0
                && set.meta.generation <= set.status.observed_generation;
            if idle {
                self.plan.because(Why::HistoryLimit { limit });
                self.plan.write(Write::DeleteReplicaSet(*key));
            }
        }
    }

    /// Plans a write of the status and revision as they are now.
    pub(super) fn write_status(&mut self) {
        self.plan.write(Write::DeploymentStatus {
            deployment: self.key,
            version: Version::Cached(self.deployment.meta.resource_version),
            status: Box::new(self.status.clone()),
            revision: self.revision,
        });
    }

    /// Sets the `Progressing` condition of this sync's status.
    pub(super) fn set_progressing(&mut self, status: ConditionStatus, reason: &str) {
        set_condition(&mut self.status.progressing, status, reason, self.view);
    }
}

/// Sets a condition, unless it has this status and reason already. The time
/// of transition stays as long as the status does.
///
/// Upstream: `deployment/util/deployment_util.go SetDeploymentCondition`
pub(super) fn set_condition(
    slot: &mut Option<DeploymentCondition>,
    status: ConditionStatus,
    reason: &str,
    view: View<'_>,
) {
    let now = view.now.truncate();
    let last_transition = match slot {
        Some(old) if old.status == status && &*old.reason == reason => return,
        Some(old) if old.status == status => old.last_transition,
        _ => now,
    };
    *slot = Some(DeploymentCondition { status, reason: reason.into(), last_update: now, last_transition });
}

/// A ReplicaSet's annotations with the Deployment's copied over them.
///
/// Upstream: `deployment/util/deployment_util.go copyDeploymentAnnotationsToReplicaSet`
fn copied_annotations(deployment: &Deployment, set: &ReplicaSet) -> crate::api::Annotations {
    let missing = |(name, value): &(&String, &String)| set.meta.annotations.get(*name) != Some(*value);
    if !deployment.meta.annotations.iter().any(|pair| missing(&pair)) {
        return set.meta.annotations.clone();
    }
    let mut annotations = set.meta.annotations.clone();
    Arc::make_mut(&mut annotations)
        .extend(deployment.meta.annotations.iter().map(|(name, value)| (name.clone(), value.clone())));
    annotations
}

fn new_replica_set(
    key: Key,
    deployment: &Deployment,
    collisions: i32,
    replicas: i32,
    marks: RolloutMarks,
) -> ReplicaSet {
    let spec = &deployment.spec;
    let hash = hash_of(&spec.template, marks.revision.unwrap_or(0), collisions);
    let template =
        PodTemplate { labels: Arc::new(spec.template.labels.with(HASH_LABEL, &hash)), ..(*spec.template).clone() };
    ReplicaSet {
        meta: Meta {
            labels: template.labels.clone(),
            annotations: deployment.meta.annotations.clone(),
            owners: vec![OwnerRef { key, controller: true, blocks_deletion: true }],
            ..Meta::named(&deployment.meta.namespace, &format!("{}-{hash}", deployment.meta.name))
        },
        spec: ReplicaSetSpec {
            replicas,
            min_ready_seconds: spec.min_ready_seconds,
            selector: Arc::new(spec.selector.with(HASH_LABEL, &hash)),
            template: Arc::new(template),
        },
        status: ReplicaSetStatus::default(),
        marks,
    }
}

/// Two letters of revision come first so that the names of one Deployment's
/// ReplicaSets sort by age.
fn hash_of(template: &PodTemplate, revision: i64, collisions: i32) -> String {
    let revision = [letter(revision as u64 / 27 + 7), letter(revision as u64)];
    String::from_iter(revision) + &letters(template, collisions, 7)
}

/// What follows when the name of a new ReplicaSet is taken.
///
/// Upstream: `deployment/sync.go getNewReplicaSet`
pub(super) fn met_existing(key: Key, set: &ReplicaSet, view: View<'_>, plan: &mut Plan) -> Reaction {
    let existing = view
        .cache
        .replica_sets
        .find(&set.meta.namespace, &set.meta.name)
        .and_then(|key| view.cache.replica_sets.get(key));
    let Some(existing) = existing else { return Reaction::Fail };
    let ours = existing.meta.controller() == Some(key)
        && PodTemplate::same_revision(&existing.spec.template, &set.spec.template);
    if ours {
        return Reaction::Ignore;
    }
    if let Some(deployment) = view.cache.deployments.get(key) {
        let status =
            DeploymentStatus { collision_count: deployment.status.collision_count + 1, ..deployment.status.clone() };
        plan.write(Write::DeploymentStatus {
            deployment: key,
            version: Version::Cached(deployment.meta.resource_version),
            status: Box::new(status),
            revision: deployment.revision,
        });
    }
    Reaction::Fail
}
