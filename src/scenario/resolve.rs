//! What an assertion's expression means: names looked up, types checked.

mod figures;
mod ground;
mod targets;

use super::expression::{Argument, Expr, Mistake, Moment, Node, Operator};
use super::scope::Scope;
use super::suggest;
use crate::assertion::{Comparison, Curve, Happening, Occurrence, Predicate, Target};
use crate::assertion::{Frame, Level, Moment as When};
use crate::time::Span;
use crate::timeline::Series;
use std::ops::Range;

/// What an expression can call, beside the series: name, arguments, meaning.
/// The last column of `docs/scenario.md` says the same in more words.
pub const FUNCTIONS: [(&str, &str); 40] = [
    ("complete", "complete(deployment/web)"),
    ("condition", "condition(deployment/web, Progressing) == \"False/ProgressDeadlineExceeded\""),
    ("event", "event(ScalingReplicaSet, deployment/web)"),
    ("created", "created(web/1)"),
    ("bound", "bound(web/1)"),
    ("started", "started(web/1)"),
    ("restarted", "restarted(web/1)"),
    ("deleted", "deleted(web/1)"),
    ("removed", "removed(web/1)"),
    ("succeeded", "succeeded(web/1)"),
    ("failed", "failed(web/1)"),
    ("unschedulable", "unschedulable(web/1)"),
    ("ungated", "ungated(web/1)"),
    ("rejected", "rejected(deployment/web)"),
    ("refused", "refused(deployment/web)"),
    ("drained", "drained(node/a-1)"),
    ("wrote", "wrote(cronjob/ledger)"),
    ("job-created", "job-created(cronjob/report)"),
    ("job-completed", "job-completed(cronjob/report)"),
    ("job-failed", "job-failed(cronjob/report)"),
    ("job-deleted", "job-deleted(cronjob/report)"),
    ("resolves", "resolves(web-0.web)"),
    ("nodes", "nodes(zone/a) >= 3"),
    ("allocatable", "allocatable(cpu) >= 16"),
    ("requested", "requested(cpu) <= 12.5"),
    ("pending-requests", "pending-requests(cpu) == 0"),
    ("skew", "skew(deployment/web, zone) <= 1"),
    ("min", "min(available(deployment/web)) >= 8"),
    ("max", "max(on-node(deployment/web)) <= 13"),
    ("mean", "mean(available(deployment/web)) >= 9.5"),
    ("last", "last(available(deployment/web)) == 10"),
    ("total", "total(failed-requests(service/web)) == 0"),
    ("at", "at(available(deployment/web), 5m) == 10"),
    ("duration", "duration(available(deployment/web) < 10) <= 30s"),
    ("first", "first(complete(deployment/web)) <= 6m"),
    ("count", "count(created(web/1) after 10s) == 7"),
    ("rollout-time", "rollout-time(deployment/web) <= 2m"),
    ("nth", "nth(started(job/load), 2) >= 10s"),
    ("longest", "longest(running(job/load) == 0) <= 6m"),
    ("happens-at", "happens-at(job-created(cronjob/report), 1m, 2m, 3m)"),
];

/// The functions that fold a whole window into one figure.
const FIGURES: [&str; 12] =
    ["min", "max", "mean", "last", "total", "at", "duration", "first", "count", "rollout-time", "nth", "longest"];

/// Looks names up for the expressions of one assertion.
pub(super) struct Resolver<'a> {
    /// What names may refer to.
    pub(super) scope: &'a Scope,
    /// The assertion's window.
    pub(super) window: Frame,
}

/// The happening of that name, events apart.
fn happening(name: &str) -> Option<Happening> {
    Some(match name {
        "created" => Happening::Created,
        "bound" => Happening::Bound,
        "started" => Happening::Started,
        "restarted" => Happening::Restarted,
        "deleted" => Happening::Deleted,
        "removed" => Happening::Removed,
        "succeeded" => Happening::Succeeded,
        "failed" => Happening::Failed,
        "unschedulable" => Happening::Unschedulable,
        "ungated" => Happening::Ungated,
        "rejected" => Happening::Rejected,
        "refused" => Happening::Refused,
        "drained" => Happening::Drained,
        "wrote" => Happening::Wrote(None),
        "job-created" => Happening::JobCreated,
        "job-completed" => Happening::JobCompleted,
        "job-failed" => Happening::JobFailed,
        "job-deleted" => Happening::JobDeleted,
        _ => return None,
    })
}

impl Resolver<'_> {
    /// A claim that is true or false at every moment.
    ///
    /// # Errors
    /// The first thing that has no meaning, and where it is.
    pub(super) fn predicate(&self, expr: &Expr) -> Result<Predicate, Mistake> {
        match &expr.node {
            Node::Not(inner) => Ok(Predicate::Not(Box::new(self.predicate(inner)?))),
            Node::Binary(Operator::And, a, b) => {
                Ok(Predicate::And(Box::new(self.predicate(a)?), Box::new(self.predicate(b)?)))
            }
            Node::Binary(Operator::Or, a, b) => {
                Ok(Predicate::Or(Box::new(self.predicate(a)?), Box::new(self.predicate(b)?)))
            }
            Node::Binary(Operator::Compare(how), a, b) => self.comparison(a, *how, b),
            Node::Call(name, arguments) => self.yes_or_no(expr, name, arguments),
            _ => Err(Mistake::new(expr.at.clone(), "this is not a claim, it can be neither true nor false")
                .with_hint("compare it, as in available(deployment/web) >= 8")),
        }
    }

    fn comparison(&self, a: &Expr, how: Comparison, b: &Expr) -> Result<Predicate, Mistake> {
        if let Node::Call(name, arguments) = &a.node
            && name == "condition"
        {
            return self.condition(a, arguments, how, b);
        }
        Ok(Predicate::Compare(self.curve(a)?, how, self.curve(b)?))
    }

    fn condition(
        &self,
        call: &Expr,
        arguments: &[Argument],
        how: Comparison,
        value: &Expr,
    ) -> Result<Predicate, Mistake> {
        let [of, which] = arguments else { return Err(usage(call.at.clone(), "condition")) };
        let target = self.target(&of.value)?;
        let known: &[&str] = match target {
            Target::Node(_) => &["Ready"],
            Target::Workload { kind: crate::api::Kind::Deployment, .. } => {
                &["Available", "Progressing", "ReplicaFailure"]
            }
            Target::Workload { kind: crate::api::Kind::Job, .. } => {
                &["Complete", "Failed", "FailureTarget", "SuccessCriteriaMet", "Suspended"]
            }
            _ => {
                return Err(Mistake::new(of.value.at.clone(), "only Deployments, Jobs and nodes have conditions here"));
            }
        };
        let name = word(&which.value, "a condition")?;
        if !known.contains(&name) {
            let hint = suggest::nearest(name, known.iter().copied())
                .map_or_else(|| format!("there is {}", known.join(", ")), |n| format!("did you mean {n}?"));
            return Err(
                Mistake::new(which.value.at.clone(), format!("{target} has no condition {name}")).with_hint(hint)
            );
        }
        let equal = match how {
            Comparison::Equal => true,
            Comparison::NotEqual => false,
            _ => return Err(Mistake::new(value.at.clone(), "conditions are compared with == and != only")),
        };
        let text = word(value, "a condition's value")?;
        let status = text.split('/').next().unwrap_or_default();
        if !["True", "False", "Unknown", ""].contains(&status) {
            return Err(Mistake::new(value.at.clone(), format!("a condition is True, False or Unknown, not {status}"))
                .with_hint("write \"False\", or with its reason \"False/ProgressDeadlineExceeded\""));
        }
        Ok(Predicate::Condition { target, condition: name.to_string(), equal, value: text.to_string() })
    }

    /// A call that is itself true or false.
    fn yes_or_no(&self, expr: &Expr, name: &str, arguments: &[Argument]) -> Result<Predicate, Mistake> {
        if name == "complete" {
            let [of] = arguments else { return Err(usage(expr.at.clone(), name)) };
            let target = self.target(&of.value)?;
            return match target {
                Target::Workload { .. } => Ok(Predicate::Complete(target)),
                _ => Err(Mistake::new(of.value.at.clone(), "only workloads such as deployment/web have rollouts")),
            };
        }
        if name == "resolves" {
            return self.resolves(expr, arguments);
        }
        if name == "event" || happening(name).is_some() {
            return self.occurrence(expr).map(Predicate::Occurs);
        }
        if name == "condition" {
            return Err(usage(expr.at.clone(), name));
        }
        if FIGURES.contains(&name) {
            return Err(Mistake::new(expr.at.clone(), format!("{name}(…) is one figure for the whole window"))
                .with_hint("compare it under `check`, not under always, never, eventually or sometimes"));
        }
        if Series::parse(name).is_some() {
            return Err(Mistake::new(expr.at.clone(), format!("{name}(…) is a number, not a claim"))
                .with_hint("compare it, as in available(deployment/web) >= 8"));
        }
        Err(unknown_function(expr, name))
    }

    /// Whether a pod is found by its own name, `web-0.web`.
    fn resolves(&self, expr: &Expr, arguments: &[Argument]) -> Result<Predicate, Mistake> {
        let [of] = arguments else { return Err(usage(expr.at.clone(), "resolves")) };
        let name = word(&of.value, "a name such as web-0.web")?;
        let Some((pod, service)) = name.split_once('.') else {
            return Err(Mistake::new(of.value.at.clone(), format!("`{name}` is not the name of a pod in a Service"))
                .with_hint("write POD.SERVICE, such as web-0.web"));
        };
        let services = || self.scope.objects.iter().filter(|o| o.kind == crate::api::Kind::Service);
        if !services().any(|o| o.name == service) {
            let near = suggest::nearest(service, services().map(|o| o.name.as_str()));
            let mistake = Mistake::new(of.value.at.clone(), format!("there is no Service {service} in this scenario"));
            return Err(match near {
                Some(near) => mistake.with_hint(format!("did you mean {pod}.{near}?")),
                None => mistake,
            });
        }
        Ok(Predicate::Resolves { pod: pod.to_string(), service: service.to_string() })
    }

    /// Something that happens.
    pub(super) fn occurrence(&self, expr: &Expr) -> Result<Occurrence, Mistake> {
        let Node::Call(name, arguments) = &expr.node else {
            return Err(usage(expr.at.clone(), "count"));
        };
        let (what, of) = match (name.as_str(), &arguments[..]) {
            ("wrote", [key, of]) => (Happening::Wrote(Some(word(&key.value, "a key")?.to_string())), of),
            ("event", [reason, of]) => (Happening::Event(word(&reason.value, "an Event's reason")?.to_string()), of),
            (name, [of]) if let Some(what) = happening(name) => (what, of),
            _ => return Err(usage(expr.at.clone(), name)),
        };
        let target = self.target_or_any(&of.value)?;
        let about_pods = !matches!(what, Happening::Event(_) | Happening::Rejected | Happening::Drained);
        if about_pods && matches!(target, Target::Node(_)) {
            return Err(Mistake::new(
                of.value.at.clone(),
                format!("{name}(…) is about pods of a workload, not of a node"),
            ));
        }
        Ok(Occurrence { what, target })
    }

    /// A number at every moment.
    pub(super) fn curve(&self, expr: &Expr) -> Result<Curve, Mistake> {
        match &expr.node {
            Node::Number(n) => constant(*n, expr),
            Node::Percent(p, of) => Ok(Curve::Percent(*p, Box::new(self.curve(of)?))),
            Node::Binary(Operator::Plus, a, b) => Ok(Curve::Sum(Box::new(self.curve(a)?), Box::new(self.curve(b)?))),
            Node::Binary(Operator::Minus, a, b) => {
                Ok(Curve::Difference(Box::new(self.curve(a)?), Box::new(self.curve(b)?)))
            }
            Node::Binary(Operator::Times, a, b) => match (&a.node, &b.node) {
                (Node::Number(n), _) if n.fract() == 0.0 => Ok(Curve::Times(*n as i64, Box::new(self.curve(b)?))),
                (_, Node::Number(n)) if n.fract() == 0.0 => Ok(Curve::Times(*n as i64, Box::new(self.curve(a)?))),
                _ => Err(Mistake::new(expr.at.clone(), "one side of `*` must be a whole number")
                    .with_hint("for a share write 60% of desired(deployment/web)")),
            },
            Node::Call(name, arguments) if ground::is_about(name, arguments) => self.ground(expr, name, arguments),
            Node::Call(name, arguments) if Series::parse(name).is_some() => self.level(expr, name, arguments),
            Node::Call(name, _) if FIGURES.contains(&name.as_str()) => {
                Err(Mistake::new(expr.at.clone(), format!("{name}(…) is one figure for the whole window"))
                    .with_hint("compare it under `check`, not under always, never, eventually or sometimes"))
            }
            Node::Call(name, _) if FUNCTIONS.iter().any(|f| f.0 == name) => {
                Err(Mistake::new(expr.at.clone(), format!("{name}(…) is not a number"))
                    .with_hint(format!("it is used as in {}", example(name))))
            }
            Node::Call(name, _) => Err(unknown_function(expr, name)),
            Node::Time(_) => Err(Mistake::new(expr.at.clone(), "a duration cannot be compared with a number")),
            Node::Text(_) => Err(Mistake::new(expr.at.clone(), "a text cannot be compared with a number")),
            Node::Word(word) => Err(Mistake::new(expr.at.clone(), format!("`{word}` is not a number"))
                .with_hint(format!("a series takes its object in parentheses, as in available({word})"))),
            Node::Not(_) | Node::Binary(..) => {
                Err(Mistake::new(expr.at.clone(), "a claim cannot be compared with a number"))
            }
        }
    }

    fn level(&self, expr: &Expr, name: &str, arguments: &[Argument]) -> Result<Curve, Mistake> {
        let [of] = arguments else {
            return Err(Mistake::new(expr.at.clone(), format!("{name} takes one object"))
                .with_hint(format!("write {name}(deployment/web)")));
        };
        if let Some(moment) = of.after.as_ref().or(of.before.as_ref()) {
            return Err(Mistake::new(
                moment.at.clone(),
                format!("{name}(…) has a value at every moment and no window"),
            )
            .with_hint("put after and before into min(…), duration(…) and the like"));
        }
        let Some(series) = Series::parse(name) else { return Err(unknown_function(expr, name)) };
        let target = self.target(&of.value)?;
        let fits = match target {
            Target::Revision { .. } => series.is_of_revisions(),
            Target::Workload { kind: crate::api::Kind::Service, .. } => series.is_of_services(),
            Target::Node(_) => series == Series::OnNode,
            Target::Workload { kind, .. } => kind.is_workload() && self.has_series(&target) && series.is_of_workloads(),
            Target::Any => false,
        };
        if !fits {
            let hint = match target {
                Target::Node(_) => "of a node there is on-node",
                Target::Workload { .. } if !series.is_of_workloads() => "ask about a Service",
                Target::Workload { kind: crate::api::Kind::Service, .. } => "ask about the workload of its pods",
                Target::Workload { .. } => "ask about its CronJob, or count what happens to it",
                _ => "of one revision there are ready, on-node, routable, requests, failed-requests and errors",
            };
            return Err(Mistake::new(expr.at.clone(), format!("{target} has no series {name}")).with_hint(hint));
        }
        self.check_traffic(expr, series, &target)?;
        Ok(Curve::Level(Level { series, target }))
    }

    /// Series of requests are there for Services that requests are sent to.
    fn check_traffic(&self, expr: &Expr, series: Series, target: &Target) -> Result<(), Mistake> {
        let (namespace, name) = match target {
            Target::Workload { kind: crate::api::Kind::Service, namespace, name } => (namespace, name),
            _ if self.scope.traffic.is_empty() && matches!(series, Series::Routable | Series::DeadEnds) => {
                return Err(Mistake::new(expr.at.clone(), "no requests are sent to any Service")
                    .with_hint("add spec.traffic with the Service of these pods"));
            }
            _ => return Ok(()),
        };
        if self.scope.traffic.iter().any(|(n, s)| n == namespace && s == name) {
            return Ok(());
        }
        Err(Mistake::new(expr.at.clone(), format!("no requests are sent to service/{name}"))
            .with_hint(format!("add it to spec.traffic: {{service/{name}: {{requests: 100}}}}")))
    }

    /// The window that `after` and `before` of an argument leave.
    pub(super) fn window_of(&self, argument: &Argument) -> Result<Frame, Mistake> {
        let mut window = self.window;
        if let Some(moment) = &argument.after {
            window.from = self.moment(moment)?;
        }
        if let Some(moment) = &argument.before {
            window.to = self.moment(moment)?;
        }
        match (argument.after.as_ref().or(argument.before.as_ref()), window.from, window.to) {
            (Some(moment), When::At(from), When::At(to)) if from >= to => {
                Err(Mistake::new(moment.at.clone(), format!("nothing lies between {from} and {to}")))
            }
            _ => Ok(window),
        }
    }

    /// When a moment is.
    pub(super) fn moment(&self, moment: &Moment) -> Result<When, Mistake> {
        let Some(plus) = moment.plus else { return Ok(When::At(self.scope.until.after(Span::from_ns(1)))) };
        let base = match &moment.action {
            None => When::At(crate::time::SimTime::ZERO),
            Some(name) => self.scope.action(name).map_err(|r| refused(moment.at.clone(), r))?,
        };
        match base.after(plus) {
            When::At(at) if at > self.scope.until => {
                let message = format!("{at} is after the end of the run at {}", self.scope.until);
                Err(Mistake::new(moment.at.clone(), message))
            }
            when => Ok(when),
        }
    }
}

/// A name, with or without quotes.
fn word<'e>(expr: &'e Expr, wanted: &str) -> Result<&'e str, Mistake> {
    match &expr.node {
        Node::Word(word) | Node::Text(word) => Ok(word),
        _ => Err(Mistake::new(expr.at.clone(), format!("expected {wanted}"))),
    }
}

/// How a function is used, as a mistake.
fn usage(at: Range<usize>, name: &str) -> Mistake {
    Mistake::new(at, format!("{name} is used as in {}", example(name)))
}

/// A refusal of the scope as a mistake.
fn refused(at: Range<usize>, (message, hint): super::scope::Refusal) -> Mistake {
    Mistake { at, message, hint }
}

/// The example of a function.
fn example(name: &str) -> &'static str {
    FUNCTIONS.iter().find(|f| f.0 == name).map_or("available(deployment/web) >= 8", |f| f.1)
}

/// A number of hundredths.
fn constant(n: f64, expr: &Expr) -> Result<Curve, Mistake> {
    let hundredths = n * 100.0;
    if (hundredths - hundredths.round()).abs() > 1.0e-6 {
        return Err(Mistake::new(expr.at.clone(), "at most two digits may follow the point"));
    }
    Ok(Curve::Constant(hundredths.round() as i64))
}

/// That there is no such function, with the nearest one.
fn unknown_function(expr: &Expr, name: &str) -> Mistake {
    let at = expr.at.start..expr.at.start + name.len();
    let all = Series::ALL.iter().map(|s| s.name()).chain(FUNCTIONS.iter().map(|f| f.0));
    let aliases = [("avg", "mean"), ("average", "mean"), ("unavailable", "desired"), ("replicas", "existing")];
    let hint =
        aliases.iter().find(|a| a.0 == name).map(|a| a.1).or_else(|| suggest::nearest(name, all.clone())).map_or_else(
            || format!("there is {}", all.collect::<Vec<_>>().join(", ")),
            |near| format!("did you mean {near}?"),
        );
    Mistake::new(at, format!("there is no series or function `{name}`")).with_hint(hint)
}

#[cfg(test)]
mod tests;
