//! How important pods are.

use crate::api::{Placement, PriorityClass};

/// Classes that every cluster has.
///
/// Upstream: `pkg/apis/scheduling/v1/helpers.go SystemPriorityClasses`
const OF_THE_SYSTEM: [(&str, i32); 2] =
    [("system-cluster-critical", 2_000_000_000), ("system-node-critical", 2_000_001_000)];

/// The priority classes of a cluster.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct PriorityClasses(Vec<PriorityClass>);

impl PriorityClasses {
    /// These, and those of the system.
    pub fn new(classes: &[PriorityClass]) -> PriorityClasses {
        PriorityClasses(classes.to_vec())
    }

    /// The names of all classes that pods may have.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|class| &*class.name).chain(OF_THE_SYSTEM.iter().map(|(name, _)| *name))
    }

    fn class(&self, placement: &Placement) -> Option<&PriorityClass> {
        if placement.priority_class.is_empty() {
            // Of several default classes the lowest counts.
            return self.0.iter().filter(|class| class.global_default).min_by_key(|class| class.value);
        }
        self.0.iter().find(|class| *class.name == placement.priority_class)
    }

    /// The priority of a pod; 0 if nobody says anything.
    ///
    /// Upstream: `plugin/pkg/admission/priority/admission.go admitPod`
    pub fn of(&self, placement: &Placement) -> i32 {
        let of_the_system = OF_THE_SYSTEM.iter().find(|(name, _)| *name == placement.priority_class);
        of_the_system.map(|(_, value)| *value).or_else(|| self.class(placement).map(|c| c.value)).unwrap_or(0)
    }

    /// Whether no pod is made to go for this one.
    pub fn never_preempts(&self, placement: &Placement) -> bool {
        placement.never_preempts || self.class(placement).is_some_and(|class| class.never_preempts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn priorities_come_from_classes() {
        let class = |name: &str, value, global_default| PriorityClass {
            name: name.into(),
            value,
            global_default,
            never_preempts: value == 7,
        };
        let classes = PriorityClasses::new(&[class("low", -5, false), class("usual", 7, true), class("also", 9, true)]);
        let of = |name: &str| Placement { priority_class: name.to_string(), ..Placement::default() };
        for (name, value) in [("low", -5), ("", 7), ("system-node-critical", 2_000_001_000), ("unknown", 0)] {
            assert_eq!(classes.of(&of(name)), value, "{name}");
        }
        assert!(classes.never_preempts(&of("")) && !classes.never_preempts(&of("low")));
        assert_eq!(PriorityClasses::default().of(&of("")), 0);
        assert_eq!(classes.names().count(), 5);
    }
}
