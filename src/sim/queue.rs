//! The queue of events: what happens next.
//!
//! One total order, (time, urgency, order of push), makes a run reproducible:
//! no two events are equal, so nothing depends on how the heap is built.

mod heap;

use self::heap::{Entry, Heap, Siblings};
use crate::time::SimTime;
use std::collections::VecDeque;
use std::num::NonZeroU64;

/// What goes first among events of the same time.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Urgency {
    /// Steps of the environment: they stand before every controller's step
    /// of that time.
    First,
    /// Everything else.
    Normal,
}

/// Names one pushed event for [`EventQueue::cancel`]; never used twice.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct EventId(NonZeroU64);

/// A stream of events whose times hardly ever go backwards, such as a watch
/// with constant lag. Belongs to the queue that made it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct LaneId(u8);

/// Bits of the slot in a key: at most 2²⁴ events outside lanes at a time.
const SLOT_BITS: u32 = 24;
/// Bits of the sequence: at most 2³⁹ events in a run. Above them stands the
/// urgency, in the highest bit.
const SEQUENCE_BITS: u32 = 39;
/// The first events of so many lanes are compared at each pop.
const MOST_LANES: usize = 4;
/// Fewer cancelled entries than this are never worth clearing out.
const FEW: usize = 64;

/// An event in the slab, and the key of the heap entry that it belongs to.
///
/// The key is the generation: a heap entry or an [`EventId`] with another key
/// is about an earlier event in the same place.
#[derive(Clone, Debug)]
struct Slot<E> {
    key: u64,
    event: Option<E>,
}

/// The events to come, popped by (time, urgency, order of push).
///
/// A pop and a push together are one walk through a 4-ary heap of 16-byte
/// entries; an event in a lane never sees the heap. Cancelling is a look-up: the heap entry stays until it comes to the
/// top, or until such entries are the majority.
///
/// ```
/// use seatrial::sim::queue::{EventQueue, Urgency};
/// use seatrial::time::SimTime;
///
/// let mut queue = EventQueue::new();
/// let noon = SimTime::from_secs(12);
/// queue.push(noon, Urgency::Normal, "sync");
/// let timer = queue.push(SimTime::from_secs(5), Urgency::Normal, "timer");
/// queue.push(noon, Urgency::First, "kubelet");
/// assert_eq!(queue.cancel(timer), Some("timer"));
/// assert_eq!(queue.pop(), Some((noon, "kubelet")));
/// assert_eq!(queue.pop(), Some((noon, "sync")));
/// assert_eq!(queue.pop(), None);
/// ```
#[derive(Clone)]
pub struct EventQueue<E> {
    heap: Heap,
    slots: Vec<Slot<E>>,
    /// Empty slots, the last one used next, because it is still in the cache.
    free: Vec<u32>,
    /// The first entry of each lane.
    fronts: Siblings,
    /// The events of the lanes with their entries.
    lanes: Vec<VecDeque<(Entry, E)>>,
    /// How many events were pushed so far.
    pushed: u64,
    /// How many events are waiting.
    len: usize,
    /// How many heap entries belong to cancelled events.
    dead: usize,
}

impl<E> Default for EventQueue<E> {
    fn default() -> Self {
        EventQueue::new()
    }
}

impl<E> EventQueue<E> {
    /// How many events can wait at a time outside lanes: 16,777,216.
    pub const MOST_PENDING: usize = 1 << SLOT_BITS;

    /// An empty queue without lanes.
    pub const fn new() -> Self {
        EventQueue {
            heap: Heap::new(),
            slots: Vec::new(),
            free: Vec::new(),
            fronts: Siblings::NONE,
            lanes: Vec::new(),
            pushed: 0,
            len: 0,
            dead: 0,
        }
    }

    /// How many events are waiting.
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether no event is waiting.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Adds an event at `at`, after all of the same time and urgency.
    ///
    /// # Panics
    /// If [`EventQueue::MOST_PENDING`] events are waiting, or after 2³⁹
    /// events in all.
    #[inline]
    pub fn push(&mut self, at: SimTime, urgency: Urgency, event: E) -> EventId {
        let slot = self.free.pop().unwrap_or(self.slots.len() as u32);
        let key = self.next_key(urgency, slot);
        let event = Some(event);
        if let Some(place) = self.slots.get_mut(slot as usize) {
            *place = Slot { key, event };
        } else {
            assert!((slot as usize) < Self::MOST_PENDING, "more than {} events are waiting", Self::MOST_PENDING);
            self.slots.push(Slot { key, event });
        }
        self.heap.push(Entry::new(at.0, key));
        self.len += 1;
        EventId(NonZeroU64::MIN.saturating_add(key))
    }

    /// Takes back an event. `None` if it was popped or cancelled before.
    pub fn cancel(&mut self, id: EventId) -> Option<E> {
        let key = id.0.get() - 1;
        let event = self.take_event(key)?;
        self.len -= 1;
        self.dead += 1;
        // A timer that is set and cancelled again and again must not fill the
        // heap; waiting for a majority makes this constant work per cancel.
        if self.dead > FEW && self.dead > self.heap.len() / 2 {
            let slots = &self.slots;
            self.heap.retain(|entry| is_live(slots, entry.key()));
            self.dead = 0;
        }
        Some(event)
    }

    /// Takes out the next event.
    #[inline]
    pub fn pop(&mut self) -> Option<(SimTime, E)> {
        self.pop_until(SimTime(u64::MAX)).map(|(at, _, event)| (at, event))
    }

    /// Takes out the next event if it is due by `end`, and says when it is due
    /// and how urgent it is.
    #[inline]
    pub fn pop_until(&mut self, end: SimTime) -> Option<(SimTime, Urgency, E)> {
        loop {
            let (lane, front) = self.fronts.least();
            let entry = self.heap.least().min(front);
            if entry == Entry::NONE || entry.at() > end.0 {
                return None;
            }
            let event = if entry == front {
                self.pop_lane(lane)
            } else {
                self.heap.take();
                self.take_event(entry.key())
            };
            let count = if event.is_some() { &mut self.len } else { &mut self.dead };
            *count -= 1;
            if let Some(event) = event {
                return Some((SimTime(entry.at()), urgency_of(entry.key()), event));
            }
        }
    }

    /// When the next event is due and how urgent it is.
    pub fn peek(&mut self) -> Option<(SimTime, Urgency)> {
        loop {
            let (_, front) = self.fronts.least();
            let entry = self.heap.least().min(front);
            if entry == Entry::NONE {
                return None;
            }
            if entry == front || is_live(&self.slots, entry.key()) {
                return Some((SimTime(entry.at()), urgency_of(entry.key())));
            }
            self.heap.take();
            self.dead -= 1;
        }
    }

    /// Makes a lane for a stream of events whose times hardly ever go
    /// backwards.
    ///
    /// # Panics
    /// If there are four lanes.
    pub fn lane(&mut self) -> LaneId {
        let lane = self.lanes.len();
        assert!(lane < MOST_LANES, "more than {MOST_LANES} lanes");
        self.lanes.push(VecDeque::new());
        LaneId(lane as u8)
    }

    /// Adds an event to a lane, or outside it if it comes before the last one
    /// that waits there. The order of pops is the same as if it had been
    /// pushed outside the lane, only faster; it cannot be cancelled.
    ///
    /// # Panics
    /// If `lane` is another queue's; after 2³⁹ events in all.
    #[inline]
    pub fn push_lane(&mut self, lane: LaneId, at: SimTime, urgency: Urgency, event: E) {
        let entry = Entry::new(at.0, self.next_key(urgency, 0));
        let waiting = &mut self.lanes[lane.0 as usize];
        match waiting.back() {
            None => self.fronts.set(lane.0 as usize, entry),
            Some((last, _)) if *last < entry => {}
            // Back in time, or urgent behind a normal one of the same time.
            Some(_) => {
                self.push(at, urgency, event);
                return;
            }
        }
        waiting.push_back((entry, event));
        self.len += 1;
    }

    /// Takes the first event of a lane.
    #[inline]
    fn pop_lane(&mut self, lane: usize) -> Option<E> {
        let waiting = &mut self.lanes[lane];
        let (_, event) = waiting.pop_front()?;
        self.fronts.set(lane, waiting.front().map_or(Entry::NONE, |(entry, _)| *entry));
        Some(event)
    }

    /// Empties the slot of a key. `None` if it belongs to another event now.
    #[inline]
    fn take_event(&mut self, key: u64) -> Option<E> {
        let slot = slot_of(key);
        let place = self.slots.get_mut(slot as usize).filter(|place| place.key == key)?;
        let event = place.event.take()?;
        self.free.push(slot);
        Some(event)
    }

    #[inline]
    fn next_key(&mut self, urgency: Urgency, slot: u32) -> u64 {
        let sequence = self.pushed;
        assert!(sequence < (1 << SEQUENCE_BITS) - 1, "more than 2^{SEQUENCE_BITS} events in a run");
        self.pushed += 1;
        (urgency as u64) << (SEQUENCE_BITS + SLOT_BITS) | sequence << SLOT_BITS | u64::from(slot)
    }
}

const fn slot_of(key: u64) -> u32 {
    key as u32 & ((1 << SLOT_BITS) - 1)
}

const fn urgency_of(key: u64) -> Urgency {
    if key >> (SEQUENCE_BITS + SLOT_BITS) == 0 { Urgency::First } else { Urgency::Normal }
}

/// Whether the event of a key is still waiting in its slot.
fn is_live<E>(slots: &[Slot<E>], key: u64) -> bool {
    slots.get(slot_of(key) as usize).is_some_and(|place| place.key == key && place.event.is_some())
}

impl<E> std::fmt::Debug for EventQueue<E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EventQueue").field("len", &self.len).field("pushed", &self.pushed).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn drain<E>(queue: &mut EventQueue<E>) -> Vec<(u64, E)> {
        std::iter::from_fn(|| queue.pop()).map(|(at, event)| (at.0, event)).collect()
    }

    #[test]
    fn time_then_urgency_then_order_of_push() {
        use Urgency::{First, Normal};
        for (pushes, order) in [
            (vec![], ""),
            (vec![(3, Normal, 'a'), (1, Normal, 'b'), (2, Normal, 'c')], "bca"),
            (vec![(1, Normal, 'a'), (1, Normal, 'b'), (1, Normal, 'c')], "abc"),
            (vec![(1, Normal, 'a'), (1, First, 'b'), (1, Normal, 'c'), (1, First, 'd')], "bdac"),
            (vec![(2, First, 'a'), (1, Normal, 'b')], "ba"),
            (vec![(u64::MAX, Normal, 'a'), (u64::MAX, First, 'b'), (0, Normal, 'c')], "cba"),
        ] {
            let (mut heap, mut lanes) = (EventQueue::new(), EventQueue::new());
            let ids = [lanes.lane(), lanes.lane()];
            for (n, &(at, urgency, event)) in pushes.iter().enumerate() {
                heap.push(SimTime(at), urgency, event);
                lanes.push_lane(ids[n % 2], SimTime(at), urgency, event);
            }
            for mut queue in [heap, lanes] {
                assert_eq!(queue.len(), pushes.len());
                assert_eq!(queue.peek().is_none(), pushes.is_empty());
                assert_eq!(drain(&mut queue).into_iter().map(|(_, event)| event).collect::<String>(), order);
                assert!(queue.is_empty());
            }
        }
    }

    #[test]
    fn an_event_is_cancelled_once_and_only_while_it_waits() {
        let mut queue = EventQueue::new();
        let popped = queue.push(SimTime(1), Urgency::First, "popped");
        let cancelled = queue.push(SimTime(2), Urgency::Normal, "cancelled");
        assert_eq!(queue.pop(), Some((SimTime(1), "popped")));
        assert_eq!(queue.cancel(popped), None);
        assert_eq!(queue.cancel(cancelled), Some("cancelled"));
        assert_eq!(queue.cancel(cancelled), None);
        // The same slots again: old ids must not reach the new events.
        queue.push(SimTime(3), Urgency::Normal, "third");
        queue.push(SimTime(2), Urgency::Normal, "fourth");
        assert_eq!((queue.cancel(popped), queue.cancel(cancelled)), (None, None));
        assert_eq!(queue.peek(), Some((SimTime(2), Urgency::Normal)));
        assert_eq!(drain(&mut queue), [(2, "fourth"), (3, "third")]);
    }

    #[test]
    fn a_timer_that_is_set_again_and_again_does_not_fill_the_heap() {
        let mut queue = EventQueue::new();
        let stream = queue.lane();
        queue.push_lane(stream, SimTime(7), Urgency::Normal, 0);
        for n in 1..10_000 {
            let id = queue.push(SimTime(1_000 + n), Urgency::Normal, n);
            assert_eq!(queue.cancel(id), Some(n));
            assert!(queue.heap.len() <= 2 * FEW + 1, "{} entries", queue.heap.len());
        }
        assert_eq!(queue.slots.len(), 1);
        assert_eq!(drain(&mut queue), [(7, 0)]);
        assert_eq!(queue.dead, 0);
    }

    #[test]
    fn what_is_in_order_waits_in_its_lane() {
        let mut queue = EventQueue::new();
        let stream = queue.lane();
        for n in 0..1_000 {
            queue.push_lane(stream, SimTime(n / 10), Urgency::Normal, n);
        }
        assert_eq!((queue.len(), queue.heap.len(), queue.slots.len()), (1_000, 0, 0));
        queue.push_lane(stream, SimTime(3), Urgency::Normal, 1_000);
        assert_eq!((queue.len(), queue.heap.len(), queue.slots.len()), (1_001, 1, 1));
        let mut all: Vec<_> = (0..1_000).map(|n| (n / 10, n)).collect();
        all.insert(40, (3, 1_000));
        assert_eq!(drain(&mut queue), all);
    }

    #[test]
    fn entries_and_ids_are_small() {
        assert_eq!(size_of::<Entry>(), 16);
        assert_eq!(size_of::<Slot<Option<u64>>>(), 24);
        assert_eq!(size_of::<Option<EventId>>(), 8);
    }

    #[derive(Clone, Debug)]
    enum Step {
        Push(u64, Urgency),
        /// A lane and how much later than its last event.
        Lane(usize, u64, Urgency),
        /// A lane and any time.
        LaneBack(usize, u64, Urgency),
        Cancel(prop::sample::Index),
        Pop,
        Peek,
        /// Goes on with a copy.
        Copy,
    }

    fn step() -> impl Strategy<Value = Step> {
        let urgency = || prop_oneof![1 => Just(Urgency::First), 3 => Just(Urgency::Normal)];
        prop_oneof![
            6 => (0..40_u64, urgency()).prop_map(|(at, u)| Step::Push(at, u)),
            3 => (0..4_usize, 0..4_u64, urgency()).prop_map(|(lane, later, u)| Step::Lane(lane, later, u)),
            1 => (0..4_usize, 0..40_u64, urgency()).prop_map(|(lane, at, u)| Step::LaneBack(lane, at, u)),
            5 => any::<prop::sample::Index>().prop_map(Step::Cancel),
            3 => Just(Step::Pop),
            1 => Just(Step::Peek),
            1 => Just(Step::Copy),
        ]
    }

    /// Each step done to the queue and to an ordered map.
    #[derive(Default)]
    struct Pair {
        queue: EventQueue<u64>,
        model: BTreeMap<(u64, Urgency, u64), u64>,
        ids: Vec<(EventId, (u64, Urgency, u64))>,
        lanes: Vec<(LaneId, u64)>,
        pushed: u64,
    }

    impl Pair {
        fn model_push(&mut self, at: u64, urgency: Urgency) -> ((u64, Urgency, u64), u64) {
            self.pushed += 1;
            let key = (at, urgency, self.pushed);
            self.model.insert(key, self.pushed);
            (key, self.pushed)
        }

        fn push_lane(&mut self, lane: usize, at: u64, urgency: Urgency) {
            let (_, event) = self.model_push(at, urgency);
            self.lanes[lane].1 = at;
            self.queue.push_lane(self.lanes[lane].0, SimTime(at), urgency, event);
        }

        fn pop(&mut self) -> bool {
            let expected = self.model.pop_first().map(|((at, ..), event)| (SimTime(at), event));
            assert_eq!(self.queue.pop(), expected);
            expected.is_some()
        }

        fn step(&mut self, step: &Step) {
            match *step {
                Step::Push(at, urgency) => {
                    let (key, event) = self.model_push(at, urgency);
                    self.ids.push((self.queue.push(SimTime(at), urgency, event), key));
                }
                Step::Lane(lane, later, urgency) => self.push_lane(lane, self.lanes[lane].1 + later, urgency),
                Step::LaneBack(lane, at, urgency) => self.push_lane(lane, at, urgency),
                Step::Cancel(index) => {
                    if !self.ids.is_empty() {
                        let (id, key) = self.ids[index.index(self.ids.len())];
                        assert_eq!(self.queue.cancel(id), self.model.remove(&key));
                    }
                }
                Step::Pop => {
                    self.pop();
                }
                Step::Peek => {
                    let expected = self.model.keys().next().map(|&(at, urgency, _)| (SimTime(at), urgency));
                    assert_eq!(self.queue.peek(), expected);
                }
                Step::Copy => self.queue = self.queue.clone(),
            }
            assert_eq!(self.queue.len(), self.model.len());
        }
    }

    proptest! {
        #[test]
        fn behaves_like_an_ordered_map(steps in prop::collection::vec(step(), 0..1_500)) {
            let mut pair = Pair::default();
            pair.lanes = (0..4).map(|_| (pair.queue.lane(), 0)).collect();
            for step in &steps {
                pair.step(step);
            }
            while pair.pop() {}
        }
    }
}
