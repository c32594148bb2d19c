//! Objects that are gone and may come again under their name.
//!
//! Upstream's work queues know objects by namespace and name: delays and
//! failures of an object that was deleted are those of the next one of its
//! name. Ours know them by UID, so they are told who follows whom.

use super::process::Process;
use super::record::Recorder;
use crate::api::{Key, Kind, Meta};
use crate::cluster::Objects;
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// The kind, namespace and name of an object.
type Name = (Kind, Arc<str>, Arc<str>);

/// The objects that are gone and that one queue still holds.
#[derive(Clone, Debug, Default)]
pub(super) struct Departed {
    by_name: FxHashMap<Name, Key>,
    names: FxHashMap<Key, Name>,
}

impl Departed {
    fn enter(&mut self, key: Key, name: Name) {
        self.by_name.insert(name.clone(), key);
        self.names.insert(key, name);
    }

    /// The object is of no interest any more.
    fn forget(&mut self, key: Key) {
        if let Some(name) = self.names.remove(&key) {
            self.by_name.remove(&name);
        }
    }

    /// Who had the name of a new object before it.
    fn predecessor(&mut self, kind: Kind, meta: &Meta) -> Option<Key> {
        let old = self.by_name.remove(&(kind, meta.namespace.clone(), meta.name.clone()))?;
        self.names.remove(&old);
        Some(old)
    }
}

impl Process {
    /// An object is gone; if the queue still has to do with it, its next
    /// namesake will inherit that. Pods and nodes are left out: names of pods
    /// hardly ever come again, and nodes have memories of their own.
    pub(super) fn note_departure(&mut self, key: Key, recorder: &Recorder) {
        let by_name = !matches!(key.kind, Kind::Pod | Kind::Node) && self.controller.keys_are_names();
        if by_name && self.queue.holds(key) {
            let subject = recorder.trace.subject(recorder.subject(key.uid));
            self.departed.enter(key, (key.kind, subject.namespace.clone(), subject.api_name.clone()));
        }
    }

    /// A new object may follow one of its name.
    pub(super) fn note_arrival(&mut self, key: Key, cache: &Objects) {
        if self.departed.names.is_empty() {
            return;
        }
        let Some(old) = cache.meta(key).and_then(|meta| self.departed.predecessor(key.kind, meta)) else { return };
        self.queue.rename(old, key);
        self.controller.renamed(old, key);
        self.rename_in_hand(old, key);
    }

    /// A sync is over: what the queue does not hold any more is forgotten.
    pub(super) fn note_end_of_sync(&mut self, key: Key) {
        if !self.departed.names.is_empty() && !self.queue.holds(key) {
            self.departed.forget(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Uid;

    #[test]
    fn who_is_gone_is_known_by_name_until_it_is_forgotten() {
        let key = |uid| Key { kind: Kind::Job, slot: 0, uid: Uid(uid) };
        let name = |name: &str| (Kind::Job, Arc::from("default"), Arc::from(name));
        let mut departed = Departed::default();
        departed.enter(key(1), name("a"));
        departed.enter(key(2), name("b"));
        departed.forget(key(2));
        assert_eq!(departed.predecessor(Kind::CronJob, &Meta::named("default", "a")), None);
        assert_eq!(departed.predecessor(Kind::Job, &Meta::named("default", "b")), None);
        assert_eq!(departed.predecessor(Kind::Job, &Meta::named("default", "a")), Some(key(1)));
        assert!(departed.names.is_empty());
    }
}
