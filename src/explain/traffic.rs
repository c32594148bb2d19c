//! Requests in words.

use crate::trace::Field;

/// A change of what becomes of requests.
pub(super) fn describe_change(subject: &str, field: Field, value: &str) -> String {
    let rate = || crate::timeline::rate(value.parse().unwrap_or(0));
    let pods = |what: &str| match value {
        "1" => format!("{subject}: 1 pod {what}"),
        _ => format!("{subject}: {value} pods {what}"),
    };
    match field {
        Field::Endpoints => pods("in the EndpointSlices"),
        Field::RoutablePods => pods("get requests"),
        Field::ServingPods => pods("answering"),
        Field::DeadEnds => pods("get requests and do not answer"),
        Field::Requests => format!("{subject} gets {} requests a second", rate()),
        Field::RequestCapacity => format!("{subject} could serve {} requests a second", rate()),
        Field::RefusedRequests => format!("{subject}: nobody answers {} requests a second", rate()),
        Field::ShedRequests => format!("{subject}: {} requests a second are too many", rate()),
        Field::ErrorAnswers => format!("{subject}: {} requests a second end in an error", rate()),
        Field::FailedRequests => format!("{subject}: {} requests a second fail", rate()),
        _ => format!("{subject}: {} requests were cut off so far", rate()),
    }
}
