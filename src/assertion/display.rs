//! Claims in the words they are written in.

use super::{
    Comparison, Curve, Figure, Fold, Ground, Happening, Level, Moment, Occurrence, Predicate, Resource, Target,
};
use std::fmt::{self, Display, Formatter};

impl Display for Target {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Target::Workload { kind, name, .. } => write!(f, "{}/{name}", kind.name().to_lowercase()),
            Target::Revision { name, .. } => f.write_str(name),
            Target::Node(name) => write!(f, "node/{name}"),
            Target::Any => f.write_str("*"),
        }
    }
}

impl Display for Level {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}({})", self.series.name(), self.target)
    }
}

/// Hundredths as a decimal number without needless digits.
pub(super) fn hundredths(value: i64) -> String {
    let (whole, rest) = (value.abs() / 100, value.abs() % 100);
    let sign = if value < 0 { "-" } else { "" };
    match rest {
        0 => format!("{sign}{whole}"),
        _ => format!("{sign}{whole}.{rest:02}").trim_end_matches('0').to_string(),
    }
}

impl Display for Curve {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Curve::Constant(value) => f.write_str(&hundredths(*value)),
            Curve::Level(level) => level.fmt(f),
            Curve::Percent(p, of) => write!(f, "{p}% of {of}"),
            Curve::Sum(a, b) => write!(f, "{a} + {b}"),
            Curve::Difference(a, b) => write!(f, "{a} - {b}"),
            Curve::Times(n, of) => write!(f, "{n} * {of}"),
            Curve::Ground(ground) => ground.fmt(f),
        }
    }
}

impl Display for Ground {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let name = |resource: &Resource| match resource {
            Resource::Cpu => "cpu",
            Resource::Memory => "memory",
        };
        match self {
            Ground::Nodes(of) => write!(f, "nodes({of})"),
            Ground::Allocatable(of) => write!(f, "allocatable({})", name(of)),
            Ground::Requested(of) => write!(f, "requested({})", name(of)),
            Ground::Pending(of) => write!(f, "pending-requests({})", name(of)),
            Ground::InZone(level, zone) => write!(f, "{}({}, zone/{zone})", level.series.name(), level.target),
            Ground::Skew(target) => write!(f, "skew({target}, zone)"),
        }
    }
}

impl Display for Moment {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Moment::At(at) => at.fmt(f),
            Moment::After { plus, .. } => write!(f, "{plus} after its action"),
        }
    }
}

impl Display for Comparison {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Comparison::Equal => "==",
            Comparison::NotEqual => "!=",
            Comparison::Less => "<",
            Comparison::AtMost => "<=",
            Comparison::More => ">",
            Comparison::AtLeast => ">=",
        })
    }
}

impl Happening {
    /// The name that expressions use.
    pub fn name(&self) -> &str {
        match self {
            Happening::Created => "created",
            Happening::Bound => "bound",
            Happening::Started => "started",
            Happening::Restarted => "restarted",
            Happening::Deleted => "deleted",
            Happening::Removed => "removed",
            Happening::Succeeded => "succeeded",
            Happening::Failed => "failed",
            Happening::Unschedulable => "unschedulable",
            Happening::Ungated => "ungated",
            Happening::Event(_) => "event",
            Happening::Rejected => "rejected",
            Happening::Refused => "refused",
            Happening::Drained => "drained",
            Happening::Wrote(_) => "wrote",
            Happening::JobCreated => "job-created",
            Happening::JobCompleted => "job-completed",
            Happening::JobFailed => "job-failed",
            Happening::JobDeleted => "job-deleted",
        }
    }
}

impl Display for Occurrence {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.what {
            Happening::Event(reason) => write!(f, "event({reason}, {})", self.target),
            Happening::Wrote(Some(key)) => write!(f, "wrote({key:?}, {})", self.target),
            other => write!(f, "{}({})", other.name(), self.target),
        }
    }
}

impl Display for Predicate {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Predicate::Compare(a, how, b) => write!(f, "{a} {how} {b}"),
            Predicate::Condition { target, condition, equal, value } => {
                write!(f, "condition({target}, {condition}) {} {value:?}", if *equal { "==" } else { "!=" })
            }
            Predicate::Complete(target) => write!(f, "complete({target})"),
            Predicate::Resolves { pod, service } => write!(f, "resolves({pod}.{service})"),
            Predicate::Occurs(occurrence) => occurrence.fmt(f),
            Predicate::Not(p) => write!(f, "not ({p})"),
            Predicate::And(a, b) => write!(f, "({a}) and ({b})"),
            Predicate::Or(a, b) => write!(f, "({a}) or ({b})"),
        }
    }
}

impl Display for Figure {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Figure::Number(n) => write!(f, "{n}"),
            Figure::Time(span) => write!(f, "{span}"),
            Figure::Fold(fold, curve, _) => {
                let name = match fold {
                    Fold::Min => "min",
                    Fold::Max => "max",
                    Fold::Mean => "mean",
                    Fold::Last => "last",
                };
                write!(f, "{name}({curve})")
            }
            Figure::Total(level, _) => write!(f, "total({level})"),
            Figure::At(curve, at) => write!(f, "at({curve}, {at})"),
            Figure::Duration(p, _) => write!(f, "duration({p})"),
            Figure::First(p, _) => write!(f, "first({p})"),
            Figure::Count(o, _) => write!(f, "count({o})"),
            Figure::Times(p, _) => write!(f, "count({p})"),
            Figure::Nth(o, n, _) => write!(f, "nth({o}, {n})"),
            Figure::Longest(p, _) => write!(f, "longest({p})"),
            Figure::RolloutTime(target, _) => write!(f, "rollout-time({target})"),
            Figure::Percent(p, of) => write!(f, "{p}% of {of}"),
            Figure::Sum(a, b) => write!(f, "{a} + {b}"),
            Figure::Difference(a, b) => write!(f, "{a} - {b}"),
            Figure::Product(a, b) => write!(f, "{a} * {b}"),
        }
    }
}
