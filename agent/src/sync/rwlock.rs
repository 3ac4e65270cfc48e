//! `RwLock` and its guards. Writers are counted by the lock's own id, readers by the one behind it.
use super::held::{Held, at_once_or, into_guard, refused, result, wrap};
use crate::lock::acquired_slowly;
use crate::recorder::{Acquire, Site, Tag};
use lockprof_trace::{Kind, Operation};
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::panic::Location;
use std::sync::{self as original, LockResult, TryLockError, TryLockResult};

/// [`std::sync::RwLock`], recorded.
pub struct RwLock<T: ?Sized> {
    tag: Tag,
    inner: original::RwLock<T>,
}

/// [`std::sync::RwLockReadGuard`], recorded.
#[must_use = "if unused the RwLock will immediately unlock"]
#[clippy::has_significant_drop]
pub struct RwLockReadGuard<'rwlock, T: ?Sized + 'rwlock> {
    // Dropped first: off the held list, then unlocked.
    _held: Held,
    inner: original::RwLockReadGuard<'rwlock, T>,
}

/// [`std::sync::RwLockWriteGuard`], recorded.
#[must_use = "if unused the RwLock will immediately unlock"]
#[clippy::has_significant_drop]
pub struct RwLockWriteGuard<'rwlock, T: ?Sized + 'rwlock> {
    // Dropped first: off the held list, then unlocked.
    held: Held,
    inner: original::RwLockWriteGuard<'rwlock, T>,
}

/// The id that counts the readers of a lock.
#[inline(always)]
fn reads(id: u32) -> u32 {
    if id == 0 { 0 } else { id + 1 }
}

impl<T> RwLock<T> {
    /// As [`std::sync::RwLock::new`]. Reports name the caller's line.
    #[inline]
    #[track_caller]
    pub const fn new(t: T) -> Self {
        Self { tag: Tag::new(Location::caller()), inner: original::RwLock::new(t) }
    }

    /// As [`std::sync::RwLock::into_inner`].
    pub fn into_inner(self) -> LockResult<T> {
        self.inner.into_inner()
    }
}

impl<T: ?Sized> RwLock<T> {
    /// As [`std::sync::RwLock::read`].
    #[inline(always)]
    #[track_caller]
    pub fn read(&self) -> LockResult<RwLockReadGuard<'_, T>> {
        let (id, site) = (reads(self.tag.id(Kind::StdRwLock)), Location::caller());
        if id == 0 {
            return wrap(self.inner.read(), |inner| self.reader(inner, site));
        }
        let acquire = Acquire::of(id);
        let wait = || acquired_slowly(id, Operation::Read, site, || into_guard(self.inner.read()));
        let (inner, poisoned) = at_once_or(self.inner.try_read(), wait, || self.inner.is_poisoned());
        let held = Held::taken(Some(acquire), Operation::Read, site);
        result(RwLockReadGuard { _held: held, inner }, poisoned)
    }

    /// As [`std::sync::RwLock::try_read`].
    #[inline(always)]
    #[track_caller]
    pub fn try_read(&self) -> TryLockResult<RwLockReadGuard<'_, T>> {
        let site = Location::caller();
        match self.inner.try_read() {
            Ok(inner) => Ok(self.reader(inner, site)),
            Err(TryLockError::Poisoned(poisoned)) => {
                Ok(wrap(Err(poisoned), |inner| self.reader(inner, site))?)
            }
            Err(TryLockError::WouldBlock) => {
                refused(self.tag.known_id(), 2, Operation::Read, site);
                Err(TryLockError::WouldBlock)
            }
        }
    }

    /// As [`std::sync::RwLock::write`].
    #[inline(always)]
    #[track_caller]
    pub fn write(&self) -> LockResult<RwLockWriteGuard<'_, T>> {
        // Where nothing is recorded it is the original's own way, which need not look before it takes. There is one guard for
        // both ways: with two of them its drop is no longer inlined.
        let (id, site) = (self.tag.id(Kind::StdRwLock), Location::caller());
        let acquire = (id != 0).then(|| Acquire::of(id));
        let wait = || acquired_slowly(id, Operation::Write, site, || into_guard(self.inner.write()));
        let attempt = match acquire {
            None => self.inner.write().map_err(TryLockError::Poisoned),
            Some(_) => self.inner.try_write(),
        };
        let (inner, poisoned) = at_once_or(attempt, wait, || self.inner.is_poisoned());
        let held = Held::taken(acquire, Operation::Write, site);
        result(RwLockWriteGuard { held, inner }, poisoned)
    }

    /// As [`std::sync::RwLock::try_write`].
    #[inline(always)]
    #[track_caller]
    pub fn try_write(&self) -> TryLockResult<RwLockWriteGuard<'_, T>> {
        let site = Location::caller();
        match self.inner.try_write() {
            Ok(inner) => Ok(self.writer(inner, site)),
            Err(TryLockError::Poisoned(poisoned)) => {
                Ok(wrap(Err(poisoned), |inner| self.writer(inner, site))?)
            }
            Err(TryLockError::WouldBlock) => {
                refused(self.tag.known_id(), 2, Operation::Write, site);
                Err(TryLockError::WouldBlock)
            }
        }
    }

    #[inline(always)]
    fn reader<'a>(&'a self, inner: original::RwLockReadGuard<'a, T>, site: Site) -> RwLockReadGuard<'a, T> {
        RwLockReadGuard { _held: Held::new(reads(self.tag.id_at(Kind::StdRwLock, site)), site), inner }
    }

    #[inline(always)]
    fn writer<'a>(&'a self, inner: original::RwLockWriteGuard<'a, T>, site: Site) -> RwLockWriteGuard<'a, T> {
        RwLockWriteGuard { held: Held::new(self.tag.id_at(Kind::StdRwLock, site), site), inner }
    }

    /// As [`std::sync::RwLock::is_poisoned`].
    #[inline]
    pub fn is_poisoned(&self) -> bool {
        self.inner.is_poisoned()
    }

    /// As [`std::sync::RwLock::clear_poison`].
    #[inline]
    pub fn clear_poison(&self) {
        self.inner.clear_poison();
    }

    /// As [`std::sync::RwLock::get_mut`].
    pub fn get_mut(&mut self) -> LockResult<&mut T> {
        self.inner.get_mut()
    }
}

impl<'rwlock, T: ?Sized> RwLockWriteGuard<'rwlock, T> {
    /// As [`std::sync::RwLockWriteGuard::downgrade`]. From here on it is held for reading, since the caller's line.
    #[inline]
    #[track_caller]
    pub fn downgrade(s: Self) -> RwLockReadGuard<'rwlock, T> {
        let Self { held, inner } = s;
        let id = reads(held.id());
        drop(held);
        let inner = original::RwLockWriteGuard::downgrade(inner);
        RwLockReadGuard { _held: Held::new(id, Location::caller()), inner }
    }
}

impl<T> From<T> for RwLock<T> {
    #[track_caller]
    fn from(t: T) -> Self {
        Self::new(t)
    }
}

impl<T: Default> Default for RwLock<T> {
    #[track_caller]
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for RwLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl<T: ?Sized> Deref for RwLockReadGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.inner
    }
}

impl<T: ?Sized> Deref for RwLockWriteGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.inner
    }
}

impl<T: ?Sized> DerefMut for RwLockWriteGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        &mut self.inner
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for RwLockReadGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl<T: ?Sized + fmt::Display> fmt::Display for RwLockReadGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for RwLockWriteGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl<T: ?Sized + fmt::Display> fmt::Display for RwLockWriteGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
