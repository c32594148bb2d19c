//! What became of the claims of a scenario over its seeds, and everything
//! that helps to understand the first failure of each.

use seatrial::assertion::Verdict;
use seatrial::explain;
use seatrial::plot::Window;
use seatrial::plot::text::{self, TextOptions};
use seatrial::time::{SimTime, Span};
use seatrial::timeline::Timeline;
use seatrial::trace::{RecordId, Trace, What};
use std::path::PathBuf;

/// How much of the waveform is cut out before and after a failure, at least.
const AROUND: Span = Span::from_secs(30);
/// The width of the cut in characters.
const WIDTH: usize = 100;

/// A scenario as `seatrial test` knows it.
pub(super) struct Tested {
    /// Its file.
    pub(super) file: PathBuf,
    /// Its title.
    pub(super) name: String,
    /// Its first seed and how many there are.
    pub(super) seeds: (u64, u32),
    /// What became of each claim.
    pub(super) claims: Vec<Claim>,
}

/// A claim over all seeds.
#[derive(Clone)]
pub(super) struct Claim {
    /// Its name.
    pub(super) name: String,
    /// As it was written.
    pub(super) text: String,
    /// What prevents the outcome, of documented bad outcomes.
    pub(super) fix: Option<String>,
    /// Where it was written: file, line and column.
    pub(super) place: Option<(PathBuf, usize, usize)>,
    /// In how many runs it did not hold.
    pub(super) failed: u32,
    /// The failure with the lowest seed.
    pub(super) first: Option<Failed>,
}

/// A failure with everything that explains it.
#[derive(Clone)]
pub(super) struct Failed {
    /// The seed of the run.
    pub(super) seed: u64,
    /// When the claim was first broken.
    pub(super) at: Option<SimTime>,
    /// What was found.
    pub(super) found: String,
    /// The object that the deciding record is about.
    pub(super) object: Option<String>,
    /// The decision nearest to the failure: what, and the function upstream.
    pub(super) rule: Option<(String, &'static str)>,
    /// The chain of causes, latest first.
    pub(super) why: Vec<String>,
    /// The command that replays it.
    pub(super) reproduce: String,
    /// The waveform around it.
    pub(super) cut: String,
}

impl Claim {
    /// A claim from its verdict in one run.
    pub(super) fn of(verdict: &Verdict, trace: &Trace, timeline: &Timeline, reproduce: &str, ascii: bool) -> Claim {
        let first = (!verdict.passed).then(|| failed(verdict, trace, timeline, reproduce, ascii));
        Claim {
            name: verdict.name.clone(),
            text: verdict.text.clone(),
            fix: verdict.fix.clone(),
            place: verdict.place.as_ref().map(|(file, at)| (file.clone(), at.line, at.column)),
            failed: u32::from(first.is_some()),
            first,
        }
    }

    /// Adds what became of it in another run.
    pub(super) fn add(&mut self, other: Claim) {
        self.failed += other.failed;
        if let Some(theirs) = other.first
            && self.first.as_ref().is_none_or(|mine| theirs.seed < mine.seed)
        {
            self.first = Some(theirs);
        }
    }

    pub(super) fn passed(&self) -> bool {
        self.failed == 0
    }
}

impl Tested {
    pub(super) fn passed(&self) -> bool {
        self.claims.iter().all(Claim::passed)
    }

    /// Documented bad outcomes that happen as documented.
    pub(super) fn documented(&self) -> impl Iterator<Item = (&Claim, &str)> {
        self.claims.iter().filter(|c| c.passed()).filter_map(|c| Some((c, c.fix.as_deref()?)))
    }
}

fn failed(verdict: &Verdict, trace: &Trace, timeline: &Timeline, reproduce: &str, ascii: bool) -> Failed {
    let decisive = verdict.record.or(verdict.nearest);
    let record = verdict.record.and_then(|id| trace.record(id));
    let window = verdict.at.map_or(Window::Auto, |at| around(at, timeline));
    let only = decisive.and_then(|id| concerned(trace, timeline, id));
    let options = TextOptions { width: WIDTH, ascii, window, only, ..TextOptions::default() };
    Failed {
        seed: trace.header.seed,
        at: verdict.at,
        found: verdict.found.clone(),
        object: record.map(|r| trace.subject(r.subject).path()),
        rule: verdict.record.and_then(|id| rule(trace, id)),
        why: decisive.map(|id| explain::chain(trace, id)).unwrap_or_default(),
        reproduce: reproduce.to_string(),
        cut: text::waveform(trace, timeline, &options),
    }
}

/// The workload that a record is about: its subject, or what it belongs to.
fn concerned(trace: &Trace, timeline: &Timeline, id: RecordId) -> Option<usize> {
    let subject = trace.record(id)?.subject;
    let above = std::iter::successors(Some(subject), |id| trace.subject(*id).owner).take(8).last()?;
    let above = trace.subject(above);
    let is = |w: &seatrial::timeline::Workload| {
        w.kind == above.kind && *w.name == *above.name && *w.namespace == *above.namespace
    };
    timeline.workloads().iter().position(is)
}

/// The part of a run around a moment: a sixth of it, but not too little.
fn around(at: SimTime, timeline: &Timeline) -> Window {
    let (from, to) = Window::Auto.of(timeline);
    let margin = Span::from_ns((to.since(from).0 / 6).max(AROUND.0));
    let from = SimTime(at.0.saturating_sub(margin.0));
    Window::Between(from, at.after(margin))
}

/// The decision that is nearest to a record among its causes.
fn rule(trace: &Trace, id: RecordId) -> Option<(String, &'static str)> {
    trace.why_chain(id).into_iter().find_map(|id| match trace.record(id)?.what {
        What::Decided(why) => {
            let reason = explain::reason(why);
            Some((reason.text, reason.upstream))
        }
        _ => None,
    })
}
