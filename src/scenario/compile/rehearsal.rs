//! Manifests without a scenario: the rehearsal that most people mean.

use super::{Compiler, LONGEST, REST, Rehearsal, START, cluster, pods};
use crate::api::{CronJob, Object};
use crate::assertion::Moment;
use crate::cron::{self, Schedule};
use crate::manifest;
use crate::scenario::scope::Scope;
use crate::scenario::yaml::Document;
use crate::sim::Setup;
use crate::sim::setup::{Action, Target, TimedAction};
use crate::time::{Instant, SimTime, Timestamp};
use serde_json::{Value, json};

/// When the new version is rolled out.
const ROLLOUT: SimTime = SimTime::from_secs(30);
/// So many runs of one CronJob are more than anybody wants to see.
const MOST_RUNS: usize = 2_000;

impl Compiler<'_> {
    /// Everything is created, and each Deployment gets a new image.
    pub(super) fn rehearsal(&mut self, manifests: &[Document]) -> Option<Rehearsal> {
        let mut objects = self.objects(manifests, &[]);
        let mut stored = Vec::new();
        let volumes = self.storage(None, &mut objects, &mut stored);
        if !objects.iter().any(|o| o.kind().is_workload()) {
            if self.problems.is_empty() {
                let mut problem = self.nothing_to_simulate();
                problem.file = manifests.first().map(|d| d.file.clone());
                self.problems.push(problem);
            }
            return None;
        }
        let actions: Vec<TimedAction> = objects.iter().filter_map(rollout).collect();
        let (nodes, room) = cluster::enough(&objects.iter().collect::<Vec<_>>(), 0);
        let (profiles, behaviour) = pods::typical(&super::names(&objects));
        let start = Timestamp::parse(START).unwrap_or_default();
        let (until, why) = until(&objects, start);
        let mut assumptions = vec![room];
        assumptions.extend(behaviour);
        assumptions.append(&mut stored);
        let (scheduler, assumed) = self.scheduler(None, &objects, &[]);
        assumptions.extend(assumed);
        for action in &actions {
            if let Action::SetImage { target, image, .. } = &action.action {
                assumptions.push(format!("at {ROLLOUT} deployment/{} gets the image {image}", target.name));
            }
        }
        if objects.iter().any(|o| matches!(o, Object::CronJob(_))) {
            assumptions.push(format!("the run begins on {start}, a Monday"));
        }
        assumptions.push(format!("the run ends at {until}{why}"));
        let scope = Scope {
            objects: super::names(&objects),
            nodes: nodes.iter().map(|n| (n.name.to_string(), n.zone.to_string())).collect(),
            actions: actions.iter().map(|a| (vec!["setImage".to_string()], Moment::At(a.at))).collect(),
            pools: Vec::new(),
            until,
            traffic: Vec::new(),
        };
        let setup = Setup {
            title: title(&objects),
            nodes,
            objects,
            profiles,
            actions,
            assumptions,
            volumes,
            scheduler,
            priority_classes: std::mem::take(&mut self.priority_classes),
            ..Setup::new(start, until)
        };
        Some(Rehearsal {
            about: None,
            setup,
            assertions: Vec::new(),
            notes: Vec::new(),
            arguments: Vec::new(),
            seeds: 1,
            scope,
        })
    }
}

/// What manifests without a scenario stand for: a title, the actions of a
/// scenario file and its duration.
pub(in crate::scenario) fn rehearsed(manifests: &[Document]) -> (String, Vec<Value>, String) {
    let objects: Vec<Object> =
        manifests.iter().filter_map(|d| manifest::read(&d.value).ok()).map(|loaded| loaded.object).collect();
    let action = |timed: TimedAction| match timed.action {
        Action::SetImage { target, container: Some(container), image } => {
            let workload = format!("{}/{}/{}", target.namespace, target.kind.name().to_lowercase(), target.name);
            Some(json!({"at": timed.at.to_string(), "setImage": {workload: {container: image}}}))
        }
        _ => None,
    };
    let actions = objects.iter().filter_map(rollout).filter_map(action).collect();
    let (until, _) = until(&objects, Timestamp::parse(START).unwrap_or_default());
    (title(&objects), actions, until.to_string())
}

/// Where the rehearsal ends, and why there: schedules must have come, or
/// nothing would be seen of them.
fn until(objects: &[Object], start: Timestamp) -> (SimTime, String) {
    let usual = ROLLOUT.after(REST);
    let cron_jobs = objects.iter().filter_map(|o| if let Object::CronJob(c) = o { Some(c) } else { None });
    let schedules: Vec<(&str, Vec<SimTime>)> = cron_jobs.map(|c| (&*c.meta.name, times(c, start))).collect();
    let seen =
        |runs: usize| schedules.iter().filter_map(move |(name, times)| Some((*times.get(runs - 1)?, *name))).max();
    let enough = |at: SimTime| {
        let until = |times: &Vec<SimTime>| times.iter().filter(|&&t| t <= at).count();
        // A full list may have no end.
        !schedules.iter().any(|(_, t)| t.len() == MOST_RUNS && until(t) == MOST_RUNS)
    };
    for (runs, which) in [(3, "third"), (1, "first")] {
        if let Some((at, name)) = seen(runs).filter(|&(at, _)| at.after(REST) > usual && enough(at)) {
            return (at.after(REST), format!(", {REST} after the {which} time of cronjob/{name}"));
        }
    }
    (usual, String::new())
}

/// The first times of a schedule.
fn times(cron_job: &CronJob, start: Timestamp) -> Vec<SimTime> {
    let zone = cron_job.spec.time_zone.as_deref().and_then(|name| cron::zone(name).ok());
    let Ok(schedule) = Schedule::parse_in(&cron_job.spec.schedule, zone.as_ref()) else { return Vec::new() };
    let begin = start.instant();
    let next = |at: &Instant| schedule.next(*at).at();
    std::iter::successors(next(&begin), next)
        .map(|at| SimTime(at.0.abs_diff(begin.0)))
        .take_while(|&at| at.after(REST) <= LONGEST)
        .take(MOST_RUNS)
        .collect()
}

/// The rollout of a Deployment's next image.
fn rollout(object: &Object) -> Option<TimedAction> {
    let Object::Deployment(deployment) = object else { return None };
    let container = deployment.spec.template.containers.first()?;
    let action = Action::SetImage {
        target: Target {
            kind: object.kind(),
            namespace: deployment.meta.namespace.clone(),
            name: deployment.meta.name.clone(),
        },
        container: Some(container.name.clone()),
        image: next_image(&container.image),
    };
    Some(TimedAction { at: ROLLOUT, action })
}

/// A name for the version after an image: its tag with `-next`.
fn next_image(image: &str) -> String {
    let (name, _digest) = image.split_once('@').unwrap_or((image, ""));
    // A colon before the last slash belongs to a registry's port.
    match name.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => format!("{name}:{tag}-next"),
        _ => format!("{name}:next"),
    }
}

/// `web`, `web and api`, `web and 3 others`.
fn title(objects: &[Object]) -> String {
    let workloads: Vec<&Object> = objects.iter().filter(|o| o.kind().is_workload()).collect();
    let name = |o: &Object| o.meta().name.to_string();
    match &workloads[..] {
        [] => String::new(),
        [one] => name(one),
        [one, two] => format!("{} and {}", name(one), name(two)),
        [one, rest @ ..] => format!("{} and {} others", name(one), rest.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::next_image;

    #[test]
    fn the_next_image_has_another_tag() {
        for (image, next) in [
            ("app:v1", "app:v1-next"),
            ("nginx", "nginx:next"),
            ("reg:5000/team/app", "reg:5000/team/app:next"),
            ("reg:5000/team/app:2.1", "reg:5000/team/app:2.1-next"),
            ("app@sha256:0123", "app:next"),
            ("app:v1@sha256:0123", "app:v1-next"),
        ] {
            assert_eq!(next_image(image), next, "{image}");
        }
    }
}
