//! A deterministic discrete-event simulator of the Kubernetes workload
//! controllers.

pub mod api;
pub mod cluster;
pub mod conformance;
pub mod controllers;
pub mod cron;
pub mod environment;
pub mod error;
pub mod manifest;
pub mod rng;
pub mod sim;
pub mod sort;
pub mod time;
pub mod trace;
