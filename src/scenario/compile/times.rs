//! When actions happen: at times that are known, or after something that only
//! the run will tell.

use super::Compiler;
use super::actions::verbs;
use crate::assertion::{Frame, Live, Moment, Predicate, Window};
use crate::scenario::expression;
use crate::scenario::file::{ActionEntry, At, Spec};
use crate::scenario::resolve::Resolver;
use crate::scenario::scope::Scope;
use crate::sim::setup::{Action, Armed, Lookout, Trigger, Watch};
use crate::time::{SimTime, Span};
use crate::trace::Trace;

/// What the time of an entry counts from.
#[derive(Clone, PartialEq, Debug)]
enum Base {
    /// The beginning of the run.
    Start,
    /// The entry of this index.
    Entry(usize),
}

/// When an entry happens, as it is written.
#[derive(Clone, Debug)]
struct Written {
    base: Base,
    claim: Option<String>,
    plus: Span,
}

/// An entry that waits.
#[derive(Clone, Debug)]
pub(super) struct Waits {
    entry: usize,
    armed: Armed,
    claim: Option<String>,
    plus: Span,
}

/// When each entry of `spec.actions` happens.
#[derive(Clone, Debug, Default)]
pub(super) struct Times {
    /// By entry; `None` where that is wrong.
    pub(super) of: Vec<Option<Moment>>,
    /// What waits, in the order of the triggers.
    pub(super) waits: Vec<Waits>,
}

/// The verb of a disturbance stands where an action's does, and nothing else.
fn names(entry: &ActionEntry) -> impl Iterator<Item = &str> {
    entry.name.as_deref().into_iter().chain(verbs(entry))
}

impl Times {
    /// The names that assertions may use for the actions, those at known times
    /// first.
    pub(super) fn names(&self, spec: &Spec) -> Vec<(Vec<String>, Moment)> {
        let known = spec.actions.iter().zip(&self.of).filter_map(|(entry, moment)| Some((entry, (*moment)?)));
        let mut all: Vec<(Vec<String>, Moment)> =
            known.map(|(entry, moment)| (names(entry).map(str::to_string).collect(), moment)).collect();
        all.sort_by_key(|(_, moment)| match moment {
            Moment::At(at) => *at,
            Moment::After { .. } => SimTime::MAX,
        });
        all
    }
}

/// The last time that is known before the run, of those that are right.
pub(super) fn last_known(spec: &Spec) -> SimTime {
    let at = |entry: &ActionEntry| match (&entry.at, entry.plus) {
        (Some(At::Time(at)), _) => at.0,
        (Some(At::After { plus, .. }), _) => plus.0,
        (None, plus) => plus.unwrap_or_default().0,
    };
    // What counts from others comes after all of them at the latest.
    let (fixed, more): (Vec<&ActionEntry>, Vec<&ActionEntry>) =
        spec.actions.iter().partition(|entry| matches!(entry.at, Some(At::Time(_))));
    let first = fixed.into_iter().map(at).max().unwrap_or_default();
    SimTime::ZERO.after(first).after(Span(more.into_iter().map(|entry| at(entry).0).sum()))
}

impl Compiler<'_> {
    /// When each action happens.
    pub(super) fn times(&mut self, spec: &Spec) -> Times {
        let written: Vec<Option<Written>> = (0..spec.actions.len()).map(|i| self.written(spec, i)).collect();
        let mut times = Times { of: vec![None; written.len()], waits: Vec::new() };
        let mut open: Vec<usize> = (0..written.len()).filter(|i| written[*i].is_some()).collect();
        while !open.is_empty() {
            let before = open.len();
            open.retain(|&i| !written[i].as_ref().is_some_and(|written| settle(written, i, &mut times)));
            if open.len() == before {
                break;
            }
        }
        for i in open {
            let waits_for_right =
                matches!(&written[i], Some(Written { base: Base::Entry(of), .. }) if written[*of].is_some());
            if waits_for_right {
                self.problem(&format!("spec.actions[{i}]"), "this waits for itself", None);
            }
        }
        times
    }

    /// What an entry says about its time.
    fn written(&mut self, spec: &Spec, i: usize) -> Option<Written> {
        let (entry, field) = (&spec.actions[i], format!("spec.actions[{i}]"));
        if entry.every.is_some() || entry.times.is_some() || entry.until.is_some() {
            let hint = "put what happens again and again under `spec.disturbances`".to_string();
            self.problem(&field, "an action happens once", Some(hint));
            return None;
        }
        let plus = entry.plus.map_or(Span::ZERO, |plus| plus.0);
        match (&entry.at, &entry.after, &entry.when) {
            (Some(_), after, when) if after.is_some() || when.is_some() || entry.plus.is_some() => {
                let hint = "write `at`, or `after` and `when` with `plus`".to_string();
                self.problem(&field, "this has several times", Some(hint));
                None
            }
            (Some(At::Time(at)), ..) => Some(Written { base: Base::Start, claim: None, plus: at.0 }),
            (Some(At::After { action, plus }), ..) => {
                let found = entry_of(spec, i, action);
                let entry = self.check(&format!("{field}.at"), found)?;
                Some(Written { base: Base::Entry(entry), claim: None, plus: plus.0 })
            }
            (None, Some(after), None) if after.contains('(') => {
                Some(Written { base: before(i), claim: Some(after.clone()), plus })
            }
            (None, Some(after), when) => {
                let entry = self.check(&format!("{field}.after"), entry_of(spec, i, after))?;
                Some(Written { base: Base::Entry(entry), claim: when.clone(), plus })
            }
            (None, None, Some(when)) => Some(Written { base: before(i), claim: Some(when.clone()), plus }),
            (None, None, None) => {
                let hint = "write `at: 30s`, `after: ACTION` or `when: CLAIM`".to_string();
                self.problem(&field, "this has no time", Some(hint));
                None
            }
        }
    }

    /// What waits, with what it does, and what looks out for it.
    pub(super) fn triggers(
        &mut self,
        spec: &Spec,
        scope: &Scope,
        times: &Times,
        mut actions: Vec<Vec<(Span, Action)>>,
    ) -> (Vec<Trigger>, Option<Watch>) {
        let (mut claims, mut all) = (Vec::new(), Vec::new());
        for (waits, actions) in times.waits.iter().zip(actions.iter_mut()) {
            let entry = &spec.actions[waits.entry];
            let verb = if entry.when.is_some() { "when" } else { "after" };
            let field = format!("spec.actions[{}].{verb}", waits.entry);
            let claim = waits.claim.as_ref().and_then(|text| self.awaited(text, &field, scope));
            let place = claim.map(|claim| {
                claims.push(claim);
                claims.len() - 1
            });
            all.push(Trigger {
                name: name(entry, waits),
                armed: waits.armed,
                claim: place,
                plus: waits.plus,
                actions: std::mem::take(actions),
            });
        }
        let watch = (!claims.is_empty()).then(|| Watch(Box::new(Waiting(Live::new(claims)))));
        (all, watch)
    }

    fn awaited(&mut self, text: &str, field: &str, scope: &Scope) -> Option<Predicate> {
        let window = Frame::from(Window { from: SimTime::ZERO, to: SimTime::MAX });
        let read = expression::parse(text).and_then(|expr| Resolver { scope, window }.predicate(&expr));
        match read {
            Ok(claim) => {
                self.note_reasons(text, field);
                Some(claim)
            }
            Err(mistake) => {
                self.mistake(&mistake, text, field);
                None
            }
        }
    }
}

/// Without another word, an entry waits from the one before it on.
const fn before(i: usize) -> Base {
    match i.checked_sub(1) {
        Some(before) => Base::Entry(before),
        None => Base::Start,
    }
}

/// The first other entry of that name or verb.
fn entry_of(spec: &Spec, i: usize, name: &str) -> Result<usize, (String, Option<String>)> {
    let others = || spec.actions.iter().enumerate().filter(|(other, _)| *other != i);
    if let Some((found, _)) = others().find(|(_, entry)| names(entry).any(|known| known == name)) {
        return Ok(found);
    }
    let all: Vec<&str> = others().flat_map(|(_, entry)| names(entry)).collect();
    let near = crate::scenario::suggest::nearest(name, all.iter().copied());
    let hint = near.map(|near| format!("did you mean {near}?"));
    let hint = hint.or_else(|| (!all.is_empty()).then(|| format!("the other actions are {}", all.join(", "))));
    Err((format!("there is no other action {name}"), hint))
}

/// Works out when an entry happens, if what it counts from is known.
fn settle(written: &Written, entry: usize, times: &mut Times) -> bool {
    let base = match written.base {
        Base::Start => Moment::At(SimTime::ZERO),
        Base::Entry(of) => match times.of[of] {
            Some(moment) => moment,
            None => return false,
        },
    };
    let moment = match (base, &written.claim) {
        (Moment::At(at), None) => Moment::At(at.after(written.plus)),
        (base, claim) => {
            let armed = match base {
                Moment::At(at) => Armed::At(at),
                Moment::After { trigger, .. } => Armed::With(trigger),
            };
            times.waits.push(Waits { entry, armed, claim: claim.clone(), plus: written.plus });
            Moment::After { trigger: times.waits.len() - 1, plus: Span::ZERO }
        }
    };
    times.of[entry] = Some(moment);
    true
}

/// What outputs call something that waits.
fn name(entry: &ActionEntry, waits: &Waits) -> String {
    let own = names(entry).next().unwrap_or("action");
    let plus = if waits.plus == Span::ZERO { String::new() } else { format!("{} after ", waits.plus) };
    let other = match &entry.at {
        Some(At::After { action, .. }) => Some(action.as_str()),
        _ => entry.after.as_deref(),
    };
    let what = waits.claim.as_deref().or(other).unwrap_or_default();
    format!("{own}, {plus}{}", what.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// The claims of a run's triggers.
#[derive(Debug)]
struct Waiting(Live);

impl Lookout for Waiting {
    fn follow(&mut self, trace: &Trace) {
        self.0.follow(trace);
    }

    fn holds(&self, claim: usize) -> bool {
        self.0.holds(claim)
    }

    fn another(&self) -> Box<dyn Lookout> {
        Box::new(Waiting(self.0.clone()))
    }
}
