//! Everything a run is made from. After this nothing can fail: a [`Setup`]
//! gives a [`Trace`](crate::trace::Trace), not a `Result`.

mod hosts;
mod life;
mod triggers;
mod work;

pub use crate::api::Propagation;
pub use hosts::{ClockSpec, Clocks, Component};
pub use life::{App, Check, Image, InitRun};
pub use triggers::{Among, Armed, DRAWN, Disturbance, Lookout, Lot, Share, Trigger, Watch};
pub use work::{Chance, Effect, EffectTime, KeyPart, KeyTemplate, Outage, Run};

use crate::api::{FeatureGates, Key, Kind, Labels, NodeSpec, Object, Pressure, PriorityClass, Taint};
use crate::controllers::{NodeLifecycleSwitch, Switches};
use crate::environment::quota::Quota;
use crate::environment::spot::Pool;
use crate::environment::traffic::Traffic;
use crate::environment::{Delay, MemoryUse};
use crate::time::{SimTime, Span, Timestamp};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The input of one run.
#[derive(Clone, PartialEq, Debug)]
pub struct Setup {
    /// The wall time at which the run begins.
    pub start: Timestamp,
    /// Where it ends; what happens at this very moment still counts.
    pub until: SimTime,
    /// The seed of all random draws.
    pub seed: u64,
    /// A title for pictures.
    pub title: String,
    /// The nodes there are from the beginning.
    pub nodes: Vec<NodeSpec>,
    /// The objects applied at the beginning, in order.
    pub objects: Vec<Object>,
    /// How pods behave; later entries override earlier ones field by field.
    pub profiles: Vec<PodProfile>,
    /// What happens when, in order of time.
    pub actions: Vec<TimedAction>,
    /// What happens once something else has happened.
    pub triggers: Vec<Trigger>,
    /// Looks out for the claims of `triggers`; needed if any has one.
    pub watch: Option<Watch>,
    /// What happens again and again at random.
    pub disturbances: Vec<Disturbance>,
    /// Machines that are kept at a number; the ones of the beginning are among
    /// `nodes`.
    pub pools: Vec<Pool>,
    /// How the control plane behaves.
    pub control_plane: ControlPlane,
    /// What the components' clocks show.
    pub clocks: Clocks,
    /// What the metrics APIs show, in order of time: of several points the
    /// last one that is not in the future counts.
    pub metrics: Vec<MetricPoint>,
    /// Requests that clients send, of each Service at most one entry.
    pub traffic: Vec<Traffic>,
    /// Who places pods.
    pub scheduler: SchedulerChoice,
    /// The PriorityClasses of the cluster beside those of the system.
    pub priority_classes: Vec<PriorityClass>,
    /// What was assumed because nobody said it, a sentence each.
    pub assumptions: Vec<String>,
    /// What images take, by name; what is not named is on every node.
    pub images: Arc<BTreeMap<Arc<str>, Image>>,
    /// Whether the trace says when applications serve requests and when not.
    pub tell_serving: bool,
    /// Whether an action on pods of which there are none is recorded as refused.
    pub tell_misses: bool,
    /// How storage behaves; `None` where claims are only names that nobody
    /// binds and no pod waits for.
    pub volumes: Option<Volumes>,
    /// What the pods of namespaces may take together.
    pub quotas: Vec<Quota>,
    /// Version and feature gates in words, where they are not the default
    /// ones. What they mean is in [`ControlPlane::feature_gates`].
    pub kubernetes: String,
}

impl Setup {
    /// An empty cluster from `start` until `until`.
    pub fn new(start: Timestamp, until: SimTime) -> Setup {
        Setup {
            start,
            until,
            seed: 0,
            title: String::new(),
            nodes: Vec::new(),
            objects: Vec::new(),
            profiles: Vec::new(),
            actions: Vec::new(),
            triggers: Vec::new(),
            watch: None,
            disturbances: Vec::new(),
            pools: Vec::new(),
            control_plane: ControlPlane::default(),
            clocks: Clocks::default(),
            metrics: Vec::new(),
            traffic: Vec::new(),
            scheduler: SchedulerChoice::default(),
            priority_classes: Vec::new(),
            assumptions: Vec::new(),
            images: Arc::default(),
            tell_serving: false,
            tell_misses: false,
            volumes: None,
            quotas: Vec::new(),
            kubernetes: String::new(),
        }
    }
}

/// Who places pods.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum SchedulerChoice {
    /// The feasible node with the fewest pods, the first by name.
    #[default]
    Simple,
    /// The rules of kube-scheduler; which of equally good nodes a pod gets is
    /// drawn, as in a real cluster it depends on which thread is faster.
    Kube,
    /// The same with a single thread, so that nothing is left open.
    KubeInOrder,
}

/// The speed of the control plane. The defaults are those of the recordings:
/// caches that are never behind and writes of about a microsecond, which
/// decide nothing but the order within one instant.
#[derive(Clone, PartialEq, Debug)]
pub struct ControlPlane {
    /// How far each informer cache is behind the API server.
    pub informer_lag: Span,
    /// How long a write takes beyond that microsecond.
    pub write_latency: Span,
    /// How many requests each controller may send; none is as many as it
    /// likes.
    pub client_limit: Option<ClientLimit>,
    /// How many workers the controllers have.
    pub workers: Workers,
    /// Whether leaders that cannot renew their lease give up.
    pub leader_election: bool,
    /// What is switched on beyond the defaults of Kubernetes.
    pub feature_gates: FeatureGates,
    /// Whether the garbage collector runs: without it, what has lost its
    /// owner stays.
    pub garbage_collector: bool,
    /// The node lifecycle and taint eviction controllers; without them nobody
    /// notices that a machine is down.
    pub node_lifecycle: Option<NodeLifecycleSwitch>,
    /// The pod garbage collector, with the number of finished pods that it
    /// leaves; 0 leaves them all.
    pub pod_gc: Option<usize>,
    /// The IANA name of the controller manager's time zone, in which schedules
    /// without one are read; UTC if there is none.
    pub time_zone: Option<Arc<str>>,
    /// For how long the controllers have been running when the run begins:
    /// this sets the phase of what they do at intervals.
    pub running_for: Span,
}

impl ControlPlane {
    /// Which controllers run.
    pub fn switches(&self) -> Switches {
        Switches {
            garbage_collector: self.garbage_collector,
            node_lifecycle: self.node_lifecycle.clone(),
            pod_gc: self.pod_gc,
            time_zone: self.time_zone.clone(),
        }
    }
}

impl Default for ControlPlane {
    fn default() -> Self {
        ControlPlane {
            informer_lag: Span::ZERO,
            write_latency: Span::ZERO,
            client_limit: None,
            workers: Workers::Same(1),
            leader_election: false,
            feature_gates: FeatureGates::default(),
            garbage_collector: true,
            node_lifecycle: None,
            pod_gc: None,
            time_zone: None,
            running_for: Span::from_ms(8_900),
        }
    }
}

/// How many objects a controller works on at a time. Some do one thing after
/// the other whatever is set.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Workers {
    /// As many as kube-controller-manager gives each by default.
    Upstream,
    /// So many each, at least one.
    Same(u8),
}

impl Workers {
    /// The number for a controller that upstream gives so many.
    #[must_use]
    pub fn of(self, upstream: u8) -> u8 {
        match self {
            Workers::Same(each) if upstream > 1 => each.max(1),
            _ => upstream,
        }
    }
}

/// How long storage takes.
#[derive(Clone, PartialEq, Debug)]
pub struct Volumes {
    /// The making of a volume (default 3 s).
    pub provision: Delay,
    /// A disk's way to a node (default 10 s).
    pub attach: Delay,
    /// A disk's way from a node (default 10 s).
    pub detach: Delay,
}

impl Default for Volumes {
    fn default() -> Self {
        let seconds = |n| Delay::Constant(Span::from_secs(n));
        Volumes { provision: seconds(3), attach: seconds(10), detach: seconds(10) }
    }
}

/// What the metrics APIs show from a moment on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MetricPoint {
    /// From when.
    pub at: SimTime,
    /// The CPU that the running pods of any target use together, in
    /// millicores; absent for no metrics.
    pub cpu_milli: Option<i64>,
    /// The value of any external metric, in thousandths.
    pub external_milli: Option<i64>,
}

/// How `kubectl drain` is called.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct DrainOptions {
    /// `--ignore-daemonsets`: without it, a pod of a DaemonSet makes kubectl
    /// give up before it evicts anything.
    pub ignore_daemon_sets: bool,
    /// `--force`: evict pods that nothing controls, too.
    pub force: bool,
    /// `--delete-emptydir-data`: evict pods with `emptyDir` volumes, too.
    pub delete_empty_dir_data: bool,
    /// `--grace-period`, instead of the pods' own.
    pub grace_seconds: Option<u32>,
    /// `--timeout`; absent means for ever.
    pub timeout: Option<Span>,
}

/// How many requests a controller's API client may send. Kubernetes Events and
/// what is read past the caches count too.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ClientLimit {
    /// Requests a second in the long run, at least 1.
    pub per_second: u32,
    /// How many may go at once.
    pub burst: u32,
}

impl ClientLimit {
    /// What the controller manager has by default.
    ///
    /// Upstream: `cmd/kube-controller-manager/app/options/options.go NewDefaultComponentConfig`
    pub const DEFAULT: ClientLimit = ClientLimit { per_second: 20, burst: 30 };
}

/// Which pods a [`PodProfile`] is for; every given key must fit.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct PodMatch {
    /// The top-level owner's namespace.
    pub namespace: Option<Arc<str>>,
    /// The top-level owner's name.
    pub workload: Option<Arc<str>>,
    /// The first container's image.
    pub image: Option<Arc<str>>,
    /// The node.
    pub node: Option<Arc<str>>,
    /// The pod's creation number within its ReplicaSet.
    pub n: Option<u32>,
    /// Which Job of its CronJob the pod works for, from 0.
    pub job: Option<u32>,
}

/// How matching pods behave. What is `None` is left as it was.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct PodProfile {
    /// The pods.
    pub matches: PodMatch,
    /// Creation until the scheduler considers the pod (default 10 ms).
    pub schedule: Option<Delay>,
    /// Binding until the containers run (default 1 s).
    pub start: Option<Delay>,
    /// Each start until ready (default 0).
    pub ready: Option<Delay>,
    /// SIGTERM until exit (default 1 s), cut short by the grace period.
    pub terminate: Option<Delay>,
    /// Exits by itself after each start.
    pub crash: Option<Crash>,
    /// Runs for a while and exits, as batch work does.
    pub run: Option<Run>,
    /// What each start writes outside the cluster; at most 64.
    pub effects: Option<Arc<[Effect]>>,
    /// How much memory it uses (default: what it asks for).
    pub memory: Option<MemoryUse>,
    /// What the application does. Where it is given, the manifest's probes,
    /// hooks, init containers and sidecars are played, and `ready` means
    /// nothing.
    pub app: Option<Arc<App>>,
    /// Init containers and sidecars by name. Where any are given, the
    /// manifest's init containers and sidecars are played.
    pub init: Option<Arc<BTreeMap<Arc<str>, InitRun>>>,
}

/// A container that does not stay up.
#[derive(Clone, PartialEq, Debug)]
pub struct Crash {
    /// Each start until the exit.
    pub after: Delay,
    /// The exit code.
    pub exit: i32,
    /// How many starts end so; 0 for all.
    pub times: u32,
}

/// An action and its time.
#[derive(Clone, PartialEq, Debug)]
pub struct TimedAction {
    /// When it happens.
    pub at: SimTime,
    /// What happens.
    pub action: Action,
}

/// A named object.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Target {
    /// Its kind.
    pub kind: Kind,
    /// Its namespace; empty for nodes.
    pub namespace: Arc<str>,
    /// Its name.
    pub name: Arc<str>,
}

/// How a patch is merged.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PatchType {
    /// As `kubectl patch` does by default: lists of named things by name.
    Strategic,
    /// RFC 7386.
    Merge,
    /// RFC 6902: a list of operations, all of them or none.
    Json,
}

/// What somebody does to the cluster.
#[derive(Clone, PartialEq, Debug)]
pub enum Action {
    /// `kubectl apply`: create, or replace the spec and merge the metadata.
    Apply(Object),
    /// `kubectl patch`.
    Patch {
        /// The object.
        target: Target,
        /// How to merge.
        patch_type: PatchType,
        /// The patch.
        patch: serde_json::Value,
    },
    /// `kubectl set image`; without a container name every container.
    SetImage {
        /// The workload.
        target: Target,
        /// The container.
        container: Option<String>,
        /// The image.
        image: String,
    },
    /// `kubectl scale`.
    Scale {
        /// The workload.
        target: Target,
        /// The new number.
        replicas: i32,
    },
    /// `kubectl delete`.
    Delete {
        /// The object.
        target: Target,
        /// What becomes of its dependents.
        propagation: Propagation,
        /// Overrides the pod's own grace period.
        grace_seconds: Option<u32>,
    },
    /// `kubectl rollout undo`; revision 0 is the previous one.
    Rollback {
        /// The Deployment.
        target: Target,
        /// The revision.
        to_revision: u32,
    },
    /// `kubectl create job --from`.
    CreateJob {
        /// What the Job is called.
        name: Arc<str>,
        /// The CronJob.
        from: Target,
    },
    /// `kubectl label pod`: an empty value removes the label. Every pod whose
    /// name fits; `*` stands for anything.
    LabelPods {
        /// `web/2#*`, a name in traces, or a name in the API.
        pod: String,
        /// What to set.
        labels: Labels,
    },
    /// `kubectl cordon`.
    Cordon(Arc<str>),
    /// `kubectl uncordon`.
    Uncordon(Arc<str>),
    /// `kubectl drain`: cordon, then evict every pod of the node, again and
    /// again where a budget refuses.
    Drain(Arc<str>, DrainOptions),
    /// Ask once for the eviction of every matching pod.
    EvictPods {
        /// Which pods.
        pod: String,
        /// Overrides the pods' own grace period.
        grace_seconds: Option<u32>,
    },
    /// `kubectl taint`.
    Taint(Arc<str>, Taint),
    /// `kubectl taint …-`.
    Untaint(Arc<str>, Taint),
    /// `kubectl label node`: an empty value removes the label.
    LabelNode(Arc<str>, Labels),
    /// A machine joins.
    NodeAdd(NodeSpec),
    /// The machine dies and its Node object is deleted.
    NodeDelete(Arc<str>),
    /// The machine dies; nothing on it changes any more.
    NodeFail(Arc<str>),
    /// The machine comes back, rebooted.
    NodeRecover(Arc<str>),
    /// The cloud takes a machine of a pool back, with the pool's notice, and
    /// replaces it as the pool does.
    SpotReclaim(Arc<str>),
    /// The cloud will take the machine back. If a termination handler hears of
    /// it, the node is drained.
    SpotNotice {
        /// The node.
        node: Arc<str>,
        /// How long it has.
        ahead: Span,
        /// Whether it is drained.
        handled: bool,
    },
    /// The machine shuts down: its kubelet ends its pods within a grace period
    /// and reports them as failed.
    NodeShutdown {
        /// The node.
        node: Arc<str>,
        /// The most that a pod gets.
        grace: Span,
    },
    /// The machine's kubelet, which is alive, says whether its node is ready.
    NodeReady(Arc<str>, bool),
    /// The machine's kubelet says that a condition holds, or no longer.
    NodePressure(Arc<str>, Pressure, bool),
    /// The Ready condition of matching pods is set.
    PodReady(String),
    /// The Ready condition of matching pods is cleared.
    PodUnready(String),
    /// A container of matching pods exits now.
    PodCrash {
        /// Which pods.
        pod: String,
        /// The exit code.
        exit: i32,
    },
    /// The applications of matching pods hang: they run, answer nothing and
    /// do not stop when they are told to.
    PodDeadlock(String),
    /// Somebody takes scheduling gates of matching pods away.
    PodUngate {
        /// Which pods.
        pod: String,
        /// Which gates; none stands for all of them.
        gates: Vec<String>,
    },
    /// Something that applications depend on cannot be reached, or can again.
    Dependency {
        /// Its name in `dependsOn`.
        name: Arc<str>,
        /// Whether it can be reached from now on.
        up: bool,
    },
    /// Matching pods fail as if evicted by the kubelet.
    PodFail {
        /// Which pods.
        pod: String,
        /// Reason of the `DisruptionTarget` condition, if it is to be set.
        disruption: Option<String>,
    },
    /// `kubectl delete pod` of every matching pod.
    DeletePods {
        /// Which pods.
        pod: String,
        /// Overrides the pods' own grace period.
        grace_seconds: Option<u32>,
    },
    /// All controllers stop.
    ControllersDown,
    /// New controllers start, with nothing remembered.
    ControllersUp,
    /// The API server cannot be reached. Machines go on by themselves; what
    /// they report is seen when it is back.
    ApiServerDown,
    /// The API server can be reached again.
    ApiServerUp,
    /// The webhook that every new pod must pass answers from now on, or does
    /// not: then no pod can be created.
    Webhook {
        /// Whether it answers.
        up: bool,
    },
    /// Somebody sets a component's wall clock.
    ClockStep {
        /// Whose.
        component: Component,
        /// Nanoseconds forward; negative for back.
        by_ns: i64,
    },
    /// The leader dies, and after a gap another instance with an empty memory
    /// takes over.
    Failover {
        /// The controller manager or the scheduler.
        component: Component,
        /// How long there is no leader.
        gap: Span,
        /// The new instance's clock.
        clock: ClockSpec,
        /// The time zone of the new controller manager's host, if it is
        /// another one.
        zone: Option<Arc<str>>,
    },
    /// A host stands still for a while, as when a laptop sleeps: its timers
    /// stop, its wall clock does not.
    Pause {
        /// Which one.
        component: Component,
        /// For how long.
        span: Span,
    },
    /// Actions on some of those that fit when the time comes.
    Lot(Box<Lot>),
}

impl Action {
    /// The action in words, as pictures and traces print it.
    pub fn describe(&self) -> String {
        let on = |t: &Target| format!("{}/{}", t.kind.name().to_lowercase(), t.name);
        match self {
            Action::Apply(o) => format!("apply {}/{}", o.kind().name().to_lowercase(), o.meta().name),
            Action::Patch { target, patch, .. } => format!("patch {} {patch}", on(target)),
            Action::SetImage { target, image, .. } => format!("set image {} {image}", on(target)),
            Action::Scale { target, replicas } => format!("scale {} to {replicas}", on(target)),
            Action::Delete { target, propagation, .. } => match propagation {
                Propagation::Background => format!("delete {}", on(target)),
                other => format!("delete {} ({other:?})", on(target)),
            },
            Action::CreateJob { name, from } => format!("create job {name} from {}", on(from)),
            Action::Rollback { target, to_revision: 0 } => format!("undo {}", on(target)),
            Action::Rollback { target, to_revision } => format!("undo {} to revision {to_revision}", on(target)),
            Action::LabelPods { pod, .. } => format!("label pod {pod}"),
            Action::Cordon(node) => format!("cordon {node}"),
            Action::Uncordon(node) => format!("uncordon {node}"),
            Action::Drain(node, _) => format!("drain {node}"),
            Action::EvictPods { pod, .. } => format!("evict pod {pod}"),
            Action::Taint(node, taint) => format!("taint {node} {taint}"),
            Action::Untaint(node, taint) => format!("untaint {node} {taint}"),
            Action::LabelNode(node, _) => format!("label node {node}"),
            Action::NodeAdd(spec) => format!("node {} joins", spec.name),
            Action::NodeDelete(node) => format!("node {node} is deleted"),
            Action::NodeFail(node) => format!("node {node} dies"),
            Action::NodeRecover(node) => format!("node {node} recovers"),
            Action::SpotReclaim(node) => format!("{node} is taken back"),
            Action::SpotNotice { node, ahead, handled } => {
                let drained = if *handled { " and is drained" } else { "" };
                format!("{node} will be taken back in {ahead}{drained}")
            }
            Action::NodeShutdown { node, grace } => format!("node {node} shuts down within {grace}"),
            Action::NodeReady(node, true) => format!("node {node} says it is ready"),
            Action::NodeReady(node, false) => format!("node {node} says it is not ready"),
            Action::NodePressure(node, pressure, true) => format!("node {node} is under {}", pressure.name()),
            Action::NodePressure(node, pressure, false) => format!("node {node} is free of {}", pressure.name()),
            Action::PodReady(pod) => format!("pod {pod} ready"),
            Action::PodUnready(pod) => format!("pod {pod} not ready"),
            Action::PodCrash { pod, exit } => format!("pod {pod} crashes ({exit})"),
            Action::PodDeadlock(pod) => format!("pod {pod} hangs"),
            Action::PodUngate { pod, gates } if gates.is_empty() => format!("ungate pod {pod}"),
            Action::PodUngate { pod, gates } => format!("take {} from pod {pod}", gates.join(" ")),
            Action::Dependency { name, up: true } => format!("{name} can be reached again"),
            Action::Dependency { name, up: false } => format!("{name} cannot be reached"),
            Action::PodFail { pod, .. } => format!("pod {pod} fails"),
            Action::DeletePods { pod, .. } => format!("delete pod {pod}"),
            Action::ControllersDown => "controllers down".to_string(),
            Action::ControllersUp => "controllers up".to_string(),
            Action::ApiServerDown => "API server down".to_string(),
            Action::ApiServerUp => "API server up".to_string(),
            Action::Webhook { up: true } => "webhook up".to_string(),
            Action::Webhook { up: false } => "webhook down".to_string(),
            Action::ClockStep { component, by_ns } => {
                let sign = if *by_ns < 0 { '-' } else { '+' };
                format!("clock of {component} {sign}{}", Span(by_ns.unsigned_abs()))
            }
            Action::Failover { component, gap, .. } => format!("failover of {component} after {gap}"),
            Action::Pause { component, span } => format!("{component} stands still for {span}"),
            Action::Lot(lot) => lot.describe(),
        }
    }
}

/// Says which object an action touched, for traces. Never a pod pattern.
pub type Touched = Option<Key>;
