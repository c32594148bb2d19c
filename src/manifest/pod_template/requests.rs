//! How much of a node a pod asks for.

use crate::api::{Extras, Resources, parse_quantity};
use crate::manifest::fields::Fields;
use std::collections::BTreeSet;
use std::sync::Arc;

/// CPU and memory in thousandths.
#[derive(Clone, Copy, Default)]
struct Amount {
    cpu: i64,
    memory: i64,
}

impl Amount {
    const fn plus(self, other: Amount) -> Amount {
        Amount { cpu: self.cpu.saturating_add(other.cpu), memory: self.memory.saturating_add(other.memory) }
    }

    fn max(self, other: Amount) -> Amount {
        Amount { cpu: self.cpu.max(other.cpu), memory: self.memory.max(other.memory) }
    }
}

/// What the scheduler counts for a pod: its containers and sidecars together,
/// or its hungriest init container if that is more, or what the pod as a
/// whole asks for; and the overhead.
///
/// Upstream: `staging/src/k8s.io/component-helpers/resource/helpers.go PodRequests`
pub(super) fn of(spec: &Fields) -> Resources {
    total(spec, Amount::default())
}

/// What nodes are compared by: as [`of`], with 100 millicores and 200 MiB for
/// each container that says nothing, so that many of them count too.
///
/// Upstream: `pkg/scheduler/util/pod_resources.go DefaultMilliCPURequest, DefaultMemoryRequest`
pub(super) fn scored(spec: &Fields) -> Resources {
    total(spec, Amount { cpu: 100, memory: (200 << 20) * 1_000 })
}

/// `silent` stands for what a container does not say.
fn total(spec: &Fields, silent: Amount) -> Resources {
    let container = |c: &Fields| container(c, silent);
    let mut total = spec.objects("containers").iter().map(container).fold(Amount::default(), Amount::plus);
    let mut sidecars = Amount::default();
    let mut initial = Amount::default();
    for init in spec.objects("initContainers") {
        let own = container(&init);
        if init.text("restartPolicy") == "Always" {
            total = total.plus(own);
            sidecars = sidecars.plus(own);
            initial = initial.max(sidecars);
        } else {
            initial = initial.max(sidecars.plus(own));
        }
    }
    total = total.max(initial);
    let whole = spec.object("resources");
    let asked = |name: &str, counted: i64| {
        let request = amount(&whole.object("requests"), name);
        let limit = || if counted == 0 { amount(&whole.object("limits"), name) } else { None };
        request.or_else(limit).unwrap_or(counted)
    };
    total = Amount { cpu: asked("cpu", total.cpu), memory: asked("memory", total.memory) };
    let overhead = spec.object("overhead");
    total = total
        .plus(Amount { cpu: amount(&overhead, "cpu").unwrap_or(0), memory: amount(&overhead, "memory").unwrap_or(0) });
    Resources { cpu_milli: total.cpu, memory_milli: total.memory, pods: 1 }
}

/// A container's requests; a limit without a request is one.
fn container(c: &Fields, silent: Amount) -> Amount {
    let resources = c.object("resources");
    let (requests, limits) = (resources.object("requests"), resources.object("limits"));
    let asked = |name, silent| amount(&requests, name).or_else(|| amount(&limits, name)).unwrap_or(silent);
    Amount { cpu: asked("cpu", silent.cpu), memory: asked("memory", silent.memory) }
}

/// What a pod asks for beside CPU and memory, each by the same rule.
///
/// Upstream: `staging/src/k8s.io/component-helpers/resource/helpers.go PodRequests`
pub(super) fn extras(spec: &Fields) -> Extras {
    let lists = ["containers", "initContainers"].map(|list| spec.objects(list)).into_iter().flatten();
    let resources = lists.map(|c| c.object("resources")).chain([spec.object("resources")]);
    let mut names: BTreeSet<&str> = spec.object("overhead").names().collect();
    for resources in resources {
        names.extend(resources.object("requests").names().chain(resources.object("limits").names()));
    }
    let others = names.into_iter().filter(|name| !["cpu", "memory"].contains(name));
    let asked = others.map(|name| (Arc::from(name), extra(spec, name))).filter(|(_, amount)| *amount > 0);
    Extras::new(asked.collect())
}

/// Whole units of a resource, rounded up.
fn extra(spec: &Fields, name: &str) -> i64 {
    let asked = |resources: &Fields| {
        let request = amount(&resources.object("requests"), name);
        request.or_else(|| amount(&resources.object("limits"), name))
    };
    let of = |c: &Fields| asked(&c.object("resources")).unwrap_or(0);
    let mut total = spec.objects("containers").iter().map(of).fold(0, i64::saturating_add);
    let (mut sidecars, mut initial) = (0_i64, 0_i64);
    for init in spec.objects("initContainers") {
        let own = of(&init);
        if init.text("restartPolicy") == "Always" {
            total = total.saturating_add(own);
            sidecars = sidecars.saturating_add(own);
            initial = initial.max(sidecars);
        } else {
            initial = initial.max(sidecars.saturating_add(own));
        }
    }
    total = total.max(initial);
    if name.starts_with("hugepages-") {
        total = asked(&spec.object("resources")).unwrap_or(total);
    }
    let milli = total.saturating_add(amount(&spec.object("overhead"), name).unwrap_or(0));
    milli.div_euclid(1_000) + i64::from(milli.rem_euclid(1_000) > 0)
}

fn amount(list: &Fields, name: &str) -> Option<i64> {
    list.get(name).and_then(|v| parse_quantity(v.as_str()?).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_larger_of_init_and_run_counts() {
        let c = |cpu: &str| json!({"resources": {"requests": {"cpu": cpu}}});
        let sidecar = |cpu: &str| json!({"restartPolicy": "Always", "resources": {"requests": {"cpu": cpu}}});
        for (spec, milli) in [
            (json!({"containers": [c("100m"), c("1")]}), 1_100),
            (json!({"containers": [c("1")], "initContainers": [c("2"), c("500m")]}), 2_000),
            (json!({"containers": [c("1")], "initContainers": [sidecar("500m"), c("2")]}), 2_500),
            (json!({"containers": [c("1")], "initContainers": [c("1"), sidecar("500m")]}), 1_500),
            (json!({"containers": [{"resources": {"limits": {"cpu": "2"}}}]}), 2_000),
            (json!({"containers": [c("1")], "resources": {"requests": {"cpu": "4"}}}), 4_000),
            (json!({"containers": [c("1")], "resources": {"limits": {"cpu": "4"}}}), 1_000),
            (json!({"containers": [{}], "resources": {"limits": {"cpu": "4"}}}), 4_000),
            (json!({"containers": [c("1")], "overhead": {"cpu": "250m"}}), 1_250),
            (json!({"containers": [{}]}), 0),
        ] {
            assert_eq!(of(&Fields::new(&spec, "")).cpu_milli, milli, "{spec}");
        }
    }

    #[test]
    fn other_resources_count_by_the_same_rule() {
        let c = |name: &str, n: &str| json!({"resources": {"limits": {name: n, "cpu": "1"}}});
        let gpu = |n: &str| c("nvidia.com/gpu", n);
        for (spec, wanted) in [
            (json!({"containers": [{}]}), Extras::default()),
            (json!({"containers": [gpu("1"), gpu("2")]}), Extras::from([("nvidia.com/gpu", 3)])),
            (json!({"containers": [gpu("1")], "initContainers": [gpu("4")]}), Extras::from([("nvidia.com/gpu", 4)])),
            (json!({"containers": [gpu("0")]}), Extras::default()),
            (
                json!({"containers": [c("ephemeral-storage", "1.5"), c("hugepages-2Mi", "4Mi")]}),
                Extras::from([("ephemeral-storage", 2), ("hugepages-2Mi", 4 << 20)]),
            ),
        ] {
            assert_eq!(extras(&Fields::new(&spec, "")), wanted, "{spec}");
        }
    }

    #[test]
    fn silent_containers_are_compared_by_a_little() {
        let c = |requests: serde_json::Value| json!({"resources": {"requests": requests}});
        for (spec, cpu, mebibytes) in [
            (json!({"containers": [{}, {}]}), 200, 400),
            (json!({"containers": [c(json!({"cpu": "1"})), {}]}), 1_100, 400),
            (json!({"containers": [c(json!({"cpu": "0", "memory": "1Gi"}))]}), 0, 1_024),
        ] {
            let got = scored(&Fields::new(&spec, ""));
            assert_eq!((got.cpu_milli, got.memory_milli), (cpu, (mebibytes << 20) * 1_000), "{spec}");
        }
    }
}
