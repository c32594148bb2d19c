//! What happens once something else has happened, and what happens at random.

use super::{Action, TimedAction};
use crate::environment::Delay;
use crate::rng::Draws;
use crate::time::{MILLISECOND, SimTime, Span};
use crate::trace::Trace;
use std::fmt;
use std::sync::Arc;

/// The name that stands in the actions of a [`Lot`] for whoever is drawn.
pub const DRAWN: &str = "?";
/// A process that would happen more often than this is cut off.
const MOST: u64 = 100_000;

/// Looks at the records of a run as they come and knows which claims hold.
pub trait Lookout: Send + Sync + fmt::Debug {
    /// Takes in the records that have come since the last time.
    fn follow(&mut self, trace: &Trace);
    /// Whether a claim holds now; one about something that happens, whether
    /// it happened among the records taken in last.
    fn holds(&self, claim: usize) -> bool;
    /// Another one that has seen as much.
    fn another(&self) -> Box<dyn Lookout>;
}

/// A [`Lookout`] that has seen nothing yet.
#[derive(Debug)]
pub struct Watch(pub Box<dyn Lookout>);

impl Clone for Watch {
    fn clone(&self) -> Watch {
        Watch(self.0.another())
    }
}

impl PartialEq for Watch {
    fn eq(&self, other: &Watch) -> bool {
        // What has seen the same of the same claims prints the same.
        format!("{self:?}") == format!("{other:?}")
    }
}

/// Actions that wait for something.
#[derive(Clone, PartialEq, Debug)]
pub struct Trigger {
    /// What outputs call it: `reboot, 30s after complete(deployment/web)`.
    pub name: String,
    /// From when on it waits.
    pub armed: Armed,
    /// The claim that must become true once it waits, by its place in the
    /// setup's [`Watch`]; without one, nothing more must happen.
    pub claim: Option<usize>,
    /// How long after that the actions happen.
    pub plus: Span,
    /// What happens, and how much later still.
    pub actions: Vec<(Span, Action)>,
}

/// When a [`Trigger`] begins to wait.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Armed {
    /// At a time.
    At(SimTime),
    /// When the actions of the trigger of this index happen.
    With(usize),
}

/// How many of those that fit are taken.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Share {
    /// All of them.
    All,
    /// So many, or all if there are not so many.
    Some(u32),
    /// Each with this probability, from 0 to 1.
    Part(f64),
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Share::All => f.write_str("all"),
            Share::Some(1) => f.write_str("one"),
            Share::Some(n) => write!(f, "{n}"),
            Share::Part(part) => write!(f, "{}%", part * 100.0),
        }
    }
}

/// Who may be drawn.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Among {
    /// Nobody: the actions name whom they are about.
    Nobody,
    /// The living nodes that fit: a name, a pattern, `zone/a` or `pool/spot`.
    Nodes(String),
    /// The pods whose name in traces fits.
    Pods(String),
}

/// Actions on some of those that fit when the time comes.
///
/// Each candidate has a draw of its own, keyed by the lot and the candidate's
/// name: one more node that is not drawn changes nothing for the others.
#[derive(Clone, PartialEq, Debug)]
pub struct Lot {
    /// The subject of its draws.
    pub name: Arc<str>,
    /// Which time it is that it happens, from 0.
    pub nth: u64,
    /// How many are taken.
    pub share: Share,
    /// Who may be.
    pub among: Among,
    /// What is done to each, and how much later. [`DRAWN`] stands for who it
    /// is.
    pub actions: Vec<(Span, Action)>,
    /// How long after its action each is as before, if it ever is.
    pub recover: Option<Delay>,
}

impl Lot {
    /// The places of those of the candidates that are taken, in their order.
    #[must_use]
    pub fn drawn(&self, draws: &Draws, candidates: &[Arc<str>]) -> Vec<usize> {
        let luck = |name: &str| draws.uniform("lot", &format!("{}\n{name}", self.name), self.nth);
        let all = 0..candidates.len();
        match self.share {
            Share::All => all.collect(),
            Share::Part(part) => all.filter(|i| luck(&candidates[*i]) < part).collect(),
            Share::Some(wanted) => {
                let mut ranked: Vec<usize> = all.collect();
                ranked.sort_by(|a, b| luck(&candidates[*a]).total_cmp(&luck(&candidates[*b])));
                ranked.truncate(wanted as usize);
                ranked.sort_unstable();
                ranked
            }
        }
    }

    /// The lot in words.
    pub(super) fn describe(&self) -> String {
        let actions: Vec<String> = self.actions.iter().take(1).map(|(_, action)| action.describe()).collect();
        match &self.among {
            Among::Nobody => actions.concat(),
            Among::Nodes(of) | Among::Pods(of) => format!("{} ({} of {of})", actions.concat(), self.share),
        }
    }
}

/// Something that happens again and again at random.
#[derive(Clone, PartialEq, Debug)]
pub struct Disturbance {
    /// The subject of its draws; no other disturbance has it.
    pub name: Arc<str>,
    /// From one time to the next.
    pub every: Delay,
    /// When the first interval begins.
    pub from: SimTime,
    /// When it ends.
    pub until: SimTime,
    /// How often it happens at most.
    pub times: Option<u64>,
    /// What happens each time.
    pub actions: Vec<(Span, Action)>,
}

impl Disturbance {
    /// What happens until the run ends.
    #[must_use]
    pub fn actions(&self, seed: u64, until: SimTime) -> Vec<TimedAction> {
        let draws = Draws::new(seed);
        let (mut at, until, mut all) = (self.from, self.until.min(until), Vec::new());
        for nth in 0..self.times.unwrap_or(MOST).min(MOST) {
            let Some(wait) = self.every.draw(&draws, "disturbance", &self.name, nth) else { break };
            at = at.after(Span(wait.0.max(MILLISECOND))).floor_ms();
            if at > until {
                break;
            }
            for (later, action) in &self.actions {
                let action = match action {
                    Action::Lot(lot) => Action::Lot(Box::new(Lot { nth, ..(**lot).clone() })),
                    other => other.clone(),
                };
                all.push(TimedAction { at: at.after(*later), action });
            }
        }
        all
    }
}

impl Action {
    /// The same action on somebody else: on whom a lot has drawn.
    #[must_use]
    pub fn aimed_at(&self, name: &Arc<str>) -> Action {
        let mut action = self.clone();
        match &mut action {
            Action::Cordon(node)
            | Action::Uncordon(node)
            | Action::Drain(node, _)
            | Action::Taint(node, _)
            | Action::Untaint(node, _)
            | Action::LabelNode(node, _)
            | Action::NodeDelete(node)
            | Action::NodeFail(node)
            | Action::NodeRecover(node)
            | Action::NodeReady(node, _)
            | Action::NodePressure(node, ..)
            | Action::SpotReclaim(node)
            | Action::SpotNotice { node, .. }
            | Action::NodeShutdown { node, .. } => *node = name.clone(),
            Action::NodeAdd(spec) => spec.name = format!("{name}-r").into(),
            Action::PodReady(pod)
            | Action::PodUnready(pod)
            | Action::LabelPods { pod, .. }
            | Action::PodCrash { pod, .. }
            | Action::PodFail { pod, .. }
            | Action::PodUngate { pod, .. }
            | Action::EvictPods { pod, .. }
            | Action::DeletePods { pod, .. } => *pod = name.to_string(),
            Action::Pause { component: super::Component::Node(node), .. }
            | Action::ClockStep { component: super::Component::Node(node), .. } => *node = name.clone(),
            _ => {}
        }
        action
    }

    /// What takes the action back, if anything does.
    #[must_use]
    pub fn undone(&self) -> Option<Action> {
        Some(match self {
            Action::Cordon(node) | Action::Drain(node, _) => Action::Uncordon(node.clone()),
            Action::Uncordon(node) => Action::Cordon(node.clone()),
            Action::Taint(node, taint) => Action::Untaint(node.clone(), taint.clone()),
            Action::NodeFail(node) => Action::NodeRecover(node.clone()),
            Action::NodeReady(node, ready) => Action::NodeReady(node.clone(), !ready),
            Action::NodePressure(node, pressure, on) => Action::NodePressure(node.clone(), *pressure, !on),
            Action::PodReady(pod) => Action::PodUnready(pod.clone()),
            Action::PodUnready(pod) => Action::PodReady(pod.clone()),
            Action::ControllersDown => Action::ControllersUp,
            Action::ApiServerDown => Action::ApiServerUp,
            Action::Webhook { up } => Action::Webhook { up: !up },
            Action::Dependency { name, up } => Action::Dependency { name: name.clone(), up: !up },
            Action::ClockStep { component, by_ns } => {
                Action::ClockStep { component: component.clone(), by_ns: by_ns.saturating_neg() }
            }
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lot(share: Share) -> Lot {
        Lot {
            name: "reboots".into(),
            nth: 0,
            share,
            among: Among::Nodes("zone/a".into()),
            actions: vec![(Span::ZERO, Action::NodeFail(DRAWN.into()))],
            recover: None,
        }
    }

    fn nodes(count: usize) -> Vec<Arc<str>> {
        (1..=count).map(|i| format!("a-{i}").into()).collect()
    }

    #[test]
    fn lots_take_as_many_as_they_say() {
        let draws = Draws::new(7);
        for (share, candidates, taken) in [
            (Share::All, 5, 5),
            (Share::Some(1), 5, 1),
            (Share::Some(3), 5, 3),
            (Share::Some(9), 5, 5),
            (Share::Some(1), 0, 0),
            (Share::Part(0.0), 5, 0),
            (Share::Part(1.0), 5, 5),
        ] {
            assert_eq!(lot(share).drawn(&draws, &nodes(candidates)).len(), taken, "{share} of {candidates}");
        }
        let hit = lot(Share::Part(0.3)).drawn(&draws, &nodes(1_000)).len();
        assert!((240..360).contains(&hit), "{hit}");
    }

    #[test]
    fn who_is_drawn_depends_on_no_other_candidate() {
        let draws = Draws::new(7);
        for nth in 0..50 {
            let lot = Lot { nth, ..lot(Share::Some(1)) };
            let (few, many) = (nodes(4), nodes(5));
            let (a, b) = (&few[lot.drawn(&draws, &few)[0]], &many[lot.drawn(&draws, &many)[0]]);
            assert!(a == b || &**b == "a-5", "{nth}: {a} or the new one, not {b}");
        }
    }

    #[test]
    fn a_process_goes_on_until_it_ends() {
        let process = |every: Delay, times| Disturbance {
            name: "reboots".into(),
            every,
            from: SimTime::from_secs(10),
            until: SimTime::from_secs(100),
            times,
            actions: vec![(Span::ZERO, Action::Lot(Box::new(lot(Share::Some(1)))))],
        };
        let times = |d: &Disturbance| d.actions(7, SimTime::from_secs(60)).iter().map(|a| a.at.0).collect::<Vec<_>>();
        let second = SimTime::from_secs(1).0;
        let constant = Delay::Constant(Span::from_secs(20));
        assert_eq!(times(&process(constant.clone(), None)), [30 * second, 50 * second]);
        assert_eq!(times(&process(constant, Some(1))), [30 * second]);
        assert!(times(&process(Delay::Never, None)).is_empty());
        let random = process(Delay::Exponential { mean: Span::from_secs(5) }, None);
        assert_eq!(times(&random), times(&random));
        assert!(times(&random).len() > 3);
    }
}
