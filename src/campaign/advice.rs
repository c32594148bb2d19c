//! What to choose, in a sentence or two.

use super::column::{Amount, Axis, Value};
use super::summary::{PointFigures, Spread, Summary};
use super::words::{Words, filled};
use crate::error::Problem;

/// What must be kept in every run: how many pods shall be available at least,
/// or what else the first upright axis is.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Floor {
    /// So many, or so many milliseconds.
    Number(f64),
    /// So many hundredths of the pods that are wanted, rounded up.
    Percent(i64),
}

impl Floor {
    /// Reads `9`, `90%` or `30s`.
    ///
    /// # Errors
    /// What is wrong with the text.
    pub fn parse(text: &str) -> Result<Floor, String> {
        let floor = match text.strip_suffix('%') {
            Some(digits) => digits.parse::<i64>().ok().filter(|n| (0..=100).contains(n)).map(Floor::Percent),
            None => text.parse::<f64>().ok().filter(|n| n.is_finite() && *n >= 0.0).map(Floor::Number),
        };
        let time = || crate::scenario::duration::parse(text).ok().map(|span| Floor::Number(span.as_ms() as f64));
        floor.or_else(time).ok_or_else(|| format!("`{text}` is no number of pods; write 9 or 90%"))
    }

    /// The same as a value.
    fn value(self, wanted: Option<Value>) -> Option<Value> {
        match self {
            Floor::Number(n) => Amount::new(n).map(Value::Is),
            Floor::Percent(p) => {
                let pods = wanted?.number()? as i64;
                Some(Value::Is(Amount::from((p * pods + 99) / 100)))
            }
        }
    }
}

/// What to choose.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Advice {
    /// The point, if any keeps the floor.
    pub point: Option<usize>,
    /// The floor that was asked for.
    pub floor: Value,
    /// A sentence or two.
    pub text: String,
}

impl Summary {
    /// What must be kept: the first upright axis.
    pub fn kept(&self) -> Axis {
        self.axes.upright[0]
    }

    /// What is said of an axis.
    pub fn words(&self, axis: Axis) -> Words {
        Words::of(axis, &self.columns[axis.column], self.wanted())
    }

    /// The most pods that were wanted at the end of a run.
    pub fn wanted(&self) -> Option<Value> {
        let place = self.columns.iter().position(|c| c.name == "desired" && c.figure.is_none())?;
        self.points.iter().map(|p| p.columns[place].most).filter(|v| *v != Value::Never).max()
    }

    /// Whether a floor says something here.
    ///
    /// # Errors
    /// A percentage of what is not counted in pods.
    pub fn check(&self, floor: Option<Floor>) -> Result<(), Problem> {
        match floor {
            Some(Floor::Percent(_)) if self.columns[self.kept().column].name != "min_available" => {
                let words = &self.columns[self.kept().column].words;
                Err(Problem::new(format!("there are no hundredths of `{words}`")).with_hint("write a number"))
            }
            _ => Ok(()),
        }
    }

    /// What to choose so that the floor is kept in all runs; without a floor
    /// the best that any point keeps.
    pub fn advice(&self, floor: Option<Floor>) -> Advice {
        let kept = self.kept();
        let worst = |p: &PointFigures| p.columns[kept.column].worst(kept);
        let best = self.points.iter().filter(|p| p.complete).map(worst).min_by_key(|v| kept.cost(*v));
        let asked = floor.and_then(|f| f.value(self.wanted())).or(best).unwrap_or(Value::Never);
        let text = match self.options(asked).first() {
            Some(chosen) => self.chosen(chosen, asked),
            None => self.none(best, asked),
        };
        Advice { point: self.options(asked).first().map(|p| p.point), floor: asked, text }
    }

    fn said(&self, axis: Axis, value: Value) -> String {
        value.said(self.columns[axis.column].unit)
    }

    fn none(&self, best: Option<Value>, asked: Value) -> String {
        let kept = self.kept();
        match best {
            None => format!("No setting {} in every run.", self.words(self.axes.across).finishes),
            Some(best) => format!(
                "No setting {} in every run; the best keep {}.",
                filled(&self.words(kept).keeps, &self.said(kept, asked)),
                self.said(kept, best)
            ),
        }
    }

    fn chosen(&self, best: &PointFigures, asked: Value) -> String {
        let kept = self.kept();
        let runs = if best.runs == 1 { "the run".to_string() } else { format!("all {} runs", best.runs) };
        let keep = filled(&self.words(kept).keep, &self.said(kept, asked));
        let mut text = format!("To {keep} in {runs}, choose {}: {}.", best.label, self.price(best));
        match self.own() {
            Some(own) if own.point == best.point => text.push_str(" That is what the manifest says now."),
            Some(own) => {
                let never = own.columns[self.axes.across.column].never;
                let what = if never > 0 {
                    format!("{} in {never} of {} runs", self.words(self.axes.across).does_not, own.runs)
                } else {
                    format!("keeps {}: {}", self.said(kept, own.columns[kept.column].worst(kept)), self.price(own))
                };
                text.push_str(&format!(" The manifest as it is {what}."));
            }
            None => {}
        }
        text
    }

    /// What a point costs.
    fn price(&self, point: &PointFigures) -> String {
        let across = self.axes.across;
        let Spread { low, median, high } = point.columns[across.column].spread;
        let [low, median, high] = [low, median, high].map(|v| self.said(across, v));
        let time = if low == high { median } else { format!("{median} ({low} to {high} in 8 of 10 runs)") };
        let time = filled(&self.words(across).takes, &time);
        let Some(&axis) = self.axes.upright.get(1) else { return time };
        let (words, worst) = (self.words(axis), self.said(axis, point.columns[axis.column].worst(axis)));
        let template = if worst == "1" { &words.up_to_one } else { &words.up_to };
        format!("{time} and {}", filled(template, &worst))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floors_are_read() {
        assert_eq!(Floor::parse("9"), Ok(Floor::Number(9.0)));
        assert_eq!(Floor::parse("75%"), Ok(Floor::Percent(75)));
        assert_eq!(Floor::parse("1m30s"), Ok(Floor::Number(90_000.0)));
        let ten = Some(Value::Is(Amount::from(10)));
        assert_eq!(Floor::Percent(75).value(ten), Some(Value::Is(Amount::from(8))));
        assert!(["", "-1", "101%", "x"].into_iter().all(|t| Floor::parse(t).is_err()));
    }
}
