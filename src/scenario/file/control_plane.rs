//! How fast the control plane is.

use super::scalars::{Duration, FromMap, text_or_map};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, MapAccess};
use std::borrow::Cow;

/// How fast the control plane is: `ideal` (at once, the default), `realistic`,
/// or one of these with some figures of its own.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ControlPlane {
    /// Where everything begins that is not given.
    pub preset: Preset,
    /// How far the controllers' caches are behind the API server.
    pub informer_lag: Option<Duration>,
    /// How long a controller's write takes.
    pub write_latency: Option<Duration>,
    /// How many requests each controller may send.
    pub client_limits: Option<ClientLimits>,
    /// How many objects each controller works on at a time.
    pub workers: Option<u8>,
    /// Whether leaders that cannot renew their lease give up.
    pub leader_election: Option<bool>,
}

/// Where everything begins that is not given.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Preset {
    /// Everything takes no time and there are no limits.
    #[default]
    Ideal,
    /// Limits and leases as Kubernetes has them by default, latencies as in
    /// small clusters.
    Realistic,
}

/// How many requests each controller's API client may send, Kubernetes Events
/// included.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClientLimits {
    /// Requests a second (upstream's default is 20).
    #[schemars(range(min = 1))]
    pub qps: u32,
    /// How many may go at once (upstream's default is 30).
    #[schemars(range(min = 1))]
    pub burst: u32,
}

/// [`ControlPlane`] in full.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ControlPlaneInFull {
    /// Where everything begins that is not given here (default: ideal).
    #[serde(default)]
    preset: Preset,
    /// How far the controllers' caches are behind the API server (ideal: 0,
    /// realistic: 10ms).
    #[serde(default)]
    informer_lag: Option<Duration>,
    /// How long a controller's write takes (ideal: 0, realistic: 5ms).
    #[serde(default)]
    write_latency: Option<Duration>,
    /// How many requests each controller may send (ideal: no limit, realistic:
    /// 20 a second, 30 at once).
    #[serde(default)]
    client_limits: Option<ClientLimits>,
    /// How many objects each controller works on at a time (ideal: 1,
    /// realistic: 5, of DaemonSets 2, as kube-controller-manager by default).
    #[serde(default)]
    #[schemars(range(min = 1))]
    workers: Option<std::num::NonZeroU8>,
    /// Whether a leader that cannot renew its lease for 10s gives up (ideal:
    /// false, realistic: true).
    #[serde(default)]
    leader_election: Option<bool>,
}

impl FromMap for ControlPlane {
    fn from_map<'de, A: MapAccess<'de>>(map: MapAccessDeserializer<A>) -> Result<Self, A::Error> {
        let full = ControlPlaneInFull::deserialize(map)?;
        Ok(ControlPlane {
            preset: full.preset,
            informer_lag: full.informer_lag,
            write_latency: full.write_latency,
            client_limits: full.client_limits,
            workers: full.workers.map(std::num::NonZeroU8::get),
            leader_election: full.leader_election,
        })
    }
}

impl<'de> Deserialize<'de> for ControlPlane {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let expecting = "ideal, realistic, or {preset: realistic, writeLatency: 20ms, …}";
        text_or_map(deserializer, expecting, |text| match text {
            "ideal" => Ok(ControlPlane::default()),
            "realistic" => Ok(ControlPlane { preset: Preset::Realistic, ..ControlPlane::default() }),
            _ => Err(format!("there is no control plane `{text}`; write ideal or realistic")),
        })
    }
}

impl JsonSchema for ControlPlane {
    fn schema_name() -> Cow<'static, str> {
        "ControlPlane".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let (preset, full) = (generator.subschema_for::<Preset>(), generator.subschema_for::<ControlPlaneInFull>());
        json_schema!({"description": "How fast the control plane is: ideal, realistic, or figures.", "anyOf": [preset, full]})
    }
}
