//! The trade-off of a campaign: what a setting costs from left to right,
//! such as the time of a rollout, against what it keeps or costs otherwise, a
//! dot for each setting and a plot for each upright axis.

use super::page;
use super::panel::{NORMAL, SMALL, text};
use super::scene::{Anchor, Area, Scene, Shape, Text};
use super::theme::{BLUE, GREEN, Look, ORANGE, Rgb};
use super::{PlotOptions, axis, font};
use crate::campaign::{Advice, Axis, PointFigures, Summary, Value};
use crate::figures::Unit;
use crate::time::{SimTime, Span};

/// Distances in pixels.
const EDGE: i32 = 24;
const AXIS_ROOM: i32 = 56;
const BETWEEN: i32 = 36;
const PANEL_TITLE: i32 = 30;
const BELOW: i32 = 92;
/// Below a row of plots that is not the last one.
const ROW_END: i32 = 60;
/// The strip on the right for rollouts that do not end.
const NEVER: i32 = 70;
/// The height of a plot, if nobody says how high the picture shall be.
const PLOT: i32 = 400;

/// Lays the picture out.
pub(super) fn scene(summary: &Summary, advice: &Advice, options: &PlotOptions) -> Scene {
    let look = options.theme.look();
    let width = options.width.clamp(640, 10_000) as i32;
    let lines = wrapped(&advice.text, 15, width - 2 * EDGE);
    let top = 62 + 22 * lines.len() as i32 + 12;
    let rows = (summary.axes.upright.len() as i32 + 1) / 2;
    let fixed = top + rows * PANEL_TITLE + (rows - 1) * ROW_END + BELOW;
    let plot = options.height.map_or(PLOT, |h| (h.clamp(400, 20_000) as i32 - fixed) / rows).max(160);
    let height = (fixed + rows * plot).max(if options.height.is_none() && rows == 1 { 640 } else { 0 });
    let plot = if rows == 1 { height - fixed } else { plot };
    let title = options.title.clone().unwrap_or_else(|| format!("{}: {}", summary.title, summary.workload));
    let mut scene = page::titled(look, (width, height), &title, &advice.text);
    for (i, line) in lines.iter().enumerate() {
        scene.push(text(EDGE, 70 + 22 * i as i32, Anchor::Start, 15, look.muted, line));
    }
    let half = (width - 2 * EDGE - BETWEEN) / 2;
    for (i, axis) in summary.axes.upright.iter().enumerate() {
        let left = EDGE + (i % 2) as i32 * (half + BETWEEN);
        let y0 = top + PANEL_TITLE + (i / 2) as i32 * (plot + PANEL_TITLE + ROW_END);
        let area = Area { x0: left + AXIS_ROOM, y0, x1: left + half, y1: y0 + plot };
        let panel = Panel { summary, chosen: advice.point, look, area, place: i, upward: *axis };
        panel.draw(&mut scene);
    }
    legend(&mut scene, look, advice.point.is_some());
    scene
}

/// A text in lines of some width.
fn wrapped(words: &str, size: i32, room: i32) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in words.split(' ') {
        match lines.last_mut() {
            Some(line) if font::width(&format!("{line} {word}"), size, false) <= room => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(font::fit(word, size, false, room)),
        }
    }
    lines
}

/// What the colours mean.
fn legend(scene: &mut Scene, look: Look, chosen: bool) {
    let (y, mut x) = (scene.height - 18, EDGE + AXIS_ROOM);
    let entries = [
        (look.older, "a setting"),
        (BLUE, "no other is better in both (Pareto front)"),
        (ORANGE, "the manifest as it is"),
        (GREEN, "to choose"),
    ];
    for (colour, words) in entries.into_iter().take(if chosen { 4 } else { 3 }) {
        scene.push(Shape::Dot { x, y: y - 5, radius: 5, ink: colour.into() });
        scene.push(text(x + 12, y, Anchor::Start, SMALL, look.text, words));
        x += 12 + font::width(words, SMALL, false) + 26;
    }
    let note = "bars: from the worst run to 8 of 10";
    if x + font::width(note, SMALL, false) < scene.width - EDGE {
        scene.push(text(x, y, Anchor::Start, SMALL, look.muted, note));
    }
}

/// Where numbers are between two pixels.
#[derive(Clone, Copy)]
struct Scale {
    low: f64,
    high: f64,
    /// The pixels of `low` and `high`.
    from: i32,
    to: i32,
}

impl Scale {
    fn at(self, value: f64) -> i32 {
        let share = (value.clamp(self.low, self.high) - self.low) / (self.high - self.low).max(1e-9);
        self.from + (share * f64::from(self.to - self.from)).round() as i32
    }

    /// Round values with their names, so many at most.
    fn ticks(self, unit: Unit, most: i32) -> Vec<(f64, String)> {
        let most = most.max(2);
        let range = self.high - self.low;
        let (step, name): (f64, fn(f64) -> String) = match unit {
            Unit::Ms => {
                let step = axis::round_span(Span::from_ms((range / f64::from(most)) as u64 + 1));
                (step.as_ms() as f64, |v| axis::clock(SimTime::from_ms(v.max(0.0) as u64)))
            }
            Unit::Count if range < 3.0 => {
                (axis::round_step((range * 100.0) as i64, most.into()) as f64 / 100.0, |v| format!("{v:.2}"))
            }
            Unit::Count => (axis::round_step(range as i64, most.into()) as f64, |v| format!("{v:.0}")),
        };
        let first = (self.low / step).ceil() as i64;
        let values = (first..).map(|i| i as f64 * step).take_while(|v| *v <= self.high);
        values.map(|v| (v, name(v))).collect()
    }
}

/// One of the plots.
struct Panel<'a> {
    summary: &'a Summary,
    chosen: Option<usize>,
    look: Look,
    area: Area,
    /// Which of the upright axes it has.
    place: usize,
    upward: Axis,
}

impl Panel<'_> {
    fn draw(&self, scene: &mut Scene) {
        let (across, up) = (self.across(), self.up());
        scene.rect(self.area, self.look.plot);
        let words = self.summary.words(self.upward).upright;
        let caption = font::fit(&words, NORMAL, true, self.area.x1 - self.area.x0 + AXIS_ROOM);
        scene.push(Shape::Text(Text {
            x: self.area.x0 - AXIS_ROOM,
            y: self.area.y0 - 14,
            anchor: Anchor::Start,
            size: NORMAL,
            bold: true,
            colour: self.look.text,
            text: caption,
        }));
        self.axes(scene, across, up);
        self.front(scene, across, up);
        let mut order: Vec<&PointFigures> = self.summary.points.iter().collect();
        // What matters is drawn last, above everything else.
        order.sort_by_key(|p| (self.rank(p), p.point));
        for point in &order {
            self.spread(scene, across, up, point);
        }
        for point in &order {
            self.dot(scene, across, up, point);
        }
        self.labels(scene, across, up, &order);
    }

    /// How much a point matters.
    fn rank(&self, point: &PointFigures) -> u8 {
        match () {
            () if self.chosen == Some(point.point) => 3,
            () if point.own => 2,
            () => u8::from(point.front[self.place]),
        }
    }

    fn colour(&self, point: &PointFigures) -> Rgb {
        [self.look.older, BLUE, ORANGE, GREEN][usize::from(self.rank(point))]
    }

    fn unit(&self, axis: Axis) -> Unit {
        self.summary.columns[axis.column].unit
    }

    /// A point's value upwards, in all runs and in most of them.
    fn upwards(&self, point: &PointFigures) -> (Value, Value) {
        let seen = &point.columns[self.upward.column];
        (seen.worst(self.upward), seen.usual(self.upward))
    }

    /// The axis across, with a twentieth of room on both sides.
    fn across(&self) -> Scale {
        let axis = self.summary.axes.across;
        let spreads = || self.summary.points.iter().map(|p| p.columns[axis.column].spread);
        let lows = spreads().filter_map(|s| s.low.number());
        let highs = spreads().filter_map(|s| s.high.number().or(s.median.number()));
        let (low, high) = (lows.fold(f64::INFINITY, f64::min), highs.fold(f64::NEG_INFINITY, f64::max));
        let (low, high) = if low <= high { (low, high) } else { (0.0, 1.0) };
        let least = if self.unit(axis) == Unit::Ms { 250.0 } else { 0.5 };
        let room = ((high - low) / 20.0).max(least);
        let never = if self.summary.points.iter().any(|p| !p.complete) { NEVER } else { 0 };
        Scale {
            low: (low - room).max(0.0_f64.min(low)),
            high: high + room,
            from: self.area.x0,
            to: self.area.x1 - never,
        }
    }

    /// The upright axis.
    fn up(&self) -> Scale {
        let both = self.summary.points.iter().map(|p| self.upwards(p)).flat_map(|(a, b)| [a, b]);
        let values: Vec<f64> = both.filter_map(Value::number).collect();
        let low = values.iter().copied().fold(f64::INFINITY, f64::min);
        let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let (low, high) = if low <= high { (low, high) } else { (0.0, 1.0) };
        let whole = values.iter().all(|v| v.fract() == 0.0);
        let room = match self.unit(self.upward) {
            Unit::Ms => ((high - low) / 10.0).max(1_000.0),
            Unit::Count if whole => 1.0,
            Unit::Count => ((high - low) / 10.0).max(0.05),
        };
        Scale { low: (low - room).max(0.0_f64.min(low)), high: high + room, from: self.area.y1, to: self.area.y0 }
    }

    /// Where a point is; on the strip at the right if it does not end.
    fn at(&self, across: Scale, up: Scale, point: &PointFigures) -> (i32, i32) {
        let median = point.columns[self.summary.axes.across.column].spread.median;
        let x = match median.number() {
            Some(n) if point.complete => across.at(n),
            _ => across.to + NEVER / 2,
        };
        (x, self.upwards(point).0.number().map_or(up.to, |n| up.at(n)))
    }

    fn axes(&self, scene: &mut Scene, across: Scale, up: Scale) {
        let (area, look) = (self.area, self.look);
        for (value, name) in up.ticks(self.unit(self.upward), (area.y1 - area.y0) / 34) {
            let y = up.at(value);
            scene.rule((area.x0, y), (area.x1, y), look.grid);
            scene.push(text(area.x0 - 8, y + 4, Anchor::End, SMALL, look.text, &name));
        }
        for (value, name) in across.ticks(self.unit(self.summary.axes.across), (across.to - across.from) / 80) {
            let x = across.at(value);
            scene.rule((x, area.y0), (x, area.y1), look.grid);
            scene.push(text(x, area.y1 + 18, Anchor::Middle, SMALL, look.text, &name));
        }
        scene.rule((area.x0, area.y1), (area.x1, area.y1), look.muted);
        if across.to < area.x1 {
            scene.rule((across.to, area.y0), (across.to, area.y1), look.muted);
            let x = across.to + NEVER / 2;
            scene.push(text(x, area.y1 + 18, Anchor::Middle, SMALL, look.text, "not over"));
        }
        let caption = format!("{} (median)", self.summary.words(self.summary.axes.across).across);
        scene.push(text(area.x1, area.y1 + 38, Anchor::End, SMALL, look.muted, &caption));
    }

    /// The front as stairs: what can be had for each time.
    fn front(&self, scene: &mut Scene, across: Scale, up: Scale) {
        let front = self.summary.points.iter().filter(|p| p.front[self.place]);
        let mut corners: Vec<(i32, i32)> = front.map(|p| self.at(across, up, p)).collect();
        corners.sort_unstable();
        corners.dedup();
        let mut points: Vec<(i32, i32)> = Vec::new();
        for (x, y) in corners {
            if let Some(&(_, before)) = points.last() {
                points.push((x, before));
            }
            points.push((x, y));
        }
        if points.len() > 1 {
            scene.push(Shape::Line { points, width: 2, dash: None, ink: BLUE.with_alpha(0.7) });
        }
    }

    /// Bars from a point to where most of its runs are.
    fn spread(&self, scene: &mut Scene, across: Scale, up: Scale, point: &PointFigures) {
        if !point.complete {
            return;
        }
        let (x, y) = self.at(across, up, point);
        let alpha = if self.rank(point) == 0 { 0.25 } else { 0.8 };
        let ink = self.colour(point).with_alpha(alpha);
        let spread = point.columns[self.summary.axes.across.column].spread;
        if let (Some(low), Some(high)) = (spread.low.number(), spread.high.number()) {
            let points = vec![(across.at(low), y), (across.at(high), y)];
            scene.push(Shape::Line { points, width: 1, dash: None, ink });
        }
        let most = self.upwards(point).1.number().map_or(y, |n| up.at(n));
        if most != y {
            scene.push(Shape::Line { points: vec![(x, y), (x, most)], width: 1, dash: None, ink });
        }
    }

    fn dot(&self, scene: &mut Scene, across: Scale, up: Scale, point: &PointFigures) {
        let (x, y) = self.at(across, up, point);
        let (radius, alpha) = [(3, 0.5), (5, 1.0), (7, 1.0), (7, 1.0)][usize::from(self.rank(point))];
        if radius > 5 {
            scene.push(Shape::Dot { x, y, radius: radius + 2, ink: self.look.background.into() });
        }
        scene.push(Shape::Dot { x, y, radius, ink: self.colour(point).with_alpha(alpha) });
    }

    /// The settings of what matters, where there is room for them.
    fn labels(&self, scene: &mut Scene, across: Scale, up: Scale, order: &[&PointFigures]) {
        let dot = |p: &&PointFigures| {
            let (x, y) = self.at(across, up, p);
            Area { x0: x - 7, y0: y - 7, x1: x + 7, y1: y + 7 }
        };
        let mut taken: Vec<Area> = order.iter().filter(|p| self.rank(p) > 0).map(dot).collect();
        for point in order.iter().rev().filter(|p| self.rank(p) > 0) {
            let (x, y) = self.at(across, up, point);
            let width = font::width(&point.label, SMALL, false);
            let places = [(x + 12, y + 16), (x + 12, y - 9), (x - 12 - width, y - 9), (x - 12 - width, y + 16)];
            let free = |&(x0, base): &(i32, i32)| {
                let area = Area { x0, y0: base - SMALL, x1: x0 + width, y1: base + 3 };
                let inside =
                    x0 >= self.area.x0 && area.x1 <= self.area.x1 && area.y0 >= self.area.y0 && area.y1 <= self.area.y1;
                (inside && !taken.iter().any(|t| t.overlaps(&area))).then_some((x0, base, area))
            };
            if let Some((x0, base, area)) = places.iter().find_map(free) {
                taken.push(area);
                scene.push(text(x0, base, Anchor::Start, SMALL, self.look.text, &point.label));
            }
        }
    }
}
