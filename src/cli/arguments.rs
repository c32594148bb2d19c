//! What can be typed.

mod campaign;

pub(super) use campaign::{Diff, Engine, Fit, Merge, Results, Rows, SeedRange, Sweep, Test};

use clap::{Args, Parser, Subcommand, ValueEnum};
use seatrial::scenario::duration;
use seatrial::time::{SimTime, Span};
use std::path::PathBuf;

/// Rehearse what Kubernetes does to your workloads, without a cluster.
#[derive(Debug, Parser)]
#[command(name = "seatrial", version, about, max_term_width = 100)]
#[command(after_help = "Exit codes: 0 passed, 1 an assertion failed, 2 bad input or usage, 3 anything else.")]
pub(super) struct Arguments {
    #[command(subcommand)]
    pub(super) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run scenarios, or rehearse a rollout of plain manifests
    Run(Run),
    /// Run variants of a scenario and put them side by side
    Compare(Compare),
    /// Check that the claims of scenarios hold, over all their seeds
    Test(Box<Test>),
    /// Try settings and seeds, and say which setting to choose
    Sweep(Box<Sweep>),
    /// Put the parts of a sweep together
    Merge(Box<Merge>),
    /// Find the first decision in which two runs differ
    Diff(Diff),
    /// Estimate how pods behave from a cluster's own output
    Fit(Fit),
    /// Draw a trace
    Plot(Plot),
    /// Say what happened to an object of a trace, and why
    Explain(Explain),
    /// Print the JSON schema of scenario files
    Schema,
    /// Compare with recordings of the real controllers
    Conformance(Conformance),
    /// Print the completion script of a shell
    Completion {
        /// The shell
        shell: clap_complete::Shell,
    },
}

/// `seatrial run`
#[derive(Debug, Args)]
pub(super) struct Run {
    /// Scenarios and manifests: files, folders, globs, `-` for standard input
    #[arg(value_name = "PATH", required_unless_present = "files")]
    pub(super) paths: Vec<String>,
    /// The same, for fingers used to kubectl
    #[arg(short = 'f', long = "filename", value_name = "FILE", id = "files")]
    pub(super) files: Vec<String>,
    /// Look into folders within folders too
    #[arg(short = 'R', long)]
    pub(super) recursive: bool,
    /// The seed of all random draws, instead of the scenario's
    #[arg(long, value_name = "N")]
    pub(super) seed: Option<u64>,
    /// Set a field of the scenario or of a manifest, such as
    /// deployment/web.maxSurge=25% or pods.ready.p99=30s
    #[arg(long, value_name = "FIELD=VALUE")]
    pub(super) set: Vec<String>,
    /// How to print the results
    #[arg(short = 'o', long = "output", value_enum, default_value_t = Format::Table, value_name = "FORMAT")]
    pub(super) output: Format,
    /// Print verdicts only
    #[arg(short = 'q', long)]
    pub(super) quiet: bool,
    /// Write the trace to this file, as JSON Lines
    #[arg(long, value_name = "FILE")]
    pub(super) trace: Option<PathBuf>,
    /// Draw the run into this file, .svg or .png
    #[arg(long, value_name = "FILE")]
    pub(super) plot: Option<PathBuf>,
    /// Write a report that stands alone into this file, .html
    #[arg(long, value_name = "FILE")]
    pub(super) report: Option<PathBuf>,
    /// Write the run for ui.perfetto.dev into this file, as JSON
    #[arg(long, value_name = "FILE")]
    pub(super) perfetto: Option<PathBuf>,
    #[command(flatten)]
    pub(super) look: Look,
}

/// `seatrial compare`
#[derive(Debug, Args)]
pub(super) struct Compare {
    /// Scenarios: files, folders, globs, `-` for standard input
    #[arg(value_name = "PATH", required = true)]
    pub(super) paths: Vec<String>,
    /// Values of a field to compare, such as
    /// cronjob/report.concurrencyPolicy=Allow,Forbid,Replace
    #[arg(long, value_name = "FIELD=VALUE,…")]
    pub(super) set: Vec<String>,
    /// The seed of all random draws, instead of the scenario's
    #[arg(long, value_name = "N")]
    pub(super) seed: Option<u64>,
    /// How to print the results
    #[arg(short = 'o', long = "output", value_enum, default_value_t = Format::Table, value_name = "FORMAT")]
    pub(super) output: Format,
    /// Draw all variants into this file, .svg or .png
    #[arg(long, value_name = "FILE")]
    pub(super) plot: Option<PathBuf>,
    /// Write a report that stands alone into this file, .html
    #[arg(long, value_name = "FILE")]
    pub(super) report: Option<PathBuf>,
    #[command(flatten)]
    pub(super) look: Look,
}

/// How results are printed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(super) enum Format {
    /// For people
    Table,
    /// For programs
    Json,
    /// For programs, in YAML
    Yaml,
}

/// How drawings look.
#[derive(Debug, Args)]
pub(super) struct Look {
    /// The colours of a drawing
    #[arg(long, value_enum, default_value_t = Colours::Light, value_name = "THEME")]
    pub(super) theme: Colours,
    /// What is drawn of each workload
    #[arg(long, value_enum, default_value_t = Shown::Auto, value_name = "PICTURE")]
    pub(super) picture: Shown,
    /// The width: characters in the terminal, pixels in a file
    #[arg(long, value_name = "N")]
    pub(super) width: Option<u32>,
    /// Only ASCII characters in the terminal
    #[arg(long)]
    pub(super) ascii: bool,
}

/// The colours of a drawing.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(super) enum Colours {
    /// Dark on white
    Light,
    /// Light on nearly black
    Dark,
}

/// What is drawn of each workload.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(super) enum Shown {
    /// What suits its kind
    Auto,
    /// Pods by revision, and what was available within which limits
    Availability,
    /// A lane for each ordinal, node or slot
    Lanes,
    /// What ran at the same time
    Overlap,
    /// Attempts and completions of a Job
    Completion,
    /// Requests for Services, and what their pods could serve
    Load,
    /// What the machines offer, and what all pods ask of them
    Capacity,
    /// Ready pods in each zone
    Zones,
    /// A lane for each node: ready, cordoned, not ready, gone
    Nodes,
}

/// `seatrial plot`
#[derive(Debug, Args)]
pub(super) struct Plot {
    /// A trace that `run --trace` wrote, `-` for standard input
    #[arg(value_name = "TRACE")]
    pub(super) trace: PathBuf,
    /// Draw into this file, .svg or .png, instead of the terminal
    #[arg(short = 'o', long = "plot", visible_alias = "output", value_name = "FILE")]
    pub(super) file: Option<PathBuf>,
    /// Begin here, such as 30s
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub(super) from: Option<SimTime>,
    /// End here
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub(super) until: Option<SimTime>,
    #[command(flatten)]
    pub(super) look: Look,
}

/// `seatrial explain`
#[derive(Debug, Args)]
pub(super) struct Explain {
    /// A trace that `run --trace` wrote, `-` for standard input
    #[arg(value_name = "TRACE")]
    pub(super) trace: PathBuf,
    /// An object such as deployment/web or pod/web/2#0, or a record such as #42
    #[arg(value_name = "OBJECT|#N")]
    pub(super) query: Option<String>,
    /// What happened to the object last before this time, and why
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub(super) at: Option<SimTime>,
}

/// `seatrial conformance`
#[derive(Debug, Args)]
pub(super) struct Conformance {
    /// The folder with cases (*.json) and vectors (*.jsonl)
    #[arg(value_name = "DIR")]
    pub(super) dir: PathBuf,
    /// Only what has this in its name
    #[arg(long, value_name = "NAME")]
    pub(super) only: Option<String>,
    /// Only the table, not the differences
    #[arg(short = 'q', long)]
    pub(super) quiet: bool,
}

/// Reads a time since the run began.
fn moment(text: &str) -> Result<SimTime, String> {
    duration::parse(text).map(|span: Span| SimTime::ZERO.after(span))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_arguments_are_consistent() {
        Arguments::command().debug_assert();
    }
}
