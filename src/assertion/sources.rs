//! What a claim reads, and the records nearest to that.

use super::matching::{Run, Source};
use super::{Assertion, Check, Claim, Figure, Ground, Target};
use crate::time::SimTime;
use crate::trace::{RecordId, What};

impl Claim {
    /// Everything the claim reads.
    fn sources<'c>(&'c self, into: &mut Vec<Source<'c>>) {
        match self {
            Claim::Always(p) | Claim::Never(p, _) | Claim::Eventually(p, ..) => p.sources(into),
            Claim::Check(check) => check.sources(into),
        }
    }
}

impl Check {
    fn sources<'c>(&'c self, into: &mut Vec<Source<'c>>) {
        match self {
            Check::Compare(a, _, b) => {
                a.sources(into);
                b.sources(into);
            }
            Check::HappensAt(occurrence, ..) => into.push(Source::Occurrence(occurrence)),
            Check::Not(check) => check.sources(into),
            Check::And(a, b) | Check::Or(a, b) => {
                a.sources(into);
                b.sources(into);
            }
        }
    }
}

impl Figure {
    /// Everything the figure is measured from.
    pub(super) fn sources<'f>(&'f self, into: &mut Vec<Source<'f>>) {
        match self {
            Figure::Number(_) | Figure::Time(_) => {}
            Figure::Fold(_, curve, _) | Figure::At(curve, _) => curve.sources(into),
            Figure::Total(level, _) => into.push(Source::Level(level)),
            Figure::First(p, _) | Figure::Duration(p, _) | Figure::Times(p, _) | Figure::Longest(p, _) => {
                p.sources(into);
            }
            Figure::Count(occurrence, _) | Figure::Nth(occurrence, ..) => into.push(Source::Occurrence(occurrence)),
            Figure::RolloutTime(target, _) => into.push(Source::Complete(target)),
            Figure::Percent(_, of) => of.sources(into),
            Figure::Sum(a, b) | Figure::Difference(a, b) | Figure::Product(a, b) => {
                a.sources(into);
                b.sources(into);
            }
        }
    }
}

impl<'a> Source<'a> {
    /// What it is about; nothing where it is about machines or one pod.
    const fn target(&self) -> Option<&'a Target> {
        match *self {
            Source::Level(level) | Source::Ground(Ground::InZone(level, _)) => Some(&level.target),
            Source::Condition(target, _) | Source::Complete(target) => Some(target),
            Source::Ground(Ground::Skew(target)) => Some(target),
            Source::Occurrence(occurrence) => Some(&occurrence.target),
            Source::Ground(_) | Source::Name(_) => None,
        }
    }
}

/// Of a claim that no record decided: the last one that changed what it reads,
/// or else the last decision about what it tells of, or its last record.
pub(super) fn nearest(run: Run<'_>, assertion: &Assertion, upto: SimTime) -> Option<RecordId> {
    let mut sources = Vec::new();
    assertion.claim.sources(&mut sources);
    let about = |decided: bool| {
        let told = run.trace.records.partition_point(|record| record.at <= upto);
        let found = run.trace.records.iter().take(told).rposition(|record| {
            let fits = !decided || matches!(record.what, What::Decided(_) | What::Unschedulable);
            let targets = || sources.iter().filter_map(Source::target).filter(|target| **target != Target::Any);
            fits && targets().any(|target| run.belongs(record.subject, target))
        });
        found.map(|index| RecordId(index as u32))
    };
    run.decisive(&sources, upto).or_else(|| about(true)).or_else(|| about(false))
}
