//! Actions above a plot: a label each, on a line that runs down into it.

use super::font;
use super::image_of;
use super::labels::lanes;
use super::panel::{NORMAL, plain, text};
use super::scale::Across;
use super::scene::{Anchor, Area, Scene, Shape, Text};
use super::theme::Look;
use crate::timeline::{ActionMark, Workload};

/// The height of a row of labels.
const LANE: i32 = 19;
/// The most rows of labels.
const MOST_LANES: usize = 4;
/// The longest label.
const LONGEST: i32 = 420;
/// With less than so many pixels for an action their lines end at the top.
const CROWDED: i32 = 12;

/// The actions of a workload in the window, each with its row.
pub(super) struct Marks {
    placed: Vec<(ActionMark, String, usize)>,
    /// How many get no label.
    unlabelled: usize,
    labelled: bool,
    across: Across,
    edge: i32,
}

impl Marks {
    /// Finds a row for each action's label.
    pub(super) fn new(workload: &Workload, across: Across, edge: i32) -> Marks {
        let seen = workload.actions().iter().filter(|a| a.at >= across.from && a.at <= across.to);
        let seen: Vec<(&ActionMark, String)> = seen.map(|a| (a, action_text(a, workload))).collect();
        let measure = |(mark, label): &(&ActionMark, String)| {
            let x = across.x(mark.at);
            let width = font::width(label, NORMAL, true).min(LONGEST);
            (x, width.min(edge - x - 8) + 7)
        };
        let labels: Vec<(i32, i32)> = seen.iter().map(measure).collect();
        let rows = lanes(&labels, 10);
        let placed: Vec<(ActionMark, String, usize)> =
            seen.into_iter().zip(rows).map(|((mark, label), row)| (mark.clone(), label, row.min(MOST_LANES))).collect();
        let unlabelled = placed.iter().filter(|p| p.2 == MOST_LANES).count();
        Marks { placed, unlabelled, labelled: true, across, edge }
    }

    /// Lines alone.
    pub(super) fn without_labels(mut self) -> Marks {
        self.labelled = false;
        self
    }

    /// The height of all labels.
    pub(super) fn height(&self) -> i32 {
        if !self.labelled {
            return 0;
        }
        self.placed.iter().map(|a| a.2 as i32 + 1).max().unwrap_or(0) * LANE
    }

    /// Where the lines are.
    pub(super) fn cuts(&self) -> Vec<i32> {
        self.placed.iter().map(|a| self.across.x(a.0.at)).collect()
    }

    /// Draws labels from `top` on and lines down to the end of the plot.
    pub(super) fn draw(&self, scene: &mut Scene, look: Look, top: i32, plot: Area) {
        let crowded = self.placed.len() as i32 > (plot.x1 - plot.x0) / CROWDED;
        let bottom = if crowded { plot.y0 + 8 } else { plot.y1 };
        for (mark, label, row) in &self.placed {
            let x = self.across.x(mark.at);
            if !self.labelled {
                scene.rect(Area { x0: x, y0: plot.y0, x1: x + 1, y1: bottom }, look.action);
                continue;
            }
            let y = top + *row as i32 * LANE;
            scene.rect(Area { x0: x, y0: y + 2, x1: x + 1, y1: bottom }, look.action);
            if *row < MOST_LANES {
                let room = (self.edge - x - 8).min(LONGEST);
                let label = font::fit(label, NORMAL, true, room);
                scene.rect(Area { x0: x, y0: y + 3, x1: x + 3, y1: y + 15 }, look.text);
                scene.push(Shape::Text(Text { bold: true, ..plain(x + 7, y + 14, NORMAL, look.text, &label) }));
            }
        }
        if self.unlabelled > 0 && self.labelled {
            let label = format!("and {} more", self.unlabelled);
            let y = top + MOST_LANES as i32 * LANE + 14;
            scene.push(text(self.across.right + 8, y, Anchor::Start, NORMAL, look.muted, &label));
        }
    }
}

/// An action's text without the name of the workload that it stands above and
/// with images as short as in the legend: what is said twice need not be said.
fn action_text(mark: &ActionMark, workload: &Workload) -> String {
    let mut text = mark.text.replace(&format!(" {}", workload.path()), "");
    for revision in workload.revisions().iter().filter(|r| !r.image.is_empty()) {
        text = text.replace(&revision.image, image_of(workload, revision));
    }
    match &mark.rejected {
        Some(reason) => format!("{text} (refused: {reason})"),
        None => text,
    }
}
