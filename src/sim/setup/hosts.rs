//! The instances of components, and the clocks that they go by.

use crate::time::{Drift, Span};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// An instance of a component, on a host of its own.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Component {
    /// The API server.
    ApiServer,
    /// The leading controller manager.
    ControllerManager,
    /// The leading scheduler.
    Scheduler,
    /// The node of this name with its kubelet and containers.
    Node(Arc<str>),
}

/// As traces and scenarios name it: `controllerManager`, `node/a-1`.
impl fmt::Display for Component {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Component::ApiServer => f.write_str("apiServer"),
            Component::ControllerManager => f.write_str("controllerManager"),
            Component::Scheduler => f.write_str("scheduler"),
            Component::Node(name) => write!(f, "node/{name}"),
        }
    }
}

/// What a clock shows when its host joins, compared with true time.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct ClockSpec {
    /// Nanoseconds ahead of true time; negative if it is behind.
    pub offset_ns: i64,
    /// How fast it runs.
    pub drift: Drift,
    /// Each host differs from `offset_ns` by up to this much, drawn once.
    pub spread: Span,
}

impl ClockSpec {
    /// Whether this is a clock that is always right.
    pub fn is_right(&self) -> bool {
        *self == ClockSpec::default()
    }
}

/// The clocks of all components; by default all are right.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Clocks {
    /// The API server's.
    pub api_server: ClockSpec,
    /// The first controller manager's.
    pub controller_manager: ClockSpec,
    /// The first scheduler's.
    pub scheduler: ClockSpec,
    /// Those of kubelets that are not in `nodes`.
    pub kubelets: ClockSpec,
    /// Those of kubelets, by node.
    pub nodes: BTreeMap<Arc<str>, ClockSpec>,
}
