//! Recorded cases of the real controllers, run through the simulator and
//! compared entry for entry; and recorded results of single upstream
//! functions, compared with our rules.
//!
//! A recording becomes a [`Setup`](crate::sim::Setup) ([`setup`]), the run's
//! trace takes the form of a recording ([`canonical`]), and the two are
//! [compared](compare). Only [`files`] reads files.

#[cfg(test)]
mod by_hand;
pub mod canonical;
pub mod case;
pub mod check;
pub mod compare;
pub mod entry;
pub mod envelope;
pub mod explain;
pub mod files;
pub mod pattern;
mod report;
pub mod setup;
pub mod vectors;

pub use case::Case;
pub use check::{Checked, Outcome, check};
pub use report::{Options, Summary, run};
