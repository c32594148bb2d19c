//! What became of every pod and of every Job: what it did when, how it ended,
//! and the records that say so.
//!
//! A [`Timeline`] counts; lives tell one from another. They are read from the
//! trace only where a picture needs them.

use super::Timeline;
use super::cast::top;
use crate::api::Kind;
use crate::time::SimTime;
use crate::trace::{Field, Record, RecordId, Stage, SubjectId, Trace, Value, What};
use std::collections::BTreeMap;

/// What a pod is doing.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Phase {
    /// It has no node.
    Pending,
    /// It has no node, and scheduling gates.
    Gated,
    /// It has a node and waits there for its disks: until they are attached,
    /// or first detached elsewhere.
    Attaching,
    /// It pulls an image, or waits before it tries again.
    Pulling,
    /// Its init containers run, or wait to be started again.
    Init,
    /// It has a node, and its containers do not run yet.
    Starting,
    /// Its containers run, or wait to be started again, and it is not ready.
    Running,
    /// It is not ready because its node does not answer; what its containers
    /// do nobody hears.
    Unanswered,
    /// It is ready.
    Ready,
    /// It is being deleted and still holds its node.
    Terminating,
}

impl Phase {
    /// The word for it in legends.
    pub const fn name(self) -> &'static str {
        match self {
            Phase::Pending => "pending",
            Phase::Gated => "gated",
            Phase::Attaching => "attaching",
            Phase::Pulling => "pulling",
            Phase::Init => "in its init containers",
            Phase::Starting => "starting",
            Phase::Running => "not ready",
            Phase::Unanswered => "not ready, as its node does not answer,",
            Phase::Ready => "ready",
            Phase::Terminating => "terminating",
        }
    }
}

/// How a pod's or a Job's work ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Ending {
    /// Well: a pod with exit code 0, or a Job that is complete.
    Succeeded,
    /// Badly; why, in one word or two.
    Failed(String),
    /// It was deleted before it had come to an end.
    Deleted,
}

/// From when on a pod was in a phase.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stretch {
    /// Since when; until the next stretch or the end.
    pub from: SimTime,
    /// What it was doing.
    pub phase: Phase,
    /// The record that says so.
    pub record: RecordId,
}

/// A pod from its creation to its end.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Life {
    /// The pod.
    pub subject: SubjectId,
    /// What marks it among its owner's pods: an ordinal, an index, a node or
    /// a number.
    pub mark: String,
    /// Index into [`Timeline::workloads`].
    pub workload: usize,
    /// Index into [`Workload::revisions`](super::Workload::revisions).
    pub revision: usize,
    /// The object that controls it.
    pub owner: Option<SubjectId>,
    /// Its node, once it has one.
    pub node: Option<SubjectId>,
    /// What it did, in order of time; the first stretch begins at its creation.
    pub stretches: Vec<Stretch>,
    /// Restarts in place.
    pub restarts: Vec<(SimTime, RecordId)>,
    /// From when until when its machine was dead, if that was over before the
    /// pod was gone, and the record that says so. The API learns of it later,
    /// or never.
    pub lost: Vec<(SimTime, Option<SimTime>, RecordId)>,
    /// When it was marked for disruption.
    pub disrupted: Option<(SimTime, RecordId)>,
    /// When it stopped to take up room, how, and the record that says so.
    pub end: Option<(SimTime, Ending, RecordId)>,
}

impl Life {
    /// A life of which nothing has been told yet.
    pub(crate) fn new(
        subject: SubjectId,
        mark: &str,
        workload: usize,
        revision: usize,
        owner: Option<SubjectId>,
    ) -> Life {
        Life {
            subject,
            mark: mark.to_string(),
            workload,
            revision,
            owner,
            node: None,
            stretches: Vec::new(),
            restarts: Vec::new(),
            lost: Vec::new(),
            disrupted: None,
            end: None,
        }
    }

    /// When it was created.
    pub fn created(&self) -> SimTime {
        self.stretches.first().map_or(SimTime::ZERO, |s| s.from)
    }

    /// When it ended; `until` if it did not.
    pub fn ended(&self, until: SimTime) -> SimTime {
        self.end.as_ref().map_or(until, |end| end.0)
    }

    /// Its stretches with their ends.
    pub fn pieces(&self, until: SimTime) -> impl Iterator<Item = (SimTime, SimTime, Stretch)> + '_ {
        let ended = self.ended(until);
        let next = move |i: usize| self.stretches.get(i + 1).map_or(ended, |s| s.from);
        self.stretches.iter().enumerate().map(move |(i, &s)| (s.from, next(i).max(s.from), s))
    }

    /// From when on its containers could do something.
    pub fn started(&self) -> Option<SimTime> {
        self.stretches.iter().find(|s| matches!(s.phase, Phase::Running | Phase::Ready)).map(|s| s.from)
    }
}

/// A Job from its creation to its end.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct JobLife {
    /// The Job.
    pub subject: SubjectId,
    /// Index into [`Timeline::workloads`]: its CronJob, or the Job itself.
    pub workload: usize,
    /// When it was created, and the record that says so.
    pub created: (SimTime, RecordId),
    /// When its deletion was asked for.
    pub deleting: Option<(SimTime, RecordId)>,
    /// When it was complete, had failed or was deleted unfinished.
    pub end: Option<(SimTime, Ending, RecordId)>,
    /// Indexes into [`Lives::pods`].
    pub pods: Vec<usize>,
    /// Whether its pods have indexes.
    pub indexed: bool,
    /// How many pods must succeed.
    pub completions: Option<i64>,
    /// `activeDeadlineSeconds`.
    pub deadline: Option<i64>,
    /// Pods that succeeded and failed, as its status says: since when, how many.
    pub succeeded: super::Steps,
    /// See `succeeded`.
    pub failed: super::Steps,
    /// When its clock for the deadline began.
    pub started: Option<SimTime>,
}

/// All pods and Jobs of a run.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Lives {
    /// The pods in order of creation.
    pub pods: Vec<Life>,
    /// The Jobs in order of creation.
    pub jobs: Vec<JobLife>,
}

/// Where a subject's life is kept.
#[derive(Clone, Copy)]
enum Place {
    Nowhere,
    Pod(usize),
    Job(usize),
}

impl Lives {
    /// Reads a trace once from front to back.
    pub fn of(trace: &Trace, timeline: &Timeline) -> Lives {
        let mut lives = Lives::default();
        let places = lives.cast(trace, timeline);
        let mut on: BTreeMap<SubjectId, Vec<usize>> = BTreeMap::new();
        for (i, record) in trace.records.iter().enumerate() {
            let id = RecordId(i as u32);
            if let (What::Bound { node }, Some(&Place::Pod(pod))) = (record.what, places.get(record.subject.0 as usize))
            {
                on.entry(node).or_default().push(pod);
            }
            if let (What::Action(action), Some(pods)) = (record.what, on.get(&record.subject)) {
                lives.machine(pods, trace, action, record.at, id);
            }
            match places.get(record.subject.0 as usize) {
                Some(&Place::Pod(pod)) => live(&mut lives.pods[pod], trace, record, id),
                Some(&Place::Job(job)) => execute(&mut lives.jobs[job], trace, record, id),
                _ => {}
            }
        }
        lives.pods.iter_mut().for_each(tidy);
        lives
    }

    /// Somebody did something to a machine with these pods.
    fn machine(&mut self, pods: &[usize], trace: &Trace, action: u32, at: SimTime, id: RecordId) {
        // What was done stands in traces in words only.
        let done = trace.header.actions.get(action as usize).map_or("", |action| action.1.as_str());
        let (dies, recovers) = (done.ends_with(" dies"), done.ends_with(" recovers"));
        for &pod in pods.iter().filter(|_| dies || recovers) {
            let life = &mut self.pods[pod];
            match life.lost.last_mut().filter(|lost| lost.1.is_none()) {
                Some(open) if recovers => open.1 = Some(at),
                None if dies && life.end.is_none() => life.lost.push((at, None, id)),
                _ => {}
            }
        }
    }

    /// The pods of a workload, in order of creation.
    pub fn of_workload(&self, workload: usize) -> impl Iterator<Item = &Life> + '_ {
        self.pods.iter().filter(move |p| p.workload == workload && !p.stretches.is_empty())
    }

    fn cast(&mut self, trace: &Trace, timeline: &Timeline) -> Vec<Place> {
        let by_path: BTreeMap<(Kind, &str, &str), usize> = timeline
            .workloads()
            .iter()
            .enumerate()
            .map(|(i, w)| ((w.kind, w.namespace.as_str(), w.name.as_str()), i))
            .collect();
        let mut revisions: BTreeMap<(usize, &str), usize> = BTreeMap::new();
        for (i, workload) in timeline.workloads().iter().enumerate() {
            revisions.extend(workload.revisions().iter().enumerate().map(|(k, r)| ((i, r.name.as_str()), k)));
        }
        let mut by_subject: BTreeMap<SubjectId, usize> = BTreeMap::new();
        let mut places = Vec::with_capacity(trace.subjects.len());
        for (i, subject) in trace.subjects.iter().enumerate() {
            let id = SubjectId(i as u32);
            let above = trace.subject(top(trace, id));
            let workload = by_path.get(&(above.kind, &*above.namespace, &*above.name)).copied();
            let place = match (subject.kind, workload) {
                (Kind::Pod, Some(workload)) => {
                    let owner = subject.owner.map(|o| trace.subject(o));
                    let revision = owner.and_then(|owner| {
                        let numbered = format!("{}/{}", owner.name, subject.revision);
                        let named = revisions.get(&(workload, &*owner.name));
                        named.or_else(|| revisions.get(&(workload, numbered.as_str()))).copied()
                    });
                    let mark = mark(&subject.name);
                    self.pods.push(Life::new(id, mark, workload, revision.unwrap_or(0), subject.owner));
                    if let Some(&job) = subject.owner.and_then(|o| by_subject.get(&o)) {
                        self.jobs[job].pods.push(self.pods.len() - 1);
                    }
                    Place::Pod(self.pods.len() - 1)
                }
                (Kind::Job, Some(workload)) => {
                    by_subject.insert(id, self.jobs.len());
                    self.jobs.push(JobLife::new(id, workload));
                    Place::Job(self.jobs.len() - 1)
                }
                _ => Place::Nowhere,
            };
            places.push(place);
        }
        places
    }
}

impl JobLife {
    fn new(subject: SubjectId, workload: usize) -> JobLife {
        JobLife {
            subject,
            workload,
            created: (SimTime::ZERO, RecordId::NONE),
            deleting: None,
            end: None,
            pods: Vec::new(),
            indexed: false,
            completions: None,
            deadline: None,
            succeeded: super::Steps::default(),
            failed: super::Steps::default(),
            started: None,
        }
    }
}

/// What stands behind the `#` of a pod's name, without the number of times
/// that it came: `2` of `web/1#2~3`.
fn mark(name: &str) -> &str {
    let mark = name.rsplit_once('#').map_or(name, |(_, mark)| mark);
    match mark.rsplit_once('~') {
        Some((mark, times)) if times.parse::<u32>().is_ok() => mark,
        _ => mark,
    }
}

fn live(life: &mut Life, trace: &Trace, record: &Record, id: RecordId) {
    let at = record.at;
    let last = life.stretches.last().map(|s| s.phase);
    let mut enter = |phase: Phase| {
        // What is going is only going; a pod that has ended does nothing.
        if life.end.is_none() && last != Some(Phase::Terminating) && last != Some(phase) {
            life.stretches.push(Stretch { from: at, phase, record: id });
        }
    };
    match record.what {
        What::Created | What::Ungated => enter(Phase::Pending),
        What::Gated { .. } => enter(Phase::Gated),
        What::Bound { node } => {
            enter(Phase::Starting);
            life.node = Some(node);
        }
        What::Attaching => enter(Phase::Attaching),
        What::Attached => enter(Phase::Starting),
        What::Stage { stage: Stage::Pulling | Stage::PullBackOff, .. } => enter(Phase::Pulling),
        What::Stage { .. } => enter(Phase::Init),
        What::Unready if is_of_node(trace, record.cause) => enter(Phase::Unanswered),
        What::Running | What::Unready => enter(Phase::Running),
        What::Ready => enter(Phase::Ready),
        What::Deleting { .. } => enter(Phase::Terminating),
        What::Restarted { .. } => life.restarts.push((at, id)),
        What::DisruptionTarget { .. } => life.disrupted = Some((at, id)),
        What::Succeeded { .. } => finish(life, at, Ending::Succeeded, id),
        What::Failed { exit_code, reason } => {
            let why = match (reason, exit_code) {
                (Some(reason), _) => trace.symbols.get(reason).to_string(),
                (None, Some(code)) => format!("exit {code}"),
                (None, None) => String::new(),
            };
            finish(life, at, Ending::Failed(why), id);
        }
        What::Removed | What::Deleted => finish(life, at, Ending::Deleted, id),
        _ => {}
    }
}

/// Whether a record tells of a node.
fn is_of_node(trace: &Trace, record: RecordId) -> bool {
    let told = record.some().and_then(|id| trace.records.get(id.0 as usize));
    told.is_some_and(|record| trace.subject(record.subject).kind == Kind::Node)
}

fn finish(life: &mut Life, at: SimTime, ending: Ending, id: RecordId) {
    // A pod that was told to go and then exits was deleted, unless its work was
    // done before its grace was over: that counts.
    let told = life.stretches.last().is_some_and(|s| s.phase == Phase::Terminating);
    if life.end.is_none() {
        life.end = Some((at, if told && ending != Ending::Succeeded { Ending::Deleted } else { ending }, id));
    }
}

/// Leaves out what a pod was for no time at all.
fn tidy(life: &mut Life) {
    let ended = life.end.as_ref().map(|e| e.0);
    let next: Vec<Option<SimTime>> =
        (0..life.stretches.len()).map(|i| life.stretches.get(i + 1).map(|s| s.from).or(ended)).collect();
    let mut i = 0;
    life.stretches.retain(|s| {
        let short = next[i].is_some_and(|next| next == s.from);
        i += 1;
        i == 1 || !short
    });
}

fn execute(job: &mut JobLife, trace: &Trace, record: &Record, id: RecordId) {
    let at = record.at;
    let number = |value: Value| value.as_int();
    match record.what {
        What::Created => job.created = (at, id),
        What::Deleted if job.end.is_none() => job.end = Some((at, Ending::Deleted, id)),
        What::Set { field, value } => match field {
            Field::Completions => job.completions = (value != Value::Absent).then(|| number(value)).flatten(),
            Field::Indexed => job.indexed = value == Value::Bool(true),
            Field::ActiveDeadline => job.deadline = (value != Value::Absent).then(|| number(value)).flatten(),
            Field::StartTime => job.started = (value != Value::Absent).then_some(at),
            Field::Succeeded => job.succeeded.set(at, number(value).unwrap_or(0)),
            Field::FailedPods => job.failed.set(at, number(value).unwrap_or(0)),
            Field::Deleting => {
                job.deleting.get_or_insert((at, id));
                if job.end.is_none() {
                    job.end = Some((at, Ending::Deleted, id));
                }
            }
            Field::ConditionComplete | Field::ConditionFailed if job.end.is_none() => {
                let Value::Text(text) = value else { return };
                let text = trace.symbols.get(text);
                let Some(reason) = text.strip_prefix("True") else { return };
                let failed = field == Field::ConditionFailed;
                let why = reason.trim_start_matches('/').to_string();
                let ending = if failed { Ending::Failed(why) } else { Ending::Succeeded };
                job.end = Some((at, ending, id));
            }
            _ => {}
        },
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn marks_are_what_distinguishes_pods() {
        for (name, expected) in
            [("web/1#0", "0"), ("web/1#2~3", "2"), ("agent/2#a-1", "a-1"), ("lonely", "lonely"), ("x#n~b", "n~b")]
        {
            assert_eq!(mark(name), expected);
        }
    }

    #[test]
    fn a_pod_without_its_disk_is_attaching() {
        let (trace, subject, cause) = (fixture::rollout(), SubjectId(0), RecordId::NONE);
        let mut life = Life::new(subject, "0", 0, 0, None);
        let node = subject;
        let seen = [What::Created, What::Bound { node }, What::Attaching, What::Attached, What::Running, What::Ready];
        for (i, what) in seen.into_iter().enumerate() {
            // It is bound and waits for its disk in the same moment.
            let at = SimTime::from_secs([0, 1, 1, 9, 11, 20][i]);
            live(&mut life, &trace, &Record { at, cause, subject, what }, RecordId(i as u32));
        }
        tidy(&mut life);
        let phases: Vec<(SimTime, Phase)> = life.stretches.iter().map(|s| (s.from, s.phase)).collect();
        let expected = [
            (0, Phase::Pending),
            (1, Phase::Attaching),
            (9, Phase::Starting),
            (11, Phase::Running),
            (20, Phase::Ready),
        ];
        assert_eq!(phases, expected.map(|(at, phase)| (SimTime::from_secs(at), phase)));
    }

    #[test]
    fn lives_count_what_the_timeline_counts() {
        for (name, trace) in fixture::all() {
            let timeline = Timeline::of(&trace);
            let lives = Lives::of(&trace, &timeline);
            for (i, workload) in timeline.workloads().iter().enumerate() {
                for second in (0..timeline.until.as_ms() / 1_000).step_by(7) {
                    let at = SimTime::from_ms(second * 1_000 + 1);
                    let on_node = |life: &&Life| {
                        life.node.is_some()
                            && life
                                .pieces(SimTime::MAX)
                                .any(|(from, to, s)| from <= at && at < to && !matches!(s.phase, Phase::Pending))
                    };
                    let counted = lives.of_workload(i).filter(on_node).count() as i64;
                    assert_eq!(counted, workload.series(super::super::Series::OnNode).at(at), "{name} at {at}");
                }
            }
        }
    }
}
