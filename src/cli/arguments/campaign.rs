//! What can be typed after `sweep`, `merge` and `test`.

use super::Look;
use clap::{Args, ValueEnum};
use seatrial::campaign::{Floor, Shard};
use seatrial::scenario::duration;
use seatrial::time::Span;
use std::path::PathBuf;

/// `seatrial sweep`
#[derive(Debug, Args)]
pub(in crate::cli) struct Sweep {
    /// One scenario with its manifests, or manifests alone
    #[arg(value_name = "PATH", required_unless_present = "files")]
    pub(in crate::cli) paths: Vec<String>,
    /// The same, for fingers used to kubectl
    #[arg(short = 'f', long = "filename", value_name = "FILE", id = "files")]
    pub(in crate::cli) files: Vec<String>,
    /// A field and the values to try, such as deployment/web.maxSurge=0,1,25%
    #[arg(long, value_name = "FIELD=VALUES")]
    pub(in crate::cli) set: Vec<String>,
    /// How many seeds for each setting, or which, as 1..200
    #[arg(long, value_name = "N", default_value = "20", value_parser = seeds)]
    pub(in crate::cli) seeds: SeedRange,
    /// The seed from which all others are drawn, instead of the scenario's
    #[arg(long, value_name = "N")]
    pub(in crate::cli) seed: Option<u64>,
    /// Other seeds for every setting, instead of the same ones for all
    #[arg(long)]
    pub(in crate::cli) independent: bool,
    /// The workload to measure, if it is not clear
    #[arg(long, value_name = "OBJECT")]
    pub(in crate::cli) workload: Option<String>,
    /// Measure this too, such as 'ready=min(ready(deployment/web))': a name,
    /// if it shall have one, and a figure as assertions have them
    #[arg(long, value_name = "[NAME=]EXPRESSION")]
    pub(in crate::cli) figure: Vec<String>,
    /// Keep results in this folder, and go on from what is there
    #[arg(long, value_name = "DIR")]
    pub(in crate::cli) out: Option<PathBuf>,
    /// Run a part only, such as 0/4; `seatrial merge` puts parts together
    #[arg(long, value_name = "I/N", requires = "out", value_parser = Shard::parse)]
    pub(in crate::cli) shard: Option<Shard>,
    /// The same with I from JOB_COMPLETION_INDEX or SLURM_ARRAY_TASK_ID
    #[arg(long, value_name = "N", requires = "out", conflicts_with = "shard")]
    pub(in crate::cli) shards: Option<u32>,
    /// How many threads (default: one for each core)
    #[arg(long, value_name = "N")]
    pub(in crate::cli) threads: Option<usize>,
    /// Print what runs this sweep elsewhere instead of running it
    #[arg(long, value_enum, value_name = "ENGINE")]
    pub(in crate::cli) render: Option<Engine>,
    /// How often finished cells are saved to --out
    #[arg(long, value_name = "TIME", default_value = "2s", value_parser = span, hide = true)]
    pub(in crate::cli) checkpoint: Span,
    #[command(flatten)]
    pub(in crate::cli) results: Results,
}

/// `seatrial merge`
#[derive(Debug, Args)]
pub(in crate::cli) struct Merge {
    /// Parts, or the folder that they are in
    #[arg(value_name = "PATH", required = true)]
    pub(in crate::cli) paths: Vec<PathBuf>,
    /// Write the results into this folder (default: the parts' own)
    #[arg(long, value_name = "DIR")]
    pub(in crate::cli) out: Option<PathBuf>,
    #[command(flatten)]
    pub(in crate::cli) results: Results,
}

/// How the results of a sweep are shown.
#[derive(Debug, Args)]
pub(in crate::cli) struct Results {
    /// How many pods shall be available at least, such as 9 or 90%; in other
    /// trade-offs what every run must keep of the second axis
    #[arg(long, value_name = "PODS", value_parser = Floor::parse)]
    pub(in crate::cli) floor: Option<Floor>,
    /// What is weighed: the first column against the others, each with :least
    /// or :most behind it if it is not clear what is better
    #[arg(long, value_name = "COLUMN")]
    pub(in crate::cli) axis: Vec<String>,
    /// Draw the trade-off into this file, .svg or .png
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) plot: Option<PathBuf>,
    /// Write a report that stands alone into this file, .html
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) report: Option<PathBuf>,
    /// How to print the results
    #[arg(short = 'o', long = "output", value_enum, default_value_t = Rows::Table, value_name = "FORMAT")]
    pub(in crate::cli) output: Rows,
    #[command(flatten)]
    pub(in crate::cli) look: Look,
}

/// How the rows of a sweep are printed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(in crate::cli) enum Rows {
    /// What to choose, for people
    Table,
    /// A row for each run
    Csv,
    /// The same as JSON Lines
    Json,
}

/// What runs shards elsewhere.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(in crate::cli) enum Engine {
    /// A Kubernetes Indexed Job
    Job,
    /// A line for GNU parallel
    Parallel,
}

/// `seatrial test`
#[derive(Debug, Args)]
pub(in crate::cli) struct Test {
    /// Scenarios: files, globs, and folders with everything below them
    #[arg(value_name = "PATH", required = true)]
    pub(in crate::cli) paths: Vec<String>,
    /// Only scenarios with this in their path or name
    #[arg(long, value_name = "TEXT")]
    pub(in crate::cli) filter: Vec<String>,
    /// How many seeds, from the scenario's own on, or which, as 1..200
    #[arg(long, value_name = "N", value_parser = seeds)]
    pub(in crate::cli) seeds: Option<SeedRange>,
    /// Only every N-th scenario, from the I-th on, as 0/4
    #[arg(long, value_name = "I/N", value_parser = Shard::parse)]
    pub(in crate::cli) shard: Option<Shard>,
    /// Set a field of every scenario that has it
    #[arg(long, value_name = "FIELD=VALUE")]
    pub(in crate::cli) set: Vec<String>,
    /// How many threads (default: one for each core)
    #[arg(long, value_name = "N")]
    pub(in crate::cli) threads: Option<usize>,
    /// Write a JUnit report too
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) junit: Option<PathBuf>,
    /// Print annotations for GitHub (default: where GITHUB_ACTIONS is set)
    #[arg(long)]
    pub(in crate::cli) annotate: bool,
    /// How to print the results
    #[arg(short = 'o', long = "output", value_enum, default_value_t = super::Format::Table, value_name = "FORMAT")]
    pub(in crate::cli) output: super::Format,
    /// Print failures and the sum only
    #[arg(short = 'q', long)]
    pub(in crate::cli) quiet: bool,
    #[command(flatten)]
    pub(in crate::cli) look: Look,
}

/// `seatrial diff`
#[derive(Debug, Args)]
pub(in crate::cli) struct Diff {
    /// Traces, scenarios or manifests; one is enough if settings differ
    #[arg(value_name = "A", required = true)]
    pub(in crate::cli) left: String,
    /// What to compare with
    #[arg(value_name = "B")]
    pub(in crate::cli) right: Option<String>,
    /// Set a field of A
    #[arg(long = "set-a", value_name = "FIELD=VALUE")]
    pub(in crate::cli) set_left: Vec<String>,
    /// Set a field of B, such as kubernetes.version=1.33
    #[arg(long = "set-b", value_name = "FIELD=VALUE")]
    pub(in crate::cli) set_right: Vec<String>,
    /// The seed of both runs
    #[arg(long, value_name = "N")]
    pub(in crate::cli) seed: Option<u64>,
    /// How many later differences to list
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub(in crate::cli) most: usize,
    /// Print the result as JSON
    #[arg(long)]
    pub(in crate::cli) json: bool,
}

/// `seatrial fit`
#[derive(Debug, Args)]
pub(in crate::cli) struct Fit {
    /// What `kubectl get pods,events -o json` printed; `-` for standard input
    #[arg(value_name = "FILE", required = true)]
    pub(in crate::cli) files: Vec<PathBuf>,
    /// Draw the observed and the fitted times into this file, .svg or .png
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) plot: Option<PathBuf>,
    #[command(flatten)]
    pub(in crate::cli) look: Look,
}

/// A number of seeds, or a range of them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::cli) enum SeedRange {
    /// So many.
    Count(u32),
    /// From the first so many.
    From(u64, u32),
}

fn seeds(text: &str) -> Result<SeedRange, String> {
    let wrong = || format!("`{text}` is neither a number of seeds nor a range such as 1..200");
    if let Some((first, last)) = text.split_once("..") {
        let (first, last): (u64, u64) = (first.parse().map_err(|_| wrong())?, last.parse().map_err(|_| wrong())?);
        let count = last.checked_sub(first).and_then(|n| u32::try_from(n + 1).ok()).ok_or_else(wrong)?;
        return Ok(SeedRange::From(first, count));
    }
    text.parse().ok().filter(|n| *n > 0).map(SeedRange::Count).ok_or_else(wrong)
}

fn span(text: &str) -> Result<Span, String> {
    duration::parse(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_are_a_number_or_a_range() {
        assert_eq!(seeds("20"), Ok(SeedRange::Count(20)));
        assert_eq!(seeds("5..9"), Ok(SeedRange::From(5, 5)));
        assert!(["0", "9..5", "x", "1..", "-1"].into_iter().all(|t| seeds(t).is_err()));
    }
}
