//! The history of a workload's templates as ControllerRevisions: which one is
//! the present template, what number it gets, and which ones may go.

use super::template_hash;
use crate::api::{ControllerRevision, Key, Kind, Meta, OwnerRef, PodTemplate, Selector, Uid};
use crate::cluster::Objects;
use std::sync::Arc;

/// The label by which a pod says of which revision it is.
pub const REVISION_LABEL: &str = "controller-revision-hash";

/// The label by which a ControllerRevision says its own hash.
const HASH_LABEL: &str = "controller.kubernetes.io/hash";

/// A ControllerRevision and its key.
pub type Revision<'a> = (Key, &'a ControllerRevision);

/// Which revision the present template is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Present {
    /// The newest one: nothing changed. Its index.
    Newest(usize),
    /// An older one: somebody reverted, so it becomes the newest. Its index
    /// and its new number.
    Reverted(usize, i64),
    /// None yet: one is made with this number.
    Unknown(i64),
}

/// The revisions that an object owns or may adopt, in the order of their
/// numbers.
///
/// Upstream: `history/controller_history.go ListControllerRevisions`
pub fn list<'a>(cache: &'a Objects, owner: Key, namespace: &str, selector: &Selector) -> Vec<Revision<'a>> {
    let owned = cache
        .owned(owner.uid)
        .dependents
        .iter()
        .filter(|key| key.kind == Kind::ControllerRevision)
        .filter_map(|&key| Some((key, cache.controller_revisions.get(key)?)))
        .filter(|(_, revision)| revision.meta.controller() == Some(owner));
    let mut all: Vec<Revision<'a>> = owned
        .chain(cache.stray_controller_revisions(namespace))
        .filter(|(_, revision)| selector.matches(&revision.meta.labels))
        .collect();
    sort(&mut all);
    all
}

/// Sorts by number; of equal numbers the older one comes first, then the name
/// decides.
///
/// Upstream: `history/controller_history.go SortControllerRevisions`
pub fn sort(revisions: &mut [Revision<'_>]) {
    revisions.sort_by(|(_, a), (_, b)| {
        (a.revision, a.meta.created, &a.meta.name).cmp(&(b.revision, b.meta.created, &b.meta.name))
    });
}

/// The number that the next revision gets; the revisions are sorted.
///
/// Upstream: `statefulset/stateful_set_utils.go nextRevision`
#[must_use]
pub fn next_number(revisions: &[Revision<'_>]) -> i64 {
    revisions.last().map_or(1, |(_, newest)| newest.revision + 1)
}

/// Looks for the present template among the sorted revisions.
///
/// A template that was there before does not get a revision of its own: the
/// old one is counted as the newest again, so pods that still run it are up
/// to date at once.
///
/// Upstream: `statefulset/stateful_set_control.go getStatefulSetRevisions`
#[must_use]
pub fn present(revisions: &[Revision<'_>], template: &Arc<PodTemplate>) -> Present {
    let equal = revisions.iter().rposition(|(_, revision)| PodTemplate::same_revision(&revision.data, template));
    match equal {
        Some(index) if index + 1 == revisions.len() => Present::Newest(index),
        Some(index) => Present::Reverted(index, next_number(revisions)),
        None => Present::Unknown(next_number(revisions)),
    }
}

/// The revisions beyond the limit that may go: the lowest numbers first, and
/// none that is live. Live revisions do not count towards the limit.
///
/// Upstream: `statefulset/stateful_set_control.go truncateHistory`
#[must_use]
pub fn excess<'a>(
    revisions: &[Revision<'a>],
    limit: i32,
    is_live: impl Fn(&ControllerRevision) -> bool,
) -> Vec<Revision<'a>> {
    let idle: Vec<Revision<'a>> = revisions.iter().copied().filter(|(_, revision)| !is_live(revision)).collect();
    match usize::try_from(limit) {
        Ok(limit) => idle[..idle.len().saturating_sub(limit)].to_vec(),
        Err(_) => Vec::new(),
    }
}

/// What pods of a template say in their [`REVISION_LABEL`], before the
/// owner's name is put in front of it.
///
/// Upstream: `history/controller_history.go HashControllerRevision`
#[must_use]
pub fn hash(template: &PodTemplate, collisions: i32) -> String {
    template_hash::letters(template, collisions, 10)
}

/// The name of a revision.
///
/// Upstream: `history/controller_history.go ControllerRevisionName`
#[must_use]
pub fn name(owner: &str, hash: &str) -> String {
    let end = (0..=owner.len().min(223)).rev().find(|&i| owner.is_char_boundary(i)).unwrap_or(0);
    format!("{}-{hash}", &owner[..end])
}

/// A revision for a template, ready to be created.
///
/// Upstream: `history/controller_history.go NewControllerRevision`
#[must_use]
pub fn new_revision(
    owner: Key,
    meta: &Meta,
    template: &Arc<PodTemplate>,
    number: i64,
    collisions: i32,
) -> ControllerRevision {
    let hash = hash(template, collisions);
    ControllerRevision {
        meta: Meta {
            labels: Arc::new(template.labels.with(HASH_LABEL, &hash)),
            annotations: meta.annotations.clone(),
            owners: vec![OwnerRef { key: owner, controller: true, blocks_deletion: true }],
            uid: Uid(0),
            ..Meta::named(&meta.namespace, &name(&meta.name, &hash))
        },
        revision: number,
        data: template.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::RawTemplate;
    use crate::time::Timestamp;
    use serde_json::json;

    fn template(image: &str) -> Arc<PodTemplate> {
        Arc::new(PodTemplate { raw: RawTemplate::new(json!({ "image": image })), ..PodTemplate::empty() })
    }

    fn history(entries: &[(i64, &str, &str)]) -> Vec<ControllerRevision> {
        let revision = |&(revision, name, image): &(i64, &str, &str)| ControllerRevision {
            meta: Meta { created: Timestamp(100 - revision), ..Meta::named("default", name) },
            revision,
            data: template(image),
        };
        entries.iter().map(revision).collect()
    }

    fn keyed(rows: &[ControllerRevision]) -> Vec<Revision<'_>> {
        let key = |i| Key { kind: Kind::ControllerRevision, slot: i as u32, uid: Uid(i as u32 + 1) };
        rows.iter().enumerate().map(|(i, row)| (key(i), row)).collect()
    }

    #[test]
    fn the_number_counts_before_age_and_name() {
        let rows = history(&[(3, "c", "x"), (1, "b", "y"), (1, "a", "y"), (2, "z", "w")]);
        let mut sorted = keyed(&rows);
        sort(&mut sorted);
        let names: Vec<&str> = sorted.iter().map(|(_, r)| &*r.meta.name).collect();
        assert_eq!(names, ["a", "b", "z", "c"]);
        assert_eq!((next_number(&sorted), next_number(&[])), (4, 1));
    }

    #[test]
    fn a_template_of_old_is_numbered_anew_and_a_new_one_is_made() {
        let rows = history(&[(1, "a", "v1"), (2, "b", "v2"), (5, "c", "v3")]);
        let all = keyed(&rows);
        for (image, expected) in [
            ("v3", Present::Newest(2)),
            ("v1", Present::Reverted(0, 6)),
            ("v2", Present::Reverted(1, 6)),
            ("v4", Present::Unknown(6)),
        ] {
            assert_eq!(present(&all, &template(image)), expected, "{image}");
        }
        assert_eq!(present(&[], &template("v1")), Present::Unknown(1));
    }

    #[test]
    fn live_revisions_stay_and_do_not_count() {
        let rows = history(&[(1, "a", ""), (2, "b", ""), (3, "c", ""), (4, "d", ""), (5, "e", "")]);
        let all = keyed(&rows);
        let live = |revision: &ControllerRevision| matches!(&*revision.meta.name, "a" | "e");
        for (limit, expected) in [(0, "bcd"), (1, "bc"), (2, "b"), (3, ""), (10, ""), (-1, "")] {
            let gone: String = excess(&all, limit, live).iter().map(|(_, r)| &*r.meta.name).collect();
            assert_eq!(gone, expected, "limit {limit}");
        }
    }

    #[test]
    fn names_tell_templates_and_collisions_apart_and_stay_short() {
        let (one, two) = (hash(&template("v1"), 0), hash(&template("v2"), 0));
        assert_ne!(one, two);
        assert_ne!(one, hash(&template("v1"), 1));
        assert_eq!(name("db", &one), format!("db-{one}"));
        assert_eq!(name(&"x".repeat(253), &one).len(), 234);
    }
}
