//! What the queue of the kernel holds.

use super::hosts::Host;
use super::process::Hand;
use super::traffic::Endpoint;
use crate::api::{Key, ProbeKind};

/// Something that is due.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Event {
    /// The action of this index happens.
    Act(u32),
    /// The drain of this index tries again.
    Drain(u32),
    /// The scheduler considers a pod.
    Schedule(PodRef),
    /// The scheduler considers the pods again that it found no node for.
    Reschedule,
    /// kube-scheduler has pods to look at.
    RunScheduler,
    /// kube-scheduler tries again what has waited for long.
    FlushScheduler,
    /// A pod's containers start.
    Start(PodRef, u16),
    /// A pod becomes ready.
    Ready(PodRef, u16),
    /// A container exits by itself.
    Exit(PodRef, u16),
    /// A run has one of its effects.
    Effect(PodRef, u16, u8),
    /// A container is started again.
    Restart(PodRef, u16),
    /// A termination is over.
    Terminated(PodRef, u16),
    /// A step of a pod's life as its manifest describes it.
    Life(PodRef, u16, LifeStep),
    /// A controller's worker goes on.
    Work {
        /// Which worker.
        hand: Hand,
        /// Of which controller manager.
        epoch: u8,
    },
    /// A delayed key is due. Its time is the event's own.
    Timer { process: u8, epoch: u8, key: Key },
    /// The next watch event reaches the caches.
    Deliver,
    /// A step of storage: of a claim, or of a disk with its ticket.
    Disk(DiskStep, PodRef, u16),
    /// A newly started controller begins to work.
    WorkersUp { process: u8, epoch: u8 },
    /// A host that stood still goes on.
    Resume(Host),
    /// A new controller manager becomes the leader.
    ManagerUp { epoch: u8 },
    /// A leader has not been able to renew its lease for too long.
    LeaseLost { epoch: u8 },
    /// A kubelet finds that its node is said to be lost, and puts that right.
    Contradict(PodRef),
    /// A kubelet looks at the memory of its node.
    Memory(PodRef),
    /// A clock that was set back has come to where it was.
    CaughtUp(PodRef),
    /// A controller's client has sent a Kubernetes Event.
    Sent { process: u8, epoch: u8 },
    /// The cluster autoscaler looks.
    Scan,
    /// A machine that was ordered joins its pool.
    Machine { pool: u16, number: u32 },
    /// A machine is empty and goes; a node's key.
    Vacated(PodRef),
    /// Clients send another number of requests to the Service of this index.
    Demand(u16),
    /// The EndpointSlice controller looks at a pod for a Service.
    Endpoint(PodRef, u16),
    /// Who sends requests on for a Service hears how a pod is.
    Routed(PodRef, u16, Endpoint),
    /// A load balancer has checked a pod; with a ticket.
    Checked(PodRef, u16, u16),
    /// A pod has warmed up, if it is still in this start.
    Warm(PodRef, u16, u16),
}

/// What happens in the life of a pod.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum LifeStep {
    /// An image has come.
    Pulled,
    /// What failed before its containers ran is tried again.
    TryAgain,
    /// An init container exits.
    InitEnds,
    /// A sidecar has passed its startup probe.
    SidecarUp,
    /// The application is warm.
    Warm,
    /// The application hangs from now on.
    Hangs,
    /// A probe is tried.
    Probe(ProbeKind),
    /// A probe that took time has a result.
    Probed(ProbeKind, bool),
    /// The application is told to stop.
    Told,
    /// The application that a probe has killed has exited.
    Killed,
    /// The grace of a sidecar is over.
    SidecarKilled,
    /// The sidecars of a pod that is over have exited.
    SidecarsDown,
}

/// What becomes of a claim's volume or of a disk.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum DiskStep {
    /// A claim's volume has been made.
    Provisioned,
    /// It has come to its node.
    Attached,
    /// Its node says that it is unmounted.
    Unmounted,
    /// Its node should have said so long ago.
    Overdue,
    /// It is at no node any more.
    Detached,
}

/// The key of a pod, or of something else whose kind is known.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct PodRef {
    pub(super) slot: u32,
    pub(super) uid: u32,
}

// Events are moved about more than anything else.
const _: () = assert!(size_of::<Event>() <= 16);

/// In which order things happen that the environment does in one instant.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Class {
    Drain,
    Action,
    Effect,
    Termination,
    Kubelet,
    Scheduler,
    Retry,
    Traffic,
    Fleet,
}

impl Event {
    /// The class of an event of the environment.
    pub(super) const fn class(self) -> Class {
        match self {
            Event::Drain(_) => Class::Drain,
            Event::Act(_) | Event::Resume(_) | Event::ManagerUp { .. } | Event::LeaseLost { .. } => Class::Action,
            Event::Effect(..) => Class::Effect,
            // Known before its pod is over.
            Event::Terminated(..) | Event::Life(_, _, LifeStep::SidecarKilled) => Class::Termination,
            Event::Schedule(_) | Event::RunScheduler | Event::FlushScheduler => Class::Scheduler,
            Event::Reschedule => Class::Retry,
            Event::Demand(_) | Event::Endpoint(..) | Event::Routed(..) | Event::Checked(..) | Event::Warm(..) => {
                Class::Traffic
            }
            Event::Scan => Class::Fleet,
            Event::Machine { .. } | Event::Vacated(_) => Class::Action,
            _ => Class::Kubelet,
        }
    }

    /// The step of a pod's life that this is, and the pod's count of steps.
    pub(super) const fn step(self) -> Option<(PodRef, u16)> {
        match self {
            Event::Start(pod, epoch)
            | Event::Ready(pod, epoch)
            | Event::Exit(pod, epoch)
            | Event::Effect(pod, epoch, _)
            | Event::Restart(pod, epoch)
            | Event::Life(pod, epoch, _)
            | Event::Terminated(pod, epoch) => Some((pod, epoch)),
            _ => None,
        }
    }

    /// The same step in another count.
    pub(super) const fn renumbered(self, epoch: u16) -> Event {
        match self {
            Event::Start(pod, _) => Event::Start(pod, epoch),
            Event::Ready(pod, _) => Event::Ready(pod, epoch),
            Event::Exit(pod, _) => Event::Exit(pod, epoch),
            Event::Effect(pod, _, effect) => Event::Effect(pod, epoch, effect),
            Event::Restart(pod, _) => Event::Restart(pod, epoch),
            Event::Life(pod, _, step) => Event::Life(pod, epoch, step),
            other => other,
        }
    }

    /// The pod that an event of the environment is about.
    pub(super) const fn pod(self) -> Option<PodRef> {
        match self {
            Event::Schedule(pod)
            | Event::Start(pod, _)
            | Event::Ready(pod, _)
            | Event::Exit(pod, _)
            | Event::Effect(pod, _, _)
            | Event::Restart(pod, _)
            | Event::Life(pod, _, _)
            | Event::Terminated(pod, _)
            | Event::Endpoint(pod, _)
            | Event::Routed(pod, _, _)
            | Event::Checked(pod, _, _)
            | Event::Warm(pod, _, _) => Some(pod),
            _ => None,
        }
    }
}
