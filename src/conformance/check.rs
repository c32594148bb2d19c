//! One case: run it and say whether we agree.

use super::canonical;
use super::case::{Case, Expected};
use super::compare;
use super::envelope::Curves;
use super::explain;
use crate::sim;

/// Whether we agree with a recording.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// We do.
    Agrees,
    /// We do not: the first difference and why ours is as it is, in lines.
    Differs(String),
}

impl Outcome {
    /// Whether it is agreement.
    pub const fn agrees(&self) -> bool {
        matches!(self, Outcome::Agrees)
    }

    fn from_difference(difference: Option<String>) -> Outcome {
        difference.map_or(Outcome::Agrees, Outcome::Differs)
    }
}

/// What became of a case.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Checked {
    /// Its trace, or its curves.
    pub trace: Outcome,
    /// Its Kubernetes Events, if they were recorded.
    pub events: Option<Outcome>,
}

/// Runs a case and compares. What cannot be run differs.
pub fn check(case: &Case) -> Checked {
    let trace = match case.setup() {
        Ok(setup) => sim::run(&setup),
        Err(why) => {
            let differs = Outcome::Differs(why.to_string());
            let recorded = matches!(case.expected, Expected::Trace { .. });
            return Checked { trace: differs.clone(), events: recorded.then_some(differs) };
        }
    };
    match &case.expected {
        Expected::Trace { entries, events, freedom } => {
            let ours = canonical::entries(&trace, &case.action_names());
            let difference = compare::traces(entries, &ours, freedom);
            let unsaid = compare::events(events, &canonical::sent(&trace), freedom);
            Checked {
                trace: Outcome::from_difference(difference.map(|d| explain::entries(&trace, &d))),
                events: Some(Outcome::from_difference(unsaid.map(|d| explain::events(&trace, &d)))),
            }
        }
        Expected::Envelope(envelope) => {
            let curves = Curves::of(&trace, envelope.seconds());
            Checked { trace: Outcome::from_difference(envelope.check(&curves)), events: None }
        }
    }
}
