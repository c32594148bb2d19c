//! What a misspelt or misplaced name was probably meant to be.

use super::problems::join;
use super::shape::{Members, Shape};

/// The most similar of the known names, if any is similar enough. Of equally
/// similar ones the first.
pub(super) fn closest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let typed = name.to_lowercase();
    let allowed = (typed.chars().count() / 3).clamp(1, 4);
    let mut best: Option<(usize, &str)> = None;
    let mut part = None;
    for candidate in known {
        let wanted = candidate.to_lowercase();
        let distance = edit_distance(&typed, &wanted);
        if distance <= allowed && distance < wanted.chars().count() && best.is_none_or(|(d, _)| distance < d) {
            best = Some((distance, candidate));
        }
        // `updateStrategy` for `strategy`, `imageName` for `image`.
        let longer = wanted.len() >= 4 && typed.contains(&wanted);
        let shorter = typed.len() >= 4 && wanted.contains(&typed);
        if part.is_none() && (longer || shorter) {
            part = Some(candidate);
        }
    }
    best.map(|(_, candidate)| candidate).or(part)
}

/// How many letters must be inserted, removed, replaced or swapped with their
/// neighbour to get from one word to the other.
fn edit_distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let replaced = above[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut least = replaced.min(above[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(before[j - 2] + 1);
            }
            row.push(least);
        }
        before = std::mem::replace(&mut above, row);
    }
    above[b.len()]
}

/// Where in the object a field of this name would be right: the one or two
/// nearest places, counted in steps up and down. Of many, only those around
/// the given place count.
pub(super) fn homes_of(name: &str, at: &str, root: &'static Members) -> Vec<String> {
    const FARTHEST: usize = 4;
    let mut enclosing = vec![(String::new(), root)];
    for step in at.split('.').filter(|s| !s.is_empty()) {
        let Some((path, members)) = enclosing.last() else { break };
        let field = step.split('[').next().unwrap_or(step);
        let Some(inner) = members.get(field).and_then(Shape::members) else { break };
        enclosing.push((join(path, step), inner));
    }
    let mut levels: Vec<_> = enclosing.into_iter().rev().map(|start| vec![start]).collect();
    for cost in 0..=FARTHEST {
        let mut found: Vec<String> = Vec::new();
        for up in 0..=cost.min(levels.len() - 1) {
            let level = &mut levels[up];
            if cost > up {
                *level = level.iter().flat_map(|(path, members)| below(path, members)).collect();
            }
            let here = level.iter().filter(|(_, members)| members.get(name).is_some());
            found.extend(here.map(|(path, _)| path.clone()));
        }
        found.sort();
        found.dedup();
        if found.len() > 2 {
            found.retain(|home| at.starts_with(home.as_str()));
        }
        match found.len() {
            0 => {}
            1 | 2 => return found,
            _ => return Vec::new(),
        }
    }
    Vec::new()
}

/// The objects directly in an object.
fn below(path: &str, members: &'static Members) -> Vec<(String, &'static Members)> {
    let inner = members.0.iter().filter_map(|(field, shape)| {
        let brackets = if shape.is_list() { "[]" } else { "" };
        shape.members().map(|inner| (format!("{}{brackets}", join(path, field)), inner))
    });
    inner.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_mistakes_find_their_word() {
        let known = ["replicas", "selector", "template", "strategy", "minReadySeconds", "paused"];
        for (typed, meant) in [
            ("replica", Some("replicas")),
            ("Replicas", Some("replicas")),
            ("relpicas", Some("replicas")),
            ("tempalte", Some("template")),
            ("updateStrategy", Some("strategy")),
            ("minreadyseconds", Some("minReadySeconds")),
            ("foo", None),
            ("x", None),
        ] {
            assert_eq!(closest(typed, known.into_iter()), meant, "{typed}");
        }
    }

    #[test]
    fn swapped_letters_are_one_mistake() {
        assert_eq!(edit_distance("tempalte", "template"), 1);
        assert_eq!(edit_distance("", "abc"), 3);
        assert_eq!(edit_distance("image", "image"), 0);
    }
}
