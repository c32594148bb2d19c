//! Lanes in the terminal: a character for each column of time.

use super::columns::Columns;
use super::lanes::{Chart, Lane, Tone};
use super::theme::{self, Rgb};
use crate::timeline::Workload;
use std::fmt::Write as _;

/// The most lanes that a terminal shows.
const MOST_LANES: usize = 16;

/// What is drawn below a workload's rows.
pub(super) struct LaneText<'a> {
    pub(super) chart: &'a Chart,
    pub(super) workload: &'a Workload,
    pub(super) columns: Columns,
    /// Characters for the lanes' names.
    pub(super) labels: usize,
    pub(super) colour: bool,
}

impl LaneText<'_> {
    /// Writes the schedule, the lanes and what their characters mean.
    pub(super) fn draw(&self, text: &mut String) {
        if let Some((name, ticks)) = &self.chart.moments {
            let mut line = vec![' '; self.columns.count];
            for tick in ticks.iter().filter(|t| self.columns.has(t.at)) {
                let column = &mut line[self.columns.of(tick.at)];
                let bad = tick.tone == Tone::Bad || *column == '!';
                *column = if bad { '!' } else { '|' };
            }
            self.line(text, name, line.into_iter().map(|c| (c, None)), "");
        }
        let (shown, more) = self.shown();
        let mut seen: Vec<Tone> = Vec::new();
        for lane in &shown {
            let tones = self.row(lane);
            seen.extend(tones.iter().flatten());
            let colour = |tone| self.colour.then(|| colour(tone));
            let cells = tones.into_iter().map(|t| t.map_or((' ', None), |tone| (self.sign(tone), colour(tone))));
            self.line(text, &lane.name, cells, &lane.note);
        }
        if more > 0 {
            let _ = writeln!(text, "{:width$}  and {more} more", "", width = self.labels);
        }
        let _ = writeln!(text, "{:width$}  {}", "", self.key(&seen), width = self.labels);
    }

    /// The lanes in which most happens, in their order.
    fn shown(&self) -> (Vec<&Lane>, usize) {
        let lanes: Vec<&Lane> = self.chart.lanes.iter().collect();
        let more = lanes.len().saturating_sub(MOST_LANES);
        let mut by_size: Vec<usize> = (0..lanes.len()).collect();
        by_size.sort_by_key(|&i| std::cmp::Reverse(lanes[i].bars.len() + lanes[i].ticks.len()));
        by_size.truncate(MOST_LANES);
        by_size.sort_unstable();
        (by_size.into_iter().map(|i| lanes[i]).collect(), more + self.chart.left_out)
    }

    /// What each column of a lane shows.
    fn row(&self, lane: &Lane) -> Vec<Option<Tone>> {
        let mut columns: Vec<Option<Tone>> = vec![None; self.columns.count];
        for bar in &lane.bars {
            if bar.to < self.columns.start || bar.from >= self.columns.end {
                continue;
            }
            let first = self.columns.of(bar.from.max(self.columns.start));
            let last = self.columns.of(crate::time::SimTime(bar.to.0.saturating_sub(1)).max(bar.from));
            for column in &mut columns[first..=last.max(first)] {
                if column.is_none_or(|tone| tone < bar.tone) {
                    *column = Some(bar.tone);
                }
            }
        }
        for tick in lane.ticks.iter().filter(|t| self.columns.has(t.at)) {
            columns[self.columns.of(tick.at)] = Some(tick.tone);
        }
        columns
    }

    fn sign(&self, tone: Tone) -> char {
        match tone {
            Tone::Waiting => '-',
            Tone::Gated => '|',
            Tone::Revision(i) => {
                let number = self.workload.revisions().get(i).map_or(0, |r| r.number);
                char::from_digit(number % 10, 10).filter(|_| number > 0).unwrap_or('#')
            }
            Tone::Pale(_) => '.',
            Tone::Attaching => '~',
            Tone::Pulling => ':',
            Tone::Init => '+',
            Tone::Good => '=',
            Tone::Running => '>',
            Tone::Terminating => 'x',
            Tone::Lost => '?',
            Tone::Stopped => '#',
            Tone::Bad => '!',
        }
    }

    /// What the characters mean that appear.
    fn key(&self, seen: &[Tone]) -> String {
        let mut parts: Vec<&str> = Vec::new();
        let of_pods = |t: &Tone| {
            matches!(t, Tone::Revision(_) | Tone::Pale(_) | Tone::Gated | Tone::Attaching | Tone::Pulling | Tone::Init)
        };
        if seen.iter().any(|t| matches!(t, Tone::Revision(_))) {
            let numbered = self.workload.revisions().iter().any(|r| r.number > 0);
            parts.push(if numbered { "a digit: ready, of this revision" } else { "# ready" });
        }
        let runs = !seen.iter().any(of_pods);
        for (tone, name) in [
            (Tone::Good, "= succeeded"),
            (Tone::Bad, if runs { "! failed" } else { "! restarted or failed" }),
            (Tone::Stopped, "# stopped"),
            (Tone::Running, "> still running"),
            (Tone::Lost, "? lost: its machine is dead"),
            (Tone::Terminating, "x terminating"),
            (Tone::Attaching, "~ waits for its disk"),
            (Tone::Pulling, ": pulls its image"),
            (Tone::Init, "+ in its init containers"),
            (Tone::Gated, "| gated"),
            (Tone::Waiting, if runs { "- waiting" } else { "- pending" }),
        ] {
            if seen.contains(&tone) {
                parts.push(name);
            }
        }
        if seen.iter().any(|t| matches!(t, Tone::Pale(_))) {
            parts.push(". not ready");
        }
        parts.join("   ")
    }

    fn line(&self, text: &mut String, label: &str, cells: impl Iterator<Item = (char, Option<Rgb>)>, note: &str) {
        let label: String = label.chars().take(self.labels).collect();
        let mut line = format!("{label:<width$}  ", width = self.labels);
        let cells: Vec<(char, Option<Rgb>)> = cells.collect();
        for run in cells.chunk_by(|a, b| a.1 == b.1) {
            let signs: String = run.iter().map(|c| c.0).collect();
            match run[0].1 {
                Some(Rgb(r, g, b)) => {
                    let style = anstyle::RgbColor(r, g, b).on_default();
                    let _ = write!(line, "{style}{signs}{style:#}");
                }
                None => line.push_str(&signs),
            }
        }
        if !note.is_empty() {
            let _ = write!(line, "  {note}");
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
}

fn colour(tone: Tone) -> Rgb {
    match tone {
        Tone::Revision(i) | Tone::Pale(i) => theme::revision_colour(i),
        Tone::Attaching => theme::YELLOW,
        Tone::Pulling => theme::YELLOW,
        Tone::Gated | Tone::Init => theme::PURPLE,
        Tone::Good => theme::GREEN,
        Tone::Running => theme::SKY_BLUE,
        Tone::Stopped => theme::PURPLE,
        Tone::Bad => theme::VERMILLION,
        Tone::Lost => theme::ORANGE,
        Tone::Waiting | Tone::Terminating => Rgb(0x8A, 0x93, 0x9D),
    }
}
