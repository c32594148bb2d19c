//! Verdicts.

use super::evaluate::stretches;
use super::matching::{Run, Source};
use super::sources::nearest;
use super::{Assertion, Check, Claim, Figure, Frame, Moment, Occurrence, Predicate, Verdict, Window};
use crate::time::{SECOND, SimTime, Span};
use crate::timeline::Timeline;
use crate::trace::{RecordId, Trace};

/// The most times that are told one by one.
const MOST_TIMES: usize = 12;

/// Judges every assertion on a run.
pub fn judge(assertions: &[Assertion], trace: &Trace, timeline: &Timeline) -> Vec<Verdict> {
    let run = Run { trace, timeline };
    assertions.iter().map(|a| verdict(run, a)).collect()
}

/// What decided: whether the claim held, when, what was found, which record.
struct Finding {
    passed: bool,
    at: Option<SimTime>,
    found: String,
    record: Option<RecordId>,
}

fn verdict(run: Run<'_>, assertion: &Assertion) -> Verdict {
    let window = run.window(&assertion.window);
    let finding = match &assertion.claim {
        _ if let Some(missing) = never_came(run, assertion) => missing,
        Claim::Always(p) => always(run, p, window),
        Claim::Never(p, lasting) => never(run, p, *lasting, window),
        Claim::Eventually(p, lasting, within) => eventually(run, p, *lasting, *within, window),
        Claim::Check(check) => checked(run, check),
    };
    let unexplained = !finding.passed && finding.record.is_none();
    let last = SimTime(window.to.0.saturating_sub(1)).max(window.from);
    Verdict {
        nearest: if unexplained { nearest(run, assertion, last) } else { None },
        name: assertion.name.clone(),
        text: assertion.text.clone(),
        passed: finding.passed,
        at: finding.at,
        found: finding.found,
        record: finding.record,
        fix: assertion.fix.clone(),
        place: assertion.place.clone(),
    }
}

/// A claim about a time that never came does not hold: what it was to tell of
/// was not rehearsed.
fn never_came(run: Run<'_>, assertion: &Assertion) -> Option<Finding> {
    let missing = |moment: Moment| match moment {
        Moment::After { trigger, .. } => run.trace.header.triggers.get(trigger).filter(|(_, at)| at.is_none()),
        Moment::At(_) => None,
    };
    let (name, _) = assertion.moments().into_iter().find_map(missing)?;
    Some(Finding { passed: false, at: None, found: format!("this never happened: {name}"), record: None })
}

fn always(run: Run<'_>, p: &Predicate, window: Window) -> Finding {
    let violated = run.predicate(&Predicate::Not(Box::new(p.clone())));
    match stretches(&violated, window).next() {
        Some((at, until)) => {
            let mut finding = at_moment(run, p, at, false);
            finding.found.push_str(&format!(", for {}", until.since(at)));
            finding
        }
        None => Finding { passed: true, at: None, found: tightest(run, p, window), record: None },
    }
}

/// How near an upheld comparison came to failing: the least value of what had
/// to be large, the greatest of what had to be small.
fn tightest(run: Run<'_>, p: &Predicate, window: Window) -> String {
    use super::{Comparison as C, Fold};
    let Predicate::Compare(a, how, _) = p else { return String::new() };
    let fold = match how {
        C::AtLeast | C::More => Fold::Min,
        C::AtMost | C::Less => Fold::Max,
        C::Equal | C::NotEqual => return String::new(),
    };
    let figure = Figure::Fold(fold, a.clone(), Frame::from(window));
    let measured = run.figure(&figure);
    let at = measured.at.map(|at| format!(" at {at}")).unwrap_or_default();
    format!("{figure} = {}{at}", measured.amount.describe())
}

fn never(run: Run<'_>, p: &Predicate, lasting: Span, window: Window) -> Finding {
    let steps = run.predicate(p);
    match stretches(&steps, window).find(|(since, until)| until.since(*since) >= lasting) {
        Some((at, until)) => {
            let mut finding = at_moment(run, p, at, false);
            if !matches!(p, Predicate::Occurs(_)) {
                finding.found.push_str(&format!(", for {}", until.since(at)));
            }
            finding
        }
        None => Finding { passed: true, at: None, found: String::new(), record: None },
    }
}

fn eventually(run: Run<'_>, p: &Predicate, lasting: Span, within: Option<Span>, window: Window) -> Finding {
    let steps = run.predicate(p);
    let reached = stretches(&steps, window).find(|(since, until)| until.since(*since) >= lasting);
    let after = |at: SimTime| at.after(lasting).since(window.from);
    match (reached, within) {
        (Some((at, _)), Some(within)) if after(at) > within => {
            let mut finding = at_moment(run, p, at, false);
            finding.found = format!("only after {}: {}", after(at), finding.found);
            finding
        }
        (Some((at, _)), _) => {
            let mut finding = at_moment(run, p, at, true);
            finding.found = format!("after {}", after(at));
            finding
        }
        (None, _) => {
            let last = SimTime(window.to.0.saturating_sub(1)).max(window.from);
            let mut finding = at_moment(run, p, last, false);
            finding.found = format!("not by {last}: {}", finding.found);
            finding.at = None;
            finding
        }
    }
}

/// What a predicate's parts were at a moment, and what made them so.
fn at_moment(run: Run<'_>, p: &Predicate, at: SimTime, passed: bool) -> Finding {
    let mut sources: Vec<Source<'_>> = Vec::new();
    p.sources(&mut sources);
    let (found, record) = (run.describe(&sources, at), run.decisive(&sources, at));
    Finding { passed, at: Some(at), found, record }
}

fn checked(run: Run<'_>, check: &Check) -> Finding {
    let Weighed { passed, figures } = weigh(run, check);
    let deciding = figures.first();
    let mut texts: Vec<&str> = figures.iter().map(|f| f.text.as_str()).collect();
    // A figure between two bounds is named twice, and said once.
    texts.dedup();
    Finding {
        passed,
        at: deciding.and_then(|f| f.at),
        record: deciding.and_then(|f| f.record),
        found: texts.join(", "),
    }
}

/// A check with the figures that decided it.
struct Weighed {
    passed: bool,
    figures: Vec<Shown>,
}

/// A figure in words, with the moment and the record that made it.
struct Shown {
    text: String,
    at: Option<SimTime>,
    record: Option<RecordId>,
}

/// Evaluates a check. Of several parts those count that decided: what failed
/// of an `and`, what held of an `or`.
fn weigh(run: Run<'_>, check: &Check) -> Weighed {
    let joined = |a: &Check, b: &Check, deciding: bool| {
        let (a, b) = (weigh(run, a), weigh(run, b));
        let decided = a.passed == deciding || b.passed == deciding;
        let passed = if decided { deciding } else { !deciding };
        let figures = [a, b].into_iter().filter(|w| w.passed == passed).flat_map(|w| w.figures);
        Weighed { passed, figures: figures.collect() }
    };
    match check {
        Check::Not(c) => {
            let inner = weigh(run, c);
            Weighed { passed: !inner.passed, ..inner }
        }
        Check::And(a, b) => joined(a, b, false),
        Check::Or(a, b) => joined(a, b, true),
        Check::HappensAt(occurrence, times, window) => happens_at(run, occurrence, times, run.window(window)),
        Check::Compare(a, how, b) => {
            let (left, right) = (run.figure(a), run.figure(b));
            let passed = left.amount.compare(right.amount).is_some_and(|o| how.holds(o));
            let sides = [(&**a, left), (&**b, right)];
            let figures = sides
                .into_iter()
                .filter(|(figure, _)| !matches!(figure, Figure::Number(_) | Figure::Time(_)))
                .map(|(figure, measured)| {
                    // A time that is itself the figure needs no second mention.
                    let said = matches!(figure, Figure::First(..) | Figure::Nth(..) | Figure::At(..));
                    let at = measured.at.filter(|_| !said).map(|at| format!(" at {at}")).unwrap_or_default();
                    let text = format!("{figure} = {}{at}", measured.amount.describe());
                    let record = measured.record.or_else(|| record_of(run, figure, measured.at?));
                    Shown { text, at: measured.at, record }
                });
            Weighed { passed, figures: figures.collect() }
        }
    }
}

/// Whether something happens at these times and at no others. What is found
/// are all its times, and what decides is the first that is not as wanted.
fn happens_at(run: Run<'_>, occurrence: &Occurrence, times: &[SimTime], window: Window) -> Weighed {
    let all: Vec<_> = run.occurrences(occurrence).into_iter().filter(|(_, at)| window.contains(*at)).collect();
    let near = |at: SimTime, wanted: SimTime| at.0.abs_diff(wanted.0) < SECOND;
    let pairs = all.iter().zip(times);
    let wrong = pairs.clone().position(|((_, at), wanted)| !near(*at, *wanted));
    let wrong = wrong.or_else(|| (all.len() != times.len()).then_some(all.len().min(times.len())));
    let text = match &all[..] {
        [] => format!("{occurrence} never happened"),
        all => {
            let shown: Vec<String> = all.iter().take(MOST_TIMES).map(|(_, at)| at.to_string()).collect();
            let more = if all.len() > MOST_TIMES { format!(", … ({} times)", all.len()) } else { String::new() };
            format!("{occurrence} at {}{more}", shown.join(", "))
        }
    };
    let deciding = wrong.and_then(|i| all.get(i)).or(all.last());
    let shown = Shown { text, at: deciding.map(|d| d.1), record: deciding.map(|d| d.0) };
    Weighed { passed: wrong.is_none(), figures: vec![shown] }
}

/// The record that made a figure what it is.
fn record_of(run: Run<'_>, figure: &Figure, at: SimTime) -> Option<RecordId> {
    let mut sources = Vec::new();
    figure.sources(&mut sources);
    run.decisive(&sources, at)
}
