//! What the report's program reads.

use super::{Comparison, Variant, ground, nodes};
use crate::assertion::Verdict;
use crate::plot::Window;
use crate::plot::actions::short;
use crate::plot::conditions::{self, Mood, Stretch};
use crate::plot::lanes::{self, Bar, Chart, Form, Question, Story, Tick, Tone};
use crate::time::SimTime;
use crate::timeline::{Lives, Series, Service, Steps, Workload};
use crate::trace::{RecordId, Trace, What};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::hash::BuildHasherDefault;

type Map<K, V> = HashMap<K, V, BuildHasherDefault<rustc_hash::FxHasher>>;

pub(super) fn report(title: &str, variants: &[Variant<'_>], compared: &[Comparison]) -> Value {
    let rows: Vec<Value> = compared.iter().map(|c| json!({"name": c.name, "values": c.values})).collect();
    json!({
        "title": title,
        "version": env!("CARGO_PKG_VERSION"),
        "variants": variants.iter().map(variant).collect::<Vec<Value>>(),
        "compared": rows,
    })
}

fn variant(variant: &Variant<'_>) -> Value {
    let (trace, timeline) = (variant.trace, variant.timeline);
    let lives = Lives::of(trace, timeline);
    let story = Story { trace, timeline, lives: &lives, from: SimTime::ZERO, to: timeline.until };
    let (from, to) = Window::Auto.of(timeline);
    let told = (from, timeline.end());
    let actions: Vec<Value> = timeline
        .actions
        .iter()
        .map(|a| json!({"at": ms(a.at), "text": a.text, "short": brief(&a.text), "refused": a.rejected}))
        .collect();
    let workloads = (0..timeline.workloads().len()).map(|i| workload(story, i, told));
    let services = timeline.services().iter().map(|s| service(s, told));
    let workloads: Vec<Value> = workloads.chain(services).collect();
    let (subjects, texts, records) = records(trace);
    json!({
        "name": variant.name,
        "about": variant.about.map(str::trim),
        "command": variant.command,
        "start": timeline.start.to_string(),
        "until": ms(timeline.until),
        "window": [ms(from), ms(to)],
        "seed": trace.header.seed.to_string(),
        "digest": trace.digest(),
        "assumptions": trace.header.assumptions,
        "actions": actions,
        "verdicts": variant.verdicts.iter().map(verdict).collect::<Vec<Value>>(),
        "workloads": workloads,
        "capacity": ground::capacity(timeline, told),
        "nodes": nodes::lanes(trace, timeline, told),
        "subjects": subjects,
        "texts": texts,
        "records": records,
    })
}

/// An action in few words: of an image without where it comes from.
fn brief(text: &str) -> String {
    match text.rsplit_once(' ') {
        Some((what, image)) if what.starts_with("set image ") => {
            format!("{what} {}", image.rsplit('/').next().unwrap_or(image))
        }
        _ => short(text),
    }
}

/// Milliseconds, as numbers that JavaScript keeps exactly.
pub(super) fn ms(at: SimTime) -> Value {
    match at.0 % 1_000_000 {
        0 => json!(at.0 / 1_000_000),
        _ => json!(at.0 as f64 / 1e6),
    }
}

fn id(record: RecordId) -> i64 {
    record.some().map_or(-1, |r| i64::from(r.0))
}

fn verdict(verdict: &Verdict) -> Value {
    json!({
        "name": verdict.name,
        "claim": verdict.text,
        "passed": verdict.passed,
        "expects": verdict.fix.is_some(),
        "fix": verdict.fix.as_deref().map(str::trim),
        "found": verdict.found,
        "at": verdict.at.map(ms),
        "record": verdict.record.or(verdict.nearest).map_or(-1, id),
    })
}

/// The sentence tells of a range of time.
fn workload(story: Story<'_>, index: usize, (from, end): (SimTime, SimTime)) -> Value {
    let seen = &story.timeline.workloads()[index];
    let question = lanes::usual_question(seen.kind).unwrap_or(Question::Places);
    let chart = lanes::chart(story, index, question);
    let runs = matches!(question, Question::Overlap | Question::Completion);
    let headline = chart.headline(seen, from, end);
    let series: Vec<Value> =
        if runs { Vec::new() } else { Series::ALL.into_iter().filter_map(|s| line(seen, s)).collect() };
    let layers = if runs { Vec::new() } else { layers(seen) };
    let conditions: Vec<Value> = conditions::stretches(seen, story.timeline.until)
        .into_iter()
        .map(|(name, stretches)| {
            let bars = stretches.iter().map(|s| stretch(story.trace, seen, name, s)).collect::<Vec<Value>>();
            json!({"name": name, "bars": bars})
        })
        .collect();
    json!({
        "kind": seen.kind.name(),
        "namespace": seen.namespace,
        "name": seen.name,
        "path": seen.path(),
        "headline": headline,
        "series": series,
        "layers": layers,
        "conditions": conditions,
        "lanes": drawn(&chart),
        "zones": ground::zones(story.timeline, seen, (from, end)),
        "runs": runs,
    })
}

/// A stretch of a condition: from, to, how it stands, its texts, its record.
fn stretch(trace: &Trace, workload: &Workload, condition: &str, stretch: &Stretch) -> Value {
    let mood = match stretch.mood {
        Mood::Good => "good",
        Mood::Busy => "busy",
        Mood::Bad => "bad",
    };
    let first = trace.records.partition_point(|r| r.at < stretch.from);
    let mut then = trace.records.iter().enumerate().skip(first).take_while(|(_, r)| r.at == stretch.from);
    let set = then.find(|(_, r)| {
        let subject = trace.subject(r.subject);
        let about = subject.kind == workload.kind && *subject.name == *workload.name;
        about && matches!(r.what, What::Set { field, .. } if field.name().ends_with(condition))
    });
    let record = set.map_or(-1, |(i, _)| i as i64);
    json!([ms(stretch.from), ms(stretch.to), mood, stretch.texts, record])
}

/// What becomes of a Service's requests, drawn as a workload without lanes.
fn service(service: &Service, (from, end): (SimTime, SimTime)) -> Value {
    let points = |series: Series| {
        let steps = service.series(series).filter(|steps| steps.points().iter().any(|p| p.1 != 0))?;
        let lasting = steps.lasting(crate::plot::SHORTEST);
        let scale = series.scale();
        let value = |v: i64| if scale == 1 { json!(v) } else { json!((v as f64 / scale as f64 * 1e3).round() / 1e3) };
        Some(lasting.points().iter().flat_map(|&(at, v)| [ms(at), value(v)]).collect::<Vec<Value>>())
    };
    let line = |series: Series| points(series).map(|points| json!({"name": series.name(), "points": points}));
    let band = |(series, tone, name): (Series, &str, &str)| {
        points(series).map(|points| json!({"tone": tone, "name": name, "points": points}))
    };
    let bands = [
        (Series::Served, "served", "served"),
        (Series::Errors, "errors", "answered with an error"),
        (Series::Shed, "shed", "too many"),
        (Series::Refused, "refused", "nobody answers"),
    ];
    let lines: Vec<Value> = [Series::Requests, Series::Capacity].into_iter().filter_map(line).collect();
    let bands: Vec<Value> = bands.into_iter().filter_map(band).collect();
    let no_lanes = json!({
        "unit": "", "lanes": [], "leftOut": 0, "legend": [], "moments": null, "limits": [], "count": null,
    });
    json!({
        "kind": "Service",
        "namespace": service.namespace,
        "name": service.name,
        "path": service.path(),
        "headline": crate::plot::load_headline(service, from, end),
        "series": lines,
        "bands": bands,
        "layers": [],
        "conditions": [],
        "lanes": no_lanes,
        "zones": null,
        "runs": false,
    })
}

fn line(workload: &Workload, series: Series) -> Option<Value> {
    if series == Series::Serving && !workload.tells_serving() {
        return None;
    }
    let steps = workload.series(series);
    let shown = !steps.is_empty() && (steps.points().iter().any(|p| p.1 != 0) || series == Series::Available);
    shown.then(|| json!({"name": series.name(), "points": points(steps)}))
}

/// The values of a step function, the time of each before it.
pub(super) fn points(steps: &Steps) -> Vec<Value> {
    let lasting = steps.lasting(crate::plot::SHORTEST);
    lasting.points().iter().flat_map(|&(at, value)| [ms(at), json!(value)]).collect()
}

/// Pods on nodes by revision: ready, not ready, terminating.
fn layers(workload: &Workload) -> Vec<Value> {
    let of = |(i, revision): (usize, &crate::timeline::Revision)| {
        let going = revision.ready.zip_with(&revision.terminating, |r, t| r + t);
        let unready = revision.on_node.zip_with(&going, |n, g| (n - g).max(0));
        let name = match (revision.number, crate::plot::image_of(workload, revision)) {
            (0, _) => "pods".to_string(),
            (number, "") => format!("revision {number}"),
            (number, image) => format!("revision {number}, {image}"),
        };
        json!({
            "name": name, "revision": i,
            "ready": points(&revision.ready),
            "unready": points(&unready),
            "terminating": points(&revision.terminating),
        })
    };
    workload.revisions().iter().enumerate().map(of).collect()
}

fn tone(tone: Tone) -> (&'static str, usize) {
    match tone {
        Tone::Waiting => ("waiting", 0),
        Tone::Gated => ("gated", 0),
        Tone::Revision(i) => ("revision", i),
        Tone::Pale(i) => ("pale", i),
        Tone::Attaching => ("attaching", 0),
        Tone::Pulling => ("pulling", 0),
        Tone::Init => ("init", 0),
        Tone::Good => ("good", 0),
        Tone::Running => ("running", 0),
        Tone::Terminating => ("terminating", 0),
        Tone::Stopped => ("stopped", 0),
        Tone::Lost => ("lost", 0),
        Tone::Bad => ("bad", 0),
    }
}

fn bar(bar: &Bar) -> Value {
    let (tone, revision) = tone(bar.tone);
    json!([
        ms(bar.from),
        ms(bar.to),
        tone,
        revision,
        u8::from(bar.form == Form::Thin),
        bar.texts,
        bar.about,
        id(bar.record)
    ])
}

fn tick(tick: &Tick) -> Value {
    json!([ms(tick.at), tone(tick.tone).0, tick.about, id(tick.record)])
}

fn drawn(chart: &Chart) -> Value {
    let lanes: Vec<Value> = chart
        .lanes
        .iter()
        .map(|lane| {
            json!({
                "name": lane.name, "note": lane.note,
                "bars": lane.bars.iter().map(bar).collect::<Vec<Value>>(),
                "ticks": lane.ticks.iter().map(tick).collect::<Vec<Value>>(),
            })
        })
        .collect();
    let legend: Vec<Value> = chart
        .legend
        .iter()
        .map(|(entry, form, name)| {
            let (tone, revision) = tone(*entry);
            json!({"tone": tone, "revision": revision, "thin": *form == Form::Thin, "name": name})
        })
        .collect();
    let moments = chart
        .moments
        .as_ref()
        .map(|(name, ticks)| json!({"name": name, "ticks": ticks.iter().map(tick).collect::<Vec<Value>>()}));
    let limits: Vec<Value> = chart.limits.iter().map(|(at, name)| json!({"at": ms(*at), "name": name})).collect();
    let count = chart.count.as_ref().map(|count| {
        json!({
            "name": count.name,
            "points": points(&count.steps),
            "tone": tone(count.tone).0,
            "other": count.other.as_ref().map(|(name, steps, t)| json!({"name": name, "points": points(steps), "tone": tone(*t).0})),
            "limit": count.limit.as_ref().map(|(name, n)| json!({"name": name, "value": n})),
            "aboveIsBad": count.above_is_bad,
        })
    });
    json!({
        "unit": chart.unit, "lanes": lanes, "leftOut": chart.left_out, "legend": legend,
        "moments": moments, "limits": limits, "count": count,
    })
}

/// Subjects with their workloads, texts without their subjects' names, and
/// for each record its time, its cause, its subject and its text.
fn records(trace: &Trace) -> (Vec<Value>, Vec<String>, Vec<Value>) {
    let called: Vec<String> = trace.subjects.iter().map(crate::explain::called).collect();
    let subjects = trace
        .subjects
        .iter()
        .zip(&called)
        .map(|(s, called)| json!([called, s.owner.map_or(-1, |o| i64::from(o.0))]))
        .collect();
    let (mut texts, mut known): (Vec<String>, Map<String, usize>) = (Vec::new(), Map::default());
    let mut records = Vec::with_capacity(trace.records.len() * 4);
    for record in &trace.records {
        // Most texts differ in their subject's name alone, so few are kept.
        let text = trace.describe(record);
        let name = called.get(record.subject.0 as usize).map_or("", String::as_str);
        let text = match text.strip_prefix(name) {
            Some(rest) if !name.is_empty() => format!("\u{1}{rest}"),
            _ => text,
        };
        let number = *known.entry(text).or_insert_with_key(|text| {
            texts.push(text.clone());
            texts.len() - 1
        });
        records.extend([ms(record.at), json!(id(record.cause)), json!(record.subject.0), json!(number)]);
    }
    (subjects, texts, records)
}
