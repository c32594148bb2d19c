//! Resources beside CPU, memory and pods.

use std::collections::BTreeMap;
use std::sync::Arc;

/// Local disk space, which nodes only count if their scenario says how much
/// of it they have.
pub const EPHEMERAL_STORAGE: &str = "ephemeral-storage";

/// Amounts of other resources by name: extended ones such as `nvidia.com/gpu`,
/// `hugepages-2Mi` and `ephemeral-storage`, in whole units. Most pods and
/// nodes have none, and then it is no larger than an address.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Extras(Option<Arc<BTreeMap<Arc<str>, i64>>>);

/// A pod may ask for so many of them here.
pub const MOST_EXTRAS: usize = 8;

impl Extras {
    /// These amounts.
    pub fn new(amounts: BTreeMap<Arc<str>, i64>) -> Extras {
        Extras((!amounts.is_empty()).then(|| Arc::new(amounts)))
    }

    /// Whether there is none.
    #[inline]
    pub const fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// The amounts, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&Arc<str>, i64)> {
        self.0.iter().flat_map(|amounts| amounts.iter().map(|(name, amount)| (name, *amount)))
    }

    /// The amount of one, if it is said.
    pub fn get(&self, name: &str) -> Option<i64> {
        self.0.as_ref()?.get(name).copied()
    }

    /// Adds other amounts.
    pub fn add(&mut self, other: &Extras) {
        self.shift(other, 1);
    }

    /// Takes other amounts away.
    pub fn remove(&mut self, other: &Extras) {
        self.shift(other, -1);
    }

    fn shift(&mut self, other: &Extras, sign: i64) {
        if other.is_empty() {
            return;
        }
        let amounts = Arc::make_mut(self.0.get_or_insert_default());
        for (name, amount) in other.iter() {
            let own = amounts.entry(name.clone()).or_default();
            *own = own.saturating_add(sign * amount);
        }
    }

    /// Whether `wanted` more fits beside what is `used`.
    #[inline]
    pub fn fits(&self, used: &Extras, wanted: &Extras) -> bool {
        wanted.is_empty() || self.shortage(used, wanted) == ExtraShortage::default()
    }

    /// What is too little for `wanted` more beside what is `used`. What nodes
    /// do not have at all is too little, local disk space apart.
    ///
    /// Upstream: `pkg/scheduler/framework/plugins/noderesources/fit.go fitsRequest`
    pub fn shortage(&self, used: &Extras, wanted: &Extras) -> ExtraShortage {
        let mut short = ExtraShortage::default();
        for (i, (name, amount)) in wanted.iter().enumerate().filter(|(_, (_, amount))| *amount > 0) {
            let has = self.get(name).or_else(|| (**name != *EPHEMERAL_STORAGE).then_some(0));
            let Some(has) = has else { continue };
            if amount > has - used.get(name).unwrap_or(0) {
                short.which |= 1 << i.min(MOST_EXTRAS - 1);
                short.for_good |= amount > has;
            }
        }
        short
    }
}

impl<const N: usize> From<[(&str, i64); N]> for Extras {
    fn from(amounts: [(&str, i64); N]) -> Extras {
        Extras::new(amounts.into_iter().map(|(name, amount)| (name.into(), amount)).collect())
    }
}

/// What of a node's other resources is too little for a pod.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ExtraShortage {
    /// Which of what the pod asks for, by name: a bit each.
    pub which: u8,
    /// Even the empty node has too little.
    pub for_good: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_little() {
        let node = Extras::from([("nvidia.com/gpu", 4), ("hugepages-2Mi", 1 << 30)]);
        let disk = Extras::from([(EPHEMERAL_STORAGE, 10)]);
        let gpus = |n: i64| Extras::from([("nvidia.com/gpu", n)]);
        for (offered, used, wanted, which, for_good) in [
            (&node, &Extras::default(), &gpus(4), 0, false),
            (&node, &gpus(1), &gpus(4), 1, false),
            (&node, &Extras::default(), &gpus(5), 1, true),
            (&node, &gpus(4), &gpus(0), 0, false),
            (&node, &Extras::default(), &Extras::from([("a.io/x", 1), ("nvidia.com/gpu", 5)]), 0b11, true),
            (&Extras::default(), &Extras::default(), &gpus(1), 1, true),
            (&Extras::default(), &Extras::default(), &disk, 0, false),
            (&disk, &disk, &disk, 1, false),
        ] {
            let short = offered.shortage(used, wanted);
            assert_eq!((short.which, short.for_good), (which, for_good), "{used:?} {wanted:?}");
            assert_eq!(offered.fits(used, wanted), which == 0);
        }
    }

    #[test]
    fn what_comes_and_goes_leaves_nothing_used() {
        let mut used = Extras::default();
        used.add(&Extras::default());
        assert!(used.is_empty());
        used.add(&Extras::from([("a", 2), ("b", 1)]));
        used.add(&Extras::from([("a", 3)]));
        used.remove(&Extras::from([("a", 2), ("b", 1)]));
        assert_eq!((used.get("a"), used.get("b"), used.get("c")), (Some(3), Some(0), None));
    }
}
