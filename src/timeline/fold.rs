//! One pass over the records of a trace.

mod pods;

pub(super) use pods::PodState;

use super::capacity::{Capacity, Sums};
use super::cast::Cast;
use super::effects::Ledger;
use super::executions::Executions;
use super::{
    ActionMark, ClockPiece, Component, ConditionChange, NodeLoad, Rollout, Series, Service, Timeline, Unplaced,
    Workload,
};
use crate::api::Kind;
use crate::time::SimTime;
use crate::trace::{Emitted, Field, Record, SubjectId, Trace, Value, What};
use std::collections::BTreeSet;

/// What a subject is to the fold.
#[derive(Clone, Copy)]
pub(super) enum Role {
    Node(usize),
    /// The top object of a workload. A ReplicaSet on its own is its own
    /// revision too.
    Top(usize, Option<usize>),
    /// A ReplicaSet or a ControllerRevision of a workload.
    Revision(usize, usize),
    /// A Job of a CronJob.
    Job(usize, usize),
    /// A Service.
    Service(usize),
    /// What no series tells of.
    Silent,
    Pod(usize),
}

/// The running numbers of a revision.
#[derive(Clone, Default)]
pub(super) struct RevisionState {
    pub(super) wanted: i64,
    pub(super) active: i64,
    pub(super) ready: i64,
    pub(super) on_node: i64,
    pub(super) terminating: i64,
    /// Its present revision number; `None` once its ReplicaSet is gone.
    pub(super) number: Option<u32>,
    pub(super) routable: i64,
}

/// What is known of a Job.
#[derive(Clone, Copy, Default)]
pub(super) struct JobState {
    pub(super) exists: bool,
    pub(super) finished: bool,
}

/// The running numbers of a workload that are not simply the last value of
/// one of its series.
#[derive(Clone, Default)]
pub(super) struct WorkloadState {
    pub(super) revisions: Vec<RevisionState>,
    pub(super) newest: Option<usize>,
    pub(super) replicas: i64,
    pub(super) surge: Option<i64>,
    pub(super) unavailable: Option<i64>,
    pub(super) had_limits: bool,
    pub(super) image: String,
    /// Of its status: all pods and updated pods.
    pub(super) reported: (i64, i64),
    pub(super) executions: Executions,
    pub(super) jobs: Vec<JobState>,
    /// Whether it must be looked at once this instant is over.
    pub(super) touched: bool,
}

/// What an action touched.
#[derive(Clone, Default)]
pub(super) struct Reach {
    workloads: BTreeSet<usize>,
    cluster: bool,
}

#[derive(Clone)]
pub(super) struct Fold {
    pub(super) cast: Cast,
    pub(super) roles: Vec<Role>,
    pub(super) pods: Vec<PodState>,
    pub(super) workloads: Vec<Workload>,
    pub(super) states: Vec<WorkloadState>,
    pub(super) nodes: Vec<NodeLoad>,
    pub(super) services: Vec<Service>,
    pub(super) components: Vec<Component>,
    pub(super) ledger: Ledger,
    pub(super) node_pods: Vec<i64>,
    pub(super) capacity: Capacity,
    sums: Sums,
    pub(super) actions: Vec<ActionMark>,
    pub(super) reach: Vec<Reach>,
    pub(super) touched: Vec<usize>,
    /// Whether the trace says when applications serve requests.
    pub(super) tells_serving: bool,
    pub(super) now: SimTime,
}

pub(super) fn fold(trace: &Trace) -> Timeline {
    let mut fold = Fold::new(trace);
    fold.cast(trace, trace.records.iter());
    for record in &trace.records {
        fold.advance(record.at);
        fold.record(trace, record);
    }
    fold.finish_instant();
    fold.share_actions();
    fold.services.iter_mut().for_each(Service::finish);
    fold.services.retain(Service::has_requests);
    let mut actions = fold.actions;
    // Those that nobody knew of before come last in the header.
    actions.sort_by_key(|mark| mark.at);
    for workload in &mut fold.workloads {
        workload.actions.sort_by_key(|mark| mark.at);
    }
    Timeline {
        title: trace.header.title.clone(),
        start: trace.header.start,
        until: trace.header.until.max(fold.now),
        actions,
        triggers: trace.header.triggers.clone(),
        workloads: fold.workloads,
        nodes: fold.nodes,
        services: fold.services,
        components: fold.components,
        capacity: Capacity { until: Some(trace.header.until.max(fold.now)), ..fold.capacity },
    }
}

/// The condition of a workload that a field tells of.
fn condition_name(field: Field) -> Option<&'static str> {
    Some(match field {
        Field::ConditionAvailable => "Available",
        Field::ConditionProgressing => "Progressing",
        Field::ConditionReplicaFailure => "ReplicaFailure",
        Field::ConditionComplete => "Complete",
        Field::ConditionFailed => "Failed",
        Field::ConditionFailureTarget => "FailureTarget",
        Field::ConditionSuccessCriteriaMet => "SuccessCriteriaMet",
        Field::ConditionSuspended => "Suspended",
        _ => return None,
    })
}

impl Fold {
    /// Nothing of the trace is read yet but its header.
    pub(super) fn new(trace: &Trace) -> Fold {
        let action = |(at, text): &(SimTime, String)| ActionMark { at: *at, text: text.clone(), rejected: None };
        Fold {
            cast: Cast::default(),
            roles: Vec::with_capacity(trace.subjects.len()),
            pods: Vec::new(),
            workloads: Vec::new(),
            states: Vec::new(),
            nodes: Vec::new(),
            services: Vec::new(),
            components: Vec::new(),
            ledger: Ledger::default(),
            node_pods: Vec::new(),
            capacity: Capacity::default(),
            sums: Sums::default(),
            actions: trace.header.actions.iter().map(action).collect(),
            reach: trace.header.actions.iter().map(|_| Reach::default()).collect(),
            touched: Vec::new(),
            tells_serving: false,
            now: SimTime::ZERO,
        }
    }

    /// Closes the instant before a later one begins.
    pub(super) fn advance(&mut self, at: SimTime) {
        if at > self.now {
            self.finish_instant();
            self.now = at;
        }
    }

    pub(super) fn record(&mut self, trace: &Trace, record: &Record) {
        if let What::Rejected { action, object: false, reason, .. } = record.what
            && let Some(mark) = self.actions.get_mut(action as usize)
        {
            mark.rejected = Some(trace.symbols.get(reason).to_string());
        }
        if let What::Action(action) = record.what {
            self.reached(action, record.subject);
        }
        self.component(trace, record);
        match self.roles[record.subject.0 as usize] {
            Role::Node(node) => self.node_changes(trace, node, record),
            Role::Silent => {}
            Role::Service(service) => {
                if let What::Set { field, value } = record.what {
                    self.services[service].change(record.at, field, value);
                }
            }
            Role::Pod(pod) => self.pod(trace, pod, record.what),
            Role::Revision(workload, revision) => self.revision(trace, workload, revision, record),
            Role::Job(workload, job) => {
                self.job(trace, workload, job, record.what);
                if self.workloads[workload].kind == Kind::Job {
                    self.top(trace, workload, record.what);
                }
            }
            Role::Top(workload, revision) => {
                self.top(trace, workload, record.what);
                if let Some(revision) = revision {
                    self.revision(trace, workload, revision, record);
                }
            }
        }
    }

    /// A node comes or goes, or it is ready or cordoned or not.
    fn node_changes(&mut self, trace: &Trace, node: usize, record: &Record) {
        match record.what {
            What::Created => self.node_comes(node, trace.subject(record.subject), true),
            What::Deleted => self.node_comes(node, trace.subject(record.subject), false),
            What::Set { field: Field::ConditionReady, value } => {
                self.node_ready(node, text(trace, value).starts_with("True"));
            }
            What::Set { field: Field::Unschedulable, value } => {
                self.nodes[node].cordoned.set(self.now, i64::from(value == Value::Bool(true)));
            }
            What::Set { field: Field::Taints, value } => {
                let mut taints = text(trace, value).split(',');
                let evicting = taints.any(|taint| taint.ends_with(":NoExecute"));
                self.nodes[node].evicting.set(self.now, i64::from(evicting));
            }
            _ => {}
        }
    }

    /// Clocks, and components that stop and go on.
    fn component(&mut self, trace: &Trace, record: &Record) {
        let (What::Clock { component, .. } | What::Process { component, .. }) = record.what else { return };
        let name = trace.symbols.get(component);
        let known = self.components.iter().position(|known| known.name == name);
        let place = known.unwrap_or_else(|| {
            self.components.push(Component::new(name));
            self.components.len() - 1
        });
        let component = &mut self.components[place];
        match record.what {
            What::Clock { offset_ns, drift_ppb, .. } => {
                component.clock.push(ClockPiece { at: record.at, offset_ns, drift_ppb });
            }
            What::Process { runs, .. } => component.running.set(record.at, i64::from(runs)),
            _ => {}
        }
    }

    fn reached(&mut self, action: u32, subject: SubjectId) {
        let Some(reach) = self.reach.get_mut(action as usize) else { return };
        match self.roles[subject.0 as usize] {
            Role::Node(_) => reach.cluster = true,
            Role::Silent | Role::Service(_) => {}
            Role::Top(workload, _) | Role::Revision(workload, _) | Role::Job(workload, _) => {
                reach.workloads.insert(workload);
            }
            Role::Pod(pod) => {
                reach.workloads.insert(self.pods[pod].workload);
            }
        }
    }

    fn revision(&mut self, trace: &Trace, workload: usize, revision: usize, record: &Record) {
        let now = self.now;
        match record.what {
            What::Created => {
                let number = self.workloads[workload].revisions[revision].number;
                self.states[workload].revisions[revision].number = Some(number);
                let image = self.states[workload].image.clone();
                self.workloads[workload].revisions[revision].image = image;
                self.renew(trace, workload, record);
            }
            What::Deleted => {
                self.states[workload].revisions[revision].number = None;
                let wanted = std::mem::take(&mut self.states[workload].revisions[revision].wanted);
                if wanted != 0 {
                    self.count_wanted(workload);
                }
                self.renew(trace, workload, record);
            }
            What::Set { field: Field::SpecReplicas, value } => {
                self.states[workload].revisions[revision].wanted = value.as_int().unwrap_or(0);
                self.count_wanted(workload);
            }
            What::Set { field: Field::Requests, value } => {
                self.workloads[workload].revisions[revision].requests.set(now, value.as_int().unwrap_or(0));
            }
            What::Set { field: Field::FailedRequests, value } => {
                self.workloads[workload].revisions[revision].failed_requests.set(now, value.as_int().unwrap_or(0));
            }
            What::Set { field: Field::ErrorAnswers, value } => {
                self.workloads[workload].revisions[revision].errors.set(now, value.as_int().unwrap_or(0));
            }
            What::Set { field: Field::Image, value } => {
                self.workloads[workload].revisions[revision].image = text(trace, value).to_string();
            }
            What::Set { field: Field::Revision, value } => {
                let Ok(number) = text_or_number(trace, value).parse::<u32>() else { return };
                let state = &mut self.states[workload].revisions[revision];
                let series = &mut self.workloads[workload].revisions[revision];
                if series.number == 0 && series.renumbered.is_empty() {
                    series.number = number;
                } else if state.number != Some(number) {
                    series.renumbered.push((now, number));
                }
                state.number = Some(number);
                self.renew(trace, workload, record);
            }
            _ => {}
        }
    }

    /// Counts Jobs: those of a CronJob, or the one that is the workload.
    fn job(&mut self, trace: &Trace, workload: usize, job: usize, what: What) {
        let before = self.states[workload].jobs[job];
        let mut after = before;
        match what {
            What::Created => after = JobState { exists: true, finished: false },
            What::Deleted => after.exists = false,
            What::Set { field: Field::ConditionComplete | Field::ConditionFailed, value } => {
                after.finished |= text(trace, value).starts_with("True");
            }
            What::Set { field: Field::FailedPods, value } if self.workloads[workload].kind == Kind::Job => {
                self.workloads[workload].failed_pods.set(self.now, value.as_int().unwrap_or(0));
            }
            What::Set { field: Field::Succeeded, value } if self.workloads[workload].kind == Kind::Job => {
                self.set(workload, Series::Completions, value.as_int().unwrap_or(0));
            }
            _ => return,
        }
        self.states[workload].jobs[job] = after;
        let active = |job: JobState| i64::from(job.exists && !job.finished);
        self.add(workload, Series::Jobs, i64::from(after.exists) - i64::from(before.exists));
        self.add(workload, Series::ActiveJobs, active(after) - active(before));
        if what == What::Created {
            self.add(workload, Series::StartedJobs, 1);
        }
        if after.finished && !before.finished {
            let failed = matches!(what, What::Set { field: Field::ConditionFailed, .. });
            match (failed, self.workloads[workload].kind) {
                (true, _) => self.add(workload, Series::FailedJobs, 1),
                (false, Kind::CronJob) => self.add(workload, Series::Completions, 1),
                (false, _) => {}
            }
        }
    }

    fn top(&mut self, trace: &Trace, workload: usize, what: What) {
        let kind = self.workloads[workload].kind;
        match what {
            What::Created => {
                self.workloads[workload].created = self.now;
                self.workloads[workload].deleted = None;
                let series = &self.workloads[workload].series;
                if series[Series::Available as usize].is_empty() {
                    self.set(workload, Series::Available, 0);
                }
            }
            What::Deleted => {
                self.workloads[workload].deleted = Some(self.now);
                let state = &mut self.states[workload];
                (state.replicas, state.reported) = (0, (0, 0));
                (state.surge, state.unavailable) = (None, None);
                self.set(workload, Series::Available, 0);
                self.limits(workload);
                for field in Field::ALL.into_iter().filter(|&field| condition_name(field).is_some()) {
                    self.condition(trace, workload, field, Value::Absent);
                }
            }
            What::Set { field, value } => {
                let number = value.as_int().unwrap_or(0);
                let absent = value == Value::Absent;
                let text = text(trace, value);
                let state = &mut self.states[workload];
                match field {
                    Field::SpecReplicas => state.replicas = number,
                    Field::MaxSurge => state.surge = (!absent).then_some(number),
                    Field::MaxUnavailable => state.unavailable = (!absent).then_some(number),
                    Field::Replicas => state.reported.0 = number,
                    Field::UpdatedReplicas => state.reported.1 = number,
                    Field::AvailableReplicas | Field::NumberAvailable => {
                        self.set(workload, Series::Available, number);
                    }
                    Field::DesiredNumberScheduled => state.replicas = number,
                    Field::CurrentNumberScheduled => state.reported.0 = number,
                    Field::UpdatedNumberScheduled => state.reported.1 = number,
                    Field::Image if matches!(kind, Kind::Deployment | Kind::StatefulSet | Kind::DaemonSet) => {
                        state.image = text.to_string();
                    }
                    _ => {}
                }
                if matches!(
                    field,
                    Field::SpecReplicas | Field::DesiredNumberScheduled | Field::MaxSurge | Field::MaxUnavailable
                ) {
                    self.limits(workload);
                }
                self.condition(trace, workload, field, value);
                self.touch(workload);
            }
            _ => {}
        }
    }

    /// The desired number and the band around it. Without limits of its own,
    /// as with Recreate, a workload may lose all its pods and add none; a
    /// workload that never had limits has no band.
    fn limits(&mut self, workload: usize) {
        let state = &mut self.states[workload];
        state.had_limits |= state.surge.is_some() || state.unavailable.is_some();
        let (desired, had) = (state.replicas, state.had_limits);
        let ceiling = desired + state.surge.unwrap_or(0);
        let floor = state.unavailable.map_or(0, |n| (desired - n).max(0));
        self.set(workload, Series::Desired, desired);
        if had {
            self.set(workload, Series::Ceiling, ceiling);
            self.set(workload, Series::Floor, floor);
        }
    }

    /// Keeps what the scheduler says of pods that it finds no node for, once
    /// as long as it says the same.
    fn unplaced(&mut self, trace: &Trace, workload: usize, emitted: Emitted) {
        let Emitted::Other { reason, message, warning: true } = emitted else { return };
        if trace.symbols.get(reason) != "FailedScheduling" {
            return;
        }
        self.is_unplaced(workload, trace.symbols.get(message));
    }

    /// Keeps why pods have no node.
    fn is_unplaced(&mut self, workload: usize, message: &str) {
        let unplaced = &mut self.workloads[workload].unplaced;
        if unplaced.last().is_none_or(|last| last.message != message) {
            unplaced.push(Unplaced { at: self.now, message: message.to_string() });
        }
    }

    fn condition(&mut self, trace: &Trace, workload: usize, field: Field, value: Value) {
        let Some(condition) = condition_name(field) else { return };
        let text = text(trace, value);
        let (status, reason) = text.split_once('/').unwrap_or((text, ""));
        let (status, reason) = (status.to_string(), reason.to_string());
        let now = self.now;
        if condition == "Progressing"
            && reason == "ProgressDeadlineExceeded"
            && let Some(open) = self.open_rollout(workload)
        {
            open.stalled.get_or_insert(now);
        }
        let changes = &mut self.workloads[workload].conditions;
        let before_now = changes.iter().rposition(|c| c.at < now).map_or(0, |i| i + 1);
        if let Some(i) = changes[before_now..].iter().position(|c| c.condition == condition) {
            changes.remove(before_now + i);
        }
        let last = changes.iter().rev().find(|c| c.condition == condition);
        let same = |c: &ConditionChange| c.status == status && c.reason == reason;
        if last.map_or(!status.is_empty(), |c| !same(c)) {
            changes.push(ConditionChange { at: now, condition, status, reason });
        }
    }

    /// Finds the newest revision and opens its rollout if it is a new one.
    fn renew(&mut self, trace: &Trace, workload: usize, record: &Record) {
        let state = &mut self.states[workload];
        let numbers = state.revisions.iter().enumerate();
        let newest = numbers.filter_map(|(i, r)| r.number.map(|n| (n, i))).max().map(|(number, i)| (i, number));
        let changed = newest.map(|n| n.0) != state.newest;
        state.newest = newest.map(|n| n.0);
        self.count_updated(workload);
        let Some((revision, number)) = newest.filter(|_| changed) else { return };
        // A ReplicaSet that is removed may leave an older one as the newest,
        // but that rolls nothing out.
        let rolls_out = matches!(self.workloads[workload].kind, Kind::Deployment | Kind::StatefulSet | Kind::DaemonSet);
        if !rolls_out || record.what == What::Deleted {
            return;
        }
        let now = self.now;
        let start = asked_at(trace, record);
        if let Some(open) = self.open_rollout(workload) {
            open.superseded = Some(now);
        }
        let rollouts = &mut self.workloads[workload].rollouts;
        let initial = rollouts.is_empty();
        rollouts.push(Rollout { revision, number, initial, start, end: None, superseded: None, stalled: None });
        self.touch(workload);
    }

    fn open_rollout(&mut self, workload: usize) -> Option<&mut Rollout> {
        let last = self.workloads[workload].rollouts.last_mut();
        last.filter(|r| r.end.is_none() && r.superseded.is_none())
    }

    fn touch(&mut self, workload: usize) {
        if !self.states[workload].touched {
            self.states[workload].touched = true;
            self.touched.push(workload);
        }
    }

    /// Ends the rollouts that are complete now that the instant is over. The
    /// pods and ReplicaSets must agree with the status, because right after a
    /// change the status still tells of the time before it.
    ///
    /// Upstream: `pkg/controller/deployment/util/deployment_util.go DeploymentComplete`
    pub(super) fn finish_instant(&mut self) {
        let now = self.now;
        for workload in std::mem::take(&mut self.touched) {
            self.states[workload].touched = false;
            let (desired, reported) = (self.states[workload].replicas, self.states[workload].reported);
            let last = |w: &Workload, s: Series| w.series[s as usize].last();
            let seen = &self.workloads[workload];
            let complete = reported == (desired, desired)
                && last(seen, Series::Available) == desired
                && last(seen, Series::Updated) == desired
                // Only Deployments spread what they want over ReplicaSets.
                && (seen.kind != Kind::Deployment || last(seen, Series::Counted) == desired);
            if complete && let Some(open) = self.open_rollout(workload) {
                open.end = Some(now);
            }
        }
    }

    /// Hands each workload the actions that touched it. What touched nodes or
    /// nothing at all is shown to everybody.
    fn share_actions(&mut self) {
        for (mark, reach) in self.actions.iter().zip(&self.reach) {
            let everybody = reach.cluster || reach.workloads.is_empty();
            for (i, workload) in self.workloads.iter_mut().enumerate() {
                if everybody || reach.workloads.contains(&i) {
                    workload.actions.push(mark.clone());
                }
            }
        }
    }

    fn count_wanted(&mut self, workload: usize) {
        let wanted = self.states[workload].revisions.iter().map(|r| r.wanted).sum();
        self.set(workload, Series::Counted, wanted);
    }

    fn count_updated(&mut self, workload: usize) {
        let state = &self.states[workload];
        let updated = state.newest.map_or(0, |i| state.revisions[i].active);
        self.set(workload, Series::Updated, updated);
    }

    fn add(&mut self, workload: usize, series: Series, step: i64) {
        if step != 0 {
            let value = self.workloads[workload].series[series as usize].last() + step;
            self.set(workload, series, value);
        }
    }

    fn set(&mut self, workload: usize, series: Series, value: i64) {
        self.workloads[workload].series[series as usize].set(self.now, value);
        self.touch(workload);
    }
}

/// When the action at the root of a record happened; the record's own time
/// if there was none.
fn asked_at(trace: &Trace, record: &Record) -> SimTime {
    let root = record.cause.some().and_then(|id| {
        let chain = trace.why_chain(id);
        chain.last().and_then(|&root| trace.record(root))
    });
    root.filter(|r| matches!(r.what, What::Action(_))).map_or(record.at, |r| r.at)
}

fn text(trace: &Trace, value: Value) -> &str {
    match value {
        Value::Text(symbol) => trace.symbols.get(symbol),
        _ => "",
    }
}

fn text_or_number(trace: &Trace, value: Value) -> String {
    match value {
        Value::Int(number) => number.to_string(),
        other => text(trace, other).to_string(),
    }
}
