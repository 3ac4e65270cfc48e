//! Parallel iterators over a set: those of its map.
use super::map;
use crate::dashmap::DashSet;
use crate::dashmap::setref::multiple::RefMulti;
use rayon::iter::plumbing::UnindexedConsumer;
use rayon::iter::{FromParallelIterator, IntoParallelIterator, ParallelExtend, ParallelIterator};
use std::hash::{BuildHasher, Hash};

impl<K, S> ParallelExtend<K> for DashSet<K, S>
where
    K: Send + Sync + Eq + Hash,
    S: Send + Sync + Clone + BuildHasher,
{
    fn par_extend<I: IntoParallelIterator<Item = K>>(&mut self, keys: I) {
        (&*self).par_extend(keys);
    }
}

impl<K, S> ParallelExtend<K> for &'_ DashSet<K, S>
where
    K: Send + Sync + Eq + Hash,
    S: Send + Sync + Clone + BuildHasher,
{
    fn par_extend<I: IntoParallelIterator<Item = K>>(&mut self, keys: I) {
        let &mut set = self;
        keys.into_par_iter().for_each(move |key| {
            set.insert(key);
        });
    }
}

impl<K, S> FromParallelIterator<K> for DashSet<K, S>
where
    K: Send + Sync + Eq + Hash,
    S: Send + Sync + Clone + Default + BuildHasher,
{
    #[track_caller]
    fn from_par_iter<I: IntoParallelIterator<Item = K>>(keys: I) -> Self {
        let set = Self::default();
        (&set).par_extend(keys);
        set
    }
}

impl<K: Send + Eq + Hash, S: Send + Clone + BuildHasher> IntoParallelIterator for DashSet<K, S> {
    type Iter = OwningIter<K>;
    type Item = K;

    fn into_par_iter(self) -> Self::Iter {
        OwningIter { inner: self.inner.into_par_iter() }
    }
}

/// Parallel iterator over a set that is consumed.
pub struct OwningIter<K> {
    inner: map::OwningIter<K, ()>,
}

impl<K: Send + Eq + Hash> ParallelIterator for OwningIter<K> {
    type Item = K;

    fn drive_unindexed<C: UnindexedConsumer<Self::Item>>(self, consumer: C) -> C::Result {
        self.inner.map(|(k, _)| k).drive_unindexed(consumer)
    }
}

impl<'a, K, S> IntoParallelIterator for &'a DashSet<K, S>
where
    K: Send + Sync + Eq + Hash,
    S: Send + Sync + Clone + BuildHasher,
{
    type Iter = Iter<'a, K>;
    type Item = RefMulti<'a, K>;

    #[track_caller]
    fn into_par_iter(self) -> Self::Iter {
        Iter { inner: (&self.inner).into_par_iter() }
    }
}

/// Parallel iterator over references to the keys of a set.
pub struct Iter<'a, K> {
    inner: map::Iter<'a, K, ()>,
}

impl<'a, K: Send + Sync + Eq + Hash> ParallelIterator for Iter<'a, K> {
    type Item = RefMulti<'a, K>;

    fn drive_unindexed<C: UnindexedConsumer<Self::Item>>(self, consumer: C) -> C::Result {
        self.inner.map(RefMulti::new).drive_unindexed(consumer)
    }
}
