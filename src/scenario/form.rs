//! What belongs at a place of a scenario file, told by its schema.

use serde_json::Value;

/// More fields than this are too many to name.
const MOST_NAMED: usize = 12;

/// Advice for a place where something of another form stands; `path` leads
/// there by names, and by numbers in lists.
pub(super) fn advice(schema: &Value, path: &[&str]) -> Option<String> {
    let mut place = resolved(schema, schema);
    for step in path {
        place = resolved(schema, inside(schema, place, step)?);
    }
    if place.get("type").is_some_and(|form| form == "array") {
        let item = resolved(schema, place.get("items")?);
        let fields = fields(item).map(|fields| format!("; an item has {fields}"));
        return Some(format!("in a list each item stands behind a dash{}", fields.unwrap_or_default()));
    }
    if let Some(each) = place.get("additionalProperties").filter(|each| each.is_object()) {
        let fields = fields(resolved(schema, each)).map(|fields| format!(", and each has {fields}"));
        return Some(format!("write a name, a colon and what belongs to it{}", fields.unwrap_or_default()));
    }
    fields(place).map(|fields| format!("it has {fields}"))
}

/// The fields of a mapping, first those that must be there.
fn fields(place: &Value) -> Option<String> {
    let required: Vec<&str> =
        place.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    let all = place.get("properties")?.as_object()?;
    let others = all.keys().map(String::as_str).filter(|name| !required.contains(name));
    let names: Vec<&str> = required.iter().copied().chain(others).take(MOST_NAMED).collect();
    let more = if all.len() > names.len() { ", …" } else { "" };
    let word = if all.len() == 1 { "the field" } else { "the fields" };
    (!names.is_empty()).then(|| format!("{word} {}{more}", names.join(", ")))
}

/// What stands under a name, or at a number of a list.
fn inside<'a>(schema: &'a Value, place: &'a Value, step: &str) -> Option<&'a Value> {
    let mut forms = ["anyOf", "oneOf"].into_iter().filter_map(|of| place.get(of)?.as_array()).flatten();
    let own = place.get("properties").and_then(|fields| fields.get(step));
    let any = || place.get("additionalProperties").filter(|each| each.is_object());
    let item = || place.get("items").filter(|_| step.parse::<usize>().is_ok());
    let through = |form: &'a Value| inside(schema, resolved(schema, form), step);
    own.or_else(any).or_else(item).or_else(|| forms.find_map(through))
}

/// A schema behind its references, and behind what may also be null.
fn resolved<'a>(schema: &'a Value, place: &'a Value) -> &'a Value {
    let target = || schema.pointer(place.get("$ref")?.as_str()?.strip_prefix('#')?);
    let only = |of: &str| {
        let forms = place.get(of)?.as_array()?;
        let mut forms = forms.iter().filter(|form| form.get("type").is_none_or(|form| form != "null"));
        forms.next().filter(|_| forms.next().is_none())
    };
    match target().or_else(|| only("allOf")).or_else(|| only("anyOf")) {
        Some(next) => resolved(schema, next),
        None => place,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::file;

    #[test]
    fn the_schema_tells_what_belongs_there() {
        let schema = file::schema();
        for (path, wanted) in [
            (
                ["spec", "cluster", "nodes"].as_slice(),
                "in a list each item stands behind a dash; an item has the fields name, ",
            ),
            (
                &["spec", "cluster", "zones"],
                "write a name, a colon and what belongs to it, and each has the fields nodes, ",
            ),
            (&["spec", "cluster", "zones", "a"], "it has the fields nodes, "),
            (&["spec", "manifests"], "in a list each item stands behind a dash"),
            (&["metadata"], "it has "),
        ] {
            let found = advice(&schema, path).unwrap_or_default();
            assert!(found.starts_with(wanted), "{path:?}: {found}");
        }
        assert_eq!(advice(&schema, &["spec", "nosuch"]), None);
        assert_eq!(advice(&schema, &["spec", "seed"]), None);
    }
}
