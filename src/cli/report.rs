//! The results of runs, for programs. The structure is described in
//! `docs/report.md`; fields are added, never renamed or removed.

use super::run::Finished;
use super::table;
use seatrial::assertion::Verdict;
use seatrial::scenario::file::API_VERSION;
use seatrial::time::SimTime;
use seatrial::timeline::{Rollout, Series, Timeline, Workload};
use serde::Serialize;

/// The results of all runs.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report<'a> {
    api_version: &'static str,
    kind: &'static str,
    passed: bool,
    scenarios: Vec<Scenario<'a>>,
}

/// The result of one run.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Scenario<'a> {
    name: &'a str,
    about: Option<&'a str>,
    passed: bool,
    digest: String,
    seed: u64,
    start: String,
    duration_ms: u64,
    reproduce: String,
    assumptions: &'a [String],
    actions: Vec<Action<'a>>,
    workloads: Vec<Figures<'a>>,
    verdicts: Vec<Judged<'a>>,
}

/// Something that somebody did.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Action<'a> {
    at_ms: u64,
    text: &'a str,
    rejected: Option<&'a str>,
}

/// A workload's figures: at the end, and its extremes since the first action.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Figures<'a> {
    kind: &'static str,
    namespace: &'a str,
    name: &'a str,
    desired: i64,
    ready: i64,
    updated: i64,
    available: i64,
    min_available: Extreme,
    max_on_node: Extreme,
    restarts: i64,
    rollouts: Vec<RolloutFigures<'a>>,
    headline: String,
}

/// A value and when it was first reached.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Extreme {
    value: i64,
    at_ms: u64,
}

/// A revision taking over.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RolloutFigures<'a> {
    revision: u32,
    image: &'a str,
    start_ms: u64,
    end_ms: Option<u64>,
    superseded_ms: Option<u64>,
    stalled_ms: Option<u64>,
}

/// A verdict.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Judged<'a> {
    name: &'a str,
    claim: &'a str,
    passed: bool,
    expects: bool,
    fix: Option<&'a str>,
    at_ms: Option<u64>,
    found: &'a str,
    record: Option<u32>,
    why: Vec<String>,
    file: Option<String>,
    line: Option<usize>,
    column: Option<usize>,
}

/// The report as JSON.
pub(super) fn json(all: &[Finished]) -> Result<String, String> {
    serde_json::to_string_pretty(&report(all)).map(|t| t + "\n").map_err(|e| e.to_string())
}

/// The report as YAML.
pub(super) fn yaml(all: &[Finished]) -> Result<String, String> {
    serde_yaml::to_string(&report(all)).map_err(|e| e.to_string())
}

fn report(all: &[Finished]) -> Report<'_> {
    Report {
        api_version: API_VERSION,
        kind: "Report",
        passed: all.iter().all(Finished::passed),
        scenarios: all.iter().map(scenario).collect(),
    }
}

fn scenario(finished: &Finished) -> Scenario<'_> {
    let Finished { rehearsal, trace, timeline, verdicts } = finished;
    let setup = &rehearsal.setup;
    let first = timeline.actions.iter().map(|a| a.at).min().unwrap_or(SimTime::ZERO);
    Scenario {
        name: &setup.title,
        about: rehearsal.about.as_deref(),
        passed: finished.passed(),
        digest: trace.digest(),
        seed: setup.seed,
        start: setup.start.to_string(),
        duration_ms: setup.until.as_ms(),
        reproduce: table::reproduce(&rehearsal.arguments, setup.seed),
        assumptions: &setup.assumptions,
        actions: timeline
            .actions
            .iter()
            .map(|a| Action { at_ms: a.at.as_ms(), text: &a.text, rejected: a.rejected.as_deref() })
            .collect(),
        workloads: timeline.workloads().iter().map(|w| figures(timeline, w, first)).collect(),
        verdicts: verdicts.iter().map(|v| judged(finished, v)).collect(),
    }
}

fn figures<'a>(timeline: &Timeline, workload: &'a Workload, first: SimTime) -> Figures<'a> {
    let (from, end) = (first.max(workload.created), timeline.end());
    let last = |series| workload.series(series).at(timeline.until);
    let extreme = |(at, value): (SimTime, i64)| Extreme { value, at_ms: at.as_ms() };
    Figures {
        kind: workload.kind.name(),
        namespace: &workload.namespace,
        name: &workload.name,
        desired: last(Series::Desired),
        ready: last(Series::Ready),
        updated: last(Series::Updated),
        available: last(Series::Available),
        min_available: extreme(workload.series(Series::Available).first_min(from, end)),
        max_on_node: extreme(workload.series(Series::OnNode).first_max(from, end)),
        restarts: last(Series::Restarts),
        rollouts: workload.rollouts().iter().map(|r| rollout(workload, r)).collect(),
        headline: seatrial::plot::headline(workload, from, end),
    }
}

fn rollout<'a>(workload: &'a Workload, rollout: &Rollout) -> RolloutFigures<'a> {
    let ms = |at: Option<SimTime>| at.map(SimTime::as_ms);
    RolloutFigures {
        revision: rollout.number,
        image: workload.revisions().get(rollout.revision).map_or("", |r| r.image.as_str()),
        start_ms: rollout.start.as_ms(),
        end_ms: ms(rollout.end),
        superseded_ms: ms(rollout.superseded),
        stalled_ms: ms(rollout.stalled),
    }
}

fn judged<'a>(finished: &Finished, verdict: &'a Verdict) -> Judged<'a> {
    let place = verdict.place.as_ref();
    let chain = verdict.record.map(|id| seatrial::explain::chain(&finished.trace, id));
    Judged {
        name: &verdict.name,
        claim: &verdict.text,
        passed: verdict.passed,
        expects: verdict.fix.is_some(),
        fix: verdict.fix.as_deref(),
        at_ms: verdict.at.map(SimTime::as_ms),
        found: &verdict.found,
        record: verdict.record.map(|id| id.0),
        why: if verdict.passed { Vec::new() } else { chain.unwrap_or_default() },
        file: place.map(|p| p.0.display().to_string()),
        line: place.map(|p| p.1.line),
        column: place.map(|p| p.1.column),
    }
}
