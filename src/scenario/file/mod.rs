//! The scenario file as it is typed. Everything here is only syntax: what it
//! means is decided when it is compiled.

mod actions;
mod assertions;
mod cluster;
mod control_plane;
mod hosts;
mod life;
mod pods;
mod scalars;
mod times;
mod traffic;
mod work;

pub use actions::{ActionEntry, Applied, Cascade, Crashed, Deleted, Drained, Failed, Images, Pressed, Undone, UpDown};
pub use assertions::{AssertionEntry, CLAIMS};
pub use cluster::{
    AutoscaleEntry, Cloud, Cluster, ExpanderName, NodeEntry, NodeLifecycle, PoolEntry, QuotaEntry, ReclaimEntry,
    SchedulerName, ServerlessEntry, Shape, TaintEntry, WavesEntry, Zone,
};
pub use control_plane::{ClientLimits, ControlPlane, Preset};
pub use hosts::{ClockEntry, DriftEntry, FailedOver, Offset, Paused};
pub use life::{AppEntry, ChecksEntry, DeadlockEntry, ImageEntry, InitEntry, MemoryEntry, Missing};
pub use pods::{CrashEntry, Match, PodEntry, Pods};
pub use scalars::{DelayEntry, Distribution, Duration, OneOrMany, Quantity};
pub use times::At;
pub use traffic::{
    CpuEntry, Curve, DemandEntry, ErrorsEntry, HealthCheckEntry, LoadBalancerEntry, Rate, TrafficEntry, WarmUpEntry,
};
pub use work::{ChanceEntry, EffectEntry, Effects, IndexEntry, OutageEntry, Probability, RunEntry, When};

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// The `apiVersion` of scenario files.
pub const API_VERSION: &str = "seatrial/v1alpha1";
/// The `kind` of scenario files.
pub const KIND: &str = "Scenario";

/// A rehearsal of Kubernetes workloads: which manifests, on which machines,
/// what happens to them, and what must hold.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(title = "A scenario of seatrial")]
pub struct ScenarioFile {
    /// Always `seatrial/v1alpha1`.
    pub api_version: ApiVersion,
    /// Always `Scenario`.
    pub kind: Kind,
    /// The scenario's name.
    #[serde(default)]
    pub metadata: Metadata,
    /// Which Kubernetes runs (default: v1.36 with its own feature gates).
    #[serde(default)]
    pub kubernetes: Kubernetes,
    /// What happens.
    #[serde(default)]
    pub spec: Spec,
    /// What must hold. The run fails if one of these does not.
    #[serde(default)]
    pub assert: Vec<AssertionEntry>,
    /// Known bad outcomes that the scenario shows on purpose, each with the
    /// one-line change that would prevent it. The run fails if one of these
    /// does not happen any more.
    #[serde(default)]
    pub expects: Vec<AssertionEntry>,
}

/// The version of the file format.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
pub enum ApiVersion {
    /// The only version so far.
    #[serde(rename = "seatrial/v1alpha1")]
    V1Alpha1,
}

/// The kind of document.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
pub enum Kind {
    /// A scenario.
    Scenario,
}

/// What the scenario is called.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Metadata {
    /// The title of pictures and reports.
    #[serde(default)]
    pub name: Option<String>,
    /// Free for your own use.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// Free for your own use.
    #[serde(default)]
    pub annotations: BTreeMap<String, String>,
}

/// What happens in a scenario.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Spec {
    /// What the scenario shows, in a sentence or two.
    #[serde(default)]
    pub about: Option<String>,
    /// Manifest files that are applied at the beginning: paths, globs and
    /// folders relative to this file, `-` for standard input.
    #[serde(default)]
    pub manifests: Vec<String>,
    /// Objects that are applied at the beginning, after the manifests.
    #[serde(default)]
    #[schemars(with = "Vec<BTreeMap<String, Value>>")]
    pub objects: Vec<Value>,
    /// The seed of all random draws (default 0).
    #[serde(default)]
    pub seed: u64,
    /// With how many seeds, from `seed` on, `seatrial test` judges the claims
    /// (default 1).
    #[serde(default)]
    pub seeds: Option<std::num::NonZeroU32>,
    /// The wall time at which the run begins, in RFC 3339 (default
    /// `2026-01-05T00:00:00Z`, a Monday).
    #[serde(default)]
    pub start: Option<String>,
    /// How long the run lasts (default: 15 minutes after the last action).
    #[serde(default)]
    pub duration: Option<Duration>,
    /// The machines (default: three zones with room for everything).
    #[serde(default)]
    pub cluster: Option<Cluster>,
    /// How pods behave; later entries override earlier ones field by field.
    #[serde(default)]
    pub pods: Option<Pods>,
    /// What images take, by name such as `app:v2`. What is not named is on
    /// every node.
    #[serde(default)]
    pub images: BTreeMap<String, ImageEntry>,
    /// Requests that clients send, by Service: `service/web`.
    #[serde(default)]
    pub traffic: BTreeMap<String, TrafficEntry>,
    /// How long storage takes.
    #[serde(default)]
    pub volumes: Option<VolumesEntry>,
    /// What happens when.
    #[serde(default)]
    pub actions: Vec<ActionEntry>,
    /// What happens again and again at random times: actions with `every`
    /// instead of `at`.
    #[serde(default)]
    pub disturbances: Vec<ActionEntry>,
    /// How fast the control plane is.
    #[serde(default)]
    pub control_plane: ControlPlane,
    /// Clocks that are wrong: of `apiServer`, `controllerManager`,
    /// `scheduler`, all `kubelets`, or of single nodes (default: all are
    /// right).
    #[serde(default)]
    pub clocks: BTreeMap<String, ClockEntry>,
    /// What `seatrial compare` puts side by side; `seatrial run` runs the
    /// scenario as it stands.
    #[serde(default)]
    pub variants: Vec<VariantEntry>,
}

/// A variant of a scenario.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct VariantEntry {
    /// What pictures and tables call it.
    pub name: String,
    /// Fields and their values, named as for `--set`:
    /// `cronjob/report.concurrencyPolicy: Forbid`.
    #[serde(default)]
    pub set: BTreeMap<String, Value>,
}

/// How long storage takes.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VolumesEntry {
    /// The making of a volume for a claim (default 3s).
    #[serde(default)]
    pub provision: Option<DelayEntry>,
    /// A disk's way to a node (default 10s).
    #[serde(default)]
    pub attach: Option<DelayEntry>,
    /// A disk's way from a node (default 10s).
    #[serde(default)]
    pub detach: Option<DelayEntry>,
}

/// Which Kubernetes runs.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Kubernetes {
    /// Its version, such as `v1.36.2`. The controllers are those of v1.36; an
    /// earlier version has other feature gates on.
    #[serde(default)]
    pub version: Option<String>,
    /// Feature gates that are not as that version has them by default, such
    /// as `MaxUnavailableStatefulSet: true`.
    #[serde(default)]
    pub feature_gates: BTreeMap<String, bool>,
}

/// The JSON schema of scenario files, draft-07, which editors understand.
pub fn schema() -> Value {
    let generator = schemars::generate::SchemaSettings::draft07().into_generator();
    generator.into_root_schema_for::<ScenarioFile>().to_value()
}
