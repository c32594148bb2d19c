//! What each subject of a trace is to the timeline.

use super::capacity::made;
use super::fold::{Fold, JobState, PodState, RevisionState, Role, WorkloadState};
use super::{NodeLoad, Revision, Service, Steps, Workload};
use crate::api::Kind;
use crate::trace::{Record, Subject, SubjectId, Trace};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Which workloads, revisions and nodes are known already.
#[derive(Clone, Default)]
pub(super) struct Cast {
    by_path: BTreeMap<(Kind, Arc<str>, Arc<str>), usize>,
    by_node: BTreeMap<Arc<str>, usize>,
    of_replica_set: BTreeMap<SubjectId, usize>,
    of_controller: BTreeMap<(SubjectId, u32), usize>,
}

/// The object at the top of a chain of owners. The walk is bounded, because a
/// trace from a file may hold a circle.
pub(super) fn top(trace: &Trace, id: SubjectId) -> SubjectId {
    let mut at = id;
    for _ in 0..8 {
        match trace.subject(at).owner {
            Some(owner) => at = owner,
            None => break,
        }
    }
    at
}

impl Fold {
    /// Gives every subject that has none its role, workloads by path.
    ///
    /// Nodes whose creation is not among the records that are read next have
    /// been there before.
    pub(super) fn cast<'t>(&mut self, trace: &Trace, next: impl Iterator<Item = &'t Record>) {
        let joined = made(trace, next);
        for (i, subject) in trace.subjects.iter().enumerate().skip(self.roles.len()) {
            if subject.kind == Kind::Node && !joined.contains(&(i as u32)) {
                let node = self.node(subject);
                self.node_comes(node, subject, true);
            }
        }
        for (i, subject) in trace.subjects.iter().enumerate().skip(self.roles.len()) {
            let role = self.role(trace, SubjectId(i as u32), subject);
            self.roles.push(role);
        }
    }

    fn role(&mut self, trace: &Trace, id: SubjectId, subject: &Subject) -> Role {
        if subject.kind == Kind::Node {
            return Role::Node(self.node(subject));
        }
        if subject.kind == Kind::Service {
            return Role::Service(self.service(subject));
        }
        if !subject.kind.is_workload() && subject.kind != Kind::ControllerRevision {
            return Role::Silent;
        }
        let above = trace.subject(top(trace, id));
        let path = (above.kind, above.namespace.clone(), above.name.clone());
        let workload = match self.cast.by_path.get(&path) {
            Some(&known) => known,
            None => {
                let new = self.add_workload(above);
                self.cast.by_path.insert(path, new);
                new
            }
        };
        match subject.kind {
            Kind::Pod => {
                let owner = subject.owner.and_then(|owner| {
                    let numbered = self.cast.of_controller.get(&(owner, subject.revision));
                    self.cast.of_replica_set.get(&owner).or(numbered).copied()
                });
                self.cast_pod(trace, workload, owner, subject)
            }
            Kind::Job => {
                let jobs = &mut self.states[workload].jobs;
                jobs.push(JobState::default());
                Role::Job(workload, jobs.len() - 1)
            }
            Kind::ReplicaSet => {
                let revision = self.add_revision(workload, subject);
                self.cast.of_replica_set.insert(id, revision);
                match subject.owner {
                    Some(_) => Role::Revision(workload, revision),
                    None => Role::Top(workload, Some(revision)),
                }
            }
            Kind::ControllerRevision => {
                let revision = self.add_revision(workload, subject);
                if let Some(owner) = subject.owner {
                    self.cast.of_controller.insert((owner, subject.revision), revision);
                }
                Role::Revision(workload, revision)
            }
            _ => Role::Top(workload, None),
        }
    }

    fn node(&mut self, subject: &Subject) -> usize {
        if let Some(&known) = self.cast.by_node.get(&subject.name) {
            return known;
        }
        let new = self.nodes.len();
        let (name, zone) = (subject.name.to_string(), subject.zone.as_deref().unwrap_or_default().to_string());
        if !zone.is_empty() && !self.capacity.zones.contains(&zone) {
            let place = self.capacity.zones.partition_point(|other| *other < zone);
            self.capacity.zones.insert(place, zone.clone());
        }
        self.nodes.push(NodeLoad { name, zone, ..NodeLoad::default() });
        self.node_pods.push(0);
        self.cast.by_node.insert(subject.name.clone(), new);
        new
    }

    /// Services that are made again under their name are one.
    fn service(&mut self, subject: &Subject) -> usize {
        let same = |s: &Service| *s.namespace == *subject.namespace && *s.name == *subject.name;
        self.services.iter().position(same).unwrap_or_else(|| {
            self.services.push(Service::new(&subject.namespace, &subject.name));
            self.services.len() - 1
        })
    }

    /// A pod whose owner is no ReplicaSet goes to its workload's first, or to
    /// a nameless one.
    fn cast_pod(&mut self, trace: &Trace, workload: usize, owner: Option<usize>, subject: &Subject) -> Role {
        let revision = owner.unwrap_or_else(|| {
            if self.workloads[workload].revisions.is_empty() {
                self.workloads[workload].revisions.push(Revision::default());
                let number = Some(0);
                self.states[workload].revisions.push(RevisionState { number, ..Default::default() });
                self.states[workload].newest = Some(0);
            }
            0
        });
        let kind = self.workloads[workload].kind;
        self.pods.push(PodState {
            workload,
            revision,
            alone: subject.owner.is_none(),
            room: subject.room,
            part: self.states[workload].executions.part(trace, subject, kind),
            ..PodState::default()
        });
        Role::Pod(self.pods.len() - 1)
    }

    fn add_workload(&mut self, above: &Subject) -> usize {
        self.workloads.push(Workload {
            kind: above.kind,
            namespace: above.namespace.to_string(),
            name: above.name.to_string(),
            created: crate::time::SimTime::ZERO,
            deleted: None,
            failed_pods: Steps::default(),
            series: std::array::from_fn(|_| Steps::default()),
            revisions: Vec::new(),
            conditions: Vec::new(),
            unplaced: Vec::new(),
            rollouts: Vec::new(),
            actions: Vec::new(),
            writes: Vec::new(),
            zones: Vec::new(),
            turns: Vec::new(),
        });
        self.states.push(WorkloadState::default());
        self.workloads.len() - 1
    }

    fn add_revision(&mut self, workload: usize, subject: &Subject) -> usize {
        let revisions = &mut self.workloads[workload].revisions;
        revisions.push(Revision { name: subject.name.to_string(), number: subject.revision, ..Revision::default() });
        self.states[workload].revisions.push(RevisionState::default());
        revisions.len() - 1
    }
}
