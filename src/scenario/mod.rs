//! The scenario file: what was typed, read, checked and compiled to a
//! [`Setup`](crate::sim::Setup) and its assertions.

pub mod yaml;
