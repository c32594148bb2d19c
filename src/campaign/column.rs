//! What is measured of every run: a column of the tables, and an axis of the
//! pictures.

use crate::api::Kind;
use crate::assertion::{Curve, Figure, Ground};
use crate::error::Problem;
use crate::figures::{self, Better, Unit};
use crate::time::Span;
use crate::timeline::Series;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::cmp::Ordering;

/// A number that was measured; never NaN.
#[derive(Clone, Copy, Debug)]
pub struct Amount(f64);

impl Amount {
    /// The number; `None` for what is no number.
    pub fn new(n: f64) -> Option<Amount> {
        // There is one zero, not two.
        (!n.is_nan()).then_some(Amount(n + 0.0))
    }

    /// The number.
    pub const fn get(self) -> f64 {
        self.0
    }

    /// As a whole number, if it is one.
    pub fn whole(self) -> Option<i64> {
        (self.0.fract() == 0.0 && self.0.abs() < 9e15).then_some(self.0 as i64)
    }
}

impl From<i64> for Amount {
    fn from(n: i64) -> Amount {
        Amount(n as f64)
    }
}

impl Ord for Amount {
    fn cmp(&self, other: &Amount) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl PartialOrd for Amount {
    fn partial_cmp(&self, other: &Amount) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Amount {
    fn eq(&self, other: &Amount) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Amount {}

impl std::fmt::Display for Amount {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.whole() {
            Some(n) => n.fmt(f),
            None => self.0.fmt(f),
        }
    }
}

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self.whole() {
            Some(n) => to.serialize_i64(n),
            None => to.serialize_f64(self.0),
        }
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Amount, D::Error> {
        Amount::new(f64::deserialize(from)?).ok_or_else(|| serde::de::Error::custom("this is no number"))
    }
}

/// What a run had of a column. What never came is more than anything.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Value {
    /// A number, or milliseconds.
    Is(Amount),
    /// It did not come to it, such as the end of a rollout.
    Never,
}

impl Value {
    /// As people read it.
    pub fn said(self, unit: Unit) -> String {
        let Value::Is(amount) = self else { return "never".to_string() };
        let n = amount.get();
        match unit {
            Unit::Count if amount.whole().is_none() => format!("{n:.2}"),
            Unit::Count => amount.to_string(),
            // Nobody plans rollouts to the millisecond.
            Unit::Ms if n >= 10_000.0 => Span::from_ms((n as u64 + 50) / 100 * 100).to_string(),
            Unit::Ms if n < 0.0 => format!("-{}", Span::from_ms(-n as u64)),
            Unit::Ms => Span::from_ms(n as u64).to_string(),
        }
    }

    /// The number, if there is one.
    pub const fn number(self) -> Option<f64> {
        match self {
            Value::Is(amount) => Some(amount.get()),
            Value::Never => None,
        }
    }
}

/// How bad a value is: the greater, the worse.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Cost(bool, Amount);

/// What is measured.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Column {
    /// Its name in tables.
    pub name: String,
    /// Its name for people.
    pub words: String,
    /// What it is measured in.
    pub unit: Unit,
    /// Which of two values is better.
    pub better: Better,
    /// The expression that somebody asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub figure: Option<String>,
}

impl Column {
    /// The columns of every kind of workload.
    pub fn of_kind(kind: Kind) -> Vec<Column> {
        let column = |f: &figures::Figure| Column {
            name: f.name.to_string(),
            words: f.words.to_string(),
            unit: f.unit,
            better: f.better,
            figure: None,
        };
        figures::of_kind(kind).iter().map(column).collect()
    }

    /// The column of an expression such as `ready=min(ready(deployment/web))`.
    pub fn of_figure(asked: &Asked, figure: &Figure, unit: Unit) -> Column {
        let better = if wanted(figure) { Better::More } else { Better::Less };
        let name = asked.name.clone();
        Column { words: name.clone(), name, unit, better, figure: Some(asked.expression.clone()) }
    }
}

/// A figure that somebody asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Asked {
    /// What its column is called: what stands before the `=`, or all of it.
    pub name: String,
    /// The expression.
    pub expression: String,
}

impl Asked {
    /// Reads `NAME=EXPRESSION` or an expression alone.
    pub fn parse(text: &str) -> Asked {
        let word = |name: &str| !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || "-_ ".contains(c));
        match text.split_once('=') {
            Some((name, expression)) if word(name.trim()) && !expression.starts_with('=') => {
                Asked { name: name.trim().to_string(), expression: expression.trim().to_string() }
            }
            _ => Asked { name: text.trim().to_string(), expression: text.trim().to_string() },
        }
    }
}

/// Whether more of a figure is better: it is about pods that do their work.
fn wanted(figure: &Figure) -> bool {
    match figure {
        Figure::Fold(_, curve, _) | Figure::At(curve, _) => of_curve(curve),
        Figure::Total(level, _) => level.series == Series::Served,
        Figure::Percent(_, of) => wanted(of),
        Figure::Sum(a, _) | Figure::Difference(a, _) | Figure::Product(a, _) => wanted(a),
        _ => false,
    }
}

fn of_curve(curve: &Curve) -> bool {
    match curve {
        Curve::Level(level) => {
            use Series::{Available, Capacity, Completions, Dns, Ready, Routable, Running, Served, Serving, Updated};
            matches!(
                level.series,
                Available | Capacity | Completions | Dns | Ready | Routable | Running | Served | Serving | Updated
            )
        }
        Curve::Percent(_, of) | Curve::Times(_, of) => of_curve(of),
        Curve::Sum(a, _) | Curve::Difference(a, _) => of_curve(a),
        Curve::Ground(Ground::InZone(level, _)) => level.series == Series::Ready,
        Curve::Constant(_) | Curve::Ground(_) => false,
    }
}

/// A column as the axis of a picture, and which of its values are better.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Axis {
    /// Its place among the columns.
    pub column: usize,
    /// Whether more is better, and not less.
    pub more: bool,
}

impl Axis {
    /// How bad a value is.
    pub fn cost(self, value: Value) -> Cost {
        match value {
            Value::Never => Cost(true, Amount(0.0)),
            Value::Is(Amount(n)) if self.more => Cost(false, Amount(-n + 0.0)),
            Value::Is(amount) => Cost(false, amount),
        }
    }
}

/// What is weighed against what.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Axes {
    /// From left to right, by its median.
    pub across: Axis,
    /// Upwards, a picture for each, by the worst of all runs. The first is
    /// what must be kept; the second is what it costs.
    pub upright: Vec<Axis>,
}

/// What is usually weighed against what.
const USUAL: [&[&str]; 3] = [
    &["rollout_ms", "min_available", "max_extra"],
    &["completion_ms", "attempts", "max_running"],
    &["no_result", "max_overlap", "stopped"],
];
/// More pictures than these nobody looks at.
const MOST_UPRIGHT: usize = 6;

impl Axes {
    /// The axes of that name, each with `:least` or `:most` behind it if it is
    /// not clear what is better. Without any the usual ones of the workload,
    /// and figures that were asked for.
    ///
    /// # Errors
    /// Names that no column has, and a single name.
    pub fn of(columns: &[Column], wanted: &[String]) -> Result<Axes, Problem> {
        let place = |name: &str| columns.iter().position(|c| c.name == name);
        let chosen: Vec<Axis> = if wanted.is_empty() {
            let usual = USUAL.into_iter().find(|names| place(names[0]).is_some()).unwrap_or_default();
            let asked = columns.iter().enumerate().filter(|(_, c)| c.figure.is_some()).map(|(i, _)| i);
            let all = usual.iter().filter_map(|name| place(name)).chain(asked);
            all.map(|column| Axis { column, more: columns[column].better == Better::More }).collect()
        } else {
            wanted.iter().map(|text| axis(columns, text)).collect::<Result<_, _>>()?
        };
        let mut chosen = chosen.into_iter();
        match (chosen.next(), chosen.next()) {
            (Some(across), Some(first)) => {
                let upright = std::iter::once(first).chain(chosen).take(MOST_UPRIGHT).collect();
                Ok(Axes { across, upright })
            }
            _ => Err(Problem::new("a trade-off has two axes at least").with_hint(known(columns))),
        }
    }
}

fn axis(columns: &[Column], text: &str) -> Result<Axis, Problem> {
    let (name, more) = match text.rsplit_once(':') {
        Some((name, "most")) => (name, Some(true)),
        Some((name, "least")) => (name, Some(false)),
        _ => (text, None),
    };
    let Some(column) = columns.iter().position(|c| c.name == name) else {
        return Err(Problem::new(format!("`{name}` is not measured")).with_hint(known(columns)));
    };
    Ok(Axis { column, more: more.unwrap_or(columns[column].better == Better::More) })
}

fn known(columns: &[Column]) -> String {
    let names: Vec<&str> = columns.iter().map(|c| c.name.as_str()).collect();
    format!("there is {}", names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_and_ordered() {
        let is = |n| Value::Is(Amount::new(n).expect("a number"));
        assert!(is(1.0) < is(2.0) && is(1e12) < Value::Never);
        assert_eq!(is(-0.0), is(0.0));
        for (value, unit, text) in [
            (is(8.0), Unit::Count, "8"),
            (is(8.256), Unit::Count, "8.26"),
            (is(1_234.0), Unit::Ms, "1.234s"),
            (is(61_234.0), Unit::Ms, "1m01.2s"),
            (Value::Never, Unit::Ms, "never"),
        ] {
            assert_eq!(value.said(unit), text);
        }
        let text = serde_json::to_string(&[Amount::from(3), Amount(0.5)]).unwrap();
        assert_eq!(text, "[3,0.5]");
        assert_eq!(serde_json::from_str::<Vec<Amount>>(&text).unwrap(), [Amount(3.0), Amount(0.5)]);
    }

    #[test]
    fn figures_may_have_a_name() {
        for (text, name, expression) in [
            ("ready=min(ready(deployment/web))", "ready", "min(ready(deployment/web))"),
            ("min(ready(deployment/web))", "min(ready(deployment/web))", "min(ready(deployment/web))"),
            ("duration(ready(a/b) == 0)", "duration(ready(a/b) == 0)", "duration(ready(a/b) == 0)"),
        ] {
            assert_eq!(Asked::parse(text), Asked { name: name.into(), expression: expression.into() });
        }
    }

    #[test]
    fn axes_are_the_usual_ones_or_those_named() {
        let columns = Column::of_kind(Kind::Deployment);
        let names = |axes: &Axes| -> Vec<(String, bool)> {
            let all = std::iter::once(&axes.across).chain(&axes.upright);
            all.map(|a| (columns[a.column].name.clone(), a.more)).collect()
        };
        let usual = Axes::of(&columns, &[]).unwrap();
        let want = [("rollout_ms", false), ("min_available", true), ("max_extra", false)];
        assert_eq!(names(&usual), want.map(|(n, m)| (n.to_string(), m)));
        let named = Axes::of(&columns, &["outage_ms".into(), "desired:most".into()]).unwrap();
        assert_eq!(names(&named), [("outage_ms".to_string(), false), ("desired".to_string(), true)]);
        assert!(Axes::of(&columns, &["outage_ms".into()]).is_err());
        assert!(Axes::of(&columns, &["x".into(), "outage_ms".into()]).unwrap_err().to_string().contains("max_extra"));
    }
}
