//! parking_lot 0.12's raw mutexes, recorded. As in `crate::parking_lot`, by the traits of lock_api 0.4.
//!
//! Inside is a whole mutex over nothing, not a raw one: the original's condition variable wants a guard of it.
use crate::lock::{Access::Exclusive, Original, Recorded};
use crate::recorder::{Limited, Site};
use ::parking_lot_0_12 as original;
use lock_api::{Mutex, RawMutexFair, RawMutexTimed};
use lock_api_0_4 as lock_api;
use lockprof_trace::{Kind, Operation};
use std::panic::Location;
use std::time::{Duration, Instant};

/// Raw mutex type backed by the parking lot, recorded.
pub type RawMutex = Recorded<original::Mutex<()>>;
/// Raw fair mutex type backed by the parking lot, recorded.
pub type RawFairMutex = Recorded<original::FairMutex<()>>;

impl Original for original::Mutex<()> {
    const KIND: Kind = Kind::Mutex;
}

impl Original for original::FairMutex<()> {
    const KIND: Kind = Kind::FairMutex;
}

impl<R> Recorded<Mutex<R, ()>>
where
    R: lock_api::RawMutex,
    Mutex<R, ()>: Original,
{
    #[inline(always)]
    fn inner(&self) -> &R {
        // SAFETY: who has the recorded lock works on the one inside in the same way.
        unsafe { self.raw().raw() }
    }

    /// Takes it as `attempt` did, else as `block` does, if that can.
    #[inline(always)]
    fn try_take(&self, site: Site, attempt: bool, block: impl FnOnce() -> bool) -> bool {
        let got = attempt || self.wait(Exclusive, Operation::Lock, site, || block().then_some(())).is_some();
        if got {
            self.acquired(Exclusive, site);
        }
        got
    }
}

// SAFETY: the original keeps what the trait asks for; the recording only writes beside it.
unsafe impl<R> lock_api::RawMutex for Recorded<Mutex<R, ()>>
where
    R: lock_api::RawMutex,
    Mutex<R, ()>: Original,
{
    #[allow(clippy::declare_interior_mutable_const)]
    const INIT: Self = Self::unknown(Mutex::from_raw(R::INIT, ()));
    type GuardMarker = R::GuardMarker;

    #[inline(always)]
    #[track_caller]
    fn lock(&self) {
        // Where nothing is recorded it is the original's own way, which need not look before it takes.
        let id = self.id();
        if id == 0 {
            return self.inner().lock();
        }
        let attempt = || self.inner().try_lock().then_some(());
        self.take(id, Exclusive, Location::caller(), attempt, || self.inner().lock());
    }

    #[inline(always)]
    #[track_caller]
    fn try_lock(&self) -> bool {
        let got = self.inner().try_lock();
        if got {
            self.acquired(Exclusive, Location::caller());
        } else {
            self.refused(Exclusive, Location::caller());
        }
        got
    }

    #[inline(always)]
    unsafe fn unlock(&self) {
        self.releasing(Exclusive);
        // SAFETY: the caller holds the lock.
        unsafe { self.inner().unlock() }
    }

    #[inline]
    fn is_locked(&self) -> bool {
        self.inner().is_locked()
    }
}

// SAFETY: as above.
unsafe impl<R> RawMutexFair for Recorded<Mutex<R, ()>>
where
    R: RawMutexFair,
    Mutex<R, ()>: Original,
{
    #[inline]
    unsafe fn unlock_fair(&self) {
        self.releasing(Exclusive);
        // SAFETY: the caller holds the lock.
        unsafe { self.inner().unlock_fair() }
    }

    #[inline]
    unsafe fn bump(&self) {
        // SAFETY: the caller holds the lock, before and after.
        unsafe { self.inner().bump() }
    }
}

// SAFETY: as above.
unsafe impl<R> RawMutexTimed for Recorded<Mutex<R, ()>>
where
    R: RawMutexTimed<Duration = Duration, Instant = Instant>,
    Mutex<R, ()>: Original,
{
    type Duration = Duration;
    type Instant = Instant;

    #[inline]
    #[track_caller]
    fn try_lock_for(&self, timeout: Duration) -> bool {
        let _limited = Limited::new();
        self.try_take(Location::caller(), self.inner().try_lock(), || self.inner().try_lock_for(timeout))
    }

    #[inline]
    #[track_caller]
    fn try_lock_until(&self, deadline: Instant) -> bool {
        let _limited = Limited::new();
        self.try_take(Location::caller(), self.inner().try_lock(), || self.inner().try_lock_until(deadline))
    }
}
