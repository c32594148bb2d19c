//! Texts that are shared rather than copied, and small maps of them.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;
use std::sync::Arc;

/// A text that never changes: a word of Kubernetes, or one of somebody's own.
#[derive(Clone)]
pub enum Text {
    /// It is part of the program.
    Known(&'static str),
    /// It is shared by all who have it.
    Shared(Arc<str>),
}

impl Deref for Text {
    type Target = str;
    fn deref(&self) -> &str {
        match self {
            Text::Known(text) => text,
            Text::Shared(text) => text,
        }
    }
}

impl Borrow<str> for Text {
    fn borrow(&self) -> &str {
        self
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Text) -> bool {
        **self == **other
    }
}

impl Eq for Text {}

impl PartialOrd for Text {
    fn partial_cmp(&self, other: &Text) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Text {
    fn cmp(&self, other: &Text) -> std::cmp::Ordering {
        (**self).cmp(&**other)
    }
}

impl Hash for Text {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (**self).hash(state);
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&**self, f)
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Text {
        Text::Shared(text.into())
    }
}

impl From<String> for Text {
    fn from(text: String) -> Text {
        Text::Shared(text.into())
    }
}

impl From<Arc<str>> for Text {
    fn from(text: Arc<str>) -> Text {
        Text::Shared(text)
    }
}

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self)
    }
}

/// The names and texts of a [`TextMap`].
pub type Pairs<'a> = std::iter::Map<std::slice::Iter<'a, (Text, Text)>, fn(&(Text, Text)) -> (&Text, &Text)>;

/// Texts by names, in the order of the names. There are few of them, so they
/// stand in one list.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct TextMap(Vec<(Text, Text)>);

impl TextMap {
    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn find(&self, name: &str) -> Result<usize, usize> {
        self.0.binary_search_by(|(other, _)| (**other).cmp(name))
    }

    /// The text of a name.
    pub fn get(&self, name: &str) -> Option<&Text> {
        self.find(name).ok().map(|at| &self.0[at].1)
    }

    /// Gives a name a text, in place of the one it had.
    pub fn insert(&mut self, name: impl Into<Text>, text: impl Into<Text>) {
        let (name, text) = (name.into(), text.into());
        match self.find(&name) {
            Ok(at) => self.0[at].1 = text,
            Err(at) => self.0.insert(at, (name, text)),
        }
    }

    /// Takes a name out.
    pub fn remove(&mut self, name: &str) {
        if let Ok(at) = self.find(name) {
            self.0.remove(at);
        }
    }

    /// Keeps only some names.
    pub fn retain(&mut self, mut keep: impl FnMut(&Text, &Text) -> bool) {
        self.0.retain(|(name, text)| keep(name, text));
    }

    /// All of them, by name.
    pub fn iter(&self) -> Pairs<'_> {
        self.0.iter().map(|(name, text)| (name, text))
    }

    /// The names.
    pub fn keys(&self) -> impl Iterator<Item = &Text> {
        self.0.iter().map(|(name, _)| name)
    }

    /// The first by name.
    pub fn first_key_value(&self) -> Option<(&Text, &Text)> {
        self.iter().next()
    }
}

impl<'a> IntoIterator for &'a TextMap {
    type Item = (&'a Text, &'a Text);
    type IntoIter = Pairs<'a>;
    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl IntoIterator for TextMap {
    type Item = (Text, Text);
    type IntoIter = std::vec::IntoIter<(Text, Text)>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<N: Into<Text>, T: Into<Text>> Extend<(N, T)> for TextMap {
    fn extend<I: IntoIterator<Item = (N, T)>>(&mut self, pairs: I) {
        for (name, text) in pairs {
            self.insert(name, text);
        }
    }
}

impl<N: Into<Text>, T: Into<Text>> FromIterator<(N, T)> for TextMap {
    fn from_iter<I: IntoIterator<Item = (N, T)>>(pairs: I) -> TextMap {
        let mut map = TextMap::default();
        map.extend(pairs);
        map
    }
}

impl Serialize for TextMap {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de> Deserialize<'de> for TextMap {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<TextMap, D::Error> {
        BTreeMap::<String, String>::deserialize(deserializer).map(|map| map.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stand_in_order_and_once() {
        let mut map: TextMap = [("b", "1"), ("a", "2"), ("c", "3"), ("b", "4")].into_iter().collect();
        map.insert(Text::Known("c"), "5");
        map.remove("a");
        map.remove("d");
        let pairs: Vec<(&str, &str)> = map.iter().map(|(name, text)| (&**name, &**text)).collect();
        assert_eq!(pairs, [("b", "4"), ("c", "5")]);
        assert_eq!((map.get("b").map(|t| &**t), map.get("a")), (Some("4"), None));
    }
}
