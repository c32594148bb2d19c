//! Labels and the selectors that read them.

use super::text::TextMap;
use serde::{Deserialize, Serialize};

/// `metadata.labels`, sorted by name.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Labels(pub TextMap);

impl Labels {
    /// The value of a label.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|value| &**value)
    }

    /// These labels and one more.
    #[must_use]
    pub fn with(&self, name: &str, value: &str) -> Labels {
        let mut all = self.clone();
        all.0.insert(name, value);
        all
    }

    /// Whether every label of `wanted` is here with the same value.
    pub fn contains_all(&self, wanted: &Labels) -> bool {
        wanted.0.iter().all(|(name, value)| self.get(name) == Some(&**value))
    }
}

impl<const N: usize> From<[(&str, &str); N]> for Labels {
    fn from(pairs: [(&str, &str); N]) -> Labels {
        Labels(pairs.into_iter().collect())
    }
}

/// One `matchExpressions` entry.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Requirement {
    /// The label.
    pub key: String,
    /// `In`, `NotIn`, `Exists` or `DoesNotExist`.
    pub operator: super::Operator,
    /// What `In` and `NotIn` compare with.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
}

/// `metav1.LabelSelector`.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Selector {
    /// All of these must be there.
    #[serde(default, skip_serializing_if = "labels_are_empty")]
    pub match_labels: Labels,
    /// All of these must hold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub match_expressions: Vec<Requirement>,
}

fn labels_are_empty(labels: &Labels) -> bool {
    labels.0.is_empty()
}

/// As `kubectl` prints it: `app=web,tier in (back,front)`.
///
/// Upstream: `staging/src/k8s.io/apimachinery/pkg/apis/meta/v1/helpers.go FormatLabelSelector`
impl std::fmt::Display for Selector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        use super::Operator;
        let mut parts: Vec<String> =
            self.match_labels.0.iter().map(|(name, value)| format!("{name}={value}")).collect();
        for Requirement { key, operator, values } in &self.match_expressions {
            let mut values = values.clone();
            values.sort();
            parts.push(match operator {
                Operator::Exists => key.clone(),
                Operator::DoesNotExist => format!("!{key}"),
                Operator::NotIn => format!("{key} notin ({})", values.join(",")),
                _ => format!("{key} in ({})", values.join(",")),
            });
        }
        parts.sort();
        f.write_str(if parts.is_empty() { "<none>" } else { "" })?;
        f.write_str(&parts.join(","))
    }
}

impl Selector {
    /// Whether the selector asks for nothing. An empty selector selects
    /// every object, so the API server refuses it for workloads.
    pub fn is_empty(&self) -> bool {
        self.match_labels.0.is_empty() && self.match_expressions.is_empty()
    }

    /// Whether an object with these labels is selected.
    pub fn matches(&self, labels: &Labels) -> bool {
        labels.contains_all(&self.match_labels)
            && self.match_expressions.iter().all(|r| r.operator.holds(labels.get(&r.key), &r.values))
    }

    /// This selector and one more label.
    #[must_use]
    pub fn with(&self, name: &str, value: &str) -> Selector {
        Selector {
            match_labels: self.match_labels.with(name, value),
            match_expressions: self.match_expressions.clone(),
        }
    }
}
