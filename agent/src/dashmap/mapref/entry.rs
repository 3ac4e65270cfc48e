//! The entry of a key: its shard is held for writing.
use super::one::RefMut;
use crate::dashmap::lock::{inserted, removed};
use crate::dashmap::{RwLockWriteGuard, SharedValue, Table};
use hashbrown::raw::{Bucket, InsertSlot};
use std::hash::Hash;
use std::mem;

/// The entry of a key, as [`dashmap::Entry`](crate::dashmap::original::Entry).
pub enum Entry<'a, K, V> {
    /// The key is there.
    Occupied(OccupiedEntry<'a, K, V>),
    /// The key is not there.
    Vacant(VacantEntry<'a, K, V>),
}

impl<'a, K: Eq + Hash, V> Entry<'a, K, V> {
    /// Applies a function to the value if there is one.
    pub fn and_modify(mut self, f: impl FnOnce(&mut V)) -> Self {
        if let Entry::Occupied(entry) = &mut self {
            f(entry.get_mut());
        }
        self
    }

    /// The key.
    pub fn key(&self) -> &K {
        match self {
            Entry::Occupied(entry) => entry.key(),
            Entry::Vacant(entry) => entry.key(),
        }
    }

    /// The key that was asked for.
    pub fn into_key(self) -> K {
        match self {
            Entry::Occupied(entry) => entry.into_key(),
            Entry::Vacant(entry) => entry.into_key(),
        }
    }

    /// A reference to the value, which is the default where there was none.
    pub fn or_default(self) -> RefMut<'a, K, V>
    where
        V: Default,
    {
        self.or_insert_with(V::default)
    }

    /// A reference to the value, which is `value` where there was none.
    pub fn or_insert(self, value: V) -> RefMut<'a, K, V> {
        match self {
            Entry::Occupied(entry) => entry.into_ref(),
            Entry::Vacant(entry) => entry.insert(value),
        }
    }

    /// A reference to the value, which is made by `value` where there was none.
    pub fn or_insert_with(self, value: impl FnOnce() -> V) -> RefMut<'a, K, V> {
        match self {
            Entry::Occupied(entry) => entry.into_ref(),
            Entry::Vacant(entry) => entry.insert(value()),
        }
    }

    /// The same, where making the value may fail.
    ///
    /// # Errors
    /// That of `value`.
    pub fn or_try_insert_with<E>(self, value: impl FnOnce() -> Result<V, E>) -> Result<RefMut<'a, K, V>, E> {
        match self {
            Entry::Occupied(entry) => Ok(entry.into_ref()),
            Entry::Vacant(entry) => Ok(entry.insert(value()?)),
        }
    }

    /// Sets the value; returns a reference to it.
    pub fn insert(self, value: V) -> RefMut<'a, K, V> {
        match self {
            Entry::Occupied(mut entry) => {
                entry.insert(value);
                entry.into_ref()
            }
            Entry::Vacant(entry) => entry.insert(value),
        }
    }

    /// Sets the value; returns the entry.
    pub fn insert_entry(self, value: V) -> OccupiedEntry<'a, K, V>
    where
        K: Clone,
    {
        match self {
            Entry::Occupied(mut entry) => {
                entry.insert(value);
                entry
            }
            Entry::Vacant(entry) => entry.insert_entry(value),
        }
    }
}

/// The entry of a key that is not there.
pub struct VacantEntry<'a, K, V> {
    shard: RwLockWriteGuard<'a, Table<K, V>>,
    key: K,
    hash: u64,
    slot: InsertSlot,
}

// SAFETY: as in dashmap.
unsafe impl<K: Eq + Hash + Sync, V: Sync> Send for VacantEntry<'_, K, V> {}
// SAFETY: as in dashmap.
unsafe impl<K: Eq + Hash + Sync, V: Sync> Sync for VacantEntry<'_, K, V> {}

impl<'a, K: Eq + Hash, V> VacantEntry<'a, K, V> {
    /// # Safety
    /// The slot is that of the key's hash in this shard, and nothing has been put in since it was found.
    pub(crate) unsafe fn new(
        shard: RwLockWriteGuard<'a, Table<K, V>>,
        key: K,
        hash: u64,
        slot: InsertSlot,
    ) -> Self {
        Self { shard, key, hash, slot }
    }

    /// Puts the value in; returns a reference to it.
    #[inline]
    pub fn insert(mut self, value: V) -> RefMut<'a, K, V> {
        inserted(&self.shard);
        // SAFETY: the shard has been locked since the slot was found, and stays so.
        unsafe {
            let bucket = self.shard.insert_in_slot(self.hash, self.slot, (self.key, SharedValue::new(value)));
            let (k, v) = bucket.as_mut();
            RefMut::new(self.shard, k, v.get_mut())
        }
    }

    /// Puts the value in; returns the entry.
    pub fn insert_entry(mut self, value: V) -> OccupiedEntry<'a, K, V>
    where
        K: Clone,
    {
        let entry = (self.key.clone(), SharedValue::new(value));
        inserted(&self.shard);
        // SAFETY: as above.
        unsafe {
            let bucket = self.shard.insert_in_slot(self.hash, self.slot, entry);
            OccupiedEntry::new(self.shard, self.key, bucket)
        }
    }

    /// The key.
    pub fn into_key(self) -> K {
        self.key
    }

    /// The key.
    pub fn key(&self) -> &K {
        &self.key
    }
}

/// The entry of a key that is there.
pub struct OccupiedEntry<'a, K, V> {
    shard: RwLockWriteGuard<'a, Table<K, V>>,
    bucket: Bucket<(K, SharedValue<V>)>,
    key: K,
}

// SAFETY: as in dashmap.
unsafe impl<K: Eq + Hash + Sync, V: Sync> Send for OccupiedEntry<'_, K, V> {}
// SAFETY: as in dashmap.
unsafe impl<K: Eq + Hash + Sync, V: Sync> Sync for OccupiedEntry<'_, K, V> {}

impl<'a, K: Eq + Hash, V> OccupiedEntry<'a, K, V> {
    /// # Safety
    /// The bucket is in this shard, and full.
    pub(crate) unsafe fn new(
        shard: RwLockWriteGuard<'a, Table<K, V>>,
        key: K,
        bucket: Bucket<(K, SharedValue<V>)>,
    ) -> Self {
        Self { shard, bucket, key }
    }

    /// The value.
    pub fn get(&self) -> &V {
        // SAFETY: the bucket is full, and its shard is locked by this entry alone.
        unsafe { self.bucket.as_ref().1.get() }
    }

    /// The value, to be changed.
    pub fn get_mut(&mut self) -> &mut V {
        // SAFETY: as above.
        unsafe { self.bucket.as_mut().1.get_mut() }
    }

    /// Sets the value; returns the one before.
    pub fn insert(&mut self, value: V) -> V {
        inserted(&self.shard);
        mem::replace(self.get_mut(), value)
    }

    /// A reference to the value.
    pub fn into_ref(self) -> RefMut<'a, K, V> {
        // SAFETY: the bucket is full, and its shard stays locked.
        unsafe {
            let (k, v) = self.bucket.as_mut();
            RefMut::new(self.shard, k, v.get_mut())
        }
    }

    /// The key that was asked for.
    pub fn into_key(self) -> K {
        self.key
    }

    /// The key in the map.
    pub fn key(&self) -> &K {
        // SAFETY: as above.
        unsafe { &self.bucket.as_ref().0 }
    }

    /// Takes the entry out; returns the value.
    pub fn remove(self) -> V {
        self.remove_entry().1
    }

    /// Takes the entry out.
    pub fn remove_entry(mut self) -> (K, V) {
        removed(&self.shard);
        // SAFETY: the bucket is full, and nobody looks at it afterwards.
        let ((k, v), _) = unsafe { self.shard.remove(self.bucket) };
        (k, v.into_inner())
    }

    /// Replaces the key in the map by the one that was asked for, and the value; returns both as they were.
    pub fn replace_entry(self, value: V) -> (K, V) {
        inserted(&self.shard);
        // SAFETY: the bucket is full, and its shard is locked by this entry alone.
        let there = unsafe { self.bucket.as_mut() };
        let (k, v) = mem::replace(there, (self.key, SharedValue::new(value)));
        (k, v.into_inner())
    }
}
