//! The nodes of a zone that wait for their `NoExecute` taint.

use crate::time::Instant;
use rustc_hash::FxHashSet;
use std::sync::Arc;

/// A binary heap on the time of entry in which no name is twice. Which of
/// several equal entries comes first follows from how Go's `container/heap`
/// moves them about, so it is done the same way here.
///
/// A name that was taken from the front stays known, and cannot be added
/// again until it is removed: a node is tainted once.
///
/// Upstream: `nodelifecycle/scheduler/rate_limited_queue.go UniqueQueue`
#[derive(Clone, Debug, Default)]
pub(super) struct TimedQueue {
    heap: Vec<(Instant, Arc<str>)>,
    known: FxHashSet<Arc<str>>,
}

impl TimedQueue {
    /// Adds a name unless it is known. Answers whether it was added.
    pub(super) fn add(&mut self, name: &Arc<str>, at: Instant) -> bool {
        if !self.known.insert(name.clone()) {
            return false;
        }
        self.heap.push((at, name.clone()));
        self.up(self.heap.len() - 1);
        true
    }

    /// Forgets a name.
    pub(super) fn remove(&mut self, name: &str) {
        if self.known.remove(name) {
            self.take(name);
        }
    }

    /// Takes a name out, but keeps it known.
    pub(super) fn done(&mut self, name: &str) {
        if self.known.contains(name) {
            self.take(name);
        }
    }

    /// The name at the front and the time it may be taken at.
    pub(super) fn head(&self) -> Option<&(Instant, Arc<str>)> {
        self.heap.first()
    }

    fn take(&mut self, name: &str) {
        let Some(i) = self.heap.iter().position(|(_, other)| &**other == name) else { return };
        let last = self.heap.len() - 1;
        if i != last {
            self.heap.swap(i, last);
        }
        self.heap.pop();
        if i != last && !self.down(i) {
            self.up(i);
        }
    }

    fn is_less(&self, a: usize, b: usize) -> bool {
        self.heap[a].0 < self.heap[b].0
    }

    fn up(&mut self, mut child: usize) {
        while child > 0 {
            let parent = (child - 1) / 2;
            if !self.is_less(child, parent) {
                break;
            }
            self.heap.swap(parent, child);
            child = parent;
        }
    }

    /// Answers whether anything moved.
    fn down(&mut self, start: usize) -> bool {
        let mut parent = start;
        loop {
            let left = 2 * parent + 1;
            if left >= self.heap.len() {
                break;
            }
            let right = left + 1;
            let child = if right < self.heap.len() && self.is_less(right, left) { right } else { left };
            if !self.is_less(child, parent) {
                break;
            }
            self.heap.swap(parent, child);
            parent = child;
        }
        parent > start
    }
}

/// How often nodes of a zone may be tainted: a bucket of one token.
///
/// Upstream: `staging/src/k8s.io/client-go/util/flowcontrol/throttle.go`
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Limiter {
    /// Tokens a second; `None` gives none out at all.
    rate: Option<f32>,
    /// When there will be a token.
    next: Instant,
}

impl Limiter {
    /// A full bucket.
    pub(super) const fn new(rate: f32) -> Limiter {
        Limiter { rate: Some(rate), next: Instant(i64::MIN) }
    }

    /// Takes the token, if it is there.
    pub(super) fn try_accept(&mut self, now: Instant) -> bool {
        let Some(rate) = self.rate.filter(|_| now >= self.next) else { return false };
        let wait = 1e9 / f64::from(rate);
        self.next = if wait < 1e18 { Instant(now.0.saturating_add(wait as i64)) } else { Instant(i64::MAX) };
        true
    }

    /// When a token will be there; never, if none are given out.
    pub(super) fn available_at(&self) -> Option<Instant> {
        self.rate.map(|_| self.next).filter(|next| next.0 < i64::MAX)
    }

    /// What upstream believes the rate to be: a limiter that gives nothing
    /// says 1.
    fn nominal(&self) -> f32 {
        self.rate.unwrap_or(1.0)
    }

    /// Changes the rate. The new bucket is empty if the old one was.
    ///
    /// Upstream: `nodelifecycle/scheduler/rate_limited_queue.go SwapLimiter`
    pub(super) fn swap(&mut self, rate: f32, now: Instant) {
        #[expect(clippy::float_cmp, reason = "it is a setting that was copied, and upstream compares it so")]
        if self.nominal() == rate {
            return;
        }
        if rate <= 0.0 {
            self.rate = None;
            return;
        }
        let mut new = Limiter::new(rate);
        if !self.try_accept(now) {
            new.try_accept(now);
        }
        *self = new;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(queue: &mut TimedQueue) -> Vec<String> {
        let mut names = Vec::new();
        while let Some((_, name)) = queue.head().cloned() {
            queue.done(&name);
            names.push(name.to_string());
        }
        names
    }

    #[test]
    fn equal_entries_leave_in_the_order_of_gos_heap() {
        let names: Vec<Arc<str>> = (0..6).map(|n| format!("n{n:02}").into()).collect();
        let mut queue = TimedQueue::default();
        for (i, name) in names.iter().enumerate() {
            assert!(queue.add(name, Instant(i as i64)));
        }
        queue.done("n00");
        // Every pass of the monitor takes the ones that wait out and puts
        // them in again, all at one time.
        for name in &names[1..] {
            queue.remove(name);
            queue.add(name, Instant(5_000));
        }
        assert!(!queue.add(&names[0], Instant(5_000)), "tainted already");
        assert_eq!(order(&mut queue)[0], "n04");
    }

    #[test]
    fn a_swapped_limiter_is_as_empty_as_the_old_one() {
        let second = |n: i64| Instant(n * 1_000_000_000);
        let mut limiter = Limiter::new(0.1);
        assert!(limiter.try_accept(second(100)));
        assert!(!limiter.try_accept(second(109)));
        assert!(limiter.try_accept(second(110)));
        limiter.swap(0.0, second(111));
        assert!(!limiter.try_accept(second(900)));
        assert_eq!(limiter.available_at(), None);
        limiter.swap(0.1, second(901));
        assert!(!limiter.try_accept(second(910)));
        assert!(limiter.try_accept(second(911)));
        let mut full = Limiter::new(0.1);
        full.swap(0.01, second(0));
        assert!(full.try_accept(second(0)), "the old one had a token");
    }
}
