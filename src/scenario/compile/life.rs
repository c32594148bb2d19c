//! What applications do, what images take, and which manifests are played.

use super::Compiler;
use crate::api::{Object, ProbeKind};
use crate::environment::{Delay, MemoryUse};
use crate::scenario::file::{
    AppEntry, DelayEntry, ImageEntry, InitEntry, MemoryEntry, Missing, OneOrMany, PodEntry, Pods, Spec,
};
use crate::scenario::suggest;
use crate::sim::setup::{App, Check, Image, InitRun};
use crate::time::{SimTime, Span};
use std::collections::BTreeMap;
use std::sync::Arc;

/// How long a pull takes if nobody says so.
const PULL: Span = Span::from_secs(5);

/// The entries of `pods` with what they are for, as a workload's name.
fn entries(spec: &Spec) -> Vec<(Option<&str>, &PodEntry)> {
    let of_key = |key: &str| !key.starts_with("image/") && !key.starts_with("node/") && key != "*";
    match &spec.pods {
        None => Vec::new(),
        Some(Pods::List(all)) => {
            all.iter().map(|e| (e.matches.as_ref().and_then(|m| m.workload.as_deref()), e)).collect()
        }
        Some(Pods::Map(all)) => all.iter().map(|(k, e)| (Some(k.as_str()).filter(|k| of_key(k)), e)).collect(),
    }
}

/// The same with their places in the scenario.
pub(super) fn entries_with_fields(spec: &Spec) -> Vec<(String, Option<&str>, &PodEntry)> {
    let place: Vec<String> = match &spec.pods {
        None => Vec::new(),
        Some(Pods::List(all)) => (0..all.len()).map(|i| format!("spec.pods[{i}]")).collect(),
        Some(Pods::Map(all)) => all.iter().map(|(key, _)| format!("spec.pods.{key}")).collect(),
    };
    let all = place.into_iter().zip(entries(spec));
    all.map(|(field, (workload, entry))| (field, workload, entry)).collect()
}

/// For whom a scenario has an `app`: names of workloads, `None` for any.
pub(super) fn played(spec: &Spec) -> Vec<Option<String>> {
    let with_app = entries(spec).into_iter().filter(|(_, entry)| entry.app.is_some());
    with_app.map(|(workload, _)| workload.map(|w| w.rsplit('/').next().unwrap_or(w).to_string())).collect()
}

/// What applications depend on anywhere in a scenario.
pub(super) fn dependencies(spec: &Spec) -> Vec<&str> {
    let apps = entries(spec).into_iter().filter_map(|(_, entry)| entry.app.as_ref());
    apps.filter_map(|app| app.depends_on.as_ref()).flat_map(|on| on.0.iter().map(String::as_str)).collect()
}

impl Compiler<'_> {
    /// Those fields of an object that are not read, without those that are
    /// played because the scenario knows its application.
    pub(super) fn not_played(&self, object: &Object, fields: Vec<String>) -> Vec<String> {
        let name = &object.meta().name;
        let known = self.played.iter().any(|played| played.as_deref().is_none_or(|played| played == &**name));
        let played =
            |field: &String| ["Probe:", ".lifecycle:", ".initContainers:"].iter().any(|part| field.contains(part));
        fields.into_iter().filter(|field| !known || !played(field)).collect()
    }

    pub(super) fn app(&mut self, entry: &AppEntry, field: &str) -> App {
        let names = entry.depends_on.as_ref().map_or(&[][..], |on| &on.0);
        let checks = |this: &mut Compiler<'_>, listed: &Option<OneOrMany<String>>, kind: ProbeKind| -> Arc<[Check]> {
            let field = format!("{field}.checks.{}", kind.name().to_lowercase());
            let listed = listed.iter().flat_map(|listed| &listed.0);
            listed.filter_map(|name| this.check_of(name, names, &field)).collect()
        };
        let checks = [
            checks(self, &entry.checks.startup, ProbeKind::Startup),
            checks(self, &entry.checks.liveness, ProbeKind::Liveness),
            checks(self, &entry.checks.readiness, ProbeKind::Readiness),
        ];
        let default = App::default();
        let mut delay = |entry: &Option<DelayEntry>, name: &str, default: Delay| match entry {
            None => default,
            Some(entry) => {
                self.distribution(entry, &format!("{field}.{name}"));
                Delay::from(entry)
            }
        };
        let deadlock = entry.deadlock.as_ref().map(|deadlock| deadlock.after.clone());
        App {
            boot: delay(&entry.boot, "boot", default.boot),
            warm_up: delay(&entry.warm_up, "warmUp", default.warm_up),
            answers: delay(&entry.answers, "answers", default.answers),
            depends_on: names.iter().map(|name| name.as_str().into()).collect(),
            checks,
            deadlock: delay(&deadlock, "deadlock.after", default.deadlock),
            pre_stop: delay(&entry.pre_stop, "preStop", default.pre_stop),
            drain: entry.drain.as_ref().map(|drain| delay(&Some(drain.clone()), "drain", Delay::Never)),
        }
    }

    fn check_of(&mut self, name: &str, known: &[String], field: &str) -> Option<Check> {
        if name == "warmUp" {
            return Some(Check::WarmUp);
        }
        if known.iter().any(|known| known == name) {
            return Some(Check::Dependency(name.into()));
        }
        let names = known.iter().map(String::as_str).chain(["warmUp"]);
        let hint = suggest::nearest(name, names).map(|near| format!("did you mean {near}?"));
        self.problem(field, format!("`{name}` is neither warmUp nor in dependsOn"), hint);
        None
    }

    pub(super) fn init(&mut self, entries: &BTreeMap<String, InitEntry>, field: &str) -> BTreeMap<Arc<str>, InitRun> {
        let mut all = BTreeMap::new();
        for (name, entry) in entries {
            let default = InitRun::default();
            let mut delay = |entry: &Option<DelayEntry>, part: &str, default: Delay| match entry {
                None => default,
                Some(entry) => {
                    self.distribution(entry, &format!("{field}.{name}.{part}"));
                    Delay::from(entry)
                }
            };
            let run = InitRun {
                takes: delay(&entry.takes, "takes", default.takes),
                pre_stop: delay(&entry.pre_stop, "preStop", default.pre_stop),
                stop: delay(&entry.stop, "stop", default.stop),
                exits: entry.exits.clone(),
            };
            all.insert(name.as_str().into(), run);
        }
        all
    }

    /// How much memory a container uses.
    pub(super) fn memory(&mut self, entry: &MemoryEntry, field: &str) -> Option<MemoryUse> {
        let steps: Vec<(Span, i64)> = entry.0.iter().map(|(from, bytes)| (from.0, bytes.milli / 1000)).collect();
        let from_the_start = steps.first().is_some_and(|(from, _)| *from == Span::ZERO);
        if !from_the_start || !steps.is_sorted_by(|a, b| a.0 < b.0) {
            let hint = "write [[0s, 200Mi], [10m, 900Mi]]".to_string();
            self.problem(field, "steps begin at 0s and follow one after the other", Some(hint));
            return None;
        }
        Some(MemoryUse::new(&steps))
    }

    pub(super) fn images(&mut self, entries: &BTreeMap<String, ImageEntry>) -> Arc<BTreeMap<Arc<str>, Image>> {
        let mut all = BTreeMap::new();
        for (name, entry) in entries {
            if let Some(pull) = &entry.pull {
                self.distribution(pull, &format!("spec.images.{name}.pull"));
            }
            let missing_until = match entry.missing {
                None | Some(Missing::Whether(false)) => SimTime::ZERO,
                Some(Missing::Whether(true)) => SimTime::MAX,
                Some(Missing::Until(until)) => SimTime::ZERO.after(until.0),
            };
            let size = entry.size.map(|size| size.milli / 1_000);
            let pull = entry.pull.as_ref().map_or(Delay::Constant(PULL), Delay::from);
            all.insert(name.as_str().into(), Image { pull, missing_until, cached: entry.cached, size });
        }
        Arc::new(all)
    }
}
