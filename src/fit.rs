//! How pods behave, estimated from what a real cluster says of its own:
//! `kubectl get pods,events -A -o json`.
//!
//! The API keeps whole seconds, so every observed delay is up to a second
//! off, either way. Over many pods this averages out; a delay below a second
//! cannot be told from none.

mod curve;
mod observe;

pub use curve::{Curve, fit};
pub use observe::{Delay, Observed, Workload, observe};

use crate::time::Span;
use std::fmt::Write as _;

/// Fewer observations than this are said to be few.
pub const FEW: usize = 10;

/// The delays of a workload with the curves that fit them.
#[derive(Clone, PartialEq, Debug)]
pub struct Fitted {
    /// The workload, such as `deployment/web`.
    pub workload: String,
    /// Each delay with its observations in seconds, sorted, and its curve.
    pub delays: Vec<(Delay, Vec<f64>, Curve)>,
    /// How much of `start` was pulling images: observations in seconds.
    pub pulls: Vec<f64>,
}

/// Fits the delays of every workload. Those that nothing tells of are left
/// out.
pub fn fit_all(observed: &Observed) -> Vec<Fitted> {
    let one = |workload: &Workload| Fitted {
        workload: workload.name.clone(),
        delays: Delay::ALL
            .into_iter()
            .filter_map(|delay| {
                let seconds = workload.seconds(delay);
                (!seconds.is_empty()).then(|| (delay, seconds.to_vec(), fit(seconds)))
            })
            .collect(),
        pulls: workload.pulls.clone(),
    };
    observed.workloads.iter().map(one).filter(|f| !f.delays.is_empty()).collect()
}

/// The `pods:` section of a scenario file, with what it rests on in comments.
pub fn section(fitted: &[Fitted]) -> String {
    let mut text = String::from("pods:\n");
    for workload in fitted {
        let _ = writeln!(text, "  {}:", workload.workload);
        for (delay, seconds, curve) in &workload.delays {
            let value = format!("{}: {}", delay.name(), curve.yaml());
            let few = if seconds.len() < FEW { ", few" } else { "" };
            let _ = writeln!(text, "    {value:<56} # {} pods{few}", seconds.len());
        }
        if let Some(middle) = median(&workload.pulls) {
            let most = workload.pulls.last().copied().unwrap_or(middle);
            let (middle, most) = (span(middle), span(most));
            let count = workload.pulls.len();
            let _ = writeln!(
                text,
                "    # of start, pulling images: {count} times, half of them up to {middle}, at most {most}"
            );
        }
    }
    text
}

/// The middle of sorted observations.
fn median(sorted: &[f64]) -> Option<f64> {
    sorted.get(sorted.len().checked_sub(1)? / 2).copied()
}

/// Seconds as a duration of whole tenths; shorter ones of milliseconds.
fn span(seconds: f64) -> Span {
    let ms = (seconds.max(0.0) * 1_000.0 + 0.5) as u64;
    Span::from_ms(if ms < 1_000 { ms } else { (ms + 50) / 100 * 100 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_says_what_it_rests_on() {
        let fitted = Fitted {
            workload: "deployment/web".into(),
            delays: vec![
                (Delay::Start, vec![2.0, 2.0, 3.0], Curve::Constant(2.3)),
                (Delay::Ready, vec![8.0; 12], Curve::LogNormal { median: 8.04, p99: 19.96 }),
            ],
            pulls: vec![0.5, 3.2],
        };
        let text = section(&[fitted]);
        let wanted = "\
pods:
  deployment/web:
    start: 2.3s                                              # 3 pods, few
    ready: {lognormal: {median: 8s, p99: 20s}}               # 12 pods
    # of start, pulling images: 2 times, half of them up to 0.5s, at most 3.2s
";
        assert_eq!(text, wanted);
    }
}
