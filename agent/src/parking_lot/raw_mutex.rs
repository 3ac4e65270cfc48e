//! parking_lot's raw mutexes, recorded.
//!
//! What is wrapped is the raw lock: guards of every kind come from `lock_api` itself, and the caller's line comes through
//! it by `#[track_caller]`.
use crate::lock::{Access::Exclusive, Original, Recorded};
use crate::recorder::{Limited, Site};
use ::parking_lot as original;
use lock_api::{RawMutexFair, RawMutexTimed};
use lockprof_trace::{Kind, Operation};
use std::panic::Location;
use std::time::{Duration, Instant};

/// Raw mutex type backed by the parking lot, recorded.
pub type RawMutex = Recorded<original::RawMutex>;
/// Raw fair mutex type backed by the parking lot, recorded.
pub type RawFairMutex = Recorded<original::RawFairMutex>;

impl Original for original::RawMutex {
    const KIND: Kind = Kind::Mutex;
}

impl Original for original::RawFairMutex {
    const KIND: Kind = Kind::FairMutex;
}

impl<R: Original + lock_api::RawMutex> Recorded<R> {
    #[inline(always)]
    fn timed(&self, site: Site, block: impl FnOnce() -> Option<R::Guard>) -> Option<R::Guard> {
        let _limited = Limited::new();
        let got = self.raw().try_lock().or_else(|| self.wait(Exclusive, Operation::Lock, site, block))?;
        self.acquired(Exclusive, site);
        Some(got)
    }
}

// SAFETY: the original keeps what the trait asks for; the recording only writes beside it.
unsafe impl<R: Original + lock_api::RawMutex> lock_api::RawMutex for Recorded<R> {
    const INIT: Self = Self::unknown(R::INIT);
    type Guard = R::Guard;

    #[inline(always)]
    #[track_caller]
    fn lock(&self) -> R::Guard {
        // Where nothing is recorded it is the original's own way, which need not look before it takes.
        let id = self.id();
        if id == 0 {
            return self.raw().lock();
        }
        self.take(id, Exclusive, Location::caller(), || self.raw().try_lock(), || self.raw().lock())
    }

    #[inline(always)]
    #[track_caller]
    fn try_lock(&self) -> Option<R::Guard> {
        let Some(guard) = self.raw().try_lock() else {
            self.refused(Exclusive, Location::caller());
            return None;
        };
        self.acquired(Exclusive, Location::caller());
        Some(guard)
    }

    #[inline(always)]
    unsafe fn unlock(&self, guard: R::Guard) {
        self.releasing(Exclusive);
        // SAFETY: the caller holds the lock by this guard.
        unsafe { self.raw().unlock(guard) }
    }

    #[inline]
    fn is_locked(&self) -> bool {
        self.raw().is_locked()
    }
}

// SAFETY: as above.
unsafe impl<R: Original + RawMutexFair> RawMutexFair for Recorded<R> {
    #[inline]
    unsafe fn unlock_fair(&self, guard: R::Guard) {
        self.releasing(Exclusive);
        // SAFETY: the caller holds the lock by this guard.
        unsafe { self.raw().unlock_fair(guard) }
    }

    #[inline]
    unsafe fn bump(&self, guard: &mut R::Guard) {
        // SAFETY: the caller holds the lock by this guard, before and after.
        unsafe { self.raw().bump(guard) }
    }
}

// SAFETY: as above.
unsafe impl<R: Original + RawMutexTimed<Duration = Duration, Instant = Instant>> RawMutexTimed
    for Recorded<R>
{
    type Duration = Duration;
    type Instant = Instant;

    #[inline]
    #[track_caller]
    fn try_lock_for(&self, timeout: Duration) -> Option<R::Guard> {
        self.timed(Location::caller(), || self.raw().try_lock_for(timeout))
    }

    #[inline]
    #[track_caller]
    fn try_lock_until(&self, timeout: Instant) -> Option<R::Guard> {
        self.timed(Location::caller(), || self.raw().try_lock_until(timeout))
    }
}
