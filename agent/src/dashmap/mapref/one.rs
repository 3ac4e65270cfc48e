//! References to one entry.
use crate::dashmap::{RwLockReadGuard, RwLockWriteGuard, Table};
use std::fmt;
use std::hash::Hash;
use std::ops::{Deref, DerefMut};

/// A reference to an entry: its shard is held for reading.
pub struct Ref<'a, K, V> {
    _guard: RwLockReadGuard<'a, Table<K, V>>,
    k: *const K,
    v: *const V,
}

/// A mutable reference to an entry: its shard is held for writing.
pub struct RefMut<'a, K, V> {
    _guard: RwLockWriteGuard<'a, Table<K, V>>,
    k: *const K,
    v: *mut V,
}

/// A reference to a part of an entry's value.
pub struct MappedRef<'a, K, V, T> {
    _guard: RwLockReadGuard<'a, Table<K, V>>,
    k: *const K,
    v: *const T,
}

/// A mutable reference to a part of an entry's value.
pub struct MappedRefMut<'a, K, V, T> {
    _guard: RwLockWriteGuard<'a, Table<K, V>>,
    k: *const K,
    v: *mut T,
}

access!([V] Ref<'_, K, V> => V);
access!(mut [V] RefMut<'_, K, V> => V);
access!([V, T] MappedRef<'_, K, V, T> => T);
access!(mut [V, T] MappedRefMut<'_, K, V, T> => T);

map!([V] Ref => V, MappedRef, []);
map!([V] RefMut => V, MappedRefMut, [mut]);
map!([V, T] MappedRef => T, MappedRef, []);
map!([V, T] MappedRefMut => T, MappedRefMut, [mut]);

debug!([V] Ref, V);
debug!([V] RefMut, V);
debug!([V, T] MappedRef, T);
debug!([V, T] MappedRefMut, T);

// SAFETY: as in dashmap.
unsafe impl<K: Eq + Hash + Sync, V: Sync> Send for Ref<'_, K, V> {}
// SAFETY: as in dashmap.
unsafe impl<K: Eq + Hash + Sync, V: Sync> Sync for Ref<'_, K, V> {}
// SAFETY: as in dashmap.
unsafe impl<K: Eq + Hash + Sync, V: Sync> Send for RefMut<'_, K, V> {}
// SAFETY: as in dashmap.
unsafe impl<K: Eq + Hash + Sync, V: Sync> Sync for RefMut<'_, K, V> {}

impl<'a, K: Eq + Hash, V> Ref<'a, K, V> {
    /// # Safety
    /// Key and value are of this shard.
    pub(crate) unsafe fn new(guard: RwLockReadGuard<'a, Table<K, V>>, k: *const K, v: *const V) -> Self {
        Self { _guard: guard, k, v }
    }
}

impl<'a, K: Eq + Hash, V> RefMut<'a, K, V> {
    /// # Safety
    /// Key and value are of this shard.
    pub(crate) unsafe fn new(guard: RwLockWriteGuard<'a, Table<K, V>>, k: *const K, v: *mut V) -> Self {
        Self { _guard: guard, k, v }
    }

    /// Lets readers in: the shard is held for reading from now on.
    #[track_caller]
    pub fn downgrade(self) -> Ref<'a, K, V> {
        // SAFETY: key and value are of this shard.
        unsafe { Ref::new(RwLockWriteGuard::downgrade(self._guard), self.k, self.v) }
    }
}

impl<K: Eq + Hash, V, T: fmt::Display> fmt::Display for MappedRef<'_, K, V, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value().fmt(f)
    }
}

impl<K: Eq + Hash, V, T: AsRef<TDeref>, TDeref: ?Sized> AsRef<TDeref> for MappedRef<'_, K, V, T> {
    fn as_ref(&self) -> &TDeref {
        self.value().as_ref()
    }
}
