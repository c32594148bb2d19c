//! Delays of pods as the API shows them.

use crate::error::Problem;
use crate::time::Timestamp;
use serde_json::Value;
use std::collections::BTreeMap;

/// A delay that scenario files know.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Delay {
    /// From creation until bound to a node.
    Schedule,
    /// From its node until its containers run, pulling images included.
    Start,
    /// From there until ready.
    Ready,
    /// From the request to go until the last container has exited.
    Terminate,
}

impl Delay {
    /// All of them.
    pub const ALL: [Delay; 4] = [Delay::Schedule, Delay::Start, Delay::Ready, Delay::Terminate];

    /// The name in scenario files.
    pub const fn name(self) -> &'static str {
        match self {
            Delay::Schedule => "schedule",
            Delay::Start => "start",
            Delay::Ready => "ready",
            Delay::Terminate => "terminate",
        }
    }
}

/// The delays of a workload's pods.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Workload {
    /// `deployment/web`, with its namespace if that is not the default one.
    pub name: String,
    seconds: [Vec<f64>; 4],
    /// How long images were pulled, in seconds, sorted.
    pub pulls: Vec<f64>,
}

impl Workload {
    /// The observations of a delay in seconds, sorted.
    pub fn seconds(&self, delay: Delay) -> &[f64] {
        &self.seconds[delay as usize]
    }
}

/// What was read.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Observed {
    /// By name.
    pub workloads: Vec<Workload>,
    /// Pods that were looked at.
    pub pods: usize,
    /// Events that were looked at.
    pub events: usize,
    /// Pods that had restarted, so that their first start is not known.
    pub restarted: usize,
}

/// Reads lists of pods and events, in any order and number.
///
/// # Errors
/// That there are no pods.
pub fn observe(documents: &[Value]) -> Result<Observed, Problem> {
    let mut items: Vec<&Value> = Vec::new();
    for document in documents {
        match document.get("items").and_then(Value::as_array) {
            Some(list) => items.extend(list),
            None => items.push(document),
        }
    }
    let of_kind = |kind: &'static str| items.iter().copied().filter(move |i| text(i, "/kind") == kind);
    let mut observed = Observed::default();
    let mut workloads: BTreeMap<String, Workload> = BTreeMap::new();
    let mut by_pod: BTreeMap<(String, String), String> = BTreeMap::new();
    for pod in of_kind("Pod") {
        observed.pods += 1;
        let owner = owner(pod);
        by_pod.insert((text(pod, "/metadata/namespace"), text(pod, "/metadata/name")), owner.clone());
        let workload = workloads.entry(owner).or_default();
        observed.restarted += usize::from(!delays(pod, workload));
    }
    if observed.pods == 0 {
        let hint = "it should be what `kubectl get pods,events -A -o json` prints";
        return Err(Problem::new("there are no pods in this").with_hint(hint));
    }
    for event in of_kind("Event") {
        observed.events += 1;
        let involved = (text(event, "/involvedObject/namespace"), text(event, "/involvedObject/name"));
        if let (Some(owner), Some(seconds)) = (by_pod.get(&involved), pull(event)) {
            workloads.entry(owner.clone()).or_default().pulls.push(seconds);
        }
    }
    for (name, mut workload) in workloads {
        workload.name = name;
        workload.pulls.sort_by(f64::total_cmp);
        workload.seconds.iter_mut().for_each(|all| all.sort_by(f64::total_cmp));
        observed.workloads.push(workload);
    }
    Ok(observed)
}

fn text(value: &Value, pointer: &str) -> String {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_string()
}

fn time(value: Option<&Value>) -> Option<i64> {
    Timestamp::parse(value?.as_str()?).ok().map(|t| t.0)
}

/// When a condition became true.
fn condition(pod: &Value, name: &str) -> Option<i64> {
    let all = pod.pointer("/status/conditions")?.as_array()?;
    let found = all.iter().find(|c| text(c, "/type") == name && text(c, "/status") == "True")?;
    time(found.get("lastTransitionTime"))
}

/// Notes the delays of a pod. False if it has restarted.
fn delays(pod: &Value, workload: &mut Workload) -> bool {
    let mut note = |delay: Delay, from: Option<i64>, to: Option<i64>| {
        // Clocks of machines differ: what ends before it begins took no time.
        if let (Some(from), Some(to)) = (from, to) {
            workload.seconds[delay as usize].push((to - from).max(0) as f64);
        }
    };
    let created = time(pod.pointer("/metadata/creationTimestamp"));
    let scheduled = condition(pod, "PodScheduled");
    note(Delay::Schedule, created, scheduled);
    let containers = pod.pointer("/status/containerStatuses").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    if let Some(asked) = time(pod.pointer("/metadata/deletionTimestamp")) {
        // The time in the API is the one at which the grace period is over.
        let grace = pod.pointer("/metadata/deletionGracePeriodSeconds").and_then(Value::as_i64).unwrap_or(0);
        let ended = |c: &Value| time(c.pointer("/state/terminated/finishedAt"));
        let ends: Option<Vec<i64>> = containers.iter().map(ended).collect();
        note(Delay::Terminate, Some(asked - grace), ends.and_then(|e| e.into_iter().max()));
        return true;
    }
    if containers.iter().any(|c| c.get("restartCount").and_then(Value::as_i64).unwrap_or(0) > 0) {
        return false;
    }
    let begun = |c: &Value| time(c.pointer("/state/running/startedAt").or(c.pointer("/state/terminated/startedAt")));
    let starts: Option<Vec<i64>> = containers.iter().map(begun).collect();
    let started = starts.and_then(|s| s.into_iter().max());
    note(Delay::Start, scheduled, started);
    note(Delay::Ready, started, condition(pod, "Ready"));
    true
}

/// Whose pod it is: the controller above its controller, as far as names
/// tell.
fn owner(pod: &Value) -> String {
    let owners = pod.pointer("/metadata/ownerReferences").and_then(Value::as_array);
    let controller = owners.and_then(|all| all.iter().find(|o| o.get("controller") == Some(&Value::Bool(true))));
    let (kind, name) = match controller {
        None => ("pod".to_string(), text(pod, "/metadata/name")),
        Some(owner) => (text(owner, "/kind").to_lowercase(), text(owner, "/name")),
    };
    let hash = pod.pointer("/metadata/labels/pod-template-hash").and_then(Value::as_str).unwrap_or_default();
    let cut = name.rsplit_once('-').filter(|(_, end)| !end.is_empty());
    let named = match (kind.as_str(), cut) {
        ("replicaset", Some((deployment, end))) if end == hash => format!("deployment/{deployment}"),
        // The Jobs of a CronJob end with the minute of their schedule.
        ("job", Some((cron, end))) if end.len() >= 8 && end.bytes().all(|b| b.is_ascii_digit()) => {
            format!("cronjob/{cron}")
        }
        _ => format!("{kind}/{name}"),
    };
    match text(pod, "/metadata/namespace").as_str() {
        "" | "default" => named,
        namespace => format!("{namespace}/{named}"),
    }
}

/// How long an image was pulled, as the kubelet says it: `Successfully pulled
/// image "app:v1" in 3.2s (3.5s including waiting)`.
fn pull(event: &Value) -> Option<f64> {
    if text(event, "/reason") != "Pulled" {
        return None;
    }
    let message = text(event, "/message");
    let (_, rest) = message.split_once("\" in ")?;
    let length = rest.split(' ').next()?.trim_end_matches('.');
    crate::scenario::duration::parse(length).ok().map(crate::time::Span::as_secs_f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn at(second: u32) -> String {
        format!("2026-01-05T00:00:{second:02}Z")
    }

    fn pod(name: &str, restarts: u32) -> Value {
        json!({
            "kind": "Pod",
            "metadata": {
                "namespace": "shop", "name": name, "creationTimestamp": at(1),
                "labels": {"pod-template-hash": "abc"},
                "ownerReferences": [{"kind": "ReplicaSet", "name": "web-abc", "controller": true}],
            },
            "status": {
                "conditions": [
                    {"type": "PodScheduled", "status": "True", "lastTransitionTime": at(2)},
                    {"type": "Ready", "status": "True", "lastTransitionTime": at(20)},
                ],
                "containerStatuses": [
                    {"restartCount": restarts, "state": {"running": {"startedAt": at(7)}}},
                    {"restartCount": 0, "state": {"running": {"startedAt": at(9)}}},
                ],
            },
        })
    }

    #[test]
    fn pods_tell_their_delays() {
        let mut going = pod("web-abc-3", 1);
        going["metadata"]["deletionTimestamp"] = json!(at(50));
        going["metadata"]["deletionGracePeriodSeconds"] = json!(20);
        going["status"]["containerStatuses"] =
            json!([{"restartCount": 1, "state": {"terminated": {"startedAt": at(7), "finishedAt": at(34)}}}]);
        let event = json!({
            "kind": "Event", "reason": "Pulled", "involvedObject": {"namespace": "shop", "name": "web-abc-1"},
            "message": "Successfully pulled image \"app:v1\" in 3.25s (4s including waiting). Image size: 5 bytes.",
        });
        let list = json!({"kind": "List", "items": [pod("web-abc-1", 0), pod("web-abc-2", 1), going, event]});
        let observed = observe(&[list]).unwrap();
        assert_eq!((observed.pods, observed.events, observed.restarted), (3, 1, 1));
        let [web] = &observed.workloads[..] else { panic!("{observed:?}") };
        assert_eq!(web.name, "shop/deployment/web");
        assert_eq!(web.seconds(Delay::Schedule), [1.0, 1.0, 1.0]);
        assert_eq!(web.seconds(Delay::Start), [7.0]);
        assert_eq!(web.seconds(Delay::Ready), [11.0]);
        assert_eq!(web.seconds(Delay::Terminate), [4.0]);
        assert_eq!(web.pulls, [3.25]);
    }

    #[test]
    fn owners_are_found_behind_their_hashes() {
        let owned = |kind: &str, name: &str| {
            let owners = json!([{"kind": kind, "name": name, "controller": true}]);
            owner(&json!({"metadata": {"name": "p", "labels": {"pod-template-hash": "5d"}, "ownerReferences": owners}}))
        };
        assert_eq!(owned("ReplicaSet", "a-b-5d"), "deployment/a-b");
        assert_eq!(owned("ReplicaSet", "plain"), "replicaset/plain");
        assert_eq!(owned("StatefulSet", "db"), "statefulset/db");
        assert_eq!(owned("Job", "report-29460000"), "cronjob/report");
        assert_eq!(owned("Job", "migrate"), "job/migrate");
        assert_eq!(owner(&json!({"metadata": {"name": "p"}})), "pod/p");
        assert!(observe(&[json!({"items": []})]).is_err());
    }
}
