//! Scheduling gates of pods: schedulers leave a pod alone until somebody has
//! taken away the last one.

use super::Simulation;
use super::actions::{Outcome, Refusal, merge_metadata};
use super::event::PodRef;
use crate::api::{Key, Kind, Pod};
use crate::cluster::ApiError;
use crate::trace::{RecordId, What};
use serde_json::Value;

impl Simulation {
    /// Records which gates a pod has, if any.
    pub(super) fn note_gates(&mut self, key: Key, cause: RecordId) {
        let Some(pod) = self.store.objects().pods.get(key).filter(|pod| pod.is_gated()) else { return };
        let names: Vec<&str> = pod.gate_names().collect();
        let gates = self.recorder.trace.symbols.intern(&names.join(" "));
        self.recorder.note(cause, key.uid, What::Gated { gates });
        self.recorder.last = cause;
    }

    /// Takes these gates of a pod away, or all of them if none is named.
    pub(super) fn ungate(&mut self, key: Key, names: &[String], cause: RecordId) {
        let Some(pod) = self.store.objects().pods.get(key) else { return };
        let taken = if names.is_empty() { u32::MAX } else { pod.template.placement.gates_named(names) };
        self.keep_gates(key, pod.gates & !taken, cause, |_| ());
    }

    /// Leaves a pod these gates and writes what else is to be written.
    fn keep_gates(&mut self, key: Key, left: u32, cause: RecordId, write: impl FnOnce(&mut Pod)) {
        let before = self.store.objects().pods.get(key).map_or(0, |pod| pod.gates);
        let pod = PodRef::of(key);
        let whats: &[What] = if before != 0 && left == 0 { &[What::Ungated] } else { &[] };
        self.pod_status(pod, cause, whats, |row| {
            row.gates = left;
            write(row);
        });
        if left != before && left != 0 {
            self.note_gates(key, cause);
        } else if left != before {
            self.line_up(pod);
        }
    }

    /// An apply or a patch of a pod that is there: of what is modelled, labels,
    /// annotations and fewer gates are all that it may say.
    ///
    /// Upstream: `pkg/apis/core/validation/validation.go ValidatePodUpdate`, `validateOnlyDeletedSchedulingGates`
    pub(super) fn write_pod(&mut self, key: Key, new: &Pod, cause: RecordId) -> Outcome {
        let old = self.store.objects().pods.get(key).ok_or(ApiError::NotFound)?;
        let (before, after) = (spec_without_gates(old), spec_without_gates(new));
        if before != after {
            let words = if old.is_gated() && directives_differ(&before, &after) {
                "spec: changing where a gated pod may go is not modelled"
            } else {
                "spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`"
            };
            return Err(Refusal::of("Forbidden", words));
        }
        let has: Vec<&str> = old.gate_names().collect();
        if let Some((i, gate)) = new.gate_names().enumerate().find(|(_, gate)| !has.contains(gate)) {
            let name = &old.meta.name;
            return Err(Refusal::invalid(format!(
                "{} {name:?} is invalid: spec.schedulingGates[{i}].name: Forbidden: only deletion is allowed, \
                 but found new scheduling gate '{gate}'",
                Kind::Pod
            )));
        }
        let names: Vec<String> = new.gate_names().map(str::to_string).collect();
        let left = old.template.placement.gates_named(&names);
        self.keep_gates(key, left, cause, |row| merge_metadata(&mut row.meta, &new.meta));
        Ok(())
    }
}

fn spec_without_gates(pod: &Pod) -> Value {
    let mut spec = pod.template.raw.value()["spec"].clone();
    if let Some(spec) = spec.as_object_mut() {
        spec.shift_remove("schedulingGates");
    }
    spec
}

/// Whether specs differ in what of a gated pod may be changed.
fn directives_differ(before: &Value, after: &Value) -> bool {
    before["nodeSelector"] != after["nodeSelector"]
        || before["affinity"]["nodeAffinity"] != after["affinity"]["nodeAffinity"]
}
