//! Guards that borrow the lock.
use super::super::guards::access;
use super::super::held::Held;
use ::tokio::sync::Semaphore;
use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};

/// RAII structure used to release the shared read access of a lock when dropped. See
/// [`tokio::sync::RwLockReadGuard`](::tokio::sync::RwLockReadGuard).
#[clippy::has_significant_drop]
#[must_use = "if unused the RwLock will immediately unlock"]
pub struct RwLockReadGuard<'a, T: ?Sized> {
    held: Held<&'a Semaphore>,
    data: *const T,
    marker: PhantomData<&'a T>,
}

// SAFETY: it stands for a `&T`.
unsafe impl<T: ?Sized + Sync> Send for RwLockReadGuard<'_, T> {}
// SAFETY: as above.
unsafe impl<T: ?Sized + Send + Sync> Sync for RwLockReadGuard<'_, T> {}

impl<'a, T: ?Sized> RwLockReadGuard<'a, T> {
    #[inline(always)]
    pub(super) fn new(held: Held<&'a Semaphore>, data: *const T) -> Self {
        Self { held, data, marker: PhantomData }
    }

    /// Makes a new `RwLockReadGuard` for a component of the locked data.
    #[inline]
    pub fn map<F, U: ?Sized>(this: Self, f: F) -> RwLockReadGuard<'a, U>
    where
        F: FnOnce(&T) -> &U,
    {
        let data = std::ptr::from_ref(f(&*this));
        RwLockReadGuard::new(this.held, data)
    }

    /// Attempts to make a new `RwLockReadGuard` for a component of the locked data.
    ///
    /// # Errors
    /// The closure returned `None`: the original guard.
    #[inline]
    pub fn try_map<F, U: ?Sized>(this: Self, f: F) -> Result<RwLockReadGuard<'a, U>, Self>
    where
        F: FnOnce(&T) -> Option<&U>,
    {
        match f(&*this).map(std::ptr::from_ref) {
            Some(data) => Ok(RwLockReadGuard::new(this.held, data)),
            None => Err(this),
        }
    }
}

access!([T: ?Sized] RwLockReadGuard<'_, T> => T, |guard| guard.data);

/// RAII structure used to release the exclusive write access of a lock when dropped. See
/// [`tokio::sync::RwLockWriteGuard`](::tokio::sync::RwLockWriteGuard).
#[clippy::has_significant_drop]
#[must_use = "if unused the RwLock will immediately unlock"]
pub struct RwLockWriteGuard<'a, T: ?Sized> {
    held: Held<&'a Semaphore>,
    data: *mut T,
    marker: PhantomData<&'a mut T>,
}

// SAFETY: it stands for a `&mut T`.
unsafe impl<T: ?Sized + Send + Sync> Send for RwLockWriteGuard<'_, T> {}
// SAFETY: as above.
unsafe impl<T: ?Sized + Send + Sync> Sync for RwLockWriteGuard<'_, T> {}

impl<'a, T: ?Sized> RwLockWriteGuard<'a, T> {
    #[inline(always)]
    pub(super) fn new(held: Held<&'a Semaphore>, data: *mut T) -> Self {
        Self { held, data, marker: PhantomData }
    }

    /// Makes a new [`RwLockMappedWriteGuard`] for a component of the locked data.
    #[inline]
    pub fn map<F, U: ?Sized>(mut this: Self, f: F) -> RwLockMappedWriteGuard<'a, U>
    where
        F: FnOnce(&mut T) -> &mut U,
    {
        let data = std::ptr::from_mut(f(&mut *this));
        RwLockMappedWriteGuard { held: this.held, data, marker: PhantomData }
    }

    /// Makes a new [`RwLockReadGuard`] for a component of the locked data.
    #[inline]
    pub fn downgrade_map<F, U: ?Sized>(this: Self, f: F) -> RwLockReadGuard<'a, U>
    where
        F: FnOnce(&T) -> &U,
    {
        let data = std::ptr::from_ref(f(&*this));
        RwLockReadGuard::new(this.held.downgrade(), data)
    }

    /// Attempts to make a new [`RwLockMappedWriteGuard`] for a component of the locked data.
    ///
    /// # Errors
    /// The closure returned `None`: the original guard.
    #[inline]
    pub fn try_map<F, U: ?Sized>(mut this: Self, f: F) -> Result<RwLockMappedWriteGuard<'a, U>, Self>
    where
        F: FnOnce(&mut T) -> Option<&mut U>,
    {
        match f(&mut *this).map(std::ptr::from_mut) {
            Some(data) => Ok(RwLockMappedWriteGuard { held: this.held, data, marker: PhantomData }),
            None => Err(this),
        }
    }

    /// Attempts to make a new [`RwLockReadGuard`] for a component of the locked data.
    ///
    /// # Errors
    /// The closure returned `None`: the original guard.
    #[inline]
    pub fn try_downgrade_map<F, U: ?Sized>(this: Self, f: F) -> Result<RwLockReadGuard<'a, U>, Self>
    where
        F: FnOnce(&T) -> Option<&U>,
    {
        match f(&*this).map(std::ptr::from_ref) {
            Some(data) => Ok(RwLockReadGuard::new(this.held.downgrade(), data)),
            None => Err(this),
        }
    }

    /// Converts this `RwLockWriteGuard` into an `RwLockMappedWriteGuard`.
    #[inline]
    pub fn into_mapped(this: Self) -> RwLockMappedWriteGuard<'a, T> {
        RwLockWriteGuard::map(this, |me| me)
    }

    /// Atomically downgrades a write lock into a read lock without allowing any writers to take it in the meantime.
    pub fn downgrade(self) -> RwLockReadGuard<'a, T> {
        RwLockReadGuard::new(self.held.downgrade(), self.data)
    }
}

access!(mut [T: ?Sized] RwLockWriteGuard<'_, T> => T, |guard| guard.data);

/// RAII structure used to release the exclusive write access of a lock when dropped, mapped to a component. See
/// [`tokio::sync::RwLockMappedWriteGuard`](::tokio::sync::RwLockMappedWriteGuard).
#[clippy::has_significant_drop]
pub struct RwLockMappedWriteGuard<'a, T: ?Sized> {
    held: Held<&'a Semaphore>,
    data: *mut T,
    marker: PhantomData<&'a mut T>,
}

// SAFETY: it stands for a `&mut T`.
unsafe impl<T: ?Sized + Send + Sync> Send for RwLockMappedWriteGuard<'_, T> {}
// SAFETY: as above.
unsafe impl<T: ?Sized + Send + Sync> Sync for RwLockMappedWriteGuard<'_, T> {}

impl<'a, T: ?Sized> RwLockMappedWriteGuard<'a, T> {
    /// Makes a new [`RwLockMappedWriteGuard`] for a component of the locked data.
    #[inline]
    pub fn map<F, U: ?Sized>(mut this: Self, f: F) -> RwLockMappedWriteGuard<'a, U>
    where
        F: FnOnce(&mut T) -> &mut U,
    {
        let data = std::ptr::from_mut(f(&mut *this));
        RwLockMappedWriteGuard { held: this.held, data, marker: PhantomData }
    }

    /// Attempts to make a new [`RwLockMappedWriteGuard`] for a component of the locked data.
    ///
    /// # Errors
    /// The closure returned `None`: the original guard.
    #[inline]
    pub fn try_map<F, U: ?Sized>(mut this: Self, f: F) -> Result<RwLockMappedWriteGuard<'a, U>, Self>
    where
        F: FnOnce(&mut T) -> Option<&mut U>,
    {
        match f(&mut *this).map(std::ptr::from_mut) {
            Some(data) => Ok(RwLockMappedWriteGuard { held: this.held, data, marker: PhantomData }),
            None => Err(this),
        }
    }
}

access!(mut [T: ?Sized] RwLockMappedWriteGuard<'_, T> => T, |guard| guard.data);
