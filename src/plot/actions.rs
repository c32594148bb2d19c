//! Actions in as few words as pictures have room for.

use serde_json::Value;

/// The most fields of a patch that are named.
const MOST_FIELDS: usize = 3;

/// An action's text with the patch in it as the fields that it sets: `patch
/// maxSurge=0, maxUnavailable=1`. Other texts stay as they are.
pub(crate) fn short(text: &str) -> String {
    let patch = text.find('{').map(|at| text.split_at(at));
    let parsed = patch.and_then(|(before, json)| Some((before, serde_json::from_str::<Value>(json).ok()?)));
    let Some((before, value)) = parsed else { return text.to_string() };
    let mut fields = Vec::new();
    leaves("", &value, &mut fields);
    let more = if fields.len() > MOST_FIELDS { ", …" } else { "" };
    fields.truncate(MOST_FIELDS);
    format!("{before}{}{more}", fields.join(", "))
}

/// The fields of an object that are no objects themselves, by their last name.
fn leaves(name: &str, value: &Value, into: &mut Vec<String>) {
    // Annotations have domains before their names.
    let name = name.rsplit('/').next().unwrap_or(name);
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            for (name, value) in fields {
                leaves(name, value, into);
            }
        }
        Value::Null => into.push(format!("no {name}")),
        Value::String(text) => into.push(format!("{name}={text}")),
        Value::Object(_) | Value::Array(_) => into.push(format!("{name}=…")),
        other => into.push(format!("{name}={other}")),
    }
}

#[cfg(test)]
mod tests {
    use super::short;

    #[test]
    fn patches_are_told_by_their_fields() {
        for (text, told) in [
            ("set image app:v2", "set image app:v2"),
            (
                r#"patch {"spec":{"strategy":{"rollingUpdate":{"maxSurge":0,"maxUnavailable":"25%"}}}}"#,
                "patch maxSurge=0, maxUnavailable=25%",
            ),
            (
                r#"patch poddisruptionbudget/feed {"spec":{"minAvailable":5}}"#,
                "patch poddisruptionbudget/feed minAvailable=5",
            ),
            (r#"patch {"spec":{"paused":null}}"#, "patch no paused"),
            (r#"patch {"spec":{"template":{"spec":{"initContainers":[{"name":"a"}]}}}}"#, "patch initContainers=…"),
            (
                r#"patch {"metadata":{"annotations":{"kubectl.kubernetes.io/restartedAt":"now"}}}"#,
                "patch restartedAt=now",
            ),
            (r#"patch {"a":1,"b":2,"c":3,"d":4}"#, "patch a=1, b=2, c=3, …"),
            ("patch {broken", "patch {broken"),
        ] {
            assert_eq!(short(text), told);
        }
    }
}
