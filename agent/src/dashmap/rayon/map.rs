//! Parallel iterators over a map: its shards in parallel, each of them in sequence.
use crate::dashmap::lock::{read_at, write_at};
use crate::dashmap::mapref::multiple::{RefMulti, RefMutMulti};
use crate::dashmap::{DashMap, Shard};
use crate::recorder::Site;
use rayon::iter::plumbing::UnindexedConsumer;
use rayon::iter::{FromParallelIterator, IntoParallelIterator, ParallelExtend, ParallelIterator};
use std::hash::{BuildHasher, Hash};
use std::panic::Location;
use std::sync::Arc;

impl<K, V, S> ParallelExtend<(K, V)> for DashMap<K, V, S>
where
    K: Send + Sync + Eq + Hash,
    V: Send + Sync,
    S: Send + Sync + Clone + BuildHasher,
{
    fn par_extend<I: IntoParallelIterator<Item = (K, V)>>(&mut self, entries: I) {
        (&*self).par_extend(entries);
    }
}

impl<K, V, S> ParallelExtend<(K, V)> for &'_ DashMap<K, V, S>
where
    K: Send + Sync + Eq + Hash,
    V: Send + Sync,
    S: Send + Sync + Clone + BuildHasher,
{
    fn par_extend<I: IntoParallelIterator<Item = (K, V)>>(&mut self, entries: I) {
        let &mut map = self;
        entries.into_par_iter().for_each(move |(key, value)| {
            map.insert(key, value);
        });
    }
}

impl<K, V, S> FromParallelIterator<(K, V)> for DashMap<K, V, S>
where
    K: Send + Sync + Eq + Hash,
    V: Send + Sync,
    S: Send + Sync + Clone + Default + BuildHasher,
{
    #[track_caller]
    fn from_par_iter<I: IntoParallelIterator<Item = (K, V)>>(entries: I) -> Self {
        let map = Self::default();
        (&map).par_extend(entries);
        map
    }
}

impl<K, V, S> IntoParallelIterator for DashMap<K, V, S>
where
    K: Send + Eq + Hash,
    V: Send,
    S: Send + Clone + BuildHasher,
{
    type Iter = OwningIter<K, V>;
    type Item = (K, V);

    fn into_par_iter(self) -> Self::Iter {
        OwningIter { shards: self.shards }
    }
}

/// Parallel iterator over a map that is consumed.
pub struct OwningIter<K, V> {
    pub(super) shards: Box<[Shard<K, V>]>,
}

impl<K: Send + Eq + Hash, V: Send> ParallelIterator for OwningIter<K, V> {
    type Item = (K, V);

    fn drive_unindexed<C: UnindexedConsumer<Self::Item>>(self, consumer: C) -> C::Result {
        Vec::from(self.shards)
            .into_par_iter()
            .flat_map_iter(|shard| {
                shard.into_inner().into_inner().into_iter().map(|(k, v)| (k, v.into_inner()))
            })
            .drive_unindexed(consumer)
    }
}

impl<'a, K, V, S> IntoParallelIterator for &'a DashMap<K, V, S>
where
    K: Send + Sync + Eq + Hash,
    V: Send + Sync,
    S: Send + Sync + Clone + BuildHasher,
{
    type Iter = Iter<'a, K, V>;
    type Item = RefMulti<'a, K, V>;

    #[track_caller]
    fn into_par_iter(self) -> Self::Iter {
        Iter { shards: &self.shards, site: Location::caller() }
    }
}

/// Parallel iterator over references to the entries of a map.
pub struct Iter<'a, K, V> {
    pub(super) shards: &'a [Shard<K, V>],
    pub(super) site: Site,
}

impl<'a, K: Send + Sync + Eq + Hash, V: Send + Sync> ParallelIterator for Iter<'a, K, V> {
    type Item = RefMulti<'a, K, V>;

    fn drive_unindexed<C: UnindexedConsumer<Self::Item>>(self, consumer: C) -> C::Result {
        let site = self.site;
        self.shards
            .into_par_iter()
            .flat_map_iter(|shard| {
                let guard = Arc::new(read_at(shard, site));
                // SAFETY: the guard goes with the iterator, and with each reference.
                unsafe { guard.iter() }.map(move |bucket| unsafe {
                    let (k, v) = bucket.as_ref();
                    RefMulti::new(Arc::clone(&guard), k, v.get())
                })
            })
            .drive_unindexed(consumer)
    }
}

impl<'a, K: Send + Sync + Eq + Hash, V: Send + Sync> IntoParallelIterator for &'a mut DashMap<K, V> {
    type Iter = IterMut<'a, K, V>;
    type Item = RefMutMulti<'a, K, V>;

    #[track_caller]
    fn into_par_iter(self) -> Self::Iter {
        self.par_iter_mut()
    }
}

impl<K: Send + Sync + Eq + Hash, V: Send + Sync, S> DashMap<K, V, S> {
    /// A parallel iterator over mutable references, which needs no mutable map.
    #[track_caller]
    pub fn par_iter_mut(&self) -> IterMut<'_, K, V> {
        IterMut { shards: &self.shards, site: Location::caller() }
    }
}

/// Parallel iterator over mutable references to the entries of a map.
pub struct IterMut<'a, K, V> {
    shards: &'a [Shard<K, V>],
    site: Site,
}

impl<'a, K: Send + Sync + Eq + Hash, V: Send + Sync> ParallelIterator for IterMut<'a, K, V> {
    type Item = RefMutMulti<'a, K, V>;

    fn drive_unindexed<C: UnindexedConsumer<Self::Item>>(self, consumer: C) -> C::Result {
        let site = self.site;
        self.shards
            .into_par_iter()
            .flat_map_iter(|shard| {
                let guard = Arc::new(write_at(shard, site));
                // SAFETY: the guard goes with the iterator, and with each reference; each bucket is met once.
                unsafe { guard.iter() }.map(move |bucket| unsafe {
                    let (k, v) = bucket.as_mut();
                    RefMutMulti::new(Arc::clone(&guard), k, v.get_mut())
                })
            })
            .drive_unindexed(consumer)
    }
}
