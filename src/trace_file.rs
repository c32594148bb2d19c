//! Traces as JSON Lines, for keeping and for `jq`.
//!
//! The first line is the header. Every other line is a subject or a record:
//!
//! ```text
//! {"seatrial":"trace","version":1,"start":"2026-01-05T00:00:00Z","until_ns":150000000000,…}
//! {"subject":3,"kind":"Deployment","namespace":"default","name":"web","apiName":"web"}
//! {"n":0,"t_ns":0,"object":"Deployment/web","event":"created"}
//! {"n":1,"t_ns":0,"object":"Deployment/web","event":"changed","field":"spec.replicas","value":10,"cause":0}
//! ```
//!
//! * A subject stands before the first record that names it. Records name
//!   subjects by path; `namespace` is left out where it is `default` (of
//!   nodes: where there is none), and a path means the latest subject of that
//!   path. Where it does not, `subject` or `ref` gives the number.
//! * `cause` is the `n` of the record that led to this one.
//! * A field that went away has the value `null`.
//! * Decisions carry the numbers they were made from; see
//!   [`Why`](crate::trace::Why) for their names.
//! * The header says how many subjects and records follow, so that a file
//!   that was cut off is noticed.

mod lines;
mod read;
mod write;

pub use read::read;
pub use write::{line, write};

use crate::trace::{RecordId, Trace};

/// The version of the format. Readers refuse any other.
pub const VERSION: u32 = 1;

/// The first record in which two traces differ: its number and its line in
/// each, `None` where that trace has ended. `None` if all records agree.
pub fn first_difference(a: &Trace, b: &Trace) -> Option<(RecordId, Option<String>, Option<String>)> {
    let (mut a, mut b) = (write::lines(a), write::lines(b));
    (0..).map(RecordId).map(|id| (id, a.next(), b.next())).find_map(|(id, a, b)| {
        let over = a.is_none() && b.is_none();
        (over || a != b).then(|| (!over).then_some((id, a, b)))
    })?
}
