//! One binary for all integration tests; each file mirrors one of `src`.

mod explain;
mod fixture;
mod timeline;
mod trace_file;
