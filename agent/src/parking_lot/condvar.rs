//! parking_lot's condition variable, recorded: while a thread waits on it, the thread does not hold the mutex.
use super::{MutexGuard, RawMutex, WaitTimeoutResult};
use crate::lock::Access::Exclusive;
use crate::recorder::{self, Limited, Tag, Wait};
use ::parking_lot as original;
use lock_api::RawCondvarTimed;
use lockprof_trace::{Kind, Operation, WaitEnd};
use std::fmt;
use std::panic::Location;
use std::time::{Duration, Instant};

/// Raw condition variable: parking_lot's own, over a recorded mutex.
pub struct RawCondvar(original::RawCondvar);

type Guard = <RawMutex as lock_api::RawMutex>::Guard;

// SAFETY: the original waits on the original mutex, which is all that excludes.
unsafe impl lock_api::RawCondvar for RawCondvar {
    const INIT: Self = Self(<original::RawCondvar as lock_api::RawCondvar>::INIT);
    type RawMutex = RawMutex;

    unsafe fn wait(&self, mutex: &RawMutex, guard: &mut Guard) {
        // SAFETY: the caller holds the mutex by this guard.
        unsafe { lock_api::RawCondvar::wait(&self.0, mutex.raw(), guard) }
    }

    fn notify_one(&self) -> bool {
        lock_api::RawCondvar::notify_one(&self.0)
    }

    fn notify_all(&self) -> usize {
        lock_api::RawCondvar::notify_all(&self.0)
    }
}

// SAFETY: as above.
unsafe impl RawCondvarTimed for RawCondvar {
    fn checked_duration_to_instant(timeout: &Duration) -> Option<Instant> {
        original::RawCondvar::checked_duration_to_instant(timeout)
    }

    unsafe fn wait_for(&self, mutex: &RawMutex, guard: &mut Guard, timeout: &Duration) -> bool {
        // SAFETY: the caller holds the mutex by this guard.
        unsafe { self.0.wait_for(mutex.raw(), guard, timeout) }
    }

    unsafe fn wait_until(&self, mutex: &RawMutex, guard: &mut Guard, deadline: &Instant) -> bool {
        // SAFETY: as above.
        unsafe { self.0.wait_until(mutex.raw(), guard, deadline) }
    }
}

/// A condition variable: `parking_lot::Condvar`, recorded.
pub struct Condvar {
    tag: Tag,
    inner: lock_api::Condvar<RawCondvar>,
}

impl Condvar {
    /// Creates a new condition variable, known by the line of the call.
    #[inline]
    #[track_caller]
    pub const fn new() -> Self {
        Self { tag: Tag::new(Location::caller()), inner: lock_api::Condvar::new() }
    }

    /// The condition variable inside.
    #[inline]
    pub fn raw(&self) -> &RawCondvar {
        self.inner.raw()
    }

    /// Wakes up one blocked thread; whether there was one.
    #[inline]
    #[track_caller]
    pub fn notify_one(&self) -> bool {
        recorder::signalled(self.tag.id(Kind::Condvar), Location::caller());
        self.inner.notify_one()
    }

    /// Wakes up all blocked threads; how many there were.
    #[inline]
    #[track_caller]
    pub fn notify_all(&self) -> usize {
        recorder::signalled(self.tag.id(Kind::Condvar), Location::caller());
        self.inner.notify_all()
    }

    /// Blocks until notified.
    ///
    /// # Panics
    /// As the original: another thread waits on it with a different mutex.
    #[track_caller]
    pub fn wait<T: ?Sized>(&self, guard: &mut MutexGuard<'_, T>) {
        self.record(guard, |inner, guard| inner.wait(guard), |()| false);
    }

    /// Blocks until notified or until `deadline`.
    ///
    /// # Panics
    /// As [`Condvar::wait`].
    #[track_caller]
    pub fn wait_until<T: ?Sized>(
        &self,
        guard: &mut MutexGuard<'_, T>,
        deadline: Instant,
    ) -> WaitTimeoutResult {
        let _limited = Limited::new();
        self.record(guard, |inner, guard| inner.wait_until(guard, deadline), |result| result.timed_out())
    }

    /// Blocks until notified or for `timeout`.
    ///
    /// # Panics
    /// As [`Condvar::wait`].
    #[track_caller]
    pub fn wait_for<T: ?Sized>(&self, guard: &mut MutexGuard<'_, T>, timeout: Duration) -> WaitTimeoutResult {
        let _limited = Limited::new();
        self.record(guard, |inner, guard| inner.wait_for(guard, timeout), |result| result.timed_out())
    }

    /// Blocks while `condition` is true.
    ///
    /// # Panics
    /// As [`Condvar::wait`].
    #[track_caller]
    pub fn wait_while<T, F>(&self, guard: &mut MutexGuard<'_, T>, mut condition: F)
    where
        T: ?Sized,
        F: FnMut(&mut T) -> bool,
    {
        while condition(&mut **guard) {
            self.wait(guard);
        }
    }

    /// Blocks while `condition` is true, until `deadline` at most.
    ///
    /// # Panics
    /// As [`Condvar::wait`].
    #[track_caller]
    pub fn wait_while_until<T, F>(
        &self,
        guard: &mut MutexGuard<'_, T>,
        mut condition: F,
        deadline: Instant,
    ) -> WaitTimeoutResult
    where
        T: ?Sized,
        F: FnMut(&mut T) -> bool,
    {
        // What a wait that need not wait yields: not timed out.
        let mut result = self.inner.wait_while_until(guard, |_| false, deadline);
        let in_time = result;
        loop {
            if !condition(&mut **guard) {
                return in_time;
            }
            if result.timed_out() {
                return result;
            }
            result = self.wait_until(guard, deadline);
        }
    }

    /// Blocks while `condition` is true, for `timeout` at most.
    ///
    /// # Panics
    /// As [`Condvar::wait`].
    #[track_caller]
    pub fn wait_while_for<T: ?Sized, F>(
        &self,
        guard: &mut MutexGuard<'_, T>,
        condition: F,
        timeout: Duration,
    ) -> WaitTimeoutResult
    where
        F: FnMut(&mut T) -> bool,
    {
        match RawCondvar::checked_duration_to_instant(&timeout) {
            Some(deadline) => self.wait_while_until(guard, condition, deadline),
            None => {
                self.wait_while(guard, condition);
                self.inner.wait_while_for(guard, |_| false, timeout)
            }
        }
    }

    #[track_caller]
    fn record<T: ?Sized, R>(
        &self,
        guard: &mut MutexGuard<'_, T>,
        block: impl FnOnce(&lock_api::Condvar<RawCondvar>, &mut MutexGuard<'_, T>) -> R,
        timed_out: impl FnOnce(&R) -> bool,
    ) -> R {
        let id = self.tag.id(Kind::Condvar);
        if id == 0 {
            return block(&self.inner, guard);
        }
        let site = Location::caller();
        // SAFETY: the raw mutex is only looked at for its id.
        let mutex = unsafe { MutexGuard::mutex(guard).raw() };
        mutex.releasing(Exclusive);
        let wait = Wait::begin(id, Operation::CondvarWait, site);
        // Put back also when the wait panics, for the guard unlocks then.
        let held = Held { mutex, site };
        let result = block(&self.inner, guard);
        drop(held);
        if let Some(wait) = wait {
            wait.end(if timed_out(&result) { WaitEnd::TimedOut } else { WaitEnd::Done });
        }
        result
    }
}

/// Says that the mutex is held again, when dropped.
struct Held<'a> {
    mutex: &'a RawMutex,
    site: crate::recorder::Site,
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.mutex.acquired(Exclusive, self.site);
    }
}

impl Default for Condvar {
    #[track_caller]
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Condvar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
