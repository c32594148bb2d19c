//! Which pods a selector selects, and which selectors select a pod, without
//! asking every pair of them.

use crate::api::{Key, Labels, Operator, Selector};
use rustc_hash::{FxHashMap, FxHasher};
use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// A namespace and one of its labels with a value. Two of them may be alike,
/// so what is found by it must still be asked.
type Pair = u64;

fn pair(namespace: &str, name: &str, value: &str) -> Pair {
    let mut hasher = FxHasher::default();
    (namespace, name, value).hash(&mut hasher);
    hasher.finish()
}

/// Pods by their labels. Nothing is kept until somebody needs it.
#[derive(Clone, Debug, Default)]
pub(super) struct PodLabels {
    on: bool,
    by_pair: FxHashMap<Pair, BTreeMap<Arc<str>, Key>>,
}

impl PodLabels {
    /// Whether it is kept.
    pub(super) const fn is_on(&self) -> bool {
        self.on
    }

    /// From now on it is kept; the caller enters what is there already.
    pub(super) const fn turn_on(&mut self) {
        self.on = true;
    }

    /// Enters a pod.
    pub(super) fn insert(&mut self, namespace: &str, name: &Arc<str>, labels: &Labels, key: Key) {
        for (label, value) in &labels.0 {
            self.by_pair.entry(pair(namespace, label, value)).or_default().insert(name.clone(), key);
        }
    }

    /// Takes a pod out.
    pub(super) fn remove(&mut self, namespace: &str, name: &Arc<str>, labels: &Labels) {
        for (label, value) in &labels.0 {
            let pair = pair(namespace, label, value);
            if let Some(pods) = self.by_pair.get_mut(&pair) {
                pods.remove(name);
                if pods.is_empty() {
                    self.by_pair.remove(&pair);
                }
            }
        }
    }

    /// Pods among which are all that a selector selects, by name; `None` if
    /// the selector asks for no value of any label.
    pub(super) fn candidates(&self, namespace: &str, selector: &Selector) -> Option<Vec<Key>> {
        let of = |name: &str, value: &str| self.by_pair.get(&pair(namespace, name, value));
        if !selector.match_labels.0.is_empty() {
            let found: Option<Vec<_>> = selector.match_labels.0.iter().map(|(name, value)| of(name, value)).collect();
            // A value that no pod has: nothing is selected.
            let Some(found) = found else { return Some(Vec::new()) };
            return found.into_iter().min_by_key(|pods| pods.len()).map(|pods| pods.values().copied().collect());
        }
        let one_of = selector.match_expressions.iter().find(|r| r.operator == Operator::In)?;
        let found = one_of.values.iter().filter_map(|value| of(&one_of.key, value)).flatten();
        let by_name: BTreeMap<&Arc<str>, Key> = found.map(|(name, key)| (name, *key)).collect();
        Some(by_name.into_values().collect())
    }
}

/// Selectors by a label that they ask for.
#[derive(Clone, Debug, Default)]
pub(super) struct Selectors {
    by_pair: FxHashMap<Pair, Vec<Key>>,
    /// Those that ask for no value of any label, by namespace.
    others: FxHashMap<Arc<str>, Vec<Key>>,
}

impl Selectors {
    /// Enters whose selector it is.
    pub(super) fn insert(&mut self, namespace: &Arc<str>, selector: &Selector, key: Key) {
        match selector.match_labels.0.first_key_value() {
            Some((name, value)) => self.by_pair.entry(pair(namespace, name, value)).or_default().push(key),
            None => self.others.entry(namespace.clone()).or_default().push(key),
        }
    }

    /// Takes a selector out again.
    pub(super) fn remove(&mut self, namespace: &Arc<str>, selector: &Selector, key: Key) {
        let list = match selector.match_labels.0.first_key_value() {
            Some((name, value)) => self.by_pair.get_mut(&pair(namespace, name, value)),
            None => self.others.get_mut(namespace),
        };
        if let Some(list) = list {
            list.retain(|other| *other != key);
        }
    }

    /// Whether there is no selector at all.
    pub(super) fn is_empty(&self) -> bool {
        self.by_pair.is_empty() && self.others.is_empty()
    }

    /// The owners of selectors among which are all that select such a pod.
    pub(super) fn candidates(&self, namespace: &str, labels: &Labels) -> impl Iterator<Item = Key> {
        let paired = labels.0.iter().filter_map(move |(name, value)| self.by_pair.get(&pair(namespace, name, value)));
        paired.chain(self.others.get(namespace)).flatten().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{Kind, Requirement, Uid};

    fn key(n: u32) -> Key {
        Key { kind: Kind::Pod, slot: n, uid: Uid(n) }
    }

    fn selector(labels: &[(&str, &str)], one_of: &[&str]) -> Selector {
        let values: Vec<String> = one_of.iter().map(ToString::to_string).collect();
        let requirement = Requirement { key: "tier".to_string(), operator: Operator::In, values };
        Selector {
            match_labels: Labels(labels.iter().copied().collect()),
            match_expressions: if one_of.is_empty() { Vec::new() } else { vec![requirement] },
        }
    }

    #[test]
    fn pods_are_found_by_the_rarest_label_of_a_selector() {
        let mut pods = PodLabels::default();
        for (n, name, tier) in [(1, "b", "front"), (2, "a", "front"), (3, "c", "back")] {
            pods.insert("shop", &name.into(), &Labels::from([("app", "web"), ("tier", tier)]), key(n));
        }
        let slots = |s: &Selector| pods.candidates("shop", s).map(|keys| keys.iter().map(|k| k.slot).collect());
        let found = |labels: &[(&str, &str)], one_of: &[&str]| -> Option<Vec<u32>> { slots(&selector(labels, one_of)) };
        assert_eq!(found(&[("app", "web"), ("tier", "back")], &[]), Some(vec![3]));
        assert_eq!(found(&[("app", "web")], &[]), Some(vec![2, 1, 3]));
        assert_eq!(found(&[("app", "db")], &[]), Some(vec![]));
        assert_eq!(found(&[], &["back", "front"]), Some(vec![2, 1, 3]));
        assert_eq!(found(&[], &[]), None);
        assert_eq!(pods.candidates("other", &selector(&[("app", "web")], &[])), Some(vec![]));
        let mut left = pods.clone();
        left.remove("shop", &"c".into(), &Labels::from([("app", "web"), ("tier", "back")]));
        assert_eq!(left.candidates("shop", &selector(&[("tier", "back")], &[])), Some(vec![]));
    }

    #[test]
    fn selectors_are_found_by_a_label_of_the_pod() {
        let mut selectors = Selectors::default();
        let namespace: Arc<str> = "shop".into();
        selectors.insert(&namespace, &selector(&[("app", "web")], &[]), key(1));
        selectors.insert(&namespace, &selector(&[], &["front"]), key(2));
        selectors.insert(&namespace, &selector(&[("app", "db")], &[]), key(3));
        let found = |of: &Selectors, ns: &str| -> Vec<u32> {
            of.candidates(ns, &Labels::from([("app", "web")])).map(|k| k.slot).collect()
        };
        assert_eq!(found(&selectors, "shop"), [1, 2]);
        assert!(found(&selectors, "other").is_empty());
        selectors.remove(&namespace, &selector(&[("app", "web")], &[]), key(1));
        assert_eq!(found(&selectors, "shop"), [2]);
    }
}
