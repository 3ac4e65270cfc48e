//! Parallel iterators over a view: those of its map.
use super::map::{Iter, OwningIter};
use crate::dashmap::ReadOnlyView;
use crate::dashmap::mapref::multiple::RefMulti;
use rayon::iter::IntoParallelIterator;
use std::hash::{BuildHasher, Hash};

impl<K, V, S> IntoParallelIterator for ReadOnlyView<K, V, S>
where
    K: Send + Eq + Hash,
    V: Send,
    S: Send + Clone + BuildHasher,
{
    type Iter = OwningIter<K, V>;
    type Item = (K, V);

    fn into_par_iter(self) -> Self::Iter {
        self.map.into_par_iter()
    }
}

impl<'a, K, V, S> IntoParallelIterator for &'a ReadOnlyView<K, V, S>
where
    K: Send + Sync + Eq + Hash,
    V: Send + Sync,
    S: Send + Sync + Clone + BuildHasher,
{
    type Iter = Iter<'a, K, V>;
    type Item = RefMulti<'a, K, V>;

    #[track_caller]
    fn into_par_iter(self) -> Self::Iter {
        (&self.map).into_par_iter()
    }
}
