//! What must hold.

use super::scalars::Duration;
use schemars::JsonSchema;
use serde::Deserialize;

/// The five ways to claim something.
pub const CLAIMS: [&str; 5] = ["always", "never", "eventually", "sometimes", "check"];

/// A claim about a run: exactly one of `always`, `never`, `eventually`,
/// `sometimes` and `check`, and when it is judged.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AssertionEntry {
    /// What reports call it (default: the claim itself).
    #[serde(default)]
    pub name: Option<String>,
    /// Holds at every moment of the window.
    #[serde(default)]
    pub always: Option<String>,
    /// Holds at no moment of the window.
    #[serde(default)]
    pub never: Option<String>,
    /// Becomes true in the window, with `within 6m` in time.
    #[serde(default)]
    pub eventually: Option<String>,
    /// Is true at some moment of the window.
    #[serde(default)]
    pub sometimes: Option<String>,
    /// A comparison of figures of the whole window, such as
    /// `min(available(deployment/web)) >= 8`.
    #[serde(default)]
    pub check: Option<String>,
    /// The window begins at this time of the run (default: with the first
    /// action).
    #[serde(default)]
    pub from: Option<Duration>,
    /// The window ends at this time of the run (default: with the run).
    #[serde(default)]
    pub until: Option<Duration>,
    /// The window begins with this action: its name, or its verb.
    #[serde(default)]
    pub after: Option<String>,
    /// The window ends with this action: its name, or its verb.
    #[serde(default)]
    pub before: Option<String>,
    /// The claim counts only where it holds for this long at a stretch.
    #[serde(default, rename = "for")]
    pub lasting: Option<Duration>,
    /// `eventually`: this long after the window began, at the latest.
    #[serde(default)]
    pub within: Option<Duration>,
    /// `expects` only: the one-line change that prevents the bad outcome.
    #[serde(default)]
    pub fix: Option<String>,
}
