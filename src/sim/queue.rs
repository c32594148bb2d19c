//! The queue of events: what happens next.
//!
//! One total order, (time, urgency, order of push), makes a run reproducible:
//! no two events are equal, so nothing depends on how the heap is built.

mod heap;

use self::heap::{Entry, Heap};
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

/// A stream of events whose times never go backwards, such as a watch with
/// constant lag. Belongs to the queue that made it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct LaneId(u32);

/// Bits of the slot in a key: at most 2²⁴ events and lanes at a time.
const SLOT_BITS: u32 = 24;
/// Bits of the sequence: at most 2³⁹ events in a run. Above them stands the
/// urgency, in the highest bit.
const SEQUENCE_BITS: u32 = 39;
/// The slots from here up are lanes, counted downwards from the last slot;
/// the others are places in the slab.
const FIRST_LANE_SLOT: u32 = (1 << SLOT_BITS) - MOST_LANES;
const MOST_LANES: u32 = 1 << 16;
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
/// entries; a waiting event in a lane costs nothing until it is the lane's
/// first. Cancelling is a look-up: the heap entry stays until it comes to the
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
    /// How many events can wait at a time outside lanes: 16,711,680.
    pub const MOST_PENDING: usize = FIRST_LANE_SLOT as usize;

    /// An empty queue without lanes.
    pub const fn new() -> Self {
        EventQueue {
            heap: Heap::new(),
            slots: Vec::new(),
            free: Vec::new(),
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
            assert!(slot < FIRST_LANE_SLOT, "more than {} events are waiting", Self::MOST_PENDING);
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
            self.heap.retain(|entry| {
                let slot = slot_of(entry.key());
                slot >= FIRST_LANE_SLOT || is_live(slots, entry.key())
            });
            self.dead = 0;
        }
        Some(event)
    }

    /// Takes out the next event.
    #[inline]
    pub fn pop(&mut self) -> Option<(SimTime, E)> {
        loop {
            let entry = self.heap.take()?;
            if let Some(event) = self.take_entry(entry) {
                return Some((SimTime(entry.at()), event));
            }
        }
    }

    /// Takes the event of a heap entry that is already out, unless it was
    /// cancelled.
    #[inline]
    fn take_entry(&mut self, entry: Entry) -> Option<E> {
        let event = if slot_of(entry.key()) >= FIRST_LANE_SLOT {
            self.pop_lane(lane_of(entry.key()))
        } else {
            self.take_event(entry.key())
        };
        let count = if event.is_some() { &mut self.len } else { &mut self.dead };
        *count -= 1;
        event
    }

    /// Takes out the next event if it is due by `end`, and says when it is due
    /// and how urgent it is.
    #[inline]
    pub fn pop_until(&mut self, end: SimTime) -> Option<(SimTime, Urgency, E)> {
        loop {
            let entry = self.heap.least().filter(|entry| entry.at() <= end.0)?;
            self.heap.take();
            if let Some(event) = self.take_entry(entry) {
                return Some((SimTime(entry.at()), urgency_of(entry.key()), event));
            }
        }
    }

    /// When the next event is due and how urgent it is.
    ///
    /// A loop that peeks before each pop walks the heap twice per event: pop,
    /// and stop once a time is past the end.
    pub fn peek(&mut self) -> Option<(SimTime, Urgency)> {
        loop {
            let entry = self.heap.least()?;
            let key = entry.key();
            if slot_of(key) >= FIRST_LANE_SLOT || is_live(&self.slots, key) {
                return Some((SimTime(entry.at()), urgency_of(key)));
            }
            self.heap.take();
            self.dead -= 1;
        }
    }

    /// Makes a lane for a stream of events whose times never go backwards.
    ///
    /// # Panics
    /// If there are 65,536 lanes.
    pub fn lane(&mut self) -> LaneId {
        let lane = self.lanes.len() as u32;
        assert!(lane < MOST_LANES, "more than {MOST_LANES} lanes");
        self.lanes.push(VecDeque::new());
        LaneId(lane)
    }

    /// Adds an event to a lane. The order of pops is the same as if it had
    /// been pushed outside the lane, only faster; it cannot be cancelled.
    ///
    /// `at` must not be before the last event still waiting in this lane.
    ///
    /// # Panics
    /// In debug builds if `at` goes backwards (a release build treats it as
    /// a [`push`](EventQueue::push)); if `lane` is another queue's; after 2³⁹
    /// events in all.
    #[inline]
    pub fn push_lane(&mut self, lane: LaneId, at: SimTime, urgency: Urgency, event: E) {
        let last = self.lanes[lane.0 as usize].back().map_or(0, |(entry, _)| entry.at());
        debug_assert!(last <= at.0, "a lane goes back from {last} ns to {} ns", at.0);
        self.push_lane_or_heap(lane, at, urgency, event);
    }

    #[inline]
    fn push_lane_or_heap(&mut self, lane: LaneId, at: SimTime, urgency: Urgency, event: E) {
        let key = self.next_key(urgency, (1 << SLOT_BITS) - 1 - lane.0);
        let entry = Entry::new(at.0, key);
        let waiting = &mut self.lanes[lane.0 as usize];
        match waiting.back() {
            None => self.heap.push(entry),
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

    /// Takes the first event of a lane, whose heap entry is already out, and
    /// puts the next one's entry in.
    #[inline]
    fn pop_lane(&mut self, lane: usize) -> Option<E> {
        let waiting = &mut self.lanes[lane];
        let (_, event) = waiting.pop_front()?;
        if let Some((next, _)) = waiting.front() {
            self.heap.push(*next);
        }
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

const fn lane_of(key: u64) -> usize {
    ((1 << SLOT_BITS) - 1 - slot_of(key)) as usize
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
                lanes.push_lane_or_heap(ids[n % 2], SimTime(at), urgency, event);
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
            assert!(queue.heap.len() <= 2 * FEW + 2, "{} entries", queue.heap.len());
        }
        assert_eq!(queue.slots.len(), 1);
        assert_eq!(drain(&mut queue), [(7, 0)]);
        assert_eq!(queue.dead, 0);
    }

    #[test]
    fn only_the_head_of_a_lane_stands_in_the_heap() {
        let mut queue = EventQueue::new();
        let stream = queue.lane();
        for n in 0..1_000 {
            queue.push_lane(stream, SimTime(n / 10), Urgency::Normal, n);
        }
        assert_eq!((queue.len(), queue.heap.len(), queue.slots.len()), (1_000, 1, 0));
        assert_eq!(drain(&mut queue), (0..1_000).map(|n| (n / 10, n)).collect::<Vec<_>>());
    }

    #[test]
    #[cfg(debug_assertions)]
    #[should_panic(expected = "a lane goes back from 5 ns to 4 ns")]
    fn a_lane_that_goes_back_is_noticed() {
        let mut queue = EventQueue::new();
        let stream = queue.lane();
        queue.push_lane(stream, SimTime(5), Urgency::Normal, ());
        queue.push_lane(stream, SimTime(4), Urgency::Normal, ());
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
            3 => (0..3_usize, 0..4_u64, urgency()).prop_map(|(lane, later, u)| Step::Lane(lane, later, u)),
            1 => (0..3_usize, 0..40_u64, urgency()).prop_map(|(lane, at, u)| Step::LaneBack(lane, at, u)),
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
            self.queue.push_lane_or_heap(self.lanes[lane].0, SimTime(at), urgency, event);
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
            pair.lanes = (0..3).map(|_| (pair.queue.lane(), 0)).collect();
            for step in &steps {
                pair.step(step);
            }
            while pair.pop() {}
        }
    }
}
