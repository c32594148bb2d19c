//! The history of a DaemonSet's templates.

use crate::api::{DaemonSet, DaemonSetStatus, Finalizers, Key, Kind, OwnerRef, PodTemplate};
use crate::controllers::history::{self, REVISION_LABEL, Revision};
use crate::controllers::{Plan, Reaction, SyncError, Version, View, Write};
use crate::trace::Why;
use std::sync::Arc;

/// Which revision is the present one, and which ones are history.
pub(super) struct History<'a> {
    /// What pods of the present revision have in their label.
    pub(super) hash: Arc<str>,
    /// The present revision's name.
    pub(super) name: Arc<str>,
    /// The others, by number.
    pub(super) old: Vec<Revision<'a>>,
}

/// Finds the present revision, or plans to create it; a revision that is the
/// present one again gets the highest number.
///
/// Upstream: `daemon/update.go constructHistory`
pub(super) fn construct<'a>(
    key: Key,
    set: &DaemonSet,
    view: View<'a>,
    plan: &mut Plan,
) -> Result<History<'a>, SyncError> {
    let all = claim(key, set, view, plan)?;
    let template = &set.spec.template;
    let (present, old): (Vec<Revision<'a>>, Vec<Revision<'a>>) =
        all.into_iter().partition(|(_, revision)| PodTemplate::same_revision(&revision.data, template));
    let number = history::next_number(&old);
    let Some(&(revision_key, revision)) = present.last() else {
        let hash = history::hash(template, set.status.collision_count);
        let mut revision = history::new_revision(key, &set.meta, template, number, set.status.collision_count);
        revision.meta.labels = Arc::new(template.labels.with(REVISION_LABEL, &hash));
        let name = revision.meta.name.clone();
        plan.because(Why::NewRevision { revision: number as u32 });
        plan.write(Write::CreateRevision { revision: Box::new(revision), owner: key });
        return Ok(History { hash: hash.into(), name, old });
    };
    if revision.revision < number {
        plan.write(Write::NumberRevision {
            revision: revision_key,
            version: Version::Cached(revision.meta.resource_version),
            number,
        });
    }
    let hash = revision.meta.labels.get(REVISION_LABEL).unwrap_or(&revision.meta.name);
    merge_duplicates(key, &present, hash, view, plan);
    Ok(History { hash: hash.into(), name: revision.meta.name.clone(), old })
}

/// Plans the end of older revisions with the present template: there should
/// be one only, and all pods of the others are its pods.
///
/// Upstream: `daemon/update.go dedupCurHistories`
fn merge_duplicates(key: Key, present: &[Revision<'_>], hash: &str, view: View<'_>, plan: &mut Plan) {
    let Some((_, duplicates)) = present.split_last().filter(|(_, duplicates)| !duplicates.is_empty()) else { return };
    for (pod, row) in view.cache.pods_of(key) {
        if row.meta.labels.get(REVISION_LABEL) != Some(hash) {
            let labels = Arc::new(row.meta.labels.with(REVISION_LABEL, hash));
            plan.write(Write::RelabelPod { pod, owner: key, labels });
        }
    }
    for (duplicate, _) in duplicates {
        plan.write(Write::DeleteRevision(*duplicate));
    }
}

/// The revisions that a DaemonSet owns, by number, with plans to adopt and to
/// release where labels and selector say so.
///
/// Upstream: `daemon/update.go controlledHistories`
fn claim<'a>(key: Key, set: &DaemonSet, view: View<'a>, plan: &mut Plan) -> Result<Vec<Revision<'a>>, SyncError> {
    let owner = OwnerRef { key, controller: true, blocks_deletion: true };
    for &dependent in &view.cache.owned(key.uid).dependents {
        if dependent.kind == Kind::ControllerRevision
            && let Some(revision) = view.cache.controller_revisions.get(dependent)
            && !set.spec.selector.matches(&revision.meta.labels)
        {
            plan.write(Write::SetOwner { object: dependent, owner, present: false, finalizers: Finalizers::NONE });
        }
    }
    let mut all = history::list(view.cache, key, &set.meta.namespace, &set.spec.selector);
    let is_ours = |revision: &Revision<'_>| revision.1.meta.controller() == Some(key);
    all.retain(|revision| is_ours(revision) || !revision.1.meta.is_deleting());
    for (object, _) in all.iter().filter(|revision| !is_ours(revision)) {
        view.may_adopt(key)?;
        plan.write(Write::SetOwner { object: *object, owner, present: true, finalizers: Finalizers::NONE });
    }
    Ok(all)
}

/// Plans the end of the oldest revisions beyond the limit. A revision that
/// some pod still runs is passed over, but counts.
///
/// Upstream: `daemon/update.go cleanupHistory`
pub(super) fn clean_up(key: Key, set: &DaemonSet, old: &[Revision<'_>], view: View<'_>, plan: &mut Plan) {
    let limit = set.spec.revision_history_limit;
    let surplus = old.len().saturating_sub(usize::try_from(limit).unwrap_or(0));
    if surplus == 0 {
        return;
    }
    let is_live = |revision: &&Revision<'_>| {
        let hash = revision.1.meta.labels.get(REVISION_LABEL).unwrap_or(&revision.1.meta.name);
        view.cache.pods_of(key).any(|(_, pod)| pod.meta.labels.get(REVISION_LABEL) == Some(hash))
    };
    let doomed: Vec<Key> = old.iter().filter(|r| !is_live(r)).map(|(key, _)| *key).take(surplus).collect();
    if !doomed.is_empty() {
        plan.because(Why::RevisionLimit { limit });
    }
    for revision in doomed {
        plan.write(Write::DeleteRevision(revision));
    }
}

/// What follows when the name of a new revision is taken: if it is this very
/// template's, all is well; if not, two templates have the same hash and the
/// next attempt gets another one.
///
/// Upstream: `daemon/update.go snapshot`
pub(super) fn met_existing(
    key: Key,
    wanted: &crate::api::ControllerRevision,
    view: View<'_>,
    plan: &mut Plan,
) -> Reaction {
    let live = view.live;
    let existing = live
        .find(Kind::ControllerRevision, &wanted.meta.namespace, &wanted.meta.name)
        .and_then(|key| live.controller_revisions.get(key));
    let Some(existing) = existing else { return Reaction::Fail };
    if PodTemplate::same_revision(&existing.data, &wanted.data) {
        return Reaction::Ignore;
    }
    if let Some(set) = live.daemon_sets.get(key) {
        let status = DaemonSetStatus { collision_count: set.status.collision_count + 1, ..set.status };
        plan.write(Write::DaemonSetStatus { set: key, version: Version::Any, status: Box::new(status) });
    }
    Reaction::Fail
}
