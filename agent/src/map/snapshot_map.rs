//! `SnapshotMap`: a map that is read much and written seldom. Readers have a whole map that nobody changes any more;
//! writers copy it, change the copy and publish that.
use super::locked::{Locked, Write};
use super::meter::Site;
use arc_swap::{ArcSwap, Guard};
use lockprof_trace::Kind;
use std::borrow::Borrow;
use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasher, Hash, RandomState};
use std::ops::Deref;
use std::panic::Location;
use std::sync::Arc;

/// A map for many readers: each look-up, and each pass over all of it, is of one version, and waits for nobody.
///
/// A write copies the whole map, so that it is for what is read far more often than written: configuration, routes,
/// rates. Writers wait for each other under a recorded lock; reads are counted.
///
/// ```
/// use lockprof::map::SnapshotMap;
///
/// let limits = SnapshotMap::from([("upload", 10), ("download", 100)]);
/// let before = limits.load();
/// limits.update(|limits| limits.values_mut().for_each(|limit| *limit *= 2));
/// // Whoever goes through all of it sees one version: the old one, or the new one.
/// assert_eq!((before["upload"], before["download"]), (10, 100));
/// assert_eq!((limits.get("upload"), limits.load().version()), (Some(20), before.version() + 1));
/// ```
pub struct SnapshotMap<K, V, S = RandomState> {
    writers: Locked<()>,
    current: ArcSwap<Version<K, V, S>>,
}

/// One version of a [`SnapshotMap`]: a `HashMap` to look at, for as long as one likes.
pub struct Snapshot<K, V, S = RandomState>(Arc<Version<K, V, S>>);

struct Version<K, V, S> {
    number: u64,
    map: HashMap<K, V, S>,
}

impl<K, V, S> Snapshot<K, V, S> {
    /// Its version: how often something was published before.
    pub fn version(&self) -> u64 {
        self.0.number
    }
}

impl<K, V, S> Clone for Snapshot<K, V, S> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<K, V, S> Deref for Snapshot<K, V, S> {
    type Target = HashMap<K, V, S>;

    #[inline]
    fn deref(&self) -> &Self::Target {
        &self.0.map
    }
}

impl<K: fmt::Debug, V: fmt::Debug, S> fmt::Debug for Snapshot<K, V, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map.fmt(f)
    }
}

impl<K, V> SnapshotMap<K, V> {
    /// An empty map. Reports name the caller's line.
    #[must_use]
    #[track_caller]
    pub fn new() -> Self {
        Self::with_hasher(RandomState::new())
    }
}

impl<K, V, S> SnapshotMap<K, V, S> {
    /// An empty map with this hasher.
    #[must_use]
    #[track_caller]
    pub fn with_hasher(hasher: S) -> Self {
        HashMap::with_hasher(hasher).into()
    }

    /// The map as it is now, whole.
    #[inline]
    pub fn load(&self) -> Snapshot<K, V, S> {
        self.writers.meter().read();
        Snapshot(self.current.load_full())
    }

    /// The same for a moment, which costs less.
    #[inline]
    fn look(&self) -> Guard<Arc<Version<K, V, S>>> {
        self.writers.meter().read();
        self.current.load()
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.look().map.len()
    }

    /// Whether there are no keys.
    pub fn is_empty(&self) -> bool {
        self.look().map.is_empty()
    }

    /// How often something was published.
    pub fn version(&self) -> u64 {
        self.look().number
    }

    /// Publishes this map in the place of what is there; returns that.
    #[track_caller]
    pub fn replace(&self, map: HashMap<K, V, S>) -> Snapshot<K, V, S> {
        let _writing = self.write(Location::caller());
        let number = self.current.load().number + 1;
        Snapshot(self.current.swap(Arc::new(Version { number, map })))
    }

    fn write(&self, site: Site) -> Write<'_, ()> {
        self.writers.write(site)
    }

    /// The map of the newest version: it is taken out of its snapshot where nobody else has that, else copied.
    pub fn into_inner(self) -> HashMap<K, V, S>
    where
        K: Clone,
        V: Clone,
        S: Clone,
    {
        match Arc::try_unwrap(self.current.into_inner()) {
            Ok(version) => version.map,
            Err(shared) => shared.map.clone(),
        }
    }
}

impl<K: Eq + Hash, V, S: BuildHasher> SnapshotMap<K, V, S> {
    /// A copy of a key's value.
    #[inline]
    pub fn get<Q>(&self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
        V: Clone,
    {
        self.look().map.get(key).cloned()
    }

    /// What `look` makes of a key's value.
    #[inline]
    pub fn with<Q, R>(&self, key: &Q, look: impl FnOnce(&V) -> R) -> Option<R>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        self.look().map.get(key).map(look)
    }

    /// Whether the key is there.
    #[inline]
    pub fn contains_key<Q>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        self.look().map.contains_key(key)
    }

    /// Changes a copy and publishes it, whole; returns what `change` returns. Other writers wait meanwhile, so one that
    /// comes back to the same map to write blocks for ever. Where `change` panics nothing is published.
    #[track_caller]
    pub fn update<R>(&self, change: impl FnOnce(&mut HashMap<K, V, S>) -> R) -> R
    where
        K: Clone,
        V: Clone,
        S: Clone,
    {
        let writing = self.write(Location::caller());
        self.publish(writing, change)
    }

    /// Puts a value in; returns the one that it replaces. Several at a time are better put in by [`update`](Self::update).
    #[track_caller]
    pub fn insert(&self, key: K, value: V) -> Option<V>
    where
        K: Clone,
        V: Clone,
        S: Clone,
    {
        let writing = self.write(Location::caller());
        writing.meter.inserted(1);
        self.publish(writing, |map| map.insert(key, value))
    }

    /// Takes a key out; returns its value. Where it is not there nothing is published.
    #[track_caller]
    pub fn remove<Q>(&self, key: &Q) -> Option<V>
    where
        K: Borrow<Q> + Clone,
        Q: Eq + Hash + ?Sized,
        V: Clone,
        S: Clone,
    {
        let writing = self.write(Location::caller());
        if !self.current.load().map.contains_key(key) {
            return None;
        }
        writing.meter.removed(1);
        self.publish(writing, |map| map.remove(key))
    }

    fn publish<R>(&self, writing: Write<'_, ()>, change: impl FnOnce(&mut HashMap<K, V, S>) -> R) -> R
    where
        K: Clone,
        V: Clone,
        S: Clone,
    {
        let current = self.current.load();
        let (number, mut map) = (current.number + 1, current.map.clone());
        let result = change(&mut map);
        let before = self.current.swap(Arc::new(Version { number, map }));
        drop(writing);
        // Nobody has to wait until the old version is dropped.
        drop(before);
        result
    }
}

impl<K, V, S> From<HashMap<K, V, S>> for SnapshotMap<K, V, S> {
    #[track_caller]
    fn from(map: HashMap<K, V, S>) -> Self {
        let first = Version { number: 0, map };
        Self { writers: Locked::new(Kind::SnapshotMap, ()), current: ArcSwap::from_pointee(first) }
    }
}

impl<K: Eq + Hash, V, const N: usize> From<[(K, V); N]> for SnapshotMap<K, V> {
    #[track_caller]
    fn from(entries: [(K, V); N]) -> Self {
        HashMap::from(entries).into()
    }
}

impl<K: Eq + Hash, V, S: BuildHasher + Default> FromIterator<(K, V)> for SnapshotMap<K, V, S> {
    #[track_caller]
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        HashMap::from_iter(entries).into()
    }
}

impl<K, V, S: Default> Default for SnapshotMap<K, V, S> {
    #[track_caller]
    fn default() -> Self {
        Self::with_hasher(S::default())
    }
}

impl<K: fmt::Debug, V: fmt::Debug, S> fmt::Debug for SnapshotMap<K, V, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.look().map.fmt(f)
    }
}
