//! Panels about the ground that pods stand on, with everything measured but
//! their place.

use super::ground::{Ground, Ink, Layer, Row, amount};
use super::panel::{NORMAL, SMALL, text, tick_step};
use super::scale::{Across, Upright, runs, stack, step_line};
use super::scene::{Anchor, Area, Scene, Shape};
use super::theme::{BLUE, GREEN, Look, Rgb, VERMILLION};
use super::{axis, font, labels};
use crate::timeline::{ActionMark, Steps};

const LEGEND: i32 = 26;
const BETWEEN: i32 = 14;
const TALL: i32 = 150;
const LOW: i32 = 56;

/// Rows below each other on one axis of time.
pub(super) struct GroundPanel {
    ground: Ground,
    actions: Vec<ActionMark>,
    across: Across,
    look: Look,
    edge: i32,
}

impl Look {
    /// The colour of a part of the ground.
    fn ground(&self, ink: Ink) -> Rgb {
        match ink {
            Ink::Requested => BLUE.mix(self.plot, self.area_mix),
            Ink::Pending => VERMILLION.mix(self.plot, self.area_mix / 3),
            Ink::Offered => self.text,
            Ink::Sound => GREEN.mix(self.plot, self.area_mix),
            Ink::Unsound => VERMILLION.mix(self.plot, self.pale_mix / 2),
        }
    }
}

fn height(row: &Row) -> i32 {
    if row.tall { TALL } else { LOW }
}

impl GroundPanel {
    pub(super) const fn new(
        ground: Ground,
        actions: Vec<ActionMark>,
        across: Across,
        edge: i32,
        look: Look,
    ) -> GroundPanel {
        GroundPanel { ground, actions, across, look, edge }
    }

    /// What happened, in a sentence.
    pub(super) fn headline(&self) -> &str {
        &self.ground.headline
    }

    /// The height of all of it.
    pub(super) fn height(&self) -> i32 {
        LEGEND + self.ground.rows.iter().map(|row| height(row) + BETWEEN).sum::<i32>()
    }

    /// Draws from `top` on.
    pub(super) fn draw(&self, scene: &mut Scene, top: i32) {
        self.draw_legend(scene, top);
        let mut y = top + LEGEND;
        for row in &self.ground.rows {
            let plot = Area { x0: self.across.left, y0: y, x1: self.across.right, y1: y + height(row) };
            self.draw_row(scene, row, plot);
            y = plot.y1 + BETWEEN;
        }
    }

    fn draw_legend(&self, scene: &mut Scene, top: i32) {
        let (mut x, y) = (self.across.left, top + 13);
        for (name, ink, line) in &self.ground.legend {
            let mark = if *line { (y - 6, y - 4) } else { (y - 11, y + 1) };
            scene.rect(Area { x0: x, y0: mark.0, x1: x + 14, y1: mark.1 }, self.look.ground(*ink));
            let label = font::fit(name, NORMAL, false, self.edge - x - 20);
            scene.push(text(x + 20, y, Anchor::Start, NORMAL, self.look.muted, &label));
            x += font::width(name, NORMAL, false) + 44;
        }
    }

    fn draw_row(&self, scene: &mut Scene, row: &Row, plot: Area) {
        let (across, look) = (self.across, self.look);
        let upright = Upright { top: plot.y0, bottom: plot.y1, max: row.most + (row.most / 8).max(1) };
        scene.rect(plot, look.plot);
        for at in axis::multiples(tick_step(across), across.from, across.to) {
            scene.rule((across.x(at), plot.y0), (across.x(at), plot.y1), look.grid);
        }
        let wanted = i64::from(height(row)) / 40 + 1;
        let step = axis::round_step((row.most / row.unit).max(1), wanted).max(1) * row.unit;
        for value in (0..=row.most).step_by(step as usize) {
            let y = upright.y(value);
            scene.rule((plot.x0, y), (plot.x1, y), look.grid);
            scene.push(text(plot.x0 - 10, y + 4, Anchor::End, SMALL, look.muted, &amount(value, row.unit)));
        }
        let steps: Vec<&Steps> = row.layers.iter().map(|layer| &layer.steps).collect();
        for (layer, slabs) in row.layers.iter().zip(stack(&steps, across, upright)) {
            for run in runs(&slabs) {
                scene.push(Shape::Slabs(run.to_vec(), look.ground(layer.ink).into()));
            }
        }
        rule_actions(scene, look, across, plot, &self.actions);
        if let Some(Layer { steps, .. }) = &row.line {
            let points = step_line(steps, across, upright);
            scene.push(Shape::Line { points, width: 2, dash: None, ink: look.text.into() });
        }
        self.draw_names(scene, row, plot, upright);
    }

    /// What each part has at the end, beside the plot.
    fn draw_names(&self, scene: &mut Scene, row: &Row, plot: Area, upright: Upright) {
        let mut names = Vec::new();
        let mut below = 0;
        for layer in &row.layers {
            let value = layer.steps.at(self.across.to);
            if value > 0 {
                names.push((upright.y(below + value / 2), format!("{} {}", layer.name, amount(value, row.unit))));
            }
            below += value;
        }
        if let Some(Layer { name, steps, .. }) = &row.line {
            let value = steps.at(self.across.to);
            names.push((upright.y(value), format!("{name} {}", amount(value, row.unit))));
        }
        let wishes: Vec<i32> = names.iter().map(|name| name.0).collect();
        let places = labels::spread(&wishes, 15, plot.y0 + 4, plot.y1 - 2);
        for ((_, name), y) in names.iter().zip(places) {
            let label = font::fit(name, SMALL, false, self.edge - plot.x1 - 12);
            scene.push(text(plot.x1 + 10, y + 4, Anchor::Start, SMALL, self.look.text, &label));
        }
        let name = font::fit(&row.name, SMALL, true, plot.x0 - 40);
        scene.push(text(plot.x0 - 36, plot.y0 + 12, Anchor::End, SMALL, self.look.text, &name));
    }
}

/// A faint line at each action; its name stands above the first panel.
pub(super) fn rule_actions(scene: &mut Scene, look: Look, across: Across, plot: Area, actions: &[ActionMark]) {
    for mark in actions.iter().filter(|mark| mark.at >= across.from && mark.at <= across.to) {
        let x = across.x(mark.at);
        let points = vec![(x, plot.y0), (x, plot.y1)];
        scene.push(Shape::Line { points, width: 1, dash: Some((3, 4)), ink: look.action.into() });
    }
}
