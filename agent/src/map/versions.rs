//! `Versions`: which version of a key's value is complete, kept beside a cache of whatever make, so that a read that
//! returns an older one is told, and a pass that finds several.
use super::locked::Locked;
use super::meter::Site;
use super::written::Written;
use lockprof_trace::Kind;
use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, RandomState};
use std::panic::Location;

/// The versions of what a program keeps in several places, as in a cache of two levels: a read is stale if it returns a
/// value older than one whose write was complete before the read began.
///
/// A key may also stand for many values that are written together, as the settings of a program: then a pass over them is
/// [torn](VersionedRead::is_torn) if it finds several versions.
///
/// Writes that overlap count as one: any of their values may be the last. It keeps a few words for each key until that is
/// [forgotten](Self::forget), and takes a lock at each begin and end: it is for finding a fault, less for production.
///
/// ```
/// use lockprof::map::{SafeMap, Versions};
///
/// let (versions, cache) = (Versions::new(), SafeMap::new());
/// let write = versions.write(&"rate");
/// cache.insert("rate", (7, write.version()));
/// write.complete();
///
/// let read = versions.read(&"rate");
/// let (rate, version) = cache.get("rate").unwrap();
/// assert_eq!((rate, read.is_stale(version)), (7, false));
/// ```
pub struct Versions<K, H = RandomState> {
    keys: Locked<HashMap<K, Writes, H>>,
}

/// The writes of one key.
struct Writes {
    /// The version that was begun last.
    last: u64,
    /// Writes that are under way.
    open: u32,
    /// The version that was begun first of those that overlap.
    first: u64,
    /// What is older than this version is stale.
    complete: u64,
    by: Option<Written>,
    /// Who began the last version.
    #[cfg_attr(not(feature = "record"), allow(dead_code))]
    began: Written,
}

/// A write that is under way. Dropped without [`complete`](Self::complete), it has failed: nobody has to see it.
#[must_use = "a write that is not completed has failed"]
pub struct VersionedWrite<'a, K: Eq + Hash, H: BuildHasher = RandomState> {
    versions: &'a Versions<K, H>,
    key: &'a K,
    version: u64,
    complete: bool,
    site: Site,
}

/// A read that is under way.
#[must_use = "what it finds is to be compared"]
#[cfg_attr(not(feature = "record"), expect(dead_code))]
pub struct VersionedRead<'a, K, H = RandomState> {
    versions: &'a Versions<K, H>,
    key: &'a K,
    complete: u64,
    by: Option<Written>,
    site: Site,
}

impl<K> Versions<K> {
    /// Of no keys yet. Reports name the caller's line.
    #[must_use]
    #[track_caller]
    pub fn new() -> Self {
        Self::default()
    }
}

impl<K, H: Default> Default for Versions<K, H> {
    #[track_caller]
    fn default() -> Self {
        Self { keys: Locked::new(Kind::Versions, HashMap::with_hasher(H::default())) }
    }
}

impl<K: Eq + Hash, H: BuildHasher> Versions<K, H> {
    /// A value of this key is about to be written, everywhere that it has to be.
    #[track_caller]
    pub fn write<'a>(&'a self, key: &'a K) -> VersionedWrite<'a, K, H>
    where
        K: Clone,
    {
        let site = Location::caller();
        let mut keys = self.keys.write(site);
        if !keys.contains_key(key) {
            keys.meter.inserted(1);
            keys.room_for_one();
        }
        let began = Written::now(site);
        let new = Writes { last: 0, open: 0, first: 0, complete: 0, by: None, began };
        let writes = keys.entry(key.clone()).or_insert(new);
        writes.last += 1;
        writes.began = began;
        if writes.open == 0 {
            writes.first = writes.last;
        }
        writes.open += 1;
        VersionedWrite { versions: self, key, version: writes.last, complete: false, site }
    }

    /// The value of this key is about to be read.
    #[track_caller]
    pub fn read<'a>(&'a self, key: &'a K) -> VersionedRead<'a, K, H> {
        let site = Location::caller();
        let (complete, by) =
            self.keys.read(site).get(key).map_or((0, None), |writes| (writes.complete, writes.by));
        VersionedRead { versions: self, key, complete, by, site }
    }

    /// The key is of no interest any more: nobody writes it now, and no value of it is left.
    #[track_caller]
    pub fn forget(&self, key: &K) {
        let mut keys = self.keys.write(Location::caller());
        keys.meter.removed(usize::from(keys.contains_key(key)));
        keys.remove(key);
    }
}

impl<K: Eq + Hash, H: BuildHasher> VersionedWrite<'_, K, H> {
    /// The version of the value, to be stored with it: from 1, and greater than all before.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// The value is everywhere that it has to be: whoever begins to read from now on has to see it.
    pub fn complete(mut self) {
        self.complete = true;
    }
}

impl<K: Eq + Hash, H: BuildHasher> Drop for VersionedWrite<'_, K, H> {
    fn drop(&mut self) {
        let mut keys = self.versions.keys.write(self.site);
        let Some(writes) = keys.get_mut(self.key) else { return };
        if self.complete && writes.complete < writes.first {
            writes.complete = writes.first;
            writes.by = Some(Written::now(self.site));
        }
        writes.open = writes.open.saturating_sub(1);
    }
}

impl<K: Eq + Hash, H: BuildHasher> VersionedRead<'_, K, H> {
    /// Whether a value of this version, which was found, is stale; that is recorded.
    pub fn is_stale(&self, version: u64) -> bool {
        let stale = version < self.complete;
        if stale {
            self.tell_stale(version);
        }
        stale
    }

    /// Whether these versions, which one pass over values that are written together has found, are not all the same; that is
    /// recorded.
    ///
    /// ```
    /// use lockprof::map::Versions;
    ///
    /// let versions = Versions::new();
    /// let mut settings = [("host", 0), ("port", 0)];
    /// let write = versions.write(&"settings");
    /// settings[0].1 = write.version();
    /// // Who goes through them now finds one that is new, and one that is old.
    /// let read = versions.read(&"settings");
    /// assert!(read.is_torn(settings.map(|(_, version)| version)));
    /// ```
    pub fn is_torn(&self, found: impl IntoIterator<Item = u64>) -> bool {
        let mut found = found.into_iter();
        let Some(first) = found.next() else { return false };
        let (oldest, newest) =
            found.fold((first, first), |(oldest, newest), next| (oldest.min(next), newest.max(next)));
        if oldest != newest {
            self.tell_torn(oldest, newest);
        }
        oldest != newest
    }
}

#[cfg(feature = "record")]
mod on {
    use super::{VersionedRead, Versions};
    use crate::key::salted;
    use crate::recorder::{emit, party, site_of};
    use lockprof_trace::{Event, Party};
    use std::hash::{BuildHasher, Hash};
    use std::panic::Location;

    impl<K: Eq + Hash, H: BuildHasher> VersionedRead<'_, K, H> {
        #[cold]
        pub(super) fn tell_stale(&self, version: u64) {
            let object = self.versions.object();
            if object != 0 {
                emit(&Event::StaleRead {
                    at: crate::clock::ticks(),
                    object,
                    key: salted(self.key),
                    party: party(),
                    site: site_of(self.site),
                    version,
                    latest: self.complete,
                    writer: self.by.map_or(Party::UNKNOWN, |by| by.party),
                    writer_site: self.by.map_or(0, |by| site_of(by.site)),
                    written: self.by.map_or(0, |by| by.at),
                });
            }
        }

        #[cold]
        pub(super) fn tell_torn(&self, oldest: u64, newest: u64) {
            let object = self.versions.object();
            if object != 0 {
                let by = self.versions.began(self.key, newest, self.site);
                emit(&Event::TornRead {
                    at: crate::clock::ticks(),
                    object,
                    key: salted(self.key),
                    party: party(),
                    site: site_of(self.site),
                    oldest,
                    newest,
                    writer: by.map_or(Party::UNKNOWN, |by| by.party),
                    writer_site: by.map_or(0, |by| site_of(by.site)),
                    written: by.map_or(0, |by| by.at),
                });
            }
        }
    }

    impl<K: Eq + Hash, H: BuildHasher> Versions<K, H> {
        fn object(&self) -> u64 {
            self.keys.meter().id(0).into()
        }

        /// Who began this version, where none was begun since.
        fn began(&self, key: &K, version: u64, site: &'static Location<'static>) -> Option<super::Written> {
            self.keys.read(site).get(key).filter(|writes| writes.last == version).map(|writes| writes.began)
        }
    }
}

#[cfg(not(feature = "record"))]
impl<K, H> VersionedRead<'_, K, H> {
    fn tell_stale(&self, _: u64) {}

    fn tell_torn(&self, _: u64, _: u64) {}
}
