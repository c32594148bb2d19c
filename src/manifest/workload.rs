//! What the manifests of all kinds with a pod template have in common.

use super::fields::Fields;
use super::problems::Problems;
use super::shape::{Members, decode};
use super::{meta, pod_template};
use crate::api::Meta;
use serde_json::Value;

/// The beginning of reading such a manifest.
pub(super) struct Head {
    /// The manifest, decoded, its template with the defaults.
    pub(super) document: Value,
    /// Its metadata.
    pub(super) meta: Meta,
    /// What is not taken from it, sorted.
    pub(super) not_modelled: Vec<String>,
}

/// Decodes a manifest whose pod template stands at `template`, a path with
/// dots, and reads its metadata.
pub(super) fn read_head(value: &Value, shape: &'static Members, template: &str, problems: &mut Problems) -> Head {
    let mut document = decode(value, shape, problems);
    let pod = template.split('.').fold(&mut document, |value, name| &mut value[name]);
    let mut not_modelled = pod_template::not_modelled(pod, template);
    pod_template::apply_defaults(pod);
    let f = Fields::new(&document, "");
    not_modelled.extend(meta::foreign_holders(&f));
    not_modelled.sort();
    let meta = meta::read(&f, problems);
    Head { document, meta, not_modelled }
}
