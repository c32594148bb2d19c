//! Pods and the templates they are stamped from.

use super::{Effect, Key, Labels, Meta, Resources, Taint};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// `status.phase`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub enum Phase {
    /// Not started yet.
    #[default]
    Pending,
    /// At least one container has started.
    Running,
    /// Every container ended well and none will be restarted.
    Succeeded,
    /// Every container ended, at least one badly.
    Failed,
    /// The node cannot be asked. Kubernetes no longer sets it.
    Unknown,
}

/// `spec.restartPolicy`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub enum RestartPolicy {
    /// Whatever the exit code.
    #[default]
    Always,
    /// Only after a failure.
    OnFailure,
    /// Not at all.
    Never,
}

/// The operators of selectors and node affinity.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Operator {
    /// The value is one of the list.
    In,
    /// The value is absent or none of the list.
    NotIn,
    /// There is a value.
    Exists,
    /// There is no value.
    DoesNotExist,
    /// The value is a number above the only one of the list.
    Gt,
    /// The value is a number below the only one of the list.
    Lt,
}

impl Operator {
    /// Whether the operator holds for a label's value.
    pub fn holds(self, value: Option<&str>, values: &[String]) -> bool {
        let number = |text: Option<&str>| text.and_then(|t| t.parse::<i64>().ok());
        let limit = || number(values.first().map(String::as_str));
        match self {
            Operator::In => value.is_some_and(|v| values.iter().any(|w| w == v)),
            Operator::NotIn => value.is_none_or(|v| values.iter().all(|w| w != v)),
            Operator::Exists => value.is_some(),
            Operator::DoesNotExist => value.is_none(),
            Operator::Gt => number(value).zip(limit()).is_some_and(|(v, l)| v > l),
            Operator::Lt => number(value).zip(limit()).is_some_and(|(v, l)| v < l),
        }
    }
}

/// One requirement of required node affinity.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NodeMatch {
    /// A label of the node, or `metadata.name` for `matchFields`.
    pub key: String,
    /// How the value is compared.
    pub operator: Operator,
    /// What it is compared with.
    pub values: Vec<String>,
    /// Whether it reads a field instead of a label.
    pub field: bool,
}

impl NodeMatch {
    /// Whether it holds for a node.
    pub fn holds(&self, labels: &Labels, name: &str) -> bool {
        let value = if self.field { Some(name) } else { labels.get(&self.key) };
        self.operator.holds(value, &self.values)
    }

    /// Whether one of the terms holds for a node: all of its requirements
    /// must, and a term without any never does.
    pub fn any_term(terms: &[Vec<NodeMatch>], labels: &Labels, name: &str) -> bool {
        terms.iter().any(|term| !term.is_empty() && term.iter().all(|m| m.holds(labels, name)))
    }
}

/// `spec.tolerations[]`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Toleration {
    /// The taint's key; empty with `exists` tolerates everything.
    pub key: String,
    /// `operator: Exists` instead of `Equal`.
    pub exists: bool,
    /// The taint's value for `Equal`.
    pub value: String,
    /// Absent tolerates every effect.
    pub effect: Option<Effect>,
    /// How long `NoExecute` is tolerated; absent means for ever.
    pub seconds: Option<i64>,
}

impl Toleration {
    /// Whether the taint is covered.
    ///
    /// Upstream: `staging/src/k8s.io/api/core/v1/toleration.go ToleratesTaint`
    pub fn covers(&self, taint: &Taint) -> bool {
        self.effect.is_none_or(|e| e == taint.effect)
            && (self.key.is_empty() || self.key == taint.key)
            && (self.exists || (!self.key.is_empty() && self.value == taint.value))
    }
}

/// What seatrial reads of a container.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Container {
    /// Its name, by which patches and `set image` find it.
    pub name: String,
    /// The image it runs.
    pub image: String,
}

/// A volume of a pod that is a claim.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PodClaim {
    /// The volume's name within the pod.
    pub volume: Arc<str>,
    /// The claim's name within the namespace.
    pub claim: Arc<str>,
}

/// `spec.template` of a workload: what the controllers and the environment
/// read of it, and the whole of it as it was written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PodTemplate {
    /// `metadata.labels`.
    pub labels: Arc<Labels>,
    /// `metadata.annotations`.
    pub annotations: super::Annotations,
    /// `spec.containers`.
    pub containers: Arc<[Container]>,
    /// `spec.restartPolicy`.
    pub restart_policy: RestartPolicy,
    /// `spec.terminationGracePeriodSeconds`.
    pub grace_seconds: u32,
    /// `spec.nodeSelector`.
    pub node_selector: Labels,
    /// Required node affinity: one of the terms must hold, all of a term's
    /// requirements must. No term at all means no requirement.
    pub node_affinity: Vec<Vec<NodeMatch>>,
    /// `spec.tolerations`.
    pub tolerations: Vec<Toleration>,
    /// What the scheduler counts: requests over all containers, one pod.
    pub requests: Resources,
    /// The claims among `spec.volumes`.
    pub claims: Arc<[PodClaim]>,
    /// What else it asks of the scheduler.
    pub placement: Arc<super::Placement>,
    /// How its containers begin, are probed and stop; absent if it only says
    /// which images they run.
    pub life: Option<Arc<super::PodLife>>,
    /// The template after defaulting, field by field. Two templates are the
    /// same revision if and only if this is equal. The hash label that a
    /// Deployment adds is not in it.
    pub raw: Arc<RawTemplate>,
}

/// A template as it was written, with a digest that makes different ones
/// quick to tell apart.
#[derive(Clone, Debug)]
pub struct RawTemplate {
    digest: u64,
    /// The value as text: its keys are in canonical order, so equal texts are
    /// equal templates, and much quicker to compare.
    text: Box<str>,
    value: serde_json::Value,
}

impl PartialEq for RawTemplate {
    fn eq(&self, other: &RawTemplate) -> bool {
        self.digest == other.digest && self.text == other.text
    }
}

// Lets shared templates be told equal by their address.
impl Eq for RawTemplate {}

impl RawTemplate {
    /// Keeps a template after defaulting, its keys in canonical order.
    pub fn new(value: serde_json::Value) -> Arc<RawTemplate> {
        let text = value.to_string().into_boxed_str();
        let digest = text
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
        Arc::new(RawTemplate { digest, text, value })
    }

    /// The template.
    pub const fn value(&self) -> &serde_json::Value {
        &self.value
    }

    /// Different for nearly all different templates, and the same on every
    /// platform.
    pub const fn digest(&self) -> u64 {
        self.digest
    }
}

impl PodTemplate {
    /// Whether two templates make the same revision.
    pub fn same_revision(a: &Arc<PodTemplate>, b: &Arc<PodTemplate>) -> bool {
        Arc::ptr_eq(&a.raw, &b.raw) || a.raw == b.raw
    }

    /// How much memory the application's container may use, in bytes: its own
    /// limit or that of the pod, whichever is less.
    ///
    /// Upstream: `pkg/kubelet/kuberuntime/kuberuntime_container_linux.go generateLinuxContainerResources`,
    /// `pkg/kubelet/cm/pod_container_manager_linux.go EnsureExists`
    pub fn memory_limit(&self) -> Option<i64> {
        let spec = self.raw.value().get("spec")?;
        let limit = |of: &serde_json::Value| {
            let text = of.pointer("/resources/limits/memory")?.as_str()?;
            super::parse_quantity(text).ok().map(|milli| milli / 1000)
        };
        let app = self.life.as_ref().and_then(|life| Some(&*life.app()?.name));
        let containers = spec.get("containers")?.as_array()?;
        let is_app = |c: &&serde_json::Value| app.is_none_or(|app| c.get("name").is_some_and(|name| name == app));
        let own = containers.iter().find(is_app).and_then(limit);
        own.into_iter().chain(limit(spec)).min()
    }

    /// The template without one of its labels.
    #[must_use]
    pub fn without_label(&self, name: &str) -> PodTemplate {
        let mut template = self.clone();
        Arc::make_mut(&mut template.labels).0.remove(name);
        template
    }

    /// Whether node selector and required node affinity let pods onto a node
    /// of this name with these labels.
    pub fn selects(&self, labels: &Labels, name: &str) -> bool {
        PodTemplate::selector_holds(&self.node_selector, &self.node_affinity, labels, name)
    }

    /// Whether a node selector and the terms of required node affinity, of
    /// which one must hold, let pods onto a node.
    pub fn selector_holds(selector: &Labels, terms: &[Vec<NodeMatch>], labels: &Labels, name: &str) -> bool {
        labels.contains_all(selector) && (terms.is_empty() || NodeMatch::any_term(terms, labels, name))
    }

    /// The template with another image in one container, or in all of them.
    /// `None` if there is no container of that name.
    pub fn with_image(&self, container: Option<&str>, image: &str) -> Option<PodTemplate> {
        let wanted = |name: &str| container.is_none_or(|c| c == name);
        let mut new = self.clone();
        let mut found = false;
        for c in Arc::make_mut(&mut new.containers).iter_mut().filter(|c| wanted(&c.name)) {
            c.image = image.to_string();
            found = true;
        }
        let mut raw = new.raw.value().clone();
        let containers = raw.pointer_mut("/spec/containers").and_then(|c| c.as_array_mut());
        for c in containers.into_iter().flatten() {
            if c.get("name").and_then(|n| n.as_str()).is_some_and(wanted) {
                c["image"] = image.into();
            }
        }
        new.raw = RawTemplate::new(raw);
        found.then_some(new)
    }

    /// The image of the first container, by which people tell versions apart.
    pub fn image(&self) -> &str {
        self.containers.first().map_or("", |c| &c.image)
    }
}

/// A stored pod.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pod {
    /// Its metadata.
    pub meta: Meta,
    /// What it was stamped from; shared by all pods of a revision.
    pub template: Arc<PodTemplate>,
    /// How many pods its owner had created before it.
    pub number: u32,
    /// The only node that it may run on, where its required node affinity
    /// names one; its template's affinity does not count then.
    pub pinned: Option<Arc<str>>,
    /// What it knows of its index, if it is a pod of an Indexed Job.
    pub index: Option<super::PodIndex>,
    /// The claims among its volumes: its template's, and those that its
    /// StatefulSet made for it.
    pub claims: Arc<[PodClaim]>,
    /// The node it is bound to.
    pub node: Option<Key>,
    /// `status.startTime`: when its kubelet first saw it.
    pub started: Option<Timestamp>,
    /// `status.phase`.
    pub phase: Phase,
    /// The `Ready` condition.
    pub ready: bool,
    /// `lastTransitionTime` of the `Ready` condition.
    pub ready_since: Timestamp,
    /// Whether the scheduler has said that no node fits.
    pub unschedulable: bool,
    /// Which of its template's scheduling gates are still there, a bit each.
    pub gates: u32,
    /// The highest restart count of its containers.
    pub restarts: u32,
    /// `controller.kubernetes.io/pod-deletion-cost`; lower goes first.
    pub deletion_cost: i32,
    /// Reason of a true `DisruptionTarget` condition.
    pub disruption: Option<Arc<str>>,
    /// Whether it failed because its kubelet evicted it.
    pub evicted: bool,
    /// The last container exit: code and `finishedAt`.
    pub terminated: Option<(i32, Timestamp)>,
}

impl Pod {
    /// Whether schedulers leave it alone because of its scheduling gates.
    ///
    /// Upstream: `pkg/scheduler/framework/plugins/schedulinggates/scheduling_gates.go PreEnqueue`
    pub const fn is_gated(&self) -> bool {
        self.gates != 0
    }

    /// The scheduling gates that are still there.
    pub fn gate_names(&self) -> impl Iterator<Item = &str> {
        let all = self.template.placement.gates.iter().enumerate();
        all.filter(|(i, _)| self.gates >> i & 1 == 1).map(|(_, name)| name.as_str())
    }

    /// Whether its condition `PodScheduled` is stored and false: the scheduler
    /// has said so, or it was made with gates.
    ///
    /// Upstream: `pkg/registry/core/pod/strategy.go applySchedulingGatedCondition`
    pub fn is_known_unscheduled(&self) -> bool {
        self.node.is_none() && (self.unschedulable || !self.template.placement.gates.is_empty())
    }

    /// Neither finished nor being deleted.
    ///
    /// Upstream: `controller_utils.go IsPodActive`
    pub const fn is_active(&self) -> bool {
        !self.is_finished() && self.meta.deletion.is_none()
    }

    /// Failed because its kubelet evicted it.
    ///
    /// Upstream: `pkg/kubelet/eviction/helpers.go PodIsEvicted`
    pub const fn is_evicted(&self) -> bool {
        self.evicted && matches!(self.phase, Phase::Failed)
    }

    /// `Succeeded` or `Failed`.
    pub const fn is_finished(&self) -> bool {
        matches!(self.phase, Phase::Succeeded | Phase::Failed)
    }

    /// Being deleted and not finished.
    ///
    /// Upstream: `controller_utils.go IsPodTerminating`
    pub const fn is_terminating(&self) -> bool {
        !self.is_finished() && self.meta.deletion.is_some()
    }
}

#[cfg(test)]
impl PodTemplate {
    /// A template that says nothing, for unit tests.
    pub(crate) fn empty() -> PodTemplate {
        PodTemplate {
            labels: Arc::default(),
            annotations: Arc::default(),
            containers: [].into(),
            restart_policy: RestartPolicy::default(),
            grace_seconds: 30,
            node_selector: Labels::default(),
            node_affinity: Vec::new(),
            tolerations: Vec::new(),
            requests: Resources::default(),
            claims: [].into(),
            placement: Arc::default(),
            life: None,
            raw: RawTemplate::new(serde_json::Value::Null),
        }
    }
}

#[cfg(test)]
impl Pod {
    /// A pod of that UID, running and ready on no node, for unit tests.
    pub(crate) fn running(uid: u32) -> Pod {
        Pod {
            meta: Meta { uid: super::Uid(uid), ..Meta::named("default", "pod") },
            template: Arc::new(PodTemplate::empty()),
            number: 0,
            pinned: None,
            index: None,
            claims: [].into(),
            node: None,
            started: None,
            phase: Phase::Running,
            ready: true,
            ready_since: Timestamp(100),
            unschedulable: false,
            gates: 0,
            restarts: 0,
            deletion_cost: 0,
            disruption: None,
            evicted: false,
            terminated: None,
        }
    }
}
