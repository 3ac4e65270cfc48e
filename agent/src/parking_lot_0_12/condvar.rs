//! parking_lot 0.12's condition variable, recorded: while a thread waits on it, the thread does not hold the mutex.
use super::{MutexGuard, RawMutex, WaitTimeoutResult};
use crate::lock::Access::Exclusive;
use crate::recorder::{self, Limited, Tag, Wait};
use ::parking_lot_0_12 as original;
use lockprof_trace::{Kind, Operation, WaitEnd};
use std::fmt;
use std::mem::ManuallyDrop;
use std::panic::Location;
use std::time::{Duration, Instant};

/// A condition variable: `parking_lot::Condvar`, recorded.
pub struct Condvar {
    tag: Tag,
    inner: original::Condvar,
}

impl Condvar {
    /// Creates a new condition variable, known by the line of the call.
    #[inline]
    #[track_caller]
    pub const fn new() -> Self {
        Self { tag: Tag::new(Location::caller()), inner: original::Condvar::new() }
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
        let mut result = self.in_time();
        while !result.timed_out() && condition(&mut **guard) {
            result = self.wait_until(guard, deadline);
        }
        result
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
        match Instant::now().checked_add(timeout) {
            Some(deadline) => self.wait_while_until(guard, condition, deadline),
            None => {
                self.wait_while(guard, condition);
                self.in_time()
            }
        }
    }

    /// What a wait that need not wait yields: not timed out.
    fn in_time(&self) -> WaitTimeoutResult {
        let nothing = original::Mutex::new(());
        original::Condvar::new().wait_while_for(&mut nothing.lock(), |()| false, Duration::ZERO)
    }

    #[track_caller]
    fn record<T: ?Sized, R>(
        &self,
        guard: &mut MutexGuard<'_, T>,
        block: impl FnOnce(&original::Condvar, &mut original::MutexGuard<'_, ()>) -> R,
        timed_out: impl FnOnce(&R) -> bool,
    ) -> R {
        let site = Location::caller();
        // SAFETY: the guard shows that the mutex is held, so the one inside is; its own guard is forgotten, since the
        // mutex is given back by the outer one.
        let (mutex, mut inner) = unsafe {
            let mutex = MutexGuard::mutex(guard).raw();
            (mutex, ManuallyDrop::new(mutex.raw().make_guard_unchecked()))
        };
        let id = self.tag.id(Kind::Condvar);
        if id == 0 {
            return block(&self.inner, &mut inner);
        }
        mutex.releasing(Exclusive);
        let wait = Wait::begin(id, Operation::CondvarWait, site);
        // Put back also when the wait panics, for the guard unlocks then.
        let held = Held { mutex, site };
        let result = block(&self.inner, &mut inner);
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
