//! How a `SafeMap` is made of other things, compared and printed.
use super::safe_map::SafeMap;
use std::collections::{HashMap, hash_map};
use std::fmt;
use std::hash::{BuildHasher, Hash, RandomState};

impl<K, V, S: Default> Default for SafeMap<K, V, S> {
    #[track_caller]
    fn default() -> Self {
        Self::with_hasher(S::default())
    }
}

impl<K: fmt::Debug, V: fmt::Debug, S> fmt::Debug for SafeMap<K, V, S> {
    #[track_caller]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.read().fmt(f)
    }
}

impl<K: Clone, V: Clone, S: Clone> Clone for SafeMap<K, V, S> {
    #[track_caller]
    fn clone(&self) -> Self {
        Self::of(self.snapshot())
    }
}

impl<K, V, S> From<HashMap<K, V, S>> for SafeMap<K, V, S> {
    #[track_caller]
    fn from(map: HashMap<K, V, S>) -> Self {
        Self::of(map)
    }
}

impl<K: Eq + Hash, V, const N: usize> From<[(K, V); N]> for SafeMap<K, V, RandomState> {
    #[track_caller]
    fn from(entries: [(K, V); N]) -> Self {
        Self::of(HashMap::from(entries))
    }
}

impl<K: Eq + Hash, V, S: BuildHasher + Default> FromIterator<(K, V)> for SafeMap<K, V, S> {
    #[track_caller]
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        Self::of(entries.into_iter().collect())
    }
}

impl<K: Eq + Hash, V, S: BuildHasher> Extend<(K, V)> for SafeMap<K, V, S> {
    #[track_caller]
    fn extend<I: IntoIterator<Item = (K, V)>>(&mut self, entries: I) {
        self.insert_all(entries);
    }
}

impl<K: Eq + Hash, V, S: BuildHasher> Extend<(K, V)> for &SafeMap<K, V, S> {
    #[track_caller]
    fn extend<I: IntoIterator<Item = (K, V)>>(&mut self, entries: I) {
        self.insert_all(entries);
    }
}

impl<K, V, S> IntoIterator for SafeMap<K, V, S> {
    type Item = (K, V);
    type IntoIter = hash_map::IntoIter<K, V>;

    fn into_iter(self) -> Self::IntoIter {
        self.into_inner().into_iter()
    }
}
