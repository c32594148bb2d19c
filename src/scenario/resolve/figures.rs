//! Figures of a whole window, and statements about them.

use super::super::expression::{Argument, Expr, Mistake, Moment, Node, Operator};
use super::{FIGURES, FUNCTIONS, Resolver, example, happening, targets, unknown_function, usage};
use crate::assertion::{Check, Curve, Figure, Fold, Moment as When};
use crate::figures::Unit;
use crate::time::SimTime;
use crate::timeline::Series;

impl Resolver<'_> {
    /// A statement about figures.
    ///
    /// # Errors
    /// The first thing that has no meaning, and where it is.
    pub(in crate::scenario) fn check(&self, expr: &Expr) -> Result<Check, Mistake> {
        match &expr.node {
            Node::Not(inner) => Ok(Check::Not(Box::new(self.check(inner)?))),
            Node::Binary(Operator::And, a, b) => Ok(Check::And(Box::new(self.check(a)?), Box::new(self.check(b)?))),
            Node::Binary(Operator::Or, a, b) => Ok(Check::Or(Box::new(self.check(a)?), Box::new(self.check(b)?))),
            Node::Binary(Operator::Compare(how), a, b) => {
                let (left, right) = (self.figure(a)?, self.figure(b)?);
                if left.1 != right.1 {
                    return Err(Mistake::new(expr.at.clone(), "a number and a duration do not compare")
                        .with_hint("write 30s for a duration and 30 for a number"));
                }
                Ok(Check::Compare(Box::new(left.0), *how, Box::new(right.0)))
            }
            Node::Call(name, arguments) if name == "happens-at" => self.happens_at(expr, arguments),
            _ => {
                let mut mistake = Mistake::new(expr.at.clone(), "`check` compares figures of the whole window");
                mistake.hint = Some(match &expr.node {
                    Node::Call(name, _) if name == "complete" => "write `eventually:` instead of `check:`".to_string(),
                    Node::Call(name, _) if happening(name).is_some() || name == "event" => {
                        format!("write count({name}(…)) > 0, or `sometimes:` instead of `check:`")
                    }
                    _ => format!("write something like {}", example("min")),
                });
                Err(mistake)
            }
        }
    }

    /// A list of the only times at which something happens.
    fn happens_at(&self, expr: &Expr, arguments: &[Argument]) -> Result<Check, Mistake> {
        let [of, times @ ..] = arguments else { return Err(usage(expr.at.clone(), "happens-at")) };
        let time = |argument: &Argument| match argument.value.node {
            Node::Number(0.0) => Ok(SimTime::ZERO),
            _ => match self.at(&argument.value)? {
                When::At(at) => Ok(at),
                When::After { .. } => {
                    Err(Mistake::new(argument.value.at.clone(), "when this happens is not known before the run"))
                }
            },
        };
        let times = times.iter().map(time).collect::<Result<Vec<_>, _>>()?;
        if let Some(i) = times.windows(2).position(|pair| pair[0] >= pair[1]) {
            let at = arguments[i + 2].value.at.clone();
            return Err(Mistake::new(at, "the times must be in order"));
        }
        Ok(Check::HappensAt(self.occurrence(&of.value)?, times, self.window_of(of)?))
    }

    /// One value for a whole window, and what it is measured in.
    ///
    /// # Errors
    /// The first thing that has no meaning, and where it is.
    pub(in crate::scenario) fn figure(&self, expr: &Expr) -> Result<(Figure, Unit), Mistake> {
        match &expr.node {
            Node::Number(n) => Ok((Figure::Number(*n), Unit::Count)),
            Node::Time(t) => Ok((Figure::Time(*t), Unit::Ms)),
            Node::Percent(p, of) => {
                let (figure, unit) = self.figure(of)?;
                Ok((Figure::Percent(*p, Box::new(figure)), unit))
            }
            Node::Binary(operator @ (Operator::Plus | Operator::Minus | Operator::Times), a, b) => {
                self.arithmetic(expr, *operator, a, b)
            }
            Node::Call(name, arguments) => self.call(expr, name, arguments),
            Node::Text(_) | Node::Word(_) => Err(Mistake::new(expr.at.clone(), "this is not a figure")
                .with_hint(format!("write something like {}", example("min")))),
            Node::Not(_) | Node::Binary(..) => Err(Mistake::new(expr.at.clone(), "a claim is not a figure")
                .with_hint("put it into duration(…) or first(…)")),
        }
    }

    fn arithmetic(&self, expr: &Expr, operator: Operator, a: &Expr, b: &Expr) -> Result<(Figure, Unit), Mistake> {
        let (a, b) = (self.figure(a)?, self.figure(b)?);
        let (left, right) = (Box::new(a.0), Box::new(b.0));
        match (operator, a.1, b.1) {
            (Operator::Times, Unit::Count, Unit::Count) => Ok((Figure::Product(left, right), Unit::Count)),
            (Operator::Times, Unit::Ms, Unit::Count) | (Operator::Times, Unit::Count, Unit::Ms) => {
                Ok((Figure::Product(left, right), Unit::Ms))
            }
            (Operator::Plus, x, y) if x == y => Ok((Figure::Sum(left, right), x)),
            (Operator::Minus, x, y) if x == y => Ok((Figure::Difference(left, right), x)),
            _ => Err(Mistake::new(expr.at.clone(), "numbers and durations do not add up")),
        }
    }

    fn call(&self, expr: &Expr, name: &str, arguments: &[Argument]) -> Result<(Figure, Unit), Mistake> {
        let fold = match name {
            "min" => Some(Fold::Min),
            "max" => Some(Fold::Max),
            "mean" => Some(Fold::Mean),
            "last" => Some(Fold::Last),
            _ => None,
        };
        match (name, arguments) {
            (_, [of]) if let Some(fold) = fold => {
                Ok((Figure::Fold(fold, self.curve(&of.value)?, self.window_of(of)?), Unit::Count))
            }
            ("total", [of]) => match self.curve(&of.value)? {
                Curve::Level(level) => Ok((Figure::Total(level, self.window_of(of)?), Unit::Count)),
                _ => Err(Mistake::new(of.value.at.clone(), "only one series can be added up")
                    .with_hint("add totals: total(refused(service/web)) + total(shed(service/web))")),
            },
            ("at", [of, when]) => Ok((Figure::At(self.curve(&of.value)?, self.at(&when.value)?), Unit::Count)),
            ("duration", [of]) => Ok((Figure::Duration(self.predicate(&of.value)?, self.window_of(of)?), Unit::Ms)),
            ("first", [of]) => Ok((Figure::First(self.predicate(&of.value)?, self.window_of(of)?), Unit::Ms)),
            ("nth", [of, Argument { value: Expr { node: Node::Number(n), .. }, .. }])
                if *n >= 1.0 && n.fract() == 0.0 =>
            {
                Ok((Figure::Nth(self.occurrence(&of.value)?, *n as u32, self.window_of(of)?), Unit::Ms))
            }
            ("longest", [of]) => Ok((Figure::Longest(self.predicate(&of.value)?, self.window_of(of)?), Unit::Ms)),
            ("count", [of]) => Ok((self.count(of)?, Unit::Count)),
            ("rollout-time", [of]) => Ok((Figure::RolloutTime(self.target(&of.value)?, self.window_of(of)?), Unit::Ms)),
            (name, _) if FIGURES.contains(&name) => Err(usage(expr.at.clone(), name)),
            (name, _) if Series::parse(name).is_some() => {
                Err(Mistake::new(expr.at.clone(), format!("{name}(…) has many values in a window"))
                    .with_hint(format!("take one of them, as in min({name}(deployment/web))")))
            }
            (name, _) if FUNCTIONS.iter().any(|f| f.0 == name) => {
                Err(Mistake::new(expr.at.clone(), format!("{name}(…) is not a figure"))
                    .with_hint(format!("write count({name}(…)), first({name}(…)) or duration({name}(…))")))
            }
            (name, _) => Err(unknown_function(expr, name)),
        }
    }

    fn count(&self, of: &Argument) -> Result<Figure, Mistake> {
        let window = self.window_of(of)?;
        match &of.value.node {
            Node::Call(name, _) if name == "event" || happening(name).is_some() => {
                Ok(Figure::Count(self.occurrence(&of.value)?, window))
            }
            _ if targets::is_name(&of.value) => Err(usage(of.value.at.clone(), "count")),
            _ => Ok(Figure::Times(self.predicate(&of.value)?, window)),
        }
    }

    /// The second argument of `at`: a duration, `end` or an action.
    fn at(&self, expr: &Expr) -> Result<When, Mistake> {
        let (base, plus) = match &expr.node {
            Node::Binary(Operator::Plus, base, plus) => match plus.node {
                Node::Time(plus) => (&**base, plus),
                _ => return Err(Mistake::new(plus.at.clone(), "expected a duration such as 30s")),
            },
            _ => (expr, crate::time::Span::ZERO),
        };
        let moment = match &base.node {
            Node::Time(t) => Moment { at: expr.at.clone(), action: None, plus: Some(*t) },
            Node::Word(word) if word == "end" => return Ok(When::At(self.scope.until)),
            Node::Word(word) | Node::Text(word) => {
                Moment { at: expr.at.clone(), action: Some(word.clone()), plus: Some(plus) }
            }
            _ => {
                return Err(Mistake::new(expr.at.clone(), "expected a time such as 5m, `end`, or an action's name"));
            }
        };
        self.moment(&moment)
    }
}
