//! `kubectl drain`: cordons a node and evicts its pods, over and over if
//! their budgets refuse.

use super::Simulation;
use super::actions::{Outcome, Refusal};
use super::event::Event;
use crate::api::{Key, Kind, Pod};
use crate::cluster::ApiError;
use crate::sim::Urgency;
use crate::sim::setup::DrainOptions;
use crate::time::{SimTime, Span};
use crate::trace::{RecordId, What, Why};
use std::sync::Arc;

/// How long an eviction that was refused waits before it is tried again.
///
/// Upstream: `staging/src/k8s.io/kubectl/pkg/cmd/drain/drain.go EvictErrorRetryDelay`
const RETRY: Span = Span::from_secs(5);

/// The same for the cluster autoscaler.
///
/// Upstream: `cluster-autoscaler/core/scaledown/actuation/drain.go DefaultEvictionRetryTime`
const SCALE_DOWN_RETRY: Span = Span::from_secs(10);

/// A drain that is not over.
#[derive(Clone, Debug)]
pub(super) struct Drain {
    node: Key,
    /// How long an eviction that was refused waits.
    retry: Span,
    /// The longest grace period that a pod gets, if there is one.
    most_grace: Option<u32>,
    /// Whether pods that were evicted may take longer than the deadline.
    patient: bool,
    /// What asked for it.
    cause: RecordId,
    grace_seconds: Option<u32>,
    /// When it gives up.
    deadline: Option<SimTime>,
    began: SimTime,
    /// Pods whose eviction was refused the last time.
    refused: Vec<Key>,
    /// Pods that are to be gone before the drain is over.
    leaving: Vec<Key>,
    /// How many pods it evicted.
    evicted: u32,
    /// Whether an eviction failed for good.
    failed: bool,
    /// Whether it is asking right now: what goes at once is not its end.
    asking: bool,
    over: bool,
}

impl Simulation {
    /// Cordons a node and begins to evict its pods. The pods of the beginning
    /// are all that it looks at.
    ///
    /// Upstream: `staging/src/k8s.io/kubectl/pkg/cmd/drain/drain.go RunDrain`
    pub(super) fn drain(&mut self, name: &Arc<str>, options: &DrainOptions, cause: RecordId) -> Outcome {
        self.write_node(name, cause, |node| node.unschedulable = true)?;
        self.publish();
        let node = self.node(name)?;
        self.begin_drain(node, options, (RETRY, None), cause)
    }

    /// Begins to evict the pods of a node that the cluster autoscaler wants to
    /// be empty. It is not cordoned: its taint does that.
    ///
    /// Upstream: `cluster-autoscaler/core/scaledown/actuation/drain.go DrainNode`
    pub(super) fn begin_scale_down(
        &mut self,
        node: Key,
        options: &DrainOptions,
        most: Span,
        cause: RecordId,
    ) -> Outcome {
        let seconds = (most.0 / crate::time::SECOND) as u32;
        self.begin_drain(node, options, (SCALE_DOWN_RETRY, Some(seconds)), cause)
    }

    fn begin_drain(
        &mut self,
        node: Key,
        options: &DrainOptions,
        (retry, most_grace): (Span, Option<u32>),
        cause: RecordId,
    ) -> Outcome {
        let pods = self.pods_to_drain(node, options)?;
        let drain = Drain {
            node,
            retry,
            most_grace,
            patient: most_grace.is_some(),
            cause,
            grace_seconds: options.grace_seconds,
            deadline: options.timeout.map(|timeout| self.now.after(timeout)),
            began: self.now,
            refused: pods,
            leaving: Vec::new(),
            evicted: 0,
            failed: false,
            asking: false,
            over: false,
        };
        self.drains.push(drain);
        self.go_on_draining(self.drains.len() as u32 - 1);
        Ok(())
    }

    /// The pods of a node that a drain evicts, by name.
    ///
    /// Upstream: `staging/src/k8s.io/kubectl/pkg/drain/filters.go daemonSetFilter`,
    /// `localStorageFilter`, `unreplicatedFilter`
    fn pods_to_drain(&self, node: Key, options: &DrainOptions) -> Result<Vec<Key>, Refusal> {
        let objects = self.store.objects();
        let pods: Vec<(&Pod, Key)> = objects.pods_on(node).into_iter().map(|(key, pod)| (pod, key)).collect();
        let mut complaints: Vec<(&str, Vec<String>)> = Vec::new();
        let mut complain = |about: &'static str, pod: &Pod| {
            let name = format!("{}/{}", pod.meta.namespace, pod.meta.name);
            match complaints.iter_mut().find(|(known, _)| *known == about) {
                Some((_, pods)) => pods.push(name),
                None => complaints.push((about, vec![name])),
            }
        };
        let mut chosen = Vec::new();
        for (pod, key) in pods {
            let owner = pod.meta.controller().map(|owner| owner.kind);
            match owner {
                _ if pod.meta.is_deleting() => continue,
                Some(Kind::DaemonSet) if !pod.is_finished() => {
                    if !options.ignore_daemon_sets {
                        complain("DaemonSet-managed Pods (use --ignore-daemonsets to ignore)", pod);
                    }
                    continue;
                }
                None if !pod.is_finished() && !options.force => {
                    complain("Pods that declare no controller (use --force to override)", pod);
                }
                _ if !pod.is_finished() && !options.delete_empty_dir_data && has_empty_dir(pod) => {
                    complain("Pods with local storage (use --delete-emptydir-data to override)", pod);
                }
                _ => {}
            }
            chosen.push(key);
        }
        if complaints.is_empty() {
            return Ok(chosen);
        }
        let words: Vec<String> =
            complaints.iter().map(|(about, pods)| format!("cannot delete {about}: {}", pods.join(", "))).collect();
        Err(Refusal::of("DrainRefused", words.join("; ")))
    }

    /// Tries once more to evict what was refused before.
    pub(super) fn go_on_draining(&mut self, index: u32) {
        let Some(drain) = self.drains.get_mut(index as usize).filter(|drain| !drain.over) else { return };
        let (cause, grace_seconds, most) = (drain.cause, drain.grace_seconds, drain.most_grace);
        let waits_only = drain.patient && drain.refused.is_empty();
        if !waits_only && drain.deadline.is_some_and(|deadline| self.now >= deadline) {
            return self.end_drain(index, false);
        }
        let trying = std::mem::take(&mut drain.refused);
        drain.asking = true;
        let (mut refused, mut leaving, mut failed) = (Vec::new(), Vec::new(), false);
        for pod in trying {
            let own = || self.store.objects().pods.get(pod).map_or(0, |row| row.template.grace_seconds);
            let grace_seconds = grace_seconds.or_else(|| most.map(|most| most.min(own())));
            match self.evict(pod, grace_seconds, cause) {
                Ok(()) => leaving.push(pod),
                Err(ApiError::TooManyRequests(_)) => refused.push(pod),
                Err(ApiError::NotFound) => {}
                Err(_) => failed = true,
            }
        }
        let drain = &mut self.drains[index as usize];
        drain.evicted += leaving.len() as u32;
        drain.leaving.append(&mut leaving);
        drain.failed |= failed;
        drain.refused = refused;
        drain.asking = false;
        if !drain.refused.is_empty() {
            let at = self.now.after(drain.retry);
            self.queue.push(at, Urgency::First, Event::Drain(index));
        } else if let Some(deadline) = drain.deadline.filter(|_| !drain.patient) {
            self.queue.push(deadline, Urgency::First, Event::Drain(index));
        }
        self.check_drain(index);
    }

    /// A pod is gone: some drain may have waited for it.
    pub(super) fn drains_see_removal(&mut self) {
        for index in 0..self.drains.len() {
            if !self.drains[index].over && !self.drains[index].asking {
                self.check_drain(index as u32);
            }
        }
    }

    fn check_drain(&mut self, index: u32) {
        let pods = &self.store.objects().pods;
        let drain = &mut self.drains[index as usize];
        drain.leaving.retain(|pod| pods.get(*pod).is_some());
        if drain.refused.is_empty() && drain.leaving.is_empty() {
            let well = !drain.failed;
            self.end_drain(index, well);
        }
    }

    fn end_drain(&mut self, index: u32, well: bool) {
        let drain = &mut self.drains[index as usize];
        drain.over = true;
        let (node, cause) = (drain.node, drain.cause);
        let (pods, seconds) = (drain.evicted as i32, (self.now.since(drain.began).as_ms() / 1000) as i32);
        let left = (drain.refused.len() + drain.leaving.len()) as i32;
        let why = if well { Why::Drained { pods, seconds } } else { Why::DrainFailed { left, seconds } };
        if self.store.objects().meta(node).is_some() {
            let last = self.recorder.last;
            self.recorder.note(cause, node.uid, What::Decided(why));
            self.recorder.last = last;
        }
        self.fleet_sees_drained(index, well);
    }
}

/// Whether a pod keeps files on its node that go with it.
fn has_empty_dir(pod: &Pod) -> bool {
    let volumes = pod.template.raw.value().pointer("/spec/volumes").and_then(|v| v.as_array());
    volumes.into_iter().flatten().any(|volume| volume.get("emptyDir").is_some())
}
