//! How pods behave.

use super::Compiler;
use super::actions::Happens;
use crate::api::{Kind, Object, PodTemplate};
use crate::environment::Delay;
use crate::error::Problem;
use crate::scenario::file::{DelayEntry, Distribution, Match, PodEntry, Pods, Spec};
use crate::scenario::scope::{Named, Scope};
use crate::scenario::suggest;
use crate::sim::setup::{Action, Crash, PodMatch, PodProfile, Run};
use crate::time::Span;
use std::sync::Arc;

/// How pods behave if nobody says anything: as services often do, and those
/// of Jobs as batch work often does. Each with what is assumed, in words.
pub(super) fn typical(objects: &[Named]) -> (Vec<PodProfile>, Vec<String>) {
    let skewed = |median_ms, p99_ms| Delay::LogNormal { median: Span::from_ms(median_ms), p99: Span::from_ms(p99_ms) };
    let profile = PodProfile {
        schedule: Some(Delay::Constant(Span::from_ms(10))),
        start: Some(skewed(2_000, 6_000)),
        ready: Some(skewed(8_000, 20_000)),
        terminate: Some(Delay::Constant(Span::from_secs(3))),
        ..PodProfile::default()
    };
    let text = "pods start about 2s after they got a node (1 in 100 later than 6s), are ready about 8s later \
                (1 in 100 later than 20s) and exit 3s after SIGTERM";
    let batch = objects.iter().filter(|o| matches!(o.kind, Kind::Job | Kind::CronJob)).map(|object| PodProfile {
        matches: PodMatch {
            workload: Some(object.name.as_str().into()),
            namespace: Some(object.namespace.as_str().into()),
            ..PodMatch::default()
        },
        ready: Some(Delay::Constant(Span::ZERO)),
        run: Some(Run { duration: skewed(30_000, 90_000), ..Run::default() }),
        ..PodProfile::default()
    });
    let batch: Vec<PodProfile> = batch.collect();
    let of_jobs = "pods of Jobs work about 30s (1 in 100 longer than 90s) and succeed";
    let services = objects.iter().any(|o| !matches!(o.kind, Kind::Job | Kind::CronJob));
    let texts = [(services || batch.is_empty(), text), (!batch.is_empty(), of_jobs)];
    let texts = texts.into_iter().filter(|(said, _)| *said).map(|(_, text)| text.to_string()).collect();
    (std::iter::once(profile).chain(batch).collect(), texts)
}

/// The same as entries of a scenario file: of all pods, and of Jobs.
pub(in crate::scenario) fn typical_entries() -> (serde_json::Value, serde_json::Value) {
    let all = serde_json::json!({
        "schedule": "10ms",
        "start": {"lognormal": {"median": "2s", "p99": "6s"}},
        "ready": {"lognormal": {"median": "8s", "p99": "20s"}},
        "terminate": "3s",
    });
    let work = serde_json::json!({"ready": "0s", "run": {"duration": {"lognormal": {"median": "30s", "p99": "90s"}}}});
    (all, work)
}

impl Compiler<'_> {
    /// The profiles, and what was assumed.
    pub(super) fn pods(&mut self, spec: &Spec, scope: &Scope) -> (Vec<PodProfile>, Vec<String>) {
        match &spec.pods {
            None => typical(&scope.objects),
            Some(Pods::List(entries)) => {
                let profiles = entries.iter().enumerate().map(|(i, entry)| {
                    let field = format!("spec.pods[{i}]");
                    let matches = match &entry.matches {
                        Some(m) => self.matches(m, &|name| format!("{field}.match.{name}"), scope),
                        None => PodMatch::default(),
                    };
                    self.profile(entry, matches, &field)
                });
                (profiles.collect(), Vec::new())
            }
            Some(Pods::Map(entries)) => {
                let profiles = entries.iter().map(|(key, entry)| {
                    let field = format!("spec.pods.{key}");
                    if entry.matches.is_some() {
                        let hint = "use a list of entries if one key is not enough".to_string();
                        self.problem(
                            &format!("{field}.match"),
                            "the key says already which pods are meant",
                            Some(hint),
                        );
                    }
                    let matches = self.key(key, &field, scope);
                    self.profile(entry, matches, &field)
                });
                (profiles.collect(), Vec::new())
            }
        }
    }

    /// The pods that a key such as `deployment/web` means.
    fn key(&mut self, key: &str, field: &str, scope: &Scope) -> PodMatch {
        let mut matches = Match::default();
        match key.split_once('/') {
            _ if key == "*" => {}
            Some(("image", image)) => matches.image = Some(image.to_string()),
            Some(("node", node)) => matches.node = Some(node.to_string()),
            _ => matches.workload = Some(key.to_string()),
        }
        self.matches(&matches, &|_| field.to_string(), scope)
    }

    /// The pods that all parts of a `match` mean; `field` is the place of one
    /// of its parts.
    fn matches(&mut self, m: &Match, field: &dyn Fn(&str) -> String, scope: &Scope) -> PodMatch {
        let image = m.image.as_deref().map(Arc::from);
        let mut result = PodMatch { image, n: m.number, job: m.job, ..PodMatch::default() };
        if let Some(namespace) = &m.namespace {
            result.namespace = Some(namespace.as_str().into());
            if !scope.objects.iter().any(|o| o.namespace == *namespace) {
                let near = suggest::nearest(namespace, scope.objects.iter().map(|o| o.namespace.as_str()));
                let hint = near.map(|n| format!("did you mean {n}?"));
                self.problem(&field("namespace"), format!("nothing is in a namespace {namespace}"), hint);
            }
        }
        if let Some(node) = &m.node {
            self.check(&field("node"), scope.nodes(node).map(|_| ()));
            result.node = Some(node.as_str().into());
        }
        if let Some(workload) = &m.workload {
            if workload.contains('/') {
                if let Some(object) = self.check(&field("workload"), scope.object(workload)) {
                    result.workload = Some(object.name.as_str().into());
                    result.namespace = Some(object.namespace.as_str().into());
                }
            } else {
                result.workload = Some(workload.as_str().into());
                if !scope.objects.iter().any(|o| o.name == *workload) {
                    let near = suggest::nearest(workload, scope.objects.iter().map(|o| o.name.as_str()));
                    let hint = near.map(|n| format!("did you mean {n}?"));
                    self.problem(&field("workload"), format!("there is no workload {workload} in this scenario"), hint);
                }
            }
        }
        result
    }

    /// Says which entries are for images that no pod will have. They are no
    /// mistake for sure, as patches may set images too.
    pub(super) fn unknown_images(&mut self, spec: &Spec, objects: &[Object], happens: &Happens) {
        // By the first container's image pods are told apart; any is pulled.
        let (mut first, mut pulled) = (Vec::new(), Vec::new());
        let applied =
            happens.all().filter_map(|action| if let Action::Apply(object) = action { Some(object) } else { None });
        for template in objects.iter().chain(applied).filter_map(template) {
            first.push(template.image().to_string());
            pulled.extend(images(template));
        }
        for action in happens.all() {
            match action {
                Action::SetImage { image, .. } => {
                    first.push(image.clone());
                    pulled.push(image.clone());
                }
                Action::Patch { .. } => return,
                _ => {}
            }
        }
        let entries: Vec<(String, &str)> = match &spec.pods {
            None => Vec::new(),
            Some(Pods::List(all)) => {
                let with_image = all.iter().enumerate().filter_map(|(i, e)| {
                    Some((format!("spec.pods[{i}].match.image"), e.matches.as_ref()?.image.as_deref()?))
                });
                with_image.collect()
            }
            Some(Pods::Map(all)) => {
                let with_image =
                    all.iter().filter_map(|(k, _)| Some((format!("spec.pods.{k}"), k.strip_prefix("image/")?)));
                with_image.collect()
            }
        };
        for (field, image) in entries {
            self.note_unless_known(&field, image, &first);
        }
        for image in spec.images.keys() {
            self.note_unless_known(&format!("spec.images.{image}"), image, &pulled);
        }
    }

    fn note_unless_known(&mut self, field: &str, image: &str, known: &[String]) {
        if known.iter().any(|known| known == image) {
            return;
        }
        let message = format!("no pod of this scenario has the image {image}");
        let mut problem = Problem::new(message).in_field(field);
        problem.hint = suggest::nearest(image, known.iter().map(String::as_str)).map(|n| format!("did you mean {n}?"));
        self.notes.extend(self.document.map(|d| d.locate(problem)));
    }

    fn profile(&mut self, entry: &PodEntry, matches: PodMatch, field: &str) -> PodProfile {
        let mut delay = |entry: &Option<DelayEntry>, name: &str| {
            let entry = entry.as_ref()?;
            self.distribution(entry, &format!("{field}.{name}"));
            Some(Delay::from(entry))
        };
        let mut profile = PodProfile {
            matches,
            schedule: delay(&entry.schedule, "schedule"),
            start: delay(&entry.start, "start"),
            ready: delay(&entry.ready, "ready"),
            terminate: delay(&entry.terminate, "terminate"),
            ..PodProfile::default()
        };
        if let Some(crash) = &entry.crash {
            self.distribution(&crash.after, &format!("{field}.crash.after"));
            let (exit, times) = (crash.exit.unwrap_or(1), crash.times.unwrap_or(0));
            self.exit_code(crash.exit, &format!("{field}.crash.exit"));
            if crash.times == Some(0) {
                let hint = "leave it out for all starts".to_string();
                self.problem(&format!("{field}.crash.times"), "so no start ends like this", Some(hint));
            }
            profile.crash = Some(Crash { after: Delay::from(&crash.after), exit, times });
        }
        profile.run = entry.run.as_ref().map(|run| self.run(run, &format!("{field}.run")));
        profile.app = entry.app.as_ref().map(|app| Arc::new(self.app(app, &format!("{field}.app"))));
        profile.init = entry.init.as_ref().map(|init| Arc::new(self.init(init, &format!("{field}.init"))));
        profile.memory = entry.memory.as_ref().and_then(|memory| self.memory(memory, &format!("{field}.memory")));
        profile.effects = entry.effects.as_ref().map(|effects| self.effects(effects, &format!("{field}.effects")));
        profile
    }

    /// Refuses what no process can exit with.
    pub(super) fn exit_code(&mut self, code: Option<i32>, field: &str) {
        if code.is_some_and(|code| !(0..=255).contains(&code)) {
            self.problem(field, "an exit code is from 0 to 255", None);
        }
    }

    /// Refuses distributions that make no sense.
    pub(super) fn distribution(&mut self, entry: &DelayEntry, field: &str) {
        let DelayEntry::Drawn(distribution) = entry else { return };
        let message = match distribution {
            Distribution::Uniform { low, high } if low.0 > high.0 => "`low` is above `high`",
            Distribution::LogNormal { median, .. } if median.0 == Span::ZERO => "`median` must be above 0",
            Distribution::LogNormal { median, p99 } if median.0 > p99.0 => "`median` is above `p99`",
            Distribution::Empirical(all) if all.is_empty() => "there must be at least one duration",
            _ => return,
        };
        self.problem(field, message, None);
    }
}

/// The images of all containers of a template.
fn images(template: &PodTemplate) -> Vec<String> {
    let raw = template.raw.value();
    let lists = ["/spec/containers", "/spec/initContainers"].iter().filter_map(|list| raw.pointer(list)?.as_array());
    let images = lists.flatten().filter_map(|container| container.get("image")?.as_str());
    images.map(str::to_string).collect()
}

/// What an object's pods are stamped from.
pub(super) fn template(object: &Object) -> Option<&PodTemplate> {
    Some(match object {
        Object::Deployment(d) => &d.spec.template,
        Object::ReplicaSet(r) => &r.spec.template,
        Object::StatefulSet(s) => &s.spec.template,
        Object::DaemonSet(s) => &s.spec.template,
        Object::Job(j) => &j.spec.template,
        Object::CronJob(c) => &c.spec.template.spec.template,
        Object::Pod(p) => &p.template,
        _ => return None,
    })
}
