//! The scenario file: what was typed, read, checked and compiled to a
//! [`Setup`](crate::sim::Setup) and its assertions.

pub mod duration;
pub mod expression;
pub mod file;
pub mod resolve;
pub mod scope;
pub mod suggest;
mod typed;
pub mod yaml;
