//! Manifests that many tests use.

/// A Deployment of ten plain pods called web.
pub(crate) const WEB: &str = include_str!("../manifests/web.yaml");

/// The container of most pods, as a line of their spec.
pub(crate) const APP: &str = "      containers: [{name: app, image: 'app:v1'}]";

/// A Deployment with these lines as its pods' spec, and the line that ends
/// the document.
pub(crate) fn deployment(name: &str, replicas: u32, pod: &str) -> String {
    workload("Deployment", name, &format!("  replicas: {replicas}\n"), pod)
}

/// A DaemonSet with these lines as its pods' spec, and the line that ends the
/// document.
pub(crate) fn daemon_set(name: &str, pod: &str) -> String {
    workload("DaemonSet", name, "", pod)
}

fn workload(kind: &str, name: &str, spec: &str, pod: &str) -> String {
    format!(
        "apiVersion: apps/v1
kind: {kind}
metadata: {{name: {name}}}
spec:
{spec}  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata: {{labels: {{app: {name}}}}}
    spec:
{pod}
---
"
    )
}
