//! The checks of containers, in the API server's order.

use super::{Purpose, volumes};
use crate::api::{MOST_EXTRAS, parse_quantity};
use crate::manifest::fields::Fields;
use crate::manifest::problems::{Problems, invalid};
use crate::manifest::{suggest, syntax};
use serde_json::Value;
use std::collections::BTreeSet;

const PROBES: [&str; 3] = ["livenessProbe", "readinessProbe", "startupProbe"];
const RESTART_POLICIES: [&str; 3] = ["Always", "Never", "OnFailure"];

/// Checks all containers of a pod.
///
/// Upstream: `pkg/apis/core/validation/validation.go validateContainers`
pub(super) fn check_all(spec: &Fields, volumes: &BTreeSet<&str>, purpose: Purpose, problems: &mut Problems) {
    let containers = spec.objects("containers");
    if containers.is_empty() {
        problems.required(&spec.path("containers"), "");
    }
    let mut names = BTreeSet::new();
    for c in &containers {
        check_common(c, volumes, purpose, problems);
        if !names.insert(c.text("name")) {
            problems.duplicate(&c.path("name"), c.text("name"));
        }
        check_lifecycle(c, spec, problems);
        for probe in PROBES {
            check_probe(c, probe, problems);
        }
        check_restart_policy(c, problems);
    }
    check_host_ports(&containers, problems);
    for c in spec.objects("initContainers") {
        check_common(&c, volumes, purpose, problems);
        check_restart_policy(&c, problems);
        if !names.insert(c.text("name")) {
            problems.duplicate(&c.path("name"), c.text("name"));
        }
        check_init_only(&c, spec, problems);
    }
    check_host_network(spec, purpose, problems);
}

/// Upstream: `pkg/apis/core/validation/validation.go validateInitContainers`
fn check_init_only(c: &Fields, spec: &Fields, problems: &mut Problems) {
    if c.text("restartPolicy") == "Always" {
        check_lifecycle(c, spec, problems);
        for probe in PROBES {
            check_probe(c, probe, problems);
        }
        return;
    }
    for field in ["lifecycle"].into_iter().chain(PROBES) {
        if c.has(field) {
            problems.forbidden(&c.path(field), "may not be set for init containers without restartPolicy=Always");
        }
    }
}

/// Upstream: `pkg/apis/core/validation/validation.go validateContainerCommon`
fn check_common(c: &Fields, volumes: &BTreeSet<&str>, purpose: Purpose, problems: &mut Problems) {
    let (name, image) = (c.text("name"), c.text("image"));
    if name.is_empty() {
        problems.required(&c.path("name"), "");
    } else {
        for wrong in syntax::dns_label(name) {
            let message = invalid(name, &wrong);
            match syntax::lower_case_hint(name, |better| syntax::dns_label(better).is_empty()) {
                Some(hint) => problems.add_with_hint(&c.path("name"), message, hint),
                None => problems.add(&c.path("name"), message),
            }
        }
    }
    if image.is_empty() {
        problems.required(&c.path("image"), "");
    } else if purpose == Purpose::Pod && image.trim() != image {
        problems.invalid(&c.path("image"), image, "must not have leading or trailing whitespace");
    }
    problems.one_of(
        &c.path("terminationMessagePolicy"),
        c.text("terminationMessagePolicy"),
        &["File", "FallbackToLogsOnError"],
    );
    check_ports(c, problems);
    check_env(c, problems);
    volumes::check_mounts(c, volumes, problems);
    problems.one_of(&c.path("imagePullPolicy"), c.text("imagePullPolicy"), &["Always", "IfNotPresent", "Never"]);
    check_resources(&c.object("resources"), problems);
}

/// Upstream: `pkg/apis/core/validation/validation.go validateContainerPorts`
fn check_ports(c: &Fields, problems: &mut Problems) {
    let mut names = BTreeSet::new();
    for port in c.objects("ports") {
        let name = port.text("name");
        if !name.is_empty() {
            let wrong = syntax::port_name(name);
            problems.invalid_text(&port.path("name"), name, &wrong);
            if wrong.is_empty() && !names.insert(name) {
                problems.duplicate(&port.path("name"), name);
            }
        }
        match port.int("containerPort").unwrap_or(0) {
            0 => problems.required(&port.path("containerPort"), ""),
            number => check_port_number(&port, "containerPort", number, problems),
        }
        if let Some(number) = port.int("hostPort") {
            check_port_number(&port, "hostPort", number, problems);
        }
        problems.one_of(&port.path("protocol"), port.text("protocol"), &["SCTP", "TCP", "UDP"]);
    }
}

fn check_port_number(port: &Fields, field: &str, number: i64, problems: &mut Problems) {
    for wrong in syntax::port_number(number) {
        problems.invalid(&port.path(field), number, &wrong);
    }
}

/// Upstream: `pkg/apis/core/validation/validation.go ValidateEnv`
fn check_env(c: &Fields, problems: &mut Problems) {
    const SOURCES: [&str; 5] = ["fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef"];
    for variable in c.objects("env") {
        let name = variable.text("name");
        if name.is_empty() {
            problems.required(&variable.path("name"), "");
        } else {
            problems.invalid_text(&variable.path("name"), name, &syntax::env_name(name));
        }
        if !variable.has("valueFrom") {
            continue;
        }
        let from = variable.object("valueFrom");
        let given = SOURCES.iter().filter(|s| from.has(s)).count();
        if given == 0 {
            problems.invalid(
                from.here(),
                "",
                "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`",
            );
        } else if !variable.text("value").is_empty() {
            problems.invalid(from.here(), "", "may not be specified when `value` is not empty");
        } else if given > 1 {
            problems.invalid(from.here(), "", "may not have more than one field specified at a time");
        }
    }
}

/// Upstream: `pkg/apis/core/validation/validation.go validateResourceRequirements`
fn check_resources(resources: &Fields, problems: &mut Problems) {
    let limits = resources.entries("limits");
    let mut asked: BTreeSet<String> = BTreeSet::new();
    for list in ["limits", "requests"] {
        for (name, quantity) in resources.entries(list) {
            let path = resources.entry_path(list, &name);
            check_resource_name(&path, &name, problems);
            asked.insert(name.clone());
            let Ok(milli) = parse_quantity(&quantity) else { continue };
            if milli < 0 {
                problems.invalid(&path, quantity.clone(), "must be greater than or equal to 0");
            }
            if is_extended(&name) && milli % 1_000 != 0 {
                problems.invalid(&path, quantity.clone(), "must be an integer");
            }
            if let Some(page) = name.strip_prefix(HUGE_PAGES)
                && parse_quantity(page).is_ok_and(|size| size > 0 && milli % size != 0)
            {
                let detail = format!("{quantity} is not positive integer multiple of {name}");
                problems.invalid(&path, quantity.clone(), &detail);
            }
            if list == "requests" {
                check_request(resources, &name, (&quantity, milli), limits.get(&name), problems);
            }
        }
    }
    let has_huge_pages = asked.iter().any(|name| name.starts_with(HUGE_PAGES));
    if has_huge_pages && !asked.contains("cpu") && !asked.contains("memory") {
        problems.forbidden(resources.here(), "HugePages require cpu or memory");
    }
    check_number_of_extras(resources, asked, problems);
}

/// Of a pod's reasons for not fitting, a few are about other resources.
fn check_number_of_extras(resources: &Fields, mut asked: BTreeSet<String>, problems: &mut Problems) {
    asked.retain(|name| !["cpu", "memory"].contains(&name.as_str()));
    if asked.len() > MOST_EXTRAS {
        let message = format!("more than {MOST_EXTRAS} resources beside cpu and memory are not modelled");
        problems.add(resources.here(), message);
    }
}

const HUGE_PAGES: &str = "hugepages-";

/// Upstream: `pkg/apis/core/helper/helpers.go IsExtendedResourceName`
fn is_extended(name: &str) -> bool {
    name.contains('/') && !name.contains("kubernetes.io/") && !name.starts_with("requests.")
}

fn check_request(
    resources: &Fields,
    name: &str,
    (quantity, milli): (&str, i64),
    limit: Option<&String>,
    problems: &mut Problems,
) {
    let is_native = !name.contains('/') || name.contains("kubernetes.io/");
    let may_overcommit = is_native && !name.starts_with(HUGE_PAGES);
    let Some(limit) = limit else {
        if !may_overcommit {
            problems.required(&resources.path("limits"), "Limit must be set for non overcommitable resources");
        }
        return;
    };
    let Ok(most) = parse_quantity(limit) else { return };
    let path = resources.entry_path("requests", name);
    if milli != most && !may_overcommit {
        problems.invalid(&path, quantity, &format!("must be equal to {name} limit of {limit}"));
    } else if milli > most {
        problems.invalid(&path, quantity, &format!("must be less than or equal to {name} limit of {limit}"));
    }
}

/// Upstream: `pkg/apis/core/validation/validation.go validateContainerResourceName`
fn check_resource_name(path: &str, name: &str, problems: &mut Problems) {
    const STANDARD: [&str; 3] = ["cpu", "memory", "ephemeral-storage"];
    let wrong = syntax::label_key(name);
    problems.invalid_text(path, name, &wrong);
    if wrong.is_empty() && name.starts_with("requests.") && name.contains('/') && !name.contains("kubernetes.io/") {
        problems.invalid(path, name, "doesn't follow extended resource name standard");
        return;
    }
    if !wrong.is_empty() || name.contains('/') || name.starts_with(HUGE_PAGES) || STANDARD.contains(&name) {
        return;
    }
    let message = invalid(name, "must be a standard resource for containers");
    match suggest::closest(name, STANDARD.into_iter()) {
        Some(near) => problems.add_with_hint(path, message, format!("did you mean {near:?}?")),
        None => problems.add_with_hint(path, message, "cpu, memory or ephemeral-storage"),
    }
}

/// Upstream: `pkg/apis/core/validation/validation.go validateProbe`
fn check_probe(c: &Fields, name: &str, problems: &mut Problems) {
    if !c.has(name) {
        return;
    }
    let probe = c.object(name);
    check_handler(&probe, &["exec", "httpGet", "tcpSocket", "grpc"], problems);
    for field in ["initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold"] {
        problems.not_negative(&probe.path(field), probe.int(field).unwrap_or(0));
    }
    if let Some(seconds) = probe.int("terminationGracePeriodSeconds") {
        let path = probe.path("terminationGracePeriodSeconds");
        if seconds <= 0 {
            problems.invalid(&path, seconds, "must be greater than 0");
        }
        if name == "readinessProbe" {
            problems.invalid(&path, seconds, "must not be set for readinessProbes");
        }
    }
    let successes = probe.int("successThreshold").unwrap_or(1);
    if name != "readinessProbe" && successes != 1 {
        problems.invalid(&probe.path("successThreshold"), successes, "must be 1");
    }
}

/// Upstream: `pkg/apis/core/validation/validation.go validateHandler`
fn check_handler(f: &Fields, kinds: &[&str], problems: &mut Problems) {
    let given: Vec<&str> = kinds.iter().copied().filter(|k| f.has(k)).collect();
    if given.is_empty() {
        let message = "Required value: must specify a handler type";
        problems.add_with_hint(f.here(), message, format!("one of {}", kinds.join(", ")));
    }
    for (i, kind) in given.iter().enumerate() {
        let handler = f.object(kind);
        if i > 0 {
            problems.forbidden(handler.here(), "may not specify more than 1 handler type");
            continue;
        }
        match *kind {
            "exec" if handler.list("command").is_empty() => problems.required(&handler.path("command"), ""),
            "httpGet" => {
                check_target_port(&handler, problems);
                problems.one_of(&handler.path("scheme"), handler.text("scheme"), &["HTTP", "HTTPS"]);
            }
            "tcpSocket" => check_target_port(&handler, problems),
            "grpc" => check_port_number(&handler, "port", handler.int("port").unwrap_or(0), problems),
            _ => {}
        }
    }
}

fn check_target_port(handler: &Fields, problems: &mut Problems) {
    let path = handler.path("port");
    match handler.get("port") {
        None => problems.required(&path, ""),
        Some(Value::String(name)) => {
            let message = syntax::port_name(name);
            for wrong in message {
                let message = invalid(name.clone(), &wrong);
                if name.parse::<u16>().is_ok() {
                    problems.add_with_hint(&path, message, format!("remove the quotes: {name}"));
                } else {
                    problems.add(&path, message);
                }
            }
        }
        Some(number) => {
            check_port_number(handler, "port", number.as_i64().unwrap_or(0), problems);
        }
    }
}

/// Upstream: `pkg/apis/core/validation/validation.go validateLifecycle`
fn check_lifecycle(c: &Fields, spec: &Fields, problems: &mut Problems) {
    let lifecycle = c.object("lifecycle");
    let grace = spec.int("terminationGracePeriodSeconds").unwrap_or(30);
    for hook in ["postStart", "preStop"] {
        if !lifecycle.has(hook) {
            continue;
        }
        let f = lifecycle.object(hook);
        check_handler(&f, &["exec", "httpGet", "tcpSocket", "sleep"], problems);
        if f.has("sleep") {
            let seconds = f.object("sleep").int("seconds").unwrap_or(0);
            if seconds < 0 || seconds > grace {
                let detail = format!("must be non-negative and less than terminationGracePeriodSeconds ({grace})");
                problems.invalid(&f.path("sleep"), seconds, &detail);
            }
        }
    }
    if lifecycle.has("stopSignal") && !spec.has("os") {
        problems.forbidden(&lifecycle.path("stopSignal"), "may not be set for containers with empty `spec.os.name`");
    }
}

/// Upstream: `pkg/apis/core/validation/validation.go validateContainerRestartPolicy`
fn check_restart_policy(c: &Fields, problems: &mut Problems) {
    if c.has("restartPolicy") {
        problems.one_of(&c.path("restartPolicy"), c.text("restartPolicy"), &RESTART_POLICIES);
    } else if !c.list("restartPolicyRules").is_empty() {
        problems.required(&c.path("restartPolicy"), "must specify restartPolicy when restart rules are used");
    }
}

/// Upstream: `pkg/apis/core/validation/validation.go checkHostPortConflicts`
fn check_host_ports(containers: &[Fields], problems: &mut Problems) {
    let mut taken = BTreeSet::new();
    for port in containers.iter().flat_map(|c| c.objects("ports")) {
        let Some(number) = port.int("hostPort") else { continue };
        let key = format!("{}/{}/{number}", port.text("protocol"), port.text("hostIP"));
        if taken.contains(&key) {
            problems.duplicate(&port.path("hostPort"), &key);
        }
        taken.insert(key);
    }
}

/// Upstream: `pkg/apis/core/validation/validation.go validatePodHostNetworkDeps`
fn check_host_network(spec: &Fields, purpose: Purpose, problems: &mut Problems) {
    if !spec.bool("hostNetwork") || purpose == Purpose::Pod {
        // The API server gives a pod on the host's network its host ports.
        return;
    }
    for port in spec.objects("containers").iter().flat_map(|c| c.objects("ports")) {
        let (host, own) = (port.int("hostPort"), port.int("containerPort"));
        if host.is_some() && host != own {
            problems.invalid(&port.path("hostPort"), host, "must match `containerPort` when `hostNetwork` is true");
        }
    }
}
