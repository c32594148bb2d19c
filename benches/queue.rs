//! The queue in the HOLD model: as many events always wait, and each step
//! pops one and pushes one an exponential time later.
//!
//! Beside seatrial's queue stand the least that such a queue must do, a bare
//! 4-ary heap with its payloads in a slab, and the queue of another simulator.

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use seatrial::sim::queue::{EventQueue, Urgency};
use seatrial::time::SimTime;
use serde::Serialize;
use simcore::{Event, EventHandler, Simulation, SimulationContext};
use std::cell::RefCell;
use std::hint::black_box;
use std::rc::Rc;

/// As large as the kernel's events may be.
#[derive(Clone, Copy)]
enum Payload {
    Pod { slot: u32, uid: u32, epoch: u32 },
    Tick,
}

impl Payload {
    fn new(n: u32) -> Payload {
        if n.is_multiple_of(64) { Payload::Tick } else { Payload::Pod { slot: n, uid: n, epoch: n } }
    }

    fn read(self) -> u32 {
        match self {
            Payload::Pod { slot, uid, epoch } => slot ^ uid ^ epoch,
            Payload::Tick => 1,
        }
    }
}

/// Exponential increments in nanoseconds with a mean of a second.
struct Increments {
    table: Vec<u64>,
    next: usize,
}

impl Increments {
    fn new() -> Increments {
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let mut exponential = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            let uniform = ((state >> 11) as f64 + 1.0) / (1_u64 << 53) as f64;
            (-libm::log(uniform) * 1e9) as u64
        };
        Increments { table: (0..65_536).map(|_| exponential()).collect(), next: 0 }
    }

    fn draw(&mut self) -> u64 {
        self.next = (self.next + 1) % 65_536;
        self.table[self.next]
    }
}

/// A 4-ary heap of 16-byte entries and a slab of payloads; nothing else.
struct BareHeap {
    entries: Vec<(u64, u64)>,
    slab: Vec<(Payload, u64)>,
    free: Vec<u32>,
    sequence: u64,
}

impl BareHeap {
    fn order(entry: (u64, u64)) -> u128 {
        u128::from(entry.0) << 64 | u128::from(entry.1)
    }

    fn push(&mut self, at: u64, payload: Payload) {
        let slot = self.free.pop().unwrap_or(self.slab.len() as u32);
        if slot as usize == self.slab.len() {
            self.slab.push((payload, self.sequence));
        } else {
            self.slab[slot as usize] = (payload, self.sequence);
        }
        let entry = (at, self.sequence << 24 | u64::from(slot));
        self.sequence += 1;
        let mut place = self.entries.len();
        self.entries.push(entry);
        while place > 0 {
            let parent = (place - 1) / 4;
            if Self::order(self.entries[parent]) < Self::order(entry) {
                break;
            }
            self.entries[place] = self.entries[parent];
            place = parent;
        }
        self.entries[place] = entry;
    }

    fn pop(&mut self) -> Option<(u64, Payload)> {
        let last = self.entries.pop()?;
        let first = if self.entries.is_empty() { last } else { self.replace_first(last) };
        let slot = first.1 as u32 & 0xff_ffff;
        self.free.push(slot);
        Some((first.0, self.slab[slot as usize].0))
    }

    fn replace_first(&mut self, entry: (u64, u64)) -> (u64, u64) {
        let least = self.entries[0];
        let (entries, mut place) = (&mut self.entries[..], 0);
        loop {
            let first = 4 * place + 1;
            let mut child = first;
            if let Some(&[w, x, y, z]) = entries.get(first..first + 4) {
                let left = if Self::order(x) < Self::order(w) { (first + 1, x) } else { (first, w) };
                let right = if Self::order(z) < Self::order(y) { (first + 3, z) } else { (first + 2, y) };
                child = if Self::order(right.1) < Self::order(left.1) { right.0 } else { left.0 };
            } else if first < entries.len() {
                for other in first + 1..entries.len() {
                    if Self::order(entries[other]) < Self::order(entries[child]) {
                        child = other;
                    }
                }
            } else {
                break;
            }
            if Self::order(entry) < Self::order(entries[child]) {
                break;
            }
            entries[place] = entries[child];
            place = child;
        }
        entries[place] = entry;
        least
    }
}

/// Answers each event with another one.
struct Answering {
    context: SimulationContext,
    increments: Increments,
    sum: u64,
}

#[derive(Clone, Serialize)]
struct Message {
    n: u32,
}

impl EventHandler for Answering {
    fn on(&mut self, event: Event) {
        if let Some(message) = event.data.downcast_ref::<Message>() {
            self.sum += u64::from(message.n);
        }
        let delay = self.increments.draw() as f64 / 1e9;
        self.context.emit_self(Message { n: event.id as u32 }, delay);
    }
}

fn hold(c: &mut Criterion) {
    let mut group = c.benchmark_group("hold");
    for pending in [1_000_u32, 100_000] {
        group.bench_function(BenchmarkId::new("seatrial", pending), |b| {
            let mut increments = Increments::new();
            let mut queue = EventQueue::new();
            for n in 0..pending {
                queue.push(SimTime(increments.draw()), Urgency::Normal, Payload::new(n));
            }
            b.iter(|| {
                if let Some((at, payload)) = queue.pop() {
                    queue.push(SimTime(at.0 + increments.draw()), Urgency::Normal, payload);
                    black_box(payload.read());
                }
            });
        });
        group.bench_function(BenchmarkId::new("bare 4-ary heap", pending), |b| {
            let mut increments = Increments::new();
            let mut heap = BareHeap { entries: Vec::new(), slab: Vec::new(), free: Vec::new(), sequence: 0 };
            for n in 0..pending {
                heap.push(increments.draw(), Payload::new(n));
            }
            b.iter(|| {
                if let Some((at, payload)) = heap.pop() {
                    heap.push(at + increments.draw(), payload);
                    black_box(payload.read());
                }
            });
        });
        group.bench_function(BenchmarkId::new("simcore", pending), |b| {
            let mut simulation = Simulation::new(1);
            let mut increments = Increments::new();
            let context = simulation.create_context("hold");
            for n in 0..pending {
                context.emit_self(Message { n }, increments.draw() as f64 / 1e9);
            }
            let answering = Answering { context, increments, sum: 0 };
            simulation.add_handler("hold", Rc::new(RefCell::new(answering)));
            b.iter(|| simulation.step());
        });
    }
    group.finish();
}

/// The same with a lane: a watch stream behind whose head thousands wait.
fn lane(c: &mut Criterion) {
    let mut group = c.benchmark_group("lane");
    for pending in [1_000_u32, 100_000] {
        group.bench_function(BenchmarkId::new("seatrial", pending), |b| {
            let mut queue = EventQueue::new();
            let stream = queue.lane();
            for n in 0..pending {
                queue.push_lane(stream, SimTime(u64::from(n)), Urgency::Normal, Payload::new(n));
            }
            b.iter(|| {
                if let Some((at, payload)) = queue.pop() {
                    queue.push_lane(stream, SimTime(at.0 + u64::from(pending)), Urgency::Normal, payload);
                    black_box(payload.read());
                }
            });
        });
    }
    group.finish();
}

criterion_group!(benches, hold, lane);
criterion_main!(benches);
