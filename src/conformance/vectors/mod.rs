//! Recorded results of single upstream functions, a JSON object per line,
//! compared with our rules. Which function it is says the file's name.

mod autoscaler;
mod cron;
mod daemon_rolling;
mod int_or_percent;
mod job_backoff;
pub mod pod_rank;
pub mod rollout;
mod stateful_set;

use serde_json::Value as Json;
use std::fmt;

/// What a function gave.
#[derive(Clone, PartialEq, Debug)]
pub enum Answer {
    /// A value.
    Value(Json),
    /// An error. Its text is for people and is not compared.
    Refused(String),
    /// We do not have this function yet.
    NotModelled,
}

impl Answer {
    /// An answer from something that can be refused.
    fn from_result<T: Into<Json>>(result: Result<T, String>) -> Answer {
        result.map_or_else(Answer::Refused, |value| Answer::Value(value.into()))
    }

    fn agrees_with(&self, other: &Answer) -> bool {
        match (self, other) {
            (Answer::Value(a), Answer::Value(b)) => a == b,
            (Answer::Refused(_), Answer::Refused(_)) => true,
            _ => false,
        }
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Answer::Value(value) => write!(f, "{value}"),
            Answer::Refused(error) => write!(f, "error: {error}"),
            Answer::NotModelled => f.write_str("not modelled"),
        }
    }
}

/// Reads a line: what upstream gave and what we give.
type Adapter = fn(&Json) -> Result<(Answer, Answer), serde_json::Error>;

/// The adapter for a file's name without its endings.
fn adapter(name: &str) -> Adapter {
    match name {
        "intstr_scaled" => int_or_percent::answers,
        "daemonset_rolling" => daemon_rolling::answers,
        "cron_next" => cron::next,
        "cron_invalid" => cron::invalid,
        "cron_missed" => cron::missed,
        "job_backoff" => job_backoff::answers,
        "rollout_step" => rollout::answers,
        "hpa_normalize" => autoscaler::normalize,
        "hpa_replicas" => autoscaler::replicas,
        "pod_delete_rank" => pod_rank::answers,
        "statefulset_update" => stateful_set::answers,
        _ => |_| Ok((Answer::NotModelled, Answer::NotModelled)),
    }
}

/// How many lines of a file agree.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Tally {
    /// Lines that are not empty.
    pub lines: usize,
    /// Lines on which we agree.
    pub agree: usize,
    /// The first line on which we do not: its number from 1, the line, and
    /// both answers.
    pub first: Option<String>,
}

/// Compares every line of a vector file; `name` is the file's without its
/// endings. Of a function that we do not have every line differs.
pub fn check(name: &str, text: &str) -> Tally {
    let (adapter, mut tally) = (adapter(name), Tally::default());
    for (i, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        tally.lines += 1;
        match serde_json::from_str(line).and_then(|json| adapter(&json)) {
            Ok((theirs, ours)) if theirs.agrees_with(&ours) => tally.agree += 1,
            Ok((theirs, ours)) => tally.note(i, line, &format!("recorded {theirs}\n  ours     {ours}")),
            Err(error) => tally.note(i, line, &format!("not a valid line: {error}")),
        }
    }
    tally
}

impl Tally {
    fn note(&mut self, index: usize, line: &str, text: &str) {
        if self.first.is_none() {
            self.first = Some(format!("line {}: {line}\n  {text}", index + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_counted_and_the_first_difference_kept() {
        let text = "{\"value\":5,\"total\":9,\"roundUp\":true,\"result\":5}\n\n\
                    {\"value\":\"50%\",\"total\":9,\"roundUp\":true,\"result\":4}\n\
                    {\"value\":\"50%\",\"total\":9,\"roundUp\":true,\"result\":3}\n";
        let tally = check("intstr_scaled", text);
        assert_eq!((tally.lines, tally.agree), (3, 1));
        let first = tally.first.expect("two differ");
        assert!(first.starts_with("line 3: {\"value\":\"50%\""), "{first}");
        assert!(first.ends_with("recorded 4\n  ours     5"), "{first}");
    }

    #[test]
    fn an_unknown_function_agrees_on_nothing() {
        let tally = check("something_new", "{\"result\":1}\n{\"result\":2}\n");
        assert_eq!((tally.lines, tally.agree), (2, 0));
        assert!(tally.first.expect("all differ").contains("not modelled"));
    }

    #[test]
    fn a_broken_line_is_a_difference() {
        assert!(check("intstr_scaled", "{\"value\":").first.expect("broken").contains("not a valid line"));
        assert!(check("intstr_scaled", "{}").first.expect("empty").contains("missing field"));
    }
}
