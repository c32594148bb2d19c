//! Which Kubernetes: the version, and the feature gates that a cluster has
//! switched on or off.

use std::fmt;

/// A feature gate whose state makes a difference here.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum Gate {
    /// Rolling updates of StatefulSets may take several pods at once. Where
    /// it is off, the API server drops the field `maxUnavailable`.
    MaxUnavailableStatefulSet,
    /// ReplicaSets and Deployments count terminating pods in their status.
    DeploymentReplicaSetTerminatingReplicas,
    /// A DaemonSet is not synced before its cache shows what was written for
    /// it last.
    StaleControllerConsistencyDaemonSet,
    /// The same for Jobs.
    StaleControllerConsistencyJob,
    /// The same for ReplicaSets.
    StaleControllerConsistencyReplicaSet,
    /// The same for StatefulSets.
    StaleControllerConsistencyStatefulSet,
}

impl Gate {
    /// All gates.
    pub const ALL: [Gate; 6] = [
        Gate::MaxUnavailableStatefulSet,
        Gate::DeploymentReplicaSetTerminatingReplicas,
        Gate::StaleControllerConsistencyDaemonSet,
        Gate::StaleControllerConsistencyJob,
        Gate::StaleControllerConsistencyReplicaSet,
        Gate::StaleControllerConsistencyStatefulSet,
    ];

    /// Its name, as `--feature-gates` spells it.
    pub const fn name(self) -> &'static str {
        match self {
            Gate::MaxUnavailableStatefulSet => "MaxUnavailableStatefulSet",
            Gate::DeploymentReplicaSetTerminatingReplicas => "DeploymentReplicaSetTerminatingReplicas",
            Gate::StaleControllerConsistencyDaemonSet => "StaleControllerConsistencyDaemonSet",
            Gate::StaleControllerConsistencyJob => "StaleControllerConsistencyJob",
            Gate::StaleControllerConsistencyReplicaSet => "StaleControllerConsistencyReplicaSet",
            Gate::StaleControllerConsistencyStatefulSet => "StaleControllerConsistencyStatefulSet",
        }
    }

    /// The gate of that name.
    pub fn parse(name: &str) -> Option<Gate> {
        Gate::ALL.into_iter().find(|gate| gate.name() == name)
    }

    /// Whether the gate is on where nobody says otherwise. One StatefulSet
    /// gate was on in the first releases of 1.35 and taken back in 1.35.4,
    /// because with it a broken pod could no longer be replaced by a mended
    /// template.
    ///
    /// Upstream: `pkg/features/kube_features.go defaultVersionedKubernetesFeatureGates`
    pub const fn default_in(self, version: Version) -> bool {
        match self {
            Gate::MaxUnavailableStatefulSet => version.minor == 35 && matches!(version.patch, Some(patch) if patch < 4),
            Gate::DeploymentReplicaSetTerminatingReplicas => version.minor >= 35,
            Gate::StaleControllerConsistencyDaemonSet
            | Gate::StaleControllerConsistencyJob
            | Gate::StaleControllerConsistencyReplicaSet
            | Gate::StaleControllerConsistencyStatefulSet => version.minor >= 36,
        }
    }
}

/// A version of Kubernetes 1. The controllers are those of v1.36; of an
/// earlier version it is the defaults of the feature gates that differ.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Version {
    /// The 36 of v1.36.2.
    pub minor: u32,
    /// The 2 of v1.36.2; `None` for the latest.
    pub patch: Option<u32>,
}

impl Version {
    /// The version that everything is modelled after.
    pub const MODELLED: Version = Version { minor: 36, patch: None };

    /// The minor versions whose gates are known.
    pub const KNOWN: std::ops::RangeInclusive<u32> = 33..=36;

    /// Reads `v1.36.2`, `1.36.2` or `1.36`. `None` if it is no version, or one
    /// whose gates are not known.
    pub fn parse(text: &str) -> Option<Version> {
        let mut parts = text.strip_prefix('v').unwrap_or(text).split('.');
        let mut number = || parts.next().map(|part| part.parse::<u32>().ok());
        let (major, minor, patch) = (number()??, number()??, number());
        let patch = patch.map_or(Some(None), |patch| patch.map(Some))?;
        (major == 1 && parts.next().is_none() && Version::KNOWN.contains(&minor)).then_some(Version { minor, patch })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "v1.{}", self.minor)?;
        self.patch.map_or(Ok(()), |patch| write!(f, ".{patch}"))
    }
}

/// Which gates are on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FeatureGates(u32);

/// Those of the version that everything is modelled after.
impl Default for FeatureGates {
    fn default() -> FeatureGates {
        FeatureGates::of(Version::MODELLED)
    }
}

impl FeatureGates {
    /// The defaults of a version.
    pub fn of(version: Version) -> FeatureGates {
        let on = Gate::ALL.into_iter().filter(|gate| gate.default_in(version));
        on.fold(FeatureGates(0), |gates, gate| gates.with(gate, true))
    }

    /// Whether a gate is on.
    #[must_use]
    pub const fn has(self, gate: Gate) -> bool {
        self.0 & (1 << gate as u32) != 0
    }

    /// The same with one gate switched.
    #[must_use]
    pub const fn with(self, gate: Gate, on: bool) -> FeatureGates {
        let bit = 1 << gate as u32;
        FeatureGates(if on { self.0 | bit } else { self.0 & !bit })
    }

    /// Switches the gate of this name. Answers whether there is such a gate.
    #[must_use]
    pub fn set(&mut self, name: &str, on: bool) -> bool {
        let Some(gate) = Gate::parse(name) else { return false };
        *self = self.with(gate, on);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_as_people_write_them() {
        for (text, version) in [
            ("v1.36.2", Some("v1.36.2")),
            ("1.36", Some("v1.36")),
            ("1.35.0", Some("v1.35.0")),
            ("1.99", None),
            ("2.36", None),
            ("1.36.2.1", None),
            ("1.36.x", None),
            ("latest", None),
            ("", None),
        ] {
            let read = Version::parse(text).map(|v| v.to_string());
            assert_eq!(read.as_deref(), version, "{text}");
        }
    }

    #[test]
    fn gates_follow_the_version_and_whoever_switches_them() {
        let on = |text: &str, gate| FeatureGates::of(Version::parse(text).expect("a version")).has(gate);
        for (version, gate, expected) in [
            ("1.36.2", Gate::MaxUnavailableStatefulSet, false),
            ("1.35.3", Gate::MaxUnavailableStatefulSet, true),
            ("1.35.4", Gate::MaxUnavailableStatefulSet, false),
            ("1.35", Gate::MaxUnavailableStatefulSet, false),
            ("1.36", Gate::StaleControllerConsistencyReplicaSet, true),
            ("1.35", Gate::StaleControllerConsistencyReplicaSet, false),
            ("1.34", Gate::DeploymentReplicaSetTerminatingReplicas, false),
            ("1.35", Gate::DeploymentReplicaSetTerminatingReplicas, true),
        ] {
            assert_eq!(on(version, gate), expected, "{version} {gate:?}");
        }
        let mut gates = FeatureGates::default();
        assert!(gates.set("MaxUnavailableStatefulSet", true) && gates.has(Gate::MaxUnavailableStatefulSet));
        assert!(gates.has(Gate::StaleControllerConsistencyJob), "the others stay");
        assert!(!gates.set("MaxUnavailable", true), "there is no such gate");
    }
}
