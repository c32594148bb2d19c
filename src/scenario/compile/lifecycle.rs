//! How lost nodes are noticed, and how pods leave them.

use super::Compiler;
use crate::controllers::NodeLifecycleSwitch;
use crate::controllers::node_lifecycle::NodeSettings;
use crate::controllers::pod_gc::FINISHED_PODS;
use crate::controllers::taint_eviction::DefaultTolerations;
use crate::scenario::file::{Duration, NodeLifecycle};
use crate::time::{SECOND, Span};

/// Where the settings stand in a scenario.
const FIELD: &str = "spec.cluster.nodeLifecycle";

impl Compiler<'_> {
    /// Who notices lost nodes, and how many finished pods are kept.
    pub(super) fn node_lifecycle(&mut self, given: &NodeLifecycle) -> (Option<NodeLifecycleSwitch>, Option<usize>) {
        let defaults = NodeSettings::default();
        let tolerations = DefaultTolerations::default();
        let nodes = NodeSettings {
            monitor_period: self.span(given.monitor_period, defaults.monitor_period, "monitorPeriod"),
            monitor_grace: self.span(given.monitor_grace_period, defaults.monitor_grace, "monitorGracePeriod"),
            eviction_rate: self.ratio(given.eviction_rate, defaults.eviction_rate, "evictionRate"),
            secondary_eviction_rate: self.ratio(
                given.secondary_eviction_rate,
                defaults.secondary_eviction_rate,
                "secondaryEvictionRate",
            ),
            large_cluster_size: given.large_zone.unwrap_or(defaults.large_cluster_size),
            unhealthy_zone: self.ratio(given.unhealthy_zone, defaults.unhealthy_zone, "unhealthyZone"),
        };
        if given.unhealthy_zone.is_some_and(|part| part > 1.0) {
            self.problem(&format!("{FIELD}.unhealthyZone"), "this is a part of a zone, from 0 to 1", None);
        }
        let tolerations = DefaultTolerations {
            not_ready_seconds: self.seconds(
                given.not_ready_toleration,
                tolerations.not_ready_seconds,
                "notReadyToleration",
            ),
            unreachable_seconds: self.seconds(
                given.unreachable_toleration,
                tolerations.unreachable_seconds,
                "unreachableToleration",
            ),
        };
        if given.enabled == Some(false) {
            return (None, None);
        }
        (Some(NodeLifecycleSwitch { nodes, tolerations }), Some(given.finished_pods.unwrap_or(FINISHED_PODS)))
    }

    fn span(&mut self, given: Option<Duration>, default: Span, field: &str) -> Span {
        if given.is_some_and(|given| given.0 == Span::ZERO) {
            self.problem(&format!("{FIELD}.{field}"), "this must be longer than 0", None);
        }
        given.map_or(default, |given| given.0)
    }

    fn seconds(&mut self, given: Option<Duration>, default: i64, field: &str) -> i64 {
        let Some(given) = given else { return default };
        if !given.0.0.is_multiple_of(SECOND) {
            self.problem(&format!("{FIELD}.{field}"), "tolerations have whole seconds", None);
        }
        (given.0.0 / SECOND) as i64
    }

    fn ratio(&mut self, given: Option<f32>, default: f32, field: &str) -> f32 {
        let Some(given) = given else { return default };
        if !given.is_finite() || given < 0.0 {
            self.problem(&format!("{FIELD}.{field}"), "this is a number from 0 on", None);
        }
        given
    }
}
