//! Machines that come and go with the pods.

use super::manifests;
use seatrial::scenario::from_text;
use seatrial::sim;
use seatrial::trace::{Emitted, Field, Trace, Value, What};

/// A Deployment of pods of 2 CPU, with more in its template.
fn deployment(name: &str, replicas: u32, template: &str) -> String {
    let app = "      containers: [{name: app, image: 'app:v1', resources: {requests: {cpu: 2, memory: 1Gi}}}]";
    manifests::deployment(name, replicas, &format!("{app}\n{template}"))
}

fn run(manifests: &str, cluster: &str, rest: &str) -> Trace {
    let text = format!(
        "{manifests}apiVersion: seatrial/v1alpha1
kind: Scenario
spec:
  duration: 1h
  pods: {{'*': {{start: 1s, ready: 1s, terminate: 1s}}}}
  cluster:
{cluster}
{rest}
"
    );
    let compiled = from_text(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
    sim::run(&compiled[0].setup)
}

/// When machines joined and went, in whole seconds.
fn machines(trace: &Trace) -> Vec<(u64, String)> {
    let told = |record: &seatrial::trace::Record| {
        let subject = trace.subject(record.subject);
        let sign = match record.what {
            What::Created => "+",
            What::Deleted => "-",
            _ => return None,
        };
        let node = subject.kind.name() == "Node";
        node.then(|| (record.at.0 / 1_000_000_000, format!("{sign}{}", subject.name)))
    };
    trace.records.iter().filter_map(told).collect()
}

/// Each Event of a reason, in whole seconds.
fn events(trace: &Trace, wanted: &str) -> Vec<(u64, String)> {
    let told = |record: &seatrial::trace::Record| match record.what {
        What::Emitted(Emitted::Other { reason, message, .. }) if trace.symbols.get(reason) == wanted => {
            Some((record.at.0 / 1_000_000_000, trace.symbols.get(message).to_string()))
        }
        _ => None,
    };
    trace.records.iter().filter_map(told).collect()
}

fn bound(trace: &Trace) -> usize {
    trace.records.iter().filter(|r| matches!(r.what, What::Bound { .. })).count()
}

const POOL: &str = "    pools:
      work: {zone: a, cpu: 4, memory: 16Gi, autoscale: {min: 1, max: 6, provisioning: 60s}}";

fn both(check: impl Fn(&str)) {
    for scheduler in ["simple", "kube"] {
        check(scheduler);
    }
}

#[test]
fn a_pool_grows_by_what_fits() {
    both(|scheduler| {
        let cluster = format!("    scheduler: {scheduler}\n{POOL}");
        // Two pods per machine: of seven, five are too many for the first.
        let trace = run(&deployment("web", 7, ""), &cluster, "");
        let wanted: Vec<(u64, String)> = (2..=4).map(|i| (70, format!("+work-{i}"))).collect();
        assert_eq!(machines(&trace), wanted, "{scheduler}");
        assert_eq!(bound(&trace), 7);
        let triggered = events(&trace, "TriggeredScaleUp");
        assert_eq!(triggered.len(), 5);
        assert_eq!(triggered[0], (10, "pod triggered scale-up: [{work 1->4 (max: 6)}]".to_string()));
    });
}

#[test]
fn a_pool_stops_at_its_most_and_says_so() {
    both(|scheduler| {
        let cluster = format!("    scheduler: {scheduler}\n{POOL}");
        let trace = run(&deployment("web", 20, ""), &cluster, "");
        assert_eq!(machines(&trace).len(), 5, "{scheduler}");
        assert_eq!(bound(&trace), 12);
        let refused = events(&trace, "NotTriggerScaleUp");
        assert_eq!(refused.len(), 8, "once a pod");
        assert!(refused.iter().all(|(_, said)| said.ends_with("1 max node group size reached")), "{refused:?}");
        let lost = run(&deployment("web", 20, "      nodeSelector: {disk: ssd}"), &cluster, "");
        let said = "pod didn't trigger scale-up: 1 node(s) didn't match Pod's node affinity/selector";
        assert!(machines(&lost).is_empty() && events(&lost, "NotTriggerScaleUp")[0].1 == said);
    });
}

#[test]
fn pods_that_keep_apart_get_a_machine_each() {
    let apart = "      affinity: {podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: \
                 kubernetes.io/hostname, labelSelector: {matchLabels: {app: web}}}]}}";
    let trace = run(&deployment("web", 4, apart), POOL, "");
    assert_eq!(machines(&trace).len(), 3);
    assert_eq!(bound(&trace), 4);
}

#[test]
fn what_is_not_needed_goes_after_ten_minutes() {
    both(|scheduler| {
        let cluster = format!("    scheduler: {scheduler}\n{POOL}");
        let rest = "  actions: [{at: 20m, scale: {deployment/web: 2}}]";
        let trace = run(&deployment("web", 8, ""), &cluster, rest);
        let gone: Vec<u64> = machines(&trace).iter().filter(|m| m.1.starts_with('-')).map(|m| m.0).collect();
        // Empty ones go together, ten minutes after the scan that saw it.
        assert!(!gone.is_empty() && gone.iter().all(|at| (1_800..1_900).contains(at)), "{scheduler}: {gone:?}");
        assert!(events(&trace, "ScaleDown").len() >= 2 * gone.len());
    });
}

/// When nodes were marked as ones that may go, and when not any more.
fn marks(trace: &Trace) -> Vec<(u64, bool)> {
    let mut marked = std::collections::BTreeSet::new();
    let mut changes = Vec::new();
    for record in &trace.records {
        if let What::Set { field: Field::Taints, value } = record.what {
            let text = match value {
                Value::Text(text) => trace.symbols.get(text),
                _ => "",
            };
            let now = text.contains("DeletionCandidateOfClusterAutoscaler") && text.contains(":PreferNoSchedule");
            let news = if now { marked.insert(record.subject) } else { marked.remove(&record.subject) };
            changes.extend(news.then_some((record.at.0 / 1_000_000_000, now)));
        }
    }
    changes
}

#[test]
fn machines_that_are_not_needed_are_marked() {
    both(|scheduler| {
        let cluster = format!("    scheduler: {scheduler}\n{POOL}");
        // They are looked at from ten minutes after the last machine came.
        let rest = "  actions:\n  - {at: 15m, scale: {deployment/web: 1}}\n  - {at: 20m, scale: {deployment/web: 7}}";
        let trace = run(&deployment("web", 7, ""), &cluster, rest);
        let marks = marks(&trace);
        assert_eq!(marks.iter().filter(|(at, mark)| *mark && *at < 920).count(), 3, "{scheduler} {marks:?}");
        assert_eq!(marks.iter().filter(|(at, mark)| !mark && *at >= 1_200).count(), 3, "{scheduler} {marks:?}");
    });
}

#[test]
fn half_empty_machines_are_put_together() {
    both(|scheduler| {
        let cluster = format!("    scheduler: {scheduler}\n    zones: {{b: {{nodes: 1, cpu: 6}}}}\n{POOL}");
        let calm = "---\napiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {name: web}\nspec: {minAvailable: NEED, \
                    selector: {matchLabels: {app: web}}}\n---\n";
        // Three are on b-1 and one on the machine of the pool, until b-1 has room.
        let manifests = |need: &str| {
            let web = deployment("web", 1, "");
            format!("{}{web}{}", deployment("other", 3, ""), calm.replace("NEED", need).trim_start_matches("---\n"))
        };
        let pool = cluster.replace("min: 1", "min: 0").replace("cpu: 4", "cpu: 8");
        let rest = "  actions: [{at: 20m, scale: {deployment/other: 0}}]";
        let free = run(&manifests("0"), &pool, rest);
        assert!(machines(&free).iter().any(|m| m.1.starts_with('-')), "{scheduler}: {:?}", machines(&free));
        let last = free.records.iter().rfind(|r| matches!(r.what, What::Bound { .. })).expect("a binding").at;
        assert!(last.0 > 1_200_000_000_000, "a pod had to move");
        let held = run(&manifests("1"), &pool, rest);
        assert!(!machines(&held).iter().any(|m| m.1.starts_with('-')), "the budget lets nothing go");
    });
}

#[test]
fn pods_can_hold_their_machine() {
    let cluster = "    zones: {b: {nodes: 1, cpu: 4}}
    pools:
      work: {machines: 1, zone: a, cpu: 16, memory: 64Gi, labels: {for: batch}, autoscale: {min: 0, max: 2}}";
    let batch = |safe: &str| {
        deployment("batch", 1, "      nodeSelector: {for: batch}\n      tolerations: []")
            .replace("nodeSelector: {for: batch}\n", "affinity: {nodeAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{weight: 100, preference: {matchExpressions: [{key: for, operator: In, values: [batch]}]}}]}}\n")
            .replace("labels: {app: batch}}\n    spec", &format!("labels: {{app: batch}}{safe}}}\n    spec"))
    };
    for (annotation, goes) in
        [("", true), (", annotations: {cluster-autoscaler.kubernetes.io/safe-to-evict: 'false'}", false)]
    {
        let trace = run(&batch(annotation), cluster, "");
        assert_eq!(machines(&trace).iter().any(|m| m.1 == "-work-1"), goes, "{annotation} {:?}", machines(&trace));
    }
}

#[test]
fn serverless_nodes_come_and_go_with_their_pods() {
    both(|scheduler| {
        let cluster = format!(
            "    scheduler: {scheduler}
    zones: {{b: {{nodes: 1}}}}
    pools:
      pods: {{zone: a, labels: {{compute: serverless}}, taints: ['serverless=true:NoSchedule'], serverless: {{start: 30s}}}}"
        );
        let template =
            "      nodeSelector: {compute: serverless}\n      tolerations: [{key: serverless, operator: Exists}]";
        let daemons = manifests::daemon_set("agent", "      containers: [{name: agent, image: 'agent:v1'}]");
        let manifests = format!("{}{daemons}", deployment("web", 3, template));
        let rest = "  actions: [{at: 10m, scale: {deployment/web: 1}}]";
        let trace = run(&manifests, &cluster, rest);
        let told = machines(&trace);
        let joined: Vec<_> = told.iter().filter(|m| m.1.starts_with('+')).collect();
        let gone: Vec<_> = told.iter().filter(|m| m.1.starts_with('-')).collect();
        assert!(joined.len() == 3 && joined.iter().all(|m| m.0 == 30), "{scheduler}: {told:?}");
        assert!(gone.len() == 2 && gone.iter().all(|m| m.0 == 601), "{scheduler}: {told:?}");
        assert_eq!(bound(&trace), 4, "one daemon, on b-1");
        // One that tolerates everything is wanted there, and finds no room.
        let agent = "      tolerations: [{operator: Exists}]\n      containers: [{name: agent, image: 'agent:v1'}]";
        let manifests = format!("{}{}", deployment("web", 3, template), manifests::daemon_set("agent", agent));
        let trace = run(&manifests, &cluster, rest);
        assert_eq!((bound(&trace), machines(&trace)), (4, told), "{scheduler}");
    });
}

#[test]
fn a_pool_that_follows_its_pods_takes_the_place_of_reclaimed_machines() {
    let cluster = "    pools:
      work:
        machines: 2
        zone: a
        cpu: 4
        reclaim: {cloud: aws, handler: true}
        autoscale: {min: 1, max: 6, provisioning: 60s}";
    let rest = "  actions: [{at: 10m, spotReclaim: work-1}]";
    let trace = run(&deployment("web", 4, ""), cluster, rest);
    let told = machines(&trace);
    assert_eq!(told[0], (670, "+work-3".to_string()), "{told:?}");
    assert!(told.contains(&(775, "-work-1".to_string())), "{told:?}");
}

#[test]
fn pools_that_make_no_sense_are_explained() {
    for (pool, wrong) in [
        ("{zone: a}", "how many machines"),
        ("{autoscale: {max: 3}, serverless: {start: 3s}}", "not both"),
        ("{machines: 9, autoscale: {max: 3}}", "9 is not from 0 to 3"),
        ("{autoscale: {min: 4, max: 3}}", "above `max`"),
        ("{serverless: {start: 3s}}", "no pod can select"),
        ("{autoscale: {max: 3, utilization: 2}}", "from 0 to 1"),
    ] {
        let text = format!(
            "{}apiVersion: seatrial/v1alpha1\nkind: Scenario\nspec: {{cluster: {{pools: {{work: {pool}}}}}}}\n",
            deployment("web", 1, "")
        );
        let error = from_text(&text).map(|_| ()).unwrap_err().to_string();
        assert!(error.contains(wrong), "{pool}: {error}");
    }
}

#[test]
fn a_pool_whose_machines_do_not_come_is_left_alone_for_a_while() {
    both(|scheduler| {
        let cluster = format!(
            "    scheduler: {scheduler}
    pools:
      a: {{zone: a, cpu: 4, memory: 16Gi, autoscale: {{min: 1, max: 6, expander: first, provisioning: never}}}}
      b: {{zone: b, cpu: 4, memory: 16Gi, autoscale: {{max: 1, provisioning: 60s}}}}"
        );
        let trace = run(&deployment("web", 5, ""), &cluster, "");
        let said = events(&trace, "TriggeredScaleUp");
        assert_eq!(said[0], (10, "pod triggered scale-up: [{a 1->3 (max: 6)}]".to_string()), "{scheduler}");
        // After a quarter of an hour they are given up, and the others grow.
        let others = || said.iter().filter(|(_, message)| message.contains("{b"));
        assert!(others().all(|(at, _)| *at == 910) && others().count() > 0, "{scheduler}: {said:?}");
        // For what is left, the first is tried again five minutes later.
        let again: Vec<u64> = said.iter().filter(|(_, m)| m.contains("{a")).map(|(at, _)| *at).skip(3).collect();
        assert!(!again.is_empty() && again.iter().all(|at| *at >= 1_210), "{scheduler}: {said:?}");
        let refused = events(&trace, "NotTriggerScaleUp");
        assert!(refused.iter().any(|(_, m)| m.contains("1 in backoff after failed scale-up")), "{refused:?}");
    });
}

#[test]
fn daemons_of_new_machines_are_foreseen() {
    let daemon = "      containers: [{name: app, image: 'agent:v1', resources: {requests: {cpu: 1}}}]";
    let agent = manifests::daemon_set("agent", daemon);
    both(|scheduler| {
        let cluster = format!("    scheduler: {scheduler}\n{POOL}");
        // Beside its daemon, a machine of 4 CPU has room for one pod of 2.
        let trace = run(&format!("{agent}{}", deployment("web", 3, "")), &cluster, "");
        let first = events(&trace, "TriggeredScaleUp");
        assert_eq!(first[0].1, "pod triggered scale-up: [{work 1->3 (max: 6)}]", "{scheduler}");
        assert_eq!(machines(&trace).iter().filter(|(_, what)| what.starts_with('+')).count(), 2, "{scheduler}");
    });
}

#[test]
fn pools_alike_may_be_kept_at_one_size() {
    both(|scheduler| {
        let pool = |zone: &str, more: &str| {
            format!(
                "\n      {zone}: {{zone: {zone}, cpu: 4, memory: 16Gi, autoscale: {{max: 3, balanceSimilar: true}}{more}}}"
            )
        };
        let pools = [pool("a", ""), pool("b", ""), pool("c", ", labels: {disk: ssd}")].concat();
        let cluster = format!("    scheduler: {scheduler}\n    pools:{pools}");
        let trace = run(&deployment("web", 8, ""), &cluster, "");
        let mut joined: Vec<String> = machines(&trace).into_iter().map(|(_, name)| name).take(3).collect();
        joined.sort();
        assert_eq!(joined, ["+a-1", "+a-2", "+b-1"], "{scheduler}: machines with a disk are others");
    });
}
