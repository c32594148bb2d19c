//! A lane for each node as a part of a picture.

use super::ground_panel::rule_actions;
use super::node_lanes::{NodeLane, NodeLanes, Standing};
use super::panel::{NORMAL, SMALL, entry_width, legend_rows, plain, text, tick_step};
use super::scale::{Across, Upright, step_line};
use super::scene::{Anchor, Area, Scene, Shape, Text};
use super::theme::{GREEN, Look, Rgb, VERMILLION, YELLOW};
use super::{axis, font};
use crate::timeline::ActionMark;

const LEGEND_ROW: i32 = 22;
/// Above the lanes of a zone.
const ZONE: i32 = 19;
const REST: i32 = 18;

/// A part of the legend: a box for how nodes stand, or one of the others.
#[derive(Clone, Copy)]
enum Sign {
    Standing(Standing),
    Moment,
    Pods,
}

/// The lanes of nodes with everything measured but their place.
pub(super) struct NodePanel {
    nodes: NodeLanes,
    actions: Vec<ActionMark>,
    legend: Vec<(Sign, String)>,
    rows: Vec<Vec<usize>>,
    across: Across,
    look: Look,
    edge: i32,
}

impl Look {
    fn standing(&self, standing: Standing) -> Rgb {
        match standing {
            Standing::Ready => GREEN.mix(self.plot, self.area_mix),
            Standing::Cordoned => YELLOW.mix(self.plot, self.area_mix),
            Standing::Unready => VERMILLION.mix(self.plot, self.pale_mix / 2),
            Standing::Evicting => VERMILLION,
        }
    }
}

impl NodePanel {
    pub(super) fn new(nodes: NodeLanes, actions: Vec<ActionMark>, across: Across, edge: i32, look: Look) -> NodePanel {
        let seen = Standing::ALL.into_iter().filter(|&standing| nodes.has(standing));
        let mut legend: Vec<(Sign, String)> =
            seen.map(|standing| (Sign::Standing(standing), standing.name().to_string())).collect();
        if nodes.has_moments() {
            legend.push((Sign::Moment, "something is done to it".to_string()));
        }
        if nodes.most_pods > 0 && height(nodes.lanes.len()).0 >= 20 {
            legend.push((Sign::Pods, format!("pods on it, at most {}", nodes.most_pods)));
        }
        let rows = legend_rows(legend.iter().map(|entry| entry.1.as_str()), edge - across.left);
        NodePanel { nodes, actions, legend, rows, across, look, edge }
    }

    /// What happened, in a sentence.
    pub(super) fn headline(&self) -> &str {
        &self.nodes.headline
    }

    /// The height of all of it.
    pub(super) fn height(&self) -> i32 {
        let lanes = &self.nodes.lanes;
        let zones = (0..lanes.len()).filter(|&place| self.nodes.begins_zone(place)).count() as i32;
        let rest = if self.nodes.left_out > 0 { REST } else { 0 };
        let above = self.rows.len() as i32 * LEGEND_ROW + 4;
        above + zones * ZONE + lanes.len().max(1) as i32 * height(lanes.len()).0 + rest + 4
    }

    /// Draws from `top` on.
    pub(super) fn draw(&self, scene: &mut Scene, top: i32) {
        self.draw_legend(scene, top);
        let (across, look) = (self.across, self.look);
        let (tall, gap) = height(self.nodes.lanes.len());
        let mut y = top + self.rows.len() as i32 * LEGEND_ROW + 4;
        let mut block = y;
        for (place, lane) in self.nodes.lanes.iter().enumerate() {
            if self.nodes.begins_zone(place) {
                let name = font::fit(&lane.zone_name(), SMALL, true, across.left - 16);
                let label = plain(across.left - 10, y + 13, SMALL, look.text, &name);
                scene.push(Shape::Text(Text { anchor: Anchor::End, bold: true, ..label }));
                y += ZONE;
                block = y;
            }
            if y == block {
                let next = (place + 1..self.nodes.lanes.len()).find(|&next| self.nodes.begins_zone(next));
                let count = next.unwrap_or(self.nodes.lanes.len()) - place;
                self.draw_back(scene, Area { x0: across.left, y0: y, x1: across.right, y1: y + tall * count as i32 });
            }
            self.draw_lane(scene, lane, Area { x0: across.left, y0: y, x1: across.right, y1: y + tall - gap });
            y += tall;
        }
        if let Some(rest) = self.nodes.rest() {
            scene.push(text(across.left, y + 13, Anchor::Start, SMALL, look.muted, &rest));
        }
    }

    fn draw_back(&self, scene: &mut Scene, plot: Area) {
        let across = self.across;
        scene.rect(plot, self.look.plot);
        for at in axis::multiples(tick_step(across), across.from, across.to) {
            scene.rule((across.x(at), plot.y0), (across.x(at), plot.y1), self.look.grid);
        }
        rule_actions(scene, self.look, across, plot, &self.actions);
    }

    fn draw_legend(&self, scene: &mut Scene, top: i32) {
        for (row, entries) in self.rows.iter().enumerate() {
            let (mut x, y) = (self.across.left, top + row as i32 * LEGEND_ROW + 13);
            for &i in entries {
                let (sign, name) = &self.legend[i];
                let area = Area { x0: x, y0: y - 11, x1: x + 14, y1: y + 1 };
                match sign {
                    Sign::Standing(standing) => self.fill(scene, area, *standing),
                    Sign::Moment => scene.rect(Area { x0: x + 6, x1: x + 9, ..area }, self.look.text),
                    Sign::Pods => scene.rect(Area { y0: y - 6, y1: y - 5, ..area }, self.look.text),
                }
                let label = font::fit(name, NORMAL, false, self.edge - x - 20);
                scene.push(text(x + 20, y, Anchor::Start, NORMAL, self.look.muted, &label));
                x += entry_width(name);
            }
        }
    }

    fn draw_lane(&self, scene: &mut Scene, lane: &NodeLane, area: Area) {
        let (across, look) = (self.across, self.look);
        for &(from, to, standing) in &lane.stretches {
            let (x0, x1) = (across.x(from), across.x(to));
            self.fill(scene, Area { x0, x1: x1.max(x0 + 1), ..area }, standing);
        }
        if area.y1 - area.y0 >= 15 && self.nodes.most_pods > 0 {
            let upright = Upright { top: area.y0 + 2, bottom: area.y1 - 2, max: self.nodes.most_pods };
            // Where there is no node there are no pods to count.
            for &(from, to, standing) in &lane.stretches {
                let part = Across { from, to, left: across.x(from), right: across.x(to) };
                if part.right > part.left {
                    let ink = look.text_on(look.standing(standing));
                    let points = step_line(&lane.pods, part, upright);
                    scene.push(Shape::Line { points, width: 1, dash: None, ink: ink.into() });
                }
            }
        }
        for at in lane.moments.iter().map(|moment| moment.0).filter(|&at| at >= across.from && at <= across.to) {
            let x = across.x(at);
            // A rim lets it stand out from every colour.
            scene.rect(Area { x0: x - 3, x1: x + 4, ..area }, look.plot);
            scene.rect(Area { x0: x - 1, x1: x + 2, ..area }, look.text);
        }
        let baseline = i32::midpoint(area.y0, area.y1) + 4;
        let name = font::fit(&lane.name, SMALL, false, across.left - 16);
        scene.push(text(area.x0 - 10, baseline, Anchor::End, SMALL, look.muted, &name));
        let note = font::fit(&lane.note, SMALL, false, self.edge - area.x1 - 12);
        scene.push(text(area.x1 + 10, baseline, Anchor::Start, SMALL, look.muted, &note));
    }

    fn fill(&self, scene: &mut Scene, area: Area, standing: Standing) {
        scene.rect(area, self.look.standing(standing));
        if standing == Standing::Evicting {
            // Stripes tell it from what is merely paler.
            let stripe = self.look.plot.with_alpha(0.45);
            for x in (area.x0..area.x1).filter(|x| x.rem_euclid(6) < 2) {
                scene.rect(Area { x0: x, x1: x + 1, ..area }, stripe);
            }
        }
    }
}

/// The height of each of so many lanes and the gap below its bars.
const fn height(lanes: usize) -> (i32, i32) {
    match lanes {
        0..=8 => (26, 5),
        9..=20 => (20, 4),
        _ => (14, 3),
    }
}
