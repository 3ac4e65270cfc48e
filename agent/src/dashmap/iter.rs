//! Iterators over a map: shard by shard, each held while its entries are looked at.
use super::mapref::multiple::{RefMulti, RefMutMulti};
use super::{DashMap, Map, RwLockReadGuard, RwLockWriteGuard, SharedValue, Table};
use crate::recorder::Site;
use hashbrown::raw::{RawIntoIter, RawIter};
use std::hash::{BuildHasher, Hash, RandomState};
use std::marker::PhantomData;
use std::mem;
use std::sync::Arc;

/// Iterator over a map that is consumed.
pub struct OwningIter<K, V, S = RandomState> {
    map: DashMap<K, V, S>,
    shard_i: usize,
    current: Option<RawIntoIter<(K, SharedValue<V>)>>,
}

impl<K: Eq + Hash, V, S: BuildHasher + Clone> OwningIter<K, V, S> {
    pub(crate) fn new(map: DashMap<K, V, S>) -> Self {
        Self { map, shard_i: 0, current: None }
    }
}

impl<K: Eq + Hash, V, S: BuildHasher + Clone> Iterator for OwningIter<K, V, S> {
    type Item = (K, V);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some((k, v)) = self.current.as_mut().and_then(Iterator::next) {
                return Some((k, v.into_inner()));
            }
            // There is nobody else: no lock is taken.
            let table = mem::take(self.map.shards.get_mut(self.shard_i)?.get_mut());
            self.current = Some(table.into_iter());
            self.shard_i += 1;
        }
    }
}

// SAFETY: as in dashmap.
unsafe impl<K, V, S> Send for OwningIter<K, V, S>
where
    K: Eq + Hash + Send,
    V: Send,
    S: BuildHasher + Clone + Send,
{
}

// SAFETY: as in dashmap.
unsafe impl<K, V, S> Sync for OwningIter<K, V, S>
where
    K: Eq + Hash + Sync,
    V: Sync,
    S: BuildHasher + Clone + Sync,
{
}

/// An iterator over references, `$guard`s of its shards.
macro_rules! iterator {
    ($(#[$doc:meta])* $name:ident, $guard:ident, $lock:ident, $item:ident, |$bucket:ident| $pair:expr) => {
        $(#[$doc])*
        pub struct $name<'a, K, V, S = RandomState, M = DashMap<K, V, S>> {
            map: &'a M,
            site: Site,
            shard_i: usize,
            current: Option<(Arc<$guard<'a, Table<K, V>>>, RawIter<(K, SharedValue<V>)>)>,
            marker: PhantomData<S>,
        }

        // SAFETY: as in dashmap.
        unsafe impl<'a, K, V, S, M> Send for $name<'_, K, V, S, M>
        where
            K: 'a + Eq + Hash + Send,
            V: 'a + Send,
            S: 'a + BuildHasher + Clone,
            M: Map<'a, K, V, S>,
        {
        }

        // SAFETY: as in dashmap.
        unsafe impl<'a, K, V, S, M> Sync for $name<'_, K, V, S, M>
        where
            K: 'a + Eq + Hash + Sync,
            V: 'a + Sync,
            S: 'a + BuildHasher + Clone,
            M: Map<'a, K, V, S>,
        {
        }

        impl<'a, K: Eq + Hash, V, S: 'a + BuildHasher + Clone, M: Map<'a, K, V, S>> $name<'a, K, V, S, M> {
            /// Of who called at `site`.
            pub(crate) fn new(map: &'a M, site: Site) -> Self {
                Self { map, site, shard_i: 0, current: None, marker: PhantomData }
            }
        }

        impl<'a, K: Eq + Hash, V, S: 'a + BuildHasher + Clone, M: Map<'a, K, V, S>> Iterator
            for $name<'a, K, V, S, M>
        {
            type Item = $item<'a, K, V>;

            fn next(&mut self) -> Option<Self::Item> {
                loop {
                    if let Some((guard, buckets)) = &mut self.current
                        && let Some($bucket) = buckets.next()
                    {
                        // SAFETY: the bucket is full, its shard stays locked, and it is met once.
                        return unsafe {
                            let (k, v) = $pair;
                            Some($item::new(guard.clone(), k, v))
                        };
                    }
                    if self.shard_i == self.map._shard_count() {
                        return None;
                    }
                    // SAFETY: there is such a shard, and its iterator lies beside its guard.
                    self.current = unsafe {
                        let guard = self.map.$lock(self.shard_i, self.site);
                        let buckets = guard.iter();
                        Some((Arc::new(guard), buckets))
                    };
                    self.shard_i += 1;
                }
            }
        }
    };
}

iterator!(
    /// Iterator over references to the entries of a map.
    Iter, RwLockReadGuard, _read_shard_at, RefMulti, |bucket| {
        let (k, v) = bucket.as_ref();
        (k, v.get())
    }
);

iterator!(
    /// Iterator over mutable references to the entries of a map.
    IterMut, RwLockWriteGuard, _write_shard_at, RefMutMulti, |bucket| {
        let (k, v) = bucket.as_mut();
        (k, v.get_mut())
    }
);

impl<K: Clone + Hash + Eq, V: Clone, S: Clone + BuildHasher> Clone for Iter<'_, K, V, S> {
    fn clone(&self) -> Self {
        Iter::new(self.map, self.site)
    }
}
