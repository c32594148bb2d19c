//! From times and numbers to pixels, and from step functions to shapes.

use super::SHORTEST;
use super::scene::Area;
use crate::time::SimTime;
use crate::timeline::Steps;
use std::collections::BTreeSet;

/// Where times are, from left to right.
#[derive(Clone, Copy, Debug)]
pub(super) struct Across {
    pub(super) from: SimTime,
    /// The last moment, which is at `right`.
    pub(super) to: SimTime,
    pub(super) left: i32,
    pub(super) right: i32,
}

impl Across {
    /// The pixel of a moment, rounded down, cut to the picture.
    pub(super) fn x(&self, at: SimTime) -> i32 {
        let (length, width) = (self.to.since(self.from).0.max(1), self.right - self.left);
        let passed = at.since(self.from).0.min(length);
        self.left + (u128::from(passed) * width as u128 / u128::from(length)) as i32
    }

    /// Just after the last moment.
    pub(super) fn end(&self) -> SimTime {
        SimTime(self.to.0.saturating_add(1))
    }

    /// The moment in the middle of a pixel, for looking values up.
    #[cfg(test)]
    fn at(&self, x: i32) -> SimTime {
        let (length, width) = (self.to.since(self.from).0, (self.right - self.left).max(1));
        let passed = u128::from(length) * (x - self.left) as u128 / width as u128;
        SimTime(self.from.0 + passed as u64)
    }
}

/// Where numbers are, from 0 at the bottom to `max` at the top.
#[derive(Clone, Copy, Debug)]
pub(super) struct Upright {
    pub(super) top: i32,
    pub(super) bottom: i32,
    pub(super) max: i64,
}

impl Upright {
    /// The pixel of a number, rounded to the nearest, cut to the picture.
    pub(super) fn y(&self, value: i64) -> i32 {
        let (max, height) = (self.max.max(1), i64::from(self.bottom - self.top));
        let value = value.clamp(0, max);
        let up = (i128::from(value) * i128::from(height) * 2 + i128::from(max)) / (i128::from(max) * 2);
        self.bottom - up as i32
    }
}

/// A step function as a line of horizontal and vertical pieces with at most
/// a few points for each pixel; what happens within a pixel is drawn from its
/// least to its greatest value. What does not last is not drawn.
pub(super) fn step_line(steps: &Steps, across: Across, upright: Upright) -> Vec<(i32, i32)> {
    let steps = steps.lasting(SHORTEST);
    let mut points: Vec<(i32, i32)> = Vec::new();
    let mut push = |point: (i32, i32)| {
        if points.last() != Some(&point) {
            points.push(point);
        }
    };
    let mut level = upright.y(steps.at(across.from));
    push((across.left, level));
    let mut changes = steps.pieces(across.from, across.end()).skip(1).peekable();
    while let Some((since, _, value)) = changes.next() {
        let x = across.x(since);
        let (mut low, mut high, mut last) = (value, value, value);
        while let Some((_, _, value)) = changes.next_if(|next| across.x(next.0) == x) {
            (low, high, last) = (low.min(value), high.max(value), value);
        }
        push((x, level));
        if low != high {
            push((x, upright.y(low)));
            push((x, upright.y(high)));
        }
        level = upright.y(last);
        push((x, level));
    }
    push((across.right, level));
    points
}

/// Step functions on top of each other, the first at the bottom, as slabs for
/// each; within a pixel the last values count.
pub(super) fn stack(layers: &[&Steps], across: Across, upright: Upright) -> Vec<Vec<Area>> {
    let layers: Vec<Steps> = layers.iter().map(|l| l.lasting(SHORTEST)).collect();
    let mut bounds: BTreeSet<(i32, SimTime)> = BTreeSet::from([(across.left, across.from)]);
    for layer in &layers {
        bounds.extend(layer.changes(across.from, across.end()).map(|at| (across.x(at), at)));
    }
    let bounds: Vec<(i32, SimTime)> = bounds.into_iter().collect();
    let mut slabs = vec![Vec::new(); layers.len()];
    for (i, &(x0, at)) in bounds.iter().enumerate() {
        let x1 = bounds.get(i + 1).map_or(across.right, |next| next.0);
        let mut below = 0;
        for (layer, slabs) in layers.iter().zip(&mut slabs) {
            let above = below + layer.at(at).max(0);
            let area = Area { x0, y0: upright.y(above), x1, y1: upright.y(below) };
            if !area.is_empty() {
                join(slabs, area);
            }
            below = above;
        }
    }
    slabs
}

/// Adds a slab, as one with the one before it if they are alike.
fn join(slabs: &mut Vec<Area>, area: Area) {
    match slabs.last_mut() {
        Some(last) if last.x1 == area.x0 && (last.y0, last.y1) == (area.y0, area.y1) => {
            last.x1 = area.x1;
        }
        _ => slabs.push(area),
    }
}

/// Slabs in runs without gaps between them.
pub(super) fn runs(slabs: &[Area]) -> impl Iterator<Item = &[Area]> {
    slabs.chunk_by(|a, b| a.x1 == b.x0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACROSS: Across = Across { from: SimTime::ZERO, to: SimTime::from_secs(100), left: 10, right: 110 };
    const UPRIGHT: Upright = Upright { top: 0, bottom: 100, max: 10 };

    fn steps(points: &[(u64, i64)]) -> Steps {
        points.iter().map(|&(ms, value)| (SimTime::from_ms(ms), value)).collect()
    }

    #[test]
    fn times_and_numbers_have_pixels() {
        for (s, x) in [(0, 10), (50, 60), (100, 110), (200, 110)] {
            assert_eq!(ACROSS.x(SimTime::from_secs(s)), x);
        }
        assert_eq!(ACROSS.at(60), SimTime::from_secs(50));
        for (value, y) in [(0, 100), (5, 50), (10, 0), (99, 0), (-1, 100)] {
            assert_eq!(UPRIGHT.y(value), y);
        }
        let never = Across { from: SimTime(5), to: SimTime(5), left: 0, right: 10 };
        assert_eq!(never.x(SimTime(5)), 0);
        let for_ever = Across { from: SimTime(0), to: SimTime::MAX, left: 0, right: 1_000 };
        assert_eq!(for_ever.x(SimTime::MAX), 1_000);
        assert_eq!(for_ever.end(), SimTime::MAX);
    }

    #[test]
    fn lines_keep_what_happens_within_a_pixel() {
        let line = step_line(&steps(&[(0, 5), (50_000, 8)]), ACROSS, UPRIGHT);
        assert_eq!(line, [(10, 50), (60, 50), (60, 20), (110, 20)]);
        let dip = step_line(&steps(&[(0, 5), (50_000, 1), (50_100, 5)]), ACROSS, UPRIGHT);
        assert_eq!(dip, [(10, 50), (60, 50), (60, 90), (60, 50), (110, 50)]);
        assert_eq!(step_line(&Steps::default(), ACROSS, UPRIGHT), [(10, 100), (110, 100)]);
    }

    #[test]
    fn lines_stay_small_however_much_happens() {
        let wild = steps(&(0..100_000).map(|ms| (ms, (ms * 7 % 11) as i64)).collect::<Vec<_>>());
        assert!(step_line(&wild, ACROSS, UPRIGHT).len() <= 5 * 101);
        assert!(stack(&[&wild], ACROSS, UPRIGHT)[0].len() <= 101);
    }

    #[test]
    fn stacks_stand_on_each_other() {
        let (old, new) = (steps(&[(0, 4), (50_000, 2)]), steps(&[(50_000, 3)]));
        let slabs = stack(&[&old, &new], ACROSS, UPRIGHT);
        let area = |x0, y0, x1, y1| Area { x0, y0, x1, y1 };
        assert_eq!(slabs[0], [area(10, 60, 60, 100), area(60, 80, 110, 100)]);
        assert_eq!(slabs[1], [area(60, 50, 110, 80)]);
        assert_eq!(runs(&slabs[0]).count(), 1);
    }
}
