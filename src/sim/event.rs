//! What the queue of the kernel holds.

use crate::api::Key;

/// Something that is due.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Event {
    /// The action of this index happens.
    Act(u32),
    /// The scheduler considers a pod.
    Schedule(PodRef),
    /// The scheduler considers the pods again that it found no node for.
    Reschedule,
    /// A pod's containers start.
    Start(PodRef, u16),
    /// A pod becomes ready.
    Ready(PodRef, u16),
    /// A container exits by itself.
    Exit(PodRef, u16),
    /// A container is started again.
    Restart(PodRef, u16),
    /// A termination is over.
    Terminated(PodRef, u16),
    /// A controller's worker goes on.
    Work {
        /// Which controller.
        process: u8,
        /// Of which controller manager.
        epoch: u8,
    },
    /// A delayed key is due. Its time is the event's own.
    Timer { process: u8, epoch: u8, key: Key },
    /// The next watch event reaches the caches.
    Deliver,
    /// A newly started controller begins to work.
    WorkersUp { process: u8, epoch: u8 },
}

/// A pod's key without its kind.
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
    Action,
    Termination,
    Kubelet,
    Scheduler,
    Retry,
}

impl Event {
    /// The class of an event of the environment.
    pub(super) const fn class(self) -> Class {
        match self {
            Event::Act(_) => Class::Action,
            Event::Terminated(..) => Class::Termination,
            Event::Schedule(_) => Class::Scheduler,
            Event::Reschedule => Class::Retry,
            _ => Class::Kubelet,
        }
    }

    /// The pod that an event of the environment is about.
    pub(super) const fn pod(self) -> Option<PodRef> {
        match self {
            Event::Schedule(pod)
            | Event::Start(pod, _)
            | Event::Ready(pod, _)
            | Event::Exit(pod, _)
            | Event::Restart(pod, _)
            | Event::Terminated(pod, _) => Some(pod),
            _ => None,
        }
    }
}
