//! Lanes of pods: by ordinal, by node, by slot.

use super::{Bar, Chart, Count, Form, Lane, Story, Tick, Tone, count_spans, legend_of, pack};
use crate::api::Kind;
use crate::plot::image_of;
use crate::time::SimTime;
use crate::timeline::{Ending, Life, Phase, Workload};
use std::collections::BTreeMap;

/// Each place that the workload's pods take in turn.
pub(super) fn places(story: Story<'_>, workload: usize) -> Chart {
    match story.workload(workload).kind {
        Kind::StatefulSet => by_mark(story, workload, "ordinal"),
        Kind::DaemonSet => per_node(story, workload),
        _ => slots(story, workload),
    }
}

/// The same with the number of pods that run in the same place at once.
pub(super) fn overlap(story: Story<'_>, workload: usize) -> Chart {
    let mut chart = places(story, workload);
    let until = story.timeline.until;
    let seen = story.workload(workload);
    let mut groups: BTreeMap<String, Vec<(SimTime, SimTime)>> = BTreeMap::new();
    for life in story.lives.of_workload(workload) {
        let place = match seen.kind {
            Kind::StatefulSet => life.mark.clone(),
            Kind::DaemonSet => node_name(story, life),
            _ => String::new(),
        };
        if let Some(started) = life.started() {
            groups.entry(place).or_default().push((started, life.ended(until)));
        }
    }
    let counts: Vec<_> = groups.values().map(|spans| count_spans(spans)).collect();
    let most = counts.iter().fold(crate::timeline::Steps::default(), |most, one| most.zip_with(one, i64::max));
    let desired = seen.series(crate::timeline::Series::Desired).max_over(story.from, story.to);
    let (name, limit) = match seen.kind {
        Kind::StatefulSet => ("in one ordinal", 1),
        Kind::DaemonSet => ("on one node", 1),
        _ => ("running", desired.max(1)),
    };
    chart.count = Some(Count {
        name,
        steps: most,
        tone: Tone::Running,
        other: None,
        limit: Some((format!("{limit} at a time"), limit)),
        above_is_bad: true,
    });
    chart
}

/// A lane for each mark of the pods' names.
fn by_mark(story: Story<'_>, workload: usize, unit: &'static str) -> Chart {
    let mut lanes: BTreeMap<(i64, String), Lane> = BTreeMap::new();
    for life in lives_in_view(story, workload) {
        let key = (life.mark.parse().unwrap_or(i64::MAX), life.mark.clone());
        let name = format!("{}-{}", story.workload(workload).name, life.mark);
        let lane = lanes.entry(key).or_insert_with(|| Lane { name, ..Lane::default() });
        add(lane, story, life);
        lane.note = match life.node {
            Some(node) if life.created() <= story.to => format!("on {}", story.trace.subject(node).name),
            _ => String::new(),
        };
    }
    finish(story, workload, unit, lanes.into_values().collect())
}

/// A lane for each node that had a pod.
pub(super) fn per_node(story: Story<'_>, workload: usize) -> Chart {
    let mut lanes: BTreeMap<(String, u64, String), Lane> = BTreeMap::new();
    for life in lives_in_view(story, workload) {
        let name = node_name(story, life);
        let key = natural(&name);
        add(lanes.entry(key).or_insert_with(|| Lane { name, ..Lane::default() }), story, life);
    }
    finish(story, workload, "node", lanes.into_values().collect())
}

/// Rows that pods take as they come.
fn slots(story: Story<'_>, workload: usize) -> Chart {
    let lives: Vec<&Life> = lives_in_view(story, workload).collect();
    let until = story.timeline.until;
    let spans: Vec<_> = lives.iter().map(|l| (l.created(), l.ended(until))).collect();
    let (rows, count) = pack(&spans);
    let mut lanes = vec![Lane::default(); count];
    for (life, row) in lives.iter().zip(rows) {
        add(&mut lanes[row], story, life);
    }
    for (i, lane) in lanes.iter_mut().enumerate() {
        lane.name = (i + 1).to_string();
    }
    finish(story, workload, "slot", lanes)
}

fn lives_in_view(story: Story<'_>, workload: usize) -> impl Iterator<Item = &Life> {
    let until = story.timeline.until;
    story.lives.of_workload(workload).filter(move |l| story.seen(l.created(), l.ended(until)))
}

fn node_name(story: Story<'_>, life: &Life) -> String {
    // A daemon that waits for its node is called after it.
    life.node.map_or_else(|| life.mark.clone(), |node| story.trace.subject(node).name.to_string())
}

/// Numbers at the ends of names count as numbers: `a-2` comes before `a-10`.
pub(in crate::plot) fn natural(name: &str) -> (String, u64, String) {
    let head = name.trim_end_matches(|c: char| c.is_ascii_digit());
    (head.to_string(), name[head.len()..].parse().unwrap_or(0), name.to_string())
}

fn finish(story: Story<'_>, workload: usize, unit: &'static str, mut lanes: Vec<Lane>) -> Chart {
    let seen = story.workload(workload);
    for lane in &mut lanes {
        lane.bars.sort_by_key(|b| b.from);
        lane.ticks.sort_by_key(|t| t.at);
    }
    Chart { unit, legend: legend(story, seen, &lanes), lanes, ..Chart::default() }
}

fn legend(story: Story<'_>, workload: &Workload, lanes: &[Lane]) -> Vec<(Tone, Form, String)> {
    let names: Vec<String> = workload
        .revisions()
        .iter()
        .map(|revision| {
            let image = image_of(workload, revision);
            match (revision.number, image) {
                (0, _) => "ready".to_string(),
                (number, "") => format!("revision {number}"),
                (number, image) => format!("revision {number}, {image}"),
            }
        })
        .collect();
    let mut entries: Vec<(Tone, Form, &str)> =
        names.iter().enumerate().map(|(i, name)| (Tone::Revision(i), Form::Full, name.as_str())).collect();
    let pale = (0..names.len()).rev().map(|i| (Tone::Pale(i), Form::Full, "not ready"));
    let pale = pale.filter(|p| !legend_of(story, lanes, &[*p]).is_empty()).take(1);
    entries.extend(pale);
    entries.push((Tone::Waiting, Form::Thin, "pending"));
    entries.push((Tone::Gated, Form::Thin, "gated"));
    entries.push((Tone::Attaching, Form::Full, "attaching: waits for its disk"));
    entries.push((Tone::Pulling, Form::Thin, "pulling its image"));
    entries.push((Tone::Init, Form::Full, "in its init containers"));
    entries.push((Tone::Terminating, Form::Full, "terminating"));
    legend_of(story, lanes, &entries)
}

/// Adds the bars of a pod to a lane.
pub(super) fn add(lane: &mut Lane, story: Story<'_>, life: &Life) {
    let name = &story.trace.subject(life.subject).name;
    for (from, to, stretch) in life.pieces(story.timeline.until) {
        let (tone, form) = match stretch.phase {
            Phase::Pending => (Tone::Waiting, Form::Thin),
            Phase::Gated => (Tone::Gated, Form::Thin),
            Phase::Attaching => (Tone::Attaching, Form::Full),
            Phase::Pulling => (Tone::Pulling, Form::Thin),
            Phase::Init => (Tone::Init, Form::Full),
            Phase::Starting | Phase::Running | Phase::Unanswered => (Tone::Pale(life.revision), Form::Full),
            Phase::Ready => (Tone::Revision(life.revision), Form::Full),
            Phase::Terminating => (Tone::Terminating, Form::Full),
        };
        let about = format!("pod {name} {} for {}", stretch.phase.name(), to.since(from));
        lane.bars.push(Bar { from, to, tone, form, texts: Vec::new(), about, record: stretch.record });
    }
    for &(at, record) in &life.restarts {
        let about = format!("pod {name} restarted in place");
        lane.ticks.push(Tick { at, tone: Tone::Bad, about, record });
    }
    if let Some((at, Ending::Failed(why), record)) = &life.end {
        let about = format!("pod {name} failed: {why}");
        lane.ticks.push(Tick { at: *at, tone: Tone::Bad, about, record: *record });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_sort_as_numbers() {
        let mut names = ["b-1", "a-10", "a-2", "a"];
        names.sort_by_key(|n| natural(n));
        assert_eq!(names, ["a", "a-2", "a-10", "b-1"]);
    }
}
