//! parking_lot's raw mutex, recorded.
//!
//! What is wrapped is the raw lock: guards of every kind come from `lock_api` itself, and the caller's line comes through
//! it by `#[track_caller]`. An uncontended acquire tries first, as the original does inside; only a wait is begun and
//! ended in the record.
use crate::recorder::{self, Site, Tag, Wait};
use ::parking_lot as original;
use lock_api::{RawMutex as _, RawMutexFair as _, RawMutexTimed as _};
use lockprof_trace::{Kind, Operation, WaitEnd};
use std::panic::Location;
use std::time::{Duration, Instant};

/// Raw mutex type that records who waits for it and who holds it: parking_lot's own inside.
pub struct RawMutex {
    tag: Tag,
    raw: original::RawMutex,
}

impl RawMutex {
    /// An unlocked one, created at the caller's line.
    #[track_caller]
    pub(crate) const fn new() -> Self {
        Self { tag: Tag::new(Location::caller()), raw: original::RawMutex::INIT }
    }

    #[inline(always)]
    fn acquired(&self, site: Site) {
        let id = self.tag.id(Kind::Mutex);
        if id != 0 {
            recorder::acquired(id, site);
        }
    }

    #[inline(always)]
    fn releasing(&self) {
        let id = self.tag.known_id();
        if id != 0 {
            recorder::released(id);
        }
    }

    #[cold]
    #[inline(never)]
    fn wait<G>(&self, site: Site, lock: impl FnOnce() -> Option<G>) -> Option<G> {
        let wait = Wait::begin(self.tag.id(Kind::Mutex), Operation::Lock, site);
        let got = lock();
        if let Some(wait) = wait {
            wait.end(if got.is_some() { WaitEnd::Done } else { WaitEnd::TimedOut });
        }
        got
    }

    #[inline(always)]
    fn took<G>(&self, site: Site, got: Option<G>, wait: impl FnOnce() -> Option<G>) -> Option<G> {
        let got = got.or_else(|| self.wait(site, wait))?;
        self.acquired(site);
        Some(got)
    }
}

type Guard = <original::RawMutex as lock_api::RawMutex>::Guard;

// SAFETY: the original keeps what the trait asks for; the recording only writes beside it.
unsafe impl lock_api::RawMutex for RawMutex {
    const INIT: Self = Self { tag: Tag::unknown(), raw: original::RawMutex::INIT };
    type Guard = Guard;

    #[inline(always)]
    #[track_caller]
    fn lock(&self) -> Guard {
        let site = Location::caller();
        let guard = match self.raw.try_lock() {
            Some(guard) => guard,
            None => self.lock_slow(site),
        };
        self.acquired(site);
        guard
    }

    #[inline(always)]
    #[track_caller]
    fn try_lock(&self) -> Option<Guard> {
        let guard = self.raw.try_lock()?;
        self.acquired(Location::caller());
        Some(guard)
    }

    #[inline(always)]
    unsafe fn unlock(&self, guard: Guard) {
        self.releasing();
        // SAFETY: the caller holds the lock by this guard.
        unsafe { self.raw.unlock(guard) }
    }

    #[inline]
    fn is_locked(&self) -> bool {
        self.raw.is_locked()
    }
}

impl RawMutex {
    #[cold]
    #[inline(never)]
    fn lock_slow(&self, site: Site) -> Guard {
        let wait = Wait::begin(self.tag.id(Kind::Mutex), Operation::Lock, site);
        let guard = self.raw.lock();
        if let Some(wait) = wait {
            wait.end(WaitEnd::Done);
        }
        guard
    }
}

// SAFETY: as above.
unsafe impl lock_api::RawMutexFair for RawMutex {
    #[inline]
    unsafe fn unlock_fair(&self, guard: Guard) {
        self.releasing();
        // SAFETY: the caller holds the lock by this guard.
        unsafe { self.raw.unlock_fair(guard) }
    }

    #[inline]
    unsafe fn bump(&self, guard: &mut Guard) {
        // SAFETY: the caller holds the lock by this guard. Who holds it before and after is the same.
        unsafe { self.raw.bump(guard) }
    }
}

// SAFETY: as above.
unsafe impl lock_api::RawMutexTimed for RawMutex {
    type Duration = Duration;
    type Instant = Instant;

    #[inline]
    #[track_caller]
    fn try_lock_for(&self, timeout: Duration) -> Option<Guard> {
        self.took(Location::caller(), self.raw.try_lock(), || self.raw.try_lock_for(timeout))
    }

    #[inline]
    #[track_caller]
    fn try_lock_until(&self, timeout: Instant) -> Option<Guard> {
        self.took(Location::caller(), self.raw.try_lock(), || self.raw.try_lock_until(timeout))
    }
}
