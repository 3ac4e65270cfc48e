//! parking_lot 0.12, recorded: the same names, over the original's own locks.
//!
//! # Differences from `parking_lot` 0.12
//! - `Mutex`, `RwLock` and the others are types around `lock_api`'s, not aliases of them, so that each knows the line that
//!   created it. `Deref` leads to `lock_api`'s type; guards are `lock_api`'s own.
//! - A lock has a word more: where it was created, and once it is used while recording, who it is. The byte of a mutex lies in that
//!   word, so that `Mutex<u64>` is as large as the original; a read-write lock is a word larger.
mod condvar;
mod once;
mod raw_mutex;
mod raw_rwlock;

pub use self::condvar::Condvar;
pub use self::once::Once;
pub use self::raw_mutex::{RawFairMutex, RawMutex};
pub use self::raw_rwlock::RawRwLock;
pub use ::lock_api_0_4 as lock_api;
pub use ::lock_api_0_4::{
    ArcMutexGuard, ArcReentrantMutexGuard, ArcRwLockReadGuard, ArcRwLockUpgradableReadGuard,
    ArcRwLockWriteGuard,
};
use ::parking_lot_0_12 as original;
pub use ::parking_lot_0_12::{OnceState, RawThreadId, WaitTimeoutResult};

mutex_type!(
    lock_api,
    /// A mutual exclusion primitive useful for protecting shared data: `parking_lot::Mutex`, recorded.
    Mutex, RawMutex, original::const_mutex(()), MutexGuard
);
mutex_type!(
    lock_api,
    /// A mutual exclusive primitive that is always fair: `parking_lot::FairMutex`, recorded.
    FairMutex, RawFairMutex, original::const_fair_mutex(()), FairMutexGuard
);
reentrant_type!(
    lock_api,
    /// A mutex which can be recursively locked by a single thread: `parking_lot::ReentrantMutex`, recorded.
    ReentrantMutex, RawMutex, original::const_mutex(()), RawThreadId, ReentrantMutexGuard
);
rwlock_type!(
    lock_api,
    /// A reader-writer lock: `parking_lot::RwLock`, recorded.
    RwLock, RawRwLock, <original::RawRwLock as lock_api::RawRwLock>::INIT, RwLockReadGuard, RwLockWriteGuard, RwLockUpgradableReadGuard
);
data!([] Mutex FairMutex ReentrantMutex RwLock);

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

/// Creates a new mutex in an unlocked state ready for use.
#[track_caller]
pub const fn const_mutex<T>(value: T) -> Mutex<T> {
    Mutex::new(value)
}

/// Creates a new fair mutex in an unlocked state ready for use.
#[track_caller]
pub const fn const_fair_mutex<T>(value: T) -> FairMutex<T> {
    FairMutex::new(value)
}

/// Creates a new reentrant mutex in an unlocked state ready to use.
#[track_caller]
pub const fn const_reentrant_mutex<T>(value: T) -> ReentrantMutex<T> {
    ReentrantMutex::new(value)
}

/// Creates a new instance of an `RwLock<T>` which is unlocked.
#[track_caller]
pub const fn const_rwlock<T>(value: T) -> RwLock<T> {
    RwLock::new(value)
}

impl<T: ?Sized> RwLock<T> {
    forward! { []
        fn read_recursive(&self) -> RwLockReadGuard<'_, T>;
        fn try_read_recursive(&self) -> Option<RwLockReadGuard<'_, T>>;
        fn try_read_recursive_for(&self, timeout: std::time::Duration) -> Option<RwLockReadGuard<'_, T>>;
        fn try_read_recursive_until(&self, deadline: std::time::Instant) -> Option<RwLockReadGuard<'_, T>>;
    }
}
