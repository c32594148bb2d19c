//! The cluster's memory: tables of objects with their indexes, the API
//! server's rules for changing them, and what a change tells its watchers.

pub mod jobs;
mod objects;
mod selection;
mod store;
mod table;
mod watch;

pub use objects::{Objects, Owned, PodCounts};
pub use store::{ApiError, PodDeletion, Store};
pub use table::{AnyTable, Stored, Table, WithStatus};
pub use watch::{Change, Row, Verb, deliver};
