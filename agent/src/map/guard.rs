//! The whole map under one lock: for what takes more than one step, and for iteration.
use super::locked::{Read, Write};
use std::borrow::Borrow;
use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasher, Hash, RandomState};
use std::ops::{Deref, DerefMut};

/// A [`SafeMap`](super::SafeMap), locked for reading: a `HashMap` to look at.
#[must_use = "if unused the map is unlocked at once"]
pub struct ReadGuard<'a, K, V, S = RandomState> {
    pub(super) map: Read<'a, HashMap<K, V, S>>,
}

/// A [`SafeMap`](super::SafeMap), locked for writing: a `HashMap` to work on.
///
/// Inserts and removes are counted by the methods of this guard, and what moves the map to more room is timed; what goes
/// through [`HashMap::entry`] is not.
#[must_use = "if unused the map is unlocked at once"]
pub struct WriteGuard<'a, K, V, S = RandomState> {
    pub(super) map: Write<'a, HashMap<K, V, S>>,
}

impl<K: Eq + Hash, V, S: BuildHasher> WriteGuard<'_, K, V, S> {
    /// As [`HashMap::insert`].
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        self.map.meter.inserted(1);
        self.map.room_for_one();
        self.map.insert(key, value)
    }

    /// As [`HashMap::remove`].
    pub fn remove<Q>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        self.remove_entry(key).map(|(_, value)| value)
    }

    /// As [`HashMap::remove_entry`].
    pub fn remove_entry<Q>(&mut self, key: &Q) -> Option<(K, V)>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        let removed = self.map.remove_entry(key);
        self.map.meter.removed(usize::from(removed.is_some()));
        removed
    }

    /// As [`HashMap::extend`](Extend::extend).
    pub fn extend(&mut self, entries: impl IntoIterator<Item = (K, V)>) {
        let entries = entries.into_iter();
        // As much room at once as the original makes.
        let hint = entries.size_hint().0;
        self.reserve(if self.is_empty() { hint } else { hint.div_ceil(2) });
        entries.for_each(|(key, value)| _ = self.insert(key, value));
    }

    /// As [`HashMap::reserve`].
    pub fn reserve(&mut self, additional: usize) {
        self.map.moving(|map| map.reserve(additional));
    }

    /// As [`HashMap::shrink_to_fit`].
    pub fn shrink_to_fit(&mut self) {
        self.map.moving(HashMap::shrink_to_fit);
    }
}

impl<K, V, S> WriteGuard<'_, K, V, S> {
    /// As [`HashMap::clear`].
    pub fn clear(&mut self) {
        self.map.meter.removed(self.map.len());
        self.map.clear();
    }

    /// As [`HashMap::retain`].
    pub fn retain(&mut self, keep: impl FnMut(&K, &mut V) -> bool) {
        let before = self.map.len();
        self.map.retain(keep);
        self.map.meter.removed(before - self.map.len());
    }
}

impl<K, V, S> Deref for ReadGuard<'_, K, V, S> {
    type Target = HashMap<K, V, S>;

    #[inline]
    fn deref(&self) -> &Self::Target {
        &self.map
    }
}

impl<K, V, S> Deref for WriteGuard<'_, K, V, S> {
    type Target = HashMap<K, V, S>;

    #[inline]
    fn deref(&self) -> &Self::Target {
        &self.map
    }
}

impl<K, V, S> DerefMut for WriteGuard<'_, K, V, S> {
    #[inline]
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.map
    }
}

impl<K: fmt::Debug, V: fmt::Debug, S> fmt::Debug for ReadGuard<'_, K, V, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.map.fmt(f)
    }
}

impl<K: fmt::Debug, V: fmt::Debug, S> fmt::Debug for WriteGuard<'_, K, V, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.map.fmt(f)
    }
}
