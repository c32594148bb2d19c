//! What controllers do not control: machines, kubelets, the scheduler.

pub mod admission;
pub mod autoscaler;
mod behaviour;
mod bits;
mod delay;
mod kube_scheduler;
mod kubelet;
mod life;
mod memory;
mod prober;
pub mod quota;
mod scheduler;
pub mod spot;
pub mod traffic;
mod trial;
pub mod volumes;

pub use behaviour::{Behaviour, Identity, Start};
pub use delay::Delay;
pub use kube_scheduler::{Attempt, Budget, Budgets, ClaimRules, KubeScheduler, PriorityClasses, Reasons, Ties};
pub use kubelet::{CrashLoop, End, Ending, Runtime};
pub use life::{Life, Stop, stop};
pub use memory::{MemoryUse, MemoryUser, first_to_go, in_binary_units};
pub use prober::Prober;
pub use scheduler::Scheduler;
pub use trial::Trial;
