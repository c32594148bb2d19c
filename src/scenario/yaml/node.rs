//! The tree of a YAML document with the place of every part, built from a
//! parser's events: anchors followed, merge keys expanded, keys unique.

use super::scalar;
use crate::error::{Position, Problem};
use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Span, StrInput, Tag};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Deeper documents are refused: nothing real comes near, and readers recurse.
const MAX_DEPTH: usize = 100;
/// How many parts aliases may add to one document.
const MAX_ALIASED: usize = 100_000;

/// A part of a document.
#[derive(Debug)]
pub(super) struct Node {
    /// Where it begins.
    pub(super) at: Position,
    /// What it is.
    pub(super) content: Content,
    /// How many parts it has with aliases followed, itself included.
    size: usize,
}

/// What a [`Node`] is.
#[derive(Debug)]
pub(super) enum Content {
    /// A value, and the text it was written as if that was not quoted.
    Scalar(Value, Option<String>),
    /// A list.
    Sequence(Vec<Arc<Node>>),
    /// Names and values, in their order.
    Mapping(Vec<Entry>),
}

/// A name and its value.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// The name.
    pub(super) key: String,
    /// Where the name is.
    pub(super) at: Position,
    /// The value.
    pub(super) value: Arc<Node>,
}

impl Node {
    /// The value without its places.
    pub(super) fn value(&self) -> Value {
        match &self.content {
            Content::Scalar(value, _) => value.clone(),
            Content::Sequence(items) => Value::Array(items.iter().map(|n| n.value()).collect()),
            Content::Mapping(entries) => {
                let pairs = entries.iter().map(|e| (e.key.clone(), e.value.value()));
                Value::Object(pairs.collect::<Map<_, _>>())
            }
        }
    }

    /// The part at a path such as `spec.containers[0].image` and the place of
    /// its name, or the nearest part above it. The flag says whether the
    /// whole path was found.
    pub(super) fn find(&self, path: &str) -> (Option<Position>, &Node, bool) {
        let (mut key, mut node, mut rest) = (None, self, path);
        loop {
            rest = rest.strip_prefix('.').unwrap_or(rest);
            if rest.is_empty() {
                return (key, node, true);
            }
            match node.step(rest) {
                Some((at, next, tail)) => (key, node, rest) = (at, next, tail),
                None => return (key, node, false),
            }
        }
    }

    /// One step down a path: the name's place, the part and the rest.
    fn step<'s, 'p>(&'s self, path: &'p str) -> Option<(Option<Position>, &'s Node, &'p str)> {
        let bracketed = path.strip_prefix('[').and_then(|p| p.split_once(']'));
        match &self.content {
            Content::Scalar(..) => None,
            Content::Sequence(items) => {
                let (index, rest) = bracketed?;
                let node = items.get(index.parse::<usize>().ok()?)?;
                Some((None, node, rest))
            }
            Content::Mapping(entries) => {
                if let Some((name, rest)) = bracketed {
                    let name = name.trim_matches('"');
                    let entry = entries.iter().find(|e| e.key == name)?;
                    return Some((Some(entry.at), &entry.value, rest));
                }
                // Names may hold dots, so the longest name that fits is taken.
                let fits = |e: &&Entry| {
                    path.strip_prefix(e.key.as_str()).is_some_and(|r: &str| r.is_empty() || r.starts_with(['.', '[']))
                };
                let entry = entries.iter().filter(fits).max_by_key(|e| e.key.len())?;
                Some((Some(entry.at), &entry.value, &path[entry.key.len()..]))
            }
        }
    }
}

/// What a stream holds, and what is wrong with it.
#[derive(Debug, Default)]
pub(super) struct Stream {
    /// The documents that could be read, empty ones left out.
    pub(super) documents: Vec<Arc<Node>>,
    /// What is wrong, with positions; the document is left out.
    pub(super) problems: Vec<Problem>,
    /// What is read in a way that may surprise.
    pub(super) warnings: Vec<Problem>,
}

/// Reads all documents of a stream.
pub(super) fn read(text: &str) -> Stream {
    let mut builder =
        Builder { parser: Parser::new_from_str(text), anchors: BTreeMap::new(), aliased: 0, stream: Stream::default() };
    if let Err(problem) = builder.documents() {
        builder.stream.problems.push(problem);
    }
    builder.stream
}

struct Builder<'t> {
    parser: Parser<'t, StrInput<'t>>,
    anchors: BTreeMap<usize, Arc<Node>>,
    aliased: usize,
    stream: Stream,
}

fn position(mark: &Marker) -> Position {
    Position { line: mark.line().max(1), column: mark.col() + 1 }
}

fn problem(at: Position, message: impl Into<String>) -> Problem {
    Problem { position: Some(at), ..Problem::new(message) }
}

impl<'t> Builder<'t> {
    fn next(&mut self) -> Result<(Event<'t>, Span), Problem> {
        match self.parser.next_event() {
            Some(Ok(event)) => Ok(event),
            Some(Err(error)) => Err(problem(position(error.marker()), format!("not YAML: {}", error.info()))),
            None => Err(Problem::new("not YAML: the stream ends too early")),
        }
    }

    fn documents(&mut self) -> Result<(), Problem> {
        loop {
            match self.next()? {
                (Event::StreamEnd, _) => return Ok(()),
                (Event::DocumentStart(_), _) => {
                    self.anchors.clear();
                    self.aliased = 0;
                    let known = self.stream.problems.len();
                    let (event, span) = self.next()?;
                    let root = self.node(event, &span, 0)?;
                    let empty = matches!(root.content, Content::Scalar(Value::Null, _));
                    if !empty && self.stream.problems.len() == known {
                        self.stream.documents.push(root);
                    }
                }
                _ => {}
            }
        }
    }

    fn node(&mut self, event: Event<'t>, span: &Span, depth: usize) -> Result<Arc<Node>, Problem> {
        let at = position(&span.start);
        if depth > MAX_DEPTH {
            return Err(problem(at, format!("nested deeper than {MAX_DEPTH} levels")));
        }
        let (anchor, content) = match event {
            Event::Alias(id) => return self.alias(id, at),
            Event::Scalar(text, style, anchor, tag) => {
                (anchor, self.scalar(&text, style, tag.as_deref(), at))
            }
            Event::SequenceStart(anchor, _) => (anchor, self.sequence(depth)?),
            Event::MappingStart(anchor, _) => (anchor, self.mapping(depth)?),
            other => return Err(problem(at, format!("not YAML: unexpected {other:?}"))),
        };
        let size = 1 + match &content {
            Content::Scalar(..) => 0,
            Content::Sequence(items) => items.iter().map(|n| n.size).sum::<usize>(),
            Content::Mapping(entries) => entries.iter().map(|e| e.value.size).sum::<usize>(),
        };
        let node = Arc::new(Node { at, content, size });
        if anchor > 0 {
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    fn alias(&mut self, id: usize, at: Position) -> Result<Arc<Node>, Problem> {
        let Some(node) = self.anchors.get(&id).cloned() else {
            return Err(problem(at, "this alias refers to a value that contains it"));
        };
        self.aliased = self.aliased.saturating_add(node.size);
        if self.aliased > MAX_ALIASED {
            return Err(problem(at, format!("aliases make this document larger than {MAX_ALIASED} values"))
                .with_hint("write the values out, or split the document"));
        }
        Ok(node)
    }

    fn sequence(&mut self, depth: usize) -> Result<Content, Problem> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(Content::Sequence(items)),
                (event, span) => items.push(self.node(event, &span, depth + 1)?),
            }
        }
    }

    fn mapping(&mut self, depth: usize) -> Result<Content, Problem> {
        let (mut entries, mut merged): (Vec<Entry>, Vec<Entry>) = (Vec::new(), Vec::new());
        let mut seen: BTreeMap<String, Position> = BTreeMap::new();
        loop {
            let (event, span) = self.next()?;
            if event == Event::MappingEnd {
                break;
            }
            let at = position(&span.start);
            let is_merge = matches!(&event, Event::Scalar(t, ScalarStyle::Plain, _, _) if &**t == "<<");
            let name = self.node(event, &span, depth + 1)?;
            let (event, span) = self.next()?;
            let value = self.node(event, &span, depth + 1)?;
            if is_merge {
                self.merge(&value, at, &mut merged);
                continue;
            }
            let Some(key) = self.key(&name) else { continue };
            if let Some(first) = seen.get(&key) {
                let message = format!("`{key}` is given twice, first in line {}", first.line);
                self.stream
                    .problems
                    .push(problem(at, message).with_hint("kubectl would take the last one in silence; keep one of them"));
                continue;
            }
            seen.insert(key.clone(), at);
            entries.push(Entry { key, at, value });
        }
        for entry in merged {
            if !seen.contains_key(&entry.key) {
                seen.insert(entry.key.clone(), entry.at);
                entries.push(entry);
            }
        }
        Ok(Content::Mapping(entries))
    }

    /// The names of a merged mapping, or of several: the first one wins.
    fn merge(&mut self, value: &Node, at: Position, merged: &mut Vec<Entry>) {
        match &value.content {
            Content::Mapping(entries) => merged.extend(entries.iter().cloned()),
            Content::Sequence(items)
                if items.iter().all(|n| matches!(n.content, Content::Mapping(_))) =>
            {
                for item in items {
                    self.merge(item, at, merged);
                }
            }
            _ => self.stream.problems.push(problem(at, "`<<` takes a mapping or a list of mappings")),
        }
    }

    /// A mapping's name as text; kubectl turns numbers and booleans into it.
    fn key(&mut self, node: &Node) -> Option<String> {
        match &node.content {
            Content::Scalar(Value::String(text), _) => Some(text.clone()),
            Content::Scalar(value @ (Value::Bool(_) | Value::Number(_)), _) => Some(value.to_string()),
            _ => {
                self.stream.problems.push(problem(node.at, "a name must be a text"));
                None
            }
        }
    }

    fn scalar(&mut self, text: &str, style: ScalarStyle, tag: Option<&Tag>, at: Position) -> Content {
        let quoted = || Content::Scalar(Value::String(text.to_string()), None);
        let suffix = tag.filter(|t| t.is_yaml_core_schema()).map(|t| t.suffix.as_str());
        if suffix == Some("str") || tag.is_some_and(|t| t.handle.is_empty() && t.suffix == "!") {
            return quoted();
        }
        if style != ScalarStyle::Plain && suffix.is_none() {
            return quoted();
        }
        let scalar = match scalar::resolve(text) {
            Ok(scalar) => scalar,
            Err(message) => {
                self.stream.problems.push(problem(at, message).with_hint("put it in quotes if it is a text"));
                return quoted();
            }
        };
        if scalar.surprising {
            let message = format!("the unquoted `{text}` is read as {}, as kubectl does", scalar.value);
            self.stream.warnings.push(
                problem(at, message).with_hint(format!("write {}, or \"{text}\" for the text", scalar.value)),
            );
        }
        Content::Scalar(scalar.value, Some(text.to_string()))
    }
}
