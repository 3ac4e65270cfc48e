//! What a map does: the trait that dashmap exports, and all of its operations on the shards.
use super::iter::{Iter, IterMut};
use super::lock::{read_at, read_for, removed, write_at, write_for};
use super::mapref::entry::{Entry, OccupiedEntry, VacantEntry};
use super::mapref::one::{Ref, RefMut};
use super::try_result::TryResult;
use super::{DashMap, RwLockReadGuard, RwLockWriteGuard, SharedValue, Table};
use crate::recorder::Site;
use hashbrown::raw::Bucket;
use std::borrow::Borrow;
use std::hash::{BuildHasher, Hash};
use std::panic::Location;
use std::{mem, ptr};

/// As [`dashmap::Map`](super::original::Map): an implementation detail that is exposed by bounds of public types.
// Its methods are those of `DashMap` without the line in front.
#[allow(missing_docs, clippy::missing_safety_doc)]
pub trait Map<'a, K: 'a + Eq + Hash, V: 'a, S: 'a + Clone + BuildHasher> {
    fn _shard_count(&self) -> usize;
    /// # Safety
    /// The index must not be out of bounds, and nobody may write.
    unsafe fn _get_read_shard(&'a self, i: usize) -> &'a Table<K, V>;
    /// # Safety
    /// The index must not be out of bounds.
    #[track_caller]
    unsafe fn _yield_read_shard(&'a self, i: usize) -> RwLockReadGuard<'a, Table<K, V>>;
    /// # Safety
    /// The index must not be out of bounds.
    #[track_caller]
    unsafe fn _yield_write_shard(&'a self, i: usize) -> RwLockWriteGuard<'a, Table<K, V>>;
    /// # Safety
    /// The index must not be out of bounds.
    #[track_caller]
    unsafe fn _try_yield_read_shard(&'a self, i: usize) -> Option<RwLockReadGuard<'a, Table<K, V>>>;
    /// # Safety
    /// The index must not be out of bounds.
    #[track_caller]
    unsafe fn _try_yield_write_shard(&'a self, i: usize) -> Option<RwLockWriteGuard<'a, Table<K, V>>>;
    #[track_caller]
    fn _insert(&self, key: K, value: V) -> Option<V>;
    #[track_caller]
    fn _remove<Q>(&self, key: &Q) -> Option<(K, V)>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized;
    #[track_caller]
    fn _remove_if<Q>(&self, key: &Q, f: impl FnOnce(&K, &V) -> bool) -> Option<(K, V)>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized;
    #[track_caller]
    fn _remove_if_mut<Q>(&self, key: &Q, f: impl FnOnce(&K, &mut V) -> bool) -> Option<(K, V)>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized;
    #[track_caller]
    fn _iter(&'a self) -> Iter<'a, K, V, S, Self>
    where
        Self: Sized;
    #[track_caller]
    fn _iter_mut(&'a self) -> IterMut<'a, K, V, S, Self>
    where
        Self: Sized;
    #[track_caller]
    fn _get<Q>(&'a self, key: &Q) -> Option<Ref<'a, K, V>>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized;
    #[track_caller]
    fn _get_mut<Q>(&'a self, key: &Q) -> Option<RefMut<'a, K, V>>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized;
    #[track_caller]
    fn _try_get<Q>(&'a self, key: &Q) -> TryResult<Ref<'a, K, V>>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized;
    #[track_caller]
    fn _try_get_mut<Q>(&'a self, key: &Q) -> TryResult<RefMut<'a, K, V>>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized;
    #[track_caller]
    fn _shrink_to_fit(&self);
    #[track_caller]
    fn _retain(&self, f: impl FnMut(&K, &mut V) -> bool);
    #[track_caller]
    fn _len(&self) -> usize;
    #[track_caller]
    fn _capacity(&self) -> usize;
    #[track_caller]
    fn _alter<Q>(&self, key: &Q, f: impl FnOnce(&K, V) -> V)
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized;
    #[track_caller]
    fn _alter_all(&self, f: impl FnMut(&K, V) -> V);
    #[track_caller]
    fn _view<Q, R>(&self, key: &Q, f: impl FnOnce(&K, &V) -> R) -> Option<R>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized;
    #[track_caller]
    fn _entry(&'a self, key: K) -> Entry<'a, K, V>;
    #[track_caller]
    fn _try_entry(&'a self, key: K) -> Option<Entry<'a, K, V>>;
    fn _hasher(&self) -> S;

    #[track_caller]
    fn _clear(&self) {
        self._retain(|_, _| false)
    }

    #[track_caller]
    fn _contains_key<Q>(&'a self, key: &Q) -> bool
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self._get(key).is_some()
    }

    #[track_caller]
    fn _is_empty(&self) -> bool {
        self._len() == 0
    }

    /// As `_yield_read_shard`, for who called at `site`: an iterator's locks are taken by whoever drives it.
    #[doc(hidden)]
    unsafe fn _read_shard_at(&'a self, i: usize, site: Site) -> RwLockReadGuard<'a, Table<K, V>> {
        let _ = site;
        // SAFETY: as for the caller.
        unsafe { self._yield_read_shard(i) }
    }

    /// As `_yield_write_shard`, for who called at `site`.
    #[doc(hidden)]
    unsafe fn _write_shard_at(&'a self, i: usize, site: Site) -> RwLockWriteGuard<'a, Table<K, V>> {
        let _ = site;
        // SAFETY: as for the caller.
        unsafe { self._yield_write_shard(i) }
    }
}

impl<K: Eq + Hash, V, S: BuildHasher + Clone> DashMap<K, V, S> {
    /// Where an item belongs: its hash, and the shard.
    #[inline]
    fn place<T: Hash>(&self, item: &T) -> (u64, usize) {
        let hash = self.hash_u64(item);
        (hash, self.determine_shard(hash as usize))
    }

    /// Removes a key if `condition` holds.
    #[inline]
    #[track_caller]
    fn take<Q>(&self, key: &Q, condition: impl FnOnce(&K, &mut V) -> bool) -> Option<(K, V)>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let (hash, i) = self.place(&key);
        let mut shard = write_for(&self.shards[i], hash);
        let bucket = find(&shard, hash, key)?;
        // SAFETY: the shard is locked for writing, and the bucket is in it.
        unsafe {
            let (k, v) = bucket.as_mut();
            if !condition(k, v.get_mut()) {
                return None;
            }
            removed(&shard);
            let ((k, v), _) = shard.remove(bucket);
            Some((k, v.into_inner()))
        }
    }

    /// The entry of a key, in its shard that is locked.
    #[inline]
    fn entry_in<'a>(
        &'a self,
        mut shard: RwLockWriteGuard<'a, Table<K, V>>,
        key: K,
        hash: u64,
    ) -> Entry<'a, K, V> {
        match shard.find_or_find_insert_slot(hash, |(k, _)| k == &key, |(k, _)| self.hash_u64(k)) {
            // SAFETY: the bucket is of this shard, which stays locked.
            Ok(bucket) => Entry::Occupied(unsafe { OccupiedEntry::new(shard, key, bucket) }),
            // SAFETY: so is the slot.
            Err(slot) => Entry::Vacant(unsafe { VacantEntry::new(shard, key, hash, slot) }),
        }
    }
}

#[inline]
fn find<K, V, Q>(table: &Table<K, V>, hash: u64, key: &Q) -> Option<Bucket<(K, SharedValue<V>)>>
where
    K: Borrow<Q>,
    Q: Eq + ?Sized,
{
    table.find(hash, |(k, _)| key == k.borrow())
}

/// The entry of this key, if there is one.
#[inline]
fn found<'a, K, V, Q>(shard: RwLockReadGuard<'a, Table<K, V>>, hash: u64, key: &Q) -> Option<Ref<'a, K, V>>
where
    K: Borrow<Q> + Eq + Hash,
    Q: Eq + ?Sized,
{
    let bucket = find(&shard, hash, key)?;
    // SAFETY: the bucket is in this shard, which stays locked for reading.
    unsafe {
        let (k, v) = bucket.as_ref();
        Some(Ref::new(shard, k, v.get()))
    }
}

/// The same, with the right to change the value.
#[inline]
fn found_mut<'a, K, V, Q>(
    shard: RwLockWriteGuard<'a, Table<K, V>>,
    hash: u64,
    key: &Q,
) -> Option<RefMut<'a, K, V>>
where
    K: Borrow<Q> + Eq + Hash,
    Q: Eq + ?Sized,
{
    let bucket = find(&shard, hash, key)?;
    // SAFETY: the bucket is in this shard, which stays locked for writing.
    unsafe {
        let (k, v) = bucket.as_mut();
        Some(RefMut::new(shard, k, v.get_mut()))
    }
}

fn tried<T>(found: Option<T>) -> TryResult<T> {
    found.map_or(TryResult::Absent, TryResult::Present)
}

/// Replaces a value by what `f` makes of it.
fn change<K, V>((key, value): (&K, &mut V), f: impl FnOnce(&K, V) -> V) {
    /// After a panic the value would be dropped twice: the process ends instead.
    struct Abort;
    impl Drop for Abort {
        fn drop(&mut self) {
            std::process::abort();
        }
    }
    let abort = Abort;
    // SAFETY: the value is read once and written once; a panic between the two aborts.
    unsafe { ptr::write(value, f(key, ptr::read(value))) };
    mem::forget(abort);
}

impl<'a, K: 'a + Eq + Hash, V: 'a, S: 'a + BuildHasher + Clone> Map<'a, K, V, S> for DashMap<K, V, S> {
    fn _shard_count(&self) -> usize {
        self.shards.len()
    }

    unsafe fn _get_read_shard(&'a self, i: usize) -> &'a Table<K, V> {
        // SAFETY: the caller knows that nobody writes.
        unsafe { &*self.shards[i].data_ptr() }
    }

    #[inline]
    #[track_caller]
    unsafe fn _yield_read_shard(&'a self, i: usize) -> RwLockReadGuard<'a, Table<K, V>> {
        self.shards[i].read()
    }

    #[inline]
    #[track_caller]
    unsafe fn _yield_write_shard(&'a self, i: usize) -> RwLockWriteGuard<'a, Table<K, V>> {
        self.shards[i].write()
    }

    #[inline]
    #[track_caller]
    unsafe fn _try_yield_read_shard(&'a self, i: usize) -> Option<RwLockReadGuard<'a, Table<K, V>>> {
        self.shards[i].try_read()
    }

    #[inline]
    #[track_caller]
    unsafe fn _try_yield_write_shard(&'a self, i: usize) -> Option<RwLockWriteGuard<'a, Table<K, V>>> {
        self.shards[i].try_write()
    }

    unsafe fn _read_shard_at(&'a self, i: usize, site: Site) -> RwLockReadGuard<'a, Table<K, V>> {
        read_at(&self.shards[i], site)
    }

    unsafe fn _write_shard_at(&'a self, i: usize, site: Site) -> RwLockWriteGuard<'a, Table<K, V>> {
        write_at(&self.shards[i], site)
    }

    #[inline]
    #[track_caller]
    fn _insert(&self, key: K, value: V) -> Option<V> {
        match self._entry(key) {
            Entry::Occupied(mut entry) => Some(entry.insert(value)),
            Entry::Vacant(entry) => {
                entry.insert(value);
                None
            }
        }
    }

    #[inline]
    #[track_caller]
    fn _remove<Q>(&self, key: &Q) -> Option<(K, V)>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.take(key, |_, _| true)
    }

    #[track_caller]
    fn _remove_if<Q>(&self, key: &Q, f: impl FnOnce(&K, &V) -> bool) -> Option<(K, V)>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.take(key, |k, v| f(k, v))
    }

    #[track_caller]
    fn _remove_if_mut<Q>(&self, key: &Q, f: impl FnOnce(&K, &mut V) -> bool) -> Option<(K, V)>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.take(key, f)
    }

    #[track_caller]
    fn _iter(&'a self) -> Iter<'a, K, V, S, DashMap<K, V, S>> {
        Iter::new(self, Location::caller())
    }

    #[track_caller]
    fn _iter_mut(&'a self) -> IterMut<'a, K, V, S, DashMap<K, V, S>> {
        IterMut::new(self, Location::caller())
    }

    #[inline]
    #[track_caller]
    fn _get<Q>(&'a self, key: &Q) -> Option<Ref<'a, K, V>>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let (hash, i) = self.place(&key);
        found(read_for(&self.shards[i], hash), hash, key)
    }

    #[inline]
    #[track_caller]
    fn _get_mut<Q>(&'a self, key: &Q) -> Option<RefMut<'a, K, V>>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let (hash, i) = self.place(&key);
        found_mut(write_for(&self.shards[i], hash), hash, key)
    }

    #[track_caller]
    fn _try_get<Q>(&'a self, key: &Q) -> TryResult<Ref<'a, K, V>>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let (hash, i) = self.place(&key);
        match self.shards[i].try_read() {
            Some(shard) => tried(found(shard, hash, key)),
            None => TryResult::Locked,
        }
    }

    #[track_caller]
    fn _try_get_mut<Q>(&'a self, key: &Q) -> TryResult<RefMut<'a, K, V>>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let (hash, i) = self.place(&key);
        match self.shards[i].try_write() {
            Some(shard) => tried(found_mut(shard, hash, key)),
            None => TryResult::Locked,
        }
    }

    #[track_caller]
    fn _shrink_to_fit(&self) {
        for shard in &self.shards {
            let mut shard = shard.write();
            let size = shard.len();
            shard.shrink_to(size, |(k, _)| self.hash_u64(k));
        }
    }

    #[track_caller]
    fn _retain(&self, mut f: impl FnMut(&K, &mut V) -> bool) {
        for shard in &self.shards {
            let mut shard = shard.write();
            // SAFETY: the iterator does not outlive the lock, and a bucket that was erased is not looked at again.
            unsafe {
                for bucket in shard.iter() {
                    let (k, v) = bucket.as_mut();
                    if !f(&*k, v.get_mut()) {
                        removed(&shard);
                        shard.erase(bucket);
                    }
                }
            }
        }
    }

    #[track_caller]
    fn _len(&self) -> usize {
        let site = Location::caller();
        self.shards.iter().map(|shard| read_at(shard, site).len()).sum()
    }

    #[track_caller]
    fn _capacity(&self) -> usize {
        let site = Location::caller();
        self.shards.iter().map(|shard| read_at(shard, site).capacity()).sum()
    }

    #[track_caller]
    fn _alter<Q>(&self, key: &Q, f: impl FnOnce(&K, V) -> V)
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        if let Some(mut entry) = self._get_mut(key) {
            change(entry.pair_mut(), f);
        }
    }

    #[track_caller]
    fn _alter_all(&self, mut f: impl FnMut(&K, V) -> V) {
        self._iter_mut().for_each(|mut entry| change(entry.pair_mut(), &mut f));
    }

    #[track_caller]
    fn _view<Q, R>(&self, key: &Q, f: impl FnOnce(&K, &V) -> R) -> Option<R>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let entry = self._get(key)?;
        let (k, v) = entry.pair();
        Some(f(k, v))
    }

    #[inline]
    #[track_caller]
    fn _entry(&'a self, key: K) -> Entry<'a, K, V> {
        let (hash, i) = self.place(&key);
        self.entry_in(write_for(&self.shards[i], hash), key, hash)
    }

    #[track_caller]
    fn _try_entry(&'a self, key: K) -> Option<Entry<'a, K, V>> {
        let (hash, i) = self.place(&key);
        Some(self.entry_in(self.shards[i].try_write()?, key, hash))
    }

    fn _hasher(&self) -> S {
        self.hasher().clone()
    }
}
