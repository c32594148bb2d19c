//! Which indexes of an Indexed Job need a pod, and which pods are one too
//! many for their index.

use super::backoff::finished_at;
use super::{Entry, removal_order};
use crate::api::Indexes;
use crate::sort::go_sort;
use std::collections::BTreeMap;

/// The first `count` indexes that nobody has taken.
///
/// Upstream: `job/indexed_job_utils.go firstPendingIndexes`
#[must_use]
pub(super) fn first_pending(count: usize, completions: u32, taken: &Indexes) -> Vec<u32> {
    let mut pending = Vec::new();
    let mut candidate = 0;
    for (first, last) in taken.ranges() {
        while candidate < first.min(completions) && pending.len() < count {
            pending.push(candidate);
            candidate += 1;
        }
        candidate = candidate.max(last + 1);
    }
    while candidate < completions && pending.len() < count {
        pending.push(candidate);
        candidate += 1;
    }
    pending
}

/// The indexes of some pods.
///
/// Upstream: `job/indexed_job_utils.go getIndexes`
pub(super) fn of_pods<'a>(pods: impl IntoIterator<Item = &'a Entry<'a>>) -> Indexes {
    let mut indexes: Vec<u32> = pods.into_iter().filter_map(|(_, pod)| Some(pod.index?.index)).collect();
    indexes.sort_unstable();
    Indexes::of(indexes)
}

/// Sorts pods by index, those without one first.
///
/// Upstream: `job/indexed_job_utils.go byCompletionIndex`
pub(super) fn sort_by_index(pods: &mut [Entry<'_>]) {
    go_sort(pods, |(_, a), (_, b)| a.index.map(|i| i.index) < b.index.map(|i| i.index));
}

/// Pods that must go and pods that may stay: no index needs two pods, and
/// pods without an index or with one that is not wanted any more are of no
/// use.
///
/// Upstream: `job/indexed_job_utils.go appendDuplicatedIndexPodsForRemoval`
pub(super) fn split_duplicates<'a>(pods: &mut [Entry<'a>], completions: u32) -> (Vec<Entry<'a>>, Vec<Entry<'a>>) {
    sort_by_index(pods);
    let (mut remove, mut left) = (Vec::new(), Vec::new());
    let valid = pods.partition_point(|(_, pod)| pod.index.is_none_or(|i| i.index < completions));
    let (known, beyond) = pods.split_at_mut(valid);
    for same in known.chunk_by_mut(|(_, a), (_, b)| a.index.map(|i| i.index) == b.index.map(|i| i.index)) {
        let keep = usize::from(same[0].1.index.is_some());
        if keep > 0 {
            go_sort(same, |(_, a), (_, b)| removal_order(a, b).is_lt());
        }
        let (surplus, kept) = same.split_at(same.len() - keep);
        remove.extend_from_slice(surplus);
        left.extend_from_slice(kept);
    }
    remove.extend_from_slice(beyond);
    (remove, left)
}

/// Of each index that waits for a new pod, the failed one that tells the new
/// one how often the index has failed. It stays until then.
///
/// Upstream: `job/indexed_job_utils.go getPodsWithDelayedDeletionPerIndex`
pub(super) fn predecessors<'a>(
    failed: impl IntoIterator<Item = Entry<'a>>,
    settled: &Indexes,
) -> BTreeMap<u32, Entry<'a>> {
    let mut last: BTreeMap<u32, Entry<'a>> = BTreeMap::new();
    for (key, pod) in failed {
        let Some(index) = pod.index.filter(|i| !settled.has(i.index)) else { continue };
        let all = |p: &crate::api::Pod| p.index.map_or(0, |i| i.failures + i.ignored_failures);
        let newer =
            last.get(&index.index).is_none_or(|(_, old)| all(old) <= all(pod) && finished_at(pod) >= finished_at(old));
        if newer {
            last.insert(index.index, (key, pod));
        }
    }
    last
}

#[cfg(test)]
mod tests {
    use super::super::tests::pod;
    use super::*;
    use crate::api::{Key, Kind, Pod, PodIndex, Uid};

    fn key(n: u32) -> Key {
        Key { kind: Kind::Pod, slot: n, uid: Uid(n) }
    }

    fn at(uid: u32, index: Option<u32>) -> Pod {
        let index = index.map(|index| PodIndex { index, failures: 0, ignored_failures: 0 });
        Pod { index, ..pod(uid) }
    }

    #[test]
    fn the_first_free_indexes_are_next() {
        for (taken, count, pending) in [
            (vec![], 2, vec![0, 1]),
            (vec![0, 1, 3], 2, vec![2, 4]),
            (vec![1, 2], 9, vec![0, 3, 4]),
            (vec![0, 1, 2, 3, 4], 1, vec![]),
            (vec![7], 9, vec![0, 1, 2, 3, 4]),
            (vec![0], 0, vec![]),
        ] {
            assert_eq!(first_pending(count, 5, &Indexes::of(taken.clone())), pending, "{taken:?}");
        }
    }

    #[test]
    fn an_index_needs_one_pod() {
        let pods = [at(1, Some(1)), at(2, Some(0)), at(3, Some(1)), at(4, None), at(5, Some(9)), at(6, Some(2))];
        let mut entries: Vec<Entry<'_>> = pods.iter().map(|p| (key(p.meta.uid.0), p)).collect();
        let (remove, left) = split_duplicates(&mut entries, 3);
        let uids = |list: &[Entry<'_>]| list.iter().map(|(key, _)| key.uid.0).collect::<Vec<_>>();
        assert_eq!((uids(&remove), uids(&left)), (vec![4, 1, 5], vec![2, 3, 6]));
    }

    #[test]
    fn the_last_failure_of_an_index_is_remembered() {
        let mut pods = [at(1, Some(0)), at(2, Some(0)), at(3, Some(1)), at(4, Some(2))];
        pods[0].index = Some(PodIndex { index: 0, failures: 1, ignored_failures: 0 });
        let entries = pods.iter().map(|p| (key(p.meta.uid.0), p));
        let kept = predecessors(entries, &Indexes::of([2]));
        assert_eq!(kept.into_iter().map(|(i, (key, _))| (i, key.uid.0)).collect::<Vec<_>>(), [(0, 1), (1, 3)]);
    }
}
