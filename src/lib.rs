//! A deterministic discrete-event simulator of the Kubernetes workload
//! controllers.

// Unit tests share a fixture with the integration tests, where this crate has
// its name.
#[cfg(test)]
extern crate self as seatrial;
#[cfg(test)]
#[path = "../tests/it/fixture.rs"]
#[allow(dead_code, reason = "each user needs some of it")]
mod fixture;

pub mod api;
pub mod assertion;
pub mod campaign;
pub mod cluster;
pub mod comparison;
pub mod conformance;
pub mod controllers;
pub mod cron;
pub mod difference;
pub mod digest;
pub mod environment;
pub mod error;
pub mod explain;
pub mod figures;
pub mod fit;
pub mod manifest;
pub mod perfetto;
pub mod plot;
pub mod report;
pub mod rng;
pub mod scenario;
pub mod sim;
pub mod sort;
pub mod tax;
pub mod time;
pub mod timeline;
pub mod trace;
pub mod trace_file;
