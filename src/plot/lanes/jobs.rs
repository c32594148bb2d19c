//! Lanes of runs: a CronJob's Jobs, and a Job's attempts.

use super::{Bar, Chart, Count, Form, Lane, Story, Tick, Tone, count_spans, legend_of, pack};
use crate::figures;
use crate::time::{SimTime, Span};
use crate::timeline::{Ending, JobLife, Life, Phase};
use crate::trace::{RecordId, What, Why};

const LEGEND: [(Tone, Form, &str); 7] = [
    (Tone::Good, Form::Full, "succeeded"),
    (Tone::Bad, Form::Full, "failed"),
    (Tone::Stopped, Form::Full, "stopped"),
    (Tone::Running, Form::Full, "still running"),
    (Tone::Lost, Form::Full, "lost: its machine is dead"),
    (Tone::Terminating, Form::Full, "terminating"),
    (Tone::Waiting, Form::Thin, "waiting"),
];

/// What a pod did for its run.
struct Work {
    /// From when its containers ran until they were told to go, ended or were
    /// lost with their machine.
    run: (SimTime, SimTime),
    /// From when its machine was dead until it was told to go or ended.
    lost: Option<(SimTime, SimTime, RecordId)>,
    /// From when it was told to go until it was gone.
    going: Option<(SimTime, SimTime)>,
}

fn work(life: &Life, until: SimTime) -> Option<Work> {
    let started = life.started()?;
    let end = life.ended(until);
    let told = life.stretches.iter().find(|s| s.phase == Phase::Terminating).map(|s| s.from);
    let over = told.unwrap_or(end);
    let within = |(from, to, record): &(SimTime, Option<SimTime>, RecordId)| {
        let ends_so = to.is_none_or(|to| to >= over);
        (*from >= started && *from < over && ends_so).then_some((*from, over, *record))
    };
    let lost = life.lost.iter().find_map(within);
    let run = (started, lost.map_or(over, |lost| lost.0));
    Some(Work { run, lost, going: told.map(|told| (told, end)) })
}

/// What a piece of a pod's life was.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Doing {
    /// Its containers ran, until the pod's own end.
    Runs,
    /// They ran, and a restart followed.
    Fails,
    /// They ran until their machine died.
    CutOff,
    /// It waits for its restart in place.
    Waits,
    /// Its machine is dead.
    Lost(RecordId),
}

/// A run of a pod's containers, or the wait before they are started again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Piece {
    from: SimTime,
    to: SimTime,
    doing: Doing,
}

/// A pod's runs in place with the waits between them. A pod that was ready and
/// is not any more waits, if it was ever started again, failed or was deleted;
/// otherwise one of its containers has done its work and others go on.
fn pieces(life: &Life, run: (SimTime, SimTime)) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    let ill = !life.restarts.is_empty() || matches!(life.end, Some((_, Ending::Failed(_) | Ending::Deleted, _)));
    let starts_again = |at: SimTime| life.restarts.iter().any(|r| r.0 == at);
    let restarted_after = |at: SimTime| life.restarts.iter().any(|r| r.0 >= at);
    let stretches = life.pieces(run.1).filter(|(from, to, _)| *from >= run.0 && from < to && *from < run.1);
    for (from, to, stretch) in stretches {
        let ran = pieces.last().is_some_and(|last| last.doing != Doing::Waits);
        let doing = if ill && stretch.phase == Phase::Running && ran { Doing::Waits } else { Doing::Runs };
        match pieces.last_mut() {
            Some(last) if last.doing == doing && !starts_again(from) => last.to = to,
            _ => pieces.push(Piece { from, to, doing }),
        }
    }
    for i in 0..pieces.len() {
        let waits_then = pieces.get(i + 1).is_some_and(|next| next.doing == Doing::Waits);
        if pieces[i].doing == Doing::Runs && (waits_then || restarted_after(pieces[i].to)) {
            pieces[i].doing = Doing::Fails;
        }
    }
    for &(from, to, record) in &life.lost {
        cut(&mut pieces, (from.max(run.0), to.unwrap_or(run.1).min(run.1)), record);
    }
    pieces
}

/// Takes the time out of pieces in which their machine was dead.
fn cut(pieces: &mut Vec<Piece>, (from, to): (SimTime, SimTime), record: RecordId) {
    if from >= to {
        return;
    }
    let before = |piece: &Piece| {
        let doing = if piece.doing == Doing::Waits { Doing::Waits } else { Doing::CutOff };
        (piece.from < from).then_some(Piece { from: piece.from, to: from, doing })
    };
    let after = |piece: &Piece| (piece.to > to).then_some(Piece { from: to, ..*piece });
    let apart = |piece: &Piece| piece.to <= from || piece.from >= to;
    let mut rest: Vec<Piece> = pieces
        .iter()
        .flat_map(|piece| if apart(piece) { [Some(*piece), None] } else { [before(piece), after(piece)] })
        .flatten()
        .collect();
    rest.push(Piece { from, to, doing: Doing::Lost(record) });
    rest.sort_by_key(|piece| piece.from);
    *pieces = rest;
}

/// A CronJob's Jobs, packed into as few lanes as it takes: more than one lane
/// means that runs overlapped.
pub(super) fn executions(story: Story<'_>, workload: usize) -> Chart {
    let until = story.timeline.until;
    let all: Vec<&JobLife> = story.lives.jobs.iter().filter(|j| j.workload == workload).collect();
    let spans: Vec<_> = all.iter().map(|job| extent(story, job)).collect();
    let (rows, count) = pack(&spans);
    let mut lanes = vec![Lane::default(); count.max(1)];
    for ((job, row), span) in all.iter().zip(rows).zip(&spans) {
        if story.seen(span.0, span.1) {
            add_execution(&mut lanes[row], story, job);
        }
    }
    for (i, lane) in lanes.iter_mut().enumerate() {
        lane.name = if count > 1 { format!("runs {}", i + 1) } else { "runs".to_string() };
    }
    let running: Vec<_> = all.iter().flat_map(|job| running(story, job, until)).collect();
    let moments = schedule(story, workload);
    let steps = count_spans(&running);
    Chart {
        unit: "run",
        legend: legend_of(story, &lanes, &LEGEND),
        lanes,
        moments: Some(("schedule", moments)),
        count: Some(Count {
            name: "at once",
            steps,
            tone: Tone::Running,
            other: None,
            limit: Some(("1 at a time".to_string(), 1)),
            above_is_bad: true,
        }),
        ..Chart::default()
    }
}

/// From a Job's creation until nothing of it runs any more.
fn extent(story: Story<'_>, job: &JobLife) -> (SimTime, SimTime) {
    let until = story.timeline.until;
    let pods = job.pods.iter().map(|&p| story.lives.pods[p].ended(until)).max();
    let end = job.end.as_ref().map_or(until, |e| e.0);
    (job.created.0, end.max(pods.unwrap_or(end)))
}

/// When anything of a Job ran, as spans that do not overlap.
fn running(story: Story<'_>, job: &JobLife, until: SimTime) -> Vec<(SimTime, SimTime)> {
    let mut spans: Vec<_> = job
        .pods
        .iter()
        .filter_map(|&p| work(&story.lives.pods[p], until))
        .map(|w| (w.run.0, w.going.map(|g| g.1).or(w.lost.map(|l| l.1)).unwrap_or(w.run.1)))
        .collect();
    merge(&mut spans);
    spans
}

/// Joins spans that touch or overlap.
fn merge(spans: &mut Vec<(SimTime, SimTime)>) {
    spans.sort_unstable();
    let mut merged: Vec<(SimTime, SimTime)> = Vec::with_capacity(spans.len());
    for &(from, to) in spans.iter() {
        match merged.last_mut() {
            Some(last) if last.1 >= from => last.1 = last.1.max(to),
            _ => merged.push((from, to)),
        }
    }
    *spans = merged;
}

fn outcome(job: &JobLife) -> (Tone, String, String) {
    match &job.end {
        None => (Tone::Running, "…".to_string(), "still running".to_string()),
        Some((_, Ending::Succeeded, _)) => (Tone::Good, "✓".to_string(), "succeeded".to_string()),
        Some((_, Ending::Failed(why), _)) => (Tone::Bad, "✗".to_string(), format!("failed: {why}")),
        Some((_, Ending::Deleted, _)) => (Tone::Stopped, "■".to_string(), "stopped".to_string()),
    }
}

fn add_execution(lane: &mut Lane, story: Story<'_>, job: &JobLife) {
    let until = story.timeline.until;
    let (from, to) = extent(story, job);
    let (tone, mark, word) = outcome(job);
    let name = &story.trace.subject(job.subject).name;
    let length = round(to.since(from));
    let record = job.end.as_ref().map_or(job.created.1, |e| e.2);
    let about = format!("Job {name} {word} after {length}");
    let waiting = Bar {
        from,
        to,
        tone: Tone::Waiting,
        form: Form::Thin,
        texts: Vec::new(),
        about: about.clone(),
        record: job.created.1,
    };
    lane.bars.push(waiting);
    let mut runs: Vec<_> = job.pods.iter().filter_map(|&p| work(&story.lives.pods[p], until)).map(|w| w.run).collect();
    merge(&mut runs);
    let last = runs.len().saturating_sub(1);
    for (i, (from, to)) in runs.into_iter().enumerate() {
        // A run before the last one was an attempt that failed.
        let tone = if i < last && tone != Tone::Stopped { Tone::Bad } else { tone };
        let length = round(to.since(from));
        let texts = if i == last { vec![format!("{mark} {length}"), mark.clone()] } else { vec!["✗".to_string()] };
        lane.bars.push(Bar { from, to, tone, form: Form::Full, texts, about: about.clone(), record });
    }
    for &p in &job.pods {
        let life = &story.lives.pods[p];
        for &(at, record) in &life.restarts {
            lane.ticks.push(Tick { at, tone: Tone::Bad, about: format!("Job {name} restarted its container"), record });
        }
        let Some(Work { lost, going, .. }) = work(life, until) else { continue };
        lane.bars.extend(lost.map(|lost| lost_bar(lost, &format!("a pod of Job {name}"))));
        let Some((from, to)) = going else { continue };
        let about = format!("Job {name} terminating for {}", round(to.since(from)));
        let record = life.stretches.last().map_or(RecordId::NONE, |s| s.record);
        let texts = Vec::new();
        lane.bars.push(Bar { from, to, tone: Tone::Terminating, form: Form::Full, texts, about, record });
    }
}

/// What was lost with its machine.
fn lost_bar((from, to, record): (SimTime, SimTime, RecordId), what: &str) -> Bar {
    let about = format!("{what} is lost for {}: its machine is dead", round(to.since(from)));
    let texts = vec!["lost: its machine is dead".to_string(), "lost".to_string()];
    Bar { from, to, tone: Tone::Lost, form: Form::Full, texts, about, record }
}

/// When the CronJob's time had come, and when it did not start a Job (bad).
fn schedule(story: Story<'_>, workload: usize) -> Vec<Tick> {
    let seen = story.workload(workload);
    let is_it = |id| {
        let subject = story.trace.subject(id);
        subject.kind == seen.kind && *subject.name == *seen.name && *subject.namespace == *seen.namespace
    };
    let mut ticks = Vec::new();
    for (i, record) in story.trace.records.iter().enumerate() {
        let What::Decided(why) = record.what else { continue };
        let tone = match why {
            Why::ScheduleDue { .. } => Tone::Good,
            why if figures::holds_back(why) => Tone::Bad,
            _ => continue,
        };
        // Sentences tell of more than what is shown.
        if is_it(record.subject) {
            let about = story.trace.describe(record);
            ticks.push(Tick { at: record.at, tone, about, record: RecordId(i as u32) });
        }
    }
    ticks
}

/// A length of time as people say it: long ones without fractions.
pub(crate) fn round(span: Span) -> Span {
    let unit: u64 = if span.0 < 10_000_000_000 { 100_000_000 } else { 1_000_000_000 };
    Span::from_ns((span.0 + unit / 2) / unit * unit)
}

/// A Job's attempts: a lane for each index, or as many as ran at a time.
pub(super) fn attempts(story: Story<'_>, workload: usize) -> Chart {
    let until = story.timeline.until;
    let jobs: Vec<&JobLife> = story.lives.jobs.iter().filter(|j| j.workload == workload).collect();
    let pods: Vec<&Life> = story.lives.of_workload(workload).collect();
    let indexed = jobs.iter().any(|j| j.indexed);
    let spans: Vec<_> = pods.iter().map(|l| (l.created(), l.ended(until))).collect();
    let (rows, count) = pack(&spans);
    let mut lanes: Vec<Lane> = Vec::new();
    let row_of = |i: usize| if indexed { pods[i].mark.parse().unwrap_or(0) } else { rows[i] };
    let total = (0..pods.len()).map(row_of).max().map_or(0, |most| most + 1).max(if indexed { 1 } else { count });
    lanes.resize_with(total.min(100_000), Lane::default);
    for (i, life) in pods.iter().enumerate() {
        if let Some(lane) = lanes.get_mut(row_of(i)).filter(|_| story.seen(spans[i].0, spans[i].1)) {
            gap(lane, story, life);
            add_attempt(lane, story, life);
        }
    }
    for (i, lane) in lanes.iter_mut().enumerate() {
        lane.name = match (indexed, total) {
            (true, _) => format!("index {i}"),
            (false, 1) => "attempts".to_string(),
            (false, _) => format!("pod {}", i + 1),
        };
    }
    if let (Some(at), Some(lane)) = (story.workload(workload).deleted(), lanes.first_mut()) {
        lane.note = format!("gone at {at}");
    }
    let mut legend = legend_of(story, &lanes, &LEGEND);
    if let Some(entry) = legend.iter_mut().find(|e| e.0 == Tone::Waiting) {
        entry.2 = "waiting or backing off".to_string();
    }
    Chart {
        unit: if indexed { "index" } else { "slot" },
        legend,
        lanes,
        limits: deadlines(&jobs).into_iter().filter(|l| story.seen(l.0, l.0)).collect(),
        count: Some(completions(&jobs)),
        ..Chart::default()
    }
}

/// The wait between two attempts in a lane.
fn gap(lane: &mut Lane, story: Story<'_>, life: &Life) {
    let Some(before) = lane.bars.iter().map(|b| b.to).max() else { return };
    let from = before.max(story.from);
    let to = life.created();
    if to <= from {
        return;
    }
    let length = round(to.since(before));
    let record = life.stretches.first().map_or(RecordId::NONE, |s| s.record);
    let about = format!("nothing ran for {length}");
    let texts = vec![format!("waits {length}"), length.to_string()];
    lane.bars.push(Bar { from: before, to, tone: Tone::Waiting, form: Form::Thin, texts, about, record });
}

fn add_attempt(lane: &mut Lane, story: Story<'_>, life: &Life) {
    let until = story.timeline.until;
    let name = &story.trace.subject(life.subject).name;
    let (tone, mark, why) = match &life.end {
        None => (Tone::Running, "…", "still running".to_string()),
        Some((_, Ending::Succeeded, _)) => (Tone::Good, "✓", "succeeded".to_string()),
        Some((_, Ending::Failed(why), _)) => (Tone::Bad, "✗", why.clone()),
        Some((_, Ending::Deleted, _)) => (Tone::Stopped, "■", "stopped".to_string()),
    };
    let begun = life.stretches.first().map_or(RecordId::NONE, |s| s.record);
    let record = life.end.as_ref().map_or(begun, |e| e.2);
    let created = life.created();
    let started = work(life, until).map_or(life.ended(until), |w| w.run.0);
    let about = format!("pod {name} waited for {} to start", round(started.since(created)));
    let texts = Vec::new();
    lane.bars.push(Bar {
        from: created,
        to: started,
        tone: Tone::Waiting,
        form: Form::Thin,
        texts,
        about,
        record: begun,
    });
    let Some(Work { run: (from, to), lost, going }) = work(life, until) else { return };
    for piece in pieces(life, (from, lost.map_or(to, |lost| lost.1))) {
        // Work that is done within the grace was done in one go.
        let all = if life.end.as_ref().is_some_and(|e| e.1 == Ending::Succeeded) { going } else { None };
        let length = round(all.map_or(piece.to, |going| going.1).since(piece.from));
        let (tone, form, texts, about) = match piece.doing {
            Doing::Lost(record) => {
                lane.bars.push(lost_bar((piece.from, piece.to, record), &format!("pod {name}")));
                continue;
            }
            Doing::Waits => {
                let texts = vec![format!("waits {length}"), length.to_string()];
                (Tone::Waiting, Form::Thin, texts, format!("pod {name} waits {length} for its restart"))
            }
            Doing::Fails => {
                let texts = vec![format!("✗ {length}"), "✗".to_string()];
                (Tone::Bad, Form::Full, texts, format!("the container of pod {name} failed after {length}"))
            }
            Doing::CutOff => {
                let texts = vec![format!("■ {length}, its machine died"), format!("■ {length}"), "■".to_string()];
                (Tone::Stopped, Form::Full, texts, format!("the machine of pod {name} died after {length}"))
            }
            Doing::Runs => {
                let mut texts = vec![format!("{mark} {length}"), mark.to_string()];
                if tone == Tone::Bad {
                    texts.insert(0, format!("{mark} {length}, {why}"));
                }
                (tone, Form::Full, texts, format!("pod {name} {why} after {length}"))
            }
        };
        lane.bars.push(Bar { from: piece.from, to: piece.to, tone, form, texts, about, record });
    }
    if let Some((from, to)) = going {
        let about = format!("pod {name} terminating for {}", round(to.since(from)));
        let record = life.stretches.last().map_or(RecordId::NONE, |s| s.record);
        let texts = Vec::new();
        lane.bars.push(Bar { from, to, tone: Tone::Terminating, form: Form::Full, texts, about, record });
    }
    for &(at, record) in &life.restarts {
        lane.ticks.push(Tick { at, tone: Tone::Bad, about: format!("pod {name} restarted its container"), record });
    }
}

fn deadlines(jobs: &[&JobLife]) -> Vec<(SimTime, String)> {
    let of = |job: &&JobLife| {
        let (started, seconds) = (job.started?, job.deadline?);
        let at = started.after(Span::from_secs(u64::try_from(seconds).ok()?));
        Some((at, format!("deadline {}", Span::from_secs(seconds as u64))))
    };
    jobs.iter().filter_map(of).collect()
}

/// Completions against their target; of several Jobs of a name the last.
fn completions(jobs: &[&JobLife]) -> Count {
    let last = jobs.last();
    let steps = last.map(|j| j.succeeded.clone()).unwrap_or_default();
    let failed = last.map(|j| j.failed.clone()).unwrap_or_default();
    let target = last.and_then(|j| j.completions);
    Count {
        name: "succeeded",
        steps,
        tone: Tone::Good,
        other: (failed.last() > 0).then_some(("failed", failed, Tone::Bad)),
        limit: target.map(|n| (format!("target {n}"), n)),
        above_is_bad: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::timeline::Stretch;
    use crate::trace::SubjectId;

    #[test]
    fn times_are_readable() {
        assert_eq!(round(Span::from_ms(1_234)), Span::from_ms(1_200));
        assert_eq!(round(Span::from_ms(61_500)), Span::from_secs(62));
    }

    #[test]
    fn restarts_in_place_are_runs_with_waits_between_them() {
        let s = SimTime::from_secs;
        let mut life = Life::new(SubjectId(0), "0", 0, 0, None);
        let phases =
            [(0, Phase::Starting), (1, Phase::Ready), (6, Phase::Running), (16, Phase::Ready), (21, Phase::Running)];
        life.stretches = phases.map(|(at, phase)| Stretch { from: s(at), phase, record: RecordId::NONE }).to_vec();
        life.restarts = vec![(s(16), RecordId::NONE)];
        let told = |life: &Life, until: u64| -> Vec<(u64, u64, Doing)> {
            let seconds = |at: SimTime| at.0 / 1_000_000_000;
            pieces(life, (s(1), s(until))).into_iter().map(|p| (seconds(p.from), seconds(p.to), p.doing)).collect()
        };
        let expected = [(1, 6, Doing::Fails), (6, 16, Doing::Waits), (16, 21, Doing::Fails), (21, 41, Doing::Waits)];
        assert_eq!(told(&life, 41), expected);
        // Its machine dies in its second run and is back before it is over.
        let lost = Doing::Lost(RecordId::NONE);
        let mut dies = life.clone();
        dies.lost = vec![(s(18), Some(s(30)), RecordId::NONE)];
        let expected = [
            (1, 6, Doing::Fails),
            (6, 16, Doing::Waits),
            (16, 18, Doing::CutOff),
            (18, 30, lost),
            (30, 41, Doing::Waits),
        ];
        assert_eq!(told(&dies, 41), expected);
        // Restarted at once, and then stopped while it ran.
        life.stretches.truncate(2);
        life.stretches.push(Stretch { from: s(6), phase: Phase::Ready, record: RecordId::NONE });
        life.restarts = vec![(s(6), RecordId::NONE)];
        assert_eq!(told(&life, 9), [(1, 6, Doing::Fails), (6, 9, Doing::Runs)]);
        // Its machine dies, and the API says so later.
        life.restarts.clear();
        life.stretches[2].phase = Phase::Unanswered;
        life.lost = vec![(s(4), None, RecordId::NONE)];
        life.end = Some((s(9), Ending::Deleted, RecordId::NONE));
        assert_eq!(told(&life, 9), [(1, 4, Doing::CutOff), (4, 9, lost)]);
    }

    #[test]
    fn spans_that_touch_become_one() {
        let s = SimTime::from_secs;
        let mut spans = vec![(s(5), s(7)), (s(0), s(2)), (s(2), s(3)), (s(6), s(9))];
        merge(&mut spans);
        assert_eq!(spans, [(s(0), s(3)), (s(5), s(9))]);
    }
}
