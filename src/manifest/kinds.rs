//! Which documents are for the simulator, which are for somebody else and
//! which are mistakes.

use super::suggest;
use crate::api::Kind;
use crate::error::Problem;
use serde_json::Value;

/// What kind of document something is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum KnownKind {
    /// [`read`](super::read) takes it.
    Modelled(Kind),
    /// A list as `kubectl get -o yaml` prints it: see [`items`](super::items).
    List,
    /// Kubernetes knows it, the simulator does without it.
    NotSimulated {
        /// Its `apiVersion`.
        api_version: String,
        /// Its `kind`.
        kind: String,
    },
}

/// The kinds of Kubernetes v1.36 with the versions that serve them, the
/// preferred one first.
const KINDS: &[(&str, &[&str])] = &[
    ("Deployment", &["apps/v1"]),
    ("ReplicaSet", &["apps/v1"]),
    ("Pod", &["v1"]),
    ("StatefulSet", &["apps/v1"]),
    ("DaemonSet", &["apps/v1"]),
    ("Job", &["batch/v1"]),
    ("CronJob", &["batch/v1"]),
    ("ControllerRevision", &["apps/v1"]),
    ("Node", &["v1"]),
    ("Namespace", &["v1"]),
    ("Service", &["v1"]),
    ("ConfigMap", &["v1"]),
    ("Secret", &["v1"]),
    ("ServiceAccount", &["v1"]),
    ("Endpoints", &["v1"]),
    ("Event", &["v1", "events.k8s.io/v1"]),
    ("LimitRange", &["v1"]),
    ("PersistentVolume", &["v1"]),
    ("PersistentVolumeClaim", &["v1"]),
    ("PodTemplate", &["v1"]),
    ("ReplicationController", &["v1"]),
    ("ResourceQuota", &["v1"]),
    ("HorizontalPodAutoscaler", &["autoscaling/v2", "autoscaling/v1"]),
    ("PodDisruptionBudget", &["policy/v1"]),
    ("NetworkPolicy", &["networking.k8s.io/v1"]),
    ("Ingress", &["networking.k8s.io/v1"]),
    ("IngressClass", &["networking.k8s.io/v1"]),
    ("IPAddress", &["networking.k8s.io/v1"]),
    ("ServiceCIDR", &["networking.k8s.io/v1"]),
    ("EndpointSlice", &["discovery.k8s.io/v1"]),
    ("Role", &["rbac.authorization.k8s.io/v1"]),
    ("RoleBinding", &["rbac.authorization.k8s.io/v1"]),
    ("ClusterRole", &["rbac.authorization.k8s.io/v1"]),
    ("ClusterRoleBinding", &["rbac.authorization.k8s.io/v1"]),
    ("StorageClass", &["storage.k8s.io/v1"]),
    ("CSIDriver", &["storage.k8s.io/v1"]),
    ("CSINode", &["storage.k8s.io/v1"]),
    ("CSIStorageCapacity", &["storage.k8s.io/v1"]),
    ("VolumeAttachment", &["storage.k8s.io/v1"]),
    ("VolumeAttributesClass", &["storage.k8s.io/v1"]),
    ("PriorityClass", &["scheduling.k8s.io/v1"]),
    ("RuntimeClass", &["node.k8s.io/v1"]),
    ("Lease", &["coordination.k8s.io/v1"]),
    ("DeviceClass", &["resource.k8s.io/v1"]),
    ("ResourceClaim", &["resource.k8s.io/v1"]),
    ("ResourceClaimTemplate", &["resource.k8s.io/v1"]),
    ("ResourceSlice", &["resource.k8s.io/v1"]),
    ("CustomResourceDefinition", &["apiextensions.k8s.io/v1"]),
    ("APIService", &["apiregistration.k8s.io/v1"]),
    ("MutatingWebhookConfiguration", &["admissionregistration.k8s.io/v1"]),
    ("ValidatingWebhookConfiguration", &["admissionregistration.k8s.io/v1"]),
    ("ValidatingAdmissionPolicy", &["admissionregistration.k8s.io/v1"]),
    ("ValidatingAdmissionPolicyBinding", &["admissionregistration.k8s.io/v1"]),
    ("FlowSchema", &["flowcontrol.apiserver.k8s.io/v1"]),
    ("PriorityLevelConfiguration", &["flowcontrol.apiserver.k8s.io/v1"]),
    ("CertificateSigningRequest", &["certificates.k8s.io/v1"]),
];

/// Versions that once served these kinds and the release that ended it.
const REMOVED: &[(&str, &str, &str)] = &[
    ("extensions/v1beta1", "Ingress", "1.22"),
    ("extensions/v1beta1", "", "1.16"),
    ("apps/v1beta1", "", "1.16"),
    ("apps/v1beta2", "", "1.16"),
    ("batch/v1beta1", "CronJob", "1.25"),
    ("batch/v2alpha1", "CronJob", "1.21"),
    ("policy/v1beta1", "PodDisruptionBudget", "1.25"),
    ("autoscaling/v2beta1", "", "1.25"),
    ("autoscaling/v2beta2", "", "1.26"),
    ("networking.k8s.io/v1beta1", "", "1.22"),
    ("rbac.authorization.k8s.io/v1beta1", "", "1.22"),
    ("storage.k8s.io/v1beta1", "", "1.22"),
    ("scheduling.k8s.io/v1beta1", "", "1.22"),
    ("apiextensions.k8s.io/v1beta1", "", "1.22"),
    ("admissionregistration.k8s.io/v1beta1", "", "1.22"),
    ("discovery.k8s.io/v1beta1", "", "1.25"),
    ("coordination.k8s.io/v1beta1", "", "1.22"),
];

/// Says what kind of document this is.
///
/// # Errors
/// One problem if `apiVersion` or `kind` is missing, misspelt or no longer
/// served.
pub fn kind_of(value: &Value) -> Result<KnownKind, Problem> {
    if !value.is_object() {
        return Err(Problem::new("expected a Kubernetes object, a mapping with apiVersion and kind"));
    }
    let kind = text(value, "kind")?;
    let api_version = text(value, "apiVersion")?;
    let Some(kind) = kind else {
        return Err(Problem::new("Required value").in_field("kind").with_hint("such as kind: Deployment"));
    };
    let served = KINDS.iter().find(|(known, _)| *known == kind).map(|(_, versions)| *versions);
    let Some(api_version) = api_version else {
        let hint = served.map(|v| format!("{kind} is in {}", v[0]));
        return Err(Problem { hint, ..Problem::new("Required value").in_field("apiVersion") });
    };
    if is_custom(api_version) {
        return Ok(not_simulated(api_version, kind));
    }
    match served {
        _ if kind == "List" && api_version == "v1" => Ok(KnownKind::List),
        _ if kind.ends_with("List") && api_version == "v1" => Ok(KnownKind::List),
        Some(versions) if versions.contains(&api_version) => Ok(match kind {
            "Deployment" => KnownKind::Modelled(Kind::Deployment),
            "ReplicaSet" => KnownKind::Modelled(Kind::ReplicaSet),
            "StatefulSet" => KnownKind::Modelled(Kind::StatefulSet),
            "DaemonSet" => KnownKind::Modelled(Kind::DaemonSet),
            "Job" => KnownKind::Modelled(Kind::Job),
            "CronJob" => KnownKind::Modelled(Kind::CronJob),
            "Pod" => KnownKind::Modelled(Kind::Pod),
            "PersistentVolumeClaim" => KnownKind::Modelled(Kind::PersistentVolumeClaim),
            "PersistentVolume" => KnownKind::Modelled(Kind::PersistentVolume),
            "StorageClass" => KnownKind::Modelled(Kind::StorageClass),
            "Service" => KnownKind::Modelled(Kind::Service),
            "PodDisruptionBudget" => KnownKind::Modelled(Kind::PodDisruptionBudget),
            "HorizontalPodAutoscaler" if api_version == "autoscaling/v2" => {
                KnownKind::Modelled(Kind::HorizontalPodAutoscaler)
            }
            _ => not_simulated(api_version, kind),
        }),
        Some(versions) => Err(wrong_version(kind, api_version, versions)),
        None if is_preview(api_version) => Ok(not_simulated(api_version, kind)),
        None => Err(unknown_kind(kind, api_version)),
    }
}

/// The version that manifests of a kind are best written in.
pub(super) fn api_version(kind: Kind) -> &'static str {
    KINDS.iter().find(|(known, _)| *known == kind.name()).map_or("v1", |(_, versions)| versions[0])
}

fn text<'a>(value: &'a Value, field: &str) -> Result<Option<&'a str>, Problem> {
    match value.get(field) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(s)) if s.is_empty() => Ok(None),
        Some(Value::String(s)) => Ok(Some(s)),
        Some(other) => Err(Problem::new(format!("expected a string, found {other}")).in_field(field)),
    }
}

fn not_simulated(api_version: &str, kind: &str) -> KnownKind {
    KnownKind::NotSimulated { api_version: api_version.to_string(), kind: kind.to_string() }
}

/// A custom resource: its group is a domain that is not Kubernetes' own.
fn is_custom(api_version: &str) -> bool {
    let group = |version: &str| version.split_once('/').map_or(String::new(), |(group, _)| group.to_string());
    let own = group(api_version);
    own.contains('.') && !KINDS.iter().flat_map(|(_, versions)| *versions).any(|served| group(served) == own)
}

/// Alpha and beta versions of Kubernetes' own groups have kinds that come and go.
fn is_preview(api_version: &str) -> bool {
    let version = api_version.rsplit('/').next().unwrap_or(api_version);
    api_version.contains(".k8s.io/") && (version.contains("alpha") || version.contains("beta"))
}

fn no_match(kind: &str, api_version: &str) -> String {
    format!("no matches for kind {kind:?} in version {api_version:?}")
}

fn wrong_version(kind: &str, api_version: &str, versions: &[&str]) -> Problem {
    let removed = REMOVED.iter().find(|(v, k, _)| *v == api_version && (k.is_empty() || *k == kind)).map(|(_, _, r)| r);
    let hint = match removed {
        Some(release) => format!("removed in Kubernetes {release}: write {}", versions[0]),
        None => format!("{kind} is in {}", versions[0]),
    };
    Problem::new(no_match(kind, api_version)).in_field("apiVersion").with_hint(hint)
}

fn unknown_kind(kind: &str, api_version: &str) -> Problem {
    let problem = Problem::new(no_match(kind, api_version)).in_field("kind");
    let short = Kind::parse(kind).map(Kind::name);
    match short.or_else(|| suggest::closest(kind, KINDS.iter().map(|(known, _)| *known))) {
        Some(near) => problem.with_hint(format!("did you mean {near:?}?")),
        None => problem,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn documents_are_told_apart() {
        for (api_version, kind, expected) in [
            ("apps/v1", "Deployment", "Modelled(Deployment)"),
            ("apps/v1", "ReplicaSet", "Modelled(ReplicaSet)"),
            ("v1", "Pod", "Modelled(Pod)"),
            ("v1", "List", "List"),
            ("v1", "Service", "Modelled(Service)"),
            ("v1", "ConfigMap", "NotSimulated { api_version: \"v1\", kind: \"ConfigMap\" }"),
            (
                "argoproj.io/v1alpha1",
                "Rollout",
                "NotSimulated { api_version: \"argoproj.io/v1alpha1\", kind: \"Rollout\" }",
            ),
        ] {
            let found = kind_of(&json!({"apiVersion": api_version, "kind": kind}));
            assert_eq!(format!("{:?}", found.unwrap()), expected);
        }
    }

    #[test]
    fn wrong_kinds_and_versions_are_explained() {
        for (document, message) in [
            (
                json!({"apiVersion": "extensions/v1beta1", "kind": "Deployment"}),
                "apiVersion: no matches for kind \"Deployment\" in version \"extensions/v1beta1\" (removed in Kubernetes 1.16: write apps/v1)",
            ),
            (
                json!({"apiVersion": "v1", "kind": "Deployment"}),
                "apiVersion: no matches for kind \"Deployment\" in version \"v1\" (Deployment is in apps/v1)",
            ),
            (
                json!({"apiVersion": "apps/v1", "kind": "Deployement"}),
                "kind: no matches for kind \"Deployement\" in version \"apps/v1\" (did you mean \"Deployment\"?)",
            ),
            (
                json!({"apiVersion": "apps/v1", "kind": "deploy"}),
                "kind: no matches for kind \"deploy\" in version \"apps/v1\" (did you mean \"Deployment\"?)",
            ),
            (
                json!({"apiVersion": "apps/v1", "kind": "Rocket"}),
                "kind: no matches for kind \"Rocket\" in version \"apps/v1\"",
            ),
            (json!({"kind": "Deployment"}), "apiVersion: Required value (Deployment is in apps/v1)"),
            (json!({"apiVersion": "apps/v1"}), "kind: Required value (such as kind: Deployment)"),
            (json!([]), "expected a Kubernetes object, a mapping with apiVersion and kind"),
        ] {
            assert_eq!(kind_of(&document).unwrap_err().to_string(), message);
        }
    }
}
