//! `SafeMap`: a `HashMap` under one read-write lock, with the everyday methods on the map itself.
use super::guard::{ReadGuard, WriteGuard};
use super::locked::Locked;
use lockprof_trace::Kind;
use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, RandomState};
use std::panic::Location;

/// A map for many threads: an `RwLock<HashMap>` that records who reads, who writes and who waits for whom.
///
/// Each method takes the lock, does one thing, and gives it back. For more than one step at a time there are
/// [`read`](Self::read) and [`write`](Self::write). Functions that are handed in run under the lock: one that comes back
/// to the same map blocks for ever. One that panics leaves the map as it is, and unlocked; there is no poisoning.
///
/// ```
/// use lockprof::map::SafeMap;
///
/// let sessions = SafeMap::new();
/// sessions.insert("alice", 1);
/// sessions.update("alice", |visits| *visits += 1);
/// assert_eq!(sessions.get("alice"), Some(2));
/// ```
pub struct SafeMap<K, V, S = RandomState> {
    lock: Locked<HashMap<K, V, S>>,
}

impl<K, V> SafeMap<K, V> {
    /// An empty map. Reports name the caller's line.
    #[must_use]
    #[track_caller]
    pub fn new() -> Self {
        Self::with_hasher(RandomState::new())
    }

    /// An empty map with room for this many keys.
    #[must_use]
    #[track_caller]
    pub fn with_capacity(capacity: usize) -> Self {
        Self::with_capacity_and_hasher(capacity, RandomState::new())
    }
}

impl<K, V, S> SafeMap<K, V, S> {
    /// An empty map with this hasher; in a constant too, so that a `static` needs no initialisation.
    #[must_use]
    #[track_caller]
    pub const fn with_hasher(hasher: S) -> Self {
        Self::of(HashMap::with_hasher(hasher))
    }

    /// An empty map with this hasher and room for this many keys.
    #[must_use]
    #[track_caller]
    pub fn with_capacity_and_hasher(capacity: usize, hasher: S) -> Self {
        Self::of(HashMap::with_capacity_and_hasher(capacity, hasher))
    }

    /// A map with these keys.
    #[track_caller]
    pub(super) const fn of(map: HashMap<K, V, S>) -> Self {
        Self { lock: Locked::new(Kind::SafeMap, map) }
    }

    /// The whole map, for reading.
    #[inline(always)]
    #[track_caller]
    pub fn read(&self) -> ReadGuard<'_, K, V, S> {
        ReadGuard { map: self.lock.read(Location::caller()) }
    }

    /// The whole map, for writing.
    #[inline(always)]
    #[track_caller]
    pub fn write(&self) -> WriteGuard<'_, K, V, S> {
        WriteGuard { map: self.lock.write(Location::caller()) }
    }

    /// How many keys there are.
    #[track_caller]
    pub fn len(&self) -> usize {
        self.read().len()
    }

    /// Whether there are no keys.
    #[track_caller]
    pub fn is_empty(&self) -> bool {
        self.read().is_empty()
    }

    /// For how many keys there is room.
    #[track_caller]
    pub fn capacity(&self) -> usize {
        self.read().capacity()
    }

    /// Removes all keys.
    #[track_caller]
    pub fn clear(&self) {
        self.write().clear();
    }

    /// Keeps the keys for which `keep` says so.
    #[track_caller]
    pub fn retain(&self, keep: impl FnMut(&K, &mut V) -> bool) {
        self.write().retain(keep);
    }

    /// Calls `visit` for each key, in any order.
    #[track_caller]
    pub fn for_each(&self, mut visit: impl FnMut(&K, &V)) {
        self.read().iter().for_each(|(key, value)| visit(key, value));
    }

    /// Calls `visit` for each key, in any order, with the right to change the value.
    #[track_caller]
    pub fn for_each_mut(&self, mut visit: impl FnMut(&K, &mut V)) {
        self.write().iter_mut().for_each(|(key, value)| visit(key, value));
    }

    /// The keys of this moment.
    #[track_caller]
    pub fn keys(&self) -> Vec<K>
    where
        K: Clone,
    {
        self.read().keys().cloned().collect()
    }

    /// The values of this moment.
    #[track_caller]
    pub fn values(&self) -> Vec<V>
    where
        V: Clone,
    {
        self.read().values().cloned().collect()
    }

    /// The whole map as it is at this moment.
    #[track_caller]
    pub fn snapshot(&self) -> HashMap<K, V, S>
    where
        K: Clone,
        V: Clone,
        S: Clone,
    {
        self.read().clone()
    }

    /// Takes all keys out.
    #[track_caller]
    pub fn take(&self) -> HashMap<K, V, S>
    where
        S: Default,
    {
        let mut map = self.write();
        map.map.meter.removed(map.len());
        std::mem::take(&mut *map)
    }

    /// The map itself; there is nobody else.
    pub fn get_mut(&mut self) -> &mut HashMap<K, V, S> {
        self.lock.get_mut()
    }

    /// The map itself, without its lock.
    pub fn into_inner(self) -> HashMap<K, V, S> {
        self.lock.into_inner()
    }
}

impl<K: Eq + Hash, V, S: BuildHasher> SafeMap<K, V, S> {
    /// Puts a value in; returns the one that it replaces.
    #[track_caller]
    pub fn insert(&self, key: K, value: V) -> Option<V> {
        self.write().insert(key, value)
    }

    /// Puts all of these in, under one lock.
    #[track_caller]
    pub fn insert_all(&self, entries: impl IntoIterator<Item = (K, V)>) {
        self.write().extend(entries);
    }

    /// A copy of a key's value.
    #[inline]
    #[track_caller]
    pub fn get<Q>(&self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
        V: Clone,
    {
        self.read().get(key).cloned()
    }

    /// What `look` makes of a key's value.
    #[inline]
    #[track_caller]
    pub fn with<Q, R>(&self, key: &Q, look: impl FnOnce(&V) -> R) -> Option<R>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        self.read().get(key).map(look)
    }

    /// Whether the key is there.
    #[inline]
    #[track_caller]
    pub fn contains_key<Q>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        self.read().contains_key(key)
    }

    /// Changes a key's value, where the key is there; returns what `change` returns.
    #[track_caller]
    pub fn update<Q, R>(&self, key: &Q, change: impl FnOnce(&mut V) -> R) -> Option<R>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        self.write().get_mut(key).map(change)
    }

    /// Changes a key's value, which is first made by `make` where the key is not there.
    #[track_caller]
    pub fn update_or_insert_with<R>(
        &self,
        key: K,
        make: impl FnOnce() -> V,
        change: impl FnOnce(&mut V) -> R,
    ) -> R {
        let mut map = self.write();
        let meter = map.map.meter;
        map.map.room_for_one();
        let value = map.entry(key).or_insert_with(|| {
            let value = make();
            meter.inserted(1);
            value
        });
        change(value)
    }

    /// Puts in what `change` makes of the value that is there, if one is; `None` leaves the key out. The value is taken out
    /// for that: if `change` panics, the key is gone.
    #[track_caller]
    pub fn alter(&self, key: K, change: impl FnOnce(Option<V>) -> Option<V>) {
        let mut map = self.write();
        match map.map.remove_entry(&key) {
            Some((key, before)) => match change(Some(before)) {
                Some(value) => drop(map.insert(key, value)),
                None => map.map.meter.removed(1),
            },
            None => {
                if let Some(value) = change(None) {
                    map.insert(key, value);
                }
            }
        }
    }

    /// A copy of a key's value, which is first made by `make` where the key is not there. The lock for writing is taken
    /// only then.
    #[track_caller]
    pub fn get_or_insert_with(&self, key: K, make: impl FnOnce() -> V) -> V
    where
        V: Clone,
    {
        if let Some(value) = self.get(&key) {
            return value;
        }
        self.update_or_insert_with(key, make, |value| value.clone())
    }

    /// Takes a key out; returns its value.
    #[track_caller]
    pub fn remove<Q>(&self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        self.write().remove(key)
    }

    /// Takes a key out; returns it with its value.
    #[track_caller]
    pub fn remove_entry<Q>(&self, key: &Q) -> Option<(K, V)>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        self.write().remove_entry(key)
    }

    /// Takes a key out if `condition` holds for its value.
    #[track_caller]
    pub fn remove_if<Q>(&self, key: &Q, condition: impl FnOnce(&V) -> bool) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        let mut map = self.write();
        if map.get(key).is_some_and(condition) { map.remove(key) } else { None }
    }

    /// Makes room for this many keys more, so that no insert has to do it under the lock.
    #[track_caller]
    pub fn reserve(&self, additional: usize) {
        self.write().reserve(additional);
    }

    /// Gives back room that is not needed.
    #[track_caller]
    pub fn shrink_to_fit(&self) {
        self.write().shrink_to_fit();
    }
}
