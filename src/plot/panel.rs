//! One workload's part of the availability timeline.

use super::labels::spread;
use super::marks::Marks;
use super::scale::{Across, Upright, runs, stack, step_line};
use super::scene::{Anchor, Area, Scene, Shape, Text};
use super::theme::{BLUE, Look, Rgb, revision_colour};
use super::{SHORTEST, axis, conditions, font, image_of};
use crate::time::{SimTime, Span};
use crate::timeline::{Revision, Series, Steps, Workload};

/// Sizes in pixels.
const LEGEND_ROW: i32 = 22;
const LABEL_SPACING: i32 = 16;
pub(super) const SMALL: i32 = 12;
pub(super) const NORMAL: i32 = 13;

/// The most revisions with a colour of their own; older ones share one.
const MOST_REVISIONS: usize = 5;

/// A layer of the stacked areas.
struct Layer {
    /// What the legend says; empty if the legend does not mention it.
    name: String,
    /// What is written into the area where it is large enough.
    short: String,
    colour: Rgb,
    steps: Steps,
}

/// A point that deserves a mark, and where its label goes.
struct Extreme {
    x: i32,
    y: i32,
    label: Text,
    /// The label with some air around it.
    area: Area,
}

/// A workload with everything measured but its place.
pub(super) struct Panel<'a> {
    workload: &'a Workload,
    across: Across,
    look: Look,
    /// Where the picture ends on the right.
    edge: i32,
    layers: Vec<Layer>,
    /// For each row of the legend, its layers.
    legend: Vec<Vec<usize>>,
    marks: Marks,
    tracks: Vec<conditions::Track>,
    /// The greatest number of the axis, if it is given.
    top: Option<i64>,
}

impl<'a> Panel<'a> {
    pub(super) fn new(workload: &'a Workload, across: Across, edge: i32, look: Look, slim: bool) -> Panel<'a> {
        let layers = layers(workload, across, look);
        let legend = legend_rows(layers.iter().map(|l| l.name.as_str()), edge - across.left);
        let marks = Marks::new(workload, across, edge);
        let mut tracks = conditions::tracks(workload, across);
        if slim {
            tracks.retain(|t| t.name != "Available");
        }
        Panel { workload, across, look, edge, layers, legend, marks, tracks, top: None }
    }

    /// The same without a legend and without labels of actions: what stands
    /// above it has them.
    pub(super) fn without_legend(mut self) -> Panel<'a> {
        self.legend.clear();
        self.marks = self.marks.without_labels();
        self
    }

    /// The height of everything around the plot itself.
    pub(super) fn chrome(&self) -> i32 {
        self.above() + self.below()
    }

    fn above(&self) -> i32 {
        self.legend.len() as i32 * LEGEND_ROW + self.marks.height() + 12
    }

    fn below(&self) -> i32 {
        self.tracks.len() as i32 * conditions::ROW + 8
    }

    /// Draws from `top` on and says where the plot itself is.
    pub(super) fn draw(&self, scene: &mut Scene, top: i32, plot_height: i32) -> Area {
        let plot = Area {
            x0: self.across.left,
            x1: self.across.right,
            y0: top + self.above(),
            y1: top + self.above() + plot_height,
        };
        let upright = Upright { top: plot.y0, bottom: plot.y1, max: self.top_value() };
        let lanes_top = top + self.legend.len() as i32 * LEGEND_ROW;
        scene.rect(plot, self.look.plot);
        self.draw_legend(scene, top);
        self.draw_band(scene, upright);
        self.draw_grid(scene, plot, upright);
        let extremes = self.extremes(upright);
        self.draw_stack(scene, upright, &extremes);
        self.draw_limits(scene, upright);
        self.marks.draw(scene, self.look, lanes_top, plot);
        self.draw_lines(scene, upright, &extremes);
        for (i, track) in self.tracks.iter().enumerate() {
            let y = plot.y1 + 8 + i as i32 * conditions::ROW;
            track.draw(scene, self.across, y, self.look);
        }
        plot
    }

    /// Makes the plot as high as another one.
    pub(super) fn set_top(&mut self, top: i64) {
        self.top = Some(top);
    }

    /// A little more than the most that is drawn.
    pub(super) fn top_value(&self) -> i64 {
        if let Some(top) = self.top {
            return top;
        }
        let shown = [Series::OnNode, Series::Available, Series::Desired, Series::Ceiling, Series::Routable];
        let most = shown
            .into_iter()
            .map(|s| self.workload.series(s).max_over(self.across.from, self.across.end()))
            .max()
            .unwrap_or(0);
        most + (most / 8).max(1)
    }

    fn draw_legend(&self, scene: &mut Scene, top: i32) {
        for (row, entries) in self.legend.iter().enumerate() {
            let (mut x, y) = (self.across.left, top + row as i32 * LEGEND_ROW + 13);
            for &i in entries {
                let layer = &self.layers[i];
                scene.rect(Area { x0: x, y0: y - 11, x1: x + 14, y1: y + 1 }, layer.colour);
                let name = font::fit(&layer.name, NORMAL, false, self.edge - x - 20);
                scene.push(text(x + 20, y, Anchor::Start, NORMAL, self.look.muted, &name));
                x += entry_width(&layer.name);
            }
        }
    }

    fn draw_grid(&self, scene: &mut Scene, plot: Area, upright: Upright) {
        for at in axis::multiples(tick_step(self.across), self.across.from, self.across.to) {
            let x = self.across.x(at);
            scene.rule((x, plot.y0), (x, plot.y1), self.look.grid);
        }
        let step = axis::round_step(upright.max, i64::from(plot.y1 - plot.y0) / 45 + 1);
        for value in (0..=upright.max).step_by(step.max(1) as usize) {
            let y = upright.y(value);
            scene.rule((plot.x0, y), (plot.x1, y), self.look.grid);
            let (label, x) = (value.to_string(), plot.x0 - 10);
            scene.push(text(x, y + 4, Anchor::End, SMALL, self.look.muted, &label));
        }
        let (x, y) = (plot.x0 - 10, plot.y0 - 12);
        scene.push(text(x, y, Anchor::End, SMALL, self.look.muted, "pods"));
    }

    fn draw_stack(&self, scene: &mut Scene, upright: Upright, extremes: &[Extreme]) {
        let steps: Vec<&Steps> = self.layers.iter().map(|l| &l.steps).collect();
        let stacked = stack(&steps, self.across, upright);
        for (layer, slabs) in self.layers.iter().zip(&stacked) {
            for run in runs(slabs) {
                scene.push(Shape::Slabs(run.to_vec(), layer.colour.into()));
            }
        }
        scene.rule((self.across.left, upright.bottom), (self.across.right, upright.bottom), self.look.muted);
        let taken: Vec<Area> = extremes.iter().map(|e| e.area).collect();
        for (layer, slabs) in self.layers.iter().zip(&stacked) {
            if let Some(room) = self.room_for(&layer.short, slabs, &taken, upright) {
                let (x, y) = (i32::midpoint(room.x0, room.x1), i32::midpoint(room.y0, room.y1) + 4);
                let colour = self.look.text_on(layer.colour);
                scene.push(text(x, y, Anchor::Middle, SMALL, colour, &layer.short));
            }
        }
    }

    /// Where a layer has the most room for its name between the lines that
    /// cross it and beside what is taken, if there is enough anywhere.
    fn room_for(&self, name: &str, slabs: &[Area], taken: &[Area], upright: Upright) -> Option<Area> {
        let (width, height) = (font::width(name, SMALL, false) + 16, 24);
        let cuts = self.marks.cuts();
        let limits = [Series::Ceiling, Series::Floor, Series::Desired]
            .map(|s| step_line(self.workload.series(s), self.across, upright));
        let mut rooms = Vec::new();
        for slab in slabs.iter().filter(|s| s.x1 - s.x0 >= width && s.y1 - s.y0 >= height) {
            let crossing: Vec<i32> = limits.iter().flat_map(|l| levels(l, slab)).collect();
            for (x0, x1) in between(slab.x0, slab.x1, &cuts) {
                let lanes = between(slab.y0, slab.y1, &crossing);
                rooms.extend(lanes.into_iter().map(|(y0, y1)| Area { x0, y0, x1, y1 }));
            }
        }
        rooms.retain(|room| {
            let (x, y) = (i32::midpoint(room.x0, room.x1), i32::midpoint(room.y0, room.y1));
            let (dx, dy) = (width / 2, height / 2);
            let name = Area { x0: x - dx, y0: y - dy, x1: x + dx, y1: y + dy };
            room.x1 - room.x0 >= width && room.y1 - room.y0 >= height && taken.iter().all(|t| !t.overlaps(&name))
        });
        // Height beyond a few lines makes a room no better.
        let size = |a: &Area| i64::from(a.x1 - a.x0) * i64::from((a.y1 - a.y0).min(80));
        rooms.into_iter().reduce(|best, room| if size(&room) > size(&best) { room } else { best })
    }

    /// The allowed band from floor to ceiling, behind everything.
    fn draw_band(&self, scene: &mut Scene, upright: Upright) {
        let (ceiling, floor) = (self.workload.series(Series::Ceiling), self.workload.series(Series::Floor));
        if !ceiling.is_empty() {
            let height = ceiling.zip_with(floor, |c, f| c - f);
            let slabs = stack(&[floor, &height], self.across, upright);
            for run in runs(&slabs[1]) {
                scene.push(Shape::Slabs(run.to_vec(), self.look.band_fill.into()));
            }
        }
    }

    /// The edges of the band, and what is desired.
    fn draw_limits(&self, scene: &mut Scene, upright: Upright) {
        for series in [Series::Ceiling, Series::Floor, Series::Desired] {
            let steps = self.workload.series(series);
            if !steps.is_empty() {
                let points = step_line(steps, self.across, upright);
                let (dash, colour) = match series {
                    Series::Desired => (None, self.look.muted),
                    _ => (Some((9, 5)), self.look.band),
                };
                scene.push(Shape::Line { points, width: 1, dash, ink: colour.into() });
            }
        }
    }

    fn draw_lines(&self, scene: &mut Scene, upright: Upright, extremes: &[Extreme]) {
        let line = |series: Series| step_line(self.workload.series(series), self.across, upright);
        let (available, ready) = (line(Series::Available), line(Series::Ready));
        let same = available == ready;
        self.draw_dead_ends(scene, upright);
        let mut lines = vec![(line(Series::OnNode), 2, None, self.look.on_node)];
        if self.has_routable() {
            lines.push((line(Series::Routable), 2, Some((2, 3)), self.look.routable));
        }
        if !same {
            lines.push((ready, 2, Some((5, 4)), self.look.ready));
        }
        if self.serves_less() {
            lines.push((line(Series::Serving), 2, Some((2, 3)), self.serving_colour()));
        }
        lines.push((available, 3, None, self.look.available));
        for (points, width, dash, colour) in lines {
            scene.push(Shape::Line { points, width, dash, ink: colour.into() });
        }
        for Extreme { x, y, label, area } in extremes {
            scene.rect(*area, self.look.background.with_alpha(0.72));
            scene.push(Shape::Dot { x: *x, y: *y, radius: 4, ink: label.colour.into() });
            scene.push(Shape::Text(label.clone()));
        }
        self.draw_line_names(scene, upright, same);
    }

    /// Whether not all ready pods really served requests all the time.
    fn serves_less(&self) -> bool {
        let lasting = |series| self.workload.series(series).lasting(SHORTEST);
        self.workload.tells_serving() && lasting(Series::Serving) != lasting(Series::Ready)
    }

    fn serving_colour(&self) -> Rgb {
        BLUE.mix(self.look.text, 20)
    }

    /// Whether requests go to its pods.
    fn has_routable(&self) -> bool {
        self.workload.series(Series::Routable).max_over(self.across.from, self.across.end()) > 0
    }

    /// Pods that requests go to and that do not answer: a band below the line
    /// of all that requests go to.
    fn draw_dead_ends(&self, scene: &mut Scene, upright: Upright) {
        let dead = self.workload.series(Series::DeadEnds);
        if dead.max_over(self.across.from, self.across.end()) == 0 {
            return;
        }
        let alive = self.workload.series(Series::Routable).zip_with(dead, |all, dead| (all - dead).max(0));
        let slabs = stack(&[&alive, dead], self.across, upright);
        for run in runs(&slabs[1]) {
            scene.push(Shape::Slabs(run.to_vec(), self.look.dead.with_alpha(0.75)));
        }
    }

    /// The least available and the most on nodes, if they were not there from
    /// the beginning.
    fn extremes(&self, upright: Upright) -> Vec<Extreme> {
        let (from, end) = (self.across.from, self.across.end());
        let mut extremes = Vec::new();
        let available = self.workload.series(Series::Available);
        if let Some((at, least)) = self.workload.least_available(from, end) {
            let settled = self.workload.settled().map_or(from, |settled| settled.max(from));
            let (y, below) = (upright.y(least), upright.y(least) + 18);
            let baseline = if below < upright.bottom - 2 { below } else { y - 8 };
            if at > settled {
                let label = format!("min {least}");
                extremes.push(self.extreme((at, y), baseline, self.look.available, &label));
            }
        }
        let on_node = self.workload.series(Series::OnNode);
        let (at, most) = on_node.first_max(from, end);
        if at > from && most > available.max_over(from, end) {
            let (y, label) = (upright.y(most), format!("max {most}"));
            extremes.push(self.extreme((at, y), y - 8, self.look.on_node, &label));
        }
        extremes
    }

    fn extreme(&self, (at, y): (SimTime, i32), baseline: i32, colour: Rgb, label: &str) -> Extreme {
        let (x, width) = (self.across.x(at), font::width(label, NORMAL, true));
        let left = (x + 6).min(self.across.right - width - 6);
        let area = Area { x0: left - 3, y0: baseline - 12, x1: left + width + 3, y1: baseline + 4 };
        let label = Text { bold: true, ..plain(left, baseline, NORMAL, colour, label) };
        Extreme { x, y, label, area }
    }

    /// Names the lines at their right ends.
    fn draw_line_names(&self, scene: &mut Scene, upright: Upright, same: bool) {
        let last = |series: Series| self.workload.series(series).at(self.across.to);
        let mut names = vec![
            ("on nodes", last(Series::OnNode), self.look.on_node, true),
            ("available", last(Series::Available), self.look.available, true),
        ];
        if !same {
            names.push(("ready", last(Series::Ready), self.look.ready, true));
        }
        if self.serves_less() {
            names.push(("serving", last(Series::Serving), self.serving_colour(), true));
        }
        if self.has_routable() {
            names.push(("routable", last(Series::Routable), self.look.routable, true));
        }
        names.push(("desired", last(Series::Desired), self.look.muted, false));
        if !self.workload.series(Series::Ceiling).is_empty() {
            names.push(("ceiling", last(Series::Ceiling), self.look.band, false));
            names.push(("floor", last(Series::Floor), self.look.band, false));
        }
        let wishes: Vec<i32> = names.iter().map(|n| upright.y(n.1)).collect();
        let places = spread(&wishes, LABEL_SPACING, upright.top + 4, upright.bottom - 2);
        let x = self.across.right;
        for (((name, value, colour, bold), wish), place) in names.iter().zip(wishes).zip(places) {
            let points = vec![(x, wish), (x + 8, wish), (x + 8, place), (x + 14, place)];
            let ink = colour.with_alpha(0.6);
            scene.push(Shape::Line { points, width: 1, dash: None, ink });
            let label = font::fit(&format!("{name} {value}"), NORMAL, *bold, self.edge - x - 18);
            let label = Text { bold: *bold, ..plain(x + 18, place + 4, NORMAL, *colour, &label) };
            scene.push(Shape::Text(label));
        }
    }
}

/// The heights at which a line runs through or along an area.
fn levels(line: &[(i32, i32)], area: &Area) -> Vec<i32> {
    let crosses = |p: &&[(i32, i32)]| p[0].0.min(p[1].0) < area.x1 && p[0].0.max(p[1].0) > area.x0;
    line.windows(2).filter(crosses).flat_map(|p| [p[0].1, p[1].1]).collect()
}

/// The gaps that cuts leave in a range, cuts in any order.
fn between(from: i32, to: i32, cuts: &[i32]) -> Vec<(i32, i32)> {
    let mut bounds: Vec<i32> = cuts.iter().copied().filter(|&c| c > from && c < to).collect();
    bounds.extend([from, to]);
    bounds.sort_unstable();
    bounds.windows(2).map(|b| (b[0], b[1])).collect()
}

/// A line of text as a shape.
pub(super) fn text(x: i32, y: i32, anchor: Anchor, size: i32, colour: Rgb, text: &str) -> Shape {
    Shape::Text(Text { anchor, ..plain(x, y, size, colour, text) })
}

pub(super) fn plain(x: i32, y: i32, size: i32, colour: Rgb, text: &str) -> Text {
    Text { x, y, anchor: Anchor::Start, size, bold: false, colour, text: text.to_string() }
}

/// The distance of ticks on the axis of time.
pub(super) fn tick_step(across: Across) -> Span {
    let ticks = ((across.right - across.left) / 90).max(3) as u64;
    axis::round_span(Span::from_ns(across.to.since(across.from).0 / ticks))
}

/// The revisions that have a layer: the oldest of many as one.
fn merged_revisions(workload: &Workload, across: Across) -> (usize, Vec<Revision>) {
    let seen = |r: &&Revision| r.on_node.max_over(across.from, across.end()) > 0;
    let mut alive: Vec<Revision> = workload.revisions().iter().filter(seen).cloned().collect();
    let older = alive.len().saturating_sub(MOST_REVISIONS);
    if older > 1 {
        let sum = |steps: fn(&Revision) -> &Steps| {
            let add = |sum: Steps, r: &Revision| sum.zip_with(steps(r), |a, b| a + b);
            alive[..older].iter().fold(Steps::default(), add)
        };
        let merged = Revision {
            ready: sum(|r| &r.ready),
            on_node: sum(|r| &r.on_node),
            terminating: sum(|r| &r.terminating),
            ..Revision::default()
        };
        alive.splice(..older, [merged]);
        return (older, alive);
    }
    (0, alive)
}

/// The colour of each revision of a workload, as its layer has it.
pub(super) fn revision_colours(workload: &Workload, across: Across, look: Look) -> Vec<Rgb> {
    let seen = |r: &Revision| r.on_node.max_over(across.from, across.end()) > 0;
    let alive = workload.revisions().iter().filter(|r| seen(r)).count();
    let older = alive.saturating_sub(MOST_REVISIONS);
    let older = if older > 1 { older } else { 0 };
    let mut nth = 0;
    let colours = workload.revisions().iter().map(|revision| {
        if !seen(revision) {
            return look.older;
        }
        nth += 1;
        if nth <= older { look.older } else { revision_colour(nth - 1 - older + usize::from(older > 0)) }
    });
    colours.collect()
}

/// Ready pods of each revision, then pods of each that are not ready, then
/// all that are going: together all pods on nodes. Layers that stay empty are
/// left out.
fn layers(workload: &Workload, across: Across, look: Look) -> Vec<Layer> {
    let (older, revisions) = merged_revisions(workload, across);
    let mut ready = Vec::new();
    let mut unready = Vec::new();
    for (i, revision) in revisions.into_iter().enumerate() {
        let (name, short) = match (i, older, revision.number) {
            (0, 2.., _) => (format!("{older} older revisions"), "older revisions".to_string()),
            (_, _, 0) => ("ready".to_string(), "ready".to_string()),
            (_, _, number) => {
                let short = format!("revision {number}");
                let image = image_of(workload, &revision);
                let comma = if image.is_empty() { "" } else { ", " };
                (format!("{short}{comma}{image}"), short)
            }
        };
        let colour = if older > 0 && i == 0 { look.older } else { revision_colour(i) };
        let going = revision.ready.zip_with(&revision.terminating, |r, t| r + t);
        let steps = revision.on_node.zip_with(&going, |n, g| (n - g).max(0));
        let pale = colour.mix(look.plot, look.pale_mix);
        let (empty, not_ready) = (String::new(), "not ready".to_string());
        unready.push(Layer { name: empty, short: not_ready, colour: pale, steps });
        let colour = colour.mix(look.plot, look.area_mix);
        ready.push(Layer { name, short, colour, steps: revision.ready });
    }
    let seen = |layer: &Layer| layer.steps.max_over(across.from, across.end()) > 0;
    unready.retain(seen);
    if let Some(last) = unready.last_mut() {
        last.name = "not ready".to_string();
    }
    let on_node = workload.series(Series::OnNode);
    let going = workload.series(Series::Terminating).zip_with(on_node, i64::min);
    let terminating = "terminating".to_string();
    let going = Layer { name: terminating.clone(), short: terminating, colour: look.terminating, steps: going };
    // Dead ends lie over the other layers: here is only what the legend says.
    let dead = workload.series(Series::DeadEnds).max_over(across.from, across.end()) > 0;
    let dead = dead.then(|| Layer {
        name: "gets requests and does not answer".to_string(),
        short: String::new(),
        colour: look.dead,
        steps: Steps::default(),
    });
    // A revision whose pods never get ready stays in the legend.
    ready.into_iter().chain(unready).chain(std::iter::once(going).filter(seen)).chain(dead).collect()
}

/// The width of a legend's entry.
pub(super) fn entry_width(name: &str) -> i32 {
    20 + font::width(name, NORMAL, false) + 22
}

/// The entries of a legend in rows of some width, those without a name left
/// out.
pub(super) fn legend_rows<'n>(names: impl Iterator<Item = &'n str>, room: i32) -> Vec<Vec<usize>> {
    let mut rows: Vec<Vec<usize>> = Vec::new();
    let mut used = 0;
    for (i, name) in names.enumerate().filter(|(_, name)| !name.is_empty()) {
        let width = entry_width(name);
        if let Some(row) = rows.last_mut().filter(|_| used + width <= room) {
            row.push(i);
        } else {
            rows.push(vec![i]);
            used = 0;
        }
        used += width;
    }
    rows
}
