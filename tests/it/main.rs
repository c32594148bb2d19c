//! One binary for all integration tests; each file mirrors one of `src`.

mod assertion;
mod batch_manifests;
mod browser;
mod campaign;
mod chromium;
mod cli;
mod clocks;
mod cron_job;
mod effects;
mod explain;
mod fixture;
mod golden_numbers;
mod job;
mod manifest;
mod manifest_job;
mod manifest_patch;
mod manifest_problems;
mod pictures;
mod plot;
mod rules;
mod scenario;
mod scheduler;
mod stream;
mod timeline;
mod trace_file;
mod volumes;
