//! `v1` Service, from and to JSON.

use super::fields::Fields;
use super::problems::Problems;
use super::shape::Shape::{Any, Bool, Int32, List, Map, Opt, Struct, Text};
use super::shape::common::OBJECT_META;
use super::shape::{decode, shapes};
use super::{Loaded, meta, syntax};
use crate::api::{Object, Service};
use crate::error::Problem;
use serde_json::{Value, json};

shapes! {
    SPEC {
        ports: Any, selector: Map(&Text), clusterIP: Text, clusterIPs: List(&Text), type: Text,
        externalIPs: List(&Text), sessionAffinity: Text, loadBalancerIP: Text,
        loadBalancerSourceRanges: List(&Text), externalName: Text, externalTrafficPolicy: Text,
        healthCheckNodePort: Int32, publishNotReadyAddresses: Bool, sessionAffinityConfig: Any,
        ipFamilies: List(&Text), ipFamilyPolicy: Opt(&Text), allocateLoadBalancerNodePorts: Opt(&Bool),
        loadBalancerClass: Opt(&Text), internalTrafficPolicy: Opt(&Text),
        trafficDistribution: Opt(&Text),
    }
    SERVICE {
        apiVersion: Text, kind: Text, metadata: Struct(&OBJECT_META), spec: Struct(&SPEC), status: Any,
    }
}

/// Upstream: `pkg/apis/core/validation/validation.go ValidateService`
pub(super) fn read(value: &Value) -> Result<Loaded, Vec<Problem>> {
    let mut problems = Problems::default();
    let document = decode(value, &SERVICE, &mut problems);
    let f = Fields::new(&document, "");
    let meta = meta::read(&f, &mut problems);
    problems.invalid_text("metadata.name", &meta.name, &syntax::dns_label(&meta.name));
    let spec = f.object("spec");
    meta::check_labels(&spec, "selector", &mut problems);
    let kind = spec.text("type");
    if !kind.is_empty() {
        problems.one_of("spec.type", kind, &["ClusterIP", "NodePort", "LoadBalancer", "ExternalName"]);
    }
    let service = Service {
        meta,
        selector: spec.labels("selector"),
        headless: spec.text("clusterIP") == "None" || spec.texts("clusterIPs").first().is_some_and(|ip| ip == "None"),
        publish_not_ready_addresses: spec.bool("publishNotReadyAddresses"),
    };
    problems.finish(Loaded { object: Object::Service(Box::new(service)), not_modelled: Vec::new() })
}

/// The Service as a client would send it, in what is modelled of it.
pub(super) fn to_json(service: &Service) -> Value {
    let mut spec = json!({
        "selector": service.selector.0,
        "publishNotReadyAddresses": service.publish_not_ready_addresses,
    });
    if service.headless {
        spec["clusterIP"] = json!("None");
    }
    json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": meta::to_json(&service.meta, &[]),
        "spec": spec,
    })
}
