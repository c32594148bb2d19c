//! The control plane and the nodes over time: what their clocks showed, and
//! when they stood still.

use super::Steps;
use crate::time::SimTime;

/// What a clock shows from some moment on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ClockPiece {
    /// Since when.
    pub at: SimTime,
    /// How many nanoseconds it is ahead of true time then; negative if it is
    /// behind.
    pub offset_ns: i64,
    /// How many nanoseconds it gains in a second.
    pub drift_ppb: i32,
}

/// One component instance. Only those are listed whose clock was ever wrong
/// or that did not run all the time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Component {
    /// Such as `controllerManager` or `node/a-1`.
    pub name: String,
    /// What its clock showed, in order of time; right before the first piece.
    pub clock: Vec<ClockPiece>,
    /// 1 while it runs, 0 while it does not.
    pub running: Steps,
}

impl Component {
    /// A component that has run with a right clock so far.
    pub(super) fn new(name: &str) -> Component {
        let running = std::iter::once((SimTime::ZERO, 1)).collect();
        Component { name: name.to_string(), clock: Vec::new(), running }
    }

    /// Whether its clock was ever wrong.
    pub fn has_wrong_clock(&self) -> bool {
        self.clock.iter().any(|piece| (piece.offset_ns, piece.drift_ppb) != (0, 0))
    }

    /// How many nanoseconds its wall clock is ahead of true time at a moment.
    pub fn offset_ns(&self, at: SimTime) -> i64 {
        let upto = self.clock.partition_point(|piece| piece.at <= at);
        let Some(piece) = upto.checked_sub(1).map(|i| self.clock[i]) else { return 0 };
        let gained = i128::from(at.since(piece.at).0) * i128::from(piece.drift_ppb) / 1_000_000_000;
        piece.offset_ns.saturating_add(gained as i64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_ahead_by_its_offset_and_what_it_has_gained() {
        let piece =
            |seconds, offset_ns, drift_ppb| ClockPiece { at: SimTime::from_secs(seconds), offset_ns, drift_ppb };
        let mut clock = Component::new("node/a");
        assert!(!clock.has_wrong_clock());
        clock.clock = vec![piece(10, 0, 1_000), piece(20, -500, 0)];
        for (at, offset) in [(0, 0), (10, 0), (15, 5_000), (20, -500), (99, -500)] {
            assert_eq!(clock.offset_ns(SimTime::from_secs(at)), offset, "{at}");
        }
        assert!(clock.has_wrong_clock());
    }
}
