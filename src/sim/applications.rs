//! Whether the applications in pods serve requests. The API does not know: a
//! pod can be ready and serve nothing, and serve without being ready.

use super::Simulation;
use super::event::PodRef;
use crate::api::Key;
use crate::trace::{RecordId, What};
use std::sync::Arc;

impl Simulation {
    /// A pod's application has started, or serves requests now.
    pub(super) fn app_answers(&mut self, pod: PodRef, answers: bool, cause: RecordId) {
        let Some(runtime) = self.runtime_mut(pod) else { return };
        let begins = !answers && runtime.running;
        if std::mem::replace(&mut runtime.answers, answers) != answers || begins {
            self.tell_answers(pod, answers, cause);
        }
        self.traffic_looks_at(pod.key());
    }

    /// The termination of a pod has begun. An application whose life is not
    /// played is told at once: it takes no more requests, and ends those that
    /// it has begun.
    pub(super) fn app_hears_sigterm(&mut self, pod: PodRef) {
        if self.life(pod).is_none() {
            self.app_falls_silent(pod, self.latest(pod));
        }
    }

    /// A pod's application serves no more requests, if it did.
    pub(super) fn app_falls_silent(&mut self, pod: PodRef, cause: RecordId) {
        if self.runtime_mut(pod).is_some_and(|runtime| std::mem::take(&mut runtime.answers)) {
            self.tell_answers(pod, false, cause);
            self.traffic_looks_at(pod.key());
        }
    }

    /// Something has happened to a pod's application: whether it serves
    /// requests now.
    pub(super) fn look_at_app(&mut self, pod: PodRef, cause: RecordId) {
        let serves = self.app_serves(pod);
        match self.runtime(pod).map(|runtime| runtime.answers) {
            Some(false) if serves => self.app_answers(pod, true, cause),
            Some(true) if !serves => self.app_falls_silent(pod, cause),
            _ => {}
        }
    }

    fn app_serves(&self, pod: PodRef) -> bool {
        let (Some(runtime), Some(row)) = (self.runtime(pod), self.pod(pod)) else { return false };
        let here = row.node.is_some_and(|node| !self.dead.contains(&node)) && self.until_awake(row.node).0 == 0;
        let life = runtime.life.as_deref().and_then(|life| Some((life, life.app.as_ref()?)));
        here && runtime.running
            && match life {
                None => row.ready && runtime.end_code.is_none(),
                Some((life, app)) => life.serves(self.now) && app.depends_on.iter().all(|on| !self.down.contains(on)),
            }
    }

    /// The applications of a machine that is down or stands still serve
    /// nothing any more, though nobody says so.
    pub(super) fn apps_fall_silent_on(&mut self, node: Key, cause: RecordId) {
        for pod in self.pods_in_hand(node) {
            self.app_falls_silent(pod, cause);
        }
    }

    /// A machine goes on.
    pub(super) fn apps_go_on_on(&mut self, node: Key, cause: RecordId) {
        for pod in self.pods_in_hand(node) {
            self.look_at_app(pod, cause);
        }
    }

    /// Something that applications depend on can be reached or not.
    pub(super) fn dependency(&mut self, name: &Arc<str>, up: bool, cause: RecordId) {
        if up {
            self.down.remove(name);
        } else {
            self.down.insert(name.clone());
        }
        let depends = |pod: &PodRef| {
            let app = self.runtime(*pod).and_then(|runtime| runtime.life.as_deref()?.app.as_ref());
            app.is_some_and(|app| app.depends_on.contains(name))
        };
        let all = self
            .runtimes
            .iter()
            .enumerate()
            .filter_map(|(slot, runtime)| Some(PodRef { slot: slot as u32, uid: runtime.as_ref()?.uid.0 }));
        let pods: Vec<PodRef> = all.filter(depends).collect();
        for pod in pods {
            self.look_at_app(pod, cause);
        }
    }

    /// An application hangs.
    pub(super) fn hang(&mut self, pod: PodRef, cause: RecordId) {
        if let Some(life) = self.life_mut(pod) {
            life.deadlocked = true;
        }
        self.app_falls_silent(pod, cause);
    }

    /// Records it, if anybody wants to know. What is observed next is not
    /// observed because of it.
    fn tell_answers(&mut self, pod: PodRef, answers: bool, cause: RecordId) {
        if !self.setup.tell_serving && !self.behaviour.has_apps() {
            return;
        }
        let last = self.recorder.last;
        self.recorder.note(cause, pod.key().uid, if answers { What::Answers } else { What::Silent });
        self.recorder.last = last;
    }
}
