//! What must hold of a run: claims about its step functions and records, and
//! the verdicts on them.
//!
//! Everything is judged on the grid of milliseconds. What comes and goes within
//! one is the order of writes that take a microsecond or two, and no dip that
//! anybody would see.
//!
//! * A [`Curve`] is a number at every moment, a [`Predicate`] a yes or no at
//!   every moment, a [`Figure`] one value for a whole window.
//! * A [`Claim`] says when a predicate must hold, or compares figures.
//! * [`judge`] gives a [`Verdict`] with the first moment that decided and the
//!   record that led there, so that the chain of causes can be printed.

mod display;
mod evaluate;
mod judge;
mod live;
mod matching;
mod sources;

pub use judge::judge;
pub use live::Live;

use evaluate::Amount;
use matching::Run;

use crate::api::Kind;
use crate::error::Position;
use crate::time::{SimTime, Span};
use crate::timeline::{Series, Timeline};
use crate::trace::{RecordId, Trace};
use std::cmp::Ordering;
use std::path::PathBuf;

/// Whose figures are meant.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Target {
    /// An object and everything below it.
    Workload {
        /// Its kind.
        kind: Kind,
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
    },
    /// The ReplicaSet of one revision and its pods, such as `web/2`.
    Revision {
        /// Its namespace.
        namespace: String,
        /// Its name in traces.
        name: String,
    },
    /// A node.
    Node(String),
    /// Anything.
    Any,
}

/// One series of one target.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Level {
    /// What is counted.
    pub series: Series,
    /// Of whom. Services and revisions have [some](Series::is_of_services) of
    /// them, nodes only [`Series::OnNode`].
    pub target: Target,
}

/// A number at every moment, in hundredths so that percentages stay exact.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Curve {
    /// Always the same number of hundredths.
    Constant(i64),
    /// A series.
    Level(Level),
    /// A percentage of a curve.
    Percent(u32, Box<Curve>),
    /// A sum.
    Sum(Box<Curve>, Box<Curve>),
    /// A difference.
    Difference(Box<Curve>, Box<Curve>),
    /// A whole multiple.
    Times(i64, Box<Curve>),
    /// Something about the machines, or about pods by where they are.
    Ground(Ground),
}

/// A resource of machines.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Resource {
    /// Cores.
    Cpu,
    /// GiB.
    Memory,
}

/// What the machines offer and what is asked of them, and pods by zone.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Ground {
    /// Nodes in the API: `*`, `zone/a`, or a pattern of names.
    Nodes(String),
    /// What the nodes offer.
    Allocatable(Resource),
    /// What pods on nodes ask for.
    Requested(Resource),
    /// What pods without a node ask for.
    Pending(Resource),
    /// [`Series::Ready`] or [`Series::OnNode`] of a workload in one zone.
    InZone(Level, String),
    /// The most pods of a workload in one zone less the fewest.
    Skew(Target),
}

/// How two values are compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Comparison {
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    More,
    /// `>=`
    AtLeast,
}

impl Comparison {
    /// Whether two values that are ordered so fulfil the comparison.
    pub const fn holds(self, ordering: Ordering) -> bool {
        match self {
            Comparison::Equal => ordering.is_eq(),
            Comparison::NotEqual => ordering.is_ne(),
            Comparison::Less => ordering.is_lt(),
            Comparison::AtMost => ordering.is_le(),
            Comparison::More => ordering.is_gt(),
            Comparison::AtLeast => ordering.is_ge(),
        }
    }
}

/// What may happen to a target.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Happening {
    /// A pod was created.
    Created,
    /// A pod got a node.
    Bound,
    /// A pod's containers began to run.
    Started,
    /// A pod's container was started again.
    Restarted,
    /// A pod's deletion was asked for.
    Deleted,
    /// A pod was gone.
    Removed,
    /// A pod ended well.
    Succeeded,
    /// A pod ended badly.
    Failed,
    /// The scheduler found no node for a pod.
    Unschedulable,
    /// The last scheduling gate of a pod was taken away.
    Ungated,
    /// A Kubernetes Event with this reason was sent about the target or
    /// something below it, or one of its conditions took this reason.
    Event(String),
    /// The API server refused an action on the target.
    Rejected,
    /// The API server refused to evict a pod.
    Refused,
    /// A drain of a node was over, and its pods were gone.
    Drained,
    /// A run wrote something outside the cluster: under any key, this one, or
    /// one that begins so if it ends with `*`.
    Wrote(Option<String>),
    /// A Job was created.
    JobCreated,
    /// A Job took the condition `Complete`.
    JobCompleted,
    /// A Job took the condition `Failed`.
    JobFailed,
    /// A Job was gone.
    JobDeleted,
}

/// Something that happens to a target.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Occurrence {
    /// What.
    pub what: Happening,
    /// To whom.
    pub target: Target,
}

/// A yes or no at every moment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Predicate {
    /// Two numbers compare so.
    Compare(Curve, Comparison, Curve),
    /// A condition has (or has not) this value: `False`, or with its reason
    /// `False/ProgressDeadlineExceeded`; empty for absent.
    Condition {
        /// Whose: a Deployment, a Job or a node.
        target: Target,
        /// The condition's type.
        condition: String,
        /// Whether it must be this value, or must not.
        equal: bool,
        /// The value.
        value: String,
    },
    /// The rollout is over, as `kubectl rollout status` says: every pod is
    /// updated and available and no other is wanted. Of a Job: it is complete.
    Complete(Target),
    /// A pod is found by its own name.
    Resolves {
        /// The pod's host name.
        pod: String,
        /// The headless Service.
        service: String,
    },
    /// True only at the moments at which something happens.
    Occurs(Occurrence),
    /// The opposite.
    Not(Box<Predicate>),
    /// Both.
    And(Box<Predicate>, Box<Predicate>),
    /// At least one.
    Or(Box<Predicate>, Box<Predicate>),
}

/// A part of the run: from one moment up to, but not including, another.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Window {
    /// Its first moment.
    pub from: SimTime,
    /// The first moment after it.
    pub to: SimTime,
}

impl Window {
    /// What both windows share; empty windows begin where they should.
    #[must_use]
    pub fn and(self, other: Window) -> Window {
        Window { from: self.from.max(other.from), to: self.to.min(other.to) }
    }

    /// Whether a moment is in the window.
    pub fn contains(self, at: SimTime) -> bool {
        self.from <= at && at < self.to
    }
}

/// A moment of a run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Moment {
    /// This one.
    At(SimTime),
    /// So long after something that waited happened: its index in
    /// [`Header::triggers`](crate::trace::Header::triggers).
    After {
        /// The index.
        trigger: usize,
        /// How long after.
        plus: Span,
    },
}

impl Moment {
    /// So much later.
    #[must_use]
    pub const fn after(self, span: Span) -> Moment {
        match self {
            Moment::At(at) => Moment::At(at.after(span)),
            Moment::After { trigger, plus } => Moment::After { trigger, plus: Span(plus.0.saturating_add(span.0)) },
        }
    }
}

/// A part of the run whose ends may depend on what happens.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Frame {
    /// Its first moment.
    pub from: Moment,
    /// The first moment after it.
    pub to: Moment,
}

impl From<Window> for Frame {
    fn from(window: Window) -> Frame {
        Frame { from: Moment::At(window.from), to: Moment::At(window.to) }
    }
}

/// How the values of a window become one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fold {
    /// The least.
    Min,
    /// The greatest.
    Max,
    /// The average, weighted by time.
    Mean,
    /// The last.
    Last,
}

/// One value for a whole window. Windows within the assertion's own.
#[derive(Clone, PartialEq, Debug)]
pub enum Figure {
    /// A number.
    Number(f64),
    /// A length of time.
    Time(Span),
    /// A curve folded over a window.
    Fold(Fold, Curve, Frame),
    /// A series added up over a window, as so much a second: how many requests
    /// there were.
    Total(Level, Frame),
    /// A curve at a moment.
    At(Curve, Moment),
    /// How long a predicate held.
    Duration(Predicate, Frame),
    /// When a predicate first held, since the run began; never is later than
    /// any time.
    First(Predicate, Frame),
    /// How often something happened.
    Count(Occurrence, Frame),
    /// When something happened for the nth time, counted from 1, since the
    /// run began; never is later than any time.
    Nth(Occurrence, u32, Frame),
    /// The longest stretch for which a predicate held.
    Longest(Predicate, Frame),
    /// How often a predicate became true.
    Times(Predicate, Frame),
    /// How long the latest rollout that began in the window took; unfinished
    /// is longer than any time.
    RolloutTime(Target, Frame),
    /// A percentage of a figure.
    Percent(u32, Box<Figure>),
    /// A sum.
    Sum(Box<Figure>, Box<Figure>),
    /// A difference.
    Difference(Box<Figure>, Box<Figure>),
    /// A multiple.
    Product(Box<Figure>, Box<Figure>),
}

/// A figure's value in a run: a number, or milliseconds; none for what never
/// happened.
pub fn measure(figure: &Figure, trace: &Trace, timeline: &Timeline) -> Option<f64> {
    match (Run { trace, timeline }).figure(figure).amount {
        Amount::Number(n) => Some(n),
        Amount::Time(ns) => ns.map(|ns| ns as f64 / 1e6),
    }
}

/// A statement about figures.
#[derive(Clone, PartialEq, Debug)]
pub enum Check {
    /// Two figures compare so.
    Compare(Box<Figure>, Comparison, Box<Figure>),
    /// Something happened at these times of the run and at no others, each to
    /// less than a second.
    HappensAt(Occurrence, Vec<SimTime>, Frame),
    /// The opposite.
    Not(Box<Check>),
    /// Both.
    And(Box<Check>, Box<Check>),
    /// At least one.
    Or(Box<Check>, Box<Check>),
}

/// What is claimed.
#[derive(Clone, PartialEq, Debug)]
pub enum Claim {
    /// The predicate holds at every moment of the window.
    Always(Predicate),
    /// The predicate never holds, or never for this long at a stretch.
    Never(Predicate, Span),
    /// The predicate holds for this long at a stretch, reached no later than
    /// a time after the window began, if one is given.
    Eventually(Predicate, Span, Option<Span>),
    /// A statement about figures of the window.
    Check(Check),
}

impl Assertion {
    /// Every moment that the claim depends on.
    fn moments(&self) -> Vec<Moment> {
        let mut all = vec![self.window.from, self.window.to];
        if let Claim::Check(check) = &self.claim {
            check.moments(&mut all);
        }
        all
    }
}

impl Check {
    fn moments(&self, into: &mut Vec<Moment>) {
        match self {
            Check::Compare(a, _, b) => {
                a.moments(into);
                b.moments(into);
            }
            Check::HappensAt(_, _, frame) => into.extend([frame.from, frame.to]),
            Check::Not(check) => check.moments(into),
            Check::And(a, b) | Check::Or(a, b) => {
                a.moments(into);
                b.moments(into);
            }
        }
    }
}

impl Figure {
    fn moments(&self, into: &mut Vec<Moment>) {
        match self {
            Figure::Number(_) | Figure::Time(_) => {}
            Figure::At(_, at) => into.push(*at),
            Figure::Fold(_, _, frame)
            | Figure::Total(_, frame)
            | Figure::Duration(_, frame)
            | Figure::First(_, frame)
            | Figure::Count(_, frame)
            | Figure::Nth(_, _, frame)
            | Figure::Longest(_, frame)
            | Figure::Times(_, frame)
            | Figure::RolloutTime(_, frame) => into.extend([frame.from, frame.to]),
            Figure::Percent(_, of) => of.moments(into),
            Figure::Sum(a, b) | Figure::Difference(a, b) | Figure::Product(a, b) => {
                a.moments(into);
                b.moments(into);
            }
        }
    }
}

/// A claim with its name and place.
#[derive(Clone, PartialEq, Debug)]
pub struct Assertion {
    /// What reports call it.
    pub name: String,
    /// The claim as it was written.
    pub text: String,
    /// What is claimed.
    pub claim: Claim,
    /// When.
    pub window: Frame,
    /// Of a documented bad outcome: the change that prevents it.
    pub fix: Option<String>,
    /// Where it was written.
    pub place: Option<(PathBuf, Position)>,
}

/// What became of an assertion.
#[derive(Clone, PartialEq, Debug)]
pub struct Verdict {
    /// What reports call it.
    pub name: String,
    /// The claim as it was written.
    pub text: String,
    /// Whether the claim held.
    pub passed: bool,
    /// The moment that decided: the first violation, or when it was reached.
    pub at: Option<SimTime>,
    /// What was found then, such as `available(deployment/web) = 7`.
    pub found: String,
    /// The latest record that made it so.
    pub record: Option<RecordId>,
    /// Of a claim that failed without such a record, because something never
    /// happened: the latest record about what it tells of.
    pub nearest: Option<RecordId>,
    /// Of a documented bad outcome: the change that prevents it.
    pub fix: Option<String>,
    /// Where the assertion was written.
    pub place: Option<(PathBuf, Position)>,
}
