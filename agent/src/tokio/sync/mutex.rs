//! `tokio::sync::Mutex`: who waits for it, and who holds it since which line.
use super::guards::access;
use super::held::{Held, Lock, keep, would_block};
use crate::recorder::{Site, Tag};
use crate::tokio::wait::{Op, TryFirst};
use ::tokio::sync::{Semaphore, TryLockError};
use lockprof_trace::{Kind, Operation, Role};
use std::cell::UnsafeCell;
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::panic::Location;
use std::sync::Arc;

/// An asynchronous `Mutex`-like type. See [`tokio::sync::Mutex`](::tokio::sync::Mutex).
pub struct Mutex<T: ?Sized> {
    tag: Tag,
    semaphore: Semaphore,
    data: UnsafeCell<T>,
}

// SAFETY: the data is reached by one guard at a time, which may be sent.
unsafe impl<T: ?Sized + Send> Send for Mutex<T> {}
// SAFETY: as above.
unsafe impl<T: ?Sized + Send> Sync for Mutex<T> {}

impl<T: ?Sized> Mutex<T> {
    /// Creates a new lock in an unlocked state ready for use, known by the caller's line.
    #[track_caller]
    pub fn new(t: T) -> Self
    where
        T: Sized,
    {
        Self::const_new(t)
    }

    /// Creates a new lock in an unlocked state ready for use, known by the caller's line.
    #[track_caller]
    pub const fn const_new(t: T) -> Self
    where
        T: Sized,
    {
        let tag = Tag::new(Location::caller());
        Self { tag, semaphore: Semaphore::const_new(1), data: UnsafeCell::new(t) }
    }

    #[inline(always)]
    fn op(&self, site: Site) -> Op {
        Op::new(self.tag.id_at(Kind::TokioMutex, site), Operation::Lock, site).queueing()
    }

    #[inline(always)]
    fn guard(&self, op: &Op) -> MutexGuard<'_, T> {
        MutexGuard { held: Held::new(op, Role::Exclusive, 1, &self.semaphore), lock: self }
    }

    /// Locks this mutex, causing the current task to yield until the lock has been acquired. See
    /// [`tokio`](::tokio::sync::Mutex::lock).
    #[track_caller]
    #[inline]
    pub fn lock(&self) -> impl Future<Output = MutexGuard<'_, T>> {
        let op = self.op(Location::caller());
        let attempt = |(): &mut ()| self.semaphore.try_acquire().ok().map(Ok);
        TryFirst::new(
            op,
            (),
            attempt,
            |()| self.semaphore.acquire(),
            move |permit| {
                keep(permit);
                self.guard(&op)
            },
        )
    }

    /// Blockingly locks this `Mutex`. See [`tokio`](::tokio::sync::Mutex::blocking_lock).
    #[track_caller]
    pub fn blocking_lock(&self) -> MutexGuard<'_, T> {
        let op = self.op(Location::caller());
        let wait = op.blocking(self.semaphore.available_permits() == 0);
        let permit = self.semaphore.blocking_acquire();
        wait.over(&permit);
        keep(permit);
        self.guard(&op)
    }

    /// Blockingly locks this `Mutex`, which the guard owns. See [`tokio`](::tokio::sync::Mutex::blocking_lock_owned).
    #[track_caller]
    pub fn blocking_lock_owned(self: Arc<Self>) -> OwnedMutexGuard<T> {
        let op = self.op(Location::caller());
        let wait = op.blocking(self.semaphore.available_permits() == 0);
        let permit = self.semaphore.blocking_acquire();
        wait.over(&permit);
        keep(permit);
        OwnedMutexGuard { held: Held::new(&op, Role::Exclusive, 1, self) }
    }

    /// Locks this mutex, which the guard owns. See [`tokio`](::tokio::sync::Mutex::lock_owned).
    #[track_caller]
    pub fn lock_owned(self: Arc<Self>) -> impl Future<Output = OwnedMutexGuard<T>> {
        let op = self.op(Location::caller());
        TryFirst::new(
            op,
            Some(self),
            |lock| Held::try_first(lock, 1),
            |lock| Held::wait(lock, 1),
            move |mut held| {
                held.tell(&op, Role::Exclusive);
                OwnedMutexGuard { held }
            },
        )
    }

    /// Attempts to acquire the lock.
    ///
    /// # Errors
    /// The lock is held.
    #[track_caller]
    #[inline]
    pub fn try_lock(&self) -> Result<MutexGuard<'_, T>, TryLockError> {
        let permit = self.semaphore.try_acquire();
        if permit.is_err() {
            return Err(would_block());
        }
        keep(permit);
        Ok(self.guard(&self.op(Location::caller())))
    }

    /// Returns a mutable reference to the underlying data.
    pub fn get_mut(&mut self) -> &mut T {
        self.data.get_mut()
    }

    /// Attempts to acquire the lock, which the guard owns.
    ///
    /// # Errors
    /// The lock is held.
    #[track_caller]
    pub fn try_lock_owned(self: Arc<Self>) -> Result<OwnedMutexGuard<T>, TryLockError> {
        let permit = self.semaphore.try_acquire();
        if permit.is_err() {
            return Err(would_block());
        }
        keep(permit);
        let op = self.op(Location::caller());
        Ok(OwnedMutexGuard { held: Held::new(&op, Role::Exclusive, 1, self) })
    }

    /// Consumes the mutex, returning the underlying data.
    pub fn into_inner(self) -> T
    where
        T: Sized,
    {
        self.data.into_inner()
    }
}

impl<T> From<T> for Mutex<T> {
    #[track_caller]
    fn from(s: T) -> Self {
        Self::new(s)
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
        let mut d = f.debug_struct("Mutex");
        match self.semaphore.try_acquire() {
            // SAFETY: the permit is held while the data is looked at.
            Ok(_permit) => d.field("data", &unsafe { &*self.data.get() }),
            Err(_) => d.field("data", &format_args!("<locked>")),
        };
        d.finish()
    }
}

impl<T: ?Sized> Lock for Arc<Mutex<T>> {
    #[inline(always)]
    fn semaphore(&self) -> &Semaphore {
        &self.semaphore
    }
}

/// A handle to a held `Mutex`. See [`tokio::sync::MutexGuard`](::tokio::sync::MutexGuard).
#[clippy::has_significant_drop]
#[must_use = "if unused the Mutex will immediately unlock"]
pub struct MutexGuard<'a, T: ?Sized> {
    held: Held<&'a Semaphore>,
    lock: &'a Mutex<T>,
}

// SAFETY: a guard gives `&T`, and dropped elsewhere nothing of `T` is.
unsafe impl<T: ?Sized + Send + Sync> Sync for MutexGuard<'_, T> {}

impl<'a, T: ?Sized> MutexGuard<'a, T> {
    /// Makes a new [`MappedMutexGuard`] for a component of the locked data.
    #[inline]
    pub fn map<U, F>(mut this: Self, f: F) -> MappedMutexGuard<'a, U>
    where
        U: ?Sized,
        F: FnOnce(&mut T) -> &mut U,
    {
        let data = std::ptr::from_mut(f(&mut *this));
        MappedMutexGuard { held: this.held, data, marker: PhantomData }
    }

    /// Attempts to make a new [`MappedMutexGuard`] for a component of the locked data.
    ///
    /// # Errors
    /// The closure returned `None`: the original guard.
    #[inline]
    pub fn try_map<U, F>(mut this: Self, f: F) -> Result<MappedMutexGuard<'a, U>, Self>
    where
        U: ?Sized,
        F: FnOnce(&mut T) -> Option<&mut U>,
    {
        match f(&mut *this).map(std::ptr::from_mut) {
            Some(data) => Ok(MappedMutexGuard { held: this.held, data, marker: PhantomData }),
            None => Err(this),
        }
    }

    /// Returns a reference to the original `Mutex`.
    #[inline]
    pub fn mutex(this: &Self) -> &'a Mutex<T> {
        this.lock
    }
}

access!(mut [T: ?Sized] MutexGuard<'_, T> => T, |guard| guard.lock.data.get());

/// An owned handle to a held `Mutex`. See [`tokio::sync::OwnedMutexGuard`](::tokio::sync::OwnedMutexGuard).
#[clippy::has_significant_drop]
pub struct OwnedMutexGuard<T: ?Sized> {
    held: Held<Arc<Mutex<T>>>,
}

// SAFETY: as for `MutexGuard`.
unsafe impl<T: ?Sized + Send + Sync> Sync for OwnedMutexGuard<T> {}

impl<T: ?Sized> OwnedMutexGuard<T> {
    /// Makes a new [`OwnedMappedMutexGuard`] for a component of the locked data.
    #[inline]
    pub fn map<U, F>(mut this: Self, f: F) -> OwnedMappedMutexGuard<T, U>
    where
        U: ?Sized,
        F: FnOnce(&mut T) -> &mut U,
    {
        let data = std::ptr::from_mut(f(&mut *this));
        OwnedMappedMutexGuard { held: this.held, data }
    }

    /// Attempts to make a new [`OwnedMappedMutexGuard`] for a component of the locked data.
    ///
    /// # Errors
    /// The closure returned `None`: the original guard.
    #[inline]
    pub fn try_map<U, F>(mut this: Self, f: F) -> Result<OwnedMappedMutexGuard<T, U>, Self>
    where
        U: ?Sized,
        F: FnOnce(&mut T) -> Option<&mut U>,
    {
        match f(&mut *this).map(std::ptr::from_mut) {
            Some(data) => Ok(OwnedMappedMutexGuard { held: this.held, data }),
            None => Err(this),
        }
    }

    /// Returns a reference to the original `Arc<Mutex>`.
    #[inline]
    pub fn mutex(this: &Self) -> &Arc<Mutex<T>> {
        this.held.lock()
    }
}

access!(mut [T: ?Sized] OwnedMutexGuard<T> => T, |guard| guard.held.lock().data.get());

/// A handle to a held `Mutex` that has had a function applied to it. See
/// [`tokio::sync::MappedMutexGuard`](::tokio::sync::MappedMutexGuard).
#[clippy::has_significant_drop]
#[must_use = "if unused the Mutex will immediately unlock"]
pub struct MappedMutexGuard<'a, T: ?Sized> {
    held: Held<&'a Semaphore>,
    data: *mut T,
    marker: PhantomData<&'a mut T>,
}

// SAFETY: it stands for a `&mut T`.
unsafe impl<T: ?Sized + Sync> Sync for MappedMutexGuard<'_, T> {}
// SAFETY: as above.
unsafe impl<T: ?Sized + Send> Send for MappedMutexGuard<'_, T> {}

impl<'a, T: ?Sized> MappedMutexGuard<'a, T> {
    /// Makes a new [`MappedMutexGuard`] for a component of the locked data.
    #[inline]
    pub fn map<U, F>(mut this: Self, f: F) -> MappedMutexGuard<'a, U>
    where
        F: FnOnce(&mut T) -> &mut U,
    {
        let data = std::ptr::from_mut(f(&mut *this));
        MappedMutexGuard { held: this.held, data, marker: PhantomData }
    }

    /// Attempts to make a new [`MappedMutexGuard`] for a component of the locked data.
    ///
    /// # Errors
    /// The closure returned `None`: the original guard.
    #[inline]
    pub fn try_map<U, F>(mut this: Self, f: F) -> Result<MappedMutexGuard<'a, U>, Self>
    where
        F: FnOnce(&mut T) -> Option<&mut U>,
    {
        match f(&mut *this).map(std::ptr::from_mut) {
            Some(data) => Ok(MappedMutexGuard { held: this.held, data, marker: PhantomData }),
            None => Err(this),
        }
    }
}

access!(mut [T: ?Sized] MappedMutexGuard<'_, T> => T, |guard| guard.data);

/// An owned handle to a held `Mutex` that has had a function applied to it. See
/// [`tokio::sync::OwnedMappedMutexGuard`](::tokio::sync::OwnedMappedMutexGuard).
#[clippy::has_significant_drop]
pub struct OwnedMappedMutexGuard<T: ?Sized, U: ?Sized = T> {
    held: Held<Arc<Mutex<T>>>,
    data: *mut U,
}

// SAFETY: it stands for a `&mut U`, and owns the mutex.
unsafe impl<T: ?Sized + Send + Sync, U: ?Sized + Send + Sync> Sync for OwnedMappedMutexGuard<T, U> {}
// SAFETY: as above.
unsafe impl<T: ?Sized + Send, U: ?Sized + Send> Send for OwnedMappedMutexGuard<T, U> {}

impl<T: ?Sized, U: ?Sized> OwnedMappedMutexGuard<T, U> {
    /// Makes a new [`OwnedMappedMutexGuard`] for a component of the locked data.
    #[inline]
    pub fn map<S, F>(mut this: Self, f: F) -> OwnedMappedMutexGuard<T, S>
    where
        F: FnOnce(&mut U) -> &mut S,
    {
        let data = std::ptr::from_mut(f(&mut *this));
        OwnedMappedMutexGuard { held: this.held, data }
    }

    /// Attempts to make a new [`OwnedMappedMutexGuard`] for a component of the locked data.
    ///
    /// # Errors
    /// The closure returned `None`: the original guard.
    #[inline]
    pub fn try_map<S, F>(mut this: Self, f: F) -> Result<OwnedMappedMutexGuard<T, S>, Self>
    where
        F: FnOnce(&mut U) -> Option<&mut S>,
    {
        match f(&mut *this).map(std::ptr::from_mut) {
            Some(data) => Ok(OwnedMappedMutexGuard { held: this.held, data }),
            None => Err(this),
        }
    }
}

access!(mut [T: ?Sized, U: ?Sized] OwnedMappedMutexGuard<T, U> => U, |guard| guard.data);
