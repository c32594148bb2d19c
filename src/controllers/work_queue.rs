//! The work queue between a controller's event handlers and its workers.

use super::{ObjectNotice, TokenBucket};
use crate::api::{Key, KeyMap};
use crate::time::{Drift, SimTime, Span};
use crate::trace::RecordId;
use std::collections::VecDeque;

/// A key that waits for its time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Timer {
    /// When the key is added.
    pub at: SimTime,
    /// The key.
    pub key: Key,
}

/// A first-in-first-out queue of keys in which no key waits twice and none
/// is worked on twice at a time; with delayed and rate-limited additions.
///
/// Upstream: `staging/src/k8s.io/client-go/util/workqueue/queue.go`,
/// `delaying_queue.go`, `default_rate_limiters.go`
#[derive(Clone, Debug, Default)]
pub struct WorkQueue {
    retry: Retry,
    /// The present moment, kept by the kernel.
    pub now: SimTime,
    /// How fast the clock runs that the delays are counted by.
    drift: Drift,
    /// The record that is being observed, kept by the kernel: what is added
    /// now is added because of it.
    pub cause: Option<RecordId>,
    waiting: VecDeque<Key>,
    items: KeyMap<Item>,
    /// Timers not yet handed to the kernel.
    new_timers: Vec<Timer>,
    /// Events that handlers sent and that are not yet handed to the kernel.
    notices: Vec<ObjectNotice>,
    bucket: Shared,
}

/// What is known of a key.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Item {
    /// It is to be worked on, once more if it is being worked on.
    dirty: bool,
    processing: bool,
    failures: u32,
    cause: Option<RecordId>,
    /// When its timer goes off.
    due: Option<SimTime>,
    /// What wound that timer up.
    due_cause: Option<RecordId>,
}

/// How a key that failed is held back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Retry {
    /// The wait after the first failure; doubled with each one.
    first: Span,
    /// The longest wait.
    longest: Span,
    /// Whether all keys together are held back too.
    shared: bool,
}

impl Default for Retry {
    fn default() -> Self {
        Retry { first: Span::from_ms(5), longest: Span::from_secs(1_000), shared: true }
    }
}

/// The overall limit on rate-limited additions: 10 a second, 100 at once.
#[derive(Clone, Copy, Debug)]
struct Shared(TokenBucket);

impl Default for Shared {
    fn default() -> Self {
        Shared(TokenBucket::new(100, Span::from_ms(100)))
    }
}

impl WorkQueue {
    /// A queue whose failing keys wait for `first`, then twice as long and so
    /// on up to `longest`, whatever other keys do.
    pub fn with_retries(first: Span, longest: Span) -> WorkQueue {
        WorkQueue { retry: Retry { first, longest, shared: false }, ..WorkQueue::default() }
    }

    /// The same on a host whose clock drifts.
    #[must_use]
    pub fn with_drift(self, drift: Drift) -> WorkQueue {
        WorkQueue { drift, ..self }
    }

    /// Adds a key, unless it waits already. A key that is being worked on
    /// comes back when that is done.
    pub fn add(&mut self, key: Key) {
        let item = self.items.entry(key);
        item.cause = self.cause.or(item.cause);
        if !std::mem::replace(&mut item.dirty, true) && !item.processing {
            self.waiting.push_back(key);
        }
    }

    /// Adds a key after a while. Of several such additions the earliest wins.
    pub fn add_after(&mut self, key: Key, delay: Span) {
        self.add_at(key, self.now.after(self.drift.true_span(delay)));
    }

    /// Adds a key at a moment, at once if that is past.
    pub fn add_at(&mut self, key: Key, at: SimTime) {
        if at <= self.now {
            self.add(key);
            return;
        }
        let item = self.items.entry(key);
        if item.due.is_none_or(|earlier| earlier > at) {
            (item.due, item.due_cause) = (Some(at), self.cause);
            self.new_timers.push(Timer { at, key });
        }
    }

    /// Adds a key after its back-off: 5 ms, doubled with each failure up to
    /// 1000 s, and no more than 10 keys a second once 100 have failed; unless
    /// the queue was made with others.
    pub fn add_rate_limited(&mut self, key: Key) {
        let failures = &mut self.items.entry(key).failures;
        let base = self.retry.first.0.saturating_mul(1_u64.checked_shl(*failures).unwrap_or(u64::MAX));
        *failures = failures.saturating_add(1);
        let own = base.min(self.retry.longest.0);
        let shared = if self.retry.shared { self.bucket.0.take(self.now).0 } else { 0 };
        self.add_after(key, Span(own.max(shared)));
    }

    /// How often in a row a key has failed.
    pub fn failures(&self, key: Key) -> u32 {
        self.items.get(key).map_or(0, |item| item.failures)
    }

    /// A timer has run down: adds its key, unless an earlier one did. It is
    /// added because of what wound the timer up, whatever was observed since.
    pub fn expire(&mut self, timer: Timer) {
        let item = self.items.get_mut(timer.key).filter(|item| item.due == Some(timer.at));
        let Some(item) = item else { return };
        item.due = None;
        let wound_up = item.due_cause.take();
        // What is to be done already has its own cause.
        self.cause = if item.dirty { item.cause } else { wound_up };
        self.add(timer.key);
    }

    /// The host was frozen: its timers go off so much later. They must be
    /// wound up anew.
    pub fn put_off(&mut self, by: Span) {
        self.new_timers.clear();
        for (key, item) in self.items.iter_mut() {
            if let Some(at) = &mut item.due {
                *at = at.after(by);
                self.new_timers.push(Timer { at: *at, key });
            }
        }
        // Map order must not decide anything.
        self.new_timers.sort_by_key(|timer| (timer.at, timer.key));
    }

    /// Whether the queue has anything to do with a key, now or later.
    pub fn holds(&self, key: Key) -> bool {
        self.items.get(key).is_some_and(|item| *item != Item::default())
    }

    /// An object has come again under its name. Upstream's keys are names, so
    /// what the queue holds of the old one is now about the new one.
    ///
    /// Upstream: `controller_utils.go KeyFunc`
    pub fn rename(&mut self, old: Key, new: Key) {
        let Some(item) = self.items.remove(old) else { return };
        self.waiting.iter_mut().filter(|key| **key == old).for_each(|key| *key = new);
        self.new_timers.retain(|timer| timer.key != old);
        if let Some(at) = item.due {
            self.new_timers.push(Timer { at, key: new });
        }
        self.items.insert(new, item);
    }

    /// Whether there are timers that the kernel has to wind up.
    #[inline]
    pub fn has_new_timers(&self) -> bool {
        !self.new_timers.is_empty()
    }

    /// Takes the timers that the kernel has to wind up.
    pub fn take_timers(&mut self) -> std::vec::Drain<'_, Timer> {
        self.new_timers.drain(..)
    }

    /// Sends a Kubernetes Event from a handler, before any sync.
    pub fn announce(&mut self, notice: ObjectNotice) {
        self.notices.push(notice);
    }

    /// Whether the kernel has to do anything for it: keys wait, or there are
    /// new timers or Events.
    #[inline]
    pub fn has_news(&self) -> bool {
        !self.waiting.is_empty() || self.has_new_timers() || !self.notices.is_empty()
    }

    /// Takes the Events that handlers sent.
    pub fn take_notices(&mut self) -> Vec<ObjectNotice> {
        std::mem::take(&mut self.notices)
    }

    /// Whether a worker would find something.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// How many keys wait.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Takes the next key to work on, with the record that put it there.
    pub fn get(&mut self) -> Option<(Key, Option<RecordId>)> {
        let key = self.waiting.pop_front()?;
        let item = self.items.get_mut(key)?;
        item.dirty = false;
        item.processing = true;
        Some((key, item.cause.take()))
    }

    /// The work on a key is done; its failures are forgotten unless it is to
    /// be tried again.
    pub fn done(&mut self, key: Key, forget: bool) {
        let Some(item) = self.items.get_mut(key) else { return };
        item.processing = false;
        if forget {
            item.failures = 0;
        }
        if item.dirty {
            self.waiting.push_back(key);
        } else if *item == Item::default() {
            self.items.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{Kind, Uid};

    fn key(n: u32) -> Key {
        Key { kind: Kind::Pod, slot: n, uid: Uid(n) }
    }

    #[test]
    fn a_key_waits_once_and_comes_back_if_it_was_added_meanwhile() {
        let mut queue = WorkQueue::default();
        queue.add(key(1));
        queue.add(key(1));
        queue.add(key(2));
        assert_eq!(queue.get().map(|(k, _)| k), Some(key(1)));
        queue.add(key(1));
        assert_eq!(queue.get().map(|(k, _)| k), Some(key(2)));
        assert!(queue.is_empty());
        queue.done(key(1), true);
        assert_eq!(queue.get().map(|(k, _)| k), Some(key(1)));
    }

    #[test]
    fn what_is_held_of_a_name_goes_over_to_its_next_object() {
        let mut queue = WorkQueue::default();
        queue.add_rate_limited(key(1));
        queue.add_after(key(1), Span::from_secs(1));
        queue.add(key(1));
        assert!(queue.holds(key(1)));
        let old: Vec<_> = queue.take_timers().collect();
        queue.rename(key(1), key(2));
        assert!(!queue.holds(key(1)) && queue.failures(key(2)) == 1);
        queue.add(key(2));
        assert_eq!(queue.get().map(|(k, _)| k), Some(key(2)));
        assert!(queue.is_empty(), "it waits once");
        queue.done(key(2), true);
        queue.expire(old[0]);
        assert!(queue.is_empty(), "the old one's timer is not its own any more");
        let new: Vec<_> = queue.take_timers().collect();
        assert_eq!(new, [Timer { at: old[0].at, key: key(2) }]);
        queue.expire(new[0]);
        assert!(!queue.is_empty());
    }

    #[test]
    fn a_timer_goes_off_because_of_what_wound_it_up() {
        let mut queue = WorkQueue::default();
        let wind_up = |queue: &mut WorkQueue, n: u32, ms: u64, cause: u32| {
            queue.cause = Some(RecordId(cause));
            queue.add_after(key(n), Span::from_ms(ms));
        };
        for (n, ms, cause) in [(1, 10, 7), (2, 20, 8), (2, 5, 9), (3, 30, 10)] {
            wind_up(&mut queue, n, ms, cause);
        }
        let timers: Vec<_> = queue.take_timers().collect();
        // Something else is observed, and a key is added because of that.
        queue.cause = Some(RecordId(99));
        queue.add(key(3));
        let mut gone_off = |timer: Timer| {
            queue.now = timer.at;
            queue.expire(timer);
            queue.get().map(|(key, cause)| (key.slot, cause.map_or(0, |id| id.0)))
        };
        // Of two timers the earlier one counts, and so does its cause.
        assert_eq!(gone_off(timers[2]), Some((3, 99)), "what is added is not held back by a timer");
        assert_eq!(gone_off(timers[0]), Some((2, 9)));
        assert_eq!(gone_off(timers[1]), Some((1, 7)));
        assert_eq!(gone_off(timers[3]), None, "it is being worked on");
        queue.done(key(3), true);
        assert_eq!(queue.get().map(|(_, cause)| cause), Some(Some(RecordId(10))));
    }

    #[test]
    fn of_two_delays_the_earlier_wins() {
        let mut queue = WorkQueue::default();
        queue.add_after(key(1), Span::from_ms(30));
        queue.add_after(key(1), Span::from_ms(10));
        queue.add_after(key(1), Span::from_ms(20));
        let timers: Vec<_> = queue.take_timers().collect();
        assert_eq!(timers.iter().map(|t| t.at.as_ms()).collect::<Vec<_>>(), [30, 10]);
        queue.expire(timers[1]);
        assert!(!queue.is_empty());
        queue.get();
        queue.done(key(1), true);
        queue.expire(timers[0]);
        assert!(queue.is_empty());
    }

    #[test]
    fn failures_back_off_by_doubling() {
        let mut queue = WorkQueue::default();
        let mut waits = Vec::new();
        for _ in 0..4 {
            queue.add_rate_limited(key(1));
            let timer: Vec<_> = queue.take_timers().collect();
            waits.push(timer[0].at.since(queue.now).as_ms());
            queue.now = timer[0].at;
            queue.expire(timer[0]);
            queue.get();
            queue.done(key(1), false);
        }
        assert_eq!(waits, [5, 10, 20, 40]);
        queue.done(key(1), true);
        assert_eq!(queue.failures(key(1)), 0);
    }
}
