//! The times at which a periodic loop looks, also where nothing makes it.

use crate::time::{Instant, Span};
use std::collections::VecDeque;

/// How many passes are remembered.
const REMEMBERED: usize = 16;

/// A loop that begins a pass one period after the end of the one before.
///
/// Only passes that find something to do are carried out; when the others
/// would have been is worked out from their neighbours.
///
/// Upstream: `staging/src/k8s.io/apimachinery/pkg/util/wait/backoff.go UntilWithContext`
#[derive(Clone, Debug)]
pub(crate) struct Ticks {
    period: Span,
    /// How long a pass takes that does nothing.
    idle: Span,
    /// Beginning and end of passes that were carried out, oldest first.
    passes: VecDeque<(Instant, Instant)>,
}

impl Ticks {
    /// A loop whose first pass was or is at `first`.
    pub(crate) fn new(first: Instant, period: Span, idle: Span) -> Ticks {
        Ticks { period, idle, passes: VecDeque::from([(first, later(first, idle.0))]) }
    }

    /// A pass was carried out.
    pub(crate) fn ran(&mut self, begin: Instant, end: Instant) {
        if self.passes.len() == REMEMBERED {
            self.passes.pop_front();
        }
        self.passes.push_back((begin, Instant(end.0.max(later(begin, self.idle.0).0))));
    }

    /// The first pass after `at`, be it carried out or not. What was before
    /// the passes that are remembered counts as if it had been at the first.
    pub(crate) fn after(&self, at: Instant) -> Instant {
        self.not_before(Instant(at.0 + 1))
    }

    /// The first pass at or after `at`.
    pub(crate) fn not_before(&self, at: Instant) -> Instant {
        let known = self.passes.partition_point(|(begin, _)| begin.0 < at.0);
        let next = self.passes.get(known).map(|(begin, _)| *begin);
        let Some((_, end)) = known.checked_sub(1).and_then(|last| self.passes.get(last)) else {
            return next.unwrap_or(at);
        };
        let step = (self.period.0 + self.idle.0).max(1);
        let first = later(*end, self.period.0);
        let skipped = ((at.0 - first.0).max(0) as u64).div_ceil(step);
        let tick = later(first, skipped * step);
        next.map_or(tick, |next| next.min(tick))
    }
}

fn later(at: Instant, nanos: u64) -> Instant {
    Instant(at.0 + nanos as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passes_that_do_nothing_are_worked_out() {
        let mut ticks = Ticks::new(Instant(100), Span(50), Span(1));
        for (at, pass) in [(0, 100), (100, 100), (101, 151), (151, 151), (152, 202), (1000, 1018)] {
            assert_eq!(ticks.not_before(Instant(at)), Instant(pass), "{at}");
        }
        // A pass that takes long puts the next ones off.
        ticks.ran(Instant(202), Instant(230));
        for (at, pass) in [(152, 202), (202, 202), (203, 280), (281, 331)] {
            assert_eq!(ticks.not_before(Instant(at)), Instant(pass), "{at}");
        }
        assert_eq!(ticks.after(Instant(202)), Instant(280));
    }
}
