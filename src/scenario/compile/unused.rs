//! What is written and can have no effect: it is noted, as nothing is dropped
//! in silence.

use super::actions::Happens;
use super::pods::template;
use super::{Compiler, life};
use crate::api::{Hook, HorizontalPodAutoscaler, Kind, Labels, MetricSource, Object, PodTemplate, ProbeKind, Service};
use crate::error::Problem;
use crate::scenario::file::{ErrorsEntry, Images, PodEntry, Spec};
use crate::scenario::scope::Scope;
use crate::scenario::suggest;
use crate::sim::setup::{Action, SchedulerChoice};

/// What there is to have an effect on.
pub(super) struct Ground<'a> {
    pub(super) spec: &'a Spec,
    /// All objects that are ever applied.
    pub(super) objects: Vec<&'a Object>,
    /// Patches and labels may change anything.
    pub(super) changes: bool,
}

impl<'a> Ground<'a> {
    pub(super) fn new(spec: &'a Spec, objects: &'a [Object], happens: &'a Happens) -> Ground<'a> {
        let applied =
            happens.all().filter_map(|action| if let Action::Apply(object) = action { Some(object) } else { None });
        let changes = happens.all().any(|action| matches!(action, Action::Patch { .. } | Action::LabelPods { .. }));
        Ground { spec, objects: objects.iter().chain(applied).collect(), changes }
    }

    /// Names and templates of all workloads of that name, of all if there is
    /// none.
    fn templates(&self, workload: Option<&'a str>) -> impl Iterator<Item = (&'a Object, &'a PodTemplate)> {
        let name = workload.map(|text| text.rsplit('/').next().unwrap_or(text));
        let fits = move |object: &&Object| name.is_none_or(|name| *object.meta().name == *name);
        self.objects.clone().into_iter().filter(fits).filter_map(|object| Some((object, template(object)?)))
    }

    /// Whether requests are sent to pods with these labels, to a Service of
    /// which `says` holds.
    fn has_traffic(&self, namespace: &str, labels: &Labels, says_cpu: bool) -> bool {
        let selects = |name: &String| {
            let of = |service: &&Service| name.ends_with(&format!("/{}", service.meta.name));
            let mut services = self.services(namespace);
            services.any(|service| of(&service) && service.selects(labels))
        };
        self.spec.traffic.iter().any(|(name, entry)| (!says_cpu || entry.cpu.is_some()) && selects(name))
    }

    fn services(&self, namespace: &str) -> impl Iterator<Item = &'a Service> {
        let all = self.objects.clone().into_iter();
        let services =
            all.filter_map(|object| if let Object::Service(service) = object { Some(&**service) } else { None });
        services.filter(move |service| *service.meta.namespace == *namespace)
    }
}

impl Compiler<'_> {
    /// Notes something at a field of the scenario.
    pub(super) fn note(&mut self, field: &str, message: impl Into<String>, hint: Option<String>) {
        let problem = Problem { hint, ..Problem::new(message).in_field(field) };
        self.notes.extend(self.document.map(|document| document.locate(problem)));
    }

    /// Everything that can have no effect.
    pub(super) fn without_effect(&mut self, ground: &Ground<'_>, scope: &Scope, scheduler: SchedulerChoice) {
        for (field, workload, entry) in life::entries_with_fields(ground.spec) {
            self.of_pods(ground, &field, workload, entry, scheduler);
        }
        self.of_traffic(ground);
        if ground.spec.volumes.is_some() && !scope.objects.iter().any(|o| o.kind == Kind::PersistentVolumeClaim) {
            self.note("spec.volumes", "no manifest has claims: `volumes` has no effect", None);
        }
        for namespace in ground.spec.cluster.iter().flat_map(|cluster| cluster.quotas.keys()) {
            if !scope.objects.iter().any(|o| o.namespace == *namespace) {
                let near = suggest::nearest(namespace, scope.objects.iter().map(|o| o.namespace.as_str()));
                let hint = near.map(|near| format!("did you mean {near}?"));
                self.note(
                    &format!("spec.cluster.quotas.{namespace}"),
                    format!("nothing is in a namespace {namespace}"),
                    hint,
                );
            }
        }
        self.of_objects(ground);
    }

    /// What of an entry for pods can have no effect.
    fn of_pods(
        &mut self,
        ground: &Ground<'_>,
        field: &str,
        workload: Option<&str>,
        entry: &PodEntry,
        scheduler: SchedulerChoice,
    ) {
        if entry.schedule.is_some() && scheduler != SchedulerChoice::Simple {
            self.note(
                &format!("{field}.schedule"),
                "`schedule` has no effect: kube-scheduler's rules place pods at once",
                None,
            );
        }
        let lives = || ground.templates(workload).filter_map(|(_, template)| template.life.as_deref());
        for name in entry.init.iter().flat_map(|init| init.keys()) {
            let known = || lives().flat_map(|life| &life.init).map(|init| &*init.life.name);
            if !ground.changes && !known().any(|known| known == name) {
                let hint = suggest::nearest(name, known()).map(|near| format!("did you mean {near}?"));
                self.note(
                    &format!("{field}.init.{name}"),
                    format!("no pod has an init container or sidecar {name}"),
                    hint,
                );
            }
        }
        let Some(app) = &entry.app else { return };
        if entry.ready.is_some() {
            self.note(&format!("{field}.ready"), "`ready` has no effect beside `app`: the probes decide", None);
        }
        if entry.terminate.is_some() && app.drain.is_some() {
            self.note(&format!("{field}.terminate"), "`terminate` has no effect beside `drain` of `app`", None);
        }
        if ground.changes {
            return;
        }
        let checks = &app.checks;
        let lists = [
            (ProbeKind::Startup, &checks.startup),
            (ProbeKind::Liveness, &checks.liveness),
            (ProbeKind::Readiness, &checks.readiness),
        ];
        for (kind, listed) in lists {
            let probed = || lives().any(|life| life.app().is_some_and(|app| app.probe(kind).is_some()));
            if listed.is_some() && !probed() {
                let name = kind.name().to_lowercase();
                let message = format!("`checks.{name}` has no effect: no pod has a {name}Probe");
                self.note(&format!("{field}.app.checks.{name}"), message, None);
            }
        }
        let hooked = || lives().any(|life| life.app().is_some_and(|c| matches!(c.pre_stop, Some(Hook::Handler))));
        if app.pre_stop.is_some() && !hooked() {
            let message = "`preStop` of `app` has no effect: no pod has a command or a request there";
            self.note(&format!("{field}.app.preStop"), message, Some("`sleep` says itself how long it takes".into()));
        }
    }

    fn of_traffic(&mut self, ground: &Ground<'_>) {
        let images: Vec<String> = ground.templates(None).map(|(_, template)| template.image().to_string()).collect();
        let set = ground.spec.actions.iter().filter_map(|entry| entry.set_image.as_ref());
        let set: Vec<String> = set.flat_map(|all| all.values()).flat_map(Images::all).collect();
        if ground.changes {
            return;
        }
        for (name, entry) in &ground.spec.traffic {
            let Some(ErrorsEntry::ByImage(by_image)) = &entry.errors else { continue };
            for image in by_image.keys().filter_map(|key| key.strip_prefix("image/")) {
                if !images.iter().chain(&set).any(|known| known == image) {
                    let near = suggest::nearest(image, images.iter().chain(&set).map(String::as_str));
                    let hint = near.map(|near| format!("did you mean {near}?"));
                    let field = format!("spec.traffic.{name}.errors.image/{image}");
                    self.note(&field, format!("no pod of this scenario has the image {image}"), hint);
                }
            }
        }
    }

    /// Budgets that are about nobody, and autoscalers that cannot scale.
    fn of_objects(&mut self, ground: &Ground<'_>) {
        for object in &ground.objects {
            let (name, namespace) = (&object.meta().name, &object.meta().namespace);
            match object {
                Object::PodDisruptionBudget(budget) if !ground.changes => {
                    let selects = |labels: &Labels| budget.spec.selector.as_ref().is_some_and(|s| s.matches(labels));
                    let mut all = ground.templates(None).filter(|(object, _)| object.meta().namespace == *namespace);
                    if !all.any(|(_, template)| selects(&template.labels)) {
                        let message = format!("PodDisruptionBudget {name} selects no pod of namespace {namespace}");
                        self.notes.push(Problem::new(message));
                    }
                }
                Object::HorizontalPodAutoscaler(autoscaler) => {
                    if let Some(why) = cannot_scale(ground, autoscaler) {
                        let message = format!("HorizontalPodAutoscaler {name}: {why}");
                        self.notes.push(Problem::new(message));
                    }
                }
                _ => {}
            }
        }
    }
}

/// Why an autoscaler will never change anything, or not scale down.
fn cannot_scale(ground: &Ground<'_>, autoscaler: &HorizontalPodAutoscaler) -> Option<String> {
    let (target, namespace) = (&autoscaler.spec.target, &autoscaler.meta.namespace);
    let called = format!("{}/{}", target.kind.to_lowercase(), target.name);
    if !["Deployment", "StatefulSet", "ReplicaSet"].contains(&&*target.kind) {
        return Some(format!("{called} cannot be scaled, so it does nothing"));
    }
    let mut all = ground.templates(Some(&target.name));
    let found = all.find(|(object, _)| object.kind().name() == &*target.kind && object.meta().namespace == *namespace);
    let Some((_, template)) = found else { return Some(format!("there is no {called}, so it does nothing")) };
    let has_traffic = |cpu| ground.has_traffic(namespace, &template.labels, cpu);
    let any_traffic = || {
        ground
            .services(namespace)
            .any(|service| ground.spec.traffic.keys().any(|name| name.ends_with(&format!("/{}", service.meta.name))))
    };
    let unknown: Vec<String> = autoscaler
        .spec
        .metrics
        .iter()
        .filter_map(|metric| {
            let (what, known, advice) = match &metric.source {
                MetricSource::Resource { resource } | MetricSource::ContainerResource { resource, .. } => {
                    let known = &**resource == "cpu" && has_traffic(true);
                    let advice = match &**resource {
                        "cpu" => "say it under `cpu` in spec.traffic of a Service of theirs",
                        _ => "only CPU is measured",
                    };
                    (format!("how much {resource} the pods of {called} use"), known, advice)
                }
                MetricSource::Pods(metric) => (
                    format!("{} of the pods of {called}", metric.name),
                    has_traffic(false),
                    "send requests to them in spec.traffic",
                ),
                MetricSource::Object { metric, .. } => {
                    (format!("{}", metric.name), any_traffic(), "send requests to the Service in spec.traffic")
                }
                MetricSource::External(metric) => {
                    (format!("{}", metric.name), any_traffic(), "send requests to a Service in spec.traffic")
                }
            };
            (!known).then(|| format!("nobody says {what} ({advice})"))
        })
        .collect();
    let so = match unknown.len() == autoscaler.spec.metrics.len() {
        true => "so it only keeps the number between minReplicas and maxReplicas",
        false => "so it never scales down",
    };
    (!unknown.is_empty()).then(|| format!("{}, {so}", unknown.join(", ")))
}
