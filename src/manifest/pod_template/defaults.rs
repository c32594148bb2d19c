//! What the API server fills into a pod template.
//!
//! Upstream: `pkg/apis/core/v1/defaults.go`

use serde_json::{Map, Value, json};

type Object = Map<String, Value>;

/// Fills in the defaults of a template, or of a pod, in place.
pub(in crate::manifest) fn apply(template: &mut Value) {
    if !template.is_object() {
        *template = json!({});
    }
    let Some(template) = template.as_object_mut() else { return };
    let spec = template.entry("spec").or_insert_with(|| json!({}));
    if let Some(spec) = spec.as_object_mut() {
        pod_spec(spec);
    }
}

/// Upstream: `pkg/apis/core/v1/defaults.go SetDefaults_PodSpec`
fn pod_spec(spec: &mut Object) {
    default(spec, "restartPolicy", "Always");
    default(spec, "dnsPolicy", "ClusterFirst");
    default(spec, "schedulerName", "default-scheduler");
    default(spec, "terminationGracePeriodSeconds", 30);
    default(spec, "securityContext", json!({}));
    // The old and the new name of one field are kept equal.
    let account = spec.get("serviceAccountName").or_else(|| spec.get("serviceAccount")).cloned();
    if let Some(account) = account {
        spec.insert("serviceAccountName".to_string(), account.clone());
        spec.insert("serviceAccount".to_string(), account);
    }
    for list in ["containers", "initContainers", "ephemeralContainers"] {
        each(spec, list, container);
    }
    each(spec, "volumes", volume);
}

/// Upstream: `pkg/apis/core/v1/defaults.go SetDefaults_Container`
fn container(c: &mut Object) {
    let image = c.get("image").and_then(Value::as_str).unwrap_or_default();
    let policy = if is_latest(image) { "Always" } else { "IfNotPresent" };
    default(c, "imagePullPolicy", policy);
    default(c, "terminationMessagePath", "/dev/termination-log");
    default(c, "terminationMessagePolicy", "File");
    each(c, "ports", |port| default(port, "protocol", "TCP"));
    each(c, "env", |variable| {
        within(variable, "valueFrom", |source| within(source, "fieldRef", field_ref));
    });
    for probe in ["livenessProbe", "readinessProbe", "startupProbe"] {
        within(c, probe, |p| {
            default(p, "timeoutSeconds", 1);
            default(p, "periodSeconds", 10);
            default(p, "successThreshold", 1);
            default(p, "failureThreshold", 3);
            within(p, "httpGet", http_get);
            within(p, "grpc", |grpc| default(grpc, "service", ""));
        });
    }
    within(c, "lifecycle", |lifecycle| {
        for hook in ["postStart", "preStop"] {
            within(lifecycle, hook, |h| within(h, "httpGet", http_get));
        }
    });
}

fn field_ref(field: &mut Object) {
    default(field, "apiVersion", "v1");
}

fn http_get(action: &mut Object) {
    default(action, "path", "/");
    default(action, "scheme", "HTTP");
}

/// Upstream: `pkg/apis/core/v1/defaults.go SetDefaults_Volume`
fn volume(v: &mut Object) {
    const MODE: i64 = 0o644;
    if v.keys().all(|name| name == "name") {
        v.insert("emptyDir".to_string(), json!({}));
    }
    for source in ["secret", "configMap", "downwardAPI", "projected"] {
        within(v, source, |s| default(s, "defaultMode", MODE));
    }
    within(v, "hostPath", |s| default(s, "type", ""));
    within(v, "iscsi", |s| default(s, "iscsiInterface", "default"));
    within(v, "image", |s| {
        let reference = s.get("reference").and_then(Value::as_str).unwrap_or_default();
        let policy = if is_latest(reference) { "Always" } else { "IfNotPresent" };
        default(s, "pullPolicy", policy);
    });
    within(v, "downwardAPI", |s| each(s, "items", |item| within(item, "fieldRef", field_ref)));
    within(v, "projected", |s| {
        each(s, "sources", |source| {
            within(source, "serviceAccountToken", |token| default(token, "expirationSeconds", 3600));
            within(source, "downwardAPI", |d| each(d, "items", |item| within(item, "fieldRef", field_ref)));
        });
    });
    within(v, "ephemeral", |s| {
        within(s, "volumeClaimTemplate", |t| within(t, "spec", |spec| default(spec, "volumeMode", "Filesystem")));
    });
}

/// Whether an image is pulled every time: no tag and no digest mean `latest`.
fn is_latest(image: &str) -> bool {
    let (name, digest) = image.split_once('@').map_or((image, ""), |(name, digest)| (name, digest));
    let tag = name.rsplit('/').next().and_then(|last| last.split_once(':')).map_or("", |(_, tag)| tag);
    tag == "latest" || (!name.is_empty() && tag.is_empty() && digest.is_empty())
}

fn default(object: &mut Object, name: &str, value: impl Into<Value>) {
    if !object.contains_key(name) {
        object.insert(name.to_string(), value.into());
    }
}

fn within(object: &mut Object, name: &str, change: impl FnOnce(&mut Object)) {
    if let Some(Value::Object(inner)) = object.get_mut(name) {
        change(inner);
    }
}

fn each(object: &mut Object, name: &str, mut change: impl FnMut(&mut Object)) {
    if let Some(Value::Array(items)) = object.get_mut(name) {
        items.iter_mut().filter_map(Value::as_object_mut).for_each(&mut change);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_without_a_tag_are_pulled_always() {
        for (image, latest) in [
            ("nginx", true),
            ("nginx:latest", true),
            ("nginx:1.27", false),
            ("localhost:5000/nginx", true),
            ("localhost:5000/nginx:1", false),
            ("nginx@sha256:abc", false),
            ("nginx:latest@sha256:abc", true),
            ("", false),
        ] {
            assert_eq!(is_latest(image), latest, "{image}");
        }
    }
}
