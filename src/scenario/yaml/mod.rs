//! YAML (and so JSON) text to values, every value with its line and column.
//!
//! Values are read as kubectl reads them, YAML 1.1 surprises included, and
//! whatever reads differently elsewhere is named in a warning. Text that
//! kubectl's parser refuses is refused here too.

mod node;
mod scalar;

use crate::error::{Position, Problem};
use node::{Content, Node};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// One document of a file, with the place of each of its values.
#[derive(Clone, Debug)]
pub struct Document {
    /// The file's name, `-` for standard input.
    pub file: PathBuf,
    /// What it says.
    pub value: Value,
    root: Arc<Node>,
    text: Arc<str>,
    /// Fields that were set from outside.
    set: Vec<SetField>,
}

/// A field that does not say what is written in the file.
#[derive(Clone, Debug)]
pub struct SetField {
    /// Where it is, such as `spec.replicas`.
    pub field: String,
    /// Who says so: `--set deployment/web.replicas=3`.
    pub said: String,
    /// Advice, should there be no such field.
    pub hint: Option<String>,
}

/// What a file holds and what was odd about it.
#[derive(Clone, Debug, Default)]
pub struct Reading {
    /// The documents, empty ones left out and every `List` taken apart.
    pub documents: Vec<Document>,
    /// What is read in a way that may surprise.
    pub warnings: Vec<Problem>,
}

/// Reads all documents of a file.
///
/// # Errors
/// Everything that is wrong, with line and column: syntax, names that are
/// given twice, aliases that explode, documents that are not mappings.
pub fn read(file: &Path, text: &str) -> Result<Reading, Vec<Problem>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let source: Arc<str> = text.into();
    let mut stream = node::read(text);
    if stream.problems.is_empty()
        && let Some(refused) = refused_by_libyaml(text)
    {
        stream.problems.push(refused);
    }
    let mut documents = Vec::new();
    for root in stream.documents {
        match &root.content {
            Content::Mapping(_) => unwrap_list(&root, &mut documents),
            _ => stream.problems.push(Problem {
                position: Some(root.at),
                ..Problem::new("a document must be a mapping with `apiVersion` and `kind`")
            }),
        }
    }
    let place = |mut p: Problem| {
        p.file = Some(file.to_path_buf());
        p.line_text = p.position.and_then(|at| line(&source, at));
        p
    };
    if !stream.problems.is_empty() {
        return Err(stream.problems.into_iter().map(place).collect());
    }
    let document = |root: Arc<Node>| Document {
        file: file.to_path_buf(),
        value: root.value(),
        root,
        text: source.clone(),
        set: Vec::new(),
    };
    Ok(Reading {
        documents: documents.into_iter().map(document).collect(),
        warnings: stream.warnings.into_iter().map(place).collect(),
    })
}

/// What an unquoted word means, as kubectl reads it.
///
/// # Errors
/// A message for numbers that a manifest cannot hold.
pub fn scalar(text: &str) -> Result<Value, String> {
    scalar::resolve(text).map(|s| s.value)
}

/// The members of a `kind: List`, or the document itself.
fn unwrap_list(root: &Arc<Node>, into: &mut Vec<Arc<Node>>) {
    let Content::Mapping(entries) = &root.content else { return into.push(root.clone()) };
    let get = |name: &str| entries.iter().find(|e| e.key == name).map(|e| &e.value);
    let is_list = get("kind")
        .is_some_and(|k| matches!(&k.content, Content::Scalar(Value::String(kind), _) if kind.ends_with("List")));
    match get("items").map(|items| &items.content) {
        Some(Content::Sequence(items)) if is_list => {
            for item in items {
                unwrap_list(item, into);
            }
        }
        _ => into.push(root.clone()),
    }
}

/// What libyaml, the parser behind kubectl's, says against the text.
fn refused_by_libyaml(text: &str) -> Option<Problem> {
    use serde::Deserialize;
    for document in serde_yaml::Deserializer::from_str(text) {
        if let Err(error) = serde::de::IgnoredAny::deserialize(document) {
            let position = error.location().map(|at| Position { line: at.line(), column: at.column() });
            return Some(Problem { position, ..Problem::new(format!("not YAML for kubectl: {error}")) });
        }
    }
    None
}

fn line(text: &str, at: Position) -> Option<String> {
    text.lines().nth(at.line - 1).map(str::to_string)
}

impl Document {
    /// `kind` of the document, empty if it has none.
    pub fn kind(&self) -> &str {
        self.value.get("kind").and_then(Value::as_str).unwrap_or("")
    }

    /// `apiVersion` of the document, empty if it has none.
    pub fn api_version(&self) -> &str {
        self.value.get("apiVersion").and_then(Value::as_str).unwrap_or("")
    }

    /// Adds file, line, column and the line itself to a problem with a field
    /// of this document. A field that is not there has the place of what
    /// should hold it.
    #[must_use]
    pub fn locate(&self, problem: Problem) -> Problem {
        let about_name = problem.message.starts_with("unknown field");
        self.place(problem, about_name)
    }

    /// The same for a problem with the field's name and not with its value.
    #[must_use]
    pub fn locate_name(&self, problem: Problem) -> Problem {
        self.place(problem, true)
    }

    /// Notes a field that was set from outside, so that what is wrong with it
    /// is not looked for in the file.
    pub fn note_set(&mut self, set: SetField) {
        self.set.push(set);
    }

    fn place(&self, mut problem: Problem, about_name: bool) -> Problem {
        let field = problem.field.as_deref().unwrap_or("");
        let is_of = |set: &&SetField| {
            field.strip_prefix(set.field.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        };
        if let Some(set) = self.set.iter().rev().find(is_of) {
            if problem.message.starts_with("unknown field") {
                problem.hint = set.hint.clone().or(problem.hint);
            }
            return problem.in_field(set.said.clone());
        }
        let (key, node, found) = self.root.find(problem.field.as_deref().unwrap_or(""));
        let is_scalar = matches!(node.content, Content::Scalar(..));
        let at = match key {
            Some(key) if !found || !is_scalar || about_name => key,
            _ => node.at,
        };
        if let Content::Scalar(value @ (Value::Bool(_) | Value::Number(_)), Some(text)) = &node.content
            && found
            && problem.hint.is_none()
            && problem.message.contains("string")
        {
            problem.hint = Some(format!("the unquoted `{text}` is read as {value}; write \"{text}\" for a text"));
        }
        problem.file = Some(self.file.clone());
        problem.line_text = line(&self.text, at);
        problem.position = Some(at);
        problem
    }

    /// The place of a field, or of what should hold it.
    pub fn position(&self, field: &str) -> Position {
        let (key, node, found) = self.root.find(field);
        key.filter(|_| !found).unwrap_or(node.at)
    }
}

#[cfg(test)]
mod tests;
