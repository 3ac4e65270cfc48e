//! The traits of `DashMap`: how it is made of other things, printed, and written as an operator.
use super::iter::{Iter, OwningIter};
use super::mapref::multiple::RefMulti;
use super::mapref::one::{Ref, RefMut};
use super::{DashMap, Map};
use std::borrow::Borrow;
use std::fmt;
use std::hash::{BuildHasher, Hash};
use std::ops::{BitAnd, BitOr, Shl, Shr, Sub};

impl<K: Eq + Hash, V, S: Default + BuildHasher + Clone> Default for DashMap<K, V, S> {
    #[track_caller]
    fn default() -> Self {
        Self::with_hasher(S::default())
    }
}

impl<K: Eq + Hash + fmt::Debug, V: fmt::Debug, S: BuildHasher + Clone> fmt::Debug for DashMap<K, V, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut map = f.debug_map();
        for entry in self {
            map.entry(entry.key(), entry.value());
        }
        map.finish()
    }
}

/// An operator that stands for a method.
macro_rules! operator {
    ($operator:ident $method:ident, $output:ty, |$map:ident, $key:ident| $call:expr) => {
        impl<'a, K: 'a + Eq + Hash, V: 'a, S: BuildHasher + Clone, Q> $operator<&Q> for &'a DashMap<K, V, S>
        where
            K: Borrow<Q>,
            Q: Hash + Eq + ?Sized,
        {
            type Output = $output;

            #[track_caller]
            fn $method(self, $key: &Q) -> Self::Output {
                let $map = self;
                $call
            }
        }
    };
}

operator!(Shr shr, Ref<'a, K, V>, |map, key| map._get(key).unwrap());
operator!(BitOr bitor, RefMut<'a, K, V>, |map, key| map._get_mut(key).unwrap());
operator!(Sub sub, Option<(K, V)>, |map, key| map._remove(key));
operator!(BitAnd bitand, bool, |map, key| map._contains_key(key));

impl<'a, K: 'a + Eq + Hash, V: 'a, S: BuildHasher + Clone> Shl<(K, V)> for &'a DashMap<K, V, S> {
    type Output = Option<V>;

    #[track_caller]
    fn shl(self, (key, value): (K, V)) -> Self::Output {
        self.insert(key, value)
    }
}

impl<K: Eq + Hash, V, S: BuildHasher + Clone> IntoIterator for DashMap<K, V, S> {
    type Item = (K, V);
    type IntoIter = OwningIter<K, V, S>;

    fn into_iter(self) -> Self::IntoIter {
        OwningIter::new(self)
    }
}

impl<'a, K: Eq + Hash, V, S: BuildHasher + Clone> IntoIterator for &'a DashMap<K, V, S> {
    type Item = RefMulti<'a, K, V>;
    type IntoIter = Iter<'a, K, V, S, DashMap<K, V, S>>;

    #[track_caller]
    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<K: Eq + Hash, V, S: BuildHasher + Clone> Extend<(K, V)> for DashMap<K, V, S> {
    #[track_caller]
    fn extend<I: IntoIterator<Item = (K, V)>>(&mut self, entries: I) {
        for (key, value) in entries {
            self.insert(key, value);
        }
    }
}

impl<K: Eq + Hash, V, S: BuildHasher + Clone + Default> FromIterator<(K, V)> for DashMap<K, V, S> {
    #[track_caller]
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        let mut map = DashMap::default();
        map.extend(entries);
        map
    }
}

#[cfg(feature = "arbitrary")]
impl<'a, K, V, S> arbitrary::Arbitrary<'a> for DashMap<K, V, S>
where
    K: Eq + Hash + arbitrary::Arbitrary<'a>,
    V: arbitrary::Arbitrary<'a>,
    S: Default + BuildHasher + Clone,
{
    fn arbitrary(u: &mut arbitrary::Unstructured<'a>) -> arbitrary::Result<Self> {
        u.arbitrary_iter()?.collect()
    }
}
