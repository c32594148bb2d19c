//! From what somebody types to records.

use crate::api::Kind;
use crate::error::{Error, Problem};
use crate::time::SimTime;
use crate::trace::{RecordId, Subject, Trace};

/// How many names an error suggests.
const SUGGESTIONS: usize = 5;

/// The records that a query means, in order of time.
///
/// * `#12`: the record of that number.
/// * `deployment/web`, `pod/web/2#0`, `shop/deployment/web`: all records of
///   that object; kubectl's short names and the object's name in the API will
///   do too, and with a namespace in front only that one's object is meant.
///
/// With `at`, only the last record of the object at or before that time.
///
/// # Errors
/// If there is no such record or object, if it has no record yet at that time,
/// or if objects in several namespaces have the name.
pub fn find(trace: &Trace, query: &str, at: Option<SimTime>) -> Result<Vec<RecordId>, Error> {
    if let Some(number) = query.strip_prefix('#') {
        return find_number(trace, number).map(|id| vec![id]);
    }
    let subjects = find_object(trace, query)?;
    let mut found: Vec<RecordId> = (0..trace.records.len() as u32)
        .map(RecordId)
        .filter(|id| subjects[trace.records[id.0 as usize].subject.0 as usize])
        .collect();
    if let Some(at) = at {
        found.retain(|id| trace.records[id.0 as usize].at <= at);
        let Some(&last) = found.last() else {
            let hint = "leave the time out to see all its records";
            return Err(Problem::new(format!("{query} has no record at or before {at}")).with_hint(hint).into());
        };
        return Ok(vec![last]);
    }
    if found.is_empty() {
        return Err(Problem::new(format!("nothing is recorded about {query}")).into());
    }
    Ok(found)
}

fn find_number(trace: &Trace, number: &str) -> Result<RecordId, Error> {
    let count = trace.records.len();
    let id = number.parse::<u32>().ok().filter(|&n| (n as usize) < count);
    id.map(RecordId).ok_or_else(|| {
        let hint = match count {
            0 => "the trace has no records".to_string(),
            count => format!("the trace has #0 to #{}", count - 1),
        };
        Problem::new(format!("there is no record #{number}")).with_hint(hint).into()
    })
}

/// An object as it was asked for.
struct Asked<'a> {
    namespace: Option<&'a str>,
    kind: Kind,
    name: &'a str,
}

impl Asked<'_> {
    fn fits(&self, subject: &Subject) -> bool {
        subject.kind == self.kind
            && self.namespace.is_none_or(|n| n == &*subject.namespace)
            && (self.name == &*subject.name || self.name == &*subject.api_name)
    }
}

/// `kind/name` or `namespace/kind/name`, where names may have slashes too.
fn parse(query: &str) -> Result<Asked<'_>, Error> {
    let split = query.split_once('/');
    let plain = split.and_then(|(kind, name)| Kind::parse(kind).map(|kind| (None, kind, name)));
    let spaced = || {
        let (namespace, rest) = split?;
        let (kind, name) = rest.split_once('/')?;
        Some((Some(namespace), Kind::parse(kind)?, name))
    };
    let (namespace, kind, name) = plain.or_else(spaced).ok_or_else(|| {
        let kinds: Vec<String> = Kind::ALL.iter().map(|k| k.name().to_lowercase()).collect();
        let hint = format!("say #12 for a record, or kind/name with a kind of {}", kinds.join(", "));
        Problem::new(format!("{query:?} names neither a record nor an object")).with_hint(hint)
    })?;
    Ok(Asked { namespace, kind, name })
}

/// Which subjects the query means. An object that was made again under its
/// name is several subjects, and all of them are meant.
fn find_object(trace: &Trace, query: &str) -> Result<Vec<bool>, Error> {
    let asked = parse(query)?;
    let fits: Vec<bool> = trace.subjects.iter().map(|s| asked.fits(s)).collect();
    let mut namespaces: Vec<&str> =
        trace.subjects.iter().zip(&fits).filter(|(_, f)| **f).map(|(s, _)| &*s.namespace).collect();
    namespaces.sort_unstable();
    namespaces.dedup();
    match namespaces.as_slice() {
        [] => Err(unknown(trace, &asked, query)),
        [_] => Ok(fits),
        several => {
            let kind = asked.kind.name().to_lowercase();
            let ways: Vec<String> = several.iter().map(|n| format!("{n}/{kind}/{}", asked.name)).collect();
            Err(Problem::new(format!("{query} is in {} namespaces", several.len()))
                .with_hint(format!("say {}", ways.join(" or ")))
                .into())
        }
    }
}

fn unknown(trace: &Trace, asked: &Asked<'_>, query: &str) -> Error {
    let mut near: Vec<(usize, &str)> = trace
        .subjects
        .iter()
        .filter(|s| s.kind == asked.kind)
        .map(|s| (distance(asked.name, &s.name), &*s.name))
        .collect();
    near.sort_unstable();
    near.dedup();
    let kind = asked.kind.name().to_lowercase();
    let names: Vec<String> = near.iter().take(SUGGESTIONS).map(|(_, name)| format!("{kind}/{name}")).collect();
    let hint = if names.is_empty() {
        format!("the trace has no {kind} at all")
    } else {
        format!("there is {}", names.join(", "))
    };
    Problem::new(format!("there is no {query} in the trace")).with_hint(hint).into()
}

/// How many letters must be typed anew to get from one name to another.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.iter().enumerate() {
            let changed = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_read_as_typed() {
        for (query, namespace, kind, name) in [
            ("pod/web/2#0", None, Kind::Pod, "web/2#0"),
            ("deploy/web", None, Kind::Deployment, "web"),
            ("Deployment/web", None, Kind::Deployment, "web"),
            ("shop/rs/web/2", Some("shop"), Kind::ReplicaSet, "web/2"),
        ] {
            let asked = parse(query).expect(query);
            assert_eq!((asked.namespace, asked.kind, asked.name), (namespace, kind, name));
        }
        for query in ["web", "", "cake/web", "/", "a/b/c"] {
            assert!(parse(query).is_err(), "{query}");
        }
    }

    #[test]
    fn distances_count_letters() {
        for (a, b, d) in [("web", "web", 0), ("web", "wbe", 2), ("", "web", 3), ("api", "app", 1)] {
            assert_eq!(distance(a, b), d, "{a} {b}");
        }
    }
}
