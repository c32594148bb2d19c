//! `kubectl set image`.

use super::suggest;
use crate::error::Problem;
use serde_json::Value;

/// Gives the named container this image, or every container if none is named.
/// Init containers are only found by their name.
///
/// # Errors
/// One problem if the image is empty, there is no such container, or the
/// object has no containers at all.
pub fn set_image(value: &mut Value, container: Option<&str>, image: &str) -> Result<(), Problem> {
    if image.trim().is_empty() {
        return Err(Problem::new("Required value").in_field("image"));
    }
    let path = if value["kind"] == "Pod" { "/spec" } else { "/spec/template/spec" };
    let names = |value: &Value| -> Vec<String> {
        let lists = ["containers", "initContainers"].map(|l| value.pointer(&format!("{path}/{l}")));
        let items = lists.into_iter().flatten().filter_map(Value::as_array).flatten();
        items.filter_map(|c| c.get("name")?.as_str()).map(str::to_string).collect()
    };
    let known = names(value);
    let lists: &[&str] = if container.is_some() { &["initContainers", "containers"] } else { &["containers"] };
    let mut found = false;
    for list in lists {
        let items = value.pointer_mut(&format!("{path}/{list}")).and_then(Value::as_array_mut);
        for c in items.into_iter().flatten().filter_map(Value::as_object_mut) {
            let name = c.get("name").and_then(Value::as_str);
            if container.is_none() || container == name {
                c.insert("image".to_string(), Value::from(image));
                found = true;
            }
        }
    }
    if found { Ok(()) } else { Err(not_found(container, &known)) }
}

fn not_found(container: Option<&str>, known: &[String]) -> Problem {
    let Some(container) = container else {
        return Problem::new("there is no container to give an image to");
    };
    let problem = Problem::new(format!("unable to find container named {container:?}")).in_field("container");
    match suggest::closest(container, known.iter().map(String::as_str)) {
        Some(near) => problem.with_hint(format!("did you mean {near:?}?")),
        None if known.is_empty() => problem,
        None => problem.with_hint(format!("there is {}", known.join(", "))),
    }
}
