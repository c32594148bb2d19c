//! A workload's conditions as bars below its plot.

use super::font;
use super::panel::{SMALL, text};
use super::scale::Across;
use super::scene::{Anchor, Area, Scene, Shape, Text};
use super::theme::Look;
use crate::time::SimTime;
use crate::timeline::{ConditionChange, Workload};

/// The height of a bar and of its row.
const BAR: i32 = 17;
pub(super) const ROW: i32 = 21;
/// The size of the text in bars.
const SIZE: i32 = 11;

/// How it stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Mood {
    Good,
    Busy,
    Bad,
}

/// A stretch of time in which a condition has one value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Stretch {
    pub(crate) from: SimTime,
    /// The next change, or the end that was asked for.
    pub(crate) to: SimTime,
    pub(crate) mood: Mood,
    /// From the longest text to the shortest.
    pub(crate) texts: Vec<String>,
}

/// A stretch as a bar.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Bar {
    x0: i32,
    x1: i32,
    mood: Mood,
    texts: Vec<String>,
}

/// A condition over time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Track {
    pub(super) name: &'static str,
    bars: Vec<Bar>,
}

/// The conditions that are shown.
const SHOWN: [&str; 3] = ["Progressing", "Available", "ReplicaFailure"];

/// The conditions of a workload up to a moment. `ReplicaFailure` is only shown
/// where it was true.
pub(crate) fn stretches(workload: &Workload, to: SimTime) -> Vec<(&'static str, Vec<Stretch>)> {
    let mut all: Vec<_> = SHOWN.into_iter().map(|name| (name, of_condition(workload, name, to))).collect();
    all.retain(|(name, stretches)| {
        let failing = *name != "ReplicaFailure" || stretches.iter().any(|s| s.mood == Mood::Bad);
        !stretches.is_empty() && failing
    });
    all
}

fn of_condition(workload: &Workload, name: &str, to: SimTime) -> Vec<Stretch> {
    let changes: Vec<&ConditionChange> = workload.conditions().iter().filter(|c| c.condition == name).collect();
    let stretch = |(i, change): (usize, &&ConditionChange)| Stretch {
        from: change.at,
        to: changes.get(i + 1).map_or(to, |next| next.at),
        mood: mood(change),
        texts: texts(change),
    };
    changes.iter().enumerate().filter(|(_, change)| !change.status.is_empty()).map(stretch).collect()
}

/// The conditions that a workload has in the window.
pub(super) fn tracks(workload: &Workload, across: Across) -> Vec<Track> {
    let track = |name| {
        let bars = of_condition(workload, name, across.to).into_iter().filter_map(|s| bar(s, across)).collect();
        Track { name, bars }
    };
    let mut tracks: Vec<Track> = SHOWN.into_iter().map(track).collect();
    tracks.retain(|t| {
        let failing = t.name != "ReplicaFailure" || t.bars.iter().any(|b| b.mood == Mood::Bad);
        !t.bars.is_empty() && failing
    });
    tracks
}

fn bar(stretch: Stretch, across: Across) -> Option<Bar> {
    let (x0, x1) = (across.x(stretch.from), across.x(stretch.to));
    let over = stretch.to < across.from || stretch.from > across.to || x0 >= x1;
    (!over).then_some(Bar { x0, x1, mood: stretch.mood, texts: stretch.texts })
}

fn mood(change: &ConditionChange) -> Mood {
    match (change.condition, &*change.status, &*change.reason) {
        ("ReplicaFailure", "True", _) => Mood::Bad,
        ("ReplicaFailure", ..) | ("Progressing", "True", "NewReplicaSetAvailable") => Mood::Good,
        ("Progressing", "True", _) | (_, "Unknown", _) => Mood::Busy,
        (_, "True", _) => Mood::Good,
        _ => Mood::Bad,
    }
}

/// What the bar says, as much of it as there is room for.
fn texts(change: &ConditionChange) -> Vec<String> {
    let word = match (change.condition, &*change.status, &*change.reason) {
        ("Progressing", _, "NewReplicaSetAvailable") => "complete",
        ("Progressing", _, "ProgressDeadlineExceeded") => "stuck",
        ("Progressing", _, "DeploymentPaused") => "paused",
        ("Progressing", "True", _) => "rolling out",
        ("Available", "True", _) => "enough",
        ("Available", "False", _) => "too few",
        _ => "",
    };
    let mark = match mood(change) {
        Mood::Good => "✓",
        Mood::Busy => "…",
        Mood::Bad => "✗",
    };
    let long = match change.reason.as_str() {
        "" => change.status.clone(),
        reason => format!("{}: {reason}", change.status),
    };
    let texts = [long, change.reason.clone(), word.to_string(), mark.to_string()];
    texts.into_iter().filter(|t| !t.is_empty()).collect()
}

impl Track {
    pub(super) fn draw(&self, scene: &mut Scene, across: Across, y: i32, look: Look) {
        let fits = font::width(self.name, SMALL, false) <= across.left - 14;
        let size = if fits { SMALL } else { SMALL - 2 };
        let name = text(across.left - 10, y + 13, Anchor::End, size, look.muted, self.name);
        scene.push(name);
        for bar in &self.bars {
            let (fill, ink) = match bar.mood {
                Mood::Good => (look.good, look.text),
                Mood::Busy => (look.busy, look.text),
                Mood::Bad => (look.bad, look.on_bad),
            };
            // A gap of one pixel keeps neighbours of one colour apart.
            let area = Area { x0: bar.x0, y0: y, x1: (bar.x1 - 1).max(bar.x0 + 1), y1: y + BAR };
            scene.rect(area, fill);
            let bold = bar.mood == Mood::Bad;
            let room = bar.x1 - bar.x0 - 6;
            let fits = |t: &&String| font::width(t, SIZE, bold) <= room;
            if let Some(label) = bar.texts.iter().find(fits) {
                let (x, anchor) = match label.chars().count() {
                    1 => (i32::midpoint(bar.x0, bar.x1), Anchor::Middle),
                    _ => (bar.x0 + 5, Anchor::Start),
                };
                scene.push(Shape::Text(Text {
                    x,
                    y: y + 12,
                    anchor,
                    size: SIZE,
                    bold,
                    colour: ink,
                    text: label.clone(),
                }));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(condition: &'static str, value: &str) -> ConditionChange {
        let (status, reason) = value.split_once('/').unwrap_or((value, ""));
        let (status, reason) = (status.to_string(), reason.to_string());
        ConditionChange { at: SimTime::ZERO, condition, status, reason }
    }

    #[test]
    fn conditions_have_moods_and_words() {
        for (condition, value, mood_of, shortest) in [
            ("Progressing", "True/NewReplicaSetAvailable", Mood::Good, "complete"),
            ("Progressing", "True/ReplicaSetUpdated", Mood::Busy, "rolling out"),
            ("Progressing", "False/ProgressDeadlineExceeded", Mood::Bad, "stuck"),
            ("Progressing", "Unknown/DeploymentPaused", Mood::Busy, "paused"),
            ("Available", "True/MinimumReplicasAvailable", Mood::Good, "enough"),
            ("Available", "False/MinimumReplicasUnavailable", Mood::Bad, "too few"),
            ("ReplicaFailure", "True/FailedCreate", Mood::Bad, "FailedCreate"),
        ] {
            let change = change(condition, value);
            assert_eq!(mood(&change), mood_of, "{condition} {value}");
            let texts = texts(&change);
            assert_eq!(texts[texts.len() - 2], shortest, "{condition} {value}");
        }
    }
}
