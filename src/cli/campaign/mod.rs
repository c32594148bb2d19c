//! Many runs: sweeps over settings, their shards, and tests.

mod engines;
mod folder;
mod junit;
pub(super) mod pool;
mod results;
mod sweep;
mod test;
mod verdicts;

pub(super) use sweep::{merge, sweep};
pub(super) use test::test;
