//! `Mutex` and its guard.
use super::held::{Held, at_once_or, into_guard, refused, result, wrap};
use crate::lock::acquired_slowly;
use crate::recorder::{Acquire, Site, Tag};
use lockprof_trace::{Kind, Operation};
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::panic::Location;
use std::sync::{self as original, LockResult, TryLockError, TryLockResult};

/// [`std::sync::Mutex`], recorded.
pub struct Mutex<T: ?Sized> {
    tag: Tag,
    inner: original::Mutex<T>,
}

/// [`std::sync::MutexGuard`], recorded.
#[must_use = "if unused the Mutex will immediately unlock"]
#[clippy::has_significant_drop]
pub struct MutexGuard<'a, T: ?Sized + 'a> {
    // Dropped first: off the held list, then unlocked.
    pub(super) held: Held,
    pub(super) inner: original::MutexGuard<'a, T>,
}

impl<T> Mutex<T> {
    /// As [`std::sync::Mutex::new`]. Reports name the caller's line.
    #[inline]
    #[track_caller]
    pub const fn new(t: T) -> Self {
        Self { tag: Tag::new(Location::caller()), inner: original::Mutex::new(t) }
    }

    /// As [`std::sync::Mutex::into_inner`].
    pub fn into_inner(self) -> LockResult<T> {
        self.inner.into_inner()
    }
}

impl<T: ?Sized> Mutex<T> {
    /// As [`std::sync::Mutex::lock`].
    #[inline(always)]
    #[track_caller]
    pub fn lock(&self) -> LockResult<MutexGuard<'_, T>> {
        let (id, site) = (self.tag.id(Kind::StdMutex), Location::caller());
        let acquire = (id != 0).then(|| Acquire::of(id));
        let wait = || acquired_slowly(id, Operation::Lock, site, || into_guard(self.inner.lock()));
        let (inner, poisoned) = at_once_or(self.inner.try_lock(), wait, || self.inner.is_poisoned());
        let held = Held::taken(acquire, Operation::Lock, site);
        result(MutexGuard { held, inner }, poisoned)
    }

    /// As [`std::sync::Mutex::try_lock`].
    #[inline(always)]
    #[track_caller]
    pub fn try_lock(&self) -> TryLockResult<MutexGuard<'_, T>> {
        let site = Location::caller();
        match self.inner.try_lock() {
            Ok(inner) => Ok(self.guard(inner, site)),
            Err(TryLockError::Poisoned(poisoned)) => {
                Ok(wrap(Err(poisoned), |inner| self.guard(inner, site))?)
            }
            Err(TryLockError::WouldBlock) => {
                refused(self.tag.known_id(), 1, Operation::Lock, site);
                Err(TryLockError::WouldBlock)
            }
        }
    }

    #[inline(always)]
    fn guard<'a>(&'a self, inner: original::MutexGuard<'a, T>, site: Site) -> MutexGuard<'a, T> {
        MutexGuard { held: Held::new(self.tag.id_at(Kind::StdMutex, site), site), inner }
    }

    /// As [`std::sync::Mutex::is_poisoned`].
    #[inline]
    pub fn is_poisoned(&self) -> bool {
        self.inner.is_poisoned()
    }

    /// As [`std::sync::Mutex::clear_poison`].
    #[inline]
    pub fn clear_poison(&self) {
        self.inner.clear_poison();
    }

    /// As [`std::sync::Mutex::get_mut`].
    pub fn get_mut(&mut self) -> LockResult<&mut T> {
        self.inner.get_mut()
    }
}

impl<T> From<T> for Mutex<T> {
    #[track_caller]
    fn from(t: T) -> Self {
        Self::new(t)
    }
}

impl<T: Default> Default for Mutex<T> {
    #[track_caller]
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for Mutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl<T: ?Sized> Deref for MutexGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.inner
    }
}

impl<T: ?Sized> DerefMut for MutexGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        &mut self.inner
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for MutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl<T: ?Sized + fmt::Display> fmt::Display for MutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
