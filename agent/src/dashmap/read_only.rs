//! A map that nobody writes any more: its values are read without a lock, and without a record.
use super::{DashMap, Map, Shard, Table};
use std::borrow::Borrow;
use std::fmt;
use std::hash::{BuildHasher, Hash, RandomState};

/// A read-only view into a map, as [`dashmap::ReadOnlyView`](super::original::ReadOnlyView).
pub struct ReadOnlyView<K, V, S = RandomState> {
    pub(crate) map: DashMap<K, V, S>,
}

impl<K: Eq + Hash + Clone, V: Clone, S: Clone> Clone for ReadOnlyView<K, V, S> {
    #[track_caller]
    fn clone(&self) -> Self {
        Self { map: self.map.clone() }
    }
}

impl<K: Eq + Hash + fmt::Debug, V: fmt::Debug, S: BuildHasher + Clone> fmt::Debug for ReadOnlyView<K, V, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.map.fmt(f)
    }
}

impl<K, V, S> ReadOnlyView<K, V, S> {
    pub(crate) fn new(map: DashMap<K, V, S>) -> Self {
        Self { map }
    }

    /// Consumes this view, returning the map.
    pub fn into_inner(self) -> DashMap<K, V, S> {
        self.map
    }
}

impl<'a, K: 'a + Eq + Hash, V: 'a, S: BuildHasher + Clone> ReadOnlyView<K, V, S> {
    /// The number of entries.
    #[track_caller]
    pub fn len(&self) -> usize {
        self.map.len()
    }

    /// Whether the map is empty.
    #[track_caller]
    pub fn is_empty(&self) -> bool {
        self.map.is_empty()
    }

    /// How many entries there is room for.
    #[track_caller]
    pub fn capacity(&self) -> usize {
        self.map.capacity()
    }

    /// Whether the map has this key.
    pub fn contains_key<Q>(&'a self, key: &Q) -> bool
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.get(key).is_some()
    }

    /// The value of a key.
    pub fn get<Q>(&'a self, key: &Q) -> Option<&'a V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.get_key_value(key).map(|(_, v)| v)
    }

    /// The key in the map, and its value.
    pub fn get_key_value<Q>(&'a self, key: &Q) -> Option<(&'a K, &'a V)>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let hash = self.map.hash_u64(&key);
        let shard = self.shard(self.map.determine_shard(hash as usize));
        // SAFETY: the bucket is full, and nobody changes it as long as the view lives.
        let (k, v) = unsafe { shard.find(hash, |(k, _)| key == k.borrow())?.as_ref() };
        Some((k, v.get()))
    }

    fn shard(&'a self, i: usize) -> &'a Table<K, V> {
        // SAFETY: the view owns the map, and gives nobody the means to write.
        unsafe { self.map._get_read_shard(i) }
    }

    /// All keys and values, in any order.
    pub fn iter(&'a self) -> impl Iterator<Item = (&'a K, &'a V)> + 'a {
        let shards = (0..self.map._shard_count()).map(move |i| self.shard(i));
        // SAFETY: as above; the table lives as long as its iterator.
        shards.flat_map(|shard| unsafe { shard.iter() }).map(|bucket| {
            // SAFETY: as above.
            let (k, v) = unsafe { bucket.as_ref() };
            (k, v.get())
        })
    }

    /// All keys, in any order.
    pub fn keys(&'a self) -> impl Iterator<Item = &'a K> + 'a {
        self.iter().map(|(k, _)| k)
    }

    /// All values, in any order.
    pub fn values(&'a self) -> impl Iterator<Item = &'a V> + 'a {
        self.iter().map(|(_, v)| v)
    }

    /// The inner shards that store the data.
    pub fn shards(&self) -> &[Shard<K, V>] {
        &self.map.shards
    }
}
