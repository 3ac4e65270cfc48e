//! References that an iterator yields: all of one shard hold it together.
use crate::dashmap::{RwLockReadGuard, RwLockWriteGuard, Table};
use std::hash::Hash;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

/// A reference to an entry, of an iterator.
pub struct RefMulti<'a, K, V> {
    _guard: Arc<RwLockReadGuard<'a, Table<K, V>>>,
    k: *const K,
    v: *const V,
}

/// A mutable reference to an entry, of an iterator.
pub struct RefMutMulti<'a, K, V> {
    _guard: Arc<RwLockWriteGuard<'a, Table<K, V>>>,
    k: *const K,
    v: *mut V,
}

impl<'a, K: Eq + Hash, V> RefMulti<'a, K, V> {
    /// # Safety
    /// Key and value are of this shard.
    pub(crate) unsafe fn new(guard: Arc<RwLockReadGuard<'a, Table<K, V>>>, k: *const K, v: *const V) -> Self {
        Self { _guard: guard, k, v }
    }
}

impl<'a, K: Eq + Hash, V> RefMutMulti<'a, K, V> {
    /// # Safety
    /// Key and value are of this shard, and no other reference leads to the value.
    pub(crate) unsafe fn new(guard: Arc<RwLockWriteGuard<'a, Table<K, V>>>, k: *const K, v: *mut V) -> Self {
        Self { _guard: guard, k, v }
    }
}

access!([V] RefMulti<'_, K, V> => V);
access!(mut [V] RefMutMulti<'_, K, V> => V);

// SAFETY: as in dashmap.
unsafe impl<K: Eq + Hash + Sync, V: Sync> Send for RefMulti<'_, K, V> {}
// SAFETY: as in dashmap.
unsafe impl<K: Eq + Hash + Sync, V: Sync> Sync for RefMulti<'_, K, V> {}
// SAFETY: as in dashmap.
unsafe impl<K: Eq + Hash + Sync, V: Sync> Send for RefMutMulti<'_, K, V> {}
// SAFETY: as in dashmap.
unsafe impl<K: Eq + Hash + Sync, V: Sync> Sync for RefMutMulti<'_, K, V> {}
