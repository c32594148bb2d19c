//! What runs leave behind outside the cluster, and what is lost when they are
//! cut off.

use super::Simulation;
use super::event::{Event, PodRef};
use crate::api::{Kind, Uid};
use crate::sim::setup::{Effect, KeyPart};
use crate::time::Span;
use crate::trace::{RecordId, What};
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// The annotation of a CronJob's Jobs with the time that they serve.
pub(super) const SCHEDULED_AT: &str = "batch.kubernetes.io/cronjob-scheduled-timestamp";

/// What is remembered of a Job while it exists.
#[derive(Clone, Debug, Default)]
pub(super) struct JobHistory {
    /// Which Job of its CronJob it is, from 0; none if it was made by hand.
    pub(super) number: Option<u32>,
    pods: u32,
    pods_by_index: FxHashMap<u32, u32>,
}

impl JobHistory {
    /// Counts a pod and answers how many there were before it for the same
    /// work.
    pub(super) fn next_attempt(&mut self, index: Option<u32>) -> u32 {
        let count = match index {
            None => &mut self.pods,
            Some(index) => self.pods_by_index.entry(index).or_insert(0),
        };
        *count += 1;
        *count - 1
    }
}

/// Jobs by their UID.
pub(super) type Jobs = FxHashMap<Uid, JobHistory>;

impl Simulation {
    /// A run has begun: its effects will come when their time has come.
    pub(super) fn plan_effects(&mut self, pod: PodRef, epoch: u16, ends: Option<(Span, i32)>) {
        let Some(effects) = self.ask_effects(pod) else { return };
        let whole = self.ask_duration(pod);
        let mut pending = 0;
        for (i, effect) in effects.iter().enumerate() {
            pending |= 1 << i;
            let failing = ends.is_some_and(|(_, code)| code != 0);
            let Some(after) = effect.after(whole).filter(|_| !(effect.on_success && failing)) else { continue };
            // What would come after the end never comes.
            if ends.is_none_or(|(end, _)| after <= end) {
                self.later(after, Event::Effect(pod, epoch, i as u8));
            }
        }
        if let Some(runtime) = self.runtime_mut(pod) {
            runtime.pending_effects = pending;
        }
    }

    /// An effect's time has come.
    pub(super) fn have_effect(&mut self, pod: PodRef, epoch: u16, effect: u8) {
        if !self.is_due(pod, epoch) {
            return;
        }
        let Some(runtime) = self.runtime_mut(pod) else { return };
        runtime.pending_effects &= !(1 << effect);
        let cause = self.latest(pod);
        self.record_effect(pod, usize::from(effect), cause, |key| What::Wrote { key });
    }

    /// A run is over: what it has not written it never will.
    pub(super) fn lose_effects(&mut self, pod: PodRef, cause: RecordId) {
        let Some(runtime) = self.runtime_mut(pod) else { return };
        let pending = std::mem::take(&mut runtime.pending_effects);
        for effect in 0..u64::BITS {
            if pending & (1 << effect) != 0 {
                self.record_effect(pod, effect as usize, cause, |key| What::Lost { key });
            }
        }
    }

    /// The runs of a machine that died are over, though nobody says so.
    pub(super) fn lose_effects_on(&mut self, node: crate::api::Key, cause: RecordId) {
        for pod in self.pods_in_hand(node) {
            self.lose_effects(pod, cause);
        }
    }

    fn record_effect(
        &mut self,
        pod: PodRef,
        effect: usize,
        cause: RecordId,
        what: impl Fn(crate::trace::Symbol) -> What,
    ) {
        let Some(effects) = self.ask_effects(pod) else { return };
        let Some(effect) = effects.get(effect) else { return };
        let key = effect.key.filled(|part| self.key_part(pod, part));
        let key = self.recorder.intern(&key);
        self.recorder.note(cause, pod.key().uid, what(key));
    }

    fn key_part(&self, pod: PodRef, part: KeyPart) -> String {
        let (Some(row), Some(runtime)) = (self.pod(pod), self.runtime(pod)) else { return String::new() };
        let objects = self.store.objects();
        let job = row.meta.controller().filter(|owner| owner.kind == Kind::Job).and_then(|key| objects.meta(key));
        let name_of_job = || job.map_or_else(String::new, |meta| meta.name.to_string());
        match part {
            KeyPart::Schedule => {
                let at = job.and_then(|meta| meta.annotations.get(SCHEDULED_AT));
                at.map_or_else(name_of_job, ToString::to_string)
            }
            KeyPart::Index => row.index.map_or_else(String::new, |index| index.index.to_string()),
            KeyPart::Job => name_of_job(),
            KeyPart::Workload => runtime.workload.to_string(),
            KeyPart::Pod => self.recorder.trace.subject(self.recorder.subject(row.meta.uid)).name.to_string(),
            KeyPart::Node => {
                let node = row.node.and_then(|node| objects.meta(node));
                node.map_or_else(String::new, |meta| meta.name.to_string())
            }
            KeyPart::Attempt => (runtime.attempt + row.restarts).to_string(),
            KeyPart::Namespace => row.meta.namespace.to_string(),
        }
    }

    fn ask_effects(&self, pod: PodRef) -> Option<Arc<[Effect]>> {
        if !self.behaviour.has_effects() {
            return None;
        }
        self.identity(pod).and_then(|identity| self.behaviour.effects(&identity))
    }
}
