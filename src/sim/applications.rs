//! Whether the applications in pods serve requests. The API does not know: a
//! pod can be ready and serve nothing, and serve without being ready.

use super::Simulation;
use super::event::PodRef;
use crate::api::Key;
use crate::trace::{RecordId, What};

impl Simulation {
    /// A pod's application has started, or serves requests now. What it did
    /// until here is its cause.
    pub(super) fn app_answers(&mut self, pod: PodRef, answers: bool) {
        let cause = self.latest(pod);
        let Some(runtime) = self.runtime_mut(pod) else { return };
        let first = !answers && runtime.starts > 0;
        if std::mem::replace(&mut runtime.answers, answers) != answers || first {
            self.tell_answers(pod, answers, cause);
        }
    }

    /// A pod's application serves no more requests, if it did.
    pub(super) fn app_falls_silent(&mut self, pod: PodRef, cause: RecordId) {
        if self.runtime_mut(pod).is_some_and(|runtime| std::mem::take(&mut runtime.answers)) {
            self.tell_answers(pod, false, cause);
        }
    }

    /// The applications of a machine that died serve nothing any more, though
    /// nobody says so.
    pub(super) fn apps_fall_silent_on(&mut self, node: Key, cause: RecordId) {
        for key in self.scheduler.pods_on(node).to_vec() {
            self.app_falls_silent(PodRef::of(key), cause);
        }
    }

    /// Records it, if anybody wants to know. What is observed next is not
    /// observed because of it.
    fn tell_answers(&mut self, pod: PodRef, answers: bool, cause: RecordId) {
        if !self.setup.tell_serving {
            return;
        }
        let last = self.recorder.last;
        self.recorder.note(cause, pod.key().uid, if answers { What::Answers } else { What::Silent });
        self.recorder.last = last;
    }
}
