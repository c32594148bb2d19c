//! Observed delays and the curves that were fitted to them, a small plot for
//! each: the share of pods up to a time.

use super::panel::{NORMAL, SMALL, text};
use super::scale::Across;
use super::scene::{Anchor, Area, Scene, Shape, Text};
use super::theme::{BLUE, Look, ORANGE};
use super::{PlotOptions, axis, font, page};
use crate::fit::{Curve, Fitted};
use crate::time::{SimTime, Span};

/// Distances in pixels.
const EDGE: i32 = 24;
const LEFT: i32 = 44;
const TITLE: i32 = 84;
const PLOT: i32 = 150;
const PANEL_TITLE: i32 = 46;
const AXIS: i32 = 40;
const COLUMNS: i32 = 3;

/// Lays the picture out.
pub(super) fn scene(fitted: &[Fitted], options: &PlotOptions) -> Scene {
    let look = options.theme.look();
    let width = options.width.clamp(640, 10_000) as i32;
    let panels: Vec<Panel<'_>> = fitted
        .iter()
        .flat_map(|f| {
            f.delays.iter().map(move |(delay, seconds, curve)| Panel {
                name: format!("{}: {}", f.workload, delay.name()),
                seconds,
                curve,
                look,
            })
        })
        .collect();
    let rows = (panels.len() as i32 + COLUMNS - 1) / COLUMNS;
    let each = PANEL_TITLE + PLOT + AXIS;
    let height = TITLE + rows.max(1) * each + 12;
    let title = options.title.clone().unwrap_or_else(|| "how pods behave: observed and fitted".to_string());
    let subtitle = "the share of pods up to a time; steps: observed, to whole seconds; line: fitted";
    let mut scene = page::titled(look, (width, height), &title, subtitle);
    scene.push(text(EDGE, 66, Anchor::Start, 15, look.muted, &font::fit(subtitle, 15, false, width - 2 * EDGE)));
    let column = (width - 2 * EDGE) / COLUMNS;
    for (i, panel) in panels.iter().enumerate() {
        let (x, y) = (EDGE + (i as i32 % COLUMNS) * column, TITLE + (i as i32 / COLUMNS) * each + PANEL_TITLE);
        panel.draw(&mut scene, Area { x0: x + LEFT, y0: y, x1: x + column - 16, y1: y + PLOT });
    }
    scene
}

struct Panel<'a> {
    name: String,
    seconds: &'a [f64],
    curve: &'a Curve,
    look: Look,
}

impl Panel<'_> {
    fn draw(&self, scene: &mut Scene, area: Area) {
        let (look, room) = (self.look, area.x1 - area.x0 + LEFT);
        let name = font::fit(&self.name, NORMAL, true, room);
        let (x, y) = (area.x0 - LEFT, area.y0 - 28);
        scene.push(Shape::Text(Text {
            x,
            y,
            anchor: Anchor::Start,
            size: NORMAL,
            bold: true,
            colour: look.text,
            text: name,
        }));
        let pods = self.seconds.len();
        let what = format!("{} ({pods} pod{})", self.curve.yaml(), if pods == 1 { "" } else { "s" });
        scene.push(text(x, area.y0 - 12, Anchor::Start, SMALL, look.muted, &font::fit(&what, SMALL, false, room)));
        let most = self.seconds.last().copied().unwrap_or(0.0).max(1.0) * 1.15;
        let to = SimTime::ZERO.after(Span::from_ms((most * 1_000.0) as u64));
        let across = Across { from: SimTime::ZERO, to, left: area.x0, right: area.x1 };
        self.axes(scene, area, across);
        scene.push(Shape::Line { points: self.observed(area, across), width: 2, dash: None, ink: BLUE.into() });
        scene.push(Shape::Line { points: self.fitted(area, most), width: 2, dash: None, ink: ORANGE.into() });
    }

    fn axes(&self, scene: &mut Scene, area: Area, across: Across) {
        let look = self.look;
        scene.rect(area, look.plot);
        for percent in [0, 50, 100] {
            let y = height(area, f64::from(percent) / 100.0);
            scene.rule((area.x0, y), (area.x1, y), look.grid);
            scene.push(text(area.x0 - 6, y + 4, Anchor::End, SMALL, look.muted, &format!("{percent}%")));
        }
        let ticks = ((area.x1 - area.x0) / 70).max(2) as u64;
        let step = axis::round_span(Span::from_ns(across.to.0 / ticks));
        for at in axis::multiples(step, across.from, across.to) {
            let x = across.x(at);
            scene.rule((x, area.y1), (x, area.y1 + 4), look.muted);
            scene.push(text(x, area.y1 + 18, Anchor::Middle, SMALL, look.text, &axis::clock(at)));
        }
    }

    /// The observations' own shares, as stairs.
    fn observed(&self, area: Area, across: Across) -> Vec<(i32, i32)> {
        let mut points = vec![(area.x0, area.y1)];
        for (i, seconds) in self.seconds.iter().enumerate() {
            let x = across.x(SimTime::from_ms((seconds * 1_000.0) as u64));
            let y = height(area, (i + 1) as f64 / self.seconds.len() as f64);
            points.push((x, points[points.len() - 1].1));
            points.push((x, y));
        }
        points.push((area.x1, points[points.len() - 1].1));
        points
    }

    /// The curve, a step for each pixel.
    fn fitted(&self, area: Area, most: f64) -> Vec<(i32, i32)> {
        let width = f64::from(area.x1 - area.x0);
        let mut points = vec![(area.x0, height(area, self.curve.share(0.0)))];
        for x in area.x0 + 1..=area.x1 {
            let y = height(area, self.curve.share(f64::from(x - area.x0) / width * most));
            let before = points[points.len() - 1].1;
            points.push((x, before));
            if y != before {
                points.push((x, y));
            }
        }
        points
    }
}

fn height(area: Area, share: f64) -> i32 {
    area.y1 - (share.clamp(0.0, 1.0) * f64::from(area.y1 - area.y0)) as i32
}
