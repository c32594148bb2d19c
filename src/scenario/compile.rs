//! What a scenario means: from the file as typed to a
//! [`Setup`] and its assertions, with every problem at once.

mod actions;
mod assertions;
mod cluster;
mod hosts;
mod kubernetes;
mod life;
mod lifecycle;
mod lots;
mod objects;
mod pods;
mod pools;
mod reasons;
mod rehearsal;
mod scheduler;
mod storage;
mod times;
mod traffic;
mod unused;
mod work;

pub(super) use pods::typical_entries;
pub(super) use rehearsal::rehearsed;

use super::expression::{self, Mistake};
use super::file::{ScenarioFile, Spec};
use super::load::Loaded;
use super::resolve::Resolver;
use super::scope::{Named, Scope};
use super::yaml::Document;
use crate::api::{Object, PriorityClass};
use crate::assertion::{Assertion, Figure, Window};
use crate::environment::quota::Quota;
use crate::error::Problem;
use crate::figures::Unit;
use crate::sim::Setup;
use crate::sim::setup::{ControlPlane, TimedAction};
use crate::time::{SimTime, Span, Timestamp};

/// Nobody rehearses more than a year.
const LONGEST: SimTime = SimTime::from_secs(366 * 24 * 3600);
/// The wall time at which runs begin: a Monday.
const START: &str = "2026-01-05T00:00:00Z";
/// How long a run goes on after the last action.
const REST: Span = Span::from_secs(15 * 60);

/// A scenario that can be run.
#[derive(Clone, Debug)]
pub struct Rehearsal {
    /// What the scenario shows, in its own words.
    pub about: Option<String>,
    /// The input of the run.
    pub setup: Setup,
    /// What must hold.
    pub assertions: Vec<Assertion>,
    /// What users should know about their input: kinds that are skipped and
    /// fields that are not modelled.
    pub notes: Vec<Problem>,
    /// The arguments of `seatrial run` that give the same run.
    pub arguments: Vec<String>,
    /// With how many seeds the assertions are to be judged.
    pub seeds: u32,
    /// The names that expressions may refer to.
    pub scope: Scope,
}

impl Rehearsal {
    /// What a figure such as `min(ready(deployment/web))` means in this run,
    /// and what it is measured in. Its window begins with the first action, as
    /// that of assertions does.
    ///
    /// # Errors
    /// The first thing in it that has no meaning.
    pub fn figure(&self, text: &str) -> Result<(Figure, Unit), Problem> {
        let scope = &self.scope;
        let window = Window { from: scope.first_action(), to: scope.until.after(Span::from_ns(1)) }.into();
        let read = || Resolver { scope, window }.figure(&expression::parse(text)?);
        read().map_err(|mistake: Mistake| {
            let rest = text.get(mistake.at).unwrap_or_default();
            let place = if rest.is_empty() || rest == text { String::new() } else { format!(" at `{rest}`") };
            let problem = Problem::new(format!("the figure `{text}` has no meaning{place}: {}", mistake.message));
            Problem { hint: mistake.hint, ..problem }
        })
    }
}

/// What may override a scenario file.
#[derive(Clone, Copy, Debug, Default)]
pub struct Overrides {
    /// Another seed.
    pub seed: Option<u64>,
}

/// Compiles a scenario, or manifests without one.
///
/// # Errors
/// Everything that is wrong with it, as far as that can be told at once.
pub fn compile(loaded: &Loaded, overrides: Overrides) -> Result<Rehearsal, Vec<Problem>> {
    let mut compiler = Compiler {
        document: loaded.document.as_ref(),
        broken: Vec::new(),
        left_out: Vec::new(),
        played: loaded.file.as_ref().map(|file| life::played(&file.spec)).unwrap_or_default(),
        priority_classes: Vec::new(),
        quotas: Vec::new(),
        applying: false,
        problems: Vec::new(),
        notes: Vec::new(),
    };
    let rehearsal = match &loaded.file {
        Some(file) => Some(compiler.scenario(loaded, file)),
        None => compiler.rehearsal(&loaded.manifests),
    };
    match rehearsal {
        Some(mut rehearsal) if compiler.problems.is_empty() => {
            if let Some(seed) = overrides.seed {
                rehearsal.setup.seed = seed;
            }
            rehearsal.notes = compiler.notes;
            rehearsal.arguments.clone_from(&loaded.arguments);
            Ok(rehearsal)
        }
        _ => {
            // In the order of the input; the order within one place stays.
            compiler.problems.sort_by(|a, b| (&a.file, a.position).cmp(&(&b.file, b.position)));
            Err(compiler.problems)
        }
    }
}

/// Collects problems while a scenario is compiled.
struct Compiler<'a> {
    document: Option<&'a Document>,
    /// Objects that are wrong. They can be named all the same, as saying that
    /// there is none would be noise.
    broken: Vec<Named>,
    /// Objects of kinds that are not simulated.
    left_out: Vec<String>,
    /// The workloads whose applications are known; `None` for any.
    played: Vec<Option<String>>,
    /// The PriorityClasses among the manifests.
    priority_classes: Vec<PriorityClass>,
    /// The ResourceQuotas among them.
    quotas: Vec<Quota>,
    /// Whether what is read now is applied by an action.
    applying: bool,
    problems: Vec<Problem>,
    notes: Vec<Problem>,
}

impl Compiler<'_> {
    /// Adds the place in the scenario file, where there is one: manifests
    /// without a scenario may have had one made for them.
    fn locate(&self, problem: Problem) -> Problem {
        match self.document {
            Some(document) => document.locate(problem),
            None => problem,
        }
    }

    /// Notes a problem of the scenario file.
    fn problem(&mut self, field: &str, message: impl Into<String>, hint: Option<String>) {
        let problem = Problem { hint, ..Problem::new(message).in_field(field) };
        let located = self.locate(problem);
        self.problems.push(located);
    }

    /// The value, or a note of what is wrong with the field's name.
    fn check_name<T>(&mut self, field: &str, result: Result<T, (String, Option<String>)>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err((message, hint)) => {
                let problem = Problem { hint, ..Problem::new(message).in_field(field) };
                self.problems.push(match self.document {
                    Some(document) => document.locate_name(problem),
                    None => problem,
                });
                None
            }
        }
    }

    /// The value, or a note of what is wrong with the field.
    fn check<T>(&mut self, field: &str, result: Result<T, (String, Option<String>)>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err((message, hint)) => {
                self.problem(field, message, hint);
                None
            }
        }
    }

    fn scenario(&mut self, loaded: &Loaded, file: &ScenarioFile) -> Rehearsal {
        let spec = &file.spec;
        let mut assumptions = Vec::new();
        let mut objects = self.objects(&loaded.manifests, &spec.objects);
        let volumes = self.storage(spec.volumes.as_ref(), &mut objects, &mut assumptions);
        let later = scheduler::applied(loaded, spec);
        let mut scope = self.objects_in_scope(spec, &objects, &later);
        let times = self.times(spec);
        scope.actions = times.names(spec);
        let pools = self.pools(spec.cluster.as_ref());
        scope.pools = pools.iter().map(|pool| pool.name.to_string()).collect();
        let (nodes, assumed) = self.cluster(spec, &objects, &loaded.applied, &pools);
        scope.nodes = nodes.iter().map(|n| (n.name.to_string(), n.zone.to_string())).collect();
        cluster::joining_nodes(spec, &mut scope.nodes);
        assumptions.extend(assumed);
        let (scheduler, assumed) = self.scheduler(spec.cluster.as_ref().and_then(|c| c.scheduler), &objects, &later);
        assumptions.extend(assumed);
        let (profiles, assumed) = self.pods(spec, &scope);
        assumptions.extend(assumed);
        let start = self.start(spec);
        if scope.until > LONGEST {
            let message = format!("{} is longer than a year", Span::from_ns(scope.until.0));
            self.problem("spec.duration", message, None);
        }
        let happens = self.actions(loaded, spec, &scope, &pools, (start, &times));
        let clocks = self.clocks(spec, &scope);
        let (time_zone, assumed) = self.time_zone(spec);
        assumptions.extend(assumed);
        let (control_plane, assumed) = self.control_plane(&spec.control_plane);
        assumptions.extend(assumed);
        self.unknown_images(spec, &objects, &happens);
        self.without_effect(&unused::Ground::new(spec, &objects, &happens), &scope, scheduler);
        if spec.duration.is_none() {
            assumptions.push(format!("the run ends at {}, {REST} after the last action", scope.until));
        }
        let traffic = self.traffic(&spec.traffic, &mut scope, start);
        let assertions = self.assertions(file, &scope);
        let (node_lifecycle, pod_gc) =
            self.node_lifecycle(&spec.cluster.as_ref().map(|c| c.node_lifecycle.clone()).unwrap_or_default());
        let (gates, kubernetes) = self.kubernetes(&file.kubernetes);
        let setup = Setup {
            seed: spec.seed,
            title: title(loaded, file),
            nodes,
            objects,
            profiles,
            actions: happens.actions,
            triggers: happens.triggers,
            watch: happens.watch,
            disturbances: happens.disturbances,
            pools,
            control_plane: ControlPlane { feature_gates: gates, node_lifecycle, pod_gc, time_zone, ..control_plane },
            clocks,
            assumptions,
            kubernetes,
            quotas: {
                self.quotas.extend(spec.cluster.as_ref().map(cluster::quotas).unwrap_or_default());
                std::mem::take(&mut self.quotas)
            },
            images: self.images(&spec.images),
            volumes,
            tell_serving: !traffic.is_empty(),
            tell_misses: true,
            traffic,
            scheduler,
            priority_classes: std::mem::take(&mut self.priority_classes),
            ..Setup::new(start, scope.until)
        };
        let about = spec.about.as_ref().map(|a| a.trim().to_string()).filter(|a| !a.is_empty());
        let seeds = spec.seeds.map_or(1, std::num::NonZero::get);
        Rehearsal { about, setup, assertions, notes: Vec::new(), arguments: Vec::new(), seeds, scope }
    }

    /// What names may mean, as far as objects go; `later` are those that are
    /// applied while the scenario runs.
    fn objects_in_scope(&mut self, spec: &Spec, objects: &[Object], later: &[Object]) -> Scope {
        let mut scope = Scope { until: until(spec), objects: names(objects), ..Scope::default() };
        scope.objects.extend(storage::claims(spec, objects));
        scope.objects.append(&mut self.broken);
        objects::applied_names(later, &mut scope.objects);
        objects::names_of_jobs(spec, &mut scope);
        if !scope.objects.iter().any(|o| o.kind.is_workload()) && self.problems.is_empty() {
            let problem = self.nothing_to_simulate().in_field("spec");
            let problem = self.locate(problem);
            self.problems.push(problem);
        }
        scope
    }

    /// That nothing is left, and what was left out.
    fn nothing_to_simulate(&self) -> Problem {
        let left_out = match &self.left_out[..] {
            [] => String::new(),
            [one] => format!(": {one} is of a kind that is not simulated"),
            [one, rest @ ..] => {
                format!(": {one} and {} other objects are of kinds that are not simulated", rest.len())
            }
        };
        Problem::new(format!("there is nothing to simulate{left_out}"))
            .with_hint("Deployments, StatefulSets, DaemonSets, Jobs, CronJobs, ReplicaSets and Pods are simulated")
    }

    fn start(&mut self, spec: &Spec) -> Timestamp {
        let text = spec.start.as_deref().unwrap_or(START);
        match Timestamp::parse(text) {
            Ok(start) if (0..=253_402_300_799).contains(&start.0) => start,
            Ok(_) => {
                self.problem("spec.start", format!("`{text}` is not between 1970 and 9999"), None);
                Timestamp::default()
            }
            Err(message) => {
                let hint = format!("write a time in RFC 3339, such as {START}");
                self.problem("spec.start", format!("`{text}` is not a time: {message}"), Some(hint));
                Timestamp::default()
            }
        }
    }
}

/// Where the run ends.
fn until(spec: &Spec) -> SimTime {
    match &spec.duration {
        Some(duration) => SimTime::ZERO.after(duration.0),
        None => times::last_known(spec).after(REST),
    }
}

/// The scenario's name, or its file's.
fn title(loaded: &Loaded, file: &ScenarioFile) -> String {
    let of_file = || {
        let stem = loaded.document.as_ref()?.file.file_stem()?.to_str()?.to_string();
        (stem != "-").then_some(stem)
    };
    file.metadata.name.clone().or_else(of_file).unwrap_or_else(|| "scenario".to_string())
}

/// Names and namespaces of objects.
fn names(objects: &[Object]) -> Vec<Named> {
    let named = |object: &Object| {
        let meta = object.meta();
        Named { kind: object.kind(), namespace: meta.namespace.to_string(), name: meta.name.to_string() }
    };
    objects.iter().map(named).collect()
}

/// The actions in order of time; those of one moment in the order of the file.
fn in_order(mut actions: Vec<TimedAction>) -> Vec<TimedAction> {
    actions.sort_by_key(|a| a.at);
    actions
}

#[cfg(test)]
mod tests;
