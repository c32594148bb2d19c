//! Timelines of single runs in the report of a sweep: pictures that take the
//! colours of the page.

use crate::campaign::{Advice, Axis, Part, Summary, Value as Got};
use crate::error::Error;
use crate::plot::{self, PlotOptions, Theme};
use crate::timeline::Timeline;
use crate::trace::Trace;
use serde_json::{Value, json};

/// No further run is drawn once the pictures have so many characters.
const MOST_TEXT: usize = 3_000_000;
/// Or the runs so many records, as each of them is run again to be drawn.
const MOST_RECORDS: usize = 400_000;
/// The width of the pictures in pixels.
const WIDTH: u32 = 1_000;

/// Gives a run of a point with a seed again.
pub type Again<'a> = &'a dyn Fn(usize, u64) -> Option<Trace>;

/// The runs that a reader looks for, as far as there is room: of the setting
/// to choose, of the manifest as it is, of those on the front and then of the
/// others the worst, the median and the best run by what is weighed.
///
/// # Errors
/// None that is known.
pub(super) fn drawn(part: &Part, summary: &Summary, advice: &Advice, again: Again<'_>) -> Result<Vec<Value>, Error> {
    let (mut all, mut text, mut records) = (Vec::new(), 0, 0);
    for point in order(summary, advice) {
        for run in sought(part, summary, point) {
            if text > MOST_TEXT || records > MOST_RECORDS {
                return Ok(all);
            }
            let seed = part.rows[first_row(part, point) + run].seed;
            let Some(trace) = again(point, seed) else { continue };
            records += trace.records.len();
            let title = format!("{}, seed {seed}", part.plan.label(point));
            let (picture, colours) = picture(&trace, &title)?;
            text += picture.len();
            all.push(json!({"point": point, "run": run, "picture": picture, "colours": colours}));
        }
    }
    Ok(all)
}

/// The points that were run, those that readers look at first.
fn order(summary: &Summary, advice: &Advice) -> Vec<usize> {
    let mut points: Vec<_> = summary.points.iter().collect();
    points.sort_by_key(|p| (advice.point != Some(p.point), !p.own, !p.front[0], p.point));
    points.into_iter().map(|p| p.point).collect()
}

fn first_row(part: &Part, point: usize) -> usize {
    point * part.plan.seeds.count() as usize
}

/// The worst, the median and the best run of a point: by what is kept, and by
/// what it costs.
fn sought(part: &Part, summary: &Summary, point: usize) -> Vec<usize> {
    let first = first_row(part, point);
    let rows = part.rows.get(first..first + part.plan.seeds.count() as usize).unwrap_or_default();
    let by = |axis: Axis| {
        let cost = |&run: &usize| (axis.cost(rows[run].value(axis.column).map_or(Got::Never, Got::Is)), run);
        let mut runs: Vec<usize> = (0..rows.len()).collect();
        runs.sort_by_key(cost);
        // Of those that are as bad as the worst the first, as elsewhere.
        let worst = runs.last().map(|&last| cost(&last).0);
        let worst = runs.iter().find(|run| Some(cost(run).0) == worst);
        [worst, runs.get((runs.len().max(1) - 1) / 2), runs.first()].map(Option::<&usize>::copied)
    };
    let (kept, across) = (by(summary.kept()), by(summary.axes.across));
    let mut sought: Vec<usize> = Vec::new();
    for run in kept.into_iter().zip(across).flat_map(|(kept, across)| [kept, across]).flatten() {
        if !sought.contains(&run) {
            sought.push(run);
        }
    }
    sought
}

/// A picture with `#{n}` for its colours, and these for light and dark pages.
fn picture(trace: &Trace, title: &str) -> Result<(String, [Vec<String>; 2]), Error> {
    let timeline = Timeline::of(trace);
    let drawn = |theme| {
        let options = PlotOptions { width: WIDTH, theme, title: Some(title.to_string()), ..PlotOptions::default() };
        plot::draw_svg(trace, &timeline, &options)
    };
    Ok(themed(&drawn(Theme::Light)?, &drawn(Theme::Dark)?))
}

/// Two pictures that differ in their colours alone as one.
fn themed(light: &str, dark: &str) -> (String, [Vec<String>; 2]) {
    let mut pairs: Vec<(&str, &str)> = Vec::new();
    let mut text = String::with_capacity(light.len());
    let mut rest = light;
    let mut others = colours(dark);
    for (at, colour) in colours(light) {
        let other = others.next().map_or(colour, |(_, other)| other);
        let place = pairs.iter().position(|pair| *pair == (colour, other)).unwrap_or_else(|| {
            pairs.push((colour, other));
            pairs.len() - 1
        });
        let (before, after) = rest.split_at(at - (light.len() - rest.len()));
        text.push_str(before);
        text.push_str(&format!("#{{{place}}}"));
        rest = &after[colour.len()..];
    }
    text.push_str(rest);
    let of = |pick: fn(&(&str, &str)) -> String| pairs.iter().map(pick).collect();
    (text, [of(|pair| pair.0.to_string()), of(|pair| pair.1.to_string())])
}

/// Where colours stand in a picture: `#` and six digits, in quotes.
fn colours(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let is = |at: usize| {
        let colour = text.get(at..at + 7).filter(|_| text.get(at + 7..at + 8) == Some("\""))?;
        colour[1..].bytes().all(|b| b.is_ascii_hexdigit()).then_some((at, colour))
    };
    text.match_indices('#').filter_map(move |(at, _)| is(at))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn one_picture_has_the_colours_of_both_themes() {
        let (text, [light, dark]) = themed(
            r##"<a fill="#FFFFFF"/>#1<b fill="#000000" stroke="#FFFFFF"/>"##,
            r##"<a fill="#111111"/>#1<b fill="#222222" stroke="#333333"/>"##,
        );
        assert_eq!(text, r##"<a fill="#{0}"/>#1<b fill="#{1}" stroke="#{2}"/>"##);
        assert_eq!(
            (light.join(" "), dark.join(" ")),
            ("#FFFFFF #000000 #FFFFFF".into(), "#111111 #222222 #333333".into())
        );
        for (name, trace) in fixture::all() {
            let (text, colours) = picture(&trace, name).expect("it can be drawn");
            let timeline = Timeline::of(&trace);
            for (theme, colours) in [Theme::Light, Theme::Dark].into_iter().zip(&colours) {
                let filled = colours
                    .iter()
                    .enumerate()
                    .fold(text.clone(), |text, (i, colour)| text.replace(&format!("#{{{i}}}"), colour));
                let options =
                    PlotOptions { width: WIDTH, theme, title: Some(name.to_string()), ..PlotOptions::default() };
                assert_eq!(filled, plot::draw_svg(&trace, &timeline, &options).expect("it can be drawn"), "{name}");
            }
        }
    }
}
