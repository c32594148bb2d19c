//! The trade-off of a campaign: the time of a rollout against the fewest
//! available pods, and against the most extra pods, a dot for each setting.

use super::panel::{NORMAL, SMALL, text};
use super::scale::Across;
use super::scene::{Anchor, Area, Scene, Shape, Text};
use super::theme::{BLUE, GREEN, Look, ORANGE, Rgb};
use super::{PlotOptions, axis, font};
use crate::campaign::{Advice, PointFigures, Summary, Took};
use crate::time::{SimTime, Span};

/// Distances in pixels.
const EDGE: i32 = 24;
const AXIS_ROOM: i32 = 56;
const BETWEEN: i32 = 36;
const PANEL_TITLE: i32 = 30;
const BELOW: i32 = 92;
/// The strip on the right for rollouts that do not end.
const NEVER: i32 = 70;

/// What a panel's height means.
#[derive(Clone, Copy)]
struct Upward {
    caption: &'static str,
    /// Of a point: its value in all runs, and how far most runs are from it.
    value: fn(&PointFigures) -> (i64, i64),
    front: fn(&PointFigures) -> bool,
}

const AVAILABLE: Upward = Upward {
    caption: "fewest available pods in any run",
    value: |p| (p.floor, p.available.high),
    front: |p| p.on_availability_front,
};
const CAPACITY: Upward = Upward {
    caption: "most pods beyond the wanted ones in any run",
    value: |p| (p.most_extra, p.extra.low),
    front: |p| p.on_capacity_front,
};

/// Lays the picture out.
pub(super) fn scene(summary: &Summary, advice: &Advice, options: &PlotOptions) -> Scene {
    let look = options.theme.look();
    let width = options.width.clamp(640, 10_000) as i32;
    let lines = wrapped(&advice.text, 15, width - 2 * EDGE);
    let top = 62 + 22 * lines.len() as i32 + PANEL_TITLE + 12;
    let height = options.height.map_or(640, |h| h.clamp(400, 20_000) as i32).max(top + 160 + BELOW);
    let title = options.title.clone().unwrap_or_else(|| format!("{}: {}", summary.title, summary.workload));
    let mut scene = Scene {
        width,
        height,
        background: look.background,
        title: title.clone(),
        description: advice.text.clone(),
        shapes: Vec::new(),
    };
    let bold = Text {
        x: EDGE,
        y: 42,
        anchor: Anchor::Start,
        size: 24,
        bold: true,
        colour: look.text,
        text: font::fit(&title, 24, true, width - 2 * EDGE),
    };
    scene.push(Shape::Text(bold));
    for (i, line) in lines.iter().enumerate() {
        scene.push(text(EDGE, 70 + 22 * i as i32, Anchor::Start, 15, look.muted, line));
    }
    let half = (width - 2 * EDGE - BETWEEN) / 2;
    for (i, upward) in [AVAILABLE, CAPACITY].into_iter().enumerate() {
        let left = EDGE + i as i32 * (half + BETWEEN);
        let area = Area { x0: left + AXIS_ROOM, y0: top, x1: left + half, y1: height - BELOW };
        Panel { summary, chosen: advice.point, look, area, upward }.draw(&mut scene);
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

/// One of the two plots.
struct Panel<'a> {
    summary: &'a Summary,
    chosen: Option<usize>,
    look: Look,
    area: Area,
    upward: Upward,
}

impl Panel<'_> {
    fn draw(&self, scene: &mut Scene) {
        let (across, up) = (self.across(), self.up());
        scene.rect(self.area, self.look.plot);
        let caption = font::fit(self.upward.caption, NORMAL, true, self.area.x1 - self.area.x0 + AXIS_ROOM);
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
            () => u8::from((self.upward.front)(point)),
        }
    }

    fn colour(&self, point: &PointFigures) -> Rgb {
        [self.look.older, BLUE, ORANGE, GREEN][usize::from(self.rank(point))]
    }

    /// The axis of time, with a twentieth of room on both sides.
    fn across(&self) -> Across {
        let ms = |took: Took| if let Took::Ms(ms) = took { Some(ms) } else { None };
        let all = || self.summary.points.iter();
        let low = all().filter_map(|p| ms(p.took.low)).min().unwrap_or(0);
        let high = all().filter_map(|p| ms(p.took.high).or(ms(p.took.median))).max().unwrap_or(1_000);
        let room = (high.saturating_sub(low) / 20).max(250);
        let never = if all().any(|p| p.unfinished > 0) { NEVER } else { 0 };
        Across {
            from: SimTime::from_ms(low.saturating_sub(room)),
            to: SimTime::from_ms(high + room),
            left: self.area.x0,
            right: self.area.x1 - never,
        }
    }

    /// The least and the greatest value of the upright axis.
    fn up(&self) -> (i64, i64) {
        let values = || self.summary.points.iter().map(self.upward.value).flat_map(|(a, b)| [a, b]);
        let (low, high) = (values().min().unwrap_or(0), values().max().unwrap_or(1));
        ((low - 1).max(0), high + 1)
    }

    fn y(&self, (low, high): (i64, i64), value: i64) -> i32 {
        let height = i64::from(self.area.y1 - self.area.y0);
        self.area.y1 - ((value.clamp(low, high) - low) * height / (high - low).max(1)) as i32
    }

    /// Where a point is; on the strip at the right if it does not end.
    fn at(&self, across: Across, up: (i64, i64), point: &PointFigures) -> (i32, i32) {
        let x = match point.took.median {
            Took::Ms(ms) if point.unfinished == 0 => across.x(SimTime::from_ms(ms)),
            _ => across.right + NEVER / 2,
        };
        (x, self.y(up, (self.upward.value)(point).0))
    }

    fn axes(&self, scene: &mut Scene, across: Across, up: (i64, i64)) {
        let (area, look) = (self.area, self.look);
        let step = axis::round_step(up.1 - up.0, i64::from((area.y1 - area.y0) / 34).max(2));
        let mut value = up.0.div_euclid(step) * step;
        while value <= up.1 {
            if value >= up.0 {
                let y = self.y(up, value);
                scene.rule((area.x0, y), (area.x1, y), look.grid);
                scene.push(text(area.x0 - 8, y + 4, Anchor::End, SMALL, look.text, &value.to_string()));
            }
            value += step;
        }
        let ticks = ((across.right - across.left) / 80).max(3) as u64;
        let step = axis::round_span(Span::from_ns(across.to.since(across.from).0 / ticks));
        for at in axis::multiples(step, across.from, across.to) {
            let x = across.x(at);
            scene.rule((x, area.y0), (x, area.y1), look.grid);
            scene.push(text(x, area.y1 + 18, Anchor::Middle, SMALL, look.text, &axis::clock(at)));
        }
        scene.rule((area.x0, area.y1), (area.x1, area.y1), look.muted);
        if across.right < area.x1 {
            scene.rule((across.right, area.y0), (across.right, area.y1), look.muted);
            let x = across.right + NEVER / 2;
            scene.push(text(x, area.y1 + 18, Anchor::Middle, SMALL, look.text, "not over"));
        }
        let caption = "the rollout takes (median)";
        scene.push(text(area.x1, area.y1 + 38, Anchor::End, SMALL, look.muted, caption));
    }

    /// The front as stairs: what can be had for each time.
    fn front(&self, scene: &mut Scene, across: Across, up: (i64, i64)) {
        let front = self.summary.points.iter().filter(|p| (self.upward.front)(p));
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
    fn spread(&self, scene: &mut Scene, across: Across, up: (i64, i64), point: &PointFigures) {
        if point.unfinished > 0 {
            return;
        }
        let (x, y) = self.at(across, up, point);
        let alpha = if self.rank(point) == 0 { 0.25 } else { 0.8 };
        let ink = self.colour(point).with_alpha(alpha);
        if let (Took::Ms(low), Took::Ms(high)) = (point.took.low, point.took.high) {
            let points = vec![(across.x(SimTime::from_ms(low)), y), (across.x(SimTime::from_ms(high)), y)];
            scene.push(Shape::Line { points, width: 1, dash: None, ink });
        }
        let most = self.y(up, (self.upward.value)(point).1);
        if most != y {
            scene.push(Shape::Line { points: vec![(x, y), (x, most)], width: 1, dash: None, ink });
        }
    }

    fn dot(&self, scene: &mut Scene, across: Across, up: (i64, i64), point: &PointFigures) {
        let (x, y) = self.at(across, up, point);
        let (radius, alpha) = [(3, 0.5), (5, 1.0), (7, 1.0), (7, 1.0)][usize::from(self.rank(point))];
        if radius > 5 {
            scene.push(Shape::Dot { x, y, radius: radius + 2, ink: self.look.background.into() });
        }
        scene.push(Shape::Dot { x, y, radius, ink: self.colour(point).with_alpha(alpha) });
    }

    /// The settings of what matters, where there is room for them.
    fn labels(&self, scene: &mut Scene, across: Across, up: (i64, i64), order: &[&PointFigures]) {
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
