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
            let key = if members.get("type").is_some() { Some("type") } else { None };
            return self.not_an_object(value, key, path);
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
            Shape::List(inner) | Shape::Set(inner) => self.list(value, *inner, None, path),
            Shape::Structs(m) => self.list(value, Shape::Struct(m), None, path),
            Shape::Keyed(key, m) => self.list(value, Shape::Struct(m), Some(key), path),
            Shape::Map(inner) => self.map(value, *inner, path),
        }
    }

    /// Broken items keep their place, so that the paths of later ones stay right.
    fn list(&mut self, value: &Value, item: Shape, key: Option<&str>, path: &str) -> Option<Value> {
        let Value::Array(items) = value else {
            return self.not_a_list(value, key, path);
        };
        let clean = items.iter().enumerate().map(|(i, child)| {
            let path = format!("{path}[{i}]");
            let decoded = match (child, key) {
                (Value::Null, _) => None,
                (Value::String(_) | Value::Number(_), Some(_)) => self.not_an_object(child, key, &path),
                _ => self.value(child, item, &path),
            };
            decoded.unwrap_or_else(|| zero(item))
        });
        Some(Value::Array(clean.collect()))
    }

    fn map(&mut self, value: &Value, item: Shape, path: &str) -> Option<Value> {
        let Value::Object(typed) = value else {
            return self.not_an_object(value, None, path);
        };
        let mut clean: Vec<(&String, Value)> = Vec::new();
        for (name, child) in typed {
            // `app:` with nothing after it is a label with an empty value.
            let decoded =
                if child.is_null() { Some(zero(item)) } else { self.value(child, item, &format!("{path}[{name}]")) };
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
                // 1.10 has become 1.1 by now, so a fraction is not repeated.
                let hint = if value.is_f64() {
                    "put it in quotes".to_string()
                } else {
                    format!("put it in quotes: \"{value}\"")
                };
                let message = format!("expected a string, found {}", describe(value));
                self.problems.structural(path, message, Some(hint));
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
            Value::String(s) if s.trim().parse::<i64>().is_ok() => Some(format!("remove the quotes: {}", s.trim())),
            Value::String(s) if s.is_ascii() => seconds(s, path),
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
        let resource = path
            .strip_suffix(']')
            .map_or_else(|| path.rsplit('.').next().unwrap_or(path), |inner| inner.rsplit('[').next().unwrap_or(inner));
        match quantity::canonical(&text, quantity::is_bytes(resource)) {
            Ok(canonical) => Some(Value::String(canonical)),
            Err(message) => {
                self.problems.structural(
                    path,
                    format!("Invalid value: {text:?}: {message}"),
                    Some(quantity::hint(&text)),
                );
                None
            }
        }
    }

    fn wrong_type(&mut self, value: &Value, wanted: &str, path: &str) -> Option<Value> {
        self.problems.structural(path, format!("expected {wanted}, found {}", describe(value)), None);
        None
    }

    /// Something else where a list should be; `key` is by what its items are told apart.
    fn not_a_list(&mut self, value: &Value, key: Option<&str>, path: &str) -> Option<Value> {
        let hint = match (value, key) {
            (Value::Object(_), Some(key)) => format!("begin each item with \"- {key}: …\""),
            (Value::Object(_), None) => "begin each item with \"- \"".to_string(),
            (_, Some(key)) => format!("begin with \"- {key}: …\""),
            (_, None) => format!("write [{value}]"),
        };
        self.problems.structural(path, format!("expected a list, found {}", describe(value)), Some(hint));
        None
    }

    /// Something else where an object should be; `key` is its foremost field.
    fn not_an_object(&mut self, value: &Value, key: Option<&str>, path: &str) -> Option<Value> {
        let hint = match (value, key) {
            (Value::Array(_), _) => Some("remove the \"- \" before its fields".to_string()),
            (Value::String(text), Some(key)) => Some(format!("write {key}: {text}")),
            (_, Some(key)) => Some(format!("write {key}: {value}")),
            _ => None,
        };
        self.problems.structural(path, format!("expected a mapping, found {}", describe(value)), hint);
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
            let hint = if words.is_empty() {
                let maps = free_form(members);
                (!maps.is_empty()).then(|| format!("does it belong in {}?", maps.join(" or in ")))
            } else {
                Some(format!("it belongs in {}", words.join(" or in ")))
            };
            (hint, homes.iter().map(|home| join(home, name)).collect())
        };
        self.problems.structural(&join(path, name), format!("unknown field {name:?}"), hint);
        for field in meant {
            self.problems.suspect(field);
        }
    }
}

/// The fields with any names in them, of objects that mostly consist of such:
/// what is unknown in a selector or in `resources` was to be in one of these.
fn free_form(members: &'static Members) -> Vec<&'static str> {
    let maps = members.0.iter().filter(|(_, shape)| matches!(shape, Shape::Map(_)));
    let maps: Vec<&str> = maps.map(|(name, _)| *name).collect();
    if maps.len() * 2 >= members.0.len() { maps } else { Vec::new() }
}

/// `30s` and the like, where a number of seconds is wanted.
fn seconds(text: &str, path: &str) -> Option<String> {
    let (number, unit) = text.split_at(text.len().checked_sub(1)?);
    let number: i64 = number.parse().ok()?;
    let factor = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        _ => return None,
    };
    let seconds = number.checked_mul(factor)?;
    path.ends_with("Seconds").then(|| format!("write {seconds}, it is in seconds"))
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
