//! The scenario file: what was typed, read, checked and compiled to a
//! [`Setup`](crate::sim::Setup) and its assertions.
//!
//! ```text
//! paths ── load ──▶ documents ── typed ──▶ ScenarioFile ── compile ──▶ Rehearsal
//! ```
//!
//! Only [`load`] reads files. Everything that is wrong is reported at once,
//! with file, line, column, the field's path and, where there is one, advice.

pub mod compile;
pub mod duration;
pub mod expression;
pub mod file;
mod form;
pub mod load;
pub mod resolve;
pub mod scope;
pub mod set;
pub mod suggest;
mod typed;
pub mod yaml;

pub use compile::{Overrides, Rehearsal};
pub use load::{Input, Loaded};

use crate::error::Error;

/// Reads and compiles scenarios from a text that holds everything: scenarios
/// and manifests as one YAML stream.
///
/// ```
/// let rehearsals = seatrial::scenario::from_text("
/// apiVersion: apps/v1
/// kind: Deployment
/// metadata: {name: web}
/// spec:
///   replicas: 3
///   selector: {matchLabels: {app: web}}
///   template:
///     metadata: {labels: {app: web}}
///     spec: {containers: [{name: app, image: 'web:v1'}]}
/// ").unwrap();
/// assert_eq!(rehearsals[0].setup.actions[0].action.describe(), "set image deployment/web web:v1-next");
/// ```
///
/// # Errors
/// Everything that is wrong with the text.
pub fn from_text(text: &str) -> Result<Vec<Rehearsal>, Error> {
    let input =
        load::load(&[load::STDIN.to_string()], false, &mut text.as_bytes()).map_err(|problems| Error { problems })?;
    let compiled = input.scenarios.iter().map(|s| compile::compile(s, Overrides::default()));
    compiled.collect::<Result<_, _>>().map_err(|problems| Error { problems })
}
