//! What is remembered of objects, by key.

use super::Key;
use rustc_hash::FxHashMap;

/// A map from keys whose look-ups are a step into an array: the slots of one
/// kind are small numbers that are used again and again. An object whose slot
/// is still taken, by one that is gone or by one of another kind, goes into a
/// hash map instead. No two objects have the same UID, so that is all that is
/// compared.
///
/// # Examples
/// ```
/// use seatrial::api::{Key, KeyMap, Kind, Uid};
///
/// let job = |uid| Key { kind: Kind::Job, slot: 3, uid: Uid(uid) };
/// let mut failures = KeyMap::default();
/// *failures.entry(job(7)) += 1;
/// assert_eq!(failures.get(job(7)), Some(&1));
/// assert_eq!(failures.get(job(8)), None);
/// ```
#[derive(Clone, Debug)]
pub struct KeyMap<V> {
    rows: Vec<Option<(Key, V)>>,
    /// Those whose row is taken.
    others: FxHashMap<Key, V>,
}

impl<V> Default for KeyMap<V> {
    fn default() -> Self {
        KeyMap { rows: Vec::new(), others: FxHashMap::default() }
    }
}

impl<V> KeyMap<V> {
    /// What is remembered of an object.
    #[inline]
    pub fn get(&self, key: Key) -> Option<&V> {
        match self.rows.get(key.slot as usize) {
            Some(Some((taken, value))) if taken.uid == key.uid => Some(value),
            _ if self.others.is_empty() => None,
            _ => self.others.get(&key),
        }
    }

    /// The same, to be changed.
    #[inline]
    pub fn get_mut(&mut self, key: Key) -> Option<&mut V> {
        match self.rows.get_mut(key.slot as usize) {
            Some(Some((taken, value))) if taken.uid == key.uid => Some(value),
            _ if self.others.is_empty() => None,
            _ => self.others.get_mut(&key),
        }
    }

    /// Whether anything is remembered of an object.
    #[inline]
    pub fn contains(&self, key: Key) -> bool {
        self.get(key).is_some()
    }

    /// Remembers something and gives back what was remembered before.
    pub fn insert(&mut self, key: Key, value: V) -> Option<V> {
        if let Some(place) = self.get_mut(key) {
            return Some(std::mem::replace(place, value));
        }
        self.place(key, value);
        None
    }

    /// Puts in a key that is not there.
    fn place(&mut self, key: Key, value: V) -> &mut V {
        let slot = key.slot as usize;
        if self.rows.len() <= slot {
            self.rows.resize_with(slot + 1, || None);
        }
        match &mut self.rows[slot] {
            Some(_) => self.others.entry(key).or_insert(value),
            free => &mut free.insert((key, value)).1,
        }
    }

    /// Forgets an object and gives back what was remembered.
    #[inline]
    pub fn remove(&mut self, key: Key) -> Option<V> {
        match self.rows.get_mut(key.slot as usize) {
            Some(row) if row.as_ref().is_some_and(|(taken, _)| taken.uid == key.uid) => {
                row.take().map(|(_, value)| value)
            }
            _ if self.others.is_empty() => None,
            _ => self.others.remove(&key),
        }
    }

    /// Everything, in no particular order.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (Key, &mut V)> {
        let rows = self.rows.iter_mut().flatten().map(|(key, value)| (*key, value));
        rows.chain(self.others.iter_mut().map(|(key, value)| (*key, value)))
    }
}

impl<V: Default> KeyMap<V> {
    /// What is remembered of an object: the default if it is nothing yet.
    #[inline]
    pub fn entry(&mut self, key: Key) -> &mut V {
        let slot = key.slot as usize;
        let has_row = matches!(self.rows.get(slot), Some(Some((taken, _))) if taken.uid == key.uid);
        if !has_row && (self.others.is_empty() || !self.others.contains_key(&key)) {
            return self.place(key, V::default());
        }
        match &mut self.rows[slot] {
            Some((_, value)) if has_row => value,
            _ => self.others.entry(key).or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{Kind, Uid};
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        #[test]
        fn it_remembers_what_a_map_does(steps in proptest::collection::vec((0_u32..4, 0_u32..9, 0_u8..4), 0..200)) {
            let mut map = KeyMap::default();
            let mut model = BTreeMap::new();
            for (n, (slot, uid, action)) in steps.into_iter().enumerate() {
                // A UID has one slot for its life.
                let key = Key { kind: Kind::Pod, slot: (slot + uid) % 3, uid: Uid(uid * 4 + slot) };
                match action {
                    0 => prop_assert_eq!(map.insert(key, n), model.insert(key, n)),
                    1 => prop_assert_eq!(map.remove(key), model.remove(&key)),
                    2 => prop_assert_eq!(map.get(key), model.get(&key)),
                    _ => {
                        *map.entry(key) += 1;
                        *model.entry(key).or_default() += 1;
                    }
                }
                prop_assert_eq!(map.contains(key), model.contains_key(&key));
            }
            let mut all: Vec<_> = map.iter_mut().map(|(key, value)| (key, *value)).collect();
            all.sort_unstable();
            prop_assert_eq!(all, model.into_iter().collect::<Vec<_>>());
        }
    }
}
