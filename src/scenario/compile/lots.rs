//! Actions on some of those that fit, and what happens at random.

use super::actions::Context;
use super::{Compiler, pools};
use crate::environment::Delay;
use crate::scenario::file::{ActionEntry, DelayEntry, Spec};
use crate::scenario::scope::{Refusal, Scope};
use crate::sim::setup::{Action, Among, DRAWN, Disturbance, Lot, Share};
use crate::time::{SimTime, Span};
use std::sync::Arc;

/// Reads `one of zone/a`, `2 of a-*`, `half of pool/spot`, `30% of *`.
fn share(text: &str) -> Option<(Result<Share, String>, &str)> {
    let (share, of) = text.split_once(" of ")?;
    let share = match share.trim() {
        "one" => Ok(Share::Some(1)),
        "all" => Ok(Share::All),
        "half" => Ok(Share::Part(0.5)),
        other => match other.strip_suffix('%').map(str::parse::<f64>) {
            Some(Ok(percent)) if (0.0..=100.0).contains(&percent) => Ok(Share::Part(percent / 100.0)),
            Some(_) => Err(format!("`{other}` is not between 0% and 100%")),
            None if other.parse() == Ok(0) => Err("`0` of anything is nobody".to_string()),
            None => other
                .parse()
                .map(Share::Some)
                .map_err(|_| format!("`{other}` is no share; write one, a number, half or a percentage")),
        },
    };
    Some((share, of.trim()))
}

impl Scope {
    /// Refuses what can never mean any node.
    pub(super) fn could_be_nodes(&self, text: &str) -> Result<(), Refusal> {
        match text.strip_prefix("pool/") {
            Some(pool) if self.pools.iter().any(|known| known == pool) => Ok(()),
            _ => self.nodes(text).map(|_| ()),
        }
    }
}

impl Compiler<'_> {
    /// What is done to nodes: to each that a text means, or to some of them,
    /// which are drawn when the time comes. `by_name` says that the text is
    /// the name of a field.
    pub(super) fn on_each_node(
        &mut self,
        text: &str,
        by_name: bool,
        c: &Context<'_>,
        verb: impl Fn(Arc<str>) -> Action,
        all: &mut Vec<Action>,
    ) {
        let field = if by_name { format!("{}.{text}", c.field) } else { c.field.clone() };
        let Some((share, of)) = self.lot_of_nodes(text, &field) else {
            let nodes = c.scope.nodes(text);
            let nodes = if by_name { self.check_name(&field, nodes) } else { self.check(&field, nodes) };
            all.extend(nodes.unwrap_or_default().into_iter().map(|node| verb(node.into())));
            return;
        };
        if self.check(&field, c.scope.could_be_nodes(of)).is_some() {
            let actions = vec![(Span::ZERO, verb(DRAWN.into()))];
            all.push(c.lot(share, Among::Nodes(of.to_string()), actions));
        }
    }

    /// The share of nodes of a text: those of a pool are known when the time
    /// comes.
    pub(super) fn lot_of_nodes<'t>(&mut self, text: &'t str, field: &str) -> Option<(Share, &'t str)> {
        self.lot_of(text, field).or_else(|| pools::of_pool(text).then_some((Share::All, text)))
    }

    /// The share of a text that names one.
    pub(super) fn lot_of<'t>(&mut self, text: &'t str, field: &str) -> Option<(Share, &'t str)> {
        let (share, of) = share(text)?;
        let share = self.check(field, share.map_err(|message| (message, None))).unwrap_or(Share::All);
        Some((share, of))
    }

    /// What happens again and again.
    pub(super) fn disturbances(&mut self, spec: &Spec, contexts: &Context<'_>) -> Vec<Disturbance> {
        let mut all: Vec<Disturbance> = Vec::new();
        for (i, entry) in spec.disturbances.iter().enumerate() {
            let field = format!("spec.disturbances[{i}]");
            let Some(verb) = self.one_verb(entry, &field) else { continue };
            let Some(every) = &entry.every else {
                let hint = "write `every: 10m` or `every: {exponential: {mean: 2h}}`".to_string();
                self.problem(&field, "how often this happens is not said", Some(hint));
                continue;
            };
            self.distribution(every, &format!("{field}.every"));
            if every.is_always_zero() {
                let hint = "write a time above 0, such as 10m or {exponential: {mean: 2h}}".to_string();
                self.problem(&format!("{field}.every"), "no time lies between one and the next", Some(hint));
                continue;
            }
            self.ever_happens(entry, every, &field, contexts.scope);
            if entry.at.is_some() || entry.after.is_some() || entry.when.is_some() || entry.plus.is_some() {
                let hint = "write `from` and `until`, which are times of the run".to_string();
                self.problem(&field, "a disturbance happens at random times", Some(hint));
                continue;
            }
            let taken: Vec<Arc<str>> = all.iter().map(|d| d.name.clone()).collect();
            let name = self.lot_name(entry, verb, &format!("/spec/disturbances/{i}/{verb}"), &taken);
            let context = Context {
                field: format!("{field}.{verb}"),
                lot: name.clone(),
                recover: self.recovery(entry, &field),
                ..contexts.clone()
            };
            let mut actions = self.action(entry, &context);
            if let Some(names) = &entry.spot_reclaim {
                actions.extend(self.spot_reclaims(&names.0, &context));
            }
            let actions = actions.into_iter().map(|action| (Span::ZERO, action));
            all.push(Disturbance {
                name,
                every: Delay::from(every),
                from: SimTime::ZERO.after(entry.from.map_or(Span::ZERO, |from| from.0)),
                until: entry.until.map_or(SimTime::MAX, |until| SimTime::ZERO.after(until.0)),
                times: entry.times.map(u64::from),
                actions: actions.collect(),
            });
        }
        all
    }

    /// Refuses a disturbance that never happens.
    fn ever_happens(&mut self, entry: &ActionEntry, every: &DelayEntry, field: &str, scope: &Scope) {
        let from = entry.from.map_or(Span::ZERO, |from| from.0);
        let (name, message) = match (entry.until, entry.times) {
            _ if matches!(every, DelayEntry::Never) => ("every", "so this never happens".to_string()),
            (_, Some(0)) => ("times", "so this never happens".to_string()),
            (Some(until), _) if until.0 <= from => ("until", format!("this is not after `from`, {from}")),
            _ if SimTime::ZERO.after(from) >= scope.until => {
                ("from", format!("the run ends before that, at {}", scope.until))
            }
            _ => return,
        };
        self.problem(&format!("{field}.{name}"), message, None);
    }

    /// The name by which an entry draws: its own, or its verb and what it is
    /// about, which no other entry moves.
    pub(super) fn lot_name(&self, entry: &ActionEntry, verb: &str, place: &str, taken: &[Arc<str>]) -> Arc<str> {
        let about = || self.document.and_then(|document| document.value.pointer(place)).map(ToString::to_string);
        let name = entry.name.clone().unwrap_or_else(|| format!("{verb} {}", about().unwrap_or_default()));
        unique(&name, taken)
    }

    /// How long until everything is as before.
    pub(super) fn recovery(&mut self, entry: &ActionEntry, field: &str) -> Option<Delay> {
        let recover = entry.recover.as_ref()?;
        self.distribution(recover, &format!("{field}.recover"));
        Some(Delay::from(recover))
    }

    /// Sees to it that actions on those that are named are taken back as well.
    pub(super) fn with_recovery(&mut self, actions: Vec<Action>, c: &Context<'_>) -> Vec<Action> {
        if c.recover.is_none() {
            return actions;
        }
        let mut all = Vec::new();
        for action in actions {
            let inner = if let Action::Lot(lot) = &action { lot.actions.first().map(|(_, inner)| inner) } else { None };
            if inner.unwrap_or(&action).undone().is_none() {
                let message = format!("nothing takes this back: {}", inner.unwrap_or(&action).describe());
                self.problem(&c.field, message, Some("leave `recover` out".to_string()));
                return Vec::new();
            }
            all.push(match action {
                lot @ Action::Lot(_) => lot,
                plain => c.lot(Share::All, Among::Nobody, vec![(Span::ZERO, plain)]),
            });
        }
        all
    }
}

impl Context<'_> {
    /// Actions on whoever is drawn.
    pub(super) fn lot(&self, share: Share, among: Among, actions: Vec<(Span, Action)>) -> Action {
        let recover = self.recover.clone();
        Action::Lot(Box::new(Lot { name: self.lot.clone(), nth: 0, share, among, actions, recover }))
    }
}

/// A name that is not taken: of several that would be alike, the later ones
/// are counted.
fn unique(name: &str, taken: &[Arc<str>]) -> Arc<str> {
    let mut wanted: Arc<str> = name.into();
    let mut n = 1;
    while taken.contains(&wanted) {
        n += 1;
        wanted = format!("{name} {n}").into();
    }
    wanted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_read() {
        for (text, wanted) in [
            ("one of zone/b", Some((Share::Some(1), "zone/b"))),
            ("3 of a-*", Some((Share::Some(3), "a-*"))),
            ("half of pool/spot", Some((Share::Part(0.5), "pool/spot"))),
            ("30% of *", Some((Share::Part(0.3), "*"))),
            ("all of zone/a", Some((Share::All, "zone/a"))),
            ("a-1", None),
        ] {
            let read = share(text).map(|(share, of)| (share.unwrap(), of));
            assert_eq!(read, wanted, "{text}");
        }
        assert!(share("some of a-*").unwrap().0.unwrap_err().contains("no share"));
        assert!(share("130% of a-*").unwrap().0.unwrap_err().contains("between"));
    }
}
