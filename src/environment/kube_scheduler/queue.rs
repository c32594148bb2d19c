//! The scheduler's queues: pods to be looked at, pods that wait a while, and
//! pods that wait for the cluster to change.

use super::class::ClassId;
use super::reasons::Reasons;
use crate::api::Key;
use crate::time::{SimTime, Span};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// How long a pod that no event moves waits before it is tried again.
///
/// Upstream: `pkg/scheduler/backend/queue/scheduling_queue.go DefaultPodMaxInUnschedulablePodsDuration`
const LEFT_OVER: Span = Span::from_secs(300);

/// Why a pod is not looked at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Place {
    Active,
    BackingOff,
    /// There was no node at all, which counts as an error.
    Erring,
    /// By what it was refused for.
    Waiting(Reasons),
    /// It has scheduling gates.
    Gated,
    /// It is being looked at.
    InHand,
}

/// A pod in the queues.
#[derive(Clone, Debug)]
struct Entry {
    pod: Key,
    class: ClassId,
    priority: i32,
    /// When it came, or failed last.
    since: SimTime,
    /// Tells apart what came at the same time.
    number: u64,
    /// How often no node was found.
    failures: u32,
    /// How often in succession an attempt has come to nothing.
    errors: u32,
    place: Place,
}

/// The order in which pods are looked at: priority, then age.
///
/// Upstream: `pkg/scheduler/framework/plugins/queuesort/priority_sort.go Less`
type Rank = (Reverse<i32>, SimTime, u64, u32);

/// The queues.
#[derive(Clone, Debug, Default)]
pub(super) struct Queue {
    /// By the pod's slot.
    entries: Vec<Option<Entry>>,
    active: BTreeSet<Rank>,
    /// By the end of the back-off.
    backing_off: BTreeSet<(SimTime, Rank)>,
    /// The same, of pods whose back-off is always waited for.
    erring: BTreeSet<(SimTime, Rank)>,
    /// What waits, by class and by what it was refused for.
    waiting: BTreeMap<(ClassId, Reasons), BTreeSet<Rank>>,
    numbers: u64,
}

impl Entry {
    const fn rank(&self) -> Rank {
        (Reverse(self.priority), self.since, self.number, self.pod.slot)
    }

    /// 1 s after the first failure, doubled up to 10 s; ends are cut to whole
    /// seconds, so that pods of about the same age stay together.
    ///
    /// Upstream: `pkg/scheduler/backend/queue/backoff_queue.go getBackoffTime`
    fn backs_off_until(&self) -> SimTime {
        let seconds = match if self.errors > 0 { self.errors } else { self.failures } {
            0 => 0,
            n @ 1..=3 => 1 << (n - 1),
            4 => 8,
            _ => 10,
        };
        whole_seconds(self.since.after(Span::from_secs(seconds)))
    }
}

const fn whole_seconds(at: SimTime) -> SimTime {
    SimTime(at.0 / crate::time::SECOND * crate::time::SECOND)
}

impl Queue {
    fn entry(&self, pod: Key) -> Option<&Entry> {
        self.entries.get(pod.slot as usize)?.as_ref().filter(|entry| entry.pod == pod)
    }

    /// A new pod; one with gates waits until they are taken away.
    pub(super) fn add(&mut self, pod: Key, class: ClassId, priority: i32, gated: bool, now: SimTime) {
        let slot = pod.slot as usize;
        if self.entries.len() <= slot {
            self.entries.resize_with(slot + 1, || None);
        }
        self.numbers += 1;
        let place = if gated { Place::Gated } else { Place::Active };
        let entry = Entry { pod, class, priority, since: now, number: self.numbers, failures: 0, errors: 0, place };
        if !gated {
            self.active.insert(entry.rank());
        }
        self.entries[slot] = Some(entry);
    }

    /// The pod is bound or gone.
    pub(super) fn remove(&mut self, pod: Key) {
        if self.entry(pod).is_some() {
            self.lift(pod.slot);
            self.entries[pod.slot as usize] = None;
        }
    }

    /// Takes an entry out of its place.
    fn lift(&mut self, slot: u32) {
        let Some(entry) = self.entries[slot as usize].as_mut() else { return };
        let rank = entry.rank();
        match std::mem::replace(&mut entry.place, Place::InHand) {
            Place::Active => {
                self.active.remove(&rank);
            }
            Place::BackingOff => {
                let until = entry.backs_off_until();
                self.backing_off.remove(&(until, rank));
            }
            Place::Erring => {
                let until = entry.backs_off_until();
                self.erring.remove(&(until, rank));
            }
            Place::Waiting(reasons) => {
                let group = (entry.class, reasons);
                if let Some(ranks) = self.waiting.get_mut(&group) {
                    ranks.remove(&rank);
                    if ranks.is_empty() {
                        self.waiting.remove(&group);
                    }
                }
            }
            Place::Gated | Place::InHand => {}
        }
    }

    /// The next pod to look at. As long as there is nothing else to do, pods
    /// need not wait for the end of their back-off.
    ///
    /// Upstream: `pkg/scheduler/backend/queue/active_queue.go unlockedPop`
    pub(super) fn pop(&mut self) -> Option<Key> {
        let slot = match self.active.first() {
            Some(rank) => rank.3,
            None => self.backing_off.first()?.1.3,
        };
        self.lift(slot);
        self.entries[slot as usize].as_ref().map(|entry| entry.pod)
    }

    /// How often no node was found for a pod.
    pub(super) fn failures(&self, pod: Key) -> u32 {
        self.entry(pod).map_or(0, |entry| entry.failures)
    }

    /// No node was found: the pod waits for a change that may help.
    pub(super) fn park(&mut self, pod: Key, reasons: Reasons, now: SimTime) {
        if self.entry(pod).is_none() {
            return;
        }
        self.lift(pod.slot);
        let Some(entry) = self.entries[pod.slot as usize].as_mut() else { return };
        entry.since = now;
        entry.failures += 1;
        entry.errors = 0;
        entry.place = Place::Waiting(reasons);
        let (class, rank) = (entry.class, entry.rank());
        self.waiting.entry((class, reasons)).or_default().insert(rank);
    }

    /// An attempt has come to nothing: the pod waits for the end of its
    /// back-off, whatever happens.
    ///
    /// Upstream: `pkg/scheduler/backend/queue/backoff_queue.go add`
    pub(super) fn err(&mut self, pod: Key, now: SimTime) {
        if self.entry(pod).is_none() {
            return;
        }
        self.lift(pod.slot);
        let Some(entry) = self.entries[pod.slot as usize].as_mut() else { return };
        entry.since = now;
        entry.errors += 1;
        entry.place = Place::Erring;
        self.erring.insert((entry.backs_off_until(), entry.rank()));
    }

    /// The second after the end of a back-off that is waited for.
    pub(super) fn next_end(&self) -> Option<SimTime> {
        self.erring.first().map(|(until, _)| until.after(Span::from_secs(1)))
    }

    /// Takes the pods whose back-off was over before this second.
    ///
    /// Upstream: `pkg/scheduler/backend/queue/scheduling_queue.go flushBackoffQCompleted`
    pub(super) fn end_errors(&mut self, now: SimTime) {
        while let Some(&(until, rank)) = self.erring.first().filter(|(until, _)| *until < whole_seconds(now)) {
            self.erring.remove(&(until, rank));
            if let Some(entry) = self.entries[rank.3 as usize].as_mut() {
                entry.place = Place::Active;
                self.active.insert(rank);
            }
        }
    }

    /// The pod belongs to another class now; what it was refused for, if it
    /// waits for a change.
    pub(super) fn reclass(&mut self, pod: Key, class: ClassId) -> Reasons {
        if self.entry(pod).is_none() {
            return Reasons::NONE;
        }
        let place = self.entries[pod.slot as usize].as_ref().map(|entry| entry.place);
        let Some(Place::Waiting(reasons)) = place else {
            if let Some(entry) = self.entries[pod.slot as usize].as_mut() {
                entry.class = class;
            }
            return Reasons::NONE;
        };
        self.lift(pod.slot);
        if let Some(entry) = self.entries[pod.slot as usize].as_mut() {
            (entry.class, entry.place) = (class, Place::Waiting(reasons));
            self.waiting.entry((class, reasons)).or_default().insert(entry.rank());
        }
        reasons
    }

    /// The pod itself has changed so that it may fit now.
    pub(super) fn try_again(&mut self, pod: Key, now: SimTime) {
        if self.entry(pod).is_some_and(|entry| matches!(entry.place, Place::Waiting(_))) {
            self.release(pod.slot, now);
        }
    }

    /// The groups of pods that wait for a change.
    pub(super) fn groups(&self) -> impl Iterator<Item = (ClassId, Reasons)> {
        self.waiting.keys().copied()
    }

    /// Whether any pod waits for a change.
    pub(super) fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Whether there is a pod to look at.
    pub(super) fn has_work(&self) -> bool {
        !self.active.is_empty() || !self.backing_off.is_empty()
    }

    /// Something has happened that may help a group, of which those count
    /// that are at most this important.
    pub(super) fn wake(&mut self, group: (ClassId, Reasons), most: i32, now: SimTime) {
        let Some(ranks) = self.waiting.get(&group) else { return };
        let slots: Vec<u32> = ranks.iter().filter(|rank| rank.0.0 <= most).map(|rank| rank.3).collect();
        for slot in slots {
            self.release(slot, now);
        }
    }

    /// Tries again what no event has moved for five minutes.
    ///
    /// Upstream: `pkg/scheduler/backend/queue/scheduling_queue.go flushUnschedulablePodsLeftover`
    pub(super) fn flush(&mut self, now: SimTime) {
        let old = |rank: &&Rank| now.since(rank.1) > LEFT_OVER;
        let slots: Vec<u32> = self.waiting.values().flatten().filter(old).map(|rank| rank.3).collect();
        for slot in slots {
            self.release(slot, now);
        }
    }

    /// The pod's gates are gone.
    pub(super) fn ungate(&mut self, pod: Key) {
        if self.entry(pod).is_some_and(|entry| entry.place == Place::Gated)
            && let Some(entry) = self.entries[pod.slot as usize].as_mut()
        {
            entry.place = Place::Active;
            self.active.insert(entry.rank());
        }
    }

    fn release(&mut self, slot: u32, now: SimTime) {
        self.lift(slot);
        let Some(entry) = self.entries[slot as usize].as_mut() else { return };
        let until = entry.backs_off_until();
        if until >= whole_seconds(now) {
            entry.place = Place::BackingOff;
            self.backing_off.insert((until, entry.rank()));
        } else {
            entry.place = Place::Active;
            self.active.insert(entry.rank());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{Kind, Uid};

    fn pod(slot: u32) -> Key {
        Key { kind: Kind::Pod, slot, uid: Uid(slot) }
    }

    fn drain(queue: &mut Queue) -> Vec<u32> {
        std::iter::from_fn(|| queue.pop().map(|key| key.slot)).collect()
    }

    #[test]
    fn the_more_important_and_then_the_older_pod_comes_first() {
        let mut queue = Queue::default();
        for (slot, priority, at) in [(0, 0, 2), (1, 5, 3), (2, 0, 1), (3, 5, 3)] {
            queue.add(pod(slot), 0, priority, false, SimTime::from_secs(at));
        }
        queue.add(pod(4), 0, 9, true, SimTime::ZERO);
        assert_eq!(drain(&mut queue), [1, 3, 2, 0]);
        queue.ungate(pod(4));
        assert_eq!(drain(&mut queue), [4]);
    }

    #[test]
    fn woken_pods_in_back_off_come_last() {
        let mut queue = Queue::default();
        let at = SimTime::from_secs;
        for slot in 0..3 {
            queue.add(pod(slot), 7, 0, false, at(0));
            queue.pop();
        }
        queue.park(pod(0), Reasons::CPU, at(10));
        queue.park(pod(1), Reasons::CPU, at(1));
        queue.park(pod(2), Reasons::SPREAD, at(1));
        assert_eq!(queue.groups().count(), 2);
        queue.wake((7, Reasons::CPU), i32::MAX, at(10));
        assert_eq!(drain(&mut queue), [1, 0]);
        queue.wake((7, Reasons::SPREAD), -1, at(10));
        assert!(!queue.has_work() && queue.is_waiting(), "too important to be meant");
    }

    #[test]
    fn back_off_doubles_up_to_ten_seconds() {
        let mut queue = Queue::default();
        queue.add(pod(0), 0, 0, false, SimTime::ZERO);
        let ends: Vec<u64> = (1..=6)
            .map(|n| {
                queue.park(pod(0), Reasons::CPU, SimTime::from_ms(n * 100_500));
                queue.entry(pod(0)).expect("there").backs_off_until().as_ms()
            })
            .collect();
        assert_eq!(ends, [101_000, 203_000, 305_000, 410_000, 512_000, 613_000]);
    }

    #[test]
    fn errors_are_waited_for() {
        let mut queue = Queue::default();
        queue.add(pod(0), 0, 0, false, SimTime::ZERO);
        let mut tried = Vec::new();
        for second in 0..40 {
            queue.end_errors(SimTime::from_secs(second));
            if queue.pop().is_some() {
                tried.push(second);
                queue.err(pod(0), SimTime::from_ms(second * 1_000 + 300));
                assert!(!queue.has_work() && queue.pop().is_none(), "not before its time");
            }
        }
        // After 1, 2, 4, 8 and 10 s, and always with the second after that.
        assert_eq!(tried, [0, 2, 5, 10, 19, 30]);
        assert_eq!(queue.next_end(), Some(SimTime::from_secs(41)));
        queue.remove(pod(0));
        assert_eq!(queue.next_end(), None);
    }

    #[test]
    fn a_pod_of_another_class_keeps_its_place() {
        let mut queue = Queue::default();
        for slot in 0..2 {
            queue.add(pod(slot), 7, 0, false, SimTime::ZERO);
        }
        queue.pop();
        queue.park(pod(0), Reasons::CPU, SimTime::from_secs(1));
        assert_eq!((queue.reclass(pod(0), 8), queue.reclass(pod(1), 8)), (Reasons::CPU, Reasons::NONE));
        assert_eq!(queue.groups().collect::<Vec<_>>(), [(8, Reasons::CPU)]);
        assert_eq!((queue.failures(pod(0)), drain(&mut queue)), (1, vec![1]));
        queue.try_again(pod(0), SimTime::from_secs(9));
        assert_eq!(drain(&mut queue), [0]);
    }

    #[test]
    fn what_nothing_moves_is_tried_again_after_five_minutes() {
        let mut queue = Queue::default();
        for slot in 0..2 {
            queue.add(pod(slot), 0, 0, false, SimTime::ZERO);
            queue.pop();
            queue.park(pod(slot), Reasons::CPU, SimTime::from_secs(100 * u64::from(slot)));
        }
        queue.flush(SimTime::from_secs(300));
        assert!(!queue.has_work());
        queue.flush(SimTime::from_secs(330));
        assert_eq!(drain(&mut queue), [0]);
    }
}
