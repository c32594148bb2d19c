//! Traces made by hand: a player that plays plausible rollouts, so that what
//! reads traces can be tested without the simulator.
//!
//! The player's Deployment controller works by the real one's arithmetic, its
//! syncs are instant, and its pods do what a [`Shape`] says.

use seatrial::api::Kind;
use seatrial::time::{SimTime, Timestamp};
use seatrial::trace::{Emitted, Field, Header, RecordId, Subject, SubjectId, Trace, Value, What, Why};
use std::collections::BTreeMap;

/// A Deployment and how its pods behave. Times are in milliseconds.
#[derive(Clone, Copy)]
pub(crate) struct Shape {
    pub(crate) name: &'static str,
    pub(crate) replicas: i64,
    pub(crate) surge: i64,
    pub(crate) unavailable: i64,
    /// Bound until ready.
    pub(crate) ready: u64,
    /// Deletion until gone.
    pub(crate) terminate: u64,
    /// Without a status report for this long a rollout counts as stuck.
    pub(crate) deadline: u64,
}

/// The Deployment of most tests: 10 replicas at 25 %/25 %, ready after 20 s,
/// gone after 30 s.
pub(crate) const WEB: Shape =
    Shape { name: "web", replicas: 10, surge: 3, unavailable: 2, ready: 20_000, terminate: 30_000, deadline: 600_000 };

/// What happens to a Deployment.
#[derive(Clone, Copy)]
pub(crate) enum Act {
    SetImage(&'static str),
    /// An image whose pods start and crash for ever.
    SetBadImage(&'static str),
    Scale(i64),
    Undo,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Action(usize),
    Bind(usize),
    Ready(usize),
    Crash(usize),
    Remove(usize),
    Deadline(usize, u64),
}

struct Pod {
    subject: SubjectId,
    set: usize,
    ready: bool,
    deleting: bool,
    gone: bool,
    crashes: u32,
}

struct ReplicaSet {
    subject: SubjectId,
    deployment: usize,
    revision: u32,
    bad: bool,
    replicas: i64,
    born: u32,
}

struct Deployment {
    shape: Shape,
    subject: SubjectId,
    sets: Vec<usize>,
    newest: usize,
    replicas: i64,
    revision: u32,
    progress: u64,
    complete: bool,
    fields: BTreeMap<Field, Value>,
}

/// Plays actions on Deployments and writes the trace.
pub(crate) struct Player {
    trace: Trace,
    now: u64,
    cause: RecordId,
    agenda: BTreeMap<(u64, u64), (Step, RecordId)>,
    sequence: u64,
    nodes: Vec<SubjectId>,
    pods: Vec<Pod>,
    sets: Vec<ReplicaSet>,
    deployments: Vec<Deployment>,
    acts: Vec<(usize, Act)>,
}

impl Player {
    /// A cluster of three nodes and a run of `until` milliseconds.
    pub(crate) fn new(title: &str, until: u64) -> Player {
        let header = Header {
            start: Timestamp(1_767_571_200),
            until: SimTime::from_ms(until),
            seed: 7,
            title: title.to_string(),
            actions: Vec::new(),
            triggers: Vec::new(),
            assumptions: vec!["pods are ready when their probe first succeeds".to_string()],
            kubernetes: String::new(),
        };
        let mut player = Player {
            trace: Trace { header, ..Trace::default() },
            now: 0,
            cause: RecordId::NONE,
            agenda: BTreeMap::new(),
            sequence: 0,
            nodes: Vec::new(),
            pods: Vec::new(),
            sets: Vec::new(),
            deployments: Vec::new(),
            acts: Vec::new(),
        };
        for name in ["node-a", "node-b", "node-c"] {
            let node = player.subject(Kind::Node, name, None, 0);
            player.push(node, What::Created);
            player.nodes.push(node);
        }
        player
    }

    /// Adds a Deployment at the beginning of the run.
    pub(crate) fn deployment(mut self, shape: Shape) -> Player {
        self.cause = RecordId::NONE;
        let subject = self.subject(Kind::Deployment, shape.name, None, 0);
        self.cause = self.push(subject, What::Created);
        for (field, value) in [
            (Field::SpecReplicas, shape.replicas),
            (Field::MaxSurge, shape.surge),
            (Field::MaxUnavailable, shape.unavailable),
        ] {
            self.push(subject, What::Set { field, value: Value::Int(value) });
        }
        self.deployments.push(Deployment {
            shape,
            subject,
            sets: Vec::new(),
            newest: 0,
            replicas: shape.replicas,
            revision: 0,
            progress: 0,
            complete: false,
            fields: BTreeMap::new(),
        });
        let id = self.deployments.len() - 1;
        self.new_set(id, "app:v1", false);
        self.sync(id);
        self
    }

    /// Plans an action on the Deployment added last.
    pub(crate) fn at(mut self, ms: u64, act: Act) -> Player {
        let id = self.deployments.len() - 1;
        let on = format!("deployment/{}", self.deployments[id].shape.name);
        let text = match act {
            Act::SetImage(image) | Act::SetBadImage(image) => format!("set image {on} {image}"),
            Act::Scale(replicas) => format!("scale {on} to {replicas}"),
            Act::Undo => format!("undo {on}"),
        };
        self.trace.header.actions.push((SimTime::from_ms(ms), text));
        self.acts.push((id, act));
        self.cause = RecordId::NONE;
        self.plan(ms, Step::Action(self.acts.len() - 1));
        self
    }

    /// Plays everything and hands out the trace.
    pub(crate) fn play(mut self) -> Trace {
        while let Some((&(at, sequence), &(step, cause))) = self.agenda.first_key_value() {
            if SimTime::from_ms(at) > self.trace.header.until {
                break;
            }
            self.agenda.remove(&(at, sequence));
            (self.now, self.cause) = (at, cause);
            self.step(step);
        }
        self.trace
    }

    fn plan(&mut self, at: u64, step: Step) {
        self.sequence += 1;
        self.agenda.insert((at, self.sequence), (step, self.cause));
    }

    fn push(&mut self, subject: SubjectId, what: What) -> RecordId {
        self.trace.push(SimTime::from_ms(self.now), self.cause, subject, what)
    }

    fn subject(&mut self, kind: Kind, name: &str, owner: Option<SubjectId>, revision: u32) -> SubjectId {
        let namespace = if kind == Kind::Node { "" } else { "default" };
        let api_name = name.replace(['/', '#'], "-");
        self.trace.subjects.push(Subject {
            kind,
            namespace: namespace.into(),
            name: name.into(),
            api_name: api_name.as_str().into(),
            owner,
            revision,
            room: seatrial::api::Resources::default(),
            zone: None,
        });
        SubjectId(self.trace.subjects.len() as u32 - 1)
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Action(act) => self.act(act),
            Step::Bind(pod) => {
                let node = self.nodes[pod % self.nodes.len()];
                let set = &self.sets[self.pods[pod].set];
                let (ready, bad) = (self.deployments[set.deployment].shape.ready, set.bad);
                self.cause = self.push(self.pods[pod].subject, What::Bound { node });
                if bad {
                    self.plan(self.now + 2_000, Step::Crash(pod));
                } else {
                    self.plan(self.now + ready, Step::Ready(pod));
                }
            }
            Step::Ready(pod) if !self.pods[pod].deleting => {
                self.cause = self.push(self.pods[pod].subject, What::Ready);
                self.pods[pod].ready = true;
                self.sync(self.sets[self.pods[pod].set].deployment);
            }
            Step::Crash(pod) if !self.pods[pod].deleting => {
                self.pods[pod].crashes += 1;
                let count = self.pods[pod].crashes;
                self.cause = self.push(self.pods[pod].subject, What::Restarted { count });
                let wait = (10_000 << count.min(5)).min(300_000);
                self.plan(self.now + wait, Step::Crash(pod));
            }
            Step::Ready(_) | Step::Crash(_) => {}
            Step::Remove(pod) => {
                self.cause = self.push(self.pods[pod].subject, What::Failed { exit_code: Some(143), reason: None });
                self.push(self.pods[pod].subject, What::Removed);
                self.pods[pod].gone = true;
                self.sync(self.sets[self.pods[pod].set].deployment);
            }
            Step::Deadline(id, progress) => {
                let open = !self.deployments[id].complete;
                if open && self.deployments[id].progress == progress {
                    let seconds = (self.deployments[id].shape.deadline / 1_000) as i32;
                    let subject = self.deployments[id].subject;
                    let why = Why::DeadlineExceeded { seconds };
                    self.cause = self.push(subject, What::Decided(why));
                    self.text(id, Field::ConditionProgressing, "False/ProgressDeadlineExceeded");
                }
            }
        }
    }

    fn act(&mut self, index: usize) {
        let (id, act) = self.acts[index];
        let subject = self.deployments[id].subject;
        self.cause = self.push(subject, What::Action(index as u32));
        match act {
            Act::SetImage(image) => self.new_set(id, image, false),
            Act::SetBadImage(image) => self.new_set(id, image, true),
            Act::Scale(replicas) => {
                self.deployments[id].replicas = replicas;
                self.push(subject, What::Set { field: Field::SpecReplicas, value: Value::Int(replicas) });
                let newest = self.deployments[id].newest;
                let old: i64 = self.deployments[id].sets.iter().map(|&s| self.sets[s].replicas).sum();
                let all = old as i32;
                self.push(subject, What::Decided(Why::Scaling { allowed: replicas as i32, all }));
                let size = self.sets[newest].replicas + replicas - old;
                self.scale(newest, size.max(0));
            }
            Act::Undo => {
                let before = self.deployments[id].sets.len() - 2;
                let set = self.deployments[id].sets[before];
                self.revise(id, set);
            }
        }
        self.deployments[id].complete = false;
        self.sync(id);
    }

    fn new_set(&mut self, id: usize, image: &'static str, bad: bool) {
        let revision = self.deployments[id].revision + 1;
        let name = format!("{}/{revision}", self.deployments[id].shape.name);
        let owner = self.deployments[id].subject;
        let why = Why::NewTemplate { revision };
        let decided = self.push(owner, What::Decided(why));
        self.cause = decided;
        let subject = self.subject(Kind::ReplicaSet, &name, Some(owner), revision);
        self.push(subject, What::Created);
        let image_text = self.trace.symbols.intern(image);
        self.push(subject, What::Set { field: Field::Image, value: Value::Text(image_text) });
        self.sets.push(ReplicaSet { subject, deployment: id, revision: 0, bad, replicas: 0, born: 0 });
        self.deployments[id].sets.push(self.sets.len() - 1);
        self.revise(id, self.sets.len() - 1);
    }

    /// Makes a ReplicaSet the newest one.
    fn revise(&mut self, id: usize, set: usize) {
        let deployment = &mut self.deployments[id];
        deployment.revision += 1;
        deployment.newest = set;
        deployment.progress = self.now;
        deployment.complete = false;
        let (number, at) = (deployment.revision, self.now + deployment.shape.deadline);
        self.sets[set].revision = number;
        let text = self.trace.symbols.intern(&number.to_string());
        let value = Value::Text(text);
        let subject = self.sets[set].subject;
        self.push(subject, What::Set { field: Field::Revision, value });
        self.text(id, Field::ConditionProgressing, "True/ReplicaSetUpdated");
        self.plan(at, Step::Deadline(id, self.now));
    }

    fn text(&mut self, id: usize, field: Field, text: &str) {
        let value = Value::Text(self.trace.symbols.intern(text));
        self.status(id, field, value);
    }

    fn status(&mut self, id: usize, field: Field, value: Value) {
        if self.deployments[id].fields.get(&field) != Some(&value) {
            self.deployments[id].fields.insert(field, value);
            self.push(self.deployments[id].subject, What::Set { field, value });
        }
    }

    fn count(&self, set: usize, fits: impl Fn(&Pod) -> bool) -> i64 {
        self.pods.iter().filter(|p| p.set == set && !p.gone && fits(p)).count() as i64
    }

    fn available(&self, id: usize) -> i64 {
        let sets = &self.deployments[id].sets;
        sets.iter().map(|&s| self.count(s, |p| p.ready && !p.deleting)).sum()
    }

    /// Scales the newest ReplicaSet up and the others down, as far as the
    /// limits let it, until nothing changes any more.
    fn sync(&mut self, id: usize) {
        let cause = self.cause;
        while self.grow(id) || self.shrink(id) {
            self.cause = cause;
        }
        self.cause = cause;
        self.report(id);
    }

    fn grow(&mut self, id: usize) -> bool {
        let deployment = &self.deployments[id];
        let (newest, max) = (deployment.newest, deployment.replicas + deployment.shape.surge);
        let all: i64 = deployment.sets.iter().map(|&s| self.sets[s].replicas).sum();
        let have = self.sets[newest].replicas;
        let room = (max - all).min(deployment.replicas - have);
        if room <= 0 {
            return false;
        }
        let why = Why::SurgeAllows { all: all as i32, max_total: max as i32 };
        self.cause = self.push(self.deployments[id].subject, What::Decided(why));
        self.scale(newest, have + room);
        true
    }

    fn shrink(&mut self, id: usize) -> bool {
        let deployment = &self.deployments[id];
        let (newest, floor) = (deployment.newest, deployment.replicas - deployment.shape.unavailable);
        let old: Vec<usize> = deployment.sets.iter().copied().filter(|&s| s != newest).collect();
        let all: i64 = deployment.sets.iter().map(|&s| self.sets[s].replicas).sum();
        let missing = self.sets[newest].replicas - self.count(newest, |p| p.ready && !p.deleting);
        let mut budget = all - floor - missing;
        // Old pods that are not ready go first and cost nothing more.
        let sick = |player: &Player, s: usize| player.sets[s].replicas - player.count(s, |p| p.ready && !p.deleting);
        let mut cut: Vec<(usize, i64)> = Vec::new();
        for healthy in [false, true] {
            budget = if healthy { budget.min(self.available(id) - floor) } else { budget };
            for &set in &old {
                let here = if healthy { self.count(set, |p| p.ready && !p.deleting) } else { sick(self, set) };
                let take = here.min(budget).max(0);
                budget -= take;
                cut.push((set, take));
            }
        }
        if cut.iter().all(|&(_, n)| n == 0) {
            return false;
        }
        let why =
            Why::ScaleDownBudget { all: all as i32, min_available: floor as i32, new_unavailable: missing as i32 };
        self.cause = self.push(self.deployments[id].subject, What::Decided(why));
        for (set, n) in cut.into_iter().filter(|&(_, n)| n > 0) {
            let size = self.sets[set].replicas - n;
            self.scale(set, size);
        }
        true
    }

    /// Sets a ReplicaSet's size and makes or deletes its pods at once.
    fn scale(&mut self, set: usize, size: i64) {
        let (from, subject) = (self.sets[set].replicas, self.sets[set].subject);
        if from == size {
            return;
        }
        let id = self.sets[set].deployment;
        let value = Value::Int(size);
        let changed = self.push(subject, What::Set { field: Field::SpecReplicas, value });
        let scaled = Emitted::Scaled { replica_set: subject, from: from as i32, to: size as i32 };
        self.push(self.deployments[id].subject, What::Emitted(scaled));
        self.sets[set].replicas = size;
        let before = std::mem::replace(&mut self.cause, changed);
        let (have, want) = (from as i32, size as i32);
        let why = if size > from { Why::TooFewPods { have, want } } else { Why::TooManyPods { have, want } };
        self.cause = self.push(subject, What::Decided(why));
        for _ in from..size {
            self.create_pod(set);
        }
        for _ in size..from {
            self.delete_pod(set);
        }
        self.cause = before;
    }

    fn create_pod(&mut self, set: usize) {
        let owner = self.sets[set].subject;
        let name = format!("{}#{}", self.trace.subject(owner).name, self.sets[set].born);
        self.sets[set].born += 1;
        let revision = self.trace.subject(owner).revision;
        let subject = self.subject(Kind::Pod, &name, Some(owner), revision);
        let created = self.push(subject, What::Created);
        self.push(owner, What::Emitted(Emitted::CreatedPod(subject)));
        self.pods.push(Pod { subject, set, ready: false, deleting: false, gone: false, crashes: 0 });
        let before = std::mem::replace(&mut self.cause, created);
        self.plan(self.now, Step::Bind(self.pods.len() - 1));
        self.cause = before;
    }

    /// Deletes the pod that is missed least: not ready before ready, young
    /// before old.
    fn delete_pod(&mut self, set: usize) {
        let candidates = self.pods.iter().enumerate();
        let victim = candidates
            .filter(|(_, p)| p.set == set && !p.gone && !p.deleting)
            .max_by_key(|(i, p)| (!p.ready, *i))
            .map(|(i, _)| i);
        let Some(victim) = victim else { return };
        self.pods[victim].deleting = true;
        let (subject, owner) = (self.pods[victim].subject, self.sets[set].subject);
        let deleting = self.push(subject, What::Deleting { grace_seconds: 30 });
        self.push(owner, What::Emitted(Emitted::DeletedPod(subject)));
        let terminate = self.deployments[self.sets[set].deployment].shape.terminate;
        let before = std::mem::replace(&mut self.cause, deleting);
        self.plan(self.now + terminate, Step::Remove(victim));
        self.cause = before;
    }

    /// Writes the Deployment's status.
    fn report(&mut self, id: usize) {
        let deployment = &self.deployments[id];
        let (newest, desired) = (deployment.newest, deployment.replicas);
        let active: i64 = deployment.sets.iter().map(|&s| self.count(s, |p| !p.deleting)).sum();
        let updated = self.count(newest, |p| !p.deleting);
        let available = self.available(id);
        let floor = desired - deployment.shape.unavailable;
        let counted = |n: i64| if n == 0 { Value::Absent } else { Value::Int(n) };
        let before = self.deployments[id].fields.clone();
        self.status(id, Field::Replicas, counted(active));
        self.status(id, Field::UpdatedReplicas, counted(updated));
        self.status(id, Field::ReadyReplicas, counted(available));
        self.status(id, Field::AvailableReplicas, counted(available));
        if self.deployments[id].fields != before {
            self.deployments[id].progress = self.now;
            let at = self.now + self.deployments[id].shape.deadline;
            self.plan(at, Step::Deadline(id, self.now));
        }
        let text =
            if available >= floor { "True/MinimumReplicasAvailable" } else { "False/MinimumReplicasUnavailable" };
        self.text(id, Field::ConditionAvailable, text);
        let complete = (active, updated, available) == (desired, desired, desired);
        if complete && !self.deployments[id].complete {
            self.deployments[id].complete = true;
            let subject = self.deployments[id].subject;
            self.cause = self.push(subject, What::Decided(Why::RolloutComplete));
            self.text(id, Field::ConditionProgressing, "True/NewReplicaSetAvailable");
        }
    }
}

/// The picture at the top of every page: 10 replicas get a new image at 60 s.
pub(crate) fn rollout() -> Trace {
    Player::new("A rolling update of ten pods", 150_000).deployment(WEB).at(60_000, Act::SetImage("app:v2")).play()
}

/// A version that never becomes ready, and its undoing.
pub(crate) fn stalled() -> Trace {
    Player::new("A bad image stops by itself", 1_080_000)
        .deployment(WEB)
        .at(60_000, Act::SetBadImage("app:v2-broken"))
        .at(900_000, Act::Undo)
        .play()
}

/// Three Deployments of different size and manners.
pub(crate) fn several() -> Trace {
    let shape = |name, replicas, surge, unavailable, ready| Shape { name, replicas, surge, unavailable, ready, ..WEB };
    Player::new("Three services are updated", 420_000)
        .deployment(shape("frontend", 6, 2, 0, 12_000))
        .at(60_000, Act::SetImage("app:v2"))
        .deployment(shape("api", 20, 5, 5, 25_000))
        .at(65_000, Act::SetImage("app:v2"))
        .at(150_000, Act::Scale(30))
        .deployment(shape("worker", 4, 0, 2, 40_000))
        .at(100_000, Act::SetImage("app:v2"))
        .at(200_000, Act::SetImage("app:v3"))
        .play()
}

/// One replica that is replaced without surge: an outage.
pub(crate) fn single() -> Trace {
    let shape = Shape { name: "db", replicas: 1, surge: 0, unavailable: 1, ready: 8_000, ..WEB };
    Player::new("", 60_000).deployment(shape).at(20_000, Act::SetImage("app:v2")).play()
}

/// 500 replicas.
pub(crate) fn large() -> Trace {
    let shape = Shape { replicas: 500, surge: 125, unavailable: 125, ..WEB };
    Player::new("Five hundred pods", 300_000)
        .deployment(shape)
        .at(60_000, Act::SetImage("registry.example.com/shop/web:2026.11.21-rc1"))
        .play()
}

/// Three days with an action every two hours.
pub(crate) fn long() -> Trace {
    const HOUR: u64 = 3_600_000;
    let shape = Shape { replicas: 12, ready: 600_000, terminate: 300_000, ..WEB };
    let mut player = Player::new("Three days of releases", 72 * HOUR).deployment(shape);
    for (i, image) in
        ["app:v2", "app:v3", "app:v4", "app:v5", "app:v6", "app:v7", "app:v8"].into_iter().cycle().take(35).enumerate()
    {
        player = player.at((2 * i as u64 + 1) * HOUR, Act::SetImage(image));
    }
    player.play()
}

/// Nine workloads, more than a picture shows.
pub(crate) fn many() -> Trace {
    const NAMES: [&str; 9] = ["a", "b", "c", "d", "e", "f", "g", "h", "i"];
    let player = Player::new("", 200_000);
    NAMES
        .into_iter()
        .fold(player, |player, name| player.deployment(Shape { name, ..WEB }).at(50_000, Act::SetImage("app:v2")))
        .play()
}

/// Many actions within a short time.
pub(crate) fn busy() -> Trace {
    let mut player = Player::new("A busy minute", 120_000).deployment(WEB);
    for i in 0..12 {
        player = player.at(30_000 + 4_000 * i, Act::Scale(10 + i as i64 % 4));
    }
    player.play()
}

/// All of the above by name, and a trace of nothing.
pub(crate) fn all() -> Vec<(&'static str, Trace)> {
    vec![
        ("rollout", rollout()),
        ("stalled", stalled()),
        ("several", several()),
        ("single", single()),
        ("large", large()),
        ("long", long()),
        ("many", many()),
        ("busy", busy()),
        ("empty", Trace::default()),
    ]
}
