//! `Condvar`. While it waits the mutex is not held, neither in fact nor in the record.
use super::held::{Held, wrap};
use super::mutex::MutexGuard;
use crate::recorder::{self, Limited, Site, Tag, Wait};
use lockprof_trace::{Kind, Operation, WaitEnd};
use std::fmt;
use std::panic::Location;
use std::sync::{self as original, LockResult, WaitTimeoutResult};
use std::time::Duration;

/// [`std::sync::Condvar`], recorded.
pub struct Condvar {
    tag: Tag,
    inner: original::Condvar,
}

/// Somebody is about to wait, waits, or has been woken and holds the mutex.
struct Waiting {
    condvar: u32,
    mutex: u32,
    site: Site,
    held: Option<Held>,
    wait: Option<Wait>,
    /// It waits for a limited time: it alone, not what `condition` waits for, which is asked meanwhile.
    limited: bool,
}

impl Waiting {
    /// The mutex is given up for the wait.
    fn sleep(&mut self) {
        self.held = None;
        if self.condvar != 0 {
            recorder::count(self.condvar);
        }
        let _limited = self.limited.then(Limited::new);
        self.wait = Wait::begin(self.condvar, Operation::CondvarWait, self.site);
    }

    /// The wait is over, if there was one, and the mutex is held again.
    fn wake(&mut self, end: WaitEnd) {
        if let Some(wait) = self.wait.take() {
            wait.end(end);
        }
        if self.held.is_none() {
            self.held = Some(Held::new(self.mutex, self.site));
        }
    }

    /// Asks whether to wait (on), with the mutex held.
    fn ask<T>(&mut self, value: &mut T, condition: &mut impl FnMut(&mut T) -> bool) -> bool {
        self.wake(WaitEnd::Done);
        let waits = condition(value);
        if waits {
            self.sleep();
        }
        waits
    }

    /// The guard that the caller gets back.
    fn guard<T>(mut self, inner: original::MutexGuard<'_, T>, end: WaitEnd) -> MutexGuard<'_, T> {
        self.wake(end);
        let held = self.held.take().unwrap_or_else(|| Held::new(self.mutex, self.site));
        MutexGuard { held, inner }
    }
}

fn end_of(result: WaitTimeoutResult) -> WaitEnd {
    if result.timed_out() { WaitEnd::TimedOut } else { WaitEnd::Done }
}

impl Condvar {
    /// As [`std::sync::Condvar::new`]. Reports name the caller's line.
    #[inline]
    #[track_caller]
    pub const fn new() -> Self {
        Self { tag: Tag::new(Location::caller()), inner: original::Condvar::new() }
    }

    fn waiting<'a, T>(
        &self,
        guard: MutexGuard<'a, T>,
        limited: bool,
        site: Site,
    ) -> (Waiting, original::MutexGuard<'a, T>) {
        let MutexGuard { held, inner } = guard;
        let (condvar, mutex) = (self.tag.id_at(Kind::StdCondvar, site), held.id());
        (Waiting { condvar, mutex, site, held: Some(held), wait: None, limited }, inner)
    }

    /// As [`std::sync::Condvar::wait`].
    #[track_caller]
    pub fn wait<'a, T>(&self, guard: MutexGuard<'a, T>) -> LockResult<MutexGuard<'a, T>> {
        let (mut waiting, inner) = self.waiting(guard, false, Location::caller());
        waiting.sleep();
        let woken = self.inner.wait(inner);
        wrap(woken, |inner| waiting.guard(inner, WaitEnd::Done))
    }

    /// As [`std::sync::Condvar::wait_while`].
    #[track_caller]
    pub fn wait_while<'a, T, F>(
        &self,
        guard: MutexGuard<'a, T>,
        mut condition: F,
    ) -> LockResult<MutexGuard<'a, T>>
    where
        F: FnMut(&mut T) -> bool,
    {
        let (mut waiting, inner) = self.waiting(guard, false, Location::caller());
        let woken = self.inner.wait_while(inner, |value| waiting.ask(value, &mut condition));
        wrap(woken, |inner| waiting.guard(inner, WaitEnd::Done))
    }

    /// As [`std::sync::Condvar::wait_timeout_ms`].
    #[deprecated(since = "1.6.0", note = "replaced by `lockprof::sync::Condvar::wait_timeout`")]
    #[track_caller]
    pub fn wait_timeout_ms<'a, T>(
        &self,
        guard: MutexGuard<'a, T>,
        ms: u32,
    ) -> LockResult<(MutexGuard<'a, T>, bool)> {
        let woken = self.wait_timeout(guard, Duration::from_millis(ms.into()));
        wrap(woken, |(guard, result)| (guard, !result.timed_out()))
    }

    /// As [`std::sync::Condvar::wait_timeout`].
    #[track_caller]
    pub fn wait_timeout<'a, T>(
        &self,
        guard: MutexGuard<'a, T>,
        dur: Duration,
    ) -> LockResult<(MutexGuard<'a, T>, WaitTimeoutResult)> {
        let (mut waiting, inner) = self.waiting(guard, true, Location::caller());
        waiting.sleep();
        let woken = self.inner.wait_timeout(inner, dur);
        wrap(woken, |(inner, result)| (waiting.guard(inner, end_of(result)), result))
    }

    /// As [`std::sync::Condvar::wait_timeout_while`].
    #[track_caller]
    pub fn wait_timeout_while<'a, T, F>(
        &self,
        guard: MutexGuard<'a, T>,
        dur: Duration,
        mut condition: F,
    ) -> LockResult<(MutexGuard<'a, T>, WaitTimeoutResult)>
    where
        F: FnMut(&mut T) -> bool,
    {
        let (mut waiting, inner) = self.waiting(guard, true, Location::caller());
        let woken = self.inner.wait_timeout_while(inner, dur, |value| waiting.ask(value, &mut condition));
        wrap(woken, |(inner, result)| (waiting.guard(inner, end_of(result)), result))
    }

    /// As [`std::sync::Condvar::notify_one`].
    #[inline]
    #[track_caller]
    pub fn notify_one(&self) {
        recorder::signalled(self.tag.id(Kind::StdCondvar), Location::caller());
        self.inner.notify_one();
    }

    /// As [`std::sync::Condvar::notify_all`].
    #[inline]
    #[track_caller]
    pub fn notify_all(&self) {
        recorder::signalled(self.tag.id(Kind::StdCondvar), Location::caller());
        self.inner.notify_all();
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
