//! One binary for all integration tests; each file mirrors one of `src`.

mod fixture;
mod timeline;
