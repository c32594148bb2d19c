use super::*;
use serde_json::json;

fn read_text(text: &str) -> Result<Reading, Vec<Problem>> {
    read(Path::new("a.yaml"), text)
}

fn values(text: &str) -> Vec<Value> {
    read_text(text).unwrap().documents.into_iter().map(|d| d.value).collect()
}

fn first_problem(text: &str) -> String {
    read_text(text).unwrap_err()[0].to_string()
}

#[test]
fn streams_skip_what_is_empty() {
    assert_eq!(values(""), Vec::<Value>::new());
    assert_eq!(values("# only a comment\n"), Vec::<Value>::new());
    assert_eq!(values("---\n---\na: 1\n---\n# nothing\n---\nb: 2\n...\n"), [json!({"a": 1}), json!({"b": 2})]);
    assert_eq!(values("\u{feff}a: 1\r\nb: 2\r\n"), [json!({"a": 1, "b": 2})]);
    assert_eq!(values("{\"a\": [1, 2, {\"b\": null}]}"), [json!({"a": [1, 2, {"b": null}]})]);
    assert_eq!(values("{\n\t\"a\": \"\\u00e9\\/\",\n\t\"b\": []\n}\n"), [json!({"a": "é/", "b": []})]);
}

#[test]
fn lists_are_taken_apart_and_keep_their_places() {
    let text = "kind: List\nitems:\n- kind: A\n  m: 1\n- kind: BList\n  items:\n  - {kind: B, m: 2}\n";
    let documents = read_text(text).unwrap().documents;
    assert_eq!(documents[1].value, json!({"kind": "B", "m": 2}));
    assert_eq!(documents[0].position("m"), Position { line: 4, column: 6 });
    assert_eq!(documents[1].position("m"), Position { line: 7, column: 18 });
}

#[test]
fn merge_keys_and_aliases_are_followed() {
    let text = "base: &b {x: 1, w: 2}\nother: &o {w: 3, z: 4}\none:\n  <<: *b\n  w: 9\nall:\n  <<: [*b, *o]\n";
    let value = &values(text)[0];
    assert_eq!(value["one"], json!({"x": 1, "w": 9}));
    assert_eq!(value["all"], json!({"x": 1, "w": 2, "z": 4}));
    assert_eq!(values("a: &a yes\nb: *a\n")[0]["b"], json!(true));
}

#[test]
fn what_is_wrong_is_named_with_its_place() {
    for (text, wanted) in [
        ("a: 1\nb: 2\na: 3\n", "a.yaml:3:1: `a` is given twice, first in line 1"),
        ("a:\n\tb: 1\n", "a.yaml:2:"),
        ("a: [1, 2\n", "a.yaml:2:1: not YAML"),
        ("a: *x\n", "a.yaml:1:4: not YAML"),
        ("a: &a [*a]\n", "a.yaml:1:8: this alias refers to a value that contains it"),
        ("a: .inf\n", "a.yaml:1:4: `.inf` is not a number"),
        ("- a\n- b\n", "a.yaml:1:1: a document must be a mapping"),
        ("just words\n", "a.yaml:1:1: a document must be a mapping"),
        ("a: {<<: 3}\n", "a.yaml:1:5: `<<` takes a mapping"),
        ("? [a]\n: b\n", "a.yaml:1:3: a name must be a text"),
        ("a: 'x\n", "not YAML"),
        ("a: \"\\x\"\n", "not YAML"),
        ("a: b: c\n", "not YAML"),
        ("%YAML 3.0\n---\na: 1\n", "not YAML"),
    ] {
        let found = first_problem(text);
        assert!(found.contains(wanted), "{text:?}: {found}");
    }
}

#[test]
fn bombs_are_refused_quickly() {
    let mut bomb = String::from("a: &a [x, x, x, x, x, x, x, x, x]\n");
    for (this, last) in ('b'..='j').zip('a'..) {
        bomb.push_str(&format!("{this}: &{this} [{}]\n", vec![format!("*{last}"); 9].join(", ")));
    }
    assert!(first_problem(&bomb).contains("aliases make this document larger"));
    for part in ["[", "{a: ", "- ", "? "] {
        let found = first_problem(&part.repeat(20_000));
        assert!(found.contains("nested deeper") || found.contains("recursion limit"), "{part}: {found}");
    }
    let block: String = (0..3_000).map(|i| format!("{}a:\n", " ".repeat(i))).collect();
    assert!(first_problem(&block).contains("nested deeper"));
}

#[test]
fn surprises_are_read_as_kubectl_does_and_named() {
    let reading = read_text("replicas: 010\npaused: yes\nlabel: \"on\"\non: x\n").unwrap();
    assert_eq!(reading.documents[0].value, json!({"replicas": 8, "paused": true, "label": "on", "true": "x"}));
    let warnings: Vec<String> = reading.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(
        warnings[0],
        "a.yaml:1:11: the unquoted `010` is read as 8, as kubectl does (write 8, or \"010\" for the text)"
    );
    assert_eq!(warnings.len(), 3);
    assert_eq!(values("a: !!str 010\nb: ! yes\nc: !!int \"7\"\n"), [json!({"a": "010", "b": "yes", "c": 7})]);
}

#[test]
fn problems_find_their_place() {
    let text = "spec:\n  strategy:\n    maxSurgee: 1\n  labels: {app.kubernetes.io/name: on}\n  list:\n  - image: x\n";
    let document = &read_text(text).unwrap().documents[0];
    let place = |field: &str, message: &str| {
        let p = document.locate(Problem::new(message).in_field(field));
        (p.position.unwrap().line, p.position.unwrap().column, p.line_text.unwrap())
    };
    assert_eq!(place("spec.strategy.maxSurgee", "unknown field"), (3, 5, "    maxSurgee: 1".to_string()));
    assert_eq!(place("spec.strategy.maxSurgee", "too large").1, 16);
    assert_eq!(place("spec.strategy.type", "missing").0, 2);
    assert_eq!(place("spec.list[0].image", "bad"), (6, 12, "  - image: x".to_string()));
    assert_eq!(place("spec.list[4].image", "bad").0, 5);
    assert_eq!(place("spec.labels.app.kubernetes.io/name", "bad").1, 36);
    assert_eq!(place("spec.labels[app.kubernetes.io/name]", "bad").1, 36);
    assert_eq!(place("", "no kind").0, 1);
    let located = document.locate(Problem::new("invalid type: boolean, expected a string").in_field("spec.labels.app.kubernetes.io/name"));
    assert_eq!(located.hint.unwrap(), "the unquoted `on` is read as true; write \"on\" for a text");
}

/// The two parsers must agree on everything that is no surprise.
#[test]
fn values_agree_with_serde_yaml() {
    for text in [
        "a: 1\nb: [x, 'y', \"z\\n\", 1.5, true, null]\nc: {d: e}",
        "a: |\n  one\n  two\nb: >-\n  folded\n  text\n\n  more\nc: \"multi\n  line\"\nd: 'it''s'\n",
        "a:\n- b\n- - c\n  - d\n-\n  e: f\n",
        "\"quoted key\": x\n? complex\n: w\nempty:\n",
        "a: word with spaces # comment\nb: 'a#b'\nc: a#b\nd: http://x:80/y?z=1\n",
        "a: |2\n    x\n  y\nb: |+\n  keep\n\nc: end\n",
        "{a: 1, b: {c: [d, e]}, 'f': \"g\"}",
        "ä: ü\n日本: 語\n",
    ] {
        let wanted: Vec<Value> = serde_yaml::Deserializer::from_str(text)
            .map(|d| serde::Deserialize::deserialize(d).unwrap())
            .collect();
        assert_eq!(values(text), wanted, "{text}");
    }
}
