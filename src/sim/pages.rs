//! A table by UID of which the oldest part can be given back.

use crate::api::Uid;

/// Entries in a page.
const PAGE: usize = 4_096;

/// What is known of objects, by their UIDs. These count up, so that objects
/// that live together are near each other, and a page of which everything has
/// been forgotten is given back.
#[derive(Clone, Debug)]
pub(super) struct Pages<T> {
    pages: Vec<Option<Page<T>>>,
}

#[derive(Clone, Debug)]
struct Page<T> {
    entries: Box<[Option<T>]>,
    used: usize,
}

impl<T: Clone> Pages<T> {
    pub(super) const fn new() -> Pages<T> {
        Pages { pages: Vec::new() }
    }

    pub(super) fn get(&self, uid: Uid) -> Option<&T> {
        let page = self.pages.get(uid.0 as usize / PAGE)?.as_ref()?;
        page.entries[uid.0 as usize % PAGE].as_ref()
    }

    pub(super) fn get_mut(&mut self, uid: Uid) -> Option<&mut T> {
        let page = self.pages.get_mut(uid.0 as usize / PAGE)?.as_mut()?;
        page.entries[uid.0 as usize % PAGE].as_mut()
    }

    pub(super) fn insert(&mut self, uid: Uid, entry: T) {
        let index = uid.0 as usize / PAGE;
        if self.pages.len() <= index {
            self.pages.resize(index + 1, None);
        }
        let new = || Page { entries: vec![None; PAGE].into(), used: 0 };
        let page = self.pages[index].get_or_insert_with(new);
        let old = page.entries[uid.0 as usize % PAGE].replace(entry);
        page.used += usize::from(old.is_none());
    }

    pub(super) fn remove(&mut self, uid: Uid) -> Option<T> {
        let slot = self.pages.get_mut(uid.0 as usize / PAGE)?;
        let page = slot.as_mut()?;
        let entry = page.entries[uid.0 as usize % PAGE].take()?;
        page.used -= 1;
        if page.used == 0 {
            *slot = None;
        }
        Some(entry)
    }

    /// How many pages are in use.
    #[cfg(test)]
    fn in_use(&self) -> usize {
        self.pages.iter().flatten().count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_come_and_go_with_their_entries() {
        let mut pages = Pages::new();
        for n in 1..10_000 {
            pages.insert(Uid(n), n);
            assert_eq!(pages.get(Uid(n)), Some(&n));
            if n > 100 {
                assert_eq!(pages.remove(Uid(n - 100)), Some(n - 100));
                assert_eq!(pages.get(Uid(n - 100)), None);
            }
            assert!(pages.in_use() <= 2, "{n}");
        }
        assert_eq!(pages.remove(Uid(1)), None);
        assert_eq!(pages.remove(Uid(1 << 20)), None);
        *pages.get_mut(Uid(9_999)).expect("there") = 7;
        assert_eq!(pages.get(Uid(9_999)), Some(&7));
    }
}
