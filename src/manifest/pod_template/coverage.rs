//! Which fields of a template the simulator does not read.

use crate::manifest::notes::{Coverage, notes};
use serde_json::Value;

const TEMPLATE: Coverage = Coverage {
    read: &[
        "metadata.labels",
        "metadata.annotations",
        "spec.containers[].name",
        "spec.containers[].image",
        "spec.containers[].resources.limits",
        "spec.containers[].resources.requests",
        "spec.restartPolicy",
        "spec.terminationGracePeriodSeconds",
        "spec.nodeSelector",
        "spec.affinity",
        "spec.topologySpreadConstraints",
        "spec.priorityClassName",
        "spec.preemptionPolicy",
        "spec.schedulingGates",
        "spec.tolerations",
        "spec.overhead",
        "spec.volumes[].name",
        "spec.volumes[].persistentVolumeClaim",
        "spec.resources",
    ],
    quiet: &[
        ("metadata.creationTimestamp", None),
        ("spec.containers[].volumeMounts", None),
        ("spec.containers[].volumeDevices", None),
        ("spec.volumes[].emptyDir", None),
        ("spec.volumes[].configMap", None),
        ("spec.volumes[].secret", None),
        ("spec.volumes[].projected", None),
        ("spec.volumes[].downwardAPI", None),
        ("spec.volumes[].hostPath", None),
        ("spec.serviceAccount", None),
        ("spec.hostNetwork", None),
        ("spec.containers[].ports[].hostPort", None),
        ("spec.dnsPolicy", Some("ClusterFirst")),
        ("spec.schedulerName", Some("default-scheduler")),
        ("spec.enableServiceLinks", Some("true")),
        ("spec.priority", Some("0")),
        ("spec.containers[].imagePullPolicy", None),
        ("spec.containers[].terminationMessagePath", None),
        ("spec.containers[].terminationMessagePolicy", None),
    ],
    reasons: &[
        ("spec.initContainers", "not run, but their requests count, unless the scenario gives an `app` or `init`"),
        ("spec.containers[].readinessProbe", "pods become ready when the scenario says so, unless it gives an `app`"),
        ("spec.containers[].startupProbe", "pods become ready when the scenario says so, unless it gives an `app`"),
        ("spec.containers[].livenessProbe", "containers fail when the scenario says so, unless it gives an `app`"),
        ("spec.containers[].lifecycle", "pods take as long to stop as the scenario says, unless it gives an `app`"),
        ("spec.containers[].restartPolicy", "containers restart as the pod says"),
        ("spec.containers[].restartPolicyRules", "containers restart as the pod says"),
        ("spec.readinessGates", "pods become ready when the scenario says so"),
        ("spec.volumes[].ephemeral", "always there, and binds pods to no node"),
        ("spec.resourceClaims", "claims are always granted"),
        ("spec.priority", "it comes from the PriorityClass"),
        ("spec.schedulerName", "there is one scheduler"),
        ("spec.schedulingGroup", "pods are scheduled one by one"),
        ("spec.activeDeadlineSeconds", "the pod runs on"),
        ("spec.nodeName", "the scheduler chooses a node"),
    ],
};

/// The fields of a decoded template that are not read, each path once.
pub(in crate::manifest) fn not_modelled(template: &Value, prefix: &str) -> Vec<String> {
    notes(template, prefix, &TEMPLATE)
}
