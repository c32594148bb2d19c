//! What happens when.

use super::objects::{MAX_REPLICAS, too_many};
use super::times::Times;
use super::{Compiler, cluster, in_order, life};
use crate::api::{Kind, Labels, Pressure, Taint};
use crate::assertion::Moment;
use crate::environment::Delay;
use crate::environment::spot::Pool;
use crate::manifest;
use crate::scenario::file::{
    ActionEntry, Applied, Cascade, Deleted, Drained, Images, OneOrMany, Paused, Pressed, Spec, TaintEntry, Undone,
};
use crate::scenario::load::Loaded;
use crate::scenario::scope::Scope;
use crate::scenario::suggest;
use crate::sim::setup::{
    Action, Among, DRAWN, Disturbance, DrainOptions, PatchType, Propagation, Target, TimedAction, Trigger, Watch,
};
use crate::time::{SECOND, SimTime, Span, Timestamp};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The verb of an action, if it has exactly one.
pub(super) fn verbs(entry: &ActionEntry) -> Vec<&'static str> {
    let e = entry;
    let all = [
        ("apply", e.apply.is_some()),
        ("patch", e.patch.is_some()),
        ("mergePatch", e.merge_patch.is_some()),
        ("jsonPatch", e.json_patch.is_some()),
        ("setImage", e.set_image.is_some()),
        ("scale", e.scale.is_some()),
        ("createJob", e.create_job.is_some()),
        ("delete", e.delete.is_some()),
        ("undo", e.undo.is_some()),
        ("pause", e.pause.is_some()),
        ("resume", e.resume.is_some()),
        ("restart", e.restart.is_some()),
        ("label", e.label.is_some()),
        ("cordon", e.cordon.is_some()),
        ("uncordon", e.uncordon.is_some()),
        ("drain", e.drain.is_some()),
        ("evict", e.evict.is_some()),
        ("taint", e.taint.is_some()),
        ("untaint", e.untaint.is_some()),
        ("nodeAdd", e.node_add.is_some()),
        ("nodeDelete", e.node_delete.is_some()),
        ("nodeFail", e.node_fail.is_some()),
        ("nodeRecover", e.node_recover.is_some()),
        ("spotReclaim", e.spot_reclaim.is_some()),
        ("nodeNotReady", e.node_not_ready.is_some()),
        ("nodeReady", e.node_ready.is_some()),
        ("nodePressure", e.node_pressure.is_some()),
        ("nodeRelief", e.node_relief.is_some()),
        ("podReady", e.pod_ready.is_some()),
        ("podUnready", e.pod_unready.is_some()),
        ("podDeadlock", e.pod_deadlock.is_some()),
        ("dependencyDown", e.dependency_down.is_some()),
        ("dependencyUp", e.dependency_up.is_some()),
        ("podCrash", e.pod_crash.is_some()),
        ("podFail", e.pod_fail.is_some()),
        ("podUngate", e.pod_ungate.is_some()),
        ("controllers", e.controllers.is_some()),
        ("apiServer", e.api_server.is_some()),
        ("webhook", e.webhook.is_some()),
        ("clockStep", e.clock_step.is_some()),
        ("failover", e.failover.is_some()),
    ];
    all.into_iter().filter(|v| v.1).map(|v| v.0).collect()
}

/// Nodes or pods and what happens to them.
type Verb<'a, T, A> = (&'a Option<T>, fn(A) -> Action);
/// Nodes with taints and what becomes of these.
type TaintVerb<'a> = (&'a Option<BTreeMap<String, OneOrMany<TaintEntry>>>, fn(Arc<str>, Taint) -> Action);

/// What is needed to compile one action.
#[derive(Clone)]
pub(super) struct Context<'a> {
    pub(super) field: String,
    pub(super) scope: &'a Scope,
    pub(super) pools: &'a [Pool],
    pub(super) seed: u64,
    /// By which name it draws.
    pub(super) lot: Arc<str>,
    /// How long after it all is as before.
    pub(super) recover: Option<Delay>,
    pub(super) loaded: &'a Loaded,
    /// What applications depend on.
    pub(super) dependencies: &'a [&'a str],
    /// The wall time of the action.
    pub(super) wall: Timestamp,
}

/// Everything that happens.
#[derive(Default)]
pub(super) struct Happens {
    /// At times that are known, in order of time.
    pub(super) actions: Vec<TimedAction>,
    pub(super) triggers: Vec<Trigger>,
    pub(super) watch: Option<Watch>,
    pub(super) disturbances: Vec<Disturbance>,
}

impl Happens {
    /// All actions, whenever they happen.
    pub(super) fn all(&self) -> impl Iterator<Item = &Action> {
        let waiting = self.triggers.iter().flat_map(|trigger| &trigger.actions).map(|(_, action)| action);
        let random = self.disturbances.iter().flat_map(|d| &d.actions).map(|(_, action)| action);
        self.actions.iter().map(|timed| &timed.action).chain(waiting).chain(random)
    }
}

impl Compiler<'_> {
    /// Everything that happens.
    pub(super) fn actions(
        &mut self,
        loaded: &Loaded,
        spec: &Spec,
        scope: &Scope,
        pools: &[Pool],
        (start, times): (Timestamp, &Times),
    ) -> Happens {
        let mut all = Vec::new();
        let dependencies = life::dependencies(spec);
        let mut waiting = vec![Vec::new(); times.waits.len()];
        let plain = Context {
            field: String::new(),
            scope,
            pools,
            seed: spec.seed,
            lot: "".into(),
            recover: None,
            loaded,
            wall: start,
            dependencies: &dependencies,
        };
        let mut lots: Vec<Arc<str>> = Vec::new();
        for (i, entry) in spec.actions.iter().enumerate() {
            let field = format!("spec.actions[{i}]");
            let moment = times.of[i];
            if moment.and_then(known).is_some_and(|at| at > scope.until) {
                self.problem(&format!("{field}.at"), format!("the run ends before that, at {}", scope.until), None);
            }
            let Some(verb) = self.one_verb(entry, &field) else { continue };
            // What waits is told apart by its place: nobody knows its time.
            let seconds = moment.and_then(known).map_or(1 + i as i64, |at| (at.0 / SECOND) as i64);
            let lot = self.lot_name(entry, verb, &format!("/spec/actions/{i}/{verb}"), &lots);
            lots.push(lot.clone());
            let recover = self.recovery(entry, &field);
            let wall = Timestamp(start.0.saturating_add(seconds));
            let context = Context { field: format!("{field}.{verb}"), lot, recover, wall, ..plain.clone() };
            let base = moment.and_then(known).unwrap_or(SimTime::ZERO);
            let actions = self.action(entry, &context).into_iter();
            let mut entries: Vec<TimedAction> = actions.map(|action| TimedAction { at: base, action }).collect();
            if let Some(names) = &entry.spot_reclaim {
                entries.extend(self.spot_reclaim(&names.0, base, &context));
            }
            match moment {
                Some(Moment::After { trigger, .. }) => {
                    waiting[trigger] = entries.into_iter().map(|timed| (timed.at.since(base), timed.action)).collect();
                }
                _ => all.extend(entries),
            }
        }
        let disturbances = self.disturbances(spec, &plain);
        let (triggers, watch) = self.triggers(spec, scope, times, waiting);
        Happens { actions: in_order(all), triggers, watch, disturbances }
    }

    /// The verb of an entry, if it has exactly one.
    pub(super) fn one_verb(&mut self, entry: &ActionEntry, field: &str) -> Option<&'static str> {
        let verbs = verbs(entry);
        if let [verb] = verbs[..] {
            return Some(verb);
        }
        let message = match verbs.len() {
            0 => "this does nothing".to_string(),
            _ => format!("this does several things: {}", verbs.join(", ")),
        };
        let hint = "write one action for each, they may have the same time";
        self.problem(field, message, Some(hint.to_string()));
        None
    }

    pub(super) fn action(&mut self, e: &ActionEntry, c: &Context<'_>) -> Vec<Action> {
        let mut all = Vec::new();
        for applied in e.apply.iter().flat_map(|a| &a.0) {
            self.apply(applied, c, &mut all);
        }
        let by_type =
            [(&e.patch, PatchType::Strategic), (&e.merge_patch, PatchType::Merge), (&e.json_patch, PatchType::Json)];
        for (patches, patch_type) in by_type {
            for (name, patch) in patches.iter().flatten() {
                self.patch(name, patch, patch_type, c, &mut all);
            }
        }
        for (name, images) in e.set_image.iter().flatten() {
            self.set_image(name, images, c, &mut all);
        }
        for (name, replicas) in e.scale.iter().flatten() {
            self.scale(name, *replicas, c, &mut all);
        }
        for (name, from) in e.create_job.iter().flatten() {
            self.create_job(name, from, c, &mut all);
        }
        for deleted in e.delete.iter().flat_map(|d| &d.0) {
            self.delete(deleted, c, &mut all);
        }
        self.undo(e.undo.as_ref(), c, &mut all);
        self.rollout(e, c, &mut all);
        for (name, labels) in e.label.iter().flatten() {
            self.label(name, labels, c, &mut all);
        }
        self.on_nodes(e, c, &mut all);
        self.on_pods(e, c, &mut all);
        self.on_dependencies(e, c, &mut all);
        self.on_hosts(e, c, &mut all);
        self.with_recovery(all, c)
    }

    /// The object of that name, if there is one.
    fn target(&mut self, name: &str, field: &str, scope: &Scope) -> Option<Target> {
        let object = match field.ends_with(&format!(".{name}")) {
            true => self.check_name(field, scope.object(name))?,
            false => self.check(field, scope.object(name))?,
        };
        Some(Target {
            kind: object.kind,
            namespace: object.namespace.as_str().into(),
            name: object.name.as_str().into(),
        })
    }

    fn apply(&mut self, applied: &Applied, c: &Context<'_>, all: &mut Vec<Action>) {
        self.applying = true;
        match applied {
            Applied::Object(value) => {
                // A list has indices in its path; the nearest place will do.
                all.extend(self.inline(value, &c.field).map(Action::Apply));
            }
            Applied::File(path) => {
                for document in c.loaded.applied.get(path).into_iter().flatten() {
                    all.extend(self.manifest(document).map(Action::Apply));
                }
            }
        }
        self.applying = false;
    }

    fn patch(&mut self, name: &str, patch: &Value, patch_type: PatchType, c: &Context<'_>, all: &mut Vec<Action>) {
        let field = format!("{}.{name}", c.field);
        let (right, shape) = match patch_type {
            PatchType::Json => (
                serde_json::from_value::<json_patch::Patch>(patch.clone()).is_ok(),
                "a JSON patch is a list of operations, such as [{op: replace, path: /spec/paused, value: true}]",
            ),
            _ => (patch.is_object(), "a patch is a mapping, such as {spec: {paused: true}}"),
        };
        if !right {
            self.problem(&field, shape, None);
            return;
        }
        let in_list = |op: &Value| op.get("path").is_some_and(|path| path == "/spec/replicas");
        let of_list = patch.as_array().and_then(|list| list.iter().rfind(|op| in_list(op))?.get("value"));
        let replicas = of_list.or(patch.pointer("/spec/replicas")).and_then(Value::as_i64).unwrap_or(0);
        if replicas > MAX_REPLICAS {
            self.problem(&format!("{field}.spec.replicas"), too_many(replicas), None);
        }
        let Some(target) = self.target(name, &field, c.scope) else { return };
        all.push(Action::Patch { target, patch_type, patch: patch.clone() });
    }

    fn set_image(&mut self, name: &str, images: &Images, c: &Context<'_>, all: &mut Vec<Action>) {
        let Some(target) = self.target(name, &format!("{}.{name}", c.field), c.scope) else { return };
        let set =
            |container, image: &String| Action::SetImage { target: target.clone(), container, image: image.clone() };
        match images {
            Images::All(image) => all.push(set(None, image)),
            Images::ByContainer(images) => {
                all.extend(images.iter().map(|(container, image)| set(Some(container.clone()), image)));
            }
        }
    }

    fn scale(&mut self, name: &str, replicas: u32, c: &Context<'_>, all: &mut Vec<Action>) {
        let field = format!("{}.{name}", c.field);
        let Some(target) = self.target(name, &field, c.scope) else { return };
        match i32::try_from(replicas) {
            Ok(replicas) if i64::from(replicas) <= MAX_REPLICAS => all.push(Action::Scale { target, replicas }),
            _ => self.problem(&field, too_many(i64::from(replicas)), None),
        }
    }

    /// `kubectl create job NAME --from=cronjob/FROM`
    fn create_job(&mut self, name: &str, from: &str, c: &Context<'_>, all: &mut Vec<Action>) {
        let field = format!("{}.{name}", c.field);
        if let Err(words) = manifest::check_job_name(name) {
            self.check_name::<()>(&field, Err((words, Some("write createJob: {NAME: cronjob/FROM}".to_string()))));
            return;
        }
        let Some(from) = self.target(from, &field, c.scope) else { return };
        if from.kind == Kind::CronJob {
            all.push(Action::CreateJob { name: name.into(), from });
        } else {
            let hint = "a Job is made of the template of a CronJob".to_string();
            self.problem(&field, format!("a {} has no template of Jobs", from.kind), Some(hint));
        }
    }

    fn delete(&mut self, deleted: &Deleted, c: &Context<'_>, all: &mut Vec<Action>) {
        let field = &c.field;
        let name = deleted.object.as_str();
        let grace_seconds = match deleted.grace_period {
            None => None,
            Some(grace) if grace.0.0.is_multiple_of(SECOND) => u32::try_from(grace.0.0 / SECOND).ok(),
            Some(_) => {
                self.problem(&format!("{field}.gracePeriod"), "a grace period has whole seconds", None);
                return;
            }
        };
        if let Some((share, of)) = self.lot_of(name, field).filter(|(_, of)| as_pod(of).is_some()) {
            let actions = vec![(Span::ZERO, Action::DeletePods { pod: DRAWN.to_string(), grace_seconds })];
            all.push(c.lot(share, Among::Pods(as_pod(of).unwrap_or(of).to_string()), actions));
            return;
        }
        if let Some(pod) = as_pod(name) {
            if deleted.cascade.is_some() {
                self.problem(&format!("{field}.cascade"), "pods have no dependents", None);
            }
            all.push(Action::DeletePods { pod: pod.to_string(), grace_seconds });
            return;
        }
        if name.starts_with("node/") || name.starts_with("nodes/") {
            let hint = "write nodeDelete, which stops the machine and deletes its Node";
            self.problem(field, "a node is not deleted like this", Some(hint.to_string()));
            return;
        }
        let propagation = match deleted.cascade {
            None | Some(Cascade::Background) => Propagation::Background,
            Some(Cascade::Foreground) => Propagation::Foreground,
            Some(Cascade::Orphan) => Propagation::Orphan,
        };
        let Some(target) = self.target(name, field, c.scope) else { return };
        all.push(Action::Delete { target, propagation, grace_seconds });
    }

    fn undo(&mut self, undone: Option<&Undone>, c: &Context<'_>, all: &mut Vec<Action>) {
        let pairs: Vec<(&String, u32)> = match undone {
            None => Vec::new(),
            Some(Undone::Last(names)) => names.iter().map(|n| (n, 0)).collect(),
            Some(Undone::To(revisions)) => revisions.iter().map(|(n, r)| (n, *r)).collect(),
        };
        for (name, to_revision) in pairs {
            if let Some(target) = self.with_rollouts(name, c, &[Kind::Deployment, Kind::StatefulSet, Kind::DaemonSet]) {
                all.push(Action::Rollback { target, to_revision });
            }
        }
    }

    /// A workload of one of these kinds, as a verb of `kubectl rollout` takes them.
    fn with_rollouts(&mut self, name: &str, c: &Context<'_>, kinds: &[Kind]) -> Option<Target> {
        let target = self.target(name, &c.field, c.scope)?;
        if kinds.contains(&target.kind) {
            return Some(target);
        }
        self.problem(&c.field, format!("a {} has no rollouts", target.kind), None);
        None
    }

    /// `kubectl rollout pause`, `resume` and `restart`, which are patches.
    fn rollout(&mut self, e: &ActionEntry, c: &Context<'_>, all: &mut Vec<Action>) {
        let restarted = json!({"kubectl.kubernetes.io/restartedAt": c.wall.to_string()});
        let restart = json!({"spec": {"template": {"metadata": {"annotations": restarted}}}});
        let paused = match &e.pause {
            Some(Paused::Rollouts(names)) => &names[..],
            _ => &[],
        };
        let named = |names: &'_ Option<OneOrMany<String>>| names.clone().map_or_else(Vec::new, |names| names.0);
        let verbs = [
            (paused.to_vec(), json!({"spec": {"paused": true}}), &[Kind::Deployment][..]),
            (named(&e.resume), json!({"spec": {"paused": null}}), &[Kind::Deployment]),
            (named(&e.restart), restart, &[Kind::Deployment, Kind::StatefulSet, Kind::DaemonSet]),
        ];
        for (names, patch, kinds) in verbs {
            for name in &names {
                if let Some(target) = self.with_rollouts(name, c, kinds) {
                    all.push(Action::Patch { target, patch_type: PatchType::Strategic, patch: patch.clone() });
                }
            }
        }
    }

    fn label(&mut self, name: &str, labels: &BTreeMap<String, Option<String>>, c: &Context<'_>, all: &mut Vec<Action>) {
        let pairs = labels.iter().map(|(k, v)| (k.clone(), v.clone().unwrap_or_default()));
        let labels = Labels(pairs.collect());
        let field = format!("{}.{name}", c.field);
        if let Some(pod) = as_pod(name) {
            all.push(Action::LabelPods { pod: pod.to_string(), labels });
        } else if ["node/", "zone/", "pool/"].iter().any(|start| name.starts_with(start)) {
            self.on_each_node(name, true, c, |node| Action::LabelNode(node, labels.clone()), all);
        } else {
            let hint = "write pod/web/1#0 or node/a-1".to_string();
            self.check_name::<()>(&field, Err(("only pods and nodes are labelled".to_string(), Some(hint))));
        }
    }

    fn on_nodes(&mut self, e: &ActionEntry, c: &Context<'_>, all: &mut Vec<Action>) {
        let verbs: [Verb<'_, OneOrMany<String>, Arc<str>>; 7] = [
            (&e.cordon, Action::Cordon),
            (&e.uncordon, Action::Uncordon),
            (&e.node_delete, Action::NodeDelete),
            (&e.node_fail, Action::NodeFail),
            (&e.node_recover, Action::NodeRecover),
            (&e.node_not_ready, |node| Action::NodeReady(node, false)),
            (&e.node_ready, |node| Action::NodeReady(node, true)),
        ];
        for (names, verb) in verbs {
            for name in names.iter().flat_map(|n| &n.0) {
                self.on_each_node(name, false, c, verb, all);
            }
        }
        let taints: [TaintVerb<'_>; 2] = [(&e.taint, Action::Taint), (&e.untaint, Action::Untaint)];
        for (entries, verb) in taints {
            for (name, taints) in entries.iter().flatten() {
                for taint in &taints.0 {
                    self.on_each_node(name, true, c, |node| verb(node, taint.0.clone()), all);
                }
            }
        }
        for drained in e.drain.iter().flat_map(|d| &d.0) {
            self.drain(drained, c, all);
        }
        for (entries, on) in [(&e.node_pressure, true), (&e.node_relief, false)] {
            for (name, pressures) in entries.iter().flatten() {
                for pressed in &pressures.0 {
                    let act = |node| Action::NodePressure(node, pressure(*pressed), on);
                    self.on_each_node(name, true, c, act, all);
                }
            }
        }
        for entry in e.node_add.iter().flat_map(|n| &n.0) {
            all.push(Action::NodeAdd(cluster::from_entry(entry)));
        }
    }

    fn drain(&mut self, drained: &Drained, c: &Context<'_>, all: &mut Vec<Action>) {
        let grace_seconds = match drained.grace_period {
            Some(grace) if !grace.0.0.is_multiple_of(SECOND) => {
                self.problem(&format!("{}.gracePeriod", c.field), "a grace period has whole seconds", None);
                return;
            }
            grace => grace.and_then(|grace| u32::try_from(grace.0.0 / SECOND).ok()),
        };
        let options = DrainOptions {
            ignore_daemon_sets: drained.ignore_daemon_sets.unwrap_or(true),
            force: drained.force.unwrap_or(true),
            delete_empty_dir_data: drained.delete_empty_dir_data.unwrap_or(true),
            grace_seconds,
            timeout: drained.timeout.map(|timeout| timeout.0),
        };
        self.on_each_node(&drained.node, false, c, |node| Action::Drain(node, options.clone()), all);
    }

    fn on_pods(&mut self, e: &ActionEntry, c: &Context<'_>, all: &mut Vec<Action>) {
        let verbs: [Verb<'_, OneOrMany<String>, String>; 3] = [
            (&e.pod_ready, Action::PodReady),
            (&e.pod_unready, Action::PodUnready),
            (&e.pod_deadlock, Action::PodDeadlock),
        ];
        for (names, verb) in verbs {
            for name in names.iter().flat_map(|n| &n.0) {
                self.on_each_pod(name, c, verb, all);
            }
        }
        if e.pod_deadlock.is_some() && self.played.is_empty() {
            let hint = "write `app: {}` for its workload under spec.pods".to_string();
            self.problem(&c.field, "of no pod is known what its application does", Some(hint));
        }
        for name in e.evict.iter().flat_map(|n| &n.0) {
            self.on_each_pod(name, c, |pod| Action::EvictPods { pod, grace_seconds: None }, all);
        }
        for crashed in e.pod_crash.iter().flat_map(|p| &p.0) {
            let exit = crashed.exit.unwrap_or(1);
            self.exit_code(crashed.exit, &format!("{}.exit", c.field));
            self.on_each_pod(&crashed.pod, c, |pod| Action::PodCrash { pod, exit }, all);
        }
        for failed in e.pod_fail.iter().flat_map(|p| &p.0) {
            let disruption = &failed.disruption;
            self.on_each_pod(&failed.pod, c, |pod| Action::PodFail { pod, disruption: disruption.clone() }, all);
        }
        for opened in e.pod_ungate.iter().flat_map(|p| &p.0) {
            let gates = &opened.gates;
            self.on_each_pod(&opened.pod, c, |pod| Action::PodUngate { pod, gates: gates.clone() }, all);
        }
    }

    /// What is done to pods: to all that fit, or to some that are drawn when
    /// the time comes.
    fn on_each_pod(&mut self, text: &str, c: &Context<'_>, verb: impl Fn(String) -> Action, all: &mut Vec<Action>) {
        let Some((share, of)) = self.lot_of(text, &c.field) else {
            all.extend(self.pattern(text, c).map(verb));
            return;
        };
        if let Some(of) = self.pattern(of, c) {
            let actions = vec![(Span::ZERO, verb(DRAWN.to_string()))];
            all.push(c.lot(share, Among::Pods(of), actions));
        }
    }

    fn on_dependencies(&mut self, e: &ActionEntry, c: &Context<'_>, all: &mut Vec<Action>) {
        for (names, up) in [(&e.dependency_down, false), (&e.dependency_up, true)] {
            for name in names.iter().flat_map(|names| &names.0) {
                if c.dependencies.contains(&name.as_str()) {
                    all.push(Action::Dependency { name: name.as_str().into(), up });
                } else {
                    let near = suggest::nearest(name, c.dependencies.iter().copied());
                    let hint = near.map(|near| format!("did you mean {near}?"));
                    self.problem(&c.field, format!("no app says in `dependsOn` that it needs {name}"), hint);
                }
            }
        }
    }

    /// A pattern of pods, with or without `pod/` before it.
    fn pattern(&mut self, name: &str, c: &Context<'_>) -> Option<String> {
        let pattern = as_pod(name).unwrap_or(name);
        if let Some((kind, rest)) = pattern.split_once('/')
            && Kind::parse(kind).is_some()
        {
            let hint = format!("write {rest}/* for all its pods, {rest}/1#0 for the first one of revision 1");
            self.problem(&c.field, format!("`{name}` is not a pod"), Some(hint));
            return None;
        }
        self.check(&c.field, c.scope.could_be_pods(pattern))?;
        Some(pattern.to_string())
    }
}

/// The time of a moment that is known before the run.
const fn known(moment: Moment) -> Option<SimTime> {
    match moment {
        Moment::At(at) => Some(at),
        Moment::After { .. } => None,
    }
}

const fn pressure(pressed: Pressed) -> Pressure {
    match pressed {
        Pressed::Memory => Pressure::Memory,
        Pressed::Disk => Pressure::Disk,
        Pressed::Pid => Pressure::Pid,
        Pressed::Network => Pressure::Network,
    }
}

/// The pattern in `pod/web/1#0`.
fn as_pod(name: &str) -> Option<&str> {
    ["pod/", "pods/", "po/"].iter().find_map(|prefix| name.strip_prefix(prefix))
}
