//! What is said of columns: the parts of sentences that say what to choose.

use super::column::{Axis, Column, Value};
use crate::figures::Unit;

/// The parts of sentences about an axis. `{}` stands where the value goes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Words {
    /// What somebody wants of all runs: `keep at least {} of 10 available`.
    pub keep: String,
    /// What a setting does then: `keeps {} of 10 available`.
    pub keeps: String,
    /// What it costs across: `the rollout takes {}`.
    pub takes: String,
    /// What it costs in the worst of all runs: `up to {} extra pods`.
    pub up_to: String,
    /// The same for one.
    pub up_to_one: String,
    /// What a setting without a value in every run does not do.
    pub finishes: String,
    /// The same of one setting in some of its runs.
    pub does_not: String,
    /// The axis of a picture, for the median: `the rollout takes`.
    pub across: String,
    /// The axis of a picture, for the worst of all runs.
    pub upright: String,
}

impl Words {
    /// What is said of an axis; `wanted` is the number of pods that are
    /// wanted, where there is one.
    pub fn of(axis: Axis, column: &Column, wanted: Option<Value>) -> Words {
        let words = column.words.as_str();
        let than = if axis.more { "or more" } else { "or less" };
        let extreme = match (axis.more, column.unit) {
            (true, Unit::Count) => "the fewest",
            (false, Unit::Count) => "the most",
            (true, Unit::Ms) => "the shortest",
            (false, Unit::Ms) => "the longest",
        };
        let mut all = Words {
            keep: format!("keep {words} at {{}} {than}"),
            keeps: format!("keeps {words} at {{}} {than}"),
            takes: format!("{words} {{}}"),
            up_to: format!("{words} {{}} {than}"),
            up_to_one: format!("{words} {{}} {than}"),
            finishes: format!("has a value of {words}"),
            does_not: format!("has no {words}"),
            across: words.to_string(),
            upright: format!("{words}: {extreme} of any run"),
        };
        match column.name.as_str() {
            "min_available" if column.figure.is_none() => {
                let of = wanted.map(|n| format!(" of {}", n.said(Unit::Count))).unwrap_or_default();
                all.keep = format!("keep at least {{}}{of} available");
                all.keeps = format!("keeps {{}}{of} available");
                all.upright = "fewest available pods in any run".to_string();
            }
            "max_extra" => {
                all.up_to = "up to {} extra pods".to_string();
                all.up_to_one = "up to {} extra pod".to_string();
                all.upright = "most pods beyond the wanted ones in any run".to_string();
            }
            "rollout_ms" => all.over("the rollout"),
            "completion_ms" => all.over("the Job"),
            _ => {}
        }
        all
    }

    /// Of what takes its time and may never be over.
    fn over(&mut self, what: &str) {
        self.takes = format!("{what} takes {{}}");
        self.across = format!("{what} takes");
        self.finishes = format!("finishes {what}");
        self.does_not = "does not finish".to_string();
        self.upright = format!("{what} takes: the longest of any run");
    }
}

/// A template with its value.
pub(super) fn filled(template: &str, value: &str) -> String {
    template.replacen("{}", value, 1)
}
