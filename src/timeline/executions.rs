//! How often the same work runs at one time.

use crate::api::Kind;
use crate::trace::{Subject, Trace};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What several running pods would be doing twice.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Work {
    /// The whole of the workload.
    Whole,
    /// One Job of a CronJob.
    Job(u32),
    /// One index, ordinal or node.
    Part(Arc<str>),
}

/// The work of one workload and how many running pods each part of it has.
#[derive(Clone, Default)]
pub(super) struct Executions {
    parts: BTreeMap<Work, usize>,
    running: Vec<usize>,
    /// How many parts have so many running pods: the greatest number is then
    /// known without looking at all parts.
    parts_with: Vec<usize>,
}

impl Executions {
    /// The part of the work that a pod does.
    pub(super) fn part(&mut self, trace: &Trace, pod: &Subject, top: Kind) -> usize {
        let next = self.running.len();
        let part = *self.parts.entry(work(trace, pod, top)).or_insert(next);
        if part == next {
            self.running.push(0);
            self.count(0, true);
        }
        part
    }

    /// One more or one less pod of a part runs.
    pub(super) fn step(&mut self, part: usize, up: bool) {
        let before = self.running[part];
        let after = if up { before + 1 } else { before.saturating_sub(1) };
        self.running[part] = after;
        self.count(before, false);
        self.count(after, true);
    }

    fn count(&mut self, running: usize, up: bool) {
        if self.parts_with.len() <= running {
            self.parts_with.resize(running + 1, 0);
        }
        let parts = &mut self.parts_with[running];
        *parts = if up { *parts + 1 } else { *parts - 1 };
    }

    /// The executions at this moment, as [`Series::Overlap`] counts them.
    ///
    /// [`Series::Overlap`]: super::Series::Overlap
    pub(super) fn overlap(&self, top: Kind) -> i64 {
        match top {
            Kind::CronJob => self.parts_with.iter().skip(1).sum::<usize>() as i64,
            _ => self.parts_with.iter().rposition(|&parts| parts > 0).unwrap_or(0) as i64,
        }
    }
}

fn work(trace: &Trace, pod: &Subject, top: Kind) -> Work {
    let Some(owner) = pod.owner else { return Work::Whole };
    let mark = || {
        let (_, mark) = pod.name.split_once('#')?;
        Some(mark.split('~').next().unwrap_or(mark))
    };
    let of = trace.subject(owner);
    match (top, of.kind) {
        (Kind::CronJob, _) => Work::Job(owner.0),
        (_, Kind::StatefulSet | Kind::DaemonSet) => mark().map_or(Work::Whole, |m| Work::Part(m.into())),
        // Pods of an Indexed Job have the index in their names in the API.
        (_, Kind::Job) => match mark() {
            Some(index) if has_index(&pod.api_name, &of.api_name, index) => Work::Part(index.into()),
            _ => Work::Whole,
        },
        _ => Work::Whole,
    }
}

/// Whether a pod is called `<job>-<index>-<letters>`.
fn has_index(pod: &str, job: &str, index: &str) -> bool {
    let rest = pod.strip_prefix(job).and_then(|r| r.strip_prefix('-')).and_then(|r| r.strip_prefix(index));
    rest.is_some_and(|r| r.starts_with('-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pods_of_indexed_jobs_have_their_index_in_the_name() {
        for (pod, index, has) in [
            ("load-3-bbbbc", "3", true),
            ("load-bbbbc", "0", false),
            ("load-33-bbbbc", "3", false),
            ("load-3", "3", false),
        ] {
            assert_eq!(has_index(pod, "load", index), has, "{pod}");
        }
    }

    #[test]
    fn the_most_of_one_part_counts_and_of_cronjobs_the_parts() {
        let mut all = Executions::default();
        for job in 0..3 {
            all.parts.insert(Work::Job(job), job as usize);
            all.running.push(0);
            all.count(0, true);
        }
        for (part, up, most, parts) in
            [(0, true, 1, 1), (1, true, 1, 2), (1, true, 2, 2), (0, false, 2, 1), (1, false, 1, 1), (1, false, 0, 0)]
        {
            all.step(part, up);
            assert_eq!((all.overlap(Kind::Job), all.overlap(Kind::CronJob)), (most, parts));
        }
    }
}
