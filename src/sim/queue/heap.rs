//! The 4-ary heap below the queue, made for popping one and pushing one.

/// A time and a key in one number, so that the order of events is the order
/// of numbers: 64 bits of time, then 64 bits of key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Entry(u128);

impl Entry {
    /// Stands where no entry is; greater than every entry.
    pub(super) const NONE: Entry = Entry(u128::MAX);

    pub(super) const fn new(at: u64, key: u64) -> Entry {
        Entry((at as u128) << 64 | key as u128)
    }

    pub(super) const fn at(self) -> u64 {
        (self.0 >> 64) as u64
    }

    pub(super) const fn key(self) -> u64 {
        self.0 as u64
    }
}

/// Four siblings fill one cache line, so each level costs one miss.
#[derive(Clone, Copy)]
#[repr(align(64))]
pub(super) struct Siblings([Entry; 4]);

impl Siblings {
    pub(super) const NONE: Siblings = Siblings([Entry::NONE; 4]);

    /// The least of the four and its place. Empty places lose, so a family
    /// that is not complete needs no case of its own.
    #[inline]
    pub(super) fn least(&self) -> (usize, Entry) {
        let [first, second, third, fourth] = self.0;
        let left = if second < first { (1, second) } else { (0, first) };
        let right = if fourth < third { (3, fourth) } else { (2, third) };
        if right.1 < left.1 { right } else { left }
    }

    pub(super) const fn set(&mut self, place: usize, entry: Entry) {
        self.0[place] = entry;
    }
}

/// A heap whose least entry stands apart from the others.
///
/// Taking the least leaves its place empty instead of filling it at once. The
/// next push sinks from there, which is one walk instead of the two of a pop
/// and a push; and most handlers push one event for the one they got.
#[derive(Clone)]
pub(super) struct Heap {
    /// [`Entry::NONE`] after a take, and when there is nothing at all.
    top: Entry,
    /// The children of `top` are family 0; those of the entry with number
    /// `n` (four to a family) are family `n + 1`. Unused places are `NONE`.
    families: Vec<Siblings>,
    /// How many entries are in `families`.
    below: usize,
}

impl Heap {
    pub(super) const fn new() -> Heap {
        Heap { top: Entry::NONE, families: Vec::new(), below: 0 }
    }

    /// How many entries there are.
    pub(super) fn len(&self) -> usize {
        self.below + usize::from(self.top != Entry::NONE)
    }

    #[inline]
    pub(super) fn push(&mut self, entry: Entry) {
        if self.top == Entry::NONE {
            self.sink(entry);
        } else {
            self.rise(entry);
        }
    }

    /// The least entry, which stays; [`Entry::NONE`] if there is none.
    #[inline]
    pub(super) fn least(&self) -> Entry {
        match self.families.first() {
            // An empty top is only filled when that is needed.
            Some(family) if self.top == Entry::NONE => family.least().1,
            _ => self.top,
        }
    }

    /// The least entry, taken out.
    #[inline]
    pub(super) fn take(&mut self) -> Option<Entry> {
        self.fill();
        let least = std::mem::replace(&mut self.top, Entry::NONE);
        (least != Entry::NONE).then_some(least)
    }

    /// Keeps only some entries.
    pub(super) fn retain(&mut self, keep: impl Fn(Entry) -> bool) {
        let lower = self.families.iter().flat_map(|family| family.0);
        let mut kept: Vec<Entry> =
            std::iter::once(self.top).chain(lower).filter(|&entry| entry != Entry::NONE && keep(entry)).collect();
        // What is sorted is a heap.
        kept.sort_unstable();
        *self = Heap::new();
        for entry in kept {
            self.push(entry);
        }
    }

    /// Fills the empty top with the last entry.
    #[inline]
    fn fill(&mut self) {
        if self.top == Entry::NONE && self.below > 0 {
            let last = self.below - 1;
            let entry = std::mem::replace(&mut self.families[last / 4].0[last % 4], Entry::NONE);
            self.below = last;
            self.sink(entry);
        }
    }

    /// Puts an entry at the empty top and moves lesser ones above it.
    #[inline]
    fn sink(&mut self, entry: Entry) {
        let Some(family) = self.families.first() else {
            self.top = entry;
            return;
        };
        let (mut place, least) = family.least();
        if entry < least {
            self.top = entry;
            return;
        }
        self.top = least;
        while let Some(family) = self.families.get(place + 1) {
            let (lane, least) = family.least();
            if entry < least {
                break;
            }
            self.families[place / 4].0[place % 4] = least;
            place = 4 * (place + 1) + lane;
        }
        self.families[place / 4].0[place % 4] = entry;
    }

    /// Appends an entry and moves greater ones below it.
    #[inline]
    fn rise(&mut self, entry: Entry) {
        let mut place = self.below;
        if place / 4 == self.families.len() {
            self.families.push(Siblings::NONE);
        }
        self.below += 1;
        while place >= 4 {
            let parent = place / 4 - 1;
            let above = self.families[parent / 4].0[parent % 4];
            if above < entry {
                break;
            }
            self.families[place / 4].0[place % 4] = above;
            place = parent;
        }
        if place < 4 && entry < self.top {
            self.families[0].0[place] = self.top;
            self.top = entry;
        } else {
            self.families[place / 4].0[place % 4] = entry;
        }
    }
}
