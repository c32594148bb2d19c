//! What controllers do not control: machines, kubelets, the scheduler.

mod delay;

pub use delay::Delay;
