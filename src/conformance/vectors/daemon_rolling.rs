//! `daemonset_rolling`: one pass of a DaemonSet's rolling update.

use super::Answer;
use crate::api::{DaemonSetUpdate, IntOrPercent, Phase};
use crate::controllers::daemon_set::rules::{self, DaemonPod, Fit, Shares, Step};
use crate::time::Timestamp;
use serde::Deserialize;
use serde_json::{Value as Json, json};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Line {
    max_surge: IntOrPercent,
    max_unavailable: IntOrPercent,
    min_ready_seconds: i64,
    nodes: Vec<LineNode>,
    delete_pods: Vec<String>,
    create_on_nodes: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct LineNode {
    node: String,
    should_run: bool,
    old_pod: Option<LinePod>,
    new_pod: Option<LinePod>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct LinePod {
    ready: bool,
    #[serde(default)]
    ready_seconds: i64,
    #[serde(default)]
    terminating: bool,
}

impl LineNode {
    /// The node's pods and their names.
    fn pods(&self, min_ready_seconds: i64) -> Vec<(DaemonPod, String)> {
        let pod = |pod: LinePod, updated: bool, suffix: &str| {
            let facts = DaemonPod {
                deleting: pod.terminating,
                phase: Phase::Running,
                bound: true,
                created: Timestamp(0),
                ready: pod.ready,
                available: pod.ready && pod.ready_seconds >= min_ready_seconds,
                current: updated,
                updated,
            };
            (facts, format!("{}-{suffix}", self.node))
        };
        let new = self.new_pod.map(|new| pod(new, true, "new"));
        let old = self.old_pod.map(|old| pod(old, false, "old"));
        new.into_iter().chain(old).collect()
    }
}

/// What is deleted and where pods are created, each by name.
fn pass(line: &Line) -> (Vec<String>, Vec<String>) {
    let mut nodes: Vec<&LineNode> = line.nodes.iter().collect();
    nodes.sort_by(|a, b| a.node.cmp(&b.node));
    let desired = nodes.iter().filter(|node| node.should_run).count() as i32;
    let update = DaemonSetUpdate::RollingUpdate { max_surge: line.max_surge, max_unavailable: line.max_unavailable };
    let limits = rules::limits(update, desired);
    let (mut shares, mut steps) = (Shares::default(), Vec::new());
    for node in nodes {
        let pods = node.pods(line.min_ready_seconds);
        let facts: Vec<DaemonPod> = pods.iter().map(|(pod, _)| *pod).collect();
        let fit = Fit { run: node.should_run, keep: true };
        if !rules::takes_part(fit, &facts) {
            continue;
        }
        let share = rules::share(fit, &facts, limits.surge > 0);
        shares += share;
        steps.extend(share.step.map(|(step, pod)| (step, node.node.clone(), pods[pod].1.clone())));
    }
    let (mut deleted, mut created) = (Vec::new(), Vec::new());
    for step in Step::ALL {
        let most = rules::allowance(step, limits, shares, desired);
        for (_, node, pod) in steps.iter().filter(|(which, ..)| *which == step).take(most) {
            match step {
                Step::Create | Step::CreateInSurge => created.push(node.clone()),
                Step::Delete | Step::DeleteInBudget | Step::DeleteIfSpare => deleted.push(pod.clone()),
            }
        }
    }
    deleted.sort();
    created.sort();
    (deleted, created)
}

pub(super) fn answers(json: &Json) -> Result<(Answer, Answer), serde_json::Error> {
    let line = Line::deserialize(json)?;
    let ours = pass(&line);
    Ok((Answer::Value(json!([line.delete_pods, line.create_on_nodes])), Answer::Value(json!(ours))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_pods_that_do_not_work_go_beyond_the_budget() {
        let line = json!({
            "createOnNodes": [], "deletePods": [], "maxSurge": 0, "maxUnavailable": 1, "minReadySeconds": 5,
            "nodes": [
                {"node": "b", "oldPod": {"ready": true, "readySeconds": 9}, "shouldRun": true},
                {"node": "a", "oldPod": {"ready": true, "readySeconds": 4}, "shouldRun": true},
                {"node": "c", "newPod": {"ready": false, "terminating": true}, "shouldRun": false}
            ]
        });
        let line = Line::deserialize(&line).expect("a line");
        assert_eq!(pass(&line), (vec!["a-old".to_string()], vec![]));
    }
}
