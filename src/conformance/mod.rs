//! Recorded cases of the real controllers, run through the simulator and
//! compared entry for entry; and recorded results of single upstream
//! functions, compared with our rules.

#[cfg(test)]
mod by_hand;
pub mod canonical;
pub mod case;
pub mod compare;
pub mod entry;
pub mod envelope;
