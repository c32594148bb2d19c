//! Budgets, evictions, drains and autoscalers in words.

use crate::trace::{Field, Why};

fn plural(count: i32, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

/// Why somebody evicted or did not, scaled or did not.
pub(super) fn reason(why: Why) -> (String, &'static str) {
    match why {
        Why::BudgetRefuses { healthy, desired } => (
            format!("its budget needs {desired} healthy pods and has {healthy}: the eviction is refused"),
            "pkg/registry/core/pod/storage/eviction.go checkAndDecrement",
        ),
        Why::SeveralBudgets { budgets } => (
            format!("it has {budgets} budgets, so it cannot be evicted at all"),
            "pkg/registry/core/pod/storage/eviction.go Create",
        ),
        Why::Drained { pods, seconds } => (
            format!("the drain is over after {seconds} s: {} evicted and gone", plural(pods, "pod")),
            "staging/src/k8s.io/kubectl/pkg/drain/drain.go DeleteOrEvictPods",
        ),
        Why::DrainFailed { left, seconds } => (
            format!("the drain gave up after {seconds} s with {} left", plural(left, "pod")),
            "staging/src/k8s.io/kubectl/pkg/drain/drain.go DeleteOrEvictPods",
        ),
        Why::Rescale { from, to, proposed } => (
            format!("from {from} to {to} replicas: the metrics ask for {proposed}"),
            "pkg/controller/podautoscaler/horizontal.go reconcileAutoscaler",
        ),
        _ => (String::new(), ""),
    }
}

/// What changed about a budget or an autoscaler.
pub(super) fn describe_change(subject: &str, field: Field, value: &str) -> String {
    match field {
        Field::CurrentHealthy => format!("{subject} counts {value} healthy pods"),
        Field::DesiredHealthy => format!("{subject} needs {value} healthy pods"),
        Field::DisruptionsAllowed => format!("{subject} lets {value} pods go"),
        Field::ExpectedPods => format!("{subject} expects {value} pods"),
        Field::DesiredReplicas => format!("{subject} wants {value} replicas"),
        Field::LastScaleTime => format!("{subject} scaled its target at {value}"),
        Field::MinReplicas => format!("{subject} sets no fewer than {value} replicas"),
        Field::MaxReplicas => format!("{subject} sets no more than {value} replicas"),
        other => format!("{subject}: {} is {value}", other.name()),
    }
}
