//! The kernel: one loop over one queue of events.

pub mod queue;
pub mod setup;

pub use setup::Setup;

use crate::trace::Trace;

/// Runs a setup to its end.
pub fn run(setup: &Setup) -> Trace {
    let _ = setup;
    Trace::default()
}
