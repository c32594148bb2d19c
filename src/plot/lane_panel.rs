//! Lanes as a part of a picture.

use super::lanes::{Bar, Chart, Count, Form, Lane, Tick, Tone};
use super::marks::Marks;
use super::panel::{NORMAL, SMALL, entry_width, legend_rows, plain, revision_colours, text, tick_step};
use super::scale::{Across, Upright, runs, stack, step_line};
use super::scene::{Anchor, Area, Scene, Shape, Text};
use super::theme::{BLUE, GREEN, Look, PURPLE, Rgb, SKY_BLUE, VERMILLION, YELLOW};
use super::{axis, font};
use crate::time::SimTime;
use crate::timeline::{Steps, Workload};

const LEGEND_ROW: i32 = 22;
const MOMENTS: i32 = 20;
const LIMITS: i32 = 16;
const COUNT: i32 = 66;
/// The size of texts in bars.
const TINY: i32 = 11;

/// A workload's lanes with everything measured but their place.
pub(super) struct LanePanel {
    chart: Chart,
    across: Across,
    look: Look,
    edge: i32,
    marks: Marks,
    colours: Vec<Rgb>,
    legend: Vec<Vec<usize>>,
    /// The greatest number that the count's axis must show.
    counted: i64,
}

impl LanePanel {
    pub(super) fn new(chart: Chart, workload: &Workload, across: Across, edge: i32, look: Look) -> LanePanel {
        let colours = revision_colours(workload, across, look);
        let legend = legend_rows(chart.legend.iter().map(|entry| entry.2.as_str()), edge - across.left);
        LanePanel { chart, across, look, edge, marks: Marks::new(workload, across, edge), colours, legend, counted: 0 }
    }

    /// The most that is counted below the lanes.
    pub(super) fn most_counted(&self) -> i64 {
        let (from, end) = (self.across.from, self.across.end());
        self.chart.count.as_ref().map_or(0, |c| {
            let other = c.other.as_ref().map_or(0, |o| o.1.max_over(from, end));
            c.steps.max_over(from, end).max(c.limit.as_ref().map_or(0, |l| l.1)).max(other)
        })
    }

    /// Makes the axis of the count as high as another one.
    pub(super) fn set_most_counted(&mut self, most: i64) {
        self.counted = most;
    }

    /// What happened before a moment, in a sentence.
    pub(super) fn headline(&self, workload: &Workload, end: SimTime) -> String {
        self.chart.headline(workload, self.across.from, end)
    }

    /// The height of a lane and the gap below its bars.
    fn lane(&self) -> (i32, i32) {
        match self.chart.lanes.len() {
            0..=8 => (26, 5),
            9..=16 => (20, 4),
            17..=40 => (13, 3),
            _ => (7, 1),
        }
    }

    fn above(&self) -> i32 {
        let limits = if self.chart.limits.is_empty() { 0 } else { LIMITS };
        let moments = if self.chart.moments.is_some() { MOMENTS } else { 0 };
        self.legend.len() as i32 * LEGEND_ROW + self.marks.height() + 10 + limits + moments
    }

    fn lanes_height(&self) -> i32 {
        let more = if self.chart.left_out > 0 { 18 } else { 0 };
        self.chart.lanes.len().max(1) as i32 * self.lane().0 + more
    }

    /// The height of all of it.
    pub(super) fn height(&self) -> i32 {
        let count = if self.chart.count.is_some() { 24 + COUNT } else { 0 };
        self.above() + self.lanes_height() + count + 8
    }

    /// Draws from `top` on.
    pub(super) fn draw(&self, scene: &mut Scene, top: i32) {
        let across = self.across;
        let (first, height) = (top + self.above(), self.lanes_height());
        let plot = Area { x0: across.left, y0: first, x1: across.right, y1: first + height };
        self.draw_legend(scene, top);
        scene.rect(plot, self.look.plot);
        for at in axis::multiples(tick_step(across), across.from, across.to) {
            scene.rule((across.x(at), plot.y0), (across.x(at), plot.y1), self.look.grid);
        }
        self.draw_lanes(scene, plot);
        self.draw_moments(scene, first);
        self.draw_limits(scene, plot);
        let mut bottom = plot;
        if let Some(count) = &self.chart.count {
            bottom.y1 = plot.y1 + 24 + COUNT;
            let below = Area { y0: plot.y1 + 24, y1: bottom.y1, ..plot };
            self.draw_count(scene, count, below);
        }
        self.marks.draw(scene, self.look, top + self.legend.len() as i32 * LEGEND_ROW, bottom);
    }

    fn colour(&self, tone: Tone) -> Rgb {
        tone_colour(tone, self.look, &self.colours)
    }

    fn draw_legend(&self, scene: &mut Scene, top: i32) {
        for (row, entries) in self.legend.iter().enumerate() {
            let (mut x, y) = (self.across.left, top + row as i32 * LEGEND_ROW + 13);
            for &i in entries {
                let (tone, form, name) = &self.chart.legend[i];
                self.fill(scene, Area { x0: x, y0: y - 11, x1: x + 14, y1: y + 1 }, *tone, *form);
                let label = font::fit(name, NORMAL, false, self.edge - x - 20);
                scene.push(text(x + 20, y, Anchor::Start, NORMAL, self.look.muted, &label));
                x += entry_width(name);
            }
        }
    }

    fn draw_lanes(&self, scene: &mut Scene, plot: Area) {
        let (height, gap) = self.lane();
        let every = (14 / height.max(1)).max(1) as usize;
        for (i, lane) in self.chart.lanes.iter().enumerate() {
            let y = plot.y0 + i as i32 * height;
            let area = Area { y0: y, y1: y + height - gap, ..plot };
            if i > 0 && height > 10 {
                let middle = y - (gap + 1) / 2;
                scene.rule((plot.x0, middle), (plot.x1, middle), self.look.grid);
            }
            if i % every == 0 {
                let baseline = (y + (height - gap) / 2 + 4).min(plot.y1 - 2);
                let name = font::fit(&lane.name, SMALL, false, self.across.left - 16);
                scene.push(text(plot.x0 - 10, baseline, Anchor::End, SMALL, self.look.muted, &name));
                let note = font::fit(&lane.note, SMALL, false, self.edge - plot.x1 - 12);
                if !note.is_empty() {
                    scene.push(text(plot.x1 + 10, baseline, Anchor::Start, SMALL, self.look.muted, &note));
                }
            }
            self.draw_lane(scene, lane, area);
        }
        if self.chart.left_out > 0 {
            let es = if self.chart.unit.ends_with('x') { "es" } else { "s" };
            let label = format!("and {} more {}{es} in which less happened", self.chart.left_out, self.chart.unit);
            let (x, y) = (plot.x0 + 6, plot.y1 - 5);
            let behind = Area { x0: x - 4, y0: y - 11, x1: x + font::width(&label, SMALL, false) + 4, y1: y + 4 };
            scene.rect(behind, self.look.plot);
            scene.push(text(x, y, Anchor::Start, SMALL, self.look.muted, &label));
        }
    }

    fn draw_lane(&self, scene: &mut Scene, lane: &Lane, area: Area) {
        if lane.bars.len() as i32 > (area.x1 - area.x0) / 3 {
            self.draw_dense(scene, lane, area);
            return;
        }
        let seen = |b: &&Bar| b.from <= self.across.to && b.to >= self.across.from;
        for bar in lane.bars.iter().filter(seen) {
            let (x0, x1) = (self.across.x(bar.from), self.across.x(bar.to));
            let place = Area { x0, x1: x1.max(x0 + 1), ..area };
            self.fill(scene, place, bar.tone, bar.form);
        }
        // Texts last, so that no later bar covers them.
        for bar in lane.bars.iter().filter(seen) {
            self.draw_bar_text(scene, bar, area);
        }
        for tick in &lane.ticks {
            self.draw_tick(scene, tick, area);
        }
    }

    fn draw_bar_text(&self, scene: &mut Scene, bar: &Bar, area: Area) {
        let (x0, x1) = (self.across.x(bar.from), self.across.x(bar.to));
        let room = x1 - x0 - 8;
        if area.y1 - area.y0 < 14 {
            return;
        }
        let fits = |t: &&String| font::width(t, TINY, false) <= room;
        let Some(label) = bar.texts.iter().find(fits) else { return };
        let middle = i32::midpoint(area.y0, area.y1);
        let colour = match bar.form {
            Form::Full => self.look.text_on(self.colour(bar.tone)),
            Form::Thin => self.look.muted,
        };
        if bar.form == Form::Thin {
            // The text interrupts the line.
            let half = font::width(label, TINY, false) / 2 + 5;
            let x = i32::midpoint(x0, x1);
            scene.rect(Area { x0: x - half, x1: x + half, y0: middle - 6, y1: middle + 7 }, self.look.plot);
            scene.push(text(x, middle + 4, Anchor::Middle, TINY, colour, label));
        } else {
            scene.push(Shape::Text(plain(x0 + 5, middle + 4, TINY, colour, label)));
        }
    }

    fn draw_tick(&self, scene: &mut Scene, tick: &Tick, area: Area) {
        if tick.at >= self.across.from && tick.at <= self.across.to {
            let x = self.across.x(tick.at);
            scene.rect(Area { x0: x - 1, x1: x + 1, ..area }, self.colour(tick.tone));
        }
    }

    /// More bars than can be told apart: each pixel shows what is worst in it.
    fn draw_dense(&self, scene: &mut Scene, lane: &Lane, area: Area) {
        let mut columns: Vec<Option<(Tone, Form)>> = vec![None; (area.x1 - area.x0).max(0) as usize];
        for bar in &lane.bars {
            if bar.from > self.across.to || bar.to < self.across.from {
                continue;
            }
            let x0 = (self.across.x(bar.from) - area.x0) as usize;
            let x1 = ((self.across.x(bar.to) - area.x0) as usize).max(x0 + 1);
            for column in columns.iter_mut().take(x1).skip(x0) {
                if column.is_none_or(|(tone, _)| tone < bar.tone) {
                    *column = Some((bar.tone, bar.form));
                }
            }
        }
        let mut x = area.x0;
        for run in columns.chunk_by(|a, b| a == b) {
            let next = x + run.len() as i32;
            if let Some((tone, form)) = run[0] {
                self.fill(scene, Area { x0: x, x1: next, ..area }, tone, form);
            }
            x = next;
        }
    }

    fn fill(&self, scene: &mut Scene, area: Area, tone: Tone, form: Form) {
        let colour = self.colour(tone);
        let area = match form {
            Form::Full => area,
            Form::Thin => {
                let middle = i32::midpoint(area.y0, area.y1);
                let half = i32::from(area.y1 - area.y0 > 10);
                Area { y0: middle - half, y1: middle + 1 + half, ..area }
            }
        };
        scene.rect(area, colour);
        if tone == Tone::Terminating && form == Form::Full && area.y1 - area.y0 >= 9 {
            // Stripes tell it from what is merely pale.
            let stripe = self.look.plot.with_alpha(0.55);
            for x in (area.x0..area.x1).filter(|x| x.rem_euclid(6) < 2) {
                scene.rect(Area { x0: x, x1: x + 1, ..area }, stripe);
            }
        }
        if tone == Tone::Attaching && form == Form::Full && area.y1 - area.y0 >= 9 {
            // Lines along the bar, like the edges of a stack of disks.
            let line = self.look.text.mix(colour, 45);
            for y in (area.y0 + 2..area.y1 - 1).step_by(5) {
                scene.rect(Area { y0: y, y1: y + 1, ..area }, line);
            }
        }
    }

    fn draw_moments(&self, scene: &mut Scene, first: i32) {
        let Some((name, ticks)) = &self.chart.moments else { return };
        let y = first - MOMENTS / 2 - 2;
        let (left, look) = (self.across.left, self.look);
        scene.push(text(left - 10, y + 4, Anchor::End, SMALL, look.muted, name));
        let (from, to) = (self.across.from, self.across.to);
        let seen: Vec<&Tick> = ticks.iter().filter(|tick| tick.at >= from && tick.at <= to).collect();
        let crowded = seen.len() as i32 > (self.across.right - left) / 9;
        for tick in seen {
            let (x, good) = (self.across.x(tick.at), tick.tone != Tone::Bad);
            match (crowded, good) {
                (true, _) => {
                    let half = if good { 2 } else { 5 };
                    let ink = if good { look.muted } else { self.colour(Tone::Bad) };
                    scene.rect(Area { x0: x, y0: y - half, x1: x + 1, y1: y + half }, ink);
                }
                (false, true) => {
                    scene.push(Shape::Dot { x, y, radius: 3, ink: look.muted.into() });
                }
                (false, false) => {
                    let cross = plain(x, y + 5, SMALL, self.colour(Tone::Bad), "✗");
                    scene.push(Shape::Text(Text { anchor: Anchor::Middle, bold: true, ..cross }));
                }
            }
        }
    }

    fn draw_limits(&self, scene: &mut Scene, plot: Area) {
        let mut free = i32::MIN;
        for (at, name) in &self.chart.limits {
            if *at < self.across.from || *at > self.across.to {
                continue;
            }
            let x = self.across.x(*at);
            let points = vec![(x, plot.y0 - 4), (x, plot.y1)];
            scene.push(Shape::Line { points, width: 2, dash: Some((5, 4)), ink: self.look.bad.into() });
            let width = font::width(name, SMALL, true);
            let left = (x - width / 2).clamp(plot.x0, self.edge - width);
            if left > free {
                let moments = if self.chart.moments.is_some() { MOMENTS } else { 0 };
                let label = plain(left, plot.y0 - 7 - moments, SMALL, self.look.bad, name);
                scene.push(Shape::Text(Text { bold: true, ..label }));
                free = left + width + 8;
            }
        }
    }

    fn draw_count(&self, scene: &mut Scene, count: &Count, area: Area) {
        let limit = count.limit.as_ref().map_or(0, |l| l.1);
        let most = self.most_counted().max(self.counted).max(1);
        let upright = Upright { top: area.y0, bottom: area.y1, max: most + (most / 6).max(1) };
        scene.rect(area, self.look.plot);
        let step = axis::round_step(most, 3);
        for value in (0..=most).step_by(step.max(1) as usize) {
            let y = upright.y(value);
            scene.rule((area.x0, y), (area.x1, y), self.look.grid);
            scene.push(text(area.x0 - 10, y + 4, Anchor::End, SMALL, self.look.muted, &value.to_string()));
        }
        self.draw_area(scene, count, limit, upright);
        let across = self.across;
        let line = |steps: &Steps, colour: Rgb| Shape::Line {
            points: step_line(steps, across, upright),
            width: 2,
            dash: None,
            // A line that goes up and down in every pixel would hide its area.
            ink: colour.with_alpha(if steps.points().len() as i32 > area.x1 - area.x0 { 0.3 } else { 1.0 }),
        };
        scene.push(line(&count.steps, self.strong(count.tone)));
        let mut names = vec![(upright.y(count.steps.at(across.to)), self.last(count), self.strong(count.tone))];
        if let Some((name, steps, tone)) = &count.other {
            scene.push(line(steps, self.strong(*tone)));
            let value = steps.at(across.to);
            names.push((upright.y(value), format!("{name} {value}"), self.strong(*tone)));
        }
        if let Some((name, limit)) = &count.limit {
            let y = upright.y(*limit);
            let points = vec![(area.x0, y), (area.x1, y)];
            scene.push(Shape::Line { points, width: 1, dash: Some((9, 5)), ink: self.look.text.into() });
            names.push((y, name.clone(), self.look.muted));
        }
        let wishes: Vec<i32> = names.iter().map(|n| n.0).collect();
        let places = super::labels::spread(&wishes, 15, area.y0 + 4, area.y1 - 2);
        for ((_, name, colour), y) in names.iter().zip(places) {
            let label = font::fit(name, NORMAL, false, self.edge - area.x1 - 12);
            scene.push(text(area.x1 + 10, y + 4, Anchor::Start, NORMAL, *colour, &label));
        }
    }

    fn draw_area(&self, scene: &mut Scene, count: &Count, limit: i64, upright: Upright) {
        let (below, above) = if count.above_is_bad && limit > 0 {
            (
                count.steps.zip_with(&count.steps, |n, _| n.min(limit)),
                count.steps.zip_with(&count.steps, |n, _| (n - limit).max(0)),
            )
        } else {
            (count.steps.clone(), Steps::default())
        };
        let slabs = stack(&[&below, &above], self.across, upright);
        for (slabs, tone) in slabs.iter().zip([count.tone, Tone::Bad]) {
            for run in runs(slabs) {
                scene.push(Shape::Slabs(run.to_vec(), self.colour(tone).with_alpha(0.6)));
            }
        }
    }

    /// What a count says at its right end.
    fn last(&self, count: &Count) -> String {
        let most = count.steps.max_over(self.across.from, self.across.end());
        match count.above_is_bad {
            true => format!("{}, at most {most}", count.name),
            false => format!("{} {}", count.name, count.steps.at(self.across.to)),
        }
    }

    /// The colour of a line, which is thinner than an area.
    fn strong(&self, tone: Tone) -> Rgb {
        match tone {
            Tone::Good => GREEN.mix(self.look.text, 15),
            Tone::Bad => self.look.bad,
            _ => self.look.band,
        }
    }
}

/// What a tone looks like.
pub(super) fn tone_colour(tone: Tone, look: Look, revisions: &[Rgb]) -> Rgb {
    let revision = |i: usize| revisions.get(i).copied().unwrap_or(SKY_BLUE);
    match tone {
        Tone::Waiting => look.muted.mix(look.plot, 25),
        Tone::Revision(i) => revision(i).mix(look.plot, look.area_mix),
        Tone::Pale(i) => revision(i).mix(look.plot, look.pale_mix),
        Tone::Gated => PURPLE.mix(look.text, 25),
        Tone::Attaching => YELLOW.mix(look.plot, 45),
        Tone::Pulling => YELLOW.mix(look.text, 25),
        Tone::Init => PURPLE.mix(look.plot, 50),
        Tone::Good => GREEN.mix(look.plot, 35),
        Tone::Running => BLUE.mix(look.plot, 40),
        Tone::Terminating => look.terminating,
        Tone::Lost => VERMILLION.mix(look.plot, look.pale_mix / 2),
        Tone::Stopped => PURPLE.mix(look.plot, 10),
        Tone::Bad => VERMILLION.mix(look.plot, 5),
    }
}
