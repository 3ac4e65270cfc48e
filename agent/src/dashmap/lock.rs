//! The lock of a shard: dashmap's own, recorded.
use super::original;
use crate::clock::ticks;
use crate::key::salted;
use crate::lock::Access::{self, Exclusive, Shared};
use crate::lock::{Original, Recorded};
use crate::recorder::{Site, emit};
use lock_api::{RawRwLock as Raw, RawRwLockDowngrade};
use lock_api_0_4 as lock_api;
use lockprof_trace::{Event, Kind};
use std::panic::Location;

/// A read-write lock around a shard's table.
pub type RwLock<T> = lock_api::RwLock<RawRwLock, T>;
/// Read guard of a shard.
pub type RwLockReadGuard<'a, T> = lock_api::RwLockReadGuard<'a, RawRwLock, T>;
/// Write guard of a shard.
pub type RwLockWriteGuard<'a, T> = lock_api::RwLockWriteGuard<'a, RawRwLock, T>;
/// dashmap's raw read-write lock, recorded.
pub type RawRwLock = Recorded<original::RawRwLock>;

impl Original for original::RawRwLock {
    const KIND: Kind = Kind::DashMap;
}

impl RawRwLock {
    /// `key` is the hash of the key that it is taken for, if it is for one.
    #[inline(always)]
    fn lock_shared_at(&self, site: Site, key: Option<u64>) {
        // Where nothing is recorded it is the original's own way.
        let id = self.id_at(site);
        if id == 0 {
            return self.raw().lock_shared();
        }
        let attempt = || self.raw().try_lock_shared().then_some(());
        self.take_for(key, id, Shared, site, attempt, || self.raw().lock_shared());
    }

    #[inline(always)]
    fn lock_exclusive_at(&self, site: Site, key: Option<u64>) {
        // Where nothing is recorded it is the original's own way.
        let id = self.id_at(site);
        if id == 0 {
            return self.raw().lock_exclusive();
        }
        let attempt = || self.raw().try_lock_exclusive().then_some(());
        self.take_for(key, id, Exclusive, site, attempt, || self.raw().lock_exclusive());
    }

    /// Takes it as `attempt` does, else as `block` does.
    #[inline(always)]
    fn take_for<G>(
        &self,
        key: Option<u64>,
        id: u32,
        access: Access,
        site: Site,
        attempt: impl FnOnce() -> Option<G>,
        block: impl FnOnce() -> G,
    ) -> Option<G> {
        match key {
            Some(hash) => Some(self.take(id, access, site, attempt, || self.block(hash, block))),
            // Who goes through a map holds one shard while it takes the next one: that says nothing of the program.
            None => self.take_or_wait(access, site, attempt(), || Some(block())),
        }
    }

    /// Blocks, and tells for the key with which hash.
    fn block<G>(&self, hash: u64, block: impl FnOnce() -> G) -> G {
        let begin = ticks();
        let got = block();
        let at = ticks();
        let key = salted(&hash) & u64::from(u32::MAX);
        emit(&Event::KeyWait { at, ticks: at.saturating_sub(begin), object: self.id().into(), key });
        got
    }
}

// SAFETY: the original keeps what the trait asks for; the recording only writes beside it.
unsafe impl Raw for Recorded<original::RawRwLock> {
    #[allow(clippy::declare_interior_mutable_const)]
    const INIT: Self = Self::unknown(original::RawRwLock::INIT);
    type GuardMarker = <original::RawRwLock as Raw>::GuardMarker;

    #[inline(always)]
    #[track_caller]
    fn lock_shared(&self) {
        self.lock_shared_at(Location::caller(), None);
    }

    #[inline(always)]
    #[track_caller]
    fn try_lock_shared(&self) -> bool {
        let got = self.raw().try_lock_shared();
        if got {
            self.acquired(Shared, Location::caller());
        }
        got
    }

    #[inline(always)]
    unsafe fn unlock_shared(&self) {
        self.releasing(Shared);
        // SAFETY: the caller holds the lock as a reader.
        unsafe { self.raw().unlock_shared() }
    }

    #[inline(always)]
    #[track_caller]
    fn lock_exclusive(&self) {
        self.lock_exclusive_at(Location::caller(), None);
    }

    #[inline(always)]
    #[track_caller]
    fn try_lock_exclusive(&self) -> bool {
        let got = self.raw().try_lock_exclusive();
        if got {
            self.acquired(Exclusive, Location::caller());
        }
        got
    }

    #[inline(always)]
    unsafe fn unlock_exclusive(&self) {
        self.releasing(Exclusive);
        // SAFETY: the caller holds the lock as the writer.
        unsafe { self.raw().unlock_exclusive() }
    }
}

// SAFETY: as above.
unsafe impl RawRwLockDowngrade for Recorded<original::RawRwLock> {
    #[inline]
    #[track_caller]
    unsafe fn downgrade(&self) {
        self.changed(Exclusive, Shared, Location::caller());
        // SAFETY: the caller holds the lock as the writer.
        unsafe { self.raw().downgrade() }
    }
}

/// A shard around this table, of a map that was made at `site`.
pub(super) fn shard<T>(site: Site, table: T) -> RwLock<T> {
    RwLock::from_raw(Recorded::at(site, original::RawRwLock::INIT), table)
}

/// Locks a shard for reading, for who called at `site`.
#[inline(always)]
pub(super) fn read_at<T>(shard: &RwLock<T>, site: Site) -> RwLockReadGuard<'_, T> {
    read(shard, site, None)
}

/// Locks a shard for writing, for who called at `site`.
#[inline(always)]
pub(super) fn write_at<T>(shard: &RwLock<T>, site: Site) -> RwLockWriteGuard<'_, T> {
    write(shard, site, None)
}

/// Locks the shard of the key with this hash for reading.
#[inline(always)]
#[track_caller]
pub(super) fn read_for<T>(shard: &RwLock<T>, hash: u64) -> RwLockReadGuard<'_, T> {
    read(shard, Location::caller(), Some(hash))
}

/// Locks the shard of the key with this hash for writing.
#[inline(always)]
#[track_caller]
pub(super) fn write_for<T>(shard: &RwLock<T>, hash: u64) -> RwLockWriteGuard<'_, T> {
    write(shard, Location::caller(), Some(hash))
}

#[inline(always)]
fn read<T>(shard: &RwLock<T>, site: Site, key: Option<u64>) -> RwLockReadGuard<'_, T> {
    // SAFETY: the raw lock is taken, and the guard gives it back.
    unsafe {
        shard.raw().lock_shared_at(site, key);
        shard.make_read_guard_unchecked()
    }
}

#[inline(always)]
fn write<T>(shard: &RwLock<T>, site: Site, key: Option<u64>) -> RwLockWriteGuard<'_, T> {
    // SAFETY: the raw lock is taken, and the guard gives it back.
    unsafe {
        shard.raw().lock_exclusive_at(site, key);
        shard.make_write_guard_unchecked()
    }
}

/// A key is put into the shard.
#[inline(always)]
pub(super) fn inserted<T>(shard: &RwLockWriteGuard<'_, T>) {
    count(shard, 2);
}

/// A key is taken out of the shard.
#[inline(always)]
pub(super) fn removed<T>(shard: &RwLockWriteGuard<'_, T>) {
    count(shard, 3);
}

#[inline(always)]
fn count<T>(shard: &RwLockWriteGuard<'_, T>, offset: u32) {
    // SAFETY: the raw lock is not unlocked.
    unsafe { RwLockWriteGuard::rwlock(shard).raw() }.count(offset);
}
