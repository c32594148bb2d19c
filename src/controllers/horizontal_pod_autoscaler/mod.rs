//! The horizontal pod autoscaler.
//!
//! Each HorizontalPodAutoscaler is looked at every 15 seconds, whatever
//! happens in between. Recommendations and changes are remembered in the
//! process only: a restart begins its windows anew.

pub mod history;
mod metrics;
pub mod rules;
mod samples;
mod target;

use super::{Controller, Notice, ObjectNotice, Plan, Reaction, SyncError, Version, View, WorkQueue, Write};
use crate::api::{
    ConditionStatus, HorizontalPodAutoscaler, HorizontalPodAutoscalerStatus, Key, Kind, Labels, MetricValue,
    ScalingBehavior, ScalingCondition, Selector,
};
use crate::cluster::{ApiError, Change, Verb};
use crate::time::{Instant, Span};
use crate::trace::Why;
use history::{History, Sizes};
use rustc_hash::FxHashMap;
use std::sync::Arc;
use target::Scale;

/// How often each HorizontalPodAutoscaler is looked at.
///
/// Upstream: `podautoscaler/config/v1alpha1/defaults.go HorizontalPodAutoscalerSyncPeriod`
const PERIOD: Span = Span::from_secs(15);

/// The memory of one autoscaler process.
#[derive(Clone, Debug, Default)]
pub(super) struct HorizontalPodAutoscalerController {
    histories: FxHashMap<Key, History>,
    /// Which pods each one scales, as far as it has found out.
    selectors: FxHashMap<Key, Option<Arc<Selector>>>,
    /// What the syncs in hand are about to do to their targets.
    rescales: FxHashMap<Key, Rescale>,
}

/// A change of a target that is under way.
#[derive(Clone, Debug)]
struct Rescale {
    from: i32,
    to: i32,
    at: Instant,
    reason: String,
    behavior: Option<ScalingBehavior>,
    /// The status as it would be without the change.
    status: HorizontalPodAutoscalerStatus,
    version: u64,
}

/// One look at one HorizontalPodAutoscaler.
struct Pass<'a> {
    key: Key,
    autoscaler: &'a HorizontalPodAutoscaler,
    view: View<'a>,
    /// The status as this sync has changed it so far.
    status: HorizontalPodAutoscalerStatus,
    plan: &'a mut Plan,
}

/// What the metrics ask for together.
struct Proposal {
    replicas: i32,
    metric: String,
    values: Vec<MetricValue>,
}

impl Controller for HorizontalPodAutoscalerController {
    fn kind(&self) -> Kind {
        Kind::HorizontalPodAutoscaler
    }

    fn watches(&self, kind: Kind) -> bool {
        kind == Kind::HorizontalPodAutoscaler
    }

    /// Upstream: `podautoscaler/horizontal.go enqueueHPA`, `deleteHPA`
    fn observe(&mut self, change: &Change, _view: View<'_>, queue: &mut WorkQueue) {
        if change.verb == Verb::Deleted {
            self.selectors.remove(&change.key);
            return;
        }
        self.selectors.entry(change.key).or_default();
        queue.add_rate_limited(change.key);
    }

    /// Upstream: `podautoscaler/horizontal.go reconcileKey`, `reconcileAutoscaler`
    fn sync(&mut self, key: Key, view: View<'_>, plan: &mut Plan, queue: &mut WorkQueue) -> Result<(), SyncError> {
        let Some(autoscaler) = view.cache.autoscalers.get(key) else {
            self.histories.remove(&key);
            return Ok(());
        };
        queue.add_rate_limited(key);
        self.rescales.remove(&key);
        if !view.answers {
            // Neither the scale nor metrics nor its own status can be had.
            return Ok(());
        }
        let status = autoscaler.status.clone();
        let mut pass = Pass { key, autoscaler, view, status, plan };
        match target::scale_of(autoscaler, view.live) {
            Ok(scale) => self.reconcile(&mut pass, &scale),
            Err(error) => {
                pass.warn("FailedGetScale", &error);
                pass.status.able_to_scale = Some(failed(
                    "FailedGetScale",
                    format!("the HPA controller was unable to get the target's current scale: {error}"),
                ));
                pass.write_status();
            }
        }
        Ok(())
    }

    fn written(&mut self, key: Key, write: &Write, _object: Key, _version: u64) {
        if let (Write::ScaleTarget { .. }, Some(rescale)) = (write, self.rescales.remove(&key))
            && let Some(behavior) = &rescale.behavior
        {
            self.histories.entry(key).or_default().scaled(behavior, rescale.from, rescale.to, rescale.at);
        }
    }

    fn failed(&mut self, key: Key, write: &Write, error: &ApiError, _view: View<'_>, plan: &mut Plan) -> Reaction {
        let text = error.reason();
        match (write, self.rescales.remove(&key)) {
            (Write::ScaleTarget { .. }, Some(mut rescale)) => {
                let message = format!("New size: {}; reason: {}; error: {text}", rescale.to, rescale.reason);
                plan.announce(key, Notice::warning("FailedRescale", message));
                rescale.status.able_to_scale = Some(failed(
                    "FailedUpdateScale",
                    format!("the HPA controller was unable to update the target scale: {text}"),
                ));
                plan.write(Write::AutoscalerStatus {
                    autoscaler: key,
                    version: Version::Cached(rescale.version),
                    status: Box::new(rescale.status),
                });
            }
            (Write::AutoscalerStatus { .. }, _) => plan.announce(key, Notice::warning("FailedUpdateStatus", text)),
            _ => {}
        }
        Reaction::Fail
    }

    /// Recommendations are kept by name until a sync finds nothing there.
    fn renamed(&mut self, old: Key, new: Key) {
        if let Some(history) = self.histories.remove(&old) {
            self.histories.insert(new, history);
        }
    }

    fn new_queue(&self) -> WorkQueue {
        WorkQueue::with_retries(PERIOD, PERIOD)
    }

    /// Upstream: `cmd/kube-controller-manager/app/options` `--concurrent-horizontal-pod-autoscaler-syncs`
    fn workers(&self) -> u8 {
        5
    }

    fn boxed_clone(&self) -> Box<dyn Controller + Send + Sync> {
        Box::new(self.clone())
    }
}

impl HorizontalPodAutoscalerController {
    fn reconcile(&mut self, pass: &mut Pass<'_>, scale: &Scale) {
        pass.status.able_to_scale =
            Some(holds("SucceededGetScale", "the HPA controller was able to get the target's current scale"));
        let (spec, current, now) = (&pass.autoscaler.spec, scale.replicas, pass.view.monotonic);
        self.histories.entry(pass.key).or_default().begin(current, now);
        if current == 0 {
            pass.status.scaling_active = Some(failed(
                "ScalingDisabled",
                "scaling is disabled since the replica count of the target is zero".to_string(),
            ));
            return pass.settle(current, current, Vec::new());
        }
        if current > spec.max_replicas || current < spec.min_replicas {
            let (to, reason) = match current > spec.max_replicas {
                true => (spec.max_replicas, "Current number of replicas above Spec.MaxReplicas"),
                false => (spec.min_replicas, "Current number of replicas below Spec.MinReplicas"),
            };
            return self.rescale(pass, scale, to, to, reason.to_string(), Vec::new());
        }
        let Some(proposal) = self.ask_metrics(pass, scale) else { return };
        let reason = match proposal.replicas {
            n if n > current => format!("{} above target", proposal.metric),
            n if n < current => "All metrics below target".to_string(),
            _ => String::new(),
        };
        let sizes = Sizes { current, proposed: proposal.replicas, min: spec.min_replicas, max: spec.max_replicas };
        let history = self.histories.entry(pass.key).or_default();
        let verdict = match &spec.behavior {
            None => history.judge(sizes, now),
            Some(behavior) => history.judge_with(behavior, sizes, now),
        };
        pass.status.able_to_scale = Some(holds(verdict.able.0, verdict.able.1));
        let limited = if verdict.limited { holds } else { fails };
        pass.status.scaling_limited = Some(limited(verdict.limit.0, verdict.limit.1));
        if verdict.replicas == current {
            return pass.settle(current, current, proposal.values);
        }
        self.rescale(pass, scale, verdict.replicas, proposal.replicas, reason, proposal.values);
    }

    /// Plans the new size, and the status for when it is written.
    fn rescale(
        &mut self,
        pass: &mut Pass<'_>,
        scale: &Scale,
        to: i32,
        proposed: i32,
        reason: String,
        values: Vec<MetricValue>,
    ) {
        let from = scale.replicas;
        let status = HorizontalPodAutoscalerStatus {
            current_replicas: from,
            current_metrics: values.clone(),
            ..pass.status.clone()
        };
        pass.plan.because(Why::Rescale { from, to, proposed });
        pass.plan.write(Write::ScaleTarget { target: scale.key, autoscaler: pass.key, replicas: to });
        pass.plan.announce(pass.key, Notice::normal("SuccessfulRescale", format!("New size: {to}; reason: {reason}")));
        let rescale = Rescale {
            from,
            to,
            at: pass.view.monotonic,
            reason,
            behavior: pass.autoscaler.spec.behavior.clone(),
            status,
            version: pass.autoscaler.meta.resource_version,
        };
        self.rescales.insert(pass.key, rescale);
        pass.status.able_to_scale =
            Some(holds("SucceededRescale", &format!("the HPA controller was able to update the target scale to {to}")));
        pass.status.last_scale_time = Some(pass.view.now.truncate());
        pass.settle(from, to, values);
    }

    /// Asks every metric; the one that wants the most replicas counts. If
    /// some cannot be had, the rest may scale up but not down. `None` if
    /// there is nothing to go by; the status is planned then.
    ///
    /// Upstream: `podautoscaler/horizontal.go computeReplicasForMetrics`
    fn ask_metrics(&mut self, pass: &mut Pass<'_>, scale: &Scale) -> Option<Proposal> {
        let specs = &pass.autoscaler.spec.metrics;
        if let Err(error) = self.claim_pods(pass, scale) {
            pass.status.current_metrics = Vec::new();
            pass.give_up(scale.replicas, &error);
            return None;
        }
        let mut proposal =
            Proposal { replicas: 0, metric: String::new(), values: vec![MetricValue::default(); specs.len()] };
        let (mut invalid, mut first): (usize, Option<metrics::Failure>) = (0, None);
        for (i, spec) in specs.iter().enumerate() {
            match metrics::ask(pass, scale, spec) {
                Ok(answer) => {
                    proposal.values[i] = answer.value;
                    if proposal.replicas == 0 || answer.replicas > proposal.replicas {
                        (proposal.replicas, proposal.metric) = (answer.replicas, answer.name);
                    }
                }
                Err(failure) => {
                    pass.warn(failure.reason, &failure.error);
                    invalid += 1;
                    first = first.or(Some(failure));
                }
            }
        }
        if let Some(failure) = first
            && (invalid >= specs.len() || proposal.replicas < scale.replicas)
        {
            pass.status.scaling_active = Some(failed(
                failure.reason,
                format!("the HPA was unable to compute the replica count: {}", failure.error),
            ));
            pass.status.current_metrics = proposal.values;
            let (all, context, error) = (specs.len(), &failure.context, &failure.error);
            let message =
                format!("invalid metrics ({invalid} invalid out of {all}), first error is: {context}: {error}");
            pass.give_up(scale.replicas, &message);
            return None;
        }
        pass.status.scaling_active = Some(holds(
            "ValidMetricFound",
            &format!("the HPA was able to successfully calculate a replica count from {}", proposal.metric),
        ));
        Some(proposal)
    }

    /// Makes sure that no other autoscaler scales the same pods.
    ///
    /// Upstream: `podautoscaler/horizontal.go validateAndParseSelector`
    fn claim_pods(&mut self, pass: &mut Pass<'_>, scale: &Scale) -> Result<(), String> {
        if let Some(own) = self.selectors.get_mut(&pass.key) {
            *own = Some(scale.selector.clone());
        }
        if self.selectors.len() < 2 {
            return Ok(());
        }
        let namespace = &pass.autoscaler.meta.namespace;
        // Most pods of a target share one set of labels.
        let mut seen: Vec<&Arc<Labels>> = Vec::new();
        let mut names: Vec<&str> = Vec::new();
        for (_, pod) in pass.view.cache.pods_selected(namespace, &scale.selector) {
            if seen.iter().any(|labels| Arc::ptr_eq(labels, &pod.meta.labels)) {
                continue;
            }
            seen.push(&pod.meta.labels);
            let selecting =
                self.selectors.iter().filter(|(_, s)| s.as_ref().is_some_and(|s| s.matches(&pod.meta.labels)));
            let rows = selecting.filter_map(|(key, _)| pass.view.cache.autoscalers.get(*key));
            names.extend(rows.filter(|row| row.meta.namespace == *namespace).map(|row| &*row.meta.name));
        }
        names.sort_unstable();
        names.dedup();
        if names.len() < 2 {
            return Ok(());
        }
        let list: Vec<String> = names.iter().map(|name| format!("{{{namespace} {name}}}")).collect();
        let error =
            format!("pods by selector {} are controlled by multiple HPAs: [{}]", scale.selector, list.join(" "));
        pass.warn("AmbiguousSelector", &error);
        pass.status.scaling_active = Some(failed("AmbiguousSelector", error.clone()));
        Err(error)
    }
}

impl Pass<'_> {
    fn warn(&mut self, reason: &'static str, message: &str) {
        // Braces in a message would stand for a name.
        let message = message.replace("{}", "{ }");
        self.plan.notices.push(ObjectNotice { about: self.key, reason, message, object: self.key, warning: true });
    }

    /// Without a proposal only the status is written.
    fn give_up(&mut self, current: i32, message: &str) {
        self.status.current_replicas = current;
        self.write_status();
        self.warn("FailedComputeMetricsReplicas", message);
    }

    /// Upstream: `podautoscaler/horizontal.go setStatus`
    fn settle(&mut self, current: i32, desired: i32, values: Vec<MetricValue>) {
        self.status.current_replicas = current;
        self.status.desired_replicas = desired;
        self.status.current_metrics = values;
        self.write_status();
    }

    /// Upstream: `podautoscaler/horizontal.go updateStatusIfNeeded`
    fn write_status(&mut self) {
        if self.status != self.autoscaler.status {
            self.plan.write(Write::AutoscalerStatus {
                autoscaler: self.key,
                version: Version::Cached(self.autoscaler.meta.resource_version),
                status: Box::new(self.status.clone()),
            });
        }
    }
}

fn holds(reason: &str, message: &str) -> ScalingCondition {
    ScalingCondition { status: ConditionStatus::True, reason: reason.into(), message: message.into() }
}

fn fails(reason: &str, message: &str) -> ScalingCondition {
    ScalingCondition { status: ConditionStatus::False, ..holds(reason, message) }
}

fn failed(reason: &str, message: String) -> ScalingCondition {
    ScalingCondition { status: ConditionStatus::False, reason: reason.into(), message: message.into() }
}
