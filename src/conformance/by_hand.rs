//! Traces made by hand, for tests: what is compared here must not depend on
//! the simulator.

use crate::api::Kind;
use crate::time::SimTime;
use crate::trace::{Subject, Trace};

/// A trace without records whose subjects have these `Kind/name` paths.
pub(super) fn hand_made(paths: &[&str]) -> Trace {
    let mut trace = Trace::default();
    for path in paths {
        let (kind, name) = path.split_once('/').expect("Kind/name");
        trace.subjects.push(Subject {
            kind: Kind::parse(kind).expect("a kind"),
            namespace: "default".into(),
            name: name.into(),
            api_name: name.into(),
            owner: None,
            revision: 0,
            room: crate::api::Resources::default(),
            zone: None,
        });
    }
    trace
}

/// A time in milliseconds.
pub(super) fn ms(ms: u64) -> SimTime {
    SimTime::from_ms(ms)
}
