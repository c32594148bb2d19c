//! What an application does inside its container, and what images take.

use crate::environment::Delay;
use crate::time::{SimTime, Span};
use std::sync::Arc;

/// What the process in a pod's container does, so that probes, hooks and
/// grace periods of the manifest mean something.
#[derive(Clone, PartialEq, Debug)]
pub struct App {
    /// The start of its process until it listens.
    pub boot: Delay,
    /// From then until it serves requests as it should.
    pub warm_up: Delay,
    /// How long it takes to answer a probe.
    pub answers: Delay,
    /// What it cannot serve requests without.
    pub depends_on: Arc<[Arc<str>]>,
    /// What its probes look at beside the process itself, in the order of
    /// [`ProbeKind::ALL`](crate::api::ProbeKind::ALL).
    pub checks: [Arc<[Check]>; 3],
    /// The start of its process until it hangs.
    pub deadlock: Delay,
    /// How long a command or a request of `preStop` takes.
    pub pre_stop: Delay,
    /// SIGTERM until it has finished its work and exits; absent as long as
    /// the profile's `terminate`.
    pub drain: Option<Delay>,
}

impl Default for App {
    fn default() -> App {
        let none = || Delay::Constant(Span::ZERO);
        App {
            boot: none(),
            warm_up: none(),
            answers: none(),
            depends_on: [].into(),
            checks: std::array::from_fn(|_| [].into()),
            deadlock: Delay::Never,
            pre_stop: none(),
            drain: None,
        }
    }
}

/// Something that a probe looks at.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Check {
    /// Whether the application is warm.
    WarmUp,
    /// Whether something it depends on can be reached.
    Dependency(Arc<str>),
}

/// How an init container or a sidecar behaves.
#[derive(Clone, PartialEq, Debug)]
pub struct InitRun {
    /// How long an init container works; a sidecar's start until its startup
    /// probe succeeds.
    pub takes: Delay,
    /// Exit code per try, the last one repeated; empty means 0.
    pub exits: Vec<i32>,
    /// How long a command or a request in a sidecar's `preStop` takes.
    pub pre_stop: Delay,
    /// SIGTERM until a sidecar exits.
    pub stop: Delay,
}

impl Default for InitRun {
    fn default() -> InitRun {
        let seconds = |n| Delay::Constant(Span::from_secs(n));
        InitRun { takes: seconds(1), exits: Vec::new(), pre_stop: seconds(0), stop: seconds(0) }
    }
}

/// What an image takes.
#[derive(Clone, PartialEq, Debug)]
pub struct Image {
    /// Its way from the registry to a node.
    pub pull: Delay,
    /// Until when the registry does not have it.
    pub missing_until: SimTime,
    /// Whether the nodes of the beginning have it already.
    pub cached: bool,
    /// How large it is, in bytes; unknown ones do not draw pods to nodes that
    /// have them.
    pub size: Option<i64>,
}
