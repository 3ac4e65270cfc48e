//! What lies under a map's lock, and who reads, writes and waits for it. A panic under the lock does not poison it.
use super::meter::{Held, Meter, Site};
use lockprof_trace::Kind;
use std::collections::HashMap;
use std::hash::{BuildHasher, Hash};
use std::ops::{Deref, DerefMut};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, TryLockError};

/// Something under a recorded read-write lock.
pub(super) struct Locked<T> {
    meter: Meter,
    lock: RwLock<T>,
}

/// It is locked for reading.
pub(super) struct Read<'a, T> {
    // Dropped first: off the held list, then unlocked.
    _held: Held,
    data: RwLockReadGuard<'a, T>,
}

/// It is locked for writing.
pub(super) struct Write<'a, T> {
    // Dropped first: off the held list, then unlocked.
    _held: Held,
    pub(super) meter: &'a Meter,
    pub(super) site: Site,
    data: RwLockWriteGuard<'a, T>,
}

impl<T> Locked<T> {
    #[track_caller]
    pub(super) const fn new(kind: Kind, data: T) -> Self {
        Self { meter: Meter::new(kind), lock: RwLock::new(data) }
    }

    #[inline(always)]
    pub(super) fn read(&self, site: Site) -> Read<'_, T> {
        let data = match self.lock.try_read() {
            Ok(data) => data,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => {
                self.meter.wait_to_read(site, || self.lock.read().unwrap_or_else(PoisonError::into_inner))
            }
        };
        Read { _held: self.meter.reading(site), data }
    }

    #[inline(always)]
    pub(super) fn write(&self, site: Site) -> Write<'_, T> {
        let data = match self.lock.try_write() {
            Ok(data) => data,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => {
                self.meter.wait_to_write(site, || self.lock.write().unwrap_or_else(PoisonError::into_inner))
            }
        };
        Write { _held: self.meter.writing(site), meter: &self.meter, site, data }
    }

    pub(super) fn meter(&self) -> &Meter {
        &self.meter
    }

    pub(super) fn get_mut(&mut self) -> &mut T {
        self.lock.get_mut().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn into_inner(self) -> T {
        self.lock.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Eq + Hash, V, S: BuildHasher> Write<'_, HashMap<K, V, S>> {
    /// Makes room for a key. Where there is none left the map moves, and that is told apart from what is put in.
    #[inline(always)]
    pub(super) fn room_for_one(&mut self) {
        if self.data.len() == self.data.capacity() {
            self.moving(|map| map.reserve(1));
        }
    }

    /// Does what may move the map to more room, or to less.
    #[cold]
    #[inline(never)]
    pub(super) fn moving(&mut self, act: impl FnOnce(&mut HashMap<K, V, S>)) {
        let (keys, room) = (self.data.len(), self.data.capacity());
        let began = self.meter.moving(keys);
        act(&mut self.data);
        if self.data.capacity() != room {
            self.meter.moved(began, self.site, [keys, room, self.data.capacity()], size_of::<(K, V)>());
        }
    }
}

impl<T> Deref for Read<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.data
    }
}

impl<T> Deref for Write<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.data
    }
}

impl<T> DerefMut for Write<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        &mut self.data
    }
}
