//! Names with `*` in them.

/// Whether the whole of `name` fits; `*` stands for any text, also none.
pub fn matches(pattern: &str, name: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else {
        return pattern == name;
    };
    let Some(left) = name.strip_prefix(head) else {
        return false;
    };
    let mut starts = left.char_indices().map(|(i, _)| i).chain(std::iter::once(left.len()));
    starts.any(|i| matches(rest, &left[i..]))
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn a_star_stands_for_any_text() {
        for (pattern, name, fits) in [
            ("a", "a", true),
            ("a", "ab", false),
            ("a*", "a", true),
            ("a::*", "a::b::c", true),
            ("*-u1", "grid-s0-u1", true),
            ("a*c*e", "abcde", true),
            ("a*c*e", "abde", false),
            ("", "", true),
            ("ä*", "äö", true),
        ] {
            assert_eq!(matches(pattern, name), fits, "{pattern} {name}");
        }
    }
}
