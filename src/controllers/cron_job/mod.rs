//! The CronJob controller.

pub mod rules;
