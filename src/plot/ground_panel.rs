//! Panels about the ground that pods stand on: what the machines offer and
//! what is asked of them, and how many pods are ready in each zone.

use super::panel::{NORMAL, SMALL, text, tick_step};
use super::scale::{Across, Upright, runs, stack, step_line};
use super::scene::{Anchor, Area, Scene, Shape};
use super::theme::{BLUE, Look, Rgb, VERMILLION, revision_colour};
use super::{axis, font, labels};
use crate::time::{SECOND, Span};
use crate::timeline::{ActionMark, Band, Series, Steps, Timeline, Workload};

const LEGEND: i32 = 26;
const BETWEEN: i32 = 14;
const BAND: i32 = 150;
const ZONE: i32 = 56;

/// An area of a row.
struct Layer {
    name: String,
    steps: Steps,
    colour: Rgb,
}

/// A plot of its own.
struct Row {
    name: String,
    height: i32,
    layers: Vec<Layer>,
    line: Option<(String, Steps)>,
    /// What one of its units is in the picture: 100 where it counts in
    /// hundredths.
    unit: i64,
    most: i64,
}

/// Rows below each other on one axis of time.
pub(super) struct GroundPanel {
    rows: Vec<Row>,
    legend: Vec<(String, Rgb, bool)>,
    actions: Vec<ActionMark>,
    headline: String,
    across: Across,
    look: Look,
    edge: i32,
}

/// A number of hundredths with as many digits as it needs.
fn amount(value: i64, unit: i64) -> String {
    match (unit, value % unit) {
        (1, _) | (_, 0) => (value / unit).to_string(),
        (_, rest) if rest % 10 == 0 => format!("{}.{}", value / unit, rest / 10),
        (_, rest) => format!("{}.{rest:02}", value / unit),
    }
}

impl GroundPanel {
    /// What the machines offer, and what is asked of them.
    pub(super) fn capacity(timeline: &Timeline, across: Across, edge: i32, look: Look) -> GroundPanel {
        let capacity = timeline.capacity();
        let colours = capacity_colours(look);
        let band = |name: &str, band: &Band| Row {
            name: name.to_string(),
            height: BAND,
            layers: vec![
                Layer { name: "requested".to_string(), steps: band.requested.clone(), colour: colours.0 },
                Layer { name: "pending".to_string(), steps: band.pending.clone(), colour: colours.1 },
            ],
            line: Some(("allocatable".to_string(), band.allocatable.clone())),
            unit: 100,
            most: 0,
        };
        let nodes = Row {
            name: "nodes".to_string(),
            height: ZONE,
            layers: vec![Layer { name: "nodes".to_string(), steps: capacity.nodes.clone(), colour: look.older }],
            line: None,
            unit: 1,
            most: 0,
        };
        let asked = |b: &Band| !b.requested.is_empty() && b.requested.max_over(across.from, across.end()) > 0;
        let mut rows = vec![band("cores", &capacity.cpu)];
        rows.extend(asked(&capacity.memory).then(|| band("GiB", &capacity.memory)));
        rows.push(nodes);
        let legend = vec![
            ("requests of pods on nodes".to_string(), colours.0, false),
            ("requests of pods without a node".to_string(), colours.1, false),
            ("allocatable".to_string(), look.text, true),
        ];
        let headline = capacity_words(&capacity.cpu, across);
        let actions = timeline.actions.clone();
        GroundPanel { rows, legend, actions, headline, across, look, edge }.measured()
    }

    /// How many pods of a workload are ready in each zone.
    pub(super) fn zones(
        timeline: &Timeline,
        workload: &Workload,
        across: Across,
        edge: i32,
        look: Look,
    ) -> GroundPanel {
        let colour = |n: usize| revision_colour(n).mix(look.plot, look.area_mix);
        let rows = timeline.capacity().zones.iter().enumerate().map(|(n, zone)| {
            let load = workload.zones().iter().find(|load| load.zone == *zone);
            let steps = |of: fn(&crate::timeline::ZoneLoad) -> &Steps| load.map(of).cloned().unwrap_or_default();
            let (ready, on_node) = (steps(|l| &l.ready), steps(|l| &l.on_node));
            let rest = on_node.zip_with(&ready, |on, ready| on - ready);
            Row {
                name: format!("zone {zone}"),
                height: ZONE,
                layers: vec![
                    Layer { name: "ready".to_string(), steps: ready, colour: colour(n) },
                    Layer {
                        name: "not ready".to_string(),
                        steps: rest,
                        colour: colour(n).mix(look.plot, look.pale_mix),
                    },
                ],
                line: None,
                unit: 1,
                most: 0,
            }
        });
        let rows: Vec<Row> = rows.collect();
        // What is there before all pods are says nothing.
        let (from, end) = (across.from.max(workload.settled().unwrap_or(across.from)), across.end());
        let parts: Vec<String> = rows
            .iter()
            .map(|row| format!("{}: {} at least", row.name, row.layers[0].steps.min_over(from, end)))
            .collect();
        let skew = workload.skew(timeline).max_over(from, end);
        let all = workload.series(Series::Ready).min_over(from, end);
        let headline = format!("at least {all} ready ({}), skew at most {skew}", parts.join(", "));
        let legend = vec![
            ("ready".to_string(), colour(0), false),
            ("on a node, not ready or going".to_string(), colour(0).mix(look.plot, look.pale_mix), false),
        ];
        let mut panel =
            GroundPanel { rows, legend, actions: workload.actions().to_vec(), headline, across, look, edge }.measured();
        // Zones are compared, so they have one scale.
        let most = panel.rows.iter().map(|row| row.most).max().unwrap_or(1);
        panel.rows.iter_mut().for_each(|row| row.most = most);
        panel
    }

    fn measured(mut self) -> GroundPanel {
        let (from, end) = (self.across.from, self.across.end());
        for row in &mut self.rows {
            let sum = row.layers.iter().fold(Steps::default(), |sum, layer| sum.zip_with(&layer.steps, |a, b| a + b));
            let line = row.line.as_ref().map_or(0, |(_, steps)| steps.max_over(from, end));
            row.most = sum.max_over(from, end).max(line).max(row.unit);
        }
        self
    }

    /// What happened, in a sentence.
    pub(super) fn headline(&self) -> &str {
        &self.headline
    }

    /// The height of all of it.
    pub(super) fn height(&self) -> i32 {
        LEGEND + self.rows.iter().map(|row| row.height + BETWEEN).sum::<i32>()
    }

    /// Draws from `top` on.
    pub(super) fn draw(&self, scene: &mut Scene, top: i32) {
        self.draw_legend(scene, top);
        let mut y = top + LEGEND;
        for row in &self.rows {
            let plot = Area { x0: self.across.left, y0: y, x1: self.across.right, y1: y + row.height };
            self.draw_row(scene, row, plot);
            y += row.height + BETWEEN;
        }
    }

    fn draw_legend(&self, scene: &mut Scene, top: i32) {
        let (mut x, y) = (self.across.left, top + 13);
        for (name, colour, line) in &self.legend {
            let mark = if *line { (y - 6, y - 4) } else { (y - 11, y + 1) };
            scene.rect(Area { x0: x, y0: mark.0, x1: x + 14, y1: mark.1 }, *colour);
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
        let wanted = i64::from(row.height) / 40 + 1;
        let step = axis::round_step((row.most / row.unit).max(1), wanted).max(1) * row.unit;
        for value in (0..=row.most).step_by(step as usize) {
            let y = upright.y(value);
            scene.rule((plot.x0, y), (plot.x1, y), look.grid);
            scene.push(text(plot.x0 - 10, y + 4, Anchor::End, SMALL, look.muted, &amount(value, row.unit)));
        }
        let steps: Vec<&Steps> = row.layers.iter().map(|layer| &layer.steps).collect();
        for (layer, slabs) in row.layers.iter().zip(stack(&steps, across, upright)) {
            for run in runs(&slabs) {
                scene.push(Shape::Slabs(run.to_vec(), layer.colour.into()));
            }
        }
        for mark in self.actions.iter().filter(|mark| mark.at >= across.from && mark.at <= across.to) {
            let x = across.x(mark.at);
            scene.push(Shape::Line {
                points: vec![(x, plot.y0), (x, plot.y1)],
                width: 1,
                dash: Some((3, 4)),
                ink: look.action.into(),
            });
        }
        if let Some((_, steps)) = &row.line {
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
        if let Some((name, steps)) = &row.line {
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

/// Of what is asked for and has a place, and of what has none.
fn capacity_colours(look: Look) -> (Rgb, Rgb) {
    (BLUE.mix(look.plot, look.area_mix), VERMILLION.mix(look.plot, look.area_mix / 3))
}

fn capacity_words(cpu: &Band, across: Across) -> String {
    let (from, end) = (across.from, across.end());
    let most = |steps: &Steps| amount(steps.max_over(from, end), 100);
    let waits = cpu.pending.duration_where(from, end, |value| value > 0);
    // Every pod is without a node for a moment.
    let waits = Span::from_secs(waits.0 / SECOND);
    let waiting = match waits {
        Span::ZERO => "nothing had to wait".to_string(),
        _ => format!("{} waited at most, {waits} in all", most(&cpu.pending)),
    };
    let offered = (cpu.allocatable.min_over(from, end), cpu.allocatable.max_over(from, end));
    let of = match offered {
        (least, most) if least == most => amount(most, 100),
        (least, most) => format!("{} to {}", amount(least, 100), amount(most, 100)),
    };
    format!("at most {} cores requested of {of}; {waiting}", most(&cpu.requested))
}

#[cfg(test)]
mod tests {
    use super::amount;

    #[test]
    fn amounts_have_the_digits_they_need() {
        for (value, unit, wanted) in
            [(400, 100, "4"), (450, 100, "4.5"), (425, 100, "4.25"), (7, 1, "7"), (5, 100, "0.05")]
        {
            assert_eq!(amount(value, unit), wanted);
        }
    }
}
