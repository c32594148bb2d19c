//! `hpa_replicas` and `hpa_normalize`: how many replicas metrics ask for, and
//! what becomes of a series of proposals.

use super::Answer;
use crate::api::{Object, Phase, ScalingBehavior};
use crate::controllers::PodMetric;
use crate::controllers::horizontal_pod_autoscaler::history::{History, Sizes};
use crate::controllers::horizontal_pod_autoscaler::rules::{self, Proposal, Sample, Tolerances};
use crate::time::{Instant, Span, Timestamp};
use serde::Deserialize;
use serde::de::Error as _;
use serde_json::{Value as Json, json};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Replicas {
    #[serde(rename = "fn")]
    function: String,
    now: Option<String>,
    current_replicas: i32,
    #[serde(default)]
    pods: Vec<Pod>,
    tolerance: f64,
    #[serde(default)]
    target_utilization: i32,
    #[serde(default)]
    target_usage_milli: i64,
    #[serde(default)]
    target_usage_per_pod_milli: i64,
    #[serde(default)]
    external_milli: Vec<i64>,
    error: Option<String>,
    result: Json,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Pod {
    phase: Phase,
    #[serde(default)]
    ready: bool,
    ready_last_transition_time: String,
    start_time: String,
    #[serde(default)]
    request_milli: i64,
    #[serde(default)]
    terminating: bool,
    metric: Option<Metric>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metric {
    timestamp: String,
    value_milli: i64,
    window_seconds: u64,
}

fn time(text: &str) -> Result<Timestamp, serde_json::Error> {
    Timestamp::parse(text).map_err(serde_json::Error::custom)
}

impl Pod {
    fn sample(&self) -> Result<Sample, serde_json::Error> {
        let metric = match &self.metric {
            None => None,
            Some(m) => Some(PodMetric {
                at: time(&m.timestamp)?.instant(),
                window: Span::from_secs(m.window_seconds),
                value: m.value_milli,
            }),
        };
        Ok(Sample {
            phase: self.phase,
            deleting: self.terminating,
            ready: Some((self.ready, time(&self.ready_last_transition_time)?)),
            started: Some(time(&self.start_time)?),
            metric,
            request: self.request_milli,
        })
    }
}

pub(super) fn replicas(line: &Json) -> Result<(Answer, Answer), serde_json::Error> {
    let case = Replicas::deserialize(line)?;
    let samples = case.pods.iter().map(Pod::sample).collect::<Result<Vec<_>, _>>()?;
    let now = case.now.as_deref().map_or(Ok(Timestamp(0)), time)?.instant();
    let tolerances = Tolerances { down: case.tolerance, up: case.tolerance };
    let (current, usage) = (case.current_replicas, case.external_milli.iter().sum());
    let ready = || Ok(case.pods.iter().filter(|pod| pod.ready && pod.phase == Phase::Running).count());
    let plain = |p: Proposal| json!({"replicas": p.replicas, "usageMilli": p.usage});
    let ours = match case.function.as_str() {
        "GetResourceReplicas" => {
            rules::for_utilization(&samples, current, case.target_utilization, true, tolerances, now)
                .map(|p| json!({"replicas": p.replicas, "utilization": p.utilization, "rawUtilizationMilli": p.usage}))
        }
        "GetMetricReplicas" => {
            rules::for_average(&samples, current, case.target_usage_milli, false, tolerances, now).map(plain)
        }
        "GetRawResourceReplicas" => {
            rules::for_average(&samples, current, case.target_usage_milli, true, tolerances, now).map(plain)
        }
        "GetExternalMetricReplicas" | "GetObjectMetricReplicas" => {
            rules::for_whole(usage, case.target_usage_milli, current, tolerances, ready).map(plain)
        }
        "GetExternalPerPodMetricReplicas" | "GetObjectPerPodMetricReplicas" => {
            Ok(plain(rules::for_share(usage, case.target_usage_per_pod_milli, current, tolerances)))
        }
        _ => return Ok((Answer::NotModelled, Answer::NotModelled)),
    };
    let theirs = case.error.map_or(Answer::Value(case.result), Answer::Refused);
    Ok((theirs, Answer::from_result(ours)))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Normalize {
    behavior: Json,
    initial_replicas: i32,
    initial_recommendation: Option<i32>,
    min_replicas: i32,
    max_replicas: i32,
    period_seconds: i64,
    recommendations: Vec<i32>,
    desired_replicas: Vec<i32>,
}

/// The behavior, filled up as the API server does.
fn behavior(json: &Json) -> Result<Option<ScalingBehavior>, serde_json::Error> {
    if json.is_null() {
        return Ok(None);
    }
    let document = json!({
        "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "a"},
        "spec": {
            "maxReplicas": 1, "behavior": json,
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "a"},
        },
    });
    match crate::manifest::read(&document).map(|loaded| loaded.object) {
        Ok(Object::HorizontalPodAutoscaler(autoscaler)) => Ok(autoscaler.spec.behavior),
        Ok(_) => Ok(None),
        Err(problems) => Err(serde_json::Error::custom(problems.first().map(ToString::to_string).unwrap_or_default())),
    }
}

pub(super) fn normalize(line: &Json) -> Result<(Answer, Answer), serde_json::Error> {
    let case = Normalize::deserialize(line)?;
    let behavior = behavior(&case.behavior)?;
    let at = |step: usize| Instant(case.period_seconds * step as i64 * 1_000_000_000);
    let mut history = History::default();
    if let Some(initial) = case.initial_recommendation {
        history.begin(initial, at(0));
    }
    let (mut current, mut ours) = (case.initial_replicas, Vec::new());
    for (i, &proposed) in case.recommendations.iter().enumerate() {
        let (now, sizes) = (at(i + 1), Sizes { current, proposed, min: case.min_replicas, max: case.max_replicas });
        let replicas = match &behavior {
            None => history.judge(sizes, now).replicas,
            Some(behavior) => {
                let replicas = history.judge_with(behavior, sizes, now).replicas;
                if replicas != current {
                    history.scaled(behavior, current, replicas, now);
                }
                replicas
            }
        };
        current = replicas;
        ours.push(replicas);
    }
    Ok((Answer::Value(json!(case.desired_replicas)), Answer::Value(json!(ours))))
}
