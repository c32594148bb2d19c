//! Campaigns: one scenario under many settings and many seeds.
//!
//! ```text
//! scenario × settings × seeds ──▶ Plan ──▶ cells ──▶ rows ──▶ parts ──▶ merged ──▶ trade-off
//! ```
//!
//! A *point* is one choice of a value for every setting, a *cell* one run of
//! a point with one seed. Cells have numbers that depend on nothing but the
//! plan, every cell has its own seed, and a row depends on nothing but its
//! cell. So rows may be computed anywhere, in any order and by any number of
//! threads and machines, and put together they are the same bytes.
//!
//! A *column* is what is measured of every run. Some of them are weighed
//! against each other: the *axes* of the trade-off.

mod advice;
mod column;
mod part;
mod plan;
mod row;
mod summary;
mod words;

pub use advice::{Advice, Floor};
pub use column::{Amount, Asked, Axes, Axis, Column, Cost, Value};
pub use part::{Part, merge};
pub use plan::{Cell, Outline, Plan, Point, Seeds, Shard};
pub use row::{Measured, Row, Subject, measure};
pub use summary::{PointFigures, Seen, Spread, Summary};
pub use words::Words;
