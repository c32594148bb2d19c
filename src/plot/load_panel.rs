//! What becomes of the requests for a Service: served, refused, shed or
//! answered with an error, against what its pods could serve.

use super::font;
use super::marks::Marks;
use super::panel::{NORMAL, SMALL, plain, text, tick_step};
use super::scale::{Across, Upright, runs, stack, step_line};
use super::scene::{Anchor, Area, Scene, Shape, Text};
use super::theme::{Look, Rgb};
use super::{axis, labels};
use crate::timeline::{Series, Service, Steps, Timeline, rate};

/// Sizes in pixels.
const LEGEND_ROW: i32 = 22;
const LABEL_SPACING: i32 = 16;
/// One request a second.
const ONE: i64 = 1_000_000;
/// Capacity far above the requests would leave them no room.
const MOST_ROOM: i64 = 3;

/// A Service with everything measured but its place.
pub(super) struct LoadPanel<'a> {
    service: &'a Service,
    across: Across,
    look: Look,
    edge: i32,
    layers: Vec<(&'static str, Rgb, &'a Steps)>,
    marks: Option<Marks>,
    top: Option<i64>,
}

impl<'a> LoadPanel<'a> {
    /// `labelled`: the actions get labels, as no other part of the picture
    /// has them.
    pub(super) fn new(
        timeline: &Timeline,
        service: &'a Service,
        across: Across,
        edge: i32,
        look: Look,
        labelled: bool,
    ) -> LoadPanel<'a> {
        let of = |series: Series| service.series(series);
        let named = [
            ("served", look.served, of(Series::Served)),
            ("answered with an error", look.errors, of(Series::Errors)),
            ("too many", look.shed, of(Series::Shed)),
            ("nobody answers", look.refused, of(Series::Refused)),
        ];
        let seen = |steps: &Steps| steps.max_over(across.from, across.end()) > 0;
        let layers = named
            .into_iter()
            .filter_map(|(name, colour, steps)| Some((name, colour, steps?)))
            .filter(|(_, _, steps)| seen(steps))
            .collect();
        let whose = service.workloads().next().and_then(|i| timeline.workloads().get(i));
        let marks = whose.map(|workload| Marks::new(workload, across, edge));
        let marks = marks.map(|marks| if labelled { marks } else { marks.without_labels() });
        LoadPanel { service, across, look, edge, layers, marks, top: None }
    }

    /// The height of everything around the plot itself.
    pub(super) fn chrome(&self) -> i32 {
        self.above() + 8
    }

    fn above(&self) -> i32 {
        LEGEND_ROW + self.marks.as_ref().map_or(0, Marks::height) + 12
    }

    /// Makes the plot as high as another one.
    pub(super) const fn set_top(&mut self, top: i64) {
        self.top = Some(top);
    }

    /// A little more than the most that is drawn.
    pub(super) fn top_value(&self) -> i64 {
        let most = |series| self.service.series(series).map_or(0, |s| s.max_over(self.across.from, self.across.end()));
        let requests = most(Series::Requests).max(ONE);
        let most = requests.max(most(Series::Capacity).min(requests * MOST_ROOM));
        self.top.unwrap_or(most + most / 8)
    }

    /// Draws from `top` on and says where it ends.
    pub(super) fn draw(&self, scene: &mut Scene, top: i32, height: i32) -> i32 {
        let y0 = top + self.above();
        let plot = Area { x0: self.across.left, x1: self.across.right, y0, y1: y0 + height };
        let upright = Upright { top: plot.y0, bottom: plot.y1, max: self.top_value() };
        scene.rect(plot, self.look.plot);
        self.draw_legend(scene, top);
        self.draw_grid(scene, plot, upright);
        let steps: Vec<&Steps> = self.layers.iter().map(|layer| layer.2).collect();
        for ((_, colour, _), slabs) in self.layers.iter().zip(stack(&steps, self.across, upright)) {
            for run in runs(&slabs) {
                scene.push(Shape::Slabs(run.to_vec(), (*colour).into()));
            }
        }
        scene.rule((plot.x0, plot.y1), (plot.x1, plot.y1), self.look.muted);
        if let Some(marks) = &self.marks {
            marks.draw(scene, self.look, top + LEGEND_ROW, plot);
        }
        self.draw_lines(scene, upright);
        plot.y1 + 8
    }

    fn draw_legend(&self, scene: &mut Scene, top: i32) {
        let (mut x, y) = (self.across.left, top + 13);
        for (name, colour, _) in &self.layers {
            let width = 20 + font::width(name, NORMAL, false) + 22;
            if x + width > self.edge {
                return;
            }
            scene.rect(Area { x0: x, y0: y - 11, x1: x + 14, y1: y + 1 }, *colour);
            scene.push(text(x + 20, y, Anchor::Start, NORMAL, self.look.muted, name));
            x += width;
        }
    }

    fn draw_grid(&self, scene: &mut Scene, plot: Area, upright: Upright) {
        for at in axis::multiples(tick_step(self.across), self.across.from, self.across.to) {
            let x = self.across.x(at);
            scene.rule((x, plot.y0), (x, plot.y1), self.look.grid);
        }
        let step = axis::round_step(upright.max / ONE, i64::from(plot.y1 - plot.y0) / 45 + 1).max(1);
        for value in (0..=upright.max / ONE).step_by(step as usize) {
            let y = upright.y(value * ONE);
            scene.rule((plot.x0, y), (plot.x1, y), self.look.grid);
            scene.push(text(plot.x0 - 10, y + 4, Anchor::End, SMALL, self.look.muted, &value.to_string()));
        }
        let (x, y) = (plot.x0 - 10, plot.y0 - 12);
        scene.push(text(x, y, Anchor::End, SMALL, self.look.muted, "requests/s"));
    }

    fn draw_lines(&self, scene: &mut Scene, upright: Upright) {
        let mut names = Vec::new();
        for (series, name, width, dash, colour) in [
            (Series::Capacity, "capacity", 2, Some((9, 5)), self.look.band),
            (Series::Requests, "requests", 2, None, self.look.text),
        ] {
            let Some(steps) = self.service.series(series).filter(|steps| !steps.is_empty()) else { continue };
            let points = step_line(steps, self.across, upright);
            let (_, most) = steps.first_max(self.across.from, self.across.end());
            let pieces = if most > upright.max { below(upright.top, &points) } else { vec![points] };
            if let [first, _, ..] = &pieces[..]
                && let Some(&(x, _)) = first.last()
            {
                let most = format!("up to {}", rate(most));
                scene.push(text(x + 8, upright.top + 14, Anchor::Start, SMALL, colour, &most));
            }
            for points in pieces {
                scene.push(Shape::Line { points, width, dash, ink: colour.into() });
            }
            names.push((name, steps.at(self.across.to), colour));
        }
        let wishes: Vec<i32> = names.iter().map(|name| upright.y(name.1)).collect();
        let places = labels::spread(&wishes, LABEL_SPACING, upright.top + 4, upright.bottom - 2);
        let x = self.across.right;
        for (((name, value, colour), wish), place) in names.into_iter().zip(wishes).zip(places) {
            let points = vec![(x, wish), (x + 8, wish), (x + 8, place), (x + 14, place)];
            scene.push(Shape::Line { points, width: 1, dash: None, ink: colour.with_alpha(0.6) });
            let label = font::fit(&format!("{name} {}", rate(value)), NORMAL, true, self.edge - x - 18);
            scene.push(Shape::Text(Text { bold: true, ..plain(x + 18, place + 4, NORMAL, colour, &label) }));
        }
    }
}

/// The pieces of a line without what runs along the upper edge because it is
/// above it.
fn below(top: i32, points: &[(i32, i32)]) -> Vec<Vec<(i32, i32)>> {
    let mut pieces: Vec<Vec<(i32, i32)>> = vec![Vec::new()];
    for pair in points.windows(2) {
        if pair[0].1 <= top && pair[1].1 <= top {
            pieces.push(Vec::new());
        } else if let Some(piece) = pieces.last_mut() {
            if piece.is_empty() {
                piece.push(pair[0]);
            }
            piece.push(pair[1]);
        }
    }
    pieces.retain(|piece| !piece.is_empty());
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_leaves_through_the_upper_edge_and_comes_back() {
        let line = [(0, 50), (10, 50), (10, 5), (30, 5), (30, 5), (40, 5), (40, 60), (50, 60)];
        assert_eq!(below(5, &line), [vec![(0, 50), (10, 50), (10, 5)], vec![(40, 5), (40, 60), (50, 60)]]);
        assert_eq!(below(4, &line), [line.to_vec()]);
        assert!(below(70, &line).is_empty());
    }
}
