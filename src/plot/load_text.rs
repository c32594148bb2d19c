//! What becomes of the requests for a Service, in block characters and in
//! words.

use super::columns::{Columns, Keep};
use super::text::{TextOptions, painted};
use super::theme::{self, Rgb};
use super::{SHORTEST, axis};
use crate::time::SimTime;
use crate::timeline::{Series, Service, Steps, Timeline, rate};
use std::fmt::Write as _;

/// A row of blocks.
struct Row {
    label: &'static str,
    steps: Steps,
    keep: Keep,
    note: String,
    colour: Rgb,
}

/// What became of the requests of a time, such as `54000 requests from 1m to
/// 10m, 720 failed (1.33%): 720 nobody answered`.
pub fn headline(service: &Service, from: SimTime, end: SimTime) -> String {
    let flows = service.flows(from, end);
    let whole = |micro: i128| rate_of(micro);
    // The end of a run is the end of a half-open range.
    let of = format!("from {from} to {}", SimTime(end.0.saturating_sub(1).div_ceil(1_000_000) * 1_000_000));
    if flows.failed == 0 {
        return format!("{} requests {of}, none failed", whole(flows.requests));
    }
    let reasons = [
        (flows.refused, "nobody answered"),
        (flows.shed, "too many"),
        (flows.errors, "answered with an error"),
        (flows.cut, "cut off"),
    ];
    let reasons: Vec<String> =
        reasons.iter().filter(|r| r.0 > 0).map(|(micro, what)| format!("{} {what}", whole(*micro))).collect();
    let share = flows.failed as f64 * 100.0 / (flows.requests.max(1)) as f64;
    let share = if share < 0.01 { "less than 0.01%".to_string() } else { format!("{share:.2}%") };
    format!("{} requests {of}, {} failed ({share}): {}", whole(flows.requests), whole(flows.failed), reasons.join(", "))
}

/// Whole requests; of less than one its part.
fn rate_of(micro: i128) -> String {
    match micro {
        0..=999_999 => rate(micro as i64),
        _ => ((micro + 500_000) / 1_000_000).to_string(),
    }
}

/// Draws a Service below the workloads.
pub(super) fn draw(timeline: &Timeline, service: &Service, options: &TextOptions) -> String {
    let mut text = String::new();
    let (from, to) = options.window.of(timeline);
    let end = to.after(crate::time::Span::from_ns(1));
    let (requests, pods) = rows(service, from, end);
    let all = || requests.iter().chain(&pods);
    let labels = all().map(|row| row.label.len()).max().unwrap_or(0).max(9);
    let notes = all().map(|row| row.note.chars().count()).max().unwrap_or(0);
    let room = options.width.max(40).saturating_sub(labels + 2 + notes + 2);
    let columns = Columns::fit(from, to, room);
    let top = |rows: &[Row]| rows.iter().map(|row| row.steps.max_over(from, end)).max().unwrap_or(0).max(1);
    let full = if options.ascii { '@' } else { '█' };
    let each = axis::clock(SimTime(columns.each.0));
    let (most, pods_at_most) = (top(&requests), super::sentence::pods(top(&pods)));
    let name = if several_namespaces(timeline) { format!("{}/", service.namespace) } else { String::new() };
    let unit = format!("{full} = {} requests/s and {pods_at_most}", rate(most));
    let _ = writeln!(text, "{name}{}  ({unit}, a column = {each})", service.path());
    let axis = columns.axis();
    let _ = writeln!(text, "{}", format!("{:labels$}  {axis}", "").trim_end());
    for rows in [&requests, &pods] {
        let top = top(rows);
        for row in rows {
            let blocks = columns.blocks(&row.steps, row.keep, top, options.blocks());
            let blocks = painted(&blocks, row.colour, options.colour);
            let _ = writeln!(text, "{}", format!("{:<labels$}  {blocks}  {}", row.label, row.note).trim_end());
        }
    }
    let _ = writeln!(text, "{}", headline(service, from, options.window.told_until(timeline, end)));
    text
}

fn several_namespaces(timeline: &Timeline) -> bool {
    timeline.services().iter().any(|other| other.namespace != timeline.services()[0].namespace)
}

/// Rows of requests, and rows of pods.
fn rows(service: &Service, from: SimTime, end: SimTime) -> (Vec<Row>, Vec<Row>) {
    let row = |series: Series, label, keep, colour, note: &dyn Fn(&Steps) -> String| {
        let steps = service.series(series)?.lasting(SHORTEST);
        (!steps.is_empty()).then(|| Row { label, note: note(&steps), steps, keep, colour })
    };
    let at = |when: SimTime| if when > from { format!(" at {when}") } else { String::new() };
    let most = |steps: &Steps| {
        let (when, most) = steps.first_max(from, end);
        format!("max {}{}", rate(most), at(when))
    };
    let least = |steps: &Steps| {
        let (when, least) = steps.first_min(from, end);
        format!("min {}{}", rate(least), at(when))
    };
    let pods = |steps: &Steps| {
        let (when, least) = steps.first_min(from, end);
        format!("min {least}{}", at(when))
    };
    let dead = |steps: &Steps| {
        let (when, most) = steps.first_max(from, end);
        format!("max {most}{}", at(when))
    };
    let happens = |row: &Row| row.steps.max_over(from, end) > 0;
    let mut requests = vec![row(Series::Requests, "requests", Keep::Greatest, theme::SKY_BLUE, &most)];
    requests.push(row(Series::Capacity, "capacity", Keep::Least, theme::BLUE, &least));
    requests.push(row(Series::FailedRequests, "failed", Keep::Greatest, theme::VERMILLION, &most).filter(happens));
    let mut of_pods = vec![row(Series::Routable, "routable", Keep::Least, theme::GREEN, &pods)];
    of_pods.push(row(Series::Serving, "serving", Keep::Least, theme::BLUE, &pods));
    of_pods.push(row(Series::DeadEnds, "dead ends", Keep::Greatest, theme::VERMILLION, &dead).filter(happens));
    (requests.into_iter().flatten().collect(), of_pods.into_iter().flatten().collect())
}
