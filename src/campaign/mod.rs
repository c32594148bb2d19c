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

mod part;
mod plan;
mod row;
mod summary;

pub use part::{Part, merge};
pub use plan::{Cell, Plan, Point, Seeds, Shard};
pub use row::{Row, Subject, measure};
pub use summary::{Advice, Floor, PointFigures, Spread, Summary, Took};
