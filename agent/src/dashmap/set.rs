//! `DashSet`: a map whose values are nothing.
use super::iter_set::{Iter, OwningIter};
use super::setref::one::Ref;
use super::{DashMap, Shard};
use std::borrow::Borrow;
use std::fmt;
use std::hash::{BuildHasher, Hash, RandomState};

/// A concurrent set, as [`dashmap::DashSet`](super::original::DashSet), recorded as its map.
pub struct DashSet<K, S = RandomState> {
    pub(crate) inner: DashMap<K, (), S>,
}

impl<K: Eq + Hash + fmt::Debug, S: BuildHasher + Clone> fmt::Debug for DashSet<K, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl<K: Eq + Hash + Clone, S: Clone> Clone for DashSet<K, S> {
    #[track_caller]
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone() }
    }
}

impl<K: Eq + Hash, S: Default + BuildHasher + Clone> Default for DashSet<K, S> {
    #[track_caller]
    fn default() -> Self {
        Self::with_hasher(S::default())
    }
}

impl<K: Eq + Hash> DashSet<K, RandomState> {
    /// Creates a new set with a capacity of 0, known by the caller's line.
    #[track_caller]
    pub fn new() -> Self {
        Self::with_hasher(RandomState::default())
    }

    /// Creates a new set with a specified starting capacity.
    #[track_caller]
    pub fn with_capacity(capacity: usize) -> Self {
        Self::with_capacity_and_hasher(capacity, RandomState::default())
    }
}

impl<'a, K: 'a + Eq + Hash, S: BuildHasher + Clone> DashSet<K, S> {
    /// Creates a new set with a capacity of 0 and the provided hasher.
    #[track_caller]
    pub fn with_hasher(hasher: S) -> Self {
        Self::with_capacity_and_hasher(0, hasher)
    }

    /// Creates a new set with a specified starting capacity and hasher.
    #[track_caller]
    pub fn with_capacity_and_hasher(capacity: usize, hasher: S) -> Self {
        Self { inner: DashMap::with_capacity_and_hasher(capacity, hasher) }
    }

    /// Hashes a given item to produce a usize.
    pub fn hash_usize<T: Hash>(&self, item: &T) -> usize {
        self.inner.hash_usize(item)
    }

    /// The inner shards that store the data: their locks are recorded too.
    pub fn shards(&self) -> &[Shard<K, ()>] {
        self.inner.shards()
    }

    /// Finds which shard a certain key is stored in.
    pub fn determine_map<Q>(&self, key: &Q) -> usize
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.inner.determine_map(key)
    }

    /// Finds which shard a certain hash is stored in.
    pub fn determine_shard(&self, hash: usize) -> usize {
        self.inner.determine_shard(hash)
    }

    /// Inserts a key; returns true if it was not there.
    #[track_caller]
    pub fn insert(&self, key: K) -> bool {
        self.inner.insert(key, ()).is_none()
    }

    /// Removes a key; returns it if it was there.
    #[track_caller]
    pub fn remove<Q>(&self, key: &Q) -> Option<K>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.inner.remove(key).map(|(key, ())| key)
    }

    /// Removes a key if it is there and the function returns true.
    #[track_caller]
    pub fn remove_if<Q>(&self, key: &Q, f: impl FnOnce(&K) -> bool) -> Option<K>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.inner.remove_if(key, |key, ()| f(key)).map(|(key, ())| key)
    }

    /// An iterator over the set, shard by shard. Its locks are taken at the line of this call.
    #[track_caller]
    pub fn iter(&'a self) -> Iter<'a, K, S, DashMap<K, (), S>> {
        Iter::new(self.inner.iter())
    }

    /// A reference to a key: it holds the shard for reading.
    #[track_caller]
    pub fn get<Q>(&'a self, key: &Q) -> Option<Ref<'a, K>>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.inner.get(key).map(Ref::new)
    }

    /// Removes excess capacity.
    #[track_caller]
    pub fn shrink_to_fit(&self) {
        self.inner.shrink_to_fit();
    }

    /// Keeps the keys for which the function returns true.
    #[track_caller]
    pub fn retain(&self, mut f: impl FnMut(&K) -> bool) {
        self.inner.retain(|key, ()| f(key));
    }

    /// The number of keys: each shard is read in turn.
    #[track_caller]
    pub fn len(&self) -> usize {
        self.inner.len()
    }

    /// Whether the set is empty.
    #[track_caller]
    pub fn is_empty(&self) -> bool {
        self.inner.is_empty()
    }

    /// Removes all keys.
    #[track_caller]
    pub fn clear(&self) {
        self.inner.clear();
    }

    /// How many keys there is room for.
    #[track_caller]
    pub fn capacity(&self) -> usize {
        self.inner.capacity()
    }

    /// Whether the set has this key.
    #[track_caller]
    pub fn contains<Q>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.inner.contains_key(key)
    }
}

impl<K: Eq + Hash, S: BuildHasher + Clone> IntoIterator for DashSet<K, S> {
    type Item = K;
    type IntoIter = OwningIter<K, S>;

    fn into_iter(self) -> Self::IntoIter {
        OwningIter::new(self.inner.into_iter())
    }
}

impl<K: Eq + Hash, S: BuildHasher + Clone> Extend<K> for DashSet<K, S> {
    #[track_caller]
    fn extend<T: IntoIterator<Item = K>>(&mut self, keys: T) {
        self.inner.extend(keys.into_iter().map(|key| (key, ())));
    }
}

impl<K: Eq + Hash, S: BuildHasher + Clone + Default> FromIterator<K> for DashSet<K, S> {
    #[track_caller]
    fn from_iter<I: IntoIterator<Item = K>>(keys: I) -> Self {
        let mut set = DashSet::default();
        set.extend(keys);
        set
    }
}
