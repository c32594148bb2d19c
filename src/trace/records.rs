//! Records in the order in which they happened.

use super::Record;
use std::iter::FusedIterator;
use std::ops::{Index, IndexMut};
use std::sync::Arc;

/// So many records make a piece, as a power of two.
const PIECE_BITS: u32 = 12;
const PIECE: usize = 1 << PIECE_BITS;

/// The records of a [`Trace`](super::Trace), by number.
///
/// Pieces that are full never change, so that copies of a simulation that has
/// run for long share them, and nothing is moved when a trace grows.
///
/// ```
/// use seatrial::time::SimTime;
/// use seatrial::trace::{Record, RecordId, Records, SubjectId, What};
///
/// let at = |ms| SimTime::from_ms(ms);
/// let record = |ms| Record { at: at(ms), cause: RecordId::NONE, subject: SubjectId(0), what: What::Created };
/// let records: Records = (0..5).map(record).collect();
/// assert_eq!((records.len(), records[3].at), (5, at(3)));
/// assert_eq!(records.partition_point(|record| record.at <= at(1)), 2);
/// assert_eq!(records.iter().take(2).rposition(|record| record.at == at(0)), Some(0));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Records {
    full: Vec<Arc<Vec<Record>>>,
    last: Vec<Record>,
}

impl Records {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.full.len() * PIECE + self.last.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.last.is_empty() && self.full.is_empty()
    }

    /// Adds the next record.
    pub fn push(&mut self, record: Record) {
        if self.last.len() == PIECE {
            let full = std::mem::replace(&mut self.last, Vec::with_capacity(PIECE));
            self.full.push(Arc::new(full));
        }
        self.last.push(record);
    }

    fn piece(&self, piece: usize) -> &[Record] {
        self.full.get(piece).map_or(&self.last, |full| full)
    }

    /// A record by its number, if there are so many.
    pub fn get(&self, index: usize) -> Option<&Record> {
        self.piece(index >> PIECE_BITS).get(index & (PIECE - 1)).filter(|_| index < self.len())
    }

    /// The newest one.
    pub fn last(&self) -> Option<&Record> {
        self.last.last()
    }

    /// All of them, in order; what is skipped at either end costs nothing.
    pub fn iter(&self) -> Iter<'_> {
        Iter { records: self, from: 0, to: self.len() }
    }

    /// How many there are at the beginning for which this holds. It must hold
    /// for none after the first for which it does not.
    pub fn partition_point(&self, mut holds: impl FnMut(&Record) -> bool) -> usize {
        let pieces = self.full.partition_point(|piece| piece.last().is_some_and(&mut holds));
        pieces * PIECE + self.piece(pieces).partition_point(holds)
    }

    /// Forgets all but the first ones.
    pub fn truncate(&mut self, len: usize) {
        if len < self.full.len() * PIECE {
            let part = self.piece(len >> PIECE_BITS)[..len & (PIECE - 1)].to_vec();
            self.full.truncate(len >> PIECE_BITS);
            self.last = part;
        }
        self.last.truncate(len - self.full.len() * PIECE);
    }

    /// Forgets all of them, but keeps room for the next ones.
    pub fn clear(&mut self) {
        self.full.clear();
        self.last.clear();
    }
}

impl Index<usize> for Records {
    type Output = Record;

    fn index(&self, index: usize) -> &Record {
        &self.piece(index >> PIECE_BITS)[index & (PIECE - 1)]
    }
}

impl IndexMut<usize> for Records {
    fn index_mut(&mut self, index: usize) -> &mut Record {
        let piece = self.full.get_mut(index >> PIECE_BITS).map_or(&mut self.last, Arc::make_mut);
        &mut piece[index & (PIECE - 1)]
    }
}

impl FromIterator<Record> for Records {
    fn from_iter<I: IntoIterator<Item = Record>>(all: I) -> Records {
        let mut records = Records::default();
        all.into_iter().for_each(|record| records.push(record));
        records
    }
}

impl<'a> IntoIterator for &'a Records {
    type Item = &'a Record;
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

/// Some of the records, in order.
#[derive(Clone, Debug)]
pub struct Iter<'a> {
    records: &'a Records,
    from: usize,
    to: usize,
}

impl<'a> Iterator for Iter<'a> {
    type Item = &'a Record;

    #[inline]
    fn next(&mut self) -> Option<&'a Record> {
        self.nth(0)
    }

    #[inline]
    fn nth(&mut self, n: usize) -> Option<&'a Record> {
        let at = self.from.saturating_add(n).min(self.to);
        self.from = (at + 1).min(self.to);
        (at < self.to).then(|| &self.records[at])
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.to - self.from, Some(self.to - self.from))
    }
}

impl DoubleEndedIterator for Iter<'_> {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.nth_back(0)
    }

    fn nth_back(&mut self, n: usize) -> Option<Self::Item> {
        let left = (self.to - self.from).saturating_sub(n);
        self.to = self.from + left.saturating_sub(1);
        (left > 0).then(|| &self.records[self.to])
    }
}

impl ExactSizeIterator for Iter<'_> {}
impl FusedIterator for Iter<'_> {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::SimTime;
    use crate::trace::{RecordId, SubjectId, What};

    fn record(n: usize) -> Record {
        let at = SimTime(n as u64);
        Record { at, cause: RecordId::NONE, subject: SubjectId(0), what: What::Created }
    }

    #[test]
    fn pieces_are_as_one_list() {
        for len in [0, 1, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE, 2 * PIECE + 7] {
            let list: Vec<Record> = (0..len).map(record).collect();
            let records: Records = list.iter().copied().collect();
            assert_eq!((records.len(), records.is_empty()), (len, list.is_empty()));
            assert_eq!(records.last(), list.last());
            assert!(records.iter().eq(&list) && records.iter().rev().eq(list.iter().rev()));
            for n in [0, 1, 5, PIECE - 1, PIECE, PIECE + 3, 3 * PIECE] {
                let holds = |record: &Record| record.at < SimTime(n as u64);
                assert_eq!(records.get(n), list.get(n));
                assert_eq!(records.partition_point(holds), list.partition_point(holds), "{n} of {len}");
                assert!(records.iter().skip(n).eq(list.iter().skip(n)));
                assert!(records.iter().take(n).rev().eq(list.iter().take(n).rev()), "{n} of {len}");
                let (mut cut, mut cut_list) = (records.clone(), list.clone());
                cut.truncate(n);
                cut_list.truncate(n);
                assert!(cut.iter().eq(&cut_list), "{n} of {len}");
            }
        }
    }

    #[test]
    fn copies_go_their_own_way() {
        let first: Records = (0..PIECE + 2).map(record).collect();
        let mut second = first.clone();
        assert!(Arc::ptr_eq(&first.full[0], &second.full[0]), "what is full is shared");
        second[1].at = SimTime(7);
        second[PIECE + 1].at = SimTime(8);
        assert_eq!((first[1].at, first[PIECE + 1].at), (SimTime(1), SimTime(PIECE as u64 + 1)));
        assert_eq!((second[1].at, second[PIECE + 1].at), (SimTime(7), SimTime(8)));
        second.clear();
        assert!(second.is_empty() && second.get(0).is_none() && first.len() == PIECE + 2);
    }
}
