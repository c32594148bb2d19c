//! Recorded entries against ours: agreement or the first difference.

use super::canonical::{Found, FoundSent};
use super::entry::{Entry, Sent};
use crate::trace::RecordId;
use std::collections::{BTreeMap, BTreeSet};

/// How far the last deletions of a foreground deletion may be from the
/// recorded time: they wait for rate-limited retries of the garbage collector.
const LATE_DELETION_MS: u64 = 50;

/// How many entries before the first difference are kept to show where it is.
const CONTEXT: usize = 3;

/// Events are compared for objects that have at most this many: client-go's
/// spam filter drops more.
const MOST_EVENTS: usize = 25;

/// Events are compared for objects with fewer messages per reason than this:
/// client-go combines more into one.
const MANY_MESSAGES: usize = 10;

/// What a recording leaves open.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Freedom {
    /// Entries that may be there or not.
    pub unstable: Vec<Entry>,
    /// Events that may be there or not.
    pub unstable_events: Vec<Sent>,
    /// What follows the end of the last pod may be up to 50 ms earlier or later.
    pub late_deletions: bool,
    /// Which of the pods of one owner bound in one millisecond got which of
    /// the nodes is open: to kube-scheduler equal scores are equal.
    pub permuted_nodes: bool,
}

/// In which way two lists of entries differ.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Way {
    /// Both have the entry, and it says something else.
    Content,
    /// Ours lacks a recorded entry.
    Missing,
    /// Ours has an entry that was not recorded.
    Extra,
}

/// The first difference between a recording and ours.
#[derive(Clone, PartialEq, Debug)]
pub struct Difference {
    /// In which way they differ.
    pub way: Way,
    /// The recorded entry at this place; if `Extra`, the next one.
    pub expected: Option<Entry>,
    /// Our entry at this place; if `Missing`, the next one.
    pub ours: Option<Entry>,
    /// The last entries before, on which both agree.
    pub before: Vec<Entry>,
    /// Our record to explain: of our entry, or if ours lacks one, the last we
    /// have of the same object.
    pub record: Option<RecordId>,
}

/// Compares recorded entries with ours; both sorted as recordings are.
pub fn traces(expected: &[Entry], ours: &[Found], freedom: &Freedom) -> Option<Difference> {
    let end_of_pods = |of: &mut dyn Iterator<Item = &Entry>| {
        let last = of.filter(|e| e.is_pod()).map(|e| e.t_ms).max();
        if freedom.late_deletions { last } else { None }
    };
    let last_pod = end_of_pods(&mut expected.iter());
    let is_late = |e: &Entry| last_pod.is_some_and(|last| e.t_ms > last && !e.is_pod());
    let open = |e: &Entry| freedom.unstable.iter().any(|u| u.agrees_with(e));

    let mut fixed: Vec<Entry> = expected.iter().filter(|e| !is_late(e) && !open(e)).cloned().collect();
    let mut found: Vec<Found> = ours.iter().filter(|f| !is_late(&f.entry) && !open(&f.entry)).cloned().collect();
    if freedom.permuted_nodes {
        sort_nodes(fixed.iter_mut());
        sort_nodes(found.iter_mut().map(|f| &mut f.entry));
    }
    let late: Vec<&Entry> = expected.iter().filter(|e| is_late(e)).collect();
    let late_ours: Vec<&Found> = ours.iter().filter(|f| is_late(&f.entry)).collect();
    in_order(&fixed, &found).or_else(|| about_when(&late, &late_ours)).map(|mut difference| {
        difference.record = difference.record.or_else(|| last_of_object(ours, difference.expected.as_ref()?));
        difference
    })
}

/// Walks both lists together to the first place where they differ.
fn in_order(expected: &[Entry], ours: &[Found]) -> Option<Difference> {
    let agreeing = expected.iter().zip(ours).take_while(|(e, f)| e.agrees_with(&f.entry)).count();
    let (theirs, found) = (expected.get(agreeing), ours.get(agreeing));
    let way = match (theirs, found) {
        (None, None) => return None,
        (Some(_), None) => Way::Missing,
        (None, Some(_)) => Way::Extra,
        (Some(e), Some(f)) => match e.sort_key().cmp(&f.entry.sort_key()) {
            std::cmp::Ordering::Less => Way::Missing,
            std::cmp::Ordering::Greater => Way::Extra,
            std::cmp::Ordering::Equal => Way::Content,
        },
    };
    Some(Difference {
        way,
        expected: theirs.cloned(),
        ours: found.map(|f| f.entry.clone()),
        before: expected[agreeing.saturating_sub(CONTEXT)..agreeing].to_vec(),
        record: found.filter(|_| way != Way::Missing).map(|f| f.record),
    })
}

/// Compares entries that may be a little earlier or later, in any order.
fn about_when(expected: &[&Entry], ours: &[&Found]) -> Option<Difference> {
    let mut left: Vec<&Found> = ours.to_vec();
    for entry in expected {
        let partner = left
            .iter()
            .position(|f| f.entry.same_but_time(entry) && f.entry.t_ms.abs_diff(entry.t_ms) <= LATE_DELETION_MS);
        let Some(partner) = partner else {
            return Some(Difference {
                way: Way::Missing,
                expected: Some((*entry).clone()),
                ours: left.first().map(|f| f.entry.clone()),
                before: Vec::new(),
                record: None,
            });
        };
        left.remove(partner);
    }
    left.first().map(|extra| Difference {
        way: Way::Extra,
        expected: None,
        ours: Some(extra.entry.clone()),
        before: Vec::new(),
        record: Some(extra.record),
    })
}

/// Our last record of the object that an expected entry is about, from before
/// that entry.
fn last_of_object(ours: &[Found], expected: &Entry) -> Option<RecordId> {
    let same = |f: &&Found| f.entry.object == expected.object && f.entry.t_ms <= expected.t_ms;
    ours.iter().rev().find(same).map(|f| f.record)
}

/// Deals out the nodes of pods of one owner bound in one millisecond in the
/// order of the pods' names, so that permuted bindings look the same.
fn sort_nodes<'a>(entries: impl Iterator<Item = &'a mut Entry>) {
    let mut groups: BTreeMap<(u64, String), Vec<&mut Entry>> = BTreeMap::new();
    for entry in entries.filter(|e| e.event == "bound") {
        let owner = entry.object.rsplit_once('#').map_or(&*entry.object, |(owner, _)| owner);
        groups.entry((entry.t_ms, owner.to_string())).or_default().push(entry);
    }
    for group in groups.values_mut() {
        let mut nodes: Vec<_> = group.iter().filter_map(|e| e.attributes.get("node").cloned()).collect();
        nodes.sort_by_key(ToString::to_string);
        for (entry, node) in group.iter_mut().zip(nodes) {
            entry.attributes.insert("node".to_string(), node);
        }
    }
}

/// What is compared of a Kubernetes Event: time in milliseconds, object, reason.
pub type EventKey = (u64, String, String);

/// How the Events of a recording and ours differ.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EventDifference {
    /// The first difference in order of time.
    pub key: EventKey,
    /// Whether ours lacks it; else it was not recorded.
    pub missing: bool,
    /// Our record of it, if we have one.
    pub record: Option<RecordId>,
    /// How many differences there are in all.
    pub count: usize,
}

/// Compares Events by time, object and reason, as sets, for the objects whose
/// Events client-go neither dropped nor combined.
pub fn events(expected: &[Sent], ours: &[FoundSent], freedom: &Freedom) -> Option<EventDifference> {
    let filtered = filtered_objects(expected, ours);
    let open: BTreeSet<EventKey> = freedom.unstable_events.iter().map(key).collect();
    let comparable = |s: &&Sent| !filtered.contains(&*s.object) && !open.contains(&key(s));
    let theirs: BTreeSet<EventKey> = expected.iter().filter(comparable).map(key).collect();
    let own: BTreeSet<EventKey> = ours.iter().map(|f| &f.sent).filter(comparable).map(key).collect();
    let mut all = theirs.symmetric_difference(&own);
    let first = all.next()?;
    Some(EventDifference {
        missing: theirs.contains(first),
        record: ours.iter().find(|f| key(&f.sent) == *first).map(|f| f.record),
        count: 1 + all.count(),
        key: first.clone(),
    })
}

fn key(sent: &Sent) -> EventKey {
    // A recording names an Event after the last object of that name.
    let object = sent.object.split('~').next().unwrap_or_default();
    (sent.t_ms, object.to_string(), sent.reason.clone())
}

/// The objects whose recorded Events are not all that the controllers sent.
fn filtered_objects<'a>(expected: &'a [Sent], ours: &'a [FoundSent]) -> BTreeSet<&'a str> {
    let mut recorded: BTreeMap<&str, usize> = BTreeMap::new();
    let mut messages: BTreeMap<(&str, &str), BTreeSet<&str>> = BTreeMap::new();
    for sent in expected {
        *recorded.entry(&sent.object).or_default() += 1;
        messages.entry((&sent.object, &sent.reason)).or_default().insert(&sent.message);
    }
    let mut own: BTreeMap<&str, usize> = BTreeMap::new();
    for found in ours {
        *own.entry(&found.sent.object).or_default() += 1;
    }
    // With exactly as many as the filter lets through, more may have been sent.
    let dropped = recorded.iter().filter(|&(object, &n)| {
        n > MOST_EVENTS || (n == MOST_EVENTS && own.get(object).is_some_and(|&m| m > MOST_EVENTS))
    });
    let combined = messages.iter().filter(|(_, texts)| texts.len() >= MANY_MESSAGES);
    dropped.map(|(object, _)| *object).chain(combined.map(|((object, _), _)| *object)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(line: &str) -> Entry {
        let words: Vec<&str> = line.split(' ').collect();
        let base = Entry::new(words[0].parse().expect("a time"), words[1], words[2]);
        words[3..].iter().fold(base, |e, word| {
            let (name, value) = word.split_once('=').expect("name=value");
            e.with(name, value)
        })
    }

    fn recorded(lines: &[&str]) -> Vec<Entry> {
        lines.iter().map(|l| entry(l)).collect()
    }

    fn ours(lines: &[&str]) -> Vec<Found> {
        let found = |(i, l): (usize, &&str)| Found { entry: entry(l), record: RecordId(i as u32) };
        lines.iter().enumerate().map(found).collect()
    }

    fn check(expected: &[&str], own: &[&str], freedom: &Freedom, want: Option<(Way, &str, Option<u32>)>) {
        let got = traces(&recorded(expected), &ours(own), freedom);
        let brief = got.map(|d| {
            let about = if d.way == Way::Extra { d.ours } else { d.expected };
            (d.way, about.expect("an entry").to_string().replace('"', ""), d.record.map(|r| r.0))
        });
        assert_eq!(brief, want.map(|(way, line, record)| (way, line.to_string(), record)));
    }

    #[test]
    fn the_first_difference_is_found_and_named() {
        let exact = Freedom::default();
        let base = ["0 Deployment/web created", "0 Pod/web/1#0 created", "10 Pod/web/1#0 bound node=a"];
        check(&base, &base, &exact, None);
        check(&base, &base[..2], &exact, Some((Way::Missing, base[2], Some(1))));
        check(&base[..2], &base, &exact, Some((Way::Extra, base[2], Some(2))));
        let elsewhere = [base[0], base[1], "10 Pod/web/1#0 bound node=b"];
        check(&base, &elsewhere, &exact, Some((Way::Content, base[2], Some(2))));
        let late = [base[0], "1 Pod/web/1#0 created"];
        check(&base, &late, &exact, Some((Way::Missing, base[1], None)));
        check(&base, &[], &exact, Some((Way::Missing, base[0], None)));
        check(&base, &["0 A/a changed"], &exact, Some((Way::Extra, "0 A/a changed", Some(0))));
    }

    #[test]
    fn context_is_what_both_agree_on() {
        let lines = ["0 A/a changed", "1 A/a changed", "2 A/a changed", "3 A/a changed", "4 A/a changed"];
        let got = traces(&recorded(&lines), &ours(&lines[..4]), &Freedom::default()).expect("one lacks");
        assert_eq!(got.before, recorded(&lines[1..4]));
    }

    #[test]
    fn unstable_entries_may_be_there_or_not() {
        let open = ["5 Pod/p bound node=a", "5 Pod/p bound node=b"];
        let freedom = Freedom { unstable: recorded(&open), ..Freedom::default() };
        let ready = "6 Pod/p ready";
        check(&[open[0], ready], &[open[1], ready], &freedom, None);
        check(&[open[0], ready], &[ready], &freedom, None);
        let third = "5 Pod/p bound node=c";
        check(&[open[0], ready], &[third, ready], &freedom, Some((Way::Extra, third, Some(0))));
    }

    #[test]
    fn last_deletions_may_be_a_little_off() {
        let freedom = Freedom { late_deletions: true, unstable: recorded(&["30 B/b deleted"]), ..Freedom::default() };
        let pod = "10 Pod/p removed";
        let expected = [pod, "20 A/a deleted", "30 B/b deleted"];
        check(&expected, &[pod, "30 B/b deleted", "70 A/a deleted"], &freedom, None);
        check(
            &expected,
            &[pod, "30 B/b deleted", "71 A/a deleted"],
            &freedom,
            Some((Way::Missing, "20 A/a deleted", None)),
        );
        check(&expected, &[pod, "20 A/a deleted"], &freedom, Some((Way::Missing, "30 B/b deleted", None)));
        let early = ["9 A/a deleted", pod];
        check(&expected, &early, &freedom, Some((Way::Extra, "9 A/a deleted", Some(0))));
    }

    #[test]
    fn nodes_may_be_permuted_among_pods_bound_together() {
        let freedom = Freedom { permuted_nodes: true, ..Freedom::default() };
        let expected = ["0 Pod/w/1#0 bound node=a", "0 Pod/w/1#1 bound node=b", "1 Pod/w/1#2 bound node=c"];
        let swapped = ["0 Pod/w/1#0 bound node=b", "0 Pod/w/1#1 bound node=a", expected[2]];
        check(&expected, &swapped, &freedom, None);
        let twice = ["0 Pod/w/1#0 bound node=b", expected[1], expected[2]];
        check(&expected, &twice, &freedom, Some((Way::Content, expected[0], Some(0))));
        let later = ["0 Pod/w/1#0 bound node=c", expected[1], "1 Pod/w/1#2 bound node=a"];
        assert!(traces(&recorded(&expected), &ours(&later), &freedom).is_some());
    }

    fn sent(t_ms: u64, object: &str, reason: &str, message: &str) -> Sent {
        Sent {
            t_ms,
            object: object.to_string(),
            reason: reason.to_string(),
            type_name: "Normal".to_string(),
            message: message.to_string(),
        }
    }

    fn as_ours(all: &[Sent]) -> Vec<FoundSent> {
        all.iter().map(|s| FoundSent { sent: s.clone(), record: RecordId(7) }).collect()
    }

    #[test]
    fn events_are_compared_as_sets() {
        let expected = [sent(1, "A/a", "R", "x"), sent(2, "A/a", "S", "y")];
        let exact = Freedom::default();
        let twice = [expected[1].clone(), expected[0].clone(), sent(1, "A/a", "R", "other words")];
        assert_eq!(events(&expected, &as_ours(&twice), &exact), None);
        let got = events(&expected, &as_ours(&twice[..1]), &exact).expect("one lacks");
        assert_eq!((got.missing, got.key.0, got.count, got.record), (true, 1, 1, None));
        let more = [expected[0].clone(), expected[1].clone(), sent(3, "A/a", "R", "x")];
        let got = events(&expected, &as_ours(&more), &exact).expect("one too many");
        assert_eq!((got.missing, got.key.0, got.record), (false, 3, Some(RecordId(7))));
        let open = Freedom { unstable_events: vec![more[2].clone()], ..Freedom::default() };
        assert_eq!(events(&expected, &as_ours(&more), &open), None);
    }

    #[test]
    fn events_that_client_go_dropped_or_combined_are_not_compared() {
        let many = |n: u64| (0..n).map(|i| sent(i, "A/a", "R", "same")).collect::<Vec<_>>();
        let exact = Freedom::default();
        assert!(events(&many(24), &as_ours(&many(40)), &exact).is_some());
        assert_eq!(events(&many(25), &as_ours(&many(40)), &exact), None);
        assert!(events(&many(25), &as_ours(&many(24)), &exact).is_some());
        assert_eq!(events(&many(26), &as_ours(&many(3)), &exact), None);
        let texts = |n: u64| (0..n).map(|i| sent(i, "A/a", "R", &format!("m{i}"))).collect::<Vec<_>>();
        assert!(events(&texts(9), &as_ours(&texts(2)), &exact).is_some());
        assert_eq!(events(&texts(10), &as_ours(&texts(2)), &exact), None);
        let mut other = texts(10);
        other.push(sent(50, "B/b", "R", "m"));
        assert!(events(&other, &as_ours(&texts(2)), &exact).is_some());
    }
}
