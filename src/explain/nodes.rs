//! Decisions about nodes and the pods on them, in words.

use crate::trace::Why;

/// The words for a decision about a node, or about a pod because of its node;
/// `None` for any other decision.
pub(super) fn reason(why: Why) -> Option<(String, &'static str)> {
    Some(match why {
        Why::NodeSilent { seconds } => (
            format!("not heard of for {seconds} s, so it is given up"),
            "nodelifecycle/node_lifecycle_controller.go tryUpdateNodeHealth",
        ),
        Why::NodeTaintTurn => (
            "it is its turn to lose its pods".to_string(),
            "nodelifecycle/node_lifecycle_controller.go doNoExecuteTaintingPass",
        ),
        Why::NodeTaintSwapped => (
            "not ready in another way than before".to_string(),
            "nodelifecycle/node_lifecycle_controller.go processTaintBaseEviction",
        ),
        Why::NodeReachable => (
            "the node is well, so nothing has to leave it".to_string(),
            "nodelifecycle/node_lifecycle_controller.go markNodeAsReachable",
        ),
        Why::NoZoneReady => (
            "no zone has a ready node, so nothing is evicted anywhere".to_string(),
            "nodelifecycle/node_lifecycle_controller.go handleDisruption",
        ),
        Why::TaintNotTolerated { seconds: 0 } => (
            "it does not tolerate the taints of its node".to_string(),
            "tainteviction/taint_eviction.go processPodOnNode",
        ),
        Why::TaintNotTolerated { seconds } => (
            format!("it has tolerated the taints of its node for {seconds} s"),
            "tainteviction/taint_eviction.go processPodOnNode",
        ),
        Why::NodeGone { seconds } => {
            (format!("its node has been gone for {seconds} s, so it goes"), "podgc/gc_controller.go gcOrphaned")
        }
        Why::NodeOutOfService => (
            "its machine is out of service, so it need not end first".to_string(),
            "podgc/gc_controller.go gcTerminating",
        ),
        Why::OverMemoryLimit { used_mebibytes, limit_mebibytes } => (
            format!("its container uses {used_mebibytes} MiB and may use {limit_mebibytes}: it is killed (OOMKilled)"),
            "pkg/kubelet/kuberuntime/kuberuntime_container_linux.go generateLinuxContainerResources",
        ),
        Why::NeverBound => {
            ("it is being deleted and never had a node".to_string(), "podgc/gc_controller.go gcUnscheduledTerminating")
        }
        Why::TooManyFinished { limit } => {
            (format!("more than {limit} pods have finished"), "podgc/gc_controller.go gcTerminated")
        }
        Why::TaintsFollowConditions => (
            "the taints follow the node's conditions".to_string(),
            "nodelifecycle/node_lifecycle_controller.go doNoScheduleTaintingPass",
        ),
        _ => return None,
    })
}
