//! Actions whose time or whose targets only the run decides.

use super::actions::{Refusal, matches_pattern};
use super::event::Event;
use super::setup::{Action, Among, Armed, Lot, Setup, Watch};
use super::{Simulation, Urgency};
use crate::api::{Kind, Node};
use crate::environment::spot::is_of_pool;
use crate::rng::Draws;
use crate::time::{SimTime, Span};
use std::sync::Arc;

/// What waits, and for what.
#[derive(Clone)]
pub(super) struct Waiting {
    watch: Option<Watch>,
    /// By trigger.
    states: Vec<State>,
    /// How many records were looked at.
    seen: usize,
}

#[derive(Clone, Copy, Default)]
struct State {
    /// Since when it waits.
    armed: Option<SimTime>,
    /// Whether its claim held when it was last looked at.
    held: bool,
    fired: bool,
}

impl Waiting {
    /// `None` where nothing waits.
    pub(super) fn new(setup: &Setup) -> Option<Box<Waiting>> {
        let armed = |armed: Armed| match armed {
            Armed::At(at) => Some(at),
            Armed::With(_) => None,
        };
        let states = setup.triggers.iter().map(|t| State { armed: armed(t.armed), ..State::default() }).collect();
        let waiting = Waiting { watch: setup.watch.clone(), states, seen: 0 };
        (!setup.triggers.is_empty()).then(|| Box::new(waiting))
    }
}

impl Simulation {
    /// Looks whether what triggers wait for has come, once everything has
    /// happened that happens in one millisecond. Answers whether that has
    /// planned anything.
    pub(super) fn looks_out(&mut self, next: Option<SimTime>) -> bool {
        let goes_on = next.is_some_and(|next| next.floor_ms() == self.now.floor_ms());
        let Some(mut waiting) = self.waiting.take_if(|_| !goes_on) else { return false };
        let planned = self.look_out(&mut waiting);
        self.waiting = Some(waiting);
        planned
    }

    fn look_out(&mut self, waiting: &mut Waiting) -> bool {
        let records = self.recorder.trace.records.len();
        if waiting.seen == records {
            return false;
        }
        waiting.seen = records;
        if let Some(watch) = &mut waiting.watch {
            watch.0.follow(&self.recorder.trace);
        }
        let setup = self.setup.clone();
        let (now, mut planned) = (self.now.floor_ms(), false);
        for (index, trigger) in setup.triggers.iter().enumerate() {
            let held = trigger.claim.map(|claim| waiting.watch.as_ref().is_some_and(|watch| watch.0.holds(claim)));
            let state = &mut waiting.states[index];
            let before = std::mem::replace(&mut state.held, held.unwrap_or(false));
            let Some(armed) = state.armed.filter(|_| !state.fired) else { continue };
            let since = match held {
                Some(holds) => (holds && !before && armed.floor_ms() <= now).then_some(now),
                // It waits for a time that is known.
                None => Some(armed),
            };
            if let Some(since) = since {
                self.fires(waiting, index, since);
                planned = true;
            }
        }
        planned
    }

    /// What a trigger waited for has come.
    fn fires(&mut self, waiting: &mut Waiting, index: usize, since: SimTime) {
        let setup = self.setup.clone();
        let at = since.after(setup.triggers[index].plus);
        waiting.states[index].fired = true;
        self.recorder.trace.header.triggers[index].1 = Some(at).filter(|at| *at <= setup.until);
        for (later, action) in &setup.triggers[index].actions {
            self.plan(at.after(*later), action.clone());
        }
        for (other, trigger) in setup.triggers.iter().enumerate() {
            if trigger.armed == Armed::With(index) && !waiting.states[other].fired {
                waiting.states[other].armed = Some(at);
                if trigger.claim.is_none() {
                    self.fires(waiting, other, at);
                }
            }
        }
    }

    /// An action that nobody knew of before will happen, if the run lasts so
    /// long.
    pub(super) fn plan(&mut self, at: SimTime, action: Action) {
        let at = at.max(self.now);
        if at <= self.setup.until {
            let index = self.add_action(at, action);
            self.queue.push(at, Urgency::First, Event::Act(index));
        }
    }

    fn add_action(&mut self, at: SimTime, action: Action) -> u32 {
        self.recorder.trace.header.actions.push((at, action.describe()));
        self.planned.push(Arc::new(action));
        (self.setup.actions.len() + self.planned.len() - 1) as u32
    }

    /// Does to those that are drawn what is to be done to them.
    pub(super) fn draw_lot(&mut self, index: u32, lot: &Lot) {
        let candidates = self.candidates(lot);
        let draws = Draws::new(self.setup.seed);
        let drawn = lot.drawn(&draws, &candidates);
        if drawn.is_empty() {
            let nobody = self.recorder.cluster();
            let cause = self.record_action(index, nobody);
            self.recorder.last = cause;
            let message = match &lot.among {
                Among::Nodes(of) | Among::Pods(of) if candidates.is_empty() => format!("{of} is nobody now"),
                _ => "nobody was drawn".to_string(),
            };
            self.record_refusal(index, false, &Refusal::of("NotFound", message), nobody);
            return;
        }
        let mut own = Some(index);
        for name in drawn.into_iter().map(|i| &candidates[i]) {
            for (later, action) in &lot.actions {
                let action = if lot.among == Among::Nobody { action.clone() } else { action.aimed_at(name) };
                if let (Some(delay), Some(undone)) = (self.recovery(lot, &action), action.undone()) {
                    self.plan(self.now.after(*later).after(delay), undone);
                }
                if *later > Span::ZERO {
                    self.plan(self.now.after(*later), action);
                    continue;
                }
                let index = match own.take() {
                    Some(own) => {
                        self.recorder.trace.header.actions[own as usize].1 = action.describe();
                        own
                    }
                    None => self.add_action(self.now, action.clone()),
                };
                self.carry_out(index, &action);
            }
        }
    }

    fn recovery(&self, lot: &Lot, action: &Action) -> Option<Span> {
        let draws = Draws::new(self.setup.seed);
        lot.recover.as_ref()?.draw(&draws, "recovery", &format!("{}\n{}", lot.name, action.describe()), lot.nth)
    }

    /// Who may be drawn now, by name.
    fn candidates(&self, lot: &Lot) -> Vec<Arc<str>> {
        match &lot.among {
            // One that nobody looks at.
            Among::Nobody => vec![super::setup::DRAWN.into()],
            Among::Nodes(of) => {
                let reclaims = matches!(lot.actions.first(), Some((_, Action::SpotReclaim(_))));
                let objects = self.store.objects();
                let nodes = objects.keys_by_name(Kind::Node).into_iter();
                let there = nodes.filter_map(|key| objects.nodes.get(key).map(|node| (key, node)));
                there
                    .filter(|(key, node)| !self.dead.contains(key) && is_of(node, of))
                    .filter(|(_, node)| !reclaims || self.may_be_taken_back(&node.meta.name))
                    .map(|(_, node)| node.meta.name.clone())
                    .collect()
            }
            Among::Pods(of) => {
                let name =
                    |key: crate::api::Key| self.recorder.trace.subject(self.recorder.subject(key.uid)).name.clone();
                self.matching_pods(of).into_iter().map(name).collect()
            }
        }
    }
}

/// Whether a text means a node: by its name, a pattern, its zone or its pool.
fn is_of(node: &Node, text: &str) -> bool {
    let text = text.strip_prefix("node/").unwrap_or(text);
    if let Some(zone) = text.strip_prefix("zone/") {
        return *node.zone == *zone;
    }
    match text.strip_prefix("pool/") {
        Some(pool) => is_of_pool(&node.meta.name, pool),
        None => matches_pattern(text, &node.meta.name),
    }
}
