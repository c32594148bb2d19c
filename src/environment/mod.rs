//! What controllers do not control: machines, kubelets, the scheduler.

mod behaviour;
mod delay;
mod kubelet;
mod scheduler;
pub mod volumes;

pub use behaviour::{Behaviour, Identity, Start};
pub use delay::Delay;
pub use kubelet::{CrashLoop, End, Ending, Runtime};
pub use scheduler::Scheduler;
