//! The DaemonSet controller.

pub mod rules;
