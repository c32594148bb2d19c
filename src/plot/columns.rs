//! Columns of characters: a stretch of time each.

use super::axis;
use crate::time::{SimTime, Span};
use crate::timeline::Steps;
use std::fmt::Write as _;

/// The fewest columns of time.
const FEWEST_COLUMNS: usize = 20;

/// Which value of a column's time is shown.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Keep {
    Least,
    Greatest,
}

/// The columns: where time begins and how much of it is in one.
#[derive(Clone, Copy)]
pub(super) struct Columns {
    pub(super) start: SimTime,
    /// The first moment that is shown; the first column may begin before it.
    from: SimTime,
    pub(super) each: Span,
    pub(super) count: usize,
    /// Just after the last moment.
    pub(super) end: SimTime,
}

impl Columns {
    /// As many columns of a round length as fit.
    pub(super) fn fit(from: SimTime, to: SimTime, most: usize) -> Columns {
        let most = most.max(FEWEST_COLUMNS) as u64;
        let mut each = axis::round_span(Span::from_ns(to.since(from).0 / most));
        loop {
            let start = SimTime(from.0 - from.0 % each.0);
            let count = to.since(start).0.div_ceil(each.0).max(1);
            if count <= most {
                let end = to.after(Span::from_ns(1));
                return Columns { start, from, each, count: count as usize, end };
            }
            each = axis::round_span(Span::from_ns(each.0 + 1));
        }
    }

    /// Whether a moment is in a column.
    pub(super) fn has(&self, at: SimTime) -> bool {
        at >= self.start && at < self.end
    }

    /// The column of a moment; the last moment belongs to the last column.
    pub(super) fn of(&self, at: SimTime) -> usize {
        ((at.since(self.start).0 / self.each.0) as usize).min(self.count - 1)
    }

    /// Times above their columns, ten or more columns apart.
    pub(super) fn axis(&self) -> String {
        let columns = self;
        let step = axis::round_span(Span::from_ns(columns.each.0.saturating_mul(10)));
        let mut line = String::new();
        let mut used = 0;
        for at in axis::multiples(step, columns.start, columns.end) {
            let (column, label) = (columns.of(at), axis::clock(at));
            let fits = column + label.len() <= columns.count.max(label.len());
            if fits && (column > used || used == 0) {
                let _ = write!(line, "{:width$}{label}", "", width = column - used);
                used = column + label.len();
            }
        }
        line
    }

    /// A character for each column, from a set for nothing, eighths and all of
    /// `top`.
    pub(super) fn blocks(&self, steps: &Steps, keep: Keep, top: i64, set: [char; 9]) -> String {
        let of = |column: usize| {
            let (from, to) = self.range(column);
            let from = from.max(self.from);
            let value = match keep {
                Keep::Least => steps.min_over(from, to),
                Keep::Greatest => steps.max_over(from, to),
            };
            set[eighths(value, top, keep)]
        };
        (0..self.count).map(of).collect()
    }

    pub(super) fn range(&self, column: usize) -> (SimTime, SimTime) {
        let from = self.start.after(Span::from_ns(self.each.0 * column as u64));
        let to = if column + 1 == self.count { self.end } else { from.after(self.each) };
        (from, to)
    }
}

/// How many eighths of a full block a value is.
fn eighths(value: i64, top: i64, keep: Keep) -> usize {
    let (value, top) = (value.clamp(0, top) as u64, top.max(1) as u64);
    let eighths = match keep {
        Keep::Least => (value * 8 / top).max(u64::from(value > 0)),
        Keep::Greatest => (value * 8).div_ceil(top),
    };
    eighths as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eighths_never_hide_an_extreme() {
        for (value, least, greatest) in
            [(0, 0, 0), (1, 1, 1), (8, 3, 4), (9, 3, 4), (10, 4, 4), (19, 7, 8), (20, 8, 8), (30, 8, 8)]
        {
            assert_eq!(eighths(value, 20, Keep::Least), least, "{value}");
            assert_eq!(eighths(value, 20, Keep::Greatest), greatest, "{value}");
        }
    }

    #[test]
    fn columns_are_of_round_length_and_fit() {
        let s = SimTime::from_secs;
        for (from, to, most, each, count) in
            [(0, 60, 60, 1, 60), (0, 60, 59, 2, 30), (55, 140, 60, 2, 43), (0, 86_400, 80, 1_200, 72), (0, 0, 50, 0, 1)]
        {
            let columns = Columns::fit(s(from), s(to), most);
            let each = if each == 0 { Span::from_ms(1) } else { Span::from_secs(each) };
            assert_eq!((columns.each, columns.count), (each, count), "{from} to {to}");
            assert_eq!(columns.of(s(to)), count - 1);
            assert_eq!(columns.range(count - 1).1, columns.end);
        }
    }
}
