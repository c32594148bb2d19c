//! Which Kubernetes runs.

use super::Compiler;
use crate::api::{FeatureGates, Gate, Version};
use crate::scenario::file::Kubernetes;
use crate::scenario::suggest;

impl Compiler<'_> {
    /// The feature gates, and in words what is not as by default; empty if
    /// nothing is.
    pub(super) fn kubernetes(&mut self, typed: &Kubernetes) -> (FeatureGates, String) {
        let version = typed.version.as_deref().map(|text| self.version(text));
        let mut gates = FeatureGates::of(version.unwrap_or(Version::MODELLED));
        let mut words: Vec<String> = version.iter().map(ToString::to_string).collect();
        for (name, &on) in &typed.feature_gates {
            if gates.set(name, on) {
                words.push(format!("{name}={on}"));
                continue;
            }
            let names = || Gate::ALL.into_iter().map(Gate::name);
            let hint = match suggest::nearest(name, names()) {
                Some(near) => format!("did you mean {near}?"),
                None => format!("there are {}", names().collect::<Vec<_>>().join(", ")),
            };
            let field = format!("kubernetes.featureGates.{name}");
            self.check_name::<()>(&field, Err((format!("no feature gate `{name}` is modelled"), Some(hint))));
        }
        (gates, words.join(" "))
    }

    fn version(&mut self, text: &str) -> Version {
        Version::parse(text).unwrap_or_else(|| {
            let known: Vec<String> = Version::KNOWN.map(|minor| format!("v1.{minor}")).collect();
            let hint = match suggest::nearest(text, known.iter().map(String::as_str)) {
                Some(near) => format!("did you mean {near}?"),
                None => format!("write one of {}", known.join(", ")),
            };
            self.problem("kubernetes.version", format!("`{text}` is not a version that is modelled"), Some(hint));
            Version::MODELLED
        })
    }
}
