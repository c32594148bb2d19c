//! Runs that are too long to be kept: their records are handed on in pieces
//! and forgotten, and so are the objects that are gone.

use super::{Setup, Simulation};
use crate::api::Uid;
use crate::time::{MILLISECOND, SimTime, Span};
use crate::trace::{RecordId, Subject, SubjectId, Trace};

/// So many records make a piece: few enough to stay in a processor's cache.
const PIECE: usize = 1 << 10;
/// A cache that lags may show an object for so long after it is gone.
const WHILE: Span = Span::from_secs(3_600);

/// The next records of a streamed run.
#[derive(Clone, Copy, Debug)]
pub struct Piece<'a> {
    /// The records, and every subject and string that they refer to. Other
    /// subjects may be those of objects that are gone.
    pub trace: &'a Trace,
    /// The subjects that are new in this piece. Numbers of objects that are
    /// gone are given again.
    pub new_subjects: &'a [SubjectId],
}

/// Runs a setup to its end without keeping its trace: `sink` gets the records
/// in pieces, in order. What a run needs in memory is then what its cluster
/// holds at one time, however long it goes on.
///
/// # Examples
/// ```
/// use seatrial::digest::Digest;
/// use seatrial::sim::{self, Setup};
/// use seatrial::time::{SimTime, Timestamp};
///
/// let setup = Setup::new(Timestamp(0), SimTime::from_secs(60));
/// let mut digest = Digest::default();
/// sim::stream(&setup, |piece| digest.add(piece.trace, piece.new_subjects.iter().copied()));
/// assert_eq!(digest.to_string(), sim::run(&setup).digest());
/// ```
pub fn stream(setup: &Setup, mut sink: impl FnMut(&Piece<'_>)) {
    let mut simulation = Simulation::streamed(setup);
    simulation.stream_until(setup.until, &mut sink);
}

impl Simulation {
    /// A simulation that has not begun and will be streamed.
    pub fn streamed(setup: &Setup) -> Simulation {
        let mut simulation = Simulation::not_begun(std::sync::Arc::new(setup.clone()));
        // What waits looks at all records, so none of them is forgotten.
        if simulation.waiting.is_none() {
            simulation.recorder.forgetting = Some(Forgetting::default());
        }
        simulation.begin();
        simulation
    }

    /// Handles every event up to a moment, that moment's whole millisecond
    /// included, and hands the records on, to the last one.
    pub fn stream_until(&mut self, until: SimTime, sink: &mut impl FnMut(&Piece<'_>)) {
        let end = SimTime(until.0.saturating_add(MILLISECOND - 1));
        while self.step(end) {
            if self.recorder.trace.records.len() >= PIECE {
                self.recorder.hand_on(sink);
            }
        }
        self.recorder.hand_on(sink);
    }
}

/// Which subjects are still needed. One is forgotten once its object has been
/// gone for a while and for a whole piece, and nothing below it is left.
#[derive(Clone, Debug, Default)]
pub(super) struct Forgetting {
    /// Subjects that came with this piece.
    pub(super) new: Vec<SubjectId>,
    free: Vec<SubjectId>,
    /// How many subjects below each are not forgotten.
    below: Vec<u32>,
    gone: Vec<Gone>,
}

/// An object that is gone: since when, and the newest record then.
#[derive(Clone, Copy, Debug)]
struct Gone {
    uid: Uid,
    subject: SubjectId,
    at: SimTime,
    record: RecordId,
}

impl Forgetting {
    /// The number for a new subject.
    pub(super) fn number(&mut self, next: usize, subject: &Subject) -> SubjectId {
        let id = self.free.pop().unwrap_or(SubjectId(next as u32));
        if self.below.len() <= id.0 as usize {
            self.below.resize(id.0 as usize + 1, 0);
        }
        self.below[id.0 as usize] = 0;
        if let Some(owner) = subject.owner {
            self.below[owner.0 as usize] += 1;
        }
        self.new.push(id);
        id
    }

    /// An object is gone; this is the newest record.
    pub(super) fn gone(&mut self, uid: Uid, subject: SubjectId, at: SimTime, record: RecordId) {
        self.gone.push(Gone { uid, subject, at, record });
    }

    /// Forgets what was gone before this piece began, and says what that was.
    pub(super) fn forget(&mut self, piece: &Trace, now: SimTime) -> Vec<(Uid, SubjectId)> {
        self.new.clear();
        let mut forgotten = Vec::new();
        let mut kept = Vec::new();
        let old = self.gone.partition_point(|gone| now.since(gone.at) >= WHILE);
        // Dependents mostly go after their owners, so the newest are first.
        for gone in self.gone.drain(..old).rev() {
            if gone.record.0 >= piece.before || self.below[gone.subject.0 as usize] > 0 {
                kept.push(gone);
                continue;
            }
            if let Some(owner) = piece.subject(gone.subject).owner {
                self.below[owner.0 as usize] -= 1;
            }
            self.free.push(gone.subject);
            forgotten.push((gone.uid, gone.subject));
        }
        kept.reverse();
        self.gone.splice(..0, kept);
        forgotten
    }
}
