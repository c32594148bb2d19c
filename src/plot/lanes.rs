//! Lanes: who did what when, one row for each ordinal, node, index or slot,
//! before it is known whether they are drawn as a picture, as text or in a
//! report.

mod jobs;
mod pods;

pub(super) use pods::natural;

pub(crate) use jobs::round;

use super::Picture;
use crate::api::Kind;
use crate::time::SimTime;
use crate::timeline::{Lives, Steps, Timeline, Workload};
use crate::trace::{RecordId, Trace};

/// What a bar means; themes give it its colour.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Tone {
    /// Nothing runs yet, or not again yet.
    Waiting,
    /// Schedulers leave it alone.
    Gated,
    /// Ready, of this revision of the workload.
    Revision(usize),
    /// Not ready, of this revision.
    Pale(usize),
    /// On its node without its disks.
    Attaching,
    /// On its node, and its image is not there.
    Pulling,
    /// Its init containers run.
    Init,
    /// A run that ended well.
    Good,
    /// A run that has not ended.
    Running,
    /// Being deleted.
    Terminating,
    /// A run whose machine is dead, which the API does not know yet.
    Lost,
    /// A run that was stopped before its end.
    Stopped,
    /// A run that failed.
    Bad,
}

/// How high a bar is in its lane.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Form {
    /// All of the lane.
    Full,
    /// A line in its middle.
    Thin,
}

/// A stretch of a lane.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Bar {
    pub(crate) from: SimTime,
    pub(crate) to: SimTime,
    pub(crate) tone: Tone,
    pub(crate) form: Form,
    /// What stands in it, from the longest text to the shortest; may be none.
    pub(crate) texts: Vec<String>,
    /// What it is, in a sentence.
    pub(crate) about: String,
    /// The record that began it.
    pub(crate) record: RecordId,
}

/// A moment in a lane.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Tick {
    pub(crate) at: SimTime,
    pub(crate) tone: Tone,
    pub(crate) about: String,
    pub(crate) record: RecordId,
}

/// One row.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Lane {
    pub(crate) name: String,
    /// In order of time; later ones cover earlier ones.
    pub(crate) bars: Vec<Bar>,
    pub(crate) ticks: Vec<Tick>,
    /// How it stood at the end; may be empty.
    pub(crate) note: String,
}

/// A number below the lanes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Count {
    pub(crate) name: &'static str,
    pub(crate) steps: Steps,
    pub(crate) tone: Tone,
    /// A second number, drawn as a line.
    pub(crate) other: Option<(&'static str, Steps, Tone)>,
    /// What it is measured against.
    pub(crate) limit: Option<(String, i64)>,
    /// Whether more than the limit is bad.
    pub(crate) above_is_bad: bool,
}

/// The lanes of a workload.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Chart {
    /// What a lane is, such as `ordinal`.
    pub(crate) unit: &'static str,
    pub(crate) lanes: Vec<Lane>,
    /// How many lanes had to be left out.
    pub(crate) left_out: usize,
    pub(crate) legend: Vec<(Tone, Form, String)>,
    /// Moments above the lanes with their row's name, such as schedules.
    pub(crate) moments: Option<(&'static str, Vec<Tick>)>,
    /// Moments that matter to all lanes, such as a deadline.
    pub(crate) limits: Vec<(SimTime, String)>,
    pub(crate) count: Option<Count>,
}

impl Chart {
    /// What happened between two moments (the second not included), in the
    /// words of [`headline`](super::headline), and how many times a CronJob
    /// did not start a Job.
    pub(crate) fn headline(&self, workload: &Workload, from: SimTime, end: SimTime) -> String {
        let sentence = super::headline(workload, from, end);
        let ticks = self.moments.iter().flat_map(|(_, ticks)| ticks);
        match ticks.filter(|t| t.tone == Tone::Bad && t.at >= from && t.at < end).count() {
            0 => sentence,
            1 => format!("{sentence}, held back once"),
            2 => format!("{sentence}, held back twice"),
            n => format!("{sentence}, held back {n} times"),
        }
    }
}

/// What pictures of lanes are made from.
#[derive(Clone, Copy)]
pub(crate) struct Story<'a> {
    pub(crate) trace: &'a Trace,
    pub(crate) timeline: &'a Timeline,
    pub(crate) lives: &'a Lives,
    /// The first and the last moment shown.
    pub(crate) from: SimTime,
    pub(crate) to: SimTime,
}

/// Which lanes are drawn.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Question {
    /// What became of each place: ordinal, node, slot.
    Places,
    /// What ran at the same time as what.
    Overlap,
    /// How a Job came to its end.
    Completion,
}

/// The most lanes of a chart.
const MOST_LANES: usize = 120;

impl<'a> Story<'a> {
    fn workload(&self, index: usize) -> &'a Workload {
        &self.timeline.workloads()[index]
    }

    fn seen(&self, from: SimTime, to: SimTime) -> bool {
        from <= self.to && to >= self.from
    }
}

/// The question that a picture of a kind of workload answers; `None` if it is
/// not one for lanes.
pub(crate) fn question(picture: Picture, kind: Kind) -> Option<Question> {
    match picture {
        Picture::Auto => usual_question(kind),
        Picture::Availability | Picture::Capacity | Picture::Zones | Picture::Nodes | Picture::Load => None,
        Picture::Lanes => Some(Question::Places),
        Picture::Overlap => Some(Question::Overlap),
        Picture::Completion => Some(Question::Completion),
    }
}

/// The question that a kind of workload usually puts.
pub(crate) fn usual_question(kind: Kind) -> Option<Question> {
    match kind {
        Kind::StatefulSet | Kind::DaemonSet => Some(Question::Places),
        Kind::Job => Some(Question::Completion),
        Kind::CronJob => Some(Question::Overlap),
        _ => None,
    }
}

/// The lanes of a workload.
pub(crate) fn chart(story: Story<'_>, workload: usize, question: Question) -> Chart {
    let kind = story.workload(workload).kind;
    let mut chart = match (question, kind) {
        (Question::Overlap | Question::Completion, Kind::CronJob) => jobs::executions(story, workload),
        (Question::Completion | Question::Overlap, Kind::Job) => jobs::attempts(story, workload),
        (Question::Places, Kind::Job | Kind::CronJob) => pods::per_node(story, workload),
        (Question::Places | Question::Completion, _) => pods::places(story, workload),
        (Question::Overlap, _) => pods::overlap(story, workload),
    };
    let more = chart.lanes.len().saturating_sub(MOST_LANES);
    if more > 0 {
        // Lanes in which much happens say more than those in which nothing does.
        let mut busy: Vec<usize> = chart.lanes.iter().map(|l| l.bars.len() + l.ticks.len()).collect();
        busy.sort_unstable_by(|a, b| b.cmp(a));
        let enough = busy[MOST_LANES - 1];
        let mut room = MOST_LANES - busy.iter().filter(|&&n| n > enough).count();
        chart.lanes.retain(|l| {
            let n = l.bars.len() + l.ticks.len();
            let kept = n > enough || (n == enough && room > 0);
            room -= usize::from(kept && n == enough);
            kept
        });
        chart.left_out += more;
    }
    chart
}

/// Puts spans into as few rows as it takes so that none overlap in a row;
/// says the row of each. Spans come in order of their beginning.
fn pack(spans: &[(SimTime, SimTime)]) -> (Vec<usize>, usize) {
    let mut ends: Vec<SimTime> = Vec::new();
    let rows = spans
        .iter()
        .map(|&(from, to)| {
            let row = ends.iter().position(|&end| end <= from).unwrap_or(ends.len());
            if row == ends.len() {
                ends.push(to);
            }
            ends[row] = to.max(ends[row]);
            row
        })
        .collect();
    (rows, ends.len())
}

/// How many of some spans there are at each moment.
fn count_spans(spans: &[(SimTime, SimTime)]) -> Steps {
    let mut changes: Vec<(SimTime, i64)> =
        spans.iter().filter(|(from, to)| to > from).flat_map(|&(from, to)| [(from, 1), (to, -1)]).collect();
    changes.sort_unstable();
    let (mut steps, mut level) = (Steps::default(), 0);
    steps.set(SimTime::ZERO, 0);
    for (at, by) in changes {
        level += by;
        steps.set(at, level);
    }
    steps
}

/// The legend's entries for the tones that appear, in their order.
fn legend_of(story: Story<'_>, lanes: &[Lane], names: &[(Tone, Form, &str)]) -> Vec<(Tone, Form, String)> {
    let is = |b: &Bar, tone: Tone, form: Form| b.tone == tone && b.form == form && story.seen(b.from, b.to);
    let seen = |tone: Tone, form: Form| lanes.iter().any(|l| l.bars.iter().any(|b| is(b, tone, form)));
    names.iter().filter(|n| seen(n.0, n.1)).map(|&(tone, form, name)| (tone, form, name.to_string())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_packed_without_overlap() {
        let s = SimTime::from_secs;
        let spans = [(s(0), s(10)), (s(5), s(15)), (s(10), s(20)), (s(12), s(13)), (s(15), s(16))];
        assert_eq!(pack(&spans), (vec![0, 1, 0, 2, 1], 3));
        let counted = count_spans(&spans);
        for (at, n) in [(0, 1), (5, 2), (10, 2), (12, 3), (13, 2), (15, 2), (16, 1), (20, 0)] {
            assert_eq!(counted.at(s(at)), n, "at {at}");
        }
    }
}
