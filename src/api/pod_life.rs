//! What a template says about the life of its containers: what runs before
//! them and beside them, how they are probed, how they are stopped.

use std::sync::Arc;

/// `startupProbe`, `livenessProbe` or `readinessProbe`, defaults filled in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Probe {
    /// `initialDelaySeconds`.
    pub initial_delay_seconds: u32,
    /// `timeoutSeconds`, at least 1.
    pub timeout_seconds: u32,
    /// `periodSeconds`, at least 1.
    pub period_seconds: u32,
    /// `successThreshold`, at least 1.
    pub success_threshold: u32,
    /// `failureThreshold`, at least 1.
    pub failure_threshold: u32,
    /// `terminationGracePeriodSeconds`, instead of the pod's.
    pub grace_seconds: Option<u32>,
}

/// The three probes, in the order in which they count.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ProbeKind {
    /// Until it has succeeded once, the others rest.
    Startup,
    /// If it fails, the container is killed.
    Liveness,
    /// While it fails, the pod gets no requests.
    Readiness,
}

impl ProbeKind {
    /// All of them.
    pub const ALL: [ProbeKind; 3] = [ProbeKind::Startup, ProbeKind::Liveness, ProbeKind::Readiness];

    /// As Kubernetes writes it: `Startup`.
    pub const fn name(self) -> &'static str {
        match self {
            ProbeKind::Startup => "Startup",
            ProbeKind::Liveness => "Liveness",
            ProbeKind::Readiness => "Readiness",
        }
    }
}

/// `lifecycle.preStop`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Hook {
    /// `sleep.seconds`.
    Sleep(u32),
    /// A command or a request; how long it takes only the scenario knows.
    Handler,
}

/// `imagePullPolicy`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum PullPolicy {
    /// The registry is asked each time.
    Always,
    /// Only if the node has no such image.
    #[default]
    IfNotPresent,
    /// The image must be there.
    Never,
}

/// What is said about one container.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ContainerLife {
    /// Its name.
    pub name: Arc<str>,
    /// When its image is pulled.
    pub pull: PullPolicy,
    /// Its probes, in the order of [`ProbeKind::ALL`].
    pub probes: [Option<Probe>; 3],
    /// What happens before it is told to stop.
    pub pre_stop: Option<Hook>,
}

impl ContainerLife {
    /// One of its probes.
    pub const fn probe(&self, kind: ProbeKind) -> Option<Probe> {
        self.probes[kind as usize]
    }
}

/// One of `spec.initContainers`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct InitContainer {
    /// The image it runs.
    pub image: Arc<str>,
    /// `restartPolicy: Always`: it runs on beside the pod's containers.
    pub sidecar: bool,
    /// What else is said about it.
    pub life: ContainerLife,
}

/// What a template says about the life of its containers, if it says more
/// than which images they run.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct PodLife {
    /// `spec.initContainers`, in their order.
    pub init: Box<[InitContainer]>,
    /// `spec.containers`.
    pub containers: Box<[ContainerLife]>,
}

impl PodLife {
    /// The container that is the application: the first that has a probe, or
    /// the first of all.
    pub fn app(&self) -> Option<&ContainerLife> {
        let probed = self.containers.iter().find(|c| c.probes.iter().any(Option::is_some));
        probed.or_else(|| self.containers.first())
    }
}
