//! What the clocks of components showed, where they were wrong, and when the
//! components stood still.

use super::font;
use super::panel::{SMALL, plain, text};
use super::scale::Across;
use super::scene::{Anchor, Area, Scene, Shape, Text};
use super::theme::Look;
use crate::time::{SimTime, Span};
use crate::timeline::{Component, Timeline};

const ROW: i32 = 21;
const BAR: i32 = 17;
const SIZE: i32 = 11;
/// The most components that get a row.
const MOST: usize = 8;
/// Offsets below this make no difference that a picture could show.
const NOTHING: i64 = 1_000_000;

/// The height of the band.
pub(super) fn height(timeline: &Timeline) -> i32 {
    let rows = timeline.components().len().min(MOST + 1) as i32;
    if rows > 0 { rows * ROW + 10 } else { 0 }
}

/// Draws a row for each component of which there is something to say.
pub(super) fn draw(scene: &mut Scene, timeline: &Timeline, across: Across, top: i32, look: Look) {
    let all = timeline.components();
    for (i, component) in all.iter().take(MOST).enumerate() {
        let y = top + 8 + i as i32 * ROW;
        let name = font::fit(called(&component.name), SMALL, false, across.left - 16);
        scene.push(text(across.left - 10, y + 13, Anchor::End, SMALL, look.muted, &name));
        draw_row(scene, component, across, y, look);
        if i == 0 {
            scene.push(text(across.right + 10, y + 13, Anchor::Start, SMALL, look.muted, "clocks and pauses"));
        }
    }
    if all.len() > MOST {
        let y = top + 8 + MOST as i32 * ROW;
        let more = format!("and {} more components", all.len() - MOST);
        scene.push(text(across.left + 5, y + 13, Anchor::Start, SMALL, look.muted, &more));
    }
}

/// What people call a component.
fn called(name: &str) -> &str {
    if name == "controllerManager" { "controllers" } else { name }
}

fn draw_row(scene: &mut Scene, component: &Component, across: Across, y: i32, look: Look) {
    let area = |from: SimTime, to: SimTime| {
        let (x0, x1) = (across.x(from), across.x(to));
        Area { x0, y0: y, x1: (x1 - 1).max(x0 + 1), y1: y + BAR }
    };
    let mut bounds: Vec<SimTime> = vec![across.from];
    bounds.extend(component.clock.iter().map(|p| p.at).filter(|&at| at > across.from && at < across.to));
    bounds.push(across.to);
    for pair in bounds.windows(2) {
        let (from, to) = (pair[0], pair[1]);
        let (begin, end) = (component.offset_ns(from), component.offset_ns(SimTime(to.0.saturating_sub(1))));
        let right = begin.abs() < NOTHING && end.abs() < NOTHING;
        let place = area(from, to);
        scene.rect(place, if right { look.good } else { look.busy });
        label(scene, place, &words(begin, end), look.text);
    }
    for (from, to, running) in component.running.pieces(across.from, across.end()) {
        if running == 0 {
            let place = area(from, to.min(across.to));
            scene.rect(place, look.bad);
            label(scene, place, "stands still", look.on_bad);
        }
    }
}

fn label(scene: &mut Scene, area: Area, words: &str, colour: super::Rgb) {
    let label = font::fit(words, SIZE, false, area.x1 - area.x0 - 8);
    if !label.is_empty() {
        let anchored = Text { anchor: Anchor::Start, ..plain(area.x0 + 5, area.y0 + 12, SIZE, colour, &label) };
        scene.push(Shape::Text(anchored));
    }
}

/// An offset as people say it: `90s fast`.
fn words(begin: i64, end: i64) -> String {
    let one = |offset: i64| {
        let long = Span::from_ns(offset.unsigned_abs() / 1_000_000 * 1_000_000);
        match offset {
            _ if offset.abs() < NOTHING => "right".to_string(),
            0.. => format!("{long} fast"),
            _ => format!("{long} slow"),
        }
    };
    let (first, last) = (one(begin), one(end));
    if first == last { first } else { format!("{first}, then {last}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_are_said_in_words() {
        for (begin, end, text) in [
            (0, 0, "right"),
            (90_000_000_000, 90_000_000_000, "1m30s fast"),
            (-2_000_000_000, -2_500_000_000, "2s slow, then 2.5s slow"),
        ] {
            assert_eq!(words(begin, end), text);
        }
    }
}
