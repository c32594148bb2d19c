//! Which part of a run is shown.

use super::axis;
use crate::api::Kind;
use crate::time::{SimTime, Span};
use crate::timeline::{NodeLoad, Series, Service, Timeline, Workload};

/// Which part of a run is shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Window {
    /// From shortly before the first thing that somebody, the load or a node
    /// did until shortly after the last change, or longer if it was not over then;
    /// if nobody did anything from the beginning.
    #[default]
    Auto,
    /// All of it.
    Whole,
    /// From the first moment to the second, cut to the run.
    Between(SimTime, SimTime),
}

/// What happens within so little time happens at once.
const AT_ONCE: Span = Span::from_secs(1);

impl Window {
    /// The first and the last moment to show. They differ unless the run has
    /// no length.
    pub fn of(self, timeline: &Timeline) -> (SimTime, SimTime) {
        let end = timeline.until;
        match self {
            Window::Between(from, to) if from < to.min(end) => (from, to.min(end)),
            Window::Whole | Window::Between(..) => (SimTime::ZERO, end),
            Window::Auto => interesting(timeline),
        }
    }

    /// The end of what sentences tell of: `end`, the end of what is shown; of
    /// the automatic window, after which nothing changes, the end of the run.
    pub(crate) fn told_until(self, timeline: &Timeline, end: SimTime) -> SimTime {
        if self == Window::Auto { timeline.end() } else { end }
    }
}

/// The part of a run in which something happens, with a margin of a twentieth.
/// What had not come to an end is shown to last.
fn interesting(timeline: &Timeline) -> (SimTime, SimTime) {
    let end = timeline.until;
    let (first, last) = (first_cause(timeline), last_change(timeline));
    if first >= last {
        return (SimTime::ZERO, end);
    }
    // Where all of it happens at once, as when a drain gets no further than to
    // cordon its node, what does not happen after it is what there is to see.
    let last = if last.since(first) < AT_ONCE { end } else { last };
    let length = last.since(first).0;
    let margin = |parts: u64| Span::from_ns((length / parts).max(Span::from_secs(1).0));
    let after = if timeline.workloads().iter().any(is_open) { margin(4) } else { margin(20) };
    let round = axis::round_span(Span::from_ns(length / 100)).0;
    let from = SimTime(first.0.saturating_sub(margin(20).0));
    let to = last.after(after);
    (SimTime(from.0 - from.0 % round), SimTime(to.0.div_ceil(round).saturating_mul(round)).min(end))
}

/// When the first thing was done that led to others.
fn first_cause(timeline: &Timeline) -> SimTime {
    let actions = timeline.actions.iter().map(|a| a.at);
    let runs = timeline.workloads().iter().filter_map(first_run);
    let loads = timeline.services().iter().filter_map(first_load);
    let nodes = timeline.nodes().iter().filter_map(NodeLoad::first_trouble);
    actions.chain(runs).chain(loads).chain(nodes).min().unwrap_or_default()
}

/// Jobs run from their creation on, whatever is done to them later; a
/// CronJob's runs before an action tell how it was meant.
fn first_run(workload: &Workload) -> Option<SimTime> {
    match workload.kind {
        Kind::Job => Some(workload.created),
        Kind::CronJob => {
            let started = workload.series(Series::StartedJobs).points().iter();
            started.map(|point| point.0).find(|&at| at > SimTime::ZERO)
        }
        _ => None,
    }
}

/// When its load first changed.
fn first_load(service: &Service) -> Option<SimTime> {
    let points = service.series(Series::Requests)?.points();
    points.iter().map(|point| point.0).find(|&at| at > SimTime::ZERO)
}

fn last_change(timeline: &Timeline) -> SimTime {
    let workloads = timeline.workloads().iter().map(Workload::last_change);
    let services = timeline.services().iter().map(Service::last_change);
    let machines = timeline.capacity().tells().then(|| timeline.capacity().last_change());
    let nodes = timeline.nodes().iter().filter_map(NodeLoad::last_change);
    workloads.chain(services).chain(machines).chain(nodes).max().unwrap_or_default()
}

/// Whether it had not come to an end when the run was over.
fn is_open(workload: &Workload) -> bool {
    let last = |series: Series| workload.series(series).last();
    let rolls = workload.rollouts().last().is_some_and(|rollout| rollout.end.is_none());
    let lacks = !workload.is_batch() && last(Series::Available) < last(Series::Desired);
    let runs = workload.kind == Kind::Job && last(Series::ActiveJobs) > 0;
    rolls || lacks || runs || last(Series::Terminating) > 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use crate::time::SECOND;

    #[test]
    fn windows_have_round_ends_and_hold_all_that_changes() {
        for (name, trace) in fixture::all() {
            let timeline = Timeline::of(&trace);
            let (from, to) = Window::Auto.of(&timeline);
            let holds = timeline.actions.iter().all(|a| a.at >= from) && last_change(&timeline) <= to;
            assert!(holds, "{name}: {from} to {to}");
            let round = |at: SimTime| at.0.is_multiple_of(SECOND) || at == timeline.until;
            let short = to.since(from) < Span::from_secs(50);
            assert!(short || (round(from) && round(to)), "{name}: {from} to {to}");
            assert_eq!(Window::Auto.told_until(&timeline, to), timeline.end());
            assert_eq!(Window::Whole.told_until(&timeline, to), to);
        }
    }
}
