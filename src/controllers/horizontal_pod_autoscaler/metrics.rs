//! What each metric of an autoscaler asks for.

use super::Pass;
use super::rules::{self, Proposal, Tolerances};
use super::samples::{fill_in_requests, samples};
use super::target::Scale;
use crate::api::{Key, MetricName, MetricSource, MetricSpec, MetricTarget, MetricValue, Phase, Pod, Selector};

/// A metric that could not be had or used: the reason of the condition and
/// of the Event, and both messages.
pub(super) struct Failure {
    pub(super) reason: &'static str,
    pub(super) error: String,
    /// What the error is called on the way up.
    pub(super) context: String,
}

/// What a metric came to.
pub(super) struct Answer {
    pub(super) replicas: i32,
    /// How Events call the metric.
    pub(super) name: String,
    pub(super) value: MetricValue,
}

/// Upstream: `podautoscaler/horizontal.go computeReplicasForMetric`
pub(super) fn ask(pass: &Pass<'_>, scale: &Scale, spec: &MetricSpec) -> Result<Answer, Failure> {
    let (reason, context, answer) = match &spec.source {
        MetricSource::Resource { resource } => (
            "FailedGetResourceMetric",
            format!("failed to get {resource} resource metric value"),
            of_resource(pass, scale, resource, None, &spec.target),
        ),
        MetricSource::ContainerResource { resource, container } => (
            "FailedGetContainerResourceMetric",
            format!("failed to get {container} container metric value"),
            of_resource(pass, scale, resource, Some(container), &spec.target),
        ),
        MetricSource::Pods(metric) => (
            "FailedGetPodsMetric",
            "failed to get pods metric value".to_string(),
            of_pods(pass, scale, metric, &spec.target),
        ),
        MetricSource::Object { described, metric } => (
            "FailedGetObjectMetric",
            "failed to get object metric value".to_string(),
            of_object(pass, scale, &described.kind, metric, spec),
        ),
        MetricSource::External(metric) => (
            "FailedGetExternalMetric",
            format!("failed to get {} external metric value", metric.name),
            of_external(pass, scale, metric, &spec.target),
        ),
    };
    answer.map_err(|error| Failure { reason, error, context })
}

/// Upstream: `podautoscaler/horizontal.go computeStatusForResourceMetricGeneric`
fn of_resource(
    pass: &Pass<'_>,
    scale: &Scale,
    resource: &str,
    container: Option<&str>,
    target: &MetricTarget,
) -> Result<Answer, String> {
    let is_cpu = resource == "cpu";
    let tolerances = pass.tolerances();
    let readings = pass
        .view
        .metrics
        .resource(pass.namespace(), &scale.selector, resource, container)
        .map_err(|error| format!("unable to get metrics for resource {resource}: {error}"));
    let pods = pods(pass, &scale.selector);
    let samples_of = |what: &str| match &readings {
        Ok(readings) => Ok(samples(&pods, readings)),
        Err(error) => Err(format!("failed to get {resource} {what}: {error}")),
    };
    if let Some(average) = target.average_value {
        let samples = samples_of("usage")?;
        let proposal = rules::for_average(&samples, scale.replicas, average, is_cpu, tolerances, pass.view.now)
            .map_err(|error| format!("failed to get {resource} usage: {error}"))?;
        return Ok(Answer {
            replicas: proposal.replicas,
            name: format!("{resource} resource"),
            value: MetricValue { average_value: Some(proposal.usage), ..MetricValue::default() },
        });
    }
    let Some(percent) = target.average_utilization else {
        return Err("invalid resource metric source: neither an average utilization target nor an average value (usage) target was set".to_string());
    };
    let mut samples = samples_of("utilization")?;
    let proposal = utilization(pass, scale, &mut samples, &pods, (resource, container), percent)
        .map_err(|error| format!("failed to get {resource} utilization: {error}"))?;
    let which = if container.is_some() { "container resource" } else { "resource" };
    Ok(Answer {
        replicas: proposal.replicas,
        name: format!("{resource} {which} utilization (percentage of request)"),
        value: MetricValue {
            average_utilization: Some(proposal.utilization),
            average_value: Some(proposal.usage),
            value: None,
        },
    })
}

fn utilization(
    pass: &Pass<'_>,
    scale: &Scale,
    samples: &mut [rules::Sample],
    pods: &[(Key, &Pod)],
    (resource, container): (&str, Option<&str>),
    percent: i32,
) -> Result<Proposal, String> {
    let (tolerances, now, is_cpu) = (pass.tolerances(), pass.view.now, resource == "cpu");
    // That no reading counts is said before that a request is missing.
    rules::check_readings(samples, is_cpu, now)?;
    fill_in_requests(samples, pods, resource, container)?;
    rules::for_utilization(samples, scale.replicas, percent, is_cpu, tolerances, now)
}

/// Upstream: `podautoscaler/horizontal.go computeStatusForPodsMetric`
fn of_pods(pass: &Pass<'_>, scale: &Scale, metric: &MetricName, target: &MetricTarget) -> Result<Answer, String> {
    let readings = pass
        .view
        .metrics
        .pods(pass.namespace(), &scale.selector, metric)
        .map_err(|error| format!("unable to get metric {}: {error}", metric.name))?;
    let samples = samples(&pods(pass, &scale.selector), &readings);
    let target = target.average_value.unwrap_or(1);
    let proposal = rules::for_average(&samples, scale.replicas, target, false, pass.tolerances(), pass.view.now)?;
    Ok(Answer {
        replicas: proposal.replicas,
        name: format!("pods metric {}", metric.name),
        value: MetricValue { average_value: Some(proposal.usage), ..MetricValue::default() },
    })
}

/// Upstream: `podautoscaler/horizontal.go computeStatusForObjectMetric`
fn of_object(
    pass: &Pass<'_>,
    scale: &Scale,
    kind: &str,
    metric: &MetricName,
    spec: &MetricSpec,
) -> Result<Answer, String> {
    let MetricSource::Object { described, .. } = &spec.source else { return Err(String::new()) };
    let usage = pass.view.metrics.object(pass.namespace(), described, metric).map_err(|error| {
        let place = format!("{} {}/{}", described.kind, pass.namespace(), described.name);
        format!("unable to get metric {}: {error} on {place}", metric.name)
    });
    match (&*spec.target.kind, spec.target.value, spec.target.average_value) {
        ("Value", Some(target), _) => whole(pass, scale, usage?, target, format!("{kind} metric {}", metric.name)),
        ("AverageValue", _, Some(target)) => {
            let usage = usage.map_err(|error| format!("failed to get {} object metric: {error}", metric.name))?;
            Ok(shared(pass, scale, usage, target, metric))
        }
        _ => {
            Err("invalid object metric source: neither a value target nor an average value target was set".to_string())
        }
    }
}

/// Upstream: `podautoscaler/horizontal.go computeStatusForExternalMetric`
fn of_external(pass: &Pass<'_>, scale: &Scale, metric: &MetricName, target: &MetricTarget) -> Result<Answer, String> {
    let (namespace, name) = (pass.namespace(), &metric.name);
    let usage = pass.view.metrics.external(namespace, metric).map_err(|error| {
        format!("unable to get external metric {namespace}/{name}/{}: {error}", selector_in_words(metric))
    });
    let usage = usage.map(|values| values.into_iter().fold(0_i64, i64::saturating_add));
    if let Some(target) = target.average_value {
        let usage = usage.map_err(|error| format!("failed to get {name} external metric: {error}"))?;
        return Ok(shared(pass, scale, usage, target, metric));
    }
    let Some(target) = target.value else {
        return Err(
            "invalid external metric source: neither a value target nor an average value target was set".to_string()
        );
    };
    let words = format!("external metric {name}({})", selector_in_words(metric));
    usage
        .and_then(|usage| whole(pass, scale, usage, target, words))
        .map_err(|error| format!("failed to get external metric {name}: {error}"))
}

fn whole(pass: &Pass<'_>, scale: &Scale, usage: i64, target: i64, name: String) -> Result<Answer, String> {
    let ready =
        || ready_pods(pass, &scale.selector).map_err(|error| format!("unable to calculate ready pods: {error}"));
    let proposal = rules::for_whole(usage, target, scale.replicas, pass.tolerances(), ready)?;
    let value = MetricValue { value: Some(proposal.usage), ..MetricValue::default() };
    Ok(Answer { replicas: proposal.replicas, name, value })
}

fn shared(pass: &Pass<'_>, scale: &Scale, usage: i64, target: i64, metric: &MetricName) -> Answer {
    let proposal = rules::for_share(usage, target, scale.current, pass.tolerances());
    Answer {
        replicas: proposal.replicas,
        name: format!("external metric {}({})", metric.name, selector_in_words(metric)),
        value: MetricValue { average_value: Some(proposal.usage), ..MetricValue::default() },
    }
}

/// A selector as upstream's messages have it.
fn selector_in_words(metric: &MetricName) -> String {
    metric.selector.as_ref().map_or_else(|| "nil".to_string(), |selector| format!("&LabelSelector{{{selector}}}"))
}

fn pods<'a>(pass: &Pass<'a>, selector: &Selector) -> Vec<(Key, &'a Pod)> {
    pass.view.cache.pods_selected(&pass.autoscaler.meta.namespace, selector)
}

/// Upstream: `podautoscaler/replica_calculator.go getReadyPodsCount`
fn ready_pods(pass: &Pass<'_>, selector: &Selector) -> Result<usize, String> {
    let pods = pods(pass, selector);
    if pods.is_empty() {
        return Err("no pods returned by selector while calculating replica count".to_string());
    }
    Ok(pods.iter().filter(|(_, pod)| pod.phase == Phase::Running && pod.ready).count())
}

impl Pass<'_> {
    /// Upstream: `podautoscaler/horizontal.go tolerancesForHpa`
    fn tolerances(&self) -> Tolerances {
        let default = Tolerances::default();
        let Some(behavior) = &self.autoscaler.spec.behavior else { return default };
        Tolerances {
            down: behavior.down.tolerance().unwrap_or(default.down),
            up: behavior.up.tolerance().unwrap_or(default.up),
        }
    }

    fn namespace(&self) -> &str {
        &self.autoscaler.meta.namespace
    }
}
