//! Curves, predicates and figures of a run.

use super::display::hundredths;
use super::matching::{Run, Source};
use super::{Curve, Figure, Fold, Frame, Ground, Level, Moment, Predicate, Resource, Target, Window};
use crate::api::Kind;
use crate::time::{SECOND, SimTime, Span};
use crate::timeline::{NodeLoad, Series, Steps, Workload};
use crate::trace::{RecordId, What};
use std::cmp::Ordering;

/// One value of a window.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Amount {
    /// A number.
    Number(f64),
    /// Nanoseconds; `None` is longer than any time.
    Time(Option<i128>),
}

impl Amount {
    /// Compares two amounts; those of different kinds do not compare.
    pub(super) fn compare(self, other: Amount) -> Option<Ordering> {
        match (self, other) {
            (Amount::Number(a), Amount::Number(b)) => a.partial_cmp(&b),
            (Amount::Time(a), Amount::Time(b)) => Some(a.is_none().cmp(&b.is_none()).then(a.cmp(&b))),
            _ => None,
        }
    }

    fn combine(self, other: Amount, numbers: fn(f64, f64) -> f64, times: fn(i128, i128) -> i128) -> Amount {
        match (self, other) {
            (Amount::Number(a), Amount::Number(b)) => Amount::Number(numbers(a, b)),
            (Amount::Time(a), Amount::Time(b)) => Amount::Time(a.zip(b).map(|(a, b)| times(a, b))),
            (other, _) => other,
        }
    }

    fn times(self, other: Amount) -> Amount {
        match (self, other) {
            (Amount::Number(a), Amount::Number(b)) => Amount::Number(a * b),
            (Amount::Number(n), Amount::Time(t)) | (Amount::Time(t), Amount::Number(n)) => {
                Amount::Time(t.map(|t| (t as f64 * n) as i128))
            }
            (other, Amount::Time(_)) => other,
        }
    }

    /// The amount in words.
    pub(super) fn describe(self) -> String {
        match self {
            Amount::Number(n) if n.fract() == 0.0 => format!("{n:.0}"),
            Amount::Number(n) => format!("{n:.2}"),
            Amount::Time(None) => "never".to_string(),
            Amount::Time(Some(ns)) => {
                let span = Span::from_ns(u64::try_from(ns.unsigned_abs()).unwrap_or(u64::MAX));
                format!("{}{span}", if ns < 0 { "-" } else { "" })
            }
        }
    }
}

/// A figure's amount and, where one moment made it, that moment.
pub(super) struct Measured {
    /// The amount.
    pub(super) amount: Amount,
    /// The moment.
    pub(super) at: Option<SimTime>,
    /// The record, if the figure is made of records.
    pub(super) record: Option<RecordId>,
}

impl Measured {
    fn new(amount: Amount, at: Option<SimTime>) -> Measured {
        Measured { amount, at, record: None }
    }
}

/// The same steps on the grid of milliseconds, with an explicit value from the
/// beginning on, so that putting steps together sees the zero before the first
/// point.
fn from_zero(steps: &Steps) -> Steps {
    let points = steps.points().iter().map(|&(at, value)| (at.floor_ms(), value));
    std::iter::once((SimTime::ZERO, 0)).chain(points).collect()
}

fn constant(value: i64) -> Steps {
    std::iter::once((SimTime::ZERO, value)).collect()
}

/// Applies a function to every value.
fn map(steps: &Steps, f: impl Fn(i64) -> i64) -> Steps {
    steps.points().iter().map(|&(at, value)| (at, f(value))).collect()
}

impl Run<'_> {
    /// The step function of a series, zero for what the run never had.
    fn level(&self, level: &Level) -> Steps {
        let steps = match &level.target {
            Target::Workload { kind: Kind::Service, namespace, name } => {
                self.timeline.service(namespace, name).and_then(|s| s.series(level.series))
            }
            Target::Workload { .. } => self.workload(&level.target).map(|w| w.series(level.series)),
            Target::Node(name) => self.timeline.nodes().iter().find(|n| n.name == *name).map(|n| &n.pods),
            Target::Revision { namespace, name } => {
                let workloads = self.timeline.workloads().iter().filter(|w| w.namespace == *namespace);
                let revision = workloads.flat_map(Workload::revisions).find(|r| r.name == *name);
                revision.and_then(|r| r.series(level.series))
            }
            Target::Any => None,
        };
        steps.map_or_else(|| constant(0), from_zero)
    }

    /// The machines, or pods by where they are, as steps of hundredths.
    fn ground(&self, ground: &Ground) -> Steps {
        let capacity = self.timeline.capacity();
        let band = |resource: &Resource| match resource {
            Resource::Cpu => &capacity.cpu,
            Resource::Memory => &capacity.memory,
        };
        let whole = |steps: &Steps| map(&from_zero(steps), |v| v.saturating_mul(100));
        match ground {
            Ground::Nodes(of) => {
                let nodes = self.timeline.nodes().iter().filter(|node| is_among(node, of));
                whole(&nodes.fold(constant(0), |sum, node| sum.zip_with(&from_zero(&node.present), |a, b| a + b)))
            }
            Ground::Allocatable(of) => from_zero(&band(of).allocatable),
            Ground::Requested(of) => from_zero(&band(of).requested),
            Ground::Pending(of) => from_zero(&band(of).pending),
            Ground::InZone(level, zone) => {
                let zones = self.workload(&level.target).map(Workload::zones).unwrap_or_default();
                let load = zones.iter().find(|load| load.zone == *zone);
                let ready = level.series == Series::Ready;
                load.map_or_else(|| constant(0), |load| whole(if ready { &load.ready } else { &load.on_node }))
            }
            Ground::Skew(target) => {
                self.workload(target).map_or_else(|| constant(0), |workload| whole(&workload.skew(self.timeline)))
            }
        }
    }

    /// A curve as steps of hundredths.
    pub(super) fn curve(&self, curve: &Curve) -> Steps {
        match curve {
            Curve::Constant(value) => constant(*value),
            Curve::Level(level) => map(&self.level(level), |v| in_hundredths(v, level.series)),
            Curve::Ground(ground) => self.ground(ground),
            Curve::Percent(p, of) => map(&self.curve(of), |v| (i128::from(v) * i128::from(*p) / 100) as i64),
            Curve::Times(n, of) => map(&self.curve(of), |v| v.saturating_mul(*n)),
            Curve::Sum(a, b) => self.curve(a).zip_with(&self.curve(b), i64::saturating_add),
            Curve::Difference(a, b) => self.curve(a).zip_with(&self.curve(b), i64::saturating_sub),
        }
    }

    /// A predicate as steps of 0 and 1.
    pub(super) fn predicate(&self, predicate: &Predicate) -> Steps {
        match predicate {
            Predicate::Compare(a, how, b) => {
                self.curve(a).zip_with(&self.curve(b), |x, y| i64::from(how.holds(x.cmp(&y))))
            }
            Predicate::Condition { target, condition, equal, value } => {
                let holds = |text: &str| i64::from(condition_is(text, value) == *equal);
                let changes = self.condition(target, condition);
                let points = changes.iter().map(|(at, text)| (at.floor_ms(), holds(text)));
                std::iter::once((SimTime::ZERO, holds(""))).chain(points).collect()
            }
            Predicate::Complete(target) => self.complete(target),
            Predicate::Resolves { pod, .. } => self.resolves(pod),
            Predicate::Occurs(occurrence) => {
                let mut steps = constant(0);
                for (_, at) in self.occurrences(occurrence) {
                    steps.set(at, 1);
                    steps.set(at.after(Span::from_ms(1)), 0);
                }
                steps
            }
            Predicate::Not(p) => map(&self.predicate(p), |v| 1 - v),
            Predicate::And(a, b) => self.predicate(a).zip_with(&self.predicate(b), |x, y| x & y),
            Predicate::Or(a, b) => self.predicate(a).zip_with(&self.predicate(b), |x, y| x | y),
        }
    }

    /// When the latest rollout is over: every wanted pod is updated and
    /// available, no other is wanted, and nothing newer was asked for.
    ///
    /// Upstream: `staging/src/k8s.io/kubectl/pkg/polymorphichelpers/rollout_status.go Status`
    fn complete(&self, target: &Target) -> Steps {
        if matches!(target, Target::Workload { kind: Kind::Job, .. }) {
            let (condition, value) = ("Complete".to_string(), "True".to_string());
            let holds = Predicate::Condition { target: target.clone(), condition, equal: true, value };
            return self.predicate(&holds);
        }
        let Some(workload) = self.workload(target) else { return constant(0) };
        let series = |s: Series| from_zero(workload.series(s));
        let desired = series(Series::Desired);
        let enough = |s: Series| series(s).zip_with(&desired, |have, want| i64::from(have >= want));
        let both = |a: Steps, b: &Steps| a.zip_with(b, |x, y| x & y);
        let alone = series(Series::Counted).zip_with(&desired, |have, want| i64::from(have <= want));
        let mut open = constant(0);
        for rollout in workload.rollouts() {
            open.set(rollout.start.floor_ms(), 1);
            if let Some(end) = rollout.end {
                open.set(end.floor_ms(), 0);
            }
        }
        let exists = [(SimTime::ZERO, 0), (workload.created.floor_ms(), 1)].into_iter().collect();
        let settled = both(both(enough(Series::Updated), &enough(Series::Available)), &alone);
        both(both(settled, &exists), &map(&open, |v| 1 - v))
    }

    /// Whether the name of a pod answers; of several that had it one after
    /// the other, the latest.
    fn resolves(&self, pod: &str) -> Steps {
        let answers = self.trace.records.iter().filter_map(|record| {
            let value = match record.what {
                What::Named => 1,
                What::Unnamed => 0,
                _ => return None,
            };
            (*self.trace.subject(record.subject).api_name == *pod).then(|| (record.at.floor_ms(), value))
        });
        std::iter::once((SimTime::ZERO, 0)).chain(answers).collect()
    }

    /// When a moment was; one that never came is later than any other.
    pub(super) fn moment(&self, moment: &Moment) -> SimTime {
        match moment {
            Moment::At(at) => *at,
            Moment::After { trigger, plus } => {
                let came = self.trace.header.triggers.get(*trigger).and_then(|(_, at)| *at);
                came.map_or(SimTime::MAX, |at| at.after(*plus))
            }
        }
    }

    /// The part of the run that a frame is.
    pub(super) fn window(&self, frame: &Frame) -> Window {
        Window { from: self.moment(&frame.from), to: self.moment(&frame.to) }
    }

    /// A figure's amount.
    pub(super) fn figure(&self, figure: &Figure) -> Measured {
        let plain = |amount| Measured::new(amount, None);
        let put = |a: &Figure, b: &Figure, n: fn(f64, f64) -> f64, t: fn(i128, i128) -> i128| {
            let (a, b) = (self.figure(a), self.figure(b));
            Measured { amount: a.amount.combine(b.amount, n, t), at: a.at.or(b.at), record: a.record.or(b.record) }
        };
        match figure {
            Figure::Number(n) => plain(Amount::Number(*n)),
            Figure::Time(span) => plain(Amount::Time(Some(i128::from(span.0)))),
            Figure::Fold(fold, curve, window) => self.fold(*fold, curve, self.window(window)),
            Figure::At(curve, at) => {
                let at = self.moment(at);
                Measured::new(Amount::Number(self.curve(curve).at(at) as f64 / 100.0), Some(at))
            }
            Figure::Duration(p, w) => {
                let w = self.window(w);
                let held = self.predicate(p).duration_where(w.from, w.to, |v| v == 1);
                plain(Amount::Time(Some(i128::from(held.0))))
            }
            Figure::First(p, w) => {
                let at = stretches(&self.predicate(p), self.window(w)).next().map(|(since, _)| since);
                Measured::new(Amount::Time(at.map(|t| i128::from(t.0))), at)
            }
            Figure::Times(p, w) => {
                let all: Vec<_> = stretches(&self.predicate(p), self.window(w)).collect();
                Measured::new(Amount::Number(all.len() as f64), all.last().map(|s| s.0))
            }
            Figure::Count(occurrence, w) => {
                let w = self.window(w);
                let all = self.occurrences(occurrence).into_iter().filter(|(_, at)| w.contains(*at));
                let all: Vec<_> = all.collect();
                let last = all.last();
                let amount = Amount::Number(all.len() as f64);
                Measured { amount, at: last.map(|l| l.1), record: last.map(|l| l.0) }
            }
            Figure::Nth(occurrence, n, w) => {
                let w = self.window(w);
                let all = self.occurrences(occurrence).into_iter().filter(|(_, at)| w.contains(*at));
                let nth = all.into_iter().nth(n.saturating_sub(1) as usize);
                let amount = Amount::Time(nth.map(|(_, at)| i128::from(at.0)));
                Measured { amount, at: nth.map(|n| n.1), record: nth.map(|n| n.0) }
            }
            Figure::Longest(p, w) => {
                let held = |(since, until): (SimTime, SimTime)| (until.since(since), std::cmp::Reverse(since));
                let longest = stretches(&self.predicate(p), self.window(w)).map(held).max();
                let length = longest.map_or(0, |(length, _)| i128::from(length.0));
                Measured::new(Amount::Time(Some(length)), longest.map(|l| l.1.0))
            }
            Figure::RolloutTime(target, w) => {
                let w = self.window(w);
                let rollouts = self.workload(target).map(Workload::rollouts).unwrap_or_default();
                let latest = rollouts.iter().rev().find(|r| w.contains(r.start));
                let end = latest.and_then(|r| r.end).map(SimTime::floor_ms);
                let took = latest.zip(end).map(|(r, end)| i128::from(end.since(r.start.floor_ms()).0));
                Measured::new(Amount::Time(took), end)
            }
            Figure::Total(level, w) => self.total(level, self.window(w)),
            Figure::Percent(p, of) => {
                let measured = self.figure(of);
                Measured { amount: measured.amount.times(Amount::Number(f64::from(*p) / 100.0)), ..measured }
            }
            Figure::Sum(a, b) => put(a, b, |x, y| x + y, |x, y| x + y),
            Figure::Difference(a, b) => put(a, b, |x, y| x - y, |x, y| x - y),
            Figure::Product(a, b) => {
                let (a, b) = (self.figure(a), self.figure(b));
                Measured { amount: a.amount.times(b.amount), at: a.at.or(b.at), record: a.record.or(b.record) }
            }
        }
    }

    /// A series added up over a window, as so much a second. Requests that
    /// were cut off with their pod fail at one moment, and at no rate.
    fn total(&self, level: &Level, w: Window) -> Measured {
        let steps = self.level(level);
        let sum = steps.integral(w.from, w.to) as f64 / (SECOND as f64 * level.series.scale() as f64);
        let service = match &level.target {
            Target::Workload { kind: Kind::Service, namespace, name } => self.timeline.service(namespace, name),
            _ => None,
        };
        let cut = match (service, level.series) {
            (Some(service), Series::FailedRequests) => service.flows(w.from, w.to).cut as f64 / 1e6,
            _ => 0.0,
        };
        let first = steps.pieces(w.from, w.to).find(|piece| piece.2 != 0).map(|piece| piece.0);
        Measured::new(Amount::Number(sum + cut), first)
    }

    fn fold(&self, fold: Fold, curve: &Curve, w: Window) -> Measured {
        let steps = self.curve(curve);
        let number = |hundredths: i64| Amount::Number(hundredths as f64 / 100.0);
        match fold {
            Fold::Min => {
                let (at, value) = steps.first_min(w.from, w.to);
                Measured::new(number(value), Some(at))
            }
            Fold::Max => {
                let (at, value) = steps.first_max(w.from, w.to);
                Measured::new(number(value), Some(at))
            }
            Fold::Mean => Measured::new(Amount::Number(steps.mean(w.from, w.to) / 100.0), None),
            Fold::Last => {
                let last = steps.pieces(w.from, w.to).last();
                Measured::new(number(last.map_or(0, |p| p.2)), last.map(|p| p.0))
            }
        }
    }

    /// What the sources of a predicate were at a moment, in words.
    pub(super) fn describe(&self, sources: &[Source<'_>], at: SimTime) -> String {
        let mut parts: Vec<String> = Vec::new();
        for source in sources {
            let part = match source {
                Source::Level(level) => {
                    let value = in_hundredths(self.level(level).at(at), level.series);
                    format!("{level} = {}", hundredths(value))
                }
                Source::Condition(target, condition) => {
                    let values = self.condition(target, condition);
                    let upto = values.partition_point(|(t, _)| t.floor_ms() <= at);
                    let value = upto.checked_sub(1).map_or("", |i| values[i].1);
                    format!("condition({target}, {condition}) = {value:?}")
                }
                Source::Complete(target) => self.describe_rollout(target, at),
                Source::Name(pod) => {
                    let way = if self.resolves(pod).at(at) == 1 { "answers" } else { "does not answer" };
                    format!("the name of {pod} {way}")
                }
                Source::Ground(ground) => format!("{ground} = {}", hundredths(self.ground(ground).at(at))),
                Source::Occurrence(occurrence) => format!("{occurrence}"),
            };
            if !parts.contains(&part) {
                parts.push(part);
            }
        }
        parts.join(", ")
    }

    fn describe_rollout(&self, target: &Target, at: SimTime) -> String {
        let Some(workload) = self.workload(target) else { return format!("{target} does not exist") };
        let now = |s: Series| from_zero(workload.series(s)).at(at);
        let state = if self.complete(target).at(at) == 1 { "complete" } else { "not complete" };
        if workload.kind == Kind::Job {
            return format!("{target} {state}: {} ended well", now(Series::Completions));
        }
        let (updated, desired, available) = (now(Series::Updated), now(Series::Desired), now(Series::Available));
        format!("{target} {state}: {updated} of {desired} updated, {available} available")
    }
}

/// A value of a series in hundredths; what is not nothing stays so.
fn in_hundredths(value: i64, series: Series) -> i64 {
    match (i128::from(value) * 100 / i128::from(series.scale())) as i64 {
        0 => value.signum(),
        hundredths => hundredths,
    }
}

/// Whether a text means a node: `*`, `zone/a`, or a pattern of names.
pub(super) fn is_among(node: &NodeLoad, text: &str) -> bool {
    match text.strip_prefix("zone/") {
        Some(zone) => node.zone == zone,
        None => match text.strip_prefix("node/").unwrap_or(text).split_once('*') {
            None => node.name == text,
            Some((head, tail)) => node.name.strip_prefix(head).is_some_and(|rest| rest.ends_with(tail)),
        },
    }
}

/// Whether a condition's recorded value is the wanted one. A wanted value
/// without a reason fits any reason.
pub(super) fn condition_is(recorded: &str, wanted: &str) -> bool {
    recorded == wanted || (!wanted.contains('/') && recorded.split('/').next() == Some(wanted))
}

/// The stretches of a window in which a predicate holds.
pub(super) fn stretches(steps: &Steps, w: Window) -> impl Iterator<Item = (SimTime, SimTime)> {
    let all = if w.from < w.to { steps.pieces(w.from, w.to).collect() } else { Vec::new() };
    all.into_iter().filter(|p| p.2 == 1).map(|p| (p.0, p.1))
}
