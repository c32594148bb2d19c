//! The results of runs, for programs. The structure is described in
//! `docs/report.md`; fields are added, never renamed or removed.

use super::run::Finished;
use super::table;
use seatrial::api::{Kind, Resources};
use seatrial::assertion::Verdict;
use seatrial::plot::load_headline;
use seatrial::scenario::file::API_VERSION;
use seatrial::tax::{self, Tax};
use seatrial::time::SimTime;
use seatrial::timeline::{Rollout, Series, Service, Timeline, Workload};
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
    #[serde(skip_serializing_if = "Vec::is_empty")]
    services: Vec<Requests<'a>>,
    platform_tax: Option<PlatformTax>,
    verdicts: Vec<Judged<'a>>,
}

/// What became of the requests for a Service since the first action.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Requests<'a> {
    namespace: &'a str,
    name: &'a str,
    requests: f64,
    failed: f64,
    refused: f64,
    shed: f64,
    errors: f64,
    cut: f64,
    headline: String,
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
    batch: Option<BatchFigures>,
    headline: String,
}

/// What became of a Job or of a CronJob's Jobs.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct BatchFigures {
    jobs: Jobs,
    /// Starts of pods and restarts in place.
    attempts: i64,
    /// Of a Job its pods that ended well, of a CronJob its Jobs.
    completions: i64,
    max_overlap: Extreme,
}

/// Jobs of the whole run.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Jobs {
    started: i64,
    succeeded: i64,
    failed: i64,
    active: i64,
}

/// A value and when it was first reached.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Extreme {
    value: i64,
    at_ms: u64,
}

/// What DaemonSets take from the nodes, by requests.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PlatformTax {
    nodes: usize,
    daemon_sets: Vec<Levy>,
    allocatable: Amounts,
    taken: Amounts,
    left: Amounts,
    heaviest: Option<Heaviest>,
}

/// What one DaemonSet takes from each of its nodes.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Levy {
    namespace: String,
    name: String,
    nodes: usize,
    each: Amounts,
}

/// The node that gives most.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Heaviest {
    node: String,
    taken: Amounts,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Amounts {
    cpu_milli: i64,
    memory_bytes: i64,
    pods: i64,
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
        services: timeline.services().iter().map(|s| requests(timeline, s, first)).collect(),
        platform_tax: tax::of(setup).as_ref().map(platform_tax),
        verdicts: verdicts.iter().map(|v| judged(finished, v)).collect(),
    }
}

fn requests<'a>(timeline: &Timeline, service: &'a Service, first: SimTime) -> Requests<'a> {
    let flows = service.flows(first, timeline.end());
    let whole = |micro: i128| micro as f64 / 1e6;
    Requests {
        namespace: &service.namespace,
        name: &service.name,
        requests: whole(flows.requests),
        failed: whole(flows.failed),
        refused: whole(flows.refused),
        shed: whole(flows.shed),
        errors: whole(flows.errors),
        cut: whole(flows.cut),
        headline: load_headline(service, first, timeline.end()),
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
        batch: workload.is_batch().then(|| batch(timeline, workload)),
        headline: seatrial::plot::headline(workload, from, end),
    }
}

fn batch(timeline: &Timeline, workload: &Workload) -> BatchFigures {
    let last = |series| workload.series(series).at(timeline.until);
    let (at, most) = workload.series(Series::Overlap).first_max(SimTime::ZERO, timeline.end());
    let complete = workload.conditions().iter().filter(|c| c.condition == "Complete" && c.status == "True").count();
    let completions = last(Series::Completions);
    BatchFigures {
        jobs: Jobs {
            started: last(Series::StartedJobs),
            succeeded: if workload.kind == Kind::CronJob { completions } else { complete as i64 },
            failed: last(Series::FailedJobs),
            active: last(Series::ActiveJobs),
        },
        attempts: last(Series::Attempts),
        completions,
        max_overlap: Extreme { value: most, at_ms: at.as_ms() },
    }
}

fn platform_tax(tax: &Tax) -> PlatformTax {
    PlatformTax {
        nodes: tax.nodes,
        daemon_sets: tax
            .levies
            .iter()
            .map(|levy| Levy {
                namespace: levy.namespace.clone(),
                name: levy.name.clone(),
                nodes: levy.nodes,
                each: amounts(&levy.each),
            })
            .collect(),
        allocatable: amounts(&tax.allocatable),
        taken: amounts(&tax.taken),
        left: amounts(&tax.left()),
        heaviest: tax.heaviest.as_ref().map(|(node, taken)| Heaviest { node: node.to_string(), taken: amounts(taken) }),
    }
}

fn amounts(of: &Resources) -> Amounts {
    Amounts { cpu_milli: of.cpu_milli, memory_bytes: of.memory_milli / 1_000, pods: of.pods }
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
    let chain = verdict.record.or(verdict.nearest).map(|id| seatrial::explain::chain(&finished.trace, id));
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
