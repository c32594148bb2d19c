//! The checks of a pod's spec, in the API server's order.

use super::{Purpose, containers, placement, scheduling, volumes};
use crate::api::MOST_GATES;
use crate::manifest::fields::Fields;
use crate::manifest::meta::check_labels;
use crate::manifest::problems::Problems;
use crate::manifest::syntax;

const DELETION_COST: &str = "controller.kubernetes.io/pod-deletion-cost";

/// The deletion cost among a pod's annotations; 0 if there is none.
///
/// Upstream: `pkg/apis/core/helper/helpers.go GetDeletionCostFromPodAnnotations`
pub(in crate::manifest) fn deletion_cost(metadata: &Fields) -> Result<i32, String> {
    let annotations = metadata.entries("annotations");
    let Some(text) = annotations.get(DELETION_COST) else { return Ok(0) };
    // "+5" and "05" are refused although they are numbers.
    let plain = text == "0" || text.starts_with(|c: char| c == '-' || ('1'..='9').contains(&c));
    text.parse().ok().filter(|_| plain).ok_or_else(|| text.clone())
}

/// Upstream: `pkg/apis/core/validation/validation.go ValidatePodSpecificAnnotations`
pub(super) fn check_annotations(metadata: &Fields, problems: &mut Problems) {
    if let Err(text) = deletion_cost(metadata) {
        problems.invalid(&metadata.entry_path("annotations", DELETION_COST), text, "must be a 32bit integer");
    }
}

/// Upstream: `pkg/apis/core/validation/validation.go ValidatePodSpec`
pub(super) fn check(f: &Fields, purpose: Purpose, problems: &mut Problems) {
    let volumes = volumes::check(f, problems);
    containers::check_all(f, &volumes, purpose, problems);
    problems.one_of(&f.path("restartPolicy"), f.text("restartPolicy"), &["Always", "OnFailure", "Never"]);
    problems.one_of(
        &f.path("dnsPolicy"),
        f.text("dnsPolicy"),
        &["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"],
    );
    check_labels(f, "nodeSelector", problems);
    scheduling::check_node_affinity(f, problems);
    placement::check_pod_affinity(f, problems);
    check_dns(f, problems);
    check_gates(f, problems);
    scheduling::check_topology_spread(f, problems);
    for (field, rule) in [
        ("serviceAccountName", syntax::dns_subdomain as fn(&str) -> Vec<String>),
        ("nodeName", syntax::dns_subdomain),
        ("hostname", syntax::dns_label),
        ("subdomain", syntax::dns_label),
        ("priorityClassName", syntax::dns_subdomain),
        ("runtimeClassName", syntax::dns_subdomain),
    ] {
        let text = f.text(field);
        if !text.is_empty() {
            problems.invalid_text(&f.path(field), text, &rule(text));
        }
    }
    if let Some(seconds) = f.int("activeDeadlineSeconds")
        && !(1..=i64::from(i32::MAX)).contains(&seconds)
    {
        let detail = syntax::between(1, i64::from(i32::MAX));
        problems.invalid(&f.path("activeDeadlineSeconds"), seconds, &detail);
    }
    scheduling::check_tolerations(f, problems);
    if purpose == Purpose::Template {
        check_template_only(f, problems);
    }
}

/// What a pod may have and a template may not.
fn check_template_only(f: &Fields, problems: &mut Problems) {
    if !f.list("ephemeralContainers").is_empty() {
        problems.forbidden(&f.path("ephemeralContainers"), "ephemeral containers not allowed in pod template");
    }
    if !f.text("nodeName").is_empty() {
        problems.add_with_hint(
            &f.path("nodeName"),
            "not modelled, and the result would depend on it: every pod would go to this node unseen by the scheduler",
            "use a nodeSelector for kubernetes.io/hostname",
        );
    }
}

/// Upstream: `pkg/apis/core/validation/validation.go validateReadinessGates`, `validateSchedulingGates`
fn check_gates(f: &Fields, problems: &mut Problems) {
    let gates = f.objects("schedulingGates");
    if gates.len() > MOST_GATES {
        problems.add(&f.path("schedulingGates"), format!("more than {MOST_GATES} gates are not modelled"));
    }
    for (i, gate) in gates.iter().enumerate() {
        let name = gate.text("name");
        problems.invalid_text(gate.here(), name, &syntax::label_key(name));
        if gates[..i].iter().any(|before| before.text("name") == name) {
            problems.duplicate(gate.here(), name);
        }
    }
    if !gates.is_empty() && !f.text("nodeName").is_empty() {
        problems.forbidden(&f.path("nodeName"), "cannot be set until all schedulingGates have been cleared");
    }
    for gate in f.objects("readinessGates") {
        let condition = gate.text("conditionType");
        problems.invalid_text(&gate.path("conditionType"), condition, &syntax::label_key(condition));
    }
}

/// Upstream: `pkg/apis/core/validation/validation.go validatePodDNSConfig`
fn check_dns(f: &Fields, problems: &mut Problems) {
    if f.text("dnsPolicy") != "None" {
        return;
    }
    let config = f.object("dnsConfig");
    if !f.has("dnsConfig") {
        problems.required(config.here(), "must provide `dnsConfig` when `dnsPolicy` is None");
    } else if config.list("nameservers").is_empty() {
        problems
            .required(&config.path("nameservers"), "must provide at least one DNS nameserver when `dnsPolicy` is None");
    }
}
