//! Actions above a plot, and turns that nobody ordered: a label each, on a
//! line that runs down into it.

use super::actions::short;
use super::font;
use super::image_of;
use super::labels::lanes;
use super::panel::{NORMAL, plain, text};
use super::scale::Across;
use super::scene::{Anchor, Area, Scene, Shape, Text};
use super::theme::Look;
use crate::time::SimTime;
use crate::timeline::{ActionMark, Turn, Workload};

/// The height of a row of labels.
const LANE: i32 = 19;
/// The most rows of labels.
const MOST_LANES: usize = 4;
/// The longest label.
const LONGEST: i32 = 420;
/// With less than so many pixels for an action their lines end at the top.
const CROWDED: i32 = 12;

/// One label.
#[derive(Clone, Debug)]
struct Mark {
    at: SimTime,
    text: String,
    /// How many others of the same moment it stands for.
    others: usize,
    /// Somebody did it; otherwise it came of itself.
    ordered: bool,
    row: usize,
}

impl Mark {
    /// Its text, cut so that it takes at most so many pixels.
    fn label(&self, room: i32) -> String {
        let others = if self.others > 0 { format!(" and {} more", self.others) } else { String::new() };
        let room = room - font::width(&others, NORMAL, self.ordered);
        format!("{}{others}", font::fit(&self.text, NORMAL, self.ordered, room))
    }
}

/// The actions and turns of a workload in the window, each with its row.
pub(super) struct Marks {
    placed: Vec<Mark>,
    /// How many get no label.
    unlabelled: usize,
    labelled: bool,
    across: Across,
    edge: i32,
}

impl Marks {
    /// Finds a row for each label.
    pub(super) fn new(workload: &Workload, across: Across, edge: i32) -> Marks {
        let action =
            |a: &ActionMark| Mark { at: a.at, text: action_text(a, workload), others: 0, ordered: true, row: 0 };
        let turn = |t: &Turn| Mark { at: t.at, text: t.text.clone(), others: 0, ordered: false, row: 0 };
        let all = workload.actions().iter().map(action).chain(workload.turns().iter().map(turn));
        let mut placed: Vec<Mark> = all.filter(|m| m.at >= across.from && m.at <= across.to).collect();
        placed.sort_by_key(|m| m.at);
        let mut placed = crowds_joined(&placed);
        let measure = |mark: &Mark| {
            let x = across.x(mark.at);
            let width = font::width(&mark.label(LONGEST), NORMAL, mark.ordered);
            (x, width.min(edge - x - 8) + 7)
        };
        let labels: Vec<(i32, i32)> = placed.iter().map(measure).collect();
        for (mark, row) in placed.iter_mut().zip(lanes(&labels, 10)) {
            mark.row = row.min(MOST_LANES);
        }
        let unlabelled = placed.iter().filter(|m| m.row == MOST_LANES).count();
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
        self.placed.iter().map(|m| m.row as i32 + 1).max().unwrap_or(0) * LANE
    }

    /// Where the lines are.
    pub(super) fn cuts(&self) -> Vec<i32> {
        self.placed.iter().map(|m| self.across.x(m.at)).collect()
    }

    /// Draws labels from `top` on and lines down to the end of the plot.
    pub(super) fn draw(&self, scene: &mut Scene, look: Look, top: i32, plot: Area) {
        let crowded = self.placed.len() as i32 > (plot.x1 - plot.x0) / CROWDED;
        let bottom = if crowded { plot.y0 + 8 } else { plot.y1 };
        for mark in &self.placed {
            let x = self.across.x(mark.at);
            // What came of itself comes after what was done.
            let line = if mark.ordered { look.action } else { look.action.mix(look.plot, 45) };
            if !self.labelled {
                scene.rect(Area { x0: x, y0: plot.y0, x1: x + 1, y1: bottom }, line);
                continue;
            }
            let y = top + mark.row as i32 * LANE;
            scene.rect(Area { x0: x, y0: y + 2, x1: x + 1, y1: bottom }, line);
            if mark.row < MOST_LANES {
                let room = (self.edge - x - 8).min(LONGEST);
                let label = mark.label(room);
                let (ink, width) = if mark.ordered { (look.text, 3) } else { (look.muted, 1) };
                scene.rect(Area { x0: x, y0: y + 3, x1: x + width, y1: y + 15 }, ink);
                scene.push(Shape::Text(Text { bold: mark.ordered, ..plain(x + 7, y + 14, NORMAL, ink, &label) }));
            }
        }
        if self.unlabelled > 0 && self.labelled {
            let label = format!("and {} more", self.unlabelled);
            let y = top + MOST_LANES as i32 * LANE + 14;
            scene.push(text(self.across.right + 8, y, Anchor::Start, NORMAL, look.muted, &label));
        }
    }
}

/// Of more than two actions of one moment only the first is named.
fn crowds_joined(marks: &[Mark]) -> Vec<Mark> {
    let mut joined: Vec<Mark> = Vec::new();
    for crowd in marks.chunk_by(|a, b| a.ordered && b.ordered && a.at == b.at) {
        match crowd {
            [first, rest @ ..] if rest.len() > 1 => {
                joined.push(Mark { others: rest.len(), ..first.clone() });
            }
            few => joined.extend_from_slice(few),
        }
    }
    joined
}

/// An action's text without the name of the workload that it stands above and
/// with images as short as in the legend: what is said twice need not be said.
fn action_text(mark: &ActionMark, workload: &Workload) -> String {
    // Which workload it is about stands above, but `from` needs its word.
    let path = format!(" {}", workload.path());
    let said =
        if mark.text.contains(&format!("from{path}")) { mark.text.clone() } else { mark.text.replace(&path, "") };
    let mut text = short(&said);
    for revision in workload.revisions().iter().filter(|r| !r.image.is_empty()) {
        text = text.replace(&revision.image, image_of(workload, revision));
    }
    match &mark.rejected {
        Some(reason) => format!("{text} (refused: {reason})"),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crowd_of_actions_takes_one_label() {
        let mark = |at, text: &str, ordered| Mark {
            at: SimTime::from_secs(at),
            text: text.into(),
            others: 0,
            ordered,
            row: 0,
        };
        let texts = |marks: &[Mark]| crowds_joined(marks).iter().map(|m| m.label(LONGEST)).collect::<Vec<_>>();
        let dies = ["a dies", "b dies", "c dies"].map(|text| mark(1, text, true));
        assert_eq!(texts(&dies), ["a dies and 2 more"]);
        assert_eq!(texts(&dies[..2]), ["a dies", "b dies"]);
        let apart = [mark(1, "a dies", true), mark(2, "b dies", true), mark(2, "c dies", true), mark(2, "c", false)];
        assert_eq!(texts(&apart), ["a dies", "b dies", "c dies", "c"]);
    }
}
