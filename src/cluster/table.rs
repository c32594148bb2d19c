//! A table of objects: rows in slots, found by slot or by name.

use crate::api::{Deployment, Key, Kind, Meta, Node, Pod, ReplicaSet, Uid};
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// A kind of object that has a table.
pub trait TableRow {
    /// The kind.
    const KIND: Kind;
    /// Its metadata.
    fn meta(&self) -> &Meta;
    /// Its metadata, to be changed.
    fn meta_mut(&mut self) -> &mut Meta;
}

macro_rules! rows {
    ($($row:ident),*) => {$(
        impl TableRow for $row {
            const KIND: Kind = Kind::$row;
            fn meta(&self) -> &Meta {
                &self.meta
            }
            fn meta_mut(&mut self) -> &mut Meta {
                &mut self.meta
            }
        }
    )*};
}
rows!(Node, Pod, ReplicaSet, Deployment);

/// All objects of one kind.
///
/// A slot is used again after its object is gone; the UID in a [`Key`] tells
/// the two apart, as it does in Kubernetes.
#[derive(Clone, Debug)]
pub struct Table<T> {
    rows: Vec<Option<T>>,
    free: Vec<u32>,
    by_name: FxHashMap<(Arc<str>, Arc<str>), u32>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Table { rows: Vec::new(), free: Vec::new(), by_name: FxHashMap::default() }
    }
}

impl<T: TableRow> Table<T> {
    /// The slot that the next new object gets.
    pub fn next_slot(&self) -> u32 {
        self.free.last().copied().unwrap_or(self.rows.len() as u32)
    }

    /// Puts an object where its key says. The slot must be empty.
    pub fn put(&mut self, slot: u32, row: T) -> Key {
        if self.free.last() == Some(&slot) {
            self.free.pop();
        } else if let Some(i) = self.free.iter().position(|&s| s == slot) {
            self.free.swap_remove(i);
        }
        let index = slot as usize;
        while self.rows.len() <= index {
            if self.rows.len() < index {
                self.free.push(self.rows.len() as u32);
            }
            self.rows.push(None);
        }
        debug_assert!(self.rows[index].is_none(), "slot in use");
        let meta = row.meta();
        let key = Key { kind: T::KIND, slot, uid: meta.uid };
        self.by_name.insert((meta.namespace.clone(), meta.name.clone()), slot);
        self.rows[index] = Some(row);
        key
    }

    /// Takes an object out.
    pub fn take(&mut self, key: Key) -> Option<T> {
        self.get(key)?;
        let row = self.rows[key.slot as usize].take()?;
        let meta = row.meta();
        self.by_name.remove(&(meta.namespace.clone(), meta.name.clone()));
        self.free.push(key.slot);
        Some(row)
    }

    /// The object of a key, if it is still the same one.
    pub fn get(&self, key: Key) -> Option<&T> {
        debug_assert!(key.kind == T::KIND);
        self.rows.get(key.slot as usize)?.as_ref().filter(|row| row.meta().uid == key.uid)
    }

    /// The object of a key, to be changed in place. Indexes that depend on
    /// what is changed must be kept by the caller.
    pub(super) fn get_mut(&mut self, key: Key) -> Option<&mut T> {
        self.rows.get_mut(key.slot as usize)?.as_mut().filter(|row| row.meta().uid == key.uid)
    }

    /// The key of a named object.
    pub fn find(&self, namespace: &Arc<str>, name: &Arc<str>) -> Option<Key> {
        let slot = *self.by_name.get(&(namespace.clone(), name.clone()))?;
        let uid = self.rows[slot as usize].as_ref()?.meta().uid;
        Some(Key { kind: T::KIND, slot, uid })
    }

    /// All objects, by slot.
    pub fn iter(&self) -> impl Iterator<Item = (Key, &T)> {
        self.rows.iter().enumerate().filter_map(|(slot, row)| {
            let row = row.as_ref()?;
            Some((Key { kind: T::KIND, slot: slot as u32, uid: row.meta().uid }, row))
        })
    }

    /// The keys of all objects, by namespace and name.
    pub fn keys_by_name(&self) -> Vec<Key> {
        let mut rows: Vec<_> = self.iter().collect();
        rows.sort_by(|(_, a), (_, b)| {
            let (a, b) = (a.meta(), b.meta());
            (&a.namespace, &a.name).cmp(&(&b.namespace, &b.name))
        });
        rows.into_iter().map(|(key, _)| key).collect()
    }

    /// The name behind a UID-checked key.
    pub(super) fn name(&self, key: Key) -> Option<(Uid, &Arc<str>)> {
        self.get(key).map(|row| (row.meta().uid, &row.meta().name))
    }
}
