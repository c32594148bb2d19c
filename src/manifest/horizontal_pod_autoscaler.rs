//! `autoscaling/v2` HorizontalPodAutoscaler, from and to JSON.

use super::fields::Fields;
use super::problems::{Problems, invalid};
use super::shape::Shape::{Any, Int32, Opt, Ptr, Quantity, Struct, Structs, Text};
use super::shape::common::{LABEL_SELECTOR, OBJECT_META};
use super::shape::{decode, shapes};
use super::{Loaded, meta, quantity, selector, syntax};
use crate::api::{
    HorizontalPodAutoscaler, HorizontalPodAutoscalerSpec, HorizontalPodAutoscalerStatus, MetricName, MetricSource,
    MetricSpec, MetricTarget, Object, ObjectRef, PolicyType, ScalingBehavior, ScalingPolicy, ScalingRules,
    SelectPolicy, parse_nanos, parse_quantity,
};
use crate::error::Problem;
use serde_json::{Value, json};
use std::sync::Arc;

shapes! {
    OBJECT_REF {
        kind: Text, name: Text, apiVersion: Text,
    }
    TARGET {
        type: Text, value: Opt(&Quantity), averageValue: Opt(&Quantity), averageUtilization: Opt(&Int32),
    }
    METRIC_IDENTIFIER {
        name: Text, selector: Ptr(&LABEL_SELECTOR),
    }
    OBJECT_SOURCE {
        describedObject: Struct(&OBJECT_REF), target: Struct(&TARGET), metric: Struct(&METRIC_IDENTIFIER),
    }
    METRIC_SOURCE {
        metric: Struct(&METRIC_IDENTIFIER), target: Struct(&TARGET),
    }
    RESOURCE_SOURCE {
        name: Text, target: Struct(&TARGET),
    }
    CONTAINER_RESOURCE_SOURCE {
        name: Text, target: Struct(&TARGET), container: Text,
    }
    METRIC_SPEC {
        type: Text, object: Ptr(&OBJECT_SOURCE), pods: Ptr(&METRIC_SOURCE), resource: Ptr(&RESOURCE_SOURCE),
        containerResource: Ptr(&CONTAINER_RESOURCE_SOURCE), external: Ptr(&METRIC_SOURCE),
    }
    SCALING_POLICY {
        type: Text, value: Int32, periodSeconds: Int32,
    }
    SCALING_RULES {
        stabilizationWindowSeconds: Opt(&Int32), selectPolicy: Opt(&Text), policies: Structs(&SCALING_POLICY),
        tolerance: Any,
    }
    BEHAVIOR {
        scaleUp: Ptr(&SCALING_RULES), scaleDown: Ptr(&SCALING_RULES),
    }
    SPEC {
        scaleTargetRef: Struct(&OBJECT_REF), minReplicas: Opt(&Int32), maxReplicas: Int32,
        metrics: Structs(&METRIC_SPEC), behavior: Ptr(&BEHAVIOR),
    }
    AUTOSCALER {
        apiVersion: Text, kind: Text, metadata: Struct(&OBJECT_META), spec: Struct(&SPEC),
        status: Any,
    }
}

/// The kinds of metric sources, each with the field that says more, in the
/// order in which the API server looks at them.
const SOURCES: [(&str, &str); 5] = [
    ("Object", "object"),
    ("External", "external"),
    ("Pods", "pods"),
    ("Resource", "resource"),
    ("ContainerResource", "containerResource"),
];

/// The API server's list of them, sorted.
const SOURCE_NAMES: [&str; 5] = ["ContainerResource", "External", "Object", "Pods", "Resource"];

/// Upstream: `pkg/apis/autoscaling/validation/validation.go ValidateHorizontalPodAutoscaler`
pub(super) fn read(value: &Value) -> Result<Loaded, Vec<Problem>> {
    let mut problems = Problems::default();
    let document = decode(value, &AUTOSCALER, &mut problems);
    let f = Fields::new(&document, "");
    let not_modelled = meta::foreign_holders(&f);
    let meta = meta::read(&f, &mut problems);
    let spec = read_spec(&f.object("spec"), &mut problems);
    let autoscaler = HorizontalPodAutoscaler { meta, spec, status: HorizontalPodAutoscalerStatus::default() };
    problems.finish(Loaded { object: Object::HorizontalPodAutoscaler(Box::new(autoscaler)), not_modelled })
}

/// Upstream: `pkg/apis/autoscaling/validation/validation.go validateHorizontalPodAutoscalerSpec`,
/// `pkg/apis/autoscaling/v2/defaults.go SetDefaults_HorizontalPodAutoscaler`
fn read_spec(f: &Fields, problems: &mut Problems) -> HorizontalPodAutoscalerSpec {
    let min_replicas = f.int32("minReplicas", 1);
    if min_replicas < 1 {
        problems.invalid(&f.path("minReplicas"), min_replicas, "must be greater than or equal to 1");
    }
    let max_replicas = f.int32("maxReplicas", 0);
    let path = f.path("maxReplicas");
    match max_replicas {
        0 => problems.required(&path, "must be set and greater than 0"),
        ..0 => problems.invalid(&path, max_replicas, "must be greater than or equal to 1"),
        _ if max_replicas < min_replicas => {
            problems.invalid(&path, max_replicas, "must be greater than or equal to `minReplicas`");
        }
        _ => {}
    }
    let target = read_ref(&f.object("scaleTargetRef"), true, problems);
    let mut metrics: Vec<MetricSpec> =
        f.objects("metrics").iter().filter_map(|metric| read_metric(metric, problems)).collect();
    if f.list("metrics").is_empty() {
        let target = MetricTarget { kind: "Utilization".into(), average_utilization: Some(80), ..Default::default() };
        metrics.push(MetricSpec { source: MetricSource::Resource { resource: "cpu".into() }, target });
    }
    let behavior = f.object("behavior");
    let behavior = f.has("behavior").then(|| ScalingBehavior {
        up: read_rules(&behavior, "scaleUp", ScalingRules::default_up(), problems),
        down: read_rules(&behavior, "scaleDown", ScalingRules::default_down(), problems),
    });
    HorizontalPodAutoscalerSpec { target, min_replicas, max_replicas, metrics, behavior }
}

/// Upstream: `pkg/apis/autoscaling/validation/validation.go ValidateCrossVersionObjectReference`
fn read_ref(f: &Fields, needs_group: bool, problems: &mut Problems) -> ObjectRef {
    for field in ["kind", "name"] {
        match f.text(field) {
            "" => problems.required(&f.path(field), ""),
            text => segment(&f.path(field), text, problems),
        }
    }
    let version = f.text("apiVersion");
    if version.matches('/').count() > 1 {
        problems.invalid(&f.path("apiVersion"), version, &format!("unexpected GroupVersion string: {version}"));
    } else if needs_group && !version.contains('/') && f.text("kind") != "ReplicationController" {
        let message = invalid(version, "apiVersion must specify API group");
        problems.add_with_hint(&f.path("apiVersion"), message, "such as apps/v1 for a Deployment");
    }
    ObjectRef { api_version: version.into(), kind: f.text("kind").into(), name: f.text("name").into() }
}

/// What can be one part of a path.
///
/// Upstream: `staging/src/k8s.io/apimachinery/pkg/api/validate/content/path.go IsPathSegmentName`
fn segment(path: &str, text: &str, problems: &mut Problems) {
    if text == "." || text == ".." {
        problems.invalid(path, text, &format!("may not be '{text}'"));
    }
    for part in ["/", "%"].into_iter().filter(|part| text.contains(part)) {
        problems.invalid(path, text, &format!("may not contain '{part}'"));
    }
}

/// Upstream: `pkg/apis/autoscaling/validation/validation.go validateMetricSpec`
fn read_metric(f: &Fields, problems: &mut Problems) -> Option<MetricSpec> {
    let kind = f.text("type");
    if kind.is_empty() {
        problems.required(&f.path("type"), "must specify a metric source type");
    } else {
        problems.one_of(&f.path("type"), kind, &SOURCE_NAMES);
    }
    let present: Vec<&str> = SOURCES.iter().map(|(_, field)| *field).filter(|field| f.has(field)).collect();
    let expected = SOURCES.iter().find(|(name, _)| *name == kind).map(|(_, field)| *field);
    // Only the first one is looked into, as by the API server.
    let read = present.first().map(|field| (*field, read_source(&f.object(field), field, problems)));
    if let Some(expected) = expected.filter(|field| !f.has(field)) {
        problems.required(&f.path(expected), "must populate information for the given metric source");
    }
    if present.len() != 1 {
        for field in present.iter().filter(|field| Some(**field) != expected) {
            problems.forbidden(&f.path(field), "must populate the given metric source only");
        }
    }
    read.filter(|(field, _)| Some(*field) == expected).map(|(_, spec)| spec)
}

/// Upstream: `pkg/apis/autoscaling/validation/validation.go validateObjectSource`,
/// `validateExternalSource`, `validatePodsSource`, `validateResourceSource`,
/// `validateContainerResourceSource`
fn read_source(f: &Fields, field: &str, problems: &mut Problems) -> MetricSpec {
    let source = match field {
        "object" => MetricSource::Object {
            described: read_ref(&f.object("describedObject"), false, problems),
            metric: read_name(f, problems),
        },
        "external" => MetricSource::External(read_name(f, problems)),
        "pods" => MetricSource::Pods(read_name(f, problems)),
        _ => read_resource(f, field == "containerResource", problems),
    };
    let at = f.object("target");
    let target = read_target(&at, problems);
    let (either, both): (&str, Option<(&str, &str)>) = match field {
        "object" => ("must set either a target value or averageValue", None),
        "external" => (
            "must set either a target value for metric or a per-pod target",
            Some(("value", "may not set both a target value for metric and a per-pod target")),
        ),
        "pods" => ("must specify a positive target averageValue", None),
        _ => (
            "must set either a target raw value or a target utilization",
            Some(("averageValue", "may not set both a target raw value and a target utilization")),
        ),
    };
    let (given, wanted) = match field {
        "object" | "external" => ((target.value.is_some(), target.average_value.is_some()), "averageValue"),
        "pods" => ((false, target.average_value.is_some()), "averageValue"),
        _ => ((target.average_utilization.is_some(), target.average_value.is_some()), "averageUtilization"),
    };
    match (given, both) {
        ((false, false), _) => problems.required(&at.path(wanted), either),
        ((true, true), Some((field, message))) => problems.forbidden(&at.path(field), message),
        _ => {}
    }
    MetricSpec { source, target }
}

fn read_resource(f: &Fields, of_container: bool, problems: &mut Problems) -> MetricSource {
    let (resource, container) = (f.text("name"), f.text("container"));
    if resource.is_empty() {
        problems.required(&f.path("name"), "must specify a resource name");
    }
    if !of_container {
        return MetricSource::Resource { resource: resource.into() };
    }
    if container.is_empty() {
        problems.required(&f.path("container"), "must specify a container");
    } else {
        problems.invalid_text(&f.path("container"), container, &syntax::dns_label(container));
    }
    MetricSource::ContainerResource { resource: resource.into(), container: container.into() }
}

/// Upstream: `pkg/apis/autoscaling/validation/validation.go validateMetricIdentifier`
fn read_name(f: &Fields, problems: &mut Problems) -> MetricName {
    let f = f.object("metric");
    match f.text("name") {
        "" => problems.required(&f.path("name"), "must specify a metric name"),
        name => segment(&f.path("name"), name, problems),
    }
    MetricName {
        name: f.text("name").into(),
        selector: f.has("selector").then(|| Arc::new(selector::read_any(&f.object("selector"), problems))),
    }
}

/// Upstream: `pkg/apis/autoscaling/validation/validation.go validateMetricTarget`
fn read_target(f: &Fields, problems: &mut Problems) -> MetricTarget {
    let kind = f.text("type");
    if kind.is_empty() {
        problems.required(&f.path("type"), "must specify a metric target type");
    } else if !["Utilization", "Value", "AverageValue"].contains(&kind) {
        let message = invalid(kind, "must be either Utilization, Value, or AverageValue");
        problems.add(&f.path("type"), message);
    }
    let mut amount = |name: &str| {
        let text = f.get(name)?.as_str()?;
        let milli = parse_quantity(text).ok()?;
        if milli <= 0 {
            problems.invalid(&f.path(name), text, "must be positive");
        }
        Some(milli)
    };
    let (value, average_value) = (amount("value"), amount("averageValue"));
    let average_utilization = f.has("averageUtilization").then(|| f.int32("averageUtilization", 0));
    if average_utilization.is_some_and(|percent| percent < 1) {
        problems.invalid(&f.path("averageUtilization"), average_utilization, "must be greater than 0");
    }
    MetricTarget { kind: kind.into(), average_utilization, average_value, value }
}

/// Reads rules over the defaults.
///
/// Upstream: `pkg/apis/autoscaling/validation/validation.go validateScalingRules`,
/// `pkg/apis/autoscaling/v2/defaults.go copyHPAScalingRules`
fn read_rules(behavior: &Fields, name: &str, defaults: ScalingRules, problems: &mut Problems) -> ScalingRules {
    let f = behavior.object(name);
    let mut rules = defaults;
    if f.has("stabilizationWindowSeconds") {
        let (path, seconds) = (f.path("stabilizationWindowSeconds"), f.int32("stabilizationWindowSeconds", 0));
        match seconds {
            ..0 => problems.invalid(&path, seconds, "must be greater than or equal to zero"),
            3_601.. => problems.invalid(&path, seconds, "must be less than or equal to 3600"),
            _ => {}
        }
        rules.stabilization_seconds = Some(seconds);
    }
    if let Some(select) = f.get("selectPolicy").and_then(Value::as_str) {
        problems.one_of(&f.path("selectPolicy"), select, &SelectPolicy::ALL.map(SelectPolicy::name));
        rules.select = SelectPolicy::ALL.into_iter().find(|known| known.name() == select).unwrap_or_default();
    }
    if f.has("policies") {
        if f.list("policies").is_empty() {
            problems.required(&f.path("policies"), "must specify at least one Policy");
        }
        rules.policies = f.objects("policies").iter().map(|policy| read_policy(policy, problems)).collect();
    }
    // Amounts of pods are rounded up to thousandths; this is none.
    if let Some(tolerance) = f.get("tolerance").filter(|value| !value.is_null()) {
        let text = tolerance.as_str().map_or_else(|| tolerance.to_string(), str::to_string);
        match parse_nanos(&text) {
            Ok(nanos) if nanos >= 0 => rules.tolerance_nanos = Some(nanos),
            Ok(_) => problems.invalid(&f.path("tolerance"), &*text, "must be greater than or equal to 0"),
            Err(message) => problems.add(&f.path("tolerance"), message),
        }
    }
    rules
}

/// Upstream: `pkg/apis/autoscaling/validation/validation.go validateScalingPolicy`
fn read_policy(f: &Fields, problems: &mut Problems) -> ScalingPolicy {
    let kind = f.text("type");
    problems.one_of(&f.path("type"), kind, &["Percent", "Pods"]);
    let value = f.int32("value", 0);
    if value <= 0 {
        problems.invalid(&f.path("value"), value, "must be greater than zero");
    }
    let period_seconds = f.int32("periodSeconds", 0);
    match period_seconds {
        ..=0 => problems.invalid(&f.path("periodSeconds"), period_seconds, "must be greater than zero"),
        1_801.. => problems.invalid(&f.path("periodSeconds"), period_seconds, "must be less than or equal to 1800"),
        _ => {}
    }
    let kind = if kind == "Percent" { PolicyType::Percent } else { PolicyType::Pods };
    ScalingPolicy { kind, value, period_seconds }
}

/// The HorizontalPodAutoscaler as a client would send it.
pub(super) fn to_json(autoscaler: &HorizontalPodAutoscaler) -> Value {
    let spec = &autoscaler.spec;
    let mut json = json!({
        "scaleTargetRef": ref_to_json(&spec.target),
        "minReplicas": spec.min_replicas,
        "maxReplicas": spec.max_replicas,
        "metrics": spec.metrics.iter().map(metric_to_json).collect::<Vec<_>>(),
    });
    if let Some(behavior) = &spec.behavior {
        json["behavior"] = json!({"scaleUp": rules_to_json(&behavior.up), "scaleDown": rules_to_json(&behavior.down)});
    }
    json!({
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": meta::to_json(&autoscaler.meta, &[]),
        "spec": json,
    })
}

fn ref_to_json(object: &ObjectRef) -> Value {
    json!({"apiVersion": &*object.api_version, "kind": &*object.kind, "name": &*object.name})
}

fn metric_to_json(metric: &MetricSpec) -> Value {
    let target = target_to_json(&metric.target);
    let name = |metric: &MetricName| {
        let mut json = json!({"name": &*metric.name});
        if let Some(selector) = &metric.selector {
            json["selector"] = selector::to_json(selector);
        }
        json
    };
    match &metric.source {
        MetricSource::Resource { resource } => {
            json!({"type": "Resource", "resource": {"name": &**resource, "target": target}})
        }
        MetricSource::ContainerResource { resource, container } => json!({
            "type": "ContainerResource",
            "containerResource": {"name": &**resource, "container": &**container, "target": target},
        }),
        MetricSource::Pods(metric) => json!({"type": "Pods", "pods": {"metric": name(metric), "target": target}}),
        MetricSource::Object { described, metric } => json!({
            "type": "Object",
            "object": {"describedObject": ref_to_json(described), "metric": name(metric), "target": target},
        }),
        MetricSource::External(metric) => {
            json!({"type": "External", "external": {"metric": name(metric), "target": target}})
        }
    }
}

fn target_to_json(target: &MetricTarget) -> Value {
    let mut json = json!({"type": &*target.kind});
    let amount = |milli: i64| quantity::canonical(&format!("{milli}m"), false).unwrap_or_default();
    if let Some(percent) = target.average_utilization {
        json["averageUtilization"] = json!(percent);
    }
    if let Some(milli) = target.average_value {
        json["averageValue"] = json!(amount(milli));
    }
    if let Some(milli) = target.value {
        json["value"] = json!(amount(milli));
    }
    json
}

fn rules_to_json(rules: &ScalingRules) -> Value {
    let policies = rules.policies.iter().map(|policy| {
        let kind = if policy.kind == PolicyType::Pods { "Pods" } else { "Percent" };
        json!({"type": kind, "value": policy.value, "periodSeconds": policy.period_seconds})
    });
    let mut json = json!({"selectPolicy": rules.select.name(), "policies": policies.collect::<Vec<_>>()});
    if let Some(seconds) = rules.stabilization_seconds {
        json["stabilizationWindowSeconds"] = json!(seconds);
    }
    if let Some(nanos) = rules.tolerance_nanos {
        json["tolerance"] = json!(format!("{nanos}n"));
    }
    json
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(spec: &Value) -> Value {
        let mut document = json!({
            "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "web"},
            "spec": {"maxReplicas": 10, "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}}
        });
        for (name, value) in spec.as_object().into_iter().flatten() {
            document["spec"][name] = value.clone();
        }
        document
    }

    fn resource(target: &Value) -> Value {
        json!({"metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": target}}]})
    }

    #[test]
    fn defaults_are_the_api_servers() {
        let loaded = read(&manifest(&json!({"behavior": {"scaleDown": {"selectPolicy": "Min"}}}))).expect("valid");
        let Object::HorizontalPodAutoscaler(autoscaler) = &loaded.object else { panic!("not an autoscaler") };
        let spec = &autoscaler.spec;
        assert_eq!((spec.min_replicas, spec.max_replicas), (1, 10));
        assert_eq!(spec.metrics[0].source, MetricSource::Resource { resource: "cpu".into() });
        assert_eq!(spec.metrics[0].target.average_utilization, Some(80));
        let behavior = spec.behavior.as_ref().expect("given");
        assert_eq!(behavior.up, ScalingRules::default_up());
        assert_eq!(behavior.down, ScalingRules { select: SelectPolicy::Min, ..ScalingRules::default_down() });
        assert_eq!(read(&to_json(autoscaler)).expect("still valid").object, loaded.object);
    }

    #[test]
    fn every_field_survives_a_round_trip() {
        let document = manifest(&json!({
            "minReplicas": 2,
            "metrics": [
                {"type": "ContainerResource", "containerResource": {"name": "memory", "container": "app",
                    "target": {"type": "AverageValue", "averageValue": "512Mi"}}},
                {"type": "Pods", "pods": {"metric": {"name": "rps", "selector": {"matchLabels": {"verb": "GET"}}},
                    "target": {"type": "AverageValue", "averageValue": "1500m"}}},
                {"type": "Object", "object": {"describedObject": {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
                    "name": "main"}, "metric": {"name": "rps"}, "target": {"type": "Value", "value": "2k"}}},
                {"type": "External", "external": {"metric": {"name": "queue"},
                    "target": {"type": "AverageValue", "averageValue": "30"}}},
            ],
            "behavior": {"scaleUp": {"stabilizationWindowSeconds": 60, "tolerance": "0.0005",
                "policies": [{"type": "Percent", "value": 10, "periodSeconds": 60}]}},
        }));
        let loaded = read(&document).expect("valid");
        let Object::HorizontalPodAutoscaler(autoscaler) = &loaded.object else { panic!("not an autoscaler") };
        assert_eq!(autoscaler.spec.metrics.len(), 4);
        assert_eq!(autoscaler.spec.behavior.as_ref().and_then(|b| b.up.tolerance_nanos), Some(500_000));
        assert_eq!(read(&to_json(autoscaler)).expect("still valid").object, loaded.object);
    }

    #[test]
    fn problems_are_told_in_the_api_servers_words() {
        for (spec, expected) in [
            (json!({"minReplicas": 0}), "spec.minReplicas: Invalid value: 0: must be greater than or equal to 1"),
            (json!({"maxReplicas": 0}), "spec.maxReplicas: Required value: must be set and greater than 0"),
            (
                json!({"minReplicas": 11}),
                "spec.maxReplicas: Invalid value: 10: must be greater than or equal to `minReplicas`",
            ),
            (
                json!({"scaleTargetRef": {"kind": "Deployment", "name": "web"}}),
                "spec.scaleTargetRef.apiVersion: Invalid value: \"\": apiVersion must specify API group (such as apps/v1 for a Deployment)",
            ),
            (
                resource(&json!({"type": "Utilization"})),
                "spec.metrics[0].resource.target.averageUtilization: Required value: must set either a target raw value or a target utilization",
            ),
            (
                resource(&json!({"type": "Utilization", "averageUtilization": 0})),
                "spec.metrics[0].resource.target.averageUtilization: Invalid value: 0: must be greater than 0",
            ),
            (
                json!({"metrics": [{"type": "External"}]}),
                "spec.metrics[0].external: Required value: must populate information for the given metric source",
            ),
            (
                json!({"behavior": {"scaleUp": {"policies": [{"type": "Pods", "value": 0, "periodSeconds": 15}]}}}),
                "spec.behavior.scaleUp.policies[0].value: Invalid value: 0: must be greater than zero",
            ),
            (
                json!({"behavior": {"scaleDown": {"stabilizationWindowSeconds": 3601}}}),
                "spec.behavior.scaleDown.stabilizationWindowSeconds: Invalid value: 3601: must be less than or equal to 3600",
            ),
        ] {
            let problems = read(&manifest(&spec)).expect_err("not valid");
            let said: Vec<String> = problems.iter().map(ToString::to_string).collect();
            assert_eq!(said, [expected], "{spec}");
        }
    }
}
