//! How long failed daemon pods are left lying before they are replaced.

use crate::api::Key;
use crate::time::{Instant, Span};
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// The first wait.
const FIRST: Span = Span::from_secs(1);

/// The longest wait.
///
/// Upstream: `cmd/kube-controller-manager/app/apps.go startDaemonSetController`
const LONGEST: Span = Span::from_secs(15 * 60);

#[derive(Clone, Copy, Debug)]
struct Wait {
    long: Span,
    since: Instant,
}

/// Waits per DaemonSet, generation and node.
///
/// A kubelet that rejects a pod would reject the next one too, and without
/// waiting the two would fight as fast as they can. A new generation begins
/// anew, because it may be the cure.
///
/// Upstream: `staging/src/k8s.io/client-go/util/flowcontrol/backoff.go`
#[derive(Clone, Debug, Default)]
pub(super) struct BackOff {
    waits: FxHashMap<(Key, i64, Arc<str>), Wait>,
}

impl BackOff {
    /// The wait that a node is in, if it is not over.
    pub(super) fn waiting(&self, set: Key, generation: i64, node: &Arc<str>, now: Instant) -> Option<Span> {
        let wait = self.waits.get(&(set, generation, node.clone()))?;
        let passed = now.nanos_since(wait.since);
        (passed < wait.long.0 as i64).then_some(wait.long)
    }

    /// A pod is replaced: the next one waits twice as long as this one did.
    /// After two of the longest waits without a failure all is forgotten.
    pub(super) fn replaced(&mut self, set: Key, generation: i64, node: &Arc<str>, now: Instant) {
        let key = (set, generation, node.clone());
        let long = match self.waits.get(&key) {
            Some(wait) if now.nanos_since(wait.since) <= 2 * LONGEST.0 as i64 => Span((wait.long.0 * 2).min(LONGEST.0)),
            _ => FIRST,
        };
        self.waits.insert(key, Wait { long, since: now });
    }

    /// The DaemonSet is gone.
    pub(super) fn forget(&mut self, set: Key) {
        self.waits.retain(|(key, ..), _| *key != set);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{Kind, Uid};

    #[test]
    fn waits_double_up_to_a_quarter_of_an_hour() {
        let set = Key { kind: Kind::DaemonSet, slot: 0, uid: Uid(1) };
        let node: Arc<str> = "node-a".into();
        let mut backoff = BackOff::default();
        let mut now = Instant(0);
        let mut waits = Vec::new();
        assert_eq!(backoff.waiting(set, 1, &node, now), None);
        for _ in 0..12 {
            backoff.replaced(set, 1, &node, now);
            let long = backoff.waiting(set, 1, &node, now).expect("it waits");
            waits.push(long.as_ms() / 1000);
            now = Instant(now.0 + long.0 as i64);
            assert_eq!(backoff.waiting(set, 1, &node, now), None, "it is over");
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]);
        backoff.replaced(set, 1, &node, now);
        assert_eq!(backoff.waiting(set, 2, &node, now), None, "another generation");
        let much_later = Instant(now.0 + 2 * LONGEST.0 as i64 + 1);
        backoff.replaced(set, 1, &node, much_later);
        assert_eq!(backoff.waiting(set, 1, &node, much_later), Some(FIRST));
        backoff.forget(set);
        assert_eq!(backoff.waiting(set, 1, &node, much_later), None);
    }
}
