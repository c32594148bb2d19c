//! From what was typed to the canonical form, with every wrong type and
//! unknown field on the way.

use super::{Members, Shape};
use crate::manifest::problems::{Problems, join};
use crate::manifest::quantity;
use crate::manifest::suggest;
use serde_json::{Map, Number, Value};

/// Decodes an object: unknown fields and wrong types become problems and are
/// left out, nulls and meaningless zeros go, keys are sorted, quantities and
/// numbers get their one spelling.
pub(in crate::manifest) fn decode(value: &Value, root: &'static Members, problems: &mut Problems) -> Value {
    let mut decoder = Decoder { root, problems };
    decoder.members(value, root, "").unwrap_or_else(|| Value::Object(Map::new()))
}

struct Decoder<'a> {
    root: &'static Members,
    problems: &'a mut Problems,
}

impl Decoder<'_> {
    fn members(&mut self, value: &Value, members: &'static Members, path: &str) -> Option<Value> {
        let Value::Object(typed) = value else {
            self.wrong_type(value, "a mapping", path);
            return None;
        };
        let mut clean: Vec<(&str, Value)> = Vec::new();
        for (name, child) in typed {
            let child_path = join(path, name);
            match members.get(name) {
                None => self.unknown(name, typed, members, path),
                Some(_) if child.is_null() => {}
                Some(shape) => {
                    if let Some(v) = self.value(child, shape, &child_path)
                        && (shape.keeps_zero() || !is_zero(&v))
                    {
                        clean.push((name, v));
                    }
                }
            }
        }
        clean.sort_by_key(|(name, _)| *name);
        Some(Value::Object(clean.into_iter().map(|(n, v)| (n.to_string(), v)).collect()))
    }

    fn value(&mut self, value: &Value, shape: Shape, path: &str) -> Option<Value> {
        match shape {
            Shape::Any => Some(value.clone()),
            Shape::Text | Shape::Time => self.text(value, path),
            Shape::Bool => self.bool(value, path),
            Shape::Int32 => self.int(value, path, i64::from(i32::MIN), i64::from(i32::MAX)),
            Shape::Int64 => self.int(value, path, i64::MIN, i64::MAX),
            Shape::IntOrText => match value {
                Value::String(_) => Some(value.clone()),
                Value::Number(_) => self.int(value, path, i64::from(i32::MIN), i64::from(i32::MAX)),
                _ => self.wrong_type(value, "a whole number or a string", path),
            },
            Shape::Quantity => self.quantity(value, path),
            Shape::Struct(m) | Shape::Ptr(m) => self.members(value, m, path),
            Shape::Opt(inner) => self.value(value, *inner, path),
            Shape::List(inner) | Shape::Set(inner) => self.list(value, *inner, path),
            Shape::Structs(m) | Shape::Keyed(_, m) => self.list(value, Shape::Struct(m), path),
            Shape::Map(inner) => self.map(value, *inner, path),
        }
    }

    /// Broken items keep their place, so that the paths of later ones stay right.
    fn list(&mut self, value: &Value, item: Shape, path: &str) -> Option<Value> {
        let Value::Array(items) = value else {
            self.wrong_type(value, "a list", path);
            return None;
        };
        let clean = items.iter().enumerate().map(|(i, child)| {
            let decoded =
                if child.is_null() { None } else { self.value(child, item, &format!("{path}[{i}]")) };
            decoded.unwrap_or_else(|| zero(item))
        });
        Some(Value::Array(clean.collect()))
    }

    fn map(&mut self, value: &Value, item: Shape, path: &str) -> Option<Value> {
        let Value::Object(typed) = value else {
            self.wrong_type(value, "a mapping", path);
            return None;
        };
        let mut clean: Vec<(&String, Value)> = Vec::new();
        for (name, child) in typed {
            // `app:` with nothing after it is a label with an empty value.
            let decoded = if child.is_null() {
                Some(zero(item))
            } else {
                self.value(child, item, &format!("{path}[{name}]"))
            };
            if let Some(v) = decoded {
                clean.push((name, v));
            }
        }
        clean.sort_by_key(|(name, _)| *name);
        Some(Value::Object(clean.into_iter().map(|(n, v)| (n.clone(), v)).collect()))
    }

    fn text(&mut self, value: &Value, path: &str) -> Option<Value> {
        match value {
            Value::String(_) => Some(value.clone()),
            Value::Number(_) | Value::Bool(_) => {
                self.problems.structural(
                    path,
                    format!("expected a string, found {}", describe(value)),
                    Some(format!("put it in quotes: \"{value}\"")),
                );
                None
            }
            _ => self.wrong_type(value, "a string", path),
        }
    }

    fn bool(&mut self, value: &Value, path: &str) -> Option<Value> {
        let hint = match value {
            Value::Bool(_) => return Some(value.clone()),
            Value::String(s) => match s.to_ascii_lowercase().as_str() {
                "true" | "yes" | "on" | "y" => Some("write true, without quotes".to_string()),
                "false" | "no" | "off" | "n" => Some("write false, without quotes".to_string()),
                _ => None,
            },
            _ => None,
        };
        self.problems.structural(path, format!("expected true or false, found {}", describe(value)), hint);
        None
    }

    fn int(&mut self, value: &Value, path: &str, low: i64, high: i64) -> Option<Value> {
        let hint = match value {
            Value::Number(number) => {
                if let Some(n) = whole(number) {
                    if (low..=high).contains(&n) {
                        return Some(Value::from(n));
                    }
                    self.problems.structural(
                        path,
                        format!("expected a whole number from {low} to {high}, found {number}"),
                        None,
                    );
                    return None;
                }
                None
            }
            Value::String(s) if s.trim().parse::<i64>().is_ok() => {
                Some(format!("remove the quotes: {}", s.trim()))
            }
            _ => None,
        };
        self.problems.structural(path, format!("expected a whole number, found {}", describe(value)), hint);
        None
    }

    fn quantity(&mut self, value: &Value, path: &str) -> Option<Value> {
        let text = match value {
            Value::String(s) => s.clone(),
            Value::Number(n) => n.to_string(),
            _ => return self.wrong_type(value, "a quantity such as 500m or 512Mi", path),
        };
        let resource = path.strip_suffix(']').map_or_else(
            || path.rsplit('.').next().unwrap_or(path),
            |inner| inner.rsplit('[').next().unwrap_or(inner),
        );
        match quantity::canonical(&text, quantity::is_bytes(resource)) {
            Ok(canonical) => Some(Value::String(canonical)),
            Err(message) => {
                self.problems.structural(
                    path,
                    format!("Invalid value: {text:?}: {message}"),
                    quantity::hint(&text),
                );
                None
            }
        }
    }

    fn wrong_type(&mut self, value: &Value, wanted: &str, path: &str) -> Option<Value> {
        let hint = match (wanted, value) {
            ("a list", Value::Object(_)) => Some("begin each item with \"- \"".to_string()),
            ("a list", Value::String(_) | Value::Number(_) | Value::Bool(_)) => {
                Some(format!("write [{value}]"))
            }
            ("a mapping", Value::Array(_)) => Some("remove the \"- \" before its fields".to_string()),
            _ => None,
        };
        self.problems.structural(path, format!("expected {wanted}, found {}", describe(value)), hint);
        None
    }

    fn unknown(&mut self, name: &str, typed: &Map<String, Value>, members: &'static Members, path: &str) {
        let unused = members.0.iter().map(|(n, _)| *n).filter(|n| !typed.contains_key(*n));
        let (hint, meant) = if let Some(similar) = suggest::closest(name, unused) {
            (Some(format!("did you mean {similar:?}?")), vec![join(path, similar)])
        } else {
            let homes = suggest::homes_of(name, path, self.root);
            let named = |home: &String| if home.is_empty() { "the top level".to_string() } else { home.clone() };
            let words: Vec<String> = homes.iter().map(named).collect();
            let hint = (!words.is_empty()).then(|| format!("it belongs in {}", words.join(" or in ")));
            (hint, homes.iter().map(|home| join(home, name)).collect())
        };
        self.problems.structural(&join(path, name), format!("unknown field {name:?}"), hint);
        for field in meant {
            self.problems.suspect(field);
        }
    }
}

/// The number if it has no fraction; YAML's `3.0` is a 3 for the API server.
fn whole(number: &Number) -> Option<i64> {
    number.as_i64().or_else(|| {
        let f = number.as_f64()?;
        (f.fract() == 0.0 && f.abs() < 9.0e15).then_some(f as i64)
    })
}

fn describe(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_string(),
        Value::Bool(b) => format!("{b}"),
        Value::Number(n) => format!("the number {n}"),
        Value::String(s) => format!("the string {s:?}"),
        Value::Array(_) => "a list".to_string(),
        Value::Object(_) => "a mapping".to_string(),
    }
}

fn zero(shape: Shape) -> Value {
    match shape {
        Shape::Text | Shape::Time => Value::String(String::new()),
        Shape::Bool => Value::Bool(false),
        Shape::Int32 | Shape::Int64 | Shape::IntOrText => Value::from(0),
        Shape::Quantity => Value::String("0".to_string()),
        Shape::Any => Value::Null,
        Shape::Opt(inner) => zero(*inner),
        Shape::List(_) | Shape::Set(_) | Shape::Structs(_) | Shape::Keyed(..) => Value::Array(Vec::new()),
        Shape::Struct(_) | Shape::Ptr(_) | Shape::Map(_) => Value::Object(Map::new()),
    }
}

fn is_zero(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(b) => !b,
        Value::Number(n) => n.as_i64() == Some(0),
        Value::String(s) => s.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
    }
}
