//! The spelling rules of names, labels and percentages. Each check returns
//! what is wrong, in the API server's words; nothing if the text is right.
//!
//! Upstream: `staging/src/k8s.io/apimachinery/pkg/util/validation/validation.go`

const LABEL: &str = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
const SUBDOMAIN: &str = "[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*";
const KEY: &str = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";

fn too_long(limit: usize) -> String {
    format!("must be no more than {limit} characters")
}

fn by_pattern(rule: &str, pattern: &str, examples: &[&str]) -> String {
    let examples: Vec<String> = examples.iter().map(|e| format!("'{e}', ")).collect();
    format!("{rule} (e.g. {}regex used for validation is '{pattern}')", examples.join(" or "))
}

/// `must be between … and …, inclusive`.
pub(super) fn between(low: i64, high: i64) -> String {
    format!("must be between {low} and {high}, inclusive")
}

const fn lower(c: u8) -> bool {
    c.is_ascii_lowercase() || c.is_ascii_digit()
}

/// Whether the text is not empty, has only such characters and begins and
/// ends with alphanumeric ones.
fn framed(text: &str, ends: impl Fn(u8) -> bool, inner: impl Fn(u8) -> bool) -> bool {
    let bytes = text.as_bytes();
    matches!((bytes.first(), bytes.last()), (Some(&a), Some(&b)) if ends(a) && ends(b))
        && bytes.iter().all(|&c| ends(c) || inner(c))
}

fn is_label(text: &str) -> bool {
    framed(text, lower, |c| c == b'-')
}

fn is_subdomain(text: &str) -> bool {
    text.split('.').all(is_label)
}

fn is_key_name(text: &str) -> bool {
    framed(text, |c| c.is_ascii_alphanumeric(), |c| matches!(c, b'-' | b'_' | b'.'))
}

/// A name in one part, as containers, ports and namespaces have.
pub(super) fn dns_label(text: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    if text.len() > 63 {
        wrong.push(too_long(63));
    }
    if !is_label(text) {
        wrong.push(if is_subdomain(text) {
            "must not contain dots".to_string()
        } else {
            by_pattern(
                "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character",
                LABEL,
                &["my-name", "123-abc"],
            )
        });
    }
    wrong
}

/// A name in parts joined by dots, as most objects have.
pub(super) fn dns_subdomain(text: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    if text.len() > 253 {
        wrong.push(too_long(253));
    }
    if !is_subdomain(text) {
        wrong.push(by_pattern(
            "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character",
            SUBDOMAIN,
            &["example.com"],
        ));
    }
    wrong
}

/// The name of a label or annotation, with or without a prefix.
pub(super) fn label_key(text: &str) -> Vec<String> {
    let rule = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";
    let by_rule = || by_pattern(rule, KEY, &["MyName", "my.name", "123-abc"]);
    let mut wrong = Vec::new();
    let name = match text.split('/').collect::<Vec<_>>()[..] {
        [name] => name,
        [prefix, name] => {
            if prefix.is_empty() {
                wrong.push("prefix part must be non-empty".to_string());
            } else {
                wrong.extend(dns_subdomain(prefix).into_iter().map(|w| format!("prefix part {w}")));
            }
            name
        }
        _ => {
            return vec![format!(
                "a valid label key {} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')",
                by_rule()
            )];
        }
    };
    if name.is_empty() {
        wrong.push("name part must be non-empty".to_string());
    } else if name.len() > 63 {
        wrong.push("name part must be no more than 63 bytes".to_string());
    }
    if !is_key_name(name) {
        wrong.push(format!("name part {}", by_rule()));
    }
    wrong
}

/// The value of a label.
pub(super) fn label_value(text: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    if text.len() > 63 {
        wrong.push("must be no more than 63 bytes".to_string());
    }
    if !text.is_empty() && !is_key_name(text) {
        wrong.push(by_pattern(
            "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
            "(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?",
            &["MyValue", "my_value", "12345"],
        ));
    }
    wrong
}

/// A percentage.
pub(super) fn percent(text: &str) -> Vec<String> {
    let is_percent =
        text.strip_suffix('%').is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|c| c.is_ascii_digit()));
    if is_percent {
        return Vec::new();
    }
    vec![by_pattern(
        "a valid percent string must be a numeric string followed by an ending '%'",
        "[0-9]+%",
        &["1%", "93%"],
    )]
}

/// The name of a port.
pub(super) fn port_name(text: &str) -> Vec<String> {
    let rules = [
        (text.len() > 15, "must be no more than 15 characters"),
        (
            !text.bytes().all(|c| lower(c) || c == b'-'),
            "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)",
        ),
        (!text.bytes().any(|c| c.is_ascii_lowercase()), "must contain at least one letter (a-z)"),
        (text.contains("--"), "must not contain consecutive hyphens"),
        (text.starts_with('-') || text.ends_with('-'), "must not begin or end with a hyphen"),
    ];
    rules.into_iter().filter(|(broken, _)| *broken).map(|(_, rule)| rule.to_string()).collect()
}

/// The number of a port.
pub(super) fn port_number(port: i64) -> Vec<String> {
    if (1..=65_535).contains(&port) { Vec::new() } else { vec![between(1, 65_535)] }
}

/// The name of an environment variable.
pub(super) fn env_name(text: &str) -> Vec<String> {
    if text.bytes().all(|c| (c.is_ascii_graphic() || c == b' ') && c != b'=') {
        return Vec::new();
    }
    vec!["a valid environment variable name must consist only of printable ASCII characters other than '='".to_string()]
}

/// The nearest lower-case name, if that is all that is wrong.
pub(super) fn lower_case_hint(text: &str, is_right: impl Fn(&str) -> bool) -> Option<String> {
    let better = text.trim().to_lowercase().replace(['_', ' '], "-");
    (better != text && is_right(&better)).then(|| format!("{better:?} would be right"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(rule: fn(&str) -> Vec<String>, right: &[&str], wrong: &[&str]) {
        for text in right {
            assert_eq!(rule(text), Vec::<String>::new(), "{text:?}");
        }
        for text in wrong {
            assert!(!rule(text).is_empty(), "{text:?}");
        }
    }

    #[test]
    fn names_follow_their_rules() {
        let long = "a".repeat(64);
        check(dns_label, &["a", "web-1", "1"], &["", "Web", "-a", "a-", "a.b", "a_b", &long]);
        check(dns_subdomain, &["a", "a.b-c.d", "1.2"], &["", ".", "a..b", "a.-b", "A"]);
        check(label_key, &["app", "a.b/c_D.e", "A"], &["", "/a", "a/", "a/b/c", "-a", "A.b/c", &long]);
        check(label_value, &["", "v1.2", "A_b", "1"], &["-", "a b", "a/b", "v1+2", &long]);
        check(percent, &["0%", "25%", "150%"], &["", "%", "25", "-1%", "1.5%", "a%"]);
        check(port_name, &["http", "a", "grpc-2"], &["", "-a", "a--b", "80", "HTTP", "much-too-long-name"]);
    }

    #[test]
    fn the_words_are_the_api_servers() {
        assert_eq!(
            percent("3"),
            [
                "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')"
            ]
        );
        assert_eq!(dns_label("a.b"), ["must not contain dots"]);
    }
}
