//! What a pod's volume claims say about where it may run.

use super::reasons::Reasons;
use crate::api::Labels;
use crate::environment::volumes::{ClaimReach, Lack, Reach};

/// What ties a pod to nodes because of its claims.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ClaimRules {
    claims: Vec<ClaimReach>,
    /// What is wrong with every node.
    everywhere: Reasons,
}

impl ClaimRules {
    /// The rules of a pod's claims; in kube-scheduler's words what is wrong
    /// with a claim before any node is looked at.
    ///
    /// # Errors
    /// If a claim is not there, is being deleted or should have been bound.
    ///
    /// Upstream: `pkg/scheduler/framework/plugins/volumebinding/volume_binding.go PreFilter`
    pub fn new(reach: Result<Reach, Lack>) -> Result<ClaimRules, String> {
        let everywhere = match reach {
            Ok(reach) => return Ok(ClaimRules { claims: reach.into_claims(), everywhere: Reasons::NONE }),
            Err(Lack::NoClaim(name)) => return Err(format!("persistentvolumeclaim \"{name}\" not found")),
            Err(Lack::ClaimGoes(name)) => return Err(format!("persistentvolumeclaim \"{name}\" is being deleted")),
            Err(Lack::Unbound) => return Err("pod has unbound immediate PersistentVolumeClaims".to_string()),
            Err(Lack::NoVolume) => Reasons::NO_VOLUME,
            Err(Lack::NothingToBind) => Reasons::NOTHING_TO_BIND,
            Err(Lack::InUse) => Reasons::CLAIM_IN_USE,
        };
        Ok(ClaimRules { claims: Vec::new(), everywhere })
    }

    /// Whether the pod may run anywhere as far as its claims go.
    pub fn is_empty(&self) -> bool {
        self.claims.is_empty() && self.everywhere.is_empty()
    }

    /// What is wrong with a node with these labels and this name.
    ///
    /// Upstream: `pkg/scheduler/framework/plugins/volumebinding/binder.go FindPodVolumes`
    pub(super) fn against(&self, labels: &Labels, name: &str) -> Reasons {
        let refusing = self.claims.iter().filter(|claim| !claim.is_reached(labels, name));
        let reasons = refusing.fold(self.everywhere, |reasons, claim| {
            reasons.with(if claim.is_bound { Reasons::VOLUMES } else { Reasons::NOTHING_TO_BIND })
        });
        // Zones are only asked about where nothing else is wrong.
        let elsewhere = reasons.is_empty() && self.claims.iter().any(|claim| !claim.is_in_zone(labels));
        reasons.with(Reasons::VOLUME_ZONE.when(elsewhere))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{AccessModes, Meta, NodeMatch, Operator, PersistentVolume, Reclaim, VolumePhase};

    #[test]
    fn what_is_wrong_with_claims() {
        for (lack, words) in [
            (Lack::NoClaim("data".into()), "persistentvolumeclaim \"data\" not found"),
            (Lack::ClaimGoes("data".into()), "persistentvolumeclaim \"data\" is being deleted"),
            (Lack::Unbound, "pod has unbound immediate PersistentVolumeClaims"),
        ] {
            assert_eq!(ClaimRules::new(Err(lack)), Err(words.to_string()));
        }
        let none = Labels::default();
        for (lack, reasons) in [
            (Lack::NoVolume, Reasons::NO_VOLUME),
            (Lack::NothingToBind, Reasons::NOTHING_TO_BIND),
            (Lack::InUse, Reasons::CLAIM_IN_USE),
        ] {
            assert_eq!(ClaimRules::new(Err(lack)).map(|rules| rules.against(&none, "a")), Ok(reasons));
        }
    }

    #[test]
    fn a_volume_that_is_elsewhere_and_one_that_could_not_be_made_here() {
        let terms = vec![vec![NodeMatch {
            key: "zone".to_string(),
            operator: Operator::In,
            values: vec!["a".to_string()],
            field: false,
        }]];
        for (is_bound, reasons) in [(true, Reasons::VOLUMES), (false, Reasons::NOTHING_TO_BIND)] {
            let mut reach = Reach::default();
            reach.restrict(ClaimReach { terms: terms.clone(), is_bound, ..ClaimReach::default() });
            let rules = ClaimRules::new(Ok(reach)).expect("no claim is wrong");
            assert_eq!(rules.against(&Labels::from([("zone", "b")]), "n"), reasons);
            assert!(rules.against(&Labels::from([("zone", "a")]), "n").is_empty());
        }
    }

    #[test]
    fn a_volume_whose_labels_say_where_it_is() {
        const ZONE: &str = "topology.kubernetes.io/zone";
        const OLD: &str = "failure-domain.beta.kubernetes.io/zone";
        const REGION: &str = "topology.kubernetes.io/region";
        for (volume, node, lets) in [
            ([(ZONE, "a")].as_slice(), [(ZONE, "a")].as_slice(), true),
            (&[(ZONE, "a")], &[(ZONE, "b")], false),
            (&[(ZONE, "a__b")], &[(ZONE, "b")], true),
            (&[(OLD, "a")], &[(ZONE, "a")], true),
            (&[(OLD, "a")], &[(ZONE, "b")], false),
            (&[(ZONE, "a")], &[(REGION, "r")], false),
            (&[(ZONE, "a"), (REGION, "r")], &[(ZONE, "a"), (REGION, "s")], false),
            (&[(ZONE, "a")], &[("disk", "ssd")], true),
            (&[("app", "db")], &[(ZONE, "b")], true),
            (&[(ZONE, "a__")], &[(ZONE, "b")], true),
        ] {
            let labels =
                |of: &[(&str, &str)]| of.iter().fold(Labels::default(), |all, (key, value)| all.with(key, value));
            let volume = PersistentVolume {
                meta: Meta { labels: labels(volume).into(), ..Meta::named("", "pv") },
                class: "".into(),
                modes: AccessModes::default(),
                storage_milli: 0,
                reclaim: Reclaim::default(),
                node_affinity: Vec::new(),
                attachable: true,
                claim: None,
                phase: VolumePhase::default(),
            };
            let mut reach = Reach::default();
            reach.restrict(ClaimReach::of(&volume));
            let rules = ClaimRules::new(Ok(reach)).expect("no claim is wrong");
            let reasons = if lets { Reasons::NONE } else { Reasons::VOLUME_ZONE };
            assert_eq!(rules.against(&labels(node), "n"), reasons, "{volume:?} {node:?}");
        }
    }
}
