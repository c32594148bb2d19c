//! A deterministic discrete-event simulator of the Kubernetes workload
//! controllers.

pub mod api;
pub mod environment;
pub mod error;
pub mod scenario;
pub mod sim;
pub mod time;
pub mod trace;
