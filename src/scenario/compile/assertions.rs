//! What must hold.

use super::Compiler;
use crate::assertion::{Assertion, Claim, Frame, Moment};
use crate::error::Problem;
use crate::scenario::expression::{self, Mistake};
use crate::scenario::file::{AssertionEntry, CLAIMS, Duration, ScenarioFile};
use crate::scenario::resolve::Resolver;
use crate::scenario::scope::Scope;
use crate::time::{SimTime, Span};

impl Compiler<'_> {
    /// All assertions, the documented bad outcomes last.
    pub(super) fn assertions(&mut self, file: &ScenarioFile, scope: &Scope) -> Vec<Assertion> {
        let mut all = Vec::new();
        for (list, entries) in [("assert", &file.assert), ("expects", &file.expects)] {
            for (i, entry) in entries.iter().enumerate() {
                let field = format!("{list}[{i}]");
                self.fix(entry, list, &field);
                all.extend(self.assertion(entry, &field, scope));
            }
        }
        all
    }

    /// Whether `fix` stands where it should.
    fn fix(&mut self, entry: &AssertionEntry, list: &str, field: &str) {
        match (&entry.fix, list) {
            (None, "expects") => {
                let hint = "add `fix:` with the change that would prevent it, or move the claim to `assert`";
                self.problem(field, "a documented bad outcome must say what prevents it", Some(hint.to_string()));
            }
            (Some(_), "assert") => {
                let hint = "move the claim to `expects` if its outcome is bad";
                self.problem(&format!("{field}.fix"), "only `expects` has fixes", Some(hint.to_string()));
            }
            _ => {}
        }
    }

    fn assertion(&mut self, entry: &AssertionEntry, field: &str, scope: &Scope) -> Option<Assertion> {
        let texts = [&entry.always, &entry.never, &entry.eventually, &entry.sometimes, &entry.check];
        let given: Vec<(&str, &str)> =
            CLAIMS.iter().zip(texts).filter_map(|(name, text)| Some((*name, text.as_deref()?))).collect();
        let [(verb, text)] = given[..] else {
            let message = match given.len() {
                0 => "this claims nothing".to_string(),
                _ => format!("this claims {} things at once", given.len()),
            };
            self.problem(field, message, Some(format!("write exactly one of {}", CLAIMS.join(", "))));
            return None;
        };
        let window = self.window(entry, field, scope)?;
        let claim = match claim(entry, verb, text, scope, window) {
            Ok(claim) => claim,
            Err(mistake) => {
                self.mistake(&mistake, text, &format!("{field}.{verb}"));
                return None;
            }
        };
        self.note_reasons(text, &format!("{field}.{verb}"));
        if let Claim::Eventually(_, _, Some(within)) = &claim
            && let Moment::At(from) = window.from
            && from.after(*within) > scope.until
        {
            let message = format!("the run ends at {}, before {within} have passed since {from}", scope.until);
            self.problem(&format!("{field}.{verb}"), message, Some("make spec.duration longer".to_string()));
        }
        let written = format!("{verb} {}", text.split_whitespace().collect::<Vec<_>>().join(" "));
        Some(Assertion {
            name: entry.name.clone().unwrap_or_else(|| written.clone()),
            text: written,
            claim,
            window,
            fix: entry.fix.clone(),
            place: self.document.map(|d| (d.file.clone(), d.position(&format!("{field}.{verb}")))),
        })
    }

    /// Notes a mistake in an expression at its own place.
    pub(super) fn mistake(&mut self, mistake: &Mistake, text: &str, field: &str) {
        let Some(document) = self.document else { return };
        let problem = Problem { hint: mistake.hint.clone(), ..Problem::new(&mistake.message).in_field(field) };
        let mut located = document.locate(problem);
        let before = text.get(..mistake.at.start).unwrap_or_default();
        if let (Some(at), Some(line)) = (&mut located.position, &located.line_text) {
            let rest: String = line.chars().skip(at.column - 1).collect();
            // Only where the line shows the text as it is can a column be told.
            let quote = usize::from(rest.starts_with(['"', '\'']));
            if rest.chars().skip(quote).collect::<String>().starts_with(before) {
                at.column += quote + before.chars().count();
            }
        }
        self.problems.push(located);
    }

    /// The window of an assertion: from the first action on, if it says
    /// nothing, because what happens before is only getting to the start.
    fn window(&mut self, entry: &AssertionEntry, field: &str, scope: &Scope) -> Option<Frame> {
        let first = Moment::At(scope.first_action());
        let end = Moment::At(scope.until.after(Span::from_ns(1)));
        let from = self.edge(entry.from, entry.after.as_deref(), ("from", "after"), field, scope);
        let to = self.edge(entry.until, entry.before.as_deref(), ("until", "before"), field, scope);
        let (from, to) = (from.ok()?.unwrap_or(first), to.ok()?.unwrap_or(end));
        if let (Moment::At(from), Moment::At(to)) = (from, to)
            && from >= to
        {
            let name =
                if entry.until.is_some() || entry.before.is_some() { "ends before it begins" } else { "is empty" };
            self.problem(field, format!("the window from {from} to {to} {name}"), None);
            return None;
        }
        Some(Frame { from, to })
    }

    /// One end of a window: a time, an action, or neither.
    ///
    /// # Errors
    /// Nothing more to say: what is wrong is noted.
    fn edge(
        &mut self,
        time: Option<Duration>,
        action: Option<&str>,
        names: (&str, &str),
        field: &str,
        scope: &Scope,
    ) -> Result<Option<Moment>, ()> {
        match (time, action) {
            (Some(_), Some(_)) => {
                self.problem(field, format!("write `{}` or `{}`, not both", names.0, names.1), None);
                Err(())
            }
            (Some(time), None) => {
                let at = SimTime::ZERO.after(time.0);
                if at > scope.until {
                    let message = format!("{at} is after the end of the run at {}", scope.until);
                    self.problem(&format!("{field}.{}", names.0), message, None);
                    return Err(());
                }
                Ok(Some(Moment::At(at)))
            }
            (None, Some(action)) => {
                let found = self.check(&format!("{field}.{}", names.1), scope.action(action));
                found.map(Some).ok_or(())
            }
            (None, None) => Ok(None),
        }
    }
}

/// What an entry claims.
fn claim(entry: &AssertionEntry, verb: &str, text: &str, scope: &Scope, window: Frame) -> Result<Claim, Mistake> {
    let written = expression::parse_claim(text)?;
    let resolver = Resolver { scope, window };
    let both = |name: &str| Mistake::new(0..text.len(), format!("`{name}` is given twice"));
    if written.within.is_some() && entry.within.is_some() {
        return Err(both("within"));
    }
    if written.lasting.is_some() && entry.lasting.is_some() {
        return Err(both("for"));
    }
    let within = written.within.or(entry.within.map(|d| d.0));
    let lasting = written.lasting.or(entry.lasting.map(|d| d.0));
    if within.is_some() && verb != "eventually" {
        return Err(Mistake::new(0..text.len(), "only `eventually` has a `within`"));
    }
    if lasting.is_some() && (verb == "always" || verb == "check") {
        return Err(Mistake::new(0..text.len(), format!("`for` has no meaning with `{verb}`"))
            .with_hint("to allow short breaks write `never: not (…)` with `for`, or compare duration(…)"));
    }
    let lasting = lasting.unwrap_or_default();
    Ok(match verb {
        "always" => Claim::Always(resolver.predicate(&written.expr)?),
        "never" => Claim::Never(resolver.predicate(&written.expr)?, lasting),
        "check" => Claim::Check(resolver.check(&written.expr)?),
        _ => Claim::Eventually(resolver.predicate(&written.expr)?, lasting, within),
    })
}
