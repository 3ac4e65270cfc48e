//! parking_lot 0.13, recorded: the same names, over the original's own locks.
//!
//! # Differences from `parking_lot`
//! - `Mutex`, `RwLock` and the others are types around `lock_api`'s, not aliases of them, so that each knows the line that
//!   created it. `Deref` leads to `lock_api`'s type; guards are `lock_api`'s own.
//! - A lock has a word more: where it was created, and once it is used while recording, who it is. The byte of a mutex lies in that
//!   word, so that `Mutex<u64>` is as large as the original; a read-write lock is a word larger.
mod condvar;
mod once;
mod raw_mutex;
mod raw_rwlock;

pub use self::condvar::{Condvar, RawCondvar};
pub use self::once::Once;
pub use self::raw_mutex::{RawFairMutex, RawMutex};
pub use self::raw_rwlock::{RawRwLock, RawRwLockRecursive};
pub use ::lock_api;
pub use ::lock_api::{
    ArcMutexGuard, ArcReentrantMutexGuard, ArcRwLockReadGuard, ArcRwLockUpgradableReadGuard,
    ArcRwLockWriteGuard,
};
use ::parking_lot as original;
pub use ::parking_lot::{OnceState, RawThreadId, WaitTimeoutResult};

mutex_type!(
    lock_api,
    /// A mutual exclusion primitive useful for protecting shared data: `parking_lot::Mutex`, recorded.
    Mutex, RawMutex, <original::RawMutex as lock_api::RawMutex>::INIT, MutexGuard
);
mutex_type!(
    lock_api,
    /// A mutual exclusive primitive that is always fair: `parking_lot::FairMutex`, recorded.
    FairMutex, RawFairMutex, <original::RawFairMutex as lock_api::RawMutex>::INIT, FairMutexGuard
);
reentrant_type!(
    lock_api,
    /// A mutex which can be recursively locked by a single thread: `parking_lot::ReentrantMutex`, recorded.
    ReentrantMutex, RawMutex, <original::RawMutex as lock_api::RawMutex>::INIT, RawThreadId, ReentrantMutexGuard
);
rwlock_type!(
    lock_api,
    /// A reader-writer lock: `parking_lot::RwLock`, recorded.
    RwLock, RawRwLock, <original::RawRwLock as lock_api::RawRwLock>::INIT, RwLockReadGuard, RwLockWriteGuard, RwLockUpgradableReadGuard
);
rwlock_type!(
    lock_api,
    /// A reader-writer lock which permits recursive read locking: `parking_lot::RecursiveRwLock`, recorded.
    RecursiveRwLock, RawRwLockRecursive, <original::RawRwLockRecursive as lock_api::RawRwLock>::INIT, RecursiveRwLockReadGuard,
    RecursiveRwLockWriteGuard, RecursiveRwLockUpgradableReadGuard
);

data!([const] Mutex FairMutex ReentrantMutex RwLock RecursiveRwLock);

/// Guard of a [`Mutex`].
pub type MutexGuard<'a, T> = lock_api::MutexGuard<'a, RawMutex, T>;
/// Guard of a part of a [`Mutex`]'s data.
pub type MappedMutexGuard<'a, T> = lock_api::MappedMutexGuard<'a, RawMutex, T>;
/// Guard of a [`FairMutex`].
pub type FairMutexGuard<'a, T> = lock_api::MutexGuard<'a, RawFairMutex, T>;
/// Guard of a part of a [`FairMutex`]'s data.
pub type MappedFairMutexGuard<'a, T> = lock_api::MappedMutexGuard<'a, RawFairMutex, T>;
/// Guard of a [`ReentrantMutex`].
pub type ReentrantMutexGuard<'a, T> = lock_api::ReentrantMutexGuard<'a, RawMutex, RawThreadId, T>;
/// Guard of a part of a [`ReentrantMutex`]'s data.
pub type MappedReentrantMutexGuard<'a, T> = lock_api::MappedReentrantMutexGuard<'a, RawMutex, RawThreadId, T>;
/// Read guard of an [`RwLock`].
pub type RwLockReadGuard<'a, T> = lock_api::RwLockReadGuard<'a, RawRwLock, T>;
/// Write guard of an [`RwLock`].
pub type RwLockWriteGuard<'a, T> = lock_api::RwLockWriteGuard<'a, RawRwLock, T>;
/// Read guard of a part of an [`RwLock`]'s data.
pub type MappedRwLockReadGuard<'a, T> = lock_api::MappedRwLockReadGuard<'a, RawRwLock, T>;
/// Write guard of a part of an [`RwLock`]'s data.
pub type MappedRwLockWriteGuard<'a, T> = lock_api::MappedRwLockWriteGuard<'a, RawRwLock, T>;
/// Upgradable read guard of an [`RwLock`].
pub type RwLockUpgradableReadGuard<'a, T> = lock_api::RwLockUpgradableReadGuard<'a, RawRwLock, T>;
/// Read guard of a [`RecursiveRwLock`].
pub type RecursiveRwLockReadGuard<'a, T> = lock_api::RwLockReadGuard<'a, RawRwLockRecursive, T>;
/// Write guard of a [`RecursiveRwLock`].
pub type RecursiveRwLockWriteGuard<'a, T> = lock_api::RwLockWriteGuard<'a, RawRwLockRecursive, T>;
/// Upgradable read guard of a [`RecursiveRwLock`].
pub type RecursiveRwLockUpgradableReadGuard<'a, T> =
    lock_api::RwLockUpgradableReadGuard<'a, RawRwLockRecursive, T>;
/// Read guard of a part of a [`RecursiveRwLock`]'s data.
pub type MappedRecursiveRwLockReadGuard<'a, T> = lock_api::MappedRwLockReadGuard<'a, RawRwLockRecursive, T>;
/// Write guard of a part of a [`RecursiveRwLock`]'s data.
pub type MappedRecursiveRwLockWriteGuard<'a, T> = lock_api::MappedRwLockWriteGuard<'a, RawRwLockRecursive, T>;
