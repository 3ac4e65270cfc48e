//! `DashMap`: how it is made, and its methods. What they do stands in `operations`.
use super::iter::{Iter, IterMut};
use super::mapref::entry::Entry;
use super::mapref::one::{Ref, RefMut};
use super::operations::Map;
use super::try_result::TryResult;
use super::{ReadOnlyView, Shard, Table, TryReserveError, lock, original};
use crate::recorder::Site;
use crossbeam_utils::CachePadded;
use std::borrow::Borrow;
use std::hash::{BuildHasher, Hash, Hasher, RandomState};
use std::panic::Location;
use std::sync::OnceLock;

fn default_shard_amount() -> usize {
    static AMOUNT: OnceLock<usize> = OnceLock::new();
    *AMOUNT
        .get_or_init(|| (std::thread::available_parallelism().map_or(1, usize::from) * 4).next_power_of_two())
}

/// A concurrent map, as [`dashmap::DashMap`](original::DashMap), recorded.
pub struct DashMap<K, V, S = RandomState> {
    shift: usize,
    pub(super) shards: Box<[Shard<K, V>]>,
    hasher: S,
}

impl<K: Eq + Hash + Clone, V: Clone, S: Clone> Clone for DashMap<K, V, S> {
    #[track_caller]
    fn clone(&self) -> Self {
        let site = Location::caller();
        let copy = |shard: &Shard<K, V>| new_shard(site, lock::read_at(shard, site).clone());
        Self {
            shift: self.shift,
            shards: self.shards.iter().map(copy).collect(),
            hasher: self.hasher.clone(),
        }
    }
}

fn new_shard<K, V>(site: Site, table: Table<K, V>) -> Shard<K, V> {
    CachePadded::new(lock::shard(site, table))
}

impl<K: Eq + Hash, V> DashMap<K, V, RandomState> {
    /// Creates a new map with a capacity of 0, known by the caller's line.
    #[track_caller]
    pub fn new() -> Self {
        Self::with_hasher(RandomState::default())
    }

    /// Creates a new map with a specified starting capacity.
    #[track_caller]
    pub fn with_capacity(capacity: usize) -> Self {
        Self::with_capacity_and_hasher(capacity, RandomState::default())
    }

    /// Creates a new map with a specified shard amount.
    ///
    /// # Panics
    /// The amount is not a power of two, or less than 2.
    #[track_caller]
    pub fn with_shard_amount(shard_amount: usize) -> Self {
        Self::with_capacity_and_hasher_and_shard_amount(0, RandomState::default(), shard_amount)
    }

    /// Creates a new map with a specified capacity and shard amount.
    ///
    /// # Panics
    /// The amount is not a power of two, or less than 2.
    #[track_caller]
    pub fn with_capacity_and_shard_amount(capacity: usize, shard_amount: usize) -> Self {
        Self::with_capacity_and_hasher_and_shard_amount(capacity, RandomState::default(), shard_amount)
    }
}

impl<'a, K: 'a + Eq + Hash, V: 'a, S: BuildHasher + Clone> DashMap<K, V, S> {
    /// Wraps this map into a read-only view, which gives plain references to the stored values.
    pub fn into_read_only(self) -> ReadOnlyView<K, V, S> {
        ReadOnlyView::new(self)
    }

    /// Creates a new map with a capacity of 0 and the provided hasher.
    #[track_caller]
    pub fn with_hasher(hasher: S) -> Self {
        Self::with_capacity_and_hasher(0, hasher)
    }

    /// Creates a new map with a specified starting capacity and hasher.
    #[track_caller]
    pub fn with_capacity_and_hasher(capacity: usize, hasher: S) -> Self {
        Self::with_capacity_and_hasher_and_shard_amount(capacity, hasher, default_shard_amount())
    }

    /// Creates a new map with a specified hasher and shard amount.
    ///
    /// # Panics
    /// The amount is not a power of two, or less than 2.
    #[track_caller]
    pub fn with_hasher_and_shard_amount(hasher: S, shard_amount: usize) -> Self {
        Self::with_capacity_and_hasher_and_shard_amount(0, hasher, shard_amount)
    }

    /// Creates a new map with a specified starting capacity, hasher and shard amount.
    ///
    /// # Panics
    /// The amount is not a power of two, or less than 2.
    #[track_caller]
    pub fn with_capacity_and_hasher_and_shard_amount(
        mut capacity: usize,
        hasher: S,
        shard_amount: usize,
    ) -> Self {
        assert!(shard_amount > 1);
        assert!(shard_amount.is_power_of_two());
        let shift = usize::BITS as usize - shard_amount.trailing_zeros() as usize;
        if capacity != 0 {
            capacity = (capacity + (shard_amount - 1)) & !(shard_amount - 1);
        }
        let (each, site) = (capacity / shard_amount, Location::caller());
        let shards = (0..shard_amount).map(|_| new_shard(site, Table::with_capacity(each))).collect();
        Self { shift, shards, hasher }
    }

    /// Hashes a given item to produce a usize.
    pub fn hash_usize<T: Hash>(&self, item: &T) -> usize {
        self.hash_u64(item) as usize
    }

    #[inline]
    #[allow(
        clippy::manual_hash_one,
        reason = "who works on the shards hashes so, and a hasher's `hash_one` may differ"
    )]
    pub(super) fn hash_u64<T: Hash>(&self, item: &T) -> u64 {
        let mut hasher = self.hasher.build_hasher();
        item.hash(&mut hasher);
        hasher.finish()
    }

    /// The inner shards that store the data: their locks are recorded too.
    pub fn shards(&self) -> &[Shard<K, V>] {
        &self.shards
    }

    /// The inner shards that store the data, with the right to change them.
    pub fn shards_mut(&mut self) -> &mut [Shard<K, V>] {
        &mut self.shards
    }

    /// Consumes this map and returns the inner shards.
    pub fn into_shards(self) -> Box<[Shard<K, V>]> {
        self.shards
    }

    /// Finds which shard a certain key is stored in.
    pub fn determine_map<Q>(&self, key: &Q) -> usize
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.determine_shard(self.hash_usize(&key))
    }

    /// Finds which shard a certain hash is stored in.
    pub fn determine_shard(&self, hash: usize) -> usize {
        // Leave the high 7 bits for the HashBrown SIMD tag.
        (hash << 7) >> self.shift
    }

    /// Returns a reference to the map's hasher.
    pub fn hasher(&self) -> &S {
        &self.hasher
    }

    /// Inserts a key and a value; returns the value that it replaces.
    #[track_caller]
    pub fn insert(&self, key: K, value: V) -> Option<V> {
        self._insert(key, value)
    }

    /// Removes an entry; returns the key and value if they were there.
    #[track_caller]
    pub fn remove<Q>(&self, key: &Q) -> Option<(K, V)>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self._remove(key)
    }

    /// Removes an entry if it is there and the function returns true.
    #[track_caller]
    pub fn remove_if<Q>(&self, key: &Q, f: impl FnOnce(&K, &V) -> bool) -> Option<(K, V)>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self._remove_if(key, f)
    }

    /// Removes an entry if it is there and the function, which may change it, returns true.
    #[track_caller]
    pub fn remove_if_mut<Q>(&self, key: &Q, f: impl FnOnce(&K, &mut V) -> bool) -> Option<(K, V)>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self._remove_if_mut(key, f)
    }

    /// An iterator over the map, shard by shard. Its locks are taken at the line of this call.
    #[track_caller]
    pub fn iter(&'a self) -> Iter<'a, K, V, S, DashMap<K, V, S>> {
        self._iter()
    }

    /// An iterator over the map with the right to change values. Its locks are taken at the line of this call.
    #[track_caller]
    pub fn iter_mut(&'a self) -> IterMut<'a, K, V, S, DashMap<K, V, S>> {
        self._iter_mut()
    }

    /// A reference to an entry: it holds the shard for reading.
    #[track_caller]
    pub fn get<Q>(&'a self, key: &Q) -> Option<Ref<'a, K, V>>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self._get(key)
    }

    /// A mutable reference to an entry: it holds the shard for writing.
    #[track_caller]
    pub fn get_mut<Q>(&'a self, key: &Q) -> Option<RefMut<'a, K, V>>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self._get_mut(key)
    }

    /// A reference to an entry, unless its shard is locked.
    #[track_caller]
    pub fn try_get<Q>(&'a self, key: &Q) -> TryResult<Ref<'a, K, V>>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self._try_get(key)
    }

    /// A mutable reference to an entry, unless its shard is locked.
    #[track_caller]
    pub fn try_get_mut<Q>(&'a self, key: &Q) -> TryResult<RefMut<'a, K, V>>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self._try_get_mut(key)
    }

    /// Removes excess capacity.
    #[track_caller]
    pub fn shrink_to_fit(&self) {
        self._shrink_to_fit();
    }

    /// Keeps the entries for which the function returns true.
    #[track_caller]
    pub fn retain(&self, f: impl FnMut(&K, &mut V) -> bool) {
        self._retain(f);
    }

    /// The number of entries: each shard is read in turn.
    #[track_caller]
    pub fn len(&self) -> usize {
        self._len()
    }

    /// Whether the map is empty.
    #[track_caller]
    pub fn is_empty(&self) -> bool {
        self._is_empty()
    }

    /// Removes all entries.
    #[track_caller]
    pub fn clear(&self) {
        self._clear();
    }

    /// How many entries there is room for.
    #[track_caller]
    pub fn capacity(&self) -> usize {
        self._capacity()
    }

    /// Modifies a value. A panic of the function aborts the process.
    #[track_caller]
    pub fn alter<Q>(&self, key: &Q, f: impl FnOnce(&K, V) -> V)
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self._alter(key, f);
    }

    /// Modifies every value. A panic of the function aborts the process.
    #[track_caller]
    pub fn alter_all(&self, f: impl FnMut(&K, V) -> V) {
        self._alter_all(f);
    }

    /// Looks at an entry under its shard's lock.
    #[track_caller]
    pub fn view<Q, R>(&self, key: &Q, f: impl FnOnce(&K, &V) -> R) -> Option<R>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self._view(key, f)
    }

    /// Whether the map has this key.
    #[track_caller]
    pub fn contains_key<Q>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self._contains_key(key)
    }

    /// The entry of a key: it holds the shard for writing.
    #[track_caller]
    pub fn entry(&'a self, key: K) -> Entry<'a, K, V> {
        self._entry(key)
    }

    /// The entry of a key, unless its shard is locked.
    #[track_caller]
    pub fn try_entry(&'a self, key: K) -> Option<Entry<'a, K, V>> {
        self._try_entry(key)
    }

    /// Makes room for this many entries more in each shard.
    ///
    /// # Errors
    /// There is not that much memory.
    pub fn try_reserve(&mut self, additional: usize) -> Result<(), TryReserveError> {
        let room = |shard: &Shard<K, V>| shard.write().try_reserve(additional, |(key, _)| self.hash_u64(key));
        self.shards.iter().try_for_each(room).map_err(|_| no_room())
    }
}

/// The error that only dashmap can make.
#[cold]
fn no_room() -> TryReserveError {
    match original::DashMap::<u64, u64>::new().try_reserve(usize::MAX) {
        Err(error) => error,
        Ok(()) => unreachable!("nobody has that much memory"),
    }
}
